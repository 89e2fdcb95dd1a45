//! Whether a holder has heard what commands under way wanted of it: nothing tells, but
//! where all of them sleep nothing is on its way.

use std::path::Path;

use sess_sys::Pid;

use super::patience::wait_until;
use super::processes::status_field;
use super::sandbox::{Running, Session};

impl Session<'_> {
    /// Waits until each of these commands has said to a holder what it wants, and this
    /// session's has heard it.
    #[track_caller]
    pub fn wait_until_heard(&self, commands: &[&Running]) {
        wait_until("the commands to be heard", || {
            let clients = commands.iter().map(|command| connected(command.pid()));
            let Some(mut all) = clients.collect::<Option<Vec<_>>>() else { return false };
            all.push(self.holder);
            let sleep = || all.iter().map(|&pid| asleep(pid)).collect::<Option<Vec<_>>>();
            let before = sleep();
            before.is_some() && before == sleep()
        });
    }
}

/// Which process of a command has a socket: itself, or one that it has started.
fn connected(pid: Pid) -> Option<Pid> {
    let open = std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?.flatten();
    let mut targets = open.filter_map(|entry| std::fs::read_link(entry.path()).ok());
    if targets.any(|target| is_socket(&target)) {
        return Some(pid);
    }
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
    children.split_whitespace().find_map(|child| connected(Pid(child.parse().ok()?)))
}

fn is_socket(target: &Path) -> bool {
    target.to_str().is_some_and(|target| target.starts_with("socket:"))
}

/// How often a process that sleeps has gone to sleep.
fn asleep(pid: Pid) -> Option<[String; 2]> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let turns = ["voluntary_ctxt_switches", "nonvoluntary_ctxt_switches"];
    status_field(&status, "State").starts_with('S').then(|| turns.map(|f| status_field(&status, f)))
}

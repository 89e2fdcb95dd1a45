//! A mount namespace of a test's own: disks that can be full or read-only, another boot's
//! id. Commands run in it; the sandbox's files are the same but for what is mounted.

use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use sess_sys::process::{Pid, Process, Signal};

use crate::harness::{
    Output, Running, Sandbox, Terminal, find, is_root, process_in, skipped, wait_for, wait_until,
    wait_until_gone,
};

/// More than any disk here has, in bytes, so that a mistake fills no other.
const LIMIT: usize = 16 * 1024 * 1024;

/// Becomes `sess`.
const SESS: &str = "exec \"$0\" \"$@\"";

/// The namespace, for as long as this is there.
pub struct Namespace<'a> {
    pub sandbox: &'a Sandbox,
    keeper: Process,
    _running: Running,
}

impl<'a> Namespace<'a> {
    /// One in which this script has mounted something; where that isn't allowed, the test
    /// is told as skipped.
    #[track_caller]
    pub fn new(sandbox: &'a Sandbox, mounts: &str) -> Option<Self> {
        let (unshare, _) = (find("unshare")?, find("nsenter")?);
        if !is_root() {
            return None;
        }
        let script = format!(
            "{{ {mounts}; }} || {{ touch refused; exit 1; }}; echo $$ >keeper.new
             mv keeper.new keeper; exec sleep 1000"
        );
        let mut command = sandbox.command(unshare);
        command.args(["-m", "--propagation", "private", "sh", "-c", &script]);
        let running = sandbox.start(command);
        let is_there = |name: &str| sandbox.path(name).exists();
        wait_until("the mounts", || is_there("keeper") || is_there("refused"));
        if is_there("refused") {
            skipped("no mounts");
            return None;
        }
        Some(Self { sandbox, keeper: process_in(sandbox, "keeper"), _running: running })
    }

    /// One in which the sessions directory is a disk of its own.
    #[track_caller]
    pub fn with_disk(sandbox: &'a Sandbox, size: &str) -> Option<Self> {
        let mount = format!("mount -t tmpfs -o mode=0700,size={size} none sessions");
        Self::new(sandbox, &format!("mkdir sessions && {mount}"))
    }

    /// A script that runs in it; `$0` is `sess`.
    fn command(&self, script: &str, args: &[&str]) -> Command {
        let mut command = self.sandbox.command("nsenter");
        let target = format!("--mount=/proc/{}/ns/mnt", self.keeper.pid);
        // The working directory is lost on the way.
        let script = format!("cd '{}' && {{ {script}\n}}", self.sandbox.path("").display());
        command.args([&target, "--", "sh", "-c", &script, env!("CARGO_BIN_EXE_sess")]).args(args);
        command
    }

    /// Runs a script in it.
    #[track_caller]
    pub fn run(&self, script: &str) -> Output {
        self.sandbox.run(self.command(script, &[]))
    }

    /// Runs `sess` in it.
    #[track_caller]
    pub fn sess(&self, args: &[&str]) -> Output {
        self.sandbox.run(self.command(SESS, args))
    }

    /// Shows a session of its in a terminal.
    #[track_caller]
    pub fn attach(&self, name: &str) -> Terminal {
        let command = self.command(SESS, &["attach", name]);
        let args: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        self.sandbox.terminal().run("nsenter", args)
    }

    /// What `status --json` says there.
    #[track_caller]
    pub fn status(&self, name: &str) -> Value {
        let output = self.sess(&["status", "--json", name]);
        serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
    }

    /// Waits until the session's status is as wanted.
    #[track_caller]
    pub fn wait_for_status<T>(
        &self,
        what: &str,
        name: &str,
        fact: impl Fn(&Value) -> Option<T>,
    ) -> T {
        wait_for(what, || fact(&self.status(name)))
    }

    /// Where a path of the sandbox leads in there.
    pub fn path(&self, name: &str) -> PathBuf {
        let outside = self.sandbox.path(name);
        let inside = outside.strip_prefix("/").unwrap();
        PathBuf::from(format!("/proc/{}/root", self.keeper.pid)).join(inside)
    }

    /// Fills the disk that the sessions are on, but for so many bytes.
    #[track_caller]
    pub fn fill_disk(&self, but_for: usize) {
        let sessions = self.path("sessions");
        let device = |path: &PathBuf| path.metadata().unwrap().dev();
        assert_ne!(device(&sessions), device(&self.sandbox.path("")), "it is no disk of its own");
        let mut fill = std::fs::File::create(sessions.join(".fill")).unwrap();
        let mut size = 0;
        while fill.write_all(&[0; 4096]).is_ok() {
            size += 4096;
            assert!(size < LIMIT, "the disk never fills");
        }
        fill.set_len(fill.metadata().unwrap().len() - but_for as u64).unwrap();
    }

    /// Makes room again.
    #[track_caller]
    pub fn clear_disk(&self) {
        std::fs::remove_file(self.path("sessions/.fill")).unwrap();
    }

    /// The holder of a session that runs in it.
    #[track_caller]
    pub fn holder(&self, name: &str) -> Process {
        let status = self.status(name);
        let pid = status["holder_pid"].as_i64().and_then(|pid| i32::try_from(pid).ok());
        let pid = pid.unwrap_or_else(|| panic!("no holder in {status}"));
        Process::read(Pid(pid)).unwrap().expect("it lives")
    }

    /// As a crash would: the session's holder is killed, and what it leaves ends.
    #[track_caller]
    pub fn crash(&self, name: &str) {
        let (id, holder) = (self.status(name)["id"].clone(), self.holder(name));
        holder.signal(Signal::KILL).unwrap();
        wait_until_gone(&holder);
        super::end_the_rest(id.as_str().unwrap());
    }
}

impl Drop for Namespace<'_> {
    /// Ends the sessions in it, which nobody finds from outside.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.sess(&["kill", "--all", "--grace", "0s"]);
        }
        let _ = self.keeper.signal(Signal::KILL);
    }
}

//! Who seems to take nothing, and could not. Must not know what becomes of one that could.

use std::time::{Duration, Instant};

use sess_sys::process::{Pid, Process};

use super::Holder;

/// How much longer one is waited for that gets no processor, before it is looked at again.
const MORE: Duration = Duration::from_millis(250);

/// The process at the other end of a connection.
#[derive(Debug)]
pub(super) struct Peer {
    pid: Pid,
    /// When it was last looked at, and how long it had had a processor by then.
    looked: Option<(Instant, Duration)>,
}

impl Peer {
    pub(super) fn new(pid: Pid) -> Self {
        Self { pid, looked: None }
    }

    /// Whether it wants to run and seldom gets to. Of one that was never looked at before it
    /// is believed.
    fn gets_no_processor(&mut self) -> bool {
        let process = Process::read(self.pid).ok().flatten();
        let Some(process) = process.filter(|process| process.state == 'R') else {
            return false;
        };
        let now = Instant::now();
        let before = self.looked.replace((now, process.used));
        before.is_none_or(|(then, used)| process.used.saturating_sub(used) < (now - then) / 2)
    }
}

impl Holder {
    /// Waits on for clients that would have taken something.
    pub(super) fn hear_excuses(&mut self) {
        let overdue = self.session.overdue();
        if overdue.is_empty() {
            return;
        }
        // That there is room again the system says only when most of it is free.
        for id in &overdue {
            if let Some(connection) = self.connections.get_mut(id) {
                connection.full = false;
            }
        }
        self.write_clients();
        for id in self.session.overdue() {
            let connection = self.connections.get_mut(&id);
            if connection.is_some_and(|one| one.peer.gets_no_processor()) {
                self.session.excuse(id, MORE.as_millis() as u64);
            }
        }
    }
}

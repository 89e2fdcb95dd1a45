//! Patience with clients: until when one that is to take something is waited for, and what
//! doesn't count against it. Must not know how any of it is found out.

use super::role::{Client, Role};
use super::{Phase, Session};
use crate::client::{ClientId, STALL};

impl Client {
    /// Since when it has been due to take something, in ticks; `at_the_end` everybody is
    /// who reads.
    pub(super) fn due(&self, at_the_end: bool) -> Option<u64> {
        match &self.role {
            Role::Viewer(view) => view.due(),
            Role::Leaving { since } => Some(*since),
            role if role.reads() && at_the_end => Some(self.moved),
            Role::Runner(runner) if runner.paces() && !self.outbox.is_empty() => Some(self.moved),
            _ => None,
        }
    }

    fn excuse(&mut self, ticks: u64) {
        self.moved += ticks;
        match &mut self.role {
            Role::Undecided { since, .. } | Role::Leaving { since } => *since += ticks,
            Role::Viewer(view) => view.excuse(ticks),
            _ => {}
        }
    }
}

impl Session {
    /// For the last so many ticks the holder was held up, by a disk or who stopped it: that
    /// nobody took or said anything meanwhile was no fault of theirs.
    pub fn held_up(&mut self, ticks: u64) {
        self.clients.values_mut().for_each(|client| client.excuse(ticks));
        if let Some((at, _)) = &mut self.probe {
            *at += ticks;
        }
    }

    /// Who will be waited for no longer from the next [`Session::tick`] on, unless it takes
    /// something before, or is excused.
    pub fn overdue(&self) -> Vec<ClientId> {
        let at_the_end = self.phase == Phase::Over;
        let late = |since| self.now.ticks >= since + STALL;
        let clients = self.clients.iter();
        let overdue = clients.filter(|(_, client)| client.due(at_the_end).is_some_and(late));
        overdue.map(|(&id, _)| id).collect()
    }

    /// That a client took nothing for the last so many ticks was no fault of its own.
    pub fn excuse(&mut self, id: ClientId, ticks: u64) {
        if let Some(client) = self.clients.get_mut(&id) {
            client.excuse(ticks);
        }
    }
}

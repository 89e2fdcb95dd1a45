//! Noticing: what happens to a session, for those who listen, and what its
//! program is about, as far as its terminal tells.

use sess_proto::message::{Activity, Event, Happening, Listening};
use sess_screen::ShellState;

use super::Session;
use super::role::Role;
use crate::client::ClientId;

/// After this much quiet output is news, and a program no longer busy, in
/// milliseconds.
const BUSY: u64 = 2_000;
/// Quiet after which a program that reads without echo is taken to wait for a
/// password, in milliseconds.
const SECRET: u64 = 200;
/// A listener that has so much unread is left to itself, in bytes.
const UNREAD_LIMIT: usize = 256 * 1024;

/// What was noticed and not yet looked after.
#[derive(Debug, Default)]
pub(super) struct Attention {
    /// The program rang or told something, and nobody typed since.
    wanted: bool,
    /// The title as it was last told.
    title: String,
}

impl Session {
    /// Somebody wants to be told what happens.
    pub(super) fn listen(&mut self, id: ClientId) {
        self.catch_up();
        if let Some(client) = self.clients.get_mut(&id) {
            client.role = Role::Listener;
            client.outbox.say(Listening {
                name: self.identity.name.clone(),
                id: self.identity.id.clone(),
                created: self.identity.created,
            });
        }
    }

    /// Tells all who listen what has happened.
    pub(super) fn tell(&mut self, happening: Happening) {
        let (time, name) = (self.now.wall, self.identity.name.clone());
        let event = Event { time, name, happening };
        for client in self.clients.values_mut() {
            if matches!(client.role, Role::Listener) {
                client.outbox.say(event.clone());
                if client.outbox.pending().len() > UNREAD_LIMIT {
                    // It is told no more; where it goes on it sees by asking anew.
                    client.role = Role::Leaving { since: self.now.ticks };
                }
            }
        }
    }

    /// Output has come.
    pub(super) fn notice_output(&mut self) {
        if self.last_output.is_none_or(|at| self.now.ticks - at.ticks >= BUSY) {
            self.tell(Happening::Activity);
        }
    }

    /// Somebody typed: what the program wanted is looked after.
    pub(super) fn notice_input(&mut self) {
        self.attention.wanted = false;
    }

    /// The screen has followed: notices what stood in the output.
    pub(super) fn notice_screen(&mut self) {
        let notices = self.stream.take_notices();
        if notices.bells > 0 {
            self.attention.wanted = true;
            self.tell(Happening::Bell);
        }
        for notification in notices.notifications {
            self.attention.wanted = true;
            let sess_screen::Notification { title, body } = notification;
            self.tell(Happening::Notification { title, body });
        }
        if self.stream.screen().title() != self.attention.title {
            self.stream.screen().title().clone_into(&mut self.attention.title);
            self.tell(Happening::Title(self.attention.title.clone()));
        }
    }

    /// What the program is about; `secret` if it reads lines without echo.
    pub fn activity(&mut self, secret: bool) -> Activity {
        self.catch_up();
        let quiet = self.last_output.map_or(u64::MAX, |at| self.now.ticks - at.ticks);
        if self.attention.wanted || (secret && quiet >= SECRET) {
            return Activity::Asking;
        }
        let busy = match self.stream.screen().shell() {
            _ if self.command.is_some() => true,
            Some(ShellState::Command) => true,
            Some(ShellState::Prompt) => false,
            Some(ShellState::Finished) | None => quiet < BUSY,
        };
        if busy { Activity::Busy } else { Activity::Idle }
    }
}

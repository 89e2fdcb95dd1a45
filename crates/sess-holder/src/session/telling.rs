//! What clients are told: output as they take it, and the last words.

use sess_proto::HolderMessage;
use sess_proto::message::{self, Detached, Exit, Exited, Happening};
use sess_screen::{INTERRUPT, NEUTRALISE};

use super::lead::PROBE;
use super::role::{Client, Role};
use super::{Phase, Session, readers};
use crate::client::{ClientId, Cursor, Farewell, Fit, View};
use crate::relay;

/// Bytes in a client's outbox over which it is heard no further.
const OUTBOX_LIMIT: usize = 256 * 1024;

impl Session {
    pub(super) fn settle_progress(&mut self, id: ClientId, took: bool) {
        let ticks = self.now.ticks;
        if let Some(Client { role: Role::Viewer(view), outbox, .. }) = self.clients.get_mut(&id) {
            view.settle_progress(outbox.is_empty(), took, ticks);
        }
    }

    /// Fills the outboxes of those who are ready for more.
    pub fn advance(&mut self) {
        let mut arrived = false;
        let mut following = Vec::new();
        if self.views().any(|(_, view)| view.following().is_none()) {
            following.extend(readers(&self.clients));
        }
        let now = self.now;
        let Self { stream, clients, .. } = self;
        for client in clients.values_mut() {
            if let Role::Viewer(view) = &client.role
                && view.is_stalled()
            {
                continue;
            }
            let Client { role: Role::Viewer(view), outbox, .. } = client else {
                continue;
            };
            let was_following = view.following().is_some();
            let before = view.sent;
            let gone = relay::advance(view, outbox, stream, &following);
            if view.sent > before {
                view.settle_progress(outbox.is_empty(), false, now.ticks);
            }
            if gone {
                client.role = Role::Leaving { since: now.ticks };
                self.last_detach = now.ticks;
                arrived = true;
            } else if !was_following && view.following().is_some() {
                arrived = true;
            }
        }
        if arrived {
            self.settle_lead();
        }
        self.advance_readers();
    }

    /// What is to be written to a client.
    pub fn outbox(&self, id: ClientId) -> &[u8] {
        self.clients.get(&id).map_or(&[], |client| client.outbox.pending())
    }

    /// A client's socket took `count` bytes.
    pub fn sent(&mut self, id: ClientId, count: usize) {
        let on_duty = self.duty.on() == Some(id);
        if let Some(client) = self.clients.get_mut(&id) {
            client.outbox.advance(count);
            if count > 0 {
                client.moved = self.now.ticks;
            }
            let empty = client.outbox.is_empty();
            match &mut client.role {
                Role::Viewer(view) => view.settle_progress(empty, false, self.now.ticks),
                Role::Leaving { since } if count > 0 => *since = self.now.ticks,
                Role::Runner(runner) if count > 0 => runner.took(),
                Role::Waiter(_) if empty => self.rest(id),
                _ => {}
            }
        }
        if on_duty && self.probe.is_none() {
            self.probe = Some((self.now.ticks + PROBE, 0));
        }
    }

    /// Whether a client is to be listened to.
    pub fn hears(&self, id: ClientId) -> bool {
        self.clients.get(&id).is_some_and(|client| {
            let unruly = match &client.role {
                // One that sends more than it may is not read any further.
                Role::Viewer(view) => {
                    view.input_received - view.input_taken > 4 * message::INPUT_CREDIT
                }
                Role::Sender(sender) => sender.is_unruly(),
                // What it says is of no use to anybody.
                Role::Leaving { .. } => true,
                _ => false,
            };
            !unruly && client.outbox.pending().len() < OUTBOX_LIMIT
        })
    }

    /// How many clients there are.
    pub fn clients(&self) -> usize {
        self.clients.len() + self.resting.len()
    }

    /// How many of them only wait.
    pub fn resting(&self) -> usize {
        self.resting.len()
    }

    /// Those who don't only wait.
    pub fn awake(&self) -> Vec<ClientId> {
        self.clients.keys().copied().collect()
    }

    /// Whether a connection is to be closed now.
    pub fn is_done_with(&self, id: ClientId) -> bool {
        let Some(client) = self.clients.get(&id) else {
            return !self.resting.contains_key(&id);
        };
        matches!(client.role, Role::Leaving { .. }) && client.outbox.is_empty()
    }

    /// Whoever would lose bytes to the next `count` ones falls behind: it is
    /// brought to the present when it reads again.
    pub(super) fn overtake(&mut self, count: usize) {
        let tail = self.stream.tail_after(count);
        self.overtake_readers(tail);
        let behind = |view: &View| view.following().is_some_and(|at| at < tail);
        if !self.views().any(|(_, view)| behind(view)) {
            return;
        }
        self.catch_up();
        let stream = &self.stream;
        for client in self.clients.values_mut() {
            if let Role::Viewer(view) = &mut client.role
                && let Some(offset) = view.following().filter(|&at| at < tail)
            {
                view.cursor = Cursor::Start { line: stream.line_at(offset), fresh: false };
                if let Some(farewell) = &mut view.farewell {
                    // Its screen is lost; what is left is a terminal in order.
                    farewell.undo = Some(blunt_undo(view.size.rows));
                    view.cursor = Cursor::Journal(farewell.until);
                }
            }
        }
        self.settle_duty();
    }

    /// Shows a client everything again.
    pub(super) fn redraw(&mut self, id: ClientId) {
        self.catch_up();
        let stream = &self.stream;
        if let Some(Client { role: Role::Viewer(view), .. }) = self.clients.get_mut(&id)
            && let Some(offset) = view.following()
            && view.farewell.is_none()
        {
            view.cursor = Cursor::Start { line: stream.line_at(offset), fresh: false };
        }
        self.settle_duty();
    }

    /// Detaches every attached client but `id`; returns how many.
    pub(super) fn detach_others(&mut self, id: ClientId) -> u32 {
        let others: Vec<ClientId> =
            self.views().map(|(other, _)| other).filter(|&other| other != id).collect();
        for &other in &others {
            self.dismiss(other, detached);
        }
        others.len() as u32
    }

    /// Sends a client away, after what was output until now and with its terminal
    /// put in order.
    pub(super) fn dismiss(
        &mut self,
        id: ClientId,
        message: impl FnOnce(&str, u32) -> HolderMessage<'static>,
    ) {
        self.catch_up();
        let replies = self.duty.owed(id) as u32;
        let until = self.stream.head();
        let over = self.phase == Phase::Over;
        let Some(Client { role: Role::Viewer(view), pid, .. }) = self.clients.get_mut(&id) else {
            return;
        };
        let pid = *pid;
        if view.farewell.is_some() {
            return;
        }
        let mut bytes = Vec::new();
        message(&self.identity.name, replies).encode(&mut bytes);
        let undo = if over {
            // Nothing more comes: it gets everything, however far it is.
            None
        } else if view.fit != Fit::Other && view.following().is_some() && !view.is_stalled() {
            let mut undo = Vec::new();
            self.stream.screen().undo(&mut undo);
            if view.fit == Fit::Moved {
                relay::below_everything(view.size.rows, &mut undo);
            }
            Some(undo)
        } else {
            // What it shows isn't what the model has.
            view.cursor = Cursor::Journal(until);
            Some(blunt_undo(view.size.rows))
        };
        view.farewell = Some(Farewell { until, undo, message: bytes });
        view.rank = 0;
        let tty = view.tty.clone();
        self.settle_progress(id, true);
        self.settle_lead();
        self.tell(Happening::Detached { pid, tty });
    }
}

/// The last words to a client that is detached.
pub(super) fn detached(name: &str, replies: u32) -> HolderMessage<'static> {
    Detached { name: name.to_owned(), replies }.into()
}

/// The last words to a client whose session is over.
pub(super) fn exited(exit: Exit) -> impl Fn(&str, u32) -> HolderMessage<'static> {
    move |name, replies| Exited { name: name.to_owned(), exit, replies }.into()
}

/// Puts a terminal in order whose state isn't known, and goes to a fresh line at
/// its bottom.
fn blunt_undo(rows: u16) -> Vec<u8> {
    let mut undo = [INTERRUPT, NEUTRALISE].concat();
    relay::below_everything(rows, &mut undo);
    undo
}

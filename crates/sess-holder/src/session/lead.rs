//! Who leads, and what follows from that: the size, and who answers the
//! program's questions.

use sess_proto::message;

use super::role::{Client, Role};
use super::{Action, Phase, Session};
use crate::client::{ClientId, Cursor, Fit, Progress, STALL, View};

/// How often it is looked whether the leader reads at all, in milliseconds. Twice
/// in a row that it does not is a stall.
pub(super) const PROBE: u64 = STALL / 2;

impl Session {
    /// This client leads from now on, unless it only looks.
    pub(super) fn lead(&mut self, id: ClientId) {
        let leads = self.leader().is_some_and(|(leader, _)| leader == id);
        let rank = self.next_rank;
        let Some(view) = self.view_mut(id) else {
            return;
        };
        if view.read_only || view.farewell.is_some() {
            return;
        }
        if !leads {
            view.rank = rank;
            self.next_rank += 1;
        }
        self.settle_lead();
    }

    /// Draws the consequences of who leads: size, and who answers.
    pub(super) fn settle_lead(&mut self) {
        if let Some((_, leader)) = self.leader() {
            self.resize(leader.size);
        }
        self.refresh_fitting();
        self.settle_duty();
    }

    /// Gives the session's terminal another size.
    pub(super) fn resize(&mut self, size: message::Size) {
        if size == self.size {
            return;
        }
        self.catch_up();
        if (size.cols, size.rows) != (self.size.cols, self.size.rows) {
            self.stream.resize(sess_screen::Size::new(size.cols, size.rows));
            self.keep_size((size.cols, size.rows));
        }
        self.size = size;
        self.actions.push(Action::ResizePty(size));
        self.tell(message::Happening::Resized(size));
    }

    /// Gives a fresh screen to whom the session's size has become its own; notes
    /// whom it has ceased to be.
    pub(super) fn refresh_fitting(&mut self) {
        let size = self.size;
        let mut fresh = Vec::new();
        for (&id, client) in &mut self.clients {
            if let Role::Viewer(view) = &mut client.role {
                let fits = (view.size.cols, view.size.rows) == (size.cols, size.rows);
                if !fits {
                    view.fit = Fit::Other;
                } else if view.fit == Fit::Other {
                    view.fit = Fit::Drawn;
                    if view.following().is_some() {
                        fresh.push(id);
                    }
                }
            }
        }
        for id in fresh {
            self.redraw(id);
        }
    }

    /// The leader's terminal answers the program's questions from here on; the
    /// holder, while that terminal isn't at the present or takes nothing.
    pub(super) fn settle_duty(&mut self) {
        let on = self
            .leader()
            .filter(|(_, view)| view.following().is_some() && !view.is_stalled())
            .map(|(id, _)| id);
        if on == self.duty.on() {
            return;
        }
        self.catch_up();
        self.duty.pass(on);
        self.probe = None;
    }

    pub(super) fn leader(&self) -> Option<(ClientId, &View)> {
        self.views().filter(|(_, view)| view.rank > 0).max_by_key(|(_, view)| view.rank)
    }

    /// Whether a client's socket still holds bytes that it has not read.
    pub fn probed(&mut self, id: ClientId, unread: bool) {
        let misses = self.probe.map_or(0, |(_, misses)| misses);
        self.probe = None;
        if unread && misses > 0 {
            self.stall(id);
        } else if unread {
            self.probe = Some((self.now.ticks + PROBE, misses + 1));
        }
    }

    /// A client has taken nothing for a second: it counts as not there. If its
    /// terminal was to answer, the holder answers what it can't have seen, and
    /// brings it to the present when it reads again.
    pub(super) fn stall(&mut self, id: ClientId) {
        let Some(view) = self.view_mut(id) else {
            return;
        };
        view.progress = Progress::Stalled;
        let taken = view.taken();
        let (follows, on_duty) = (view.following(), self.duty.on() == Some(id));
        self.catch_up();
        if let Some(offset) = follows.filter(|_| on_duty) {
            let line = self.stream.line_at(offset);
            if let Some(Client { role: Role::Viewer(view), outbox, .. }) = self.clients.get_mut(&id)
            {
                view.cursor = Cursor::Start { line, fresh: false };
                view.asked_to_sync = true;
                outbox.say(message::Sync {});
            }
            self.abandon(id, taken);
        }
        self.probe = None;
        self.settle_duty();
    }

    /// The holder answers what this client's terminal, having taken the output up
    /// to `taken`, can't have been asked.
    pub(super) fn abandon(&mut self, id: ClientId, taken: u64) {
        self.catch_up();
        for answer in self.duty.abandon(id, taken) {
            if self.phase == Phase::Running {
                self.input.push(None, &answer);
            }
        }
    }
}

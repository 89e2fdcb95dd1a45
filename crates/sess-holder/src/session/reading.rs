//! Reading: what the session shows, once, and the output as it came. A reader has
//! a cursor; it slows nobody, and is told what it was too slow for.

use sess_proto::message::{At, Captured, Done, Exit, Exited, Follow};

use super::role::{Client, Following, Request, Role};
use super::{Phase, Session, readers};
use crate::client::{ClientId, View};
use crate::relay;

/// Output passed on at a time, in bytes.
const CHUNK: usize = 64 * 1024;

impl Session {
    /// Somebody asks for something that is answered as of now: when the program's
    /// terminal was read until it would block.
    pub(super) fn presently(&mut self, id: ClientId, request: Request) {
        if let Some(client) = self.clients.get_mut(&id) {
            client.role = Role::Presently(request);
            self.settle();
        }
    }

    /// It was read: answers those who asked.
    pub(super) fn answer_presently(&mut self) {
        let asked = self.clients.iter().filter_map(|(&id, client)| match &client.role {
            Role::Presently(request) => Some((id, request.clone())),
            _ => None,
        });
        for (id, request) in asked.collect::<Vec<_>>() {
            match request {
                Request::Wait(waiting) => self.begin_wait(id, waiting),
                Request::Capture(capture) => {
                    self.say(id, Captured { size: self.size });
                    let view = View::new(self.size, capture.lines, true);
                    self.become_reader(id, Role::Copier(Box::new(view)));
                }
                Request::Follow(follow) => {
                    let following = self.following(follow);
                    self.become_reader(id, Role::Follower(following));
                }
            }
        }
    }

    fn following(&self, Follow { since, limit, follow }: Follow) -> Following {
        let (tail, head) = (self.stream.tail(), self.stream.head());
        let cursor = since.unwrap_or(tail).max(tail);
        let end = match limit {
            Some(limit) if follow => Some(cursor.saturating_add(limit)),
            Some(limit) => Some(cursor.saturating_add(limit).min(head)),
            None => (!follow).then_some(head),
        };
        Following { cursor, end, gap: true }
    }

    fn become_reader(&mut self, id: ClientId, role: Role) {
        if let Some(client) = self.clients.get_mut(&id) {
            client.role = role;
        }
    }

    /// Passes on what readers have still to get.
    pub(super) fn advance_readers(&mut self) {
        let ids: Vec<ClientId> = self
            .clients
            .iter()
            .filter(|(_, client)| client.role.reads() && client.outbox.is_empty())
            .map(|(&id, _)| id)
            .collect();
        for id in ids {
            self.advance_copier(id);
            self.advance_follower(id);
            self.advance_runner(id);
        }
    }

    fn advance_copier(&mut self, id: ClientId) {
        let marked: Vec<u64> = readers(&self.clients).collect();
        let Some(Client { role: Role::Copier(view), outbox, .. }) = self.clients.get_mut(&id)
        else {
            return;
        };
        // Its socket alone says how fast it is.
        view.acked = view.sent;
        relay::advance(view, outbox, &mut self.stream, &marked);
        if let Some(offset) = view.following() {
            outbox.say(At { offset });
            outbox.say(Done { count: 1 });
            self.leave(id);
        }
    }

    fn advance_follower(&mut self, id: ClientId) {
        let over = self.exit;
        let Some(Client { role: Role::Follower(following), outbox, .. }) =
            self.clients.get_mut(&id)
        else {
            return;
        };
        let head = self.stream.head();
        let end = following.end.unwrap_or(u64::MAX);
        if std::mem::take(&mut following.gap) {
            outbox.say(At { offset: following.cursor });
        }
        if following.cursor < head.min(end) {
            let chunk = self.stream.chunk(following.cursor, head.min(end), CHUNK);
            following.cursor += outbox.output(chunk);
        } else if following.cursor >= end {
            outbox.say(Done { count: 1 });
            self.leave(id);
        } else if let Some(exit) = over {
            let name = self.identity.name.clone();
            outbox.say(Exited { name, exit, replies: 0 });
            self.leave(id);
        }
    }

    /// Who would lose output to the next bytes goes on some way behind the head.
    pub(super) fn overtake_readers(&mut self, tail: u64) {
        let to = tail + (self.stream.head() - tail) / 2;
        for client in self.clients.values_mut() {
            if let Role::Follower(following) = &mut client.role
                && following.cursor < tail
            {
                following.cursor = to.min(following.end.unwrap_or(u64::MAX));
                following.gap = true;
            }
        }
        self.overtake_runner(tail, to);
    }

    /// Tells those clients that the session is over, and how.
    pub(super) fn tell_exit(&mut self, exit: Exit, whom: impl Fn(&Role) -> bool) {
        let since = self.now.ticks;
        for client in self.clients.values_mut() {
            if whom(&client.role) {
                let name = self.identity.name.clone();
                client.outbox.say(Exited { name, exit, replies: 0 });
                client.role = Role::Leaving { since };
            }
        }
    }

    /// Who asked just before the end is answered as of the end.
    pub(super) fn answer_last(&mut self) {
        debug_assert!(self.phase == Phase::Over, "nothing more comes");
        self.answer_presently();
    }
}

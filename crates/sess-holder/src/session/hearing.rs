//! What clients say, and what follows from it.

use sess_proto::message::{Attach, Attached, Done, Happening, Refused, Size, Welcome, refusal};
use sess_proto::{ClientMessage, HolderMessage, PROTOCOL_MAX, PROTOCOL_MIN};
use sess_screen::QueryKind;

use super::role::{Client, Request, Role};
use super::telling::{detached, exited};
use super::{Action, Phase, Session};
use crate::client::{ClientId, Fit, Outbox, View};
use crate::duty::Asked;

/// What a terminal's size may be, in columns and rows.
const AXIS_LIMIT: u16 = 2000;

impl Session {
    /// Somebody connected; `promised` if it is the session's creator.
    pub fn connected(&mut self, id: ClientId, pid: i32, promised: bool) {
        let role = Role::Undecided { since: self.now.ticks, greeted: false, promised };
        let moved = self.now.ticks;
        self.clients.insert(id, Client { pid, role, outbox: Outbox::default(), moved });
    }

    /// A connection is gone.
    pub fn closed(&mut self, id: ClientId) {
        self.forget_wait(id);
        self.give_up(id);
        let Some(client) = self.clients.remove(&id) else {
            return;
        };
        if let Role::Viewer(view) = client.role {
            // What has not even gone out to its terminal the holder answers.
            self.abandon(id, view.following().unwrap_or(view.followed_from.1));
            self.last_detach = self.now.ticks;
            self.settle_lead();
            if view.farewell.is_none() {
                self.tell(Happening::Detached { pid: client.pid, tty: view.tty });
            }
        }
    }

    /// Somebody said something.
    pub fn said(&mut self, id: ClientId, message: ClientMessage<'_>) {
        let now = self.now;
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        match &mut client.role {
            Role::Undecided { since, greeted, .. } => {
                *since = now.ticks;
                match (&message, *greeted) {
                    (ClientMessage::Hello(hello), false) => {
                        *greeted = true;
                        client.outbox.say(Welcome {
                            protocol_min: PROTOCOL_MIN,
                            protocol_max: PROTOCOL_MAX,
                            features: 0,
                            version: env!("CARGO_PKG_VERSION").to_owned(),
                        });
                        if hello.protocol_max < PROTOCOL_MIN || hello.protocol_min > PROTOCOL_MAX {
                            self.refuse(id, refusal::PROTOCOL, "the protocols do not meet");
                        }
                    }
                    (_, true) => self.asked(id, message),
                    (_, false) => self.refuse(id, refusal::MALFORMED, "expected a hello first"),
                }
            }
            Role::Viewer(_) => self.viewer_said(id, &message),
            Role::Sender(_) => self.sender_said(id, &message),
            _ => {}
        }
    }

    /// What was received makes no sense.
    pub fn garbled(&mut self, id: ClientId, reason: &str) {
        self.refuse(id, refusal::MALFORMED, reason);
    }

    /// A request on a connection that has no role yet.
    fn asked(&mut self, id: ClientId, message: ClientMessage<'_>) {
        match message {
            ClientMessage::Status(_) => self.actions.push(Action::Report(id)),
            ClientMessage::Attach(attach) => self.attach(id, attach),
            ClientMessage::Detach(_) => {
                let count = self.detach_others(id);
                self.say(id, Done { count });
            }
            ClientMessage::Kill(kill) => {
                if let Some(client) = self.clients.get_mut(&id) {
                    client.role = Role::Killer;
                }
                self.kill(kill);
            }
            ClientMessage::Send(send) => self.send_asked(id, send),
            ClientMessage::Wait(wait) => {
                let deadline = wait.timeout.map(|timeout| self.now.ticks.saturating_add(timeout));
                match self.waiting(wait.until, wait.since, deadline) {
                    Ok(waiting) => self.presently(id, Request::Wait(Box::new(waiting))),
                    Err(reason) => self.refuse(id, refusal::USAGE, &reason),
                }
            }
            ClientMessage::Capture(capture) => self.presently(id, Request::Capture(capture)),
            ClientMessage::Follow(follow) => self.presently(id, Request::Follow(follow)),
            ClientMessage::Run(run) => self.run_asked(id, run),
            ClientMessage::Listen(_) => self.listen(id),
            ClientMessage::Rename(rename) => {
                self.actions.push(Action::Rename(id, rename.name));
            }
            ClientMessage::SetSize(set) => self.set_size(id, set.size),
            ClientMessage::Hello(_)
            | ClientMessage::Input(_)
            | ClientMessage::Passive(_)
            | ClientMessage::Report(_)
            | ClientMessage::Resize(_)
            | ClientMessage::Ack(_)
            | ClientMessage::Leave(_)
            | ClientMessage::Redraw(_) => {
                self.refuse(id, refusal::MALFORMED, "this takes an attached client");
            }
            ClientMessage::Text(_) | ClientMessage::Key(_) | ClientMessage::Sent(_) => {
                self.refuse(id, refusal::MALFORMED, "this takes a send");
            }
        }
    }

    /// Something that an attached client says.
    fn viewer_said(&mut self, id: ClientId, message: &ClientMessage<'_>) {
        match *message {
            ClientMessage::Input(bytes) => {
                self.typed(id, bytes);
                self.lead(id);
                self.note_line(bytes);
                self.notice_input();
                self.keys_may_wait();
            }
            ClientMessage::Passive(bytes) => self.typed(id, bytes),
            ClientMessage::Report(bytes) => self.reported(id, bytes),
            ClientMessage::Ack(ack) => self.acked(id, ack.bytes),
            ClientMessage::Resize(resize) => self.client_resized(id, resize.size),
            ClientMessage::Redraw(redraw) => {
                self.client_resized(id, redraw.size);
                self.redraw(id);
            }
            ClientMessage::Leave(_) | ClientMessage::Detach(_) => {
                self.dismiss(id, detached);
            }
            _ => {
                self.refuse(id, refusal::MALFORMED, "an attached client can't ask for this");
            }
        }
    }

    fn attach(&mut self, id: ClientId, attach: Attach) {
        if (attach.tty_dev, attach.tty_rdev) == self.identity.tty_id {
            let text = format!("{} is this very terminal's session", self.identity.name);
            return self.refuse(id, refusal::ITSELF, &text);
        }
        if attach.exclusive {
            self.detach_others(id);
        }
        if let Some(agent) = attach.agent {
            self.actions.push(Action::LinkAgent(agent));
        }
        let mut view = View::new(self.usable(attach.size), attach.lines, attach.read_only);
        view.tty = attach.tty;
        view.tty_id = (attach.tty_dev, attach.tty_rdev);
        view.attached = self.now.wall;
        view.followed_from = (0, self.stream.head());
        let tty = view.tty.clone();
        let attached = Attached { name: self.identity.name.clone(), id: self.identity.id.clone() };
        if let Some(client) = self.clients.get_mut(&id) {
            client.outbox.say(attached);
            client.role = Role::Viewer(Box::new(view));
            let pid = client.pid;
            self.tell(Happening::Attached { pid, tty });
        }
        self.lead(id);
        // History is cut as it is now, with the lines that a smaller size just
        // scrolled off.
        self.catch_up();
        if let Some(exit) = self.exit {
            self.dismiss(id, exited(exit));
        }
    }

    fn typed(&mut self, id: ClientId, bytes: &[u8]) {
        let Some(view) = self.view_mut(id).filter(|view| !view.read_only) else {
            return;
        };
        view.input_received += bytes.len() as u64;
        self.last_input = Some(self.now);
        match self.phase {
            Phase::Running => self.input.push(Some(id), bytes),
            Phase::Pausing(..) => self.forget_input(),
            _ => {}
        }
    }

    /// An answer of a client's terminal: it is let through if its terminal was
    /// asked (contract 6.3).
    fn reported(&mut self, id: ClientId, bytes: &[u8]) {
        self.catch_up();
        let alone = self.views().filter(|(_, view)| !view.read_only).count() == 1;
        let Some(view) = self.view_mut(id).filter(|view| !view.read_only) else {
            return;
        };
        view.input_received += bytes.len() as u64;
        // An answer to output from before it was brought to the present: the
        // holder has answered.
        let present = view.following().is_some() && view.acked >= view.followed_from.0;
        let kind = QueryKind::of_report(bytes);
        let asked = kind.map_or(Asked::Never, |kind| self.duty.answered(id, kind));
        let on_duty = self.duty.on() == Some(id);
        let unknown = on_duty && present && (alone || kind.is_none());
        let wanted = match asked {
            Asked::ByProgram => true,
            Asked::ByAnother => false,
            Asked::Never => unknown,
        };
        if self.phase == Phase::Running && wanted {
            self.stream.learn(bytes);
            self.input.push(Some(id), bytes);
        } else if let Some(view) = self.view_mut(id) {
            view.took_input(bytes.len() as u64);
        }
    }

    fn acked(&mut self, id: ClientId, bytes: u64) {
        let Some(view) = self.view_mut(id) else {
            return;
        };
        let took = bytes > view.acked || view.is_stalled();
        let was_stalled = view.is_stalled();
        view.acked = bytes.clamp(view.acked, view.sent);
        self.settle_progress(id, took);
        if self.duty.on() == Some(id) {
            self.probe = None;
        }
        if was_stalled {
            self.settle_duty();
        }
    }

    fn client_resized(&mut self, id: ClientId, size: Size) {
        let size = self.usable(size);
        if let Some(view) = self.view_mut(id) {
            let same = (view.size.cols, view.size.rows) == (size.cols, size.rows);
            if !same && view.fit == Fit::Drawn {
                view.fit = Fit::Moved;
            }
            view.size = size;
        }
        self.lead(id);
        // One that doesn't lead gets a fresh screen when its size becomes the
        // session's.
        self.refresh_fitting();
    }

    /// Gives the session a size while nobody leads.
    fn set_size(&mut self, id: ClientId, size: Size) {
        if self.leader().is_some() {
            let text = "it has the size of the terminal that shows it";
            return self.refuse(id, refusal::FAILED, text);
        }
        self.resize(self.usable(size));
        self.refresh_fitting();
        self.say(id, Done { count: 1 });
    }

    /// The session has another name, or the reason why not, with its code.
    pub fn renamed(&mut self, id: ClientId, name: Result<String, (u16, String)>) {
        match name {
            Ok(name) => {
                let old = std::mem::replace(&mut self.identity.name, name);
                self.say(id, Done { count: 1 });
                self.leave(id);
                self.tell(Happening::Renamed { old });
            }
            Err((code, reason)) => self.refuse(id, code, &reason),
        }
    }

    /// A size that a terminal can have; where a client's has none, the session's.
    fn usable(&self, size: Size) -> Size {
        if size.cols == 0 || size.rows == 0 {
            return self.size;
        }
        Size { cols: size.cols.min(AXIS_LIMIT), rows: size.rows.min(AXIS_LIMIT), ..size }
    }

    pub(super) fn refuse(&mut self, id: ClientId, code: u16, reason: &str) {
        self.give_up(id);
        if let Some(client) = self.clients.get_mut(&id) {
            client.outbox.say(Refused { code, message: reason.to_owned() });
            client.role = Role::Leaving { since: self.now.ticks };
            self.settle_lead();
        }
    }

    /// Says something to a client.
    pub fn say<'a>(&mut self, id: ClientId, message: impl Into<HolderMessage<'a>>) {
        if let Some(client) = self.clients.get_mut(&id) {
            client.outbox.say(message);
        }
    }
}

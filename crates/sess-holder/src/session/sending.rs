//! Sends: whose turn it is to type, and what becomes of it. No send's bytes come
//! between those of another; each begins when the program's terminal was read
//! until it would block, so that its offset is up to date.

use std::collections::VecDeque;

use sess_proto::ClientMessage;
use sess_proto::message::{self, Began, Exit, TimedOut, Typed, refusal};

use super::role::{Client, Role};
use super::waiting::Waiting;
use super::{Facts, Phase, Session};
use crate::client::ClientId;
use crate::input::Piece;
use crate::typing;

/// How long typing may take by default, in milliseconds.
const TYPING: u64 = 30_000;
/// Of a text only its end says whether a line is unfinished, in bytes.
const LINE_END: usize = 4_096;
/// How long keys wait for the end of a paste, in milliseconds.
const PASTE: u64 = 1_000;
/// Pieces that may wait for their turn.
const PIECES: usize = 4_096;
/// The longest line that a terminal takes in canonical mode, without its end.
const LONGEST_LINE: u64 = 4_095;
/// Text taken since a client was last told of it, in bytes, before it is told
/// again.
const TELL_TAKEN: u64 = 16 * 1024;

/// A client that types.
#[derive(Debug)]
pub struct Sender {
    paste: bool,
    longest_line: u64,
    /// When it is given up, in ticks.
    deadline: u64,
    /// What is waited for after it, and under which deadline.
    until: Option<Box<Waiting>>,
    /// Said, and not yet to be typed.
    said: VecDeque<Said>,
    /// All was said.
    complete: bool,
    /// The offset before it, once it is its turn.
    began: Option<u64>,
    /// A paste is open.
    pasting: bool,
    received: u64,
    taken: u64,
    told: u64,
}

#[derive(Debug)]
enum Said {
    Text(Vec<u8>),
    Key(message::Key),
}

/// Whose turn it is.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// The first one types; the others wait.
    queue: VecDeque<ClientId>,
    /// Since when keys have been waiting for the end of its paste.
    keys_wait_since: Option<u64>,
}

impl Sender {
    /// Whether it sends more than it may.
    pub(super) fn is_unruly(&self) -> bool {
        // Keys are taken, but not received as text.
        self.received.saturating_sub(self.taken) > 4 * message::INPUT_CREDIT
            || self.said.len() > PIECES
    }
}

impl Session {
    /// Somebody asks to type.
    pub(super) fn send_asked(&mut self, id: ClientId, send: message::Send) {
        if self.refuse_without_program(id) {
            return;
        }
        let now = self.now.ticks;
        let deadline = send.timeout.map(|timeout| now.saturating_add(timeout));
        let until = match send.until.map(|until| self.waiting(until, None, deadline)).transpose() {
            Ok(until) => until,
            Err(reason) => return self.refuse(id, refusal::USAGE, &reason),
        };
        let sender = Sender {
            paste: send.paste,
            longest_line: send.longest_line,
            deadline: deadline.unwrap_or(now + TYPING),
            until: until.map(Box::new),
            said: VecDeque::new(),
            complete: false,
            began: None,
            pasting: false,
            received: 0,
            taken: 0,
            told: 0,
        };
        if let Some(client) = self.clients.get_mut(&id) {
            client.role = Role::Sender(Box::new(sender));
            self.turns.queue.push_back(id);
            self.next_turn();
        }
    }

    /// Something that a sender says.
    pub(super) fn sender_said(&mut self, id: ClientId, message: &ClientMessage<'_>) {
        let Some(sender) = self.sender_mut(id) else {
            return;
        };
        match message {
            ClientMessage::Text(text) if !sender.complete => {
                sender.received += text.len() as u64;
                sender.said.push_back(Said::Text(text.to_vec()));
            }
            ClientMessage::Key(key) if !sender.complete => {
                sender.said.push_back(Said::Key(*key));
            }
            ClientMessage::Sent(_) => sender.complete = true,
            _ => return self.refuse(id, refusal::MALFORMED, "a send is text and keys"),
        }
        self.type_on();
    }

    /// The first in the queue begins as soon as the terminal was read.
    fn next_turn(&mut self) {
        // Who is not there any more has no turn.
        while self.input.is_sent() && self.turns.queue.front().is_some_and(|id| !self.types(*id)) {
            self.turns.queue.pop_front();
        }
        if self.turns.queue.front().is_some_and(|&id| self.is_waiting_for_its_turn(id)) {
            self.settle();
        }
    }

    fn types(&self, id: ClientId) -> bool {
        let role = self.clients.get(&id).map(|client| &client.role);
        matches!(role, Some(Role::Sender(_) | Role::Runner(_)))
    }

    fn is_waiting_for_its_turn(&self, id: ClientId) -> bool {
        match self.clients.get(&id).map(|client| &client.role) {
            Some(Role::Sender(sender)) => sender.began.is_none(),
            _ => false,
        }
    }

    /// The terminal was read until it would block: whose turn it is may begin.
    pub(super) fn begin_turn(&mut self, facts: &Facts) {
        let offset = self.stream.head();
        while let Some(&id) = self.turns.queue.front() {
            if !self.is_waiting_for_its_turn(id) {
                return;
            }
            let Some(sender) = self.sender_mut(id) else {
                return;
            };
            if facts.canonical && sender.longest_line > LONGEST_LINE {
                let text = format!(
                    "a line of {} bytes is too long: its program reads line by line, and takes \
                     {LONGEST_LINE} at most; nothing was typed",
                    sender.longest_line
                );
                self.refuse(id, refusal::FAILED, &text);
                continue;
            }
            sender.began = Some(offset);
            self.say(id, Began { offset });
            self.type_on();
            return;
        }
    }

    /// Puts what the send whose turn it is has said on its way.
    fn type_on(&mut self) {
        let Some(&id) = self.turns.queue.front() else {
            return;
        };
        let Some(Role::Sender(sender)) = self.clients.get_mut(&id).map(|client| &mut client.role)
        else {
            return;
        };
        if sender.began.is_none() {
            return;
        }
        let keys = sender.said.iter().any(|said| matches!(said, Said::Key(_)));
        let opens = sender.paste && !sender.pasting && !sender.said.is_empty();
        if keys || opens {
            // Modes decide how it is typed.
            self.catch_up();
        }
        let modes = self.stream.screen().modes();
        let Some(Role::Sender(sender)) = self.clients.get_mut(&id).map(|client| &mut client.role)
        else {
            return;
        };
        let input = &mut self.input;
        let mut typed = Vec::new();
        for said in sender.said.drain(..) {
            match said {
                Said::Text(text) => {
                    if sender.paste && !sender.pasting && modes.bracketed_paste {
                        sender.pasting = true;
                        input.send(Piece::BeginPaste);
                    }
                    typed.extend_from_slice(&text[text.len().saturating_sub(LINE_END)..]);
                    input.send(Piece::Text(text));
                }
                Said::Key(key) => {
                    if std::mem::take(&mut sender.pasting) {
                        input.send(Piece::EndPaste);
                    }
                    let key = typing::encode(key, &modes);
                    typed.extend_from_slice(&key);
                    input.send(Piece::Key(key));
                }
            }
        }
        if sender.complete && std::mem::take(&mut sender.pasting) {
            input.send(Piece::EndPaste);
        }
        self.last_input = Some(self.now);
        self.note_line(&typed);
        self.notice_input();
        self.finish_turn();
    }

    /// Something is typed by another part of the session, when nobody else types;
    /// `by` is asked for nothing more. Whether it could be.
    pub(super) fn take_turn(&mut self, by: ClientId, pieces: Vec<Piece>) -> bool {
        if !self.turns.queue.is_empty() || !self.input.is_sent() {
            return false;
        }
        self.turns.queue.push_back(by);
        for piece in pieces {
            self.input.send(piece);
        }
        true
    }

    /// The terminal took bytes of what is sent.
    pub(super) fn took_sent(&mut self, bytes: u64) {
        let Some(&id) = self.turns.queue.front() else {
            return;
        };
        if let Some(Client { role: Role::Sender(sender), outbox, .. }) = self.clients.get_mut(&id) {
            sender.taken += bytes;
            if sender.taken - sender.told >= TELL_TAKEN {
                sender.told = sender.taken;
                outbox.say(message::Taken { bytes: sender.taken });
            }
        }
    }

    /// If all of the present turn is typed, the next one begins.
    pub(super) fn finish_turn(&mut self) {
        if !self.input.is_sent() || self.phase != Phase::Running {
            return;
        }
        let Some(&id) = self.turns.queue.front() else {
            return self.settle_runs();
        };
        if self.sender_mut(id).is_some_and(|sender| !sender.complete || sender.began.is_none()) {
            return;
        }
        self.turns.queue.pop_front();
        self.turns.keys_wait_since = None;
        if let Some(Client { role: Role::Sender(sender), outbox, .. }) = self.clients.get_mut(&id) {
            outbox.say(Typed { bytes: sender.taken });
            let (began, taken) = (sender.began.unwrap_or_default(), sender.taken);
            match sender.until.take() {
                Some(mut waiting) => {
                    waiting.after_typing(began, taken, self.now.ticks);
                    self.begin_wait(id, waiting);
                }
                None => self.leave(id),
            }
        }
        self.next_turn();
        self.settle_runs();
    }

    /// A client will type no more: what it has still to type is dropped.
    pub(super) fn end_turn(&mut self, id: ClientId) {
        let first = self.turns.queue.front() == Some(&id);
        self.turns.queue.retain(|&other| other != id);
        if first {
            self.input.cut_short();
            self.turns.keys_wait_since = None;
            self.next_turn();
        }
    }

    /// Keys that a person typed: if they wait for the end of a paste, not for long.
    pub(super) fn keys_may_wait(&mut self) {
        if self.input.holds_keys() && self.turns.keys_wait_since.is_none() {
            self.turns.keys_wait_since = Some(self.now.ticks);
        }
    }

    /// When something of a send is due, in ticks.
    pub(super) fn sends_due(&self) -> Option<u64> {
        let senders = self.clients.values().filter_map(|client| match &client.role {
            Role::Sender(sender) => Some(sender.deadline),
            _ => None,
        });
        senders.chain(self.turns.keys_wait_since.map(|since| since + PASTE)).min()
    }

    pub(super) fn tick_sends(&mut self) {
        let now = self.now.ticks;
        if self.turns.keys_wait_since.is_some_and(|since| now >= since + PASTE) {
            self.turns.keys_wait_since = None;
            if let Some(&id) = self.turns.queue.front()
                && self.input.holds_keys()
            {
                if let Some(taken) = self.sender_mut(id).map(|sender| sender.taken) {
                    let text = format!(
                        "somebody typed during the paste: it was cut off after {taken} bytes"
                    );
                    self.refuse(id, refusal::FAILED, &text);
                } else {
                    self.end_turn(id);
                    self.command_failed("somebody typed while the command was typed");
                }
            }
        }
        let late = self.clients.iter().filter_map(|(&id, client)| match &client.role {
            Role::Sender(sender) if now >= sender.deadline => Some((id, sender.taken)),
            _ => None,
        });
        for (id, taken) in late.collect::<Vec<_>>() {
            self.say(id, TimedOut { typed: Some((taken, false)) });
            self.leave(id);
        }
    }

    /// The session is over: nobody reads what was sent any more.
    pub(super) fn dismiss_senders(&mut self, exit: Exit) {
        self.turns = Turns::default();
        self.tell_exit(exit, |role| matches!(role, Role::Sender(_)));
    }

    fn sender_mut(&mut self, id: ClientId) -> Option<&mut Sender> {
        match self.clients.get_mut(&id).map(|client| &mut client.role) {
            Some(Role::Sender(sender)) => Some(sender),
            _ => None,
        }
    }
}

//! Waiting: for a line, for quiet, for the end. The lines that are new are looked
//! at whenever the program's terminal was read until it would block, and those
//! that scroll off before that as well; nobody polls.

use std::collections::BTreeSet;

use sess_proto::HolderMessage;
use sess_proto::message::{Exit, Happened, TimedOut, Until, refusal};

use super::Session;
use super::role::{Client, Request, Role};
use crate::client::ClientId;
use crate::pattern::Pattern;

/// A client that waits.
#[derive(Clone, Debug)]
pub struct Waiting {
    until: Condition,
    /// Only what was written since that offset counts.
    since: Option<u64>,
    /// Without that what was written since it began to wait.
    from: u64,
    /// Since when it waits, in ticks.
    began: u64,
    /// When it is given up, in ticks.
    deadline: Option<u64>,
    /// Bytes that it typed before.
    typed: Option<u64>,
}

#[derive(Clone, Debug)]
enum Condition {
    Exit,
    Text(Pattern),
    Idle(u64),
}

/// What waiting takes, for all who wait.
#[derive(Debug, Default)]
pub(super) struct Waits {
    /// Those who wait for a line.
    watching: BTreeSet<ClientId>,
    /// Those who wait for quiet, or not for ever.
    timed: BTreeSet<ClientId>,
    /// The first line of the history that was not looked at.
    line: u64,
    /// What of the primary, and of the alternate screen was written before that was
    /// looked at: the one that isn't shown can't be.
    offsets: [u64; 2],
}

impl Waiting {
    /// It waits from now on for what follows the offset before its typing.
    pub(super) fn after_typing(&mut self, began: u64, typed: u64, now: u64) {
        self.since = Some(began);
        self.typed = Some(typed);
        self.began = now;
    }

    fn pattern(&self) -> Option<&Pattern> {
        match &self.until {
            Condition::Text(pattern) => Some(pattern),
            Condition::Exit | Condition::Idle(_) => None,
        }
    }
}

impl Session {
    /// What is to be waited for; the reason if that makes no sense.
    pub(super) fn waiting(
        &self,
        until: Until,
        since: Option<u64>,
        deadline: Option<u64>,
    ) -> Result<Waiting, String> {
        let until = match until {
            Until::Exit => Condition::Exit,
            Until::Idle(quiet) => Condition::Idle(quiet),
            Until::Text(text) => Condition::Text(Pattern::parse(&text)?),
        };
        Ok(Waiting { until, since, from: 0, began: self.now.ticks, deadline, typed: None })
    }

    /// A client waits from now on, the present included: the terminal was read
    /// until it would block.
    pub(super) fn begin_wait(&mut self, id: ClientId, mut waiting: Box<Waiting>) {
        waiting.from = self.stream.head();
        if let Some(pattern) = waiting.pattern() {
            self.catch_up();
            // What there is now is looked at here, and by nobody after this.
            self.look(true);
            let screen = self.stream.screen();
            let tail = self.stream.tail();
            let history = screen.history();
            let (first, since) = match waiting.since {
                Some(since) if since < tail => {
                    let text =
                        format!("offset {since} is too long ago: output is kept from {tail} on");
                    return self.refuse(id, refusal::FAILED, &text);
                }
                Some(since) => (history.start, since),
                None => (history.end, 0),
            };
            let mut lines = screen.lines_since(first, since, true);
            if screen.dropped() > since && waiting.since.is_some() {
                lines.extend(self.stream.lines_again(since));
            }
            if lines.iter().any(|line| pattern.matches(line)) {
                self.say(id, Happened {});
                return self.leave(id);
            }
        }
        if waiting.pattern().is_some() {
            self.waits.watching.insert(id);
        }
        if waiting.deadline.is_some() || matches!(waiting.until, Condition::Idle(_)) {
            self.waits.timed.insert(id);
        }
        if let Some(client) = self.clients.get_mut(&id) {
            client.role = Role::Waiter(waiting);
            self.rest(id);
        }
        self.hold_lines();
        self.tick_waits();
    }

    /// Puts a client aside that waits and was told all so far: then it costs nothing
    /// when output comes.
    pub(super) fn rest(&mut self, id: ClientId) {
        let rests =
            |client: &Client| matches!(client.role, Role::Waiter(_)) && client.outbox.is_empty();
        if self.clients.get(&id).is_some_and(rests)
            && let Some(client) = self.clients.remove(&id)
        {
            self.resting.insert(id, client);
        }
    }

    /// What a client waited for has happened, or will not.
    fn end_wait<'a>(&mut self, id: ClientId, message: impl Into<HolderMessage<'a>>) {
        let client = self.forget_wait(id);
        self.clients.extend(client.map(|client| (id, client)));
        self.say(id, message);
        self.leave(id);
    }

    /// A client waits no longer; it is given back if it was put aside.
    pub(super) fn forget_wait(&mut self, id: ClientId) -> Option<Client> {
        self.waits.watching.remove(&id);
        self.waits.timed.remove(&id);
        self.resting.remove(&id)
    }

    /// Whether output is to be looked at as it comes.
    pub fn is_watched(&self) -> bool {
        self.command.is_some() || !self.waits.watching.is_empty()
    }

    fn waiting_of(&self, id: ClientId) -> Option<&Waiting> {
        match &self.resting.get(&id).or_else(|| self.clients.get(&id))?.role {
            Role::Waiter(waiting) => Some(waiting),
            _ => None,
        }
    }

    /// Looks at the lines that are new: those that scrolled off, and, when the
    /// terminal was read until it would block, those that are `shown`.
    pub fn look(&mut self, shown: bool) {
        if !self.waits.watching.is_empty() {
            self.catch_up();
            for id in self.answered(shown) {
                self.end_wait(id, Happened {});
            }
        }
        self.waits.line = self.stream.screen().history().end;
        if shown {
            let screen = self.stream.screen();
            self.waits.offsets[usize::from(screen.shows_alternate())] = screen.offset();
        }
        self.hold_lines();
    }

    /// Who has waited for one of the lines that are new.
    fn answered(&self, shown: bool) -> Vec<ClientId> {
        let Waits { line, offsets: [primary, alternate], .. } = self.waits;
        let screen = self.stream.screen();
        let hidden = screen.shows_alternate();
        let mut lines = screen.lines_since(line, primary, shown && !hidden);
        if shown && hidden {
            lines.extend(screen.lines_since(screen.history().end, alternate, true));
        }
        // Mostly nothing is new, and they are many.
        if lines.is_empty() {
            return Vec::new();
        }
        let has_come = |waiting: &Waiting| {
            let since = waiting.since.unwrap_or(waiting.from);
            let mut new = lines.iter().filter(|line| line.written > since);
            waiting.pattern().is_some_and(|pattern| new.any(|line| pattern.matches(line)))
        };
        let watching = self.waits.watching.iter().copied();
        watching.filter(|&id| self.waiting_of(id).is_some_and(has_come)).collect()
    }

    /// Lines that somebody has still to look at aren't dropped.
    fn hold_lines(&mut self) {
        let from = (!self.waits.watching.is_empty()).then_some(self.waits.line);
        self.stream.hold_history(from);
    }

    /// Since when there has been no output that counts, in ticks.
    fn quiet_since(&self, waiting: &Waiting) -> u64 {
        let output = self.last_output.map_or(0, |at| at.ticks);
        match waiting.since {
            // What came before it was typed doesn't count.
            Some(since) if since >= self.stream.head() => waiting.began.max(output),
            _ => output,
        }
    }

    /// When it will have been quiet for long enough, in ticks, unless output comes.
    fn quiet_at(&self, waiting: &Waiting) -> Option<u64> {
        match waiting.until {
            Condition::Idle(quiet) => Some(self.quiet_since(waiting).saturating_add(quiet)),
            Condition::Exit | Condition::Text(_) => None,
        }
    }

    fn timed(&self) -> impl Iterator<Item = (ClientId, &Waiting)> {
        self.waits.timed.iter().filter_map(|&id| Some((id, self.waiting_of(id)?)))
    }

    /// When something that is waited for is due, in ticks.
    pub(super) fn waits_due(&self) -> Option<u64> {
        // A program that is held up isn't quiet.
        let flows = self.wants_output();
        let quiet = |waiting| self.quiet_at(waiting).filter(|_| flows);
        self.timed()
            .filter_map(|(_, waiting)| quiet(waiting).into_iter().chain(waiting.deadline).min())
            .min()
    }

    pub(super) fn tick_waits(&mut self) {
        let now = self.now.ticks;
        let flows = self.wants_output();
        let mut happened = Vec::new();
        let mut late = Vec::new();
        for (id, waiting) in self.timed() {
            if flows && self.quiet_at(waiting).is_some_and(|at| now >= at) {
                happened.push(id);
            } else if waiting.deadline.is_some_and(|at| now >= at) {
                late.push((id, waiting.typed));
            }
        }
        for id in happened {
            self.end_wait(id, Happened {});
        }
        for (id, typed) in late {
            self.end_wait(id, TimedOut { typed: typed.map(|bytes| (bytes, true)) });
        }
    }

    /// The session is over: what has not happened will not.
    pub(super) fn dismiss_waiters(&mut self, exit: Exit) {
        self.look(true);
        self.clients.append(&mut self.resting);
        self.waits = Waits::default();
        self.tell_exit(exit, |role| {
            matches!(role, Role::Waiter(_) | Role::Presently(Request::Wait(_)))
        });
    }
}

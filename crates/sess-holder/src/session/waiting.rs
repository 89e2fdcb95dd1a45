//! Waiting: for a line, for quiet, for the end. The lines that are new are looked
//! at whenever the program's terminal was read until it would block, and those
//! that scroll off before that as well; nobody polls.

use regex::{Regex, RegexBuilder};
use sess_proto::message::{Exit, Happened, TimedOut, Until, refusal};
use sess_screen::WrittenLine;

use super::Session;
use crate::client::{ClientId, Role};

/// What a compiled regular expression may take, in bytes.
const REGEX_LIMIT: usize = 1 << 20;

/// A client that waits.
#[derive(Clone, Debug)]
pub struct Waiting {
    until: Condition,
    /// Only what was written since that offset counts.
    since: Option<u64>,
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
    Text(Regex),
    Idle(u64),
}

/// How far the lines were looked at, for all who wait.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Looked {
    /// The first line of the history that was not.
    line: u64,
    /// What of the screen was written before that was.
    offset: u64,
}

impl Waiting {
    /// It waits from now on for what follows the offset before its typing.
    pub(super) fn after_typing(&mut self, began: u64, typed: u64, now: u64) {
        self.since = Some(began);
        self.typed = Some(typed);
        self.began = now;
    }

    fn pattern(&self) -> Option<&Regex> {
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
            Until::Text(text) => {
                let pattern = RegexBuilder::new(&text).size_limit(REGEX_LIMIT).build();
                Condition::Text(pattern.map_err(|error| error.to_string())?)
            }
        };
        Ok(Waiting { until, since, began: self.now.ticks, deadline, typed: None })
    }

    /// A client waits from now on, the present included: the terminal was read
    /// until it would block.
    pub(super) fn begin_wait(&mut self, id: ClientId, waiting: Box<Waiting>) {
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
            let lines = screen.lines_since(first, since, true);
            if lines.iter().any(|line| matches(pattern, line)) {
                self.say(id, Happened {});
                return self.leave(id);
            }
        }
        if let Some(client) = self.clients.get_mut(&id) {
            client.role = Role::Waiter(waiting);
        }
        self.hold_lines();
        self.tick_waits();
    }

    /// Whether output is to be looked at as it comes.
    pub fn is_watched(&self) -> bool {
        self.command.is_some() || self.patterns().next().is_some()
    }

    fn patterns(&self) -> impl Iterator<Item = (ClientId, &Waiting, &Regex)> {
        self.clients.iter().filter_map(|(&id, client)| match &client.role {
            Role::Waiter(waiting) => waiting.pattern().map(|pattern| (id, &**waiting, pattern)),
            _ => None,
        })
    }

    /// Looks at the lines that are new: those that scrolled off, and, when the
    /// terminal was read until it would block, those that are `shown`.
    pub fn look(&mut self, shown: bool) {
        let Looked { line, offset } = self.looked;
        let waits = self.patterns().next().is_some();
        if waits {
            self.catch_up();
            let lines = self.stream.screen().lines_since(line, offset, shown);
            let mut seen = Vec::new();
            for (id, waiting, pattern) in self.patterns() {
                let since = waiting.since.unwrap_or(0);
                let new = lines.iter().filter(|line| line.written > since);
                if new.into_iter().any(|line| matches(pattern, line)) {
                    seen.push(id);
                }
            }
            for id in seen {
                self.say(id, Happened {});
                self.leave(id);
            }
        }
        self.looked.line = self.stream.screen().history().end;
        if shown {
            self.looked.offset = self.stream.screen().offset();
        }
        self.hold_lines();
    }

    /// Lines that somebody has still to look at aren't dropped.
    fn hold_lines(&mut self) {
        let from = self.patterns().next().is_some().then_some(self.looked.line);
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

    fn waiters(&self) -> impl Iterator<Item = (ClientId, &Waiting)> {
        self.clients.iter().filter_map(|(&id, client)| match &client.role {
            Role::Waiter(waiting) => Some((id, &**waiting)),
            _ => None,
        })
    }

    /// When something that is waited for is due, in ticks.
    pub(super) fn waits_due(&self) -> Option<u64> {
        // A program that is held up isn't quiet.
        let flows = self.wants_output();
        let quiet = |waiting| self.quiet_at(waiting).filter(|_| flows);
        self.waiters()
            .filter_map(|(_, waiting)| quiet(waiting).into_iter().chain(waiting.deadline).min())
            .min()
    }

    pub(super) fn tick_waits(&mut self) {
        let now = self.now.ticks;
        let flows = self.wants_output();
        let mut happened = Vec::new();
        let mut late = Vec::new();
        for (id, waiting) in self.waiters() {
            if flows && self.quiet_at(waiting).is_some_and(|at| now >= at) {
                happened.push(id);
            } else if waiting.deadline.is_some_and(|at| now >= at) {
                late.push((id, waiting.typed));
            }
        }
        for id in happened {
            self.say(id, Happened {});
            self.leave(id);
        }
        for (id, typed) in late {
            self.say(id, TimedOut { typed: typed.map(|bytes| (bytes, true)) });
            self.leave(id);
        }
    }

    /// The session is over: what has not happened will not.
    pub(super) fn dismiss_waiters(&mut self, exit: Exit) {
        self.look(true);
        self.tell_exit(exit, |role| {
            matches!(role, Role::Waiter(_) | Role::Presently(crate::client::Request::Wait(_)))
        });
    }
}

/// Whether a line matches as it looks, or with the blanks at its end: a prompt has
/// one, while others fill a line up with them.
fn matches(pattern: &Regex, line: &WrittenLine) -> bool {
    pattern.is_match(&line.text)
        || (line.blanks > 0 && pattern.is_match(&(line.text.clone() + &" ".repeat(line.blanks))))
}

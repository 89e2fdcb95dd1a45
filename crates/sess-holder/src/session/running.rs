//! Commands in the session's shell: when one may be typed, and where in the output
//! it begins and ends. That is told by marks with a one-time token, which terminals
//! ignore; nothing on the screen is matched.

use std::collections::VecDeque;

use memchr::memmem;
use sess_proto::message::{self, At, Began, Exit, Ran, TimedOut, refusal};
use sess_screen::ShellState;

use super::role::{Client, Role};
use super::{Action, Facts, Session};
use crate::client::ClientId;
use crate::input::Piece;
use crate::place::script;
use crate::shell::{Shell, Typing, begin_mark, end_mark};

/// Without the shell's own word, so much quiet means that it is at its prompt, in
/// milliseconds.
const QUIET: u64 = 100;
/// So much quiet in a shell that has begun nothing means that it won't, in
/// milliseconds.
const IGNORED: u64 = 2_000;
/// So much, that a command which nobody waits for is over, whatever became of its
/// last mark, in milliseconds.
const FORGOTTEN: u64 = 1_000;
/// Why no command is run behind one that nobody waits for.
const STILL_GOES_ON: &str =
    "a command that was given up still goes on in its shell (send -k C-c interrupts it)";
/// Output passed on at a time, in bytes.
const CHUNK: usize = 64 * 1024;
/// The longest that a status is, with the byte that ends it.
const STATUS: usize = 8;
/// The status of a command that was interrupted, so that its shell said none.
const INTERRUPTED: u8 = 130;
/// Deletes what stands at a prompt: to the line's end, then all of it.
const DELETE_LINE: &[u8] = b"\x05\x15";
/// The same where line editors ring at the other if there is nothing.
const DELETE_QUIETLY: &[u8] = b"\x01\x0b";
/// How long a shell may take from a command's end to its prompt, in milliseconds.
const PROMPT: u64 = 3_000;

/// A client that runs a command.
#[derive(Debug)]
pub struct Runner {
    words: Vec<Vec<u8>>,
    /// When it is no longer waited for, in ticks.
    deadline: Option<u64>,
    /// Where in the output it is, once its command has begun.
    cursor: Option<u64>,
    /// It has lost output, and is to be told where it goes on.
    gap: bool,
    /// Where its output ends, and what it is told then.
    ended: Option<(u64, Ended)>,
    /// It has taken nothing for too long, and not since.
    stalled: bool,
}

impl Runner {
    /// Whether the program goes no faster than it takes the output.
    pub fn paces(&self) -> bool {
        self.cursor.is_some() && self.ended.is_none() && !self.stalled
    }

    /// It is waited for no longer.
    pub fn stall(&mut self) {
        self.stalled = true;
    }

    /// It took something.
    pub fn took(&mut self) {
        self.stalled = false;
    }
}

#[derive(Clone, Copy, Debug)]
enum Ended {
    /// The command.
    Ran(Ran),
    /// The whole session.
    Exited(Exit),
}

/// What may stand at a shell's prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Left {
    #[default]
    Nothing,
    /// An answer to a question of a program that didn't read it.
    Answer,
    /// Something typed.
    Typed,
}

/// Who wants the shell.
#[derive(Debug, Default)]
pub(super) struct Shells {
    /// Who waits until the shell is free.
    queue: VecDeque<ClientId>,
    /// What may stand at the shell's prompt and wasn't sent off.
    left: Left,
    /// Until then what is in front belongs to the prompt after a command: it is
    /// waited for, in ticks.
    prompt_due: u64,
    /// When the shell was last looked at, in ticks.
    looked_at: u64,
}

/// The command that the shell runs for us.
#[derive(Debug)]
pub(super) struct Command {
    /// `None` when nobody waits for it any more.
    owner: Option<ClientId>,
    token: String,
    /// Its file was written.
    has_file: bool,
    /// Where its output begins.
    begin: Option<u64>,
    /// Somebody typed what interrupts it.
    interrupted: bool,
    /// When it began, in ticks.
    since: u64,
    /// Up to here it was looked for the next mark.
    scanned: u64,
}

impl Session {
    pub(super) fn run_asked(&mut self, id: ClientId, run: message::Run) {
        if self.refuse_without_program(id) {
            return;
        }
        let now = self.now.ticks;
        let given_up = |command: &Command| command.owner.is_none() && !command.interrupted;
        if self.command.as_ref().is_some_and(given_up) {
            return self.refuse(id, refusal::FAILED, STILL_GOES_ON);
        }
        let deadline = run.timeout.map(|timeout| now.saturating_add(timeout));
        let words = run.words;
        let runner =
            Runner { words, deadline, cursor: None, gap: false, ended: None, stalled: false };
        if let Some(client) = self.clients.get_mut(&id) {
            client.role = Role::Runner(Box::new(runner));
            self.shells.queue.push_back(id);
            self.settle_runs();
        }
    }

    /// If the shell may be free for the next command, that is looked at.
    pub(super) fn settle_runs(&mut self) {
        if self.command.is_none() && !self.shells.queue.is_empty() {
            self.settle();
        }
    }

    /// The terminal was read until it would block: the next command begins if the
    /// shell is at its prompt.
    pub(super) fn begin_run(&mut self, facts: &Facts) {
        if self.command.is_some() {
            return self.look_after_command(facts);
        }
        while let Some(&id) = self.shells.queue.front() {
            let Some(shell) = Shell::of_program(&facts.program) else {
                let text =
                    format!("it runs {}, no shell that commands can be typed into", facts.program);
                self.shells.queue.pop_front();
                self.refuse(id, refusal::FAILED, &text);
                continue;
            };
            self.catch_up();
            let state = self.stream.screen().shell();
            let in_front = facts.foreground == Some(self.identity.pid);
            if !in_front && self.now.ticks < self.shells.prompt_due {
                return;
            }
            if !in_front || state == Some(ShellState::Command) {
                let what = facts.foreground_name.as_deref().filter(|_| !in_front);
                let text = format!("its shell is busy with {}", what.unwrap_or("a command"));
                self.shells.queue.pop_front();
                self.refuse(id, refusal::FAILED, &text);
                continue;
            }
            if state != Some(ShellState::Prompt) && self.quiet_for() < QUIET {
                return;
            }
            self.type_command(id, shell, facts);
            return;
        }
    }

    fn type_command(&mut self, id: ClientId, shell: Shell, facts: &Facts) {
        let Some(Role::Runner(runner)) = self.clients.get(&id).map(|client| &client.role) else {
            return;
        };
        let file = facts.folder.join(script(&facts.token));
        let text = shell.text(&runner.words);
        let Typing { line, file: content } = shell.line(&text, &facts.token, &file);
        let modes = self.stream.screen().modes();
        let mut pieces = Vec::new();
        match self.shells.left {
            Left::Nothing => {}
            Left::Answer if !facts.canonical => pieces.push(Piece::Key(DELETE_QUIETLY.to_vec())),
            Left::Answer | Left::Typed => pieces.push(Piece::Key(DELETE_LINE.to_vec())),
        }
        if modes.bracketed_paste && shell.takes_pastes() {
            let (space, rest) = line.split_at(1);
            pieces.push(Piece::Text(space.to_vec()));
            pieces.extend([Piece::BeginPaste, Piece::Text(rest.to_vec()), Piece::EndPaste]);
        } else {
            pieces.push(Piece::Text(line));
        }
        pieces.push(Piece::Key(b"\r".to_vec()));
        if !self.take_turn(id, pieces) {
            // Who types now is waited for.
            return;
        }
        self.shells.queue.pop_front();
        self.shells.left = Left::Nothing;
        let has_file = content.is_some();
        if let Some(content) = content {
            self.actions.push(Action::WriteScript(facts.token.clone(), content));
        }
        self.command = Some(Command {
            owner: Some(id),
            token: facts.token.clone(),
            has_file,
            begin: None,
            interrupted: false,
            since: self.now.ticks,
            scanned: self.stream.head(),
        });
    }

    /// Looks for marks in the output that has come.
    pub(super) fn scan_for_marks(&mut self) {
        let Some(command) = &mut self.command else {
            return;
        };
        let head = self.stream.head();
        if command.begin.is_none() {
            let mark = begin_mark(&command.token);
            let from = command.scanned.max(self.stream.tail());
            let bytes = self.stream.bytes(from, head);
            if let Some(at) = memmem::find(&bytes, &mark) {
                let begin = from + (at + mark.len()) as u64;
                command.begin = Some(begin);
                command.scanned = begin;
                command.since = self.now.ticks;
                if let Some(owner) = command.owner
                    && let Some(Client { role: Role::Runner(runner), outbox, moved, .. }) =
                        self.clients.get_mut(&owner)
                {
                    runner.cursor = Some(begin);
                    *moved = self.now.ticks;
                    outbox.say(Began { offset: begin });
                }
            } else {
                command.scanned = from + begins_at(&bytes, &mark) as u64;
                return;
            }
        }
        let mark = end_mark(&command.token);
        let from = command.scanned.max(self.stream.tail());
        let bytes = self.stream.bytes(from, head);
        let Some(at) = memmem::find(&bytes, &mark) else {
            command.scanned = from + begins_at(&bytes, &mark) as u64;
            return;
        };
        command.scanned = from + at as u64;
        let status = &bytes[at + mark.len()..];
        let Some(end) = status.iter().position(|&byte| byte == 0x07) else {
            if status.len() > STATUS {
                command.scanned += 1;
            }
            return;
        };
        let code = str::from_utf8(&status[..end]).ok().and_then(|code| code.parse::<u32>().ok());
        let ran = Ran {
            code: code.map_or(u8::MAX, exit_code),
            duration: self.now.ticks - command.since,
            offset: command.scanned,
        };
        self.ran(ran);
    }

    /// The shell's command has ended.
    fn ran(&mut self, ran: Ran) {
        let Some(command) = self.command.take() else {
            return;
        };
        self.remove_script(&command);
        self.shells.prompt_due = self.now.ticks + PROMPT;
        if let Some(owner) = command.owner
            && let Some(Role::Runner(runner)) =
                self.clients.get_mut(&owner).map(|client| &mut client.role)
        {
            runner.ended = Some((ran.offset, Ended::Ran(ran)));
        }
    }

    fn remove_script(&mut self, command: &Command) {
        if command.has_file {
            self.actions.push(Action::RemoveScript(command.token.clone()));
        }
    }

    /// The shell is in front again though its command said no end: it was
    /// interrupted, or never begun.
    fn look_after_command(&mut self, facts: &Facts) {
        let in_front = facts.foreground == Some(self.identity.pid);
        let Some(at) = self.command_due().filter(|_| in_front) else {
            return;
        };
        let now = self.now.ticks;
        let Some(command) = self.command.as_ref().filter(|_| now >= at) else {
            return;
        };
        if command.begin.is_none() {
            return self.command_failed("its shell did not begin the command");
        }
        let duration = now - command.since;
        self.ran(Ran { code: INTERRUPTED, duration, offset: self.stream.head() });
        self.settle_runs();
    }

    /// When the command is over, in ticks, if the shell is in front by then and says
    /// nothing more.
    fn command_due(&self) -> Option<u64> {
        let command = self.command.as_ref()?;
        let output = self.last_output.map_or(0, |at| at.ticks);
        match (command.begin, command.owner) {
            (None, _) => Some(output.max(command.since) + IGNORED),
            (Some(_), _) if command.interrupted => Some(output + QUIET),
            (Some(_), None) => Some(output + FORGOTTEN),
            (Some(_), Some(_)) => None,
        }
    }

    /// How long there has been no output, in milliseconds.
    fn quiet_for(&self) -> u64 {
        self.now.ticks - self.last_output.map_or(0, |at| at.ticks)
    }

    /// When the shell is to be looked at, or a command given up, in ticks.
    pub(super) fn runs_due(&self) -> Option<u64> {
        let deadlines = self.clients.values().filter_map(|client| match &client.role {
            Role::Runner(runner) if runner.ended.is_none() => runner.deadline,
            _ => None,
        });
        deadlines.chain(self.shell_due()).min()
    }

    /// When it is to be looked at the shell, in ticks: once in each quiet time.
    fn shell_due(&self) -> Option<u64> {
        let at = match &self.command {
            Some(_) => self.command_due(),
            None if self.shells.queue.is_empty() => None,
            None => {
                let quiet = self.last_output.map_or(0, |at| at.ticks) + QUIET;
                let due = [quiet, self.shells.prompt_due].into_iter();
                return due.filter(|&at| self.shells.looked_at < at).min();
            }
        };
        at.filter(|&at| self.shells.looked_at < at)
    }

    pub(super) fn tick_runs(&mut self) {
        let now = self.now.ticks;
        let late = self.clients.iter().filter_map(|(&id, client)| match &client.role {
            Role::Runner(runner) if runner.ended.is_none() => {
                runner.deadline.is_some_and(|at| now >= at).then_some(id)
            }
            _ => None,
        });
        for id in late.collect::<Vec<_>>() {
            self.say(id, TimedOut { typed: None });
            self.leave(id);
        }
        if self.shell_due().is_some_and(|at| now >= at) {
            self.shells.looked_at = now;
            self.settle();
        }
    }

    /// Nobody waits for that client's command any more; if it was typed, it goes on,
    /// and those behind it are refused.
    pub(super) fn forget_runner(&mut self, id: ClientId) {
        self.shells.queue.retain(|&other| other != id);
        if let Some(command) = &mut self.command
            && command.owner == Some(id)
        {
            command.owner = None;
            if !command.interrupted {
                for other in std::mem::take(&mut self.shells.queue) {
                    self.refuse(other, refusal::FAILED, STILL_GOES_ON);
                }
            }
        }
    }

    /// A command whose line could not be typed as it should, or was not taken.
    pub fn command_failed(&mut self, reason: &str) {
        let Some(command) = self.command.take() else {
            return;
        };
        self.remove_script(&command);
        if let Some(owner) = command.owner {
            self.end_turn(owner);
            self.refuse(owner, refusal::FAILED, reason);
        }
    }

    /// Bytes were typed that may leave something at the shell's prompt, or interrupt
    /// what it runs.
    pub(super) fn note_line(&mut self, bytes: &[u8]) {
        let ends = |byte: &u8| matches!(byte, b'\r' | b'\n' | 0x03 | 0x04 | 0x15);
        match bytes.iter().rposition(ends) {
            Some(last) if last + 1 == bytes.len() => self.shells.left = Left::Nothing,
            None if bytes.is_empty() => {}
            Some(_) | None => self.shells.left = Left::Typed,
        }
        if let Some(command) = self.command.as_mut().filter(|command| command.begin.is_some()) {
            command.interrupted |= bytes.iter().any(|byte| matches!(byte, 0x03 | 0x1c));
        }
    }

    /// A question of the program's was answered: should it not read that, the shell
    /// will.
    pub(super) fn note_answer(&mut self) {
        if self.shells.left == Left::Nothing {
            self.shells.left = Left::Answer;
        }
    }

    /// Passes on what the client of a command has still to get.
    pub(super) fn advance_runner(&mut self, id: ClientId) {
        let (head, ticks) = (self.stream.head(), self.now.ticks);
        let Some(Client { role: Role::Runner(runner), outbox, moved, .. }) =
            self.clients.get_mut(&id)
        else {
            return;
        };
        if !outbox.is_empty() {
            return;
        }
        // A mark may have begun that is not yet known as one.
        let scanned = self.command.as_ref().filter(|command| command.owner == Some(id));
        let to = match (&runner.ended, scanned) {
            (Some((end, _)), _) => *end,
            (None, Some(command)) => command.scanned,
            (None, None) => head,
        };
        if let Some(cursor) = runner.cursor
            && cursor < to
        {
            if std::mem::take(&mut runner.gap) {
                outbox.say(At { offset: cursor });
            }
            let chunk = self.stream.chunk(cursor, to, CHUNK);
            runner.cursor = Some(cursor + outbox.output(chunk));
            *moved = ticks;
            return;
        }
        if runner.ended.is_some()
            && let Some(cursor) = runner.cursor.filter(|_| runner.gap)
        {
            outbox.say(At { offset: cursor });
        }
        match runner.ended {
            None => return,
            Some((_, Ended::Ran(ran))) => outbox.say(ran),
            Some((_, Ended::Exited(exit))) => {
                let name = self.identity.name.clone();
                outbox.say(message::Exited { name, exit, replies: 0 });
            }
        }
        self.leave(id);
        self.settle_runs();
    }

    /// Who would lose output to the next bytes goes on behind them.
    pub(super) fn overtake_runner(&mut self, tail: u64, to: u64) {
        for client in self.clients.values_mut() {
            if let Role::Runner(runner) = &mut client.role
                && let end = runner.ended.map_or(u64::MAX, |(end, _)| end)
                && runner.cursor.is_some_and(|cursor| cursor < tail && cursor < end)
            {
                runner.cursor = Some(to.min(end));
                runner.gap = true;
            }
        }
    }

    /// How far the client of a running command is, if it paces the program: it
    /// doesn't once it has taken nothing for a while.
    pub(super) fn paced_by_run(&self) -> Option<u64> {
        match &self.clients.get(&self.command.as_ref()?.owner?)?.role {
            Role::Runner(runner) if runner.paces() => runner.cursor,
            _ => None,
        }
    }

    /// The shell is gone that ran them.
    pub(super) fn forget_commands(&mut self) {
        if let Some(command) = self.command.take().filter(|command| command.has_file) {
            self.actions.push(Action::RemoveScript(command.token));
        }
        self.shells = Shells::default();
    }

    /// The session is over: so is every command in it.
    pub(super) fn dismiss_runners(&mut self, exit: Exit) {
        self.forget_commands();
        let end = self.stream.head();
        for client in self.clients.values_mut() {
            if let Role::Runner(runner) = &mut client.role
                && runner.ended.is_none()
            {
                runner.ended = Some((end, Ended::Exited(exit)));
            }
        }
    }
}

/// A shell's status as an exit code: some say a signal by more than 128.
fn exit_code(status: u32) -> u8 {
    let code = match status {
        0..=255 => status,
        257..=320 => 128 + status - 256,
        385..=448 => 128 + status - 384,
        _ => 255,
    };
    u8::try_from(code).unwrap_or(u8::MAX)
}

/// Where the start of a mark stands that may be going on; the end if none does.
fn begins_at(bytes: &[u8], mark: &[u8]) -> usize {
    let first = bytes.len().saturating_sub(mark.len() - 1);
    (first..bytes.len()).find(|&at| mark.starts_with(&bytes[at..])).unwrap_or(bytes.len())
}

//! The session as a state machine: events in, actions out.
//!
//! It holds everything a session is (output, screen, clients, input, its end) and
//! decides everything that contract 6 promises. It has no descriptor, no clock
//! and no [`std::io::Result`]: time and facts come in, what is to be done goes
//! out, and the event loop does it.

mod ends;
mod hearing;
mod keeping;
mod lead;
mod noticing;
mod patience;
mod reading;
mod role;
mod running;
mod sending;
mod telling;
mod waiting;

use std::collections::BTreeMap;
use std::path::PathBuf;

use sess_proto::message::{ClientInfo, Exit, Info, Kill, Size, Survivor};

use crate::client::{ClientId, STALL, View};
use crate::duty::Duty;
use crate::input::{Input, Taken};
use crate::policy::{Cause, Policies, Upkeep};
use crate::record::{Keep, KeepOutput, Output};
use crate::stream::Stream;
use keeping::Keeping;
use noticing::Attention;
use role::{Client, Role};
use running::{Command, Shells};
use sending::Turns;
use waiting::Waits;

/// Output read at a time, in bytes.
pub const READ_BUDGET: usize = 64 * 1024;
/// The program is read no further than this ahead of the leader, in bytes.
const PACE: u64 = 64 * 1024;
/// After this much quiet the screen catches up, in milliseconds.
const QUIET: u64 = 20;
/// After so much output there may be memory that is free again, in bytes.
const MUCH: u64 = 64 * 1024;
/// A connection that wants nothing is closed after this, in milliseconds.
const PATIENCE: u64 = 10_000;
/// The time, as the event loop sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since the holder began; never goes back.
    pub ticks: u64,
    /// Milliseconds since 1970.
    pub wall: u64,
}

/// What a session is to be like.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Its terminal's first size.
    pub size: Size,
    /// Bytes of output that are kept raw.
    pub journal: usize,
    /// Lines of history that are kept.
    pub history: usize,
    /// When its output is written down.
    pub record_output: KeepOutput,
    /// What becomes of it without anybody asking.
    pub policies: Policies,
}

/// What a session is from the beginning.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Its name now.
    pub name: String,
    /// Its id, 16 hexadecimal digits.
    pub id: String,
    /// The program and its arguments, for people.
    pub command: Vec<String>,
    /// Where it began.
    pub cwd: String,
    /// When it began, in milliseconds since 1970.
    pub created: u64,
    /// Its labels.
    pub labels: Vec<(String, String)>,
    /// The holder's process.
    pub holder_pid: i32,
    /// The program's process.
    pub pid: i32,
    /// The device of the session's terminal.
    pub tty_id: (u64, u64),
}

/// How it stands with the program's terminal, just after it was read until it would
/// block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The program reads line by line.
    pub canonical: bool,
    /// The process group in the foreground.
    pub foreground: Option<i32>,
    /// The name of the command that leads it.
    pub foreground_name: Option<String>,
    /// The name of the file that the program runs.
    pub program: String,
    /// A random text, another one each time.
    pub token: String,
    /// The session's folder.
    pub folder: PathBuf,
}

/// What the event loop has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Give the program's terminal this size.
    ResizePty(Size),
    /// Point the session's agent link to this socket.
    LinkAgent(Vec<u8>),
    /// Answer [`Status`](sess_proto::message::Status) with [`Session::info`].
    Report(ClientId),
    /// Read the program's terminal until it would block, then call
    /// [`Session::settled`].
    Settle,
    /// Put this command's text into a file of that token's; if that fails, call
    /// [`Session::command_failed`].
    WriteScript(String, Vec<u8>),
    /// Remove that file.
    RemoveScript(String),
    /// Give the session this name, and say so with [`Session::renamed`].
    Rename(ClientId, String),
    /// Look whether this client reads at all, and say it with
    /// [`Session::probed`].
    Probe(ClientId),
    /// End the program and all that it started.
    Kill(Kill),
    /// Give memory back that is free again.
    GiveBack,
    /// Write down how it stands with the session, and this, then call
    /// [`Session::kept`].
    Record(Option<Keep>),
    /// Start the program again, then call [`Session::restarted`] or
    /// [`Session::not_restarted`].
    Restart,
    /// The session is over: record it, give up its name, then call
    /// [`Session::concluded`].
    Conclude(Exit, Cause),
}

/// How far the session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The program runs.
    Running,
    /// It has ended; its last output may still be unread.
    Draining(Exit),
    /// All of its output is here; what follows is not decided.
    Drained(Exit),
    /// It is started again at that time, in ticks, or just now.
    Pausing(Exit, Option<u64>),
    /// The session's end is being recorded.
    Concluding,
    /// The name is given up; clients get the rest.
    Over,
}

/// A session.
pub struct Session {
    /// What it is.
    pub identity: Identity,
    stream: Stream,
    duty: Duty,
    clients: BTreeMap<ClientId, Client>,
    input: Input,
    size: Size,
    phase: Phase,
    /// How it ended, once everybody may know.
    exit: Option<Exit>,
    /// Why it is being ended, if it is.
    cause: Option<Cause>,
    /// A kill is under way.
    killing: bool,
    survivors: Vec<Survivor>,
    actions: Vec<Action>,
    now: Now,
    next_rank: u64,
    /// Ticks and wall clock of the latest output.
    last_output: Option<Now>,
    last_input: Option<Now>,
    /// When it is to be looked whether the leader reads, and how often it did
    /// not.
    probe: Option<(u64, u32)>,
    turns: Turns,
    shells: Shells,
    command: Option<Command>,
    /// Clients that wait and were told all so far.
    resting: BTreeMap<ClientId, Client>,
    waits: Waits,
    attention: Attention,
    keeping: Keeping,
    upkeep: Upkeep,
    /// When the last viewer left, in ticks.
    last_detach: u64,
    /// How often the program was started again.
    restarts: u32,
    /// Where the output was when memory was last given back.
    relaxed_at: u64,
}

impl Session {
    /// A session whose program is about to start. It goes on where an earlier one has
    /// ended whose output this is.
    pub fn new(identity: Identity, terms: Terms, earlier: Option<&Output>) -> Self {
        let Terms { size, journal, history, record_output, policies } = terms;
        let screen = sess_screen::Size::new(size.cols, size.rows);
        let stream = match earlier {
            Some(output) => Stream::resumed(journal, output, history),
            None => Stream::new(journal, screen, history),
        };
        let keeping = Keeping::new(record_output, stream.screen(), earlier.is_some());
        let mut session = Self {
            identity,
            stream,
            duty: Duty::default(),
            clients: BTreeMap::new(),
            input: Input::default(),
            size,
            phase: Phase::Running,
            exit: None,
            cause: None,
            killing: false,
            survivors: Vec::new(),
            actions: Vec::new(),
            now: Now::default(),
            next_rank: 1,
            last_output: None,
            last_input: None,
            probe: None,
            turns: Turns::default(),
            shells: Shells::default(),
            command: None,
            resting: BTreeMap::new(),
            waits: Waits::default(),
            attention: Attention::default(),
            keeping,
            upkeep: Upkeep::new(policies, 0),
            last_detach: 0,
            restarts: 0,
            relaxed_at: 0,
        };
        if session.stream.screen().size() != screen {
            session.stream.resize(screen);
            session.keep_size((screen.cols, screen.rows));
        }
        session
    }

    /// It is that time now.
    pub fn at(&mut self, now: Now) {
        self.now = now;
    }

    /// What is to be done since the last call.
    pub fn actions(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions)
    }

    /// Whether there is something to be done.
    pub fn has_actions(&self) -> bool {
        !self.actions.is_empty()
    }

    /// Whether output is wanted now. While the leader is too far behind it isn't,
    /// as with any terminal, nor while the client of a command is; one that takes
    /// nothing for a second paces nobody.
    pub fn wants_output(&self) -> bool {
        match self.phase {
            Phase::Running => {}
            // What it has left running goes on saying something.
            Phase::Draining(_) | Phase::Pausing(..) => return true,
            Phase::Drained(_) | Phase::Concluding | Phase::Over => return false,
        }
        let leader = self.leader().filter(|(_, view)| !view.is_stalled());
        let reached = leader.map(|(_, view)| view.following().unwrap_or(view.followed_from.1));
        let reached = reached.into_iter().chain(self.paced_by_run()).min();
        reached.is_none_or(|reached| self.stream.head() - reached < PACE)
    }

    /// A place for output.
    pub fn room(&mut self) -> &mut [u8] {
        self.overtake(READ_BUDGET);
        self.cut_for_record();
        let Self { stream, clients, .. } = self;
        stream.room(READ_BUDGET, &mut readers(clients))
    }

    /// The first `count` bytes of the room are output.
    pub fn output(&mut self, count: usize) {
        if count == 0 {
            return;
        }
        self.stream.commit(count);
        self.notice_output();
        self.last_output = Some(self.now);
        self.note_for_record();
        self.scan_for_marks();
    }

    /// Input for the program's terminal.
    pub fn pending_input(&self) -> &[u8] {
        self.input.pending()
    }

    /// The program's terminal took `count` bytes of it.
    pub fn input_taken(&mut self, count: usize) {
        let Self { input, clients, .. } = self;
        let mut sent = 0;
        input.advance(count, |taken| match taken {
            Taken::Sent(bytes) => sent += bytes,
            Taken::Keys(owner, bytes) => {
                if let Some(Client { role: Role::Viewer(view), outbox, .. }) =
                    clients.get_mut(&owner)
                    && let Some(taken) = view.took_input(bytes)
                {
                    outbox.say(taken);
                }
            }
        });
        self.took_sent(sent);
        self.finish_turn();
    }

    // ---- the present ---------------------------------------------------------

    /// Asks for the program's terminal to be read until it would block.
    fn settle(&mut self) {
        if !self.actions.contains(&Action::Settle) {
            self.actions.push(Action::Settle);
        }
    }

    /// The program's terminal was read until it would block: what waits for the
    /// present begins.
    pub fn settled(&mut self, facts: &Facts) {
        if self.phase == Phase::Over {
            return;
        }
        self.look(true);
        self.begin_turn(facts);
        self.answer_presently();
        self.begin_run(facts);
    }

    /// Whether the screen is to follow while output comes.
    pub fn is_behind(&self) -> bool {
        self.stream.is_behind()
    }

    /// Whether there is something to do while the program says nothing. Where the holder
    /// answers, the program may be waiting for it: the screen is to see what was asked.
    pub fn can_use_pause(&self) -> bool {
        self.stream.is_behind() || self.duty.on().is_none() && self.stream.has_unread()
    }

    /// The program says nothing at the moment: the screen follows a little.
    pub fn use_pause(&mut self) {
        let Self { stream, clients, .. } = self;
        stream.use_pause(&mut readers(clients));
        self.followed();
    }

    /// Brings the screen to the head, and answers what the holder has to answer.
    fn catch_up(&mut self) {
        let Self { stream, clients, .. } = self;
        stream.catch_up(&mut readers(clients));
        self.followed();
    }

    /// The screen has followed the stream.
    fn followed(&mut self) {
        let Self { stream, clients, .. } = self;
        let oldest = readers(clients).min().unwrap_or(u64::MAX);
        stream.forget_marks(oldest);
        self.notice_screen();
        for (offset, kind, answer) in self.stream.questions() {
            if let Some(answer) = self.duty.asked(offset, kind, answer)
                && self.phase == Phase::Running
            {
                self.input.push(None, &answer);
                self.note_answer();
            }
        }
    }

    // ---- time --------------------------------------------------------------

    /// When [`Session::tick`] is to be called, in ticks.
    pub fn deadline(&self) -> Option<u64> {
        let quiet = (!self.stream.is_caught_up())
            .then(|| self.last_output.map_or(0, |at| at.ticks + QUIET));
        let at_the_end = self.phase == Phase::Over;
        let clients = self.clients.values().filter_map(|client| match &client.role {
            Role::Undecided { since, .. } => Some(since + PATIENCE),
            _ => client.due(at_the_end).map(|since| since + STALL),
        });
        let probe = self.probe.map(|(at, _)| at);
        let others = [probe, quiet, self.sends_due(), self.waits_due(), self.runs_due()];
        let upkeep = [self.keeping_due(), self.upkeep_due()];
        clients.chain(others.into_iter().chain(upkeep).flatten()).min()
    }

    /// Time has passed.
    pub fn tick(&mut self) {
        let now = self.now;
        let due = |since: u64, span: u64| now.ticks >= since + span;
        if !self.stream.is_caught_up() && self.last_output.is_none_or(|at| due(at.ticks, QUIET)) {
            self.catch_up();
            self.clients.values_mut().for_each(|client| client.outbox.relax());
            if self.stream.head() - self.relaxed_at >= MUCH {
                self.relaxed_at = self.stream.head();
                self.actions.push(Action::GiveBack);
            }
        }
        let mut stalled = Vec::new();
        let mut gone = Vec::new();
        let at_the_end = self.phase == Phase::Over;
        for (&id, client) in &mut self.clients {
            let is_late = client.due(at_the_end).is_some_and(|since| due(since, STALL));
            match &mut client.role {
                Role::Undecided { since, .. } if due(*since, PATIENCE) => gone.push(id),
                _ if !is_late => {}
                Role::Viewer(view) if view.farewell.is_none() => stalled.push(id),
                Role::Runner(runner) if !at_the_end => runner.stall(),
                // Nobody is held up by who doesn't take the last output: it is on disk.
                _ => gone.push(id),
            }
        }
        for id in stalled {
            self.stall(id);
        }
        for id in gone {
            self.clients.remove(&id);
            self.last_detach = self.now.ticks;
            self.settle_lead();
        }
        self.tick_sends();
        self.tick_waits();
        self.tick_runs();
        self.tick_keeping();
        self.tick_upkeep();
        if let Some((at, _)) = self.probe
            && self.now.ticks >= at
            && let Some(id) = self.duty.on()
        {
            self.actions.push(Action::Probe(id));
        }
    }

    // ---- clients -----------------------------------------------------------

    /// What there is to know; `cwd` is where the program is now, if that can be
    /// known.
    pub fn info(&mut self, cwd: Option<String>) -> Info {
        self.catch_up();
        let leader = self.leader().map(|(id, _)| id);
        let clients = self.clients.iter().filter_map(|(id, client)| match &client.role {
            Role::Viewer(view) if view.farewell.is_none() => Some(ClientInfo {
                pid: client.pid,
                tty: view.tty.clone(),
                tty_dev: view.tty_id.0,
                tty_rdev: view.tty_id.1,
                size: view.size,
                leader: leader == Some(*id),
                read_only: view.read_only,
                attached: view.attached,
            }),
            _ => None,
        });
        let history = self.stream.screen().history();
        let identity = &self.identity;
        Info {
            name: identity.name.clone(),
            id: identity.id.clone(),
            pid: (self.phase == Phase::Running).then_some(identity.pid),
            holder_pid: identity.holder_pid,
            command: identity.command.clone(),
            cwd: cwd.unwrap_or_else(|| identity.cwd.clone()),
            title: self.stream.screen().title().to_owned(),
            created: identity.created,
            last_output: self.last_output.map(|at| at.wall),
            last_input: self.last_input.map(|at| at.wall),
            size: self.size,
            clients: clients.collect(),
            offset: self.stream.head(),
            history_lines: history.end - history.start,
            labels: identity.labels.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            tty_dev: identity.tty_id.0,
            tty_rdev: identity.tty_id.1,
        }
    }

    /// A client is closed as soon as it has taken what was said to it.
    fn leave(&mut self, id: ClientId) {
        self.give_up(id);
        if let Some(client) = self.clients.get_mut(&id) {
            client.role = Role::Leaving { since: self.now.ticks };
        }
    }

    /// What a client has still to type, or to run, is dropped.
    fn give_up(&mut self, id: ClientId) {
        match self.clients.get(&id).map(|client| &client.role) {
            Some(Role::Sender(_)) => self.end_turn(id),
            Some(Role::Runner(_)) => self.forget_runner(id),
            _ => {}
        }
    }

    fn views(&self) -> impl Iterator<Item = (ClientId, &View)> {
        self.clients.iter().filter_map(|(&id, client)| match &client.role {
            Role::Viewer(view) => Some((id, &**view)),
            _ => None,
        })
    }

    fn view_mut(&mut self, id: ClientId) -> Option<&mut View> {
        match self.clients.get_mut(&id).map(|client| &mut client.role) {
            Some(Role::Viewer(view)) => Some(view),
            _ => None,
        }
    }
}

/// The offsets of those who follow the journal.
fn readers(clients: &BTreeMap<ClientId, Client>) -> impl Iterator<Item = u64> {
    clients.values().filter_map(|client| match &client.role {
        Role::Viewer(view) => view.following(),
        _ => None,
    })
}

#[cfg(test)]
mod tests;

//! The session as a state machine: events in, actions out.
//!
//! It holds everything a session is (output, screen, clients, input, its end) and
//! decides everything that contract 6 promises. It has no descriptor, no clock
//! and no [`std::io::Result`]: time and facts come in, what is to be done goes
//! out, and the event loop does it.

use std::collections::BTreeMap;

use sess_proto::message::{
    self, Attach, Attached, ClientInfo, Detached, Done, Exit, Exited, Info, Kill, Killed, Refused,
    Size, Survivor, Welcome, refusal,
};
use sess_proto::{ClientMessage, HolderMessage, PROTOCOL_MAX, PROTOCOL_MIN};
use sess_screen::{INTERRUPT, NEUTRALISE, QueryKind};

use crate::client::{Client, ClientId, Cursor, Farewell, Outbox, Role, STALL, View};
use crate::duty::Duty;
use crate::input::Input;
use crate::relay;
use crate::stream::Stream;

/// Output read at a time, in bytes.
pub const READ_BUDGET: usize = 64 * 1024;
/// The program is read no further than this ahead of the leader, in bytes.
const PACE: u64 = 64 * 1024;
/// After this much quiet the screen catches up, in milliseconds.
const QUIET: u64 = 20;
/// A connection that wants nothing is closed after this, in milliseconds.
const PATIENCE: u64 = 10_000;
/// How often it is looked whether the leader reads at all, in milliseconds. Twice
/// in a row that it does not is a stall.
const PROBE: u64 = STALL / 2;
/// Bytes in a client's outbox over which it is heard no further.
const OUTBOX_LIMIT: usize = 256 * 1024;
/// What a terminal's size may be, in columns and rows.
const AXIS_LIMIT: u16 = 2000;

/// The time, as the event loop sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since the holder began; never goes back.
    pub ticks: u64,
    /// Milliseconds since 1970.
    pub wall: u64,
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

/// What the event loop has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Give the program's terminal this size.
    ResizePty(Size),
    /// Point the session's agent link to this socket.
    LinkAgent(Vec<u8>),
    /// Answer [`ClientMessage::Status`] with [`Session::info`].
    Report(ClientId),
    /// Look whether this client reads at all, and say it with
    /// [`Session::probed`].
    Probe(ClientId),
    /// End the program and all that it started.
    Kill(Kill),
    /// The session is over: record it, give up its name, then call
    /// [`Session::concluded`].
    Conclude(Exit),
}

/// How far the session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The program runs.
    Running,
    /// It has ended; its last output may still be unread.
    Draining(Exit),
    /// All of its output is here.
    Drained(Exit),
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
    /// The scan for questions began in the middle of the stream: the next bytes
    /// may complete one that it has not seen the start of.
    unsure: bool,
}

impl Session {
    /// A session whose program has just started.
    pub fn new(identity: Identity, size: Size, journal: usize, history: usize) -> Self {
        let screen = sess_screen::Size::new(size.cols, size.rows);
        Self {
            identity,
            stream: Stream::new(journal, screen, history),
            duty: Duty::default(),
            clients: BTreeMap::new(),
            input: Input::default(),
            size,
            phase: Phase::Running,
            exit: None,
            killing: false,
            survivors: Vec::new(),
            actions: Vec::new(),
            now: Now::default(),
            next_rank: 1,
            last_output: None,
            last_input: None,
            probe: None,
            unsure: false,
        }
    }

    /// It is that time now.
    pub fn at(&mut self, now: Now) {
        self.now = now;
    }

    /// What is to be done since the last call.
    pub fn actions(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions)
    }

    // ---- the program -------------------------------------------------------

    /// Whether output is wanted now. While the leader is too far behind it isn't,
    /// as with any terminal; a leader that takes nothing for a second paces
    /// nobody.
    pub fn wants_output(&self) -> bool {
        match self.phase {
            Phase::Running => {}
            Phase::Draining(_) => return true,
            Phase::Drained(_) | Phase::Over => return false,
        }
        let Some((_, view)) = self.leader().filter(|(_, view)| !view.stalled) else {
            return true;
        };
        let reached = view.following().unwrap_or(view.followed_from.1);
        self.stream.head() - reached < PACE
    }

    /// A place for output.
    pub fn room(&mut self) -> &mut [u8] {
        self.overtake(READ_BUDGET);
        let Self { stream, clients, .. } = self;
        stream.room(READ_BUDGET, &mut readers(clients))
    }

    /// The first `count` bytes of the room are output.
    pub fn output(&mut self, count: usize) {
        if count == 0 {
            return;
        }
        let holder_answers = self.duty.on().is_none();
        let question = self.stream.commit(count, holder_answers);
        if holder_answers && (question || std::mem::take(&mut self.unsure)) {
            self.catch_up();
        }
        self.last_output = Some(self.now);
    }

    /// Whoever would lose bytes to the next `count` ones falls behind: it is
    /// brought to the present when it reads again.
    fn overtake(&mut self, count: usize) {
        let tail = self.stream.tail_after(count);
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

    /// Input for the program's terminal.
    pub fn pending_input(&self) -> &[u8] {
        self.input.pending()
    }

    /// The program's terminal took `count` bytes of it.
    pub fn input_taken(&mut self, count: usize) {
        let Self { input, clients, .. } = self;
        input.advance(count, |owner, bytes| {
            if let Some(Client { role: Role::Viewer(view), outbox, .. }) = clients.get_mut(&owner)
                && let Some(taken) = view.took_input(bytes)
            {
                outbox.say(taken);
            }
        });
    }

    /// The program has ended. Its output is to be read until there is none.
    pub fn program_exited(&mut self, exit: Exit) {
        if self.phase == Phase::Running {
            self.phase = Phase::Draining(exit);
            self.input.clear();
        }
    }

    /// How the program ended, if it has.
    pub fn exit(&self) -> Option<Exit> {
        match self.phase {
            Phase::Draining(exit) | Phase::Drained(exit) => Some(exit),
            Phase::Running | Phase::Over => None,
        }
    }

    /// Whether the program's last output is still to be read.
    pub fn is_draining(&self) -> bool {
        matches!(self.phase, Phase::Draining(_))
    }

    /// All output of the ended program is read.
    pub fn drained(&mut self) {
        if let Phase::Draining(exit) = self.phase {
            self.phase = Phase::Drained(exit);
            self.conclude_if_over();
        }
    }

    // ---- the end -----------------------------------------------------------

    /// Begins to end the program and all that it started.
    pub fn kill(&mut self, kill: Kill) {
        if !self.killing {
            self.killing = true;
            self.actions.push(Action::Kill(kill));
        }
    }

    /// A kill is over; these could not be ended.
    pub fn killed(&mut self, survivors: Vec<Survivor>) {
        self.killing = false;
        self.survivors = survivors;
        if self.phase == Phase::Running {
            self.answer_killers();
        } else {
            self.conclude_if_over();
        }
    }

    fn conclude_if_over(&mut self) {
        if let Phase::Drained(exit) = self.phase
            && !self.killing
        {
            self.catch_up();
            self.actions.push(Action::Conclude(exit));
        }
    }

    /// The name is given up, and the end recorded: tells everybody.
    pub fn concluded(&mut self, exit: Exit) {
        self.phase = Phase::Over;
        self.answer_killers();
        self.exit = Some(exit);
        for id in self.views().map(|(id, _)| id).collect::<Vec<_>>() {
            self.dismiss(id, Self::exited(exit));
        }
        // Who has not asked yet asks the record; but for the creator, whose
        // program may be quicker than itself.
        self.clients.retain(|_, client| match client.role {
            Role::Undecided { promised, .. } => promised,
            _ => true,
        });
    }

    /// Whether there is nothing left to do.
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Over && self.clients.is_empty()
    }

    fn answer_killers(&mut self) {
        for client in self.clients.values_mut() {
            if matches!(client.role, Role::Killer) {
                client.outbox.say(Killed { survivors: self.survivors.clone() });
                client.role = Role::Leaving { since: self.now.ticks };
            }
        }
    }

    // ---- clients -----------------------------------------------------------

    /// Somebody connected; `promised` if it is the session's creator.
    pub fn connected(&mut self, id: ClientId, pid: i32, promised: bool) {
        let role = Role::Undecided { since: self.now.ticks, greeted: false, promised };
        self.clients.insert(id, Client { pid, role, outbox: Outbox::default() });
    }

    /// A connection is gone.
    pub fn closed(&mut self, id: ClientId) {
        let Some(client) = self.clients.remove(&id) else {
            return;
        };
        if let Role::Viewer(view) = client.role {
            // What has not even gone out to its terminal the holder answers.
            self.abandon(id, view.following().unwrap_or(view.followed_from.1));
            self.settle_lead();
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
            Role::Viewer(_) => self.viewer_said(id, message),
            Role::Killer | Role::Leaving { .. } => {}
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
        }
    }

    /// Something that an attached client says.
    fn viewer_said(&mut self, id: ClientId, message: ClientMessage<'_>) {
        match message {
            ClientMessage::Input(bytes) => {
                self.typed(id, bytes);
                self.lead(id);
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
                self.dismiss(id, Self::detached);
            }
            ClientMessage::Hello(_)
            | ClientMessage::Attach(_)
            | ClientMessage::Status(_)
            | ClientMessage::Kill(_) => {
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
        let attached =
            Attached { name: self.identity.name.clone(), id: self.identity.id.clone() };
        if let Some(client) = self.clients.get_mut(&id) {
            client.outbox.say(attached);
            client.role = Role::Viewer(Box::new(view));
        }
        self.lead(id);
        // History is cut as it is now, with the lines that a smaller size just
        // scrolled off.
        self.catch_up();
        if let Some(exit) = self.exit {
            self.dismiss(id, Self::exited(exit));
        }
    }

    /// Detaches every attached client but `id`; returns how many.
    fn detach_others(&mut self, id: ClientId) -> u32 {
        let others: Vec<ClientId> =
            self.views().map(|(other, _)| other).filter(|&other| other != id).collect();
        for &other in &others {
            self.dismiss(other, Self::detached);
        }
        others.len() as u32
    }

    fn typed(&mut self, id: ClientId, bytes: &[u8]) {
        let Some(view) = self.view_mut(id).filter(|view| !view.read_only) else {
            return;
        };
        view.input_received += bytes.len() as u64;
        self.last_input = Some(self.now);
        if self.phase == Phase::Running {
            self.input.push(Some(id), bytes);
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
        let asked = kind.is_some_and(|kind| self.duty.answered(id, &kind));
        let on_duty = self.duty.on() == Some(id);
        let unknown = on_duty && present && (alone || kind.is_none());
        if self.phase == Phase::Running && (asked || unknown) {
            self.input.push(Some(id), bytes);
        } else if let Some(view) = self.view_mut(id) {
            view.took_input(bytes.len() as u64);
        }
    }

    fn acked(&mut self, id: ClientId, bytes: u64) {
        let Some(view) = self.view_mut(id) else {
            return;
        };
        let progress = bytes > view.acked;
        view.acked = bytes.clamp(view.acked, view.sent);
        let back = std::mem::take(&mut view.stalled);
        self.settle_due(id, progress);
        if self.duty.on() == Some(id) {
            self.probe = None;
        }
        if back {
            self.settle_duty();
        }
    }

    fn settle_due(&mut self, id: ClientId, progress: bool) {
        let ticks = self.now.ticks;
        if let Some(Client { role: Role::Viewer(view), outbox, .. }) = self.clients.get_mut(&id) {
            view.settle_due(outbox.is_empty(), progress, ticks);
        }
    }

    fn client_resized(&mut self, id: ClientId, size: Size) {
        let size = self.usable(size);
        if let Some(view) = self.view_mut(id) {
            view.size = size;
        }
        self.lead(id);
        // One that doesn't lead gets a fresh screen when its size becomes the
        // session's.
        self.refresh_fitting();
    }

    /// Shows a client everything again.
    fn redraw(&mut self, id: ClientId) {
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

    /// Sends a client away, after what was output until now and with its terminal
    /// put in order.
    fn dismiss(&mut self, id: ClientId, message: impl FnOnce(&str, u32) -> HolderMessage<'static>) {
        self.catch_up();
        let replies = self.duty.owed(id) as u32;
        let until = self.stream.head();
        let over = self.phase == Phase::Over;
        let Some(Client { role: Role::Viewer(view), .. }) = self.clients.get_mut(&id) else {
            return;
        };
        if view.farewell.is_some() {
            return;
        }
        let mut bytes = Vec::new();
        message(&self.identity.name, replies).encode(&mut bytes);
        let undo = if over {
            // Nothing more comes: it gets everything, however far it is.
            None
        } else if view.fits && view.following().is_some() && !view.stalled {
            let mut undo = Vec::new();
            self.stream.screen().undo(&mut undo);
            Some(undo)
        } else {
            // What it shows isn't what the model has.
            view.cursor = Cursor::Journal(until);
            Some(blunt_undo(view.size.rows))
        };
        view.farewell = Some(Farewell { until, undo, message: bytes });
        view.rank = 0;
        self.settle_due(id, true);
        self.settle_lead();
    }

    fn detached(name: &str, replies: u32) -> HolderMessage<'static> {
        Detached { name: name.to_owned(), replies }.into()
    }

    fn exited(exit: Exit) -> impl Fn(&str, u32) -> HolderMessage<'static> {
        move |name, replies| Exited { name: name.to_owned(), exit, replies }.into()
    }

    // ---- lead, size and duty -----------------------------------------------

    /// This client leads from now on, unless it only looks.
    fn lead(&mut self, id: ClientId) {
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
    fn settle_lead(&mut self) {
        if let Some((_, leader)) = self.leader() {
            let size = leader.size;
            if size != self.size {
                self.catch_up();
                let (cols, rows) = (size.cols, size.rows);
                if (cols, rows) != (self.size.cols, self.size.rows) {
                    self.stream.resize(sess_screen::Size::new(cols, rows));
                }
                self.size = size;
                self.actions.push(Action::ResizePty(size));
            }
        }
        self.refresh_fitting();
        self.settle_duty();
    }

    /// Gives a fresh screen to whom the session's size has become its own; notes
    /// whom it has ceased to be.
    fn refresh_fitting(&mut self) {
        let size = self.size;
        let mut fresh = Vec::new();
        for (&id, client) in &mut self.clients {
            if let Role::Viewer(view) = &mut client.role {
                let fits = (view.size.cols, view.size.rows) == (size.cols, size.rows);
                if fits && !view.fits && view.following().is_some() {
                    fresh.push(id);
                }
                view.fits = fits;
            }
        }
        for id in fresh {
            self.redraw(id);
        }
    }

    /// The leader's terminal answers the program's questions from here on; the
    /// holder, while that terminal isn't at the present or takes nothing.
    fn settle_duty(&mut self) {
        let on = self
            .leader()
            .filter(|(_, view)| view.following().is_some() && !view.stalled)
            .map(|(id, _)| id);
        if on == self.duty.on() {
            return;
        }
        self.catch_up();
        self.duty.pass(on);
        if on.is_none() {
            self.stream.restart_scan();
            self.unsure = true;
        }
        self.probe = None;
    }

    fn leader(&self) -> Option<(ClientId, &View)> {
        self.views().filter(|(_, view)| view.rank > 0).max_by_key(|(_, view)| view.rank)
    }

    /// Brings the screen to the head, and answers what the holder has to answer.
    fn catch_up(&mut self) {
        let Self { stream, clients, .. } = self;
        stream.catch_up(&mut readers(clients));
        let oldest = readers(clients).min().unwrap_or(u64::MAX);
        stream.forget_marks(oldest);
        for (offset, kind, answer) in self.stream.questions() {
            if let Some(answer) = self.duty.asked(offset, kind, answer)
                && self.phase == Phase::Running
            {
                self.input.push(None, &answer);
            }
        }
    }

    // ---- output to clients -------------------------------------------------

    /// Fills the outboxes of those who are ready for more.
    pub fn advance(&mut self) {
        let mut arrived = false;
        let mut readers = Vec::new();
        if self.views().any(|(_, view)| view.following().is_none()) {
            readers.extend(self::readers(&self.clients));
        }
        let now = self.now;
        let Self { stream, clients, .. } = self;
        for client in clients.values_mut() {
            if let Role::Viewer(view) = &client.role
                && view.stalled
            {
                continue;
            }
            let Client { role: Role::Viewer(view), outbox, .. } = client else {
                continue;
            };
            let was_following = view.following().is_some();
            let before = view.sent;
            let gone = relay::advance(view, outbox, stream, &readers);
            if view.sent > before {
                view.settle_due(outbox.is_empty(), false, now.ticks);
            }
            if gone {
                client.role = Role::Leaving { since: now.ticks };
                arrived = true;
            } else if !was_following && view.following().is_some() {
                arrived = true;
            }
        }
        if arrived {
            self.settle_lead();
        }
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
            let empty = client.outbox.is_empty();
            match &mut client.role {
                Role::Viewer(view) => view.settle_due(empty, false, self.now.ticks),
                Role::Leaving { since } if count > 0 => *since = self.now.ticks,
                Role::Leaving { .. } | Role::Undecided { .. } | Role::Killer => {}
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
                _ => false,
            };
            !unruly && client.outbox.pending().len() < OUTBOX_LIMIT
        })
    }

    /// Whether a connection is to be closed now.
    pub fn is_done_with(&self, id: ClientId) -> bool {
        self.clients.get(&id).is_none_or(|client| {
            matches!(client.role, Role::Leaving { .. }) && client.outbox.is_empty()
        })
    }

    // ---- time --------------------------------------------------------------

    /// When [`Session::tick`] is to be called, in ticks.
    pub fn deadline(&self) -> Option<u64> {
        let quiet = (!self.stream.is_caught_up())
            .then(|| self.last_output.map_or(0, |at| at.ticks + QUIET));
        let clients = self.clients.values().filter_map(|client| match &client.role {
            Role::Undecided { since, .. } => Some(since + PATIENCE),
            Role::Viewer(view) if !view.stalled || view.farewell.is_some() => {
                view.due_since.map(|since| since + STALL)
            }
            Role::Leaving { since } => Some(since + STALL),
            Role::Viewer(_) | Role::Killer => None,
        });
        let probe = self.probe.map(|(at, _)| at);
        clients.chain(quiet).chain(probe).min()
    }

    /// Time has passed.
    pub fn tick(&mut self) {
        let now = self.now;
        let due = |since: u64, span: u64| now.ticks >= since + span;
        if !self.stream.is_caught_up()
            && self.last_output.is_none_or(|at| due(at.ticks, QUIET))
        {
            self.catch_up();
        }
        let mut stalled = Vec::new();
        let mut gone = Vec::new();
        for (&id, client) in &mut self.clients {
            match &mut client.role {
                Role::Undecided { since, .. } if due(*since, PATIENCE) => gone.push(id),
                Role::Leaving { since } if due(*since, STALL) => gone.push(id),
                Role::Viewer(view) if view.due_since.is_some_and(|since| due(since, STALL)) => {
                    if view.farewell.is_some() {
                        gone.push(id);
                    } else if !view.stalled {
                        stalled.push(id);
                    }
                }
                _ => {}
            }
        }
        for id in stalled {
            self.stall(id);
        }
        for id in gone {
            self.clients.remove(&id);
            self.settle_lead();
        }
        if let Some((at, _)) = self.probe
            && self.now.ticks >= at
            && let Some(id) = self.duty.on()
        {
            self.actions.push(Action::Probe(id));
        }
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
    fn stall(&mut self, id: ClientId) {
        let Some(view) = self.view_mut(id) else {
            return;
        };
        view.stalled = true;
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
    fn abandon(&mut self, id: ClientId, taken: u64) {
        self.catch_up();
        for answer in self.duty.abandon(id, taken) {
            if self.phase == Phase::Running {
                self.input.push(None, &answer);
            }
        }
    }

    // ---- odds and ends -----------------------------------------------------

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

    /// Says something to a client.
    pub fn say<'a>(&mut self, id: ClientId, message: impl Into<HolderMessage<'a>>) {
        if let Some(client) = self.clients.get_mut(&id) {
            client.outbox.say(message);
        }
    }

    fn refuse(&mut self, id: ClientId, code: u16, reason: &str) {
        if let Some(client) = self.clients.get_mut(&id) {
            client.outbox.say(Refused { code, message: reason.to_owned() });
            client.role = Role::Leaving { since: self.now.ticks };
            self.settle_lead();
        }
    }

    /// A size that a terminal can have; where a client's has none, the session's.
    fn usable(&self, size: Size) -> Size {
        if size.cols == 0 || size.rows == 0 {
            return self.size;
        }
        Size { cols: size.cols.min(AXIS_LIMIT), rows: size.rows.min(AXIS_LIMIT), ..size }
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

/// Puts a terminal in order whose state isn't known, and goes to a fresh line at
/// its bottom.
fn blunt_undo(rows: u16) -> Vec<u8> {
    let bottom = format!("\x1b[{rows};1H\r\n");
    [INTERRUPT, NEUTRALISE, bottom.as_bytes()].concat()
}

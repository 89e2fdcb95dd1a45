//! The event loop: derive interest, poll, translate, hand to the session, carry
//! out. All descriptors and the clock are here; all decisions are the session's.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant, SystemTime};

use sess_proto::frame::CLIENT_LIMIT;
use sess_proto::message::{Exit, Size};
use sess_proto::{ClientMessage, Decoder};
use sess_sys::process::Signal;
use sess_sys::{
    Entry, Pid, Program, PtyFollower, PtyLeader, Ready, Signals, Stream, Watched, WindowSize,
    child, poll, process,
};

use crate::client::ClientId;
use crate::ending::Ending;
use crate::facts;
use crate::place::Place;
use crate::policy::Cause;
use crate::record::StartRecord;
use crate::session::{Now, Session};

mod acting;
mod concluding;
mod patience;
mod recorder;

use concluding::Farewell;
use patience::Peer;
use recorder::Recorder;

/// Bytes read from a client at a time.
const CLIENT_READ: usize = 8 * 1024;
/// A PTY that gives less than this at a time is not asked again at once.
const SHORT_READ: usize = 1024;
/// Last output read after the program's end, at most, in bytes: somebody else may
/// write on.
const LAST_OUTPUT: usize = 1024 * 1024;
/// How long no connection is accepted after the system had no room for one.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);
/// Whoever removes something removes more: until they are done, putting it back
/// would only fail them half-way.
const PLACES_AFTER: Duration = Duration::from_millis(100);
/// Bytes of output that the system keeps for a terminal, at most.
const TERMINAL_KEEPS: usize = 128 * 1024;
/// With more who only wait than this it would cost more to look at all of them each
/// time output comes than to take the output.
const MANY: usize = 16;
/// How long they are left alone while it comes.
const HASTE: Duration = Duration::from_millis(20);
/// After so long without a look at the clock something has held the holder up.
const HELD_UP: Duration = Duration::from_millis(250);
/// What is asked about where there is no program: no process has that number.
const NOBODY: Pid = Pid(0);
/// The pause where the system can't say what is ready.
const POLL_PAUSE: Duration = Duration::from_millis(20);
/// How often the places are looked after where removals go unnoticed.
const PLACES_EVERY: Duration = Duration::from_secs(60);

/// One connection.
#[derive(Debug)]
struct Connection {
    stream: Stream,
    decoder: Decoder,
    /// The socket takes no more for now.
    full: bool,
    peer: Peer,
}

/// The process that holds one session.
pub struct Holder {
    session: Session,
    /// `None` once the name is given up.
    place: Option<Place>,
    recorder: Recorder,
    pty: PtyLeader,
    /// Kept open, so that a program that closes its terminal, or outlives the one
    /// that was started, is no special case.
    follower: PtyFollower,
    /// The program's process, while it lives.
    pid: Option<Pid>,
    /// What is started again, or whose environment the command at the end gets.
    program: Option<Program>,
    /// The session ends with it.
    companion: Option<Watched>,
    /// The command that is run at the end.
    farewell: Option<Farewell>,
    signals: Signals,
    removed: Signal,
    connections: BTreeMap<ClientId, Connection>,
    next_id: u64,
    pty_full: bool,
    /// What is on the screen is to be looked at when the terminal gives nothing more.
    unseen: bool,
    /// Until then those who only wait are left alone: output comes.
    hasty_until: Option<Instant>,
    accept_after: Option<Instant>,
    ending: Option<(Ending, Instant)>,
    places_at: Option<Instant>,
    began: Instant,
    /// Until then nothing has held it up that was not noticed.
    attentive: Instant,
}

/// What a holder is made of once its program runs.
pub struct Parts {
    /// The session's state.
    pub session: Session,
    /// Its folder, lock and socket.
    pub place: Place,
    /// How it began.
    pub record: StartRecord,
    /// Why that could not be written, if it could not.
    pub unrecorded: Option<io::Error>,
    /// Where the output ends that is on disk already.
    pub earlier: u64,
    /// The program's terminal.
    pub pty: PtyLeader,
    /// Its other end.
    pub follower: PtyFollower,
    /// The program's process.
    pub pid: Pid,
    /// The program, if it is needed again.
    pub program: Option<Program>,
    /// The session ends with it.
    pub companion: Option<Watched>,
    /// SIGCHLD, SIGTERM, SIGUSR1 and `removed`.
    pub signals: Signals,
    /// Raised when something is removed from the folder.
    pub removed: Signal,
}

/// What was polled, in the order of the entries.
enum Polled {
    Signals,
    Companion,
    Listener,
    Pty,
    Client(ClientId),
}

impl Holder {
    /// A holder ready to run; `creator` is the connection of who started it.
    pub fn new(parts: Parts, creator: Option<Stream>) -> Self {
        let Parts { session, place, pty, follower, pid, program, .. } = parts;
        let Parts { companion, signals, removed, .. } = parts;
        let began = Instant::now();
        let places_at = (!place.is_watched()).then(|| began + PLACES_EVERY);
        let mut holder = Self {
            session,
            place: Some(place),
            recorder: Recorder::new(parts.record, parts.unrecorded.is_none(), parts.earlier),
            pty,
            follower,
            pid: Some(pid),
            program,
            companion,
            farewell: None,
            signals,
            removed,
            connections: BTreeMap::new(),
            next_id: 1,
            pty_full: false,
            unseen: false,
            hasty_until: None,
            accept_after: None,
            ending: None,
            places_at,
            began,
            attentive: began,
        };
        holder.tell_time();
        if let Some(error) = parts.unrecorded {
            holder.session.kept(Err(error.to_string()));
        }
        if let Some(stream) = creator {
            holder.connect(stream, true);
        }
        holder
    }

    /// Runs until the session is over and everybody was told.
    pub fn run(mut self) {
        loop {
            self.flush();
            if self.session.is_over() {
                return;
            }
            let ready = self.wait();
            let says_more = ready.iter().any(|(what, _)| matches!(what, Polled::Pty));
            if !says_more && self.session.can_use_pause() {
                self.session.use_pause();
            }
            if !says_more && self.is_to_look() {
                self.session.look(true);
                self.unseen = false;
            }
            for (what, ready) in ready {
                self.handle(&what, ready);
            }
            self.pass_time();
        }
    }

    // ---- interest and time -------------------------------------------------

    /// Waits until something is to be done; says what is ready.
    fn wait(&mut self) -> Vec<(Polled, Ready)> {
        self.tell_time();
        let now = self.attentive;
        self.hasty_until = self.hasty_until.filter(|&until| now < until);
        let mut polled = vec![Polled::Signals];
        let mut entries = vec![Entry::new(self.signals.as_fd(), true, false)];
        if let Some(place) = self.place.as_ref().filter(|_| self.accept_after.is_none()) {
            polled.push(Polled::Listener);
            entries.push(Entry::new(place.listener().as_fd(), true, false));
        }
        if let Some(companion) = &self.companion {
            polled.push(Polled::Companion);
            entries.push(Entry::new(companion.as_fd(), true, false));
        }
        let (read, write) = (self.session.wants_output(), self.pty_full);
        if read || write {
            polled.push(Polled::Pty);
            entries.push(Entry::new(self.pty.as_fd(), read, write));
        }
        let hasty = self.hasty_until.is_some();
        let clients = if hasty { self.session.awake() } else { self.all() };
        for (id, connection) in clients.iter().filter_map(|id| self.connections.get_key_value(id)) {
            let id = *id;
            polled.push(Polled::Client(id));
            let read = self.session.hears(id);
            entries.push(Entry::new(connection.stream.as_fd(), read, connection.full));
        }
        let timeout = self.timeout();
        let polled_well = poll::poll(&mut entries, timeout).is_ok();
        // Longer than it was to wait it was held up.
        let end = timeout.and_then(|timeout| now.checked_add(timeout));
        self.attentive = end.map_or_else(Instant::now, |end| end.min(Instant::now()));
        if !polled_well {
            // No memory, or a limit of descriptors below those that are open: that
            // must not cost the session. Everything is tried, a little later.
            std::thread::sleep(POLL_PAUSE);
            for entry in &mut entries {
                entry.ready = Ready { read: entry.read, write: entry.write, closed: false };
            }
        }
        let ready = entries.iter().map(|entry| entry.ready);
        let any = |ready: &Ready| ready.read || ready.write || ready.closed;
        polled.into_iter().zip(ready).filter(|(_, ready)| any(ready)).collect()
    }

    /// How long there is nothing to do unless something happens.
    fn timeout(&self) -> Option<Duration> {
        if self.session.can_use_pause() || self.is_to_look() {
            return Some(Duration::ZERO);
        }
        let session = self
            .session
            .deadline()
            .map(|ticks| Duration::from_millis(ticks).saturating_sub(self.began.elapsed()));
        let now = Instant::now();
        let ending = self.ending.as_ref().map(|&(_, at)| at);
        let farewell = self.farewell.as_ref().map(|farewell| farewell.deadline);
        let others = [ending, farewell, self.places_at, self.accept_after, self.hasty_until];
        let others = others.into_iter().flatten();
        others.map(|at| at.saturating_duration_since(now)).chain(session).min()
    }

    /// Whether what is on the screen is to be looked at unless the terminal gives more: one
    /// that is not read may have it.
    fn is_to_look(&self) -> bool {
        self.unseen && self.session.wants_output()
    }

    fn tell_time(&mut self) {
        let now = Instant::now();
        let passed = now.duration_since(std::mem::replace(&mut self.attentive, now));
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.session.at(Now {
            ticks: now.duration_since(self.began).as_millis() as u64,
            wall: wall.as_millis() as u64,
        });
        if passed >= HELD_UP {
            self.session.held_up(passed.as_millis() as u64);
        }
    }

    /// Does what is due by time.
    fn pass_time(&mut self) {
        self.tell_time();
        self.hear_excuses();
        self.session.tick();
        let now = Instant::now();
        if self.accept_after.is_some_and(|at| now >= at) {
            self.accept_after = None;
        }
        if self.places_at.is_some_and(|at| now >= at) {
            self.look_after_places();
        }
        if self.ending.as_ref().is_some_and(|&(_, at)| now >= at) {
            self.step_ending();
        }
        if self.farewell.as_ref().is_some_and(|farewell| now >= farewell.deadline) {
            self.cut_farewell_short();
        }
    }

    // ---- what is ready -----------------------------------------------------

    fn handle(&mut self, what: &Polled, ready: Ready) {
        self.tell_time();
        match what {
            Polled::Signals => self.hear_signals(),
            Polled::Companion => self.look_at_companion(),
            Polled::Listener => self.accept(),
            Polled::Pty => {
                self.pty_full &= !ready.write;
                if ready.read || ready.closed {
                    self.read_pty();
                }
            }
            Polled::Client(id) => {
                if let Some(connection) = self.connections.get_mut(id) {
                    connection.full &= !(ready.write || ready.closed);
                }
                if ready.read || ready.closed {
                    self.read_client(*id);
                }
            }
        }
    }

    /// Where the system couldn't say what is ready, the process is asked about.
    fn look_at_companion(&mut self) {
        let ended = |it: &mut Watched| it.has_ended().unwrap_or(false);
        if self.companion.take_if(ended).is_some() {
            self.session.end(Cause::WithPid);
        }
    }

    fn hear_signals(&mut self) {
        let mut signals: Vec<Signal> = self.signals.take().into_iter().collect();
        // A system that goes down tells the program as well: which of them hears of it
        // first must make no difference.
        signals.sort_by_key(|&signal| signal != Signal::TERM);
        for signal in signals {
            match signal {
                Signal::CHLD => self.reap(),
                Signal::TERM => self.session.end(Cause::Taken),
                Signal::USR1 => self.look_after_places(),
                // SIGIO comes when there was no room for `removed`.
                signal if signal == self.removed || signal == Signal::IO => {
                    self.places_at.get_or_insert_with(|| Instant::now() + PLACES_AFTER);
                }
                _ => {}
            }
        }
    }

    /// Hears of the program's end, and of adopted orphans'.
    fn reap(&mut self) {
        while let Ok(Some((pid, exit))) = child::reap() {
            let exit = match exit {
                child::Exit::Code(code) => Exit::Code(code),
                child::Exit::Signal(signal) => Exit::Signal(signal),
            };
            if self.pid.take_if(|it| *it == pid).is_some() {
                self.session.program_exited(exit);
                self.read_last_output();
            } else if self.farewell.as_ref().is_some_and(|farewell| farewell.pid == pid) {
                self.farewell_said(exit);
            }
        }
        if self.ending.is_some() {
            self.step_ending();
        }
    }

    /// Reads what the PTY has, up to a budget.
    fn read_pty(&mut self) {
        let budget = self.session.room().len();
        let watched = self.session.is_watched();
        if self.hasty_until.is_none() && self.session.resting() > MANY {
            self.hasty_until = Some(Instant::now() + HASTE);
        }
        let (mut total, mut blocked) = (0, false);
        while total < budget && self.session.wants_output() {
            match self.read_pty_once() {
                Ok(0) | Err(_) => {
                    blocked = true;
                    break;
                }
                Ok(count) => {
                    total += count;
                    // While the system gets the next ones ready.
                    if self.session.is_behind() {
                        self.session.use_pause();
                    }
                    // Who waits for a line wants to know that there is no more.
                    if count < SHORT_READ && !watched {
                        break;
                    }
                }
            }
        }
        if watched {
            self.session.look(blocked);
            self.unseen = !blocked;
        }
        self.recorder.note_cwd_at_times(self.pid);
    }

    /// Reads the PTY until it would block, so that what was written before this is
    /// here, and tells the session how it stands with the terminal. More than the
    /// system keeps of a terminal's output is not waited for: it came later.
    fn settle(&mut self) {
        self.read_up_to(TERMINAL_KEEPS);
        let folder = self.place.as_ref().map(Place::path).unwrap_or_default();
        let facts = facts::of(&self.pty, self.pid.unwrap_or(NOBODY), folder);
        self.session.settled(&facts);
    }

    fn read_pty_once(&mut self) -> io::Result<usize> {
        let count = self.pty.read(self.session.room())?;
        self.session.output(count);
        Ok(count)
    }

    /// Reads until the ended program's terminal gives nothing more. Somebody else
    /// may still hold it; that isn't waited for.
    fn read_last_output(&mut self) {
        self.read_up_to(LAST_OUTPUT);
        self.session.drained();
    }

    /// Reads the PTY until it would block, or has given so much.
    fn read_up_to(&mut self, most: usize) {
        let mut total = 0;
        while total < most {
            match self.read_pty_once() {
                Ok(0) | Err(_) => break,
                Ok(count) => total += count,
            }
        }
    }

    fn accept(&mut self) {
        loop {
            let Some(place) = &self.place else {
                return;
            };
            match place.listener().accept() {
                Ok(Some(stream)) => self.connect(stream, false),
                Ok(None) => return,
                Err(_) => {
                    self.accept_after = Some(Instant::now() + ACCEPT_PAUSE);
                    return;
                }
            }
        }
    }

    /// Takes a connection, of the session's own user or root; others get no
    /// answer.
    fn connect(&mut self, stream: Stream, promised: bool) {
        let Ok(peer) = stream.peer() else {
            return;
        };
        if peer.uid != process::uid() && peer.uid != 0 {
            return;
        }
        let id = ClientId(self.next_id);
        self.next_id += 1;
        let decoder = Decoder::new(CLIENT_LIMIT);
        let connection = Connection { stream, decoder, full: false, peer: Peer::new(peer.pid) };
        self.connections.insert(id, connection);
        self.session.connected(id, peer.pid.0, promised);
    }

    fn read_client(&mut self, id: ClientId) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let room = connection.decoder.room(CLIENT_READ);
        match connection.stream.read(room) {
            Ok(0) => return self.close(id),
            Ok(count) => connection.decoder.received(count),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            Err(_) => return self.close(id),
        }
        loop {
            match connection.decoder.next_frame() {
                Ok(None) => break,
                Ok(Some(frame)) => match ClientMessage::decode(&frame) {
                    Ok(Some(message)) => self.session.said(id, message),
                    Ok(None) => {}
                    Err(error) => return self.session.garbled(id, &error.to_string()),
                },
                Err(error) => return self.session.garbled(id, &error.to_string()),
            }
        }
        connection.decoder.relax();
    }

    fn close(&mut self, id: ClientId) {
        self.connections.remove(&id);
        self.session.closed(id);
        self.accept_after = None;
    }

    // ---- what is to be done ------------------------------------------------

    /// Carries out actions and writes what there is to write, until there is
    /// nothing more to be done without waiting.
    fn flush(&mut self) {
        loop {
            // Before what they prepare is typed.
            while self.session.has_actions() {
                for action in self.session.actions() {
                    self.carry_out(action);
                }
            }
            self.write_input();
            self.session.advance();
            let wrote = self.write_clients();
            if !wrote && !self.session.has_actions() {
                return;
            }
        }
    }

    fn write_input(&mut self) {
        let is_line = |input: &[u8]| input.iter().any(|byte| matches!(byte, b'\r' | b'\n'));
        if !self.pty_full && is_line(self.session.pending_input()) {
            // What is about to be done may be its last.
            self.recorder.note_cwd(self.pid);
        }
        while !self.pty_full && !self.session.pending_input().is_empty() {
            match self.pty.write(self.session.pending_input()) {
                Ok(count) => self.session.input_taken(count),
                // Full, or a terminal that nobody will read any more: its end
                // comes as SIGCHLD.
                Err(_) => self.pty_full = true,
            }
        }
    }

    fn all(&self) -> Vec<ClientId> {
        self.connections.keys().copied().collect()
    }

    /// Writes to the clients, and closes those that are done with.
    fn write_clients(&mut self) -> bool {
        let mut wrote = false;
        // Whom the session has dropped is seen by there being fewer.
        let dropped = self.session.clients() != self.connections.len();
        for id in if dropped { self.all() } else { self.session.awake() } {
            let Some(connection) = self.connections.get_mut(&id) else {
                continue;
            };
            let outbox = self.session.outbox(id);
            if !connection.full && !outbox.is_empty() {
                match connection.stream.write(outbox) {
                    Ok(count) => {
                        connection.full = count < outbox.len();
                        wrote = true;
                        self.session.sent(id, count);
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        connection.full = true;
                        self.session.sent(id, 0);
                    }
                    Err(_) => {
                        self.close(id);
                        continue;
                    }
                }
            }
            if self.session.is_done_with(id) {
                self.close(id);
            }
        }
        wrote
    }
}

/// A size as the PTY takes it.
pub fn pty_size(size: Size) -> WindowSize {
    let Size { cols, rows, xpixel, ypixel } = size;
    WindowSize { cols, rows, xpixel, ypixel }
}

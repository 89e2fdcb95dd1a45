//! The relay between this terminal and a session: bytes both ways, unchanged.
//!
//! The same skeleton as the holder's loop: derive interest, poll, translate,
//! handle, flush. It looks at what is typed (for the detach key, and to tell the
//! terminal's own reports from keys), never at what the program says.

use std::collections::VecDeque;
use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use anyhow::Result;
use sess_proto::frame::{HEADER, OUTPUT_LIMIT};
use sess_proto::message::{Ack, Attach, Exit, INPUT_CREDIT, Leave, Redraw, Resize};
use sess_proto::{ClientMessage, HolderMessage};
use sess_sys::process::Signal;
use sess_sys::{Entry, Signals, Terminal, poll, signals};

use crate::borrowed_terminal::{BorrowedTerminal, size, swallow};
use crate::connection::{Connection, refusal};
use crate::detach_key::DetachKey;
use crate::error::Failure;
use crate::input::{InputSplitter, Token};

/// Bytes of output after which the holder is told what was taken.
const ACK_EVERY: u64 = 32 * 1024;
/// While the terminal is slow the holder is told this often.
const ACK_PAUSE: Duration = Duration::from_millis(250);
/// Output waiting for the terminal, in bytes, over which none is read.
const BACKLOG: usize = 64 * 1024;
/// Input that the program's terminal has no room for, in bytes, over which none is
/// read: a large paste, behind which the detach key is still heard.
const MOST_WAITING: u64 = 4 * 1024 * 1024;
/// Bytes read from the holder at a time: a whole frame of output.
const READ: usize = HEADER + OUTPUT_LIMIT;
/// How long the holder may take to answer.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long a holder that says nothing is waited for when leaving.
const FAREWELL: Duration = Duration::from_secs(1);

/// What a client wants to see.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// History lines.
    pub(crate) lines: u64,
    /// Only looking.
    pub(crate) read_only: bool,
    /// Alone.
    pub(crate) exclusive: bool,
    /// What detaches.
    pub(crate) detach_key: DetachKey,
}

/// How an attachment ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It was detached; the session goes on.
    Detached {
        /// The session's name now.
        name: String,
        /// The signal that this process got, if that was why.
        signal: Option<i32>,
    },
    /// The session has ended.
    Exited {
        /// The session's name.
        name: String,
        /// How.
        exit: Exit,
    },
}

/// Shows a session on this terminal until it is detached or over; returns how that
/// was, and how many bytes that were typed the session had no room for till then.
pub(crate) fn attach(
    terminal: &Terminal,
    connection: Connection,
    view: View,
) -> Result<(End, u64)> {
    // Before the handshake, so that no signal finds the terminal in between.
    let signals = Signals::new(&[
        Signal::WINCH,
        Signal::CONT,
        Signal::TSTP,
        Signal::TERM,
        Signal::HUP,
        Signal::INT,
        Signal::QUIT,
    ])?;
    let id = terminal.id()?;
    let agent = std::env::var_os("SSH_AUTH_SOCK").filter(|path| !path.is_empty());
    connection.send(Attach {
        size: size(terminal),
        lines: view.lines,
        read_only: view.read_only,
        exclusive: view.exclusive,
        tty: terminal.path().map_or_else(String::new, |path| path.display().to_string()),
        tty_dev: id.dev,
        tty_rdev: id.rdev,
        agent: agent.map(std::os::unix::ffi::OsStringExt::into_vec),
    })?;
    let mut connection = connection;
    connection.receive(Some(Instant::now() + PATIENCE), |message| {
        matches!(message, HolderMessage::Attached(_)).then_some(())
    })?;
    let borrowed = BorrowedTerminal::new(terminal)?;
    let mut relay = Relay {
        connection,
        terminal: borrowed,
        signals,
        splitter: InputSplitter::new(view.detach_key),
        held_since: None,
        read_only: view.read_only,
        unsaid: Vec::new(),
        unshown: Vec::new(),
        shown: 0,
        acked: 0,
        acked_at: Instant::now(),
        sync: false,
        typed: 0,
        taken: 0,
        waiting: VecDeque::new(),
        waiting_bytes: 0,
        leaving: None,
        end: None,
    };
    let result = relay.run();
    let Relay { terminal: mut borrowed, waiting_bytes, .. } = relay;
    match result {
        Ok((end, replies)) => {
            borrowed.in_order = true;
            if replies > 0 {
                swallow(terminal, replies);
            }
            if waiting_bytes > 0 {
                // The rest of a paste is not for the shell out here.
                terminal.discard_input();
            }
            Ok((end, waiting_bytes))
        }
        // Dropping brings the terminal back in order.
        Err(error) => Err(error),
    }
}

struct Relay<'a> {
    connection: Connection,
    terminal: BorrowedTerminal<'a>,
    signals: Signals,
    splitter: InputSplitter,
    /// Since when the splitter holds an unfinished sequence.
    held_since: Option<Instant>,
    read_only: bool,
    /// Frames that the holder has still to take.
    unsaid: Vec<u8>,
    /// Output that the terminal has still to take.
    unshown: Vec<u8>,
    /// Bytes of output that the terminal took, and how many of them the holder
    /// knows of, since when.
    shown: u64,
    acked: u64,
    acked_at: Instant,
    /// The holder wants to know when all is shown.
    sync: bool,
    /// Bytes of input said, and how many of them the program's terminal took.
    typed: u64,
    taken: u64,
    /// What is to be said when there is room for it: frames, each with how many
    /// bytes of input are in it, and how many that are in all.
    waiting: VecDeque<(Vec<u8>, u64)>,
    waiting_bytes: u64,
    /// Since when we want to go, and the signal that said so.
    leaving: Option<(Instant, Option<i32>)>,
    end: Option<(End, u32)>,
}

impl Relay<'_> {
    /// Runs until the holder says that it is over; returns how, and how many
    /// answers of the terminal may be under way.
    fn run(&mut self) -> Result<(End, u32)> {
        // The holder may have said more than that we are attached.
        self.heed()?;
        loop {
            self.flush();
            if self.unshown.is_empty()
                && let Some(end) = self.end.take()
            {
                return Ok(end);
            }
            if let Some((since, _)) = self.leaving
                && since.elapsed() >= FAREWELL
            {
                return Err(Failure::unresponsive(&self.connection.name).into());
            }
            self.turn()?;
        }
    }

    fn turn(&mut self) -> Result<()> {
        let wants_keys =
            self.end.is_none() && self.leaving.is_none() && self.waiting_bytes < MOST_WAITING;
        let wants_output = self.end.is_none() && self.unshown.len() < BACKLOG;
        let terminal = self.terminal.terminal;
        let wants_to_say = self.end.is_none() && !self.unsaid.is_empty();
        let mut entries = vec![
            Entry::new(self.signals.as_fd(), true, false),
            Entry::new(terminal.as_fd(), wants_keys, !self.unshown.is_empty()),
        ];
        // A holder that has hung up is always ready: it is asked only while that
        // matters.
        if wants_output || wants_to_say {
            let stream = self.connection.stream.as_fd();
            entries.push(Entry::new(stream, wants_output, wants_to_say));
        }
        poll::poll(&mut entries, self.timeout())?;
        let (signals, tty) = (entries[0].ready, entries[1].ready);
        let holder = entries.get(2).map(|entry| entry.ready).unwrap_or_default();
        if signals.read {
            self.hear_signals()?;
        }
        if wants_output && (holder.read || holder.closed) {
            self.hear_holder()?;
        }
        if tty.read && wants_keys {
            self.read_keys();
        } else if tty.closed {
            // The terminal is gone; so are we.
            self.leave(None);
        }
        self.expire_keys();
        Ok(())
    }

    fn timeout(&self) -> Option<Duration> {
        let now = Instant::now();
        let keys = self.held_since.zip(self.splitter.deadline()).map(|(since, span)| since + span);
        let slow = !self.unshown.is_empty() && self.shown > self.acked;
        let ack = slow.then(|| self.acked_at + ACK_PAUSE);
        let leaving = self.leaving.map(|(since, _)| since + FAREWELL);
        let next = [keys, ack, leaving].into_iter().flatten().min();
        next.map(|at| at.saturating_duration_since(now))
    }

    // ---- towards the terminal ----------------------------------------------

    /// Reads what the holder says, and passes output on.
    fn hear_holder(&mut self) -> Result<()> {
        match self.connection.stream.read(self.connection.decoder.room(READ)) {
            Ok(0) => return Err(Failure::lost(&self.connection.name).into()),
            Ok(count) => self.connection.decoder.received(count),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(_) => return Err(Failure::lost(&self.connection.name).into()),
        }
        self.heed()
    }

    /// Does what the holder has said.
    fn heed(&mut self) -> Result<()> {
        while let Some(frame) = self.connection.decoder.next_frame()? {
            match HolderMessage::decode(&frame)? {
                Some(HolderMessage::Output(bytes)) => {
                    let count = self.terminal.show(&self.unshown, bytes);
                    self.shown += count as u64;
                    self.unshown.extend_from_slice(&bytes[count..]);
                }
                Some(HolderMessage::Sync(_)) => self.sync = true,
                Some(HolderMessage::Taken(taken)) => self.taken = taken.bytes,
                Some(HolderMessage::Detached(detached)) => {
                    let signal = self.leaving.and_then(|(_, signal)| signal);
                    let end = End::Detached { name: detached.name, signal };
                    self.end = Some((end, detached.replies));
                }
                Some(HolderMessage::Exited(exited)) => {
                    let end = End::Exited { name: exited.name, exit: exited.exit };
                    self.end = Some((end, exited.replies));
                }
                Some(HolderMessage::Refused(refused)) => {
                    let name = &self.connection.name;
                    return Err(refusal(name, refused.code, &refused.message).into());
                }
                Some(_) | None => {}
            }
        }
        Ok(())
    }

    /// Shows and says what is waiting, as far as it is taken.
    fn flush(&mut self) {
        if !self.unshown.is_empty() {
            let count = self.terminal.show(&[], &self.unshown);
            self.shown += count as u64;
            self.unshown.drain(..count);
        }
        let unknown = self.shown - self.acked;
        let slow = !self.unshown.is_empty() && self.acked_at.elapsed() >= ACK_PAUSE;
        let synced = self.sync && self.unshown.is_empty();
        if unknown >= ACK_EVERY || (unknown > 0 && slow) || synced {
            self.sync &= !synced;
            self.acknowledge();
        }
        self.say_what_waits();
        while !self.unsaid.is_empty() {
            match self.connection.stream.write(&self.unsaid) {
                Ok(count) => drop(self.unsaid.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // What it said last is still to be read.
                Err(_) => self.unsaid.clear(),
            }
        }
    }

    fn acknowledge(&mut self) {
        self.acked = self.shown;
        self.acked_at = Instant::now();
        ClientMessage::from(Ack { bytes: self.shown }).encode(&mut self.unsaid);
    }

    // ---- towards the program -----------------------------------------------

    fn read_keys(&mut self) {
        let mut buffer = [0; 16 * 1024];
        match self.terminal.terminal.read(&mut buffer) {
            Ok(0) => self.leave(None),
            Ok(count) => self
                .split(|splitter, emit| splitter.feed(&buffer[..count], &mut |token| emit(token))),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => self.leave(None),
        }
    }

    /// Passes an unfinished sequence on when nothing more has come.
    fn expire_keys(&mut self) {
        if let (Some(since), Some(span)) = (self.held_since, self.splitter.deadline())
            && since.elapsed() >= span
        {
            self.split(|splitter, emit| splitter.expire(&mut |token| emit(token)));
        }
    }

    /// Takes what the splitter makes of the input, to be said.
    fn split(&mut self, feed: impl FnOnce(&mut InputSplitter, &mut dyn FnMut(Token<'_>))) {
        if self.shown > self.acked {
            // An answer of the terminal belongs to what it was shown before.
            self.acknowledge();
        }
        let (waiting, waiting_bytes) = (&mut self.waiting, &mut self.waiting_bytes);
        let read_only = self.read_only;
        let mut detach = false;
        feed(&mut self.splitter, &mut |token| {
            let (message, bytes) = match token {
                Token::Detach => {
                    detach = true;
                    return;
                }
                _ if detach || read_only => return,
                Token::Typed(bytes) => (ClientMessage::Input(bytes), bytes),
                Token::Passive(bytes) => (ClientMessage::Passive(bytes), bytes),
                Token::Report(bytes) => (ClientMessage::Report(bytes), bytes),
            };
            let mut frame = Vec::new();
            message.encode(&mut frame);
            waiting.push_back((frame, bytes.len() as u64));
            *waiting_bytes += bytes.len() as u64;
        });
        self.held_since = self.splitter.deadline().map(|_| Instant::now());
        self.say_what_waits();
        if detach {
            self.leave(None);
        }
    }

    /// Says as much of what was typed as there is room for.
    fn say_what_waits(&mut self) {
        while self.leaving.is_none()
            && self.typed - self.taken < INPUT_CREDIT
            && let Some((frame, bytes)) = self.waiting.pop_front()
        {
            self.unsaid.extend_from_slice(&frame);
            self.typed += bytes;
            self.waiting_bytes -= bytes;
        }
    }

    /// Asks to be detached; the holder's last words put the terminal in order.
    fn leave(&mut self, signal: Option<i32>) {
        if self.leaving.is_none() {
            self.leaving = Some((Instant::now(), signal));
            ClientMessage::from(Leave {}).encode(&mut self.unsaid);
        }
    }

    // ---- signals -----------------------------------------------------------

    fn hear_signals(&mut self) -> Result<()> {
        for signal in self.signals.take() {
            match signal {
                Signal::WINCH => {
                    let size = size(self.terminal.terminal);
                    ClientMessage::from(Resize { size }).encode(&mut self.unsaid);
                }
                Signal::CONT => self.resume()?,
                Signal::TSTP => self.suspend()?,
                signal => self.leave(Some(signal.number())),
            }
        }
        Ok(())
    }

    /// Gives the terminal back and stops, as a program does at Ctrl-Z.
    fn suspend(&mut self) -> Result<()> {
        self.terminal.give_back();
        signals::raise_stop()?;
        Ok(())
    }

    /// Takes the terminal again: somebody else has had it.
    fn resume(&mut self) -> Result<()> {
        self.terminal.take_again()?;
        let size = size(self.terminal.terminal);
        ClientMessage::from(Redraw { size }).encode(&mut self.unsaid);
        Ok(())
    }
}

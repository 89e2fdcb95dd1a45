//! `sess send`.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

use anyhow::Result;
use sess_proto::message::{Exit, INPUT_CREDIT, Key, KeyCode, Send, Sent, TimedOut, Until};
use sess_proto::{ClientMessage, HolderMessage};
use sess_sys::{Entry, poll};

use super::wait::{GRACE, late, limit, milliseconds};
use crate::cli::{Item, SendArgs};
use crate::connection::Connection;
use crate::directory;
use crate::error::Failure;
use crate::keys::{ALT, CTRL};
use crate::lookup::{self, ended_meanwhile};
use crate::output::{self, span};

/// How long a holder lets typing take by itself.
const TYPING: Duration = Duration::from_secs(30);
/// Text said at a time, in bytes.
const FRAME: usize = 16 * 1024;
/// Said in one go, about, in bytes.
const SAID_AT_ONCE: usize = 2 * FRAME;
/// What ends a bracketed paste.
const PASTE_END: &[u8] = b"\x1b[201~";
/// As long as any key is, in bytes.
const LONGEST_KEY: u64 = 8;

/// Something to be typed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(Vec<u8>),
    Key(Key),
}

/// What came of it.
enum Outcome {
    Done,
    TimedOut(TimedOut),
    Exited(Exit),
}

pub(super) fn run(args: &SendArgs) -> Result<u8> {
    if args.items.0.is_empty() && !args.stdin && !args.enter {
        return Err(nothing_to_type().into());
    }
    let from_stdin = if args.stdin { read_stdin()? } else { Vec::new() };
    let pieces = pieces(&args.items.0, &from_stdin, args.enter);
    if pieces.is_empty() {
        return Err(nothing_to_type().into());
    }
    if args.paste && pieces.iter().any(ends_a_paste) {
        let why = "a paste can't hold what ends it (ESC [ 201 ~)";
        return Err(Failure::usage(why).hint("without --paste it is typed as it is").into());
    }
    let directories = directory::all()?;
    let sighting = lookup::find(&directories, &args.name)?;
    sighting.must_run()?;
    let until = match (&args.wait_text, args.wait_idle) {
        (Some(text), _) => Some(Until::Text(text.clone())),
        (None, Some(time)) => Some(Until::Idle(milliseconds(time))),
        (None, None) => None,
    };
    let name = sighting.name.as_str();
    let (longest_line, bytes) = (longest_line(&pieces), bytes(&pieces));
    let typed = sighting.folder(&directories).and_then(|folder| {
        let connection = Connection::open(&folder, name)?;
        let timeout = args.timeout.map(milliseconds);
        let send = Send { paste: args.paste, longest_line, timeout, until: until.clone() };
        Typing::new(connection, pieces).run(send, args)
    });
    match typed {
        Ok(Outcome::Done) => Ok(0),
        Ok(Outcome::Exited(exit)) => Err(Failure::exited(name, exit).into()),
        Ok(Outcome::TimedOut(TimedOut { typed: Some((taken, false)) })) => {
            let (all, time) = (bytes.max(taken), span(args.timeout.unwrap_or(TYPING)));
            let what = format!("session {name} took {taken} of {all} bytes within {time}");
            Err(Failure::timed_out(what).into())
        }
        Ok(Outcome::TimedOut(_)) => {
            Err(late(name, &until.unwrap_or(Until::Exit), args.timeout).into())
        }
        Err(error) => {
            ended_meanwhile(&directories, &sighting, error)?.must_run()?;
            Err(Failure::lost(name).into())
        }
    }
}

fn nothing_to_type() -> Failure {
    Failure::usage("there is nothing to type").hint("sess send --help tells more")
}

fn read_stdin() -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    match io::stdin().lock().read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(Failure::failed(format!("can't read standard input: {error}"))),
    }
}

/// What is typed, in order.
fn pieces(items: &[Item], from_stdin: &[u8], enter: bool) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut after_text = false;
    for item in items {
        match (item, pieces.last_mut()) {
            (Item::Text(text), Some(Piece::Text(before))) => {
                before.push(b' ');
                before.extend_from_slice(text.as_bytes());
            }
            (Item::Text(text), _) => pieces.push(Piece::Text(text.as_bytes().to_vec())),
            (Item::Key(key), _) => pieces.push(Piece::Key((*key).into())),
        }
        after_text = matches!(item, Item::Text(_));
    }
    match pieces.last_mut() {
        Some(Piece::Text(before)) if after_text => before.extend_from_slice(from_stdin),
        _ => pieces.push(Piece::Text(from_stdin.to_vec())),
    }
    pieces.retain(|piece| !matches!(piece, Piece::Text(text) if text.is_empty()));
    if enter {
        pieces.push(Piece::Key(Key { code: KeyCode::Enter, mods: 0 }));
    }
    pieces
}

fn ends_a_paste(piece: &Piece) -> bool {
    match piece {
        Piece::Text(text) => text.windows(PASTE_END.len()).any(|window| window == PASTE_END),
        Piece::Key(_) => false,
    }
}

/// The longest run of bytes without the end of a line in it.
fn longest_line(pieces: &[Piece]) -> u64 {
    let (mut longest, mut line) = (0, 0);
    for piece in pieces {
        match piece {
            Piece::Text(text) => {
                let mut parts = text.split(|byte| matches!(byte, b'\n' | b'\r'));
                line += parts.next().map_or(0, <[u8]>::len) as u64;
                for part in parts {
                    longest = longest.max(line);
                    line = part.len() as u64;
                }
            }
            Piece::Key(key) if ends_a_line(*key) => {
                longest = longest.max(line);
                line = 0;
            }
            Piece::Key(_) => line += LONGEST_KEY,
        }
    }
    longest.max(line)
}

fn ends_a_line(key: Key) -> bool {
    match key.code {
        KeyCode::Enter => true,
        KeyCode::Char(c) => u16::from(key.mods) == CTRL && matches!(c, 'c' | 'd' | 'j' | 'm'),
        _ => false,
    }
}

/// How many bytes there are to type, as far as that is known here: how keys are
/// encoded only the holder knows.
fn bytes(pieces: &[Piece]) -> u64 {
    let length = |piece: &Piece| match piece {
        Piece::Text(text) => text.len() as u64,
        Piece::Key(key) => {
            let mods = u16::from(key.mods);
            let alt = u64::from(mods & ALT != 0);
            alt + match key.code {
                KeyCode::Char(_) if mods & CTRL != 0 => 1,
                KeyCode::Char(c) => c.len_utf8() as u64,
                KeyCode::Enter | KeyCode::Tab | KeyCode::Escape | KeyCode::Backspace => 1,
                _ => 3,
            }
        }
    };
    pieces.iter().map(length).sum()
}

/// A send under way.
struct Typing {
    connection: Connection,
    /// What is still to be said.
    pieces: VecDeque<Piece>,
    /// Bytes that were said of the first of those.
    begun: usize,
    /// The end is still to be said.
    unfinished: bool,
    /// Frames that the holder has still to take.
    unsaid: Vec<u8>,
    /// Bytes of text said, and how many of them were typed.
    said: u64,
    taken: u64,
    /// The holder hears no more.
    deaf: bool,
}

impl Typing {
    fn new(connection: Connection, pieces: Vec<Piece>) -> Self {
        Self {
            connection,
            pieces: pieces.into(),
            begun: 0,
            unfinished: true,
            unsaid: Vec::new(),
            said: 0,
            taken: 0,
            deaf: false,
        }
    }

    fn run(mut self, send: Send, args: &SendArgs) -> Result<Outcome> {
        let waits = send.until.is_some();
        ClientMessage::from(send).encode(&mut self.unsaid);
        let mut limit = limit(args.timeout).or_else(|| Some(Instant::now() + TYPING + GRACE));
        let mut offset = 0;
        loop {
            self.speak();
            let (mut typed, taken) = (false, &mut self.taken);
            let outcome = self.connection.heed(&mut |message| {
                match message {
                    HolderMessage::Began(began) => offset = began.offset,
                    HolderMessage::Taken(told) => *taken = told.bytes,
                    HolderMessage::Typed(_) => {
                        typed = true;
                        if args.offset {
                            output::print(&format!("{offset}\n"))?;
                        }
                        return Ok((!waits).then_some(Outcome::Done));
                    }
                    HolderMessage::Happened(_) => return Ok(Some(Outcome::Done)),
                    HolderMessage::TimedOut(late) => return Ok(Some(Outcome::TimedOut(late))),
                    HolderMessage::Exited(exited) => {
                        return Ok(Some(Outcome::Exited(exited.exit)));
                    }
                    _ => {}
                }
                Ok(None)
            })?;
            if let Some(outcome) = outcome {
                return Ok(outcome);
            }
            if typed && args.timeout.is_none() {
                limit = None;
            }
            self.speak();
            self.wait(limit)?;
        }
    }

    /// Says as much as there is room for.
    fn speak(&mut self) {
        loop {
            // All in one breath, if it can be: the session may end as soon as the last
            // key is there.
            while self.unsaid.len() < SAID_AT_ONCE && self.next_frame() {}
            if self.unsaid.is_empty() {
                return;
            }
            match self.connection.stream.write(&self.unsaid) {
                Ok(count) => drop(self.unsaid.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => {
                    // What it said last is still to be read.
                    self.deaf = true;
                    self.unsaid.clear();
                    return;
                }
            }
        }
    }

    /// Puts the next frame to where it is said from; false if there is none now.
    fn next_frame(&mut self) -> bool {
        let room = (self.taken + INPUT_CREDIT).saturating_sub(self.said);
        match self.pieces.front() {
            _ if self.deaf => return false,
            Some(Piece::Text(text)) => {
                let rest = &text[self.begun..];
                let count = rest.len().min(FRAME).min(usize::try_from(room).unwrap_or(FRAME));
                if count == 0 {
                    return false;
                }
                ClientMessage::Text(&rest[..count]).encode(&mut self.unsaid);
                self.said += count as u64;
                self.begun += count;
                if self.begun == text.len() {
                    self.begun = 0;
                    self.pieces.pop_front();
                }
            }
            Some(Piece::Key(key)) => {
                ClientMessage::from(*key).encode(&mut self.unsaid);
                self.pieces.pop_front();
            }
            None if self.unfinished => {
                ClientMessage::from(Sent {}).encode(&mut self.unsaid);
                self.unfinished = false;
            }
            None => return false,
        }
        true
    }

    /// Waits until the holder says something or can be told more.
    fn wait(&mut self, limit: Option<Instant>) -> Result<()> {
        let deadline = self.connection.deadline(limit);
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Err(Failure::unresponsive(&self.connection.name).into());
        }
        let stream = self.connection.stream.as_fd();
        let mut entries = [Entry::new(stream, true, !self.unsaid.is_empty())];
        poll::poll(&mut entries, left)?;
        if entries[0].ready.read {
            self.connection.read()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Item {
        Item::Text(text.into())
    }

    fn key(name: &str) -> Item {
        Item::Key(name.parse().unwrap())
    }

    fn typed(items: &[Item], from_stdin: &str, enter: bool) -> String {
        let show = |piece: &Piece| match piece {
            Piece::Text(text) => format!("[{}]", String::from_utf8_lossy(text)),
            Piece::Key(key) => format!("<{:?} {}>", key.code, key.mods),
        };
        pieces(items, from_stdin.as_bytes(), enter).iter().map(show).collect()
    }

    #[test]
    fn neighbouring_texts_are_joined_by_a_blank() {
        assert_eq!(
            typed(&[text("echo"), text("a  b"), text("")], "", true),
            "[echo a  b ]<Enter 0>"
        );
        assert_eq!(
            typed(&[text("a"), key("C-c"), text("b"), text("c"), key("S-Up")], "", false),
            "[a]<Char('c') 4>[b c]<Up 1>"
        );
    }

    #[test]
    fn standard_input_follows_as_it_is_and_enter_comes_last() {
        assert_eq!(typed(&[text("a")], "b\n", true), "[ab\n]<Enter 0>");
        assert_eq!(typed(&[key("C-a")], "b", false), "<Char('a') 4>[b]");
        assert_eq!(typed(&[], "", true), "<Enter 0>");
        assert_eq!(typed(&[text("")], "", false), "");
    }

    #[test]
    fn the_longest_line_ends_at_line_feeds_and_keys_that_end_one() {
        let longest = |items: &[Item]| longest_line(&pieces(items, b"", false));
        assert_eq!(longest(&[text("abc\ndefgh\rij")]), 5);
        assert_eq!(longest(&[text("abc"), key("Enter"), text("de")]), 3);
        assert_eq!(longest(&[text("abc"), key("C-d"), text("defg")]), 4);
        assert_eq!(longest(&[text("abc"), key("Up"), text("de")]), 13);
        assert_eq!(longest(&[]), 0);
    }

    #[test]
    fn bytes_are_counted_as_far_as_they_are_known() {
        let count = |items: &[Item]| bytes(&pieces(items, b"", false));
        assert_eq!(count(&[text("né"), key("Enter"), key("C-c"), key("M-x"), key("é")]), 9);
    }

    #[test]
    fn what_ends_a_paste_is_found() {
        let found = |text: &str| ends_a_paste(&Piece::Text(text.into()));
        assert!(found("a\x1b[201~b") && found("\x1b[201~"));
        assert!(!found("a\x1b[200~b") && !found("") && !found("\x1b[201"));
    }
}

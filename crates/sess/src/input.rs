//! What the user's terminal sends, cut into what the holder is told apart:
//! typing, what makes no leader, the terminal's answers, and the detach key.
//! Owns what is held back until it is complete, and for how long. Must not know
//! descriptors, clocks or messages.
//!
//! Bytes go in as they were read, split anywhere, and come out unchanged and in
//! order, but for the detach key. The one exception: while the first key of a
//! detach sequence waits for the next, which may take forever, the terminal's
//! answers and focus changes overtake it.

mod lexer;
mod sequence;

use std::borrow::Cow;
use std::time::Duration;

use crate::detach_key::{DetachKey, DetachWatch, Verdict};
use lexer::{ESC, Lexer, Step};
use sequence::Class;

/// How long what may still be a key is held: a person who presses Escape must
/// not notice.
const KEY_HOLD: Duration = Duration::from_millis(20);
/// How long what can only be an answer is held; the network may be slow.
const REPORT_HOLD: Duration = Duration::from_millis(500);
const PASTE_END: &[u8] = b"\x1b[201~";

/// A piece of input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// Text, keys, pastes, mouse buttons: whoever sends it leads.
    Typed(&'a [u8]),
    /// Focus changes and mouse motion: whoever sends it doesn't lead by that.
    Passive(&'a [u8]),
    /// One whole answer of the terminal.
    Report(&'a [u8]),
    /// The detach key.
    Detach,
}

/// Cuts input into [`Token`]s.
#[derive(Debug)]
pub(crate) struct InputSplitter {
    lexer: Lexer,
    watch: DetachWatch,
    /// The beginning of an unfinished sequence, from earlier reads.
    held: Vec<u8>,
    /// Within a bracketed paste: how much of its end has been seen.
    paste: Option<usize>,
}

impl InputSplitter {
    /// A splitter that watches for this key.
    pub(crate) fn new(key: DetachKey) -> Self {
        Self {
            lexer: Lexer::default(),
            watch: DetachWatch::new(key),
            held: Vec::new(),
            paste: None,
        }
    }

    /// Takes what a read brought and gives what is complete.
    pub(crate) fn feed(&mut self, bytes: &[u8], emit: &mut impl FnMut(Token<'_>)) {
        let mut read = Read { bytes, run: 0, start: 0 };
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if let Some(seen) = self.paste {
                at = self.skip_paste(bytes, at, seen);
                continue;
            }
            if self.lexer.is_idle() && !self.watch.has_begun() {
                let key = self.watch.byte();
                let matters = |byte: &u8| *byte == ESC || Some(*byte) == key;
                match bytes[at..].iter().position(matters) {
                    None => break,
                    Some(0) => {}
                    Some(skipped) => {
                        at += skipped;
                        continue;
                    }
                }
            }
            match self.lexer.step(byte) {
                Step::Text => {
                    read.start = at;
                    at += 1;
                    self.key(&mut read, Cow::Borrowed(&bytes[at - 1..at]), at, emit);
                }
                Step::Begin => {
                    read.start = at;
                    at += 1;
                }
                Step::More => at += 1,
                Step::Done => {
                    at += 1;
                    self.sequence(&mut read, at, emit);
                }
                Step::Broken => self.give_up(&mut read, emit),
                Step::BrokenByEsc => self.begin_again(&mut read, at, emit),
            }
        }
        if self.lexer.is_idle() {
            read.flush(bytes.len(), emit);
        } else {
            read.flush(read.start, emit);
            self.held.extend_from_slice(&bytes[read.start..]);
        }
    }

    /// How long from the last read on the unfinished is held; then it should
    /// [`expire`](Self::expire). Nothing if nothing is held, or only the
    /// beginning of a detach sequence, which has no time limit.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        match self.held.as_slice() {
            [] => None,
            [ESC, b'[', b'?' | b'>' | b'<', b'0'..=b'9', ..]
            | [ESC, b'[', b'2', b'0', b'0']
            | [ESC, b']' | b'P', _, ..]
            | [ESC, b'_', b'G', ..] => Some(REPORT_HOLD),
            _ => Some(KEY_HOLD),
        }
    }

    /// Passes on what was held for too long.
    pub(crate) fn expire(&mut self, emit: &mut impl FnMut(Token<'_>)) {
        if !self.held.is_empty() {
            self.lexer = Lexer::default();
            self.give_up(&mut Read { bytes: &[], run: 0, start: 0 }, emit);
        }
    }

    /// Finds the end of a paste, or of the read; nothing else matters within it.
    fn skip_paste(&mut self, bytes: &[u8], mut at: usize, mut seen: usize) -> usize {
        while seen < PASTE_END.len() {
            if seen == 0 {
                match bytes[at..].iter().position(|byte| *byte == ESC) {
                    Some(skipped) => at += skipped,
                    None => at = bytes.len(),
                }
            }
            let Some(&byte) = bytes.get(at) else {
                self.paste = Some(seen);
                return at;
            };
            seen = if byte == PASTE_END[seen] { seen + 1 } else { usize::from(byte == ESC) };
            at += 1;
        }
        self.paste = None;
        at
    }

    /// A sequence is complete, ending before `end`.
    fn sequence(&mut self, read: &mut Read<'_>, end: usize, emit: &mut impl FnMut(Token<'_>)) {
        let unit = self.unit(read, end);
        match sequence::classify(&unit) {
            Class::Key => self.key(read, unit, end, emit),
            Class::Passive => read.replace(end, Token::Passive(&unit), emit),
            Class::Report => read.replace(end, Token::Report(&unit), emit),
            Class::PasteStart => {
                self.give_back(read, emit);
                read.pass(unit, end, emit);
                self.paste = Some(0);
            }
        }
    }

    /// What began at `read.start` or in an earlier read, and ends before `end`.
    fn unit<'a>(&mut self, read: &Read<'a>, end: usize) -> Cow<'a, [u8]> {
        let here = &read.bytes[read.start..end];
        if self.held.is_empty() {
            return Cow::Borrowed(here);
        }
        let mut unit = std::mem::take(&mut self.held);
        unit.extend_from_slice(here);
        Cow::Owned(unit)
    }

    /// Somebody typed `unit`, one byte or one sequence.
    fn key(
        &mut self,
        read: &mut Read<'_>,
        unit: Cow<'_, [u8]>,
        end: usize,
        emit: &mut impl FnMut(Token<'_>),
    ) {
        match self.watch.judge(&unit) {
            Verdict::Pass => read.pass(unit, end, emit),
            Verdict::GiveBack(kept) => {
                read.insert(&kept, emit);
                read.pass(unit, end, emit);
            }
            Verdict::Keep => read.replace(end, Token::Typed(&[]), emit),
            Verdict::Replace(kept) => read.replace(end, Token::Typed(&kept), emit),
            Verdict::Detach(between) => {
                read.replace(end, Token::Typed(&between), emit);
                emit(Token::Detach);
            }
        }
    }

    /// What was held, and this read's bytes up to where it is looked at, are no
    /// sequence after all.
    fn give_up(&mut self, read: &mut Read<'_>, emit: &mut impl FnMut(Token<'_>)) {
        self.give_back(read, emit);
        read.insert(&std::mem::take(&mut self.held), emit);
    }

    /// As [`give_up`](Self::give_up), but that the last byte before `at` is an
    /// ESC, which may begin another sequence.
    fn begin_again(&mut self, read: &mut Read<'_>, at: usize, emit: &mut impl FnMut(Token<'_>)) {
        if at == 0 {
            self.held.pop();
        }
        self.give_up(read, emit);
        match at.checked_sub(1) {
            Some(esc) => read.start = esc,
            None => self.held.push(ESC),
        }
    }

    /// The beginning of a detach sequence, if there is one, wasn't one.
    fn give_back(&mut self, read: &mut Read<'_>, emit: &mut impl FnMut(Token<'_>)) {
        if self.watch.has_begun() {
            read.insert(&self.watch.give_back(), emit);
        }
    }
}

/// A read that is being cut.
struct Read<'a> {
    bytes: &'a [u8],
    /// From here on bytes are typed ones that have not been emitted: those of
    /// many keys together, since nobody needs them apart.
    run: usize,
    /// Where the sequence that is looked at began; 0 if in an earlier read.
    start: usize,
}

impl Read<'_> {
    /// Emits the run up to `end`.
    fn flush(&mut self, end: usize, emit: &mut impl FnMut(Token<'_>)) {
        typed(&self.bytes[self.run..end], emit);
        self.run = end;
    }

    /// Emits typed bytes from elsewhere that belong before the sequence.
    fn insert(&mut self, bytes: &[u8], emit: &mut impl FnMut(Token<'_>)) {
        self.flush(self.start, emit);
        typed(bytes, emit);
    }

    /// The sequence is typed and stays in the run, if it is in this read.
    fn pass(&mut self, unit: Cow<'_, [u8]>, end: usize, emit: &mut impl FnMut(Token<'_>)) {
        if let Cow::Owned(unit) = unit {
            self.replace(end, Token::Typed(&unit), emit);
        }
    }

    /// Emits `token` for what began at `start` and ends before `end`.
    fn replace(&mut self, end: usize, token: Token<'_>, emit: &mut impl FnMut(Token<'_>)) {
        self.flush(self.start, emit);
        if token != Token::Typed(&[]) {
            emit(token);
        }
        self.run = end;
    }
}

fn typed(bytes: &[u8], emit: &mut impl FnMut(Token<'_>)) {
    if !bytes.is_empty() {
        emit(Token::Typed(bytes));
    }
}

#[cfg(test)]
mod tests;

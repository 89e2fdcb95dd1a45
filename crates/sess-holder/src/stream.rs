//! The program's output: the journal, and the screen that follows it.
//!
//! The screen is not on the hot path: it catches up when somebody asks, when the
//! program is quiet, in the pauses of a flood, or when half the journal is
//! unread. While it does, it marks which history line belongs to which offset, so that
//! a reader who falls behind is later given just the lines that it missed. Knows nothing
//! of clients or time.

use std::collections::VecDeque;

use sess_screen::{Notification, QueryKind, Reply, Screen, Size, WrittenLine};

use crate::journal::Journal;
use crate::record::Output;

/// How far apart marks are at most while somebody follows, in bytes. The larger
/// the pieces, the more of a flood the screen can take past its grid.
const MARK_EVERY: u64 = 32 * 1024;

/// How far the screen may stay behind while more output comes, in bytes: so much
/// it takes faster at once.
const LAG: u64 = 64 * 1024;
/// How much it takes in a pause: not so much that the pause is over by long.
const PAUSE_STEP: u64 = 8 * 1024;

/// Where in the output a history line ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    offset: u64,
    /// The number of the line that is next to scroll off.
    line: u64,
}

/// What a program did to be noticed.
#[derive(Debug)]
pub struct Notices {
    /// How often the bell rang.
    pub bells: u64,
    /// What it has told.
    pub notifications: Vec<Notification>,
}

/// The output of one program.
pub struct Stream {
    journal: Journal,
    screen: Screen,
    /// How far the screen has come.
    parsed: u64,
    /// Ascending; the last one is at `parsed`.
    marks: VecDeque<Mark>,
}

impl Stream {
    /// A stream that nothing has come from yet.
    pub fn new(journal: usize, size: Size, history: usize) -> Self {
        Self {
            journal: Journal::new(journal),
            screen: Screen::new(size, history),
            parsed: 0,
            marks: VecDeque::from([Mark { offset: 0, line: 0 }]),
        }
    }

    /// A stream that goes on where another has ended.
    pub fn resumed(journal: usize, output: &Output, history: usize) -> Self {
        let mut screen = output.screen(history);
        // What was asked then was answered then.
        screen.take_replies();
        screen.take_bells();
        screen.take_notifications();
        let (parsed, line) = (output.end(), screen.history().end);
        Self {
            journal: Journal::resumed(journal, parsed, &output.raw),
            screen,
            parsed,
            marks: VecDeque::from([Mark { offset: parsed, line }]),
        }
    }

    /// Bytes that are kept raw at most.
    pub fn capacity(&self) -> u64 {
        self.journal.capacity() as u64
    }

    /// The offset of the next byte to come.
    pub fn head(&self) -> u64 {
        self.journal.head()
    }

    /// The offset of the oldest byte that is kept.
    pub fn tail(&self) -> u64 {
        self.journal.tail()
    }

    /// The bytes from `from` to `to`, both within what is kept.
    pub fn bytes(&self, from: u64, to: u64) -> Vec<u8> {
        self.journal.read(from, to).concat()
    }

    /// A place for the next bytes, at most `limit`. Nothing that the screen has
    /// not seen is overwritten.
    pub fn room(&mut self, limit: usize, readers: &mut dyn Iterator<Item = u64>) -> &mut [u8] {
        let limit = limit.min(self.journal.capacity() / 2);
        if self.head() - self.parsed > (self.journal.capacity() / 2) as u64 {
            self.catch_up(readers);
        }
        let room = self.journal.room();
        let count = room.len().min(limit);
        &mut room[..count]
    }

    /// The tail that the journal will have after `count` more bytes.
    pub fn tail_after(&self, count: usize) -> u64 {
        (self.head() + count as u64).saturating_sub(self.journal.capacity() as u64)
    }

    /// Takes the first `count` bytes of the room.
    pub fn commit(&mut self, count: usize) {
        self.journal.commit(count);
    }

    /// Whether the screen shows what there is at the head.
    pub fn is_caught_up(&self) -> bool {
        self.parsed == self.head() && self.screen.is_settled()
    }

    /// Whether there is output that the screen has not taken.
    pub fn has_unread(&self) -> bool {
        self.parsed < self.head()
    }

    /// Whether the screen is so far behind that a pause should be used.
    pub fn is_behind(&self) -> bool {
        self.head() - self.parsed > LAG
    }

    /// Brings the screen to the head. `readers` are the offsets of those who
    /// follow the journal: each gets a mark.
    pub fn catch_up(&mut self, readers: &mut dyn Iterator<Item = u64>) {
        self.follow(self.head(), readers);
        self.screen.settle();
    }

    /// A screen that shows what there is at the head, without history: it costs less than
    /// to [catch up](Stream::catch_up).
    pub fn screenful(&mut self, readers: &mut dyn Iterator<Item = u64>) -> Screen {
        self.follow(self.head(), readers);
        self.screen.screenful()
    }

    /// Brings the screen a step nearer to the head; what it shows is not in order before
    /// [`Stream::catch_up`].
    pub fn use_pause(&mut self, readers: &mut dyn Iterator<Item = u64>) {
        self.follow(self.head().min(self.parsed + PAUSE_STEP), readers);
    }

    fn follow(&mut self, end: u64, readers: &mut dyn Iterator<Item = u64>) {
        if self.parsed == end {
            return;
        }
        let mut followed = false;
        let readers = readers.inspect(|_| followed = true);
        let mut cuts: Vec<u64> = readers.filter(|&at| self.parsed < at && at < end).collect();
        let step = if followed { MARK_EVERY } else { u64::MAX };
        cuts.sort_unstable();
        cuts.dedup();
        let mut cuts = cuts.into_iter().chain([end]).peekable();
        while let Some(&cut) = cuts.peek() {
            let to = cut.min(self.parsed.saturating_add(step));
            for piece in self.journal.read(self.parsed, to) {
                self.screen.feed_ahead(piece);
            }
            self.parsed = to;
            self.marks.push_back(Mark { offset: to, line: self.screen.next_line() });
            if to == cut {
                cuts.next();
            }
        }
    }

    /// Drops the marks before `offset`, which nobody will ask for again.
    pub fn forget_marks(&mut self, offset: u64) {
        let offset = offset.min(self.parsed);
        while self.marks.front().is_some_and(|mark| mark.offset < offset) {
            self.marks.pop_front();
        }
    }

    /// The number of the history line next to scroll off at `offset`, which is
    /// one that [`Stream::chunk`] ended at, or the screen's.
    pub fn line_at(&self, offset: u64) -> u64 {
        let index = self.marks.partition_point(|mark| mark.offset <= offset);
        match index.checked_sub(1) {
            Some(index) => self.marks[index].line,
            None => self.screen.next_line(),
        }
    }

    /// Bytes for somebody who follows from `from`, at most `limit`: they end
    /// where the line number is known, or ahead of the screen.
    pub fn chunk(&self, from: u64, to: u64, limit: usize) -> [&[u8]; 2] {
        let mut end = to.min(from + limit as u64);
        if end < self.parsed {
            let index = self.marks.partition_point(|mark| mark.offset <= end);
            if let Some(mark) = index.checked_sub(1).map(|index| self.marks[index])
                && mark.offset > from
            {
                end = mark.offset;
            }
        }
        self.journal.read(from, end)
    }

    /// The screen as of the last [`Stream::catch_up`].
    pub fn screen(&self) -> &Screen {
        &self.screen
    }

    /// The questions seen since the last call, each with its offset.
    pub fn questions(&mut self) -> Vec<(u64, QueryKind, Vec<u8>)> {
        let replies = self.screen.take_replies().into_iter();
        replies.map(|Reply { offset, kind, bytes }| (offset, kind, bytes)).collect()
    }

    /// Remembers what a terminal's answer says of its colours, for the time when
    /// none is there to answer.
    pub fn learn(&mut self, report: &[u8]) {
        self.screen.learn_colour(report);
    }

    /// The lines that the output makes since that offset, of all that is kept raw:
    /// also those that are no longer in the history.
    pub fn lines_again(&self, since: u64) -> Vec<WrittenLine> {
        let tail = self.tail();
        let output = self.journal.read(tail, self.head());
        WrittenLine::of_output(self.screen.size(), &output, since.saturating_sub(tail))
    }

    /// Keeps the history's lines from that number on, however many are to be kept
    /// else.
    pub fn hold_history(&mut self, from: Option<u64>) {
        self.screen.hold_history(from);
    }

    /// What the program did to be noticed since the last call.
    pub fn take_notices(&mut self) -> Notices {
        Notices { bells: self.screen.take_bells(), notifications: self.screen.take_notifications() }
    }

    /// Gives the terminal another size, from the head on. The screen must have
    /// caught up.
    pub fn resize(&mut self, size: Size) {
        debug_assert!(self.is_caught_up(), "a resize has its place among the bytes");
        self.screen.resize(size);
        let line = self.screen.history().end;
        if let Some(last) = self.marks.back_mut() {
            last.line = line;
        }
    }
}

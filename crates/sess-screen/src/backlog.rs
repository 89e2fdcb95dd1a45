//! Backlogs: lines of text and colours of which so many follow at once that nobody can
//! see them any more. Such lines wait as they came until somebody looks: those that the
//! history has no room for are never read, the others go there past the grid, and only
//! the last screenful is printed. It knows nothing of how the history keeps lines.

use std::collections::VecDeque;

use crate::cell::Cell;
use crate::feed::printable;
use crate::grid::Margins;
use crate::history::History;
use crate::marks::Marks;
use crate::params::{Csi, Short, quick_csi};
use crate::pen::Pen;
use crate::screen::Screen;
use crate::style::attr;
use crate::styled_line::Run;
use crate::tally::{End, Line, Tally};

/// More than this is not left waiting, in bytes.
const MOST_WAITING: usize = 2 << 20;
/// So many lines that nobody will see are kept before they are dropped at once: one in
/// so many of those that the history keeps.
const SLACK: usize = 8;

/// What was taken and is not on the grid yet, which is blank.
#[derive(Clone, Debug, Default)]
pub(crate) struct Backlog {
    bytes: VecDeque<u8>,
    /// The offset of the first byte.
    origin: u64,
    /// The id of the pen there.
    pen: u16,
    /// The lines that are complete.
    lines: VecDeque<Line>,
    /// The rows that they take.
    rows: u64,
    tally: Tally,
    /// So many bytes at the end are half a sequence, which was not looked at.
    half: usize,
}

impl Screen {
    /// Whether the screen shows all that was taken ([`Screen::feed_ahead`]).
    pub fn is_settled(&self) -> bool {
        self.backlog.bytes.is_empty()
    }

    /// Takes lines from the start of `bytes` if there are more of them than the screen
    /// has rows: all that stands there, or all before the first that is none of their
    /// kind; these are on the grid then. Returns how many bytes were taken, and how many
    /// need not be looked at again. `start` is the offset of the first.
    pub(crate) fn take_backlog(&mut self, bytes: &[u8], start: u64) -> (usize, usize) {
        let rows = self.rows();
        // Short of that it can't pay, and the conditions need no look.
        if bytes.len() < rows * 3 {
            return (0, bytes.len());
        }
        let pen = self.pen.style;
        let simple = self.alternate == 0
            && self.margins == Margins::full(self.cols(), rows)
            && self.modes.autowrap()
            && !self.modes.insert
            && self.charsets.is_ascii()
            && self.interned.styles.get(self.pen.id) == pen
            && pen.attrs & attr::PROTECTED == 0
            && pen.link == 0
            && self.cursor.y + 1 == rows
            && self.grid.rows[rows - 1].cells.is_empty()
            && self.grid.rows[rows - 1].marks == Marks::NONE;
        if !simple {
            return (0, 0);
        }
        let tally = Tally::new(self.cols(), pen);
        let mut backlog = Backlog { origin: start, pen: self.pen.id, tally, ..Backlog::default() };
        let (taken, end) = backlog.add(bytes);
        if backlog.lines.len() < rows {
            return (0, taken.max(1));
        }
        self.clear_into_history();
        self.wait(backlog, end);
        (taken, taken)
    }

    /// Takes more after a backlog that waits; returns how many bytes. If not all of them,
    /// nothing waits any more.
    pub(crate) fn add_to_backlog(&mut self, bytes: &[u8]) -> usize {
        let mut backlog = std::mem::take(&mut self.backlog);
        let (taken, end) = backlog.add(bytes);
        self.wait(backlog, end);
        taken
    }

    /// Leaves what was taken waiting; where `end` says that something else follows, or
    /// where it is too much, it is put on the grid.
    fn wait(&mut self, mut backlog: Backlog, end: End) {
        self.offset = backlog.origin + backlog.bytes.len() as u64;
        let kept = self.history.limit() as usize + self.rows();
        let is_held = self.history.holds_next(backlog.rows);
        if !is_held && backlog.lines.len() > kept + kept / SLACK {
            self.drop_unseen(&mut backlog, kept);
        }
        let is_too_much = backlog.bytes.len() > MOST_WAITING;
        self.backlog = backlog;
        if end == End::Other || is_too_much {
            self.settle();
        }
    }

    /// The rows on the screen scroll off; the last is empty.
    fn clear_into_history(&mut self) {
        let (rows, cols) = (self.rows(), self.cols());
        for row in self.grid.rows.range(..rows - 1) {
            self.history.push(row, cols, &self.interned);
        }
        self.grid.clear(Cell::BLANK);
        self.cursor.y = 0;
        self.cursor.pending = false;
        self.last_char = None;
    }

    /// Drops lines at the front that neither the screen nor the history will have; `kept`
    /// stay.
    fn drop_unseen(&mut self, backlog: &mut Backlog, kept: usize) {
        let count = backlog.lines.len() - kept;
        let start = backlog.start_of(count);
        backlog.pen = self.pen_at(backlog, count, start);
        backlog.bytes.drain(..start);
        backlog.origin += start as u64;
        let rows = backlog.lines.drain(..count).map(|line| u64::from(line.rows)).sum();
        backlog.rows -= rows;
        self.history.skip(rows, backlog.origin);
    }

    /// The id of the pen that a line begins with, which stands at `start`.
    fn pen_at(&mut self, backlog: &Backlog, line: usize, start: usize) -> u16 {
        let (mut known, mut from) = (line, start);
        while known > 0 && !backlog.begins_default(known) {
            known -= 1;
            from -= backlog.lines[known].len as usize;
        }
        let is_default = backlog.begins_default(known);
        self.set_pen_id(if is_default { 0 } else { backlog.pen });
        let before = backlog.bytes.range(from..start).copied().collect::<Vec<_>>();
        self.read_line(&before, 0, &mut Vec::new());
        self.make_room_for_styles();
        self.pen.id
    }

    /// A screen that shows the same and has no history; not even what waits here is
    /// read for it but the last lines.
    #[must_use]
    pub fn screenful(&mut self) -> Screen {
        let history = std::mem::replace(&mut self.history, History::new(0));
        let backlog = std::mem::take(&mut self.backlog);
        let mut copy = self.clone();
        self.history = history;
        if !backlog.bytes.is_empty() {
            let first = backlog.lines.len() - (self.rows() - 1);
            let start = backlog.start_of(first);
            let pen = copy.pen_at(&backlog, first, start);
            copy.set_pen_id(pen);
            copy.offset = backlog.origin + start as u64;
            let last = backlog.bytes.range(start..).copied().collect::<Vec<_>>();
            copy.feed_now(&last);
        }
        self.backlog = backlog;
        copy
    }

    /// Puts everything where it belongs, to the history and on the grid.
    pub fn settle(&mut self) {
        if self.is_settled() {
            return;
        }
        let Backlog { mut bytes, origin, pen, lines, .. } = std::mem::take(&mut self.backlog);
        let mut rest: &[u8] = bytes.make_contiguous();
        let mut at = origin;
        self.set_pen_id(pen);
        let mut runs = Vec::new();
        let unseen = lines.len().saturating_sub(self.rows() - 1);
        for line in lines.range(..unseen) {
            // Between lines, for what was read of one names styles by their ids.
            self.make_room_for_styles();
            let (text, more) = rest.split_at(line.len as usize);
            self.read_line(text, at, &mut runs);
            self.line_to_history(text, &mut runs);
            at += text.len() as u64;
            rest = more;
        }
        self.offset = at;
        self.feed_now(rest);
    }

    /// The number of the line that is next to scroll off: `history().end`, and what
    /// waits for [`Screen::settle`].
    pub fn next_line(&self) -> u64 {
        let waiting =
            if self.is_settled() { 0 } else { self.backlog.rows + self.backlog.tally.open_rows() };
        self.history.range().end + waiting.saturating_sub(self.rows() as u64)
    }

    /// The runs of a line, whose first byte is at that offset; the pen goes along.
    fn read_line(&mut self, line: &[u8], offset: u64, runs: &mut Vec<Run>) {
        runs.clear();
        let mut csi = Csi::new();
        let mut at = 0;
        while at < line.len() {
            let len = printable(&line[at..]);
            if len > 0 {
                let style = self.pen.id;
                runs.push(Run { at, len, style, written: offset + (at + len) as u64 });
                at += len;
            }
            at += match line.get(at) {
                Some(0x1b) => self.change_colour(&line[at..], &mut csi),
                _ => 1,
            };
        }
    }

    /// Carries out the colour sequence that `bytes` begin with; returns its length.
    fn change_colour(&mut self, bytes: &[u8], csi: &mut Csi) -> usize {
        let short = Short::at(bytes);
        if let Some(short) = short
            && let Some(pen) = self.known_pen(short)
        {
            self.pen = pen;
            return 2 + short.len;
        }
        let Some(len) = quick_csi(bytes, csi) else { return 1 };
        self.change_pen(&csi.params, short);
        len
    }

    /// A line that was read scrolls off, row by row.
    fn line_to_history(&mut self, text: &[u8], runs: &mut [Run]) {
        let cols = self.cols();
        let mut rest = runs;
        loop {
            let (mut count, mut room) = (0, cols);
            while count < rest.len() && rest[count].len <= room {
                room -= rest[count].len;
                count += 1;
            }
            if count == rest.len() {
                self.history.push_runs(text, rest, false, &self.interned);
                return;
            }
            if room == 0 {
                self.history.push_runs(text, &rest[..count], true, &self.interned);
                rest = &mut rest[count..];
                continue;
            }
            // One run goes on in the next row.
            let whole = rest[count];
            rest[count].len = room;
            self.history.push_runs(text, &rest[..=count], true, &self.interned);
            rest[count] = Run { at: whole.at + room, len: whole.len - room, ..whole };
            rest = &mut rest[count..];
        }
    }

    /// Writes from now on with the style of that id.
    fn set_pen_id(&mut self, id: u16) {
        self.pen = Pen { style: self.interned.styles.get(id), id };
    }
}

impl Backlog {
    /// Where a line begins, or the one that is not complete.
    fn start_of(&self, line: usize) -> usize {
        self.lines.range(..line).map(|line| line.len as usize).sum()
    }

    /// Whether it, or the one that is not complete, surely begins with the default pen.
    fn begins_default(&self, line: usize) -> bool {
        self.lines.get(line).map_or(self.tally.begins_default(), |line| line.begins_default)
    }

    /// Takes as much of `bytes` as can wait; says how much that is, and why no more.
    fn add(&mut self, bytes: &[u8]) -> (usize, End) {
        let known = self.lines.len();
        let (taken, end) = self.take(bytes);
        self.rows += self.lines.range(known..).map(|line| u64::from(line.rows)).sum::<u64>();
        (taken, end)
    }

    fn take(&mut self, bytes: &[u8]) -> (usize, End) {
        let mut at = 0;
        if self.half > 0 {
            // The other half first.
            let more = &bytes[..bytes.len().min(Tally::LONGEST)];
            let start = self.bytes.len() - self.half;
            let mut whole = self.bytes.range(start..).copied().collect::<Vec<u8>>();
            whole.extend_from_slice(more);
            let (read, end) = self.tally.read(&whole, &mut self.lines);
            at = read.saturating_sub(self.half);
            if at == 0 {
                let taken = if end == End::All { more.len() } else { 0 };
                self.bytes.extend(&more[..taken]);
                self.half += taken;
                return (taken, end);
            }
            self.bytes.extend(&more[..at]);
        }
        let (read, end) = self.tally.read(&bytes[at..], &mut self.lines);
        let taken = if end == End::All { bytes.len() } else { at + read };
        self.half = taken - at - read;
        self.bytes.extend(&bytes[at..taken]);
        (taken, end)
    }
}

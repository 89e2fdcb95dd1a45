//! Backlogs: lines of which so many follow at once that nobody can see them any
//! more go straight to the history, past the grid. Knows nothing of how the
//! history keeps them.

use crate::cell::Cell;
use crate::feed::printable;
use crate::grid::Margins;
use crate::marks::Marks;
use crate::screen::Screen;
use crate::style::Style;

impl Screen {
    /// Takes lines from the start of `bytes` of which more follow there than the
    /// screen has rows, leaving as many as fill the screen. Returns how many bytes
    /// were taken, and how many need not be looked at again. `start` is the offset of
    /// the first.
    pub(crate) fn take_backlog(&mut self, bytes: &[u8], start: u64) -> (usize, usize) {
        let rows = self.rows();
        // Short of that it can't pay, and the conditions need no look.
        if bytes.len() < rows * 4 {
            return (0, bytes.len());
        }
        let simple = self.alternate == 0
            && self.margins == Margins::full(self.cols(), rows)
            && self.modes.autowrap()
            && !self.modes.insert
            && self.charsets.is_ascii()
            && self.pen.style == Style::DEFAULT
            && self.cursor.y + 1 == rows
            && self.grid.rows[rows - 1].cells.is_empty()
            && self.grid.rows[rows - 1].marks == Marks::NONE;
        if !simple {
            return (0, 0);
        }
        let (lines, seen) = plain_lines(bytes);
        // What is left must fill all rows but the last, which is empty.
        match lines.checked_sub(rows - 1).filter(|&skipped| skipped >= rows) {
            Some(skipped) => (self.take_plain(bytes, skipped, start), seen),
            None => (0, seen),
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
    }

    /// Takes that many lines of plain text; returns their length.
    fn take_plain(&mut self, bytes: &[u8], lines: usize, start: u64) -> usize {
        self.clear_into_history();
        let cols = self.cols();
        let mut rest = bytes;
        let mut left = lines;
        // Of what more lines follow than are kept, only the number is.
        let mut forgotten = 0;
        while left as u64 > self.history.limit() {
            let end = memchr::memchr(b'\r', rest).unwrap_or(rest.len());
            let rows = end.div_ceil(cols).max(1) as u64;
            if self.history.holds_next(forgotten + rows) {
                break;
            }
            forgotten += rows;
            rest = &rest[end + 2..];
            left -= 1;
        }
        if forgotten > 0 {
            let taken = bytes.len() - rest.len();
            self.history.skip(forgotten, start + taken as u64);
        }
        for _ in 0..left {
            let end = memchr::memchr(b'\r', rest).unwrap_or(rest.len());
            let mut line = &rest[..end];
            // Nothing is written to an empty one.
            let at = if end == 0 { 0 } else { start + (bytes.len() - rest.len() + end) as u64 };
            while line.len() > cols {
                let (row, more) = line.split_at(cols);
                self.history.push_plain(row, true, at);
                line = more;
            }
            self.history.push_plain(line, false, at);
            rest = &rest[end + 2..];
        }
        bytes.len() - rest.len()
    }
}

/// How many lines of printable ASCII, each ended by CR LF, stand at the start,
/// and where they end.
fn plain_lines(bytes: &[u8]) -> (usize, usize) {
    let mut lines = 0;
    let mut at = 0;
    loop {
        let end = at + printable(&bytes[at..]);
        if bytes.get(end..end + 2) != Some(b"\r\n") {
            return (lines, at.max(1));
        }
        lines += 1;
        at = end + 2;
    }
}

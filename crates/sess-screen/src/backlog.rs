//! Backlogs: lines of which so many follow at once that nobody can see them any
//! more go straight to the history, past the grid. Knows nothing of how the
//! history keeps them.

use crate::cell::Cell;
use crate::feed::printable;
use crate::grid::Margins;
use crate::params::quick_csi;
use crate::screen::Screen;
use crate::sgr;
use crate::style::Style;

/// A piece of a line in one style.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment<'a> {
    /// Printable ASCII.
    pub text: &'a [u8],
    /// The id of its style on the screen.
    pub style: u16,
    /// Whether a blank in it can't be seen.
    pub hides: bool,
}

impl Screen {
    /// Takes lines from the start of `bytes` of which more follow there than the
    /// screen has rows, leaving as many as fill the screen. Returns how many bytes
    /// were taken, and how many need not be looked at again.
    pub(crate) fn take_backlog(&mut self, bytes: &[u8]) -> (usize, usize) {
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
            && self.grid.rows[rows - 1].cells.is_empty();
        if !simple {
            return (0, 0);
        }
        let (lines, seen) = plain_lines(bytes);
        // What is left must fill all rows but the last, which is empty.
        match lines.checked_sub(rows - 1).filter(|&skipped| skipped >= rows) {
            Some(skipped) => (self.take_plain(bytes, skipped), seen),
            None => self.take_coloured(bytes, seen),
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
    fn take_plain(&mut self, bytes: &[u8], lines: usize) -> usize {
        self.clear_into_history();
        let cols = self.cols();
        let mut rest = bytes;
        let mut left = lines;
        // Of what more lines follow than are kept, only the number is.
        let mut forgotten = 0;
        while left as u64 > self.history.limit() {
            let end = memchr::memchr(b'\r', rest).unwrap_or(rest.len());
            forgotten += end.div_ceil(cols).max(1) as u64;
            rest = &rest[end + 2..];
            left -= 1;
        }
        if forgotten > 0 {
            self.history.skip(forgotten);
        }
        for _ in 0..left {
            let end = memchr::memchr(b'\r', rest).unwrap_or(rest.len());
            let mut line = &rest[..end];
            while line.len() > cols {
                let (row, more) = line.split_at(cols);
                self.history.push_plain(row, true);
                line = more;
            }
            self.history.push_plain(line, false);
            rest = &rest[end + 2..];
        }
        bytes.len() - rest.len()
    }

    /// Takes lines of text and colours that begin and end with the default pen
    /// and are narrower than the screen. Returns as [`Screen::take_backlog`].
    fn take_coloured(&mut self, bytes: &[u8], plain: usize) -> (usize, usize) {
        let rows = self.rows();
        let mut segments = Vec::new();
        // Whether it pays is seen before anything is moved.
        let mut ahead = 0;
        for _ in 0..2 * rows {
            match self.coloured_line(&bytes[ahead..], &mut segments) {
                Some(len) => ahead += len,
                None => return (0, ahead.max(plain)),
            }
        }
        self.clear_into_history();
        // The lines that will be left, as where they start.
        let mut last = std::collections::VecDeque::with_capacity(rows);
        let mut at = 0;
        while let Some(len) = self.coloured_line(&bytes[at..], &mut segments) {
            self.history.push_segments(&segments, &self.interned);
            last.push_back(at);
            if last.len() == rows {
                last.pop_front();
            }
            at += len;
        }
        self.history.take_back(last.len());
        (last.front().copied().unwrap_or(at), at)
    }

    /// The segments of the line at the start of `bytes`, and its length with its
    /// end; `None` if it isn't of that kind, or not whole.
    fn coloured_line<'a>(
        &mut self,
        bytes: &'a [u8],
        segments: &mut Vec<Segment<'a>>,
    ) -> Option<usize> {
        segments.clear();
        // Now, for the segments of this line hold ids.
        self.make_room_for_styles();
        let (mut at, mut width) = (0, 0);
        let mut style = Style::DEFAULT;
        let (mut id, mut hides) = (0, true);
        loop {
            match *bytes.get(at)? {
                0x20..=0x7e => {
                    let run = printable(&bytes[at..]);
                    width += run;
                    if width >= self.cols() {
                        return None;
                    }
                    segments.push(Segment { text: &bytes[at..at + run], style: id, hides });
                    at += run;
                }
                0x1b => {
                    let (csi, len) = quick_csi(&bytes[at..])?;
                    if (csi.prefix, csi.intermediate, csi.end) != (0, 0, b'm') {
                        return None;
                    }
                    sgr::apply(&mut style, &csi.params);
                    (id, hides) = (self.interned.styles.intern(style), style.hides_blanks());
                    at += len;
                }
                b'\r' if style == Style::DEFAULT && bytes.get(at + 1) == Some(&b'\n') => {
                    return Some(at + 2);
                }
                _ => return None,
            }
        }
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

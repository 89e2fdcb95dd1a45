//! Lines as they are looked at by those who wait for a text: soft-wrapped rows
//! joined, and only what was written to since they looked last. It knows nothing of
//! who waits, or for what.

use crate::cell::{GAP, SPACER};
use crate::chunk::WRAPPED;
use crate::row::Row;
use crate::screen::Screen;
use crate::size::Size;

/// Of a line longer than so many rows only the last of them are joined.
const LONGEST: u64 = 1000;

/// A line of text with its soft wraps joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenLine {
    /// The text, without blanks at its end.
    pub text: String,
    /// How many blanks there were; on the screen, for the history keeps none.
    pub blanks: usize,
    /// The output's offset just behind the latest byte written to it.
    pub written: u64,
}

impl WrittenLine {
    /// The lines that output makes on a blank screen, of those written to since the
    /// offset `since` in it.
    pub fn of_output(size: Size, output: &[&[u8]], since: u64) -> Vec<WrittenLine> {
        let mut screen = Screen::new(size, 0);
        screen.hold_history(Some(0));
        for piece in output {
            screen.feed(piece);
        }
        screen.lines_since(0, since, true)
    }
}

impl Screen {
    /// The lines written to since the offset `since`, in order: those of the history
    /// from number `first` on that are complete, and with `shown` also those on the
    /// screen. A line counts with all of its rows, wherever `first` falls among them.
    ///
    /// One that begins in the history and goes on on the screen is one of the
    /// screen's; while the alternate screen is shown it is none.
    pub fn lines_since(&self, first: u64, since: u64, shown: bool) -> Vec<WrittenLine> {
        let history = self.history.range();
        let first = self.history.first_since(first, since);
        let mut at = first.clamp(history.start, history.end);
        let earliest = history.start.max(at.saturating_sub(LONGEST));
        while at > earliest && self.history.is_wrapped(at - 1) {
            at -= 1;
        }
        let end = history.end + if shown { self.rows() as u64 } else { 0 };
        // Rows from here on go on with a line of the history's.
        let screen_joins = shown && self.alternate == 0;
        let mut lines = Vec::new();
        while at < end {
            let start = at;
            let mut written = 0;
            let mut wrapped = true;
            while wrapped && at < end && (at != history.end || start == at || screen_joins) {
                let row = self.written_row(at);
                written = row.0.max(written);
                wrapped = row.1;
                at += 1;
            }
            let is_hidden = wrapped && at == history.end && !screen_joins;
            if written > since && !is_hidden {
                let mut text = self.joined(start.max(at.saturating_sub(LONGEST)), at);
                let shown = text.trim_end_matches(' ').len();
                let blanks = text.len() - shown;
                text.truncate(shown);
                lines.push(WrittenLine { text, blanks, written });
            }
        }
        lines
    }

    /// What is said of a row, by its number in the history or, from the history's end
    /// on, on the screen: just behind the latest byte written to it, and whether the
    /// next goes on with it.
    fn written_row(&self, number: u64) -> (u64, bool) {
        if let Some((_, line)) = self.history.line(number) {
            return (line.written, line.flags & WRAPPED != 0);
        }
        self.shown_row(number).map_or((0, false), |row| (row.written, row.wrapped))
    }

    fn shown_row(&self, number: u64) -> Option<&Row> {
        self.grid.rows.get((number - self.history.range().end) as usize)
    }

    /// The text of rows of one line, numbered as above.
    fn joined(&self, start: u64, end: u64) -> String {
        let mut text = Vec::new();
        for number in start..end {
            if let Some((_, line)) = self.history.line(number) {
                text.extend_from_slice(line.text);
            } else if let Some(row) = self.shown_row(number) {
                for cell in row.cells.iter().filter(|cell| !cell.is(SPACER | GAP)) {
                    self.interned.push_text(*cell, &mut text);
                }
                if row.wrapped {
                    // Full to the edge, as it will be in the history.
                    let missing = self.cols().saturating_sub(row.cells.len());
                    text.resize(text.len() + missing, b' ');
                }
            }
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}

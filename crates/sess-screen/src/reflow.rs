//! Rows of one width as rows of another: soft-wrapped ones are joined and wrapped
//! anew, and places in them stay on their characters. It knows nothing of the
//! history, or of how many rows a screen has.

use crate::cell::{Cell, GAP, SPACER, WIDE};
use crate::interned::Interned;
use crate::marks::Marks;
use crate::row::Row;
use crate::screen::Cursor;
use crate::style::Colour;

/// A line as it was written, however many rows it takes.
#[derive(Default)]
struct Written {
    cells: Vec<Cell>,
    /// The style of the coloured blanks from its end to the edge.
    fill: Option<u16>,
    /// What the shell said of its rows.
    marks: Marks,
    /// Just behind the latest byte written to any of its rows.
    latest: u64,
    /// It goes on, but not in these rows.
    goes_on: bool,
}

/// Wraps rows for a width of `cols`. Those that run on are full to the edge they
/// had, coloured tails reach `from` columns. `places` are positions in them.
pub(crate) fn reflow(
    rows: impl IntoIterator<Item = Row>,
    (from, cols): (usize, usize),
    places: &mut [Cursor],
    interned: &Interned,
) -> Vec<Row> {
    let mut wrapped = Vec::new();
    let mut line = Written::default();
    // Which places are in the line, as offsets into it.
    let mut offsets: Vec<(usize, usize)> = Vec::new();
    let old = places.to_vec();
    let mut rows = rows.into_iter().enumerate().peekable();
    while let Some((y, row)) = rows.next() {
        let here = old.iter().enumerate().filter(|(_, place)| place.y == y);
        let start = line.cells.len();
        offsets.extend(here.map(|(i, place)| (i, start + place.x + usize::from(place.pending))));
        let goes_on = row.wrapped;
        let gap = rows.peek().is_some_and(|(_, next)| interned.begins_wide(next.get(0)));
        line.append(row, from, gap, interned);
        if goes_on && rows.peek().is_some() {
            continue;
        }
        line.goes_on = goes_on;
        let first = wrapped.len();
        let starts = std::mem::take(&mut line).wrap(cols, &mut wrapped);
        for (place, offset) in offsets.drain(..) {
            let row = starts.partition_point(|&start| start <= offset).max(1) - 1;
            let x = offset - starts[row];
            // Behind the last character of a full row it hangs there.
            let pending = x == cols && offset == starts[row] + wrapped[first + row].cells.len();
            places[place] = Cursor { x: x.min(cols - 1), y: first + row, pending };
        }
    }
    wrapped
}

impl Written {
    /// `gap`: a wide character follows, for which the last column may have been left.
    fn append(&mut self, row: Row, cols: usize, gap: bool, interned: &Interned) {
        let wrapped = row.wrapped;
        self.marks.0 |= row.marks.0;
        self.latest = self.latest.max(row.written);
        let mut cells = row.cells;
        if wrapped {
            if gap && cells.last().is_some_and(|last| last.is(GAP)) {
                cells.pop();
            }
        } else {
            let is_fill = |cell: &Cell| {
                let style = interned.styles.get(cell.style);
                cell.glyph == 0
                    && !cell.is(SPACER)
                    && style.bg != Colour::DEFAULT
                    && style.blank_shows_only_background()
            };
            if let Some(&last) = cells.last().filter(|cell| cells.len() >= cols && is_fill(cell)) {
                let style = last.style;
                self.fill = Some(style);
                let shown = cells.iter().rposition(|cell| *cell != Cell::erased(style));
                cells.truncate(shown.map_or(0, |last| last + 1));
            } else {
                let shown = cells.iter().rposition(|cell| !interned.is_unseen(*cell));
                cells.truncate(shown.map_or(0, |last| last + 1));
            }
        }
        // One that no wide character follows any more is a blank like others.
        self.cells.extend(cells.into_iter().map(|cell| Cell { flags: cell.flags & !GAP, ..cell }));
    }

    /// Appends its rows; returns where in the line each begins.
    fn wrap(self, cols: usize, rows: &mut Vec<Row>) -> Vec<usize> {
        let first = rows.len();
        let mut starts = vec![0];
        let mut row = Vec::new();
        for (at, &cell) in self.cells.iter().enumerate() {
            let width = if cell.is(WIDE) { 2 } else { 1 };
            if !cell.is(SPACER) && row.len() + width > cols && !row.is_empty() {
                if row.len() < cols {
                    row.push(Cell { flags: GAP, ..Cell::BLANK });
                }
                rows.push(Row::of(std::mem::take(&mut row), true));
                starts.push(at);
            }
            if width > cols {
                row.push(Cell { glyph: 0x20, flags: 0, ..cell });
            } else if row.len() < cols {
                row.push(cell);
            }
        }
        if let Some(style) = self.fill {
            row.resize(cols, Cell::erased(style));
        }
        rows.push(Row::of(row, self.goes_on));
        rows[first].marks = self.marks;
        for row in &mut rows[first..] {
            row.written = self.latest;
        }
        starts
    }
}

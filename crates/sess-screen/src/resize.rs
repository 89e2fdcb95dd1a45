//! Another size. It knows nothing of why.

use std::collections::VecDeque;

use crate::cell::Cell;
use crate::grid::{Grid, Margins};
use crate::reflow::reflow;
use crate::row::Row;
use crate::screen::{Cursor, Screen};
use crate::size::Size;

/// Of a line longer than so many rows the beginning stays wrapped as it was.
const LONGEST: u64 = 2000;

impl Screen {
    /// Gives the screen another size. Lines of the primary screen are wrapped anew,
    /// the cursor staying on its character; the alternate screen is cropped or
    /// extended. Where rows must go, those below the cursor go first, then those
    /// at the top: on the primary screen into the history. Where there is room,
    /// lines come back from the history, and the numbers of those before them grow
    /// by as many.
    pub fn resize(&mut self, size: Size) {
        let size = Size::new(size.cols, size.rows);
        if size == self.size {
            return;
        }
        let (cols, rows) = (usize::from(size.cols), usize::from(size.rows));
        let old_cols = self.cols();
        self.size = size;
        if self.alternate == 0 {
            let primary = std::mem::replace(&mut self.grid, Grid::new(1, 1));
            let mut places = [self.cursor, self.saved[0].cursor];
            self.grid = self.fit_primary(primary, old_cols, &mut places);
            [self.cursor, self.saved[0].cursor] = places;
            self.move_saved(1, 0);
            if let Some(kept) = &mut self.other {
                fit_rows(kept, rows, 0);
                kept.set_cols(cols);
            }
        } else {
            if let Some(primary) = self.other.take() {
                let mut places = [self.saved[0].cursor, self.cursor];
                if self.alternate != 1049 {
                    // The one cursor is where the alternate screen has it.
                    places.swap(0, 1);
                    places[0].x = 0;
                    places[0].pending = false;
                }
                let saved = usize::from(self.alternate != 1049);
                self.other = Some(self.fit_primary(primary, old_cols, &mut places));
                self.saved[0].cursor = places[saved];
            }
            let gone = fit_rows(&mut self.grid, rows, self.cursor.y);
            self.grid.set_cols(cols);
            self.move_saved(1, gone);
            self.cursor.y -= gone.min(self.cursor.y);
        }
        self.margins = Margins::full(cols, rows);
        let pending = self.cursor.pending && self.cursor.x + 1 == cols;
        self.move_to(self.cursor.x, self.cursor.y);
        self.cursor.pending = pending;
    }

    /// Brings the rows of the primary screen to the new size. `places` are
    /// positions in them; the row of the first stays in sight.
    fn fit_primary(&mut self, grid: Grid, old_cols: usize, places: &mut [Cursor]) -> Grid {
        let (cols, rows) = (self.cols(), self.rows());
        // First, for cells that come back from the history name styles too.
        self.make_room_for_styles();
        let mut fitted = grid.rows;
        fitted.truncate(rows.max(places[0].y + 1));
        self.fill_height(&mut fitted, old_cols, places);
        if cols != old_cols {
            // Rows from the history are as wide as the screen was then.
            let head = self.take_back_line(false, old_cols);
            for place in &mut *places {
                place.y += head.len();
            }
            for row in fitted.iter_mut().filter(|row| row.wrapped && !row.ends_in_gap()) {
                row.cells.resize(old_cols, Cell::BLANK);
            }
            let all = head.into_iter().chain(fitted);
            fitted = reflow(all, (old_cols, cols), places, &self.interned).into();
            if self.history.range().is_empty() {
                // Nothing has left the top so far, and where there is room nothing
                // has to.
                let is_free = |row: &Row| row.cells.is_empty() && !row.wrapped;
                while fitted.len() > rows.max(places[0].y + 1) && fitted.back().is_some_and(is_free)
                {
                    fitted.pop_back();
                }
            }
            self.fill_height(&mut fitted, cols, places);
        }
        for place in places {
            place.pending &= place.x + 1 == cols;
            place.x = place.x.min(cols - 1);
        }
        if let Some(last) = fitted.back_mut() {
            last.wrapped = false;
        }
        Grid { rows: fitted, cols }
    }

    /// Makes as many rows as the screen has: from the history, or blank ones; or
    /// the other way, those at the top going to the history, but not the first
    /// place's.
    fn fill_height(&mut self, fitted: &mut VecDeque<Row>, cols: usize, places: &mut [Cursor]) {
        let rows = self.rows();
        let mut taken = 0;
        while fitted.len() < rows {
            let line = self.take_back_line(true, cols);
            if line.is_empty() {
                fitted.resize(rows, Row::new());
                break;
            }
            // A line that runs on into the first row has its width already.
            let line = match line.last() {
                Some(last) if last.wrapped => line,
                _ => reflow(line, (cols, cols), &mut [], &self.interned),
            };
            for row in line.into_iter().rev() {
                fitted.push_front(row);
                taken += 1;
            }
        }
        let gone = (fitted.len() - rows).min(places[0].y + taken);
        for row in fitted.drain(..gone) {
            self.history.push(&row, cols, &self.interned);
        }
        fitted.truncate(rows);
        for place in places {
            place.y = (place.y + taken).saturating_sub(gone).min(rows - 1);
        }
    }

    /// Takes back the last line of the history, all rows of it: if it runs on into
    /// the screen, or any.
    fn take_back_line(&mut self, or_any: bool, cols: usize) -> Vec<Row> {
        let range = self.history.range();
        let mut first = range.end;
        while first > range.start
            && range.end - first < LONGEST
            && (self.history.is_wrapped(first - 1) || first == range.end && or_any)
        {
            first -= 1;
        }
        let rows = (first..range.end)
            .filter_map(|number| self.history.row(number, cols, &mut self.interned))
            .collect();
        self.history.take_back(range.end - first);
        if range.end - first >= LONGEST {
            self.history.break_last_line();
        }
        rows
    }

    fn move_saved(&mut self, which: usize, gone: usize) {
        let (cols, rows) = (self.cols(), self.rows());
        let cursor = &mut self.saved[which].cursor;
        cursor.y = cursor.y.saturating_sub(gone).min(rows - 1);
        cursor.pending &= cursor.x + 1 == cols;
        cursor.x = cursor.x.min(cols - 1);
    }
}

/// Brings a grid to `rows` rows and returns how many went off the top.
fn fit_rows(grid: &mut Grid, rows: usize, cursor: usize) -> usize {
    // What stands below the cursor goes first, as everywhere.
    grid.rows.truncate(rows.max(cursor + 1));
    let gone = grid.rows.len().saturating_sub(rows);
    grid.rows.drain(..gone);
    grid.rows.resize(rows, Row::new());
    if let Some(last) = grid.rows.back_mut() {
        last.wrapped = false;
    }
    gone
}

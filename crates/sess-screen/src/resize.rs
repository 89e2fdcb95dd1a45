//! Another size. It knows nothing of why.

use crate::grid::{Grid, Margins};
use crate::screen::Screen;
use crate::size::Size;

impl Screen {
    /// Gives the screen another size. Rows are cropped or extended, not wrapped
    /// anew. Where rows must go, those below the cursor go first, then those at
    /// the top: on the primary screen into the history, as xterm and tmux do.
    /// New rows come in blank below; lines are not taken back from the history,
    /// whose numbers are never used again.
    pub fn resize(&mut self, size: Size) {
        let size = Size::new(size.cols, size.rows);
        if size == self.size {
            return;
        }
        let (cols, rows) = (usize::from(size.cols), usize::from(size.rows));
        let old_cols = self.cols();
        self.size = size;
        // The primary screen's cursor under an alternate one is what 1049 saved.
        let primary_y = if self.alternate == 1049 { self.saved[0].cursor.y } else { self.cursor.y };
        if self.alternate != 0
            && let Some(mut primary) = self.other.take()
        {
            let gone = self.fit_primary(&mut primary, cols, rows, old_cols, primary_y);
            self.move_saved(0, gone, cols, rows);
            self.other = Some(primary);
            let gone = fit_rows(&mut self.grid, rows, self.cursor.y, |_| {});
            self.grid.set_cols(cols);
            self.move_saved(1, gone, cols, rows);
            self.cursor.y -= gone.min(self.cursor.y);
        } else {
            let mut primary = std::mem::replace(&mut self.grid, Grid::new(1, 1));
            let gone = self.fit_primary(&mut primary, cols, rows, old_cols, primary_y);
            self.grid = primary;
            self.move_saved(0, gone, cols, rows);
            self.move_saved(1, 0, cols, rows);
            self.cursor.y -= gone.min(self.cursor.y);
            if let Some(kept) = &mut self.other {
                fit_rows(kept, rows, 0, |_| {});
                kept.set_cols(cols);
            }
        }
        self.margins = Margins::full(cols, rows);
        let pending = self.cursor.pending && self.cursor.x + 1 == cols;
        self.move_to(self.cursor.x, self.cursor.y);
        self.cursor.pending = pending;
    }

    fn fit_primary(
        &mut self,
        primary: &mut Grid,
        cols: usize,
        rows: usize,
        old_cols: usize,
        y: usize,
    ) -> usize {
        let gone = fit_rows(primary, rows, y, |row| {
            self.history.push(row, old_cols, &self.interned);
        });
        if cols != old_cols {
            primary.set_cols(cols);
            // It filled its row no longer, or more than that.
            self.history.break_last_line();
        }
        gone
    }

    fn move_saved(&mut self, which: usize, gone: usize, cols: usize, rows: usize) {
        let cursor = &mut self.saved[which].cursor;
        cursor.y = cursor.y.saturating_sub(gone).min(rows - 1);
        cursor.pending &= cursor.x + 1 == cols;
        cursor.x = cursor.x.min(cols - 1);
    }
}

/// Brings a grid to `rows` rows and returns how many went off the top, each of
/// which was shown to `leaving`.
fn fit_rows(
    grid: &mut Grid,
    rows: usize,
    cursor: usize,
    mut leaving: impl FnMut(&crate::row::Row),
) -> usize {
    // What stands below the cursor goes first, as everywhere.
    grid.rows.truncate(rows.max(cursor + 1));
    let gone = grid.rows.len().saturating_sub(rows);
    for row in grid.rows.drain(..gone) {
        leaving(&row);
    }
    grid.rows.resize(rows, crate::row::Row::new());
    if let Some(last) = grid.rows.back_mut() {
        last.wrapped = false;
    }
    gone
}

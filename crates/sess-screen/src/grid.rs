//! The rows of one screen, primary or alternate, and how they scroll. It knows
//! nothing of the cursor, the history or what an id stands for. `at` is as for a row:
//! just behind the byte that changes the text.

use std::collections::VecDeque;

use crate::cell::{CLUSTER, Cell};
use crate::row::Row;

/// The part of a screen that scrolls: all four edges belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Margins {
    pub top: usize,
    pub bottom: usize,
    pub left: usize,
    pub right: usize,
}

impl Margins {
    pub(crate) fn full(cols: usize, rows: usize) -> Margins {
        Margins { top: 0, bottom: rows - 1, left: 0, right: cols - 1 }
    }

    pub(crate) fn holds(self, x: usize, y: usize) -> bool {
        (self.left..=self.right).contains(&x) && (self.top..=self.bottom).contains(&y)
    }

    fn is_full_width(self, cols: usize) -> bool {
        self.left == 0 && self.right + 1 == cols
    }
}

/// A screen's rows; a row takes memory only when something is written to it.
#[derive(Clone, Debug)]
pub(crate) struct Grid {
    pub rows: VecDeque<Row>,
    pub cols: usize,
}

impl Grid {
    pub(crate) fn new(cols: usize, rows: usize) -> Grid {
        Grid { rows: std::iter::repeat_n(Row::new(), rows).collect(), cols }
    }

    pub(crate) fn clear(&mut self, blank: Cell) {
        for row in &mut self.rows {
            row.clear(self.cols, blank);
        }
    }

    pub(crate) fn is_blank(&self) -> bool {
        self.cells().all(|cell| cell.style == 0 && cell.is_blank())
    }

    /// Scrolls all rows up by one.
    pub(crate) fn scroll_screen(&mut self, blank: Cell) {
        if let Some(mut row) = self.rows.pop_front() {
            row.clear(self.cols, blank);
            self.rows.push_back(row);
        }
    }

    /// Moves what stands in `area` up by `n`; blanks come in at its bottom.
    pub(crate) fn scroll_up(&mut self, area: Margins, n: usize, blank: Cell, at: u64) {
        let n = n.min(area.bottom + 1 - area.top);
        if area.is_full_width(self.cols) {
            for _ in 0..n {
                if let Some(mut row) = self.rows.remove(area.top) {
                    row.clear(self.cols, blank);
                    self.rows.insert(area.bottom, row);
                }
            }
            self.break_above(area.top);
            return;
        }
        for y in area.top..=area.bottom {
            let from = y.checked_add(n).filter(|&y| y <= area.bottom);
            self.take_columns(area, y, from, blank, at);
        }
    }

    /// Moves what stands in `area` down by `n`; blanks come in at its top.
    pub(crate) fn scroll_down(&mut self, area: Margins, n: usize, blank: Cell, at: u64) {
        let n = n.min(area.bottom + 1 - area.top);
        if area.is_full_width(self.cols) {
            for _ in 0..n {
                if let Some(mut row) = self.rows.remove(area.bottom) {
                    row.clear(self.cols, blank);
                    self.rows.insert(area.top, row);
                }
            }
            self.break_above(area.top);
            self.break_above(area.bottom + 1);
            return;
        }
        for y in (area.top..=area.bottom).rev() {
            let from = y.checked_sub(n).filter(|&y| y >= area.top);
            self.take_columns(area, y, from, blank, at);
        }
    }

    fn take_columns(&mut self, area: Margins, y: usize, from: Option<usize>, blank: Cell, at: u64) {
        let end = area.right + 1;
        if let Some(from) = from.filter(|&from| from != y) {
            let source = std::mem::replace(&mut self.rows[from], Row::new());
            self.rows[y].copy_columns(&source, area.left, end, at);
            self.rows[from] = source;
        } else if from.is_none() {
            self.rows[y].erase(area.left, end, self.cols, blank, at);
        }
    }

    /// Shifts the columns from `x` in `area` right (left if `deleting`).
    pub(crate) fn shift_columns(
        &mut self,
        area: Margins,
        x: usize,
        n: usize,
        blank: Cell,
        deleting: bool,
        at: u64,
    ) {
        for row in self.rows.range_mut(area.top..=area.bottom) {
            if deleting {
                row.delete(x, n, area.right + 1, self.cols, blank, at);
            } else {
                row.insert(x, n, area.right + 1, self.cols, blank, at);
            }
        }
    }

    /// The row above `y` has lost the row that it ran on into.
    pub(crate) fn break_above(&mut self, y: usize) {
        if let Some(row) = y.checked_sub(1).and_then(|above| self.rows.get_mut(above)) {
            row.wrapped = false;
        }
    }

    /// Crops or extends to another width, keeping all rows.
    pub(crate) fn set_cols(&mut self, cols: usize) {
        for row in &mut self.rows {
            row.crop(cols);
            row.cells.shrink_to(cols);
        }
        self.cols = cols;
    }

    pub(crate) fn mark_styles(&self, used: &mut [bool]) {
        for cell in self.cells() {
            used[usize::from(cell.style)] = true;
        }
    }

    pub(crate) fn mark_clusters(&self, used: &mut [bool]) {
        for cell in self.cells().filter(|cell| cell.glyph & CLUSTER != 0) {
            used[(cell.glyph & !CLUSTER) as usize] = true;
        }
    }

    fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.rows.iter().flat_map(|row| row.cells.iter())
    }

    pub(crate) fn renumber_styles(&mut self, new_ids: &[u16]) {
        for cell in self.rows.iter_mut().flat_map(|row| row.cells.iter_mut()) {
            cell.style = new_ids[usize::from(cell.style)];
        }
    }

    pub(crate) fn renumber_clusters(&mut self, glyphs: &[u32]) {
        for cell in self.rows.iter_mut().flat_map(|row| row.cells.iter_mut()) {
            if cell.glyph & CLUSTER != 0 {
                cell.glyph = glyphs[(cell.glyph & !CLUSTER) as usize];
            }
        }
    }
}

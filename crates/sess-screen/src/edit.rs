//! Erasing, inserting, deleting and scrolling. It knows nothing of sequences.

use std::ops::Range;

use crate::cell::Cell;
use crate::grid::Margins;
use crate::screen::Screen;
use crate::style::attr;

/// How something is erased.
#[derive(Clone, Copy)]
pub(crate) struct Erasing {
    pub blank: Cell,
    /// Not what is protected.
    pub spares: bool,
}

impl Screen {
    /// Scrolls the region up; what leaves the top of the primary screen over its
    /// whole width becomes history.
    pub(crate) fn scroll_up(&mut self, n: usize) {
        self.last_char = None;
        let area = self.margins;
        let cols = self.cols();
        let whole_width = area.left == 0 && area.right + 1 == cols;
        if area.top != 0 || !whole_width || self.alternate != 0 {
            let blank = self.blank();
            self.grid.scroll_up(area, n, blank, self.offset);
            return;
        }
        let blank = self.blank();
        for _ in 0..n.min(area.bottom + 1) {
            self.history.push(&self.grid.rows[0], cols, &self.interned);
            if area.bottom + 1 == self.rows() {
                self.grid.scroll_screen(blank);
            } else {
                self.grid.scroll_up(area, 1, blank, self.offset);
            }
        }
    }

    pub(crate) fn scroll_down(&mut self, n: usize) {
        self.last_char = None;
        let blank = self.blank();
        self.grid.scroll_down(self.margins, n, blank, self.offset);
        self.top_row_changed(self.margins.top);
    }

    /// If the primary screen's first row is another now, the history's last line
    /// does not run on into it.
    fn top_row_changed(&mut self, y: usize) {
        if y == 0 && self.alternate == 0 {
            self.history.break_last_line();
        }
    }

    /// IL and DL: rows come in or go at the cursor, within the margins.
    pub(crate) fn shift_lines(&mut self, n: usize, deleting: bool) {
        if !self.margins.holds(self.cursor.x, self.cursor.y) {
            return;
        }
        let area = Margins { top: self.cursor.y, ..self.margins };
        self.last_char = None;
        let blank = self.blank();
        if deleting {
            self.grid.rows[area.bottom].wrapped = false;
            self.grid.scroll_up(area, n, blank, self.offset);
        } else {
            self.grid.scroll_down(area, n, blank, self.offset);
        }
        self.top_row_changed(area.top);
        self.cursor.pending = false;
    }

    /// ICH and DCH: cells come in or go at the cursor, within the margins.
    pub(crate) fn shift_cells(&mut self, n: usize, deleting: bool) {
        let (x, y) = (self.cursor.x, self.cursor.y);
        let area = Margins { top: y, bottom: y, ..self.margins };
        self.cursor.pending = false;
        self.last_char = None;
        if (self.margins.left..=self.margins.right).contains(&x) {
            let blank = self.blank();
            self.grid.shift_columns(area, x, n, blank, deleting, self.offset);
        }
    }

    /// DECIC and DECDC: the same in all rows of the region.
    pub(crate) fn shift_all_rows(&mut self, x: usize, n: usize, deleting: bool) {
        self.last_char = None;
        if self.margins.holds(self.cursor.x, self.cursor.y) {
            let blank = self.blank();
            self.grid.shift_columns(self.margins, x, n, blank, deleting, self.offset);
        }
    }

    fn erase_columns(&mut self, y: usize, from: usize, to: usize, erasing: Erasing) {
        let cols = self.cols();
        let to = to.min(cols);
        self.last_char = None;
        let row = &mut self.grid.rows[y];
        if !erasing.spares {
            row.erase(from, to, cols, erasing.blank, self.offset);
            if from == 0 && to == cols {
                self.begin_line(y);
            }
            return;
        }
        let styles = &self.interned.styles;
        let is_protected = |cell: Cell| styles.get(cell.style).attrs & attr::PROTECTED != 0;
        for x in from..to {
            if !is_protected(row.get(x)) {
                row.erase(x, x + 1, cols, erasing.blank, self.offset);
            }
        }
    }

    /// How to erase: what by, and whether protected cells are spared. Those that
    /// ISO's sequences protect always are, DEC's only from selective erasing.
    pub(crate) fn erasing(&mut self, selective: bool) -> Erasing {
        Erasing { blank: self.blank(), spares: selective || self.iso_protection }
    }

    /// ECH.
    pub(crate) fn erase_cells(&mut self, n: usize) {
        let erasing = self.erasing(false);
        let (x, y) = (self.cursor.x, self.cursor.y);
        self.erase_columns(y, x, x + n, erasing);
        self.cursor.pending = false;
    }

    /// Erases in a rectangle.
    pub(crate) fn erase_rectangle(&mut self, area: Margins, erasing: Erasing) {
        for y in area.top..=area.bottom {
            self.erase_columns(y, area.left, area.right + 1, erasing);
        }
    }

    /// EL and DECSEL: 0 to the end, 1 from the start, 2 all of the row.
    pub(crate) fn erase_line(&mut self, what: u16, selective: bool) {
        let erasing = self.erasing(selective);
        let (x, y, cols) = (self.cursor.x, self.cursor.y, self.cols());
        match what {
            // Behind the last column there is nothing to erase; only xterm
            // itself then takes the last character away.
            0 if self.cursor.pending => {}
            0 => self.erase_columns(y, x, cols, erasing),
            1 => self.erase_columns(y, 0, x + 1, erasing),
            2 => self.erase_columns(y, 0, cols, erasing),
            _ => {}
        }
    }

    /// ED and DECSED: 0 to the end, 1 from the start, 2 all of the screen, 3 the
    /// history.
    pub(crate) fn erase_display(&mut self, what: u16, selective: bool) {
        let y = self.cursor.y;
        match what {
            0 | 1 => {
                self.erase_line(what, selective);
                let rows = if what == 0 { y + 1..self.rows() } else { 0..y };
                self.erase_rows(rows, selective);
            }
            2 => {
                self.erase_rows(0..self.rows(), selective);
                self.last_char = None;
                self.cursor.pending = false;
            }
            3 => self.history.clear(),
            _ => {}
        }
    }

    /// What stood in this row is gone: no line runs on into it any more.
    fn begin_line(&mut self, y: usize) {
        self.grid.break_above(y);
        self.top_row_changed(y);
    }

    fn erase_rows(&mut self, rows: Range<usize>, selective: bool) {
        let cols = self.cols();
        let erasing = self.erasing(selective);
        if !erasing.spares && !rows.is_empty() {
            self.begin_line(rows.start);
        }
        for y in rows {
            if erasing.spares {
                self.erase_columns(y, 0, cols, erasing);
            } else {
                self.grid.rows[y].clear(cols, erasing.blank);
            }
        }
    }

    /// DECALN: the screen full of `E`.
    pub(crate) fn alignment_test(&mut self) {
        let (cols, rows) = (self.cols(), self.rows());
        self.margins = Margins::full(cols, rows);
        let text = vec![b'E'; cols];
        for row in &mut self.grid.rows {
            row.clear(cols, Cell::BLANK);
            row.write_ascii(0, &text, 0, self.offset);
        }
        self.top_row_changed(0);
        self.move_to(0, 0);
    }
}

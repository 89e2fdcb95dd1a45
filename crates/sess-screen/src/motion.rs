//! Moving the cursor, scrolling by moving it, saving and restoring it. It knows
//! nothing of what stands in the cells.

use crate::charset::Charsets;
use crate::grid::Margins;
use crate::modes::{EXTENDED_REVERSE_WRAP, ORIGIN, REVERSE_WRAP, TABS_AFTER_EDGE};
use crate::screen::{Cursor, Saved, Screen};

impl Screen {
    /// Moves to a position on the screen, margins or not.
    pub(crate) fn move_to(&mut self, x: usize, y: usize) {
        self.last_char = None;
        self.cursor =
            Cursor { x: x.min(self.cols() - 1), y: y.min(self.rows() - 1), pending: false };
    }

    /// CUP: counted from the margins' corner, and kept within, in origin mode.
    pub(crate) fn position(&mut self, x: usize, y: usize) {
        let within = self.addressable();
        let (x, y) = (within.left.saturating_add(x), within.top.saturating_add(y));
        self.move_to(x.min(within.right), y.min(within.bottom));
    }

    /// Moves to a column, counted as `position` does.
    pub(crate) fn column(&mut self, x: usize) {
        let within = self.addressable();
        self.move_to((within.left + x).min(within.right), self.cursor.y);
    }

    /// Moves to a row, counted as `position` does.
    pub(crate) fn line(&mut self, y: usize) {
        let within = self.addressable();
        self.move_to(self.cursor.x, (within.top + y).min(within.bottom));
    }

    /// HPR: margins stop it in origin mode only.
    pub(crate) fn columns_on(&mut self, n: usize) {
        self.move_to((self.cursor.x + n).min(self.addressable().right), self.cursor.y);
    }

    /// VPR, as HPR.
    pub(crate) fn lines_on(&mut self, n: usize) {
        self.move_to(self.cursor.x, (self.cursor.y + n).min(self.addressable().bottom));
    }

    /// Where the cursor can be sent.
    pub(crate) fn addressable(&self) -> Margins {
        if self.origin() { self.margins } else { Margins::full(self.cols(), self.rows()) }
    }

    /// The margins stop it, unless it is beyond them already.
    pub(crate) fn up(&mut self, n: usize) {
        let stop = if self.cursor.y >= self.margins.top { self.margins.top } else { 0 };
        self.move_to(self.cursor.x, self.cursor.y.saturating_sub(n).max(stop));
    }

    pub(crate) fn down(&mut self, n: usize) {
        let bottom = self.margins.bottom;
        let stop = if self.cursor.y <= bottom { bottom } else { self.rows() - 1 };
        self.move_to(self.cursor.x, (self.cursor.y + n).min(stop));
    }

    pub(crate) fn right(&mut self, n: usize) {
        let right = self.margins.right;
        let stop = if self.cursor.x <= right { right } else { self.cols() - 1 };
        self.move_to((self.cursor.x + n).min(stop), self.cursor.y);
    }

    /// Backwards; in reverse-wrap mode on into the row that wrapped into this, in
    /// its extended form into any, and from the first into the last.
    pub(crate) fn left(&mut self, mut n: usize) {
        let extended = self.modes.is_on(EXTENDED_REVERSE_WRAP);
        let wraps = (extended || self.modes.is_on(REVERSE_WRAP)) && self.modes.autowrap();
        if wraps && self.cursor.pending {
            self.cursor.pending = false;
            n -= 1;
        }
        loop {
            let stop = if self.cursor.x >= self.margins.left { self.margins.left } else { 0 };
            let columns = n.min(self.cursor.x - stop);
            self.move_to(self.cursor.x - columns, self.cursor.y);
            n -= columns;
            if n == 0 || !wraps {
                return;
            }
            n -= 1;
            let y = self.cursor.y;
            let first = if y >= self.margins.top { self.margins.top } else { 0 };
            if extended && y == first {
                self.move_to(self.margins.right, self.margins.bottom);
                n = n.min(self.cols() * self.rows());
            } else if y > 0 && (extended || self.grid.rows[y - 1].wrapped) {
                self.move_to(self.margins.right, y - 1);
            } else {
                return;
            }
        }
    }

    pub(crate) fn carriage_return(&mut self) {
        let left = self.margins.left;
        self.cursor.x = if self.cursor.x >= left || self.origin() { left } else { 0 };
        self.last_char = None;
        self.cursor.pending = false;
    }

    pub(crate) fn line_feed(&mut self) {
        self.index();
        if self.modes.newline {
            self.carriage_return();
        }
    }

    /// IND: down, scrolling at the bottom margin.
    pub(crate) fn index(&mut self) {
        if self.cursor.y == self.margins.bottom {
            self.grid.rows[self.margins.bottom].wrapped = false;
        }
        self.advance();
    }

    /// To the next row, which may go on with this one's line.
    #[inline]
    pub(crate) fn advance(&mut self) {
        self.last_char = None;
        self.cursor.pending = false;
        if self.cursor.y == self.margins.bottom {
            if self.margins.holds(self.cursor.x, self.cursor.y) {
                self.scroll_up(1);
            }
        } else if self.cursor.y + 1 < self.rows() {
            self.cursor.y += 1;
        }
    }

    /// RI: up, scrolling at the top margin.
    pub(crate) fn reverse_index(&mut self) {
        self.last_char = None;
        self.cursor.pending = false;
        if self.cursor.y == self.margins.top {
            if self.margins.holds(self.cursor.x, self.cursor.y) {
                self.scroll_down(1);
            }
        } else if self.cursor.y > 0 {
            self.cursor.y -= 1;
        }
    }

    /// DECBI: left, scrolling right at the left margin.
    pub(crate) fn back_index(&mut self) {
        let Cursor { x, y, .. } = self.cursor;
        if x == self.margins.left {
            self.cursor.pending = false;
            self.shift_all_rows(x, 1, false);
        } else if x > 0 {
            self.move_to(x - 1, y);
        }
    }

    /// DECFI: right, scrolling left at the right margin.
    pub(crate) fn forward_index(&mut self) {
        let Cursor { x, y, .. } = self.cursor;
        if x == self.margins.right {
            self.cursor.pending = false;
            self.shift_all_rows(self.margins.left, 1, true);
        } else {
            self.move_to(x + 1, y);
        }
    }

    pub(crate) fn tab(&mut self, n: usize) {
        if self.cursor.pending && self.modes.is_on(TABS_AFTER_EDGE) {
            self.carriage_return();
            self.advance();
        }
        let Cursor { x, y, pending } = self.cursor;
        let last = if x <= self.margins.right { self.margins.right } else { self.cols() - 1 };
        let to = (0..n.min(last + 1)).fold(x, |x, _| self.tabs.next(x, last));
        self.move_to(to, y);
        // xterm still wraps after a tab that had nowhere to go.
        self.cursor.pending = pending;
    }

    pub(crate) fn back_tab(&mut self, n: usize) {
        let x = self.cursor.x;
        let first = if self.origin() { self.margins.left } else { 0 };
        let to = (0..n.min(x)).fold(x, |x, _| self.tabs.previous(x, first));
        self.move_to(to, self.cursor.y);
    }

    /// DECSC.
    pub(crate) fn save_cursor(&mut self) {
        let saved = Saved {
            cursor: self.cursor,
            pen: self.pen.style,
            origin: self.origin(),
            charsets: Charsets { single: None, ..self.charsets },
        };
        let which = self.which();
        self.saved[which] = saved;
    }

    /// DECRC; without a DECSC before it, home and the defaults.
    pub(crate) fn restore_cursor(&mut self) {
        let saved = self.saved[self.which()];
        self.set_pen(saved.pen);
        self.charsets = saved.charsets;
        self.modes.set(ORIGIN, saved.origin);
        let Cursor { mut x, mut y, pending } = saved.cursor;
        if saved.origin {
            x = x.clamp(self.margins.left, self.margins.right);
            y = y.clamp(self.margins.top, self.margins.bottom);
        }
        self.move_to(x, y);
        let at_edge = x == self.margins.right || x + 1 == self.cols();
        self.cursor.pending = pending && self.modes.autowrap() && at_edge;
    }
}

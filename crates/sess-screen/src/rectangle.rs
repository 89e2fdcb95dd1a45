//! Operations on rectangles: copying, filling, erasing, changing attributes. They
//! know origin mode, but no margins beside it, and leave the cursor alone.

use crate::cell::{Cell, GAP};
use crate::grid::Margins;
use crate::params::{Csi, Params};
use crate::screen::Screen;
use crate::style::{Style, attr};

impl Screen {
    /// Carries out `CSI … $` and one of the ends that take a rectangle.
    pub(crate) fn rectangle(&mut self, csi: &Csi) {
        let params = &csi.params;
        self.last_char = None;
        match csi.end {
            b'v' => self.copy_rectangle(params),
            b'x' => self.fill_rectangle(params),
            b'z' | b'{' => {
                if let Some(area) = self.area(params, 0) {
                    let mut erasing = self.erasing(false);
                    erasing.spares = csi.end == b'{' && !self.iso_protection;
                    self.erase_rectangle(area, erasing);
                }
            }
            _ => self.restyle(csi),
        }
    }

    /// The rectangle in four parameters from `at` on, cut to the screen. `None` if
    /// there is nothing of it.
    fn area(&self, params: &Params, at: usize) -> Option<Margins> {
        let within = self.addressable();
        let side = |i: usize, first: usize, last: usize, or: usize| match params.get(at + i) {
            0 => or,
            n => (first + usize::from(n) - 1).min(last),
        };
        let top = side(0, within.top, within.bottom, within.top);
        let left = side(1, within.left, within.right, within.left);
        let bottom = side(2, within.top, within.bottom, within.bottom);
        let right = side(3, within.left, within.right, within.right);
        (top <= bottom && left <= right).then_some(Margins { top, bottom, left, right })
    }

    /// DECCRA, within the one page that there is.
    fn copy_rectangle(&mut self, params: &Params) {
        let Some(from) = self.area(params, 0) else { return };
        let within = self.addressable();
        let top = within.top + usize::from(params.at_least_one(5)) - 1;
        let left = within.left + usize::from(params.at_least_one(6)) - 1;
        // A gap before a wide character that wrapped is one only where it is.
        let blank = |cell: Cell| Cell { flags: cell.flags & !GAP, ..cell };
        let copied: Vec<Vec<Cell>> = (from.top..=from.bottom)
            .map(|y| (from.left..=from.right).map(|x| blank(self.grid.rows[y].get(x))).collect())
            .collect();
        for (cells, y) in copied.iter().zip(top..self.rows()) {
            let room = self.cols().saturating_sub(left).min(cells.len());
            self.grid.rows[y].overwrite(left, &cells[..room], self.offset);
        }
    }

    /// DECFRA: with the pen.
    fn fill_rectangle(&mut self, params: &Params) {
        let glyph = params.get(0);
        if !matches!(glyph, 0x20..=0x7e | 0xa0..=0xff) {
            return;
        }
        let Some(area) = self.area(params, 1) else { return };
        let cell = Cell { glyph: u32::from(glyph), style: self.pen.id, flags: 0 };
        let cells = vec![cell; area.right + 1 - area.left];
        for y in area.top..=area.bottom {
            self.grid.rows[y].overwrite(area.left, &cells, self.offset);
        }
    }

    /// DECCARA and DECRARA: sets or reverses attributes, in a rectangle or in all
    /// text from its first corner to its last.
    fn restyle(&mut self, csi: &Csi) {
        let Some(area) = self.area(&csi.params, 0) else { return };
        let change = Change::of(&csi.params.values()[csi.params.len().min(4)..], csi.end == b't');
        // First, for ids are held below.
        self.make_room_for_styles();
        let last = self.cols() - 1;
        for y in area.top..=area.bottom {
            let whole = !self.exact_rectangles;
            let left = if whole && y > area.top { 0 } else { area.left };
            let right = if whole && y < area.bottom { last } else { area.right };
            let mut cells: Vec<Cell> = (left..=right).map(|x| self.grid.rows[y].get(x)).collect();
            for cell in &mut cells {
                let mut style = self.interned.styles.get(cell.style);
                if cell.is_blank() && style.blank_shows_only_background() {
                    // What could not be seen is no part of the state.
                    style = style.erasing();
                }
                cell.style = self.interned.styles.intern(change.apply(style));
            }
            let row = &mut self.grid.rows[y];
            // Its text stays as it was written.
            row.overwrite(left, &cells, row.written);
        }
    }

    /// DECSCA, SPA and EPA: what is written from now on is protected, or not.
    pub(crate) fn protect(&mut self, on: bool) {
        let attrs = self.pen.style.attrs & !attr::PROTECTED;
        let attrs = if on { attrs | attr::PROTECTED } else { attrs };
        self.iso_protection &= !on;
        self.set_pen(Style { attrs, ..self.pen.style });
    }
}

/// What DECCARA or DECRARA does to attributes.
#[derive(Clone, Copy, Default)]
struct Change {
    clear: u16,
    set: u16,
    reverse: u16,
}

impl Change {
    fn of(params: &[u16], reversing: bool) -> Change {
        const SINGLE: u16 = 1 << attr::UNDERLINE_SHIFT;
        const ALL: u16 = attr::BOLD | attr::UNDERLINE | attr::BLINK | attr::REVERSE;
        let mut change = Change::default();
        for &param in if params.is_empty() { &[0] } else { params } {
            let bits = match param % 20 {
                0 => ALL,
                1 | 2 => attr::BOLD,
                4 => SINGLE,
                5 => attr::BLINK,
                7 => attr::REVERSE,
                8 => attr::CONCEAL,
                _ => continue,
            };
            match param {
                0 if reversing => change.reverse ^= ALL & !attr::UNDERLINE | SINGLE,
                0 => change = Change { clear: ALL, ..Change::default() },
                1 | 4 | 5 | 7 | 8 if reversing => change.reverse ^= bits,
                1 | 4 | 5 | 7 | 8 => change.set |= bits,
                22 | 24 | 25 | 27 | 28 if !reversing => {
                    let bits = if bits == SINGLE { attr::UNDERLINE } else { bits };
                    change.clear |= bits;
                    change.set &= !bits;
                }
                _ => {}
            }
        }
        change
    }

    fn apply(self, style: Style) -> Style {
        let mut attrs = style.attrs & !self.clear;
        if self.set & attr::UNDERLINE != 0 {
            attrs &= !attr::UNDERLINE;
        }
        attrs |= self.set;
        if self.reverse & attr::UNDERLINE != 0 && attrs & attr::UNDERLINE != 0 {
            attrs = attrs & !attr::UNDERLINE | 1 << attr::UNDERLINE_SHIFT;
        }
        Style { attrs: attrs ^ self.reverse, ..style }
    }
}

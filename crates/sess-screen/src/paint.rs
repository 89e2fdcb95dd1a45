//! Rows as bytes for a terminal. It knows nothing of modes or of whose rows they
//! are; the terminal must have the default modes.

use crate::cell::{Cell, GAP, SPACER};
use crate::extent::Extent;
use crate::interned::Interned;
use crate::marks::Marks;
use crate::row::Row;
use crate::sgr::{PenWriter, push_number};
use crate::style::Colour;

/// Writes cells to a terminal, knowing which pen it has.
pub(crate) struct Painter<'a> {
    pub interned: &'a Interned,
    pub pen: PenWriter,
    pub out: &'a mut Vec<u8>,
}

/// Mode 2027, in which several characters may share a cell.
pub(crate) const CLUSTERS_ON: &[u8] = b"\x1b[?2027h";
pub(crate) const CLUSTERS_OFF: &[u8] = b"\x1b[?2027l";

/// Fewer blanks than that are cheaper as spaces than as a jump.
const JUMP: usize = 5;

impl Painter<'_> {
    fn style(&mut self, id: u16) {
        let style = self.interned.styles.get(id);
        let link = self.interned.link(style.link).map(AsRef::as_ref);
        self.pen.to(style, link, self.out);
    }

    pub(crate) fn reset_pen(&mut self) {
        self.pen.reset(self.out);
    }

    /// Prints one cell, or nothing for a right half.
    pub(crate) fn cell(&mut self, cell: Cell) {
        if !cell.is(SPACER | GAP) {
            let style = self.interned.styles.get(cell.style);
            if !cell.is_blank() || !style.blank_shows_only_background() {
                self.style(cell.style);
            } else if style.bg != self.pen.style.bg || !self.pen.style.blank_shows_only_background()
            {
                self.pen.to(style.erasing(), None, self.out);
            }
            if self.interned.is_grapheme(cell) {
                self.out.extend_from_slice(CLUSTERS_ON);
                self.interned.push_text(cell, self.out);
                self.out.extend_from_slice(CLUSTERS_OFF);
            } else {
                self.interned.push_text(cell, self.out);
            }
        }
    }

    /// Prints rows one below the other, going on where the cursor stands, the
    /// last without an end. `continued`: the first is what the line before the
    /// cursor runs on into. Returns whether anything was printed in the last
    /// row, and into which row it came from the first.
    pub(crate) fn flow<'r>(
        &mut self,
        rows: impl Iterator<Item = &'r Row>,
        cols: usize,
        continued: bool,
    ) {
        let mut continued = continued;
        let mut rows = rows.peekable();
        while let Some(row) = rows.next() {
            let wraps = row.wrapped && rows.peek().is_some();
            // Whether the wide character that wrapped into the next row is gone, or
            // would not wrap by itself.
            let fills_gap = wraps
                && row.ends_in_gap()
                && rows.peek().is_some_and(|next| !self.interned.begins_wide(next.get(0)));
            self.row(row, cols, continued, wraps);
            if fills_gap {
                self.out.push(b' ');
            }
            if continued {
                // Before its text the cursor hung on the row before.
                row.marks.write(self.out);
            }
            if !wraps && rows.peek().is_some() {
                // A line feed with a coloured pen scrolls in a coloured row.
                if self.pen.style.bg != Colour::DEFAULT {
                    self.reset_pen();
                }
                self.out.extend_from_slice(b"\r\n");
            }
            continued = wraps;
        }
        self.reset_pen();
    }

    /// Prints one row from its first column on. A row that continues another
    /// must print something there, or the terminal would not wrap; one that
    /// wraps must fill its last column.
    fn row(&mut self, row: &Row, cols: usize, continued: bool, wraps: bool) {
        let extent = if wraps {
            Extent {
                text: row.cells.len(),
                padding: cols.saturating_sub(row.cells.len()),
                tail: None,
            }
        } else {
            Extent::of_unwrapped(row, cols, self.interned)
        };
        // Wrapping with a coloured pen may have scrolled in a coloured row.
        let first = self.interned.styles.get(row.get(0).style);
        let dirty = continued && first.bg != Colour::DEFAULT;
        let cells = &row.cells[..extent.text];
        let mut x = 0;
        if continued && (extent.text == 0 || cells[0].is_blank()) {
            self.cell(Cell { flags: 0, ..row.get(0) });
            x = 1;
        } else if !continued {
            row.marks.write(self.out);
        }
        while x < extent.text {
            let cell = cells[x];
            let is_blank = |cell: &Cell| self.interned.is_unseen(*cell);
            if is_blank(&cell) && !wraps && !dirty {
                let blanks = cells[x..].iter().take_while(|cell| is_blank(cell)).count();
                if blanks >= JUMP {
                    self.out.extend_from_slice(b"\x1b[");
                    push_number(self.out, blanks as u32);
                    self.out.push(b'C');
                    x += blanks;
                    continue;
                }
            }
            self.cell(cell);
            x += 1;
        }
        if wraps && x < cols {
            if !self.pen.style.hides_blanks() {
                self.reset_pen();
            }
            self.out.resize(self.out.len() + cols - x, b' ');
        }
        if let Some(tail) = extent.tail.filter(|_| x < cols) {
            let style = self.interned.styles.get(tail).erasing();
            self.pen.to(style, None, self.out);
            self.out.extend_from_slice(b"\x1b[K");
        } else if dirty && x < cols && !wraps {
            self.reset_pen();
            self.out.extend_from_slice(b"\x1b[K");
        }
    }

    /// Paints rows onto an erased screen, each where it belongs, cropped to
    /// `cols` columns.
    pub(crate) fn place<'r>(
        &mut self,
        rows: impl Iterator<Item = &'r Row>,
        cols: usize,
        width: usize,
    ) {
        for (y, row) in rows.enumerate() {
            let extent = Extent::of_unwrapped(row, cols, self.interned);
            if extent.text == 0 && extent.tail.is_none() && row.marks == Marks::NONE {
                continue;
            }
            let cropped;
            let row = if width < cols {
                let mut copy = row.clone();
                copy.crop(width);
                cropped = copy;
                &cropped
            } else {
                row
            };
            move_to(self.out, 0, y);
            self.row(row, cols.min(width), false, false);
        }
        self.reset_pen();
    }
}

/// CUP, counted from 0 here.
pub(crate) fn move_to(out: &mut Vec<u8>, x: usize, y: usize) {
    out.extend_from_slice(b"\x1b[");
    if y > 0 {
        push_number(out, y as u32 + 1);
    }
    if x > 0 {
        out.push(b';');
        push_number(out, x as u32 + 1);
    }
    out.push(b'H');
}

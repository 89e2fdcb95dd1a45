//! Printing: characters into cells, wrapping, wide and combining ones. It knows
//! nothing of sequences.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::cell::{CLUSTER, Cell, GAP, SPACER, WIDE, width};
use crate::screen::{Cursor, Screen};

impl Screen {
    /// The column after the last one that is printed to before wrapping.
    #[inline]
    fn edge(&self) -> usize {
        if self.cursor.x <= self.margins.right { self.margins.right + 1 } else { self.cols() }
    }

    /// Prints a run of printable ASCII, not empty.
    #[inline]
    pub(crate) fn print_ascii(&mut self, mut text: &[u8]) {
        if self.modes.insert || !self.charsets.is_ascii() {
            for &byte in text {
                self.print_char(char::from(byte));
            }
            return;
        }
        let last = text.last().map(|&byte| char::from(byte));
        let at = self.offset;
        loop {
            if self.cursor.pending {
                self.wrap();
            }
            let style = self.pen.id;
            let edge = self.edge();
            let x = self.cursor.x;
            let room = edge - x;
            let row = &mut self.grid.rows[self.cursor.y];
            if text.len() < room {
                row.write_ascii(x, text, style, at);
                self.cursor.x = x + text.len();
                self.last_char = last;
                return;
            }
            row.write_ascii(x, &text[..room], style, at);
            self.cursor.x = edge - 1;
            text = &text[room..];
            if self.modes.autowrap() {
                self.cursor.pending = true;
            } else if let Some(last) = text.last() {
                // Without wrapping all that is left over falls on the last column.
                row.write_ascii(edge - 1, std::slice::from_ref(last), style, at);
                self.last_char = Some(char::from(*last));
                return;
            }
            if text.is_empty() {
                self.last_char = last;
                return;
            }
        }
    }

    /// Prints any character.
    pub(crate) fn print_char(&mut self, c: char) {
        let c = if c.is_ascii() { self.charsets.map(c) } else { c };
        let width = match c {
            ' '..='~' => 1,
            // UTF-8 for C1 controls, which nobody means.
            '\u{7f}'..='\u{9f}' => return,
            // The bulk of wide characters, which need no table.
            '\u{3041}'..='\u{3096}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' => 2,
            _ => width(c),
        };
        if width == 0 {
            self.join(c);
            return;
        }
        if self.modes.clusters && !c.is_ascii() && self.join_cluster(c) {
            return;
        }
        self.charsets.single = None;
        if self.cursor.pending {
            self.wrap();
        }
        let mut edge = self.edge();
        if self.cursor.x + width > edge {
            // A wide character at the last column.
            if width > self.margins.right + 1 - self.margins.left {
                return;
            }
            if self.modes.autowrap() {
                let (x, y) = (self.cursor.x, self.cursor.y);
                // A blank that can be seen stays one: a gap is nothing but a place.
                let row = &mut self.grid.rows[y];
                if edge == usize::from(self.size.cols) && self.interned.is_unseen(row.get(x)) {
                    row.put(x, Cell { flags: GAP, ..Cell::BLANK }, row.written);
                }
                self.wrap();
                edge = self.edge();
            } else {
                self.cursor.x = edge - width;
            }
        }
        if self.modes.insert {
            let (blank, cols) = (self.blank(), self.cols());
            let row = &mut self.grid.rows[self.cursor.y];
            row.insert(self.cursor.x, width, edge, cols, blank, self.offset);
        }
        let style = self.pen.id;
        let flags = if width == 2 { WIDE } else { 0 };
        let cell = Cell { glyph: u32::from(c), style, flags };
        self.grid.rows[self.cursor.y].put(self.cursor.x, cell, self.offset);
        self.last_char = Some(c);
        self.cursor.x += width;
        if self.cursor.x >= edge {
            self.cursor.x = edge - 1;
            self.cursor.pending = self.modes.autowrap();
        }
    }

    /// In mode 2027: adds a character to the cell before the cursor if the two are
    /// one grapheme cluster, and makes that cell wide if the cluster is. Whether it
    /// did.
    fn join_cluster(&mut self, c: char) -> bool {
        let Cursor { x, y, pending } = self.cursor;
        let Some(mut at) = (if pending { Some(x) } else { x.checked_sub(1) }) else { return false };
        if self.last_char.is_none() && !pending {
            return false;
        }
        at -= usize::from(at > 0 && self.grid.rows[y].get(at).is(SPACER));
        let cell = self.grid.rows[y].get(at);
        let mut text = Vec::new();
        self.interned.push_text(cell, &mut text);
        let mut text = String::from_utf8_lossy(&text).into_owned();
        text.push(c);
        if text.graphemes(true).nth(1).is_some() {
            return false;
        }
        self.join(c);
        self.last_char = Some(c);
        true
    }

    /// Makes the cell before the cursor wide, if there is room.
    fn widen(&mut self, at: usize) {
        let (y, edge) = (self.cursor.y, self.edge());
        if at + 1 >= edge || self.cursor.pending {
            return;
        }
        let cell = self.grid.rows[y].get(at);
        self.grid.rows[y].put(at, Cell { flags: WIDE, ..cell }, self.offset);
        self.cursor.x = at + 2;
        if self.cursor.x >= edge {
            self.cursor.x = edge - 1;
            self.cursor.pending = self.modes.autowrap();
        }
    }

    /// Adds a combining character to the cell before the cursor.
    fn join(&mut self, c: char) {
        let Cursor { x, y, pending } = self.cursor;
        let Some(mut x) = (if pending { Some(x) } else { x.checked_sub(1) }) else { return };
        if self.grid.rows[y].get(x).is(SPACER) {
            x -= 1;
        }
        if self.interned.is_due_for_clusters() {
            self.collect_clusters();
        }
        let mut cell = self.grid.rows[y].get(x);
        if cell.is_blank() {
            // Whoever erased it did not choose how it is drawn now.
            cell = Cell { style: self.pen.id, ..self.grid.rows[y].get(x) };
        }
        let glyph = self.interned.joined(cell.glyph, c);
        self.grid.rows[y].put(x, Cell { glyph, ..cell }, self.offset);
        if self.modes.clusters && !cell.is(WIDE) && self.interned.cluster(glyph).width() > 1 {
            self.widen(x);
        }
    }

    /// Goes on in the next row, which this one's line continues in.
    fn wrap(&mut self) {
        let y = self.cursor.y;
        let goes_on = y == self.margins.bottom || y + 1 < self.rows();
        let whole_width = self.margins.left == 0 && self.margins.right + 1 == self.cols();
        if whole_width && goes_on {
            self.grid.rows[y].wrapped = true;
        }
        self.carriage_return();
        self.advance();
    }

    /// REP: the last character again, if it stands just before the cursor: once
    /// that has moved, or something was erased, there is nothing to repeat.
    pub(crate) fn repeat(&mut self, n: usize) {
        let Cursor { x, y, pending } = self.cursor;
        let mut at = if pending { x } else { x.saturating_sub(1) };
        at -= usize::from(at > 0 && self.grid.rows[y].get(at).is(SPACER));
        let cell = self.grid.rows[y].get(at);
        let last = if pending { Some(self.interned.first_char(cell)) } else { self.last_char };
        let Some(c) = last else { return };
        // What combines with it is repeated too.
        let mut combining = Vec::new();
        if self.interned.first_char(cell) == c && cell.glyph & CLUSTER != 0 {
            combining.extend(self.interned.cluster(cell.glyph).chars().skip(1));
        }
        // More than fills the screen only scrolls.
        let n = n.min(self.cols() * self.rows() * 2);
        let charsets = std::mem::take(&mut self.charsets);
        for _ in 0..n {
            self.print_char(c);
            for &c in &combining {
                self.join(c);
            }
        }
        self.charsets = charsets;
    }
}

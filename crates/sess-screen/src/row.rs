//! One row of cells. It keeps both halves of a wide character together; it knows
//! nothing of other rows, the cursor or what an id stands for.
//!
//! Where its text changes, `at` is the output's offset just behind the byte that does
//! it.

use crate::cell::{Cell, GAP, SPACER, WIDE};
use crate::marks::Marks;

/// A row: cells from the left; those past the last are blank.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub cells: Vec<Cell>,
    /// The next row continues this one's line.
    pub wrapped: bool,
    pub marks: Marks,
    /// Nothing in it but ASCII and erased cells in the default style, so that
    /// it can go to the history byte by byte. May be false without need.
    pub plain: bool,
    /// Nothing in it but ASCII and erased cells. May be false without need.
    pub ascii: bool,
    /// Just behind the latest byte that changed its text; 0 if none did since it was
    /// cleared.
    pub written: u64,
}

impl Row {
    pub(crate) const fn new() -> Row {
        Row {
            cells: Vec::new(),
            wrapped: false,
            marks: Marks::NONE,
            plain: true,
            ascii: true,
            written: 0,
        }
    }

    /// A row of these cells.
    pub(crate) fn of(cells: Vec<Cell>, wrapped: bool) -> Row {
        let ascii = cells.iter().all(|cell| cell.glyph < 0x80 && cell.flags == 0);
        let plain = ascii && cells.iter().all(|cell| cell.style == 0);
        let mut row = Row { cells, wrapped, plain, ascii, ..Row::new() };
        row.trim();
        row
    }

    pub(crate) fn get(&self, x: usize) -> Cell {
        self.cells.get(x).copied().unwrap_or(Cell::BLANK)
    }

    /// Whether anything but blanks stands in the columns `from..to`.
    fn has_text(&self, from: usize, to: usize) -> bool {
        let len = self.cells.len();
        self.cells[from.min(len)..to.min(len)].iter().any(|cell| !cell.is_blank())
    }

    /// Whether its line goes on with a wide character that had no room here.
    pub(crate) fn ends_in_gap(&self) -> bool {
        self.wrapped && self.cells.last().is_some_and(|cell| cell.is(GAP))
    }

    /// Erases the whole row, keeping its memory.
    pub(crate) fn clear(&mut self, cols: usize, blank: Cell) {
        self.cells.clear();
        self.wrapped = false;
        self.marks = Marks::NONE;
        self.ascii = true;
        self.written = 0;
        self.plain = blank == Cell::BLANK;
        if !self.plain {
            self.cells.resize(cols, blank);
        }
    }

    /// Writes a run of printable ASCII; it must fit into the row's columns.
    #[inline]
    pub(crate) fn write_ascii(&mut self, x: usize, text: &[u8], style: u16, at: u64) {
        self.written = at;
        self.plain &= style == 0;
        match self.cells.get_mut(x..x + text.len()) {
            Some(cells) if self.ascii => fill(cells, text, style),
            _ => self.write_over(x, text, style),
        }
    }

    /// The same over whatever stands there, or beyond it.
    #[inline(never)]
    fn write_over(&mut self, x: usize, text: &[u8], style: u16) {
        if !self.ascii {
            self.cut(x);
            self.cut(x + text.len());
        }
        if self.cells.len() < x {
            self.cells.resize(x, Cell::BLANK);
        }
        let (over, beyond) = text.split_at(text.len().min(self.cells.len() - x));
        fill(&mut self.cells[x..], over, style);
        let to_cell = |&byte: &u8| Cell { glyph: u32::from(byte), style, flags: 0 };
        self.cells.extend(beyond.iter().map(to_cell));
    }

    /// Puts one cell, and the right half of it if it is wide.
    pub(crate) fn put(&mut self, x: usize, cell: Cell, at: u64) {
        self.written = at;
        let width = if cell.is(WIDE) { 2 } else { 1 };
        self.ascii &= cell.glyph < 0x80 && cell.flags == 0;
        self.plain &= cell.style == 0 && self.ascii;
        let spacer = Cell { glyph: 0, style: cell.style, flags: SPACER };
        if x == self.cells.len() {
            self.cells.push(cell);
            if width == 2 {
                self.cells.push(spacer);
            }
            return;
        }
        self.cut(x);
        self.cut(x + width);
        if self.cells.len() < x + width {
            self.cells.resize(x + width, Cell::BLANK);
        }
        self.cells[x] = cell;
        if width == 2 {
            self.cells[x + 1] = spacer;
        }
    }

    /// Sees to it that no wide character stands across the left edge of `x`:
    /// half of one would be neither drawn nor restored.
    pub(crate) fn cut(&mut self, x: usize) {
        if x > 0 && x < self.cells.len() && self.cells[x].is(SPACER) {
            for cell in &mut self.cells[x - 1..=x] {
                *cell = Cell { glyph: 0x20, flags: 0, ..*cell };
            }
        }
    }

    /// Erases the columns `from..to` of a row of `cols`. Of one that is erased as a
    /// whole no text is left that could have been written.
    pub(crate) fn erase(&mut self, from: usize, to: usize, cols: usize, blank: Cell, at: u64) {
        if from >= to {
            return;
        }
        if from == 0 && to >= cols {
            self.written = 0;
        } else if self.has_text(from, to) {
            self.written = at;
        }
        self.cut(from);
        self.cut(to);
        if to >= cols {
            self.wrapped = false;
        }
        if blank == Cell::BLANK && to >= self.cells.len() {
            self.cells.truncate(from);
            return;
        }
        self.plain &= blank == Cell::BLANK;
        if self.cells.len() < to {
            self.cells.resize(to, Cell::BLANK);
        }
        self.cells[from..to].fill(blank);
    }

    /// How many of `n` cells between `x` and `right` are to be shifted, which writes to
    /// the row if there is text.
    fn begin_shift(&mut self, x: usize, n: usize, right: usize, blank: Cell, at: u64) -> usize {
        if x >= self.cells.len() && blank == Cell::BLANK {
            return 0;
        }
        if n > 0 && x < right && self.has_text(x, right) {
            self.written = at;
        }
        n.min(right - x)
    }

    /// Inserts `n` blanks at `x`, pushing what is right of it past `right`.
    pub(crate) fn insert(
        &mut self,
        x: usize,
        n: usize,
        right: usize,
        cols: usize,
        blank: Cell,
        at: u64,
    ) {
        let n = self.begin_shift(x, n, right, blank, at);
        if n == 0 {
            return;
        }
        self.cut(x);
        self.cut(right - n);
        self.cut(right);
        if right >= cols {
            self.wrapped = false;
        }
        self.clear_gap();
        self.cells.resize(self.cells.len().max(right), Cell::BLANK);
        self.cells.copy_within(x..right - n, x + n);
        self.cells[x..x + n].fill(blank);
        self.plain &= blank == Cell::BLANK;
        self.trim();
    }

    /// Deletes `n` cells at `x`; blanks come in at `right`.
    pub(crate) fn delete(
        &mut self,
        x: usize,
        n: usize,
        right: usize,
        cols: usize,
        blank: Cell,
        at: u64,
    ) {
        let n = self.begin_shift(x, n, right, blank, at);
        if n == 0 {
            return;
        }
        self.cut(x);
        self.cut(x + n);
        self.cut(right);
        if right >= cols {
            self.wrapped = false;
        }
        self.clear_gap();
        self.cells.resize(self.cells.len().max(right), Cell::BLANK);
        self.cells.copy_within(x + n..right, x);
        self.cells[right - n..right].fill(blank);
        self.plain &= blank == Cell::BLANK;
        self.trim();
    }

    /// Moves the columns `left..right` of `from` here.
    pub(crate) fn copy_columns(&mut self, from: &Row, left: usize, right: usize, at: u64) {
        if self.has_text(left, right) || from.has_text(left, right) {
            self.written = at;
        }
        self.cut(left);
        self.cut(right);
        self.cells.resize(self.cells.len().max(right), Cell::BLANK);
        for x in left..right {
            self.cells[x] = from.get(x);
        }
        self.halve(left, right);
    }

    /// Puts cells as they are from `x` on; half of a wide character at either end
    /// becomes a blank.
    pub(crate) fn overwrite(&mut self, x: usize, cells: &[Cell], at: u64) {
        let end = x + cells.len();
        if cells.is_empty() {
            return;
        }
        self.written = at;
        self.clear_gap();
        self.cut(x);
        self.cut(end);
        self.cells.resize(self.cells.len().max(end), Cell::BLANK);
        self.cells[x..end].copy_from_slice(cells);
        self.halve(x, end);
    }

    /// Columns came in from elsewhere: a wide character cut at their edges stays
    /// whole nowhere.
    fn halve(&mut self, left: usize, right: usize) {
        let halved = |cell: Cell| Cell { glyph: 0x20, flags: 0, ..cell };
        if self.cells[left].is(SPACER) {
            self.cells[left] = halved(self.cells[left]);
        }
        if self.cells[right - 1].is(WIDE) {
            self.cells[right - 1] = halved(self.cells[right - 1]);
        }
        self.plain = false;
        self.ascii = false;
        self.trim();
    }

    /// Crops to `cols`.
    pub(crate) fn crop(&mut self, cols: usize) {
        self.clear_gap();
        self.cut(cols);
        self.cells.truncate(cols);
        self.wrapped = false;
    }

    fn clear_gap(&mut self) {
        if let Some(last) = self.cells.last_mut() {
            last.flags &= !GAP;
        }
    }

    fn trim(&mut self) {
        while self.cells.last() == Some(&Cell::BLANK) {
            self.cells.pop();
        }
    }
}

/// Writes printable ASCII over cells, of which there are enough.
#[inline]
fn fill(cells: &mut [Cell], text: &[u8], style: u16) {
    let to_cell = |byte: u8| Cell { glyph: u32::from(byte), style, flags: 0 };
    let cells = &mut cells[..text.len()];
    // Four at once, the last four whether or not some of them are written twice: most
    // runs are a word.
    if let (Some(last_cells), Some(last)) = (cells.last_chunk_mut(), text.last_chunk::<4>()) {
        *last_cells = last.map(to_cell);
        let (cells, _) = cells.as_chunks_mut::<4>();
        for (cells, text) in cells.iter_mut().zip(text.as_chunks::<4>().0) {
            *cells = text.map(to_cell);
        }
    } else {
        for (cell, &byte) in cells.iter_mut().zip(text) {
            *cell = to_cell(byte);
        }
    }
}

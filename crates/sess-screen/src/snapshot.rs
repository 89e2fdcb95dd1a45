//! The whole state as bytes that bring a neutralised terminal into it, in the
//! one order in which no step undoes another. It knows nothing of who reads them.

use crate::cell::{Cell, SPACER, WIDE};
use crate::charset::Charsets;
use crate::grid::{Grid, Margins};
use crate::interned::Interned;
use crate::keyboard::KittyStack;
use crate::marks::Marks;
use crate::modes::{self, ModeSet, SYNCHRONIZED};
use crate::paint::{Painter, move_to};
use crate::row::Row;
use crate::screen::{Cursor, Saved, Screen};
use crate::sgr::{PenWriter, push_number};
use crate::size::Size;
use crate::style::attr;

/// Brings a terminal out of the middle of any sequence: CAN, then ST.
pub const INTERRUPT: &[u8] = b"\x18\x1b\\";

/// Brings a terminal in any state, but not in the middle of a sequence (send
/// [`INTERRUPT`] first for that), to the default one that [`Screen::snapshot`]
/// starts from: without RIS, without erasing anything, and with the cursor left
/// where it was.
///
/// Where origin mode was on, DECRC brings it back, with margins that make no
/// difference; send [`HOME`] for the `CSI H` that follows.
pub const NEUTRALISE: &[u8] = b"\x1b]8;;\x1b\\\x1b[?2026l\
    \x1b[<99u\x1b[=0u\x1b[?47l\x1b[<99u\x1b[=0u\
    \x1b7\x1b[r\x1b[?69l\x1b[?6l\x1b8\
    \x1b[>4m\x1b[m\x1b[0\"q\x1b(B\x1b)B\x1b*B\x1b+B\x0f\x1b[4l\x1b[20l\x1b[?7h\
    \x1b[?1;5;45;9;1000;1002;1003;1004;1005;1006;1015;1016;2004;2031;2048l\
    \x1b>\x1b[?25h\x1b[0 q\x1b[?5W\
    \x1b]104\x1b\\\x1b]110\x1b\\\x1b]111\x1b\\\x1b]112\x1b\\";

/// Origin mode off, which homes the cursor.
pub const HOME: &[u8] = b"\x1b[?6l\x1b[H";

impl Screen {
    /// Appends the bytes that bring a neutralised terminal into this state. The
    /// cursor stands where the history's lines have left it: at the start of a
    /// row, or at the end of a line that runs on into the screen's first row.
    ///
    /// If the terminal has this screen's size, the rows are printed in flow, so
    /// that the history goes off the top row by row and stays whole; on any
    /// other it is pushed off by line feeds, and what fits is painted. There is
    /// no query in it, no RIS, and nothing erases scrollback.
    pub fn snapshot(&self, terminal: Size, out: &mut Vec<u8>) {
        self.palette.write(out);
        let view = View::of(self, terminal);
        if view.is_whole {
            self.write_primary(out);
        } else {
            self.write_primary_elsewhere(&view, out);
        }
        self.kitty[0].write(out);
        self.write_tab_stops(out);
        if self.alternate == 0 {
            self.write_alternate_left_behind(&view, out);
            self.write_saved(0, b"\x1b7", &view, out);
        } else {
            let enter = format!("\x1b[?{}h", self.alternate);
            if self.alternate == 1049 {
                // It saves the cursor by itself.
                self.write_saved(0, enter.as_bytes(), &view, out);
            } else {
                self.write_saved(0, b"\x1b7", &view, out);
                out.extend_from_slice(enter.as_bytes());
            }
            self.write_alternate(&self.grid, &view, out);
        }
        self.write_saved_modes(out);
        self.write_margins(&view, out);
        self.write_cursor(&view, out);
        self.write_modes(out);
        self.titles.write(out);
        if self.modes.is_on(SYNCHRONIZED) {
            out.extend_from_slice(b"\x1b[?2026h");
        }
        self.input.write(out);
    }

    fn painter<'a>(&'a self, out: &'a mut Vec<u8>) -> Painter<'a> {
        Painter { interned: &self.interned, pen: PenWriter::default(), out }
    }

    /// The primary rows in flow. Blank rows at the bottom are line feeds too, for
    /// as long as there is history to be pushed off the top.
    fn write_primary(&self, out: &mut Vec<u8>) {
        let grid = self.primary();
        let history = self.history.range();
        let continued = !history.is_empty() && self.history.is_wrapped(history.end - 1);
        let used =
            if history.is_empty() { used_rows(grid, &self.interned) } else { grid.rows.len() };
        let rows = grid.rows.range(..used);
        self.painter(out).flow(rows, self.cols(), continued);
    }

    /// The primary rows on a terminal of another size.
    fn write_primary_elsewhere(&self, view: &View, out: &mut Vec<u8>) {
        let history = self.history.range();
        if !history.is_empty() {
            if self.history.is_wrapped(history.end - 1) {
                out.extend_from_slice(b"\r\n");
            }
            // From the first row below the history that makes as many rows leave
            // the top as there are lines of it; any row above it only more.
            out.resize(out.len() + view.terminal_rows - 1, b'\n');
        }
        out.extend_from_slice(b"\x1b[H\x1b[J");
        let rows = self.primary().rows.range(view.rows());
        self.painter(out).place(rows, self.cols(), view.cols);
    }

    /// What `?47l` left on the alternate screen, for the next `?47h`.
    fn write_alternate_left_behind(&self, view: &View, out: &mut Vec<u8>) {
        if self.has_alternate_left_behind() {
            let blank = Grid::new(1, self.rows());
            out.extend_from_slice(b"\x1b[?47h");
            self.write_alternate(self.other.as_ref().unwrap_or(&blank), view, out);
            out.extend_from_slice(b"\x1b[?47l");
        }
    }

    /// Whether the alternate screen, now not shown, is not as it was at first.
    pub(crate) fn has_alternate_left_behind(&self) -> bool {
        self.alternate == 0
            && (self.other.is_some()
                || self.saved[1] != Saved::default()
                || self.kitty[1] != KittyStack::default())
    }

    fn write_alternate(&self, grid: &Grid, view: &View, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\x1b[H\x1b[2J");
        if view.is_whole {
            let used = used_rows(grid, &self.interned);
            self.painter(out).flow(grid.rows.range(..used), self.cols(), false);
        } else {
            self.painter(out).place(grid.rows.range(view.rows()), self.cols(), view.cols);
        }
        self.write_saved(1, b"\x1b7", view, out);
        self.kitty[1].write(out);
    }

    /// They are set at the cursor, so they come before it.
    fn write_tab_stops(&self, out: &mut Vec<u8>) {
        if self.tabs.is_default() {
            return;
        }
        // Clearing all reaches beyond the width, where a wider screen would look.
        let cleared = self.tabs.is_cleared_from(self.cols());
        if cleared {
            out.extend_from_slice(b"\x1b[3g");
        }
        for x in 0..self.cols() {
            let stop = self.tabs.is_stop(x);
            if stop != (!cleared && x.is_multiple_of(8)) {
                move_to(out, x, 0);
                out.extend_from_slice(if stop { b"\x1bH" } else { b"\x1b[g" });
            }
        }
    }

    /// A saved cursor: its state is brought about, saved by `save`, and taken
    /// back. Also where it is home, for neutralising has saved another.
    fn write_saved(&self, which: usize, save: &[u8], view: &View, out: &mut Vec<u8>) {
        let Saved { cursor, pen, origin, charsets } = self.saved[which];
        if origin {
            write_mode(modes::ORIGIN, true, out);
        }
        let blank;
        let grid = if which == self.which() {
            &self.grid
        } else if let Some(other) = &self.other {
            other
        } else {
            blank = Grid::new(self.cols(), self.rows());
            &blank
        };
        // It hangs at a right margin, which has to be there for that.
        let inside = cursor.pending && view.is_whole && cursor.x + 1 < self.cols();
        if inside && cursor.x > 0 {
            write_mode(modes::COLUMN_MARGINS, true, out);
            write_pair(0, cursor.x, b's', out);
        }
        let mut writer = self.write_position(cursor, grid, view, (0, 0), out);
        writer.to(pen, self.interned.link(pen.link).map(AsRef::as_ref), out);
        Charsets::default().write_change(charsets, out);
        out.extend_from_slice(save);
        charsets.write_change(Charsets::default(), out);
        writer.reset(out);
        if inside && cursor.x > 0 {
            write_mode(modes::COLUMN_MARGINS, false, out);
        }
        if origin {
            write_mode(modes::ORIGIN, false, out);
        }
    }

    /// What XTSAVE put aside: each mode is brought there, put aside, and taken
    /// back. Some of them move the cursor.
    fn write_saved_modes(&self, out: &mut Vec<u8>) {
        for &(mode, on) in &self.modes.saved {
            let default = ModeSet::default_of(mode);
            if on != default {
                write_mode(mode, on, out);
            }
            out.extend_from_slice(b"\x1b[?");
            push_number(out, mode.into());
            out.push(b's');
            if on != default {
                write_mode(mode, default, out);
            }
        }
    }

    /// Both kinds of margins and origin mode: each of them homes the cursor.
    fn write_margins(&self, view: &View, out: &mut Vec<u8>) {
        let m = self.margins;
        let full = Margins::full(self.cols(), self.rows());
        if view.is_whole {
            if (m.top, m.bottom) != (full.top, full.bottom) {
                write_pair(m.top, m.bottom, b'r', out);
            }
            if self.modes.is_on(modes::COLUMN_MARGINS) {
                out.extend_from_slice(b"\x1b[?69h");
                if (m.left, m.right) != (full.left, full.right) {
                    write_pair(m.left, m.right, b's', out);
                }
            }
        }
        if self.origin() {
            out.extend_from_slice(b"\x1b[?6h");
        }
    }

    /// The cursor, the pen and the character sets.
    fn write_cursor(&self, view: &View, out: &mut Vec<u8>) {
        let relative = self.origin() && view.is_whole;
        let origin = if relative { (self.margins.left, self.margins.top) } else { (0, 0) };
        let cursor = self.last_printed().filter(|_| view.is_whole).unwrap_or(self.cursor);
        let mut writer = self.write_position(cursor, &self.grid, view, origin, out);
        let pen = self.pen.style;
        writer.to(pen, self.interned.link(pen.link).map(AsRef::as_ref), out);
        Charsets::default().write_change(self.charsets, out);
    }

    /// Where the character stands that REP repeats: before the cursor, or under
    /// it if it stays at the edge. There it is printed once more.
    fn last_printed(&self) -> Option<Cursor> {
        let c = self.last_char.filter(|_| !self.cursor.pending)?;
        let Cursor { x, y, .. } = self.cursor;
        let row = &self.grid.rows[y];
        let before = x.checked_sub(1).map(|x| x - usize::from(x > 0 && row.get(x).is(SPACER)));
        let is_it = |x: &usize| self.interned.first_char(row.get(*x)) == c;
        // Half of a wide one behind the cursor would move it on.
        let ends_here = |before: &usize| before + 1 + usize::from(row.get(*before).is(WIDE)) == x;
        let stays_here = |x: &usize| {
            !row.get(*x).is(SPACER | WIDE) && (*x == self.margins.right || *x + 1 == self.cols())
        };
        let under = Some(x).filter(stays_here);
        let x = before.filter(ends_here).filter(is_it).or(under.filter(is_it))?;
        Some(Cursor { x, y, pending: true })
    }

    /// Moves to a position, by printing its cell once more if the cursor hangs
    /// behind it. Returns the pen that the terminal then has.
    fn write_position(
        &self,
        cursor: Cursor,
        grid: &Grid,
        view: &View,
        (left, top): (usize, usize),
        out: &mut Vec<u8>,
    ) -> PenWriter {
        let (mut x, y) = (cursor.x, view.y(cursor.y));
        let row = &grid.rows[cursor.y];
        if cursor.pending && row.get(x).is(SPACER) && x > 0 {
            x -= 1;
        }
        move_to(out, x.min(view.cols - 1).saturating_sub(left), y.saturating_sub(top));
        let mut painter = self.painter(out);
        if cursor.pending && x < view.cols {
            painter.cell(Cell { flags: row.get(x).flags & WIDE, ..row.get(x) });
        }
        painter.pen
    }

    fn write_modes(&self, out: &mut Vec<u8>) {
        if self.modes.insert {
            out.extend_from_slice(b"\x1b[4h");
        }
        if self.modes.newline {
            out.extend_from_slice(b"\x1b[20h");
        }
        if self.iso_protection {
            let on = self.pen.style.attrs & attr::PROTECTED != 0;
            out.extend_from_slice(if on { b"\x1bV" } else { b"\x1bV\x1bW" });
        }
        if self.exact_rectangles {
            out.extend_from_slice(b"\x1b[2*x");
        }
        let placed = [modes::ORIGIN, modes::COLUMN_MARGINS, SYNCHRONIZED];
        for (mode, on) in self.modes.changed().filter(|(mode, _)| !placed.contains(mode)) {
            match mode {
                modes::KEYPAD => out.extend_from_slice(b"\x1b="),
                _ => write_mode(mode, on, out),
            }
        }
        for &(mode, on) in &self.modes.others {
            write_mode(mode, on, out);
        }
        for mode in [self.modes.mouse, self.modes.encoding].into_iter().filter(|&mode| mode != 0) {
            write_mode(mode, true, out);
        }
        self.key_modifiers.write(out);
        if self.cursor_shape != 0 {
            out.extend_from_slice(b"\x1b[");
            push_number(out, self.cursor_shape.into());
            out.extend_from_slice(b" q");
        }
    }
}

/// What of the screen the terminal can show.
pub(crate) struct View {
    /// The terminal has the screen's size.
    is_whole: bool,
    /// The first row shown, so that the cursor's is among them.
    first: usize,
    height: usize,
    cols: usize,
    terminal_rows: usize,
}

impl View {
    fn of(screen: &Screen, terminal: Size) -> View {
        let terminal = Size::new(terminal.cols, terminal.rows);
        let terminal_rows = usize::from(terminal.rows);
        let height = terminal_rows.min(screen.rows());
        View {
            is_whole: terminal == screen.size,
            first: (screen.cursor.y + 1).saturating_sub(height),
            height,
            cols: usize::from(terminal.cols),
            terminal_rows,
        }
    }

    fn rows(&self) -> std::ops::Range<usize> {
        self.first..self.first + self.height
    }

    fn y(&self, y: usize) -> usize {
        y.saturating_sub(self.first).min(self.height - 1)
    }
}

/// The rows down to the last that is not blank, or that one is wrapped into.
pub(crate) fn used_rows(grid: &Grid, interned: &Interned) -> usize {
    let is_used = |cell: &Cell| !interned.is_unseen(*cell);
    let is_said =
        |row: &Row| row.wrapped || row.marks != Marks::NONE || row.cells.iter().any(is_used);
    let last = grid.rows.iter().rposition(is_said);
    last.map_or(0, |last| last + 1 + usize::from(grid.rows[last].wrapped))
}

fn write_pair(first: usize, second: usize, end: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\x1b[");
    push_number(out, first as u32 + 1);
    out.push(b';');
    push_number(out, second as u32 + 1);
    out.push(end);
}

pub(crate) fn write_mode(mode: u16, on: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\x1b[?");
    push_number(out, mode.into());
    out.push(if on { b'h' } else { b'l' });
}

//! Taking the state off a terminal again when it is left. It knows nothing of
//! what was there before: it resets what is on, and only that.

use crate::charset::Charsets;
use crate::grid::Margins;
use crate::keyboard::KittyStack;
use crate::modes;
use crate::paint::move_to;
use crate::screen::Screen;
use crate::sgr::{PenWriter, push_number};
use crate::snapshot::{INTERRUPT, used_rows, write_mode};

impl Screen {
    /// Appends the bytes that switch off what is on in a terminal that has shown
    /// this screen, leave the alternate screen, and put the cursor on a fresh
    /// line below the last used row of the primary one, which stays as it is.
    pub fn undo(&self, out: &mut Vec<u8>) {
        if !self.input.is_ground() {
            out.extend_from_slice(INTERRUPT);
        }
        if self.modes.is_on(modes::SYNCHRONIZED) {
            write_mode(modes::SYNCHRONIZED, false, out);
        }
        PenWriter { style: self.pen.style }.reset(out);
        self.charsets.write_change(Charsets::default(), out);
        self.undo_modes(out);
        if self.alternate != 0 {
            self.kitty[1].write_undo(out);
            out.extend_from_slice(b"\x1b[?");
            push_number(out, self.alternate.into());
            out.push(b'l');
            self.undo_restored_cursor(out);
        }
        if self.has_alternate_left_behind() && self.kitty[1] != KittyStack::default() {
            out.extend_from_slice(b"\x1b[?47h");
            self.kitty[1].write_undo(out);
            out.extend_from_slice(b"\x1b[?47l");
        }
        self.kitty[0].write_undo(out);
        self.key_modifiers.write_undo(out);
        self.palette.write_undo(out);
        self.titles.write_undo(out);
        self.undo_tab_stops(out);
        self.write_fresh_line(out);
    }

    fn undo_modes(&self, out: &mut Vec<u8>) {
        if self.margins != Margins::full(self.cols(), self.rows()) {
            out.extend_from_slice(b"\x1b[r");
        }
        if self.modes.insert {
            out.extend_from_slice(b"\x1b[4l");
        }
        if self.modes.newline {
            out.extend_from_slice(b"\x1b[20l");
        }
        if self.exact_rectangles {
            out.extend_from_slice(b"\x1b[*x");
        }
        for (mode, on) in self.modes.changed().filter(|(mode, _)| *mode != modes::SYNCHRONIZED) {
            match mode {
                modes::KEYPAD => out.extend_from_slice(b"\x1b>"),
                _ => write_mode(mode, !on, out),
            }
        }
        for &(mode, on) in &self.modes.others {
            // A mode that the program took off may not have been on before.
            if on {
                write_mode(mode, false, out);
            }
        }
        for mode in [self.modes.encoding, self.modes.mouse].into_iter().filter(|&mode| mode != 0) {
            write_mode(mode, false, out);
        }
        if self.cursor_shape != 0 {
            out.extend_from_slice(b"\x1b[0 q");
        }
    }

    /// Leaving by 1049 restores the cursor saved on the way in, with all of its
    /// pen, character sets and origin mode.
    fn undo_restored_cursor(&self, out: &mut Vec<u8>) {
        if self.alternate != 1049 {
            return;
        }
        let saved = self.saved[0];
        PenWriter { style: saved.pen }.reset(out);
        saved.charsets.write_change(Charsets::default(), out);
        if saved.origin {
            write_mode(modes::ORIGIN, false, out);
        }
    }

    fn undo_tab_stops(&self, out: &mut Vec<u8>) {
        if self.tabs.is_default() {
            return;
        }
        out.extend_from_slice(b"\x1b[3g");
        for x in (0..self.cols()).step_by(8) {
            move_to(out, x, 0);
            out.extend_from_slice(b"\x1bH");
        }
        // Terminals that know it do the columns beyond too.
        out.extend_from_slice(b"\x1b[?5W");
    }

    /// Below the last used row: the cursor's own, if that is a blank one there.
    fn write_fresh_line(&self, out: &mut Vec<u8>) {
        let cursor = match self.alternate {
            0 => self.cursor.y,
            1049 => self.saved[0].cursor.y,
            // The other modes leave the cursor's row as it is on the alternate.
            _ => 0,
        };
        let fresh = used_rows(self.primary(), &self.interned).max(cursor);
        if fresh < self.rows() {
            move_to(out, 0, fresh);
        } else {
            move_to(out, 0, self.rows() - 1);
            out.push(b'\n');
        }
    }
}

//! Switching: modes, margins, the alternate screen, and resets. It knows nothing
//! of how a sequence is read, or of what stands in the cells.

use crate::charset::Charsets;
use crate::grid::{Grid, Margins};
use crate::keyboard::{KeyModifiers, KittyStack};
use crate::modes::{
    AUTOWRAP, COLUMN_CHANGE, COLUMN_MARGINS, COLUMNS, EXTENDED_REVERSE_WRAP, KEEP_ON_COLUMN_CHANGE,
    KEYPAD, ModeSet, ORIGIN, REVERSE_WRAP, VISIBLE,
};
use crate::params::Params;
use crate::pen::Pen;
use crate::screen::{Saved, Screen};
use crate::tabs::TabStops;

impl Screen {
    pub(crate) fn set_ansi_modes(&mut self, params: &Params, on: bool) {
        for &mode in params.values() {
            match mode {
                4 => self.modes.insert = on,
                20 => self.modes.newline = on,
                _ => {}
            }
        }
    }

    pub(crate) fn set_private_modes(&mut self, params: &Params, on: bool) {
        for &mode in params.values() {
            self.set_private_mode(mode, on);
        }
    }

    fn set_private_mode(&mut self, mode: u16, on: bool) {
        match mode {
            47 | 1047 | 1049 => self.switch_screen(mode, on),
            1048 if on => self.save_cursor(),
            1048 => self.restore_cursor(),
            ORIGIN => {
                self.modes.set(ORIGIN, on);
                self.position(0, 0);
            }
            AUTOWRAP => {
                self.modes.set(AUTOWRAP, on);
                self.cursor.pending &= on;
            }
            COLUMNS if self.modes.is_on(COLUMN_CHANGE) => self.change_columns(),
            COLUMN_MARGINS => {
                self.modes.set(COLUMN_MARGINS, on);
                self.margins.left = 0;
                self.margins.right = self.cols() - 1;
                self.cursor.pending &= self.cursor.x == self.margins.right;
            }
            _ => self.modes.set(mode, on),
        }
    }

    /// DECCOLM. The size is the terminal's to change; what goes with it is done.
    fn change_columns(&mut self) {
        if !self.modes.is_on(KEEP_ON_COLUMN_CHANGE) {
            self.erase_display(2, false);
            self.move_to(0, 0);
        }
        self.modes.set(COLUMN_MARGINS, false);
        self.margins = Margins::full(self.cols(), self.rows());
    }

    /// XTSAVE.
    pub(crate) fn save_modes(&mut self, params: &Params) {
        for &mode in params.values() {
            if mode == 1048 {
                self.save_cursor();
            } else {
                self.modes.save(mode);
            }
        }
    }

    /// XTRESTORE.
    pub(crate) fn restore_modes(&mut self, params: &Params) {
        for &mode in params.values() {
            if mode == 1048 {
                self.restore_cursor();
            } else if let Some(on) = self.modes.saved(mode) {
                self.set_private_mode(mode, on);
            }
        }
    }

    /// Enters or leaves the alternate screen. The cursor stays where it is; 1049
    /// saves and restores it, 1047 and 1049 see to it that a new one is blank.
    fn switch_screen(&mut self, mode: u16, on: bool) {
        self.last_char = None;
        if on && self.alternate == 0 {
            if mode == 1049 {
                self.save_cursor();
            }
            let (cols, rows) = (self.cols(), self.rows());
            let kept = self.other.take().filter(|_| mode == 47);
            let alternate = kept.unwrap_or_else(|| Grid::new(cols, rows));
            self.other = Some(std::mem::replace(&mut self.grid, alternate));
            self.alternate = mode;
            if mode == 1049 {
                let blank = self.blank();
                self.grid.clear(blank);
            }
            return;
        }
        if !on && self.alternate != 0 {
            if let Some(primary) = self.other.take() {
                let alternate = std::mem::replace(&mut self.grid, primary);
                // What 47 leaves behind is there again at the next 47.
                self.other = (mode == 47 && !alternate.is_blank()).then_some(alternate);
            }
            self.alternate = 0;
        }
        if !on && mode == 1049 {
            self.restore_cursor();
        }
    }

    /// DECSTBM.
    pub(crate) fn set_rows_margins(&mut self, params: &Params) {
        let rows = self.rows();
        let top = usize::from(params.at_least_one(0)) - 1;
        let bottom = match usize::from(params.get(1)) {
            0 => rows - 1,
            bottom => bottom.min(rows) - 1,
        };
        if top < bottom {
            self.margins = Margins { top, bottom, ..self.margins };
            self.position(0, 0);
        }
    }

    /// DECSLRM.
    pub(crate) fn set_column_margins(&mut self, params: &Params) {
        let cols = self.cols();
        let left = usize::from(params.at_least_one(0)) - 1;
        let right = match usize::from(params.get(1)) {
            0 => cols - 1,
            right => right.min(cols) - 1,
        };
        if left < right {
            self.margins = Margins { left, right, ..self.margins };
            self.position(0, 0);
        }
    }

    /// DECSTR.
    pub(crate) fn soft_reset(&mut self) {
        self.modes.insert = false;
        for mode in [AUTOWRAP, VISIBLE] {
            self.modes.set(mode, true);
        }
        let off = [ORIGIN, 1, 42, REVERSE_WRAP, EXTENDED_REVERSE_WRAP, KEYPAD, COLUMN_MARGINS];
        for mode in off {
            self.modes.set(mode, false);
        }
        self.margins = Margins::full(self.cols(), self.rows());
        self.cursor.pending &= self.cursor.x + 1 == self.cols();
        self.charsets = Charsets::default();
        self.pen = Pen::default();
        let which = self.which();
        self.saved[which] = Saved::default();
        self.kitty[which] = KittyStack::default();
        self.cursor_shape = 0;
    }

    /// RIS. It takes the history too, as it does in terminals.
    pub(crate) fn reset(&mut self) {
        let (cols, rows) = (self.cols(), self.rows());
        self.switch_screen(47, false);
        self.other = None;
        self.grid = Grid::new(cols, rows);
        self.history.clear();
        self.saved = [Saved::default(); 2];
        self.pen = Pen::default();
        self.margins = Margins::full(cols, rows);
        self.iso_protection = false;
        self.exact_rectangles = false;
        self.charsets = Charsets::default();
        self.tabs = TabStops::default();
        self.modes = ModeSet::new();
        self.kitty = [KittyStack::default(), KittyStack::default()];
        self.key_modifiers = KeyModifiers::default();
        self.cursor_shape = 0;
        self.palette.reset();
        self.titles = crate::titles::Titles::default();
        self.shell = None;
        self.last_char = None;
        self.move_to(0, 0);
    }
}

//! Switching: modes, margins, the alternate screen, and resets. It knows nothing
//! of how a sequence is read, or of what stands in the cells.

use crate::charset::Charsets;
use crate::grid::{Grid, Margins};
use crate::keyboard::{KeyModifiers, KittyStack};
use crate::modes::{AUTOWRAP, COLUMN_MARGINS, KEYPAD, ModeSet, ORIGIN, VISIBLE};
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
                COLUMN_MARGINS => {
                    self.modes.set(COLUMN_MARGINS, on);
                    self.margins.left = 0;
                    self.margins.right = self.cols() - 1;
                    self.cursor.pending &= self.cursor.x == self.margins.right;
                }
                _ => self.modes.set(mode, on),
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
        for (mode, on) in [(ORIGIN, false), (AUTOWRAP, true), (VISIBLE, true), (1, false)] {
            self.modes.set(mode, on);
        }
        self.modes.set(KEYPAD, false);
        self.modes.set(COLUMN_MARGINS, false);
        self.margins = Margins::full(self.cols(), self.rows());
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
        self.charsets = Charsets::default();
        self.tabs = TabStops::default();
        self.modes = ModeSet::new();
        self.kitty = [KittyStack::default(), KittyStack::default()];
        self.key_modifiers = KeyModifiers::default();
        self.cursor_shape = 0;
        self.palette.reset();
        self.titles = crate::titles::Titles::default();
        self.last_char = None;
        self.move_to(0, 0);
    }
}

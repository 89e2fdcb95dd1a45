//! A size as `alacritty_terminal` wants to be told it, for tests and measurements.

use alacritty_terminal::grid::Dimensions;
use sess_screen::Size;

/// Rows and columns, without history.
pub struct Area(pub Size);

impl Dimensions for Area {
    fn total_lines(&self) -> usize {
        self.screen_lines()
    }

    fn screen_lines(&self) -> usize {
        self.0.rows.into()
    }

    fn columns(&self) -> usize {
        self.0.cols.into()
    }
}

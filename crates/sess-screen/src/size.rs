//! The size of a terminal in character cells. It knows nothing of what stands
//! in the cells.

use serde::Serialize;

/// The number of columns and rows of a terminal; neither is ever zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Size {
    /// Character cells in a row.
    pub cols: u16,
    /// Rows on the screen.
    pub rows: u16,
}

impl Size {
    /// The largest width and height; what is larger is cut down to it, so that
    /// a mistaken `TIOCSWINSZ` can't make a model allocate gigabytes.
    pub const MAX: u16 = 2000;

    /// A size with both sides brought into `1..=Size::MAX`.
    pub fn new(cols: u16, rows: u16) -> Size {
        Size { cols: cols.clamp(1, Size::MAX), rows: rows.clamp(1, Size::MAX) }
    }
}

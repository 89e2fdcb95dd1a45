//! How much of a row there is to say. It knows nothing of bytes.

use crate::cell::Cell;
use crate::interned::Interned;
use crate::row::Row;
use crate::style::Colour;

/// How much of a row has to be said.
pub(crate) struct Extent {
    /// Cells with text, or blanks that show something.
    pub text: usize,
    /// Spaces that a soft-wrapped line needs after that to reach the edge.
    pub padding: usize,
    /// The style of the coloured blanks from there to the edge.
    pub tail: Option<u16>,
}

impl Extent {
    pub(crate) fn of(row: &Row, cols: usize, interned: &Interned) -> Extent {
        let len = row.cells.len();
        if row.wrapped {
            return Extent { text: len, padding: cols.saturating_sub(len), tail: None };
        }
        Extent::of_unwrapped(row, cols, interned)
    }

    /// The same for a row that ends hard, or has no next to wrap into.
    pub(crate) fn of_unwrapped(row: &Row, cols: usize, interned: &Interned) -> Extent {
        let len = row.cells.len();
        let text = trimmed(&row.cells, interned);
        let last = row.get(len.saturating_sub(1));
        let style = interned.styles.get(last.style);
        if style.bg == Colour::DEFAULT || text < len || len < cols || !last.is_blank() {
            return Extent { text, padding: 0, tail: None };
        }
        if !style.blank_shows_only_background() {
            return Extent { text, padding: 0, tail: None };
        }
        let is_tail = |cell: &&Cell| {
            cell.is_blank()
                && (cell.style == last.style || {
                    let other = interned.styles.get(cell.style);
                    other.bg == style.bg && other.blank_shows_only_background()
                })
        };
        let tail = row.cells.iter().rev().take_while(is_tail).count();
        Extent { text: len - tail, padding: 0, tail: Some(last.style) }
    }
}

/// The cells without the trailing blanks that show nothing.
pub(crate) fn trimmed(cells: &[Cell], interned: &Interned) -> usize {
    cells.iter().rposition(|cell| !interned.is_unseen(*cell)).map_or(0, |last| last + 1)
}

//! One character cell. It knows the ids of its style and cluster, not what
//! they stand for.

use unicode_width::UnicodeWidthChar;

/// What stands in one column of one row, in eight bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    /// 0 if erased, a character, or `CLUSTER` and the id of several.
    pub glyph: u32,
    pub style: u16,
    pub flags: u16,
}

/// Marks a glyph as the id of a cluster.
pub(crate) const CLUSTER: u32 = 1 << 31;
/// The left half of a wide character.
pub(crate) const WIDE: u16 = 1;
/// The right half of a wide character.
pub(crate) const SPACER: u16 = 2;
/// The last column, left free because a wide character did not fit: it wrapped.
pub(crate) const GAP: u16 = 4;

/// How many cells a character takes: none, one or two. The one that is said to take
/// three (U+17D8) gets as many as there is room for.
#[inline]
pub(crate) fn width(c: char) -> usize {
    c.width().unwrap_or(0).min(2)
}

impl Cell {
    pub(crate) const BLANK: Cell = Cell { glyph: 0, style: 0, flags: 0 };

    pub(crate) const fn erased(style: u16) -> Cell {
        Cell { glyph: 0, style, flags: 0 }
    }

    /// Whether there is nothing in it but, perhaps, colour.
    pub(crate) fn is_blank(self) -> bool {
        (self.glyph == 0 || self.glyph == 0x20) && self.flags & SPACER == 0
    }

    /// The byte that shows it, if that is an ASCII character or nothing.
    pub(crate) fn ascii(self) -> u8 {
        if self.glyph == 0 { b' ' } else { self.glyph as u8 }
    }

    pub(crate) fn is(self, flag: u16) -> bool {
        self.flags & flag != 0
    }
}

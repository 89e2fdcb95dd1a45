//! Tab stops. They know nothing of the cursor.

use crate::size::Size;

const WORDS: usize = Size::MAX as usize / 64 + 1;

/// Every eighth column, until a program changes that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TabStops(Option<Box<[u64; WORDS]>>);

/// Columns 0, 8, 16, … of a word.
const EIGHTHS: u64 = 0x0101_0101_0101_0101;

impl TabStops {
    pub(crate) fn is_default(&self) -> bool {
        self.0.as_ref().is_none_or(|bits| bits.iter().all(|&word| word == EIGHTHS))
    }

    pub(crate) fn set(&mut self, x: usize, stop: bool) {
        let bits = self.0.get_or_insert_with(|| Box::new([EIGHTHS; WORDS]));
        if stop {
            bits[x / 64] |= 1 << (x % 64);
        } else {
            bits[x / 64] &= !(1 << (x % 64));
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0 = Some(Box::new([0; WORDS]));
    }

    /// Whether no stop is left from `x` on.
    pub(crate) fn is_cleared_from(&self, x: usize) -> bool {
        !(x..WORDS * 64).any(|x| self.is_stop(x))
    }

    pub(crate) fn is_stop(&self, x: usize) -> bool {
        match &self.0 {
            None => x.is_multiple_of(8),
            Some(bits) => bits[x / 64] >> (x % 64) & 1 != 0,
        }
    }

    /// The stop right of `x`, or `last`.
    pub(crate) fn next(&self, x: usize, last: usize) -> usize {
        (x + 1..last).find(|&x| self.is_stop(x)).unwrap_or(last)
    }

    /// The stop left of `x`, or `first`.
    pub(crate) fn previous(&self, x: usize, first: usize) -> usize {
        (first..x).rev().find(|&x| self.is_stop(x)).unwrap_or(first)
    }
}

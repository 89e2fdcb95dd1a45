//! The pen, and a memory of what SGR sequences made of it: programs say the same
//! few over and over. It knows nothing of what a sequence means.

use crate::style::Style;

/// What is written with: a style, and its id.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pen {
    pub style: Style,
    pub id: u16,
}

/// One sequence, and what it made of one pen.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    body: [u64; 2],
    from: u16,
    to: u16,
}

const SLOTS: usize = 256;

/// What was said lately. Knows ids alone: whoever gives them anew clears it.
#[derive(Clone, Debug, Default)]
pub(crate) struct PenMemory(Vec<Known>);

impl PenMemory {
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Which pen the sequence made of `from` the last time.
    #[inline]
    pub(crate) fn recall(&self, body: u128, from: u16) -> Option<u16> {
        let known = self.0.get(slot(body, from))?;
        (known.body == halves(body) && known.from == from).then_some(known.to)
    }

    pub(crate) fn learn(&mut self, body: u128, from: u16, to: u16) {
        if self.0.is_empty() {
            self.0.resize(SLOTS, Known::default());
        }
        self.0[slot(body, from)] = Known { body: halves(body), from, to };
    }
}

fn halves(body: u128) -> [u64; 2] {
    [body as u64, (body >> 64) as u64]
}

fn slot(body: u128, from: u16) -> usize {
    let [low, high] = halves(body);
    let mixed = low ^ high.rotate_left(23) ^ u64::from(from).rotate_left(47);
    (mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as usize
}

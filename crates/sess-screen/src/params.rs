//! The parts of a control sequence, and how they come out of its bytes: the
//! usual shapes by a short way of our own, all others by `vte`. It knows nothing
//! of what a sequence means.

use vte::Perform;

const MOST: usize = 32;

/// The numbers of a sequence; one may belong to the one before it (`4:3`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Params {
    values: [u16; MOST],
    /// Bit `i`: value `i` is a subparameter of what stands before it.
    sub: u32,
    len: u8,
}

impl Params {
    const fn new() -> Params {
        Params { values: [0; MOST], sub: 0, len: 0 }
    }

    /// Values beyond the length are what they were: none is looked at.
    fn clear(&mut self) {
        self.len = 0;
        self.sub = 0;
    }

    #[inline]
    fn push(&mut self, value: u16, is_sub: bool) -> bool {
        let at = usize::from(self.len);
        if at == MOST {
            return false;
        }
        self.values[at] = value;
        self.sub |= u32::from(is_sub) << at;
        self.len += 1;
        true
    }

    /// Parameter `i`, 0 where it is left out.
    pub(crate) fn get(&self, i: usize) -> u16 {
        self.values[..usize::from(self.len)].get(i).copied().unwrap_or(0)
    }

    /// Parameter `i` as a count or a position, which are at least 1.
    pub(crate) fn at_least_one(&self, i: usize) -> u16 {
        self.get(i).max(1)
    }

    pub(crate) fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// All values, subparameters among them.
    pub(crate) fn values(&self) -> &[u16] {
        &self.values[..usize::from(self.len)]
    }

    /// Each parameter with its subparameters; never an empty slice.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &[u16]> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let start = at;
            if start >= self.len() {
                return None;
            }
            at += 1;
            while at < self.len() && self.sub & 1 << at != 0 {
                at += 1;
            }
            Some(&self.values[start..at])
        })
    }
}

/// A complete control sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Csi {
    /// `<`, `=`, `>`, `?`, or 0.
    pub prefix: u8,
    /// The byte between parameters and end, or 0.
    pub intermediate: u8,
    pub end: u8,
    pub params: Params,
}

impl Csi {
    pub(crate) const fn new() -> Csi {
        Csi { prefix: 0, intermediate: 0, end: 0, params: Params::new() }
    }

    #[inline]
    pub(crate) fn is_sgr(&self) -> bool {
        (self.prefix, self.intermediate, self.end) == (0, 0, b'm')
    }
}

/// Reads a control sequence of a usual shape from the start of `bytes` into
/// `csi`; returns how many bytes it has. `None` if it is not complete or of any
/// other shape.
#[inline]
pub(crate) fn quick_csi(bytes: &[u8], csi: &mut Csi) -> Option<usize> {
    if bytes.get(1) != Some(&b'[') {
        return None;
    }
    let mut at = 2;
    csi.prefix = 0;
    csi.intermediate = 0;
    csi.params.clear();
    if let &prefix @ b'<'..=b'?' = bytes.get(at)? {
        csi.prefix = prefix;
        at += 1;
    }
    let mut is_sub = false;
    loop {
        let mut value = 0_u32;
        let mut byte = *bytes.get(at)?;
        while byte.wrapping_sub(b'0') < 10 {
            value = (value * 10 + u32::from(byte - b'0')).min(u32::from(u16::MAX));
            at += 1;
            byte = *bytes.get(at)?;
        }
        if !csi.params.push(value as u16, is_sub) {
            return None;
        }
        at += 1;
        if let b' '..=b'/' = byte {
            csi.intermediate = byte;
            byte = *bytes.get(at)?;
            at += 1;
        }
        match byte {
            b';' | b':' if csi.intermediate == 0 => is_sub = byte == b':',
            0x40..=0x7e => {
                csi.end = byte;
                return Some(at);
            }
            _ => return None,
        }
    }
}

/// A control sequence so short that one look takes it in: what follows `ESC [`
/// up to its end, from the lowest byte on, with zeros behind it.
#[derive(Clone, Copy)]
pub(crate) struct Short {
    pub body: u128,
    /// How many bytes the body has.
    pub len: usize,
}

impl Short {
    /// The sequence at the start of `bytes`, which begin with `ESC`. `None` too
    /// where little else follows, so that nothing is read bytewise here.
    #[inline]
    pub(crate) fn at(bytes: &[u8]) -> Option<Short> {
        const ENDS: u128 = each(0xc0);
        let [_, b'[', body @ ..] = bytes.first_chunk::<18>()? else { return None };
        let body = u128::from_le_bytes(*body);
        let ends = body & ENDS;
        if ends == 0 {
            return None;
        }
        // The lowest of them, and all bits below it.
        let upto = ends ^ (ends - 1);
        let len = ends.trailing_zeros() as usize / 8 + 1;
        Some(Short { body: body & upto, len })
    }

    /// Whether it is `m` or `0m`, which every other one is.
    #[inline]
    pub(crate) fn resets_pen(self) -> bool {
        const RESET: u64 = b'm' as u64;
        const RESET_0: u64 = (b'm' as u64) << 8 | b'0' as u64;
        // Behind the end there is nothing, so that the lower half is enough.
        matches!(self.body as u64, RESET | RESET_0)
    }

    /// Whether it is one of colours and attributes (SGR).
    #[inline]
    pub(crate) fn is_sgr(self) -> bool {
        let inner = (1 << (8 * (self.len - 1))) - 1;
        // Digits, `;` and `:` stand in a row.
        let parameters = self.body & inner ^ each(b'0') & inner;
        let others = parameters.wrapping_add(each(0x80 - 12)) & each(0x80);
        self.body >> (8 * (self.len - 1)) == u128::from(b'm') && others & inner == 0
    }

    /// Whether a parameter begins like one that sets a background.
    #[inline]
    pub(crate) fn may_set_background(self) -> bool {
        // All bytes are below 0x80.
        let are = |byte: u8| !(self.body ^ each(byte)).wrapping_add(each(0x7f)) & each(0x80);
        let starts = are(b';') << 8 | 0x80;
        starts & (are(b'4') | are(b'1') & are(b'0') >> 8) != 0
    }
}

/// That byte in each place.
#[inline]
const fn each(byte: u8) -> u128 {
    u128::from_ne_bytes([byte; 16])
}

/// What stands in the bytes of a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    /// A C0 control, also one in the middle of a sequence.
    Control(u8),
    /// `ESC`, up to two intermediate bytes or 0, and the end.
    Escape([u8; 2], u8),
    Csi(Csi),
}

/// Takes the bytes of a complete escape or control sequence apart.
pub(crate) fn functions(sequence: &[u8]) -> Vec<Function> {
    let mut found = Found(Vec::new());
    vte::Parser::<16>::default().advance(&mut found, sequence);
    found.0
}

struct Found(Vec<Function>);

impl Perform for Found {
    fn execute(&mut self, byte: u8) {
        self.0.push(Function::Control(byte));
    }

    fn esc_dispatch(&mut self, intermediates: &[u8], ignore: bool, byte: u8) {
        let intermediates = match *intermediates {
            [] => [0, 0],
            [one] => [one, 0],
            [one, two] => [one, two],
            _ => return,
        };
        if !ignore {
            self.0.push(Function::Escape(intermediates, byte));
        }
    }

    fn csi_dispatch(&mut self, from: &vte::Params, intermediates: &[u8], ignore: bool, end: char) {
        let (prefix, intermediate) = match *intermediates {
            [] => (0, 0),
            [prefix @ b'<'..=b'?'] => (prefix, 0),
            [intermediate] => (0, intermediate),
            [prefix @ b'<'..=b'?', intermediate] => (prefix, intermediate),
            _ => return,
        };
        if ignore {
            return;
        }
        let mut params = Params::new();
        for group in from {
            for (i, &value) in group.iter().enumerate() {
                params.push(value, i > 0);
            }
        }
        self.0.push(Function::Csi(Csi { prefix, intermediate, end: end as u8, params }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_quick_way_says_what_vte_says(body in "[<=>?]?[0-9:;]{0,40}[ -/]?[@-~]") {
            let sequence = format!("\x1b[{body}");
            let mut csi = Csi::new();
            if let Some(len) = quick_csi(sequence.as_bytes(), &mut csi) {
                prop_assert_eq!(len, sequence.len());
                prop_assert_eq!(functions(sequence.as_bytes()), vec![Function::Csi(csi)]);
            }
        }
    }
}

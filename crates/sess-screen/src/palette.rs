//! The palette and the dynamic colours as the program changed them, and the
//! dynamic ones that the terminal is known to have. It knows nothing of cells.

use std::collections::BTreeMap;

use crate::sgr::push_number;

/// A colour as it stands in an OSC: sixteen bits each of red, green, blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rgb(pub u16, pub u16, pub u16);

impl Rgb {
    /// Reads `rgb:h/h/h` with one to four digits each, `rgba:` without its last,
    /// or `#` with three, six, nine or twelve digits.
    pub(crate) fn parse(spec: &[u8]) -> Option<Rgb> {
        let spec = std::str::from_utf8(spec).ok()?;
        if let Some(digits) = spec.strip_prefix('#') {
            let n = digits.len() / 3;
            if !digits.len().is_multiple_of(3) || !digits.is_ascii() || !(1..=4).contains(&n) {
                return None;
            }
            // Unlike in `rgb:`, missing digits are zeros here, but for the
            // usual short forms all terminals scale.
            return Some(Rgb(
                scaled(&digits[..n])?,
                scaled(&digits[n..2 * n])?,
                scaled(&digits[2 * n..])?,
            ));
        }
        let mut parts =
            spec.strip_prefix("rgb:").or_else(|| spec.strip_prefix("rgba:"))?.split('/');
        let mut next = || scaled(parts.next()?);
        Some(Rgb(next()?, next()?, next()?))
    }

    pub(crate) fn write(self, out: &mut Vec<u8>) {
        let Rgb(r, g, b) = self;
        out.extend_from_slice(format!("rgb:{r:04x}/{g:04x}/{b:04x}").as_bytes());
    }
}

fn scaled(digits: &str) -> Option<u16> {
    if !(1..=4).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let value = u32::from_str_radix(digits, 16).ok()?;
    let most = (1_u32 << (4 * digits.len())) - 1;
    u16::try_from(value * 0xffff / most).ok()
}

/// A colour that a program chose.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Chosen {
    Rgb(Rgb),
    /// One of X11's names; which colour that is, the terminal knows.
    Named(Box<[u8]>),
}

impl Chosen {
    fn parse(spec: &[u8]) -> Option<Chosen> {
        if let Some(rgb) = Rgb::parse(spec) {
            return Some(Chosen::Rgb(rgb));
        }
        let is_name = |b: &u8| b.is_ascii_alphanumeric() || *b == b' ';
        let named = (1..=32).contains(&spec.len()) && spec.iter().all(is_name);
        named.then(|| Chosen::Named(spec.into()))
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Chosen::Rgb(rgb) => rgb.write(out),
            Chosen::Named(name) => out.extend_from_slice(name),
        }
    }
}

/// The dynamic colours are OSC 10 to 19.
const DYNAMIC: usize = 10;

/// Colours that are not the terminal's own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Palette {
    indexed: BTreeMap<u8, Chosen>,
    dynamic: [Option<Box<Chosen>>; DYNAMIC],
    terminal: [Option<Rgb>; DYNAMIC],
}

impl PartialEq for Palette {
    fn eq(&self, other: &Palette) -> bool {
        self.indexed == other.indexed && self.dynamic == other.dynamic
    }
}

impl Palette {
    pub(crate) fn set_indexed(&mut self, index: u8, spec: &[u8]) {
        if let Some(chosen) = Chosen::parse(spec) {
            self.indexed.insert(index, chosen);
        }
    }

    pub(crate) fn reset_indexed(&mut self, index: Option<u8>) {
        match index {
            Some(index) => drop(self.indexed.remove(&index)),
            None => self.indexed.clear(),
        }
    }

    /// Sets the colour of OSC `kind`, 10 to 19.
    pub(crate) fn set_dynamic(&mut self, kind: u8, spec: &[u8]) {
        if let (Some(slot), Some(chosen)) = (slot(kind), Chosen::parse(spec)) {
            self.dynamic[slot] = Some(Box::new(chosen));
        }
    }

    pub(crate) fn reset_dynamic(&mut self, kind: u8) {
        if let Some(slot) = slot(kind) {
            self.dynamic[slot] = None;
        }
    }

    /// Forgets what the program changed, not what the terminal is known to have.
    pub(crate) fn reset(&mut self) {
        self.indexed.clear();
        self.dynamic = [const { None }; DYNAMIC];
    }

    pub(crate) fn learn(&mut self, kind: u8, rgb: Rgb) {
        if let Some(slot) = slot(kind) {
            self.terminal[slot] = Some(rgb);
        }
    }

    pub(crate) fn indexed(&self, index: u8) -> Option<Rgb> {
        match self.indexed.get(&index)? {
            Chosen::Rgb(rgb) => Some(*rgb),
            Chosen::Named(_) => None,
        }
    }

    pub(crate) fn dynamic(&self, kind: u8) -> Option<Rgb> {
        let slot = slot(kind)?;
        match self.dynamic[slot].as_deref() {
            Some(Chosen::Rgb(rgb)) => Some(*rgb),
            Some(Chosen::Named(_)) => None,
            None => self.terminal[slot],
        }
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        for (&index, chosen) in &self.indexed {
            out.extend_from_slice(b"\x1b]4;");
            push_number(out, index.into());
            out.push(b';');
            chosen.write(out);
            out.extend_from_slice(b"\x1b\\");
        }
        for (slot, chosen) in self.dynamic.iter().enumerate() {
            if let Some(chosen) = chosen {
                out.extend_from_slice(b"\x1b]");
                push_number(out, 10 + slot as u32);
                out.push(b';');
                chosen.write(out);
                out.extend_from_slice(b"\x1b\\");
            }
        }
    }

    pub(crate) fn write_undo(&self, out: &mut Vec<u8>) {
        if !self.indexed.is_empty() {
            out.extend_from_slice(b"\x1b]104");
            // One by one: what the user's own setup changed is not ours.
            for &index in self.indexed.keys() {
                out.push(b';');
                push_number(out, index.into());
            }
            out.extend_from_slice(b"\x1b\\");
        }
        for (slot, chosen) in self.dynamic.iter().enumerate() {
            if chosen.is_some() {
                out.extend_from_slice(b"\x1b]");
                push_number(out, 110 + slot as u32);
                out.extend_from_slice(b"\x1b\\");
            }
        }
    }
}

fn slot(kind: u8) -> Option<usize> {
    usize::from(kind).checked_sub(10).filter(|&slot| slot < DYNAMIC)
}

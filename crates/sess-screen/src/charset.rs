//! The character sets G0 to G3 and which of them is in use. They know nothing
//! of the screen.

/// A set that a byte can be looked up in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Charset {
    #[default]
    Ascii,
    /// DEC special graphics: lines and corners.
    Graphics,
    /// British: a pound sign for `#`.
    British,
}

impl Charset {
    /// The set that the last byte of `ESC ( …` names; unknown ones are ASCII.
    pub(crate) fn named(end: u8) -> Charset {
        match end {
            b'0' | b'2' => Charset::Graphics,
            b'A' => Charset::British,
            _ => Charset::Ascii,
        }
    }

    pub(crate) fn name(self) -> u8 {
        match self {
            Charset::Ascii => b'B',
            Charset::Graphics => b'0',
            Charset::British => b'A',
        }
    }

    pub(crate) fn map(self, c: char) -> char {
        const GRAPHICS: [char; 32] = [
            ' ', '◆', '▒', '␉', '␌', '␍', '␊', '°', '±', '␤', '␋', '┘', '┐', '┌', '└', '┼', '⎺',
            '⎻', '─', '⎼', '⎽', '├', '┤', '┴', '┬', '│', '≤', '≥', 'π', '≠', '£', '·',
        ];
        match (self, c) {
            (Charset::Graphics, '_'..='~') => GRAPHICS[c as usize - '_' as usize],
            (Charset::British, '#') => '£',
            _ => c,
        }
    }
}

/// G0 to G3, the one that is shifted in, and one for the next character alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Charsets {
    pub sets: [Charset; 4],
    pub shift: u8,
    pub single: Option<u8>,
}

impl Charsets {
    pub(crate) fn is_ascii(self) -> bool {
        self.single.is_none() && self.sets[usize::from(self.shift)] == Charset::Ascii
    }

    /// What `c` stands for; uses up a single shift.
    pub(crate) fn map(&mut self, c: char) -> char {
        let set = self.single.take().unwrap_or(self.shift);
        self.sets[usize::from(set)].map(c)
    }

    /// Brings a terminal that has `self` to `wanted`.
    pub(crate) fn write_change(self, wanted: Charsets, out: &mut Vec<u8>) {
        for (slot, (old, new)) in b"()*+".iter().zip(self.sets.iter().zip(&wanted.sets)) {
            if old != new {
                out.extend_from_slice(&[0x1b, *slot, new.name()]);
            }
        }
        if self.shift != wanted.shift {
            let shifts: [&[u8]; 4] = [b"\x0f", b"\x0e", b"\x1bn", b"\x1bo"];
            out.extend_from_slice(shifts[usize::from(wanted.shift)]);
        }
        match wanted.single {
            Some(2) => out.extend_from_slice(b"\x1bN"),
            Some(_) => out.extend_from_slice(b"\x1bO"),
            None => {}
        }
    }
}

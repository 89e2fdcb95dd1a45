//! The character sets G0 to G3 and which of them is in use. They know nothing
//! of the screen.

/// A set that a byte can be looked up in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Charset {
    #[default]
    Ascii,
    /// DEC special graphics: lines and corners.
    Graphics,
    /// DEC supplemental graphics: the upper half of Latin-1, nearly.
    Supplemental,
    /// One of the national sets, which replace a few characters of ASCII.
    National(u8),
}

/// The bytes after `ESC (` that designate a national set, the first as we say it,
/// and what it has in the place of `REPLACED`.
const NATIONAL: [(&[&[u8]], [char; 12]); 12] = [
    (&[b"A"], ['£', '@', '[', '\\', ']', '^', '_', '`', '{', '|', '}', '~']),
    (&[b"4"], ['£', '¾', 'ĳ', '½', '|', '^', '_', '`', '¨', 'ƒ', '¼', '´']),
    (&[b"C", b"5"], ['#', '@', 'Ä', 'Ö', 'Å', 'Ü', '_', 'é', 'ä', 'ö', 'å', 'ü']),
    (&[b"R", b"f"], ['£', 'à', '°', 'ç', '§', '^', '_', '`', 'é', 'ù', 'è', '¨']),
    (&[b"Q", b"9"], ['#', 'à', 'â', 'ç', 'ê', 'î', '_', 'ô', 'é', 'ù', 'è', 'û']),
    (&[b"K"], ['#', '§', 'Ä', 'Ö', 'Ü', '^', '_', '`', 'ä', 'ö', 'ü', 'ß']),
    (&[b"Y"], ['£', '§', '°', 'ç', 'é', '^', '_', 'ù', 'à', 'ò', 'è', 'ì']),
    (&[b"E", b"6", b"`"], ['#', 'Ä', 'Æ', 'Ø', 'Å', 'Ü', '_', 'ä', 'æ', 'ø', 'å', 'ü']),
    (&[b"%6"], ['#', '@', 'Ã', 'Ç', 'Õ', '^', '_', '`', 'ã', 'ç', 'õ', '~']),
    (&[b"Z"], ['£', '§', '¡', 'Ñ', '¿', '^', '_', '`', '°', 'ñ', 'ç', '~']),
    (&[b"H", b"7"], ['#', 'É', 'Ä', 'Ö', 'Å', 'Ü', '_', 'é', 'ä', 'ö', 'å', 'ü']),
    (&[b"="], ['ù', 'à', 'é', 'ç', 'ê', 'î', 'è', 'ô', 'ä', 'ö', 'ü', 'û']),
];
const REPLACED: [char; 12] = ['#', '@', '[', '\\', ']', '^', '_', '`', '{', '|', '}', '~'];

impl Charset {
    /// The set that the bytes after `ESC (` designate; unknown ones are ASCII.
    pub(crate) fn named(name: &[u8]) -> Charset {
        match name {
            b"0" | b"2" => Charset::Graphics,
            b"<" | b"%5" => Charset::Supplemental,
            _ => {
                let national = NATIONAL.iter().position(|(names, _)| names.contains(&name));
                national.map_or(Charset::Ascii, |index| Charset::National(index as u8))
            }
        }
    }

    fn name(self) -> &'static [u8] {
        match self {
            Charset::Ascii => b"B",
            Charset::Graphics => b"0",
            Charset::Supplemental => b"%5",
            Charset::National(index) => NATIONAL[usize::from(index)].0[0],
        }
    }

    pub(crate) fn map(self, c: char) -> char {
        const GRAPHICS: [char; 32] = [
            ' ', '◆', '▒', '␉', '␌', '␍', '␊', '°', '±', '␤', '␋', '┘', '┐', '┌', '└', '┼', '⎺',
            '⎻', '─', '⎼', '⎽', '├', '┤', '┴', '┬', '│', '≤', '≥', 'π', '≠', '£', '·',
        ];
        match (self, c) {
            (Charset::Graphics, '_'..='~') => GRAPHICS[c as usize - '_' as usize],
            (Charset::Supplemental, '!'..='~') => char::from(c as u8 | 0x80),
            (Charset::National(index), _) => {
                let replaced = REPLACED.iter().position(|&replaced| replaced == c);
                replaced.map_or(c, |at| NATIONAL[usize::from(index)].1[at])
            }
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
    #[inline]
    pub(crate) fn is_ascii(&self) -> bool {
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
                out.extend_from_slice(&[0x1b, *slot]);
                out.extend_from_slice(new.name());
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

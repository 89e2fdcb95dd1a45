//! Where the stream stands: in plain text, or within a sequence or character of
//! which so far these bytes were read. It knows where a sequence ends, but
//! nothing of what it means. The bytes are kept as they came, so that a
//! snapshot can end with them.

/// How much of a string (OSC, DCS, APC, PM, SOS) is kept; of a longer one
/// nothing is, and its end is waited for.
pub(crate) const LONGEST_STRING: usize = 64 << 10;
/// Control sequences are short; what is longer is none, and its bytes are
/// dropped until it ends.
const LONGEST_SEQUENCE: usize = 1024;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Within {
    #[default]
    Ground,
    /// A UTF-8 character.
    Character,
    Escape,
    EscapeIntermediate,
    Csi,
    /// A string that began with `ESC` and this byte.
    String(u8),
    /// An `ESC` in such a string: its end if a `\` follows.
    StringEscape(u8),
}

/// What came of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// All were taken, and it is not complete.
    More,
    /// It is complete, or given up, and its bytes are in `Input::bytes`.
    Sequence,
    /// The string is complete; without `ESC`, its byte, and its end.
    String(u8),
    /// It was broken off by CAN or SUB.
    Cancelled(u8),
}

/// The unfinished part of the stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Input {
    pub within: Within,
    pub bytes: Vec<u8>,
}

impl Input {
    pub(crate) fn is_ground(&self) -> bool {
        self.within == Within::Ground
    }

    /// Back to plain text. A long string's memory is given back.
    pub(crate) fn finish(&mut self) {
        self.within = Within::Ground;
        self.bytes.clear();
        self.bytes.shrink_to(256);
    }

    /// Reads on in a sequence, from its `ESC` on; returns how far it got.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> (usize, Step) {
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            if let Within::String(kind) = self.within {
                at += self.take_string(kind, &bytes[at..]);
                if matches!(self.within, Within::String(_)) {
                    break;
                }
                if self.within == Within::Ground {
                    return (at, ended_by(kind, bytes[at - 1]));
                }
                continue;
            }
            at += 1;
            match (self.within, byte) {
                (Within::StringEscape(kind), b'\\') => return (at, Step::String(kind)),
                (_, 0x18 | 0x1a) => return (at, Step::Cancelled(byte)),
                (_, 0x1b) => {
                    self.bytes.clear();
                    self.bytes.push(byte);
                    self.within = Within::Escape;
                }
                // Any other byte after ESC has ended the string for good.
                (Within::StringEscape(_), _) => {
                    self.bytes.clear();
                    self.bytes.push(0x1b);
                    self.within = Within::Escape;
                    at -= 1;
                }
                _ => {
                    if self.bytes.len() < LONGEST_SEQUENCE {
                        self.bytes.push(byte);
                    }
                    match self.after(byte) {
                        Within::Ground => return (at, Step::Sequence),
                        next => self.within = next,
                    }
                }
            }
        }
        (at, Step::More)
    }

    /// Where a byte of an escape or control sequence leads, as vte has it.
    fn after(&self, byte: u8) -> Within {
        match (self.within, byte) {
            (Within::Escape, b'[') => Within::Csi,
            (Within::Escape, b'P' | b']' | b'X' | b'^' | b'_') => Within::String(byte),
            (Within::Escape, 0x20..=0x2f) => Within::EscapeIntermediate,
            (Within::Escape | Within::EscapeIntermediate, 0x30..=0x7e)
            | (Within::Csi, 0x40..=0x7e) => Within::Ground,
            (within, _) => within,
        }
    }

    /// Reads on in a string; leaves it at its end or at an ESC.
    fn take_string(&mut self, kind: u8, bytes: &[u8]) -> usize {
        let escape = memchr::memchr3(0x1b, 0x18, 0x1a, bytes).unwrap_or(bytes.len());
        let bell = if kind == b']' { memchr::memchr(7, &bytes[..escape]) } else { None };
        let end = bell.unwrap_or(escape);
        if self.bytes.len() + end > LONGEST_STRING {
            self.bytes = reopened(kind).to_vec();
        } else {
            self.bytes.extend_from_slice(&bytes[..end]);
        }
        match bytes.get(end) {
            None => end,
            Some(0x1b) => {
                self.within = Within::StringEscape(kind);
                end + 1
            }
            Some(_) => {
                self.within = Within::Ground;
                end + 1
            }
        }
    }

    /// The bytes that bring another terminal to where the stream stands.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.bytes);
        if matches!(self.within, Within::StringEscape(_)) {
            out.push(0x1b);
        }
    }
}

fn ended_by(kind: u8, byte: u8) -> Step {
    if byte == 7 { Step::String(kind) } else { Step::Cancelled(byte) }
}

/// The beginning of a string that swallows the tail of one too long to keep,
/// and in which no terminal sees anything to do.
fn reopened(kind: u8) -> &'static [u8] {
    match kind {
        b']' => b"\x1b]9999;",
        b'P' => b"\x1bP9999z",
        b'X' => b"\x1bX",
        b'^' => b"\x1b^",
        _ => b"\x1b_-",
    }
}

/// What stands at the start of some bytes that begin no ASCII character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decoded {
    Char(char, usize),
    /// So many bytes that are no character.
    Bad(usize),
    /// The beginning of a character.
    Part,
}

/// Decodes one UTF-8 character; a broken one is as long as the Unicode standard
/// recommends, whichever way the stream is split.
#[inline]
pub(crate) fn decode(bytes: &[u8]) -> Decoded {
    let Some(&first) = bytes.first() else { return Decoded::Part };
    let (len, second) = match first {
        0..=0x7f => return Decoded::Char(char::from(first), 1),
        0xc2..=0xdf => (2, 0x80..=0xbf),
        0xe0 => (3, 0xa0..=0xbf),
        0xed => (3, 0x80..=0x9f),
        0xe1..=0xef => (3, 0x80..=0xbf),
        0xf0 => (4, 0x90..=0xbf),
        0xf1..=0xf3 => (4, 0x80..=0xbf),
        0xf4 => (4, 0x80..=0x8f),
        _ => return Decoded::Bad(1),
    };
    let mut code = u32::from(first) & (0x7f >> len);
    for at in 1..len {
        match bytes.get(at) {
            None => return Decoded::Part,
            Some(byte) if at == 1 && !second.contains(byte) => return Decoded::Bad(1),
            Some(byte) if byte & 0xc0 != 0x80 => return Decoded::Bad(at),
            Some(byte) => code = code << 6 | u32::from(byte & 0x3f),
        }
    }
    char::from_u32(code).map_or(Decoded::Bad(len), |c| Decoded::Char(c, len))
}

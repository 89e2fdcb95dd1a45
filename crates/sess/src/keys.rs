//! Keys: how people write them (`C-\`, `M-x`, `F5`) and in which bytes terminals
//! say them. Owns names and encodings. Must not know what a key does.

use std::fmt;
use std::str::FromStr;

use sess_proto::message::{self, KeyCode};

/// The bit of shift in a key's modifiers, numbered as in kitty's and xterm's
/// sequences.
pub(crate) const SHIFT: u16 = 1;
/// The bit of alt, also called meta.
pub(crate) const ALT: u16 = 2;
/// The bit of ctrl.
pub(crate) const CTRL: u16 = 4;
/// Caps lock and num lock: a state, not held for any key.
const LOCKS: u16 = 64 | 128;

/// What shift makes of other keys on a US keyboard, so that shift is implied.
const SHIFTED: &str = "~!@#$%^&*()_+{}|:\"<>?";

/// The names of keys that have one, the first one that we write.
const NAMES: [(&str, KeyCode); 25] = [
    ("Space", KeyCode::Char(' ')),
    ("Enter", KeyCode::Enter),
    ("Return", KeyCode::Enter),
    ("Tab", KeyCode::Tab),
    ("Escape", KeyCode::Escape),
    ("Esc", KeyCode::Escape),
    ("BSpace", KeyCode::Backspace),
    ("Backspace", KeyCode::Backspace),
    ("IC", KeyCode::Insert),
    ("Insert", KeyCode::Insert),
    ("DC", KeyCode::Delete),
    ("Delete", KeyCode::Delete),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("PPage", KeyCode::PageUp),
    ("PageUp", KeyCode::PageUp),
    ("PgUp", KeyCode::PageUp),
    ("NPage", KeyCode::PageDown),
    ("PageDown", KeyCode::PageDown),
    ("PgDn", KeyCode::PageDown),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("Del", KeyCode::Delete),
];

/// The numbers of F1 to F20 in `CSI number ~`.
const F_NUMBERS: [u32; 20] =
    [11, 12, 13, 14, 15, 17, 18, 19, 20, 21, 23, 24, 25, 26, 28, 29, 31, 32, 33, 34];

/// A key with its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// The key itself. A letter with ctrl is lowercase.
    pub(crate) code: KeyCode,
    /// [`SHIFT`], [`ALT`] and [`CTRL`].
    pub(crate) mods: u16,
}

/// A text that names no key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NoKey;

impl fmt::Display for NoKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it takes keys as C-c, M-x, S-Up, Enter, Tab, Space, Up, PageDown or F5")
    }
}

impl FromStr for Key {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Self, NoKey> {
        let mut rest = text;
        let mut mods = 0;
        // What follows a modifier isn't empty: `-` is a key, `C-` is none.
        while let [modifier, b'-', _, ..] = rest.as_bytes() {
            mods |= match modifier.to_ascii_uppercase() {
                b'C' => CTRL,
                b'M' => ALT,
                b'S' => SHIFT,
                _ => return Err(NoKey),
            };
            rest = &rest[2..];
        }
        if let Some(caret) = rest.strip_prefix('^').filter(|caret| !caret.is_empty()) {
            mods |= CTRL;
            rest = caret;
        }
        if rest.eq_ignore_ascii_case("BTab") {
            mods |= SHIFT;
            rest = "Tab";
        }
        let mut code = code(rest).ok_or(NoKey)?;
        if let KeyCode::Char(c) = &mut code {
            if mods & CTRL != 0 {
                c.make_ascii_lowercase();
            } else if mods & SHIFT != 0 && c.is_ascii_lowercase() {
                c.make_ascii_uppercase();
                mods &= !SHIFT;
            }
        }
        Ok(Self { code, mods })
    }
}

fn code(name: &str) -> Option<KeyCode> {
    let mut chars = name.chars();
    if let (Some(c), None) = (chars.next(), chars.next()) {
        return (!c.is_control() && c != ' ').then_some(KeyCode::Char(c));
    }
    if let Some(number) = name.strip_prefix(['F', 'f'])
        && !number.starts_with(['0', '+'])
        && let Ok(number @ 1..=20) = number.parse()
    {
        return Some(KeyCode::F(number));
    }
    NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, code)| *code)
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (bit, prefix) in [(CTRL, "C-"), (ALT, "M-"), (SHIFT, "S-")] {
            if self.mods & bit != 0 {
                f.write_str(prefix)?;
            }
        }
        match (NAMES.iter().find(|(_, code)| *code == self.code), self.code) {
            (Some((name, _)), _) => f.write_str(name),
            (None, KeyCode::F(number)) => write!(f, "F{number}"),
            (None, KeyCode::Char(c)) => write!(f, "{c}"),
            (None, _) => unreachable!("every other key has a name"),
        }
    }
}

impl From<Key> for message::Key {
    fn from(key: Key) -> Self {
        Self { code: key.code, mods: (key.mods & (SHIFT | ALT | CTRL)) as u8 }
    }
}

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Motion {
    /// It goes down, or repeats while it is down.
    Press,
    /// It goes up.
    Release,
}

impl Key {
    /// What these bytes, one control byte or whole sequence, say of this key;
    /// nothing if they are about another.
    pub(crate) fn motion_in(self, bytes: &[u8]) -> Option<Motion> {
        if self.is_legacy(bytes) {
            return Some(Motion::Press);
        }
        let report = KeyReport::parse(bytes)?;
        self.is_in(&report).then_some(report.motion)
    }

    /// The byte that alone is this key, if there is one.
    pub(crate) fn byte(self) -> Option<u8> {
        if self.mods & ALT == 0 { self.legacy_byte() } else { None }
    }

    /// Whether these bytes are the key as terminals have always said it. Arrows
    /// and the like aren't told here: theirs are sequences in any case.
    fn is_legacy(self, bytes: &[u8]) -> bool {
        let Some(byte) = self.legacy_byte() else { return false };
        match bytes {
            [one] => self.mods & ALT == 0 && *one == byte,
            [0x1b, one] => self.mods & ALT != 0 && *one == byte,
            _ => false,
        }
    }

    /// The byte of this key, without the ESC that alt puts before it.
    fn legacy_byte(self) -> Option<u8> {
        match (self.code, self.mods & !ALT) {
            (KeyCode::Char(c), 0) if c.is_ascii() => Some(c as u8),
            (KeyCode::Char(c), CTRL) => control_byte(c),
            (KeyCode::Enter, 0) => Some(b'\r'),
            (KeyCode::Tab, 0) => Some(b'\t'),
            (KeyCode::Escape, 0) => Some(0x1b),
            (KeyCode::Backspace, 0) => Some(0x7f),
            (KeyCode::Backspace, CTRL) => Some(0x08),
            _ => None,
        }
    }

    fn is_in(self, report: &KeyReport) -> bool {
        let exact = report.mods == self.mods;
        match (self.code, report.said) {
            (KeyCode::Char(c), Said::Code { code, shifted, base }) => {
                let c = u32::from(c);
                (exact && (code == c || base == Some(c)))
                    || (report.mods == self.mods | SHIFT
                        && (shifted == Some(c) || self.implies_shift(code)))
            }
            (KeyCode::Enter, Said::Code { code: 13, .. })
            | (KeyCode::Tab, Said::Code { code: 9, .. })
            | (KeyCode::Escape, Said::Code { code: 27, .. })
            | (KeyCode::Backspace, Said::Code { code: 127, .. })
            | (KeyCode::Insert, Said::Number(2))
            | (KeyCode::Delete, Said::Number(3))
            | (KeyCode::PageUp, Said::Number(5))
            | (KeyCode::PageDown, Said::Number(6))
            | (KeyCode::Home, Said::Number(1 | 7) | Said::Letter(b'H'))
            | (KeyCode::End, Said::Number(4 | 8) | Said::Letter(b'F'))
            | (KeyCode::Up, Said::Letter(b'A'))
            | (KeyCode::Down, Said::Letter(b'B'))
            | (KeyCode::Right, Said::Letter(b'C'))
            | (KeyCode::Left, Said::Letter(b'D')) => exact,
            (KeyCode::Tab, Said::Letter(b'Z')) => self.mods == report.mods | SHIFT,
            (KeyCode::F(n), Said::Number(number)) => {
                exact && F_NUMBERS[usize::from(n) - 1] == number
            }
            (KeyCode::F(n @ 1..=4), Said::Letter(letter)) => exact && letter == b'P' + n - 1,
            (KeyCode::F(n @ 13..), Said::Code { code, .. }) => {
                exact && code == 57376 + u32::from(n) - 13
            }
            _ => false,
        }
    }

    /// Whether shift belongs to the character anyway: `M-X`, `C-|`.
    fn implies_shift(self, code: u32) -> bool {
        let KeyCode::Char(c) = self.code else { return false };
        if c.is_ascii_uppercase() {
            code == u32::from(c) || code == u32::from(c.to_ascii_lowercase())
        } else {
            SHIFTED.contains(c) && code == u32::from(c)
        }
    }
}

/// The control byte of a character, as terminals have it since the VT220.
fn control_byte(c: char) -> Option<u8> {
    match c {
        'a'..='z' | '@'..='_' => Some(c as u8 & 0x1f),
        ' ' | '2' => Some(0),
        '3'..='7' => Some(c as u8 - b'3' + 0x1b),
        '8' | '?' => Some(0x7f),
        '/' => Some(0x1f),
        _ => None,
    }
}

/// How a sequence says which key it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    /// By its character's number: `CSI code u`, `CSI 27 ; mods ; code ~`.
    Code {
        code: u32,
        /// What it is with shift.
        shifted: Option<u32>,
        /// What its place on the keyboard is on a US one.
        base: Option<u32>,
    },
    /// By a number of the VT220's: `CSI number ~`.
    Number(u32),
    /// By a letter: `CSI letter`, `SS3 letter`.
    Letter(u8),
}

/// What a sequence says of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct KeyReport {
    said: Said,
    mods: u16,
    motion: Motion,
}

impl KeyReport {
    fn parse(sequence: &[u8]) -> Option<Self> {
        let plain = |said| Self { said, mods: 0, motion: Motion::Press };
        let (body, last) = match sequence {
            [0x1b, b'O', letter @ b'A'..=b'Z'] => return Some(plain(Said::Letter(*letter))),
            // The Linux console's F1 to F5.
            [0x1b, b'[', b'[', letter @ b'A'..=b'E'] => {
                return Some(plain(Said::Number(u32::from(letter - b'A') + 11)));
            }
            [0x1b, b'[', body @ .., last] => (body, *last),
            _ => return None,
        };
        if !body.iter().all(|byte| matches!(byte, b'0'..=b'9' | b';' | b':')) {
            return None;
        }
        let mut fields = body.split(|byte| *byte == b';');
        let first = fields.next().unwrap_or_default();
        let second = fields.next().unwrap_or_default();
        let third = fields.next();
        let said = match (last, number(first)) {
            (b'u', _) => {
                let mut codes = first.split(|byte| *byte == b':').map(number);
                let code = codes.next().flatten()?;
                let (shifted, base) = (codes.next().flatten(), codes.next().flatten());
                Said::Code { code, shifted, base }
            }
            (b'~', Some(27)) => Said::Code { code: number(third?)?, shifted: None, base: None },
            (b'~', number) => Said::Number(number?),
            (b'A'..=b'H' | b'P'..=b'S' | b'Z', None | Some(1)) => Said::Letter(last),
            _ => return None,
        };
        let mut second = second.split(|byte| *byte == b':').map(number);
        let mods = second.next().flatten().unwrap_or(1).saturating_sub(1);
        let motion = match second.next().flatten() {
            Some(3) => Motion::Release,
            _ => Motion::Press,
        };
        let mods = u16::try_from(mods).ok()? & !LOCKS;
        Some(Self { said, mods, motion })
    }
}

/// Whether a sequence tells of no key of its own: a release, or a modifier.
pub(crate) fn is_accompaniment(sequence: &[u8]) -> bool {
    KeyReport::parse(sequence).is_some_and(|report| {
        report.motion == Motion::Release
            || matches!(report.said, Said::Code { code: 57358..=57360 | 57441..=57454, .. })
    })
}

fn number(digits: &[u8]) -> Option<u32> {
    str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;

//! What a terminal sends for a key. Owns the encodings: xterm's, its modified other
//! keys, and the kitty keyboard protocol's. Must not know who typed the key, or how
//! people write it.
//!
//! There is no keyboard behind a key that was asked for, so no layout is guessed:
//! `!` is a key of its own, not shift and `1`. Letters are shifted, though.

use sess_proto::message::{Key, KeyCode};
use sess_screen::Modes;

/// The keys held with a key, as [`Key::mods`] has them.
const SHIFT: u8 = 1;
const ALT: u8 = 2;
const CTRL: u8 = 4;

/// The flags of the kitty keyboard protocol.
mod kitty {
    /// No sequence means two keys.
    pub(super) const DISAMBIGUATE: u8 = 1;
    /// What the key is with shift comes along.
    pub(super) const ALTERNATES: u8 = 4;
    /// Also keys that type text come as sequences.
    pub(super) const ALL_KEYS: u8 = 8;
    /// The text comes along.
    pub(super) const TEXT: u8 = 16;
}

/// The number of F13 in the kitty keyboard protocol.
const KITTY_F13: u32 = 57_376;
/// The numbers of F1 to F20 as of the VT220.
const F_NUMBERS: [u32; 20] =
    [11, 12, 13, 14, 15, 17, 18, 19, 20, 21, 23, 24, 25, 26, 28, 29, 31, 32, 33, 34];

/// What a terminal in these modes sends for a key; nothing for one that no keyboard
/// has.
pub fn encode(key: Key, modes: &Modes) -> Vec<u8> {
    let mods = key.mods & (SHIFT | ALT | CTRL);
    let flags = modes.kitty_keyboard;
    let is_kitty = flags & (kitty::DISAMBIGUATE | kitty::ALL_KEYS) != 0;
    let ss3 = |unmodified: bool| unmodified && mods == 0 && !is_kitty;
    let letter = |letter, ss3| if ss3 { vec![0x1b, b'O', letter] } else { csi(1, mods, letter) };
    let cursor = |c| letter(c, ss3(modes.application_cursor));
    let number = |number| csi(number, mods, b'~');
    let typed = match key.code {
        KeyCode::Up => return cursor(b'A'),
        KeyCode::Down => return cursor(b'B'),
        KeyCode::Right => return cursor(b'C'),
        KeyCode::Left => return cursor(b'D'),
        KeyCode::End => return cursor(b'F'),
        KeyCode::Home => return cursor(b'H'),
        KeyCode::Insert => return number(2),
        KeyCode::Delete => return number(3),
        KeyCode::PageUp => return number(5),
        KeyCode::PageDown => return number(6),
        // `CSI R` is also an answer to where the cursor is.
        KeyCode::F(3) if is_kitty => return number(13),
        KeyCode::F(f @ 1..=4) => return letter(b'P' + f - 1, ss3(true)),
        KeyCode::F(f @ 13..=20) if is_kitty => {
            return csi(KITTY_F13 + u32::from(f) - 13, mods, b'u');
        }
        KeyCode::F(f @ 5..=20) => return number(F_NUMBERS[usize::from(f) - 1]),
        KeyCode::F(_) => return Vec::new(),
        KeyCode::Char(c) => Typed::Char(Char::new(c, mods)),
        KeyCode::Enter => Typed::Enter,
        KeyCode::Tab => Typed::Tab,
        KeyCode::Escape => Typed::Escape,
        KeyCode::Backspace => Typed::Backspace,
    };
    let mods = if let Typed::Char(c) = typed { c.mods } else { mods };
    if is_kitty {
        if let Some(sequence) = typed.kitty(mods, flags) {
            return sequence;
        }
    } else if typed.is_modified(mods, modes.modify_other_keys) {
        return format!("\x1b[27;{};{}~", mods + 1, typed.xterm_code()).into_bytes();
    }
    typed.legacy(mods, modes.newline)
}

/// A sequence with a number, left out where it is 1 and nothing follows it.
fn csi(number: u32, mods: u8, last: u8) -> Vec<u8> {
    let last = char::from(last);
    match (number, mods) {
        (1, 0) => format!("\x1b[{last}"),
        (_, 0) => format!("\x1b[{number}{last}"),
        _ => format!("\x1b[{number};{}{last}", mods + 1),
    }
    .into_bytes()
}

/// A key that types something.
#[derive(Clone, Copy)]
enum Typed {
    Char(Char),
    Enter,
    Tab,
    Escape,
    Backspace,
}

/// A key that types a character.
#[derive(Clone, Copy)]
struct Char {
    /// Without shift.
    base: char,
    /// With the shift that is held.
    text: char,
    /// What is held, also the shift that an uppercase letter takes.
    mods: u8,
}

impl Char {
    fn new(c: char, mods: u8) -> Self {
        let base = only(c.to_lowercase()).unwrap_or(c);
        if base != c {
            return Self { base, text: c, mods: mods | SHIFT };
        }
        let upper = if mods & SHIFT != 0 { only(c.to_uppercase()) } else { None };
        Self { base, text: upper.unwrap_or(c), mods }
    }
}

fn only(mut chars: impl Iterator<Item = char>) -> Option<char> {
    let first = chars.next();
    if chars.next().is_none() { first } else { None }
}

impl Typed {
    /// As terminals have always said it; what is held is lost where there is no way
    /// to say it.
    fn legacy(self, mods: u8, newline: bool) -> Vec<u8> {
        let mut bytes = Vec::new();
        if mods & ALT != 0 {
            bytes.push(0x1b);
        }
        let (shift, ctrl) = (mods & SHIFT != 0, mods & CTRL != 0);
        match self {
            Self::Char(c) => match control_byte(c.base).filter(|_| ctrl) {
                Some(byte) => bytes.push(byte),
                None => bytes.extend(c.text.encode_utf8(&mut [0; 4]).bytes()),
            },
            Self::Enter => bytes.extend(if newline { &b"\r\n"[..] } else { b"\r" }),
            Self::Tab if shift => bytes.extend(b"\x1b[Z"),
            Self::Tab => bytes.push(b'\t'),
            Self::Escape => bytes.push(0x1b),
            Self::Backspace => bytes.push(if ctrl { 0x08 } else { 0x7f }),
        }
        bytes
    }

    /// Whether xterm's modifyOtherKeys makes a sequence of it. At level 1 that is
    /// what would lose something else, with alt as the ESC before what has a byte.
    fn is_modified(self, mods: u8, level: u8) -> bool {
        let without_alt = mods & !ALT;
        match (level, self) {
            (0, _) | (1, Self::Escape | Self::Backspace) => false,
            (1, Self::Char(c)) => mods & CTRL != 0 && control_byte(c.base).is_none(),
            (1, Self::Enter) => without_alt != 0,
            (1, Self::Tab) => without_alt == CTRL,
            (_, Self::Char(c)) => mods & !SHIFT != 0 || (mods != 0 && c.base == ' '),
            (_, Self::Enter) => mods != 0,
            (_, Self::Tab | Self::Escape) => mods & !SHIFT != 0,
            (_, Self::Backspace) => mods & !CTRL != 0,
        }
    }

    /// The code of xterm's sequence: the character with shift.
    fn xterm_code(self) -> u32 {
        match self {
            Self::Char(c) => c.text.into(),
            _ => self.kitty_code(),
        }
    }

    /// The code of kitty's sequence: the character without shift.
    fn kitty_code(self) -> u32 {
        match self {
            Self::Char(c) => c.base.into(),
            Self::Enter => 13,
            Self::Tab => 9,
            Self::Escape => 27,
            Self::Backspace => 127,
        }
    }

    /// The sequence of the kitty keyboard protocol, unless it stays as it ever was.
    fn kitty(self, mods: u8, flags: u8) -> Option<Vec<u8>> {
        let text = match self {
            Self::Char(c) if mods & !SHIFT == 0 => Some(c.text),
            _ => None,
        };
        let stays = match self {
            Self::Char(_) => text.is_some(),
            Self::Escape => false,
            // So that a shell can still be used after a program that left this on.
            Self::Enter | Self::Tab | Self::Backspace => mods == 0,
        };
        if stays && flags & kitty::ALL_KEYS == 0 {
            return None;
        }
        let mut sequence = format!("\x1b[{}", self.kitty_code());
        if let Self::Char(c) = self
            && flags & kitty::ALTERNATES != 0
            && c.text != c.base
        {
            sequence += &format!(":{}", u32::from(c.text));
        }
        let text = text.filter(|_| flags & kitty::TEXT != 0);
        if mods != 0 {
            sequence += &format!(";{}", mods + 1);
        } else if text.is_some() {
            sequence.push(';');
        }
        if let Some(text) = text {
            sequence += &format!(";{}", u32::from(text));
        }
        sequence.push('u');
        Some(sequence.into_bytes())
    }
}

/// The control byte of a character, as X has it.
fn control_byte(c: char) -> Option<u8> {
    match c {
        '@'..='~' => Some(c as u8 & 0x1f),
        ' ' | '2' => Some(0),
        '3'..='7' => Some(c as u8 - b'3' + 0x1b),
        '8' | '?' => Some(0x7f),
        '/' => Some(0x1f),
        _ => None,
    }
}

#[cfg(test)]
mod tests;

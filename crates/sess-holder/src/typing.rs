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
/// The numbers of F5 to F20, as of the VT220.
const F_NUMBERS: [u32; 16] = [15, 17, 18, 19, 20, 21, 23, 24, 25, 26, 28, 29, 31, 32, 33, 34];

/// What a terminal in these modes sends for a key; nothing for one that no keyboard
/// has.
pub fn encode(key: Key, modes: &Modes) -> Vec<u8> {
    let held = key.mods & (SHIFT | ALT | CTRL);
    let flags = modes.kitty_keyboard;
    let is_kitty = flags & (kitty::DISAMBIGUATE | kitty::ALL_KEYS) != 0;
    let (typed, held) = match key.code {
        KeyCode::Char(c) => {
            let c = Char::new(c, held);
            (Typed::Char(c), c.held)
        }
        KeyCode::Enter => (Typed::Enter, held),
        KeyCode::Tab => (Typed::Tab, held),
        KeyCode::Escape => (Typed::Escape, held),
        KeyCode::Backspace => (Typed::Backspace, held),
        code => return function_key(code, held, modes.application_cursor, is_kitty),
    };
    if is_kitty {
        if let Some(sequence) = typed.kitty(held, flags) {
            return sequence;
        }
    } else if typed.is_modified(held, modes.modify_other_keys) {
        return format!("\x1b[27;{};{}~", held + 1, typed.xterm_code()).into_bytes();
    }
    typed.legacy(held, modes.newline)
}

/// What is sent for a key that types nothing.
fn function_key(code: KeyCode, held: u8, application_cursor: bool, is_kitty: bool) -> Vec<u8> {
    let (number, last, ss3) = match code {
        KeyCode::Up => (1, b'A', application_cursor),
        KeyCode::Down => (1, b'B', application_cursor),
        KeyCode::Right => (1, b'C', application_cursor),
        KeyCode::Left => (1, b'D', application_cursor),
        KeyCode::End => (1, b'F', application_cursor),
        KeyCode::Home => (1, b'H', application_cursor),
        KeyCode::Insert => (2, b'~', false),
        KeyCode::Delete => (3, b'~', false),
        KeyCode::PageUp => (5, b'~', false),
        KeyCode::PageDown => (6, b'~', false),
        // `CSI R` is also the answer to where the cursor is.
        KeyCode::F(3) if is_kitty => (13, b'~', false),
        KeyCode::F(f @ 1..=4) => (1, b'P' + f - 1, true),
        KeyCode::F(f @ 13..=20) if is_kitty => (KITTY_F13 + u32::from(f) - 13, b'u', false),
        KeyCode::F(f @ 5..=20) => (F_NUMBERS[usize::from(f) - 5], b'~', false),
        _ => return Vec::new(),
    };
    if ss3 && held == 0 && !is_kitty {
        return vec![0x1b, b'O', last];
    }
    let last = char::from(last);
    match (number, held) {
        (1, 0) => format!("\x1b[{last}"),
        (_, 0) => format!("\x1b[{number}{last}"),
        _ => format!("\x1b[{number};{}{last}", held + 1),
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
    held: u8,
}

impl Char {
    fn new(c: char, held: u8) -> Self {
        let base = only(c.to_lowercase()).unwrap_or(c);
        if base != c {
            return Self { base, text: c, held: held | SHIFT };
        }
        let upper = if held & SHIFT != 0 { only(c.to_uppercase()) } else { None };
        Self { base, text: upper.unwrap_or(c), held }
    }
}

fn only(mut chars: impl Iterator<Item = char>) -> Option<char> {
    let first = chars.next();
    if chars.next().is_none() { first } else { None }
}

impl Typed {
    /// As terminals have always said it; what is held is lost where there is no way
    /// to say it.
    fn legacy(self, held: u8, newline: bool) -> Vec<u8> {
        let mut bytes = Vec::new();
        if held & ALT != 0 {
            bytes.push(0x1b);
        }
        let (shift, ctrl) = (held & SHIFT != 0, held & CTRL != 0);
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
    fn is_modified(self, held: u8, level: u8) -> bool {
        let without_alt = held & !ALT;
        match (level, self) {
            (0, _) | (1, Self::Escape | Self::Backspace) => false,
            (1, Self::Char(c)) => held & CTRL != 0 && control_byte(c.base).is_none(),
            (1, Self::Enter) => without_alt != 0,
            (1, Self::Tab) => without_alt == CTRL,
            (_, Self::Char(c)) => held & !SHIFT != 0 || (held != 0 && c.base == ' '),
            (_, Self::Enter) => held != 0,
            (_, Self::Tab | Self::Escape) => held & !SHIFT != 0,
            (_, Self::Backspace) => held & !CTRL != 0,
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
    fn kitty(self, held: u8, flags: u8) -> Option<Vec<u8>> {
        let text = match self {
            Self::Char(c) if held & !SHIFT == 0 => Some(c.text),
            _ => None,
        };
        let stays = match self {
            Self::Char(_) => text.is_some(),
            Self::Escape => false,
            // So that a shell can still be used after a program that left this on.
            Self::Enter | Self::Tab | Self::Backspace => held == 0,
        };
        if stays && flags & kitty::ALL_KEYS == 0 {
            return None;
        }
        let mut code = self.kitty_code().to_string();
        if let Self::Char(c) = self
            && flags & kitty::ALTERNATES != 0
            && c.text != c.base
        {
            code = format!("{code}:{}", u32::from(c.text));
        }
        let modifiers = if held == 0 { String::new() } else { (held + 1).to_string() };
        let sequence = match text.filter(|_| flags & kitty::TEXT != 0) {
            Some(text) => format!("\x1b[{code};{modifiers};{}u", u32::from(text)),
            None if held != 0 => format!("\x1b[{code};{modifiers}u"),
            None => format!("\x1b[{code}u"),
        };
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

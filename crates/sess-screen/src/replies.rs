//! Questions that programs ask their terminal, what the model answers, and which
//! question a terminal's report answers. It knows nothing of who asks or listens.
//!
//! No answer carries bytes that the program chose: numbers and colours are read
//! and written anew.

use std::fmt::Write as _;

use crate::modes;
use crate::palette::Rgb;
use crate::params::{Csi, Function, functions};
use crate::screen::{Saved, Screen};
use crate::sgr;
use crate::style::attr;

/// Nobody asks that much before the answers are taken.
const MOST_REPLIES: usize = 256;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum QueryKind {
    /// DA1: `CSI c`.
    PrimaryAttributes,
    /// DA2: `CSI > c`.
    SecondaryAttributes,
    /// DA3: `CSI = c`.
    TertiaryAttributes,
    /// `CSI 5 n`, and the private device reports like it.
    Status,
    /// CPR: `CSI 6 n`.
    CursorPosition,
    /// DECXCPR: `CSI ? 6 n`.
    ExtendedCursorPosition,
    /// DECRQM: `CSI ? n $ p` and `CSI n $ p`.
    Mode,
    /// DECRQSS: `DCS $ q … ST`.
    Setting,
    /// XTVERSION: `CSI > q`.
    Version,
    /// `CSI ? u`.
    KittyKeyboard,
    /// A colour of the palette: `OSC 4 ; n ; ? ST`.
    PaletteColour,
    /// A dynamic colour: `OSC n ; ? ST` with this number, 10 to 19.
    Colour(u8),
    /// XTGETTCAP: `DCS + q … ST`.
    Capability,
    /// A size of the window, the text area or a cell: `CSI 14 t` and others.
    Size,
    /// A light or dark colour scheme: `CSI ? 996 n`.
    ColourScheme,
    /// What of kitty's or the sixel graphics works: `APC G … ST`, `CSI ? … S`.
    Graphics,
    /// The value of a key modifier option: `CSI ? n m`.
    KeyModifiers,
    /// DECREQTPARM: `CSI x`.
    Parameters,
    /// The checksum of a rectangle: `CSI … * y`.
    Checksum,
    /// The clipboard: `OSC 52 ; … ; ? ST`.
    Clipboard,
}

/// The answer to a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Where in the stream it was asked: the offset just after the query's last
    /// byte, in bytes fed since the screen began.
    pub offset: u64,
    /// What was asked.
    pub kind: QueryKind,
    /// The answer; empty where only a real terminal knows it.
    pub bytes: Vec<u8>,
}

impl QueryKind {
    /// Which kind of question a complete report, as it comes from a terminal,
    /// answers. `None` for what a key, the mouse or focus sends.
    pub fn of_report(bytes: &[u8]) -> Option<QueryKind> {
        match *bytes.get(1)? {
            b'[' => of_control_sequence(bytes),
            b']' => of_command(&bytes[2..]),
            b'P' => match bytes.get(2..)? {
                [b'!', b'|', ..] => Some(QueryKind::TertiaryAttributes),
                [b'>', b'|', ..] => Some(QueryKind::Version),
                [b'0' | b'1', b'$', b'r', ..] => Some(QueryKind::Setting),
                [b'0' | b'1', b'+', b'r', ..] => Some(QueryKind::Capability),
                [first, ..] if first.is_ascii_digit() => {
                    memchr::memmem::find(bytes, b"!~").map(|_| QueryKind::Checksum)
                }
                _ => None,
            },
            b'_' if bytes.get(2) == Some(&b'G') => Some(QueryKind::Graphics),
            _ => None,
        }
    }
}

fn of_control_sequence(bytes: &[u8]) -> Option<QueryKind> {
    let [Function::Csi(csi)] = functions(bytes)[..] else { return None };
    let first = csi.params.get(0);
    match (csi.prefix, csi.intermediate, csi.end) {
        (b'?', 0, b'c') => Some(QueryKind::PrimaryAttributes),
        (b'>', 0, b'c') => Some(QueryKind::SecondaryAttributes),
        (b'?', 0, b'n') if first == 997 => Some(QueryKind::ColourScheme),
        (0 | b'?', 0, b'n') => Some(QueryKind::Status),
        // `CSI 1 ; 2 R` to `CSI 1 ; 16 R` are what F3 sends.
        (0, 0, b'R') if csi.params.len() == 2 => {
            let is_key = first == 1 && (2..=16).contains(&csi.params.get(1));
            (!is_key).then_some(QueryKind::CursorPosition)
        }
        (b'?', 0, b'R') => Some(QueryKind::ExtendedCursorPosition),
        (0 | b'?', b'$', b'y') => Some(QueryKind::Mode),
        (b'?', 0, b'u') => Some(QueryKind::KittyKeyboard),
        (0, 0, b't') if matches!(first, 1..=9) => Some(QueryKind::Size),
        (b'?', 0, b'S') => Some(QueryKind::Graphics),
        (b'>', 0, b'm') => Some(QueryKind::KeyModifiers),
        (0, 0, b'x') => Some(QueryKind::Parameters),
        _ => None,
    }
}

fn of_command(body: &[u8]) -> Option<QueryKind> {
    let digits = body.iter().take_while(|byte| byte.is_ascii_digit()).count();
    match std::str::from_utf8(&body[..digits]).ok()?.parse().ok()? {
        4 => Some(QueryKind::PaletteColour),
        kind @ 10..=19 => Some(QueryKind::Colour(kind)),
        52 => Some(QueryKind::Clipboard),
        _ => None,
    }
}

impl Screen {
    /// Tells the model which colour the terminal has, so that it can answer for
    /// it: `kind` is the number of the OSC, 10 (text), 11 (background) to 19, the
    /// colour sixteen bits each of red, green and blue.
    pub fn set_terminal_colour(&mut self, kind: u8, (r, g, b): (u16, u16, u16)) {
        self.palette.learn(kind, Rgb(r, g, b));
    }

    /// Takes such a colour from a terminal's own report, if it is one.
    pub fn learn_colour(&mut self, report: &[u8]) {
        let Some(QueryKind::Colour(kind)) = QueryKind::of_report(report) else { return };
        let spec = report.get(5..).unwrap_or_default();
        let end = spec.iter().position(|byte| matches!(byte, 0x07 | 0x1b)).unwrap_or(spec.len());
        if let Some(rgb) = Rgb::parse(&spec[..end]) {
            self.palette.learn(kind, rgb);
        }
    }

    fn reply(&mut self, kind: QueryKind, bytes: impl Into<Vec<u8>>) {
        if self.replies.len() == MOST_REPLIES {
            self.replies.remove(0);
        }
        self.replies.push(Reply { offset: self.offset, kind, bytes: bytes.into() });
    }

    pub(crate) fn reply_primary_attributes(&mut self) {
        self.reply(QueryKind::PrimaryAttributes, "\x1b[?62;22c");
    }

    /// Answers a control sequence that is nothing but a question.
    pub(crate) fn answer(&mut self, csi: &Csi) {
        let first = csi.params.get(0);
        match (csi.prefix, csi.intermediate, csi.end) {
            (0, 0, b'c') if first == 0 => self.reply_primary_attributes(),
            (b'>', 0, b'c') if first == 0 => {
                self.reply(QueryKind::SecondaryAttributes, "\x1b[>1;10;0c");
            }
            (b'=', 0, b'c') if first == 0 => {
                self.reply(QueryKind::TertiaryAttributes, "\x1bP!|00000000\x1b\\");
            }
            (0, 0, b'n') if first == 5 => self.reply(QueryKind::Status, "\x1b[0n"),
            (0, 0, b'n') if first == 6 => {
                let (x, y) = self.reported_position();
                self.reply(QueryKind::CursorPosition, format!("\x1b[{y};{x}R"));
            }
            (b'?', 0, b'n') => self.answer_private_status(first),
            (b'?' | 0, b'$', b'p') => self.answer_mode(csi.prefix == b'?', first),
            (b'>', 0, b'q') if first == 0 => {
                let version = env!("CARGO_PKG_VERSION");
                self.reply(QueryKind::Version, format!("\x1bP>|sess {version}\x1b\\"));
            }
            (b'?', 0, b'u') => {
                let flags = self.kitty[self.which()].flags();
                self.reply(QueryKind::KittyKeyboard, format!("\x1b[?{flags}u"));
            }
            (b'?', 0, b'm') => {
                let known = (first == 4).then(|| self.key_modifiers.other_keys());
                let bytes = known.map_or(String::new(), |level| format!("\x1b[>4;{level}m"));
                self.reply(QueryKind::KeyModifiers, bytes);
            }
            (b'?', 0, b'S') => self.reply(QueryKind::Graphics, ""),
            (0, 0, b'x') if first <= 1 => {
                let bytes = format!("\x1b[{};1;1;128;128;1;0x", first + 2);
                self.reply(QueryKind::Parameters, bytes);
            }
            (0, b'*', b'y') => self.reply(QueryKind::Checksum, ""),
            _ => {}
        }
    }

    /// The cursor counted from 1, from the margins' corner in origin mode.
    fn reported_position(&self) -> (usize, usize) {
        let (left, top) =
            if self.origin() { (self.margins.left, self.margins.top) } else { (0, 0) };
        (self.cursor.x.saturating_sub(left) + 1, self.cursor.y.saturating_sub(top) + 1)
    }

    fn answer_private_status(&mut self, what: u16) {
        match what {
            6 => {
                let (x, y) = self.reported_position();
                self.reply(QueryKind::ExtendedCursorPosition, format!("\x1b[?{y};{x};1R"));
            }
            // No printer, keys not programmable, a North American keyboard, no locator.
            15 => self.reply(QueryKind::Status, "\x1b[?13n"),
            25 => self.reply(QueryKind::Status, "\x1b[?21n"),
            26 => self.reply(QueryKind::Status, "\x1b[?27;1;0;0n"),
            55 | 53 => self.reply(QueryKind::Status, "\x1b[?50n"),
            996 => self.reply(QueryKind::ColourScheme, ""),
            _ => {}
        }
    }

    fn answer_mode(&mut self, private: bool, mode: u16) {
        let known = |on: bool| if on { 1 } else { 2 };
        let state = match (private, mode) {
            (false, 4) => known(self.modes.insert),
            (false, 20) => known(self.modes.newline),
            // Keyboard locked, local echo off: permanently, in every terminal.
            (false, 2) => 4,
            (false, 12) => 3,
            (false, _) => 0,
            (true, 47 | 1047 | 1049) => known(self.alternate != 0),
            (true, 1048) => known(self.saved[self.which()] != Saved::default()),
            (true, _) => self.modes.report(mode),
        };
        let mark = if private { "?" } else { "" };
        self.reply(QueryKind::Mode, format!("\x1b[{mark}{mode};{state}$y"));
    }

    /// `CSI n t`: the size in cells is known; pixels only the terminal has.
    pub(crate) fn answer_window_operation(&mut self, operation: u16) {
        match operation {
            18 | 19 => {
                let (kind, rows, cols) = (operation - 10, self.rows(), self.cols());
                self.reply(QueryKind::Size, format!("\x1b[{kind};{rows};{cols}t"));
            }
            11 | 13..=16 => self.reply(QueryKind::Size, ""),
            _ => {}
        }
    }

    /// An OSC that is none of the model's state.
    pub(crate) fn answer_command(&mut self, number: u16) {
        if number == 52 {
            self.reply(QueryKind::Clipboard, "");
        }
    }

    pub(crate) fn answer_palette(&mut self, index: u8) {
        let bytes = self.palette.indexed(index).map(|rgb| {
            let mut bytes = format!("\x1b]4;{index};").into_bytes();
            rgb.write(&mut bytes);
            bytes.extend_from_slice(b"\x1b\\");
            bytes
        });
        self.reply(QueryKind::PaletteColour, bytes.unwrap_or_default());
    }

    pub(crate) fn answer_dynamic_colour(&mut self, kind: u8) {
        let bytes = self.palette.dynamic(kind).map(|rgb| {
            let mut bytes = format!("\x1b]{kind};").into_bytes();
            rgb.write(&mut bytes);
            bytes.extend_from_slice(b"\x1b\\");
            bytes
        });
        self.reply(QueryKind::Colour(kind), bytes.unwrap_or_default());
    }

    /// A DCS or APC, complete. Only questions among them are the model's.
    pub(crate) fn string(&mut self, kind: u8, body: &[u8]) {
        match (kind, body) {
            (b'P', [b'$', b'q', setting @ ..]) => self.answer_setting(setting),
            (b'P', [b'+', b'q', names @ ..]) => {
                for name in names.split(|&byte| byte == b';') {
                    self.answer_capability(name);
                }
            }
            (b'_', [b'G', command @ ..]) => {
                let end = memchr::memchr(b';', command).unwrap_or(command.len());
                let is = |key: &[u8]| command[..end].split(|&byte| byte == b',').any(|k| k == key);
                if !is(b"q=2") {
                    self.reply(QueryKind::Graphics, "");
                }
            }
            _ => {}
        }
    }

    fn answer_setting(&mut self, setting: &[u8]) {
        let mut bytes = b"\x1bP1$r".to_vec();
        let numbers = |numbers: &[usize]| {
            numbers.iter().map(usize::to_string).collect::<Vec<_>>().join(";").into_bytes()
        };
        match setting {
            b"m" => sgr::push_report(self.pen.style, &mut bytes),
            b"r" => bytes.extend(numbers(&[self.margins.top + 1, self.margins.bottom + 1])),
            b"s" if self.modes.is_on(modes::COLUMN_MARGINS) => {
                bytes.extend(numbers(&[self.margins.left + 1, self.margins.right + 1]));
            }
            b" q" => bytes.extend(numbers(&[self.cursor_shape.into()])),
            b"\"q" => {
                bytes.extend(numbers(&[usize::from(self.pen.style.attrs & attr::PROTECTED != 0)]));
            }
            b"*x" => bytes.extend(numbers(&[if self.exact_rectangles { 2 } else { 1 }])),
            b"t" | b"*|" => bytes.extend(numbers(&[self.rows()])),
            b"$|" => bytes.extend(numbers(&[self.cols()])),
            _ => {
                self.reply(QueryKind::Setting, "\x1bP0$r\x1b\\");
                return;
            }
        }
        // One of the settings above, so not the program's choice.
        bytes.extend_from_slice(setting);
        bytes.extend_from_slice(b"\x1b\\");
        self.reply(QueryKind::Setting, bytes);
    }

    fn answer_capability(&mut self, name: &[u8]) {
        // Names and values are hexadecimal on the way.
        let name = std::str::from_utf8(name).unwrap_or_default().to_ascii_uppercase();
        let known = CAPABILITIES.iter().find(|(known, _)| hexadecimal(known) == name);
        let answer = match known {
            Some((name, "")) => format!("\x1bP1+r{}\x1b\\", hexadecimal(name)),
            Some((name, value)) => {
                format!("\x1bP1+r{}={}\x1b\\", hexadecimal(name), hexadecimal(value))
            }
            None => "\x1bP0+r\x1b\\".to_owned(),
        };
        self.reply(QueryKind::Capability, answer);
    }
}

/// What XTGETTCAP is asked for, and terminals of this kind have: names of terminfo
/// and termcap, and `tmux`'s and `vim`'s own. Flags have no value.
const CAPABILITIES: [(&str, &str); 15] = [
    ("TN", "xterm-256color"),
    ("name", "xterm-256color"),
    ("Co", "256"),
    ("colors", "256"),
    ("RGB", "8"),
    ("Tc", ""),
    ("Su", ""),
    ("am", ""),
    ("bce", ""),
    ("Ss", "\x1b[%p1%d q"),
    ("Se", "\x1b[2 q"),
    ("Smulx", "\x1b[4:%p1%dm"),
    ("Setulc", "\x1b[58:2::%p1%{65536}%/%d:%p1%{256}%/%{255}%&%d:%p1%{255}%&%d%;m"),
    ("setrgbf", "\x1b[38;2;%p1%d;%p2%d;%p3%dm"),
    ("setrgbb", "\x1b[48;2;%p1%d;%p2%d;%p3%dm"),
];

fn hexadecimal(text: &str) -> String {
    text.bytes().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02X}");
        hex
    })
}

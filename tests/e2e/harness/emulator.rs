//! The user's terminal, played by an emulator that is not ours, so that our model
//! is not its own judge.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::num::NonZeroU16;

use vt100::{Callbacks, Parser, Screen};

/// Lines of scrollback that it keeps.
const SCROLLBACK: usize = 200_000;

/// A terminal's state, and every byte that brought it there.
pub struct Emulator {
    parser: Parser<Extras>,
    raw: Vec<u8>,
    /// It only collects what it is sent.
    pub blind: bool,
}

/// What the emulator hears of and doesn't know.
#[derive(Default)]
struct Extras {
    title: String,
    /// Private modes that vt100 doesn't know.
    modes: BTreeMap<u16, bool>,
    /// Kitty keyboard flags of the primary and the alternate screen.
    kitty: [Vec<u16>; 2],
    questions: Vec<Question>,
    /// How many there have been, also of those that it has no answer to.
    asked: usize,
}

/// What a terminal is asked.
enum Question {
    PrimaryAttributes,
    SecondaryAttributes,
    Status,
    Cursor(u16, u16),
    Version,
    Mode(u16),
    Kitty(u16),
}

impl Emulator {
    /// A terminal of this size; 0 is taken for the usual one.
    pub fn new(cols: u16, rows: u16) -> Self {
        let (cols, rows) = size(cols, rows);
        let parser = Parser::new_with_callbacks(rows, cols, SCROLLBACK, Extras::default());
        Self { parser, raw: Vec::new(), blind: false }
    }

    /// Shows bytes; returns what it says to questions in them, as terminal `name`.
    pub fn show(&mut self, bytes: &[u8], name: Option<u16>) -> Vec<u8> {
        self.raw.extend_from_slice(bytes);
        if self.blind {
            return Vec::new();
        }
        self.parser.process(bytes);
        let questions = std::mem::take(&mut self.parser.callbacks_mut().questions);
        let Some(name) = name else {
            return Vec::new();
        };
        let mut out = String::new();
        for question in questions {
            let _ = match question {
                Question::PrimaryAttributes => write!(out, "\x1b[?62;{name}c"),
                Question::SecondaryAttributes => write!(out, "\x1b[>41;{name};0c"),
                Question::Status => write!(out, "\x1b[0n"),
                Question::Cursor(row, col) => write!(out, "\x1b[{};{}R", row + 1, col + 1),
                Question::Version => write!(out, "\x1bP>|e2e({name})\x1b\\"),
                Question::Mode(mode) => write!(out, "\x1b[?{mode};0$y"),
                Question::Kitty(flags) => write!(out, "\x1b[?{flags}u"),
            };
        }
        out.into_bytes()
    }

    /// Gives it another size.
    pub fn resize(&mut self, cols: u16, rows: u16) {
        let (cols, rows) = size(cols, rows);
        self.parser.set_size(rows, cols);
    }

    /// Everything that it was ever sent.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// Whether these bytes were sent to it.
    pub fn has_raw(&self, bytes: impl AsRef<[u8]>) -> bool {
        count(&self.raw, bytes.as_ref()) > 0
    }

    /// How often these bytes were sent to it.
    pub fn count_raw(&self, bytes: impl AsRef<[u8]>) -> usize {
        count(&self.raw, bytes.as_ref())
    }

    /// The screen's text, without blanks at the ends of its lines.
    pub fn text(&self) -> String {
        self.rows().join("\n").trim_end().to_owned()
    }

    /// The screen's rows, without blanks at their ends.
    pub fn rows(&self) -> Vec<String> {
        rows(self.screen())
    }

    /// One row of the screen.
    pub fn row(&self, row: usize) -> String {
        self.rows().swap_remove(row)
    }

    /// The lines that scrolled off the top.
    pub fn scrollback(&self) -> Vec<String> {
        let mut screen = self.screen().clone();
        let height = usize::from(screen.size().0.get());
        let mut left = screen.scrollback_len();
        let mut lines = Vec::with_capacity(left);
        while left > 0 {
            screen.set_scrollback(left);
            lines.extend(rows(&screen).into_iter().take(left.min(height)));
            left = left.saturating_sub(height);
        }
        lines
    }

    /// Scrollback and screen.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = self.scrollback();
        lines.extend(self.rows());
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        lines
    }

    /// A cell of the scrollback's line `line`, the first being 0.
    pub fn scrollback_cell(&self, line: usize, col: u16) -> vt100::Cell {
        let mut screen = self.screen().clone();
        screen.set_scrollback(screen.scrollback_len() - line);
        screen.cell(0, col).expect("there is one").clone()
    }

    /// A cell of the screen.
    pub fn cell(&self, row: u16, col: u16) -> &vt100::Cell {
        self.screen().cell(row, col).expect("there is one")
    }

    /// Cursor, attributes and modes.
    pub fn screen(&self) -> &Screen {
        self.parser.screen()
    }

    /// The window's title.
    pub fn title(&self) -> &str {
        &self.parser.callbacks().title
    }

    /// How many questions it was asked.
    pub fn asked(&self) -> usize {
        let device_control = self.count_raw(b"\x1bP+q") + self.count_raw(b"\x1bP$q");
        self.parser.callbacks().asked + device_control
    }

    /// Whether a private mode is on that vt100 has no word for.
    pub fn mode(&self, mode: u16) -> bool {
        self.parser.callbacks().modes.get(&mode).copied().unwrap_or(false)
    }

    /// The kitty keyboard flags in force.
    pub fn kitty(&self) -> u16 {
        let stack = &self.parser.callbacks().kitty[usize::from(self.screen().alternate_screen())];
        stack.last().copied().unwrap_or(0)
    }

    /// Whether nothing is on that a shell would be surprised by.
    pub fn is_in_order(&self) -> bool {
        let screen = self.screen();
        !screen.alternate_screen()
            && !screen.application_cursor()
            && !screen.application_keypad()
            && !screen.hide_cursor()
            && !screen.bracketed_paste()
            && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
            && screen.mouse_protocol_encoding() == vt100::MouseProtocolEncoding::Default
            && [1004, 2026, 1016, 2031, 2048].iter().all(|mode| !self.mode(*mode))
            && self.kitty() == 0
            && screen.fgcolor() == vt100::Color::Default
            && screen.bgcolor() == vt100::Color::Default
            && !screen.bold()
            && !screen.inverse()
            && !screen.underline()
    }

    /// What it shows and what it was last sent, for whoever reads a failed test.
    pub fn report(&self) -> String {
        let raw = &self.raw[self.raw.len().saturating_sub(2000)..];
        let (row, col) = self.screen().cursor_position();
        format!("{}\n(cursor {row}, {col})\n{}\n", self.text(), shown(raw))
    }
}

impl Callbacks for Extras {
    fn set_window_title(&mut self, _: &mut Screen, title: &[u8]) {
        self.title = String::from_utf8_lossy(title).into_owned();
    }

    fn unhandled_osc(&mut self, _: &mut Screen, params: &[&[u8]]) {
        self.asked += usize::from(params.contains(&&b"?"[..]));
    }

    fn paste_from_clipboard(&mut self, _: &mut Screen, _: &[u8]) {
        self.asked += 1;
    }

    fn unhandled_csi(
        &mut self,
        screen: &mut Screen,
        first: Option<u8>,
        second: Option<u8>,
        params: &[&[u16]],
        end: char,
    ) {
        let number = |n: usize| params.get(n).and_then(|p| p.first()).copied().unwrap_or(0);
        let stack = &mut self.kitty[usize::from(screen.alternate_screen())];
        self.asked += usize::from(match (first, second, end) {
            (_, _, 'c' | 'x')
            | (_, Some(b'$'), 'p')
            | (Some(b'$'), None, 'p')
            | (None | Some(b'?'), None, 'n')
            | (Some(b'>'), None, 'q')
            | (Some(b'?'), None, 'u') => true,
            (None, None, 't') => (11..=21).contains(&number(0)),
            _ => false,
        });
        match (first, second, end) {
            (Some(b'?'), None, 'h' | 'l') => {
                self.modes.extend(params.iter().map(|p| (p[0], end == 'h')));
            }
            (Some(b'>'), None, 'u') => stack.push(number(0)),
            (Some(b'<'), None, 'u') => {
                let kept = stack.len().saturating_sub(usize::from(number(0).max(1)));
                stack.truncate(kept);
            }
            (Some(b'='), None, 'u') => {
                let old = stack.pop().unwrap_or(0);
                stack.push(match number(1) {
                    2 => old | number(0),
                    3 => old & !number(0),
                    _ => number(0),
                });
            }
            (Some(b'?'), None, 'u') => {
                self.questions.push(Question::Kitty(stack.last().copied().unwrap_or(0)));
            }
            (None, None, 'c') => self.questions.push(Question::PrimaryAttributes),
            (Some(b'>'), None, 'c') => self.questions.push(Question::SecondaryAttributes),
            (Some(b'>'), None, 'q') => self.questions.push(Question::Version),
            (None, None, 'n') if number(0) == 5 => self.questions.push(Question::Status),
            (None, None, 'n') if number(0) == 6 => {
                let (row, col) = screen.cursor_position();
                self.questions.push(Question::Cursor(row, col));
            }
            (Some(b'?'), Some(b'$'), 'p') => self.questions.push(Question::Mode(number(0))),
            _ => {}
        }
    }
}

fn rows(screen: &Screen) -> Vec<String> {
    let cols = screen.size().1.get();
    screen.rows(0, cols).map(|row| row.trim_end().to_owned()).collect()
}

fn size(cols: u16, rows: u16) -> (NonZeroU16, NonZeroU16) {
    let or = |side: u16, usual: NonZeroU16| NonZeroU16::new(side).unwrap_or(usual);
    (or(cols, Parser::DEFAULT_COLS), or(rows, Parser::DEFAULT_ROWS))
}

/// How often `part` stands in `bytes`.
fn count(bytes: &[u8], part: &[u8]) -> usize {
    assert!(!part.is_empty());
    let mut count = 0;
    let mut at = 0;
    while let Some(next) = bytes[at..].windows(part.len()).position(|window| window == part) {
        count += 1;
        at += next + part.len();
    }
    count
}

/// Bytes as people can read them.
fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string().replace("\\r\\n", "\\r\\n\n").replace("\\x1b", "␛")
}

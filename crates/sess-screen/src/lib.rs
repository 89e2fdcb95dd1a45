//! A terminal model that can say its whole state. (Interface first; the model follows.)
#![expect(clippy::unused_self, clippy::needless_pass_by_value, reason = "stub")]
use std::ops::Range;
mod size;
pub use size::Size;

/// What brings a terminal out of the middle of any sequence.
pub const INTERRUPT: &[u8] = b"\x18\x1b\\";
/// What brings a terminal in an unknown state to its default state.
pub const NEUTRALISE: &[u8] = b"";

/// The terminal.
pub struct Screen {
    size: Size,
}
/// The modes that are on.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Modes {
    /// Bracketed paste (2004).
    pub bracketed_paste: bool,
    /// Application cursor keys (DECCKM).
    pub application_cursor: bool,
    /// Application keypad.
    pub application_keypad: bool,
    /// The alternate screen is active.
    pub alternate_screen: bool,
    /// Mouse tracking mode (9, 1000, 1001, 1002, 1003), 0 if none.
    pub mouse: u16,
    /// Mouse encoding (1005, 1006, 1015, 1016), 0 if none.
    pub mouse_encoding: u16,
    /// Focus reports (1004).
    pub focus: bool,
    /// Flags of the kitty keyboard protocol.
    pub kitty_keyboard: u8,
    /// Level of modifyOtherKeys.
    pub modify_other_keys: u8,
    /// The cursor is shown.
    pub cursor_visible: bool,
    /// Line feed / new line mode (LNM): Enter sends CR LF.
    pub newline: bool,
    /// Synchronized output (2026).
    pub synchronized: bool,
}
/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum QueryKind {
    /// DA1
    PrimaryAttributes,
    /// DA2
    SecondaryAttributes,
    /// DA3
    TertiaryAttributes,
    /// DSR 5
    Status,
    /// DSR 6
    CursorPosition,
    /// DECXCPR
    ExtendedCursorPosition,
    /// DECRQM
    Mode,
    /// DECRQSS
    Setting,
    /// XTVERSION
    Version,
    /// kitty keyboard
    KittyKeyboard,
    /// OSC 4 with the index
    PaletteColour,
    /// OSC 10-19
    Colour(u8),
    /// XTGETTCAP
    Capability,
    /// XTWINOPS size reports
    Size,
}
impl QueryKind {
    /// Which kind of question a report answers.
    pub fn of_report(_bytes: &[u8]) -> Option<QueryKind> {
        None
    }
}
/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Absolute offset just after the query's last byte.
    pub offset: u64,
    /// What was asked.
    pub kind: QueryKind,
    /// The answer, empty if the model has none.
    pub bytes: Vec<u8>,
}
/// Scan for queries.
#[derive(Default)]
pub struct QueryScan {}
impl QueryScan {
    /// A scan at the start of a stream.
    pub fn new() -> QueryScan {
        QueryScan {}
    }
    /// Whether a query may have been completed in `chunk`.
    pub fn scan(&mut self, _chunk: &[u8]) -> bool {
        true
    }
}
impl Screen {
    /// A blank screen.
    pub fn new(size: Size, _history_limit: usize) -> Screen {
        Screen { size }
    }
    /// Feed.
    pub fn feed(&mut self, _bytes: &[u8]) {}
    /// Resize.
    pub fn resize(&mut self, size: Size) {
        self.size = size;
    }
    /// Size.
    pub fn size(&self) -> Size {
        self.size
    }
    /// Lines kept.
    pub fn history(&self) -> Range<u64> {
        0..0
    }
    /// A line.
    pub fn history_line(&self, _line: u64, _out: &mut Vec<u8>) {}
    /// Snapshot.
    pub fn snapshot(&self, _terminal: Size, _out: &mut Vec<u8>) {}
    /// Undo.
    pub fn undo(&self, _out: &mut Vec<u8>) {}
    /// Text.
    pub fn text(&self) -> String {
        String::new()
    }
    /// Title.
    pub fn title(&self) -> &'static str {
        ""
    }
    /// Replies.
    pub fn take_replies(&mut self) -> Vec<Reply> {
        Vec::new()
    }
    /// Bells since the last call.
    pub fn take_bells(&mut self) -> u64 {
        0
    }
    /// Modes.
    pub fn modes(&self) -> Modes {
        Modes::default()
    }
    /// Cursor as (column, row).
    pub fn cursor(&self) -> (u16, u16) {
        (0, 0)
    }
    /// Tells the model the colour of the leader's terminal: `kind` is the OSC number 10-19.
    pub fn set_terminal_colour(&mut self, _kind: u8, _rgb: (u16, u16, u16)) {}
}

//! Where an escape sequence of a terminal's input ends, a byte at a time. Owns
//! the grammar. Must not know what sequences mean.
//!
//! Input is more than what ECMA-48 has: keys with alt are an ESC before the key,
//! so that `ESC ]` may be a key, and what is no answer of a terminal is
//! recognised as early as can be, so that nothing typed waits for an end that
//! never comes.

pub(super) const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;

/// A longer control sequence is none.
const CONTROL_LIMIT: usize = 1024;
/// A longer answer is none.
pub(super) const STRING_LIMIT: usize = 64 * 1024;

/// What a byte does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It is outside of sequences.
    Text,
    /// It begins a sequence.
    Begin,
    /// It is within a sequence.
    More,
    /// It is the last of a sequence.
    Done,
    /// It doesn't belong to the sequence, which is none; it is to be looked at
    /// again.
    Broken,
    /// As [`Broken`](Self::Broken), but the ESC before it has begun a sequence
    /// that it may belong to.
    BrokenByEsc,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Ground,
    Esc,
    /// After `ESC [`.
    ControlStart,
    Control,
    /// In the three bytes of an old mouse report.
    Mouse(u8),
    /// After `ESC [ [`, as the Linux console's function keys begin.
    Console,
    /// After `ESC O`.
    Shift3,
    /// After `ESC ]`: the number.
    CommandNumber,
    /// After that or `ESC _ G`, which end alike.
    Command,
    /// After `ESC _`.
    Application,
    /// After `ESC P`, before the letter; the byte tells answers apart.
    DeviceHeader(u8),
    /// After that letter.
    Device,
    /// After an ESC in any of these strings.
    StringEsc,
}

/// Follows the bytes of a terminal's input.
#[derive(Debug, Default)]
pub(super) struct Lexer {
    state: State,
    /// Bytes of the sequence so far.
    length: usize,
}

impl Lexer {
    /// Whether no sequence is in progress.
    pub(super) fn is_idle(&self) -> bool {
        self.state == State::Ground
    }

    /// What the next byte does.
    pub(super) fn step(&mut self, byte: u8) -> Step {
        let limit = match self.state {
            State::Command | State::Device | State::StringEsc => STRING_LIMIT,
            _ => CONTROL_LIMIT,
        };
        let step = if self.length < limit { self.advance(byte) } else { Step::Broken };
        self.length = match step {
            Step::Begin => 1,
            Step::More => self.length + 1,
            Step::Text | Step::Done | Step::Broken => {
                self.state = State::Ground;
                0
            }
            Step::BrokenByEsc => {
                self.state = State::Esc;
                1
            }
        };
        step
    }

    #[expect(clippy::match_same_arms, reason = "it is a table, and has its order by state")]
    fn advance(&mut self, byte: u8) -> Step {
        match (self.state, byte) {
            (State::Ground, ESC) => self.begin(),
            (State::Ground, _) => Step::Text,

            // Two keys: nobody says alt and Escape in another way than Escape twice.
            (State::Esc, ESC) => Step::Broken,
            (State::Esc, b'[') => self.more(State::ControlStart),
            (State::Esc, b'O') => self.more(State::Shift3),
            (State::Esc, b']') => self.more(State::CommandNumber),
            (State::Esc, b'P') => self.more(State::DeviceHeader(0)),
            (State::Esc, b'_') => self.more(State::Application),
            (State::Esc, _) => Step::Done,

            (State::ControlStart, b'M') => self.more(State::Mouse(3)),
            (State::ControlStart, b'[') => self.more(State::Console),
            (State::ControlStart | State::Control, 0x20..=0x3f) => self.more(State::Control),
            (State::ControlStart | State::Control, 0x40..=0x7e) => Step::Done,
            (State::Mouse(1), 0x20..) => Step::Done,
            (State::Mouse(left), 0x20..) => self.more(State::Mouse(left - 1)),
            (State::Console, 0x20..=0x7e) => Step::Done,
            (State::Shift3, b'0'..=b'9' | b';') => Step::More,
            (State::Shift3, 0x20..=0x7e) => Step::Done,

            (State::CommandNumber, b'0'..=b'9') => Step::More,
            // `l` and `L` are how titles are told.
            (State::CommandNumber, b';' | b'l' | b'L') => self.more(State::Command),
            (State::Application, b'G') => self.more(State::Command),
            (State::DeviceHeader(_), mark @ (b'$' | b'+' | b'>' | b'!')) => {
                self.more(State::DeviceHeader(mark))
            }
            (State::DeviceHeader(mark), b'0'..=b'9' | b';') => self.more(State::DeviceHeader(mark)),
            (State::DeviceHeader(b'$'), b'r' | b'u')
            | (State::DeviceHeader(b'+'), b'r')
            | (State::DeviceHeader(b'>'), b'|')
            | (State::DeviceHeader(b'!'), b'|' | b'~') => self.more(State::Device),

            (State::Command | State::Device, ESC) => self.more(State::StringEsc),
            (State::Command, BEL) | (State::StringEsc, b'\\') => Step::Done,
            (State::Command | State::Device, 0x20..=0x7e | 0x80..) => Step::More,
            (State::StringEsc, _) => Step::BrokenByEsc,

            (
                State::ControlStart
                | State::Control
                | State::Mouse(_)
                | State::Console
                | State::Shift3
                | State::CommandNumber
                | State::Command
                | State::Application
                | State::DeviceHeader(_)
                | State::Device,
                _,
            ) => Step::Broken,
        }
    }

    fn begin(&mut self) -> Step {
        self.state = State::Esc;
        Step::Begin
    }

    fn more(&mut self, state: State) -> Step {
        self.state = state;
        Step::More
    }
}

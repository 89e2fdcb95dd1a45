//! What a client says, kind by kind.

use serde::{Deserialize, Serialize};

use super::Size;

/// Says who speaks, before anything else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The oldest protocol that the client speaks.
    pub protocol_min: u16,
    /// The newest protocol that the client speaks.
    pub protocol_max: u16,
    /// What it can do beyond its protocol, a bit each; none is defined yet.
    pub features: u64,
    /// The version of the client's build, for messages to people.
    pub version: String,
}

/// Asks to see the session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attach {
    /// The size of the client's terminal.
    pub size: Size,
    /// How many lines of history to bring; `u64::MAX` for all.
    pub lines: u64,
    /// Sends nothing to the program and never leads.
    pub read_only: bool,
    /// Detaches everybody else.
    pub exclusive: bool,
    /// The client's terminal, as `/dev/pts/3`, for people.
    pub tty: String,
    /// Device that the terminal's node is on.
    pub tty_dev: u64,
    /// The terminal's device number.
    pub tty_rdev: u64,
    /// The path of the client's SSH agent's socket, if it has one.
    pub agent: Option<Vec<u8>>,
}

/// Says that the client's terminal has another size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resize {
    /// The new size.
    pub size: Size,
}

/// Says how much of the output the client's terminal has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// Bytes of output since the connection began.
    pub bytes: u64,
}

/// Asks to be detached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leave {}

/// Asks for everything to be shown again, on a terminal of this size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redraw {
    /// The size of the client's terminal.
    pub size: Size,
}

/// Asks what there is to know about the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {}

/// Asks for the session's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kill {
    /// Sent in place of SIGHUP and SIGTERM.
    pub signal: Option<i32>,
    /// Milliseconds until SIGKILL.
    pub grace: u64,
}

/// Asks to detach all attached clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detach {}

/// Asks for what follows to be typed: any number of
/// [`Text`](super::ClientMessage::Text) and [`Key`], then [`Sent`]. A client has at most
/// [`INPUT_CREDIT`](super::INPUT_CREDIT) bytes of text under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Send {
    /// Brackets the text if the program wants pastes to be bracketed.
    pub paste: bool,
    /// Bytes in the longest line that is going to be typed, without its end.
    pub longest_line: u64,
    /// Milliseconds for typing and waiting together; without it typing has 30
    /// seconds.
    pub timeout: Option<u64>,
    /// What is waited for after that.
    pub until: Option<Until>,
}

/// A key to be typed, as the program wants it encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// The key itself. A letter with ctrl is lowercase.
    pub code: KeyCode,
    /// The keys held with it: shift 1, alt 2, ctrl 4.
    pub mods: u8,
}

/// A key without its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyCode {
    /// What types this character.
    Char(char),
    /// Enter.
    Enter,
    /// Tab.
    Tab,
    /// Escape.
    Escape,
    /// Backspace.
    Backspace,
    /// Insert.
    Insert,
    /// Delete.
    Delete,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// The arrow up.
    Up,
    /// The arrow down.
    Down,
    /// The arrow left.
    Left,
    /// The arrow right.
    Right,
    /// F1 to F20.
    F(u8),
}

/// Says that all that is to be typed was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {}

/// What can be waited for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Until {
    /// The session's end.
    Exit,
    /// A line that this regular expression matches.
    Text(String),
    /// No output for so many milliseconds.
    Idle(u64),
}

/// Asks to be told when something has happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// What.
    pub until: Until,
    /// Only output from this offset on counts.
    pub since: Option<u64>,
    /// Milliseconds until it is given up.
    pub timeout: Option<u64>,
}

/// Asks for bytes that bring a blank terminal of the session's size to what the
/// session shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// How many lines of history to bring; `u64::MAX` for all.
    pub lines: u64,
}

/// Asks for the output as raw bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Follow {
    /// The first offset; without it the oldest that is kept.
    pub since: Option<u64>,
    /// Bytes wanted at most.
    pub limit: Option<u64>,
    /// Goes on with what comes, until the session's end.
    pub follow: bool,
}

/// Runs a command in the session's shell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// One word is the shell's text as it is; several are quoted, a plain first
    /// one left bare.
    pub words: Vec<Vec<u8>>,
    /// Milliseconds until it is no longer waited for.
    pub timeout: Option<u64>,
}

/// Asks to be told what happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listen {}

/// Gives the session another name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rename {
    /// The new name.
    pub name: String,
}

/// Gives the session a size while nobody leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetSize {
    /// The new size.
    pub size: Size,
}

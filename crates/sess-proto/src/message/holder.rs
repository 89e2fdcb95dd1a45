//! What a holder says, kind by kind.

use serde::{Deserialize, Serialize};

use super::{Exit, Size};

/// Answers [`Hello`](super::Hello), also where the protocols don't meet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The oldest protocol that the holder speaks.
    pub protocol_min: u16,
    /// The newest protocol that the holder speaks.
    pub protocol_max: u16,
    /// What it can do beyond its protocol, a bit each; none is defined yet.
    pub features: u64,
    /// The version of the holder's build, for messages to people.
    pub version: String,
}

/// Says no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Why, for programs: one of [`refusal`]'s; unknown ones may come.
    pub code: u16,
    /// Why, for people.
    pub message: String,
}

/// Why something is refused.
pub mod refusal {
    /// What was said can't be understood here.
    pub const MALFORMED: u16 = 1;
    /// The protocols of the two sides don't meet.
    pub const PROTOCOL: u16 = 2;
    /// The terminal is the session's own.
    pub const ITSELF: u16 = 3;
    /// The session is about to end.
    pub const ENDING: u16 = 4;
    /// The holder can't do it.
    pub const FAILED: u16 = 5;
    /// What was sent makes no sense: a regular expression that is none.
    pub const USAGE: u16 = 6;
    /// A session of that name runs, or what it left is in the way.
    pub const TAKEN: u16 = 7;
    /// The session has ended.
    pub const ENDED: u16 = 8;
}

/// Says that this client is attached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    /// The session's name.
    pub name: String,
    /// The session's id.
    pub id: String,
}

/// Says that this client was detached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detached {
    /// The session's name now.
    pub name: String,
    /// How many answers of the client's terminal may still be under way.
    pub replies: u32,
}

/// Says that the session has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exited {
    /// The session's name.
    pub name: String,
    /// How its program ended.
    pub exit: Exit,
    /// How many answers of the client's terminal may still be under way.
    pub replies: u32,
}

/// What there is to know about a session. Times are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Info {
    /// The session's name.
    pub name: String,
    /// The session's id: 16 hexadecimal digits.
    pub id: String,
    /// The program's process.
    pub pid: Option<i32>,
    /// The holder's process.
    pub holder_pid: i32,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Where the program is, else where it began.
    pub cwd: String,
    /// The title that the program gave its terminal.
    pub title: String,
    /// Since when the session is there.
    pub created: u64,
    /// When the program last said something.
    pub last_output: Option<u64>,
    /// When somebody last typed something.
    pub last_input: Option<u64>,
    /// The size of the session's terminal.
    pub size: Size,
    /// Who is attached.
    pub clients: Vec<ClientInfo>,
    /// Bytes of output so far.
    pub offset: u64,
    /// Lines of history that are kept.
    pub history_lines: u64,
    /// What the session was labelled with.
    pub labels: Vec<(String, String)>,
    /// The version of the holder's build.
    pub version: String,
    /// Device that the session's terminal's node is on.
    pub tty_dev: u64,
    /// The session's terminal's device number.
    pub tty_rdev: u64,
}

/// Says, before [`Info`], what the program is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mood {
    /// What.
    pub activity: Activity,
}

/// Says, before [`Info`], how the session is kept up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upkeep {
    /// When its output is written down: `always`, `on-exit` or `never`.
    pub record_output: String,
    /// Why its record is not what it should be.
    pub record_problem: Option<String>,
    /// How often its program was started again.
    pub restarts: u32,
    /// When that is next to happen, in milliseconds since 1970.
    pub next_start: Option<u64>,
}

/// What a program is about, as far as its terminal tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Activity {
    /// It says something, or its shell runs a command.
    Busy,
    /// It doesn't.
    Idle,
    /// It wants somebody: it rang, or waits for a password.
    Asking,
}

/// What there is to know about an attached client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientInfo {
    /// The client's process.
    pub pid: i32,
    /// Its terminal.
    pub tty: String,
    /// Device that its terminal's node is on.
    pub tty_dev: u64,
    /// Its terminal's device number.
    pub tty_rdev: u64,
    /// Its terminal's size.
    pub size: Size,
    /// Whether it leads.
    pub leader: bool,
    /// Whether it only looks.
    pub read_only: bool,
    /// Since when it is attached.
    pub attached: u64,
}

/// Says that the session is ended, or what is left of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Killed {
    /// Processes that could not be ended.
    pub survivors: Vec<Survivor>,
}

/// A process that could not be ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Survivor {
    /// Its number.
    pub pid: i32,
    /// Its command, for people.
    pub command: String,
}

/// Says that what was asked for is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// To how many it was done.
    pub count: u32,
}

/// Says how much of a client's input the program's terminal has taken. A client
/// has at most [`INPUT_CREDIT`](super::INPUT_CREDIT) bytes more than that under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// Bytes of input since the connection began.
    pub bytes: u64,
}

/// Asks for an [`Ack`](super::Ack) as soon as the terminal has taken all of the output before
/// this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sync {}

/// Says that something has begun at this offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Began {
    /// Bytes of output before it, read up to date.
    pub offset: u64,
}

/// Says that all was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typed {
    /// How many bytes the program's terminal took.
    pub bytes: u64,
}

/// Says that what was waited for has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happened {}

/// Says that time is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimedOut {
    /// How many bytes the program's terminal took until then, and whether that was
    /// all of them.
    pub typed: Option<(u64, bool)>,
}

/// Says where the output that follows begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct At {
    /// The offset of its first byte.
    pub offset: u64,
}

/// Says what the output that follows shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Captured {
    /// The screen's size.
    pub size: Size,
}

/// Says that a command has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ran {
    /// Its exit status, as the shell says it.
    pub code: u8,
    /// Milliseconds that it took.
    pub duration: u64,
    /// Just behind its last byte of output.
    pub offset: u64,
}

/// Says whose events follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listening {
    /// The session's name.
    pub name: String,
    /// The session's id.
    pub id: String,
    /// Since when the session is there, in milliseconds since 1970.
    pub created: u64,
}

/// Something that has happened to a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When, in milliseconds since 1970.
    pub time: u64,
    /// The session's name then.
    pub name: String,
    /// What.
    pub happening: Happening,
}

/// What can happen to a session. As a message's shape it never changes: what is to
/// be told beyond these takes another message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Happening {
    /// Somebody attached.
    Attached {
        /// The client's process.
        pid: i32,
        /// Its terminal.
        tty: String,
    },
    /// Somebody detached, or was lost.
    Detached {
        /// The client's process.
        pid: i32,
        /// Its terminal.
        tty: String,
    },
    /// It has another size.
    Resized(Size),
    /// It has another name.
    Renamed {
        /// The name that it had.
        old: String,
    },
    /// The program says something after it was quiet.
    Activity,
    /// The program gave its terminal this title.
    Title(String),
    /// The bell rang.
    Bell,
    /// The program has something to tell.
    Notification {
        /// Empty if it has none.
        title: String,
        /// What it tells.
        body: String,
    },
    /// Its program was started again.
    Restarted,
    /// It has ended.
    Exited(Exit),
}

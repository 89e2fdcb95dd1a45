//! Messages: what a client may say, and what a holder.
//!
//! A message's shape never changes once released: a new need is a new kind.
//! Kinds below 128 are a client's, the others a holder's.

use serde::{Deserialize, Serialize};

use crate::frame::{self, Frame, FrameError, MUST_UNDERSTAND};

/// Says all messages of one side: the enum, its kinds, its decoder.
macro_rules! messages {
    (
        $(#[$doc:meta])* $side:ident;
        raw { $($(#[$raw_doc:meta])* $raw:ident = $raw_kind:literal,)* }
        coded { $($(#[$coded_doc:meta])* $coded:ident = $coded_kind:literal,)* }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $side<'a> {
            $($(#[$raw_doc])* $raw(&'a [u8]),)*
            $($(#[$coded_doc])* $coded($coded),)*
        }

        impl<'a> $side<'a> {
            /// What a frame says; `None` for a kind that is unknown here and may
            /// be skipped.
            pub fn decode(frame: &Frame<'a>) -> Result<Option<Self>, FrameError> {
                Ok(Some(match frame.kind {
                    $($raw_kind => Self::$raw(frame.payload),)*
                    $($coded_kind => Self::$coded(frame::decode(frame)?),)*
                    kind if frame.flags & MUST_UNDERSTAND != 0 => {
                        return Err(FrameError::NotUnderstood { kind });
                    }
                    _ => return Ok(None),
                }))
            }

            /// Appends the frame that says this.
            pub fn encode(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$raw(bytes) => frame::encode_raw($raw_kind, bytes, out),)*
                    $(Self::$coded(message) => {
                        frame::encode($coded_kind, MUST_UNDERSTAND, message, out);
                    })*
                }
            }

            /// The kind of the frame that says this.
            pub const fn kind(&self) -> u8 {
                match self {
                    $(Self::$raw(_) => $raw_kind,)*
                    $(Self::$coded(_) => $coded_kind,)*
                }
            }
        }

        $(impl From<$coded> for $side<'_> {
            fn from(message: $coded) -> Self {
                Self::$coded(message)
            }
        })*
    };
}

messages! {
    /// What a client says.
    ClientMessage;
    raw {
        /// Keys, text, pastes, mouse buttons: goes to the program, and whoever
        /// sends it leads.
        Input = 3,
        /// Focus changes and mouse motion: goes to the program, makes no leader.
        Passive = 4,
        /// One whole answer of the terminal to a question of the program's.
        Report = 5,
    }
    coded {
        /// The first thing said on every connection.
        Hello = 1,
        /// Shows the session here.
        Attach = 2,
        /// The terminal has another size.
        Resize = 6,
        /// How much of the output the terminal has taken.
        Ack = 7,
        /// Asks to be detached.
        Leave = 8,
        /// The terminal lost what it showed: show it again.
        Redraw = 9,
        /// Asks for [`Info`].
        Status = 10,
        /// Ends the session and everything it started.
        Kill = 11,
        /// Detaches all attached clients.
        Detach = 12,
    }
}

messages! {
    /// What a holder says.
    HolderMessage;
    raw {
        /// Bytes for the terminal.
        Output = 131,
    }
    coded {
        /// The answer to [`Hello`].
        Welcome = 128,
        /// What was asked is refused; the connection ends.
        Refused = 129,
        /// From here on output follows.
        Attached = 130,
        /// This client was detached; the connection ends.
        Detached = 132,
        /// The session has ended; the connection ends.
        Exited = 133,
        /// The answer to [`Status`].
        Info = 134,
        /// The answer to [`Kill`], once it is over.
        Killed = 135,
        /// The answer to a request that asks for nothing back.
        Done = 136,
        /// How much of the client's input the program's terminal has taken.
        Taken = 137,
        /// Asks for an [`Ack`] as soon as the terminal has taken all of the output
        /// before this.
        Sync = 138,
    }
}

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

/// Answers [`Hello`], also where the protocols don't meet.
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

/// The size of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Columns of characters.
    pub cols: u16,
    /// Rows of characters.
    pub rows: u16,
    /// Width in pixels, 0 if unknown.
    pub xpixel: u16,
    /// Height in pixels, 0 if unknown.
    pub ypixel: u16,
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

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exit {
    /// By itself, with this code.
    Code(u8),
    /// By this signal.
    Signal(i32),
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
/// has at most [`INPUT_CREDIT`] bytes more than that under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// Bytes of input since the connection began.
    pub bytes: u64,
}

/// Asks for an [`Ack`] as soon as the terminal has taken all of the output before
/// this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sync {}

/// How many bytes of input a client may have under way.
pub const INPUT_CREDIT: u64 = 64 * 1024;

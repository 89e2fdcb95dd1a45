//! Messages: what a client may say, and what a holder.
//!
//! A message's shape never changes once released: a new need is a new kind.
//! Kinds below 128 are a client's, the others a holder's.

mod client;
mod holder;

use serde::{Deserialize, Serialize};

pub use client::{
    Ack, Attach, Capture, Detach, Follow, Hello, Key, KeyCode, Kill, Leave, Listen, Redraw, Rename,
    Resize, Run, Send, Sent, SetSize, Status, Until, Wait,
};
pub use holder::{
    Activity, At, Attached, Began, Captured, ClientInfo, Detached, Done, Event, Exited, Happened,
    Happening, Info, Killed, Listening, Mood, Ran, Refused, Survivor, Sync, Taken, TimedOut, Typed,
    Upkeep, Welcome, refusal,
};

use crate::frame::{self, Frame, FrameError, MUST_UNDERSTAND};

/// Says all messages of one side: the enum, its kinds, its decoder.
macro_rules! messages {
    (
        $(#[$doc:meta])* $side:ident;
        raw { $($(#[$raw_doc:meta])* $raw:ident = $raw_kind:literal,)* }
        coded { $($(#[$coded_doc:meta])* $coded:ident = $coded_kind:literal,)* }
        $(aside { $($(#[$aside_doc:meta])* $aside:ident = $aside_kind:literal,)* })?
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $side<'a> {
            $($(#[$raw_doc])* $raw(&'a [u8]),)*
            $($(#[$coded_doc])* $coded($coded),)*
            $($($(#[$aside_doc])* $aside($aside),)*)?
        }

        impl<'a> $side<'a> {
            /// What a frame says; `None` for a kind that is unknown here and may
            /// be skipped.
            pub fn decode(frame: &Frame<'a>) -> Result<Option<Self>, FrameError> {
                Ok(Some(match frame.kind {
                    $($raw_kind => Self::$raw(frame.payload),)*
                    $($coded_kind => Self::$coded(frame::decode(frame)?),)*
                    $($($aside_kind => Self::$aside(frame::decode(frame)?),)*)?
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
                    // Who doesn't know it does without.
                    $($(Self::$aside(message) => frame::encode($aside_kind, 0, message, out),)*)?
                }
            }

            /// The kind of the frame that says this.
            pub const fn kind(&self) -> u8 {
                match self {
                    $(Self::$raw(_) => $raw_kind,)*
                    $(Self::$coded(_) => $coded_kind,)*
                    $($(Self::$aside(_) => $aside_kind,)*)?
                }
            }
        }

        $(impl From<$coded> for $side<'_> {
            fn from(message: $coded) -> Self {
                Self::$coded(message)
            }
        })*

        $($(impl From<$aside> for $side<'_> {
            fn from(message: $aside) -> Self {
                Self::$aside(message)
            }
        })*)?
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
        /// Text to be typed, part of a [`Send`].
        Text = 14,
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
        /// Types into the session; what is typed follows.
        Send = 13,
        /// A key to be typed, part of a [`Send`].
        Key = 15,
        /// All that is to be typed was said.
        Sent = 16,
        /// Waits for something to happen.
        Wait = 17,
        /// Asks for the screen and its history.
        Capture = 18,
        /// Asks for the output as it came.
        Follow = 19,
        /// Runs a command in the session's shell.
        Run = 20,
        /// Asks to be told what happens.
        Listen = 21,
        /// Gives the session another name.
        Rename = 22,
        /// Gives the session a size while nobody leads.
        SetSize = 23,
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
        /// A [`Send`] begins to type, or a [`Run`] to look at output.
        Began = 139,
        /// The program's terminal has taken all that a [`Send`] had to type.
        Typed = 140,
        /// What was waited for has happened.
        Happened = 141,
        /// Time is up; the connection ends.
        TimedOut = 142,
        /// The offset at which the [`Output`](HolderMessage::Output) after this
        /// begins.
        At = 143,
        /// What the [`Output`](HolderMessage::Output) after this shows: the answer
        /// to [`Capture`].
        Captured = 144,
        /// The command of a [`Run`] has ended.
        Ran = 145,
        /// The answer to [`Listen`].
        Listening = 146,
        /// Something has happened.
        Event = 147,
    }
    aside {
        /// What the program is about; comes before [`Info`].
        Mood = 148,
        /// How the session is kept up; comes before [`Info`].
        Upkeep = 149,
    }
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

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exit {
    /// By itself, with this code.
    Code(u8),
    /// By this signal.
    Signal(i32),
}

/// How many bytes of input a client may have under way.
pub const INPUT_CREDIT: u64 = 64 * 1024;

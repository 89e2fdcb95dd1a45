//! What the clients of a session are there for.

use sess_proto::message::{Capture, Follow};

use super::running::Runner;
use super::sending::Sender;
use super::waiting::Waiting;
use crate::client::{Outbox, View};

/// One connection.
#[derive(Debug)]
pub struct Client {
    /// The process at the other end.
    pub pid: i32,
    /// What it is there for.
    pub role: Role,
    /// What is to be written to it.
    pub outbox: Outbox,
    /// When its socket last took something, in ticks.
    pub moved: u64,
}

/// What a connection is there for.
#[derive(Debug)]
pub enum Role {
    /// It has asked for nothing yet, since that time; `greeted` after its hello.
    Undecided {
        /// When it connected or last said something.
        since: u64,
        /// Whether it said hello.
        greeted: bool,
        /// Whether it is the creator's, which is waited for even if the program
        /// has ended before it asks.
        promised: bool,
    },
    /// It waits for the end of a kill.
    Killer,
    /// It shows the session.
    Viewer(Box<View>),
    /// It is answered as soon as the program's terminal was read until it would
    /// block.
    Presently(Request),
    /// It types.
    Sender(Box<Sender>),
    /// It waits for something to happen.
    Waiter(Box<Waiting>),
    /// It gets what the session shows, once.
    Copier(Box<View>),
    /// It gets the output as it came.
    Follower(Following),
    /// It runs a command in the session's shell.
    Runner(Box<Runner>),
    /// It is told what happens.
    Listener,
    /// It is closed as soon as it took what is in its outbox.
    Leaving {
        /// When its socket last took something.
        since: u64,
    },
}

impl Role {
    /// Whether it gets output, or what is shown, without being attached.
    pub fn reads(&self) -> bool {
        matches!(self, Self::Copier(_) | Self::Follower(_) | Self::Runner(_))
    }
}

/// What is answered as of a moment.
#[derive(Clone, Debug)]
pub enum Request {
    /// The screen and its history.
    Capture(Capture),
    /// The output as it came.
    Follow(Follow),
    /// Something is to be waited for.
    Wait(Box<Waiting>),
}

/// A client that gets the output as it came.
#[derive(Clone, Copy, Debug)]
pub struct Following {
    /// The next offset for it.
    pub cursor: u64,
    /// Where it ends; without it at the session's end.
    pub end: Option<u64>,
    /// It is to be told where the next piece begins.
    pub gap: bool,
}

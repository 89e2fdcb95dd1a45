//! The operating system as sess sees it: std-like, safe types over descriptors,
//! processes, terminals and locks.
//!
//! It owns every system call and all `unsafe` code of the project, and knows
//! nothing of sessions or messages. **nix** is used for what processes do,
//! **rustix** for what descriptors do, **signal-hook** for signals; none of
//! their types goes out. Every descriptor is close-on-exec, and every call is
//! retried when a signal interrupts it, unless its documentation says otherwise.
//!
//! Linux is the platform. What only Linux has stands in whole files here, so
//! that another Unix is a file, not a search.

pub mod child;
pub mod clock;
pub mod detach;
pub mod dir;
pub mod entry;
pub mod heap;
mod inherit;
pub mod lock;
pub mod poll;
pub mod process;
mod processor;
pub mod pty;
pub mod signals;
pub mod socket;
mod stack;
mod title;
pub mod tty;
pub mod watch;

pub use child::{Beginning, Exit, Poised, Program, SpawnError};
pub use detach::{Outcome, Pending, Rlimit};
pub use dir::{Dir, Kind, Meta};
pub use lock::{Held, Lock};
pub use poll::{Entry, Ready};
pub use process::{Pid, Process, Signal, Usage, Watched};
pub use pty::{PtyFollower, PtyLeader, TtyId, WindowSize};
pub use signals::Signals;
pub use socket::{Connect, Listener, Peer, Stream};
pub use tty::{RawMode, SavedMode, Terminal};
pub use watch::FolderWatch;

//! What sess's processes say to each other: session names, messages and the
//! frames that carry them.
//!
//! Pure bytes. This crate knows nothing of sockets, terminals or sessions; it
//! turns values into bytes and back, and refuses everything else with an error.
//! The wire is described in `docs/protocol.md`; golden bytes in
//! `tests/golden.rs` freeze it.

pub mod frame;
pub mod message;
pub mod name;

pub use frame::{Decoder, Frame, FrameError};
pub use message::{ClientMessage, HolderMessage};
pub use name::{NameError, SessionName};

/// The oldest protocol that this build speaks.
pub const PROTOCOL_MIN: u16 = 1;
/// The newest protocol that this build speaks.
pub const PROTOCOL_MAX: u16 = 1;

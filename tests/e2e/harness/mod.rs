//! What the end-to-end tests stand on: a sandbox, terminals in it, and waiting
//! for facts.

mod asking;
mod connection;
mod emulator;
mod listening;
mod patience;
mod processes;
mod programs;
mod sandbox;
mod terminal;
mod tracer;

pub use asking::{contents, restart_times};
pub use connection::Connection;
pub use emulator::Emulator;
pub use patience::{PATIENCE, pass, wait_for, wait_until, wait_within};
pub use processes::{
    is_root, listing, mode, open_descriptors, process_in, resident, set_mode, status_field,
    wait_until_gone, wakeups,
};
pub use programs::{PATH, find, skipped};
pub use sandbox::{Output, Running, Sandbox, Session, is_there, signal_to};
pub use terminal::Terminal;
pub use tracer::Tracer;

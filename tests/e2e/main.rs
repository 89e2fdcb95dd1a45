//! End-to-end tests: the real binary, on real terminals, each test in a sandbox
//! of its own. Modules are named after what the contract promises, section 6
//! first.

#![expect(clippy::unwrap_used, reason = "a test may, and so may what it stands on")]

mod harness;

mod raw_bytes;

mod exact_reattach;
mod programs_come_back;
mod scrollback;

mod no_replayed_questions;

mod clients_cant_hurt;

mod sizes;

mod nothing_is_lost;

mod liveness;

mod exclusive_names;

mod private;

mod old_holders;

mod signals_to_holders;

mod activity;
mod attach_and_detach;
mod bad_input;
mod capture;
mod commands_new;
mod completions_and_man;
mod configuration;
mod detach_key;
mod environment;
mod events;
mod help;
mod json;
mod kill;
mod listing;
mod logs;
mod nesting;
mod places;
mod policies;
mod prune;
mod records;
mod rename_and_resize;
mod restart;
mod restore;
mod run;
mod scripting_docs;
mod send;
mod ssh_agent;
mod status_codes;
mod wait;

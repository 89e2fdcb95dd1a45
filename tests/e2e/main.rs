//! End-to-end tests: the real binary, on real terminals, each test in a sandbox
//! of its own. Modules are named after what the contract promises, section 6
//! first.

mod harness;

mod raw_bytes;

mod exact_reattach;

mod programs_come_back;

mod scrollback;

mod no_replayed_questions;

mod clients_cant_hurt;

mod sizes;

mod nothing_is_lost;

mod attach_and_detach;

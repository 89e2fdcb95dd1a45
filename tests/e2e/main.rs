//! End-to-end tests: the real binary, on real terminals, each test in a sandbox
//! of its own. Modules are named after what the contract promises, section 6
//! first.

mod harness;

mod raw_bytes;

mod exact_reattach;

mod programs_come_back;

mod scrollback;

mod attach_and_detach;

//! Which programs this machine has. A test whose program is missing says so and
//! returns.

use std::io::Write;
use std::path::{Path, PathBuf};

/// Where programs are looked for, in every sandbox.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The program's path; without it the test is told as skipped.
pub fn find(program: &str) -> Option<PathBuf> {
    let found = PATH.split(':').map(|folder| Path::new(folder).join(program)).find(|p| p.exists());
    if found.is_none() {
        skipped(&format!("no {program}"));
    }
    found
}

/// Says that a test is skipped, past what the test runner captures.
pub fn skipped(why: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("test");
    let _ = writeln!(std::io::stderr().lock(), "{test}: skipped: {why}");
}

//! How it stands with the program's terminal at a moment, asked of the system.

use std::path::PathBuf;

use sess_sys::{Pid, Process, PtyLeader, process};

use crate::session::Facts;

/// How it stands. What can't be asked is taken for the usual.
pub fn of(pty: &PtyLeader, program: Pid, folder: PathBuf) -> Facts {
    let foreground = pty.foreground_group().ok();
    let leader = foreground.and_then(|group| Process::read(group).ok().flatten());
    let file = std::fs::read_link(format!("/proc/{program}/exe")).unwrap_or_default();
    let file = file.file_name().map(|name| name.to_string_lossy().into_owned());
    Facts {
        canonical: pty.canonical().unwrap_or(false),
        foreground: foreground.map(|group| group.0),
        foreground_name: leader.map(|process| process.name),
        program: file.unwrap_or_default(),
        token: format!("{:012x}", process::random_u64().unwrap_or_default() >> 16),
        folder,
    }
}

//! Processes that tests look at: told by their number in a file, and what the
//! system says of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sess_sys::process::{self, Pid, Process};

use super::patience::wait_for;
use super::programs::skipped;
use super::sandbox::Sandbox;

/// The process whose number a script writes to a file, as `echo $$ >file`.
#[track_caller]
pub fn process_in(sandbox: &Sandbox, file: &str) -> Process {
    let pid = wait_for(file, || {
        let text = String::from_utf8(sandbox.read(file)).ok()?;
        text.strip_suffix('\n')?.trim().parse().ok().map(Pid)
    });
    Process::read(pid).unwrap().expect("who wrote its number lives")
}

/// Waits until a process is gone.
#[track_caller]
pub fn wait_until_gone(process: &Process) {
    wait_for(&format!("the end of {process:?}"), || (!process.alive()).then_some(()));
}

/// Whether these tests run as root; if not, the test is told as skipped.
pub fn is_root() -> bool {
    let root = process::uid() == 0;
    if !root {
        skipped("not root");
    }
    root
}

/// A field of `/proc/PID/status`.
#[track_caller]
pub fn status_field(text: &str, field: &str) -> String {
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {field} in {text}")).trim().to_owned()
}

/// Memory that a process has, in kB.
#[track_caller]
pub fn resident(pid: Pid) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    status_field(&status, "VmRSS").split(' ').next().unwrap().parse().unwrap()
}

/// How often a process has gone to sleep by itself, and woken up again.
#[track_caller]
pub fn wakeups(pid: Pid) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    status_field(&status, "voluntary_ctxt_switches").parse().unwrap()
}

/// How many descriptors a process has open.
#[track_caller]
pub fn open_descriptors(pid: Pid) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

/// Everything at and below a path, and what would change if anybody changed it.
pub fn listing(path: &Path) -> BTreeMap<PathBuf, String> {
    use std::os::unix::fs::MetadataExt;
    let mut found = BTreeMap::new();
    let mut waiting = vec![path.to_owned()];
    while let Some(path) = waiting.pop() {
        let Ok(meta) = path.symlink_metadata() else {
            continue;
        };
        if meta.is_dir() {
            let below = std::fs::read_dir(&path).into_iter().flatten().flatten();
            waiting.extend(below.map(|entry| entry.path()));
        }
        let times = (meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec());
        let rest = (meta.ino(), meta.mode(), meta.nlink(), meta.uid(), meta.size());
        found.insert(path, format!("{times:?} {rest:?}"));
    }
    found
}

/// The permission bits of a file.
#[track_caller]
pub fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::MetadataExt;
    let meta = path.symlink_metadata();
    meta.unwrap_or_else(|error| panic!("{}: {error}", path.display())).mode() & 0o7777
}

/// Sets the permission bits of a file.
#[track_caller]
pub fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

//! Processes, ours and others: who they are, what they have open, whose child
//! they are, and how they are told something. It knows nothing of why.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;
use std::{fmt, fs, io};

use nix::unistd::{SysconfVar, sysconf};
use rustix::io::Errno;
use rustix::process::{PidfdFlags, kill_process, pidfd_open, pidfd_send_signal};

mod host;
mod signal;
mod tree;
mod usage;
mod watched;

pub use host::{Account, account, boot_id, host_name, random_u64, uid, umask, uptime};
pub use signal::Signal;
pub use tree::{ancestors, carrying, descendants};
pub use usage::{Usage, usage_of_children};
pub use watched::Watched;

/// The number of a process.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Pid(pub i32);

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A process as it was at one moment. Number and start time together are
/// its identity.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Process {
    /// Its number.
    pub pid: Pid,
    /// Its parent's number, 0 if that is outside our view.
    pub parent: Pid,
    /// When it started, in clock ticks since the machine did.
    pub start: u64,
    /// Its state as `ps` shows it: `Z` is a zombie, `R` has a processor or waits for one.
    pub state: char,
    /// How long it has had a processor.
    pub used: Duration,
    /// Its name, at most 15 bytes, whatever they are.
    pub name: String,
}

impl Process {
    /// Looks at the process of this number; `None` if there is none.
    pub fn read(pid: Pid) -> io::Result<Option<Process>> {
        match fs::read(format!("/proc/{pid}/stat")) {
            Ok(stat) => parse_stat(pid, &stat)
                .map(Some)
                .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "unreadable stat")),
            Err(error) if has_ended(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Its command line, a NUL after each argument.
    pub fn command_line(&self) -> io::Result<Vec<u8>> {
        fs::read(format!("/proc/{}/cmdline", self.pid))
    }

    /// Where its descriptors lead, as far as this user may see.
    pub fn open_files(&self) -> io::Result<Vec<PathBuf>> {
        let mut paths = Vec::new();
        self.each_descriptor(&mut |link| {
            if let Ok(path) = fs::read_link(link) {
                paths.push(path);
            }
        })?;
        Ok(paths)
    }

    /// Whether one of its descriptors is of this file.
    pub fn holds_inode(&self, dev: u64, ino: u64) -> io::Result<bool> {
        let mut found = false;
        self.each_descriptor(&mut |link| {
            found |= fs::metadata(link).is_ok_and(|meta| (meta.dev(), meta.ino()) == (dev, ino));
        })?;
        Ok(found)
    }

    /// Whether it still runs: the same one, not a zombie.
    pub fn alive(&self) -> bool {
        Process::read(self.pid).is_ok_and(|now| {
            now.is_some_and(|now| now.start == self.start && !matches!(now.state, 'Z' | 'X' | 'x'))
        })
    }

    /// Sends it `signal`; never another process that got its number. One that has
    /// ended is no error.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        let Some(pid) = rustix::process::Pid::from_raw(self.pid.0) else {
            return Err(Errno::INVAL.into());
        };
        let sent = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(handle) => {
                // Checked with the descriptor open: from here on the number can't
                // come to mean another process.
                if !self.is_still_there()? {
                    return Ok(());
                }
                pidfd_send_signal(handle, signal.to_rustix())
            }
            // An old kernel, or a filter that knows no such call.
            Err(Errno::NOSYS | Errno::PERM) => {
                if !self.is_still_there()? {
                    return Ok(());
                }
                kill_process(pid, signal.to_rustix())
            }
            Err(error) => Err(error),
        };
        match sent {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn is_still_there(&self) -> io::Result<bool> {
        Ok(Process::read(self.pid)?.is_some_and(|now| now.start == self.start))
    }

    /// A process that has ended has none.
    fn each_descriptor(&self, look: &mut dyn FnMut(PathBuf)) -> io::Result<()> {
        let folder = match fs::read_dir(format!("/proc/{}/fd", self.pid)) {
            Ok(folder) => folder,
            Err(error) if has_ended(&error) => return Ok(()),
            Err(error) => return Err(error),
        };
        for entry in folder {
            match entry {
                Ok(entry) => look(entry.path()),
                Err(error) if has_ended(&error) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The number of this process.
pub fn current() -> Pid {
    // A process number is positive and fits, whatever the type says.
    Pid(i32::try_from(std::process::id()).unwrap_or(0))
}

/// How `/proc` says that a process is no longer there.
fn has_ended(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
        || error.raw_os_error() == Some(Errno::SRCH.raw_os_error())
}

/// Reads `/proc/PID/stat`. The name stands in parentheses and may hold anything,
/// parentheses, spaces and newlines included; only the last `)` is its end.
fn parse_stat(pid: Pid, line: &[u8]) -> Option<Process> {
    let open = line.iter().position(|&byte| byte == b'(')?;
    let close = line.iter().rposition(|&byte| byte == b')')?;
    let name = String::from_utf8_lossy(line.get(open + 1..close)?).into_owned();
    let rest = str::from_utf8(line.get(close + 1..)?).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    let parent = Pid(fields.next()?.parse().ok()?);
    // Fields 14 and 15, in its own code and the kernel's; state was the third, parent the
    // fourth. Then field 22.
    let mut ticks = |skipped| fields.nth(skipped)?.parse().ok();
    let used = clock_ticks(ticks(9)?) + clock_ticks(ticks(0)?);
    let start = ticks(6)?;
    Some(Process { pid, parent, start, state, used, name })
}

/// What so many of the system's clock ticks take.
fn clock_ticks(ticks: u64) -> Duration {
    let a_second = sysconf(SysconfVar::CLK_TCK).ok().flatten();
    let a_second = a_second.and_then(|ticks| u64::try_from(ticks).ok()).unwrap_or(100);
    Duration::from_millis(ticks.saturating_mul(1_000) / a_second.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_parentheses_and_spaces_is_read_whole() {
        let stat = b"7 (a) b (c)) S 1 7 7 0 -1 4194560 1 0 0 0 8 9 0 0 20 0 1 0 4711 1 2\n";
        let process = parse_stat(Pid(7), stat).expect("it is well-formed");
        assert_eq!(process.name, "a) b (c)");
        assert_eq!((process.parent, process.state, process.start), (Pid(1), 'S', 4711));
        assert_eq!(process.used, clock_ticks(8) + clock_ticks(9));
    }

    #[test]
    fn what_is_no_stat_is_refused() {
        assert_eq!(parse_stat(Pid(7), b""), None);
        assert_eq!(parse_stat(Pid(7), b"7 )x( S 1"), None);
        assert_eq!(parse_stat(Pid(7), b"7 (x) S 1 2 3"), None);
    }
}

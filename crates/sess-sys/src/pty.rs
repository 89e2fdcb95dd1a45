//! A pseudoterminal: the leader end that a program's output is read from, and
//! the follower end that the program believes to be its terminal. It interprets
//! no byte.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use rustix::fs::{self, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};
use rustix::pty::{self, OpenptFlags};
use rustix::termios::{self, Action, InputModes, LocalModes, OptionalActions, Termios, Winsize};

use crate::process::Pid;

/// The size of a terminal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct WindowSize {
    /// Columns of characters.
    pub cols: u16,
    /// Rows of characters.
    pub rows: u16,
    /// Width in pixels, 0 if unknown.
    pub xpixel: u16,
    /// Height in pixels, 0 if unknown.
    pub ypixel: u16,
}

impl Default for WindowSize {
    fn default() -> WindowSize {
        WindowSize { cols: 80, rows: 24, xpixel: 0, ypixel: 0 }
    }
}

impl WindowSize {
    pub(crate) fn of(terminal: impl AsFd) -> io::Result<WindowSize> {
        let size = retry_on_intr(|| termios::tcgetwinsize(&terminal))?;
        Ok(WindowSize {
            cols: size.ws_col,
            rows: size.ws_row,
            xpixel: size.ws_xpixel,
            ypixel: size.ws_ypixel,
        })
    }
}

/// What makes a terminal the same one, whatever path leads to it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct TtyId {
    /// The file system that its node is on (`/dev/pts` of a container is another).
    pub dev: u64,
    /// The device itself.
    pub rdev: u64,
}

impl TtyId {
    pub(crate) fn of(terminal: impl AsFd) -> io::Result<TtyId> {
        let stat = fs::fstat(terminal)?;
        Ok(TtyId { dev: stat.st_dev, rdev: stat.st_rdev })
    }
}

/// The end that reads what the program writes. Nonblocking.
#[derive(Debug)]
pub struct PtyLeader {
    fd: OwnedFd,
    /// Those of a new terminal.
    modes: Termios,
}

/// The end that the program sees as its terminal.
#[derive(Debug)]
pub struct PtyFollower {
    fd: OwnedFd,
    path: PathBuf,
    id: TtyId,
}

impl PtyLeader {
    /// Opens a new pair of this size, with the system's usual modes and UTF-8
    /// aware erasing (`IUTF8`). Where the system has no more, the error names the
    /// limit.
    pub fn open(size: WindowSize) -> io::Result<(PtyLeader, PtyFollower)> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let fd = retry_on_intr(|| pty::openpt(flags)).map_err(explain_exhaustion)?;
        pty::grantpt(&fd)?;
        pty::unlockpt(&fd)?;
        let flags = fs::fcntl_getfl(&fd)?;
        fs::fcntl_setfl(&fd, flags | OFlags::NONBLOCK)?;
        let mut modes = modes_of_follower(&fd)?;
        modes.input_modes |= InputModes::IUTF8;
        let leader = PtyLeader { fd, modes };
        let follower = leader.follower()?;
        leader.resize(size)?;
        Ok((leader, follower))
    }

    /// Opens the other end anew for another program, which finds it as the first
    /// did: the same modes, and output that isn't held up (Ctrl-S). The kernel leaves
    /// that as the last program did, and where the terminal was hung up (`vhangup`)
    /// an earlier descriptor is dead. What was typed and not read is still there.
    pub fn follower(&self) -> io::Result<PtyFollower> {
        let path = pty::ptsname(&self.fd, Vec::new())?;
        let path = PathBuf::from(OsString::from_vec(path.into_bytes()));
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let fd = match pty::ioctl_tiocgptpeer(&self.fd, flags) {
            Ok(fd) => fd,
            // A kernel without that call has only the path.
            Err(Errno::NOTTY | Errno::INVAL | Errno::NOSYS) => {
                let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
                retry_on_intr(|| fs::open(&path, flags, Mode::empty()))?
            }
            Err(error) => return Err(error.into()),
        };
        // What a program held up, and what Ctrl-S did: that ends where the key means
        // nothing.
        termios::tcflow(&fd, Action::OOn)?;
        let mut modes = self.modes.clone();
        modes.input_modes -= InputModes::IXON;
        termios::tcsetattr(&fd, OptionalActions::Now, &modes)?;
        termios::tcsetattr(&fd, OptionalActions::Now, &self.modes)?;
        let id = TtyId::of(&fd)?;
        Ok(PtyFollower { fd, path, id })
    }

    /// Sets the size; the foreground program gets `SIGWINCH` if it differs.
    pub fn resize(&self, size: WindowSize) -> io::Result<()> {
        let size = Winsize {
            ws_col: size.cols,
            ws_row: size.rows,
            ws_xpixel: size.xpixel,
            ws_ypixel: size.ypixel,
        };
        Ok(retry_on_intr(|| termios::tcsetwinsize(&self.fd, size))?)
    }

    /// The present size.
    pub fn size(&self) -> io::Result<WindowSize> {
        WindowSize::of(&self.fd)
    }

    /// Reads what the program wrote. `EIO` (no follower open) is passed on, as
    /// is [`io::ErrorKind::WouldBlock`].
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(retry_on_intr(|| rustix::io::read(&self.fd, &mut *buffer))?)
    }

    /// Types `bytes`, as many as fit.
    pub fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        Ok(retry_on_intr(|| rustix::io::write(&self.fd, bytes))?)
    }

    /// The process group that reads from the terminal.
    pub fn foreground_group(&self) -> io::Result<Pid> {
        let group = termios::tcgetpgrp(&self.fd)?;
        Ok(Pid(group.as_raw_nonzero().get()))
    }

    /// Whether the program has switched echo off, as for a password.
    pub fn echo_off(&self) -> io::Result<bool> {
        Ok(!self.local_modes()?.contains(LocalModes::ECHO))
    }

    /// Whether input is handed to the program line by line (canonical mode).
    pub fn canonical(&self) -> io::Result<bool> {
        Ok(self.local_modes()?.contains(LocalModes::ICANON))
    }

    fn local_modes(&self) -> io::Result<LocalModes> {
        Ok(modes_of_follower(&self.fd)?.local_modes)
    }
}

impl PtyFollower {
    /// Its path, such as `/dev/pts/7`.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its identity.
    pub fn id(&self) -> TtyId {
        self.id
    }

    /// Forgets what was typed and that no program has read.
    pub fn discard_input(&self) -> io::Result<()> {
        Ok(termios::tcflush(&self.fd, termios::QueueSelector::IFlush)?)
    }
}

impl AsFd for PtyLeader {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsFd for PtyFollower {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn modes_of_follower(leader: &OwnedFd) -> io::Result<Termios> {
    // Asked on this end, the answer is about the other.
    Ok(retry_on_intr(|| termios::tcgetattr(leader))?)
}

/// "No space left on device" would send people looking at their disks.
fn explain_exhaustion(error: Errno) -> io::Error {
    const LIMIT: &str = "/proc/sys/kernel/pty/max";
    if !matches!(error, Errno::NOSPC | Errno::IO) {
        return error.into();
    }
    let limit = std::fs::read_to_string(LIMIT).unwrap_or_default();
    let limit = match limit.trim() {
        "" => String::new(),
        number => format!(" of {number}"),
    };
    let text = format!("the system has no pseudoterminals left (limit{limit} in {LIMIT})");
    io::Error::new(io::Error::from(error).kind(), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_names_the_limit_on_terminals() {
        let text = explain_exhaustion(Errno::NOSPC).to_string();
        assert!(text.contains("/proc/sys/kernel/pty/max"), "{text}");
        let other = explain_exhaustion(Errno::MFILE);
        assert_eq!(other.raw_os_error(), Some(Errno::MFILE.raw_os_error()));
    }
}

//! Open-file-description locks: held as long as a descriptor of the same opening
//! lives, whatever process it is in, and asked about without being touched. It
//! doesn't know what is being protected.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use rustix::fs::{self, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

use crate::dir::{Dir, Meta, metadata_of_open};

/// How often a lock file that was replaced while it was being locked is tried
/// again. Each round means that somebody else has made progress.
const ROUNDS: usize = 100;

/// A write lock on a file; dropping it, or the end of the last process that
/// inherited it, frees the file.
#[derive(Debug)]
pub struct Lock(OwnedFd);

/// The answer to "is this file locked?".
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Held {
    /// There is no such file.
    Absent,
    /// The file is there and nobody holds it.
    Free,
    /// Somebody holds it.
    Held,
}

impl Lock {
    /// Locks `name` in `dir`, making it (mode 0600, whatever the umask) if it is
    /// missing. `None`: another opening holds it.
    ///
    /// After success the name leads to the locked file; one that was removed or
    /// replaced between opening and locking is let go and the new one tried.
    pub fn try_take(dir: &Dir, name: &OsStr) -> io::Result<Option<Lock>> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o600);
        for _ in 0..ROUNDS {
            let fd = retry_on_intr(|| fs::openat(dir, name, flags, mode))?;
            if metadata_of_open(&fd)?.mode != 0o600 {
                fs::fchmod(&fd, mode)?;
            }
            match fcntl(&fd, FcntlArg::F_OFD_SETLK(&write_lock())) {
                Ok(_) => {}
                Err(nix::Error::EAGAIN | nix::Error::EACCES) => return Ok(None),
                Err(nix::Error::EINTR) => continue,
                Err(error) => return Err(error.into()),
            }
            let lock = Lock(fd);
            if lock.is_at(dir, name)? {
                return Ok(Some(lock));
            }
        }
        Err(io::Error::other("the lock file keeps being replaced"))
    }

    /// Whether `name` in `dir` still leads to the locked file.
    pub fn is_at(&self, dir: &Dir, name: &OsStr) -> io::Result<bool> {
        let here = self.metadata()?;
        match dir.metadata_of(name) {
            Ok(there) => Ok((here.dev, here.ino) == (there.dev, there.ino)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What the file system says about the locked file.
    pub fn metadata(&self) -> io::Result<Meta> {
        metadata_of_open(&self.0)
    }
}

impl AsFd for Lock {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Whether somebody holds the write lock on `name` in `dir`. Takes nothing,
/// changes nothing and makes no file.
pub fn is_held(dir: &Dir, name: &OsStr) -> io::Result<Held> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = match retry_on_intr(|| fs::openat(dir, name, flags, Mode::empty())) {
        Ok(fd) => fd,
        Err(Errno::NOENT) => return Ok(Held::Absent),
        Err(error) => return Err(error.into()),
    };
    // Asking for a write lock needs no write access, unlike taking one.
    let mut lock = write_lock();
    fcntl(&fd, FcntlArg::F_OFD_GETLK(&mut lock))?;
    if lock.l_type == unlocked() { Ok(Held::Free) } else { Ok(Held::Held) }
}

/// A write lock on the whole file.
fn write_lock() -> libc::flock {
    libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    }
}

fn unlocked() -> libc::c_short {
    libc::F_UNLCK as libc::c_short
}

//! A process whose end is waited for, whosever child it is.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{PidfdFlags, pidfd_open};

use super::Pid;
use crate::poll::{Entry, poll};

/// A process that is watched until it ends; never another that gets its number.
#[derive(Debug)]
pub struct Watched(OwnedFd);

impl Watched {
    /// Watches the process of this number; `None` if there is none. A zombie has
    /// ended, but is there.
    pub fn open(pid: Pid) -> io::Result<Option<Watched>> {
        // No process has such a number, which rustix takes for granted.
        let Some(pid) = rustix::process::Pid::from_raw(pid.0.max(0)) else {
            return Ok(None);
        };
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(fd) => Ok(Some(Watched(fd))),
            Err(Errno::SRCH) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether it has ended, waited for by its parent or not.
    pub fn has_ended(&self) -> io::Result<bool> {
        let mut entries = [Entry::new(self.as_fd(), true, false)];
        poll(&mut entries, Some(Duration::ZERO))?;
        Ok(entries[0].ready.read)
    }
}

impl AsFd for Watched {
    /// Readable when the process has ended.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

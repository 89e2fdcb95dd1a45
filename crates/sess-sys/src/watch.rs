//! Hearing of changes in a directory through a signal (dnotify): unlike inotify
//! it has no limit per user. Which change it was is not said.

#![expect(unsafe_code, reason = "neither nix nor rustix knows dnotify")]

use std::ffi::{OsStr, c_int};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::libc;

use crate::dir::Dir;
use crate::process::Signal;

/// A watch on one directory; dropping it ends it.
#[derive(Debug)]
pub struct FolderWatch(#[expect(dead_code, reason = "open as long as the watch lasts")] OwnedFd);

impl FolderWatch {
    /// Raises `signal` whenever something in `dir` is removed, renamed or changes
    /// its attributes, and when `dir` itself is removed with what is in it.
    ///
    /// `signal` should be a real-time one: those are queued. If too many wait, the
    /// kernel raises [`Signal::IO`] in its place, which ends a process that has
    /// not said otherwise.
    ///
    /// Not noticed are the renaming of `dir` itself or of what is above it, and
    /// the removal of an empty `dir`; a watch on where it stands would tell.
    pub fn new(dir: &Dir, signal: Signal) -> io::Result<FolderWatch> {
        FolderWatch::of(dir, signal, DN_DELETE | DN_RENAME | DN_ATTRIB)
    }

    /// As [`FolderWatch::new`], and whenever something is made in `dir`.
    pub fn with_creation(dir: &Dir, signal: Signal) -> io::Result<FolderWatch> {
        FolderWatch::of(dir, signal, DN_CREATE | DN_DELETE | DN_RENAME | DN_ATTRIB)
    }

    fn of(dir: &Dir, signal: Signal, what: c_int) -> io::Result<FolderWatch> {
        // Opened anew: a watch belongs to an opening, and ends with it.
        let own = OwnedFd::from(dir.open_in(OsStr::new("."))?);
        control(&own, F_SETSIG, signal.number())?;
        control(&own, libc::F_NOTIFY, what | DN_MULTISHOT)?;
        Ok(FolderWatch(own))
    }
}

/// From the kernel's `asm-generic/fcntl.h` and `linux/fcntl.h`.
const F_SETSIG: c_int = 10;
const DN_CREATE: c_int = 0x0000_0004;
const DN_DELETE: c_int = 0x0000_0008;
const DN_RENAME: c_int = 0x0000_0010;
const DN_ATTRIB: c_int = 0x0000_0020;
const DN_MULTISHOT: c_int = c_int::MIN;

fn control(fd: impl AsFd, command: c_int, argument: c_int) -> io::Result<()> {
    // SAFETY: both commands take a number and touch no memory of ours.
    let result = unsafe { libc::fcntl(fd.as_fd().as_raw_fd(), command, argument) };
    Errno::result(result)?;
    Ok(())
}

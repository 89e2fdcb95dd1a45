//! Waiting for descriptors. It keeps nothing: what is waited for is said anew
//! each time.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::event::{self, PollFd, PollFlags, Timespec};
use rustix::io::Errno;

/// A descriptor, what to wait for on it, and after [`poll`] what has come.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'fd> {
    /// The descriptor.
    pub fd: BorrowedFd<'fd>,
    /// Wait until it can be read.
    pub read: bool,
    /// Wait until it can be written to.
    pub write: bool,
    /// What has come.
    pub ready: Ready,
}

/// What a descriptor is ready for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Ready {
    /// Reading won't block; also set with `closed`, so that the reader sees the
    /// end.
    pub read: bool,
    /// Writing won't block.
    pub write: bool,
    /// The other side has gone, or an error waits. Noticed even if nothing was
    /// asked for.
    pub closed: bool,
}

impl<'fd> Entry<'fd> {
    /// An entry with nothing ready.
    pub fn new(fd: BorrowedFd<'fd>, read: bool, write: bool) -> Entry<'fd> {
        Entry { fd, read, write, ready: Ready::default() }
    }
}

/// Waits until a descriptor is ready or `timeout` has passed (`None`: without
/// end). A signal ends the wait with nothing ready.
pub fn poll(entries: &mut [Entry<'_>], timeout: Option<Duration>) -> io::Result<()> {
    let mut fds: Vec<PollFd<'_>> = entries
        .iter()
        .map(|entry| {
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::IN, entry.read);
            flags.set(PollFlags::OUT, entry.write);
            PollFd::from_borrowed_fd(entry.fd, flags)
        })
        .collect();
    // One that is too long to express is as good as none.
    let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
    match event::poll(&mut fds, timeout.as_ref()) {
        Ok(_) => {}
        Err(Errno::INTR) => fds.iter_mut().for_each(PollFd::clear_revents),
        Err(error) => return Err(error.into()),
    }
    for (entry, fd) in entries.iter_mut().zip(&fds) {
        let came = fd.revents();
        let closed = came.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL);
        entry.ready = Ready {
            read: closed || came.contains(PollFlags::IN),
            write: came.contains(PollFlags::OUT),
            closed,
        };
    }
    Ok(())
}

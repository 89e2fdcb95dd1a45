//! Standard output as something to wait for: takes any amount at once and gives
//! it on as fast as it is read. Must not know what it gives on.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;

use sess_sys::{Entry, Ready, poll};

use super::cannot_write;
use crate::error::Failure;

/// What a pipe takes without making anybody wait, once it is ready (`PIPE_BUF`).
const PIECE: usize = 4096;

/// Standard output, and what it has still to take.
#[derive(Debug)]
pub(crate) struct Outlet {
    file: File,
    waiting: Vec<u8>,
    /// Bytes of that which were taken.
    taken: usize,
    closed: bool,
}

impl Outlet {
    /// Standard output.
    pub(crate) fn new() -> Result<Self, Failure> {
        // Unbuffered, unlike std's.
        let fd = io::stdout().as_fd().try_clone_to_owned().map_err(|error| cannot_write(&error))?;
        Ok(Self::over(fd.into()))
    }

    /// One that nobody empties.
    #[cfg(test)]
    pub(crate) fn to_nowhere() -> Self {
        Self::over(File::create("/dev/null").unwrap())
    }

    /// What is still to be taken, as text.
    #[cfg(test)]
    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.waiting[self.taken..]).unwrap()
    }

    fn over(file: File) -> Self {
        Self { file, waiting: Vec::new(), taken: 0, closed: false }
    }

    /// Takes something to be written.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if !self.closed {
            self.waiting.extend_from_slice(bytes);
        }
    }

    /// How many bytes are still to be taken.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len() - self.taken
    }

    /// Whether nobody reads any more: then all that is pushed is lost.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// What to wait for; that nobody reads any more is noticed in any case.
    pub(crate) fn entry(&self) -> Entry<'_> {
        Entry::new(self.file.as_fd(), false, self.waiting() > 0)
    }

    /// Writes what can be written, as its entry says.
    pub(crate) fn proceed(&mut self, ready: Ready) -> Result<(), Failure> {
        if ready.closed {
            self.close();
        }
        if !ready.write || self.waiting() == 0 {
            return Ok(());
        }
        let end = self.waiting.len().min(self.taken + PIECE);
        match self.file.write(&self.waiting[self.taken..end]) {
            Ok(count) => {
                self.taken += count;
                if self.taken == self.waiting.len() {
                    self.waiting.clear();
                    self.taken = 0;
                } else if self.taken > self.waiting.len() / 2 {
                    self.waiting.drain(..std::mem::take(&mut self.taken));
                }
                Ok(())
            }
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(()),
                io::ErrorKind::BrokenPipe => {
                    self.close();
                    Ok(())
                }
                _ => Err(cannot_write(&error)),
            },
        }
    }

    /// Writes all, however long that takes.
    pub(crate) fn drain(&mut self) -> Result<(), Failure> {
        while self.waiting() > 0 {
            let mut entry = [self.entry()];
            poll::poll(&mut entry, None).map_err(|error| cannot_write(&error))?;
            let ready = entry[0].ready;
            self.proceed(ready)?;
        }
        Ok(())
    }

    fn close(&mut self) {
        self.closed = true;
        self.waiting = Vec::new();
        self.taken = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::fd::OwnedFd;
    use std::time::Duration;

    fn turn(outlet: &mut Outlet) {
        let mut entry = [outlet.entry()];
        poll::poll(&mut entry, Some(Duration::ZERO)).unwrap();
        let ready = entry[0].ready;
        outlet.proceed(ready).unwrap();
    }

    #[test]
    fn a_slow_reader_makes_nobody_wait_and_gets_everything() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut outlet = Outlet::over(OwnedFd::from(writer).into());
        let all: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
        outlet.push(&all);
        let mut before = usize::MAX;
        while outlet.waiting() < before {
            before = outlet.waiting();
            turn(&mut outlet);
        }
        assert!(before > 0 && before < all.len(), "the pipe is full");
        let read = std::thread::spawn(move || {
            let mut read = Vec::new();
            reader.read_to_end(&mut read).unwrap();
            read
        });
        outlet.push(b"end");
        outlet.drain().unwrap();
        drop(outlet);
        assert!(read.join().unwrap() == [&all[..], b"end"].concat());
    }

    #[test]
    fn it_is_noticed_that_nobody_reads() {
        let (reader, writer) = io::pipe().unwrap();
        let mut outlet = Outlet::over(OwnedFd::from(writer).into());
        turn(&mut outlet);
        assert!(!outlet.is_closed());
        drop(reader);
        turn(&mut outlet);
        assert!(outlet.is_closed());
        outlet.push(b"lost");
        assert_eq!(outlet.waiting(), 0);
        outlet.drain().unwrap();
    }
}

//! Signals as something to poll: what catches them only notes them and makes a
//! descriptor readable. What they mean is for others to say.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::SigId;
use signal_hook::consts::FORBIDDEN;
use signal_hook::{flag, low_level};

use crate::process::Signal;

/// Whether signals have ever been noted in this process: what catches them stays
/// installed for good, which whoever resets them must know.
static EVER_NOTED: AtomicBool = AtomicBool::new(false);

/// A set of signals that are noted instead of doing what they do by default.
///
/// Dropped, it notes no more; the signals then do nothing, since what they did
/// before is not brought back.
#[derive(Debug)]
pub struct Signals {
    pipe: UnixStream,
    noted: Vec<Noted>,
}

#[derive(Debug)]
struct Noted {
    signal: Signal,
    raised: Arc<AtomicBool>,
    registered: [SigId; 2],
}

impl Signals {
    /// Starts noting `signals`. Those that can't be caught are
    /// [`io::ErrorKind::InvalidInput`].
    pub fn new(signals: &[Signal]) -> io::Result<Signals> {
        if signals.iter().any(|signal| FORBIDDEN.contains(&signal.number())) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "a signal that can't be caught",
            ));
        }
        EVER_NOTED.store(true, Ordering::Relaxed);
        let (pipe, wake) = UnixStream::pair()?;
        pipe.set_nonblocking(true)?;
        let mut made = Signals { pipe, noted: Vec::with_capacity(signals.len()) };
        for &signal in signals {
            let raised = Arc::new(AtomicBool::new(false));
            // The flag first: what makes the pipe readable must be there to be
            // found.
            let first = flag::register(signal.number(), Arc::clone(&raised))?;
            let second = match low_level::pipe::register(signal.number(), wake.try_clone()?) {
                Ok(second) => second,
                Err(error) => {
                    low_level::unregister(first);
                    return Err(error);
                }
            };
            made.noted.push(Noted { signal, raised, registered: [first, second] });
        }
        Ok(made)
    }

    /// Which were raised since the last call, each once, in the order given to
    /// [`Signals::new`].
    pub fn take(&mut self) -> Vec<Signal> {
        // Emptied before the flags are read: a signal in between is found now, and
        // its wake-up later is an empty one; the other order would lose it.
        let mut emptied = [0; 256];
        loop {
            match (&self.pipe).read(&mut emptied) {
                Ok(count) if count == emptied.len() => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                _ => break,
            }
        }
        self.noted
            .iter()
            .filter(|noted| noted.raised.swap(false, Ordering::SeqCst))
            .map(|noted| noted.signal)
            .collect()
    }
}

impl AsFd for Signals {
    /// Readable when there is something to [`take`](Signals::take).
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        for id in self.noted.iter().flat_map(|noted| noted.registered) {
            low_level::unregister(id);
        }
    }
}

/// Whether this process has ever made [`Signals`].
pub(crate) fn ever_noted() -> bool {
    EVER_NOTED.load(Ordering::Relaxed)
}

/// Stops this process, as `SIGSTOP` does; returns when it has been continued.
pub fn raise_stop() -> io::Result<()> {
    nix::sys::signal::kill(nix::unistd::getpid(), nix::sys::signal::Signal::SIGSTOP)?;
    Ok(())
}

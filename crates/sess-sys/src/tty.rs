//! The user's own terminal: reading and writing without disturbing those who
//! share it, its size, and raw mode that is always given back. It interprets no
//! byte.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{self, Mode, OFlags};
use rustix::io::retry_on_intr;
use rustix::termios::{self, OptionalActions, SpecialCodeIndex, Termios};

use crate::pty::{TtyId, WindowSize};

/// The terminal on standard input.
#[derive(Debug)]
pub struct Terminal(OwnedFd);

/// Raw mode; dropping it brings back what was.
#[derive(Debug)]
pub struct RawMode(SavedMode);

/// The modes that a terminal had, for whoever must bring them back, a panic hook
/// say.
#[derive(Clone, Debug)]
pub struct SavedMode(Arc<Saved>);

#[derive(Debug)]
struct Saved {
    terminal: OwnedFd,
    modes: Termios,
    /// Once is enough: whoever restored may have set something else since, and a
    /// guard that is dropped late must not undo it.
    restored: AtomicBool,
}

impl Terminal {
    /// The terminal on standard input; `None` if that is none. It is opened
    /// anew, so that being nonblocking isn't shared with the shell that started
    /// us; where it can't be, reading and writing may block unless polled for.
    pub fn from_stdin() -> io::Result<Option<Terminal>> {
        let stdin = io::stdin();
        if !is_terminal(&stdin) {
            return Ok(None);
        }
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let anew = retry_on_intr(|| fs::open("/proc/self/fd/0", flags, Mode::empty()));
        let fd = match anew {
            Ok(fd) => fd,
            // Somebody else's terminal, as after `su`, or a place without /proc.
            Err(_) => rustix::io::fcntl_dupfd_cloexec(&stdin, 3)?,
        };
        Ok(Some(Terminal(fd)))
    }

    /// Reads what was typed.
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(retry_on_intr(|| rustix::io::read(&self.0, &mut *buffer))?)
    }

    /// Forgets what was typed and not read.
    pub fn discard_input(&self) {
        // On a terminal that hung up nothing is left to forget.
        let _ = rustix::termios::tcflush(&self.0, rustix::termios::QueueSelector::IFlush);
    }

    /// Shows `bytes`, as many as fit.
    pub fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        Ok(retry_on_intr(|| rustix::io::write(&self.0, bytes))?)
    }

    /// Its size.
    pub fn size(&self) -> io::Result<WindowSize> {
        WindowSize::of(&self.0)
    }

    /// Its path, if one leads to it from here.
    pub fn path(&self) -> Option<PathBuf> {
        let path = termios::ttyname(&self.0, Vec::new()).ok()?;
        Some(PathBuf::from(OsString::from_vec(path.into_bytes())))
    }

    /// Its identity.
    pub fn id(&self) -> io::Result<TtyId> {
        TtyId::of(&self.0)
    }

    /// Has every byte passed on as it is, both ways, until the guard is dropped.
    pub fn raw(&self) -> io::Result<RawMode> {
        let modes = retry_on_intr(|| termios::tcgetattr(&self.0))?;
        let mut raw = modes.clone();
        raw.make_raw();
        // What a read waits for: one byte, however long it takes.
        raw.special_codes[SpecialCodeIndex::VMIN] = 1;
        raw.special_codes[SpecialCodeIndex::VTIME] = 0;
        let terminal = self.0.try_clone()?;
        let restored = AtomicBool::new(false);
        let guard = RawMode(SavedMode(Arc::new(Saved { terminal, modes, restored })));
        set_modes(&self.0, &raw)?;
        Ok(guard)
    }
}

impl RawMode {
    /// Brings back what was, as dropping does. More than once is no harm.
    pub fn restore(&self) -> io::Result<()> {
        self.0.restore()
    }

    /// What will be brought back.
    pub fn saved(&self) -> SavedMode {
        self.0.clone()
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        // A terminal that has gone has no modes to bring back.
        let _ = self.restore();
    }
}

impl SavedMode {
    /// Brings these modes back, without waiting for output to be shown; once,
    /// whichever clone or guard comes first.
    pub fn restore(&self) -> io::Result<()> {
        let saved = &self.0;
        if saved.restored.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        set_modes(&saved.terminal, &saved.modes).inspect_err(|_| {
            saved.restored.store(false, Ordering::SeqCst);
        })
    }
}

impl AsFd for Terminal {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// At once, so that a terminal that is stopped (Ctrl-S) can't hold us up.
fn set_modes(terminal: &OwnedFd, modes: &Termios) -> io::Result<()> {
    Ok(retry_on_intr(|| termios::tcsetattr(terminal, OptionalActions::Now, modes))?)
}

/// Whether `fd` is a terminal.
pub fn is_terminal(fd: impl AsFd) -> bool {
    rustix::termios::isatty(fd)
}

/// Whether standard output is a terminal.
pub fn stdout_is_terminal() -> bool {
    is_terminal(io::stdout())
}

//! The user's terminal while a session is shown on it, and how it is given back
//! in order on every way out. Knows nothing of holders or keys.

use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use sess_proto::message::Size;
use sess_screen::{INTERRUPT, NEUTRALISE};
use sess_sys::{Entry, RawMode, Terminal, poll};

use crate::detach_key::DetachKey;
use crate::input::{InputSplitter, Token};

/// How long answers of the terminal that are under way are swallowed, and a
/// terminal that takes nothing is waited for.
const SWALLOW: Duration = Duration::from_millis(200);

/// The user's terminal while a session is shown on it. However that ends, it is
/// brought back in order.
pub(crate) struct BorrowedTerminal<'a> {
    /// Itself.
    pub(crate) terminal: &'a Terminal,
    raw: Option<RawMode>,
    /// The session's last words have undone what its program switched on.
    pub(crate) in_order: bool,
}

impl<'a> BorrowedTerminal<'a> {
    /// Takes the terminal: every byte passes, both ways, until this is dropped.
    pub(crate) fn new(terminal: &'a Terminal) -> io::Result<Self> {
        let raw = terminal.raw()?;
        // A panic's message should be readable.
        let saved = raw.saved();
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let _ = saved.restore();
            hook(info);
        }));
        Ok(Self { terminal, raw: Some(raw), in_order: false })
    }

    /// Undoes what any program may have switched on, and goes to a fresh line.
    pub(crate) fn put_in_order(&self) {
        let rows = size(self.terminal).rows.max(1);
        let bottom = format!("\x1b[{rows};1H\r\n");
        let bytes = [INTERRUPT, NEUTRALISE, bottom.as_bytes()].concat();
        // A terminal that takes nothing isn't waited for.
        let deadline = Instant::now() + SWALLOW;
        let mut bytes = &bytes[..];
        while !bytes.is_empty() {
            match self.terminal.write(bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    let mut entry = [Entry::new(self.terminal.as_fd(), false, true)];
                    if left.is_zero() || poll::poll(&mut entry, Some(left)).is_err() {
                        return;
                    }
                }
                Err(_) => return,
            }
        }
    }

    /// Shows `bytes`, unless others are `waiting` before them; returns how many
    /// were taken.
    pub(crate) fn show(&self, waiting: &[u8], bytes: &[u8]) -> usize {
        let mut shown = 0;
        while waiting.is_empty() && shown < bytes.len() {
            match self.terminal.write(&bytes[shown..]) {
                Ok(count) => shown += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // The terminal is gone: nobody will miss the rest.
                Err(_) => return bytes.len(),
            }
        }
        shown
    }

    /// Gives the terminal back for as long as we are stopped.
    pub(crate) fn give_back(&mut self) {
        self.put_in_order();
        drop(self.raw.take());
    }

    /// Takes the terminal again: somebody else has had it.
    pub(crate) fn take_again(&mut self) -> io::Result<()> {
        drop(self.raw.take());
        self.raw = Some(self.terminal.raw()?);
        Ok(())
    }
}

impl Drop for BorrowedTerminal<'_> {
    fn drop(&mut self) {
        if !self.in_order {
            self.put_in_order();
        }
        drop(self.raw.take());
    }
}

/// The terminal's size, 0×0 if it has none.
pub(crate) fn size(terminal: &Terminal) -> Size {
    let size = terminal.size().unwrap_or_default();
    Size { cols: size.cols, rows: size.rows, xpixel: size.xpixel, ypixel: size.ypixel }
}

/// Swallows answers that are under way: the shell that reads next didn't ask.
pub(crate) fn swallow(terminal: &Terminal, replies: u32) {
    let deadline = Instant::now() + SWALLOW;
    let mut splitter = InputSplitter::new(DetachKey::default());
    let mut left = replies;
    let mut buffer = [0; 4096];
    while left > 0 {
        let wait = deadline.saturating_duration_since(Instant::now());
        let mut entry = [Entry::new(terminal.as_fd(), true, false)];
        if wait.is_zero() || poll::poll(&mut entry, Some(wait)).is_err() {
            return;
        }
        match terminal.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => splitter.feed(&buffer[..count], &mut |token| {
                if matches!(token, Token::Report(_)) {
                    left = left.saturating_sub(1);
                }
            }),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

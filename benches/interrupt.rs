//! Ctrl-C: every wait asks whether it came, so that whatever was started is ended
//! by its guard.

use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use sess_sys::process::Signal;
use sess_sys::{Entry, Signals, poll};

static CAME: AtomicBool = AtomicBool::new(false);

/// Begins to note it.
pub(crate) fn watch() -> Result<(), String> {
    let signals = Signals::new(&[Signal::INT, Signal::TERM, Signal::HUP])
        .map_err(|error| format!("signals: {error}"))?;
    thread::spawn(move || {
        let mut signals = signals;
        loop {
            let mut entry = [Entry::new(signals.as_fd(), true, false)];
            if poll::poll(&mut entry, None).is_err() {
                return;
            }
            if !signals.take().is_empty() {
                CAME.store(true, Ordering::SeqCst);
            }
        }
    });
    Ok(())
}

/// Whether it came.
pub(crate) fn came() -> bool {
    CAME.load(Ordering::SeqCst)
}

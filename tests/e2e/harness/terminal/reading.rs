//! What a terminal shows, read by a thread of its own: as fast as it may, and not
//! at all while it is paused.

use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use sess_sys::{Entry, PtyLeader, poll};

use crate::harness::emulator::Emulator;

/// What a terminal and its reader share.
pub(super) struct Shared {
    pub(super) state: Mutex<State>,
    pub(super) changed: Condvar,
    pub(super) wake: UnixStream,
}

/// The terminal as it is now.
pub(super) struct State {
    pub(super) emulator: Emulator,
    /// As whom it answers questions, if it does.
    pub(super) name: Option<u16>,
    /// Answers wait here until they are let go.
    pub(super) held_replies: Option<Vec<u8>>,
    /// It reads nothing.
    pub(super) paused: bool,
    /// Bytes that it reads in a second.
    pub(super) rate: Option<u32>,
    /// No program has it open any more, and everything is read.
    pub(super) drained: bool,
    pub(super) closing: bool,
}

impl Shared {
    /// Also after a failed look: the terminal goes on.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Reads what the terminal is to show, as fast as it may.
pub(super) fn read(leader: &PtyLeader, shared: &Shared, woken: &UnixStream) {
    let mut buffer = vec![0; 64 * 1024];
    let mut next = Instant::now();
    loop {
        let (wanted, limit, rate) = {
            let state = shared.lock();
            if state.closing {
                return;
            }
            let limit = state.rate.map_or(buffer.len(), |rate| (rate as usize / 50).max(1));
            (!state.paused && !state.drained, limit, state.rate)
        };
        let pause = next.saturating_duration_since(Instant::now());
        let reads = wanted && (rate.is_none() || pause.is_zero());
        let timeout = (wanted && !reads).then_some(pause);
        let mut entries = vec![Entry::new(woken.as_fd(), true, false)];
        if reads {
            entries.push(Entry::new(leader.as_fd(), true, false));
        }
        poll::poll(&mut entries, timeout).unwrap();
        if entries[0].ready.read {
            let _ = (&*woken).read(&mut [0; 64]);
        }
        if !entries.get(1).is_some_and(|entry| entry.ready.read) {
            continue;
        }
        match leader.read(&mut buffer[..limit]) {
            Ok(count) => {
                if let Some(rate) = rate {
                    let time = Duration::from_secs(1) * count as u32 / rate;
                    next = next.max(Instant::now()) + time;
                }
                let mut state = shared.lock();
                let name = state.name;
                let replies = state.emulator.show(&buffer[..count], name);
                match &mut state.held_replies {
                    Some(held) => held.extend_from_slice(&replies),
                    None => drop(leader.write(&replies)),
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => shared.lock().drained = true,
        }
        shared.changed.notify_all();
    }
}

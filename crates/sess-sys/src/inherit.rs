//! What a process inherits, and how it gets rid of it: descriptors and signals.
//! All of it may run between fork and exec: nothing here takes memory or a lock.

#![expect(unsafe_code, reason = "nix knows no real-time signals and no close_range")]

use std::io;
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::ptr;

use nix::libc;
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::signal::{SigSet, SigmaskHow};

/// The first descriptor that isn't for input, output or errors.
const AFTER_STDIO: RawFd = 3;

/// Holds back every signal until dropped, so that a new process gets none before
/// it has put its own dispositions in place of ours.
pub(crate) struct SignalsHeldBack {
    before: SigSet,
}

impl SignalsHeldBack {
    pub(crate) fn new() -> io::Result<SignalsHeldBack> {
        let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK)?;
        Ok(SignalsHeldBack { before })
    }
}

impl Drop for SignalsHeldBack {
    fn drop(&mut self) {
        // A mask that was there before can't be refused.
        let _ = self.before.thread_set_mask();
    }
}

/// Gives every signal its default meaning, but those in `ignored` none, and lets
/// all of them through.
pub(crate) fn reset_signals(ignored: &[libc::c_int]) -> io::Result<()> {
    for number in 1..=libc::SIGRTMAX() {
        let meaning = if ignored.contains(&number) { libc::SIG_IGN } else { libc::SIG_DFL };
        // SAFETY: neither meaning is code of ours that would have to be fit for
        // running at any moment. SIGKILL and SIGSTOP are refused, which is as well.
        let before = unsafe { libc::signal(number, meaning) };
        if before == libc::SIG_ERR {
            stop_ignoring(number);
        }
    }
    SigSet::empty().thread_set_mask()?;
    Ok(())
}

/// For the signals that the C library keeps for itself and won't hear of. Some
/// supervisor above us may ignore them all the same; what the library itself
/// catches, it goes on catching.
fn stop_ignoring(number: libc::c_int) {
    // As the kernel has it: the meaning first, in a machine word; with all else
    // zero no field's place matters. Twice as long as it is anywhere.
    let mut action = [0_usize; 16];
    let nowhere = ptr::null_mut::<usize>();
    let mask_size = size_of::<u64>();
    // SAFETY: the first call only fills in `action`, the second only reads it, and
    // installs no code.
    unsafe {
        let place = action.as_mut_ptr();
        libc::syscall(libc::SYS_rt_sigaction, number, nowhere, place, mask_size);
        if action[0] == libc::SIG_IGN {
            action = [0; 16];
            libc::syscall(libc::SYS_rt_sigaction, number, action.as_ptr(), nowhere, mask_size);
        }
    }
}

/// A descriptor of the same open file that is out of the way of 0, 1 and 2.
pub(crate) fn above_stdio(fd: impl AsFd) -> io::Result<OwnedFd> {
    Ok(rustix::io::fcntl_dupfd_cloexec(fd, AFTER_STDIO)?)
}

/// Closes every descriptor from 3 on but those in `spared`, which must be in
/// order.
///
/// # Safety
///
/// Nothing may use any other descriptor afterwards, nor close it by dropping
/// whoever owned it. That is so in a process that is about to exec or `_exit`.
pub(crate) unsafe fn close_all_but(spared: &[RawFd]) {
    let mut next = AFTER_STDIO;
    for &fd in spared {
        // SAFETY: as this function's caller promised.
        unsafe { close_from_to(next, fd - 1) };
        next = next.max(fd + 1);
    }
    // SAFETY: as this function's caller promised.
    unsafe { close_from_to(next, RawFd::MAX) };
}

/// # Safety
///
/// As for [`close_all_but`].
unsafe fn close_from_to(first: RawFd, last: RawFd) {
    if first > last {
        return;
    }
    // SAFETY: the call touches no memory; that nobody misses the descriptors is
    // the caller's promise. Called by number, since older C libraries lack it.
    if unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } == 0 {
        return;
    }
    // Linux before 5.9. No descriptor is above the limit, unless that was lowered
    // after it was opened.
    let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(1024, |(soft, _)| soft);
    let limit = RawFd::try_from(limit).unwrap_or(1 << 20);
    for fd in first..=last.min(limit - 1) {
        // SAFETY: as above.
        unsafe { libc::close(fd) };
    }
}

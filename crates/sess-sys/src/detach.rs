//! Leaving the terminal and the process that started us: the double fork, the
//! outcome that comes back, what is inherited. It does not know what the process
//! goes on to do.

#![expect(unsafe_code, reason = "fork")]

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::fs::MetadataExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use nix::errno::Errno;
use nix::libc;
use nix::sched::{CloneFlags, clone};
use nix::sys::prctl::set_child_subreaper;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::stat::{Mode, umask};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, chdir, dup2_stderr, dup2_stdin, dup2_stdout, fork, setsid};
use rustix::fs::{Mode as FileMode, OFlags};
use rustix::pipe::{PipeFlags, pipe_with};

use crate::entry::PANICKED;
use crate::inherit::{SignalsHeldBack, above_stdio, close_all_but, reset_signals};
use crate::processor::Pinned;
use crate::signals;
use crate::stack::Stack;

pub use crate::title::{forget_environment, set_command_line};

/// What a process without a terminal has no use for: the terminal's signals, those
/// of failed writes, which say so themselves (`SIGPIPE`, `SIGXFSZ`), and what comes
/// when too many real-time signals wait.
const IGNORED: [libc::c_int; 9] = [
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGPIPE,
    libc::SIGXFSZ,
    libc::SIGTSTP,
    libc::SIGTTIN,
    libc::SIGTTOU,
    libc::SIGIO,
];

/// The detached process's one chance to tell its starter something.
#[derive(Debug)]
pub struct Outcome(OwnedFd);

/// The starter's end: what the detached process will say.
#[derive(Debug)]
pub struct Pending(OwnedFd);

/// A resource limit; `u64::MAX` is none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rlimit {
    /// The one that holds.
    pub soft: u64,
    /// What the soft one may be raised to.
    pub hard: u64,
}

impl Outcome {
    /// Says `bytes` and closes.
    pub fn send(self, bytes: &[u8]) -> io::Result<()> {
        File::from(self.0).write_all(bytes)
    }
}

impl Pending {
    /// Waits until the detached process has said all, or has ended; nothing said
    /// is an empty answer.
    pub fn wait(self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::from(self.0).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

impl AsFd for Pending {
    /// Readable when there is something said, or the end.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Runs `body` in a process that belongs to nobody: child of init (or of the
/// nearest subreaper), in a session of its own without being its leader, so that
/// no terminal can become its own; working directory `/`, stdio on `/dev/null`,
/// umask 077, no signal blocked, all at their defaults but those of terminals,
/// `SIGPIPE`, `SIGXFSZ` and `SIGIO`, which are ignored. Of the descriptors only
/// `keep` stay open, at their numbers: whatever else `body` owns must not be used or
/// dropped there. The process ends with the status that `body` returns, without
/// running what is registered for its exit; a panic is status 101.
///
/// This process must have one thread and must not have made
/// [`Signals`](crate::signals::Signals), else [`io::ErrorKind::InvalidInput`].
pub fn detach<T>(
    what: T,
    keep: impl FnOnce(&T) -> Vec<BorrowedFd<'_>>,
    body: impl FnOnce(T, Outcome) -> i32,
) -> io::Result<Pending> {
    if signals::ever_noted() {
        // What catches them would be gone over there, and signal-hook believe it to
        // be in place.
        return Err(misuse("detaching after signals have been noted"));
    }
    if !single_threaded()? {
        return Err(misuse("detaching with more than one thread"));
    }
    let (said, outcome) = pipe_with(PipeFlags::CLOEXEC)?;
    // 0 to 2 will be /dev/null, whatever this process has there.
    let outcome = Outcome(above_stdio(outcome)?);
    let mut stack = Stack::new()?;
    let held_back = SignalsHeldBack::new()?;
    // While the first child has something to do we have not.
    let pinned = Pinned::here();

    let spared = keep(&what).iter().map(AsRawFd::as_raw_fd).collect();
    // What the child takes over is its own, as after any fork; ours goes here.
    let ours = ManuallyDrop::new((what, outcome, body));
    // But these numbers it uses up, in memory that is ours as well.
    let mut spared = Some(spared);
    let child = {
        let run = Box::new(|| {
            let spared = spared.take().unwrap_or_default();
            // SAFETY: read once by whoever gets as far as to use it; the child that
            // shares our memory drops nothing, and ends.
            let (what, outcome, body) = unsafe { ptr::read(&raw const *ours) };
            forsake(spared, pinned.as_ref(), outcome, |outcome| body(what, outcome))
        });
        let alike = CloneFlags::CLONE_VM | CloneFlags::CLONE_VFORK;
        // SAFETY: we stand still until the child has ended, which is while it has our
        // memory; there is no other thread. It has descriptors, signal actions, mask and
        // directory of its own, and what it allocates is consistent for us as well. It
        // never returns from its closure.
        unsafe { clone(run, stack.memory(), alike, Some(libc::SIGCHLD)) }
    };
    drop(ManuallyDrop::into_inner(ours));
    pinned.iter().for_each(Pinned::release);
    let child = child?;
    drop(held_back);
    // Only the first child, which has ended; its status is an error number.
    let status = loop {
        match waitpid(child, None) {
            Err(Errno::EINTR) => {}
            // Whoever started us had SIGCHLD ignored, and nothing is told. A failure
            // then shows as an empty answer.
            Err(Errno::ECHILD) => return Ok(Pending(said)),
            other => break other?,
        }
    };
    match status {
        WaitStatus::Exited(_, 0) => Ok(Pending(said)),
        WaitStatus::Exited(_, errno) => Err(io::Error::from_raw_os_error(errno)),
        _ => Err(io::Error::other("the process died while detaching")),
    }
}

/// The first child: leaves everything behind while somebody still hears of a
/// failure, then has the second one run `body`.
fn forsake(
    keep: Vec<RawFd>,
    pinned: Option<&Pinned>,
    outcome: Outcome,
    body: impl FnOnce(Outcome) -> i32,
) -> ! {
    if let Err(error) = leave(keep, &outcome) {
        exit(error.raw_os_error().unwrap_or(libc::EINVAL));
    }
    pinned.into_iter().for_each(Pinned::release);
    // SAFETY: one thread, so no lock is held by anybody, and neither side returns.
    match unsafe { fork() } {
        Err(error) => exit(error as i32),
        Ok(ForkResult::Parent { .. }) => exit(0),
        Ok(ForkResult::Child) => {}
    }
    // Whatever a panic leaves half done ends with the process.
    exit(catch_unwind(AssertUnwindSafe(|| body(outcome))).unwrap_or(PANICKED));
}

fn leave(mut spared: Vec<RawFd>, outcome: &Outcome) -> io::Result<()> {
    setsid()?;
    chdir("/")?;
    umask(Mode::from_bits_truncate(0o077));
    let null = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, FileMode::empty())?;
    let null = above_stdio(null)?;
    dup2_stdin(&null)?;
    dup2_stdout(&null)?;
    dup2_stderr(&null)?;
    drop(null);
    spared.push(outcome.0.as_raw_fd());
    spared.retain(|&fd| fd > libc::STDERR_FILENO);
    spared.sort_unstable();
    // SAFETY: the owners of all other descriptors are the parent's; this process
    // never returns to where they would be dropped, and `body` was told.
    unsafe { close_all_but(&spared) };
    reset_signals(&IGNORED)
}

fn exit(status: i32) -> ! {
    // SAFETY: ends the process and touches nothing; what is registered to run at
    // exit belongs to the process that we were forked from.
    unsafe { libc::_exit(status) }
}

/// Makes orphans among this process's descendants its own children.
pub fn become_subreaper() -> io::Result<()> {
    Ok(set_child_subreaper(true)?)
}

/// Raises the soft limit of open descriptors to the hard one; returns what it
/// was.
pub fn raise_descriptor_limit() -> io::Result<Rlimit> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft != hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    }
    Ok(Rlimit { soft, hard })
}

fn single_threaded() -> io::Result<bool> {
    // A directory has a link for itself, one from above, and one from each below.
    Ok(fs::metadata("/proc/self/task")?.nlink() == 3)
}

fn misuse(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

//! The way from fork to exec, in the child: no memory is taken and no lock, since
//! another thread of the parent may have held it. What fails is reported through
//! a pipe that the exec closes.

#![expect(unsafe_code, reason = "exec without taking memory")]

use std::ffi::{CStr, CString, c_char, c_int};
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr;

use nix::errno::Errno;
use nix::libc;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{chdir, dup2_stderr, dup2_stdin, dup2_stdout, setsid};
use rustix::process::ioctl_tiocsctty;

use super::Program;
use crate::inherit::{close_all_but, reset_signals};

/// What runs a file that is executable but of no format the kernel knows.
const SHELL: &CStr = c"/bin/sh";

/// How far the child came.
#[derive(Clone, Copy)]
pub(super) enum Stage {
    System,
    WorkingDirectory,
    Exec,
}

/// What the child reports when it can't become the program.
pub(super) struct Failed {
    pub(super) stage: Stage,
    pub(super) errno: c_int,
}

impl Failed {
    fn to_bytes(&self) -> [u8; 5] {
        let [a, b, c, d] = self.errno.to_ne_bytes();
        [self.stage as u8, a, b, c, d]
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Failed> {
        let &[stage, a, b, c, d] = bytes else {
            return None;
        };
        let stage = [Stage::System, Stage::WorkingDirectory, Stage::Exec]
            .into_iter()
            .find(|&it| it as u8 == stage)?;
        Some(Failed { stage, errno: c_int::from_ne_bytes([a, b, c, d]) })
    }
}

/// Everything the child needs, in the form that the kernel takes.
pub(super) struct Prepared<'program> {
    program: &'program Program,
    argv: Vec<*const c_char>,
    /// `/bin/sh CANDIDATE ARGUMENTS`, the candidate to be filled in.
    shell_argv: Vec<*const c_char>,
    env: Vec<*const c_char>,
    stdio: OwnedFd,
    /// Whether that is the program's terminal.
    terminal: bool,
    /// Where the word to go comes from.
    hearer: OwnedFd,
    reporter: OwnedFd,
}

impl Prepared<'_> {
    pub(super) fn new(
        program: &Program,
        stdio: OwnedFd,
        terminal: bool,
        hearer: OwnedFd,
        reporter: OwnedFd,
    ) -> Prepared<'_> {
        let pointers = |strings: &[CString]| -> Vec<*const c_char> {
            strings.iter().map(|it| it.as_ptr()).chain([ptr::null()]).collect()
        };
        let mut shell_argv = vec![SHELL.as_ptr(), ptr::null()];
        shell_argv.extend(pointers(program.argv.get(1..).unwrap_or_default()));
        Prepared {
            program,
            argv: pointers(&program.argv),
            shell_argv,
            env: pointers(&program.env),
            stdio,
            terminal,
            hearer,
            reporter,
        }
    }

    /// What the child does.
    pub(super) fn run(mut self) -> ! {
        let failed = self.become_program();
        let bytes = failed.to_bytes();
        // SAFETY: the buffer is ours and as long as said. If the parent has gone
        // there is nobody to tell. _exit ends the process without running
        // anything that belongs to the parent.
        unsafe {
            libc::write(self.reporter.as_raw_fd(), bytes.as_ptr().cast(), bytes.len());
            libc::_exit(127)
        }
    }

    /// Returns only if it failed.
    fn become_program(&mut self) -> Failed {
        let program = self.program;
        if let Err(errno) = self.settle() {
            return Failed { stage: Stage::System, errno };
        }
        if let Some(cwd) = &program.cwd
            && let Err(error) = chdir(cwd.as_c_str())
        {
            return Failed { stage: Stage::WorkingDirectory, errno: error as c_int };
        }
        self.wait_for_word();
        // The rules of execvp: what isn't there, or can't be reached, is passed
        // over; a refusal is remembered, in case nothing better comes.
        let mut errno = libc::ENOENT;
        for candidate in &program.candidates {
            match execute(&mut self.shell_argv, &self.argv, &self.env, candidate) {
                libc::EACCES => errno = libc::EACCES,
                skipped @ (libc::ENOENT
                | libc::ENOTDIR
                | libc::ESTALE
                | libc::ENODEV
                | libc::ETIMEDOUT
                | libc::ENAMETOOLONG) => {
                    // Of a file that was named, and not looked for, it is the reason.
                    if program.candidates.len() == 1 {
                        errno = skipped;
                    }
                }
                other => {
                    return Failed { stage: Stage::Exec, errno: other };
                }
            }
        }
        Failed { stage: Stage::Exec, errno }
    }

    /// All but the directory and the exec: session, terminal, descriptors,
    /// signals, limits.
    fn settle(&self) -> Result<(), c_int> {
        let stdio = &self.stdio;
        setsid().map_err(|error| error as c_int)?;
        if self.terminal {
            ioctl_tiocsctty(stdio).map_err(rustix::io::Errno::raw_os_error)?;
        }
        dup2_stdin(stdio).map_err(|error| error as c_int)?;
        dup2_stdout(stdio).map_err(|error| error as c_int)?;
        dup2_stderr(stdio).map_err(|error| error as c_int)?;
        let mut spared = [self.reporter.as_raw_fd(), self.hearer.as_raw_fd()];
        spared.sort_unstable();
        // SAFETY: from here on only these two are used, and nothing is dropped: what
        // follows is exec or _exit.
        unsafe { close_all_but(&spared) };
        reset_signals(&[]).map_err(|error| error.raw_os_error().unwrap_or(libc::EINVAL))?;
        umask(Mode::from_bits_truncate(self.program.umask));
        if let Some(limit) = self.program.nofile {
            setrlimit(Resource::RLIMIT_NOFILE, limit.soft, limit.hard)
                .map_err(|error| error as c_int)?;
        }
        Ok(())
    }

    /// Returns when the program is to be started; if it isn't, there is no more to do.
    fn wait_for_word(&self) {
        let mut word = 0_u8;
        loop {
            // SAFETY: the buffer is one byte long.
            match unsafe { libc::read(self.hearer.as_raw_fd(), (&raw mut word).cast(), 1) } {
                1 => return,
                -1 if Errno::last() == Errno::EINTR => {}
                // SAFETY: ends the process without running anything that belongs to the
                // parent.
                _ => unsafe { libc::_exit(0) },
            }
        }
    }
}

/// Executes one candidate; returns why it could not be.
fn execute(
    shell_argv: &mut [*const c_char],
    argv: &[*const c_char],
    env: &[*const c_char],
    candidate: &CStr,
) -> c_int {
    // SAFETY: the arrays end in null and their strings live in the program that
    // `Prepared` borrows.
    unsafe { libc::execve(candidate.as_ptr(), argv.as_ptr(), env.as_ptr()) };
    let errno = Errno::last_raw();
    if errno != libc::ENOEXEC {
        return errno;
    }
    // A script that doesn't say what it is for.
    shell_argv[1] = candidate.as_ptr();
    // SAFETY: as above; the gap in the array has just been filled.
    unsafe { libc::execve(SHELL.as_ptr(), shell_argv.as_ptr(), env.as_ptr()) };
    Errno::last_raw()
}

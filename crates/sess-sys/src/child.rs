//! Starting a program on a terminal of its own, and hearing of its end. It
//! decides nothing: the whole environment is given.

#![expect(unsafe_code, reason = "fork")]

use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::{fmt, io};

use nix::errno::Errno;
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use rustix::fs::{Access, Mode, OFlags, access};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{WaitOptions, wait};

use crate::detach::Rlimit;
use crate::inherit::{SignalsHeldBack, above_stdio};
use crate::process::Pid;
use crate::pty::PtyFollower;

mod exec;

use exec::{Failed, Prepared, Stage};

/// Where programs are looked for if the environment doesn't say, as in the C
/// library.
const DEFAULT_PATH: &[u8] = b"/bin:/usr/bin";

/// A program ready to be started; everything is prepared, so that nothing needs
/// memory between fork and exec.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its arguments, the first being its own name.
    pub argv: Vec<CString>,
    /// The files to try in order.
    pub candidates: Vec<CString>,
    /// Its whole environment, as `NAME=VALUE`.
    pub env: Vec<CString>,
    /// Where it starts; `None` is where this process is.
    pub cwd: Option<CString>,
    /// Its umask.
    pub umask: u32,
    /// Its limit of open descriptors; `None` is this process's.
    pub nofile: Option<Rlimit>,
}

/// A process that is about to become the program, and waits for the word. Without it, or
/// when this process ends, it ends.
#[derive(Debug)]
pub struct Poised {
    pid: Pid,
    word: OwnedFd,
    report: OwnedFd,
}

/// A program that is on its way.
#[derive(Debug)]
pub struct Beginning {
    pid: Pid,
    report: OwnedFd,
    /// Whether it was there to hear the word.
    heard: bool,
}

/// Why a program did not start.
#[derive(Debug)]
pub enum SpawnError {
    /// The working directory can't be entered.
    WorkingDirectory(io::Error),
    /// No candidate could be executed.
    Exec(io::Error),
    /// The system refused something else.
    System(io::Error),
}

/// How a process ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Exit {
    /// By itself, with this status.
    Code(u8),
    /// By this signal.
    Signal(i32),
}

impl Program {
    /// Prepares a program, looking it up as `execvp` would: a name with a `/` is
    /// taken as it is (relative to `cwd`), another is looked for in the `PATH` of
    /// the *given* environment, by default `/bin:/usr/bin`. An empty `argv` and
    /// NUL bytes are [`io::ErrorKind::InvalidInput`].
    pub fn new(
        argv: &[OsString],
        env: &[(OsString, OsString)],
        cwd: &Path,
        umask: u32,
        nofile: Option<Rlimit>,
    ) -> io::Result<Program> {
        let Some(name) = argv.first() else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no program is named"));
        };
        let path = env.iter().find(|(name, _)| name == "PATH").map(|(_, path)| path.as_bytes());
        let candidates = candidates(name.as_bytes(), path.unwrap_or(DEFAULT_PATH));
        let env = env
            .iter()
            .map(|(name, value)| c_string([name.as_bytes(), b"=", value.as_bytes()].concat()));
        Ok(Program {
            argv: argv.iter().map(|it| c_string(it.as_bytes())).collect::<Result<_, _>>()?,
            candidates: candidates.into_iter().map(c_string).collect::<Result<_, _>>()?,
            env: env.collect::<Result<_, _>>()?,
            cwd: Some(c_string(cwd.as_os_str().as_bytes())?),
            umask,
            nofile,
        })
    }

    /// Whether one of the files to try is there and may be executed, as far as that can be
    /// told without trying.
    pub fn is_there(&self) -> bool {
        let cwd = Path::new(OsStr::from_bytes(self.cwd.as_ref().map_or(b"", |it| it.as_bytes())));
        self.candidates.iter().any(|candidate| {
            let path = cwd.join(OsStr::from_bytes(candidate.as_bytes()));
            path.is_file() && access(&path, Access::EXEC_OK).is_ok()
        })
    }

    /// Starts it as the leader of a new session whose terminal is `follower`,
    /// with no other descriptor open, no signal blocked or ignored. Returns when
    /// the program runs or is known not to.
    pub fn spawn(&self, follower: &PtyFollower) -> Result<Pid, SpawnError> {
        self.poise(follower)?.go().wait()
    }

    /// The same, but returns a process that comes that far by itself and starts the program
    /// when it is told to: each step takes about as long as this process may have other
    /// things to do.
    pub fn poise(&self, follower: &PtyFollower) -> Result<Poised, SpawnError> {
        self.poise_on(follower.as_fd(), true)
    }

    /// Starts it without a terminal: it reads nothing, and what it writes nobody reads.
    pub fn spawn_aside(&self) -> Result<Pid, SpawnError> {
        let flags = OFlags::RDWR | OFlags::CLOEXEC;
        let null = rustix::fs::open("/dev/null", flags, Mode::empty()).map_err(system)?;
        self.poise_on(null.as_fd(), false)?.go().wait()
    }

    fn poise_on(&self, stdio: BorrowedFd<'_>, terminal: bool) -> Result<Poised, SpawnError> {
        let (report, reporter) = pipe_with(PipeFlags::CLOEXEC).map_err(system)?;
        let (hearer, word) = pipe_with(PipeFlags::CLOEXEC).map_err(system)?;
        // Out of the way of 0 to 2, which the terminal will take, whatever this
        // process has there.
        let reporter = above_stdio(reporter).map_err(SpawnError::System)?;
        let hearer = above_stdio(hearer).map_err(SpawnError::System)?;
        let stdio = above_stdio(stdio).map_err(SpawnError::System)?;
        let prepared = Prepared::new(self, stdio, terminal, hearer, reporter);
        let held_back = SignalsHeldBack::new().map_err(SpawnError::System)?;

        // SAFETY: the child only makes calls that are safe after a fork whatever
        // locks other threads held: it takes no memory, runs no destructor and
        // ends in exec or _exit.
        let child = match unsafe { fork() }.map_err(system)? {
            ForkResult::Child => prepared.run(),
            ForkResult::Parent { child } => child,
        };
        drop(held_back);
        // With our copy closed, the end of the report is the exec.
        drop(prepared);
        Ok(Poised { pid: Pid(child.as_raw()), word, report })
    }
}

impl Poised {
    /// The process that is going to be the program.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Has it start the program.
    pub fn go(self) -> Beginning {
        // SIGPIPE is ignored, by Rust or by us. One that has failed already has reported.
        let heard = File::from(self.word).write_all(&[0]).is_ok();
        Beginning { pid: self.pid, report: self.report, heard }
    }
}

impl Beginning {
    /// Waits until the program runs or is known not to.
    pub fn wait(self) -> Result<Pid, SpawnError> {
        let mut failure = Vec::new();
        File::from(self.report).read_to_end(&mut failure).map_err(SpawnError::System)?;
        let failed = Failed::from_bytes(&failure);
        if failed.is_none() && self.heard {
            return Ok(self.pid);
        }
        let child = nix::unistd::Pid::from_raw(self.pid.0);
        while waitpid(child, None) == Err(Errno::EINTR) {}
        let Some(failed) = failed else {
            return Err(SpawnError::System(io::Error::other("its process was ended before")));
        };
        let error = io::Error::from_raw_os_error(failed.errno);
        Err(match failed.stage {
            Stage::System => SpawnError::System(error),
            Stage::WorkingDirectory => SpawnError::WorkingDirectory(error),
            Stage::Exec => SpawnError::Exec(error),
        })
    }
}

impl SpawnError {
    /// The status a shell would give: 127 for a program that isn't there, 126 for
    /// one that can't be executed, 125 for all else.
    pub fn code(&self) -> u8 {
        match self {
            SpawnError::Exec(error) if error.kind() == io::ErrorKind::NotFound => 127,
            SpawnError::Exec(_) => 126,
            SpawnError::WorkingDirectory(_) | SpawnError::System(_) => 125,
        }
    }
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SpawnError::WorkingDirectory(error) => write!(f, "working directory: {error}"),
            SpawnError::Exec(error) | SpawnError::System(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SpawnError {}

/// One child that has ended, if there is one. Adopted ones are heard of as well.
pub fn reap() -> io::Result<Option<(Pid, Exit)>> {
    // rustix here: nix fails for a child that a real-time signal ended, and what
    // it had to say is lost.
    loop {
        let (pid, status) = match wait(WaitOptions::NOHANG) {
            Ok(Some(ended)) => ended,
            Ok(None) | Err(rustix::io::Errno::CHILD) => return Ok(None),
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        };
        let exit = match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => Exit::Code(u8::try_from(code & 0xff).unwrap_or(u8::MAX)),
            (None, Some(signal)) => Exit::Signal(signal),
            // Stopped or continued, which wasn't asked for.
            (None, None) => continue,
        };
        return Ok(Some((Pid(pid.as_raw_nonzero().get()), exit)));
    }
}

/// Where `execvp` would look for `name`.
fn candidates(name: &[u8], path: &[u8]) -> Vec<Vec<u8>> {
    if name.is_empty() {
        return Vec::new();
    }
    if name.contains(&b'/') {
        return vec![name.to_vec()];
    }
    path.split(|&byte| byte == b':')
        .map(|folder| match folder {
            // An empty element means the working directory.
            b"" => name.to_vec(),
            folder => [folder, b"/", name].concat(),
        })
        .collect()
}

fn c_string(bytes: impl Into<Vec<u8>>) -> io::Result<CString> {
    CString::new(bytes).map_err(|_| {
        io::Error::new(io::ErrorKind::InvalidInput, "a NUL byte in an argument or variable")
    })
}

fn system(error: impl Into<io::Error>) -> SpawnError {
    SpawnError::System(error.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_slash_is_taken_as_it_is() {
        assert_eq!(candidates(b"./x", b"/bin"), [b"./x".to_vec()]);
    }

    #[test]
    fn a_plain_name_is_looked_for_in_each_folder_of_the_path() {
        let found = candidates(b"x", b"/a::/b/");
        assert_eq!(found, [b"/a/x".to_vec(), b"x".to_vec(), b"/b//x".to_vec()]);
    }

    #[test]
    fn nothing_is_found_under_the_empty_name() {
        assert!(candidates(b"", b"/bin").is_empty());
    }

    #[test]
    fn a_nul_byte_is_refused() {
        let argv = [OsString::from("a\0b")];
        let error = Program::new(&argv, &[], Path::new("/"), 0o22, None).expect_err("it is");
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}

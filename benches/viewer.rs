//! The user's terminal: a program on a PTY whose output is read as fast as it
//! comes, and into which keys are typed.

use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

use sess_sys::process::Signal;
use sess_sys::{Entry, Pid, Process, Program, PtyLeader, Ready, WindowSize, child, poll};

use crate::interrupt;

/// Columns and rows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Size {
    pub(crate) cols: u16,
    pub(crate) rows: u16,
}

/// What most things are measured on.
pub(crate) const SMALL: Size = Size { cols: 80, rows: 24 };
/// A large one.
pub(crate) const LARGE: Size = Size { cols: 200, rows: 50 };

/// Bytes read at a time.
const READ: usize = 64 * 1024;
/// Bytes kept of what was read before, so that a mark split over reads is found.
const KEPT: usize = 64;
/// How often a wait looks for Ctrl-C.
const GLANCE: Duration = Duration::from_millis(250);

/// A terminal with a program in it.
#[derive(Debug)]
pub(crate) struct Viewer {
    leader: PtyLeader,
    /// The program.
    pub(crate) pid: Pid,
    buffer: Vec<u8>,
    kept: usize,
    /// Bytes shown so far.
    pub(crate) shown: u64,
    marks: u64,
}

impl Viewer {
    /// Opens a terminal and runs a program in it.
    pub(crate) fn open(
        argv: &[OsString],
        env: &[(OsString, OsString)],
        size: Size,
    ) -> Result<Viewer, String> {
        let size = WindowSize { cols: size.cols, rows: size.rows, xpixel: 0, ypixel: 0 };
        let failed = |error: io::Error| format!("terminal: {error}");
        let program = Program::new(argv, env, Path::new("/"), 0o022, None).map_err(failed)?;
        let (leader, follower) = PtyLeader::open(size).map_err(failed)?;
        let pid = program.spawn(&follower).map_err(|error| format!("terminal: {error}"))?;
        let buffer = vec![0; KEPT + READ];
        Ok(Viewer { leader, pid, buffer, kept: 0, shown: 0, marks: 0 })
    }

    /// Types.
    pub(crate) fn type_keys(&mut self, mut keys: &[u8]) -> Result<(), String> {
        let deadline = Instant::now() + Duration::from_secs(5);
        while !keys.is_empty() {
            match self.leader.write(keys) {
                Ok(count) => keys = &keys[count..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let mut entry = [Entry::new(self.leader.as_fd(), false, true)];
                    wait(&mut entry, deadline, "the terminal takes no keys")?;
                }
                Err(error) => return Err(format!("typing: {error}")),
            }
        }
        Ok(())
    }

    /// Reads what there is, without waiting; `None` if there is nothing. Within
    /// the buffer, what was read is the part that follows what was kept.
    fn read(&mut self) -> Result<Option<usize>, String> {
        match self.leader.read(&mut self.buffer[self.kept..]) {
            Ok(0) => Err("the terminal was closed".to_owned()),
            Ok(count) => {
                self.shown += count as u64;
                Ok(Some(count))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(_) => Err("the client ended".to_owned()),
        }
    }

    /// Reads on until `mark` comes; the time at which it was read. Its first
    /// byte should be a rare one.
    pub(crate) fn watch_for(&mut self, mark: &[u8], deadline: Instant) -> Result<Instant, String> {
        loop {
            match self.read()? {
                Some(count) => {
                    let end = self.kept + count;
                    if contains(&self.buffer[..end], mark) {
                        self.kept = 0;
                        return Ok(Instant::now());
                    }
                    let kept = end.min(KEPT.min(mark.len() - 1));
                    self.buffer.copy_within(end - kept..end, 0);
                    self.kept = kept;
                }
                None => self.wait(deadline, "it did not show what it should")?,
            }
        }
    }

    /// Reads until nothing more has come for `quiet`; the time of the last read,
    /// if there was any.
    pub(crate) fn settle(&mut self, quiet: Duration) -> Result<Option<Instant>, String> {
        let mut last = None;
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            while self.read()?.is_some() {
                last = Some(Instant::now());
            }
            let mut entry = [Entry::new(self.leader.as_fd(), true, false)];
            poll::poll(&mut entry, Some(quiet)).map_err(|error| error.to_string())?;
            if !entry[0].ready.read {
                return Ok(last);
            }
            if Instant::now() > deadline || interrupt::came() {
                return Err("it never settled".to_owned());
            }
        }
    }

    /// Reads on until at least `bytes` more were shown, or until `deadline`.
    pub(crate) fn watch_bytes(&mut self, bytes: u64, deadline: Instant) -> Result<(), String> {
        let until = self.shown + bytes;
        while self.shown < until && Instant::now() < deadline {
            if self.read()?.is_none() {
                let mut entry = [Entry::new(self.leader.as_fd(), true, false)];
                let left = deadline.saturating_duration_since(Instant::now());
                poll::poll(&mut entry, Some(left)).map_err(|error| error.to_string())?;
            }
        }
        Ok(())
    }

    /// Reads while waiting for something else; whether that has come.
    pub(crate) fn watch_until(
        &mut self,
        other: impl AsFd,
        deadline: Instant,
    ) -> Result<(), String> {
        loop {
            let came = {
                let mut entries = [
                    Entry::new(other.as_fd(), true, false),
                    Entry::new(self.leader.as_fd(), true, false),
                ];
                wait(&mut entries, deadline, "what was waited for did not come")?;
                entries[0].ready.read
            };
            if came {
                return Ok(());
            }
            // A few at a time, so that the other isn't overlooked.
            for _ in 0..16 {
                if self.read()?.is_none() {
                    break;
                }
            }
        }
    }

    /// Types lines until the obedient program in the session answers one.
    pub(crate) fn greet(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let (token, mark) = self.mark("hi");
            self.type_keys(format!("say {token}\n").as_bytes())?;
            let soon = Instant::now() + Duration::from_millis(300);
            match self.watch_for(&mark, soon.min(deadline)) {
                Ok(_) => break,
                Err(reason) if Instant::now() >= deadline => return Err(reason),
                Err(reason) if Process::read(self.pid).ok().flatten().is_none() => {
                    return Err(reason);
                }
                Err(_) => {}
            }
        }
        self.settle(Duration::from_millis(50)).map(|_| ())
    }

    /// A token not used before, and how the obedient program shows it.
    pub(crate) fn mark(&mut self, what: &str) -> (String, Vec<u8>) {
        self.marks += 1;
        let token = format!("{what}{}", self.marks);
        let mark = format!("~{token}~").into_bytes();
        (token, mark)
    }

    fn wait(&self, deadline: Instant, what: &str) -> Result<(), String> {
        wait(&mut [Entry::new(self.leader.as_fd(), true, false)], deadline, what)
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        if let Ok(Some(process)) = Process::read(self.pid) {
            // It is ours until it is reaped, so it can't be another one.
            let _ = process.signal(Signal::KILL);
        }
        let deadline = Instant::now() + Duration::from_secs(2);
        while Instant::now() < deadline {
            match child::reap() {
                Ok(Some((pid, _))) if pid == self.pid => return,
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => std::thread::sleep(Duration::from_millis(1)),
            }
            if Process::read(self.pid).is_ok_and(|process| process.is_none()) {
                return;
            }
        }
    }
}

/// Waits until one of them is ready; `what` says what did not happen by then.
pub(crate) fn wait(entries: &mut [Entry<'_>], deadline: Instant, what: &str) -> Result<(), String> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        poll::poll(entries, Some(left.min(GLANCE))).map_err(|error| error.to_string())?;
        if entries.iter().any(|entry| entry.ready != Ready::default()) {
            return Ok(());
        }
        if interrupt::came() {
            return Err("interrupted".to_owned());
        }
        if left.is_zero() {
            return Err(what.to_owned());
        }
    }
}

fn contains(bytes: &[u8], mark: &[u8]) -> bool {
    // Most reads hold no byte of any mark, which is found out fast.
    bytes.contains(&mark[0]) && bytes.windows(mark.len()).any(|window| window == mark)
}

//! A terminal on a real PTY, with a program in it: what a user sees and types.

use std::io::Write;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sess_sys::process::{Pid, Process, Signal};
use sess_sys::{Entry, PtyLeader, WindowSize, poll};

use super::emulator::Emulator;
use super::patience::{PATIENCE, wait_for, wait_within};
use super::sandbox::{Sandbox, code_of};

mod reading;
mod request;

use reading::{Shared, State};
pub use request::TerminalRequest;

/// Pixels of a cell.
const CELL: (u16, u16) = (9, 18);

/// A terminal with a program in it. Dropped, it is closed, as a window is.
pub struct Terminal {
    leader: Option<Arc<PtyLeader>>,
    path: PathBuf,
    child: Child,
    shared: Arc<Shared>,
    reader: Option<JoinHandle<()>>,
    line: String,
    modes_before: String,
}

impl Terminal {
    /// Types bytes.
    #[track_caller]
    pub fn type_bytes(&self, bytes: impl AsRef<[u8]>) {
        let leader = self.leader();
        let mut bytes = bytes.as_ref();
        let deadline = Instant::now() + PATIENCE;
        while !bytes.is_empty() {
            assert!(Instant::now() < deadline, "the terminal takes nothing more");
            match leader.write(bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    let mut entry = [Entry::new(leader.as_fd(), false, true)];
                    poll::poll(&mut entry, Some(Duration::from_millis(100))).unwrap();
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Types a line.
    #[track_caller]
    pub fn type_line(&self, line: &str) {
        self.type_bytes(format!("{line}\r"));
    }

    /// Presses the detach key, and waits for the end.
    #[track_caller]
    pub fn detach(&mut self) {
        self.type_bytes(b"\x1c");
        assert_eq!(self.wait_for_exit(), 0, "{}", self.look(Emulator::report));
    }

    /// Gives it another size.
    pub fn resize(&self, cols: u16, rows: u16) {
        self.state().emulator.resize(cols, rows);
        let (xpixel, ypixel) = (cols * CELL.0, rows * CELL.1);
        self.leader().resize(WindowSize { cols, rows, xpixel, ypixel }).unwrap();
    }

    /// Looks at it as it is now.
    pub fn look<T>(&self, look: impl FnOnce(&Emulator) -> T) -> T {
        look(&self.state().emulator)
    }

    /// The screen's text now.
    pub fn text(&self) -> String {
        self.look(Emulator::text)
    }

    /// Waits until it looks like this.
    #[track_caller]
    pub fn wait_until(&self, what: &str, fact: impl FnMut(&Emulator) -> bool) {
        assert!(self.comes(PATIENCE, fact), "waited in vain: {what}");
    }

    /// Waits as long as this for it to look so; whether it did.
    pub fn comes(&self, patience: Duration, mut fact: impl FnMut(&Emulator) -> bool) -> bool {
        let deadline = Instant::now() + patience;
        let mut state = self.state();
        loop {
            let start = Instant::now();
            if fact(&state.emulator) {
                return true;
            }
            // Looking takes no more than half of the time: in a flood what looks
            // would hold up what reads.
            let next = Instant::now() + start.elapsed();
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.shared.changed.wait_timeout(state, left).unwrap().0;
            loop {
                let early = next.saturating_duration_since(Instant::now());
                if early.is_zero() {
                    break;
                }
                state = self.shared.changed.wait_timeout(state, early).unwrap().0;
            }
        }
    }

    /// Waits until this text is on the screen.
    #[track_caller]
    pub fn wait_for_text(&self, text: &str) {
        self.wait_until(&format!("the text {text:?}"), |it| it.text().contains(text));
    }

    /// Waits until these bytes were sent to it.
    #[track_caller]
    pub fn wait_for_raw(&self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        let what = format!("the bytes {}", bytes.escape_ascii());
        self.wait_until(&what, |it| it.has_raw(bytes));
    }

    /// Waits until this process is told as an attached client.
    #[track_caller]
    pub fn wait_for_attached(&self, sandbox: &Sandbox, name: &str) {
        let pid = self.pid().0;
        wait_for(&format!("{name} to be attached"), || {
            let status = sandbox.status(name);
            let clients = status["clients"].as_array()?;
            clients.iter().any(|client| client["pid"] == pid).then_some(())
        });
        // What a shell's `stty` would see has changed by then, or soon will.
        self.wait_until("the screen", |it| !it.raw().is_empty());
    }

    /// Waits for its program's end, and for its last output; returns its exit
    /// code.
    #[track_caller]
    pub fn wait_for_exit(&mut self) -> i32 {
        let child = &mut self.child;
        let Some(status) = wait_within(2 * PATIENCE, || child.try_wait().unwrap()) else {
            panic!("{} goes on", self.line);
        };
        let mut state = self.state();
        let deadline = Instant::now() + PATIENCE;
        while !state.drained && !state.paused {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "somebody has the terminal open still");
            state = self.shared.changed.wait_timeout(state, left).unwrap().0;
        }
        code_of(status)
    }

    /// Whether its program still runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Closes it, as a window is closed; returns its program's exit code.
    #[track_caller]
    pub fn close(mut self) -> i32 {
        self.hang_up();
        let child = &mut self.child;
        let status = wait_within(PATIENCE, || child.try_wait().unwrap());
        code_of(status.expect("who lost its terminal ends"))
    }

    /// Reads nothing from now on, as a terminal that is scrolled back or whose
    /// machine sleeps.
    pub fn pause(&self) {
        self.state().paused = true;
        self.wake();
    }

    /// Reads again.
    pub fn resume(&self) {
        self.state().paused = false;
        self.wake();
    }

    /// Reads so many bytes in a second at most.
    pub fn throttle(&self, bytes_per_second: u32) {
        self.state().rate = Some(bytes_per_second);
        self.wake();
    }

    /// Keeps its answers back, as a terminal far away does.
    pub fn hold_replies(&self) {
        self.state().held_replies = Some(Vec::new());
    }

    /// Sends the answers that were kept back; returns them.
    #[track_caller]
    pub fn release_replies(&self) -> Vec<u8> {
        let replies = self.state().held_replies.take().unwrap_or_default();
        self.type_bytes(&replies);
        replies
    }

    /// How many bytes of answers are kept back.
    pub fn replies_held(&self) -> usize {
        self.state().held_replies.as_ref().map_or(0, Vec::len)
    }

    /// Its program's process.
    pub fn pid(&self) -> Pid {
        Pid(i32::try_from(self.child.id()).unwrap())
    }

    /// Sends its program a signal.
    pub fn signal(&self, signal: Signal) {
        Process::read(self.pid()).unwrap().expect("it runs").signal(signal).unwrap();
    }

    /// Its path, as `/dev/pts/7`.
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// Its line discipline's settings now, as `stty` saves them.
    pub fn modes(&self) -> String {
        modes(&Command::new("stty"), &self.path)
    }

    /// The same, before its program began.
    pub fn modes_before(&self) -> &str {
        &self.modes_before
    }

    /// Fails unless it is as a shell wants it after this line: settings as before,
    /// nothing switched on, cursor on a fresh line below.
    #[track_caller]
    pub fn assert_in_order_after(&self, last: &str) {
        assert_eq!(self.modes(), self.modes_before());
        let state = self.state();
        let it = &state.emulator;
        assert!(it.is_in_order(), "{}", it.screen().input_mode_formatted().escape_debug());
        let (row, col) = it.screen().cursor_position();
        let rows = it.rows();
        assert_eq!(col, 0, "{}", it.report());
        assert!(rows[usize::from(row)].is_empty(), "{}", it.report());
        assert_eq!(rows[usize::from(row) - 1], last, "{}", it.report());
    }

    fn leader(&self) -> &PtyLeader {
        self.leader.as_ref().expect("it is open")
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.lock()
    }

    fn wake(&self) {
        let _ = (&self.shared.wake).write(&[0]);
        self.shared.changed.notify_all();
    }

    fn hang_up(&mut self) {
        self.state().closing = true;
        self.wake();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        self.leader = None;
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let text = format!("---- {}\n{}", self.line, self.state().emulator.report());
            let _ = std::io::stderr().lock().write_all(text.as_bytes());
        }
        self.hang_up();
        let child = &mut self.child;
        if wait_within(PATIENCE, || child.try_wait().ok().flatten()).is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if !std::thread::panicking() {
            // Contract 6.2, in every test: what programs here never send, sess
            // never sends either.
            let state = self.state();
            assert!(state.emulator.blind || !state.emulator.has_raw(b"\x1bc"), "a RIS was sent");
            assert!(state.emulator.blind || !state.emulator.has_raw(b"\x1b[3J"), "an ED 3");
        }
    }
}

/// What `stty -g` says of a terminal.
fn modes(stty: &Command, path: &std::path::Path) -> String {
    let mut command = Command::new(stty.get_program());
    let output = command.arg("-g").arg("-F").arg(path).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

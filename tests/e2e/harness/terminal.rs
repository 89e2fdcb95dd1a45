//! A terminal on a real PTY, with a program in it: what a user sees and types.

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sess_sys::process::{Pid, Process, Signal};
use sess_sys::{Entry, PtyLeader, WindowSize, poll};

use super::emulator::Emulator;
use super::patience::{PATIENCE, wait_for, wait_within};
use super::sandbox::{Sandbox, code_of, line};

/// Pixels of a cell.
const CELL: (u16, u16) = (9, 18);

/// A terminal that is to be opened.
pub struct TerminalRequest<'a> {
    sandbox: &'a Sandbox,
    cols: u16,
    rows: u16,
    vars: Vec<(OsString, Option<OsString>)>,
    name: Option<u16>,
    before: Vec<u8>,
    blind: bool,
}

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

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    wake: UnixStream,
}

struct State {
    emulator: Emulator,
    /// As whom it answers questions, if it does.
    name: Option<u16>,
    /// Answers wait here until they are let go.
    held_replies: Option<Vec<u8>>,
    /// It reads nothing.
    paused: bool,
    /// Bytes that it reads in a second.
    rate: Option<u32>,
    /// No program has it open any more, and everything is read.
    drained: bool,
    closing: bool,
}

impl Shared {
    /// Also after a failed look: the terminal goes on.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl<'a> TerminalRequest<'a> {
    pub(super) fn new(sandbox: &'a Sandbox) -> Self {
        let (cols, rows) = (80, 24);
        let (vars, before) = (Vec::new(), Vec::new());
        Self { sandbox, cols, rows, vars, name: None, before, blind: false }
    }

    /// Its size.
    pub fn size(mut self, cols: u16, rows: u16) -> Self {
        (self.cols, self.rows) = (cols, rows);
        self
    }

    /// A variable in its program's environment.
    pub fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.vars.push((key.into(), Some(value.as_ref().to_owned())));
        self
    }

    /// It answers questions, as this one.
    pub fn answering(mut self, name: u16) -> Self {
        self.name = Some(name);
        self
    }

    /// It understands nothing and only collects what it is sent.
    pub fn blind(mut self) -> Self {
        self.blind = true;
        self
    }

    /// What stands on it before its program starts.
    pub fn showing(mut self, text: impl AsRef<[u8]>) -> Self {
        self.before.extend_from_slice(text.as_ref());
        self
    }

    /// Shows a session in it; returns when that is attached.
    #[track_caller]
    pub fn attach(self, name: &str) -> Terminal {
        self.attach_with(&[], name)
    }

    /// As [`attach`](Self::attach), with options.
    #[track_caller]
    pub fn attach_with(self, options: &[&str], name: &str) -> Terminal {
        let sandbox = self.sandbox;
        let terminal = self.sess([&["attach"], options, &[name]].concat());
        terminal.wait_for_attached(sandbox, name);
        terminal
    }

    /// Runs `sess` in it.
    #[track_caller]
    pub fn sess<A: AsRef<OsStr>>(self, args: impl IntoIterator<Item = A>) -> Terminal {
        self.run(env!("CARGO_BIN_EXE_sess"), args)
    }

    /// Runs a program in it.
    #[track_caller]
    pub fn run<A: AsRef<OsStr>>(
        self,
        program: &str,
        args: impl IntoIterator<Item = A>,
    ) -> Terminal {
        let size = WindowSize {
            cols: self.cols,
            rows: self.rows,
            xpixel: self.cols * CELL.0,
            ypixel: self.rows * CELL.1,
        };
        let (leader, follower) = PtyLeader::open(size).unwrap();
        let path = follower.path().to_owned();
        // A terminal of its own takes a session of its own, which takes another
        // program where nothing unsafe is allowed.
        let mut command = self.sandbox.command("setsid");
        command.arg("-c").arg(program).args(args);
        for (key, value) in &self.vars {
            match value {
                Some(value) => command.env(key, value),
                None => command.env_remove(key),
            };
        }
        let stdio = || Stdio::from(follower.as_fd().try_clone_to_owned().unwrap());
        command.stdin(stdio()).stdout(stdio()).stderr(stdio());
        let line = line(&command);
        let modes_before = modes(&self.sandbox.command("stty"), &path);
        let child = command.spawn().unwrap();
        // The command keeps its copies until it is dropped.
        drop((command, follower));

        let leader = Arc::new(leader);
        let (wake, woken) = UnixStream::pair().unwrap();
        woken.set_nonblocking(true).unwrap();
        let mut emulator = Emulator::new(self.cols, self.rows);
        emulator.show(&self.before, None);
        emulator.blind = self.blind;
        let state = State {
            emulator,
            name: self.name,
            held_replies: None,
            paused: false,
            rate: None,
            drained: false,
            closing: false,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new(), wake });
        let reader = std::thread::spawn({
            let (leader, shared) = (Arc::clone(&leader), Arc::clone(&shared));
            move || read(&leader, &shared, &woken)
        });
        self.sandbox.note(&line);
        let leader = Some(leader);
        Terminal { leader, path, child, shared, reader: Some(reader), line, modes_before }
    }

    /// As [`run`](Self::run), without this variable.
    pub fn without(mut self, key: &str) -> Self {
        self.vars.push((key.into(), None));
        self
    }
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

    /// Reads as fast as it can.
    pub fn unthrottle(&self) {
        self.state().rate = None;
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

/// Reads what the terminal is to show, as fast as it may.
fn read(leader: &PtyLeader, shared: &Shared, woken: &UnixStream) {
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

/// What `stty -g` says of a terminal.
fn modes(stty: &Command, path: &std::path::Path) -> String {
    let mut command = Command::new(stty.get_program());
    let output = command.arg("-g").arg("-F").arg(path).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

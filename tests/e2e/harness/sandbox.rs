//! A sandbox: directories and an environment of its own for one test, and the end
//! of everything that was started in it.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use sess_sys::process::{self, Pid, Process, Signal};
use tempfile::TempDir;

use super::patience::{PATIENCE, wait_for, wait_within};
use super::processes::is_root;
use super::programs::{PATH, find, skipped};
use super::terminal::{Terminal, TerminalRequest};

/// Says in every process's environment which sandbox it belongs to.
const MARK: &str = "SANDBOX";
/// How long a command may take before it is killed.
const DEADLINE: Duration = Duration::from_secs(30);

/// A private place for one test.
pub struct Sandbox {
    dir: Option<TempDir>,
    root: PathBuf,
    log: Mutex<String>,
}

/// How a command ended.
#[derive(Debug)]
pub struct Output {
    /// Its exit code; 128+N if a signal ended it.
    pub code: i32,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Output {
    /// Fails unless the command ended with this code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Fails unless it was an error as the contract has them: this code, and one
    /// line `sess: …` that says this, maybe with a hint below.
    #[track_caller]
    pub fn expect_error(self, code: i32, says: &str) -> Self {
        let this = self.expect(code);
        assert!(this.stderr.starts_with("sess: "), "stderr: {}", this.stderr);
        assert!(this.stderr.contains(says), "{says} is missing in: {}", this.stderr);
        assert!(!this.stderr.contains("panicked"), "stderr: {}", this.stderr);
        this
    }
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new()
    }
}

impl Sandbox {
    /// An empty sandbox; `SESS_DIR` names a folder in it that is not yet there.
    pub fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("e2e-").tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        for folder in ["home", "config", "state", "run", "tmp"] {
            std::fs::create_dir(root.join(folder)).unwrap();
        }
        Self { dir: Some(dir), root, log: Mutex::default() }
    }

    /// A path in the sandbox.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The sessions directory.
    pub fn sessions(&self) -> PathBuf {
        self.path("sessions")
    }

    /// Writes a file in the sandbox.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Writes a program that everybody may run.
    pub fn write_program(&self, name: &str, text: &str) -> PathBuf {
        let draft = self.write(&format!("{name}.draft"), text);
        self.install(draft, name, "755")
    }

    /// Copies a program into the sandbox. Another process does: one that is open for
    /// writing can't be run, and what is open here is so for a moment in every child that
    /// another test starts.
    #[track_caller]
    pub fn install(&self, from: impl AsRef<Path>, name: &str, mode: &str) -> PathBuf {
        let to = self.path(name);
        let mut command = self.command("install");
        command.args(["-m", mode]).arg(from.as_ref()).arg(&to);
        self.run(command).expect(0);
        to
    }

    /// What a file in the sandbox holds, or nothing if it isn't there.
    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_default()
    }

    /// Writes the configuration file.
    pub fn configure(&self, text: &str) {
        self.write("config/sess/config.toml", text);
    }

    /// A program in the sandbox's environment.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().current_dir(&self.root).envs([
            ("PATH", OsStr::new(PATH)),
            ("TERM", OsStr::new("xterm-256color")),
            ("LANG", OsStr::new("C.UTF-8")),
            ("SHELL", OsStr::new("/bin/sh")),
            ("PS1", OsStr::new("$ ")),
            (MARK, self.root.as_os_str()),
        ]);
        command.envs([
            ("HOME", self.path("home")),
            ("XDG_CONFIG_HOME", self.path("config")),
            ("XDG_STATE_HOME", self.path("state")),
            ("XDG_RUNTIME_DIR", self.path("run")),
            ("TMPDIR", self.path("tmp")),
            ("SESS_DIR", self.sessions()),
        ]);
        command
    }

    /// `sess` in the sandbox's environment.
    pub fn sess_command<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_sess"));
        command.args(args);
        command
    }

    /// Runs `sess` to its end.
    #[track_caller]
    pub fn sess<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Output {
        self.run(self.sess_command(args))
    }

    /// Runs a command to its end, with nothing on standard input.
    #[track_caller]
    pub fn run(&self, command: Command) -> Output {
        self.finish(self.start(command))
    }

    /// Runs a script with `$sess`, in which `SESS_DIR` is not set and /var/tmp is empty
    /// and our own; `None` where that can't be had.
    pub fn run_with_own_var_tmp(&self, script: &str) -> Option<Output> {
        let unshare = find("unshare")?;
        if !is_root() {
            return None;
        }
        let sess = env!("CARGO_BIN_EXE_sess");
        let prelude = format!(
            "sess='{sess}'; unset SESS_DIR; mount --bind run /var/tmp || exit 77
             trap '$sess kill --all --grace 0s 2>/dev/null' EXIT"
        );
        let script = format!("{prelude}\n{script}");
        let mut command = self.command(unshare);
        command.args(["-m", "--propagation", "private", "sh", "-c", &script]);
        let output = self.run(command);
        if output.code == 77 {
            skipped("no mounts");
            return None;
        }
        Some(output)
    }

    /// Runs `sess` to its end, with this on standard input.
    #[track_caller]
    pub fn sess_reading<A: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = A>,
        input: impl AsRef<[u8]>,
    ) -> Output {
        self.finish(self.start_reading(args, input))
    }

    /// Starts `sess` with this on standard input.
    #[track_caller]
    pub fn start_reading<A: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = A>,
        input: impl AsRef<[u8]>,
    ) -> Running {
        let mut file = tempfile::tempfile_in(self.path("tmp")).unwrap();
        file.write_all(input.as_ref()).unwrap();
        file.rewind().unwrap();
        self.start_with(self.sess_command(args), file.into())
    }

    /// Starts `sess`, whose output is collected.
    #[track_caller]
    pub fn start_sess<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Running {
        self.start(self.sess_command(args))
    }

    /// Starts a command whose output is collected.
    #[track_caller]
    pub fn start(&self, command: Command) -> Running {
        self.start_with(command, Stdio::null())
    }

    #[track_caller]
    fn start_with(&self, mut command: Command, input: Stdio) -> Running {
        command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        let line = line(&command);
        self.note(&format!("{line} &"));
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => panic!("{line}: {error}"),
        };
        let stdout = collect(child.stdout.take().unwrap());
        let stderr = collect(child.stderr.take().unwrap());
        Running { child, stdout, stderr, line }
    }

    /// Waits for a command's end, and for the end of its output: who inherits
    /// that from it is noticed here.
    #[track_caller]
    pub fn finish(&self, mut running: Running) -> Output {
        let line = &running.line;
        let Some(status) = wait_within(DEADLINE, || running.child.try_wait().unwrap()) else {
            let _ = running.child.kill();
            let _ = running.child.wait();
            panic!("{line}: did not end");
        };
        let text = |from: &Receiver<Vec<u8>>| match from.recv_timeout(PATIENCE) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                panic!("{line}: ended, but somebody holds its output open")
            }
        };
        let (stdout, stderr) = (text(&running.stdout), text(&running.stderr));
        let code = code_of(status);
        self.note(&format!("{line}: {code}\n{stdout}{stderr}"));
        Output { code, stdout, stderr }
    }

    /// Starts a detached session.
    #[track_caller]
    pub fn start_session<A: AsRef<OsStr>>(
        &self,
        name: &str,
        command: impl IntoIterator<Item = A>,
    ) -> Session<'_> {
        let mut args: Vec<OsString> = ["new", "-d", name, "--"].map(OsString::from).to_vec();
        args.extend(command.into_iter().map(|arg| arg.as_ref().to_owned()));
        let output = self.sess(args).expect(0);
        assert_eq!(output.stdout, format!("{name}\n"));
        self.session(name)
    }

    /// A session that runs a shell script.
    #[track_caller]
    pub fn start_script(&self, name: &str, script: &str) -> Session<'_> {
        self.start_session(name, ["sh", "-c", script])
    }

    /// A session whose script has ended by itself, or is about to.
    #[track_caller]
    pub fn start_session_that_ends(&self, name: &str, script: &str) {
        self.sess(["new", "-d", name, "--", "sh", "-c", script]).expect(0);
        wait_for(&format!("the end of {name}"), || {
            (self.status(name)["state"] == "exited").then_some(())
        });
    }

    /// What there is to know of a running session.
    #[track_caller]
    pub fn session(&self, name: &str) -> Session<'_> {
        // On a busy machine a holder may take longer to answer than it is asked for.
        let status = wait_for(&format!("an answer of {name}"), || {
            Some(self.status(name)).filter(|status| status["state"] != "unresponsive")
        });
        let number = |key: &str| {
            let number = status[key].as_i64().and_then(|number| i32::try_from(number).ok());
            Pid(number.unwrap_or_else(|| panic!("no {key} in {status}")))
        };
        let id = status["id"].as_str().unwrap().to_owned();
        let (pid, holder) = (number("pid"), number("holder_pid"));
        Session { sandbox: self, name: name.to_owned(), id, pid, holder }
    }

    /// What `status --json` says, whatever the state; null if there is no such
    /// session.
    #[track_caller]
    pub fn status(&self, name: &str) -> serde_json::Value {
        let output = self.sess(["status", "--json", name]);
        if output.code == 4 {
            return serde_json::Value::Null;
        }
        match serde_json::from_str(&output.stdout) {
            Ok(value) => value,
            Err(error) => panic!("{error} in {output:?}"),
        }
    }

    /// A terminal in the sandbox, to be described further.
    pub fn terminal(&self) -> TerminalRequest<'_> {
        TerminalRequest::new(self)
    }

    /// A terminal of 80×24 in which a session is shown, as soon as it is.
    #[track_caller]
    pub fn attach(&self, name: &str) -> Terminal {
        self.terminal().attach(name)
    }

    /// Notes what happened, to be told if the test fails.
    pub fn note(&self, text: &str) {
        if let Ok(mut log) = self.log.lock() {
            log.push_str(text.trim_end());
            log.push('\n');
        }
    }

    /// Ends what was started here: all that say so in their environment, and the
    /// holders, which have files of the sandbox open.
    fn end_everything(&self) -> Vec<Process> {
        let mark = self.root.to_string_lossy();
        let _ = wait_within(PATIENCE, || {
            let living = self.living(&mark);
            for process in &living {
                let _ = process.signal(Signal::KILL);
            }
            living.is_empty().then_some(())
        });
        self.living(&mark)
    }

    fn living(&self, mark: &str) -> Vec<Process> {
        let mut found = process::carrying(MARK, mark).unwrap_or_default();
        found.extend(all_processes().filter(|process| {
            process.name.starts_with("sess")
                && process
                    .open_files()
                    .is_ok_and(|files| files.iter().any(|file| file.starts_with(&self.root)))
        }));
        let mut seen = HashSet::new();
        found.retain(|process| process.alive() && seen.insert(process.pid));
        found
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let failed = std::thread::panicking();
        // The product's own way first: it also finds who hides from us.
        let mut kill = self.sess_command(["kill", "--all", "--grace", "0s"]);
        kill.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if self.sessions().is_dir()
            && let Ok(mut child) = kill.spawn()
            && wait_within(PATIENCE, || child.try_wait().ok().flatten()).is_none()
        {
            let _ = child.kill();
            let _ = child.wait();
        }
        let left = self.end_everything();
        if failed {
            let root = self.dir.take().map(TempDir::keep).unwrap_or_default();
            let log = self.log.get_mut().map(|log| log.clone()).unwrap_or_default();
            let text = format!("---- sandbox kept: {}\n{log}", root.display());
            let _ = std::fs::write(root.join("log"), &log);
            let _ = std::io::stderr().lock().write_all(text.as_bytes());
        } else {
            assert!(left.is_empty(), "still there: {left:?}");
        }
    }
}

/// A command under way.
pub struct Running {
    child: Child,
    stdout: Receiver<Vec<u8>>,
    stderr: Receiver<Vec<u8>>,
    line: String,
}

impl Running {
    /// Its process.
    pub fn pid(&self) -> Pid {
        Pid(self.child.id().cast_signed())
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A running session.
pub struct Session<'a> {
    sandbox: &'a Sandbox,
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: String,
    /// Its program.
    pub pid: Pid,
    /// Its holder.
    pub holder: Pid,
}

impl Session<'_> {
    /// Sends its holder a signal.
    pub fn signal_holder(&self, signal: Signal) {
        signal_to(self.holder, signal);
    }

    /// Kills its holder, and waits until it is gone.
    #[track_caller]
    pub fn lose_holder(&self) {
        let holder = Process::read(self.holder).unwrap().unwrap();
        holder.signal(Signal::KILL).unwrap();
        wait_for("the holder's end", || (!holder.alive()).then_some(()));
    }

    /// Kills its holder, and waits for the end of its program as well, which that costs
    /// it unless it ignores the hangup.
    #[track_caller]
    pub fn lose_both(&self) {
        let program = Process::read(self.pid).unwrap().unwrap();
        self.lose_holder();
        wait_for("the program's end", || (!program.alive()).then_some(()));
    }

    /// Waits until its holder is stopped.
    #[track_caller]
    pub fn stop_holder(&self) {
        self.signal_holder(Signal::STOP);
        wait_for("the holder to stop", || {
            let process = Process::read(self.holder).ok().flatten()?;
            (process.state == 'T').then_some(())
        });
    }

    /// Its folder.
    pub fn folder(&self) -> PathBuf {
        self.sandbox.sessions().join(&self.name)
    }

    /// Waits until the session is in this state.
    #[track_caller]
    pub fn wait_for_state(&self, state: &str) {
        wait_for(&format!("{} to be {state}", self.name), || {
            (self.sandbox.status(&self.name)["state"] == state).then_some(())
        });
    }
}

/// Sends a signal to a process that is there.
#[track_caller]
pub fn signal_to(pid: Pid, signal: Signal) {
    Process::read(pid).unwrap().expect("it is there").signal(signal).unwrap();
}

/// Every process that can be seen.
fn all_processes() -> impl Iterator<Item = Process> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Process::read(Pid(pid)).ok().flatten())
}

/// An exit status as shells tell it.
pub fn code_of(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

fn collect(mut from: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (to, bytes) = channel();
    std::thread::spawn(move || {
        let mut all = Vec::new();
        let _ = from.read_to_end(&mut all);
        let _ = to.send(all);
    });
    bytes
}

/// A command as one would type it, more or less.
pub fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    format!("$ {}", words.join(" "))
}

/// Whether a path leads to a socket, folder or file at all.
pub fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

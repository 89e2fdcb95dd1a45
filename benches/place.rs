//! A tool on a place of its own: a folder, a clean environment, the sessions that
//! it was told to start. Dropped, it ends all that runs there.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use sess_sys::process::{self, Signal};
use sess_sys::{Entry, Pid, Process, child};
use tempfile::TempDir;

use crate::peers::{Exe, Meaning, Tool};
use crate::programs::{OBEDIENT, PAINTER, SLEEPER};
use crate::viewer::{Size, Viewer, wait};
use crate::{interrupt, vitals};

/// How long a command may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// By what the processes of a place are known.
const PLACE: &str = "SESS_BENCH_PLACE";

/// A tool's place.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) tool: &'static Tool,
    exe: PathBuf,
    env: Vec<(OsString, OsString)>,
    /// What programs say.
    said: File,
    heard: String,
    dir: TempDir,
}

impl Place {
    pub(crate) fn new(tool: &'static Tool) -> Result<Place, String> {
        let exe = tool.find().ok_or("not installed")?;
        let dir = TempDir::with_prefix("sess-bench-").map_err(|error| format!("/tmp: {error}"))?;
        let write = |name: &str, text: &str| {
            fs::write(dir.path().join(name), text).map_err(|error| format!("{name}: {error}"))
        };
        write("obedient", OBEDIENT)?;
        write("sleeper", SLEEPER)?;
        write("painter", PAINTER)?;
        for (name, text) in tool.files {
            write(name, text)?;
        }
        let own = dir.path().join("own");
        DirBuilder::new().mode(0o700).create(&own).map_err(|error| format!("own: {error}"))?;
        let path = dir.path().display().to_string();
        let meaning =
            Meaning { dir: dir.path(), name: "", cols: 0, rows: 0, lines: "", program: &[] };
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        let mut env: Vec<(OsString, OsString)> = vec![("PATH".into(), inherited)];
        let fixed = [
            ("HOME", path.as_str()),
            ("TERM", "xterm-256color"),
            ("SHELL", "/bin/sh"),
            ("LANG", "C.UTF-8"),
            (PLACE, &path),
        ];
        env.extend(fixed.map(|(key, value)| (key.into(), value.into())));
        let own = tool.env.iter();
        env.extend(own.map(|&(key, value)| (key.into(), meaning.word(value).into())));
        let said = pipe(&dir.path().join("said"))?;
        Ok(Place { tool, exe, env, said, heard: String::new(), dir })
    }

    // ---- sessions ----------------------------------------------------------

    /// Starts a session and leaves it detached; how long the command took.
    pub(crate) fn create(
        &self,
        name: &str,
        size: Size,
        program: &[String],
    ) -> Result<Duration, String> {
        self.run(self.tool.create, name, size, program)
    }

    /// Starts a session that obeys, and shows it in a terminal.
    pub(crate) fn open(&mut self, name: &str, size: Size) -> Result<(Viewer, Pid), String> {
        let program = self.obedient(name, None);
        let (mut viewer, pid) = if self.tool.exe == Exe::None {
            let viewer = self.view(&program, size)?;
            let pid = self.born(name)?;
            (viewer, pid)
        } else {
            self.create(name, size, &program)?;
            let pid = self.born(name)?;
            (self.attach(name, size, "none")?, pid)
        };
        viewer.greet()?;
        let holder = vitals::holder_of(pid).ok_or("its holder was not found")?;
        Ok((viewer, holder))
    }

    /// Starts a session that obeys a pipe and that nobody watches; of the bare
    /// command somebody must.
    pub(crate) fn open_detached(
        &mut self,
        name: &str,
        size: Size,
    ) -> Result<(File, Pid, Option<Viewer>), String> {
        let orders = pipe(&self.dir.path().join(format!("{name}.orders")))?;
        let program = self.obedient(name, Some(&format!("{name}.orders")));
        let viewer = if self.tool.exe == Exe::None {
            Some(self.view(&program, size)?)
        } else {
            self.create(name, size, &program)?;
            None
        };
        let pid = self.born(name)?;
        let holder = vitals::holder_of(pid).ok_or("its holder was not found")?;
        Ok((orders, holder, viewer))
    }

    /// Shows a session in a terminal.
    pub(crate) fn attach(&self, name: &str, size: Size, lines: &str) -> Result<Viewer, String> {
        self.shown(self.tool.attach, name, size, lines, &[])
    }

    /// Starts a session and shows it in a terminal.
    pub(crate) fn create_attached(
        &self,
        name: &str,
        size: Size,
        program: &[String],
    ) -> Result<Viewer, String> {
        self.shown(self.tool.create_attached, name, size, "none", program)
    }

    pub(crate) fn list(&self) -> Result<Duration, String> {
        self.run(self.tool.list, "", crate::viewer::SMALL, &[])
    }

    pub(crate) fn kill(&self, name: &str) -> Result<Duration, String> {
        self.run(self.tool.kill, name, crate::viewer::SMALL, &[])
    }

    fn shown(
        &self,
        template: &str,
        name: &str,
        size: Size,
        lines: &str,
        program: &[String],
    ) -> Result<Viewer, String> {
        let mut words = self.words(template, name, size, lines, program)?;
        words.insert(0, self.exe.display().to_string());
        self.view(&words, size)
    }

    fn view(&self, words: &[String], size: Size) -> Result<Viewer, String> {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        Viewer::open(&words, &self.env, size)
    }

    fn words(
        &self,
        template: &str,
        name: &str,
        size: Size,
        lines: &str,
        program: &[String],
    ) -> Result<Vec<String>, String> {
        if template.is_empty() {
            return Err("it does no such thing".to_owned());
        }
        let Size { cols, rows } = size;
        let dir = self.dir.path();
        Ok(Meaning { dir, name, cols, rows, lines, program }.words(template))
    }

    // ---- programs ----------------------------------------------------------

    fn script(&self, script: &str, name: &str) -> Vec<String> {
        let dir = self.dir.path();
        let script = dir.join(script).display().to_string();
        vec!["/bin/sh".to_owned(), script, name.to_owned(), dir.display().to_string()]
    }

    fn obedient(&self, name: &str, orders: Option<&str>) -> Vec<String> {
        let mut words = self.script("obedient", name);
        words.extend(orders.map(|orders| self.dir.path().join(orders).display().to_string()));
        words
    }

    /// A program that shows a file, if there is one, and sleeps.
    pub(crate) fn sleeper(&self, name: &str, file: Option<&Path>) -> Vec<String> {
        let mut words = self.script("sleeper", name);
        words.extend(file.map(|file| file.display().to_string()));
        words
    }

    /// A program that shows a file, then `~settled~` in that row, and sleeps.
    pub(crate) fn painter(&self, name: &str, file: &Path, row: u16) -> Vec<String> {
        let mut words = self.script("painter", name);
        words.extend([file.display().to_string(), row.to_string()]);
        words
    }

    /// Waits until a session's program says that it runs; its process.
    pub(crate) fn born(&mut self, name: &str) -> Result<Pid, String> {
        let (_, pid) = self.hear(&format!("{name} born "), None, PATIENCE)?;
        Ok(Pid(pid.parse().map_err(|_| format!("{pid} is no process"))?))
    }

    /// Waits until a program says something that begins like this; when it was
    /// heard, and the rest. What its terminal shows meanwhile is read, if there is
    /// a terminal.
    pub(crate) fn hear(
        &mut self,
        beginning: &str,
        mut viewer: Option<&mut Viewer>,
        patience: Duration,
    ) -> Result<(Instant, String), String> {
        let deadline = Instant::now() + patience;
        loop {
            let now = Instant::now();
            if let Some(at) = self.heard.find(beginning)
                && let Some(length) = self.heard[at..].find('\n')
            {
                let line: String = self.heard.drain(at..=at + length).collect();
                return Ok((now, line[beginning.len()..].trim_end().to_owned()));
            }
            if let Some(viewer) = &mut viewer {
                viewer.watch_until(&self.said, deadline)?;
            } else {
                let mut entry = [Entry::new(self.said.as_fd(), true, false)];
                wait(&mut entry, deadline, "its program said nothing")?;
            }
            let mut buffer = [0; 4096];
            let count = self.said.read(&mut buffer).map_err(|error| error.to_string())?;
            self.heard.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    }

    // ---- commands ----------------------------------------------------------

    /// Runs one of the tool's commands to its end; how long that took.
    fn run(
        &self,
        template: &str,
        name: &str,
        size: Size,
        program: &[String],
    ) -> Result<Duration, String> {
        let words = self.words(template, name, size, "none", program)?;
        let mut command = Command::new(&self.exe);
        command.args(&words);
        let (took, succeeded, complaint) = self.finish(&mut command)?;
        // screen's list says by its status how many there are.
        if succeeded || template == self.tool.list {
            return Ok(took);
        }
        Err(format!("{}: {complaint}", words.first().map_or("", String::as_str)))
    }

    /// Runs one of the tool's scripts to its end.
    pub(crate) fn script_run(&self, text: &str, name: &str, token: &str) -> Result<(), String> {
        let text = text
            .replace("{exe}", &self.exe.display().to_string())
            .replace("{dir}", &self.dir.path().display().to_string())
            .replace("{name}", name)
            .replace("{token}", token);
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &text]);
        match self.finish(&mut command)? {
            (_, true, _) => Ok(()),
            (_, false, complaint) => Err(complaint),
        }
    }

    /// Runs a command to its end: how long that took, whether it succeeded, and what
    /// it complained of.
    fn finish(&self, command: &mut Command) -> Result<(Duration, bool, String), String> {
        let complaints = self.dir.path().join("complaints");
        let stderr = File::create(&complaints).map_err(|error| error.to_string())?;
        command
            .env_clear()
            .envs(self.env.iter().map(|(key, value)| (key, value)))
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr);
        let begun = Instant::now();
        let child = command.spawn().map_err(|error| error.to_string())?;
        let (ended, succeeded) = ended(child)?;
        let complaints = fs::read_to_string(complaints).unwrap_or_default();
        let first = complaints.lines().next().unwrap_or("no reason given").to_owned();
        Ok((ended.saturating_duration_since(begun), succeeded, first))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let path = self.dir.path().display().to_string();
        // What holds them forgot its environment, perhaps.
        let ours = process::carrying(PLACE, &path).unwrap_or_default();
        let mut all: Vec<Process> = Vec::new();
        for process in ours {
            let holder = vitals::holder_of(process.pid).and_then(|pid| Process::read(pid).ok()?);
            if let Some(holder) = holder {
                all.push(process);
                all.push(holder);
            }
        }
        end(&all);
    }
}

/// Ends whatever this process started and left.
pub(crate) fn sweep() {
    let left = process::descendants(process::current(), &mut |_| false).unwrap_or_default();
    end(&left);
}

/// Kills these, and waits until they are gone.
fn end(processes: &[Process]) {
    for process in processes {
        // One that is gone already is what is wanted.
        let _ = process.signal(Signal::KILL);
    }
    let deadline = Instant::now() + Duration::from_secs(5);
    while processes.iter().any(Process::alive) && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(5));
    }
    while let Ok(Some(_)) = child::reap() {}
}

/// Waits for a command; when it ended, and whether well. One that hangs is ended.
fn ended(mut child: Child) -> Result<(Instant, bool), String> {
    let pid = Pid(i32::try_from(child.id()).map_err(|error| error.to_string())?);
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let status = child.wait();
        let now = Instant::now();
        // Nobody listens to one that hung.
        let _ = tell.send((now, status.is_ok_and(|status| status.success())));
    });
    match told.recv_timeout(PATIENCE) {
        Ok(ended) if !interrupt::came() => Ok(ended),
        Ok(_) => Err("interrupted".to_owned()),
        Err(_) => {
            if let Ok(Some(process)) = Process::read(pid) {
                let _ = process.signal(Signal::KILL);
            }
            Err(format!("it hung for {} s", PATIENCE.as_secs()))
        }
    }
}

/// A named pipe, open at both ends, so that nobody waits for anybody.
fn pipe(path: &Path) -> Result<File, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let made = Command::new("mkfifo").arg(path).status().map_err(failed)?;
    if !made.success() {
        return Err(format!("{}: no pipe", path.display()));
    }
    OpenOptions::new().read(true).write(true).open(path).map_err(failed)
}

/// Tells a session that obeys a pipe.
pub(crate) fn order(orders: &mut File, line: &str) -> Result<(), String> {
    orders.write_all(line.as_bytes()).map_err(|error| format!("orders: {error}"))
}

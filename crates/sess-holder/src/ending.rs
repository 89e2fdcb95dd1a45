//! Ending everything that a session started, however it detached itself.
//!
//! Done in steps by whoever is there to do it: the holder for its own session,
//! the command line where the holder can't. Other sessions' holders, and what is
//! theirs, are spared. Knows nothing of sockets or messages.

use std::collections::HashSet;
use std::io;
use std::time::{Duration, Instant};

use sess_proto::message::Survivor;
use sess_sys::process::{self, Pid, Process, Signal};

use crate::place::LOCK;

/// What a holder's command line begins with.
pub const TITLE: &str = "sess: ";
/// The environment variable that says which session a process belongs to.
pub const ID_VARIABLE: &str = "SESS_ID";
/// How long what can be asked is asked before it is made to, by default.
pub const GRACE: Duration = Duration::from_secs(5);
/// How long the command at a session's end may take.
pub const FAREWELL: Duration = Duration::from_secs(60);
/// How long a killed process may take to go.
const LAST_WAIT: Duration = Duration::from_secs(2);
/// The first pause between two looks, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(50));

/// Which processes are to end.
#[derive(Clone, Debug)]
pub enum Scope {
    /// All descendants of this one, which is a subreaper.
    Tree(Pid),
    /// All that carry this `SESS_ID`.
    Carriers(String),
}

/// The end of a session's processes, under way.
#[derive(Debug)]
pub struct Ending {
    scope: Scope,
    signals: Vec<Signal>,
    asked: HashSet<(Pid, u64)>,
    deadline: Instant,
    pause: Duration,
}

/// What comes next.
#[derive(Debug)]
pub enum Step {
    /// Call again after this time, or as soon as something has ended.
    Again(Duration),
    /// It is over; these could not be ended.
    Over(Vec<Survivor>),
}

impl Scope {
    /// The processes that live now, holders of other sessions and what is theirs
    /// left out.
    pub fn living(&self) -> io::Result<Vec<Process>> {
        let mut processes = match self {
            Self::Tree(root) => process::descendants(*root, &mut is_holder)?,
            Self::Carriers(id) => {
                let mut carriers = process::carrying(ID_VARIABLE, id)?;
                carriers.retain(|process| !is_holder(process));
                carriers
            }
        };
        processes.retain(|process| !matches!(process.state, 'Z' | 'X' | 'x'));
        Ok(processes)
    }
}

/// Whether a process is a session's holder: it says so and holds a lock of a
/// session's folder.
pub fn is_holder(process: &Process) -> bool {
    let says_so = process.command_line().is_ok_and(|command| command.starts_with(TITLE.as_bytes()));
    says_so
        && process.open_files().is_ok_and(|files| {
            files.iter().any(|file| {
                let name = file.file_name().map(|name| name.to_string_lossy());
                name.is_some_and(|name| name == LOCK || name == format!("{LOCK} (deleted)"))
            })
        })
}

impl Ending {
    /// Begins to end what is in `scope`: with `signal`, else SIGHUP and SIGTERM,
    /// and after `grace` with SIGKILL.
    pub fn begin(scope: Scope, signal: Option<Signal>, grace: Duration) -> Self {
        let mut signals = signal.map_or_else(|| vec![Signal::HUP, Signal::TERM], |one| vec![one]);
        // A stopped process hears of the others only when it goes on.
        signals.push(Signal::CONT);
        let now = Instant::now();
        Self {
            scope,
            signals,
            asked: HashSet::new(),
            deadline: now.checked_add(grace).unwrap_or(now + Duration::from_secs(365 * 86_400)),
            pause: PAUSE.0,
        }
    }

    /// Looks who lives, and asks or ends it.
    pub fn step(&mut self) -> io::Result<Step> {
        let living = self.scope.living()?;
        let now = Instant::now();
        if living.is_empty() {
            return Ok(Step::Over(Vec::new()));
        }
        if now >= self.deadline + LAST_WAIT {
            return Ok(Step::Over(living.iter().map(survivor).collect()));
        }
        for process in &living {
            if now >= self.deadline {
                // Who may not be signalled stays, and is named in the end.
                let _ = process.signal(Signal::KILL);
            } else if self.asked.insert((process.pid, process.start)) {
                for &signal in &self.signals {
                    let _ = process.signal(signal);
                }
            }
        }
        let pause = self.pause;
        self.pause = (pause * 2).min(PAUSE.1);
        let until_next = if now < self.deadline { self.deadline - now } else { pause };
        Ok(Step::Again(pause.min(until_next)))
    }

    /// Does all steps, waiting in between.
    pub fn run(mut self) -> io::Result<Vec<Survivor>> {
        loop {
            match self.step()? {
                Step::Again(pause) => std::thread::sleep(pause),
                Step::Over(survivors) => return Ok(survivors),
            }
        }
    }
}

fn survivor(process: &Process) -> Survivor {
    let command = process.command_line().unwrap_or_default();
    let command: Vec<&[u8]> =
        command.split(|&byte| byte == 0).filter(|argument| !argument.is_empty()).collect();
    let command = if command.is_empty() {
        process.name.clone()
    } else {
        String::from_utf8_lossy(&command.join(&b' ')).into_owned()
    };
    Survivor { pid: process.pid.0, command }
}

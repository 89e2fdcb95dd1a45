//! The end of a session: recorded, followed by the command that is to be run then, and
//! told. In this order, so that who is told can rely on the record and the name.

use std::ffi::{CStr, CString, NulError, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Instant, SystemTime};

use sess_proto::message::Exit;
use sess_sys::process::{self, Process, Signal};
use sess_sys::{Pid, Program};

use super::Holder;
use crate::ending::{FAREWELL, ID_VARIABLE, Scope};
use crate::policy::Cause;
use crate::record::{self, ExitRecord, OnExitRecord, UsageRecord};

/// What the shell at the end is told: a command line can be read by everybody, and the
/// configuration by its owner alone.
const EVALUATE: &CStr = c"command=$SESS_COMMAND; unset SESS_COMMAND; eval \"$command\"";

/// The command at a session's end, under way.
#[derive(Debug)]
pub(super) struct Farewell {
    pub(super) pid: Pid,
    pub(super) deadline: Instant,
    /// How it has ended.
    said: Option<Exit>,
    exit: Exit,
    record: ExitRecord,
}

impl Holder {
    /// Records the end, and goes on to the command that is to be run then.
    pub(super) fn conclude(&mut self, exit: Exit, cause: Cause) {
        let record = self.exit_record(exit, cause);
        self.record_end(&record);
        match self.run_at_end(exit) {
            None => self.give_up(exit),
            Some(Ok(pid)) => {
                let deadline = Instant::now() + FAREWELL;
                let said = None;
                self.farewell = Some(Farewell { pid, deadline, said, exit, record });
            }
            Some(Err(error)) => {
                let on_exit = OnExitRecord { error: Some(error), ..OnExitRecord::default() };
                self.record_exit(&ExitRecord { on_exit: Some(on_exit), ..record });
                self.give_up(exit);
            }
        }
    }

    /// Everything is written, how it ended last: then the rest is there. A full or
    /// read-only disk costs the record.
    fn record_end(&mut self, exit: &ExitRecord) {
        self.record_output();
        self.record_exit(exit);
    }

    fn record_exit(&self, exit: &ExitRecord) {
        if let Some(place) = &self.place
            && record::write_exit(place.folder(), exit).is_err()
        {
            // What it said counts for less.
            record::remove_output(place.folder());
            let _ = record::write_exit(place.folder(), exit);
        }
    }

    fn exit_record(&mut self, exit: Exit, cause: Cause) -> ExitRecord {
        let (code, signal) = split(exit);
        let start = self.recorder.start();
        let usage = process::usage_of_children();
        let usage = UsageRecord {
            user: usage.user.as_millis() as u64,
            system: usage.system.as_millis() as u64,
            max_rss: usage.max_rss_kib,
        };
        ExitRecord {
            id: start.id.clone(),
            run: start.run,
            code,
            signal,
            cause,
            time: now(),
            duration: Some(self.began.elapsed().as_millis() as u64),
            usage: Some(usage),
            on_exit: None,
        }
    }

    /// Starts the command that is to be run at the end, if there is one.
    fn run_at_end(&mut self, exit: Exit) -> Option<Result<Pid, String>> {
        let start = self.recorder.start();
        let command = start.policies.on_exit.clone()?;
        let program = self.program.as_ref()?;
        let (code, signal) = split(exit);
        let variables = [
            ("SESS_SESSION", start.name.clone()),
            ("SESS_EXIT_CODE", code.map(|code| code.to_string()).unwrap_or_default()),
            ("SESS_EXIT_SIGNAL", signal.map(signal_name).unwrap_or_default()),
        ];
        let begun = at_end(program, &command, &variables).map_err(|error| error.to_string());
        Some(begun.and_then(|program| program.spawn_aside().map_err(|error| error.to_string())))
    }

    /// The command at the end has ended.
    pub(super) fn farewell_said(&mut self, end: Exit) {
        if let Some(farewell) = &mut self.farewell {
            farewell.said = Some(end);
        }
        self.take_leave();
    }

    /// Goes on where the command at the end has ended. Who ends what the session left
    /// running is waited for, too.
    pub(super) fn take_leave(&mut self) {
        let is_said = self.farewell.as_ref().is_some_and(|farewell| farewell.said.is_some());
        if is_said
            && self.ending.is_none()
            && let Some(Farewell { exit, mut record, said, .. }) = self.farewell.take()
        {
            let (code, signal) = said.map_or((None, None), split);
            record.on_exit = Some(OnExitRecord { code, signal, error: None });
            self.record_exit(&record);
            self.give_up(exit);
        }
    }

    /// The command at the end takes too long: it is ended with what it started, which
    /// will be heard.
    pub(super) fn cut_farewell_short(&mut self) {
        if let Some(farewell) = &mut self.farewell {
            farewell.deadline = Instant::now() + FAREWELL;
            let started = Scope::Tree(farewell.pid).living().unwrap_or_default();
            let itself = Process::read(farewell.pid).ok().flatten();
            for process in itself.into_iter().chain(started) {
                let _ = process.signal(Signal::KILL);
            }
        }
    }

    /// Gives up the name, and tells everybody.
    fn give_up(&mut self, exit: Exit) {
        if let Some(place) = self.place.take() {
            let _ = place.remove_scripts();
            let _ = place.leave();
        }
        self.session.concluded(exit);
    }
}

/// As it is written: a code or a signal.
fn split(exit: Exit) -> (Option<u8>, Option<i32>) {
    match exit {
        Exit::Code(code) => (Some(code), None),
        Exit::Signal(signal) => (None, Some(signal)),
    }
}

fn signal_name(signal: i32) -> String {
    Signal::new(signal).map_or_else(|| signal.to_string(), |signal| signal.to_string())
}

/// The shell with this command, in the program's place, but that it is no part of the
/// session: nobody who ends that means it.
fn at_end(
    program: &Program,
    command: &str,
    variables: &[(&str, String)],
) -> Result<Program, NulError> {
    let is_set = |variable: &CString, name: &str| {
        variable.as_bytes().strip_prefix(name.as_bytes()).is_some_and(|rest| rest.starts_with(b"="))
    };
    let gone = |variable: &CString| {
        is_set(variable, ID_VARIABLE) || variables.iter().any(|(name, _)| is_set(variable, name))
    };
    let mut env = program.env.clone();
    env.retain(|variable| !gone(variable));
    for (name, value) in variables {
        env.push(CString::new(format!("{name}={value}"))?);
    }
    env.push(CString::new(format!("SESS_COMMAND={command}"))?);
    let argv = vec![c"sh".into(), c"-c".into(), EVALUATE.into()];
    // Whatever has become of the directory: it is run.
    let is_there = |cwd: &CString| Path::new(OsStr::from_bytes(cwd.as_bytes())).is_dir();
    let cwd = program.cwd.clone().filter(is_there).or(Some(c"/".into()));
    Ok(Program { argv, candidates: vec![c"/bin/sh".into()], env, cwd, ..program.clone() })
}

fn now() -> u64 {
    let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    wall.as_millis() as u64
}

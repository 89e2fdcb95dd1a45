//! Starting a session: its name taken, its program's environment made, its
//! holder sent off.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result};
use sess_holder::place::{Claim, LOCK};
use sess_holder::record::{self, Creator, Output, StartRecord, Text};
use sess_holder::{Start, Started};
use sess_proto::SessionName;
use sess_proto::message::Size;
use sess_sys::{Program, Stream, Watched, process};

use crate::config::Config;
use crate::directory::{self, Directory};
use crate::error::Failure;
use crate::output::State;
use crate::remains;
use crate::survey::{now, survey};

mod ageing;
mod environment;
mod room;

pub(crate) use environment::{AGENT_VARIABLE, Environment};

/// How long it is waited for somebody who has the lock and doesn't answer.
const CONTENTION: Duration = Duration::from_secs(2);
/// The same for somebody who has just begun, as the missing record tells: on a busy
/// machine that can take a while.
const BEGINNING: Duration = Duration::from_secs(20);
/// The pause before it is tried again.
const RETRY: Duration = Duration::from_millis(2);

/// What is to be started.
pub(crate) struct Request<'a> {
    /// The session's name; without one it gets the smallest free number.
    pub(crate) name: Option<SessionName>,
    /// The program; empty is the user's shell.
    pub(crate) command: Vec<OsString>,
    /// Where it starts; else where we are.
    pub(crate) cwd: Option<PathBuf>,
    /// Variables on top of our environment.
    pub(crate) env: Vec<(OsString, OsString)>,
    /// The terminal's first size.
    pub(crate) size: Size,
    /// What it is labelled with.
    pub(crate) labels: Vec<(String, String)>,
    /// The process that it ends with.
    pub(crate) companion: Option<Watched>,
    /// What else it is to be like.
    pub(crate) config: &'a Config,
    /// Whether a connection is wanted.
    pub(crate) attach: bool,
}

/// A session that has started.
#[derive(Debug)]
pub(crate) struct Launched {
    /// Its name.
    pub(crate) name: SessionName,
    /// A connection to it, if that was wanted.
    pub(crate) stream: Option<Stream>,
}

/// Starts a session; returns when its program runs and its socket answers.
pub(crate) fn launch(request: Request<'_>) -> Result<Launched> {
    let command = command(request.command)?;
    let cwd = working_directory(request.cwd.as_deref())?;
    // In this order: the one that is made for it is among all.
    let home = directory::for_new()?;
    let others = directory::all()?;
    let config = request.config;
    let id = format!("{:016x}", process::random_u64()?);
    let mut env = Environment::ours();
    if request.cwd.is_some() {
        env.set("PWD", &cwd);
    }
    // Held until it runs, so that others count it. Nobody has to go for what can't be run.
    let _room = match config.max_sessions {
        Some(most) if env.can_run(&command, &request.env, &cwd) => {
            Some(room::make(most, config.evict, &home, &others, request.name.as_ref())?)
        }
        _ => None,
    };
    let claim = match &request.name {
        Some(name) => claim(&others, &home, name)?,
        None => claim_number(&others, &home)?,
    };
    env.settle(&claim, &id, &request.env);
    let record = StartRecord {
        command: command.iter().map(Text::from).collect(),
        cwd: Text::from(&cwd),
        created: now().0,
        size: (request.size.cols, request.size.rows),
        history: config.history as usize,
        journal: config.journal,
        labels: request.labels.into_iter().collect(),
        environment: env.kept(&config.record_environment, &request.env),
        umask: process::umask(),
        record_output: config.record_output,
        policies: config.policies(),
        id,
        ..StartRecord::default()
    };
    let what = What { record, cwd, env, earlier: None, companion: request.companion };
    begin(claim, what, request.size, request.attach, || ageing::remove_old(config, &others))
}

/// What a session is begun with.
pub(crate) struct What {
    /// How it is written down; who begins it, and when, is filled in.
    pub(crate) record: StartRecord,
    /// Where it starts.
    pub(crate) cwd: PathBuf,
    /// Its program's environment.
    pub(crate) env: Environment,
    /// What it said before.
    pub(crate) earlier: Option<Output>,
    /// The process that it ends with.
    pub(crate) companion: Option<Watched>,
}

/// Begins a session whose name was taken; returns when its program runs. What has time
/// is done meanwhile.
pub(crate) fn begin(
    claim: Claim,
    what: What,
    size: Size,
    attach: bool,
    meanwhile: impl FnOnce(),
) -> Result<Launched> {
    let What { mut record, cwd, env, earlier, companion } = what;
    let name = claim.name.clone();
    record.begun = now().0;
    record.by = Creator { uid: process::uid(), pid: process::current().0 };
    let command: Vec<OsString> = record.command.iter().map(Text::to_os).collect();
    let program = match Program::new(&command, &env.variables, &cwd, record.umask, None) {
        Ok(program) => program,
        Err(error) => {
            let _ = claim.withdraw();
            let text = format!("the command can't be passed on: {error}");
            let was_typed = earlier.is_none();
            let failure = if was_typed { Failure::usage(text) } else { Failure::failed(text) };
            return Err(failure.into());
        }
    };
    let (stream, creator) = match attach.then(Stream::pair) {
        None => (None, None),
        Some(Ok((ours, theirs))) => (Some(ours), Some(theirs)),
        Some(Err(error)) => {
            let _ = claim.withdraw();
            return Err(error.into());
        }
    };
    let shown = record.command.first().map(Text::shown).unwrap_or_default();
    let agent = env.agent;
    let start = Start { claim, program, record, size, earlier, companion, agent, creator };
    let outcome = sess_holder::start(start).context("failed to start the session's process")?;
    meanwhile();
    match Started::decode(&outcome.wait()?) {
        Started::Running => Ok(Launched { name, stream }),
        Started::CannotRun { code: 127, .. } => Err(Failure::no_such_command(&shown).into()),
        Started::CannotRun { reason, .. } => Err(Failure::cannot_run(&shown, &reason).into()),
        Started::Failed(reason) => {
            Err(Failure::failed(format!("can't start session {name}: {reason}")).into())
        }
    }
}

/// The command, else the user's shell.
fn command(command: Vec<OsString>) -> Result<Vec<OsString>> {
    if command.first().is_some_and(|program| program.is_empty()) {
        return Err(Failure::usage("the command is empty").into());
    }
    if !command.is_empty() {
        return Ok(command);
    }
    let shell = std::env::var_os("SHELL")
        .filter(|shell| !shell.is_empty())
        .or_else(|| process::account().shell.map(PathBuf::into_os_string))
        .unwrap_or_else(|| "/bin/sh".into());
    Ok(vec![shell])
}

fn working_directory(asked: Option<&Path>) -> Result<PathBuf> {
    let path = match asked {
        None => std::env::current_dir()
            .map_err(|error| Failure::failed(format!("the working directory: {error}")))?,
        Some(path) => std::path::absolute(path)
            .map_err(|error| Failure::failed(format!("{}: {error}", path.display())))?,
    };
    match std::fs::metadata(&path) {
        Ok(meta) if meta.is_dir() => Ok(path),
        Ok(_) => Err(Failure::failed(format!("{} is no directory", path.display())).into()),
        Err(error) => {
            Err(Failure::failed(format!("the directory {}: {error}", path.display())).into())
        }
    }
}

/// Takes a name that was asked for.
fn claim(others: &[Directory], home: &Directory, name: &SessionName) -> Result<Claim> {
    let mut contender = (contender(home, name), Instant::now());
    loop {
        let everywhere = (0..others.len()).map(|index| (index, name.clone())).collect();
        let found = survey(others, everywhere, true)?;
        if found.iter().any(|one| one.state == State::Running) {
            return Err(Failure::taken(name.as_str()).into());
        }
        let alive_elsewhere =
            found.iter().any(|one| !one.state.is_over() && others[one.directory].path != home.path);
        if !alive_elsewhere
            && let Some(claim) = Claim::take(&home.path, &home.dir, name)
                .map_err(|error| cannot_make(home, name, &error))?
        {
            remains::leave_the_living_alone(&claim)?;
            return Ok(claim);
        }
        // One that starts just now answers when its program runs, and makes room if
        // that can't be run. Only who neither answers nor goes has the name.
        let now = self::contender(home, name);
        if now != contender.0 {
            contender = (now, Instant::now());
        }
        let begins = || home.folder(name).is_none_or(|it| record::read(&it).start.is_none());
        let waited = contender.1.elapsed();
        if waited >= BEGINNING || (waited >= CONTENTION && !begins()) {
            return Err(Failure::taken(name.as_str()).into());
        }
        std::thread::sleep(RETRY);
    }
}

/// Which lock it is that somebody else has: another one is another contender's. The
/// time is there because numbers of removed files are given again.
fn contender(home: &Directory, name: &SessionName) -> Option<(u64, SystemTime)> {
    let lock = home.folder(name)?.metadata_of(OsStr::new(LOCK)).ok()?;
    Some((lock.ino, lock.modified))
}

/// Takes the smallest number of which there is nothing at all.
fn claim_number(others: &[Directory], home: &Directory) -> Result<Claim> {
    for number in 1..u32::MAX {
        let name = SessionName::new(&number.to_string())
            .map_err(|error| Failure::failed(error.to_string()))?;
        let nothing = |directory: &Directory| directory.dir.metadata_of(name.as_ref()).is_err();
        if !others.iter().all(nothing) || !nothing(home) {
            continue;
        }
        let claim = Claim::take(&home.path, &home.dir, &name)
            .map_err(|error| cannot_make(home, &name, &error))?;
        // Somebody else may have come and gone in between.
        if let Some(claim) = claim
            && record::read(&claim.folder) == record::Record::default()
        {
            return Ok(claim);
        }
    }
    Err(Failure::failed("no number is free").into())
}

fn cannot_make(home: &Directory, name: &SessionName, error: &std::io::Error) -> Failure {
    Failure::failed(format!("can't make {}: {error}", home.path.join(name.as_str()).display()))
}

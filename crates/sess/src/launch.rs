//! Starting a session: its name taken, its program's environment made, its
//! holder sent off.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result};
use sess_holder::ending::{ID_VARIABLE, Scope};
use sess_holder::place::{AGENTS, Claim, LOCK};
use sess_holder::{Start, Started, record};
use sess_proto::SessionName;
use sess_proto::message::Size;
use sess_sys::{Program, Stream, process};

use crate::directory::{self, Directory};
use crate::error::{Failure, Kind};
use crate::output::State;
use crate::survey::{now, survey};

/// What belongs to the creator's terminal or multiplexer.
const LEFT_BEHIND: [&str; 6] = ["TMUX", "TMUX_PANE", "STY", "WINDOWID", "LINES", "COLUMNS"];
/// The same, by how it begins.
const LEFT_BEHIND_PREFIX: &[u8] = b"ZELLIJ";
/// The longest path that ssh takes for its agent's socket, in bytes.
const AGENT_PATH: usize = 107;
/// How long it is waited for somebody who has the lock and doesn't answer.
const CONTENTION: Duration = Duration::from_secs(2);
/// The same for somebody who has just begun, as the missing record tells: on a busy
/// machine that can take a while.
const BEGINNING: Duration = Duration::from_secs(20);
/// The pause before it is tried again.
const RETRY: Duration = Duration::from_millis(2);

/// What is to be started.
#[derive(Debug)]
pub(crate) struct Request {
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
    /// Lines of history that are kept.
    pub(crate) history: usize,
    /// Bytes of output that are kept raw.
    pub(crate) journal: usize,
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
pub(crate) fn launch(request: Request) -> Result<Launched> {
    let command = command(request.command)?;
    let cwd = working_directory(request.cwd.as_deref())?;
    // In this order: the one that is made for it is among all.
    let home = directory::for_new()?;
    let others = directory::all()?;
    let claim = match &request.name {
        Some(name) => claim(&others, &home, name)?,
        None => claim_number(&others, &home)?,
    };
    let id = format!("{:016x}", process::random_u64()?);
    let name = claim.name.clone();
    let (env, agent) =
        environment(&request.env, &name, &id, &home.path, request.cwd.is_some().then_some(&*cwd));
    let program = match Program::new(&command, &env, &cwd, process::umask(), None) {
        Ok(program) => program,
        Err(error) => {
            let _ = claim.withdraw();
            return Err(Failure::usage(format!("the command can't be passed on: {error}")).into());
        }
    };
    let (stream, creator) = if request.attach {
        let (ours, theirs) = Stream::pair()?;
        (Some(ours), Some(theirs))
    } else {
        (None, None)
    };
    let start = Start {
        claim,
        id,
        program,
        command: command.iter().map(|arg| arg.to_string_lossy().into_owned()).collect(),
        cwd: cwd.to_string_lossy().into_owned(),
        created: now().0,
        labels: request.labels,
        size: request.size,
        journal: request.journal,
        history: request.history,
        agent,
        creator,
    };
    let outcome = sess_holder::start(start).context("failed to start the session's process")?;
    let shown = command[0].to_string_lossy();
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
            return leave_the_living_alone(claim);
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

/// Refuses to take the place of a dead session whose processes live on.
fn leave_the_living_alone(claim: Claim) -> Result<Claim> {
    let record = record::read(&claim.folder);
    let Some(start) = record.start.filter(|_| record.exit.is_none()) else {
        return Ok(claim);
    };
    if Scope::Carriers(start.id).living()?.is_empty() {
        return Ok(claim);
    }
    let mut failure = Failure::left_running(claim.name.as_str());
    failure.kind = Kind::Failed;
    Err(failure.into())
}

/// The program's environment, and the agent that its link leads to.
fn environment(
    extra: &[(OsString, OsString)],
    name: &SessionName,
    id: &str,
    root: &Path,
    moved_to: Option<&Path>,
) -> (Vec<(OsString, OsString)>, Option<PathBuf>) {
    use std::os::unix::ffi::OsStrExt;
    let mut env: Vec<(OsString, OsString)> = std::env::vars_os()
        .filter(|(key, _)| {
            !LEFT_BEHIND.iter().any(|left| key == left)
                && !key.as_bytes().starts_with(LEFT_BEHIND_PREFIX)
        })
        .collect();
    let term = get(&env, "TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    if term {
        set(&mut env, "TERM", "xterm-256color");
    }
    if let Some(cwd) = moved_to {
        set(&mut env, "PWD", cwd);
    }
    let link = root.join(AGENTS).join(id);
    let agent = get(&env, "SSH_AUTH_SOCK").filter(|path| !path.is_empty()).map(PathBuf::from);
    let agent = agent.filter(|_| link.as_os_str().len() <= AGENT_PATH);
    if agent.is_some() {
        set(&mut env, "SSH_AUTH_SOCK", &link);
    }
    for (key, value) in extra {
        set(&mut env, key, value);
    }
    set(&mut env, "SESS_SESSION", name.as_str());
    set(&mut env, ID_VARIABLE, id);
    (env, agent)
}

fn get<'a>(env: &'a [(OsString, OsString)], key: &str) -> Option<&'a OsStr> {
    env.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_os_str())
}

fn set(env: &mut Vec<(OsString, OsString)>, key: impl AsRef<OsStr>, value: impl AsRef<OsStr>) {
    let (key, value) = (key.as_ref(), value.as_ref().to_owned());
    match env.iter_mut().find(|(name, _)| name == key) {
        Some((_, old)) => *old = value,
        None => env.push((key.to_owned(), value)),
    }
}

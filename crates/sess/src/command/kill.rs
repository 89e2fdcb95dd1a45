//! `sess kill`.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use sess_holder::ending::{Ending, Scope};
use sess_holder::place::{AGENTS, Claim};
use sess_holder::record::{self, ExitRecord};
use sess_proto::HolderMessage;
use sess_proto::message::{Kill, Survivor};
use sess_sys::process::Signal;
use sess_sys::{Process, process};

use crate::cli::KillArgs;
use crate::connection::Connection;
use crate::directory::{self, Directory};
use crate::error::{Failure, Kind};
use crate::lookup;
use crate::output::{State, escape};
use crate::survey::{Sighting, is_held};

/// How long a holder that goes on again may take to notice its program's end.
const LAST_CHANCE: Duration = Duration::from_millis(500);
/// How long it takes at most until a process that was killed is gone.
const GONE: Duration = Duration::from_secs(2);
/// The pause between two looks at a process.
const PAUSE: Duration = Duration::from_millis(2);

/// How to end a session.
#[derive(Clone, Copy)]
struct How {
    signal: Option<Signal>,
    grace: Duration,
}

pub(super) fn run(args: &KillArgs) -> Result<u8> {
    let signal = match &args.signal {
        None => None,
        Some(text) => Some(Signal::parse(text).ok_or_else(|| {
            Failure::usage(format!("no such signal: {text}"))
                .hint("a signal is a name or number, as INT, SIGINT or 2")
        })?),
    };
    let how = How { signal, grace: args.grace };
    let directories = directory::all()?;
    let targets: Vec<Result<Sighting>> = if args.all {
        let mut all = lookup::everything(&directories, false)?;
        all.retain(|one| !one.state.is_over());
        all.into_iter().map(Ok).collect()
    } else {
        args.names.iter().map(|name| lookup::find(&directories, name)).collect()
    };
    // All are asked before any is waited for, so that one that takes its grace holds
    // up nobody; the one that we are in comes last, for we go with it.
    let around = process::ancestors(process::current());
    let mut targets = targets;
    targets.sort_by_key(|target| {
        let holder = target.as_ref().ok().and_then(|sighting| sighting.holder);
        holder.is_some_and(|holder| around.iter().any(|process| process.pid == holder))
    });
    let asked: Vec<_> = targets
        .into_iter()
        .map(|target| {
            target.map(|sighting| {
                let connection = ask(&directories, &sighting, how);
                (sighting, connection)
            })
        })
        .collect();
    Ok(super::each(asked, |target| {
        let (sighting, connection) = target?;
        kill(&directories, &sighting, connection, how)
    }))
}

/// Asks the holder of a running session to end it; what goes wrong with that
/// shows when it is waited for.
fn ask(directories: &[Directory], sighting: &Sighting, how: How) -> Option<Connection> {
    if sighting.state != State::Running {
        return None;
    }
    let folder = sighting.folder(directories).ok()?;
    let connection = Connection::open(&folder, sighting.name.as_str()).ok()?;
    let signal = how.signal.map(Signal::number);
    connection.send(Kill { signal, grace: how.grace.as_millis() as u64 }).ok()?;
    Some(connection)
}

fn kill(
    directories: &[Directory],
    sighting: &Sighting,
    connection: Option<Connection>,
    how: How,
) -> Result<()> {
    let survivors = match sighting.state {
        State::Running => by_holder(directories, sighting, connection, how)?,
        State::Unresponsive => over_the_holder(directories, sighting, how)?,
        State::Exited => leftovers(sighting, how)?,
        State::Dead => {
            let survivors = leftovers(sighting, how)?;
            if survivors.is_empty() {
                remove(directories, sighting)?;
            }
            survivors
        }
    };
    if survivors.is_empty() {
        return Ok(());
    }
    let list: Vec<String> =
        survivors.iter().map(|one| format!("{} ({})", one.pid, escape(&one.command))).collect();
    let name = &sighting.name;
    Err(Failure::new(
        Kind::Failed,
        format!("session {name}: these processes could not be ended: {}", list.join(", ")),
    )
    .into())
}

/// The holder does it.
fn by_holder(
    directories: &[Directory],
    sighting: &Sighting,
    connection: Option<Connection>,
    how: How,
) -> Result<Vec<Survivor>> {
    // Its own time limits hold; one that is stopped meanwhile we can wait for, but
    // not for ever.
    let deadline = Instant::now().checked_add(how.grace.saturating_add(2 * GONE));
    let answer = connection.and_then(|mut connection| {
        let killed = connection.receive(deadline, |message| match message {
            HolderMessage::Killed(killed) => Some(killed.survivors),
            _ => None,
        });
        killed.ok()
    });
    if let Some(survivors) = answer {
        return Ok(survivors);
    }
    // It may have ended by itself just now.
    let now = lookup::find(directories, &sighting.name)?;
    match now.state {
        State::Exited | State::Dead => leftovers(&now, how),
        State::Unresponsive => over_the_holder(directories, &now, how),
        State::Running => Err(Failure::unresponsive(sighting.name.as_str()).into()),
    }
}

/// The holder does not answer: its tree goes first and it goes last. A stopped
/// one that goes on then records the end itself.
fn over_the_holder(
    directories: &[Directory],
    sighting: &Sighting,
    how: How,
) -> Result<Vec<Survivor>> {
    let name = sighting.name.as_str();
    let holder = sighting
        .holder
        .ok_or_else(|| Failure::failed(format!("the holder of session {name} can't be found")))?;
    let Some(process) = Process::read(holder)? else {
        return leftovers(sighting, how);
    };
    let survivors = Ending::begin(Scope::Tree(holder), how.signal, how.grace).run()?;
    if !survivors.is_empty() {
        return Ok(survivors);
    }
    process.signal(Signal::CONT)?;
    if !is_gone(&process, LAST_CHANCE) {
        process.signal(Signal::KILL)?;
        if !is_gone(&process, GONE) {
            let command = format!("the holder of {name}");
            return Ok(vec![Survivor { pid: holder.0, command }]);
        }
        record_end(directories, sighting)?;
    }
    Ok(Vec::new())
}

/// Waits until a process is gone.
fn is_gone(process: &Process, patience: Duration) -> bool {
    let deadline = Instant::now() + patience;
    while process.alive() {
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(PAUSE);
    }
    true
}

/// Writes down, in the holder's place, that its session was killed.
fn record_end(directories: &[Directory], sighting: &Sighting) -> Result<()> {
    let Some(claim) = claim(directories, sighting)? else {
        return Ok(());
    };
    let Some(start) = record::read(&claim.folder).start else {
        return Ok(());
    };
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let exit = ExitRecord {
        id: start.id,
        code: None,
        signal: Some(Signal::KILL.number()),
        time: time.as_millis() as u64,
        offset: 0,
        history_lines: 0,
        title: String::new(),
        size: start.size,
        last_output: None,
        last_input: None,
    };
    // A full or read-only disk costs the record.
    let _ = record::write_exit(&claim.folder, &exit);
    let _ = claim.clear();
    Ok(())
}

/// Ends what still carries the session's id.
fn leftovers(sighting: &Sighting, how: How) -> Result<Vec<Survivor>> {
    let Some(start) = &sighting.record.start else {
        return Ok(Vec::new());
    };
    Ok(Ending::begin(Scope::Carriers(start.id.clone()), how.signal, how.grace).run()?)
}

/// Removes what a dead session has left on disk.
fn remove(directories: &[Directory], sighting: &Sighting) -> Result<()> {
    let Some(claim) = claim(directories, sighting)? else {
        return Ok(());
    };
    if let Some(start) = &sighting.record.start
        && let Ok(agents) = claim.root.open_in(AGENTS.as_ref())
    {
        let _ = agents.remove_file(start.id.as_ref());
    }
    let path = claim.root_path.join(claim.name.as_str());
    claim.remove().map_err(|error| {
        Failure::failed(format!("can't remove {}: {error}", path.display())).into()
    })
}

/// The place of a session that is over; `None` if somebody has it again, or
/// nothing of it is left.
fn claim(directories: &[Directory], sighting: &Sighting) -> Result<Option<Claim>> {
    let directory = &directories[sighting.directory];
    match directory.folder(&sighting.name) {
        Some(folder) if !is_held(&folder) => {}
        _ => return Ok(None),
    }
    let claim = Claim::take(&directory.path, &directory.dir, &sighting.name)?;
    let theirs = |claim: &Claim| {
        let now = record::read(&claim.folder).start.map(|start| start.id);
        now == sighting.record.start.as_ref().map(|start| start.id.clone())
    };
    Ok(claim.filter(theirs))
}

//! Ending sessions: by their holders, and where these can't, in their place. Must not
//! know who asks for that.

use std::time::{Duration, Instant};

use anyhow::Result;
use sess_holder::ending::{Ending, FAREWELL, GRACE, Scope};
use sess_holder::policy::Cause;
use sess_holder::record::{self, ExitRecord};
use sess_proto::HolderMessage;
use sess_proto::message::{Kill, Survivor};
use sess_sys::Process;
use sess_sys::process::Signal;

use crate::connection::Connection;
use crate::directory::Directory;
use crate::error::{Failure, Kind};
use crate::lookup;
use crate::output::{State, escape};
use crate::remains;
use crate::survey::{Sighting, now};

/// How long a holder that goes on again may take to notice its program's end.
const LAST_CHANCE: Duration = Duration::from_millis(500);
/// How long it takes at most until a process that was killed is gone.
const GONE: Duration = Duration::from_secs(2);
/// The pause between two looks at a process.
const PAUSE: Duration = Duration::from_millis(2);

/// How to end a session.
#[derive(Clone, Copy)]
pub(crate) struct How {
    /// What it is asked with, in place of the usual.
    pub(crate) signal: Option<Signal>,
    /// How long it is asked before it is made to.
    pub(crate) grace: Duration,
}

impl Default for How {
    fn default() -> Self {
        Self { signal: None, grace: GRACE }
    }
}

/// Asks the holder of a running session to end it; what goes wrong with that
/// shows when it is waited for.
pub(crate) fn ask(directories: &[Directory], sighting: &Sighting, how: How) -> Option<Connection> {
    if sighting.state != State::Running {
        return None;
    }
    let folder = sighting.folder(directories).ok()?;
    let connection = Connection::open(&folder, sighting.name.as_str()).ok()?;
    let signal = how.signal.map(Signal::number);
    connection.send(Kill { signal, grace: how.grace.as_millis() as u64 }).ok()?;
    Some(connection)
}

/// Ends a session, whatever its state; `connection` is what asking has come to.
pub(crate) fn end(
    directories: &[Directory],
    sighting: &Sighting,
    connection: Option<Connection>,
    how: How,
) -> Result<()> {
    let survivors = match sighting.state {
        State::Running => by_holder(directories, sighting, connection, how)?,
        State::Unresponsive => over_the_holder(directories, sighting, how)?,
        State::Exited => {
            let survivors = leftovers(sighting, how)?;
            if sighting.record.was_taken() {
                // Whoever ends it doesn't want it back.
                record_end(directories, sighting)?;
            }
            survivors
        }
        State::Dead => {
            let survivors = leftovers(sighting, how)?;
            if survivors.is_empty()
                && let Some(claim) = remains::claim(directories, sighting)?
            {
                remains::remove(claim)?;
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
    let record = sighting.folder(directories).map(|folder| record::read(&folder));
    let start = record.ok().and_then(|record| record.start);
    let has_farewell = start.is_some_and(|start| start.policies.on_exit.is_some());
    let farewell = if has_farewell { FAREWELL } else { Duration::ZERO };
    let deadline = Instant::now().checked_add(how.grace.saturating_add(2 * GONE + farewell));
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
    // So that it starts nothing again when it goes on.
    process.signal(Signal::TERM)?;
    process.signal(Signal::CONT)?;
    if !is_gone(&process, LAST_CHANCE) {
        process.signal(Signal::KILL)?;
        if !is_gone(&process, GONE) {
            let command = format!("the holder of {name}");
            return Ok(vec![Survivor { pid: holder.0, command }]);
        }
    }
    record_end(directories, sighting)?;
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

/// Writes down, in the holder's place, that its session was killed. One that went on
/// for its end knows how its program ended, but not who wanted that.
fn record_end(directories: &[Directory], sighting: &Sighting) -> Result<()> {
    let Some(claim) = remains::claim(directories, sighting)? else {
        return Ok(());
    };
    let record = record::read(&claim.folder);
    let Some(start) = record.start else {
        return Ok(());
    };
    let told = record.exit.map(|exit| ExitRecord { cause: Cause::Killed, ..exit });
    let exit = told.unwrap_or_else(|| ExitRecord {
        id: start.id,
        run: start.run,
        code: None,
        signal: Some(Signal::KILL.number()),
        cause: Cause::Killed,
        time: now().0,
        duration: None,
        usage: None,
        on_exit: None,
    });
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

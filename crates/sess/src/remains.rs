//! What sessions leave that are over: taking it over, and removing it. Nothing is done
//! without the lock, and nothing to a session that isn't the one that was seen.

use std::io;
use std::time::Duration;

use anyhow::Result;
use sess_holder::ending::Scope;
use sess_holder::place::{AGENTS, Claim};
use sess_holder::record::{self, Record, StartRecord};
use sess_sys::process;

use crate::directory::Directory;
use crate::error::{Failure, Kind};
use crate::output::Time;
use crate::survey::{Sighting, is_held};

/// The place of a session that is over; `None` if somebody has it again, or
/// nothing of it is left.
pub(crate) fn claim(directories: &[Directory], sighting: &Sighting) -> Result<Option<Claim>> {
    let directory = &directories[sighting.directory];
    match directory.folder(&sighting.name) {
        Some(folder) if !is_held(&folder) => {}
        _ => return Ok(None),
    }
    let claim = Claim::take(&directory.path, &directory.dir, &sighting.name)?;
    Ok(claim.filter(|claim| id(&record::read(&claim.folder)) == id(&sighting.record)))
}

fn id(record: &Record) -> Option<&str> {
    record.start.as_ref().map(|start| start.id.as_str())
}

/// Refuses what would take a dead session's place whose processes live on. What an
/// exited one left running runs on.
pub(crate) fn leave_the_living_alone(claim: &Claim) -> Result<()> {
    let record = record::read(&claim.folder);
    let Some(start) = record.start.filter(|_| record.exit.is_none()) else {
        return Ok(());
    };
    if Scope::Carriers(start.id).living()?.is_empty() {
        return Ok(());
    }
    let failure = Failure::left_running(claim.name.as_str());
    Err(Failure { kind: Kind::Failed, ..failure }.into())
}

/// Removes a session's folder, and the link to its agent.
pub(crate) fn remove(claim: Claim) -> Result<()> {
    if let Some(start) = record::read(&claim.folder).start
        && let Ok(agents) = claim.root.open_in(AGENTS.as_ref())
    {
        let _ = agents.remove_file(start.id.as_ref());
    }
    let path = claim.root_path.join(claim.name.as_str());
    claim.remove().map_err(|error: io::Error| {
        Failure::failed(format!("can't remove {}: {error}", path.display())).into()
    })
}

/// How long ago a session that is over gave its last sign of life; nothing if a clock
/// was set back since.
pub(crate) fn over_for(record: &Record, now: Time) -> Duration {
    let latest = record.latest.as_ref();
    let ended = record.exit.as_ref().map(|exit| exit.time);
    let of_this_boot = |start: &StartRecord| process::boot_id().is_ok_and(|id| id == start.boot_id);
    if ended.is_none() && !record.start.as_ref().is_some_and(of_this_boot) {
        // It may have lived until the machine went down.
        return process::uptime().unwrap_or_default();
    }
    let lived = latest.and_then(|latest| latest.last_output.max(latest.last_input));
    let began = record.start.as_ref().map(|start| start.begun.max(start.created));
    ended.or(lived.max(began)).map_or(Duration::MAX, |time| Time(time).ago(now))
}

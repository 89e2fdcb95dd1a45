//! Old records go when a session is begun. Those that would be restored stay.

use std::cmp::Reverse;

use sess_holder::record;
use sess_proto::SessionName;

use crate::config::Config;
use crate::directory::Directory;
use crate::output::{State, Time};
use crate::remains;
use crate::survey::{Sighting, is_held, now};

/// Removes what exited sessions left too long ago, or too many others ago. What can't be
/// removed stays: that is no reason not to begin.
pub(super) fn remove_old(config: &Config, directories: &[Directory]) {
    let now = now();
    let mut ended = ended(directories);
    // Each begin comes by here, mostly for nothing: files are read only where it is time.
    let are_many = ended.len() > config.record_max_count;
    ended.retain(|one| are_many || one.time.ago(now) > config.record_max_age);
    let exited = ended.into_iter().filter_map(|one| exited(directories, one));
    let mut exited: Vec<(Time, Sighting)> = exited.collect();
    exited.sort_unstable_by_key(|(time, _)| Reverse(*time));
    for (newer, (time, sighting)) in exited.iter().enumerate() {
        let is_one_too_many = are_many && newer >= config.record_max_count;
        if is_one_too_many || time.ago(now) > config.record_max_age {
            let claim = remains::claim(directories, sighting);
            let _ = claim.map(|claim| claim.map(remains::remove));
        }
    }
}

/// A session whose program has ended, perhaps not for good.
struct Ended {
    name: SessionName,
    /// In which of the directories.
    directory: usize,
    /// When that was written down.
    time: Time,
}

/// All of them, as their files' dates tell.
fn ended(directories: &[Directory]) -> Vec<Ended> {
    let mut ended = Vec::new();
    for (index, directory) in directories.iter().enumerate() {
        for name in directory.names().unwrap_or_default() {
            if let Some(time) = record::noted_end(&directory.dir, name.as_ref()) {
                ended.push(Ended { name, directory: index, time: Time::from(time) });
            }
        }
    }
    ended
}

/// A session that has exited for good, and when.
fn exited(directories: &[Directory], ended: Ended) -> Option<(Time, Sighting)> {
    let Ended { name, directory, .. } = ended;
    let folder = directories[directory].folder(&name)?;
    // What lives is the most, and the lock is quicker asked than a record read.
    if is_held(&folder) {
        return None;
    }
    let record = record::read(&folder);
    let time = Time(record.exit.as_ref()?.time);
    let sighting = Sighting::over(name, directory, State::Exited, record);
    (!sighting.record.was_taken()).then_some((time, sighting))
}

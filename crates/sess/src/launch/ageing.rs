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
    let mut exited: Vec<(Time, Sighting)> = directories
        .iter()
        .enumerate()
        .flat_map(|(index, directory)| {
            let names = directory.names().unwrap_or_default().into_iter();
            names.filter_map(move |name| exited(directory, index, name))
        })
        .collect();
    exited.sort_unstable_by_key(|(time, _)| Reverse(*time));
    for (newer, (time, sighting)) in exited.iter().enumerate() {
        if newer >= config.record_max_count || time.ago(now) > config.record_max_age {
            let claim = remains::claim(directories, sighting);
            let _ = claim.map(|claim| claim.map(remains::remove));
        }
    }
}

/// A session that has exited for good, and when.
fn exited(directory: &Directory, index: usize, name: SessionName) -> Option<(Time, Sighting)> {
    let folder = directory.folder(&name)?;
    // What lives is the most, and the lock is quicker asked than a record read.
    if is_held(&folder) {
        return None;
    }
    let record = record::read(&folder);
    let time = Time(record.exit.as_ref()?.time);
    let sighting = Sighting::over(name, index, State::Exited, record);
    (!sighting.record.was_taken()).then_some((time, sighting))
}

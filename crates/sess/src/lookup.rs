//! Which session is meant: by its name, or the only one that runs.

use anyhow::Result;
use sess_holder::record::Record;
use sess_proto::SessionName;
use sess_sys::Dir;

use crate::connection::refusal;
use crate::directory::{self, Directory};
use crate::error::{Failure, Kind, kind_of};
use crate::output::State;
use crate::survey::{Sighting, survey};

/// All sessions that run, and with `ended` all that have left something.
pub(crate) fn everything(directories: &[Directory], ended: bool) -> Result<Vec<Sighting>> {
    let mut sessions = Vec::new();
    for (index, directory) in directories.iter().enumerate() {
        sessions.extend(directory.names()?.into_iter().map(|name| (index, name)));
    }
    survey(directories, sessions, ended)
}

/// The session of this name, in whatever state it is.
pub(crate) fn find(directories: &[Directory], name: &SessionName) -> Result<Sighting> {
    let sessions = (0..directories.len()).map(|index| (index, name.clone())).collect();
    let mut found = survey(directories, sessions, true)?;
    // One that lives is meant before one that is over.
    if found.iter().any(|one| !one.state.is_over()) {
        found.retain(|one| !one.state.is_over());
    }
    if let [one, other, ..] = &found[..] {
        let path = |sighting: &Sighting| &directories[sighting.directory].path;
        return Err(Failure::found_in_two(name.as_str(), path(one), path(other)).into());
    }
    found.pop().ok_or_else(|| Failure::no_such_session(name.as_str(), &directory::places()).into())
}

/// The session of this name, or else the only one that runs.
pub(crate) fn find_or_only(
    directories: &[Directory],
    name: Option<&SessionName>,
) -> Result<Sighting> {
    if let Some(name) = name {
        return find(directories, name);
    }
    let mut running = everything(directories, false)?;
    running.retain(|one| !one.state.is_over());
    match running.len() {
        0 => Err(Failure::nothing_runs().into()),
        1 => Ok(running.remove(0)),
        _ => {
            running.sort_by(|a, b| a.name.cmp(&b.name));
            let names: Vec<&str> = running.iter().map(|one| one.name.as_str()).collect();
            Err(Failure::several(&names).into())
        }
    }
}

/// What became of a session on whose holder something was lost: if it has ended
/// just now that is what counts, else the error does.
pub(crate) fn ended_meanwhile(
    directories: &[Directory],
    sighting: &Sighting,
    error: anyhow::Error,
) -> Result<Sighting> {
    if !matches!(kind_of(&error), Kind::Lost | Kind::NotRunning) {
        return Err(error);
    }
    let id = sighting.info.as_ref().map(|info| &info.id);
    match find(directories, &sighting.name) {
        Ok(now) if now.state.is_over() => {
            let same = now.record.start.as_ref().is_some_and(|start| Some(&start.id) == id);
            if same { Ok(now) } else { Err(error) }
        }
        _ => Err(error),
    }
}

impl Sighting {
    /// Its folder.
    pub(crate) fn folder(&self, directories: &[Directory]) -> Result<Dir> {
        directories[self.directory].folder(&self.name).ok_or_else(|| {
            Failure::no_such_session(self.name.as_str(), &directory::places()).into()
        })
    }

    /// Fails unless it runs and answers.
    pub(crate) fn must_run(&self) -> Result<(), Failure> {
        let name = self.name.as_str();
        match self.state {
            State::Running => Ok(()),
            State::Unresponsive => Err(match &self.refusal {
                Some((code, message)) => refusal(name, *code, message),
                None => Failure::unresponsive(name),
            }),
            State::Dead => Err(Failure::dead(name)),
            State::Exited => Err(match exit_of(&self.record) {
                Some(exit) => Failure::exited(name, exit),
                None => Failure::dead(name),
            }),
        }
    }
}

/// How the record says that the session ended.
pub(crate) fn exit_of(record: &Record) -> Option<sess_proto::message::Exit> {
    record.exit.as_ref().and_then(sess_holder::record::ExitRecord::exit)
}

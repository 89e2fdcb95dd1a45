//! Starting a session again from its record. Must not know who asks for that, or why.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use anyhow::Result;
use sess_holder::record::{self, LatestRecord, Output, StartRecord};
use sess_proto::message::Size;
use sess_sys::process;

use crate::directory::{self, Directory};
use crate::error::{Failure, Kind, warn};
use crate::launch::{AGENT_VARIABLE, Environment, Launched, What, begin};
use crate::output::State;
use crate::remains;
use crate::survey::Sighting;

/// Starts a session again that is over; returns when its program runs.
pub(crate) fn relaunch(
    directories: &[Directory],
    sighting: &Sighting,
    attach: bool,
) -> Result<Launched> {
    let name = sighting.name.as_str();
    match sighting.state {
        State::Running => return Err(Failure::taken(name).into()),
        State::Unresponsive => return Err(Failure::unresponsive(name).into()),
        State::Exited | State::Dead => {}
    }
    let claim = remains::claim(directories, sighting)?.ok_or_else(|| Failure::taken(name))?;
    remains::leave_the_living_alone(&claim)?;
    let record = record::read(&claim.folder);
    let Some(start) = record.start else {
        let text = format!("session {name} can't be started again: its record is not readable");
        return Err(Failure::failed(text).into());
    };
    let latest = record.latest.unwrap_or_default();
    let (cols, rows) = if latest.size == (0, 0) { start.size } else { latest.size };
    let earlier = record::read_output(&claim.folder)
        .unwrap_or_else(|| Output::nothing(latest.offset, (cols, rows)))
        .until(latest.offset);
    let cwd = directory_to_be_in(name, &start, &latest);
    let mut env = Environment::recorded(&start.environment);
    env.set("PWD", &cwd);
    env.settle(&claim, &start.id, &agent_asked_for(&start));
    let record = StartRecord { run: start.run.saturating_add(1), ..start };
    let what = What { record, cwd, env, earlier: Some(earlier), companion: None };
    let size = Size { cols, rows, xpixel: 0, ypixel: 0 };
    begin(claim, what, size, attach, || {}).map_err(|error| match error.downcast::<Failure>() {
        // Only `new` has codes of its own for that.
        Ok(failure) if !attach && is_about_command(failure.kind) => {
            Failure { kind: Kind::Failed, ..failure }.into()
        }
        Ok(failure) => failure.into(),
        Err(error) => error,
    })
}

fn is_about_command(kind: Kind) -> bool {
    matches!(kind, Kind::CannotRun | Kind::NoSuchCommand)
}

/// An agent that was asked for by name: that one stays.
fn agent_asked_for(start: &StartRecord) -> Vec<(OsString, OsString)> {
    let variables = start.environment.variables.iter();
    let asked = variables.map(|(key, value)| (key.to_os(), value.to_os()));
    asked.filter(|(key, _)| key == AGENT_VARIABLE).collect()
}

/// Where the shell was last, by its own word or the system's, else where it began.
fn directory_to_be_in(name: &str, start: &StartRecord, latest: &LatestRecord) -> PathBuf {
    let told = latest.directory.as_ref();
    let told = told.and_then(|url| path_of_url(url.to_os().as_bytes(), &process::host_name()));
    let seen = latest.cwd.as_ref().map(|cwd| PathBuf::from(cwd.to_os()));
    let began = PathBuf::from(start.cwd.to_os());
    let mut wanted = [told, seen, Some(began)].into_iter().flatten();
    if let Some(there) = wanted.find(|path| path.is_dir()) {
        return there;
    }
    let home = directory::home().filter(|home| home.is_dir()).unwrap_or_else(|| "/".into());
    let was = start.cwd.shown();
    warn(&format!("session {name}: {was} is gone; it starts in {}", home.display()));
    home
}

/// The path in a `file:` URL of this machine.
fn path_of_url(url: &[u8], here: &str) -> Option<PathBuf> {
    let rest = url.strip_prefix(b"file://")?;
    let slash = rest.iter().position(|byte| *byte == b'/')?;
    let (host, path) = rest.split_at(slash);
    let is_here = host.is_empty() || host == b"localhost" || host == here.as_bytes();
    is_here.then(|| PathBuf::from(OsString::from_vec(decoded(path))))
}

/// Without the escapes of an URL.
fn decoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let hex = |at: usize| after.get(at).and_then(|digit| (*digit as char).to_digit(16));
        if let (b'%', Some(high), Some(low)) = (byte, hex(0), hex(1)) {
            out.push((high * 16 + low) as u8);
            rest = &after[2..];
        } else {
            out.push(byte);
            rest = after;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_this_machine_are_paths() {
        let path = |url: &str| path_of_url(url.as_bytes(), "box");
        assert_eq!(path("file:///a/b"), Some(PathBuf::from("/a/b")));
        assert_eq!(path("file://box/a%20b%2fc%"), Some(PathBuf::from("/a b/c%")));
        assert_eq!(path("file://localhost/%c3%b6"), Some(PathBuf::from("/ö")));
        for other in ["file://other/a", "http:///a", "file://", "/a", ""] {
            assert_eq!(path(other), None, "{other}");
        }
    }
}

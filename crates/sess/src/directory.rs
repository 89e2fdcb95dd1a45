//! Where sessions are: the sessions directories, which of them may be used, and
//! a name's folder in them. Nothing here changes anything, but for the creation
//! of a missing directory for `new`.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Result;
use sess_proto::SessionName;
use sess_sys::{Dir, process};

use crate::error::{Failure, warn};

/// One sessions directory.
#[derive(Debug)]
pub(crate) struct Directory {
    /// Where it is, absolute.
    pub(crate) path: PathBuf,
    /// Itself.
    pub(crate) dir: Dir,
}

/// What stands at a candidate's path.
enum Candidate {
    Usable(Directory),
    Missing,
    /// Not to be used, without a word.
    PassedOver(String),
    /// Not to be used, and people should know.
    Wrong(String),
}

impl Directory {
    /// The names that have a folder here, in any order; what can't be a session's
    /// name is left out.
    pub(crate) fn names(&self) -> Result<Vec<SessionName>> {
        let names = self.dir.names().map_err(|error| {
            Failure::failed(format!("can't read {}: {error}", self.path.display()))
        })?;
        let names = names.iter().filter_map(|name| name.to_str());
        Ok(names.filter_map(|name| SessionName::existing(name).ok()).collect())
    }

    /// A session's folder here, if it has one.
    pub(crate) fn folder(&self, name: &SessionName) -> Option<Dir> {
        self.dir.open_in(name.as_ref()).ok()
    }
}

/// All sessions directories that there are.
pub(crate) fn all() -> Result<Vec<Directory>> {
    if let Some(path) = from_environment()? {
        return match look(&path, true) {
            Candidate::Usable(directory) => Ok(vec![directory]),
            Candidate::Missing => Ok(Vec::new()),
            Candidate::PassedOver(why) | Candidate::Wrong(why) => Err(Failure::failed(why).into()),
        };
    }
    let mut found = Vec::new();
    for path in candidates() {
        match look(&path, false) {
            Candidate::Usable(directory) => found.push(directory),
            Candidate::Missing | Candidate::PassedOver(_) => {}
            Candidate::Wrong(why) => warn(&why),
        }
    }
    Ok(found)
}

/// The paths where [`all`] looks, for people.
pub(crate) fn places() -> Vec<PathBuf> {
    match from_environment() {
        Ok(Some(path)) => vec![path],
        _ => candidates(),
    }
}

/// The directory for a new session: the first that is usable, made if it is
/// missing.
pub(crate) fn for_new() -> Result<Directory> {
    if let Some(path) = from_environment()? {
        return match make(&path, true) {
            Candidate::Usable(directory) => Ok(directory),
            Candidate::Missing => Err(Failure::failed(format!(
                "the sessions directory {} keeps disappearing",
                path.display()
            ))
            .into()),
            Candidate::PassedOver(why) | Candidate::Wrong(why) => Err(Failure::failed(why).into()),
        };
    }
    let mut reasons = Vec::new();
    for path in candidates() {
        match make(&path, false) {
            Candidate::Usable(directory) => return Ok(directory),
            Candidate::Missing => {}
            Candidate::PassedOver(why) => reasons.push(why),
            Candidate::Wrong(why) => {
                warn(&why);
                reasons.push(why);
            }
        }
    }
    let failure =
        Failure::failed(format!("no sessions directory is usable: {}", reasons.join("; ")));
    Err(failure.hint("SESS_DIR names another one").into())
}

/// `$SESS_DIR`, absolute.
fn from_environment() -> Result<Option<PathBuf>> {
    let Some(path) = std::env::var_os("SESS_DIR").filter(|path| !path.is_empty()) else {
        return Ok(None);
    };
    let path = std::path::absolute(PathBuf::from(&path)).map_err(|error| {
        Failure::failed(format!("SESS_DIR is {}: {error}", Path::new(&path).display()))
    })?;
    Ok(Some(path))
}

/// Where sessions are without `$SESS_DIR`, best first.
fn candidates() -> Vec<PathBuf> {
    let absolute = |path: OsString| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
    let mut paths = Vec::new();
    paths.extend(std::env::var_os("XDG_STATE_HOME").and_then(absolute).map(|dir| dir.join("sess")));
    paths.extend(home().map(|home| home.join(".local/state/sess")));
    paths.push(PathBuf::from(format!("/var/tmp/sess-{}", process::uid())));
    paths.dedup();
    paths
}

/// The user's home directory.
pub(crate) fn home() -> Option<PathBuf> {
    let named = std::env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    named.or_else(|| process::account().home)
}

fn make(path: &Path, demanded: bool) -> Candidate {
    match look(path, demanded) {
        Candidate::Missing => {}
        other => return other,
    }
    match Dir::create_all(path, 0o700) {
        Ok(()) => look(path, demanded),
        Err(error) => Candidate::PassedOver(format!("can't create {}: {error}", path.display())),
    }
}

/// Looks whether a directory is private and ours. One that is `demanded` may be
/// on a network: whoever names it knows.
fn look(path: &Path, demanded: bool) -> Candidate {
    let wrong =
        |why: &str| Candidate::Wrong(format!("the sessions directory {} {why}", path.display()));
    // Without the slash at its end, which would follow it.
    if path.components().as_path().is_symlink() {
        return wrong("is a symbolic link");
    }
    let dir = match Dir::open(path) {
        Ok(dir) => dir,
        Err(error) => {
            return match error.kind() {
                io::ErrorKind::NotFound => Candidate::Missing,
                io::ErrorKind::NotADirectory if path.exists() => wrong("is no directory"),
                _ => Candidate::PassedOver(format!("can't open {}: {error}", path.display())),
            };
        }
    };
    let meta = match dir.metadata() {
        Ok(meta) => meta,
        Err(error) => return wrong(&format!("can't be looked at: {error}")),
    };
    if meta.uid != process::uid() {
        return wrong(&format!("belongs to user {}", meta.uid));
    }
    if meta.mode & 0o077 != 0 {
        let mode = meta.mode & 0o7777;
        return wrong(&format!("is open to others (mode {mode:04o}); chmod 700 closes it"));
    }
    if !demanded && dir.is_on_network().unwrap_or(false) {
        return Candidate::PassedOver(format!("{} is on a network", path.display()));
    }
    Candidate::Usable(Directory { path: path.to_owned(), dir })
}

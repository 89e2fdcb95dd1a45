//! Room for one more session where their number is limited. Must not know what is
//! started.

use std::ffi::OsStr;
use std::time::{Duration, Instant};

use anyhow::Result;
use sess_proto::SessionName;
use sess_sys::Lock;

use crate::config::Evict;
use crate::directory::Directory;
use crate::ending::{How, ask, end};
use crate::error::Failure;
use crate::lookup;
use crate::output::State;
use crate::survey::Sighting;

/// Who counts sessions holds this lock, in the sessions directory.
const COUNTING: &str = ".counting";
/// How long others may take who count.
const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(5);

/// Makes room for `name` if there is none. Until what is returned goes, nobody else
/// does.
pub(super) fn make(
    most: usize,
    evict: Evict,
    home: &Directory,
    directories: &[Directory],
    name: Option<&SessionName>,
) -> Result<Lock> {
    let lock = count_alone(home)?;
    let mut running = lookup::everything(directories, false)?;
    running.retain(|one| !one.state.is_over());
    if let Some(taken) = running.iter().find(|one| Some(&one.name) == name) {
        // Nobody has to go for who can't come.
        return Err(Failure::taken(taken.name.as_str()).into());
    }
    // More than one has to go where the limit was lowered.
    while running.len() >= most {
        let idlest = match evict {
            Evict::None => None,
            Evict::Idlest => idlest(&running),
        };
        let Some(index) = idlest else {
            return Err(no_room(evict, running.len(), most).into());
        };
        let evicted = running.swap_remove(index);
        let how = How::default();
        end(directories, &evicted, ask(directories, &evicted, how), how)?;
    }
    Ok(lock)
}

fn count_alone(home: &Directory) -> Result<Lock> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let taken = Lock::try_take(&home.dir, OsStr::new(COUNTING)).map_err(|error| {
            Failure::failed(format!("can't count sessions in {}: {error}", home.path.display()))
        })?;
        match taken {
            Some(lock) => return Ok(lock),
            None if Instant::now() >= deadline => {
                let text =
                    format!("somebody counts sessions in {} for too long", home.path.display());
                return Err(Failure::failed(text).into());
            }
            None => std::thread::sleep(PAUSE),
        }
    }
}

/// The one in which nothing happened for longest, of those that nobody shows.
fn idlest(running: &[Sighting]) -> Option<usize> {
    let free = running.iter().enumerate().filter(|(_, one)| {
        let clients = one.info.as_ref().map(|info| info.clients.len());
        one.state == State::Running && clients == Some(0)
    });
    free.min_by_key(|(_, one)| one.view().last_activity()).map(|(index, _)| index)
}

fn no_room(evict: Evict, running: usize, most: usize) -> Failure {
    let text = format!("{running} sessions run, and no more than {most} may (max-sessions)");
    Failure::failed(match evict {
        Evict::None => text,
        Evict::Idlest => format!("{text}: none of them is without a terminal that shows it"),
    })
    .hint("sess ls lists them, sess kill ends one")
}

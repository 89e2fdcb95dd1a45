//! Noticing sessions that are new: the sessions directories are watched, the places
//! where one may come, and the folders of sessions that have ended, whose names may
//! be used again. Must not know what is done about them.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Result;
use sess_holder::record::{self, RECORD, Record};
use sess_proto::SessionName;
use sess_sys::process::Signal;
use sess_sys::{Dir, FolderWatch, Meta, Signals};

use crate::directory::{self, Directory};
use crate::survey::is_held;

/// Looks are at least so far apart, however much changes.
const PAUSE: Duration = Duration::from_millis(20);
/// How often is looked where no watch can be had.
const EVERY: Duration = Duration::from_secs(1);

/// Who may come, and where.
pub(super) struct Arrivals {
    /// The sessions directories that there are.
    pub(super) directories: Vec<Directory>,
    signals: Signals,
    signal: Signal,
    /// For each of the directories.
    watches: Vec<Watch>,
    /// For places where there is none yet: the nearest folder above.
    above: Vec<Watch>,
    /// For each folder that nobody holds, with when its record was last written.
    sleeping: HashMap<(usize, SessionName), (Watch, Option<SystemTime>)>,
    looked: Instant,
    is_due: bool,
}

/// What a look has found.
pub(super) enum Found {
    /// A name that somebody holds.
    Held(usize, SessionName),
    /// A name that nobody holds, with a record that was written since the last look.
    Ended(SessionName, Record),
}

/// A watch on a folder, if one could be had.
struct Watch {
    which: (u64, u64),
    watch: Option<FolderWatch>,
}

impl Watch {
    fn new(folder: &Dir, which: (u64, u64), signal: Signal) -> Self {
        Self { which, watch: FolderWatch::with_creation(folder, signal).ok() }
    }
}

fn which(meta: &Meta) -> (u64, u64) {
    (meta.dev, meta.ino)
}

impl Arrivals {
    /// Notices what comes from now on.
    pub(super) fn new() -> Result<Self> {
        let signal = Signal::realtime(0);
        Ok(Self {
            directories: Vec::new(),
            signals: Signals::new(&[signal, Signal::IO])?,
            signal,
            watches: Vec::new(),
            above: Vec::new(),
            sleeping: HashMap::new(),
            looked: Instant::now(),
            is_due: true,
        })
    }

    /// Readable when something may have come.
    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.signals.as_fd()
    }

    /// Takes note of what was signalled.
    pub(super) fn heed_signals(&mut self) {
        self.is_due |= !self.signals.take().is_empty();
    }

    /// Something may have come.
    pub(super) fn look_soon(&mut self) {
        self.is_due = true;
    }

    /// When it is to be looked.
    pub(super) fn due(&self) -> Option<Instant> {
        let asleep = self.sleeping.values().map(|(watch, _)| watch);
        let watches = self.watches.iter().chain(&self.above).chain(asleep);
        let is_blind = watches.into_iter().any(|watch| watch.watch.is_none());
        if self.is_due {
            Some(self.looked + PAUSE)
        } else if is_blind {
            Some(self.looked + EVERY)
        } else {
            None
        }
    }

    /// Whether it is time to look.
    pub(super) fn is_due(&self) -> bool {
        self.due().is_some_and(|at| Instant::now() >= at)
    }

    /// What there is now, but for the names that are `known`.
    pub(super) fn scan(
        &mut self,
        known: impl Fn(usize, &SessionName) -> bool,
    ) -> Result<Vec<Found>> {
        // Before the look: what comes after it is noticed.
        self.is_due = false;
        self.watch_directories()?;
        let mut found = Vec::new();
        let mut asleep = HashSet::new();
        for (index, directory) in self.directories.iter().enumerate() {
            // One that is gone has nobody in it.
            for name in directory.names().unwrap_or_default() {
                if known(index, &name) {
                    continue;
                }
                let Some(folder) = directory.folder(&name) else {
                    continue;
                };
                let Ok(meta) = folder.metadata() else {
                    continue;
                };
                let key = (index, name);
                let known =
                    self.sleeping.get(&key).filter(|(watch, _)| watch.which == which(&meta));
                let seen = known.and_then(|(_, written)| *written);
                if known.is_none() {
                    let watch = Watch::new(&folder, which(&meta), self.signal);
                    self.sleeping.insert(key.clone(), (watch, None));
                }
                if is_held(&folder) {
                    found.push(Found::Held(key.0, key.1));
                    continue;
                }
                let record = folder.metadata_of(OsStr::new(RECORD));
                let written = record.ok().map(|meta| meta.modified);
                if written.is_some() && written != seen {
                    found.push(Found::Ended(key.1.clone(), record::read(&folder)));
                    if let Some((_, seen)) = self.sleeping.get_mut(&key) {
                        *seen = written;
                    }
                }
                asleep.insert(key);
            }
        }
        self.sleeping.retain(|key, _| asleep.contains(key));
        self.looked = Instant::now();
        Ok(found)
    }

    /// Sees to it that each sessions directory is watched, and where one may come.
    fn watch_directories(&mut self) -> Result<()> {
        let mut missing: Vec<_> = directory::places();
        for found in directory::all()? {
            missing.retain(|place| *place != found.path);
            let which = which(&found.dir.metadata()?);
            let known = self.directories.iter().position(|known| known.path == found.path);
            match known {
                Some(index) if self.watches[index].which == which => {}
                // Another stands in its place.
                Some(index) => {
                    self.watches[index] = Watch::new(&found.dir, which, self.signal);
                    self.directories[index] = found;
                }
                None => {
                    self.watches.push(Watch::new(&found.dir, which, self.signal));
                    self.directories.push(found);
                }
            }
        }
        let mut above = Vec::new();
        for place in missing {
            let Some((which, folder)) = nearest(&place) else {
                continue;
            };
            let known = self.above.iter().position(|watch| watch.which == which);
            above.push(match known {
                Some(index) => self.above.swap_remove(index),
                None => Watch::new(&folder, which, self.signal),
            });
        }
        self.above = above;
        Ok(())
    }
}

/// The nearest folder above a place.
fn nearest(place: &Path) -> Option<((u64, u64), Dir)> {
    place.ancestors().skip(1).find_map(|path| {
        let folder = Dir::open_following(path).ok()?;
        Some((which(&folder.metadata().ok()?), folder))
    })
}

//! Listening to sessions, all at once: those that run, those to come, until they end.
//! Owns who is listened to and how new ones are found. Must not know how what
//! happens is told.
//!
//! The skeleton of the other loops: derive interest, poll, translate, handle.

mod arrivals;

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use anyhow::Result;
use sess_holder::place::SOCKET;
use sess_holder::record::{self, Record};
use sess_proto::frame::HOLDER_LIMIT;
use sess_proto::message::{Event, Happening, Listen, Listening};
use sess_proto::{ClientMessage, Decoder, HolderMessage, SessionName};
use sess_sys::{Connect, Dir, Entry, Stream, detach, poll};

use crate::connection::refusal;
use crate::directory::Directory;
use crate::error::warn;
use crate::output::{Happened, Outlet, Time, What};
use crate::survey::{Sighting, greeting, is_held, now};
use arrivals::{Arrivals, Found};

/// The pause before a holder is tried again that starts, or has too many callers.
const RETRY: Duration = Duration::from_millis(20);
/// From then on it is tried less often.
const HOPEFUL: Duration = Duration::from_secs(2);
const SLOW_RETRY: Duration = Duration::from_secs(1);
/// How long the lock of a holder that is gone may take to be free.
const DEATH: Duration = Duration::from_millis(200);
/// Bytes that standard output has still to take, over which nothing more is heard.
const READ_AHEAD: usize = 1024 * 1024;
/// Bytes read at a time.
const READ: usize = 16 * 1024;

/// What takes what has happened.
type Tell<'a> = dyn FnMut(Happened, &mut Outlet) + 'a;

/// All who are listened to.
pub(crate) struct Ears {
    all: Vec<Ear>,
    /// The ids of sessions that are no news.
    known: HashSet<(String, u32)>,
    /// When we began.
    since: Time,
    /// Whether others than those here are of interest.
    arrivals: Option<Arrivals>,
    /// Where sessions are, if no others are of interest.
    directories: Vec<Directory>,
}

/// One session that is listened to.
struct Ear {
    /// Which of the directories it is in.
    directory: usize,
    name: SessionName,
    /// Once it has said that.
    id: Option<String>,
    /// How often it had been begun before, as its record says.
    run: u32,
    /// It was there before we listened.
    is_old: bool,
    phase: Phase,
}

/// How it stands with a session.
enum Phase {
    /// It is to be called at that time; for how long that is tried already.
    Calling { at: Instant, since: Instant },
    /// It talks.
    Talking(Talk),
    /// Its connection broke then: the lock will tell whether it died. To be looked
    /// at again at that time.
    Lost { at: Instant, since: Instant },
    /// It has ended, or can't tell: nothing more is of interest until the lock is
    /// free or another's. To be looked at again at that time.
    Silent { at: Instant, since: Instant },
    /// It is gone, and that was told.
    Gone,
}

struct Talk {
    stream: Stream,
    decoder: Decoder,
    unsaid: Vec<u8>,
}

impl Ears {
    /// For all sessions, those to come included.
    pub(crate) fn for_all() -> Result<Self> {
        // What can't be raised shows when they run out.
        let _ = detach::raise_descriptor_limit();
        let arrivals = Some(Arrivals::new()?);
        let mut ears = Self {
            all: Vec::new(),
            known: HashSet::new(),
            since: now(),
            arrivals,
            directories: Vec::new(),
        };
        ears.scan(true, &mut |_| {})?;
        Ok(ears)
    }

    /// For one session that runs.
    pub(crate) fn for_one(directories: Vec<Directory>, sighting: &Sighting) -> Self {
        let mut ear = Ear::new(sighting.directory, sighting.name.clone(), true);
        ear.id = sighting.info.as_ref().map(|info| info.id.clone());
        let (all, known) = (vec![ear], HashSet::new());
        Self { all, known, since: now(), arrivals: None, directories }
    }

    /// Tells what happens until nobody reads it any more, or, listening to one
    /// session, until that has ended.
    pub(crate) fn listen(&mut self, outlet: &mut Outlet, tell: &mut Tell<'_>) -> Result<()> {
        loop {
            self.see_to_all(outlet, tell)?;
            let is_over = self.arrivals.is_none() && self.all.iter().all(Ear::is_over);
            if is_over || outlet.is_closed() {
                return Ok(());
            }
            self.turn(outlet, tell)?;
        }
    }

    fn directories(&self) -> &[Directory] {
        self.arrivals.as_ref().map_or(&self.directories, |arrivals| &arrivals.directories)
    }

    /// Looks for sessions that nobody listens to yet, and for those that came and went
    /// meanwhile.
    fn scan(&mut self, are_old: bool, tell: &mut dyn FnMut(Happened)) -> Result<()> {
        let Some(arrivals) = &mut self.arrivals else {
            return Ok(());
        };
        let heard: HashSet<(usize, &SessionName)> =
            self.all.iter().map(|ear| (ear.directory, &ear.name)).collect();
        let found = arrivals.scan(|directory, name| heard.contains(&(directory, name)))?;
        for found in found {
            match found {
                Found::Held(directory, name) => self.all.push(Ear::new(directory, name, are_old)),
                Found::Ended(name, record) => self.tell_of_visit(&name, &record, tell),
            }
        }
        Ok(())
    }

    /// Tells of a session that was over before we could listen to it.
    fn tell_of_visit(
        &mut self,
        name: &SessionName,
        record: &Record,
        tell: &mut dyn FnMut(Happened),
    ) {
        let (Some(start), Some(end)) = (&record.start, &record.exit) else {
            return;
        };
        let (begun, exit) = (Time(start.begun), end.exit());
        if begun < self.since || !self.known.insert((start.id.clone(), start.run)) {
            return;
        }
        let exited = exit.map(|exit| (Time(end.time), What::Told(Happening::Exited(exit))));
        for (time, what) in std::iter::once((begun, beginning(start.run))).chain(exited) {
            tell(Happened { name: name.to_string(), id: start.id.clone(), time, what });
        }
    }

    /// Does what is due.
    fn see_to_all(&mut self, outlet: &mut Outlet, tell: &mut Tell<'_>) -> Result<()> {
        if self.arrivals.as_ref().is_some_and(Arrivals::is_due) {
            self.scan(false, &mut |happened| tell(happened, outlet))?;
        }
        let mut ears = std::mem::take(&mut self.all);
        let now = Instant::now();
        for ear in ears.iter_mut().filter(|ear| ear.due().is_some_and(|at| now >= at)) {
            let folder = self.directories()[ear.directory].folder(&ear.name);
            ear.see_to(folder.as_ref(), now, &mut |happened| tell(happened, outlet));
        }
        let count = ears.len();
        ears.retain(|ear| !matches!(ear.phase, Phase::Gone));
        if ears.len() < count
            && let Some(arrivals) = &mut self.arrivals
        {
            // Another may have that name by now.
            arrivals.look_soon();
        }
        self.all = ears;
        Ok(())
    }

    fn turn(&mut self, outlet: &mut Outlet, tell: &mut Tell<'_>) -> Result<()> {
        let hears = outlet.waiting() < READ_AHEAD;
        let mut entries = vec![outlet.entry()];
        if let Some(arrivals) = &self.arrivals {
            entries.push(Entry::new(arrivals.as_fd(), true, false));
        }
        let first = entries.len();
        let mut talking = Vec::new();
        for (index, ear) in self.all.iter().enumerate() {
            if let Phase::Talking(talk) = &ear.phase
                && (hears || !talk.unsaid.is_empty())
            {
                entries.push(Entry::new(talk.stream.as_fd(), hears, !talk.unsaid.is_empty()));
                talking.push(index);
            }
        }
        let dues = self.all.iter().filter_map(Ear::due);
        let due = dues.chain(self.arrivals.as_ref().and_then(Arrivals::due)).min();
        let timeout = due.map(|at| at.saturating_duration_since(Instant::now()));
        poll::poll(&mut entries, timeout)?;
        let ready: Vec<_> = entries.iter().map(|entry| entry.ready).collect();
        outlet.proceed(ready[0])?;
        if first > 1
            && ready[1].read
            && let Some(arrivals) = &mut self.arrivals
        {
            arrivals.heed_signals();
        }
        for (index, ready) in talking.into_iter().zip(&ready[first..]) {
            if ready.read || ready.write || ready.closed {
                self.hear(index, outlet, tell)?;
            }
        }
        Ok(())
    }

    /// Takes what a session says.
    fn hear(&mut self, index: usize, outlet: &mut Outlet, tell: &mut Tell<'_>) -> Result<()> {
        let now = Instant::now();
        for said in self.all[index].converse(now) {
            match said {
                Said::Listening(listening) => self.heard_of(index, listening, outlet, tell),
                Said::Event(event) => {
                    let ear = &mut self.all[index];
                    if let Ok(name) = SessionName::existing(&event.name) {
                        ear.name = name;
                    }
                    if matches!(event.happening, Happening::Exited(_)) {
                        ear.phase = Phase::Silent { at: now, since: now };
                    }
                    let id = ear.id.clone().unwrap_or_default();
                    let (time, what) = (Time(event.time), What::Told(event.happening));
                    tell(Happened { name: event.name, id, time, what }, outlet);
                }
                Said::Refused(code, message) => {
                    let ear = &mut self.all[index];
                    ear.phase = Phase::Silent { at: now, since: now };
                    let failure = refusal(ear.name.as_str(), code, &message);
                    if self.arrivals.is_none() {
                        return Err(failure.into());
                    }
                    warn(&format!("no events of that session: {failure}"));
                }
            }
        }
        Ok(())
    }

    /// A session says which it is.
    fn heard_of(
        &mut self,
        index: usize,
        listening: Listening,
        outlet: &mut Outlet,
        tell: &mut Tell<'_>,
    ) {
        let Listening { name, id, created } = listening;
        let other = self.all.iter().position(|ear| ear.id.as_ref() == Some(&id));
        let ear = &mut self.all[index];
        let is_old = ear.is_old;
        if let Ok(name) = SessionName::existing(&name) {
            ear.name = name;
        }
        if let Some(other) = other.filter(|other| *other != index) {
            // It was renamed: one connection is enough, the one that knows that.
            ear.phase = Phase::Gone;
            let name = ear.name.clone();
            self.all[other].name = name;
            return;
        }
        let first = ear.id.replace(id.clone()).is_none();
        let (directory, told) = (ear.directory, ear.name.clone());
        if !first {
            return;
        }
        // Only its record says whether it was begun again.
        let folder = self.directories()[directory].folder(&told);
        let start = folder.and_then(|folder| record::read(&folder).start);
        let start = start.filter(|start| start.id == id);
        let (run, begun) = start.map_or((0, created), |start| (start.run, start.begun));
        self.all[index].run = run;
        if self.known.insert((id.clone(), run)) && !is_old {
            tell(Happened { name, id, time: Time(begun), what: beginning(run) }, outlet);
        }
    }
}

/// How it is called that a session begins which has been begun so often before.
fn beginning(run: u32) -> What {
    if run == 0 { What::Created } else { What::Told(Happening::Restarted) }
}

/// What a session may say.
enum Said {
    Listening(Listening),
    Event(Event),
    Refused(u16, String),
}

impl Ear {
    fn new(directory: usize, name: SessionName, is_old: bool) -> Self {
        let now = Instant::now();
        Self {
            directory,
            name,
            id: None,
            run: 0,
            is_old,
            phase: Phase::Calling { at: now, since: now },
        }
    }

    /// Whether it will tell nothing more.
    fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Silent { .. } | Phase::Gone)
    }

    /// When it is to be seen to.
    fn due(&self) -> Option<Instant> {
        match self.phase {
            Phase::Calling { at, .. } | Phase::Lost { at, .. } | Phase::Silent { at, .. } => {
                Some(at)
            }
            Phase::Talking(_) | Phase::Gone => None,
        }
    }

    fn see_to(&mut self, folder: Option<&Dir>, now: Instant, tell: &mut dyn FnMut(Happened)) {
        let held = folder.filter(|folder| is_held(folder));
        let again = |since: Instant| {
            now + if now.saturating_duration_since(since) < HOPEFUL { RETRY } else { SLOW_RETRY }
        };
        self.phase = match (&self.phase, held) {
            (Phase::Calling { .. } | Phase::Lost { .. }, None) => {
                self.tell_end(folder, tell);
                Phase::Gone
            }
            (Phase::Calling { since, .. }, Some(folder)) => match call(folder) {
                Some(talk) => Phase::Talking(talk),
                None => Phase::Calling { at: again(*since), since: *since },
            },
            (Phase::Lost { since, .. }, Some(_)) => {
                if now.saturating_duration_since(*since) < DEATH {
                    Phase::Lost { at: now + RETRY, since: *since }
                } else {
                    Phase::Calling { at: now, since: now }
                }
            }
            (Phase::Silent { .. }, None) => Phase::Gone,
            (Phase::Silent { since, .. }, Some(folder)) => {
                let start = record::read(folder).start;
                let is_anothers = start.is_some_and(|start| {
                    self.id.as_ref().is_some_and(|id| *id != start.id) || self.run != start.run
                });
                if is_anothers {
                    Phase::Gone
                } else {
                    Phase::Silent { at: again(*since), since: *since }
                }
            }
            (Phase::Talking(_) | Phase::Gone, _) => return,
        };
    }

    /// Sends and receives what there is.
    fn converse(&mut self, now: Instant) -> Vec<Said> {
        let mut heard = Vec::new();
        let Phase::Talking(talk) = &mut self.phase else {
            return heard;
        };
        let is_there = talk.speak() && talk.read();
        while let Ok(Some(frame)) = talk.decoder.next_frame() {
            match HolderMessage::decode(&frame) {
                Ok(Some(HolderMessage::Listening(listening))) => {
                    heard.push(Said::Listening(listening));
                }
                Ok(Some(HolderMessage::Event(event))) => heard.push(Said::Event(event)),
                Ok(Some(HolderMessage::Refused(refused))) => {
                    heard.push(Said::Refused(refused.code, refused.message));
                }
                Ok(_) | Err(_) => {}
            }
        }
        talk.decoder.relax();
        if !is_there {
            self.phase = Phase::Lost { at: now, since: now };
        }
        heard
    }

    /// It is gone without a word of its own, but its record may know more.
    fn tell_end(&self, folder: Option<&Dir>, tell: &mut dyn FnMut(Happened)) {
        let Some(id) = &self.id else {
            // Nobody has heard of it.
            return;
        };
        let exit = folder.and_then(|folder| record::read(folder).exit);
        let exit = exit.filter(|exit| exit.id == *id);
        let (time, what) = match exit.and_then(|record| Some((record.time, record.exit()?))) {
            Some((time, exit)) => (Time(time), What::Told(Happening::Exited(exit))),
            None => (now(), What::Died),
        };
        tell(Happened { name: self.name.to_string(), id: id.clone(), time, what });
    }
}

/// Connects to a holder and asks it to tell; `None` if it doesn't answer just now.
fn call(folder: &Dir) -> Option<Talk> {
    let Ok(Connect::Connected(stream)) = Stream::connect(folder, OsStr::new(SOCKET)) else {
        return None;
    };
    let mut unsaid = greeting();
    ClientMessage::from(Listen {}).encode(&mut unsaid);
    let mut talk = Talk { stream, decoder: Decoder::new(HOLDER_LIMIT), unsaid };
    talk.speak().then_some(talk)
}

impl Talk {
    /// Says what is unsaid; false if nobody is there.
    fn speak(&mut self) -> bool {
        while !self.unsaid.is_empty() {
            match self.stream.write(&self.unsaid) {
                Ok(count) => drop(self.unsaid.drain(..count)),
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            }
        }
        true
    }

    /// Takes what has come; false at the end.
    fn read(&mut self) -> bool {
        match self.stream.read(self.decoder.room(READ)) {
            Ok(0) => false,
            Ok(count) => {
                self.decoder.received(count);
                true
            }
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        }
    }
}

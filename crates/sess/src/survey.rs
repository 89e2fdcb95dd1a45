//! How it stands with sessions: their locks, records and holders asked, all at
//! once and under one deadline. Changes nothing.

use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Result;
use sess_holder::ending;
use sess_holder::place::{LOCK, SOCKET};
use sess_holder::record::{self, Cells, Record, Text};
use sess_proto::frame::HOLDER_LIMIT;
use sess_proto::message::{Activity, Hello, Info, Status, Upkeep, refusal};
use sess_proto::{ClientMessage, Decoder, HolderMessage, PROTOCOL_MAX, PROTOCOL_MIN, SessionName};
use sess_sys::{Connect, Dir, Entry, Held, Pid, Process, Stream, detach, lock, poll};

use crate::directory::Directory;
use crate::output::{ExitView, Recorded, SessionView, State, Time};

/// How long a holder may take to answer.
pub(crate) const PATIENCE: Duration = Duration::from_millis(500);
/// The pause before a holder that starts, heals or has too many callers is tried
/// again.
const RETRY: Duration = Duration::from_millis(5);
/// From this many sessions on more descriptors may be needed than are usual.
const MANY: usize = 400;

/// A session as it was found.
#[derive(Debug)]
pub(crate) struct Sighting {
    /// Its name.
    pub(crate) name: SessionName,
    /// Which of the directories it is in.
    pub(crate) directory: usize,
    /// How it stands with it.
    pub(crate) state: State,
    /// What its holder says.
    pub(crate) info: Option<Info>,
    /// What its program is about, if its holder is one that says so.
    pub(crate) activity: Option<Activity>,
    /// How it is kept up, if its holder is one that says so.
    pub(crate) upkeep: Option<Upkeep>,
    /// What is on disk of it; only looked for where the holder says nothing.
    pub(crate) record: Record,
    /// Its holder's process, if it lives and that is known.
    pub(crate) holder: Option<Pid>,
    /// Why its holder says nothing more: a code for programs, and words.
    pub(crate) refusal: Option<(u16, String)>,
}

/// One holder that is being asked.
struct Asking {
    index: usize,
    name: SessionName,
    stream: Option<Stream>,
    decoder: Decoder,
    /// Bytes of the question that are still to be sent.
    unsaid: Vec<u8>,
    retry_at: Instant,
    holder: Option<Pid>,
    activity: Option<Activity>,
    upkeep: Option<Upkeep>,
    outcome: Option<Outcome>,
}

/// What came of asking.
enum Outcome {
    Answered(Info),
    Refused(u16, String),
    /// It is over; `None` if there is nothing left of it.
    Over(Option<Sighting>),
}

/// Looks at these sessions; each is an index of a directory, and a name. A name
/// of which there is nothing is left out.
pub(crate) fn survey(
    directories: &[Directory],
    sessions: Vec<(usize, SessionName)>,
    ended: bool,
) -> Result<Vec<Sighting>> {
    if sessions.len() > MANY {
        // What can't be raised shows when they run out.
        let _ = detach::raise_descriptor_limit();
    }
    let question = question();
    let start = Instant::now();
    let deadline = start + PATIENCE;
    let mut found = Vec::new();
    let mut asking = Vec::new();
    for (index, name) in sessions {
        let Some(folder) = directories[index].folder(&name) else {
            continue;
        };
        if !is_held(&folder) {
            if !ended {
                continue;
            }
            if let Rest::Known(sighting) = rest(index, &name, &folder) {
                found.extend(sighting);
                continue;
            }
        }
        let mut one = Asking::new(index, name, start);
        one.connect(&folder, &question, start);
        asking.push(one);
    }
    while asking.iter().any(Asking::is_open) && Instant::now() < deadline {
        turn(directories, &mut asking, &question, deadline)?;
    }
    found.extend(asking.into_iter().filter_map(|one| one.conclude(directories)));
    if !ended {
        found.retain(|one| !one.state.is_over());
    }
    Ok(found)
}

/// What every holder is asked.
fn question() -> Vec<u8> {
    let mut question = greeting();
    ClientMessage::from(Status {}).encode(&mut question);
    question
}

/// The first thing said on every connection.
pub(crate) fn greeting() -> Vec<u8> {
    let mut out = Vec::new();
    ClientMessage::from(Hello {
        protocol_min: PROTOCOL_MIN,
        protocol_max: PROTOCOL_MAX,
        features: 0,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
    .encode(&mut out);
    out
}

/// Whether a holder has the lock.
pub(crate) fn is_held(folder: &Dir) -> bool {
    // What can't be asked (no descriptors) is taken for living: that loses
    // nothing.
    !matches!(lock::is_held(folder, OsStr::new(LOCK)), Ok(Held::Free | Held::Absent))
}

/// What a session whose lock was free has left.
enum Rest {
    /// This, or nothing.
    Known(Option<Sighting>),
    /// The lock isn't free any more: somebody starts one of that name.
    Taken,
}

fn rest(directory: usize, name: &SessionName, folder: &Dir) -> Rest {
    let record = record::read(folder);
    // A lock alone is somebody who is about to come or has just gone.
    let anything = record != Record::default() || folder.metadata_of(OsStr::new(SOCKET)).is_ok();
    let state = if record.exit.is_some() { State::Exited } else { State::Dead };
    // A new record is written before the old end is removed, both under the lock.
    if state == State::Dead && is_held(folder) {
        return Rest::Taken;
    }
    Rest::Known(anything.then(|| Sighting::over(name.clone(), directory, state, record)))
}

/// The holder as the record has it, if it is that still.
fn recorded_holder(folder: &Dir, record: &Record) -> Option<Pid> {
    let pid = Pid(record.start.as_ref()?.holder_pid);
    let process = Process::read(pid).ok()??;
    let lock = folder.metadata_of(OsStr::new(LOCK)).ok()?;
    let holds = process.holds_inode(lock.dev, lock.ino).unwrap_or(false);
    (holds && ending::is_holder(&process)).then_some(pid)
}

/// Waits until something happens to one of them, and sees to all.
fn turn(
    directories: &[Directory],
    asking: &mut [Asking],
    question: &[u8],
    deadline: Instant,
) -> Result<()> {
    let now = Instant::now();
    for one in asking.iter_mut().filter(|one| one.is_open()) {
        if one.stream.is_none() && now >= one.retry_at {
            match directories[one.index].folder(&one.name) {
                Some(folder) if is_held(&folder) => one.connect(&folder, question, now),
                Some(folder) => match rest(one.index, &one.name, &folder) {
                    Rest::Known(sighting) => one.outcome = Some(Outcome::Over(sighting)),
                    Rest::Taken => one.retry_at = now + RETRY,
                },
                None => one.outcome = Some(Outcome::Over(None)),
            }
        }
    }
    let mut until = deadline;
    let mut entries = Vec::new();
    let mut polled = Vec::new();
    for (index, one) in asking.iter().enumerate().filter(|(_, one)| one.is_open()) {
        match &one.stream {
            Some(stream) => {
                entries.push(Entry::new(stream.as_fd(), true, !one.unsaid.is_empty()));
                polled.push(index);
            }
            None => until = until.min(one.retry_at),
        }
    }
    poll::poll(&mut entries, Some(until.saturating_duration_since(Instant::now())))?;
    let ready: Vec<usize> = polled
        .into_iter()
        .zip(&entries)
        .filter(|(_, entry)| entry.ready.read || entry.ready.write || entry.ready.closed)
        .map(|(index, _)| index)
        .collect();
    for index in ready {
        asking[index].proceed(Instant::now());
    }
    Ok(())
}

impl Asking {
    fn new(index: usize, name: SessionName, now: Instant) -> Self {
        Self {
            index,
            name,
            stream: None,
            decoder: Decoder::new(HOLDER_LIMIT),
            unsaid: Vec::new(),
            retry_at: now,
            holder: None,
            activity: None,
            upkeep: None,
            outcome: None,
        }
    }

    fn is_open(&self) -> bool {
        self.outcome.is_none()
    }

    /// What came of it when the time is over.
    fn conclude(self, directories: &[Directory]) -> Option<Sighting> {
        let (info, refusal) = match self.outcome {
            Some(Outcome::Over(sighting)) => return sighting,
            Some(Outcome::Answered(info)) => (Some(info), None),
            Some(Outcome::Refused(code, message)) => (None, Some((code, message))),
            None => (None, None),
        };
        let (name, directory) = (self.name, self.index);
        let (activity, upkeep) = (self.activity, self.upkeep);
        if let Some(info) = info {
            let (state, holder) = (State::Running, Some(Pid(info.holder_pid)));
            let (info, record) = (Some(info), Record::default());
            return Some(Sighting {
                name,
                directory,
                state,
                info,
                activity,
                upkeep,
                record,
                holder,
                refusal,
            });
        }
        let folder = directories[directory].folder(&name)?;
        if refusal.is_none()
            && !is_held(&folder)
            && let Rest::Known(sighting) = rest(directory, &name, &folder)
        {
            return sighting;
        }
        let record = record::read(&folder);
        let holder = self.holder.or_else(|| recorded_holder(&folder, &record));
        let state = State::Unresponsive;
        Some(Sighting { name, directory, state, info, activity, upkeep, record, holder, refusal })
    }

    fn connect(&mut self, folder: &Dir, question: &[u8], now: Instant) {
        self.retry_at = now + RETRY;
        // Refused or absent with the lock held: it starts, heals or ends just now.
        if let Ok(Connect::Connected(stream)) = Stream::connect(folder, OsStr::new(SOCKET)) {
            self.holder = stream.peer().ok().map(|peer| peer.pid);
            self.unsaid = question.to_vec();
            self.decoder = Decoder::new(HOLDER_LIMIT);
            self.stream = Some(stream);
            self.speak();
        }
    }

    fn speak(&mut self) {
        if let Some(stream) = &self.stream {
            match stream.write(&self.unsaid) {
                Ok(count) => drop(self.unsaid.drain(..count)),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => self.stream = None,
            }
        }
    }

    /// Sends and receives what there is. A connection that breaks is made anew.
    fn proceed(&mut self, now: Instant) {
        if !self.unsaid.is_empty() {
            self.speak();
        }
        let Some(stream) = &self.stream else {
            return;
        };
        match stream.read(self.decoder.room(4096)) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Ok(0) | Err(_) => {
                self.stream = None;
                self.retry_at = now + RETRY;
            }
            Ok(count) => {
                self.decoder.received(count);
                self.listen();
            }
        }
    }

    fn listen(&mut self) {
        while let Ok(Some(frame)) = self.decoder.next_frame() {
            match HolderMessage::decode(&frame) {
                Ok(Some(HolderMessage::Mood(mood))) => self.activity = Some(mood.activity),
                Ok(Some(HolderMessage::Upkeep(upkeep))) => self.upkeep = Some(upkeep),
                Ok(Some(HolderMessage::Info(info))) => {
                    self.outcome = Some(Outcome::Answered(info));
                }
                Ok(Some(HolderMessage::Refused(refused))) => {
                    self.outcome = Some(Outcome::Refused(refused.code, refused.message));
                    return;
                }
                Err(error) => {
                    let code = refusal::MALFORMED;
                    self.outcome = Some(Outcome::Refused(code, error.to_string()));
                    return;
                }
                Ok(_) => {}
            }
        }
    }
}

impl Sighting {
    /// One that is over.
    pub(crate) fn over(name: SessionName, directory: usize, state: State, record: Record) -> Self {
        let (info, activity, upkeep, holder, refusal) = (None, None, None, None, None);
        Self { name, directory, state, info, activity, upkeep, record, holder, refusal }
    }

    /// As it is shown.
    pub(crate) fn view(&self) -> SessionView {
        match self.state {
            State::Running => match &self.info {
                Some(info) => {
                    SessionView::from_info(info, self.activity, self.upkeep.as_ref(), now())
                }
                None => SessionView::unresponsive(self.recorded(), self.holder.map(|pid| pid.0)),
            },
            State::Unresponsive => {
                SessionView::unresponsive(self.recorded(), self.holder.map(|pid| pid.0))
            }
            State::Exited => SessionView::exited(self.recorded()),
            State::Dead => SessionView::dead(self.recorded()),
        }
    }

    /// What its record says.
    fn recorded(&self) -> Recorded {
        let mut recorded = Recorded::named(self.name.as_str());
        let Record { start, latest, exit } = &self.record;
        if let Some(start) = start {
            recorded.id = Some(start.id.clone());
            recorded.command = Some(start.command.iter().map(Text::shown).collect());
            recorded.cwd = Some(start.cwd.shown());
            recorded.created = Some(Time(start.created));
            recorded.labels =
                Some(start.labels.iter().map(|(k, v)| (k.clone(), v.clone())).collect());
            recorded.size = Some(in_characters(start.size));
            recorded.version = Some(start.version.clone());
        }
        if let Some(latest) = latest {
            recorded.cwd = latest.cwd.as_ref().map(Text::shown).or(recorded.cwd);
            recorded.title = Some(latest.title.clone());
            recorded.offset = Some(latest.offset);
            recorded.history_lines = Some(latest.history_lines);
            recorded.last_output = latest.last_output.map(Time);
            recorded.last_input = latest.last_input.map(Time);
            recorded.size = Some(in_characters(latest.size));
        }
        recorded.exit = exit.as_ref().and_then(ExitView::of_record);
        recorded.restorable = Some(self.record.was_taken());
        recorded
    }
}

fn in_characters((cols, rows): Cells) -> sess_proto::message::Size {
    sess_proto::message::Size { cols, rows, xpixel: 0, ypixel: 0 }
}

/// The time of day.
pub(crate) fn now() -> Time {
    SystemTime::now().into()
}

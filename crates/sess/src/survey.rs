//! How it stands with sessions: their locks, records and holders asked, all at
//! once and under one deadline. Changes nothing.

use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use sess_holder::ending;
use sess_holder::place::{LOCK, SOCKET};
use sess_holder::record::{self, Record};
use sess_proto::frame::HOLDER_LIMIT;
use sess_proto::message::{Hello, Info, Status, refusal};
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
    answer: Option<Info>,
    over: bool,
    holder: Option<Pid>,
    refusal: Option<(u16, String)>,
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
        if is_held(&folder) {
            let mut one = Asking {
                index,
                name,
                stream: None,
                decoder: Decoder::new(HOLDER_LIMIT),
                unsaid: Vec::new(),
                retry_at: start,
                answer: None,
                over: false,
                holder: None,
                refusal: None,
            };
            one.connect(&folder, &question, start);
            asking.push(one);
        } else if ended {
            found.extend(ended_session(index, name, &folder));
        }
    }
    while asking.iter().any(Asking::is_open) && Instant::now() < deadline {
        turn(directories, &mut asking, &question, deadline)?;
    }
    for one in asking {
        let Some(folder) = directories[one.index].folder(&one.name) else {
            continue;
        };
        let (name, directory, refusal) = (one.name, one.index, one.refusal);
        if let Some(info) = one.answer {
            let holder = Some(Pid(info.holder_pid));
            let state = State::Running;
            let record = Record::default();
            found.push(Sighting {
                name,
                directory,
                state,
                info: Some(info),
                record,
                holder,
                refusal,
            });
        } else if one.over || !is_held(&folder) {
            if ended {
                found.extend(ended_session(directory, name, &folder));
            }
        } else {
            let record = record::read(&folder);
            let holder = one.holder.or_else(|| recorded_holder(&folder, &record));
            let state = State::Unresponsive;
            found.push(Sighting { name, directory, state, info: None, record, holder, refusal });
        }
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

/// A session whose lock is free.
fn ended_session(directory: usize, name: SessionName, folder: &Dir) -> Option<Sighting> {
    let record = record::read(folder);
    let anything = record != Record::default()
        || [LOCK, SOCKET].iter().any(|file| folder.metadata_of(OsStr::new(file)).is_ok());
    let state = if record.exit.is_some() { State::Exited } else { State::Dead };
    let (info, holder, refusal) = (None, None, None);
    anything.then_some(Sighting { name, directory, state, info, record, holder, refusal })
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
                _ => one.over = true,
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
    fn is_open(&self) -> bool {
        self.answer.is_none() && self.refusal.is_none() && !self.over
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
                Ok(Some(HolderMessage::Info(info))) => self.answer = Some(info),
                Ok(Some(HolderMessage::Refused(refused))) => {
                    self.refusal = Some((refused.code, refused.message));
                    return;
                }
                Err(error) => {
                    self.refusal = Some((refusal::MALFORMED, error.to_string()));
                    return;
                }
                Ok(_) => {}
            }
        }
    }
}

impl Sighting {
    /// As it is shown.
    pub(crate) fn view(&self) -> SessionView {
        match self.state {
            State::Running => match &self.info {
                Some(info) => SessionView::from_info(info, now()),
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
        if let Some(start) = &self.record.start {
            let (cols, rows) = start.size;
            recorded.id = Some(start.id.clone());
            recorded.command = Some(start.command.clone());
            recorded.cwd = Some(start.cwd.clone());
            recorded.created = Some(Time(start.created));
            recorded.labels =
                Some(start.labels.iter().map(|(k, v)| (k.clone(), v.clone())).collect());
            recorded.size = Some(sess_proto::message::Size { cols, rows, xpixel: 0, ypixel: 0 });
            recorded.version = Some(start.version.clone());
        }
        if let Some(exit) = &self.record.exit {
            let (cols, rows) = exit.size;
            recorded.title = Some(exit.title.clone());
            recorded.offset = Some(exit.offset);
            recorded.history_lines = Some(exit.history_lines);
            recorded.last_output = exit.last_output.map(Time);
            recorded.last_input = exit.last_input.map(Time);
            recorded.size = Some(sess_proto::message::Size { cols, rows, xpixel: 0, ypixel: 0 });
            let time = Some(Time(exit.time));
            recorded.exit = exit.exit().map(|exit| ExitView { exit, time });
        }
        recorded
    }
}

/// The time of day.
pub(crate) fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(since.as_millis() as u64)
}

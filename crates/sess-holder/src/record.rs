//! The record: what is kept on disk of a session, and read by everybody.
//!
//! In the folder's `record`: `start.json`, how it began, from the beginning on;
//! `latest.json`, how it stood with it lately; `output-N`, what it said lately; and
//! `exit.json`, how it ended, when it has. Each is replaced as a whole, but for the
//! latest output, which is appended to ([`output`]). Nothing in them is trusted over
//! the lock.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sess_proto::message::Exit;
use sess_sys::{Dir, Kind};

use crate::policy::{Cause, Policies};

pub mod output;
mod text;
mod writer;

pub use output::{Cells, Output};
pub use text::Text;
pub use writer::{Begin, Keep, Writer};

/// The record's folder.
pub const RECORD: &str = "record";
const START: &str = "start.json";
const LATEST: &str = "latest.json";
const EXIT: &str = "exit.json";
/// What the names of the files begin with that hold output.
const OUTPUT: &str = "output-";
/// How large a journal may be, in bytes. In a smaller one a leader at its own pace would
/// be overtaken.
pub const JOURNAL: RangeInclusive<usize> = 256 * 1024..=64 * 1024 * 1024;
/// The most lines of history that a session may keep.
pub const HISTORY_MAX: usize = 1_000_000;
/// Nobody says so many bytes.
const OFFSET_MAX: u64 = 1 << 62;
/// A record over this size is none of ours.
const LIMIT: usize = 64 * 1024 * 1024;
/// Output is never larger than that.
const OUTPUT_LIMIT: usize = 1024 * 1024 * 1024;

/// When a session's output is written down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeepOutput {
    /// While it runs, a second behind it at most, and at its end.
    #[default]
    Always,
    /// At its end.
    OnExit,
    /// Never.
    Never,
}

impl KeepOutput {
    /// How it is called.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::OnExit => "on-exit",
            Self::Never => "never",
        }
    }
}

impl std::str::FromStr for KeepOutput {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Always, Self::OnExit, Self::Never]
            .into_iter()
            .find(|one| one.as_str() == text)
            .ok_or("it takes 'always', 'on-exit' or 'never'")
    }
}

/// How a session began, and how it is begun again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct StartRecord {
    /// The session's id.
    pub id: String,
    /// Its name then.
    pub name: String,
    /// The program and its arguments.
    pub command: Vec<Text>,
    /// Where it began.
    pub cwd: Text,
    /// When the session first began, in milliseconds since 1970.
    pub created: u64,
    /// When it was begun this time.
    #[serde(default)]
    pub begun: u64,
    /// How often it had been begun before.
    #[serde(default)]
    pub run: u32,
    /// Who began it this time.
    #[serde(default)]
    pub by: Creator,
    /// Which boot of the machine it was.
    pub boot_id: String,
    /// The holder's process.
    pub holder_pid: i32,
    /// Its first size, as columns and rows.
    pub size: Cells,
    /// Lines of history kept at most.
    pub history: usize,
    /// Bytes of output kept raw at most.
    #[serde(default = "usual_journal")]
    pub journal: usize,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The environment that it was given.
    #[serde(default)]
    pub environment: Environment,
    /// The umask that it was given.
    #[serde(default = "safe_umask")]
    pub umask: u32,
    /// When its output is written down.
    #[serde(default)]
    pub record_output: KeepOutput,
    /// What becomes of it without anybody asking.
    #[serde(default)]
    pub policies: Policies,
    /// The version of the holder.
    pub version: String,
}

/// Who began a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Creator {
    /// The user's number.
    pub uid: u32,
    /// The process.
    pub pid: i32,
}

/// What is kept of an environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Environment {
    /// Whether that is all of it: else who begins it again gives the rest.
    pub whole: bool,
    /// Names and values.
    pub variables: Vec<(Text, Text)>,
}

/// How it stood with a session lately.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LatestRecord {
    /// The session's id.
    pub id: String,
    /// Where its program was.
    pub cwd: Option<Text>,
    /// Where its shell was, as it told by OSC 7: an URL.
    pub directory: Option<Text>,
    /// The title.
    pub title: String,
    /// The size, as columns and rows.
    pub size: Cells,
    /// Bytes of output.
    pub offset: u64,
    /// Lines of history.
    pub history_lines: u64,
    /// When the program last said something, in milliseconds since 1970.
    pub last_output: Option<u64>,
    /// When somebody last typed something.
    pub last_input: Option<u64>,
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ExitRecord {
    /// The session's id.
    pub id: String,
    /// How often it had been begun before.
    #[serde(default)]
    pub run: u32,
    /// The program's exit code, if it ended by itself.
    pub code: Option<u8>,
    /// The signal that ended it, if one did.
    pub signal: Option<i32>,
    /// Why.
    #[serde(default = "by_itself")]
    pub cause: Cause,
    /// When, in milliseconds since 1970.
    pub time: u64,
    /// How long it had run, in milliseconds; no clock that is set changes it.
    #[serde(default)]
    pub duration: Option<u64>,
    /// What it and all that it started used.
    #[serde(default)]
    pub usage: Option<UsageRecord>,
    /// What became of what was to be run at its end.
    #[serde(default)]
    pub on_exit: Option<OnExitRecord>,
}

/// What processes used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct UsageRecord {
    /// Processor time for themselves, in milliseconds.
    pub user: u64,
    /// Processor time for what they asked of the system, in milliseconds.
    pub system: u64,
    /// The most memory that one of them had, in KiB.
    pub max_rss: u64,
}

/// What became of a command that was run at a session's end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct OnExitRecord {
    /// Its exit code, if it ended by itself.
    pub code: Option<u8>,
    /// The signal that ended it, if one did.
    pub signal: Option<i32>,
    /// Why it could not be run.
    pub error: Option<String>,
}

fn usual_journal() -> usize {
    1024 * 1024
}

fn safe_umask() -> u32 {
    0o077
}

fn by_itself() -> Cause {
    Cause::Itself
}

/// What a session's folder says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// How it began; `None` if that is not readable.
    pub start: Option<StartRecord>,
    /// How it stood with it lately.
    pub latest: Option<LatestRecord>,
    /// How it ended, if it has.
    pub exit: Option<ExitRecord>,
}

impl ExitRecord {
    /// How the program ended; `None` if the record makes no sense.
    pub fn exit(&self) -> Option<Exit> {
        match (self.code, self.signal) {
            (Some(code), None) => Some(Exit::Code(code)),
            (None, Some(signal)) => Some(Exit::Signal(signal)),
            _ => None,
        }
    }
}

impl Record {
    /// Whether it was taken by a crash, a reboot or the system: then it is to be begun
    /// again. Only asked of sessions whose lock is free.
    pub fn was_taken(&self) -> bool {
        self.start.is_some() && self.exit.as_ref().is_none_or(|exit| exit.cause == Cause::Taken)
    }
}

/// How a session begins, written but not yet in place of what was said before.
#[derive(Debug)]
pub struct Draft {
    record: Dir,
    aside: OsString,
}

impl Draft {
    /// Writes it.
    pub fn write(folder: &Dir, start: &StartRecord) -> io::Result<Self> {
        let record = open(folder)?;
        let aside = record.write_aside(&json(start)?, 0o600)?;
        Ok(Self { record, aside })
    }

    /// It has begun. What its folder says of another session goes; of the same one, how
    /// it ended. So does what somebody has left half written.
    pub fn commit(self, same: bool) -> io::Result<()> {
        self.record.put_in_place(&self.aside, OsStr::new(START))?;
        for name in self.record.names()? {
            let stays = same && (name == LATEST || is_output(&name));
            if name != START && !stays {
                gone(self.record.remove_tree(&name))?;
            }
        }
        Ok(())
    }

    /// It has not: leaves in `folder` what was there before.
    pub fn discard(self, folder: &Dir) -> io::Result<()> {
        self.record.remove_file(&self.aside)?;
        // An earlier session's record keeps it from being empty.
        let _ = folder.remove_dir(OsStr::new(RECORD));
        Ok(())
    }
}

/// Writes how a session began, in place of what its folder says of that.
pub fn write_start(folder: &Dir, start: &StartRecord) -> io::Result<()> {
    open(folder)?.replace_file(OsStr::new(START), &json(start)?, 0o600)
}

/// Writes how it stands with a session.
pub fn write_latest(folder: &Dir, latest: &LatestRecord) -> io::Result<()> {
    open(folder)?.replace_file(OsStr::new(LATEST), &json(latest)?, 0o600)
}

/// Writes how a session ended.
pub fn write_exit(folder: &Dir, exit: &ExitRecord) -> io::Result<()> {
    open(folder)?.replace_file(OsStr::new(EXIT), &json(exit)?, 0o600)
}

/// What a session said that is over; `None` if that is not kept.
pub fn read_output(folder: &Dir) -> Option<Output> {
    let id = read(folder).start?.id;
    let record = folder.open_in(OsStr::new(RECORD)).ok()?;
    let mut names = output_names(&record).ok()?;
    names.sort_unstable();
    let read = |name: &OsString| record.read_file(name, OUTPUT_LIMIT).ok();
    let segments: Vec<Vec<u8>> = names.iter().filter_map(read).collect();
    Output::of_segments(&segments, &id)
}

/// Removes what a session said, so that there is room for how it ended.
pub fn remove_output(folder: &Dir) {
    let Ok(record) = folder.open_in(OsStr::new(RECORD)) else {
        return;
    };
    for name in output_names(&record).unwrap_or_default() {
        // What stays only takes room.
        let _ = record.remove_tree(&name);
    }
}

/// Removes what another session has left, or how the same one ended: that takes no room,
/// and must not be told of who is there now.
pub fn remove_earlier(folder: &Dir, same: bool) {
    let Ok(record) = folder.open_in(OsStr::new(RECORD)) else {
        return;
    };
    let names = if same { vec![OsString::from(EXIT)] } else { record.names().unwrap_or_default() };
    for name in names {
        let _ = record.remove_tree(&name);
    }
}

/// Whether it says how the session began; what can't be asked is taken for granted.
pub fn has_start(folder: &Dir) -> bool {
    let record = folder.open_in(OsStr::new(RECORD));
    match record.and_then(|record| record.metadata_of(OsStr::new(START))) {
        Ok(start) => start.kind == Kind::File,
        Err(error) => {
            !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
        }
    }
}

/// The names of the files that hold output.
fn output_names(record: &Dir) -> io::Result<Vec<OsString>> {
    let mut names = record.names()?;
    names.retain(|name| is_output(name));
    Ok(names)
}

fn is_output(name: &OsStr) -> bool {
    number(name).is_some()
}

/// Which of the files that hold output this is.
fn number(name: &OsStr) -> Option<u64> {
    let number = name.to_str()?.strip_prefix(OUTPUT)?;
    let digits = number.bytes().all(|byte| byte.is_ascii_digit());
    number.parse().ok().filter(|_| digits)
}

/// The record's folder, made if it is missing or something else has its place.
fn open(folder: &Dir) -> io::Result<Dir> {
    let name = OsStr::new(RECORD);
    if !folder.create_in(name, 0o700)? && folder.metadata_of(name)?.kind != Kind::Dir {
        gone(folder.remove_file(name))?;
        folder.create_in(name, 0o700)?;
    }
    folder.open_in(name)
}

fn json(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    Ok(text)
}

fn gone(removed: io::Result<()>) -> io::Result<()> {
    removed.or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })
}

/// When it was noted down that a session's program has ended, by the name of its folder in
/// `root`; that need not be its latest one. Asking costs little.
pub fn noted_end(root: &Dir, name: &OsStr) -> Option<SystemTime> {
    let path = Path::new(name).join(RECORD).join(EXIT);
    Some(root.metadata_of(path.as_os_str()).ok()?.modified)
}

/// Reads what a session's folder says. What is not there, or not readable, is
/// left out; an end that belongs to another beginning is none.
pub fn read(folder: &Dir) -> Record {
    let Ok(record) = folder.open_in(OsStr::new(RECORD)) else {
        return Record::default();
    };
    let mut start: Option<StartRecord> = parse(&record, START);
    let mut latest: Option<LatestRecord> = parse(&record, LATEST);
    // Whatever has been done to it: nothing may be begun that can't be.
    if let Some(start) = &mut start {
        start.journal = start.journal.clamp(*JOURNAL.start(), *JOURNAL.end());
        start.history = start.history.min(HISTORY_MAX);
    }
    if let Some(latest) = &mut latest {
        latest.offset = latest.offset.min(OFFSET_MAX);
    }
    let exit: Option<ExitRecord> = parse(&record, EXIT);
    let of_this = |id: &str| start.as_ref().is_none_or(|start| start.id == id);
    let exit = exit.filter(|exit| {
        let run = start.as_ref().is_none_or(|start| start.run == exit.run);
        exit.exit().is_some() && of_this(&exit.id) && run
    });
    let latest = latest.filter(|latest| of_this(&latest.id));
    Record { start, latest, exit }
}

fn parse<T: for<'de> Deserialize<'de>>(record: &Dir, name: &str) -> Option<T> {
    let text = record.read_file(OsStr::new(name), LIMIT).ok()?;
    serde_json::from_slice(&text).ok()
}

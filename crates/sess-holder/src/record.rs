//! The record: what is kept on disk of a session, and read by everybody.
//!
//! In the folder's `record`: `start.json` from the beginning on; when it has ended
//! `screen` and `journal`, what it said, and then `exit.json`, how it ended. Each is replaced as a whole. Nothing in them is
//! trusted over the lock.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;

use serde::{Deserialize, Serialize};
use sess_proto::message::{Exit, Size};
use sess_sys::Dir;

use crate::session::Identity;

/// The record's folder.
pub const RECORD: &str = "record";
const START: &str = "start.json";
const EXIT: &str = "exit.json";
const SCREEN: &str = "screen";
const JOURNAL: &str = "journal";
/// A record over this size is none of ours.
const LIMIT: usize = 4 * 1024 * 1024;
/// What a session showed, or its journal, is never larger than that.
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

/// How a session began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct StartRecord {
    /// The session's id.
    pub id: String,
    /// Its name then.
    pub name: String,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Where it began.
    pub cwd: String,
    /// When, in milliseconds since 1970.
    pub created: u64,
    /// Which boot of the machine it was.
    pub boot_id: String,
    /// The holder's process.
    pub holder_pid: i32,
    /// Its first size, as columns and rows.
    pub size: (u16, u16),
    /// Lines of history kept at most.
    pub history: usize,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The version of the holder.
    pub version: String,
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ExitRecord {
    /// The session's id.
    pub id: String,
    /// The program's exit code, if it ended by itself.
    pub code: Option<u8>,
    /// The signal that ended it, if one did.
    pub signal: Option<i32>,
    /// When, in milliseconds since 1970.
    pub time: u64,
    /// Bytes of output.
    pub offset: u64,
    /// Lines of history.
    pub history_lines: u64,
    /// The title at the end.
    pub title: String,
    /// The size at the end, as columns and rows.
    pub size: (u16, u16),
    /// When the program last said something.
    pub last_output: Option<u64>,
    /// When somebody last typed something.
    pub last_input: Option<u64>,
}

/// What a session said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// The size of its terminal, as columns and rows.
    pub size: (u16, u16),
    /// Bytes of output.
    pub offset: u64,
    /// What a blank terminal of that size is fed to show what the session showed
    /// at the end, after its history.
    pub screen: Vec<u8>,
    /// The latest output as it came, up to `offset`.
    pub raw: Vec<u8>,
}

/// What a session's folder says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// How it began; `None` if that is not readable.
    pub start: Option<StartRecord>,
    /// How it ended, if it has.
    pub exit: Option<ExitRecord>,
}

impl StartRecord {
    /// The record of a session that has just begun.
    pub fn new(identity: &Identity, size: Size, history: usize) -> Self {
        Self {
            id: identity.id.clone(),
            name: identity.name.clone(),
            command: identity.command.clone(),
            cwd: identity.cwd.clone(),
            created: identity.created,
            boot_id: sess_sys::process::boot_id().unwrap_or_default(),
            holder_pid: identity.holder_pid,
            size: (size.cols, size.rows),
            history,
            labels: identity.labels.iter().cloned().collect(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
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

/// Writes how a session began, in place of what its folder said before.
pub fn write_start(folder: &Dir, start: &StartRecord) -> io::Result<()> {
    Draft::write(folder, start)?.commit()
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

    /// It has begun.
    pub fn commit(self) -> io::Result<()> {
        self.record.put_in_place(&self.aside, OsStr::new(START))?;
        for earlier in [EXIT, SCREEN, JOURNAL] {
            match self.record.remove_file(OsStr::new(earlier)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
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

/// Writes how a session ended.
pub fn write_exit(folder: &Dir, exit: &ExitRecord) -> io::Result<()> {
    open(folder)?.replace_file(OsStr::new(EXIT), &json(exit)?, 0o600)
}

/// Writes what a session said; to be followed by how it ended.
pub fn write_output(folder: &Dir, output: &Output) -> io::Result<()> {
    let record = open(folder)?;
    record.replace_file(OsStr::new(SCREEN), &output.screen, 0o600)?;
    record.replace_file(OsStr::new(JOURNAL), &output.raw, 0o600)
}

/// What an ended session said; `None` if that is not kept.
pub fn read_output(folder: &Dir) -> Option<Output> {
    let exit = read(folder).exit?;
    let record = folder.open_in(OsStr::new(RECORD)).ok()?;
    let screen = record.read_file(OsStr::new(SCREEN), OUTPUT_LIMIT).ok()?;
    let raw = record.read_file(OsStr::new(JOURNAL), OUTPUT_LIMIT).ok()?;
    Some(Output { size: exit.size, offset: exit.offset, screen, raw })
}

/// The record's folder, made if it is missing.
fn open(folder: &Dir) -> io::Result<Dir> {
    folder.create_in(OsStr::new(RECORD), 0o700)?;
    folder.open_in(OsStr::new(RECORD))
}

fn json(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    Ok(text)
}

/// Reads what a session's folder says. What is not there, or not readable, is
/// left out; an end that belongs to another beginning is none.
pub fn read(folder: &Dir) -> Record {
    let Ok(record) = folder.open_in(OsStr::new(RECORD)) else {
        return Record::default();
    };
    let start: Option<StartRecord> = parse(&record, START);
    let exit: Option<ExitRecord> = parse(&record, EXIT);
    let exit = exit.filter(|exit| {
        exit.exit().is_some() && start.as_ref().is_none_or(|start| start.id == exit.id)
    });
    Record { start, exit }
}

fn parse<T: for<'de> Deserialize<'de>>(record: &Dir, name: &str) -> Option<T> {
    let text = record.read_file(OsStr::new(name), LIMIT).ok()?;
    serde_json::from_slice(&text).ok()
}

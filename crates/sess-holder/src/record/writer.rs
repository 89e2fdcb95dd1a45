//! Writing a session's output behind it, in segments. What to write when, it is told.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;

use sess_sys::Dir;

use super::output::Frames;
use super::{OUTPUT, number, open, output_names};

/// What is to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// What the latest segment goes on with.
    pub append: Frames,
    /// Where the output ends that it then has.
    pub end: u64,
    /// A new segment.
    pub begin: Option<Begin>,
    /// Segments that ended at this offset or before it are no longer wanted.
    pub from: u64,
    /// The new segment needs none before it. One is kept all the same: the new one may not
    /// have come to the disk when the machine loses its power.
    pub is_whole: bool,
}

/// A new segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begin {
    /// What is in it.
    pub frames: Frames,
    /// Where the output ends that it has.
    pub end: u64,
}

/// The files that hold a session's output.
#[derive(Debug)]
pub struct Writer {
    record: Dir,
    /// The one that is appended to, and where its output ends.
    latest: Option<(OsString, File, u64)>,
    /// Those before it, the oldest first.
    older: Vec<(OsString, u64)>,
    /// The number that the next one gets.
    next: u64,
}

impl Writer {
    /// Writes to this folder's record. What is in it already ends at `end`: that stays
    /// until it is no longer wanted.
    pub fn open(folder: &Dir, end: u64) -> io::Result<Self> {
        let record = open(folder)?;
        let mut older: Vec<(OsString, u64)> =
            output_names(&record)?.into_iter().map(|name| (name, end)).collect();
        older.sort_unstable();
        let last = older.iter().filter_map(|(name, _)| number(name)).max();
        let next = last.map_or(0, |number| number.saturating_add(1));
        Ok(Self { record, latest: None, older, next })
    }

    /// Writes what there is to be written. On failure nothing more can be appended to
    /// what was begun: the next thing to be written is a new segment.
    pub fn write(&mut self, keep: &Keep) -> io::Result<()> {
        if !keep.append.bytes().is_empty() {
            let appended = match &mut self.latest {
                Some((_, file, end)) => append(file, keep.append.bytes()).map(|()| *end = keep.end),
                None => Err(io::Error::other("it has no file of output to go on with")),
            };
            if appended.is_err() {
                self.close();
                return appended;
            }
        }
        if let Some(begin) = &keep.begin {
            // Zeros in front, so that the order of names is that of numbers.
            let name = OsString::from(format!("{OUTPUT}{:010}", self.next));
            self.record.replace_file(&name, begin.frames.bytes(), 0o600)?;
            self.next += 1;
            let file = self.record.open_append(&name)?;
            self.close();
            self.latest = Some((name, file, begin.end));
        }
        let wanted = |(_, end): &(OsString, u64)| !keep.is_whole && *end > keep.from;
        let last = self.older.len().saturating_sub(usize::from(keep.is_whole));
        let first_wanted = self.older[..last].iter().position(wanted).unwrap_or(last);
        // What can't be removed is left to itself: it keeps nobody from going on.
        for (name, _) in self.older.drain(..first_wanted) {
            let _ = self.record.remove_tree(&name);
        }
        Ok(())
    }

    /// The latest segment is not appended to any more.
    fn close(&mut self) {
        if let Some((name, _, end)) = self.latest.take() {
            self.older.push((name, end));
        }
    }
}

fn append(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    // One that somebody has removed would take it, and keep nothing.
    if file.metadata()?.nlink() == 0 {
        return Err(io::Error::new(io::ErrorKind::NotFound, "its output's file was removed"));
    }
    file.write_all(bytes)
}

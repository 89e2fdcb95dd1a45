//! Writing the record: what of it is in which file, and what to do when the disk
//! takes no more. What to write when, the session decides.

use std::io;
use std::time::{Duration, Instant};

use sess_sys::{Dir, Pid};

use super::Holder;
use crate::record::{self, Keep, LatestRecord, StartRecord, Text, Writer};

/// How often it is looked where a program is that says something.
const LOOK: Duration = Duration::from_millis(100);

/// What writes a session's record.
#[derive(Debug)]
pub(super) struct Recorder {
    start: StartRecord,
    /// How it began is not written, or was removed.
    owes_start: bool,
    writer: Option<Writer>,
    /// Where the output ends that was on disk before this holder.
    earlier: u64,
    /// Where the program was when that was last looked at.
    cwd: Option<Text>,
    looked_at: Instant,
}

impl Recorder {
    /// For a session that has begun like this. Of its output that is on disk which was
    /// before `earlier`.
    pub(super) fn new(start: StartRecord, earlier: u64) -> Self {
        Self {
            start,
            owes_start: false,
            writer: None,
            earlier,
            cwd: None,
            looked_at: Instant::now(),
        }
    }

    /// How it began.
    pub(super) fn start(&self) -> &StartRecord {
        &self.start
    }

    /// Where the program is, or was.
    pub(super) fn cwd(&self) -> Option<&Text> {
        self.cwd.as_ref()
    }

    /// As [`Recorder::note_cwd`], if that was long ago: after its end the system doesn't
    /// tell any more.
    pub(super) fn note_cwd_at_times(&mut self, pid: Pid) {
        if self.looked_at.elapsed() >= LOOK {
            self.note_cwd(pid);
        }
    }

    /// Looks where the program is.
    pub(super) fn note_cwd(&mut self, pid: Pid) {
        self.looked_at = Instant::now();
        if let Ok(cwd) = std::fs::read_link(format!("/proc/{pid}/cwd")) {
            self.cwd = Some(Text::from(cwd));
        }
    }

    /// The session has another name.
    pub(super) fn rename(&mut self, name: &str) {
        name.clone_into(&mut self.start.name);
    }

    /// The folder is another one: nothing is in it.
    pub(super) fn begin_anew(&mut self, folder: &Dir) {
        self.writer = None;
        self.write_start(folder);
    }

    /// Writes how it began; if that fails, with the next of the rest.
    pub(super) fn write_start(&mut self, folder: &Dir) {
        self.owes_start = record::write_start(folder, &self.start).is_err();
    }

    fn write(
        &mut self,
        folder: &Dir,
        latest: &LatestRecord,
        keep: Option<&Keep>,
    ) -> io::Result<()> {
        if self.owes_start {
            record::write_start(folder, &self.start)?;
            self.owes_start = false;
        }
        record::write_latest(folder, latest)?;
        let Some(keep) = keep else {
            return Ok(());
        };
        let mut writer = match self.writer.take() {
            Some(writer) => writer,
            None => Writer::open(folder, self.earlier)?,
        };
        writer.write(keep)?;
        // One that failed is made anew: its folder may be another by then.
        self.writer = Some(writer);
        Ok(())
    }
}

impl Holder {
    /// Writes down how it stands with the session, and some of its output.
    pub(super) fn record(&mut self, keep: Option<&Keep>) {
        let written = self.write_record(keep).map_err(|error| error.to_string());
        self.recorder.owes_start |= written.is_err();
        self.session.kept(written);
    }

    pub(super) fn write_record(&mut self, keep: Option<&Keep>) -> io::Result<()> {
        self.recorder.note_cwd(self.pid);
        let latest = self.session.latest(self.recorder.cwd.clone());
        let Some(place) = &self.place else {
            return Ok(());
        };
        self.recorder.write(place.folder(), &latest, keep)
    }
}

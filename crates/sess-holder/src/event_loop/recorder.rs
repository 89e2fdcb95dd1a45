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
    pub(super) fn new(start: StartRecord, is_written: bool, earlier: u64) -> Self {
        Self {
            start,
            owes_start: !is_written,
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
    pub(super) fn note_cwd_at_times(&mut self, pid: Option<Pid>) {
        if self.looked_at.elapsed() >= LOOK {
            self.note_cwd(pid);
        }
    }

    /// Looks where the program is.
    pub(super) fn note_cwd(&mut self, pid: Option<Pid>) {
        self.looked_at = Instant::now();
        let looked = pid.map(|pid| std::fs::read_link(format!("/proc/{pid}/cwd")));
        if let Some(Ok(cwd)) = looked {
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

    /// Whether what was written is still there, as far as that shows at once.
    fn is_in_place(&self, folder: &Dir) -> bool {
        self.owes_start || record::has_start(folder)
    }

    /// Nothing that was written is there any more.
    fn forget(&mut self) {
        self.owes_start = true;
        self.writer = None;
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
        if let Some(keep) = keep {
            let writer = match &mut self.writer {
                Some(writer) => writer,
                None => self.writer.insert(Writer::open(folder, self.earlier)?),
            };
            writer.write(keep)?;
        }
        // After the output, so that it never tells of some that isn't there.
        record::write_latest(folder, latest)
    }
}

impl Holder {
    /// Writes down how it stands with the session, and some of its output.
    pub(super) fn record(&mut self, mut keep: Option<Keep>) {
        if self.is_unrecorded() {
            self.recorder.forget();
            keep = self.everything_again();
        }
        let mut written = self.write_record(keep.as_ref());
        // Somebody has removed what was to be gone on with.
        if written.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            self.recorder.forget();
            keep = self.everything_again();
            written = self.write_record(keep.as_ref());
        }
        self.recorder.owes_start |= written.is_err();
        self.session.kept(written.map_err(|error| error.to_string()));
    }

    /// Writes down how it stands with the session at its end, and all that is kept of
    /// its output.
    pub(super) fn record_output(&mut self) {
        if self.is_unrecorded() {
            self.recorder.forget();
        }
        let output = self.session.last_output();
        if self.write_record(output.as_ref()).is_err() {
            // What is on disk already takes less to be brought up to date.
            let rest = self.session.unwritten();
            let _ = self.write_record(rest.as_ref());
        }
    }

    fn is_unrecorded(&self) -> bool {
        let place = self.place.as_ref();
        place.is_some_and(|place| !self.recorder.is_in_place(place.folder()))
    }

    fn everything_again(&mut self) -> Option<Keep> {
        self.session.keep_again();
        self.session.unwritten()
    }

    fn write_record(&mut self, keep: Option<&Keep>) -> io::Result<()> {
        self.recorder.note_cwd(self.pid);
        let latest = self.session.latest(self.recorder.cwd.clone());
        let Some(place) = &self.place else {
            return Ok(());
        };
        self.recorder.write(place.folder(), &latest, keep)
    }
}

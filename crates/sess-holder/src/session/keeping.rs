//! Keeping the output: what the record is to be given of it, and when.
//!
//! The disk follows the journal with a cursor, at most once a second, and is never
//! waited for. What it gets begins with a screen and goes on with the output as it came.
//! Where the program is so quick that the journal no longer has what comes next, it
//! begins anew, with a screen that was cut while the output passed.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use sess_proto::message::Upkeep;
use sess_screen::Screen;

use super::{Action, MUCH, Phase, Session, readers};
use crate::record::output::{Frames, Shown};
use crate::record::{Begin, Cells, Keep, KeepOutput, LatestRecord, Text};

/// How long the record may stay behind, in milliseconds.
const BEHIND: u64 = 1_000;
/// After this it is tried again to write what could not be, if no output comes, in
/// milliseconds.
const AGAIN: u64 = 60_000;
/// The longest pause after a failure while output comes, in milliseconds; it doubles with
/// each.
const LONGEST_PAUSE: u64 = 8_000;
/// A program that says a quarter of the journal within this time floods, in milliseconds.
const QUICK: u64 = 25;
/// Changes of size that are kept until they are written.
const SIZES: usize = 256;

/// How far the record is.
#[derive(Debug)]
pub(super) struct Keeping {
    mode: KeepOutput,
    /// Where the output ends that is on disk.
    written: u64,
    /// Output in the segment that goes on; `None` if there is none.
    segment: Option<u64>,
    /// When something is to be written.
    due: Option<u64>,
    /// Screens that a segment could begin with, the oldest first.
    cuts: VecDeque<Cut>,
    /// When the latest of them was cut, in ticks.
    cut_at: u64,
    /// Sizes since what is on disk.
    sizes: VecDeque<(u64, Cells)>,
    /// How many sizes there have been.
    resizes: usize,
    /// What is on disk can't be gone on with, and nothing that was cut is of use.
    is_broken: bool,
    /// What is being written: where the output ends, and how much of it the segment has.
    writing: Option<(u64, u64)>,
    /// Why the record is not what it should be.
    problem: Option<String>,
    /// It is not tried before that to write again, in ticks.
    not_before: u64,
    /// The pause after the latest failure.
    pause: u64,
}

/// A screen, and how many sizes there had been before it.
#[derive(Debug)]
struct Cut {
    shown: Shown,
    resizes: usize,
}

impl Keeping {
    /// Nothing is on disk of what follows this screen. One that goes on where another has
    /// ended begins with all of it, so that no number of beginnings leaves many pieces.
    pub(super) fn new(mode: KeepOutput, screen: &Screen, goes_on: bool) -> Self {
        let shown = Shown::of(screen, false);
        Self {
            mode,
            written: shown.offset,
            segment: None,
            due: None,
            cuts: VecDeque::from([Cut { shown, resizes: 0 }]),
            cut_at: 0,
            sizes: VecDeque::new(),
            resizes: 0,
            is_broken: goes_on,
            writing: None,
            problem: None,
            not_before: 0,
            pause: 0,
        }
    }

    fn follows(&self) -> bool {
        self.mode == KeepOutput::Always
    }
}

impl Session {
    /// Something is to be written down, within a second.
    pub(super) fn note_for_record(&mut self) {
        let at = (self.now.ticks + BEHIND).max(self.keeping.not_before);
        self.keeping.due = Some(self.keeping.due.map_or(at, |due| due.min(at)));
    }

    /// The terminal has another size from the head on.
    pub(super) fn keep_size(&mut self, size: Cells) {
        let head = self.stream.head();
        let keeping = &mut self.keeping;
        if keeping.follows() {
            keeping.resizes += 1;
            keeping.sizes.push_back((head, size));
            if keeping.sizes.len() > SIZES {
                keeping.is_broken = true;
                keeping.sizes.clear();
            }
        }
        self.note_for_record();
    }

    /// Cuts a screen for the record if the journal will not have for long what passes.
    pub(super) fn cut_for_record(&mut self) {
        let keeping = &self.keeping;
        let latest = keeping.cuts.back().map(|cut| cut.shown.offset);
        let since = latest.max(keeping.segment.map(|_| keeping.written)).unwrap_or(0);
        if !keeping.follows() || self.stream.head() - since < self.stream.capacity() / 4 {
            return;
        }
        // In a flood what is cut now will have passed before it is written.
        let now = self.now.ticks;
        let is_flood = now < keeping.cut_at + QUICK;
        if is_flood && keeping.due.is_some_and(|due| now + 5 * QUICK < due) {
            return;
        }
        let Self { stream, clients, .. } = self;
        let shown = Shown::of(&stream.screenful(&mut readers(clients)), false);
        self.followed();
        let keeping = &mut self.keeping;
        keeping.cut_at = now;
        keeping.cuts.push_back(Cut { shown, resizes: keeping.resizes });
        // With so many the oldest is as far back as the journal is sure to go.
        if keeping.cuts.len() > 3 {
            keeping.cuts.pop_front();
        }
    }

    pub(super) fn keeping_due(&self) -> Option<u64> {
        self.keeping.due.filter(|_| !matches!(self.phase, Phase::Concluding | Phase::Over))
    }

    /// Time has passed.
    pub(super) fn tick_keeping(&mut self) {
        if self.keeping_due().is_some_and(|due| self.now.ticks >= due) {
            self.keeping.due = None;
            let keep = self.unwritten();
            self.actions.push(Action::Record(keep));
        }
    }

    /// What the disk lacks of the output, if it is to follow. [`Session::kept`] is to be told what came of
    /// writing it.
    pub fn unwritten(&mut self) -> Option<Keep> {
        if !self.keeping.follows() {
            return None;
        }
        let (tail, head) = (self.stream.tail(), self.stream.head());
        let Keeping { written, segment, is_broken, .. } = self.keeping;
        let segment = segment.filter(|_| !is_broken);
        if segment.is_some() && head == written && self.keeping.sizes.is_empty() {
            return None;
        }
        let capacity = self.stream.capacity();
        let from = head.saturating_sub(capacity / 4 * 3);
        let (keep, in_segment) = if let Some(before) = segment.filter(|_| written >= tail) {
            let mut keep = Keep { end: head, from, ..Keep::default() };
            self.frame(written, &mut keep.append);
            let in_segment = before + head - written;
            if in_segment < capacity / 4 {
                (keep, in_segment)
            } else {
                // This one then has what the journal has before the next.
                self.catch_up();
                let frames = self.segment(&Shown::of(self.stream.screen(), false));
                keep.begin = Some(Begin { frames, end: head });
                (keep, 0)
            }
        } else if let Some(cut) = self.cut_within(tail).filter(|_| !is_broken) {
            let keeping = &mut self.keeping;
            let before = keeping.sizes.len() - (keeping.resizes - cut.resizes);
            drop(keeping.sizes.drain(..before));
            let offset = cut.shown.offset;
            let mut frames = self.segment(&cut.shown);
            self.frame(offset, &mut frames);
            // Unless it goes on where the disk ends, that has a gap behind it.
            let from = if offset == written { from } else { offset };
            let begin = Some(Begin { frames, end: head });
            (Keep { begin, from, ..Keep::default() }, head - offset)
        } else {
            (self.everything(), head - tail)
        };
        self.keeping.cuts.clear();
        self.keeping.sizes.clear();
        self.keeping.writing = Some((head, in_segment));
        Some(keep)
    }

    /// The oldest screen from which on the journal has everything, unless that leaves much
    /// of the journal out: those before it may not have been cut, or have passed.
    fn cut_within(&mut self, tail: u64) -> Option<Cut> {
        let Keeping { cuts, written, .. } = &mut self.keeping;
        while cuts.front().is_some_and(|cut| cut.shown.offset < tail) {
            cuts.pop_front();
        }
        let enough = self.stream.head().saturating_sub(self.stream.capacity() / 5 * 2);
        cuts.pop_front().filter(|Cut { shown, .. }| shown.offset <= enough.max(*written))
    }

    fn segment(&self, shown: &Shown) -> Frames {
        let mut frames = Frames::begin(&self.identity.id, shown.offset);
        frames.screen(shown);
        frames
    }

    /// The output from `from` on, with the sizes in their places.
    fn frame(&self, from: u64, frames: &mut Frames) {
        let mut at = from;
        for &(until, size) in &self.keeping.sizes {
            frames.output(&self.stream.bytes(at, until));
            frames.size(size);
            at = until;
        }
        frames.output(&self.stream.bytes(at, self.stream.head()));
    }

    /// What came of writing it.
    pub fn kept(&mut self, written: Result<(), String>) {
        let now = self.now.ticks;
        let keeping = &mut self.keeping;
        let writing = keeping.writing.take();
        match written {
            Ok(()) => {
                if let Some((end, in_segment)) = writing {
                    if end - keeping.written >= MUCH {
                        self.actions.push(Action::GiveBack);
                    }
                    keeping.written = end;
                    keeping.segment = Some(in_segment);
                    keeping.is_broken = false;
                }
                keeping.problem = None;
                keeping.pause = 0;
            }
            Err(problem) => {
                keeping.is_broken = true;
                keeping.problem = Some(problem);
                keeping.pause = (2 * keeping.pause).clamp(BEHIND, LONGEST_PAUSE);
                keeping.not_before = now + keeping.pause;
                keeping.due.get_or_insert(now + AGAIN);
            }
        }
    }

    /// What was on disk is gone: all of it is to be written again.
    pub fn keep_again(&mut self) {
        self.keeping.is_broken = true;
        self.note_for_record();
    }

    /// What is to be kept at the end; `None` if nothing is.
    pub fn last_output(&mut self) -> Option<Keep> {
        (self.keeping.mode != KeepOutput::Never).then(|| self.everything())
    }

    /// The journal, the screen and its history: nothing else is needed.
    fn everything(&mut self) -> Keep {
        self.catch_up();
        let (tail, head) = (self.stream.tail(), self.stream.head());
        let mut frames = Frames::begin(&self.identity.id, tail);
        frames.output(&self.stream.bytes(tail, head));
        frames.screen(&Shown::of(self.stream.screen(), true));
        Keep { begin: Some(Begin { frames, end: head }), is_whole: true, ..Keep::default() }
    }

    /// How the session is kept up.
    pub fn upkeep(&self) -> Upkeep {
        let (restarts, next_start) = self.restarts();
        Upkeep {
            record_output: self.keeping.mode.as_str().to_owned(),
            record_problem: self.keeping.problem.clone(),
            restarts,
            next_start,
        }
    }

    /// How it stands with the session, for its record; `cwd` is where the program is.
    pub fn latest(&mut self, cwd: Option<Text>) -> LatestRecord {
        self.catch_up();
        let screen = self.stream.screen();
        let history = screen.history();
        let directory = screen.directory();
        LatestRecord {
            id: self.identity.id.clone(),
            cwd,
            directory: (!directory.is_empty()).then(|| Text::from(OsStr::from_bytes(directory))),
            title: screen.title().to_owned(),
            size: (self.size.cols, self.size.rows),
            offset: self.stream.head(),
            history_lines: history.end - history.start,
            last_output: self.last_output.map(|at| at.wall),
            last_input: self.last_input.map(|at| at.wall),
        }
    }
}

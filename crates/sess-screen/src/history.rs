//! The lines that scrolled off the top, as compact bytes in a queue of chunks.
//! It knows nothing of the screen they came from, or of a chunk's layout.

use std::collections::VecDeque;
use std::ops::Range;

use crate::cell::{GAP, SPACER, width};
use crate::chunk::{Chunk, GAP_AT_END, GRAPHEMES, Line, STYLED, WRAPPED, pop_varint};
use crate::extent::{Extent, trimmed};
use crate::input::{Decoded, decode};
use crate::interned::Interned;
use crate::marks::Marks;
use crate::paint::{CLUSTERS_OFF, CLUSTERS_ON};
use crate::row::Row;
use crate::sgr::PenWriter;
use crate::style::Colour;
use crate::styled_line::{Numbers, Run, StyledLine};

const CHUNK_BYTES: usize = 16 << 10;
const CHUNK_STYLES: usize = 4096;
/// However long the lines: with wide cells of many styles ten thousand of them
/// could take far more than anybody wants to keep.
const MOST_BYTES: usize = 64 << 20;

/// Lines by absolute number; numbers only grow.
#[derive(Clone, Debug)]
pub(crate) struct History {
    chunks: VecDeque<Chunk>,
    first: u64,
    end: u64,
    limit: u64,
    /// From this line on the limit drops none.
    held: u64,
    /// Just behind the latest byte written to any line that was dropped for its age.
    dropped: u64,
    bytes: usize,
    /// For each style id of the screen: in which chunk (by its first line, plus
    /// one) it has which number.
    numbers: Vec<(u64, u32)>,
    runs: Vec<u8>,
    spare: Option<Chunk>,
}

impl History {
    pub(crate) fn new(limit: usize) -> History {
        History {
            chunks: VecDeque::new(),
            first: 0,
            end: 0,
            limit: limit as u64,
            held: u64::MAX,
            dropped: 0,
            bytes: 0,
            numbers: Vec::new(),
            runs: Vec::new(),
            spare: None,
        }
    }

    pub(crate) fn range(&self) -> Range<u64> {
        self.first..self.end
    }

    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    /// From now on the limit drops no line numbered `from` or later, or again any.
    /// Lines that go back to the screen make numbers grow: then a few more are held
    /// than were meant, but never fewer.
    pub(crate) fn hold(&mut self, from: Option<u64>) {
        self.held = from.unwrap_or(u64::MAX);
        self.drop_old();
    }

    /// Whether one of the next `n` lines is held.
    pub(crate) fn holds_next(&self, n: u64) -> bool {
        self.end + n > self.held
    }

    /// When a line was written to isn't known, but that it was before that offset.
    pub(crate) fn forget_when_written(&mut self, offset: u64) {
        self.dropped = offset;
        for written in self.chunks.iter_mut().flat_map(|chunk| &mut chunk.written) {
            *written = 1.min(*written);
        }
    }

    /// Forgets all lines; their numbers are not used again.
    pub(crate) fn clear(&mut self) {
        self.chunks.clear();
        self.spare = None;
        self.bytes = 0;
        self.first = self.end;
    }

    /// The screen's style ids mean something else from now on.
    pub(crate) fn forget_style_ids(&mut self) {
        self.numbers.clear();
    }

    /// Takes `n` lines as numbered and dropped at once: more followed in the
    /// same breath than are kept. `written`: just behind the latest byte of them.
    pub(crate) fn skip(&mut self, n: u64, written: u64) {
        self.dropped = written;
        self.end += n;
        self.chunks.clear();
        self.bytes = 0;
        self.first = self.end;
    }

    /// `written`: just behind the latest byte written to it.
    fn open_line(&mut self, written: u64) -> &mut Chunk {
        let full = self.chunks.back().is_none_or(|chunk| {
            chunk.data.len() >= CHUNK_BYTES || chunk.styles.len() >= CHUNK_STYLES
        });
        if full {
            if let Some(last) = self.chunks.back_mut() {
                self.bytes += last.bytes();
            }
            let mut chunk = self.spare.take().unwrap_or_else(Chunk::new);
            if !self.chunks.is_empty() {
                // It will be filled: growing step by step would only copy.
                chunk.data.reserve(CHUNK_BYTES + 512);
            }
            chunk.first = self.end;
            self.chunks.push_back(chunk);
        }
        let index = self.chunks.len() - 1;
        let chunk = &mut self.chunks[index];
        chunk.starts.push(chunk.data.len() as u32);
        chunk.written.push(written);
        self.end += 1;
        chunk
    }

    fn drop_old(&mut self) {
        let first = self.first.max(self.end.saturating_sub(self.limit).min(self.held));
        if first > self.first {
            self.note_dropped(first);
            self.first = first;
        }
        while let Some(chunk) = self.chunks.front() {
            let gone = chunk.first + chunk.starts.len() as u64 <= self.first;
            if !gone && (self.bytes <= MOST_BYTES || self.chunks.len() == 1) {
                break;
            }
            self.bytes = self.bytes.saturating_sub(chunk.bytes());
            let first = self.first.max(chunk.first + chunk.starts.len() as u64);
            self.note_dropped(first);
            self.first = first;
            if let Some(mut chunk) = self.chunks.pop_front() {
                if self.chunks.is_empty() {
                    self.bytes = 0;
                }
                chunk.clear();
                self.spare = Some(chunk);
            }
        }
    }

    /// The lines before `first` are about to be dropped.
    fn note_dropped(&mut self, first: u64) {
        for chunk in &self.chunks {
            if chunk.first >= first {
                break;
            }
            let index =
                |line: u64| (line.saturating_sub(chunk.first) as usize).min(chunk.written.len());
            let gone = &chunk.written[index(self.first)..index(first)];
            self.dropped = gone.iter().copied().fold(self.dropped, u64::max);
        }
    }

    /// Just behind the latest byte written to any line that was dropped for its age.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Appends a row of a screen `cols` wide.
    pub(crate) fn push(&mut self, row: &Row, cols: usize, interned: &Interned) {
        if row.plain && row.marks == Marks::NONE {
            let chunk = self.open_line(row.written);
            chunk.data.push(if row.wrapped { WRAPPED } else { 0 });
            let len = if row.wrapped { row.cells.len() } else { trimmed(&row.cells, interned) };
            chunk.data.extend(row.cells[..len].iter().map(|cell| cell.ascii()));
            if row.wrapped && len < cols {
                chunk.data.resize(chunk.data.len() + cols - len, b' ');
            }
        } else {
            self.push_styled(row, cols, interned);
        }
        self.drop_old();
    }

    /// Appends a row that was printed in these runs of `text`.
    pub(crate) fn push_runs(
        &mut self,
        text: &[u8],
        mut runs: &[Run],
        wrapped: bool,
        interned: &Interned,
    ) {
        // Nothing is written to an empty one.
        let written = runs.last().map_or(0, |run| run.written);
        // Blanks that nobody sees end no line.
        let mut last = runs.last().map_or(0, |run| run.len);
        while let Some((run, before)) = runs.split_last().filter(|_| !wrapped) {
            if interned.styles.hides_blanks(run.style) {
                last = run.of(text).trim_ascii_end().len();
            }
            if last > 0 {
                break;
            }
            runs = before;
            last = runs.last().map_or(0, |run| run.len);
        }
        if let [] | [Run { style: 0, .. }] = runs {
            let chunk = self.open_line(written);
            chunk.data.push(if wrapped { WRAPPED } else { 0 });
            let shown = runs.first().map_or(&[][..], |run| &run.of(text)[..last]);
            chunk.data.extend_from_slice(shown);
        } else {
            let mut line = self.begin_styled(written, Marks::NONE, None, interned);
            while let Some((run, after)) = runs.split_first() {
                let len = if after.is_empty() { last } else { run.len };
                line.push(text, Run { len, ..*run }, after);
                runs = after;
            }
            line.close(if wrapped { WRAPPED } else { 0 });
        }
        self.drop_old();
    }

    /// Opens a line whose text has styles. `tail`: the style of its coloured tail.
    fn begin_styled<'a>(
        &'a mut self,
        written: u64,
        marks: Marks,
        tail: Option<u16>,
        interned: &'a Interned,
    ) -> StyledLine<'a> {
        self.open_line(written);
        let index = self.chunks.len() - 1;
        let Self { chunks, numbers, runs, .. } = self;
        if numbers.len() < interned.styles.len() {
            numbers.resize(interned.styles.len(), (0, 0));
        }
        StyledLine::begin(&mut chunks[index], marks, tail, Numbers { numbers, interned }, runs)
    }

    fn push_styled(&mut self, row: &Row, cols: usize, interned: &Interned) {
        let extent = Extent::of(row, cols, interned);
        let mut line = self.begin_styled(row.written, row.marks, extent.tail, interned);
        let mut flags = if row.wrapped { WRAPPED } else { 0 };
        let mut rest = &row.cells[..extent.text];
        while let Some(first) = rest.first() {
            let len = rest.iter().take_while(|cell| cell.style == first.style).count();
            let (cells, more) = rest.split_at(len);
            rest = more;
            line.style(first.style, || cells.iter().all(|cell| cell.is_blank()));
            if row.ascii {
                line.text().extend(cells.iter().map(|cell| cell.ascii()));
            } else {
                for cell in cells.iter().filter(|cell| !cell.is(SPACER | GAP)) {
                    interned.push_text(*cell, line.text());
                    if interned.is_grapheme(*cell) {
                        flags |= GRAPHEMES;
                    }
                }
            }
        }
        if extent.padding > 0 {
            line.default_style();
            let text = line.text();
            text.resize(text.len() + extent.padding, b' ');
        }
        if row.ends_in_gap() {
            flags |= GAP_AT_END;
        }
        line.close(flags);
    }

    /// Forgets the last `count` lines, which go back to the screen. No number is
    /// used twice: those of the lines before them grow by as many.
    pub(crate) fn take_back(&mut self, count: u64) {
        let mut left = count as usize;
        while left > 0
            && let Some(chunk) = self.chunks.back_mut()
        {
            let kept = chunk.starts.len().saturating_sub(left);
            left -= chunk.starts.len() - kept;
            if kept > 0 {
                chunk.data.truncate(chunk.starts[kept] as usize);
                chunk.starts.truncate(kept);
                chunk.written.truncate(kept);
            } else {
                self.chunks.pop_back();
                if let Some(open) = self.chunks.back() {
                    self.bytes -= open.bytes();
                }
            }
        }
        let taken = count - left as u64;
        self.first = (self.first + taken).min(self.end);
        for chunk in &mut self.chunks {
            chunk.first += taken;
        }
        self.forget_style_ids();
    }

    /// The last line no longer runs on into the screen's first row.
    pub(crate) fn break_last_line(&mut self) {
        if let Some(chunk) = self.chunks.back_mut()
            && let Some(&start) = chunk.starts.last()
        {
            chunk.data[start as usize] &= !WRAPPED;
        }
    }

    /// The first line from `first` on that may have been written to since that offset:
    /// no whole chunk without such a line is before it.
    pub(crate) fn first_since(&self, first: u64, since: u64) -> u64 {
        let older = |chunk: &&Chunk| chunk.written.iter().all(|&written| written <= since);
        let chunk = self.chunks.iter().find(|chunk| !older(chunk));
        first.max(chunk.map_or(self.end, |chunk| chunk.first))
    }

    /// Whether a line is soft-wrapped into the next.
    pub(crate) fn is_wrapped(&self, line: u64) -> bool {
        self.line(line).is_some_and(|(_, line)| line.flags & WRAPPED != 0)
    }

    pub(crate) fn line(&self, number: u64) -> Option<(&Chunk, Line<'_>)> {
        if !self.range().contains(&number) {
            return None;
        }
        let index = self.chunks.partition_point(|chunk| chunk.first <= number).checked_sub(1)?;
        let chunk = &self.chunks[index];
        Some((chunk, chunk.line((number - chunk.first) as usize)?))
    }

    /// Appends a line as bytes for a terminal, from pen reset to pen reset.
    /// `screen_is_wide`: the screen's first row begins with a wide character.
    pub(crate) fn render(&self, number: u64, screen_is_wide: bool, out: &mut Vec<u8>) {
        let Some((chunk, line)) = self.line(number) else { return };
        let mut pen = PenWriter::default();
        let mut begins_coloured = false;
        let wrapped = line.flags & WRAPPED != 0;
        let continues = || number > self.first && self.is_wrapped(number - 1);
        let marked = line.marks != Marks::NONE;
        if marked && !continues() {
            line.marks.write(out);
        }
        if line.flags & GRAPHEMES != 0 {
            out.extend_from_slice(CLUSTERS_ON);
        }
        let start = out.len();
        if line.flags & STYLED == 0 {
            out.extend_from_slice(if wrapped { line.text } else { line.text.trim_ascii_end() });
        } else {
            let (mut runs, mut text) = (line.runs, line.text);
            if !wrapped && text.ends_with(b" ") {
                // Kept while it was wrapped, which it is no longer.
                text = &text[..chunk.shown(&line)];
            }
            let all = text.len();
            while let Some(style) = pop_varint(&mut runs) {
                let len = (pop_varint(&mut runs).unwrap_or(0) as usize).min(text.len());
                let style = chunk.styles[style as usize];
                if text.len() == all {
                    begins_coloured = style.bg != Colour::DEFAULT;
                }
                if text.is_empty() {
                    break;
                }
                pen.to(style, chunk.link(style), out);
                let (run, rest) = text.split_at(len);
                out.extend_from_slice(run);
                text = rest;
            }
        }
        if out.len() == start && continues() {
            // Without a character the line before would not wrap into it.
            if let Some(tail) = line.tail {
                pen.to(chunk.styles[tail].erasing(), None, out);
                begins_coloured = true;
            }
            out.push(b' ');
        }
        if let Some(tail) = line.tail {
            pen.to(chunk.styles[tail].erasing(), None, out);
            out.extend_from_slice(b"\x1b[K");
        } else if begins_coloured && !wrapped && continues() {
            // Wrapping with a coloured pen scrolled in a coloured row.
            pen.reset(out);
            out.extend_from_slice(b"\x1b[K");
        }
        pen.reset(out);
        if line.flags & GRAPHEMES != 0 {
            out.extend_from_slice(CLUSTERS_OFF);
        }
        if marked && continues() {
            // Before its text the cursor hung on the line before.
            line.marks.write(out);
        }
        if line.flags & GAP_AT_END != 0 {
            let is_wide = match self.line(number + 1) {
                Some((_, next)) => begins_wide(next.text),
                None => screen_is_wide,
            };
            if !is_wide {
                out.push(b' ');
            }
        }
        if !wrapped {
            out.extend_from_slice(b"\r\n");
        }
    }
}

fn begins_wide(text: &[u8]) -> bool {
    matches!(decode(text), Decoded::Char(c, _) if width(c) == 2)
}

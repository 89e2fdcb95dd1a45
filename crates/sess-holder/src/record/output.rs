//! What a session said, as bytes on disk: pure.
//!
//! A segment is a file of frames, as they are cut on a socket, that is only ever
//! appended to: where it begins, then in the order of the output screens, pieces of
//! output as they came, and sizes. Cut off at any byte it is a shorter segment. Each
//! segment goes on where the one before it ended, unless the program was quicker than
//! the disk.

use std::ops::Range;

use sess_proto::Decoder;
use sess_proto::frame::{OUTPUT_LIMIT, encode_raw};
use sess_screen::{Screen, Size};

use super::OFFSET_MAX;

/// A size as columns and rows.
pub type Cells = (u16, u16);

const BEGIN: u8 = 1;
const SCREEN: u8 = 2;
const SHOWN: u8 = 3;
const OUTPUT: u8 = 4;
const SIZE: u8 = 5;

/// What a session shows at an offset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Bytes of output until then.
    pub offset: u64,
    /// The size of its terminal.
    pub size: Cells,
    /// Whether its history is there as well.
    pub history: bool,
    /// What a blank terminal of that size is fed to show it.
    pub bytes: Vec<u8>,
}

impl Shown {
    /// What a screen shows now; with its history if that is wanted.
    pub fn of(screen: &Screen, history: bool) -> Self {
        let size = screen.size();
        let mut bytes = Vec::new();
        if history {
            for line in screen.history() {
                screen.history_line(line, &mut bytes);
            }
        }
        // A blank one needs nothing.
        if screen.offset() > 0 {
            screen.snapshot(size, &mut bytes);
        }
        Self { offset: screen.offset(), size: (size.cols, size.rows), history, bytes }
    }
}

/// Writes a segment, or what is appended to one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frames(Vec<u8>);

impl Frames {
    /// The beginning of a segment: whose output follows, from which offset on.
    pub fn begin(id: &str, offset: u64) -> Self {
        let mut frames = Self::default();
        let payload = [&offset.to_le_bytes()[..], id.as_bytes()].concat();
        encode_raw(BEGIN, &payload, &mut frames.0);
        frames
    }

    /// What is shown at this point.
    pub fn screen(&mut self, shown: &Shown) {
        let (cols, rows) = shown.size;
        let mut head = Vec::with_capacity(13);
        head.extend_from_slice(&cols.to_le_bytes());
        head.extend_from_slice(&rows.to_le_bytes());
        head.push(shown.history.into());
        head.extend_from_slice(&(shown.bytes.len() as u64).to_le_bytes());
        encode_raw(SCREEN, &head, &mut self.0);
        for chunk in shown.bytes.chunks(OUTPUT_LIMIT) {
            encode_raw(SHOWN, chunk, &mut self.0);
        }
    }

    /// The next bytes of output.
    pub fn output(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(OUTPUT_LIMIT) {
            encode_raw(OUTPUT, chunk, &mut self.0);
        }
    }

    /// The terminal's size from here on.
    pub fn size(&mut self, (cols, rows): Cells) {
        let payload = [cols.to_le_bytes(), rows.to_le_bytes()].concat();
        encode_raw(SIZE, &payload, &mut self.0);
    }

    /// What is to be written.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A segment as it was read, as far as it makes sense.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Segment {
    id: String,
    offset: u64,
    raw: Vec<u8>,
    screens: Vec<Shown>,
    /// From which offset on the terminal had which size.
    sizes: Vec<(u64, Cells)>,
}

impl Segment {
    /// Reads as much as there is; `None` if not even its beginning is.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut decoder = Decoder::new(OUTPUT_LIMIT);
        let mut pieces = bytes.chunks(OUTPUT_LIMIT);
        let mut segment: Option<Self> = None;
        // A screen whose bytes are still to come: how many it has in the end.
        let mut coming: Option<(u64, Shown)> = None;
        loop {
            let frame = match decoder.next_frame() {
                Ok(Some(frame)) => frame,
                Ok(None) => match pieces.next() {
                    Some(piece) => {
                        decoder.feed(piece);
                        continue;
                    }
                    None => return segment,
                },
                Err(_) => return segment,
            };
            let Some(it) = &mut segment else {
                let (offset, id) = frame.payload.split_first_chunk()?;
                let id = std::str::from_utf8(id).ok().filter(|_| frame.kind == BEGIN)?;
                let offset = Some(u64::from_le_bytes(*offset)).filter(|at| *at <= OFFSET_MAX)?;
                segment = Some(Self { id: id.to_owned(), offset, ..Self::default() });
                continue;
            };
            match (frame.kind, frame.payload) {
                (SCREEN, &[c0, c1, r0, r1, history, ref len @ ..]) => {
                    let Ok(len) = len.try_into().map(u64::from_le_bytes) else {
                        return segment;
                    };
                    let size = (u16::from_le_bytes([c0, c1]), u16::from_le_bytes([r0, r1]));
                    let (offset, history) = (it.end(), history != 0);
                    coming = Some((len, Shown { offset, size, history, bytes: Vec::new() }));
                }
                (SHOWN, bytes) => match &mut coming {
                    Some((_, shown)) => shown.bytes.extend_from_slice(bytes),
                    None => return segment,
                },
                (OUTPUT, bytes) => it.raw.extend_from_slice(bytes),
                (SIZE, &[c0, c1, r0, r1]) => {
                    let size = (u16::from_le_bytes([c0, c1]), u16::from_le_bytes([r0, r1]));
                    it.sizes.push((it.end(), size));
                }
                _ => return segment,
            }
            if let Some((_, shown)) = coming.take_if(|(len, it)| it.bytes.len() as u64 >= *len) {
                it.screens.push(shown);
            }
        }
    }

    fn end(&self) -> u64 {
        self.offset + self.raw.len() as u64
    }
}

/// What is kept of a session's output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Where the latest output begins that is kept as it came.
    pub from: u64,
    /// That output.
    pub raw: Vec<u8>,
    /// What it showed at some offset within it.
    base: Shown,
    /// The sizes that its terminal had from which offset on, after the base.
    sizes: Vec<(u64, Cells)>,
}

impl Output {
    /// What segments say together, the oldest first; `None` if nothing is readable
    /// of session `id`.
    pub fn of_segments(segments: &[Vec<u8>], id: &str) -> Option<Self> {
        let parsed = segments.iter().map(|bytes| Segment::parse(bytes));
        let mut chain: Vec<Segment> = Vec::new();
        for segment in parsed.flatten().filter(|segment| segment.id == id) {
            if chain.last().is_some_and(|last| last.end() != segment.offset) {
                // One that was torn off before it had a screen is of no use by itself.
                if segment.screens.is_empty() {
                    continue;
                }
                chain.clear();
            }
            chain.push(segment);
        }
        let whole = chain.iter().flat_map(|one| &one.screens).rfind(|shown| shown.history);
        let base = whole.or_else(|| chain.iter().flat_map(|one| &one.screens).next())?.clone();
        let from = chain.first()?.offset;
        let mut output = Self { from, base, ..Self::default() };
        for segment in chain {
            output.raw.extend_from_slice(&segment.raw);
            let later = segment.sizes.into_iter().filter(|(at, _)| *at >= output.base.offset);
            output.sizes.extend(later);
        }
        Some(output)
    }

    /// Nothing but how much there was.
    pub fn nothing(offset: u64, size: Cells) -> Self {
        let base = Shown { offset, size, ..Shown::default() };
        Self { from: offset, base, ..Self::default() }
    }

    /// The same where there was more output, until `offset`, that is not kept: what it
    /// showed is what it shows.
    #[must_use]
    pub fn until(self, offset: u64) -> Self {
        if offset <= self.end() {
            return self;
        }
        let shown = Shown::of(&self.screen(self.lines()), true);
        let base = Shown { offset, ..shown };
        Self { from: offset, base, ..Self::default() }
    }

    /// Bytes of output until its end.
    pub fn end(&self) -> u64 {
        self.from + self.raw.len() as u64
    }

    /// The size that its terminal had at the end.
    pub fn size(&self) -> Cells {
        self.sizes.last().map_or(self.base.size, |(_, size)| *size)
    }

    /// What it showed at the end, with so many lines of history.
    pub fn screen(&self, history: usize) -> Screen {
        let Shown { offset, size: (cols, rows), bytes, .. } = &self.base;
        let mut screen = Screen::resumed(Size::new(*cols, *rows), history, bytes, *offset);
        let mut at = *offset;
        for &(until, (cols, rows)) in &self.sizes {
            screen.feed(&self.raw[self.range(at, until)]);
            screen.resize(Size::new(cols, rows));
            at = until;
        }
        screen.feed(&self.raw[self.range(at, self.end())]);
        screen
    }

    /// About how many lines it can have at most.
    pub fn lines(&self) -> usize {
        let narrowest = self.sizes.iter().map(|(_, size)| size.0).chain([self.base.size.0]);
        let cols = usize::from(narrowest.min().unwrap_or(1).max(1));
        let all = [&self.base.bytes, &self.raw];
        let feeds = |bytes: &&Vec<u8>| bytes.split(|byte| *byte == b'\n').count();
        let rows = usize::from(self.base.size.1);
        all.iter().map(|bytes| feeds(bytes) + bytes.len() / cols).sum::<usize>() + rows
    }

    fn range(&self, from: u64, to: u64) -> Range<usize> {
        let index = |at: u64| (at.saturating_sub(self.from) as usize).min(self.raw.len());
        index(from)..index(to)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "6f1c9a40b2d7e853";

    fn shown(size: Cells, bytes: &str, history: bool) -> Shown {
        Shown { offset: 0, size, history, bytes: bytes.as_bytes().to_vec() }
    }

    fn segment(offset: u64, screen: &Shown, output: &str) -> Frames {
        let mut frames = Frames::begin(ID, offset);
        frames.screen(screen);
        frames.output(output.as_bytes());
        frames
    }

    fn read(segments: &[&Frames]) -> Option<Output> {
        let segments: Vec<Vec<u8>> = segments.iter().map(|one| one.bytes().to_vec()).collect();
        Output::of_segments(&segments, ID)
    }

    fn text(output: &Output) -> String {
        output.screen(100).text()
    }

    #[test]
    fn what_was_written_is_read_again() {
        let one = segment(7, &shown((20, 5), "before", false), " after\r\nmore");
        let output = read(&[&one]).unwrap();
        assert_eq!((output.from, output.end(), output.size()), (7, 19, (20, 5)));
        assert_eq!(output.raw, b" after\r\nmore");
        assert_eq!(text(&output), "before after\nmore");
        assert_eq!(output.screen(0).offset(), 19);
    }

    #[test]
    fn segments_go_on_where_the_one_before_ended() {
        let first = segment(0, &shown((9, 2), "", false), "a\r\nb\r\nc");
        let second = segment(7, &shown((9, 2), "b\r\nc", false), "\r\nd");
        let output = read(&[&first, &second]).unwrap();
        assert_eq!((output.from, output.raw.as_slice()), (0, b"a\r\nb\r\nc\r\nd".as_slice()));
        let screen = output.screen(10);
        assert_eq!((screen.text().as_str(), screen.history()), ("c\nd", 0..2));
    }

    #[test]
    fn a_gap_leaves_what_follows_it() {
        let first = segment(0, &shown((9, 2), "", false), "lost");
        let second = segment(50, &shown((9, 2), "new", false), "er");
        let output = read(&[&first, &second]).unwrap();
        assert_eq!((output.from, text(&output).as_str()), (50, "newer"));
    }

    #[test]
    fn a_whole_screen_is_where_it_goes_on_from() {
        let mut first = segment(0, &shown((9, 2), "", false), "x");
        first.screen(&shown((9, 2), "old\r\nolder\r\n$", true));
        let second = segment(1, &shown((9, 2), "older\r\n$", false), " ls");
        let output = read(&[&first, &second]).unwrap();
        assert_eq!((output.from, output.raw.as_slice()), (0, b"x ls".as_slice()));
        let screen = output.screen(10);
        assert_eq!((screen.text().as_str(), screen.history()), ("older\n$ ls", 0..1));
    }

    #[test]
    fn sizes_hold_from_where_they_stand() {
        let mut frames = Frames::begin(ID, 0);
        frames.screen(&shown((4, 3), "", false));
        frames.output(b"abcdef");
        frames.size((8, 3));
        frames.output(b"ghij");
        let output = read(&[&frames]).unwrap();
        assert_eq!((output.size(), text(&output).as_str()), ((8, 3), "abcdefgh\nij"));
    }

    #[test]
    fn what_is_another_sessions_or_nothing_is_left_out() {
        let ours = segment(0, &shown((9, 2), "ours", false), "");
        let mut other = Frames::begin("other", 0);
        other.screen(&shown((9, 2), "theirs", false));
        let segments = [b"".to_vec(), ours.bytes().to_vec(), other.bytes().to_vec(), vec![0; 4096]];
        let output = Output::of_segments(&segments, ID).unwrap();
        assert_eq!(text(&output), "ours");
        assert_eq!(Output::of_segments(&[vec![0; 99]], ID), None);
        assert_eq!(Output::of_segments(&[], ID), None);
    }

    #[test]
    fn output_that_is_not_kept_moves_the_end_and_nothing_else() {
        let one = segment(0, &shown((9, 2), "", false), "a\r\nb\r\nc");
        let output = read(&[&one]).unwrap();
        assert_eq!(output.clone().until(7), output);
        let later = output.until(1000);
        assert_eq!((later.from, later.end(), later.raw.as_slice()), (1000, 1000, b"".as_slice()));
        let screen = later.screen(10);
        assert_eq!(
            (screen.text().as_str(), screen.history().end, screen.offset()),
            ("b\nc", 1, 1000)
        );
    }

    #[test]
    fn a_long_screen_and_long_output_come_in_pieces() {
        let long = "line\r\n".repeat(50_000);
        let one = segment(0, &shown((80, 24), &long, true), &long);
        let output = read(&[&one]).unwrap();
        assert_eq!(output.base.bytes, long.as_bytes());
        assert_eq!(output.raw, long.as_bytes());
        assert!(output.lines() >= 100_000);
    }

    proptest! {
        #[test]
        fn cut_off_at_any_byte_it_is_a_shorter_one(cut in 0_usize..400) {
            let first = segment(0, &shown((9, 2), "first", true), "0123456789");
            let mut second = segment(10, &shown((9, 2), "second", false), "abc");
            second.size((12, 3));
            second.output(b"defghi");
            second.screen(&shown((12, 3), "whole", true));
            let all = second.bytes();
            let torn = all[..cut.min(all.len())].to_vec();
            let output = Output::of_segments(&[first.bytes().to_vec(), torn], ID).unwrap();
            prop_assert!(b"0123456789abcdefghi".starts_with(&output.raw));
            prop_assert!(output.raw.len() >= 10);
            let _ = output.screen(10);
        }

        #[test]
        fn garbage_is_no_segment_or_a_readable_one(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Some(output) = Output::of_segments(&[bytes], ID) {
                let _ = output.screen(10);
            }
        }
    }
}

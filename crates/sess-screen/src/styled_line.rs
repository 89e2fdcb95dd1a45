//! A line with styles on its way into a chunk, run by run. It knows nothing of where
//! the runs come from.

use crate::chunk::{Chunk, MARKED, TAIL, push_varint};
use crate::interned::Interned;
use crate::marks::Marks;

/// A run of printable ASCII in one style, somewhere in a line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub at: usize,
    pub len: usize,
    pub style: u16,
    /// The output's offset just behind it, where it began to be written as one.
    pub written: u64,
}

impl Run {
    pub(crate) fn of(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.at..][..self.len]
    }
}

/// What numbers styles have in the chunk that is being written.
pub(crate) struct Numbers<'a> {
    /// For each style id of the screen: in which chunk (by its first line, plus
    /// one) it has which number.
    pub numbers: &'a mut [(u64, u32)],
    pub interned: &'a Interned,
}

impl Numbers<'_> {
    #[inline]
    fn of(&mut self, style: u16, chunk: &mut Chunk) -> u32 {
        if style == 0 {
            return 0;
        }
        let mark = chunk.first + 1;
        let known = &mut self.numbers[usize::from(style)];
        if known.0 != mark {
            let said = self.interned.styles.get(style);
            *known = (mark, chunk.number(said, self.interned));
        }
        known.1
    }
}

/// A line that is being written.
pub(crate) struct StyledLine<'a> {
    chunk: &'a mut Chunk,
    numbers: Numbers<'a>,
    runs: &'a mut Vec<u8>,
    flags_at: usize,
    flags: u8,
    styled: bool,
    run: Begun,
}

/// The run being written.
struct Begun {
    number: u32,
    /// Whether its style hides blanks.
    hides: bool,
    start: usize,
}

impl<'a> StyledLine<'a> {
    /// The last line of `chunk`, which has just been opened. `tail`: the style of its
    /// coloured tail.
    pub(crate) fn begin(
        chunk: &'a mut Chunk,
        marks: Marks,
        tail: Option<u16>,
        mut numbers: Numbers<'a>,
        runs: &'a mut Vec<u8>,
    ) -> StyledLine<'a> {
        runs.clear();
        let flags_at = chunk.data.len();
        chunk.data.extend_from_slice(&[0, 0, 0]);
        let mut flags = 0;
        if marks != Marks::NONE {
            flags |= MARKED;
            chunk.data.push(marks.0);
        }
        if let Some(tail) = tail {
            flags |= TAIL;
            let number = numbers.of(tail, chunk);
            push_varint(&mut chunk.data, number);
        }
        let run = Begun { number: 0, hides: true, start: chunk.data.len() };
        StyledLine { chunk, numbers, runs, flags_at, flags, styled: false, run }
    }

    /// Where the text of the run goes.
    #[inline]
    pub(crate) fn text(&mut self) -> &mut Vec<u8> {
        &mut self.chunk.data
    }

    /// What follows is in this style, up to the next one; `is_blank`: all of it.
    #[inline]
    pub(crate) fn style(&mut self, style: u16, is_blank: impl FnOnce() -> bool) {
        let hides = self.numbers.interned.styles.hides_blanks(style);
        // Blanks that can't be seen go with what stands before them.
        if hides && self.run.hides && is_blank() {
            return;
        }
        let number = self.numbers.of(style, self.chunk);
        if number != self.run.number {
            self.end_run();
            self.styled = true;
            self.run = Begun { number, hides, start: self.chunk.data.len() };
        }
    }

    /// What follows is in the default style.
    pub(crate) fn default_style(&mut self) {
        self.end_run();
        self.run = Begun { number: 0, hides: true, start: self.chunk.data.len() };
    }

    /// A run in its style; `after` are those that follow.
    #[inline]
    pub(crate) fn push(&mut self, text: &[u8], run: Run, after: &[Run]) {
        let is_blank = |run: &Run| run.of(text).iter().all(|&byte| byte == b' ');
        let mut same = after.iter().take_while(|more| more.style == run.style);
        self.style(run.style, || is_blank(&run) && same.all(is_blank));
        push_few(self.text(), &text[run.at..], run.len);
    }

    #[inline]
    fn end_run(&mut self) {
        let len = self.chunk.data.len() - self.run.start;
        if len > 0 {
            push_varint(self.runs, self.run.number);
            push_varint(self.runs, len as u32);
        }
    }

    /// The line is complete but for these flags.
    pub(crate) fn close(mut self, flags: u8) {
        self.end_run();
        self.chunk.close_line(self.flags_at, self.flags | flags, self.styled, self.runs);
    }
}

/// Appends the first `len` of `bytes`, of which there are mostly few.
#[inline]
fn push_few(out: &mut Vec<u8>, bytes: &[u8], len: usize) {
    const FEW: usize = 16;
    match bytes.first_chunk::<FEW>() {
        // So many at once cost less than asking how many they are.
        Some(few) if len <= FEW => {
            out.extend_from_slice(few);
            out.truncate(out.len() - (FEW - len));
        }
        _ => out.extend_from_slice(&bytes[..len]),
    }
}

//! A piece of the history: some lines as compact bytes, with a table of its own
//! of the styles and links in them, so that dropping it drops all that only it
//! used. It knows nothing of the other pieces, or of how a line is shown.
//!
//! A line is one byte of flags; if it is styled, the `u16` length of its runs; if
//! it is marked, a byte of marks; if its blank tail is coloured, that style's number; its text; its runs (a style's
//! number and a length in bytes of text, all numbers varints).

use std::sync::Arc;

use crate::interned::{Interned, Link};
use crate::marks::Marks;
use crate::style::{Style, attr};

pub(crate) const WRAPPED: u8 = 1;
pub(crate) const STYLED: u8 = 2;
pub(crate) const TAIL: u8 = 4;
/// The line leaves its last column free for a wide character that follows.
pub(crate) const GAP_AT_END: u8 = 8;
/// Some of its cells hold several characters that have a width of their own.
pub(crate) const GRAPHEMES: u8 = 16;
pub(crate) const MARKED: u8 = 32;

/// Some lines.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    /// The number of its first line.
    pub first: u64,
    pub data: Vec<u8>,
    pub starts: Vec<u32>,
    /// For each line: just behind the latest byte written to it.
    pub written: Vec<u64>,
    pub styles: Vec<Style>,
    pub links: Vec<Arc<Link>>,
}

/// A line taken apart.
pub(crate) struct Line<'a> {
    pub flags: u8,
    pub marks: Marks,
    pub runs: &'a [u8],
    pub tail: Option<usize>,
    pub text: &'a [u8],
    pub written: u64,
}

impl Chunk {
    pub(crate) fn new() -> Chunk {
        Chunk {
            first: 0,
            data: Vec::new(),
            starts: Vec::new(),
            written: Vec::new(),
            styles: vec![Style::DEFAULT],
            links: Vec::new(),
        }
    }

    pub(crate) fn clear(&mut self) {
        self.data.clear();
        self.starts.clear();
        self.written.clear();
        self.styles.truncate(1);
        self.links.clear();
    }

    /// The memory it takes. Links that other chunks name as well are counted in each.
    pub(crate) fn bytes(&self) -> usize {
        let links: usize = self.links.iter().map(|link| link.id.len() + link.uri.len()).sum();
        self.data.capacity()
            + self.starts.capacity() * size_of::<u32>()
            + self.written.capacity() * size_of::<u64>()
            + self.styles.capacity() * size_of::<Style>()
            + self.links.capacity() * size_of::<Arc<Link>>()
            + links
    }

    /// A style's number in this chunk; its link becomes one of this chunk's.
    pub(crate) fn number(&mut self, mut style: Style, interned: &Interned) -> u32 {
        // Nothing erases there.
        style.attrs &= !attr::PROTECTED;
        if let Some(link) = interned.link(style.link) {
            let known = self.links.iter().rposition(|known| Arc::ptr_eq(known, link));
            style.link = known.unwrap_or(self.links.len()) as u16 + 1;
            if known.is_none() {
                self.links.push(link.clone());
            }
        }
        self.styles.push(style);
        self.styles.len() as u32 - 1
    }

    /// How much of a line's text there is to see.
    pub(crate) fn shown(&self, line: &Line<'_>) -> usize {
        let (mut runs, mut at, mut shown) = (line.runs, 0, 0);
        while let (Some(style), Some(len)) = (pop_varint(&mut runs), pop_varint(&mut runs)) {
            let run = &line.text[at..at + len as usize];
            let hides = self.styles[style as usize].hides_blanks();
            let seen = if hides { run.trim_ascii_end().len() } else { run.len() };
            if seen > 0 {
                shown = at + seen;
            }
            at += run.len();
        }
        shown
    }

    pub(crate) fn link(&self, style: Style) -> Option<&Link> {
        self.links.get(usize::from(style.link).checked_sub(1)?).map(AsRef::as_ref)
    }

    /// Puts the head of a line in order, for which three bytes were left free.
    pub(crate) fn close_line(&mut self, flags_at: usize, flags: u8, styled: bool, runs: &[u8]) {
        if styled {
            self.data[flags_at] = flags | STYLED;
            self.data[flags_at + 1..flags_at + 3]
                .copy_from_slice(&(runs.len() as u16).to_le_bytes());
            // The runs stand at the end, where they need no text moved.
            self.data.extend_from_slice(runs);
        } else {
            self.data[flags_at] = flags;
            self.data.copy_within(flags_at + 3.., flags_at + 1);
            self.data.truncate(self.data.len() - 2);
        }
    }

    pub(crate) fn line(&self, index: usize) -> Option<Line<'_>> {
        let start = *self.starts.get(index)? as usize;
        let end = self.starts.get(index + 1).map_or(self.data.len(), |&end| end as usize);
        let (&flags, mut rest) = self.data[start..end].split_first()?;
        let mut runs: &[u8] = &[];
        if flags & STYLED != 0 {
            let (len, after) = rest.split_first_chunk()?;
            (rest, runs) =
                after.split_at_checked(after.len() - usize::from(u16::from_le_bytes(*len)))?;
        }
        let mut marks = Marks::NONE;
        if flags & MARKED != 0 {
            let (&bits, after) = rest.split_first()?;
            (marks, rest) = (Marks(bits), after);
        }
        let mut tail = None;
        if flags & TAIL != 0 {
            tail = pop_varint(&mut rest).map(|style| style as usize);
        }
        Some(Line { flags, marks, runs, tail, text: rest, written: *self.written.get(index)? })
    }
}

pub(crate) fn push_varint(out: &mut Vec<u8>, mut n: u32) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

pub(crate) fn pop_varint(bytes: &mut &[u8]) -> Option<u32> {
    let mut n = 0;
    let mut shift = 0;
    loop {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        n |= u32::from(byte & 0x7f) << shift;
        if byte < 0x80 || shift >= 28 {
            return Some(n);
        }
        shift += 7;
    }
}

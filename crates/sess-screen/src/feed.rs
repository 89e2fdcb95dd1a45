//! The way in: splits the stream into text, controls and sequences, and hands
//! each on. It knows nothing of what they do.

use crate::input::{Decoded, Step, Within, decode};
use crate::params::{Csi, Function, Params, Short, functions, quick_csi};
use crate::pen::Pen;
use crate::screen::Screen;
use crate::sgr;
use crate::style::Style;

/// So much is taken at once at most, in bytes.
const PIECE: usize = 256 << 10;

impl Screen {
    /// Takes bytes of the program's output: any bytes, split anywhere.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.feed_ahead(bytes);
        self.settle();
    }

    /// The same where more is about to follow: lines that may scroll off unseen are not
    /// on the screen before [`Screen::settle`], which is to be called before anybody
    /// looks at it. The history, titles, answers and whatever is told stand as they are.
    pub fn feed_ahead(&mut self, bytes: &[u8]) {
        // Piece by piece, for what waits is a copy.
        for bytes in bytes.chunks(PIECE) {
            let taken = if self.is_settled() { 0 } else { self.add_to_backlog(bytes) };
            self.feed_now(&bytes[taken..]);
        }
    }

    /// Takes bytes when nothing waits.
    pub(crate) fn feed_now(&mut self, bytes: &[u8]) {
        let start = self.offset;
        let mut at = 0;
        let mut csi = Csi::new();
        // Up to here a backlog was looked for in vain.
        let mut looked = 0;
        while at < bytes.len() {
            if !self.input.is_ground() {
                at += self.resume(&bytes[at..], start + at as u64);
                continue;
            }
            let byte = bytes[at];
            if self.cursor.x == 0 && at >= looked && matches!(byte, 0x1b | 0x20..=0x7e) {
                let (skipped, seen) = self.take_backlog(&bytes[at..], start + at as u64);
                looked = at + seen;
                at += skipped;
                if skipped > 0 {
                    continue;
                }
            }
            match byte {
                0x20..=0x7e => {
                    let run = printable(&bytes[at..]);
                    self.offset = start + (at + run) as u64;
                    self.print_ascii(&bytes[at..at + run]);
                    at += run;
                }
                0x1b => {
                    let short = Short::at(&bytes[at..]);
                    if let Some(short) = short
                        && let Some(pen) = self.known_pen(short)
                    {
                        at += 2 + short.len;
                        self.pen = pen;
                    } else if let Some(len) = quick_csi(&bytes[at..], &mut csi) {
                        at += len;
                        self.offset = start + at as u64;
                        match short.filter(|_| csi.is_sgr()) {
                            Some(_) => {
                                // First, for the ids that are remembered must be those of now.
                                self.make_room_for_styles();
                                self.change_pen(&csi.params, short);
                            }
                            None => self.control_sequence(&csi),
                        }
                    } else if let Some(&end) = bytes.get(at + 1).filter(|end| is_whole(**end)) {
                        at += 2;
                        self.offset = start + at as u64;
                        self.escape([0, 0], end);
                    } else {
                        at += self.resume(&bytes[at..], start + at as u64);
                    }
                }
                0..=0x7f => {
                    at += 1;
                    self.offset = start + at as u64;
                    self.control(byte);
                }
                _ => at += self.character(&bytes[at..], start + at as u64),
            }
        }
        self.offset = start + bytes.len() as u64;
    }

    /// What a sequence makes of the pen, if that needs no look at its parameters.
    #[inline]
    pub(crate) fn known_pen(&self, short: Short) -> Option<Pen> {
        if short.resets_pen() && self.pen.style.unstyled() == Style::DEFAULT {
            return Some(Pen::default());
        }
        let id = self.pen_memory.recall(short.body, self.pen.id)?;
        Some(Pen { style: self.interned.styles.get(id), id })
    }

    /// Carries out an SGR sequence, and remembers what came of it if it is short.
    pub(crate) fn change_pen(&mut self, params: &Params, short: Option<Short>) {
        let from = self.pen.id;
        let mut style = self.pen.style;
        sgr::apply(&mut style, params);
        let id = self.interned.styles.intern(style);
        self.pen = Pen { style, id };
        if let Some(short) = short
            && self.interned.styles.get(id) == style
        {
            self.pen_memory.learn(short.body, from, id);
        }
    }

    /// Reads one character that is not ASCII. `start` is the offset of its first byte.
    fn character(&mut self, bytes: &[u8], start: u64) -> usize {
        match decode(bytes) {
            Decoded::Char(c, len) => {
                self.offset = start + len as u64;
                self.print_char(c);
                len
            }
            Decoded::Bad(len) => {
                // What could still have gone on is bad only by the byte after it.
                let cut_off = decode(&bytes[..len]) == Decoded::Part;
                self.offset = start + len as u64 + u64::from(cut_off);
                self.print_char(char::REPLACEMENT_CHARACTER);
                len
            }
            Decoded::Part => {
                self.input.within = Within::Character;
                self.input.bytes.extend_from_slice(bytes);
                bytes.len()
            }
        }
    }

    /// Reads on where an earlier chunk ended, or where a sequence begins that
    /// has no short way. `start` is the offset of the first byte.
    fn resume(&mut self, bytes: &[u8], start: u64) -> usize {
        if self.input.within == Within::Character {
            self.offset = start + 1;
            return self.resume_character(bytes[0]);
        }
        let (taken, step) = self.input.take(bytes);
        self.offset = start + taken as u64;
        if step == Step::More {
            return taken;
        }
        let sequence = std::mem::take(&mut self.input.bytes);
        self.input.within = Within::Ground;
        match step {
            Step::Sequence => {
                for function in functions(&sequence) {
                    match function {
                        Function::Control(byte) => self.control(byte),
                        Function::Escape(intermediates, end) => self.escape(intermediates, end),
                        Function::Csi(csi) => self.control_sequence(&csi),
                    }
                }
            }
            Step::String(b']') => self.operating_system_command(&sequence[2..]),
            Step::String(kind) => self.string(kind, &sequence[2..]),
            Step::Cancelled(_) | Step::More => {}
        }
        self.input.bytes = sequence;
        self.input.finish();
        taken
    }

    fn resume_character(&mut self, byte: u8) -> usize {
        self.input.bytes.push(byte);
        match decode(&self.input.bytes) {
            Decoded::Part => 1,
            Decoded::Char(c, _) => {
                self.input.finish();
                self.print_char(c);
                1
            }
            // The byte that does not belong to it begins something new.
            Decoded::Bad(_) => {
                self.input.finish();
                self.print_char(char::REPLACEMENT_CHARACTER);
                0
            }
        }
    }

    /// A C0 control.
    fn control(&mut self, byte: u8) {
        match byte {
            0x07 => self.bells += 1,
            0x08 => self.left(1),
            0x09 => self.tab(1),
            0x0a..=0x0c => self.line_feed(),
            0x0d => self.carriage_return(),
            0x0e => self.charsets.shift = 1,
            0x0f => self.charsets.shift = 0,
            _ => {}
        }
    }
}

/// Whether `ESC` and this byte are a sequence of their own.
fn is_whole(byte: u8) -> bool {
    matches!(byte, b'0'..=b'O' | b'Q'..=b'W' | b'Y' | b'Z' | b'\\' | b'`'..=b'~')
}

/// How many bytes at the start are printable ASCII.
#[inline]
pub(crate) fn printable(bytes: &[u8]) -> usize {
    let mut len = 0;
    let mut words = bytes.chunks_exact(8);
    for word in &mut words {
        let word = word.try_into().map_or(0, u64::from_le_bytes);
        let other = not_printable(word);
        if other != 0 {
            return len + other.trailing_zeros() as usize / 8;
        }
        len += 8;
    }
    let rest = words.remainder();
    len + rest.iter().position(|byte| !(0x20..0x7f).contains(byte)).unwrap_or(rest.len())
}

/// Eight bytes at once: the lowest bit set is the highest of the first that is
/// not printable ASCII. Those above it mean nothing.
#[inline]
fn not_printable(word: u64) -> u64 {
    const EACH: u64 = u64::from_ne_bytes([1; 8]);
    let below_blank = word.wrapping_sub(EACH * 0x20) & !word;
    let delete = word ^ (EACH * 0x7f);
    let is_delete = delete.wrapping_sub(EACH) & !delete;
    (below_blank | is_delete | word) & (EACH * 0x80)
}

//! A look at output that tells how many lines and rows it makes, as long as there are
//! only text, colours and line ends in it. It prints nothing, and knows nothing of
//! which colours there are.

use std::collections::VecDeque;

use crate::feed::printable;
use crate::params::{Csi, Params, Short, quick_csi};
use crate::sgr;
use crate::style::{Colour, Style};

/// Why it was not read further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// There is no more, but perhaps half a sequence.
    All,
    /// Something else stands there.
    Other,
}

/// A line that is complete.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    /// In bytes, with what ends it.
    pub len: u32,
    pub rows: u32,
    /// Whether it surely begins with the default pen.
    pub begins_default: bool,
}

/// How far it has come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    cols: usize,
    /// The pen has a background: what scrolls in has it too.
    tinted: bool,
    /// Whether it surely is the default pen.
    is_default: bool,
    open: OpenLine,
}

/// The line that is not complete.
#[derive(Clone, Debug, Default)]
struct OpenLine {
    len: usize,
    width: usize,
    begins_default: bool,
    has_tint: bool,
}

impl Tally {
    /// A sequence that is longer is none of those looked for, in bytes.
    pub(crate) const LONGEST: usize = 64;

    /// Output on rows of `cols` is about to come, with that pen.
    pub(crate) fn new(cols: usize, pen: Style) -> Tally {
        let is_default = pen == Style::DEFAULT;
        let open = OpenLine { begins_default: is_default, ..OpenLine::default() };
        Tally { cols, tinted: pen.bg != Colour::DEFAULT, is_default, open }
    }

    /// The rows of the line that is not complete.
    pub(crate) fn open_rows(&self) -> u64 {
        self.open.width.div_ceil(self.cols).max(1) as u64
    }

    /// Whether the line that is not complete surely begins with the default pen.
    pub(crate) fn begins_default(&self) -> bool {
        self.open.begins_default
    }

    /// Looks at what comes next; says how much there was to be read, and adds the lines.
    pub(crate) fn read(&mut self, bytes: &[u8], lines: &mut VecDeque<Line>) -> (usize, End) {
        let mut csi = Csi::new();
        let (mut at, mut from) = (0, 0);
        let end = loop {
            let len = printable(&bytes[at..]);
            if len > 0 {
                at += len;
                self.open.width += len;
                self.open.has_tint |= self.tinted;
            }
            match bytes.get(at) {
                None => break End::All,
                Some(0x1b) => match self.sequence(&bytes[at..], &mut csi) {
                    Ok(len) => at += len,
                    Err(end) => break end,
                },
                Some(b'\r') => match bytes.get(at + 1) {
                    None => break End::All,
                    Some(b'\n') if !self.colours_rows() => {
                        at += 2;
                        let len = (self.open.len + at - from) as u32;
                        let rows = self.open_rows() as u32;
                        let begins_default = self.open.begins_default;
                        lines.push_back(Line { len, rows, begins_default });
                        from = at;
                        let begins_default = self.is_default;
                        self.open = OpenLine { begins_default, ..OpenLine::default() };
                    }
                    Some(_) => break End::Other,
                },
                Some(_) => break End::Other,
            }
        };
        self.open.len += at - from;
        (at, end)
    }

    /// Whether the line colours more than its characters: a row that scrolls in has the
    /// pen's background.
    fn colours_rows(&self) -> bool {
        self.tinted || self.open.has_tint && self.open.width >= self.cols
    }

    /// Looks at the sequence that `bytes` begin with; its length.
    #[inline]
    fn sequence(&mut self, bytes: &[u8], csi: &mut Csi) -> Result<usize, End> {
        if let Some(short) = Short::at(bytes) {
            if short.resets_pen() {
                (self.tinted, self.is_default) = (false, true);
                return Ok(2 + short.len);
            }
            if short.is_sgr() && !self.tinted && !short.may_set_background() {
                self.is_default = false;
                return Ok(2 + short.len);
            }
        }
        if let Some(len) = quick_csi(bytes, csi) {
            if !csi.is_sgr() {
                return Err(End::Other);
            }
            self.is_default = false;
            self.tinted = leaves_tint(&csi.params, self.tinted);
            return Ok(len);
        }
        let is_inner = |byte: &u8| (0x20..0x40).contains(byte);
        match bytes {
            [_] => Err(End::All),
            [_, b'[', rest @ ..] if rest.len() < Tally::LONGEST && rest.iter().all(is_inner) => {
                Err(End::All)
            }
            _ => Err(End::Other),
        }
    }
}

/// Whether the pen has a background after this.
fn leaves_tint(params: &Params, tinted: bool) -> bool {
    let mut style = Style { bg: Colour::UNKNOWN, ..Style::DEFAULT };
    sgr::apply(&mut style, params);
    if style.bg == Colour::UNKNOWN { tinted } else { style.bg != Colour::DEFAULT }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How much of it is read on rows of ten, and the rows of each line.
    fn read(bytes: &str) -> (usize, End, Vec<u32>) {
        let mut lines = VecDeque::new();
        let (read, end) = Tally::new(10, Style::DEFAULT).read(bytes.as_bytes(), &mut lines);
        (read, end, lines.iter().map(|line| line.rows).collect())
    }

    fn whole(bytes: &str) -> Vec<u32> {
        let (len, end, rows) = read(bytes);
        assert_eq!((len, end), (bytes.len(), End::All), "{bytes:?}");
        rows
    }

    #[test]
    fn text_and_colours_take_the_rows_of_their_characters() {
        assert_eq!(whole("\r\nten digits\r\nten digits.\r\nopen"), [1, 1, 2]);
        assert_eq!(whole("\x1b[31mred\x1b[m and \x1b[1;38;2;45;104;48mmore\x1b[0m\r\n"), [2]);
        assert_eq!(whole("\x1b[44mblue\x1b[49m\r\n\x1b[48;5;1mred\x1b[0;1m\r\n"), [1, 1]);
    }

    #[test]
    fn half_a_sequence_is_left() {
        for half in ["\r", "\x1b", "\x1b[", "\x1b[38;5;"] {
            assert_eq!(read(&format!("text{half}")), (4, End::All, vec![]), "{half:?}");
        }
    }

    #[test]
    fn what_does_more_than_to_print_is_something_else() {
        let others =
            ["\t", "\n", "\r\r\n", "\x07", "\u{e9}", "\x1b[K", "\x1b[?1m", "\x1b[1 m", "\x1bM"];
        for other in others {
            let padded = format!("text{other}                    ");
            assert_eq!(read(&padded), (4, End::Other, vec![]), "{other:?}");
        }
    }

    #[test]
    fn a_background_at_the_end_of_a_row_is_something_else() {
        for tint in ["\x1b[44m", "\x1b[103m", "\x1b[0;1;48;2;1;2;3m", "\x1b[48:5:3m"] {
            let line = format!("{tint}text\r\n                  ");
            assert_eq!(read(&line), (line.len() - 20, End::Other, vec![]), "{tint:?}");
            let full = format!("{tint}ten digits\x1b[m\r\n                  ");
            assert_eq!(read(&full).1, End::Other, "{tint:?}");
        }
    }

    #[test]
    fn a_line_behind_a_reset_begins_with_the_default_pen() {
        let mut lines = VecDeque::new();
        let text = b"a\x1b[31mb\r\nc\x1b[m\r\nd\r\n\x1b[0m\x1b[39m\r\n\r\n";
        Tally::new(10, Style::DEFAULT).read(text, &mut lines);
        let begins: Vec<_> = lines.iter().map(|line| line.begins_default).collect();
        assert_eq!(begins, [true, false, true, true, false]);
    }
}

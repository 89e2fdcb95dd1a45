//! Lines of text out of a stream of output: what a person would have seen go by,
//! soft wraps joined, told once each. Owns which lines are complete and which were
//! told. Must not know where output comes from or where text goes.

use std::collections::BTreeMap;

use sess_screen::{Line, Screen, Size};

/// Lines of history that a screen for this keeps: more than can scroll off between
/// two looks.
pub(crate) const HISTORY: usize = 100_000;
/// Output taken between two looks, in bytes.
const PIECE: usize = 16 * 1024;
/// Of a line longer than that the beginning is told before its end is known, in
/// bytes.
const LONG: usize = 64 * 1024;
const ESC: u8 = 0x1b;

/// Tells lines as they become complete: when the cursor is below them.
///
/// Rows are numbered as the history's lines are, those on the screen follow them:
/// so a row keeps its number when it scrolls off. A cursor that moves up has what
/// was told before told again, where it is another text by then. While the
/// alternate screen is shown nothing is told.
#[derive(Debug)]
pub(crate) struct Lines {
    screen: Screen,
    /// The first row that is to be looked at.
    next: u64,
    /// A line that began in the history and isn't complete.
    open: String,
    /// What was told of the rows on the screen, by the line's first row.
    told: BTreeMap<u64, String>,
    scan: Scan,
}

impl Lines {
    /// Lines of output to a blank terminal of this size.
    pub(crate) fn new(cols: u16, rows: u16) -> Self {
        Self::over(Screen::new(Size::new(cols, rows), HISTORY))
    }

    /// Lines of what a screen shows, its history included, and of what follows. Its
    /// history should have room for [`HISTORY`] lines more.
    pub(crate) fn over(screen: Screen) -> Self {
        let next = screen.history().start;
        Self { screen, next, open: String::new(), told: BTreeMap::new(), scan: Scan::Ground }
    }

    /// Takes output and appends the lines that are complete with it, each with a
    /// line feed.
    pub(crate) fn feed(&mut self, bytes: &[u8], out: &mut String) {
        for piece in bytes.chunks(PIECE) {
            let mut rest = piece;
            while !rest.is_empty() {
                let (count, jump) = self.scan.next_jump(rest);
                let (taken, after) = rest.split_at(count);
                self.screen.feed(taken);
                rest = after;
                if jump == Some(Jump::Erase) {
                    self.told.clear();
                }
                if jump.is_some() {
                    self.follow_up();
                }
            }
            self.tell(out);
        }
    }

    /// Appends the lines that are complete and were not told.
    pub(crate) fn tell(&mut self, out: &mut String) {
        self.tell_history(out);
        if self.screen.modes().alternate_screen {
            return;
        }
        let end = self.cursor_line();
        let mut lines = self.rows_from(self.next, end);
        // Below blanks the cursor may only look around.
        while lines.last().is_some_and(|(_, text)| text.is_empty()) {
            lines.pop();
        }
        for (rows, text) in lines {
            self.tell_line(rows.start, &text, out);
            self.next = rows.end;
            self.open.clear();
        }
        self.told = self.told.split_off(&self.screen.history().end);
    }

    /// Output was lost here: what follows begins on a line of its own.
    pub(crate) fn interrupt(&mut self, out: &mut String) {
        self.feed(sess_screen::INTERRUPT, out);
        if self.screen.cursor().0 > 0 {
            self.feed(b"\r\n", out);
        }
    }

    /// No more output comes: appends the rest, without a line feed if the last line
    /// had none.
    pub(crate) fn finish(&mut self, out: &mut String) {
        if self.screen.modes().alternate_screen {
            self.feed(sess_screen::INTERRUPT, out);
            self.feed(b"\x1b[?1049l", out);
        }
        self.tell(out);
        let end = self.screen.history().end + u64::from(self.screen.size().rows);
        let cursor = self.cursor_line();
        let lines = self.rows_from(self.next, end);
        let shown = lines.iter().rposition(|(_, text)| !text.is_empty());
        let last = shown.map(|index| lines[index].0.start);
        for (rows, text) in &lines {
            if rows.start < cursor || last.is_some_and(|last| rows.start < last) {
                self.tell_line(rows.start, text, out);
            } else if last == Some(rows.start) && self.told.get(&rows.start) != Some(text) {
                out.push_str(text);
            }
        }
        self.open.clear();
        self.next = end;
    }

    /// The rows that scrolled off: they will not change any more.
    fn tell_history(&mut self, out: &mut String) {
        let history = self.screen.history();
        if self.next < history.start {
            self.next = history.start;
            if !self.open.is_empty() {
                self.end_open(out);
            }
        }
        while self.next < history.end {
            let line = self.screen.history_row(self.next);
            let number = self.next;
            self.next += 1;
            if self.open.is_empty() && !line.wrapped {
                self.tell_line(number, &line.text(), out);
                continue;
            }
            push_text(&line, &mut self.open);
            if !line.wrapped {
                self.end_open(out);
            } else if self.open.len() > LONG {
                let end = self.open.trim_end_matches(' ').len();
                out.extend(self.open.drain(..end));
            }
        }
    }

    fn end_open(&mut self, out: &mut String) {
        out.push_str(self.open.trim_end_matches(' '));
        out.push('\n');
        self.open.clear();
    }

    fn tell_line(&mut self, number: u64, text: &str, out: &mut String) {
        if self.told.get(&number).is_some_and(|told| told == text) {
            return;
        }
        out.push_str(text);
        out.push('\n');
        self.told.insert(number, text.to_owned());
    }

    /// The cursor may have moved up, above what was told.
    fn follow_up(&mut self) {
        if self.screen.modes().alternate_screen {
            return;
        }
        let line = self.cursor_line();
        if line < self.next {
            self.next = line.max(self.screen.history().end);
        }
    }

    /// The first row on the screen of the line that the cursor is in.
    fn cursor_line(&self) -> u64 {
        let mut y = self.screen.cursor().1;
        while y > 0 && self.screen.row(y - 1).wrapped {
            y -= 1;
        }
        self.screen.history().end + u64::from(y)
    }

    /// The lines on the screen from row `first` to before row `end`, each with its
    /// rows. Of one that began in the history the beginning is in front.
    fn rows_from(&self, first: u64, end: u64) -> Vec<(std::ops::Range<u64>, String)> {
        let top = self.screen.history().end;
        let mut lines = Vec::new();
        let mut text = self.open.clone();
        let mut start = first;
        for number in first..end {
            let row = self.screen.row((number - top) as u16);
            push_text(&row, &mut text);
            if !row.wrapped || number + 1 == end {
                text.truncate(text.trim_end_matches(' ').len());
                lines.push((start..number + 1, std::mem::take(&mut text)));
                start = number + 1;
            }
        }
        lines
    }
}

fn push_text(line: &Line, out: &mut String) {
    out.extend(line.runs.iter().map(|run| run.text.as_str()));
}

/// Where in the output a control sequence may be, across reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scan {
    Ground,
    /// Behind an ESC.
    Escape,
    /// In a control sequence.
    Csi,
}

/// A sequence that may do more than write at the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Jump {
    /// The cursor may have moved, or rows.
    Move,
    /// Rows may have been erased.
    Erase,
}

impl Scan {
    /// How many bytes there are up to the end of the next sequence that may jump,
    /// and what it may do; all if there is none.
    fn next_jump(&mut self, bytes: &[u8]) -> (usize, Option<Jump>) {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            at += 1;
            match *self {
                Self::Ground => match bytes[at - 1..].iter().position(|byte| *byte == ESC) {
                    Some(skipped) => {
                        at += skipped;
                        *self = Self::Escape;
                    }
                    None => break,
                },
                Self::Escape => {
                    *self = match byte {
                        b'[' => Self::Csi,
                        ESC => Self::Escape,
                        _ => Self::Ground,
                    };
                    match byte {
                        b'c' => return (at, Some(Jump::Erase)),
                        // Of cursors and lines; not titles, character sets, marks.
                        b'8' | b'M' | b'D' | b'E' => return (at, Some(Jump::Move)),
                        _ => {}
                    }
                }
                Self::Csi => match byte {
                    b'J' => {
                        *self = Self::Ground;
                        return (at, Some(Jump::Erase));
                    }
                    // Those that change a row or the pen stay where they are.
                    b'm' | b'K' | b'P' | b'@' | b'X' => *self = Self::Ground,
                    0x40..=0x7e => {
                        *self = Self::Ground;
                        return (at, Some(Jump::Move));
                    }
                    ESC => *self = Self::Escape,
                    _ => {}
                },
            }
        }
        (bytes.len(), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told of pieces of output on a terminal of 20×5.
    fn told(pieces: &[&str]) -> String {
        let mut lines = Lines::new(20, 5);
        let mut out = String::new();
        for piece in pieces {
            lines.feed(piece.as_bytes(), &mut out);
        }
        lines.finish(&mut out);
        out
    }

    /// Numbers, each followed by the same.
    fn numbered(count: u32, end: &str) -> String {
        let numbers: Vec<String> = (0..count).map(|n| format!("{n:06}{end}")).collect();
        numbers.concat()
    }

    #[test]
    fn plain_lines_come_as_they_are() {
        assert_eq!(told(&["one\r\ntwo\r\n\r\n\r\nthree\r\n"]), "one\ntwo\n\n\nthree\n");
        assert_eq!(told(&["\r\n\r\nx\r\n\r\n"]), "\n\nx\n\n");
        assert_eq!(told(&["  indented  \r\n"]), "  indented\n");
        assert_eq!(told(&[]), "");
        assert_eq!(told(&["\r\n"]), "\n");
    }

    #[test]
    fn a_line_is_told_when_the_cursor_is_below_it() {
        let mut lines = Lines::new(20, 5);
        let mut out = String::new();
        lines.feed(b"on", &mut out);
        lines.feed(b"e\r", &mut out);
        assert_eq!(out, "");
        lines.feed(b"\n", &mut out);
        assert_eq!(out, "one\n");
        lines.feed(b"\x1b[31mtwo\x1b[m\r\n\x1b]0;title\x07three", &mut out);
        assert_eq!(out, "one\ntwo\n");
        lines.finish(&mut out);
        assert_eq!(out, "one\ntwo\nthree");
    }

    #[test]
    fn a_last_line_without_an_end_stays_without_one() {
        assert_eq!(told(&["one\r\ntwo"]), "one\ntwo");
        assert_eq!(told(&["1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7"]), "1\n2\n3\n4\n5\n6\n7");
    }

    #[test]
    fn of_a_progress_bar_only_the_last_state_is_told() {
        let bar: Vec<String> = (0..=100).map(|n| format!("\r\x1b[Kdone {n}%")).collect();
        let mut pieces: Vec<&str> = bar.iter().map(String::as_str).collect();
        pieces.push("\r\nready\r\n");
        assert_eq!(told(&pieces), "done 100%\nready\n");
    }

    #[test]
    fn wrapped_lines_are_joined() {
        let long = "abcdefghij".repeat(7);
        assert_eq!(told(&[&format!("{long}\r\nx\r\n")]), format!("{long}\nx\n"));
        // Also where they are longer than the screen, or have no end.
        let long = "abcdefghij".repeat(40);
        assert_eq!(told(&["a\r\n", &long, "\r\nx\r\n"]), format!("a\n{long}\nx\n"));
        assert_eq!(told(&["a\r\n", &long]), format!("a\n{long}"));
        // A blank at the edge is part of the line.
        let words = format!("{} {}", "a".repeat(19), "b".repeat(5));
        assert_eq!(told(&[&words, "\r\n"]), format!("{words}\n"));
        assert_eq!(
            told(&[&words, "\r\n1\r\n2\r\n3\r\n4\r\n5\r\n"]),
            format!("{words}\n1\n2\n3\n4\n5\n")
        );
        let wide = "日本語".repeat(8);
        assert_eq!(told(&["x", &wide, "\r\n"]), format!("x{wide}\n"));
    }

    #[test]
    fn a_line_without_end_is_told_on_the_way() {
        let mut lines = Lines::new(20, 5);
        let mut out = String::new();
        let all = numbered(40_000, " x ");
        lines.feed(all.as_bytes(), &mut out);
        assert!(out.len() > all.len() - 2 * LONG && all.starts_with(&out));
        lines.finish(&mut out);
        assert_eq!(out, all.trim_end());
    }

    #[test]
    fn what_is_redrawn_above_is_told_again_where_it_changed() {
        let frame = |a: u8, b: u8| format!("one {a}\x1b[K\r\ntwo {b}\x1b[K\r\n");
        let up = "\x1b[2A";
        assert_eq!(
            told(&[&frame(1, 1), up, &frame(1, 2), &(up.to_owned() + &frame(3, 2)), "end\r\n"]),
            "one 1\ntwo 1\ntwo 2\none 3\nend\n"
        );
        // Within one piece only the last state was seen.
        let all = [frame(1, 1), up.to_owned(), frame(2, 2), "end\r\n".to_owned()].concat();
        assert_eq!(told(&[&all]), "one 2\ntwo 2\nend\n");
        // Looking around tells nothing.
        assert_eq!(told(&["a\r\nb\r\n", "\x1b7\x1b[H", "\x1b8", "c\r\n"]), "a\nb\nc\n");
        assert_eq!(told(&["a\r\n", "\x1b[5;1Hbar", "\x1b[2;1H", "b\r\n"]), "a\nb\n\n\nbar");
    }

    #[test]
    fn what_follows_an_erased_screen_is_told() {
        assert_eq!(told(&["a\r\nb\r\n", "\x1b[H\x1b[2Ja\r\n", "c\r\n"]), "a\nb\na\nc\n");
        assert_eq!(told(&["a\r\nb\r\n", "\x1bcb\r\n"]), "a\nb\nb\n");
        assert_eq!(told(&["a\r\nb\r\n", "\x1b[2", "J\x1b[", "1;1Ha\r\n"]), "a\nb\na\n");
        assert_eq!(told(&["1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n", "\x1b[H\x1b[2J\x1b[3Jx\r\n"]), {
            "1\n2\n3\n4\n5\n6\nx\n"
        });
    }

    #[test]
    fn the_alternate_screen_is_not_told() {
        assert_eq!(
            told(&["a\r\n", "\x1b[?1049h\x1b[Hmenu\r\n", "x\r\n\x1b[?1049l", "b\r\n"]),
            "a\nb\n"
        );
        // A program that never left it.
        assert_eq!(told(&["a\r\nb", "\x1b[?1049h\x1b[Hmenu\r\n"]), "a\nb");
        assert_eq!(told(&["\x1b[?47h\x1b[Hmenu\r\n\x1b[2"]), "");
    }

    #[test]
    fn none_of_many_lines_is_missed() {
        let mut lines = Lines::new(80, 24);
        let mut out = String::new();
        let all = numbered(200_000, "\r\n");
        for piece in all.as_bytes().chunks(50_000) {
            lines.feed(piece, &mut out);
        }
        lines.finish(&mut out);
        assert!(out == all.replace('\r', ""), "{} lines", out.lines().count());
        // As short as they can be.
        let mut lines = Lines::new(80, 24);
        out.clear();
        lines.feed("\n".repeat(100_000).as_bytes(), &mut out);
        lines.finish(&mut out);
        assert_eq!(out.len(), 100_000);
    }

    #[test]
    fn a_screen_that_is_there_already_is_told_first() {
        let mut screen = Screen::new(Size::new(20, 5), HISTORY);
        for n in 0..8 {
            screen.feed(format!("{n}\r\n").as_bytes());
        }
        screen.feed(b"$ ");
        let mut lines = Lines::over(screen);
        let mut out = String::new();
        lines.tell(&mut out);
        assert_eq!(out, "0\n1\n2\n3\n4\n5\n6\n7\n");
        lines.feed(b"ls\r\n", &mut out);
        assert!(out.ends_with("7\n$ ls\n"), "{out}");
    }

    #[test]
    fn behind_a_gap_a_line_begins() {
        let mut lines = Lines::new(20, 5);
        let mut out = String::new();
        lines.feed(b"one\r\ntw\x1b]0;", &mut out);
        lines.interrupt(&mut out);
        lines.feed(b"ree\r\n", &mut out);
        assert_eq!(out, "one\ntw\nree\n");
        lines.interrupt(&mut out);
        lines.feed(b"four", &mut out);
        lines.finish(&mut out);
        assert_eq!(out, "one\ntw\nree\nfour");
    }
}

//! Bringing an attached client forward: history, screen, then the journal; and
//! anew where it fell behind. Decides what bytes come next, never when.

use sess_screen::{HOME, INTERRUPT, NEUTRALISE, Screen};

use sess_proto::message::Sync;

use crate::client::{Cursor, Fit, Outbox, SEND_AHEAD, View};
use crate::stream::Stream;

/// History rendered at a time, in bytes.
const HISTORY_CHUNK: usize = 16 * 1024;
/// Output passed on at a time, in bytes.
const JOURNAL_CHUNK: usize = 64 * 1024;
/// History lines rendered in one go before the screen, at most.
const LAST_LINES: u64 = 2000;

/// Fills the outbox of a client that is ready for more. Returns whether its
/// farewell is said: then it has nothing more to come.
///
/// `readers` are the offsets of everybody who follows the journal.
pub fn advance(view: &mut View, outbox: &mut Outbox, stream: &mut Stream, readers: &[u64]) -> bool {
    while outbox.is_empty() && view.under_way() < SEND_AHEAD {
        match view.cursor {
            Cursor::Start { line, fresh } => {
                // Who fell behind is brought to the present when it has taken
                // everything: until then it would only fall behind again.
                if !fresh && view.under_way() > 0 {
                    if !view.asked_to_sync {
                        view.asked_to_sync = true;
                        outbox.say(Sync {});
                    }
                    return false;
                }
                view.asked_to_sync = false;
                start(view, outbox, stream, line, fresh);
            }
            Cursor::History { next, end } if next < end => {
                let mut out = Vec::new();
                let next = render(stream.screen(), next, end, HISTORY_CHUNK, &mut out);
                send(view, outbox, &out);
                view.cursor = Cursor::History { next, end };
            }
            Cursor::History { end, .. } => show(view, outbox, stream, end, readers),
            Cursor::Journal(offset) => {
                let until = view.farewell.as_ref().map(|farewell| farewell.until);
                let to = until.unwrap_or_else(|| stream.head());
                if offset < to {
                    let chunk = stream.chunk(offset, to, JOURNAL_CHUNK);
                    let count = outbox.output(chunk);
                    view.sent += count;
                    view.cursor = Cursor::Journal(offset + count);
                } else {
                    return take_leave(view, outbox, stream.screen());
                }
            }
        }
    }
    false
}

/// The last words, if it is time for them.
fn take_leave(view: &mut View, outbox: &mut Outbox, screen: &Screen) -> bool {
    let Some(farewell) = view.farewell.take() else {
        return false;
    };
    let undo = farewell.undo.unwrap_or_else(|| {
        let mut undo = Vec::new();
        screen.undo(&mut undo);
        if view.fit == Fit::Moved {
            below_everything(view.size.rows, &mut undo);
        }
        undo
    });
    send(view, outbox, &undo);
    outbox.append(&farewell.message);
    true
}

/// Prepares the terminal and decides which history lines it gets.
fn start(view: &mut View, outbox: &mut Outbox, stream: &Stream, line: u64, fresh: bool) {
    let mut out = Vec::new();
    if fresh {
        out.extend_from_slice(NEUTRALISE);
        scroll_up(view.size.cols, view.size.rows, &mut out);
    } else {
        out.extend_from_slice(INTERRUPT);
        out.extend_from_slice(NEUTRALISE);
    }
    clear(&mut out);
    let history = stream.screen().history();
    let wanted = history.end.saturating_sub(view.lines).max(history.start);
    let next = if fresh { wanted } else { skip(line, line.max(wanted).min(history.end), &mut out) };
    send(view, outbox, &out);
    view.cursor = Cursor::History { next, end: history.end };
}

/// Shows the screen as it is now, after the history lines that were added while
/// those up to `line` were sent.
fn show(view: &mut View, outbox: &mut Outbox, stream: &mut Stream, line: u64, readers: &[u64]) {
    stream.catch_up(&mut readers.iter().copied());
    let screen = stream.screen();
    let mut out = Vec::new();
    let history = screen.history();
    let most = view.lines.min(LAST_LINES);
    let wanted = history.end.saturating_sub(most).max(history.start);
    let next = skip(line.min(history.end), line.max(wanted).min(history.end), &mut out);
    render(screen, next, history.end, usize::MAX, &mut out);
    let size = sess_screen::Size::new(view.size.cols, view.size.rows);
    screen.snapshot(size, &mut out);
    send(view, outbox, &out);
    view.fit = if size == screen.size() { Fit::Drawn } else { Fit::Other };
    view.cursor = Cursor::Journal(stream.head());
    view.followed_from = (view.sent, stream.head());
}

/// Renders lines from `next` on, until about `limit` bytes; returns the first
/// that was not.
fn render(screen: &Screen, next: u64, end: u64, limit: usize, out: &mut Vec<u8>) -> u64 {
    // Lines may be dropped while a slow terminal takes those before them.
    let mut line = skip(next, next.max(screen.history().start).min(end), out);
    while line < end && out.len() < limit {
        screen.history_line(line, out);
        line += 1;
    }
    line
}

/// Marks a gap in the history, if there is one; returns its end.
fn skip(from: u64, to: u64, out: &mut Vec<u8>) -> u64 {
    if from < to {
        let count = grouped(to - from);
        let lines = if to - from == 1 { "line" } else { "lines" };
        out.extend_from_slice(format!("\x1b[m\u{2026} {count} {lines} skipped\r\n").as_bytes());
    }
    to.max(from)
}

/// A number as people write it: 3,412.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Scrolls what stands on the terminal off its top: just the rows above the
/// cursor's, and the cursor's own if it isn't at its start. The blanks find that
/// out: from the start of a row they leave the cursor on it, from further on they
/// wrap.
fn scroll_up(cols: u16, rows: u16, out: &mut Vec<u8>) {
    out.resize(out.len() + usize::from(cols), b' ');
    out.push(b'\r');
    out.resize(out.len() + usize::from(rows.saturating_sub(1)), b'\n');
}

/// Erases the screen. Not from its first row in one go: some terminals (tmux)
/// take that for a wish to have it in the scrollback.
fn clear(out: &mut Vec<u8>) {
    out.extend_from_slice(HOME);
    out.extend_from_slice(b"\x1b[2;1H\x1b[J\x1b[H\x1b[2K");
}

/// Goes to a fresh line at the terminal's bottom.
pub fn below_everything(rows: u16, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("\x1b[{rows};1H\r\n").as_bytes());
}

fn send(view: &mut View, outbox: &mut Outbox, bytes: &[u8]) {
    view.sent += outbox.output([bytes, &[]]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(3412), "3,412");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(100), "100");
    }
}

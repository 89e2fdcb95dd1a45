//! What is told on standard output: escaping, lines, JSON, and the writing
//! itself. Owns how a session looks to people and programs. Must not know where
//! sessions come from.

mod happening;
mod outlet;
mod page;
mod table;
mod view;

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;
use sess_holder::grouped;
use sess_proto::message::Exit;

use crate::error::Failure;

pub(crate) use happening::{Happened, Teller, What};
pub(crate) use outlet::Outlet;
pub(crate) use page::{Page, Ran, Said, last_lines, whole_characters};
pub(crate) use table::{details, table};
pub(crate) use view::{ExitView, Filter, Recorded, SessionView, State, Time, sort};

/// `text` with everything that a terminal might act upon made visible.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_ascii_control() => out.extend(['\\', 'x', hex(c, 1), hex(c, 0)]),
            c if is_unsafe(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// A hexadecimal digit of a character's number, the last one being digit 0.
fn hex(c: char, digit: u32) -> char {
    char::from_digit((c as u32 >> (4 * digit)) & 0xf, 16).expect("four bits are a digit")
}

/// Controls, and what changes the order of the text around it or breaks its line.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
        )
}

/// Something as JSON, on a line.
pub(crate) fn json(value: &impl Serialize) -> String {
    format!("{}\n", object(value))
}

/// Sessions as a JSON array, a line each.
pub(crate) fn json_array(sessions: &[SessionView]) -> String {
    let objects: Vec<_> = sessions.iter().map(object).collect();
    format!("[{}]\n", objects.join(",\n "))
}

fn object(value: &impl Serialize) -> String {
    let json = serde_json::to_string(value).expect("plain data is JSON");
    // What is not ASCII stands in strings only, where any character may be
    // written as its number; serde_json does so for C0 controls alone.
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if is_unsafe(c) {
            out.extend(['\\', 'u', hex(c, 3), hex(c, 2), hex(c, 1), hex(c, 0)]);
        } else {
            out.push(c);
        }
    }
    out
}

/// Names alone, one a line.
pub(crate) fn names(sessions: &[SessionView]) -> String {
    sessions.iter().flat_map(|session| [session.name.as_str(), "\n"]).collect()
}

/// What is said after a detach.
pub(crate) fn detached_line(name: &str) -> String {
    format!("[detached from {}]", escape(name))
}

/// What is said after the session's end, and of a session that ended before.
pub(crate) fn ended_line(name: &str, exit: Exit) -> String {
    let name = escape(name);
    match exit {
        Exit::Code(code) => format!("[{name} exited: {code}]"),
        Exit::Signal(signal) => format!("[{name} killed: {}]", signal_name(signal)),
    }
}

/// A signal's name as people write it.
pub(crate) fn signal_name(signal: i32) -> String {
    const NAMES: [&str; 31] = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
        "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
        "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
    ];
    match usize::try_from(signal) {
        Ok(number @ 1..=31) => format!("SIG{}", NAMES[number - 1]),
        Ok(34) => "SIGRTMIN".to_owned(),
        Ok(number @ 35..=64) => format!("SIGRTMIN+{}", number - 34),
        _ => format!("signal {signal}"),
    }
}

/// A time as people write it: 500ms, 2s, 1m 30s.
pub(crate) fn span(time: Duration) -> String {
    humantime::format_duration(time).to_string()
}

/// Writes to standard output; that nobody reads on is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    print_bytes(text.as_bytes())
}

/// As [`print()`], for what need not be text.
pub(crate) fn print_bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|error| cannot_write(&error)),
    }
}

fn cannot_write(error: &io::Error) -> Failure {
    Failure::failed(format!("can't write to standard output: {error}"))
}

/// Tells people that output is missing here.
pub(crate) fn note_skipped(bytes: u64) {
    let unit = if bytes == 1 { "byte" } else { "bytes" };
    note(&format!("… {} {unit} skipped", grouped(bytes)));
}

/// Tells people something beside the output, on standard error.
pub(crate) fn note(text: &str) {
    let _ = io::stderr().write_all(format!("{}\n", escape(text)).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_might_act_upon_is_shown_instead() {
        assert_eq!(escape("plain größe 日本 🦀"), "plain größe 日本 🦀");
        assert_eq!(escape("a\nb\r\tc"), "a\\nb\\r\\tc");
        assert_eq!(escape("\0\x1b[0m\x7f"), "\\x00\\x1b[0m\\x7f");
        assert_eq!(escape("\u{80}\u{9b}2J"), "\\u{80}\\u{9b}2J");
        assert_eq!(
            escape("\u{202e}x\u{2066}\u{2028}\u{200f}"),
            "\\u{202e}x\\u{2066}\\u{2028}\\u{200f}"
        );
    }

    #[test]
    fn the_end_is_told_in_one_line() {
        assert_eq!(detached_line("work"), "[detached from work]");
        assert_eq!(ended_line("work", Exit::Code(3)), "[work exited: 3]");
        assert_eq!(ended_line("work", Exit::Signal(9)), "[work killed: SIGKILL]");
        assert_eq!(ended_line("work", Exit::Signal(36)), "[work killed: SIGRTMIN+2]");
    }

    #[test]
    fn times_are_written_for_people() {
        assert_eq!(span(Duration::from_millis(500)), "500ms");
        assert_eq!(span(Duration::from_secs(90)), "1m 30s");
    }

    #[test]
    fn signals_have_the_names_of_this_system() {
        for (number, name) in
            [(1, "SIGHUP"), (2, "SIGINT"), (11, "SIGSEGV"), (15, "SIGTERM"), (31, "SIGSYS")]
        {
            assert_eq!(signal_name(number), name);
        }
        assert_eq!(signal_name(0), "signal 0");
        assert_eq!(signal_name(-1), "signal -1");
    }

    #[test]
    fn json_holds_no_control_and_parses_to_the_same_text() {
        let title = "a\u{9b}2J\u{7f}\u{202e}\x1b\"é";
        let mut session = SessionView::dead(Recorded::named("work"));
        session.title = Some(title.to_owned());
        let json = json(&session);
        assert!(json.trim_end().chars().all(|c| !is_unsafe(c)), "{json}");
        let back: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(back["title"], title);
    }

    #[test]
    fn an_array_has_a_line_for_each_session() {
        assert_eq!(json_array(&[]), "[]\n");
        let two =
            [SessionView::dead(Recorded::named("a")), SessionView::dead(Recorded::named("b"))];
        assert_eq!(json_array(&two).lines().count(), 2);
        let back: serde_json::Value = serde_json::from_str(&json_array(&two)).unwrap();
        assert_eq!(back[1]["name"], "b");
    }
}

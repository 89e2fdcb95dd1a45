//! Sessions as text for people: the table of `ls`, the lines of `status`. Owns
//! columns, short times and shortened text. Must not know where text goes.

use std::time::Duration;

use sess_holder::policy::Cause;
use sess_holder::record::{OnExitRecord, UsageRecord};
use sess_proto::message::Exit;

use super::view::{SessionView, State, Time, UpkeepView};
use super::{escape, signal_name, span};
use crate::error::without_numbers;

const HEADER: [&str; 6] = ["NAME", "STATE", "ATTACHED", "IDLE", "AGE", "COMMAND"];
const GAP: usize = 2;
/// A narrower last column would say nothing; the terminal may wrap it instead.
const NARROWEST: usize = 12;

/// The table of `ls`, the last column shortened to `width` if there is one.
/// Nothing at all, not even the header, without sessions.
pub(crate) fn table(sessions: &[SessionView], now: Time, width: Option<usize>) -> String {
    if sessions.is_empty() {
        return String::new();
    }
    let rows: Vec<[String; 6]> = std::iter::once(HEADER.map(str::to_owned))
        .chain(sessions.iter().map(|session| row(session, now)))
        .collect();
    let mut widths = [0; 5];
    for row in &rows {
        for (column, cell) in widths.iter_mut().zip(row) {
            *column = (*column).max(display_width(cell));
        }
    }
    let before_last: usize = widths.iter().map(|width| width + GAP).sum();
    let last = width.map(|width| width.saturating_sub(before_last).max(NARROWEST));
    let mut out = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line.push_str(cell);
            line.push_str(&" ".repeat(width + GAP - display_width(cell)));
        }
        match last {
            Some(last) => line.push_str(&shorten(&row[5], last)),
            None => line.push_str(&row[5]),
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

fn row(session: &SessionView, now: Time) -> [String; 6] {
    let ago = |time: Option<Time>| time.map_or_else(|| "-".to_owned(), |time| short(time.ago(now)));
    let attached = match session.clients.as_deref() {
        None if session.state.is_over() => "-".to_owned(),
        None => "?".to_owned(),
        Some([]) => "-".to_owned(),
        Some(clients) => clients.len().to_string(),
    };
    [
        escape(&session.name),
        state(session),
        attached,
        ago(session.last_activity()),
        ago(session.created),
        what(session),
    ]
}

/// The state, with how the session ended.
fn state(session: &SessionView) -> String {
    match (session.state, session.exit.as_ref().map(|exit| exit.exit)) {
        (State::Exited, Some(Exit::Code(code))) => format!("exited {code}"),
        (State::Exited, Some(Exit::Signal(signal))) => format!("killed {}", signal_name(signal)),
        (state, _) => state.to_string(),
    }
}

/// The command, and the title if the program gave one.
fn what(session: &SessionView) -> String {
    let command = session.command.as_deref().map_or_else(|| "-".to_owned(), command_line);
    match session.title.as_deref() {
        None | Some("") => command,
        Some(title) => format!("{command} · {}", escape(title)),
    }
}

/// A command as one would type it, more or less: for people.
fn command_line(command: &[String]) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=,@%+".contains(c);
    let words: Vec<_> = command
        .iter()
        .map(|word| {
            if !word.is_empty() && word.chars().all(plain) {
                word.clone()
            } else {
                format!("'{}'", escape(&word.replace('\'', r"'\''")))
            }
        })
        .collect();
    words.join(" ")
}

/// What `status` tells people, a line for each thing known.
pub(crate) fn details(session: &SessionView, now: Time) -> String {
    let time =
        |time: Option<Time>| time.map(|time| format!("{time} ({} ago)", short(time.ago(now))));
    let number = |number: Option<u64>| number.map(|number| number.to_string());
    let mut lines: Vec<(&str, Option<String>)> = vec![
        ("name", Some(escape(&session.name))),
        ("state", Some(state(session))),
        ("ended", time(session.exit.as_ref().and_then(|exit| exit.time))),
        ("why", why(session).map(str::to_owned)),
        ("command", session.command.as_deref().map(command_line)),
        ("title", session.title.as_deref().filter(|title| !title.is_empty()).map(escape)),
        ("directory", session.cwd.as_deref().map(escape)),
        ("pid", session.pid.map(|pid| pid.to_string())),
        ("holder", session.holder_pid.map(|pid| pid.to_string())),
        ("created", time(session.created)),
        ("last output", time(session.last_output)),
        ("last input", time(session.last_input)),
        ("ran for", session.exit.as_ref().and_then(|exit| exit.duration).map(whole_span)),
        ("used", session.exit.as_ref().and_then(|exit| exit.usage).map(used)),
        ("on exit", session.exit.as_ref().and_then(|exit| exit.on_exit.as_ref()).map(on_exit)),
        ("restarts", session.upkeep.as_ref().and_then(|upkeep| restarts(upkeep, now))),
        ("record", session.upkeep.as_ref().and_then(record)),
        ("size", session.size.map(|size| format!("{}x{}", size.cols, size.rows))),
        ("output", number(session.offset).map(|bytes| format!("{bytes} bytes"))),
        ("history", number(session.history_lines).map(|lines| format!("{lines} lines"))),
    ];
    for (key, value) in session.labels.iter().flatten() {
        lines.push(("label", Some(format!("{}={}", escape(key), escape(value)))));
    }
    for client in session.clients.iter().flatten() {
        let mut line = format!(
            "{} {}x{}, pid {}, for {}",
            escape(&client.tty),
            client.size.cols,
            client.size.rows,
            client.pid,
            short(client.attached.ago(now))
        );
        for (said, word) in [(client.leader, ", leads"), (client.read_only, ", read-only")] {
            if said {
                line.push_str(word);
            }
        }
        lines.push(("attached", Some(line)));
    }
    lines.push(("id", session.id.as_deref().map(escape)));
    lines.push(("version", session.version.as_deref().map(escape)));

    let known = || lines.iter().filter_map(|(key, value)| Some((key, value.as_ref()?)));
    let width = known().map(|(key, _)| key.len()).max().unwrap_or_default() + 1;
    known().fold(String::new(), |text, (key, value)| {
        let key = format!("{key}:");
        text + &format!("{key:width$} {value}\n")
    })
}

/// Why a session is over, where its end doesn't say it.
fn why(session: &SessionView) -> Option<&'static str> {
    if session.state == State::Dead {
        let taken = session.restorable == Some(true);
        return taken.then_some("its holder is gone; 'sess restore' starts it again");
    }
    match session.exit.as_ref()?.cause? {
        Cause::Itself => None,
        Cause::Killed => Some("sess was told to end it"),
        Cause::Taken => Some("the system ended it; 'sess restore' starts it again"),
        Cause::IdleTimeout => Some("nothing happened in it for its idle timeout"),
        Cause::Timeout => Some("its timeout was over"),
        Cause::WithPid => Some("the process ended that it was to end with"),
        Cause::GaveUp => Some("it failed too often within a minute to be started again"),
    }
}

fn used(usage: UsageRecord) -> String {
    let time = |milliseconds| whole_span(Duration::from_millis(milliseconds));
    let (user, system) = (time(usage.user), time(usage.system));
    format!("{user} in its own code, {system} in the system's, {} KiB at most", usage.max_rss)
}

fn on_exit(record: &OnExitRecord) -> String {
    match record {
        OnExitRecord { error: Some(error), .. } => {
            format!("could not be run: {}", escape(&without_numbers(error)))
        }
        OnExitRecord { code: Some(code), .. } => format!("exited {code}"),
        OnExitRecord { signal: Some(signal), .. } => format!("killed {}", signal_name(*signal)),
        OnExitRecord { .. } => "not known".to_owned(),
    }
}

fn restarts(upkeep: &UpkeepView, now: Time) -> Option<String> {
    let next = upkeep.next_start.map(|at| {
        let pause = Duration::from_millis(at.0.saturating_sub(now.0));
        format!(", the next in {}", whole_span(pause))
    });
    let any = upkeep.restarts > 0 || next.is_some();
    any.then(|| format!("{}{}", upkeep.restarts, next.unwrap_or_default()))
}

/// What there is to say of the record.
fn record(upkeep: &UpkeepView) -> Option<String> {
    if let Some(problem) = &upkeep.record_problem {
        return Some(format!("can't be written: {}", escape(&without_numbers(problem))));
    }
    match upkeep.record_output.as_str() {
        "always" => None,
        "never" => Some("without output".to_owned()),
        mode => Some(format!("output {}", escape(mode))),
    }
}

/// A time without what is too little to matter.
fn whole_span(time: Duration) -> String {
    let seconds = Duration::from_secs(time.as_secs());
    span(if seconds.is_zero() { Duration::from_millis(time.as_millis() as u64) } else { seconds })
}

/// A time in its largest whole unit: 3s, 5m, 2h, 4d.
fn short(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// `text` cut to `width` columns, with `…` where something is missing.
fn shorten(text: &str, width: usize) -> String {
    if display_width(text) <= width {
        return text.to_owned();
    }
    let mut left = width.saturating_sub(1);
    let mut out = String::new();
    for c in text.chars() {
        let Some(rest) = left.checked_sub(char_width(c)) else { break };
        left = rest;
        out.push(c);
    }
    out.push('…');
    out
}

fn display_width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// Columns of a character, near enough for aligning: a table that is a column
/// off for a rare script is no harm, as it would be in the terminal model.
fn char_width(c: char) -> usize {
    match c as u32 {
        0x300..=0x36f | 0x200b..=0x200d | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f
        | 0x2e80..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1faff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::super::view::tests::info;
    use super::super::view::{ExitView, Recorded};
    use super::*;
    use sess_proto::message::Info;

    const NOW: Time = Time(1_795_210_804_000);

    fn sessions() -> Vec<SessionView> {
        let quiet = Info {
            name: "日本".into(),
            title: String::new(),
            command: vec!["sh".into(), "-c".into(), "sleep 1; it's".into()],
            clients: Vec::new(),
            created: NOW.0 - 7_200_000,
            last_output: Some(NOW.0 - 300_000),
            ..info()
        };
        let time = Some(Time(NOW.0 - 90_000));
        let exit = Some(ExitView { time, ..Exit::Code(3).into() });
        let killed = Some(Exit::Signal(9).into());
        vec![
            SessionView::from_info(&info(), None, None, NOW),
            SessionView::from_info(&quiet, None, None, NOW),
            SessionView::unresponsive(Recorded::named("stopped"), Some(7)),
            SessionView::exited(Recorded { exit, ..Recorded::named("build") }),
            SessionView::exited(Recorded { exit: killed, ..Recorded::named("x") }),
            SessionView::dead(Recorded::named("old")),
        ]
    }

    #[test]
    fn columns_are_aligned_by_what_is_seen() {
        assert_eq!(
            table(&sessions(), NOW, None),
            "\
NAME     STATE           ATTACHED  IDLE  AGE  COMMAND
work     running         1         3s    4s   bash · vim
日本     running         -         5m    2h   sh -c 'sleep 1; it'\\''s'
stopped  unresponsive    ?         -     -    -
build    exited 3        -         1m    -    -
x        killed SIGKILL  -         -     -    -
old      dead            -         -     -    -
"
        );
    }

    #[test]
    fn no_sessions_are_no_output() {
        assert_eq!(table(&[], NOW, Some(80)), "");
    }

    #[test]
    fn a_table_fits_the_terminal() {
        let title = "a title that is far too long for any terminal".to_owned();
        let long = Info { title, ..info() };
        let table = table(&[SessionView::from_info(&long, None, None, NOW)], NOW, Some(60));
        let line = table.lines().nth(1).unwrap();
        assert_eq!(line, "work  running  1         3s    4s   bash · a title that is …");
        assert_eq!(display_width(line), 60);
    }

    #[test]
    fn a_terminal_too_narrow_for_a_table_still_gets_one() {
        let table = table(&sessions(), NOW, Some(1));
        assert!(table.contains("bash · vim"), "{table}");
    }

    #[test]
    fn names_titles_and_commands_hold_no_controls() {
        let bad = Info {
            name: "a\u{202e}b".into(),
            title: "\x1b]0;x\x07".into(),
            command: vec!["\n".into()],
            ..info()
        };
        let session = SessionView::from_info(&bad, None, None, NOW);
        for text in [table(std::slice::from_ref(&session), NOW, None), details(&session, NOW)] {
            assert!(text.contains("a\\u{202e}b"), "{text}");
            assert!(text.contains("\\x1b]0;x\\x07"), "{text}");
            assert!(text.contains("'\\n'"), "{text}");
            assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
        }
    }

    #[test]
    fn times_are_told_in_their_largest_unit() {
        let short = |seconds| short(Duration::from_secs(seconds));
        assert_eq!(short(0), "0s");
        assert_eq!(short(59), "59s");
        assert_eq!(short(60), "1m");
        assert_eq!(short(3_599), "59m");
        assert_eq!(short(3_600), "1h");
        assert_eq!(short(86_399), "23h");
        assert_eq!(short(400 * 86_400), "400d");
    }

    #[test]
    fn text_is_cut_by_columns_and_says_so() {
        assert_eq!(shorten("abc", 3), "abc");
        assert_eq!(shorten("abcd", 3), "ab…");
        assert_eq!(shorten("日本語", 5), "日本…");
        assert_eq!(shorten("日本語", 4), "日…");
        assert_eq!(shorten("e\u{301}e\u{301}", 2), "e\u{301}e\u{301}");
    }

    #[test]
    fn status_tells_what_is_known_and_nothing_else() {
        assert_eq!(
            details(&sessions()[0], NOW),
            "\
name:        work
state:       running
command:     bash
title:       vim
directory:   /home/u
pid:         4211
holder:      4209
created:     2026-11-20T21:40:00.000Z (4s ago)
last output: 2026-11-20T21:40:01.000Z (3s ago)
size:        80x24
output:      18231 bytes
history:     212 lines
label:       project=x
attached:    /dev/pts/3 80x24, pid 4300, for 3s, leads
id:          6f1c9a40b2d7e853
version:     0.1.0
"
        );
        assert_eq!(
            details(&sessions()[3], NOW),
            "\
name:  build
state: exited 3
ended: 2026-11-20T21:38:34.000Z (1m ago)
"
        );
    }
}

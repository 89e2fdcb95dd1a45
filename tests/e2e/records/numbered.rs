//! Programs that print numbered lines, and what of them a record brings back. Knows
//! nothing of how their sessions ended.

use std::fmt::Write;

/// Counts in `run` how often the program was begun, whatever kills it.
pub const COUNT_RUNS: &str = "run=$(($(cat runs 2>/dev/null || echo 0) + 1))
    echo $run >runs.new; mv runs.new runs";

/// A line's number: which time the program was begun, and which of its lines it is.
type Number = (u32, u32);

/// A line as `printf 'line %03d %09d.'` has it.
fn line((run, number): Number) -> String {
    format!("line {run:03} {number:09}.")
}

fn number(text: &str) -> Option<Number> {
    let (run, number) = text.strip_prefix("line ")?.strip_suffix('.')?.split_once(' ')?;
    let found = (run.parse().ok()?, number.parse().ok()?);
    (line(found) == text).then_some(found)
}

/// Whether this stands between what was before a restart and what comes after it.
pub fn is_separator(text: &str) -> bool {
    let digits = |c: char| if c.is_ascii_digit() { '0' } else { c };
    let shape: String = text.chars().map(digits).collect();
    shape == "── restarted 0000-00-00 00:00:00 ──"
}

/// A history as far as it is kept.
#[derive(Debug, Default)]
pub struct History {
    /// The numbers of its whole lines.
    pub numbers: Vec<Number>,
    /// How often it was begun again.
    pub restarts: u32,
}

impl History {
    /// Reads the text of a history: fails where a line is missing, doubled or garbled.
    /// Where a crash tore it, the last line may be cut off.
    #[track_caller]
    pub fn read(text: &str) -> Self {
        let mut history = Self::default();
        // Separators since the last line, and whether it is torn.
        let (mut restarts, mut torn) = (0, false);
        for (at, text_line) in text.lines().enumerate() {
            if text_line.is_empty() {
                continue;
            }
            if is_separator(text_line) {
                (restarts, torn) = (restarts + 1, false);
                history.restarts += 1;
                continue;
            }
            let last = history.numbers.last().copied();
            let follows = |(run, number): Number| match last {
                None => true,
                Some((before, _)) if restarts > 0 => {
                    // One that is killed at once leaves nothing, not even a separator.
                    run > before && number == 1
                }
                Some(last) => (run, number) == (last.0, last.1 + 1),
            };
            let around = || around(text, at);
            assert!(!torn, "what follows a line that is cut off? {}", around());
            if let Some(number) = number(text_line) {
                assert!(follows(number), "{number:?} after {last:?}: {}", around());
                history.numbers.push(number);
                restarts = 0;
            } else {
                let is_cut_off = match last {
                    Some((run, number)) if restarts == 0 => {
                        line((run, number + 1)).starts_with(text_line)
                    }
                    _ => line((0, 1)).starts_with(&without_run(text_line)),
                };
                assert!(is_cut_off, "{text_line:?} after {last:?}: {}", around());
                torn = true;
            }
        }
        history
    }

    /// The number of its last whole line.
    pub fn last(&self) -> Option<Number> {
        self.numbers.last().copied()
    }
}

/// The beginning of a first line, of whichever run.
fn without_run(text: &str) -> String {
    text.char_indices().map(|(at, c)| if (5..8).contains(&at) { '0' } else { c }).collect()
}

/// What stands around a line, for whoever reads a failed test.
fn around(text: &str, at: usize) -> String {
    let mut out = String::new();
    let lines = text.lines().enumerate();
    for (index, line) in lines.skip(at.saturating_sub(5)).take(10) {
        let _ = write!(out, "\n{}{index}: {line}", if index == at { '>' } else { ' ' });
    }
    out
}

#[test]
fn lines_that_are_missing_doubled_or_garbled_are_found() {
    let good = "line 001 000000001.\nline 001 000000002.\nline 001 000000003.\nline 001 0000\n\
        ── restarted 2026-11-21 13:08:50 ──\n── restarted 2026-11-21 13:08:51 ──\n\
        line 003 000000001.\nli\n";
    assert_eq!(History::read(good).numbers, [(1, 1), (1, 2), (1, 3), (3, 1)]);
    assert_eq!(History::read(good).restarts, 2);
    for (what, with) in [
        ("line 001 000000002.\n", ""),
        ("line 001 000000002.\n", "line 001 000000002.\nline 001 000000002.\n"),
        ("line 001 000000002.\n", "line 001 000000004.\n"),
        ("line 001 0000\n", "ine 001 0000\n"),
        ("line 001 0000\n", "line 001 0000\nline 001 000000004.\n"),
        ("line 003 000000001.\n", "line 003 000000002.\n"),
        ("line 003 000000001.\n", "line 001 000000001.\n"),
        ("── restarted 2026-11-21 13:08:50 ──\n── restarted 2026-11-21 13:08:51 ──\n", ""),
        ("13:08:50", "13:08"),
    ] {
        assert!(good.contains(what), "{what}");
        let bad = good.replacen(what, with, 1);
        assert!(std::panic::catch_unwind(|| History::read(&bad)).is_err(), "{bad}");
    }
}

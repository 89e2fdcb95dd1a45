//! Lines for those who wait for a text: which were written to since they looked, and
//! none of them lost before they did.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use sess_screen::{Screen, Size, WrittenLine};

fn fed(cols: u16, rows: u16, bytes: &[u8]) -> Screen {
    let mut screen = Screen::new(Size::new(cols, rows), 1000);
    screen.feed(bytes);
    screen
}

/// The lines with what was written to them, as pairs.
fn since(screen: &Screen, offset: u64) -> Vec<(String, u64)> {
    pairs(screen.lines_since(0, offset, true))
}

fn pairs(lines: Vec<WrittenLine>) -> Vec<(String, u64)> {
    lines.into_iter().map(|line| (line.text, line.written)).collect()
}

fn texts(lines: Vec<WrittenLine>) -> Vec<String> {
    lines.into_iter().map(|line| line.text).collect()
}

/// The lines of a text with CR LF between, each that has any bytes with where they end.
fn ends(text: &str) -> Vec<(String, u64)> {
    let mut at = 0;
    let mut lines = Vec::new();
    for line in text.split("\r\n") {
        if !line.is_empty() {
            lines.push((line.trim_end_matches(' ').to_owned(), at + line.len() as u64));
        }
        at += line.len() as u64 + 2;
    }
    lines
}

/// What of `before`, fed first, was written to by `change`.
#[track_caller]
fn assert_written(before: &str, change: &str, expected: &[&str]) {
    for cut in 0..=change.len() {
        let mut screen = fed(10, 4, before.as_bytes());
        let offset = screen.offset();
        let (one, other) = change.as_bytes().split_at(cut);
        screen.feed(one);
        screen.feed(other);
        let lines = screen.lines_since(0, offset, true);
        // All of the changes end with the byte that makes them.
        let latest = lines.iter().map(|line| line.written).max();
        assert!(latest.is_none_or(|latest| latest == screen.offset()), "cut at {cut}: {latest:?}");
        assert_eq!(texts(lines), expected, "cut at {cut}");
    }
}

#[test]
fn each_line_says_where_its_latest_byte_stood_wherever_the_text_is_cut() {
    let text = "short\r\nwraps over rows of ten columns\r\n\r\n   \r\n漢字漢字漢字 e\u{301}\u{302}\r\nlast";
    for cut in 0..=text.len() {
        let mut screen = fed(9, 4, &text.as_bytes()[..cut]);
        screen.feed(&text.as_bytes()[cut..]);
        assert_eq!(since(&screen, 0), ends(text), "cut at {cut}");
        let later: Vec<_> = ends(text).into_iter().filter(|(_, end)| *end > cut as u64).collect();
        assert_eq!(since(&screen, cut as u64), later, "since {cut}");
    }
}

#[test]
fn what_was_said_before_a_byte_counts_as_before_it() {
    let mut screen = fed(20, 4, b"one\r\ntwo\r\n");
    let offset = screen.offset();
    assert_eq!(since(&screen, offset), []);
    screen.feed(b"three");
    assert_eq!(since(&screen, offset), [("three".to_owned(), 15)]);
    screen.feed(b"\x1b[1;4H!");
    assert_eq!(since(&screen, 15), [("one!".to_owned(), 22)]);
    assert_eq!(texts(screen.lines_since(0, 0, true)), ["one!", "two", "three"]);
}

#[test]
fn a_half_character_is_written_when_it_is_over() {
    // Completed, or cut off by another byte.
    for (bytes, text) in
        [("é".as_bytes(), "é"), (b"\xc3x", "\u{fffd}x"), (b"\xf0\x9f\r", "\u{fffd}")]
    {
        for cut in 0..=bytes.len() {
            let mut screen = fed(20, 4, &bytes[..cut]);
            let offset = screen.offset();
            let before = since(&screen, 0);
            screen.feed(&bytes[cut..]);
            let expected = (text.to_owned(), bytes.len() as u64);
            assert_eq!(since(&screen, 0), [expected], "cut at {cut}");
            let changed = before.iter().all(|(before, _)| before != text);
            assert_eq!(!since(&screen, offset).is_empty(), changed, "since {offset}");
        }
    }
    assert_eq!(since(&fed(20, 4, b"\x80"), 0), [("\u{fffd}".to_owned(), 1)]);
}

#[test]
fn whatever_changes_a_line_s_text_writes_to_it() {
    let two = "abcdef\r\nghijkl\x1b[1;3H";
    for (change, expected) in [
        ("X", "abXdef"),
        ("\u{301}", "ab\u{301}cdef"),
        ("\x1b[K", "ab"),
        ("\x1b[1K", "   def"),
        ("\x1b[2X", "ab  ef"),
        ("\x1b[2P", "abef"),
        ("\x1b[2@", "ab  cdef"),
        ("\x1b[4hX", "abXcdef"),
        ("\x1b[88;1;2;1;3$x", "aXXdef"),
        ("\x1b[1;2;1;3$z", "a  def"),
        ("\x1b[1;1;1;2;1;1;5$v", "abcdab"),
    ] {
        assert_written(two, change, &[expected]);
    }
    assert_written("漢字\x1b[1;2H", "x", &[" x字"]);
    assert_written("ab", "\x1b[b", &["abb"]);
    assert_written("ab", "\x1b#8", &["EEEEEEEEEE"; 4]);
    assert_written(two, "\x1b[?69h\x1b[1;3s\x1b[S", &["ghidef", "   jkl"]);
    assert_written(two, "\x1b[?69h\x1b[1;3s\x1b[T", &["   def", "abcjkl", "ghi"]);
    assert_written(two, "\x1b[?69h\x1b[3;5s\x1b[4;3H\n", &["abijkf", "gh   l"]);
    assert_written(two, "\x1b[2'~", &["abef", "ghkl"]);
}

#[test]
fn what_leaves_a_line_s_text_as_it_is_does_not_write_to_it() {
    for change in [
        "\r\n\x1b[5C\t",
        "\x1b[31m\x1b[44m",
        "\x1b[1;1;2;3;7$r",
        "\x1b[9G\x1b[K\x1b[1P\x1b[1@\x1b[X",
        "\x1b[3;1H\x1b[J",
        "\x1b[L\x1b[M",
        "\x1b[?69h\x1b[7;9s\x1b[S\x1b[T",
        "\x1b[?1049hx\x1b[?1049l",
        "\x1b]2;title\x07",
    ] {
        assert_written("abcdef\r\nghijkl\x1b[1;3H", change, &[]);
    }
}

#[test]
fn erasing_all_of_a_line_leaves_none() {
    assert_written("abc\r\ndef\x1b[1;1H", "\x1b[K", &[]);
    assert_written("abc\r\ndef", "\x1b[2K", &[]);
    assert_written("abc\r\ndef", "\x1b[2J", &[]);
    assert_written("abc\r\ndef\x1b[1;2H", "\x1b[J", &["a"]);
}

#[test]
fn nothing_runs_on_into_a_line_that_was_erased() {
    for erase in ["\x1b[H\x1b[2J", "\x1b[H\x1b[J", "\x1b[H\x1b[2K"] {
        let screen = fed(4, 2, format!("abcdefghijkl{erase}$ ls").as_bytes());
        assert!(texts(screen.lines_since(0, 12, true)).contains(&"$ ls".to_owned()), "{erase:?}");
    }
}

#[test]
fn scrolling_takes_along_what_was_written_when() {
    let mut screen = fed(10, 3, b"one\r\ntwo\r\nthree");
    screen.feed(b"\x1b[2;3r\x1b[3;1H\n\x1b[r\x1b[3;1Hfour\r\nfive");
    let written: Vec<u64> = since(&screen, 0).into_iter().map(|(_, at)| at).collect();
    assert_eq!(texts(screen.lines_since(0, 0, true)), ["one", "three", "four", "five"]);
    assert_eq!(written, [3, 15, 41, 47]);
}

#[test]
fn the_lines_of_a_backlog_have_their_own_ends() {
    let lines: Vec<String> = (0..300).map(|n| "=".repeat(n % 23) + &n.to_string()).collect();
    let text = lines.join("\r\n") + "\r\n\r\n\r\n   \r\n" + &"y\r\n".repeat(100) + "end";
    for pieces in [1, 3, 10, 1000, text.len()] {
        let mut screen = Screen::new(Size::new(10, 4), 1000);
        for piece in text.as_bytes().chunks(pieces) {
            screen.feed(piece);
        }
        assert_eq!(since(&screen, 0), ends(&text), "in pieces of {pieces}");
    }
}

#[test]
fn lines_of_the_history_are_told_from_a_number_on_with_all_their_rows() {
    let screen = fed(4, 2, b"one\r\nabcdefgh\r\ntwo\r\nx\r\ny");
    assert_eq!(screen.history(), 0..4);
    let told = |first, shown| texts(screen.lines_since(first, 0, shown));
    assert_eq!(told(0, false), ["one", "abcdefgh", "two"]);
    assert_eq!(told(1, false), ["abcdefgh", "two"]);
    assert_eq!(told(2, false), ["abcdefgh", "two"]);
    assert_eq!(told(3, true), ["two", "x", "y"]);
    assert_eq!(told(4, true), ["x", "y"]);
    assert_eq!(told(99, true), ["x", "y"]);
}

#[test]
fn a_line_that_goes_on_on_the_screen_is_one_of_the_screen_s() {
    let mut screen = fed(4, 2, b"one\r\nabcdefghijkl");
    assert_eq!(screen.history(), 0..2);
    assert_eq!(texts(screen.lines_since(0, 0, false)), ["one"]);
    for first in [1, 2] {
        assert_eq!(texts(screen.lines_since(first, 0, true)), ["abcdefghijkl"]);
        assert!(screen.lines_since(first, 0, false).is_empty());
    }
    screen.feed(b"\x1b[?1049h\x1b[Halt\r\nern");
    assert_eq!(texts(screen.lines_since(0, 0, false)), ["one"]);
    assert_eq!(texts(screen.lines_since(0, 0, true)), ["one", "alt", "ern"]);
    assert_eq!(texts(screen.lines_since(2, 0, true)), ["alt", "ern"]);
    screen.feed(b"\x1b[?1049l\r\nm");
    assert_eq!(texts(screen.lines_since(0, 0, true)), ["one", "abcdefghijkl", "m"]);
}

#[test]
fn a_line_s_text_is_the_same_on_the_screen_and_in_the_history() {
    let lines = "漢漢漢\r\n\x1b[41mab\x1b[Kc  \x1b[0m\r\n\x1b[31mabcd\x1b[0mefg  \r\n  x\r\n";
    let on_screen = fed(5, 12, lines.as_bytes());
    let in_history = fed(5, 2, (lines.to_owned() + "\r\n\r\n").as_bytes());
    let told = texts(on_screen.lines_since(0, 0, true));
    assert_eq!(told, ["漢漢漢", "abc", "abcdefg", "  x"]);
    assert_eq!(texts(in_history.lines_since(0, 0, false)), told);
}

#[test]
fn of_an_endless_line_the_last_thousand_rows_are_joined() {
    let mut text = "a".repeat(3000);
    text.push_str(&"b".repeat(10_000 - 5));
    text.push_str("c.\r\n");
    let mut screen = Screen::new(Size::new(10, 4), 100_000);
    screen.feed(text.as_bytes());
    let lines = screen.lines_since(0, 0, true);
    assert_eq!(lines.len(), 1);
    assert!(lines[0].text.starts_with("bbb") && lines[0].text.ends_with("bc."));
    assert_eq!(lines[0].text.len(), 9997);
    assert_eq!(lines[0].written, text.len() as u64 - 2);
}

#[test]
fn another_width_keeps_what_was_written_when() {
    let mut screen = fed(10, 3, b"one\r\nabcdefghijklmno\r\ntwo\r\nthree\r\nfour");
    let before = since(&screen, 0);
    assert_eq!(before.len(), 5);
    for (cols, rows) in [(4, 3), (7, 9), (40, 2), (5, 1), (10, 3)] {
        screen.resize(Size::new(cols, rows));
        assert_eq!(since(&screen, 0), before, "at {cols}x{rows}");
    }
    // All rows of a line have the latest of what they had.
    let mut screen = fed(4, 6, b"abcdefgh\r\nx\x1b[1;1HA");
    screen.resize(Size::new(2, 6));
    screen.feed(b"\x1b[2;2H\x1b[K");
    assert_eq!(since(&screen, 11), [("Abc".to_owned(), 27), ("efgh".to_owned(), 18)]);
}

#[test]
fn what_was_written_when_outlives_lines_that_come_back_or_go() {
    let text = numbered(0..40).join("\r\n");
    let mut screen = fed(10, 3, text.as_bytes());
    for rows in [9, 3, 20, 3] {
        screen.resize(Size::new(10, rows));
        assert_eq!(since(&screen, 0), ends(&text), "at {rows}");
    }
    screen.resize(Size::new(10, 9));
    screen.feed(b"\x1b7\x1b[1;1HL\x1b8");
    screen.resize(Size::new(10, 3));
    assert_eq!(since(&screen, text.len() as u64), [("Line 31".to_owned(), screen.offset() - 2)]);
    let mut screen = Screen::new(Size::new(10, 3), 0);
    screen.feed(&text.as_bytes()[..200]);
    let kept = screen.history().end;
    screen.hold_history(Some(kept));
    screen.feed(&text.as_bytes()[200..]);
    assert_eq!(since(&screen, 0), ends(&text)[kept as usize..]);
}

fn numbered(lines: std::ops::Range<u32>) -> Vec<String> {
    lines.map(|n| format!("line {n}")).collect()
}

#[test]
fn held_lines_outlive_the_limit_until_they_are_let_go() {
    for (limit, piece) in [(0, 7), (0, 100_000), (5, 7), (5, 100_000)] {
        let mut screen = Screen::new(Size::new(20, 4), limit);
        screen.hold_history(Some(0));
        let text = (numbered(0..500).join("\r\n") + "\r\n").repeat(2);
        for piece in text.as_bytes().chunks(piece) {
            screen.feed(piece);
        }
        assert_eq!(screen.history(), 0..997);
        let all = [numbered(0..500), numbered(0..500)].concat();
        assert_eq!(texts(screen.lines_since(0, 0, true)), all);
        screen.hold_history(Some(900));
        assert_eq!(screen.history(), 900..997);
        assert_eq!(texts(screen.lines_since(0, 0, false)), numbered(400..497));
        screen.hold_history(None);
        assert_eq!(screen.history(), 997 - limit as u64..997);
        screen.feed(b"more\r\n");
        assert_eq!(screen.history(), 998 - limit as u64..998);
    }
}

#[test]
fn only_lines_before_the_held_ones_are_skipped() {
    let text = numbered(0..100).join("\r\n") + "\r\n";
    for from in [0, 10, 50, 96, 97, 98, 500] {
        let mut screen = Screen::new(Size::new(20, 4), 0);
        screen.hold_history(Some(from));
        screen.feed(text.as_bytes());
        assert_eq!(screen.history(), from.min(97)..97, "from {from}");
    }
}

#[test]
fn held_lines_go_where_the_program_erases_them() {
    let mut screen = Screen::new(Size::new(20, 2), 0);
    screen.hold_history(Some(0));
    screen.feed(b"a\r\nb\r\nc\r\nd\x1b[3J");
    assert_eq!(screen.history(), 2..2);
    screen.feed(b"\r\ne");
    assert_eq!(texts(screen.lines_since(0, 0, true)), ["c", "d", "e"]);
}

#[test]
fn a_resize_loses_none_of_the_held_lines() {
    let text = numbered(0..60).join("\r\n");
    for from in [0, 20, 40, 56] {
        let mut screen = Screen::new(Size::new(20, 4), 0);
        screen.hold_history(Some(from));
        screen.feed(text.as_bytes());
        for (cols, rows) in [(20, 10), (5, 4), (30, 2), (3, 30), (20, 4)] {
            screen.resize(Size::new(cols, rows));
            let told = texts(screen.lines_since(from, 0, true));
            assert!(told.ends_with(&numbered(from as u32..60)), "from {from}, {cols}x{rows}");
        }
        screen.hold_history(None);
        assert!(screen.history().is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(20_261_205),
        cases: 300,
        ..ProptestConfig::default()
    })]

    #[test]
    fn since_any_offset_exactly_the_lines_with_a_later_byte_are_told(
        lines in prop::collection::vec(
            prop_oneof![4 => "[a-z]{0,12}", 2 => "[a-z 漢é]{0,60}", 1 => "x[a\u{301} ]{0,9}", 1 => "[ ]{0,3}"],
            1..120,
        ),
        pieces in prop::collection::vec(prop_oneof![1_usize..20, 1_usize..2000], 1..40),
        (cols, rows) in (2_u16..30, 1_u16..8),
        limit in prop_oneof![Just(0_usize), Just(10_000)],
    ) {
        let text = lines.join("\r\n");
        let mut screen = Screen::new(Size::new(cols, rows), limit);
        screen.hold_history(Some(0));
        let mut rest = text.as_bytes();
        let mut boundaries = vec![0];
        for piece in pieces.iter().cycle() {
            let (piece, more) = rest.split_at((*piece).min(rest.len()));
            screen.feed(piece);
            rest = more;
            boundaries.push(screen.offset());
            if rest.is_empty() {
                break;
            }
        }
        for boundary in boundaries {
            let later: Vec<_> = ends(&text).into_iter().filter(|(_, end)| *end > boundary).collect();
            prop_assert_eq!(since(&screen, boundary), later, "since {}", boundary);
        }
    }
}

//! Whatever a program did to its terminal, and wherever its output is cut: the
//! snapshot brings a fresh terminal into the same state, and what follows does
//! the same to both.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use sess_screen::{HOME, NEUTRALISE, Screen, Size};

/// What a terminal shows and is, as far as anybody can tell from outside.
fn state(screen: &Screen) -> (String, String, Vec<String>) {
    let mut snapshot = Vec::new();
    screen.snapshot(screen.size(), &mut snapshot);
    let mut lines = Vec::new();
    for number in screen.history() {
        let mut line = Vec::new();
        screen.history_line(number, &mut line);
        // As it looks, not as it is said: a bold blank is a blank.
        let mut alone = Screen::new(screen.size(), 0);
        alone.feed(&line);
        let mut shown = Vec::new();
        alone.snapshot(alone.size(), &mut shown);
        lines.push(String::from_utf8_lossy(&shown).escape_debug().to_string());
    }
    let snapshot = String::from_utf8_lossy(&snapshot).escape_debug().to_string();
    (without_blanks_before_wide(&snapshot), screen.text(), lines)
}

/// A last column left free for a wide character looks like one with a blank in it,
/// and is one once the cursor was brought back there by printing it again.
fn without_blanks_before_wide(snapshot: &str) -> String {
    let mut out = String::new();
    for c in snapshot.chars() {
        if matches!(c, '漢' | '界' | '🎉') {
            out.truncate(out.trim_end_matches(' ').len());
        }
        out.push(c);
    }
    out
}

fn restored(screen: &Screen) -> Screen {
    let mut fresh = Screen::new(screen.size(), 1000);
    // Somebody else's leftovers, in a terminal that was used before.
    fresh.feed(b"old\x1b[?1049h\x1b[31m\x1b[2;3r\x1b[?6h\x1b[4h\x1b(0\x1b[?1000h\x1b[>1u");
    let mut bytes = NEUTRALISE.to_vec();
    bytes.extend_from_slice(HOME);
    bytes.extend_from_slice(b"\x1b[2J\x1b[3J");
    for line in screen.history() {
        screen.history_line(line, &mut bytes);
    }
    screen.snapshot(screen.size(), &mut bytes);
    fresh.feed(&bytes);
    fresh
}

fn piece() -> impl Strategy<Value = Vec<u8>> {
    let coordinates = (0_u16..12, 0_u16..24);
    prop_oneof![
        12 => "[a-z ]{1,30}".prop_map(String::into_bytes),
        6 => Just(b"\r\n".to_vec()),
        2 => prop::sample::select(vec!["漢字", "e\u{301}", "界", "é", "🎉", "a\u{308}\u{301}"])
            .prop_map(|text| text.as_bytes().to_vec()),
        6 => "\x1b\\[[0-9]{0,2}(;[0-9]{1,2}){0,2}m".prop_map(String::into_bytes),
        3 => prop::sample::select(vec![
            "\x1b[38;2;1;2;3m", "\x1b[48;5;200m", "\x1b[4:3m", "\x1b[58:2::9:8:7m", "\x1b[41m",
            "\x1b[7m", "\x1b[53m", "\x1b[m", "\x1b]8;;http://a\x1b\\", "\x1b]8;id=x;http://b\x07",
            "\x1b]8;;\x1b\\",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        5 => coordinates.prop_map(|(y, x)| format!("\x1b[{y};{x}H").into_bytes()),
        6 => "\x1b\\[[0-9]?[ABCDEFGIJKLMPSTXZ@`abd]".prop_map(String::into_bytes),
        2 => "\x1b\\[[1-5];[4-9]r".prop_map(String::into_bytes),
        1 => "\x1b\\[\\?69[hl]\x1b\\[[1-5];[6-9]s".prop_map(String::into_bytes),
        3 => "\x1b[78DEMHc=>]".prop_map(String::into_bytes),
        1 => prop::sample::select(vec!["\x1b(0", "\x1b(B", "\x1b)0", "\x0e", "\x0f", "\x1b*0", "\x1bn"])
            .prop_map(|text| text.as_bytes().to_vec()),
        2 => "[\x08\t\n\r]".prop_map(String::into_bytes),
        4 => (prop::sample::select(vec![
            1_u16, 5, 6, 7, 12, 25, 45, 66, 1000, 1002, 1003, 1004, 1006, 1007, 1015, 2004, 2026,
            2027, 2031, 2048, 7727,
        ]), prop::bool::ANY)
            .prop_map(|(mode, on)| format!("\x1b[?{mode}{}", if on { 'h' } else { 'l' }).into_bytes()),
        2 => (prop::sample::select(vec![47_u16, 1047, 1049, 1048]), prop::bool::ANY)
            .prop_map(|(mode, on)| format!("\x1b[?{mode}{}", if on { 'h' } else { 'l' }).into_bytes()),
        1 => prop::sample::select(vec!["\x1b[4h", "\x1b[4l", "\x1b[20h", "\x1b[20l", "\x1b[3J", "\x1b[!p"])
            .prop_map(|text| text.as_bytes().to_vec()),
        2 => prop::sample::select(vec![
            "\x1b[>1u", "\x1b[<u", "\x1b[=5u", "\x1b[>4;2m", "\x1b[>4m", "\x1b[4 q", "\x1b[0g", "\x1b[3g",
            "\x1b]0;title\x07", "\x1b]1;icon\x07", "\x1b]2;other\x1b\\", "\x1b[22;0t", "\x1b[23;0t", "\x1b[22;2t",
            "\x1b]4;3;#aabbcc\x07", "\x1b]10;rgb:1/22/333\x07", "\x1b]104\x07", "\x1b]111\x07",
            "\x1b]7;file:///tmp\x07", "\x1b#8",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        2 => prop::sample::select(vec![
            "\x1b[1\"q", "\x1b[0\"q", "\x1bV", "\x1bW", "\x1b[?J", "\x1b[?1K", "\x1b[2*x", "\x1b[*x", "\x1b6", "\x1b9",
            "\x1b[2;2;4;6$z", "\x1b[1;3;3;9${", "\x1b[65;2;3;4;5$x", "\x1b[1;1;3;4;1;2;3;1$v",
            "\x1b[2;2;3;8;1;7$r", "\x1b[1;2;4;6;4$t", "\x1b[?7;6;1049;2004s", "\x1b[?7;6;2004r", "\x1b(K", "\x1b(%6",
            "\x1b[?2027h👩\u{200d}👩", "❤\u{fe0f}", "🇩🇪", "\x1b]133;A\x07", "\x1b]133;C\x07", "\x1b]133;D;1\x07",
            "\x1b[?1045h", "\x1b[?1045l", "\x1b[?40h", "\x1b[?3h", "\x1b[?3l", "\x1b[?41h",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::sample::select(vec![
            "\x1b]2;half", "\x1bP$q", "\x1b[38;5", "\x1b_Gf=24", "\x18", "\x1b",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..6),
    ]
}

fn program(pieces: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(piece(), 0..pieces).prop_map(|pieces| pieces.concat())
}

/// Mostly lines that a coloured backlog is made of, some that end one.
fn coloured_line() -> impl Strategy<Value = String> {
    let sgr = prop_oneof![
        4 => Just("\x1b[0m"), 2 => Just("\x1b[m"), 4 => Just("\x1b[31m"), 2 => Just("\x1b[1;32m"),
        1 => Just("\x1b[44m"), 1 => Just("\x1b[7m"), 1 => Just("\x1b[4m"), 1 => Just("\x1b[49;38;5;7m"),
        1 => Just("\x1b[0;32m"), 1 => Just("\x1b[38;2;45;4;100m"), 1 => Just("\x1b[105m"),
        1 => Just("\x1b[1;48;2;104;0;255;3m"), 1 => Just("\x1b[4:3m"),
    ];
    let part = (sgr, "[ -~]{0,4}").prop_map(|(sgr, text)| format!("{sgr}{text}"));
    let end = prop_oneof![30 => Just("\x1b[0m"), 4 => Just("\x1b[39;49m"), 1 => Just(""), 1 => Just("\x1b[K")];
    (prop::collection::vec(part, 0..4), end).prop_map(|(parts, end)| parts.concat() + end)
}

/// Some lines that make a backlog, or something that is none of its kind.
fn ahead() -> impl Strategy<Value = Vec<u8>> {
    let lines = |lines: Vec<String>| (lines.join("\r\n") + "\r\n").into_bytes();
    prop_oneof![
        4 => prop::collection::vec(coloured_line(), 0..40).prop_map(lines),
        2 => prop::collection::vec("[ -~]{0,30}", 0..40).prop_map(lines),
        1 => program(4),
    ]
}

/// Two small screens that were fed the same, one in one go.
fn at_once_and_in_pieces(bytes: &[u8], limit: usize) -> (Screen, Screen) {
    let size = Size::new(13, 5);
    let (mut whole, mut split) = (Screen::new(size, limit), Screen::new(size, limit));
    whole.feed(bytes);
    bytes.chunks(11).for_each(|part| split.feed(part));
    (whole, split)
}

/// The same cases in every run; `PROPTEST_CASES` asks for more of them, and
/// `PROPTEST_RNG_SEED` for others.
fn config() -> ProptestConfig {
    let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 300;
    }
    if std::env::var_os("PROPTEST_RNG_SEED").is_none() {
        config.rng_seed = RngSeed::Fixed(20_261_120);
    }
    config
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_snapshot_brings_back_the_state_and_its_future(
        before in program(60), cut in 0_usize..8, after in program(20),
        cols in 1_u16..24, rows in 1_u16..10,
    ) {
        let mut original = Screen::new(Size::new(cols, rows), 1000);
        original.feed(&before[..before.len().saturating_sub(cut)]);
        let mut copy = restored(&original);
        prop_assert_eq!(state(&copy), state(&original));
        prop_assert_eq!(copy.cursor(), original.cursor());
        prop_assert_eq!(copy.modes(), original.modes());
        prop_assert_eq!(copy.title(), original.title());
        original.feed(&before[before.len().saturating_sub(cut)..]);
        copy.feed(&before[before.len().saturating_sub(cut)..]);
        original.feed(&after);
        copy.feed(&after);
        prop_assert_eq!(state(&copy), state(&original));
        prop_assert_eq!(copy.cursor(), original.cursor());
        let (mut one, mut other) = (Vec::new(), Vec::new());
        original.undo(&mut one);
        copy.undo(&mut other);
        prop_assert_eq!(one, other);
    }

    #[test]
    fn splitting_the_stream_changes_nothing(bytes in program(80), chunk in 1_usize..7) {
        let size = Size::new(17, 5);
        let (mut whole, mut split) = (Screen::new(size, 50), Screen::new(size, 50));
        whole.feed(&bytes);
        for part in bytes.chunks(chunk) {
            split.feed(part);
        }
        prop_assert_eq!(state(&whole), state(&split));
        prop_assert_eq!(whole.take_replies(), split.take_replies());
        prop_assert_eq!(whole.history(), split.history());
    }

    #[test]
    fn a_backlog_in_one_go_ends_as_line_by_line(
        lines in prop::collection::vec("[ -~]{0,40}", 0..120), limit in 0_usize..40,
        tail in "[ -~]{0,20}",
    ) {
        let bytes = format!("{}\r\n{tail}", lines.join("\r\n"));
        let (whole, split) = at_once_and_in_pieces(bytes.as_bytes(), limit);
        prop_assert_eq!(whole.history(), split.history());
        prop_assert_eq!(state(&whole), state(&split));
    }

    #[test]
    fn a_coloured_backlog_in_one_go_ends_as_line_by_line(
        lines in prop::collection::vec(coloured_line(), 0..120), limit in 0_usize..40,
        tail in "[ -~]{0,20}",
    ) {
        let bytes = format!("{}\r\n{tail}", lines.join("\r\n"));
        let (whole, split) = at_once_and_in_pieces(bytes.as_bytes(), limit);
        prop_assert_eq!(whole.history(), split.history());
        prop_assert_eq!(state(&whole), state(&split));
    }

    #[test]
    fn what_is_fed_ahead_is_as_if_it_was_looked_at_all_the_time(
        parts in prop::collection::vec(ahead(), 0..12), limit in 0_usize..60,
        cols in 1_u16..20, rows in 1_u16..7, steps in prop::collection::vec(1_usize..200, 1..6),
    ) {
        let bytes = parts.concat();
        let size = Size::new(cols, rows);
        let (mut ahead, mut looked_at) = (Screen::new(size, limit), Screen::new(size, limit));
        let mut rest = &bytes[..];
        for step in steps.iter().cycle() {
            let (part, more) = rest.split_at(rest.len().min(*step));
            ahead.feed_ahead(part);
            looked_at.feed(part);
            prop_assert_eq!(ahead.offset(), looked_at.offset());
            prop_assert_eq!(ahead.next_line(), looked_at.history().end);
            let shown = ahead.screenful();
            prop_assert_eq!(shown.text(), looked_at.text());
            prop_assert_eq!(shown.cursor(), looked_at.cursor());
            prop_assert_eq!(shown.pen(), looked_at.pen());
            let rows = |screen: &Screen| (0..rows).map(|y| screen.row(y)).collect::<Vec<_>>();
            prop_assert_eq!(rows(&shown), rows(&looked_at));
            // Not always, so that much can wait.
            if step % 7 == 0 {
                ahead.settle();
                prop_assert_eq!(state(&ahead), state(&looked_at));
                prop_assert_eq!(ahead.cursor(), looked_at.cursor());
                prop_assert_eq!(ahead.pen(), looked_at.pen());
            }
            rest = more;
            if rest.is_empty() {
                break;
            }
        }
        ahead.settle();
        prop_assert_eq!(ahead.history(), looked_at.history());
        prop_assert_eq!(state(&ahead), state(&looked_at));
        let lines = |screen: &Screen| screen.lines_since(0, 0, true);
        if cols > 1 {
            prop_assert_eq!(lines(&ahead), lines(&looked_at));
        }
    }

    #[test]
    fn nothing_makes_it_panic(
        parts in prop::collection::vec((program(20), 0_u16..40, 0_u16..20), 1..8),
        noise in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut screen = Screen::new(Size::new(10, 4), 20);
        for (bytes, cols, rows) in parts {
            screen.feed(&bytes);
            screen.feed(&noise);
            screen.resize(Size::new(cols, rows));
            let mut out = Vec::new();
            screen.snapshot(screen.size(), &mut out);
            screen.snapshot(Size::new(7, 3), &mut out);
            screen.snapshot(Size::new(50, 30), &mut out);
            screen.undo(&mut out);
            for line in screen.history() {
                screen.history_line(line, &mut out);
            }
            screen.text();
        }
    }

    #[test]
    fn after_undo_and_a_fresh_line_a_terminal_is_as_new(bytes in program(60)) {
        let mut terminal = Screen::new(Size::new(20, 6), 1000);
        terminal.feed(&bytes);
        let mut undo = Vec::new();
        terminal.undo(&mut undo);
        terminal.feed(&undo);
        let modes = terminal.modes();
        let fresh = Screen::new(Size::new(20, 6), 0).modes();
        prop_assert_eq!(modes, fresh);
        prop_assert_eq!(terminal.cursor().0, 0);
        // Nothing is left to undo but the move to a fresh line.
        let mut again = Vec::new();
        terminal.undo(&mut again);
        prop_assert!(again.len() <= 10, "{}", String::from_utf8_lossy(&again).escape_debug());
    }
}

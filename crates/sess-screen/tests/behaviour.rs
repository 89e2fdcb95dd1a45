//! One small case per behaviour.

use sess_screen::{HOME, INTERRUPT, NEUTRALISE, QueryKind, Screen, Size};

fn screen(bytes: &[u8]) -> Screen {
    let mut screen = Screen::new(Size::new(10, 4), 100);
    screen.feed(bytes);
    screen
}

fn snapshot(screen: &Screen) -> String {
    let mut out = Vec::new();
    screen.snapshot(screen.size(), &mut out);
    String::from_utf8(out).expect("only text was fed")
}

fn undo(screen: &Screen) -> String {
    let mut out = Vec::new();
    screen.undo(&mut out);
    String::from_utf8(out).expect("only text was fed")
}

fn history(screen: &Screen) -> Vec<String> {
    let line = |number| {
        let mut out = Vec::new();
        screen.history_line(number, &mut out);
        String::from_utf8(out).expect("only text was fed")
    };
    screen.history().map(line).collect()
}

fn replies(bytes: &[u8]) -> Vec<(QueryKind, String)> {
    let replies = screen(bytes).take_replies();
    replies.into_iter().map(|r| (r.kind, String::from_utf8(r.bytes).expect("ascii"))).collect()
}

#[test]
fn a_blank_session_has_a_tiny_snapshot() {
    assert!(snapshot(&screen(b"")).len() <= 10);
}

#[test]
fn a_session_that_switched_nothing_on_is_undone_by_a_move() {
    assert_eq!(undo(&screen(b"hello\r\nworld")), "\x1b[3H");
    assert_eq!(undo(&screen(b"1\r\n2\r\n3\r\n4")), "\x1b[4H\n");
}

#[test]
fn text_wraps_when_the_next_character_comes() {
    let mut screen = screen(b"0123456789");
    assert_eq!(screen.cursor(), (9, 0));
    screen.feed(b"a");
    assert_eq!(screen.text(), "0123456789\na");
}

#[test]
fn without_autowrap_the_last_column_is_overwritten() {
    assert_eq!(screen(b"\x1b[?7l0123456789abc").text(), "012345678c");
}

#[test]
fn a_wide_character_that_does_not_fit_wraps() {
    let screen = screen("012345678漢".as_bytes());
    assert_eq!(screen.text(), "012345678\n漢");
    assert!(snapshot(&screen).starts_with("012345678漢"), "it must wrap by itself");
}

#[test]
fn half_a_wide_character_is_none() {
    assert_eq!(screen("漢\x1b[2Gx".as_bytes()).text(), " x");
    assert_eq!(screen("漢\x1b[1Gx".as_bytes()).text(), "x");
}

#[test]
fn combining_characters_join_the_cell_before() {
    let screen = screen("e\u{301}\u{302}x".as_bytes());
    assert_eq!(screen.text(), "e\u{301}\u{302}x");
    assert_eq!(screen.cursor(), (2, 0));
}

#[test]
fn invalid_utf8_becomes_one_replacement_per_part() {
    assert_eq!(screen(b"a\xe6\xbcb\xffc\x9b").text(), "a\u{fffd}b\u{fffd}c\u{fffd}");
}

#[test]
fn lines_that_leave_the_top_become_history_with_their_colours() {
    let screen = screen(b"\x1b[31mred\x1b[m\r\n0123456789ab\r\n3\r\n4\r\n5");
    assert_eq!(history(&screen), ["\x1b[31mred\x1b[m\r\n", "0123456789"]);
    assert_eq!(screen.text(), "ab\n3\n4\n5");
}

#[test]
fn a_coloured_tail_is_said_by_erasing() {
    let screen = screen(b"\x1b[44ma\x1b[K\x1b[m\r\n\n\n\n");
    assert_eq!(history(&screen), ["\x1b[44ma\x1b[K\x1b[m\r\n"]);
}

#[test]
fn history_numbers_go_on_after_it_is_erased_or_dropped() {
    let mut screen = Screen::new(Size::new(10, 2), 3);
    screen.feed(b"1\r\n2\r\n3\r\n4\r\n5\r\n6");
    assert_eq!(screen.history(), 1..4);
    screen.feed(b"\x1b[3J");
    assert_eq!(screen.history(), 4..4);
    screen.feed(b"\r\n7");
    assert_eq!(screen.history(), 4..5);
}

#[test]
fn lines_within_a_region_below_the_top_are_no_history() {
    assert!(screen(b"\x1b[2;3r\x1b[3H\n\n\n").history().is_empty());
    assert_eq!(screen(b"\x1b[1;3r\x1b[3H\n\n\n").history(), 0..3);
}

#[test]
fn the_alternate_screen_leaves_the_primary_and_its_cursor_alone() {
    let mut screen = screen(b"shell\x1b[?1049h\x1b[2Jvim");
    assert!(screen.modes().alternate_screen);
    assert_eq!(screen.text(), "     vim");
    let snapshot = snapshot(&screen);
    assert!(snapshot.starts_with("shell"), "{snapshot:?}");
    assert!(undo(&screen).contains("\x1b[?1049l"));
    screen.feed(b"\x1b[?1049l");
    assert_eq!((screen.text().as_str(), screen.cursor()), ("shell", (5, 0)));
}

#[test]
fn undo_takes_off_exactly_what_is_on() {
    let screen = screen(b"\x1b[?2004h\x1b[?1000h\x1b[?1006h\x1b[>1u\x1b[>5u\x1b[?25l\x1b[4 q\x1b=");
    let undo = undo(&screen);
    for off in
        ["\x1b[?2004l", "\x1b[?1000l", "\x1b[?1006l", "\x1b[<2u", "\x1b[?25h", "\x1b[0 q", "\x1b>"]
    {
        assert!(undo.contains(off), "{off:?} in {undo:?}");
    }
    for never in ["\x1b[?1049l", "\x1bc", "\x1b[r", "\x1b[4l"] {
        assert!(!undo.contains(never), "{never:?} in {undo:?}");
    }
}

#[test]
fn undo_gets_out_of_a_sequence_first() {
    assert!(undo(&screen(b"\x1b]2;half a ti")).as_bytes().starts_with(INTERRUPT));
}

#[test]
fn half_a_sequence_and_half_a_character_end_the_snapshot() {
    assert!(snapshot(&screen(b"a\x1b[38;5")).ends_with("\x1b[38;5"));
    let mut out = Vec::new();
    screen(b"a\xe6\xbc").snapshot(Size::new(10, 4), &mut out);
    assert!(out.ends_with(b"\xe6\xbc"));
}

#[test]
fn a_string_too_long_to_keep_is_reopened_empty_in_its_kind() {
    let mut screen = screen(b"\x1b_Ga=T;");
    screen.feed(&vec![b'A'; 200_000]);
    let text = snapshot(&screen);
    let open = text.rfind("\x1b_").expect("still an APC");
    assert!(text.len() - open < 66_000);
    screen.feed(b"AAAA\x1b\\x");
    assert_eq!(screen.text(), "x");
}

#[test]
fn a_string_ends_with_st_only_if_the_backslash_follows() {
    assert_eq!(screen(b"\x1b]2;t\x1b\\x").title(), "t");
    assert_eq!(screen(b"\x1b]2;t\x1b[1mx").title(), "");
    assert_eq!(screen(b"\x1bPsixel\x18x").text(), "x");
}

#[test]
fn titles_are_bounded_and_clean() {
    assert_eq!(screen(b"\x1b]0;a\x01b\tc\x07").title(), "abc");
    let long = [b"\x1b]2;", vec![b'x'; 5000].as_slice(), b"\x07"].concat();
    assert_eq!(screen(&long).title().len(), 1024);
}

#[test]
fn the_title_stack_gives_back_what_it_took() {
    let mut screen = screen(b"\x1b]2;one\x07\x1b[22;2t\x1b]2;two\x07");
    assert_eq!(screen.title(), "two");
    screen.feed(b"\x1b[23;2t");
    assert_eq!(screen.title(), "one");
}

#[test]
fn a_title_that_was_never_set_stays_the_terminals_own() {
    let mut untitled = screen(b"\x1b[22;0;0tx");
    assert!(!snapshot(&untitled).contains("\x1b]"), "{}", snapshot(&untitled));
    assert!(snapshot(&untitled).contains("\x1b[22;0t"));
    untitled.feed(b"\x1b]0;vim\x07");
    assert!(snapshot(&untitled).contains("\x1b[22;0t\x1b]0;vim"));
    // Unless another came in between.
    let cleared = screen(b"\x1b]0;a\x07\x1b[22;0t\x1b]0;\x07");
    assert!(snapshot(&cleared).contains("\x1b]0;a\x1b\\\x1b[22;0t\x1b]0;\x1b\\"));
}

#[test]
fn tab_stops_can_be_set_and_come_back() {
    let screen = screen(b"\x1b[3g\x1b[4G\x1bH\r\tx");
    assert_eq!(screen.cursor(), (4, 0));
    assert!(snapshot(&screen).contains("\x1b[3g\x1b[;4H\x1bH"));
}

#[test]
fn special_graphics_are_shown_as_what_they_draw() {
    assert_eq!(screen(b"\x1b(0lqk\x1b(Bq").text(), "┌─┐q");
    assert_eq!(screen(b"\x1b)0\x0eq\x0fq").text(), "─q");
}

#[test]
fn rep_repeats_only_what_was_just_printed() {
    assert_eq!(screen(b"ab\x1b[3b").text(), "abbbb");
    assert_eq!(screen(b"ab\r\x1b[3b").text(), "ab");
}

#[test]
fn insert_mode_pushes_and_left_right_margins_hold() {
    assert_eq!(screen(b"abc\r\x1b[4hx").text(), "xabc");
    assert_eq!(screen(b"0123456789\x1b[?69h\x1b[3;6s\x1b[1;3H\x1b[P").text(), "01345 6789");
}

#[test]
fn queries_are_answered_with_where_they_were_asked() {
    let mut screen = screen(b"ab\x1b[6n");
    let replies = screen.take_replies();
    assert_eq!(replies[0].bytes, b"\x1b[1;3R");
    assert_eq!((replies[0].kind, replies[0].offset), (QueryKind::CursorPosition, 6));
    assert!(screen.take_replies().is_empty());
}

#[test]
fn every_usual_query_has_its_answer() {
    let cases: [(&str, QueryKind, &str); 24] = [
        ("\x1b[c", QueryKind::PrimaryAttributes, "\x1b[?62;22c"),
        ("\x1b[>c", QueryKind::SecondaryAttributes, "\x1b[>1;10;0c"),
        ("\x1b[=c", QueryKind::TertiaryAttributes, "\x1bP!|00000000\x1b\\"),
        ("\x1b[5n", QueryKind::Status, "\x1b[0n"),
        ("\x1b[?6n", QueryKind::ExtendedCursorPosition, "\x1b[?1;1;1R"),
        ("\x1b[?2004$p", QueryKind::Mode, "\x1b[?2004;2$y"),
        ("\x1b[?9999$p", QueryKind::Mode, "\x1b[?9999;0$y"),
        ("\x1b[>q", QueryKind::Version, "\x1bP>|sess 0.1.0\x1b\\"),
        ("\x1b[>5u\x1b[?u", QueryKind::KittyKeyboard, "\x1b[?5u"),
        ("\x1bP$q q\x1b\\", QueryKind::Setting, "\x1bP1$r0 q\x1b\\"),
        ("\x1b[1;31m\x1bP$qm\x1b\\", QueryKind::Setting, "\x1bP1$r0;1;31m\x1b\\"),
        ("\x1bP$qevil\x1b\\", QueryKind::Setting, "\x1bP0$r\x1b\\"),
        ("\x1b[1\"q\x1bP$q\"q\x1b\\", QueryKind::Setting, "\x1bP1$r1\"q\x1b\\"),
        ("\x1b[2*x\x1bP$q*x\x1b\\", QueryKind::Setting, "\x1bP1$r2*x\x1b\\"),
        ("\x1bP$qt\x1b\\", QueryKind::Setting, "\x1bP1$r4t\x1b\\"),
        ("\x1bP$q*|\x1b\\", QueryKind::Setting, "\x1bP1$r4*|\x1b\\"),
        ("\x1bP$q$|\x1b\\", QueryKind::Setting, "\x1bP1$r10$|\x1b\\"),
        ("\x1bP$qs\x1b\\", QueryKind::Setting, "\x1bP0$r\x1b\\"),
        ("\x1b[12$p", QueryKind::Mode, "\x1b[12;3$y"),
        ("\x1bP+q636F6C6f7273\x1b\\", QueryKind::Capability, "\x1bP1+r636F6C6F7273=323536\x1b\\"),
        ("\x1bP+q5463\x1b\\", QueryKind::Capability, "\x1bP1+r5463\x1b\\"),
        ("\x1bP+q5365\x1b\\", QueryKind::Capability, "\x1bP1+r5365=1B5B322071\x1b\\"),
        ("\x1b[18t", QueryKind::Size, "\x1b[8;4;10t"),
        ("\x1bP+q6162\x1b\\", QueryKind::Capability, "\x1bP0+r\x1b\\"),
    ];
    for (query, kind, answer) in cases {
        assert_eq!(replies(query.as_bytes()), [(kind, answer.to_owned())], "{query:?}");
        assert_eq!(QueryKind::of_report(answer.as_bytes()), Some(kind), "{answer:?}");
    }
}

#[test]
fn colours_are_answered_only_if_known() {
    assert_eq!(replies(b"\x1b]11;?\x07"), [(QueryKind::Colour(11), String::new())]);
    let mut screen = screen(b"\x1b]4;3;#ff0000\x07\x1b]4;3;?\x07");
    assert_eq!(screen.take_replies()[0].bytes, b"\x1b]4;3;rgb:ffff/0000/0000\x1b\\");
    screen.learn_colour(b"\x1b]11;rgb:1111/2222/3333\x07");
    screen.feed(b"\x1b]11;?\x07");
    assert_eq!(screen.take_replies()[0].bytes, b"\x1b]11;rgb:1111/2222/3333\x1b\\");
}

#[test]
fn title_reports_and_enq_get_no_answer() {
    assert!(replies(b"\x1b]2;evil\x07\x1b[21t\x1b[20t\x05").is_empty());
}

#[test]
fn keys_are_no_reports() {
    for key in [
        &b"\x1b[1;2R"[..],
        b"\x1b[1;16R",
        b"\x1b[A",
        b"\x1b[97;5u",
        b"\x1b[<0;1;1M",
        b"\x1b[I",
        b"x",
    ] {
        assert_eq!(QueryKind::of_report(key), None, "{key:?}");
    }
    assert_eq!(QueryKind::of_report(b"\x1b[2;2R"), Some(QueryKind::CursorPosition));
}

#[test]
fn a_snapshot_asks_nothing_resets_nothing_and_erases_no_scrollback() {
    let bytes =
        b"\x1b[?1049h\x1b[?2004h\x1b[>1u\x1b]10;red\x07\x1b[2;3r\x1b[?6h\x1b7\x1b(0\x1b[?1006h";
    let mut screen = screen(bytes);
    screen.take_replies();
    let text = snapshot(&screen);
    assert!(!text.contains("\x1bc") && !text.contains("\x1b[3J"), "{text:?}");
    let mut other = Screen::new(screen.size(), 100);
    other.feed(NEUTRALISE);
    other.feed(HOME);
    other.feed(text.as_bytes());
    assert!(other.take_replies().is_empty());
}

#[test]
fn neutralising_moves_nothing() {
    let mut screen = screen(b"text\x1b[2;3H\x1b[1;31m\x1b[?1000h\x1b(0");
    screen.feed(NEUTRALISE);
    assert_eq!((screen.text().as_str(), screen.cursor()), ("text", (2, 1)));
    assert_eq!(screen.modes(), self::screen(b"").modes());
}

#[test]
fn fewer_rows_push_the_top_into_history_and_keep_the_cursor_in_sight() {
    let mut screen = screen(b"1\r\n2\r\n3\r\n4");
    screen.resize(Size::new(10, 2));
    assert_eq!((screen.text().as_str(), screen.cursor()), ("3\n4", (1, 1)));
    assert_eq!(history(&screen), ["1\r\n", "2\r\n"]);
    screen.resize(Size::new(10, 3));
    assert_eq!((screen.text().as_str(), screen.cursor()), ("2\n3\n4", (1, 2)));
    assert_eq!(history(&screen), ["1\r\n"]);
}

#[test]
fn blank_rows_below_the_cursor_go_first() {
    let mut screen = screen(b"1\r\n2");
    screen.resize(Size::new(10, 2));
    assert_eq!(screen.text(), "1\n2");
    assert!(screen.history().is_empty());
}

#[test]
fn on_a_smaller_terminal_the_snapshot_shows_the_cursor() {
    let screen = screen(b"one\r\ntwo\r\nthree\r\nfour");
    let mut bytes = Vec::new();
    screen.snapshot(Size::new(3, 2), &mut bytes);
    let mut small = Screen::new(Size::new(3, 2), 10);
    small.feed(&bytes);
    assert_eq!(small.text(), "thr\nfou");
    assert_eq!(small.cursor().1, 1);
}

#[test]
fn on_another_terminal_the_history_is_pushed_off_whole() {
    let screen = screen(b"1\r\n2\r\n3\r\n4\r\n5\r\n6");
    let mut bytes = Vec::new();
    for line in screen.history() {
        screen.history_line(line, &mut bytes);
    }
    screen.snapshot(Size::new(20, 8), &mut bytes);
    let mut large = Screen::new(Size::new(20, 8), 10);
    large.feed(&bytes);
    assert_eq!(history(&large), ["1\r\n", "2\r\n"]);
    assert_eq!(large.text(), "3\n4\n5\n6");
}

#[test]
fn modes_nobody_knows_are_remembered() {
    assert!(snapshot(&screen(b"\x1b[?7727h")).contains("\x1b[?7727h"));
    assert!(!snapshot(&screen(b"\x1b[?7727h\x1b[?7727l")).contains("7727"));
}

#[test]
fn the_style_table_survives_a_flood_of_colours() {
    let mut screen = Screen::new(Size::new(80, 24), 1000);
    for n in 0..100_000_u32 {
        screen.feed(format!("\x1b[38;2;{};{};{}mx", n % 251, n / 251 % 256, n % 7).as_bytes());
    }
    let before = snapshot(&screen);
    let mut copy = Screen::new(screen.size(), 1000);
    copy.feed(before.as_bytes());
    assert_eq!(snapshot(&copy), before);
}

#[test]
fn a_backlog_in_very_many_colours_is_kept() {
    use std::fmt::Write as _;
    let mut bytes = String::new();
    for n in 0..20_000_u32 {
        let (r, g, b) = (n % 256, n / 256, n % 7);
        write!(bytes, "\x1b[38;2;{r};{g};{b}mline {n}\x1b[0m\r\n").unwrap();
    }
    let (mut whole, mut split) =
        (Screen::new(Size::new(40, 5), 100), Screen::new(Size::new(40, 5), 100));
    whole.feed(bytes.as_bytes());
    for part in bytes.as_bytes().chunks(64) {
        split.feed(part);
    }
    assert_eq!(whole.history(), split.history());
    let shown = |screen: &Screen| {
        let mut out = Vec::new();
        screen.history().for_each(|line| screen.history_line(line, &mut out));
        out
    };
    assert_eq!(shown(&whole), shown(&split));
}

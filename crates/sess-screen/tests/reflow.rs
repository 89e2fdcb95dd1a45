//! Other widths: lines are wrapped anew, and nothing of them is lost.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use sess_screen::{Screen, Size};

fn fed(cols: u16, rows: u16, bytes: &str) -> Screen {
    let mut screen = Screen::new(Size::new(cols, rows), 1000);
    screen.feed(bytes.as_bytes());
    screen
}

/// Everything that was written, soft-wrapped rows joined.
fn written(screen: &Screen) -> Vec<String> {
    let history = screen.history().map(|line| screen.history_row(line));
    let rows = (0..screen.size().rows).map(|y| screen.row(y));
    let mut lines = vec![String::new()];
    for row in history.chain(rows) {
        let text: String = row.runs.iter().map(|run| run.text.as_str()).collect();
        lines.last_mut().expect("there is one").push_str(&text);
        if !row.wrapped {
            lines.push(String::new());
        }
    }
    let mut lines: Vec<String> = lines.iter().map(|line| line.trim_end().to_owned()).collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

#[test]
fn a_wrapped_line_is_joined_and_split_again_with_the_cursor_on_its_character() {
    let mut screen = fed(10, 4, "$ echo a long line\x1b[5D");
    assert_eq!(screen.cursor(), (3, 1));
    screen.resize(Size::new(30, 4));
    assert_eq!((screen.text().as_str(), screen.cursor()), ("$ echo a long line", (13, 0)));
    screen.resize(Size::new(8, 4));
    assert_eq!((screen.text().as_str(), screen.cursor()), ("$ echo a\n long li\nne", (5, 1)));
}

#[test]
fn a_line_that_runs_from_the_history_into_the_screen_stays_one() {
    let mut screen = fed(4, 2, "0123456789ab\r\nx");
    assert_eq!(screen.history().count(), 2);
    screen.resize(Size::new(6, 2));
    assert_eq!(written(&screen), ["0123456789ab", "x"]);
    assert_eq!(screen.text(), "6789ab\nx");
    screen.resize(Size::new(20, 2));
    assert_eq!(screen.text(), "0123456789ab\nx");
    assert!(screen.history().is_empty());
}

#[test]
fn wide_characters_and_colours_survive_any_width() {
    let mut screen = fed(9, 3, "\x1b[31m漢字\x1b[0mab漢字漢");
    for cols in [2, 3, 5, 8, 20] {
        screen.resize(Size::new(cols, 3));
        assert_eq!(written(&screen), ["漢字ab漢字漢"], "at {cols}");
    }
    assert!(screen.row(0).runs[0].look.foreground.is_some());
    assert!(screen.row(0).runs[1].look.foreground.is_none());
}

#[test]
fn the_alternate_screen_is_cropped_and_the_primary_under_it_is_wrapped() {
    let mut screen = fed(8, 3, "primary line\x1b[?1049h\x1b[Halternate");
    screen.resize(Size::new(4, 3));
    assert_eq!(screen.text(), "alte\ne");
    screen.feed(b"\x1b[?1049l");
    assert_eq!((screen.text().as_str(), screen.cursor()), ("prim\nary\nline", (3, 2)));
}

#[test]
fn a_hanging_cursor_goes_on_behind_its_character() {
    let mut screen = fed(5, 3, "abcde");
    screen.resize(Size::new(8, 3));
    screen.feed(b"f");
    assert_eq!(screen.text(), "abcdef");
}

#[test]
fn a_coloured_tail_fills_the_new_width_and_is_not_wrapped() {
    let mut screen = fed(10, 3, "\x1b[44mab\x1b[K\x1b[0m\r\nnext");
    screen.resize(Size::new(4, 3));
    assert_eq!(screen.text(), "ab\nnext");
    assert_eq!(screen.row(0).runs.iter().map(sess_screen::Run::columns).sum::<usize>(), 4);
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(20_261_121),
        cases: 200,
        ..ProptestConfig::default()
    })]

    #[test]
    fn nothing_written_is_lost_by_any_sizes(
        lines in prop::collection::vec("[a-z漢字 ]{0,30}", 1..20),
        sizes in prop::collection::vec((2_u16..40, 1_u16..12), 1..6),
    ) {
        let mut screen = fed(12, 5, &lines.join("\r\n"));
        let before = written(&screen);
        for (cols, rows) in sizes {
            screen.resize(Size::new(cols, rows));
            prop_assert_eq!(written(&screen), before.clone(), "at {}x{}", cols, rows);
        }
    }
}

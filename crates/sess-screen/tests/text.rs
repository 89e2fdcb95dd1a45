//! Characters: how wide they are, what shares a cell, and what the shell says of
//! their lines.

use sess_screen::{Cells, Line, Mark, NEUTRALISE, Screen, Size};

fn screen(bytes: &str) -> Screen {
    let mut screen = Screen::new(Size::new(12, 3), 100);
    screen.feed(bytes.as_bytes());
    screen
}

/// The runs of the first row: text, and how it lies in cells.
fn cells(bytes: &str) -> Vec<(String, Cells)> {
    screen(bytes).row(0).runs.into_iter().map(|run| (run.text, run.cells)).collect()
}

fn restored(original: &Screen) -> Screen {
    let mut bytes = NEUTRALISE.to_vec();
    for line in original.history() {
        original.history_line(line, &mut bytes);
    }
    original.snapshot(original.size(), &mut bytes);
    let mut copy = Screen::new(original.size(), 100);
    copy.feed(&bytes);
    copy
}

fn lines(screen: &Screen) -> Vec<Line> {
    let history = screen.history().map(|line| screen.history_row(line));
    history.chain((0..screen.size().rows).map(|y| screen.row(y))).collect()
}

const FAMILY: &str = "👩\u{200d}👩\u{200d}👧";

#[test]
fn a_cluster_shares_a_cell_only_in_mode_2027() {
    assert_eq!(
        cells(&format!("\x1b[?2027h{FAMILY}x")),
        [(FAMILY.to_owned(), Cells::Joined(2)), ("x".to_owned(), Cells::Narrow),]
    );
    assert_eq!(screen(&format!("\x1b[?2027h{FAMILY}x")).cursor(), (3, 0));
    assert_eq!(screen(&format!("{FAMILY}x")).cursor(), (7, 0));
}

#[test]
fn a_variation_selector_widens_in_mode_2027() {
    assert_eq!(screen("\x1b[?2027h❤\u{fe0f}x").cursor(), (3, 0));
    assert_eq!(screen("❤\u{fe0f}x").cursor(), (2, 0));
    assert_eq!(cells("\x1b[?2027h❤\u{fe0f}")[0].1, Cells::Joined(2));
}

#[test]
fn flags_are_pairs_and_other_neighbours_are_not_joined() {
    assert_eq!(screen("\x1b[?2027h🇩🇪🇫🇷").cursor(), (4, 0));
    assert_eq!(screen("\x1b[?2027h漢字é").cursor(), (5, 0));
    assert_eq!(screen("\x1b[?2027h👩\x1b[3G\u{200d}👩").cursor(), (4, 0));
}

#[test]
fn clusters_come_back_from_screen_and_history() {
    let text = format!("\x1b[?2027ha{FAMILY}b\r\n❤\u{fe0f}\r\n3\r\n4\r\n5");
    let original = screen(&text);
    let copy = restored(&original);
    assert_eq!(lines(&copy), lines(&original));
    assert_eq!(original.history_row(0).runs[1].cells, Cells::Joined(2));
    assert_eq!(copy.modes(), original.modes());
}

#[test]
fn marks_stay_on_their_lines_into_the_history_and_back() {
    let original = screen(
        "\x1b]133;A\x07$ \x1b]133;B\x07ls\r\n\x1b]133;C\x07out\r\n\x1b]133;D;0\x07\x1b]133;A\x07$\r\nx\r\ny",
    );
    assert_eq!(original.history_row(0).marks, [Mark::Prompt, Mark::Command]);
    assert_eq!(original.history_row(1).marks, [Mark::Output]);
    assert_eq!(original.row(0).marks, [Mark::Prompt, Mark::End]);
    assert_eq!(lines(&restored(&original)), lines(&original));
    let mut wide = original.clone();
    wide.resize(Size::new(40, 5));
    assert_eq!(wide.row(0).marks, [Mark::Prompt, Mark::Command]);
    let mut cleared = original;
    cleared.feed(b"\x1b[2J");
    assert_eq!(cleared.row(0).marks, []);
}

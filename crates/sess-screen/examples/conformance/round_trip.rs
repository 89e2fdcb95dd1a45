//! Whether snapshots bring everything back, on what a case feeds. It knows nothing
//! of what the case expects.

use sess_screen::{Cells, Line, Look, NEUTRALISE, Screen, Underline};

use crate::case::{Case, Deed};

/// How many places one piece is cut at, at most.
const CUTS: usize = 60;

/// Cuts what a case feeds at many places. At each, a fresh screen is given the
/// history and the snapshot; then both get the rest.
pub fn check(case: &Case, cuts: &mut usize) -> Result<(), String> {
    let deeds = case.deeds()?;
    let mut before = case.screen();
    for (number, deed) in deeds.iter().enumerate() {
        match deed {
            Deed::Resize(size) => before.resize(*size),
            Deed::Feed(bytes) => {
                let step = (bytes.len() / CUTS).max(1);
                let mut fed = 0;
                for cut in (0..=bytes.len()).step_by(step) {
                    before.feed(&bytes[fed..cut]);
                    fed = cut;
                    *cuts += 1;
                    let mut copy = restored(case, &before);
                    let place = |text: &str| format!("piece {number}, byte {cut}: {text}");
                    same(&before, &copy).map_err(|text| place(&text))?;
                    let mut original = before.clone();
                    for screen in [&mut original, &mut copy] {
                        screen.feed(&bytes[cut..]);
                        for deed in &deeds[number + 1..] {
                            match deed {
                                Deed::Feed(bytes) => screen.feed(bytes),
                                Deed::Resize(size) => screen.resize(*size),
                            }
                        }
                    }
                    same(&original, &copy).map_err(|text| place(&format!("at the end, {text}")))?;
                }
                before.feed(&bytes[fed..]);
            }
        }
    }
    Ok(())
}

/// A fresh screen that was given the history and the snapshot of another.
fn restored(case: &Case, screen: &Screen) -> Screen {
    let mut bytes = NEUTRALISE.to_vec();
    for line in screen.history() {
        screen.history_line(line, &mut bytes);
    }
    screen.snapshot(screen.size(), &mut bytes);
    let mut copy = case.screen();
    copy.resize(screen.size());
    copy.feed(&bytes);
    copy
}

/// What can be seen of a line: its wrap, and its cells, blanks without what only
/// text would show. Blanks at the end that show nothing are left out.
fn seen(line: Line) -> (bool, Vec<(String, Look)>) {
    let mut cells = Vec::new();
    for mut run in line.runs {
        let joined = matches!(run.cells, Cells::Joined(_));
        let parts: Vec<String> =
            if joined { vec![run.text] } else { run.text.chars().map(String::from).collect() };
        for part in parts {
            let look = &mut run.look;
            let drawn = look.reverse || look.strike || look.overline || look.link.is_some();
            if part == " " && !drawn && look.underline == Underline::None {
                let background = look.background;
                cells.push((part, Look { background, ..Look::default() }));
            } else {
                cells.push((part, look.clone()));
            }
        }
    }
    let blank = (" ".to_owned(), Look::default());
    while cells.last() == Some(&blank) {
        cells.pop();
    }
    (line.wrapped, cells)
}

/// Compares all that can be seen or said of two screens: the snapshot is their
/// whole state.
fn same(one: &Screen, other: &Screen) -> Result<(), String> {
    let said = |screen: &Screen| {
        let mut bytes = Vec::new();
        screen.snapshot(screen.size(), &mut bytes);
        String::from_utf8_lossy(&bytes).escape_debug().to_string()
    };
    if said(one) != said(other) {
        return Err(format!("the state {} became {}", said(one), said(other)));
    }
    if (one.cursor(), one.modes()) != (other.cursor(), other.modes()) {
        return Err(format!("the cursor {:?} became {:?}", one.cursor(), other.cursor()));
    }
    for y in 0..one.size().rows {
        let (one, other) = (seen(one.row(y)), seen(other.row(y)));
        if one != other {
            return Err(format!("row {y}, {one:?}, became {other:?}"));
        }
    }
    let lines = |screen: &Screen| {
        let mut lines: Vec<_> = screen.history().map(|line| screen.history_row(line)).collect();
        lines.reverse();
        lines
    };
    for (one, other) in lines(one).iter().zip(&lines(other)) {
        if one.text() != other.text() || one.wrapped != other.wrapped {
            return Err(format!("history line {one:?} became {other:?}"));
        }
    }
    Ok(())
}

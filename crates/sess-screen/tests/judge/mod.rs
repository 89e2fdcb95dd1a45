//! `alacritty_terminal` as a judge of what a screen shows. It must not use our model
//! but to compare.

#![expect(clippy::cast_possible_wrap, clippy::cast_sign_loss, reason = "sizes are small")]

mod area;

use alacritty_terminal::event::VoidListener;
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Line as Row};
use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::term::{Config, Term, TermMode};
use alacritty_terminal::vte::ansi::{Color, NamedColor, Processor};
use area::Area;
use sess_screen::{Cells, Line, Look, Paint, Screen, Size, Underline};

/// The other engine.
pub struct Judge {
    term: Term<VoidListener>,
    parser: Processor,
}

/// What is seen: for each row its cells, and the cursor's place.
pub type Seen = (Vec<Vec<(String, Look)>>, (u16, u16));

impl Judge {
    pub fn new(size: Size) -> Judge {
        let config = Config { scrolling_history: 1000, kitty_keyboard: true, ..Config::default() };
        Judge { term: Term::new(config, &Area(size), VoidListener), parser: Processor::new() }
    }

    pub fn feed(&mut self, bytes: &[u8]) {
        self.parser.advance(&mut self.term, bytes);
    }

    /// Whether it is in a synchronized update, of which it shows nothing yet.
    pub fn holds_back(&self) -> bool {
        self.parser.sync_bytes_count() > 0
    }

    pub fn modes(&self) -> TermMode {
        *self.term.mode()
    }

    pub fn seen(&self) -> Seen {
        let rows = 0..self.term.screen_lines() as i32;
        let point = self.term.grid().cursor.point;
        (rows.map(|row| self.row(row)).collect(), (point.column.0 as u16, point.line.0 as u16))
    }

    /// The texts of its history, oldest first.
    pub fn history(&self) -> Vec<String> {
        let lines = -(self.term.history_size() as i32)..0;
        lines.map(|row| text(&self.row(row))).collect()
    }

    fn row(&self, row: i32) -> Vec<(String, Look)> {
        let row = &self.term.grid()[Row(row)];
        let cells = (0..self.term.columns()).map(|column| &row[Column(column)]);
        let spacers = Flags::WIDE_CHAR_SPACER | Flags::LEADING_WIDE_CHAR_SPACER;
        let shown = cells.filter(|cell| !cell.flags.intersects(spacers));
        trimmed(shown.map(|cell| (characters(cell), look(cell))).collect())
    }
}

/// Compares all that both can say.
#[track_caller]
pub fn assert_same(ours: &Screen, theirs: &Judge, place: &str) {
    let (rows, cursor) = theirs.seen();
    for (y, row) in rows.iter().enumerate() {
        let (ours, theirs) = (cells(ours.row(y as u16)), row);
        assert_eq!(text(&ours), text(theirs), "{place}, row {y}");
        assert_eq!(&ours, theirs, "{place}, row {y}");
    }
    assert_eq!(ours.cursor(), cursor, "{place}, the cursor");
    let (modes, mode) = (ours.modes(), theirs.modes());
    assert_eq!(modes.alternate_screen, mode.contains(TermMode::ALT_SCREEN), "{place}");
    assert_eq!(modes.cursor_visible, mode.contains(TermMode::SHOW_CURSOR), "{place}");
    assert_eq!(modes.bracketed_paste, mode.contains(TermMode::BRACKETED_PASTE), "{place}");
    if !modes.alternate_screen {
        let lines: Vec<String> =
            ours.history().map(|line| text(&cells(ours.history_row(line)))).collect();
        assert_eq!(lines, theirs.history(), "{place}, the history");
    }
}

fn cells(line: Line) -> Vec<(String, Look)> {
    let mut cells = Vec::new();
    for run in line.runs {
        match run.cells {
            Cells::Joined(_) => cells.push((run.text, run.look)),
            Cells::Narrow | Cells::Wide => {
                cells.extend(run.text.chars().map(|one| (one.to_string(), run.look.clone())));
            }
        }
    }
    trimmed(cells)
}

fn text(cells: &[(String, Look)]) -> String {
    let text: String = cells.iter().map(|(text, _)| text.as_str()).collect();
    text.trim_end().to_owned()
}

/// Of a blank that draws nothing, only what is behind it counts; blanks at the end
/// with nothing behind them don't.
fn trimmed(mut cells: Vec<(String, Look)>) -> Vec<(String, Look)> {
    for (text, look) in &mut cells {
        // What the other engine has no notion of.
        (look.overline, look.blink) = (false, false);
        let drawn = look.reverse || look.strike || look.underline != Underline::None;
        if text == " " && !drawn && look.link.is_none() {
            *look = Look { background: look.background, ..Look::default() };
        }
        if look.underline == Underline::None {
            look.underline_colour = None;
        }
    }
    while cells.last().is_some_and(|(text, look)| text == " " && *look == Look::default()) {
        cells.pop();
    }
    cells
}

fn characters(cell: &Cell) -> String {
    // It keeps a tab where one was passed over.
    let first = if cell.c == '\t' { ' ' } else { cell.c };
    std::iter::once(first).chain(cell.zerowidth().unwrap_or_default().iter().copied()).collect()
}

fn look(cell: &Cell) -> Look {
    let has = |flag| cell.flags.contains(flag);
    let underlines = [
        (Flags::UNDERLINE, Underline::Single),
        (Flags::DOUBLE_UNDERLINE, Underline::Double),
        (Flags::UNDERCURL, Underline::Curly),
        (Flags::DOTTED_UNDERLINE, Underline::Dotted),
        (Flags::DASHED_UNDERLINE, Underline::Dashed),
    ];
    let underline = underlines.into_iter().find(|(flag, _)| has(*flag));
    Look {
        foreground: paint(cell.fg),
        background: paint(cell.bg),
        underline_colour: cell.underline_color().and_then(paint),
        underline: underline.map_or(Underline::None, |(_, underline)| underline),
        bold: has(Flags::BOLD),
        dim: has(Flags::DIM),
        italic: has(Flags::ITALIC),
        reverse: has(Flags::INVERSE),
        conceal: has(Flags::HIDDEN),
        strike: has(Flags::STRIKEOUT),
        link: cell.hyperlink().map(|link| link.uri().to_owned()),
        ..Look::default()
    }
}

fn paint(colour: Color) -> Option<Paint> {
    match colour {
        Color::Named(NamedColor::Foreground | NamedColor::Background) => None,
        Color::Named(named) => Some(Paint::Indexed(named as u8)),
        Color::Indexed(index) => Some(Paint::Indexed(index)),
        Color::Spec(rgb) => Some(Paint::Rgb(rgb.r, rgb.g, rgb.b)),
    }
}

//! Rows and history lines as others may read them: text with how it looks. It
//! knows nothing of how cells are kept, beyond asking for them, or of any format.

use serde::Serialize;

use crate::cell::{CLUSTER, Cell, GAP, SPACER, WIDE};
use crate::interned::{Interned, Link};
use crate::marks::Mark;
use crate::row::Row;
use crate::screen::Screen;
use crate::style::{Colour, ColourKind, Style, attr};

/// A row of the screen or a line of the history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Line {
    /// From the left; erased cells in the default style at the end are left out.
    pub runs: Vec<Run>,
    /// The next line goes on with this one's text.
    #[serde(skip_serializing_if = "is_false")]
    pub wrapped: bool,
    /// What the shell said of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
}

/// Neighbouring cells of one kind that look the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Run {
    /// Their text; erased cells are spaces.
    pub text: String,
    /// What of the text shares a cell.
    #[serde(skip)]
    pub cells: Cells,
    /// How they look.
    #[serde(flatten)]
    pub look: Look,
}

/// How a run's text is spread over columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cells {
    /// Each character has a column of its own.
    Narrow,
    /// Each character has two columns.
    Wide,
    /// All characters share one cell, of so many columns.
    Joined(usize),
}

impl Run {
    /// The columns that it takes.
    pub fn columns(&self) -> usize {
        match self.cells {
            Cells::Narrow => self.text.chars().count(),
            Cells::Wide => 2 * self.text.chars().count(),
            Cells::Joined(columns) => columns,
        }
    }
}

/// A colour that is not the default one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// One of the palette's 256.
    Indexed(u8),
    /// Red, green and blue.
    Rgb(u8, u8, u8),
}

impl Serialize for Paint {
    /// The number in the palette, or `#rrggbb`.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Paint::Indexed(index) => serializer.serialize_u8(index),
            Paint::Rgb(r, g, b) => serializer.collect_str(&format_args!("#{r:02x}{g:02x}{b:02x}")),
        }
    }
}

/// The line below a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Underline {
    /// None.
    #[default]
    None,
    /// A straight one.
    Single,
    /// Two.
    Double,
    /// A wave.
    Curly,
    /// Dots.
    Dotted,
    /// Dashes.
    Dashed,
}

/// All that decides how a cell is drawn, but its text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is an attribute, on or off by itself")]
pub struct Look {
    /// The text's colour, if not the default one.
    #[serde(rename = "fg", skip_serializing_if = "Option::is_none")]
    pub foreground: Option<Paint>,
    /// What is behind it, if not the default.
    #[serde(rename = "bg", skip_serializing_if = "Option::is_none")]
    pub background: Option<Paint>,
    /// The underline's colour, if not the text's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub underline_colour: Option<Paint>,
    /// The line below.
    #[serde(skip_serializing_if = "is_plain")]
    pub underline: Underline,
    /// SGR 1.
    #[serde(skip_serializing_if = "is_false")]
    pub bold: bool,
    /// SGR 2.
    #[serde(skip_serializing_if = "is_false")]
    pub dim: bool,
    /// SGR 3.
    #[serde(skip_serializing_if = "is_false")]
    pub italic: bool,
    /// SGR 5 or 6.
    #[serde(skip_serializing_if = "is_false")]
    pub blink: bool,
    /// SGR 7.
    #[serde(skip_serializing_if = "is_false")]
    pub reverse: bool,
    /// SGR 8.
    #[serde(skip_serializing_if = "is_false")]
    pub conceal: bool,
    /// SGR 9.
    #[serde(skip_serializing_if = "is_false")]
    pub strike: bool,
    /// SGR 53.
    #[serde(skip_serializing_if = "is_false")]
    pub overline: bool,
    /// Where its hyperlink leads, an URI as the program said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_false(value: &bool) -> bool {
    !value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_plain(underline: &Underline) -> bool {
    *underline == Underline::None
}

impl Look {
    pub(crate) fn of(style: Style, link: Option<&Link>) -> Look {
        let has = |bit| style.attrs & bit != 0;
        Look {
            foreground: paint(style.fg),
            background: paint(style.bg),
            underline_colour: paint(style.underline),
            underline: match (style.attrs & attr::UNDERLINE) >> attr::UNDERLINE_SHIFT {
                0 => Underline::None,
                1 => Underline::Single,
                2 => Underline::Double,
                3 => Underline::Curly,
                4 => Underline::Dotted,
                _ => Underline::Dashed,
            },
            bold: has(attr::BOLD),
            dim: has(attr::DIM),
            italic: has(attr::ITALIC),
            blink: has(attr::BLINK | attr::RAPID),
            reverse: has(attr::REVERSE),
            conceal: has(attr::CONCEAL),
            strike: has(attr::STRIKE),
            overline: has(attr::OVERLINE),
            link: link.map(|link| String::from_utf8_lossy(&link.uri).into_owned()),
        }
    }
}

fn paint(colour: Colour) -> Option<Paint> {
    match colour.kind() {
        ColourKind::Default => None,
        ColourKind::Indexed(index) => Some(Paint::Indexed(index)),
        ColourKind::Rgb(r, g, b) => Some(Paint::Rgb(r, g, b)),
    }
}

impl Line {
    /// The text alone, without blanks at its end.
    pub fn text(&self) -> String {
        let mut text: String = self.runs.iter().map(|run| run.text.as_str()).collect();
        text.truncate(text.trim_end_matches(' ').len());
        text
    }

    /// Takes a row apart, whose ids `interned` knows.
    fn of(row: &Row, interned: &Interned) -> Line {
        let cells = &row.cells;
        let marks = row.marks.iter().map(|(mark, _)| mark).collect();
        let mut line = Line { runs: Vec::new(), wrapped: row.wrapped, marks };
        let mut style = None;
        let mut text = Vec::new();
        let used = cells.iter().rposition(|cell| *cell != Cell::BLANK).map_or(0, |last| last + 1);
        for cell in cells[..used].iter().filter(|cell| !cell.is(SPACER | GAP)) {
            let columns = if cell.is(WIDE) { 2 } else { 1 };
            let kind = match (cell.glyph & CLUSTER != 0, columns) {
                (true, columns) => Cells::Joined(columns),
                (false, 1) => Cells::Narrow,
                _ => Cells::Wide,
            };
            text.clear();
            interned.push_text(*cell, &mut text);
            let text = String::from_utf8_lossy(&text);
            let joins = style == Some(cell.style) && !matches!(kind, Cells::Joined(_));
            let last = line.runs.last_mut().filter(|run| joins && run.cells == kind);
            if let Some(run) = last {
                run.text.push_str(&text);
            } else {
                let said = interned.styles.get(cell.style);
                let look = Look::of(said, interned.link(said.link).map(AsRef::as_ref));
                line.runs.push(Run { text: text.into_owned(), cells: kind, look });
            }
            style = Some(cell.style);
        }
        line
    }
}

impl Screen {
    /// A row of the screen that is shown, from the top; blank beyond the last.
    pub fn row(&self, y: u16) -> Line {
        let row = self.grid.rows.get(usize::from(y));
        row.map_or_else(Line::default, |row| Line::of(row, &self.interned))
    }

    /// A line of the history; blank if there is none of that number.
    pub fn history_row(&self, number: u64) -> Line {
        // Its styles are numbered by themselves.
        let mut interned = Interned::new();
        let row = self.history.row(number, 0, &mut interned);
        row.map_or_else(Line::default, |row| Line::of(&row, &interned))
    }

    /// How text printed now would look.
    pub fn pen(&self) -> Look {
        let pen = self.pen.style;
        Look::of(pen, self.interned.link(pen.link).map(AsRef::as_ref))
    }
}

//! What a screen shows at one moment, to be looked at elsewhere: as text, as bytes
//! for a terminal, as HTML, or, by serde, as JSON. It knows nothing of cells.

use serde::Serialize;

use crate::interned::Link;
use crate::modes::Modes;
use crate::screen::Screen;
use crate::sgr::PenWriter;
use crate::size::Size;
use crate::style::{Colour, Style, attr};
use crate::view::{Line, Look, Paint, Underline};

/// What a screen shows, with as many lines of its history as were asked for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Picture {
    /// The screen's size.
    pub size: Size,
    /// The cursor's column and row on the screen, both from 0.
    pub cursor: (u16, u16),
    /// The title as the program set it.
    pub title: String,
    /// The modes that are on.
    pub modes: Modes,
    /// How many bytes had been fed.
    pub offset: u64,
    /// Lines of the history, then the screen's rows; those below the last that
    /// shows something, or has the cursor, are left out.
    pub lines: Vec<Line>,
}

impl Screen {
    /// What is shown now, after the last `history` lines of the history.
    pub fn picture(&self, history: usize) -> Picture {
        let range = self.history();
        let first = range.end.saturating_sub(history as u64).max(range.start);
        let mut lines: Vec<Line> = (first..range.end).map(|line| self.history_row(line)).collect();
        lines.extend((0..self.size.rows).map(|y| self.row(y)));
        let with_cursor = lines.len() - self.rows() + self.cursor.y;
        let shown = lines.iter().rposition(|line| !line.runs.is_empty()).unwrap_or(0);
        lines.truncate(shown.max(with_cursor) + 1);
        Picture {
            size: self.size,
            cursor: self.cursor(),
            title: self.title().to_owned(),
            modes: self.modes(),
            offset: self.offset(),
            lines,
        }
    }
}

impl Picture {
    /// With soft-wrapped lines put together.
    #[must_use]
    pub fn joined(mut self) -> Picture {
        let mut joined: Vec<Line> = Vec::with_capacity(self.lines.len());
        for mut line in self.lines.drain(..) {
            match joined.last_mut().filter(|last| last.wrapped) {
                Some(last) => {
                    last.runs.append(&mut line.runs);
                    last.wrapped = line.wrapped;
                }
                None => joined.push(line),
            }
        }
        self.lines = joined;
        self
    }

    /// The text, each line ended by `\n`, without blanks at its end.
    pub fn text(&self) -> String {
        self.lines.iter().map(|line| line.text() + "\n").collect()
    }

    /// Text and SGR for a terminal, each line from pen reset to pen reset and ended
    /// by `\n`. There is nothing else in it, whatever the program wrote.
    pub fn ansi(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut links = Links::default();
        for line in &self.lines {
            let mut pen = PenWriter::default();
            for run in &line.runs {
                let (style, link) = links.style(&run.look);
                pen.to(style, link, &mut out);
                out.extend_from_slice(run.text.as_bytes());
            }
            pen.reset(&mut out);
            out.push(b'\n');
        }
        out
    }

    /// A `<pre>` element with all colours in it, for any page; its text is only
    /// text, whatever the program wrote.
    pub fn html(&self) -> String {
        let mut html = format!("<pre style=\"background:{BACKGROUND};color:{TEXT}\">\n");
        for line in &self.lines {
            for run in &line.runs {
                push_run(&run.look, &run.text, &mut html);
            }
            html.push('\n');
        }
        html.push_str("</pre>\n");
        html
    }
}

/// Links by the id that a style names them by.
#[derive(Default)]
struct Links(Vec<Link>);

impl Links {
    fn style(&mut self, look: &Look) -> (Style, Option<&Link>) {
        let mut style = look.style();
        let Some(uri) = &look.link else { return (style, None) };
        let known = self.0.iter().position(|link| *link.uri == *uri.as_bytes());
        let index = known.unwrap_or(self.0.len());
        if known.is_none() {
            self.0.push(Link { id: Box::default(), uri: uri.as_bytes().into() });
        }
        // More than that many share the last id, whose link is then said anew.
        style.link = u16::try_from(index + 1).unwrap_or(u16::MAX);
        (style, self.0.get(index))
    }
}

impl Look {
    fn style(&self) -> Style {
        let bits = [
            (self.bold, attr::BOLD),
            (self.dim, attr::DIM),
            (self.italic, attr::ITALIC),
            (self.blink, attr::BLINK),
            (self.reverse, attr::REVERSE),
            (self.conceal, attr::CONCEAL),
            (self.strike, attr::STRIKE),
            (self.overline, attr::OVERLINE),
        ];
        let attrs = bits.iter().filter(|(on, _)| *on).fold(0, |attrs, (_, bit)| attrs | bit);
        Style {
            fg: colour(self.foreground),
            bg: colour(self.background),
            underline: colour(self.underline_colour),
            attrs: attrs | (self.underline as u16) << attr::UNDERLINE_SHIFT,
            link: 0,
        }
    }
}

fn colour(paint: Option<Paint>) -> Colour {
    match paint {
        None => Colour::DEFAULT,
        Some(Paint::Indexed(index)) => Colour::indexed(index),
        Some(Paint::Rgb(r, g, b)) => Colour::rgb(r, g, b),
    }
}

// ---- HTML --------------------------------------------------------------------

/// The default colours, where reversing swaps them.
const TEXT: &str = "#d3d7cf";
const BACKGROUND: &str = "#000000";

/// Links that a page may hold.
const SCHEMES: [&str; 5] = ["http://", "https://", "ftp://", "file://", "mailto:"];

fn push_run(look: &Look, text: &str, html: &mut String) {
    let link = look.link.as_deref().filter(|uri| {
        let start = uri.get(..8).unwrap_or(uri).to_ascii_lowercase();
        SCHEMES.iter().any(|scheme| start.starts_with(scheme))
    });
    if let Some(uri) = link {
        html.push_str("<a href=\"");
        push_escaped(uri, html);
        html.push_str("\" style=\"color:inherit\">");
    }
    let css = css(look);
    if css.is_empty() {
        push_escaped(text, html);
    } else {
        html.push_str("<span style=\"");
        html.push_str(&css);
        html.push_str("\">");
        push_escaped(text, html);
        html.push_str("</span>");
    }
    if link.is_some() {
        html.push_str("</a>");
    }
}

fn push_escaped(text: &str, html: &mut String) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
}

fn css(look: &Look) -> String {
    let mut css = Vec::new();
    let mut text = look.foreground.map(hex);
    let mut background = look.background.map(hex);
    if look.reverse {
        let swapped = background.unwrap_or_else(|| BACKGROUND.to_owned());
        background = Some(text.unwrap_or_else(|| TEXT.to_owned()));
        text = Some(swapped);
    }
    if look.conceal {
        css.push("visibility:hidden".to_owned());
    }
    css.extend(text.map(|colour| format!("color:{colour}")));
    css.extend(background.map(|colour| format!("background:{colour}")));
    if look.bold {
        css.push("font-weight:bold".to_owned());
    }
    if look.dim {
        css.push("opacity:.6".to_owned());
    }
    if look.italic {
        css.push("font-style:italic".to_owned());
    }
    let lines = [
        (look.underline != Underline::None, "underline"),
        (look.overline, "overline"),
        (look.strike, "line-through"),
        (look.blink, "blink"),
    ];
    let lines: Vec<&str> = lines.iter().filter(|(on, _)| *on).map(|(_, name)| *name).collect();
    if !lines.is_empty() {
        css.push(format!("text-decoration-line:{}", lines.join(" ")));
    }
    let kind = match look.underline {
        Underline::None | Underline::Single => None,
        Underline::Double => Some("double"),
        Underline::Curly => Some("wavy"),
        Underline::Dotted => Some("dotted"),
        Underline::Dashed => Some("dashed"),
    };
    css.extend(kind.map(|kind| format!("text-decoration-style:{kind}")));
    let line = look.underline_colour.filter(|_| look.underline != Underline::None);
    css.extend(line.map(|paint| format!("text-decoration-color:{}", hex(paint))));
    css.join(";")
}

/// A colour for a page. What the palette's first sixteen are, every terminal
/// decides for itself; these are xterm's.
fn hex(paint: Paint) -> String {
    const FIRST: [u32; 16] = [
        0x00_0000, 0xcd_0000, 0x00_cd00, 0xcd_cd00, 0x00_00ee, 0xcd_00cd, 0x00_cdcd, 0xe5_e5e5,
        0x7f_7f7f, 0xff_0000, 0x00_ff00, 0xff_ff00, 0x5c_5cff, 0xff_00ff, 0x00_ffff, 0xff_ffff,
    ];
    let rgb = |r: u8, g: u8, b: u8| format!("#{r:02x}{g:02x}{b:02x}");
    match paint {
        Paint::Rgb(r, g, b) => rgb(r, g, b),
        Paint::Indexed(index @ 0..=15) => format!("#{:06x}", FIRST[usize::from(index)]),
        Paint::Indexed(index @ 16..=231) => {
            let side = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
            let n = index - 16;
            rgb(side(n / 36), side(n / 6 % 6), side(n % 6))
        }
        Paint::Indexed(index) => {
            let grey = 8 + 10 * (index - 232);
            rgb(grey, grey, grey)
        }
    }
}

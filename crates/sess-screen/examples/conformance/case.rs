//! A case: what it feeds to a fresh screen, and what that must show then.
//!
//! A case is a JSON object with `id`, `cols`, `rows`, `scrollback` (the history's
//! limit; 1000 if left out) and `steps`, each of which is one of
//!
//! * `{"feed": "…"}`: bytes, one for each character (Latin-1);
//! * `{"feed_file": "NAME"}`: the bytes of a file beside the case's;
//! * `{"resize": [cols, rows]}`;
//! * `{"note": "…"}`, which does nothing;
//! * `{"expect": {…}}`, any of the following. Rows and columns count from 0; of
//!   texts the blanks at their end don't count; tabs stand for blanks up to the
//!   next multiple of eight.
//!   * `screen`: the rows from the top, missing ones blank. `row`: `{"3": "text"}`.
//!   * `rect`: `{x, y, lines}` or a list of such, a character for each cell.
//!   * `cursor`: `[x, y]`, `cursor_x`, `cursor_y`; an x beyond the last column is
//!     the last.
//!   * `cells`: `[{row, col, text, width?, attrs?, fg?, bg?, ul?, link?, blink?}]`.
//!   * `cell_rows`, `scrollback_cell_rows`: for each row a list of runs `[text, fg,
//!     bg, attrs, ul, link, width, single]`, defaults at a run's end left out;
//!     `single` is 1 if the text is one cell. Cells beyond are blank.
//!   * `scrollback`: the history's lines as text; blank ones at its start don't
//!     count.
//!   * `wrapline`: the rows that run on into the next, those of the history counted
//!     back from -1. `wrapped`: `{"3": true}` if row 3 goes on with row 2. `joined`:
//!     the rows with those that run on joined.
//!   * `pen`: `{bold, italic, underline, blink, reverse, conceal, strike, font,
//!     small, baseline, foreground, background}` as libvterm says them.
//!   * `modes`: `{cursor_visible, alt_screen, title, mouse, focus, cursor_shape}`.
//!
//! Colours are `""` (default), `"i5"` or `"#rrggbb"`; attributes are letters: bold,
//! dim, italic, underline (U double, c curly, t dotted, - dashed), reverse, hidden,
//! strike.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use sess_screen::{Cells, Line, Look, Paint, Screen, Size, Underline};

/// One case.
pub struct Case {
    /// Its name, with its suite's before it.
    pub id: String,
    /// The folder it is from.
    pub suite: String,
    dir: PathBuf,
    size: Size,
    scrollback: usize,
    steps: Vec<Value>,
}

/// What a case does to the screen, without what it expects.
pub enum Deed {
    Feed(Vec<u8>),
    Resize(Size),
}

/// The cases of a folder, or of the folders in it.
pub fn load(dir: &Path) -> Result<Vec<Case>, String> {
    let listing = std::fs::read_dir(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let mut paths: Vec<PathBuf> = listing.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let mut cases = Vec::new();
    for path in paths {
        let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
        if path.is_dir() {
            cases.extend(load(&path)?);
        } else if kind == "jsonl" {
            let text = text(&path)?;
            for line in text.lines().filter(|line| !line.trim().is_empty()) {
                cases.push(Case::parse(line, dir, &path)?);
            }
        } else if kind == "json" {
            cases.push(Case::parse(&text(&path)?, dir, &path)?);
        }
    }
    Ok(cases)
}

fn text(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

impl Case {
    fn parse(text: &str, dir: &Path, path: &Path) -> Result<Case, String> {
        let wrong = |what: &str| format!("{}: {what}", path.display());
        let value: Value = serde_json::from_str(text).map_err(|error| wrong(&error.to_string()))?;
        let name = value["id"].as_str().ok_or_else(|| wrong("a case without an id"))?;
        let side = |key: &str| {
            let number = value[key].as_u64().and_then(|number| u16::try_from(number).ok());
            number.ok_or_else(|| wrong(&format!("{name}: {key} is no size")))
        };
        let suite = dir.file_name().map_or_else(String::new, |name| name.to_string_lossy().into());
        let prefixed = name.starts_with(&format!("{suite}/"));
        Ok(Case {
            id: if prefixed { name.to_owned() } else { format!("{suite}/{name}") },
            dir: dir.to_owned(),
            size: Size::new(side("cols")?, side("rows")?),
            scrollback: value["scrollback"].as_u64().unwrap_or(1000) as usize,
            steps: value["steps"].as_array().ok_or_else(|| wrong("no steps"))?.clone(),
            suite,
        })
    }

    /// A fresh screen as the case wants it.
    pub fn screen(&self) -> Screen {
        Screen::new(self.size, self.scrollback)
    }

    /// What a step does, or `None` if it only looks.
    fn deed(&self, step: &Value) -> Result<Option<Deed>, String> {
        let (key, value) = only_entry(step)?;
        Ok(Some(match (key, value) {
            ("feed", Value::String(text)) => Deed::Feed(latin1(text)?),
            ("feed_file", Value::String(name)) => Deed::Feed(read(&self.dir.join(name))?),
            ("resize", Value::Array(sides)) => {
                let side = |i: usize| sides.get(i).and_then(Value::as_u64).unwrap_or(0) as u16;
                Deed::Resize(Size::new(side(0), side(1)))
            }
            ("note" | "expect", _) => return Ok(None),
            _ => return Err(format!("unknown step {step}")),
        }))
    }

    /// What all steps do.
    pub fn deeds(&self) -> Result<Vec<Deed>, String> {
        let deeds = self.steps.iter().map(|step| self.deed(step));
        deeds.filter_map(Result::transpose).collect()
    }
}

fn only_entry(step: &Value) -> Result<(&str, &Value), String> {
    let object = step.as_object().filter(|object| object.len() == 1);
    let entry = object.and_then(|object| object.iter().next());
    entry.map(|(key, value)| (key.as_str(), value)).ok_or(format!("what step is {step}?"))
}

fn latin1(text: &str) -> Result<Vec<u8>, String> {
    let bytes = text.chars().map(u8::try_from);
    bytes.collect::<Result<_, _>>().map_err(|_| "a feed beyond Latin-1".to_owned())
}

/// Runs a case; says the first difference.
pub fn check(case: &Case) -> Result<(), String> {
    let mut screen = case.screen();
    for (number, step) in case.steps.iter().enumerate() {
        let wrong = |text: String| format!("step {number}: {text}");
        match case.deed(step).map_err(wrong)? {
            Some(Deed::Feed(bytes)) => screen.feed(&bytes),
            Some(Deed::Resize(size)) => screen.resize(size),
            None => {
                if let Some(expect) = step.get("expect") {
                    let expect = expect.as_object().ok_or(wrong("expects no object".to_owned()))?;
                    for (key, value) in expect {
                        check_one(&screen, key, value)
                            .map_err(|text| wrong(format!("{key}: {text}")))?;
                    }
                }
            }
        }
    }
    Ok(())
}

fn check_one(screen: &Screen, key: &str, value: &Value) -> Result<(), String> {
    let size = screen.size();
    let row_text = |y: u16| screen.row(y).text();
    let last = u64::from(size.cols) - 1;
    let (x, y) = (u64::from(screen.cursor().0), u64::from(screen.cursor().1));
    match key {
        "screen" => {
            let rows = strings(value)?;
            (0..size.rows).try_for_each(|y| {
                let wanted = rows.get(usize::from(y)).map_or("", |row| row);
                same(&format!("row {y}"), &padded(wanted), &row_text(y))
            })
        }
        "row" => object(value)?.iter().try_for_each(|(y, text)| {
            let shown = row_text(y.parse().map_err(|_| format!("row {y}?"))?);
            same(&format!("row {y}"), &padded(text.as_str().unwrap_or_default()), &shown)
        }),
        "rect" => match value {
            Value::Array(rects) => rects.iter().try_for_each(|rect| check_rect(screen, rect)),
            rect => check_rect(screen, rect),
        },
        "cursor" => {
            let at = value.as_array().filter(|at| at.len() == 2).ok_or("no position")?;
            let wanted = (at[0].as_u64().unwrap_or(0).min(last), at[1].as_u64().unwrap_or(0));
            same("position", &format!("{wanted:?}"), &format!("{:?}", (x, y)))
        }
        "cursor_x" => same_number(value.as_u64().map(|x| x.min(last)), x),
        "cursor_y" => same_number(value.as_u64(), y),
        "cells" => list(value)?.iter().try_for_each(|cell| check_cell(screen, cell)),
        "cell_rows" => {
            let rows = list(value)?;
            (0..size.rows).try_for_each(|y| {
                let wanted = rows.get(usize::from(y)).map_or(Ok(Vec::new()), wanted_cells)?;
                same_cells(&format!("row {y}"), wanted, cells(&screen.row(y)))
            })
        }
        "scrollback_cell_rows" => {
            let rows = list(value)?;
            let lines = history(screen);
            same("lines", &rows.len().to_string(), &lines.len().to_string())?;
            rows.iter().zip(&lines).enumerate().try_for_each(|(y, (row, line))| {
                same_cells(&format!("line {y}"), wanted_cells(row)?, cells(line))
            })
        }
        "scrollback" => {
            let wanted = strings(value)?;
            let lines = history(screen);
            let pairs = wanted.iter().zip(&lines).enumerate();
            for (y, (wanted, line)) in pairs {
                same(&format!("line {y}"), &padded(wanted), &line.text())?;
            }
            same("lines", &wanted.len().to_string(), &lines.len().to_string())
        }
        "wrapline" => {
            let rows = (0..size.rows).filter(|&y| screen.row(y).wrapped).map(i64::from);
            let end = screen.history().end;
            let lines = screen.history().filter(|&line| screen.history_row(line).wrapped);
            let shown: Vec<i64> =
                lines.map(|line| -i64::try_from(end - line).unwrap_or(0)).chain(rows).collect();
            let wanted: Vec<i64> = list(value)?.iter().filter_map(Value::as_i64).collect();
            same("rows", &format!("{wanted:?}"), &format!("{shown:?}"))
        }
        "wrapped" => object(value)?.iter().try_for_each(|(y, wanted)| {
            let y: u16 = y.parse().map_err(|_| format!("row {y}?"))?;
            let shown = match y.checked_sub(1) {
                Some(above) => screen.row(above).wrapped,
                None => {
                    screen.history().last().is_some_and(|line| screen.history_row(line).wrapped)
                }
            };
            same(&format!("row {y}"), &wanted.to_string(), &shown.to_string())
        }),
        "joined" => {
            let mut lines = vec![String::new()];
            for y in 0..size.rows {
                let row = screen.row(y);
                let last = lines.len() - 1;
                lines[last].push_str(&row.text());
                if !row.wrapped {
                    lines.push(String::new());
                }
            }
            strings(value)?.iter().zip(lines).enumerate().try_for_each(|(y, (wanted, line))| {
                same(&format!("line {y}"), &padded(wanted), line.trim_end())
            })
        }
        "pen" => object(value)?.iter().try_for_each(|(key, value)| {
            same(key, value.as_str().unwrap_or_default(), &pen_value(&screen.pen(), key)?)
        }),
        "modes" => object(value)?.iter().try_for_each(|(key, value)| {
            let wanted = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            same(key, &wanted, &mode_value(screen, key)?)
        }),
        _ => Err("is nothing that can be checked".to_owned()),
    }
}

// ---- what was expected -------------------------------------------------------

fn list(value: &Value) -> Result<&[Value], String> {
    value.as_array().map(Vec::as_slice).ok_or(format!("no list: {value}"))
}

fn object(value: &Value) -> Result<&Map<String, Value>, String> {
    value.as_object().ok_or(format!("no object: {value}"))
}

fn strings(value: &Value) -> Result<Vec<String>, String> {
    let strings = list(value)?.iter().map(|text| text.as_str().map(str::to_owned));
    strings.collect::<Option<_>>().ok_or(format!("no strings: {value}"))
}

/// A text with its tabs spread out, without the blanks at its end.
fn padded(text: &str) -> String {
    let (mut padded, mut column) = (String::new(), 0);
    for c in text.chars() {
        if c == '\t' {
            let blanks = 8 - column % 8;
            padded.extend(std::iter::repeat_n(' ', blanks));
            column += blanks;
        } else {
            padded.push(c);
            column += 1;
        }
    }
    padded.truncate(padded.trim_end_matches(' ').len());
    padded
}

/// The history, without blank lines at its start.
fn history(screen: &Screen) -> Vec<Line> {
    let lines = screen.history().map(|line| screen.history_row(line));
    lines.skip_while(|line| line.text().is_empty()).collect()
}

/// One cell as a case says it: its text, its columns, and how it looks.
#[derive(Clone, Debug, PartialEq)]
struct Cell {
    text: String,
    width: usize,
    fg: String,
    bg: String,
    attrs: String,
    underline: String,
    link: String,
}

impl Cell {
    fn blank() -> Cell {
        let none = String::new;
        Cell {
            text: " ".to_owned(),
            width: 1,
            fg: none(),
            bg: none(),
            attrs: none(),
            underline: none(),
            link: none(),
        }
    }
}

fn wanted_cells(row: &Value) -> Result<Vec<Cell>, String> {
    let mut cells = Vec::new();
    for run in list(row)? {
        let run = list(run)?;
        let text = |i: usize| run.get(i).and_then(Value::as_str).unwrap_or_default().to_owned();
        let number = |i: usize, or| run.get(i).and_then(Value::as_u64).unwrap_or(or) as usize;
        let cell = Cell {
            text: String::new(),
            width: number(6, 1),
            fg: text(1),
            bg: text(2),
            attrs: text(3),
            underline: text(4),
            link: text(5),
        };
        if number(7, 0) == 1 {
            cells.push(Cell { text: text(0), ..cell });
        } else {
            cells.extend(text(0).chars().map(|c| Cell { text: c.into(), ..cell.clone() }));
        }
    }
    Ok(cells)
}

// ---- what there is -----------------------------------------------------------

fn cells(line: &Line) -> Vec<Cell> {
    let mut cells = Vec::new();
    for run in &line.runs {
        let look = &run.look;
        let cell = Cell {
            text: String::new(),
            width: 1,
            fg: colour(look.foreground),
            bg: colour(look.background),
            attrs: attrs(look),
            underline: colour(look.underline_colour),
            link: look.link.clone().unwrap_or_default(),
        };
        if let Cells::Joined(width) = run.cells {
            cells.push(Cell { text: run.text.clone(), width, ..cell });
        } else {
            let width = if run.cells == Cells::Wide { 2 } else { 1 };
            let chars = run.text.chars();
            cells.extend(chars.map(|c| Cell { text: c.into(), width, ..cell.clone() }));
        }
    }
    cells
}

fn colour(paint: Option<Paint>) -> String {
    match paint {
        None => String::new(),
        Some(Paint::Indexed(index)) => format!("i{index}"),
        Some(Paint::Rgb(r, g, b)) => format!("#{r:02x}{g:02x}{b:02x}"),
    }
}

/// Sorted letters.
fn attrs(look: &Look) -> String {
    let underline = match look.underline {
        Underline::None => ' ',
        Underline::Single => 'u',
        Underline::Double => 'U',
        Underline::Curly => 'c',
        Underline::Dotted => 't',
        Underline::Dashed => '-',
    };
    let all = [
        (look.bold, 'b'),
        (look.dim, 'd'),
        (look.italic, 'i'),
        (look.reverse, 'r'),
        (look.conceal, 'h'),
        (look.strike, 's'),
        (underline != ' ', underline),
    ];
    let mut letters: Vec<char> = all.iter().filter(|(on, _)| *on).map(|(_, c)| *c).collect();
    letters.sort_unstable();
    letters.into_iter().collect()
}

fn pen_value(pen: &Look, key: &str) -> Result<String, String> {
    let switch = |on: bool| if on { "on" } else { "off" }.to_owned();
    let colour = |paint: Option<Paint>, default: &str| match paint {
        None => default.to_owned(),
        Some(Paint::Indexed(index)) => format!("idx({index})"),
        Some(Paint::Rgb(r, g, b)) => format!("rgb({r},{g},{b})"),
    };
    Ok(match key {
        "bold" => switch(pen.bold),
        "italic" => switch(pen.italic),
        "blink" => switch(pen.blink),
        "reverse" => switch(pen.reverse),
        "conceal" => switch(pen.conceal),
        "strike" => switch(pen.strike),
        "underline" => match pen.underline {
            Underline::None => "0",
            Underline::Single => "1",
            Underline::Double => "2",
            Underline::Curly => "3",
            Underline::Dotted => "4",
            Underline::Dashed => "5",
        }
        .to_owned(),
        "foreground" => colour(pen.foreground, "rgb(240,240,240,is_default_fg)"),
        "background" => colour(pen.background, "rgb(0,0,0,is_default_bg)"),
        // Not modelled: always as at the start.
        "font" => "0".to_owned(),
        "small" => "off".to_owned(),
        "baseline" => "normal".to_owned(),
        _ => return Err(format!("unknown pen value {key}")),
    })
}

fn mode_value(screen: &Screen, key: &str) -> Result<String, String> {
    let modes = screen.modes();
    Ok(match key {
        "cursor_visible" => modes.cursor_visible.to_string(),
        "alt_screen" => modes.alternate_screen.to_string(),
        "focus" => modes.focus.to_string(),
        "title" => screen.title().to_owned(),
        "mouse" if modes.mouse == 0 => "none".to_owned(),
        "mouse" => modes.mouse.to_string(),
        "cursor_shape" => match modes.cursor_shape {
            0..=2 => "block",
            3 | 4 => "underline",
            _ => "bar_left",
        }
        .to_owned(),
        _ => return Err(format!("unknown mode {key}")),
    })
}

// ---- comparing ---------------------------------------------------------------

fn same(what: &str, wanted: &str, shown: &str) -> Result<(), String> {
    if wanted == shown {
        return Ok(());
    }
    Err(format!("{what} should be {wanted:?} and is {shown:?}"))
}

fn same_number(wanted: Option<u64>, shown: u64) -> Result<(), String> {
    same(
        "it",
        &wanted.map_or("a number".to_owned(), |wanted| wanted.to_string()),
        &shown.to_string(),
    )
}

fn same_cells(what: &str, mut wanted: Vec<Cell>, mut shown: Vec<Cell>) -> Result<(), String> {
    for cells in [&mut wanted, &mut shown] {
        while cells.last() == Some(&Cell::blank()) {
            cells.pop();
        }
    }
    for (x, (wanted, shown)) in wanted.iter().zip(&shown).enumerate() {
        same(&format!("{what}, cell {x}"), &format!("{wanted:?}"), &format!("{shown:?}"))?;
    }
    let text = |cells: &[Cell]| cells.iter().map(|cell| cell.text.as_str()).collect::<String>();
    if wanted.len() == shown.len() {
        return Ok(());
    }
    let rest = wanted.get(shown.len()).or(shown.get(wanted.len()));
    Err(format!("{what} should be {:?} and is {:?}: {rest:?}", text(&wanted), text(&shown)))
}

/// The cells of a row by column: the right half of a wide one is `None`.
fn columns(line: &Line) -> Vec<Option<Cell>> {
    let cells = cells(line).into_iter();
    cells
        .flat_map(|cell| {
            let spacers = cell.width - 1;
            std::iter::once(Some(cell)).chain(std::iter::repeat_n(None, spacers))
        })
        .collect()
}

fn check_rect(screen: &Screen, rect: &Value) -> Result<(), String> {
    let number = |key: &str| rect[key].as_u64().ok_or(format!("{key} of {rect}?"));
    let (left, top) = (number("x")? as usize, number("y")?);
    for (i, wanted) in strings(&rect["lines"])?.iter().enumerate() {
        let y = top as u16 + i as u16;
        let columns = columns(&screen.row(y));
        for (i, wanted) in wanted.chars().enumerate() {
            let cell = columns.get(left + i).cloned().unwrap_or(Some(Cell::blank()));
            let shown = cell.map_or_else(String::new, |cell| cell.text);
            same(&format!("({}, {y})", left + i), &wanted.to_string(), &shown)?;
        }
    }
    Ok(())
}

fn check_cell(screen: &Screen, wanted: &Value) -> Result<(), String> {
    let number = |key: &str| wanted[key].as_u64().ok_or(format!("{key} of {wanted}?"));
    let (x, y) = (number("col")? as usize, number("row")? as u16);
    let columns = columns(&screen.row(y));
    let cell = columns.get(x).cloned().unwrap_or(Some(Cell::blank()));
    let cell = cell.ok_or(format!("({x}, {y}) is the right half of a wide character"))?;
    for (key, value) in object(wanted)? {
        let text = value.as_str().unwrap_or_default();
        let shown = match key.as_str() {
            "row" | "col" => continue,
            "width" => cell.width.to_string(),
            "text" => cell.text.trim_end_matches(' ').to_owned(),
            "attrs" => cell.attrs.clone(),
            "fg" => cell.fg.clone(),
            "bg" => cell.bg.clone(),
            "ul" => cell.underline.clone(),
            "link" => cell.link.clone(),
            "blink" => blinks(screen, x, y).to_string(),
            _ => return Err(format!("unknown cell value {key}")),
        };
        let wanted = if value.is_string() {
            text.trim_end_matches(' ').to_owned()
        } else {
            value.to_string()
        };
        same(&format!("({x}, {y}) {key}"), &wanted, &shown)?;
    }
    Ok(())
}

fn blinks(screen: &Screen, x: usize, y: u16) -> bool {
    let mut left = 0;
    for run in screen.row(y).runs {
        left += run.columns();
        if x < left {
            return run.look.blink;
        }
    }
    false
}

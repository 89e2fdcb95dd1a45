//! History lines back into cells. It knows a line's parts, but nothing of the
//! screen that the cells are for.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::cell::{Cell, GAP, SPACER, WIDE, width};
use crate::chunk::{Chunk, GAP_AT_END, GRAPHEMES, Line, WRAPPED, pop_varint};
use crate::history::History;
use crate::interned::Interned;
use crate::row::Row;
use crate::style::Style;

impl History {
    /// A line as a row, with ids of `interned`. A coloured tail reaches to `cols`, and is one cell at least.
    pub(crate) fn row(&self, number: u64, cols: usize, interned: &mut Interned) -> Option<Row> {
        let (chunk, line) = self.line(number)?;
        let cells = cells(chunk, &line, cols, interned);
        let row = Row::of(cells, line.flags & WRAPPED != 0);
        Some(Row { marks: line.marks, written: line.written, ..row })
    }
}

fn cells(chunk: &Chunk, line: &Line<'_>, cols: usize, interned: &mut Interned) -> Vec<Cell> {
    let mut cells = Vec::with_capacity(line.text.len());
    let mut runs = line.runs;
    let mut rest = line.text;
    while !rest.is_empty() {
        let run = pop_varint(&mut runs).zip(pop_varint(&mut runs));
        let (number, len) = run.unwrap_or((0, rest.len() as u32));
        let (text, more) = rest.split_at((len as usize).min(rest.len()));
        let style = id(chunk, chunk.styles[number as usize], interned);
        let text = String::from_utf8_lossy(text);
        if line.flags & GRAPHEMES == 0 {
            text.chars().for_each(|c| push(c, style, &mut cells, interned));
        } else {
            text.graphemes(true).for_each(|text| push_cluster(text, style, &mut cells, interned));
        }
        rest = more;
    }
    if let Some(tail) = line.tail {
        let style = id(chunk, chunk.styles[tail].erasing(), interned);
        // How wide the row was is not kept.
        cells.resize(cols.max(cells.len() + 1), Cell::erased(style));
    }
    if line.flags & GAP_AT_END != 0 {
        cells.push(Cell { flags: GAP, ..Cell::BLANK });
    }
    cells
}

/// The id of a style of the chunk's, whose link is one of the chunk's too.
fn id(chunk: &Chunk, mut style: Style, interned: &mut Interned) -> u16 {
    let link = chunk.link(style);
    style.link = link.map_or(0, |link| interned.intern_link(&link.id, &link.uri));
    interned.styles.intern(style)
}

fn push(c: char, style: u16, cells: &mut Vec<Cell>, interned: &mut Interned) {
    match width(c) {
        0 => {
            let base = cells.iter_mut().rev().find(|cell| !cell.is(SPACER));
            if let Some(cell) = base {
                cell.glyph = interned.joined(cell.glyph, c);
            }
        }
        2 => {
            cells.push(Cell { glyph: u32::from(c), style, flags: WIDE });
            cells.push(Cell { glyph: 0, style, flags: SPACER });
        }
        _ => cells.push(Cell { glyph: u32::from(c), style, flags: 0 }),
    }
}

/// Several characters that share a cell.
fn push_cluster(text: &str, style: u16, cells: &mut Vec<Cell>, interned: &mut Interned) {
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return };
    let glyph = chars.fold(u32::from(first), |glyph, c| interned.joined(glyph, c));
    if text.width() > 1 {
        cells.push(Cell { glyph, style, flags: WIDE });
        cells.push(Cell { glyph: 0, style, flags: SPACER });
    } else {
        cells.push(Cell { glyph, style, flags: 0 });
    }
}

//! The terminal as the program believes it to be: all of its state in one
//! place. How bytes change it stands in the files beside this one, each for one
//! kind of change; what it knows nothing of is who feeds it, and when.

use std::ops::Range;

use crate::backlog::Backlog;
use crate::cell::Cell;
use crate::charset::Charsets;
use crate::grid::{Grid, Margins};
use crate::history::History;
use crate::input::Input;
use crate::interned::Interned;
use crate::keyboard::{KeyModifiers, KittyStack};
use crate::marks::ShellState;
use crate::modes::{self, ModeSet, Modes};
use crate::notifications::Notifications;
use crate::palette::Palette;
use crate::pen::{Pen, PenMemory};
use crate::replies::Reply;
use crate::size::Size;
use crate::style::{Colour, Style};
use crate::tabs::TabStops;
use crate::titles::Titles;

/// Where the next character goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub x: usize,
    pub y: usize,
    /// The last column was just written: the next character wraps first.
    pub pending: bool,
}

/// What DECSC keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Saved {
    pub cursor: Cursor,
    pub pen: Style,
    pub origin: bool,
    pub charsets: Charsets,
}

/// A terminal model: bytes in, state out.
#[derive(Clone, Debug)]
pub struct Screen {
    pub(crate) size: Size,
    /// The screen that is shown.
    pub(crate) grid: Grid,
    /// The one that is not: the primary while the alternate is shown, else what
    /// was left on the alternate, if anything.
    pub(crate) other: Option<Grid>,
    /// The mode that switched to the alternate screen, 0 if it is not shown.
    pub(crate) alternate: u16,
    pub(crate) cursor: Cursor,
    /// What DECSC kept on the primary and on the alternate screen; home and the
    /// defaults until then.
    pub(crate) saved: [Saved; 2],
    pub(crate) pen: Pen,
    pub(crate) pen_memory: PenMemory,
    pub(crate) margins: Margins,
    /// What is protected is spared by all erasing, not only the selective kind.
    pub(crate) iso_protection: bool,
    /// DECCARA and DECRARA change rectangles, not runs of text (DECSACE).
    pub(crate) exact_rectangles: bool,
    pub(crate) charsets: Charsets,
    pub(crate) tabs: TabStops,
    pub(crate) modes: ModeSet,
    /// The kitty keyboard stacks of the primary and of the alternate screen.
    pub(crate) kitty: [KittyStack; 2],
    pub(crate) key_modifiers: KeyModifiers,
    pub(crate) cursor_shape: u8,
    pub(crate) palette: Palette,
    pub(crate) titles: Titles,
    pub(crate) last_char: Option<char>,
    pub(crate) history: History,
    pub(crate) interned: Interned,
    pub(crate) input: Input,
    /// Lines that are not on the grid yet.
    pub(crate) backlog: Backlog,
    /// How many bytes were taken, up to the end of the text or the sequence that is
    /// being carried out.
    pub(crate) offset: u64,
    /// What the shell's latest mark says of it.
    pub(crate) shell: Option<ShellState>,
    pub(crate) notifications: Notifications,
    pub(crate) replies: Vec<Reply>,
    pub(crate) bells: u64,
}

impl Screen {
    /// A blank screen that will keep `history_limit` lines of history.
    pub fn new(size: Size, history_limit: usize) -> Screen {
        let size = Size::new(size.cols, size.rows);
        let (cols, rows) = (usize::from(size.cols), usize::from(size.rows));
        Screen {
            size,
            grid: Grid::new(cols, rows),
            other: None,
            alternate: 0,
            cursor: Cursor::default(),
            saved: [Saved::default(); 2],
            pen: Pen::default(),
            pen_memory: PenMemory::default(),
            margins: Margins::full(cols, rows),
            iso_protection: false,
            exact_rectangles: false,
            charsets: Charsets::default(),
            tabs: TabStops::default(),
            modes: ModeSet::new(),
            kitty: [KittyStack::default(), KittyStack::default()],
            key_modifiers: KeyModifiers::default(),
            cursor_shape: 0,
            palette: Palette::default(),
            titles: Titles::default(),
            last_char: None,
            history: History::new(history_limit),
            interned: Interned::new(),
            input: Input::default(),
            backlog: Backlog::default(),
            offset: 0,
            shell: None,
            notifications: Notifications::default(),
            replies: Vec::new(),
            bells: 0,
        }
    }

    /// A screen that goes on where another was left: `shown` is what brought a blank
    /// one of its size there, history first, and `offset` how many bytes that one had
    /// taken. When which line was written to before that is not known, and counts as long
    /// ago: who asks is told, by [`Screen::dropped`], to look for himself.
    pub fn resumed(size: Size, history_limit: usize, shown: &[u8], offset: u64) -> Screen {
        let mut screen = Screen::new(size, history_limit);
        screen.feed(shown);
        screen.replies.clear();
        screen.bells = 0;
        screen.notifications = Notifications::default();
        screen.offset = offset;
        for grid in std::iter::once(&mut screen.grid).chain(&mut screen.other) {
            grid.rows.iter_mut().for_each(|row| row.written = row.written.min(1));
        }
        screen.history.forget_when_written(offset);
        screen
    }

    /// The size it has.
    pub fn size(&self) -> Size {
        self.size
    }

    /// The absolute numbers of the history's lines. Numbers only grow and are
    /// never used again; erasing the scrollback (`CSI 3 J`) leaves `end..end`.
    pub fn history(&self) -> Range<u64> {
        self.history.range()
    }

    /// From now on the limit drops no line of the history numbered `from` or later, or
    /// again any: what is too many then goes at once. For those who have not looked at
    /// them yet. What the program erases goes all the same, and so does what is more
    /// than 64 MiB.
    ///
    /// A resize makes numbers grow ([`Screen::resize`]): then a few lines more are held,
    /// never fewer.
    pub fn hold_history(&mut self, from: Option<u64>) {
        self.history.hold(from);
    }

    /// Just behind the latest byte written to any line that is no longer in the
    /// history because there were too many after it.
    pub fn dropped(&self) -> u64 {
        self.history.dropped()
    }

    /// Whether the alternate screen is shown.
    pub fn shows_alternate(&self) -> bool {
        self.alternate != 0
    }

    /// Appends a line of the history as bytes for a terminal: text and SGR, from
    /// pen reset to pen reset, a coloured tail by EL, then CR LF, unless the line
    /// is soft-wrapped into the next: then it wraps by itself on a terminal of
    /// the same width, and flows as one long line on any other.
    ///
    /// The line that runs on into the screen's first row has no CR LF either:
    /// [`Screen::snapshot`] goes on where it ends.
    pub fn history_line(&self, line: u64, out: &mut Vec<u8>) {
        let first = self.primary().rows[0].get(0);
        self.history.render(line, self.interned.begins_wide(first), out);
    }

    /// The screen's text: rows joined by `\n`, trailing blanks trimmed.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut line = Vec::new();
        for row in &self.grid.rows {
            line.clear();
            for cell in row.cells.iter().filter(|cell| !cell.is(crate::cell::SPACER)) {
                self.interned.push_text(*cell, &mut line);
            }
            text.push_str(String::from_utf8_lossy(&line).trim_end_matches(' '));
            text.push('\n');
        }
        text.truncate(text.trim_end_matches('\n').len());
        text
    }

    /// The title as the program set it, without control characters, at most 1 KiB.
    pub fn title(&self) -> &str {
        &self.titles.title
    }

    /// The working directory as the program told it by OSC 7, an URL; empty if
    /// it did not.
    pub fn directory(&self) -> &[u8] {
        &self.titles.directory
    }

    /// The answers to the queries met since the last call. Bounded: if nobody
    /// takes them, the oldest are dropped.
    pub fn take_replies(&mut self) -> Vec<Reply> {
        std::mem::take(&mut self.replies)
    }

    /// How often the bell rang since the last call.
    pub fn take_bells(&mut self) -> u64 {
        std::mem::take(&mut self.bells)
    }

    /// Where the shell is, if it says so (OSC 133).
    pub fn shell(&self) -> Option<ShellState> {
        self.shell
    }

    /// The modes that are on.
    pub fn modes(&self) -> Modes {
        Modes {
            bracketed_paste: self.modes.is_on(modes::PASTE),
            application_cursor: self.modes.is_on(1),
            application_keypad: self.modes.is_on(modes::KEYPAD),
            alternate_screen: self.alternate != 0,
            mouse: self.modes.mouse,
            mouse_encoding: self.modes.encoding,
            focus: self.modes.is_on(modes::FOCUS),
            kitty_keyboard: self.kitty[self.which()].flags(),
            modify_other_keys: self.key_modifiers.other_keys(),
            cursor_visible: self.modes.is_on(modes::VISIBLE),
            cursor_shape: self.cursor_shape,
            newline: self.modes.newline,
            synchronized: self.modes.is_on(modes::SYNCHRONIZED),
        }
    }

    /// The cursor's column and row, both from 0.
    pub fn cursor(&self) -> (u16, u16) {
        (self.cursor.x as u16, self.cursor.y as u16)
    }

    /// How many bytes were fed since it began.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    pub(crate) fn cols(&self) -> usize {
        usize::from(self.size.cols)
    }

    pub(crate) fn rows(&self) -> usize {
        usize::from(self.size.rows)
    }

    /// 0 for the primary screen, 1 for the alternate one.
    pub(crate) fn which(&self) -> usize {
        usize::from(self.alternate != 0)
    }

    /// The rows of the primary screen, shown or not.
    pub(crate) fn primary(&self) -> &Grid {
        match &self.other {
            Some(primary) if self.alternate != 0 => primary,
            _ => &self.grid,
        }
    }

    pub(crate) fn origin(&self) -> bool {
        self.modes.is_on(modes::ORIGIN)
    }

    /// Writes in this style from now on.
    pub(crate) fn set_pen(&mut self, style: Style) {
        // First, for the pen that goes needs no id any more.
        self.pen.style = style;
        self.pen.id = self.style_id(style);
    }

    /// What erasing leaves: the pen's background (BCE). Not to be kept: a later
    /// style may renumber all of them.
    #[inline]
    pub(crate) fn blank(&mut self) -> Cell {
        if self.pen.style.bg == Colour::DEFAULT {
            return Cell::BLANK;
        }
        Cell::erased(self.style_id(self.pen.style.erasing()))
    }

    fn style_id(&mut self, style: Style) -> u16 {
        self.make_room_for_styles();
        self.interned.styles.intern(style)
    }

    /// Gives ids anew if there are too many. Those held elsewhere than in cells mean
    /// nothing after that.
    pub(crate) fn make_room_for_styles(&mut self) {
        if self.interned.styles.is_due_for_collection() {
            self.collect_styles();
        }
    }

    /// Forgets the styles that no cell has any more.
    fn collect_styles(&mut self) {
        let mut used = vec![false; self.interned.styles.len()];
        for grid in std::iter::once(&self.grid).chain(&self.other) {
            grid.mark_styles(&mut used);
        }
        let new_ids = self.interned.styles.collect(&used);
        for grid in std::iter::once(&mut self.grid).chain(&mut self.other) {
            grid.renumber_styles(&new_ids);
        }
        self.pen.id = self.interned.styles.intern(self.pen.style);
        self.pen_memory.clear();
        self.history.forget_style_ids();
    }

    /// The id of a hyperlink, 0 if there is no room for more.
    pub(crate) fn link_id(&mut self, id: &[u8], uri: &[u8]) -> u16 {
        if self.interned.is_short_of_links() {
            self.collect_styles();
            let mut pens = vec![self.pen.style.link];
            pens.extend(self.saved.iter().map(|saved| saved.pen.link));
            self.interned.collect_links(&pens);
        }
        self.interned.intern_link(id, uri)
    }

    /// Forgets the clusters that no cell has any more.
    pub(crate) fn collect_clusters(&mut self) {
        let mut used = vec![false; self.interned.clusters()];
        for grid in std::iter::once(&self.grid).chain(&self.other) {
            grid.mark_clusters(&mut used);
        }
        let glyphs = self.interned.collect_clusters(&used);
        for grid in std::iter::once(&mut self.grid).chain(&mut self.other) {
            grid.renumber_clusters(&glyphs);
        }
    }
}

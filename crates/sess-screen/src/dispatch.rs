//! What each escape and control sequence means: a table from their bytes to what
//! they do to the screen. It knows nothing of how they are read.

use crate::charset::Charset;
use crate::marks::ShellState;
use crate::modes::KEYPAD;
use crate::params::{Csi, Params};
use crate::screen::Screen;
use crate::sgr;
use crate::style::Style;

impl Screen {
    /// Carries out `ESC`, up to two intermediate bytes or 0, and `end`.
    pub(crate) fn escape(&mut self, [intermediate, second]: [u8; 2], end: u8) {
        if second != 0 {
            if let b'('..=b'+' = intermediate {
                self.charsets.sets[usize::from(intermediate - b'(')] =
                    Charset::named(&[second, end]);
            }
            return;
        }
        match (intermediate, end) {
            (0, b'6') => self.back_index(),
            (0, b'7') => self.save_cursor(),
            (0, b'8') => self.restore_cursor(),
            (0, b'9') => self.forward_index(),
            (0, b'=') => self.modes.set(KEYPAD, true),
            (0, b'>') => self.modes.set(KEYPAD, false),
            (0, b'D') => self.index(),
            (0, b'E') => {
                self.index();
                self.carriage_return();
            }
            (0, b'H') => self.tabs.set(self.cursor.x, true),
            (0, b'M') => self.reverse_index(),
            (0, b'N') => self.charsets.single = Some(2),
            (0, b'O') => self.charsets.single = Some(3),
            (0, b'V') => {
                self.protect(true);
                self.iso_protection = true;
            }
            (0, b'W') => self.protect(false),
            (0, b'Z') => self.reply_primary_attributes(),
            (0, b'c') => self.reset(),
            (0, b'n') => self.charsets.shift = 2,
            (0, b'o') => self.charsets.shift = 3,
            (b'#', b'8') => self.alignment_test(),
            (b'(' | b')' | b'*' | b'+', _) => {
                self.charsets.sets[usize::from(intermediate - b'(')] = Charset::named(&[end]);
            }
            // Sets of 96 characters: none of them is modelled.
            (b'-' | b'.' | b'/', _) => {
                self.charsets.sets[usize::from(intermediate - b'-') + 1] = Charset::Ascii;
            }
            _ => {}
        }
    }

    /// Carries out a control sequence.
    pub(crate) fn control_sequence(&mut self, csi: &Csi) {
        let params = &csi.params;
        let n = usize::from(params.at_least_one(0));
        match (csi.prefix, csi.intermediate, csi.end) {
            (0, 0, b'm') => {
                let mut style = self.pen.style;
                sgr::apply(&mut style, params);
                self.set_pen(style);
            }
            (0, 0, b'H' | b'f') => {
                self.position(usize::from(params.at_least_one(1)) - 1, n - 1);
            }
            (0 | b'?', 0, b'K') => self.erase_line(params.get(0), csi.prefix == b'?'),
            (0 | b'?', 0, b'J') => self.erase_display(params.get(0), csi.prefix == b'?'),
            (0, 0, b'A' | b'k') => self.up(n),
            (0, 0, b'B') => self.down(n),
            (0, 0, b'C') => self.right(n),
            (0, 0, b'D' | b'j') => self.left(n),
            // The relative positions know no margins, unlike the motions.
            (0, 0, b'a') => self.columns_on(n),
            (0, 0, b'e') => self.lines_on(n),
            (0, 0, b'E') => {
                self.down(n);
                self.carriage_return();
            }
            (0, 0, b'F') => {
                self.up(n);
                self.carriage_return();
            }
            (0, 0, b'G' | b'`') => self.column(n - 1),
            (0, 0, b'd') => self.line(n - 1),
            (0, 0, b'I') => self.tab(n),
            (0, 0, b'Z') => self.back_tab(n),
            (0, 0, b'@') => self.shift_cells(n, false),
            (0, 0, b'P') => self.shift_cells(n, true),
            (0, 0, b'L') => self.shift_lines(n, false),
            (0, 0, b'M') => self.shift_lines(n, true),
            (0, 0, b'S') => {
                self.grid.rows[self.margins.bottom].wrapped = false;
                self.scroll_up(n);
            }
            // With more parameters it is highlight mouse tracking.
            (0, 0, b'T') if params.len() == 1 => self.scroll_down(n),
            (0, 0, b'^') => self.scroll_down(n),
            (0, 0, b'X') => self.erase_cells(n),
            (0, b' ', b'@') => self.shift_all_rows(self.margins.left, n, true),
            (0, b' ', b'A') => self.shift_all_rows(self.margins.left, n, false),
            (0, b'$', b'r' | b't' | b'v' | b'x' | b'z' | b'{') => self.rectangle(csi),
            (0, b'*', b'x') => self.exact_rectangles = params.get(0) == 2,
            (0, b'"', b'q') => self.protect(params.get(0) == 1),
            (0, b'\'', b'}') => self.shift_all_rows(self.cursor.x, n, false),
            (0, b'\'', b'~') => self.shift_all_rows(self.cursor.x, n, true),
            (0, 0, b'b') => self.repeat(n),
            (0, 0, b'g') => match params.get(0) {
                0 => self.tabs.set(self.cursor.x, false),
                3 => self.tabs.clear(),
                _ => {}
            },
            (b'?', 0, b'W') if params.get(0) == 5 => self.tabs = crate::tabs::TabStops::default(),
            (0, 0, b'h' | b'l') => self.set_ansi_modes(params, csi.end == b'h'),
            (b'?', 0, b'h' | b'l') => self.set_private_modes(params, csi.end == b'h'),
            (0, 0, b'r') => self.set_rows_margins(params),
            (b'?', 0, b's') => self.save_modes(params),
            (b'?', 0, b'r') => self.restore_modes(params),
            (0, 0, b's') if self.modes.is_on(crate::modes::COLUMN_MARGINS) => {
                self.set_column_margins(params);
            }
            (0, 0, b's') => self.save_cursor(),
            (0, 0, b'u') => self.restore_cursor(),
            (0, b' ', b'q') => self.cursor_shape = u8::try_from(params.get(0)).unwrap_or(0),
            (0, b'!', b'p') => self.soft_reset(),
            // DECSCL, as xterm has it; the level takes nothing away.
            (0, b'"', b'p') if (61..=65).contains(&params.get(0)) => self.soft_reset(),
            (0, 0, b't') => self.window_operation(params),
            (b'>' | b'<' | b'=', 0, b'u') => self.kitty_keyboard(csi.prefix, params),
            (b'>', 0, b'm') => {
                let value = (params.len() > 1).then(|| params.get(1));
                self.key_modifiers.set(params.get(0), value);
            }
            (b'>', 0, b'n') => self.key_modifiers.set(params.get(0), None),
            _ => self.answer(csi),
        }
    }

    fn kitty_keyboard(&mut self, prefix: u8, params: &Params) {
        let which = self.which();
        let stack = &mut self.kitty[which];
        let flags = (params.get(0) & 31) as u8;
        match prefix {
            b'>' => stack.push(flags),
            b'<' => stack.pop(usize::from(params.at_least_one(0))),
            _ => stack.set(flags, params.get(1)),
        }
    }

    fn window_operation(&mut self, params: &Params) {
        match params.get(0) {
            22 if params.get(1) <= 2 => self.titles.push(params.get(1)),
            23 if params.get(1) <= 2 => self.titles.pop(params.get(1)),
            operation => self.answer_window_operation(operation),
        }
    }

    /// `ESC ] body`, complete.
    pub(crate) fn operating_system_command(&mut self, body: &[u8]) {
        let digits = body.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = std::str::from_utf8(&body[..digits]).ok().and_then(|n| n.parse().ok());
        let rest = match body.get(digits) {
            Some(b';') => &body[digits + 1..],
            None => &[],
            Some(_) => return,
        };
        let Some(number) = number else { return };
        match number {
            0..=2 if digits < body.len() => self.titles.set(number, rest),
            4 => self.set_palette(rest),
            7 => self.titles.set_directory(rest),
            8 => self.hyperlink(rest),
            133 => {
                let letter = rest.first().copied().unwrap_or(0);
                self.grid.rows[self.cursor.y].marks.add(letter);
                self.shell = ShellState::after(letter).or(self.shell);
            }
            9 | 99 | 777 => self.notifications.add(number, rest),
            10..=19 => self.set_dynamic_colours(number as u8, rest),
            104 if rest.is_empty() => self.palette.reset_indexed(None),
            104 => {
                for index in rest.split(|&byte| byte == b';').filter_map(byte_number) {
                    self.palette.reset_indexed(Some(index));
                }
            }
            110..=119 => self.palette.reset_dynamic((number - 100) as u8),
            _ => self.answer_command(number),
        }
    }

    fn set_palette(&mut self, rest: &[u8]) {
        let mut parts = rest.split(|&byte| byte == b';');
        while let (Some(index), Some(spec)) = (parts.next(), parts.next()) {
            let Some(index) = byte_number(index) else { continue };
            if spec == b"?" {
                self.answer_palette(index);
            } else {
                self.palette.set_indexed(index, spec);
            }
        }
    }

    /// OSC 10 with several colours sets the following ones too.
    fn set_dynamic_colours(&mut self, first: u8, rest: &[u8]) {
        for (kind, spec) in (first..=19).zip(rest.split(|&byte| byte == b';')) {
            if spec == b"?" {
                self.answer_dynamic_colour(kind);
            } else {
                self.palette.set_dynamic(kind, spec);
            }
        }
    }

    fn hyperlink(&mut self, rest: &[u8]) {
        let Some(at) = memchr::memchr(b';', rest) else { return };
        let (params, uri) = (&rest[..at], &rest[at + 1..]);
        let id = params
            .split(|&byte| byte == b':')
            .find_map(|param| param.strip_prefix(b"id="))
            .unwrap_or_default();
        // Control characters can't have been meant, and would break the replay.
        let clean = !uri.iter().chain(id).any(u8::is_ascii_control);
        let link = if clean { self.link_id(id, uri) } else { 0 };
        self.set_pen(Style { link, ..self.pen.style });
    }
}

fn byte_number(digits: &[u8]) -> Option<u8> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

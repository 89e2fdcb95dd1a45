//! SGR both ways: parameters into a style, and the shortest way from one style
//! to another in bytes. It knows nothing of cells or of the parser.

use crate::interned::Link;
use crate::params::Params;
use crate::style::{Colour, ColourKind, Style, attr};

/// Applies the parameters of `CSI … m` to a pen; an OSC 8 link stays.
pub(crate) fn apply(style: &mut Style, params: &Params) {
    let mut groups = params.groups();
    while let Some(group) = groups.next() {
        match group[0] {
            0 => *style = style.unstyled(),
            1 => style.attrs |= attr::BOLD,
            2 => style.attrs |= attr::DIM,
            3 => style.attrs |= attr::ITALIC,
            4 => set_underline(style, group.get(1).copied().unwrap_or(1)),
            5 => style.attrs = style.attrs & !attr::RAPID | attr::BLINK,
            6 => style.attrs = style.attrs & !attr::BLINK | attr::RAPID,
            7 => style.attrs |= attr::REVERSE,
            8 => style.attrs |= attr::CONCEAL,
            9 => style.attrs |= attr::STRIKE,
            21 => set_underline(style, 2),
            22 => style.attrs &= !(attr::BOLD | attr::DIM),
            23 => style.attrs &= !attr::ITALIC,
            24 => set_underline(style, 0),
            25 => style.attrs &= !(attr::BLINK | attr::RAPID),
            27 => style.attrs &= !attr::REVERSE,
            28 => style.attrs &= !attr::CONCEAL,
            29 => style.attrs &= !attr::STRIKE,
            n @ 30..=37 => style.fg = Colour::indexed((n - 30) as u8),
            39 => style.fg = Colour::DEFAULT,
            n @ 40..=47 => style.bg = Colour::indexed((n - 40) as u8),
            49 => style.bg = Colour::DEFAULT,
            53 => style.attrs |= attr::OVERLINE,
            55 => style.attrs &= !attr::OVERLINE,
            59 => style.underline = Colour::DEFAULT,
            n @ 90..=97 => style.fg = Colour::indexed((n - 90 + 8) as u8),
            n @ 100..=107 => style.bg = Colour::indexed((n - 100 + 8) as u8),
            n @ (38 | 48 | 58) => {
                let colour = if group.len() > 1 {
                    colon_colour(&group[1..])
                } else {
                    semicolon_colour(&mut groups)
                };
                if let Some(colour) = colour {
                    match n {
                        38 => style.fg = colour,
                        48 => style.bg = colour,
                        _ => style.underline = colour,
                    }
                }
            }
            _ => {}
        }
    }
}

fn set_underline(style: &mut Style, kind: u16) {
    if kind <= 5 {
        style.attrs = style.attrs & !attr::UNDERLINE | kind << attr::UNDERLINE_SHIFT;
    }
}

/// `38:5:n`, `38:2:r:g:b` and `38:2:space:r:g:b`.
fn colon_colour(group: &[u16]) -> Option<Colour> {
    match *group {
        [5, index, ..] => Some(Colour::indexed(u8::try_from(index).ok()?)),
        [2, r, g, b] | [2, _, r, g, b, ..] => rgb(r, g, b),
        _ => None,
    }
}

/// `38;5;n` and `38;2;r;g;b`, whose numbers are parameters of their own.
fn semicolon_colour<'a>(groups: &mut impl Iterator<Item = &'a [u16]>) -> Option<Colour> {
    let mut next = || groups.next().map(|group| group[0]);
    match next()? {
        5 => Some(Colour::indexed(u8::try_from(next()?).ok()?)),
        2 => {
            let (r, g, b) = (next()?, next()?, next()?);
            rgb(r, g, b)
        }
        _ => None,
    }
}

fn rgb(r: u16, g: u16, b: u16) -> Option<Colour> {
    let byte = |n| u8::try_from(n).ok();
    Some(Colour::rgb(byte(r)?, byte(g)?, byte(b)?))
}

/// A decimal number, appended.
pub(crate) fn push_number(out: &mut Vec<u8>, n: u32) {
    if n >= 10 {
        push_number(out, n / 10);
    }
    out.push(b'0' + (n % 10) as u8);
}

/// The pen of the terminal that is written to: it says only what changes.
#[derive(Clone, Copy, Default)]
pub(crate) struct PenWriter {
    pub style: Style,
}

impl PenWriter {
    /// Brings the terminal's pen to `style`; `link` tells what its link is, and
    /// whether that is the same as the one now open is told by the ids alone.
    pub(crate) fn to(&mut self, style: Style, link: Option<&Link>, out: &mut Vec<u8>) {
        if style == self.style {
            return;
        }
        if style.link != self.style.link {
            open_link(link, out);
        }
        let mut old = Style { link: style.link, ..self.style };
        if (old.attrs ^ style.attrs) & attr::PROTECTED != 0 {
            out.extend_from_slice(protection(style));
            old.attrs ^= attr::PROTECTED;
        }
        if old != style {
            out.extend_from_slice(b"\x1b[");
            let start = out.len();
            let lost = old.attrs & !style.attrs & !attr::UNDERLINE;
            if lost == 0 {
                push_changes(old, style, out);
            } else {
                out.push(b'0');
                push_changes(style.unstyled(), style, out);
            }
            // `CSI m` is `CSI 0 m`.
            if &out[start..] == b"0" {
                out.truncate(start);
            } else if out[start] == b';' {
                out.remove(start);
            }
            out.push(b'm');
        }
        self.style = style;
    }

    /// Brings the terminal's pen back to the default.
    pub(crate) fn reset(&mut self, out: &mut Vec<u8>) {
        if self.style.link != 0 {
            open_link(None, out);
            self.style.link = 0;
        }
        if self.style.attrs & attr::PROTECTED != 0 {
            out.extend_from_slice(protection(Style::DEFAULT));
            self.style.attrs &= !attr::PROTECTED;
        }
        if self.style != Style::DEFAULT {
            out.extend_from_slice(b"\x1b[m");
            self.style = Style::DEFAULT;
        }
    }
}

/// DECSCA.
fn protection(style: Style) -> &'static [u8] {
    if style.attrs & attr::PROTECTED != 0 { b"\x1b[1\"q" } else { b"\x1b[0\"q" }
}

fn open_link(link: Option<&Link>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\x1b]8;");
    if let Some(link) = link {
        if !link.id.is_empty() {
            out.extend_from_slice(b"id=");
            out.extend_from_slice(&link.id);
        }
        out.push(b';');
        out.extend_from_slice(&link.uri);
    } else {
        out.push(b';');
    }
    out.extend_from_slice(b"\x1b\\");
}

/// Each change as `;` and its parameters; nothing may be lost but colours and
/// the underline.
fn push_changes(old: Style, new: Style, out: &mut Vec<u8>) {
    const SET: [(u16, &[u8]); 9] = [
        (attr::BOLD, b";1"),
        (attr::DIM, b";2"),
        (attr::ITALIC, b";3"),
        (attr::BLINK, b";5"),
        (attr::RAPID, b";6"),
        (attr::REVERSE, b";7"),
        (attr::CONCEAL, b";8"),
        (attr::STRIKE, b";9"),
        (attr::OVERLINE, b";53"),
    ];
    if new == new.unstyled() && out.last() == Some(&b'[') {
        out.push(b'0');
        return;
    }
    if old.attrs != new.attrs {
        let gained = new.attrs & !old.attrs;
        for (bit, code) in SET {
            if gained & bit != 0 {
                out.extend_from_slice(code);
            }
        }
        if (old.attrs ^ new.attrs) & attr::UNDERLINE != 0 {
            match (new.attrs & attr::UNDERLINE) >> attr::UNDERLINE_SHIFT {
                0 => out.extend_from_slice(b";24"),
                1 => out.extend_from_slice(b";4"),
                kind => {
                    out.extend_from_slice(b";4:");
                    push_number(out, u32::from(kind));
                }
            }
        }
    }
    if old.fg != new.fg {
        push_colour(new.fg, 30, out);
    }
    if old.bg != new.bg {
        push_colour(new.bg, 40, out);
    }
    if old.underline != new.underline {
        push_colour(new.underline, 50, out);
    }
}

fn push_colour(colour: Colour, base: u32, out: &mut Vec<u8>) {
    out.push(b';');
    match colour.kind() {
        ColourKind::Default => push_number(out, base + 9),
        ColourKind::Indexed(n @ 0..=7) if base < 50 => push_number(out, base + u32::from(n)),
        ColourKind::Indexed(n @ 8..=15) if base < 50 => {
            push_number(out, base + 60 - 8 + u32::from(n));
        }
        // The underline's colour is only widely known with colons.
        ColourKind::Indexed(n) if base == 50 => {
            out.extend_from_slice(b"58:5:");
            push_number(out, u32::from(n));
        }
        ColourKind::Rgb(r, g, b) if base == 50 => {
            out.extend_from_slice(b"58:2::");
            push_parts(r, g, b, b':', out);
        }
        ColourKind::Indexed(n) => {
            push_number(out, base + 8);
            out.extend_from_slice(b";5;");
            push_number(out, u32::from(n));
        }
        ColourKind::Rgb(r, g, b) => {
            push_number(out, base + 8);
            out.extend_from_slice(b";2;");
            push_parts(r, g, b, b';', out);
        }
    }
}

fn push_parts(r: u8, g: u8, b: u8, separator: u8, out: &mut Vec<u8>) {
    push_number(out, u32::from(r));
    out.push(separator);
    push_number(out, u32::from(g));
    out.push(separator);
    push_number(out, u32::from(b));
}

/// The parameters that make a default pen this one, as DECRQSS reports them.
pub(crate) fn push_report(style: Style, out: &mut Vec<u8>) {
    out.push(b'0');
    let style = Style { link: 0, attrs: style.attrs & !attr::PROTECTED, ..style };
    if style != Style::DEFAULT {
        push_changes(Style::DEFAULT, style, out);
    }
}

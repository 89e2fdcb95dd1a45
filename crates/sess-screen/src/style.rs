//! Styles: colours, attributes and the link of a cell, and the table that gives
//! each style in use a small id. It knows nothing of rows, or of how a style is
//! said in escape sequences.

/// A colour: the default, one of the palette, or a true one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Colour(u32);

impl Colour {
    pub(crate) const DEFAULT: Colour = Colour(0);
    /// None that there is, to see whether it was changed.
    pub(crate) const UNKNOWN: Colour = Colour(u32::MAX);

    pub(crate) fn indexed(index: u8) -> Colour {
        Colour(1 << 24 | u32::from(index))
    }

    pub(crate) fn rgb(r: u8, g: u8, b: u8) -> Colour {
        Colour(2 << 24 | u32::from(r) << 16 | u32::from(g) << 8 | u32::from(b))
    }

    pub(crate) fn kind(self) -> ColourKind {
        let [kind, r, g, b] = self.0.to_be_bytes();
        match kind {
            0 => ColourKind::Default,
            1 => ColourKind::Indexed(b),
            _ => ColourKind::Rgb(r, g, b),
        }
    }
}

/// A colour taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColourKind {
    Default,
    Indexed(u8),
    Rgb(u8, u8, u8),
}

/// Attribute bits; the underline's style is a number in the upper ones.
pub(crate) mod attr {
    pub(crate) const BOLD: u16 = 1;
    pub(crate) const DIM: u16 = 1 << 1;
    pub(crate) const ITALIC: u16 = 1 << 2;
    pub(crate) const BLINK: u16 = 1 << 3;
    pub(crate) const RAPID: u16 = 1 << 4;
    pub(crate) const REVERSE: u16 = 1 << 5;
    pub(crate) const CONCEAL: u16 = 1 << 6;
    pub(crate) const STRIKE: u16 = 1 << 7;
    pub(crate) const OVERLINE: u16 = 1 << 8;
    /// Not drawn: selective erasing spares the cell (DECSCA).
    pub(crate) const PROTECTED: u16 = 1 << 9;
    /// 1 single, 2 double, 3 curly, 4 dotted, 5 dashed.
    pub(crate) const UNDERLINE_SHIFT: u16 = 12;
    pub(crate) const UNDERLINE: u16 = 7 << UNDERLINE_SHIFT;
}

/// All that decides how a cell is drawn, but its text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Style {
    pub fg: Colour,
    pub bg: Colour,
    pub underline: Colour,
    pub attrs: u16,
    /// The id of its hyperlink, 0 if it has none.
    pub link: u16,
}

impl Style {
    pub(crate) const DEFAULT: Style = Style {
        fg: Colour::DEFAULT,
        bg: Colour::DEFAULT,
        underline: Colour::DEFAULT,
        attrs: 0,
        link: 0,
    };

    /// What SGR 0 leaves: the link, and protection.
    pub(crate) fn unstyled(self) -> Style {
        Style { link: self.link, attrs: self.attrs & attr::PROTECTED, ..Style::DEFAULT }
    }

    /// What erasing with this pen leaves: the background alone.
    pub(crate) fn erasing(self) -> Style {
        Style { bg: self.bg, ..Style::DEFAULT }
    }

    /// Whether a blank in this style is as good as one erased with its background.
    pub(crate) fn blank_shows_only_background(self) -> bool {
        const KEPT: u16 =
            attr::REVERSE | attr::STRIKE | attr::OVERLINE | attr::UNDERLINE | attr::PROTECTED;
        self.attrs & KEPT == 0 && self.link == 0
    }

    /// Whether a blank in this style can't be seen at all.
    pub(crate) fn hides_blanks(self) -> bool {
        self.bg == Colour::DEFAULT && self.blank_shows_only_background()
    }

    fn hash(self) -> u64 {
        let colours = u64::from(self.fg.0) | u64::from(self.bg.0) << 32;
        let rest =
            u64::from(self.underline.0) | u64::from(self.attrs) << 32 | u64::from(self.link) << 48;
        let mixed = colours.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ rest.rotate_left(29);
        mixed.wrapping_mul(0xD6E8_FEB8_6659_FD93)
    }
}

/// Gives each style an id, the default one always 0.
#[derive(Clone, Debug)]
pub(crate) struct StyleTable {
    styles: Vec<Style>,
    /// For each style whether a blank in it can't be seen.
    hides_blanks: Vec<bool>,
    /// Open addressing; 0 is a free slot, for style 0 is never looked up.
    slots: Vec<u16>,
    /// When to look for styles that nothing uses any more.
    collect_at: usize,
}

const FIRST_COLLECTION: usize = 2048;
/// Ids are `u16`; when this many live at once, further ones lose their colours.
const MOST: usize = 65_000;

impl StyleTable {
    pub(crate) fn new() -> StyleTable {
        StyleTable {
            styles: vec![Style::DEFAULT],
            hides_blanks: vec![true],
            slots: Vec::new(),
            collect_at: FIRST_COLLECTION,
        }
    }

    #[inline]
    pub(crate) fn get(&self, id: u16) -> Style {
        self.styles.get(usize::from(id)).copied().unwrap_or_default()
    }

    #[inline]
    pub(crate) fn hides_blanks(&self, id: u16) -> bool {
        self.hides_blanks.get(usize::from(id)).copied().unwrap_or(true)
    }

    pub(crate) fn is_due_for_collection(&self) -> bool {
        self.styles.len() >= self.collect_at
    }

    pub(crate) fn len(&self) -> usize {
        self.styles.len()
    }

    pub(crate) fn intern(&mut self, style: Style) -> u16 {
        if style == Style::DEFAULT {
            return 0;
        }
        if self.slots.len() < self.styles.len() * 2 {
            self.rehash();
        }
        let mask = self.slots.len() - 1;
        let mut at = (style.hash() >> 40) as usize & mask;
        loop {
            match self.slots[at] {
                0 => break,
                id if self.styles[usize::from(id)] == style => return id,
                _ => at = (at + 1) & mask,
            }
        }
        if self.styles.len() >= MOST {
            return 0;
        }
        let id = self.styles.len() as u16;
        self.styles.push(style);
        self.hides_blanks.push(style.hides_blanks());
        self.slots[at] = id;
        id
    }

    fn rehash(&mut self) {
        let size = (self.styles.len() * 4).next_power_of_two().max(16);
        self.slots.clear();
        self.slots.resize(size, 0);
        for (id, style) in self.styles.iter().enumerate().skip(1) {
            let mut at = (style.hash() >> 40) as usize & (size - 1);
            while self.slots[at] != 0 {
                at = (at + 1) & (size - 1);
            }
            self.slots[at] = id as u16;
        }
    }

    /// Keeps the styles marked in `used` and returns each old id's new one.
    pub(crate) fn collect(&mut self, used: &[bool]) -> Vec<u16> {
        let mut new_ids = vec![0; self.styles.len()];
        let mut kept = vec![Style::DEFAULT];
        for (id, style) in self.styles.iter().enumerate().skip(1) {
            if used[id] {
                new_ids[id] = kept.len() as u16;
                kept.push(*style);
            }
        }
        self.hides_blanks = kept.iter().map(|style| style.hides_blanks()).collect();
        self.styles = kept;
        self.collect_at = (self.styles.len() * 2).clamp(FIRST_COLLECTION, MOST);
        self.rehash();
        new_ids
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Style> {
        self.styles.iter()
    }
}

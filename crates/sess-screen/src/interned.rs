//! What cells name by id: styles, hyperlinks, and clusters of several
//! characters that share a cell. It knows nothing of who uses an id; the grids
//! say so when it collects what is no longer used.

use std::collections::HashMap;
use std::sync::Arc;

use crate::cell::{CLUSTER, Cell, WIDE, width};
use crate::style::StyleTable;

/// An OSC 8 hyperlink.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Link {
    pub id: Box<[u8]>,
    pub uri: Box<[u8]>,
}

/// Longer links are not kept: the text goes without.
pub(crate) const LONGEST_LINK: usize = 4096;
const MOST_LINKS: usize = 4096;
const MOST_LINK_BYTES: usize = 1 << 20;
/// Characters past this in one cell are dropped, in bytes of UTF-8.
const LONGEST_CLUSTER: usize = 64;

/// A character beyond ASCII. Each length by itself, for copying so few bytes costs
/// less than asking how many they are.
#[inline]
fn push_utf8(code: u32, out: &mut Vec<u8>) {
    let part = |shift: u32| (code >> shift & 0x3f) as u8 | 0x80;
    match code {
        0..=0x7ff => out.extend_from_slice(&[(code >> 6) as u8 | 0xc0, part(0)]),
        0x800..=0xffff => {
            out.extend_from_slice(&[(code >> 12) as u8 | 0xe0, part(6), part(0)]);
        }
        _ => out.extend_from_slice(&[(code >> 18) as u8 | 0xf0, part(12), part(6), part(0)]),
    }
}

/// The tables behind the ids in cells.
#[derive(Clone, Debug)]
pub(crate) struct Interned {
    pub styles: StyleTable,
    links: Vec<Option<Arc<Link>>>,
    link_ids: HashMap<Arc<Link>, u16>,
    link_bytes: usize,
    clusters: Vec<Box<str>>,
    cluster_ids: HashMap<Box<str>, u32>,
    collect_clusters_at: usize,
}

impl Interned {
    pub(crate) fn new() -> Interned {
        Interned {
            styles: StyleTable::new(),
            links: Vec::new(),
            link_ids: HashMap::new(),
            link_bytes: 0,
            clusters: Vec::new(),
            cluster_ids: HashMap::new(),
            collect_clusters_at: 1024,
        }
    }

    pub(crate) fn link(&self, id: u16) -> Option<&Arc<Link>> {
        self.links.get(usize::from(id).checked_sub(1)?)?.as_ref()
    }

    /// Whether another link may find no room before those unused are collected.
    pub(crate) fn is_short_of_links(&self) -> bool {
        self.link_ids.len() >= MOST_LINKS || self.link_bytes >= MOST_LINK_BYTES
    }

    /// The id of a link, 0 if there is no room for it.
    pub(crate) fn intern_link(&mut self, id: &[u8], uri: &[u8]) -> u16 {
        if uri.is_empty() || id.len() + uri.len() > LONGEST_LINK {
            return 0;
        }
        let link = Arc::new(Link { id: id.into(), uri: uri.into() });
        if let Some(&known) = self.link_ids.get(&link) {
            return known;
        }
        if self.is_short_of_links() {
            return 0;
        }
        let free = self.links.iter().position(Option::is_none).unwrap_or(self.links.len());
        if free == self.links.len() {
            self.links.push(None);
        }
        let number = free as u16 + 1;
        self.link_bytes += id.len() + uri.len();
        self.links[free] = Some(link.clone());
        self.link_ids.insert(link, number);
        number
    }

    /// Forgets the links that neither a style nor one of `pens` names.
    pub(crate) fn collect_links(&mut self, pens: &[u16]) {
        let mut used = vec![false; self.links.len() + 1];
        for style in self.styles.iter() {
            used[usize::from(style.link)] = true;
        }
        for &link in pens {
            used[usize::from(link)] = true;
        }
        for (slot, used) in self.links.iter_mut().zip(&used[1..]) {
            if !used && let Some(link) = slot.take() {
                self.link_bytes -= link.id.len() + link.uri.len();
                self.link_ids.remove(&link);
            }
        }
    }

    /// The text of a cell: nothing for an erased one and for a right half.
    pub(crate) fn push_text(&self, cell: Cell, out: &mut Vec<u8>) {
        if cell.glyph & CLUSTER != 0 {
            out.extend_from_slice(self.cluster(cell.glyph).as_bytes());
        } else if cell.glyph < 0x80 {
            out.push(if cell.glyph == 0 { b' ' } else { cell.glyph as u8 });
        } else {
            push_utf8(cell.glyph, out);
        }
    }

    /// Whether nothing of a cell can be seen, not even a background.
    pub(crate) fn is_unseen(&self, cell: Cell) -> bool {
        cell.is_blank() && self.styles.hides_blanks(cell.style)
    }

    /// The character of a cell without what combines with it.
    pub(crate) fn first_char(&self, cell: Cell) -> char {
        match cell.glyph {
            0 => ' ',
            glyph if glyph & CLUSTER != 0 => self.cluster(glyph).chars().next().unwrap_or(' '),
            glyph => char::from_u32(glyph).unwrap_or(' '),
        }
    }

    pub(crate) fn cluster(&self, glyph: u32) -> &str {
        self.clusters.get((glyph & !CLUSTER) as usize).map_or("", |text| text)
    }

    /// Whether a cell holds several characters that have a width of their own: only
    /// a terminal that knows clusters puts them there.
    pub(crate) fn is_grapheme(&self, cell: Cell) -> bool {
        if cell.glyph & CLUSTER == 0 {
            return false;
        }
        let joined = self.cluster(cell.glyph).chars().skip(1).any(|c| width(c) > 0);
        joined || cell.is(WIDE) != self.begins_wide(cell)
    }

    /// Whether the first character in a cell is wide: at the edge it wraps, which one
    /// that others make wide doesn't.
    pub(crate) fn begins_wide(&self, cell: Cell) -> bool {
        let first = if cell.glyph & CLUSTER == 0 {
            char::from_u32(cell.glyph)
        } else {
            self.cluster(cell.glyph).chars().next()
        };
        first.is_some_and(|c| width(c) == 2)
    }

    /// The glyph of `glyph` with one more character in its cell.
    pub(crate) fn joined(&mut self, glyph: u32, c: char) -> u32 {
        let mut text = String::new();
        if glyph & CLUSTER != 0 {
            text.push_str(self.cluster(glyph));
        } else {
            text.push(char::from_u32(glyph).filter(|&c| c != '\0').unwrap_or(' '));
        }
        if text.len() + c.len_utf8() > LONGEST_CLUSTER {
            return glyph;
        }
        text.push(c);
        if let Some(&id) = self.cluster_ids.get(text.as_str()) {
            return CLUSTER | id;
        }
        let id = self.clusters.len() as u32;
        self.clusters.push(text.clone().into());
        self.cluster_ids.insert(text.into(), id);
        CLUSTER | id
    }

    pub(crate) fn is_due_for_clusters(&self) -> bool {
        self.clusters.len() >= self.collect_clusters_at
    }

    /// How many clusters there are: the length of the marks to collect with.
    pub(crate) fn clusters(&self) -> usize {
        self.clusters.len()
    }

    /// Keeps the clusters marked in `used` and returns each old id's new glyph.
    pub(crate) fn collect_clusters(&mut self, used: &[bool]) -> Vec<u32> {
        let mut glyphs = vec![0; self.clusters.len()];
        let mut kept = Vec::new();
        self.cluster_ids.clear();
        for (id, text) in std::mem::take(&mut self.clusters).into_iter().enumerate() {
            if used[id] {
                glyphs[id] = CLUSTER | kept.len() as u32;
                self.cluster_ids.insert(text.clone(), kept.len() as u32);
                kept.push(text);
            }
        }
        self.clusters = kept;
        self.collect_clusters_at = (self.clusters.len() * 2).max(1024);
        glyphs
    }
}

//! Which modes are on. It knows their numbers and defaults, but not what they do
//! to the screen.

use serde::Serialize;

/// The modes that somebody beside the terminal may want to know of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each is a mode, on or off by itself")]
pub struct Modes {
    /// Bracketed paste (2004).
    pub bracketed_paste: bool,
    /// Application cursor keys (DECCKM).
    pub application_cursor: bool,
    /// Application keypad (DECNKM, `ESC =`).
    pub application_keypad: bool,
    /// The alternate screen is active.
    pub alternate_screen: bool,
    /// The mouse events asked for (9, 1000, 1001, 1002 or 1003), 0 if none.
    pub mouse: u16,
    /// How they are encoded (1005, 1006, 1015 or 1016), 0 as ever.
    pub mouse_encoding: u16,
    /// Focus reports (1004).
    pub focus: bool,
    /// The flags of the kitty keyboard protocol that are in force.
    pub kitty_keyboard: u8,
    /// The level of modifyOtherKeys.
    pub modify_other_keys: u8,
    /// The cursor is shown (DECTCEM).
    pub cursor_visible: bool,
    /// The cursor's shape as DECSCUSR numbers it, 0 the terminal's own.
    pub cursor_shape: u8,
    /// Return sends CR LF, and LF does both (LNM).
    pub newline: bool,
    /// A synchronized update (2026) is under way.
    pub synchronized: bool,
}

pub(crate) const ORIGIN: u16 = 6;
pub(crate) const AUTOWRAP: u16 = 7;
pub(crate) const VISIBLE: u16 = 25;
/// DECCOLM, which does nothing unless allowed by `COLUMN_CHANGE`.
pub(crate) const COLUMNS: u16 = 3;
pub(crate) const COLUMN_CHANGE: u16 = 40;
/// xterm's `curses` fix: a tab at the edge goes to the next row.
pub(crate) const TABS_AFTER_EDGE: u16 = 41;
pub(crate) const REVERSE_WRAP: u16 = 45;
pub(crate) const KEYPAD: u16 = 66;
pub(crate) const COLUMN_MARGINS: u16 = 69;
/// DECNCSM.
pub(crate) const KEEP_ON_COLUMN_CHANGE: u16 = 95;
pub(crate) const FOCUS: u16 = 1004;
pub(crate) const EXTENDED_REVERSE_WRAP: u16 = 1045;
pub(crate) const PASTE: u16 = 2004;
pub(crate) const SYNCHRONIZED: u16 = 2026;
const CLUSTERS: u16 = 2027;

/// Private modes that are simply on or off, and the same in every terminal that
/// was just switched on.
const SWITCHES: [(u16, bool); 18] = [
    (1, false),
    (5, false),
    (ORIGIN, false),
    (AUTOWRAP, true),
    (VISIBLE, true),
    (REVERSE_WRAP, false),
    (KEYPAD, false),
    (COLUMN_MARGINS, false),
    (FOCUS, false),
    (PASTE, false),
    (SYNCHRONIZED, false),
    (2031, false),
    (2048, false),
    (EXTENDED_REVERSE_WRAP, false),
    (COLUMN_CHANGE, false),
    (TABS_AFTER_EDGE, false),
    (42, false),
    (KEEP_ON_COLUMN_CHANGE, false),
];

/// Modes that terminals start with on or off as they like: only what the
/// program said of them is known.
const TERMINALS_OWN: [u16; 4] = [12, 1007, CLUSTERS, 1034];

/// Modes that change the screen or only the host's side, and are never replayed.
const NEVER_KEPT: [u16; 8] = [2, COLUMNS, 4, 8, 38, 80, 96, 1070];

/// Unknown modes that were set, at most so many.
const MOST_OTHERS: usize = 32;

const MOUSE: [u16; 5] = [9, 1000, 1001, 1002, 1003];
const ENCODINGS: [u16; 4] = [1005, 1006, 1015, 1016];

/// All modes but those that are part of the screen's state elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ModeSet {
    switches: u32,
    pub mouse: u16,
    pub encoding: u16,
    /// Other private modes as the program left them.
    pub others: Vec<(u16, bool)>,
    pub insert: bool,
    pub newline: bool,
    /// What XTSAVE put aside, for XTRESTORE.
    pub saved: Vec<(u16, bool)>,
    /// Grapheme clusters share a cell (2027).
    pub clusters: bool,
}

impl ModeSet {
    pub(crate) fn new() -> ModeSet {
        let mut switches = 0;
        for (bit, (_, on)) in SWITCHES.iter().enumerate() {
            switches |= u32::from(*on) << bit;
        }
        ModeSet {
            switches,
            mouse: 0,
            encoding: 0,
            others: Vec::new(),
            insert: false,
            newline: false,
            saved: Vec::new(),
            clusters: false,
        }
    }

    /// Whether a switch is on. Anything that is no switch is off.
    #[inline]
    pub(crate) fn is_on(&self, mode: u16) -> bool {
        let bit = SWITCHES.iter().position(|(number, _)| *number == mode);
        bit.is_some_and(|bit| self.switches >> bit & 1 != 0)
    }

    /// DECAWM, which each character asks for.
    #[inline]
    pub(crate) fn autowrap(&self) -> bool {
        const { assert!(SWITCHES[3].0 == AUTOWRAP) };
        self.switches >> 3 & 1 != 0
    }

    /// Sets or resets a private mode.
    pub(crate) fn set(&mut self, mode: u16, on: bool) {
        if let Some(bit) = SWITCHES.iter().position(|(number, _)| *number == mode) {
            self.switches = self.switches & !(1 << bit) | u32::from(on) << bit;
        } else if MOUSE.contains(&mode) {
            self.mouse = if on { mode } else { 0 };
        } else if ENCODINGS.contains(&mode) {
            if on {
                self.encoding = mode;
            } else if self.encoding == mode {
                self.encoding = 0;
            }
        } else if !NEVER_KEPT.contains(&mode) {
            if mode == CLUSTERS {
                self.clusters = on;
            }
            self.others.retain(|(number, _)| *number != mode);
            if (on || TERMINALS_OWN.contains(&mode)) && self.others.len() < MOST_OTHERS {
                self.others.push((mode, on));
            }
        }
    }

    /// Puts a mode's state aside. Not that of the alternate screen, which no replay
    /// could save again without showing it.
    pub(crate) fn save(&mut self, mode: u16) {
        let known = matches!(self.report(mode), 1 | 2);
        let set = self.others.iter().any(|(number, _)| *number == mode);
        if NEVER_KEPT.contains(&mode) || !(known || set) {
            return;
        }
        self.saved.retain(|(number, _)| *number != mode);
        if self.saved.len() < MOST_OTHERS {
            self.saved.push((mode, self.is_set(mode)));
        }
    }

    fn is_set(&self, mode: u16) -> bool {
        self.is_on(mode)
            || self.mouse == mode
            || self.encoding == mode
            || self.others.contains(&(mode, true))
    }

    /// The state of a mode that was put aside.
    pub(crate) fn saved(&self, mode: u16) -> Option<bool> {
        self.saved.iter().find_map(|&(number, on)| (number == mode).then_some(on))
    }

    /// The state that a mode has at the start.
    pub(crate) fn default_of(mode: u16) -> bool {
        SWITCHES.contains(&(mode, true))
    }

    /// What DECRQM says of a private mode: 0 unknown, 1 set, 2 reset.
    pub(crate) fn report(&self, mode: u16) -> u8 {
        let known = |on| if on { 1 } else { 2 };
        if SWITCHES.iter().any(|(number, _)| *number == mode) {
            known(self.is_on(mode))
        } else if MOUSE.contains(&mode) {
            known(self.mouse == mode)
        } else if ENCODINGS.contains(&mode) {
            known(self.encoding == mode)
        } else if TERMINALS_OWN.contains(&mode) || self.others.contains(&(mode, true)) {
            known(self.others.contains(&(mode, true)))
        } else {
            0
        }
    }

    /// The switches that are not as they were at the start, with their state.
    pub(crate) fn changed(&self) -> impl Iterator<Item = (u16, bool)> {
        let switches = SWITCHES.iter().enumerate();
        switches.filter_map(|(bit, &(mode, default))| {
            let on = self.switches >> bit & 1 != 0;
            (on != default).then_some((mode, on))
        })
    }
}

//! The detach key: what the configuration says it is, and the watching for it.
//! Owns what of it is held back and given back. Must not know how input is cut
//! into keys.

use std::fmt;
use std::str::FromStr;

use sess_proto::message::KeyCode;

use crate::keys::{CTRL, Key, Motion, is_accompaniment};

/// More than a person does between two keys is no beginning of a sequence.
const KEPT_LIMIT: usize = 4096;

/// The key, or sequence of keys, that detaches; none if it is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DetachKey(Vec<Key>);

/// A text that can't be a detach key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoDetachKey {
    /// It names no key.
    Unknown,
    /// Every escape sequence begins like this key.
    Escape,
    /// The key isn't ASCII.
    NotAscii,
}

impl fmt::Display for NoDetachKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "it takes keys as C-\\, C-a d, M-x, C-Space or F12, or \"\" for none",
            Self::Escape => "it takes no Escape or C-[, which begins what other keys send",
            Self::NotAscii => "it takes keys of ASCII characters alone",
        })
    }
}

impl Default for DetachKey {
    fn default() -> Self {
        Self(vec![Key { code: KeyCode::Char('\\'), mods: CTRL }])
    }
}

impl FromStr for DetachKey {
    type Err = NoDetachKey;

    fn from_str(text: &str) -> Result<Self, NoDetachKey> {
        let key = |text: &str| {
            let key: Key = text.parse().map_err(|_| NoDetachKey::Unknown)?;
            match key.code {
                _ if key.byte() == Some(0x1b) => Err(NoDetachKey::Escape),
                KeyCode::Char(c) if !c.is_ascii() => Err(NoDetachKey::NotAscii),
                _ => Ok(key),
            }
        };
        text.split_ascii_whitespace().map(key).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for DetachKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.0.iter().map(Key::to_string).collect();
        f.write_str(&keys.join(" "))
    }
}

/// What becomes of a piece of input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It goes on.
    Pass,
    /// It is kept for now, or for good.
    Keep,
    /// First what was kept goes on, then it.
    GiveBack(Vec<u8>),
    /// What was kept goes on in its place.
    Replace(Vec<u8>),
    /// It completes the detach key; of what was kept this wasn't part of it.
    Detach(Vec<u8>),
}

/// Watches input, a key at a time, for the detach key.
#[derive(Debug)]
pub(crate) struct DetachWatch {
    keys: Vec<Key>,
    /// How many of the keys have been pressed.
    pressed: usize,
    /// Those keys' bytes and what came in between.
    kept: Vec<u8>,
    /// Only what came in between: releases of others, modifiers.
    between: Vec<u8>,
    /// Whether the first key went up again since it was kept.
    first_released: bool,
    /// Whether the next release is that of a press that didn't go on.
    drop_release: bool,
}

impl DetachWatch {
    /// A watch for this key.
    pub(crate) fn new(key: DetachKey) -> Self {
        Self {
            keys: key.0,
            pressed: 0,
            kept: Vec::new(),
            between: Vec::new(),
            first_released: false,
            drop_release: false,
        }
    }

    /// The only byte outside of escape sequences that matters now; nothing if
    /// none does.
    pub(crate) fn byte(&self) -> Option<u8> {
        self.keys.first().and_then(|key| key.byte())
    }

    /// Whether a sequence has begun, so that every byte matters.
    pub(crate) fn has_begun(&self) -> bool {
        self.pressed > 0
    }

    /// What becomes of these bytes: one character or whole escape sequence that
    /// somebody typed.
    pub(crate) fn judge(&mut self, key: &[u8]) -> Verdict {
        let Some(first) = self.keys.first() else { return Verdict::Pass };
        let of_first = first.motion_in(key);
        if self.pressed == 0 {
            return match of_first {
                Some(Motion::Press) => self.press(key),
                Some(Motion::Release) if self.keys.len() == 1 || self.drop_release => {
                    self.drop_release = false;
                    Verdict::Keep
                }
                _ => Verdict::Pass,
            };
        }
        if is_accompaniment(key) && self.kept.len() < KEPT_LIMIT {
            self.kept.extend_from_slice(key);
            if self.keys[..self.pressed].iter().all(|pressed| pressed.motion_in(key).is_none()) {
                self.between.extend_from_slice(key);
            }
            self.first_released |= of_first == Some(Motion::Release);
            return Verdict::Keep;
        }
        if self.keys[self.pressed].motion_in(key) == Some(Motion::Press) {
            return self.press(key);
        }
        // Twice sends it once: the second press doesn't go on, nor does its
        // release, if that of the first did.
        if self.pressed == 1 && of_first == Some(Motion::Press) {
            self.drop_release = self.first_released;
            return Verdict::Replace(self.give_back());
        }
        Verdict::GiveBack(self.give_back())
    }

    /// What is kept, which is no detach key any more.
    pub(crate) fn give_back(&mut self) -> Vec<u8> {
        self.pressed = 0;
        self.first_released = false;
        self.between.clear();
        std::mem::take(&mut self.kept)
    }

    fn press(&mut self, key: &[u8]) -> Verdict {
        self.drop_release = false;
        self.pressed += 1;
        if self.pressed < self.keys.len() {
            self.kept.extend_from_slice(key);
            return Verdict::Keep;
        }
        let between = std::mem::take(&mut self.between);
        self.give_back();
        Verdict::Detach(between)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(text: &str) -> DetachWatch {
        DetachWatch::new(text.parse().unwrap())
    }

    fn detach() -> Verdict {
        Verdict::Detach(Vec::new())
    }

    #[test]
    fn the_default_is_control_backslash() {
        assert_eq!(DetachKey::default(), "C-\\".parse().unwrap());
        assert_eq!(DetachKey::default().to_string(), "C-\\");
        let mut watch = DetachWatch::new(DetachKey::default());
        assert_eq!(watch.byte(), Some(0x1c));
        assert_eq!(watch.judge(b"\x1c"), detach());
        assert_eq!(watch.judge(b"\x1b[92;5u"), detach());
        assert_eq!(watch.judge(b"\x1b[27;5;92~"), detach());
        assert_eq!(watch.judge(b"\\"), Verdict::Pass);
    }

    #[test]
    fn a_release_of_the_only_key_goes_nowhere() {
        assert_eq!(watch("C-\\").judge(b"\x1b[92;5:3u"), Verdict::Keep);
    }

    #[test]
    fn no_key_is_never_pressed() {
        let mut watch = watch("");
        assert_eq!(watch.byte(), None);
        assert_eq!(watch.judge(b"\x1c"), Verdict::Pass);
    }

    #[test]
    fn bad_texts_are_told_what_is_accepted() {
        let error = |text: &str| text.parse::<DetachKey>().unwrap_err();
        assert_eq!(error("C-a foo"), NoDetachKey::Unknown);
        assert_eq!(error("Escape"), NoDetachKey::Escape);
        assert_eq!(error("C-["), NoDetachKey::Escape);
        assert_eq!(error("é"), NoDetachKey::NotAscii);
        assert!(error("x y Foo").to_string().contains("C-a d"));
        assert_eq!("  C-a   d ".parse::<DetachKey>().unwrap().to_string(), "C-a d");
    }

    #[test]
    fn of_a_sequence_the_first_key_is_kept() {
        let mut watch = watch("C-a d");
        assert_eq!(watch.judge(b"d"), Verdict::Pass);
        assert_eq!(watch.judge(b"\x01"), Verdict::Keep);
        assert_eq!(watch.judge(b"d"), detach());
        assert!(!watch.has_begun());
    }

    #[test]
    fn the_first_key_twice_sends_it_once() {
        let mut watch = watch("C-a d");
        assert_eq!(watch.judge(b"\x01"), Verdict::Keep);
        assert_eq!(watch.judge(b"\x01"), Verdict::Replace(b"\x01".to_vec()));
        assert_eq!(watch.judge(b"d"), Verdict::Pass);
    }

    #[test]
    fn another_key_sends_both() {
        let mut watch = watch("C-a d");
        assert_eq!(watch.judge(b"\x01"), Verdict::Keep);
        assert_eq!(watch.judge(b"x"), Verdict::GiveBack(b"\x01".to_vec()));
        assert_eq!(watch.judge(b"d"), Verdict::Pass);
    }

    #[test]
    fn releases_and_modifiers_break_no_sequence() {
        let mut watch = watch("C-a d");
        assert_eq!(watch.judge(b"\x1b[57442;5u"), Verdict::Pass);
        assert_eq!(watch.judge(b"\x1b[97;5u"), Verdict::Keep);
        assert_eq!(watch.judge(b"\x1b[97;5:3u"), Verdict::Keep);
        assert_eq!(watch.judge(b"\x1b[57442;1:3u"), Verdict::Keep);
        assert_eq!(watch.judge(b"\x1b[100;1u"), Verdict::Detach(b"\x1b[57442;1:3u".to_vec()));
    }

    #[test]
    fn presses_and_releases_that_go_on_stay_paired() {
        let mut watch = watch("C-a d");
        watch.judge(b"\x1b[97;5u");
        watch.judge(b"\x1b[97;5:3u");
        let once = b"\x1b[97;5u\x1b[97;5:3u".to_vec();
        assert_eq!(watch.judge(b"\x1b[97;5u"), Verdict::Replace(once));
        assert_eq!(watch.judge(b"\x1b[97;5:3u"), Verdict::Keep);
        assert_eq!(watch.judge(b"\x1b[97;5:3u"), Verdict::Pass);
        // A repeat instead of a second press: the one release belongs to the first.
        watch.judge(b"\x1b[97;5u");
        assert_eq!(watch.judge(b"\x1b[97;5:2u"), Verdict::Replace(b"\x1b[97;5u".to_vec()));
        assert_eq!(watch.judge(b"\x1b[97;5:3u"), Verdict::Pass);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut watch = watch("C-a d");
        watch.judge(b"\x01");
        let verdict = (0..1_000)
            .map(|_| watch.judge(b"\x1b[57442;5u"))
            .find(|verdict| *verdict != Verdict::Keep);
        let Some(Verdict::GiveBack(kept)) = verdict else { panic!("{verdict:?}") };
        assert!(kept.len() < KEPT_LIMIT + 20);
    }

    #[test]
    fn a_sequence_may_be_of_one_key_or_of_three() {
        let mut twice = watch("C-a C-a");
        twice.judge(b"\x01");
        assert_eq!(twice.judge(b"\x01"), detach());
        let mut three = watch("C-a C-b F12");
        three.judge(b"\x01");
        assert_eq!(three.judge(b"\x02"), Verdict::Keep);
        assert_eq!(three.judge(b"\x1b[24~"), detach());
        three.judge(b"\x01");
        three.judge(b"\x02");
        assert_eq!(three.judge(b"\x01"), Verdict::GiveBack(b"\x01\x02".to_vec()));
    }
}

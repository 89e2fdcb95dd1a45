//! How keys are encoded: the kitty keyboard protocol's stack and xterm's key
//! modifier options. It knows nothing of keys.

use crate::sgr::push_number;

/// kitty drops the oldest entry of a longer stack.
const DEEPEST: usize = 16;

/// One screen's stack of kitty keyboard flags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct KittyStack {
    /// What holds while the stack is empty.
    base: u8,
    pushed: Vec<u8>,
}

impl KittyStack {
    pub(crate) fn flags(&self) -> u8 {
        self.pushed.last().copied().unwrap_or(self.base)
    }

    pub(crate) fn push(&mut self, flags: u8) {
        if self.pushed.len() == DEEPEST {
            self.pushed.remove(0);
        }
        self.pushed.push(flags & 31);
    }

    /// Emptying the stack resets the flags.
    pub(crate) fn pop(&mut self, n: usize) {
        if n > self.pushed.len() || n == 0 {
            self.base = 0;
        }
        self.pushed.truncate(self.pushed.len().saturating_sub(n));
    }

    /// `CSI = flags ; how u`: 1 replaces, 2 adds, 3 takes away.
    pub(crate) fn set(&mut self, flags: u8, how: u16) {
        let flags = flags & 31;
        let top = self.pushed.last_mut().unwrap_or(&mut self.base);
        match how {
            2 => *top |= flags,
            3 => *top &= !flags,
            _ => *top = flags,
        }
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        if self.base != 0 {
            out.extend_from_slice(b"\x1b[=");
            push_number(out, self.base.into());
            out.extend_from_slice(b"u");
        }
        for &flags in &self.pushed {
            out.extend_from_slice(b"\x1b[>");
            push_number(out, flags.into());
            out.push(b'u');
        }
    }

    pub(crate) fn write_undo(&self, out: &mut Vec<u8>) {
        if !self.pushed.is_empty() {
            out.extend_from_slice(b"\x1b[<");
            push_number(out, self.pushed.len() as u32);
            out.push(b'u');
        }
        if self.base != 0 {
            out.extend_from_slice(b"\x1b[=0u");
        }
    }
}

/// xterm's XTMODKEYS resources (`CSI > resource ; value m`); 4 is
/// modifyOtherKeys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct KeyModifiers([Option<u8>; 8]);

impl KeyModifiers {
    pub(crate) fn set(&mut self, resource: u16, value: Option<u16>) {
        if let Some(slot) = self.0.get_mut(usize::from(resource)) {
            *slot = value.and_then(|value| u8::try_from(value).ok());
            // Off is where modifyOtherKeys starts.
            if resource == 4 && *slot == Some(0) {
                *slot = None;
            }
        }
    }

    pub(crate) fn other_keys(&self) -> u8 {
        self.0[4].unwrap_or(0)
    }

    fn changed(&self) -> impl Iterator<Item = (u32, u8)> {
        self.0.iter().enumerate().filter_map(|(i, value)| Some((i as u32, (*value)?)))
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        for (resource, value) in self.changed() {
            out.extend_from_slice(b"\x1b[>");
            push_number(out, resource);
            out.push(b';');
            push_number(out, value.into());
            out.push(b'm');
        }
    }

    pub(crate) fn write_undo(&self, out: &mut Vec<u8>) {
        for (resource, _) in self.changed() {
            out.extend_from_slice(b"\x1b[>");
            push_number(out, resource);
            out.push(b'm');
        }
    }
}

//! Shell integration marks (OSC 133) on a row: where prompts, commands and their
//! output begin and end; and where that leaves the shell. They know nothing of rows.

use serde::Serialize;

/// What a shell said of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// Its prompt begins here (`OSC 133 ; A`).
    Prompt,
    /// What is typed begins here (`B`).
    Command,
    /// The command's output begins here (`C`).
    Output,
    /// The command has ended (`D`).
    End,
}

/// Where a shell with such marks is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ShellState {
    /// At its prompt: it has begun one (`OSC 133 ; A` or `P`), or what is typed (`B`).
    Prompt,
    /// A command runs (`C`).
    Command,
    /// The command has ended, and no prompt has begun yet (`D`).
    Finished,
}

impl ShellState {
    /// Where it is after the letter of an OSC 133, if that says so.
    pub(crate) fn after(letter: u8) -> Option<ShellState> {
        match letter {
            b'A' | b'B' | b'P' => Some(ShellState::Prompt),
            b'C' => Some(ShellState::Command),
            b'D' => Some(ShellState::Finished),
            _ => None,
        }
    }
}

/// Each kind, with the letter that says it.
const KINDS: [(Mark, u8); 4] =
    [(Mark::Prompt, b'A'), (Mark::Command, b'B'), (Mark::Output, b'C'), (Mark::End, b'D')];

/// The marks of one row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks(pub u8);

impl Marks {
    pub(crate) const NONE: Marks = Marks(0);

    /// Takes the letter of an OSC 133; others are none of these.
    pub(crate) fn add(&mut self, letter: u8) {
        if let Some(kind) = KINDS.iter().position(|(_, known)| *known == letter) {
            self.0 |= 1 << kind;
        }
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = (Mark, u8)> {
        let set = move |(kind, mark)| (self.0 >> kind & 1 != 0).then_some(mark);
        KINDS.into_iter().enumerate().filter_map(set)
    }

    /// Says them at the cursor's row.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        for (_, letter) in self.iter() {
            out.extend_from_slice(b"\x1b]133;");
            out.push(letter);
            out.extend_from_slice(b"\x1b\\");
        }
    }
}

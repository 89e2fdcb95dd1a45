//! The title, the icon's name, the stack of both, and the working directory: the
//! texts that a program tells the terminal. It knows nothing of the screen.

/// Longer ones are cut: a title is a line to be seen.
pub(crate) const LONGEST_TITLE: usize = 1024;
const LONGEST_DIRECTORY: usize = 4096;
/// As many levels as xterm has.
const DEEPEST: usize = 10;

/// What `CSI 22 t` put aside.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Kept {
    title: Option<String>,
    icon: Option<String>,
}

/// Texts about the session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Titles {
    pub title: String,
    icon: String,
    /// OSC 7, as it was said.
    pub directory: Vec<u8>,
    kept: Vec<Kept>,
}

impl Titles {
    /// OSC 0 sets both, 1 the icon's name, 2 the title.
    pub(crate) fn set(&mut self, which: u16, text: &[u8]) {
        let text = cleaned(text);
        if which != 2 {
            self.icon.clone_from(&text);
        }
        if which != 1 {
            self.title = text;
        }
    }

    pub(crate) fn set_directory(&mut self, text: &[u8]) {
        let fits = text.len() <= LONGEST_DIRECTORY && !text.iter().any(u8::is_ascii_control);
        self.directory = if fits { text.to_vec() } else { Vec::new() };
    }

    /// `CSI 22 ; which t`, the numbers as for `set`.
    pub(crate) fn push(&mut self, which: u16) {
        if self.kept.len() == DEEPEST {
            self.kept.remove(0);
        }
        self.kept.push(Kept {
            title: (which != 1).then(|| self.title.clone()),
            icon: (which != 2).then(|| self.icon.clone()),
        });
    }

    /// `CSI 23 ; which t`.
    pub(crate) fn pop(&mut self, which: u16) {
        if let Some(kept) = self.kept.pop() {
            if let Some(title) = kept.title.filter(|_| which != 1) {
                self.title = title;
            }
            if let Some(icon) = kept.icon.filter(|_| which != 2) {
                self.icon = icon;
            }
        }
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        // Empty is how the model starts: there the terminal keeps what it has, and puts that
        // aside, unless other texts came in between.
        let (mut titled, mut named) = (false, false);
        let mut tell = |title: Option<&str>, icon: Option<&str>, out: &mut Vec<u8>| {
            let title = title.filter(|text| titled || !text.is_empty());
            let icon = icon.filter(|text| named || !text.is_empty());
            titled |= title.is_some();
            named |= icon.is_some();
            write_pair(title, icon, out);
        };
        for kept in &self.kept {
            let which = match (&kept.title, &kept.icon) {
                (Some(_), Some(_)) => b'0',
                (None, _) => b'1',
                _ => b'2',
            };
            tell(kept.title.as_deref(), kept.icon.as_deref(), out);
            out.extend_from_slice(b"\x1b[22;");
            out.extend_from_slice(&[which, b't']);
        }
        tell(Some(&self.title), Some(&self.icon), out);
        if !self.directory.is_empty() {
            write_osc(b"7", &self.directory, out);
        }
    }

    /// The stack goes back to the height it had; whatever title stood below is
    /// thereby restored.
    pub(crate) fn write_undo(&self, out: &mut Vec<u8>) {
        for _ in &self.kept {
            out.extend_from_slice(b"\x1b[23;0t");
        }
    }
}

fn write_pair(title: Option<&str>, icon: Option<&str>, out: &mut Vec<u8>) {
    match (title, icon) {
        (Some(title), Some(icon)) if title == icon => write_osc(b"0", title.as_bytes(), out),
        _ => {
            if let Some(icon) = icon {
                write_osc(b"1", icon.as_bytes(), out);
            }
            if let Some(title) = title {
                write_osc(b"2", title.as_bytes(), out);
            }
        }
    }
}

fn write_osc(number: &[u8], text: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"\x1b]");
    out.extend_from_slice(number);
    out.push(b';');
    out.extend_from_slice(text);
    out.extend_from_slice(b"\x1b\\");
}

/// A text without control characters, cut to its bound between two characters.
pub(crate) fn cleaned(text: &[u8]) -> String {
    let mut cleaned: String =
        String::from_utf8_lossy(text).chars().filter(|c| !c.is_control()).collect();
    if cleaned.len() > LONGEST_TITLE {
        let end = (0..=LONGEST_TITLE).rev().find(|&end| cleaned.is_char_boundary(end));
        cleaned.truncate(end.unwrap_or(0));
    }
    cleaned
}

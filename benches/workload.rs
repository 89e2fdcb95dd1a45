//! What programs write: three kinds of output, the same bytes in every run, in
//! files that sessions `cat`.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::viewer::Size;

/// Bytes in one file, about.
pub(crate) const FILE_BYTES: usize = 10_000_000;

const WORDS: [&str; 12] = [
    "kernel",
    "module",
    "loaded",
    "at",
    "address",
    "request",
    "took",
    "ms",
    "connection",
    "ok",
    "retry",
    "worker",
];

/// A kind of output.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Workload {
    /// Log lines.
    Plain,
    /// Lines with a colour for each word.
    Coloured,
    /// Screens that are painted over.
    FullScreen,
}

impl Workload {
    /// All of them.
    pub(crate) const ALL: [Workload; 3] =
        [Workload::Plain, Workload::Coloured, Workload::FullScreen];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Workload::Plain => "plain",
            Workload::Coloured => "coloured",
            Workload::FullScreen => "full-screen",
        }
    }

    fn text(self, size: Size) -> String {
        let mut text = String::with_capacity(FILE_BYTES + 64 * 1024);
        let mut n = 0;
        if self == Workload::FullScreen {
            text.push_str("\x1b[?1049h");
        }
        while text.len() < FILE_BYTES {
            match self {
                Workload::Plain => plain(n, &mut text),
                Workload::Coloured => coloured(n, &mut text),
                Workload::FullScreen => frame(n, size, &mut text),
            }
            n += 1;
        }
        if self == Workload::FullScreen {
            text.push_str("\x1b[m\x1b[?1049l");
        }
        text
    }
}

/// The files, one for each kind and size that was asked for.
#[derive(Debug)]
pub(crate) struct Workloads {
    dir: TempDir,
}

impl Workloads {
    pub(crate) fn new() -> Result<Workloads, String> {
        let dir = TempDir::with_prefix("sess-bench-").map_err(|error| format!("/tmp: {error}"))?;
        Ok(Workloads { dir })
    }

    /// The file of this kind, written when first asked for.
    pub(crate) fn file(&self, workload: Workload, size: Size) -> Result<PathBuf, String> {
        let name = match workload {
            Workload::FullScreen => format!("{}-{}x{}", workload.name(), size.cols, size.rows),
            Workload::Plain | Workload::Coloured => workload.name().to_owned(),
        };
        self.written(&name, || workload.text(size))
    }

    /// A file of `lines` coloured lines.
    pub(crate) fn lines(&self, lines: usize) -> Result<PathBuf, String> {
        self.written(&format!("{lines}-lines"), || {
            let mut text = String::new();
            (0..lines).for_each(|n| coloured(n, &mut text));
            text
        })
    }

    fn written(&self, name: &str, text: impl FnOnce() -> String) -> Result<PathBuf, String> {
        let path = self.dir.path().join(name);
        if !path.exists() {
            fs::write(&path, text()).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(path)
    }
}

/// Bytes in a file.
pub(crate) fn bytes_in(path: &Path) -> Result<u64, String> {
    fs::metadata(path)
        .map(|meta| meta.len())
        .map_err(|error| format!("{}: {error}", path.display()))
}

fn word(seed: usize) -> &'static str {
    WORDS[seed.wrapping_mul(2_654_435_761) / 7 % WORDS.len()]
}

fn plain(n: usize, text: &mut String) {
    let start = text.len();
    let _ = write!(text, "{n:08}");
    let mut i = 0;
    while text.len() - start < 58 {
        text.push(' ');
        text.push_str(word(n * 8 + i));
        i += 1;
    }
    text.push('\n');
}

fn coloured(n: usize, text: &mut String) {
    for i in 0..7 {
        let word = word(n * 7 + i);
        let _ = match (n + i) % 3 {
            0 => write!(text, "\x1b[{}m{word}\x1b[0m ", 31 + i % 7),
            1 => write!(text, "\x1b[1;38;5;{}m{word}\x1b[m ", (n + 16 * i) % 256),
            _ => write!(text, "\x1b[38;2;{};{};90m{word}\x1b[39m ", n % 256, i * 30),
        };
    }
    text.push('\n');
}

/// Every row placed, coloured in parts, and cleared to its end.
fn frame(n: usize, size: Size, text: &mut String) {
    text.push_str("\x1b[H");
    for row in 1..=usize::from(size.rows) {
        let _ = write!(text, "\x1b[{row};1H\x1b[3{}m{:>6} \x1b[m", (row + n) % 8, n * row);
        let mut width = 7;
        let mut i = 0;
        while width + 24 < usize::from(size.cols) {
            let (one, other) = (word(n + row * 7 + i), word(row + i));
            let _ = write!(text, "{one} \x1b[1;44m{other}\x1b[0m ");
            width += one.len() + other.len() + 2;
            i += 1;
        }
        text.push_str("\x1b[K");
    }
}

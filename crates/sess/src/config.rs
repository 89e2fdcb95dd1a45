//! The configuration: a few settings from a TOML file. Owns their names, bounds
//! and defaults. Must not know what they are for.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::detach_key::{DetachKey, NoDetachKey};
use crate::error::Failure;

const DETACH_KEY: &str = "detach-key";
const JOURNAL: &str = "journal";
const HISTORY: &str = "history";
const LINES: &str = "lines";
const KEYS: [&str; 4] = [DETACH_KEY, HISTORY, JOURNAL, LINES];

/// Below that a leader at its own pace would be overtaken.
const JOURNAL_MIN: u64 = 256 * 1024;
const JOURNAL_MAX: u64 = 64 * 1024 * 1024;
/// The most lines of history that a session may be told to keep.
pub(crate) const HISTORY_MAX: u64 = 1_000_000;

/// How many lines of history an attach brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lines {
    /// Every line there is.
    All,
    /// At most so many.
    Count(u64),
}

impl Lines {
    /// The number as it is said to a holder.
    pub(crate) fn to_wire(self) -> u64 {
        match self {
            Self::All => u64::MAX,
            Self::Count(count) => count,
        }
    }
}

impl FromStr for Lines {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "all" => Ok(Self::All),
            "none" => Ok(Self::Count(0)),
            _ if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                text.parse().map(Self::Count).map_err(|_| "it takes a number, 'all' or 'none'")
            }
            _ => Err("it takes a number, 'all' or 'none'"),
        }
    }
}

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Count(0) => f.write_str("none"),
            Self::Count(count) => count.fmt(f),
        }
    }
}

/// What may be configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    /// What detaches.
    pub(crate) detach_key: DetachKey,
    /// Bytes of output that a holder keeps as they came.
    pub(crate) journal: usize,
    /// Lines of history that a holder keeps.
    pub(crate) history: u64,
    /// Lines of history that an attach brings.
    pub(crate) lines: Lines,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            detach_key: DetachKey::default(),
            journal: 1024 * 1024,
            history: 10_000,
            lines: Lines::Count(1_000),
        }
    }
}

impl Config {
    /// The configuration of this environment. A file that isn't there is no
    /// configuration, unless `$SESS_CONFIG` names it.
    pub(crate) fn load(
        env: &dyn Fn(&str) -> Option<OsString>,
        home: Option<&Path>,
    ) -> Result<Self, Failure> {
        let named = env("SESS_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from);
        let is_named = named.is_some();
        let Some(path) = named.or_else(|| default_path(env, home)) else {
            return Ok(Self::default());
        };
        match fs::read(&path) {
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) => Self::parse(&text, &path),
                Err(error) => {
                    let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
                    Err(Failure::failed(format!(
                        "{}:{}: the configuration is not UTF-8",
                        path.display(),
                        newlines(before) + 1
                    )))
                }
            },
            Err(error)
                if !is_named
                    && matches!(
                        error.kind(),
                        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                    ) =>
            {
                Ok(Self::default())
            }
            Err(error) => {
                let failure = Failure::failed(format!(
                    "can't read the configuration {}: {error}",
                    path.display()
                ));
                Err(if is_named { failure.hint("SESS_CONFIG names it") } else { failure })
            }
        }
    }

    /// The configuration that `text` says; `path` is for messages.
    pub(crate) fn parse(text: &str, path: &Path) -> Result<Self, Failure> {
        let place = |span: Range<usize>| {
            let before = text.as_bytes().get(..span.start).unwrap_or(text.as_bytes());
            format!("{}:{}", path.display(), newlines(before) + 1)
        };
        let table = DeTable::parse(text).map_err(|error| {
            let span = error.span().unwrap_or_default();
            let reason = error.message().lines().collect::<Vec<_>>().join(", ");
            Failure::failed(format!("{}: {reason}", place(span)))
        })?;
        let mut entries: Vec<_> = table.get_ref().iter().collect();
        // In the order of the file, so that the first mistake is told first.
        entries.sort_by_key(|(key, _)| key.span().start);
        let mut config = Self::default();
        for (key, value) in entries {
            let name = key.get_ref().as_ref();
            config.set(name, value).map_err(|wrong| match wrong {
                Wrong::Key => unknown_key(&place(key.span()), name),
                Wrong::Value(accepted) => Failure::failed(format!(
                    "{}: {name}: {accepted}, not {}",
                    place(value.span()),
                    text.get(value.span()).unwrap_or_default()
                )),
            })?;
        }
        Ok(config)
    }

    fn set(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Result<(), Wrong> {
        let value = value.get_ref();
        match key {
            DETACH_KEY => {
                let text =
                    value.as_str().ok_or(Wrong::value("it takes keys in quotes, as \"C-a d\""))?;
                self.detach_key =
                    text.parse().map_err(|wrong: NoDetachKey| Wrong::value(wrong.to_string()))?;
            }
            JOURNAL => {
                let bytes = integer(value)
                    .filter(|bytes| (JOURNAL_MIN..=JOURNAL_MAX).contains(bytes))
                    .ok_or_else(|| {
                        Wrong::value(format!("it takes {JOURNAL_MIN} to {JOURNAL_MAX} bytes"))
                    })?;
                self.journal = usize::try_from(bytes).expect("64 MiB are within any usize");
            }
            HISTORY => {
                self.history = integer(value)
                    .filter(|lines| *lines <= HISTORY_MAX)
                    .ok_or_else(|| Wrong::value(format!("it takes 0 to {HISTORY_MAX} lines")))?;
            }
            LINES => {
                self.lines = match (value.as_str(), integer(value)) {
                    (Some(text), _) => text.parse().ok(),
                    (None, count) => count.map(Lines::Count),
                }
                .ok_or_else(|| Wrong::value("it takes a number, \"all\" or \"none\""))?;
            }
            _ => return Err(Wrong::Key),
        }
        Ok(())
    }
}

/// What is wrong with an entry.
enum Wrong {
    /// There is no such key.
    Key,
    /// Its value; this is what is accepted.
    Value(String),
}

impl Wrong {
    fn value(accepted: impl Into<String>) -> Self {
        Self::Value(accepted.into())
    }
}

fn default_path(env: &dyn Fn(&str) -> Option<OsString>, home: Option<&Path>) -> Option<PathBuf> {
    // A relative XDG_CONFIG_HOME is invalid and to be ignored, says its specification.
    let configured = env("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let directory = configured.or_else(|| home.map(|home| home.join(".config")))?;
    Some(directory.join("sess/config.toml"))
}

fn integer(value: &DeValue<'_>) -> Option<u64> {
    let integer = value.as_integer()?;
    u64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn unknown_key(place: &str, name: &str) -> Failure {
    let all = format!("accepted are {}", KEYS.join(", "));
    let similar = name.replace('_', "-").to_lowercase();
    let meant = KEYS.into_iter().find(|key| {
        *key == similar
            || key.replace('-', "") == similar.replace('-', "")
            || one_edit(key, &similar)
    });
    Failure::failed(format!("{place}: unknown key {name}")).hint(match meant {
        Some(key) => format!("did you mean {key}? {all}"),
        None => all,
    })
}

/// Whether one character too many, too few or wrong tells the words apart.
fn one_edit(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let (short, long) = (short.as_bytes(), long.as_bytes());
    let same = short.iter().zip(long).take_while(|(a, b)| a == b).count();
    match long.len() - short.len() {
        0 => short.get(same + 1..) == long.get(same + 1..),
        1 => short[same..] == long[same + 1..],
        _ => false,
    }
}

fn newlines(text: &[u8]) -> usize {
    text.split(|byte| *byte == b'\n').count() - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, Failure> {
        Config::parse(text, Path::new("/c.toml"))
    }

    fn message(text: &str) -> String {
        parse(text).unwrap_err().message
    }

    #[test]
    fn nothing_configured_is_the_defaults() {
        let config = parse("# nothing\n").unwrap();
        assert_eq!(config, Config::default());
        assert_eq!(config.journal, 1 << 20);
        assert_eq!(config.history, 10_000);
        assert_eq!(config.lines, Lines::Count(1_000));
        assert_eq!(config.detach_key, "C-\\".parse().unwrap());
    }

    #[test]
    fn every_setting_can_be_set() {
        let config =
            parse("detach-key = \"C-a d\"\njournal = 0x10_0000\nhistory = 0\nlines = \"all\"\n")
                .unwrap();
        assert_eq!(config.detach_key, "C-a d".parse().unwrap());
        assert_eq!(config.journal, 1 << 20);
        assert_eq!(config.history, 0);
        assert_eq!(config.lines, Lines::All);
        assert_eq!(parse("lines = 12").unwrap().lines, Lines::Count(12));
        assert_eq!(parse("lines = 'none'").unwrap().lines.to_wire(), 0);
    }

    #[test]
    fn an_unknown_key_is_told_with_its_line_and_what_is_accepted() {
        let failure = parse("\n\njournals = 1\nother = 2").unwrap_err();
        assert_eq!(failure.message, "/c.toml:3: unknown key journals");
        assert_eq!(
            failure.hint.as_deref(),
            Some("did you mean journal? accepted are detach-key, history, journal, lines")
        );
        for (typo, key) in [
            ("detach_key", "detach-key"),
            ("Lines", "lines"),
            ("histori", "history"),
            ("detachkey", "detach-key"),
        ] {
            let hint = parse(&format!("{typo} = 1")).unwrap_err().hint.unwrap();
            assert!(hint.starts_with(&format!("did you mean {key}?")), "{hint}");
        }
        assert_eq!(
            parse("[table]\nx = 1").unwrap_err().hint.as_deref(),
            Some("accepted are detach-key, history, journal, lines")
        );
    }

    #[test]
    fn a_bad_value_is_told_with_its_line_and_what_is_accepted() {
        assert_eq!(
            message("history = 5\njournal = 1000"),
            "/c.toml:2: journal: it takes 262144 to 67108864 bytes, not 1000"
        );
        assert_eq!(
            message("journal = \"1 MiB\""),
            "/c.toml:1: journal: it takes 262144 to 67108864 bytes, not \"1 MiB\""
        );
        assert_eq!(
            message("history = -1"),
            "/c.toml:1: history: it takes 0 to 1000000 lines, not -1"
        );
        assert_eq!(
            message("lines = 'few'"),
            "/c.toml:1: lines: it takes a number, \"all\" or \"none\", not 'few'"
        );
        assert!(message("detach-key = 3").contains("it takes keys in quotes"));
        assert!(message("detach-key = \"C-\"").starts_with("/c.toml:1: detach-key: "));
    }

    #[test]
    fn what_is_no_toml_is_told_with_its_line() {
        assert!(
            message("lines = 1\nlines = 2").starts_with("/c.toml:2: "),
            "{}",
            message("lines = 1\nlines = 2")
        );
        assert!(
            message("lines = 1\n\njournal").starts_with("/c.toml:3: "),
            "{}",
            message("lines = 1\n\njournal")
        );
        assert!(message("detach-key = \"C-\\\"").starts_with("/c.toml:1: "));
    }

    #[test]
    fn lines_are_a_number_or_a_word() {
        assert_eq!("7".parse(), Ok(Lines::Count(7)));
        assert_eq!("none".parse(), Ok(Lines::Count(0)));
        assert_eq!("all".parse::<Lines>().unwrap().to_wire(), u64::MAX);
        for bad in ["", "-1", "+1", "1.5", "some", "99999999999999999999"] {
            assert!(bad.parse::<Lines>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_file_is_found_as_the_environment_says() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("home");
        let write = |path: &Path, lines: u32| {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("lines = {lines}")).unwrap();
        };
        let load = |vars: &[(&str, &Path)]| {
            let env = |name: &str| {
                vars.iter()
                    .find(|(key, _)| *key == name)
                    .map(|(_, path)| path.as_os_str().to_owned())
            };
            Config::load(&env, Some(&home))
        };
        assert_eq!(load(&[]).unwrap(), Config::default());
        write(&home.join(".config/sess/config.toml"), 1);
        assert_eq!(load(&[]).unwrap().lines, Lines::Count(1));
        let xdg = dir.path().join("xdg");
        write(&xdg.join("sess/config.toml"), 2);
        assert_eq!(load(&[("XDG_CONFIG_HOME", &xdg)]).unwrap().lines, Lines::Count(2));
        assert_eq!(load(&[("XDG_CONFIG_HOME", Path::new("xdg"))]).unwrap().lines, Lines::Count(1));
        let named = dir.path().join("my.toml");
        write(&named, 3);
        let vars: [(&str, &Path); 2] = [("XDG_CONFIG_HOME", &xdg), ("SESS_CONFIG", &named)];
        assert_eq!(load(&vars).unwrap().lines, Lines::Count(3));
        assert_eq!(load(&[("SESS_CONFIG", Path::new(""))]).unwrap().lines, Lines::Count(1));
    }

    #[test]
    fn a_named_file_has_to_be_there_and_any_has_to_be_readable() {
        let dir = tempfile::tempdir().unwrap();
        let load = |path: &Path| {
            let path = path.as_os_str().to_owned();
            Config::load(&move |name| (name == "SESS_CONFIG").then(|| path.clone()), None)
        };
        let missing = load(&dir.path().join("missing.toml")).unwrap_err();
        assert!(missing.message.contains("missing.toml"), "{missing}");
        assert!(load(dir.path()).unwrap_err().message.starts_with("can't read the configuration"));
        let binary = dir.path().join("binary.toml");
        fs::write(&binary, b"lines = 1\n\xff").unwrap();
        assert!(
            load(&binary)
                .unwrap_err()
                .message
                .ends_with("binary.toml:2: the configuration is not UTF-8")
        );
        assert_eq!(load(Path::new("/dev/null")).unwrap(), Config::default());
    }
}

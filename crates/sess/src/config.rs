//! The configuration: a few settings from a TOML file, over which variables go. Owns
//! where they are looked for and what is said of mistakes. Must not know what they
//! are for.

mod recorded_environment;
mod settings;
mod value;

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sess_holder::policy::{Policies, Restart};
use sess_holder::record::{self, KeepOutput};
use toml::de::DeTable;

use crate::detach_key::DetachKey;
use crate::error::Failure;
use crate::time::Limit;
use settings::{SETTINGS, Setting};
use value::Value;

pub(crate) use recorded_environment::RecordedEnvironment;

/// How large a journal may be, in bytes.
const JOURNAL: RangeInclusive<u64> =
    *record::JOURNAL.start() as u64..=*record::JOURNAL.end() as u64;
/// The most lines of history that a session may be told to keep.
pub(crate) const HISTORY_MAX: u64 = record::HISTORY_MAX as u64;
/// The most sessions, or records of them, that may be set.
const COUNT_MAX: u64 = 100_000;

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

/// What makes room where as many sessions run as may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Evict {
    /// Nothing: there will be no new one.
    #[default]
    None,
    /// The end of the one in which nothing happened for longest.
    Idlest,
}

impl FromStr for Evict {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self::None),
            "idlest" => Ok(Self::Idlest),
            _ => Err("it takes 'none' or 'idlest'"),
        }
    }
}

/// What may be configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    /// What detaches.
    pub(crate) detach_key: DetachKey,
    /// Lines of history that an attach brings.
    pub(crate) lines: Lines,
    /// Lines of history that a holder keeps.
    pub(crate) history: u64,
    /// Bytes of output that a holder keeps as they came.
    pub(crate) journal: usize,
    /// When a session's output is written to disk.
    pub(crate) record_output: KeepOutput,
    /// Which variables are.
    pub(crate) record_environment: RecordedEnvironment,
    /// Records of exited sessions that are older than this go.
    pub(crate) record_max_age: Duration,
    /// They go when there are so many newer ones.
    pub(crate) record_max_count: usize,
    /// Whether a program that has ended is started again.
    pub(crate) restart: Restart,
    /// How long nothing may happen in a session while nobody is attached.
    pub(crate) idle_timeout: Limit,
    /// How long a session may take.
    pub(crate) timeout: Limit,
    /// What the shell runs when a session has ended.
    pub(crate) on_exit: Option<String>,
    /// How many sessions may run at once; `None` for any number.
    pub(crate) max_sessions: Option<usize>,
    /// What makes room for one more.
    pub(crate) evict: Evict,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            detach_key: DetachKey::default(),
            lines: Lines::Count(1_000),
            history: 10_000,
            journal: 1024 * 1024,
            record_output: KeepOutput::default(),
            record_environment: RecordedEnvironment::default(),
            record_max_age: Duration::from_secs(7 * 24 * 3_600),
            record_max_count: 100,
            restart: Restart::default(),
            idle_timeout: None,
            timeout: None,
            on_exit: None,
            max_sessions: None,
            evict: Evict::default(),
        }
    }
}

impl Config {
    /// The configuration of this environment. A file that isn't there says nothing,
    /// unless `$SESS_CONFIG` names it.
    pub(crate) fn load(
        env: &dyn Fn(&str) -> Option<OsString>,
        home: Option<&Path>,
    ) -> Result<Self, Failure> {
        let mut config = Self::from_file(env, home)?;
        config.apply_variables(env)?;
        Ok(config)
    }

    fn from_file(
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
            let setting =
                Setting::find(name).ok_or_else(|| unknown_key(&place(key.span()), name))?;
            (setting.set)(&mut config, &Value::InFile(value.get_ref())).map_err(|accepted| {
                let given = text.get(value.span()).unwrap_or_default();
                bad_value(&format!("{}: {name}", place(value.span())), &accepted, given)
            })?;
        }
        Ok(config)
    }

    /// Lets the variables of the environment go before what has been said.
    fn apply_variables(&mut self, env: &dyn Fn(&str) -> Option<OsString>) -> Result<(), Failure> {
        for setting in &SETTINGS {
            let variable = setting.variable();
            let Some(value) = env(&variable).filter(|value| !value.is_empty()) else {
                continue;
            };
            let text = value
                .to_str()
                .ok_or_else(|| Failure::failed(format!("{variable}: it is not UTF-8")))?;
            (setting.set)(self, &Value::Variable(text))
                .map_err(|accepted| bad_value(&variable, &accepted, text))?;
        }
        Ok(())
    }

    /// What is to become of a session without anybody asking.
    pub(crate) fn policies(&self) -> Policies {
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Policies {
            restart: self.restart,
            idle_timeout: self.idle_timeout.map(milliseconds),
            timeout: self.timeout.map(milliseconds),
            on_exit: self.on_exit.clone(),
        }
    }
}

/// A file that says nothing but what could be said, and what holds without.
pub(crate) fn commented() -> String {
    let mut text = "\
# The configuration of sess, ~/.config/sess/config.toml, as it is without one:
# to change a setting, take the '# ' off its line. A variable goes before the file,
# as SESS_LINES=all, and an option before both. docs/configuration.md tells more.
"
    .to_owned();
    for setting in &SETTINGS {
        text.push('\n');
        for line in setting.about.lines() {
            text.extend(["# ", line, "\n"]);
        }
        text.extend(["# ", setting.key, " = ", setting.default, "\n"]);
    }
    text
}

fn default_path(env: &dyn Fn(&str) -> Option<OsString>, home: Option<&Path>) -> Option<PathBuf> {
    // A relative XDG_CONFIG_HOME is invalid and to be ignored, says its specification.
    let configured = env("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let directory = configured.or_else(|| home.map(|home| home.join(".config")))?;
    Some(directory.join("sess/config.toml"))
}

fn bad_value(place: &str, accepted: &str, given: &str) -> Failure {
    // Words stand in the quotes that a file has, not in those of the command line.
    Failure::failed(format!("{place}: {}, not {given}", accepted.replace('\'', "\"")))
}

fn unknown_key(place: &str, name: &str) -> Failure {
    let keys = SETTINGS.iter().map(|setting| setting.key);
    let all = format!("accepted are {}", keys.clone().collect::<Vec<_>>().join(", "));
    let similar = name.replace('_', "-").to_lowercase();
    let meant = keys.into_iter().find(|key| {
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
mod tests;

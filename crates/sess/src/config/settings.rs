//! The table of all settings: what each is called, what it is for, its default and
//! how it is set. There is no second list of them. Must not know where a value comes
//! from.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use super::{COUNT_MAX, Config, HISTORY_MAX, JOURNAL, Lines, RecordedEnvironment, Value};
use crate::time::{self, Limit};

/// One thing that may be configured.
pub(super) struct Setting {
    /// Its key in the file.
    pub(super) key: &'static str,
    /// What it is for, in lines.
    pub(super) about: &'static str,
    /// Its default, as the file says it.
    pub(super) default: &'static str,
    /// Takes a value, or says what is accepted.
    pub(super) set: fn(&mut Config, &Value<'_>) -> Result<(), String>,
}

impl Setting {
    /// The setting with this key.
    pub(super) fn find(key: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.key == key)
    }

    /// The variable that goes before the file.
    pub(super) fn variable(&self) -> String {
        format!("SESS_{}", self.key.to_ascii_uppercase().replace('-', "_"))
    }
}

/// All of them.
pub(super) static SETTINGS: [Setting; 14] = [
    Setting {
        key: "detach-key",
        about: "The key that detaches, or a sequence as \"C-a d\"; \"\" for none.",
        default: r#""C-\\""#,
        set: |config, value| {
            let text = value.text().ok_or("it takes keys in quotes, as \"C-a d\"")?;
            put(&mut config.detach_key, parsed(text))
        },
    },
    Setting {
        key: "lines",
        about: "Lines of history that an attach brings: a number, \"all\" or \"none\".",
        default: "1000",
        set: |config, value| put(&mut config.lines, lines(value)),
    },
    Setting {
        key: "history",
        about: "Lines of history that a session keeps.",
        default: "10000",
        set: |config, value| put(&mut config.history, number(value, 0..=HISTORY_MAX, "lines")),
    },
    Setting {
        key: "journal",
        about: "Bytes of output that a session keeps as they came.",
        default: "1048576",
        set: |config, value| put(&mut config.journal, number(value, JOURNAL, "bytes")),
    },
    Setting {
        key: "record-output",
        about: "When a session's output is written to disk: \"always\" (a second behind it at\n\
                most), \"on-exit\" (when it ends) or \"never\".",
        default: "\"always\"",
        set: |config, value| put(&mut config.record_output, word(value)),
    },
    Setting {
        key: "record-environment",
        about: "The variables that are written to disk for a restart: their names, of which\n\
                a * at the end stands for any end; or \"all\" or \"none\".",
        default: r#"["PATH", "HOME", "SHELL", "USER", "LANG", "LC_*", "TZ", "TERM", "COLORTERM"]"#,
        set: |config, value| put(&mut config.record_environment, environment(value)),
    },
    Setting {
        key: "record-max-age",
        about: "Records of exited sessions go when they are older than this: 7d, 12h, 30m.",
        default: "\"7d\"",
        set: |config, value| put(&mut config.record_max_age, time(value)),
    },
    Setting {
        key: "record-max-count",
        about: "Records of exited sessions go when there are so many newer ones.",
        default: "100",
        set: |config, value| {
            put(&mut config.record_max_count, number(value, 0..=COUNT_MAX, "records"))
        },
    },
    Setting {
        key: "restart",
        about: "Whether a program that has ended is started again: \"never\", \"on-failure\",\n\
                \"on-failure:N\" (until N failures within a minute) or \"always\".",
        default: "\"never\"",
        set: |config, value| put(&mut config.restart, word(value)),
    },
    Setting {
        key: "idle-timeout",
        about: "Sessions end after so long without output, input or anybody attached: a time\n\
                as \"30m\", or \"none\".",
        default: "\"none\"",
        set: |config, value| put(&mut config.idle_timeout, limit(value)),
    },
    Setting {
        key: "timeout",
        about: "Sessions end so long after they began: a time as \"8h\", or \"none\".",
        default: "\"none\"",
        set: |config, value| put(&mut config.timeout, limit(value)),
    },
    Setting {
        key: "on-exit",
        about: "What /bin/sh runs when a session has ended; \"\" for nothing. SESS_SESSION,\n\
                SESS_EXIT_CODE and SESS_EXIT_SIGNAL tell it which one and how.",
        default: "\"\"",
        set: |config, value| put(&mut config.on_exit, on_exit(value)),
    },
    Setting {
        key: "max-sessions",
        about: "So many sessions may run at once; 0 for any number.",
        default: "0",
        set: |config, value| {
            let count = number(value, 0..=COUNT_MAX, "sessions");
            put(&mut config.max_sessions, count.map(|count| (count > 0).then_some(count)))
        },
    },
    Setting {
        key: "evict",
        about: "What makes room when so many run: \"none\" (a new one is refused) or \"idlest\"\n\
                (the one in which nothing happened for longest is ended).",
        default: "\"none\"",
        set: |config, value| put(&mut config.evict, word(value)),
    },
];

fn put<T>(slot: &mut T, value: Result<T, String>) -> Result<(), String> {
    *slot = value?;
    Ok(())
}

fn parsed<T: FromStr<Err: Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|wrong: T::Err| wrong.to_string())
}

/// One of a few words, among which nothing isn't: so no text is as wrong as any other.
fn word<T: FromStr<Err: Display>>(value: &Value<'_>) -> Result<T, String> {
    parsed(value.text().unwrap_or_default())
}

fn number<T: TryFrom<u64>>(
    value: &Value<'_>,
    bounds: RangeInclusive<u64>,
    of: &str,
) -> Result<T, String> {
    value
        .number()
        .filter(|number| bounds.contains(number))
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| format!("it takes {} to {} {of}", bounds.start(), bounds.end()))
}

fn lines(value: &Value<'_>) -> Result<Lines, String> {
    value.number().map(Lines::Count).map_or_else(|| word(value), Ok)
}

fn time(value: &Value<'_>) -> Result<Duration, String> {
    time::parse(value.text().ok_or("it takes a time in quotes, as \"7d\"")?)
}

fn limit(value: &Value<'_>) -> Result<Limit, String> {
    let text = value.text().ok_or("it takes a time in quotes, as \"30m\", or \"none\"")?;
    time::parse_limit(text)
}

fn environment(value: &Value<'_>) -> Result<RecordedEnvironment, String> {
    match value.text() {
        Some("all") => return Ok(RecordedEnvironment::All),
        Some("none") => return Ok(RecordedEnvironment::None),
        _ => {}
    }
    let names = value.list().and_then(RecordedEnvironment::names);
    names.ok_or_else(|| {
        let example = match value {
            Value::InFile(_) => "[\"PATH\", \"LC_*\"]",
            Value::Variable(_) => "PATH,LC_*",
        };
        format!("it takes names of variables, as {example}, \"all\" or \"none\"")
    })
}

fn on_exit(value: &Value<'_>) -> Result<Option<String>, String> {
    let text = value.text().filter(|text| !text.contains('\0'));
    let text = text.ok_or("it takes a command for the shell, without a NUL, or \"\" for none")?;
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

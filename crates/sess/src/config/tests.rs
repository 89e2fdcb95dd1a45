//! What may be configured, and what is said of the rest.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::*;

/// Every setting, none at its default.
const DIFFERENT: &str = "
detach-key = \"C-a d\"
lines = \"all\"
history = 0
journal = 0x20_0000
record-output = \"never\"
record-environment = [\"PATH\", \"X_*\"]
record-max-age = \"12h\"
record-max-count = 0
restart = \"on-failure:3\"
idle-timeout = \"30m\"
timeout = \"1ms\"
on-exit = \"beep\"
max-sessions = 5
evict = \"idlest\"
";

fn parse(text: &str) -> Result<Config, Failure> {
    Config::parse(text, Path::new("/c.toml"))
}

fn message(text: &str) -> String {
    parse(text).unwrap_err().message
}

fn names(names: &[&str]) -> RecordedEnvironment {
    RecordedEnvironment::Names(names.iter().map(ToString::to_string).collect())
}

/// What these variables make of a file that isn't there.
fn with(variables: &[(&str, &str)]) -> Result<Config, Failure> {
    let variables: BTreeMap<_, _> = variables.iter().copied().collect();
    Config::load(&|name| variables.get(name).map(OsString::from), None)
}

#[test]
fn nothing_configured_is_the_defaults() {
    let config = parse("# nothing\n").unwrap();
    assert_eq!(config, Config::default());
    assert_eq!(config.journal, 1 << 20);
    assert_eq!(config.history, 10_000);
    assert_eq!(config.lines, Lines::Count(1_000));
    assert_eq!(config.detach_key, "C-\\".parse().unwrap());
    assert_eq!(config.policies(), Policies::default());
}

#[test]
fn the_defaults_in_the_table_are_those_that_hold() {
    let mut config = parse(DIFFERENT).unwrap();
    for setting in &SETTINGS {
        let before = config.clone();
        let text = format!("{} = {}", setting.key, setting.default);
        let table = DeTable::parse(&text).unwrap();
        let (_, value) = table.get_ref().iter().next().unwrap();
        (setting.set)(&mut config, &Value::InFile(value.get_ref())).unwrap();
        assert_ne!(config, before, "{text}");
    }
    assert_eq!(config, Config::default());
}

#[test]
fn every_setting_can_be_set() {
    let config = parse(DIFFERENT).unwrap();
    assert_eq!(
        config,
        Config {
            detach_key: "C-a d".parse().unwrap(),
            lines: Lines::All,
            history: 0,
            journal: 2 << 20,
            record_output: KeepOutput::Never,
            record_environment: names(&["PATH", "X_*"]),
            record_max_age: Duration::from_secs(12 * 3_600),
            record_max_count: 0,
            restart: Restart::OnFailure(3),
            idle_timeout: Some(Duration::from_secs(1_800)),
            timeout: Some(Duration::from_millis(1)),
            on_exit: Some("beep".to_owned()),
            max_sessions: Some(5),
            evict: Evict::Idlest,
        }
    );
    assert_eq!(
        config.policies(),
        Policies {
            restart: Restart::OnFailure(3),
            idle_timeout: Some(1_800_000),
            timeout: Some(1),
            on_exit: Some("beep".to_owned()),
        }
    );
}

#[test]
fn some_settings_can_be_said_in_several_ways() {
    assert_eq!(parse("lines = 12").unwrap().lines, Lines::Count(12));
    assert_eq!(parse("lines = 'none'").unwrap().lines.to_wire(), 0);
    let environment = |text: &str| {
        parse(&format!("record-environment = {text}")).map(|config| config.record_environment)
    };
    assert_eq!(environment("'all'").unwrap(), RecordedEnvironment::All);
    assert_eq!(environment("'none'").unwrap(), RecordedEnvironment::None);
    assert_eq!(environment("[]").unwrap(), names(&[]));
    assert_eq!(parse("restart = 'always'").unwrap().restart, Restart::Always);
    assert_eq!(parse("idle-timeout = 'none'").unwrap().idle_timeout, None);
    assert_eq!(parse("record-max-age = '0s'").unwrap().record_max_age, Duration::ZERO);
}

#[test]
fn variables_go_before_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("my.toml");
    fs::write(&file, "lines = 1\nhistory = 2\nrestart = 'always'").unwrap();
    let config = with(&[
        ("SESS_CONFIG", file.to_str().unwrap()),
        ("SESS_LINES", "all"),
        ("SESS_RESTART", "never"),
        // An empty one says nothing.
        ("SESS_HISTORY", ""),
    ])
    .unwrap();
    assert_eq!((config.lines, config.history), (Lines::All, 2));
    assert_eq!(config.restart, Restart::Never);
}

#[test]
fn every_setting_has_a_variable() {
    let variables = [
        ("SESS_DETACH_KEY", "C-a d"),
        ("SESS_LINES", "all"),
        ("SESS_HISTORY", "0"),
        ("SESS_JOURNAL", "2097152"),
        ("SESS_RECORD_OUTPUT", "never"),
        ("SESS_RECORD_ENVIRONMENT", "PATH, X_*"),
        ("SESS_RECORD_MAX_AGE", "12h"),
        ("SESS_RECORD_MAX_COUNT", "0"),
        ("SESS_RESTART", "on-failure:3"),
        ("SESS_IDLE_TIMEOUT", "30m"),
        ("SESS_TIMEOUT", "1ms"),
        ("SESS_ON_EXIT", "beep"),
        ("SESS_MAX_SESSIONS", "5"),
        ("SESS_EVICT", "idlest"),
    ];
    assert_eq!(with(&variables).unwrap(), parse(DIFFERENT).unwrap());
    assert!(SETTINGS.iter().map(Setting::variable).eq(variables.map(|(name, _)| name.to_owned())));
    let environment = |text| with(&[("SESS_RECORD_ENVIRONMENT", text)]).unwrap().record_environment;
    assert_eq!(environment("all"), RecordedEnvironment::All);
    assert_eq!(environment("PATH"), names(&["PATH"]));
}

#[test]
fn a_bad_variable_is_told_with_what_is_accepted() {
    for (variable, value, accepted) in [
        ("SESS_LINES", "few", "it takes a number, \"all\" or \"none\""),
        ("SESS_HISTORY", "+5", "it takes 0 to 1000000 lines"),
        ("SESS_MAX_SESSIONS", "-1", "it takes 0 to 100000 sessions"),
        ("SESS_RECORD_OUTPUT", "yes", "it takes \"always\", \"on-exit\" or \"never\""),
        (
            "SESS_RECORD_ENVIRONMENT",
            "PATH,,HOME",
            "it takes names of variables, as PATH,LC_*, \"all\" or \"none\"",
        ),
        ("SESS_TIMEOUT", "0s", "it takes a time of at least 1ms, or \"none\""),
        ("SESS_RECORD_MAX_AGE", "7", "a time has a unit: 7s, 7m, 7h, or 7ms"),
    ] {
        assert_eq!(
            with(&[(variable, value)]).unwrap_err().message,
            format!("{variable}: {accepted}, not {value}")
        );
    }
    let bytes = OsStr::from_bytes(b"\xff").to_owned();
    let failure =
        Config::load(&|name| (name == "SESS_EVICT").then(|| bytes.clone()), None).unwrap_err();
    assert_eq!(failure.message, "SESS_EVICT: it is not UTF-8");
}

#[test]
fn the_printed_file_is_the_defaults_with_and_without_its_comments() {
    let text = commented();
    assert_eq!(parse(&text).unwrap(), Config::default());
    let mut settings = 0;
    let mut uncommented = String::new();
    for line in text.lines() {
        let setting = line
            .strip_prefix("# ")
            .filter(|line| line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' ')));
        settings += usize::from(setting.is_some());
        uncommented.extend([setting.unwrap_or(line), "\n"]);
        assert!(line.len() <= 100, "{line}");
    }
    assert_eq!(settings, SETTINGS.len());
    assert_eq!(parse(&uncommented).unwrap(), Config::default());
}

#[test]
fn the_documentation_has_every_setting() {
    let page = include_str!("../../../../docs/configuration.md");
    let (_, table) = page.split_once("| key |").expect("it has a table of keys");
    let rows: Vec<_> = table.lines().skip(2).take_while(|line| line.starts_with('|')).collect();
    assert_eq!(rows.len(), SETTINGS.len());
    for (row, setting) in rows.iter().zip(&SETTINGS) {
        let cells: Vec<_> = row.split(" | ").map(|cell| cell.trim_matches(['|', ' '])).collect();
        let quoted = |text: &str| format!("`{text}`");
        assert_eq!(cells[0], quoted(setting.key));
        assert_eq!(cells[2], quoted(setting.default), "{}", setting.key);
        assert!(row.contains(&quoted(&setting.variable())), "{row}");
    }
}

#[test]
fn an_unknown_key_is_told_with_its_line_and_what_is_accepted() {
    let failure = parse("\n\njournals = 1\nother = 2").unwrap_err();
    assert_eq!(failure.message, "/c.toml:3: unknown key journals");
    let all = "accepted are detach-key, lines, history, journal, record-output, \
               record-environment, record-max-age, record-max-count, restart, idle-timeout, \
               timeout, on-exit, max-sessions, evict";
    assert_eq!(failure.hint, Some(format!("did you mean journal? {all}")));
    for (typo, key) in [
        ("detach_key", "detach-key"),
        ("Lines", "lines"),
        ("histori", "history"),
        ("detachkey", "detach-key"),
    ] {
        let hint = parse(&format!("{typo} = 1")).unwrap_err().hint.unwrap();
        assert!(hint.starts_with(&format!("did you mean {key}?")), "{hint}");
    }
    assert_eq!(parse("[table]\nx = 1").unwrap_err().hint.as_deref(), Some(all));
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
    assert_eq!(message("history = -1"), "/c.toml:1: history: it takes 0 to 1000000 lines, not -1");
    assert_eq!(
        message("lines = 'few'"),
        "/c.toml:1: lines: it takes a number, \"all\" or \"none\", not 'few'"
    );
    assert_eq!(
        message("evict = true"),
        "/c.toml:1: evict: it takes \"none\" or \"idlest\", not true"
    );
    assert_eq!(
        message("timeout = \"0s\""),
        "/c.toml:1: timeout: it takes a time of at least 1ms, or \"none\", not \"0s\""
    );
    assert_eq!(
        message("record-max-age = 7"),
        "/c.toml:1: record-max-age: it takes a time in quotes, as \"7d\", not 7"
    );
    assert_eq!(
        message("record-max-count = 100001"),
        "/c.toml:1: record-max-count: it takes 0 to 100000 records, not 100001"
    );
    for bad in ["[\"A=B\"]", "[1]", "\"PATH\"", "7"] {
        assert_eq!(
            message(&format!("record-environment = {bad}")),
            format!(
                "/c.toml:1: record-environment: it takes names of variables, as \
                 [\"PATH\", \"LC_*\"], \"all\" or \"none\", not {bad}"
            )
        );
    }
    assert!(message("on-exit = \"a\\u0000\"").contains("without a NUL"));
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
            vars.iter().find(|(key, _)| *key == name).map(|(_, path)| path.as_os_str().to_owned())
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

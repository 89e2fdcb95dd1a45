//! docs/configuration.md: where settings come from, which goes before which, and that a
//! mistake in any is told before anything is done.

use std::path::Path;

use serde_json::Value;

use crate::harness::{Output, Sandbox, contents, is_there};

/// Every key, a bad value for it in the file and as a variable, and what is said of them.
const KEYS: [(&str, &str, &str, &str); 14] = [
    ("detach-key", "\"C-ä\"", "C-ä", "it takes keys of ASCII characters alone, not"),
    ("lines", "\"few\"", "few", "it takes a number, \"all\" or \"none\", not"),
    ("history", "1000001", "-1", "it takes 0 to 1000000 lines, not"),
    ("journal", "1000", "1000", "it takes 262144 to 67108864 bytes, not"),
    ("record-output", "true", "true", "it takes \"always\", \"on-exit\" or \"never\", not"),
    ("record-environment", "[1]", "A=B", "it takes names of variables, as"),
    ("record-max-age", "7", "7", "a time"),
    ("record-max-count", "-1", "many", "it takes 0 to 100000 records, not"),
    ("restart", "\"sometimes\"", "sometimes", "it takes \"never\", \"on-failure\""),
    ("idle-timeout", "\"0s\"", "0s", "it takes a time of at least 1ms, or \"none\", not"),
    ("timeout", "30", "soon", "it takes a time"),
    ("on-exit", "[\"beep\"]", "", "it takes a command for the shell"),
    ("max-sessions", "1.5", "1.5", "it takes 0 to 100000 sessions, not"),
    ("evict", "\"all\"", "all", "it takes \"none\" or \"idlest\", not"),
];

fn variable(key: &str) -> String {
    format!("SESS_{}", key.to_uppercase().replace('-', "_"))
}

/// How a session began, but for what is another each time.
#[track_caller]
fn terms(sandbox: &Sandbox, name: &str) -> Value {
    let text = sandbox.read(&format!("sessions/{name}/record/start.json"));
    let mut json: Value = serde_json::from_slice(&text).unwrap();
    for key in ["id", "name", "created", "begun", "holder-pid", "by", "command"] {
        assert!(json.as_object_mut().unwrap().remove(key).is_some(), "{key}");
    }
    json
}

/// Starts a session; returns how it began.
#[track_caller]
fn new_terms(sandbox: &Sandbox, name: &str, options: &[&str], variables: &[(&str, &str)]) -> Value {
    let words = [&["new", "-d"], options, &[name, "--", "cat"]].concat();
    let mut command = sandbox.sess_command(words);
    command.envs(variables.iter().copied());
    sandbox.run(command).expect(0);
    terms(sandbox, name)
}

/// Fails unless this is a mistake that is told in the usual form, and nothing was done.
#[track_caller]
fn assert_told(sandbox: &Sandbox, output: Output, code: i32, beginning: &str, says: &str) {
    let output = output.expect_error(code, says);
    assert!(output.stderr.starts_with(&format!("sess: {beginning}")), "{}", output.stderr);
    assert!(!is_there(&sandbox.sessions().join("work")), "{}", output.stderr);
}

#[test]
fn a_bad_value_in_the_file_is_told_with_file_line_and_key() {
    let sandbox = Sandbox::new();
    let file = sandbox.path("config/sess/config.toml");
    for (key, value, _, says) in KEYS {
        sandbox.configure(&format!("# the first line\n\n{key} = {value}\n"));
        let output = sandbox.sess(["new", "-d", "work", "--", "cat"]);
        assert_told(&sandbox, output, 1, &format!("{}:3: {key}: ", file.display()), says);
    }
}

#[test]
fn a_bad_variable_is_told_with_its_name() {
    let sandbox = Sandbox::new();
    for (key, _, value, says) in KEYS.into_iter().filter(|(_, _, value, _)| !value.is_empty()) {
        let mut command = sandbox.sess_command(["new", "-d", "work", "--", "cat"]);
        command.env(variable(key), value);
        assert_told(&sandbox, sandbox.run(command), 1, &format!("{}: ", variable(key)), says);
    }
}

#[test]
fn an_unknown_key_is_told_with_those_that_there_are() {
    let sandbox = Sandbox::new();
    let file = sandbox.path("config/sess/config.toml");
    for (key, meant) in
        [("restarts", Some("restart")), ("record_output", Some("record-output")), ("colour", None)]
    {
        sandbox.configure(&format!("lines = 5\n{key} = 5\n"));
        let output = sandbox.sess(["new", "-d", "work", "--", "cat"]);
        let stderr = output.stderr.clone();
        assert_told(
            &sandbox,
            output,
            1,
            &format!("{}:2: ", file.display()),
            &format!("unknown key {key}\n"),
        );
        for (key, ..) in KEYS {
            assert!(stderr.contains(key), "{key} is missing in {stderr}");
        }
        let hint = stderr.lines().nth(1).unwrap();
        let expected = meant
            .map_or("hint: accepted are ".to_owned(), |key| format!("hint: did you mean {key}?"));
        assert!(hint.starts_with(&expected), "{stderr}");
    }
}

#[test]
fn what_is_no_configuration_is_told_with_its_line() {
    let sandbox = Sandbox::new();
    let file = sandbox.path("config/sess/config.toml");
    for (text, line) in [
        (&b"lines = 5\nhistory = \n"[..], 2),
        (b"lines = 5\n\n[restart]\nalways = true\n", 3),
        (b"lines = 5\nlines = 6\n", 2),
        (b"lines = 5\n# \xff\n", 2),
        (b"lines 5", 1),
    ] {
        sandbox.write("config/sess/config.toml", text);
        let output = sandbox.sess(["new", "-d", "work", "--", "cat"]);
        assert_told(&sandbox, output, 1, &format!("{}:{line}: ", file.display()), "");
    }
}

#[test]
fn the_verbs_that_need_none_do_not_mind() {
    let sandbox = Sandbox::new();
    sandbox.start_session("other", ["cat"]);
    sandbox.configure("nonsense");
    for (words, code) in [
        (&["ls"][..], 0),
        (&["status", "other"], 0),
        (&["capture", "other"], 0),
        (&["send", "other", "x"], 0),
        (&["config"], 0),
        (&["kill", "other"], 0),
        (&["restart", "other"], 0),
        (&["restore"], 0),
        (&["prune"], 0),
    ] {
        sandbox.sess(words).expect(code);
    }
    let mut terminal = sandbox.terminal().size(200, 24).sess(["attach", "other"]);
    assert_eq!(terminal.wait_for_exit(), 125);
    assert!(terminal.text().contains("config.toml:1: "), "{}", terminal.text());
}

#[test]
fn options_go_before_variables_and_these_before_the_file() {
    let sandbox = Sandbox::new();
    sandbox.configure("history = 5\nrecord-output = \"never\"\njournal = 300000\n");
    let history = |terms: Value| (terms["history"].clone(), terms["record-output"].clone());
    let file = new_terms(&sandbox, "file", &[], &[]);
    assert_eq!(file["journal"], 300_000);
    assert_eq!(history(file), (5.into(), "never".into()));
    let variables = [("SESS_HISTORY", "6"), ("SESS_RECORD_OUTPUT", "on-exit")];
    let terms = new_terms(&sandbox, "variables", &[], &variables);
    assert_eq!(terms["journal"], 300_000);
    assert_eq!(history(terms), (6.into(), "on-exit".into()));
    let options = ["--history", "7", "--record", "always"];
    let terms = new_terms(&sandbox, "options", &options, &variables);
    assert_eq!(history(terms), (7.into(), "always".into()));
    // An empty variable is as good as none.
    let empty = [("SESS_HISTORY", ""), ("SESS_RECORD_OUTPUT", "")];
    let terms = new_terms(&sandbox, "empty", &[], &empty);
    assert_eq!(history(terms), (5.into(), "never".into()));
    // But a bad one is told, also where an option goes before it.
    let mut command = sandbox.sess_command(["new", "-d", "--history", "7", "work"]);
    command.env("SESS_HISTORY", "many");
    assert_told(&sandbox, sandbox.run(command), 1, "SESS_HISTORY: ", "not many");
}

#[test]
fn lines_and_the_detach_key_hold_for_the_next_attach() {
    let sandbox = Sandbox::new();
    sandbox.start_script("work", "seq 1 100; exec cat");
    sandbox.wait_for_line("work", "^100$");
    let shown = |terminal: crate::harness::Terminal| {
        terminal.wait_for_text("100");
        let lines = terminal.look(crate::harness::Emulator::lines);
        lines.iter().filter(|line| line.parse::<u32>().is_ok()).count()
    };
    sandbox.configure("lines = 5\ndetach-key = \"C-a d\"\n");
    // With the 23 on the screen, above the cursor's line.
    assert_eq!(shown(sandbox.attach("work")), 28);
    assert_eq!(shown(sandbox.terminal().env("SESS_LINES", "none").attach("work")), 23);
    let options = ["--lines", "all"];
    let terminal = sandbox.terminal().env("SESS_LINES", "none").attach_with(&options, "work");
    assert_eq!(shown(terminal), 100);
    let mut terminal = sandbox.terminal().env("SESS_DETACH_KEY", "C-b").attach("work");
    terminal.type_bytes(b"\x01d");
    terminal.type_bytes(b"\x02");
    assert_eq!(terminal.wait_for_exit(), 0);
    let mut terminal = sandbox.attach("work");
    terminal.type_bytes(b"\x01d");
    assert_eq!(terminal.wait_for_exit(), 0);
}

#[test]
fn what_sess_config_prints_changes_nothing_and_neither_does_what_it_holds() {
    let sandbox = Sandbox::new();
    let plain = new_terms(&sandbox, "plain", &[], &[]);
    let text = sandbox.sess(["config"]).expect(0).stdout;
    assert!(text.lines().all(|line| line.is_empty() || line.starts_with("# ")), "{text}");
    sandbox.configure(&text);
    assert_eq!(new_terms(&sandbox, "commented", &[], &[]), plain);
    // Without the '# ' of its settings' lines.
    let is_setting =
        |line: &str| KEYS.iter().any(|(key, ..)| line.starts_with(&format!("# {key} = ")));
    let settings: Vec<&str> =
        text.lines().filter(|line| is_setting(line)).map(|line| &line[2..]).collect();
    assert_eq!(settings.len(), KEYS.len(), "{settings:?}");
    sandbox.configure(&settings.join("\n"));
    assert_eq!(new_terms(&sandbox, "told", &[], &[]), plain);
    let mut terminal = sandbox.attach("told");
    terminal.detach();
    // It prints the same whatever is configured.
    sandbox.configure("lines = 5\n");
    assert_eq!(sandbox.sess(["config"]).expect(0).stdout, text);
}

#[test]
fn the_documentation_has_the_same_keys_and_defaults() {
    let sandbox = Sandbox::new();
    let text = sandbox.sess(["config"]).expect(0).stdout;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let docs = std::fs::read_to_string(path).unwrap();
    for (key, ..) in KEYS {
        let start = format!("| `{key}` |");
        let row = docs.lines().find(|line| line.starts_with(&start));
        let row = row.unwrap_or_else(|| panic!("{key} is missing"));
        let default = text.lines().find_map(|line| line.strip_prefix(&format!("# {key} = ")));
        assert!(row.contains(&format!("| `{}` |", default.unwrap())), "{row}");
        assert!(row.contains(&format!("`{}`", variable(key))), "{row}");
    }
    let rows =
        docs.lines().filter(|line| line.starts_with("| `") && line.contains("`SESS_")).count();
    assert_eq!(rows, KEYS.len() + 3, "those, and the three variables of on-exit");
}

#[test]
fn sess_config_names_the_file_and_then_it_has_to_be_there() {
    let sandbox = Sandbox::new();
    sandbox.configure("history = 5\n");
    let named = sandbox.write("named.toml", "history = 6\n");
    let history = |name: &str, file: &str| {
        new_terms(&sandbox, name, &[], &[("SESS_CONFIG", file)])["history"].clone()
    };
    assert_eq!(history("named", named.to_str().unwrap()), 6);
    assert_eq!(history("relative", "named.toml"), 6);
    assert_eq!(history("empty", ""), 5);
    assert_eq!(history("none", "/dev/null"), 10_000);
    let before = contents(&sandbox.sessions()).len();
    for missing in ["missing.toml", "tmp"] {
        let mut command = sandbox.sess_command(["new", "-d", "work", "--", "cat"]);
        command.env("SESS_CONFIG", missing);
        let output = sandbox.run(command).expect_error(1, "can't read the configuration ");
        assert!(output.stderr.contains(missing), "{}", output.stderr);
        assert!(output.stderr.ends_with("\nhint: SESS_CONFIG names it\n"), "{}", output.stderr);
    }
    assert_eq!(contents(&sandbox.sessions()).len(), before);
}

#[test]
fn without_it_the_file_is_where_configuration_is() {
    let sandbox = Sandbox::new();
    sandbox.write("home/.config/sess/config.toml", "history = 5\n");
    sandbox.configure("history = 6\n");
    sandbox.write("relative/sess/config.toml", "history = 7\n");
    let with = |name: &str, configured: Option<&str>| {
        let mut command = sandbox.sess_command(["new", "-d", name, "--", "cat"]);
        match configured {
            Some(path) => command.env("XDG_CONFIG_HOME", path),
            None => command.env_remove("XDG_CONFIG_HOME"),
        };
        sandbox.run(command).expect(0);
        terms(&sandbox, name)["history"].clone()
    };
    assert_eq!(with("set", sandbox.path("config").to_str()), 6);
    assert_eq!(with("unset", None), 5);
    assert_eq!(with("empty", Some("")), 5);
    assert_eq!(with("relative", Some("relative")), 5);
    // One that isn't there says nothing.
    assert_eq!(with("missing", sandbox.path("none").to_str()), 10_000);
    assert_eq!(with("file", sandbox.path("relative/sess/config.toml").to_str()), 10_000);
}

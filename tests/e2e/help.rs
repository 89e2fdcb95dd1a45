//! What the command line says of itself, and how it says what went wrong.

use std::collections::BTreeSet;
use std::path::Path;

use crate::harness::{Output, Sandbox};

const VERBS: [&str; 20] = [
    "new",
    "attach",
    "ls",
    "status",
    "kill",
    "detach",
    "send",
    "run",
    "wait",
    "capture",
    "logs",
    "events",
    "rename",
    "resize",
    "restart",
    "restore",
    "prune",
    "config",
    "completions",
    "man",
];
const ALIASES: [&str; 2] = ["a", "list"];

/// The verbs that `sess --help` lists.
fn listed_verbs(sandbox: &Sandbox) -> BTreeSet<String> {
    let help = sandbox.sess(["--help"]).expect(0).stdout;
    let (_, after) = help.split_once("Commands:\n").expect("commands are listed");
    let lines = after.lines().take_while(|line| line.starts_with("  "));
    lines.filter_map(|line| line.split_whitespace().next().map(str::to_owned)).collect()
}

/// Fails unless an error has the form that all have.
#[track_caller]
fn assert_form(output: &Output) {
    let lines: Vec<_> = output.stderr.lines().collect();
    assert!(lines.len() == 1 || lines.len() == 2, "{}", output.stderr);
    let said = lines[0].strip_prefix("sess: ").expect("it says who speaks");
    assert!(!said.ends_with('.') && !said.starts_with("error"), "{said}");
    if let Some(hint) = lines.get(1) {
        assert!(hint.starts_with("hint: ") && hint.len() > 8, "{hint}");
    }
    assert!(output.stderr.ends_with('\n'));
    assert!(!output.stderr.contains("os error"), "{}", output.stderr);
    assert_eq!(output.stdout, "");
}

#[test]
fn every_verb_has_help_with_examples() {
    let sandbox = Sandbox::new();
    for verb in VERBS.into_iter().chain(ALIASES) {
        let output = sandbox.sess([verb, "--help"]).expect(0);
        assert_eq!(output.stderr, "");
        assert!(output.stdout.contains("\nExamples:\n  sess") || output.stdout.contains("sess "));
        assert!(output.stdout.contains("\nExamples:\n"), "{verb}: {}", output.stdout);
        assert!(output.stdout.contains("Usage: sess "), "{verb}: {}", output.stdout);
        assert!(sandbox.sess([verb, "-h"]).expect(0).stdout.contains("Usage: sess "));
    }
    let output = sandbox.sess(["--help"]).expect(0);
    assert!(output.stdout.contains("\nExamples:\n"));
    assert!(!crate::harness::is_there(&sandbox.sessions()));
}

#[test]
fn help_lists_every_verb_and_no_other() {
    let sandbox = Sandbox::new();
    assert_eq!(listed_verbs(&sandbox), VERBS.map(str::to_owned).into());
}

#[test]
fn the_readme_names_every_verb() {
    let sandbox = Sandbox::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    for verb in listed_verbs(&sandbox) {
        let is_named = [' ', '`'].iter().any(|end| readme.contains(&format!("`{verb}{end}")));
        assert!(is_named, "{verb} is not in the table of README.md");
    }
}

#[test]
fn what_help_shows_every_verb_takes() {
    let sandbox = Sandbox::new();
    for (verb, options) in [
        ("new", &["-d", "-A", "-c", "-e", "-s", "-l", "--history"][..]),
        (
            "new",
            &["--record", "--restart", "--idle-timeout", "--timeout", "--with-pid", "--on-exit"],
        ),
        ("attach", &["-r", "-x", "-R", "--lines"]),
        ("restore", &["--list"]),
        ("prune", &["--older"]),
        ("ls", &["-a", "--json", "-q", "--filter"]),
        ("status", &["--json", "-q"]),
        ("kill", &["-s", "--grace", "--all"]),
        ("detach", &["--all"]),
        (
            "send",
            &["-k", "--enter", "--stdin", "--paste", "--offset", "--wait-text", "--wait-idle"],
        ),
        ("run", &["--timeout", "--raw", "--json"]),
        ("wait", &["--exit", "--text", "--idle", "--since", "--timeout"]),
        ("capture", &["--history", "--join", "--format"]),
        ("logs", &["-f", "-n", "--since", "--limit", "--raw", "--json"]),
        ("events", &["--json"]),
    ] {
        let help = sandbox.sess([verb, "--help"]).expect(0).stdout;
        for option in options {
            assert!(help.contains(option), "{verb} {option}: {help}");
        }
    }
}

#[test]
fn the_version_is_told() {
    let sandbox = Sandbox::new();
    for option in ["--version", "-V"] {
        let output = sandbox.sess([option]).expect(0);
        assert_eq!(output.stdout, format!("sess {}\n", env!("CARGO_PKG_VERSION")));
        assert_eq!(output.stderr, "");
    }
}

#[test]
fn an_unknown_verb_is_wrong_usage() {
    let sandbox = Sandbox::new();
    for verb in ["frobnicate", "help", "New", "-", "work", "sess"] {
        let output = sandbox.sess([verb]).expect_error(2, verb);
        assert_form(&output);
        assert!(output.stderr.contains("\nhint: "), "{}", output.stderr);
    }
    for (typo, verb) in [("attahc", "attach"), ("kil", "kill"), ("stauts", "status")] {
        let output = sandbox.sess([typo]).expect_error(2, typo);
        assert!(output.stderr.contains(&format!("sess {verb}")), "{}", output.stderr);
    }
}

#[test]
fn an_unknown_option_is_wrong_usage_for_every_verb() {
    let sandbox = Sandbox::new();
    for verb in VERBS.into_iter().chain(ALIASES) {
        for option in ["--frobnicate", "-Z", "--frobnicate=1"] {
            let output = sandbox.sess([verb, option]).expect(2);
            assert_form(&output);
            assert!(output.stderr.contains("\nhint: "), "{}", output.stderr);
        }
    }
    let output = sandbox.sess(["--frobnicate"]).expect_error(2, "--frobnicate");
    assert_form(&output);
    assert!(!crate::harness::is_there(&sandbox.sessions()));
}

#[test]
fn every_error_has_the_same_form() {
    let sandbox = Sandbox::new();
    sandbox.start_session("running", ["cat"]);
    sandbox.start_session_that_ends("ended", "exit 1");
    let stopped = sandbox.start_session("stopped", ["cat"]);
    stopped.stop_holder();
    let file = sandbox.write("file", "");
    for (words, code, hint) in [
        (&["status", "none"][..], 4, true),
        (&["attach", "none"], 125, true),
        (&["kill", "none"], 4, true),
        (&["detach", "none"], 4, true),
        (&["status"], 2, true),
        (&["new", "-d", "running"], 6, true),
        (&["detach", "ended"], 3, false),
        (&["detach", "stopped"], 5, true),
        (&["attach", "stopped"], 125, true),
        (&["attach", "running"], 125, true),
        (&["new", "x"], 125, true),
        (&["new", "-d", "x", "-c", "/missing"], 1, false),
        (&["new", "-d", "x", "--", "no-such-command"], 127, false),
        (&["new", "-d", "x", "--", "/"], 126, false),
        (&["new", "-d", "x", "cat"], 2, true),
        (&["kill", "running", "-s", "FOO"], 2, true),
        (&["man", file.to_str().unwrap()], 1, false),
        (&["completions", "csh"], 2, true),
    ] {
        let output = sandbox.sess(words).expect(code);
        assert_form(&output);
        assert!(!hint || output.stderr.contains("\nhint: "), "{words:?}: {}", output.stderr);
    }
    stopped.signal_holder(sess_sys::Signal::CONT);
}

#[test]
fn a_bad_configuration_is_an_error_that_names_file_line_and_key() {
    let sandbox = Sandbox::new();
    sandbox.start_session("work", ["cat"]);
    let path = sandbox.path("config/sess/config.toml");
    for (text, says) in [
        ("lines = 1\njournals = 5\n", ":2: unknown key journals"),
        ("lines = 'few'\n", ":1: lines: it takes"),
        ("[broken\n", ":1: "),
        ("detach-key = \"nonsense\"\n", ":1: detach-key: "),
    ] {
        sandbox.configure(text);
        for words in [&["attach", "work"][..], &["new", "other"]] {
            let output = sandbox.sess(words).expect_error(125, says);
            assert!(output.stderr.contains(path.to_str().unwrap()), "{}", output.stderr);
            assert_form(&output);
        }
        sandbox.sess(["new", "-d", "other", "--", "cat"]).expect_error(1, says);
        // What it says nothing about works without it.
        sandbox.sess(["ls"]).expect(0);
        sandbox.sess(["status", "work"]).expect(0);
    }
}

#[test]
fn bare_sess_lists_the_running_sessions() {
    let sandbox = Sandbox::new();
    let output = sandbox.sess([""; 0]).expect(0);
    assert_eq!((output.stdout, output.stderr), (String::new(), String::new()));
    sandbox.start_session("one", ["cat"]);
    sandbox.start_session("two", ["cat"]);
    sandbox.start_session_that_ends("ended", "exit 0");
    let names = |output: Output| -> Vec<String> {
        let rows = output.stdout.lines();
        rows.map(|row| row.split_whitespace().next().unwrap().to_owned()).collect()
    };
    let bare = names(sandbox.sess([""; 0]).expect(0));
    assert_eq!(bare.len(), 3, "a header and two rows: {bare:?}");
    assert_eq!(bare, names(sandbox.sess(["ls"]).expect(0)));
    assert_eq!(bare, names(sandbox.sess(["list"]).expect(0)));
}

#[test]
fn a_reader_that_goes_away_is_no_fault() {
    let sandbox = Sandbox::new();
    let sess = env!("CARGO_BIN_EXE_sess");
    for words in ["--help", "new --help", "completions bash", "ls -a", "--version"] {
        let mut command = sandbox.command("sh");
        command.args(["-c", &format!("'{sess}' {words} | true")]);
        let output = sandbox.run(command).expect(0);
        assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
    }
}

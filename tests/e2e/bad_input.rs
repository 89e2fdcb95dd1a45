//! Bad input: each has its clear error or its shrug, and never costs a session.
//! Here what is typed; below, what stands around it.

mod commands;
mod connections;
mod directories;
mod exhaustion;
mod foreigners;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::harness::{Output, Sandbox, is_there};

/// Fails unless this is wrong usage, told as the contract has it.
#[track_caller]
fn expect_wrong_usage(output: Output) -> Output {
    let output = output.expect_error(2, "sess: ");
    assert_eq!(output.stdout, "");
    let lines: Vec<_> = output.stderr.lines().collect();
    assert!(lines.len() <= 2, "{}", output.stderr);
    assert!(lines.iter().skip(1).all(|line| line.starts_with("hint: ")), "{}", output.stderr);
    let control = |c: char| c.is_control() && c != '\n';
    assert!(!output.stderr.contains(control), "{:?}", output.stderr);
    output
}

fn bad_names() -> Vec<OsString> {
    let mut names: Vec<OsString> = [
        "",
        "a/b",
        "/",
        "..",
        ".",
        ".hidden",
        "a\nb",
        "a\x1b[31mb",
        "a\x7f",
        "a\u{9b}31m",
        "a~b",
        "~",
        "a~",
        "~2",
        "a~02",
        "a~-1",
        "a~2~3",
    ]
    .map(OsString::from)
    .to_vec();
    names.push("x".repeat(65).into());
    // 66 bytes, 33 characters.
    names.push("é".repeat(33).into());
    names.push(OsStr::from_bytes(b"a\xffb").to_owned());
    names
}

#[test]
fn names_out_of_bounds_are_wrong_usage_for_every_verb() {
    let sandbox = Sandbox::new();
    for name in bad_names() {
        for verb in [&["new", "-d"][..], &["attach"], &["status"], &["kill"], &["detach"]] {
            let words = verb.iter().map(OsStr::new).chain([name.as_os_str()]);
            expect_wrong_usage(sandbox.sess(words));
        }
        let words = ["new", "-d", "-A"].into_iter().map(OsStr::new);
        expect_wrong_usage(sandbox.sess(words.chain([name.as_os_str()])));
    }
    // After -- a leading - is part of the name.
    expect_wrong_usage(sandbox.sess(["kill", "--", "-x"]));
    expect_wrong_usage(sandbox.sess(["new", "-d", "-x"]));
    assert!(!is_there(&sandbox.sessions()), "nothing was to be made");
}

#[test]
fn only_sess_gives_names_with_a_number_behind_a_tilde() {
    let sandbox = Sandbox::new();
    expect_wrong_usage(sandbox.sess(["new", "-d", "work~2"]));
    assert!(!is_there(&sandbox.sessions()));
    sandbox.sess(["status", "work~2"]).expect_error(4, "work~2");
}

#[test]
fn names_within_bounds_are_any_text() {
    let sandbox = Sandbox::new();
    let long = "x".repeat(64);
    for name in [&long, "ü ber", "a'b\"c$(d)`e`", "日本", "a.b-c", "*", "sock", "lock", "record"]
    {
        sandbox.start_session(name, ["cat"]);
        assert_eq!(sandbox.status(name)["name"], name);
        sandbox.sess(["kill", name]).expect(0);
        sandbox.sess(["status", name]).expect(3);
    }
}

#[test]
fn what_could_change_a_terminal_is_escaped_in_errors_and_lists() {
    let sandbox = Sandbox::new();
    // Right-to-left override: no control character by Unicode's category.
    let name = "a\u{202e}b";
    sandbox.start_session(name, ["sh", "-c", "printf '\\033]0;a\\302\\233mtitle\\007'; exec cat"]);
    crate::harness::wait_for("the title", || {
        let status = sandbox.status(name);
        status["title"].as_str()?.contains("title").then_some(())
    });
    for words in [&["ls"][..], &["ls", "--json"], &["status", name], &["status", "--json", name]] {
        let output = sandbox.sess(words).expect(0);
        let odd = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!output.stdout.contains(odd), "{words:?}: {:?}", output.stdout);
    }
}

#[test]
fn sizes_out_of_bounds_are_wrong_usage() {
    let sandbox = Sandbox::new();
    for size in [
        "",
        "0x0",
        "0x24",
        "80x0",
        "1x",
        "x1",
        "x",
        "80",
        "99999x1",
        "1x99999",
        "1001x24",
        "80x24x3",
        "80X24",
        "+80x24",
        "-1x5",
        "80x-24",
        "8e1x24",
        "junk",
        "80 x 24",
        "８０x24",
    ] {
        let output =
            expect_wrong_usage(sandbox.sess(["new", "-d", &format!("--size={size}"), "x"]));
        assert!(output.stderr.contains("--size"), "{}", output.stderr);
    }
    assert!(!is_there(&sandbox.sessions()));
    sandbox.sess(["new", "-d", "-s", "1000x1", "x", "--", "cat"]).expect(0);
    assert_eq!(sandbox.status("x")["size"], serde_json::json!({"cols": 1000, "rows": 1}));
}

#[test]
fn other_values_out_of_bounds_are_wrong_usage() {
    let sandbox = Sandbox::new();
    for words in [
        &["new", "-d", "x", "-e", "novalue"][..],
        &["new", "-d", "x", "-e", "=x"],
        &["new", "-d", "x", "-l", "nokey"],
        &["new", "-d", "x", "-l", "=x"],
        &["new", "-d", "x", "--history", "-1"],
        &["new", "-d", "x", "--history", "many"],
        &["new", "-d", "x", "--history", "1000001"],
        &["new", "-d", "x", "--", ""],
        &["new", "-d", "x", "command-without-dashes"],
        &["new", "-d", "-A"],
        &["attach", "x", "--lines", "-1"],
        &["attach", "x", "--lines", "few"],
        &["kill", "x", "--grace", "5"],
        &["kill", "x", "--grace", "soon"],
        &["kill", "x", "--grace", "99999999999d"],
        &["kill", "x", "-s", "FOO"],
        &["kill", "x", "-s", "0"],
        &["kill", "x", "-s", "99"],
        &["kill", "x", "-s", ""],
        &["kill"],
        &["kill", "x", "--all"],
        &["detach"],
        &["ls", "--filter", "nothing"],
        &["ls", "--filter", "state=odd"],
        &["ls", "--json", "-q"],
        &["status", "x", "y"],
        &["completions", "csh"],
        &["completions"],
        &["man"],
    ] {
        expect_wrong_usage(sandbox.sess(words));
    }
    assert!(!is_there(&sandbox.sessions()));
}

#[test]
fn a_name_may_be_left_out_only_where_one_session_runs() {
    let sandbox = Sandbox::new();
    sandbox.sess(["status"]).expect_error(4, "no session is running");
    sandbox.sess(["attach"]).expect_error(125, "no session is running");
    sandbox.start_session_that_ends("ended", "exit 0");
    sandbox.sess(["status"]).expect_error(4, "no session is running");
    sandbox.start_session("one", ["cat"]);
    assert!(sandbox.sess(["status"]).expect(0).stdout.contains("one"));
    sandbox.start_session("two", ["cat"]);
    for verb in ["status", "attach"] {
        let output = expect_wrong_usage(sandbox.sess([verb]));
        assert!(output.stderr.contains("one, two"), "{}", output.stderr);
    }
    let mut terminal = sandbox.terminal().sess(["attach"]);
    assert_eq!(terminal.wait_for_exit(), 2);
}

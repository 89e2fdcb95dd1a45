//! The environment of a restarted session's program: what was written down, and for the
//! rest that of who restarts it.

use std::collections::BTreeMap;

use crate::harness::{Sandbox, contents, wait_until};

/// Names and values.
type Variables = BTreeMap<String, String>;

/// What the creator has that the restarter hasn't, or has otherwise.
const THEIRS: [(&str, &str); 5] =
    [("LANG", "C"), ("LC_TIME", "en_DK"), ("SECRET", "hunter2"), ("EDITOR", "ed"), ("MINE", "1")];
/// The same the other way round.
const OURS: [(&str, &str); 4] =
    [("LANG", "C.UTF-8"), ("LC_TIME", "de"), ("EDITOR", "vi"), ("OTHER", "2")];

/// Starts a session that writes its environment to a file each time, ends and restarts
/// it; returns both environments.
fn both_environments(sandbox: &Sandbox, options: &[&str]) -> [Variables; 2] {
    let script = "cat /proc/$$/environ >told; mv told told$(ls | grep -c ^told); exec cat";
    let words = [&["new", "-d", "work"], options, &["--", "sh", "-c", script]].concat();
    let mut new = sandbox.sess_command(words);
    new.envs(THEIRS);
    sandbox.run(new).expect(0);
    let first = told(sandbox, "told1");
    sandbox.sess(["kill", "work"]).expect(0);
    let mut restart = sandbox.sess_command(["restart", "work"]);
    restart.envs(OURS).envs([("TMUX", "x"), ("COLUMNS", "7"), ("ZELLIJ_PANE_ID", "1")]);
    restart.env("TERM", "dumb");
    sandbox.run(restart).expect(0);
    let again = told(sandbox, "told2");
    for (key, value) in
        [("SESS_SESSION", Some("work")), ("SESS_ID", first["SESS_ID"].as_str().into())]
    {
        assert_eq!(again.get(key).map(String::as_str), value);
    }
    assert_eq!(again["SESS_ID"], sandbox.status("work")["id"].as_str().unwrap());
    for key in ["TMUX", "COLUMNS", "ZELLIJ_PANE_ID"] {
        assert_eq!(again.get(key), None, "{key}");
    }
    [first, again]
}

fn told(sandbox: &Sandbox, file: &str) -> Variables {
    wait_until(file, || sandbox.path(file).exists());
    let text = String::from_utf8(sandbox.read(file)).unwrap();
    let pairs = text.split_terminator('\0').map(|pair| pair.split_once('=').unwrap());
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

#[track_caller]
fn assert_has(variables: &Variables, expected: &[(&str, Option<&str>)]) {
    for (key, value) in expected {
        assert_eq!(variables.get(*key).map(String::as_str), *value, "{key}");
    }
}

/// Whether this stands in any file of the session's.
fn is_on_disk(sandbox: &Sandbox, secret: &str) -> bool {
    contents(&sandbox.sessions())
        .values()
        .any(|bytes| bytes.windows(secret.len()).any(|window| window == secret.as_bytes()))
}

#[test]
fn the_usual_names_and_what_was_asked_for_are_as_they_were() {
    let sandbox = Sandbox::new();
    let options = ["-e", "ASKED=x=y z", "-e", "EDITOR=asked", "-e", "SSH_AUTH_SOCK=/asked"];
    let [_, again] = both_environments(&sandbox, &options);
    assert_has(
        &again,
        &[
            ("LANG", Some("C")),
            ("LC_TIME", Some("en_DK")),
            ("TERM", Some("xterm-256color")),
            ("ASKED", Some("x=y z")),
            ("EDITOR", Some("asked")),
            ("SSH_AUTH_SOCK", Some("/asked")),
            ("SECRET", None),
            ("OTHER", Some("2")),
            ("MINE", None),
        ],
    );
    assert!(!is_on_disk(&sandbox, "hunter2") && is_on_disk(&sandbox, "x=y z"));
}

#[test]
fn names_of_ones_own_are_written_down_in_place_of_the_usual() {
    let sandbox = Sandbox::new();
    sandbox.configure("record-environment = [\"MINE\", \"LC_*\"]\n");
    let [_, again] = both_environments(&sandbox, &["-e", "ASKED=x"]);
    assert_has(
        &again,
        &[
            ("MINE", Some("1")),
            ("LC_TIME", Some("en_DK")),
            ("LANG", Some("C.UTF-8")),
            ("TERM", Some("xterm-256color")),
            ("EDITOR", Some("vi")),
            ("ASKED", Some("x")),
            ("SECRET", None),
        ],
    );
}

#[test]
fn all_of_it_is_exactly_as_it_was() {
    let sandbox = Sandbox::new();
    sandbox.configure("record-environment = \"all\"\n");
    let [first, again] = both_environments(&sandbox, &["-e", "ASKED=x"]);
    assert_has(&first, &[("SECRET", Some("hunter2")), ("ASKED", Some("x")), ("OTHER", None)]);
    let added = again.iter().filter(|(key, _)| !first.contains_key(*key));
    // Where it begins is told in any case.
    assert_eq!(added.map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["PWD"]);
    for (key, value) in &first {
        assert_eq!(again.get(key), Some(value), "{key}");
    }
}

#[test]
fn none_of_it_is_that_of_who_restarts() {
    let sandbox = Sandbox::new();
    sandbox.configure("record-environment = \"none\"\n");
    let [_, again] = both_environments(&sandbox, &["-e", "ASKED=hunter3"]);
    assert_has(
        &again,
        &[
            ("LANG", Some("C.UTF-8")),
            ("LC_TIME", Some("de")),
            ("EDITOR", Some("vi")),
            ("OTHER", Some("2")),
            ("TERM", Some("xterm-256color")),
            ("ASKED", None),
            ("SECRET", None),
        ],
    );
    assert!(!is_on_disk(&sandbox, "hunter"));
}

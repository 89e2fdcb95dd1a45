//! Contract 4: the exit codes, a row for each state and verb.

use crate::harness::Sandbox;

/// Sessions in each of the four states, under their names.
fn one_of_each(sandbox: &Sandbox) {
    sandbox.start_session("running", ["cat"]);
    sandbox.start_session_that_ends("exited", "exit 3");
    sandbox.start_session("dead", ["cat"]).lose_holder();
    sandbox.start_session("stopped", ["cat"]).stop_holder();
}

#[test]
fn status_tells_the_five_states() {
    let sandbox = Sandbox::new();
    one_of_each(&sandbox);
    for (name, code) in [("running", 0), ("dead", 1), ("exited", 3), ("missing", 4), ("stopped", 5)]
    {
        for options in [&[][..], &["-q"], &["--json"]] {
            let output = sandbox.sess([&["status"], options, &[name]].concat()).expect(code);
            let silent = code != 4 || options == ["-q"];
            assert_eq!(output.stderr.is_empty(), silent, "{name}: {}", output.stderr);
            assert_eq!(output.stdout.is_empty(), code == 4 || options == ["-q"], "{name}");
        }
    }
}

#[test]
fn every_verb_has_its_code_for_every_state() {
    let sandbox = Sandbox::new();
    one_of_each(&sandbox);
    for (verb, name, code) in [
        ("attach", "dead", 125),
        ("attach", "exited", 3),
        ("attach", "missing", 125),
        ("attach", "stopped", 125),
        ("detach", "running", 0),
        ("detach", "dead", 3),
        ("detach", "exited", 3),
        ("detach", "missing", 4),
        ("detach", "stopped", 5),
        ("kill", "missing", 4),
    ] {
        let output = sandbox.sess([verb, name]).expect(code);
        let is_error = (verb, name) != ("attach", "exited") && code != 0;
        assert_eq!(output.stderr.starts_with("sess: "), is_error, "{verb} {name}");
        assert!(!is_error || output.stderr.contains(name), "{}", output.stderr);
    }
}

#[test]
fn without_a_name_none_running_is_4_and_several_are_2() {
    let sandbox = Sandbox::new();
    sandbox.sess(["status"]).expect_error(4, "no session is running");
    sandbox.sess(["attach"]).expect_error(125, "no session is running");
    sandbox.start_session_that_ends("over", "exit 3");
    sandbox.sess(["status"]).expect_error(4, "no session is running");
    sandbox.start_session("one", ["cat"]);
    sandbox.sess(["status"]).expect(0);
    sandbox.start_session("two", ["cat"]);
    let output = sandbox.sess(["status"]).expect_error(2, "2 sessions are running");
    assert!(output.stderr.contains("hint: name one of one, two"), "{}", output.stderr);
    sandbox.sess(["attach"]).expect_error(2, "2 sessions are running");
    // Verbs that end things take no such freedom.
    sandbox.sess(["kill"]).expect_error(2, "");
    sandbox.sess(["detach"]).expect_error(2, "");
}

#[test]
fn of_several_names_all_are_tried_and_the_first_failure_decides() {
    let sandbox = Sandbox::new();
    one_of_each(&sandbox);
    let mut terminal = sandbox.attach("running");
    let output = sandbox.sess(["detach", "missing", "dead", "stopped", "running"]).expect(4);
    assert_eq!(output.stderr.matches("sess: ").count(), 3, "{}", output.stderr);
    assert_eq!(terminal.wait_for_exit(), 0);
    sandbox.sess(["detach", "running", "dead", "missing"]).expect(3);
}

#[test]
fn programs_end_with_their_own_code() {
    let sandbox = Sandbox::new();
    for (index, (script, code)) in [
        ("exit 0", 0),
        ("exit 1", 1),
        ("exit 125", 125),
        ("exit 255", 255),
        ("kill -INT $$", 130),
        ("kill -KILL $$", 137),
        ("kill -SEGV $$", 139),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("work{index}");
        let mut terminal = sandbox.terminal().sess(["new", &name, "--", "sh", "-c", script]);
        assert_eq!(terminal.wait_for_exit(), code, "{script}");
        sandbox.sess(["attach", &name]).expect(code);
    }
}

#[test]
fn an_error_names_the_session_and_says_what_to_do() {
    let sandbox = Sandbox::new();
    let output = sandbox.sess(["status", "work"]).expect(4);
    let mut lines = output.stderr.lines();
    assert_eq!(lines.next(), Some("sess: no such session: work"));
    assert!(lines.next().is_some_and(|hint| hint.starts_with("hint: ")));
    assert_eq!(lines.next(), None);
    assert_eq!(output.stdout, "");
}

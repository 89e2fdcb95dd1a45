//! `max-sessions` and `evict`: how many sessions run at once, and which one has to go.

use crate::harness::{Running, Sandbox, Session, contents, wait_until};

#[track_caller]
fn configure(sandbox: &Sandbox, most: usize, evict: &str) {
    sandbox.configure(&format!("max-sessions = {most}\nevict = \"{evict}\"\n"));
}

/// The names of those that run, in order.
#[track_caller]
fn running(sandbox: &Sandbox) -> String {
    let output = sandbox.sess(["ls", "-q"]).expect(0).stdout;
    let mut names: Vec<_> = output.lines().collect();
    names.sort_unstable();
    names.join(" ")
}

/// Starts these, in which something happened last in this order.
#[track_caller]
fn start_in_order<'a, const N: usize>(sandbox: &'a Sandbox, names: [&str; N]) -> [Session<'a>; N] {
    names.map(|name| {
        let session = sandbox.start_session(name, ["cat"]);
        sandbox.sess(["send", name, "hello", "--enter", "--wait-text", "^hello$"]).expect(0);
        session
    })
}

#[test]
fn one_more_than_may_run_is_refused_and_leaves_nothing_behind() {
    let sandbox = Sandbox::new();
    configure(&sandbox, 2, "none");
    // What is over doesn't count.
    sandbox.start_session_that_ends("over", "exit 3");
    sandbox.start_session("lost", ["cat"]).lose_holder();
    start_in_order(&sandbox, ["one", "two"]);
    let before: Vec<_> = contents(&sandbox.sessions()).into_keys().collect();
    for words in
        [&["new", "-d", "three", "--", "cat"][..], &["new", "-d"], &["new", "-dA", "three"]]
    {
        let output = sandbox.sess(words).expect_error(1, "2 sessions run, and no more than 2 may");
        assert!(output.stderr.contains("\nhint: "), "{}", output.stderr);
    }
    let mut terminal = sandbox.terminal().sess(["new", "three"]);
    assert_eq!(terminal.wait_for_exit(), 125);
    let now: Vec<_> = contents(&sandbox.sessions()).into_keys().collect();
    assert_eq!(now, before);
    assert_eq!(running(&sandbox), "one two");
    // There is room as soon as one ends.
    sandbox.sess(["kill", "one"]).expect(0);
    sandbox.start_session("three", ["cat"]);
    assert_eq!(running(&sandbox), "three two");
}

#[test]
fn one_that_does_not_answer_counts() {
    let sandbox = Sandbox::new();
    configure(&sandbox, 1, "none");
    let session = sandbox.start_session("work", ["cat"]);
    session.stop_holder();
    sandbox.sess(["new", "-d", "other", "--", "cat"]).expect_error(1, "no more than 1 may");
    configure(&sandbox, 1, "idlest");
    sandbox.sess(["new", "-d", "other", "--", "cat"]).expect(1);
    session.signal_holder(sess_sys::Signal::CONT);
    session.wait_for_state("running");
}

#[test]
fn a_variable_goes_before_the_file_and_0_is_any_number() {
    let sandbox = Sandbox::new();
    configure(&sandbox, 1, "none");
    let new = |name: &str, most: &str| {
        let mut command = sandbox.sess_command(["new", "-d", name, "--", "cat"]);
        command.env("SESS_MAX_SESSIONS", most);
        sandbox.run(command)
    };
    new("one", "2").expect(0);
    new("two", "2").expect(0);
    new("three", "2").expect(1);
    new("three", "0").expect(0);
    assert_eq!(running(&sandbox), "one three two");
}

#[test]
fn the_idlest_makes_room() {
    let sandbox = Sandbox::new();
    let all = start_in_order(&sandbox, ["a", "b", "c"]);
    // It was the idlest till now.
    sandbox.sess(["send", "a", "again", "--enter", "--wait-text", "^again$"]).expect(0);
    configure(&sandbox, 3, "idlest");
    assert_eq!(sandbox.sess(["new", "-d", "d", "--", "cat"]).expect(0).stdout, "d\n");
    assert_eq!(running(&sandbox), "a c d");
    let exit = sandbox.status("b")["exit"].clone();
    assert_eq!(exit["cause"], "killed", "{exit}");
    assert_eq!(sandbox.sess(["restore", "--list"]).expect(0).stdout, "");
    for index in [0, 2] {
        assert_eq!(sandbox.session(&all[index].name).pid, all[index].pid);
    }
}

#[test]
fn attached_sessions_are_spared() {
    let sandbox = Sandbox::new();
    start_in_order(&sandbox, ["a", "b", "c"]);
    configure(&sandbox, 3, "idlest");
    let mut terminals = vec![sandbox.attach("a"), sandbox.terminal().attach_with(&["-r"], "b")];
    sandbox.sess(["new", "-d", "d", "--", "cat"]).expect(0);
    assert_eq!(running(&sandbox), "a b d");
    terminals.push(sandbox.attach("d"));
    let output =
        sandbox.sess(["new", "-d", "e", "--", "cat"]).expect_error(1, "no more than 3 may");
    assert!(output.stderr.contains("without a terminal that shows it"), "{}", output.stderr);
    assert_eq!(running(&sandbox), "a b d");
    terminals[1].detach();
    sandbox.sess(["new", "-d", "e", "--", "cat"]).expect(0);
    assert_eq!(running(&sandbox), "a d e");
}

#[test]
fn as_many_go_as_it_takes_where_the_limit_was_lowered() {
    let sandbox = Sandbox::new();
    start_in_order(&sandbox, ["a", "b", "c", "d"]);
    configure(&sandbox, 2, "idlest");
    sandbox.sess(["new", "-d", "e", "--", "cat"]).expect(0);
    assert_eq!(running(&sandbox), "d e");
}

#[test]
fn a_taken_name_is_refused_as_such_and_costs_no_session() {
    for evict in ["none", "idlest"] {
        let sandbox = Sandbox::new();
        let all = start_in_order(&sandbox, ["a", "b"]);
        configure(&sandbox, 2, evict);
        for name in ["a", "b"] {
            let says = format!("session {name} is running already");
            sandbox.sess(["new", "-d", name, "--", "cat"]).expect_error(6, &says);
            // Who only wants it to run is content.
            assert_eq!(sandbox.sess(["new", "-dA", name]).expect(0).stdout, format!("{name}\n"));
        }
        for session in all {
            assert_eq!(sandbox.session(&session.name).pid, session.pid);
        }
    }
}

#[test]
fn what_comes_back_needs_no_room() {
    let sandbox = Sandbox::new();
    configure(&sandbox, 1, "idlest");
    let session = sandbox.start_session("a", ["cat"]);
    session.signal_holder(sess_sys::Signal::TERM);
    session.wait_for_state("exited");
    for name in ["b", "c"] {
        sandbox.start_session(name, ["cat"]);
    }
    assert_eq!(running(&sandbox), "c");
    assert_eq!(sandbox.sess(["restore"]).expect(0).stdout, "a\n");
    sandbox.sess(["restart", "b"]).expect(0);
    assert_eq!(running(&sandbox), "a b c");
}

#[test]
fn what_cannot_be_run_costs_no_session() {
    for evict in ["none", "idlest"] {
        let sandbox = Sandbox::new();
        start_in_order(&sandbox, ["a", "b"]);
        configure(&sandbox, 2, evict);
        sandbox.sess(["new", "-d", "c", "--", "no-such-command"]).expect(127);
        sandbox.sess(["new", "-d", "c", "--", "/"]).expect(126);
        sandbox.sess(["new", "-d", "c", "-c", "/none", "--", "cat"]).expect(1);
        sandbox.sess(["new", "-d", "c", "--with-pid", "2147483647", "--", "cat"]).expect(1);
        sandbox.sess(["new", "-d", "c", "-e", "PATH=/none", "--", "cat"]).expect(127);
        assert_eq!(running(&sandbox), "a b");
        assert_eq!(sandbox.sess(["ls", "-aq"]).expect(0).stdout.lines().count(), 2);
    }
}

#[test]
fn of_ten_that_race_no_more_run_than_may() {
    for evict in ["none", "idlest"] {
        let sandbox = Sandbox::new();
        configure(&sandbox, 3, evict);
        let mut starts: Vec<_> = (0..10)
            .map(|n| match n % 2 {
                0 => sandbox.start_sess(["new", "-d", "--", "cat"]),
                _ => sandbox.start_sess(["new", "-d", &format!("work{n}"), "--", "cat"]),
            })
            .collect();
        // Never more, at no moment.
        wait_until("all to be started or refused", || {
            let now = running(&sandbox);
            assert!(now.split_whitespace().count() <= 3, "{now}");
            starts.iter_mut().all(Running::has_ended)
        });
        let outputs: Vec<_> = starts.into_iter().map(|one| sandbox.finish(one)).collect();
        let done = outputs.iter().filter(|output| output.code == 0).count();
        let refused = outputs.iter().filter(|output| output.code == 1).count();
        let expected = if evict == "none" { (3, 7) } else { (10, 0) };
        assert_eq!((done, refused), expected, "{evict}: {outputs:?}");
        assert_eq!(running(&sandbox).split_whitespace().count(), 3);
    }
}

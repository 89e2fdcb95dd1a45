//! Contract 3 and 4, `wait`: it ends by a fact, and says which by its exit code.

use std::time::{Duration, Instant};

use sess_proto::HolderMessage;
use sess_proto::message::{Until, Wait};

use crate::harness::{Connection, Sandbox, wait_until, wakeups};

#[test]
fn who_waits_for_the_end_ends_as_the_program_did() {
    let sandbox = Sandbox::new();
    for (name, script, code) in [("a", "read x; exit 3", 3), ("b", "read x; kill -9 $$", 137)] {
        sandbox.start_script(name, script);
        let mut wait = sandbox.start_sess(["wait", name]);
        assert!(!wait.has_ended());
        sandbox.sess(["send", name, "--enter"]).expect(0);
        let output = sandbox.finish(wait).expect(code);
        assert_eq!(output.stdout, "");
        // However late one asks.
        sandbox.sess(["wait", name, "--exit"]).expect(code);
    }
    sandbox.sess(["wait", "none"]).expect_error(125, "none");
}

#[test]
fn a_program_that_ends_at_once_is_not_missed() {
    let sandbox = Sandbox::new();
    for n in 0..30 {
        let name = format!("n{n}");
        sandbox.sess(["new", "-d", &name, "--", "sh", "-c", "exit 7"]).expect(0);
        sandbox.sess(["wait", &name]).expect(7);
    }
}

#[test]
fn a_line_on_the_screen_or_to_come_is_found() {
    let sandbox = Sandbox::new();
    sandbox.start_script("work", "echo first; read x; echo second; read x");
    sandbox.sess(["wait", "work", "--text", "^first$", "--timeout", "10s"]).expect(0);
    let wait = sandbox.start_sess(["wait", "work", "--text", "^sec.nd$", "--timeout", "10s"]);
    sandbox.sess(["send", "work", "--enter"]).expect(0);
    sandbox.finish(wait).expect(0);
    let start = Instant::now();
    sandbox
        .sess(["wait", "work", "--text", "never", "--timeout", "200ms"])
        .expect_error(124, "never");
    assert!(start.elapsed() >= Duration::from_millis(200));
}

#[test]
fn a_line_is_found_over_soft_wraps_and_after_it_scrolled_off_in_a_flood() {
    let sandbox = Sandbox::new();
    let script = "read x; seq 1 100000; printf 'a%0200dz\\n' 0; seq 1 100000; read x";
    let session = sandbox.start_script("work", script);
    let wait = sandbox.start_sess(["wait", "work", "--text", "^a0{200}z$", "--timeout", "20s"]);
    let scrolled = sandbox.start_sess(["wait", "work", "--text", "^77777$", "--timeout", "20s"]);
    session.wait_until_heard(&[&wait, &scrolled]);
    sandbox.sess(["send", "work", "--enter"]).expect(0);
    sandbox.finish(wait).expect(0);
    sandbox.finish(scrolled).expect(0);
}

#[test]
fn the_end_before_what_was_waited_for_is_three() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_script("work", "echo start; read x; echo bye");
    let text = sandbox.start_sess(["wait", "work", "--text", "never"]);
    let last = sandbox.start_sess(["wait", "work", "--text", "bye"]);
    let idle = sandbox.start_sess(["wait", "work", "--idle", "1h"]);
    session.wait_until_heard(&[&text, &last, &idle]);
    sandbox.sess(["send", "work", "--enter"]).expect(0);
    sandbox.finish(text).expect_error(3, "work");
    sandbox.finish(last).expect(0);
    sandbox.finish(idle).expect_error(3, "work");
    // Of an ended session its last screen counts.
    sandbox.sess(["wait", "work", "--text", "bye"]).expect(0);
    sandbox.sess(["wait", "work", "--text", "never"]).expect_error(3, "work");
}

#[test]
fn a_line_at_the_end_of_much_output_is_found_however_much_it_was() {
    let sandbox = Sandbox::new();
    let script = "stty -echo; echo ready; while read -r n; do
        head -c $((n * 400)) /dev/zero | tr '\\0' x | fold -w 79; echo; echo end $n; done";
    sandbox.start_script("work", script);
    sandbox.sess(["wait", "work", "--text", "ready"]).expect(0);
    for n in 140..240 {
        let (n, end) = (n.to_string(), format!("^end {n}$"));
        sandbox
            .sess(["send", "work", &n, "--enter", "--wait-text", &end, "--timeout", "5s"])
            .expect(0);
    }
}

#[test]
fn quiet_is_waited_for() {
    let sandbox = Sandbox::new();
    sandbox.start_script(
        "work",
        "for n in 1 2 3 4 5; do echo $n; sleep 0.1; done; touch done; read x",
    );
    sandbox.sess(["wait", "work", "--idle", "400ms"]).expect(0);
    assert!(sandbox.path("done").exists());
    sandbox.sess(["wait", "work", "--idle", "400ms", "--timeout", "1ms"]).expect(0);
    sandbox.sess(["wait", "work", "--idle", "1h", "--timeout", "50ms"]).expect_error(124, "work");
}

#[test]
fn an_offset_that_is_no_longer_kept_is_an_error() {
    let sandbox = Sandbox::new();
    sandbox.configure("journal = 262144\n");
    sandbox.start_script("work", "seq 1 100000; echo END; read x");
    sandbox.sess(["wait", "work", "--text", "^END$"]).expect(0);
    sandbox.sess(["wait", "work", "--text", "END", "--since", "5"]).expect_error(1, "offset 5");
}

#[test]
fn wrong_questions_are_told() {
    let sandbox = Sandbox::new();
    sandbox.start_session("work", ["cat"]);
    sandbox.sess(["wait", "work", "--text", "a", "--idle", "1s"]).expect_error(2, "--idle");
    sandbox.sess(["wait", "work", "--text", "("]).expect_error(2, "(");
    sandbox.sess(["wait", "work", "--text", "x", "--since", "y"]).expect_error(2, "y");
    sandbox.sess(["wait", "none", "--text", "x"]).expect_error(4, "none");
    let hung = sandbox.start_session("hung", ["cat"]);
    hung.stop_holder();
    sandbox.sess(["wait", "hung", "--text", "x"]).expect_error(5, "hung");
    sandbox.sess(["wait", "hung"]).expect_error(125, "hung");
}

#[test]
fn a_thousand_waiters_cost_no_wake_ups_and_none_misses_the_end() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_script("work", "read x; echo go; exit 5");
    let mut waiting = Vec::new();
    for n in 0..1_000 {
        let mut connection = Connection::open(&session.folder());
        connection.greet();
        let until = match n % 3 {
            0 => Until::Exit,
            1 => Until::Text("^go$".to_owned()),
            _ => Until::Text("never".to_owned()),
        };
        connection.say(Wait { until, since: None, timeout: None });
        waiting.push(connection);
    }
    wait_until("all to be accepted", || crate::harness::open_descriptors(session.holder) > 1_000);
    // It has heard what they all want when it answers the next.
    wait_until("an answer", || sandbox.sess(["status", "-q", "work"]).code == 0);
    let before = wakeups(session.holder);
    sandbox.sess(["wait", "work", "--idle", "500ms"]).expect(0);
    let woken = wakeups(session.holder) - before;
    assert!(woken < 20, "the holder woke {woken} times");
    sandbox.sess(["send", "work", "--enter"]).expect(0);
    for (n, connection) in waiting.iter_mut().enumerate() {
        let heard = connection.hear(Duration::from_secs(10), |message| match message {
            HolderMessage::Happened(_) => Some("happened"),
            HolderMessage::Exited(_) => Some("exited"),
            _ => None,
        });
        assert_eq!(heard, Some(if n % 3 == 1 { "happened" } else { "exited" }), "{n}");
    }
}

//! Contract 3, `rename` and `resize`.

use serde_json::json;

use crate::harness::{Sandbox, wait_until};

#[test]
fn a_renamed_session_goes_on_with_its_clients() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["sh"]);
    let mut terminal = sandbox.attach("work");
    sandbox.sess(["rename", "work", "play"]).expect(0);
    let status = sandbox.status("play");
    assert_eq!((&status["id"], &status["state"]), (&json!(session.id), &json!("running")));
    assert_eq!(sandbox.sess(["status", "work"]).code, 4);
    terminal.type_line("echo \"$SESS_SESSION\"-$((6*7))");
    terminal.wait_for_text("work-42");
    assert_eq!(status["clients"].as_array().unwrap().len(), 1);
    terminal.detach();
    terminal.wait_for_text("[detached from play]");
    let command = std::fs::read(format!("/proc/{}/cmdline", session.holder)).unwrap();
    assert!(command.starts_with(b"sess: play"));
    sandbox.sess(["new", "-d", "work"]).expect(0);
    sandbox.sess(["kill", "play"]).expect(0);
    assert_eq!(sandbox.sess(["status", "play"]).code, 3);
}

#[test]
fn a_taken_name_is_refused_and_an_ended_ones_is_free() {
    let sandbox = Sandbox::new();
    sandbox.start_session("work", ["cat"]);
    sandbox.start_session("other", ["cat"]);
    sandbox.sess(["rename", "work", "other"]).expect_error(6, "other");
    sandbox.sess(["rename", "work", "a/b"]).expect_error(2, "a/b");
    sandbox.sess(["rename", "none", "x"]).expect_error(4, "none");
    sandbox.start_session_that_ends("over", "exit 3");
    sandbox.sess(["rename", "over", "x"]).expect_error(3, "over");
    sandbox.sess(["rename", "work", "over"]).expect(0);
    assert_eq!(sandbox.status("over")["state"], "running");
    sandbox.sess(["rename", "over", "over"]).expect(0);
}

#[test]
fn what_still_lives_of_a_dead_session_keeps_its_name() {
    let sandbox = Sandbox::new();
    sandbox.start_session("work", ["cat"]);
    let dead = sandbox.start_script("dead", "trap '' HUP; while :; do sleep 1; done");
    dead.lose_holder();
    let refused = sandbox.sess(["rename", "work", "dead"]).expect_error(1, "dead");
    assert!(refused.stderr.contains("hint: sess kill dead"), "{}", refused.stderr);
    sandbox.sess(["kill", "dead", "--grace", "0s"]).expect(0);
    sandbox.sess(["rename", "work", "dead"]).expect(0);
}

#[test]
fn a_renamed_sessions_places_are_still_put_back() {
    let sandbox = Sandbox::new();
    sandbox.start_session("work", ["cat"]);
    sandbox.sess(["rename", "work", "play"]).expect(0);
    std::fs::remove_dir_all(sandbox.sessions()).unwrap();
    wait_until("its places", || sandbox.sess(["status", "-q", "play"]).code == 0);
}

#[test]
fn only_one_of_many_gets_a_name() {
    let sandbox = Sandbox::new();
    for n in 0..8 {
        sandbox.start_session(&n.to_string(), ["cat"]);
    }
    let renames: Vec<_> =
        (0..8).map(|n| sandbox.start_sess(["rename", &n.to_string(), "wanted"])).collect();
    let codes: Vec<i32> = renames.into_iter().map(|rename| sandbox.finish(rename).code).collect();
    assert_eq!(codes.iter().filter(|code| **code == 0).count(), 1, "{codes:?}");
    assert!(codes.iter().all(|code| matches!(code, 0 | 6)), "{codes:?}");
    let names = sandbox.sess(["ls", "-q"]).expect(0).stdout;
    assert_eq!(names.lines().count(), 8, "{names}");
}

#[test]
fn the_size_is_set_while_nobody_leads() {
    let sandbox = Sandbox::new();
    sandbox.start_session("work", ["sh"]);
    sandbox.sess(["resize", "work", "100x30"]).expect(0);
    assert_eq!(sandbox.status("work")["size"], json!({"cols": 100, "rows": 30}));
    sandbox.sess(["send", "work", "stty size", "--enter", "--wait-text", "^30 100$"]).expect(0);
    let terminal = sandbox.terminal().size(60, 20).attach("work");
    sandbox.sess(["resize", "work", "90x30"]).expect_error(1, "work");
    assert_eq!(sandbox.status("work")["size"], json!({"cols": 60, "rows": 20}));
    drop(terminal);
    wait_until("nobody to be attached", || sandbox.status("work")["clients"] == json!([]));
    sandbox.sess(["resize", "work", "90x30"]).expect(0);
    sandbox.sess(["resize", "work", "0x30"]).expect_error(2, "0x30");
    sandbox.sess(["resize", "none", "90x30"]).expect_error(4, "none");
}

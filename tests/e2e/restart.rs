//! Contract 3, `restart`: what is over is started again as it was, and is the same
//! session. What can't be started again is left as it is.

mod attaching;
mod directory;
mod environment;
mod output;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::symlink;

use serde_json::{Value, json};
use sess_sys::process::Signal;

use crate::harness::{Sandbox, contents, is_there, process_in, wait_until};

const SESS: &str = env!("CARGO_BIN_EXE_sess");

/// A script that ends with 3, and stays as soon as there is a file `again`.
const ENDS_FIRST: &str = "test -e again && exec cat; exit 3";

#[test]
fn every_argument_is_the_same_again() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("told")).unwrap();
    let mut words: Vec<OsString> = ["new", "-d", "work", "--", "sh", "-c"].map(From::from).into();
    words.push("cat /proc/$$/cmdline >told/$(ls told | wc -l)".into());
    words.extend(
        ["", "two  words", "it's \"quoted\"", "$HOME `id` \\ *", "tab\tand\nline"].map(From::from),
    );
    words.extend(["--", "-d", "größe 日本", "\u{1b}[31m"].map(From::from));
    words.push(OsString::from_vec(vec![0xff, 0xfe, b'x', 0xc3]));
    sandbox.sess(words).expect(0);
    sandbox.wait_for_end("work");
    for n in 1..3 {
        sandbox.sess(["restart", "work"]).expect(0);
        sandbox.wait_for_end("work");
        let (first, again) = (sandbox.read("told/0"), sandbox.read(&format!("told/{n}")));
        assert!(first.ends_with(b"\0\xff\xfex\xc3\0"), "{}", first.escape_ascii());
        assert_eq!(first.escape_ascii().to_string(), again.escape_ascii().to_string());
    }
}

#[test]
fn it_is_the_same_session_again() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command("sh");
    command.args(["-c", "umask 0027; exec \"$@\"", "sh", SESS, "new", "-d", "-s", "100x30"]);
    command.args(["-l", "project=x", "-l", "tier=a=b", "--history", "7", "work", "--"]);
    command.args(["sh", "-c", "seq 1 100; umask; stty size; exec cat"]);
    sandbox.run(command).expect(0);
    sandbox.wait_for_line("work", "^30 100$");
    sandbox.sess(["resize", "work", "90x20"]).expect(0);
    let before = sandbox.session("work");
    sandbox.sess(["kill", "work"]).expect(0);
    let ended = sandbox.status("work");
    let output = sandbox.sess(["restart", "work"]).expect(0);
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
    sandbox.wait_for_line("work", "^20 90$");
    let raw = sandbox.raw_since("work", ended["offset"].as_u64().unwrap());
    assert!(raw.ends_with("\r\n0027\r\n20 90\r\n"), "{raw}");
    let now = sandbox.status("work");
    for key in ["name", "id", "created", "labels", "command", "cwd", "size", "version"] {
        assert_eq!(now[key], ended[key], "{key}");
    }
    assert_eq!(now["labels"], json!({"project": "x", "tier": "a=b"}));
    assert_eq!(
        (&now["size"], &now["history_lines"]),
        (&json!({"cols": 90, "rows": 20}), &7.into())
    );
    assert_eq!((&now["state"], &now["exit"]), (&"running".into(), &Value::Null));
    let session = sandbox.session("work");
    assert!(session.pid != before.pid && session.holder != before.holder);
    assert_eq!(sandbox.sess(["ls", "-q", "--filter", "project=x"]).expect(0).stdout, "work\n");
}

#[test]
fn a_session_without_a_command_has_its_shell_again() {
    let sandbox = Sandbox::new();
    sandbox.sess(["new", "-d", "work"]).expect(0);
    sandbox.sess(["kill", "work"]).expect(0);
    let mut command = sandbox.sess_command(["restart", "work"]);
    command.env("SHELL", "/bin/false");
    sandbox.run(command).expect(0);
    sandbox.sess(["send", "work", "echo $((6*7))", "--enter", "--wait-text", "^42$"]).expect(0);
}

#[test]
fn its_policies_hold_again() {
    let sandbox = Sandbox::new();
    let words = ["new", "-d", "--restart", "on-failure:2", "--on-exit", "echo >>ends", "work"];
    sandbox.sess([&words[..], &["--", "sh", "-c", "echo >>runs; exit 3"]].concat()).expect(0);
    for n in 1..3 {
        let exit = sandbox.wait_for_end("work");
        assert_eq!((&exit["code"], &exit["cause"]), (&3.into(), &"gave-up".into()), "{exit}");
        assert_eq!((sandbox.count_lines("runs"), sandbox.count_lines("ends")), (2 * n, n));
        sandbox.sess(["restart", "work"]).expect(0);
    }
}

#[test]
fn a_session_whose_holder_was_lost_is_restarted() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    session.lose_both();
    sandbox.sess(["status", "work"]).expect(1);
    sandbox.sess(["restart", "work"]).expect(0);
    assert_eq!(sandbox.session("work").id, session.id);
    sandbox.sess(["send", "work", "hello", "--enter", "--wait-text", "^hello$"]).expect(0);
}

#[test]
fn what_is_not_over_is_left_alone() {
    let sandbox = Sandbox::new();
    let running = sandbox.start_session("running", ["cat"]);
    let stopped = sandbox.start_session("stopped", ["cat"]);
    stopped.stop_holder();
    sandbox.sess(["restart", "running"]).expect_error(6, "session running is running already");
    sandbox.sess(["restart", "stopped"]).expect_error(5, "session stopped does not answer");
    sandbox.sess(["restart", "missing"]).expect_error(4, "no such session: missing");
    sandbox.sess(["restart"]).expect_error(2, "NAME");
    stopped.signal_holder(Signal::CONT);
    stopped.wait_for_state("running");
    for session in [running, stopped] {
        assert_eq!(sandbox.session(&session.name).pid, session.pid);
    }
    assert_eq!(sandbox.sess(["ls", "-aq"]).expect(0).stdout.lines().count(), 2);
}

#[test]
fn of_several_all_are_tried_and_the_first_failure_decides() {
    let sandbox = Sandbox::new();
    for name in ["one", "two"] {
        sandbox.start_session_that_ends(name, ENDS_FIRST);
    }
    sandbox.start_session("runs", ["cat"]);
    sandbox.write("again", "");
    let output = sandbox.sess(["restart", "one", "none", "runs", "two"]).expect(4);
    let errors: Vec<_> = output.stderr.lines().filter(|line| line.starts_with("sess: ")).collect();
    assert_eq!(errors.len(), 2, "{}", output.stderr);
    assert!(errors[0].contains("none") && errors[1].contains("runs"), "{}", output.stderr);
    for name in ["one", "two"] {
        sandbox.sess(["status", name]).expect(0);
    }
    sandbox.sess(["restart", "runs", "none"]).expect(6);
}

#[test]
fn a_command_that_is_gone_costs_nothing_of_the_record() {
    let sandbox = Sandbox::new();
    let program = sandbox.path("program");
    symlink("/bin/sh", &program).unwrap();
    let words = ["new", "-d", "work", "--", "./program", "-c", "echo last words; exit 3"];
    sandbox.sess(words).expect(0);
    sandbox.wait_for_end("work");
    let before = (sandbox.status("work"), contents(&sandbox.sessions()));
    // Neither does it leave a link to the agent of who tried.
    let restart = || {
        let mut command = sandbox.sess_command(["restart", "work"]);
        command.env("SSH_AUTH_SOCK", "/somewhere");
        sandbox.run(command)
    };
    std::fs::remove_file(&program).unwrap();
    restart().expect_error(1, "no such command: ./program");
    assert_eq!((sandbox.status("work"), contents(&sandbox.sessions())), before);
    sandbox.write("program", "not executable");
    restart().expect_error(1, "can't run ./program");
    assert_eq!((sandbox.status("work"), contents(&sandbox.sessions())), before);
    sandbox.sess(["status", "work"]).expect(3);
    assert_eq!(sandbox.sess(["logs", "work"]).expect(0).stdout, "last words\n");
    // As soon as it is there again it can be run.
    std::fs::remove_file(&program).unwrap();
    symlink("/bin/sh", &program).unwrap();
    restart().expect(0);
    sandbox.wait_for_end("work");
    assert_eq!(sandbox.sess(["logs", "work"]).expect(0).stdout.matches("last words").count(), 2);
}

#[test]
fn what_a_dead_session_left_running_is_not_touched() {
    let sandbox = Sandbox::new();
    let script = "trap '' HUP; echo $$ >pid; while :; do sleep 1000; done";
    let session = sandbox.start_script("work", script);
    let program = process_in(&sandbox, "pid");
    session.lose_holder();
    let before = contents(&session.folder());
    let output =
        sandbox.sess(["restart", "work"]).expect_error(1, "work is dead, but its processes");
    assert!(output.stderr.ends_with("\nhint: sess kill work\n"), "{}", output.stderr);
    assert!(program.alive());
    assert_eq!(contents(&session.folder()), before);
    sandbox.sess(["status", "work"]).expect(1);
}

#[test]
fn what_an_exited_session_left_running_is_no_obstacle_and_runs_on() {
    let sandbox = Sandbox::new();
    let script = "trap '' HUP; sleep 1000 & echo $! >job; test -e again && exec cat; exit 3";
    sandbox.start_session_that_ends("work", script);
    let job = process_in(&sandbox, "job");
    sandbox.write("again", "");
    sandbox.sess(["restart", "work"]).expect(0);
    sandbox.sess(["send", "work", "hello", "--enter", "--wait-text", "^hello$"]).expect(0);
    assert!(job.alive());
}

#[test]
fn a_record_that_is_not_readable_is_told() {
    let sandbox = Sandbox::new();
    sandbox.start_session_that_ends("work", "exit 3");
    sandbox.write("sessions/work/record/start.json", "{");
    sandbox.sess(["restart", "work"]).expect_error(1, "work can't be started again");
    assert!(is_there(&sandbox.sessions().join("work/record/exit.json")));
}

#[test]
fn a_name_with_a_number_of_sess_is_accepted() {
    let sandbox = Sandbox::new();
    let first = sandbox.start_session("work", ["cat"]);
    first.stop_holder();
    std::fs::remove_dir_all(first.folder()).unwrap();
    sandbox.start_session("work", ["cat"]);
    first.signal_holder(Signal::CONT);
    wait_until("it to go on", || sandbox.sess(["status", "-q", "work~2"]).code == 0);
    sandbox.sess(["kill", "work~2"]).expect(0);
    sandbox.sess(["restart", "work~2"]).expect(0);
    assert_eq!(sandbox.session("work~2").id, first.id);
    assert_ne!(sandbox.session("work").id, first.id);
}

#[test]
fn a_renamed_session_is_restarted_under_its_new_name() {
    let sandbox = Sandbox::new();
    let script = "echo $SESS_SESSION >>told; exec cat";
    let session = sandbox.start_script("work", script);
    sandbox.sess(["rename", "work", "play"]).expect(0);
    sandbox.sess(["kill", "play"]).expect(0);
    sandbox.sess(["restart", "work"]).expect(4);
    sandbox.sess(["restart", "play"]).expect(0);
    assert_eq!(sandbox.session("play").id, session.id);
    wait_until("its name", || sandbox.count_lines("told") == 2);
    assert_eq!(sandbox.read("told"), b"work\nplay\n");
}

#[test]
fn of_many_restarts_at_once_one_wins() {
    let sandbox = Sandbox::new();
    sandbox.start_session_that_ends("work", "echo >>runs; test -e again && exec cat; exit 3");
    sandbox.write("again", "");
    let restarts: Vec<_> = (0..10).map(|_| sandbox.start_sess(["restart", "work"])).collect();
    let mut codes: Vec<_> = restarts.into_iter().map(|one| sandbox.finish(one).code).collect();
    codes.sort_unstable();
    assert_eq!(codes, [0, 6, 6, 6, 6, 6, 6, 6, 6, 6]);
    sandbox.sess(["send", "work", "hello", "--enter", "--wait-text", "^hello$"]).expect(0);
    assert_eq!(sandbox.count_lines("runs"), 2);
}

#[test]
fn it_can_be_restarted_as_often_as_one_likes() {
    let sandbox = Sandbox::new();
    sandbox.start_session_that_ends("work", "echo hello; exit 3");
    let id = sandbox.status("work")["id"].clone();
    let mut offset = 0;
    for _ in 0..10 {
        sandbox.wait_for_end("work");
        let now = sandbox.offset("work");
        assert!(now > offset, "{now} {offset}");
        offset = now;
        sandbox.sess(["restart", "work"]).expect(0);
    }
    sandbox.wait_for_end("work");
    assert_eq!(sandbox.status("work")["id"], id);
    let logs = sandbox.sess(["logs", "work"]).expect(0).stdout;
    assert_eq!(logs.matches("restarted").count(), 10, "{logs}");
}

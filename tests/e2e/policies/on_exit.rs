//! `--on-exit`: a command that is run once, when a session is over.

use serde_json::{Value, json};
use sess_sys::process::{Pid, Signal};

use super::{in_turn, runs, start};
use crate::harness::{Sandbox, process_in, signal_to, wait_until};

/// Writes down what it finds.
const TELL: &str = "{ tr '\\0' '\\n' </proc/$$/environ; readlink /proc/$$/cwd /proc/$$/fd/0 \
     /proc/$$/fd/1 /proc/$$/fd/2; } 2>&1 >told; echo >>ends";

fn told(sandbox: &Sandbox) -> Vec<String> {
    String::from_utf8(sandbox.read("told")).unwrap().lines().map(str::to_owned).collect()
}

#[track_caller]
fn assert_told(sandbox: &Sandbox, lines: &[&str]) {
    let told = told(sandbox);
    for line in lines {
        assert!(told.iter().any(|one| one == line), "{line} is missing in {told:?}");
    }
}

fn ends(sandbox: &Sandbox) -> usize {
    sandbox.count_lines("ends")
}

#[test]
fn it_is_run_at_the_end_with_what_the_program_had_and_how_it_ended() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("began")).unwrap();
    let tell = TELL.replace("told", "../told").replace("ends", "../ends");
    let options = ["--on-exit", &tell, "-c", "began", "-e", "A=x y", "-e", "SESS_EXIT_CODE=forged"];
    start(&sandbox, "my work", &options, "cd /; exit 3");
    let exit = sandbox.wait_for_end("my work");
    assert_eq!(exit["on_exit"], json!({"code": 0, "signal": null, "error": null}), "{exit}");
    assert_eq!((&exit["code"], &exit["cause"]), (&3.into(), &"itself".into()));
    let began = sandbox.path("began").to_str().unwrap().to_owned();
    let expected =
        ["SESS_SESSION=my work", "SESS_EXIT_CODE=3", "SESS_EXIT_SIGNAL=", "A=x y", &began];
    assert_told(&sandbox, &expected);
    let told = told(&sandbox);
    assert!(!told.iter().any(|line| line.starts_with("SESS_ID=")), "{told:?}");
    assert!(!told.iter().any(|line| line.contains("forged")), "{told:?}");
    assert_eq!(ends(&sandbox), 1);
    let text = sandbox.sess(["status", "my work"]).expect(3).stdout;
    assert!(
        text.lines().any(|line| line.starts_with("on exit:") && line.ends_with("exited 0")),
        "{text}"
    );
}

#[test]
fn a_signal_is_told_by_its_name() {
    let sandbox = Sandbox::new();
    for (name, script, signal) in [
        ("segv", "kill -SEGV $$", "SIGSEGV"),
        ("kill", "kill -KILL $$", "SIGKILL"),
        ("hup", "kill -HUP $$", "SIGHUP"),
    ] {
        start(&sandbox, name, &["--on-exit", TELL], script);
        sandbox.wait_for_end(name);
        let (session, signal) =
            (format!("SESS_SESSION={name}"), format!("SESS_EXIT_SIGNAL={signal}"));
        assert_told(&sandbox, &[&session, "SESS_EXIT_CODE=", &signal]);
    }
    assert_eq!(ends(&sandbox), 3);
}

#[test]
fn it_is_run_however_the_session_ends() {
    let sandbox = Sandbox::new();
    let cases = [("killed", "1h"), ("taken", "1h"), ("idle-timeout", "200ms")];
    for (index, (cause, idle)) in cases.into_iter().enumerate() {
        start(&sandbox, cause, &["--on-exit", TELL, "--idle-timeout", idle], "exec cat");
        match cause {
            "killed" => drop(sandbox.sess(["kill", cause]).expect(0)),
            "taken" => sandbox.session(cause).signal_holder(Signal::TERM),
            _ => {}
        }
        let exit = sandbox.wait_for_end(cause);
        assert_eq!(
            (&exit["cause"], &exit["on_exit"]["code"]),
            (&cause.into(), &0.into()),
            "{exit}"
        );
        let signal = exit["signal"].as_str().unwrap();
        assert_told(&sandbox, &["SESS_EXIT_CODE=", &format!("SESS_EXIT_SIGNAL={signal}")]);
        assert_eq!(ends(&sandbox), index + 1);
    }
}

#[test]
fn between_restarts_it_is_not_run() {
    let sandbox = Sandbox::new();
    let options = ["--restart", "on-failure:3", "--on-exit", TELL];
    start(&sandbox, "work", &options, &in_turn(&["exit 3", "kill -KILL $$", "exit 5"]));
    assert_eq!(sandbox.wait_for_end("work")["cause"], "gave-up");
    assert_eq!((runs(&sandbox), ends(&sandbox)), (3, 1));
    assert_told(&sandbox, &["SESS_EXIT_CODE=5", "SESS_EXIT_SIGNAL="]);
}

#[test]
fn it_is_done_when_those_who_waited_return() {
    let sandbox = Sandbox::new();
    let slow = "while ! test -e go; do sleep 0.02; done; echo >>ends";
    start(&sandbox, "work", &["--on-exit", slow], "echo words; read x; exit 3");
    let mut terminal = sandbox.attach("work");
    let mut waits = sandbox.start_sess(["wait", "work"]);
    terminal.type_line("");
    wait_until("the program's end", || sandbox.status("work")["pid"].is_null());
    assert!(!waits.has_ended() && terminal.runs());
    // The name is still its own.
    assert_eq!(sandbox.status("work")["state"], "running");
    sandbox.sess(["new", "-d", "work", "--", "cat"]).expect_error(6, "work");
    sandbox.sess(["restart", "work"]).expect_error(6, "work");
    assert_eq!(sandbox.sess(["prune"]).expect(0).stdout, "");
    // Who comes now waits as well.
    let mut second = sandbox.attach("work");
    let late = sandbox.start_sess(["wait", "work"]);
    assert!(sandbox.sess(["capture", "work"]).expect(0).stdout.starts_with("words\n"));
    sandbox.write("go", "");
    for wait in [waits, late] {
        sandbox.finish(wait).expect(3);
    }
    assert_eq!(ends(&sandbox), 1);
    for terminal in [&mut terminal, &mut second] {
        assert_eq!(terminal.wait_for_exit(), 3);
        assert!(terminal.text().ends_with("[work exited: 3]"), "{}", terminal.text());
    }
    sandbox.sess(["status", "work"]).expect(3);
    sandbox.start_session("work", ["cat"]);
}

#[test]
fn while_it_runs_nothing_can_be_typed() {
    let sandbox = Sandbox::new();
    let slow = "while ! test -e go; do sleep 0.02; done";
    start(&sandbox, "work", &["--on-exit", slow], "exit 3");
    wait_until("the program's end", || sandbox.status("work")["pid"].is_null());
    let output = sandbox.sess(["send", "work", "x", "--timeout", "5s"]);
    assert!([1, 3].contains(&output.code), "{output:?}");
    assert!(output.stderr.contains("ended") || output.stderr.contains("exited"), "{output:?}");
    let output = sandbox.sess(["run", "work", "--", "echo"]).expect(125);
    assert!(!output.stderr.contains("runs ,"), "{output:?}");
    sandbox.write("go", "");
    sandbox.wait_for_end("work");
}

#[test]
fn what_becomes_of_it_is_recorded_and_changes_nothing_else() {
    let sandbox = Sandbox::new();
    for (name, command, code, signal, says) in [
        ("fails", "exit 7", json!(7), Value::Null, "exited 7"),
        ("gone", "no-such-command", json!(127), Value::Null, "exited 127"),
        ("nonsense", "( '", json!(2), Value::Null, "exited 2"),
        ("dies", "kill -KILL $$", Value::Null, json!("SIGKILL"), "killed SIGKILL"),
    ] {
        start(&sandbox, name, &["--on-exit", command], "exit 3");
        sandbox.sess(["wait", name]).expect(3);
        let exit = sandbox.status(name)["exit"].clone();
        assert_eq!((&exit["code"], &exit["cause"]), (&3.into(), &"itself".into()), "{exit}");
        assert_eq!(exit["on_exit"], json!({"code": code, "signal": signal, "error": null}));
        let text = sandbox.sess(["status", name]).expect(3).stdout;
        let line = text.lines().find_map(|line| line.strip_prefix("on exit:")).expect("it");
        assert_eq!(line.trim(), says);
    }
}

#[test]
fn one_that_cannot_be_run_is_told() {
    let sandbox = Sandbox::new();
    // More than the system takes as an argument.
    sandbox.configure(&format!("on-exit = \"echo >>ends # {}\"\n", "x".repeat(200_000)));
    start(&sandbox, "work", &[], "exit 3");
    sandbox.sess(["wait", "work"]).expect(3);
    let exit = sandbox.status("work")["exit"].clone();
    let on_exit = &exit["on_exit"];
    let error = on_exit["error"].as_str().unwrap_or_else(|| panic!("{exit}"));
    assert!(error.contains("too long"), "{exit}");
    assert_eq!((&on_exit["code"], &on_exit["signal"]), (&Value::Null, &Value::Null));
    let text = sandbox.sess(["status", "work"]).expect(3).stdout;
    assert!(text.contains("could not be run: "), "{text}");
    assert_eq!(ends(&sandbox), 0);
}

#[test]
fn where_its_directory_is_gone_it_is_run_all_the_same() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("gone")).unwrap();
    let command = "echo >>$SANDBOX/ends; pwd >>$SANDBOX/ends";
    start(&sandbox, "work", &["--on-exit", command, "-c", "gone"], "rmdir ../gone; exit 3");
    sandbox.sess(["wait", "work"]).expect(3);
    assert_eq!(sandbox.status("work")["exit"]["on_exit"]["code"], 0);
    assert_eq!(sandbox.read("ends"), b"\n/\n");
}

#[test]
fn kill_ends_it_with_the_session() {
    let sandbox = Sandbox::new();
    start(&sandbox, "work", &["--on-exit", "echo $$ >pid; exec sleep 1000"], "exit 3");
    let process = process_in(&sandbox, "pid");
    sandbox.sess(["kill", "work"]).expect(0);
    assert!(!process.alive());
    let exit = sandbox.wait_for_end("work");
    assert_eq!((&exit["code"], &exit["on_exit"]["code"]), (&3.into(), &Value::Null), "{exit}");
    assert!(exit["on_exit"]["signal"].is_string(), "{exit}");
    sandbox.sess(["status", "work"]).expect(3);
}

#[test]
fn kill_waits_for_it_as_long_as_it_takes() {
    let sandbox = Sandbox::new();
    start(&sandbox, "work", &["--on-exit", "sleep 5; echo >>ends"], "exec cat");
    sandbox.sess(["kill", "--grace", "0s", "work"]).expect(0);
    let exit = sandbox.wait_for_end("work");
    assert_eq!((&exit["cause"], &exit["on_exit"]["code"]), (&"killed".into(), &0.into()), "{exit}");
    assert_eq!(ends(&sandbox), 1);
}

#[test]
fn it_knows_a_renamed_session_by_its_new_name() {
    let sandbox = Sandbox::new();
    start(&sandbox, "work", &["--on-exit", TELL], "exec cat");
    sandbox.sess(["rename", "work", "play"]).expect(0);
    sandbox.sess(["kill", "play"]).expect(0);
    assert_told(&sandbox, &["SESS_SESSION=play"]);
}

#[test]
fn it_can_start_another_session_that_stays() {
    let sandbox = Sandbox::new();
    let command = format!("'{}' new -d next -- cat", env!("CARGO_BIN_EXE_sess"));
    start(&sandbox, "work", &["--on-exit", &command], "exit 3");
    let exit = sandbox.wait_for_end("work");
    assert_eq!(exit["on_exit"]["code"], 0, "{exit}");
    sandbox.sess(["send", "next", "hello", "--enter", "--wait-text", "^hello$"]).expect(0);
}

#[test]
fn a_holder_that_is_lost_while_it_runs_has_recorded_the_end() {
    let sandbox = Sandbox::new();
    start(&sandbox, "work", &["--on-exit", "echo $$ >pid; exec sleep 1000"], "exit 3");
    process_in(&sandbox, "pid");
    let holder = sandbox.status("work")["holder_pid"].as_i64().unwrap();
    signal_to(Pid(i32::try_from(holder).unwrap()), Signal::KILL);
    let exit = sandbox.wait_for_end("work");
    assert_eq!((&exit["code"], &exit["cause"]), (&3.into(), &"itself".into()), "{exit}");
    assert_eq!(sandbox.sess(["restore"]).expect(0).stdout, "");
}

//! What becomes of sessions without anybody asking: restarts, ends, the command at the
//! end, and room for new ones. All from the configuration or by options, and none of it
//! costs an idle session anything.

mod clients;
mod ends;
mod on_exit;
mod restarts;
mod room;

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Sandbox, wait_until, wakeups};

/// Starts a session with these options of `new` that runs a script. It may be over at
/// once.
#[track_caller]
fn start(sandbox: &Sandbox, name: &str, options: &[&str], script: &str) {
    let words = [&["new", "-d"], options, &[name, "--", "sh", "-c", script]].concat();
    assert_eq!(sandbox.sess(words).expect(0).stdout, format!("{name}\n"));
}

/// A script that counts its runs in the file `runs`, and does in each what stands for that
/// here; the last is for all that follow.
fn in_turn(runs: &[&str]) -> String {
    let (last, first) = runs.split_last().expect("there is a last one");
    let first = first.iter().zip(1..).map(|(run, n)| format!("{n}) {run};;"));
    let first = first.collect::<Vec<_>>().join(" ");
    format!("echo >>runs; case $(grep -c '' runs) in {first} *) {last};; esac")
}

fn runs(sandbox: &Sandbox) -> usize {
    sandbox.count_lines("runs")
}

/// Starts a session that is restarted whenever it ends, and ends at once the first five
/// times; returns in the pause after that, which is 1.6 s long.
#[track_caller]
fn start_and_pause(sandbox: &Sandbox, name: &str, options: &[&str], at_last: &str) {
    let script = in_turn(&["exit 7", "exit 7", "exit 7", "exit 7", "exit 7", at_last]);
    start(sandbox, name, &[&["--restart", "on-failure:100"], options].concat(), &script);
    wait_until("the fifth run", || runs(sandbox) == 5);
    wait_until("the pause", || {
        let upkeep = sandbox.status(name)["upkeep"].clone();
        upkeep["restarts"] == 4 && upkeep["next_start"].is_string()
    });
    assert_eq!(runs(sandbox), 5);
}

/// A time in a session's record, in milliseconds since 1970.
#[track_caller]
fn recorded_time(sandbox: &Sandbox, name: &str, file: &str, key: &str) -> u64 {
    let text = sandbox.read(&format!("sessions/{name}/record/{file}"));
    let json: Value = serde_json::from_slice(&text).unwrap();
    json[key].as_u64().unwrap_or_else(|| panic!("no {key} in {json}"))
}

#[test]
fn all_of_them_come_from_the_configuration() {
    let sandbox = Sandbox::new();
    sandbox.configure(
        "restart = \"on-failure:2\"\nidle-timeout = \"1s\"\non-exit = \"echo >>ends\"\n",
    );
    start(&sandbox, "fails", &[], "echo >>runs; exit 3");
    assert_eq!(sandbox.wait_for_end("fails")["cause"], "gave-up");
    assert_eq!((runs(&sandbox), sandbox.count_lines("ends")), (2, 1));
    start(&sandbox, "idles", &[], "exec cat");
    assert_eq!(sandbox.wait_for_end("idles")["cause"], "idle-timeout");
    assert_eq!(sandbox.count_lines("ends"), 2);
    sandbox.configure("timeout = \"200ms\"\n");
    start(&sandbox, "takes-long", &[], "exec cat");
    assert_eq!(sandbox.wait_for_end("takes-long")["cause"], "timeout");
    // The configuration of later is not for those that run.
    assert_eq!(sandbox.count_lines("ends"), 2);
}

#[test]
fn options_go_before_the_configuration() {
    let sandbox = Sandbox::new();
    sandbox.configure(
        "restart = \"always\"\nidle-timeout = \"100ms\"\ntimeout = \"100ms\"\n\
         on-exit = \"echo >>ends\"\n",
    );
    let none =
        ["--restart", "never", "--idle-timeout", "none", "--timeout", "none", "--on-exit", ""];
    start(&sandbox, "work", &none, "echo >>runs; read x; exit 3");
    // For longer than any of them allows.
    sandbox.sess(["wait", "work", "--idle", "500ms"]).expect(0);
    sandbox.sess(["send", "work", "--enter"]).expect(0);
    let exit = sandbox.wait_for_end("work");
    assert_eq!((&exit["code"], &exit["cause"]), (&3.into(), &"itself".into()));
    assert_eq!(exit.get("on_exit"), None, "{exit}");
    assert_eq!((runs(&sandbox), sandbox.count_lines("ends")), (1, 0));
    // So do variables, and options before those.
    let words = ["new", "-d", "--timeout", "none", "other", "--", "sh", "-c", "exit 4"];
    let mut command = sandbox.sess_command(words);
    command.env("SESS_RESTART", "on-failure:1").env("SESS_ON_EXIT", "echo >>others");
    command.env("SESS_IDLE_TIMEOUT", "none");
    sandbox.run(command).expect(0);
    assert_eq!(sandbox.wait_for_end("other")["cause"], "gave-up");
    assert_eq!((sandbox.count_lines("others"), sandbox.count_lines("ends")), (1, 0));
}

#[test]
fn what_is_none_is_wrong_usage_and_begins_nothing() {
    let sandbox = Sandbox::new();
    for (option, value, says) in [
        ("--restart", "sometimes", "'never', 'on-failure', 'on-failure:N'"),
        ("--restart", "on-failure:0", "on-failure:0"),
        ("--restart", "", "'always'"),
        ("--idle-timeout", "0s", "at least 1ms"),
        ("--idle-timeout", "5", "a time has a unit"),
        ("--timeout", "never", "'none'"),
        ("--timeout", "3651d", "at most 3650d"),
        ("--with-pid", "0", "--with-pid"),
        ("--with-pid", "-1", "--with-pid"),
        ("--with-pid", "me", "--with-pid"),
        ("--record", "sometimes", "'always', 'on-exit' or 'never'"),
    ] {
        let option = format!("{option}={value}");
        sandbox.sess(["new", "-d", &option, "work", "--", "cat"]).expect_error(2, says);
    }
    assert_eq!(sandbox.sess(["ls", "-aq"]).expect(0).stdout, "");
}

#[test]
fn an_idle_session_that_has_them_all_is_never_woken() {
    let sandbox = Sandbox::new();
    let me = std::process::id().to_string();
    let holders = [("hours", "5h"), ("years", "3650d")].map(|(name, time)| {
        let options =
            ["--restart", "always", "--idle-timeout", time, "--timeout", time, "--with-pid", &me];
        start(&sandbox, name, &[&options[..], &["--on-exit", "echo >>ends"]].concat(), "exec cat");
        sandbox.session(name).holder
    });
    // Time passes in another, so that nobody asks these anything.
    let pass = |time: &str| drop(sandbox.sess(["wait", "other", "--idle", time]).expect(0));
    sandbox.start_session("other", ["cat"]);
    pass("2s");
    let before = holders.map(wakeups);
    pass("4s");
    for (holder, before) in holders.into_iter().zip(before) {
        let woken = wakeups(holder) - before;
        assert!(woken < 2, "it was woken {woken} times");
    }
}

#[test]
fn a_session_without_them_stays_however_long_nothing_happens() {
    let sandbox = Sandbox::new();
    let start = Instant::now();
    let session = sandbox.start_session("work", ["cat"]);
    sandbox.sess(["wait", "work", "--idle", "1s"]).expect(0);
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(sandbox.session("work").pid, session.pid);
}

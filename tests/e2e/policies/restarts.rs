//! `--restart`: when a program that has ended is started again, how often, and what it
//! finds.

use serde_json::Value;
use sess_sys::process::{Process, Signal};

use super::{in_turn, runs, start, start_and_pause};
use crate::harness::{
    Sandbox, is_there, open_descriptors, process_in, restart_times, signal_to, wait_until,
};

#[test]
fn on_failure_is_after_failures_and_signals_but_not_after_success() {
    let sandbox = Sandbox::new();
    let script = in_turn(&["exit 3", "kill -SEGV $$", "kill -KILL $$", "exit 0"]);
    start(&sandbox, "work", &["--restart", "on-failure"], &script);
    let exit = sandbox.wait_for_end("work");
    assert_eq!((&exit["code"], &exit["cause"]), (&0.into(), &"itself".into()), "{exit}");
    assert_eq!(runs(&sandbox), 4);
    let text = sandbox.sess(["logs", "work"]).expect(0).stdout;
    assert_eq!(restart_times(&text).len(), 3, "{text}");
}

#[test]
fn always_is_after_success_too() {
    let sandbox = Sandbox::new();
    let script = in_turn(&["exit 0", "exit 3", "exec cat"]);
    start(&sandbox, "work", &["--restart", "always"], &script);
    wait_until("the third run", || runs(&sandbox) == 3);
    sandbox.sess(["send", "work", "hello", "--enter", "--wait-text", "^hello$"]).expect(0);
    assert_eq!(sandbox.status("work")["upkeep"]["restarts"], 2);
}

#[test]
fn by_default_it_is_never() {
    let sandbox = Sandbox::new();
    for (name, options, code) in [("one", &[][..], "0"), ("two", &["--restart", "never"], "3")] {
        start(&sandbox, name, options, &format!("echo >>runs-{name}; exit {code}"));
        assert_eq!(sandbox.wait_for_end(name)["cause"], "itself");
        assert_eq!(sandbox.count_lines(&format!("runs-{name}")), 1);
    }
}

#[test]
fn too_many_failures_are_the_end() {
    for most in [1_u8, 2, 4] {
        let sandbox = Sandbox::new();
        let policy = format!("on-failure:{most}");
        let script = "echo >>runs; exit $((10 + $(grep -c '' runs)))";
        start(&sandbox, "work", &["--restart", &policy], script);
        // Whoever waits is told how the last one ended.
        sandbox.sess(["wait", "work"]).expect(10 + i32::from(most));
        assert_eq!(runs(&sandbox), usize::from(most));
        let status = sandbox.status("work");
        assert_eq!(status["exit"]["code"], 10 + most);
        assert_eq!(status["exit"]["cause"], "gave-up");
        let text = sandbox.sess(["status", "work"]).expect(3).stdout;
        let why = text.lines().find_map(|line| line.strip_prefix("why:")).expect("a reason");
        assert!(why.contains("failed too often"), "{text}");
        assert_eq!(sandbox.sess(["restore", "--list"]).expect(0).stdout, "");
    }
}

#[test]
fn unless_it_is_said_five_failures_are_too_many() {
    let sandbox = Sandbox::new();
    start(&sandbox, "work", &["--restart", "on-failure"], "echo >>runs; exit 3");
    assert_eq!(sandbox.wait_for_end("work")["cause"], "gave-up");
    assert_eq!(runs(&sandbox), 5);
}

#[test]
fn a_program_that_ends_at_once_is_started_less_and_less_often() {
    let sandbox = Sandbox::new();
    let script = "date +%s%3N >>runs; exit 0";
    start(&sandbox, "work", &["--restart", "always"], script);
    wait_until("six runs", || runs(&sandbox) == 6);
    let holder = sandbox.status("work")["holder_pid"].as_i64().unwrap();
    // Times of this process in its own code and the system's, in 1/100 s.
    let stat = std::fs::read_to_string(format!("/proc/{holder}/stat")).unwrap();
    let (_, rest) = stat.rsplit_once(')').unwrap();
    let times = rest.split_whitespace().skip(11).take(2);
    let busy: u64 = times.map(|time| time.parse::<u64>().unwrap()).sum();
    assert!(busy < 25, "the holder was busy for {busy}0 ms of three seconds");
    let times = String::from_utf8(sandbox.read("runs")).unwrap();
    let times: Vec<u64> = times.lines().map(|time| time.parse().unwrap()).collect();
    for (index, pair) in times.windows(2).enumerate() {
        let (pause, least) = (pair[1] - pair[0], 100 << index);
        // A clock of milliseconds may be one off.
        assert!(pause + 2 >= least, "pause {index} was {pause} ms: {times:?}");
    }
    sandbox.sess(["kill", "work"]).expect(0);
    assert_eq!(runs(&sandbox), 6);
}

#[test]
fn a_program_that_is_gone_counts_as_failed() {
    let sandbox = Sandbox::new();
    let program = sandbox.path("program");
    std::os::unix::fs::symlink("/bin/sh", &program).unwrap();
    let words = ["new", "-d", "--restart", "on-failure:3", "work", "--", "./program", "-c"];
    sandbox.sess([&words[..], &["echo >>runs; rm program; exit 3"]].concat()).expect(0);
    let exit = sandbox.wait_for_end("work");
    assert_eq!((&exit["code"], &exit["cause"]), (&127.into(), &"gave-up".into()), "{exit}");
    assert_eq!(runs(&sandbox), 1);
}

#[test]
fn the_pause_is_told() {
    let sandbox = Sandbox::new();
    start_and_pause(&sandbox, "work", &[], "exec cat");
    let status = sandbox.status("work");
    assert_eq!((&status["state"], &status["pid"]), (&"running".into(), &Value::Null));
    let text = sandbox.sess(["status", "work"]).expect(0).stdout;
    let restarts = text.lines().find_map(|line| line.strip_prefix("restarts:")).expect("them");
    assert!(restarts.trim().starts_with("4, the next in "), "{text}");
    wait_until("the next run", || runs(&sandbox) == 6);
    let status = sandbox.status("work");
    assert_eq!(status["upkeep"]["restarts"], 5);
    assert_eq!((&status["upkeep"]["next_start"], status["pid"].is_i64()), (&Value::Null, true));
}

#[test]
fn in_the_pause_nothing_can_be_typed() {
    let sandbox = Sandbox::new();
    start_and_pause(&sandbox, "work", &[], "exec cat");
    let says = "its program has ended, and is started again";
    sandbox.sess(["send", "work", "stale", "--enter"]).expect_error(1, says);
    sandbox.sess(["run", "work", "--", "echo"]).expect_error(125, says);
    assert_eq!(runs(&sandbox), 5, "it was in the pause");
    wait_until("the next run", || runs(&sandbox) == 6);
    sandbox.sess(["send", "work", "fresh", "--enter", "--wait-text", "^fresh$"]).expect(0);
    assert!(!sandbox.sess(["logs", "work"]).expect(0).stdout.contains("stale"));
}

#[test]
fn who_types_when_it_ends_is_refused_and_not_left_waiting() {
    let sandbox = Sandbox::new();
    let script = in_turn(&["stty -echo raw; echo ready; exec sleep 1000", "exec sh"]);
    start(&sandbox, "work", &["--restart", "on-failure"], &script);
    sandbox.wait_for_line("work", "ready");
    // More than a terminal takes that nobody reads.
    let sends = sandbox.start_reading(["send", "work", "--stdin"], vec![b'x'; 50_000]);
    wait_until("it to be typed", || sandbox.status("work")["last_input"].is_string());
    signal_to(sandbox.session("work").pid, Signal::KILL);
    let output = sandbox.finish(sends).expect_error(1, "its program has ended");
    assert!(output.stderr.contains("is started again"), "{}", output.stderr);
    wait_until("the next run", || runs(&sandbox) == 2 && sandbox.status("work")["pid"].is_i64());
    let runner = sandbox.start_sess(["run", "work", "--", "echo $$ >pid; sleep 1000"]);
    let shell = process_in(&sandbox, "pid");
    shell.signal(Signal::KILL).unwrap();
    sandbox.finish(runner).expect_error(125, "its program has ended");
    // With the third it can be done.
    wait_until("the next run", || runs(&sandbox) == 3 && sandbox.status("work")["pid"].is_i64());
    assert_eq!(sandbox.sess(["run", "work", "--", "echo hello"]).expect(0).stdout, "hello\n");
}

#[test]
fn kill_is_the_end_in_a_run_and_in_a_pause() {
    for (name, options) in [("run", &[][..]), ("hard", &["--grace", "0s"]), ("int", &["-s", "INT"])]
    {
        let sandbox = Sandbox::new();
        start(&sandbox, name, &["--restart", "always"], "echo >>runs; exec cat");
        wait_until("it to run", || runs(&sandbox) == 1);
        sandbox.sess([&["kill"], options, &[name]].concat()).expect(0);
        assert_eq!(sandbox.status(name)["exit"]["cause"], "killed");
        assert_eq!(runs(&sandbox), 1);
    }
    let sandbox = Sandbox::new();
    start_and_pause(&sandbox, "work", &[], "exec cat");
    sandbox.sess(["kill", "work"]).expect(0);
    let exit = sandbox.status("work")["exit"].clone();
    assert_eq!((&exit["code"], &exit["cause"]), (&7.into(), &"killed".into()), "{exit}");
    assert_eq!(runs(&sandbox), 5);
}

#[test]
fn a_kill_that_outlasts_the_pause_is_the_end_all_the_same() {
    let sandbox = Sandbox::new();
    // What it left running costs the whole grace.
    let deaf = "trap '' HUP TERM; echo $$ >deaf; while :; do sleep 1000; done";
    let leaves = format!(
        "setsid sh -c '{}' </dev/null >/dev/null 2>&1 &
         while ! test -s deaf; do sleep 0.02; done; exit 7",
        deaf.replace('\'', "\"")
    );
    let script = in_turn(&["exit 7", "exit 7", "exit 7", &leaves, "exec cat"]);
    start(&sandbox, "work", &["--restart", "on-failure"], &script);
    let deaf = process_in(&sandbox, "deaf");
    wait_until("the pause", || sandbox.status("work")["upkeep"]["next_start"].is_string());
    assert_eq!(runs(&sandbox), 4, "it was in the pause");
    let kill = sandbox.sess(["kill", "--grace", "1200ms", "work"]).expect(0);
    assert_eq!(kill.stderr, "");
    assert!(!deaf.alive());
    let exit = sandbox.status("work")["exit"].clone();
    assert_eq!((&exit["code"], &exit["cause"]), (&7.into(), &"killed".into()), "{exit}");
    assert_eq!(runs(&sandbox), 4);
}

#[test]
fn sigterm_to_the_holder_is_the_end_until_it_is_restored() {
    for in_pause in [false, true] {
        let sandbox = Sandbox::new();
        if in_pause {
            start_and_pause(&sandbox, "work", &[], "exec cat");
        } else {
            start(&sandbox, "work", &["--restart", "on-failure"], "echo >>runs; exec cat");
            wait_until("it to run", || runs(&sandbox) == 1);
        }
        let before = runs(&sandbox);
        let holder = sandbox.status("work")["holder_pid"].as_i64().unwrap();
        let holder = Process::read(sess_sys::Pid(i32::try_from(holder).unwrap())).unwrap().unwrap();
        holder.signal(Signal::TERM).unwrap();
        assert_eq!(sandbox.wait_for_end("work")["cause"], "taken");
        assert_eq!(runs(&sandbox), before);
        assert_eq!(sandbox.sess(["restore"]).expect(0).stdout, "work\n");
        wait_until("it to run again", || runs(&sandbox) == before + 1);
    }
}

#[test]
fn a_system_that_goes_down_takes_it_whoever_is_told_first() {
    let sandbox = Sandbox::new();
    start(&sandbox, "work", &["--restart", "always"], "echo >>runs; exec cat");
    wait_until("it to run", || runs(&sandbox) == 1);
    let session = sandbox.session("work");
    // Both are told before the holder can look.
    session.stop_holder();
    signal_to(session.pid, Signal::TERM);
    session.signal_holder(Signal::TERM);
    session.signal_holder(Signal::CONT);
    assert_eq!(sandbox.wait_for_end("work")["cause"], "taken");
    assert_eq!(runs(&sandbox), 1);
}

#[test]
fn the_next_program_finds_its_terminal_as_the_first_did() {
    let sandbox = Sandbox::new();
    let first = "stty raw -echo -ixon min 5 time 7; stty erase x intr y; exit 3";
    let second = "echo >/dev/tty on its terminal; exec cat";
    let script = format!("stty -a >>modes; {}", in_turn(&[first, second]));
    start(&sandbox, "work", &["--restart", "on-failure"], &script);
    sandbox.wait_for_line("work", "^on its terminal$");
    let modes = String::from_utf8(sandbox.read("modes")).unwrap();
    let lines: Vec<_> = modes.lines().collect();
    let (before, after) = lines.split_at(lines.len() / 2);
    assert_eq!(before, after);
    sandbox.sess(["send", "work", "hello", "--enter", "--wait-text", "^hello$"]).expect(0);
}

#[test]
fn output_that_was_held_up_for_the_last_program_is_not_for_the_next() {
    let sandbox = Sandbox::new();
    let script = in_turn(&[
        "echo ready; while ! test -e go; do sleep 0.02; done; exit 3",
        "echo next; exec cat",
    ]);
    start(&sandbox, "work", &["--restart", "on-failure"], &script);
    sandbox.wait_for_line("work", "^ready$");
    sandbox.sess(["send", "work", "-k", "C-s"]).expect(0);
    sandbox.write("go", "");
    sandbox.wait_for_line("work", "^next$");
}

#[test]
fn what_was_typed_for_the_last_program_is_not_read_by_the_next() {
    for modes in ["-echo", "-echo raw"] {
        let sandbox = Sandbox::new();
        let first = "echo ready; while ! test -e go; do sleep 0.02; done; exit 3";
        let script = in_turn(&[&format!("stty {modes}; {first}"), "echo next; exec cat"]);
        start(&sandbox, "work", &["--restart", "on-failure"], &script);
        sandbox.wait_for_line("work", "ready");
        sandbox.sess(["send", "work", "stale", "--enter", "half"]).expect(0);
        sandbox.write("go", "");
        sandbox.wait_for_line("work", "^next$");
        sandbox.sess(["send", "work", "fresh", "--enter"]).expect(0);
        let said = || sandbox.sess(["logs", "work"]).expect(0).stdout;
        wait_until("what is typed and what is said", || said().ends_with("fresh\nfresh\n"));
        assert!(said().ends_with(" ──\nnext\nfresh\nfresh\n"), "{modes}: {}", said());
    }
}

#[test]
fn it_begins_as_the_first_did() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("began")).unwrap();
    // That a shell doesn't say of itself what it has made.
    let tell = "sort -z /proc/$$/environ | tr '\\0' '\\n'; umask; ulimit -Sn; ulimit -Hn
        readlink /proc/$$/cwd; grep -E 'Sig(Blk|Ign)' /proc/self/status; stty size";
    let script = format!(
        "n=$(ls $SANDBOX | grep -c ^told); {{ {tell}; }} >$SANDBOX/told$n
         while ! test -e $SANDBOX/go; do sleep 0.02; done
         umask 0; cd /; test $n -ge 2 && exec cat; exit 3"
    );
    let options = ["--restart", "always", "-c", "began", "-e", "A=x y", "-s", "90x20"];
    start(&sandbox, "work", &options, &script);
    sandbox.sess(["resize", "work", "70x21"]).expect(0);
    sandbox.write("go", "");
    let told = |n: usize| String::from_utf8(sandbox.read(&format!("told{n}"))).unwrap();
    // With the size that is that of now.
    wait_until("the third run", || told(2).ends_with("\n21 70\n"));
    sandbox.sess(["send", "work", "hello", "--enter", "--wait-text", "^hello$"]).expect(0);
    let (first, third) = (told(0), told(2));
    assert!(first.contains("A=x y\n") && first.contains("/began\n"), "{first}");
    // But for that.
    assert_eq!(first.lines().count(), third.lines().count());
    for (one, other) in first.lines().zip(third.lines()).take(first.lines().count() - 1) {
        assert_eq!(one, other);
    }
}

#[test]
fn the_line_has_the_users_time() {
    let sandbox = Sandbox::new();
    let zone = "TEST-13:30";
    let before = sandbox.date_in(zone);
    let script = in_turn(&["exit 3", "exit 0"]);
    let words = ["new", "-d", "--restart", "on-failure", "work", "--", "sh", "-c", &script];
    let mut command = sandbox.sess_command(words);
    command.env("TZ", zone);
    sandbox.run(command).expect(0);
    sandbox.wait_for_end("work");
    let after = sandbox.date_in(zone);
    let times = restart_times(&sandbox.sess(["logs", "work"]).expect(0).stdout);
    assert_eq!(times.len(), 1);
    assert!(before <= times[0] && times[0] <= after, "{before} {times:?} {after}");
}

#[test]
fn what_a_program_left_running_is_no_obstacle() {
    let sandbox = Sandbox::new();
    let first = "trap '' HUP; sleep 1000 & echo $! >job; exit 3";
    let script = in_turn(&[first, "echo >/dev/tty on its terminal; exec cat"]);
    start(&sandbox, "work", &["--restart", "on-failure"], &script);
    let job = process_in(&sandbox, "job");
    sandbox.wait_for_line("work", "^on its terminal$");
    assert!(job.alive());
    sandbox.sess(["send", "work", "-k", "C-c"]).expect(0);
    wait_until("the third run", || runs(&sandbox) == 3);
    // It belongs to the session, which ends as a whole.
    sandbox.sess(["kill", "work"]).expect(0);
    assert!(!job.alive());
}

#[test]
fn all_that_it_said_stands_before_the_line() {
    let sandbox = Sandbox::new();
    let script = in_turn(&["seq 1 20000; printf 'last words'; exit 3", "echo next; exec cat"]);
    start(&sandbox, "work", &["--restart", "on-failure", "--history", "30000"], &script);
    sandbox.wait_for_line("work", "^next$");
    let text = sandbox.sess(["logs", "work"]).expect(0).stdout;
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 20_003, "{:?}", &lines[lines.len() - 5..]);
    assert!(lines.iter().take(20_000).zip(1..).all(|(line, n)| *line == n.to_string()));
    assert_eq!((lines[20_000], lines[20_002]), ("last words", "next"));
    assert!(lines[20_001].starts_with("── restarted "), "{}", lines[20_001]);
}

#[test]
fn restarts_leave_nothing_open() {
    let sandbox = Sandbox::new();
    let script = "echo >>runs; echo hello; read x; exit 0";
    start(&sandbox, "work", &["--restart", "always"], script);
    let session = sandbox.session("work");
    let again = |n: usize| {
        sandbox.sess(["send", "work", "--enter"]).expect(0);
        wait_until("the next run", || runs(&sandbox) == n);
    };
    again(2);
    // From now on all is open that is needed.
    wait_until("the record", || is_there(&session.folder().join("record/output-0000000000")));
    let before = open_descriptors(session.holder);
    for n in 3..6 {
        again(n);
    }
    wait_until("all else to be closed", || open_descriptors(session.holder) <= before);
    let children = format!("/proc/{0}/task/{0}/children", session.holder);
    let children = std::fs::read_to_string(children).unwrap();
    assert_eq!(children.split_whitespace().count(), 1, "{children}");
}

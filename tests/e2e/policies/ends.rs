//! `--idle-timeout`, `--timeout`, `--with-pid`: the end of a session, as by `kill`,
//! without anybody asking.

use std::process::Child;
use std::time::{Duration, Instant};

use sess_sys::Pid;
use sess_sys::process::{Process, Signal};

use super::{in_turn, recorded_time, runs, start, start_and_pause};
use crate::harness::{
    Sandbox, find, is_root, is_there, process_in, signal_to, skipped, wait_until,
};

/// A process that has nothing to do with any session. Ended when dropped.
struct Companion(Child);

impl Companion {
    fn start(sandbox: &Sandbox) -> Self {
        Self(sandbox.command("sleep").arg("1000").spawn().unwrap())
    }

    fn pid(&self) -> String {
        self.0.id().to_string()
    }

    /// Ends it, and leaves it for its parent to be heard of.
    fn kill(&mut self) {
        self.0.kill().unwrap();
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Fails unless this is why it ended, and all that it started is gone.
#[track_caller]
fn assert_ends(sandbox: &Sandbox, name: &str, cause: &str, says: &str) {
    let exit = sandbox.wait_for_end(name);
    assert_eq!(exit["cause"], cause, "{exit}");
    let text = sandbox.sess(["status", name]).expect(3).stdout;
    let why = text.lines().find_map(|line| line.strip_prefix("why:")).expect("a reason");
    assert!(why.contains(says), "{text}");
    assert_eq!(sandbox.sess(["restore", "--list"]).expect(0).stdout, "");
}

#[test]
fn a_session_in_which_nothing_happens_is_ended_with_all_that_it_started() {
    let sandbox = Sandbox::new();
    let script = "setsid sleep 1000 & echo $! >child; echo hello; exec cat";
    start(&sandbox, "work", &["--idle-timeout", "500ms"], script);
    let child = process_in(&sandbox, "child");
    // Looking, waiting and following is nothing that happens.
    let waits = sandbox.start_sess(["wait", "work"]);
    let follows = sandbox.start_sess(["logs", "-f", "work"]);
    assert_ends(&sandbox, "work", "idle-timeout", "idle timeout");
    assert!(!child.alive());
    let exit = sandbox.status("work")["exit"].clone();
    let code = if exit["signal"] == "SIGTERM" { 143 } else { 129 };
    sandbox.finish(waits).expect(code);
    assert_eq!(sandbox.finish(follows).expect(0).stdout, "hello\n");
    let quiet = recorded_time(&sandbox, "work", "exit.json", "time")
        - recorded_time(&sandbox, "work", "latest.json", "last-output");
    assert!(quiet >= 499, "{quiet} ms");
}

#[test]
fn output_keeps_it_alive() {
    let sandbox = Sandbox::new();
    let script = "for n in $(seq 50); do echo $n; sleep 0.05; done; echo last; exec cat";
    start(&sandbox, "work", &["--idle-timeout", "1s"], script);
    assert_ends(&sandbox, "work", "idle-timeout", "idle timeout");
    assert!(sandbox.sess(["logs", "work"]).expect(0).stdout.ends_with("\n50\nlast\n"));
    let quiet = recorded_time(&sandbox, "work", "exit.json", "time")
        - recorded_time(&sandbox, "work", "latest.json", "last-output");
    assert!(quiet >= 999, "{quiet} ms");
}

#[test]
fn what_is_sent_keeps_it_alive() {
    let sandbox = Sandbox::new();
    let timeout = Duration::from_millis(800);
    start(&sandbox, "work", &["--idle-timeout", "800ms"], "stty -echo; exec cat >/dev/null");
    let start = Instant::now();
    let mut last = start;
    while start.elapsed() < 3 * timeout {
        last = Instant::now();
        sandbox.sess(["send", "work", "x", "--enter"]).expect(0);
    }
    assert_ends(&sandbox, "work", "idle-timeout", "idle timeout");
    assert!(last.elapsed() >= timeout, "{:?}", last.elapsed());
}

#[test]
fn who_is_attached_keeps_it_alive_also_to_look_on() {
    let sandbox = Sandbox::new();
    let timeout = Duration::from_millis(600);
    let script = "while ! test -e go; do sleep 0.02; done; sleep 2; touch over; exec cat";
    let both = [("writes", &[][..]), ("looks-on", &["-r"])].map(|(name, options)| {
        start(&sandbox, name, &["--idle-timeout", "600ms"], script);
        (name, sandbox.terminal().attach_with(options, name))
    });
    sandbox.write("go", "");
    wait_until("more than the time to have passed", || sandbox.path("over").exists());
    for (name, mut terminal) in both {
        assert_eq!(sandbox.status(name)["state"], "running");
        let detached = Instant::now();
        terminal.type_bytes(b"\x1c");
        assert_ends(&sandbox, name, "idle-timeout", "idle timeout");
        // The time begins when nobody is there any more.
        assert!(detached.elapsed() >= timeout, "{:?}", detached.elapsed());
        assert_eq!(terminal.wait_for_exit(), 0);
    }
}

#[test]
fn a_restart_begins_the_idle_time_anew() {
    let sandbox = Sandbox::new();
    let script = in_turn(&["sleep 0.7; exit 3", "sleep 0.7; exit 3", "exec cat"]);
    start(&sandbox, "work", &["--restart", "on-failure", "--idle-timeout", "1500ms"], &script);
    assert_ends(&sandbox, "work", "idle-timeout", "idle timeout");
    assert_eq!(runs(&sandbox), 3);
}

#[test]
fn the_timeout_is_for_the_whole_run_whatever_happens_in_it() {
    let sandbox = Sandbox::new();
    let begun = Instant::now();
    start(&sandbox, "work", &["--timeout", "1s"], "while echo x; do sleep 0.02; done");
    let mut terminal = sandbox.attach("work");
    let code = terminal.wait_for_exit();
    assert!(code == 129 || code == 143, "{code}");
    assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_ends(&sandbox, "work", "timeout", "timeout");
    let duration = sandbox.status("work")["exit"]["duration"].as_f64().unwrap();
    assert!(duration >= 0.999, "{duration}");
}

#[test]
fn the_timeout_includes_restarts_and_the_pauses_between_them() {
    let sandbox = Sandbox::new();
    // Begun anew each time, it would never be over.
    let options = ["--restart", "always", "--timeout", "1s"];
    start(&sandbox, "runs", &options, "echo >>runs; sleep 0.4; exit 0");
    assert_ends(&sandbox, "runs", "timeout", "timeout");
    assert!(runs(&sandbox) <= 3, "{}", runs(&sandbox));
    std::fs::remove_file(sandbox.path("runs")).unwrap();
    start(&sandbox, "pauses", &options, "echo >>runs; exit 7");
    assert_ends(&sandbox, "pauses", "timeout", "timeout");
    assert!(runs(&sandbox) <= 4, "{}", runs(&sandbox));
    assert_eq!(sandbox.status("pauses")["exit"]["code"], 7);
}

#[test]
fn a_session_ends_with_the_process_that_it_is_to_end_with() {
    for is_reaped in [true, false] {
        let sandbox = Sandbox::new();
        let mut companion = Companion::start(&sandbox);
        let options = ["--with-pid", &companion.pid(), "--restart", "always"];
        let script = "setsid sleep 1000 & echo $! >child; echo >>runs; exec cat";
        start(&sandbox, "work", &options, script);
        let child = process_in(&sandbox, "child");
        sandbox.sess(["send", "work", "hello", "--enter", "--wait-text", "^hello$"]).expect(0);
        let program = Process::read(sandbox.session("work").pid).unwrap().unwrap();
        assert_eq!(program.open_files().unwrap().len(), 3, "no more than its terminal");
        companion.kill();
        if is_reaped {
            companion.0.wait().unwrap();
        }
        assert_ends(&sandbox, "work", "with-pid", "the process ended");
        assert!(!child.alive());
        assert_eq!(runs(&sandbox), 1);
    }
}

#[test]
fn it_ends_with_it_in_a_pause_too() {
    let sandbox = Sandbox::new();
    let mut companion = Companion::start(&sandbox);
    start_and_pause(&sandbox, "work", &["--with-pid", &companion.pid()], "exec cat");
    companion.kill();
    assert_ends(&sandbox, "work", "with-pid", "the process ended");
    assert_eq!(sandbox.status("work")["exit"]["code"], 7);
    assert_eq!(runs(&sandbox), 5);
}

#[test]
fn several_may_end_with_one_and_each_ends_with_its_own() {
    let sandbox = Sandbox::new();
    let (mut one, other) = (Companion::start(&sandbox), Companion::start(&sandbox));
    for (name, companion) in [("a", &one), ("b", &one), ("c", &other)] {
        start(&sandbox, name, &["--with-pid", &companion.pid()], "exec cat");
    }
    one.kill();
    for name in ["a", "b"] {
        assert_ends(&sandbox, name, "with-pid", "the process ended");
    }
    sandbox.sess(["send", "c", "hello", "--enter", "--wait-text", "^hello$"]).expect(0);
    // It is none of the session's: what ends that spares it.
    sandbox.sess(["kill", "c"]).expect(0);
    let pid = Pid(i32::try_from(other.0.id()).unwrap());
    assert!(Process::read(pid).unwrap().expect("it is there").alive());
}

#[test]
fn once_restarted_a_session_ends_with_nobody() {
    let sandbox = Sandbox::new();
    let mut companion = Companion::start(&sandbox);
    start(&sandbox, "work", &["--with-pid", &companion.pid()], "exec cat");
    companion.kill();
    companion.0.wait().unwrap();
    assert_ends(&sandbox, "work", "with-pid", "the process ended");
    sandbox.sess(["restart", "work"]).expect(0);
    sandbox.sess(["send", "work", "hello", "--enter", "--wait-text", "^hello$"]).expect(0);
}

#[test]
fn another_process_that_got_the_number_is_not_the_one() {
    let sandbox = Sandbox::new();
    let Some(unshare) = find("unshare") else { return };
    if !is_root() {
        return;
    }
    // In a world of its own, where the next number can be said.
    let script = format!(
        "sess='{}'; sleep 1000 & pid=$!
         $sess new -d --with-pid $pid work -- cat || exit 1
         holder=$($sess status --json work | sed 's/.*\"holder_pid\":\\([0-9]*\\).*/\\1/')
         kill -STOP $holder; kill -KILL $pid; wait $pid
         echo $((pid - 1)) >/proc/sys/kernel/ns_last_pid || exit 77
         sleep 1000 &
         test $! = $pid || exit 77
         kill -CONT $holder
         $sess wait work --timeout 10s; echo waited: $?
         kill -0 $pid && echo the other lives
         $sess status work | grep why:",
        env!("CARGO_BIN_EXE_sess")
    );
    let mut command = sandbox.command(unshare);
    command.args(["-p", "-f", "-m", "--mount-proc", "sh", "-c", &script]);
    let output = sandbox.run(command);
    if output.code == 77 || output.stderr.starts_with("unshare: ") {
        return skipped("numbers of processes can't be chosen");
    }
    assert!(output.stdout.contains("waited: 129\nthe other lives\n"), "{output:?}");
    assert!(output.stdout.contains("the process ended"), "{output:?}");
}

#[test]
fn a_process_that_is_not_there_is_an_error_that_leaves_nothing_behind() {
    let sandbox = Sandbox::new();
    let mut zombie = Companion::start(&sandbox);
    zombie.kill();
    let zombie_pid = Pid(i32::try_from(zombie.0.id()).unwrap());
    wait_until("it to have ended", || {
        Process::read(zombie_pid).unwrap().is_none_or(|process| process.state == 'Z')
    });
    let mut gone = sandbox.command("true").spawn().unwrap();
    gone.wait().unwrap();
    // None has this number: it is more than there can be.
    for pid in [zombie.pid(), gone.id().to_string(), "2147483647".to_owned()] {
        let words = ["new", "-d", "--with-pid", &pid, "work", "--", "cat"];
        let says = format!("there is no process {pid} to end with");
        sandbox.sess(words).expect_error(1, &says);
        assert!(!is_there(&sandbox.sessions().join("work")));
    }
    // What an earlier session left is as it was.
    sandbox.start_session_that_ends("work", "exit 3");
    let before = sandbox.status("work");
    sandbox.sess(["new", "-d", "--with-pid", &zombie.pid(), "work", "--", "cat"]).expect(1);
    assert_eq!(sandbox.status("work"), before);
}

#[test]
fn a_session_that_ended_by_itself_was_ended_by_no_policy() {
    let sandbox = Sandbox::new();
    let companion = Companion::start(&sandbox);
    let options = ["--with-pid", &companion.pid(), "--idle-timeout", "1h", "--timeout", "1h"];
    start(&sandbox, "ends", &options, "exit 3");
    assert_eq!(sandbox.wait_for_end("ends")["cause"], "itself");
    start(&sandbox, "killed", &options, "exec cat");
    sandbox.sess(["kill", "killed"]).expect(0);
    assert_eq!(sandbox.status("killed")["exit"]["cause"], "killed");
    start(&sandbox, "taken", &options, "exec cat");
    signal_to(sandbox.session("taken").pid, Signal::TERM);
    assert_eq!(sandbox.wait_for_end("taken")["cause"], "taken");
}

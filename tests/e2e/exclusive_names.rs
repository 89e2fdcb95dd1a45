//! Contract 6.8: of many that want a name exactly one gets it, and nobody makes
//! another fail for no reason.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use sess_sys::process::Process;

use crate::harness::{Sandbox, Session, is_there, process_in, wait_until};

/// Runs the same command so often at once; returns the codes. Errors are those of
/// the name or the command only.
#[track_caller]
fn race(sandbox: &Sandbox, times: usize, words: &[&str]) -> Vec<i32> {
    let running: Vec<_> = (0..times).map(|_| sandbox.start(sandbox.sess_command(words))).collect();
    let outputs: Vec<_> = running.into_iter().map(|one| sandbox.finish(one)).collect();
    let odd = outputs.iter().find(|output| ![0, 6, 127].contains(&output.code));
    assert!(odd.is_none(), "{odd:?}");
    outputs.into_iter().map(|output| output.code).collect()
}

fn count(codes: &[i32], code: i32) -> usize {
    codes.iter().filter(|&&one| one == code).count()
}

#[test]
fn of_fifty_that_race_one_wins_and_the_others_are_told_that_it_is_taken() {
    let sandbox = Sandbox::new();
    // At first there is nothing, then the record of an ended one.
    for _ in 0..2 {
        let codes = race(&sandbox, 50, &["new", "-d", "x", "--", "cat"]);
        assert_eq!((count(&codes, 0), count(&codes, 6)), (1, 49), "{codes:?}");
        let session = sandbox.session("x");
        assert!(Process::read(session.pid).unwrap().is_some());
        assert_eq!(sandbox.sess(["ls", "-q", "-a"]).expect(0).stdout, "x\n");
        sandbox.sess(["kill", "x"]).expect(0);
    }
}

#[test]
fn who_looks_makes_nobody_fail_and_is_not_failed_either() {
    let sandbox = Sandbox::new();
    sandbox.start_session("other", ["cat"]);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let look = |words: &'static [&'static str], fine: &'static [i32]| {
            let (sandbox, over) = (&sandbox, &over);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let output = sandbox.sess(words);
                    assert!(fine.contains(&output.code), "{words:?}: {output:?}");
                }
            })
        };
        let mut lookers = Vec::new();
        for _ in 0..3 {
            lookers.push(look(&["ls", "-a"], &[0]));
            lookers.push(look(&["status", "other"], &[0]));
            // Not there yet, running, ended; but never taken for dead.
            lookers.push(look(&["status", "x"], &[0, 3, 4]));
        }
        lookers.push(look(&["attach", "none"], &[125]));
        for _ in 0..3 {
            let codes = race(&sandbox, 15, &["new", "-d", "x", "--", "cat"]);
            assert_eq!((count(&codes, 0), count(&codes, 6)), (1, 14), "{codes:?}");
            sandbox.sess(["kill", "x"]).expect(0);
        }
        over.store(true, Ordering::Relaxed);
        for looker in lookers {
            looker.join().unwrap();
        }
    });
}

#[test]
fn thirty_without_a_name_get_the_smallest_numbers() {
    let sandbox = Sandbox::new();
    let running: Vec<_> =
        (0..30).map(|_| sandbox.start(sandbox.sess_command(["new", "-d", "--", "cat"]))).collect();
    let names: BTreeSet<u32> = running
        .into_iter()
        .map(|one| sandbox.finish(one).expect(0).stdout.trim().parse().unwrap())
        .collect();
    assert_eq!(names, (1..=30).collect());
}

#[test]
fn a_number_of_which_there_is_anything_is_passed_over() {
    let sandbox = Sandbox::new();
    let new = || sandbox.sess(["new", "-d", "--", "cat"]).expect(0).stdout;
    assert_eq!(new(), "1\n");
    sandbox.start_session("2", ["cat"]);
    assert_eq!(new(), "3\n");
    sandbox.sess(["kill", "1", "2", "3"]).expect(0);
    // Their records are there still.
    assert_eq!(new(), "4\n");
    std::fs::remove_dir_all(sandbox.sessions().join("2")).unwrap();
    assert_eq!(new(), "2\n");
}

#[test]
fn twenty_that_cannot_run_their_command_all_say_so_and_leave_nothing() {
    let sandbox = Sandbox::new();
    let codes = race(&sandbox, 20, &["new", "-d", "x", "--", "no-such-command"]);
    assert_eq!(count(&codes, 127), 20, "{codes:?}");
    assert_eq!(std::fs::read_dir(sandbox.sessions()).unwrap().count(), 0);
    let codes = race(&sandbox, 20, &["new", "-d", "--", "no-such-command"]);
    assert_eq!(count(&codes, 127), 20, "{codes:?}");
    assert_eq!(std::fs::read_dir(sandbox.sessions()).unwrap().count(), 0);
}

#[test]
fn who_can_run_its_command_is_not_kept_out_by_those_who_cannot() {
    let sandbox = Sandbox::new();
    for round in 0..3 {
        let name = format!("x{round}");
        let bad: Vec<_> = (0..10)
            .map(|_| sandbox.start(sandbox.sess_command(["new", "-d", &name, "--", "no-such"])))
            .collect();
        let good = sandbox.start(sandbox.sess_command(["new", "-d", &name, "--", "cat"]));
        sandbox.finish(good).expect(0);
        for one in bad {
            let code = sandbox.finish(one).code;
            assert!([127, 6].contains(&code), "{code}");
        }
        sandbox.sess(["status", &name]).expect(0);
    }
}

#[test]
fn the_name_of_an_ended_session_is_free_and_its_record_replaced() {
    let sandbox = Sandbox::new();
    sandbox.start_session_that_ends("work", "exit 3");
    let session = sandbox.start_session("work", ["cat"]);
    assert_eq!(sandbox.status("work")["exit"], serde_json::Value::Null);
    assert_eq!(sandbox.sess(["ls", "-a", "-q"]).expect(0).stdout, "work\n");
    session.lose_holder();
    // What a dead session left is no exit of an earlier one.
    assert_eq!(sandbox.status("work")["state"], "dead");
    assert_eq!(sandbox.status("work")["exit"], serde_json::Value::Null);
}

/// A session whose holder is gone and whose program is not.
fn dead_with_survivor(sandbox: &Sandbox) -> (Session<'_>, Process) {
    let session = sandbox.start_script("work", "trap '' HUP; echo $$ >pid; exec sleep 1000");
    let program = process_in(sandbox, "pid");
    session.lose_holder();
    (session, program)
}

#[test]
fn the_name_of_a_dead_session_is_free_when_nothing_of_it_lives() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    session.lose_both();
    sandbox.sess(["status", "work"]).expect(1);
    let again = sandbox.start_session("work", ["cat"]);
    assert_ne!(again.id, session.id);
}

#[test]
fn the_name_of_a_dead_session_whose_processes_live_is_not_free() {
    let sandbox = Sandbox::new();
    let (session, program) = dead_with_survivor(&sandbox);
    let output = sandbox.sess(["new", "-d", "work", "--", "cat"]).expect_error(1, "work");
    assert!(output.stderr.ends_with("\nhint: sess kill work\n"), "{}", output.stderr);
    sandbox.sess(["new", "-dA", "work", "--", "cat"]).expect_error(1, "work");
    let mut terminal = sandbox.terminal().sess(["new", "work", "--", "cat"]);
    assert_eq!(terminal.wait_for_exit(), 125);
    assert!(program.alive());
    assert_eq!(sandbox.status("work")["id"], session.id);
    sandbox.sess(["status", "work"]).expect(1);
    sandbox.sess(["kill", "work"]).expect(0);
    assert!(!program.alive());
    assert!(!is_there(&session.folder()));
    sandbox.start_session("work", ["cat"]);
}

#[test]
fn a_running_name_is_taken_also_when_attached() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    let output = sandbox.sess(["new", "-d", "work"]).expect_error(6, "work");
    assert!(output.stderr.contains("\nhint: sess attach work"), "{}", output.stderr);
    let mut terminal = sandbox.terminal().sess(["new", "work"]);
    assert_eq!(terminal.wait_for_exit(), 6);
    session.stop_holder();
    sandbox.sess(["new", "-d", "work"]).expect_error(6, "work");
}

#[test]
fn with_a_capital_a_who_finds_it_running_attaches() {
    let sandbox = Sandbox::new();
    let mut first = sandbox.terminal().sess(["new", "-A", "work", "--", "cat"]);
    first.wait_for_attached(&sandbox, "work");
    let session = sandbox.session("work");
    let mut second = sandbox.terminal().sess(["new", "-A", "work", "--", "false"]);
    second.wait_for_attached(&sandbox, "work");
    second.type_line("hello");
    first.wait_for_text("hello\nhello");
    assert_eq!(sandbox.session("work").pid, session.pid);
    for terminal in [&mut first, &mut second] {
        terminal.detach();
    }
    let output = sandbox.sess(["new", "-dA", "work", "--", "false"]).expect(0);
    assert_eq!(output.stdout, "work\n");
    assert_eq!(sandbox.session("work").pid, session.pid);
}

#[test]
fn of_twenty_with_a_capital_a_one_starts_it_and_all_succeed() {
    let sandbox = Sandbox::new();
    let script = "echo started >>starts; exec cat";
    let codes = race(&sandbox, 20, &["new", "-dA", "x", "--", "sh", "-c", script]);
    assert_eq!(count(&codes, 0), 20, "{codes:?}");
    wait_until("its start", || !sandbox.read("starts").is_empty());
    assert_eq!(sandbox.read("starts"), b"started\n");
}

//! Contract 6.7: no dead session is taken for a live one or the reverse, whatever
//! was killed, stopped, removed or left behind.

use std::fs;
use std::time::{Duration, Instant};

use sess_sys::process::Signal;

use crate::harness::{
    Connection, PATIENCE, Sandbox, is_there, listing, pass, signal_to, wait_for, wait_until,
    wakeups,
};

#[test]
fn a_session_whose_holder_was_killed_is_dead() {
    let sandbox = Sandbox::new();
    sandbox.start_session("lives", ["cat"]);
    let session = sandbox.start_session("work", ["cat"]);
    session.lose_holder();
    sandbox.sess(["status", "work"]).expect(1);
    assert_eq!(sandbox.status("work")["state"], "dead");
    assert_eq!(sandbox.status("work")["pid"], serde_json::Value::Null);
    assert_eq!(sandbox.sess(["ls", "-q"]).expect(0).stdout, "lives\n");
    assert_eq!(sandbox.sess(["ls", "-aq"]).expect(0).stdout, "lives\nwork\n");
    sandbox.sess(["attach", "work"]).expect_error(125, "session work is dead");
    sandbox.sess(["detach", "work"]).expect_error(3, "session work is dead");
}

#[test]
fn a_stopped_holder_is_unresponsive_and_delays_nobody() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    sandbox.start_session("other", ["cat"]);
    session.stop_holder();
    sandbox.sess(["status", "work"]).expect(5);
    let start = Instant::now();
    let list = sandbox.sess(["ls"]).expect(0).stdout;
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    let states: Vec<_> =
        list.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(states, ["running", "unresponsive"], "{list}");
    assert_eq!(sandbox.sess(["ls", "-q"]).expect(0).stdout, "other\nwork\n");
    sandbox.sess(["attach", "work"]).expect_error(125, "session work does not answer");
    sandbox.sess(["detach", "work"]).expect_error(5, "session work does not answer");
    // Neither is it dead for `new`.
    sandbox.sess(["new", "-d", "work"]).expect_error(6, "session work is running already");
    session.signal_holder(Signal::CONT);
    session.wait_for_state("running");
}

#[test]
fn many_stopped_holders_take_no_longer_than_one() {
    let sandbox = Sandbox::new();
    for n in 0..8 {
        sandbox.start_session(&format!("stopped{n}"), ["cat"]).stop_holder();
    }
    sandbox.start_session("lives", ["cat"]);
    let start = Instant::now();
    let list = sandbox.sess(["ls", "-q"]).expect(0).stdout;
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(list.lines().count(), 9);
    assert!(list.starts_with("lives\n"));
}

#[test]
fn a_full_accept_queue_is_unresponsive_not_dead() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    session.stop_holder();
    let mut waiting = Vec::new();
    while let Some(connection) = Connection::try_open(&session.folder()) {
        waiting.push(connection);
        assert!(waiting.len() < 10_000, "the queue never fills");
    }
    sandbox.sess(["status", "work"]).expect(5);
    sandbox.sess(["new", "-d", "work"]).expect(6);
    session.signal_holder(Signal::CONT);
    session.wait_for_state("running");
}

#[test]
fn a_process_that_got_the_holders_number_makes_nothing_alive() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    session.lose_both();
    // The record names a process that lives: another holder, and this test.
    let other = sandbox.start_session("other", ["cat"]);
    let record = session.folder().join("record/start.json");
    for pid in [other.holder.0, i32::try_from(std::process::id()).unwrap()] {
        let text = fs::read_to_string(&record).unwrap();
        let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
        json["holder-pid"] = pid.into();
        fs::write(&record, json.to_string()).unwrap();
        sandbox.sess(["status", "work"]).expect(1);
    }
    sandbox.sess(["kill", "work"]).expect(0);
    sandbox.sess(["status", "other"]).expect(0);
    sandbox.sess(["status", "work"]).expect(4);
}

#[test]
fn a_wiped_folder_is_put_back() {
    for what in ["work/sock", "work/lock", "work", ""] {
        let sandbox = Sandbox::new();
        let session = sandbox.start_session("work", ["cat"]);
        let attached = sandbox.attach("work");
        let path = sandbox.sessions().join(what);
        if path.is_dir() {
            fs::remove_dir_all(&path).unwrap();
        } else {
            fs::remove_file(&path).unwrap();
        }
        wait_until(&format!("{what:?} to be back"), || {
            ["work/sock", "work/lock", "work/record/start.json"]
                .iter()
                .all(|file| is_there(&sandbox.sessions().join(file)))
        });
        session.wait_for_state("running");
        assert_eq!(sandbox.session("work").id, session.id);
        let again = sandbox.attach("work");
        again.type_line("hello");
        again.wait_for_text("hello\nhello");
        attached.wait_for_text("hello\nhello");
        sandbox.sess(["new", "-d", "work"]).expect(6);
    }
}

#[test]
fn a_session_whose_name_was_taken_meanwhile_goes_on_as_the_second() {
    let sandbox = Sandbox::new();
    let first = sandbox.start_session("work", ["cat"]);
    let attached = sandbox.attach("work");
    first.stop_holder();
    fs::remove_dir_all(first.folder()).unwrap();
    let second = sandbox.start_session("work", ["cat"]);
    assert_ne!(first.id, second.id);
    first.signal_holder(Signal::CONT);
    wait_until("the second name", || sandbox.status("work~2")["state"] == "running");
    assert_eq!(sandbox.session("work~2").id, first.id);
    assert_eq!(sandbox.session("work").id, second.id);
    attached.type_line("still here");
    attached.wait_for_text("still here\nstill here");
    sandbox.sess(["kill", "--grace", "0s", "work~2"]).expect(0);
    sandbox.sess(["status", "work"]).expect(0);
}

#[test]
fn a_folder_of_rubbish_is_no_session() {
    let sandbox = Sandbox::new();
    sandbox.start_session("work", ["cat"]);
    let sessions = sandbox.sessions();
    fs::create_dir_all(sessions.join("empty")).unwrap();
    fs::create_dir_all(sessions.join(".hidden")).unwrap();
    fs::write(sessions.join("file"), "rubbish").unwrap();
    fs::create_dir_all(sessions.join("rubbish/record")).unwrap();
    fs::write(sessions.join("rubbish/record/start.json"), "{").unwrap();
    fs::write(sessions.join("rubbish/lock"), "").unwrap();
    fs::write(sessions.join("rubbish/sock"), "").unwrap();
    fs::create_dir_all(sessions.join("locked-once")).unwrap();
    fs::write(sessions.join("locked-once/lock"), "").unwrap();
    std::os::unix::fs::symlink(sessions.join("work"), sessions.join("link")).unwrap();
    assert_eq!(sandbox.sess(["ls", "-q"]).expect(0).stdout, "work\n");
    sandbox.sess(["status", "empty"]).expect(4);
    sandbox.sess(["status", "file"]).expect(4);
    sandbox.sess(["status", "locked-once"]).expect(4);
    sandbox.sess(["status", "rubbish"]).expect(1);
    sandbox.start_session("empty", ["cat"]);
    sandbox.start_session("rubbish", ["cat"]);
}

#[test]
fn listing_never_changes_anything() {
    let sandbox = Sandbox::new();
    sandbox.start_session("running", ["cat"]);
    sandbox.start_session_that_ends("exited", "exit 3");
    sandbox.start_session("dead", ["cat"]).lose_holder();
    sandbox.start_session("stopped", ["cat"]).stop_holder();
    fs::create_dir(sandbox.sessions().join("empty")).unwrap();
    let before = listing(&sandbox.sessions());
    for args in [
        &["ls"][..],
        &["ls", "-a"],
        &["ls", "--json", "-a"],
        &["status", "running"],
        &["status", "dead"],
        &["status", "exited"],
        &["status", "stopped"],
        &["status", "missing"],
        &["attach", "dead"],
    ] {
        sandbox.sess(args);
    }
    assert_eq!(before, listing(&sandbox.sessions()));
}

#[test]
fn asking_makes_no_directory() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.sess(["ls"]).expect(0).stdout, "");
    assert_eq!(sandbox.sess(["ls", "--json"]).expect(0).stdout, "[]\n");
    sandbox.sess(["status", "work"]).expect_error(4, "no such session: work");
    sandbox.sess(["kill", "--all"]).expect(0);
    assert!(!is_there(&sandbox.sessions()));
}

#[test]
fn a_program_that_is_hung_does_not_make_the_session_so() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    signal_to(session.pid, Signal::STOP);
    let start = Instant::now();
    sandbox.sess(["status", "work"]).expect(0);
    let terminal = sandbox.attach("work");
    assert!(start.elapsed() < PATIENCE);
    signal_to(session.pid, Signal::CONT);
    terminal.type_line("hello");
    terminal.wait_for_text("hello\nhello");
}

#[test]
fn a_holder_uses_no_time_when_idle() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    let terminal = sandbox.attach("work");
    terminal.type_line("hello");
    terminal.wait_for_text("hello\nhello");
    // It comes to rest, and then doesn't wake up for as long as we look.
    wait_for("rest", || {
        let before = wakeups(session.holder);
        pass(Duration::from_secs(2));
        (wakeups(session.holder) == before).then_some(())
    });
}

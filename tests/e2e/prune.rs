//! Contract 3, `prune`, and all else that removes what sessions left: `kill` of a dead
//! one, `new` in its place, and age.

use std::time::{Duration, SystemTime};

use serde_json::Value;
use sess_sys::process::Signal;

use crate::harness::{Sandbox, Session, contents, is_there, process_in};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Milliseconds since 1970, so long ago.
fn ago(age: Duration) -> u64 {
    let then = SystemTime::now() - age;
    then.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as u64
}

/// Sets times in a file of a session's record that there are, as if they had been so long
/// ago.
#[track_caller]
fn age(sandbox: &Sandbox, name: &str, file: &str, keys: &[&str], age: Duration) {
    let path = format!("sessions/{name}/record/{file}");
    let mut json: Value = serde_json::from_slice(&sandbox.read(&path)).unwrap();
    for key in keys {
        assert!(json.get(key).is_some(), "no {key} in {json}");
        if !json[key].is_null() {
            json[*key] = ago(age).into();
        }
    }
    let path = sandbox.write(&path, json.to_string());
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - age).unwrap();
}

/// A session that has exited so long ago.
#[track_caller]
fn exited(sandbox: &Sandbox, name: &str, long: Duration) {
    sandbox.start_session_that_ends(name, "echo words; exit 3");
    age(sandbox, name, "exit.json", &["time"], long);
}

/// A session that died, of which nothing runs any more.
#[track_caller]
fn dead<'a>(sandbox: &'a Sandbox, name: &str) -> Session<'a> {
    let session = sandbox.start_session(name, ["cat"]);
    // So that it is known how it stood with it lately.
    sandbox.sess(["send", name, "hello", "--enter", "--wait-text", "^hello$"]).expect(0);
    crate::harness::wait_until("the record", || {
        is_there(&session.folder().join("record/latest.json"))
    });
    session.lose_both();
    session
}

/// The names of all there are, in order.
#[track_caller]
fn all(sandbox: &Sandbox) -> String {
    let output = sandbox.sess(["ls", "-aq"]).expect(0).stdout;
    let mut names: Vec<_> = output.lines().collect();
    names.sort_unstable();
    names.join(" ")
}

#[test]
fn what_the_dead_and_the_exited_left_is_removed_and_named() {
    let sandbox = Sandbox::new();
    let agent = sandbox.write("agent", "");
    let mut command = sandbox.sess_command(["new", "-d", "c-dead", "--", "cat"]);
    command.env("SSH_AUTH_SOCK", agent);
    sandbox.run(command).expect(0);
    let dead = sandbox.session("c-dead");
    dead.lose_both();
    for name in ["b-exited", "a exited"] {
        sandbox.start_session_that_ends(name, "exit 3");
    }
    let taken = sandbox.start_session("d-taken", ["cat"]);
    taken.signal_holder(Signal::TERM);
    taken.wait_for_state("exited");
    let running = sandbox.start_session("running", ["cat"]);
    let stopped = sandbox.start_session("stopped", ["cat"]);
    stopped.stop_holder();
    let output = sandbox.sess(["prune"]).expect(0);
    assert_eq!(output.stdout, "a exited\nb-exited\nc-dead\nd-taken\n");
    assert_eq!(output.stderr, "");
    let mut left: Vec<_> = std::fs::read_dir(sandbox.sessions())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left.iter().filter(|name| !name.starts_with('.')).count(), 2, "{left:?}");
    assert!(!is_there(&sandbox.sessions().join(".agent").join(&dead.id)));
    sandbox.sess(["status", "b-exited"]).expect(4);
    sandbox.sess(["restart", "c-dead"]).expect(4);
    stopped.signal_holder(Signal::CONT);
    stopped.wait_for_state("running");
    for session in [running, stopped] {
        assert_eq!(sandbox.session(&session.name).pid, session.pid);
    }
    // Nothing is left to be done.
    let output = sandbox.sess(["prune"]).expect(0);
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
}

#[test]
fn where_there_is_nothing_it_does_nothing() {
    let sandbox = Sandbox::new();
    for words in [&["prune"][..], &["prune", "--older", "1h"]] {
        let output = sandbox.sess(words).expect(0);
        assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
    }
    sandbox.sess(["prune", "work"]).expect_error(2, "work");
    sandbox.sess(["prune", "--older", "1"]).expect_error(2, "a time has a unit");
}

#[test]
fn what_lives_of_the_dead_is_left_alone() {
    let sandbox = Sandbox::new();
    let script = "trap '' HUP; echo $$ >pid; while :; do sleep 1000; done";
    let session = sandbox.start_script("living", script);
    let program = process_in(&sandbox, "pid");
    session.lose_holder();
    for name in ["a", "z"] {
        sandbox.start_session_that_ends(name, "exit 3");
    }
    let before = contents(&session.folder());
    let output =
        sandbox.sess(["prune"]).expect_error(1, "session living is dead, but its processes");
    assert!(output.stderr.ends_with("\nhint: sess kill living\n"), "{}", output.stderr);
    assert_eq!(output.stdout, "a\nz\n");
    assert!(program.alive());
    assert_eq!(contents(&session.folder()), before);
    // What an exited one left running is no obstacle, and runs on.
    sandbox.sess(["kill", "--grace", "0s", "living"]).expect(0);
    sandbox.start_session_that_ends("left", "trap '' HUP; sleep 1000 & echo $! >job; exit 3");
    let job = process_in(&sandbox, "job");
    assert_eq!(sandbox.sess(["prune"]).expect(0).stdout, "left\n");
    assert!(job.alive());
}

#[test]
fn older_means_that_it_ended_longer_ago() {
    let sandbox = Sandbox::new();
    exited(&sandbox, "a-older", 61 * MINUTE);
    exited(&sandbox, "b-younger", 59 * MINUTE);
    exited(&sandbox, "c-new", Duration::ZERO);
    // Of the dead it is their last sign of life that counts.
    for (name, long) in [("d-dead-older", 61 * MINUTE), ("e-dead-younger", 59 * MINUTE)] {
        dead(&sandbox, name);
        age(&sandbox, name, "start.json", &["created", "begun"], 3 * HOUR);
        age(&sandbox, name, "latest.json", &["last-output", "last-input"], long);
    }
    // A clock that was set back makes nothing old.
    sandbox.start_session_that_ends("f-later", "exit 3");
    let path = "sessions/f-later/record/exit.json";
    let mut json: Value = serde_json::from_slice(&sandbox.read(path)).unwrap();
    json["time"] = (ago(Duration::ZERO) + 3_600_000).into();
    sandbox.write(path, json.to_string());
    let output = sandbox.sess(["prune", "--older", "1h"]).expect(0);
    assert_eq!(output.stdout, "a-older\nd-dead-older\n");
    assert_eq!(sandbox.sess(["prune", "--older", "1h"]).expect(0).stdout, "");
    assert_eq!(
        sandbox.sess(["prune", "--older", "58m"]).expect(0).stdout,
        "b-younger\ne-dead-younger\n"
    );
    assert_eq!(sandbox.sess(["prune"]).expect(0).stdout, "c-new\nf-later\n");
}

#[test]
fn kill_of_a_dead_session_removes_it() {
    let sandbox = Sandbox::new();
    let session = dead(&sandbox, "work");
    sandbox.sess(["kill", "work"]).expect(0);
    assert!(!is_there(&session.folder()));
    sandbox.sess(["kill", "work"]).expect(4);
}

#[test]
fn new_in_place_of_one_that_is_over_removes_it() {
    let sandbox = Sandbox::new();
    for state in ["dead", "exited"] {
        let before = if state == "dead" {
            dead(&sandbox, state).id
        } else {
            exited(&sandbox, state, HOUR);
            sandbox.status(state)["id"].as_str().unwrap().to_owned()
        };
        let session = sandbox.start_script(state, "echo new words; exec cat");
        sandbox.wait_for_line(state, "^new words$");
        assert_eq!(sandbox.sess(["logs", state]).expect(0).stdout, "new words\n");
        assert_eq!(sandbox.offset(state), 11);
        sandbox.sess(["kill", state]).expect(0);
        assert_ne!(session.id, before);
        let left = contents(&session.folder());
        let old = left.iter().find(|(_, bytes)| {
            bytes.windows(before.len()).any(|window| window == before.as_bytes())
        });
        assert!(old.is_none(), "{:?}", old.map(|(path, _)| path));
    }
}

#[test]
fn what_exited_long_ago_goes_when_a_session_is_begun() {
    let sandbox = Sandbox::new();
    exited(&sandbox, "older", 61 * MINUTE);
    exited(&sandbox, "younger", 59 * MINUTE);
    let killed = sandbox.start_session("killed", ["cat"]);
    sandbox.sess(["kill", "killed"]).expect(0);
    age(&sandbox, "killed", "exit.json", &["time"], DAY);
    // What would be restored stays, however old.
    dead(&sandbox, "dead");
    age(&sandbox, "dead", "start.json", &["created", "begun"], 30 * DAY);
    age(&sandbox, "dead", "latest.json", &["last-output", "last-input"], 20 * DAY);
    let taken = sandbox.start_session("taken", ["cat"]);
    taken.signal_holder(Signal::TERM);
    taken.wait_for_state("exited");
    age(&sandbox, "taken", "exit.json", &["time"], 20 * DAY);
    let running = sandbox.start_session("running", ["cat"]);
    age(&sandbox, "running", "start.json", &["created", "begun"], 30 * DAY);
    sandbox.configure("record-max-age = \"1h\"\n");
    // Nobody else removes anything.
    for words in [&["ls", "-a"][..], &["status", "older"], &["logs", "older"], &["config"]] {
        sandbox.sess(words);
    }
    assert_eq!(all(&sandbox), "dead killed older running taken younger");
    sandbox.start_session("new", ["cat"]);
    assert_eq!(all(&sandbox), "dead new running taken younger");
    assert!(!is_there(&killed.folder()));
    assert_eq!(sandbox.session("running").pid, running.pid);
    assert_eq!(sandbox.sess(["restore"]).expect(0).stdout, "dead\ntaken\n");
}

#[test]
fn of_those_that_exited_only_so_many_are_kept() {
    let sandbox = Sandbox::new();
    for (name, minutes) in [("e", 5), ("b", 2), ("a", 1), ("d", 4), ("c", 3)] {
        exited(&sandbox, name, minutes * MINUTE);
    }
    // Those that would be restored neither go nor count.
    for name in ["taken1", "taken2"] {
        let taken = sandbox.start_session(name, ["cat"]);
        taken.signal_holder(Signal::TERM);
        taken.wait_for_state("exited");
    }
    sandbox.configure("record-max-count = 3\n");
    sandbox.start_session("new", ["cat"]);
    assert_eq!(all(&sandbox), "a b c new taken1 taken2");
    // A variable goes before the file.
    let mut command = sandbox.sess_command(["new", "-d", "other", "--", "cat"]);
    command.env("SESS_RECORD_MAX_COUNT", "0");
    sandbox.run(command).expect(0);
    assert_eq!(all(&sandbox), "new other taken1 taken2");
}

#[test]
fn by_default_it_is_a_week() {
    let sandbox = Sandbox::new();
    for (name, long) in [("six", 6 * DAY), ("eight", 8 * DAY)] {
        exited(&sandbox, name, Duration::ZERO);
        age(&sandbox, name, "exit.json", &["time"], long);
    }
    sandbox.start_session("new", ["cat"]);
    assert_eq!(all(&sandbox), "new six");
    // Whose command can't be run begins nothing.
    age(&sandbox, "six", "exit.json", &["time"], 8 * DAY);
    sandbox.sess(["new", "-d", "other", "-c", "/none", "--", "cat"]).expect(1);
    assert_eq!(all(&sandbox), "new six");
}

#[test]
fn of_two_prunes_at_once_neither_fails() {
    let sandbox = Sandbox::new();
    let names: Vec<String> = (0..8).map(|n| format!("work{n}")).collect();
    for name in &names {
        sandbox.start_session_that_ends(name, "exit 3");
    }
    let prunes = [0, 1, 2].map(|_| sandbox.start_sess(["prune"]));
    let outputs = prunes.map(|one| sandbox.finish(one).expect(0));
    let mut removed: Vec<_> = outputs.iter().flat_map(|output| output.stdout.lines()).collect();
    removed.sort_unstable();
    assert_eq!(removed, names);
    assert_eq!(all(&sandbox), "");
}

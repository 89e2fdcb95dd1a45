//! Records that seem to come from the future, or are from before the machine started anew.

use std::fmt::Write;
use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::harness::{Sandbox, is_there};

use super::namespace::Namespace;
use super::{
    TOLD, answering, crash, json_in, logs, make_pipe, record_of, restore, tell, wait_for_record,
};

/// A year, in milliseconds.
const YEAR: i64 = 365 * 24 * 3_600 * 1_000;

/// Moves all times in a record: as if it had been written so much later, or earlier.
#[track_caller]
fn move_times(record: &Path, by: i64) {
    let keys = ["created", "begun", "time", "last-output", "last-input"];
    let mut moved = 0;
    for file in ["start.json", "latest.json", "exit.json"] {
        let mut json = json_in(record, file);
        for key in keys {
            if let Some(time) = json.get(key).and_then(Value::as_i64) {
                json[key] = (time + by).into();
                moved += 1;
            }
        }
        if !json.is_null() {
            let path = record.join(file);
            std::fs::write(&path, json.to_string()).unwrap();
            // The file's own, as if it had been written then.
            let file = File::options().write(true).open(path).unwrap();
            let now = SystemTime::now();
            let way = Duration::from_millis(by.unsigned_abs());
            file.set_modified(if by < 0 { now - way } else { now + way }).unwrap();
        }
    }
    assert!(moved >= 3, "{}", record.display());
}

/// An exited and a dead session, the times in whose records are moved.
fn both(sandbox: &Sandbox, by: i64) {
    make_pipe(sandbox);
    sandbox.start_session_that_ends("over", "echo something; exit 3");
    sandbox.start_session("lost", ["sh", "-c", &format!("echo something; {TOLD}")]);
    tell(sandbox, "echo more");
    sandbox.wait_for_line("lost", "more");
    wait_for_record(sandbox, "lost");
    crash(&sandbox.session("lost"));
    for name in ["over", "lost"] {
        move_times(&record_of(sandbox, name), by);
    }
}

/// The row of a session in `ls -a`: its state, how long it was idle, and its age.
#[track_caller]
fn row(sandbox: &Sandbox, name: &str) -> [String; 3] {
    let table = sandbox.sess(["ls", "-a"]).expect(0).stdout;
    let row = table.lines().find_map(|line| line.strip_prefix(name));
    let row = row.unwrap_or_else(|| panic!("{name} is not in {table}"));
    let (state, rest) = row.split_once(" - ").expect("nobody is attached");
    let times: Vec<_> = rest.split_whitespace().take(2).collect();
    [state.trim(), times[0], times[1]].map(str::to_owned)
}

#[test]
fn what_seems_to_come_from_the_future_has_just_happened_and_nothing_is_removed_for_it() {
    let sandbox = Sandbox::new();
    both(&sandbox, YEAR);
    assert_eq!(row(&sandbox, "over"), ["exited 3", "0s", "0s"]);
    assert_eq!(row(&sandbox, "lost"), ["dead", "0s", "0s"]);
    for (name, code) in [("over", 3), ("lost", 1)] {
        let told = sandbox.sess(["status", name]).expect(code).stdout;
        let ages: Vec<_> = told.lines().filter(|line| line.ends_with(" ago)")).collect();
        assert!(ages.len() >= 2, "{told}");
        assert!(ages.iter().all(|line| line.ends_with(" (0s ago)")), "{told}");
        assert_eq!(sandbox.status(name)["name"], name);
        assert!(logs(&sandbox, name).starts_with("something\n"));
    }
    assert_eq!(sandbox.sess(["prune", "--older", "1ms"]).expect(0).stdout, "");
    assert_eq!(sandbox.sess(["prune", "--older", "0s"]).expect(0).stdout, "");
    // A new session removes what exited long ago.
    let mut command = sandbox.sess_command(["new", "-d", "other", "--", "cat"]);
    command.env("SESS_RECORD_MAX_AGE", "1ms");
    sandbox.run(command).expect(0);
    for name in ["over", "lost"] {
        assert!(is_there(&record_of(&sandbox, name).join("start.json")), "{name}");
    }
    // What they say of the time keeps neither from going on.
    sandbox.sess(["wait", "over"]).expect(3);
    restore(&sandbox, "lost");
    assert!(logs(&sandbox, "lost").starts_with("something\nmore\n── restarted "));
    let status = sandbox.sess(["status", "lost"]).expect(0).stdout;
    assert!(status.lines().any(|line| line.starts_with("created:") && line.ends_with("(0s ago)")));
    sandbox.start_session("over", ["cat"]);
    sandbox.sess(["kill", "--grace", "0s", "over", "lost"]).expect(0);
    let pruned = sandbox.sess(["prune"]).expect(0).stdout;
    assert_eq!(pruned, "lost\nover\n");
}

#[test]
fn what_is_a_year_old_goes_but_for_what_can_be_brought_back() {
    let sandbox = Sandbox::new();
    both(&sandbox, -YEAR);
    assert_eq!(row(&sandbox, "over"), ["exited 3", "365d", "365d"]);
    assert_eq!(row(&sandbox, "lost"), ["dead", "365d", "365d"]);
    assert_eq!(sandbox.sess(["prune", "--older", "366d"]).expect(0).stdout, "");
    sandbox.start_session("other", ["cat"]);
    assert!(!is_there(&sandbox.sessions().join("over")));
    assert!(is_there(&record_of(&sandbox, "lost").join("start.json")));
    let session = restore(&sandbox, "lost");
    crash(&session);
    // It lived just now, however long ago it was begun first.
    assert_eq!(sandbox.sess(["prune", "--older", "1h"]).expect(0).stdout, "");
    move_times(&record_of(&sandbox, "lost"), -YEAR);
    assert_eq!(sandbox.sess(["prune", "--older", "364d"]).expect(0).stdout, "lost\n");
    assert!(!is_there(&sandbox.sessions().join("lost")));
}

#[test]
fn a_session_of_an_earlier_boot_is_dead_and_is_brought_back_in_this_one() {
    let sandbox = Sandbox::new();
    make_pipe(&sandbox);
    let ids: Vec<String> = (0..2).map(|n| format!("{n:08x}-0000-4000-8000-000000000000")).collect();
    let boot = |id: &str| {
        sandbox.write("boot", format!("{id}\n"));
        // The file that is mounted stays, whatever is written there next.
        let mount = "mv boot boot-$$ && mount --bind boot-$$ /proc/sys/kernel/random/boot_id";
        Namespace::new(&sandbox, mount)
    };
    let Some(first) = boot(&ids[0]) else { return };
    first.sess(&["new", "-d", "work", "--", "sh", "-c", &format!("echo something; {TOLD}")]);
    first.sess(&["new", "-d", "ended", "--", "sh", "-c", "exit 3"]).expect(0);
    first.sess(&["wait", "ended"]).expect(3);
    tell(&sandbox, "echo more");
    sandbox.wait_for_line("work", "more");
    wait_for_record(&sandbox, "work");
    let record = record_of(&sandbox, "work");
    assert_eq!(json_in(&record, "start.json")["boot-id"], ids[0].as_str());
    // The machine goes down, and starts anew.
    let before = sandbox.session("work");
    crash(&before);
    drop(first);

    std::fs::remove_file(sandbox.path("keeper")).unwrap();
    let second = boot(&ids[1]).expect("it could be done before");
    second.sess(&["status", "-q", "work"]).expect(1);
    second.sess(&["status", "-q", "ended"]).expect(3);
    let mut states = String::new();
    let listed: Value = serde_json::from_str(&second.sess(&["ls", "-a", "--json"]).stdout).unwrap();
    for session in listed.as_array().unwrap() {
        let _ = write!(states, "{} {} ", session["name"], session["state"]);
    }
    assert!(states.contains("\"work\" \"dead\""), "{states}");
    assert!(states.contains("\"ended\" \"exited\""), "{states}");
    let told = second.sess(&["restore", "--list"]).expect(0).stdout;
    assert!(told.contains("work") && !told.contains("ended"), "{told}");
    assert_eq!(second.sess(&["restore"]).expect(0).stdout, "work\n");
    let session = answering(&sandbox, "work");
    assert_eq!(session.id, before.id);
    assert_ne!(session.holder, before.holder);
    assert_eq!(json_in(&record, "start.json")["boot-id"], ids[1].as_str());
    assert!(logs(&sandbox, "work").starts_with("something\nmore\n── restarted "));
}

#[test]
fn a_process_of_this_boot_with_the_number_of_a_holder_before_it_makes_nothing_alive() {
    let sandbox = Sandbox::new();
    both(&sandbox, -1_000);
    let other = sandbox.start_session("other", ["cat"]);
    let record = record_of(&sandbox, "lost");
    let mut start = json_in(&record, "start.json");
    start["boot-id"] = "00000000-0000-4000-8000-000000000000".into();
    start["holder-pid"] = other.holder.0.into();
    std::fs::write(record.join("start.json"), start.to_string()).unwrap();
    sandbox.sess(["status", "-q", "lost"]).expect(1);
    assert_eq!(sandbox.status("lost")["holder_pid"], Value::Null);
    restore(&sandbox, "lost");
    sandbox.sess(["kill", "--grace", "0s", "lost"]).expect(0);
    sandbox.sess(["status", "-q", "other"]).expect(0);
}

//! What is done to a record while its session runs: the next output puts it right.

use std::fs;
use std::os::unix::fs::symlink;

use nix::sys::stat::SFlag;

use super::{FILES, Garbage, make_node};
use crate::harness::{Sandbox, Session, listing, wait_until};
use crate::records::{
    TOLD, at_once, crash, json_in, logs, make_pipe, record_of, recorded_until, remove_record,
    restore, tell,
};

/// A session that says what it is told, all of which is in its record.
fn start<'a>(sandbox: &'a Sandbox, options: &[&str]) -> Session<'a> {
    make_pipe(sandbox);
    let script = format!("echo one; {TOLD}");
    sandbox
        .sess([&["new", "-d"], options, &["work", "--", "sh", "-c", &script]].concat())
        .expect(0);
    sandbox.wait_for_line("work", "^one$");
    wait_until("the record", || {
        let latest = json_in(&record_of(sandbox, "work"), "latest.json");
        latest["offset"].as_u64() >= Some(5)
    });
    sandbox.session("work")
}

/// Has it say a line, the only one: the record is whole again soon.
#[track_caller]
fn is_whole_after(sandbox: &Sandbox, line: &str, what: &str) {
    let said = sandbox.offset("work");
    tell(sandbox, &format!("echo {line}"));
    let folder = sandbox.sessions().join("work");
    let record = folder.join("record");
    wait_until(&format!("the record to be whole: {what}"), || {
        recorded_until(&folder).is_some_and(|until| until > said)
            && json_in(&record, "start.json")["name"] == "work"
            && json_in(&record, "latest.json")["offset"].as_u64() > Some(said)
    });
    wait_until(&format!("nothing to be wrong: {what}"), || {
        sandbox.status("work")["upkeep"]["record_problem"].is_null()
    });
}

/// Fails unless a crash leaves the session with a history of these lines.
#[track_caller]
fn comes_back_with(sandbox: &Sandbox, lines: &[&str], what: &str) {
    crash(&sandbox.session("work"));
    let all = lines.join("\n");
    assert_eq!(logs(sandbox, "work"), format!("{all}\n"), "{what}");
    restore(sandbox, "work");
    let again = logs(sandbox, "work");
    assert!(again.starts_with(&format!("{all}\n── restarted ")), "{what}: {again}");
}

#[test]
fn what_is_removed_is_put_back_with_the_next_output() {
    at_once(["", "start.json", "latest.json", "output-0000000000"], |what| {
        let sandbox = Sandbox::new();
        start(&sandbox, &[]);
        let path = record_of(&sandbox, "work").join(what);
        let lines = ["one", "two", "three", "four"];
        // As often as that happens.
        for line in &lines[1..] {
            match what {
                "" => remove_record(&path),
                // By then the output may be in another one.
                _ => drop(fs::remove_file(&path)),
            }
            is_whole_after(&sandbox, line, what);
        }
        comes_back_with(&sandbox, &lines, what);
    });
}

#[test]
fn without_output_to_be_kept_the_rest_is_put_back_as_well() {
    for mode in ["never", "on-exit"] {
        let sandbox = Sandbox::new();
        start(&sandbox, &["--record", mode]);
        let record = record_of(&sandbox, "work");
        remove_record(&record);
        tell(&sandbox, "echo two");
        wait_until("the record to be back", || {
            ["start.json", "latest.json"].iter().all(|file| !json_in(&record, file).is_null())
        });
        crash(&sandbox.session("work"));
        restore(&sandbox, "work");
    }
}

#[test]
fn what_was_removed_is_there_at_the_end_without_any_output() {
    let sandbox = Sandbox::new();
    start(&sandbox, &[]);
    remove_record(&record_of(&sandbox, "work"));
    tell(&sandbox, "exit 3");
    sandbox.sess(["wait", "work"]).expect(3);
    sandbox.sess(["status", "-q", "work"]).expect(3);
    assert_eq!(logs(&sandbox, "work"), "one\n");
    sandbox.sess(["restart", "work"]).expect(0);
    let all = logs(&sandbox, "work");
    assert!(all.starts_with("one\n── restarted "), "{all}");
}

#[test]
fn what_is_put_in_its_place_is_replaced_or_told() {
    let in_place = [Garbage::Empty, Garbage::Folder, Garbage::Pipe, Garbage::LinkToNowhere];
    let files = FILES.iter().filter(|file| !file.starts_with("exit"));
    let files = files.flat_map(|file| in_place.map(|garbage| (*file, garbage)));
    let folders = in_place.map(|garbage| ("", garbage));
    // What is empty by now may have been so all the time.
    let cases = files
        .chain(folders)
        .filter(|case| !matches!(case, ("start.json" | "output-0000000000", Garbage::Empty)));
    at_once(cases, |(file, garbage)| {
        let what = format!("{file} {garbage:?}");
        let sandbox = Sandbox::new();
        let session = start(&sandbox, &[]);
        let record = record_of(&sandbox, "work");
        garbage.put(&if file.is_empty() { record.clone() } else { record.join(file) });
        tell(&sandbox, "echo two");
        sandbox.wait_for_line("work", "^two$");
        wait_until(&format!("it to be whole or told: {what}"), || {
            let status = sandbox.status("work");
            let is_whole = recorded_until(&session.folder()) >= status["offset"].as_u64()
                && !json_in(&record, "start.json").is_null();
            is_whole || !status["upkeep"]["record_problem"].is_null()
        });
        sandbox.sess(["capture", "work"]).expect(0);
        tell(&sandbox, "exit 3");
        sandbox.sess(["wait", "work"]).expect(3);
        sandbox.start_session("work", ["cat"]);
        sandbox.sess(["kill", "--grace", "0s", "work"]).expect(0);
    });
}

#[test]
fn nothing_is_written_to_where_a_link_in_its_place_leads() {
    let sandbox = Sandbox::new();
    for file in FILES {
        sandbox.write(&format!("elsewhere/{file}"), "mine");
    }
    let elsewhere = sandbox.path("elsewhere");
    let before = listing(&elsewhere);
    start(&sandbox, &[]);
    let record = record_of(&sandbox, "work");
    for file in FILES {
        let _ = fs::remove_file(record.join(file));
        symlink(elsewhere.join(file), record.join(file)).unwrap();
    }
    tell(&sandbox, "echo two");
    wait_until("it to be written", || {
        json_in(&record, "latest.json")["offset"].as_u64() >= Some(10)
    });
    assert_eq!(listing(&elsewhere), before);
    remove_record(&record);
    symlink(&elsewhere, &record).unwrap();
    tell(&sandbox, "echo three");
    sandbox.wait_for_line("work", "^three$");
    tell(&sandbox, "exit 3");
    sandbox.sess(["wait", "work"]).expect(3);
    assert_eq!(listing(&elsewhere), before);
}

#[test]
fn pieces_that_cant_be_removed_do_not_multiply() {
    let sandbox = Sandbox::new();
    start(&sandbox, &[]);
    let record = record_of(&sandbox, "work");
    crash(&sandbox.session("work"));
    fs::remove_file(record.join("output-0000000000")).unwrap();
    fs::create_dir_all(record.join("output-0000000000/full")).unwrap();
    make_node(&record.join("output-0000000001"), SFlag::S_IFIFO);
    restore(&sandbox, "work");
    let pieces = || {
        let names = super::names_in(&record);
        names.iter().filter(|name| name.starts_with("output-")).count()
    };
    for line in 0..4 {
        is_whole_after(&sandbox, &format!("line {line}"), "pieces");
        assert!(pieces() <= 3, "{:?}", super::names_in(&record));
    }
    tell(&sandbox, "exit 3");
    sandbox.sess(["wait", "work"]).expect(3);
    assert!(pieces() <= 4, "{:?}", super::names_in(&record));
}

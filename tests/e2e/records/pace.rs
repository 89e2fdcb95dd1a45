//! How often and how much is written: at most once a second, nothing without need, and no
//! more than a few times the journal.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use crate::harness::{Sandbox, listing, pass, wait_for, wait_until, wait_within, wakeups};

use super::numbered::is_separator;
use super::{
    TOLD, answering, crash, json_in, logs, make_pipe, names_in, record_of, recorded_until, restore,
    tell, wait_for_record,
};

/// Bytes that a journal has unless it is told otherwise.
const JOURNAL: u64 = 1024 * 1024;

/// More bytes than any journal here has.
const MUCH: u64 = 30_000_000;

/// How long they may take.
const FLOOD: Duration = Duration::from_secs(60);

/// Bytes in a record.
fn size(record: &Path) -> u64 {
    let entries = std::fs::read_dir(record).into_iter().flatten().flatten();
    entries.filter_map(|entry| Some(entry.metadata().ok()?.len())).sum()
}

#[test]
fn it_is_written_once_a_second_while_there_is_something_to_write() {
    let sandbox = Sandbox::new();
    let script = "while :; do echo something; sleep 0.02; done";
    sandbox.start_script("work", script);
    wait_for_record(&sandbox, "work");
    let output = record_of(&sandbox, "work").join("output-0000000000");
    let mut written = BTreeSet::new();
    wait_until("it to be written five times", || {
        written.insert(output.metadata().unwrap().modified().unwrap());
        written.len() >= 5
    });
    let written = Vec::from_iter(written);
    for two in written.windows(2) {
        let pause = two[1].duration_since(two[0]).unwrap();
        // Times of files are as exact as the system's clock ticks.
        assert!(pause >= Duration::from_millis(950), "{written:?}");
    }
}

#[test]
fn without_output_nothing_is_written_and_nobody_wakes_up() {
    let sandbox = Sandbox::new();
    make_pipe(&sandbox);
    let mut session = sandbox.start_script("work", &format!("echo one; {TOLD}"));
    for round in ["begun", "told", "brought back"] {
        match round {
            "told" => tell(&sandbox, "echo two"),
            "brought back" => {
                crash(&session);
                session = restore(&sandbox, "work");
            }
            _ => {}
        }
        wait_for_record(&sandbox, "work");
        let look = || (wakeups(session.holder), listing(&record_of(&sandbox, "work")));
        // It comes to rest, and stays so for as long as we look.
        wait_for(&format!("rest, {round}"), || {
            let before = look();
            pass(Duration::from_millis(2_500));
            (look() == before).then_some(())
        });
    }
}

/// Floods a session with this program while looking at its record all the time; returns
/// the largest that was.
#[track_caller]
fn flood(sandbox: &Sandbox, program: &str) -> u64 {
    make_pipe(sandbox);
    let script = format!("{program}; echo; echo the end of it; {TOLD}");
    sandbox.start_script("work", &script);
    let record = record_of(sandbox, "work");
    let mut wait = sandbox.start_sess(["wait", "work", "--text", "^the end of it$"]);
    let mut largest = 0;
    let ended = wait_within(FLOOD, || {
        largest = largest.max(size(&record));
        wait.has_ended().then_some(())
    });
    assert!(ended.is_some(), "the flood does not end");
    sandbox.finish(wait).expect(0);
    wait_for_record(sandbox, "work");
    largest.max(size(&record))
}

/// How many bytes of raw output are kept of a session.
#[track_caller]
fn raw(sandbox: &Sandbox) -> u64 {
    let output = sandbox.sess(["logs", "--raw", "work"]).expect(0);
    output.stdout.len() as u64
}

#[test]
fn after_tens_of_megabytes_there_are_a_few_on_disk() {
    for program in [
        "seq -f 'number %09.0f' 2000000",
        // Lines that are long, and all colours.
        "e=$(printf '\\033'); seq -f \"$e[31;44m%0200.0f$e[m\" 150000",
    ] {
        let sandbox = Sandbox::new();
        let largest = flood(&sandbox, program);
        assert!(sandbox.offset("work") > MUCH, "{}", sandbox.offset("work"));
        // With the screen and its history.
        let words = ["capture", "--history", "all", "--format", "ansi", "work"];
        let whole = JOURNAL + sandbox.sess(words).expect(0).stdout.len() as u64;
        // One, the one before it, and one that is just being written.
        assert!((JOURNAL / 2..3 * whole).contains(&largest), "{largest} {whole}");
        let session = sandbox.session("work");
        crash(&session);
        let kept = raw(&sandbox);
        assert!((JOURNAL * 2 / 5..2 * JOURNAL).contains(&kept), "{kept}");
        // Begun again it says all of it once more, and ends.
        restore(&sandbox, "work");
        let all = || sandbox.status("work")["offset"].as_u64().filter(|said| *said > 2 * MUCH);
        wait_within(FLOOD, all).expect("as much again");
        sandbox.sess(["kill", "--grace", "0s", "work"]).expect(0);
        assert_eq!(raw(&sandbox), JOURNAL);
        let size = size(&record_of(&sandbox, "work"));
        assert!(size < 2 * whole + 64 * 1024, "{size} {whole}");
    }
}

#[test]
fn however_often_it_is_begun_again_the_record_stays_small() {
    let sandbox = Sandbox::new();
    make_pipe(&sandbox);
    let once = "test -e once || seq -f 'number %09.0f' 200000; touch once";
    sandbox.start_script("work", &format!("{once}; echo something; {TOLD}"));
    // What was said before it is kept from here on.
    sandbox.wait_for_line("work", "^something$");
    let record = record_of(&sandbox, "work");
    for round in 0..12 {
        let session = answering(&sandbox, "work");
        if round % 3 == 0 {
            wait_for_record(&sandbox, "work");
            crash(&session);
        } else {
            tell(&sandbox, "exit 3");
            sandbox.sess(["wait", "work"]).expect(3);
        }
        assert!(size(&record) < 4 * JOURNAL, "{round}: {:?}", names_in(&record));
        sandbox.sess(["restart", "work"]).expect(0);
    }
    let all = logs(&sandbox, "work");
    // Of the four that were killed, it may not have been a second later yet.
    let restarts = all.lines().filter(|line| is_separator(line)).count();
    assert!((8..=12).contains(&restarts), "{restarts}");
    assert!(all.contains("number 000200000\n"));
}

#[test]
fn a_short_journal_is_a_small_record() {
    const SHORT: u64 = 262_144;
    let sandbox = Sandbox::new();
    sandbox.configure(&format!("journal = {SHORT}\nhistory = 1000"));
    let largest = flood(&sandbox, "seq -f 'number %09.0f' 500000");
    assert!((SHORT / 4..4 * SHORT).contains(&largest), "{largest}");
    let record = record_of(&sandbox, "work");
    assert_eq!(json_in(&record, "start.json")["journal"], SHORT);
    crash(&sandbox.session("work"));
    assert!((SHORT / 4..2 * SHORT).contains(&raw(&sandbox)), "{}", raw(&sandbox));
    let said = recorded_until(&sandbox.sessions().join("work")).unwrap();
    restore(&sandbox, "work");
    tell(&sandbox, "exit 3");
    sandbox.sess(["wait", "work"]).expect(3);
    assert_eq!(raw(&sandbox), SHORT);
    assert!(size(&record) < 3 * SHORT);
    assert!(recorded_until(&sandbox.sessions().join("work")).unwrap() > said);
    // It began with that, whatever the configuration says now.
    sandbox.configure("journal = 1048576");
    sandbox.sess(["restart", "work"]).expect(0);
    assert_eq!(json_in(&record, "start.json")["journal"], SHORT);
    answering(&sandbox, "work");
}

//! What of the output is written when, as it was set, and who may read it.

use crate::harness::{Sandbox, contents, is_there, mode, wait_until};

use super::{
    TOLD, answering, at_once, crash, has_output, json_in, logs, make_pipe, names_in, record_of,
    remove_record, restore, tell, wait_for_record,
};

/// Says something at the beginning, and whatever it is told to.
fn start(sandbox: &Sandbox, options: &[&str]) {
    make_pipe(sandbox);
    let script = format!("echo in the beginning; {TOLD}");
    sandbox
        .sess([&["new", "-d"], options, &["work", "--", "sh", "-c", &script]].concat())
        .expect(0);
}

/// Has it say a line, and waits until the record has heard of that.
#[track_caller]
fn say_until_heard(sandbox: &Sandbox, line: &str) {
    let record = record_of(sandbox, "work");
    let before = sandbox.offset("work");
    tell(sandbox, &format!("echo {line}"));
    wait_until("the record to hear of it", || {
        json_in(&record, "latest.json")["offset"].as_u64() > Some(before)
    });
}

#[test]
fn with_never_no_output_is_kept_and_the_end_is_told_all_the_same() {
    let sandbox = Sandbox::new();
    start(&sandbox, &["--record", "never"]);
    let record = record_of(&sandbox, "work");
    for line in ["one", "two", "three"] {
        say_until_heard(&sandbox, line);
        assert!(!has_output(&record), "{:?}", names_in(&record));
    }
    let status = sandbox.sess(["status", "work"]).expect(0).stdout;
    assert!(status.lines().any(|line| line.ends_with(" without output")), "{status}");
    tell(&sandbox, "exit 5");
    sandbox.sess(["wait", "work"]).expect(5);
    assert_eq!(names_in(&record), ["exit.json", "latest.json", "start.json"]);
    for verb in [&["logs"][..], &["logs", "--raw"], &["capture"], &["capture", "--format", "json"]]
    {
        let output = sandbox.sess([verb, &["work"]].concat());
        let output = output.expect_error(3, "nothing is kept of what it showed");
        assert_eq!(output.stdout, "");
    }
    sandbox.sess(["status", "-q", "work"]).expect(3);
    sandbox.sess(["wait", "work"]).expect(5);
    let told = sandbox.sess(["attach", "work"]).expect(5).stdout;
    assert_eq!(told, "[work exited: 5]\n");
    // Begun again it says anew what it says, and still nothing is kept.
    sandbox.sess(["restart", "work"]).expect(0);
    let session = answering(&sandbox, "work");
    let all = logs(&sandbox, "work");
    assert!(all.starts_with("── restarted "), "{all}");
    say_until_heard(&sandbox, "four");
    crash(&session);
    assert!(!has_output(&record));
    sandbox.sess(["logs", "work"]).expect_error(3, "nothing is kept");
    restore(&sandbox, "work");
}

#[test]
fn with_on_exit_nothing_is_kept_while_it_runs_and_everything_at_its_end() {
    let sandbox = Sandbox::new();
    start(&sandbox, &["--record", "on-exit"]);
    let record = record_of(&sandbox, "work");
    for line in ["one", "two", "three"] {
        say_until_heard(&sandbox, line);
        assert!(!has_output(&record), "{:?}", names_in(&record));
    }
    let status = sandbox.sess(["status", "work"]).expect(0).stdout;
    assert!(status.lines().any(|line| line.ends_with(" output on-exit")), "{status}");
    tell(&sandbox, "exit 5");
    sandbox.sess(["wait", "work"]).expect(5);
    let all = "in the beginning\none\ntwo\nthree\n";
    assert_eq!(logs(&sandbox, "work"), all);
    assert_eq!(sandbox.sess(["capture", "work"]).expect(0).stdout.trim_end(), all.trim_end());
    // Begun again it goes on from there; a crash then costs what was said since.
    sandbox.sess(["restart", "work"]).expect(0);
    let session = answering(&sandbox, "work");
    say_until_heard(&sandbox, "lost");
    assert!(logs(&sandbox, "work").starts_with(&format!("{all}── restarted ")));
    crash(&session);
    assert_eq!(logs(&sandbox, "work"), all);
    restore(&sandbox, "work");
    let again = logs(&sandbox, "work");
    assert!(again.starts_with(&format!("{all}── restarted ")), "{again}");
}

#[test]
fn the_file_the_variable_and_the_option_go_before_each_other_in_this_order() {
    let sandbox = Sandbox::new();
    let new = |name: &str, variable: Option<&str>, option: Option<&str>| {
        let mut command = sandbox.sess_command(["new", "-d", name]);
        variable.map(|value| command.env("SESS_RECORD_OUTPUT", value));
        option.map(|value| command.args(["--record", value]));
        command.args(["--", "cat"]);
        sandbox.run(command).expect(0);
        let told = sandbox.status(name)["upkeep"]["record_output"].as_str().unwrap().to_owned();
        let written = json_in(&record_of(&sandbox, name), "start.json");
        assert_eq!(written["record-output"], told.as_str());
        told
    };
    assert_eq!(new("usual", None, None), "always");
    sandbox.configure("record-output = \"never\"");
    assert_eq!(new("file", None, None), "never");
    assert_eq!(new("empty", Some(""), None), "never");
    assert_eq!(new("variable", Some("on-exit"), None), "on-exit");
    assert_eq!(new("option", Some("on-exit"), Some("always")), "always");
    assert_eq!(new("option-and-file", None, Some("on-exit")), "on-exit");
    // What it began with stays, whoever begins it again.
    crash(&sandbox.session("option"));
    sandbox.sess(["restart", "option"]).expect(0);
    assert_eq!(answering(&sandbox, "option").name, "option");
    assert_eq!(sandbox.status("option")["upkeep"]["record_output"], "always");
}

#[test]
fn a_record_is_private_whatever_the_umask_and_whatever_becomes_of_it() {
    at_once(["000", "022", "777"], |umask| {
        let sandbox = Sandbox::new();
        make_pipe(&sandbox);
        let mut command = sandbox.command("sh");
        let script = format!("umask {umask}; exec \"$0\" new -d work -- sh -c \"$1\"");
        // Nobody who can't read a pipe is told anything.
        command.args(["-c", &script, env!("CARGO_BIN_EXE_sess"), &format!("echo one; {TOLD}")]);
        sandbox.run(command).expect(0);
        let record = record_of(&sandbox, "work");
        let are_private = |when: &str, files: &[&str]| {
            // One of them may be on its way to its name.
            let are_in_place = || {
                let names = names_in(&record);
                let has = |file: &&str| names.iter().any(|name| name == file);
                files.iter().all(has) && !names.iter().any(|name| name.starts_with('.'))
            };
            wait_until("the files", are_in_place);
            assert_eq!(mode(&record), 0o700, "{umask} {when}");
            for name in names_in(&record) {
                assert_eq!(mode(&record.join(&name)), 0o600, "{umask} {when} {name}");
            }
        };
        wait_for_record(&sandbox, "work");
        are_private("running", &["start.json", "latest.json", "output-0000000000"]);
        remove_record(&record);
        tell(&sandbox, "echo two");
        wait_until("the record's return", || is_there(&record.join("start.json")));
        wait_for_record(&sandbox, "work");
        are_private("put back", &["start.json", "latest.json"]);
        crash(&sandbox.session("work"));
        restore(&sandbox, "work");
        wait_for_record(&sandbox, "work");
        are_private("brought back", &["start.json", "latest.json"]);
        tell(&sandbox, "exit 3");
        sandbox.sess(["wait", "work"]).expect(3);
        are_private("ended", &["start.json", "latest.json", "exit.json"]);
    });
}

#[test]
fn what_is_to_be_kept_off_the_disk_is_nowhere_on_it() {
    let sandbox = Sandbox::new();
    make_pipe(&sandbox);
    let script = format!("echo \"$SECRET\"; {TOLD}");
    let mut command = sandbox.sess_command(["new", "-d", "--record", "never", "work"]);
    command.env("SESS_RECORD_ENVIRONMENT", "none").env("SECRET", "xyzzy");
    command.args(["-e", "OTHER=xyzzy", "--", "sh", "-c", &script]);
    sandbox.run(command).expect(0);
    let holds_none = || {
        let files = contents(&sandbox.sessions());
        assert!(files.len() >= 3, "{files:?}");
        let has_it = |bytes: &Vec<u8>| bytes.windows(5).any(|bytes| bytes == b"xyzzy");
        let with_it: Vec<_> = files.iter().filter(|(_, bytes)| has_it(bytes)).collect();
        assert!(with_it.is_empty(), "{with_it:?}");
    };
    sandbox.sess(["wait", "work", "--text", "xyzzy", "--timeout", "10s"]).expect(0);
    say_until_heard(&sandbox, "$SECRET");
    holds_none();
    tell(&sandbox, "exit 3");
    sandbox.sess(["wait", "work"]).expect(3);
    holds_none();
}

//! Disks that are full, become read-only or may not be written to: they cost the record,
//! never the session, and when they can be written to again the record is whole again.

use serde_json::Value;

use super::namespace::Namespace;
use super::{logs, names_in, recorded_until};
use crate::harness::{Sandbox, is_there, wait_for};

/// A session that says once more what is typed.
#[track_caller]
fn start(disk: &Namespace<'_>) {
    let script = "stty -echo; echo ready; exec cat";
    disk.sess(&["new", "-d", "work", "--", "sh", "-c", script]).expect(0);
    disk.sess(&["wait", "work", "--text", "ready", "--timeout", "10s"]).expect(0);
}

/// Has it say a line.
#[track_caller]
fn say(disk: &Namespace<'_>, line: &str) {
    let args = ["send", "work", line, "--enter", "--wait-text", line, "--timeout", "10s"];
    disk.sess(&args).expect(0);
}

/// What `status` says is wrong with the record.
fn problem(status: &Value) -> Option<String> {
    status["upkeep"]["record_problem"].as_str().map(str::to_owned)
}

/// Waits until something is wrong with the record, and that is told.
#[track_caller]
fn wait_for_problem(disk: &Namespace<'_>, why: &str) {
    let told = disk.wait_for_status("the problem to be told", "work", problem);
    assert!(told.contains(why), "{told}");
    let told = disk.sess(&["status", "work"]).expect(0).stdout;
    let line = told.lines().find_map(|line| line.strip_prefix("record:")).map(str::trim_start);
    assert_eq!(line, Some(format!("can't be written: {why}").as_str()), "{told}");
}

/// Waits until all of the output is in the record, and nothing is wrong with that.
#[track_caller]
fn wait_until_recorded(disk: &Namespace<'_>) {
    disk.wait_for_status("the record to be whole", "work", |status| {
        let until = recorded_until(&disk.path("sessions/work"))?;
        (until >= status["offset"].as_u64()? && problem(status).is_none()).then_some(())
    });
    assert!(!disk.sess(&["status", "work"]).expect(0).stdout.contains("record:"));
}

/// Fails unless a crash leaves a history of these lines, and the session comes back with
/// them.
#[track_caller]
fn comes_back_with(disk: &Namespace<'_>, lines: &[&str]) {
    disk.crash("work");
    disk.sess(&["status", "-q", "work"]).expect(1);
    let kept = disk.sess(&["logs", "work"]).expect(0).stdout;
    assert_eq!(kept, format!("ready\n{}\n", lines.join("\n")));
    assert_eq!(disk.sess(&["restore"]).expect(0).stdout, "work\n");
    let all = disk.sess(&["logs", "work"]).expect(0).stdout;
    assert!(all.starts_with(&format!("{kept}── restarted ")), "{all}");
}

/// A session whose disk has had no room any more since it said `lost`; what it said before
/// that is in the record.
#[track_caller]
fn filled<'a>(sandbox: &'a Sandbox, lost: &str) -> Option<Namespace<'a>> {
    let disk = Namespace::with_disk(sandbox, "256k")?;
    start(&disk);
    say(&disk, "before");
    wait_until_recorded(&disk);
    disk.fill_disk(0);
    say(&disk, lost);
    wait_for_problem(&disk, "No space left on device");
    Some(disk)
}

#[test]
fn a_full_disk_costs_the_record_until_there_is_room() {
    let sandbox = Sandbox::new();
    let Some(disk) = filled(&sandbox, "meanwhile") else { return };
    // It works all the same, and what was on disk stays.
    say(&disk, "still");
    let before: Vec<_> = names_in(&disk.path("sessions/work/record"));
    assert!(before.iter().any(|name| name.starts_with("output-")), "{before:?}");
    disk.clear_disk();
    say(&disk, "after");
    wait_until_recorded(&disk);
    comes_back_with(&disk, &["before", "meanwhile", "still", "after"]);
}

#[test]
fn killed_while_the_disk_is_full_the_session_has_what_was_written_before() {
    let sandbox = Sandbox::new();
    let Some(disk) = filled(&sandbox, "lost") else { return };
    disk.crash("work");
    disk.sess(&["status", "-q", "work"]).expect(1);
    let kept = disk.sess(&["logs", "work"]).expect(0).stdout;
    assert!(kept.starts_with("ready\nbefore\n"), "{kept}");
    disk.sess(&["capture", "work"]).expect(0);
    // It can be begun again even so.
    disk.sess(&["restore"]).expect(0);
    say(&disk, "again");
    disk.clear_disk();
    say(&disk, "more");
    wait_until_recorded(&disk);
    disk.crash("work");
    let kept = disk.sess(&["logs", "work"]).expect(0).stdout;
    assert!(kept.starts_with("ready\nbefore\n"), "{kept}");
    assert!(kept.ends_with("\nready\nagain\nmore\n"), "{kept}");
}

#[test]
fn a_session_that_began_on_a_full_disk_is_recorded_as_soon_as_there_is_room() {
    let sandbox = Sandbox::new();
    let Some(disk) = Namespace::with_disk(&sandbox, "256k") else { return };
    disk.fill_disk(0);
    start(&disk);
    wait_for_problem(&disk, "No space left on device");
    say(&disk, "meanwhile");
    assert!(!is_there(&disk.path("sessions/work/record/start.json")));
    disk.clear_disk();
    say(&disk, "after");
    wait_until_recorded(&disk);
    comes_back_with(&disk, &["meanwhile", "after"]);
}

#[test]
fn where_there_is_little_room_the_last_words_are_written_all_the_same() {
    let sandbox = Sandbox::new();
    let Some(disk) = Namespace::with_disk(&sandbox, "768k") else { return };
    let script = "seq -f 'before %g' 20000; read -r line; echo last words; exit 3";
    disk.sess(&["new", "-d", "work", "--", "sh", "-c", script]).expect(0);
    disk.sess(&["wait", "work", "--text", "before 20000", "--timeout", "10s"]).expect(0);
    wait_until_recorded(&disk);
    // Room for what is new, not for all of it once more.
    disk.fill_disk(32 * 1024);
    disk.sess(&["send", "work", "--enter"]).expect(0);
    disk.sess(&["wait", "work"]).expect(3);
    let kept = disk.sess(&["logs", "-n", "3", "work"]).expect(0).stdout;
    assert_eq!(kept, "before 20000\n\nlast words\n");
}

#[test]
fn a_disk_that_becomes_read_only_costs_the_record_until_it_can_be_written_to() {
    let sandbox = Sandbox::new();
    let Some(disk) = Namespace::with_disk(&sandbox, "256k") else { return };
    start(&disk);
    say(&disk, "before");
    wait_until_recorded(&disk);
    // Who has a file open for writing keeps a disk from being made so; for what is opened
    // from now on, another one in its place does.
    let mount = "mount -t tmpfs -o ro none sessions/work/record";
    disk.run(mount).expect(0);
    say(&disk, "meanwhile");
    wait_for_problem(&disk, "Read-only file system");
    say(&disk, "still");
    disk.run("umount sessions/work/record").expect(0);
    say(&disk, "after");
    wait_until_recorded(&disk);
    comes_back_with(&disk, &["before", "meanwhile", "still", "after"]);
}

#[test]
fn an_end_on_a_read_only_disk_is_told_to_who_is_attached() {
    let sandbox = Sandbox::new();
    let Some(disk) = Namespace::with_disk(&sandbox, "256k") else { return };
    let script = "echo shown; read -r line; exit 3";
    disk.sess(&["new", "-d", "work", "--", "sh", "-c", script]).expect(0);
    disk.run("mount -t tmpfs -o ro none sessions/work/record").expect(0);
    let mut terminal = disk.attach("work");
    terminal.wait_for_text("shown");
    terminal.type_line("");
    assert_eq!(terminal.wait_for_exit(), 3);
    assert!(terminal.text().ends_with("\n[work exited: 3]"), "{}", terminal.text());
    disk.run("umount sessions/work/record").expect(0);
    // How it ended could not be written: it counts as dead, and can be begun again.
    disk.sess(&["status", "-q", "work"]).expect(1);
    disk.sess(&["restart", "work"]).expect(0);
    disk.sess(&["status", "-q", "work"]).expect(0);
}

#[test]
fn a_limit_on_the_size_of_files_costs_the_record_and_nothing_else() {
    // Blocks of 512 bytes: nothing fits, not even a beginning, not much output.
    for blocks in ["0", "1", "8"] {
        let sandbox = Sandbox::new();
        let mut command = sandbox.command("sh");
        let script = "ulimit -f $1; exec \"$0\" new -d work -- sh -c 'seq 2000; cat; exit 3'";
        command.args(["-c", script, env!("CARGO_BIN_EXE_sess"), blocks]);
        sandbox.run(command).expect(0);
        let told = wait_for("the problem to be told", || problem(&sandbox.status("work")));
        assert!(told.contains("File too large"), "{told}");
        let mut terminal = sandbox.attach("work");
        terminal.type_line("hello");
        terminal.wait_for_text("2000\nhello\nhello");
        let all = logs(&sandbox, "work");
        assert!(all.starts_with("1\n2\n3\n"), "{all}");
        terminal.type_bytes(b"\x04");
        assert_eq!(terminal.wait_for_exit(), 3);
        // What there is of a record is told, or that there is none.
        let over = sandbox.sess(["status", "-q", "work"]).code;
        assert!([1, 3, 4].contains(&over), "{blocks}: {over}");
        sandbox.start_session("work", ["cat"]);
    }
}

//! Contract 6.4: a client can't hurt the session, however slow it is; who fell
//! behind is brought to the present.

use std::fmt::Write;
use std::time::{Duration, Instant};

use crate::harness::{Emulator, Sandbox, Terminal, resident, wait_until};

/// Lines of which most fall off a small journal.
const FLOOD: u32 = 12_000;
const SMALL_JOURNAL: &str = "journal = 262144\n";

/// So many numbered lines of a width.
fn numbered(count: u32, width: usize) -> String {
    (0..count).fold(String::new(), |mut text, n| {
        let _ = write!(text, "line {n:06} {}\r\n", "z".repeat(width));
        text
    })
}

/// A session that writes this many lines of 80 bytes at a key, and then tells it
/// in a file.
fn start_flood(sandbox: &Sandbox, name: &str, lines: u32) {
    sandbox.write("flood", numbered(lines, 66));
    let script = format!(
        "stty raw -echo; printf READY; head -c 1 >{name}.key; cat flood; printf FIN
         touch {name}.done; cat"
    );
    sandbox.start_script(name, &script);
}

fn attach_ready(sandbox: &Sandbox, name: &str, options: &[&str]) -> Terminal {
    let terminal = sandbox.terminal().attach_with(options, name);
    terminal.wait_for_text("READY");
    terminal
}

/// How long the flood takes from its key on.
fn time_of_flood(sandbox: &Sandbox, name: &str) -> Duration {
    let start = Instant::now();
    wait_until("the flood's end", || sandbox.path(&format!("{name}.done")).exists());
    start.elapsed()
}

/// The numbers of the numbered lines that were sent to a terminal, in order.
fn numbers(raw: &[u8]) -> Vec<u32> {
    let text = String::from_utf8_lossy(raw);
    let lines = text.split("line ").skip(1);
    lines.filter_map(|rest| rest.get(..6)?.parse().ok()).collect()
}

#[test]
fn a_client_that_reads_nothing_holds_the_program_up_for_a_second_at_most() {
    let sandbox = Sandbox::new();
    start_flood(&sandbox, "alone", 250_000);
    let mut terminal = attach_ready(&sandbox, "alone", &[]);
    terminal.type_bytes("g");
    // From here on nobody is attached.
    terminal.type_bytes(b"\x1c");
    terminal.wait_for_exit();
    let detached = time_of_flood(&sandbox, "alone");

    start_flood(&sandbox, "stalled", 250_000);
    let holder = sandbox.session("stalled").holder;
    let before = resident(holder);
    let terminal = attach_ready(&sandbox, "stalled", &[]);
    terminal.pause();
    terminal.type_bytes("g");
    let stalled = time_of_flood(&sandbox, "stalled");
    // Twice the time and half a second for a machine that does other things too.
    assert!(
        stalled < 2 * detached + Duration::from_millis(1_500),
        "{stalled:?}, detached {detached:?}"
    );
    assert!(resident(holder) < before + 12 * 1024, "{} kB, {before}", resident(holder));

    // It reads again: it is brought to the present, and the gap is marked.
    terminal.resume();
    terminal.wait_until("the present", |it| it.text().ends_with("FIN"));
    terminal.look(|it| {
        assert_eq!(it.row(22), format!("line 249999 {}", "z".repeat(66)));
        assert!(it.lines().iter().any(|line| line.starts_with("… ") && line.ends_with("skipped")));
        let numbers = numbers(it.raw());
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "a line came twice");
    });
    terminal.type_bytes("typed");
    terminal.wait_until("what is typed", |it| it.text().ends_with("FINtyped"));
}

#[test]
fn others_are_not_delayed_by_a_client_that_reads_nothing() {
    let sandbox = Sandbox::new();
    sandbox.configure(SMALL_JOURNAL);
    start_flood(&sandbox, "work", FLOOD);
    let stalled = attach_ready(&sandbox, "work", &[]);
    let reader = attach_ready(&sandbox, "work", &[]);
    stalled.pause();
    reader.type_bytes("g");
    reader.wait_until("all of it", |it| it.text().ends_with("FIN"));
    reader.type_bytes("echo");
    reader.wait_until("the echo", |it| it.text().ends_with("FINecho"));
    let mut numbers = reader.look(|it| numbers(it.raw()));
    numbers.dedup();
    assert!(numbers.iter().copied().eq(0..FLOOD), "{} lines", numbers.len());
}

#[test]
fn a_stopped_client_holds_nothing_up() {
    let sandbox = Sandbox::new();
    sandbox.configure(SMALL_JOURNAL);
    start_flood(&sandbox, "work", FLOOD);
    let terminal = attach_ready(&sandbox, "work", &[]);
    terminal.type_bytes("g");
    terminal.wait_for_raw("line 000000");
    terminal.signal(sess_sys::Signal::STOP);
    wait_until("the flood's end", || sandbox.path("work.done").exists());
    terminal.signal(sess_sys::Signal::CONT);
    terminal.wait_until("the present", |it| it.text().ends_with("FIN"));
}

#[test]
fn a_slow_leader_gets_every_byte() {
    let sandbox = Sandbox::new();
    let lines = numbered(4_000, 40);
    sandbox.write("lines", &lines);
    sandbox.start_script(
        "work",
        "stty raw -echo; printf READY; head -c 1 >key; cat lines; printf FIN; cat",
    );
    let terminal = attach_ready(&sandbox, "work", &[]);
    let start = terminal.look(|it| it.raw().len());
    terminal.throttle(50_000);
    terminal.type_bytes("g");
    terminal.wait_until("all of it", |it| it.raw().ends_with(b"FIN"));
    terminal.look(|it| assert!(it.raw()[start..] == *(lines + "FIN").as_bytes()));
}

#[test]
fn a_slow_follower_settles_and_gets_no_line_twice() {
    let sandbox = Sandbox::new();
    sandbox.configure(SMALL_JOURNAL);
    start_flood(&sandbox, "work", FLOOD);
    let follower = attach_ready(&sandbox, "work", &["-r", "--lines", "500"]);
    let leader = attach_ready(&sandbox, "work", &[]);
    follower.throttle(50_000);
    leader.type_bytes("g");
    leader.wait_until("all of it", |it| it.text().ends_with("FIN"));
    // It settles at its own pace: half a thousand lines, then the present.
    follower.wait_until("the present", |it| it.text().ends_with("FIN"));
    follower.look(|it| {
        let numbers = numbers(it.raw());
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "a line came twice");
        assert!(it.has_raw("skipped"));
    });
    assert_eq!(follower.look(Emulator::text), leader.look(Emulator::text));
}

#[test]
fn detaching_a_client_that_reads_nothing_takes_no_longer() {
    let sandbox = Sandbox::new();
    sandbox.configure(SMALL_JOURNAL);
    start_flood(&sandbox, "work", FLOOD);
    let mut terminal = attach_ready(&sandbox, "work", &[]);
    terminal.pause();
    terminal.type_bytes("g");
    wait_until("the flood's end", || sandbox.path("work.done").exists());
    sandbox.sess(["detach", "work"]).expect(0);
    wait_until("nobody to be attached", || {
        sandbox.status("work")["clients"] == serde_json::json!([])
    });
    terminal.resume();
    terminal.wait_for_exit();
    assert_eq!(terminal.modes(), terminal.modes_before());
}

#[test]
fn ctrl_c_reaches_the_program_in_a_flood() {
    let sandbox = Sandbox::new();
    sandbox.start_script(
        "work",
        "trap 'echo INTERRUPTED; cat' INT; while :; do yes | head -c 100000; done",
    );
    let terminal = sandbox.attach("work");
    terminal.wait_until("the flood", |it| it.raw().len() > 300_000);
    terminal.type_bytes(b"\x03");
    terminal.wait_for_text("INTERRUPTED");
}

#[test]
fn the_smallest_journal_costs_a_leader_nothing() {
    let sandbox = Sandbox::new();
    sandbox.configure("journal = 262144\n");
    start_flood(&sandbox, "work", 3_000);
    let terminal = attach_ready(&sandbox, "work", &[]);
    let start = terminal.look(|it| it.raw().len());
    terminal.type_bytes("g");
    terminal.wait_until("all of it", |it| it.text().ends_with("FIN"));
    let flood = [&sandbox.read("flood")[..], b"FIN"].concat();
    terminal.look(|it| assert!(it.raw()[start..] == flood, "not unchanged"));
}

//! Who deals with a session over a restart goes on with it.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::mpsc::channel;

use serde_json::Value;

use super::{in_turn, runs, start, start_and_pause};
use crate::harness::{Emulator, PATIENCE, Sandbox, restart_times, wait_until};

/// Two runs that end when something is typed, and a third that stays.
const RUNS: [&str; 3] = [
    "echo first; read x; exit 3",
    "echo second; read x; kill -KILL $$",
    "echo third; read x; exit 4",
];

#[test]
fn attached_terminals_stay_and_see_the_line_and_the_next_program() {
    let sandbox = Sandbox::new();
    start(&sandbox, "work", &["--restart", "always"], &in_turn(&[RUNS[0], RUNS[1], "exec cat"]));
    let mut terminals = [sandbox.attach("work"), sandbox.terminal().attach_with(&["-r"], "work")];
    let pids = terminals.each_ref().map(|terminal| Value::from(terminal.pid().0));
    for (run, count) in [("first", 0), ("second", 1)] {
        for terminal in &terminals {
            terminal.wait_for_text(run);
            assert_eq!(restart_times(&terminal.text()).len(), count);
        }
        terminals[0].type_line("");
    }
    wait_until("the third run", || runs(&sandbox) == 3);
    terminals[0].type_line("hello");
    for terminal in &terminals {
        terminal.wait_for_text("──\nhello\nhello");
        assert_eq!(restart_times(&terminal.text()).len(), 2, "{}", terminal.text());
        assert!(terminal.text().contains(" ──\nsecond\n"), "{}", terminal.text());
    }
    let clients = sandbox.status("work")["clients"].clone();
    let clients: Vec<_> =
        clients.as_array().unwrap().iter().map(|one| one["pid"].clone()).collect();
    assert_eq!(clients, pids);
    sandbox.sess(["kill", "work"]).expect(0);
    for terminal in &mut terminals {
        assert!([129, 143].contains(&terminal.wait_for_exit()), "{}", terminal.text());
        assert!(terminal.text().contains("[work killed: SIG"), "{}", terminal.text());
    }
}

#[test]
fn who_started_it_stays_attached() {
    let sandbox = Sandbox::new();
    let script = in_turn(&["echo first; exit 3", "echo second; exec cat"]);
    let words = ["new", "--restart", "on-failure", "work", "--", "sh", "-c", &script];
    let mut terminal = sandbox.terminal().sess(words);
    terminal.wait_for_text("second");
    terminal.type_line("hello");
    terminal.wait_for_text("second\nhello\nhello");
    assert!(terminal.text().starts_with("first\n── restarted "), "{}", terminal.text());
    terminal.detach();
}

#[test]
fn a_terminal_that_fell_behind_is_brought_to_the_next_program() {
    let sandbox = Sandbox::new();
    let script = in_turn(&["read x; seq 1 300000; exit 3", "echo second; exec cat"]);
    start(&sandbox, "work", &["--restart", "on-failure"], &script);
    let mut terminal = sandbox.attach("work");
    terminal.pause();
    sandbox.sess(["send", "work", "--enter"]).expect(0);
    sandbox.wait_for_line("work", "^second$");
    terminal.resume();
    terminal.wait_for_text("300000\n── restarted ");
    terminal.type_line("hello");
    terminal.wait_for_text("second\nhello\nhello");
    terminal.detach();
}

#[test]
fn attach_and_wait_return_only_when_no_restart_follows() {
    let sandbox = Sandbox::new();
    let script = in_turn(&[RUNS[0], RUNS[1], "echo third; read x; exit 0"]);
    start(&sandbox, "work", &["--restart", "on-failure"], &script);
    let mut terminal = sandbox.attach("work");
    let mut waits = sandbox.start_sess(["wait", "work"]);
    for run in ["first", "second", "third"] {
        sandbox.wait_for_line("work", &format!("^{run}$"));
        assert!(!waits.has_ended() && terminal.runs(), "{run}");
        sandbox.sess(["send", "work", "--enter"]).expect(0);
    }
    sandbox.finish(waits).expect(0);
    assert_eq!(terminal.wait_for_exit(), 0);
    assert!(terminal.text().ends_with("[work exited: 0]"), "{}", terminal.text());
}

#[test]
fn who_gives_up_on_it_is_told_to_all() {
    let sandbox = Sandbox::new();
    start(&sandbox, "work", &["--restart", "on-failure:3"], &in_turn(&RUNS));
    let mut terminal = sandbox.attach("work");
    let waits = sandbox.start_sess(["wait", "work"]);
    for run in ["first", "second", "third"] {
        sandbox.wait_for_line("work", &format!("^{run}$"));
        terminal.type_line("");
    }
    assert_eq!(terminal.wait_for_exit(), 4);
    assert!(terminal.text().ends_with("[work exited: 4]"), "{}", terminal.text());
    sandbox.finish(waits).expect(4);
}

#[test]
fn events_tell_of_each_restart_and_of_one_end() {
    let sandbox = Sandbox::new();
    let script =
        in_turn(&["while read x; do echo $x; test $x = go && exit 3; done", RUNS[1], RUNS[2]]);
    start(&sandbox, "work", &["--restart", "on-failure:3"], &script);
    let mut command = sandbox.sess_command(["events", "--json", "work"]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let (to, events) = channel::<Value>();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let reader = std::thread::spawn(move || {
        for line in stdout.lines().map_while(Result::ok) {
            let _ = to.send(serde_json::from_str(&line).unwrap());
        }
    });
    // It listens as soon as it hears of the terminals that come and go.
    wait_until("it to listen", || {
        sandbox.attach("work").detach();
        events.try_iter().any(|event| event["event"] == "detached")
    });
    sandbox.sess(["send", "work", "go", "--enter"]).expect(0);
    for run in ["second", "third"] {
        sandbox.wait_for_line("work", &format!("^{run}$"));
        sandbox.sess(["send", "work", "--enter"]).expect(0);
    }
    let id = sandbox.status("work")["id"].clone();
    sandbox.wait_for_end("work");
    let mut told = Vec::new();
    loop {
        let event = events.recv_timeout(PATIENCE).unwrap();
        let kind = event["event"].as_str().unwrap().to_owned();
        if ["restarted", "exited", "died"].contains(&kind.as_str()) {
            assert_eq!((&event["name"], &event["id"]), (&"work".into(), &id));
            told.push(kind.clone());
        }
        if kind == "exited" {
            assert_eq!(event["exit"]["code"], 4);
            break;
        }
    }
    assert_eq!(told, ["restarted", "restarted", "exited"]);
    reader.join().unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn who_follows_the_output_goes_on_to_the_end() {
    let sandbox = Sandbox::new();
    start(&sandbox, "work", &["--restart", "on-failure:3"], &in_turn(&RUNS));
    sandbox.wait_for_line("work", "^first$");
    let session = sandbox.session("work");
    let followers = [&["-f"][..], &["-f", "--raw"], &["-f", "--json"]]
        .map(|args| sandbox.start_sess([&["logs", "work"], args].concat()));
    session.wait_until_heard(&followers.each_ref());
    for run in ["first", "second", "third"] {
        sandbox.wait_for_line("work", &format!("^{run}$"));
        sandbox.sess(["send", "work", "--enter"]).expect(0);
    }
    let outputs = followers.map(|one| sandbox.finish(one).expect(0).stdout);
    let text = &outputs[0];
    assert_eq!(restart_times(text).len(), 2, "{text}");
    let lines: Vec<_> = text.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!((lines[0], lines[2], lines[4]), ("first", "second", "third"), "{text}");
    let raw = sandbox.sess(["logs", "work", "--raw"]).expect(0).stdout;
    assert_eq!(outputs[1], raw);
    let pieces: Vec<Value> =
        outputs[2].lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let data: String = pieces.iter().map(|piece| piece["data"].as_str().unwrap()).collect();
    assert_eq!(data, raw);
    assert!(pieces.iter().all(|piece| piece["truncated"] == false), "{pieces:?}");
}

#[test]
fn who_waits_for_a_line_gets_that_of_the_next_program() {
    let sandbox = Sandbox::new();
    start(&sandbox, "work", &["--restart", "on-failure"], &in_turn(&RUNS));
    let waits = sandbox.start_sess(["wait", "work", "--text", "^second$", "--timeout", "10s"]);
    sandbox.wait_for_line("work", "^first$");
    // With what it types the program ends.
    let words = ["send", "work", "--enter", "--wait-text", "^second$", "--timeout", "10s"];
    sandbox.sess(words).expect(0);
    sandbox.finish(waits).expect(0);
}

#[test]
fn the_terminal_is_in_order_before_the_next_program_begins() {
    let sandbox = Sandbox::new();
    let first = r"printf 'before\n\033[?1049h\033[?2004h\033[?1003h\033[?1006h\033[?25l\033[>5u'
        printf '\033[2;5r\033[31;7mfull screen'; read x; exit 3";
    start(
        &sandbox,
        "work",
        &["--restart", "on-failure"],
        &in_turn(&[first, "echo second; exec cat"]),
    );
    let mut terminal = sandbox.attach("work");
    terminal.wait_for_text("full screen");
    terminal.type_line("");
    terminal.wait_for_text("second");
    assert!(terminal.look(Emulator::is_in_order), "{}", terminal.look(Emulator::report));
    let text = terminal.text();
    assert!(text.starts_with("before\n── restarted "), "{text}");
    assert!(text.ends_with(" ──\nsecond"), "{text}");
    terminal.type_line("hello");
    terminal.wait_for_text("second\nhello\nhello");
    terminal.detach();
    terminal.assert_in_order_after("[detached from work]");
}

#[test]
fn what_is_typed_in_the_pause_is_not_read_by_the_next_program() {
    let sandbox = Sandbox::new();
    start_and_pause(&sandbox, "work", &[], "echo sixth; exec cat");
    let mut terminal = sandbox.attach("work");
    terminal.type_line("stale");
    wait_until("it to be heard", || sandbox.status("work")["last_input"].is_string());
    assert_eq!(runs(&sandbox), 5, "it was in the pause");
    terminal.wait_for_text("sixth");
    terminal.type_line("fresh");
    terminal.wait_for_text("sixth\nfresh\nfresh");
    assert!(!terminal.text().contains("stale"), "{}", terminal.text());
    terminal.detach();
    terminal.assert_in_order_after("[detached from work]");
}

#[test]
fn however_much_is_typed_in_the_pause_the_next_program_hears_what_follows() {
    let sandbox = Sandbox::new();
    start_and_pause(&sandbox, "work", &[], "echo sixth; exec cat");
    let mut terminal = sandbox.attach("work");
    // More than a client has under way that isn't taken.
    terminal.type_bytes(vec![b'x'; 68 * 1024]);
    assert_eq!(runs(&sandbox), 5, "it was in the pause");
    terminal.wait_for_text("sixth");
    terminal.type_line("fresh");
    terminal.wait_for_text("sixth\nfresh\nfresh");
    terminal.detach();
}

#[test]
fn an_answer_for_the_last_program_is_not_read_by_the_next() {
    for asks_too in [false, true] {
        let sandbox = Sandbox::new();
        // What it reads it shows, escapes made visible.
        let ask = if asks_too { "printf '\\033[5n'" } else { ":" };
        let second = format!("stty raw -echo; echo second; {ask}; exec cat -v");
        let script = in_turn(&["stty raw -echo; printf '\\033[c'; head -c 1; exit 3", &second]);
        // It asks when somebody is there who answers late.
        let script = format!("while ! test -e go; do sleep 0.02; done; {script}");
        start(&sandbox, "work", &["--restart", "on-failure"], &script);
        let terminal = sandbox.terminal().answering(11).attach("work");
        terminal.hold_replies();
        sandbox.write("go", "");
        wait_until("the question", || terminal.replies_held() > 0);
        let held = terminal.replies_held();
        terminal.type_bytes("x");
        terminal.wait_for_text("second");
        if asks_too {
            wait_until("its question", || terminal.replies_held() > held);
        }
        terminal.release_replies();
        terminal.type_bytes("fresh ");
        let answer = if asks_too { "^[[0n" } else { "" };
        terminal.wait_for_text(&format!("{answer}fresh"));
        assert!(!terminal.text().contains("62;11c"), "{}", terminal.text());
    }
}

#[test]
fn in_the_pause_all_else_goes_on() {
    let sandbox = Sandbox::new();
    start_and_pause(&sandbox, "work", &["--idle-timeout", "1h"], "echo sixth; exec cat");
    sandbox.sess(["rename", "work", "play"]).expect(0);
    sandbox.sess(["resize", "play", "70x20"]).expect(0);
    sandbox.sess(["detach", "play"]).expect(0);
    sandbox.sess(["capture", "play"]).expect(0);
    sandbox.sess(["restart", "play"]).expect_error(6, "play");
    sandbox.sess(["new", "-d", "play", "--", "cat"]).expect_error(6, "play");
    let mut terminal = sandbox.terminal().size(60, 18).attach("play");
    terminal.wait_for_text("sixth");
    terminal.type_line("hello");
    terminal.wait_for_text("hello\nhello");
    assert_eq!(sandbox.status("play")["size"]["cols"], 60);
    terminal.detach();
}

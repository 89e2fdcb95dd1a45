//! Contract 6.6: the exit status is recorded and told to whoever attaches, before
//! or after the end; the last output is shown.

use sess_sys::process::{Process, Signal};

use crate::harness::{Sandbox, process_in, signal_to, wait_until};

#[test]
fn everybody_attached_is_told_how_it_ended() {
    let sandbox = Sandbox::new();
    sandbox.start_script("work", "read -r line; echo last words; exit 3");
    let mut terminals = [sandbox.attach("work"), sandbox.terminal().attach_with(&["-r"], "work")];
    terminals[0].type_line("");
    for terminal in &mut terminals {
        assert_eq!(terminal.wait_for_exit(), 3);
        assert!(terminal.text().ends_with("\n[work exited: 3]"), "{}", terminal.text());
        assert!(terminal.text().contains("\nlast words\n"), "{}", terminal.text());
    }
}

#[test]
fn who_attaches_later_is_told_how_it_ended() {
    let sandbox = Sandbox::new();
    for (name, script, code, says) in [
        ("zero", "exit 0", 0, "[zero exited: 0]"),
        ("three", "exit 3", 3, "[three exited: 3]"),
        ("term", "kill -TERM $$", 143, "[term killed: SIGTERM]"),
        ("kill", "kill -KILL $$", 137, "[kill killed: SIGKILL]"),
    ] {
        sandbox.start_session_that_ends(name, script);
        let mut terminal = sandbox.terminal().sess(["attach", name]);
        assert_eq!(terminal.wait_for_exit(), code);
        assert_eq!(terminal.text(), says);
        // It takes no terminal to be told.
        let output = sandbox.sess(["attach", name]).expect(code);
        assert_eq!(output.stdout.trim_end(), says);
        sandbox.sess(["status", name]).expect(3);
    }
}

#[test]
fn the_record_says_how_and_when() {
    let sandbox = Sandbox::new();
    sandbox.start_session_that_ends("work", "exit 7");
    let status = sandbox.status("work");
    assert_eq!(status["state"], "exited");
    assert_eq!(status["exit"]["code"], 7);
    assert_eq!(status["exit"]["signal"], serde_json::Value::Null);
    assert!(status["exit"]["time"].as_str().unwrap().ends_with('Z'));
    assert_eq!(status["pid"], serde_json::Value::Null);
    sandbox.start_session_that_ends("other", "kill -9 $$");
    let exit = sandbox.status("other")["exit"].clone();
    assert_eq!((&exit["code"], &exit["signal"]), (&serde_json::Value::Null, &"SIGKILL".into()));
}

#[test]
fn a_background_job_that_holds_the_terminal_does_not_delay_the_end_and_runs_on() {
    let sandbox = Sandbox::new();
    let script = "trap '' HUP; sleep 1000 & echo $! >job; read -r line; exit 5";
    sandbox.start_script("work", script);
    let mut terminal = sandbox.attach("work");
    let job = process_in(&sandbox, "job");
    terminal.type_line("");
    assert_eq!(terminal.wait_for_exit(), 5);
    sandbox.sess(["status", "work"]).expect(3);
    assert!(job.alive());
    // It keeps the name from nobody.
    sandbox.start_session("work", ["cat"]);
    assert!(job.alive());
}

#[test]
fn a_program_that_closes_and_reopens_its_terminal_lives_on() {
    let sandbox = Sandbox::new();
    sandbox.start_script(
        "work",
        "tty=$(tty); exec </dev/null >/dev/null 2>&1; touch closed; while [ ! -e go ]; do
         sleep 0.02; done; exec <$tty >$tty 2>&1; echo back again; exec cat",
    );
    let terminal = sandbox.attach("work");
    wait_until("it to be closed", || sandbox.path("closed").exists());
    assert_eq!(sandbox.status("work")["state"], "running");
    sandbox.write("go", "");
    terminal.wait_for_text("back again");
    terminal.type_line("hello");
    terminal.wait_for_text("hello\nhello");
}

#[test]
fn the_last_output_before_the_end_is_shown() {
    let sandbox = Sandbox::new();
    for round in 0..5 {
        let name = format!("work{round}");
        let script = ["sh", "-c", "seq -f 'number %g' 3000; exit 4"];
        let args = [&["new", &name, "--"], &script[..]].concat();
        let mut terminal = sandbox.terminal().sess(args);
        assert_eq!(terminal.wait_for_exit(), 4);
        terminal.look(|it| {
            let mut lines = it.lines();
            lines.retain(|line| !line.is_empty());
            let numbers = lines.iter().filter(|line| line.starts_with("number ")).count();
            assert!(numbers >= 1_000, "{numbers}");
            assert_eq!(lines[lines.len() - 2], "number 3000");
            assert_eq!(lines[lines.len() - 1], format!("[{name} exited: 4]"));
        });
    }
}

#[test]
fn a_program_that_is_quicker_than_its_creator_ends_with_its_code() {
    let sandbox = Sandbox::new();
    for (round, (program, code)) in
        [("true", 0), ("false", 1)].into_iter().cycle().take(20).enumerate()
    {
        let name = format!("quick{round}");
        let mut terminal = sandbox.terminal().sess(["new", &name, "--", program]);
        assert_eq!(terminal.wait_for_exit(), code, "{}", terminal.text());
        assert!(terminal.text().ends_with(&format!("[{name} exited: {code}]")));
        assert_eq!(terminal.modes(), terminal.modes_before());
    }
}

#[test]
fn the_end_is_told_also_to_a_client_that_is_far_behind() {
    let sandbox = Sandbox::new();
    sandbox.start_script("work", "stty -echo; echo READY; read -r line; seq 200000; exit 9");
    let mut terminal = sandbox.attach("work");
    terminal.wait_for_text("READY");
    terminal.throttle(300_000);
    terminal.type_line("");
    assert_eq!(terminal.wait_for_exit(), 9);
    terminal.wait_until("the end", |it| {
        it.has_raw("\n200000\r\n") && it.text().ends_with("\n[work exited: 9]")
    });
}

#[test]
fn a_stopped_program_is_not_taken_for_ended() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    signal_to(session.pid, Signal::STOP);
    wait_until("it to stop", || Process::read(session.pid).unwrap().unwrap().state == 'T');
    sandbox.sess(["status", "work"]).expect(0);
    signal_to(session.pid, Signal::CONT);
    let terminal = sandbox.attach("work");
    terminal.type_line("goes on");
    terminal.wait_for_text("goes on\ngoes on");
}

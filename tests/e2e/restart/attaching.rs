//! `attach -R` restarts what is over, and shows it; `new` never does.

use std::path::PathBuf;

use sess_sys::process::Process;

use super::ENDS_FIRST;
use crate::harness::{Sandbox, is_there, wait_until_gone};

/// Where a session's link to an agent leads, if there is one.
fn link(sandbox: &Sandbox, id: &str) -> Option<PathBuf> {
    std::fs::read_link(sandbox.sessions().join(".agent").join(id)).ok()
}

#[test]
fn an_ended_session_is_restarted_and_shown() {
    let sandbox = Sandbox::new();
    for end in ["exited", "dead", "killed"] {
        let session = sandbox.start_script(end, "echo words; exec cat");
        sandbox.wait_for_line(end, "^words$");
        let program = Process::read(session.pid).unwrap().unwrap();
        match end {
            "exited" => drop(sandbox.sess(["send", end, "-k", "C-d"]).expect(0)),
            "dead" => session.lose_holder(),
            _ => drop(sandbox.sess(["kill", end]).expect(0)),
        }
        wait_until_gone(&program);
        let state = if end == "dead" { "dead" } else { "exited" };
        sandbox.wait_for_state(end, state);
        let mut terminal = sandbox.terminal().size(70, 20).attach_with(&["-R"], end);
        assert_eq!(sandbox.session(end).id, session.id);
        terminal.wait_for_text("── restarted ");
        terminal.type_line("hello");
        terminal.wait_for_text("──\nwords\nhello\nhello");
        assert_eq!(sandbox.status(end)["size"]["cols"], 70);
        terminal.detach();
        terminal.assert_in_order_after(&format!("[detached from {end}]"));
        sandbox.sess(["status", end]).expect(0);
    }
}

#[test]
fn a_running_session_is_shown_as_it_is() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    let mut terminal = sandbox.terminal().attach_with(&["-R"], "work");
    terminal.type_line("hello");
    terminal.wait_for_text("hello\nhello");
    assert_eq!(sandbox.session("work").pid, session.pid);
    assert!(!terminal.text().contains("restarted"), "{}", terminal.text());
    terminal.detach();
}

#[test]
fn it_ends_as_the_restarted_program_does() {
    let sandbox = Sandbox::new();
    sandbox.start_session_that_ends("work", "echo words; exit 3");
    let mut terminal = sandbox.terminal().sess(["attach", "-R", "work"]);
    assert_eq!(terminal.wait_for_exit(), 3);
    assert!(terminal.text().ends_with("──\nwords\n[work exited: 3]"), "{}", terminal.text());
    assert_eq!(terminal.text().matches("words").count(), 2);
}

#[test]
fn what_stands_in_the_way_is_told_and_changes_nothing() {
    let sandbox = Sandbox::new();
    let running = sandbox.start_session("stopped", ["cat"]);
    running.stop_holder();
    sandbox.start_session_that_ends("work", "exit 3");
    for (name, says) in [("missing", "no such session"), ("stopped", "does not answer")] {
        let mut terminal = sandbox.terminal().sess(["attach", "-R", name]);
        assert_eq!(terminal.wait_for_exit(), 125);
        assert!(terminal.text().contains(says), "{}", terminal.text());
    }
    // Nobody would see it.
    sandbox.sess(["attach", "-R", "work"]).expect_error(125, "takes a terminal");
    assert_eq!(sandbox.status("work")["exit"]["code"], 3);
}

#[test]
fn a_command_that_is_gone_has_its_code_and_stays_ended() {
    let sandbox = Sandbox::new();
    let program = sandbox.path("program");
    std::os::unix::fs::symlink("/bin/sh", &program).unwrap();
    sandbox.sess(["new", "-d", "work", "--", "./program", "-c", "exit 3"]).expect(0);
    sandbox.wait_for_end("work");
    std::fs::remove_file(&program).unwrap();
    let mut terminal = sandbox.terminal().sess(["attach", "-R", "work"]);
    assert_eq!(terminal.wait_for_exit(), 127);
    assert_eq!(terminal.text(), "sess: no such command: ./program");
    assert_eq!(sandbox.status("work")["exit"]["code"], 3);
}

#[test]
fn without_it_an_ended_session_stays_as_it_is() {
    let sandbox = Sandbox::new();
    sandbox.start_session_that_ends("work", ENDS_FIRST);
    sandbox.write("again", "");
    sandbox.sess(["attach", "work"]).expect(3);
    sandbox.sess(["status", "work"]).expect(3);
}

#[test]
fn new_begins_another_session_where_one_has_ended() {
    let sandbox = Sandbox::new();
    for (name, options) in [("one", &["-dA"][..]), ("two", &["-d"]), ("three", &["-A"])] {
        sandbox.start_session_that_ends(name, "echo old words; exit 3");
        let before = sandbox.status(name);
        let words = [&["new"], options, &[name, "--", "sh", "-c", "echo new words; cat"]].concat();
        let terminal = (name == "three").then(|| {
            let terminal = sandbox.terminal().sess(&words);
            terminal.wait_for_attached(&sandbox, name);
            terminal
        });
        if terminal.is_none() {
            assert_eq!(sandbox.sess(&words).expect(0).stdout, format!("{name}\n"));
        }
        sandbox.wait_for_line(name, "^new words$");
        let now = sandbox.status(name);
        assert_ne!(now["id"], before["id"]);
        assert_eq!(sandbox.sess(["logs", name]).expect(0).stdout, "new words\n");
        assert_eq!(now["offset"], "new words\r\n".len());
    }
}

#[test]
fn the_agent_is_that_of_who_restarts() {
    for recorded in ["\"all\"", "\"none\"", "[\"PATH\"]"] {
        let sandbox = Sandbox::new();
        sandbox.configure(&format!("record-environment = {recorded}\n"));
        let (one, two) = (sandbox.write("one", ""), sandbox.write("two", ""));
        let script = "echo \"<$SSH_AUTH_SOCK>\"; exec cat";
        let mut command = sandbox.sess_command(["new", "-d", "work", "--", "sh", "-c", script]);
        command.env("SSH_AUTH_SOCK", &one);
        sandbox.run(command).expect(0);
        let id = sandbox.session("work").id;
        let path = sandbox.sessions().join(".agent").join(&id);
        let kill = || {
            sandbox.sess(["kill", "work"]).expect(0);
            assert!(!is_there(&path));
            sandbox.offset("work").to_string()
        };
        let says = |what: &str, since: &str| {
            let line = format!("^<{what}>$");
            let words = ["wait", "work", "--since", since, "--timeout", "10s", "--text", &line];
            sandbox.sess(words).expect(0);
        };
        let since = kill();
        let mut command = sandbox.sess_command(["restart", "work"]);
        command.env("SSH_AUTH_SOCK", &two);
        sandbox.run(command).expect(0);
        assert_eq!(link(&sandbox, &id), Some(two));
        says(path.to_str().unwrap(), &since);
        let since = kill();
        let terminal = sandbox.terminal().env("SSH_AUTH_SOCK", &one);
        let mut terminal = terminal.attach_with(&["-R"], "work");
        assert_eq!(link(&sandbox, &id), Some(one));
        says(path.to_str().unwrap(), &since);
        terminal.detach();
        // Who has none gives none.
        let since = kill();
        sandbox.sess(["restart", "work"]).expect(0);
        says("", &since);
        assert_eq!(link(&sandbox, &id), None);
    }
}

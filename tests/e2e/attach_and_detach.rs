//! Attaching and detaching: what a terminal looks like before, during and after,
//! whatever ends it.

use sess_sys::process::Signal;

use crate::harness::{Emulator, Sandbox, Terminal, find};

/// A full-screen program with everything switched on that it can be.
const EVERYTHING_ON: &str = r"stty -echo; echo on the primary screen
printf '\033[?1049h\033[?2004h\033[?1002h\033[?1006h\033[?1004h\033[?1h\033=\033[?25l\033[>5u'
printf '\033[2;10r\033[31;7m\033[5;5Hfull screen'";

fn attach_to_full_screen(sandbox: &Sandbox, then: &str) -> Terminal {
    sandbox.start_script("work", &format!("{EVERYTHING_ON}\n{then}"));
    let terminal = sandbox.attach("work");
    terminal.wait_for_text("full screen");
    terminal.look(|it| {
        assert!(it.screen().alternate_screen());
        assert!(it.screen().bracketed_paste());
        assert!(it.screen().hide_cursor());
        assert!(it.mode(1004));
        assert_eq!(it.kitty(), 5);
    });
    assert_ne!(terminal.modes(), terminal.modes_before());
    terminal
}

#[test]
fn the_detach_key_leaves_the_session_running_and_the_terminal_in_order() {
    let sandbox = Sandbox::new();
    sandbox.start_session("work", ["cat"]);
    let mut terminal = sandbox.attach("work");
    terminal.type_line("hello");
    terminal.wait_for_text("hello\nhello");
    terminal.detach();
    terminal.assert_in_order_after("[detached from work]");
    assert_eq!(sandbox.status("work")["state"], "running");
    assert_eq!(sandbox.status("work")["clients"], serde_json::json!([]));
}

#[test]
fn a_detach_from_a_full_screen_program_shows_the_primary_screen() {
    let sandbox = Sandbox::new();
    let mut terminal = attach_to_full_screen(&sandbox, "cat");
    terminal.detach();
    terminal.assert_in_order_after("[detached from work]");
    assert!(terminal.text().starts_with("on the primary screen\n"), "{}", terminal.text());
    assert!(!terminal.text().contains("full screen"));
}

#[test]
fn sigterm_to_the_client_leaves_the_terminal_in_order() {
    let sandbox = Sandbox::new();
    let mut terminal = attach_to_full_screen(&sandbox, "cat");
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.wait_for_exit(), 143);
    terminal.assert_in_order_after("[detached from work]");
    assert_eq!(sandbox.status("work")["state"], "running");
}

#[test]
fn sighup_to_the_client_leaves_the_terminal_in_order() {
    let sandbox = Sandbox::new();
    let mut terminal = attach_to_full_screen(&sandbox, "cat");
    terminal.signal(Signal::HUP);
    assert_eq!(terminal.wait_for_exit(), 129);
    terminal.assert_in_order_after("[detached from work]");
    assert_eq!(sandbox.status("work")["state"], "running");
}

#[test]
fn a_lost_holder_is_told_with_125_and_leaves_the_terminal_in_order() {
    let sandbox = Sandbox::new();
    let mut terminal = attach_to_full_screen(&sandbox, "cat");
    sandbox.session("work").lose_holder();
    assert_eq!(terminal.wait_for_exit(), 125);
    assert_eq!(terminal.modes(), terminal.modes_before());
    assert!(terminal.look(Emulator::is_in_order), "{}", terminal.look(Emulator::report));
    assert!(terminal.text().contains("sess: lost the holder of session work"));
}

#[test]
fn the_end_of_the_program_is_told_and_leaves_the_terminal_in_order() {
    let sandbox = Sandbox::new();
    let mut terminal = attach_to_full_screen(&sandbox, "head -n 1 >key; exit 3");
    terminal.type_line("");
    assert_eq!(terminal.wait_for_exit(), 3);
    terminal.assert_in_order_after("[work exited: 3]");
}

#[test]
fn a_program_that_is_killed_is_told_with_its_signal() {
    let sandbox = Sandbox::new();
    let mut terminal = attach_to_full_screen(&sandbox, "head -n 1 >key; kill -9 $$");
    terminal.type_line("");
    assert_eq!(terminal.wait_for_exit(), 137);
    terminal.assert_in_order_after("[work killed: SIGKILL]");
}

#[test]
fn detach_from_outside_does_the_same_as_the_key() {
    let sandbox = Sandbox::new();
    let mut terminal = attach_to_full_screen(&sandbox, "cat");
    sandbox.sess(["detach", "work"]).expect(0);
    assert_eq!(terminal.wait_for_exit(), 0);
    terminal.assert_in_order_after("[detached from work]");
    sandbox.sess(["detach", "work"]).expect(0);
}

#[test]
fn closing_the_terminal_leaves_the_session_running() {
    let sandbox = Sandbox::new();
    let terminal = attach_to_full_screen(&sandbox, "cat");
    terminal.close();
    assert_eq!(sandbox.status("work")["state"], "running");
    let again = sandbox.attach("work");
    again.wait_for_text("full screen");
}

#[test]
fn a_client_that_is_killed_leaves_the_session_running() {
    let sandbox = Sandbox::new();
    let mut terminal = attach_to_full_screen(&sandbox, "cat");
    terminal.signal(Signal::KILL);
    assert_eq!(terminal.wait_for_exit(), 137);
    let again = sandbox.attach("work");
    again.wait_for_text("full screen");
}

#[test]
fn a_shell_goes_on_where_it_was_after_a_detach() {
    let Some(bash) = find("bash") else { return };
    let sandbox = Sandbox::new();
    sandbox.start_script("work", "echo in the session; cat");
    let terminal = sandbox.terminal().run(bash.to_str().unwrap(), ["--norc", "--noprofile"]);
    terminal.wait_for_text("$");
    terminal.type_line("echo before $((1 + 1))");
    terminal.wait_for_text("before 2");
    terminal.type_line(&format!("{} attach work", env!("CARGO_BIN_EXE_sess")));
    terminal.wait_for_text("in the session");
    let scrolled = terminal.look(Emulator::scrollback);
    assert!(scrolled.contains(&"before 2".to_owned()), "{scrolled:?}");
    assert!(!terminal.text().contains("before"));
    terminal.type_bytes(b"\x1c");
    terminal.wait_for_text("[detached from work]\n$");
    terminal.type_line("echo after $((2 + 2)) $?");
    terminal.wait_for_text("after 4 0");
    // What stood there before is there once, in its place.
    let lines = terminal.look(Emulator::lines);
    assert_eq!(lines.iter().filter(|line| *line == "before 2").count(), 1, "{lines:?}");
}

#[test]
fn exclusive_detaches_the_others() {
    let sandbox = Sandbox::new();
    sandbox.start_session("work", ["cat"]);
    let mut first = sandbox.attach("work");
    let mut second = sandbox.attach("work");
    let third = sandbox.terminal().attach_with(&["-x"], "work");
    for other in [&mut first, &mut second] {
        assert_eq!(other.wait_for_exit(), 0);
        other.assert_in_order_after("[detached from work]");
    }
    third.type_line("alone");
    third.wait_for_text("alone\nalone");
}

#[test]
fn everybody_attached_sees_and_types() {
    let sandbox = Sandbox::new();
    sandbox.start_session("work", ["cat"]);
    let first = sandbox.attach("work");
    let second = sandbox.attach("work");
    first.type_line("from the first");
    second.wait_for_text("from the first\nfrom the first");
    second.type_line("from the second");
    first.wait_for_text("from the second\nfrom the second");
}

#[test]
fn detach_all_detaches_from_every_session() {
    let sandbox = Sandbox::new();
    sandbox.start_session("one", ["cat"]);
    sandbox.start_session("two", ["cat"]);
    let mut terminals = [sandbox.attach("one"), sandbox.attach("two"), sandbox.attach("one")];
    sandbox.sess(["detach", "--all"]).expect(0);
    for terminal in &mut terminals {
        assert_eq!(terminal.wait_for_exit(), 0);
    }
}

#[test]
fn the_only_session_needs_no_name() {
    let sandbox = Sandbox::new();
    sandbox.start_session("work", ["cat"]);
    let terminal = sandbox.terminal().sess(["a"]);
    terminal.wait_for_attached(&sandbox, "work");
}

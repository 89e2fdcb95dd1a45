//! Attaching and detaching: what a terminal looks like before, during and after.

use sess_sys::process::Signal;

use crate::harness::Sandbox;

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
}

#[test]
fn the_same_after_sigterm() {
    let sandbox = Sandbox::new();
    sandbox.start_script("work", r"printf '\033[?1049h\033[?2004h\033[?1002h\033[?1006h'; cat");
    let mut terminal = sandbox.attach("work");
    terminal.wait_until("the modes", |it| it.screen().alternate_screen());
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.wait_for_exit(), 143);
    terminal.assert_in_order_after("[detached from work]");
}

//! Sessions in sessions: a session is never shown in itself, directly or around
//! a loop, and everything else is allowed.

use crate::harness::{Sandbox, Terminal};

const SESS: &str = env!("CARGO_BIN_EXE_sess");

/// A session with a shell, shown in a terminal.
fn shell(sandbox: &Sandbox, name: &str) -> Terminal {
    sandbox.sess(["new", "-d", "-e", "PS1=% ", name, "--", "sh"]).expect(0);
    let terminal = sandbox.attach(name);
    terminal.wait_for_text("%");
    // Unlike `clear` it leaves the scrollback alone.
    terminal.type_line("fresh() { printf '\\033[2J\\033[H'; }");
    terminal
}

#[test]
fn a_session_is_not_shown_in_itself() {
    let sandbox = Sandbox::new();
    let terminal = shell(&sandbox, "work");
    terminal.type_line(&format!("fresh; {SESS} attach work; echo code $?"));
    terminal.wait_for_text("code 125");
    assert!(terminal.text().contains("sess: this terminal is in session work itself"));
    terminal.type_line("echo still $((1 + 1))");
    terminal.wait_for_text("still 2");
}

#[test]
fn nor_by_a_program_that_hides_where_it_is() {
    let sandbox = Sandbox::new();
    let terminal = shell(&sandbox, "work");
    let dir = sandbox.sessions();
    let line = format!(
        "fresh; env -i PATH=$PATH TERM=$TERM SESS_DIR={} {SESS} attach work; echo code $?",
        dir.display()
    );
    terminal.type_line(&line);
    terminal.wait_for_text("code 125");
}

#[test]
fn nor_around_a_loop() {
    let sandbox = Sandbox::new();
    shell(&sandbox, "inner").detach();
    shell(&sandbox, "middle").detach();
    let terminal = shell(&sandbox, "outer");
    terminal.type_line(&format!("fresh; {SESS} attach middle; echo middle gave $?"));
    terminal.wait_for_text("%");
    terminal.type_line("echo in $SESS_SESSION");
    terminal.wait_for_text("in middle");
    terminal.type_line(&format!("fresh; {SESS} attach inner; echo inner gave $?"));
    terminal.wait_until("the shell inside", |it| it.text().trim_end().ends_with('%'));
    terminal.type_line("echo in $SESS_SESSION");
    terminal.wait_for_text("in inner");
    for name in ["outer", "middle", "inner"] {
        terminal.type_line(&format!("fresh; {SESS} attach {name}; echo {name} gave $?"));
        terminal.wait_for_text(&format!("{name} gave 125"));
    }
    // The way out is the same.
    sandbox.sess(["detach", "inner"]).expect(0);
    terminal.wait_for_text("inner gave 0");
    sandbox.sess(["detach", "middle"]).expect(0);
    terminal.wait_for_text("middle gave 0");
}

#[test]
fn another_session_can_be_shown_in_a_session_and_made_there() {
    let sandbox = Sandbox::new();
    let terminal = shell(&sandbox, "outer");
    terminal.type_line(&format!("{SESS} new inner -- sh -c 'echo in $SESS_SESSION; cat'"));
    terminal.wait_for_text("in inner");
    let inner = sandbox.session("inner");
    assert_ne!(inner.id, sandbox.session("outer").id);
    sandbox.sess(["detach", "inner"]).expect(0);
    terminal.wait_for_text("[detached from inner]");
    // A terminal that is in no session shows either.
    sandbox.attach("inner").wait_for_text("in inner");
}

#[test]
fn a_client_left_behind_in_a_dead_session_makes_no_loop() {
    let sandbox = Sandbox::new();
    let terminal = shell(&sandbox, "outer");
    sandbox.start_script("inner", "echo inside; cat");
    terminal.type_line(&format!("{SESS} attach inner"));
    terminal.wait_for_text("inside");
    sandbox.sess(["kill", "--grace", "0s", "outer"]).expect(0);
    sandbox.attach("inner").wait_for_text("inside");
}

#[test]
fn nothing_takes_its_target_from_the_environment() {
    let sandbox = Sandbox::new();
    sandbox.start_session("other", ["cat"]);
    let terminal = shell(&sandbox, "work");
    terminal.type_line(&format!("fresh; {SESS} status; echo code $?"));
    terminal.wait_for_text("code 2");
    assert!(terminal.text().contains("2 sessions are running: which one?"));
}

//! Contract 6.2, the state: after attaching, the terminal is in the state in which
//! the program believes it to be.

use vt100::{Color, MouseProtocolEncoding, MouseProtocolMode};

use crate::harness::{Emulator, Sandbox, Session, Terminal};

/// A session whose script goes on by a key at each `next`.
fn start<'a>(sandbox: &'a Sandbox, script: &str) -> Session<'a> {
    let script =
        format!("next() {{ head -c 1 >key; }}; stty raw -echo\n{script}\nnext; next; next");
    sandbox.start_script("work", &script)
}

/// Waits, with nobody attached, until the program has said this much.
fn wait_for_output(sandbox: &Sandbox, bytes: u64) {
    crate::harness::wait_until("the output", || {
        sandbox.status("work")["offset"].as_u64().is_some_and(|offset| offset >= bytes)
    });
}

/// Attaches, waits for the text, detaches, and attaches in another terminal.
fn attach_twice(sandbox: &Sandbox, text: &str) -> (Terminal, Terminal) {
    let mut first = sandbox.attach("work");
    first.wait_for_text(text);
    first.detach();
    let second = sandbox.attach("work");
    second.wait_for_text(text);
    (first, second)
}

#[test]
fn modes_title_and_cursor_are_as_the_program_left_them() {
    let sandbox = Sandbox::new();
    start(
        &sandbox,
        r"printf '\033[?2004h\033[?1002h\033[?1006h\033[?1h\033=\033[?25l\033[>5u\033[?1004h'
          printf '\033]2;the title\007\033[3;7Hhere'",
    );
    let (first, second) = attach_twice(&sandbox, "here");
    second.look(|it| {
        let screen = it.screen();
        assert!(screen.bracketed_paste());
        assert_eq!(screen.mouse_protocol_mode(), MouseProtocolMode::ButtonMotion);
        assert_eq!(screen.mouse_protocol_encoding(), MouseProtocolEncoding::Sgr);
        assert!(screen.application_cursor());
        assert!(screen.application_keypad());
        assert!(screen.hide_cursor());
        assert!(it.mode(1004));
        assert_eq!(it.kitty(), 5);
        assert_eq!(it.title(), "the title");
        assert_eq!(screen.cursor_position(), (2, 10));
    });
    // And after a detach nothing of it is on.
    first.assert_in_order_after("[detached from work]");
}

#[test]
fn the_pen_margins_and_colours_hold_for_what_comes_next() {
    let sandbox = Sandbox::new();
    start(
        &sandbox,
        r"printf '\033[5;10r\033[38;2;10;20;30;48;5;99;1;4m\033[10;1Hbefore'; next
          printf '\r\nafter'",
    );
    let (_first, second) = attach_twice(&sandbox, "before");
    second.type_bytes("g");
    second.wait_for_text("after");
    second.look(|it| {
        // The margin's last row scrolled: both moved up by one within it.
        assert_eq!((it.row(8), it.row(9)), ("before".to_owned(), "after".to_owned()));
        for row in [8, 9] {
            let cell = it.cell(row, 0);
            assert_eq!(cell.fgcolor(), Color::Rgb(10, 20, 30));
            assert_eq!(cell.bgcolor(), Color::Idx(99));
            assert!(cell.bold() && cell.underline());
        }
    });
}

#[test]
fn half_an_escape_sequence_goes_on() {
    let sandbox = Sandbox::new();
    start(&sandbox, r"printf 'plain\033[3'; next; printf '1mred'");
    let (_first, second) = attach_twice(&sandbox, "plain");
    second.type_bytes("g");
    second.wait_for_text("plainred");
    second.look(|it| assert_eq!(it.cell(0, 5).fgcolor(), Color::Idx(1)));
}

#[test]
fn half_a_character_goes_on() {
    let sandbox = Sandbox::new();
    start(&sandbox, r"printf 'crab \360\237'; next; printf '\246\200 shell'");
    let (_first, second) = attach_twice(&sandbox, "crab");
    second.type_bytes("g");
    second.wait_for_text("crab 🦀 shell");
}

#[test]
fn half_a_title_goes_on() {
    let sandbox = Sandbox::new();
    start(&sandbox, r"printf 'there\033]2;half a '; next; printf 'title\007!'");
    let (first, second) = attach_twice(&sandbox, "there");
    // Who detached in the middle of it got its terminal back all the same.
    first.assert_in_order_after("[detached from work]");
    second.type_bytes("g");
    second.wait_for_text("there!");
    second.wait_until("the title", |it| it.title() == "half a title");
}

#[test]
fn both_screens_come_back() {
    let sandbox = Sandbox::new();
    start(
        &sandbox,
        r"printf '\033[31mprimary\033[m\r\nscreen\r\n> \033[?1049h\033[H\033[7malternate\033[m'
          next; printf '\033[?1049lback'",
    );
    let (_first, second) = attach_twice(&sandbox, "alternate");
    second.look(|it| {
        assert!(it.screen().alternate_screen());
        assert!(it.cell(0, 0).inverse());
        assert_eq!(it.text(), "alternate");
    });
    second.type_bytes("g");
    second.wait_for_text("back");
    second.look(|it| {
        assert!(!it.screen().alternate_screen());
        assert_eq!(it.text(), "primary\nscreen\n> back");
        assert_eq!(it.cell(0, 0).fgcolor(), Color::Idx(1));
    });
}

#[test]
fn a_saved_cursor_and_a_pending_wrap_come_back() {
    let sandbox = Sandbox::new();
    start(
        &sandbox,
        r"printf '\033[4;4H\0337\033[1;1H'; printf 'x%.0s' $(seq 80); next
          printf 'wrapped\0338saved'",
    );
    let (_first, second) = attach_twice(&sandbox, "xxx");
    second.type_bytes("g");
    second.wait_for_text("saved");
    second.look(|it| {
        assert_eq!(it.row(0), "x".repeat(80));
        assert_eq!(it.row(1), "wrapped");
        assert_eq!(it.row(3), "   saved");
    });
}

#[test]
fn what_was_output_with_nobody_attached_is_there() {
    let sandbox = Sandbox::new();
    start(&sandbox, r"printf '\033[2;3H\033[32mgreen\033[m wide: 日本 e\314\201\033[?25l'");
    wait_for_output(&sandbox, 30);
    let terminal = sandbox.attach("work");
    terminal.wait_for_text("日本");
    terminal.look(|it| {
        assert_eq!(it.row(1), "  green wide: 日本 e\u{301}");
        assert_eq!(it.cell(1, 2).fgcolor(), Color::Idx(2));
        assert!(it.screen().hide_cursor());
    });
}

#[test]
fn the_screen_is_the_same_in_every_terminal_and_nothing_is_reset_or_erased() {
    let sandbox = Sandbox::new();
    start(
        &sandbox,
        r"i=0; while [ $i -lt 60 ]; do printf '\033[3%dmline %d\033[m\r\n' $((i % 8)) $i
          i=$((i + 1)); done; printf 'prompt> '",
    );
    wait_for_output(&sandbox, 500);
    let first = sandbox.attach("work");
    first.wait_for_text("prompt>");
    let second = sandbox.attach("work");
    second.wait_for_text("prompt>");
    let contents = |it: &Emulator| it.screen().contents_formatted();
    assert_eq!(first.look(contents), second.look(contents));
    // Checked again for every terminal of every test when it is closed.
    for terminal in [&first, &second] {
        assert!(!terminal.look(|it| it.has_raw(b"\x1bc") || it.has_raw(b"\x1b[3J")));
    }
}

#[test]
fn a_suspended_client_that_is_continued_sets_its_terminal_up_again() {
    let Some(bash) = crate::harness::find("bash") else { return };
    let sandbox = Sandbox::new();
    start(&sandbox, r"printf '\033[?1049h\033[?2004h\033[3;3Hfull screen'");
    let terminal = sandbox.terminal().run(bash.to_str().unwrap(), ["--norc", "--noprofile"]);
    terminal.type_line(&format!("{} attach work", env!("CARGO_BIN_EXE_sess")));
    terminal.wait_for_text("full screen");
    let in_session = terminal.modes();
    let client = sandbox.status("work")["clients"][0]["pid"].as_i64().unwrap();
    let client = sess_sys::Pid(i32::try_from(client).unwrap());
    crate::harness::signal_to(client, sess_sys::Signal::TSTP);
    terminal.wait_for_text("Stopped");
    terminal.look(|it| {
        assert!(!it.screen().alternate_screen(), "{}", it.report());
        assert!(!it.text().contains("full screen"));
    });
    terminal.type_line("echo a shell $((1 + 1)); fg");
    terminal.wait_for_raw("a shell 2");
    terminal.wait_for_text("full screen");
    terminal.look(|it| {
        assert!(it.screen().alternate_screen() && it.screen().bracketed_paste());
        assert_eq!(it.row(2), "  full screen");
    });
    assert_eq!(terminal.modes(), in_session);
}

//! The detach key, in every form that a terminal may send it, and what else is
//! typed around it.

use std::time::{Duration, Instant};

use crate::harness::{Emulator, Sandbox, Terminal, wait_for};

/// A session that keeps all of its input in a file.
fn attach(sandbox: &Sandbox) -> Terminal {
    sandbox.start_script("work", "stty raw -echo; printf READY; cat >input");
    let terminal = sandbox.attach("work");
    terminal.wait_for_text("READY");
    terminal
}

#[track_caller]
fn wait_for_input(sandbox: &Sandbox, input: &[u8]) {
    let what = format!("the input {}", input.escape_ascii());
    wait_for(&what, || (sandbox.read("input") == input).then_some(()));
}

#[track_caller]
fn assert_detaches(terminal: &mut Terminal, bytes: &[u8]) {
    terminal.type_bytes(bytes);
    assert_eq!(terminal.wait_for_exit(), 0, "{}", bytes.escape_ascii());
    terminal.assert_in_order_after("[detached from work]");
}

#[test]
fn it_is_known_in_every_form() {
    let sandbox = Sandbox::new();
    attach(&sandbox).detach();
    for form in [
        &b"\x1c"[..],
        // Kitty's: with and without lock bits, event types, alternate codes, text.
        b"\x1b[92;5u",
        b"\x1b[92;69u",
        b"\x1b[92;133u",
        b"\x1b[92;197u",
        b"\x1b[92;5:1u",
        b"\x1b[92;5:2u",
        b"\x1b[92:124;5u",
        b"\x1b[92::92;69:1u",
        // Another layout's key that has it on a US keyboard.
        b"\x1b[35::92;5u",
        // xterm's.
        b"\x1b[27;5;92~",
    ] {
        let mut terminal = sandbox.attach("work");
        assert_detaches(&mut terminal, form);
    }
    assert_eq!(sandbox.read("input"), b"");
}

#[test]
fn it_is_heard_behind_a_paste_that_the_program_does_not_read() {
    let sandbox = Sandbox::new();
    sandbox.start_script("work", "stty raw -echo; echo ready; exec sleep 1000");
    let mut terminal = sandbox.attach("work");
    terminal.wait_for_text("ready");
    let paste = "echo pasted\r".repeat(25_000);
    terminal.type_bytes(&paste);
    terminal.type_bytes(b"\x1c");
    assert_eq!(terminal.wait_for_exit(), 0, "{}", terminal.look(Emulator::report));
    // It is told that some of it is gone, and none of it is left for the shell.
    terminal.wait_for_text("typed bytes were not taken and are lost");
    assert!(terminal.text().contains("[detached from work]\nsess: "), "{}", terminal.text());
    // Nor does anybody else's detach leave it there.
    let mut terminal = sandbox.attach("work");
    terminal.wait_for_attached(&sandbox, "work");
    terminal.type_bytes(&paste);
    sandbox.sess(["detach", "work"]).expect(0);
    assert_eq!(terminal.wait_for_exit(), 0);
    terminal.wait_for_text("typed bytes were not taken and are lost");
}

#[test]
fn it_is_known_when_it_comes_in_pieces() {
    let sandbox = Sandbox::new();
    attach(&sandbox).detach();
    // Both pieces are there before the first expires, or come as one.
    for (first, second) in [("\x1b", "[92;5u"), ("\x1b[92", ";5u"), ("\x1b[27;5;9", "2~")] {
        let mut terminal = sandbox.attach("work");
        terminal.signal(sess_sys::Signal::STOP);
        terminal.type_bytes(first);
        terminal.type_bytes(second);
        terminal.signal(sess_sys::Signal::CONT);
        assert_eq!(terminal.wait_for_exit(), 0);
    }
    assert_eq!(sandbox.read("input"), b"");
}

#[test]
fn what_is_typed_before_it_reaches_the_program_and_what_comes_after_does_not() {
    let sandbox = Sandbox::new();
    let mut terminal = attach(&sandbox);
    terminal.type_bytes(b"before\x1cafter");
    assert_eq!(terminal.wait_for_exit(), 0);
    wait_for_input(&sandbox, b"before");
}

#[test]
fn its_release_goes_nowhere() {
    let sandbox = Sandbox::new();
    let terminal = attach(&sandbox);
    terminal.type_bytes(b"a\x1b[92;5:3ub");
    wait_for_input(&sandbox, b"ab");
}

#[test]
fn other_keys_that_look_like_it_are_typed() {
    let sandbox = Sandbox::new();
    let terminal = attach(&sandbox);
    let keys = b"\\\x1b[92u\x1b[92;1u\x1b[92;3u\x1b[92;6u\x1b[93;5u\x1b[27;6;92~\x1b[5;92~\x1d";
    terminal.type_bytes(keys);
    wait_for_input(&sandbox, keys);
}

#[test]
fn inside_a_bracketed_paste_it_is_text() {
    let sandbox = Sandbox::new();
    let mut terminal = attach(&sandbox);
    let paste = b"\x1b[200~one \x1c two \x1b[92;5u three\x1b[201~";
    terminal.type_bytes(paste);
    wait_for_input(&sandbox, paste);
    assert_detaches(&mut terminal, b"\x1c");
}

#[test]
fn a_lone_escape_is_passed_on_soon() {
    let sandbox = Sandbox::new();
    let terminal = attach(&sandbox);
    let start = Instant::now();
    terminal.type_bytes(b"\x1b");
    wait_for_input(&sandbox, b"\x1b");
    // 20 ms are promised; the rest is for a machine that does other things too.
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    terminal.type_bytes(b"\x1b[92;");
    wait_for_input(&sandbox, b"\x1b\x1b[92;");
}

#[test]
fn another_key_can_be_configured() {
    let sandbox = Sandbox::new();
    sandbox.configure("detach-key = \"C-b\"\n");
    let mut terminal = attach(&sandbox);
    terminal.type_bytes(b"\x1c");
    wait_for_input(&sandbox, b"\x1c");
    assert_detaches(&mut terminal, b"\x02");
}

#[test]
fn a_sequence_can_be_configured() {
    let sandbox = Sandbox::new();
    sandbox.configure("detach-key = \"C-a d\"\n");
    let mut terminal = attach(&sandbox);
    // Twice sends it once, another key sends both.
    terminal.type_bytes(b"\x01\x01");
    wait_for_input(&sandbox, b"\x01");
    terminal.type_bytes(b"d\x1c");
    wait_for_input(&sandbox, b"\x01d\x1c");
    terminal.type_bytes(b"\x01x");
    wait_for_input(&sandbox, b"\x01d\x1c\x01x");
    // Held as long as it takes.
    terminal.type_bytes(b"\x01");
    terminal.type_bytes(b"d");
    assert_eq!(terminal.wait_for_exit(), 0);
    let mut again = sandbox.attach("work");
    assert_detaches(&mut again, b"\x1b[97;5u\x1b[100u");
    assert_eq!(sandbox.read("input"), b"\x01d\x1c\x01x");
}

#[test]
fn none_can_be_configured() {
    let sandbox = Sandbox::new();
    sandbox.configure("detach-key = \"\"\n");
    let mut terminal = attach(&sandbox);
    terminal.type_bytes(b"\x1c\x1b[92;5u\x1b[92;5:3u");
    wait_for_input(&sandbox, b"\x1c\x1b[92;5u\x1b[92;5:3u");
    sandbox.sess(["detach", "work"]).expect(0);
    assert_eq!(terminal.wait_for_exit(), 0);
}

#[test]
fn a_bad_configuration_is_told_with_file_line_and_key() {
    let sandbox = Sandbox::new();
    sandbox.start_session("work", ["cat"]);
    for (text, says) in [
        ("\ndetach-key = \"C-\"\n", "config.toml:2: detach-key"),
        ("\n\ndetachkey = \"C-a\"\n", "config.toml:3: unknown key detachkey"),
        ("lines = \"few\"\n", "config.toml:1: lines"),
        ("lines = \n", "config.toml:1"),
    ] {
        sandbox.configure(text);
        let mut terminal = sandbox.terminal().sess(["attach", "work"]);
        assert_eq!(terminal.wait_for_exit(), 125);
        let shown: String = terminal.text().split('\n').collect();
        assert!(shown.starts_with("sess: ") && shown.contains(says), "{shown}");
        sandbox.sess(["new", "-d", "other"]).expect_error(1, says);
        // Who doesn't need it isn't held up by it.
        sandbox.sess(["ls"]).expect(0);
    }
}

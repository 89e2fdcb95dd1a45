//! Contract 6.5: the session has the leader's size, the last one while nobody is
//! attached; who only looks never sizes.

use crate::harness::{Emulator, Sandbox, Terminal, find, wait_until};

/// A session that tells its size in a file whenever that changes.
fn start_telling(sandbox: &Sandbox) {
    sandbox.start_script(
        "work",
        "tell() { stty size >size.new; mv size.new size; }; trap tell WINCH; tell
         echo READY; while :; do read -r line; echo \"got $line\"; done",
    );
}

#[track_caller]
fn wait_for_size(sandbox: &Sandbox, size: &str) {
    wait_until(&format!("the size {size}"), || {
        String::from_utf8_lossy(&sandbox.read("size")).trim() == size
    });
}

fn attach(sandbox: &Sandbox, cols: u16, rows: u16, options: &[&str]) -> Terminal {
    let terminal = sandbox.terminal().size(cols, rows).attach_with(options, "work");
    terminal.wait_for_text("READY");
    terminal
}

#[test]
fn the_size_follows_who_leads() {
    let sandbox = Sandbox::new();
    start_telling(&sandbox);
    wait_for_size(&sandbox, "24 80");
    let first = attach(&sandbox, 100, 30, &[]);
    wait_for_size(&sandbox, "30 100");
    let mut second = attach(&sandbox, 60, 20, &[]);
    wait_for_size(&sandbox, "20 60");
    // By a key, by a resize, by the other one's leaving.
    first.type_bytes("x");
    wait_for_size(&sandbox, "30 100");
    second.resize(61, 21);
    wait_for_size(&sandbox, "21 61");
    second.detach();
    wait_for_size(&sandbox, "30 100");
    let clients = &sandbox.status("work")["clients"];
    assert_eq!(clients.as_array().unwrap().len(), 1);
    assert_eq!(clients[0]["leader"], true);
}

#[test]
fn the_last_size_stays_while_nobody_is_attached() {
    let sandbox = Sandbox::new();
    start_telling(&sandbox);
    let mut terminal = attach(&sandbox, 100, 30, &[]);
    wait_for_size(&sandbox, "30 100");
    terminal.detach();
    let status = sandbox.status("work");
    assert_eq!(status["size"], serde_json::json!({"cols": 100, "rows": 30}));
    wait_for_size(&sandbox, "30 100");
}

#[test]
fn who_only_looks_never_sizes_types_or_leads() {
    let sandbox = Sandbox::new();
    start_telling(&sandbox);
    let mut looker = attach(&sandbox, 50, 10, &["-r"]);
    looker.type_line("not typed");
    looker.resize(51, 11);
    let typist = attach(&sandbox, 100, 30, &[]);
    typist.type_line("typed");
    typist.wait_for_text("got typed");
    wait_for_size(&sandbox, "30 100");
    looker.type_line("not typed either");
    let clients = sandbox.status("work")["clients"].clone();
    let flags: Vec<_> = clients
        .as_array()
        .unwrap()
        .iter()
        .map(|client| (client["leader"] == true, client["read_only"] == true))
        .collect();
    assert_eq!(flags, [(false, true), (true, false)]);
    looker.detach();
    assert!(!typist.text().contains("not typed"));
    wait_for_size(&sandbox, "30 100");
}

#[test]
fn mouse_motion_and_focus_make_no_leader_and_a_click_does() {
    let sandbox = Sandbox::new();
    start_telling(&sandbox);
    let first = attach(&sandbox, 100, 30, &[]);
    let second = attach(&sandbox, 60, 20, &[]);
    wait_for_size(&sandbox, "20 60");
    first.type_bytes("\x1b[I\x1b[<35;3;3M\x1b[O");
    second.type_line("after the motion");
    second.wait_for_text("after the motion");
    wait_for_size(&sandbox, "20 60");
    first.type_bytes("\x1b[<0;3;3M");
    wait_for_size(&sandbox, "30 100");
}

#[test]
fn a_client_of_another_size_gets_a_fresh_screen_when_it_leads() {
    let sandbox = Sandbox::new();
    let script = "stty -echo; echo READY; while read -r line; do printf '%090d\\r\\n' 1; done";
    sandbox.start_script("work", script);
    let narrow = attach(&sandbox, 80, 24, &[]);
    let wide = attach(&sandbox, 100, 30, &[]);
    wide.type_line("");
    wide.wait_for_text("00001");
    narrow.wait_for_text("00001");
    narrow.type_bytes("x");
    wait_until("the size", || sandbox.status("work")["size"]["cols"] == 80);
    // What it shows then is what anybody of its size is shown.
    let looker = attach(&sandbox, 80, 24, &["-r"]);
    let screen = looker.look(Emulator::text);
    narrow.wait_until("a fresh screen", |it| it.text() == screen);
}

#[test]
fn pixels_reach_the_program() {
    if find("python3").is_none() {
        return;
    }
    let sandbox = Sandbox::new();
    let script = "import fcntl, struct, sys, termios\nprint('READY')\nfor line in sys.stdin:\n \
        print(struct.unpack('HHHH', fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8))), flush=True)";
    sandbox.start_session("work", ["python3", "-u", "-c", script]);
    let terminal = attach(&sandbox, 100, 30, &[]);
    terminal.type_line("");
    terminal.wait_for_text("(30, 100, 900, 540)");
}

#[test]
fn a_terminal_without_a_size_does_no_harm() {
    let sandbox = Sandbox::new();
    start_telling(&sandbox);
    let mut terminal = sandbox.terminal().size(0, 0).attach("work");
    terminal.wait_for_text("READY");
    wait_for_size(&sandbox, "24 80");
    terminal.type_line("hello");
    terminal.wait_for_text("got hello");
    terminal.detach();
    let mut created = sandbox.terminal().size(0, 0).sess(["new", "other", "--", "cat"]);
    created.wait_for_attached(&sandbox, "other");
    let size = sandbox.status("other")["size"].clone();
    assert_eq!(size, serde_json::json!({"cols": 80, "rows": 24}));
    created.detach();
}

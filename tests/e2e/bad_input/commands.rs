//! Commands that can't be run, directories that aren't there, terminals that are
//! none.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::harness::{Sandbox, is_there, set_mode, wait_until};

/// What stands in the sessions directory.
fn names_on_disk(sandbox: &Sandbox) -> Vec<OsString> {
    let entries = std::fs::read_dir(sandbox.sessions()).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name()).collect();
    names.sort();
    names
}

/// Commands that can't be run, with the code that says so.
fn bad_commands(sandbox: &Sandbox) -> Vec<(String, i32)> {
    let path = |name: &str| sandbox.path(name).to_str().unwrap().to_owned();
    set_mode(&sandbox.write("not-executable", "#!/bin/sh\n"), 0o644);
    set_mode(&sandbox.write("garbage", b"\x7fELF and then nothing"), 0o755);
    vec![
        ("no-such-command".to_owned(), 127),
        (path("missing"), 127),
        (path("not-executable/below"), 126),
        (path("not-executable"), 126),
        (path("home"), 126),
    ]
}

#[test]
fn a_command_that_cannot_be_run_is_an_error_and_leaves_nothing_behind() {
    let sandbox = Sandbox::new();
    for (command, code) in bad_commands(&sandbox) {
        sandbox.sess(["new", "-d", "work", "--", &command]).expect_error(code, &command);
        assert_eq!(names_on_disk(&sandbox), [""; 0], "{command}");
        sandbox.sess(["status", "work"]).expect(4);
        sandbox.sess(["new", "-d", "--", &command]).expect_error(code, &command);
        assert_eq!(names_on_disk(&sandbox), [""; 0], "{command}");
    }
}

#[test]
fn a_command_that_cannot_be_run_leaves_the_terminal_in_order() {
    let sandbox = Sandbox::new();
    for (command, code) in bad_commands(&sandbox) {
        let mut terminal = sandbox.terminal().sess(["new", "work", "--", &command]);
        assert_eq!(terminal.wait_for_exit(), code);
        assert_eq!(terminal.modes(), terminal.modes_before());
        assert!(terminal.text().starts_with("sess: "), "{}", terminal.text());
        assert_eq!(names_on_disk(&sandbox), [""; 0], "{command}");
    }
}

#[test]
fn a_shell_that_cannot_be_run_is_an_error_too() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.sess_command(["new", "-d", "work"]);
    command.env("SHELL", "/missing/shell");
    sandbox.run(command).expect_error(127, "/missing/shell");
    assert_eq!(names_on_disk(&sandbox), [""; 0]);
}

#[test]
fn a_script_without_a_first_line_is_run_as_shells_do() {
    let sandbox = Sandbox::new();
    let script = sandbox.write("script", "echo ran >ran; exec cat\n");
    set_mode(&script, 0o755);
    sandbox.start_session("work", [script]);
    wait_until("it to run", || sandbox.read("ran") == b"ran\n");
}

#[test]
fn an_earlier_record_survives_a_new_that_fails() {
    let sandbox = Sandbox::new();
    sandbox.start_session_that_ends("work", "exit 7");
    let before = sandbox.status("work");
    for (words, code) in [
        (&["--", "no-such-command"][..], 127),
        (&["--", "/"], 126),
        (&["-c", "missing", "--", "cat"], 1),
        (&["-s", "0x0"], 2),
    ] {
        sandbox.sess([&["new", "-d", "work"], words].concat()).expect(code);
        assert_eq!(sandbox.status("work"), before, "{words:?}");
    }
    sandbox.sess(["status", "work"]).expect(3);
    assert_eq!(before["exit"]["code"], 7);
}

#[test]
fn a_missing_working_directory_is_named() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "");
    for dir in ["missing", "file", "file/below"] {
        let words = ["new", "-d", "-c", dir, "work", "--", "cat"];
        sandbox.sess(words).expect_error(1, dir);
        let mut terminal = sandbox.terminal().sess(["new", "-c", dir, "work", "--", "cat"]);
        assert_eq!(terminal.wait_for_exit(), 125);
        assert!(terminal.text().contains(dir), "{}", terminal.text());
    }
    assert_eq!(names_on_disk(&sandbox), [""; 0]);
}

#[test]
fn a_removed_working_directory_is_an_error_but_not_for_other_verbs() {
    let sandbox = Sandbox::new();
    sandbox.start_session("running", ["cat"]);
    let in_removed = |words: &[&str]| {
        let mut command = sandbox.command("sh");
        let script = "mkdir gone; cd gone; rmdir ../gone; exec \"$0\" \"$@\"";
        command.args(["-c", script, env!("CARGO_BIN_EXE_sess")]).args(words);
        sandbox.run(command)
    };
    in_removed(&["new", "-d", "work", "--", "cat"]).expect_error(1, "director");
    in_removed(&["new", "-d", "-c", "/", "work", "--", "cat"]).expect(0);
    in_removed(&["status", "running"]).expect(0);
    in_removed(&["ls"]).expect(0);
    in_removed(&["kill", "running"]).expect(0);
}

#[test]
fn arguments_and_variables_may_be_any_bytes() {
    let sandbox = Sandbox::new();
    let odd = OsStr::from_bytes(b"\xff\x01 \x1b[31m\n\xc3");
    let mut variable = OsString::from("ODD=");
    variable.push(odd);
    let script = "printf %s \"$1\" >argument; printf %s \"$ODD\" >variable; touch done; exec cat";
    let words = ["new", "-d", "work", "-e"].map(OsString::from).to_vec();
    let rest = ["--", "sh", "-c", script, "sh"].map(OsString::from).to_vec();
    let words = [words, vec![variable], rest, vec![odd.to_owned()]].concat();
    sandbox.sess(words).expect(0);
    wait_until("the script", || sandbox.path("done").exists());
    assert_eq!(sandbox.read("argument"), odd.as_bytes());
    assert_eq!(sandbox.read("variable"), odd.as_bytes());
    assert_eq!(sandbox.status("work")["command"][0], "sh");
    for words in [&["ls"][..], &["status", "work"], &["status", "--json", "work"]] {
        assert!(!sandbox.sess(words).expect(0).stdout.contains('\x1b'));
    }
}

#[test]
fn a_working_directory_may_be_any_bytes() {
    let sandbox = Sandbox::new();
    let odd = sandbox.path("").join(OsStr::from_bytes(b"dir\xff\n"));
    std::fs::create_dir(&odd).unwrap();
    let words = ["new", "-d", "-c"].map(OsString::from).to_vec();
    let rest = ["work", "--", "sh", "-c", "touch here; exec cat"].map(OsString::from).to_vec();
    sandbox.sess([words, vec![odd.clone().into()], rest].concat()).expect(0);
    wait_until("the script", || odd.join("here").exists());
    sandbox.sess(["status", "--json", "work"]).expect(0);
}

#[test]
fn attaching_takes_a_terminal() {
    let sandbox = Sandbox::new();
    let sess = env!("CARGO_BIN_EXE_sess");
    sandbox.sess(["new", "work", "--", "cat"]).expect_error(125, "takes a terminal");
    sandbox.sess(["new", "-A", "work", "--", "cat"]).expect_error(125, "takes a terminal");
    assert!(!is_there(&sandbox.sessions()), "nothing was to be made");
    sandbox.start_session("work", ["cat"]);
    let attach = sandbox.sess(["attach", "work"]).expect_error(125, "takes a terminal");
    assert!(attach.stderr.contains("\nhint: "), "{}", attach.stderr);
    sandbox.sess(["new", "-A", "work"]).expect_error(125, "takes a terminal");
    // One side alone is not enough.
    for redirected in ["</dev/null", "| cat >/dev/null; exit $?", ">/dev/null"] {
        let script = format!("set -o pipefail; '{sess}' attach work {redirected}");
        let Some(bash) = crate::harness::find("bash") else { return };
        let mut terminal = sandbox.terminal().run(bash.to_str().unwrap(), ["-c", &script]);
        assert_eq!(terminal.wait_for_exit(), 125, "{redirected}: {}", terminal.text());
    }
    assert_eq!(sandbox.status("work")["clients"], serde_json::json!([]));
}

#[test]
fn standard_descriptors_may_be_closed() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command("sh");
    let script = "exec \"$0\" new -d work -- cat <&- >&- 2>&-";
    command.args(["-c", script, env!("CARGO_BIN_EXE_sess")]);
    sandbox.run(command).expect(0);
    let terminal = sandbox.attach("work");
    terminal.type_line("hello");
    terminal.wait_for_text("hello\nhello");
}

#[test]
fn a_terminal_of_no_size_attaches_and_shows() {
    let sandbox = Sandbox::new();
    sandbox.start_script("work", "echo here; exec cat");
    let terminal = sandbox.terminal().size(0, 0).attach("work");
    terminal.wait_for_text("here");
    terminal.type_line("typed");
    terminal.wait_for_text("typed\ntyped");
    let size = sandbox.status("work")["size"].clone();
    assert_eq!(size, serde_json::json!({"cols": 80, "rows": 24}));
    let terminal = sandbox.terminal().size(0, 0).sess(["new", "other", "--", "cat"]);
    terminal.wait_for_attached(&sandbox, "other");
    assert_eq!(sandbox.status("other")["size"], serde_json::json!({"cols": 80, "rows": 24}));
}

//! `sess new`: names, options, and what becomes of what cannot run.

use crate::harness::{Sandbox, find, is_there, status_field, wait_until};

#[test]
fn detached_it_prints_the_name_and_returns_when_the_program_runs() {
    let sandbox = Sandbox::new();
    let output = sandbox.sess(["new", "-d", "work", "--", "cat"]).expect(0);
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("work\n", ""));
    let session = sandbox.session("work");
    // Exec'd, not only forked.
    let line = std::fs::read(format!("/proc/{}/cmdline", session.pid)).unwrap();
    assert_eq!(line, b"cat\0");
}

#[test]
fn without_a_name_it_takes_the_smallest_number_of_which_there_is_nothing() {
    let sandbox = Sandbox::new();
    let new = || sandbox.sess(["new", "-d", "--", "cat"]).expect(0).stdout;
    assert_eq!(new(), "1\n");
    assert_eq!(new(), "2\n");
    sandbox.start_session_that_ends("3", "exit 0");
    // The third has only a record; that is something.
    assert_eq!(new(), "4\n");
    sandbox.sess(["kill", "--grace", "0s", "2"]).expect(0);
    assert_eq!(new(), "5\n");
}

#[test]
fn attached_it_shows_the_program_and_ends_as_that_does() {
    let sandbox = Sandbox::new();
    let script = "stty size; echo started; read -r line; exit 6";
    let mut terminal =
        sandbox.terminal().size(100, 30).sess(["new", "work", "--", "sh", "-c", script]);
    // The first thing that the program sees is the terminal's size.
    terminal.wait_for_text("30 100\nstarted");
    terminal.type_line("");
    assert_eq!(terminal.wait_for_exit(), 6);
    terminal.assert_in_order_after("[work exited: 6]");
}

#[test]
fn a_taken_name_is_6_attached_or_not() {
    let sandbox = Sandbox::new();
    sandbox.start_session("work", ["cat"]);
    let output = sandbox.sess(["new", "-d", "work", "--", "cat"]);
    let output = output.expect_error(6, "session work is running already");
    assert!(output.stderr.contains("\nhint: sess attach work"));
    let mut terminal = sandbox.terminal().sess(["new", "work", "--", "cat"]);
    assert_eq!(terminal.wait_for_exit(), 6);
}

#[test]
fn a_command_that_is_missing_is_127_and_one_that_cannot_run_126() {
    let sandbox = Sandbox::new();
    sandbox.write("plain", "text");
    sandbox.write_program("no-interpreter", "#!/no/such/interpreter\n");
    for (command, code) in [
        ("no-such-command", 127),
        ("./no-such-file", 127),
        ("./no-interpreter", 127),
        ("./plain", 126),
        ("./home", 126),
        ("./plain/x", 126),
    ] {
        sandbox.sess(["new", "-d", "work", "--", command]).expect_error(code, command);
        let mut terminal = sandbox.terminal().sess(["new", "work", "--", command]);
        assert_eq!(terminal.wait_for_exit(), code, "{command}");
        assert_eq!(terminal.modes(), terminal.modes_before());
        assert!(terminal.text().starts_with("sess: "), "{}", terminal.text());
        sandbox.sess(["status", "work"]).expect(4);
        assert!(!is_there(&sandbox.sessions().join("work")));
    }
}

#[test]
fn a_script_without_a_first_line_is_run_by_the_shell_as_everywhere() {
    let sandbox = Sandbox::new();
    sandbox.write_program("script", "echo a script >ran; cat\n");
    sandbox.start_session("work", ["./script"]);
    wait_until("it to run", || sandbox.read("ran") == b"a script\n");
}

#[test]
fn an_argument_is_passed_on_as_it_is() {
    let sandbox = Sandbox::new();
    let args = ["", "a b", "-x", "--", "'\"\\", "*", "größe", "line\nbreak"];
    let script = "for arg; do printf '<%s>' \"$arg\" >>args; done; touch done; cat";
    sandbox.start_session("work", [&["sh", "-c", script, "sh"], &args[..]].concat());
    wait_until("the arguments", || sandbox.path("done").exists());
    let wanted = args.iter().fold(String::new(), |text, arg| format!("{text}<{arg}>"));
    assert_eq!(String::from_utf8(sandbox.read("args")).unwrap(), wanted);
    let command = sandbox.status("work")["command"].clone();
    assert_eq!(command[5], "a b");
}

#[test]
fn attach_if_it_runs_shows_what_runs() {
    let sandbox = Sandbox::new();
    sandbox.start_script("work", "echo the first; cat");
    let mut terminal = sandbox.terminal().sess(["new", "-A", "work", "--", "false"]);
    terminal.wait_for_text("the first");
    terminal.detach();
    let output = sandbox.sess(["new", "-dA", "work", "--", "false"]).expect(0);
    assert_eq!(output.stdout, "work\n");
}

#[test]
fn attach_if_it_runs_starts_what_does_not_and_restarts_nothing() {
    let sandbox = Sandbox::new();
    let mut terminal =
        sandbox.terminal().sess(["new", "-A", "work", "--", "sh", "-c", "echo fresh; cat"]);
    terminal.wait_for_text("fresh");
    terminal.detach();
    sandbox.sess(["kill", "--grace", "0s", "work"]).expect(0);
    let before = sandbox.status("work")["id"].clone();
    sandbox.sess(["new", "-dA", "work", "--", "cat"]).expect(0);
    let status = sandbox.status("work");
    assert_ne!(status["id"], before);
    assert_eq!(status["command"], serde_json::json!(["cat"]));
}

#[test]
fn the_size_can_be_given() {
    let sandbox = Sandbox::new();
    let script = "stty size >size; cat";
    sandbox.sess(["new", "-d", "-s", "132x43", "work", "--", "sh", "-c", script]).expect(0);
    wait_until("the size", || sandbox.read("size") == b"43 132\n");
    sandbox.sess(["new", "-d", "usual", "--", "sh", "-c", script]).expect(0);
    wait_until("the usual size", || sandbox.read("size") == b"24 80\n");
}

#[test]
fn the_program_leads_a_session_of_its_own_on_a_terminal_of_its_own() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_script("work", "tty >tty; ps -o sid= -p $$ >sid; cat");
    wait_until("the number", || sandbox.read("sid").ends_with(b"\n"));
    let sid = String::from_utf8(sandbox.read("sid")).unwrap();
    assert_eq!(sid.trim(), session.pid.to_string());
    assert!(sandbox.read("tty").starts_with(b"/dev/pts/"));
}

#[test]
fn it_takes_a_terminal_unless_detached() {
    let sandbox = Sandbox::new();
    let output = sandbox.sess(["new", "work", "--", "cat"]);
    let output = output.expect_error(125, "attaching takes a terminal");
    assert!(output.stderr.contains("\nhint: sess new -d"));
    sandbox.sess(["status", "work"]).expect(4);
}

#[test]
fn wrong_usage_is_2_and_starts_nothing() {
    let sandbox = Sandbox::new();
    for args in [
        &["new", "-d", "-s", "80"][..],
        &["new", "-d", "-s", "0x24"],
        &["new", "-d", "-s", "80x1001"],
        &["new", "-d", "-s", "-1x5"],
        &["new", "-d", "-e", "novalue"],
        &["new", "-d", "-e", "=x"],
        &["new", "-d", "-l", "novalue"],
        &["new", "-d", "-l", "state=x"],
        &["new", "-d", "--history", "-5"],
        &["new", "-d", "--history", "many"],
        &["new", "-d", "-A"],
        &["new", "-d", "--no-such-option"],
        &["new", "-d", "two", "names"],
        &["new", "-d", "work", "--", ""],
    ] {
        sandbox.sess(args).expect_error(2, "");
    }
    assert!(!is_there(&sandbox.sessions().join("work")));
    assert_eq!(sandbox.sess(["ls", "-aq"]).stdout, "");
}

#[test]
fn nobody_waits_for_a_session_to_let_go_of_what_its_creator_had_open() {
    // Every command of every test is checked for that; here also a descriptor that
    // is not one of the usual three.
    let sandbox = Sandbox::new();
    let script = format!(
        "exec 9>held; '{}' new -d work -- cat; exec 9>&-; ls -l /proc/[0-9]*/fd 2>/dev/null \
         | grep -c \"$PWD/held\"",
        env!("CARGO_BIN_EXE_sess")
    );
    let mut command = sandbox.command("sh");
    command.args(["-c", &script]);
    assert_eq!(sandbox.run(command).stdout, "work\n0\n");
}

#[test]
fn a_session_may_use_the_processors_that_its_creator_may() {
    let Some(taskset) = find("taskset") else { return };
    let sandbox = Sandbox::new();
    let ours = std::fs::read_to_string("/proc/self/status").unwrap();
    let ours = status_field(&ours, "Cpus_allowed_list");
    let first = ours.split(['-', ',']).next().unwrap();
    for (name, cpus) in [("all", ours.as_str()), ("one", first)] {
        let mut command = sandbox.command(&taskset);
        command.args(["-c", cpus, env!("CARGO_BIN_EXE_sess"), "new", "-d", name, "--", "cat"]);
        sandbox.run(command).expect(0);
        let session = sandbox.session(name);
        for pid in [session.holder, session.pid] {
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
            assert_eq!(status_field(&status, "Cpus_allowed_list"), cpus, "{name}");
        }
    }
}

//! `sess ls` and `sess status` as people see them.

use crate::harness::{Sandbox, wait_until};

#[test]
fn bare_sess_lists_the_running_sessions_under_a_header() {
    let sandbox = Sandbox::new();
    sandbox.start_session("work", ["cat"]);
    sandbox.start_session_that_ends("over", "exit 3");
    let bare = sandbox.sess::<&str>([]).expect(0).stdout;
    let lines: Vec<&str> = bare.lines().collect();
    assert_eq!(lines.len(), 2, "{bare}");
    assert!(lines[0].starts_with("NAME"), "{bare}");
    assert!(lines[1].starts_with("work") && lines[1].ends_with("cat"), "{bare}");
    let all = sandbox.sess(["ls", "-a"]).expect(0).stdout;
    assert!(all.lines().any(|line| line.starts_with("over") && line.contains("exited 3")), "{all}");
    assert_eq!(sandbox.sess(["list", "-q"]).expect(0).stdout, "work\n");
}

#[test]
fn the_latest_activity_comes_first() {
    let sandbox = Sandbox::new();
    for name in ["one", "two", "three"] {
        sandbox.start_session(name, ["cat"]);
    }
    let mut terminal = sandbox.attach("two");
    terminal.type_line("hello");
    terminal.wait_for_text("hello\nhello");
    terminal.detach();
    let list = sandbox.sess(["ls", "-q"]).expect(0).stdout;
    assert_eq!(list.lines().next(), Some("two"), "{list}");
}

#[test]
fn filters_choose_by_label_and_state() {
    let sandbox = Sandbox::new();
    let new = |name: &str, labels: &[&str]| {
        let args = [&["new", "-d", name], labels, &["--", "cat"]].concat();
        sandbox.sess(args).expect(0);
    };
    new("one", &["-l", "project=x", "-l", "tier=a"]);
    new("two", &["-l", "project=x"]);
    new("three", &["-l", "project=y=z"]);
    sandbox.start_session_that_ends("over", "exit 0");
    let list = |filters: &[&str]| {
        let mut args = vec!["ls", "-q"];
        args.extend(filters.iter().flat_map(|filter| ["--filter", filter]));
        let mut names: Vec<_> =
            sandbox.sess(args).expect(0).stdout.lines().map(str::to_owned).collect();
        names.sort();
        names.join(" ")
    };
    assert_eq!(list(&["project=x"]), "one two");
    assert_eq!(list(&["project=x", "tier=a"]), "one");
    assert_eq!(list(&["project=y=z"]), "three");
    assert_eq!(list(&["project=none"]), "");
    assert_eq!(list(&["state=running"]), "one three two");
    assert_eq!(list(&["state=exited"]), "over");
    sandbox.sess(["ls", "--filter", "state=gone"]).expect_error(2, "state");
    sandbox.sess(["ls", "--filter", "nothing"]).expect_error(2, "");
}

#[test]
fn a_list_fits_the_terminal_that_it_is_shown_on() {
    let sandbox = Sandbox::new();
    let long = "x".repeat(200);
    sandbox.start_session("work", ["sh", "-c", "cat", &long]);
    let mut terminal = sandbox.terminal().size(60, 24).sess(["ls"]);
    assert_eq!(terminal.wait_for_exit(), 0);
    assert_eq!(terminal.text().lines().count(), 2, "{}", terminal.text());
    let piped = sandbox.sess(["ls"]).expect(0).stdout;
    assert!(piped.contains(&long));
}

#[test]
fn no_session_is_an_empty_list() {
    let sandbox = Sandbox::new();
    let output = sandbox.sess(["ls"]).expect(0);
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
    let mut terminal = sandbox.terminal().sess(["ls"]);
    assert_eq!(terminal.wait_for_exit(), 0);
    assert_eq!(terminal.text(), "no sessions");
}

#[test]
fn attached_clients_are_told() {
    let sandbox = Sandbox::new();
    sandbox.start_session("work", ["cat"]);
    let first = sandbox.terminal().size(100, 30).attach("work");
    let second = sandbox.terminal().attach_with(&["-r"], "work");
    let clients = sandbox.status("work")["clients"].clone();
    let clients = clients.as_array().unwrap();
    for (terminal, client) in [&first, &second].into_iter().zip(clients) {
        assert_eq!(client["tty"], terminal.path().to_str().unwrap());
        assert_eq!(client["pid"], terminal.pid().0);
    }
    let text = sandbox.sess(["status", "work"]).expect(0).stdout;
    assert!(text.contains(first.path().to_str().unwrap()), "{text}");
    let list = sandbox.sess(["ls"]).expect(0).stdout;
    assert_eq!(list.lines().nth(1).unwrap().split_whitespace().nth(2), Some("2"), "{list}");
}

#[test]
fn the_title_and_the_working_directory_are_those_of_now() {
    let sandbox = Sandbox::new();
    sandbox.start_script("work", "cd /usr; printf '\\033]0;a title\\007'; cat");
    wait_until("the title", || sandbox.status("work")["title"] == "a title");
    wait_until("the directory", || sandbox.status("work")["cwd"] == "/usr");
    assert!(sandbox.sess(["ls"]).expect(0).stdout.contains("a title"));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let sandbox = Sandbox::new();
    for n in 0..5 {
        sandbox.start_session(&format!("work{n}"), ["cat"]);
    }
    let mut command = sandbox.command("sh");
    let script = format!("{{ '{0}' ls; echo $? >code; }} | :", env!("CARGO_BIN_EXE_sess"));
    command.args(["-c", &script]);
    let output = sandbox.run(command).expect(0);
    assert_eq!(output.stderr, "");
    wait_until("the code", || sandbox.read("code") == b"0\n");
}

//! What may be said on the command line, and what is said of the rest.

use std::os::unix::ffi::OsStringExt;

use super::*;
use crate::error::{Codes, Kind};

fn parse_words(words: &[&str]) -> Result<Cli, Stop> {
    let words = std::iter::once("sess").chain(words.iter().copied()).map(OsString::from);
    parse(words)
}

fn command(words: &[&str]) -> Command {
    match parse_words(words) {
        Ok(Cli { command: Some(command) }) => command,
        other => panic!("{words:?}: {other:?}"),
    }
}

fn failure(words: &[&str]) -> Failure {
    match parse_words(words) {
        Err(Stop::Failure(failure)) => failure,
        other => panic!("{words:?}: {other:?}"),
    }
}

/// Message and hint of a wrong use.
fn wrong(words: &[&str]) -> String {
    let failure = failure(words);
    assert_eq!(failure.kind, Kind::Usage);
    assert_eq!(failure.kind.code(Codes::Ordinary), 2);
    match failure.hint {
        Some(hint) => format!("{} | {hint}", failure.message),
        None => failure.message,
    }
}

fn help(words: &[&str]) -> String {
    match parse_words(words) {
        Err(Stop::Print(text)) => text,
        other => panic!("{words:?}: {other:?}"),
    }
}

#[test]
fn clap_finds_no_fault_with_the_description() {
    Cli::command().debug_assert();
}

#[test]
fn bare_sess_is_no_command() {
    assert!(matches!(parse_words(&[]), Ok(Cli { command: None })));
}

#[test]
fn help_and_version_are_printed() {
    assert!(help(&["--version"]).starts_with("sess 0."));
    assert!(help(&["--help"]).contains("Examples:"));
    for verb in [
        "new",
        "attach",
        "a",
        "ls",
        "list",
        "status",
        "kill",
        "detach",
        "send",
        "run",
        "wait",
        "capture",
        "logs",
        "events",
        "rename",
        "resize",
        "restart",
        "restore",
        "prune",
        "completions",
        "man",
        "config",
    ] {
        let help = help(&[verb, "--help"]);
        assert!(help.contains("\nExamples:\n  "), "{help}");
        let first = help.lines().next().unwrap();
        assert!(first.starts_with(char::is_uppercase) && !first.ends_with('.'), "{first}");
        assert!(
            help.lines().all(|line| line.chars().count() <= 100 || line.starts_with("  ")),
            "{help}"
        );
    }
}

#[test]
fn new_takes_everything() {
    let words = [
        "new",
        "work",
        "-d",
        "-c",
        "/tmp",
        "-e",
        "A=1",
        "--env",
        "B=x=y",
        "-s",
        "100x30",
        "-l",
        "project=x",
        "--history",
        "500",
        "--",
        "make",
        "-j8",
        "--",
        "x",
    ];
    let Command::New(args) = command(&words) else { panic!("new") };
    assert_eq!(args.name.unwrap().as_str(), "work");
    assert!(args.detached && !args.attach);
    assert_eq!(args.cwd, Some("/tmp".into()));
    assert_eq!(args.env, [("A".into(), "1".into()), ("B".into(), "x=y".into())]);
    assert_eq!(args.size, Some(Size { cols: 100, rows: 30, xpixel: 0, ypixel: 0 }));
    assert_eq!(args.labels, [("project".to_owned(), "x".to_owned())]);
    assert_eq!(args.history, Some(500));
    assert_eq!(args.command, ["make", "-j8", "--", "x"]);
}

#[test]
fn new_needs_nothing() {
    let Command::New(args) = command(&["new"]) else { panic!("new") };
    assert!(args.name.is_none() && args.command.is_empty() && args.size.is_none());
    let Command::New(args) = command(&["new", "--", "sh"]) else { panic!("new") };
    assert!(args.name.is_none());
    assert_eq!(args.command, ["sh"]);
    let Command::New(args) = command(&["new", "1", "-A"]) else { panic!("new") };
    assert!(args.attach);
    assert_eq!(args.name.unwrap().as_str(), "1");
}

#[test]
fn commands_and_directories_may_be_any_bytes_but_names_may_not() {
    let bytes = OsString::from_vec(b"\xff\xfe".to_vec());
    let words =
        |words: &[&OsString]| parse(words.iter().map(|word| (*word).clone()).collect::<Vec<_>>());
    let word = |text: &str| OsString::from(text);
    let (sess, new, c, dashes) = (word("sess"), word("new"), word("-c"), word("--"));
    let Ok(Cli { command: Some(Command::New(args)) }) =
        words(&[&sess, &new, &c, &bytes, &dashes, &bytes, &bytes])
    else {
        panic!("new")
    };
    assert_eq!(args.cwd, Some(PathBuf::from(&bytes)));
    assert_eq!(args.command, [bytes.clone(), bytes.clone()]);
    let Err(Stop::Failure(failure)) = words(&[&sess, &new, &bytes]) else { panic!("name") };
    assert_eq!(failure.kind, Kind::Usage);
    assert!(failure.message.ends_with("it is not UTF-8"), "{failure}");
}

#[test]
fn a_command_without_dashes_is_not_guessed() {
    let wrong = wrong(&["new", "work", "make"]);
    assert_eq!(
        wrong,
        "one argument too many: make | put -- before the command: sess new NAME -- CMD"
    );
}

#[test]
fn names_are_checked_by_what_they_are_for() {
    assert!(matches!(command(&["attach", "work~2"]), Command::Attach(_)));
    assert!(matches!(command(&["new", "größe 日本"]), Command::New(_)));
    assert_eq!(
        wrong(&["new", "work~2"]),
        "NAME 'work~2': a session name can't hold '~', which only sess itself gives"
    );
    assert_eq!(wrong(&["attach", "a/b"]), "NAME 'a/b': a session name can't hold '/'");
    assert_eq!(wrong(&["attach", ""]), "NAME '': a session name has at least one character");
    assert_eq!(wrong(&["kill", "ok", ".x"]), "NAME '.x': a session name can't begin with '.'");
    assert!(wrong(&["new", &"x".repeat(65)]).ends_with("has at most 64 bytes, this one has 65"));
}

#[test]
fn attach_takes_its_options() {
    let Command::Attach(args) = command(&["a", "-r", "-x", "--lines", "all", "work"]) else {
        panic!("attach")
    };
    assert!(args.read_only && args.exclusive);
    assert_eq!(args.lines, Some(Lines::All));
    let Command::Attach(args) = command(&["attach"]) else { panic!("attach") };
    assert!(args.name.is_none() && args.lines.is_none());
    assert_eq!(
        wrong(&["attach", "--lines", "few"]),
        "--lines 'few': it takes a number, 'all' or 'none'"
    );
}

#[test]
fn ls_takes_several_filters() {
    let Command::Ls(args) = command(&["ls", "-a", "--filter", "state=dead", "--filter", "k=v"])
    else {
        panic!("ls")
    };
    assert!(args.all && !args.json && !args.quiet);
    assert_eq!(args.filters.len(), 2);
    assert!(matches!(command(&["list", "-q"]), Command::Ls(_)));
    assert_eq!(
        wrong(&["ls", "--filter", "state=up"]),
        "--filter 'state=up': a state is one of running, exited, dead, unresponsive"
    );
    assert_eq!(
        wrong(&["ls", "--json", "-q"]),
        "--json and --quiet don't go together | sess ls --help tells more"
    );
}

#[test]
fn kill_takes_names_or_all() {
    let Command::Kill(args) = command(&["kill", "a", "b", "-s", "INT", "--grace", "2s"]) else {
        panic!("kill")
    };
    assert_eq!(args.names.len(), 2);
    assert_eq!(args.signal.as_deref(), Some("INT"));
    assert_eq!(args.grace, Duration::from_secs(2));
    let Command::Kill(args) = command(&["kill", "--all"]) else { panic!("kill") };
    assert!(args.all && args.names.is_empty());
    assert_eq!(args.grace, Duration::from_secs(5));
    assert_eq!(wrong(&["kill"]), "missing: NAME or --all | sess kill --help tells more");
    assert_eq!(wrong(&["detach"]), "missing: NAME or --all | sess detach --help tells more");
    assert_eq!(
        wrong(&["kill", "a", "--all"]),
        "NAME and --all don't go together | sess kill --help tells more"
    );
    assert_eq!(
        wrong(&["kill", "a", "--grace", "5"]),
        "--grace '5': a time has a unit: 5s, 5m, 5h, or 5ms"
    );
}

#[test]
fn mistakes_are_told_in_our_words() {
    assert_eq!(wrong(&["atach"]), "no such command: atach | did you mean sess attach?");
    assert_eq!(wrong(&["help"]), "no such command: help | sess --help lists the commands");
    assert_eq!(wrong(&["ls", "--jsn"]), "no such option: --jsn | did you mean --json?");
    assert_eq!(wrong(&["ls", "-z"]), "no such option: -z | sess ls --help tells more");
    assert_eq!(wrong(&["-z"]), "no such option: -z | sess --help lists the commands");
    assert_eq!(wrong(&["ls", "x"]), "one argument too many: x | sess ls --help tells more");
    assert_eq!(wrong(&["new", "-c"]), "--cwd needs a value | sess new --help tells more");
    assert_eq!(wrong(&["new", "-c", ""]), "--cwd needs a value | sess new --help tells more");
    assert_eq!(
        wrong(&["new", "-s", "0x0"]),
        "--size '0x0': a size is COLSxROWS, as 80x24, each from 1 to 1000"
    );
    assert_eq!(
        wrong(&["completions", "tcsh"]),
        "SHELL: not tcsh | accepted are bash, elvish, fish, powershell, zsh"
    );
    assert_eq!(wrong(&["man"]), "missing: DIR | sess man --help tells more");
    assert_eq!(
        wrong(&["new", "-d", "-d"]),
        "--detached is given more than once | sess new --help tells more"
    );
    assert_eq!(wrong(&["new", "-d", "-A"]), "missing: NAME | sess new --help tells more");
    assert_eq!(wrong(&["new", "-A"]), "missing: NAME | sess new --help tells more");
}

#[test]
fn send_keeps_texts_and_keys_in_their_order() {
    let Command::Send(args) = command(&[
        "send", "-k", "C-c", "work", "a", "b", "--key", "Enter", "c", "--enter", "--", "-d",
    ]) else {
        panic!("send")
    };
    let key = |name: &str| Item::Key(name.parse().unwrap());
    let text = |text: &str| Item::Text(text.into());
    assert_eq!(args.name.as_str(), "work");
    assert_eq!(
        args.items.0,
        [key("C-c"), text("a"), text("b"), key("Enter"), text("c"), text("-d")]
    );
    assert!(args.enter && !args.stdin && !args.paste && !args.offset);
    let Command::Send(args) = command(&["send", "work", "--stdin"]) else { panic!("send") };
    assert!(args.items.0.is_empty());
    let Command::Send(args) = command(&["send", "work", "", "-k", "-"]) else { panic!("send") };
    assert_eq!(args.items.0, [text(""), key("-")]);
    assert_eq!(
        wrong(&["send", "work", "x", "-k", "Foo"]),
        "--key 'Foo': it takes keys as C-c, M-x, S-Up, Enter, Tab, Space, Up, PageDown or F5"
    );
    assert_eq!(wrong(&["send"]), "missing: NAME | sess send --help tells more");
    assert_eq!(
        wrong(&["send", "work", "x", "--wait-text", "a", "--wait-idle", "1s"]),
        "--wait-text and --wait-idle don't go together | sess send --help tells more"
    );
    assert_eq!(wrong(&["send", "work", "--wait-text", "("]), "--wait-text '(': unclosed group");
}

#[test]
fn text_to_be_typed_may_be_any_bytes() {
    let bytes = OsString::from_vec(b"\xff".to_vec());
    let words = ["sess", "send", "work"].map(OsString::from).into_iter().chain([bytes.clone()]);
    let Ok(Cli { command: Some(Command::Send(args)) }) = parse(words) else { panic!("send") };
    assert_eq!(args.items.0, [Item::Text(bytes)]);
}

#[test]
fn one_thing_is_waited_for() {
    let Command::Wait(args) = command(&["wait"]) else { panic!("wait") };
    assert!(args.name.is_none() && args.text.is_none() && args.idle.is_none() && !args.exit);
    let words = ["wait", "work", "--text", "^x", "--since", "12", "--timeout", "2s"];
    let Command::Wait(args) = command(&words) else { panic!("wait") };
    assert_eq!((args.text.as_deref(), args.since), (Some("^x"), Some(12)));
    assert_eq!(args.timeout, Some(Duration::from_secs(2)));
    for words in [
        &["wait", "--text", "x", "--idle", "1s"][..],
        &["wait", "--exit", "--idle", "1s"],
        &["wait", "--exit", "--since", "1"],
    ] {
        assert!(wrong(words).contains("don't go together"), "{words:?}: {}", wrong(words));
    }
    assert_eq!(
        wrong(&["wait", "--since", "1"]),
        "missing: --text or --idle | sess wait --help tells more"
    );
    assert!(wrong(&["wait", "--idle", "1s", "--since", "x"]).starts_with("--since 'x': an offset"));
    assert_eq!(wrong(&["wait", "--text", "["]), "--text '[': unclosed character class");
}

#[test]
fn capture_and_logs_take_their_options() {
    let words = ["capture", "work", "--history", "all", "--join", "--format", "json"];
    let Command::Capture(args) = command(&words) else { panic!("capture") };
    assert_eq!((args.history, args.join, args.format), (Some(Lines::All), true, Format::Json));
    let Command::Capture(args) = command(&["capture"]) else { panic!("capture") };
    assert_eq!((args.history, args.format), (None, Format::Text));
    assert_eq!(
        wrong(&["capture", "--format", "svg"]),
        "--format: not svg | accepted are text, ansi, json, html"
    );
    assert_eq!(
        wrong(&["capture", "--history", "none"]),
        "--history 'none': it takes a number or 'all'"
    );
    let words = ["logs", "-f", "-n", "20", "work", "--since", "5", "--json"];
    let Command::Logs(args) = command(&words) else { panic!("logs") };
    assert!(args.follow && args.json && !args.raw);
    assert_eq!((args.lines, args.since, args.limit), (Some(20), Some(5), None));
    assert!(wrong(&["logs", "--raw", "--json"]).contains("don't go together"));
    assert!(wrong(&["logs", "-n", "2", "--limit", "5"]).contains("don't go together"));
}

#[test]
fn a_command_to_run_stands_behind_dashes() {
    let Command::Run(args) = command(&["run", "work", "--timeout", "1m", "--", "ls", "-l"]) else {
        panic!("run")
    };
    assert_eq!(args.command, ["ls", "-l"]);
    assert_eq!(args.timeout, Some(Duration::from_secs(60)));
    assert_eq!(
        wrong(&["run", "work", "ls"]),
        "one argument too many: ls | put -- before the command: sess run NAME -- CMD"
    );
    assert_eq!(wrong(&["run", "work"]), "missing: CMD | sess run --help tells more");
}

#[test]
fn names_and_sizes_are_changed_to_what_they_can_be() {
    let Command::Rename(args) = command(&["rename", "work~2", "play"]) else { panic!("rename") };
    assert_eq!((args.name.as_str(), args.new.as_str()), ("work~2", "play"));
    assert!(wrong(&["rename", "work", "a~2"]).starts_with("NEW 'a~2': "));
    assert_eq!(wrong(&["rename", "work"]), "missing: NEW | sess rename --help tells more");
    let Command::Resize(args) = command(&["resize", "work", "132x43"]) else { panic!("resize") };
    assert_eq!((args.size.cols, args.size.rows), (132, 43));
    assert!(wrong(&["resize", "work", "132"]).starts_with("COLSxROWS '132': a size is"));
}

#[test]
fn new_takes_what_becomes_of_the_session() {
    let words = ["new", "--record", "on-exit", "--restart", "on-failure:3", "--with-pid", "77"];
    let Command::New(args) = command(&words) else { panic!("new") };
    assert_eq!(args.record, Some(KeepOutput::OnExit));
    assert_eq!((args.restart, args.with_pid), (Some(Restart::OnFailure(3)), Some(77)));
    assert_eq!((args.idle_timeout, args.timeout, args.on_exit), (None, None, None));
    let words = ["new", "--idle-timeout", "30m", "--timeout", "none", "--on-exit", "beep -l 5"];
    let Command::New(args) = command(&words) else { panic!("new") };
    assert_eq!(args.idle_timeout, Some(Some(Duration::from_secs(1_800))));
    assert_eq!((args.timeout, args.on_exit), (Some(None), Some(Some("beep -l 5".to_owned()))));
    let Command::New(args) = command(&["new", "--on-exit", ""]) else { panic!("new") };
    assert_eq!(args.on_exit, Some(None));
    for (option, value, accepted) in [
        ("--record", "yes", "it takes 'always', 'on-exit' or 'never'"),
        ("--idle-timeout", "0s", "it takes a time of at least 1ms, or 'none'"),
        ("--timeout", "long", "it takes a time, as 30m, or 'none'"),
        ("--with-pid", "0", "it takes the id of a process"),
    ] {
        assert_eq!(wrong(&["new", option, value]), format!("{option} '{value}': {accepted}"));
    }
    assert!(wrong(&["new", "--restart", "yes"]).starts_with("--restart 'yes': it takes 'never',"));
}

#[test]
fn attach_restarts_if_asked_to() {
    let Command::Attach(args) = command(&["attach", "-Rx", "work"]) else { panic!("attach") };
    assert!(args.restart && args.exclusive);
    let Command::Attach(args) = command(&["a", "work"]) else { panic!("attach") };
    assert!(!args.restart);
}

#[test]
fn what_sessions_leave_is_used_or_removed() {
    let Command::Restart(args) = command(&["restart", "a", "b~2"]) else { panic!("restart") };
    assert_eq!(args.names.iter().map(SessionName::as_str).collect::<Vec<_>>(), ["a", "b~2"]);
    assert_eq!(wrong(&["restart"]), "missing: NAME | sess restart --help tells more");
    let Command::Restore(args) = command(&["restore", "--list"]) else { panic!("restore") };
    assert!(args.list);
    let Command::Restore(args) = command(&["restore"]) else { panic!("restore") };
    assert!(!args.list);
    assert!(wrong(&["restore", "work"]).starts_with("one argument too many: work"));
    let Command::Prune(args) = command(&["prune", "--older", "7d"]) else { panic!("prune") };
    assert_eq!(args.older, Some(Duration::from_secs(7 * 86_400)));
    let Command::Prune(args) = command(&["prune"]) else { panic!("prune") };
    assert_eq!(args.older, None);
    assert!(wrong(&["prune", "--older", "7"]).starts_with("--older '7': a time has a unit"));
}

#[test]
fn config_takes_nothing() {
    assert!(matches!(command(&["config"]), Command::Config(_)));
    assert!(wrong(&["config", "x"]).starts_with("one argument too many: x"));
}

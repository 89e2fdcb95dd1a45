//! What a program gets from who created its session, what it doesn't, and what the
//! holder keeps to itself.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use sess_sys::process::{self, Pid};

use crate::harness::{Sandbox, find, status_field, wait_for, wait_until};

/// A program that writes what the system says of it, and waits.
const TELL: &str = "cp /proc/$$/environ told
readlink /proc/$$/cwd >told/cwd; touch told/done; exec cat";

/// What a program told of itself.
struct Told {
    env: BTreeMap<String, String>,
    cwd: String,
}

/// Starts [`TELL`] in a session, with what `prepare` adds to its creator's command.
#[track_caller]
fn told(sandbox: &Sandbox, words: &[&str], prepare: impl FnOnce(&mut Command)) -> Told {
    let folder = sandbox.path("told");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir(&folder).unwrap();
    let tell = TELL.replace("told", folder.to_str().unwrap());
    let words = [&["new", "-d"], words, &["--", "/bin/sh", "-c", &tell]].concat();
    let mut command = sandbox.sess_command(&words);
    prepare(&mut command);
    sandbox.run(command).expect(0);
    wait_until("it to tell", || sandbox.path("told/done").exists());
    let text = |name: &str| String::from_utf8(sandbox.read(&format!("told/{name}"))).unwrap();
    let env = text("environ");
    let env = env.split_terminator('\0').map(|pair| pair.split_once('=').unwrap());
    Told {
        env: env.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        cwd: text("cwd").trim_end().to_owned(),
    }
}

impl Told {
    fn var(&self, key: &str) -> Option<&str> {
        self.env.get(key).map(String::as_str)
    }
}

/// `sess new` with these words, started by a shell that does something first.
fn from_shell(sandbox: &Sandbox, first: &str, words: &[&str], program: &[&str]) -> Command {
    let mut command = sandbox.command("sh");
    command.args(["-c", &format!("{first}\nexec \"$@\""), "sh", env!("CARGO_BIN_EXE_sess")]);
    command.args(["new", "-d"]).args(words).arg("--").args(program);
    command
}

#[test]
fn the_creators_environment_comes_along_but_for_its_terminals() {
    let sandbox = Sandbox::new();
    let left =
        ["TMUX", "TMUX_PANE", "STY", "ZELLIJ", "ZELLIJ_PANE_ID", "WINDOWID", "LINES", "COLUMNS"];
    let kept = ["EDITOR", "LC_ALL", "TMUX_TMPDIR", "MY_LINES", "DISPLAY", "COLORTERM", "EMPTY"];
    let told = told(&sandbox, &["work"], |command| {
        command.envs(left.map(|key| (key, "x")));
        command.envs(kept.map(|key| (key, "kept")));
        command.env("EMPTY", "");
    });
    for key in left {
        assert_eq!(told.var(key), None, "{key}");
    }
    for key in kept {
        assert_eq!(told.var(key), Some(if key == "EMPTY" { "" } else { "kept" }), "{key}");
    }
    let status = sandbox.status("work");
    assert_eq!(told.var("SESS_SESSION"), Some("work"));
    assert_eq!(told.var("SESS_ID"), status["id"].as_str());
    assert_eq!(told.var("HOME"), sandbox.path("home").to_str());
    assert_eq!(told.var("SSH_AUTH_SOCK"), None);
    assert_eq!(told.cwd, sandbox.path("").to_str().unwrap().trim_end_matches('/'));
}

#[test]
fn a_terminal_that_can_nothing_is_not_passed_on() {
    let sandbox = Sandbox::new();
    let cases = [
        (None, "xterm-256color"),
        (Some("dumb"), "xterm-256color"),
        (Some(""), "xterm-256color"),
        (Some("xterm"), "xterm"),
        (Some("tmux-256color"), "tmux-256color"),
        (Some("made-up"), "made-up"),
    ];
    for (index, (term, expected)) in cases.into_iter().enumerate() {
        let told = told(&sandbox, &[&format!("work{index}")], |command| {
            match term {
                Some(term) => command.env("TERM", term),
                None => command.env_remove("TERM"),
            };
        });
        assert_eq!(told.var("TERM"), Some(expected), "{term:?}");
    }
}

#[test]
fn variables_that_were_asked_for_are_set() {
    let sandbox = Sandbox::new();
    let words = [
        "work",
        "-e",
        "A=1",
        "-e",
        "A=2",
        "-e",
        "B=",
        "-e",
        "C=x=y z",
        "--env",
        "TERM=vt100",
        "-e",
        "LINES=7",
        "-e",
        "SESS_ID=forged",
        "-e",
        "SESS_SESSION=forged",
    ];
    let told = told(&sandbox, &words, |command| {
        command.env("A", "0");
    });
    let vars = [("A", "2"), ("B", ""), ("C", "x=y z"), ("TERM", "vt100"), ("LINES", "7")];
    for (key, value) in vars {
        assert_eq!(told.var(key), Some(value), "{key}");
    }
    assert_eq!(told.var("SESS_SESSION"), Some("work"));
    assert_eq!(told.var("SESS_ID"), sandbox.status("work")["id"].as_str());
}

#[test]
fn the_command_is_looked_for_where_its_own_path_says() {
    let sandbox = Sandbox::new();
    sandbox.write_program("bin/mine", "#!/bin/sh\ntouch ran; exec cat\n");
    sandbox.sess(["new", "-d", "work", "--", "mine"]).expect(127);
    let path = format!("PATH={}:/usr/bin:/bin", sandbox.path("bin").display());
    sandbox.sess(["new", "-d", "work", "-e", &path, "--", "mine"]).expect(0);
    wait_until("it to run", || sandbox.path("ran").exists());
}

#[test]
fn the_directory_that_was_asked_for_is_where_it_starts() {
    let sandbox = Sandbox::new();
    std::fs::create_dir_all(sandbox.path("sub/dir")).unwrap();
    std::os::unix::fs::symlink("dir", sandbox.path("sub/link")).unwrap();
    let dir = sandbox.path("sub/dir");
    for (index, (words, pwd)) in [
        (&["-c", "sub/dir"][..], dir.clone()),
        (&["--cwd", dir.to_str().unwrap()], dir.clone()),
        (&["-c", "sub/link"], sandbox.path("sub/link")),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("work{index}");
        let told = told(&sandbox, &[&[name.as_str()], words].concat(), |command| {
            command.env("PWD", "/somewhere/else");
        });
        assert_eq!(told.cwd, dir.to_str().unwrap());
        assert_eq!(told.var("PWD"), pwd.to_str());
        assert_eq!(sandbox.status(&name)["cwd"], dir.to_str().unwrap());
    }
}

#[test]
fn without_a_command_it_is_the_users_shell_interactive_and_no_login_shell() {
    let Some(bash) = find("bash") else { return };
    let sandbox = Sandbox::new();
    for name in ["work", "other"] {
        let terminal = sandbox.terminal().env("SHELL", &bash).sess(["new", name]);
        terminal.wait_for_attached(&sandbox, name);
        terminal.type_line("echo \"<$0 $- $(shopt -q login_shell && echo login)>\"");
        terminal.wait_until("what it is", |it| it.lines().iter().any(|line| line.starts_with('<')));
        let lines = terminal.look(crate::harness::Emulator::lines);
        let line = lines.iter().find(|line| line.starts_with('<')).unwrap();
        let words: Vec<_> = line.trim_matches(['<', '>']).split(' ').collect();
        assert_eq!(words[0], bash.to_str().unwrap());
        assert!(words[1].contains('i'), "{line}");
        assert!(!line.contains("login"), "{line}");
        assert_eq!(sandbox.status(name)["command"], serde_json::json!([bash]));
    }
}

#[test]
fn without_a_shell_in_the_environment_it_is_that_of_passwd() {
    let Some(shell) = process::account().shell else { return };
    let sandbox = Sandbox::new();
    for (name, shell_variable) in [("unset", None), ("empty", Some(""))] {
        let mut command = sandbox.sess_command(["new", "-d", name]);
        match shell_variable {
            Some(value) => command.env("SHELL", value),
            None => command.env_remove("SHELL"),
        };
        sandbox.run(command).expect(0);
        assert_eq!(sandbox.status(name)["command"], serde_json::json!([shell]));
    }
}

#[test]
fn the_umask_is_the_creators() {
    let sandbox = Sandbox::new();
    for umask in ["0027", "0000", "0777"] {
        let name = format!("work{umask}");
        let folder = sandbox.path("status");
        let mut command = sandbox.command("sh");
        let script = format!("umask {umask}; exec \"$@\"");
        command.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_sess"), "new", "-d", &name, "--"]);
        command.args(["sh", "-c", "grep Umask /proc/$$/status | tee status; exec cat"]);
        let _ = std::fs::write(&folder, "");
        sandbox.run(command).expect(0);
        wait_for("the umask", || {
            let text = String::from_utf8(sandbox.read("status")).unwrap();
            text.contains("Umask").then(|| assert_eq!(status_field(&text, "Umask"), umask))
        });
    }
}

#[test]
fn the_limit_of_descriptors_is_the_creators_soft_limit() {
    let sandbox = Sandbox::new();
    let command = from_shell(&sandbox, "ulimit -S -n 321", &["work"], &["cat"]);
    sandbox.run(command).expect(0);
    let session = sandbox.session("work");
    let limits = |pid| {
        let text = String::from_utf8(of_process(pid, "limits")).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
        line.split_whitespace().take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    let of_program = limits(session.pid);
    assert_eq!(of_program[0], "321");
    assert_ne!(of_program[1], "321", "the hard limit is as it was");
    // The holder takes what it can get.
    assert_eq!(limits(session.holder), [&*of_program[1], &*of_program[1]]);
}

#[test]
fn no_descriptor_is_inherited() {
    let sandbox = Sandbox::new();
    let secret = sandbox.write("secret", "");
    let open = "exec 3<secret 4>&1 7<>secret 9</";
    sandbox.run(from_shell(&sandbox, open, &["work"], &["cat"])).expect(0);
    let session = sandbox.session("work");
    let files = |pid| sess_sys::Process::read(pid).unwrap().unwrap().open_files().unwrap();
    let of_program = files(session.pid);
    assert_eq!(of_program.len(), 3, "{of_program:?}");
    assert!(of_program.iter().all(|path| path.starts_with("/dev/pts")), "{of_program:?}");
    assert!(!files(session.holder).contains(&secret), "{:?}", files(session.holder));
}

#[test]
fn signals_mean_to_the_program_what_they_mean_by_default() {
    let Some(env) = find("env") else { return };
    let sandbox = Sandbox::new();
    let nohup = |command: &mut Command| {
        command.args(["--ignore-signal=HUP", "--ignore-signal=INT", "--ignore-signal=QUIT"]);
        command.args(["--ignore-signal=PIPE", "--ignore-signal=CHLD", "--ignore-signal=TERM"]);
        command.args(["--block-signal=HUP", "--block-signal=INT", "--block-signal=USR1"]);
        command.arg("--block-signal=CHLD");
    };
    let mut command = sandbox.command(env);
    nohup(&mut command);
    command.args([env!("CARGO_BIN_EXE_sess"), "new", "-d", "work", "--"]);
    // No shell: that would set some itself.
    command.args(["cp", "/proc/self/status", "status"]);
    let output = sandbox.run(command);
    if output.stderr.contains("unrecognized") {
        return crate::harness::skipped("env knows no signals");
    }
    output.expect(0);
    wait_for("its end", || (sandbox.status("work")["state"] == "exited").then_some(()));
    let status = String::from_utf8(sandbox.read("status")).unwrap();
    for field in ["SigIgn", "SigBlk", "SigPnd", "ShdPnd"] {
        assert_eq!(status_field(&status, field), "0000000000000000", "{field}");
    }
    // And what they mean is done.
    let session = sandbox.start_session("other", ["cat"]);
    crate::harness::signal_to(session.pid, sess_sys::Signal::HUP);
    session.wait_for_state("exited");
    assert_eq!(sandbox.status("other")["exit"]["signal"], "SIGHUP");
}

#[test]
fn a_creator_that_ignores_what_ends_it_starts_sessions_all_the_same() {
    let Some(nohup) = find("nohup") else { return };
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(nohup);
    command.args([env!("CARGO_BIN_EXE_sess"), "new", "-d", "work", "--", "cat"]);
    sandbox.run(command).expect(0);
    let trap = "trap '' HUP INT TERM CHLD PIPE";
    sandbox.run(from_shell(&sandbox, trap, &["other"], &["cat"])).expect(0);
    let session = sandbox.session("other");
    for pid in [session.pid, sandbox.session("work").pid] {
        let status = String::from_utf8(of_process(pid, "status")).unwrap();
        assert_eq!(status_field(&status, "SigIgn"), "0000000000000000");
        assert_eq!(status_field(&status, "SigBlk"), "0000000000000000");
    }
    sandbox.sess(["kill", "work", "other"]).expect(0);
}

fn of_process(pid: Pid, name: &str) -> Vec<u8> {
    std::fs::read(format!("/proc/{pid}/{name}")).unwrap()
}

#[test]
fn the_holder_shows_its_name_and_nothing_else() {
    let sandbox = Sandbox::new();
    for name in ["work", "x", &"n".repeat(64), "my work"] {
        let mut command = sandbox.sess_command(["new", "-d", name, "-e", "TOKEN=hunter2-option"]);
        command.args(["--", "sh", "-c", "exec cat", "hunter2-argument"]);
        command.env("PASSWORD", "hunter2-variable");
        sandbox.run(command).expect(0);
        let holder = sandbox.session(name).holder;
        let line = String::from_utf8(of_process(holder, "cmdline")).unwrap();
        assert_eq!(line.trim_end_matches('\0'), format!("sess: {name}"));
        let environ = String::from_utf8_lossy(&of_process(holder, "environ")).into_owned();
        assert!(!environ.contains("hunter2") && !environ.contains("SESS_ID"), "{environ}");
        assert!(!environ.contains("SANDBOX"), "{environ}");
    }
}

#[test]
fn the_holder_stands_on_its_own() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    let link = |name: &str| std::fs::read_link(format!("/proc/{}/{name}", session.holder)).unwrap();
    assert_eq!(link("cwd"), Path::new("/"));
    for fd in 0..3 {
        assert_eq!(link(&format!("fd/{fd}")), Path::new("/dev/null"));
    }
    let field = |pid: Pid, number: usize| {
        let stat = String::from_utf8(of_process(pid, "stat")).unwrap();
        let (_, rest) = stat.rsplit_once(')').unwrap();
        rest.split_whitespace().nth(number - 3).unwrap().to_owned()
    };
    let own = Pid(i32::try_from(std::process::id()).unwrap());
    let (sid, tty) = (6, 7);
    assert_ne!(field(session.holder, sid), field(own, sid));
    assert_eq!(field(session.holder, tty), "0", "it has no terminal");
    assert_ne!(field(session.holder, sid), field(session.pid, sid));
    assert_eq!(field(session.pid, sid), session.pid.to_string());
    assert_ne!(field(session.pid, tty), "0", "its program has one");
    let status = String::from_utf8(of_process(session.holder, "status")).unwrap();
    assert_eq!(status_field(&status, "Umask"), "0077");
    assert_eq!(status_field(&status, "Threads"), "1");
    assert_eq!(status_field(&status, "SigBlk"), "0000000000000000");
}

#[test]
fn the_holder_keeps_no_directory_from_being_removed() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("here")).unwrap();
    let mut command = sandbox.sess_command(["new", "-d", "work", "-c", "/", "--", "cat"]);
    command.current_dir(sandbox.path("here"));
    sandbox.run(command).expect(0);
    let holder = sandbox.session("work").holder;
    let files = sess_sys::Process::read(holder).unwrap().unwrap().open_files().unwrap();
    let here: Vec<PathBuf> = files.into_iter().filter(|f| f.ends_with("here")).collect();
    assert_eq!(here, [""; 0].map(|path: &str| PathBuf::from(OsStr::new(path))));
}

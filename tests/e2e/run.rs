//! Contract 3 and 4, `run`: a command in the session's live shell, its output
//! alone, its status.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use sess_proto::HolderMessage;
use sess_proto::message::Run;
use sess_sys::process::Signal;

use crate::harness::{
    Connection, Output, PATIENCE, Running, Sandbox, find, pass, signal_to, skipped, status_field,
    wait_until,
};

/// A shell that these tests know, and how it is started without anybody's habits.
struct Shell {
    name: &'static str,
    args: &'static [&'static str],
    path: PathBuf,
}

/// The shells of this machine.
fn shells() -> Vec<Shell> {
    let all: [(&str, &[&str]); 4] =
        [("bash", &["--norc"]), ("zsh", &["-f"]), ("fish", &["--no-config"]), ("dash", &["-i"])];
    all.into_iter()
        .filter_map(|(name, args)| find(name).map(|path| Shell { name, args, path }))
        .collect()
}

impl Shell {
    fn start(&self, sandbox: &Sandbox) {
        let mut command = vec![self.path.to_str().unwrap()];
        command.extend(self.args);
        sandbox.start_session(self.name, command);
    }

    #[track_caller]
    fn run(&self, sandbox: &Sandbox, command: &[&str]) -> Output {
        sandbox.sess([&["run", self.name, "--timeout", "20s", "--"], command].concat())
    }

    /// Runs a command that ends with `code` and says just this.
    #[track_caller]
    fn says(&self, sandbox: &Sandbox, command: &[&str], code: i32, output: &str) {
        let ran = self.run(sandbox, command).expect(code);
        assert_eq!(ran.stdout, output, "{}: {command:?}", self.name);
        assert_eq!(ran.stderr, "");
    }
}

#[test]
fn a_command_prints_its_output_alone_and_ends_with_its_status() {
    for shell in shells() {
        let sandbox = Sandbox::new();
        shell.start(&sandbox);
        shell.says(&sandbox, &["echo", "hello"], 0, "hello\n");
        shell.says(&sandbox, &["true"], 0, "");
        shell.says(&sandbox, &["false"], 1, "");
        shell.says(&sandbox, &["sh -c 'echo out; exit 42'"], 42, "out\n");
        shell.says(&sandbox, &["printf", "no newline"], 0, "no newline");
        shell.run(&sandbox, &["sh", "-c", "kill -9 $$"]).expect(137);
    }
}

#[test]
fn it_runs_as_if_typed_there() {
    for shell in shells() {
        let sandbox = Sandbox::new();
        shell.start(&sandbox);
        let set = if shell.name == "fish" { "set kept 'two words'" } else { "kept='two words'" };
        shell.says(&sandbox, &[set], 0, "");
        shell.says(&sandbox, &["echo \"$kept\""], 0, "two words\n");
        shell.says(&sandbox, &["cd", "/usr"], 0, "");
        shell.says(&sandbox, &["pwd"], 0, "/usr\n");
        shell.says(&sandbox, &["alias greet='echo hello'"], 0, "");
        shell.says(&sandbox, &["greet", "you there"], 0, "hello you there\n");
        shell.says(&sandbox, &["greet | tr a-z A-Z"], 0, "HELLO\n");
    }
}

#[test]
fn words_are_quoted_and_one_alone_is_the_shells_text() {
    for shell in shells() {
        let sandbox = Sandbox::new();
        shell.start(&sandbox);
        let words =
            ["printf", "%s|", "a b", "it's", "$HOME", "\"q\"", "\\", "*", "!!", "é", "", "-n"];
        let expected =
            words[2..].iter().map(|word| format!("{word}|")).collect::<Vec<_>>().concat();
        shell.says(&sandbox, &words, 0, &expected);
        shell.says(&sandbox, &["echo one; echo two | cat"], 0, "one\ntwo\n");
    }
}

#[test]
fn line_breaks_tabs_and_long_texts_go_by_a_file_that_is_gone_after() {
    for shell in shells() {
        let sandbox = Sandbox::new();
        shell.start(&sandbox);
        shell.says(&sandbox, &["echo one\necho two\n"], 0, "one\ntwo\n");
        shell.says(&sandbox, &["printf", "%s.", "a\tb", "c\nd"], 0, "a       b.c\nd.");
        let long = "x".repeat(10_000);
        let ran = shell.run(&sandbox, &["printf", "%s", &long]).expect(0);
        assert_eq!(ran.stdout, long, "{}", shell.name);
        shell.says(&sandbox, &["echo one\nsh -c 'exit 5'"], 5, "one\n");
        let folder = sandbox.sessions().join(shell.name);
        let mode = format!("stat -c %a {}/run-*\ntrue", folder.display());
        shell.says(&sandbox, &[&mode], 0, "600\n");
        wait_until("the files to be gone", || {
            let names = std::fs::read_dir(&folder).unwrap().flatten();
            !names
                .map(|entry| entry.file_name())
                .any(|name| name.to_string_lossy().starts_with("run-"))
        });
    }
}

#[test]
fn a_text_that_makes_no_sense_fails_and_the_shell_goes_on() {
    for shell in shells() {
        let sandbox = Sandbox::new();
        shell.start(&sandbox);
        for nonsense in ["echo 'open", "echo $(", ")", "echo \"x\nif"] {
            let ran = shell.run(&sandbox, &[nonsense]);
            assert!(!matches!(ran.code, 0 | 124 | 125), "{}: {nonsense}: {ran:?}", shell.name);
        }
        shell.says(&sandbox, &["echo", "fine"], 0, "fine\n");
        let ran = shell.run(&sandbox, &["no-such-command-here"]).expect(127);
        assert!(ran.stdout.contains("no-such-command-here"), "{ran:?}");
    }
}

#[test]
fn the_end_of_the_shell_is_the_end_of_the_command() {
    for shell in shells() {
        let sandbox = Sandbox::new();
        shell.start(&sandbox);
        // Some say goodbye.
        let ran = shell.run(&sandbox, &["echo bye; exit 9"]).expect(9);
        assert!(ran.stdout.starts_with("bye\n"), "{ran:?}");
        assert_eq!(sandbox.sess(["status", "-q", shell.name]).code, 3);
    }
}

#[test]
fn raw_output_is_exact_and_rendered_output_is_text() {
    let sandbox = Sandbox::new();
    sandbox.start_session("work", ["bash", "--norc"]);
    let command = "printf '\\033[31mred\\033[m\\n10%%\\r20%%\\nb\\377\\n'";
    let raw = ["run", "work", "--raw", "--json", "--", command];
    let raw: serde_json::Value = serde_json::from_str(&sandbox.sess(raw).expect(0).stdout).unwrap();
    assert_eq!(raw["output"], serde_json::Value::Null);
    assert_eq!(raw["output_base64"], "G1szMW1yZWQbW20NCjEwJQ0yMCUNCmL/DQo=");
    let rendered = sandbox.sess(["run", "work", "--", command]).expect(0);
    assert_eq!(rendered.stdout, "red\n20%\nb\u{fffd}\n");
}

#[test]
fn as_json_it_has_status_output_and_duration() {
    let sandbox = Sandbox::new();
    sandbox.start_session("work", ["bash", "--norc"]);
    let json = |args: &[&str], code| {
        let output = sandbox.sess([&["run", "work", "--json"], args].concat()).expect(code);
        serde_json::from_str::<serde_json::Value>(&output.stdout).unwrap()
    };
    let ran = json(&["--", "echo x; sleep 0.4; (exit 3)"], 3);
    assert_eq!((&ran["code"], &ran["output"]), (&3.into(), &"x\n".into()));
    // As the holder saw it, which may have seen the beginning late.
    assert!(ran["duration"].as_f64().unwrap() >= 0.2, "{ran}");
    assert!(ran["next"].as_u64().unwrap() > ran["offset"].as_u64().unwrap());
    assert_eq!(ran["truncated"], false);
    let late = json(&["--timeout", "300ms", "--", "echo y; sleep 2"], 124);
    assert_eq!((&late["code"], &late["output"]), (&serde_json::Value::Null, &"y\n".into()));
}

#[test]
fn a_large_output_comes_back_whole() {
    for shell in shells() {
        let sandbox = Sandbox::new();
        shell.start(&sandbox);
        let expected = (1..=200_000).map(|n| format!("{n}\n")).collect::<Vec<_>>().concat();
        let ran = shell.run(&sandbox, &["seq", "1", "200000"]).expect(0);
        assert!(ran.stdout == expected, "{}: {} bytes", shell.name, ran.stdout.len());
    }
}

#[test]
fn a_timeout_leaves_the_command_running_and_refuses_those_behind_it() {
    let sandbox = Sandbox::new();
    sandbox.start_session("work", ["bash", "--norc"]);
    let late = sandbox.sess(["run", "work", "--timeout", "300ms", "--", "sleep 2; touch done"]);
    late.expect_error(124, "goes on");
    sandbox.sess(["run", "work", "--", "true"]).expect_error(125, "goes on");
    wait_until("the command's own end", || sandbox.path("done").exists());
    wait_until("the shell to be free", || sandbox.sess(["run", "work", "--", "true"]).code == 0);
}

#[test]
fn twenty_runs_at_once_queue() {
    let sandbox = Sandbox::new();
    sandbox.start_session("work", ["bash", "--norc"]);
    let runs: Vec<(usize, Running)> = (0..20)
        .map(|n| (n, sandbox.start_sess(["run", "work", "--", &format!("echo {n}; (exit {n})")])))
        .collect();
    for (n, run) in runs {
        let output = sandbox.finish(run).expect(i32::try_from(n).unwrap());
        assert_eq!(output.stdout, format!("{n}\n"));
    }
}

#[test]
fn a_shell_that_is_busy_or_none_is_refused_with_the_reason() {
    let sandbox = Sandbox::new();
    sandbox.start_session("work", ["bash", "--norc"]);
    sandbox.sess(["run", "work", "--", "true"]).expect(0);
    sandbox.sess(["send", "work", "sleep 1000", "--enter"]).expect(0);
    wait_until("sleep in front", || {
        let output = sandbox.sess(["run", "work", "--", "true"]);
        output.code == 125 && output.stderr.contains("busy with sleep")
    });
    sandbox.start_session("cat", ["cat"]);
    sandbox.sess(["run", "cat", "--", "true"]).expect_error(125, "cat");
    sandbox.sess(["run", "none", "--", "true"]).expect_error(125, "none");
    sandbox.sess(["run", "work"]).expect_error(2, "");
}

#[test]
fn who_interrupts_a_command_ends_its_run() {
    for shell in shells() {
        let sandbox = Sandbox::new();
        shell.start(&sandbox);
        let terminal = sandbox.attach(shell.name);
        shell.says(&sandbox, &["true"], 0, "");
        let run = sandbox.start_sess([
            "run",
            shell.name,
            "--timeout",
            "20s",
            "--",
            "echo begun; sleep 1000",
        ]);
        terminal
            .wait_until("the command's output", |it| it.rows().iter().any(|row| row == "begun"));
        wait_until("sleep in front", || {
            sandbox.sess(["run", shell.name, "--timeout", "1ms", "--", "true"]).code == 124
        });
        terminal.type_bytes("\x03");
        let code = sandbox.finish(run).code;
        assert!(code == 130, "{}: {code}", shell.name);
        shell.says(&sandbox, &["echo", "after"], 0, "after\n");
    }
}

#[test]
fn what_stands_half_typed_at_the_prompt_is_not_run() {
    for shell in shells() {
        let sandbox = Sandbox::new();
        shell.start(&sandbox);
        shell.says(&sandbox, &["true"], 0, "");
        let terminal = sandbox.attach(shell.name);
        terminal.type_bytes("touch never ");
        terminal.wait_for_text("touch never");
        shell.says(&sandbox, &["echo", "x"], 0, "x\n");
        assert!(!sandbox.path("never").exists());
    }
}

#[test]
fn what_is_typed_is_one_visible_line() {
    let sandbox = Sandbox::new();
    sandbox.start_session("work", ["bash", "--norc"]);
    let terminal = sandbox.attach("work");
    sandbox.sess(["run", "work", "--", "echo visible"]).expect(0);
    terminal.wait_until("the output", |it| it.rows().iter().any(|row| row == "visible"));
    let typed = terminal.text();
    assert!(typed.contains("echo visible"), "{typed}");
    // The marks are for nobody's eyes.
    assert!(
        !terminal.look(|it| it.text().contains("]7377;") && !it.text().contains("\\033]7377;"))
    );
}

#[test]
fn a_reader_that_is_slow_loses_nothing() {
    let sandbox = Sandbox::new();
    sandbox.start_session("work", ["bash", "--norc"]);
    let mut command = sandbox.command("sh");
    let sess = env!("CARGO_BIN_EXE_sess");
    command.args([
        "-c",
        &format!("{sess} run work -- seq 1 200000 | (sleep 2; cat) | cksum; seq 1 200000 | cksum"),
    ]);
    let output = sandbox.run(command).expect(0);
    let sums: Vec<&str> = output.stdout.lines().collect();
    assert_eq!(sums[0], sums[1]);
}

#[test]
fn nothing_is_lost_while_the_holder_is_held_up() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["bash", "--norc"]);
    let run = sandbox.start_sess(["run", "work", "--", "seq", "1", "1000000"]);
    for n in 1..3 {
        wait_until("some output", || sandbox.offset("work") > n * 1_000_000);
        // As a machine does that stands still: the client gets its turn a little later.
        signal_to(run.pid(), Signal::STOP);
        session.stop_holder();
        pass(Duration::from_millis(1_500));
        session.signal_holder(Signal::CONT);
        pass(Duration::from_millis(200));
        signal_to(run.pid(), Signal::CONT);
    }
    let output = sandbox.finish(run).expect(0);
    assert_eq!(output.stderr, "");
    assert_eq!(output.stdout.lines().count(), 1_000_000);
}

#[test]
fn nothing_is_lost_while_the_client_gets_no_processor() {
    let (Some(chrt), Some(taskset)) = (find("chrt"), find("taskset")) else {
        return;
    };
    let sandbox = Sandbox::new();
    let _session = sandbox.start_session("work", ["bash", "--norc"]);
    let run = sandbox.start_sess(["run", "work", "--", "seq", "1", "1000000"]);
    wait_until("some output", || sandbox.offset("work") > 500_000);
    // It gets to run when nobody else wants to, and there the others always do.
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let cpus = status_field(&status, "Cpus_allowed_list");
    let cpu = cpus.split(['-', ',']).next().unwrap();
    let busy = [(); 4].map(|()| {
        let mut command = sandbox.command(&taskset);
        command.args(["-c", cpu, "sh", "-c", "while :; do :; done"]);
        sandbox.start(command)
    });
    let pid = run.pid().to_string();
    let set = |program, args: [&str; 3]| {
        let mut command = sandbox.command(program);
        command.args(args);
        sandbox.run(command)
    };
    set(&taskset, ["-cp", cpu, &pid]).expect(0);
    set(&chrt, ["-ip", "0", &pid]).expect(0);
    pass(Duration::from_secs(4));
    drop(busy);
    // Not everybody may take that back; where the machine is idle it makes no difference.
    set(&taskset, ["-cp", &cpus, &pid]).expect(0);
    set(&chrt, ["-op", "0", &pid]);
    let output = sandbox.finish(run).expect(0);
    assert_eq!((output.stderr.as_str(), output.stdout.lines().count()), ("", 1_000_000));
}

#[test]
fn who_takes_little_paces_the_program_as_well() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["bash", "--norc"]);
    let mut connection = Connection::open(&session.folder());
    connection.greet();
    let words = ["seq", "1", "1000000"].map(|word| word.as_bytes().to_vec()).to_vec();
    connection.say(Run { words, timeout: None });
    let mut taken = 0;
    let mut longest = Duration::ZERO;
    for round in 1..7 {
        let began = Instant::now();
        // Less than what makes a socket's writer ready again.
        while taken < round * 70_000 {
            let output = connection.hear(PATIENCE, |message| match message {
                HolderMessage::Output(bytes) => Some(bytes.len() as u64),
                _ => None,
            });
            taken += output.expect("output");
        }
        pass(Duration::from_millis(500));
        longest = longest.max(began.elapsed());
    }
    if longest > Duration::from_millis(750) {
        return skipped("the machine is too slow for taking something each second");
    }
    assert!(sandbox.offset("work") < taken + 1_000_000);
}

#[test]
fn the_line_stays_out_of_the_history_of_shells_that_skip_such_lines() {
    let shells: [(&str, &[&str], &str); 3] = [
        ("bash", &["--norc"], "HISTCONTROL=ignorespace HISTFILE=$HOME/.history"),
        ("zsh", &["-f"], "setopt hist_ignore_space; HISTFILE=$HOME/.history SAVEHIST=9 HISTSIZE=9"),
        ("fish", &[], "true"),
    ];
    for (name, args, setup) in shells {
        let Some(path) = find(name) else {
            continue;
        };
        let sandbox = Sandbox::new();
        sandbox.start_session("work", [&[path.to_str().unwrap()], args].concat());
        sandbox.sess(["wait", "work", "--text", ".", "--timeout", "10s"]).expect(0);
        sandbox.sess(["wait", "work", "--idle", "200ms", "--timeout", "10s"]).expect(0);
        for line in [setup, "echo typed-by-hand"] {
            sandbox.sess(["send", "work", line, "--enter"]).expect(0);
        }
        sandbox.sess(["wait", "work", "--text", "^typed-", "--timeout", "10s"]).expect(0);
        sandbox.sess(["run", "work", "--", "echo ran"]).expect(0);
        let save = if name == "zsh" { "fc -W; exit" } else { "exit" };
        sandbox.sess(["run", "work", "--", save]);
        wait_until("the end", || sandbox.sess(["status", "-q", "work"]).code == 3);
        let kept = [".history", ".local/share/fish/fish_history"];
        let history = kept.map(|file| sandbox.read(&format!("home/{file}"))).concat();
        let history = String::from_utf8_lossy(&history);
        assert!(history.contains("echo typed"), "{name}: {history}");
        assert!(!history.contains("7377"), "{name}: {history}");
    }
}

#[test]
fn a_prompt_that_takes_its_time_is_waited_for() {
    let sandbox = Sandbox::new();
    let new = ["new", "-d", "-e", "PROMPT_COMMAND=sleep 0.3", "work", "--", "bash", "--norc"];
    sandbox.sess(new).expect(0);
    sandbox.sess(["wait", "work", "--text", "\\$ $", "--timeout", "10s"]).expect(0);
    for n in ["1", "2", "3"] {
        assert_eq!(
            sandbox.sess(["run", "work", "--", "echo", n]).expect(0).stdout,
            format!("{n}\n")
        );
    }
}

#[test]
fn hooks_that_show_the_line_as_a_title_forge_no_marks() {
    let hooks = [
        ("zsh", "-f", r#"preexec() { print -Pn "\e]0;$1\a"; }"#),
        (
            "bash",
            "--norc",
            r#"PS0='\e]0;\${BASH_COMMAND}\a'; PROMPT_COMMAND='echo -ne "\033]0;$(history 1)\007"'"#,
        ),
    ];
    for (shell, option, hook) in hooks {
        let Some(path) = find(shell) else {
            continue;
        };
        let sandbox = Sandbox::new();
        sandbox.start_session("work", [path.to_str().unwrap(), option]);
        sandbox.sess(["run", "work", "--timeout", "20s", "--", hook]).expect(0);
        let ran = sandbox.sess(["run", "work", "--", "echo A; sh -c 'exit 3'"]).expect(3);
        assert_eq!(ran.stdout, "A\n", "{shell}");
    }
}

#[test]
fn answers_that_a_command_did_not_read_are_not_run() {
    for shell in shells() {
        let sandbox = Sandbox::new();
        shell.start(&sandbox);
        let asks = "printf '\\033[c\\033[6n'; sleep 0.2; echo asked";
        let ran = shell.run(&sandbox, &[asks]).expect(0);
        assert!(ran.stdout.contains("asked"), "{ran:?}");
        shell.says(&sandbox, &["echo", "fine"], 0, "fine\n");
    }
}

#[test]
fn what_was_typed_while_a_command_ran_is_not_run_with_the_next() {
    for shell in shells() {
        let sandbox = Sandbox::new();
        shell.start(&sandbox);
        shell.says(&sandbox, &["true"], 0, "");
        let run = sandbox.start_sess(["run", shell.name, "--", "echo begun; sleep 1"]);
        sandbox.sess(["wait", shell.name, "--text", "^begun$", "--timeout", "10s"]).expect(0);
        sandbox.sess(["send", shell.name, "touch never "]).expect(0);
        sandbox.finish(run).expect(0);
        shell.says(&sandbox, &["echo", "next"], 0, "next\n");
        assert!(!sandbox.path("never").exists(), "{}", shell.name);
    }
}

#[test]
fn a_builtin_that_swallows_the_line_costs_one_run_and_no_more() {
    for shell in shells() {
        let sandbox = Sandbox::new();
        shell.start(&sandbox);
        shell.says(&sandbox, &["true"], 0, "");
        sandbox.sess(["send", shell.name, "read x", "--enter", "--wait-idle", "300ms"]).expect(0);
        let swallowed = sandbox.sess(["run", shell.name, "--timeout", "20s", "--", "echo lost"]);
        assert_eq!(swallowed.code, 125, "{}: {swallowed:?}", shell.name);
        assert!(swallowed.stderr.contains("did not begin"), "{swallowed:?}");
        sandbox.sess(["send", shell.name, "-k", "C-c", "--wait-idle", "200ms"]).expect(0);
        shell.says(&sandbox, &["echo", "fine"], 0, "fine\n");
    }
}

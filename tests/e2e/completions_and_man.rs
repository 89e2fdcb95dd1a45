//! Completion scripts, with the names of sessions, and manual pages.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{Sandbox, find, is_there};

/// Writes a shell's completion script into the sandbox.
fn script_for(sandbox: &Sandbox, shell: &str) -> PathBuf {
    let output = sandbox.sess(["completions", shell]).expect(0);
    assert_eq!(output.stderr, "");
    sandbox.write(&format!("completions.{shell}"), output.stdout)
}

/// A shell that finds `sess` in its PATH.
fn shell(sandbox: &Sandbox, program: PathBuf) -> Command {
    let mut command = sandbox.command(program);
    command.env("PATH", path());
    command
}

fn path() -> String {
    let folder = PathBuf::from(env!("CARGO_BIN_EXE_sess"));
    format!("{}:/usr/bin:/bin", folder.parent().unwrap().display())
}

fn start_sessions(sandbox: &Sandbox) {
    for name in ["work", "wonder", "play", "my work"] {
        sandbox.start_session(name, ["cat"]);
    }
    sandbox.start_session_that_ends("worn", "exit 0");
}

/// What bash completes a line to whose last word is still being typed.
fn in_bash(sandbox: &Sandbox, bash: &Path, words: &[&str]) -> Vec<String> {
    let quoted: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
    let at = words.len() - 1;
    let script = format!(
        "set -u; source ./completions.bash; shopt -s extglob
         [[ $(complete -p sess) =~ -F\\ ([a-z_]+) ]] || exit 9
         COMP_WORDS=({}); COMP_CWORD={at}; COMP_LINE=\"${{COMP_WORDS[*]}}\"
         COMP_POINT=${{#COMP_LINE}}; COMPREPLY=()
         ${{BASH_REMATCH[1]}} sess \"${{COMP_WORDS[{at}]}}\" \"${{COMP_WORDS[{at}-1]}}\"
         [[ ${{#COMPREPLY[@]}} = 0 ]] || printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        quoted.join(" "),
    );
    let mut command = shell(sandbox, bash.to_owned());
    command.args(["--norc", "--noprofile", "-c", &script]);
    let output = sandbox.run(command).expect(0);
    let mut found: Vec<_> = output.stdout.lines().map(str::to_owned).collect();
    found.sort();
    found
}

#[test]
fn bash_sources_the_script_and_completes_verbs_options_and_sessions() {
    let Some(bash) = find("bash") else { return };
    let sandbox = Sandbox::new();
    let script = script_for(&sandbox, "bash");
    let mut check = shell(&sandbox, bash.clone());
    check.arg("-n").arg(&script);
    assert_eq!(sandbox.run(check).expect(0).stderr, "");
    start_sessions(&sandbox);
    let complete = |words: &[&str]| in_bash(&sandbox, &bash, words);
    assert_eq!(complete(&["sess", "att"]), ["attach"]);
    assert_eq!(complete(&["sess", "new", "--deta"]), ["--detached"]);
    for verb in ["attach", "a", "status", "kill"] {
        assert_eq!(complete(&["sess", verb, "wo"]), ["wonder", "work", "worn"], "{verb}");
        assert_eq!(complete(&["sess", verb, "work"]), ["work"]);
        assert_eq!(complete(&["sess", verb, "m"]), ["my\\ work"]);
        assert_eq!(complete(&["sess", verb, ""]).len(), 5);
    }
    // To detach from what has ended makes no sense.
    assert_eq!(complete(&["sess", "detach", "wo"]), ["wonder", "work"]);
    assert_eq!(complete(&["sess", "kill", "play", "wo"]), ["wonder", "work", "worn"]);
    assert_eq!(complete(&["sess", "kill", "--grace", "wo"]), [""; 0]);
    assert_eq!(complete(&["sess", "attach", "--read-only", "pl"]), ["play"]);
    // A session to be has a name that nobody knows.
    assert_eq!(complete(&["sess", "new", "wo"]), [""; 0]);
    assert!(complete(&["sess", "completions", ""]).contains(&"zsh".to_owned()));
}

#[test]
fn the_tab_key_completes_a_session_in_bash() {
    let Some(bash) = find("bash") else { return };
    let sandbox = Sandbox::new();
    script_for(&sandbox, "bash");
    start_sessions(&sandbox);
    let terminal = sandbox.terminal().env("PATH", path());
    let terminal = terminal.run(bash.to_str().unwrap(), ["--norc", "--noprofile", "-i"]);
    terminal.type_line("source ./completions.bash; echo SOU''RCED");
    terminal.wait_for_text("SOURCED");
    terminal.type_bytes("sess status pl\t");
    terminal.wait_for_text("sess status play");
    terminal.type_line("");
    terminal.wait_until("its state", |it| {
        it.rows().iter().any(|row| row.starts_with("state:") && row.ends_with("running"))
    });
    terminal.type_bytes("sess status -q my\t");
    terminal.wait_for_text("my\\ work");
    terminal.type_line("; echo code $?");
    terminal.wait_for_text("code 0");
}

#[test]
fn zsh_sources_the_script_and_completes_sessions() {
    let Some(zsh) = find("zsh") else { return };
    let sandbox = Sandbox::new();
    let script = script_for(&sandbox, "zsh");
    let mut check = shell(&sandbox, zsh.clone());
    check.arg("-n").arg(&script);
    assert_eq!(sandbox.run(check).expect(0).stderr, "");
    start_sessions(&sandbox);
    let terminal = sandbox.terminal().env("PATH", path());
    let terminal = terminal.run(zsh.to_str().unwrap(), ["-f", "-i"]);
    terminal.type_line(
        "autoload -U compinit; compinit -u -D; source ./completions.zsh; echo SOU''RCED",
    );
    terminal.wait_for_text("SOURCED");
    terminal.type_bytes("sess status pl\t");
    terminal.wait_for_text("sess status play");
    terminal.type_line("");
    terminal.wait_until("its state", |it| {
        it.rows().iter().any(|row| row.starts_with("state:") && row.ends_with("running"))
    });
    terminal.type_bytes("sess att\t");
    terminal.wait_for_text("sess attach");
}

#[test]
fn fish_sources_the_script_and_completes_sessions() {
    let Some(fish) = find("fish") else { return };
    let sandbox = Sandbox::new();
    let script = script_for(&sandbox, "fish");
    let mut check = shell(&sandbox, fish.clone());
    check.arg("--no-execute").arg(&script);
    assert_eq!(sandbox.run(check).expect(0).stderr, "");
    start_sessions(&sandbox);
    let complete = |line: &str| {
        let mut command = shell(&sandbox, fish.clone());
        let script = format!("source ./completions.fish; complete -C '{line}'");
        command.args(["--no-config", "-c", &script]);
        let output = sandbox.run(command).expect(0);
        assert_eq!(output.stderr, "");
        let words = output.stdout.lines().map(|line| line.split('\t').next().unwrap().to_owned());
        words.collect::<Vec<_>>()
    };
    assert_eq!(complete("sess atta"), ["attach"]);
    assert_eq!(complete("sess new --deta"), ["--detached"]);
    for verb in ["attach", "a", "status", "kill"] {
        assert_eq!(complete(&format!("sess {verb} wor")), ["work", "worn"], "{verb}");
    }
    assert_eq!(complete("sess detach wor"), ["work"]);
    assert_eq!(complete("sess new wor"), [""; 0]);
}

#[test]
fn there_is_a_script_for_every_shell_that_is_offered() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = sandbox.sess(["completions", shell]).expect(0);
        assert!(output.stdout.len() > 1000, "{shell}");
    }
}

#[test]
fn completing_is_quiet_where_there_are_no_sessions_or_the_directory_is_bad() {
    let Some(bash) = find("bash") else { return };
    let sandbox = Sandbox::new();
    script_for(&sandbox, "bash");
    assert_eq!(in_bash(&sandbox, &bash, &["sess", "attach", ""]), [""; 0]);
    assert!(!is_there(&sandbox.sessions()));
    sandbox.write("sessions", "a file");
    assert_eq!(in_bash(&sandbox, &bash, &["sess", "attach", ""]), [""; 0]);
}

/// Writes the manual pages; returns their paths.
fn pages(sandbox: &Sandbox) -> Vec<PathBuf> {
    let dir = sandbox.path("share/man/man1");
    let output = sandbox.sess(["man", dir.to_str().unwrap()]).expect(0);
    assert_eq!((output.stdout, output.stderr), (String::new(), String::new()));
    let mut pages: Vec<_> =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.sort();
    pages
}

#[test]
fn there_is_a_manual_page_for_sess_and_every_verb() {
    let sandbox = Sandbox::new();
    let pages = pages(&sandbox);
    let names: Vec<_> = pages.iter().map(|p| p.file_name().unwrap().to_str().unwrap()).collect();
    let verbs = [
        "attach",
        "capture",
        "completions",
        "config",
        "detach",
        "events",
        "kill",
        "logs",
        "ls",
        "man",
        "new",
        "prune",
        "rename",
        "resize",
        "restart",
        "restore",
        "run",
        "send",
        "status",
        "wait",
    ];
    let mut expected: Vec<_> = verbs.iter().map(|verb| format!("sess-{verb}.1")).collect();
    expected.push("sess.1".to_owned());
    assert_eq!(names, expected);
    // Again over the old ones.
    assert_eq!(self::pages(&sandbox), pages);
}

#[test]
fn man_shows_the_pages() {
    let Some(man) = find("man") else { return };
    let sandbox = Sandbox::new();
    for page in pages(&sandbox) {
        let mut command = sandbox.command(&man);
        command.arg("-l").arg(&page).env("MANPAGER", "cat").env("MANWIDTH", "80");
        let output = sandbox.run(command).expect(0);
        // A machine made small may have a `man` that only apologises.
        if output.stdout.contains("minimized") {
            return crate::harness::skipped("man shows nothing here");
        }
        let words = page.file_stem().unwrap().to_str().unwrap().replace('-', " ");
        for part in ["NAME", "SYNOPSIS", "EXAMPLES", &words] {
            assert!(output.stdout.contains(part), "{part}: {}", output.stdout);
        }
    }
}

#[test]
fn the_synopsis_is_the_usage_of_the_help() {
    let sandbox = Sandbox::new();
    for page in pages(&sandbox) {
        let verb = page.file_stem().unwrap().to_str().unwrap().split_once('-');
        let help = sandbox.sess(verb.map(|(_, verb)| verb).into_iter().chain(["--help"])).expect(0);
        let usage = help.stdout.lines().find_map(|line| line.strip_prefix("Usage: ")).unwrap();
        let text = std::fs::read_to_string(&page).unwrap().replace("\\-", "-");
        assert!(text.contains(&format!(".SH SYNOPSIS\n{usage}\n.SH")), "{usage}: {text}");
    }
}

#[test]
fn groff_finds_no_fault_with_the_pages() {
    let Some(groff) = find("groff") else { return };
    let sandbox = Sandbox::new();
    for page in pages(&sandbox) {
        let mut command = sandbox.command(&groff);
        command.args(["-man", "-Kutf8", "-Tutf8", "-P-cbou", "-ww"]).arg(&page);
        let output = sandbox.run(command).expect(0);
        assert_eq!(output.stderr, "", "{}", page.display());
        assert!(output.stdout.contains("\nEXAMPLES\n"), "{}", output.stdout);
    }
}

#[test]
fn pages_that_cannot_be_written_are_an_error() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("file", "content");
    for dir in [file.clone(), file.join("below")] {
        let path = dir.to_str().unwrap();
        sandbox.sess(["man", path]).expect_error(1, path);
    }
    assert_eq!(sandbox.read("file"), b"content");
}

//! Where sessions are: which directory is chosen, what is made in it, and how a
//! place that was removed comes back.

mod healing;

use std::path::PathBuf;

use crate::harness::{Output, Sandbox, find, is_root, is_there, listing, mode, set_mode};

/// Runs `sess` where `SESS_DIR` names nothing.
#[track_caller]
fn everywhere(sandbox: &Sandbox, words: &[&str]) -> Output {
    let mut command = sandbox.sess_command(words);
    command.env_remove("SESS_DIR");
    sandbox.run(command)
}

/// A name that no real session in /var/tmp has.
fn name() -> String {
    format!("places-{}", std::process::id())
}

#[test]
fn the_first_usable_candidate_is_chosen_and_found_from_anywhere() {
    let sandbox = Sandbox::new();
    let name = name();
    let state = sandbox.path("state/sess").join(&name);
    let home = sandbox.path("home/.local/state/sess").join(&name);
    everywhere(&sandbox, &["new", "-d", &name, "--", "cat"]).expect(0);
    assert!(is_there(&state.join("sock")) && !is_there(&home));
    everywhere(&sandbox, &["kill", &name]).expect(0);

    for (key, value) in [("XDG_STATE_HOME", None), ("XDG_STATE_HOME", Some("relative"))] {
        let without = |words: &[&str]| {
            let mut command = sandbox.sess_command(words);
            command.env_remove("SESS_DIR").env_remove(key);
            value.map(|value| command.env(key, value));
            sandbox.run(command)
        };
        without(&["new", "-d", &name, "--", "cat"]).expect(0);
        assert!(is_there(&home.join("sock")));
        assert!(!is_there(&sandbox.path("relative")));
        // As a login finds what cron started.
        everywhere(&sandbox, &["status", &name]).expect(0);
        everywhere(&sandbox, &["kill", &name]).expect(0);
    }
}

#[test]
fn with_sess_dir_nothing_else_is_looked_at() {
    let sandbox = Sandbox::new();
    let name = name();
    everywhere(&sandbox, &["new", "-d", &name, "--", "cat"]).expect(0);
    sandbox.sess(["status", &name]).expect(4);
    assert_eq!(sandbox.sess(["ls", "-a", "-q"]).expect(0).stdout, "");
    sandbox.sess(["new", "-d", &name, "--", "cat"]).expect(0);
}

#[test]
fn missing_directories_are_made_private_whatever_the_umask() {
    for umask in ["000", "022", "077", "777"] {
        let sandbox = Sandbox::new();
        let mut command = sandbox.command("sh");
        let script = format!("umask {umask}; exec \"$0\" new -d work -- cat");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_sess")]);
        command.env("SESS_DIR", sandbox.path("a/b/c"));
        sandbox.run(command).expect(0);
        for dir in ["a", "a/b", "a/b/c", "a/b/c/work", "a/b/c/work/record"] {
            assert_eq!(mode(&sandbox.path(dir)), 0o700, "{umask} {dir}");
        }
        for file in ["sock", "lock", "record/start.json"] {
            let path = sandbox.path("a/b/c/work").join(file);
            assert_eq!(mode(&path), 0o600, "{umask} {file}");
        }
        let mut command = sandbox.sess_command(["kill", "work"]);
        command.env("SESS_DIR", sandbox.path("a/b/c"));
        sandbox.run(command).expect(0);
        assert_eq!(mode(&sandbox.path("a/b/c/work/record/exit.json")), 0o600);
        assert!(!is_there(&sandbox.path("a/b/c/work/sock")));
    }
}

#[test]
fn a_bad_candidate_is_warned_about_and_passed_over() {
    for why in ["open", "directory", "link"] {
        let sandbox = Sandbox::new();
        let (name, bad) = (name(), sandbox.path("state/sess"));
        match why {
            "open" => {
                std::fs::create_dir(&bad).unwrap();
                set_mode(&bad, 0o755);
            }
            "directory" => std::fs::write(&bad, "").unwrap(),
            _ => std::os::unix::fs::symlink("/tmp", &bad).unwrap(),
        }
        let before = listing(&bad);
        for words in [&["new", "-d", &name, "--", "cat"][..], &["status", &name], &["ls"]] {
            let output = everywhere(&sandbox, words).expect(0);
            assert!(output.stderr.starts_with("sess: warning: "), "{}", output.stderr);
            assert!(output.stderr.contains(bad.to_str().unwrap()), "{}", output.stderr);
            assert!(output.stderr.contains(why), "{}", output.stderr);
            assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
        }
        assert!(is_there(&sandbox.path("home/.local/state/sess").join(&name).join("sock")));
        assert_eq!(listing(&bad), before);
    }
}

#[test]
fn a_candidate_that_cannot_be_made_is_passed_over_without_a_word() {
    let sandbox = Sandbox::new();
    let name = name();
    sandbox.write("file", "");
    let mut command = sandbox.sess_command(["new", "-d", &name, "--", "cat"]);
    command.env_remove("SESS_DIR").env("XDG_STATE_HOME", sandbox.path("file/below"));
    let output = sandbox.run(command).expect(0);
    assert_eq!(output.stderr, "");
    everywhere(&sandbox, &["status", &name]).expect(0);
}

#[test]
fn a_user_in_no_database_is_no_trouble() {
    let Some(setpriv) = find("setpriv") else { return };
    if !is_root() {
        return;
    }
    let sandbox = Sandbox::new();
    set_mode(&sandbox.path(""), 0o777);
    // Where it is built, others may not look.
    sandbox.install(env!("CARGO_BIN_EXE_sess"), "sess", "755");
    let script = "./sess ls && export SESS_DIR=$PWD/mine && ./sess new -d work && ./sess ls &&
        ./sess kill --grace 0s work";
    let mut command = sandbox.command(setpriv);
    command.env_clear().env("PATH", "/usr/bin:/bin");
    command.args(["--reuid=54321", "--clear-groups", "sh", "-c", script]);
    let output = sandbox.run(command).expect(0);
    assert!(output.stdout.contains("/bin/sh"), "{}", output.stdout);
}

/// Runs a script where /var/tmp is empty and our own, and the first two
/// candidates are files.
fn in_the_last_place(sandbox: &Sandbox, script: &str) -> Option<Output> {
    sandbox.write("state/sess", "a file");
    sandbox.write("home/.local/state/sess", "a file");
    sandbox.run_with_own_var_tmp(script)
}

#[test]
fn the_last_candidate_is_in_var_tmp() {
    let sandbox = Sandbox::new();
    let script = "$sess new -d work -- cat; $sess status -q work; ls -A /var/tmp
        stat -c %a /var/tmp/sess-0; $sess kill work";
    let Some(output) = in_the_last_place(&sandbox, script) else { return };
    let output = output.expect(0);
    assert_eq!(output.stdout, "work\nsess-0\n700\n");
    assert_eq!(output.stderr.lines().count(), 6, "two warnings each: {}", output.stderr);
}

#[test]
fn without_any_usable_candidate_new_fails_and_says_why() {
    let sandbox = Sandbox::new();
    let script = "touch /var/tmp/sess-0; $sess new -d work -- cat; echo code $?";
    let Some(output) = in_the_last_place(&sandbox, script) else { return };
    assert_eq!(output.stdout, "code 1\n");
    let last: Vec<_> = output.stderr.lines().rev().take(2).collect();
    assert!(last[0].starts_with("hint: ") && last[0].contains("SESS_DIR"), "{}", output.stderr);
    assert!(last[1].starts_with("sess: ") && last[1].contains("/var/tmp/sess-0"));
}

#[test]
fn looking_changes_nothing() {
    let sandbox = Sandbox::new();
    sandbox.start_session("running", ["cat"]);
    sandbox.start_session_that_ends("ended", "exit 3");
    let stopped = sandbox.start_session("stopped", ["cat"]);
    let dead = sandbox.start_session("dead", ["cat"]);
    dead.lose_both();
    stopped.stop_holder();
    std::fs::create_dir(sandbox.sessions().join("empty")).unwrap();
    std::fs::write(sandbox.sessions().join("file"), "x").unwrap();
    let before = listing(&sandbox.sessions());
    assert!(before.len() > 15);
    for (words, code) in [
        (&["ls"][..], 0),
        (&["ls", "-a"], 0),
        (&["ls", "-a", "--json"], 0),
        (&["ls", "-q", "--filter", "state=dead"], 0),
        (&["status", "running"], 0),
        (&["status", "dead"], 1),
        (&["status", "ended"], 3),
        (&["status", "none"], 4),
        (&["status", "stopped"], 5),
        (&["status", "empty"], 4),
        (&["attach", "ended"], 3),
        (&["attach", "dead"], 125),
        (&["detach", "running"], 0),
        (&["detach", "none"], 4),
        (&["new", "-d", "running"], 6),
        (&["new", "-dA", "running"], 0),
    ] {
        sandbox.sess(words).expect(code);
        assert_eq!(listing(&sandbox.sessions()), before, "{words:?}");
    }
    sandbox.attach("running").detach();
    assert_eq!(listing(&sandbox.sessions()), before);
}

#[test]
fn names_are_matched_exactly() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    for name in ["wor", "workk", "Work", "WORK", "w*", "work ", " work", "work~2", "wórk", "1"] {
        for verb in ["status", "kill", "detach"] {
            sandbox.sess([verb, name]).expect_error(4, name.trim());
        }
        sandbox.sess(["attach", name]).expect_error(125, name.trim());
    }
    assert_eq!(sandbox.session("work").pid, session.pid);
}

#[test]
fn the_folder_holds_what_the_contract_says() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    let names = |path: PathBuf| {
        let mut names: Vec<_> = std::fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    crate::harness::wait_until("the record", || {
        is_there(&session.folder().join("record/start.json"))
    });
    assert_eq!(names(sandbox.sessions()), ["work"]);
    assert_eq!(names(session.folder()), ["lock", "record", "sock"]);
    assert_eq!(names(session.folder().join("record")), ["start.json"]);
    sandbox.sess(["kill", "work"]).expect(0);
    assert_eq!(names(session.folder()), ["lock", "record"]);
    assert_eq!(
        names(session.folder().join("record")),
        ["exit.json", "latest.json", "output-0000000000", "start.json"]
    );
}

//! Sessions directories that may not be used, that are in two places, or whose
//! paths are odd.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{chown, symlink};
use std::path::{Path, PathBuf};

use super::expect_wrong_usage;
use crate::harness::{Sandbox, is_root, is_there, listing, set_mode};

/// Fails unless every verb refuses to work in this directory and changes nothing.
#[track_caller]
fn expect_refused(sandbox: &Sandbox, dir: &Path, why: &str) {
    let before = listing(&sandbox.path("places"));
    let path = dir.to_str().unwrap();
    for (words, code) in [
        (&["new", "-d", "work", "--", "cat"][..], 1),
        (&["new", "-d", "--", "cat"], 1),
        (&["ls"], 1),
        (&["ls", "-a", "--json"], 1),
        (&["status", "work"], 1),
        (&["status"], 1),
        (&["kill", "work"], 1),
        (&["kill", "--all"], 1),
        (&["detach", "work"], 1),
        (&["attach", "work"], 125),
    ] {
        let mut command = sandbox.sess_command(words);
        command.env("SESS_DIR", dir);
        let output = sandbox.run(command).expect_error(code, path);
        assert!(output.stderr.contains(why), "{words:?}: {}", output.stderr);
        assert_eq!(output.stdout, "");
    }
    let terminal = sandbox.terminal().env("SESS_DIR", dir);
    let mut terminal = terminal.sess(["new", "work", "--", "cat"]);
    assert_eq!(terminal.wait_for_exit(), 125, "{}", terminal.text());
    assert_eq!(terminal.modes(), terminal.modes_before());
    assert_eq!(listing(&sandbox.path("places")), before);
}

fn make_place(sandbox: &Sandbox, name: &str, mode: u32) -> PathBuf {
    let path = sandbox.path("places").join(name);
    std::fs::create_dir_all(&path).unwrap();
    set_mode(&path, mode);
    path
}

#[test]
fn a_directory_that_is_open_to_others_is_refused() {
    let sandbox = Sandbox::new();
    for mode in [0o755, 0o750, 0o701, 0o777, 0o720] {
        let dir = make_place(&sandbox, "open", mode);
        expect_refused(&sandbox, &dir, "open to others");
    }
}

#[test]
fn a_directory_of_somebody_else_is_refused() {
    if !is_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let dir = make_place(&sandbox, "foreign", 0o700);
    chown(&dir, Some(65_534), None).unwrap();
    expect_refused(&sandbox, &dir, "65534");
}

#[test]
fn a_link_to_a_directory_is_refused() {
    let sandbox = Sandbox::new();
    make_place(&sandbox, "real", 0o700);
    let link = sandbox.path("places").join("link");
    symlink("real", &link).unwrap();
    expect_refused(&sandbox, &link, "symbolic link");
    let mut slash = link.into_os_string();
    slash.push("/");
    expect_refused(&sandbox, Path::new(&slash), "sessions directory");
    let dangling = sandbox.path("places").join("dangling");
    symlink("nowhere", &dangling).unwrap();
    expect_refused(&sandbox, &dangling, "symbolic link");
}

#[test]
fn a_file_is_refused() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("places/file", "content");
    expect_refused(&sandbox, &file, "directory");
    expect_refused(&sandbox, &file.join("below"), "irectory");
}

#[test]
fn a_directory_that_is_not_there_holds_no_sessions() {
    let sandbox = Sandbox::new();
    let output = sandbox.sess(["ls"]).expect(0);
    assert_eq!((output.stdout, output.stderr), (String::new(), String::new()));
    assert_eq!(sandbox.sess(["ls", "-a", "--json"]).expect(0).stdout, "[]\n");
    sandbox.sess(["status", "work"]).expect_error(4, "work");
    sandbox.sess(["kill", "--all"]).expect(0);
    assert!(!is_there(&sandbox.sessions()));
}

#[test]
fn a_name_that_runs_in_two_directories_is_wrong_usage_that_names_both() {
    let sandbox = Sandbox::new();
    let dirs = [sandbox.path("state/sess"), sandbox.path("home/.local/state/sess")];
    // Unlike any name that a real session may have in /var/tmp.
    let name = format!("twice-{}", std::process::id());
    for dir in &dirs {
        let mut command = sandbox.sess_command(["new", "-d", &name, "--", "cat"]);
        sandbox.run({
            command.env("SESS_DIR", dir);
            command
        });
    }
    let everywhere = |words: &[&str]| {
        let mut command = sandbox.sess_command(words);
        command.env_remove("SESS_DIR");
        sandbox.run(command)
    };
    for verb in ["status", "kill", "detach", "attach"] {
        let output = expect_wrong_usage(everywhere(&[verb, &name]));
        for dir in &dirs {
            assert!(output.stderr.contains(dir.to_str().unwrap()), "{}", output.stderr);
        }
    }
    everywhere(&["new", "-d", &name, "--", "cat"]).expect_error(6, &name);
    let names = everywhere(&["ls", "-q"]).expect(0).stdout;
    assert_eq!(names.lines().filter(|line| **line == name).count(), 2, "{names}");

    // One that runs is meant before one that has ended.
    let mut command = sandbox.sess_command(["kill", &name]);
    command.env("SESS_DIR", &dirs[0]);
    sandbox.run(command).expect(0);
    everywhere(&["status", &name]).expect(0);
    everywhere(&["new", "-d", &name, "--", "cat"]).expect_error(6, &name);
    everywhere(&["kill", &name]).expect(0);
    assert!(!is_there(&dirs[1].join(&name).join("sock")));
}

#[test]
fn a_path_of_any_length_works() {
    let sandbox = Sandbox::new();
    let long = "d".repeat(120);
    let dir = sandbox.path("").join(&long).join(&long).join(&long);
    assert!(dir.as_os_str().len() > 360);
    let there = |words: &[&str]| {
        let mut command = sandbox.sess_command(words);
        command.env("SESS_DIR", &dir);
        sandbox.run(command)
    };
    there(&["new", "-d", "work", "--", "cat"]).expect(0);
    assert_eq!(there(&["ls", "-q"]).expect(0).stdout, "work\n");
    there(&["status", "work"]).expect(0);
    let mut terminal = sandbox.terminal().env("SESS_DIR", &dir).sess(["attach", "work"]);
    terminal.wait_until("the screen", |it| !it.raw().is_empty());
    terminal.type_line("hello");
    terminal.wait_for_text("hello\nhello");
    there(&["detach", "work"]).expect(0);
    assert_eq!(terminal.wait_for_exit(), 0);
    std::fs::remove_dir_all(dir.join("work")).unwrap();
    crate::harness::wait_until("its return", || is_there(&dir.join("work/sock")));
    there(&["kill", "work"]).expect(0);
    there(&["status", "work"]).expect(3);
}

#[test]
fn a_relative_path_is_taken_from_here_and_meant_from_anywhere() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("here")).unwrap();
    let from = |cwd: &str, dir: &str, words: &[&str]| {
        let mut command = sandbox.sess_command(words);
        command.current_dir(sandbox.path(cwd)).env("SESS_DIR", dir);
        sandbox.run(command)
    };
    from("here", "rel/sess", &["new", "-d", "work", "--", "cat"]).expect(0);
    from("here", "./rel/../rel/sess/", &["status", "work"]).expect(0);
    from("", "here/rel/sess", &["status", "work"]).expect(0);
    from("", "rel/sess", &["status", "work"]).expect(4);
    std::fs::remove_dir_all(sandbox.path("here/rel")).unwrap();
    crate::harness::wait_until("its return", || is_there(&sandbox.path("here/rel/sess/work/sock")));
    from("here", "rel/sess", &["kill", "work"]).expect(0);
}

#[test]
fn an_empty_variable_is_none() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.sess_command(["new", "-d", "work", "--", "cat"]);
    sandbox.run({
        command.env("SESS_DIR", "");
        command
    });
    assert!(is_there(&sandbox.path("state/sess/work/sock")));
}

#[test]
fn what_is_no_session_in_the_directory_is_let_be() {
    let sandbox = Sandbox::new();
    sandbox.start_session("work", ["cat"]);
    let dir = sandbox.sessions();
    std::fs::write(dir.join("file"), "x").unwrap();
    std::fs::create_dir(dir.join("empty")).unwrap();
    std::fs::create_dir(dir.join(".hidden")).unwrap();
    std::fs::create_dir(dir.join("a~b")).unwrap();
    symlink("work", dir.join("link")).unwrap();
    symlink("nowhere", dir.join("dangling")).unwrap();
    std::fs::create_dir(dir.join(std::ffi::OsStr::from_bytes(b"\xff"))).unwrap();
    for (file, text) in [("start.json", "{}"), ("exit.json", "no json")] {
        sandbox.write(&format!("sessions/odd/record/{file}"), text);
    }
    assert_eq!(sandbox.sess(["ls", "-q"]).expect(0).stdout, "work\n");
    let all = sandbox.sess(["ls", "-a", "-q"]).expect(0).stdout;
    assert!(all.lines().all(|name| ["work", "odd"].contains(&name)), "{all}");
    for name in ["file", "empty", "link", "dangling"] {
        sandbox.sess(["status", name]).expect_error(4, name);
        sandbox.sess(["kill", name]).expect_error(4, name);
    }
    assert!(is_there(&dir.join("file")) && is_there(&dir.join("empty")));
    // A name that leads to no folder can't be made one.
    for name in ["file", "link", "dangling"] {
        sandbox.sess(["new", "-d", name, "--", "cat"]).expect_error(1, name);
    }
    sandbox.sess(["new", "-d", "empty", "--", "cat"]).expect(0);
    sandbox.sess(["kill", "--all"]).expect(0);
}

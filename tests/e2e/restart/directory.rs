//! Where a restarted session's program begins: where its shell was last by its own word,
//! else where the program was, else where it began.

use std::fs::{create_dir, remove_dir};

use sess_sys::process;

use crate::harness::{Output, Sandbox, wait_until};

/// A script that tells where it was started the second time, and does this before.
fn script(first: &str) -> String {
    format!(
        "cd . && test -e $SANDBOX/again || {{ {first}\n}}
         {{ readlink /proc/$$/cwd; tr '\\0' '\\n' </proc/$$/environ | grep ^PWD=; }} >$SANDBOX/told
         exec cat"
    )
}

/// Starts a session that does this in `began` and is in `was` at its end.
fn start(sandbox: &Sandbox, first: &str) {
    for folder in ["began", "was", "a told ö"] {
        let _ = create_dir(sandbox.path(folder));
    }
    let first = format!("{first}\ncd ../was; echo there; read x; exit 3");
    let words = ["new", "-d", "work", "-c", "began", "--", "sh", "-c", &script(&first)];
    sandbox.sess(words).expect(0);
    sandbox.wait_for_line("work", "^there$");
}

/// Restarts it; fails unless it begins there.
#[track_caller]
fn assert_restarts_in(sandbox: &Sandbox, folder: &str) -> Output {
    sandbox.write("again", "");
    let output = sandbox.sess(["restart", "work"]).expect(0);
    let path = sandbox.path(folder).to_str().unwrap().to_owned();
    wait_until("it to tell", || sandbox.count_lines("told") == 2);
    let told = String::from_utf8(sandbox.read("told")).unwrap();
    assert_eq!(told, format!("{path}\nPWD={path}\n"));
    assert_eq!(sandbox.status("work")["cwd"], path);
    output
}

#[test]
fn the_shells_own_word_goes_before_all() {
    for host in [process::host_name().as_str(), "localhost", ""] {
        let sandbox = Sandbox::new();
        let folder = sandbox.path("a%20told%20%C3%b6");
        let folder = folder.to_str().unwrap();
        start(&sandbox, &format!("printf '\\033]7;file://%s%s\\007' '{host}' '{folder}'"));
        sandbox.sess(["send", "work", "--enter"]).expect(0);
        sandbox.wait_for_end("work");
        let output = assert_restarts_in(&sandbox, "a told ö");
        assert_eq!(output.stderr, "");
    }
}

#[test]
fn else_it_is_where_the_program_was_at_its_end() {
    for told in ["file://elsewhere.invalid/tmp", "http://localhost/tmp", "/tmp", "file:///none", ""]
    {
        let sandbox = Sandbox::new();
        start(&sandbox, &format!("printf '\\033]7;{told}\\007'"));
        sandbox.sess(["send", "work", "--enter"]).expect(0);
        sandbox.wait_for_end("work");
        assert_restarts_in(&sandbox, "was");
    }
}

#[test]
fn also_where_it_was_killed() {
    let sandbox = Sandbox::new();
    start(&sandbox, "");
    sandbox.sess(["kill", "work"]).expect(0);
    assert_restarts_in(&sandbox, "was");
}

#[test]
fn where_that_is_gone_it_is_where_it_began() {
    let sandbox = Sandbox::new();
    start(&sandbox, "printf '\\033]7;file:///none/at/all\\007'");
    sandbox.sess(["kill", "work"]).expect(0);
    remove_dir(sandbox.path("was")).unwrap();
    assert_restarts_in(&sandbox, "began");
}

#[test]
fn where_that_is_gone_too_it_is_home_with_a_warning() {
    let sandbox = Sandbox::new();
    start(&sandbox, "");
    sandbox.sess(["kill", "work"]).expect(0);
    remove_dir(sandbox.path("was")).unwrap();
    remove_dir(sandbox.path("began")).unwrap();
    let output = assert_restarts_in(&sandbox, "home");
    let (began, home) = (sandbox.path("began"), sandbox.path("home"));
    let expected = format!(
        "sess: warning: session work: {} is gone; it starts in {}\n",
        began.display(),
        home.display()
    );
    assert_eq!(output.stderr, expected);
}

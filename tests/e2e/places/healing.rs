//! A holder whose places are removed puts them back within a second.

use std::path::Path;
use std::time::{Duration, Instant};

use sess_sys::process::Signal;

use super::name;
use crate::harness::{Sandbox, Session, is_there, mode, wait_until, wait_within};

/// A second, and what a busy machine takes.
const SECOND: Duration = Duration::from_secs(4);

/// Fails unless the session is back where it was, soon.
#[track_caller]
fn assert_comes_back(sandbox: &Sandbox, session: &Session<'_>, since: Instant) {
    let folder = session.folder();
    let back = wait_within(SECOND, || {
        let there = ["sock", "lock", "record/start.json"].iter().all(|f| is_there(&folder.join(f)));
        (there && sandbox.sess(["status", "-q", &session.name]).code == 0).then_some(())
    });
    assert!(back.is_some(), "it did not come back");
    assert!(since.elapsed() < SECOND + Duration::from_secs(1), "{:?}", since.elapsed());
    let now = sandbox.session(&session.name);
    assert_eq!((now.pid, now.holder, &now.id), (session.pid, session.holder, &session.id));
    for (file, expected) in [("sock", 0o600), ("lock", 0o600), ("record", 0o700), ("", 0o700)] {
        assert_eq!(mode(&folder.join(file)), expected, "{file}");
    }
    let mut terminal = sandbox.attach(&session.name);
    terminal.type_line("back");
    terminal.wait_for_text("back\nback");
    terminal.detach();
}

fn remove(path: &Path) {
    let result =
        if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    // The holder may put back what is being removed.
    if let Err(error) = result {
        assert!(!is_there(path) || path.is_dir(), "{}: {error}", path.display());
    }
}

#[test]
fn whatever_is_removed_comes_back_and_the_session_can_be_attached_to() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    let folder = session.folder();
    // One after the other, so that what comes back is looked after, too.
    for _ in 0..2 {
        for path in [folder.join("sock"), folder.join("lock"), folder.clone(), sandbox.sessions()] {
            remove(&path);
            assert_comes_back(&sandbox, &session, Instant::now());
        }
    }
    sandbox.sess(["kill", "work"]).expect(0);
    sandbox.sess(["status", "work"]).expect(3);
}

#[test]
fn who_is_attached_notices_nothing() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    let terminal = sandbox.attach("work");
    remove(&sandbox.sessions());
    assert_comes_back(&sandbox, &session, Instant::now());
    terminal.type_line("still here");
    terminal.wait_for_text("still here\nstill here");
    assert_eq!(sandbox.status("work")["clients"].as_array().unwrap().len(), 1);
}

#[test]
fn everything_above_comes_back_too() {
    let sandbox = Sandbox::new();
    let (dir, name) = (sandbox.path("above/all/sessions"), name());
    let there = |words: &[&str]| {
        let mut command = sandbox.sess_command(words);
        command.env("SESS_DIR", &dir);
        sandbox.run(command)
    };
    there(&["new", "-d", &name, "--", "cat"]).expect(0);
    remove(&sandbox.path("above"));
    wait_until("its return", || there(&["status", "-q", &name]).code == 0);
    for path in ["above", "above/all", "above/all/sessions"] {
        assert_eq!(mode(&sandbox.path(path)), 0o700);
    }
    there(&["kill", &name]).expect(0);
}

#[test]
fn a_wiped_directory_of_many_sessions_comes_back_whole() {
    let sandbox = Sandbox::new();
    let names: Vec<String> = (0..10).map(|n| format!("work{n}")).collect();
    let sessions: Vec<_> = names.iter().map(|name| sandbox.start_session(name, ["cat"])).collect();
    let since = Instant::now();
    remove(&sandbox.sessions());
    for session in &sessions {
        let back = wait_within(Duration::from_secs(10), || {
            (sandbox.sess(["status", "-q", &session.name]).code == 0).then_some(())
        });
        assert!(back.is_some(), "{} did not come back", session.name);
    }
    assert!(since.elapsed() < Duration::from_secs(10));
    for session in &sessions {
        assert_eq!(sandbox.session(&session.name).pid, session.pid);
    }
}

#[test]
fn a_name_that_another_took_meanwhile_gets_a_number() {
    let sandbox = Sandbox::new();
    let first = sandbox.start_session("work", ["cat"]);
    let mut attached = sandbox.attach("work");
    first.stop_holder();
    remove(&first.folder());
    let second = sandbox.start_session("work", ["cat"]);
    first.signal_holder(Signal::CONT);
    wait_until("it to go on", || sandbox.sess(["status", "-q", "work~2"]).code == 0);
    let renamed = sandbox.session("work~2");
    assert_eq!((renamed.pid, renamed.holder), (first.pid, first.holder));
    assert_eq!(sandbox.session("work").pid, second.pid);
    assert_eq!(sandbox.status("work~2")["name"], "work~2");
    let command_line = std::fs::read(format!("/proc/{}/cmdline", first.holder)).unwrap();
    let command_line = String::from_utf8(command_line).unwrap();
    assert_eq!(command_line.trim_end_matches('\0'), "sess: work~2");

    // It is accepted wherever an existing session is named.
    let mut terminal = sandbox.attach("work~2");
    terminal.type_line("hello");
    terminal.wait_for_text("hello\nhello");
    attached.wait_for_text("hello\nhello");
    sandbox.sess(["new", "-d", "work~2"]).expect_error(2, "work~2");
    sandbox.sess(["detach", "work~2"]).expect(0);
    for terminal in [&mut terminal, &mut attached] {
        assert_eq!(terminal.wait_for_exit(), 0);
        assert!(terminal.text().ends_with("[detached from work~2]"), "{}", terminal.text());
    }
    // A second one of that fate gets the next number.
    second.stop_holder();
    remove(&second.folder());
    let third = sandbox.start_session("work", ["cat"]);
    second.signal_holder(Signal::CONT);
    wait_until("it to go on", || sandbox.sess(["status", "-q", "work~3"]).code == 0);
    let names = sandbox.sess(["ls", "-q"]).expect(0).stdout;
    let mut names: Vec<_> = names.lines().collect();
    names.sort_unstable();
    assert_eq!(names, ["work", "work~2", "work~3"]);
    sandbox.sess(["kill", "work~2"]).expect(0);
    sandbox.sess(["status", "work~2"]).expect(3);
    assert_eq!(sandbox.session("work").pid, third.pid);
}

#[test]
fn a_signal_makes_it_look_at_once_also_where_nothing_is_noticed() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    // Moved away, folder and all: no watch on the folder tells.
    std::fs::rename(session.folder(), sandbox.path("moved")).unwrap();
    session.signal_holder(Signal::USR1);
    assert_comes_back(&sandbox, &session, Instant::now());
    std::fs::rename(sandbox.sessions(), sandbox.path("moved-too")).unwrap();
    session.signal_holder(Signal::USR1);
    assert_comes_back(&sandbox, &session, Instant::now());
    // With everything in its place it changes nothing.
    let before = crate::harness::listing(&sandbox.sessions());
    session.signal_holder(Signal::USR1);
    sandbox.sess(["status", "work"]).expect(0);
    assert_eq!(crate::harness::listing(&sandbox.sessions()), before);
}

#[test]
fn a_place_that_is_taken_by_something_else_is_taken_back_when_it_is_free() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    let terminal = sandbox.attach("work");
    session.stop_holder();
    remove(&sandbox.sessions());
    sandbox.write("sessions", "a file in its place");
    session.signal_holder(Signal::CONT);
    terminal.type_line("meanwhile");
    terminal.wait_for_text("meanwhile\nmeanwhile");
    std::fs::remove_file(sandbox.sessions()).unwrap();
    wait_until("its return", || sandbox.sess(["status", "-q", "work"]).code == 0);
    assert_eq!(sandbox.session("work").pid, session.pid);
}

#[test]
fn a_session_that_ends_while_its_places_are_gone_ends_all_the_same() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    let mut terminal = sandbox.attach("work");
    session.stop_holder();
    remove(&sandbox.sessions());
    session.signal_holder(Signal::CONT);
    terminal.type_bytes(b"\x04");
    assert_eq!(terminal.wait_for_exit(), 0);
    terminal.assert_in_order_after("[work exited: 0]");
}

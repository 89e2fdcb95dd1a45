//! The user's terminal, seen from a process that has one: this program, started
//! again on a PTY.

mod support;

use std::ffi::OsString;
use std::os::fd::AsFd;
use std::path::Path;

use sess_sys::child::{Exit, Program, reap};
use sess_sys::poll::{Entry, poll};
use sess_sys::process::{Process, Signal};
use sess_sys::pty::{PtyFollower, PtyLeader, WindowSize};
use sess_sys::signals::raise_stop;
use sess_sys::tty::{Terminal, stdout_is_terminal};

fn main() {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() == Some("--inside") {
        return match args.next().as_deref() {
            Some("facts") => tell_facts(),
            Some("raw") => be_raw(),
            Some("stop") => stop(),
            other => panic!("{other:?}"),
        };
    }
    support::run_cases(&support::cases![
        the_terminal_is_the_one_on_standard_input,
        raw_mode_is_given_back_once,
        a_stopped_process_goes_on_when_continued,
        no_terminal_is_no_error,
    ]);
}

struct Inside {
    leader: PtyLeader,
    follower: PtyFollower,
    process: Process,
    shown: String,
}

impl Inside {
    fn new(what: &str) -> Inside {
        let size = WindowSize { cols: 77, rows: 22, ..WindowSize::default() };
        let (leader, follower) = PtyLeader::open(size).expect("there is a PTY left");
        let this = std::env::current_exe().expect("it has a path");
        let argv: [OsString; 3] = [this.into(), "--inside".into(), what.into()];
        let program = Program::new(&argv, &[], Path::new("/"), 0o022, None).expect("it is sound");
        let pid = program.spawn(&follower).expect("it starts");
        let process = Process::read(pid).expect("it can be read").expect("it runs");
        Inside { leader, follower, process, shown: String::new() }
    }

    #[track_caller]
    fn wait_for(&mut self, text: &str) {
        support::wait_until(text, || {
            let mut buffer = [0; 4096];
            while let Ok(count) = self.leader.read(&mut buffer) {
                self.shown.push_str(&String::from_utf8_lossy(&buffer[..count]));
            }
            assert!(!self.shown.contains("panicked"), "{}", self.shown);
            self.shown.contains(text)
        });
    }

    fn answer(&self) {
        assert_eq!(self.leader.write(b"\n").expect("there is room"), 1);
    }

    fn end(&self) {
        let ended = support::wait_for("the end", || reap().expect("it is ours"));
        assert_eq!(ended, (self.process.pid, Exit::Code(0)), "{}", self.shown);
    }
}

fn terminal() -> Terminal {
    Terminal::from_stdin().expect("it works").expect("it is one")
}

fn say(terminal: &Terminal, text: &str) {
    let written = terminal.write(text.as_bytes()).expect("there is room");
    assert_eq!(written, text.len());
}

fn await_answer(terminal: &Terminal) {
    let mut entries = [Entry::new(terminal.as_fd(), true, false)];
    poll(&mut entries, None).expect("it works");
    assert_eq!(terminal.read(&mut [0; 10]).expect("it has come"), 1);
}

fn tell_facts() {
    let terminal = terminal();
    let size = terminal.size().expect("it has one");
    let path = terminal.path().expect("it has one");
    let id = terminal.id().expect("it has one");
    let flags = std::fs::read_to_string("/proc/self/fdinfo/0").expect("it is open");
    let flags = flags.lines().find_map(|line| line.strip_prefix("flags:")).expect("they are");
    let flags = u32::from_str_radix(flags.trim(), 8).expect("it is a number");
    let facts = format!(
        "{}x{} {} {:?} {} {} {:?}\r\nready",
        size.cols,
        size.rows,
        path.display(),
        id,
        stdout_is_terminal(),
        flags & 0o4000,
        terminal.read(&mut [0; 1]).map_err(|error| error.kind()),
    );
    say(&terminal, &facts);
    await_answer(&terminal);
}

fn the_terminal_is_the_one_on_standard_input() {
    let mut inside = Inside::new("facts");
    inside.wait_for("ready");
    let expected = format!(
        "77x22 {} {:?} true 0 Err(WouldBlock)",
        inside.follower.path().display(),
        inside.follower.id(),
    );
    assert!(inside.shown.starts_with(&expected), "{} is not {expected}", inside.shown);
    inside.answer();
    inside.end();
}

fn be_raw() {
    let terminal = terminal();
    let first = terminal.raw().expect("it works");
    say(&terminal, "one");
    await_answer(&terminal);
    first.saved().restore().expect("it works");
    say(&terminal, "two");
    await_answer(&terminal);
    let second = terminal.raw().expect("it works");
    // Given back already: this must not undo the second.
    drop(first);
    say(&terminal, "three");
    await_answer(&terminal);
    drop(second);
    say(&terminal, "four");
    await_answer(&terminal);
}

fn raw_mode_is_given_back_once() {
    let mut inside = Inside::new("raw");
    for (said, raw) in [("one", true), ("two", false), ("three", true), ("four", false)] {
        inside.wait_for(said);
        assert_eq!(inside.leader.canonical().expect("it can be asked"), !raw, "{said}");
        assert_eq!(inside.leader.echo_off().expect("it can be asked"), raw, "{said}");
        inside.answer();
    }
    inside.end();
}

fn stop() {
    let terminal = terminal();
    raise_stop().expect("it works");
    say(&terminal, "went on");
}

fn a_stopped_process_goes_on_when_continued() {
    let mut inside = Inside::new("stop");
    support::wait_until("it to stop", || {
        let now = Process::read(inside.process.pid).expect("it can be read");
        now.expect("it hasn't ended").state == 'T'
    });
    assert!(inside.process.alive(), "stopped is not dead");
    inside.process.signal(Signal::CONT).expect("it is ours");
    inside.wait_for("went on");
    inside.end();
}

fn no_terminal_is_no_error() {
    let status = std::process::Command::new("/proc/self/exe").arg("--list").output();
    assert!(status.expect("it runs").status.success());
    let here = Terminal::from_stdin().expect("it works");
    assert_eq!(here.is_some(), std::io::IsTerminal::is_terminal(&std::io::stdin()));
}

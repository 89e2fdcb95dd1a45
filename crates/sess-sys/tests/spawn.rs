//! Programs on a terminal of their own.

mod support;

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sess_sys::child::{Exit, Program, SpawnError, reap};
use sess_sys::detach::Rlimit;
use sess_sys::process::{Pid, Process, Signal};
use sess_sys::pty::{PtyFollower, PtyLeader, WindowSize};

/// One test at a time: children are reaped whosever they are.
static CHILDREN: Mutex<()> = Mutex::new(());

struct Stage {
    leader: PtyLeader,
    follower: PtyFollower,
    _alone: MutexGuard<'static, ()>,
}

impl Stage {
    fn new() -> Stage {
        let alone = CHILDREN.lock().unwrap_or_else(PoisonError::into_inner);
        let size = WindowSize { cols: 90, rows: 30, xpixel: 900, ypixel: 600 };
        let (leader, follower) = PtyLeader::open(size).expect("there is a PTY left");
        Stage { leader, follower, _alone: alone }
    }

    fn read(&self, into: &mut String) {
        let mut buffer = [0; 4096];
        while let Ok(count) = self.leader.read(&mut buffer) {
            into.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    }

    fn open_anew(&mut self) {
        let follower = self.leader.follower().expect("it can be opened");
        assert_eq!(follower.id(), self.follower.id());
        assert_eq!(follower.path(), self.follower.path());
        self.follower = follower;
    }

    /// Runs it to its end.
    fn run(&self, program: &Program) -> (String, Exit) {
        let pid = program.spawn(&self.follower).expect("it starts");
        let mut output = String::new();
        let exit = support::wait_for("the program's end", || {
            self.read(&mut output);
            reap().expect("children can be waited for")
        });
        assert_eq!(exit.0, pid);
        self.read(&mut output);
        (output, exit.1)
    }
}

fn program(argv: &[&str], cwd: &Path) -> Program {
    let env = [(OsString::from("PATH"), OsString::from("/usr/bin:/bin"))];
    with_env(argv, &env, cwd)
}

fn with_env(argv: &[&str], env: &[(OsString, OsString)], cwd: &Path) -> Program {
    let argv: Vec<OsString> = argv.iter().map(OsString::from).collect();
    Program::new(&argv, env, cwd, 0o022, None).expect("nothing in it is odd")
}

fn shell(script: &str) -> Program {
    program(&["sh", "-c", script], Path::new("/"))
}

fn executable(path: &Path, text: &str) {
    fs::write(path, text).expect("it can be written");
    fs::set_permissions(path, PermissionsExt::from_mode(0o755)).expect("it is ours");
}

fn fails(stage: &Stage, program: &Program) -> SpawnError {
    let error = program.spawn(&stage.follower).expect_err("it can't start");
    assert_eq!(reap().expect("there is nothing to wait for"), None, "a child is left");
    error
}

#[test]
fn the_end_is_told_as_it_was() {
    let stage = Stage::new();
    assert_eq!(stage.run(&shell("exit 7")).1, Exit::Code(7));
    assert_eq!(stage.run(&shell("kill -KILL $$")).1, Exit::Signal(9));
    let realtime = Signal::realtime(3).number();
    assert_eq!(stage.run(&shell(&format!("kill -{realtime} $$"))).1, Exit::Signal(realtime));
}

#[test]
fn a_program_that_is_not_there_is_127() {
    let stage = Stage::new();
    for name in ["no-such-program", "/no/such/program", "/etc/passwd/x", ""] {
        let error = fails(&stage, &program(&[name], Path::new("/")));
        assert!(matches!(&error, SpawnError::Exec(_)), "{name}: {error:?}");
        let expected = if name.starts_with("/etc") { 126 } else { 127 };
        // ENOTDIR is a kind of its own, yet nothing is there either.
        assert!(error.code() == expected || error.code() == 127, "{name}: {error:?}");
    }
}

#[test]
fn a_file_that_may_not_be_executed_is_126() {
    let stage = Stage::new();
    let place = tempfile::tempdir().expect("a temporary directory");
    fs::write(place.path().join("plain"), "").expect("it can be written");
    let error = fails(&stage, &program(&["./plain"], place.path()));
    assert_eq!(error.code(), 126, "{error:?}");
    // Found by name, with nothing better in the rest of the path.
    let path = format!("{}:/nowhere", place.path().display());
    let env = [("PATH".into(), path.into())];
    let error = fails(&stage, &with_env(&["plain"], &env, Path::new("/")));
    assert_eq!(error.code(), 126, "{error:?}");
}

#[test]
fn a_refusal_does_not_end_the_search() {
    let stage = Stage::new();
    let place = tempfile::tempdir().expect("a temporary directory");
    fs::write(place.path().join("true"), "").expect("it can be written");
    let path = format!("{}:/usr/bin:/bin", place.path().display());
    let env = [("PATH".into(), path.into())];
    assert_eq!(stage.run(&with_env(&["true"], &env, Path::new("/"))).1, Exit::Code(0));
}

#[test]
fn a_missing_working_directory_is_told_apart() {
    let stage = Stage::new();
    let error = fails(&stage, &program(&["true"], Path::new("/no/such/place")));
    match error {
        SpawnError::WorkingDirectory(error) => assert_eq!(error.kind(), ErrorKind::NotFound),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_relative_name_starts_at_the_working_directory() {
    let stage = Stage::new();
    let place = tempfile::tempdir().expect("a temporary directory");
    executable(&place.path().join("here"), "#!/bin/sh\necho \"$PWD $0\"\n");
    let (output, _) = stage.run(&program(&["./here"], place.path()));
    assert_eq!(output, format!("{} ./here\r\n", place.path().display()));
}

#[test]
fn a_script_without_its_first_line_runs_in_a_shell() {
    let stage = Stage::new();
    let place = tempfile::tempdir().expect("a temporary directory");
    executable(&place.path().join("script"), "echo \"$#: $1 $2\"\nexit 3\n");
    let ended = stage.run(&program(&["./script", "a b", "c"], place.path()));
    assert_eq!(ended, ("2: a b c\r\n".to_owned(), Exit::Code(3)));
}

#[test]
fn the_environment_is_exactly_the_given_one() {
    let stage = Stage::new();
    let env = [("A".into(), "1=2".into()), ("B".into(), OsString::new())];
    let (output, _) = stage.run(&with_env(&["/usr/bin/env"], &env, Path::new("/")));
    assert_eq!(output, "A=1=2\r\nB=\r\n");
    // Without a path, programs are still found.
    assert_eq!(stage.run(&with_env(&["env"], &env, Path::new("/"))).1, Exit::Code(0));
}

#[test]
fn no_descriptor_of_ours_is_left_open() {
    let stage = Stage::new();
    let ours = rustix::io::dup(std::io::stderr()).expect("a descriptor without close-on-exec");
    let high = rustix::io::fcntl_dupfd_cloexec(&ours, 200).expect("another");
    rustix::io::fcntl_setfd(&high, rustix::io::FdFlags::empty()).expect("it is ours");
    let (output, _) = stage.run(&program(&["ls", "/proc/self/fd"], Path::new("/")));
    drop((ours, high));
    let open: Vec<&str> = output.split_whitespace().collect();
    // The fourth is where ls reads the directory from.
    assert_eq!(open, ["0", "1", "2", "3"]);
}

#[test]
fn no_signal_is_blocked_or_ignored() {
    let stage = Stage::new();
    let blocked = {
        let mut set = nix::sys::signal::SigSet::empty();
        set.add(nix::sys::signal::Signal::SIGUSR1);
        set
    };
    blocked.thread_block().expect("it can be blocked");
    // SIGPIPE is ignored in every Rust program, this one too.
    let pattern = ["grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"];
    let (output, _) = stage.run(&program(&pattern, Path::new("/")));
    let zeroes = "0000000000000000";
    assert_eq!(output, format!("SigBlk:\t{zeroes}\r\nSigIgn:\t{zeroes}\r\n"));
    let now = nix::sys::signal::SigSet::thread_get_mask().expect("it can be asked");
    assert!(now.contains(nix::sys::signal::Signal::SIGUSR1), "our own mask was changed");
    blocked.thread_unblock().expect("it was blocked");
}

#[test]
fn the_program_leads_a_session_on_its_terminal() {
    let stage = Stage::new();
    let (output, _) = stage.run(&shell("tty; stty size; cat /proc/$$/stat; stty -a"));
    let mut lines = output.lines();
    assert_eq!(lines.next().map(Path::new), Some(stage.follower.path()));
    assert_eq!(lines.next(), Some("30 90"));
    let stat: Vec<&str> = lines.next().expect("a third line").split(' ').collect();
    let [pid, session, foreground] = [stat[0], stat[5], stat[7]];
    assert_eq!((session, foreground), (pid, pid));
    assert!(output.contains(" iutf8"), "{output}");
}

#[test]
fn umask_and_descriptor_limit_are_the_given_ones() {
    let stage = Stage::new();
    let mut program = shell("umask; ulimit -Sn; ulimit -Hn");
    program.umask = 0o077;
    program.nofile = Some(Rlimit { soft: 100, hard: 200 });
    assert_eq!(stage.run(&program).0, "0077\r\n100\r\n200\r\n");
}

#[test]
fn the_terminal_tells_of_size_modes_and_foreground() {
    let stage = Stage::new();
    assert_eq!(stage.leader.size().expect("it has one").xpixel, 900);
    assert!(!stage.leader.echo_off().expect("it can be asked"));
    assert!(stage.leader.canonical().expect("it can be asked"));
    let pid = shell("stty -echo -icanon; echo ready; read x; stty size; read x")
        .spawn(&stage.follower)
        .expect("it starts");
    let mut output = String::new();
    support::wait_until("the program to be ready", || {
        stage.read(&mut output);
        output.contains("ready")
    });
    assert!(stage.leader.echo_off().expect("it can be asked"));
    assert!(!stage.leader.canonical().expect("it can be asked"));
    assert_eq!(stage.leader.foreground_group().expect("it has one"), pid);
    stage.leader.resize(WindowSize { cols: 44, rows: 33, ..WindowSize::default() }).expect("ok");
    assert_eq!(stage.leader.write(b"\n").expect("there is room"), 1);
    support::wait_until("the new size", || {
        stage.read(&mut output);
        output.contains("33 44")
    });
    end(pid);
}

#[test]
fn a_process_that_is_not_told_to_start_the_program_ends() {
    let stage = Stage::new();
    let poised = shell("echo ran").poise(&stage.follower).expect("it comes that far");
    let pid = poised.pid();
    drop(poised);
    let ended = support::wait_for("its end", || reap().expect("children can be waited for"));
    assert_eq!(ended, (pid, Exit::Code(0)));
    let mut output = String::new();
    stage.read(&mut output);
    assert_eq!(output, "");
}

#[test]
fn a_process_that_ends_before_it_is_told_to_start_the_program_is_no_program() {
    let stage = Stage::new();
    let poised = shell("echo ran").poise(&stage.follower).expect("it comes that far");
    let process = Process::read(poised.pid()).expect("it can be read").expect("it runs");
    process.signal(Signal::KILL).expect("it is ours");
    support::wait_until("its end", || {
        Process::read(process.pid).is_ok_and(|it| it.is_none_or(|it| it.state == 'Z'))
    });
    let error = poised.go().wait().expect_err("it is gone");
    assert!(matches!(error, SpawnError::System(_)), "{error:?}");
    assert_eq!(reap().expect("children can be waited for"), None);
}

#[test]
fn a_terminal_opened_anew_is_as_it_was_at_first() {
    let mut stage = Stage::new();
    let look = shell("echo again; test -t 0 && tty; stty size; stty -g");
    let (first, _) = stage.run(&look);
    for end in ["exit 3", "stty raw -echo -iutf8; exit 3"] {
        assert_eq!(stage.run(&shell(end)).1, Exit::Code(3));
        stage.open_anew();
        assert_eq!(stage.run(&look), (first.clone(), Exit::Code(0)), "after {end}");
    }
    assert!(first.starts_with(&format!("again\r\n{}\r\n30 90", stage.follower.path().display())));
}

#[test]
fn output_that_was_held_up_goes_on_on_a_terminal_opened_anew() {
    let mut stage = Stage::new();
    // What gets the line ends after the key before it has done its work.
    assert_eq!(stage.leader.write(b"\x13\n").expect("there is room"), 2);
    assert_eq!(stage.run(&shell("read -r line; exit 3")).1, Exit::Code(3));
    stage.open_anew();
    let (output, _) = stage.run(&shell("echo again"));
    assert!(output.ends_with("again\r\n"), "{output}");
}

#[test]
fn two_terminals_have_two_identities() {
    let stage = Stage::new();
    let (_leader, other) = PtyLeader::open(WindowSize::default()).expect("there is one left");
    assert_ne!(stage.follower.id(), other.id());
    let node = fs::metadata(stage.follower.path()).expect("it has a node");
    let id = stage.follower.id();
    let there = (std::os::unix::fs::MetadataExt::dev(&node), id.rdev);
    assert_eq!((id.dev, std::os::unix::fs::MetadataExt::rdev(&node)), there);
}

fn end(pid: Pid) {
    let process = Process::read(pid).expect("it can be read").expect("it runs");
    process.signal(Signal::KILL).expect("it is ours");
    support::wait_until("its end", || reap().expect("it is ours").is_some());
}

//! Other processes: what is known of them and how they are told something.

mod support;

use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::process::{Child, Command, Stdio};

use sess_sys::poll::{Entry, poll};
use sess_sys::process::{
    Pid, Process, Signal, Watched, account, ancestors, boot_id, carrying, current, descendants,
    random_u64, usage_of_children,
};

struct Sleeper(Child);

impl Sleeper {
    fn new(change: impl FnOnce(&mut Command)) -> Sleeper {
        let mut command = Command::new("sleep");
        command.arg("1000");
        change(&mut command);
        Sleeper(command.spawn().expect("sleep can be started"))
    }

    fn process(&self) -> Process {
        let pid = Pid(i32::try_from(self.0.id()).expect("it is a process number"));
        Process::read(pid).expect("it can be read").expect("it runs")
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        // Either may have been done by the test.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_process_is_what_it_was_started_as() {
    let sleeper = Sleeper::new(|_| {});
    let process = sleeper.process();
    assert_eq!(process.parent, current());
    assert_eq!(process.name, "sleep");
    // The kernel fills it in a moment after the old program has gone.
    support::wait_until("its command line", || {
        process.command_line().expect("it can be read") == b"sleep\x001000\0"
    });
    assert!(process.alive());
    assert_eq!(Process::read(Pid(i32::MAX)).expect("nobody has it"), None);
}

#[test]
fn one_that_has_ended_is_not_alive_even_before_it_is_waited_for() {
    let sleeper = Sleeper::new(|_| {});
    let process = sleeper.process();
    process.signal(Signal::TERM).expect("it is ours");
    support::wait_until("its end", || !process.alive());
    let zombie = Process::read(process.pid).expect("it can be read").expect("it isn't reaped");
    assert_eq!(zombie.state, 'Z');
    let below = descendants(current(), &mut |_| false).expect("they can be read");
    assert!(below.iter().any(|it| it.pid == process.pid && it.state == 'Z'));
    drop(sleeper);
    process.signal(Signal::TERM).expect("that it has gone is no error");
}

#[test]
fn the_end_of_a_watched_process_is_noticed() {
    let sleeper = Sleeper::new(|_| {});
    let process = sleeper.process();
    let watch = || Watched::open(process.pid).expect("it works");
    let watched = watch().expect("it runs");
    assert!(!watched.has_ended().expect("it can be asked"));
    process.signal(Signal::KILL).expect("it is ours");
    let mut entries = [Entry::new(watched.as_fd(), true, false)];
    poll(&mut entries, None).expect("it works");
    assert!(entries[0].ready.read && watched.has_ended().expect("it can be asked"));
    // Nobody has waited for it yet.
    let zombie = watch().expect("it is there");
    assert!(zombie.has_ended().expect("it can be asked"));
    drop(sleeper);
    assert!(watched.has_ended().expect("it can be asked"));
    assert!(watch().is_none());
}

#[test]
fn no_process_is_watched_under_a_number_that_nobody_has() {
    for number in [i32::MAX, 0, -1, i32::MIN] {
        assert!(Watched::open(Pid(number)).expect("it works").is_none(), "{number}");
    }
}

#[test]
fn what_children_used_is_told_when_they_have_been_waited_for() {
    let before = usage_of_children();
    let script = "i=0; while [ $i -lt 50000 ]; do i=$((i + 1)); done";
    let status = Command::new("sh").args(["-c", script]).status().expect("a shell starts");
    assert!(status.success());
    let after = usage_of_children();
    assert!(after.user > before.user && after.system >= before.system, "{before:?} {after:?}");
    assert!((100..10_000_000).contains(&after.max_rss_kib), "{after:?}");
}

#[test]
fn another_process_of_the_same_number_gets_no_signal() {
    let mut sleeper = Sleeper::new(|_| {});
    let mut earlier = sleeper.process();
    earlier.start -= 1;
    assert!(!earlier.alive());
    earlier.signal(Signal::KILL).expect("nobody is there to be told");
    // Had it been sent, this one would come second and change nothing.
    sleeper.process().signal(Signal::TERM).expect("it is ours");
    let status = sleeper.0.wait().expect("it is ours");
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(15));
}

#[test]
fn what_a_process_has_open_is_known() {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let input = File::open(file.path()).expect("it is there");
    let sleeper = Sleeper::new(|command| {
        command.stdin(Stdio::from(input));
    });
    let process = sleeper.process();
    let open = process.open_files().expect("it is ours");
    assert!(open.iter().any(|path| path == file.path()), "{open:?}");
    let meta = file.as_file().metadata().expect("it is open");
    assert!(process.holds_inode(meta.dev(), meta.ino()).expect("it is ours"));
    assert!(!process.holds_inode(meta.dev(), u64::MAX).expect("it is ours"));
}

#[test]
fn those_that_carry_a_variable_are_found_by_its_exact_value() {
    let value = random_u64().expect("there is chance").to_string();
    let longer = format!("{value}0");
    let one = Sleeper::new(|command| {
        command.env("SESS_TEST_ID", &value);
    });
    let _other = Sleeper::new(|command| {
        command.env("SESS_TEST_ID", &longer).env("XSESS_TEST_ID", &value);
    });
    let pid = one.process().pid;
    // The kernel shows it a moment after the old program has gone.
    let found = support::wait_for("it to carry the variable", || {
        let found = carrying("SESS_TEST_ID", &value).expect("they can be read");
        (!found.is_empty()).then_some(found)
    });
    assert_eq!(found.iter().map(|it| it.pid).collect::<Vec<_>>(), [pid]);
}

#[test]
fn those_above_are_told_nearest_first() {
    let sleeper = Sleeper::new(|_| {});
    let above = ancestors(sleeper.process().pid);
    assert_eq!(above.first().map(|it| it.pid), Some(current()));
    assert!(above.windows(2).all(|pair| pair[0].parent == pair[1].pid));
}

#[test]
fn the_machine_says_who_it_is() {
    assert_eq!(boot_id().expect("it has one").len(), 36);
    assert_ne!(random_u64().expect("there is chance"), random_u64().expect("there is chance"));
    assert!(account().shell.is_none_or(|shell| shell.is_absolute()));
}

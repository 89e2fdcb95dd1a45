//! Leaving everything behind. Each case runs on the one thread that there is.

mod support;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd};
use std::path::Path;
use std::process::Command;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use sess_sys::child::{Program, reap};
use sess_sys::detach::{
    Outcome, become_subreaper, detach, forget_environment, raise_descriptor_limit, set_command_line,
};
use sess_sys::dir::Dir;
use sess_sys::lock::{Held, Lock, is_held};
use sess_sys::poll::{Entry, poll};
use sess_sys::process::{Pid, Process, Signal, Watched, current, descendants};
use sess_sys::pty::{PtyLeader, WindowSize};
use sess_sys::signals::Signals;

fn main() {
    support::run_cases(&support::cases![
        what_is_said_comes_back,
        an_ignored_sigchld_is_no_obstacle,
        silence_and_panic_are_an_empty_answer,
        everything_but_the_kept_is_left_behind,
        what_is_ignored_is_not_ignored_by_programs,
        a_file_too_large_is_a_failed_write,
        a_watched_process_is_watched_over_there,
        the_title_is_the_whole_command_line,
        the_environment_can_be_forgotten,
        a_lock_outlives_who_took_it,
        the_descriptor_limit_goes_up_to_the_hard_one,
        orphans_stay_in_the_tree_of_a_subreaper,
        more_than_one_thread_is_refused,
        // Last, since what it does can't be undone.
        noted_signals_are_refused,
    ]);
}

/// What `body` returns, from over there.
fn over_there(body: impl FnOnce() -> String) -> String {
    let pending = detach(
        (),
        |()| Vec::new(),
        |(), outcome| match outcome.send(body().as_bytes()) {
            Ok(()) => 0,
            Err(_) => 1,
        },
    );
    let bytes = pending.expect("it works").wait().expect("it can be read");
    String::from_utf8(bytes).expect("it is text")
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| error.to_string())
}

fn what_is_said_comes_back() {
    let before = current();
    let pid = over_there(|| current().to_string());
    assert_ne!(pid, before.to_string());
    let long = "x".repeat(1_000_000);
    assert_eq!(over_there(|| long.clone()), long);
}

/// Whoever started us may have said that it wants to hear of no child, and that
/// is inherited.
fn an_ignored_sigchld_is_no_obstacle() {
    let script = "trap '' CHLD; exec \"$0\" --exact what_is_said_comes_back";
    let this = std::env::current_exe().expect("it has a path");
    let status = Command::new("sh").args(["-c", script]).arg(this).status();
    assert!(status.expect("a shell starts").success());
}

fn silence_and_panic_are_an_empty_answer() {
    let silent = detach((), |()| Vec::new(), |(), _outcome| 0).expect("it works");
    assert!(silent.wait().expect("it can be read").is_empty());
    let panicking = |_: Outcome| -> i32 { panic!("over there") };
    let panicking =
        detach((), |()| Vec::new(), |(), outcome| panicking(outcome)).expect("it works");
    assert!(panicking.wait().expect("it can be read").is_empty());
}

fn everything_but_the_kept_is_left_behind() {
    let _left = rustix::io::dup(std::io::stderr()).expect("a descriptor without close-on-exec");
    let kept = tempfile::tempfile().expect("a temporary file");
    let number = kept.as_raw_fd();
    let pending = detach(
        &kept,
        |kept| vec![kept.as_fd()],
        |_kept, outcome| {
            let mut facts = vec![
                fs::read_link("/proc/self/cwd").unwrap_or_default().display().to_string(),
                read("/proc/self/stat"),
                read("/proc/self/status"),
            ];
            let mut open: Vec<i32> = fs::read_dir("/proc/self/fd")
                .into_iter()
                .flatten()
                .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
                .collect();
            open.sort_unstable();
            facts.push(format!("{open:?}"));
            for fd in 0..3 {
                let leads = fs::read_link(format!("/proc/self/fd/{fd}")).unwrap_or_default();
                facts.push(leads.display().to_string());
            }
            i32::from(outcome.send(facts.join("\0").as_bytes()).is_err())
        },
    );
    let said = pending.expect("it works").wait().expect("it can be read");
    let said = String::from_utf8(said).expect("it is text");
    let facts: Vec<&str> = said.split('\0').collect();
    assert_eq!(facts[0], "/");

    let stat: Vec<&str> = facts[1].rsplit_once(") ").expect("a name").1.split(' ').collect();
    let pid = facts[1].split(' ').next().expect("a number");
    let (group, session, terminal) = (stat[2], stat[3], stat[4]);
    assert_eq!((group, terminal), (session, "0"));
    assert_ne!(session, pid, "it leads its session and could get a terminal");

    let of = |name: &str| {
        let line = facts[2].lines().find_map(|line| line.strip_prefix(name));
        u64::from_str_radix(line.expect("it is there").trim(), 16).expect("it is a mask")
    };
    assert_eq!(of("SigBlk:"), 0);
    let ignored = [1, 2, 3, 13, 20, 21, 22, 25, 29].map(|signal| 1 << (signal - 1));
    assert_eq!(of("SigIgn:"), ignored.iter().sum::<u64>());
    assert_eq!(of("SigCgt:"), 0);
    assert!(facts[2].contains("Umask:\t0077"));

    // Two more: the outcome, and the directory being read.
    let open: Vec<i32> = facts[3]
        .trim_matches(['[', ']'])
        .split(", ")
        .map(|number| number.parse().expect("it is a number"))
        .collect();
    assert_eq!(open.len(), 6, "{open:?}");
    assert!(open.contains(&number));
    assert_eq!(facts[4..], ["/dev/null"; 3]);
}

fn what_is_ignored_is_not_ignored_by_programs() {
    let ignored = over_there(|| {
        let (leader, follower) = PtyLeader::open(WindowSize::default()).expect("there is one left");
        let argv = ["grep", "SigIgn", "/proc/self/status"].map(OsString::from);
        let program = Program::new(&argv, &[], Path::new("/"), 0o022, None).expect("it is sound");
        program.spawn(&follower).expect("it starts");
        support::wait_for("its end", || reap().expect("it is ours"));
        let mut shown = [0; 100];
        let count = leader.read(&mut shown).expect("it said something");
        String::from_utf8_lossy(&shown[..count]).into_owned()
    });
    assert_eq!(ignored, "SigIgn:\t0000000000000000\r\n");
}

fn a_file_too_large_is_a_failed_write() {
    let error = over_there(|| {
        let (_, hard) = getrlimit(Resource::RLIMIT_FSIZE).expect("it can be asked");
        setrlimit(Resource::RLIMIT_FSIZE, 10, hard).expect("it can be lowered");
        let mut file = tempfile::tempfile().expect("a temporary file");
        format!("{:?}", file.write_all(&[0; 11]).map_err(|error| error.kind()))
    });
    assert_eq!(error, "Err(FileTooLarge)");
}

fn a_watched_process_is_watched_over_there() {
    let mut sleeper = Command::new("sleep").arg("1000").spawn().expect("sleep can be started");
    let pid = Pid(i32::try_from(sleeper.id()).expect("it is a process number"));
    let watched = Watched::open(pid).expect("it works").expect("it runs");
    let pending = detach(
        &watched,
        |watched| vec![watched.as_fd()],
        |watched, outcome| {
            let before = watched.has_ended();
            let killed = Process::read(pid).map(|it| it.map(|it| it.signal(Signal::KILL)));
            let mut entries = [Entry::new(watched.as_fd(), true, false)];
            let polled = poll(&mut entries, None);
            let facts = format!("{before:?} {killed:?} {polled:?} {:?}", watched.has_ended());
            i32::from(outcome.send(facts.as_bytes()).is_err())
        },
    );
    let said = pending.expect("it works").wait().expect("it can be read");
    sleeper.wait().expect("it is ours");
    assert_eq!(String::from_utf8_lossy(&said), "Ok(false) Ok(Some(Ok(()))) Ok(()) Ok(true)");
}

fn the_title_is_the_whole_command_line() {
    let titles = ["s: x", "", "sess: work", &"sess: ".repeat(20), &"long ".repeat(60)];
    for title in titles {
        let shown = over_there(|| {
            set_command_line(title);
            read("/proc/self/cmdline") + "|" + &read("/proc/self/comm")
        });
        let short: String = title.chars().take(15).collect();
        assert_eq!(shown, format!("{title}\0|{short}\n"));
    }
    let twice = over_there(|| {
        set_command_line(&"sess: ".repeat(20));
        set_command_line("sess: ä");
        read("/proc/self/cmdline")
    });
    assert_eq!(twice, "sess: ä\0");
}

fn the_environment_can_be_forgotten() {
    assert!(std::env::var_os("PATH").is_some());
    let facts = over_there(|| {
        let title = "t".repeat(300);
        set_command_line(&title);
        forget_environment();
        let shown = read("/proc/self/environ");
        format!(
            "{} {} {}",
            shown.trim_matches('\0').trim_matches('t').len(),
            std::env::var_os("PATH").is_some(),
            read("/proc/self/cmdline") == format!("{title}\0"),
        )
    });
    assert_eq!(facts, "0 false true");
}

fn a_lock_outlives_who_took_it() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let dir = Dir::open(place.path()).expect("it is a directory");
    let name = OsStr::new("lock");
    let lock = Lock::try_take(&dir, name).expect("it works").expect("it is free");
    let pending = detach(
        &lock,
        |lock| vec![lock.as_fd()],
        |_lock, outcome| {
            let pid = current().to_string();
            if outcome.send(pid.as_bytes()).is_err() {
                return 1;
            }
            std::thread::sleep(std::time::Duration::from_secs(1000));
            0
        },
    );
    let said = pending.expect("it works").wait().expect("it can be read");
    drop(lock);
    let pid = str::from_utf8(&said).expect("it is text").parse().expect("it is a number");
    let other = Process::read(Pid(pid)).expect("it can be read").expect("it runs");
    assert_eq!(is_held(&dir, name).expect("it works"), Held::Held);
    let meta = dir.metadata_of(name).expect("it is there");
    assert!(other.holds_inode(meta.dev, meta.ino).expect("it is ours"));
    other.signal(Signal::KILL).expect("it is ours");
    support::wait_until("the lock to be free", || {
        is_held(&dir, name).expect("it works") == Held::Free
    });
}

fn the_descriptor_limit_goes_up_to_the_hard_one() {
    let facts = over_there(|| {
        let before = raise_descriptor_limit().expect("it works");
        let after = raise_descriptor_limit().expect("it works");
        format!("{} {}", after.soft == before.hard, after.hard == before.hard)
    });
    assert_eq!(facts, "true true");
}

#[expect(clippy::zombie_processes, reason = "waited for by number, orphans included")]
fn orphans_stay_in_the_tree_of_a_subreaper() {
    become_subreaper().expect("it works");
    let script = "(sleep 1001 & sh -c 'setsid sleep 1002; true' &); exec sleep 1003";
    let child = Command::new("sh").args(["-c", script]).spawn().expect("a shell starts");
    let child = Pid(i32::try_from(child.id()).expect("it is a process number"));
    let below = || descendants(current(), &mut |_| false).expect("they can be read");
    let shown = |process: &Process| {
        let line = process.command_line().unwrap_or_default();
        String::from_utf8_lossy(&line).replace('\0', " ")
    };
    let all = support::wait_for("all three to sleep", || {
        let below = below();
        let sleeps = below.iter().filter(|it| shown(it).starts_with("sleep 100")).count();
        (sleeps == 3 && below.len() == 4).then_some(below)
    });
    for (place, process) in all.iter().enumerate() {
        let parent = all.iter().position(|it| it.pid == process.parent);
        assert!(parent.is_none_or(|parent| parent < place), "a child before its parent");
    }

    // Sparing one spares what is below it.
    let spared = descendants(current(), &mut |it| shown(it).starts_with("sh -c setsid"));
    let spared: Vec<String> = spared.expect("they can be read").iter().map(shown).collect();
    assert_eq!(spared.len(), 2, "{spared:?}");
    assert!(!spared.iter().any(|line| line.contains("1002")));
    let own = below().into_iter().find(|it| it.pid == child).expect("it runs");
    assert_eq!(own.parent, current());

    for process in &all {
        process.signal(Signal::KILL).expect("it is ours");
    }
    support::wait_until("an empty tree", || {
        while reap().expect("they are ours").is_some() {}
        below().is_empty()
    });
    assert!(!all.iter().any(Process::alive));
}

fn more_than_one_thread_is_refused() {
    let (tell, told) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || told.recv());
    let error = detach((), |()| Vec::new(), |(), _| 0).expect_err("there are two");
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    drop(tell);
    assert!(thread.join().expect("it doesn't panic").is_err());
}

fn noted_signals_are_refused() {
    let _signals = Signals::new(&[Signal::USR1]).expect("it can be");
    let error = detach((), |()| Vec::new(), |(), _| 0).expect_err("they would be lost");
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}

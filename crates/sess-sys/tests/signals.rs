//! Signals, folder watches and waiting for either.

use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use sess_sys::dir::Dir;
use sess_sys::poll::{Entry, Ready, poll};
use sess_sys::process::{Process, Signal, current};
use sess_sys::signals::Signals;
use sess_sys::socket::Stream;
use sess_sys::watch::FolderWatch;

const PATIENCE: Duration = Duration::from_secs(20);

fn raise(signal: Signal) {
    let here = Process::read(current()).expect("it can be read").expect("it runs");
    here.signal(signal).expect("it is us");
}

/// Waits until something is noted.
fn next(signals: &mut Signals) -> Vec<Signal> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut entries = [Entry::new(signals.as_fd(), true, false)];
        let left = deadline.saturating_duration_since(Instant::now());
        assert!(!left.is_zero(), "no signal came");
        poll(&mut entries, Some(left)).expect("it works");
        let raised = signals.take();
        if !raised.is_empty() {
            return raised;
        }
    }
}

#[test]
fn each_signal_is_told_once() {
    let mut signals = Signals::new(&[Signal::USR1, Signal::realtime(9)]).expect("they can be");
    assert!(signals.take().is_empty());
    raise(Signal::realtime(9));
    assert_eq!(next(&mut signals), [Signal::realtime(9)]);
    raise(Signal::USR1);
    assert_eq!(next(&mut signals), [Signal::USR1]);
    assert!(signals.take().is_empty());
}

#[test]
fn what_can_not_be_caught_is_refused() {
    for signal in [Signal::KILL, Signal::STOP] {
        let error = Signals::new(&[signal]).expect_err("it can't be caught");
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    }
}

#[test]
fn signals_that_are_no_longer_noted_do_no_harm() {
    let signal = Signal::realtime(8);
    drop(Signals::new(&[signal]).expect("it can be"));
    raise(signal);
    let mut signals = Signals::new(&[signal]).expect("it can be again");
    raise(signal);
    assert_eq!(next(&mut signals), [signal]);
}

#[test]
fn removing_a_file_is_noticed() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let path = place.path().join("folder");
    Dir::create_all(&path, 0o700).expect("it can be made");
    std::fs::write(path.join("sock"), "").expect("it can be written");
    let mut signals = Signals::new(&[Signal::realtime(1)]).expect("it can be");
    let dir = Dir::open(&path).expect("it is there");
    let watch = FolderWatch::new(&dir, Signal::realtime(1)).expect("it can be watched");
    dir.remove_file(OsStr::new("sock")).expect("it is there");
    assert_eq!(next(&mut signals), [Signal::realtime(1)]);
    drop(watch);
}

#[test]
fn making_something_is_noticed_where_that_is_asked_for() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let dir = Dir::open(place.path()).expect("it is there");
    let mut signals = Signals::new(&[Signal::realtime(4)]).expect("it can be");
    let _watch = FolderWatch::with_creation(&dir, Signal::realtime(4)).expect("it can be watched");
    dir.create_in(OsStr::new("folder"), 0o700).expect("it can be made");
    assert_eq!(next(&mut signals), [Signal::realtime(4)]);
    dir.remove_dir(OsStr::new("folder")).expect("it is there");
    assert_eq!(next(&mut signals), [Signal::realtime(4)]);
}

#[test]
fn renaming_a_file_and_changing_its_mode_are_noticed() {
    let place = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(place.path().join("sock"), "").expect("it can be written");
    let dir = Dir::open(place.path()).expect("it is there");
    let mut signals = Signals::new(&[Signal::realtime(2)]).expect("it can be");
    let _watch = FolderWatch::new(&dir, Signal::realtime(2)).expect("it can be watched");
    dir.rename(OsStr::new("sock"), OsStr::new("other")).expect("it is there");
    assert_eq!(next(&mut signals), [Signal::realtime(2)]);
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(place.path().join("other"), mode).expect("it is ours");
    assert_eq!(next(&mut signals), [Signal::realtime(2)]);
}

#[test]
fn removing_the_whole_tree_is_noticed() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let path = place.path().join("sessions/folder");
    Dir::create_all(&path, 0o700).expect("it can be made");
    std::fs::write(path.join("lock"), "").expect("it can be written");
    let mut signals = Signals::new(&[Signal::realtime(3)]).expect("it can be");
    let dir = Dir::open(&path).expect("it is there");
    let _watch = FolderWatch::new(&dir, Signal::realtime(3)).expect("it can be watched");
    let removed =
        std::process::Command::new("rm").arg("-rf").arg(place.path().join("sessions")).status();
    assert!(removed.expect("rm runs").success());
    assert_eq!(next(&mut signals), [Signal::realtime(3)]);
}

#[test]
fn a_wait_ends_no_sooner_than_its_timeout() {
    let (near, _far) = Stream::pair().expect("it works");
    for timeout in [Duration::ZERO, Duration::from_micros(300), Duration::from_millis(12)] {
        let started = Instant::now();
        let mut entries = [Entry::new(near.as_fd(), true, false)];
        poll(&mut entries, Some(timeout)).expect("it works");
        // Another test's signal may end the wait, and says nothing.
        if entries[0].ready == Ready::default() && started.elapsed() < timeout {
            poll(&mut entries, Some(timeout)).expect("it works");
        }
        assert!(started.elapsed() >= timeout, "{timeout:?}");
        assert_eq!(entries[0].ready, Ready::default());
    }
}

#[test]
fn readiness_is_told_apart() {
    let (near, far) = Stream::pair().expect("it works");
    let look = |read, write| {
        let mut entries = [Entry::new(near.as_fd(), read, write)];
        while entries[0].ready == Ready::default() {
            poll(&mut entries, Some(PATIENCE)).expect("it works");
        }
        entries[0].ready
    };
    assert_eq!(look(true, true), Ready { read: false, write: true, closed: false });
    far.write(b"x").expect("there is room");
    assert_eq!(look(true, false), Ready { read: true, write: false, closed: false });
    drop(far);
    // Noticed without having been asked for.
    assert_eq!(look(false, false), Ready { read: true, write: false, closed: true });
}

#[test]
fn no_timeout_is_too_long() {
    let (near, far) = Stream::pair().expect("it works");
    far.write(b"x").expect("there is room");
    let mut entries = [Entry::new(near.as_fd(), true, false)];
    while !entries[0].ready.read {
        poll(&mut entries, Some(Duration::MAX)).expect("it works");
    }
}

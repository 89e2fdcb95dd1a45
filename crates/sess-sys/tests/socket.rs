//! Sockets found through a directory.

use std::ffi::OsStr;
use std::io::{ErrorKind, IoSlice};

use sess_sys::dir::{Dir, Kind};
use sess_sys::process::{current, uid};
use sess_sys::socket::{Connect, Listener, Stream};

fn place() -> (tempfile::TempDir, Dir, &'static OsStr) {
    let place = tempfile::tempdir().expect("a temporary directory");
    let dir = Dir::open(place.path()).expect("it is a directory");
    (place, dir, OsStr::new("sock"))
}

fn connected(dir: &Dir, name: &OsStr) -> Stream {
    match Stream::connect(dir, name).expect("it works") {
        Connect::Connected(stream) => stream,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_path_of_any_length_will_do() {
    let (place, _, name) = place();
    let path = place.path().join("d".repeat(150)).join("e".repeat(150));
    Dir::create_all(&path, 0o700).expect("it can be made");
    let dir = Dir::open(&path).expect("it is a directory");
    let listener = Listener::bind(&dir, name).expect("it is free");
    let near = connected(&dir, name);
    let far = listener.accept().expect("it works").expect("one waits");
    assert_eq!(near.write(b"hello").expect("there is room"), 5);
    let mut buffer = [0; 10];
    assert_eq!(far.read(&mut buffer).expect("it has come"), 5);
    assert!(listener.accept().expect("it works").is_none());
}

#[test]
fn each_side_knows_who_the_other_is() {
    let (_place, dir, name) = place();
    let listener = Listener::bind(&dir, name).expect("it is free");
    let near = connected(&dir, name);
    let far = listener.accept().expect("it works").expect("one waits");
    for stream in [near, far] {
        let peer = stream.peer().expect("it is known");
        assert_eq!((peer.pid, peer.uid), (current(), uid()));
    }
}

#[test]
fn what_is_not_there_what_is_dead_and_what_is_taken_are_told_apart() {
    let (_place, dir, name) = place();
    assert!(matches!(Stream::connect(&dir, name), Ok(Connect::Absent)));
    let listener = Listener::bind(&dir, name).expect("it is free");
    let error = Listener::bind(&dir, name).expect_err("it is taken");
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    let meta = dir.metadata_of(name).expect("it is there");
    assert_eq!((meta.kind, meta.mode), (Kind::Socket, 0o600));
    drop(listener);
    assert!(matches!(Stream::connect(&dir, name), Ok(Connect::Refused)));
}

#[test]
fn a_full_queue_is_busy_and_not_dead() {
    let (_place, dir, name) = place();
    let _listener = Listener::bind(&dir, name).expect("it is free");
    // One that has hung up still stands in the queue.
    for _ in 0..10_000 {
        match Stream::connect(&dir, name).expect("it works") {
            Connect::Connected(_) => {}
            Connect::Busy => return,
            other => panic!("{other:?}"),
        }
    }
    panic!("the queue never filled up");
}

#[test]
fn what_the_other_side_has_not_read_is_known() {
    let (near, far) = Stream::pair().expect("it works");
    assert_eq!(near.unsent().expect("it is known"), 0);
    let pieces = [IoSlice::new(b"ab"), IoSlice::new(b"cde")];
    assert_eq!(near.write_vectored(&pieces).expect("there is room"), 5);
    assert!(near.unsent().expect("it is known") >= 5);
    let mut buffer = [0; 10];
    assert_eq!(far.read(&mut buffer).expect("it has come"), 5);
    assert_eq!(&buffer[..5], b"abcde");
    assert_eq!(near.unsent().expect("it is known"), 0);
}

#[test]
fn a_full_socket_would_block_and_a_small_buffer_fills_sooner() {
    let filled = |small: bool| {
        let (near, _far) = Stream::pair().expect("it works");
        if small {
            near.set_send_buffer(4096).expect("it may be small");
        }
        let mut sum = 0;
        loop {
            match near.write(&[0; 1000]) {
                Ok(count) => sum += count,
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    return sum;
                }
            }
        }
    };
    assert!(filled(true) < filled(false));
}

#[test]
fn the_end_is_seen_by_both_sides() {
    let (near, far) = Stream::pair().expect("it works");
    near.shutdown_write().expect("it is open");
    assert_eq!(far.read(&mut [0; 1]).expect("it is the end"), 0);
    let nothing = near.read(&mut [0; 1]).expect_err("nothing has come");
    assert_eq!(nothing.kind(), ErrorKind::WouldBlock);
    drop(far);
    let error = near.write(b"x").expect_err("nobody is there");
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
}

#[test]
fn more_pieces_than_one_call_takes_are_no_error() {
    let (near, _far) = Stream::pair().expect("it works");
    let pieces: Vec<IoSlice<'_>> = (0..2000).map(|_| IoSlice::new(b"x")).collect();
    assert_eq!(near.write_vectored(&pieces).expect("there is room"), 1024);
}

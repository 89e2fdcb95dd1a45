//! Capturing, and following the output.

use std::fmt::Write;

use sess_proto::message::{Capture, Follow};
use sess_screen::Screen;

use super::*;

const EVERYTHING: Follow = Follow { since: None, limit: None, follow: false };

/// What a reader got: `@offset`, text, and how it ended.
impl World {
    fn follows(&mut self, id: ClientId, follow: Follow) {
        self.greet(id);
        self.says(id, follow);
    }

    fn got(&mut self, id: ClientId) -> String {
        let mut got = String::new();
        self.hears(id, |message| match message {
            HolderMessage::At(at) => write!(got, "@{} ", at.offset).unwrap(),
            HolderMessage::Output(bytes) => got.push_str(&String::from_utf8_lossy(bytes)),
            HolderMessage::Done(_) => got.push_str(" done"),
            HolderMessage::Exited(_) => got.push_str(" exited"),
            _ => {}
        });
        got
    }
}

#[test]
fn the_output_is_read_from_any_offset_and_in_pages() {
    let mut world = World::new();
    world.program_says(b"0123456789");
    world.follows(A, EVERYTHING);
    assert_eq!(world.got(A), "@0 0123456789 done");
    world.follows(B, Follow { since: Some(3), limit: Some(4), follow: false });
    assert_eq!(world.got(B), "@3 3456 done");
    world.follows(ClientId(3), Follow { since: Some(99), ..EVERYTHING });
    assert_eq!(world.got(ClientId(3)), "@99  done");
}

#[test]
fn who_asks_for_what_is_no_longer_kept_is_told_where_it_begins() {
    let mut world = World::new();
    world.program_says(&vec![b'x'; 3 * JOURNAL]);
    world.follows(A, Follow { since: Some(1), limit: Some(2), follow: false });
    assert_eq!(world.got(A), format!("@{} xx done", 2 * JOURNAL));
}

#[test]
fn a_follower_gets_what_comes_and_the_end() {
    let mut world = World::new();
    world.program_says(b"one ");
    world.follows(A, Follow { follow: true, ..EVERYTHING });
    assert_eq!(world.got(A), "@0 one ");
    world.program_says(b"two");
    assert_eq!(world.got(A), "two");
    world.session.program_exited(Exit::Code(0));
    world.session.drained();
    world.program_says(b"");
    world.session.concluded(Exit::Code(0));
    world.settle();
    assert_eq!(world.got(A), " exited");
}

#[test]
fn a_follower_that_does_not_read_slows_nobody_and_is_told_what_it_missed() {
    let mut world = World::new();
    world.follows(A, Follow { follow: true, ..EVERYTHING });
    assert_eq!(world.got(A), "@0 ");
    let said = world.program_floods(10 * JOURNAL);
    assert!(said >= 10 * JOURNAL);
    let got = world.got(A);
    let gap = got.rfind('@').expect("it is told of the gap");
    let (offset, rest) = got[gap + 1..].split_once(' ').unwrap();
    assert_eq!(offset.parse::<usize>().unwrap() + rest.len(), said);
}

#[test]
fn a_capture_brings_a_blank_screen_to_what_is_shown() {
    let mut world = World::new();
    for n in 0..100 {
        world.program_says(format!("\x1b[3{}mline {n}\x1b[m\r\n", n % 8).as_bytes());
    }
    world.program_says(b"\x1b[?1049h\x1b[5;7Halternate\x1b]0;title\x07");
    world.greet(A);
    world.says(A, Capture { lines: 50 });
    let mut copy = Screen::new(sess_screen::Size::new(80, 24), 50);
    let mut offset = 0;
    world.hears(A, |message| match message {
        HolderMessage::Output(bytes) => copy.feed(bytes),
        HolderMessage::At(at) => offset = at.offset,
        _ => {}
    });
    assert_eq!(offset, world.session.stream.head());
    let (original, copy) = (world.session.stream.screen().picture(50), copy.picture(50));
    assert_eq!(copy.lines, original.lines);
    assert_eq!(
        (copy.cursor, copy.title, copy.modes),
        (original.cursor, original.title, original.modes)
    );
}

#[test]
fn a_reader_that_takes_nothing_does_not_keep_an_ended_session() {
    let mut world = World::new();
    world.program_says(&vec![b'x'; JOURNAL]);
    world.follows(A, Follow { follow: true, ..EVERYTHING });
    world.session.program_exited(Exit::Code(0));
    world.session.drained();
    world.session.concluded(Exit::Code(0));
    world.settle();
    world.pass(STALL - 1);
    assert!(!world.session.is_over());
    assert!(world.session.deadline().is_some());
    world.pass(1);
    assert!(world.session.is_over());
}

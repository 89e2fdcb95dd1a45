//! Sends: turns, pastes, lines too long, time.

use sess_proto::message::{Began, Key, KeyCode, Send, Sent, TimedOut, Typed, Until};

use super::*;

/// What a sender was told.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    began: Option<u64>,
    typed: Option<u64>,
    timed_out: Option<(u64, bool)>,
    refused: Option<String>,
    happened: bool,
}

fn plain() -> Send {
    Send { paste: false, longest_line: 0, timeout: None, until: None }
}

impl World {
    fn sends(&mut self, id: ClientId, send: Send, text: &str) {
        self.greet(id);
        self.says(id, send);
        self.says(id, ClientMessage::Text(text.as_bytes()));
        self.says(id, Sent {});
    }

    fn told(&mut self, id: ClientId) -> Told {
        let mut told = Told::default();
        self.hears(id, |message| match message {
            HolderMessage::Began(Began { offset }) => told.began = Some(*offset),
            HolderMessage::Typed(Typed { bytes }) => told.typed = Some(*bytes),
            HolderMessage::TimedOut(TimedOut { typed }) => told.timed_out = *typed,
            HolderMessage::Refused(refused) => told.refused = Some(refused.message.clone()),
            HolderMessage::Happened(_) => told.happened = true,
            _ => {}
        });
        told
    }
}

#[test]
fn a_send_is_told_its_offset_and_when_all_is_taken() {
    let mut world = World::new();
    world.program_says(b"12345");
    world.reads = 2;
    world.sends(A, plain(), "hello");
    assert_eq!(world.told(A), Told { began: Some(5), ..Told::default() });
    world.reads = 100;
    world.settle();
    assert_eq!(world.told(A), Told { typed: Some(5), ..Told::default() });
    assert_eq!(world.typed(), "hello");
}

#[test]
fn no_other_sends_bytes_come_in_between() {
    let mut world = World::new();
    world.reads = 1;
    world.sends(A, plain(), "aaaa");
    world.sends(B, plain(), "bbbb");
    assert_eq!(world.told(B), Told::default());
    world.reads = 100;
    world.settle();
    assert_eq!(world.typed(), "aaaabbbb");
    assert_eq!(world.told(B).typed, Some(4));
}

#[test]
fn a_send_that_is_still_being_said_keeps_its_turn() {
    let mut world = World::new();
    world.greet(A);
    world.says(A, plain());
    world.says(A, ClientMessage::Text(b"one"));
    world.sends(B, plain(), "two");
    assert_eq!(world.typed(), "one");
    world.says(A, ClientMessage::Text(b"more"));
    world.says(A, Sent {});
    assert_eq!(world.typed(), "moretwo");
}

#[test]
fn who_goes_away_in_the_middle_holds_up_nobody() {
    let mut world = World::new();
    world.reads = 2;
    world.sends(A, plain(), "aaaa");
    world.sends(B, plain(), "bb");
    world.session.closed(A);
    world.reads = 100;
    world.settle();
    assert_eq!(world.typed(), "aabb");
    assert_eq!(world.told(B).typed, Some(2));
}

#[test]
fn keys_of_a_person_wait_for_no_send() {
    let mut world = World::new();
    world.attach(B);
    world.reads = 2;
    world.sends(A, plain(), "aaaa");
    world.says(B, ClientMessage::Input(b"\x03"));
    world.reads = 100;
    world.settle();
    assert_eq!(world.typed(), "aa\x03aa");
}

#[test]
fn a_paste_is_bracketed_if_the_program_wants_that() {
    for (modes, brackets) in [("", ("", "")), ("\x1b[?2004h", ("\x1b[200~", "\x1b[201~"))] {
        let mut world = World::new();
        world.program_says(modes.as_bytes());
        world.greet(A);
        world.says(A, Send { paste: true, ..plain() });
        world.says(A, ClientMessage::Text(b"one\n"));
        world.says(A, ClientMessage::Text(b"two"));
        world.says(A, Key { code: KeyCode::Enter, mods: 0 });
        world.says(A, Sent {});
        let (open, close) = brackets;
        assert_eq!(world.typed(), format!("{open}one\ntwo{close}\r"));
        assert_eq!(world.told(A).typed, Some(8));
    }
}

#[test]
fn a_paste_that_keeps_a_person_waiting_is_cut_off_after_a_second() {
    let mut world = World::new();
    world.attach(B);
    world.program_says(b"\x1b[?2004h");
    world.reads = 6 + 3;
    world.sends(A, Send { paste: true, ..plain() }, "abcdef");
    world.says(B, ClientMessage::Input(b"x"));
    world.pass(999);
    assert_eq!(world.told(A).refused, None);
    world.pass(1);
    let refused = world.told(A).refused.unwrap();
    assert!(refused.contains("3 bytes"), "{refused}");
    world.reads = 100;
    world.settle();
    assert_eq!(world.typed(), "\x1b[200~abc\x1b[201~x");
}

#[test]
fn a_line_too_long_for_canonical_mode_is_refused_before_any_of_it() {
    let mut world = World::new();
    world.facts.canonical = true;
    world.sends(A, Send { longest_line: 4_096, ..plain() }, "aaaa");
    assert!(world.told(A).refused.unwrap().contains("4095"));
    world.sends(B, Send { longest_line: 4_095, ..plain() }, "bbbb");
    assert_eq!(world.typed(), "bbbb");
}

#[test]
fn a_send_that_takes_too_long_says_how_much_was_taken_and_drops_the_rest() {
    for (timeout, after) in [(Some(200), 200), (None, 30_000)] {
        let mut world = World::new();
        world.reads = 3;
        world.sends(A, Send { timeout, ..plain() }, "abcdef");
        world.sends(B, plain(), "next");
        world.pass(after - 1);
        assert_eq!(world.told(A).timed_out, None);
        world.pass(1);
        assert_eq!(world.told(A).timed_out, Some((3, false)));
        world.reads = 100;
        world.settle();
        assert_eq!(&world.typed()[..3], "abc");
    }
}

#[test]
fn a_send_may_wait_for_what_follows() {
    let mut world = World::new();
    world.program_says(b"ready\r\n");
    let until = Some(Until::Text("^ready$".into()));
    world.sends(A, Send { until, ..plain() }, "x");
    let told = world.told(A);
    assert_eq!((told.typed, told.happened), (Some(1), false), "what stood there is old");
    world.program_says(b"rea");
    assert!(!world.told(A).happened);
    world.program_says(b"dy");
    assert!(world.told(A).happened);
}

#[test]
fn who_waits_for_nonsense_types_nothing() {
    let mut world = World::new();
    world.sends(A, Send { until: Some(Until::Text("(".into())), ..plain() }, "x");
    assert!(world.told(A).refused.is_some());
    assert_eq!(world.typed(), "");
}

#[test]
fn typing_makes_no_leader() {
    let mut world = World::new();
    world.attach(A);
    world.attach(B);
    world.sends(ClientId(3), plain(), "x");
    assert!(world.leads(B));
}

#[test]
fn an_empty_text_holds_up_nobody() {
    let mut world = World::new();
    world.sends(A, plain(), "");
    assert_eq!(world.told(A).typed, Some(0));
    world.sends(B, plain(), "x");
    assert_eq!(world.typed(), "x");
}

#[test]
fn a_sender_that_talks_nonsense_loses_its_turn_and_its_paste_is_closed() {
    let mut world = World::new();
    world.program_says(b"\x1b[?2004h");
    world.greet(A);
    world.says(A, Send { paste: true, ..plain() });
    world.says(A, ClientMessage::Text(b"abc"));
    let c = ClientId(3);
    world.greet(c);
    world.says(c, plain());
    for id in [c, A] {
        world.says(id, Leave {});
        assert!(world.told(id).refused.is_some());
    }
    world.sends(B, plain(), "x");
    assert_eq!(world.typed(), "\x1b[200~abc\x1b[201~x");
}

#[test]
fn keys_wait_for_a_paste_whose_next_piece_is_not_yet_there() {
    let mut world = World::new();
    world.attach(B);
    world.program_says(b"\x1b[?2004h");
    world.greet(A);
    world.says(A, Send { paste: true, ..plain() });
    world.says(A, ClientMessage::Text(b"abc"));
    world.says(B, ClientMessage::Input(b"K"));
    world.pass(500);
    world.says(A, ClientMessage::Text(b"def"));
    world.says(A, Sent {});
    assert_eq!(world.typed(), "\x1b[200~abcdef\x1b[201~K");
}

#[test]
fn who_says_more_keys_than_anybody_types_is_heard_no_further() {
    let mut world = World::new();
    world.greet(B);
    world.says(B, plain());
    world.greet(A);
    world.says(A, plain());
    let mut heard = 0;
    while heard < 100_000 && world.session.hears(A) {
        world.says(A, Key { code: KeyCode::Enter, mods: 0 });
        heard += 1;
    }
    assert!(heard < 10_000, "{heard}");
}

#[test]
fn a_program_that_asks_and_never_reads_is_owed_no_more_answers() {
    let mut world = World::new();
    world.reads = 0;
    for _ in 0..20_000 {
        world.program_says(b"\x1b[c");
    }
    assert!(world.session.pending_input().len() < 100_000);
}

#[test]
fn nothing_is_told_as_typed_when_the_program_has_ended_before() {
    let mut world = World::new();
    world.reads = 2;
    world.sends(A, plain(), "aaaa");
    world.session.program_exited(Exit::Code(0));
    world.sends(B, Send { until: Some(Until::Text("(".into())), ..plain() }, "x");
    assert_eq!(world.told(A).typed, None);
}

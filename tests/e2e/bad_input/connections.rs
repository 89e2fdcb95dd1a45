//! Nonsense on the socket ends the connection that it came on, and nothing else.

use std::time::Duration;

use sess_proto::frame::{CLIENT_LIMIT, HEADER, MUST_UNDERSTAND, header};
use sess_proto::message::{Attach, Detach, Kill, Resize, Size, Status};
use sess_proto::{ClientMessage, HolderMessage};

use crate::harness::{Connection, Sandbox, Session, open_descriptors, resident, wait_until};

/// Less than after which a holder ends a connection that says nothing.
const SOON: Duration = Duration::from_secs(7);

/// Fails unless the session is the same and does what sessions do.
#[track_caller]
fn assert_well(sandbox: &Sandbox, session: &Session<'_>) {
    let now = sandbox.session(&session.name);
    assert_eq!((now.pid, now.holder), (session.pid, session.holder));
    let mut terminal = sandbox.attach(&session.name);
    terminal.type_line("still here");
    terminal.wait_for_text("still here\nstill here");
    terminal.detach();
}

/// Bytes that are always the same and look like none.
fn noise(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    (0..count).map(next).collect()
}

fn kill_kind() -> u8 {
    ClientMessage::from(Kill { signal: None, grace: 0 }).kind()
}

#[test]
fn garbage_ends_its_connection_and_nothing_else() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    let attached = sandbox.attach("work");
    for bytes in [&b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[..], &[0xff; 4096], &[b'A'; 100]] {
        for greeted in [false, true] {
            let mut connection = Connection::open(&session.folder());
            if greeted {
                connection.greet();
            }
            connection.say_bytes(bytes);
            assert!(connection.ends_within(SOON), "greeted {greeted}: {}", bytes.escape_ascii());
        }
    }
    attached.type_line("not disturbed");
    attached.wait_for_text("not disturbed\nnot disturbed");
    assert_well(&sandbox, &session);
}

#[test]
fn noise_of_any_kind_is_survived() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    for seed in 1..200 {
        let mut bytes = noise(seed, 50 + 13 * seed as usize);
        if bytes[0] == kill_kind() {
            bytes[0] = 0xfe;
        }
        let mut connection = Connection::open(&session.folder());
        if seed % 2 == 0 {
            connection.greet();
        }
        connection.say_bytes(&bytes);
    }
    assert_well(&sandbox, &session);
}

#[test]
fn a_frame_that_claims_four_gigabytes_ends_its_connection() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    let before = resident(session.holder);
    let hello = 1;
    for claim in [u32::MAX, u32::MAX - 7, 1 << 31, CLIENT_LIMIT as u32 + 1] {
        for (kind, flags) in [(hello, MUST_UNDERSTAND), (2, 0), (99, 0), (99, MUST_UNDERSTAND)] {
            for greeted in [false, true] {
                let mut connection = Connection::open(&session.folder());
                if greeted {
                    connection.greet();
                }
                let [a, b, c, d] = claim.to_le_bytes();
                connection.say_bytes(&[kind, flags, 0, 0, a, b, c, d]);
                assert!(connection.ends_within(SOON), "{claim} of kind {kind}");
            }
        }
    }
    let after = resident(session.holder);
    assert!(after < before + 4 * 1024, "{before} kB before, {after} kB after");
    assert_well(&sandbox, &session);
}

#[test]
fn an_unknown_kind_that_must_be_understood_ends_its_connection() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    let mut connection = Connection::open(&session.folder());
    connection.greet();
    connection.say_bytes(&header(99, MUST_UNDERSTAND, 0));
    let refused = connection.hear(SOON, |message| match message {
        HolderMessage::Refused(refused) => Some(format!("{refused:?}")),
        _ => None,
    });
    assert!(refused.expect("it is said").contains("99"));
    assert!(connection.ends_within(SOON));
    assert_well(&sandbox, &session);
}

#[test]
fn an_unknown_kind_that_may_be_skipped_is_skipped() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    let mut connection = Connection::open(&session.folder());
    connection.greet();
    connection.say_bytes(&header(99, 0, 5));
    connection.say_bytes(b"\x00\xff\x1b[m");
    connection.say(Status {});
    let pid = connection.hear(SOON, |message| match message {
        HolderMessage::Info(info) => info.pid,
        _ => None,
    });
    assert_eq!(pid, Some(session.pid.0));
}

#[test]
fn every_kind_with_every_nonsense_in_it_is_survived() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    for kind in (0..=255).filter(|&kind| kind != kill_kind()) {
        for payload in [vec![], vec![0xff; 40], vec![0; 300], noise(u64::from(kind) + 1, 70)] {
            let mut connection = Connection::open(&session.folder());
            connection.greet();
            connection.say_bytes(&header(kind, MUST_UNDERSTAND, payload.len()));
            connection.say_bytes(&payload);
        }
    }
    assert_well(&sandbox, &session);
}

#[test]
fn frames_that_break_off_are_survived() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    let open_before = open_descriptors(session.holder);
    let mut whole = Vec::new();
    ClientMessage::from(Detach {}).encode(&mut whole);
    whole.extend(header(2, 0, 1000));
    whole.extend([b'x'; 900]);
    for length in (0..HEADER * 2).chain([100, whole.len()]) {
        for greeted in [false, true] {
            let mut connection = Connection::open(&session.folder());
            if greeted {
                connection.greet();
            }
            connection.say_bytes(&whole[..length]);
        }
    }
    wait_until("all of it to be closed", || open_descriptors(session.holder) <= open_before);
    assert_well(&sandbox, &session);
}

#[test]
fn what_only_an_attached_client_may_say_is_refused_before() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    let size = Size { cols: 10, rows: 10, xpixel: 0, ypixel: 0 };
    let messages = [
        ClientMessage::Input(b"typed by nobody\r"),
        ClientMessage::Passive(b"typed by nobody\r"),
        ClientMessage::from(Resize { size }),
    ];
    for message in messages {
        for greeted in [false, true] {
            let mut connection = Connection::open(&session.folder());
            if greeted {
                connection.greet();
            }
            let mut bytes = Vec::new();
            message.encode(&mut bytes);
            connection.say_bytes(&bytes);
            assert!(connection.ends_within(SOON), "{message:?}");
        }
    }
    let terminal = sandbox.attach("work");
    terminal.type_line("hello");
    terminal.wait_for_text("hello\nhello");
    assert!(!terminal.text().contains("nobody"));
    assert_eq!(sandbox.status("work")["size"], serde_json::json!({"cols": 80, "rows": 24}));
}

#[test]
fn an_attached_client_that_talks_nonsense_goes_alone() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    let attached = sandbox.attach("work");
    let mut connection = Connection::open(&session.folder());
    connection.attach(80, 24);
    connection.say_bytes(&[0xff; 4096]);
    assert!(connection.ends_within(SOON));
    attached.type_line("not disturbed");
    attached.wait_for_text("not disturbed\nnot disturbed");
    assert_eq!(sandbox.status("work")["clients"].as_array().unwrap().len(), 1);
}

#[test]
fn an_attach_of_an_absurd_size_is_survived() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    let before = resident(session.holder);
    for (cols, rows) in [(u16::MAX, u16::MAX), (0, 0), (1, u16::MAX), (u16::MAX, 0), (1, 1)] {
        let size = Size { cols, rows, xpixel: u16::MAX, ypixel: 1 };
        let mut connection = Connection::open(&session.folder());
        connection.greet();
        connection.say(Attach {
            size,
            lines: u64::MAX,
            read_only: false,
            exclusive: false,
            tty: "x".repeat(5000),
            tty_dev: u64::MAX,
            tty_rdev: 0,
            agent: Some(b"/nowhere\0\xff".to_vec()),
        });
        connection.say(Resize { size });
        connection.say(ClientMessage::Input(b"x"));
        sandbox.sess(["status", "work"]).expect(0);
    }
    let after = resident(session.holder);
    assert!(after < before + 200 * 1024, "{before} kB before, {after} kB after");
    let terminal = sandbox.attach("work");
    terminal.type_line("back");
    terminal.wait_for_text("back");
}

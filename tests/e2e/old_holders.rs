//! Contract 6.10: older and newer sides talk to each other, and say what they
//! cannot do.

use std::ffi::OsStr;
use std::time::Duration;

use sess_proto::message::{Hello, Status, Welcome, refusal};
use sess_proto::{ClientMessage, Decoder, HolderMessage, frame};
use sess_sys::{Dir, Listener, Lock};

use crate::harness::{Connection, PATIENCE, Sandbox};

#[test]
fn what_a_newer_client_says_beyond_our_words_is_skipped() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    let mut connection = Connection::open(&session.folder());
    connection.say(Hello {
        protocol_min: 1,
        protocol_max: 99,
        features: u64::MAX,
        version: "99.0".to_owned(),
    });
    let mut unknown = Vec::new();
    frame::encode_raw(99, b"something new", &mut unknown);
    connection.say_bytes(&unknown);
    connection.say(Status {});
    let name = connection.hear(PATIENCE, |message| match message {
        HolderMessage::Info(info) => Some(info.name.clone()),
        _ => None,
    });
    assert_eq!(name.as_deref(), Some("work"));
}

#[test]
fn what_must_be_understood_and_is_not_is_refused() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    let mut connection = Connection::open(&session.folder());
    connection.greet();
    connection.say_bytes(&frame::header(99, frame::MUST_UNDERSTAND, 0));
    let code = connection.hear(PATIENCE, |message| match message {
        HolderMessage::Refused(refused) => Some(refused.code),
        _ => None,
    });
    assert_eq!(code, Some(refusal::MALFORMED));
    assert!(connection.ends());
    sandbox.sess(["status", "work"]).expect(0);
}

#[test]
fn a_client_of_another_protocol_is_welcomed_and_refused() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    let mut connection = Connection::open(&session.folder());
    let hello =
        Hello { protocol_min: 1_000, protocol_max: 1_001, features: 0, version: String::new() };
    connection.say(hello);
    let mut welcomed = false;
    let code = connection.hear(PATIENCE, |message| match message {
        HolderMessage::Welcome(welcome) => {
            welcomed = welcome.protocol_max < 1_000;
            None
        }
        HolderMessage::Refused(refused) => Some(refused.code),
        _ => None,
    });
    assert_eq!((welcomed, code), (true, Some(refusal::PROTOCOL)));
}

/// A holder from the future: it welcomes with protocols that we don't speak, and
/// refuses.
fn hold(sandbox: &Sandbox, name: &str) -> (Lock, std::thread::JoinHandle<()>) {
    let folder = sandbox.sessions().join(name);
    Dir::create_all(&folder, 0o700).unwrap();
    let dir = Dir::open(&folder).unwrap();
    let lock = Lock::try_take(&dir, OsStr::new("lock")).unwrap().unwrap();
    let listener = Listener::bind(&dir, OsStr::new("sock")).unwrap();
    let thread = std::thread::spawn(move || {
        while dir.metadata_of(OsStr::new("over")).is_err() {
            let entry = sess_sys::Entry::new(std::os::fd::AsFd::as_fd(&listener), true, false);
            sess_sys::poll::poll(&mut [entry], Some(Duration::from_millis(20))).unwrap();
            let Ok(Some(stream)) = listener.accept() else { continue };
            let mut answer = Vec::new();
            HolderMessage::from(Welcome {
                protocol_min: 1_000,
                protocol_max: 1_001,
                features: 0,
                version: "99.0".to_owned(),
            })
            .encode(&mut answer);
            HolderMessage::from(sess_proto::message::Refused {
                code: refusal::PROTOCOL,
                message: "the protocols do not meet".to_owned(),
            })
            .encode(&mut answer);
            let _ = stream.write(&answer);
            // The question is read before the end, which would be a reset else.
            let mut decoder = Decoder::new(frame::CLIENT_LIMIT);
            for _ in 0..100 {
                let entry = sess_sys::Entry::new(std::os::fd::AsFd::as_fd(&stream), true, false);
                sess_sys::poll::poll(&mut [entry], Some(Duration::from_millis(5))).unwrap();
                if let Ok(count) = stream.read(decoder.room(4096)) {
                    decoder.received(count);
                }
                if let Ok(Some(frame)) = decoder.next_frame()
                    && matches!(ClientMessage::decode(&frame), Ok(Some(ClientMessage::Hello(_))))
                {
                    break;
                }
            }
        }
    });
    (lock, thread)
}

#[test]
fn a_holder_from_the_future_is_told_not_taken_for_dead() {
    let sandbox = Sandbox::new();
    sandbox.start_session("other", ["cat"]);
    let (_lock, thread) = hold(&sandbox, "future");
    let list = sandbox.sess(["ls", "-q"]).expect(0).stdout;
    assert_eq!(list, "other\nfuture\n");
    sandbox.sess(["new", "-d", "future"]).expect(6);
    let mut terminal = sandbox.terminal().sess(["attach", "future"]);
    assert_eq!(terminal.wait_for_exit(), 125);
    let output = sandbox.sess(["detach", "future"]);
    assert_ne!(output.code, 0);
    for text in [terminal.text(), output.stderr] {
        assert!(text.contains("held by a version that this sess can't talk to"), "{text}");
    }
    sandbox.write("sessions/future/over", "");
    thread.join().unwrap();
}

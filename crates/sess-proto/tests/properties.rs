//! What holds for any bytes and any message, however they arrive.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use sess_proto::frame::{self, CLIENT_LIMIT, HEADER, HOLDER_LIMIT, MUST_UNDERSTAND, OUTPUT_LIMIT};
use sess_proto::message::{
    Ack, Activity, At, Attach, Attached, Began, Capture, Captured, ClientInfo, Detach, Detached,
    Done, Event, Exit, Exited, Follow, Happened, Happening, Hello, Info, Key, KeyCode, Kill,
    Killed, Leave, Listen, Listening, Mood, Ran, Redraw, Refused, Rename, Resize, Run, Send, Sent,
    SetSize, Size, Status, Survivor, Sync, Taken, TimedOut, Typed, Until, Wait, Welcome,
};
use sess_proto::{ClientMessage, Decoder, Frame, FrameError, HolderMessage};

/// A message that owns its bytes.
#[derive(Clone, Debug)]
enum Said {
    Input(Vec<u8>),
    Passive(Vec<u8>),
    Report(Vec<u8>),
    Text(Vec<u8>),
    Client(ClientMessage<'static>),
}

impl Said {
    fn message(&self) -> ClientMessage<'_> {
        match self {
            Self::Input(bytes) => ClientMessage::Input(bytes),
            Self::Passive(bytes) => ClientMessage::Passive(bytes),
            Self::Report(bytes) => ClientMessage::Report(bytes),
            Self::Text(bytes) => ClientMessage::Text(bytes),
            Self::Client(message) => message.clone(),
        }
    }
}

fn size() -> impl Strategy<Value = Size> {
    any::<(u16, u16, u16, u16)>().prop_map(|(cols, rows, xpixel, ypixel)| Size {
        cols,
        rows,
        xpixel,
        ypixel,
    })
}

fn attach() -> impl Strategy<Value = Attach> {
    (size(), any::<(u64, bool, bool, String, u64, u64)>(), option::of(vec(any::<u8>(), 0..20)))
        .prop_map(|(size, (lines, read_only, exclusive, tty, tty_dev, tty_rdev), agent)| Attach {
            size,
            lines,
            read_only,
            exclusive,
            tty,
            tty_dev,
            tty_rdev,
            agent,
        })
}

fn until() -> impl Strategy<Value = Until> {
    prop_oneof![
        Just(Until::Exit),
        any::<String>().prop_map(Until::Text),
        any::<u64>().prop_map(Until::Idle),
    ]
}

fn key_code() -> impl Strategy<Value = KeyCode> {
    prop_oneof![
        any::<char>().prop_map(KeyCode::Char),
        any::<u8>().prop_map(KeyCode::F),
        prop::sample::select(vec![
            KeyCode::Enter,
            KeyCode::Tab,
            KeyCode::Escape,
            KeyCode::Backspace,
            KeyCode::Insert,
            KeyCode::Delete,
            KeyCode::Home,
            KeyCode::End,
            KeyCode::PageUp,
            KeyCode::PageDown,
            KeyCode::Up,
            KeyCode::Down,
            KeyCode::Left,
            KeyCode::Right,
        ]),
    ]
}

/// What a client asks for beyond showing a session.
fn request() -> impl Strategy<Value = ClientMessage<'static>> {
    prop_oneof![
        (any::<(bool, u64, Option<u64>)>(), option::of(until())).prop_map(
            |((paste, longest_line, timeout), until)| {
                Send { paste, longest_line, timeout, until }.into()
            }
        ),
        (key_code(), any::<u8>()).prop_map(|(code, mods)| Key { code, mods }.into()),
        Just(Sent {}.into()),
        (until(), any::<(Option<u64>, Option<u64>)>()).prop_map(|(until, (since, timeout))| Wait {
            until,
            since,
            timeout
        }
        .into()),
        any::<u64>().prop_map(|lines| Capture { lines }.into()),
        any::<(Option<u64>, Option<u64>, bool)>().prop_map(|(since, limit, follow)| Follow {
            since,
            limit,
            follow
        }
        .into()),
        (vec(vec(any::<u8>(), 0..20), 0..4), any::<Option<u64>>())
            .prop_map(|(words, timeout)| Run { words, timeout }.into()),
        Just(Listen {}.into()),
        any::<String>().prop_map(|name| Rename { name }.into()),
        size().prop_map(|size| SetSize { size }.into()),
    ]
}

fn said() -> impl Strategy<Value = Said> {
    let bytes = || vec(any::<u8>(), 0..40);
    prop_oneof![
        bytes().prop_map(Said::Input),
        bytes().prop_map(Said::Passive),
        bytes().prop_map(Said::Report),
        bytes().prop_map(Said::Text),
        request().prop_map(Said::Client),
        any::<(u16, u16, u64, String)>().prop_map(|(min, max, features, version)| Said::Client(
            Hello { protocol_min: min, protocol_max: max, features, version }.into()
        )),
        attach().prop_map(|attach| Said::Client(attach.into())),
        size().prop_map(|size| Said::Client(Resize { size }.into())),
        any::<u64>().prop_map(|bytes| Said::Client(Ack { bytes }.into())),
        Just(Said::Client(Leave {}.into())),
        size().prop_map(|size| Said::Client(Redraw { size }.into())),
        Just(Said::Client(Status {}.into())),
        any::<(Option<i32>, u64)>()
            .prop_map(|(signal, grace)| Said::Client(Kill { signal, grace }.into())),
        Just(Said::Client(Detach {}.into())),
    ]
}

fn exit() -> impl Strategy<Value = Exit> {
    prop_oneof![any::<u8>().prop_map(Exit::Code), any::<i32>().prop_map(Exit::Signal)]
}

fn client_info() -> impl Strategy<Value = ClientInfo> {
    (any::<(i32, String, u64, u64, bool, bool, u64)>(), size()).prop_map(
        |((pid, tty, tty_dev, tty_rdev, leader, read_only, attached), size)| ClientInfo {
            pid,
            tty,
            tty_dev,
            tty_rdev,
            size,
            leader,
            read_only,
            attached,
        },
    )
}

fn info() -> impl Strategy<Value = Info> {
    (
        any::<(String, String, Option<i32>, i32, Vec<String>, String, String)>(),
        any::<(u64, Option<u64>, Option<u64>, u64, u64, String, u64, u64)>(),
        size(),
        vec(client_info(), 0..4),
        any::<Vec<(String, String)>>(),
    )
        .prop_map(|(who, numbers, size, clients, labels)| Info {
            name: who.0,
            id: who.1,
            pid: who.2,
            holder_pid: who.3,
            command: who.4,
            cwd: who.5,
            title: who.6,
            created: numbers.0,
            last_output: numbers.1,
            last_input: numbers.2,
            size,
            clients,
            offset: numbers.3,
            history_lines: numbers.4,
            labels,
            version: numbers.5,
            tty_dev: numbers.6,
            tty_rdev: numbers.7,
        })
}

fn happening() -> impl Strategy<Value = Happening> {
    let text = any::<String>;
    prop_oneof![
        any::<(i32, String)>().prop_map(|(pid, tty)| Happening::Attached { pid, tty }),
        any::<(i32, String)>().prop_map(|(pid, tty)| Happening::Detached { pid, tty }),
        size().prop_map(Happening::Resized),
        text().prop_map(|old| Happening::Renamed { old }),
        Just(Happening::Activity),
        text().prop_map(Happening::Title),
        Just(Happening::Bell),
        (text(), text()).prop_map(|(title, body)| Happening::Notification { title, body }),
        Just(Happening::Restarted),
        exit().prop_map(Happening::Exited),
    ]
}

/// What a holder says of what a client asked for beyond showing a session.
fn answer() -> impl Strategy<Value = HolderMessage<'static>> {
    let text = any::<String>;
    prop_oneof![
        any::<u64>().prop_map(|offset| Began { offset }.into()),
        any::<u64>().prop_map(|bytes| Typed { bytes }.into()),
        Just(Happened {}.into()),
        any::<Option<(u64, bool)>>().prop_map(|typed| TimedOut { typed }.into()),
        any::<u64>().prop_map(|offset| At { offset }.into()),
        size().prop_map(|size| Captured { size }.into()),
        any::<(u8, u64, u64)>()
            .prop_map(|(code, duration, offset)| Ran { code, duration, offset }.into()),
        (text(), text(), any::<u64>()).prop_map(|(name, id, created)| Listening {
            name,
            id,
            created
        }
        .into()),
        (any::<u64>(), text(), happening()).prop_map(|(time, name, happening)| Event {
            time,
            name,
            happening
        }
        .into()),
        prop::sample::select(vec![Activity::Busy, Activity::Idle, Activity::Asking])
            .prop_map(|activity| Mood { activity }.into()),
    ]
}

fn holder_said() -> impl Strategy<Value = HolderMessage<'static>> {
    let text = any::<String>;
    prop_oneof![
        any::<(u16, u16, u64, String)>().prop_map(|(min, max, features, version)| {
            Welcome { protocol_min: min, protocol_max: max, features, version }.into()
        }),
        any::<(u16, String)>().prop_map(|(code, message)| Refused { code, message }.into()),
        (text(), text()).prop_map(|(name, id)| Attached { name, id }.into()),
        (text(), any::<u32>()).prop_map(|(name, replies)| Detached { name, replies }.into()),
        (text(), exit(), any::<u32>()).prop_map(|(name, exit, replies)| Exited {
            name,
            exit,
            replies
        }
        .into()),
        info().prop_map(Into::into),
        vec((any::<i32>(), text()), 0..4).prop_map(|survivors| {
            let survivors =
                survivors.into_iter().map(|(pid, command)| Survivor { pid, command }).collect();
            Killed { survivors }.into()
        }),
        any::<u32>().prop_map(|count| Done { count }.into()),
        any::<u64>().prop_map(|bytes| Taken { bytes }.into()),
        Just(Sync {}.into()),
        answer(),
    ]
}

/// The payload of a message's frame.
fn payload(message: &HolderMessage<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.encode(&mut bytes);
    bytes.split_off(HEADER)
}

proptest! {
    #[test]
    fn any_split_of_a_stream_decodes_the_same(
        said in vec(said(), 0..12),
        cuts in vec(1..200_usize, 1..60),
    ) {
        let mut stream = Vec::new();
        for said in &said {
            said.message().encode(&mut stream);
        }
        let mut decoder = Decoder::new(CLIENT_LIMIT);
        let mut expected = said.iter();
        let mut rest = &stream[..];
        let mut cuts = cuts.iter().cycle();
        while !rest.is_empty() {
            let (read, after) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
            decoder.feed(read);
            while let Some(frame) = decoder.next_frame().unwrap() {
                let message = ClientMessage::decode(&frame).unwrap().unwrap();
                prop_assert_eq!(message, expected.next().unwrap().message());
            }
            rest = after;
        }
        prop_assert!(expected.next().is_none());
    }

    #[test]
    fn what_a_holder_says_is_what_is_heard(message in holder_said()) {
        let payload = payload(&message);
        let frame = Frame { kind: message.kind(), flags: MUST_UNDERSTAND, payload: &payload };
        prop_assert_eq!(HolderMessage::decode(&frame), Ok(Some(message)));
    }

    #[test]
    fn garbage_is_an_error_or_waits_or_is_skipped(
        garbage in vec(any::<u8>(), 0..2_000),
        cut in 1..64_usize,
    ) {
        let mut decoder = Decoder::new(CLIENT_LIMIT);
        'stream: for read in garbage.chunks(cut) {
            decoder.feed(read);
            loop {
                match decoder.next_frame() {
                    Ok(Some(frame)) => {
                        let _ = ClientMessage::decode(&frame);
                        let _ = HolderMessage::decode(&frame);
                    }
                    Ok(None) => break,
                    Err(FrameError::TooLarge { len, limit, .. }) => {
                        prop_assert!(len as usize > limit);
                        break 'stream;
                    }
                    Err(other) => prop_assert!(false, "{other:?} of a frame"),
                }
            }
        }
    }

    #[test]
    fn a_garbled_payload_is_a_message_or_malformed(
        kind in any::<u8>(),
        flags in any::<u8>(),
        payload in vec(any::<u8>(), 0..400),
    ) {
        let frame = Frame { kind, flags, payload: &payload };
        for result in [
            ClientMessage::decode(&frame).map(|message| message.is_some()),
            HolderMessage::decode(&frame).map(|message| message.is_some()),
        ] {
            match result {
                Ok(known) => prop_assert!(known || flags & MUST_UNDERSTAND == 0),
                Err(FrameError::Malformed { kind: said }) => prop_assert_eq!(said, kind),
                Err(FrameError::NotUnderstood { kind: said }) => {
                    prop_assert_eq!(said, kind);
                    prop_assert!(flags & MUST_UNDERSTAND != 0);
                }
                Err(other) => prop_assert!(false, "{other:?} of a payload"),
            }
        }
    }

    #[test]
    fn a_payload_with_something_after_it_is_malformed(
        message in holder_said(),
        after in vec(any::<u8>(), 1..8),
    ) {
        let mut payload = payload(&message);
        payload.extend_from_slice(&after);
        let frame = Frame { kind: message.kind(), flags: 0, payload: &payload };
        prop_assert_eq!(
            HolderMessage::decode(&frame),
            Err(FrameError::Malformed { kind: message.kind() })
        );
    }

    #[test]
    fn a_payload_with_its_end_missing_is_malformed(
        message in holder_said(),
        missing in any::<prop::sample::Index>(),
    ) {
        let payload = payload(&message);
        prop_assume!(!payload.is_empty());
        let frame = Frame {
            kind: message.kind(),
            flags: 0,
            payload: &payload[..missing.index(payload.len())],
        };
        prop_assert_eq!(
            HolderMessage::decode(&frame),
            Err(FrameError::Malformed { kind: message.kind() })
        );
    }

    #[test]
    fn unknown_kinds_are_skipped_unless_they_must_be_understood(
        kind in 24..128_u8,
        payload in vec(any::<u8>(), 0..100),
        flags in any::<u8>(),
    ) {
        let mut stream = frame::header(kind, flags, payload.len()).to_vec();
        stream.extend_from_slice(&payload);
        ClientMessage::from(Leave {}).encode(&mut stream);
        let mut decoder = Decoder::new(CLIENT_LIMIT);
        decoder.feed(&stream);
        let unknown = decoder.next_frame().unwrap().unwrap();
        let expected = if flags & MUST_UNDERSTAND == 0 {
            Ok(None)
        } else {
            Err(FrameError::NotUnderstood { kind })
        };
        prop_assert_eq!(ClientMessage::decode(&unknown), expected);
        let next = decoder.next_frame().unwrap().unwrap();
        prop_assert_eq!(ClientMessage::decode(&next), Ok(Some(Leave {}.into())));
    }
}

#[test]
fn a_frame_over_the_limit_is_refused_by_its_header_alone() {
    for (limit, len) in [
        (CLIENT_LIMIT, u32::MAX),
        (HOLDER_LIMIT, u32::MAX),
        (CLIENT_LIMIT, CLIENT_LIMIT as u32 + 1),
        (HOLDER_LIMIT, HOLDER_LIMIT as u32 + 1),
    ] {
        let mut header = vec![3, 0, 0, 0];
        header.extend_from_slice(&len.to_le_bytes());
        let mut decoder = Decoder::new(limit);
        decoder.feed(&header);
        assert_eq!(decoder.next_frame(), Err(FrameError::TooLarge { kind: 3, len, limit }));
    }
}

#[test]
fn memory_follows_what_came_and_not_what_is_claimed() {
    let mut decoder = Decoder::new(HOLDER_LIMIT);
    decoder.feed(&frame::header(131, 0, HOLDER_LIMIT));
    assert_eq!(decoder.next_frame(), Ok(None));
    // The room is all that the decoder has: what is asked for, nothing of the claim.
    assert!(decoder.room(1).len() < 1_000);
}

#[test]
fn a_payload_that_claims_more_elements_than_it_has_allocates_nothing_for_them() {
    // A Killed with 2^62 survivors, and an Attached with a name of 4 EiB.
    for kind in [135, 130] {
        let payload = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0x40];
        let frame = Frame { kind, flags: 0, payload: &payload };
        assert_eq!(HolderMessage::decode(&frame), Err(FrameError::Malformed { kind }));
    }
}

#[test]
fn the_largest_frames_pass() {
    let bytes = vec![b'x'; OUTPUT_LIMIT];
    let mut stream = Vec::new();
    HolderMessage::Output(&bytes).encode(&mut stream);
    ClientMessage::Input(&bytes[..CLIENT_LIMIT]).encode(&mut stream);
    let mut decoder = Decoder::new(CLIENT_LIMIT);
    for read in stream.chunks(1_000) {
        decoder.feed(read);
    }
    for kind in [131, 3] {
        let frame = decoder.next_frame().unwrap().unwrap();
        assert_eq!((frame.kind, frame.payload), (kind, &bytes[..]));
    }
    decoder.relax();
    assert!(decoder.room(0).is_empty());
}

#[test]
fn unknown_flags_and_what_is_reserved_are_ignored() {
    let mut decoder = Decoder::new(CLIENT_LIMIT);
    decoder.feed(&[3, 0xfe, 0xff, 0xff, 1, 0, 0, 0, b'x']);
    let frame = decoder.next_frame().unwrap().unwrap();
    assert_eq!(ClientMessage::decode(&frame), Ok(Some(ClientMessage::Input(b"x"))));
}

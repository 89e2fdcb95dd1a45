//! The wire, frozen: the bytes of every message of both sides. What a released
//! sess has said must stay readable for ever, so a test that fails here means
//! that the change needs a new kind, not new bytes.
//!
//! Bytes are written in hexadecimal, text in quotes; `/` parts a frame's header
//! from its payload and has no meaning beyond that. Numbers of a payload are
//! bincode's: one byte up to 250, else `fb` and two, `fc` and four, or `fd` and
//! eight bytes, little-endian; signed ones are zigzag. A variant is its number, a
//! character its UTF-8.

use sess_proto::frame::{CLIENT_LIMIT, HOLDER_LIMIT};
use sess_proto::message::{
    Ack, Activity, At, Attach, Attached, Began, Capture, Captured, ClientInfo, Detach, Detached,
    Done, Event, Exit, Exited, Follow, Happened, Happening, Hello, Info, Key, KeyCode, Kill,
    Killed, Leave, Listen, Listening, Mood, Ran, Redraw, Refused, Rename, Resize, Run, Send, Sent,
    SetSize, Size, Status, Survivor, Sync, Taken, TimedOut, Typed, Until, Wait, Welcome, refusal,
};
use sess_proto::{ClientMessage, Decoder, HolderMessage};

fn bytes(golden: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (index, part) in golden.split('\'').enumerate() {
        if index % 2 == 1 {
            bytes.extend_from_slice(part.as_bytes());
            continue;
        }
        let digits: Vec<_> = part.chars().filter_map(|c| c.to_digit(16)).collect();
        assert!(digits.len().is_multiple_of(2), "half a byte in {part}");
        bytes.extend(digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8));
    }
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

/// Checks that a message is these bytes and these bytes are the message.
macro_rules! golden {
    ($side:ident, $limit:expr, $message:expr, $golden:expr) => {{
        let message: $side<'_> = $message.into();
        let golden = bytes($golden);
        let mut encoded = Vec::new();
        message.encode(&mut encoded);
        assert_eq!(hex(&encoded), hex(&golden), "{message:?}");
        assert_eq!(golden[0], message.kind());
        let mut decoder = Decoder::new($limit);
        decoder.feed(&golden);
        let frame = decoder.next_frame().expect("a frame").expect("a whole one");
        assert_eq!($side::decode(&frame), Ok(Some(message)));
        assert_eq!(decoder.next_frame(), Ok(None));
    }};
}

fn client<'a>(message: impl Into<ClientMessage<'a>>, golden: &str) {
    golden!(ClientMessage, CLIENT_LIMIT, message, golden);
}

fn holder<'a>(message: impl Into<HolderMessage<'a>>, golden: &str) {
    golden!(HolderMessage, HOLDER_LIMIT, message, golden);
}

const SIZE: Size = Size { cols: 80, rows: 24, xpixel: 1280, ypixel: 0 };

#[test]
fn hello() {
    client(
        Hello { protocol_min: 1, protocol_max: 2, features: 1 << 40, version: "0.1.0".into() },
        "01 01 0000 11000000 / 01 02 fd 0000000000010000 05 '0.1.0'",
    );
}

#[test]
fn attach() {
    client(
        Attach {
            size: SIZE,
            lines: u64::MAX,
            read_only: false,
            exclusive: true,
            tty: "/dev/pts/3".into(),
            tty_dev: 250,
            tty_rdev: 0x8803,
            agent: None,
        },
        "02 01 0000 21000000 / 50 18 fb 0005 00 fd ffffffffffffffff 00 01 0a '/dev/pts/3' fa fb 0388 00",
    );
    client(
        Attach {
            size: Size { cols: 0, rows: 0, xpixel: 0, ypixel: 0 },
            lines: 1_000,
            read_only: true,
            exclusive: false,
            tty: String::new(),
            tty_dev: 251,
            tty_rdev: 0,
            agent: Some(b"/a\xff".to_vec()),
        },
        "02 01 0000 13000000 / 00 00 00 00 fb e803 01 00 00 fb fb00 00 01 03 '/a' ff",
    );
}

#[test]
fn what_is_typed_passive_or_a_report_is_raw() {
    client(ClientMessage::Input(b"ls\r"), "03 00 0000 03000000 / 'ls' 0d");
    client(ClientMessage::Input(b""), "03 00 0000 00000000 /");
    client(ClientMessage::Passive(b"\x1b[I"), "04 00 0000 03000000 / 1b '[I'");
    client(ClientMessage::Report(b"\x1b[?6c"), "05 00 0000 05000000 / 1b '[?6c'");
}

#[test]
fn resize() {
    client(Resize { size: SIZE }, "06 01 0000 06000000 / 50 18 fb 0005 00");
}

#[test]
fn ack() {
    client(Ack { bytes: 0x0102_0304 }, "07 01 0000 05000000 / fc 04030201");
}

#[test]
fn leave() {
    client(Leave {}, "08 01 0000 00000000 /");
}

#[test]
fn redraw() {
    client(Redraw { size: SIZE }, "09 01 0000 06000000 / 50 18 fb 0005 00");
}

#[test]
fn status() {
    client(Status {}, "0a 01 0000 00000000 /");
}

#[test]
fn kill() {
    client(Kill { signal: None, grace: 5_000 }, "0b 01 0000 04000000 / 00 fb 8813");
    client(Kill { signal: Some(2), grace: 0 }, "0b 01 0000 03000000 / 01 04 00");
}

#[test]
fn detach() {
    client(Detach {}, "0c 01 0000 00000000 /");
}

#[test]
fn send() {
    client(
        Send { paste: true, longest_line: 72, timeout: None, until: None },
        "0d 01 0000 04000000 / 01 48 00 00",
    );
    client(
        Send {
            paste: false,
            longest_line: 4_096,
            timeout: Some(30_000),
            until: Some(Until::Text("done".into())),
        },
        "0d 01 0000 0f000000 / 00 fb 0010 01 fb 3075 01 01 04 'done'",
    );
}

#[test]
fn text_to_be_typed_is_raw() {
    client(ClientMessage::Text("é\r\x00".as_bytes()), "0e 00 0000 04000000 / c3a9 0d 00");
    client(ClientMessage::Text(b""), "0e 00 0000 00000000 /");
}

#[test]
fn key() {
    for (code, mods, golden) in [
        (KeyCode::Char('a'), 4, "0f 01 0000 03000000 / 00 'a' 04"),
        (KeyCode::Char('é'), 0, "0f 01 0000 04000000 / 00 c3a9 00"),
        (KeyCode::Char('😀'), 2, "0f 01 0000 06000000 / 00 f09f9880 02"),
        (KeyCode::Enter, 0, "0f 01 0000 02000000 / 01 00"),
        (KeyCode::Tab, 1, "0f 01 0000 02000000 / 02 01"),
        (KeyCode::Escape, 0, "0f 01 0000 02000000 / 03 00"),
        (KeyCode::Backspace, 0, "0f 01 0000 02000000 / 04 00"),
        (KeyCode::Insert, 0, "0f 01 0000 02000000 / 05 00"),
        (KeyCode::Delete, 0, "0f 01 0000 02000000 / 06 00"),
        (KeyCode::Home, 0, "0f 01 0000 02000000 / 07 00"),
        (KeyCode::End, 0, "0f 01 0000 02000000 / 08 00"),
        (KeyCode::PageUp, 0, "0f 01 0000 02000000 / 09 00"),
        (KeyCode::PageDown, 0, "0f 01 0000 02000000 / 0a 00"),
        (KeyCode::Up, 7, "0f 01 0000 02000000 / 0b 07"),
        (KeyCode::Down, 0, "0f 01 0000 02000000 / 0c 00"),
        (KeyCode::Left, 0, "0f 01 0000 02000000 / 0d 00"),
        (KeyCode::Right, 0, "0f 01 0000 02000000 / 0e 00"),
        (KeyCode::F(20), 0, "0f 01 0000 03000000 / 0f 14 00"),
        // A byte stays a byte, also above 250.
        (KeyCode::F(255), 255, "0f 01 0000 03000000 / 0f ff ff"),
    ] {
        client(Key { code, mods }, golden);
    }
}

#[test]
fn sent() {
    client(Sent {}, "10 01 0000 00000000 /");
}

#[test]
fn wait() {
    client(
        Wait { until: Until::Exit, since: None, timeout: None },
        "11 01 0000 03000000 / 00 00 00",
    );
    client(
        Wait { until: Until::Text("^ok$".into()), since: Some(18_231), timeout: None },
        "11 01 0000 0b000000 / 01 04 '^ok$' 01 fb 3747 00",
    );
    client(
        Wait { until: Until::Idle(500), since: None, timeout: Some(10_000) },
        "11 01 0000 09000000 / 02 fb f401 00 01 fb 1027",
    );
}

#[test]
fn capture() {
    client(Capture { lines: 0 }, "12 01 0000 01000000 / 00");
    client(Capture { lines: u64::MAX }, "12 01 0000 09000000 / fd ffffffffffffffff");
}

#[test]
fn follow() {
    client(Follow { since: None, limit: None, follow: true }, "13 01 0000 03000000 / 00 00 01");
    client(
        Follow { since: Some(18_231), limit: Some(65_536), follow: false },
        "13 01 0000 0b000000 / 01 fb 3747 01 fc 00000100 00",
    );
}

#[test]
fn run() {
    client(
        Run { words: vec![b"make test".to_vec()], timeout: None },
        "14 01 0000 0c000000 / 01 09 'make test' 00",
    );
    client(
        Run {
            words: vec![b"echo".to_vec(), Vec::new(), b"\xff\n".to_vec()],
            timeout: Some(60_000),
        },
        "14 01 0000 0e000000 / 03 04 'echo' 00 02 ff 0a 01 fb 60ea",
    );
    client(Run { words: Vec::new(), timeout: Some(0) }, "14 01 0000 03000000 / 00 01 00");
}

#[test]
fn listen() {
    client(Listen {}, "15 01 0000 00000000 /");
}

#[test]
fn rename() {
    client(Rename { name: "work".into() }, "16 01 0000 05000000 / 04 'work'");
}

#[test]
fn set_size() {
    client(SetSize { size: SIZE }, "17 01 0000 06000000 / 50 18 fb 0005 00");
}

#[test]
fn welcome() {
    holder(
        Welcome { protocol_min: 1, protocol_max: 1, features: 0, version: "0.1.0".into() },
        "80 01 0000 09000000 / 01 01 00 05 '0.1.0'",
    );
}

#[test]
fn refused() {
    holder(
        Refused { code: refusal::ITSELF, message: "é".into() },
        "81 01 0000 04000000 / 03 02 c3a9",
    );
}

#[test]
fn reasons_for_a_refusal_keep_their_numbers() {
    let codes = [
        refusal::MALFORMED,
        refusal::PROTOCOL,
        refusal::ITSELF,
        refusal::ENDING,
        refusal::FAILED,
        refusal::USAGE,
        refusal::TAKEN,
        refusal::ENDED,
    ];
    assert_eq!(codes, [1, 2, 3, 4, 5, 6, 7, 8]);
}

#[test]
fn attached() {
    holder(
        Attached { name: "work".into(), id: "6f1c9a40b2d7e853".into() },
        "82 01 0000 16000000 / 04 'work' 10 '6f1c9a40b2d7e853'",
    );
}

#[test]
fn output() {
    holder(HolderMessage::Output(b"\x1b[m\xff\x00"), "83 00 0000 05000000 / 1b '[m' ff 00");
}

#[test]
fn detached() {
    holder(Detached { name: "work".into(), replies: 2 }, "84 01 0000 06000000 / 04 'work' 02");
}

#[test]
fn exited() {
    holder(
        Exited { name: "work".into(), exit: Exit::Code(3), replies: 0 },
        "85 01 0000 08000000 / 04 'work' 00 03 00",
    );
    // A byte stays a byte, also above 250.
    holder(
        Exited { name: "w".into(), exit: Exit::Code(255), replies: 300 },
        "85 01 0000 07000000 / 01 'w' 00 ff fb 2c01",
    );
    holder(
        Exited { name: "w".into(), exit: Exit::Signal(9), replies: 0 },
        "85 01 0000 05000000 / 01 'w' 01 12 00",
    );
}

#[test]
fn info() {
    holder(
        Info {
            name: "work".into(),
            id: "6f1c9a40b2d7e853".into(),
            pid: Some(4211),
            holder_pid: 4209,
            command: vec!["sh".into(), "-c".into()],
            cwd: "/home/u".into(),
            title: "vim".into(),
            created: 1_795_210_800_000,
            last_output: Some(1_795_210_801_000),
            last_input: None,
            size: SIZE,
            clients: vec![ClientInfo {
                pid: 4300,
                tty: "/dev/pts/3".into(),
                tty_dev: 24,
                tty_rdev: 0x8803,
                size: SIZE,
                leader: true,
                read_only: false,
                attached: 1_795_210_800_500,
            }],
            offset: 18_231,
            history_lines: 212,
            labels: vec![("project".into(), "x".into())],
            version: "0.1.0".into(),
            tty_dev: 24,
            tty_rdev: 0x8804,
        },
        "86 01 0000 87000000 / 04 'work' 10 '6f1c9a40b2d7e853' 01 fb e620 fb e220 \
         02 02 'sh' 02 '-c' 07 '/home/u' 03 'vim' \
         fd 80ebe6faa1010000 01 fd 68efe6faa1010000 00 50 18 fb 0005 00 \
         01 fb 9821 0a '/dev/pts/3' 18 fb 0388 50 18 fb 0005 00 01 00 fd 74ede6faa1010000 \
         fb 3747 d4 01 07 'project' 01 'x' 05 '0.1.0' 18 fb 0488",
    );
    holder(
        Info {
            name: "1".into(),
            id: String::new(),
            pid: None,
            holder_pid: -1,
            command: Vec::new(),
            cwd: String::new(),
            title: String::new(),
            created: 0,
            last_output: None,
            last_input: Some(1),
            size: Size { cols: 0, rows: 0, xpixel: 0, ypixel: 0 },
            clients: Vec::new(),
            offset: u64::MAX,
            history_lines: 0,
            labels: Vec::new(),
            version: String::new(),
            tty_dev: 0,
            tty_rdev: 0,
        },
        "86 01 0000 1f000000 / 01 '1' 00 00 01 00 00 00 00 00 01 01 00 00 00 00 00 \
         fd ffffffffffffffff 00 00 00 00 00",
    );
}

#[test]
fn killed() {
    holder(Killed { survivors: Vec::new() }, "87 01 0000 01000000 / 00");
    holder(
        Killed { survivors: vec![Survivor { pid: 70_000, command: "dd".into() }] },
        "87 01 0000 09000000 / 01 fc e0220200 02 'dd'",
    );
}

#[test]
fn done() {
    holder(Done { count: 7 }, "88 01 0000 01000000 / 07");
}

#[test]
fn taken() {
    holder(Taken { bytes: 0x0102_0304 }, "89 01 0000 05000000 / fc 04030201");
}

#[test]
fn sync() {
    holder(Sync {}, "8a 01 0000 00000000 /");
}

#[test]
fn began() {
    holder(Began { offset: 18_231 }, "8b 01 0000 03000000 / fb 3747");
}

#[test]
fn typed() {
    holder(Typed { bytes: 72 }, "8c 01 0000 01000000 / 48");
}

#[test]
fn happened() {
    holder(Happened {}, "8d 01 0000 00000000 /");
}

#[test]
fn timed_out() {
    holder(TimedOut { typed: None }, "8e 01 0000 01000000 / 00");
    holder(TimedOut { typed: Some((4_096, false)) }, "8e 01 0000 05000000 / 01 fb 0010 00");
    holder(TimedOut { typed: Some((0, true)) }, "8e 01 0000 03000000 / 01 00 01");
}

#[test]
fn at() {
    holder(At { offset: 1 << 40 }, "8f 01 0000 09000000 / fd 0000000000010000");
}

#[test]
fn captured() {
    holder(Captured { size: SIZE }, "90 01 0000 06000000 / 50 18 fb 0005 00");
}

#[test]
fn ran() {
    holder(
        Ran { code: 0, duration: 1_204, offset: 18_231 },
        "91 01 0000 07000000 / 00 fb b404 fb 3747",
    );
    holder(Ran { code: 255, duration: 0, offset: 0 }, "91 01 0000 03000000 / ff 00 00");
}

#[test]
fn listening() {
    holder(
        Listening {
            name: "work".into(),
            id: "6f1c9a40b2d7e853".into(),
            created: 1_795_210_800_000,
        },
        "92 01 0000 1f000000 / 04 'work' 10 '6f1c9a40b2d7e853' fd 80ebe6faa1010000",
    );
}

#[test]
fn event() {
    let pts = || "/dev/pts/3".to_string();
    for (happening, golden) in [
        (
            Happening::Attached { pid: 4300, tty: pts() },
            "93 01 0000 1a000000 / fd 68efe6faa1010000 01 'w' 00 fb 9821 0a '/dev/pts/3'",
        ),
        (
            Happening::Detached { pid: -1, tty: pts() },
            "93 01 0000 18000000 / fd 68efe6faa1010000 01 'w' 01 01 0a '/dev/pts/3'",
        ),
        (
            Happening::Resized(SIZE),
            "93 01 0000 12000000 / fd 68efe6faa1010000 01 'w' 02 50 18 fb 0005 00",
        ),
        (
            Happening::Renamed { old: "work".into() },
            "93 01 0000 11000000 / fd 68efe6faa1010000 01 'w' 03 04 'work'",
        ),
        (Happening::Activity, "93 01 0000 0c000000 / fd 68efe6faa1010000 01 'w' 04"),
        (
            Happening::Title("vim".into()),
            "93 01 0000 10000000 / fd 68efe6faa1010000 01 'w' 05 03 'vim'",
        ),
        (Happening::Bell, "93 01 0000 0c000000 / fd 68efe6faa1010000 01 'w' 06"),
        (
            Happening::Notification { title: String::new(), body: "done".into() },
            "93 01 0000 12000000 / fd 68efe6faa1010000 01 'w' 07 00 04 'done'",
        ),
        (Happening::Restarted, "93 01 0000 0c000000 / fd 68efe6faa1010000 01 'w' 08"),
        (
            Happening::Exited(Exit::Code(3)),
            "93 01 0000 0e000000 / fd 68efe6faa1010000 01 'w' 09 00 03",
        ),
        (
            Happening::Exited(Exit::Signal(9)),
            "93 01 0000 0e000000 / fd 68efe6faa1010000 01 'w' 09 01 12",
        ),
    ] {
        holder(Event { time: 1_795_210_801_000, name: "w".into(), happening }, golden);
    }
}

#[test]
fn mood_need_not_be_understood() {
    holder(Mood { activity: Activity::Busy }, "94 00 0000 01000000 / 00");
    holder(Mood { activity: Activity::Idle }, "94 00 0000 01000000 / 01");
    holder(Mood { activity: Activity::Asking }, "94 00 0000 01000000 / 02");
}

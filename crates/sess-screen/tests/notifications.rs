//! What programs ask the terminal to tell its user, and what shells tell the terminal.

use sess_screen::{Screen, ShellState, Size};

fn screen(bytes: &[u8]) -> Screen {
    let mut screen = Screen::new(Size::new(20, 4), 100);
    screen.feed(bytes);
    screen
}

/// What was asked for, each as title and body. Nothing is ever answered.
fn notified(bytes: &[u8]) -> Vec<(String, String)> {
    let mut screen = screen(bytes);
    assert!(screen.take_replies().is_empty());
    let taken = screen.take_notifications();
    assert!(screen.take_notifications().is_empty(), "they are taken once");
    taken.into_iter().map(|one| (one.title, one.body)).collect()
}

#[track_caller]
fn assert_notified(bytes: &str, expected: &[(&str, &str)]) {
    let notified = notified(bytes.as_bytes());
    let notified: Vec<(&str, &str)> =
        notified.iter().map(|(title, body)| (title.as_str(), body.as_str())).collect();
    assert_eq!(notified, expected);
}

#[test]
fn osc_9_is_a_body() {
    assert_notified("\x1b]9;done; really\x07", &[("", "done; really")]);
    assert_notified("\x1b]9;1\x1b\\\x1b]9;naïve\x1b\\", &[("", "naïve")]);
    assert_notified("\x1b]9;\x07\x1b]9\x07", &[]);
}

#[test]
fn conemu_s_numbered_commands_are_no_notifications() {
    assert_notified("\x1b]9;4;1;50\x07\x1b]9;12\x07\x1b]9;11;x\x07\x1b]9;9;/tmp\x07", &[]);
    assert_notified(
        "\x1b]9;42\x07\x1b]9;0\x07\x1b]9;100;x\x07\x1b]9;5 left\x07",
        &[("", "42"), ("", "0"), ("", "100;x"), ("", "5 left")],
    );
}

#[test]
fn osc_777_notifies_with_a_title_and_a_body() {
    assert_notified("\x1b]777;notify;make;all; done\x07", &[("make", "all; done")]);
    assert_notified("\x1b]777;notify;make\x07", &[("make", "")]);
    assert_notified("\x1b]777;notify\x07\x1b]777;precmd;a;b\x07\x1b]777;notify;;\x07", &[]);
}

#[test]
fn osc_99_may_come_whole_or_in_parts() {
    assert_notified("\x1b]99;;Hello world\x1b\\", &[("Hello world", "")]);
    assert_notified("\x1b]99;u=2:p=body;text\x1b\\", &[("", "text")]);
    let parts = "\x1b]99;i=1:d=0;Hel\x1b\\\x1b]99;i=2:d=0;other\x1b\\\
                 \x1b]99;i=1:d=0;lo\x1b\\\x1b]99;i=1:p=body;bo;dy\x1b\\";
    assert_notified(parts, &[("Hello", "bo;dy")]);
    assert_notified("\x1b]99;i=1:d=0;on\x1b\\\x1b]99;i=1:p=icon;xxx\x1b\\", &[("on", "")]);
}

#[test]
fn osc_99_may_be_base64() {
    assert_notified("\x1b]99;e=1;SGVsbG8=\x1b\\", &[("Hello", "")]);
    assert_notified("\x1b]99;e=1:p=body;SGVsbG8\x1b\\", &[("", "Hello")]);
    // A character in two parts; and what is no base64.
    assert_notified("\x1b]99;d=0:e=1;YcM=\x1b\\\x1b]99;e=1;pGI=\x1b\\", &[("aäb", "")]);
    assert_notified("\x1b]99;d=0;a\x1b\\\x1b]99;e=1;!\x1b\\", &[("a", "")]);
    assert_notified("\x1b]99;e=1;!\x1b\\", &[]);
}

#[test]
fn other_kinds_of_osc_99_are_no_notifications() {
    for kind in ["?", "close", "icon", "alive", "buttons"] {
        assert_notified(&format!("\x1b]99;i=1:p={kind};text\x1b\\"), &[]);
    }
    assert_notified("\x1b]99\x07\x1b]99;text\x07", &[]);
}

#[test]
fn control_characters_are_left_out_and_long_texts_cut() {
    assert_notified("\x1b]9;a\tb\nc\u{85}d\x07", &[("", "abcd")]);
    assert_notified("\x1b]99;e=1;YQdiG2M=\x1b\\", &[("abc", "")]);
    let long = "ä".repeat(700);
    let notified = notified(format!("\x1b]777;notify;x{long};{long}\x07").as_bytes());
    assert_eq!((notified[0].0.len(), notified[0].1.len()), (1023, 1024));
}

#[test]
fn the_latest_16_are_kept() {
    let forty = |asked: fn(u32) -> String| (0..40).map(asked).collect::<Vec<_>>().concat();
    let kept = notified(forty(|n| format!("\x1b]9;n{n}\x07")).as_bytes());
    assert_eq!((kept.len(), kept[0].1.as_str()), (16, "n24"));
    // Of those that are never finished no more are.
    let begun = forty(|n| format!("\x1b]99;i={n}:d=0;n{n}\x07"));
    let finished = forty(|n| format!("\x1b]99;i={n}:p=buttons;\x07"));
    let kept = notified((begun + &finished).as_bytes());
    assert_eq!((kept.len(), kept[0].0.as_str()), (16, "n24"));
}

#[test]
fn notifications_are_no_part_of_a_snapshot() {
    let snapshot = |bytes| {
        let screen = screen(bytes);
        let mut out = Vec::new();
        screen.snapshot(screen.size(), &mut out);
        out
    };
    assert_eq!(snapshot(b"\x1b]9;text\x07\x1b]99;d=0;x\x07"), snapshot(b""));
}

#[test]
fn a_shell_tells_where_it_is() {
    let mut screen = screen(b"$ ");
    assert_eq!(screen.shell(), None);
    let steps = [
        ("A", ShellState::Prompt),
        ("B", ShellState::Prompt),
        ("C;cmdline=x", ShellState::Command),
        ("L", ShellState::Command),
        ("", ShellState::Command),
        ("D;1", ShellState::Finished),
        ("P;k=i", ShellState::Prompt),
        ("C", ShellState::Command),
        ("D", ShellState::Finished),
        ("A;aid=1", ShellState::Prompt),
    ];
    for (mark, state) in steps {
        screen.feed(format!("\x1b]133;{mark}\x07").as_bytes());
        assert_eq!(screen.shell(), Some(state), "after {mark}");
    }
    screen.feed(b"\x1b[!p\x1b[?1049h");
    assert_eq!(screen.shell(), Some(ShellState::Prompt));
    screen.feed(b"\x1bc");
    assert_eq!(screen.shell(), None);
}

//! What a restarted session says: its earlier output stands above a line, its offsets go
//! on, and nothing of what the last program did to the terminal is left.

use serde_json::Value;

use crate::harness::{Sandbox, restart_times};

#[test]
fn the_earlier_output_stands_above_a_line_with_the_time() {
    let sandbox = Sandbox::new();
    let script =
        "test -e again && { echo new words; exec cat; }; seq 1 100; echo old words; exit 3";
    sandbox.start_session_that_ends("work", script);
    sandbox.write("again", "");
    // Far enough from this machine's not to be taken for it.
    let zone = "TEST-13:30";
    let before = sandbox.date_in(zone);
    let mut command = sandbox.sess_command(["restart", "work"]);
    command.env("TZ", zone);
    sandbox.run(command).expect(0);
    let after = sandbox.date_in(zone);
    sandbox.wait_for_line("work", "^new words$");
    let text = sandbox.sess(["logs", "work"]).expect(0).stdout;
    let times = restart_times(&text);
    assert_eq!(times.len(), 1, "{text}");
    assert!(before <= times[0] && times[0] <= after, "{before} {times:?} {after}");
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[..2], ["1", "2"]);
    let line = format!("── restarted {} ──", times[0]);
    assert_eq!(lines[99..], ["100", "old words", &line, "new words"]);
    let terminal = sandbox.attach("work");
    terminal.wait_for_text(&format!("100\nold words\n{line}\nnew words"));
    terminal.look(|it| assert!(it.lines().contains(&"1".to_owned()), "{}", it.report()));
}

#[test]
fn offsets_go_on() {
    let sandbox = Sandbox::new();
    let script = "test -e again && { echo new words; exec cat; }; echo old words; exit 3";
    sandbox.start_session_that_ends("work", script);
    sandbox.write("again", "");
    let old = sandbox.offset("work");
    assert_eq!(old, "old words\r\n".len() as u64);
    sandbox.sess(["restart", "work"]).expect(0);
    sandbox.wait_for_line("work", "^new words$");
    let now = sandbox.offset("work");
    let raw = sandbox.raw_since("work", old);
    assert_eq!(now, old + raw.len() as u64);
    assert!(raw.contains("── restarted ") && raw.ends_with(" ──\r\nnew words\r\n"), "{raw}");
    assert!(!raw.contains("old words"), "{raw}");
    let all = sandbox.sess(["logs", "work", "--raw"]).expect(0).stdout;
    assert_eq!(all, format!("old words\r\n{raw}"));
    let page: Value = serde_json::from_str(
        &sandbox.sess(["logs", "work", "--json", "--since", "4", "--limit", "5"]).expect(0).stdout,
    )
    .unwrap();
    assert_eq!(
        (&page["offset"], &page["next"], &page["data"]),
        (&4.into(), &9.into(), &"words".into())
    );
    assert_eq!((&page["truncated"], old), (&false.into(), 11));
    // A third time they go on from there.
    sandbox.sess(["kill", "work"]).expect(0);
    sandbox.sess(["restart", "work"]).expect(0);
    let raw = sandbox.raw_since("work", now);
    assert!(raw.contains("── restarted ") && !raw.contains("old words"), "{raw}");
}

#[test]
fn waiting_and_sending_know_what_is_new() {
    let sandbox = Sandbox::new();
    let script = "test -e again && { echo new words; exec cat; }; echo old words; exit 3";
    sandbox.start_session_that_ends("work", script);
    sandbox.write("again", "");
    let old = sandbox.offset("work").to_string();
    sandbox.sess(["restart", "work"]).expect(0);
    let wait = |regex: &str, since: &str| {
        let words = ["wait", "work", "--text", regex, "--since", since, "--timeout", "300ms"];
        sandbox.sess(words).code
    };
    sandbox.wait_for_line("work", "^new words$");
    assert_eq!((wait("^new words$", &old), wait("^old words$", &old)), (0, 124));
    assert_eq!(wait("^old words$", "0"), 0);
    let sent = sandbox.sess(["send", "work", "hello", "--enter", "--offset"]).expect(0).stdout;
    let sent = sent.trim_end();
    assert!(sent.parse::<u64>().unwrap() > old.parse().unwrap(), "{sent} {old}");
    sandbox.sess(["wait", "work", "--text", "^hello$", "--since", sent]).expect(0);
    assert_eq!(wait("^new words$", sent), 124);
}

#[test]
fn without_its_output_on_disk_offsets_go_on_all_the_same() {
    let sandbox = Sandbox::new();
    let words = ["new", "-d", "--record", "never", "work", "--", "sh", "-c", "echo old words; cat"];
    sandbox.sess(words).expect(0);
    sandbox.wait_for_line("work", "^old words$");
    sandbox.sess(["kill", "work"]).expect(0);
    let old = sandbox.offset("work");
    sandbox.sess(["restart", "work"]).expect(0);
    sandbox.wait_for_line("work", "^old words$");
    assert_eq!(sandbox.sess(["logs", "work"]).expect(0).stdout.matches("old words").count(), 1);
    let raw = sandbox.raw_since("work", old);
    assert!(raw.contains("── restarted ") && raw.ends_with(" ──\r\nold words\r\n"), "{raw}");
    assert_eq!(sandbox.offset("work"), old + raw.len() as u64);
    assert_eq!(sandbox.raw_since("work", 0), raw);
}

#[test]
fn nothing_is_left_of_what_the_last_program_did_to_the_terminal() {
    let sandbox = Sandbox::new();
    // Alternate screen, paste, mouse, focus, keys, cursor, keyboard, margins, origin,
    // insertion, no wrapping, drawing characters, no tab stops, colours, a shape, line
    // feeds, reversal, palette.
    let disorder = r"printf '\033[?1049h\033[?2004h\033[?1003h\033[?1006h\033[?1004h\033[?1h\033='
        printf '\033[?25l\033[>5u\033[>4;2m\033[3;10r\033[?6h\033[4h\033[?7l\033(0\033)0\016'
        printf '\033[3g\033[31;7m\033[5 q\033[20h\033[?5h\033]4;1;rgb:12/34/56\007\033]10;#123\007'
        printf 'full screen'; exit 3";
    let tidy = r"stty -a | grep -v ^speed >modes
        printf 'a\tb\tqqq\n%0100d\n\033[5Cplain\nlast' 0; exec cat";
    let script = format!("test -e again || {{ {disorder}; }}; {tidy}");
    sandbox.start_session_that_ends("work", &script);
    sandbox.write("again", "");
    sandbox.sess(["restart", "work"]).expect(0);
    sandbox.wait_for_line("work", "^last$");
    let modes = || String::from_utf8(sandbox.read("modes")).unwrap();
    let after = modes();
    sandbox.start_script("fresh", tidy);
    sandbox.wait_for_line("fresh", "^last$");
    assert_eq!(after, modes());
    let capture = |name: &str| -> Value {
        let text = sandbox.sess(["capture", name, "--format", "json"]).expect(0).stdout;
        serde_json::from_str(&text).unwrap()
    };
    let (mut work, fresh) = (capture("work"), capture("fresh"));
    assert_eq!(work["modes"], fresh["modes"]);
    let lines = work["lines"].as_array_mut().unwrap();
    let text = |line: &Value| line.to_string();
    let at = lines.iter().position(|line| text(line).contains("── restarted ")).expect("the line");
    let rest = lines.split_off(at + 1);
    let count = rest.iter().rposition(|line| text(line).contains("last")).unwrap() + 1;
    assert_eq!(rest[..count], fresh["lines"].as_array().unwrap()[..count]);
    // Not even where it isn't seen.
    let terminal = sandbox.attach("work");
    terminal.wait_for_text("last");
    terminal.look(|it| {
        assert!(it.is_in_order(), "{}", it.report());
        assert!(!it.text().contains("full screen"), "{}", it.report());
        for part in ["\x1b]4;1;rgb:12", "\x1b]10;#123", "\x1b]10;rgb:11", "\x1b[5 q", "\x1b[?5h"] {
            assert!(!it.has_raw(part), "{}", part.escape_debug());
        }
    });
}

#[test]
fn what_the_last_program_left_unfinished_swallows_nothing() {
    for half in
        [r"\033[", r"\033]2;title", r"\033P+q", r"\342\224", r"\033[38;5", r"\033", r"\033_G"]
    {
        let sandbox = Sandbox::new();
        let script = format!(
            "test -e again && {{ echo first line; echo second line; exec cat; }}
             echo old words; printf '{half}'; exit 3"
        );
        sandbox.start_session_that_ends("work", &script);
        sandbox.write("again", "");
        sandbox.sess(["restart", "work"]).expect(0);
        sandbox.wait_for_line("work", "^second line$");
        let text = sandbox.sess(["logs", "work"]).expect(0).stdout;
        assert_eq!(restart_times(&text).len(), 1, "{half}: {text}");
        assert!(text.starts_with("old words\n"), "{half}: {text}");
        assert!(text.ends_with(" ──\nfirst line\nsecond line\n"), "{half}: {text}");
        let terminal = sandbox.attach("work");
        terminal.wait_for_text(" ──\nfirst line\nsecond line");
    }
}

//! Contract 6.2, the history: its last lines stand in the terminal's own
//! scrollback, in order, none twice, coloured and wrapped for its width.

use vt100::Color;

use crate::harness::{Emulator, Sandbox, wait_until};

/// A session that has printed this many numbered lines and a prompt.
fn start_with_lines(sandbox: &Sandbox, count: u64) {
    let script = format!(
        "stty -echo; for i in $(seq {count}); do printf '\\033[3%dmline %d\\033[m\\n' \
         $((i % 8)) $i; done; printf 'prompt> '; cat"
    );
    sandbox.start_script("work", &script);
    wait_until("the output", || {
        let status = sandbox.status("work");
        status["history_lines"].as_u64() == Some((count + 1).saturating_sub(24))
    });
}

/// The numbers of the numbered lines, scrollback and screen together.
fn numbers(it: &Emulator) -> Vec<u64> {
    let lines = it.lines();
    lines.iter().filter_map(|line| line.strip_prefix("line ")?.parse().ok()).collect()
}

#[test]
fn history_lands_in_the_terminals_own_scrollback_in_order_none_twice() {
    let sandbox = Sandbox::new();
    start_with_lines(&sandbox, 300);
    let terminal = sandbox.attach("work");
    terminal.wait_for_text("prompt>");
    terminal.look(|it| {
        assert_eq!(numbers(it), (1..=300).collect::<Vec<_>>());
        assert_eq!(it.row(23), "prompt>");
        let scrollback = it.scrollback();
        let line = scrollback.iter().position(|line| line == "line 9").unwrap();
        assert_eq!(it.scrollback_cell(line, 0).fgcolor(), Color::Idx(1));
        let line = scrollback.iter().position(|line| line == "line 10").unwrap();
        assert_eq!(it.scrollback_cell(line, 0).fgcolor(), Color::Idx(2));
    });
}

#[test]
fn so_it_does_in_a_terminal_of_another_size() {
    for (cols, rows) in [(40, 10), (132, 50)] {
        let sandbox = Sandbox::new();
        start_with_lines(&sandbox, 300);
        let terminal = sandbox.terminal().size(cols, rows).attach("work");
        terminal.wait_for_text("prompt>");
        terminal.look(|it| assert_eq!(numbers(it), (1..=300).collect::<Vec<_>>(), "{cols}×{rows}"));
    }
}

#[test]
fn a_thousand_lines_come_by_default() {
    let sandbox = Sandbox::new();
    start_with_lines(&sandbox, 1_500);
    let terminal = sandbox.attach("work");
    terminal.wait_for_text("prompt>");
    // 23 lines are on the screen, above them the history's last thousand.
    terminal.look(|it| assert_eq!(numbers(it), (478..=1_500).collect::<Vec<_>>()));
}

#[test]
fn lines_says_how_many_come() {
    let sandbox = Sandbox::new();
    start_with_lines(&sandbox, 1_500);
    for (lines, first) in [("5", 1_473), ("all", 1), ("none", 1_478), ("0", 1_478)] {
        let mut terminal = sandbox.terminal().attach_with(&["--lines", lines], "work");
        terminal.wait_for_text("prompt>");
        terminal.look(|it| {
            assert_eq!(numbers(it), (first..=1_500).collect::<Vec<_>>(), "--lines {lines}");
        });
        terminal.detach();
    }
    sandbox.configure("lines = 7\n");
    let terminal = sandbox.attach("work");
    terminal.wait_for_text("prompt>");
    terminal.look(|it| assert_eq!(numbers(it), (1_471..=1_500).collect::<Vec<_>>()));
}

#[test]
fn history_keeps_as_many_lines_as_it_was_told_to() {
    let sandbox = Sandbox::new();
    let script = "seq -f 'line %g' 500; printf 'prompt> '; cat";
    sandbox.sess(["new", "-d", "--history", "100", "work", "--", "sh", "-c", script]).expect(0);
    let all = (1..=500).map(|n: u32| n.to_string().len() as u64 + 7).sum::<u64>() + 8;
    wait_until("the output", || sandbox.status("work")["offset"] == all);
    assert_eq!(sandbox.status("work")["history_lines"], 100);
    let terminal = sandbox.terminal().attach_with(&["--lines", "all"], "work");
    terminal.wait_for_text("prompt>");
    terminal.look(|it| assert_eq!(numbers(it), (378..=500).collect::<Vec<_>>()));
}

#[test]
fn wrapped_lines_are_wrapped_for_the_width_they_come_to() {
    let sandbox = Sandbox::new();
    let script = "stty -echo; printf '%0100d\\n' 7; seq 50; printf 'prompt> '; cat";
    sandbox.start_script("work", script);
    wait_until("the output", || sandbox.status("work")["history_lines"] == 29);
    let terminal = sandbox.terminal().size(200, 24).attach("work");
    terminal.wait_for_text("prompt>");
    terminal.look(|it| {
        let lines = it.lines();
        let long = lines.iter().filter(|line| line.starts_with("000")).collect::<Vec<_>>();
        assert_eq!(long, [&format!("{:0100}", 7)]);
    });
}

#[test]
fn what_stood_on_the_terminal_is_scrolled_up_and_nothing_of_it_lost() {
    let sandbox = Sandbox::new();
    start_with_lines(&sandbox, 50);
    let mut before = (1..=20).fold(String::new(), |text, n| text + &format!("before {n}\r\n"));
    before.push_str("$ sess attach work");
    for end in ["", "\r\n"] {
        let showing = before.clone() + end;
        let mut terminal = sandbox.terminal().showing(showing).attach("work");
        terminal.wait_for_text("prompt>");
        terminal.look(|it| {
            let lines = it.lines();
            let at = lines.iter().position(|line| line == "before 1").unwrap();
            for n in 1..=20 {
                assert_eq!(lines[at + n - 1], format!("before {n}"));
            }
            assert_eq!(lines[at + 20], "$ sess attach work");
            assert_eq!(numbers(it), (1..=50).collect::<Vec<_>>());
            assert!(!it.text().contains("before"));
        });
        terminal.detach();
    }
}

#[test]
fn an_empty_terminal_gets_no_blank_scrollback() {
    let sandbox = Sandbox::new();
    start_with_lines(&sandbox, 5);
    let terminal = sandbox.attach("work");
    terminal.wait_for_text("prompt>");
    terminal.look(|it| {
        assert_eq!(it.scrollback(), Vec::<String>::new());
        assert_eq!(it.row(0), "line 1");
    });
}

#[test]
fn coming_back_to_the_same_terminal_shows_the_lines_that_are_new() {
    let sandbox = Sandbox::new();
    start_with_lines(&sandbox, 100);
    let terminal = sandbox.attach("work");
    terminal.wait_for_text("prompt>");
    terminal.type_line("echoed");
    terminal.wait_for_text("echoed");
    // Lines that scroll off while attached are the terminal's own.
    for n in 101..=140 {
        terminal.type_line(&format!("line {n}"));
    }
    terminal.wait_for_text("line 140");
    terminal.look(|it| {
        let mut wanted: Vec<u64> = (1..=140).collect();
        // Typed behind the prompt, its echo is off: `cat` says it once.
        wanted.dedup();
        assert_eq!(numbers(it), wanted);
    });
}

#[test]
fn a_program_that_erases_the_scrollback_erases_our_history_too() {
    let sandbox = Sandbox::new();
    sandbox.start_script("work", "seq 100; printf '\\033[3J\\033[H\\033[2Jcleared'; cat");
    // The numbers, their line ends, and what erases them, to the last byte.
    let all = (1..=100).map(|n: u32| n.to_string().len() as u64 + 2).sum::<u64>() + 18;
    wait_until("the output", || sandbox.status("work")["offset"] == all);
    assert_eq!(sandbox.status("work")["history_lines"], 0);
    let terminal = sandbox.attach("work");
    terminal.wait_for_text("cleared");
    terminal.look(|it| assert_eq!(it.lines(), ["cleared"]));
}

//! Contract 6.3: a replay contains no query; the terminal of who led answers, and
//! only it; with nobody there the holder does.

use std::fmt::Write;

use crate::harness::{Sandbox, Terminal, find, wait_for, wait_until};

/// What programs ask, and what every answer ends with.
const QUESTIONS: [(&str, &str); 12] = [
    (r"\033[c", "c"),
    (r"\033[>c", "c"),
    (r"\033[=c", r"\"),
    (r"\033[5n", "n"),
    (r"\033[6n", "R"),
    (r"\033[?6n", "R"),
    (r"\033[?2004$p", "y"),
    (r"\033[4$p", "y"),
    (r"\033[>q", r"\"),
    (r"\033[?u", "u"),
    (r"\033]11;?\033\\", r"\"),
    (r"\033]10;?\007", "\x07"),
];

/// All questions at once.
fn all_questions() -> String {
    QUESTIONS.iter().map(|(question, _)| *question).collect()
}

#[test]
fn a_replay_contains_no_question() {
    let sandbox = Sandbox::new();
    let script = format!(
        "stty raw -echo; printf '{}'; printf 'first '
         while [ \"$(dd bs=1 count=1 2>/dev/null | od -An -tx1)\" != ' 07' ]; do :; done
         printf '{}\\033[?1049h{}second'; cat >input",
        all_questions(),
        all_questions(),
        all_questions()
    );
    sandbox.start_script("work", &script);
    let first = sandbox.attach("work");
    first.wait_for_text("first");
    assert_eq!(first.look(crate::harness::Emulator::asked), 0);
    first.type_bytes("\x07");
    first.wait_for_text("second");
    assert!(first.look(crate::harness::Emulator::asked) > QUESTIONS.len());
    for _ in 0..2 {
        let another = sandbox.attach("work");
        another.wait_for_text("second");
        assert_eq!(another.look(crate::harness::Emulator::asked), 0);
    }
}

#[test]
fn with_nobody_attached_the_holder_answers_at_once() {
    if find("bash").is_none() {
        return;
    }
    let sandbox = Sandbox::new();
    // Each question is answered before the next is asked.
    let mut script = String::from(
        "stty raw -echo; ask() { printf \"$1\"; IFS= read -rs -t 8 -d \"$2\" answer
         printf '%s\\n' \"$answer\" >>answers; }; printf '\\033[3;5H\\033[?2004h\\033[>5u'\n",
    );
    for (question, end) in &QUESTIONS[..10] {
        let end = if *end == r"\" { r"'\'".to_owned() } else { (*end).to_owned() };
        let _ = writeln!(script, "ask '{question}' {end}");
    }
    script.push_str("printf done >>answers; cat");
    sandbox.start_session("work", ["bash", "-c", &script]);
    let answers = wait_for("the answers", || {
        let text = String::from_utf8_lossy(&sandbox.read("answers")).into_owned();
        text.ends_with("done").then_some(text)
    });
    let answers: Vec<&str> = answers.lines().collect();
    let [da1, da2, da3, dsr, cpr, xcpr, mode, ansi, version, kitty, _] = answers[..] else {
        panic!("{answers:?}");
    };
    assert!(da1.starts_with("\x1b[?6"), "{da1:?}");
    assert!(da2.starts_with("\x1b[>"), "{da2:?}");
    assert!(da3.starts_with("\x1bP!|"), "{da3:?}");
    assert_eq!(dsr, "\x1b[0");
    assert_eq!(cpr, "\x1b[3;5");
    assert!(xcpr.starts_with("\x1b[?3;5"), "{xcpr:?}");
    assert_eq!(mode, "\x1b[?2004;1$");
    assert_eq!(ansi, "\x1b[4;2$");
    assert!(version.starts_with("\x1bP>|"), "{version:?}");
    assert_eq!(kitty, "\x1b[?5");
}

#[test]
fn the_terminals_colours_are_remembered_for_when_it_is_gone() {
    if find("bash").is_none() {
        return;
    }
    let sandbox = Sandbox::new();
    let script = r"stty raw -echo; printf READY
        ask() { printf '\033]11;?\033\\'; IFS= read -rs -t 8 -d '\' answer
        printf '%s\n' $answer >>answers; }
        head -c 1 >key; ask; while [ ! -e go ]; do sleep 0.02; done; ask; printf done >>answers; cat";
    sandbox.start_session("work", ["bash", "-c", script]);
    let mut terminal = sandbox.attach("work");
    terminal.wait_for_text("READY");
    terminal.type_bytes("g");
    terminal.wait_for_raw("\x1b]11;?\x1b\\");
    terminal.type_bytes("\x1b]11;rgb:1111/2222/3333\x1b\\");
    wait_until("the answer", || sandbox.read("answers").ends_with(b"\n"));
    terminal.detach();
    sandbox.write("go", "");
    wait_until("the second answer", || sandbox.read("answers").ends_with(b"done"));
    let answer = "\x1b]11;rgb:1111/2222/3333\x1b";
    assert_eq!(sandbox.read("answers"), format!("{answer}\n{answer}\ndone").into_bytes());
}

/// A session that asks for DA1 at the first key and keeps all input after it.
fn start_asking(sandbox: &Sandbox) {
    sandbox.start_script(
        "work",
        "stty raw -echo; printf READY; head -c 1 >key; printf 'asked\\033[c'; cat >input",
    );
}

fn wait_for_input(sandbox: &Sandbox, end: &str) -> Vec<u8> {
    wait_for(&format!("the input {end}"), || {
        Some(sandbox.read("input")).filter(|input| input.ends_with(end.as_bytes()))
    })
}

fn attach_ready(sandbox: &Sandbox, name: u16, options: &[&str]) -> Terminal {
    let terminal = sandbox.terminal().answering(name).attach_with(options, "work");
    terminal.wait_for_text("READY");
    terminal
}

/// Waits until the terminal has been asked, and its answer is typed.
#[track_caller]
fn wait_for_question(terminal: &Terminal) {
    terminal.wait_until("the question", |it| it.asked() > 0);
}

#[test]
fn of_several_terminals_only_the_leaders_answers() {
    let sandbox = Sandbox::new();
    start_asking(&sandbox);
    let first = attach_ready(&sandbox, 11, &[]);
    let second = attach_ready(&sandbox, 22, &[]);
    let third = attach_ready(&sandbox, 33, &["-r"]);
    first.type_bytes("g");
    for terminal in [&first, &second, &third] {
        wait_for_question(terminal);
    }
    // What the second types comes after what its terminal said.
    second.type_bytes("X");
    wait_until("both", || sandbox.read("input").len() > "\x1b[?62;11c".len());
    first.type_bytes("Y");
    let input = String::from_utf8(wait_for_input(&sandbox, "Y")).unwrap();
    assert!(input == "\x1b[?62;11cXY" || input == "X\x1b[?62;11cY", "{input:?}");
}

#[test]
fn a_read_only_client_never_answers() {
    let sandbox = Sandbox::new();
    start_asking(&sandbox);
    let looker = attach_ready(&sandbox, 33, &["-r"]);
    let mut typist = attach_ready(&sandbox, 11, &[]);
    typist.type_bytes("g");
    let input = wait_for_input(&sandbox, "c");
    assert_eq!(input, b"\x1b[?62;11c");
    wait_for_question(&looker);
    typist.detach();
    assert_eq!(sandbox.read("input"), b"\x1b[?62;11c");
}

#[test]
fn keys_that_look_like_answers_are_typed() {
    let sandbox = Sandbox::new();
    sandbox.start_script("work", "stty raw -echo; printf READY; cat >input");
    let first = attach_ready(&sandbox, 11, &[]);
    let second = attach_ready(&sandbox, 22, &[]);
    second.type_bytes("leads");
    wait_for_input(&sandbox, "leads");
    // Shift-F3, of a client that does not lead.
    first.type_bytes("\x1b[1;2R");
    wait_for_input(&sandbox, "leads\x1b[1;2R");
    second.type_bytes("\x1b[1;16R");
    wait_for_input(&sandbox, "leads\x1b[1;2R\x1b[1;16R");
}

#[test]
fn answers_under_way_at_a_detach_are_swallowed() {
    let Some(bash) = find("bash") else { return };
    let sandbox = Sandbox::new();
    start_asking(&sandbox);
    let args = ["--norc", "--noprofile"];
    let terminal = sandbox.terminal().answering(11).run(bash.to_str().unwrap(), args);
    terminal.wait_for_text("$");
    terminal.type_line(&format!("{} attach work", env!("CARGO_BIN_EXE_sess")));
    terminal.wait_for_text("READY");
    terminal.hold_replies();
    terminal.type_bytes("g");
    wait_until("the question", || terminal.replies_held() > 0);
    terminal.type_bytes(b"\x1c");
    assert_eq!(terminal.release_replies(), b"\x1b[?62;11c");
    terminal.wait_for_text("[detached from work]\n$");
    terminal.type_line("echo ok $?");
    terminal.wait_for_text("ok 0");
    assert!(!terminal.text().contains("62;11"), "{}", terminal.text());
}

#[test]
fn a_leader_that_takes_nothing_for_a_second_is_answered_for() {
    let sandbox = Sandbox::new();
    sandbox.start_script(
        "work",
        "stty raw -echo; printf READY; head -c 1 >key; yes $(seq -s , 25) | head -c 1500000; printf '\\033[6n'
         head -c 4 >input; touch answered; cat",
    );
    let terminal = attach_ready(&sandbox, 11, &[]);
    terminal.pause();
    terminal.type_bytes("g");
    wait_until("the answer", || sandbox.path("answered").exists());
    assert!(sandbox.read("input").starts_with(b"\x1b["));
    terminal.resume();
}

#[test]
fn no_answer_carries_text_that_the_program_chose() {
    let sandbox = Sandbox::new();
    let script = r#"stty raw -echo; printf '\033]2;evil\007\033]1;evil\007'
        printf '\033[21t\033[20t\033P$q"evil\033\\\033P+q6576696c\033\\\033]52;c;?\007\033[c'
        cat >input"#;
    sandbox.start_script("work", script);
    let input = wait_for_input(&sandbox, "c");
    let shown = input.escape_ascii().to_string();
    assert!(!shown.to_lowercase().contains("evil") && !shown.contains("6576696c"), "{shown}");
}

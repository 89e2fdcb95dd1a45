//! Contract 6.2, with programs that people use: shell, editor, pager, interpreter
//! come back as they were left, in a terminal of the same or of another size.

use crate::harness::{Emulator, Sandbox, Terminal, find, wait_until};

const SHELL: [&str; 2] = ["--norc", "--noprofile"];

/// A session with bash in it, shown in a terminal.
fn bash(sandbox: &Sandbox) -> Option<Terminal> {
    find("bash")?;
    sandbox.start_session("work", [&["bash"], &SHELL[..]].concat());
    let terminal = sandbox.attach("work");
    terminal.wait_for_text("$");
    Some(terminal)
}

/// The terminal is lost, and another one attached: as soon as it shows the text.
#[track_caller]
fn another(sandbox: &Sandbox, first: Terminal, size: (u16, u16), text: &str) -> Terminal {
    first.close();
    let second = sandbox.terminal().size(size.0, size.1).attach("work");
    second.wait_for_text(text);
    second
}

#[test]
fn a_shell_comes_back_with_prompt_screen_and_scrollback() {
    let sandbox = Sandbox::new();
    let Some(first) = bash(&sandbox) else { return };
    first.type_line("for i in $(seq 100); do printf '\\e[32mitem %d\\e[m\\n' $i; done; x=kept");
    first.wait_for_text("item 100");
    first.wait_until("the prompt", |it| it.text().ends_with('$'));
    let screen = first.look(|it| it.screen().contents_formatted());
    let second = another(&sandbox, first, (80, 24), "item 100");
    assert_eq!(second.look(|it| it.screen().contents_formatted()), screen);
    let items = second.look(|it| {
        it.lines().iter().filter(|line| line.starts_with("item ")).cloned().collect::<Vec<_>>()
    });
    assert_eq!(items, (1..=100).map(|n| format!("item {n}")).collect::<Vec<_>>());
    second.type_line("echo still $x");
    second.wait_for_text("still kept");
}

#[test]
fn vim_comes_back_on_the_alternate_screen_and_leaves_it_to_the_shell() {
    let sandbox = Sandbox::new();
    if find("vim").is_none() {
        return;
    }
    let Some(first) = bash(&sandbox) else { return };
    let text = (1..=200).fold(String::new(), |text, n| text + &format!("text {n}\n"));
    sandbox.write("file.txt", text);
    first.type_line("echo before vim");
    first.wait_for_text("before vim\n");
    first.type_line("vim -u NONE -N -i NONE file.txt");
    first.wait_for_text("text 23");
    first.type_bytes("100Gzt");
    first.wait_until("line 100 on top", |it| it.row(0) == "text 100" && it.row(22) == "text 122");
    let screen = first.look(Emulator::text);
    let second = another(&sandbox, first, (80, 24), "text 110");
    second.look(|it| {
        assert!(it.screen().alternate_screen());
        assert_eq!(it.text(), screen);
        assert_eq!(it.screen().cursor_position(), (0, 0));
    });
    // It goes on in a terminal of another size, and ends as it would have.
    let third = another(&sandbox, second, (100, 40), "text 130");
    third.type_bytes("ihello \x1b");
    third.wait_for_text("hello text 100");
    third.type_bytes(":q!\r");
    third.wait_until("the primary screen", |it| !it.screen().alternate_screen());
    third.wait_for_text("before vim");
    third.type_line("echo after vim");
    third.wait_for_text("after vim\n");
    assert!(!third.text().contains("text 100"));
}

#[test]
fn less_comes_back_where_it_was() {
    let sandbox = Sandbox::new();
    if find("less").is_none() {
        return;
    }
    let Some(first) = bash(&sandbox) else { return };
    first.type_line("seq -f 'page line %g' 500 | less");
    first.wait_for_text("page line 23");
    first.type_bytes("100g");
    first.wait_until("line 100 on top", |it| it.row(0) == "page line 100");
    let second = another(&sandbox, first, (80, 24), "page line 122");
    second.look(|it| assert_eq!(it.row(0), "page line 100"));
    second.type_bytes(" ");
    second.wait_until("the next page", |it| it.row(0) == "page line 123");
    second.type_bytes("q");
    second.wait_until("the shell", |it| it.text().ends_with('$'));
}

#[test]
fn an_interpreter_comes_back_with_what_it_knows() {
    let sandbox = Sandbox::new();
    if find("python3").is_none() {
        return;
    }
    sandbox.start_session("work", ["python3", "-q", "-i"]);
    let first = sandbox.attach("work");
    first.wait_for_text(">>>");
    first.type_line("answer = 6 * 7");
    first.wait_until("the prompt", |it| it.text().ends_with("answer = 6 * 7\n>>>"));
    let second = another(&sandbox, first, (60, 12), "answer = 6 * 7\n>>>");
    second.type_line("print('the', answer)");
    second.wait_for_text("the 42\n>>>");
}

#[test]
fn a_program_that_redraws_at_a_new_size_is_told_of_it() {
    let sandbox = Sandbox::new();
    let script = "size() { printf '\\033[2J\\033[H'; stty size; }; trap size WINCH; size
        while :; do read -r line; done";
    sandbox.start_script("work", script);
    let first = sandbox.attach("work");
    first.wait_for_text("24 80");
    let second = another(&sandbox, first, (100, 30), "30 100");
    second.resize(120, 40);
    second.wait_until("the new size", |it| it.text() == "40 120");
    drop(second);
    // The last size stays while nobody is attached.
    wait_until("the detach", || sandbox.status("work")["clients"] == serde_json::json!([]));
    let size = &sandbox.status("work")["size"];
    assert_eq!((&size["cols"], &size["rows"]), (&120.into(), &40.into()));
}

//! Contract 3 and 5, `capture`: the screen as it looks, in four formats, also when
//! nobody is attached and after the end.

use serde_json::{Value, json};

use crate::harness::{Sandbox, Session};

fn start<'a>(sandbox: &'a Sandbox, script: &str) -> Session<'a> {
    let session = sandbox.start_script("work", &format!("{script}; printf ready; read x"));
    sandbox.sess(["wait", "work", "--text", "ready", "--timeout", "10s"]).expect(0);
    session
}

#[track_caller]
fn capture(sandbox: &Sandbox, args: &[&str]) -> String {
    sandbox.sess([&["capture", "work"], args].concat()).expect(0).stdout
}

#[test]
fn the_screen_is_told_as_text() {
    let sandbox = Sandbox::new();
    start(&sandbox, "printf 'one  \\n\\033[31mtwo\\033[m\\n\\n日本\\n'");
    assert_eq!(capture(&sandbox, &[]), "one\ntwo\n\n日本\nready\n");
    assert_eq!(capture(&sandbox, &["--format", "text"]), "one\ntwo\n\n日本\nready\n");
    // The only one that runs is meant.
    assert_eq!(sandbox.sess(["capture"]).expect(0).stdout, capture(&sandbox, &[]));
}

#[test]
fn colours_are_kept_as_ansi_and_html() {
    let sandbox = Sandbox::new();
    start(&sandbox, "printf '\\033[1;31m<two>\\033[m\\n'");
    assert_eq!(capture(&sandbox, &["--format", "ansi"]), "\x1b[1;31m<two>\x1b[m\nready\n");
    let html = capture(&sandbox, &["--format", "html"]);
    assert!(html.starts_with("<pre") && html.contains("&lt;two&gt;</span>"), "{html}");
    assert!(html.contains("color:#cd0000;font-weight:bold"), "{html}");
}

#[test]
fn json_has_lines_with_runs_and_the_terminals_state() {
    let sandbox = Sandbox::new();
    start(&sandbox, "printf '\\033]0;tit\\033[?2004h\\033]2;title\\007a\\033[32mb\\033[m\\n'");
    let json: Value = serde_json::from_str(&capture(&sandbox, &["--format", "json"])).unwrap();
    assert_eq!(json["size"], json!({"cols": 80, "rows": 24}));
    assert_eq!(json["title"], "title");
    assert_eq!(json["modes"]["bracketed_paste"], true);
    assert_eq!(json["cursor"], json!([5, 1]));
    let runs = json!([{"text": "a"}, {"text": "b", "fg": 2}]);
    assert_eq!(json["lines"][0]["runs"], runs);
    assert_eq!(json["offset"], sandbox.status("work")["offset"]);
}

#[test]
fn as_much_history_comes_as_is_asked_for() {
    let sandbox = Sandbox::new();
    start(&sandbox, "seq 1 100");
    let lines = |args: &[&str]| capture(&sandbox, args).lines().count();
    assert_eq!(lines(&[]), 24);
    assert_eq!(lines(&["--history", "10"]), 34);
    assert_eq!(lines(&["--history", "all"]), 101);
    let all = capture(&sandbox, &["--history", "all"]);
    assert!(all.starts_with("1\n2\n3\n") && all.ends_with("100\nready\n"), "{all}");
    sandbox.sess(["capture", "work", "--history", "x"]).expect_error(2, "x");
}

#[test]
fn soft_wrapped_lines_are_joined_on_demand() {
    let sandbox = Sandbox::new();
    start(&sandbox, "printf 'a%0100d\\n' 7");
    let whole = format!("a{:0100}", 7);
    assert_eq!(capture(&sandbox, &[]), format!("{}\n{}\nready\n", &whole[..80], &whole[80..]));
    assert_eq!(capture(&sandbox, &["--join"]), format!("{whole}\nready\n"));
}

#[test]
fn the_alternate_screen_is_the_screen_while_it_is_shown() {
    let sandbox = Sandbox::new();
    start(&sandbox, "echo primary; printf '\\033[?1049h\\033[3;5Hhere '");
    assert_eq!(capture(&sandbox, &[]), "\n\n    here ready\n");
}

#[test]
fn an_ended_session_is_told_from_its_record() {
    let sandbox = Sandbox::new();
    sandbox.start_session_that_ends("work", "seq 1 50; printf '\\033[31mlast\\033[m'; exit 3");
    let text = capture(&sandbox, &["--history", "all"]);
    assert!(text.starts_with("1\n2\n") && text.ends_with("50\nlast\n"), "{text}");
    assert_eq!(capture(&sandbox, &[]).lines().count(), 24);
    assert!(capture(&sandbox, &["--format", "ansi"]).ends_with("\x1b[31mlast\x1b[m\n"));
    let json: Value = serde_json::from_str(&capture(&sandbox, &["--format", "json"])).unwrap();
    assert_eq!(json["offset"], sandbox.status("work")["offset"]);
}

#[test]
fn what_there_is_not_is_an_error() {
    let sandbox = Sandbox::new();
    sandbox.sess(["capture", "none"]).expect_error(4, "none");
    let session = sandbox.start_session("work", ["cat"]);
    session.stop_holder();
    sandbox.sess(["capture", "work"]).expect_error(5, "work");
    sandbox.start_session("dead", ["cat"]).lose_holder();
    sandbox.sess(["capture", "dead"]).expect_error(3, "dead");
}

#[test]
fn it_is_up_to_date() {
    let sandbox = Sandbox::new();
    sandbox.start_script(
        "work",
        "stty -echo; echo ready; while read x; do printf '%s\\n' \"$x\"; : >$x; done",
    );
    sandbox.sess(["wait", "work", "--text", "ready"]).expect(0);
    for n in 0..50 {
        let name = format!("n{n}");
        sandbox.sess(["send", "work", &name, "--enter"]).expect(0);
        crate::harness::wait_until(&name, || sandbox.path(&name).exists());
        // It was written before the file was made.
        assert!(capture(&sandbox, &[]).contains(&name), "{name}");
    }
}

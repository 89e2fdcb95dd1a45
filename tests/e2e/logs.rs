//! Contract 3, `logs`: the output, rendered or as it came, in pages, and followed.

use serde_json::Value;

use crate::harness::{Sandbox, Session, wait_until};

fn start<'a>(sandbox: &'a Sandbox, script: &str) -> Session<'a> {
    let session = sandbox.start_script("work", &format!("{script}; printf ready; read x"));
    sandbox.sess(["wait", "work", "--text", "ready", "--timeout", "10s"]).expect(0);
    session
}

#[track_caller]
fn logs(sandbox: &Sandbox, args: &[&str]) -> String {
    sandbox.sess([&["logs", "work"], args].concat()).expect(0).stdout
}

#[track_caller]
fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn rendered_lines_are_text_as_far_back_as_the_history() {
    let sandbox = Sandbox::new();
    start(&sandbox, "seq 1 100; printf '\\033[31mred\\033[m 10%%\\rRED\\n'; printf '%0100d\\n' 1");
    let all = logs(&sandbox, &[]);
    assert!(all.starts_with("1\n2\n3\n"), "{all}");
    assert!(
        all.ends_with(&format!("100\nRED 10%\n{:0100}\nready", 1)) || all.ends_with("ready\n"),
        "{all}"
    );
    let last = logs(&sandbox, &["-n", "3"]);
    assert_eq!(last.trim_end(), format!("RED 10%\n{:0100}\nready", 1));
}

#[test]
fn raw_output_is_the_very_bytes() {
    let sandbox = Sandbox::new();
    start(&sandbox, "printf 'a\\033[31mb\\r\\n'");
    assert_eq!(logs(&sandbox, &["--raw"]), "a\x1b[31mb\r\r\nready");
    assert_eq!(logs(&sandbox, &["--raw", "--since", "1", "--limit", "4"]), "\x1b[31");
    assert_eq!(logs(&sandbox, &["--raw", "-n", "1"]), "ready");
}

#[test]
fn pages_follow_each_other_by_their_offsets() {
    let sandbox = Sandbox::new();
    start(&sandbox, "seq 1 1000; printf 'größe'");
    let (mut since, mut all) = (0, String::new());
    loop {
        let page = ["--json", "--since", &since.to_string(), "--limit", "100"];
        let page = json(&logs(&sandbox, &page));
        assert_eq!((&page["offset"], &page["truncated"]), (&since.into(), &false.into()));
        let data = page["data"].as_str().unwrap();
        if data.is_empty() {
            break;
        }
        all.push_str(data);
        since = page["next"].as_u64().unwrap();
    }
    let expected = (1..=1000).map(|n| format!("{n}\r\n")).collect::<Vec<_>>().concat();
    assert_eq!(all, format!("{expected}größeready"));
    assert_eq!(since, all.len() as u64);
}

#[test]
fn bytes_that_are_no_text_are_told_in_base64() {
    let sandbox = Sandbox::new();
    start(&sandbox, "printf 'a\\377'");
    let page = json(&logs(&sandbox, &["--json", "--limit", "2"]));
    assert_eq!((&page["data_base64"], page.get("data")), (&"Yf8=".into(), None));
}

#[test]
fn what_is_no_longer_kept_is_told() {
    let sandbox = Sandbox::new();
    sandbox.configure("journal = 262144\n");
    start(&sandbox, "seq 1 100000");
    let page = json(&logs(&sandbox, &["--json", "--since", "10", "--limit", "50"]));
    assert_eq!(page["truncated"], true);
    let (offset, next) = (page["offset"].as_u64().unwrap(), page["next"].as_u64().unwrap());
    assert!(offset > 10 && next > offset && next <= offset + 50, "{page}");
    let raw = sandbox.sess(["logs", "work", "--raw", "--since", "10"]).expect(0);
    assert!(raw.stderr.contains("bytes skipped"), "{}", raw.stderr);
}

#[test]
fn following_goes_on_to_the_end() {
    for (args, expected) in
        [(&["-f"][..], "one\ntwo\nthree\n"), (&["-f", "--raw"], "one\r\n\r\ntwo\r\n\r\nthree\r\n")]
    {
        let sandbox = Sandbox::new();
        let script = "stty -echo; echo one; read x; printf '\\r'; echo two; read x; echo three";
        let session = sandbox.start_script("work", script);
        sandbox.sess(["wait", "work", "--text", "one"]).expect(0);
        let follower = sandbox.start_sess([&["logs", "work"], args].concat());
        session.wait_until_heard(&[&follower]);
        sandbox.sess(["send", "work", "--enter", "--wait-text", "two"]).expect(0);
        sandbox.sess(["send", "work", "--enter"]).expect(0);
        let output = sandbox.finish(follower).expect(0);
        let text = output.stdout.replace("\r\n\r", "\r\n").replace("\r\n\r\n", "\r\n");
        let expected = expected.replace("\r\n\r\n", "\r\n");
        assert_eq!(text, expected, "{args:?}");
    }
}

#[test]
fn followed_as_json_each_piece_has_its_offsets() {
    let sandbox = Sandbox::new();
    sandbox.start_script("work", "read x; seq 1 10000");
    let follower = sandbox.start_sess(["logs", "work", "-f", "--json"]);
    sandbox.sess(["send", "work", "--enter"]).expect(0);
    let output = sandbox.finish(follower).expect(0);
    let (mut at, mut all) = (0, String::new());
    for line in output.stdout.lines() {
        let piece = json(line);
        assert_eq!((&piece["offset"], &piece["truncated"]), (&at.into(), &false.into()));
        all.push_str(piece["data"].as_str().unwrap());
        at = piece["next"].as_u64().unwrap();
    }
    assert!(all.ends_with("9999\r\n10000\r\n"));
    assert_eq!(at, all.len() as u64);
}

#[test]
fn a_follower_that_reads_slowly_slows_nobody_and_is_told_what_it_missed() {
    let sandbox = Sandbox::new();
    let session = sandbox.start_script("work", "read x; seq 1 3000000; touch done; read x");
    let mut command = sandbox.command("sh");
    let sess = env!("CARGO_BIN_EXE_sess");
    // Who reads begins when the program is done.
    let script = format!(
        "{sess} logs work -f --raw 2>told | (while [ ! -e done ]; do sleep 0.05; done; cat >got)"
    );
    command.args(["-c", &script]);
    let follower = sandbox.start(command);
    session.wait_until_heard(&[&follower]);
    sandbox.sess(["send", "work", "--enter"]).expect(0);
    wait_until("the program to be done", || sandbox.path("done").exists());
    sandbox.sess(["send", "work", "--enter"]).expect(0);
    sandbox.finish(follower).expect(0);
    let told = String::from_utf8(sandbox.read("told")).unwrap();
    assert!(told.contains("bytes skipped"), "{told}");
    assert!(sandbox.read("got").ends_with(b"3000000\r\n\r\n"));
}

#[test]
fn an_ended_session_is_told_from_its_record() {
    let sandbox = Sandbox::new();
    sandbox.start_session_that_ends("work", "seq 1 100; exit 3");
    assert!(logs(&sandbox, &[]).ends_with("99\n100\n"));
    assert!(logs(&sandbox, &["-f", "-n", "2"]).ends_with("99\n100\n"));
    assert!(logs(&sandbox, &["--raw"]).starts_with("1\r\n2\r\n"));
    let page = json(&logs(&sandbox, &["--json", "--since", "3", "--limit", "3"]));
    assert_eq!(
        (&page["offset"], &page["data"], &page["next"]),
        (&3.into(), &"2\r\n".into(), &6.into())
    );
}

#[test]
fn rendered_since_an_offset_only_what_followed_is_told() {
    let sandbox = Sandbox::new();
    sandbox.start_session("work", ["sh"]);
    sandbox.sess(["wait", "work", "--idle", "100ms"]).expect(0);
    let send = ["send", "work", "--offset", "--enter", "echo $((6*7))", "--wait-text", "^42$"];
    let offset = sandbox.sess(send).expect(0).stdout;
    let text = logs(&sandbox, &["--since", offset.trim()]);
    assert!(text.contains("\n42\n"), "{text}");
    assert!(text.lines().next().unwrap().contains("echo $((6*7))"), "{text}");
}

#[test]
fn what_there_is_not_is_an_error() {
    let sandbox = Sandbox::new();
    sandbox.sess(["logs", "none"]).expect_error(4, "none");
    sandbox.start_session("dead", ["cat"]).lose_holder();
    sandbox.sess(["logs", "dead"]).expect_error(3, "dead");
}

//! Contract 3, `send`: what is typed arrives, in order, whole, and as the program
//! wants it; contract 6.6: what was reported taken reached the terminal.

use std::time::{Duration, Instant};

use crate::harness::{Sandbox, Terminal, find, wait_for, wait_until};

/// A session that keeps the next `count` bytes as they are in `got`, after it has
/// said this to its terminal.
fn start_keeping<'a>(
    sandbox: &'a Sandbox,
    says: &str,
    count: usize,
) -> crate::harness::Session<'a> {
    let script = format!(
        "stty raw -echo; printf '{says}ready'; head -c {count} >got.new; mv got.new got; sleep 1000"
    );
    let session = sandbox.start_script("work", &script);
    sandbox.sess(["wait", "work", "--text", "ready", "--timeout", "10s"]).expect(0);
    session
}

#[track_caller]
fn got(sandbox: &Sandbox) -> String {
    let bytes = wait_for("what was typed", || {
        let bytes = sandbox.read("got");
        (!bytes.is_empty()).then_some(bytes)
    });
    String::from_utf8(bytes).unwrap()
}

/// Sends this to a program that has said that, and looks what arrives.
#[track_caller]
fn assert_arrives(says: &str, args: &[&str], expected: &str) {
    let sandbox = Sandbox::new();
    start_keeping(&sandbox, says, expected.len());
    let output = sandbox.sess([&["send", "work"], args].concat()).expect(0);
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
    assert_eq!(got(&sandbox), expected, "{args:?} after {says:?}");
}

#[test]
fn text_and_keys_arrive_in_their_order() {
    assert_arrives(
        "",
        &["one", "two", "-k", "Tab", "three", "-k", "C-c", "--enter"],
        "one two\tthree\x03\r",
    );
    assert_arrives("", &["--enter", "größe 日本"], "größe 日本\r");
    assert_arrives("", &["--", "-x", "--enter"], "-x --enter");
}

#[test]
fn keys_are_encoded_as_the_program_asked_for() {
    assert_arrives(
        "",
        &["-k", "Up", "-k", "F5", "-k", "M-x", "-k", "C-\\"],
        "\x1b[A\x1b[15~\x1bx\x1c",
    );
    assert_arrives(
        "\\033[?1h",
        &["-k", "Up", "-k", "Home", "-k", "C-Left"],
        "\x1bOA\x1bOH\x1b[1;5D",
    );
    assert_arrives(
        "\\033[>1u",
        &["-k", "Escape", "-k", "C-a", "-k", "Enter"],
        "\x1b[27u\x1b[97;5u\r",
    );
    assert_arrives("\\033[>4;2m", &["-k", "C-i", "-k", "a"], "\x1b[27;5;105~a");
}

#[test]
fn standard_input_is_typed_as_it_is() {
    let sandbox = Sandbox::new();
    start_keeping(&sandbox, "", 9);
    sandbox.sess_reading(["send", "work", "a", "--stdin", "--enter"], "b\x1b\nc\0é").expect(0);
    assert_eq!(got(&sandbox), "ab\x1b\nc\0é\r");
}

#[test]
fn a_paste_is_bracketed_only_where_the_program_wants_that() {
    assert_arrives("", &["--paste", "a b", "--enter"], "a b\r");
    assert_arrives("\\033[?2004h", &["--paste", "a b", "--enter"], "\x1b[200~a b\x1b[201~\r");
    let sandbox = Sandbox::new();
    start_keeping(&sandbox, "\\033[?2004h", 100);
    sandbox.sess(["send", "work", "--paste", "x\x1b[201~rm -rf ~"]).expect_error(2, "paste");
}

#[test]
fn an_unknown_key_or_nothing_at_all_types_nothing() {
    let sandbox = Sandbox::new();
    start_keeping(&sandbox, "", 2);
    sandbox.sess(["send", "work", "text", "-k", "Hyper-x"]).expect_error(2, "Hyper-x");
    sandbox.sess(["send", "work"]).expect_error(2, "nothing to type");
    sandbox.sess_reading(["send", "work", "--stdin"], "").expect_error(2, "nothing to type");
    sandbox.sess(["send", "work", "x", "--wait-text", "("]).expect_error(2, "(");
    sandbox
        .sess(["send", "work", "x", "--wait-text", "a", "--wait-idle", "1s"])
        .expect_error(2, "--wait-idle");
    sandbox.sess(["send", "work", "ok"]).expect(0);
    assert_eq!(got(&sandbox), "ok");
}

#[test]
fn it_takes_a_running_session() {
    let sandbox = Sandbox::new();
    sandbox.sess(["send", "none", "x"]).expect_error(4, "none");
    sandbox.start_session_that_ends("over", "exit 3");
    sandbox.sess(["send", "over", "x"]).expect_error(3, "over");
    let session = sandbox.start_session("hung", ["sleep", "1000"]);
    session.stop_holder();
    sandbox.sess(["send", "hung", "x"]).expect_error(5, "hung");
}

#[test]
fn a_megabyte_for_a_program_that_reads_late_arrives_whole() {
    let sandbox = Sandbox::new();
    let all = (0..100_000).map(|n| format!("{n:09}\n")).collect::<Vec<_>>().concat();
    let script = format!(
        "stty raw -echo; printf ready; while [ ! -e go ]; do sleep 0.05; done
         head -c {} >got.new; mv got.new got; sleep 1000",
        all.len()
    );
    sandbox.start_script("work", &script);
    sandbox.sess(["wait", "work", "--text", "ready"]).expect(0);
    let mut send = sandbox.start_reading(["send", "work", "--stdin"], &all);
    // The first of it is in the terminal's own buffer.
    wait_until("the send to be under way", || sandbox.status("work")["last_input"].is_string());
    assert!(!send.has_ended());
    sandbox.write("go", "");
    sandbox.finish(send).expect(0);
    assert!(got(&sandbox) == all, "it is whole and in order");
}

#[test]
fn a_line_too_long_for_canonical_mode_is_refused_before_any_of_it_is_typed() {
    let sandbox = Sandbox::new();
    sandbox.start_script(
        "work",
        "stty -echo; printf ready; head -n 2 >got.new; mv got.new got; sleep 1000",
    );
    sandbox.sess(["wait", "work", "--text", "ready"]).expect(0);
    let line = "x".repeat(4_096);
    for input in [format!("first\n{line}\n"), line.clone()] {
        let refused = sandbox.sess_reading(["send", "work", "--stdin"], input);
        refused.expect_error(1, "4095");
    }
    let most = &line[1..];
    sandbox.sess_reading(["send", "work", "--stdin"], format!("{most}\n")).expect(0);
    sandbox.sess(["send", "work", "second", "--enter"]).expect(0);
    assert_eq!(got(&sandbox), format!("{most}\nsecond\n"));
}

#[test]
fn a_program_that_never_reads_costs_the_timeout_and_says_how_much_was_taken() {
    let sandbox = Sandbox::new();
    sandbox.start_script("work", "stty raw -echo; printf ready; sleep 1000");
    sandbox.sess(["wait", "work", "--text", "ready"]).expect(0);
    let start = Instant::now();
    let output = sandbox
        .sess_reading(["send", "work", "--stdin", "--timeout", "300ms"], "x".repeat(100_000));
    assert!(start.elapsed() >= Duration::from_millis(300));
    let output = output.expect_error(124, "work");
    assert!(output.stderr.contains("of 100000 bytes"), "{}", output.stderr);
}

#[test]
fn twenty_sends_at_once_do_not_mix() {
    let sandbox = Sandbox::new();
    let one = 10_000;
    start_keeping(&sandbox, "", 20 * one);
    let sends: Vec<_> = (b'a'..b'a' + 20)
        .map(|byte| sandbox.start_reading(["send", "work", "--stdin"], vec![byte; one]))
        .collect();
    for send in sends {
        sandbox.finish(send).expect(0);
    }
    let got = got(&sandbox);
    for block in got.as_bytes().chunks(one) {
        assert!(block.iter().all(|byte| *byte == block[0]), "{}", block.escape_ascii());
    }
}

#[test]
fn keys_of_a_person_wait_for_no_send() {
    let sandbox = Sandbox::new();
    sandbox.start_script(
        "work",
        "stty raw -echo; printf ready; while [ ! -e go ]; do sleep 0.05; done
         head -c 200001 >got.new; mv got.new got; sleep 1000",
    );
    let terminal = sandbox.attach("work");
    terminal.wait_for_text("ready");
    let send = sandbox.start_reading(["send", "work", "--stdin"], "x".repeat(200_000));
    wait_until("the send to be under way", || sandbox.status("work")["last_input"].is_string());
    terminal.type_bytes("K");
    wait_for_a_key(&sandbox, &terminal);
    sandbox.write("go", "");
    sandbox.finish(send).expect(0);
    let got = got(&sandbox);
    let at = got.find('K').unwrap();
    assert!(at < 100_000, "the key came at {at}");
}

/// Waits until what was typed in a terminal has reached the holder.
#[track_caller]
fn wait_for_a_key(sandbox: &Sandbox, terminal: &Terminal) {
    // Asking comes behind the key on the same holder.
    wait_until("a leader", || sandbox.status("work")["clients"][0]["leader"] == true);
    terminal.look(|_| ());
}

#[test]
fn a_paste_that_keeps_a_person_waiting_is_closed_after_a_second() {
    let sandbox = Sandbox::new();
    sandbox.start_script(
        "work",
        "stty raw -echo; printf '\\033[?2004hready'; while [ ! -e go ]; do sleep 0.05; done
         head -c 2000 >/dev/null; dd bs=1 of=rest 2>/dev/null",
    );
    let terminal = sandbox.attach("work");
    terminal.wait_for_text("ready");
    let send = sandbox.start_reading(["send", "work", "--stdin", "--paste"], "x".repeat(200_000));
    wait_until("the send to be under way", || sandbox.status("work")["last_input"].is_string());
    terminal.type_bytes("K");
    let output = sandbox.finish(send).expect_error(1, "bytes");
    assert!(output.stderr.contains("typed"), "{}", output.stderr);
    sandbox.write("go", "");
    wait_until("the key behind the bracket", || sandbox.read("rest").ends_with(b"\x1b[201~K"));
}

#[test]
fn the_offset_before_a_send_is_up_to_date() {
    let sandbox = Sandbox::new();
    sandbox.start_session("work", ["sh"]);
    for n in 0..20 {
        let command = format!("echo {n}-$((6*7))");
        let offset =
            sandbox.sess(["send", "work", &command, "--enter", "--offset"]).expect(0).stdout;
        let line = format!("^{n}-42$");
        let wait = ["wait", "work", "--text", &line, "--timeout", "10s", "--since", offset.trim()];
        sandbox.sess(wait).expect(0);
        // Old text never matches.
        let offset = sandbox.sess(["send", "work", "--offset", "-k", "C-u"]).expect(0).stdout;
        let wait = ["wait", "work", "--text=-42", "--timeout", "1ms", "--since", offset.trim()];
        sandbox.sess(wait).expect_error(124, "work");
    }
}

#[test]
fn a_send_may_wait_for_its_answer() {
    let sandbox = Sandbox::new();
    sandbox.start_session("work", ["sh"]);
    let say = |text: &'static str| ["send", "work", "--enter", text];
    sandbox.sess(say("echo four=$((2+2))").into_iter().chain(["--wait-text", "four=4"])).expect(0);
    sandbox.sess(say("echo x").into_iter().chain(["--wait-idle", "50ms"])).expect(0);
    let late = say("sleep 5").into_iter().chain(["--wait-text", "never", "--timeout", "50ms"]);
    sandbox.sess(late).expect_error(124, "never");
    sandbox.sess(["send", "work", "-k", "C-c", "--wait-idle", "50ms"]).expect(0);
    let over = say("exit 3").into_iter().chain(["--wait-text", "never"]);
    sandbox.sess(over).expect_error(3, "work");
}

#[test]
fn five_hundred_questions_to_a_repl_are_answered_without_one_miss() {
    let Some(python) = find("python3") else {
        return;
    };
    let sandbox = Sandbox::new();
    sandbox.start_session("work", [python.as_os_str(), "-q".as_ref()]);
    sandbox.sess(["wait", "work", "--text", ">>>"]).expect(0);
    for n in 0..500 {
        let question = format!("{n}*3+1");
        let answer = format!("^{}$", n * 3 + 1);
        let ask =
            ["send", "work", &question, "--enter", "--timeout", "10s", "--wait-text", &answer];
        sandbox.sess(ask).expect(0);
    }
}

#[test]
fn a_send_is_no_leader_and_sizes_nothing() {
    let sandbox = Sandbox::new();
    sandbox.start_session("work", ["cat"]);
    let terminal = sandbox.terminal().size(60, 20).attach("work");
    sandbox.sess(["send", "work", "hello"]).expect(0);
    terminal.wait_for_text("hello");
    let status = sandbox.status("work");
    assert_eq!(status["size"], serde_json::json!({"cols": 60, "rows": 20}));
    assert_eq!(status["clients"].as_array().unwrap().len(), 1);
}

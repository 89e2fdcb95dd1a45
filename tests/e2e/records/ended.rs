//! What is asked of sessions that have ended or whose holder is gone is answered from their
//! records, as it was answered while they ran.

use serde_json::Value;

use crate::harness::{Output, Sandbox};

use super::{TOLD, crash, make_pipe, tell, wait_for_record};

/// All ways to ask for what a session said or shows.
const ASKED: [&[&str]; 19] = [
    &["logs"],
    &["logs", "-n", "3"],
    &["logs", "-n", "0"],
    &["logs", "--raw"],
    &["logs", "--raw", "-n", "2"],
    &["logs", "--raw", "--since", "100"],
    &["logs", "--raw", "--since", "100", "--limit", "10"],
    &["logs", "--since", "2000"],
    &["logs", "--json"],
    &["logs", "--json", "--since", "7", "--limit", "5"],
    &["logs", "--json", "--since", "1000000"],
    &["capture"],
    &["capture", "--join"],
    &["capture", "--history", "5"],
    &["capture", "--history", "all", "--join"],
    &["capture", "--format", "ansi"],
    &["capture", "--format", "json"],
    &["capture", "--format", "html"],
    &["capture", "--format", "json", "--history", "all"],
];

/// Says much that is not easy to get right; does then what it is told.
fn start_eloquent(sandbox: &Sandbox, name: &str) {
    let script = format!(
        "printf '\\033]2;title\\007'; seq -f 'line %g' 300
        printf '%0200d\\n' 7; printf 'größe 日本 \\033[1;31mred\\033[m\\n\\033[4munder\\033[m\\n'
        printf '\\033[?1049h\\033[2J\\033[3;5Hon the other screen\\033[?1049l'
        printf 'half a line and a \\033[3'; {TOLD}"
    );
    sandbox.start_session(name, ["sh", "-c", &script]);
    sandbox.sess(["wait", name, "--text", "^half a line", "--timeout", "10s"]).expect(0);
    wait_for_record(sandbox, name);
}

#[track_caller]
fn answers(sandbox: &Sandbox, name: &str) -> Vec<(String, String)> {
    let ask = |words: &&[&str]| {
        let args = [words, &[name][..]].concat();
        (args.join(" "), sandbox.sess(args).expect(0).stdout)
    };
    ASKED.iter().map(ask).collect()
}

/// Fails unless the answers are the same.
#[track_caller]
fn assert_same(now: &[(String, String)], before: &[(String, String)]) {
    for (now, before) in now.iter().zip(before) {
        assert_eq!(now, before);
    }
}

#[test]
fn what_is_answered_of_a_dead_session_is_what_was_answered_when_it_ran() {
    let sandbox = Sandbox::new();
    make_pipe(&sandbox);
    start_eloquent(&sandbox, "work");
    sandbox.sess(["resize", "work", "50x20"]).expect(0);
    tell(&sandbox, "printf '5mof it'");
    sandbox.wait_for_line("work", "of it$");
    wait_for_record(&sandbox, "work");
    let running = answers(&sandbox, "work");
    assert!(running[0].1.contains("\nline 299\nline 300\n"), "{}", running[0].1);
    let session = sandbox.session("work");
    crash(&session);
    assert_same(&answers(&sandbox, "work"), &running);
}

#[test]
fn what_is_answered_of_an_exited_session_is_what_was_answered_when_it_ran() {
    let sandbox = Sandbox::new();
    make_pipe(&sandbox);
    start_eloquent(&sandbox, "work");
    sandbox.sess(["resize", "work", "50x20"]).expect(0);
    let running = answers(&sandbox, "work");
    tell(&sandbox, "exit 5");
    sandbox.sess(["wait", "work"]).expect(5);
    assert_same(&answers(&sandbox, "work"), &running);
}

#[test]
fn how_a_session_ended_is_told_however_late_one_asks() {
    let sandbox = Sandbox::new();
    for (name, script, code, how) in [
        ("zero", "exit 0", 0, "exited 0"),
        ("seven", "echo seven; exit 7", 7, "exited 7"),
        ("killed", "kill -KILL $$", 137, "killed SIGKILL"),
    ] {
        sandbox.start_session_that_ends(name, script);
        for _ in 0..2 {
            sandbox.sess(["wait", name]).expect(code);
            sandbox.sess(["wait", name, "--exit", "--timeout", "1ms"]).expect(code);
            let told = sandbox.sess(["attach", name]).expect(code).stdout;
            assert_eq!(told, format!("[{name} {}]\n", how.replacen(' ', ": ", 1)));
            let told = sandbox.sess(["status", name]).expect(3).stdout;
            let state = told.lines().find_map(|line| line.strip_prefix("state:"));
            assert_eq!(state.map(str::trim_start), Some(how), "{told}");
        }
        let listed = sandbox.sess(["ls", "-a"]).expect(0).stdout;
        let line = listed.lines().find(|line| line.starts_with(name)).unwrap();
        assert!(line.contains(how), "{listed}");
    }
    sandbox.sess(["wait", "seven", "--text", "^sev.n$"]).expect(0);
    sandbox.sess(["wait", "seven", "--text", "^eight$"]).expect_error(3, "seven");
    sandbox.sess(["wait", "seven", "--idle", "1ms"]).expect_error(3, "seven");
    sandbox.sess(["wait", "seven", "--text", "seven", "--since", "0"]).expect(0);
    sandbox.sess(["wait", "seven", "--text", "seven", "--since", "7"]).expect_error(3, "seven");
}

#[test]
fn a_dead_session_is_told_as_lost_and_its_last_screen_is_known() {
    let sandbox = Sandbox::new();
    make_pipe(&sandbox);
    sandbox.sess(["new", "-d", "-l", "a=b", "work", "--", "sh", "-c", TOLD]).expect(0);
    tell(&sandbox, "printf '\\033]2;my title\\007'; cd home; echo here I am");
    sandbox.wait_for_line("work", "^here I am$");
    wait_for_record(&sandbox, "work");
    let session = sandbox.session("work");
    let lives = sandbox.status("work");
    crash(&session);

    let dead = sandbox.status("work");
    assert_eq!((&dead["state"], &dead["restorable"]), (&"dead".into(), &true.into()));
    for key in ["id", "command", "title", "cwd", "created", "labels", "offset", "size", "version"] {
        assert_eq!(dead[key], lives[key], "{key}");
    }
    for key in ["pid", "holder_pid", "exit", "activity", "upkeep"] {
        assert_eq!(dead[key], Value::Null, "{key}");
    }
    assert_eq!(dead["cwd"], sandbox.path("home").to_str().unwrap());
    let told = sandbox.sess(["status", "work"]).expect(1).stdout;
    assert!(told.contains("its holder is gone; 'sess restore' starts it again"), "{told}");
    let listed: Value =
        serde_json::from_str(&sandbox.sess(["ls", "-a", "--json"]).expect(0).stdout).unwrap();
    assert_eq!(listed, Value::Array(vec![dead]));
    assert_eq!(sandbox.sess(["ls", "-q"]).expect(0).stdout, "");

    let is_dead = |output: Output, code| {
        output.expect_error(code, "session work is dead: its holder is gone");
    };
    is_dead(sandbox.sess(["attach", "work"]), 125);
    is_dead(sandbox.sess(["wait", "work"]), 125);
    is_dead(sandbox.sess(["wait", "work", "--idle", "1ms"]), 3);
    is_dead(sandbox.sess(["wait", "work", "--text", "there"]), 3);
    sandbox.sess(["wait", "work", "--text", "^here I am$"]).expect(0);
    is_dead(sandbox.sess(["send", "work", "x"]), 3);
    is_dead(sandbox.sess(["resize", "work", "80x24"]), 3);
    is_dead(sandbox.sess(["detach", "work"]), 3);
    is_dead(sandbox.sess(["rename", "work", "other"]), 3);
    let mut terminal = sandbox.terminal().sess(["attach", "work"]);
    assert_eq!(terminal.wait_for_exit(), 125);
}

#[test]
fn who_watches_when_the_holder_is_killed_gets_all_there_is_and_an_error() {
    let sandbox = Sandbox::new();
    make_pipe(&sandbox);
    let session = sandbox.start_session("work", ["sh", "-c", &format!("echo one; {TOLD}")]);
    let mut attached = sandbox.attach("work");
    let mut follower = sandbox.terminal().sess(["logs", "-f", "work"]);
    follower.wait_for_text("one");
    tell(&sandbox, "echo two");
    follower.wait_for_text("one\ntwo");
    let wait = sandbox.start_sess(["wait", "work"]);
    wait_for_record(&sandbox, "work");
    crash(&session);
    sandbox.finish(wait).expect_error(125, "work");
    assert_eq!(attached.wait_for_exit(), 125);
    assert_eq!(follower.wait_for_exit(), 3, "{}", follower.text());
    let told = "one\ntwo\nsess: session work is dead: its holder is gone\n";
    assert!(follower.text().starts_with(told), "{}", follower.text());
}

//! Contract 5: the JSON of `ls` and `status`.

use serde_json::{Value, json};

use crate::harness::{Sandbox, wait_until};

/// Every key, and whether it may be null in a session that runs.
const KEYS: [(&str, bool); 21] = [
    ("name", false),
    ("id", false),
    ("state", false),
    ("pid", false),
    ("holder_pid", false),
    ("command", false),
    ("cwd", false),
    ("title", false),
    ("activity", false),
    ("created", false),
    ("last_output", true),
    ("last_input", true),
    ("size", false),
    ("clients", false),
    ("offset", false),
    ("history_lines", false),
    ("labels", false),
    ("exit", true),
    ("version", false),
    ("upkeep", false),
    ("restorable", true),
];

fn assert_time(value: &Value) {
    let text = value.as_str().unwrap();
    assert_eq!(text.len(), "2026-11-20T21:40:00.000Z".len(), "{text}");
    assert!(text.ends_with('Z') && &text[10..11] == "T" && &text[19..20] == ".", "{text}");
}

#[test]
fn a_running_session_has_every_key() {
    let sandbox = Sandbox::new();
    sandbox.sess(["new", "-d", "-l", "project=x", "work", "--", "cat"]).expect(0);
    let terminal = sandbox.terminal().size(100, 30).attach("work");
    terminal.type_line("hello");
    terminal.wait_for_text("hello\nhello");
    let status = sandbox.status("work");
    let object = status.as_object().unwrap();
    for (key, may_be_null) in KEYS {
        let value = object.get(key).unwrap_or_else(|| panic!("no {key}"));
        assert!(may_be_null || !value.is_null(), "{key} is null");
    }
    assert_eq!(status["state"], "running");
    assert_eq!(status["command"], json!(["cat"]));
    assert_eq!(status["cwd"], sandbox.path("").to_str().unwrap().trim_end_matches('/'));
    assert_eq!(status["labels"], json!({"project": "x"}));
    assert_eq!(status["size"], json!({"cols": 100, "rows": 30}));
    assert_eq!(status["activity"], "busy");
    assert_eq!(status["exit"], Value::Null);
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(status["id"].as_str().unwrap().len(), 16);
    // "hello" typed, echoed and repeated, each with a line end of two bytes.
    assert_eq!(status["offset"], 14);
    for key in ["created", "last_output", "last_input"] {
        assert_time(&status[key]);
    }
    let client = &status["clients"][0];
    assert_eq!(client["leader"], true);
    assert_eq!(client["read_only"], false);
    assert_eq!(client["size"], json!({"cols": 100, "rows": 30}));
    assert_time(&client["attached"]);
}

#[test]
fn an_ended_session_says_how_and_no_longer_what_is_not_true() {
    let sandbox = Sandbox::new();
    sandbox.start_session_that_ends("work", "printf '\\033]2;title\\007hello'; exit 3");
    let status = sandbox.status("work");
    assert_eq!(status["state"], "exited");
    assert_eq!(status["exit"]["code"], 3);
    assert_eq!(status["exit"]["signal"], Value::Null);
    assert_time(&status["exit"]["time"]);
    assert_eq!((&status["pid"], &status["holder_pid"]), (&Value::Null, &Value::Null));
    assert_eq!(status["title"], "title");
    for (key, _) in KEYS {
        assert!(status.get(key).is_some(), "no {key}");
    }
}

#[test]
fn an_idle_session_says_so() {
    let sandbox = Sandbox::new();
    sandbox.start_session("work", ["cat"]);
    wait_until("it to be idle", || sandbox.status("work")["activity"] == "idle");
    let status = sandbox.status("work");
    assert_eq!(status["last_input"], Value::Null);
    assert_eq!(status["offset"], 0);
}

#[test]
fn a_list_is_an_array_of_the_same_objects() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.sess(["ls", "--json"]).expect(0).stdout, "[]\n");
    sandbox.start_session("running", ["cat"]);
    sandbox.start_session_that_ends("exited", "exit 0");
    sandbox.start_session("dead", ["cat"]).lose_holder();
    let stopped = sandbox.start_session("stopped", ["cat"]);
    stopped.stop_holder();
    let list = |args: &[&str]| -> Vec<Value> {
        serde_json::from_str(&sandbox.sess(args).expect(0).stdout).unwrap()
    };
    let states = |list: &[Value]| {
        let mut states: Vec<String> =
            list.iter().map(|one| format!("{} {}", one["name"], one["state"])).collect();
        states.sort();
        states.join(", ").replace('"', "")
    };
    assert_eq!(states(&list(&["ls", "--json"])), "running running, stopped unresponsive");
    let all = list(&["ls", "--json", "-a"]);
    assert_eq!(states(&all), "dead dead, exited exited, running running, stopped unresponsive");
    for one in &all {
        let keys: Vec<&String> = one.as_object().unwrap().keys().collect();
        assert_eq!(keys.len(), KEYS.len(), "{keys:?}");
    }
    let stopped_one = all.iter().find(|one| one["name"] == "stopped").unwrap();
    assert_eq!(stopped_one["holder_pid"], stopped.holder.0);
    sandbox.sess(["ls", "--json", "-q"]).expect_error(2, "");
}

#[test]
fn odd_text_is_escaped_and_comes_back() {
    let sandbox = Sandbox::new();
    let odd = "quote\" back\\slash \x1b[31m \u{9b}2J größe 日本 🦀";
    sandbox.start_session("wörk 日本", ["sh", "-c", "cat", odd]);
    let output = sandbox.sess(["status", "--json", "wörk 日本"]).expect(0);
    assert!(!output.stdout.contains('\x1b') && !output.stdout.contains('\u{9b}'));
    let status: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(status["command"][3], odd);
    assert_eq!(status["name"], "wörk 日本");
}

//! Contract 3 and 5, `events`: what happens to sessions, told by their holders as
//! it happens.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{PATIENCE, Sandbox, wait_until};

/// `sess events` under way.
struct Events {
    child: Child,
    lines: Receiver<String>,
}

impl Events {
    /// Starts it, and waits until it listens to `expected` sessions.
    #[track_caller]
    fn start(sandbox: &Sandbox, args: &[&str]) -> Self {
        let mut command = sandbox.sess_command(["events", "--json"]);
        command.args(args).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let (to, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = to.send(line);
            }
        });
        Self { child, lines }
    }

    /// The next event of this kind and session; others are passed over.
    #[track_caller]
    fn next(&self, event: &str, name: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        let mut others = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("no {event} of {name}, but {others:?}");
            };
            let value: Value = serde_json::from_str(&line).unwrap();
            if value["event"] == event && value["name"] == name {
                return value;
            }
            others.push(line);
        }
    }

    /// Waits until it is heard.
    #[track_caller]
    fn until_it_listens_to(&self, sandbox: &Sandbox, name: &str) {
        wait_until("the event of a bell", || {
            sandbox.sess(["send", name, "bell", "--enter"]).expect(0);
            self.lines.recv_timeout(Duration::from_millis(100)).is_ok()
        });
        self.lines.try_iter().count();
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A session that does as it is told.
fn start_doing(sandbox: &Sandbox, name: &str) {
    sandbox.start_script(
        name,
        "stty -echo; while read what; do case $what in
             bell) printf '\\007' ;;
             title) printf '\\033]2;new title\\007' ;;
             osc9) printf '\\033]9;look here\\007' ;;
             osc777) printf '\\033]777;notify;Title;Body\\007' ;;
             exit) exit 3 ;;
             *) echo \"$what\" ;;
         esac; done",
    );
}

#[test]
fn what_happens_is_told_with_what_it_adds() {
    let sandbox = Sandbox::new();
    start_doing(&sandbox, "work");
    let id = sandbox.status("work")["id"].clone();
    let events = Events::start(&sandbox, &[]);
    events.until_it_listens_to(&sandbox, "work");
    let say = |what: &str| drop(sandbox.sess(["send", "work", what, "--enter"]).expect(0));
    say("title");
    let title = events.next("title", "work");
    assert_eq!((&title["title"], &title["id"]), (&"new title".into(), &id));
    let time = title["time"].as_str().unwrap();
    assert!(time.ends_with('Z') && time.len() == 24, "{time}");
    say("osc9");
    assert_eq!(events.next("notification", "work")["body"], "look here");
    say("osc777");
    let told = events.next("notification", "work");
    assert_eq!((&told["title"], &told["body"]), (&"Title".into(), &"Body".into()));
    let mut terminal = sandbox.terminal().size(60, 20).attach("work");
    let attached = events.next("attached", "work");
    assert_eq!(attached["tty"], terminal.path().to_str().unwrap());
    assert_eq!(events.next("resized", "work")["size"], json!({"cols": 60, "rows": 20}));
    terminal.detach();
    assert_eq!(events.next("detached", "work")["tty"], attached["tty"]);
    sandbox.sess(["rename", "work", "play"]).expect(0);
    assert_eq!(events.next("renamed", "play")["old"], "work");
    sandbox.sess(["send", "play", "exit", "--enter"]).expect(0);
    let exited = events.next("exited", "play");
    assert_eq!((&exited["exit"]["code"], &exited["exit"]["signal"]), (&3.into(), &Value::Null));
}

#[test]
fn activity_is_the_first_output_after_quiet() {
    let sandbox = Sandbox::new();
    start_doing(&sandbox, "work");
    let events = Events::start(&sandbox, &[]);
    events.until_it_listens_to(&sandbox, "work");
    sandbox.sess(["wait", "work", "--idle", "2s"]).expect(0);
    sandbox.sess(["send", "work", "hello", "--enter"]).expect(0);
    events.next("activity", "work");
    sandbox.sess(["send", "work", "hello", "--enter", "--wait-idle", "20ms"]).expect(0);
    sandbox.sess(["send", "work", "bell", "--enter"]).expect(0);
    let next: Value = serde_json::from_str(&events.lines.recv_timeout(PATIENCE).unwrap()).unwrap();
    assert_eq!(next["event"], "bell", "more of the same is no news");
}

#[test]
fn sessions_created_later_join() {
    let sandbox = Sandbox::new();
    start_doing(&sandbox, "first");
    let events = Events::start(&sandbox, &[]);
    events.until_it_listens_to(&sandbox, "first");
    let start = Instant::now();
    start_doing(&sandbox, "second");
    let created = events.next("created", "second");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    assert_eq!(created["id"], sandbox.status("second")["id"]);
    sandbox.sess(["send", "second", "bell", "--enter"]).expect(0);
    events.next("bell", "second");
}

#[test]
fn a_holder_that_dies_is_told() {
    let sandbox = Sandbox::new();
    start_doing(&sandbox, "work");
    let events = Events::start(&sandbox, &[]);
    events.until_it_listens_to(&sandbox, "work");
    sandbox.session("work").lose_holder();
    events.next("died", "work");
}

#[test]
fn of_one_session_they_end_with_it() {
    let sandbox = Sandbox::new();
    start_doing(&sandbox, "work");
    start_doing(&sandbox, "other");
    let mut events = Events::start(&sandbox, &["work"]);
    events.until_it_listens_to(&sandbox, "work");
    sandbox.sess(["send", "other", "title", "--enter"]).expect(0);
    sandbox.sess(["send", "work", "exit", "--enter"]).expect(0);
    events.next("exited", "work");
    wait_until("its end", || events.child.try_wait().unwrap().is_some());
    assert!(events.child.wait().unwrap().success());
    sandbox.sess(["events", "none"]).expect_error(4, "none");
}

#[test]
fn as_lines_they_are_for_people() {
    let sandbox = Sandbox::new();
    start_doing(&sandbox, "work");
    let events = sandbox.start_sess(["events", "work"]);
    sandbox.session("work").wait_until_heard(&[&events]);
    sandbox.sess(["send", "work", "title", "--enter", "--wait-idle", "50ms"]).expect(0);
    sandbox.sess(["send", "work", "exit", "--enter"]).expect(0);
    let output = sandbox.finish(events).expect(0);
    assert!(output.stdout.contains("work  title  new title\n"), "{}", output.stdout);
    assert!(output.stdout.lines().last().unwrap().contains("exited"), "{}", output.stdout);
}

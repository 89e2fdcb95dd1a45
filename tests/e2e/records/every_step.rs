//! The holder is killed just before each of its system calls in turn, while its record is
//! written and while its session ends: what is on disk is readable each time.

use std::time::Duration;

use super::numbered::{COUNT_RUNS, History};
use super::{
    TOLD, answering, at_once, crash, end_the_rest, logs, make_pipe, names_in, record_of, restore,
    tell, wait_for_record,
};
use crate::harness::{Sandbox, Session, Tracer, wait_until};

/// What is written behind is written within this time.
const PATIENCE: Duration = Duration::from_millis(3_500);
/// So many threads take turns at the calls: each mostly waits.
const THREADS: usize = 12;
/// Fewer calls would be something else than what is meant.
const CALLS: usize = 20;

/// Prints as many lines as it is told, in one piece.
const SAY: &str = "i=0; r=$(printf %03d $run)
    say() { printf '%s\\n' \"$(seq -f \"line $r %09.0f.\" $((i + 1)) $((i + $1)))\"; i=$((i + $1)); }";

/// Calls `step` with 1, 2, 3 and so on until it says that there are no more calls, or
/// `None` because it can't say. Several threads do, each with a state of its own, which
/// are returned.
fn each_call<T: Send>(
    begin: impl Fn() -> T + Sync,
    step: impl Fn(&mut T, usize) -> Option<bool> + Sync,
) -> Vec<T> {
    let turns = |thread: usize| {
        let mut state = begin();
        let mut calls = (thread + 1..).step_by(THREADS);
        let last = calls.find_map(|n| match step(&mut state, n) {
            Some(true) => None,
            Some(false) => Some(n),
            None => Some(usize::MAX),
        });
        (state, last.unwrap_or(usize::MAX))
    };
    let (states, ends): (Vec<T>, Vec<usize>) = at_once(0..THREADS, turns).into_iter().unzip();
    assert!(ends.iter().all(|end| *end > CALLS), "too few calls: {ends:?}");
    states
}

/// A session whose holder is killed while its record is written; it is brought back each
/// time.
struct Written {
    sandbox: Sandbox,
    /// What was kept of it when it was last brought back.
    kept: String,
}

impl Written {
    /// One that says so many lines when it is begun.
    fn new(first: usize) -> Self {
        let sandbox = Sandbox::new();
        sandbox.configure("journal = 262144");
        make_pipe(&sandbox);
        sandbox.start_script("work", &format!("{COUNT_RUNS}\n{SAY}\nsay {first}\n{TOLD}"));
        Self { sandbox, kept: String::new() }
    }

    /// It says more lines; the holder is killed before its `n`th call from then on.
    /// `Some(false)` if it makes fewer.
    fn is_killed_at(&mut self, n: usize, more: usize, all_is_kept: bool) -> Option<bool> {
        let sandbox = &self.sandbox;
        let session = answering(sandbox, "work");
        let until = wait_for_record(sandbox, "work");
        let before = History::read(&logs(sandbox, "work"));
        let say = || tell(sandbox, &format!("say {more}"));
        if !Tracer::attach(session.holder)?.kill_at_syscall(n, PATIENCE, say) {
            return Some(false);
        }
        end_the_rest(&session.id);
        sandbox.sess(["status", "-q", "work"]).expect(1);
        sandbox.sess(["capture", "work"]).expect(0);
        let kept = logs(sandbox, "work");
        let history = History::read(&kept);
        assert!(history.last() >= before.last(), "{n}: {:?} {:?}", history.last(), before.last());
        if all_is_kept {
            assert!(kept.starts_with(self.kept.trim_end()), "{n}: {kept}\n{}", self.kept);
            assert_eq!(history.numbers[..before.numbers.len()], before.numbers, "{n}");
        }
        let again = restore(sandbox, "work");
        assert_eq!(again.id, session.id);
        assert!(sandbox.offset("work") >= until);
        self.kept = kept;
        Some(true)
    }

    /// It ends as it should; what was half written at some time is gone.
    #[track_caller]
    fn leaves_nothing_else(&self) {
        self.sandbox.sess(["kill", "--grace", "0s", "work"]).expect(0);
        let names = names_in(&record_of(&self.sandbox, "work"));
        let files = ["start.json", "latest.json", "exit.json"];
        let known = |name: &String| files.contains(&&**name) || name.starts_with("output-");
        assert!(names.iter().all(known), "{names:?}");
    }
}

#[test]
fn killed_at_every_step_of_writing_the_record_is_readable() {
    let sessions = each_call(|| Written::new(1), |session, n| session.is_killed_at(n, 1, true));
    sessions.iter().for_each(Written::leaves_nothing_else);
}

#[test]
fn killed_at_every_step_of_beginning_a_new_piece_the_record_is_readable() {
    // With so many lines the next piece begins, and an older one is no longer wanted.
    let sessions =
        each_call(|| Written::new(5_900), |session, n| session.is_killed_at(n, 500, false));
    sessions.iter().for_each(Written::leaves_nothing_else);
}

/// Fails unless a session whose holder was killed while it ended is one or the other;
/// returns whether everything is there.
#[track_caller]
fn is_dead_or_ended(sandbox: &Sandbox, n: usize) -> bool {
    let code = sandbox.sess(["status", "-q", "work"]).code;
    let kept = logs(sandbox, "work");
    sandbox.sess(["capture", "work"]).expect(0);
    assert!(kept.starts_with("line 001 000000001.\nline 001 000000002.\n"), "{n}: {kept}");
    match code {
        1 => _ = sandbox.sess(["wait", "work"]).expect(125),
        // How it ended is written first: it says the most.
        3 => _ = sandbox.sess(["wait", "work"]).expect(7),
        _ => panic!("{n}: status {code}"),
    }
    code == 3 && kept.trim_end().ends_with("\nline 001 000000003.")
}

/// The session's place is taken again, one way or the other.
#[track_caller]
fn goes_on<'a>(sandbox: &'a Sandbox, before: &Session<'_>, n: usize) -> Session<'a> {
    let is_new = n.is_multiple_of(2);
    if is_new {
        sandbox.start_session("work", ["cat"]);
    } else {
        sandbox.sess(["restart", "work"]).expect(0);
    }
    let session = answering(sandbox, "work");
    assert_eq!(session.id != before.id, is_new, "{n}");
    let text = logs(sandbox, "work");
    assert_eq!(text.contains("line 001 000000002.\n"), !is_new, "{n}: {text}");
    session
}

#[test]
fn killed_at_every_step_of_its_end_a_session_is_dead_or_ended() {
    let begin = || {
        let sandbox = Sandbox::new();
        make_pipe(&sandbox);
        sandbox
    };
    each_call(begin, |sandbox, n| {
        let _ = std::fs::remove_file(sandbox.path("runs"));
        let script = format!("{COUNT_RUNS}\n{SAY}\nsay 2\n{TOLD}");
        let session = sandbox.start_script("work", &script);
        wait_for_record(sandbox, "work");
        let end = || tell(sandbox, "say 1; exit 7");
        let was_killed = Tracer::attach(session.holder)?.kill_at_syscall(n, PATIENCE, end);
        end_the_rest(&session.id);
        if !was_killed {
            wait_until("the end", || sandbox.status("work")["state"] == "exited");
        }
        let is_whole = is_dead_or_ended(sandbox, n);
        assert!(was_killed || is_whole, "{n}");
        let again = goes_on(sandbox, &session, n);
        crash(&again);
        sandbox.sess(["prune"]).expect(0);
        Some(was_killed)
    });
}

//! Crash after crash, at moments that nobody chose: the history goes on from where it was
//! at most a second before.

use std::time::{Duration, Instant};

use sess_sys::process::random_u64;

use super::numbered::{COUNT_RUNS, History};
use super::{answering, at_once, crash, logs, restore};
use crate::harness::{Sandbox, Session, wait_until};

/// How far the record may be behind, and then some.
const BEHIND: Duration = Duration::from_millis(1_500);

/// Lines of history that a session keeps.
const HISTORY: usize = 10_000;

/// A number below `end` that nobody can foresee.
fn any(end: u64) -> u64 {
    random_u64().unwrap() % end
}

/// Waits so long, and as much longer as the machine is slow to let somebody go on and
/// write a little.
#[track_caller]
fn let_pass(sandbox: &Sandbox, time: Duration) {
    let (since, mut looks) = (Instant::now(), 0);
    wait_until("time to pass", || {
        if looks % 8 == 0 {
            sandbox.write("tmp/aside", "x");
            std::fs::rename(sandbox.path("tmp/aside"), sandbox.path("tmp/there")).unwrap();
        }
        looks += 1;
        // The pauses between two looks are 20 ms at most.
        since.elapsed() >= time && looks >= time.as_millis() / 20
    });
}

/// A session that is killed again and again.
struct Victim {
    sandbox: Sandbox,
    /// All of its output fits into what is kept.
    is_short: bool,
    /// What was kept of its history when it was last begun again.
    kept: String,
}

impl Victim {
    /// A session with this program, which knows in `run` how often it was begun.
    fn new(is_short: bool, program: &str) -> Self {
        let sandbox = Sandbox::new();
        sandbox.start_script("work", &format!("{COUNT_RUNS}\n{program}"));
        Self { sandbox, is_short, kept: String::new() }
    }

    /// Its holder is killed at some moment; everything is as it has to be.
    fn live_and_die(&mut self) {
        let sandbox = &self.sandbox;
        let session = answering(sandbox, "work");
        let_pass(sandbox, Duration::from_millis(any(600)));
        if any(3) == 0 {
            // In one that is too narrow for a line, fewer of them are kept.
            let narrowest = if self.is_short { 12 } else { 30 };
            let size = format!("{}x{}", narrowest + any(100), 2 + any(50));
            sandbox.sess(["resize", "work", &size]).expect(0);
        }
        // Half of them are killed soon after they began.
        let said = (any(2) == 0).then(|| {
            let said = sandbox.status("work")["offset"].as_u64().expect("it runs");
            let_pass(sandbox, BEHIND + Duration::from_millis(any(500)));
            said
        });
        crash(&session);

        sandbox.sess(["status", "-q", "work"]).expect(1);
        let kept = self.what_is_kept(said);
        let history = History::read(&kept);
        self.compare(&history, &kept);

        if self.is_short {
            self.comes_back(&session.id, &kept);
        } else {
            // Where nothing is added to it, it can be compared.
            sandbox.write("quiet", "");
            let quiet = self.comes_back(&session.id, &kept);
            std::fs::remove_file(sandbox.path("quiet")).unwrap();
            crash(&quiet);
            restore(sandbox, "work");
        }
        self.kept = kept;
    }

    /// It is brought back: what was kept is its history, and what it says now follows.
    fn comes_back(&self, id: &str, kept: &str) -> Session<'_> {
        let session = restore(&self.sandbox, "work");
        assert_eq!(session.id, id);
        let all = logs(&self.sandbox, "work");
        let (before, after) = all.rsplit_once("── restarted").expect("a separator");
        let (before, kept) = (before.trim_end(), kept.trim_end());
        if self.is_short {
            assert_eq!(before, kept);
        } else {
            assert!(kept.ends_with(before), "{before}\nis not the end of\n{kept}");
            let lines = before.lines().count();
            assert!(lines >= kept.lines().count().min(HISTORY), "{lines} lines are left");
        }
        History::read(&format!("{before}\n── restarted{after}"));
        session
    }

    /// What is kept of it that is dead now: all that it had `said` a while ago.
    fn what_is_kept(&self, said: Option<u64>) -> String {
        let sandbox = &self.sandbox;
        let [logs, captured] = [&["logs"][..], &["capture", "--join"]]
            .map(|verb| sandbox.sess([verb, &["work"]].concat()));
        if said.is_none() && self.kept.is_empty() && logs.code == 3 {
            // Killed before anything was written.
            for output in [logs, captured] {
                output.expect_error(3, "nothing is kept of what it showed");
            }
            return String::new();
        }
        let [kept, captured] = [logs, captured].map(|output| output.expect(0).stdout);
        assert!(reaches(sandbox, said.unwrap_or(0)), "{said:?} bytes are not all in the record");
        assert!(kept.trim_end().ends_with(last_line(&captured)), "{captured:?}\n{kept}");
        kept
    }

    /// What was kept of it before is kept still.
    fn compare(&self, history: &History, kept: &str) {
        if self.is_short {
            let before = self.kept.trim_end();
            assert!(kept.starts_with(before), "{before}\nis not in\n{kept}");
            assert!(history.numbers.first().is_none_or(|first| first.1 == 1), "{kept}");
        }
        let before = History::read(&self.kept);
        assert!(history.last() >= before.last(), "{:?} {:?}", history.last(), before.last());
    }
}

/// Whether the record goes up to this offset: the byte before it is there, or so long ago
/// that it is there no more.
fn reaches(sandbox: &Sandbox, offset: u64) -> bool {
    let Some(before) = offset.checked_sub(1) else {
        return true;
    };
    let since = before.to_string();
    let page = sandbox.sess(["logs", "--json", "--since", &since, "--limit", "1", "work"]);
    let page: serde_json::Value = serde_json::from_str(&page.expect(0).stdout).unwrap();
    page["offset"].as_u64() > Some(before) || page["next"].as_u64() > Some(before)
}

fn last_line(screen: &str) -> &str {
    screen.trim_end().lines().last().unwrap_or_default().trim_end()
}

/// Lets victims live and die so often, all at the same time.
fn together(victims: impl IntoIterator<Item = Victim>, rounds: usize) {
    at_once(victims, |mut victim| (0..rounds).for_each(|_| victim.live_and_die()));
}

#[test]
fn a_holder_killed_at_any_moment_leaves_a_readable_record() {
    let plain = |pause| {
        let script = "i=0; while :; do i=$((i + 1)); printf 'line %03d %09d.\\n' $run $i";
        Victim::new(true, &format!("{script}; sleep {pause}; done"))
    };
    let coloured = |pause| {
        let script = "i=0; while :; do i=$((i + 1))
            printf '\\033[3%dmline\\033[m %03d \\033[1;4%dm%09d.\\033[m\\n' $((i % 8)) $run $((i % 7)) $i";
        Victim::new(true, &format!("{script}; sleep {pause}; done"))
    };
    let plain = ["0.01", "0.02", "0.05", "0.1", "0.5"].map(plain);
    let coloured = ["0.02", "0.04", "0.1", "0.2", "1"].map(coloured);
    together(plain.into_iter().chain(coloured), 7);
}

#[test]
fn a_holder_killed_in_a_flood_leaves_a_readable_record() {
    let quiet = "test -e quiet && exec sleep 1000";
    let plain = "exec seq -f \"line $(printf %03d $run) %09.0f.\" 999999999";
    let coloured = "e=$(printf '\\033'); r=$(printf %03d $run)
        exec seq -f \"$e[32mline$e[m $r $e[1;44m%09.0f.$e[m\" 999999999";
    let in_bursts = "i=1; while :; do
        seq -f \"line $(printf %03d $run) %09.0f.\" $i $((i + 19999)); i=$((i + 20000)); sleep 0.1
        done";
    let victim = |program| Victim::new(false, &format!("{quiet}\n{program}"));
    together([plain, coloured, in_bursts].map(victim), 10);
}

//! Restarts and ends without anybody asking: what the session makes of its policies.

use sess_proto::message::{Happening, Kill, Listen, Send, Until, Wait};

use super::*;
use crate::policy::Restart;

const FAILED: Exit = Exit::Code(1);

impl World {
    fn with(policies: Policies) -> Self {
        let world = Self::new();
        let terms = Terms {
            size: SIZE,
            journal: JOURNAL,
            history: 1000,
            record_output: KeepOutput::Never,
            policies,
        };
        Self { session: Session::new(world.session.identity.clone(), terms, None), ..world }
    }

    fn restarting(restart: &str) -> Self {
        let restart: Restart = restart.parse().unwrap();
        Self::with(Policies { restart, ..Policies::default() })
    }

    fn program_ends(&mut self, exit: Exit) {
        self.session.program_exited(exit);
        self.session.drained();
        self.settle();
    }

    /// What was decided of the session and its program since the last call.
    fn decided(&mut self) -> Vec<Action> {
        let of_it = |action: &Action| {
            matches!(action, Action::Restart | Action::Conclude(..) | Action::Kill(_))
        };
        std::mem::take(&mut self.actions).into_iter().filter(of_it).collect()
    }
}

#[test]
fn a_failed_program_is_started_again_after_a_pause() {
    let mut world = World::restarting("on-failure");
    world.attach(A);
    world.program_says(b"\x1b[?1049h\x1b[?2004hdying");
    world.program_ends(FAILED);
    assert_eq!(world.decided(), []);
    assert_eq!(world.session.restarts(), (0, Some(100)));
    assert!(world.session.wants_output(), "what it left running may say something");
    world.pass(99);
    assert_eq!(world.decided(), []);
    world.pass(1);
    assert_eq!(world.decided(), [Action::Restart]);
    world.session.separate("── again ──");
    world.session.restarted(77);
    world.program_says(b"new");
    assert_eq!(world.session.info(None).pid, Some(77));
    assert_eq!(world.session.restarts(), (1, None));
    let output = world.takes_everything(A).output;
    let text = String::from_utf8_lossy(&output);
    assert!(text.contains("\x1b[?1049l") && text.contains("\x1b[?2004l"), "{text:?}");
    assert!(text.ends_with("── again ──\r\nnew"), "{text:?}");
    world.program_ends(Exit::Code(0));
    assert_eq!(world.decided(), [Action::Conclude(Exit::Code(0), Cause::Itself)]);
}

#[test]
fn who_waits_and_listens_goes_on_over_a_restart() {
    let mut world = World::restarting("always");
    world.greet(A);
    world.says(A, Wait { until: Until::Exit, since: None, timeout: None });
    world.greet(B);
    world.says(B, Listen {});
    world.program_ends(Exit::Code(0));
    world.pass(100);
    world.session.restarted(77);
    world.settle();
    assert_eq!(world.reads(A).exited, None);
    let mut told = Vec::new();
    world.hears(B, |message| {
        if let HolderMessage::Event(event) = message {
            told.push(event.happening.clone());
        }
    });
    assert!(told.contains(&Happening::Restarted), "{told:?}");
    world.says(A, Status {});
    world.session.kill(Kill { signal: None, grace: 0 });
    world.program_ends(Exit::Signal(1));
    world.session.killed(Vec::new());
    world.settle();
    assert!(world.decided().contains(&Action::Conclude(Exit::Signal(1), Cause::Killed)));
    world.session.concluded(Exit::Signal(1));
    world.settle();
    assert_eq!(world.reads(A).exited, Some(Exit::Signal(1)));
}

#[test]
fn what_dealt_with_the_program_that_ended_is_refused() {
    let mut world = World::restarting("always");
    world.reads = 0;
    world.greet(A);
    world.says(A, Send { paste: false, longest_line: 0, timeout: None, until: None });
    world.says(A, ClientMessage::Text(b"typed and not read"));
    world.program_ends(FAILED);
    assert_eq!(world.reads(A).refused, Some(refusal::FAILED));
    assert_eq!(world.session.pending_input(), b"");
    world.greet(B);
    world.says(B, Send { paste: false, longest_line: 0, timeout: None, until: None });
    assert_eq!(world.reads(B).refused, Some(refusal::FAILED));
}

#[test]
fn a_kill_in_the_pause_is_the_end() {
    let mut world = World::restarting("always");
    world.program_ends(FAILED);
    let kill = Kill { signal: None, grace: 0 };
    world.session.kill(kill);
    world.settle();
    assert_eq!(world.decided(), [Action::Kill(kill)]);
    // However long that takes, nothing is started.
    world.pass(60_000);
    assert_eq!(world.decided(), []);
    world.session.killed(Vec::new());
    world.settle();
    assert_eq!(world.decided(), [Action::Conclude(FAILED, Cause::Killed)]);
}

#[test]
fn a_program_that_can_not_be_started_again_counts_as_failed() {
    let mut world = World::restarting("on-failure:3");
    world.program_ends(FAILED);
    world.pass(100);
    assert_eq!(world.decided(), [Action::Restart]);
    world.session.not_restarted(Exit::Code(127));
    world.pass(200);
    assert_eq!(world.decided(), [Action::Restart]);
    world.session.not_restarted(Exit::Code(127));
    world.settle();
    assert_eq!(world.decided(), [Action::Conclude(Exit::Code(127), Cause::GaveUp)]);
}

#[test]
fn whoever_asks_last_decides_why_it_ended_if_that_is_a_person() {
    for (first, then, cause) in [
        (Cause::Taken, false, Cause::Taken),
        (Cause::Taken, true, Cause::Killed),
        (Cause::Timeout, false, Cause::Timeout),
    ] {
        let mut world = World::restarting("always");
        world.session.end(first);
        world.session.end(Cause::WithPid);
        if then {
            world.session.kill(Kill { signal: None, grace: 0 });
        }
        world.program_ends(Exit::Signal(1));
        world.session.killed(Vec::new());
        world.settle();
        assert_eq!(world.decided().pop(), Some(Action::Conclude(Exit::Signal(1), cause)));
    }
}

#[test]
fn an_idle_session_is_ended_when_nobody_was_there_for_long() {
    let policies = Policies { idle_timeout: Some(10_000), ..Policies::default() };
    let mut world = World::with(policies);
    world.pass(9_000);
    world.program_says(b"x");
    world.pass(9_999);
    assert_eq!(world.decided(), []);
    world.attach(A);
    world.pass(1_000_000);
    assert_eq!(world.decided(), [], "somebody is attached");
    world.session.closed(A);
    world.pass(9_999);
    assert_eq!(world.decided(), []);
    world.pass(1);
    assert!(matches!(world.decided()[..], [Action::Kill(_)]));
    world.pass(1_000_000);
    assert_eq!(world.decided(), [], "once is enough");
    world.program_ends(Exit::Signal(1));
    world.session.killed(Vec::new());
    world.settle();
    assert_eq!(world.decided(), [Action::Conclude(Exit::Signal(1), Cause::IdleTimeout)]);
}

#[test]
fn a_timeout_holds_whatever_goes_on() {
    let policies =
        Policies { timeout: Some(1_000), restart: Restart::Always, ..Policies::default() };
    let mut world = World::with(policies);
    world.attach(A);
    world.program_ends(FAILED);
    world.pass(100);
    world.session.restarted(77);
    world.decided();
    world.program_says(b"busy");
    world.pass(899);
    assert_eq!(world.decided(), []);
    world.pass(1);
    assert!(matches!(world.decided()[..], [Action::Kill(_)]));
}

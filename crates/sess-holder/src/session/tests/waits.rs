//! Waiting for lines, quiet, the end; listening.

use sess_proto::message::{Activity, Event, Happening, Listen, Until, Wait};

use super::*;

fn text(pattern: &str) -> Wait {
    Wait { until: Until::Text(pattern.into()), since: None, timeout: None }
}

impl World {
    fn waits(&mut self, id: ClientId, wait: Wait) {
        self.greet(id);
        self.says(id, wait);
    }

    /// What became of a wait: nothing yet, `happened`, `late`, `over` or `no`.
    fn outcome(&mut self, id: ClientId) -> &'static str {
        let mut outcome = "";
        self.hears(id, |message| {
            outcome = match message {
                HolderMessage::Happened(_) => "happened",
                HolderMessage::TimedOut(_) => "late",
                HolderMessage::Exited(_) => "over",
                HolderMessage::Refused(_) => "no",
                _ => outcome,
            };
        });
        outcome
    }

    fn exits(&mut self, exit: Exit) {
        self.session.program_exited(exit);
        self.session.drained();
        self.settle();
        self.session.concluded(exit);
        self.settle();
    }
}

#[test]
fn a_line_that_is_there_is_found_at_once() {
    let mut world = World::new();
    world.program_says(b"one\r\ntwo\r\n");
    world.waits(A, text("^two$"));
    assert_eq!(world.outcome(A), "happened");
}

#[test]
fn a_prompt_is_found_with_its_blank_and_without() {
    for pattern in ["^>>> $", "^>>>$"] {
        let mut world = World::new();
        world.program_says(b">>> ");
        world.waits(A, text(pattern));
        assert_eq!(world.outcome(A), "happened", "{pattern}");
    }
}

#[test]
fn a_line_is_found_across_chunks_and_soft_wraps() {
    let mut world = World::new();
    world.waits(A, text("^a{70} b{30}$"));
    world.program_says(&[b'a'; 70]);
    world.program_says(b" ");
    world.program_says(&[b'b'; 10]);
    assert_eq!(world.outcome(A), "");
    world.program_says(&[b'b'; 20]);
    assert_eq!(world.outcome(A), "happened");
}

#[test]
fn a_line_that_scrolls_off_in_one_breath_is_found() {
    let mut world = World::new();
    world.waits(A, text("needle"));
    let mut flood = b"x\r\n".repeat(20_000);
    flood.extend_from_slice(b"a needle\r\n");
    flood.extend(b"y\r\n".repeat(20_000));
    world.program_says(&flood);
    assert_eq!(world.outcome(A), "happened");
}

#[test]
fn old_lines_do_not_count_since_an_offset_and_new_ones_always_do() {
    let mut world = World::new();
    world.program_says(b"match old\r\n");
    let since = Some(world.session.stream.head());
    world.waits(A, Wait { since, ..text("match") });
    assert_eq!(world.outcome(A), "");
    world.program_says(&b"z\r\n".repeat(100));
    assert_eq!(world.outcome(A), "", "it only scrolled off");
    world.program_says(b"match new\r\n");
    assert_eq!(world.outcome(A), "happened");
    world.program_says(&b"z\r\n".repeat(100));
    world.waits(B, Wait { since, ..text("match new") });
    assert_eq!(world.outcome(B), "happened", "it has scrolled off meanwhile");
}

#[test]
fn a_line_that_is_gone_on_with_counts_whole() {
    let mut world = World::new();
    world.program_says(b"prompt> ");
    let since = Some(world.session.stream.head());
    world.waits(A, Wait { since, ..text("^prompt> done$") });
    assert_eq!(world.outcome(A), "");
    world.program_says(b"done");
    assert_eq!(world.outcome(A), "happened");
}

#[test]
fn an_offset_older_than_the_journal_is_refused() {
    let mut world = World::new();
    world.program_says(&b"x\r\n".repeat(JOURNAL));
    world.waits(A, Wait { since: Some(3), ..text("x") });
    assert_eq!(world.outcome(A), "no");
}

#[test]
fn quiet_counts_from_the_last_output() {
    let mut world = World::new();
    let idle = Wait { until: Until::Idle(500), since: None, timeout: None };
    world.program_says(b"x");
    world.pass(300);
    world.waits(A, idle.clone());
    world.pass(100);
    world.program_says(b"x");
    world.pass(499);
    assert_eq!(world.outcome(A), "");
    world.pass(1);
    assert_eq!(world.outcome(A), "happened");
    world.waits(B, idle);
    assert_eq!(world.outcome(B), "happened", "it has been quiet all the time");
}

#[test]
fn quiet_since_an_offset_that_nothing_followed_counts_from_now() {
    let mut world = World::new();
    world.program_says(b"x");
    world.pass(10_000);
    let since = Some(world.session.stream.head());
    world.waits(A, Wait { until: Until::Idle(500), since, timeout: None });
    world.pass(499);
    assert_eq!(world.outcome(A), "");
    world.pass(1);
    assert_eq!(world.outcome(A), "happened");
}

#[test]
fn time_is_up() {
    let mut world = World::new();
    world.waits(A, Wait { timeout: Some(100), ..text("never") });
    assert!(world.session.deadline().is_some());
    world.pass(100);
    assert_eq!(world.outcome(A), "late");
    assert_eq!(world.session.deadline().filter(|&at| at > world.ticks + 2_000), None);
}

#[test]
fn the_end_ends_all_waiting_and_its_last_line_still_counts() {
    let mut world = World::new();
    world.waits(A, text("never"));
    world.waits(B, Wait { until: Until::Exit, since: None, timeout: None });
    let c = ClientId(3);
    world.waits(c, text("bye"));
    world.session.program_exited(Exit::Code(0));
    world.program_says(b"bye");
    world.exits(Exit::Code(0));
    assert_eq!(
        (world.outcome(A), world.outcome(B), world.outcome(c)),
        ("over", "over", "happened")
    );
}

#[test]
fn waiting_alone_causes_no_wake_ups() {
    let mut world = World::new();
    world.waits(A, text("never"));
    world.pass(100);
    assert_eq!(world.session.deadline(), None);
}

#[test]
fn lines_are_let_go_of_when_nobody_waits() {
    let mut world = World::new();
    world.waits(A, text("never"));
    world.program_says(&b"x\r\n".repeat(5_000));
    world.session.closed(A);
    world.program_says(b"x");
    world.pass(100);
    world.session.look(true);
    let history = world.session.stream.screen().history();
    assert_eq!(history.end - history.start, 1_000);
}

#[test]
fn who_listens_is_told_what_happens() {
    let mut world = World::new();
    world.greet(A);
    world.says(A, Listen {});
    world.attach(B);
    world.says(B, Resize { size: SMALL });
    world.program_says(b"\x1b]0;title\x07\x07\x1b]9;look\x07");
    world.pass(100);
    world.program_says(b"more");
    world.pass(2_000);
    world.program_says(b"again");
    world.says(B, Leave {});
    world.exits(Exit::Code(3));
    let mut heard = Vec::new();
    world.hears(A, |message| {
        if let HolderMessage::Event(Event { happening, .. }) = message {
            heard.push(happening.clone());
        }
    });
    let (pid, tty) = (1, String::new());
    let notification = Happening::Notification { title: String::new(), body: "look".into() };
    assert_eq!(
        heard,
        [
            Happening::Attached { pid, tty: tty.clone() },
            Happening::Resized(SMALL),
            Happening::Activity,
            Happening::Bell,
            notification,
            Happening::Title("title".into()),
            Happening::Activity,
            Happening::Detached { pid, tty },
            Happening::Exited(Exit::Code(3)),
        ]
    );
}

#[test]
fn what_a_program_is_about_is_seen_from_its_output_and_its_shell() {
    let mut world = World::new();
    assert_eq!(world.session.activity(false), Activity::Idle);
    world.program_says(b"x");
    assert_eq!(world.session.activity(false), Activity::Busy);
    world.pass(2_000);
    assert_eq!(world.session.activity(false), Activity::Idle);
    assert_eq!(world.session.activity(true), Activity::Asking);
    world.program_says(b"\x1b]133;A\x07$ ");
    assert_eq!(world.session.activity(false), Activity::Idle);
    world.program_says(b"\x1b]133;C\x07");
    world.pass(10_000);
    assert_eq!(world.session.activity(false), Activity::Busy);
    world.program_says(b"\x07");
    world.pass(10_000);
    assert_eq!(world.session.activity(false), Activity::Asking);
    world.attach(B);
    world.says(B, ClientMessage::Input(b"y"));
    assert_eq!(world.session.activity(false), Activity::Busy);
}

#[test]
fn lines_that_the_history_no_longer_has_are_found_in_the_journal() {
    let mut world = World::new();
    let since = Some(world.session.stream.head());
    world.program_says(b"needle\r\n");
    world.program_says(&b"x\r\n".repeat(5_000));
    world.waits(A, Wait { since, ..text("^needle$") });
    assert_eq!(world.outcome(A), "happened");
    let since = Some(world.session.stream.head());
    world.waits(B, Wait { since, ..text("^needle$") });
    assert_eq!(world.outcome(B), "");
}

#[test]
fn what_stood_under_the_alternate_screen_is_looked_at_when_it_is_back() {
    let mut world = World::new();
    world.waits(A, text("^OK$"));
    world.program_says(b"OK\r\n\x1b[?1049h");
    world.program_says(b"other");
    assert_eq!(world.outcome(A), "");
    world.program_says(b"\x1b[?1049l");
    assert_eq!(world.outcome(A), "happened");
    // But what was old when one began to wait stays old.
    world.program_says(b"\x1b[?1049h");
    world.waits(B, text("^OK$"));
    world.program_says(b"\x1b[?1049l");
    assert_eq!(world.outcome(B), "");
}

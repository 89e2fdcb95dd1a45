//! Commands in the shell: when they may begin, and what is theirs of the output.

use sess_proto::message::{Began, Ran, Run};

use super::*;

pub(super) fn run(command: &str) -> Run {
    Run { words: vec![command.as_bytes().to_vec()], timeout: None }
}

/// What the client of a command got.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Got {
    began: Option<u64>,
    output: String,
    code: Option<u8>,
    late: bool,
    over: bool,
    refused: Option<String>,
}

impl World {
    pub(super) fn runs(&mut self, id: ClientId, run: Run) {
        self.greet(id);
        self.says(id, run);
    }

    pub(super) fn got_from_run(&mut self, id: ClientId) -> Got {
        let mut got = Got::default();
        self.hears(id, |message| match message {
            HolderMessage::Began(Began { offset }) => got.began = Some(*offset),
            HolderMessage::Output(bytes) => got.output.push_str(&String::from_utf8_lossy(bytes)),
            HolderMessage::Ran(Ran { code, .. }) => got.code = Some(*code),
            HolderMessage::TimedOut(_) => got.late = true,
            HolderMessage::Exited(_) => got.over = true,
            HolderMessage::Refused(refused) => got.refused = Some(refused.message.clone()),
            _ => {}
        });
        got
    }

    /// A shell at its prompt, quiet for long enough.
    pub(super) fn with_prompt() -> Self {
        let mut world = World::new();
        world.program_says(b"$ ");
        world.pass(100);
        world
    }

    fn shell_runs(&mut self, output: &str, status: u32) {
        let token = self.facts.token.clone();
        self.program_says(format!("the echo\r\n\x1b]7377;{token}\x07{output}").as_bytes());
        self.program_says(format!("\x1b]7377;{token};{status}\x07$ ").as_bytes());
    }
}

#[test]
fn a_commands_output_is_what_stands_between_its_marks() {
    let mut world = World::with_prompt();
    world.runs(A, run("ls"));
    let typed = world.typed();
    assert!(typed.starts_with(' ') && typed.ends_with('\r') && typed.contains("ls"), "{typed}");
    world.shell_runs("a\r\nb\r\n", 3);
    let got = world.got_from_run(A);
    assert_eq!((got.output.as_str(), got.code), ("a\r\nb\r\n", Some(3)));
}

#[test]
fn marks_are_found_however_they_are_cut() {
    for cut in 1..40 {
        let mut world = World::with_prompt();
        world.runs(A, run("ls"));
        let all = b"echo\r\n\x1b]7377;t0\x07out\x1b]73\x1b]7377;t1\x07put\x1b]7377;t0;0\x07$ ";
        for piece in all.chunks(cut) {
            world.program_says(piece);
        }
        let got = world.got_from_run(A);
        assert_eq!((got.output.as_str(), got.code), ("out\x1b]73\x1b]7377;t1\x07put", Some(0)));
    }
}

#[test]
fn output_comes_as_it_is_said_but_for_what_may_be_a_mark() {
    let mut world = World::with_prompt();
    world.runs(A, run("ls"));
    world.program_says(b"\x1b]7377;t0\x07Password: ");
    assert_eq!(world.got_from_run(A).output, "Password: ");
    world.program_says(b"x\x1b]7377;t");
    assert_eq!(world.got_from_run(A).output, "x");
    world.program_says(b"1");
    assert_eq!(world.got_from_run(A).output, "\x1b]7377;t1");
}

#[test]
fn a_shell_is_at_its_prompt_after_a_while_of_quiet() {
    let mut world = World::new();
    world.program_says(b"$ ");
    world.pass(50);
    world.runs(A, run("ls"));
    assert_eq!(world.typed(), "");
    world.program_says(b"x");
    world.pass(99);
    assert_eq!(world.typed(), "");
    world.pass(1);
    assert_ne!(world.typed(), "");
}

#[test]
fn a_shell_that_says_so_is_at_its_prompt_at_once() {
    let mut world = World::new();
    world.program_says(b"\x1b]133;A\x07$ \x1b]133;B\x07");
    world.runs(A, run("ls"));
    assert_ne!(world.typed(), "");
}

#[test]
fn a_shell_with_something_in_front_or_none_at_all_is_refused() {
    let mut world = World::with_prompt();
    world.facts.foreground = Some(99);
    world.facts.foreground_name = Some("vim".into());
    world.runs(A, run("ls"));
    assert!(world.got_from_run(A).refused.unwrap().contains("vim"));
    world.facts = Facts { foreground: Some(2), program: "python3".into(), ..world.facts.clone() };
    world.runs(B, run("ls"));
    assert!(world.got_from_run(B).refused.unwrap().contains("python3"));
    assert_eq!(world.typed(), "");
    let c = ClientId(3);
    world.facts.program = "bash".into();
    world.program_says(b"\x1b]133;C\x07");
    world.runs(c, run("ls"));
    assert!(world.got_from_run(c).refused.is_some());
}

#[test]
fn commands_queue() {
    let mut world = World::with_prompt();
    world.runs(A, run("one"));
    world.runs(B, run("two"));
    assert!(!world.typed().contains("two"));
    world.shell_runs("1", 0);
    assert_eq!(world.got_from_run(A).code, Some(0));
    world.facts.token = "t1".into();
    world.pass(100);
    assert!(world.typed().contains("two"));
    world.shell_runs("2", 1);
    assert_eq!(world.got_from_run(B).code, Some(1));
}

#[test]
fn a_command_behind_one_that_was_given_up_and_goes_on_is_refused() {
    let mut world = World::with_prompt();
    world.runs(A, Run { timeout: Some(200), ..run("sleep") });
    world.program_says(b"\x1b]7377;t0\x07");
    world.pass(200);
    assert!(world.got_from_run(A).late);
    world.runs(B, run("two"));
    assert!(world.got_from_run(B).refused.unwrap().contains("goes on"));
    world.program_says(b"\x1b]7377;t0;0\x07$ ");
    world.pass(100);
    let c = ClientId(3);
    world.runs(c, run("three"));
    assert!(world.typed().contains("three"));
}

#[test]
fn a_run_paces_the_program_until_its_client_takes_nothing_for_a_second() {
    let mut world = World::with_prompt();
    world.runs(A, run("yes"));
    world.program_says(b"\x1b]7377;t0\x07");
    let most = 10 * JOURNAL;
    assert!(world.program_floods(most) < most);
    world.got_from_run(A);
    assert!(world.session.wants_output());
    world.program_floods(most);
    world.pass(STALL);
    assert!(world.program_floods(most) >= most);
}

#[test]
fn an_interrupted_command_has_ended_when_the_prompt_is_back() {
    let mut world = World::with_prompt();
    world.program_says(b"\x1b[?2004h");
    world.pass(100);
    world.runs(A, run("sleep"));
    world.program_says(b"\x1b[?2004l\x1b]7377;t0\x07");
    world.pass(1_000);
    assert_eq!(world.got_from_run(A).code, None);
    world.attach(B);
    world.says(B, ClientMessage::Input(b"\x03"));
    world.program_says(b"^C\r\n\x1b[?2004h$ ");
    world.pass(100);
    assert_eq!(world.got_from_run(A).code, Some(130));
}

#[test]
fn a_command_that_edits_lines_itself_is_not_taken_for_the_prompt() {
    let mut world = World::with_prompt();
    world.runs(A, run("read -e x"));
    world.program_says(b"\x1b]7377;t0\x07\x1b[?2004h");
    world.pass(10_000);
    assert_eq!(world.got_from_run(A).code, None);
}

#[test]
fn a_shell_that_does_not_begin_a_command_is_given_up() {
    let mut world = World::with_prompt();
    world.runs(A, run("ls"));
    world.program_says(b"the echo\r\n");
    world.pass(1_999);
    assert_eq!(world.got_from_run(A).refused, None);
    world.pass(1);
    assert!(world.got_from_run(A).refused.unwrap().contains("did not begin"));
    world.runs(B, run("ls"));
    assert_ne!(world.typed(), "", "the next one may");
}

#[test]
fn what_nobody_waits_for_is_over_when_its_shell_has_been_in_front_for_a_while() {
    let mut world = World::with_prompt();
    world.runs(A, run("ls"));
    world.program_says(b"\x1b]7377;t0\x07");
    world.session.closed(A);
    world.pass(500);
    world.runs(B, run("ls"));
    assert!(world.got_from_run(B).refused.is_some());
    world.pass(500);
    let c = ClientId(3);
    world.typed();
    world.runs(c, run("ls"));
    assert_ne!(world.typed(), "");
}

#[test]
fn a_client_that_stalls_wakes_the_program_by_time_alone() {
    let mut world = World::with_prompt();
    world.runs(A, run("yes"));
    world.program_says(b"\x1b]7377;t0\x07");
    world.program_floods(10 * JOURNAL);
    assert!(!world.session.wants_output());
    let due = world.session.deadline().unwrap();
    assert!(due <= world.ticks + STALL, "{due} at {}", world.ticks);
}

#[test]
fn a_deadline_is_due_no_more_when_the_command_has_ended() {
    let mut world = World::with_prompt();
    world.runs(A, Run { timeout: Some(200), ..run("ls") });
    world.shell_runs("x", 0);
    world.pass(1_000);
    assert!(world.session.deadline().is_none_or(|at| at > world.ticks));
}

#[test]
fn what_a_client_was_too_slow_for_after_the_end_is_told_as_missing() {
    let mut world = World::with_prompt();
    world.runs(A, run("seq"));
    world.program_says(b"\x1b]7377;t0\x07");
    world.program_says(&vec![b'x'; 100 * 1024]);
    world.program_says(b"\x1b]7377;t0;0\x07");
    world.program_says(&vec![b'y'; 3 * JOURNAL]);
    let mut gaps = 0;
    let mut output = String::new();
    world.hears(A, |message| match message {
        HolderMessage::At(_) => gaps += 1,
        HolderMessage::Output(bytes) => output.push_str(&String::from_utf8_lossy(bytes)),
        _ => {}
    });
    assert!(output.len() < 100 * 1024 && !output.contains('y'));
    assert_eq!(gaps, 1);
}

#[test]
fn what_a_send_left_at_the_prompt_is_deleted_too() {
    let mut world = World::with_prompt();
    world.greet(B);
    world.says(
        B,
        sess_proto::message::Send { paste: false, longest_line: 0, timeout: None, until: None },
    );
    world.says(B, ClientMessage::Text(b"rm -rf "));
    world.says(B, sess_proto::message::Sent {});
    world.typed();
    world.pass(100);
    world.runs(A, run("ls"));
    assert!(world.typed().starts_with("\x05\x15 "));
}

#[test]
fn the_end_of_the_session_ends_the_command_after_its_output() {
    let mut world = World::with_prompt();
    world.runs(A, run("exit 3"));
    world.program_says(b"\x1b]7377;t0\x07bye\r\n");
    let exit = Exit::Code(3);
    world.session.program_exited(exit);
    world.session.drained();
    world.session.concluded(exit);
    world.settle();
    let got = world.got_from_run(A);
    assert_eq!((got.output.as_str(), got.over), ("bye\r\n", true));
}

#[test]
fn what_stands_at_the_prompt_is_deleted_first() {
    let mut world = World::with_prompt();
    world.attach(B);
    world.says(B, ClientMessage::Input(b"rm -rf "));
    world.typed();
    world.pass(100);
    world.runs(A, run("ls"));
    assert!(world.typed().starts_with("\x05\x15 "));
}

#[test]
fn those_that_queue_behind_a_command_that_is_given_up_are_refused() {
    let mut world = World::with_prompt();
    world.runs(A, Run { timeout: Some(200), ..run("sleep") });
    world.program_says(b"\x1b]7377;t0\x07");
    world.runs(B, run("two"));
    world.pass(200);
    assert!(world.got_from_run(A).late);
    assert!(world.got_from_run(B).refused.unwrap().contains("goes on"));
}

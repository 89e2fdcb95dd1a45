//! The session without a process: events in, and what comes out of it.

use sess_proto::frame::HOLDER_LIMIT;
use sess_proto::message::{
    Ack, Attach, Attached, Detach, Hello, Leave, Refused, Resize, Status, refusal,
};
use sess_proto::{ClientMessage, Decoder, HolderMessage};

use super::*;

mod ends;
mod held_up;
mod keeping;
mod reads;
mod runs;
mod sends;
mod waits;

const SIZE: Size = Size { cols: 80, rows: 24, xpixel: 0, ypixel: 0 };
const SMALL: Size = Size { cols: 40, rows: 10, xpixel: 0, ypixel: 0 };
const A: ClientId = ClientId(1);
const B: ClientId = ClientId(2);
const JOURNAL: usize = 128 * 1024;

/// A session, its clients' terminals, and its program.
struct World {
    session: Session,
    ticks: u64,
    actions: Vec<Action>,
    typed: Vec<u8>,
    facts: Facts,
    /// How much more the program reads.
    reads: usize,
}

/// What a client has received since it was last looked at.
#[derive(Default)]
struct Received {
    output: Vec<u8>,
    attached: bool,
    detached: Option<u32>,
    exited: Option<Exit>,
    refused: Option<u16>,
    killed: Option<usize>,
    synced: bool,
}

impl World {
    fn new() -> Self {
        let identity = Identity {
            name: "work".into(),
            id: "0123456789abcdef".into(),
            command: vec!["sh".into()],
            cwd: "/".into(),
            created: 0,
            labels: Vec::new(),
            holder_pid: 1,
            pid: 2,
            tty_id: (7, 7),
        };
        let terms = Terms {
            size: SIZE,
            journal: JOURNAL,
            history: 1000,
            record_output: KeepOutput::Never,
            policies: Policies::default(),
        };
        let session = Session::new(identity, terms, None);
        let facts = Facts {
            foreground: Some(2),
            program: "bash".into(),
            token: "t0".into(),
            folder: "/s/work".into(),
            ..Facts::default()
        };
        let (actions, typed) = (Vec::new(), Vec::new());
        Self { session, ticks: 0, actions, typed, facts, reads: usize::MAX }
    }

    fn pass(&mut self, ticks: u64) {
        self.ticks += ticks;
        self.session.at(Now { ticks: self.ticks, wall: self.ticks });
        self.session.tick();
        self.settle();
    }

    fn settle(&mut self) {
        loop {
            let actions = self.session.actions();
            if actions.contains(&Action::Settle) {
                self.session.settled(&self.facts.clone());
            }
            self.actions.extend(actions.into_iter().filter(|action| *action != Action::Settle));
            while self.reads > 0 && !self.session.pending_input().is_empty() {
                let count = self.session.pending_input().len().min(self.reads);
                self.typed.extend_from_slice(&self.session.pending_input()[..count]);
                self.session.input_taken(count);
                self.reads -= count;
            }
            self.session.advance();
            if !self.session.has_actions() {
                return;
            }
        }
    }

    /// What was typed since the last call.
    fn typed(&mut self) -> String {
        String::from_utf8(std::mem::take(&mut self.typed)).unwrap()
    }

    fn program_says(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = self.session.room();
            let count = room.len().min(bytes.len());
            room[..count].copy_from_slice(&bytes[..count]);
            self.session.output(count);
            bytes = &bytes[count..];
            if self.session.is_watched() {
                self.session.look(bytes.is_empty());
            }
            self.settle();
        }
        while self.session.can_use_pause() {
            self.session.use_pause();
        }
        self.settle();
    }

    /// Says as much of an endless text as is wanted; returns how much that was.
    fn program_floods(&mut self, most: usize) -> usize {
        let line = b"the quick brown fox jumps over the lazy dog\r\n";
        let mut said = 0;
        while said < most && self.session.wants_output() {
            self.program_says(line);
            said += line.len();
        }
        said
    }

    fn says<'a>(&mut self, id: ClientId, message: impl Into<ClientMessage<'a>>) {
        self.session.said(id, message.into());
        self.settle();
    }

    fn greet(&mut self, id: ClientId) {
        self.session.connected(id, 1, false);
        self.says(
            id,
            Hello { protocol_min: 1, protocol_max: 1, features: 0, version: String::new() },
        );
    }

    fn attach_as(&mut self, id: ClientId, size: Size, read_only: bool) {
        self.greet(id);
        self.says(id, Attach { read_only, ..request(size, (1, id.0)) });
        self.takes_everything(id);
    }

    fn attach(&mut self, id: ClientId) {
        self.attach_as(id, SIZE, false);
    }

    /// The client's socket takes what there is, and hears this.
    fn hears(&mut self, id: ClientId, mut hear: impl FnMut(&HolderMessage<'_>)) {
        let mut decoder = Decoder::new(HOLDER_LIMIT);
        loop {
            self.session.advance();
            let bytes = self.session.outbox(id).to_vec();
            if bytes.is_empty() {
                break;
            }
            self.session.sent(id, bytes.len());
            decoder.feed(&bytes);
        }
        while let Some(frame) = decoder.next_frame().unwrap() {
            if let Some(message) = HolderMessage::decode(&frame).unwrap() {
                hear(&message);
            }
        }
    }

    /// The client's socket takes what there is; its terminal doesn't say so.
    fn reads(&mut self, id: ClientId) -> Received {
        let mut received = Received::default();
        self.hears(id, |message| match message {
            HolderMessage::Output(bytes) => received.output.extend_from_slice(bytes),
            HolderMessage::Attached(Attached { .. }) => received.attached = true,
            HolderMessage::Detached(it) => received.detached = Some(it.replies),
            HolderMessage::Exited(it) => received.exited = Some(it.exit),
            HolderMessage::Refused(Refused { code, .. }) => received.refused = Some(*code),
            HolderMessage::Killed(it) => received.killed = Some(it.survivors.len()),
            HolderMessage::Sync(_) => received.synced = true,
            _ => {}
        });
        received
    }

    fn acknowledges(&mut self, id: ClientId) {
        let sent = self.session.view_mut(id).map_or(0, |view| view.sent);
        self.says(id, Ack { bytes: sent });
    }

    /// The client's terminal takes all there is, and the holder is told.
    fn takes_everything(&mut self, id: ClientId) -> Received {
        let mut all = Received::default();
        loop {
            let now = self.reads(id);
            let more = !now.output.is_empty();
            all.output.extend_from_slice(&now.output);
            all.attached |= now.attached;
            all.detached = all.detached.or(now.detached);
            all.exited = all.exited.or(now.exited);
            all.synced |= now.synced;
            self.acknowledges(id);
            if !more {
                return all;
            }
        }
    }

    fn leads(&self, id: ClientId) -> bool {
        self.session.leader().is_some_and(|(leader, _)| leader == id)
    }
}

fn request(size: Size, tty: (u64, u64)) -> Attach {
    let (read_only, exclusive) = (false, false);
    Attach {
        size,
        lines: 1000,
        read_only,
        exclusive,
        tty: String::new(),
        tty_dev: tty.0,
        tty_rdev: tty.1,
        agent: None,
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|part| part == needle)
}

#[test]
fn a_client_that_keeps_up_gets_the_programs_bytes_unchanged() {
    let mut world = World::new();
    world.attach(A);
    let bytes: Vec<u8> = (0..=255).cycle().take(10_000).collect();
    world.program_says(&bytes);
    assert_eq!(world.takes_everything(A).output, bytes);
}

#[test]
fn who_attaches_gets_what_was_said_before() {
    let mut world = World::new();
    world.program_says(b"before\r\n");
    world.greet(A);
    world.says(A, Attach { agent: Some(b"/agent".to_vec()), ..request(SIZE, (0, 0)) });
    let received = world.takes_everything(A);
    assert!(received.attached);
    assert!(contains(&received.output, b"before"));
    assert!(world.actions.contains(&Action::LinkAgent(b"/agent".to_vec())));
}

#[test]
fn the_leader_paces_the_program_until_it_takes_nothing_for_a_second() {
    let mut world = World::new();
    world.attach(A);
    let most = 10 * JOURNAL;
    assert!(world.program_floods(most) < most);
    world.pass(STALL - 1);
    assert!(!world.session.wants_output());
    world.pass(1);
    assert_eq!(world.program_floods(most).min(most), most);
}

#[test]
fn nobody_but_the_leader_paces_the_program() {
    let mut world = World::new();
    world.attach(A);
    world.attach(B);
    let mut said = 0;
    while said < 4 * JOURNAL {
        said += world.program_floods(1000);
        world.takes_everything(B);
    }
    assert!(world.leads(B));
    let late = world.takes_everything(A);
    assert!(late.synced, "it is asked to say when it has taken what was under way");
    let text = String::from_utf8_lossy(&late.output).into_owned();
    assert!(text.contains("lines skipped"), "{text}");
}

#[test]
fn memory_for_a_client_that_takes_nothing_is_bounded() {
    let mut world = World::new();
    world.attach(A);
    world.attach(B);
    for _ in 0..100 {
        world.program_floods(1000);
        world.takes_everything(B);
    }
    assert!(world.session.outbox(A).len() <= 70 * 1024);
}

#[test]
fn a_slow_leader_that_takes_something_is_never_skipped() {
    let mut world = World::new();
    world.attach(A);
    let mut output = Vec::new();
    for _ in 0..20 {
        world.program_floods(JOURNAL);
        output.extend(world.reads(A).output);
        world.pass(STALL - 100);
        world.acknowledges(A);
    }
    output.extend(world.takes_everything(A).output);
    assert!(!contains(&output, b"skipped"));
}

#[test]
fn who_fell_behind_gets_each_history_line_once() {
    let mut world = World::new();
    world.attach(A);
    world.attach(B);
    let mut output = Vec::new();
    for line in 0..9000 {
        world.program_says(format!("line {line}\r\n").as_bytes());
        world.takes_everything(B);
        if line % 1500 == 0 {
            output.extend(world.reads(A).output);
        }
    }
    for _ in 0..5 {
        output.extend(world.takes_everything(A).output);
    }
    let text = String::from_utf8_lossy(&output).into_owned();
    let mut last = None;
    for number in text.split("line ").skip(1).filter_map(|rest| rest.split('\r').next()) {
        let Ok(number) = number.trim().parse::<u32>() else { continue };
        // The rows that stand on its screen are drawn again, no others.
        assert!(last.is_none_or(|last| number + 24 > last), "{number} after {last:?}");
        last = Some(number);
    }
    assert_eq!(last, Some(8999));
}

#[test]
fn with_nobody_there_the_holder_answers_at_once() {
    let mut world = World::new();
    world.program_says(b"\x1b[");
    world.program_says(b"6n");
    assert_eq!(world.typed, b"\x1b[1;1R");
}

#[test]
fn the_leaders_terminal_answers_and_no_other() {
    let mut world = World::new();
    world.attach(A);
    world.attach(B);
    world.typed.clear();
    world.program_says(b"\x1b[c");
    world.takes_everything(A);
    world.takes_everything(B);
    world.says(A, ClientMessage::Report(b"\x1b[?1;2c"));
    assert_eq!(world.typed, b"", "A doesn't lead");
    // A takes the lead; the question is B's all the same.
    world.says(A, ClientMessage::Input(b"x"));
    assert!(world.leads(A));
    world.says(B, ClientMessage::Report(b"\x1b[?62;4c"));
    world.says(A, ClientMessage::Report(b"\x1b[?1;2c"));
    assert_eq!(world.typed, b"x\x1b[?62;4c");
}

#[test]
fn a_lone_clients_unknown_reports_pass() {
    let mut world = World::new();
    world.attach(A);
    world.says(A, ClientMessage::Report(b"\x1b[?997;1n"));
    assert_eq!(world.typed, b"\x1b[?997;1n");
}

#[test]
fn what_a_stalled_leader_was_not_asked_the_holder_answers() {
    let mut world = World::new();
    world.attach(A);
    world.typed.clear();
    world.program_says(b"\x1b[5n");
    world.reads(A);
    for _ in 0..2 {
        world.pass(STALL / 2);
        if world.actions.contains(&Action::Probe(A)) {
            world.session.probed(A, true);
            world.settle();
        }
    }
    assert_eq!(world.typed, b"\x1b[0n");
    // Its terminal's own answer comes too late, and again.
    world.says(A, ClientMessage::Report(b"\x1b[0n"));
    assert_eq!(world.typed, b"\x1b[0n");
}

#[test]
fn focus_and_motion_pass_and_lead_nobody() {
    let mut world = World::new();
    world.attach(A);
    world.attach(B);
    world.says(A, ClientMessage::Passive(b"\x1b[I"));
    assert_eq!(world.typed, b"\x1b[I");
    assert!(world.leads(B));
}

#[test]
fn a_reader_neither_types_nor_leads_nor_sizes() {
    let mut world = World::new();
    world.attach(A);
    world.attach_as(B, SMALL, true);
    world.actions.clear();
    world.says(B, ClientMessage::Input(b"x"));
    world.says(B, Resize { size: SMALL });
    assert_eq!(world.typed, b"");
    assert!(world.leads(A));
    assert_eq!(world.actions, []);
}

#[test]
fn the_size_is_the_leaders() {
    let mut world = World::new();
    world.attach(A);
    world.attach_as(B, SMALL, false);
    assert_eq!(world.actions.pop(), Some(Action::ResizePty(SMALL)));
    world.says(A, ClientMessage::Input(b"x"));
    assert_eq!(world.actions.pop(), Some(Action::ResizePty(SIZE)));
    let fresh = world.takes_everything(A);
    assert!(!fresh.output.is_empty(), "its size is the session's again: a fresh screen");
}

#[test]
fn a_terminal_without_a_size_changes_none() {
    let mut world = World::new();
    world.attach_as(A, Size { cols: 0, rows: 0, xpixel: 0, ypixel: 0 }, false);
    assert!(!world.actions.iter().any(|action| matches!(action, Action::ResizePty(_))));
}

#[test]
fn when_the_leader_goes_the_one_before_leads() {
    let mut world = World::new();
    world.attach(A);
    world.attach(B);
    world.session.closed(B);
    assert!(world.leads(A));
}

#[test]
fn leaving_puts_the_terminal_in_order_and_says_so() {
    let mut world = World::new();
    world.attach(A);
    world.program_says(b"\x1b[?2004h\x1b[?25ltext");
    world.says(A, Leave {});
    let received = world.takes_everything(A);
    assert_eq!(received.detached, Some(0));
    assert!(contains(&received.output, b"\x1b[?2004l"));
    assert!(contains(&received.output, b"\x1b[?25h"));
    assert!(!contains(&received.output, b"\x1bc"));
    assert!(world.session.is_done_with(A));
}

#[test]
fn detaching_says_how_many_answers_are_under_way() {
    let mut world = World::new();
    world.attach(A);
    world.program_says(b"\x1b[c");
    world.takes_everything(A);
    world.says(A, Leave {});
    assert_eq!(world.takes_everything(A).detached, Some(1));
}

#[test]
fn everybody_is_detached_from_outside() {
    let mut world = World::new();
    world.attach(A);
    world.greet(B);
    world.says(B, Detach {});
    assert_eq!(world.takes_everything(A).detached, Some(0));
}

#[test]
fn the_end_is_told_after_the_last_output() {
    let mut world = World::new();
    world.attach(A);
    world.session.program_exited(Exit::Code(3));
    world.program_says(b"last words");
    world.session.drained();
    world.settle();
    assert_eq!(world.actions.pop(), Some(Action::Conclude(Exit::Code(3), Cause::Itself)));
    world.session.concluded(Exit::Code(3));
    let received = world.takes_everything(A);
    assert!(contains(&received.output, b"last words"));
    assert_eq!(received.exited, Some(Exit::Code(3)));
    world.session.closed(A);
    assert!(world.session.is_over());
}

#[test]
fn a_creator_slower_than_its_program_is_waited_for() {
    let mut world = World::new();
    world.session.connected(A, 1, true);
    world.session.connected(B, 1, false);
    world.program_says(b"quick");
    world.session.program_exited(Exit::Code(0));
    world.session.drained();
    world.session.concluded(Exit::Code(0));
    assert!(world.session.is_done_with(B), "others ask the record");
    assert!(!world.session.is_over());
    world.says(A, Hello { protocol_min: 1, protocol_max: 9, features: 0, version: String::new() });
    world.says(A, request(SIZE, (0, 0)));
    let received = world.takes_everything(A);
    assert!(contains(&received.output, b"quick"));
    assert_eq!(received.exited, Some(Exit::Code(0)));
}

#[test]
fn a_kill_is_answered_when_it_is_over() {
    let mut world = World::new();
    world.greet(A);
    let kill = Kill { signal: None, grace: 5 };
    world.says(A, kill);
    assert_eq!(world.actions.pop(), Some(Action::Kill(kill)));
    world.session.program_exited(Exit::Signal(1));
    world.session.drained();
    assert_eq!(world.session.actions(), [], "its children still live");
    world.session.killed(Vec::new());
    assert_eq!(world.session.actions(), [Action::Conclude(Exit::Signal(1), Cause::Killed)]);
    world.session.concluded(Exit::Signal(1));
    assert_eq!(world.reads(A).killed, Some(0));
}

#[test]
fn its_own_terminal_is_refused() {
    let mut world = World::new();
    world.greet(A);
    world.says(A, request(SIZE, (7, 7)));
    assert_eq!(world.reads(A).refused, Some(refusal::ITSELF));
}

#[test]
fn who_says_no_hello_or_nothing_is_sent_away() {
    let mut world = World::new();
    world.session.connected(A, 1, false);
    world.says(A, Status {});
    assert_eq!(world.reads(A).refused, Some(refusal::MALFORMED));
    world.session.connected(B, 1, false);
    world.pass(PATIENCE);
    assert!(world.session.is_done_with(B));
}

#[test]
fn protocols_that_do_not_meet_are_told_apart() {
    let mut world = World::new();
    world.session.connected(A, 1, false);
    world
        .says(A, Hello { protocol_min: 99, protocol_max: 99, features: 0, version: String::new() });
    assert_eq!(world.reads(A).refused, Some(refusal::PROTOCOL));
}

#[test]
fn an_idle_session_has_no_deadline() {
    let mut world = World::new();
    world.program_says(b"prompt");
    world.pass(QUIET);
    // A second later the record is brought up to date.
    world.pass(1000 - QUIET);
    assert_eq!(world.session.deadline(), None);
    world.attach(A);
    world.program_says(b"more");
    world.takes_everything(A);
    world.pass(QUIET);
    world.pass(1000 - QUIET);
    for _ in 0..2 {
        if world.actions.contains(&Action::Probe(A)) {
            world.session.probed(A, false);
        }
        world.pass(STALL);
    }
    assert_eq!(world.session.deadline(), None);
}

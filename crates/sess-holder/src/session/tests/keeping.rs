//! Keeping the output: what the disk has of it, whatever the program, the terminal's
//! size and the disk itself do.

use proptest::prelude::*;
use sess_screen::Screen;

use super::*;
use crate::record::output::Frames;

/// What the record's files would have.
#[derive(Default)]
struct Disk {
    /// Each with the offset that it ends at.
    segments: Vec<(Vec<u8>, u64)>,
    writes: usize,
    is_full: bool,
}

impl Disk {
    fn write(&mut self, keep: &Keep) -> Result<(), String> {
        self.writes += 1;
        if self.is_full {
            // As much as there is room for.
            if let Some((segment, _)) = self.segments.last_mut() {
                segment.extend_from_slice(&keep.append.bytes()[..keep.append.bytes().len() / 2]);
            }
            return Err("full".to_owned());
        }
        if keep.append != Frames::default() {
            let (segment, end) = self.segments.last_mut().expect("there is one to append to");
            segment.extend_from_slice(keep.append.bytes());
            *end = keep.end;
        }
        if let Some(begin) = &keep.begin {
            self.segments.push((begin.frames.bytes().to_vec(), begin.end));
        }
        let last = self.segments.len().saturating_sub(1);
        let wanted = self.segments.iter().position(|(_, end)| !keep.is_whole && *end > keep.from);
        self.segments.drain(..wanted.unwrap_or(last).min(last));
        Ok(())
    }

    fn read(&self, id: &str) -> Option<Output> {
        let segments: Vec<Vec<u8>> = self.segments.iter().map(|(bytes, _)| bytes.clone()).collect();
        Output::of_segments(&segments, id)
    }

    fn size(&self) -> usize {
        self.segments.iter().map(|(bytes, _)| bytes.len()).sum()
    }
}

impl World {
    fn recorded(mode: KeepOutput) -> Self {
        let mut world = Self::new();
        let terms = Terms {
            size: SIZE,
            journal: JOURNAL,
            history: 1000,
            record_output: mode,
            policies: Policies::default(),
        };
        world.session = Session::new(world.session.identity.clone(), terms, None);
        world
    }

    /// Lets so much time pass, and writes what is to be written.
    fn pass_with(&mut self, disk: &mut Disk, ticks: u64) {
        self.pass(ticks);
        for action in std::mem::take(&mut self.actions) {
            if let Action::Record(keep) = action {
                let written = keep.map_or(Ok(()), |keep| disk.write(&keep));
                self.session.kept(written);
            }
        }
    }

    /// What a screen of the session's would show, read from the disk.
    fn read_from(&self, disk: &Disk) -> Screen {
        disk.read(&self.session.identity.id).expect("something is kept").screen(1000)
    }

    fn shown(&mut self) -> Screen {
        self.session.catch_up();
        self.session.stream.screen().clone()
    }
}

fn history(screen: &Screen) -> Vec<u8> {
    let mut bytes = Vec::new();
    screen.history().for_each(|line| screen.history_line(line, &mut bytes));
    bytes
}

/// What one screen has, the other has, but for older history.
fn assert_goes_back(read: &Screen, shown: &Screen) {
    assert_eq!(read.text(), shown.text());
    assert_eq!((read.cursor(), read.modes()), (shown.cursor(), shown.modes()));
    let (read, shown) = (history(read), history(shown));
    assert!(shown.ends_with(&read), "{} of {}", read.len(), shown.len());
}

#[test]
fn a_second_after_it_was_said_it_is_on_disk() {
    let (mut world, mut disk) = (World::recorded(KeepOutput::Always), Disk::default());
    world.pass_with(&mut disk, 5000);
    assert_eq!(disk.writes, 0, "nothing was said");
    world.program_says(b"one\r\n");
    world.pass_with(&mut disk, 999);
    assert_eq!(disk.writes, 0);
    world.program_says(b"two\r\n");
    world.pass_with(&mut disk, 1);
    assert_eq!(disk.writes, 1);
    assert_eq!(world.read_from(&disk).text(), "one\ntwo");
    world.program_says(b"three");
    world.pass_with(&mut disk, 1000);
    assert_eq!(disk.writes, 2);
    assert_goes_back(&world.read_from(&disk), &world.shown());
    world.pass_with(&mut disk, 100_000);
    assert_eq!((disk.writes, world.session.keeping_due()), (2, None), "nothing was said since");
}

#[test]
fn the_disk_has_what_the_journal_has_and_no_more() {
    let (mut world, mut disk) = (World::recorded(KeepOutput::Always), Disk::default());
    for n in 0..200 {
        world.program_says(format!("{n} {}\r\n", "x".repeat(3000)).as_bytes());
        world.pass_with(&mut disk, 1000);
        let output = disk.read(&world.session.identity.id).unwrap();
        let wanted = world.session.stream.head().min(JOURNAL as u64 / 4 * 3);
        assert!(output.raw.len() as u64 >= wanted, "{} of {wanted}", output.raw.len());
        assert!(disk.size() < JOURNAL + 64 * 1024, "{}", disk.size());
        assert_eq!(output.end(), world.session.stream.head());
        assert_goes_back(&world.read_from(&disk), &world.shown());
    }
}

#[test]
fn a_program_that_is_quicker_than_the_disk_leaves_the_latest() {
    let (mut world, mut disk) = (World::recorded(KeepOutput::Always), Disk::default());
    for _ in 0..5 {
        world.program_floods(JOURNAL * 7 / 2);
        world.pass_with(&mut disk, 1000);
        let output = disk.read(&world.session.identity.id).unwrap();
        assert!(output.raw.len() >= JOURNAL / 2, "{}", output.raw.len());
        assert!(disk.size() < JOURNAL + 64 * 1024, "{}", disk.size());
        assert_goes_back(&world.read_from(&disk), &world.shown());
    }
    // Then it goes on slowly, and nothing is written twice.
    let before = disk.size();
    world.program_says(b"slowly\r\n");
    world.pass_with(&mut disk, 1000);
    assert!(disk.size() < before + 8 * 1024);
    assert_goes_back(&world.read_from(&disk), &world.shown());
}

#[test]
fn a_flood_that_ends_just_before_it_is_written_leaves_as_much() {
    for last in 1..8 {
        let (mut world, mut disk) = (World::recorded(KeepOutput::Always), Disk::default());
        world.program_floods(JOURNAL * 7 / 2);
        world.pass_with(&mut disk, 900);
        world.program_floods(JOURNAL * last / 8);
        world.pass_with(&mut disk, 100);
        let output = disk.read(&world.session.identity.id).unwrap();
        assert!(output.raw.len() >= JOURNAL * 2 / 5, "{last}: {}", output.raw.len());
        assert!(disk.size() < JOURNAL + 64 * 1024, "{last}: {}", disk.size());
        assert_goes_back(&world.read_from(&disk), &world.shown());
    }
}

#[test]
fn after_a_full_disk_everything_is_written_again() {
    let (mut world, mut disk) = (World::recorded(KeepOutput::Always), Disk::default());
    world.program_says(b"before\r\n");
    world.pass_with(&mut disk, 1000);
    disk.is_full = true;
    for n in 0..50 {
        world.program_says(format!("lost {n}\r\n").as_bytes());
        world.pass_with(&mut disk, 1000);
        assert_eq!(world.session.upkeep().record_problem.as_deref(), Some("full"));
        assert!(world.read_from(&disk).text().starts_with("before"), "what was there stays");
    }
    disk.is_full = false;
    world.pass_with(&mut disk, 60_000);
    assert_eq!(world.session.upkeep().record_problem, None);
    let (read, shown) = (world.read_from(&disk), world.shown());
    assert_eq!(history(&read), history(&shown));
    assert_goes_back(&read, &shown);
    assert_eq!(world.session.keeping_due(), None);
}

#[test]
fn on_exit_and_never_write_nothing_while_it_runs() {
    for (mode, at_end) in [(KeepOutput::OnExit, true), (KeepOutput::Never, false)] {
        let (mut world, mut disk) = (World::recorded(mode), Disk::default());
        world.program_says(b"something\r\n");
        world.pass_with(&mut disk, 1000);
        assert_eq!(disk.writes, 0);
        let last = world.session.last_output();
        assert_eq!(last.is_some(), at_end);
        if let Some(last) = last {
            disk.write(&last).unwrap();
            assert_eq!(world.read_from(&disk).text(), "something");
        }
    }
}

#[test]
fn a_session_goes_on_where_its_record_ended() {
    let (mut world, mut disk) = (World::recorded(KeepOutput::Always), Disk::default());
    for run in 0..4 {
        for n in 0..40 {
            world.program_says(format!("run {run} line {n}\r\n").as_bytes());
        }
        world.pass_with(&mut disk, 1000);
        if run % 2 == 0 {
            // It ends in order; else its holder is killed.
            disk.write(&world.session.last_output().unwrap()).unwrap();
        }
        let output = disk.read(&world.session.identity.id).unwrap();
        let (before, head) = (world.shown(), world.session.stream.head());
        let terms = Terms {
            size: SMALL,
            journal: JOURNAL,
            history: 1000,
            record_output: KeepOutput::Always,
            policies: Policies::default(),
        };
        let identity = world.session.identity.clone();
        world = World { session: Session::new(identity, terms, Some(&output)), ..World::new() };
        assert_eq!(world.session.stream.head(), head);
        assert_eq!(world.session.stream.tail(), 0);
        let mut resized = before;
        resized.resize(sess_screen::Size::new(SMALL.cols, SMALL.rows));
        assert_eq!(world.shown().text(), resized.text());
        world.session.separate("── again ──");
    }
    world.pass_with(&mut disk, 1000);
    let read = world.read_from(&disk);
    let all = String::from_utf8(history(&read)).unwrap().replace('\r', "") + &read.text();
    for run in 0..4 {
        for n in 0..40 {
            let line = format!("run {run} line {n}\n");
            assert_eq!(all.matches(&line).count(), 1, "{line} in {all}");
        }
    }
    assert_eq!(all.matches("── again ──").count(), 4);
}

#[test]
fn at_the_end_nothing_more_is_written_behind() {
    let (mut world, mut disk) = (World::recorded(KeepOutput::Always), Disk::default());
    world.program_says(b"last words");
    world.session.program_exited(Exit::Code(0));
    world.session.drained();
    world.settle();
    assert!(world.actions.contains(&Action::Conclude(Exit::Code(0), Cause::Itself)));
    disk.write(&world.session.last_output().unwrap()).unwrap();
    // While the command at the end runs.
    world.pass_with(&mut disk, 30_000);
    assert_eq!(disk.writes, 1);
    assert_eq!(disk.read(&world.session.identity.id).unwrap().raw, b"last words");
}

#[derive(Clone, Debug)]
enum Step {
    Says(Vec<u8>),
    Floods(usize),
    Resized(u16, u16),
    Passes(u64),
    Full(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let piece = prop_oneof![
        "[a-z0-9 ]{1,60}\r\n",
        Just("\x1b[31mred\x1b[m ".to_owned()),
        Just("\x1b[?1049hother\x1b[2;5H".to_owned()),
        Just("\x1b[?1049l".to_owned()),
        Just("\x1b[5;10r\x1b[?2004h".to_owned()),
        Just("half a \x1b[3".to_owned()),
        Just("1mof it\r\n".to_owned()),
        Just("\x1b[3J".to_owned()),
    ];
    prop_oneof![
        6 => prop::collection::vec(piece, 1..20)
            .prop_map(|pieces| Step::Says(pieces.concat().into_bytes())),
        1 => (1..4 * JOURNAL).prop_map(Step::Floods),
        1 => (10_u16..120, 3_u16..40).prop_map(|(cols, rows)| Step::Resized(cols, rows)),
        4 => (1_u64..1500).prop_map(Step::Passes),
        1 => any::<bool>().prop_map(Step::Full),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_on_disk_is_what_was_shown(steps in prop::collection::vec(step(), 1..40)) {
        let (mut world, mut disk) = (World::recorded(KeepOutput::Always), Disk::default());
        world.program_says(b"begin\r\n");
        // What a terminal of another size takes back from its history is missing where
        // the disk goes back less far.
        let is_lossy = steps.iter().any(|step| matches!(step, Step::Floods(_)))
            && steps.iter().any(|step| matches!(step, Step::Resized(..)));
        for step in steps {
            match step {
                Step::Says(bytes) => world.program_says(&bytes),
                Step::Floods(most) => drop(world.program_floods(most)),
                Step::Resized(cols, rows) => {
                    world.session.resize(Size { cols, rows, xpixel: 0, ypixel: 0 });
                    world.settle();
                }
                Step::Passes(ticks) => world.pass_with(&mut disk, ticks),
                Step::Full(is_full) => disk.is_full = is_full,
            }
        }
        disk.is_full = false;
        world.program_says(b"x");
        // After a failure it takes its time.
        world.pass_with(&mut disk, 10_000);
        let (read, shown) = (world.read_from(&disk), world.shown());
        if !is_lossy {
            prop_assert_eq!(read.text(), shown.text());
            prop_assert_eq!(read.cursor(), shown.cursor());
        }
        prop_assert_eq!(read.modes(), shown.modes());
        prop_assert_eq!(read.size(), shown.size());
        prop_assert!(disk.size() < 3 * JOURNAL);
    }
}

//! What real programs wrote, as recorded: another engine judges what we show, and
//! what it shows when it is given our snapshot instead of the bytes.

#[allow(dead_code, reason = "the example uses the rest")]
#[path = "../examples/conformance/case.rs"]
mod case;
mod judge;
#[path = "../examples/conformance/round_trip.rs"]
mod round_trip;

use std::path::{Path, PathBuf};

use judge::Judge;
use sess_screen::{NEUTRALISE, Screen, Size};

/// At how many places each is cut.
const CUTS: usize = 40;

const PROGRAMS: [&str; 8] = ["agent", "fish", "htop", "less", "mc", "python", "tmux", "vim"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings")
}

/// Calls `check` with each program's name, size and bytes.
fn each(check: impl Fn(&str, Size, &[u8])) {
    for program in PROGRAMS {
        let path = folder().join(format!("{program}.json"));
        let text = std::fs::read_to_string(&path).expect("each has its size beside it");
        let case: serde_json::Value = serde_json::from_str(&text).expect("it is a case");
        let side = |key: &str| case[key].as_u64().expect("a number") as u16;
        let bytes = std::fs::read(path.with_extension("recording")).expect("it is there");
        check(program, Size::new(side("cols"), side("rows")), &bytes);
    }
}

/// Places to cut at: evenly spread, and so within sequences as well.
fn cuts(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let step = bytes.len() / CUTS;
    (1..=CUTS).map(move |n| n * step).chain([bytes.len()])
}

#[test]
fn each_shows_what_another_engine_shows() {
    each(|program, size, bytes| {
        let (mut ours, mut theirs) = (Screen::new(size, 1000), Judge::new(size));
        let mut fed = 0;
        for cut in cuts(bytes) {
            ours.feed(&bytes[fed..cut]);
            theirs.feed(&bytes[fed..cut]);
            fed = cut;
            // It shows nothing of a synchronized update before its end.
            if !theirs.holds_back() {
                judge::assert_same(&ours, &theirs, &format!("{program} at byte {cut}"));
            }
        }
    });
}

#[test]
fn another_engine_shows_the_same_from_a_snapshot() {
    each(|program, size, bytes| {
        let mut ours = Screen::new(size, 1000);
        let mut fed = 0;
        for cut in cuts(bytes) {
            ours.feed(&bytes[fed..cut]);
            fed = cut;
            let mut snapshot = NEUTRALISE.to_vec();
            for line in ours.history() {
                ours.history_line(line, &mut snapshot);
            }
            ours.snapshot(size, &mut snapshot);
            let (mut restored, mut original) = (Judge::new(size), Judge::new(size));
            restored.feed(&snapshot);
            original.feed(&bytes[..cut]);
            let place = format!("{program} restored at byte {cut}");
            if !original.holds_back() {
                assert_eq!(restored.seen(), original.seen(), "{place}");
                assert_eq!(restored.modes(), original.modes(), "{place}");
                assert_eq!(restored.history(), original.history(), "{place}");
            }
            // It goes on as if nothing had been.
            restored.feed(&bytes[cut..]);
            original.feed(&bytes[cut..]);
            assert_eq!(restored.seen(), original.seen(), "{place}, at the end");
            assert_eq!(restored.modes(), original.modes(), "{place}, at the end");
        }
    });
}

#[test]
fn each_comes_back_wherever_it_is_cut() {
    let recordings = case::load(&folder()).expect("they can be read");
    assert_eq!(recordings.len(), PROGRAMS.len());
    let mut cuts = 0;
    for recording in &recordings {
        case::check(recording).expect("they expect nothing");
        if let Err(error) = round_trip::check(recording, &mut cuts) {
            panic!("{}: {error}", recording.id);
        }
    }
    assert!(cuts > CUTS * PROGRAMS.len(), "only {cuts} cuts were made");
}

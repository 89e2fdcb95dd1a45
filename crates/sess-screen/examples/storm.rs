//! Throws arbitrary bytes, sizes and resizes at the screen model, for so many
//! seconds:
//!
//! ```text
//! cargo run --release -p sess-screen --example storm -- SECONDS [SEED]
//! ```
//!
//! What is fed is noise, sequences with wild parameters, and the recordings of
//! `tests/recordings` with bytes lost and changed. After each piece all that can be
//! asked of a screen is asked, and must hold: nothing panics, the cursor is on the
//! screen, a snapshot asks nothing, and what a fresh screen makes of it shows the same. A
//! round that takes longer than ten seconds hangs, and more memory than its bound
//! is too much. It says the seed of the round that failed, which a second argument
//! makes the first one; the exit code is 1 then.

#![expect(clippy::print_stdout, reason = "it tells what it found")]
#![expect(clippy::print_stderr, reason = "and what went wrong")]

use std::alloc::System;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use sess_screen::{NEUTRALISE, Screen, Size};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The longest that a round may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The history's bound, the largest screens and their snapshots, with room.
const MOST_MEMORY: usize = 512 << 20;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse::<u64>());
    let (Some(Ok(seconds)), seed) = (args.next(), args.next().unwrap_or(Ok(1))) else {
        eprintln!("storm: how many seconds? storm SECONDS [SEED]");
        return ExitCode::from(2);
    };
    let Ok(seed) = seed else {
        eprintln!("storm: a seed is a number");
        return ExitCode::from(2);
    };
    let (begun, beginnings) = channel();
    let storm = std::thread::spawn(move || storm(Duration::from_secs(seconds), seed, &begun));
    let mut current = seed;
    loop {
        match beginnings.recv_timeout(PATIENCE) {
            Ok(seed) => current = seed,
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                eprintln!("storm: round {current} takes longer than {PATIENCE:?}");
                return ExitCode::FAILURE;
            }
        }
    }
    match storm.join() {
        Ok(Ok(summary)) => {
            println!("{summary}");
            ExitCode::SUCCESS
        }
        Ok(Err(error)) => {
            eprintln!("storm: {error}");
            ExitCode::FAILURE
        }
        Err(_) => ExitCode::FAILURE,
    }
}

/// Round after round, each told by its seed when it begins.
fn storm(time: Duration, first: u64, begun: &Sender<u64>) -> Result<String, String> {
    let recordings = recordings()?;
    let start = Instant::now();
    let (mut seed, mut bytes) = (first, 0);
    while start.elapsed() < time {
        // Nobody listens any more only when all is over.
        let _ = begun.send(seed);
        let round = catch_unwind(AssertUnwindSafe(|| round(&mut Dice(seed), &recordings)));
        let round = round.unwrap_or_else(|_| Err("it panicked".to_owned()));
        bytes += round.map_err(|error| format!("round {seed}: {error}"))?;
        seed += 1;
    }
    Ok(format!("{} rounds, {} MB, nothing found", seed - first, bytes / 1_000_000))
}

fn recordings() -> Result<Vec<Vec<u8>>, String> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings");
    let listing = std::fs::read_dir(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let mut paths: Vec<_> = listing.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|kind| kind == "recording"));
    paths.sort();
    let read = |path| std::fs::read(path).map_err(|error| error.to_string());
    paths.into_iter().map(read).collect()
}

/// Random numbers (SplitMix64): the same for the same seed, everywhere.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    fn size(&mut self) -> Size {
        let most = if self.one_in(40) { 700 } else { 90 };
        Size::new(self.below(most) as u16, self.below(most / 2) as u16)
    }
}

/// One screen's life; how many bytes it was fed.
fn round(dice: &mut Dice, recordings: &[Vec<u8>]) -> Result<usize, String> {
    let mut screen = Screen::new(dice.size(), dice.below(3000));
    let mut fed = 0;
    for _ in 0..=dice.below(12) {
        let piece = match dice.below(4) {
            0 => noise(dice),
            1 => mangled(dice, recordings),
            _ => sequences(dice),
        };
        fed += piece.len();
        for part in piece.chunks(1 + dice.below(70_000)) {
            screen.feed_ahead(part);
        }
        screen.settle();
        examine(dice, &mut screen)?;
        if dice.one_in(3) {
            screen.resize(dice.size());
            examine(dice, &mut screen)?;
        }
        let stats = ALLOCATOR.stats();
        let held = stats.bytes_allocated - stats.bytes_deallocated;
        if held > MOST_MEMORY {
            return Err(format!("{} MiB are held", held >> 20));
        }
    }
    Ok(fed)
}

fn noise(dice: &mut Dice) -> Vec<u8> {
    let ascii = dice.one_in(2);
    let bytes = (0..dice.below(5000)).map(|_| dice.next() as u8);
    bytes.map(|byte| if ascii && byte >= 0x80 { byte & 0x1f } else { byte }).collect()
}

/// A part of a recording in which some bytes are lost, doubled or others.
fn mangled(dice: &mut Dice, recordings: &[Vec<u8>]) -> Vec<u8> {
    let Some(recording) = recordings.get(dice.below(recordings.len())) else {
        return Vec::new();
    };
    let from = dice.below(recording.len());
    let (rate, mut out) = (1 + dice.below(400), Vec::new());
    for &byte in recording[from..].iter().take(dice.below(30_000)) {
        match if dice.one_in(rate) { dice.below(3) } else { 3 } {
            0 => {}
            1 => out.push(dice.next() as u8),
            2 => out.extend([byte, byte]),
            _ => out.push(byte),
        }
    }
    out
}

/// Sequences as they should be, with parameters as they shouldn't, and text.
fn sequences(dice: &mut Dice) -> Vec<u8> {
    let texts =
        ["word ", "漢字", "e\u{301}", "👩\u{200d}👩", "🇩🇪", "\r\n", "\t", "\x08", "\x0e", "x"];
    let strings =
        ["]2;", "]8;;http://", "]8;id=a;", "]4;1;", "]133;A", "P$q", "P+q", "_G", "^", "X", "]7;"];
    let mut out = Vec::new();
    for _ in 0..dice.below(400) {
        match dice.below(9) {
            0..3 => out.extend_from_slice(dice.pick(&texts).repeat(dice.below(30)).as_bytes()),
            3 => out.extend([0x1b, b' ' + dice.below(0x5f) as u8]),
            4 => {
                out.extend_from_slice(b"\x1b");
                out.extend_from_slice(dice.pick(&strings).as_bytes());
                out.extend((0..dice.below(200)).map(|_| b' ' + dice.below(0x5f) as u8));
                let ends: [&[u8]; 4] = [b"\x07", b"\x1b\\", b"\x18", b""];
                out.extend_from_slice(dice.pick(&ends));
            }
            _ => {
                out.extend_from_slice(b"\x1b[");
                out.extend_from_slice(dice.pick(&["", "", "", "?", ">", "<", "="]).as_bytes());
                for _ in 0..dice.below(5) {
                    let most = *dice.pick(&[&4, &30, &110, &3000, &70_000]);
                    let number = dice.below(most).to_string();
                    out.extend_from_slice(number.as_bytes());
                    out.push(*dice.pick(&[&b';', &b';', &b':']));
                }
                out.extend_from_slice(
                    dice.pick(&["", "", "", "$", "\"", "'", "*", " ", "!"]).as_bytes(),
                );
                out.push(b'@' + dice.below(0x3f) as u8);
            }
        }
    }
    out
}

/// Asks all that can be asked.
fn examine(dice: &mut Dice, screen: &mut Screen) -> Result<(), String> {
    let ((x, y), size) = (screen.cursor(), screen.size());
    if x >= size.cols || y >= size.rows {
        return Err(format!("the cursor is at {x}, {y} of {size:?}"));
    }
    screen.take_replies();
    screen.take_bells();
    let mut undo = Vec::new();
    screen.undo(&mut undo);
    let picture = screen.picture(dice.below(200));
    let _ = (picture.text(), picture.ansi(), picture.html());
    let _ = picture.joined();
    let mut bytes = NEUTRALISE.to_vec();
    for line in screen.history() {
        screen.history_line(line, &mut bytes);
    }
    screen.snapshot(dice.size(), &mut Vec::new());
    screen.snapshot(size, &mut bytes);
    let mut copy = Screen::new(size, 3000);
    copy.feed(&bytes);
    if let Some(reply) = copy.take_replies().first() {
        return Err(format!("the snapshot asks for {reply:?}"));
    }
    for y in 0..size.rows {
        let (one, other) = (screen.row(y).text(), copy.row(y).text());
        if one != other {
            return Err(format!("row {y} of {size:?}: {one:?} became {other:?}"));
        }
    }
    if (screen.cursor(), screen.modes(), screen.pen()) != (copy.cursor(), copy.modes(), copy.pen())
    {
        return Err("cursor, modes or pen are others after the snapshot".to_owned());
    }
    Ok(())
}

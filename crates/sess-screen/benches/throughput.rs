//! How fast the model takes output, beside `vt100`, the two alternating in one
//! run: `cargo bench -p sess-screen`. Plain timing, best of several rounds.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]
#![expect(clippy::cast_precision_loss, reason = "megabytes need no more")]

use std::fmt::Write;
use std::hint::black_box;
use std::num::NonZero;
use std::time::{Duration, Instant};

use sess_screen::{QueryScan, Screen, Size};

const BYTES: usize = 8 << 20;
const CHUNK: usize = 4096;
const ROUNDS: usize = 5;

fn fill(mut line: impl FnMut(usize) -> String) -> Vec<u8> {
    let mut text = String::new();
    let mut number = 0;
    while text.len() < BYTES {
        text.push_str(&line(number));
        number += 1;
    }
    text.into_bytes()
}

fn workloads() -> Vec<(&'static str, Vec<u8>)> {
    let words = ["kernel", "module", "loaded", "at", "address", "request", "took", "ms", "ok"];
    let word = |i: usize| words[i.wrapping_mul(2_654_435_761) / 7 % words.len()];
    let plain = fill(|n| {
        let mut line = format!("{n:08} ");
        for i in 0..8 {
            let _ = write!(line, "{} ", word(n * 8 + i));
        }
        line + "\r\n"
    });
    let coloured = fill(|n| {
        let mut line = String::new();
        for i in 0..9 {
            let _ = write!(line, "\x1b[{}m{}\x1b[0m ", 31 + (n + i) % 7, word(n * 9 + i));
        }
        line + "\r\n"
    });
    let full_screen = fill(|n| {
        let mut frame = String::from("\x1b[H");
        if n == 0 {
            frame.insert_str(0, "\x1b[?1049h");
        }
        for row in 1..=24 {
            let _ = write!(
                frame,
                "\x1b[{row};1H\x1b[3{}m{:>5} {}\x1b[m {} \x1b[1;44m{}\x1b[0m\x1b[K",
                (row + n) % 8,
                n * row,
                word(n + row),
                word(row),
                word(n * row),
            );
        }
        frame
    });
    let cjk = fill(|n| format!("{n} 終端の画面を保存する 🎉 세션 {}\r\n", word(n)));
    let escapes = fill(|_| "\x1b7\x1b8\x1bM\x1b=\x1b>\x1b[m".repeat(8));
    let long = fill(|n| word(n).repeat(4000 / word(n).len()) + "\r\n");
    let yes = fill(|_| "y\r\n".to_owned());
    vec![
        ("plain", plain),
        ("coloured", coloured),
        ("full-screen", full_screen),
        ("cjk", cjk),
        ("escapes", escapes),
        ("long", long),
        ("yes", yes),
    ]
}

fn rate(bytes: usize, time: Duration) -> f64 {
    bytes as f64 / time.as_secs_f64() / 1e6
}

fn nonzero(n: u16) -> NonZero<u16> {
    NonZero::new(n).expect("the sizes stand below")
}

fn timed(mut work: impl FnMut()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn main() {
    println!(
        "{:<13}{:>14}{:>14}{:>14}{:>14}",
        "MB/s", "80x24/10000", "200x50/10000", "1 MiB at once", "query scan"
    );
    println!("{:<13}{:>7}{:>7}{:>7}{:>7}", "", "ours", "vt100", "ours", "vt100");
    for (name, bytes) in workloads() {
        print!("{name:<13}");
        for (cols, rows) in [(80, 24), (200, 50)] {
            let (mut ours, mut theirs) = (Duration::MAX, Duration::MAX);
            // The other engine is slow enough that a part of it is measure enough.
            let part = &bytes[..BYTES / 8];
            for _ in 0..ROUNDS {
                let mut screen = Screen::new(Size::new(cols, rows), 10_000);
                ours = ours.min(timed(|| {
                    for chunk in bytes.chunks(CHUNK) {
                        screen.feed(black_box(chunk));
                    }
                }));
                let mut parser = vt100::Parser::new(nonzero(rows), nonzero(cols), 10_000);
                theirs = theirs.min(timed(|| {
                    for chunk in part.chunks(CHUNK) {
                        parser.process(black_box(chunk));
                    }
                }));
            }
            print!("{:>7.0}{:>7.0}", rate(bytes.len(), ours), rate(part.len(), theirs));
        }
        let (mut once, mut scanned) = (Duration::MAX, Duration::MAX);
        for _ in 0..ROUNDS {
            let mut screen = Screen::new(Size::new(80, 24), 10_000);
            once = once.min(timed(|| screen.feed(black_box(&bytes[..1 << 20]))));
            let mut scan = QueryScan::new();
            scanned = scanned.min(timed(|| {
                for chunk in bytes.chunks(CHUNK) {
                    black_box(scan.scan(black_box(chunk)));
                }
            }));
        }
        println!("{:>14.0}{:>14.0}", rate(1 << 20, once), rate(bytes.len(), scanned));
    }
}

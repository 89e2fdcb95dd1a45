//! How fast the model takes output, beside `vt100`, `alacritty_terminal` and `avt`,
//! all alternating in one run: `cargo bench -p sess-screen`. Plain timing, best of
//! several rounds.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]
#![expect(clippy::cast_precision_loss, reason = "megabytes need no more")]

#[path = "../tests/judge/area.rs"]
mod area;

use std::fmt::Write;
use std::hint::black_box;
use std::num::NonZero;
use std::time::{Duration, Instant};

use alacritty_terminal::event::VoidListener;
use alacritty_terminal::term::{Config, Term};
use alacritty_terminal::vte::ansi::Processor;
use area::Area;
use sess_screen::{Screen, Size};

const BYTES: usize = 8 << 20;
const CHUNK: usize = 4096;
const ROUNDS: usize = 4;
/// Lines of history that each keeps.
const HISTORY: usize = 10_000;

fn fill(mut line: impl FnMut(usize) -> String) -> String {
    let mut text = String::new();
    let mut number = 0;
    while text.len() < BYTES {
        text.push_str(&line(number));
        number += 1;
    }
    text
}

fn workloads(cols: usize, rows: usize) -> Vec<(&'static str, String)> {
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
        for row in 1..=rows {
            let _ = write!(frame, "\x1b[{row};1H\x1b[3{}m{:>6} \x1b[m", (row + n) % 8, n * row);
            let mut width = 7;
            for i in 0.. {
                let (one, other) = (word(n + row * 7 + i), word(row + i));
                width += one.len() + other.len() + 2;
                if width >= cols {
                    break;
                }
                let _ = write!(frame, "{one} \x1b[1;44m{other}\x1b[0m ");
            }
            frame.push_str("\x1b[K");
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

/// Something that takes output: ours or another's.
trait Engine {
    fn new(size: Size) -> Self;
    fn feed(&mut self, text: &str);
    /// Somebody looks.
    fn settle(&mut self) {}
}

impl Engine for Screen {
    fn new(size: Size) -> Self {
        Screen::new(size, HISTORY)
    }

    fn feed(&mut self, text: &str) {
        self.feed_ahead(text.as_bytes());
    }

    fn settle(&mut self) {
        Screen::settle(self);
    }
}

/// Ours, looked at after each piece.
struct Watched(Screen);

impl Engine for Watched {
    fn new(size: Size) -> Self {
        Watched(Screen::new(size, HISTORY))
    }

    fn feed(&mut self, text: &str) {
        self.0.feed(text.as_bytes());
    }
}

impl Engine for vt100::Parser {
    fn new(size: Size) -> Self {
        let positive = |n| NonZero::new(n).expect("the sizes stand below");
        vt100::Parser::new(positive(size.rows), positive(size.cols), HISTORY)
    }

    fn feed(&mut self, text: &str) {
        self.process(text.as_bytes());
    }
}

struct Alacritty(Term<VoidListener>, Processor);

impl Engine for Alacritty {
    fn new(size: Size) -> Self {
        let config = Config { scrolling_history: HISTORY, ..Config::default() };
        Alacritty(Term::new(config, &Area(size), VoidListener), Processor::new())
    }

    fn feed(&mut self, text: &str) {
        self.1.advance(&mut self.0, text.as_bytes());
    }
}

impl Engine for avt::Terminal {
    fn new(size: Size) -> Self {
        let sides = (usize::from(size.cols), usize::from(size.rows));
        avt::Terminal::with_scrollback(sides.0, sides.1, Some(HISTORY)).expect("a usual size")
    }

    fn feed(&mut self, text: &str) {
        avt::Terminal::feed(self, text);
    }
}

/// The time that one takes for all pieces.
fn timed<E: Engine>(size: Size, pieces: &[&str]) -> Duration {
    let mut engine = E::new(size);
    let start = Instant::now();
    for piece in pieces {
        engine.feed(black_box(piece));
    }
    engine.settle();
    start.elapsed()
}

/// Pieces of about that many bytes, cut between characters.
fn pieces(text: &str, bytes: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = (bytes.min(rest.len())..=rest.len()).find(|&end| rest.is_char_boundary(end));
        let (piece, more) = rest.split_at(end.unwrap_or(rest.len()));
        pieces.push(piece);
        rest = more;
    }
    pieces
}

fn rate(pieces: &[&str], time: Duration) -> f64 {
    let bytes: usize = pieces.iter().map(|piece| piece.len()).sum();
    bytes as f64 / time.as_secs_f64() / 1e6
}

fn main() {
    for (cols, rows) in [(80, 24), (200, 50)] {
        let size = Size::new(cols, rows);
        println!("\n{cols}x{rows}, {HISTORY} lines of history; MB/s");
        println!(
            "{:<13}{:>9}{:>9}{:>9}{:>11}{:>9}{:>16}",
            "", "ours", "watched", "vt100", "alacritty", "avt", "ours, 1 MiB, ms",
        );
        for (name, text) in workloads(usize::from(cols), usize::from(rows)) {
            let all = pieces(&text, CHUNK);
            // The others are slow enough that a part of it is measure enough.
            let part = &all[..all.len() / 8];
            let mebibyte = pieces(&text, 1 << 20)[0];
            let once = [mebibyte];
            let mut best = [Duration::MAX; 6];
            for _ in 0..ROUNDS {
                let times = [
                    timed::<Screen>(size, &all),
                    timed::<Watched>(size, part),
                    timed::<vt100::Parser>(size, part),
                    timed::<Alacritty>(size, part),
                    timed::<avt::Terminal>(size, part),
                    timed::<Screen>(size, &once),
                ];
                for (best, time) in best.iter_mut().zip(times) {
                    *best = time.min(*best);
                }
            }
            println!(
                "{name:<13}{:>9.0}{:>9.0}{:>9.0}{:>11.0}{:>9.0}{:>16.1}",
                rate(&all, best[0]),
                rate(part, best[1]),
                rate(part, best[2]),
                rate(part, best[3]),
                rate(part, best[4]),
                best[5].as_secs_f64() * 1e3,
            );
        }
    }
}

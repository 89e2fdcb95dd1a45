//! How much memory a model takes, as its allocator counts.

use std::alloc::System;
use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sess_screen::{Screen, Size};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What is counted is everybody's: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What `make` allocated and hasn't given back, in bytes, and what it made.
fn kept<T>(make: impl FnOnce() -> T) -> (usize, T) {
    let held = || {
        let stats = ALLOCATOR.stats();
        stats.bytes_allocated - stats.bytes_deallocated
    };
    let before = held();
    let result = make();
    (held() - before, result)
}

const SIZE: Size = Size { cols: 80, rows: 24 };

#[test]
fn a_fresh_model_takes_less_than_100_kb() {
    let _alone = alone();
    let (bytes, _screen) = kept(|| Screen::new(SIZE, 10_000));
    assert!(bytes < 100_000, "{bytes} bytes");
}

#[test]
fn history_takes_at_most_two_bytes_for_one_of_text() {
    let _alone = alone();
    let words = ["drwxr-xr-x", "sess", "漢字のテキスト", "4096", "error:", "naïve", "src/lib.rs"];
    for colours in [0, 1, 3] {
        let (mut fed, mut text) = (String::new(), 0);
        for line in 0..10_000 {
            for column in 0..6 {
                let word = words[(line + column * 3) % words.len()];
                if column < colours {
                    let _ = write!(fed, "\x1b[1;3{}m{word}\x1b[m ", (line + column) % 8);
                } else {
                    let _ = write!(fed, "{word} ");
                }
                text += word.len() + 1;
            }
            fed += "\r\n";
        }
        let (bytes, screen) = kept(|| {
            let mut screen = Screen::new(SIZE, 10_000);
            for piece in fed.as_bytes().chunks(4096) {
                screen.feed(piece);
            }
            screen
        });
        assert_eq!(screen.history().end - screen.history().start, 10_000 - 23);
        assert!(bytes <= 2 * text, "{bytes} bytes for {text} of text, {colours} colours a line");
    }
}

#[test]
fn no_output_makes_it_take_more_than_its_bound() {
    let _alone = alone();
    // As bad as it gets: every cell has a colour of its own and is wide.
    let (bytes, screen) = kept(|| {
        let mut screen = Screen::new(Size::new(200, 50), 1_000_000);
        for row in 0..30_000_u32 {
            let mut line = String::new();
            for column in 0..100 {
                let n = row * 100 + column;
                let (r, g, b) = (n >> 16 & 255, n >> 8 & 255, n & 255);
                let _ = write!(line, "\x1b[38;2;{r};{g};{b};4:3m漢");
            }
            screen.feed(line.as_bytes());
        }
        screen
    });
    assert!(!screen.history().is_empty());
    // 64 MiB of history, tables and all, and the rest.
    assert!(bytes < 72_000_000, "{bytes} bytes");
}

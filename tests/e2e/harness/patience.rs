//! Waiting for facts, with a deadline. The only place that sleeps.

use std::time::{Duration, Instant};

/// Long enough for a busy machine; a test that needs it all has failed.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The first pause between two looks, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(20));

/// Waits for a fact; `what` says which one never came.
#[track_caller]
pub fn wait_until(what: &str, mut fact: impl FnMut() -> bool) {
    wait_for(what, || fact().then_some(()));
}

/// Waits for something to be there.
#[track_caller]
pub fn wait_for<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    match wait_within(PATIENCE, look) {
        Some(found) => found,
        None => panic!("waited in vain: {what}"),
    }
}

/// Lets so much time pass, where that is what a test is about.
pub fn pass(time: Duration) {
    std::thread::sleep(time);
}

/// Looks again and again for as long as this.
pub fn wait_within<T>(patience: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + patience;
    let mut pause = PAUSE.0;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() >= deadline {
            return None;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(PAUSE.1);
    }
}

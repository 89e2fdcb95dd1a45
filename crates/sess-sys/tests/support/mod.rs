//! What the tests of this crate wait with and run on.

#![allow(dead_code, reason = "no test needs all of it")]

use std::time::{Duration, Instant};

/// Long enough for a busy machine; a test that needs it all has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for a fact; `what` says which one never came.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut fact: impl FnMut() -> bool) {
    wait_for(what, || fact().then_some(()));
}

/// Waits for something to be there.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Runs test cases one after the other on the main thread, listing and choosing
/// them as the usual harness does.
#[allow(clippy::print_stdout, reason = "this is what runs the tests")]
pub(crate) fn run_cases(cases: &[(&str, fn())]) {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let exact = args.iter().any(|arg| arg == "--exact");
    let wanted: Vec<&String> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let is_wanted = |name: &str| {
        wanted.is_empty()
            || wanted.iter().any(|it| if exact { *it == name } else { name.contains(it.as_str()) })
    };
    let list = args.iter().any(|arg| arg == "--list");
    let only_ignored = args.iter().any(|arg| arg == "--ignored");
    for (name, case) in cases {
        if !is_wanted(name) || only_ignored {
            continue;
        }
        if list {
            println!("{name}: test");
        } else {
            println!("test {name} ...");
            case();
        }
    }
}

/// The cases of these functions, under their names.
#[allow(unused_macros, reason = "no test needs all of it")]
macro_rules! cases {
    ($($case:ident),* $(,)?) => {
        [$((stringify!($case), $case as fn())),*]
    };
}

#[allow(unused_imports, reason = "no test needs all of it")]
pub(crate) use cases;

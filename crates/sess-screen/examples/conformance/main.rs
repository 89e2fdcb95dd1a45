//! Runs conformance cases against the screen model:
//!
//! ```text
//! cargo run --release -p sess-screen --example conformance -- [--known FILE] [--round-trip] DIR…
//! ```
//!
//! Each `DIR` is a suite of cases, or holds suites as folders. A suite's cases are
//! the lines of `cases.jsonl` and other `*.jsonl` in it, and its `*.json`, one each
//! (what they look like stands at the top of `case.rs`). Every failing case is
//! listed with its first difference, then a line per suite, then `N passed, N
//! failed` for all. The exit code is 1 if a case failed that is not named in
//! `FILE`, whose lines are a case's id, blanks, and why it is known to fail.
//!
//! With `--round-trip` what a case expects is left aside: what it feeds is cut at
//! many points, also within sequences and characters, and the snapshot taken
//! there, fed to a fresh screen, must show the same and go on the same.

#![expect(clippy::print_stdout, reason = "it tells what it found")]
#![expect(clippy::print_stderr, reason = "and what is wrong with its arguments")]

mod case;
mod round_trip;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;

use case::Case;

struct Wanted {
    dirs: Vec<PathBuf>,
    known: BTreeMap<String, String>,
    round_trip: bool,
}

fn main() -> ExitCode {
    let outcome = arguments().and_then(|wanted| run(&wanted));
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("conformance: {error}");
            ExitCode::from(2)
        }
    }
}

fn arguments() -> Result<Wanted, String> {
    let mut wanted = Wanted { dirs: Vec::new(), known: BTreeMap::new(), round_trip: false };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--round-trip" => wanted.round_trip = true,
            "--known" => wanted.known = known(&args.next().ok_or("--known takes a file")?)?,
            option if option.starts_with('-') => return Err(format!("unknown option {option}")),
            dir => wanted.dirs.push(dir.into()),
        }
    }
    if wanted.dirs.is_empty() {
        return Err("which folders? conformance [--known FILE] [--round-trip] DIR…".to_owned());
    }
    Ok(wanted)
}

/// The ids in a file of known failures, each with its reason.
fn known(path: &str) -> Result<BTreeMap<String, String>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("//"));
    let parted = lines.map(|line| match line.split_once("  ") {
        Some((id, reason)) if !reason.trim().is_empty() => {
            Ok((id.trim().to_owned(), reason.trim().to_owned()))
        }
        _ => Err(format!("{path}: no reason, after two blanks, for {line}")),
    });
    parted.collect()
}

fn run(wanted: &Wanted) -> Result<bool, String> {
    let mut cases = Vec::new();
    for dir in &wanted.dirs {
        cases.extend(case::load(dir)?);
    }
    if cases.is_empty() {
        return Err("no cases there".to_owned());
    }
    // A case that panics has failed; where it did is said with it.
    std::panic::set_hook(Box::new(|_| {}));
    let mut suites: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let (mut all_known, mut cuts) = (true, 0);
    for case in &cases {
        let outcome = outcome(case, wanted.round_trip, &mut cuts);
        let counts = suites.entry(case.suite.clone()).or_default();
        match (outcome, wanted.known.get(&case.id)) {
            (Ok(()), None) => counts.0 += 1,
            (Ok(()), Some(_)) => {
                counts.0 += 1;
                println!("PASS {}: known to fail, but passes", case.id);
            }
            (Err(difference), reason) => {
                counts.1 += 1;
                all_known &= reason.is_some();
                println!("FAIL {}: {difference}", case.id);
                if let Some(reason) = reason {
                    println!("     known: {reason}");
                }
            }
        }
    }
    if wanted.round_trip {
        println!("{cuts} cuts");
    }
    for (suite, (passed, failed)) in &suites {
        println!("{suite}: {passed} passed, {failed} failed");
    }
    let passed: usize = suites.values().map(|counts| counts.0).sum();
    println!("{passed} passed, {} failed", cases.len() - passed);
    Ok(all_known)
}

fn outcome(case: &Case, round_trip: bool, cuts: &mut usize) -> Result<(), String> {
    let run = || {
        if round_trip { round_trip::check(case, cuts) } else { case::check(case) }
    };
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(format!("panicked: {}", text.unwrap_or("?")))
    })
}

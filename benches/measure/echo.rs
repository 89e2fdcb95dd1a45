//! One key typed until it is shown: the delay that people feel.

use std::fs::File;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::Setting;
use crate::alternate::{Lane, alternate, lanes};
use crate::peers::Tool;
use crate::place::{Place, order};
use crate::report::{Metric, Report};
use crate::samples::{percentile, sorted};
use crate::viewer::{SMALL, Viewer};

/// Keys typed in one turn.
const KEYS: usize = 500;
/// No escape sequence that tools write is likely to hold them.
const ALPHABET: &[u8] = b"xyzw";
const PATIENCE: Duration = Duration::from_secs(10);

const METRICS: &[Metric] = &[
    Metric { name: "5th percentile", unit: "µs", beside: &["bare", "dtach"] },
    Metric { name: "median", unit: "µs", beside: &["bare", "dtach"] },
];
const FLOOD_METRICS: &[Metric] = &[
    Metric { name: "median", unit: "µs", beside: &["dtach", "relay2"] },
    Metric { name: "95th percentile", unit: "µs", beside: &["dtach"] },
];

struct Echoing {
    viewer: Viewer,
    /// Of another session, which floods when told to.
    orders: Option<File>,
    place: Place,
    turns: usize,
}

pub(super) fn run(setting: &Setting, report: &mut Report) -> Result<(), String> {
    let rounds = setting.rounds(6);
    let budget = setting.budget();
    let mut free = lanes(&setting.tools, |tool| prepare(tool, false));
    alternate(&mut free, rounds, budget, |echoing| echoing.turn(&[5, 50]));
    report.table(&format!("{KEYS} keys a turn"), METRICS, &free);
    drop(free);

    let pinned = Pinned::new()?;
    let mut lanes: Vec<Lane<Echoing>> = lanes(&setting.tools, |tool| prepare(tool, false));
    alternate(&mut lanes, rounds, budget, |echoing| echoing.turn(&[5, 50]));
    report.table("everything on one processor", METRICS, &lanes);
    drop(pinned);
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "measurements have one shape")]
pub(super) fn beside_a_flood(setting: &Setting, report: &mut Report) -> Result<(), String> {
    let mut lanes = lanes(&setting.those(Tool::holds), |tool| prepare(tool, true));
    alternate(&mut lanes, setting.rounds(6), setting.budget(), Echoing::turn_beside_a_flood);
    report.table("another session floods, nobody attached to it", FLOOD_METRICS, &lanes);
    Ok(())
}

fn prepare(tool: &'static Tool, flood: bool) -> Result<Echoing, String> {
    let mut place = Place::new(tool)?;
    let orders = if flood { Some(place.open_detached("flood", SMALL)?.0) } else { None };
    let (mut viewer, _) = place.open("s", SMALL)?;
    let (token, mark) = viewer.mark("echo");
    viewer.type_keys(format!("echo {token}\n").as_bytes())?;
    viewer.watch_for(&mark, Instant::now() + PATIENCE)?;
    viewer.settle(Duration::from_millis(50))?;
    Ok(Echoing { viewer, orders, place, turns: 0 })
}

impl Echoing {
    /// These percentiles of the delay, in microseconds.
    fn turn(&mut self, percentiles: &[usize]) -> Result<Vec<f64>, String> {
        let mut delays = Vec::with_capacity(KEYS);
        let deadline = Instant::now() + PATIENCE;
        for n in 0..KEYS {
            let key = &ALPHABET[n % ALPHABET.len()..][..1];
            let begun = Instant::now();
            self.viewer.type_keys(key)?;
            let shown = self.viewer.watch_for(key, deadline)?;
            delays.push(shown.duration_since(begun).as_secs_f64() * 1e6);
        }
        let sorted = sorted(&delays);
        let number = |&percent: &usize| percentile(&sorted, percent).unwrap_or(f64::NAN);
        Ok(percentiles.iter().map(number).collect())
    }

    fn turn_beside_a_flood(&mut self) -> Result<Vec<f64>, String> {
        self.turns += 1;
        let token = format!("t{}", self.turns);
        let orders = self.orders.as_mut().ok_or("no flood was prepared")?;
        order(orders, "flood\n")?;
        std::thread::sleep(Duration::from_millis(100));
        let numbers = self.turn(&[50, 95]);
        if let Some(orders) = &mut self.orders {
            order(orders, &format!("enough {token}\n"))?;
        }
        self.place.hear(&format!("flood done {token}"), None, PATIENCE)?;
        numbers
    }
}

/// This process, and all that it starts meanwhile, kept on one processor.
struct Pinned {
    before: String,
}

impl Pinned {
    fn new() -> Result<Pinned, String> {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let before = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        let before = before.ok_or("no list of processors")?.trim().to_owned();
        let first: String = before.chars().take_while(char::is_ascii_digit).collect();
        allow(&first)?;
        Ok(Pinned { before })
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // They were allowed a moment ago.
        let _ = allow(&self.before);
    }
}

fn allow(processors: &str) -> Result<(), String> {
    let us = std::process::id().to_string();
    let done = Command::new("taskset")
        .args(["-acp", processors, &us])
        .stdout(Stdio::null())
        .status()
        .map_err(|error| format!("taskset: {error}"))?;
    if done.success() { Ok(()) } else { Err("taskset failed".to_owned()) }
}

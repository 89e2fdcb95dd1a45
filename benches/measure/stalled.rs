//! A client that stops reading: how long the program is held up by it, and what
//! the holder keeps for it.

use std::path::Path;
use std::time::{Duration, Instant};

use sess_sys::Pid;

use super::Setting;
use crate::alternate::{alternate, lanes};
use crate::peers::Tool;
use crate::place::Place;
use crate::report::{Metric, Report};
use crate::viewer::{SMALL, Viewer};
use crate::vitals::pss_kb;
use crate::workload::{Workload, bytes_in};

/// How often the file is shown.
const TIMES: usize = 5;
/// A program that takes longer is blocked.
const PATIENCE: Duration = Duration::from_secs(10);

const METRICS: &[Metric] = &[
    Metric { name: "client reads", unit: "s", beside: &[] },
    Metric { name: "it doesn't", unit: "s", beside: &[] },
    Metric { name: "memory grew", unit: "kB", beside: &[] },
    Metric { name: "present again", unit: "s", beside: &[] },
];

struct Watched {
    viewer: Viewer,
    holder: Pid,
    place: Place,
    turns: usize,
}

pub(super) fn run(setting: &Setting, report: &mut Report) -> Result<(), String> {
    let file = setting.workloads.file(Workload::Plain, SMALL)?;
    let bytes = bytes_in(&file)? * TIMES as u64;
    let mut lanes = lanes(&setting.those(Tool::holds), |tool| {
        let mut place = Place::new(tool)?;
        let (viewer, holder) = place.open("s", SMALL)?;
        Ok(Watched { viewer, holder, place, turns: 0 })
    });
    alternate(&mut lanes, setting.rounds(3), setting.budget(), |watched| watched.turn(&file));
    let title = format!("a program writes {} MB, plain", bytes / 1_000_000);
    report.table(&title, METRICS, &lanes);
    Ok(())
}

impl Watched {
    fn turn(&mut self, file: &Path) -> Result<Vec<f64>, String> {
        self.turns += 1;
        let files = vec![file.display().to_string(); TIMES].join(" ");

        let (token, mark) = self.viewer.mark("read");
        let begun = Instant::now();
        self.viewer.type_keys(format!("show {token} {files}\n").as_bytes())?;
        let shown = self.viewer.watch_for(&mark, begun + 3 * PATIENCE)?;
        let reads = shown.duration_since(begun).as_secs_f64();
        self.viewer.settle(Duration::from_millis(100))?;

        let before = pss_kb(self.holder).unwrap_or(f64::NAN);
        let (token, mark) = self.viewer.mark("unread");
        let begun = Instant::now();
        self.viewer.type_keys(format!("show {token} {files}\n").as_bytes())?;
        let done = self.place.hear(&format!("s done {token}"), None, PATIENCE);
        let Ok((done, _)) = done else {
            return Err(format!("blocks the program for more than {} s", PATIENCE.as_secs()));
        };
        let blocked = done.duration_since(begun).as_secs_f64();
        let grew = pss_kb(self.holder).unwrap_or(f64::NAN) - before;

        let begun = Instant::now();
        let present = self.viewer.watch_for(&mark, begun + PATIENCE)?;
        let present = present.duration_since(begun).as_secs_f64();
        self.viewer.settle(Duration::from_millis(100))?;
        Ok(vec![reads, blocked, grew, present])
    }
}

//! Output through an attached client to a terminal that reads as fast as it can.

use std::path::Path;
use std::time::{Duration, Instant};

use sess_sys::Pid;

use super::Setting;
use crate::alternate::{alternate, lanes};
use crate::place::Place;
use crate::report::{Metric, Report};
use crate::viewer::{LARGE, SMALL, Viewer};
use crate::vitals::cpu_ms;
use crate::workload::{Workload, bytes_in};

/// How often the file is shown in one turn.
const TIMES: usize = 5;
/// How long after the end what was put off is still counted.
const AFTERWARDS: Duration = Duration::from_millis(150);
const PATIENCE: Duration = Duration::from_secs(60);

const METRICS: &[Metric] = &[
    Metric { name: "speed", unit: "MB/s", beside: &["bare", "relay2"] },
    Metric { name: "CPU", unit: "ms/MB", beside: &["relay2", "dtach"] },
    Metric { name: "and after", unit: "ms/MB", beside: &["relay2"] },
];

struct Shown {
    viewer: Viewer,
    holder: Pid,
    _place: Place,
}

pub(super) fn run(setting: &Setting, report: &mut Report) -> Result<(), String> {
    for size in [SMALL, LARGE] {
        for workload in Workload::ALL {
            let file = setting.workloads.file(workload, size)?;
            let bytes = bytes_in(&file)? * TIMES as u64;
            let mut lanes = lanes(&setting.tools, |tool| {
                let mut place = Place::new(tool)?;
                let (viewer, holder) = place.open("s", size)?;
                Ok(Shown { viewer, holder, _place: place })
            });
            let rounds = if setting.quick { 3 } else { 7 };
            alternate(&mut lanes, rounds, setting.budget(), |shown| shown.turn(&file, bytes));
            let (name, mb) = (workload.name(), bytes / 1_000_000);
            let title = format!("{name}, {}×{}, {mb} MB a turn", size.cols, size.rows);
            report.table(&title, METRICS, &lanes);
        }
    }
    Ok(())
}

impl Shown {
    fn turn(&mut self, file: &Path, bytes: u64) -> Result<Vec<f64>, String> {
        let (token, mark) = self.viewer.mark("end");
        let files = vec![file.display().to_string(); TIMES].join(" ");
        let before = self.cpu();
        let begun = Instant::now();
        self.viewer.type_keys(format!("show {token} {files}\n").as_bytes())?;
        let ended = self.viewer.watch_for(&mark, begun + PATIENCE)?;
        let at_end = self.cpu() - before;
        self.viewer.settle(AFTERWARDS)?;
        let afterwards = self.cpu() - before;
        let megabytes = bytes as f64 / 1e6;
        let speed = megabytes / ended.duration_since(begun).as_secs_f64();
        if self.viewer.pid == self.holder {
            // The program itself, which is nobody's cost.
            return Ok(vec![speed, f64::NAN, f64::NAN]);
        }
        Ok(vec![speed, at_end / megabytes, afterwards / megabytes])
    }

    fn cpu(&self) -> f64 {
        cpu_ms(self.viewer.pid) + cpu_ms(self.holder)
    }
}

//! Output with nobody attached, for long enough that no buffer matters.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use sess_sys::Pid;

use super::Setting;
use crate::alternate::{alternate, lanes};
use crate::peers::Exe;
use crate::place::{Place, order};
use crate::report::{Metric, Report};
use crate::viewer::{SMALL, Viewer};
use crate::vitals::cpu_ms;
use crate::workload::{Workload, bytes_in};

/// How often the file is shown in one turn.
const TIMES: usize = 21;
const PATIENCE: Duration = Duration::from_secs(120);

const METRICS: &[Metric] = &[
    Metric { name: "speed", unit: "MB/s", beside: &["bare", "dtach", "relay2", "sess-unrecorded"] },
    Metric { name: "CPU", unit: "ms/MB", beside: &["dtach", "tmux", "sess-unrecorded"] },
];

struct Unwatched {
    place: Place,
    orders: File,
    holder: Pid,
    /// The bare command's, which somebody must read.
    viewer: Option<Viewer>,
    turns: usize,
}

pub(super) fn run(setting: &Setting, report: &mut Report) -> Result<(), String> {
    let times = if setting.quick { TIMES / 3 } else { TIMES };
    for workload in Workload::ALL {
        let file = setting.workloads.file(workload, SMALL)?;
        let mut lanes = lanes(&setting.tools, |tool| {
            let mut place = Place::new(tool)?;
            let (orders, holder, viewer) = place.open_detached("s", SMALL)?;
            Ok(Unwatched { place, orders, holder, viewer, turns: 0 })
        });
        let bytes = bytes_in(&file)? * times as u64;
        alternate(&mut lanes, setting.rounds(5), setting.budget(), |unwatched| {
            unwatched.turn(&file, times, bytes)
        });
        let title = format!("{}, 80×24, {} MB a turn", workload.name(), bytes / 1_000_000);
        report.table(&title, METRICS, &lanes);
    }
    Ok(())
}

impl Unwatched {
    fn turn(&mut self, file: &Path, times: usize, bytes: u64) -> Result<Vec<f64>, String> {
        self.turns += 1;
        let token = format!("t{}", self.turns);
        let files = vec![file.display().to_string(); times].join(" ");
        let before = cpu_ms(self.holder);
        let begun = Instant::now();
        order(&mut self.orders, &format!("show {token} {files}\n"))?;
        let (ended, _) =
            self.place.hear(&format!("s done {token}"), self.viewer.as_mut(), PATIENCE)?;
        let cpu = cpu_ms(self.holder) - before;
        let megabytes = bytes as f64 / 1e6;
        let speed = megabytes / ended.duration_since(begun).as_secs_f64();
        let bare = self.place.tool.exe == Exe::None;
        Ok(vec![speed, if bare { f64::NAN } else { cpu / megabytes }])
    }
}

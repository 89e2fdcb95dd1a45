//! Coming back: from the start of the client until the whole screen is shown,
//! with as much history as is wanted.

use std::time::{Duration, Instant};

use super::{Setting, ms};
use crate::alternate::{alternate, lanes};
use crate::place::Place;
use crate::report::{Metric, Report};
use crate::viewer::SMALL;

const METRICS: &[Metric] = &[
    Metric { name: "last row shown", unit: "ms", beside: &["tmux"] },
    Metric { name: "nothing more came", unit: "ms", beside: &["tmux"] },
    Metric { name: "shown", unit: "kB", beside: &[] },
];
/// After this long without output all has come.
const QUIET: Duration = Duration::from_millis(100);

pub(super) fn run(setting: &Setting, report: &mut Report) -> Result<(), String> {
    for (lines, wanted) in [(0, "none"), (1000, "1000"), (10_000, "all")] {
        let file = setting.workloads.lines(lines + usize::from(SMALL.rows) - 1)?;
        let tools = setting.those(|tool| tool.keeps_screen);
        let mut lanes = lanes(&tools, |tool| {
            let mut place = Place::new(tool)?;
            let program = place.painter("s", &file, SMALL.rows);
            place.create("s", SMALL, &program)?;
            place.born("s")?;
            Ok(place)
        });
        std::thread::sleep(Duration::from_millis(300));
        alternate(&mut lanes, setting.rounds(15), setting.budget(), |place| {
            let begun = Instant::now();
            let mut viewer = place.attach("s", SMALL, wanted)?;
            let shown = viewer.watch_for(b"~settled~", begun + Duration::from_secs(10))?;
            let settled = viewer.settle(QUIET)?.unwrap_or(shown);
            let (shown, settled) = (shown.duration_since(begun), settled.duration_since(begun));
            Ok(vec![ms(shown), ms(settled), viewer.shown as f64 / 1e3])
        });
        report.table(&format!("{lines} lines of history, {wanted} wanted"), METRICS, &lanes);
    }
    Ok(())
}

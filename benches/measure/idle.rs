//! Wake-ups while nothing happens, all tools at the same time.

use std::time::{Duration, Instant};

use sess_sys::Pid;

use super::Setting;
use crate::alternate::{alternate, lanes};
use crate::interrupt;
use crate::peers::Tool;
use crate::place::Place;
use crate::report::{Metric, Report};
use crate::viewer::{SMALL, Viewer};
use crate::vitals::wake_ups;

const SPAN: Duration = Duration::from_secs(10);

const METRICS: &[Metric] = &[
    Metric { name: "holder, detached", unit: "", beside: &[] },
    Metric { name: "holder, attached", unit: "", beside: &[] },
    Metric { name: "client", unit: "", beside: &[] },
];

struct Idle {
    /// Of the detached session, of the attached one, and of its client.
    watched: [Pid; 3],
    before: [f64; 3],
    _viewer: Viewer,
    _place: Place,
}

#[expect(clippy::unnecessary_wraps, reason = "measurements have one shape")]
pub(super) fn run(setting: &Setting, report: &mut Report) -> Result<(), String> {
    let mut lanes = lanes(&setting.those(Tool::holds), |tool| {
        let mut place = Place::new(tool)?;
        let (_, detached, _) = place.open_detached("left", SMALL)?;
        let (viewer, attached) = place.open("shown", SMALL)?;
        let watched = [detached, attached, viewer.pid];
        Ok(Idle { watched, before: [0.0; 3], _viewer: viewer, _place: place })
    });
    std::thread::sleep(Duration::from_secs(2));
    for lane in &mut lanes {
        if let Ok(idle) = &mut lane.state {
            idle.before = idle.watched.map(wake_ups);
        }
    }
    let until = Instant::now() + SPAN;
    while Instant::now() < until && !interrupt::came() {
        std::thread::sleep(Duration::from_millis(250));
    }
    alternate(&mut lanes, 1, SPAN, |idle| {
        let now = idle.watched.map(wake_ups);
        Ok(now.iter().zip(idle.before).map(|(now, before)| now - before).collect())
    });
    report.table("wake-ups in 10 s", METRICS, &lanes);
    Ok(())
}

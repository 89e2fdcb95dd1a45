//! Ctrl-C under a flood: until the shell's next output is shown.

use std::time::{Duration, Instant};

use super::{Setting, ms};
use crate::alternate::{alternate, lanes};
use crate::place::Place;
use crate::report::{Metric, Report};
use crate::viewer::SMALL;

/// Shown of the flood before it is interrupted, in bytes, unless the tool drops
/// so much of it that this takes too long.
const FLOOD: u64 = 4_000_000;
const LONG_ENOUGH: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(20);

const METRICS: &[Metric] =
    &[Metric { name: "prompt back", unit: "ms", beside: &["bare", "relay2", "dtach"] }];

#[expect(clippy::unnecessary_wraps, reason = "measurements have one shape")]
pub(super) fn run(setting: &Setting, report: &mut Report) -> Result<(), String> {
    let mut lanes = lanes(&setting.tools, |tool| {
        let mut place = Place::new(tool)?;
        let (viewer, _) = place.open("s", SMALL)?;
        Ok((viewer, place))
    });
    alternate(&mut lanes, setting.rounds(21), setting.budget(), |(viewer, _)| {
        let (token, mark) = viewer.mark("stop");
        viewer.type_keys(format!("torrent {token}\n").as_bytes())?;
        viewer.watch_bytes(FLOOD, Instant::now() + LONG_ENOUGH)?;
        let begun = Instant::now();
        viewer.type_keys(b"\x03")?;
        let shown = viewer.watch_for(&mark, begun + PATIENCE)?;
        viewer.settle(Duration::from_millis(60))?;
        Ok(vec![ms(shown.duration_since(begun))])
    });
    report.table("typed until the prompt is back", METRICS, &lanes);
    Ok(())
}

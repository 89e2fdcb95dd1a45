//! Starting a session.

use std::time::{Duration, Instant};

use super::{Setting, ms};
use crate::alternate::{alternate, lanes};
use crate::peers::Tool;
use crate::place::Place;
use crate::report::{Metric, Report};
use crate::viewer::SMALL;

const DETACHED: &[Metric] = &[
    Metric { name: "command back", unit: "ms", beside: &["dtach"] },
    Metric { name: "program runs", unit: "ms", beside: &["dtach"] },
];
const ATTACHED: &[Metric] = &[Metric { name: "shown", unit: "ms", beside: &["dtach"] }];

/// What the turn before has set going ends before the next is measured: whoever
/// comes after a tool that starts lazily would pay for it.
const SETTLING: Duration = Duration::from_millis(10);

pub(super) fn run(setting: &Setting, report: &mut Report) -> Result<(), String> {
    let prepare = |tool| Ok((Place::new(tool)?, 0));
    let rounds = setting.rounds(45);
    let holding = setting.those(Tool::holds);

    let mut detached = lanes(&holding, prepare);
    alternate(&mut detached, rounds, setting.budget(), |(place, count)| {
        let name = named(count);
        let program = place.sleeper(&name, None);
        std::thread::sleep(SETTLING);
        let begun = Instant::now();
        let back = place.create(&name, SMALL, &program)?;
        place.born(&name)?;
        Ok(vec![ms(back), ms(begun.elapsed())])
    });
    report.table("left detached", DETACHED, &detached);
    drop(detached);

    let mark = setting.workloads.lines(1)?;
    let attaching = setting.those(|tool| !tool.create_attached.is_empty());
    let mut attached = lanes(&attaching, prepare);
    alternate(&mut attached, rounds, setting.budget(), |(place, count)| {
        let name = named(count);
        let program = place.painter(&name, &mark, SMALL.rows);
        std::thread::sleep(SETTLING);
        let begun = Instant::now();
        let mut viewer = place.create_attached(&name, SMALL, &program)?;
        let shown = viewer.watch_for(b"~settled~", begun + Duration::from_secs(10))?;
        place.born(&name)?;
        Ok(vec![ms(shown.duration_since(begun))])
    });
    report.table("attached, until the program's first output is shown", ATTACHED, &attached);
    Ok(())
}

fn named(count: &mut usize) -> String {
    *count += 1;
    format!("s{count}")
}

//! Many sessions at once: listing them, ending one, what they cost in memory.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Setting, ms};
use crate::alternate::{Lane, alternate, lanes};
use crate::peers::Tool;
use crate::place::Place;
use crate::report::{Metric, Report};
use crate::viewer::SMALL;
use crate::{interrupt, vitals};

const LIST: &[Metric] = &[Metric { name: "list", unit: "ms", beside: &["tmux"] }];
const KILL: &[Metric] = &[Metric { name: "kill", unit: "ms", beside: &["screen", "tmux"] }];
const MEMORY: &[Metric] = &[Metric { name: "PSS each", unit: "kB", beside: &["relay2", "dtach"] }];
/// More than this of every tool at once would be more than the system has
/// terminals for: then it is one tool after the other.
const TOGETHER: usize = 100;
/// Lines that sessions have shown whose memory is looked at once more.
const LINES: usize = 1000;

/// A tool's sessions.
struct Crowd {
    place: Place,
    names: Vec<String>,
    programs: Vec<sess_sys::Pid>,
}

impl Crowd {
    fn new(tool: &'static Tool, count: usize, file: Option<&Path>) -> Result<Crowd, String> {
        let mut crowd = Crowd { place: Place::new(tool)?, names: Vec::new(), programs: Vec::new() };
        for n in 0..count {
            if interrupt::came() {
                return Err("interrupted".to_owned());
            }
            let name = format!("s{n}");
            let program = crowd.place.sleeper(&name, file);
            crowd.place.create(&name, SMALL, &program)?;
            crowd.programs.push(crowd.place.born(&name)?);
            crowd.names.push(name);
        }
        Ok(crowd)
    }

    /// Memory of each holder; where one holds all, its share for each session.
    fn memory(&self) -> Result<Vec<f64>, String> {
        let holders: BTreeSet<_> =
            self.programs.iter().filter_map(|&pid| vitals::holder_of(pid)).collect();
        let each = holders.len() as f64 / self.programs.len() as f64;
        let memory: Vec<f64> =
            holders.into_iter().filter_map(vitals::pss_kb).map(|kb| kb * each).collect();
        if memory.is_empty() { Err("its holders were not found".to_owned()) } else { Ok(memory) }
    }
}

/// Runs `turns` on crowds of this size, of all tools at once as far as they go.
fn crowds(
    tools: &[&'static Tool],
    count: usize,
    file: Option<&Path>,
    mut turns: impl FnMut(&mut [Lane<Crowd>]),
) -> Vec<Lane<()>> {
    let groups: Vec<&[&'static Tool]> =
        if count > TOGETHER { tools.chunks(1).collect() } else { vec![tools] };
    let mut done = Vec::new();
    for group in groups {
        let mut lanes = lanes(group, |tool| Crowd::new(tool, count, file));
        turns(&mut lanes);
        done.extend(lanes.into_iter().map(Lane::without_state));
    }
    done
}

fn sizes(setting: &Setting) -> &'static [usize] {
    if setting.quick { &[1, 100] } else { &[1, 100, 1000] }
}

fn title(count: usize) -> String {
    let how = if count > TOGETHER { ", one tool after the other" } else { "" };
    format!("{count} session{}{how}", if count == 1 { "" } else { "s" })
}

#[expect(clippy::unnecessary_wraps, reason = "measurements have one shape")]
pub(super) fn list(setting: &Setting, report: &mut Report) -> Result<(), String> {
    let tools = setting.those(|tool| !tool.list.is_empty());
    for &count in sizes(setting) {
        let rounds = setting.rounds(if count == 1000 { 9 } else { 30 });
        let lanes = crowds(&tools, count, None, |lanes| {
            alternate(lanes, rounds, setting.budget(), |crowd| Ok(vec![ms(crowd.place.list()?)]));
        });
        report.table(&title(count), LIST, &lanes);
    }
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "measurements have one shape")]
pub(super) fn kill(setting: &Setting, report: &mut Report) -> Result<(), String> {
    let tools = setting.those(|tool| !tool.kill.is_empty());
    for &count in sizes(setting).iter().filter(|&&count| count > 1) {
        let lanes = crowds(&tools, count, None, |lanes| {
            alternate(lanes, setting.rounds(15), setting.budget(), |crowd| {
                let name = crowd.names.pop().ok_or("no session is left")?;
                Ok(vec![ms(crowd.place.kill(&name)?)])
            });
        });
        report.table(&format!("one of {}", title(count)), KILL, &lanes);
    }
    Ok(())
}

pub(super) fn memory(setting: &Setting, report: &mut Report) -> Result<(), String> {
    let tools = setting.those(Tool::holds);
    let file = setting.workloads.lines(LINES)?;
    for &count in sizes(setting) {
        for file in [None, Some(file.as_path())] {
            let lanes = crowds(&tools, count, file, |lanes| {
                // What is put off until it is quiet is part of it.
                std::thread::sleep(std::time::Duration::from_millis(500));
                for lane in lanes {
                    let Ok(crowd) = &lane.state else {
                        continue;
                    };
                    match crowd.memory() {
                        Ok(memory) => lane.turns = memory.into_iter().map(|kb| vec![kb]).collect(),
                        Err(reason) => lane.state = Err(reason),
                    }
                }
            });
            let shown = if file.is_some() { "1,000 coloured lines shown" } else { "silent" };
            report.table(&format!("{}, {shown}", title(count)), MEMORY, &lanes);
        }
    }
    Ok(())
}

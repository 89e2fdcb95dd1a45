//! Scripts that drive a session: a question until its answer is there, a command
//! until its status is. Where a tool can't wait, its script asks again and again.

use std::time::{Duration, Instant};

use super::{Setting, ms};
use crate::alternate::{alternate, lanes};
use crate::peers::Tool;
use crate::place::Place;
use crate::report::{Metric, Report};
use crate::viewer::SMALL;

const METRICS: &[Metric] = &[
    Metric { name: "question answered", unit: "ms", beside: &["tmux"] },
    Metric { name: "command run", unit: "ms", beside: &["tmux"] },
];
/// After this long without output every tool takes a shell to be at its prompt.
const PROMPT: Duration = Duration::from_millis(150);

#[expect(clippy::unnecessary_wraps, reason = "measurements have one shape")]
pub(super) fn run(setting: &Setting, report: &mut Report) -> Result<(), String> {
    let tools = setting.those(|tool: &Tool| !tool.ask.is_empty());
    let mut lanes = lanes(&tools, |tool| {
        let place = Place::new(tool)?;
        place.create("s", SMALL, &["/bin/bash".to_owned(), "--norc".to_owned()])?;
        Ok((place, 0))
    });
    alternate(&mut lanes, setting.rounds(45), setting.budget(), |(place, count)| {
        let mut measured = Vec::new();
        for script in [place.tool.ask, place.tool.run] {
            *count += 1;
            std::thread::sleep(PROMPT);
            let begun = Instant::now();
            place.script_run(script, "s", &format!("token{count}x"))?;
            measured.push(ms(begun.elapsed()));
        }
        Ok(measured)
    });
    report.table("from a script, an idle shell in the session", METRICS, &lanes);
    Ok(())
}

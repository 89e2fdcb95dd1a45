//! The measurements, each under its name, and what they share: which tools, which
//! output, how many turns.

mod attached;
mod create;
mod crowd;
mod ctrl_c;
mod detached;
mod echo;
mod idle;
mod reattach;
mod scripting;
mod stalled;

use std::time::Duration;

use crate::peers::{TOOLS, Tool};
use crate::report::Report;
use crate::workload::Workloads;

/// One of them.
#[derive(Debug)]
pub(crate) struct Measurement {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) run: fn(&Setting, &mut Report) -> Result<(), String>,
}

/// All of them.
pub(crate) const MEASUREMENTS: &[Measurement] = &[
    Measurement {
        name: "attached",
        about: "output through an attached client: MB/s, time on processors",
        run: attached::run,
    },
    Measurement {
        name: "detached",
        about: "output with nobody attached: MB/s, the holder's time",
        run: detached::run,
    },
    Measurement {
        name: "echo",
        about: "a key typed until it is shown, also on one processor alone",
        run: echo::run,
    },
    Measurement {
        name: "echo-flood",
        about: "the same while another session of the tool floods",
        run: echo::beside_a_flood,
    },
    Measurement {
        name: "create",
        about: "a session started: command back, program running, first output shown",
        run: create::run,
    },
    Measurement {
        name: "reattach",
        about: "attaching until the whole screen is shown, with history",
        run: reattach::run,
    },
    Measurement { name: "list", about: "listing 1, 100, 1,000 sessions", run: crowd::list },
    Measurement { name: "kill", about: "ending one session among 100, 1,000", run: crowd::kill },
    Measurement {
        name: "memory",
        about: "memory (PSS) for each of 1, 100, 1,000 sessions",
        run: crowd::memory,
    },
    Measurement { name: "idle", about: "wake-ups while nothing happens", run: idle::run },
    Measurement {
        name: "ctrl-c",
        about: "Ctrl-C typed under a flood until the prompt is back",
        run: ctrl_c::run,
    },
    Measurement {
        name: "scripting",
        about: "a question typed until its answer is there; a command until its status is",
        run: scripting::run,
    },
    Measurement {
        name: "stalled",
        about: "a client that stops reading: how long the program takes, what it costs",
        run: stalled::run,
    },
];

/// What all of them are run with.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) tools: Vec<&'static Tool>,
    /// Those that are not installed.
    pub(crate) absent: Vec<&'static Tool>,
    pub(crate) quick: bool,
    pub(crate) workloads: Workloads,
}

impl Setting {
    /// With these tools, or with all.
    pub(crate) fn new(quick: bool, names: &[String]) -> Result<Setting, String> {
        if let Some(name) = names.iter().find(|name| TOOLS.iter().all(|tool| tool.name != **name)) {
            return Err(format!("{name} is no tool that is known here"));
        }
        let wanted = |tool: &&Tool| names.is_empty() || names.iter().any(|it| it == tool.name);
        let (tools, absent) =
            TOOLS.iter().filter(wanted).partition(|tool: &&Tool| tool.find().is_some());
        Ok(Setting { tools, absent, quick, workloads: Workloads::new()? })
    }

    /// The tools that can do something.
    pub(crate) fn those(&self, can: impl Fn(&Tool) -> bool) -> Vec<&'static Tool> {
        self.tools.iter().copied().filter(|tool| can(tool)).collect()
    }

    /// A number of turns, fewer if it is to be quick.
    pub(crate) fn rounds(&self, full: usize) -> usize {
        if self.quick { full.div_ceil(3) } else { full }
    }

    /// Time after which a slow tool takes no more turns.
    pub(crate) fn budget(&self) -> Duration {
        Duration::from_secs(if self.quick { 4 } else { 15 })
    }
}

/// A duration in milliseconds.
fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

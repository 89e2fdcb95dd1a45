//! Taking turns: every tool once, then every tool again, so that what else the
//! machine does falls on all alike.

use std::time::{Duration, Instant};

use crate::interrupt;
use crate::peers::Tool;

/// A tool's samples; a reason in place of its state once it is out.
#[derive(Debug)]
pub(crate) struct Lane<S> {
    pub(crate) tool: &'static Tool,
    pub(crate) state: Result<S, String>,
    /// One row of numbers for each turn; what can't be measured is no number.
    pub(crate) turns: Vec<Vec<f64>>,
    spent: Duration,
}

/// Prepares a lane for each tool.
pub(crate) fn lanes<S>(
    tools: &[&'static Tool],
    mut prepare: impl FnMut(&'static Tool) -> Result<S, String>,
) -> Vec<Lane<S>> {
    tools
        .iter()
        .map(|&tool| Lane { tool, state: prepare(tool), turns: Vec::new(), spent: Duration::ZERO })
        .collect()
}

/// Lets each lane take `rounds` turns, one after the other. One that fails is out;
/// one that has used `budget` is slow enough to be known well.
pub(crate) fn alternate<S>(
    lanes: &mut [Lane<S>],
    rounds: usize,
    budget: Duration,
    mut turn: impl FnMut(&mut S) -> Result<Vec<f64>, String>,
) {
    for _ in 0..rounds {
        for lane in &mut *lanes {
            let Ok(state) = &mut lane.state else {
                continue;
            };
            if lane.spent > budget || interrupt::came() {
                continue;
            }
            let begun = Instant::now();
            match turn(state) {
                Ok(numbers) => lane.turns.push(numbers),
                Err(reason) => lane.state = Err(reason),
            }
            lane.spent += begun.elapsed();
        }
    }
}

impl<S> Lane<S> {
    /// All samples of one of the numbers.
    pub(crate) fn samples(&self, number: usize) -> Vec<f64> {
        self.turns.iter().map(|turn| turn.get(number).copied().unwrap_or(f64::NAN)).collect()
    }

    /// The samples alone; what was measured is over.
    pub(crate) fn without_state(self) -> Lane<()> {
        let Lane { tool, state, turns, spent } = self;
        Lane { tool, state: state.map(|_| ()), turns, spent }
    }
}

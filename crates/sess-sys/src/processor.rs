//! Staying on one processor for a moment. Processes that take turns are quicker there than
//! where each has to wake up another processor.

use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};

/// This process and those that it forks keep to one processor.
pub(crate) struct Pinned {
    /// What it was restricted to before.
    before: CpuSet,
}

impl Pinned {
    /// Keeps to the processor that it is on; `None` where that can't be had.
    pub(crate) fn here() -> Option<Pinned> {
        // Refused where there are more processors than such a set can hold.
        let before = sched_getaffinity(None).ok()?;
        let mut all = CpuSet::new();
        (0..CpuSet::MAX_CPU).for_each(|cpu| all.set(cpu));
        let mut here = CpuSet::new();
        here.set(sched_getcpu());
        // The system remembers what it is told, also when there are more processors later:
        // who was not restricted by anybody must not be from now on.
        sched_setaffinity(None, &all).ok()?;
        let is_free = sched_getaffinity(None).is_ok_and(|most| most == before);
        let pinned = Pinned { before: if is_free { all } else { before } };
        if sched_setaffinity(None, &here).is_err() {
            pinned.release();
            return None;
        }
        Some(pinned)
    }

    /// Takes it back, for the process that calls.
    pub(crate) fn release(&self) {
        // What held before is no more than may be had; if it isn't any more, the system
        // has chosen another already.
        let _ = sched_setaffinity(None, &self.before);
    }
}

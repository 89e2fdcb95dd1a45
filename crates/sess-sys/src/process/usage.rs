//! What processes have used of the machine.

use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

/// What processes used until they ended.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Usage {
    /// Time on a processor in their own code.
    pub user: Duration,
    /// Time on a processor in the kernel.
    pub system: Duration,
    /// Memory that the largest of them had at once, in KiB.
    pub max_rss_kib: u64,
}

/// What the children used that have ended and were waited for, with those of
/// theirs that they waited for, since this process began.
pub fn usage_of_children() -> Usage {
    // It can't be refused.
    getrusage(UsageWho::RUSAGE_CHILDREN).map_or_else(
        |_| Usage::default(),
        |usage| Usage {
            user: duration(usage.user_time()),
            system: duration(usage.system_time()),
            max_rss_kib: u64::try_from(usage.max_rss()).unwrap_or(0),
        },
    )
}

fn duration(time: TimeVal) -> Duration {
    let seconds = Duration::from_secs(u64::try_from(time.tv_sec()).unwrap_or(0));
    seconds + Duration::from_micros(u64::try_from(time.tv_usec()).unwrap_or(0))
}

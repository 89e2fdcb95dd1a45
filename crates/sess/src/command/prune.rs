//! `sess prune`.

use anyhow::Result;

use crate::cli::PruneArgs;
use crate::directory;
use crate::lookup;
use crate::output;
use crate::remains;
use crate::survey::now;

pub(super) fn run(args: &PruneArgs) -> Result<u8> {
    let directories = directory::all()?;
    let mut over = lookup::everything(&directories, true)?;
    over.retain(|one| one.state.is_over());
    if let Some(older) = args.older {
        let now = now();
        over.retain(|one| remains::over_for(&one.record, now) > older);
    }
    over.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(super::each(&over, |sighting| {
        // One that somebody has begun again just now is none of ours.
        let Some(claim) = remains::claim(&directories, sighting)? else {
            return Ok(());
        };
        remains::leave_the_living_alone(&claim)?;
        remains::remove(claim)?;
        Ok(output::print(&format!("{}\n", sighting.name))?)
    }))
}

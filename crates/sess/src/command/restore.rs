//! `sess restore`.

use anyhow::Result;

use crate::cli::RestoreArgs;
use crate::directory;
use crate::error::{Kind, kind_of};
use crate::lookup;
use crate::output;
use crate::relaunch::relaunch;
use crate::survey::Sighting;

pub(super) fn run(args: &RestoreArgs) -> Result<u8> {
    let directories = directory::all()?;
    let mut taken = lookup::everything(&directories, true)?;
    taken.retain(|one| one.state.is_over() && one.record.was_taken());
    taken.sort_by(|a, b| a.name.cmp(&b.name));
    if args.list {
        let views: Vec<_> = taken.iter().map(Sighting::view).collect();
        super::list(&views, "nothing to restore")?;
        return Ok(0);
    }
    Ok(super::each(&taken, |sighting| {
        match relaunch(&directories, sighting, false) {
            Ok(launched) => Ok(output::print(&format!("{}\n", launched.name))?),
            // Somebody else has just started it again.
            Err(error) if kind_of(&error) == Kind::Taken => Ok(()),
            Err(error) => Err(error),
        }
    }))
}

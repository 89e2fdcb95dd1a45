//! `sess restart`.

use anyhow::Result;

use crate::cli::RestartArgs;
use crate::directory;
use crate::lookup;
use crate::relaunch::relaunch;

pub(super) fn run(args: &RestartArgs) -> Result<u8> {
    let directories = directory::all()?;
    Ok(super::each(&args.names, |name| {
        let sighting = lookup::find(&directories, name)?;
        relaunch(&directories, &sighting, false).map(drop)
    }))
}

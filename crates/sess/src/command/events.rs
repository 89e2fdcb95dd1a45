//! `sess events`.

use anyhow::Result;

use crate::cli::EventsArgs;
use crate::directory;
use crate::ears::Ears;
use crate::lookup;
use crate::output::{Outlet, Teller};

pub(super) fn run(args: &EventsArgs) -> Result<u8> {
    let mut teller = Teller::new(args.json);
    let mut outlet = Outlet::new()?;
    let mut ears = match &args.name {
        None => Ears::for_all()?,
        Some(name) => {
            let directories = directory::all()?;
            let sighting = lookup::find(&directories, name)?;
            sighting.must_run()?;
            Ears::for_one(directories, &sighting)
        }
    };
    ears.listen(&mut outlet, &mut |happened, outlet| {
        outlet.push(teller.line(&happened).as_bytes());
    })?;
    outlet.drain()?;
    Ok(0)
}

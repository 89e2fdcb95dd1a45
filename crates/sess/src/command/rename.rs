//! `sess rename`.

use std::time::Instant;

use anyhow::Result;
use sess_proto::HolderMessage;
use sess_proto::message::Rename;

use crate::cli::RenameArgs;
use crate::connection::Connection;
use crate::directory::{self, Directory};
use crate::error::Failure;
use crate::lookup;
use crate::survey::{PATIENCE, Sighting, survey};

pub(super) fn run(args: &RenameArgs) -> Result<u8> {
    let directories = directory::all()?;
    let sighting = lookup::find(&directories, &args.name)?;
    sighting.must_run()?;
    must_be_free(&directories, &sighting, args)?;
    let mut connection = Connection::open(&sighting.folder(&directories)?, args.name.as_str())?;
    connection.send(Rename { name: args.new.to_string() })?;
    connection.receive(Some(Instant::now() + PATIENCE), |message| {
        matches!(message, HolderMessage::Done(_)).then_some(0)
    })
}

/// The holder sees to its own directory; a name is one session's in all of them.
fn must_be_free(directories: &[Directory], sighting: &Sighting, args: &RenameArgs) -> Result<()> {
    let everywhere = (0..directories.len()).map(|index| (index, args.new.clone())).collect();
    let found = survey(directories, everywhere, false)?;
    let itself = |one: &Sighting| args.new == args.name && one.directory == sighting.directory;
    if found.iter().any(|one| !itself(one)) {
        return Err(Failure::taken(args.new.as_str()).into());
    }
    Ok(())
}

//! `sess rename`.

use std::time::Instant;

use anyhow::Result;
use sess_holder::ending::Scope;
use sess_proto::HolderMessage;
use sess_proto::message::Rename;

use crate::cli::RenameArgs;
use crate::connection::Connection;
use crate::directory::{self, Directory};
use crate::error::{Failure, Kind};
use crate::lookup;
use crate::output::State;
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
    let found = survey(directories, everywhere, true)?;
    let itself = |one: &Sighting| args.new == args.name && one.directory == sighting.directory;
    for one in found.iter().filter(|one| !itself(one)) {
        match (one.state, &one.record.start) {
            (State::Running | State::Unresponsive, _) => {
                return Err(Failure::taken(args.new.as_str()).into());
            }
            // As `new` does, what still lives of a dead session is left alone.
            (State::Dead, Some(start))
                if !Scope::Carriers(start.id.clone()).living()?.is_empty() =>
            {
                let kind = Kind::Failed;
                return Err(Failure { kind, ..Failure::left_running(args.new.as_str()) }.into());
            }
            (State::Dead | State::Exited, _) => {}
        }
    }
    Ok(())
}

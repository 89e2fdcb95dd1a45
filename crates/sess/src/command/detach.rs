//! `sess detach`.

use std::time::Instant;

use anyhow::Result;
use sess_proto::HolderMessage;
use sess_proto::message::Detach;

use crate::cli::DetachArgs;
use crate::connection::Connection;
use crate::directory::{self, Directory};
use crate::lookup;
use crate::survey::{PATIENCE, Sighting};

pub(super) fn run(args: &DetachArgs) -> Result<u8> {
    let directories = directory::all()?;
    if args.all {
        let all = lookup::everything(&directories, false)?;
        return Ok(super::each(&all, |one| detach(&directories, one)));
    }
    Ok(super::each(&args.names, |name| detach(&directories, &lookup::find(&directories, name)?)))
}

fn detach(directories: &[Directory], sighting: &Sighting) -> Result<()> {
    sighting.must_run()?;
    let mut connection = Connection::open(&sighting.folder(directories)?, sighting.name.as_str())?;
    connection.send(Detach {})?;
    connection.receive(Some(Instant::now() + PATIENCE), |message| {
        matches!(message, HolderMessage::Done(_)).then_some(())
    })
}

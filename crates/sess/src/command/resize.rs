//! `sess resize`.

use std::time::Instant;

use anyhow::Result;
use sess_proto::HolderMessage;
use sess_proto::message::SetSize;

use crate::cli::ResizeArgs;
use crate::connection::Connection;
use crate::directory;
use crate::lookup;
use crate::survey::PATIENCE;

pub(super) fn run(args: &ResizeArgs) -> Result<u8> {
    let directories = directory::all()?;
    let sighting = lookup::find(&directories, &args.name)?;
    sighting.must_run()?;
    let mut connection = Connection::open(&sighting.folder(&directories)?, args.name.as_str())?;
    connection.send(SetSize { size: args.size })?;
    connection.receive(Some(Instant::now() + PATIENCE), |message| {
        matches!(message, HolderMessage::Done(_)).then_some(0)
    })
}

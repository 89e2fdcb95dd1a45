//! The way from a session to standard output: hears what the holder says while
//! standard output takes what comes of it, neither waiting for the other.
//!
//! The skeleton of the other loops: derive interest, poll, translate, handle. Must
//! not know what is said.

use std::os::fd::AsFd;
use std::time::Instant;

use anyhow::Result;
use sess_proto::HolderMessage;
use sess_sys::{Entry, poll};

use crate::connection::Connection;
use crate::error::Failure;
use crate::output::Outlet;

/// For whom something is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// For who reads standard output alone: if that is nobody there is nothing more
    /// to do, and who is slow is told what was missed.
    Only,
    /// The end is of interest in any case, and nothing should be missed.
    AndUs,
}

impl Reader {
    /// Bytes that standard output has still to take, over which no more is read.
    fn read_ahead(self) -> usize {
        match self {
            Self::Only => 256 * 1024,
            Self::AndUs => 64 * 1024 * 1024,
        }
    }
}

/// Lets `hear` hear what the holder says until it has heard the end: that is what is
/// returned, or nothing if nobody reads any more. Once the holder has said anything
/// it is waited for until `limit`. What the outlet has not taken then stays in it.
pub(crate) fn pass_on<T>(
    connection: &mut Connection,
    outlet: &mut Outlet,
    limit: Option<Instant>,
    reader: Reader,
    mut hear: impl FnMut(HolderMessage<'_>, &mut Outlet) -> Result<Option<T>>,
) -> Result<Option<T>> {
    loop {
        if let Some(end) = connection.heed(&mut |message| hear(message, outlet))? {
            return Ok(Some(end));
        }
        if outlet.is_closed() && reader == Reader::Only {
            return Ok(None);
        }
        let left = connection
            .deadline(limit)
            .map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Err(Failure::unresponsive(&connection.name).into());
        }
        let mut entries = Vec::new();
        let reads = outlet.waiting() < reader.read_ahead();
        if reads {
            entries.push(Entry::new(connection.stream.as_fd(), true, false));
        }
        if !outlet.is_closed() {
            entries.push(outlet.entry());
        }
        poll::poll(&mut entries, left)?;
        let came: Vec<_> = entries.iter().map(|entry| entry.ready).collect();
        if reads && (came[0].read || came[0].closed) {
            connection.read()?;
        }
        if let Some(&ready) = came.get(usize::from(reads)) {
            outlet.proceed(ready)?;
        }
    }
}

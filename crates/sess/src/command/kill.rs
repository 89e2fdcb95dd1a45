//! `sess kill`.

use anyhow::Result;
use sess_sys::process::{self, Signal};

use crate::cli::KillArgs;
use crate::directory;
use crate::ending::{How, ask, end};
use crate::error::Failure;
use crate::lookup;
use crate::survey::Sighting;

pub(super) fn run(args: &KillArgs) -> Result<u8> {
    let signal = match &args.signal {
        None => None,
        Some(text) => Some(Signal::parse(text).ok_or_else(|| {
            Failure::usage(format!("no such signal: {text}"))
                .hint("a signal is a name or number, as INT, SIGINT or 2")
        })?),
    };
    let how = How { signal, grace: args.grace };
    let directories = directory::all()?;
    let targets: Vec<Result<Sighting>> = if args.all {
        let mut all = lookup::everything(&directories, false)?;
        all.retain(|one| !one.state.is_over());
        all.into_iter().map(Ok).collect()
    } else {
        args.names.iter().map(|name| lookup::find(&directories, name)).collect()
    };
    // All are asked before any is waited for, so that one that takes its grace holds
    // up nobody; the one that we are in comes last, for we go with it.
    let around = process::ancestors(process::current());
    let mut targets = targets;
    targets.sort_by_key(|target| {
        let holder = target.as_ref().ok().and_then(|sighting| sighting.holder);
        holder.is_some_and(|holder| around.iter().any(|process| process.pid == holder))
    });
    let asked: Vec<_> = targets
        .into_iter()
        .map(|target| {
            target.map(|sighting| {
                let connection = ask(&directories, &sighting, how);
                (sighting, connection)
            })
        })
        .collect();
    Ok(super::each(asked, |target| {
        let (sighting, connection) = target?;
        end(&directories, &sighting, connection, how)
    }))
}

//! `sess status`.

use anyhow::Result;

use crate::cli::StatusArgs;
use crate::directory;
use crate::error::{Codes, Failure, Kind, status_code};
use crate::lookup;
use crate::output::{self, details};
use crate::survey::now;

pub(super) fn run(args: &StatusArgs) -> Result<u8> {
    let directories = directory::all()?;
    let found = lookup::find_or_only(&directories, args.name.as_ref());
    let view = match found {
        Ok(found) => found.view(),
        // Whoever wants no answer in words wants none about this either.
        Err(error) if args.quiet && args.name.is_some() && is_missing(&error) => {
            return Ok(Kind::NoSuchSession.code(Codes::Ordinary));
        }
        Err(error) => return Err(error),
    };
    if args.json {
        output::print(&output::json(&view))?;
    } else if !args.quiet {
        output::print(&details(&view, now()))?;
    }
    Ok(status_code(view.state))
}

fn is_missing(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Failure>().is_some_and(|failure| failure.kind == Kind::NoSuchSession)
}

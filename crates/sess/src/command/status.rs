//! `sess status`.

use anyhow::Result;

use crate::cli::StatusArgs;
use crate::directory;
use crate::error::status_code;
use crate::lookup;
use crate::output::{self, details};
use crate::survey::now;

pub(super) fn run(args: &StatusArgs) -> Result<u8> {
    let directories = directory::all()?;
    let view = lookup::find_or_only(&directories, args.name.as_ref())?.view();
    if args.json {
        output::print(&output::json(&view))?;
    } else if !args.quiet {
        output::print(&details(&view, now()))?;
    }
    Ok(status_code(view.state))
}

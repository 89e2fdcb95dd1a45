//! `sess completions`.

use anyhow::Result;

use crate::cli::{self, CompletionsArgs};
use crate::output;

pub(super) fn run(args: &CompletionsArgs) -> Result<u8> {
    output::print(&cli::completions(args.shell))?;
    Ok(0)
}

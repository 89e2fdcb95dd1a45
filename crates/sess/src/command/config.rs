//! `sess config`.

use anyhow::Result;

use crate::cli::ConfigArgs;
use crate::{config, output};

pub(super) fn run(ConfigArgs {}: &ConfigArgs) -> Result<u8> {
    output::print(&config::commented())?;
    Ok(0)
}

//! `sess capture`.

use anyhow::Result;

use crate::cli::{CaptureArgs, Format};
use crate::directory;
use crate::lookup;
use crate::output;
use crate::shown::shown;

pub(super) fn run(args: &CaptureArgs) -> Result<u8> {
    let directories = directory::all()?;
    let sighting = lookup::find_or_only(&directories, args.name.as_ref())?;
    let lines = args.history.map_or(0, crate::config::Lines::to_wire);
    let shown = shown(&directories, &sighting, lines)?;
    let mut picture = shown.screen.picture(usize::try_from(lines).unwrap_or(usize::MAX));
    // Our own screen was fed something else.
    picture.offset = shown.offset;
    if args.join {
        picture = picture.joined();
    }
    match args.format {
        Format::Text => output::print(&picture.text())?,
        Format::Ansi => output::print_bytes(&picture.ansi())?,
        Format::Json => output::print(&output::json(&picture))?,
        Format::Html => output::print(&picture.html())?,
    }
    Ok(0)
}

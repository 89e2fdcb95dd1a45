//! `sess man`.

use anyhow::Result;

use crate::cli::{self, ManArgs};
use crate::error::Failure;

pub(super) fn run(args: &ManArgs) -> Result<u8> {
    let failed = |path: &std::path::Path, error| {
        Failure::failed(format!("can't write {}: {error}", path.display()))
    };
    std::fs::create_dir_all(&args.dir).map_err(|error| failed(&args.dir, error))?;
    for (name, page) in cli::man_pages() {
        let path = args.dir.join(name);
        std::fs::write(&path, page).map_err(|error| failed(&path, error))?;
    }
    Ok(0)
}

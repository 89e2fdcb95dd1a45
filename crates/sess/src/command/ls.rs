//! `sess ls`.

use anyhow::Result;

use crate::cli::LsArgs;
use crate::directory;
use crate::lookup;
use crate::output::{self, Filter, SessionView, sort};
use crate::survey::Sighting;

pub(super) fn run(args: &LsArgs) -> Result<u8> {
    let directories = directory::all()?;
    let ended = args.all || args.filters.iter().any(Filter::asks_for_ended);
    let found = lookup::everything(&directories, ended)?;
    let mut sessions: Vec<SessionView> = found.iter().map(Sighting::view).collect();
    sessions.retain(|session| args.filters.iter().all(|filter| filter.holds(session)));
    sort(&mut sessions);
    if args.json {
        output::print(&output::json_array(&sessions))?;
    } else if args.quiet {
        output::print(&output::names(&sessions))?;
    } else {
        super::list(&sessions, "no sessions")?;
    }
    Ok(0)
}

//! `sess ls`.

use anyhow::Result;
use sess_sys::{Terminal, tty};

use crate::cli::LsArgs;
use crate::directory;
use crate::lookup;
use crate::output::{self, Filter, SessionView, sort, table};
use crate::survey::{Sighting, now};

pub(super) fn run(args: &LsArgs) -> Result<u8> {
    let directories = directory::all()?;
    let ended = args.all || args.filters.iter().any(Filter::asks_for_ended);
    let found = lookup::everything(&directories, ended)?;
    let mut sessions: Vec<SessionView> = found.iter().map(Sighting::view).collect();
    sessions.retain(|session| args.filters.iter().all(|filter| filter.holds(session)));
    sort(&mut sessions);
    let text = if args.json {
        output::json_array(&sessions)
    } else if args.quiet {
        output::names(&sessions)
    } else if sessions.is_empty() {
        if tty::stdout_is_terminal() {
            output::note("no sessions");
        }
        String::new()
    } else {
        table(&sessions, now(), width())
    };
    output::print(&text)?;
    Ok(0)
}

/// The width of the terminal that the table goes to, if it goes to one.
fn width() -> Option<usize> {
    if !tty::stdout_is_terminal() {
        return None;
    }
    let size = Terminal::from_stdin().ok()??.size().ok()?;
    Some(usize::from(size.cols)).filter(|&cols| cols > 0)
}

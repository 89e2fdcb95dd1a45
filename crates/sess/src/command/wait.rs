//! `sess wait`.

use std::time::{Duration, Instant};

use anyhow::Result;
use sess_holder::pattern::Pattern;
use sess_proto::HolderMessage;
use sess_proto::message::{Exit, Until, Wait};
use sess_screen::{Size, WrittenLine};

use crate::cli::WaitArgs;
use crate::connection::Connection;
use crate::directory::{self, Directory};
use crate::error::{Failure, program_code};
use crate::lookup::{self, ended_meanwhile, exit_of};
use crate::output::{State, span};
use crate::shown::{recorded, shown};
use crate::survey::Sighting;

/// How much longer than its own time limit a holder may take to say that it is over.
pub(super) const GRACE: Duration = Duration::from_secs(2);

/// What came of waiting.
enum Outcome {
    Happened,
    TimedOut,
    Exited(Exit),
}

pub(super) fn run(args: &WaitArgs) -> Result<u8> {
    let directories = directory::all()?;
    let sighting = lookup::find_or_only(&directories, args.name.as_ref())?;
    let until = until(args);
    if sighting.state.is_over() {
        return over(&directories, &sighting, &until, args.since);
    }
    sighting.must_run()?;
    let name = sighting.name.as_str();
    match wait(&directories, &sighting, &until, args) {
        Ok(Outcome::Happened) => Ok(0),
        Ok(Outcome::Exited(exit)) if until == Until::Exit => Ok(program_code(exit)),
        Ok(Outcome::Exited(exit)) => Err(Failure::exited(name, exit).into()),
        Ok(Outcome::TimedOut) => Err(late(name, &until, args.timeout).into()),
        Err(error) => {
            let now = ended_meanwhile(&directories, &sighting, error)?;
            over(&directories, &now, &until, args.since)
        }
    }
}

fn until(args: &WaitArgs) -> Until {
    match (&args.text, args.idle) {
        (Some(text), _) => Until::Text(text.clone()),
        (None, Some(time)) => Until::Idle(milliseconds(time)),
        (None, None) => Until::Exit,
    }
}

pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// When a holder that was given so much time counts as not answering.
pub(super) fn limit(timeout: Option<Duration>) -> Option<Instant> {
    Instant::now().checked_add(timeout?.saturating_add(GRACE))
}

/// What was waited for has not happened in time.
pub(super) fn late(name: &str, until: &Until, timeout: Option<Duration>) -> Failure {
    let within = timeout.map(|time| format!(" within {}", span(time))).unwrap_or_default();
    Failure::timed_out(match until {
        Until::Exit => format!("session {name} did not end{within}"),
        Until::Text(regex) => format!("session {name} did not show /{regex}/{within}"),
        Until::Idle(quiet) => {
            let quiet = span(Duration::from_millis(*quiet));
            format!("session {name} was not quiet for {quiet}{within}")
        }
    })
}

fn wait(
    directories: &[Directory],
    sighting: &Sighting,
    until: &Until,
    args: &WaitArgs,
) -> Result<Outcome> {
    let limit = limit(args.timeout);
    let mut connection = Connection::open(&sighting.folder(directories)?, sighting.name.as_str())?;
    let timeout = args.timeout.map(milliseconds);
    connection.send(Wait { until: until.clone(), since: args.since, timeout })?;
    connection.receive_late(limit, |message| match message {
        HolderMessage::Happened(_) => Some(Outcome::Happened),
        HolderMessage::TimedOut(_) => Some(Outcome::TimedOut),
        HolderMessage::Exited(exited) => Some(Outcome::Exited(exited.exit)),
        _ => None,
    })
}

/// What is said of a session that has ended.
fn over(
    directories: &[Directory],
    sighting: &Sighting,
    until: &Until,
    since: Option<u64>,
) -> Result<u8> {
    let exit = exit_of(&sighting.record).filter(|_| sighting.state == State::Exited);
    match until {
        Until::Exit => {
            if let Some(exit) = exit {
                return Ok(program_code(exit));
            }
        }
        Until::Text(text) => {
            let pattern = Pattern::parse(text).map_err(Failure::usage)?;
            if showed(directories, sighting, &pattern, since)? {
                return Ok(0);
            }
        }
        Until::Idle(_) => {}
    }
    sighting.must_run()?;
    Err(Failure::lost(sighting.name.as_str()).into())
}

/// Whether a line matches of what an ended session showed at the end, or of what it
/// wrote since an offset.
fn showed(
    directories: &[Directory],
    sighting: &Sighting,
    pattern: &Pattern,
    since: Option<u64>,
) -> Result<bool> {
    let lines = match since {
        None => {
            let screen = shown(directories, sighting, 0)?.screen;
            screen.lines_since(screen.history().end, 0, true)
        }
        Some(since) => {
            let output = recorded(directories, sighting)?;
            let Some(since) = since.checked_sub(output.from) else {
                let from = output.from;
                let why = format!("offset {since} is too long ago: output is kept from {from} on");
                return Err(Failure::refused(sighting.name.as_str(), &why).into());
            };
            let (cols, rows) = output.size();
            WrittenLine::of_output(Size::new(cols, rows), &[&output.raw], since)
        }
    };
    Ok(lines.iter().any(|line| pattern.matches(line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_did_not_happen_is_told_with_the_time_it_had() {
        let timeout = Some(Duration::from_secs(2));
        let told = |until| late("work", &until, timeout).message;
        assert_eq!(told(Until::Exit), "session work did not end within 2s");
        assert_eq!(told(Until::Text("a|b".into())), "session work did not show /a|b/ within 2s");
        assert_eq!(told(Until::Idle(500)), "session work was not quiet for 500ms within 2s");
    }
}

//! `sess new`.

use anyhow::Result;
use sess_proto::SessionName;
use sess_proto::message::Size;
use sess_sys::{Pid, Terminal, Watched};

use super::attach;
use crate::attach_loop::View;
use crate::borrowed_terminal::size;
use crate::cli::NewArgs;
use crate::connection::Connection;
use crate::directory;
use crate::error::{Failure, Kind};
use crate::launch::{Request, launch};
use crate::lookup;
use crate::output::{self, State};

/// The size of a session that nobody has seen.
const SIZE: Size = Size { cols: 80, rows: 24, xpixel: 0, ypixel: 0 };

pub(super) fn run(args: NewArgs) -> Result<u8> {
    let mut config = super::config()?;
    config.history = args.history.unwrap_or(config.history);
    config.record_output = args.record.unwrap_or(config.record_output);
    config.restart = args.restart.unwrap_or(config.restart);
    config.idle_timeout = args.idle_timeout.unwrap_or(config.idle_timeout);
    config.timeout = args.timeout.unwrap_or(config.timeout);
    config.on_exit = args.on_exit.unwrap_or(config.on_exit);
    let terminal = if args.detached { None } else { Some(attach::terminal()?) };
    let on_screen = terminal.as_ref().map(size).filter(|size| size.cols > 0 && size.rows > 0);
    let name = args.name.clone();
    let companion = args.with_pid.map(companion).transpose()?;
    let request = Request {
        name: args.name,
        command: args.command,
        cwd: args.cwd,
        env: args.env,
        size: args.size.or(on_screen).unwrap_or(SIZE),
        labels: args.labels,
        companion,
        config: &config,
        attach: terminal.is_some(),
    };
    let view = attach::view(&config, config.lines, false, false);
    let running = if args.attach { name.as_ref().filter(|name| runs(name)) } else { None };
    let launched = match running {
        Some(name) => return come_back(name, terminal.as_ref(), view),
        None => launch(request),
    };
    match (launched, terminal) {
        (Ok(launched), None) => {
            output::print(&format!("{}\n", launched.name))?;
            Ok(0)
        }
        (Ok(launched), Some(terminal)) => {
            let name = launched.name.as_str();
            let stream = launched.stream.ok_or_else(|| Failure::lost(name))?;
            attach::relay(&terminal, Connection::over(stream, name)?, view)
        }
        // Somebody else has started it just now.
        (Err(error), terminal) if args.attach && is_taken(&error) => match name {
            Some(name) => come_back(&name, terminal.as_ref(), view),
            None => Err(error),
        },
        (Err(error), _) => Err(error),
    }
}

/// The process that the session is to end with.
fn companion(pid: i32) -> Result<Watched> {
    let watched = Watched::open(Pid(pid))
        .map_err(|error| Failure::failed(format!("can't watch process {pid}: {error}")))?;
    match watched {
        Some(watched) if !watched.has_ended()? => Ok(watched),
        _ => Err(Failure::failed(format!("there is no process {pid} to end with")).into()),
    }
}

/// Whether a session of this name runs and answers.
fn runs(name: &SessionName) -> bool {
    let found = directory::all().and_then(|directories| lookup::find(&directories, name));
    found.is_ok_and(|sighting| sighting.state == State::Running)
}

/// `-A` for a session that runs: attaches, or with `-d` is content.
fn come_back(name: &SessionName, terminal: Option<&Terminal>, view: View) -> Result<u8> {
    if let Some(terminal) = terminal {
        return attach::by_name(terminal, Some(name), view);
    }
    output::print(&format!("{name}\n"))?;
    Ok(0)
}

fn is_taken(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Failure>().is_some_and(|failure| failure.kind == Kind::Taken)
}

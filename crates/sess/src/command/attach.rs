//! `sess attach`.

use anyhow::Result;
use sess_proto::SessionName;
use sess_sys::{Terminal, process, tty};

use crate::attach_loop::{self, End, View};
use crate::cli::AttachArgs;
use crate::config::{Config, Lines};
use crate::connection::Connection;
use crate::directory::{self, Directory};
use crate::error::{Failure, program_code, warn};
use crate::lookup::{self, exit_of};
use crate::output::{self, State};
use crate::relaunch::relaunch;
use crate::survey::Sighting;

pub(super) fn run(args: &AttachArgs) -> Result<u8> {
    let config = super::config()?;
    let view = view(&config, args.lines.unwrap_or(config.lines), args.read_only, args.exclusive);
    // Who asks for what isn't there should hear that, with or without a terminal.
    let directories = directory::all()?;
    let sighting = lookup::find_or_only(&directories, args.name.as_ref())?;
    if args.restart && sighting.state.is_over() {
        let terminal = terminal()?;
        let launched = relaunch(&directories, &sighting, true)?;
        let name = launched.name.as_str();
        let stream = launched.stream.ok_or_else(|| Failure::lost(name))?;
        return relay(&terminal, Connection::over(stream, name)?, view);
    }
    if let Some(code) = ended(&sighting)? {
        return Ok(code);
    }
    show(&terminal()?, &directories, &sighting, view)
}

/// The terminal to attach in.
pub(super) fn terminal() -> Result<Terminal> {
    if !tty::stdout_is_terminal() {
        return Err(Failure::no_terminal().into());
    }
    Ok(Terminal::from_stdin()?.ok_or_else(Failure::no_terminal)?)
}

/// What the arguments and the configuration ask to see.
pub(super) fn view(config: &Config, lines: Lines, read_only: bool, exclusive: bool) -> View {
    View { lines: lines.to_wire(), read_only, exclusive, detach_key: config.detach_key.clone() }
}

/// Attaches to the session of this name, or the only one.
pub(super) fn by_name(terminal: &Terminal, name: Option<&SessionName>, view: View) -> Result<u8> {
    let directories = directory::all()?;
    let sighting = lookup::find_or_only(&directories, name)?;
    match ended(&sighting)? {
        Some(code) => Ok(code),
        None => show(terminal, &directories, &sighting, view),
    }
}

/// Tells how a session ended, if it has; returns its program's exit code.
fn ended(sighting: &Sighting) -> Result<Option<u8>> {
    if sighting.state == State::Exited
        && let Some(exit) = exit_of(&sighting.record)
    {
        output::print(&format!("{}\n", output::ended_line(sighting.name.as_str(), exit)))?;
        return Ok(Some(program_code(exit)));
    }
    sighting.must_run()?;
    Ok(None)
}

fn show(
    terminal: &Terminal,
    directories: &[Directory],
    sighting: &Sighting,
    view: View,
) -> Result<u8> {
    refuse_loops(terminal, directories, sighting)?;
    let name = sighting.name.as_str();
    let folder = sighting.folder(directories)?;
    let attached = Connection::open(&folder, name)
        .and_then(|connection| attach_loop::attach(terminal, connection, view));
    match attached {
        Ok((end, lost)) => tell(&end, lost),
        // It may have ended just before it could be attached to, or while.
        Err(error) => match lookup::find(directories, &sighting.name).map(|now| ended(&now)) {
            Ok(Ok(Some(code))) => Ok(code),
            _ => Err(error),
        },
    }
}

/// Shows a session over a connection that stands.
pub(super) fn relay(terminal: &Terminal, connection: Connection, view: View) -> Result<u8> {
    let (end, lost) = attach_loop::attach(terminal, connection, view)?;
    tell(&end, lost)
}

/// Says how the attachment ended, and whether anything typed is lost; returns the
/// exit code for that.
fn tell(end: &End, lost: u64) -> Result<u8> {
    let code = match end {
        End::Detached { name, signal } => {
            // A terminal that hung up has nobody to tell.
            let _ = output::print(&format!("{}\n", output::detached_line(name)));
            signal.map_or(0, |signal| program_code(sess_proto::message::Exit::Signal(signal)))
        }
        End::Exited { name, exit } => {
            output::print(&format!("{}\n", output::ended_line(name, *exit)))?;
            program_code(*exit)
        }
    };
    if lost > 0 {
        warn(&format!("{lost} typed bytes were not taken and are lost"));
    }
    Ok(code)
}

/// Refuses to show a session in a terminal that itself shows in that session,
/// however many others are in between.
fn refuse_loops(terminal: &Terminal, directories: &[Directory], sighting: &Sighting) -> Result<()> {
    let Some(target) = &sighting.info else {
        return Ok(());
    };
    let here = terminal.id()?;
    let here = (here.dev, here.rdev);
    if here == (target.tty_dev, target.tty_rdev) {
        return Err(Failure::itself(sighting.name.as_str()).into());
    }
    if !is_in_a_session() {
        return Ok(());
    }
    let all = lookup::everything(directories, false)?;
    let infos: Vec<_> = all.iter().filter_map(|one| one.info.as_ref()).collect();
    // From this terminal outwards: the session that it belongs to, the terminals
    // that session shows in, and so on.
    let mut terminals = vec![here];
    let mut seen = Vec::new();
    while let Some(terminal) = terminals.pop() {
        let owner = infos.iter().find(|info| (info.tty_dev, info.tty_rdev) == terminal);
        let Some(owner) = owner.filter(|owner| !seen.contains(&&owner.id)) else {
            continue;
        };
        if owner.id == target.id {
            return Err(Failure::itself(sighting.name.as_str()).into());
        }
        seen.push(&owner.id);
        terminals.extend(owner.clients.iter().map(|one| (one.tty_dev, one.tty_rdev)));
    }
    Ok(())
}

/// Whether this process may be in a session: its environment says so, or one of
/// its ancestors is a holder.
fn is_in_a_session() -> bool {
    std::env::var_os(sess_holder::ending::ID_VARIABLE).is_some()
        || process::ancestors(process::current()).iter().any(sess_holder::ending::is_holder)
}

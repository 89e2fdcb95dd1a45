//! What each verb does, a file each: from what was asked for to an exit code.

mod attach;
mod capture;
mod completions;
mod config;
mod detach;
mod events;
mod kill;
mod logs;
mod ls;
mod man;
mod new;
mod prune;
mod rename;
mod resize;
mod restart;
mod restore;
mod run;
mod send;
mod status;
mod wait;

use anyhow::Result;
use sess_sys::{Terminal, tty};

use crate::cli::{Command, LsArgs, Stop};
use crate::config::Config;
use crate::directory;
use crate::error::{Codes, Failure, exit_code, report, report_failure};
use crate::output::{self, SessionView};
use crate::survey::now;

/// Does what was asked for, and tells what goes wrong; returns the exit code.
pub(crate) fn run(command: Option<Command>) -> u8 {
    let (codes, result) = match command.unwrap_or_else(|| Command::Ls(LsArgs::default())) {
        Command::New(args) if args.detached => (Codes::Ordinary, new::run(args)),
        Command::New(args) => (Codes::Waiting, new::run(args)),
        Command::Attach(args) => (Codes::Waiting, attach::run(&args)),
        Command::Ls(args) => (Codes::Ordinary, ls::run(&args)),
        Command::Status(args) => (Codes::Ordinary, status::run(&args)),
        Command::Kill(args) => (Codes::Ordinary, kill::run(&args)),
        Command::Detach(args) => (Codes::Ordinary, detach::run(&args)),
        Command::Send(args) => (Codes::Ordinary, send::run(&args)),
        Command::Run(args) => (Codes::Waiting, run::run(args)),
        Command::Wait(args) if args.text.is_some() || args.idle.is_some() => {
            (Codes::Ordinary, wait::run(&args))
        }
        Command::Wait(args) => (Codes::Waiting, wait::run(&args)),
        Command::Capture(args) => (Codes::Ordinary, capture::run(&args)),
        Command::Logs(args) => (Codes::Ordinary, logs::run(&args)),
        Command::Events(args) => (Codes::Ordinary, events::run(&args)),
        Command::Rename(args) => (Codes::Ordinary, rename::run(&args)),
        Command::Resize(args) => (Codes::Ordinary, resize::run(&args)),
        Command::Restart(args) => (Codes::Ordinary, restart::run(&args)),
        Command::Restore(args) => (Codes::Ordinary, restore::run(&args)),
        Command::Prune(args) => (Codes::Ordinary, prune::run(&args)),
        Command::Completions(args) => (Codes::Ordinary, completions::run(&args)),
        Command::Man(args) => (Codes::Ordinary, man::run(&args)),
        Command::Config(args) => (Codes::Ordinary, config::run(&args)),
    };
    result.unwrap_or_else(|error| {
        report(&error);
        exit_code(&error, codes)
    })
}

/// There is nothing to do: help was asked for, or the command line is wrong.
pub(crate) fn stop(stop: Stop) -> u8 {
    match stop {
        Stop::Print(text) => u8::from(output::print(&text).is_err()),
        Stop::Failure(failure) => {
            report_failure(&failure);
            failure.kind.code(Codes::Ordinary)
        }
    }
}

/// The configuration of this environment.
fn config() -> Result<Config, Failure> {
    Config::load(&|key| std::env::var_os(key), directory::home().as_deref())
}

/// Prints sessions as a table, as wide as the terminal that it goes to; where there are
/// none, people are told `nothing`.
fn list(sessions: &[SessionView], nothing: &str) -> Result<()> {
    if sessions.is_empty() {
        if tty::stdout_is_terminal() {
            output::note(nothing);
        }
        return Ok(());
    }
    Ok(output::print(&output::table(sessions, now(), width()))?)
}

/// The width of the terminal that standard output goes to, if it goes to one.
fn width() -> Option<usize> {
    if !tty::stdout_is_terminal() {
        return None;
    }
    let size = Terminal::from_stdin().ok()??.size().ok()?;
    Some(usize::from(size.cols)).filter(|&cols| cols > 0)
}

/// Tries all; every failure is told, and the first decides the exit code.
fn each<T>(items: impl IntoIterator<Item = T>, mut act: impl FnMut(T) -> Result<()>) -> u8 {
    let mut code = 0;
    for item in items {
        if let Err(error) = act(item) {
            report(&error);
            if code == 0 {
                code = exit_code(&error, Codes::Ordinary);
            }
        }
    }
    code
}

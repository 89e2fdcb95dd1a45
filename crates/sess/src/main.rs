//! The command line of sess.

mod attach_loop;
mod borrowed_terminal;
mod cli;
mod command;
mod config;
mod connection;
mod detach_key;
mod directory;
mod ears;
mod ending;
mod error;
mod input;
mod keys;
mod launch;
mod lines;
mod lookup;
mod output;
mod output_loop;
mod relaunch;
mod remains;
mod shown;
mod survey;
mod time;

use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::parse(std::env::args_os()) {
        Ok(cli) => ExitCode::from(command::run(cli.command)),
        Err(stop) => ExitCode::from(command::stop(stop)),
    }
}

//! The command line of sess.

#![cfg_attr(not(test), no_main)]

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

use std::ffi::OsString;

#[cfg(not(test))]
sess_sys::main!(begin);

#[cfg_attr(test, expect(dead_code, reason = "the tests have a beginning of their own"))]
fn begin(args: Vec<OsString>) -> u8 {
    match cli::parse(args) {
        Ok(cli) => command::run(cli.command),
        Err(stop) => command::stop(stop),
    }
}

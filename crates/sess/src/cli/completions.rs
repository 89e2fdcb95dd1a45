//! Completion scripts and manual pages, generated from the command line's own
//! description.
use clap::CommandFactory;
use clap_complete::Shell;

use super::Cli;

/// The completion script for this shell.
pub(crate) fn completions(shell: Shell) -> String {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "sess", &mut out);
    String::from_utf8(out).expect("scripts are made of text")
}

/// The manual pages: their files' names and their text.
pub(crate) fn man_pages() -> Vec<(String, Vec<u8>)> {
    Vec::new()
}

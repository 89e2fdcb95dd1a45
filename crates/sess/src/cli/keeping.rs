//! The command line of the verbs that are about what sessions leave: `restart`,
//! `restore`, `prune`. Must not know what a verb does.

use std::time::Duration;

use clap::Args;
use sess_proto::SessionName;

use super::{text, values};

/// Start ended sessions again
///
/// Each is started from its record, detached, with its name, its labels and its id;
/// the offsets of its output go on. One that still runs is a failure: exit code 6.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  sess restart work             start 'work' again
  sess restart web db && sess attach web
  sess attach -R work           start it again if it has ended, and attach"
)]
pub(crate) struct RestartArgs {
    /// Names of the sessions
    #[arg(value_name = "NAME", required = true, value_parser = text(values::existing_name))]
    pub(crate) names: Vec<SessionName>,
}

/// Start all sessions again that a crash or a reboot took
///
/// Those that ended by themselves, or were ended by 'sess kill', stay as they are.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  sess restore --list           see which sessions were taken
  sess restore                  start them again"
)]
pub(crate) struct RestoreArgs {
    /// List them, and start none
    #[arg(long)]
    pub(crate) list: bool,
}

/// Remove the files that dead and exited sessions left
///
/// What they said and how they ended is gone then, and they can't be started again.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  sess prune                    remove what all of them left
  sess prune --older 7d         only of those that ended more than a week ago"
)]
pub(crate) struct PruneArgs {
    /// Only of those that ended longer ago than this: 12h, 7d
    #[arg(long, value_name = "TIME", value_parser = text(values::time))]
    pub(crate) older: Option<Duration>,
}

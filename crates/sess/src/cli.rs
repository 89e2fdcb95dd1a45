//! The command line: verbs, options and their help. Owns what may be said and
//! what is wrong with the rest. Must not know what a verb does.

mod completions;
mod keeping;
mod mistake;
mod scripting;
mod values;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{ArgGroup, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;
use sess_holder::policy::{NoRestart, Restart};
use sess_holder::record::KeepOutput;
use sess_proto::SessionName;
use sess_proto::message::Size;

use crate::config::Lines;
use crate::error::Failure;
use crate::output::Filter;
use crate::time::Limit;

pub(crate) use completions::{completions, man_pages};
pub(crate) use keeping::{PruneArgs, RestartArgs, RestoreArgs};
pub(crate) use scripting::{
    CaptureArgs, EventsArgs, Format, Item, LogsArgs, RenameArgs, ResizeArgs, RunArgs, SendArgs,
    WaitArgs,
};

/// Keep terminal programs running when their terminal goes away
///
/// Each session is one program on a terminal of its own, kept by a process of its
/// own. Without a command, sess lists the running sessions.
#[derive(Debug, Parser)]
#[command(
    name = "sess",
    version,
    verbatim_doc_comment,
    disable_help_subcommand = true,
    after_help = "\
Examples:
  sess new work        start a shell in a session 'work' and attach to it
  Ctrl-\\               detach from it; it runs on
  sess                 list the running sessions
  sess attach work     come back to it, from any terminal"
)]
pub(crate) struct Cli {
    /// The verb; none lists the running sessions.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    New(NewArgs),
    Attach(AttachArgs),
    Ls(LsArgs),
    Status(StatusArgs),
    Kill(KillArgs),
    Detach(DetachArgs),
    Send(SendArgs),
    Run(RunArgs),
    Wait(WaitArgs),
    Capture(CaptureArgs),
    Logs(LogsArgs),
    Events(EventsArgs),
    Rename(RenameArgs),
    Resize(ResizeArgs),
    Restart(RestartArgs),
    Restore(RestoreArgs),
    Prune(PruneArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
    Config(ConfigArgs),
}

/// What runs when a session has ended; `None` if nothing does.
type OnExit = Option<String>;

/// Start a command in a new session and attach to it
///
/// Without a command this starts your shell. Without a name the session gets the
/// smallest number that is free. What an exited or dead session of that name has left
/// goes: 'sess restart' starts that one again.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  sess new                         your shell in a session with a number for a name
  sess new work                    your shell in a session 'work'
  sess new -d build -- make -j8    a command in the background
  sess new -A work                 attach to 'work', started first if it doesn't run
  sess new -dA work                see to it that 'work' runs
  sess new -c ~/src -e DEBUG=1 -l project=x work
  sess new -d --restart on-failure web -- ./serve
  sess new --idle-timeout 2h --record never scratch"
)]
pub(crate) struct NewArgs {
    /// Name of the session: 1 to 64 bytes, no '/', no '~', no '-' or '.' first
    #[arg(value_name = "NAME", value_parser = text(values::new_name))]
    pub(crate) name: Option<SessionName>,
    /// Leave the session detached and print its name
    #[arg(short, long)]
    pub(crate) detached: bool,
    /// Attach if the session runs already
    #[arg(short = 'A', long, requires = "name")]
    pub(crate) attach: bool,
    /// Start the command in this directory
    #[arg(short, long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) cwd: Option<PathBuf>,
    /// Set a variable in the command's environment, also when it is restarted; may be repeated
    #[arg(short, long, value_name = "K=V", value_parser = OsStringValueParser::new().try_map(values::variable))]
    pub(crate) env: Vec<(OsString, OsString)>,
    /// Set the terminal's size while nobody is attached, as 80x24
    #[arg(short, long, value_name = "COLSxROWS", value_parser = text(values::size))]
    pub(crate) size: Option<Size>,
    /// Label the session, for 'sess ls --filter'; may be repeated
    #[arg(short, long = "label", value_name = "K=V", value_parser = text(values::label))]
    pub(crate) labels: Vec<(String, String)>,
    /// Keep this many lines of history
    #[arg(long, value_name = "LINES", value_parser = text(values::history))]
    pub(crate) history: Option<u64>,
    /// Write the output to disk: 'always', 'on-exit' or 'never'
    #[arg(long, value_name = "WHEN", value_parser = text(|text| text.parse::<KeepOutput>().map_err(str::to_owned)))]
    pub(crate) record: Option<KeepOutput>,
    /// Start the command again when it has ended: 'never', 'always', 'on-failure', or
    /// 'on-failure:N', until N failures within a minute
    #[arg(long, value_name = "WHEN", verbatim_doc_comment, value_parser = text(|text| text.parse::<Restart>().map_err(|wrong: NoRestart| wrong.to_string())))]
    pub(crate) restart: Option<Restart>,
    /// End the session after so long without output, input or anybody attached: 2h, 'none'
    #[arg(long, value_name = "TIME", value_parser = text(values::limit))]
    pub(crate) idle_timeout: Option<Limit>,
    /// End the session so long after it began: 30m, 'none'
    #[arg(long, value_name = "TIME", value_parser = text(values::limit))]
    pub(crate) timeout: Option<Limit>,
    /// End the session when this process ends
    #[arg(long, value_name = "PID", value_parser = text(values::pid))]
    pub(crate) with_pid: Option<i32>,
    /// Have /bin/sh run this when the session has ended; '' for nothing
    #[arg(long, value_name = "CMD", value_hint = clap::ValueHint::CommandString, value_parser = text(values::on_exit))]
    pub(crate) on_exit: Option<OnExit>,
    /// Run this command in place of your shell
    #[arg(last = true, value_name = "CMD", value_hint = clap::ValueHint::CommandWithArguments)]
    pub(crate) command: Vec<OsString>,
}

/// Show a session in this terminal
///
/// What stands on the terminal is scrolled up; then come the last lines of the
/// session's history and its screen. Ctrl-\ detaches. Ends as the session's
/// program does, with 0 after a detach. NAME may be left out where exactly one
/// session runs.
///
/// Several may show it at once. The one that attached, typed or resized last leads:
/// the session has its size. On one of another size it may look torn until
/// something is typed there. In a session within a session the outer one takes
/// Ctrl-\; 'sess detach NAME' detaches from the inner one.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    visible_alias = "a",
    after_help = "\
Examples:
  sess attach work              show 'work' here
  sess a                        show the only session that runs
  sess attach -r work           look on; nothing typed here reaches it
  sess attach -x work           detach everybody else
  sess attach -R work           start it again if it has ended
  sess attach --lines all work  bring all of its history"
)]
pub(crate) struct AttachArgs {
    /// Name of the session
    #[arg(value_name = "NAME", value_parser = text(values::existing_name))]
    pub(crate) name: Option<SessionName>,
    /// Only look: send nothing, and don't set the session's size
    #[arg(short, long)]
    pub(crate) read_only: bool,
    /// Detach the other clients
    #[arg(short = 'x', long)]
    pub(crate) exclusive: bool,
    /// Restart it first if it has ended
    #[arg(short = 'R', long)]
    pub(crate) restart: bool,
    /// Bring this many lines of history: a number, 'all' or 'none'
    #[arg(long, value_name = "N", value_parser = text(|text| text.parse::<Lines>().map_err(str::to_owned)))]
    pub(crate) lines: Option<Lines>,
}

/// List the running sessions, latest activity first
#[derive(Debug, Default, Args)]
#[command(
    verbatim_doc_comment,
    visible_alias = "list",
    after_help = "\
Examples:
  sess ls                       the running sessions
  sess ls -a                    also those that are dead or have exited
  sess ls -q                    names alone
  sess ls --filter project=x    those labelled so
  sess ls --json | jq '.[].name'"
)]
pub(crate) struct LsArgs {
    /// List also dead and exited sessions
    #[arg(short, long)]
    pub(crate) all: bool,
    /// Print a JSON array
    #[arg(long, conflicts_with = "quiet")]
    pub(crate) json: bool,
    /// Print names alone
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// List only those with this state or label; if repeated, all must hold
    #[arg(long = "filter", value_name = "K=V", value_parser = text(|text| text.parse::<Filter>()))]
    pub(crate) filters: Vec<Filter>,
}

/// Tell how it stands with a session
///
/// Exits with 0 if it runs, 1 if it is dead, 3 if it has exited, 4 if there is
/// none, 5 if it does not answer. NAME may be left out where exactly one session
/// runs.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  sess status work              what there is to know about 'work'
  sess status -q work && echo it runs
  sess status --json work | jq .exit.code"
)]
pub(crate) struct StatusArgs {
    /// Name of the session
    #[arg(value_name = "NAME", value_parser = text(values::existing_name))]
    pub(crate) name: Option<SessionName>,
    /// Print a JSON object
    #[arg(long, conflicts_with = "quiet")]
    pub(crate) json: bool,
    /// Print nothing; the exit code tells
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// End sessions and everything that they started
///
/// Sends SIGHUP, SIGTERM and SIGCONT, and after the grace SIGKILL; returns when
/// all processes are gone. Of a dead session the record goes as well.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    group = ArgGroup::new("sessions").required(true).args(["names", "all"]),
    after_help = "\
Examples:
  sess kill work                end 'work'
  sess kill -s INT build        interrupt 'build', kill it if that's not enough
  sess kill --grace 0s work     kill at once
  sess kill --all               end all sessions"
)]
pub(crate) struct KillArgs {
    /// Names of the sessions
    #[arg(value_name = "NAME", value_parser = text(values::existing_name))]
    pub(crate) names: Vec<SessionName>,
    /// End all sessions
    #[arg(long)]
    pub(crate) all: bool,
    /// Send this signal in place of SIGHUP and SIGTERM
    #[arg(short, long, value_name = "SIG", value_parser = text(values::signal))]
    pub(crate) signal: Option<String>,
    /// Wait this long before SIGKILL: 500ms, 2s, 5m
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = text(values::time))]
    pub(crate) grace: Duration,
}

/// Detach the terminals that show sessions
///
/// The sessions run on. Nobody attached is no failure.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    group = ArgGroup::new("sessions").required(true).args(["names", "all"]),
    after_help = "\
Examples:
  sess detach work              detach everybody from 'work'
  sess detach --all             detach everybody from every session"
)]
pub(crate) struct DetachArgs {
    /// Names of the sessions
    #[arg(value_name = "NAME", value_parser = text(values::existing_name))]
    pub(crate) names: Vec<SessionName>,
    /// Detach from all sessions
    #[arg(long)]
    pub(crate) all: bool,
}

/// Print a completion script for a shell
///
/// It completes commands, options and the names of sessions.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  eval \"$(sess completions bash)\"         in ~/.bashrc
  sess completions zsh > ~/.zfunc/_sess   with ~/.zfunc in $fpath
  sess completions fish > ~/.config/fish/completions/sess.fish"
)]
pub(crate) struct CompletionsArgs {
    /// The shell to complete in
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}

/// Write the manual pages into a directory
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  sess man ~/.local/share/man/man1
  man sess-new"
)]
pub(crate) struct ManArgs {
    /// The directory to write into
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) dir: PathBuf,
}

/// Print a configuration file with all defaults
///
/// Each stands in a comment, with what it is for: as it is, the file changes nothing.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  sess config                   see what can be set
  sess config > ~/.config/sess/config.toml"
)]
pub(crate) struct ConfigArgs {}

/// Why there is nothing to do.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Help or the version was asked for: this goes to standard output, and all
    /// is well.
    Print(String),
    /// The command line makes no sense.
    Failure(Failure),
}

/// What these arguments, the program's own name first, ask for.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Cli, Stop> {
    let args: Vec<OsString> = args.into_iter().collect();
    if let Some(command) = args.split_first().and_then(|(_, args)| verb_alone(args)) {
        return Ok(Cli { command: Some(command) });
    }
    Cli::try_parse_from(&args).map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        | ErrorKind::DisplayVersion => Stop::Print(error.render().to_string()),
        _ => Stop::Failure(mistake::failure(&error, &args, &Cli::command())),
    })
}

/// What arguments that begin with a verb ask for, if nothing is wrong with them.
///
/// Describing every verb's options takes longer than most verbs do: first only that
/// one's are. Whatever this can't tell, help included, all of them are there for.
fn verb_alone(args: &[OsString]) -> Option<Command> {
    macro_rules! verbs {
        ($($name:literal => $verb:ident($args:ty),)*) => {
            match args.first()?.to_str()? {
                $($name => {
                    let described = <$args>::augment_args(clap::Command::new($name));
                    let matches = described.try_get_matches_from(args).ok()?;
                    <$args>::from_arg_matches(&matches).ok().map(Command::$verb)
                })*
                _ => None,
            }
        };
    }
    verbs! {
        "new" => New(NewArgs),
        "attach" => Attach(AttachArgs),
        "ls" => Ls(LsArgs),
        "status" => Status(StatusArgs),
        "kill" => Kill(KillArgs),
        "detach" => Detach(DetachArgs),
        "send" => Send(SendArgs),
        "run" => Run(RunArgs),
        "wait" => Wait(WaitArgs),
        "capture" => Capture(CaptureArgs),
        "logs" => Logs(LogsArgs),
        "events" => Events(EventsArgs),
        "rename" => Rename(RenameArgs),
        "resize" => Resize(ResizeArgs),
        "restart" => Restart(RestartArgs),
        "restore" => Restore(RestoreArgs),
        "prune" => Prune(PruneArgs),
        "config" => Config(ConfigArgs),
    }
}

/// A parser of values that are UTF-8, which says so itself where they aren't.
fn text<T: Clone + Send + Sync + 'static>(
    parse: impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static,
) -> impl TypedValueParser<Value = T> {
    OsStringValueParser::new().try_map(move |value| match value.to_str() {
        Some(value) => parse(value),
        None => Err("it is not UTF-8".to_owned()),
    })
}

#[cfg(test)]
mod tests;

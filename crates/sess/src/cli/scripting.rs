//! The command line of the verbs that work a session from outside: `send`, `wait`,
//! `capture`, `logs`, `run`, `events`, `rename`, `resize`. Must not know what a verb
//! does.

use std::ffi::OsString;
use std::time::Duration;

use clap::builder::{OsStringValueParser, ValueParser};
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Args, FromArgMatches, ValueEnum, ValueHint};
use sess_proto::SessionName;
use sess_proto::message::Size;

use super::{text, values};
use crate::config::Lines;
use crate::keys::Key;

/// Type into a session
///
/// TEXT and keys are typed in the order in which they are given, neighbouring TEXTs
/// with a blank in between; then standard input (--stdin), then Enter (--enter).
/// Keys have tmux's names: Enter, Tab, Escape, Space, Up, Home, F5, C-c, M-x, S-Up.
/// No other send's bytes come in between.
///
/// Returns when the session's terminal took all of it, with --wait-… when what is
/// waited for has happened since: then with 3 if the session ended first. Exits with
/// 124 if that takes too long; what was not taken by then is dropped.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    group = ArgGroup::new("until").args(["wait_text", "wait_idle"]),
    after_help = "\
Examples:
  sess send work --enter make test         type a command and press Enter
  sess send work -k C-c                    interrupt what runs there
  sess send work -k Escape :wq -k Enter    keys and text, in this order
  sess send work --enter -- ls -l          text that begins with '-'
  sess send work --paste --stdin < notes   paste a file
  sess send work --enter make --wait-text 'done|failed' --timeout 10m
  at=$(sess send work --offset --enter make) && sess wait work --since $at --idle 2s"
)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option, given or not")]
pub(crate) struct SendArgs {
    /// Name of the session
    #[arg(value_name = "NAME", value_parser = text(values::existing_name))]
    pub(crate) name: SessionName,
    /// What to type, in order.
    #[command(flatten)]
    pub(crate) items: Items,
    /// Press Enter at the end
    #[arg(long)]
    pub(crate) enter: bool,
    /// Type also what comes from standard input, as it is
    #[arg(long)]
    pub(crate) stdin: bool,
    /// Bracket the text as a paste if the program wants that
    #[arg(long)]
    pub(crate) paste: bool,
    /// Print the output's offset before it, for 'sess wait --since'
    #[arg(long)]
    pub(crate) offset: bool,
    /// Then wait until a line matches this regular expression
    #[arg(long, value_name = "REGEX", allow_hyphen_values = true, value_parser = text(values::regex))]
    pub(crate) wait_text: Option<String>,
    /// Then wait until there was no output for this time: 500ms, 2s, 5m
    #[arg(long, value_name = "TIME", value_parser = text(values::time))]
    pub(crate) wait_idle: Option<Duration>,
    /// Give up after this time, typing and waiting together; without it typing has
    /// 30s and waiting no limit
    #[arg(long, value_name = "TIME", verbatim_doc_comment, value_parser = text(values::time))]
    pub(crate) timeout: Option<Duration>,
}

/// Something to be typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// This text.
    Text(OsString),
    /// This key.
    Key(Key),
}

/// TEXTs and keys as they stand on the command line, in one order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Items(pub(crate) Vec<Item>);

const TEXT: &str = "text";
const KEY: &str = "key";

impl Args for Items {
    fn augment_args(command: clap::Command) -> clap::Command {
        let key = text(|text| text.parse::<Key>().map_err(|error| error.to_string()));
        command
            .arg(
                Arg::new(TEXT)
                    .value_name("TEXT")
                    .help("Text to type")
                    .action(ArgAction::Append)
                    .num_args(1..)
                    .value_hint(ValueHint::Other)
                    .value_parser(OsStringValueParser::new()),
            )
            .arg(
                Arg::new(KEY)
                    .short('k')
                    .long("key")
                    .value_name("KEY")
                    .help("Press this key; may be repeated")
                    .action(ArgAction::Append)
                    .value_parser(ValueParser::new(key)),
            )
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Items {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut items = Vec::new();
        let places = |id| matches.indices_of(id).into_iter().flatten();
        let texts = matches.get_many::<OsString>(TEXT).into_iter().flatten();
        items.extend(places(TEXT).zip(texts.map(|text| Item::Text(text.clone()))));
        let keys = matches.get_many::<Key>(KEY).into_iter().flatten();
        items.extend(places(KEY).zip(keys.map(|key| Item::Key(*key))));
        items.sort_by_key(|(place, _)| *place);
        Ok(Self(items.into_iter().map(|(_, item)| item).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Wait until a session ends, shows something, or is quiet
///
/// Without a condition this waits for the end, and exits as the program did. With
/// one it exits with 0 when that has happened and with 3 if the session ended first.
/// Exits with 124 if it takes longer than --timeout. NAME may be left out where
/// exactly one session runs.
///
/// --text looks at the lines on the screen now and at those that follow, as they are
/// shown, with soft wraps joined. With --since only lines count that were written to
/// since that offset. What is typed shows too, as far as it is echoed.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    group = ArgGroup::new("until").args(["text", "idle"]),
    after_help = "\
Examples:
  sess wait build                        until 'build' ends; exits as it did
  sess wait work --text '^Listening on'  until a line matches
  sess wait work --idle 2s               until there was no output for 2 seconds
  sess wait work --text done --since $(sess send work --offset --enter make)
  sess wait work --text ready --timeout 1m || sess capture work"
)]
pub(crate) struct WaitArgs {
    /// Name of the session
    #[arg(value_name = "NAME", value_parser = text(values::existing_name))]
    pub(crate) name: Option<SessionName>,
    /// Wait for the end, as without a condition
    #[arg(long, conflicts_with_all = ["until", "since"])]
    pub(crate) exit: bool,
    /// Wait until a line matches this regular expression
    #[arg(long, value_name = "REGEX", allow_hyphen_values = true, value_parser = text(values::regex))]
    pub(crate) text: Option<String>,
    /// Wait until there was no output for this time: 500ms, 2s, 5m
    #[arg(long, value_name = "TIME", value_parser = text(values::time))]
    pub(crate) idle: Option<Duration>,
    /// Count only what was written since this offset of the output
    #[arg(long, value_name = "OFFSET", requires = "until", value_parser = text(values::offset))]
    pub(crate) since: Option<u64>,
    /// Give up after this time
    #[arg(long, value_name = "TIME", value_parser = text(values::time))]
    pub(crate) timeout: Option<Duration>,
}

/// Print what a session shows
///
/// Of a session that has ended: what it showed at the end. NAME may be left out
/// where exactly one session runs.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  sess capture work                   the screen's text
  sess capture work --history all     with all lines that scrolled off before
  sess capture work --join            lines that were wrapped in one piece
  sess capture work --format ansi     with its colours
  sess capture work --format json | jq .cursor"
)]
pub(crate) struct CaptureArgs {
    /// Name of the session
    #[arg(value_name = "NAME", value_parser = text(values::existing_name))]
    pub(crate) name: Option<SessionName>,
    /// Print this many lines of history before the screen: a number or 'all'
    #[arg(long, value_name = "N", value_parser = text(values::lines))]
    pub(crate) history: Option<Lines>,
    /// Put lines that were wrapped together
    #[arg(long)]
    pub(crate) join: bool,
    /// Print it in this form
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
}

/// What a screen may be printed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text alone
    Text,
    /// Text with colours for a terminal
    Ansi,
    /// An object with all there is to know
    Json,
    /// An element for a page
    Html,
}

/// Print what a session has said
///
/// As lines of text, soft wraps joined, as far back as the history goes. The very
/// bytes (--raw, --json) and offsets reach as far back as the journal does. Of a
/// session that has ended: what is kept of it. NAME may be left out where exactly
/// one session runs.
///
/// With --json it prints one object: the output as text, or in base64 if it is no
/// UTF-8, its offset, the offset behind it, which is the --since of the next page, and
/// whether something before that is no longer kept. With -f it prints one for each
/// piece.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  sess logs work              all lines that are kept
  sess logs -n 20 -f work     the last 20 lines, and those that follow until its end
  sess logs --raw work > out  the very bytes
  sess logs --json --since 18231 --limit 4096 work"
)]
pub(crate) struct LogsArgs {
    /// Name of the session
    #[arg(value_name = "NAME", value_parser = text(values::existing_name))]
    pub(crate) name: Option<SessionName>,
    /// Go on with what follows, until the session ends
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Print only the last lines of what there is
    #[arg(short = 'n', long, value_name = "LINES", conflicts_with = "limit", value_parser = text(values::count))]
    pub(crate) lines: Option<u64>,
    /// Begin at this offset of the output
    #[arg(long, value_name = "OFFSET", value_parser = text(values::offset))]
    pub(crate) since: Option<u64>,
    /// Print at most this much of the output
    #[arg(long, value_name = "BYTES", value_parser = text(values::bytes))]
    pub(crate) limit: Option<u64>,
    /// Print the bytes as the program wrote them
    #[arg(long, conflicts_with = "json")]
    pub(crate) raw: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Run one command in a session's shell
///
/// Has the shell at its prompt (bash, zsh, fish, sh) run the command, prints the
/// command's output alone, and exits with its status. One word is shell text as it
/// is; of several each is one argument. The shell keeps what the command changes: its
/// directory, its variables. Several runs at once take turns.
///
/// Exits with 124 if it takes longer than --timeout, though the command goes on, as it
/// does when sess is interrupted: 'sess send NAME -k C-c' interrupts the command. Exits
/// with 125 if it can't be run there, as when something else runs in the shell.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  sess run work -- make test
  sess run work -- 'cd ~/src && . ./env'    shell text; the shell stays in ~/src
  sess run work --timeout 5m -- ./deploy
  sess run work --json -- git status | jq .code"
)]
pub(crate) struct RunArgs {
    /// Name of the session
    #[arg(value_name = "NAME", value_parser = text(values::existing_name))]
    pub(crate) name: SessionName,
    /// Wait no longer than this
    #[arg(long, value_name = "TIME", value_parser = text(values::time))]
    pub(crate) timeout: Option<Duration>,
    /// Print the bytes as the command wrote them to its terminal
    #[arg(long)]
    pub(crate) raw: bool,
    /// Print an object with output, code and duration when it is over
    #[arg(long)]
    pub(crate) json: bool,
    /// The command
    #[arg(last = true, required = true, value_name = "CMD", value_hint = ValueHint::CommandWithArguments)]
    pub(crate) command: Vec<OsString>,
}

/// Tell what happens to sessions, as it happens
///
/// A line each: created, attached, detached, resized, renamed, activity, title, bell,
/// notification, restarted, exited, died. Of all sessions, also those to come; or of
/// one, until it ends.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  sess events                 what happens to all sessions
  sess events work            what happens to 'work', until it ends
  sess events --json | jq -c 'select(.event == \"exited\")'"
)]
pub(crate) struct EventsArgs {
    /// Name of the only session of interest
    #[arg(value_name = "NAME", value_parser = text(values::existing_name))]
    pub(crate) name: Option<SessionName>,
    /// Print a JSON object for each
    #[arg(long)]
    pub(crate) json: bool,
}

/// Give a session another name
///
/// Who is attached stays attached. What an exited or dead session of the new name has
/// left goes.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  sess rename work old-work     'work' is called 'old-work' from now on"
)]
pub(crate) struct RenameArgs {
    /// Name of the session
    #[arg(value_name = "NAME", value_parser = text(values::existing_name))]
    pub(crate) name: SessionName,
    /// Its new name: 1 to 64 bytes, no '/', no '~', no '-' or '.' first
    #[arg(value_name = "NEW", value_hint = ValueHint::Other, value_parser = text(values::new_name))]
    pub(crate) new: SessionName,
}

/// Set a session's size while nobody is attached
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  sess resize work 132x43       132 columns, 43 rows"
)]
pub(crate) struct ResizeArgs {
    /// Name of the session
    #[arg(value_name = "NAME", value_parser = text(values::existing_name))]
    pub(crate) name: SessionName,
    /// Its new size, as 80x24
    #[arg(value_name = "COLSxROWS", value_hint = ValueHint::Other, value_parser = text(values::size))]
    pub(crate) size: Size,
}

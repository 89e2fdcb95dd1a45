//! Wrong usage in our words: `sess: what is wrong`, and a hint. Owns the
//! translation of clap's errors. Must not know what was meant.

use std::error::Error as _;
use std::ffi::OsString;

use clap::Command;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

use crate::error::Failure;

/// What is wrong with `args`, of which clap says `error`.
pub(super) fn failure(error: &Error, args: &[OsString], root: &Command) -> Failure {
    let verb = args
        .iter()
        .skip(1)
        .find_map(|arg| root.find_subcommand(arg).map(|verb| verb.get_name().to_owned()));
    let help = match &verb {
        Some(verb) => format!("sess {verb} --help tells more"),
        None => "sess --help lists the commands".to_owned(),
    };
    let said = Said { error };
    let argument = said.first(ContextKind::InvalidArg);
    let value = said.first(ContextKind::InvalidValue);
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let name = said.first(ContextKind::InvalidSubcommand).unwrap_or_default();
            Failure::usage(format!("no such command: {name}")).hint(
                // The best comes last.
                match said.all(ContextKind::SuggestedSubcommand).last() {
                    Some(similar) => format!("did you mean sess {similar}?"),
                    None => help,
                },
            )
        }
        ErrorKind::UnknownArgument => unknown(&said, argument.as_deref(), verb.as_deref(), help),
        ErrorKind::InvalidValue if value.as_deref().is_none_or(str::is_empty) => {
            Failure::usage(format!("{} needs a value", plain(argument))).hint(help)
        }
        ErrorKind::InvalidValue => {
            let accepted = said.all(ContextKind::ValidValue).join(", ");
            let failure = Failure::usage(format!("{}: not {}", plain(argument), plain(value)));
            failure.hint(format!("accepted are {accepted}"))
        }
        ErrorKind::ValueValidation => {
            let reason = error.source().map(ToString::to_string).unwrap_or_default();
            let value = value.unwrap_or_default();
            Failure::usage(format!("{} '{value}': {reason}", plain(argument)))
        }
        ErrorKind::MissingRequiredArgument => {
            let missing: Vec<_> =
                said.all(ContextKind::InvalidArg).iter().map(|arg| name(arg)).collect();
            Failure::usage(format!("missing: {}", missing.join(", "))).hint(help)
        }
        ErrorKind::ArgumentConflict => {
            let others = said.all(ContextKind::PriorArg);
            let others: Vec<_> = others.iter().map(|arg| name(arg)).collect();
            let argument = plain(argument);
            if others.iter().all(|other| *other == argument) {
                Failure::usage(format!("{argument} is given more than once"))
            } else {
                Failure::usage(format!("{argument} and {} don't go together", others.join(", ")))
            }
            .hint(help)
        }
        _ => {
            let text = error.render().to_string();
            let line = text.lines().next().unwrap_or_default();
            Failure::usage(line.strip_prefix("error: ").unwrap_or(line)).hint(help)
        }
    }
}

fn unknown(said: &Said<'_>, argument: Option<&str>, verb: Option<&str>, help: String) -> Failure {
    let argument = argument.unwrap_or_default();
    if argument.starts_with('-') {
        let failure = Failure::usage(format!("no such option: {argument}"));
        return failure.hint(match said.first(ContextKind::SuggestedArg) {
            Some(similar) => format!("did you mean {}?", name(&similar)),
            None => help,
        });
    }
    let failure = Failure::usage(format!("one argument too many: {argument}"));
    failure.hint(match verb {
        Some(verb @ ("new" | "run")) => {
            format!("put -- before the command: sess {verb} NAME -- CMD")
        }
        _ => help,
    })
}

/// An argument as people know it: `--size <COLSxROWS>` is `--size`, `[NAME]` and
/// `<names|--all>` are what stands in them.
fn name(argument: &str) -> String {
    let argument = argument.strip_suffix("...").unwrap_or(argument);
    if argument.starts_with('-') {
        return argument.split([' ', '=']).next().unwrap_or_default().to_owned();
    }
    let inner = argument.trim_start_matches(['<', '[']).trim_end_matches(['>', ']', '.']);
    if !inner.contains('|') {
        return inner.to_owned();
    }
    inner.split('|').map(name).collect::<Vec<_>>().join(" or ")
}

fn plain(argument: Option<String>) -> String {
    argument.map(|argument| name(&argument)).unwrap_or_default()
}

/// What clap says beside the kind of its error.
struct Said<'a> {
    error: &'a Error,
}

impl Said<'_> {
    fn all(&self, kind: ContextKind) -> Vec<String> {
        match self.error.get(kind) {
            Some(ContextValue::String(one)) => vec![one.clone()],
            Some(ContextValue::Strings(all)) => all.clone(),
            _ => Vec::new(),
        }
    }

    fn first(&self, kind: ContextKind) -> Option<String> {
        self.all(kind).into_iter().next()
    }
}

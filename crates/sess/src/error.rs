//! What goes wrong, as people and scripts get to know it: a kind, which gives
//! the exit code, a message and a hint. Owns the table of exit codes and what
//! is written to standard error. Must not know how anything is done.

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use sess_proto::message::Exit;

use crate::output::{State, escape, signal_name};

/// What sort of thing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The command line makes no sense.
    Usage,
    /// It could not be done.
    Failed,
    /// It takes a running session, and this one has exited or is dead.
    NotRunning,
    /// There is no session of that name.
    NoSuchSession,
    /// The session's holder lives but does not answer.
    Unresponsive,
    /// There is a session of that name already.
    Taken,
    /// It took longer than allowed.
    TimedOut,
    /// The command can't be run.
    CannotRun,
    /// The command isn't there.
    NoSuchCommand,
    /// The holder went away in the middle.
    Lost,
    /// The holder said no.
    Refused,
}

/// How a verb tells its own failures from those of the program it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codes {
    /// The verb ends as the program did, so that its own failures are 125:
    /// `new` (attached), `attach`, `run`, and `wait` for the end.
    Waiting,
    /// The verb's exit code speaks of the verb alone.
    Ordinary,
}

impl Kind {
    /// The exit code of a verb that fails like this: all there are.
    pub(crate) fn code(self, codes: Codes) -> u8 {
        match (self, codes) {
            (Self::Usage, _) => 2,
            (Self::Taken, _) => 6,
            (Self::TimedOut, _) => 124,
            (Self::CannotRun, _) => 126,
            (Self::NoSuchCommand, _) => 127,
            (
                Self::Failed
                | Self::Lost
                | Self::Refused
                | Self::NotRunning
                | Self::NoSuchSession
                | Self::Unresponsive,
                Codes::Waiting,
            ) => 125,
            (Self::Failed | Self::Lost | Self::Refused, Codes::Ordinary) => 1,
            (Self::NotRunning, Codes::Ordinary) => 3,
            (Self::NoSuchSession, Codes::Ordinary) => 4,
            (Self::Unresponsive, Codes::Ordinary) => 5,
        }
    }
}

/// The exit code of `status` for a session in this state.
pub(crate) fn status_code(state: State) -> u8 {
    match state {
        State::Running => 0,
        State::Dead => 1,
        State::Exited => 3,
        State::Unresponsive => 5,
    }
}

/// The exit code of who waited for a program that ended like this.
pub(crate) fn program_code(exit: Exit) -> u8 {
    match exit {
        Exit::Code(code) => code,
        Exit::Signal(signal) => u8::try_from(signal & 0x7f).map_or(255, |signal| 128 + signal),
    }
}

/// The exit code for an error: that of the [`Failure`] in it, else of
/// [`Kind::Failed`].
pub(crate) fn exit_code(error: &anyhow::Error, codes: Codes) -> u8 {
    kind_of(error).code(codes)
}

/// Something that went wrong, with what there is to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// What sort of thing it is; gives the exit code.
    pub(crate) kind: Kind,
    /// What went wrong: lowercase, names the session or path, no final period.
    pub(crate) message: String,
    /// What there is to do.
    pub(crate) hint: Option<String>,
}

impl Failure {
    /// A failure without a hint.
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None }
    }

    /// Wrong usage.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// It could not be done.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, message)
    }

    /// It took longer than allowed.
    pub(crate) fn timed_out(message: impl Into<String>) -> Self {
        Self::new(Kind::TimedOut, message)
    }

    /// This failure with what there is to do.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Nothing is known of a session of this name in these places.
    pub(crate) fn no_such_session(name: &str, looked_in: &[PathBuf]) -> Self {
        let failure = Self::new(Kind::NoSuchSession, format!("no such session: {name}"));
        match looked_in {
            [] => failure.hint("sess ls -a lists what there is"),
            _ => failure
                .hint(format!("looked in {}; sess ls -a lists what there is", places(looked_in))),
        }
    }

    /// No name was given and no session runs.
    pub(crate) fn nothing_runs() -> Self {
        Self::new(Kind::NoSuchSession, "no session is running")
            .hint("sess new starts one; sess ls -a lists those that ended")
    }

    /// No name was given and several sessions run.
    pub(crate) fn several(names: &[&str]) -> Self {
        const SHOWN: usize = 8;
        let mut list = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
        if names.len() > SHOWN {
            list.push_str(", …");
        }
        Self::usage(format!("{} sessions are running: which one?", names.len()))
            .hint(format!("name one of {list}"))
    }

    /// Sessions of this name are in two places.
    pub(crate) fn found_in_two(name: &str, one: &std::path::Path, other: &std::path::Path) -> Self {
        Self::usage(format!(
            "session {name} is in two places: {} and {}",
            one.display(),
            other.display()
        ))
        .hint(format!("SESS_DIR={} sess … means the first", one.display()))
    }

    /// The session's holder lives but does not answer.
    pub(crate) fn unresponsive(name: &str) -> Self {
        Self::new(Kind::Unresponsive, format!("session {name} does not answer"))
            .hint(format!("its holder may be stopped; sess kill {name} ends it"))
    }

    /// The session's holder is gone and its program's end is not known.
    pub(crate) fn dead(name: &str) -> Self {
        Self::new(Kind::NotRunning, format!("session {name} is dead: its holder is gone")).hint(
            format!(
                "sess restart {name} starts it again, sess kill {name} ends what is left of it"
            ),
        )
    }

    /// The session's program has ended.
    pub(crate) fn exited(name: &str, exit: Exit) -> Self {
        let how = match exit {
            Exit::Code(code) => format!("session {name} has exited: {code}"),
            Exit::Signal(signal) => {
                format!("session {name} has ended, killed by {}", signal_name(signal))
            }
        };
        Self::new(Kind::NotRunning, how).hint(format!("sess restart {name} starts it again"))
    }

    /// There is a session of this name already.
    pub(crate) fn taken(name: &str) -> Self {
        Self::new(Kind::Taken, format!("session {name} is running already"))
            .hint(format!("sess attach {name} shows it"))
    }

    /// A dead session left processes behind, so that its name isn't free.
    pub(crate) fn left_running(name: &str) -> Self {
        Self::new(Kind::Taken, format!("session {name} is dead, but its processes still run"))
            .hint(format!("sess kill {name}"))
    }

    /// The session has ended, and what it said is not kept.
    pub(crate) fn nothing_kept(name: &str) -> Self {
        let text = format!("session {name} has ended, and nothing is kept of what it showed");
        Self::new(Kind::NotRunning, text)
    }

    /// Standard input or output is no terminal.
    pub(crate) fn no_terminal() -> Self {
        Self::failed("attaching takes a terminal as standard input and output")
            .hint("sess new -d and sess capture do without; ssh -t gives one")
    }

    /// The session would be shown in itself.
    pub(crate) fn itself(name: &str) -> Self {
        Self::new(Kind::Refused, format!("this terminal is in session {name} itself"))
            .hint("detach first, or attach from another terminal")
    }

    /// The holder said no.
    pub(crate) fn refused(name: &str, why: &str) -> Self {
        Self::new(Kind::Refused, format!("session {name} refuses: {why}"))
    }

    /// The connection to the holder ended without a word.
    pub(crate) fn lost(name: &str) -> Self {
        Self::new(Kind::Lost, format!("lost the holder of session {name}"))
            .hint(format!("sess status {name} tells what became of it"))
    }

    /// The command is there but can't be run.
    pub(crate) fn cannot_run(command: &str, why: &str) -> Self {
        Self::new(Kind::CannotRun, format!("can't run {command}: {why}"))
    }

    /// The command isn't there.
    pub(crate) fn no_such_command(command: &str) -> Self {
        Self::new(Kind::NoSuchCommand, format!("no such command: {command}"))
    }

    /// What is written to standard error, control characters escaped.
    fn text(&self) -> String {
        text(&self.message, self.hint.as_deref())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Tells people what went wrong; a closed standard error is nobody to tell.
pub(crate) fn report(error: &anyhow::Error) {
    let hint = failure_in(error).and_then(|failure| failure.hint.as_deref());
    write(&text(&format!("{error:#}"), hint));
}

/// As [`report`], for a failure that nothing wraps.
pub(crate) fn report_failure(failure: &Failure) {
    write(&failure.text());
}

/// Tells people what is odd but stands in the way of nothing; the same thing once
/// only, however often it is come upon.
pub(crate) fn warn(message: &str) {
    static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    if !said.iter().any(|one| one == message) {
        said.push(message.to_owned());
        write(&text(&format!("warning: {message}"), None));
    }
}

fn text(message: &str, hint: Option<&str>) -> String {
    let message = escape(&without_numbers(message));
    match hint.map(escape) {
        Some(hint) => format!("sess: {message}\nhint: {hint}\n"),
        None => format!("sess: {message}\n"),
    }
}

/// The system's reasons without their numbers, which tell people nothing.
pub(crate) fn without_numbers(message: &str) -> String {
    let mut parts = message.split(" (os error ");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(')') {
            Some((number, rest)) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
                plain.push_str(rest);
            }
            _ => {
                plain.push_str(" (os error ");
                plain.push_str(part);
            }
        }
    }
    plain
}

/// In one write, so that lines of several processes don't mix.
fn write(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// What sort of thing went wrong.
pub(crate) fn kind_of(error: &anyhow::Error) -> Kind {
    failure_in(error).map_or(Kind::Failed, |failure| failure.kind)
}

fn failure_in(error: &anyhow::Error) -> Option<&Failure> {
    // A failure given as context is found by anyhow only, one below by the chain only.
    error
        .downcast_ref::<Failure>()
        .or_else(|| error.chain().find_map(|cause| cause.downcast_ref::<Failure>()))
}

fn places(paths: &[PathBuf]) -> String {
    let paths: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
    match paths.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn ordinary_verbs_fail_with_the_codes_of_the_contract() {
        let codes = [
            (Kind::Usage, 2),
            (Kind::Failed, 1),
            (Kind::NotRunning, 3),
            (Kind::NoSuchSession, 4),
            (Kind::Unresponsive, 5),
            (Kind::Taken, 6),
            (Kind::TimedOut, 124),
            (Kind::CannotRun, 126),
            (Kind::NoSuchCommand, 127),
            (Kind::Lost, 1),
            (Kind::Refused, 1),
        ];
        for (kind, code) in codes {
            assert_eq!(kind.code(Codes::Ordinary), code, "{kind:?}");
        }
    }

    #[test]
    fn a_waiting_verbs_own_failures_are_125_and_a_taken_name_is_6() {
        for kind in [
            Kind::Failed,
            Kind::NotRunning,
            Kind::NoSuchSession,
            Kind::Unresponsive,
            Kind::Lost,
            Kind::Refused,
        ] {
            assert_eq!(kind.code(Codes::Waiting), 125, "{kind:?}");
        }
        assert_eq!(Kind::Usage.code(Codes::Waiting), 2);
        assert_eq!(Kind::Taken.code(Codes::Waiting), 6);
        assert_eq!(Kind::TimedOut.code(Codes::Waiting), 124);
        assert_eq!(Kind::CannotRun.code(Codes::Waiting), 126);
        assert_eq!(Kind::NoSuchCommand.code(Codes::Waiting), 127);
    }

    #[test]
    fn a_program_ended_by_a_signal_is_128_and_the_signal() {
        assert_eq!(program_code(Exit::Code(3)), 3);
        assert_eq!(program_code(Exit::Signal(9)), 137);
        assert_eq!(program_code(Exit::Signal(64)), 192);
    }

    #[test]
    fn a_failure_keeps_its_code_and_hint_under_context() {
        let below: anyhow::Error = Failure::taken("work").into();
        let error = below.context("failed to start");
        assert_eq!(exit_code(&error, Codes::Ordinary), 6);
        assert_eq!(failure_in(&error).unwrap().hint.as_deref(), Some("sess attach work shows it"));
        let above =
            Err::<(), _>(io::Error::other("x")).context(Failure::unresponsive("work")).unwrap_err();
        assert_eq!(exit_code(&above, Codes::Ordinary), 5);
        assert_eq!(exit_code(&anyhow::anyhow!("other"), Codes::Ordinary), 1);
        assert_eq!(exit_code(&anyhow::anyhow!("other"), Codes::Waiting), 125);
    }

    #[test]
    fn nothing_in_a_message_reaches_the_terminal_as_a_control() {
        let failure = Failure::failed("bad\x1b[31m\nname").hint("a\u{202e}b");
        assert_eq!(failure.text(), "sess: bad\\x1b[31m\\nname\nhint: a\\u{202e}b\n");
    }

    #[test]
    fn the_systems_numbers_are_left_out() {
        let failure = Failure::failed("can't open x: No such file (os error 2); y (os error z)");
        assert_eq!(failure.text(), "sess: can't open x: No such file; y (os error z)\n");
    }

    #[test]
    fn who_finds_nothing_says_where_it_looked() {
        let failure = Failure::no_such_session("x", &["/a".into(), "/b".into(), "/c".into()]);
        assert_eq!(failure.message, "no such session: x");
        assert_eq!(
            failure.hint.as_deref(),
            Some("looked in /a, /b and /c; sess ls -a lists what there is")
        );
    }

    #[test]
    fn many_running_sessions_are_not_all_listed() {
        let names: Vec<_> = (1..=100).map(|n| n.to_string()).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let failure = Failure::several(&names);
        assert_eq!(failure.message, "100 sessions are running: which one?");
        assert_eq!(failure.hint.as_deref(), Some("name one of 1, 2, 3, 4, 5, 6, 7, 8, …"));
    }
}

//! The environment of a session's program: what it gets of its creator's, and what of
//! that is written down. Must not know how a program is started.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use sess_holder::ending::ID_VARIABLE;
use sess_holder::place::{AGENTS, Claim};
use sess_holder::record;
use sess_sys::Program;

use crate::config::RecordedEnvironment;

/// What belongs to the creator's terminal or multiplexer.
const LEFT_BEHIND: [&str; 6] = ["TMUX", "TMUX_PANE", "STY", "WINDOWID", "LINES", "COLUMNS"];
/// The same, by how it begins.
const LEFT_BEHIND_PREFIX: &[u8] = b"ZELLIJ";
/// What is set anew each time.
const SETTLED: [&str; 3] = [NAME_VARIABLE, ID_VARIABLE, AGENT_VARIABLE];
const NAME_VARIABLE: &str = "SESS_SESSION";
/// Where programs look for an SSH agent.
pub(crate) const AGENT_VARIABLE: &str = "SSH_AUTH_SOCK";
/// The longest path that ssh takes for its agent's socket, in bytes.
const AGENT_PATH: usize = 107;

/// A program's environment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    /// Names and values.
    pub(crate) variables: Vec<(OsString, OsString)>,
    /// The socket that the link to the agent leads to.
    pub(crate) agent: Option<PathBuf>,
}

impl Environment {
    /// Ours, but for what belongs to our terminal.
    pub(crate) fn ours() -> Self {
        let variables = std::env::vars_os()
            .filter(|(key, _)| {
                !LEFT_BEHIND.iter().any(|left| key == left)
                    && !key.as_bytes().starts_with(LEFT_BEHIND_PREFIX)
            })
            .collect();
        Self { variables, agent: None }
    }

    /// The one that was written down. Where that isn't all of it the rest is ours.
    pub(crate) fn recorded(record: &record::Environment) -> Self {
        let ours = Self::ours();
        let mut it = if record.whole { Self::default() } else { ours.clone() };
        for (key, value) in &record.variables {
            it.set(key.to_os(), value.to_os());
        }
        // Whoever is here now has the agent that lives.
        match ours.get(AGENT_VARIABLE) {
            Some(agent) => it.set(AGENT_VARIABLE, agent),
            None => it.variables.retain(|(key, _)| key != AGENT_VARIABLE),
        }
        it
    }

    /// Whether the command is there, with these variables on top.
    pub(crate) fn can_run(
        &self,
        command: &[OsString],
        extra: &[(OsString, OsString)],
        cwd: &Path,
    ) -> bool {
        let mut with = self.clone();
        for (key, value) in extra {
            with.set(key, value);
        }
        // What isn't even a command tells so itself.
        Program::new(command, &with.variables, cwd, 0, None).is_ok_and(|it| it.is_there())
    }

    /// Sets what the session has to say, and what was asked for on top of it.
    pub(crate) fn settle(&mut self, claim: &Claim, id: &str, extra: &[(OsString, OsString)]) {
        if self.get("TERM").is_none_or(|term| term.is_empty() || term == "dumb") {
            self.set("TERM", "xterm-256color");
        }
        let link = claim.root_path.join(AGENTS).join(id);
        let agent = self.get(AGENT_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
        self.agent = agent.filter(|_| link.as_os_str().len() <= AGENT_PATH);
        if self.agent.is_some() {
            self.set(AGENT_VARIABLE, &link);
        }
        for (key, value) in extra {
            self.set(key, value);
        }
        self.set(NAME_VARIABLE, claim.name.as_str());
        self.set(ID_VARIABLE, id);
    }

    /// What is written down of it: what was asked for in any case, unless nothing is.
    pub(crate) fn kept(
        &self,
        which: &RecordedEnvironment,
        extra: &[(OsString, OsString)],
    ) -> record::Environment {
        let is_asked_for = |name: &OsStr| extra.iter().any(|(key, _)| key == name);
        let kept =
            |name: &OsStr| !SETTLED.iter().any(|settled| name == *settled) || is_asked_for(name);
        let wanted = |name: &OsStr| {
            which.keeps(name) || (*which != RecordedEnvironment::None && is_asked_for(name))
        };
        let variables = self.variables.iter().filter(|(key, _)| kept(key) && wanted(key));
        record::Environment {
            whole: *which == RecordedEnvironment::All,
            variables: variables.map(|(key, value)| (key.into(), value.into())).collect(),
        }
    }

    fn get(&self, key: &str) -> Option<&OsStr> {
        let found = self.variables.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.as_os_str())
    }

    /// Sets a variable.
    pub(crate) fn set(&mut self, key: impl AsRef<OsStr>, value: impl AsRef<OsStr>) {
        let (key, value) = (key.as_ref(), value.as_ref().to_owned());
        match self.variables.iter_mut().find(|(name, _)| name == key) {
            Some((_, old)) => *old = value,
            None => self.variables.push((key.to_owned(), value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        let variables = variables.iter().map(|(key, value)| (key.into(), value.into())).collect();
        Environment { variables, agent: None }
    }

    fn kept(which: &RecordedEnvironment) -> Vec<String> {
        let it = environment(&[
            ("PATH", "/bin"),
            ("LC_ALL", "C"),
            ("SECRET", "x"),
            ("ASKED", "y"),
            ("SESS_ID", "1"),
            ("SSH_AUTH_SOCK", "/a"),
        ]);
        let kept = it.kept(which, &[("ASKED".into(), "y".into())]);
        kept.variables.iter().map(|(key, _)| key.shown()).collect()
    }

    #[test]
    fn what_is_kept_is_what_was_asked_for() {
        assert_eq!(kept(&RecordedEnvironment::default()), ["PATH", "LC_ALL", "ASKED"]);
        assert_eq!(kept(&RecordedEnvironment::All), ["PATH", "LC_ALL", "SECRET", "ASKED"]);
        assert_eq!(kept(&RecordedEnvironment::None), [""; 0]);
    }

    #[test]
    fn what_was_kept_goes_over_what_is_here() {
        let variables = vec![("PATH".into(), "/theirs".into()), ("A_B".into(), "c".into())];
        let some = record::Environment { whole: false, variables };
        let it = Environment::recorded(&some);
        assert_eq!(it.get("PATH"), Some(OsStr::new("/theirs")));
        assert_eq!(it.get("A_B"), Some(OsStr::new("c")));
        assert!(it.variables.len() > 2, "the rest is ours");
        let all = record::Environment { whole: true, ..some };
        let it = Environment::recorded(&all);
        assert_eq!(it.variables.len(), 2 + usize::from(it.get(AGENT_VARIABLE).is_some()));
    }
}

//! What tests ask of sessions by their names, whoever began them and however often.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::patience::wait_until;
use super::sandbox::Sandbox;

impl Sandbox {
    /// Waits until a session is in this state.
    #[track_caller]
    pub fn wait_for_state(&self, name: &str, state: &str) {
        wait_until(&format!("{name} to be {state}"), || self.status(name)["state"] == state);
    }

    /// Waits for the end of a session that is about to end; returns what `status` says of
    /// that.
    #[track_caller]
    pub fn wait_for_end(&self, name: &str) -> Value {
        self.wait_for_state(name, "exited");
        self.status(name)["exit"].clone()
    }

    /// Waits until a session shows a line that matches.
    #[track_caller]
    pub fn wait_for_line(&self, name: &str, regex: &str) {
        self.sess(["wait", name, "--text", regex, "--timeout", "10s"]).expect(0);
    }

    /// The offset of a session's next output.
    #[track_caller]
    pub fn offset(&self, name: &str) -> u64 {
        let status = self.status(name);
        status["offset"].as_u64().unwrap_or_else(|| panic!("no offset in {status}"))
    }

    /// A session's output from an offset on, as it came.
    #[track_caller]
    pub fn raw_since(&self, name: &str, offset: u64) -> String {
        self.sess(["logs", name, "--raw", "--since", &offset.to_string()]).expect(0).stdout
    }

    /// The date and time in a time zone, as the line of a restart has it.
    #[track_caller]
    pub fn date_in(&self, zone: &str) -> String {
        let mut command = self.command("date");
        command.arg("+%F %T").env("TZ", zone);
        self.run(command).expect(0).stdout.trim_end().to_owned()
    }

    /// How many lines a file in the sandbox has.
    pub fn count_lines(&self, file: &str) -> usize {
        String::from_utf8_lossy(&self.read(file)).lines().count()
    }
}

/// The times in the lines that say that a program was started again.
pub fn restart_times(text: &str) -> Vec<String> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("── restarted "));
    lines.map(|line| line.strip_suffix(" ──").expect("the line's end").to_owned()).collect()
}

/// Every file at and below a path, and what it holds.
pub fn contents(path: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![path.to_owned()];
    while let Some(path) = waiting.pop() {
        match std::fs::read_dir(&path) {
            Ok(entries) => waiting.extend(entries.flatten().map(|entry| entry.path())),
            Err(_) => drop(found.insert(path.clone(), std::fs::read(&path).unwrap_or_default())),
        }
    }
    found
}

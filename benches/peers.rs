//! The tools that are measured, a row each: how each is told to start a session,
//! to show it, to list, to end. Adding a tool is adding a row.
//!
//! Commands are templates of words: `{dir}` is the tool's place, with an empty
//! private folder `own` in it, `{name}` the session's name, `{cols}` and `{rows}` the terminal's size, `{lines}` the history
//! that is wanted, `{cmd}` the program and its arguments, a word each, `{line}` the
//! same as one word. An empty template is something that the tool does not do.

use std::env;
use std::path::{Path, PathBuf};

/// One row.
#[derive(Debug)]
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    pub(crate) exe: Exe,
    /// Variables set for everything it runs.
    pub(crate) env: &'static [(&'static str, &'static str)],
    /// Configuration, written to its place first.
    pub(crate) files: &'static [(&'static str, &'static str)],
    /// Starts a session and leaves it detached.
    pub(crate) create: &'static str,
    /// Starts a session and shows it.
    pub(crate) create_attached: &'static str,
    pub(crate) attach: &'static str,
    pub(crate) list: &'static str,
    pub(crate) kill: &'static str,
    /// Types into a session's shell and waits until the answer, a line that is just
    /// the token, is shown. This and the next are scripts for a shell.
    pub(crate) ask: &'static str,
    /// Runs `true` in a session's shell and waits for its status.
    pub(crate) run: &'static str,
    /// Whether it shows the screen again to who attaches.
    pub(crate) keeps_screen: bool,
}

/// Where a tool's executable is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Exe {
    /// There is none: the program runs on the terminal itself.
    None,
    /// This benchmark's own.
    Ourselves,
    /// The sess that was built along with it.
    Sess,
    /// Another build of it, to compare the two.
    OtherSess,
    /// Somewhere on the PATH.
    Named(&'static str),
}

/// Nothing.
const NOTHING: Tool = Tool {
    name: "",
    exe: Exe::None,
    env: &[],
    files: &[],
    create: "",
    create_attached: "",
    attach: "",
    list: "",
    kill: "",
    ask: "",
    run: "",
    keeps_screen: false,
};

/// Ours.
const SESS: Tool = Tool {
    name: "sess",
    exe: Exe::Sess,
    env: &[("SESS_DIR", "{dir}/own")],
    create: "new -d -s {cols}x{rows} {name} -- {cmd}",
    create_attached: "new {name} -- {cmd}",
    attach: "attach --lines {lines} {name}",
    list: "ls",
    kill: "kill {name}",
    ask: "{exe} send {name} 'echo {token}$((1))' --enter --wait-text '^{token}1$'",
    run: "{exe} run {name} -- true",
    keeps_screen: true,
    ..NOTHING
};

/// All of them. The rows of `abduco`, `zmx` and `shpool` follow their manuals.
pub(crate) const TOOLS: &[Tool] = &[
    Tool { name: "bare", ..NOTHING },
    Tool {
        name: "relay2",
        exe: Exe::Ourselves,
        create: "--relay2-hold {dir} {name} {cols} {rows} {cmd}",
        attach: "--relay2-show {dir} {name}",
        ..NOTHING
    },
    SESS,
    Tool { name: "sess-other", exe: Exe::OtherSess, ..SESS },
    // What the record costs.
    Tool {
        name: "sess-unrecorded",
        create: "new -d --record never -s {cols}x{rows} {name} -- {cmd}",
        create_attached: "new --record never {name} -- {cmd}",
        ..SESS
    },
    Tool {
        name: "dtach",
        exe: Exe::Named("dtach"),
        create: "-n {dir}/{name} -E -z -r none {cmd}",
        create_attached: "-c {dir}/{name} -E -z -r none {cmd}",
        attach: "-a {dir}/{name} -E -z -r none",
        ..NOTHING
    },
    Tool {
        name: "abduco",
        exe: Exe::Named("abduco"),
        env: &[("ABDUCO_SOCKET_DIR", "{dir}/own")],
        create: "-n {name} {cmd}",
        create_attached: "-c {name} {cmd}",
        attach: "-a {name}",
        list: " ",
        ..NOTHING
    },
    Tool {
        name: "screen",
        exe: Exe::Named("screen"),
        env: &[("SCREENDIR", "{dir}/own")],
        files: &[("rc", "startup_message off\ndefscrollback 10000\n")],
        create: "-c {dir}/rc -dmS {name} {cmd}",
        create_attached: "-c {dir}/rc -S {name} {cmd}",
        attach: "-c {dir}/rc -d -r {name}",
        list: "-ls",
        kill: "-S {name} -X quit",
        keeps_screen: true,
        ..NOTHING
    },
    Tool {
        name: "tmux",
        exe: Exe::Named("tmux"),
        files: &[("rc", "set -g status off\nset -g history-limit 10000\n")],
        create: "-S {dir}/sock -f {dir}/rc new-session -d -s {name} -x {cols} -y {rows} {cmd}",
        create_attached: "-S {dir}/sock -f {dir}/rc new-session -s {name} {cmd}",
        attach: "-S {dir}/sock attach-session -t ={name}",
        list: "-S {dir}/sock list-sessions",
        kill: "-S {dir}/sock kill-session -t ={name}",
        ask: "{exe} -S {dir}/sock send-keys -t {name} 'echo {token}$((1))' Enter
              until {exe} -S {dir}/sock capture-pane -p -t {name} | grep -q '^{token}1$'
              do :; done",
        run: "{exe} -S {dir}/sock send-keys -t {name} 'true; echo {token}$?' Enter
              until {exe} -S {dir}/sock capture-pane -p -t {name} | grep -q '^{token}0$'
              do :; done",
        keeps_screen: true,
        ..NOTHING
    },
    Tool {
        name: "zmx",
        exe: Exe::Named("zmx"),
        env: &[("ZMX_DIR", "{dir}/own")],
        create: "run {name} -d {cmd}",
        create_attached: "attach {name} {cmd}",
        attach: "attach {name}",
        list: "list",
        kill: "kill {name}",
        keeps_screen: true,
        ..NOTHING
    },
    Tool {
        name: "shpool",
        exe: Exe::Named("shpool"),
        env: &[("XDG_RUNTIME_DIR", "{dir}/own")],
        create: "--socket {dir}/sock attach --background --cmd {line} {name}",
        create_attached: "--socket {dir}/sock attach --cmd {line} {name}",
        attach: "--socket {dir}/sock attach --force {name}",
        list: "--socket {dir}/sock list",
        kill: "--socket {dir}/sock kill {name}",
        keeps_screen: true,
        ..NOTHING
    },
];

impl Tool {
    /// Where its executable is, if it is there.
    pub(crate) fn find(&self) -> Option<PathBuf> {
        match self.exe {
            Exe::None => Some(PathBuf::new()),
            Exe::Ourselves => env::current_exe().ok(),
            Exe::Sess => sess(),
            Exe::OtherSess => named_by("SESS_OTHER"),
            Exe::Named(name) => env::split_paths(&env::var_os("PATH")?)
                .map(|folder| folder.join(name))
                .find(|path| path.is_file()),
        }
    }

    /// Whether sessions outlive their terminal.
    pub(crate) fn holds(&self) -> bool {
        !self.create.is_empty()
    }
}

/// The binary that cargo built, or another one named by `SESS_BIN`.
fn sess() -> Option<PathBuf> {
    named_by("SESS_BIN").or_else(|| option_env!("CARGO_BIN_EXE_sess").map(PathBuf::from))
}

fn named_by(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).map(PathBuf::from).filter(|path| path.is_file())
}

/// What the braces of a template stand for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meaning<'a> {
    pub(crate) dir: &'a Path,
    pub(crate) name: &'a str,
    pub(crate) cols: u16,
    pub(crate) rows: u16,
    pub(crate) lines: &'a str,
    pub(crate) program: &'a [String],
}

impl Meaning<'_> {
    /// The words of a template.
    pub(crate) fn words(&self, template: &str) -> Vec<String> {
        let mut words = Vec::new();
        for word in template.split_whitespace() {
            match word {
                "{cmd}" => words.extend_from_slice(self.program),
                "{line}" => words.push(self.program.join(" ")),
                word => words.push(self.word(word)),
            }
        }
        words
    }

    /// One word.
    pub(crate) fn word(&self, word: &str) -> String {
        word.replace("{dir}", &self.dir.display().to_string())
            .replace("{name}", self.name)
            .replace("{cols}", &self.cols.to_string())
            .replace("{rows}", &self.rows.to_string())
            .replace("{lines}", self.lines)
    }
}

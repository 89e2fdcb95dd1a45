//! An SSH agent works in old shells after one came back over another connection:
//! `SSH_AUTH_SOCK` is a link that each attach points to its own agent.

mod over_ssh;

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::harness::{Running, Sandbox, Terminal, find, is_there, mode, wait_for, wait_until};

/// An agent with one key, and what it needs to be asked.
struct Agent {
    socket: PathBuf,
    key: PathBuf,
    /// What `ssh-add -l` shows of it.
    comment: String,
    _running: Running,
}

impl Agent {
    /// Starts one, if this machine has what it takes.
    fn start(sandbox: &Sandbox, name: &str) -> Option<Self> {
        let (agent, add, keygen) = (find("ssh-agent")?, find("ssh-add")?, find("ssh-keygen")?);
        let (socket, key) = (sandbox.path(&format!("{name}.sock")), sandbox.path(name));
        let comment = format!("key-of-{name}");
        let mut command = sandbox.command(keygen);
        command.args(["-q", "-t", "ed25519", "-N", "", "-C", &comment, "-f"]).arg(&key);
        sandbox.run(command).expect(0);
        let mut command = sandbox.command(agent);
        command.arg("-D").arg("-a").arg(&socket);
        let running = sandbox.start(command);
        wait_until("the agent", || UnixStream::connect(&socket).is_ok());
        let mut command = sandbox.command(add);
        command.arg("-q").arg(&key).env("SSH_AUTH_SOCK", &socket).stdin(Stdio::null());
        sandbox.run(command).expect(0);
        Some(Self { socket, key, comment, _running: running })
    }
}

/// Asks, in a shell in a session, which keys there are, until it shows this.
#[track_caller]
fn assert_shows_key(terminal: &Terminal, agent: &Agent) {
    terminal.type_line("clear -x 2>/dev/null; ssh-add -l");
    terminal.wait_for_text(&agent.comment);
}

/// Where a session's link leads, if there is one.
fn link(sandbox: &Sandbox, id: &str) -> Option<PathBuf> {
    std::fs::read_link(sandbox.sessions().join(".agent").join(id)).ok()
}

/// The variable in a program's environment.
fn variable(pid: sess_sys::Pid) -> Option<PathBuf> {
    let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap();
    let environ = String::from_utf8(environ).unwrap();
    environ.split('\0').find_map(|pair| pair.strip_prefix("SSH_AUTH_SOCK=")).map(PathBuf::from)
}

#[test]
fn each_attach_points_the_link_to_its_own_agent() {
    let sandbox = Sandbox::new();
    let Some(one) = Agent::start(&sandbox, "one") else { return };
    let Some(two) = Agent::start(&sandbox, "two") else { return };
    let mut terminal =
        sandbox.terminal().env("SSH_AUTH_SOCK", &one.socket).sess(["new", "work", "--", "sh"]);
    terminal.wait_for_attached(&sandbox, "work");
    let session = sandbox.session("work");
    let path = sandbox.sessions().join(".agent").join(&session.id);
    assert_eq!(variable(session.pid).as_ref(), Some(&path));
    assert_eq!(link(&sandbox, &session.id).as_ref(), Some(&one.socket));
    assert_eq!(mode(&sandbox.sessions().join(".agent")), 0o700);
    assert_shows_key(&terminal, &one);
    terminal.detach();

    let mut terminal = sandbox.terminal().env("SSH_AUTH_SOCK", &two.socket).attach("work");
    assert_eq!(link(&sandbox, &session.id).as_ref(), Some(&two.socket));
    assert_shows_key(&terminal, &two);
    terminal.detach();
    // It survives the detach, and an attach without an agent.
    assert_eq!(link(&sandbox, &session.id).as_ref(), Some(&two.socket));
    let mut terminal = sandbox.attach("work");
    assert_shows_key(&terminal, &two);
    terminal.detach();
    let mut terminal = sandbox.terminal().env("SSH_AUTH_SOCK", "").attach("work");
    assert_eq!(link(&sandbox, &session.id).as_ref(), Some(&two.socket));
    terminal.detach();

    let terminal = sandbox.terminal().env("SSH_AUTH_SOCK", &one.socket).attach("work");
    assert_shows_key(&terminal, &one);
    sandbox.sess(["kill", "work"]).expect(0);
    assert!(!is_there(&path), "the link goes with its session");
}

#[test]
fn a_detached_session_has_its_creators_agent() {
    let sandbox = Sandbox::new();
    let Some(one) = Agent::start(&sandbox, "one") else { return };
    let mut command = sandbox.sess_command(["new", "-d", "work", "--", "sh"]);
    command.env("SSH_AUTH_SOCK", &one.socket);
    sandbox.run(command).expect(0);
    assert_shows_key(&sandbox.attach("work"), &one);
}

#[test]
fn who_attaches_from_inside_with_the_link_itself_changes_nothing() {
    let sandbox = Sandbox::new();
    let agent = sandbox.write("agent", "");
    let mut command = sandbox.sess_command(["new", "-d", "work", "--", "cat"]);
    command.env("SSH_AUTH_SOCK", &agent);
    sandbox.run(command).expect(0);
    let id = sandbox.session("work").id;
    let path = sandbox.sessions().join(".agent").join(&id);
    let second = sandbox.path("second");
    std::os::unix::fs::symlink(&path, &second).unwrap();
    for socket in [&path, &second] {
        let mut terminal = sandbox.terminal().env("SSH_AUTH_SOCK", socket).attach("work");
        assert_eq!(link(&sandbox, &id).as_ref(), Some(&agent));
        terminal.detach();
    }
}

/// Starts a session below a directory whose link's path has so many bytes; returns
/// its variable and whether there are links.
fn with_path_of(length: usize) -> (Option<PathBuf>, PathBuf, bool) {
    let sandbox = Sandbox::new();
    let agent = sandbox.write("agent", "");
    let rest = "/.agent/0123456789abcdef".len();
    let missing = length - rest - sandbox.path("x").as_os_str().len() + 1;
    let dir = sandbox.path(&"d".repeat(missing));
    let words = [
        "new",
        "-d",
        "work",
        "--",
        "sh",
        "-c",
        "tr '\\0' '\\n' </proc/$$/environ >env
        touch done; exec cat",
    ];
    let mut command = sandbox.sess_command(words);
    command.env("SESS_DIR", &dir).env("SSH_AUTH_SOCK", &agent);
    sandbox.run(command).expect(0);
    wait_until("its environment", || sandbox.path("done").exists());
    let env = String::from_utf8(sandbox.read("env")).unwrap();
    let found = env.lines().find_map(|line| line.strip_prefix("SSH_AUTH_SOCK="));
    (found.map(PathBuf::from), agent, is_there(&dir.join(".agent")))
}

#[test]
fn a_path_that_is_too_long_for_ssh_leaves_the_variable_as_it_was() {
    let (found, _, links) = with_path_of(107);
    let found = found.unwrap();
    assert!(found.parent().is_some_and(|parent| parent.ends_with(".agent")), "{found:?}");
    assert_eq!((found.as_os_str().len(), links), (107, true));
    for length in [108, 200] {
        let (found, agent, links) = with_path_of(length);
        assert_eq!((found, links), (Some(agent), false));
    }
}

#[test]
fn without_an_agent_there_is_no_variable() {
    let sandbox = Sandbox::new();
    let agent = sandbox.write("agent", "");
    let session = sandbox.start_session("work", ["cat"]);
    assert_eq!(variable(session.pid), None);
    let mut command = sandbox.sess_command(["new", "-d", "other", "--", "cat"]);
    command.env("SSH_AUTH_SOCK", "");
    sandbox.run(command).expect(0);
    let found = variable(sandbox.session("other").pid);
    assert!(found.is_none_or(|found| found == Path::new("")));
    assert!(!is_there(&sandbox.sessions().join(".agent")));
    // An agent that comes later harms nothing.
    let mut terminal = sandbox.terminal().env("SSH_AUTH_SOCK", &agent).attach("work");
    terminal.type_line("hello");
    terminal.wait_for_text("hello\nhello");
    terminal.detach();
}

#[test]
fn the_link_comes_back_when_it_was_removed() {
    let sandbox = Sandbox::new();
    let agent = sandbox.write("agent", "");
    let mut command = sandbox.sess_command(["new", "-d", "work", "--", "cat"]);
    command.env("SSH_AUTH_SOCK", &agent);
    sandbox.run(command).expect(0);
    let session = sandbox.session("work");
    // With everything else; but alone it is noticed only when the holder looks.
    std::fs::remove_dir_all(sandbox.sessions()).unwrap();
    let back = || link(&sandbox, &session.id).filter(|target| *target == agent);
    wait_for("the link's return", back);
    std::fs::remove_dir_all(sandbox.sessions().join(".agent")).unwrap();
    session.signal_holder(sess_sys::Signal::USR1);
    wait_for("the link's return", back);
}

#[test]
fn the_link_goes_with_a_session_however_that_ends() {
    let sandbox = Sandbox::new();
    let agent = sandbox.write("agent", "");
    let start = |name: &str, script: &str| {
        let mut command = sandbox.sess_command(["new", "-d", name, "--", "sh", "-c", script]);
        command.env("SSH_AUTH_SOCK", &agent);
        sandbox.run(command).expect(0);
    };
    start("ended", "exit 0");
    start("missing", "exec /no/such/command");
    for name in ["ended", "missing"] {
        wait_for("its end", || (sandbox.status(name)["state"] == "exited").then_some(()));
    }
    start("stopped", "exec cat");
    sandbox.session("stopped").stop_holder();
    sandbox.sess(["kill", "stopped"]).expect(0);
    start("lost", "exec cat");
    sandbox.session("lost").lose_holder();
    sandbox.sess(["kill", "lost"]).expect(0);
    // Its name is taken by another.
    start("replaced", "exec cat");
    let session = sandbox.session("replaced");
    session.lose_both();
    sandbox.start_session("replaced", ["cat"]);
    let mut command = sandbox.sess_command(["new", "-d", "failed", "--", "no-such-command"]);
    command.env("SSH_AUTH_SOCK", &agent);
    sandbox.run(command).expect(127);
    let links = std::fs::read_dir(sandbox.sessions().join(".agent")).into_iter().flatten();
    let left: Vec<_> = links.flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left, [""; 0]);
}

//! The whole way: in over ssh, out, in over another ssh, and the agent that came
//! with it works in the old shell.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};

use super::{Agent, assert_shows_key};
use crate::harness::{Running, Sandbox, Terminal, find, skipped, wait_for, wait_within};

/// A machine to log in to: an sshd on the loopback.
struct Host {
    port: u16,
    user: String,
    _running: Running,
    _folder: Option<Folder>,
}

/// A folder outside of the sandbox, removed if it was ours.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.0);
    }
}

impl Host {
    /// Starts one that lets in whoever has one of these keys.
    fn start(sandbox: &Sandbox, keys: [&Agent; 2]) -> Option<Self> {
        let (sshd, keygen, id) = (find("sshd")?, find("ssh-keygen")?, find("id")?);
        let user = {
            let mut command = sandbox.command(id);
            command.arg("-un");
            sandbox.run(command).stdout.trim().to_owned()
        };
        let mut command = sandbox.command(keygen);
        command.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(sandbox.path("host-key"));
        sandbox.run(command).expect(0);
        let public = keys.map(|agent| std::fs::read(agent.key.with_extension("pub")).unwrap());
        let authorized = sandbox.write("authorized", public.concat());
        crate::harness::set_mode(&authorized, 0o600);
        let config = format!(
            "ListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPermitRootLogin yes\n\
             StrictModes no\nUsePAM no\nPidFile none\nPasswordAuthentication no\n\
             AllowAgentForwarding yes\n",
            sandbox.path("host-key").display(),
            authorized.display(),
        );
        let config = sandbox.write("sshd-config", config);
        let folder = privilege_separation();
        // Somebody else may take the port in between.
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let mut command = sandbox.command(&sshd);
            command.arg("-D").arg("-e").arg("-f").arg(&config).args(["-p", &port.to_string()]);
            let mut running = sandbox.start(command);
            let up = wait_for("sshd to come up or to give up", || {
                if running.has_ended() {
                    return Some(false);
                }
                TcpStream::connect(("127.0.0.1", port)).ok().map(|_| true)
            });
            if up {
                return Some(Self { port, user, _running: running, _folder: folder });
            }
        }
        skipped("sshd does not start");
        None
    }

    /// Logs in with an agent and runs `sess` there.
    fn log_in(&self, sandbox: &Sandbox, agent: &Agent, words: &str) -> Option<Terminal> {
        let ssh = find("ssh")?;
        // sshd gives a fresh environment.
        let remote = format!(
            "env SANDBOX='{root}' SESS_DIR='{dir}' HOME='{home}' PS1='$ ' '{sess}' {words}",
            root = sandbox.path("").to_str().unwrap().trim_end_matches('/'),
            dir = sandbox.sessions().display(),
            home = sandbox.path("home").display(),
            sess = env!("CARGO_BIN_EXE_sess"),
        );
        let (port, key) = (self.port.to_string(), agent.key.to_str().unwrap());
        let target = format!("{}@127.0.0.1", self.user);
        let options = ["-F", "/dev/null", "-A", "-tt", "-q", "-p", &port, "-i", key];
        let more = [
            "-o",
            "IdentitiesOnly=yes",
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
            &target,
            &remote,
        ];
        let terminal = sandbox.terminal().env("SSH_AUTH_SOCK", &agent.socket);
        Some(terminal.run(ssh.to_str().unwrap(), [&options[..], &more].concat()))
    }
}

/// What an sshd of root's wants to be there; made if it isn't.
fn privilege_separation() -> Option<Folder> {
    let path = Path::new("/run/sshd");
    std::fs::create_dir(path).ok().map(|()| Folder(path.to_owned()))
}

#[test]
fn after_coming_back_over_another_ssh_its_agent_works_in_the_old_shell() {
    let sandbox = Sandbox::new();
    let Some(one) = Agent::start(&sandbox, "one") else { return };
    let Some(two) = Agent::start(&sandbox, "two") else { return };
    let Some(host) = Host::start(&sandbox, [&one, &two]) else { return };

    let Some(mut terminal) = host.log_in(&sandbox, &one, "new work -- sh") else { return };
    let started = wait_within(crate::harness::PATIENCE, || {
        (sandbox.sess(["status", "-q", "work"]).code == 0).then_some(())
    });
    if started.is_none() && !terminal.runs() {
        return skipped(&format!("no way to log in here: {}", terminal.text()));
    }
    terminal.wait_for_text("$");
    assert_shows_key(&terminal, &one);
    terminal.type_line("here=still; echo $SSH_AUTH_SOCK >variable");
    terminal.detach();
    let first = std::fs::read_link(sandbox.sessions().join(".agent").join(id(&sandbox))).unwrap();
    wait_for("the end of the first agent's way", || (!first.exists()).then_some(()));

    let mut terminal = host.log_in(&sandbox, &two, "attach work").unwrap();
    terminal.wait_for_text("$");
    assert_shows_key(&terminal, &two);
    // It is the old shell, and nothing in it has changed.
    terminal
        .type_line("echo it is $here there; [ $SSH_AUTH_SOCK = \"$(cat variable)\" ] && echo same");
    terminal.wait_for_text("it is still there\nsame");
    terminal.detach();
}

fn id(sandbox: &Sandbox) -> String {
    sandbox.session("work").id
}

//! Only the session's own user, and root, get an answer, whatever the permissions
//! say.

use std::time::Duration;

use sess_proto::message::{Hello, Status};
use sess_proto::{ClientMessage, HolderMessage, PROTOCOL_MAX, PROTOCOL_MIN};

use crate::harness::{Connection, Output, Sandbox, find, is_root, mode, set_mode};

/// Connects, asks how it stands, and prints how many bytes come back.
const ASK: &str = "
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(20)
s.connect(sys.argv[1])
print('connected')
count = 0
try:
    s.sendall(bytes.fromhex(sys.argv[2]))
    s.shutdown(socket.SHUT_WR)
    while data := s.recv(65536):
        count += len(data)
except (BrokenPipeError, ConnectionResetError):
    pass
print(count)
";

/// Asks a session how it stands as this user.
fn ask_as(sandbox: &Sandbox, uid: u32) -> Option<Output> {
    let (setpriv, python) = (find("setpriv")?, find("python3")?);
    let mut question = Vec::new();
    let hello = Hello {
        protocol_min: PROTOCOL_MIN,
        protocol_max: PROTOCOL_MAX,
        features: 0,
        version: "foreign".to_owned(),
    };
    ClientMessage::from(hello).encode(&mut question);
    ClientMessage::from(Status {}).encode(&mut question);
    let question: Vec<String> = question.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut command = sandbox.command(setpriv);
    command.arg(format!("--reuid={uid}")).arg("--clear-groups");
    command.arg(python).args(["-c", ASK]);
    command.arg(sandbox.sessions().join("work/sock")).arg(question.concat());
    Some(sandbox.run(command))
}

#[test]
fn a_foreign_user_gets_no_byte() {
    if !is_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    // As careless as one can be.
    for path in [sandbox.path(""), sandbox.sessions(), session.folder()] {
        set_mode(&path, 0o755);
    }
    set_mode(&session.folder().join("sock"), 0o666);
    let Some(own) = ask_as(&sandbox, 0) else { return };
    let own = own.expect(0);
    let count: usize = own.stdout.strip_prefix("connected\n").unwrap().trim().parse().unwrap();
    assert!(count > 50, "{own:?}");
    for _ in 0..20 {
        let foreign = ask_as(&sandbox, 65_534).unwrap().expect(0);
        assert_eq!(foreign.stdout, "connected\n0\n");
    }
    set_mode(&sandbox.sessions(), 0o700);
    let now = sandbox.session("work");
    assert_eq!((now.pid, now.holder), (session.pid, session.holder));
}

#[test]
fn by_themselves_the_permissions_keep_others_out() {
    if !is_root() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.start_session("work", ["cat"]);
    set_mode(&sandbox.path(""), 0o755);
    let Some(output) = ask_as(&sandbox, 65_534) else { return };
    assert!(output.stderr.contains("PermissionError"), "{output:?}");
    assert_eq!(output.stdout, "");
}

#[test]
fn root_gets_an_answer_from_everybody() {
    let Some(setpriv) = find("setpriv") else { return };
    if !is_root() {
        return;
    }
    let sandbox = Sandbox::new();
    set_mode(&sandbox.path(""), 0o755);
    // Where the build's own folder is closed to others.
    let sess = sandbox.install(env!("CARGO_BIN_EXE_sess"), "sess", "755");
    let home = sandbox.path("theirs");
    std::fs::create_dir(&home).unwrap();
    std::os::unix::fs::chown(&home, Some(65_534), Some(65_534)).unwrap();
    let sessions = home.join("sessions");
    let mut command = sandbox.command(setpriv);
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&sess);
    command.args(["new", "-d", "work", "--", "cat"]).env("SESS_DIR", &sessions);
    sandbox.run(command).expect(0);
    assert_eq!(mode(&sessions), 0o700);
    let mut connection = Connection::open(&sessions.join("work"));
    connection.greet();
    connection.say(Status {});
    let info = connection.hear(Duration::from_secs(10), |message| match message {
        HolderMessage::Info(info) => Some(info.name.clone()),
        _ => None,
    });
    assert_eq!(info.as_deref(), Some("work"));
}

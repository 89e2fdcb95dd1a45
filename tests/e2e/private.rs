//! Contract 6.9: only the same user gets an answer, nothing on disk is readable
//! by others, and nothing that a program chose acts upon a terminal.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use sess_proto::message::{Hello, Status};
use sess_sys::process::{self, Process};

use crate::harness::{Sandbox, find, skipped, wait_until};

/// Fails if anybody else may read, write or search anything here.
fn assert_private(path: &Path) {
    let meta = fs::symlink_metadata(path).unwrap();
    if !meta.is_symlink() {
        assert_eq!(meta.mode() & 0o077, 0, "{} {:o}", path.display(), meta.mode());
        assert_eq!(meta.uid(), process::uid());
    }
    if meta.is_dir() {
        assert_eq!(meta.mode() & 0o7777, 0o700);
        for entry in fs::read_dir(path).unwrap() {
            assert_private(&entry.unwrap().path());
        }
    }
}

#[test]
fn nothing_on_disk_is_readable_by_others_whatever_the_umask() {
    for umask in ["000", "077", "777"] {
        let sandbox = Sandbox::new();
        let script = format!(
            "umask {umask}; export SSH_AUTH_SOCK=/tmp/none; '{}' new -d work -- cat",
            env!("CARGO_BIN_EXE_sess")
        );
        let mut command = sandbox.command("sh");
        command.args(["-c", &script]);
        sandbox.run(command).expect(0);
        sandbox.start_session_that_ends("exited", "exit 3");
        assert_private(&sandbox.sessions());
        let socket = fs::metadata(sandbox.sessions().join("work/sock")).unwrap();
        assert_eq!(socket.mode() & 0o777, 0o600);
        sandbox.sess(["status", "work"]).expect(0);
    }
}

#[test]
fn a_holders_command_line_and_environment_tell_nothing() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.sess_command(["new", "-d", "work", "-e", "TOKEN=secret", "--"]);
    command.args(["sh", "-c", ": password; cat"]).env("OTHER", "secret");
    sandbox.run(command).expect(0);
    let session = sandbox.session("work");
    let holder = Process::read(session.holder).unwrap().unwrap();
    let line = holder.command_line().unwrap();
    let end = line.iter().position(|byte| *byte == 0).unwrap_or(line.len());
    assert_eq!(String::from_utf8_lossy(&line[..end]), "sess: work");
    assert!(line[end..].iter().all(|byte| *byte == 0));
    let environment = fs::read(format!("/proc/{}/environ", session.holder)).unwrap();
    assert!(!String::from_utf8_lossy(&environment).contains("secret"));
}

#[test]
fn a_holder_inherits_nothing_and_sits_in_the_root_directory() {
    let sandbox = Sandbox::new();
    let holder = sandbox.start_session("work", ["cat"]).holder;
    let cwd = fs::read_link(format!("/proc/{holder}/cwd")).unwrap();
    assert_eq!(cwd, Path::new("/"));
    for fd in 0..3 {
        let link = fs::read_link(format!("/proc/{holder}/fd/{fd}")).unwrap();
        assert_eq!(link, Path::new("/dev/null"));
    }
}

#[test]
fn names_titles_and_commands_are_printed_with_their_controls_shown() {
    let sandbox = Sandbox::new();
    let script = "printf '\\033]2;evil\\302\\2332Jtitle \\342\\200\\256x\\007'; cat # \x1b[31m\x07";
    sandbox.sess(["new", "-d", "work", "-l", "k=\x1b[7mv", "--", "sh", "-c", script]).expect(0);
    wait_until("the title", || sandbox.status("work")["title"] != "");
    for args in [&["ls"][..], &["ls", "--json"], &["status", "work"], &["status", "--json", "work"]]
    {
        let shown = sandbox.sess(args).expect(0).stdout;
        let odd = shown.chars().find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
        assert_eq!(odd, None, "{shown:?}");
    }
    let output = sandbox.sess(["status", "\x1b[31mno"]).expect(2);
    assert!(!output.stderr.contains('\x1b'));
    let output = sandbox.sess(["new", "-d", "x", "--", "\x1b[31mno"]).expect(127);
    assert!(!output.stderr.contains('\x1b'));
}

#[test]
fn another_user_gets_no_answer_even_where_the_files_would_let_him() {
    if process::uid() != 0 {
        return skipped("takes root");
    }
    let (Some(_), Some(_)) = (find("setpriv"), find("python3")) else { return };
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    for path in [sandbox.path(""), sandbox.sessions(), session.folder()] {
        fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    }
    let socket = session.folder().join("sock");
    fs::set_permissions(&socket, Permissions::from_mode(0o666)).unwrap();
    let script = "import socket, sys\ns = socket.socket(socket.AF_UNIX); s.settimeout(8)\n\
        s.connect(sys.argv[1])\n\
        try:\n s.sendall(bytes.fromhex(sys.argv[2])); data = s.recv(100)\n\
        except OSError as error: data = b''\nprint(len(data))";
    // A hello and a wish to know all.
    let mut bytes = Vec::new();
    let hello = Hello { protocol_min: 1, protocol_max: 1, features: 0, version: String::new() };
    sess_proto::ClientMessage::from(hello).encode(&mut bytes);
    sess_proto::ClientMessage::from(Status {}).encode(&mut bytes);
    let hex = bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let ask = |user: &[&str]| {
        let mut command = sandbox.command("setpriv");
        command.args(user).args(["python3", "-c", script]).arg(&socket).arg(&hex);
        sandbox.run(command).expect(0).stdout.trim().parse::<usize>().unwrap()
    };
    assert!(ask(&["--reuid=0"]) > 0, "the same user is answered");
    assert_eq!(ask(&["--reuid=65534", "--clear-groups"]), 0);
    fs::set_permissions(sandbox.sessions(), Permissions::from_mode(0o700)).unwrap();
    sandbox.sess(["status", "work"]).expect(0);
}

//! No descriptors left, no disk left: the session goes on, and recovers.

use std::process::Command;

use sess_sys::detach::raise_descriptor_limit;
use sess_sys::process::Signal;

use crate::harness::{
    Connection, Sandbox, find, is_root, is_there, open_descriptors, resident, skipped, wait_for,
    wait_until,
};

#[test]
fn fifteen_hundred_idle_connections_cost_little_and_keep_nobody_out() {
    const COUNT: usize = 1_500;
    let limit = raise_descriptor_limit().unwrap().hard;
    if limit < 3_000 {
        return skipped("too few descriptors");
    }
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    let terminal = sandbox.attach("work");
    let before = resident(session.holder);
    let mut idle: Vec<Connection> = (0..COUNT)
        .map(|_| wait_for("a connection", || Connection::try_open(&session.folder())))
        .collect();
    // Every other has at least said hello.
    idle.iter_mut().step_by(2).for_each(Connection::greet);
    wait_until("all to be let in", || open_descriptors(session.holder) > COUNT);
    sandbox.sess(["status", "work"]).expect(0);
    terminal.type_line("hello");
    terminal.wait_for_text("hello\nhello");
    let mut second = sandbox.attach("work");
    second.wait_for_text("hello\nhello");
    second.detach();
    let after = resident(session.holder);
    assert!(after < before + 12 * 1024, "{before} kB before, {after} kB after");
    drop(idle);
    wait_until("all to be closed", || open_descriptors(session.holder) < 50);
    sandbox.sess(["status", "work"]).expect(0);
}

#[test]
fn a_holder_without_descriptors_goes_on_and_recovers() {
    let Some(prlimit) = find("prlimit") else { return };
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    let terminal = sandbox.attach("work");
    // Three clients, and two descriptors for the record.
    let limit = open_descriptors(session.holder) + 5;
    let mut command = sandbox.command(prlimit);
    command.arg(format!("--pid={}", session.holder)).arg(format!("--nofile={limit}:"));
    sandbox.run(command).expect(0);

    let idle: Vec<_> = (0..20).filter_map(|_| Connection::try_open(&session.folder())).collect();
    assert_eq!(idle.len(), 20, "they wait in the queue");
    wait_until("no room", || sandbox.sess(["status", "-q", "work"]).code == 5);
    terminal.type_line("hello");
    terminal.wait_for_text("hello\nhello");
    // What takes descriptors has to wait, too.
    std::fs::remove_file(session.folder().join("sock")).unwrap();
    session.signal_holder(Signal::USR1);
    terminal.type_line("again");
    terminal.wait_for_text("again\nagain");

    drop(idle);
    wait_until("the socket's return", || is_there(&session.folder().join("sock")));
    wait_until("room again", || sandbox.sess(["status", "-q", "work"]).code == 0);
    let mut second = sandbox.attach("work");
    second.wait_for_text("again\nagain");
    second.detach();
}

#[test]
fn kill_works_on_a_holder_without_descriptors() {
    let Some(prlimit) = find("prlimit") else { return };
    let sandbox = Sandbox::new();
    let session = sandbox.start_session("work", ["cat"]);
    let program = sess_sys::Process::read(session.pid).unwrap().unwrap();
    let mut command = sandbox.command(prlimit);
    // Not even what it has would be allowed.
    command.arg(format!("--pid={}", session.holder)).arg("--nofile=1:");
    sandbox.run(command).expect(0);
    sandbox.sess(["status", "work"]).expect(5);
    sandbox.sess(["kill", "--grace", "1s", "work"]).expect(0);
    assert!(!program.alive());
    sandbox.start_session("work", ["cat"]);
}

/// A script in a mount namespace of its own, where `sessions` is a small disk.
fn on_small_disk(sandbox: &Sandbox, options: &str, script: &str) -> Option<Command> {
    let unshare = find("unshare")?;
    if !is_root() {
        return None;
    }
    let sess = env!("CARGO_BIN_EXE_sess");
    let prelude = format!(
        "sess='{sess}'; mkdir sessions && mount -t tmpfs -o mode=0700,{options} none sessions ||
         {{ echo no mount; exit 77; }}
         trap '$sess kill --all --grace 0s' EXIT
         fill() {{ dd if=/dev/zero of=sessions/fill bs=4k 2>/dev/null; test -e sessions/fill; }}
         say() {{ code=0; \"$@\" || code=$?; echo \"code $code\"; }}
         ends() {{ i=0; while $sess status -q work; do i=$((i + 1)); test $i -lt 400 || exit 1;
         sleep 0.02; done; }}"
    );
    let mut command = sandbox.command(unshare);
    command.args(["-m", "--propagation", "private", "sh", "-c", &format!("{prelude}\n{script}")]);
    Some(command)
}

#[test]
fn on_a_full_disk_a_session_works_and_only_its_record_is_lost() {
    let sandbox = Sandbox::new();
    let script = "fill; say $sess new -d work -- cat; say $sess status -q work
        say $sess kill work; say $sess status -q work
        say $sess new -d work -- sh -c 'exit 3'; ends
        rm sessions/fill; say $sess new -d work -- cat; say $sess status -q work";
    let Some(command) = on_small_disk(&sandbox, "size=64k", script) else { return };
    let output = sandbox.run(command);
    if output.code == 77 {
        return skipped("no mounts");
    }
    let codes: Vec<_> = output.stdout.lines().filter_map(|l| l.strip_prefix("code ")).collect();
    assert_eq!(codes[..3], ["0", "0", "0"], "{output:?}");
    assert!(["1", "4"].contains(&codes[3]), "ended, and how is lost: {output:?}");
    assert_eq!(codes[4..], ["0", "0", "0"], "{output:?}");
}

#[test]
fn a_disk_that_fills_up_later_costs_the_record_and_nothing_else() {
    let sandbox = Sandbox::new();
    let script = "say $sess new -d work -- sh -c 'while ! test -e go; do sleep 0.02; done; exit 3'
        fill; say $sess status -q work; say $sess ls -q
        touch go; ends; ls -A sessions/work/record
        rm sessions/fill; say $sess new -d work -- cat; say $sess status -q work";
    let Some(command) = on_small_disk(&sandbox, "size=64k", script) else { return };
    let output = sandbox.run(command);
    if output.code == 77 {
        return skipped("no mounts");
    }
    assert_eq!(
        output.stdout,
        "work\ncode 0\ncode 0\nwork\ncode 0\nstart.json\nwork\ncode 0\ncode 0\n"
    );
    assert_eq!(output.stderr, "");
}

#[test]
fn attached_on_a_full_disk_the_end_is_told_all_the_same() {
    let sandbox = Sandbox::new();
    let script = "fill; $sess new work -- sh -c 'echo shown; read -r line; exit 3'
        echo code $?";
    let Some(command) = on_small_disk(&sandbox, "size=64k", script) else { return };
    let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    let mut terminal = sandbox.terminal().run(command.get_program().to_str().unwrap(), arguments);
    if !terminal.comes(crate::harness::PATIENCE, |it| it.text().contains("shown")) {
        assert!(terminal.text().contains("no mount"), "{}", terminal.text());
        return skipped("no mounts");
    }
    terminal.type_line("");
    terminal.wait_for_text("[work exited: 3]\ncode 3");
    assert_eq!(terminal.wait_for_exit(), 0);
}

#[test]
fn without_room_for_a_folder_new_fails_and_leaves_nothing_behind() {
    for inodes in 1..=3 {
        let sandbox = Sandbox::new();
        let script = "say $sess new -d work -- cat; say ls -A sessions";
        let options = format!("nr_inodes={inodes}");
        let Some(command) = on_small_disk(&sandbox, &options, script) else { return };
        let output = sandbox.run(command);
        if output.code == 77 {
            return skipped("no mounts");
        }
        assert!(output.stderr.starts_with("sess: "), "{inodes}: {output:?}");
        assert!(output.stderr.contains("work"), "{inodes}: {output:?}");
        assert_eq!(output.stdout, "code 1\ncode 0\n", "{inodes}: {output:?}");
    }
}

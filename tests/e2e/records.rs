//! Contract 2 and 3, the record: what is on disk of a session is readable whatever has
//! ended it, is written no more often than promised and grows no larger, and brings the
//! session back.

mod disks;
mod ended;
mod every_step;
mod garbage;
mod killed;
mod namespace;
mod numbered;
mod pace;
mod settings;
mod times;

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sess_holder::record::read_output;
use sess_sys::Dir;
use sess_sys::process::{self, Process, Signal};

use crate::harness::{Sandbox, Session, is_there, wait_for, wait_until};

/// Where a session's record is.
fn record_of(sandbox: &Sandbox, name: &str) -> PathBuf {
    sandbox.sessions().join(name).join("record")
}

/// The names in a record, in order.
#[track_caller]
fn names_in(record: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(record).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Whether anything of the output is in a record.
#[track_caller]
fn has_output(record: &Path) -> bool {
    names_in(record).iter().any(|name| name.starts_with("output-"))
}

/// What a file of a record says; null as long as it isn't there.
fn json_in(record: &Path, file: &str) -> Value {
    let text = std::fs::read(record.join(file)).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// The session as soon as it answers, which in a flood on a busy machine takes a moment.
#[track_caller]
fn answering<'a>(sandbox: &'a Sandbox, name: &str) -> Session<'a> {
    wait_until(&format!("{name} to answer"), || sandbox.status(name)["state"] == "running");
    sandbox.session(name)
}

/// Up to which offset a record in this folder has the output.
fn recorded_until(folder: &Path) -> Option<u64> {
    read_output(&Dir::open(folder).ok()?).map(|output| output.end())
}

/// Waits until the record has all that the session has said by now; returns how much
/// that is.
#[track_caller]
fn wait_for_record(sandbox: &Sandbox, name: &str) -> u64 {
    let said = sandbox.status(name)["offset"].as_u64().expect("it runs");
    let folder = sandbox.sessions().join(name);
    wait_until(&format!("{said} bytes in the record of {name}"), || {
        recorded_until(&folder).is_some_and(|until| until >= said)
    });
    said
}

/// Removes a record's folder, though somebody may just be writing to it.
#[track_caller]
fn remove_record(record: &Path) {
    wait_until("the record's removal", || {
        std::fs::remove_dir_all(record).is_ok() || !is_there(record)
    });
}

/// As a crash would: the holder is killed, and what it leaves ends.
#[track_caller]
fn crash(session: &Session<'_>) {
    session.lose_holder();
    end_the_rest(&session.id);
}

/// Ends what a holder that is gone has left. Its terminal's end mostly does.
#[track_caller]
fn end_the_rest(id: &str) {
    wait_until("the end of what is left", || {
        let mut left = process::carrying("SESS_ID", id).unwrap();
        left.retain(Process::alive);
        for process in &left {
            let _ = process.signal(Signal::KILL);
        }
        left.is_empty()
    });
}

/// Brings back the only session that there is to bring back.
#[track_caller]
fn restore<'a>(sandbox: &'a Sandbox, name: &str) -> Session<'a> {
    let output = sandbox.sess(["restore"]).expect(0);
    assert_eq!(output.stdout, format!("{name}\n"), "{}", output.stderr);
    answering(sandbox, name)
}

/// What `logs` tells as text.
#[track_caller]
fn logs(sandbox: &Sandbox, name: &str) -> String {
    sandbox.sess(["logs", name]).expect(0).stdout
}

/// Does this with each at the same time: mostly it is waited for something. Fails if any
/// fails.
#[track_caller]
fn at_once<T: Send, R: Send>(
    all: impl IntoIterator<Item = T>,
    each: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    // Who fails or is skipped tells the test's name.
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    std::thread::scope(|scope| {
        let each = &each;
        let start = |one: T| {
            let builder = std::thread::Builder::new().name(name.clone());
            builder.spawn_scoped(scope, move || each(one)).unwrap()
        };
        let threads: Vec<_> = all.into_iter().map(start).collect();
        threads.into_iter().map(|thread| thread.join().expect("none fails")).collect()
    })
}

/// A script that does what it is told through a pipe: what is typed would be output, too.
const TOLD: &str = "exec 3<>tell; while read -r line <&3; do eval \"$line\"; done";

/// The pipe for such a script.
fn make_pipe(sandbox: &Sandbox) {
    nix::unistd::mkfifo(&sandbox.path("tell"), nix::sys::stat::Mode::S_IRWXU).unwrap();
}

/// Tells such a script what to do, as soon as it listens.
#[track_caller]
fn tell(sandbox: &Sandbox, line: &str) {
    let path = sandbox.path("tell");
    let mut pipe = wait_for("somebody to be told", || {
        // It would wait for a reader, for ever if need be.
        let flags = nix::fcntl::OFlag::O_NONBLOCK.bits();
        OpenOptions::new().write(true).custom_flags(flags).open(&path).ok()
    });
    pipe.write_all(format!("{line}\n").as_bytes()).unwrap();
}

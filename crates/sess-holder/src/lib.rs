//! The process that holds one session: its program's terminal, its journal, its
//! screen, its clients and its end.
//!
//! [`start`] takes everything it needs as one value and reads neither environment
//! nor configuration. Knows nothing of arguments or of printing.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::time::SystemTime;

use sess_proto::message::Size;
use sess_sys::process::Signal;
use sess_sys::{
    Outcome, Pending, Pid, Program, PtyLeader, Signals, SpawnError, Stream, TtyId, Watched, detach,
    process,
};

pub mod client;
mod duty;
pub mod ending;
mod event_loop;
mod facts;
mod input;
mod journal;
pub mod pattern;
pub mod place;
pub mod policy;
pub mod record;
mod relay;
pub mod session;
mod shell;
mod started;
mod stream;
mod typing;

pub use relay::grouped;
pub use started::Started;

use event_loop::{Holder, Parts};
use place::{Claim, Place};
use policy::Restart;
use record::{Draft, Output, StartRecord, Text};
use session::{Identity, Now, Session, Terms};

/// Everything that a session begins with.
#[derive(Debug)]
pub struct Start {
    /// Its name, folder and lock.
    pub claim: Claim,
    /// What it runs.
    pub program: Program,
    /// What is written down of it; the holder fills in itself and its boot.
    pub record: StartRecord,
    /// Its terminal's first size.
    pub size: Size,
    /// What it said until it ended, if it is begun again.
    pub earlier: Option<Output>,
    /// It ends with this process.
    pub companion: Option<Watched>,
    /// The creator's SSH agent's socket.
    pub agent: Option<PathBuf>,
    /// The creator's connection, if it is going to attach.
    pub creator: Option<Stream>,
}

/// The line that stands between what was before a restart and what comes after it.
pub(crate) fn restart_line() -> String {
    format!("── restarted {} ──", sess_sys::clock::local_time(SystemTime::now()))
}

/// A holder's command line.
pub(crate) fn title(name: &str) -> String {
    format!("{}{name}", ending::TITLE)
}

/// Sends a holder off into a process of its own. What it has to say of its start
/// is a [`Started`], to be decoded from what is waited for.
pub fn start(start: Start) -> io::Result<Pending> {
    detach::detach(start, descriptors, run)
}

/// What the holder goes on to use.
fn descriptors(start: &Start) -> Vec<BorrowedFd<'_>> {
    let claim = &start.claim;
    let mut keep = vec![claim.root.as_fd(), claim.folder.as_fd(), claim.lock().as_fd()];
    keep.extend(start.creator.as_ref().map(AsFd::as_fd));
    keep.extend(start.companion.as_ref().map(AsFd::as_fd));
    keep
}

/// Holds a session from its start to its end; says through `outcome` whether it
/// has started. Returns the process's exit status.
fn run(start: Start, outcome: Outcome) -> i32 {
    match begin(start) {
        Ok((parts, creator)) => {
            // Who started us may be gone by now; the session isn't.
            let _ = outcome.send(&Started::Running.encode());
            // What our starter used and freed is copied for as long as we have it.
            sess_sys::heap::give_back();
            Holder::new(parts, creator).run();
            0
        }
        Err(started) => {
            let _ = outcome.send(&started.encode());
            1
        }
    }
}

/// Starts the program in a place of its own; undoes everything if it can't. Returns what a
/// holder is made of, and the connection of who started it.
fn begin(start: Start) -> Result<(Parts, Option<Stream>), Started> {
    let failed = |what: &str, error: io::Error| Started::Failed(format!("{what}: {error}"));
    let Start { claim, mut program, mut record, size, earlier, companion, agent, creator } = start;
    let id = record.id.clone();
    // While the environment still says which time it is here.
    let line = earlier.as_ref().map(|_| restart_line());
    if record.policies.restart != Restart::Never {
        sess_sys::clock::note_zone();
    }
    let removed = Signal::realtime(0);
    let setup = || {
        detach::become_subreaper()?;
        detach::raise_descriptor_limit()
    };
    let begun = setup()
        .map_err(|error| failed("can't set up a process", error))
        .and_then(|limit| {
            program.nofile = Some(limit);
            PtyLeader::open(event_loop::pty_size(size))
                .map_err(|error| failed("can't open a terminal", error))
        })
        .and_then(|(pty, follower)| {
            let poised = program.poise(&follower).map_err(not_started)?;
            // While it comes as far as to wait for the word.
            let noted = [Signal::CHLD, Signal::TERM, Signal::USR1, Signal::IO, removed];
            let signals = Signals::new(&noted);
            let signals = signals.map_err(|error| failed("can't set up a process", error))?;
            Ok((pty, follower, poised, signals))
        });
    let (pty, follower, poised, signals) = match begun {
        Ok(parts) => parts,
        Err(started) => {
            let _ = claim.withdraw();
            return Err(started);
        }
    };
    let mut place = match Place::new(claim, &id, removed) {
        Ok(place) => place,
        Err((claim, error)) => {
            let _ = claim.withdraw();
            return Err(failed("can't listen", error));
        }
    };
    if let Some(agent) = agent {
        // Without the link the program has no agent; that is no reason not to run.
        let _ = place.link_agent(&agent);
    }
    let pid = poised.pid();
    let beginning = poised.go();
    // The rest is done while the program is on its way.
    detach::forget_environment();
    detach::set_command_line(&title(place.name().as_str()));
    place.name().as_str().clone_into(&mut record.name);
    record.holder_pid = process::current().0;
    record.boot_id = process::boot_id().unwrap_or_default();
    env!("CARGO_PKG_VERSION").clone_into(&mut record.version);
    let draft = Draft::write(place.folder(), &record);
    let before = record::read(place.folder()).start;
    // Those that a killed holder left.
    let _ = place.remove_scripts();
    let identity = identity(&record, pid, follower.id());
    let mut session = Session::new(identity, terms(&record, size), earlier.as_ref());
    if let Some(line) = line {
        session.at(Now { ticks: 0, wall: record.begun });
        session.separate(&line);
    }
    if let Err(error) = beginning.wait() {
        let _ = draft.and_then(|draft| draft.discard(place.folder()));
        let _ = place.withdraw();
        return Err(not_started(error));
    }
    // A full or read-only disk costs the record, never the session.
    let unrecorded = take_over(&place, draft, &record, before).err();
    let earlier = earlier.map_or(0, |output| output.end());
    let policies = &record.policies;
    let again = policies.restart != Restart::Never || policies.on_exit.is_some();
    let program = again.then_some(program);
    let parts = Parts {
        session,
        place,
        record,
        unrecorded,
        earlier,
        pty,
        follower,
        pid,
        program,
        companion,
        signals,
        removed,
    };
    Ok((parts, creator))
}

fn identity(record: &StartRecord, pid: Pid, tty: TtyId) -> Identity {
    Identity {
        name: record.name.clone(),
        id: record.id.clone(),
        command: record.command.iter().map(Text::shown).collect(),
        cwd: record.cwd.shown(),
        created: record.created,
        labels: record.labels.clone().into_iter().collect(),
        holder_pid: record.holder_pid,
        pid: pid.0,
        tty_id: (tty.dev, tty.rdev),
    }
}

fn terms(record: &StartRecord, size: Size) -> Terms {
    Terms {
        size,
        journal: record.journal,
        history: record.history,
        record_output: record.record_output,
        policies: record.policies.clone(),
    }
}

/// Puts the record in place, and removes what an earlier session has left beside it.
fn take_over(
    place: &Place,
    draft: io::Result<Draft>,
    record: &StartRecord,
    before: Option<StartRecord>,
) -> io::Result<()> {
    let is_same = before.as_ref().is_some_and(|before| before.id == record.id);
    if let Some(before) = before.filter(|_| !is_same) {
        // A session that died could not take its link along.
        let _ = place.remove_agent(&before.id);
    }
    let draft = draft.or_else(|_| {
        record::remove_earlier(place.folder(), is_same);
        Draft::write(place.folder(), record)
    });
    draft?.commit(is_same)
}

fn not_started(error: SpawnError) -> Started {
    match error {
        SpawnError::Exec(_) => Started::CannotRun { code: error.code(), reason: error.to_string() },
        error => Started::Failed(error.to_string()),
    }
}

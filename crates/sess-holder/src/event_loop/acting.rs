//! Carrying out what the session decided: everything beyond bytes for clients and
//! the program.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sess_proto::SessionName;
use sess_proto::message::{Exit, Mood, refusal};
use sess_sys::process::{self, Signal};

use super::{ACCEPT_PAUSE, Holder, PLACES_EVERY, TERMINAL_KEEPS, pty_size};
use crate::client::ClientId;
use crate::ending::{Ending, Scope, Step};
use crate::record::Text;
use crate::restart_line;
use crate::session::Action;

/// The exit code of a program that could not be started for a reason of ours.
const CANNOT: u8 = 125;

impl Holder {
    pub(super) fn carry_out(&mut self, action: Action) {
        match action {
            Action::ResizePty(size) => {
                // A size that the system refuses changes nothing else.
                let _ = self.pty.resize(pty_size(size));
            }
            Action::LinkAgent(socket) => self.link_agent(&socket),
            Action::Report(id) => {
                let secret =
                    self.pty.echo_off().unwrap_or(false) && self.pty.canonical().unwrap_or(false);
                let activity = self.session.activity(secret);
                self.session.say(id, Mood { activity });
                self.session.say(id, self.session.upkeep());
                self.recorder.note_cwd(self.pid);
                let info = self.session.info(self.recorder.cwd().map(Text::shown));
                self.session.say(id, info);
            }
            Action::Settle => self.settle(),
            Action::WriteScript(token, text) => {
                let place = self.place.as_ref();
                let written = place.map_or(Ok(()), |place| place.write_script(&token, &text));
                if let Err(error) = written {
                    self.session.command_failed(&format!("can't write its script: {error}"));
                }
            }
            Action::RemoveScript(token) => {
                if let Some(place) = &self.place {
                    // It is found again by who removes what is left of the session.
                    let _ = place.remove_script(&token);
                }
            }
            Action::Rename(id, name) => self.rename(id, &name),
            Action::Probe(id) => {
                let connection = self.connections.get(&id);
                let unread = connection.and_then(|one| one.stream.unsent().ok());
                self.session.probed(id, unread.is_some_and(|bytes| bytes > 0));
            }
            Action::GiveBack => sess_sys::heap::give_back(),
            Action::Kill(kill) => {
                self.recorder.note_cwd(self.pid);
                let signal = kill.signal.and_then(Signal::new);
                let grace = Duration::from_millis(kill.grace);
                let scope = Scope::Tree(process::current());
                self.ending = Some((Ending::begin(scope, signal, grace), Instant::now()));
                self.step_ending();
            }
            Action::Record(keep) => self.record(keep),
            Action::Restart => self.restart(),
            Action::Conclude(exit, cause) => self.conclude(exit, cause),
        }
    }

    /// Starts the program again, on the same terminal.
    fn restart(&mut self) {
        self.read_up_to(TERMINAL_KEEPS);
        self.session.separate(&restart_line());
        let Some(program) = &self.program else {
            return self.session.not_restarted(Exit::Code(CANNOT));
        };
        // With the modes that a terminal begins with. Where a program has kept others off
        // it for good, it stays as it is.
        if let Ok(follower) = self.pty.follower() {
            self.follower = follower;
        }
        // What was typed for the one that has ended is not for the next.
        let _ = self.follower.discard_input();
        match program.spawn(&self.follower) {
            Ok(pid) => {
                self.pid = Some(pid);
                self.session.restarted(pid.0);
            }
            Err(error) => self.session.not_restarted(Exit::Code(error.code())),
        }
    }

    pub(super) fn step_ending(&mut self) {
        let Some((ending, at)) = &mut self.ending else {
            return;
        };
        match ending.step() {
            Ok(Step::Again(pause)) => *at = Instant::now() + pause,
            Ok(Step::Over(survivors)) => {
                self.ending = None;
                // The program may have gone just now.
                self.reap();
                self.session.killed(survivors);
                self.take_leave();
            }
            // Nothing can be said of the tree at the moment (no descriptors, no
            // memory): it is looked at again.
            Err(_) => *at = Instant::now() + ACCEPT_PAUSE,
        }
    }

    /// Puts back what was removed from under the session.
    pub(super) fn look_after_places(&mut self) {
        let Some(place) = &mut self.place else {
            return;
        };
        match place.heal() {
            Ok(healed) => {
                if healed.name {
                    let name = place.name().as_str();
                    sess_sys::detach::set_command_line(&crate::title(name));
                    name.clone_into(&mut self.session.identity.name);
                    self.recorder.rename(name);
                }
                if healed.folder {
                    self.recorder.begin_anew(place.folder());
                    self.session.keep_again();
                }
                let watched = place.is_watched();
                self.places_at = (!watched).then(|| Instant::now() + PLACES_EVERY);
            }
            // No room, or a place that isn't ours at the moment: tried again.
            Err(_) => self.places_at = Some(Instant::now() + ACCEPT_PAUSE),
        }
    }

    fn rename(&mut self, id: ClientId, name: &str) {
        let Some(place) = &mut self.place else {
            let reason = "it has ended".to_owned();
            return self.session.renamed(id, Err((refusal::ENDED, reason)));
        };
        let renamed = SessionName::new(name)
            .map_err(|error| (refusal::USAGE, error.to_string()))
            .and_then(|name| match place.rename(&name) {
                Ok(true) => Ok(name),
                Ok(false) => Err((refusal::TAKEN, format!("{name} is taken"))),
                Err(error) => Err((refusal::FAILED, error.to_string())),
            });
        if let Ok(name) = &renamed {
            sess_sys::detach::set_command_line(&crate::title(name.as_str()));
            self.recorder.rename(name.as_str());
            self.recorder.write_start(place.folder());
        }
        self.session.renamed(id, renamed.map(|name| name.to_string()));
    }

    fn link_agent(&mut self, socket: &[u8]) {
        use std::os::unix::ffi::OsStrExt;
        let socket: PathBuf = Path::new(std::ffi::OsStr::from_bytes(socket)).to_owned();
        if let Some(place) = &mut self.place {
            // Without the link the program's agent is the one it had.
            let _ = place.link_agent(&socket);
        }
    }
}

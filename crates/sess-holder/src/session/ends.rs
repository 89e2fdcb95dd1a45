//! The program's end, and the session's: which follows from which.

use sess_proto::message::{Exit, Happening, Kill, Killed, Survivor, refusal};

use super::role::Role;
use super::{Action, Phase, Session, telling};
use crate::client::ClientId;
use crate::ending::GRACE;
use crate::policy::{Cause, Verdict};

/// Why nothing can be typed.
const STARTED_AGAIN: &str = "its program has ended, and is started again";

impl Session {
    /// The program has ended. Its output is to be read until there is none.
    pub fn program_exited(&mut self, exit: Exit) {
        if self.phase == Phase::Running {
            self.phase = Phase::Draining(exit);
            self.input.clear();
        }
    }

    /// All output of the ended program is read.
    pub fn drained(&mut self) {
        if let Phase::Draining(exit) = self.phase {
            self.phase = Phase::Drained(exit);
            self.decide();
        }
    }

    /// Begins to end the program and all that it started; who asks again asks for
    /// it in another way.
    pub fn kill(&mut self, kill: Kill) {
        // Whatever else was about to end it: it is meant to stay ended.
        self.cause = Some(Cause::Killed);
        self.begin_ending();
        self.actions.push(Action::Kill(kill));
    }

    /// Begins to end it in the usual way, without that anybody asks.
    pub fn end(&mut self, cause: Cause) {
        let is_there = !matches!(self.phase, Phase::Concluding | Phase::Over);
        if is_there && !self.killing {
            self.cause.get_or_insert(cause);
            self.begin_ending();
            let kill = Kill { signal: None, grace: GRACE.as_millis() as u64 };
            self.actions.push(Action::Kill(kill));
        }
    }

    fn begin_ending(&mut self) {
        self.killing = true;
        if let Phase::Pausing(exit, _) = self.phase {
            // Nothing is started any more.
            self.phase = Phase::Pausing(exit, None);
        }
    }

    /// A kill is over; these could not be ended.
    pub fn killed(&mut self, survivors: Vec<Survivor>) {
        self.killing = false;
        self.survivors = survivors;
        // One that could not be ended is meant to end all the same, whenever it does.
        if self.phase == Phase::Running {
            self.answer_killers();
        } else {
            self.decide();
        }
    }

    /// What follows from the program's end.
    fn decide(&mut self) {
        let exit = match self.phase {
            Phase::Drained(exit) | Phase::Pausing(exit, _) if !self.killing => exit,
            _ => return,
        };
        let verdict = match self.cause {
            Some(cause) => Verdict::Over(cause),
            None => self.upkeep.program_ended(exit, self.now.ticks),
        };
        match verdict {
            Verdict::Over(cause) => {
                self.catch_up();
                self.phase = Phase::Concluding;
                self.actions.push(Action::Conclude(exit, cause));
            }
            Verdict::Again(pause) => {
                self.phase = Phase::Pausing(exit, Some(self.now.ticks + pause));
                self.lose_program();
            }
        }
    }

    /// Those who dealt with the program that has ended can't go on with the next.
    fn lose_program(&mut self) {
        // All that it asked is its own.
        self.catch_up();
        let lost = |role: &Role| matches!(role, Role::Sender(_) | Role::Runner(_));
        let clients = self.clients.iter().filter(|(_, client)| lost(&client.role));
        for id in clients.map(|(&id, _)| id).collect::<Vec<_>>() {
            self.refuse(id, refusal::FAILED, STARTED_AGAIN);
        }
        self.forget_commands();
        self.duty.lose_program();
        self.forget_input();
    }

    /// What was typed for a program that is no more goes with it: it holds up nothing
    /// that is typed for the next.
    pub(super) fn forget_input(&mut self) {
        for client in self.clients.values_mut() {
            if let Role::Viewer(view) = &mut client.role
                && let Some(taken) = view.forget_input()
            {
                client.outbox.say(taken);
            }
        }
    }

    /// Refuses what takes a program while there is none.
    pub(super) fn refuse_without_program(&mut self, id: ClientId) -> bool {
        match self.phase {
            Phase::Pausing(..) => self.refuse(id, refusal::FAILED, STARTED_AGAIN),
            Phase::Concluding => self.refuse(id, refusal::ENDED, "it has ended"),
            _ => return false,
        }
        true
    }

    // ---- policies --------------------------------------------------------------

    /// Since when nothing has happened in it; `None` while somebody is attached.
    fn untouched_since(&self) -> Option<u64> {
        if self.views().next().is_some() {
            return None;
        }
        let happened = [self.last_output, self.last_input].into_iter().flatten();
        happened.map(|at| at.ticks).chain([self.last_detach]).max()
    }

    /// When something is to be done without that anybody asks.
    pub(super) fn upkeep_due(&self) -> Option<u64> {
        let restart = match self.phase {
            Phase::Pausing(_, at) => at,
            _ => None,
        };
        let ends = matches!(self.phase, Phase::Running | Phase::Pausing(..));
        let overdue = if ends && self.cause.is_none() {
            self.upkeep.deadline(self.untouched_since())
        } else {
            None
        };
        restart.into_iter().chain(overdue).min()
    }

    /// Time has passed.
    pub(super) fn tick_upkeep(&mut self) {
        let now = self.now.ticks;
        if self.upkeep_due().is_none_or(|due| now < due) {
            return;
        }
        if let Some(cause) = self.upkeep.overdue(self.untouched_since(), now) {
            self.end(cause);
        } else if let Phase::Pausing(exit, Some(at)) = self.phase
            && now >= at
        {
            self.phase = Phase::Pausing(exit, None);
            self.actions.push(Action::Restart);
        }
    }

    /// The program runs again, as this process.
    pub fn restarted(&mut self, pid: i32) {
        self.phase = Phase::Running;
        self.identity.pid = pid;
        self.restarts += 1;
        self.upkeep.program_began(self.now.ticks);
        self.tell(Happening::Restarted);
    }

    /// The program could not be started again: that counts as if it had ended so.
    pub fn not_restarted(&mut self, exit: Exit) {
        self.phase = Phase::Drained(exit);
        self.decide();
    }

    /// How often the program was started again, and when that is next to happen, in
    /// milliseconds since 1970.
    pub fn restarts(&self) -> (u32, Option<u64>) {
        let next = match self.phase {
            Phase::Pausing(_, Some(at)) => Some(self.now.wall + at.saturating_sub(self.now.ticks)),
            _ => None,
        };
        (self.restarts, next)
    }

    /// Puts the terminal in order after a program that has ended, and says on it that
    /// another begins.
    pub fn separate(&mut self, line: &str) {
        self.catch_up();
        let mut bytes = Vec::new();
        self.stream.screen().undo(&mut bytes);
        bytes.extend_from_slice(line.as_bytes());
        bytes.extend_from_slice(b"\r\n");
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let room = self.room();
            let count = room.len().min(rest.len());
            room[..count].copy_from_slice(&rest[..count]);
            self.output(count);
            rest = &rest[count..];
        }
    }

    // ---- the session's end -------------------------------------------------------

    /// The name is given up, and the end recorded: tells everybody.
    pub fn concluded(&mut self, exit: Exit) {
        self.phase = Phase::Over;
        self.answer_killers();
        self.exit = Some(exit);
        for id in self.views().map(|(id, _)| id).collect::<Vec<_>>() {
            self.dismiss(id, telling::exited(exit));
        }
        self.answer_last();
        let now = self.now.ticks;
        self.clients.values_mut().for_each(|client| client.moved = now);
        self.dismiss_senders(exit);
        self.dismiss_waiters(exit);
        self.dismiss_runners(exit);
        self.tell(Happening::Exited(exit));
        let since = self.now.ticks;
        for client in self.clients.values_mut() {
            if matches!(client.role, Role::Listener) {
                client.role = Role::Leaving { since };
            }
        }
        // Who has not asked yet asks the record; but for the creator, whose
        // program may be quicker than itself.
        self.clients.retain(|_, client| match client.role {
            Role::Undecided { promised, .. } => promised,
            _ => true,
        });
    }

    /// Whether there is nothing left to do.
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Over && self.clients.is_empty()
    }

    fn answer_killers(&mut self) {
        for client in self.clients.values_mut() {
            if matches!(client.role, Role::Killer) {
                client.outbox.say(Killed { survivors: self.survivors.clone() });
                client.role = Role::Leaving { since: self.now.ticks };
            }
        }
    }
}

//! Killing a process just before a system call that the test chooses, as a power
//! cut or the kernel would. It attaches as debuggers do (ptrace), so the process
//! has no part in it; what the process is, it doesn't know.

use std::marker::PhantomData;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use sess_sys::process::{self, Process};

use super::patience::{PATIENCE, wait_within};
use super::processes::status_field;
use super::programs::skipped;

/// How often is looked for a stop before the first pause: most come at once.
const LOOKS: usize = 100;

/// A process that this thread traces; dropping it lets the process run on.
pub struct Tracer {
    pid: Pid,
    /// Where the process stands, unless it runs.
    stop: Option<Stop>,
    /// Whether it is between the two stops of a system call.
    in_call: bool,
    /// Only the thread that attached may ask anything.
    _thread: PhantomData<*const ()>,
}

/// Why a traced process stands still.
#[derive(Clone, Copy)]
enum Stop {
    /// It is about to make a system call, or back from one.
    Call,
    /// It is about to get a signal.
    Signal(Signal),
    /// It was stopped, as `SIGSTOP` does.
    Stopped,
    /// It was asked to stand, or has been continued.
    Trap,
    /// It has ended.
    Ended,
}

impl Tracer {
    /// Attaches to a running process, which needn't be a child; where that isn't
    /// allowed, the test is told as skipped.
    #[track_caller]
    pub fn attach(pid: process::Pid) -> Option<Tracer> {
        let pid = Pid::from_raw(pid.0);
        match ptrace::seize(pid, Options::PTRACE_O_TRACESYSGOOD) {
            Ok(()) => {}
            Err(Errno::EPERM | Errno::EACCES | Errno::ENOSYS) => {
                skipped("nobody may trace here");
                return None;
            }
            Err(error) => panic!("{pid}: {error}"),
        }
        ptrace::interrupt(pid).unwrap();
        Some(Tracer { pid, stop: None, in_call: false, _thread: PhantomData })
    }

    /// Waits until the process waits for something, has `begin` give it something
    /// to do, and kills it when it is about to make its `n`th system call from then
    /// on. `false` if it makes fewer within `patience`, or ends by itself: then it is
    /// let go.
    ///
    /// As `begin` runs, nobody resumes the process: it may not wait for an answer.
    #[track_caller]
    pub fn kill_at_syscall(mut self, n: usize, patience: Duration, begin: impl FnOnce()) -> bool {
        assert!(n > 0, "calls are counted from one");
        self.run_until_idle();
        begin();
        let deadline = Instant::now() + patience;
        let mut calls = 0;
        while let Some(stop) = self.run_to_next_stop(deadline) {
            calls += usize::from(matches!(stop, Stop::Call) && self.in_call);
            if calls == n {
                self.kill();
                return true;
            }
        }
        false
    }

    /// Lets it run until it sleeps in a system call; one that never does is taken as
    /// it is.
    fn run_until_idle(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline && !self.is_idle_or_ended() {
            self.run_to_next_stop(Instant::now() + Duration::from_millis(1));
        }
    }

    fn is_idle_or_ended(&self) -> bool {
        let now = Process::read(process::Pid(self.pid.as_raw())).unwrap();
        now.is_none_or(|now| self.in_call && now.state == 'S')
    }

    /// Resumes it if it stands, and waits for the next stop; `None` if there is none
    /// in time, or ever.
    fn run_to_next_stop(&mut self, deadline: Instant) -> Option<Stop> {
        let patience = || deadline.saturating_duration_since(Instant::now());
        let signal = match self.stop {
            // Resumed, it would run in spite of having been stopped.
            Some(Stop::Stopped) => {
                wait_within(patience(), || self.is_continued().then_some(()))?;
                None
            }
            Some(Stop::Signal(signal)) => Some(signal),
            Some(Stop::Ended) => return None,
            Some(Stop::Call | Stop::Trap) | None => None,
        };
        if self.stop.take().is_some() {
            // Somebody may have killed it; that is seen next.
            let _ = ptrace::syscall(self.pid, signal);
        }
        self.stop = wait_within(patience(), || self.look_for_stop());
        if let Some(Stop::Call) = self.stop {
            self.in_call = !self.in_call;
        }
        self.stop.filter(|stop| !matches!(stop, Stop::Ended))
    }

    fn look_for_stop(&self) -> Option<Stop> {
        for _ in 0..LOOKS {
            let stop = match waitpid(self.pid, Some(WaitPidFlag::__WALL | WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::PtraceSyscall(_)) => Stop::Call,
                Ok(WaitStatus::Stopped(_, signal)) => Stop::Signal(signal),
                Ok(WaitStatus::PtraceEvent(_, Signal::SIGTRAP, _)) => Stop::Trap,
                Ok(WaitStatus::PtraceEvent(..)) => Stop::Stopped,
                Ok(WaitStatus::Exited(..) | WaitStatus::Signaled(..)) | Err(Errno::ECHILD) => {
                    Stop::Ended
                }
                // A real-time signal, which nix has no word for. This one is what the
                // kernel raises when it has no room for another of those.
                Err(Errno::EINVAL) => Stop::Signal(Signal::SIGIO),
                Ok(WaitStatus::StillAlive | WaitStatus::Continued(_)) => {
                    std::thread::yield_now();
                    continue;
                }
                Err(error) => panic!("{}: {error}", self.pid),
            };
            return Some(stop);
        }
        None
    }

    /// Whether a stopped process has been told to go on, or killed.
    fn is_continued(&self) -> bool {
        let Ok(status) = std::fs::read_to_string(format!("/proc/{}/status", self.pid)) else {
            return true;
        };
        let pending = status_field(&status, "ShdPnd");
        let pending = u64::from_str_radix(&pending, 16).unwrap();
        let wanted = [Signal::SIGCONT, Signal::SIGKILL].map(|signal| 1 << (signal as i32 - 1));
        status_field(&status, "State").starts_with('Z')
            || wanted.iter().any(|signal| pending & signal != 0)
    }

    /// Kills it where it stands, and waits for its end.
    #[track_caller]
    fn kill(&mut self) {
        kill(self.pid, Signal::SIGKILL).unwrap();
        self.stop = None;
        let ended = self.run_to_next_stop(Instant::now() + PATIENCE).is_none();
        assert!(ended && self.stop.is_some(), "{}: it was killed", self.pid);
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        if self.stop.is_none() {
            // Only who stands can be let go.
            let _ = ptrace::interrupt(self.pid);
            self.stop = wait_within(PATIENCE, || self.look_for_stop());
        }
        let signal = match self.stop {
            Some(Stop::Signal(signal)) => Some(signal),
            _ => None,
        };
        let _ = ptrace::detach(self.pid, signal);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::process::{Child, Command, Stdio};

    use sess_sys::process::Signal;

    use super::{Duration, PATIENCE, Process, process};
    use crate::harness::{Tracer, signal_to, wait_until};

    /// A process between two pipes.
    struct Fed {
        child: Child,
        pid: process::Pid,
    }

    impl Fed {
        fn new(program: &str, args: &[&str]) -> Fed {
            let mut command = Command::new(program);
            command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
            let child = command.spawn().unwrap();
            let pid = process::Pid(i32::try_from(child.id()).unwrap());
            Fed { child, pid }
        }

        fn feed(&mut self, text: &str) {
            self.child.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
        }

        fn process(&self) -> Option<Process> {
            Process::read(self.pid).unwrap()
        }

        /// What it wrote until its end, which the end of its input is.
        fn end(mut self) -> String {
            drop(self.child.stdin.take());
            let mut written = String::new();
            self.child.stdout.take().unwrap().read_to_string(&mut written).unwrap();
            // One that was killed has been waited for.
            let _ = self.child.wait();
            written
        }
    }

    #[test]
    fn a_process_dies_at_the_call_that_was_chosen_and_lives_if_it_makes_fewer() {
        // Having read a byte, it writes that and reads the next.
        for (n, written) in [(1, ""), (2, "a"), (3, "a"), (4, "ab"), (6, "abc")] {
            let mut copier = Fed::new("dd", &["bs=1", "status=none"]);
            let Some(tracer) = Tracer::attach(copier.pid) else { return };
            assert!(tracer.kill_at_syscall(n, PATIENCE, || copier.feed("abc")), "{n}");
            assert_eq!(copier.process(), None, "{n}");
            assert_eq!(copier.end(), written, "{n}");
        }
        let mut copier = Fed::new("dd", &["bs=1", "status=none"]);
        let Some(tracer) = Tracer::attach(copier.pid) else { return };
        let patience = Duration::from_millis(100);
        assert!(!tracer.kill_at_syscall(7, patience, || copier.feed("abc")));
        assert!(copier.process().unwrap().alive());
        copier.feed("def");
        assert_eq!(copier.end(), "abcdef");
    }

    #[test]
    fn a_traced_process_gets_its_signals() {
        // A real-time one comes as what there is in place of too many.
        for signal in [Signal::USR1, Signal::CHLD, Signal::realtime(0)] {
            let script = "trap 'echo heard' USR1 CHLD IO; read -r line || read -r line";
            let listener = Fed::new("sh", &["-c", script]);
            let Some(tracer) = Tracer::attach(listener.pid) else { return };
            let patience = Duration::from_millis(100);
            assert!(!tracer.kill_at_syscall(1000, patience, || signal_to(listener.pid, signal)));
            assert_eq!(listener.end(), "heard\n", "{signal}");
        }
    }

    #[test]
    fn a_stopped_process_stays_so_until_it_is_continued() {
        let copier = Fed::new("dd", &["bs=1", "status=none"]);
        let Some(tracer) = Tracer::attach(copier.pid) else { return };
        let patience = Duration::from_millis(100);
        let stop = || signal_to(copier.pid, Signal::STOP);
        assert!(!tracer.kill_at_syscall(1000, patience, stop));
        wait_until("it to be stopped", || copier.process().unwrap().state == 'T');
        let Some(tracer) = Tracer::attach(copier.pid) else { return };
        drop(tracer);
        wait_until("it to be stopped still", || copier.process().unwrap().state == 'T');
        let mut copier = copier;
        signal_to(copier.pid, Signal::CONT);
        copier.feed("abc");
        assert_eq!(copier.end(), "abc");
    }
}

//! What becomes of a session without anybody asking: when its program is started
//! again, and when it is ended.
//!
//! Pure: times are ticks, milliseconds of a clock that never goes back. It decides;
//! who starts and ends programs it doesn't know.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sess_proto::message::Exit;

/// The pause before a program is started again the first time, in milliseconds; it
/// doubles with each time.
const FIRST_PAUSE: u64 = 100;
/// The longest such pause.
const LONGEST_PAUSE: u64 = 60_000;
/// Failures within this time are too many together.
const FAILURES_WITHIN: u64 = 60_000;
/// How many are too many, unless it is said.
const FAILURES: u32 = 5;
/// A program that ran for so long is in order: what was before doesn't count.
const IN_ORDER: u64 = 5 * 60_000;
/// The signals by which a system that goes down takes its programs: `SIGHUP`,
/// `SIGKILL`, `SIGTERM`.
const TAKING: [i32; 3] = [1, 9, 15];

/// What is to become of a session without anybody asking. By default it stays until
/// its program ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Policies {
    /// Whether its program is started again.
    pub restart: Restart,
    /// It is ended after so many milliseconds without output, input or anybody
    /// attached.
    pub idle_timeout: Option<u64>,
    /// It is ended so many milliseconds after it began.
    pub timeout: Option<u64>,
    /// What the shell is to run when it has ended.
    pub on_exit: Option<String>,
}

/// When a program that has ended is started again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Restart {
    /// Never: its end is the session's.
    #[default]
    Never,
    /// If it failed, until it has failed so often within a minute.
    OnFailure(u32),
    /// However it ended, until it has failed too often within a minute.
    Always,
}

/// Not a way to restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRestart;

impl fmt::Display for NoRestart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it takes 'never', 'on-failure', 'on-failure:N' with N from 1, or 'always'")
    }
}

impl std::error::Error for NoRestart {}

impl FromStr for Restart {
    type Err = NoRestart;

    fn from_str(text: &str) -> Result<Self, NoRestart> {
        match text {
            "never" => Ok(Self::Never),
            "on-failure" => Ok(Self::OnFailure(FAILURES)),
            "always" => Ok(Self::Always),
            _ => {
                let count = text.strip_prefix("on-failure:").ok_or(NoRestart)?;
                let digits = count.bytes().all(|byte| byte.is_ascii_digit());
                let count = count.parse().ok().filter(|&count| digits && count > 0);
                count.map(Self::OnFailure).ok_or(NoRestart)
            }
        }
    }
}

impl TryFrom<String> for Restart {
    type Error = NoRestart;

    fn try_from(text: String) -> Result<Self, NoRestart> {
        text.parse()
    }
}

impl fmt::Display for Restart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("never"),
            Self::OnFailure(count) => write!(f, "on-failure:{count}"),
            Self::Always => f.write_str("always"),
        }
    }
}

impl From<Restart> for String {
    fn from(restart: Restart) -> Self {
        restart.to_string()
    }
}

impl Restart {
    /// How many failures within a minute are too many.
    fn failures(self) -> u32 {
        match self {
            Self::OnFailure(count) => count,
            Self::Never | Self::Always => FAILURES,
        }
    }

    /// Whether a program that has ended like this is to be started again.
    fn applies(self, exit: Exit) -> bool {
        match self {
            Self::Never => false,
            Self::OnFailure(_) => exit != Exit::Code(0),
            Self::Always => true,
        }
    }
}

/// Why a session has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Its program ended by itself.
    Itself,
    /// Somebody ended it.
    Killed,
    /// The system did, as when it goes down.
    Taken,
    /// Nothing happened in it for as long as was allowed.
    IdleTimeout,
    /// It took as long as was allowed.
    Timeout,
    /// The process has ended that it was to end with.
    WithPid,
    /// Its program failed too often to be started again.
    GaveUp,
}

/// What follows from the end of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The session's end.
    Over(Cause),
    /// It is started again after so many milliseconds.
    Again(u64),
}

/// How it stands with a session's policies.
#[derive(Clone, Debug)]
pub struct Upkeep {
    policies: Policies,
    began: u64,
    run_began: u64,
    /// Ends since the program last was in order.
    ends: u32,
    /// When it failed, as far as that counts.
    failures: VecDeque<u64>,
}

impl Upkeep {
    /// Begins with the session.
    pub fn new(policies: Policies, now: u64) -> Self {
        Self { policies, began: now, run_began: now, ends: 0, failures: VecDeque::new() }
    }

    /// What was asked for.
    pub fn policies(&self) -> &Policies {
        &self.policies
    }

    /// How often its program has been started again since it was last in order.
    pub fn ends(&self) -> u32 {
        self.ends
    }

    /// Its program was started again.
    pub fn program_began(&mut self, now: u64) {
        self.run_began = now;
    }

    /// Its program has ended, without that anybody asked for it.
    pub fn program_ended(&mut self, exit: Exit, now: u64) -> Verdict {
        let restart = self.policies.restart;
        if !restart.applies(exit) {
            return Verdict::Over(match exit {
                Exit::Signal(signal) if TAKING.contains(&signal) => Cause::Taken,
                Exit::Signal(_) | Exit::Code(_) => Cause::Itself,
            });
        }
        if now - self.run_began >= IN_ORDER {
            self.ends = 0;
            self.failures.clear();
        }
        if exit != Exit::Code(0) {
            self.failures.retain(|&at| now - at < FAILURES_WITHIN);
            self.failures.push_back(now);
            if self.failures.len() as u64 >= u64::from(restart.failures()) {
                return Verdict::Over(Cause::GaveUp);
            }
        }
        let doublings = self.ends.min(20);
        self.ends = self.ends.saturating_add(1);
        Verdict::Again((FIRST_PAUSE << doublings).min(LONGEST_PAUSE))
    }

    /// When it is next to be looked whether the session is overdue. `quiet_since` is
    /// when something last happened in it; `None` while somebody is attached.
    pub fn deadline(&self, quiet_since: Option<u64>) -> Option<u64> {
        let whole = self.policies.timeout.map(|timeout| self.began.saturating_add(timeout));
        let idle = self.policies.idle_timeout.zip(quiet_since);
        let idle = idle.map(|(timeout, since)| since.saturating_add(timeout));
        whole.into_iter().chain(idle).min()
    }

    /// Why the session is to be ended now, if it is.
    pub fn overdue(&self, quiet_since: Option<u64>, now: u64) -> Option<Cause> {
        let over = |since: u64, timeout: Option<u64>| {
            timeout.is_some_and(|timeout| now >= since.saturating_add(timeout))
        };
        if over(self.began, self.policies.timeout) {
            return Some(Cause::Timeout);
        }
        let idle = quiet_since.is_some_and(|since| over(since, self.policies.idle_timeout));
        idle.then_some(Cause::IdleTimeout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: Exit = Exit::Code(0);
    const FAILED: Exit = Exit::Code(1);

    fn upkeep(restart: &str) -> Upkeep {
        let restart = restart.parse().expect("one of them");
        Upkeep::new(Policies { restart, ..Policies::default() }, 0)
    }

    #[test]
    fn restarts_are_said_in_words() {
        for text in ["never", "always", "on-failure:1", "on-failure:4294967295"] {
            assert_eq!(text.parse::<Restart>().map(String::from), Ok(text.to_owned()));
        }
        assert_eq!("on-failure".parse(), Ok(Restart::OnFailure(FAILURES)));
        for bad in ["", "no", "Always", "on-failure:", "on-failure:0", "on-failure:+1", "always:2"]
        {
            assert_eq!(bad.parse::<Restart>(), Err(NoRestart), "{bad}");
        }
    }

    #[test]
    fn without_a_policy_the_programs_end_is_the_sessions() {
        let mut it = upkeep("never");
        assert_eq!(it.program_ended(OK, 5), Verdict::Over(Cause::Itself));
        assert_eq!(it.program_ended(FAILED, 5), Verdict::Over(Cause::Itself));
        assert_eq!(it.program_ended(Exit::Signal(11), 5), Verdict::Over(Cause::Itself));
        assert_eq!((it.deadline(Some(0)), it.overdue(Some(0), u64::MAX)), (None, None));
    }

    #[test]
    fn what_a_system_that_goes_down_ends_is_taken() {
        for signal in [1, 9, 15] {
            let verdict = upkeep("never").program_ended(Exit::Signal(signal), 5);
            assert_eq!(verdict, Verdict::Over(Cause::Taken));
        }
        // Who is to be started again is.
        assert_eq!(upkeep("on-failure").program_ended(Exit::Signal(9), 5), Verdict::Again(100));
    }

    #[test]
    fn on_failure_lets_a_success_be_the_end() {
        assert_eq!(upkeep("on-failure").program_ended(FAILED, 5), Verdict::Again(100));
        assert_eq!(upkeep("on-failure").program_ended(OK, 5), Verdict::Over(Cause::Itself));
        assert_eq!(upkeep("always").program_ended(OK, 5), Verdict::Again(100));
    }

    #[test]
    fn the_pause_doubles_up_to_a_minute() {
        let mut it = upkeep("always");
        let mut pauses = Vec::new();
        for n in 0..40 {
            match it.program_ended(OK, n) {
                Verdict::Again(pause) => pauses.push(pause),
                over @ Verdict::Over(_) => panic!("{over:?}"),
            }
        }
        assert_eq!(pauses[..5], [100, 200, 400, 800, 1600]);
        assert!(pauses[10..].iter().all(|&pause| pause == 60_000), "{pauses:?}");
    }

    #[test]
    fn too_many_failures_within_a_minute_are_the_end() {
        let mut it = upkeep("on-failure:3");
        assert_eq!(it.program_ended(FAILED, 0), Verdict::Again(100));
        assert_eq!(it.program_ended(FAILED, 30_000), Verdict::Again(200));
        // The first is a minute ago.
        assert_eq!(it.program_ended(FAILED, 60_000), Verdict::Again(400));
        assert_eq!(it.program_ended(FAILED, 61_000), Verdict::Over(Cause::GaveUp));
        assert_eq!(upkeep("on-failure:1").program_ended(FAILED, 0), Verdict::Over(Cause::GaveUp));
    }

    #[test]
    fn successes_are_no_failures() {
        let mut it = upkeep("always");
        for n in 0..4 {
            assert!(matches!(it.program_ended(FAILED, n), Verdict::Again(_)));
            assert!(matches!(it.program_ended(OK, n), Verdict::Again(_)));
        }
        assert_eq!(it.program_ended(FAILED, 9), Verdict::Over(Cause::GaveUp));
    }

    #[test]
    fn a_run_of_five_minutes_resets_it() {
        let mut it = upkeep("on-failure:3");
        assert_eq!(it.program_ended(FAILED, 0), Verdict::Again(100));
        assert_eq!(it.program_ended(FAILED, 1), Verdict::Again(200));
        it.program_began(10);
        assert_eq!(it.program_ended(FAILED, 10 + IN_ORDER), Verdict::Again(100));
        it.program_began(11 + IN_ORDER);
        assert_eq!(it.program_ended(FAILED, 12 + IN_ORDER), Verdict::Again(200));
    }

    #[test]
    fn times_out_when_it_is_time() {
        let policies = Policies { timeout: Some(1000), ..Policies::default() };
        let it = Upkeep::new(policies, 50);
        assert_eq!((it.deadline(None), it.deadline(Some(900))), (Some(1050), Some(1050)));
        assert_eq!(it.overdue(None, 1049), None);
        assert_eq!(it.overdue(None, 1050), Some(Cause::Timeout));
        let for_ever = Policies { timeout: Some(u64::MAX), ..Policies::default() };
        assert_eq!(Upkeep::new(for_ever, 50).overdue(None, 1 << 60), None);
    }

    #[test]
    fn idles_only_while_nobody_is_attached() {
        let policies =
            Policies { idle_timeout: Some(100), timeout: Some(1000), ..Policies::default() };
        let it = Upkeep::new(policies, 0);
        assert_eq!(it.deadline(None), Some(1000));
        assert_eq!(it.deadline(Some(30)), Some(130));
        assert_eq!(it.overdue(Some(30), 129), None);
        assert_eq!(it.overdue(None, 500), None);
        assert_eq!(it.overdue(Some(30), 130), Some(Cause::IdleTimeout));
        assert_eq!(it.overdue(Some(30), 1000), Some(Cause::Timeout));
    }
}

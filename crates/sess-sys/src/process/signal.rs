//! The signals by name and number, real-time ones included.

#![expect(unsafe_code, reason = "rustix takes real-time signals only unchecked")]

use std::fmt;

use nix::libc;

/// A signal that exists here; it displays as its name.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Signal(i32);

impl Signal {
    /// The terminal has gone.
    pub const HUP: Signal = Signal(libc::SIGHUP);
    /// The interrupt key.
    pub const INT: Signal = Signal(libc::SIGINT);
    /// The quit key.
    pub const QUIT: Signal = Signal(libc::SIGQUIT);
    /// End at once; can't be refused.
    pub const KILL: Signal = Signal(libc::SIGKILL);
    /// For the process's own use.
    pub const USR1: Signal = Signal(libc::SIGUSR1);
    /// For the process's own use.
    pub const USR2: Signal = Signal(libc::SIGUSR2);
    /// Nobody reads what was written.
    pub const PIPE: Signal = Signal(libc::SIGPIPE);
    /// A timer.
    pub const ALRM: Signal = Signal(libc::SIGALRM);
    /// Please end.
    pub const TERM: Signal = Signal(libc::SIGTERM);
    /// A child has ended or stopped.
    pub const CHLD: Signal = Signal(libc::SIGCHLD);
    /// Go on.
    pub const CONT: Signal = Signal(libc::SIGCONT);
    /// Stop; can't be refused.
    pub const STOP: Signal = Signal(libc::SIGSTOP);
    /// The suspend key.
    pub const TSTP: Signal = Signal(libc::SIGTSTP);
    /// Reading from the terminal in the background.
    pub const TTIN: Signal = Signal(libc::SIGTTIN);
    /// Writing to the terminal in the background.
    pub const TTOU: Signal = Signal(libc::SIGTTOU);
    /// The terminal's size has changed.
    pub const WINCH: Signal = Signal(libc::SIGWINCH);
    /// Raised in place of a real-time signal when too many of those wait.
    pub const IO: Signal = Signal(libc::SIGIO);

    /// The signal of this number, if there is one.
    pub fn new(number: i32) -> Option<Signal> {
        let standard = NAMES.iter().any(|&(_, known)| known == number);
        let realtime = (libc::SIGRTMIN()..=libc::SIGRTMAX()).contains(&number);
        (standard || realtime).then_some(Signal(number))
    }

    /// The `n`th real-time signal, `SIGRTMIN+n`.
    ///
    /// # Panics
    ///
    /// If there are not so many; there are at least 30.
    pub fn realtime(n: u32) -> Signal {
        let signal = nth_realtime(n);
        assert!(signal.is_some(), "there is no real-time signal {n}");
        signal.unwrap_or(Signal::USR1)
    }

    /// What people type: `TERM`, `SIGTERM`, `sigterm`, `15`, `RTMIN+1`.
    pub fn parse(text: &str) -> Option<Signal> {
        if let Ok(number) = text.parse() {
            return Signal::new(number);
        }
        let name = text.to_ascii_uppercase();
        let name = name.strip_prefix("SIG").unwrap_or(&name);
        if let Some(n) = name.strip_prefix("RTMIN") {
            return match n.strip_prefix('+') {
                Some(n) => nth_realtime(n.parse().ok()?),
                None => n.is_empty().then(|| Signal(libc::SIGRTMIN())),
            };
        }
        if let Some(n) = name.strip_prefix("RTMAX") {
            let below = match n.strip_prefix('-') {
                Some(n) => n.parse::<u32>().ok()?,
                None if n.is_empty() => 0,
                None => return None,
            };
            return nth_realtime(count_of_realtime().checked_sub(below)?);
        }
        let name = match name {
            "CLD" => "CHLD",
            "POLL" => "IO",
            "IOT" => "ABRT",
            other => other,
        };
        NAMES.iter().find(|(known, _)| *known == name).map(|&(_, number)| Signal(number))
    }

    /// Its number.
    pub fn number(self) -> i32 {
        self.0
    }

    /// Its full name, such as `SIGKILL` or `SIGRTMIN+1`.
    pub fn name(self) -> String {
        if let Some((name, _)) = NAMES.iter().find(|&&(_, number)| number == self.0) {
            return format!("SIG{name}");
        }
        match self.0 - libc::SIGRTMIN() {
            0 => "SIGRTMIN".to_owned(),
            n => format!("SIGRTMIN+{n}"),
        }
    }

    pub(crate) fn to_rustix(self) -> rustix::process::Signal {
        // SAFETY: a `Signal` is only made of numbers that are signals and that the
        // C library doesn't keep for itself: `new` checks, the constants and the
        // range from SIGRTMIN are so by definition.
        unsafe { rustix::process::Signal::from_raw_unchecked(self.0) }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name())
    }
}

/// The last real-time signal, counted from the first.
fn count_of_realtime() -> u32 {
    u32::try_from(libc::SIGRTMAX() - libc::SIGRTMIN()).unwrap_or(0)
}

fn nth_realtime(n: u32) -> Option<Signal> {
    let n = (n <= count_of_realtime()).then_some(n)?;
    Some(Signal(libc::SIGRTMIN() + i32::try_from(n).ok()?))
}

/// Those with a name of their own.
const NAMES: [(&str, i32); 31] = [
    ("HUP", libc::SIGHUP),
    ("INT", libc::SIGINT),
    ("QUIT", libc::SIGQUIT),
    ("ILL", libc::SIGILL),
    ("TRAP", libc::SIGTRAP),
    ("ABRT", libc::SIGABRT),
    ("BUS", libc::SIGBUS),
    ("FPE", libc::SIGFPE),
    ("KILL", libc::SIGKILL),
    ("USR1", libc::SIGUSR1),
    ("SEGV", libc::SIGSEGV),
    ("USR2", libc::SIGUSR2),
    ("PIPE", libc::SIGPIPE),
    ("ALRM", libc::SIGALRM),
    ("TERM", libc::SIGTERM),
    ("STKFLT", libc::SIGSTKFLT),
    ("CHLD", libc::SIGCHLD),
    ("CONT", libc::SIGCONT),
    ("STOP", libc::SIGSTOP),
    ("TSTP", libc::SIGTSTP),
    ("TTIN", libc::SIGTTIN),
    ("TTOU", libc::SIGTTOU),
    ("URG", libc::SIGURG),
    ("XCPU", libc::SIGXCPU),
    ("XFSZ", libc::SIGXFSZ),
    ("VTALRM", libc::SIGVTALRM),
    ("PROF", libc::SIGPROF),
    ("WINCH", libc::SIGWINCH),
    ("IO", libc::SIGIO),
    ("PWR", libc::SIGPWR),
    ("SYS", libc::SIGSYS),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_signal_is_understood() {
        for text in ["TERM", "SIGTERM", "sigterm", "15"] {
            assert_eq!(Signal::parse(text), Some(Signal::TERM), "{text}");
        }
        assert_eq!(Signal::parse("CLD"), Some(Signal::CHLD));
    }

    #[test]
    fn real_time_signals_go_by_their_distance_from_either_end() {
        assert_eq!(Signal::parse("RTMIN"), Some(Signal::realtime(0)));
        assert_eq!(Signal::parse("SIGRTMIN+1"), Some(Signal::realtime(1)));
        assert_eq!(Signal::parse("RTMAX-30"), Some(Signal::realtime(0)));
        assert_eq!(Signal::realtime(1).name(), "SIGRTMIN+1");
    }

    #[test]
    fn what_is_no_signal_is_refused() {
        for text in ["", "SIG", "0", "-1", "32", "33", "65", "RTMIN+31", "RTMINX", "FOO"] {
            assert_eq!(Signal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_name_leads_back_to_the_signal() {
        for number in 1..=64 {
            if let Some(signal) = Signal::new(number) {
                assert_eq!(Signal::parse(&signal.name()), Some(signal));
            }
        }
        assert_eq!(Signal::KILL.name(), "SIGKILL");
    }
}

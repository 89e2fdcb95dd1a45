//! A session as it is shown: the one value that JSON and text are made of.
//! Owns what is known in which state. Must not know columns or terminals.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};
use sess_holder::policy::Cause;
use sess_holder::record::{ExitRecord, OnExitRecord, UsageRecord};
use sess_proto::message::{self, ClientInfo, Exit, Info, Size, Upkeep};

use super::signal_name;

/// Output within this time makes a session busy whose holder doesn't say what it is
/// about.
const BUSY: u64 = 2_000;

/// How it stands with a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// Its holder answers.
    Running,
    /// Its holder lives but does not answer.
    Unresponsive,
    /// Its program has ended, and how is recorded.
    Exited,
    /// Its holder is gone without a word.
    Dead,
}

impl State {
    const ALL: [Self; 4] = [Self::Running, Self::Exited, Self::Dead, Self::Unresponsive];

    /// The state's name in JSON, filters and tables.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Unresponsive => "unresponsive",
            Self::Exited => "exited",
            Self::Dead => "dead",
        }
    }

    /// Whether its holder is gone, so that only `ls -a` lists it.
    pub(crate) fn is_over(self) -> bool {
        matches!(self, Self::Exited | Self::Dead)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A point in time: milliseconds since 1970. In JSON RFC 3339, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time(pub(crate) u64);

impl Time {
    /// The last millisecond that RFC 3339 can say.
    const LAST: u64 = 253_402_300_799_999;

    /// How long before `now` this was; nothing if a clock was set back.
    pub(crate) fn ago(self, now: Self) -> Duration {
        Duration::from_millis(now.0.saturating_sub(self.0))
    }
}

impl From<SystemTime> for Time {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = UNIX_EPOCH + Duration::from_millis(self.0.min(Self::LAST));
        humantime::format_rfc3339_millis(time).fmt(f)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What the program is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Activity {
    /// It says something, or its shell runs a command.
    Busy,
    /// It doesn't.
    Idle,
    /// It wants somebody.
    Asking,
}

impl From<message::Activity> for Activity {
    fn from(activity: message::Activity) -> Self {
        match activity {
            message::Activity::Busy => Self::Busy,
            message::Activity::Idle => Self::Idle,
            message::Activity::Asking => Self::Asking,
        }
    }
}

/// A size in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Cells {
    /// Columns.
    pub(crate) cols: u16,
    /// Rows.
    pub(crate) rows: u16,
}

impl From<Size> for Cells {
    fn from(size: Size) -> Self {
        Self { cols: size.cols, rows: size.rows }
    }
}

/// An attached client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ClientView {
    /// Its process.
    pub(crate) pid: i32,
    /// Its terminal.
    pub(crate) tty: String,
    /// Its terminal's size.
    pub(crate) size: Cells,
    /// Whether it leads.
    pub(crate) leader: bool,
    /// Whether it only looks.
    pub(crate) read_only: bool,
    /// Since when it is attached.
    pub(crate) attached: Time,
}

impl From<&ClientInfo> for ClientView {
    fn from(client: &ClientInfo) -> Self {
        Self {
            pid: client.pid,
            tty: client.tty.clone(),
            size: client.size.into(),
            leader: client.leader,
            read_only: client.read_only,
            attached: Time(client.attached),
        }
    }
}

/// How a session ended, and what else is known of that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ExitView {
    /// How.
    pub(crate) exit: Exit,
    /// When.
    pub(crate) time: Option<Time>,
    /// Why.
    pub(crate) cause: Option<Cause>,
    /// How long it had run.
    pub(crate) duration: Option<Duration>,
    /// What it used.
    pub(crate) usage: Option<UsageRecord>,
    /// What became of what was run at its end.
    pub(crate) on_exit: Option<OnExitRecord>,
}

impl ExitView {
    /// What the record says; `None` if that makes no sense.
    pub(crate) fn of_record(record: &ExitRecord) -> Option<Self> {
        Some(Self {
            exit: record.exit()?,
            time: Some(Time(record.time)),
            cause: Some(record.cause),
            duration: record.duration.map(Duration::from_millis),
            usage: record.usage,
            on_exit: record.on_exit.clone(),
        })
    }
}

impl From<Exit> for ExitView {
    fn from(exit: Exit) -> Self {
        let (time, cause, duration, usage, on_exit) = (None, None, None, None, None);
        Self { exit, time, cause, duration, usage, on_exit }
    }
}

impl Serialize for ExitView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shape {
            code: Option<u8>,
            signal: Option<String>,
            time: Option<Time>,
            #[serde(skip_serializing_if = "Option::is_none")]
            cause: Option<Cause>,
            #[serde(skip_serializing_if = "Option::is_none")]
            duration: Option<f64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            usage: Option<Usage>,
            #[serde(skip_serializing_if = "Option::is_none")]
            on_exit: Option<OnExit>,
        }
        #[derive(Serialize)]
        struct Usage {
            user: f64,
            system: f64,
            max_rss_kib: u64,
        }
        #[derive(Serialize)]
        struct OnExit {
            code: Option<u8>,
            signal: Option<String>,
            error: Option<String>,
        }
        let (code, signal) = match self.exit {
            Exit::Code(code) => (Some(code), None),
            Exit::Signal(signal) => (None, Some(signal_name(signal))),
        };
        Shape {
            code,
            signal,
            time: self.time,
            cause: self.cause,
            duration: self.duration.map(|time| time.as_secs_f64()),
            usage: self.usage.map(|usage| Usage {
                user: Duration::from_millis(usage.user).as_secs_f64(),
                system: Duration::from_millis(usage.system).as_secs_f64(),
                max_rss_kib: usage.max_rss,
            }),
            on_exit: self.on_exit.as_ref().map(|on_exit| OnExit {
                code: on_exit.code,
                signal: on_exit.signal.map(signal_name),
                error: on_exit.error.clone(),
            }),
        }
        .serialize(serializer)
    }
}

/// How a running session is kept up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct UpkeepView {
    /// When its output is written down.
    pub(crate) record_output: String,
    /// Why its record is not what it should be.
    pub(crate) record_problem: Option<String>,
    /// How often its program was started again.
    pub(crate) restarts: u32,
    /// When that is next to happen.
    pub(crate) next_start: Option<Time>,
}

impl From<&Upkeep> for UpkeepView {
    fn from(upkeep: &Upkeep) -> Self {
        Self {
            record_output: upkeep.record_output.clone(),
            record_problem: upkeep.record_problem.clone(),
            restarts: upkeep.restarts,
            next_start: upkeep.next_start.map(Time),
        }
    }
}

/// What is known of a session without its holder's help, from its record.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorded {
    /// The session's name.
    pub(crate) name: String,
    /// Its id.
    pub(crate) id: Option<String>,
    /// The program and its arguments.
    pub(crate) command: Option<Vec<String>>,
    /// Where the program was.
    pub(crate) cwd: Option<String>,
    /// The last title.
    pub(crate) title: Option<String>,
    /// Since when the session was there.
    pub(crate) created: Option<Time>,
    /// When the program last said something.
    pub(crate) last_output: Option<Time>,
    /// When somebody last typed something.
    pub(crate) last_input: Option<Time>,
    /// The last size.
    pub(crate) size: Option<Size>,
    /// Bytes of output.
    pub(crate) offset: Option<u64>,
    /// Lines of history that are kept.
    pub(crate) history_lines: Option<u64>,
    /// What the session was labelled with.
    pub(crate) labels: Option<Vec<(String, String)>>,
    /// How it ended.
    pub(crate) exit: Option<ExitView>,
    /// The version of the holder's build.
    pub(crate) version: Option<String>,
    /// Whether it is one of those that are started again after a crash or a reboot.
    pub(crate) restorable: Option<bool>,
}

impl Recorded {
    /// A session of which nothing but the name is known.
    pub(crate) fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }
}

/// A session as it is shown. The fields are the keys of the JSON, in their
/// order; what is not known or no longer true is null.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct SessionView {
    /// The session's name.
    pub(crate) name: String,
    /// Its id.
    pub(crate) id: Option<String>,
    /// How it stands with it.
    pub(crate) state: State,
    /// The program's process.
    pub(crate) pid: Option<i32>,
    /// The holder's process.
    pub(crate) holder_pid: Option<i32>,
    /// The program and its arguments.
    pub(crate) command: Option<Vec<String>>,
    /// Where the program is or was.
    pub(crate) cwd: Option<String>,
    /// The title that the program gave its terminal.
    pub(crate) title: Option<String>,
    /// What the program is about.
    pub(crate) activity: Option<Activity>,
    /// Since when the session is there.
    pub(crate) created: Option<Time>,
    /// When the program last said something.
    pub(crate) last_output: Option<Time>,
    /// When somebody last typed something.
    pub(crate) last_input: Option<Time>,
    /// The size of the session's terminal.
    pub(crate) size: Option<Cells>,
    /// Who is attached.
    pub(crate) clients: Option<Vec<ClientView>>,
    /// Bytes of output so far.
    pub(crate) offset: Option<u64>,
    /// Lines of history that are kept.
    pub(crate) history_lines: Option<u64>,
    /// What the session was labelled with.
    pub(crate) labels: Option<BTreeMap<String, String>>,
    /// How it ended.
    pub(crate) exit: Option<ExitView>,
    /// The version of the holder's build.
    pub(crate) version: Option<String>,
    /// How it is kept up.
    pub(crate) upkeep: Option<UpkeepView>,
    /// Whether it is one of those that are started again after a crash or a reboot.
    pub(crate) restorable: Option<bool>,
}

impl SessionView {
    /// A session that runs, as its holder tells it.
    pub(crate) fn from_info(
        info: &Info,
        activity: Option<message::Activity>,
        upkeep: Option<&Upkeep>,
        now: Time,
    ) -> Self {
        let last_output = info.last_output.map(Time);
        let busy = last_output.is_some_and(|time| now.0.saturating_sub(time.0) < BUSY);
        let guess = if busy { Activity::Busy } else { Activity::Idle };
        Self {
            name: info.name.clone(),
            id: Some(info.id.clone()),
            state: State::Running,
            pid: info.pid,
            holder_pid: Some(info.holder_pid),
            command: Some(info.command.clone()),
            cwd: Some(info.cwd.clone()),
            title: Some(info.title.clone()),
            activity: Some(activity.map_or(guess, Activity::from)),
            created: Some(Time(info.created)),
            last_output,
            last_input: info.last_input.map(Time),
            size: Some(info.size.into()),
            clients: Some(info.clients.iter().map(ClientView::from).collect()),
            offset: Some(info.offset),
            history_lines: Some(info.history_lines),
            labels: Some(info.labels.iter().cloned().collect()),
            exit: None,
            version: Some(info.version.clone()),
            upkeep: upkeep.map(UpkeepView::from),
            restorable: None,
        }
    }

    /// A session whose program has ended as its record says.
    pub(crate) fn exited(recorded: Recorded) -> Self {
        Self { clients: Some(Vec::new()), ..Self::recorded(State::Exited, recorded) }
    }

    /// A session whose holder is gone without a word.
    pub(crate) fn dead(recorded: Recorded) -> Self {
        let clients = Some(Vec::new());
        Self { clients, exit: None, ..Self::recorded(State::Dead, recorded) }
    }

    /// A session whose holder lives, as this process if that is known, but does
    /// not answer.
    pub(crate) fn unresponsive(recorded: Recorded, holder_pid: Option<i32>) -> Self {
        Self { holder_pid, exit: None, ..Self::recorded(State::Unresponsive, recorded) }
    }

    fn recorded(state: State, recorded: Recorded) -> Self {
        Self {
            name: recorded.name,
            id: recorded.id,
            state,
            pid: None,
            holder_pid: None,
            command: recorded.command,
            cwd: recorded.cwd,
            title: recorded.title,
            activity: None,
            created: recorded.created,
            last_output: recorded.last_output,
            last_input: recorded.last_input,
            size: recorded.size.map(Cells::from),
            clients: None,
            offset: recorded.offset,
            history_lines: recorded.history_lines,
            labels: recorded.labels.map(|labels| labels.into_iter().collect()),
            exit: recorded.exit,
            version: recorded.version,
            upkeep: None,
            restorable: if state.is_over() { recorded.restorable } else { None },
        }
    }

    /// When something last happened: its end, output, input, else its beginning.
    pub(crate) fn last_activity(&self) -> Option<Time> {
        let end = self.exit.as_ref().and_then(|exit| exit.time);
        end.or_else(|| self.last_output.max(self.last_input)).or(self.created)
    }
}

/// Puts sessions in the order of `ls`: running ones first, then those that do
/// not answer, then those that are over; the latest activity first in each.
pub(crate) fn sort(sessions: &mut [SessionView]) {
    let rank = |state: State| match state {
        State::Running => 0,
        State::Unresponsive => 1,
        State::Exited | State::Dead => 2,
    };
    sessions.sort_by(|a, b| {
        let key = |session: &SessionView| (rank(session.state), Reverse(session.last_activity()));
        key(a).cmp(&key(b)).then_with(|| a.name.cmp(&b.name))
    });
}

/// What `ls --filter` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Filter {
    /// This state.
    State(State),
    /// A label of this key and value.
    Label(String, String),
}

impl Filter {
    /// Whether the session is one of those asked for.
    pub(crate) fn holds(&self, session: &SessionView) -> bool {
        match self {
            Self::State(state) => session.state == *state,
            Self::Label(key, value) => {
                session.labels.as_ref().and_then(|labels| labels.get(key)) == Some(value)
            }
        }
    }

    /// Whether this can only hold for sessions that are over, so that asking for
    /// it means `ls -a`.
    pub(crate) fn asks_for_ended(&self) -> bool {
        matches!(self, Self::State(state) if state.is_over())
    }
}

impl FromStr for Filter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((key, value)) = text.split_once('=') else {
            return Err("a filter is KEY=VALUE, where KEY is 'state' or a label".to_owned());
        };
        match key {
            "" => Err("a filter has a key before the '='".to_owned()),
            "state" => State::ALL
                .into_iter()
                .find(|state| state.as_str() == value)
                .map(Self::State)
                .ok_or_else(|| {
                    format!("a state is one of {}", State::ALL.map(State::as_str).join(", "))
                }),
            key => Ok(Self::Label(key.to_owned(), value.to_owned())),
        }
    }
}

#[cfg(test)]
pub(super) mod tests;

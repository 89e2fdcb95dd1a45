//! What happens to sessions, as it is told: a line for people or for programs. Must
//! not know who heard of it.

use serde::Serialize;
use sess_proto::message::{Exit, Happening, Size};

use super::view::{Cells, ExitView, Time};
use super::{escape, json, signal_name};

/// Something that has happened to a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Happened {
    /// The session's name then.
    pub(crate) name: String,
    /// Its id.
    pub(crate) id: String,
    /// When.
    pub(crate) time: Time,
    /// What.
    pub(crate) what: What,
}

/// What can happen: what holders tell, and what only others notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// It is there.
    Created,
    /// Its holder tells this.
    Told(Happening),
    /// Its holder is gone without a word.
    Died,
}

/// Tells in one form or the other.
#[derive(Debug)]
pub(crate) struct Teller {
    json: bool,
    /// As wide as the longest name so far.
    width: usize,
}

/// The keys of the JSON, in their order.
#[derive(Serialize)]
struct Shape<'a> {
    event: &'a str,
    name: &'a str,
    id: &'a str,
    time: Time,
    #[serde(flatten)]
    details: Details<'a>,
}

#[derive(Default, Serialize)]
struct Details<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tty: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<Cells>,
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit: Option<ExitView>,
}

impl Teller {
    /// One that tells nothing yet.
    pub(crate) fn new(json: bool) -> Self {
        Self { json, width: 0 }
    }

    /// The line that tells of this.
    pub(crate) fn line(&mut self, happened: &Happened) -> String {
        let (event, details, words) = happened.what.told(happened.time);
        let Happened { name, id, time, .. } = happened;
        if self.json {
            return json(&Shape { event, name, id, time: *time, details });
        }
        let name = escape(name);
        self.width = self.width.max(name.chars().count());
        let line =
            format!("{time} {name:<width$}  {event}  {}", escape(&words), width = self.width);
        format!("{}\n", line.trim_end())
    }
}

impl What {
    /// Its name, what there is to it for programs, and the same in words.
    fn told(&self, time: Time) -> (&'static str, Details<'_>, String) {
        let none = Details::default();
        let happening = match self {
            Self::Created => return ("created", none, String::new()),
            Self::Died => return ("died", none, String::new()),
            Self::Told(happening) => happening,
        };
        match happening {
            Happening::Attached { pid, tty } => {
                ("attached", Details { pid: Some(*pid), tty: Some(tty), ..none }, tty.clone())
            }
            Happening::Detached { pid, tty } => {
                ("detached", Details { pid: Some(*pid), tty: Some(tty), ..none }, tty.clone())
            }
            Happening::Resized(size) => {
                let Size { cols, rows, .. } = *size;
                let details = Details { size: Some((*size).into()), ..none };
                ("resized", details, format!("{cols}x{rows}"))
            }
            Happening::Renamed { old } => {
                ("renamed", Details { old: Some(old), ..none }, format!("from {old}"))
            }
            Happening::Activity => ("activity", none, String::new()),
            Happening::Title(title) => {
                ("title", Details { title: Some(title), ..none }, title.clone())
            }
            Happening::Bell => ("bell", none, String::new()),
            Happening::Notification { title, body } => {
                let details = Details { title: Some(title), body: Some(body), ..none };
                let parts = [title.as_str(), body.as_str()];
                let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
                ("notification", details, parts.join(": "))
            }
            Happening::Restarted => ("restarted", none, String::new()),
            Happening::Exited(exit) => {
                let words = match *exit {
                    Exit::Code(code) => code.to_string(),
                    Exit::Signal(signal) => signal_name(signal),
                };
                let exit = ExitView { time: Some(time), ..(*exit).into() };
                ("exited", Details { exit: Some(exit), ..none }, words)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn happened(name: &str, what: What) -> Happened {
        Happened { name: name.into(), id: "ab".into(), time: Time(1_795_210_800_000), what }
    }

    #[test]
    fn people_get_a_line_each_names_in_a_column() {
        let mut teller = Teller::new(false);
        let attached = Happening::Attached { pid: 7, tty: "/dev/pts/3".into() };
        for (name, what, line) in [
            ("work", What::Created, "work  created"),
            ("work", What::Told(attached), "work  attached  /dev/pts/3"),
            ("longer", What::Told(Happening::Bell), "longer  bell"),
            (
                "work",
                What::Told(Happening::Renamed { old: "wo\x1brk".into() }),
                "work    renamed  from wo\\x1brk",
            ),
            (
                "work",
                What::Told(Happening::Resized(Size { cols: 100, rows: 30, xpixel: 0, ypixel: 0 })),
                "work    resized  100x30",
            ),
            (
                "work",
                What::Told(Happening::Notification { title: String::new(), body: "ok".into() }),
                "work    notification  ok",
            ),
            ("work", What::Told(Happening::Exited(Exit::Signal(9))), "work    exited  SIGKILL"),
            ("work", What::Died, "work    died"),
        ] {
            let line = format!("2026-11-20T21:40:00.000Z {line}\n");
            assert_eq!(teller.line(&happened(name, what)), line);
        }
    }

    #[test]
    fn programs_get_an_object_each() {
        let mut teller = Teller::new(true);
        let begin = |event| {
            format!(
                r#"{{"event":"{event}","name":"work","id":"ab","time":"2026-11-20T21:40:00.000Z""#
            )
        };
        for (what, event, rest) in [
            (What::Created, "created", ""),
            (What::Died, "died", ""),
            (What::Told(Happening::Activity), "activity", ""),
            (
                What::Told(Happening::Detached { pid: 7, tty: "/dev/pts/3".into() }),
                "detached",
                r#","pid":7,"tty":"/dev/pts/3""#,
            ),
            (What::Told(Happening::Title("a\u{9b}".into())), "title", r#","title":"a\u009b""#),
            (
                What::Told(Happening::Notification { title: "t".into(), body: "b".into() }),
                "notification",
                r#","title":"t","body":"b""#,
            ),
            (
                What::Told(Happening::Exited(Exit::Code(3))),
                "exited",
                r#","exit":{"code":3,"signal":null,"time":"2026-11-20T21:40:00.000Z"}"#,
            ),
        ] {
            assert_eq!(teller.line(&happened("work", what)), format!("{}{rest}}}\n", begin(event)));
        }
    }
}

//! `sess run`.

use std::os::unix::ffi::OsStringExt;
use std::time::{Duration, Instant};

use anyhow::Result;
use sess_proto::HolderMessage;
use sess_proto::message::{Exit, Ran, Run};

use super::wait::{limit, milliseconds};
use crate::cli::RunArgs;
use crate::connection::Connection;
use crate::directory;
use crate::error::{Failure, program_code};
use crate::lines::Lines;
use crate::lookup::{self, ended_meanwhile, exit_of};
use crate::output::{self, Outlet, Ran as RanView, Said, note_skipped, span};
use crate::output_loop::{Reader, pass_on};
use crate::survey::Sighting;

/// How it ended.
enum End {
    Ran(Ran),
    TimedOut,
    Exited(Exit),
}

/// What a command says, on its way to standard output.
struct Output {
    /// Unless the bytes are wanted as they are.
    lines: Option<Lines>,
    /// Unless it is wanted as it comes.
    collected: Option<Vec<u8>>,
    /// Where it began.
    begin: Option<u64>,
    /// The offset of the next byte.
    at: u64,
    truncated: bool,
}

pub(super) fn run(args: RunArgs) -> Result<u8> {
    let directories = directory::all()?;
    let sighting = lookup::find(&directories, &args.name)?;
    sighting.must_run()?;
    let began = Instant::now();
    let mut outlet = Outlet::new()?;
    let mut output = Output::new(&sighting, args.raw, args.json);
    let limit = limit(args.timeout);
    let words = args.command.into_iter().map(OsStringExt::into_vec).collect();
    let request = Run { words, timeout: args.timeout.map(milliseconds) };
    let ended = sighting.folder(&directories).and_then(|folder| {
        let mut connection = Connection::open(&folder, sighting.name.as_str())?;
        connection.send(request)?;
        pass_on(&mut connection, &mut outlet, limit, Reader::AndUs, |message, outlet| {
            Ok(output.hear(&message, outlet))
        })
    });
    let ended = match ended {
        Ok(end) => end.ok_or_else(|| Failure::lost(sighting.name.as_str()).into()),
        Err(error) => match ended_meanwhile(&directories, &sighting, error) {
            Ok(now) => exit_of(&now.record)
                .map(End::Exited)
                .ok_or_else(|| Failure::dead(sighting.name.as_str()).into()),
            Err(error) => Err(error),
        },
    };
    let took = match &ended {
        Ok(End::Ran(ran)) => Duration::from_millis(ran.duration),
        _ => began.elapsed(),
    };
    let was_refused = ended.is_err() && output.begin.is_none();
    output.finish(&sighting, &ended, took, was_refused, &mut outlet);
    outlet.drain()?;
    match ended? {
        End::Ran(ran) => Ok(ran.code),
        End::Exited(exit) => Ok(program_code(exit)),
        End::TimedOut => {
            let time = span(args.timeout.unwrap_or_default());
            let name = &sighting.name;
            Err(match output.begin {
                Some(_) => Failure::timed_out(format!(
                    "the command in session {name} did not end within {time}; it goes on"
                ))
                .hint(format!("sess send {name} -k C-c interrupts it")),
                None => Failure::timed_out(format!(
                    "the shell of session {name} did not begin the command within {time}"
                ))
                .hint(format!("sess capture {name} shows what it is at")),
            }
            .into())
        }
    }
}

impl Output {
    fn new(sighting: &Sighting, raw: bool, json: bool) -> Self {
        let size = sighting.info.as_ref().map(|info| (info.size.cols, info.size.rows));
        let (cols, rows) = size.unwrap_or((80, 24));
        Self {
            lines: (!raw).then(|| Lines::new(cols, rows)),
            collected: json.then(Vec::new),
            begin: None,
            at: 0,
            truncated: false,
        }
    }

    /// Takes what the holder says until it is the end.
    fn hear(&mut self, message: &HolderMessage<'_>, outlet: &mut Outlet) -> Option<End> {
        match message {
            HolderMessage::Began(began) => {
                self.begin = Some(began.offset);
                self.at = began.offset;
            }
            HolderMessage::Output(bytes) => {
                self.at += bytes.len() as u64;
                self.take(bytes, outlet);
            }
            HolderMessage::At(at) => self.skip_to(at.offset, outlet),
            HolderMessage::Ran(ran) => return Some(End::Ran(*ran)),
            HolderMessage::TimedOut(_) => return Some(End::TimedOut),
            HolderMessage::Exited(exited) => return Some(End::Exited(exited.exit)),
            _ => {}
        }
        None
    }

    fn take(&mut self, bytes: &[u8], outlet: &mut Outlet) {
        match &mut self.lines {
            Some(lines) => {
                let mut text = String::new();
                lines.feed(bytes, &mut text);
                self.give(text.as_bytes(), outlet);
            }
            None => self.give(bytes, outlet),
        }
    }

    fn give(&mut self, bytes: &[u8], outlet: &mut Outlet) {
        match &mut self.collected {
            Some(collected) => collected.extend_from_slice(bytes),
            None => outlet.push(bytes),
        }
    }

    /// Output is missing: we were too slow for it.
    fn skip_to(&mut self, offset: u64, outlet: &mut Outlet) {
        let skipped = offset.saturating_sub(self.at);
        if skipped == 0 {
            return;
        }
        self.at = offset;
        self.truncated = true;
        if let Some(lines) = &mut self.lines {
            let mut text = String::new();
            lines.interrupt(&mut text);
            self.give(text.as_bytes(), outlet);
        }
        if self.collected.is_none() {
            note_skipped(skipped);
        }
    }

    /// Nothing more comes: gives the rest, or all in one.
    fn finish(
        &mut self,
        sighting: &Sighting,
        ended: &Result<End>,
        took: Duration,
        was_refused: bool,
        outlet: &mut Outlet,
    ) {
        if let Some(lines) = &mut self.lines {
            let mut text = String::new();
            lines.finish(&mut text);
            self.give(text.as_bytes(), outlet);
        }
        if was_refused {
            return;
        }
        let Some(collected) = self.collected.take() else {
            return;
        };
        let (code, next) = match ended {
            Ok(End::Ran(ran)) => (Some(ran.code), Some(ran.offset)),
            _ => (None, self.begin.map(|_| self.at)),
        };
        let result = RanView {
            name: sighting.name.to_string(),
            id: sighting.info.as_ref().map(|info| info.id.clone()).unwrap_or_default(),
            output: Said::from(collected),
            code,
            duration: Duration::from_millis(milliseconds(took)).as_secs_f64(),
            offset: self.begin,
            next,
            truncated: self.truncated,
        };
        outlet.push(output::json(&result).as_bytes());
    }
}

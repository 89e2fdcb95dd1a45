//! What a session shows, on a screen of our own: brought by its holder, or from its
//! record when it has ended. Must not know what is made of it.

use std::time::Instant;

use anyhow::Result;
use sess_holder::record::{self, Output};
use sess_proto::HolderMessage;
use sess_proto::message::Capture;
use sess_screen::{Screen, Size};

use crate::connection::Connection;
use crate::directory::Directory;
use crate::error::Failure;
use crate::lines::HISTORY;
use crate::lookup::ended_meanwhile;
use crate::survey::{PATIENCE, Sighting};

/// What a session shows.
#[derive(Debug)]
pub(crate) struct Shown {
    /// The same, with as much of the history as was asked for.
    pub(crate) screen: Screen,
    /// Bytes of output up to then.
    pub(crate) offset: u64,
}

/// What the session shows, with so many lines of its history.
pub(crate) fn shown(directories: &[Directory], sighting: &Sighting, lines: u64) -> Result<Shown> {
    if sighting.state.is_over() {
        let output = recorded(directories, sighting)?;
        let screen = output.screen(output.lines() + HISTORY);
        return Ok(Shown { screen, offset: output.end() });
    }
    sighting.must_run()?;
    captured(directories, sighting, lines).or_else(|error| {
        let now = ended_meanwhile(directories, sighting, error)?;
        shown(directories, &now, lines)
    })
}

fn captured(directories: &[Directory], sighting: &Sighting, lines: u64) -> Result<Shown> {
    let name = sighting.name.as_str();
    let mut connection = Connection::open(&sighting.folder(directories)?, name)?;
    connection.send(Capture { lines })?;
    let (mut size, mut offset, mut bytes) = (None, 0, Vec::new());
    // Each piece has the usual patience: a long history takes its time.
    while connection.receive(Some(Instant::now() + PATIENCE), |message| match message {
        HolderMessage::Captured(captured) => {
            size = Some((captured.size.cols, captured.size.rows));
            Some(true)
        }
        HolderMessage::Output(output) => {
            bytes.extend_from_slice(output);
            Some(true)
        }
        HolderMessage::At(at) => {
            offset = at.offset;
            Some(true)
        }
        HolderMessage::Done(_) => Some(false),
        _ => None,
    })? {}
    let size = size.ok_or_else(|| Failure::lost(name))?;
    Ok(Shown::new(size, &bytes, offset))
}

/// What a session said that is over, from its record.
pub(crate) fn recorded(directories: &[Directory], sighting: &Sighting) -> Result<Output> {
    let output = record::read_output(&sighting.folder(directories)?);
    output.ok_or_else(|| Failure::nothing_kept(sighting.name.as_str()).into())
}

impl Shown {
    fn new((cols, rows): (u16, u16), bytes: &[u8], offset: u64) -> Self {
        let size = Size::new(cols, rows);
        // Room for all lines that come, however they end, and for more.
        let feeds = bytes.split(|byte| *byte == b'\n').count();
        let wraps = bytes.len() / usize::from(size.cols);
        let mut screen = Screen::new(size, feeds + wraps + HISTORY);
        screen.feed(bytes);
        Self { screen, offset }
    }
}

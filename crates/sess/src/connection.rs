//! A connection to one holder: one question, one answer, under a deadline.

use std::ffi::OsStr;
use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use anyhow::Result;
use sess_holder::place::SOCKET;
use sess_proto::frame::{HEADER, HOLDER_LIMIT, OUTPUT_LIMIT};
use sess_proto::message::refusal;
use sess_proto::{ClientMessage, Decoder, HolderMessage};
use sess_sys::{Connect, Dir, Entry, Stream, poll};

use crate::error::{Failure, Kind};
use crate::survey::{PATIENCE, greeting, is_held};

/// How long it is tried again where a holder has too many callers.
const RETRY: Duration = Duration::from_millis(10);

/// Bytes read from the holder at a time: a whole frame of output.
const READ: usize = HEADER + OUTPUT_LIMIT;

/// A connection on which hello was said.
pub(crate) struct Connection {
    /// Whom it leads to.
    pub(crate) name: String,
    /// The socket.
    pub(crate) stream: Stream,
    /// What came and was not yet understood.
    pub(crate) decoder: Decoder,
    /// When it was made.
    since: Instant,
    /// The version of the holder, once it has said that: its first words.
    version: Option<String>,
}

impl Connection {
    /// Connects to the holder whose folder this is.
    pub(crate) fn open(folder: &Dir, name: &str) -> Result<Self> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match Stream::connect(folder, OsStr::new(SOCKET))? {
                Connect::Connected(stream) => return Self::over(stream, name),
                _ if !is_held(folder) => return Err(Failure::lost(name).into()),
                _ if Instant::now() >= deadline => {
                    return Err(Failure::unresponsive(name).into());
                }
                _ => std::thread::sleep(RETRY),
            }
        }
    }

    /// Takes a connection that stands already.
    pub(crate) fn over(stream: Stream, name: &str) -> Result<Self> {
        let decoder = Decoder::new(HOLDER_LIMIT);
        let (name, since) = (name.to_owned(), Instant::now());
        let connection = Self { name, stream, decoder, since, version: None };
        connection.send_bytes(&greeting(), Instant::now() + PATIENCE)?;
        Ok(connection)
    }

    /// Says something.
    pub(crate) fn send<'a>(&self, message: impl Into<ClientMessage<'a>>) -> Result<()> {
        let mut bytes = Vec::new();
        message.into().encode(&mut bytes);
        self.send_bytes(&bytes, Instant::now() + PATIENCE)
    }

    fn send_bytes(&self, mut bytes: &[u8], deadline: Instant) -> Result<()> {
        while !bytes.is_empty() {
            match self.stream.write(bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.wait(false, deadline)?;
                }
                Err(_) => return Err(Failure::lost(&self.name).into()),
            }
        }
        Ok(())
    }

    /// Waits for the answer that `pick` finds; without a deadline as long as the
    /// holder lives.
    pub(crate) fn receive<T>(
        &mut self,
        deadline: Option<Instant>,
        mut pick: impl FnMut(HolderMessage<'_>) -> Option<T>,
    ) -> Result<T> {
        self.listen(|_| deadline, &mut |message| Ok(pick(message)))
    }

    /// As [`Connection::receive`], for what may take its time: the usual patience is
    /// for the first word, then it is waited until `limit`.
    pub(crate) fn receive_late<T>(
        &mut self,
        limit: Option<Instant>,
        mut pick: impl FnMut(HolderMessage<'_>) -> Option<T>,
    ) -> Result<T> {
        self.listen(|connection| connection.deadline(limit), &mut |message| Ok(pick(message)))
    }

    fn listen<T>(
        &mut self,
        deadline: impl Fn(&Self) -> Option<Instant>,
        hear: &mut impl FnMut(HolderMessage<'_>) -> Result<Option<T>>,
    ) -> Result<T> {
        loop {
            if let Some(found) = self.heed(hear)? {
                return Ok(found);
            }
            if !self.read()? {
                match deadline(self) {
                    Some(deadline) => self.wait(true, deadline)?,
                    None => poll::poll(&mut [Entry::new(self.stream.as_fd(), true, false)], None)?,
                }
            }
        }
    }

    /// Until when a holder is waited for that may take until `limit` once it has
    /// said anything.
    pub(crate) fn deadline(&self, limit: Option<Instant>) -> Option<Instant> {
        if self.version.is_some() { limit } else { Some(self.since + PATIENCE) }
    }

    /// Lets `hear` hear what has come, until it has heard enough. A refusal is a
    /// failure.
    pub(crate) fn heed<T>(
        &mut self,
        hear: &mut impl FnMut(HolderMessage<'_>) -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        while let Some(frame) = self.decoder.next_frame()? {
            match HolderMessage::decode(&frame)? {
                Some(HolderMessage::Welcome(welcome)) => self.version = Some(welcome.version),
                Some(HolderMessage::Refused(refused)) => {
                    let failure = refusal(&self.name, refused.code, &refused.message);
                    let (theirs, ours) = (self.version.as_deref(), env!("CARGO_PKG_VERSION"));
                    return Err(match theirs.filter(|theirs| *theirs != ours) {
                        Some(theirs) if refused.code == refusal::MALFORMED => {
                            failure.hint(format!("its holder is version {theirs}, this is {ours}"))
                        }
                        _ => failure,
                    }
                    .into());
                }
                Some(message) => {
                    if let Some(found) = hear(message)? {
                        return Ok(Some(found));
                    }
                }
                None => {}
            }
        }
        self.decoder.relax();
        Ok(None)
    }

    /// Takes what has come from the socket; false if that is nothing.
    pub(crate) fn read(&mut self) -> Result<bool> {
        match self.stream.read(self.decoder.room(READ)) {
            Ok(0) => Err(Failure::lost(&self.name).into()),
            Ok(count) => {
                self.decoder.received(count);
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(_) => Err(Failure::lost(&self.name).into()),
        }
    }

    fn wait(&self, read: bool, deadline: Instant) -> Result<()> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Failure::unresponsive(&self.name).into());
        }
        poll::poll(&mut [Entry::new(self.stream.as_fd(), read, !read)], Some(left))?;
        Ok(())
    }
}

/// What a refusal means to people.
pub(crate) fn refusal(name: &str, code: u16, message: &str) -> Failure {
    match code {
        refusal::ITSELF => Failure::itself(name),
        refusal::PROTOCOL => Failure::new(
            Kind::Refused,
            format!("session {name} is held by a version that this sess can't talk to"),
        ),
        refusal::USAGE => Failure::usage(message),
        // As every holder says it that lacks a word of ours.
        refusal::MALFORMED if message.ends_with("is not known here") => Failure::new(
            Kind::Refused,
            format!("session {name} is held by an older sess, which can't do that"),
        )
        .hint(format!("what runs in it goes on; sess attach {name} shows it")),
        refusal::TAKEN => Failure::new(Kind::Taken, format!("session {name}: {message}")),
        refusal::ENDED => {
            Failure::new(Kind::NotRunning, format!("session {name} refuses: {message}"))
        }
        _ => Failure::refused(name, message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sess_proto::FrameError;

    #[test]
    fn what_an_older_holder_lacks_is_told_as_that() {
        let said = FrameError::NotUnderstood { kind: 20 }.to_string();
        let failure = refusal("work", refusal::MALFORMED, &said);
        assert!(failure.message.contains("older sess"), "{failure:?}");
        let other = refusal("work", refusal::MALFORMED, "expected a hello first");
        assert!(other.message.contains("expected a hello"), "{other:?}");
    }
}

//! A connection to one holder: one question, one answer, under a deadline.

use std::ffi::OsStr;
use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use anyhow::Result;
use sess_holder::place::SOCKET;
use sess_proto::frame::HOLDER_LIMIT;
use sess_proto::message::refusal;
use sess_proto::{ClientMessage, Decoder, HolderMessage};
use sess_sys::{Connect, Dir, Entry, Stream, poll};

use crate::error::{Failure, Kind};
use crate::survey::{PATIENCE, greeting, is_held};

/// How long it is tried again where a holder has too many callers.
const RETRY: Duration = Duration::from_millis(10);

/// A connection on which hello was said.
pub(crate) struct Connection {
    /// Whom it leads to.
    pub(crate) name: String,
    /// The socket.
    pub(crate) stream: Stream,
    /// What came and was not yet understood.
    pub(crate) decoder: Decoder,
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
        let connection = Self { name: name.to_owned(), stream, decoder };
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
        loop {
            while let Some(frame) = self.decoder.next_frame()? {
                match HolderMessage::decode(&frame)? {
                    Some(HolderMessage::Welcome(_)) | None => {}
                    Some(HolderMessage::Refused(refused)) => {
                        return Err(refusal(&self.name, refused.code, &refused.message).into());
                    }
                    Some(message) => {
                        if let Some(found) = pick(message) {
                            return Ok(found);
                        }
                    }
                }
            }
            match self.stream.read(self.decoder.room(16 * 1024)) {
                Ok(0) => return Err(Failure::lost(&self.name).into()),
                Ok(count) => self.decoder.received(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => match deadline {
                    Some(deadline) => self.wait(true, deadline)?,
                    None => poll::poll(&mut [Entry::new(self.stream.as_fd(), true, false)], None)?,
                },
                Err(_) => return Err(Failure::lost(&self.name).into()),
            }
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
        _ => Failure::refused(name, message),
    }
}

//! A connection to a holder, for saying what no `sess` would.

use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

use sess_proto::frame::HOLDER_LIMIT;
use sess_proto::message::{Attach, Hello, Size};
use sess_proto::{ClientMessage, Decoder, HolderMessage, PROTOCOL_MAX, PROTOCOL_MIN};
use sess_sys::{Connect, Dir, Entry, Stream, poll};

use super::patience::PATIENCE;

/// A connection.
pub struct Connection {
    stream: Stream,
    decoder: Decoder,
    over: bool,
}

impl Connection {
    /// Connects to the socket in a session's folder.
    #[track_caller]
    pub fn open(folder: &Path) -> Self {
        Self::try_open(folder).expect("somebody listens")
    }

    /// As [`open`](Self::open), where perhaps nobody listens or has room.
    pub fn try_open(folder: &Path) -> Option<Self> {
        let folder = Dir::open(folder).ok()?;
        match Stream::connect(&folder, OsStr::new("sock")).ok()? {
            Connect::Connected(stream) => {
                Some(Self { stream, decoder: Decoder::new(HOLDER_LIMIT), over: false })
            }
            _ => None,
        }
    }

    /// Says bytes, as they are; a connection that was ended takes them too.
    pub fn say_bytes(&mut self, mut bytes: &[u8]) {
        let deadline = Instant::now() + PATIENCE;
        while !bytes.is_empty() && Instant::now() < deadline {
            match self.stream.write(bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    let mut entry = [Entry::new(self.stream.as_fd(), false, true)];
                    poll::poll(&mut entry, Some(Duration::from_millis(100))).unwrap();
                }
                Err(_) => return,
            }
        }
    }

    /// Says a message.
    pub fn say<'a>(&mut self, message: impl Into<ClientMessage<'a>>) {
        let mut bytes = Vec::new();
        message.into().encode(&mut bytes);
        self.say_bytes(&bytes);
    }

    /// Says hello.
    pub fn greet(&mut self) {
        self.say(Hello {
            protocol_min: PROTOCOL_MIN,
            protocol_max: PROTOCOL_MAX,
            features: 0,
            version: "test".to_owned(),
        });
    }

    /// Says hello and attaches a terminal that isn't there.
    pub fn attach(&mut self, cols: u16, rows: u16) {
        self.greet();
        self.say(Attach {
            size: Size { cols, rows, xpixel: 0, ypixel: 0 },
            lines: u64::MAX,
            read_only: false,
            exclusive: false,
            tty: "/dev/null".to_owned(),
            tty_dev: 0,
            tty_rdev: 0,
            agent: None,
        });
    }

    /// Waits for the answer that `pick` finds; `None` if the connection ends, or
    /// after this long.
    pub fn hear<T>(
        &mut self,
        patience: Duration,
        mut pick: impl FnMut(&HolderMessage<'_>) -> Option<T>,
    ) -> Option<T> {
        let deadline = Instant::now() + patience;
        loop {
            while let Ok(Some(frame)) = self.decoder.next_frame() {
                if let Ok(Some(message)) = HolderMessage::decode(&frame)
                    && let Some(found) = pick(&message)
                {
                    return Some(found);
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || self.over {
                return None;
            }
            poll::poll(&mut [Entry::new(self.stream.as_fd(), true, false)], Some(left)).unwrap();
            match self.stream.read(self.decoder.room(64 * 1024)) {
                Ok(0) => self.over = true,
                Ok(count) => self.decoder.received(count),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => self.over = true,
            }
        }
    }

    /// Whether the holder ends the connection.
    pub fn ends(&mut self) -> bool {
        self.hear(PATIENCE, |_| None::<()>);
        self.over
    }

    /// As [`ends`](Self::ends), within this time.
    pub fn ends_within(&mut self, patience: Duration) -> bool {
        self.hear(patience, |_| None::<()>);
        self.over
    }
}

//! Frames: how a message is cut out of a stream of bytes.
//!
//! `kind u8, flags u8, reserved u16, len u32 LE`, then `len` bytes of payload.
//! The only file that names the encoder of the payloads.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Bytes before each payload.
pub const HEADER: usize = 8;
/// The largest payload that a client may send.
pub const CLIENT_LIMIT: usize = 64 * 1024;
/// The largest payload that a holder may send.
pub const HOLDER_LIMIT: usize = 4 * 1024 * 1024;
/// The largest payload of raw output in one frame.
pub const OUTPUT_LIMIT: usize = 64 * 1024;

/// What a decoder with nothing pending may keep of its buffer, in bytes.
const KEPT: usize = 8 * 1024;

/// Flag: who doesn't know the kind answers with an error instead of skipping it.
pub const MUST_UNDERSTAND: u8 = 1;

/// One frame, borrowed from the decoder that found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What the payload is.
    pub kind: u8,
    /// [`MUST_UNDERSTAND`] or nothing; unknown bits are ignored.
    pub flags: u8,
    /// The message.
    pub payload: &'a [u8],
}

/// Why a stream of bytes can't go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// A frame claims a payload over the limit.
    TooLarge {
        /// The frame's kind.
        kind: u8,
        /// The claimed length in bytes.
        len: u32,
        /// The largest allowed, in bytes.
        limit: usize,
    },
    /// The payload isn't what its kind says.
    Malformed {
        /// The frame's kind.
        kind: u8,
    },
    /// A kind that this build doesn't know and that the other side insists on.
    NotUnderstood {
        /// The frame's kind.
        kind: u8,
    },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { kind, len, limit } => {
                write!(f, "a message of kind {kind} claims {len} bytes, {limit} are allowed")
            }
            Self::Malformed { kind } => write!(f, "a message of kind {kind} is malformed"),
            Self::NotUnderstood { kind } => write!(f, "a message of kind {kind} is not known here"),
        }
    }
}

impl std::error::Error for FrameError {}

/// The header of a frame with a payload of `len` bytes.
pub fn header(kind: u8, flags: u8, len: usize) -> [u8; HEADER] {
    debug_assert!(u32::try_from(len).is_ok(), "payloads are far below 4 GiB");
    let len = (len as u32).to_le_bytes();
    [kind, flags, 0, 0, len[0], len[1], len[2], len[3]]
}

/// Appends a frame around `payload`.
pub fn encode_raw(kind: u8, payload: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&header(kind, 0, payload.len()));
    out.extend_from_slice(payload);
}

/// Appends a frame around the encoding of `message`.
pub(crate) fn encode<M: Serialize>(kind: u8, flags: u8, message: &M, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&header(kind, flags, 0));
    bincode::serde::encode_into_std_write(message, out, bincode::config::standard())
        .expect("plain data encodes and a Vec takes every byte");
    let len = out.len() - start - HEADER;
    out[start..start + HEADER].copy_from_slice(&header(kind, flags, len));
}

/// Decodes a payload, all of it, allocating no more than its frame allows.
pub(crate) fn decode<M: DeserializeOwned>(frame: &Frame<'_>) -> Result<M, FrameError> {
    let config = bincode::config::standard().with_limit::<HOLDER_LIMIT>();
    match bincode::serde::decode_from_slice(frame.payload, config) {
        Ok((message, used)) if used == frame.payload.len() => Ok(message),
        _ => Err(FrameError::Malformed { kind: frame.kind }),
    }
}

/// Finds frames in bytes that arrive in any pieces.
///
/// Memory follows the bytes that came, never the length that a frame claims,
/// and is given back once they are used up.
#[derive(Debug)]
pub struct Decoder {
    limit: usize,
    buffer: Vec<u8>,
    /// Bytes of `buffer` that are received.
    filled: usize,
    /// Bytes of those that are used up.
    used: usize,
}

impl Decoder {
    /// A decoder that refuses payloads over `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { limit, buffer: Vec::new(), filled: 0, used: 0 }
    }

    /// Room for at least `room` more bytes; say with [`Decoder::received`] how
    /// many came.
    pub fn room(&mut self, room: usize) -> &mut [u8] {
        if self.used > 0 {
            self.buffer.copy_within(self.used..self.filled, 0);
            self.filled -= self.used;
            self.used = 0;
        }
        if self.buffer.len() < self.filled + room {
            self.buffer.resize(self.filled + room, 0);
        }
        &mut self.buffer[self.filled..]
    }

    /// Says that the first `count` bytes of the room were filled.
    pub fn received(&mut self, count: usize) {
        self.filled = (self.filled + count).min(self.buffer.len());
    }

    /// Takes bytes from elsewhere.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.room(bytes.len())[..bytes.len()].copy_from_slice(bytes);
        self.received(bytes.len());
    }

    /// The next whole frame, if it has come. After an error the stream is of no
    /// more use.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, FrameError> {
        let pending = &self.buffer[self.used..self.filled];
        let Some((header, rest)) = pending.split_first_chunk::<HEADER>() else {
            return Ok(None);
        };
        let [kind, flags, _, _, len @ ..] = *header;
        let len = u32::from_le_bytes(len);
        if len as usize > self.limit {
            return Err(FrameError::TooLarge { kind, len, limit: self.limit });
        }
        let Some(payload) = rest.get(..len as usize) else {
            return Ok(None);
        };
        self.used += HEADER + len as usize;
        Ok(Some(Frame { kind, flags, payload }))
    }

    /// Gives memory back that a large message has left.
    pub fn relax(&mut self) {
        if self.used == self.filled && self.buffer.capacity() > KEPT {
            *self = Self::new(self.limit);
        }
    }
}

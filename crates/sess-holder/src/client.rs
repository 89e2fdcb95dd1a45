//! A client as the session sees it: what it has been sent, how much of that it has
//! taken. Cursors and counts only; no descriptor, no
//! clock, no queue that grows with how slow it is.

use sess_proto::HolderMessage;
use sess_proto::frame::{self, OUTPUT_LIMIT};
use sess_proto::message::{Size, Taken};

/// Tells connections apart; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub u64);

/// Output that a client may have under way: sent, and not said to be taken.
pub const SEND_AHEAD: u64 = 128 * 1024;
/// A client that takes nothing for this long counts as not there, in
/// milliseconds.
pub const STALL: u64 = 1000;
/// Input taken since a client was last told of it, in bytes, before it is told
/// again.
const TELL_TAKEN: u64 = 16 * 1024;

/// An attached client.
#[derive(Debug)]
pub struct View {
    /// Its terminal's size.
    pub size: Size,
    /// How its screen is to the session's.
    pub fit: Fit,
    /// History lines that it wants at most at a time.
    pub lines: u64,
    /// Whether it only looks.
    pub read_only: bool,
    /// Its terminal, for people.
    pub tty: String,
    /// Its terminal's device, to find loops with.
    pub tty_id: (u64, u64),
    /// When it attached, in milliseconds since 1970.
    pub attached: u64,
    /// Who has the highest leads; 0 never does.
    pub rank: u64,
    /// What comes next for it.
    pub cursor: Cursor,
    /// Bytes of output put into its outbox so far.
    pub sent: u64,
    /// Bytes of output that its terminal took, as far as it said.
    pub acked: u64,
    /// Whether it takes what it is due to take.
    pub progress: Progress,
    /// It was asked to say when it has taken everything.
    pub asked_to_sync: bool,
    /// Where it began to follow the journal: (bytes sent, offset).
    pub followed_from: (u64, u64),
    /// What it gets when it has got everything up to that offset: then it goes.
    pub farewell: Option<Farewell>,
    /// Bytes of its input that were received.
    pub input_received: u64,
    /// Bytes of its input that the program's terminal took.
    pub input_taken: u64,
    /// How much of that it was told.
    input_told: u64,
}

/// How a client's screen is to the session's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Of another size.
    Other,
    /// Of the same size, and drawn so.
    Drawn,
    /// Of the same size since its terminal was resized: that moved the lines in a
    /// way of its own, so that rows are not where the model has them.
    Moved,
}

/// Whether a client takes what it is due to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It is due to take nothing.
    Free,
    /// It is, since that time.
    Due(u64),
    /// It has taken nothing for a second: it does not count as there.
    Stalled,
}

/// What comes next for an attached client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// Its terminal is to be prepared; then come history lines from `line` on.
    Start {
        /// The first line it has not had.
        line: u64,
        /// Whether it has just come: what stood on its terminal is scrolled up.
        fresh: bool,
    },
    /// History lines, then the screen.
    History {
        /// The next one.
        next: u64,
        /// Behind the last one of this round.
        end: u64,
    },
    /// The journal, from this offset on.
    Journal(u64),
}

/// The last words to a client.
#[derive(Debug)]
pub struct Farewell {
    /// The offset up to which it still gets output.
    pub until: u64,
    /// What takes back what the program switched on, as of that offset; `None`
    /// if no more output comes: then it is cut when the client is there.
    pub undo: Option<Vec<u8>>,
    /// The message after it, encoded.
    pub message: Vec<u8>,
}

impl View {
    /// Bytes of output sent and not said to be taken.
    pub fn under_way(&self) -> u64 {
        self.sent - self.acked
    }

    /// The offset up to which its terminal has certainly taken the journal.
    pub fn taken(&self) -> u64 {
        let (sent, offset) = self.followed_from;
        offset + self.acked.saturating_sub(sent)
    }

    /// The offset that it follows the journal from, if it does.
    pub fn following(&self) -> Option<u64> {
        match self.cursor {
            Cursor::Journal(offset) => Some(offset),
            Cursor::Start { .. } | Cursor::History { .. } => None,
        }
    }

    /// Since when it has been due to take something, if it is.
    pub fn due(&self) -> Option<u64> {
        match self.progress {
            Progress::Due(since) => Some(since),
            Progress::Free | Progress::Stalled => None,
        }
    }

    /// What it has been due to take it could not for the last so many ticks.
    pub fn excuse(&mut self, ticks: u64) {
        if let Progress::Due(since) = &mut self.progress {
            *since += ticks;
        }
    }

    /// Whether it does not count as there.
    pub fn is_stalled(&self) -> bool {
        self.progress == Progress::Stalled
    }

    /// Takes note of whether it is due to take something at that time; `took` if
    /// it just has.
    pub fn settle_progress(&mut self, outbox_empty: bool, took: bool, ticks: u64) {
        let ready = outbox_empty
            && self.under_way() < SEND_AHEAD
            && self.farewell.is_none()
            && !self.asked_to_sync;
        self.progress = match self.progress {
            Progress::Stalled if !took => Progress::Stalled,
            _ if ready => Progress::Free,
            Progress::Due(since) if !took => Progress::Due(since),
            Progress::Free | Progress::Due(_) | Progress::Stalled => Progress::Due(ticks),
        };
    }

    /// Takes note of input that the program's terminal took; returns what the
    /// client is to be told.
    pub fn took_input(&mut self, bytes: u64) -> Option<Taken> {
        self.input_taken += bytes;
        (self.input_taken - self.input_told >= TELL_TAKEN).then(|| {
            self.input_told = self.input_taken;
            Taken { bytes: self.input_taken }
        })
    }

    /// Whatever of its input is still to be taken went with the program that it was for:
    /// that holds up nothing that is typed for the next.
    pub fn forget_input(&mut self) -> Option<Taken> {
        self.input_taken = self.input_received;
        let changed = self.input_told != self.input_taken;
        self.input_told = self.input_taken;
        changed.then_some(Taken { bytes: self.input_taken })
    }

    /// A view that has seen nothing.
    pub fn new(size: Size, lines: u64, read_only: bool) -> Self {
        Self {
            size,
            fit: Fit::Other,
            lines,
            read_only,
            tty: String::new(),
            tty_id: (0, 0),
            attached: 0,
            rank: 0,
            cursor: Cursor::Start { line: 0, fresh: true },
            sent: 0,
            acked: 0,
            progress: Progress::Free,
            asked_to_sync: false,
            followed_from: (0, 0),
            farewell: None,
            input_received: 0,
            input_taken: 0,
            input_told: 0,
        }
    }
}

/// What is to be written to a client: at most a screen and a few frames.
#[derive(Debug, Default)]
pub struct Outbox {
    bytes: Vec<u8>,
    written: usize,
}

/// An outbox that is never empty gives back so much that was written, in bytes.
const OUTBOX_WRITTEN: usize = 256 * 1024;
/// An outbox over this size is given back once it is empty, in bytes.
const OUTBOX_KEEP: usize = 8 * 1024;

impl Outbox {
    /// What is still to be written.
    pub fn pending(&self) -> &[u8] {
        &self.bytes[self.written..]
    }

    /// Whether there is nothing to be written.
    pub fn is_empty(&self) -> bool {
        self.pending().is_empty()
    }

    /// The socket took `count` bytes.
    pub fn advance(&mut self, count: usize) {
        self.written += count;
        if self.is_empty() {
            self.written = 0;
            self.bytes.clear();
        } else if self.written > OUTBOX_WRITTEN {
            self.bytes.drain(..self.written);
            self.written = 0;
        }
    }

    /// Gives memory back that is no longer needed.
    pub fn relax(&mut self) {
        if self.is_empty() && self.bytes.capacity() > OUTBOX_KEEP {
            *self = Self::default();
        }
    }

    /// Appends a message.
    pub fn say<'a>(&mut self, message: impl Into<HolderMessage<'a>>) {
        message.into().encode(&mut self.bytes);
    }

    /// Appends bytes that are frames already.
    pub fn append(&mut self, frames: &[u8]) {
        self.bytes.extend_from_slice(frames);
    }

    /// Appends output in as many frames as it needs; returns its length.
    pub fn output(&mut self, pieces: [&[u8]; 2]) -> u64 {
        const OUTPUT: u8 = HolderMessage::Output(&[]).kind();
        for chunk in pieces.iter().flat_map(|piece| piece.chunks(OUTPUT_LIMIT)) {
            frame::encode_raw(OUTPUT, chunk, &mut self.bytes);
        }
        pieces.iter().map(|piece| piece.len() as u64).sum()
    }
}

//! A fast look for queries in the stream, without a model. It may take something
//! else for a query, but never misses one; it knows nothing of the answers.

/// What the scan is in the middle of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    #[default]
    Text,
    Escape,
    /// In a control sequence, which began with this prefix or 0.
    Sequence(u8),
    /// In a string: whether it is an OSC, and whether it asks if it ends.
    String {
        command: bool,
        asks: bool,
    },
    StringEscape {
        asks: bool,
    },
}

/// Tells whether a stream, chunk by chunk, may have asked its terminal something.
/// Whoever may stay lazy unless a question is out needs no more than this.
#[derive(Clone, Debug, Default)]
pub struct QueryScan {
    at: At,
}

impl QueryScan {
    /// A scan at the start of a stream.
    pub fn new() -> QueryScan {
        QueryScan::default()
    }

    /// Whether a query may have been completed in `chunk`, which follows on the
    /// chunks before it.
    pub fn scan(&mut self, chunk: &[u8]) -> bool {
        let mut found = false;
        let mut rest = chunk;
        loop {
            match self.at {
                At::Text => {
                    let Some(escape) = next_escape(rest) else { return found };
                    rest = &rest[escape + 1..];
                    // The usual case in one go: a control sequence, all here.
                    if let [b'[', sequence @ ..] = rest {
                        let len = sequence.iter().position(|&byte| byte & 0xe0 != 0x20);
                        let end = len.map_or(0, |len| sequence[len]);
                        if let (Some(len), 0x40..=0x7e) = (len, end) {
                            if MAY_ASK[usize::from(end)] {
                                found |= asks(prefix(sequence[0]), end);
                            }
                            rest = &sequence[len + 1..];
                            continue;
                        }
                    }
                    self.at = At::Escape;
                }
                At::String { command, asks } => {
                    let mut end = memchr::memchr3(0x1b, 0x18, 0x1a, rest).unwrap_or(rest.len());
                    if command && let Some(bell) = memchr::memchr(7, &rest[..end]) {
                        end = bell;
                    }
                    let asks = asks || memchr::memchr(b'?', &rest[..end]).is_some();
                    self.at = match rest.get(end) {
                        None => {
                            self.at = At::String { command, asks };
                            return found;
                        }
                        Some(0x1b) => At::StringEscape { asks },
                        Some(7) => {
                            found |= asks;
                            At::Text
                        }
                        Some(_) => At::Text,
                    };
                    rest = &rest[end + 1..];
                }
                _ => {
                    let Some((&byte, after)) = rest.split_first() else { return found };
                    rest = after;
                    found |= self.step(byte);
                }
            }
        }
    }

    /// One byte of a sequence; whether it completed a query.
    fn step(&mut self, byte: u8) -> bool {
        let mut found = false;
        if matches!(self.at, At::StringEscape { .. }) && byte != b'\\' {
            // The escape began something else.
            self.at = At::Escape;
        }
        self.at = match (self.at, byte) {
            (At::StringEscape { asks }, b'\\') => {
                found = asks;
                At::Text
            }
            (_, 0x18 | 0x1a) => At::Text,
            (_, 0x1b) => At::Escape,
            (At::Escape, b'[') => At::Sequence(0),
            // A command asks by a question mark; other strings are rare enough.
            (At::Escape, b']') => At::String { command: true, asks: false },
            (At::Escape, b'P' | b'_') => At::String { command: false, asks: true },
            (At::Escape, b'X' | b'^') => At::String { command: false, asks: false },
            (At::Escape, b'0'..=b'~') => {
                // DECID.
                found = byte == b'Z';
                At::Text
            }
            (At::Sequence(0), b'<'..=b'?') => At::Sequence(byte),
            (At::Sequence(prefix), b'@'..=b'~') => {
                found = asks(prefix, byte);
                At::Text
            }
            (at, _) => at,
        };
        found
    }
}

/// The next escape. Where they stand close together, looking at each byte is
/// faster than setting up a search.
#[inline]
fn next_escape(bytes: &[u8]) -> Option<usize> {
    const NEAR: usize = 12;
    let near = &bytes[..bytes.len().min(NEAR)];
    match near.iter().position(|&byte| byte == 0x1b) {
        Some(at) => Some(at),
        None => memchr::memchr(0x1b, &bytes[near.len()..]).map(|at| at + near.len()),
    }
}

fn prefix(first: u8) -> u8 {
    if (b'<'..=b'?').contains(&first) { first } else { 0 }
}

/// The ends of control sequences that may ask.
const MAY_ASK: [bool; 256] = {
    let mut may = [false; 256];
    let ends = b"cnpqtuxySm";
    let mut i = 0;
    while i < ends.len() {
        may[ends[i] as usize] = true;
        i += 1;
    }
    may
};

/// Whether a control sequence with this prefix and end may ask something.
fn asks(prefix: u8, end: u8) -> bool {
    match end {
        b'c' | b'n' | b'p' | b't' | b'x' | b'y' => true,
        b'u' | b'S' | b'm' => prefix == b'?',
        b'q' => prefix == b'>',
        _ => false,
    }
}

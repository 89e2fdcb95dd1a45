//! Input on its way to the program's terminal: what people type and what the
//! holder answers first, then what the send types whose turn it is. Bounded by
//! what each client may have under way. Knows nothing of time, or of who may send.

use std::collections::VecDeque;

use crate::client::ClientId;

/// With so much waiting to be read the holder answers no more, in bytes.
const ANSWERS: usize = 64 * 1024;
/// Brackets around a paste.
const BEGIN_PASTE: &[u8] = b"\x1b[200~";
const END_PASTE: &[u8] = b"\x1b[201~";

/// Bytes for the program, and whose they are.
#[derive(Debug, Default)]
pub struct Input {
    people: Queue,
    /// What the send whose turn it is has still to type.
    pieces: VecDeque<Piece>,
    /// How much of the first piece is taken.
    begun: usize,
    /// The terminal has taken at least a part of the bracket that opens a paste.
    in_paste: bool,
}

/// Something that a send types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Any text: other input may come in between two characters.
    Text(Vec<u8>),
    /// A key: nothing comes in between.
    Key(Vec<u8>),
    /// What completes a piece that was cut short; it is nobody's any more.
    Rest(Vec<u8>),
    /// From here to [`Piece::EndPaste`] it is a paste: nothing comes in between.
    BeginPaste,
    /// The end of the paste.
    EndPaste,
}

/// What the program's terminal has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// So many bytes of a client's keys.
    Keys(ClientId, u64),
    /// So many bytes of what the send types, its brackets not counted.
    Sent(u64),
}

/// Bytes in order, with their owners.
#[derive(Debug, Default)]
struct Queue {
    bytes: Vec<u8>,
    taken: usize,
    /// How many of the bytes belong to whom, in order.
    owners: VecDeque<(Option<ClientId>, usize)>,
}

/// Whose bytes are next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    People,
    Send,
}

impl Input {
    /// Appends what somebody typed; without an owner it is an answer of the
    /// holder's.
    pub fn push(&mut self, owner: Option<ClientId>, bytes: &[u8]) {
        // A program that asks and never reads is owed no more answers.
        if owner.is_none() && self.people.pending().len() > ANSWERS {
            return;
        }
        self.people.push(owner, bytes);
    }

    /// Appends something to be typed by the send whose turn it is.
    pub fn send(&mut self, piece: Piece) {
        if piece.bytes().is_empty() {
            return;
        }
        match (self.pieces.back_mut(), piece) {
            (Some(Piece::Text(text)), Piece::Text(more)) => text.extend_from_slice(&more),
            (_, piece) => self.pieces.push_back(piece),
        }
    }

    /// Whether all that a send has to type is taken.
    pub fn is_sent(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Whether keys have to wait for the end of a paste.
    pub fn holds_keys(&self) -> bool {
        self.in_paste && self.people.owners.iter().any(|(owner, _)| owner.is_some())
    }

    /// Drops what the send has still to type; a paste that has begun is closed, a
    /// character or key that is half taken completed.
    pub fn cut_short(&mut self) {
        let end = self.begun + self.unfinished().len();
        let begun = self.pieces.pop_front().filter(|_| end > self.begun);
        self.pieces.clear();
        match begun {
            None => self.begun = 0,
            Some(Piece::Text(mut bytes) | Piece::Key(mut bytes)) => {
                bytes.truncate(end);
                self.pieces.push_back(Piece::Rest(bytes));
            }
            Some(piece) => self.pieces.push_back(piece),
        }
        if self.in_paste && !self.pieces.contains(&Piece::EndPaste) {
            self.pieces.push_back(Piece::EndPaste);
        }
    }

    /// What is to be written next.
    pub fn pending(&self) -> &[u8] {
        match self.next() {
            Next::People => self.people.pending(),
            Next::Send if self.people.is_empty() || self.in_paste => self.rest(),
            Next::Send => self.unfinished(),
        }
    }

    /// The terminal took `count` bytes of that; calls `each` with whose they were.
    pub fn advance(&mut self, count: usize, mut each: impl FnMut(Taken)) {
        if self.next() == Next::People {
            self.people.advance(count, |owner, bytes| each(Taken::Keys(owner, bytes)));
            return;
        }
        let Some(front) = self.pieces.front() else {
            return;
        };
        match front {
            Piece::BeginPaste => self.in_paste = true,
            Piece::EndPaste | Piece::Rest(_) => {}
            Piece::Text(_) | Piece::Key(_) => each(Taken::Sent(count as u64)),
        }
        self.begun += count;
        if self.begun >= front.bytes().len() {
            if *front == Piece::EndPaste {
                self.in_paste = false;
            }
            self.pieces.pop_front();
            self.begun = 0;
        }
    }

    /// Drops everything: there is nobody left to read it.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    fn next(&self) -> Next {
        let waits = self.in_paste || !self.unfinished().is_empty();
        if self.people.is_empty() || waits { Next::Send } else { Next::People }
    }

    /// What is left of the piece that has begun.
    fn rest(&self) -> &[u8] {
        self.pieces.front().map_or(&[], |piece| &piece.bytes()[self.begun..])
    }

    /// What is left of the key, bracket or character that has begun.
    fn unfinished(&self) -> &[u8] {
        let rest = self.rest();
        match self.pieces.front() {
            _ if self.begun == 0 => &[],
            Some(Piece::Text(_)) => {
                let more = rest.iter().take_while(|byte| *byte & 0xc0 == 0x80).count();
                &rest[..more.min(3)]
            }
            _ => rest,
        }
    }
}

impl Piece {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(bytes) | Self::Key(bytes) | Self::Rest(bytes) => bytes,
            Self::BeginPaste => BEGIN_PASTE,
            Self::EndPaste => END_PASTE,
        }
    }
}

impl Queue {
    fn push(&mut self, owner: Option<ClientId>, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.bytes.extend_from_slice(bytes);
        match self.owners.back_mut() {
            Some((last, count)) if *last == owner => *count += bytes.len(),
            _ => self.owners.push_back((owner, bytes.len())),
        }
    }

    fn pending(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }

    fn is_empty(&self) -> bool {
        self.pending().is_empty()
    }

    fn advance(&mut self, mut count: usize, mut each: impl FnMut(ClientId, u64)) {
        self.taken += count;
        while let Some((owner, left)) = self.owners.front_mut()
            && count > 0
        {
            let part = count.min(*left);
            if let Some(owner) = *owner {
                each(owner, part as u64);
            }
            count -= part;
            *left -= part;
            if *left == 0 {
                self.owners.pop_front();
            }
        }
        if self.is_empty() {
            self.bytes.clear();
            self.taken = 0;
            self.bytes.shrink_to(4096);
        } else if self.taken >= self.bytes.len() / 2 {
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: ClientId = ClientId(1);
    const B: ClientId = ClientId(2);

    fn text(text: &str) -> Piece {
        Piece::Text(text.as_bytes().to_vec())
    }

    /// Has the terminal take `count` bytes; returns them.
    fn take(input: &mut Input, mut count: usize) -> String {
        let mut taken = Vec::new();
        while count > 0 && !input.pending().is_empty() {
            let part = count.min(input.pending().len());
            taken.extend_from_slice(&input.pending()[..part]);
            input.advance(part, |_| {});
            count -= part;
        }
        String::from_utf8_lossy(&taken).into_owned()
    }

    #[test]
    fn input_is_taken_in_order_and_accounted_to_its_owners() {
        let mut input = Input::default();
        input.push(Some(A), b"aaa");
        input.push(None, b"--");
        input.push(Some(B), b"bbb");
        input.push(Some(A), b"a");
        assert_eq!(input.pending(), b"aaa--bbba");
        let mut taken = Vec::new();
        input.advance(6, |what| taken.push(what));
        assert_eq!(taken, [Taken::Keys(A, 3), Taken::Keys(B, 1)]);
        assert_eq!(input.pending(), b"bba");
        input.advance(3, |what| taken.push(what));
        assert_eq!(taken[2..], [Taken::Keys(B, 2), Taken::Keys(A, 1)]);
        assert!(input.pending().is_empty());
    }

    #[test]
    fn keys_wait_for_no_send_but_for_a_character_that_has_begun() {
        let mut input = Input::default();
        input.send(text("ab\u{e9}cd"));
        assert_eq!(take(&mut input, 1), "a");
        input.push(Some(A), b"K");
        assert_eq!(take(&mut input, 1), "K");
        // The first half of an é.
        input.advance(2, |_| {});
        input.push(Some(A), b"L");
        assert_eq!(input.pending(), [0xa9]);
        input.advance(1, |_| {});
        assert_eq!(take(&mut input, 9), "Lcd");
        assert!(input.is_sent());
    }

    #[test]
    fn nothing_comes_in_between_the_bytes_of_a_key() {
        let mut input = Input::default();
        input.send(Piece::Key(b"\x1b[A".to_vec()));
        assert_eq!(take(&mut input, 1), "\x1b");
        input.push(Some(A), b"x");
        assert_eq!(take(&mut input, 9), "[Ax");
    }

    #[test]
    fn keys_wait_for_the_end_of_a_paste() {
        let mut input = Input::default();
        input.send(Piece::BeginPaste);
        input.send(text("one two"));
        input.send(Piece::EndPaste);
        take(&mut input, 9);
        input.push(Some(A), b"x");
        assert!(input.holds_keys());
        assert_eq!(take(&mut input, 99), " two\x1b[201~x");
        assert!(!input.holds_keys());
    }

    #[test]
    fn a_paste_that_has_not_begun_lets_keys_pass() {
        let mut input = Input::default();
        input.send(Piece::BeginPaste);
        input.push(Some(A), b"x");
        assert!(!input.holds_keys());
        assert_eq!(take(&mut input, 1), "x");
    }

    #[test]
    fn a_paste_that_is_cut_short_is_closed_before_the_keys_that_wait() {
        let mut input = Input::default();
        input.send(Piece::BeginPaste);
        input.send(text("one \u{e9} two"));
        input.send(Piece::EndPaste);
        take(&mut input, 6 + 5);
        input.push(Some(A), b"x");
        input.cut_short();
        let mut rest = input.pending().to_vec();
        input.advance(rest.len(), |_| {});
        assert_eq!(rest, [0xa9], "the rest of the character");
        rest.extend_from_slice(take(&mut input, 99).as_bytes());
        assert_eq!(&rest[1..], b"\x1b[201~x");
        assert!(input.is_sent());
    }

    #[test]
    fn what_is_cut_short_in_its_last_bracket_still_gets_it() {
        let mut input = Input::default();
        input.send(Piece::BeginPaste);
        input.send(text("a"));
        input.send(Piece::EndPaste);
        take(&mut input, 6 + 1 + 3);
        input.cut_short();
        input.push(Some(A), b"x");
        assert_eq!(take(&mut input, 99), "01~x");
        assert!(!input.in_paste);
    }

    #[test]
    fn brackets_are_not_counted() {
        let mut input = Input::default();
        input.send(Piece::BeginPaste);
        input.send(text("abc"));
        input.send(Piece::EndPaste);
        let mut sent = 0;
        while !input.is_sent() {
            input.advance(1, |taken| sent += u64::from(taken == Taken::Sent(1)));
        }
        assert_eq!(sent, 3);
    }
}

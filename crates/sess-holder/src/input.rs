//! Input on its way to the program's terminal: in order, and bounded by what
//! each client may have under way.

use std::collections::VecDeque;

use crate::client::ClientId;

/// Bytes for the program, and whose they are.
#[derive(Debug, Default)]
pub struct Input {
    bytes: Vec<u8>,
    taken: usize,
    /// How many of the bytes belong to whom, in order.
    owners: VecDeque<(Option<ClientId>, usize)>,
}

impl Input {
    /// Appends bytes; without an owner they are the holder's own answers.
    pub fn push(&mut self, owner: Option<ClientId>, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.bytes.extend_from_slice(bytes);
        match self.owners.back_mut() {
            Some((last, count)) if *last == owner => *count += bytes.len(),
            _ => self.owners.push_back((owner, bytes.len())),
        }
    }

    /// What is still to be written.
    pub fn pending(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }

    /// The terminal took `count` bytes; calls `each` with whose they were.
    pub fn advance(&mut self, mut count: usize, mut each: impl FnMut(ClientId, u64)) {
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
        if self.pending().is_empty() {
            self.bytes.clear();
            self.taken = 0;
            self.bytes.shrink_to(4096);
        } else if self.taken >= self.bytes.len() / 2 {
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
    }

    /// Drops everything: there is nobody left to read it.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_is_taken_in_order_and_accounted_to_its_owners() {
        let (a, b) = (ClientId(1), ClientId(2));
        let mut input = Input::default();
        input.push(Some(a), b"aaa");
        input.push(None, b"--");
        input.push(Some(b), b"bbb");
        input.push(Some(a), b"a");
        assert_eq!(input.pending(), b"aaa--bbba");
        let mut taken = Vec::new();
        input.advance(6, |owner, count| taken.push((owner, count)));
        assert_eq!(taken, [(a, 3), (b, 1)]);
        assert_eq!(input.pending(), b"bba");
        input.advance(3, |owner, count| taken.push((owner, count)));
        assert_eq!(taken[2..], [(b, 2), (a, 1)]);
        assert!(input.pending().is_empty());
    }
}

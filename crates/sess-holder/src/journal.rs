//! The journal: the latest output as raw bytes, addressed by offset.
//!
//! A ring in memory. The holder appends, everybody else reads with a cursor of
//! its own. It knows nothing of who reads, nor of what the bytes mean.

/// The latest bytes of a stream, each at its offset since the stream began.
#[derive(Debug)]
pub struct Journal {
    /// Empty until the first byte comes, so that a silent session has no ring.
    ring: Vec<u8>,
    capacity: usize,
    head: u64,
    /// The offset of the first byte that it was given.
    begin: u64,
}

impl Journal {
    /// A journal that keeps `capacity` bytes.
    pub fn new(capacity: usize) -> Self {
        Self { ring: Vec::new(), capacity: capacity.max(1), head: 0, begin: 0 }
    }

    /// A journal that goes on at offset `head`, behind these bytes.
    pub fn resumed(capacity: usize, head: u64, latest: &[u8]) -> Self {
        let mut journal = Self::new(capacity);
        let count = latest.len().min(journal.capacity);
        journal.head = head - count as u64;
        journal.begin = journal.head;
        let mut rest = &latest[latest.len() - count..];
        while !rest.is_empty() {
            let room = journal.room();
            let count = room.len().min(rest.len());
            room[..count].copy_from_slice(&rest[..count]);
            journal.commit(count);
            rest = &rest[count..];
        }
        journal
    }

    /// Bytes that it keeps at most.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The offset of the next byte to come.
    pub fn head(&self) -> u64 {
        self.head
    }

    /// The offset of the oldest byte that is kept.
    pub fn tail(&self) -> u64 {
        self.head.saturating_sub(self.capacity as u64).max(self.begin)
    }

    /// A place for bytes to come, in one piece and not empty; they overwrite the
    /// oldest. [`Journal::commit`] says how many came.
    pub fn room(&mut self) -> &mut [u8] {
        if self.ring.is_empty() {
            self.ring = vec![0; self.capacity];
        }
        let start = self.index(self.head);
        &mut self.ring[start..]
    }

    /// Appends the first `count` bytes of the room.
    pub fn commit(&mut self, count: usize) {
        self.head += count as u64;
    }

    /// The bytes from `from` on, up to `to`, in the two pieces in which they
    /// lie. Both are within `tail..=head`.
    pub fn read(&self, from: u64, to: u64) -> [&[u8]; 2] {
        debug_assert!(self.tail() <= from && from <= to && to <= self.head);
        if from == to {
            return [&[], &[]];
        }
        let start = self.index(from);
        let len = (to - from) as usize;
        let first = len.min(self.capacity - start);
        [&self.ring[start..start + first], &self.ring[..len - first]]
    }

    fn index(&self, offset: u64) -> usize {
        (offset % self.capacity as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn append(journal: &mut Journal, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = journal.room();
            let count = room.len().min(bytes.len());
            room[..count].copy_from_slice(&bytes[..count]);
            journal.commit(count);
            bytes = &bytes[count..];
        }
    }

    fn bytes(journal: &Journal, from: u64, to: u64) -> Vec<u8> {
        journal.read(from, to).concat()
    }

    #[test]
    fn what_was_appended_is_read_at_its_offset() {
        let mut journal = Journal::new(8);
        append(&mut journal, b"hello");
        assert_eq!((journal.tail(), journal.head()), (0, 5));
        assert_eq!(bytes(&journal, 1, 4), b"ell");
        assert_eq!(bytes(&journal, 5, 5), b"");
    }

    #[test]
    fn the_oldest_bytes_are_dropped_first() {
        let mut journal = Journal::new(8);
        append(&mut journal, b"0123456789abcdef0123");
        assert_eq!((journal.tail(), journal.head()), (12, 20));
        assert_eq!(bytes(&journal, 12, 20), b"cdef0123");
        assert_eq!(bytes(&journal, 14, 18), b"ef01");
    }

    #[test]
    fn a_resumed_journal_goes_on_where_the_other_ended() {
        let mut journal = Journal::resumed(8, 20, b"cdef0123");
        assert_eq!((journal.tail(), journal.head()), (12, 20));
        assert_eq!(bytes(&journal, 12, 20), b"cdef0123");
        append(&mut journal, b"xy");
        assert_eq!(bytes(&journal, 14, 22), b"ef0123xy");
        let larger = Journal::resumed(4, 20, b"cdef0123");
        assert_eq!(bytes(&larger, larger.tail(), 20), b"0123");
        // Bytes before those it was given it never had.
        let mut smaller = Journal::resumed(100, 20, b"23");
        append(&mut smaller, b"x");
        assert_eq!((smaller.tail(), smaller.head()), (18, 21));
        assert_eq!(bytes(&smaller, 18, 21), b"23x");
    }

    #[test]
    fn a_silent_journal_has_no_ring() {
        let journal = Journal::new(1 << 20);
        assert_eq!(journal.ring.capacity(), 0);
        assert_eq!(bytes(&journal, 0, 0), b"");
    }

    #[test]
    fn room_is_never_empty() {
        let mut journal = Journal::new(3);
        for n in 0..10 {
            assert!(!journal.room().is_empty(), "{n}");
            journal.commit(1);
        }
    }
}

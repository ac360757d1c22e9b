//! A ring buffer of bytes with a fixed capacity.

use std::fmt;
use std::io::{self, Read, Write};

pub const DEFAULT_CAPACITY: usize = 4096;

/// Why a ring could not take what it was given.
#[derive(Debug, PartialEq, Eq)]
pub enum RingError {
    Full { missing: usize },
    Closed,
}

impl fmt::Display for RingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RingError::Full { missing } => write!(f, "{missing} bytes do not fit"),
            RingError::Closed => write!(f, "the ring is closed"),
        }
    }
}

/// Bytes between a writer and a reader.
pub struct Ring {
    data: Vec<u8>,
    start: usize,
    len: usize,
    closed: bool,
}

impl Ring {
    pub fn new(capacity: usize) -> Self {
        Ring {
            data: vec![0; capacity.max(1)],
            start: 0,
            len: 0,
            closed: false,
        }
    }

    pub fn free(&self) -> usize {
        self.data.len() - self.len
    }

    pub fn push(&mut self, bytes: &[u8]) -> Result<(), RingError> {
        if self.closed {
            return Err(RingError::Closed);
        }
        if bytes.len() > self.free() {
            return Err(RingError::Full {
                missing: bytes.len() - self.free(),
            });
        }
        let capacity = self.data.len();
        let mut at = (self.start + self.len) % capacity;
        for byte in bytes {
            self.data[at] = *byte;
            at = (at + 1) % capacity;
        }
        self.len += bytes.len();
        Ok(())
    }

    pub fn pop(&mut self, room: &mut [u8]) -> usize {
        let count = room.len().min(self.len);
        for slot in room.iter_mut().take(count) {
            *slot = self.data[self.start];
            self.start = (self.start + 1) % self.data.len();
        }
        self.len -= count;
        count
    }

    pub fn close(&mut self) {
        self.closed = true;
    }
}

impl Read for Ring {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        Ok(self.pop(room))
    }
}

/// Copies until the source ends; how many bytes it were.
pub fn drain<R: Read, W: Write>(source: &mut R, target: &mut W) -> io::Result<u64> {
    let mut room = [0u8; DEFAULT_CAPACITY];
    let mut total = 0;
    loop {
        let count = source.read(&mut room)?;
        if count == 0 {
            return Ok(total);
        }
        target.write_all(&room[..count])?;
        total += count as u64;
    }
}

fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(17, |sum, byte| sum.wrapping_mul(31).wrapping_add(*byte as u32))
}

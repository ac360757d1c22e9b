//! Frames: a length, then that many bytes.

use crate::ring::Ring;

pub const MAX_FRAME: usize = 65_535;

/// One message as it travels.
pub struct Frame {
    pub payload: Vec<u8>,
}

impl Frame {
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.payload.len() + 2);
        out.extend_from_slice(&(self.payload.len() as u16).to_be_bytes());
        out.extend_from_slice(&self.payload);
        out
    }
}

pub fn fits(ring: &Ring, frame: &Frame) -> bool {
    frame.payload.len() + 2 <= ring.free()
}

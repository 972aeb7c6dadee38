//! The words of a trace, for the index of words.

use flowtrace_core::span::Span;
use flowtrace_core::trace::words;
use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

/// The words of several texts, each once.
#[derive(Default)]
pub struct Words {
    pub text: String,
    seen: HashSet<u64, BuildHasherDefault<Ready>>,
}

impl Words {
    pub fn add(&mut self, span: &Span) {
        words::texts(span, &mut |text| {
            // A prompt stands in several spans of its trace.
            if text.len() > 32 && !self.seen.insert(quick_hash(text.as_bytes()) ^ 1) {
                return;
            }
            words::each(text, |word| {
                if self.seen.insert(quick_hash(word.as_bytes())) {
                    self.text.push_str(word);
                    self.text.push(' ');
                }
            });
        });
    }
}

/// Good enough to tell words apart: two with the same hash would make one of them not found.
fn quick_hash(bytes: &[u8]) -> u64 {
    const K: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut hash = (bytes.len() as u64).wrapping_mul(K);
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let word = u64::from_le_bytes(chunk.try_into().expect("a chunk has 8 bytes"));
        hash = (hash ^ word).wrapping_mul(K).rotate_left(29);
    }
    let mut last = [0u8; 8];
    last[..chunks.remainder().len()].copy_from_slice(chunks.remainder());
    hash = (hash ^ u64::from_le_bytes(last)).wrapping_mul(K);
    hash ^= hash >> 32;
    hash.wrapping_mul(0xd6e8_feb8_6659_fd93) ^ (hash >> 29)
}

/// Takes a hash as it is.
#[derive(Default)]
pub struct Ready(u64);

impl Hasher for Ready {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = quick_hash(bytes);
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

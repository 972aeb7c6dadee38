//! Ids of senders that do not use OpenTelemetry's. The same text always gives the same id.

use flowtrace_core::id::{SpanId, TraceId};
use sha2::{Digest, Sha256};

/// A UUID and `trace_` with 32 digits are a trace id in other clothes; anything else is hashed.
pub fn trace(text: &str) -> TraceId {
    let digits = text.strip_prefix("trace_").unwrap_or(text);
    TraceId::parse(digits).or_else(|| TraceId::parse(&digits.replace('-', ""))).unwrap_or_else(|| {
        let digest = Sha256::digest(text.as_bytes());
        let mut bytes = [0u8; 16];
        bytes.copy_from_slice(&digest[..16]);
        TraceId(u128::from_be_bytes(bytes).max(1))
    })
}

pub fn span(text: &str) -> SpanId {
    SpanId::parse(text).unwrap_or_else(|| hashed(text.as_bytes()))
}

/// The span that stands for a trace where the sender has none.
pub fn root(trace: TraceId) -> SpanId {
    hashed(format!("root of {trace}").as_bytes())
}

fn hashed(bytes: &[u8]) -> SpanId {
    let digest = Sha256::digest(bytes);
    let mut id = [0u8; 8];
    id.copy_from_slice(&digest[..8]);
    SpanId(u64::from_be_bytes(id).max(1))
}

//! Names of things: timestamps, runs, steps, traces, and the key under which a call is idempotent.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::Arc;

/// Microseconds since the Unix epoch. Within one run it never goes backwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

impl Timestamp {
    pub fn from_millis(millis: u64) -> Self {
        Timestamp(millis.saturating_mul(1000))
    }

    pub fn plus_millis(self, millis: u64) -> Self {
        Timestamp(self.0.saturating_add(millis.saturating_mul(1000)))
    }

    /// Milliseconds from `earlier` to `self`, with microsecond precision; 0 if `earlier` is later.
    pub fn millis_since(self, earlier: Timestamp) -> f64 {
        self.0.saturating_sub(earlier.0) as f64 / 1000.0
    }
}

/// A stream of the journal. A run's stream id is the run's id, a UUIDv7, so streams sort by age.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u128);

pub type RunId = StreamId;

impl StreamId {
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        StreamId(u128::from_be_bytes(bytes))
    }

    /// Accepts the hyphenated form and the 32 bare hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        parse_hex_u128(&text.replace('-', "")).map(StreamId)
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = format!("{:032x}", self.0);
        write!(f, "{}-{}-{}-{}-{}", &hex[0..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32])
    }
}

/// W3C trace id: 16 bytes, not all zero. <https://www.w3.org/TR/trace-context/#trace-id>
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId(pub u128);

/// W3C parent id: 8 bytes, not all zero. <https://www.w3.org/TR/trace-context/#parent-id>
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanId(pub u64);

impl TraceId {
    pub fn parse(text: &str) -> Option<Self> {
        parse_hex_u128(text).filter(|id| *id != 0).map(TraceId)
    }
}

impl SpanId {
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 16 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        u64::from_str_radix(text, 16).ok().filter(|id| *id != 0).map(SpanId)
    }

    /// The span of a run, a step (request and attempt 0) or one attempt. It is derived, so exporting twice gives the same span.
    pub fn derive(run: RunId, path: &str, request: u32, attempt: u32) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(run.to_bytes());
        hasher.update(path.as_bytes());
        hasher.update([0]);
        hasher.update(request.to_be_bytes());
        hasher.update(attempt.to_be_bytes());
        let digest = hasher.finalize();
        let mut bytes = [0u8; 8];
        bytes.copy_from_slice(&digest[..8]);
        SpanId(u64::from_be_bytes(bytes).max(1))
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

fn parse_hex_u128(text: &str) -> Option<u128> {
    if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(text, 16).ok()
}

macro_rules! serde_as_text {
    ($($name:ident),*) => {$(
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                $name::parse(&text).ok_or_else(|| serde::de::Error::custom(concat!("not a ", stringify!($name))))
            }
        }
    )*};
}
serde_as_text!(StreamId, TraceId, SpanId);

/// Where a step stands in a run: `review`, later `review[2]/critic` (loop iteration) or `each[17]/summarize` (map item).
/// Stable over retries, crashes and forks.
pub type StepPath = Arc<str>;

/// The key that a call carries to the outside, the same over every attempt and after a loss.
pub fn idempotency_key(run: RunId, path: &str, request: u32) -> String {
    format!("{run}/{path}/{request}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_survive_their_text_form() {
        let run = StreamId(0x0190_0000_0000_7000_8000_0000_0000_002a);
        assert_eq!(run.to_string(), "01900000-0000-7000-8000-00000000002a");
        assert_eq!(StreamId::parse(&run.to_string()), Some(run));
        assert_eq!(serde_json::from_str::<StreamId>(&serde_json::to_string(&run).unwrap()).unwrap(), run);
        assert_eq!(TraceId::parse("00000000000000000000000000000000"), None);
        assert_eq!(SpanId::parse("+0f067aa0ba902b7"), None);
    }

    #[test]
    fn a_span_id_depends_on_every_part_of_the_address() {
        let run = StreamId(7);
        let spans = [(run, "a", 1, 1), (run, "b", 1, 1), (run, "a", 2, 1), (run, "a", 1, 2), (StreamId(8), "a", 1, 1)]
            .map(|(run, path, request, attempt)| SpanId::derive(run, path, request, attempt));
        for (i, a) in spans.iter().enumerate() {
            assert!(spans[i + 1..].iter().all(|b| a != b));
        }
    }
}

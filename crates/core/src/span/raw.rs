//! What a decoder hands over: a span or a log record with its attributes as they came, before anybody has read them.

use super::{SpanEvent, SpanLink, SpanStatus};
use crate::id::{SpanId, TraceId};
use serde_json::{Map, Value};

/// The earliest time a span may have, in nanoseconds since the Unix epoch: 2000-01-01T00:00:00Z. Earlier ones are clocks that
/// were never set, and would make the store keep a partition for every year since.
pub const EARLIEST: i64 = 946_684_800 * NANOS;
/// The first time that a span may not have: 2100-01-01T00:00:00Z.
pub const LATEST: i64 = 4_102_444_800 * NANOS;

const NANOS: i64 = 1_000_000_000;

#[derive(Clone, Debug, PartialEq)]
pub struct RawSpan {
    pub trace_id: TraceId,
    pub span_id: SpanId,
    pub parent_span_id: Option<SpanId>,
    pub name: String,
    /// Nanoseconds since the Unix epoch; 0 where a piece of a span does not say.
    pub started_at: i64,
    pub ended_at: i64,
    pub status: SpanStatus,
    pub status_message: String,
    pub attributes: Map<String, Value>,
    pub events: Vec<SpanEvent>,
    pub links: Vec<SpanLink>,
    pub resource: Map<String, Value>,
    pub scope: Option<String>,
}

impl RawSpan {
    /// A span of which only its place in time is known yet.
    pub fn new(trace_id: TraceId, span_id: SpanId, started_at: i64, ended_at: i64) -> Self {
        RawSpan {
            trace_id,
            span_id,
            parent_span_id: None,
            name: String::new(),
            started_at,
            ended_at,
            status: SpanStatus::Unset,
            status_message: String::new(),
            attributes: Map::new(),
            events: Vec::new(),
            links: Vec::new(),
            resource: Map::new(),
            scope: None,
        }
    }
}

/// A log record that names a span.
#[derive(Clone, Debug, PartialEq)]
pub struct RawLog {
    pub trace_id: TraceId,
    pub span_id: SpanId,
    /// Nanoseconds since the Unix epoch.
    pub at: i64,
    /// Newer senders have a field for it, older ones an attribute `event.name`; empty for a plain log line.
    pub event_name: String,
    pub severity: String,
    pub body: Value,
    pub attributes: Map<String, Value>,
    pub resource: Map<String, Value>,
    pub scope: Option<String>,
}

/// Whether a span may have this time.
pub fn plausible(nanos: i64) -> bool {
    (EARLIEST..LATEST).contains(&nanos)
}

//! What SDKs send, decoded: OTLP in protobuf and JSON, the batches of Langfuse, the traces of the OpenAI Agents SDK.
//!
//! A decoder never panics and never takes much more memory than its input: every value of a request counts against a budget. A
//! span that cannot be read is left out and reported; the others are kept. What the attributes mean is decided in
//! [`flowtrace_core::span`].

pub mod agents;
pub mod json;
pub mod langfuse;
pub mod protobuf;

mod foreign_id;
mod wire;

use flowtrace_core::span::raw::{EARLIEST, LATEST, RawLog, RawSpan, plausible};

/// Attributes, events and links that one span may have together. SDKs cut off at 128 of each unless told otherwise; messages
/// that are spread over attributes take some more.
pub const MAX_ITEMS_PER_SPAN: usize = 10_000;

/// Values, with those inside lists and maps, that one request may hold.
pub const MAX_VALUES: usize = 1_000_000;

/// Commas that a JSON request may hold. No value can be without one, so they bound what a parser makes of it before it starts.
pub const MAX_COMMAS: usize = 2_000_000;

/// Why a request is refused as a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the body is not {what}: {why}")]
    Malformed { what: &'static str, why: String },
    #[error("the request holds too many values: send fewer spans at a time")]
    TooMany,
}

/// What a request holds.
#[derive(Debug, Default, PartialEq)]
pub struct Decoded {
    pub spans: Vec<RawSpan>,
    /// Pieces of spans that come apart.
    pub pieces: Vec<RawSpan>,
    pub logs: Vec<RawLog>,
    /// Records that name no span, so there is nowhere to show them.
    pub homeless: u64,
    pub rejected: Rejected,
}

/// Spans or records that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rejected {
    pub count: u64,
    /// Why the first of them was.
    pub why: Option<String>,
}

impl Rejected {
    fn add(&mut self, why: impl FnOnce() -> String) {
        self.count += 1;
        self.why.get_or_insert_with(why);
    }
}

/// The times of a span as a sender gives them, checked; `Err` is a reason.
fn times(start: u64, end: u64) -> Result<(i64, i64), String> {
    let check = |what: &str, nanos: u64| match i64::try_from(nanos) {
        Ok(time) if plausible(time) => Ok(time),
        _ if nanos == 0 => Err(format!("it has no {what} time")),
        _ => Err(format!("its {what} time, {nanos} ns after 1970, is not between the years 2000 and 2100")),
    };
    let started = check("start", start)?;
    // A span that is not over, or whose clock went backwards, ends where it began.
    if end < start {
        return Ok((started, started));
    }
    Ok((started, check("end", end)?))
}

/// The moment of an event. One without a believable time happened when it was received.
fn moment(nanos: u64, otherwise: i64) -> i64 {
    i64::try_from(nanos).ok().filter(|time| (EARLIEST..LATEST).contains(time)).unwrap_or(otherwise)
}

#[cfg(test)]
#[path = "capture_tests.rs"]
mod capture_tests;

#[cfg(test)]
#[path = "mend_tests.rs"]
mod mend_tests;

#[cfg(test)]
#[path = "property_tests.rs"]
mod property_tests;

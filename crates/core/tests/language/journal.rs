//! What the journal takes, it gives back.

use flowtrace_core::event::{Body, Event, FORMAT, decode, encode};
use flowtrace_core::id::Timestamp;
use flowtrace_core::payload::Payload;
use serde_json::Value;
use std::sync::Arc;

/// A tool may answer with the deepest JSON that can be read at all.
#[test]
fn the_deepest_value_survives_its_envelope() {
    let deepest = format!("{}{}", "[".repeat(127), "]".repeat(127));
    let value: Value = serde_json::from_str(&deepest).unwrap();
    assert!(serde_json::from_str::<Value>(&format!("[{deepest}]")).is_err(), "127 levels are the deepest");
    let body = Body::StepSucceeded { output: Payload::Inline(Arc::new(value)), taken: Vec::new() };
    let events = vec![Event { seq: 1, ts: Timestamp(1), step: Some("a".into()), body }];
    assert_eq!(decode(FORMAT, &encode(&events)), Ok(events));
    assert!(decode(FORMAT, b"[] []").is_err());
    assert!(decode(FORMAT, b"[").is_err());
}

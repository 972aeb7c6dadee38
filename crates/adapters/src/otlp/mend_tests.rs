//! Records that only one sender in a thousand gets wrong.

use super::{json, langfuse};
use flowtrace_core::span::SpanStatus;
use serde_json::{Value, json};

const SECOND: i64 = 1_790_000_000;

fn request(name: &str, attribute: &str) -> Vec<u8> {
    let start = SECOND * 1_000_000_000;
    format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"{:032x}","spanId":"{:016x}","name":"{name}","startTimeUnixNano":"{start}",
        "endTimeUnixNano":"{start}","attributes":[{{"key":"a","value":{attribute}}}]}}]}}]}}]}}"#,
        1, 2
    )
    .into_bytes()
}

#[test]
fn half_an_emoji_costs_no_span() {
    for (written, read) in [
        (r"cut \ud83d", "cut \u{fffd}"),
        (r"\ud83d\ud83d\ude00 \\ud83d", "\u{fffd}😀 \\ud83d"),
        (r"\ude00\n\uD83D\u0041", "\u{fffd}\n\u{fffd}A"),
        (r"\ud83d\ude00", "😀"),
    ] {
        let decoded = json::traces(&request(written, r#"{"stringValue":"x"}"#)).expect("a request");
        assert_eq!(decoded.spans.iter().map(|span| span.name.as_str()).collect::<Vec<_>>(), [read], "{written}");
    }
    let decoded = json::traces(&request(r"\ud83", r#"{"stringValue":"x"}"#)).map(|decoded| decoded.spans.len());
    assert_ne!(decoded.ok(), Some(1), "what is no escape at all is refused as before");
}

#[test]
fn values_nest_as_deep_as_in_protobuf() {
    let nested = |levels: usize| {
        let open = r#"{"arrayValue":{"values":["#.repeat(levels);
        format!(r#"{open}{{"intValue":1}}{}"#, "]}}".repeat(levels))
    };
    let spans = |levels| json::traces(&request("deep", &nested(levels))).expect("a request").spans.len();
    assert_eq!((spans(32), spans(33)), (1, 0));
}

fn batch(events: Value) -> langfuse::Batch {
    langfuse::batch(json!({"batch": events}).to_string().as_bytes(), SECOND * 1_000_000_000).expect("a batch")
}

#[test]
fn an_update_that_names_no_trace_belongs_to_that_of_its_observation() {
    let of = batch(json!([
        {"id": "1", "type": "generation-update", "body": {"id": "g", "endTime": "2026-01-01T00:00:02Z", "output": "bye"}},
        {"id": "2", "type": "generation-create", "body": {"id": "g", "traceId": "t", "startTime": "2026-01-01T00:00:01Z", "input": "hi"}},
    ]));
    assert_eq!(of.refused, []);
    // The call, and the root of its trace.
    assert_eq!(of.pieces.len(), 2, "{:?}", of.pieces);
    let call = of.pieces.iter().find(|piece| piece.parent_span_id.is_some()).expect("the call has a parent");
    assert_eq!(
        (&call.attributes["langfuse.observation.input"], &call.attributes["langfuse.observation.output"]),
        (&json!("hi"), &json!("bye"))
    );
}

#[test]
fn a_trace_fails_with_the_outermost_span_that_failed() {
    let root_of = |parent: Value, kind: &str| {
        let event = |kind: String, body: Value| json!({"id": "e", "type": kind, "body": body});
        let of = batch(json!([
            event("trace-create".into(), json!({"id": "t", "name": "answer"})),
            event(
                format!("{kind}-create"),
                json!({"id": "s", "traceId": "t", "parentObservationId": parent, "startTime": "2026-01-01T00:00:01Z"})
            ),
            event(format!("{kind}-update"), json!({"id": "s", "traceId": "t", "level": "ERROR", "statusMessage": "no refund"})),
        ]));
        let root = of.pieces.into_iter().find(|piece| piece.name == "answer").expect("the trace has a root");
        (root.status, root.status_message)
    };
    assert_eq!(root_of(Value::Null, "span"), (SpanStatus::Error, "no refund".to_owned()));
    assert_eq!(root_of("p".into(), "span").0, SpanStatus::Unset, "what is around it may have dealt with it");
    assert_eq!(root_of(Value::Null, "generation").0, SpanStatus::Unset, "a call can be tried again");
}

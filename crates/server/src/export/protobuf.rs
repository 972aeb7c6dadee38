//! The protobuf form of an `ExportTraceServiceRequest`, made of its JSON form, so that there is one place that says what a span is in OTLP.
//! Field numbers: <https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto> and `common.proto`.

use serde_json::Value;

/// `request` is what [`super::otlp::request`] gives.
pub fn encode(request: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    for resource in list(request, "resourceSpans") {
        message(&mut out, 1, |out| {
            message(out, 1, |out| attributes(out, 1, &resource["resource"]));
            for scope in list(resource, "scopeSpans") {
                message(out, 2, |out| {
                    message(out, 1, |out| text(out, 1, &scope["scope"]["name"]));
                    for one in list(scope, "spans") {
                        message(out, 2, |out| span(out, one));
                    }
                });
            }
        });
    }
    out
}

fn span(out: &mut Vec<u8>, span: &Value) {
    id(out, 1, &span["traceId"]);
    id(out, 2, &span["spanId"]);
    id(out, 4, &span["parentSpanId"]);
    text(out, 5, &span["name"]);
    number(out, 6, &span["kind"]);
    time(out, 7, &span["startTimeUnixNano"]);
    time(out, 8, &span["endTimeUnixNano"]);
    attributes(out, 9, span);
    for event in list(span, "events") {
        message(out, 11, |out| {
            time(out, 1, &event["timeUnixNano"]);
            text(out, 2, &event["name"]);
            attributes(out, 3, event);
        });
    }
    for link in list(span, "links") {
        message(out, 13, |out| {
            id(out, 1, &link["traceId"]);
            id(out, 2, &link["spanId"]);
        });
    }
    message(out, 15, |out| {
        text(out, 2, &span["status"]["message"]);
        number(out, 3, &span["status"]["code"]);
    });
}

fn list<'v>(of: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    of[name].as_array().into_iter().flatten()
}

fn attributes(out: &mut Vec<u8>, field: u32, of: &Value) {
    key_values(out, field, &of["attributes"]);
}

fn key_values(out: &mut Vec<u8>, field: u32, pairs: &Value) {
    for pair in pairs.as_array().into_iter().flatten() {
        message(out, field, |out| {
            text(out, 1, &pair["key"]);
            message(out, 2, |out| any(out, &pair["value"]));
        });
    }
}

/// An `AnyValue`. A value stands there even where it is 0 or empty: which one it is says its type.
fn any(out: &mut Vec<u8>, value: &Value) {
    let Some((kind, value)) = value.as_object().and_then(|object| object.iter().next()) else { return };
    match kind.as_str() {
        "stringValue" => bytes(out, 1, value.as_str().unwrap_or_default().as_bytes()),
        "boolValue" => {
            tag(out, 2, 0);
            varint(out, u64::from(value.as_bool().unwrap_or_default()));
        }
        "intValue" => {
            tag(out, 3, 0);
            let integer: i64 = value.as_str().and_then(|text| text.parse().ok()).unwrap_or_default();
            varint(out, integer as u64);
        }
        "doubleValue" => {
            tag(out, 4, 1);
            out.extend(value.as_f64().unwrap_or(f64::NAN).to_le_bytes());
        }
        "arrayValue" => message(out, 5, |out| {
            for item in list(value, "values") {
                message(out, 1, |out| any(out, item));
            }
        }),
        "kvlistValue" => message(out, 6, |out| key_values(out, 1, &value["values"])),
        _ => {}
    }
}

/// Wire types: <https://protobuf.dev/programming-guides/encoding/#structure>
fn tag(out: &mut Vec<u8>, field: u32, wire: u64) {
    varint(out, u64::from(field) << 3 | wire);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn bytes(out: &mut Vec<u8>, field: u32, bytes: &[u8]) {
    tag(out, field, 2);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn message(out: &mut Vec<u8>, field: u32, fill: impl FnOnce(&mut Vec<u8>)) {
    let mut inside = Vec::new();
    fill(&mut inside);
    bytes(out, field, &inside);
}

fn text(out: &mut Vec<u8>, field: u32, value: &Value) {
    if let Some(text) = value.as_str().filter(|text| !text.is_empty()) {
        bytes(out, field, text.as_bytes());
    }
}

fn number(out: &mut Vec<u8>, field: u32, value: &Value) {
    if let Some(number) = value.as_u64().filter(|number| *number != 0) {
        tag(out, field, 0);
        varint(out, number);
    }
}

fn time(out: &mut Vec<u8>, field: u32, value: &Value) {
    let nanos: u64 = value.as_str().and_then(|text| text.parse().ok()).unwrap_or_default();
    tag(out, field, 1);
    out.extend(nanos.to_le_bytes());
}

/// Hexadecimal digits as the bytes that they stand for.
fn id(out: &mut Vec<u8>, field: u32, value: &Value) {
    let Some(hex) = value.as_str() else { return };
    let digits =
        hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()));
    if let Some(id) = digits.collect::<Option<Vec<u8>>>() {
        bytes(out, field, &id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flowtrace_adapters::otlp::{json as from_json, protobuf as from_protobuf};
    use flowtrace_core::id::{SpanId, TraceId};
    use flowtrace_core::span::{Span, SpanEvent, SpanKind, SpanLink, SpanStatus};
    use flowtrace_core::trace::merge::empty;
    use serde_json::json;

    fn spans() -> Vec<Span> {
        let start = 1_795_233_600_000_000_000;
        let mut one = Span {
            name: "chat gpt-4o ☃".to_owned(),
            kind: SpanKind::Llm,
            status: SpanStatus::Error,
            error: Some("it broke\nhere".to_owned()),
            parent_span_id: Some(SpanId(0xfeed_0000_0000_0001)),
            started_at: start,
            ended_at: start + 1_500_000_001,
            service: Some("shop".to_owned()),
            scope: Some("a library".to_owned()),
            input: Some(json!([{"role": "user", "content": "Hi"}])),
            ..empty(TraceId(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef), SpanId(0x8000_0000_0000_0002))
        };
        one.tokens.input = Some(300);
        one.attributes = serde_json::from_value(json!({
            "text": "", "yes": true, "no": false, "zero": 0, "least": i64::MIN, "most": i64::MAX, "half": -0.5, "nothing": null,
            "list": [1, "two", [], {"a": {}}], "object": {"deep": [null, {"x": 1.25}]}, "long": "x".repeat(70_000),
        }))
        .unwrap();
        one.events = vec![SpanEvent { name: "exception".to_owned(), at: start + 5, attributes: one.attributes.clone() }];
        one.links = vec![SpanLink { trace_id: TraceId(7), span_id: SpanId(8) }];
        one.resource = serde_json::from_value(json!({"host": "h", "n": 3})).unwrap();
        let mut other = empty(TraceId(9), SpanId(10));
        (other.started_at, other.ended_at) = (start, start);
        vec![one.clone(), other, Span { span_id: SpanId(11), parent_span_id: None, status: SpanStatus::Ok, ..one }]
    }

    #[test]
    fn both_forms_are_read_as_the_same_spans() {
        let spans = spans();
        let request = super::super::otlp::request(&spans.iter().collect::<Vec<_>>());
        let body = encode(&request);
        let read = from_protobuf::traces(&body).unwrap();
        assert_eq!(read, from_json::traces(request.to_string().as_bytes()).unwrap());
        assert_eq!((read.spans.len(), read.rejected.count), (3, 0), "{:?}", read.rejected);
        let ids: Vec<_> = read.spans.iter().map(|span| (span.trace_id, span.span_id)).collect();
        for span in &spans {
            assert!(ids.contains(&(span.trace_id, span.span_id)), "{}", span.span_id);
        }
    }
}

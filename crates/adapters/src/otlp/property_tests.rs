//! No bytes make a decoder panic, both forms of OTLP say the same, and whatever is made of a request can be stored and read back.

use super::{Decoded, Refused, agents, json, langfuse, protobuf};
use flowtrace_core::price::PriceTable;
use flowtrace_core::span::Span;
use flowtrace_core::span::normalise::{log_piece, normalise};
use flowtrace_core::trace::merge::merge;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const RECEIVED: i64 = 1_800_000_000_000_000_000;
const START: u64 = 1_790_000_000_000_000_000;

/// Everything that is done with a body of a stranger.
fn digest(body: &[u8]) {
    let batch = langfuse::batch(body, RECEIVED).map(|batch| Decoded { pieces: batch.pieces, ..Decoded::default() });
    let _ = langfuse::scores(body, RECEIVED);
    let _ = (protobuf::metrics(body), json::metrics(body));
    let decoded: [Result<Decoded, Refused>; 6] = [
        protobuf::traces(body),
        protobuf::logs(body, RECEIVED),
        json::traces(body),
        json::logs(body, RECEIVED),
        agents::decode(body),
        batch,
    ];
    let prices = PriceTable::default();
    for decoded in decoded.into_iter().flatten() {
        let raw = decoded.spans.into_iter().chain(decoded.pieces).map(|raw| normalise(raw, &prices));
        for span in raw.chain(decoded.logs.into_iter().map(|log| log_piece(log, &prices))) {
            let text = serde_json::to_string(&span).expect("a span serialises");
            let read: Span = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
            assert_eq!(merge(span.clone(), read).trace_id, span.trace_id);
        }
    }
}

fn captures() -> Vec<Vec<u8>> {
    let mut open = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/wire/captures"))];
    let mut bodies = Vec::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path()));
        } else {
            bodies.push(std::fs::read(&path).expect("a capture"));
        }
    }
    bodies.sort();
    bodies
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("JSON has no word for others", |number| number.is_finite()).prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        Just(Value::from("[{\"role\": \"user\", \"content\": [{\"type\": \"text\", \"text\": \"x\"}]}]")),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((".{0,6}", inner), 0..5).prop_map(|entries| Value::Object(Map::from_iter(entries))),
        ]
    })
}

/// Keys that mean something, and others.
fn key() -> impl Strategy<Value = String> {
    let known = [
        "gen_ai.operation.name",
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.prompt.0.content",
        "gen_ai.prompt.0.role",
        "gen_ai.completion.1.tool_calls.0.name",
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.request.model",
        "gen_ai.provider.name",
        "gen_ai.response.finish_reasons",
        "llm.input_messages.0.message.content",
        "llm.invocation_parameters",
        "openinference.span.kind",
        "input.value",
        "input.mime_type",
        "langfuse.observation.usage_details",
        "langfuse.observation.type",
        "langfuse.trace.metadata.x",
        "langfuse.observation.completion_start_time",
        "respan.prompt",
        "traceloop.span.kind",
        "traceloop.entity.input",
        "ai.operationId",
        "ai.response.toolCalls",
        "ai.prompt.tools",
        "session.id",
        "metadata",
        "tag.tags",
        "operation.cost",
        "error.type",
    ];
    prop_oneof![prop::sample::select(known.to_vec()).prop_map(str::to_owned), "[a-z.]{0,12}"]
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
    out
}

fn field(number: u64, bytes: &[u8]) -> Vec<u8> {
    [varint(number << 3 | 2), varint(bytes.len() as u64), bytes.to_vec()].concat()
}

fn fixed(number: u64, value: u64) -> Vec<u8> {
    [varint(number << 3 | 1), value.to_le_bytes().to_vec()].concat()
}

fn any_in_protobuf(value: &Value) -> Vec<u8> {
    match value {
        Value::Null => Vec::new(),
        Value::Bool(yes) => [varint(2 << 3), varint(u64::from(*yes))].concat(),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => [varint(3 << 3), varint(integer.cast_unsigned())].concat(),
            None => fixed(4, number.as_f64().expect("a number").to_bits()),
        },
        Value::String(text) => field(1, text.as_bytes()),
        Value::Array(values) => field(5, &values.iter().flat_map(|value| field(1, &any_in_protobuf(value))).collect::<Vec<u8>>()),
        Value::Object(values) => {
            field(6, &values.iter().flat_map(|(key, value)| field(1, &pair_in_protobuf(key, value))).collect::<Vec<u8>>())
        }
    }
}

fn pair_in_protobuf(key: &str, value: &Value) -> Vec<u8> {
    [field(1, key.as_bytes()), field(2, &any_in_protobuf(value))].concat()
}

fn any_in_json(value: &Value) -> Value {
    match value {
        Value::Null => json!({}),
        Value::Bool(yes) => json!({ "boolValue": yes }),
        Value::Number(number) => match number.as_i64() {
            Some(integer) if integer % 2 == 0 => json!({ "intValue": integer }),
            Some(integer) => json!({ "intValue": integer.to_string() }),
            None => json!({ "doubleValue": number }),
        },
        Value::String(text) => json!({ "stringValue": text }),
        Value::Array(values) => json!({ "arrayValue": { "values": values.iter().map(any_in_json).collect::<Vec<_>>() } }),
        Value::Object(values) => json!({ "kvlistValue": { "values": pairs_in_json(values) } }),
    }
}

fn pairs_in_json(pairs: &Map<String, Value>) -> Vec<Value> {
    pairs.iter().map(|(key, value)| json!({ "key": key, "value": any_in_json(value) })).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..600)) {
        digest(&body);
    }

    #[test]
    fn no_damage_makes_it_panic(which in any::<prop::sample::Index>(), damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 1..12)) {
        let captures = captures();
        let mut body = captures[which.index(captures.len())].clone();
        for (at, byte, how) in damage {
            let at = at.index(body.len().max(1)).min(body.len().saturating_sub(1));
            match how {
                0 if body.len() > 1 => { body.remove(at); }
                1 => body.insert(at, byte),
                2 if body.len() > 1 => body.truncate(at.max(1)),
                _ => if let Some(there) = body.get_mut(at) { *there = byte },
            }
        }
        digest(&body);
    }

    #[test]
    fn both_forms_say_the_same(pairs in prop::collection::vec((key(), value()), 0..12), name in ".{0,20}", failed in any::<bool>()) {
        let attributes = Map::from_iter(pairs);
        let in_protobuf: Vec<u8> = [
            field(1, &7u128.to_be_bytes()),
            field(2, &8u64.to_be_bytes()),
            field(4, &9u64.to_be_bytes()),
            field(5, name.as_bytes()),
            fixed(7, START),
            fixed(8, START + 5),
            attributes.iter().flat_map(|(key, value)| field(9, &pair_in_protobuf(key, value))).collect(),
            field(11, &[fixed(1, START + 1), field(2, b"exception"), field(3, &pair_in_protobuf("exception.message", &"no".into()))].concat()),
            field(15, &[field(2, b"went wrong"), varint(3 << 3), varint(u64::from(failed) * 2)].concat()),
        ].concat();
        let in_protobuf = field(1, &[
            field(1, &field(1, &pair_in_protobuf("service.name", &"s".into()))),
            field(2, &[field(1, &[field(1, b"lib"), field(2, b"1")].concat()), field(2, &in_protobuf)].concat()),
        ].concat());
        let in_json = json!({"resourceSpans": [{
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "s"}}]},
            "scopeSpans": [{"scope": {"name": "lib", "version": "1"}, "spans": [{
                "traceId": format!("{:032x}", 7), "spanId": format!("{:016x}", 8), "parentSpanId": format!("{:016x}", 9), "name": name,
                "startTimeUnixNano": START.to_string(), "endTimeUnixNano": START + 5, "attributes": pairs_in_json(&attributes),
                "events": [{"timeUnixNano": START + 1, "name": "exception", "attributes": [{"key": "exception.message", "value": {"stringValue": "no"}}]}],
                "status": {"code": if failed { 2 } else { 0 }, "message": "went wrong"},
            }]}],
        }]}).to_string();
        let first = protobuf::traces(&in_protobuf).expect("valid protobuf");
        let second = json::traces(in_json.as_bytes()).expect("valid JSON");
        prop_assert_eq!(first.rejected.count, 0);
        prop_assert_eq!(&first.spans[0].attributes, &attributes);
        prop_assert_eq!(&first, &second);
        digest(&in_protobuf);
        digest(in_json.as_bytes());
    }
}

//! Every recorded case of `fixtures/wire`, decoded and normalised, in the order in which it came and in any other.

use super::{Decoded, agents, json, langfuse, protobuf};
use flowtrace_core::id::{SpanId, TraceId};
use flowtrace_core::price::PriceTable;
use flowtrace_core::span::normalise::{log_piece, normalise};
use flowtrace_core::span::{Scored, Span, SpanStatus};
use flowtrace_core::trace::merge::merge;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;

const RECEIVED: i64 = 1_800_000_000_000_000_000;

type Stored = BTreeMap<(TraceId, SpanId), Span>;

fn fixtures() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/wire"))
}

fn cases() -> Vec<Value> {
    let text = std::fs::read_to_string(fixtures().join("manifest.json")).expect("the manifest is there");
    let manifest: Value = serde_json::from_str(&text).expect("the manifest is JSON");
    manifest["cases"].as_array().expect("a list of cases").clone()
}

fn body(request: &Value) -> Vec<u8> {
    let file = fixtures().join("captures").join(request["file"].as_str().expect("a file"));
    let bytes = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    if request["content_encoding"] == "gzip" {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut plain).expect("valid gzip");
        return plain;
    }
    bytes
}

/// Whole spans and pieces as the store would get them.
fn spans(request: &Value) -> Vec<Span> {
    let prices = PriceTable::default();
    let body = body(request);
    let path = request["path"].as_str().expect("a path");
    let is_json = request["content_type"].as_str().is_some_and(|kind| kind.starts_with("application/json"));
    let decoded = match path {
        _ if path.to_ascii_lowercase().contains("metrics") => {
            assert!(protobuf::metrics(&body).expect("metrics") > 0);
            Decoded::default()
        }
        "/v1/logs" => protobuf::logs(&body, RECEIVED).expect("logs"),
        "/api/public/scores" => {
            let scores = langfuse::scores(&body, RECEIVED).expect("scores");
            // The third of each is about a session.
            assert_eq!((scores.scores.len(), scores.refused.len()), (3, 0));
            assert!(matches!(&scores.scores[2].of, Scored::Session { session_id } if session_id == "sess-42"));
            Decoded::default()
        }
        "/api/public/ingestion" => {
            let batch = langfuse::batch(&body, RECEIVED).expect("a batch");
            assert!(batch.refused.is_empty(), "{:?}", batch.refused);
            Decoded { pieces: batch.pieces, ..Decoded::default() }
        }
        _ if is_json => json::traces(&body).expect("spans in JSON"),
        _ => protobuf::traces(&body).expect("spans in protobuf"),
    };
    assert_eq!(decoded.rejected.count, 0, "{path}: {:?}", decoded.rejected.why);
    assert_eq!(decoded.homeless, 0, "{path}");
    let raw = decoded.spans.into_iter().chain(decoded.pieces);
    let mut spans: Vec<Span> = raw.map(|span| normalise(span, &prices)).collect();
    spans.extend(decoded.logs.into_iter().map(|log| log_piece(log, &prices)));
    spans
}

fn store(spans: impl IntoIterator<Item = Span>) -> Stored {
    let mut stored = Stored::new();
    for span in spans {
        let key = (span.trace_id, span.span_id);
        let span = match stored.remove(&key) {
            Some(under) => merge(under, span),
            None => span,
        };
        stored.insert(key, span);
    }
    stored
}

fn optional(value: &Value) -> Option<&str> {
    value.as_str()
}

fn check(case: &str, expected: &Value, stored: &Stored) {
    let trace_id = TraceId::parse(expected["trace_id"].as_str().expect("a trace id")).expect("a valid trace id");
    let spans: Vec<&Span> = stored.values().filter(|span| span.trace_id == trace_id).collect();
    let listed = expected["spans"].as_array().expect("spans");
    assert_eq!(spans.len(), listed.len(), "{case}: number of spans");
    for wanted in listed {
        let id = SpanId::parse(wanted["id"].as_str().expect("a span id")).expect("a valid span id");
        let span = spans.iter().find(|span| span.span_id == id).unwrap_or_else(|| panic!("{case}: no span {id}"));
        let at = format!("{case}, span {id} `{}`", span.name);
        let parent = span.parent_span_id.map(|parent| parent.to_string());
        assert_eq!(parent.as_deref(), optional(&wanted["parent"]), "{at}: parent");
        assert_eq!(span.name, wanted["name"], "{at}: name");
        let kind = wanted["kind"].as_str().map(|kind| if kind == "chain" { "task" } else { kind });
        assert_eq!(Some(span.kind.as_str()), kind, "{at}: kind");
        assert_eq!(span.model_requested.as_deref(), optional(&wanted["model_requested"]), "{at}: model requested");
        assert_eq!(span.model.as_deref(), optional(&wanted["model_answered"]), "{at}: model");
        let tokens = [
            ("tokens_in", span.tokens.input),
            ("tokens_out", span.tokens.output),
            ("tokens_cached", span.tokens.cached),
            ("tokens_reasoning", span.tokens.reasoning),
        ];
        for (name, count) in tokens {
            assert_eq!(count, wanted[name].as_u64(), "{at}: {name}");
        }
        assert_eq!(span.status == SpanStatus::Error, wanted["error"] == true, "{at}: error");
        if let Some(message) = optional(&wanted["error_message"]).filter(|message| !message.is_empty()) {
            assert_eq!(span.error.as_deref(), Some(message), "{at}: error message");
        }
        for (name, value) in [("session_id", &span.session_id), ("user_id", &span.user_id)] {
            assert_eq!(value.as_deref(), optional(&wanted[name]), "{at}: {name}");
        }
        if span.kind.spends() && span.tokens.output.is_some() {
            assert!(span.cost_nanousd.is_some_and(|cost| cost > 0), "{at}: a call of a known model costs something");
        }
    }
    let sum = |of: fn(&Span) -> Option<u64>| spans.iter().filter_map(|span| of(span)).sum::<u64>();
    assert_eq!(sum(|span| span.tokens.input), expected["tokens_in"], "{case}: tokens in");
    assert_eq!(sum(|span| span.tokens.output), expected["tokens_out"], "{case}: tokens out");
    assert_eq!(spans.iter().filter(|span| span.kind.spends()).count() as u64, expected["llm_spans"], "{case}: calls");
    let first = |of: fn(&Span) -> Option<&str>| spans.iter().find_map(|span| of(span));
    assert_eq!(first(|span| span.session_id.as_deref()), optional(&expected["session_id"]), "{case}: session");
    assert_eq!(first(|span| span.user_id.as_deref()), optional(&expected["user_id"]), "{case}: user");
    assert_eq!(first(|span| span.service.as_deref()), optional(&expected["service"]), "{case}: service");
}

#[test]
fn every_recorded_case_gives_its_trace() {
    let mut checked = 0;
    for case in cases() {
        let name = format!("{}/{}", case["sdk"].as_str().unwrap_or("?"), case["case"].as_str().unwrap_or("?"));
        let all: Vec<Span> = case["requests"].as_array().into_iter().flatten().flat_map(spans).collect();
        assert!(!all.is_empty(), "{name}: no span at all");
        let stored = store(all.clone());
        let mut forms = vec![("as sent", stored.clone())];
        forms.push(("backwards", store(all.iter().rev().cloned())));
        forms.push(("twice", store(all.iter().chain(&all).cloned())));
        forms.push(("each twice", store(all.iter().flat_map(|span| [span.clone(), span.clone()]))));
        for seed in 1..=8u64 {
            let mut shuffled: Vec<(u64, &Span)> = Vec::new();
            let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            for span in &all {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                shuffled.push((state, span));
            }
            shuffled.sort_by_key(|(order, _)| *order);
            forms.push(("shuffled", store(shuffled.into_iter().map(|(_, span)| span.clone()))));
        }
        for (form, again) in &forms {
            for expected in case["expected"].as_array().into_iter().flatten() {
                check(&format!("{name} {form}"), expected, again);
                checked += 1;
            }
            for (key, span) in &stored {
                let other = &again[key];
                assert_eq!(
                    (&span.input, &span.output),
                    (&other.input, &other.output),
                    "{name} {form}: messages of {}",
                    span.name
                );
                assert_eq!((span.started_at, span.ended_at), (other.started_at, other.ended_at), "{name} {form}: {}", span.name);
            }
        }
    }
    assert!(checked > 300, "only {checked} traces were compared");
}

fn all_of(sdk: &str, case: &str) -> Vec<Span> {
    let cases = cases();
    let case = cases.iter().find(|row| row["sdk"] == sdk && row["case"] == case).expect("the case is recorded");
    store(case["requests"].as_array().into_iter().flatten().flat_map(spans)).into_values().collect()
}

/// The calls of a case, as readers see their messages.
fn conversations(sdk: &str, case: &str) -> Vec<(Value, Value)> {
    let mut calls: Vec<Span> = all_of(sdk, case).into_iter().filter(|span| span.kind.spends()).collect();
    calls.sort_by_key(|span| span.started_at);
    calls.into_iter().map(|span| (span.input.unwrap_or_default(), span.output.unwrap_or_default())).collect()
}

const REFUND: &str = "Refunds are accepted within 30 days of delivery [kb-12].";

#[test]
fn a_tool_call_reads_the_same_from_every_sdk() {
    let cases = [
        ("traceloop", "tool"),
        ("openinference", "tool"),
        ("langfuse", "tool"),
        ("respan", "tool"),
        ("vercel-ai", "tool"),
        ("genai-semconv", "latest-event-tool"),
        ("anthropic-native", "tool-stream-error"),
    ];
    for (sdk, case) in cases {
        let calls = conversations(sdk, case);
        let (asked, answered) = &calls[0];
        let call = &answered[0]["tool_calls"][0];
        assert_eq!(call["name"], "lookup_order", "{sdk}: {answered}");
        assert_eq!(call["arguments"]["order_id"], "A-77", "{sdk}: {answered}");
        assert!(call["id"].as_str().is_some_and(|id| !id.is_empty()), "{sdk}: {answered}");
        assert!(asked.as_array().is_some_and(|list| list.iter().any(|message| message["role"] == "user")), "{sdk}: {asked}");
        if sdk == "anthropic-native" {
            assert_eq!(asked[0], serde_json::json!({"role": "system", "content": "Cite."}));
            continue;
        }
        assert_eq!(asked[0]["role"], "system", "{sdk}: {asked}");
        let (asked, answered) = &calls[1];
        let result = asked.as_array().and_then(|list| list.iter().find(|message| message["role"] == "tool"));
        let result = result.unwrap_or_else(|| panic!("{sdk}: no result of the tool in {asked}"));
        assert!(result["content"].to_string().contains("delivered"), "{sdk}: {asked}");
        assert_eq!(answered[0]["content"], REFUND, "{sdk}: {answered}");
        assert_eq!(answered[0]["role"], "assistant", "{sdk}: {answered}");
    }
}

#[test]
fn sdks_of_which_nothing_was_expected() {
    let spans = all_of("langfuse-v2", "happy");
    let root = spans.iter().find(|span| span.parent_span_id.is_none()).expect("a root");
    assert_eq!((root.name.as_str(), root.kind.as_str()), ("support_request", "workflow"));
    assert_eq!((root.session_id.as_deref(), root.user_id.as_deref()), (Some("sess-42"), Some("user-1001")));
    assert_eq!(root.metadata["tenant"], "acme");
    assert_eq!(root.tags, ["beta", "support"]);
    assert!(root.ended_at - root.started_at > 200_000_000, "the trace lasts as long as what is in it");
    let calls: Vec<&Span> = spans.iter().filter(|span| span.kind.as_str() == "llm").collect();
    assert_eq!(calls.len(), 2);
    for call in calls {
        assert_eq!((call.tokens.input, call.tokens.output), (Some(42), Some(17)));
        assert_eq!((call.tokens.cached, call.tokens.reasoning), (Some(8), Some(5)));
        assert!(call.model_requested.as_deref().is_some_and(|model| model.starts_with("gpt-4o")));
        assert!(call.model.as_deref().is_some_and(|model| model.contains("-2024-")));
        assert!(call.cost_nanousd.is_some());
        assert_eq!(call.output.as_ref().expect("an answer")[0]["content"], REFUND);
    }
    assert_eq!(spans.len(), 9);
    let parents: Vec<SpanId> = spans.iter().map(|span| span.span_id).collect();
    assert!(spans.iter().filter_map(|span| span.parent_span_id).all(|parent| parents.contains(&parent)));
}

#[test]
fn what_else_is_read() {
    let prompt = all_of("langfuse", "prompt");
    let call = prompt.iter().find(|span| span.kind.as_str() == "llm").expect("a call");
    assert_eq!((call.prompt_name.as_deref(), call.prompt_version.as_deref()), (Some("support-answer"), Some("3")));
    assert_eq!((call.environment.as_deref(), call.workflow.as_deref()), (Some("staging"), Some("support_request")));
    assert_eq!(call.metadata["tenant"], "acme");
    assert_eq!(call.provider.as_deref(), Some("openai"), "from the name of the model");

    let native = all_of("anthropic-native", "tool-stream-error");
    let streamed = native.iter().find_map(|span| span.first_token_ms).expect("a time to the first token");
    assert!((44.0..45.0).contains(&streamed));
    assert!(native.iter().any(|span| span.finish_reason.as_deref() == Some("tool_calls")));
    assert!(native.iter().any(|span| span.tokens.cache_write == Some(4)));
    let failed = native.iter().find(|span| span.status == SpanStatus::Error).expect("a failure");
    assert_eq!(failed.error.as_deref(), Some("rate_limit_error"));

    let pydantic = all_of("pydantic-ai", "happy");
    let agent = pydantic.iter().find(|span| span.kind.as_str() == "agent").expect("an agent");
    assert_eq!(agent.output.as_ref().and_then(Value::as_str), Some(REFUND));
    assert_eq!(agent.metadata["tenant"], "acme");
    assert_eq!(agent.tokens, Default::default(), "what an agent sums up is not counted again");

    let respan = all_of("respan", "happy");
    let call = respan.iter().find(|span| span.kind.as_str() == "llm").expect("a call");
    assert_eq!(call.prompt_name.as_deref(), Some("support-answer"));
    assert_eq!((call.metadata["tenant"].as_str(), call.metadata["thread_id"].as_str()), (Some("acme"), Some("thread-7")));
    assert!(!call.metadata.contains_key("_tracing_sdk_version"));

    let vercel = all_of("vercel-ai", "tool");
    let call = vercel.iter().find(|span| span.kind.as_str() == "llm").expect("a call");
    assert_eq!(call.tools.as_ref().expect("tools")[0]["name"], "lookup_order");
    assert_eq!((call.parameters["max_tokens"].as_u64(), call.parameters["temperature"].as_f64()), (Some(256), Some(0.2)));
    assert_eq!(call.tags, ["beta", "support"]);
}

#[test]
fn agents_in_their_own_format() {
    let body = serde_json::json!({"data": [
        {"object": "trace.span", "id": "span_0123456789abcdef01234567", "trace_id": "trace_00112233445566778899aabbccddeeff",
         "parent_id": "span_aaaaaaaaaaaaaaaaaaaaaaaa", "started_at": "2026-11-20T10:00:01.5Z", "ended_at": "2026-11-20T10:00:02Z",
         "span_data": {"type": "generation", "model": "gpt-4o", "input": [{"role": "user", "content": "hi"}],
            "output": [{"role": "assistant", "content": "hello"}], "usage": {"input_tokens": 42, "output_tokens": 17}}, "error": null},
        {"object": "trace.span", "id": "span_aaaaaaaaaaaaaaaaaaaaaaaa", "trace_id": "trace_00112233445566778899aabbccddeeff",
         "parent_id": null, "started_at": "2026-11-20T10:00:01Z", "ended_at": "2026-11-20T10:00:03Z",
         "span_data": {"type": "agent", "name": "support"}, "error": {"message": "gave up", "data": {"turns": 3}}},
        {"object": "trace", "id": "trace_00112233445566778899aabbccddeeff", "workflow_name": "Refunds", "group_id": "sess-42", "metadata": {"tenant": "acme"}},
        {"object": "trace.span", "id": "x", "trace_id": "y"},
        7
    ]});
    let decoded = agents::decode(body.to_string().as_bytes()).expect("decodes");
    assert_eq!(decoded.rejected.count, 2);
    let prices = PriceTable::default();
    let stored = store(decoded.spans.into_iter().chain(decoded.pieces).map(|raw| normalise(raw, &prices)));
    let spans: Vec<&Span> = stored.values().collect();
    assert_eq!(spans.len(), 3);
    let root = spans.iter().find(|span| span.parent_span_id.is_none()).expect("a root");
    assert_eq!((root.name.as_str(), root.kind.as_str(), root.session_id.as_deref()), ("Refunds", "workflow", Some("sess-42")));
    assert_eq!(root.ended_at - root.started_at, 2_000_000_000);
    let agent = spans.iter().find(|span| span.name == "support").expect("an agent");
    assert_eq!((agent.parent_span_id, agent.error.as_deref()), (Some(root.span_id), Some("gave up")));
    let call = spans.iter().find(|span| span.kind.as_str() == "llm").expect("a call");
    assert_eq!(
        (call.parent_span_id, call.tokens.input, call.model_requested.as_deref()),
        (Some(agent.span_id), Some(42), Some("gpt-4o"))
    );
    assert_eq!(call.output.as_ref().expect("an answer")[0]["content"], "hello");
    assert!(call.cost_nanousd.is_some());
}

/// What the exporter of version 0.24 sent for the program in `tests/sdks/agents`.
#[test]
fn agents_as_their_sdk_sends_them() {
    let body = std::fs::read(fixtures().join("captures/openai-agents/own-exporter.json")).expect("the fixture is there");
    let decoded = agents::decode(&body).expect("decodes");
    assert_eq!(decoded.rejected.count, 0);
    let prices = PriceTable::default();
    let stored = store(decoded.spans.into_iter().chain(decoded.pieces).map(|raw| normalise(raw, &prices)));
    let spans: Vec<&Span> = stored.values().collect();
    let mut lines: Vec<String> = Vec::new();
    for root in ["support_request", "helper_request", "failing_request"] {
        let root = spans.iter().find(|span| span.name == root && span.parent_span_id.is_none()).expect("a root");
        tree(&spans, root, 0, &mut lines);
    }
    let expected = "\
support_request workflow
  Agent workflow task
    triage agent
      turn 1 task
        response llm 42/17
        handoff: triage → support span
    support agent
      turn 2 task
        response llm 42/17
  verify task
helper_request workflow
  helper_request task
    helper agent
      turn 1 task
        generation llm gpt-4o 42/17
        lookup_order tool
      turn 2 task
        generation llm gpt-4o 42/17
failing_request workflow
  failing_request task
    broken agent ERROR Error in agent run: Error code: 400 - The model `error-400` does not exist.
      turn 1 task
        response llm ERROR Error getting response: Error code: 400 - The model `error-400` does not exist.";
    assert_eq!(lines.join("\n"), expected);
    let verify = spans.iter().find(|span| span.name == "verify").expect("a custom span");
    assert_eq!((verify.metadata["claims"].as_u64(), verify.input.as_ref()), (Some(2), None));
    assert!(spans.iter().all(|span| span.kind.as_str() != "llm" || span.tokens.cached.is_none_or(|cached| cached == 8)));
}

fn tree(spans: &[&Span], span: &Span, depth: usize, lines: &mut Vec<String>) {
    let mut line = format!("{}{} {}", "  ".repeat(depth), span.name, span.kind.as_str());
    line.extend(span.model_requested.iter().map(|model| format!(" {model}")));
    line.extend(span.tokens.input.zip(span.tokens.output).map(|(input, output)| format!(" {input}/{output}")));
    line.extend(span.error.iter().map(|error| format!(" ERROR {error}")));
    lines.push(line);
    let mut children: Vec<&&Span> = spans.iter().filter(|child| child.parent_span_id == Some(span.span_id)).collect();
    children.sort_by_key(|child| child.started_at);
    for child in children {
        tree(spans, child, depth + 1, lines);
    }
}

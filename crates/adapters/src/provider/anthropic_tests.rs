use super::super::testing::{Act, Upstream, attempt, call, ok};
use super::super::{HttpClient, Kind, ProviderSettings, build};
use flowtrace_core::call::{Message, Role};
use flowtrace_core::failure::FailureCode;
use flowtrace_core::usage::Usage;
use serde_json::json;
use std::sync::Arc;

/// A stream as Anthropic sends it: thinking before the text, pings, a provisional count of answer tokens that a later one replaces.
pub const STREAM: &str = concat!(
    "event: message_start\n",
    r#"data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-6","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":34,"cache_creation_input_tokens":4,"cache_read_input_tokens":8,"cache_creation":{"ephemeral_5m_input_tokens":4,"ephemeral_1h_input_tokens":0},"output_tokens":1,"service_tier":"standard"}}}"#,
    "\n\nevent: content_block_start\n",
    r#"data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
    "\n\nevent: ping\ndata: {\"type\": \"ping\"}\n\nevent: content_block_delta\n",
    r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Light bends."}}"#,
    "\n\nevent: content_block_delta\n",
    r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln"}}"#,
    "\n\nevent: content_block_stop\n",
    r#"data: {"type":"content_block_stop","index":0}"#,
    "\n\nevent: content_block_start\n",
    r#"data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}"#,
    "\n\nevent: content_block_delta\n",
    r#"data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Rayleigh – "}}"#,
    "\n\nevent: content_block_delta\n",
    r#"data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"scattering."}}"#,
    "\n\nevent: content_block_stop\n",
    r#"data: {"type":"content_block_stop","index":1}"#,
    "\n\nevent: message_delta\n",
    r#"data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":17,"output_tokens_details":{"thinking_tokens":5}}}"#,
    "\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
);

pub fn decoder() -> super::MessageStream {
    super::MessageStream::default()
}

#[tokio::test]
async fn a_stream_with_caches_and_thinking() {
    let upstream = Upstream::start(Act::Send(ok("text/event-stream; charset=utf-8", STREAM))).await;
    let (answer, seen) = attempt(&upstream.provider(Kind::Anthropic), &call("anthropic", "claude-sonnet-4-6")).await;
    let answer = answer.unwrap();
    assert_eq!(answer.text, "Rayleigh – scattering.");
    assert_eq!(seen, answer.text);
    assert_eq!(answer.model, "claude-sonnet-4-6");
    assert_eq!(answer.finish_reason.as_deref(), Some("end_turn"));
    assert_eq!(answer.usage, Some(Usage { input_uncached: 34, cache_read: 8, cache_write: 4, output: 17, reasoning: 5 }));
    let raw = answer.raw_usage.unwrap();
    assert_eq!((&raw["service_tier"], &raw["output_tokens"]), (&json!("standard"), &json!(17)));
}

#[tokio::test]
async fn the_request() {
    let upstream = Upstream::start(Act::Send(ok("text/event-stream", STREAM))).await;
    let provider = upstream.provider(Kind::Anthropic);
    let mut call = call("anthropic", "claude-3.5-sonnet");
    call.simulate = Some(Arc::new(json!({"answer": "never sent to a real provider"})));
    call.messages.push(Message::new(Role::Assistant, "Because"));
    call.messages.push(Message::new(Role::System, "In German"));
    attempt(&provider, &call).await.0.unwrap();
    let seen = upstream.last();
    assert!(seen.head.starts_with("POST /v1/messages HTTP/1.1"), "{}", seen.head);
    assert_eq!(seen.header("x-api-key"), Some("sk-test-0123456789abcdef"));
    assert_eq!(seen.header("anthropic-version"), Some("2023-06-01"));
    assert_eq!(seen.header("idempotency-key"), Some("01900000/each[1]/sum/1"));
    assert!(seen.header("traceparent").is_some() && seen.header("authorization").is_none());
    let expected = json!({
        // A server that is not Anthropic's own gets the name as the workflow wrote it.
        "model": "claude-3.5-sonnet",
        "max_tokens": 16384,
        "system": "Be brief\n\nIn German",
        "messages": [{"role": "user", "content": "Why is the sky blue?"}, {"role": "assistant", "content": "Because"}],
        "stream": true
    });
    assert_eq!(seen.body, expected);

    call.messages.retain(|message| message.role == Role::User);
    call.schema = Some(Arc::new(json!({"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}})));
    call.parameters.temperature = Some(1.7);
    call.parameters.top_p = Some(0.9);
    call.parameters.max_tokens = Some(100);
    call.parameters.stop = vec!["END".to_owned()];
    call.parameters.seed = Some(1);
    attempt(&provider, &call).await.0.unwrap();
    let body = upstream.last().body;
    let parts = ["system", "temperature", "top_p", "max_tokens", "stop_sequences", "seed"].map(|name| body[name].clone());
    assert_eq!(parts, [json!(null), json!(1.0), json!(null), json!(100), json!(["END"]), json!(null)]);
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": false});
    assert_eq!(body["output_config"], json!({"format": {"type": "json_schema", "schema": schema}}));
}

#[tokio::test]
async fn a_whole_answer() {
    let body = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-6",
        "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Be"}, {"type": "text", "text": "cause."}],
        "stop_reason": "max_tokens", "usage": {"input_tokens": 3, "output_tokens": 2}
    });
    let upstream = Upstream::start(Act::Send(ok("application/json", body.to_string()))).await;
    let answer = attempt(&upstream.provider(Kind::Anthropic), &call("anthropic", "m")).await.0.unwrap();
    assert_eq!((answer.text.as_str(), answer.finish_reason.as_deref()), ("Because.", Some("max_tokens")));
    assert_eq!(answer.usage, Some(Usage { input_uncached: 3, output: 2, ..Usage::default() }));
}

#[tokio::test]
async fn answers_that_are_none() {
    let upstream = Upstream::start(Act::Send(vec![])).await;
    let provider = upstream.provider(Kind::Anthropic);
    let stream =
        |events: &[&str]| ok("text/event-stream", events.iter().map(|data| format!("data: {data}\n\n")).collect::<String>());
    let start = r#"{"type":"message_start","message":{"model":"m","usage":{"input_tokens":1,"output_tokens":1}}}"#;
    let stop = r#"{"type":"message_stop"}"#;
    let table = [
        (stream(&[stop]), FailureCode::Malformed, "never began"),
        (stream(&[start, stop]), FailureCode::Malformed, "without a stop reason"),
        (stream(&[start, "{oops"]), FailureCode::Malformed, "not JSON"),
        (stream(&[r#"{"type":"message_start"}"#]), FailureCode::Malformed, "without a message"),
        (stream(&[start]), FailureCode::StreamCut, "before its end marker"),
        (
            stream(&[start, r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"}}"#]),
            FailureCode::StreamCut,
            "before its end marker",
        ),
        (
            stream(&[start, r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#]),
            FailureCode::RateLimited,
            "Overloaded",
        ),
        (
            stream(&[start, r#"{"type":"error","error":{"type":"api_error","message":"Internal"}}"#]),
            FailureCode::ServerError,
            "Internal",
        ),
        (
            stream(&[start, r#"{"type":"error","error":{"type":"something_new","message":"?"}}"#]),
            FailureCode::ServerError,
            "something_new",
        ),
        (stream(&[start, r#"{"type":"error"}"#]), FailureCode::ServerError, "no message"),
        (
            stream(&[
                start,
                r#"{"type":"message_delta","delta":{"stop_reason":"refusal","stop_details":{"explanation":"Against policy"}}}"#,
                stop,
            ]),
            FailureCode::ContentFiltered,
            "Against policy",
        ),
        (
            ok("application/json", r#"{"type":"error","error":{"type":"invalid_request_error","message":"bad"}}"#),
            FailureCode::BadRequest,
            "bad",
        ),
        (ok("application/json", "{}"), FailureCode::Malformed, "without content"),
        (ok("application/json", "{\"content\":"), FailureCode::Malformed, "not JSON"),
        (ok("text/event-stream", ""), FailureCode::Malformed, "empty body"),
    ];
    for (reply, code, sentence) in table {
        let shown = String::from_utf8_lossy(&reply).into_owned();
        upstream.set(Act::Send(reply));
        let failure = attempt(&provider, &call("anthropic", "claude-sonnet-4-6")).await.0.expect_err(&shown);
        assert_eq!(failure.code, code, "{shown}\n{}", failure.message);
        assert!(failure.message.contains(sentence), "{shown}\n{}", failure.message);
    }
}

#[tokio::test]
async fn usage_without_a_final_count_is_unknown() {
    let body = STREAM.replace(r#","usage":{"output_tokens":17,"output_tokens_details":{"thinking_tokens":5}}"#, "");
    let upstream = Upstream::start(Act::Send(ok("text/event-stream", body))).await;
    let answer = attempt(&upstream.provider(Kind::Anthropic), &call("anthropic", "m")).await.0.unwrap();
    assert_eq!(answer.usage, None, "one provisional token is not the answer's length");
    assert_eq!(answer.raw_usage.unwrap()["input_tokens"], 34);
}

#[tokio::test]
async fn first_party_names_are_resolved_and_refused_parameters_left_out() {
    let simulator = crate::provider::simulated::Simulator::start(Default::default()).await.unwrap();
    let settings = [ProviderSettings::new("anthropic", Kind::Anthropic)];
    let providers =
        build(&settings, &HttpClient::new().unwrap(), Some(&simulator.base_url()), super::super::testing::no_secrets()).unwrap();
    let mut call = call("anthropic", "claude-3.5-sonnet");
    call.simulate = Some(Arc::new(json!({"latencyMs": 0})));
    assert_eq!(attempt(&providers[0], &call).await.0.unwrap().model, "claude-sonnet-4-6");
}

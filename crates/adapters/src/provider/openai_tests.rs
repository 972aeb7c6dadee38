use super::super::testing::{Act, Upstream, attempt, call, ok};
use super::super::{Kind, ProviderSettings};
use flowtrace_core::failure::FailureCode;
use flowtrace_core::usage::Usage;
use serde_json::{Value, json};
use std::sync::Arc;

/// A stream as OpenAI sends it: a role, text that splits a character over two reads, usage in a chunk without choices.
pub const STREAM: &str = concat!(
    r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4o-mini-2024-07-18","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null}"#,
    "\n\n",
    r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"delta":{"content":"Rayleigh – "},"finish_reason":null}],"usage":null}"#,
    "\n\n",
    r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"delta":{"content":"scattering."},"finish_reason":null}],"usage":null}"#,
    "\n\n",
    r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}"#,
    "\n\n",
    r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4o-mini-2024-07-18","choices":[],"usage":{"prompt_tokens":42,"completion_tokens":17,"total_tokens":59,"prompt_tokens_details":{"cached_tokens":8,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":5,"accepted_prediction_tokens":0}}}"#,
    "\n\ndata: [DONE]\n\n",
);

pub fn decoder() -> super::ChatStream {
    super::ChatStream::default()
}

#[tokio::test]
async fn a_stream_with_cached_and_reasoning_tokens() {
    let upstream = Upstream::start(Act::Send(ok("text/event-stream", STREAM))).await;
    let (answer, seen) = attempt(&upstream.provider(Kind::OpenAi), &call("openai", "gpt-4o-mini")).await;
    let answer = answer.unwrap();
    assert_eq!(answer.text, "Rayleigh – scattering.");
    assert_eq!(seen, answer.text);
    assert_eq!(answer.model, "gpt-4o-mini-2024-07-18");
    assert_eq!(answer.finish_reason.as_deref(), Some("stop"));
    assert_eq!(answer.usage, Some(Usage { input_uncached: 34, cache_read: 8, cache_write: 0, output: 17, reasoning: 5 }));
    assert_eq!(answer.raw_usage.unwrap()["total_tokens"], 59);
    assert_eq!(answer.upstream_request_id.as_deref(), Some("req_1"));
    assert!(!answer.simulated);
}

#[tokio::test]
async fn the_request() {
    let upstream = Upstream::start(Act::Send(ok("text/event-stream", STREAM))).await;
    let provider = upstream.provider(Kind::OpenAi);
    let mut call = call("openai", "gpt-4o-mini");
    call.simulate = Some(Arc::new(json!({"answer": "never sent to a real provider"})));
    attempt(&provider, &call).await.0.unwrap();
    let seen = upstream.last();
    assert!(seen.head.starts_with("POST /v1/chat/completions HTTP/1.1"), "{}", seen.head);
    assert_eq!(seen.header("authorization"), Some("Bearer sk-test-0123456789abcdef"));
    assert_eq!(seen.header("idempotency-key"), Some("01900000/each[1]/sum/1"));
    assert_eq!(seen.header("traceparent"), Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
    let expected = json!({
        "model": "gpt-4o-mini",
        "messages": [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "Why is the sky blue?"}],
        "stream": true,
        "stream_options": {"include_usage": true}
    });
    assert_eq!(seen.body, expected, "nothing that the call does not ask for is sent");

    let schema =
        json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": false});
    call.schema = Some(Arc::new(schema.clone()));
    call.parameters.temperature = Some(0.5);
    call.parameters.top_p = Some(0.9);
    call.parameters.max_tokens = Some(100);
    call.parameters.stop = vec!["END".to_owned()];
    call.parameters.seed = Some(-7);
    attempt(&provider, &call).await.0.unwrap();
    let body = upstream.last().body;
    let parts = ["temperature", "top_p", "max_tokens", "stop", "seed"].map(|name| body[name].clone());
    assert_eq!(parts, [json!(0.5), json!(0.9), json!(100), json!(["END"]), json!(-7)]);
    let format = json!({"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": true}});
    assert_eq!(body["response_format"], format);
}

#[tokio::test]
async fn a_server_that_answers_whole_or_without_usage() {
    let upstream = Upstream::start(Act::Send(vec![])).await;
    let provider = upstream.provider(Kind::OpenAi);
    let call = call("openai", "llama");
    let choice =
        |content: Value| json!({"choices": [{"message": {"role": "assistant", "content": content}, "finish_reason": "stop"}]});
    let with = |body: Value, name: &str, value: Value| {
        let mut body = body;
        body[name] = value;
        body.to_string()
    };
    let text = choice(json!("Hi"));
    let table: [(&str, String, &str, Option<u64>); 6] = [
        ("no usage", text.to_string(), "Hi", None),
        ("usage null", with(text.clone(), "usage", Value::Null), "Hi", None),
        ("half a usage", with(text.clone(), "usage", json!({"prompt_tokens": 3})), "Hi", None),
        ("usage", with(text.clone(), "usage", json!({"prompt_tokens": 3, "completion_tokens": 1})), "Hi", Some(4)),
        ("content null", choice(Value::Null).to_string(), "", None),
        ("parts", choice(json!([{"type": "thinking", "thinking": []}, {"type": "text", "text": "Hi"}])).to_string(), "Hi", None),
    ];
    for (what, body, text, total) in table {
        upstream.set(Act::Send(ok("application/json", body)));
        let answer = attempt(&provider, &call).await.0.unwrap_or_else(|failure| panic!("{what}: {failure:?}"));
        assert_eq!(answer.text, text, "{what}");
        assert_eq!(answer.usage.map(|usage| usage.total()), total, "{what}");
        assert_eq!(answer.model, "llama", "{what}: the name that was asked for stands in");
    }
}

#[tokio::test]
async fn answers_that_are_none() {
    let upstream = Upstream::start(Act::Send(vec![])).await;
    let provider = upstream.provider(Kind::OpenAi);
    let stream =
        |events: &[&str]| ok("text/event-stream", events.iter().map(|data| format!("data: {data}\n\n")).collect::<String>());
    let done = "[DONE]";
    let delta = r#"{"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null}]}"#;
    let table = [
        (stream(&[done]), FailureCode::Malformed, "without a choice"),
        (stream(&[delta, done]), FailureCode::Malformed, "without a finish reason"),
        (stream(&["{oops", done]), FailureCode::Malformed, "not JSON"),
        (stream(&["{}", done]), FailureCode::Malformed, "without choices"),
        (stream(&["null", done]), FailureCode::Malformed, "without choices"),
        (
            stream(&[
                r#"{"choices":[{"index":0,"delta":{"refusal":"I will not."}}]}"#,
                r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
                done,
            ]),
            FailureCode::ContentFiltered,
            "I will not.",
        ),
        (
            stream(&[r#"{"choices":[{"delta":{},"finish_reason":"content_filter"}]}"#, done]),
            FailureCode::ContentFiltered,
            "content filter",
        ),
        (
            stream(&[delta, r#"{"error":{"message":"The server had an error","type":"server_error","code":null}}"#]),
            FailureCode::ServerError,
            "The server had an error",
        ),
        (
            stream(&[delta, r#"{"error":{"message":"Slow","type":"requests","code":"rate_limit_exceeded"}}"#]),
            FailureCode::RateLimited,
            "Slow",
        ),
        (ok("application/json", r#"{"error":"overheated"}"#), FailureCode::ServerError, "overheated"),
        (ok("application/json", r#"{"choices":[{"message":{"content":"#), FailureCode::Malformed, "not JSON"),
        (ok("application/json", "[]"), FailureCode::Malformed, "without choices"),
        (ok("application/json", ""), FailureCode::Malformed, "empty body"),
        (ok("text/event-stream", ""), FailureCode::Malformed, "empty body"),
        (ok("text/html; charset=utf-8", "<html>Welcome</html>"), FailureCode::Malformed, "a web page"),
        (ok("text/plain", "Welcome"), FailureCode::StreamCut, "before its end marker"),
        (stream(&[delta]), FailureCode::StreamCut, "before its end marker"),
    ];
    for (reply, code, sentence) in table {
        let shown = String::from_utf8_lossy(&reply).into_owned();
        upstream.set(Act::Send(reply));
        let failure = attempt(&provider, &call("openai", "gpt-4o-mini")).await.0.expect_err(&shown);
        assert_eq!(failure.code, code, "{shown}\n{}", failure.message);
        assert!(failure.message.contains(sentence), "{shown}\n{}", failure.message);
        assert!(failure.message.starts_with("openai ") && failure.message.contains("gpt-4o-mini"), "{}", failure.message);
        assert_eq!(failure.upstream_request_id.as_deref(), Some("req_1"));
        assert_eq!(failure.status, Some(200));
    }
}

#[test]
fn usage_in_its_variants() {
    let table = [
        (json!({"prompt_tokens": 10, "completion_tokens": 2}), Some((10, 0, 0, 2, 0))),
        (json!({"prompt_tokens": 10, "completion_tokens": 2, "prompt_tokens_details": null}), Some((10, 0, 0, 2, 0))),
        (
            json!({"prompt_tokens": 10, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 5}}),
            Some((1, 4, 5, 2, 0)),
        ),
        (
            json!({"prompt_tokens": 10, "completion_tokens": 2, "prompt_cache_hit_tokens": 4, "prompt_cache_miss_tokens": 6}),
            Some((6, 4, 0, 2, 0)),
        ),
        (
            json!({"prompt_tokens": 3, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 9}}),
            Some((0, 3, 0, 2, 0)),
        ),
        (
            json!({"prompt_tokens": 3, "completion_tokens": 2, "completion_tokens_details": {"reasoning_tokens": 9}}),
            Some((3, 0, 0, 2, 2)),
        ),
        (json!({"prompt_tokens": -1, "completion_tokens": 2}), None),
        (json!({"prompt_tokens": 1.5, "completion_tokens": 2}), None),
        (json!({"prompt_tokens": 10}), None),
        (json!({}), None),
    ];
    for (raw, expected) in table {
        let found = super::normalise(&raw).map(|u| (u.input_uncached, u.cache_read, u.cache_write, u.output, u.reasoning));
        assert_eq!(found, expected, "{raw}");
    }
}

#[tokio::test]
async fn first_party_models_get_their_own_names_and_parameters() {
    let settings = ProviderSettings::new("openai", Kind::OpenAi);
    let simulator = crate::provider::simulated::Simulator::start(Default::default()).await.unwrap();
    // The simulator stands in for the first party, so the same rules hold; its answer names the model it was asked for.
    let providers = crate::provider::build(
        &[settings],
        &crate::provider::HttpClient::new().unwrap(),
        Some(&simulator.base_url()),
        super::super::testing::no_secrets(),
    )
    .unwrap();
    let mut call = call("openai", "openai/o3");
    call.parameters.temperature = Some(0.1);
    call.simulate = Some(Arc::new(json!({"latencyMs": 0})));
    assert_eq!(attempt(&providers[0], &call).await.0.unwrap().model, "o3");
}

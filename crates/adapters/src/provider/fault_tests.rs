//! Everything that an upstream can do to a call, over real connections.

use super::anthropic;
use super::openai;
use super::simulated::{Simulator, SimulatorOptions};
use super::sse::SseParser;
use super::testing::{Act, KEY, Upstream, attempt, call, context, ok, provider_at, response};
use super::tool_tests;
use super::wire::{Wire, WireError};
use super::{ApiKey, HttpClient, Kind, MAX_BODY, ProviderSettings, build};
use flowtrace_core::call::Target;
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_engine::port::provider::Provider;
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const BOTH: [(Kind, &str, &str); 2] =
    [(Kind::OpenAi, "openai", openai::tests::STREAM), (Kind::Anthropic, "anthropic", anthropic::tests::STREAM)];

/// Streams that end in text, and such that end in tool calls.
const STREAMS: [(Kind, &str, &str); 4] = [
    BOTH[0],
    BOTH[1],
    (Kind::OpenAi, "openai", tool_tests::OPENAI_STREAM),
    (Kind::Anthropic, "anthropic", tool_tests::ANTHROPIC_STREAM),
];

/// No test waits longer than this for something that has to happen.
const SAFETY: Duration = Duration::from_secs(20);

async fn failure(provider: &Arc<dyn Provider>) -> Failure {
    attempt(provider, &call(provider.name(), "some-model")).await.0.expect_err("the call has to fail")
}

#[tokio::test]
async fn statuses_keep_their_number_message_request_id_and_retry_after() {
    let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3600));
    let table: [(u16, String, FailureCode, std::ops::RangeInclusive<u64>); 9] = [
        (429, String::new(), FailureCode::RateLimited, 0..=0),
        (429, "retry-after: 7\r\n".to_owned(), FailureCode::RateLimited, 7000..=7000),
        (429, "retry-after-ms: 1250\r\n".to_owned(), FailureCode::RateLimited, 1250..=1250),
        (429, format!("retry-after: {date}\r\n"), FailureCode::RateLimited, 3_500_000..=3_600_000),
        (500, String::new(), FailureCode::ServerError, 0..=0),
        (503, "retry-after: 2\r\n".to_owned(), FailureCode::ServerError, 2000..=2000),
        (529, String::new(), FailureCode::RateLimited, 0..=0),
        (400, String::new(), FailureCode::BadRequest, 0..=0),
        (401, String::new(), FailureCode::Unauthorized, 0..=0),
    ];
    let body = r#"{"error":{"message":"Something about sk-abcdefghijklmnop","type":"some_type","code":null}}"#;
    for (kind, name, _) in BOTH {
        let upstream = Upstream::start(Act::Send(vec![])).await;
        let provider = upstream.provider(kind);
        for (status, headers, code, retry_after) in &table {
            upstream.set(Act::Send(response(
                *status,
                &format!("{headers}request-id: req_9\r\ncontent-type: application/json\r\n"),
                body,
            )));
            let failure = failure(&provider).await;
            let shown = format!("{name} {status} {headers} {failure:?}");
            assert_eq!((failure.code, failure.status), (*code, Some(*status)), "{shown}");
            assert_eq!(failure.upstream_request_id.as_deref(), Some("req_9"), "{shown}");
            assert!(retry_after.contains(&failure.retry_after_ms.unwrap_or(0)), "{shown}");
            assert_eq!(failure.retry_after_ms.is_some(), headers.contains("retry-after"), "{shown}");
            for part in [name, "some-model", &format!("HTTP {status} (some_type)"), "Something about [redacted]"] {
                assert!(failure.message.contains(part), "{part} is missing: {shown}");
            }
        }
    }
}

#[tokio::test]
async fn a_status_survives_a_body_that_is_cut_huge_or_no_json() {
    let upstream = Upstream::start(Act::Send(vec![])).await;
    let provider = upstream.provider(Kind::OpenAi);
    for (reply, expected) in [
        (b"HTTP/1.1 502 x\r\ncontent-length: 1000\r\n\r\nshort".to_vec(), "short"),
        (response(502, "content-type: text/html\r\n", "<h1>\nBad gateway</h1>"), "<h1> Bad gateway</h1>"),
        (response(502, "", "x".repeat(3 << 20)), "xxx…"),
        (response(502, "", ""), "HTTP 502 for model some-model."),
    ] {
        upstream.set(Act::Send(reply));
        let failure = failure(&provider).await;
        assert_eq!((failure.code, failure.status), (FailureCode::ServerError, Some(502)), "{failure:?}");
        assert!(failure.message.contains(expected) && failure.message.len() < 1000, "{failure:?}");
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let upstream = Upstream::start(Act::Send(response(307, "location: http://127.0.0.1:1/v1\r\n", ""))).await;
    let failure = failure(&upstream.provider(Kind::OpenAi)).await;
    assert_eq!(failure.code, FailureCode::BadRequest);
    assert!(failure.message.contains("Redirects are not followed"), "{}", failure.message);
    assert_eq!(upstream.seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn refused_and_dropped_connections() {
    // A port that was just free: nobody listens there.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (kind, name, _) in BOTH {
        let refused = failure(&provider_at(kind, &format!("http://{free}"))).await;
        assert_eq!(refused.code, FailureCode::Connection, "{refused:?}");
        assert!(refused.message.starts_with(&format!("{name} ({free}) could not be reached")), "{}", refused.message);
        let upstream = Upstream::start(Act::Send(vec![])).await;
        let dropped = failure(&upstream.provider(kind)).await;
        assert_eq!(dropped.code, FailureCode::Connection, "{dropped:?}");
        assert_eq!(upstream.seen.lock().unwrap().len(), 1, "the client must not retry by itself");
    }
}

#[tokio::test]
async fn a_hang_ends_at_the_deadline_and_closes_the_connection() {
    for (kind, _, stream) in BOTH {
        let half = ok("text/event-stream", &stream[..stream.len() / 2]);
        for (reply, sentence) in [
            (vec![], "did not send a byte"),
            (b"HTTP/1.1 200 OK\r\n".to_vec(), "did not send a byte"),
            (ok("text/event-stream", ""), "did not send a byte"),
            (half, "did not finish its answer"),
        ] {
            let mut upstream = Upstream::start(Act::SendAndHang(reply)).await;
            let provider = upstream.provider(kind);
            let result = provider.call(&call(provider.name(), "m"), &context(150), &|_| {}).await;
            let failure = result.unwrap_err();
            assert_eq!(failure.code, FailureCode::Timeout, "{failure:?}");
            assert!(failure.message.contains(sentence) && failure.message.contains("150 ms"), "{}", failure.message);
            tokio::time::timeout(SAFETY, upstream.closed.recv()).await.expect("the connection stayed open after the timeout");
        }
    }
}

#[tokio::test]
async fn dropping_the_call_closes_the_connection() {
    for (kind, _, stream) in BOTH {
        for reply in [vec![], ok("text/event-stream", &stream[..stream.len() / 2])] {
            let mut upstream = Upstream::start(Act::SendAndHang(reply)).await;
            let provider = upstream.provider(kind);
            let task = tokio::spawn(async move { attempt(&provider, &call(provider.name(), "m")).await.0.is_ok() });
            tokio::time::timeout(SAFETY, async {
                while upstream.seen.lock().unwrap().is_empty() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            })
            .await
            .expect("the request never came");
            task.abort();
            tokio::time::timeout(SAFETY, upstream.closed.recv()).await.expect("the connection stayed open after the drop");
        }
    }
}

/// Whatever byte the stream ends at, the call fails; only the whole stream is an answer.
#[tokio::test]
async fn a_stream_cut_at_any_byte_is_never_an_answer() {
    for (kind, name, stream) in STREAMS {
        let upstream = Upstream::start(Act::Send(vec![])).await;
        let provider = upstream.provider(kind);
        for cut in 0..stream.len() {
            let prefix = &stream.as_bytes()[..cut];
            // Once with the end of the connection as the end of the body, once with a chunk that promises more.
            let closed = ok("text/event-stream", prefix);
            let mut chunked = b"HTTP/1.1 200 x\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
            chunked.extend_from_slice(format!("{:x}\r\n", stream.len()).as_bytes());
            chunked.extend_from_slice(prefix);
            for (how, reply) in [("closed", closed), ("chunked", chunked)] {
                upstream.set(Act::Send(reply));
                let (result, _) = attempt(&provider, &call(name, "m")).await;
                let failure = result.expect_err(&format!("{name} {how}: a stream cut after {cut} bytes passed for an answer"));
                let expected = match (how, cut) {
                    ("closed", 0) => FailureCode::Malformed,
                    _ => FailureCode::StreamCut,
                };
                assert_eq!(failure.code, expected, "{name} {how}: cut after {cut} bytes: {failure:?}");
            }
        }
        upstream.set(Act::Send(ok("text/event-stream", stream)));
        assert!(attempt(&provider, &call(name, "m")).await.0.is_ok());
    }
}

#[tokio::test]
async fn huge_answers_are_refused() {
    let upstream = Upstream::start(Act::Send(vec![])).await;
    let provider = upstream.provider(Kind::OpenAi);
    let endless_line = ok("text/event-stream", [b"data: ".as_slice(), &vec![b'x'; MAX_BODY / 2]].concat());
    let comments = ok("text/event-stream", b": keep waiting\n".repeat(MAX_BODY / 15 + 10));
    let json = ok("application/json", vec![b' '; MAX_BODY + 1]);
    for (what, reply) in [("line", endless_line), ("comments", comments), ("json", json)] {
        upstream.set(Act::Send(reply));
        let failure = failure(&provider).await;
        assert_eq!(failure.code, FailureCode::TooLarge, "{what}: {failure:?}");
        assert!(!failure.code.is_transient());
    }
}

#[tokio::test]
async fn keys_stay_out_of_failures() {
    let upstream = Upstream::start(Act::Send(vec![])).await;
    let echo = format!("key {KEY} is wrong");
    let replies = [
        response(401, "", format!(r#"{{"error":{{"message":"{echo}"}}}}"#)),
        response(500, "", format!("{}{echo}", "x".repeat(490))), // cut in the middle of the key, if it were not redacted first
        ok("text/event-stream", format!("data: {{\"type\":\"error\",\"error\":{{\"message\":\"{echo}\"}}}}\n\n")),
        ok("application/json", format!("{{\"error\": \"{echo}\"}}")),
    ];
    for (kind, name, _) in BOTH {
        let provider = upstream.provider(kind);
        for reply in &replies {
            upstream.set(Act::Send(reply.clone()));
            let failure = failure(&provider).await;
            assert!(!format!("{failure:?}").contains(&KEY[..8]), "{name}: {failure:?}");
        }
        let settings = ProviderSettings { api_key: ApiKey::new(KEY).ok(), ..ProviderSettings::new("x", kind) };
        assert!(!format!("{settings:?}").contains(&KEY[..8]), "{settings:?}");
    }
    upstream.set(Act::Send(replies[0].clone()));
    let failure = failure(&upstream.provider(Kind::Anthropic)).await;
    assert!(failure.message.contains("Check ANTHROPIC_API_KEY."), "{}", failure.message);
}

/// Every scripted fault of the simulator reaches the caller as the failure that a real upstream would cause.
#[tokio::test]
async fn the_simulator_fails_as_told() {
    let simulator = Simulator::start(SimulatorOptions { paced: false, ..SimulatorOptions::default() }).await.unwrap();
    let settings = BOTH.map(|(kind, name, _)| ProviderSettings::new(name, kind));
    let providers =
        build(&settings, &HttpClient::new().unwrap(), Some(&simulator.base_url()), super::testing::no_secrets()).unwrap();
    let table = [
        (json!({"status": 429, "retryAfterMs": 1200}), FailureCode::RateLimited, Some(429), Some(1200)),
        (json!({"status": 429}), FailureCode::RateLimited, Some(429), None),
        (json!({"status": 500}), FailureCode::ServerError, Some(500), None),
        (json!({"status": 529}), FailureCode::RateLimited, Some(529), None),
        (json!({"status": 400}), FailureCode::BadRequest, Some(400), None),
        (json!({"status": 401}), FailureCode::Unauthorized, Some(401), None),
        (json!({}), FailureCode::ServerError, Some(500), None),
        (json!({"kind": "hang"}), FailureCode::Timeout, None, None),
        (json!({"kind": "cut"}), FailureCode::StreamCut, Some(200), None),
        (json!({"kind": "malformed"}), FailureCode::Malformed, Some(200), None),
        (json!({"kind": "empty"}), FailureCode::Malformed, Some(200), None),
        (json!({"kind": "refuse"}), FailureCode::Connection, None, None),
    ];
    for provider in &providers {
        for (fault, code, status, retry_after_ms) in &table {
            let mut call = call(provider.name(), "m");
            call.simulate = Some(Arc::new(json!({"faults": [fault]})));
            let timeout_ms = if *code == FailureCode::Timeout { 200 } else { 20_000 };
            let failure = provider.call(&call, &context(timeout_ms), &|_| {}).await.unwrap_err();
            let found = (failure.code, failure.status, failure.retry_after_ms);
            assert_eq!(found, (*code, *status, *retry_after_ms), "{} {fault}: {failure:?}", provider.name());
            // The second attempt is beyond the list.
            let second = flowtrace_engine::port::provider::CallContext { attempt: 2, ..context(20_000) };
            assert!(provider.call(&call, &second, &|_| {}).await.is_ok(), "{} after {fault}", provider.name());
        }
    }
    let mut bad = call("openai", "m");
    bad.simulate = Some(Arc::new(json!({"latency": 1})));
    let failure = attempt(&providers[0], &bad).await.0.unwrap_err();
    assert!(failure.code == FailureCode::BadRequest && failure.message.contains("unknown field `latency`"), "{failure:?}");
}

#[tokio::test]
async fn a_key_never_reaches_the_simulator_and_names_select_the_fault() {
    let upstream = Upstream::start(Act::Send(response(500, "", ""))).await;
    let settings = ProviderSettings {
        api_key: ApiKey::new(KEY).ok(),
        base_url: Some("http://127.0.0.1:1/v1".to_owned()),
        ..ProviderSettings::new("local", Kind::OpenAi)
    };
    let providers =
        build(&[settings], &HttpClient::new().unwrap(), Some(&upstream.base_url), super::testing::no_secrets()).unwrap();
    assert!(providers[0].simulated());
    let mut call = call("local", "llama");
    call.target = Target { provider: "local".to_owned(), model: "llama".to_owned() };
    call.simulate = Some(Arc::new(json!({"answer": "é"})));
    let _ = attempt(&providers[0], &call).await;
    let seen = upstream.last();
    assert_eq!(seen.header("authorization"), None);
    assert_eq!(seen.body["x_flowtrace_simulate"], json!({"provider": "local", "attempt": 1, "script": {"answer": "é"}}));
}

/// Streams with random damage decode to an answer or to an error; they never panic, and never pass over a missing end marker.
#[test]
fn damaged_streams_never_panic() {
    fn decode<W: Wire>(mut wire: W, bytes: &[u8]) -> Result<bool, WireError> {
        SseParser::new(1 << 20).push(bytes, &mut |event| wire.event(&event, &mut |_| {}))?;
        let done = wire.is_done();
        wire.reply().map(|_| done)
    }
    for seed in 0..20_000u64 {
        let (_, name, stream) = STREAMS[(seed % 4) as usize];
        let mut bytes = stream.as_bytes().to_vec();
        let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut next = |bound: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            (random % bound as u64) as usize
        };
        for _ in 0..1 + next(4) {
            let at = next(bytes.len());
            match next(4) {
                0 => bytes[at] = next(256) as u8,
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, b"\n\r{}[]\",:0-null"[next(15)]),
                _ => bytes.truncate(at.max(16)),
            }
        }
        let run = || {
            if name == "openai" { decode(openai::tests::decoder(), &bytes) } else { decode(anthropic::tests::decoder(), &bytes) }
        };
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
        let shown = || format!("seed {seed}, {name}: {}", String::from_utf8_lossy(&bytes));
        let Ok(result) = result else { panic!("the decoder panicked: {}", shown()) };
        let marker = if name == "openai" { "[DONE]" } else { "message_stop" };
        if result == Ok(true) {
            assert!(String::from_utf8_lossy(&bytes).contains(marker), "done without an end marker: {}", shown());
        }
    }
}

//! Recorded traffic of SDKs against the real binary: every case gives its trace, in whatever pieces and order it comes.

use crate::support::wire::{self, Recorded, cases, message, name, request, span};
use crate::support::{Api, PATIENCE, Server};
use reqwest::Client;
use serde_json::{Value, json};
use std::io::Write;
use std::time::{Duration, Instant};

fn http2() -> Client {
    Client::builder().no_proxy().http2_prior_knowledge().timeout(PATIENCE).build().unwrap()
}

/// Compares a trace with what was expected of it.
async fn check(api: &Api, case: &str, expected: &Value) {
    let id = expected["trace_id"].as_str().unwrap();
    let trace = api.get(&format!("/api/traces/{id}")).await.expect(200);
    let spans = trace["spans"].as_array().unwrap();
    let wanted = expected["spans"].as_array().unwrap();
    assert_eq!(spans.len(), wanted.len(), "{case}: number of spans");
    for wanted in wanted {
        let at = format!("{case}, span {}", wanted["id"]);
        let span = spans.iter().find(|span| span["span_id"] == wanted["id"]).unwrap_or_else(|| panic!("{at} is missing"));
        let kind = if wanted["kind"] == "chain" { &json!("task") } else { &wanted["kind"] };
        for (field, value) in [
            ("name", &wanted["name"]),
            ("parent_span_id", &wanted["parent"]),
            ("kind", kind),
            ("model_requested", &wanted["model_requested"]),
            ("model", &wanted["model_answered"]),
            ("tokens_input", &wanted["tokens_in"]),
            ("tokens_output", &wanted["tokens_out"]),
            ("tokens_cached", &wanted["tokens_cached"]),
            ("tokens_reasoning", &wanted["tokens_reasoning"]),
        ] {
            assert_eq!(&span[field], value, "{at}: {field}");
        }
        assert_eq!(span["status"] == "error", wanted["error"] == true, "{at}: status");
        if let Some(text) = wanted["error_message"].as_str().filter(|text| !text.is_empty()) {
            assert_eq!(span["error"], text, "{at}: error");
        }
    }
    let tokens = expected["tokens_in"].as_u64().unwrap() + expected["tokens_out"].as_u64().unwrap();
    assert_eq!(trace["total_tokens"], tokens, "{case}: tokens");
    assert_eq!(trace["session_id"], expected["session_id"], "{case}: session");
    assert_eq!(trace["user_id"], expected["user_id"], "{case}: user");
    assert_eq!(trace["service"], expected["service"], "{case}: service");
    assert_eq!(trace["status"] == "failed", expected["any_error"] == true, "{case}: status");
}

async fn replay(how: &str, arrange: impl Fn(Vec<Recorded>) -> Vec<Recorded>) {
    let server = Server::with(&["--no-demo"]);
    let (api, http2) = (server.api(), http2());
    let mut checked = 0;
    for case in cases() {
        let case_name = format!("{} {how}", name(&case));
        for request in arrange(Recorded::all(&case)) {
            let status = request.send(&api, &http2).await;
            assert!(matches!(status, 200 | 202 | 207), "{case_name}: {} answered {status}", request.path);
        }
        for expected in case["expected"].as_array().into_iter().flatten() {
            check(&api, &case_name, expected).await;
            checked += 1;
        }
    }
    assert!(checked >= 25, "only {checked} traces were compared");
    let status = api.get("/api/ingest").await.expect(200);
    assert_eq!((&status["accepted"], &status["accepted"]), (&status["stored"], &status["queryable"]), "{status}");
}

#[tokio::test]
async fn every_recorded_case_gives_its_trace() {
    replay("as sent", |requests| requests).await;
}

#[tokio::test]
async fn every_recorded_case_gives_its_trace_twice_and_backwards() {
    replay("twice and backwards", |requests| {
        requests.iter().rev().flat_map(|request| [request.clone(), request.clone()]).collect()
    })
    .await;
}

#[tokio::test]
async fn every_recorded_case_gives_its_trace_span_by_span() {
    replay("span by span, shuffled", |requests| {
        let mut all: Vec<Recorded> = requests.iter().flat_map(Recorded::split).collect();
        // Any fixed disorder does: children and parents change places.
        all.sort_by_key(|request| {
            request.body.iter().fold(17u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(*byte)))
        });
        let again: Vec<Recorded> = all.iter().step_by(3).cloned().collect();
        all.extend(again);
        all
    })
    .await;
}

#[tokio::test]
async fn scores_of_langfuse() {
    let server = Server::with(&["--no-demo"]);
    let api = server.api();
    let trace = "4fd6f9dc9c871961d539356ca3a90afe";
    let post = |body: Value| api.http.post(format!("{}/api/public/scores", api.url)).json(&body).send();
    let one = post(json!({"traceId": trace, "name": "relevance", "value": 0.5, "id": "a"})).await.unwrap();
    assert_eq!(one.status(), 200);
    assert_eq!(one.json::<Value>().await.unwrap()["id"], "a");
    let list = json!([{"traceId": trace, "name": "ok", "value": 1.0, "dataType": "BOOLEAN", "id": "b"}]);
    assert_eq!(post(list).await.unwrap().status(), 202);
    assert_eq!(post(json!({"traceId": trace, "value": 1})).await.unwrap().status(), 400, "no name");
    let mixed = post(json!([{"traceId": trace, "name": "x", "value": "y", "id": "c"}, {"name": "z", "value": 1}]));
    let mixed = mixed.await.unwrap();
    assert_eq!(mixed.status(), 207);
    assert_eq!(mixed.json::<Value>().await.unwrap()["rejected"], 1);
    assert_eq!(post(json!(3)).await.unwrap().status(), 400);
    // Of a session: again in place of the first, and before any of its traces.
    for (value, status) in [("no", 202), ("yes", 202)] {
        let of_session = json!([{"sessionId": "sess/1", "name": "satisfied", "value": value, "dataType": "CATEGORICAL"}]);
        assert_eq!(post(of_session).await.unwrap().status(), status);
    }
    api.get("/api/sessions/sess%2F1").await.problem(404, "not_found");
    let of_session = wire::attribute(b"session.id", b"sess/1");
    assert_eq!(wire::post(&api, request(&[span(7, 1, 0, &[message(9, &of_session)])])).send().await.unwrap().status(), 200);
    let session = api.get("/api/sessions/sess%2F1").await.expect(200);
    assert_eq!(session["scores"].as_array().unwrap().len(), 1, "{session}");
    assert_eq!((&session["scores"][0]["value"], &session["scores"][0]["session_id"]), (&json!("yes"), &json!("sess/1")));
    // The trace comes after its scores.
    let id = u128::from_str_radix(trace, 16).unwrap();
    assert_eq!(wire::post(&api, request(&[span(id, 1, 0, &[])])).send().await.unwrap().status(), 200);
    let trace = api.get(&format!("/api/traces/{trace}")).await.expect(200);
    let scores = trace["scores"].as_array().unwrap();
    assert_eq!(scores.len(), 3, "{trace}");
    assert!(scores.iter().any(|score| score["value"] == true));
    let projects = api.http.get(format!("{}/api/public/projects", api.url)).send().await.unwrap();
    assert_eq!(projects.json::<Value>().await.unwrap()["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn keys_of_vendors_carry_the_token() {
    const TOKEN: &str = "0123456789abcdef0123";
    let server = Server::with(&["--no-demo", "--token", TOKEN]);
    let api = server.api();
    let send = |adjust: fn(reqwest::RequestBuilder) -> reqwest::RequestBuilder| {
        let body = request(&[span(7, 1, 0, &[])]);
        adjust(wire::post(&api, body)).send()
    };
    assert_eq!(send(|request| request).await.unwrap().status(), 401);
    assert_eq!(send(|request| request.bearer_auth("sk-wrong")).await.unwrap().status(), 401);
    assert_eq!(send(|request| request.basic_auth("pk", Some("sk-wrong"))).await.unwrap().status(), 401);
    assert_eq!(send(|request| request.bearer_auth(TOKEN)).await.unwrap().status(), 200);
    assert_eq!(send(|request| request.basic_auth("pk", Some(TOKEN))).await.unwrap().status(), 200);
    assert_eq!(send(|request| request.header("x-api-key", TOKEN)).await.unwrap().status(), 200);
    // What is no way in for SDKs takes the token only as ever.
    let read = api.http.get(format!("{}/api/traces", api.url)).basic_auth("pk", Some(TOKEN)).send().await.unwrap();
    assert_eq!(read.status(), 401);
    // Without a key of the vendor any will do on loopback.
    let open = Server::with(&["--no-demo"]);
    let answer = wire::post(&open.api(), request(&[span(7, 1, 0, &[])])).bearer_auth("whatever").send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn a_page_elsewhere_cannot_send_spans() {
    let server = Server::with(&["--no-demo"]);
    let api = server.api();
    let body = request(&[span(7, 1, 0, &[])]);
    let plain = api.http.post(format!("{}/v1/traces", api.url)).header("content-type", "text/plain").body(body.clone());
    assert_eq!(plain.send().await.unwrap().status(), 415);
    let foreign = wire::post(&api, body.clone()).header("origin", "https://evil.example");
    assert_eq!(foreign.send().await.unwrap().status(), 403);
    let elsewhere =
        api.http.post(format!("{}/api/workflows", api.url)).header("content-type", "application/x-protobuf").body(body);
    assert_eq!(elsewhere.send().await.unwrap().status(), 415, "protobuf is for the paths that take it");
}

/// Fills all the room there is with a body that never ends.
async fn occupy(api: &Api) -> tokio::net::TcpStream {
    use tokio::io::AsyncWriteExt;
    let address = api.url.strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let length = 16 << 20;
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/x-protobuf\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![0; length - 1]).await.unwrap();
    stream
}

#[tokio::test]
async fn overload_is_told_and_one_sdk_is_kept_on_disk() {
    let server = Server::with(&["--no-demo"]);
    let api = server.api();
    let full = async || {
        let answer = wire::post(&api, request(&[span(8, 1, 0, &[])])).send().await.unwrap();
        (answer.status() == 503).then(|| answer.headers().get("retry-after").unwrap().to_str().unwrap().to_owned())
    };
    let mut occupied = None;
    let mut told = None;
    for _ in 0..10 {
        occupied = Some(occupy(&api).await);
        // Until all of it has been read. If that takes longer, the question takes the last of the room, and it is tried again.
        tokio::time::sleep(Duration::from_secs(1)).await;
        told = full().await;
        if told.is_some() {
            break;
        }
    }
    assert!(told.expect("overload is told").parse::<u64>().unwrap() >= 1);

    let traces = cases().into_iter().find(|case| name(case) == "respan/happy").unwrap();
    let recorded = &Recorded::all(&traces)[0];
    assert_eq!(recorded.send(&api, &http2()).await, 200, "this SDK would not send it again");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&recorded.split()[0].body).unwrap();
    let packed = Recorded { body: packed.finish().unwrap(), encoding: Some("gzip".to_owned()), ..recorded.clone() };
    assert_eq!(packed.send(&api, &http2()).await, 200);
    let status = api.get("/api/ingest").await.expect(200);
    assert_eq!((&status["waiting_requests"], &status["stored"]), (&json!(2), &json!(0)), "{status}");
    assert!(status["overloaded_requests"].as_u64().unwrap() >= 1);

    // Killed and started again, it is still there; nothing is in its way any more.
    let directory = server.kill();
    drop(occupied);
    let server = Server::on(directory, &["--no-demo"], |_| ());
    let api = server.api();
    let deadline = Instant::now() + PATIENCE;
    while api.get("/api/ingest").await.expect(200)["waiting_requests"] != 0 {
        assert!(Instant::now() < deadline, "what waited on disk is not stored");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    check(&api, "respan/happy from disk", &traces["expected"][0]).await;
}

#[tokio::test]
async fn a_bad_span_does_not_cost_its_batch() {
    let server = Server::with(&["--no-demo"]);
    let api = server.api();
    let bad_id = message(1, &[0; 16]);
    let body = request(&[span(9, 1, 0, &[]), bad_id, span(9, 2, 1, &[])]);
    let answer = wire::post(&api, body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let partial = answer.bytes().await.unwrap();
    assert_eq!(partial[..1], [0x0a], "partialSuccess");
    assert_eq!(partial[2..4], [0x08, 1], "one span was left out");
    assert!(String::from_utf8_lossy(&partial).contains("trace id"));
    let trace = api.get(&format!("/api/traces/{:032x}", 9)).await.expect(200);
    assert_eq!(trace["spans"].as_array().unwrap().len(), 2);

    let span = |id: &str| json!({"traceId": "000000000000000000000000000000aa", "spanId": id, "name": "x", "startTimeUnixNano": wire::START, "endTimeUnixNano": wire::START.to_string()});
    let body = json!({"resourceSpans": [{"scopeSpans": [{"spans": [span("0000000000000001"), span("zz"), 5]}]}]});
    let answer = api.http.post(format!("{}/v1/traces", api.url)).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["partialSuccess"]["rejectedSpans"], "2", "{answer}");
    assert_eq!(api.get(&format!("/api/traces/{:032x}", 0xaa)).await.expect(200)["spans"].as_array().unwrap().len(), 1);
    assert_eq!(api.get("/api/ingest").await.expect(200)["rejected"], 3);
}

/// What the conventions leave to the reader: a stranger's spans, not those of the recorded SDKs.
#[tokio::test]
async fn spans_that_no_recorded_sdk_sends() {
    let server = Server::with(&["--no-demo"]);
    let api = server.api();
    let span = |trace: u32, id: u32, parent: u32, name: &str, attributes: Value| {
        let attributes = attributes.as_object().unwrap().iter().map(|(key, value)| {
            let value = if value.is_string() { json!({"stringValue": value}) } else { json!({"intValue": value}) };
            json!({"key": key, "value": value})
        });
        json!({
            "traceId": format!("{trace:032x}"), "spanId": format!("{id:016x}"),
            "parentSpanId": if parent == 0 { String::new() } else { format!("{parent:016x}") },
            "name": name, "attributes": attributes.collect::<Vec<_>>(),
            "startTimeUnixNano": (wire::START + u64::from(id)).to_string(), "endTimeUnixNano": (wire::START + 5000).to_string(),
        })
    };
    let call = || {
        json!({"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 10})
    };
    let tool = json!({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.arguments": "{\"order\": 987654, \"place\": \"Cafe\u{301} 🎉\"}"});
    let mut spans = vec![
        span(1, 1, 0, "request", json!({"session_id": "plain", "user_id": "ann"})),
        // Two libraries that tell of one call, neither of which knows the id of the answer.
        span(1, 2, 1, "ChatOpenAI", call()),
        span(1, 3, 2, "POST", json!({})),
        span(1, 4, 3, "chat gpt-4o", call()),
        span(1, 5, 1, "lookup", tool),
    ];
    let resource = json!({"attributes": [{"key": "session.id", "value": {"stringValue": "of-the-process"}}]});
    let request = |spans: &[Value]| json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]});
    let send = async |body: Value| {
        let answer = api.http.post(format!("{}/v1/traces", api.url)).json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    assert_eq!(send(request(&spans)).await, (200, json!({"partialSuccess": {}})));
    // A copy that was made while the call was open comes late.
    let mut open = span(1, 4, 3, "chat gpt-4o", json!({}));
    open["endTimeUnixNano"] = open["startTimeUnixNano"].clone();
    assert_eq!(send(request(&[open])).await.0, 200);
    let trace = api.get(&format!("/api/traces/{:032x}", 1)).await.expect(200);
    assert_eq!((&trace["total_tokens"], &trace["summary"]["llm_calls"]), (&json!(110), &json!(1)), "{trace:#}");
    assert_eq!((&trace["session_id"], &trace["user_id"]), (&json!("plain"), &json!("ann")));

    // JavaScript that cut a text in an emoji.
    spans = vec![span(2, 1, 0, "cut HERE", json!({}))];
    let body = request(&spans).to_string().replace("HERE", "\\ud83d");
    let post = api.http.post(format!("{}/v1/traces", api.url)).header("content-type", "application/json").body(body);
    assert_eq!(post.send().await.unwrap().json::<Value>().await.unwrap(), json!({"partialSuccess": {}}));
    let trace = api.get(&format!("/api/traces/{:032x}", 2)).await.expect(200);
    assert_eq!((&trace["name"], &trace["session_id"]), (&json!("cut \u{fffd}"), &json!("of-the-process")));

    for query in ["987654", "caf%C3%A9", "cafe", "%F0%9F%8E%89"] {
        let found = async || api.get(&format!("/api/traces?q={query}")).await.expect(200)["traces"].as_array().unwrap().len();
        let deadline = Instant::now() + PATIENCE;
        while found().await != 1 {
            assert!(Instant::now() < deadline, "nothing is found by {query}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    for query in ["min_duration_ms=NaN", "score=x&max_score=nan"] {
        assert_eq!(api.get(&format!("/api/traces?{query}")).await.expect(400)["code"], "invalid_query", "{query}");
    }
    assert_eq!(api.get("/api/traces?tag=a&limit=1&tag=b").await.expect(200)["traces"], json!([]));
}

#[tokio::test]
async fn calls_in_pieces_have_the_operators_price_too() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("flowtrace.toml");
    std::fs::write(&config, "[prices.openai.\"gpt-4o\"]\ninput = 100.0\noutput = 200.0\n").unwrap();
    let server = Server::with(&["--no-demo", "--config", config.to_str().unwrap()]);
    let api = server.api();
    let create = json!({"id": "1", "type": "generation-create", "body": {"id": "g", "traceId": "t", "name": "answer", "model": "gpt-4o",
        "startTime": "2026-11-01T10:00:00Z"}});
    let update = json!({"id": "2", "type": "generation-update", "body": {"id": "g", "traceId": "t", "endTime": "2026-11-01T10:00:02Z",
        "usage": {"input": 100, "output": 10, "total": 110}}});
    for (turn, events) in [[&create, &update], [&update, &create]].into_iter().enumerate() {
        let trace = format!("{:032x}", turn + 1);
        for event in events {
            let mut event = event.clone();
            event["body"]["traceId"] = trace.as_str().into();
            event["body"]["id"] = format!("{:016x}", turn + 1).into();
            let answer =
                api.http.post(format!("{}/api/public/ingestion", api.url)).json(&json!({"batch": [event]})).send().await.unwrap();
            assert_eq!(answer.status(), 207);
        }
        let found = api.get(&format!("/api/traces/{trace}")).await.expect(200);
        assert_eq!(found["total_cost_nanousd"], 12_000_000, "{found:#}");
        assert_eq!(found["name"], "answer", "the trace itself has none");
    }
}

//! Spans that no honest sender makes: refused with the right status or taken as they are, in bounded memory, and never at the cost
//! of others.

use crate::support::wire::{self, START, attribute, fixed64, message, request, span, varint};
use crate::support::{Api, Server};
use serde_json::{Value, json};
use std::io::Write;

const MIB: usize = 1 << 20;

async fn post(api: &Api, body: Vec<u8>) -> (u16, Vec<u8>) {
    let answer = wire::post(api, body).send().await.unwrap();
    (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
}

async fn post_json(api: &Api, body: impl Into<reqwest::Body>) -> (u16, String) {
    let request = api.http.post(format!("{}/v1/traces", api.url)).header("content-type", "application/json").body(body);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

async fn spans_of(api: &Api, trace: u128) -> Vec<Value> {
    let answer = api.get(&format!("/api/traces/{trace:032x}")).await;
    if answer.status == 404 { Vec::new() } else { answer.expect(200)["spans"].as_array().unwrap().clone() }
}

/// What was sent before is there, and what is sent after is taken.
async fn still_well(api: &Api, expected: usize) {
    assert_eq!(spans_of(api, 1).await.len(), expected);
    let status = api.get("/api/ingest").await.expect(200);
    assert_eq!((&status["accepted"], &status["accepted"]), (&status["stored"], &status["queryable"]), "{status}");
}

#[tokio::test]
async fn damaged_bodies() {
    let server = Server::with(&["--no-demo"]);
    let api = server.api();
    assert_eq!(post(&api, request(&[span(1, 1, 0, &[])])).await.0, 200);
    let whole = request(&[span(2, 1, 0, &[]), span(2, 2, 1, &[message(9, &attribute(b"key", b"value"))])]);
    for length in 1..whole.len() {
        let (status, _) = post(&api, whole[..length].to_vec()).await;
        assert_eq!(status, 400, "cut after {length} of {} bytes", whole.len());
    }
    assert!(spans_of(&api, 2).await.is_empty(), "a request that is refused leaves nothing behind");
    assert_eq!(post(&api, b"{}".to_vec()).await.0, 400, "JSON under the name of protobuf");
    assert_eq!(post(&api, vec![0xff; 1000]).await.0, 400);
    assert_eq!(post(&api, Vec::new()).await.0, 200, "no bytes are a request without spans");
    for body in ["", "{", "[]", "null", "7", "{\"resourceSpans\": 7}", "{\"resourceSpans\": [7]}", "{\"x\": NaN}", "\u{feff}{}"] {
        assert_eq!(post_json(&api, body).await.0, 400, "{body}");
    }
    let no_utf8 = b"{\"resourceSpans\": [{\"scopeSpans\": [{\"spans\": [{\"name\": \"\xff\xfe\"}]}]}]}";
    assert_eq!(post_json(&api, &no_utf8[..]).await.0, 400);
    assert_eq!(post_json(&api, "{}").await.0, 200);
    assert_eq!(post_json(&api, "{\"resourceSpans\": null}").await.0, 200);

    let packed = gzip(&whole);
    for (what, body, status) in [
        ("whole", packed.clone(), 200),
        ("cut", packed[..packed.len() / 2].to_vec(), 400),
        ("not gzip", whole.clone(), 400),
        ("empty", Vec::new(), 200),
    ] {
        let answer = wire::post(&api, body).header("content-encoding", "gzip").send().await.unwrap();
        assert!(answer.status() == status || (what == "empty" && answer.status() == 400), "{what}: {}", answer.status());
    }
    let unknown = wire::post(&api, whole).header("content-encoding", "br").send().await.unwrap();
    assert_eq!(unknown.status(), 415);
    still_well(&api, 1).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn bombs_do_not_go_off() {
    let server = Server::with(&["--no-demo"]);
    let api = server.api();
    assert_eq!(post(&api, request(&[span(1, 1, 0, &[])])).await.0, 200);
    let memory = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
    };
    let before = memory();
    // Ten members, 1,000 MiB in all: far more than what an allocator keeps back of the 16 MiB that a request may have.
    let honest = gzip(&vec![0; 100 * MIB]).repeat(10);
    // One more member, which says that it is small.
    let liar = [honest.clone(), gzip(b"x")].concat();
    for (what, bomb) in [("honest", &honest), ("liar", &liar)] {
        assert!(bomb.len() < 2 * MIB);
        for path in
            ["/v1/traces", "/v1/logs", "/v1/metrics", "/api/public/otel/v1/traces", "/api/v2/traces", "/api/public/ingestion"]
        {
            let content_type = if path.starts_with("/api/v2") || path.ends_with("ingestion") {
                "application/json"
            } else {
                "application/x-protobuf"
            };
            let request = api.http.post(format!("{}{path}", api.url)).header("content-type", content_type);
            let answer = request.header("content-encoding", "gzip").body(bomb.clone()).send().await.unwrap();
            assert_eq!(answer.status(), 413, "{what} at {path}");
        }
    }
    let (status, _) = post(&api, vec![0; 17 * MIB]).await;
    assert_eq!(status, 413);
    let grown = memory().saturating_sub(before);
    assert!(grown < 500 * MIB, "{} MiB more at the peak", grown / MIB);
    still_well(&api, 1).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn too_much_of_everything() {
    let server = Server::with(&["--no-demo"]);
    let api = server.api();
    assert_eq!(post(&api, request(&[span(1, 1, 0, &[])])).await.0, 200);

    // A million attributes on one span: it is left out, its neighbour stays.
    let attributes: Vec<u8> = (0..1_000_000u32).flat_map(|n| message(9, &message(1, &n.to_be_bytes()))).collect();
    let (status, partial) = post(&api, request(&[span(1, 2, 1, &[]), span(1, 3, 1, &[attributes])])).await;
    assert_eq!(status, 200);
    assert!(String::from_utf8_lossy(&partial).contains("10000 attributes"), "{}", String::from_utf8_lossy(&partial));
    still_well(&api, 2).await;

    // As many on spans that are allowed to have them are too many for one request.
    let attributes: Vec<u8> = (0..9_000u32).flat_map(|n| message(9, &message(1, &n.to_be_bytes()))).collect();
    let many: Vec<Vec<u8>> = (10..130).map(|id| span(5, id, 0, std::slice::from_ref(&attributes))).collect();
    assert_eq!(post(&api, request(&many)).await.0, 413);
    assert!(spans_of(&api, 5).await.is_empty());

    // Two bytes each on the wire, a great deal more in memory.
    let empties: Vec<u8> = (0..3_000_000).flat_map(|_| message(1, b"")).collect();
    let list = [message(1, b"list"), message(2, &message(5, &empties))].concat();
    assert_eq!(post(&api, request(&[span(5, 1, 0, &[message(9, &list)])])).await.0, 413);
    let json = format!("{{\"resourceSpans\": [{}{{}}]}}", "{},".repeat(3_000_000));
    assert_eq!(post_json(&api, json).await.0, 413);

    // A list inside a text is text as long as nobody could want it read.
    let text = format!("[{}1]", "1,".repeat(2_000_000));
    let attribute = attribute(b"gen_ai.input.messages", text.as_bytes());
    let (status, _) = post(&api, request(&[span(6, 1, 0, &[message(9, &attribute)])])).await;
    assert_eq!(status, 200);
    assert_eq!(spans_of(&api, 6).await[0]["attributes"]["gen_ai.input.messages"].as_str().unwrap().len(), text.len());
    still_well(&api, 2).await;
}

#[tokio::test]
async fn depth() {
    let server = Server::with(&["--no-demo"]);
    let api = server.api();
    assert_eq!(post(&api, request(&[span(1, 1, 0, &[])])).await.0, 200);
    // 100,000 lists in each other, as values and as text.
    let mut value = message(1, b"x");
    for _ in 0..100_000 {
        value = message(5, &message(1, &value));
        if value.len() > 4 * MIB {
            break;
        }
    }
    let nested = [message(1, b"deep"), message(2, &value)].concat();
    let (status, partial) = post(&api, request(&[span(1, 2, 1, &[message(9, &nested)]), span(1, 3, 1, &[])])).await;
    assert_eq!(status, 200);
    assert!(String::from_utf8_lossy(&partial).contains("nested"), "{}", String::from_utf8_lossy(&partial));
    still_well(&api, 2).await;

    let text = format!("{}1{}", "[".repeat(50_000), "]".repeat(50_000));
    for key in
        ["gen_ai.input.messages", "input.value", "traceloop.entity.input", "langfuse.observation.usage_details", "metadata"]
    {
        let fields =
            [message(9, &attribute(b"gen_ai.operation.name", b"chat")), message(9, &attribute(key.as_bytes(), text.as_bytes()))];
        assert_eq!(post(&api, request(&[span(3, 1, 0, &fields)])).await.0, 200, "{key}");
        assert_eq!(spans_of(&api, 3).await[0]["attributes"][key], text, "{key}");
    }
    // Deep, but not too deep to be read: whatever is made of it can be read back.
    for depth in [30, 60, 64, 65, 100, 126, 127, 128] {
        let text = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        let fields = [message(9, &attribute(b"traceloop.entity.input", text.as_bytes()))];
        assert_eq!(post(&api, request(&[span(4, depth as u64, 0, &fields)])).await.0, 200, "{depth}");
    }
    assert_eq!(spans_of(&api, 4).await.len(), 8);

    let json = format!("{{\"resourceSpans\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(post_json(&api, json).await.0, 400);
    let deep = (0..200).fold(json!({"intValue": "1"}), |inner, _| json!({"arrayValue": {"values": [inner]}}));
    let span = |id: u64, value: &Value| json!({"traceId": format!("{:032x}", 2), "spanId": format!("{id:016x}"), "startTimeUnixNano": START, "attributes": [{"key": "k", "value": value}]});
    let body = json!({"resourceSpans": [{"scopeSpans": [{"spans": [span(1, &deep), span(2, &json!({"intValue": 1}))]}]}]});
    let (status, answer) = post_json(&api, body.to_string()).await;
    assert_eq!(status, 200);
    assert!(answer.contains("\"rejectedSpans\":\"1\""), "{answer}");
    assert_eq!(spans_of(&api, 2).await.len(), 1);
}

#[tokio::test]
async fn times_that_cannot_be() {
    let server = Server::with(&["--no-demo"]);
    let api = server.api();
    let at = |span_id: u64, start: u64, end: u64| {
        [message(1, &1u128.to_be_bytes()), message(2, &span_id.to_be_bytes()), fixed64(7, start), fixed64(8, end)].concat()
    };
    let year_2554 = u64::MAX;
    for (what, start, end, taken) in [
        ("never", 0, 0, false),
        ("1970", 1, 2, false),
        ("the year 2554", year_2554, year_2554, false),
        ("an end in the year 2554", START, year_2554, false),
        ("the year 2262 of signed integers", i64::MAX as u64 + 1, i64::MAX as u64 + 1, false),
        ("an end before the start", START, START - 1, true),
        ("no end", START, 0, true),
    ] {
        let (status, partial) = post(&api, request(&[at(1, start, end), span(1, 2, 0, &[])])).await;
        assert_eq!(status, 200, "{what}");
        assert_eq!(partial.is_empty(), taken, "{what}: {}", String::from_utf8_lossy(&partial));
    }
    let spans = spans_of(&api, 1).await;
    assert_eq!(spans.len(), 2);
    assert!(spans.iter().all(|span| span["duration_ms"].as_f64().unwrap() >= 0.0));

    // The years 1 and 9999, and what is no time at all.
    for start in
        [json!("-62135596800000000000"), json!("253402300799000000000"), json!(1e300), json!("soon"), json!({}), json!(-5)]
    {
        let span = json!({"traceId": format!("{:032x}", 2), "spanId": format!("{:016x}", 1), "startTimeUnixNano": start});
        let (status, answer) = post_json(&api, json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).to_string()).await;
        assert_eq!(status, 200, "{start}");
        assert!(answer.contains("\"rejectedSpans\":\"1\""), "{start}: {answer}");
    }
    for time in ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "never"] {
        let body = json!({"batch": [{"id": "e", "type": "span-create", "timestamp": time, "body": {"id": "a", "traceId": "t", "startTime": time}}]});
        let answer = api.http.post(format!("{}/api/public/ingestion", api.url)).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 207);
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(
            (answer["successes"].as_array().unwrap().len(), answer["errors"][0]["id"].as_str()),
            (0, Some("e")),
            "{answer}"
        );
    }
    still_well(&api, 2).await;
}

#[tokio::test]
async fn what_databases_and_json_stumble_over() {
    let server = Server::with(&["--no-demo"]);
    let api = server.api();
    let double = |bits: f64| [message(1, b"number"), message(2, &fixed64(4, bits.to_bits()))].concat();
    let fields = [
        message(9, &double(f64::NAN)),
        message(9, &attribute(b"nul\0key", b"a\0b")),
        message(9, &attribute(b"bad \xff utf-8", b"\xc3\x28 \xf0\x9f")),
        message(9, &attribute(b"session.id", b"s\0ession")),
        message(9, &attribute(b"user.id", b"\xed\xa0\x80")),
        message(9, &attribute(b"", b"no name")),
        message(9, &[message(1, b"int"), message(2, &[varint(3 << 3), varint(u64::MAX)].concat())].concat()),
        message(9, &attribute(b"gen_ai.operation.name", b"chat")),
        message(9, &attribute(b"gen_ai.usage.input_tokens", b"-5")),
        message(9, &[message(1, b"gen_ai.usage.output_tokens"), message(2, &fixed64(4, 1e300f64.to_bits()))].concat()),
        message(9, &attribute(b"gen_ai.input.messages", b"[{\"role\": 7}, null]")),
        message(9, &attribute(b"gen_ai.prompt.4294967295.role", b"user")),
        message(9, &attribute(b"gen_ai.prompt.99999999999.content", b"?")),
        message(
            9,
            &attribute(
                b"langfuse.observation.usage_details",
                b"{\"input\": 18446744073709551615, \"input_cached_tokens\": 18446744073709551615}",
            ),
        ),
        message(15, &message(2, b"failed \0 \xff")),
    ];
    let (status, partial) = post(&api, request(&[span(1, 1, 0, &fields)])).await;
    assert_eq!((status, partial.len()), (200, 0), "{}", String::from_utf8_lossy(&partial));
    let spans = spans_of(&api, 1).await;
    let attributes = &spans[0]["attributes"];
    assert_eq!(attributes["number"], "NaN");
    assert_eq!(attributes["nul\0key"], "a\0b");
    assert_eq!(attributes["int"], -1);
    assert!(attributes.as_object().unwrap().keys().any(|key| key.starts_with("bad \u{fffd}")), "{attributes}");

    // Parents in a circle, and one that is its own.
    let circle = [span(2, 1, 3, &[]), span(2, 2, 1, &[]), span(2, 3, 2, &[]), span(2, 4, 4, &[]), span(2, 5, 99, &[])];
    assert_eq!(post(&api, request(&circle)).await.0, 200);
    assert_eq!(spans_of(&api, 2).await.len(), 5);
    let list = api.get("/api/traces?limit=10").await.expect(200);
    assert!(list.to_string().contains(&format!("{:032x}", 2)), "{list}");

    // Infinity in JSON is a text or nothing.
    let attributes = json!([{"key": "a", "value": {"doubleValue": "Infinity"}}, {"key": "b", "value": {"doubleValue": "x"}},
        {"key": "c", "value": {}}, {"key": "d"}, {}, {"key": "e", "value": {"newValue": [1]}}]);
    let span = json!({"traceId": format!("{:032X}", 0xabc), "spanId": format!("{:016x}", 1), "startTimeUnixNano": START, "attributes": attributes, "status": {"code": "STATUS_CODE_ERROR"}});
    let (status, answer) = post_json(&api, json!({"resource_spans": [{"scope_spans": [{"spans": [span]}]}]}).to_string()).await;
    assert_eq!((status, answer.as_str()), (200, "{\"partialSuccess\":{}}"));
    let span = &spans_of(&api, 0xabc).await[0];
    assert_eq!((&span["attributes"]["a"], &span["status"]), (&json!("Infinity"), &json!("error")));
    still_well(&api, 1).await;
}

#[tokio::test]
async fn calls_over_grpc_that_are_none() {
    let server = Server::with(&["--no-demo"]);
    let api = server.api();
    let http2 = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    let good = request(&[span(1, 1, 0, &[])]);
    let framed = |flag: u8, bytes: &[u8]| [vec![flag], (bytes.len() as u32).to_be_bytes().to_vec(), bytes.to_vec()].concat();
    for (what, body, encoding, status) in [
        ("nothing", Vec::new(), None, Some("3")),
        ("no frame", good.clone(), None, Some("3")),
        ("damaged", framed(0, b"\xff"), None, Some("3")),
        ("an unknown flag", framed(9, &good), None, Some("3")),
        ("an unknown encoding", framed(1, &good), Some("snappy"), Some("3")),
        ("a bomb", framed(1, &gzip(&vec![0; 100 * MIB])), Some("gzip"), Some("8")),
        ("packed", framed(1, &gzip(&good)), Some("gzip"), None),
        ("plain", framed(0, &good), None, None),
    ] {
        let mut call = http2.post(format!("{}{path}", api.url)).header("content-type", "application/grpc").body(body);
        if let Some(encoding) = encoding {
            call = call.header("grpc-encoding", encoding);
        }
        let answer = call.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{what}");
        let told = answer.headers().get("grpc-status").map(|value| value.to_str().unwrap());
        assert_eq!(told, status, "{what}: {:?}", answer.headers());
        assert!(status.is_none() || answer.headers().contains_key("grpc-message"), "{what}");
    }
    still_well(&api, 1).await;
}

use super::*;
use crate::guard::GuardPolicy;
use crate::secrets::tests::Fixed;
use axum::Router;
use axum::body::Body;
use axum::http::{Request as Incoming, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use flowtrace_core::secret;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::collections::HashMap;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A real server for one test. It notes what it was asked.
struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

#[derive(Clone, Debug)]
struct Seen {
    line: String,
    headers: HashMap<String, String>,
    body: String,
}

impl Server {
    /// Answers every request with what `answer` makes of its path and query.
    async fn start(answer: impl Fn(&str) -> Response<Body> + Clone + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let notes = seen.clone();
        let app = Router::new().fallback(move |incoming: Incoming<Body>| {
            let (notes, answer) = (notes.clone(), answer.clone());
            async move {
                let (parts, body) = incoming.into_parts();
                let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
                let text = |value: &axum::http::HeaderValue| value.to_str().unwrap_or("?").to_owned();
                let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
                let line = format!("{} {}", parts.method, parts.uri);
                notes.lock().unwrap().push(Seen { line, headers, body: String::from_utf8(body.to_vec()).unwrap() });
                answer(&parts.uri.to_string())
            }
        });
        tokio::spawn(async move { axum::serve(listener, app).await });
        Server { address, seen }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// Speaks the given bytes to the first caller and closes the connection.
async fn raw_server(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await;
        let _ = stream.write_all(answer).await;
        let _ = stream.shutdown().await;
    });
    address
}

fn response(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Response<Body> {
    let mut builder = Response::builder().status(status);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(body.into()).unwrap()
}

/// Every name leads to this machine.
struct Loopback;

impl Resolve for Loopback {
    fn resolve(&self, _name: Name) -> Resolving {
        Box::pin(async { Ok(Box::new(std::iter::once(SocketAddr::from(([127, 0, 0, 1], 0)))) as Addrs) })
    }
}

fn tool_with(allowed: &[String]) -> Http {
    let allowed = allowed.iter().map(|text| text.parse().unwrap()).collect();
    let guard = Guard::with_resolver(GuardPolicy { allow_private: false, allowed }, Arc::new(Loopback));
    Http::new(guard, Arc::new(Fixed(HashMap::from([("token", "t0p/s3cret&value"), ("other", "zzz-other-zzz")]))))
}

/// A tool that may call exactly these.
fn tool(addresses: &[SocketAddr]) -> Http {
    tool_with(&addresses.iter().map(SocketAddr::to_string).collect::<Vec<_>>())
}

fn context(timeout_ms: u64) -> CallContext {
    CallContext {
        idempotency_key: "run/step/1".into(),
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into(),
        attempt: 1,
        timeout_ms,
        max_output_tokens: None,
    }
}

fn call_of(config: Value, inputs: Value) -> ToolCall {
    ToolCall { tool: "http".into(), secrets: secret::references(&config), config, inputs }
}

async fn call(tool: &Http, config: Value) -> Result<Value, Failure> {
    tool.call(&call_of(config, json!({})), &context(10_000)).await
}

#[tokio::test]
async fn a_json_answer_is_parsed_and_the_context_is_sent() {
    let server =
        Server::start(|_| response(201, &[("content-type", "application/json"), ("x-a", "1"), ("x-a", "2")], r#"{"a":[1]}"#))
            .await;
    let tool = tool(&[server.address]);
    let config = json!({"url": server.url("/x?a=1#frag"), "query": {"q": "ü &", "list": [1, true], "none": null}});
    let output = call(&tool, config).await.unwrap();
    assert_eq!(output["status"], 201);
    assert_eq!(output["content"], r#"{"a":[1]}"#);
    assert_eq!(output["json"], json!({"a": [1]}));
    assert_eq!(output["headers"]["x-a"], "1, 2");
    let seen = &server.seen()[0];
    assert_eq!(seen.line, "GET /x?a=1&q=%C3%BC+%26&list=1&list=true");
    assert_eq!(seen.headers["idempotency-key"], "run/step/1");
    assert_eq!(seen.headers["traceparent"], context(1).traceparent);
    assert_eq!(seen.headers["user-agent"], concat!("flowtrace/", env!("CARGO_PKG_VERSION")));
}

#[tokio::test]
async fn methods_and_bodies() {
    let server = Server::start(|_| response(200, &[], "ok")).await;
    let tool = tool(&[server.address]);
    let inputs = json!({"text": "hi"});
    let table = [
        (json!({}), json!({}), "GET /x", None, ""),
        (json!({}), inputs.clone(), "GET /x", None, ""),
        (json!({"body": "plain"}), json!({}), "POST /x", Some("text/plain; charset=utf-8"), "plain"),
        (json!({"body": {"a": [null]}}), json!({}), "POST /x", Some("application/json"), r#"{"a":[null]}"#),
        (json!({"body": null}), json!({}), "GET /x", None, ""),
        (
            json!({"method": "put", "body": 5, "headers": {"Content-Type": "text/csv"}}),
            json!({}),
            "PUT /x",
            Some("text/csv"),
            "5",
        ),
        (json!({"method": "POST"}), inputs.clone(), "POST /x", Some("application/json"), r#"{"text":"hi"}"#),
        (json!({"method": "DELETE"}), inputs, "DELETE /x", None, ""),
    ];
    for (mut config, inputs, line, content_type, body) in table {
        config["url"] = json!(server.url("/x"));
        tool.call(&call_of(config.clone(), inputs), &context(10_000)).await.unwrap();
        let seen = server.seen().pop().unwrap();
        assert_eq!(
            (seen.line.as_str(), seen.headers.get("content-type").map(String::as_str), seen.body.as_str()),
            (line, content_type, body),
            "{config}"
        );
    }
}

#[tokio::test]
async fn configs_that_cannot_work_are_refused_in_words() {
    let tool = tool(&[]);
    let table = [
        (json!({}), "missing field `url`"),
        (json!({"url": 1}), "at `url`"),
        (json!({"url": "example.com"}), "cannot read the URL \"example.com\""),
        (json!({"url": "http://example.com", "metod": "GET"}), "unknown field `metod`"),
        (json!({"url": "http://example.com", "method": "TRACE"}), "method \"TRACE\""),
        (json!({"url": "http://example.com", "headers": {"Host": "a"}}), "`host` is set by FlowTrace"),
        (json!({"url": "http://example.com", "headers": {"Accept-Encoding": "br"}}), "`accept-encoding` is set"),
        (json!({"url": "http://example.com", "headers": {"a b": "c"}}), "\"a b\" is not a name"),
        (json!({"url": "http://example.com", "headers": {"a": "b\r\nc: d"}}), "line break"),
        (json!({"url": "http://example.com", "headers": {"a": null}}), "`headers.a` of the http tool is null"),
        (json!({"url": "http://example.com", "query": {"a": [{}]}}), "`query.a` of the http tool holds an object"),
        (json!({"url": "http://example.com", "maxBytes": 0}), "`maxBytes`"),
        (json!({"url": "http://example.com", "maxBytes": 100_000_001}), "`maxBytes`"),
        (json!({"url": "http://u:p@example.com"}), "user name or password"),
        (json!({"url": "file:///etc/passwd"}), "neither http nor https"),
        (json!({"url": "http://127.0.0.1:1/"}), "loopback"),
        (json!({"url": "http://10.0.0.1/", "headers": {"k": {"$secret": "missing"}}}), "`missing`"),
    ];
    for (config, expected) in table {
        let failure = call(&tool, config.clone()).await.unwrap_err();
        assert!(failure.message.contains(expected) && !failure.code.is_transient(), "{config}: {failure:?}");
    }
}

#[tokio::test]
async fn statuses_become_failures_that_say_whether_to_try_again() {
    use FailureCode::*;
    let server = Server::start(|path| {
        let status = path[1..].split('?').next().unwrap().parse().unwrap();
        response(status, &[("retry-after", "2"), ("x-request-id", "req-9")], format!("why  {status}\n is <so>"))
    })
    .await;
    let tool = tool(&[server.address]);
    let table = [
        (400, BadRequest),
        (401, Unauthorized),
        (403, Unauthorized),
        (404, BadRequest),
        (408, Timeout),
        (422, BadRequest),
        (429, RateLimited),
        (500, ServerError),
        (503, ServerError),
        (529, ServerError),
    ];
    for (status, code) in table {
        let url = server.url(&format!("/{status}?key=hidden"));
        let failure = call(&tool, json!({"url": url})).await.unwrap_err();
        assert_eq!((failure.code, failure.status, failure.retry_after_ms), (code, Some(status), Some(2_000)), "{failure}");
        assert_eq!(failure.upstream_request_id.as_deref(), Some("req-9"));
        assert!(failure.message.contains(&format!("why {status} is <so>")), "{failure}");
        assert!(
            failure.message.contains(&format!("/{status} answered {status}")) && !failure.message.contains("hidden"),
            "{failure}"
        );

        let output = call(&tool, json!({"url": url, "failOnStatus": false})).await.unwrap();
        assert_eq!(output["status"], status);
    }
    for status in [204, 300, 304] {
        assert_eq!(call(&tool, json!({"url": server.url(&format!("/{status}"))})).await.unwrap()["status"], status);
    }
}

#[tokio::test]
async fn a_failed_status_is_reported_though_its_body_is_broken() {
    let address = raw_server(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 100\r\n\r\nhalf").await;
    let failure = call(&tool(&[address]), json!({"url": format!("http://{address}/")})).await.unwrap_err();
    assert_eq!((failure.code, failure.status), (FailureCode::ServerError, Some(500)));
}

#[tokio::test]
async fn redirects_are_followed_like_a_browser_does() {
    let server = Server::start(|path| match path[1..].parse::<u16>() {
        Ok(status) => response(status, &[("location", "end?x")], ""),
        Err(_) if path == "/loop" => response(302, &[("location", "/loop")], ""),
        Err(_) if path == "/nowhere" => response(302, &[("location", "http://[bad")], ""),
        Err(_) => response(200, &[], "end"),
    })
    .await;
    let tool = tool(&[server.address]);
    for (status, line, body) in [
        (301, "GET /end?x", ""),
        (302, "GET /end?x", ""),
        (303, "GET /end?x", ""),
        (307, "POST /end?x", "b"),
        (308, "POST /end?x", "b"),
    ] {
        let config = json!({"url": server.url(&format!("/{status}")), "body": "b", "headers": {"Authorization": "Bearer a"}});
        assert_eq!(call(&tool, config.clone()).await.unwrap()["content"], "end", "{status}");
        let seen = server.seen().pop().unwrap();
        assert_eq!((seen.line.as_str(), seen.body.as_str()), (line, body), "{status}");
        assert_eq!(seen.headers["authorization"], "Bearer a", "the same origin keeps it");

        let mut config = config;
        config["followRedirects"] = json!(false);
        let output = call(&tool, config).await.unwrap();
        assert_eq!((&output["status"], &output["headers"]["location"]), (&json!(status), &json!("end?x")));
    }
    let before = server.seen().len();
    let failure = call(&tool, json!({"url": server.url("/loop")})).await.unwrap_err();
    assert!(failure.code == FailureCode::BadRequest && failure.message.contains("more than 5 times"), "{failure}");
    assert_eq!(server.seen().len() - before, 6);
    let failure = call(&tool, json!({"url": server.url("/nowhere")})).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::Malformed, "{failure}");
}

#[tokio::test]
async fn a_redirect_to_a_private_address_is_refused() {
    let inner = Server::start(|_| response(200, &[], "secret of the network")).await;
    let port = inner.address.port();
    for target in [
        format!("http://127.0.0.1:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://name.test:{port}/"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "//10.0.0.1/".to_owned(),
    ] {
        let server = Server::start({
            let target = target.clone();
            move |_| response(302, &[("location", target.as_str())], "")
        })
        .await;
        let failure = call(&tool(&[server.address]), json!({"url": server.url("/")})).await.unwrap_err();
        assert_eq!(failure.code, FailureCode::AddressRefused, "{target}: {failure}");
        assert!(failure.message.contains("--allow-private-network"), "{failure}");
    }
    let server = Server::start(|_| response(302, &[("location", "file:///etc/passwd")], "")).await;
    let failure = call(&tool(&[server.address]), json!({"url": server.url("/")})).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::BadRequest, "{failure}");
    assert!(inner.seen().is_empty());
}

#[tokio::test]
async fn another_origin_gets_no_credentials() {
    let other = Server::start(|_| response(200, &[], "there")).await;
    let location = other.url("/there");
    let server = Server::start(move |path| response(path[1..].parse().unwrap(), &[("location", location.as_str())], "")).await;
    let tool = tool(&[server.address, other.address]);
    let headers = json!({"Authorization": "Bearer a", "Cookie": "a=b", "X-Api-Key": "k", "Accept": "text/x", "Accept-Language": {"$secret": "token"}});
    let config = json!({"url": server.url("/307"), "body": "b", "headers": headers});
    call(&tool, config.clone()).await.unwrap();
    let (first, second) = (server.seen().pop().unwrap(), other.seen().pop().unwrap());
    for name in ["authorization", "cookie", "x-api-key", "accept-language"] {
        assert!(first.headers.contains_key(name) && !second.headers.contains_key(name), "{name}: {second:?}");
    }
    assert_eq!(second.headers["accept"], "text/x");
    assert_eq!(second.headers["idempotency-key"], "run/step/1");
    assert_eq!((second.line.as_str(), second.body.as_str()), ("POST /there", "b"));

    // A body with a secret stays where it was sent; a GET that follows has none.
    let mut config = json!({"url": server.url("/307"), "body": {"key": {"$secret": "token"}}});
    let failure = call(&tool, config.clone()).await.unwrap_err();
    assert!(failure.code == FailureCode::BadRequest && failure.message.contains("carries a secret"), "{failure}");
    config["url"] = json!(server.url("/303"));
    call(&tool, config).await.unwrap();
    assert_eq!(other.seen().len(), 2);
    assert_eq!(other.seen()[1].line, "GET /there");
}

#[tokio::test]
async fn a_name_with_a_private_address_is_refused_unless_allowed() {
    let server = Server::start(|_| response(200, &[], "inside")).await;
    let name = format!("intern.test:{}", server.address.port());
    let failure = call(&tool(&[]), json!({"url": format!("http://{name}/")})).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::AddressRefused, "{failure}");
    assert!(failure.message.contains("intern.test") && failure.message.contains("127.0.0.1"), "{failure}");
    let output = call(&tool_with(std::slice::from_ref(&name)), json!({"url": format!("http://{name}/")})).await.unwrap();
    assert_eq!(output["content"], "inside");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn size_is_capped_before_and_after_decompression() {
    let server = Server::start(|path| match path {
        "/plain" => response(200, &[], vec![b'a'; 1001]),
        "/chunked" => {
            response(200, &[], Body::from_stream(futures::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b'a'; 100]))))
        }
        "/fits" => response(200, &[("content-encoding", "gzip"), ("content-type", "text/plain")], gzip(&[b'a'; 1000])),
        "/bomb" => response(200, &[("content-encoding", "gzip")], gzip(&vec![0; 64 << 20])),
        "/corrupt" => response(200, &[("content-encoding", "gzip")], "this is no gzip at all"),
        _ => response(200, &[("content-encoding", "gzip")], gzip(&[b'a'; 1000])[..20].to_vec()),
    })
    .await;
    let tool = tool(&[server.address]);
    let get = |path: &str| json!({"url": server.url(path), "maxBytes": 1000});
    for path in ["/plain", "/chunked", "/bomb"] {
        let failure = call(&tool, get(path)).await.unwrap_err();
        assert_eq!(failure.code, FailureCode::TooLarge, "{path}: {failure}");
        assert!(failure.message.contains("more than 1000 bytes"), "{failure}");
    }
    assert_eq!(call(&tool, get("/fits")).await.unwrap()["content"], "a".repeat(1000));
    let mut head = get("/plain");
    head["method"] = json!("HEAD");
    let output = call(&tool, head).await.unwrap();
    assert_eq!((&output["headers"]["content-length"], &output["content"]), (&json!("1001"), &json!("")), "the length of nothing");
    assert_eq!(call(&tool, get("/corrupt")).await.unwrap_err().code, FailureCode::Malformed);
    assert_eq!(call(&tool, get("/truncated")).await.unwrap_err().code, FailureCode::StreamCut);
}

#[tokio::test]
async fn broken_connections_are_told_apart() {
    use FailureCode::*;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let failure = call(&tool(&[closed]), json!({"url": format!("http://{closed}/")})).await.unwrap_err();
    assert!(failure.code == Connection && failure.message.contains("refused"), "{failure}");

    let table: [(&'static [u8], FailureCode); 6] = [
        (b"", Connection),
        (b"HTTP/1.1 200 OK\r\nContent-Le", Connection),
        (b"SSH-2.0-OpenSSH_9.6\r\n", Connection),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", StreamCut),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", StreamCut),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 100\r\n\r\n\x1f\x8b\x08\x00", StreamCut),
    ];
    for (bytes, code) in table {
        let address = raw_server(bytes).await;
        let failure = call(&tool(&[address]), json!({"url": format!("http://{address}/a?key=hidden")})).await.unwrap_err();
        assert_eq!(failure.code, code, "{:?}: {failure}", String::from_utf8_lossy(bytes));
        assert!(failure.message.contains(&format!("http://{address}/a")) && !failure.message.contains("hidden"), "{failure}");
    }
}

#[tokio::test]
async fn a_hang_ends_at_the_deadline() {
    // The first never answers, the second never ends.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endless = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addresses = [silent.local_addr().unwrap(), endless.local_addr().unwrap()];
    tokio::spawn(async move {
        let (mut stream, _) = endless.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").await;
        std::future::pending::<()>().await;
    });
    let tool = tool(&addresses);
    for address in addresses {
        let failure =
            tool.call(&call_of(json!({"url": format!("http://{address}/")}), json!({})), &context(100)).await.unwrap_err();
        assert_eq!(failure.code, FailureCode::Timeout, "{failure}");
        assert!(failure.message.contains("100 ms") && failure.message.contains("timeoutSeconds"), "{failure}");
    }
}

#[tokio::test]
async fn dropping_the_call_closes_the_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move { call(&tool(&[address]), json!({"url": format!("http://{address}/")})).await });
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut request = vec![0; 4096];
    assert!(stream.read(&mut request).await.unwrap() > 0);
    task.abort();
    // A test that hangs here has found a connection that outlives its call.
    let end = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut request)).await;
    assert_eq!(end.expect("the connection stayed open").unwrap_or(0), 0);
}

#[tokio::test]
async fn the_idempotency_key_is_the_same_for_every_attempt() {
    let server = Server::start(|_| response(503, &[], "")).await;
    let tool = tool(&[server.address]);
    for attempt in 1..=3 {
        let call = call_of(json!({"url": server.url("/x"), "body": {"pay": 1}}), json!({}));
        let failure = tool.call(&call, &CallContext { attempt, ..context(10_000) }).await.unwrap_err();
        assert!(failure.code.is_transient());
    }
    let keys: Vec<String> = server.seen().iter().map(|seen| seen.headers["idempotency-key"].clone()).collect();
    assert_eq!(keys, ["run/step/1"; 3], "one request per attempt, and nothing is retried behind the engine's back");

    // An author's own key wins, and a key that no header can carry does no harm.
    let config = json!({"url": server.url("/x"), "headers": {"Idempotency-Key": "mine"}, "failOnStatus": false});
    call(&tool, config).await.unwrap();
    assert_eq!(server.seen().pop().unwrap().headers["idempotency-key"], "mine");
    let odd = CallContext { idempotency_key: "a\nb".into(), ..context(10_000) };
    tool.call(&call_of(json!({"url": server.url("/x"), "failOnStatus": false}), json!({})), &odd).await.unwrap();
    assert!(!server.seen().pop().unwrap().headers.contains_key("idempotency-key"));
}

#[tokio::test]
async fn text_is_decoded_and_binary_is_base64() {
    let table: Vec<(&str, &[u8], &str, bool)> = vec![
        ("text/plain; charset=utf-8", "grün".as_bytes(), "grün", true),
        ("text/plain; charset=ISO-8859-1", b"gr\xfcn", "grün", true),
        ("text/plain;charset=\"Shift_JIS\"", b"\x93\xfa\x96{", "日本", true),
        ("text/html", b"gr\xfcn \x80", "grün €", true),
        ("text/plain; charset=nonsense", "grün".as_bytes(), "grün", true),
        ("", "grün".as_bytes(), "grün", true),
        ("text/plain", b"\xef\xbb\xbfa", "a", true),
        ("application/octet-stream", b"\xff\xfea\0b\0", "ab", true),
        ("application/octet-stream", b"a,b\n1,2\n", "a,b\n1,2\n", true),
        ("application/json", b"{\"a\": \"gr\xfcn\"}", "{\"a\": \"grün\"}", true),
        ("image/png", b"\x89PNG\r\n\x1a\n\0", "iVBORw0KGgoA", false),
        ("", b"a\0b", "YQBi", false),
        ("text/plain", b"", "", true),
    ];
    let bodies: Arc<Vec<(String, Vec<u8>)>> = Arc::new(table.iter().map(|row| (row.0.to_owned(), row.1.to_vec())).collect());
    let server = Server::start(move |path| {
        let (content_type, body) = &bodies[path[1..].parse::<usize>().unwrap()];
        let headers: &[(&str, &str)] = if content_type.is_empty() { &[] } else { &[("content-type", content_type)] };
        response(200, headers, body.clone())
    })
    .await;
    let tool = tool(&[server.address]);
    for (index, (content_type, bytes, content, is_text)) in table.iter().enumerate() {
        let output = call(&tool, json!({"url": server.url(&format!("/{index}"))})).await.unwrap();
        assert_eq!(output["content"], *content, "{content_type} {bytes:?}");
        assert_eq!(
            output.get("contentEncoding"),
            if *is_text { None } else { Some(json!("base64")) }.as_ref(),
            "{content_type} {bytes:?}"
        );
    }
}

#[tokio::test]
async fn json_is_parsed_only_where_it_is_json() {
    let server = Server::start(|path| match path {
        "/problem" => response(200, &[("content-type", "application/problem+json; charset=utf-8")], "{\"a\":1}"),
        "/broken" => response(200, &[("content-type", "application/json")], "{\"a\":"),
        "/deep" => response(200, &[("content-type", "application/json")], "[".repeat(1_000_000)),
        "/empty" => response(200, &[("content-type", "application/json")], ""),
        "/large" => response(200, &[("content-type", "application/json")], format!("[{}0]", "1,".repeat(1 << 20))),
        _ => response(200, &[("content-type", "text/plain")], "{\"a\":1}"),
    })
    .await;
    let tool = tool(&[server.address]);
    for path in ["/problem", "/broken", "/deep", "/empty", "/large", "/text"] {
        let output = call(&tool, json!({"url": server.url(path)})).await.unwrap();
        let parsed = output.get("json").map(|value| value.as_array().map_or(value.clone(), |items| json!(items.len())));
        let expected = match path {
            "/problem" => Some(json!({"a": 1})),
            "/large" => Some(json!((1 << 20) + 1)),
            _ => None,
        };
        assert_eq!(parsed, expected, "{path}");
    }
}

#[tokio::test]
async fn secrets_go_out_and_never_come_back() {
    let secret = "t0p/s3cret&value";
    let server = Server::start(move |path| {
        let echo = format!("{{\"echo\":\"Bearer t0p/s3cret&value\",\"t0p/s3cret&value\":[\"{path}\"]}}");
        match path.split('?').next().unwrap() {
            "/fail" => response(400, &[], format!("bad key {}{}", "x".repeat(480), "t0p/s3cret&value")),
            "/binary" => response(200, &[], b"\xff\0t0p/s3cret&value".to_vec()),
            "/redirect" => response(302, &[("location", "http://[t0p/s3cret&value")], ""),
            _ => response(200, &[("content-type", "application/json"), ("x-echo", "t0p/s3cret&value")], echo),
        }
    })
    .await;
    let tool = tool(&[server.address]);
    let with = |path: &str| {
        json!({
            "url": server.url(path),
            "headers": {"Authorization": {"$secret": "token", "prefix": "Bearer "}},
            "query": {"key": {"$secret": "token"}},
            "body": {"key": {"$secret": "token"}, "data": [{"$secret": "other"}]},
        })
    };
    // As rendered: the second reference under `body` came out of a binding, so the document does not name it.
    let mut from_data = call_of(with("/echo"), json!({}));
    from_data.secrets.retain(|pointer| pointer != "/body/data/0");
    let output = tool.call(&from_data, &context(10_000)).await.unwrap();
    let seen = server.seen().pop().unwrap();
    assert_eq!(seen.headers["authorization"], format!("Bearer {secret}"));
    assert_eq!(seen.body, r#"{"key":"t0p/s3cret&value","data":[{"$secret":"other"}]}"#);
    assert_eq!(output["headers"]["x-echo"], "[secret:token]");
    assert_eq!(output["json"]["echo"], "Bearer [secret:token]");
    assert_eq!(output["json"]["[secret:token]"], json!(["/echo?key=[secret:token]"]));

    let binary = call(&tool, with("/binary")).await.unwrap();
    assert_eq!(binary["contentEncoding"], "base64");
    assert_eq!(STANDARD.decode(binary["content"].as_str().unwrap()).unwrap(), b"\xff\0[secret:token]");
    let failures = [
        call(&tool, with("/fail")).await.unwrap_err(),
        call(&tool, with("/redirect")).await.unwrap_err(),
        call(&tool, json!({"url": {"$secret": "token"}})).await.unwrap_err(),
        call(&tool, json!({"url": "http://example.com", "maxBytes": {"$secret": "token"}})).await.unwrap_err(),
        call(&tool, json!({"url": "http://example.com", "method": {"$secret": "token"}})).await.unwrap_err(),
    ];
    for text in failures.iter().map(|failure| failure.message.clone()).chain([output.to_string()]) {
        for part in [secret, "t0p%2Fs3cret", "s3cr", "dDBwL3MzY3JldCZ2YWx1ZQ"] {
            assert!(!text.contains(part), "{text}");
        }
    }
    assert!(failures[0].message.contains("[secret:"), "{}", failures[0]);
}

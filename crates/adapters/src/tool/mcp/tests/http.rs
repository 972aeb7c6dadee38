use super::server::{Reply, reply};
use super::*;
use crate::secrets::SecretSetting;
use ::http::{HeaderMap, StatusCode, header};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};

/// A server on loopback.
#[derive(Default)]
struct Probe {
    grown: Mutex<bool>,
    /// Answers everything with this status, unless it is 0.
    status: AtomicU16,
    /// The current session; another number is unknown.
    session: AtomicU32,
    authorization: Mutex<Option<String>>,
}

async fn answer(State(probe): State<Arc<Probe>>, headers: HeaderMap, body: Bytes) -> Response {
    let status = probe.status.load(Ordering::SeqCst);
    if status != 0 {
        return StatusCode::from_u16(status).unwrap().into_response();
    }
    *probe.authorization.lock().unwrap() = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    let request: Value = serde_json::from_slice(&body).unwrap();
    let session = probe.session.load(Ordering::SeqCst).to_string();
    if request["method"] != "initialize" && headers.get("mcp-session-id").is_none_or(|id| id != session.as_str()) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let Some(id) = request.get("id") else { return StatusCode::ACCEPTED.into_response() };
    let reply = reply(&request, &mut probe.grown.lock().unwrap());
    let body = match reply {
        Reply::Result(result) | Reply::Notify(_, result) | Reply::Raw(_, result) => {
            json!({"jsonrpc": "2.0", "id": id, "result": result})
        }
        Reply::Error(code, message) => json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}),
        Reply::Only(bytes) => return ([(header::CONTENT_TYPE, "text/html")], bytes).into_response(),
        Reply::Silence | Reply::Crash => {
            tokio::time::sleep(Duration::from_secs(600)).await;
            return StatusCode::OK.into_response();
        }
    };
    let headers =
        [(header::CONTENT_TYPE, "application/json".to_owned()), (header::HeaderName::from_static("mcp-session-id"), session)];
    (headers, body.to_string()).into_response()
}

async fn serve() -> (Arc<Probe>, Url) {
    let probe = Arc::new(Probe::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/mcp", listener.local_addr().unwrap())).unwrap();
    let app = Router::new().route("/mcp", post(answer)).with_state(probe.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (probe, url)
}

fn server(url: Url, allow_private: bool) -> McpServer {
    let secret = Setting::Secret(SecretSetting { env: "key".to_owned(), prefix: "Bearer ".to_owned() });
    let headers = BTreeMap::from([("Authorization".to_owned(), secret)]);
    McpServer::new(settings(McpTransport::Http { url, headers }), surroundings(allow_private))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tools_are_listed_and_called_over_http() {
    let (probe, url) = serve().await;
    let server = server(url, true);
    let described = server.find("mcp.probe.echo").unwrap().look_up().await.unwrap();
    assert_eq!(described.effect, Effect::ReadOnly);
    assert_eq!(server.list().len(), 14);
    let echoed = call(&server, "echo", json!({"a": 1})).await.unwrap();
    assert_eq!((&echoed["arguments"], &echoed["meta"]["idempotencyKey"]), (&json!({"a": 1}), &json!("run/step/1")));
    assert_eq!(probe.authorization.lock().unwrap().as_deref(), Some("Bearer s3cr3t-value"));

    for (tool, expected) in [("fail", "no such issue"), ("refuse", "the arguments are odd"), ("liar", "its own schema")] {
        let failure = call(&server, tool, json!({})).await.unwrap_err();
        assert!(failure.message.contains(expected), "{tool}: {failure}");
    }
    let late = call_within(&server, "hang", json!({}), 200).await.unwrap_err();
    assert!(late.code == FailureCode::Timeout && late.message.contains("within 200 ms"), "{late:?}");
    assert_eq!(call(&server, "text", json!({})).await.unwrap(), json!("one\n[2]"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_guard_judges_the_address() {
    let (_probe, url) = serve().await;
    let failure = call(&server(url, false), "text", json!({})).await.unwrap_err();
    assert!(failure.code == FailureCode::AddressRefused && failure.message.contains("127.0.0.1"), "{failure:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_refuses_or_is_not_there_is_told() {
    for (status, code) in [
        (401, FailureCode::Unauthorized),
        (403, FailureCode::Unauthorized),
        (404, FailureCode::BadRequest),
        (429, FailureCode::RateLimited),
        (503, FailureCode::ServerError),
    ] {
        let (probe, url) = serve().await;
        probe.status.store(status, Ordering::SeqCst);
        let failure = call(&server(url, true), "text", json!({})).await.unwrap_err();
        assert!(failure.code == code && failure.message.contains("status"), "{status}: {failure:?}");
        assert!(failure.message.contains("could not be reached at http://127.0.0.1:"), "{failure}");
    }
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let failure = call(&server(Url::parse(&format!("http://{nobody}/")).unwrap(), true), "text", json!({})).await.unwrap_err();
    assert!(failure.code == FailureCode::Connection && failure.message.contains("no connection could be made"), "{failure:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_restarted_or_breaks_in_between_is_connected_to_again() {
    let (probe, url) = serve().await;
    let server = server(url, true);
    call(&server, "text", json!({})).await.unwrap();
    // It has forgotten the session.
    probe.session.store(1, Ordering::SeqCst);
    assert_eq!(call(&server, "text", json!({})).await.unwrap(), json!("one\n[2]"));

    probe.status.store(500, Ordering::SeqCst);
    let failure = call(&server, "text", json!({})).await.unwrap_err();
    assert!(failure.code == FailureCode::ServerError && failure.message.contains("status 500"), "{failure:?}");
    probe.status.store(0, Ordering::SeqCst);
    assert_eq!(call(&server, "text", json!({})).await.unwrap(), json!("one\n[2]"));

    let failure = call(&server, "giant", json!({})).await.unwrap_err();
    assert!(failure.code == FailureCode::TooLarge && failure.message.contains("more than 1000000 bytes"), "{failure:?}");
}

//! The other side of the wire: one loopback server that speaks both model protocols and serves everything else as plain HTTP, in
//! the way a test scripts it. It remembers every call, and whether the caller waited for the end of the answer.

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use std::io;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// What a call was for, by its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    OpenAi,
    Anthropic,
    Http,
}

#[derive(Clone, Debug)]
pub struct Call {
    pub to: To,
    /// With the query.
    pub path: String,
    pub headers: HeaderMap,
    /// `null` where it is not JSON.
    pub body: Value,
    /// The `Idempotency-Key`.
    pub key: String,
    pub at: Instant,
    end: Arc<OnceLock<(End, Instant)>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Everything that the script says was sent.
    Sent,
    /// The caller went away before.
    Abandoned,
}

impl Call {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The text of the last user message.
    pub fn prompt(&self) -> &str {
        let messages = self.body["messages"].as_array();
        let user = messages.into_iter().flatten().rfind(|message| message["role"] == "user");
        user.and_then(|message| message["content"].as_str()).unwrap_or_default()
    }

    pub fn end(&self) -> Option<(End, Instant)> {
        self.end.get().copied()
    }
}

/// Token counts of an answer. `input` and `output` include the parts of them.
#[derive(Clone, Copy, Debug)]
pub struct Tokens {
    pub input: u64,
    pub cache_read: u64,
    pub cache_write: u64,
    pub output: u64,
    pub reasoning: u64,
}

impl Tokens {
    pub fn plain(input: u64, output: u64) -> Tokens {
        Tokens { input, cache_read: 0, cache_write: 0, output, reasoning: 0 }
    }
}

/// What a call gets.
#[derive(Clone, Debug)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    /// Before the status.
    wait: Duration,
    /// Before every frame but the first.
    frames: Vec<Bytes>,
    then: Then,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Finish,
    /// The connection breaks.
    Break,
    /// Nothing more comes, and the connection stays.
    Hang,
    /// The frames come again and again.
    Repeat,
    /// Not even a status comes.
    Silence,
}

impl Reply {
    /// A model's answer, streamed in the protocol of the call.
    pub fn says(call: &Call, text: &str, tokens: Tokens) -> Reply {
        Reply::frames("text/event-stream", frames(call.to, text, tokens))
    }

    pub fn status(status: u16, body: impl Into<String>) -> Reply {
        let mut reply = Reply::frames("application/json", vec![Bytes::from(body.into())]);
        reply.status = status;
        reply
    }

    /// An error in the form of both providers.
    pub fn error(status: u16, kind: &str, message: &str) -> Reply {
        Reply::status(status, json!({"type": "error", "error": {"type": kind, "message": message}}).to_string())
    }

    pub fn text(body: impl Into<String>) -> Reply {
        Reply::frames("text/plain; charset=utf-8", vec![Bytes::from(body.into())])
    }

    pub fn json(body: &Value) -> Reply {
        Reply::frames("application/json", vec![Bytes::from(body.to_string())])
    }

    /// HTTP 200 with these bytes.
    pub fn frames(content_type: &str, frames: Vec<Bytes>) -> Reply {
        Reply {
            status: 200,
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            wait: Duration::ZERO,
            frames,
            then: Then::Finish,
        }
    }

    /// Nothing comes.
    pub fn silence() -> Reply {
        Reply { then: Then::Silence, ..Reply::text("") }
    }

    pub fn header(mut self, name: &str, value: impl ToString) -> Reply {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    pub fn after(mut self, wait: Duration) -> Reply {
        self.wait = wait;
        self
    }

    /// Only the first frames, then the connection breaks.
    pub fn cut_after(mut self, frames: usize) -> Reply {
        assert!(frames < self.frames.len(), "the answer has only {} frames", self.frames.len());
        self.frames.truncate(frames);
        self.then = Then::Break;
        self
    }

    /// Only the first frames, and the last one of them only half; then the connection closes as if all were well.
    pub fn stopped_in_frame(mut self, frame: usize) -> Reply {
        self.frames.truncate(frame + 1);
        if let Some(last) = self.frames.last_mut() {
            *last = last.slice(..last.len() / 2);
        }
        self
    }

    /// Only the first frames, then nothing for ever.
    pub fn hanging_after(mut self, frames: usize) -> Reply {
        self.frames.truncate(frames);
        self.then = Then::Hang;
        self
    }

    pub fn endless(mut self) -> Reply {
        self.then = Then::Repeat;
        self
    }

    pub fn frame_count(&self) -> usize {
        self.frames.len()
    }
}

type Answer = Arc<dyn Fn(&Call) -> Reply + Send + Sync>;

pub struct Upstream {
    pub url: String,
    calls: Arc<Mutex<Vec<Call>>>,
    /// Dropped: the server stops.
    _stop: oneshot::Sender<()>,
}

impl Upstream {
    pub fn start(answer: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Upstream {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        Upstream::on(listener, None, answer)
    }

    /// At an address that a document names. Tests take turns, also those of other test processes on this machine.
    pub fn at(address: &str, answer: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Upstream {
        let address: SocketAddr = address.parse().unwrap();
        let path = std::env::temp_dir().join(format!("flowtrace-test-port-{}.lock", address.port()));
        let lock = std::fs::File::options().create(true).write(true).truncate(false).open(&path).unwrap();
        lock.lock().unwrap();
        let listener = std::net::TcpListener::bind(address).unwrap_or_else(|error| {
            panic!(
                "{address} has to be free, because the reference document fetches from it, but listening there failed: {error}"
            )
        });
        Upstream::on(listener, Some(lock), answer)
    }

    fn on(
        listener: std::net::TcpListener,
        lock: Option<std::fs::File>,
        answer: impl Fn(&Call) -> Reply + Send + Sync + 'static,
    ) -> Upstream {
        let url = format!("http://{}", listener.local_addr().unwrap());
        listener.set_nonblocking(true).unwrap();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let answer: Answer = Arc::new(answer);
        let router = Router::new().fallback(respond).with_state((calls.clone(), answer));
        let (stop, stopped) = oneshot::channel();
        // Its own thread: tests block theirs while they wait for a process.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    served = axum::serve(listener, router).into_future() => served.unwrap(),
                    _ = stopped => {}
                }
            });
            // Only when nothing listens any more is it somebody else's turn.
            drop(runtime);
            drop(lock);
        });
        Upstream { url, calls, _stop: stop }
    }

    /// Points both providers of the process at this server.
    pub fn configure(&self, command: &mut Command) {
        command
            .env("OPENAI_BASE_URL", format!("{}/v1", self.url))
            .env("OPENAI_API_KEY", "key-for-openai-tests")
            .env("ANTHROPIC_BASE_URL", &self.url)
            .env("ANTHROPIC_API_KEY", "key-for-anthropic-tests");
    }

    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    /// Calls whose prompt or path holds this text.
    pub fn calls_about(&self, text: &str) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.path.contains(text) || call.prompt().contains(text)).collect()
    }

    /// Waits until there are so many calls about something.
    #[track_caller]
    pub fn wait_for_calls(&self, text: &str, count: usize) -> Vec<Call> {
        wait_until(&format!("{count} calls about `{text}`"), || Some(self.calls_about(text)).filter(|calls| calls.len() >= count))
    }
}

/// Asks again and again until there is an answer.
#[track_caller]
pub fn wait_until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + super::PATIENCE;
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Says how a call ended: dropped before its end, it was abandoned.
struct Ending(Arc<OnceLock<(End, Instant)>>);

impl Ending {
    fn sent(&self) {
        let _ = self.0.set((End::Sent, Instant::now()));
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.set((End::Abandoned, Instant::now()));
    }
}

async fn respond(State((calls, answer)): State<(Arc<Mutex<Vec<Call>>>, Answer)>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let to = match head.uri.path() {
        "/v1/chat/completions" => To::OpenAi,
        "/v1/messages" => To::Anthropic,
        _ => To::Http,
    };
    let Ok(body) = to_bytes(body, 64 << 20).await else { return Response::new(Body::empty()) };
    let end = Arc::new(OnceLock::new());
    let ending = Ending(end.clone());
    let call = Call {
        to,
        path: head.uri.to_string(),
        key: head.headers.get("idempotency-key").and_then(|key| key.to_str().ok()).unwrap_or_default().to_owned(),
        headers: head.headers,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
        at: Instant::now(),
        end,
    };
    calls.lock().unwrap().push(call.clone());
    let reply = answer(&call);
    tokio::time::sleep(reply.wait).await;
    if reply.then == Then::Silence {
        std::future::pending::<()>().await;
    }
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    let body = match (reply.then, reply.frames.as_slice()) {
        // With a length, as from most servers.
        (Then::Finish, [only]) => {
            ending.sent();
            Body::from(only.clone())
        }
        _ => Body::from_stream(stream(reply, ending)),
    };
    response.body(body).unwrap()
}

fn stream(reply: Reply, ending: Ending) -> impl futures::Stream<Item = io::Result<Bytes>> + Send {
    let then = reply.then;
    futures::stream::unfold((reply, ending, 0, false), move |(reply, ending, next, over)| async move {
        if over {
            return None;
        }
        let at = if then == Then::Repeat { next % reply.frames.len() } else { next };
        if let Some(frame) = reply.frames.get(at).cloned() {
            if next > 0 {
                tokio::task::yield_now().await;
            }
            return Some((Ok(frame), (reply, ending, next + 1, false)));
        }
        match then {
            Then::Hang => std::future::pending().await,
            Then::Break => {
                ending.sent();
                // What was sent should arrive before the connection breaks.
                tokio::time::sleep(Duration::from_millis(20)).await;
                Some((Err(io::Error::other("a scripted cut")), (reply, ending, next, true)))
            }
            _ => {
                ending.sent();
                None
            }
        }
    })
}

/// The text in a few pieces, at character boundaries.
fn pieces(text: &str) -> Vec<&str> {
    let size = (text.len() / 8).max(1);
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut at = size.min(rest.len());
        while !rest.is_char_boundary(at) {
            at += 1;
        }
        let (piece, more) = rest.split_at(at);
        pieces.push(piece);
        rest = more;
    }
    pieces
}

fn frames(to: To, text: &str, tokens: Tokens) -> Vec<Bytes> {
    let Tokens { input, cache_read, cache_write, output, reasoning } = tokens;
    match to {
        To::OpenAi => {
            let chunk = |choices: Value, usage: Value| {
                let chunk = json!({
                    "id": "chatcmpl-test", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-mini-2024-07-18",
                    "choices": choices, "usage": usage
                });
                Bytes::from(format!("data: {chunk}\n\n"))
            };
            let delta = |delta: Value, reason: Value| json!([{"index": 0, "delta": delta, "finish_reason": reason}]);
            let mut frames = vec![chunk(delta(json!({"role": "assistant", "content": ""}), Value::Null), Value::Null)];
            frames.extend(pieces(text).into_iter().map(|text| chunk(delta(json!({"content": text}), Value::Null), Value::Null)));
            frames.push(chunk(delta(json!({}), json!("stop")), Value::Null));
            let usage = json!({
                "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output,
                "prompt_tokens_details": {"cached_tokens": cache_read, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": reasoning}
            });
            frames.push(chunk(json!([]), usage));
            frames.push(Bytes::from("data: [DONE]\n\n"));
            frames
        }
        _ => {
            let event = |data: Value| Bytes::from(format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap()));
            let mut frames = vec![
                event(json!({"type": "message_start", "message": {
                    "id": "msg_test", "type": "message", "role": "assistant", "model": "claude-3-5-sonnet-20241022", "content": [],
                    "usage": {
                        "input_tokens": input - cache_read - cache_write, "cache_read_input_tokens": cache_read,
                        "cache_creation_input_tokens": cache_write, "output_tokens": 1
                    }
                }})),
                event(json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})),
                event(json!({"type": "ping"})),
            ];
            frames.extend(pieces(text).into_iter().map(|text| {
                event(json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}))
            }));
            frames.push(event(json!({"type": "content_block_stop", "index": 0})));
            let stop = json!({"stop_reason": "end_turn", "stop_sequence": null});
            frames.push(event(json!({"type": "message_delta", "delta": stop, "usage": {"output_tokens": output}})));
            frames.push(event(json!({"type": "message_stop"})));
            frames
        }
    }
}

//! The HTTP server of the simulator.

use super::reply::{Format, Frame, Simulated, bad_request, error};
use super::request::Wanted;
use super::script::{Fault, FaultKind, Script};
use super::{FIELD, Instructions, answer};
use axum::body::{Body, to_bytes};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinSet};

/// The longest request that is read, in bytes.
const MAX_REQUEST: usize = 64 << 20;

/// Idempotency keys whose calls are counted; the oldest are forgotten first.
const COUNTED_KEYS: usize = 20_000;

/// A hang ends by itself after this, should the client never give up.
const LONGEST_HANG: Duration = Duration::from_secs(3600);

/// Calls that [`Simulator::fail_next`] may hold in waiting.
const MAX_FORCED: usize = 1_000;

#[derive(Clone, Debug)]
pub struct SimulatorOptions {
    /// Connections at once; more wait in the listen queue.
    pub max_connections: usize,
    /// Whether an answer takes a moment where its script does not say; without it answers come at once.
    pub paced: bool,
}

impl Default for SimulatorOptions {
    fn default() -> Self {
        SimulatorOptions { max_connections: 4096, paced: true }
    }
}

/// Makes calls fail whatever their scripts say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FailNext {
    /// Only calls of this provider; absent: of any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    pub fault: Fault,
    /// How many calls; absent: one. At most 1,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}

/// What happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Requests that named an existing endpoint.
    pub calls: u64,
    /// Responses that the client let go of before their end: cancelled calls and scripted cuts.
    pub aborted: u64,
    /// Requests that are being answered now.
    pub in_flight: u64,
}

/// A running simulator. Dropping it closes the listener and every connection.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    state: Arc<State>,
    listener: AbortHandle,
}

impl Simulator {
    /// Listens on a free port of 127.0.0.1. Has to be called within a tokio runtime.
    pub async fn start(options: SimulatorOptions) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State { paced: options.paced, ..State::default() });
        let task = tokio::spawn(accept(listener, state.clone(), options.max_connections));
        Ok(Simulator { address, state, listener: task.abort_handle() })
    }

    /// `http://127.0.0.1:<port>`. OpenAI's endpoint is at `/v1/chat/completions` below it, Anthropic's at `/v1/messages`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Forces the next matching call, or calls, to fail. Returns how many forced failures wait now.
    pub fn fail_next(&self, wanted: FailNext) -> usize {
        let mut forced = lock(&self.state.forced);
        let free = MAX_FORCED.saturating_sub(forced.len());
        let times = (wanted.times.unwrap_or(1) as usize).min(free);
        forced.extend((0..times).map(|_| (wanted.provider.clone(), wanted.fault.clone())));
        forced.len()
    }

    /// How often a call with this `Idempotency-Key` came in.
    pub fn calls(&self, idempotency_key: &str) -> u32 {
        lock(&self.state.counted).by_key.get(idempotency_key).copied().unwrap_or(0)
    }

    pub fn stats(&self) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
        Stats { calls: read(&self.state.calls), aborted: read(&self.state.aborted), in_flight: read(&self.state.in_flight) }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

#[derive(Debug, Default)]
struct State {
    paced: bool,
    calls: AtomicU64,
    aborted: AtomicU64,
    in_flight: AtomicU64,
    forced: Mutex<VecDeque<(Option<String>, Fault)>>,
    counted: Mutex<Counted>,
}

#[derive(Debug, Default)]
struct Counted {
    by_key: HashMap<String, u32>,
    oldest_first: VecDeque<String>,
}

impl State {
    fn count(&self, key: &str) {
        let mut counted = lock(&self.counted);
        if let Some(calls) = counted.by_key.get_mut(key) {
            *calls += 1;
            return;
        }
        counted.by_key.insert(key.to_owned(), 1);
        counted.oldest_first.push_back(key.to_owned());
        if counted.oldest_first.len() > COUNTED_KEYS
            && let Some(oldest) = counted.oldest_first.pop_front()
        {
            counted.by_key.remove(&oldest);
        }
    }

    fn take_forced(&self, provider: &str) -> Option<Fault> {
        let mut forced = lock(&self.forced);
        let at = forced.iter().position(|(name, _)| name.as_deref().is_none_or(|name| name == provider))?;
        forced.remove(at).map(|(_, fault)| fault)
    }
}

/// Nothing behind these locks can be left half done, so a panic elsewhere does not spoil them.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts a response until its end; one that is dropped before counts as aborted.
struct InFlight {
    state: Arc<State>,
    finished: bool,
}

impl InFlight {
    fn new(state: &Arc<State>) -> Self {
        state.in_flight.fetch_add(1, Ordering::SeqCst);
        InFlight { state: state.clone(), finished: false }
    }

    fn finish(mut self) {
        self.finished = true;
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.state.in_flight.fetch_sub(1, Ordering::SeqCst);
        if !self.finished {
            self.state.aborted.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// The connections belong to this task: when it is aborted, they go with it.
async fn accept(listener: TcpListener, state: Arc<State>, max_connections: usize) {
    let permits = Arc::new(Semaphore::new(max_connections.max(1)));
    let mut connections = JoinSet::new();
    loop {
        let Ok(permit) = permits.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let state = state.clone();
                connections.spawn(async move {
                    serve(stream, state).await;
                    drop(permit);
                });
            }
            // Out of file descriptors, or a client that was gone at once: neither ends the server.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(stream: TcpStream, state: Arc<State>) {
    // Deltas are small and should arrive when they are sent.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| respond(request, state.clone()));
    // Errors here are clients that went away and scripted cuts.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// An error closes the connection without an answer, which is what [`FaultKind::Refuse`] wants.
async fn respond(request: Request<Incoming>, state: Arc<State>) -> io::Result<Response<Body>> {
    let format = match (request.method(), request.uri().path()) {
        (&Method::POST, "/v1/chat/completions") => Format::OpenAi,
        (&Method::POST, "/v1/messages") => Format::Anthropic,
        _ => {
            let hint = "The simulator answers POST /v1/chat/completions and POST /v1/messages.";
            return Ok(json_response(StatusCode::NOT_FOUND, &json!({"error": {"message": hint, "type": "not_found"}})));
        }
    };
    let number = state.calls.fetch_add(1, Ordering::SeqCst) + 1;
    let in_flight = InFlight::new(&state);
    let (head, body) = request.into_parts();
    if let Some(key) = head.headers.get("idempotency-key").and_then(|key| key.to_str().ok()) {
        state.count(key);
    }
    let Ok(body) = to_bytes(Body::new(body), MAX_REQUEST).await else {
        return Err(io::Error::other("the request did not arrive whole"));
    };
    let Told { wanted, script, provider, attempt, sample } = match read(format, &body) {
        Ok(read) => read,
        Err(message) => {
            in_flight.finish();
            let (status, body) = bad_request(format, &message);
            return Ok(json_response(status, &body));
        }
    };
    let fault = state.take_forced(&provider).or_else(|| script.fault(&provider, attempt).cloned());

    let simulated = Simulated::new(format, &wanted, &script, sample, number);
    let seed = answer::fingerprint(&wanted.prompt);
    let (first, rest) = if state.paced { (70 + seed % 80, 100 + (seed >> 8) % 120) } else { (0, 0) };
    let pieces = 20;
    let pace = |tokens| script.pause(tokens, Duration::from_millis(rest / pieces));
    let latency = script.latency(Duration::from_millis(first));

    let abort_after = match fault {
        None => None,
        Some(Fault { kind: Some(FaultKind::Refuse), .. }) => return Err(io::Error::other("a scripted refusal")),
        Some(Fault { kind: Some(FaultKind::Hang), .. }) => {
            tokio::time::sleep(LONGEST_HANG).await;
            return Err(io::Error::other("a scripted hang"));
        }
        Some(Fault { kind: Some(FaultKind::Empty), .. }) => {
            in_flight.finish();
            return Ok(finish(Response::builder().status(StatusCode::OK), number, Body::empty()));
        }
        Some(Fault { kind: Some(FaultKind::Malformed), .. }) => {
            in_flight.finish();
            let response = Response::builder().header(header::CONTENT_TYPE, "application/json");
            return Ok(finish(response, number, Body::from("{\"simulated\": \"this is not the end of")));
        }
        Some(Fault { kind: Some(FaultKind::Cut), .. }) => Some(()),
        Some(fault) => {
            in_flight.finish();
            let (status, body) = error(format, &fault);
            let mut response = Response::builder().status(status).header(header::CONTENT_TYPE, "application/json");
            if let Some(millis) = fault.retry_after_ms {
                response = response.header("retry-after", millis.div_ceil(1000)).header("retry-after-ms", millis);
            }
            return Ok(finish(response, number, Body::from(body.to_string())));
        }
    };

    let mut frames = match wanted.stream {
        true => simulated.stream(wanted.stream_usage || format == Format::Anthropic, pace),
        false => {
            let body = simulated.whole().to_string();
            vec![Frame { after: script.pause(simulated.tokens(), Duration::from_millis(rest)), bytes: body.into() }]
        }
    };
    if abort_after.is_some() {
        cut_in_half(&mut frames);
    }
    tokio::time::sleep(latency).await;
    let content_type = if wanted.stream { "text/event-stream; charset=utf-8" } else { "application/json" };
    let response = Response::builder().header(header::CONTENT_TYPE, content_type);
    let body = Body::from_stream(stream_of(frames, in_flight, abort_after.is_some()));
    Ok(finish(response, number, body))
}

/// Half of the frames, and half of the next one.
fn cut_in_half(frames: &mut Vec<Frame>) {
    frames.truncate(frames.len() / 2 + 1);
    if let Some(last) = frames.last_mut() {
        last.bytes.truncate(last.bytes.len() / 2);
    }
}

fn stream_of(frames: Vec<Frame>, in_flight: InFlight, abort: bool) -> impl futures::Stream<Item = io::Result<Bytes>> + Send {
    futures::stream::unfold((frames.into_iter(), in_flight, false), move |(mut frames, in_flight, over)| async move {
        if over {
            return None;
        }
        match frames.next() {
            Some(frame) => {
                if !frame.after.is_zero() {
                    tokio::time::sleep(frame.after).await;
                }
                Some((Ok(frame.bytes), (frames, in_flight, false)))
            }
            None if abort => {
                // What was sent so far has to leave before the connection breaks, or the client sees no answer at all.
                tokio::time::sleep(Duration::from_millis(2)).await;
                Some((Err(io::Error::other("a scripted cut")), (frames, in_flight, true)))
            }
            None => {
                in_flight.finish();
                None
            }
        }
    })
}

/// A request, and what the client told besides.
struct Told {
    wanted: Wanted,
    /// The script that was chosen for this request.
    script: Script,
    provider: String,
    attempt: u32,
    sample: Option<u64>,
}

fn read(format: Format, body: &[u8]) -> Result<Told, String> {
    let body: Value = serde_json::from_slice(body).map_err(|error| format!("The request is not JSON: {error}."))?;
    let wanted = Wanted::read(format, &body)?;
    let instructions = match body.get(FIELD) {
        Some(instructions) => Instructions::deserialize(instructions).map_err(|error| format!("`{FIELD}`: {error}."))?,
        None => Instructions::default(),
    };
    let Instructions { provider, attempt, sample, script } = instructions;
    let script = script.as_deref().map(Script::parse).transpose()?.unwrap_or_default().for_request(&wanted, sample);
    let default_name = match format {
        Format::OpenAi => "openai",
        Format::Anthropic => "anthropic",
    };
    let provider = provider.unwrap_or_else(|| default_name.to_owned());
    Ok(Told { wanted, script, provider, attempt: attempt.unwrap_or(1), sample })
}

fn json_response(status: StatusCode, body: &Value) -> Response<Body> {
    let response = Response::builder().status(status).header(header::CONTENT_TYPE, "application/json");
    finish(response, 0, Body::from(body.to_string()))
}

fn finish(response: http::response::Builder, number: u64, body: Body) -> Response<Body> {
    let id = format!("req_simulated_{number}");
    let response = response.header("x-flowtrace-simulated", "true").header("x-request-id", &id).header("request-id", &id);
    response.body(body).expect("every header above is valid")
}

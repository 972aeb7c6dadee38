//! One HTTP exchange with a model provider: deadlines, limits, and a sentence for everything that can go wrong.

use super::secret::{ApiKey, KeySource, redact};
use super::sse::SseParser;
use super::wire::{Reply, Wire, WireError, code_for_error_type};
use crate::retry_after::retry_after_ms;
use flowtrace_core::call::ModelAnswer;
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_engine::port::provider::{CallContext, OnDelta};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::Value;
use std::error::Error as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// The longest answer that is read, in bytes of its body.
pub const MAX_BODY: usize = 32 << 20;

/// The longest single stream event, in bytes.
pub const MAX_EVENT: usize = 8 << 20;

/// How much of an error answer is read, in bytes.
const MAX_ERROR_BODY: usize = 64 << 10;

/// How long an error answer may take after its status, so that the status is reported in any case.
const ERROR_BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// An address that does not accept a connection by then counts as unreachable.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Kept connections are closed by then. Several servers close theirs after five seconds without a word, and a request that meets the
/// closing fails; a new connection costs little beside a model's answer.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// Keeps a connection alive on which a model thinks for minutes without sending a byte.
const TCP_KEEPALIVE: Duration = Duration::from_secs(30);

/// How long the end of the body may take after the stream's end marker; reading it keeps the connection for the next call.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(20);

/// Characters of an upstream's own message that are kept.
const MESSAGE_CHARS: usize = 500;

/// The connections to all providers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct HttpClient(reqwest::Client);

impl HttpClient {
    /// Follows no redirects (a key must not travel to another host) and ignores proxy variables of the environment.
    pub fn new() -> Result<Self, Failure> {
        reqwest::Client::builder()
            .no_proxy()
            // A compressed stream may be held back until a block of it is full.
            .no_gzip()
            .redirect(reqwest::redirect::Policy::none())
            .tcp_nodelay(true)
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_keepalive(TCP_KEEPALIVE)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .user_agent(concat!("flowtrace/", env!("CARGO_PKG_VERSION")))
            .build()
            .map(HttpClient)
            .map_err(|error| {
                Failure::new(FailureCode::Internal, format!("The HTTP client could not be set up: {}.", chain(&error)))
            })
    }

    pub fn post(&self, url: &str) -> reqwest::RequestBuilder {
        self.0.post(url)
    }
}

/// Who is called, for headers and sentences.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// The provider's name.
    pub name: String,
    pub key: KeySource,
    /// What to check when the key is refused: `OPENAI_API_KEY`.
    pub key_setting: String,
    pub simulated: bool,
}

/// Sends the request and decodes the answer. Dropping the future closes the connection.
pub async fn exchange<W: Wire>(
    upstream: &Upstream,
    key: Option<&ApiKey>,
    model: &str,
    request: reqwest::RequestBuilder,
    context: &CallContext,
    wire: W,
    on_delta: OnDelta<'_>,
) -> Result<ModelAnswer, Failure> {
    let request = request
        .header("idempotency-key", header_text(&context.idempotency_key))
        .header("traceparent", header_text(&context.traceparent));
    let call =
        Exchange { upstream, key, model, started: Instant::now(), received: AtomicU64::new(0), first_token: OnceLock::new() };
    match tokio::time::timeout(Duration::from_millis(context.timeout_ms), call.run(request, wire, on_delta)).await {
        Ok(result) => result,
        Err(_) => Err(call.timed_out(context.timeout_ms)),
    }
}

/// A header cannot carry control characters or raw non-ASCII text, and step names may: such bytes are percent-encoded.
pub fn header_text(text: &str) -> HeaderValue {
    let mut safe = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' '..=b'~' => safe.push(char::from(byte)),
            _ => safe.push_str(&format!("%{byte:02X}")),
        }
    }
    HeaderValue::from_str(&safe).expect("only printable ASCII is left")
}

struct Exchange<'a> {
    upstream: &'a Upstream,
    /// The key that the request carries.
    key: Option<&'a ApiKey>,
    model: &'a str,
    started: Instant,
    /// Bytes of the answer's body so far, for the sentence of a timeout.
    received: AtomicU64,
    /// Milliseconds from the request to the first piece of the answer.
    first_token: OnceLock<f64>,
}

impl Exchange<'_> {
    async fn run<W: Wire>(
        &self,
        request: reqwest::RequestBuilder,
        mut wire: W,
        on_delta: OnDelta<'_>,
    ) -> Result<ModelAnswer, Failure> {
        let response = request.send().await.map_err(|error| self.not_sent(error))?;
        let status = response.status();
        let request_id = request_id(response.headers());
        if status != StatusCode::OK {
            return Err(self.refused(status, response, request_id).await);
        }

        let mut on_text = |text: &str| {
            if !text.is_empty() {
                on_delta(text);
            }
        };
        // Some compatible servers give their streams no type or a wrong one, so only what cannot be a stream is told apart.
        let result = match content_type(response.headers()) {
            kind if kind.contains("json") => self.read_whole(response, &mut wire, &mut on_text).await,
            kind if kind.contains("html") => {
                Err(WireError::malformed("answered HTTP 200 with a web page: its base URL does not lead to the API"))
            }
            _ => self.read_stream(response, &mut wire, &mut on_text).await,
        };
        let reply = result.and_then(|()| wire.reply());
        let reply =
            reply.map_err(|error| self.failure(error).with_status(status.as_u16()).with_request_id(request_id.clone()))?;
        Ok(self.answer(reply, request_id))
    }

    fn answer(&self, reply: Reply, upstream_request_id: Option<String>) -> ModelAnswer {
        ModelAnswer {
            text: reply.text,
            tool_calls: reply.tool_calls,
            model: reply.model.unwrap_or_else(|| self.model.to_owned()),
            finish_reason: reply.finish_reason,
            usage: reply.usage,
            raw_usage: reply.raw_usage,
            upstream_request_id,
            first_token_ms: self.first_token.get().copied(),
            simulated: self.upstream.simulated,
        }
    }

    async fn read_stream<W: Wire>(
        &self,
        mut response: reqwest::Response,
        wire: &mut W,
        on_text: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(), WireError> {
        let mut parser = SseParser::new(MAX_EVENT);
        let mut total = 0;
        while !wire.is_done() {
            let Some(chunk) = response.chunk().await.map_err(|error| self.cut(&error))? else { break };
            total += chunk.len();
            self.received.store(total as u64, Ordering::Relaxed);
            if total > MAX_BODY {
                return Err(too_large());
            }
            parser.push(&chunk, &mut |event| {
                wire.event(&event, on_text)?;
                self.note_first_token(wire);
                Ok::<(), WireError>(())
            })?;
        }
        if wire.is_done() {
            let rest = async { while let Ok(Some(_)) = response.chunk().await {} };
            // Nothing that follows the end marker matters; a server that keeps the line open only loses the connection.
            let _ = tokio::time::timeout(DRAIN_TIMEOUT, rest).await;
            return Ok(());
        }
        if total == 0 {
            return Err(WireError::malformed("answered HTTP 200 with an empty body"));
        }
        Err(WireError::new(FailureCode::StreamCut, format!("closed the stream after {total} bytes, before its end marker")))
    }

    async fn read_whole<W: Wire>(
        &self,
        mut response: reqwest::Response,
        wire: &mut W,
        on_text: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(), WireError> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.cut(&error))? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
            self.received.store(body.len() as u64, Ordering::Relaxed);
        }
        if body.is_empty() {
            return Err(WireError::malformed("answered HTTP 200 with an empty body"));
        }
        let body: Value = serde_json::from_slice(&body)
            .map_err(|error| WireError::malformed(format!("answered HTTP 200 with a body that is not JSON ({error})")))?;
        wire.whole(&body, on_text)?;
        self.note_first_token(wire);
        Ok(())
    }

    /// An answer that only calls tools has a first token too.
    fn note_first_token(&self, wire: &impl Wire) {
        if wire.has_begun() {
            // Whole microseconds: more digits would be noise.
            self.first_token.get_or_init(|| self.started.elapsed().as_micros() as f64 / 1000.0);
        }
    }

    fn cut(&self, error: &reqwest::Error) -> WireError {
        let received = self.received.load(Ordering::Relaxed);
        WireError::new(
            FailureCode::StreamCut,
            format!("lost the connection after {received} bytes of the answer ({})", chain(error)),
        )
    }

    fn failure(&self, error: WireError) -> Failure {
        let detail = cut_text(&redact(&error.detail, self.key));
        Failure::new(error.code, format!("{} {detail} (model {}).", self.upstream.name, self.model))
    }

    /// No answer at all: refused, reset, unknown host, TLS, or a request that could not even be written.
    fn not_sent(&self, error: reqwest::Error) -> Failure {
        let name = &self.upstream.name;
        if error.is_builder() {
            let message = format!("The request to {name} could not be built ({}). Check its base URL and key.", chain(&error));
            return Failure::new(FailureCode::NotConfigured, redact(&message, self.key));
        }
        let host = error.url().map(host_of).unwrap_or_default();
        let what = if error.is_connect() { "could not be reached" } else { "closed the connection without an answer" };
        let message = format!("{name}{host} {what} (model {}): {}.", self.model, chain(&error));
        Failure::new(FailureCode::Connection, redact(&message, self.key))
    }

    fn timed_out(&self, timeout_ms: u64) -> Failure {
        let name = &self.upstream.name;
        let message = match self.received.load(Ordering::Relaxed) {
            0 => format!("{name} did not send a byte of an answer within {timeout_ms} ms (model {}).", self.model),
            bytes => format!(
                "{name} sent {bytes} bytes but did not finish its answer within {timeout_ms} ms (model {}). \
                 Raise the node's timeout for long answers.",
                self.model
            ),
        };
        Failure::new(FailureCode::Timeout, message)
    }

    /// An answer with a status other than 200.
    async fn refused(&self, status: StatusCode, response: reqwest::Response, request_id: Option<String>) -> Failure {
        let retry_after = retry_after_ms(response.headers(), SystemTime::now());
        let body = tokio::time::timeout(ERROR_BODY_TIMEOUT, error_body(response)).await.unwrap_or_default();
        let error = UpstreamError::read(&body);
        let code = code_for_status(status, error.kind.as_deref());
        let mut message = format!("{} answered HTTP {}", self.upstream.name, status.as_u16());
        if let Some(kind) = &error.kind {
            message.push_str(&format!(" ({kind})"));
        }
        message.push_str(&format!(" for model {}", self.model));
        match error.message {
            Some(text) => {
                let text = cut_text(&redact(&text, self.key));
                message.push_str(&format!(": {}", end_sentence(&text)));
            }
            None => message.push('.'),
        }
        if let Some(advice) = self.advice(status) {
            message.push(' ');
            message.push_str(&advice);
        }
        Failure::new(code, message).with_status(status.as_u16()).with_retry_after_ms(retry_after).with_request_id(request_id)
    }

    fn advice(&self, status: StatusCode) -> Option<String> {
        Some(match status.as_u16() {
            300..=399 => "Redirects are not followed: set the base URL to the final address.".to_owned(),
            401 | 403 => format!("Check {}.", self.upstream.key_setting),
            404 => "Check the model's name (it may be retired) and the provider's base URL.".to_owned(),
            _ => return None,
        })
    }
}

fn too_large() -> WireError {
    WireError::new(FailureCode::TooLarge, format!("sent more than {MAX_BODY} bytes"))
}

/// 408, 409 and 425 are about the moment and not about the request, so they count as the server's trouble. 529 is
/// Anthropic's "overloaded", which the failure codes put beside 429.
fn code_for_status(status: StatusCode, kind: Option<&str>) -> FailureCode {
    match status.as_u16() {
        429 | 529 => FailureCode::RateLimited,
        401..=403 => FailureCode::Unauthorized,
        408 => FailureCode::Timeout,
        409 | 425 | 500..=599 => match kind.and_then(code_for_error_type) {
            Some(FailureCode::RateLimited) => FailureCode::RateLimited,
            _ => FailureCode::ServerError,
        },
        400 if kind.and_then(code_for_error_type) == Some(FailureCode::ContentFiltered) => FailureCode::ContentFiltered,
        // A 2xx that is not 200 and a 1xx promise no answer of the protocol.
        100..=299 => FailureCode::Malformed,
        _ => FailureCode::BadRequest,
    }
}

/// What an error answer says about itself.
#[derive(Debug, Default, PartialEq)]
struct UpstreamError {
    kind: Option<String>,
    message: Option<String>,
}

impl UpstreamError {
    /// Knows `{"error": {"message", "type", "code"}}` of both wire formats, the flatter forms of compatible servers, and text.
    fn read(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let Ok(json) = serde_json::from_str::<Value>(&text) else {
            let words: Vec<&str> = text.split_whitespace().collect();
            return UpstreamError { kind: None, message: (!words.is_empty()).then(|| words.join(" ")) };
        };
        let error = json.get("error").unwrap_or(&json);
        let field = |name| error.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let message = field("message").or(error.as_str()).or(field("detail")).map(str::to_owned);
        let kind = field("code").or(field("type")).map(|kind| kind.chars().take(80).collect());
        UpstreamError { kind, message: message.or_else(|| Some(json.to_string())) }
    }
}

async fn error_body(mut response: reqwest::Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() >= MAX_ERROR_BODY {
            body.truncate(MAX_ERROR_BODY);
            break;
        }
    }
    body
}

fn content_type(headers: &HeaderMap) -> String {
    let value = headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_ascii_lowercase()
}

/// Anthropic says `request-id`, OpenAI and most others `x-request-id`.
fn request_id(headers: &HeaderMap) -> Option<String> {
    let value = ["request-id", "x-request-id"].into_iter().find_map(|name| headers.get(name)?.to_str().ok())?;
    Some(value.chars().take(200).collect())
}

fn host_of(url: &reqwest::Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!(" ({}{port})", url.host_str().unwrap_or_default())
}

/// An error with its causes, without the URL.
fn chain(error: &reqwest::Error) -> String {
    let mut text = match error.source() {
        Some(_) => String::new(),
        None => error.to_string(),
    };
    let mut source = error.source();
    while let Some(error) = source {
        let part = error.to_string();
        if !text.ends_with(&part) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&part);
        }
        source = error.source();
    }
    cut_text(&text)
}

fn cut_text(text: &str) -> String {
    match text.char_indices().nth(MESSAGE_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn end_sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?', '…']) { text.to_owned() } else { format!("{text}.") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses() {
        use FailureCode::*;
        let table = [
            (429, None, RateLimited),
            (429, Some("insufficient_quota"), RateLimited),
            (529, Some("overloaded_error"), RateLimited),
            (500, None, ServerError),
            (502, None, ServerError),
            (503, Some("overloaded_error"), RateLimited),
            (503, None, ServerError),
            (504, None, ServerError),
            (408, None, Timeout),
            (409, None, ServerError),
            (400, None, BadRequest),
            (400, Some("content_filter"), ContentFiltered),
            (404, None, BadRequest),
            (413, None, BadRequest),
            (422, None, BadRequest),
            (401, None, Unauthorized),
            (403, None, Unauthorized),
            (402, None, Unauthorized),
            (307, None, BadRequest),
            (204, None, Malformed),
        ];
        for (status, kind, expected) in table {
            assert_eq!(code_for_status(StatusCode::from_u16(status).unwrap(), kind), expected, "{status} {kind:?}");
        }
    }

    #[test]
    fn error_bodies() {
        let table = [
            (
                r#"{"error":{"message":"Slow down","type":"requests","code":"rate_limit_exceeded"}}"#,
                Some("rate_limit_exceeded"),
                "Slow down",
            ),
            (
                r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
                Some("overloaded_error"),
                "Overloaded",
            ),
            (r#"{"error":"model not found"}"#, None, "model not found"),
            (r#"{"object":"error","message":"bad","type":"BadRequestError","code":400}"#, Some("BadRequestError"), "bad"),
            (r#"{"detail":"Not Found"}"#, None, "Not Found"),
            (r#"{"x":1}"#, None, r#"{"x":1}"#),
            ("<html>\n  bad   gateway</html>", None, "<html> bad gateway</html>"),
        ];
        for (body, kind, message) in table {
            let expected = UpstreamError { kind: kind.map(str::to_owned), message: Some(message.to_owned()) };
            assert_eq!(UpstreamError::read(body.as_bytes()), expected, "{body}");
        }
        assert_eq!(UpstreamError::read(b"  "), UpstreamError::default());
        assert_eq!(UpstreamError::read(b"\xFF").message.as_deref(), Some("\u{FFFD}"));
    }

    #[test]
    fn header_values_are_always_valid() {
        assert_eq!(header_text("run/each[17]/sum/0"), "run/each[17]/sum/0");
        assert_eq!(header_text("é\n\u{7F}"), "%C3%A9%0A%7F");
    }

    #[test]
    fn long_messages_are_cut_between_characters() {
        let text = cut_text(&"é".repeat(MESSAGE_CHARS + 1));
        assert_eq!(text.chars().count(), MESSAGE_CHARS + 1);
        assert!(text.ends_with("é…"));
    }
}

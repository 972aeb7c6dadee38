//! What the wire formats have in common: bytes of an answer go in, a [`Reply`] or a [`WireError`] comes out. Decoders are pure,
//! so that every cut and every oddity of a stream can be tested without a network.

use super::sse::{EventTooLarge, SseEvent};
use flowtrace_core::call::ToolUse;
use flowtrace_core::failure::FailureCode;
use flowtrace_core::usage::Usage;
use serde_json::Value;

/// A complete answer, as the wire format gives it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    pub text: String,
    pub tool_calls: Vec<ToolUse>,
    /// The model that the provider says it used, if it says.
    pub model: Option<String>,
    pub finish_reason: Option<String>,
    pub usage: Option<Usage>,
    pub raw_usage: Option<Value>,
}

/// What is wrong with an answer. `detail` continues a sentence that starts with the provider's name: "openai answered …".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireError {
    pub code: FailureCode,
    pub detail: String,
}

impl WireError {
    pub fn new(code: FailureCode, detail: impl Into<String>) -> Self {
        WireError { code, detail: detail.into() }
    }

    pub fn malformed(detail: impl Into<String>) -> Self {
        WireError::new(FailureCode::Malformed, detail)
    }
}

impl From<EventTooLarge> for WireError {
    fn from(_: EventTooLarge) -> Self {
        WireError::new(FailureCode::TooLarge, "sent one stream event that is larger than the limit")
    }
}

/// A decoder of one answer.
pub trait Wire: Send {
    /// Takes the next event of a stream; new text goes to `on_text`.
    fn event(&mut self, event: &SseEvent, on_text: &mut dyn FnMut(&str)) -> Result<(), WireError>;

    /// Whether anything of the answer itself was seen: text, or a tool call.
    fn has_begun(&self) -> bool;

    /// Whether the stream's end marker was seen.
    fn is_done(&self) -> bool;

    /// Takes a whole JSON answer, from a server that does not stream.
    fn whole(&mut self, body: &Value, on_text: &mut dyn FnMut(&str)) -> Result<(), WireError>;

    /// The answer, once the end was seen.
    fn reply(self) -> Result<Reply, WireError>;
}

/// Parses the JSON of a stream event.
pub fn parse_data(data: &str) -> Result<Value, WireError> {
    serde_json::from_str(data).map_err(|error| WireError::malformed(format!("sent a stream event that is not JSON ({error})")))
}

/// The numbers in `usage` at `path`; `None` where there is none, which is not the same as 0.
pub fn tokens(usage: &Value, path: &str) -> Option<u64> {
    usage.pointer(path).and_then(Value::as_u64)
}

/// The code for an error that the provider describes by a type or a code of its own, in a stream or beside a status.
pub fn code_for_error_type(name: &str) -> Option<FailureCode> {
    use FailureCode::*;
    Some(match name {
        "rate_limit_error" | "rate_limit_exceeded" | "insufficient_quota" | "overloaded_error" | "requests" | "tokens" => {
            RateLimited
        }
        "api_error" | "server_error" | "internal_server_error" | "internal_error" => ServerError,
        "timeout_error" => Timeout,
        "authentication_error" | "permission_error" | "invalid_api_key" | "billing_error" => Unauthorized,
        "invalid_request_error" | "not_found_error" | "request_too_large" | "context_length_exceeded" => BadRequest,
        "content_filter" | "content_policy_violation" => ContentFiltered,
        _ => return None,
    })
}

/// An `error` object in the middle of a stream, in either wire format: the status was 200 and something broke later.
pub fn error_in_stream(error: &Value) -> WireError {
    let field = |name| error.get(name).and_then(Value::as_str);
    let code = [field("code"), field("type")].into_iter().flatten().find_map(code_for_error_type);
    let kind = field("type").or(field("code")).unwrap_or("error");
    let message = field("message").or(error.as_str()).unwrap_or("no message");
    let code = code.unwrap_or(FailureCode::ServerError);
    WireError::new(code, format!("broke off the stream with {kind}: {message}"))
}

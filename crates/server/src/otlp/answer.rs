//! What senders are told, in the words of their protocol.

use super::MAX_BODY;
use super::put::{Done, Failure};
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use flowtrace_adapters::otlp::{Refused, Rejected};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;
use std::time::Duration;

/// How a request was written, and so how its answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Protobuf,
    Json,
}

impl Failure {
    /// The HTTP status, the number of the same in gRPC (<https://grpc.io/docs/guides/status-codes/>), and a sentence.
    pub fn describe(&self) -> (StatusCode, u32, String) {
        let (status, grpc, text) = match self {
            Failure::Refused(refused @ Refused::Malformed { .. }) => (StatusCode::BAD_REQUEST, 3, refused.to_string()),
            Failure::Refused(refused @ Refused::TooMany) => (StatusCode::PAYLOAD_TOO_LARGE, 8, refused.to_string()),
            Failure::TooLarge => {
                let text =
                    format!("the body is larger than {} MB, packed or unpacked: send fewer spans at a time", MAX_BODY >> 20);
                (StatusCode::PAYLOAD_TOO_LARGE, 8, text)
            }
            Failure::Bad(status, text) => (
                StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_REQUEST),
                if *status == 500 { 13 } else { 3 },
                text.clone(),
            ),
            Failure::Later(_, text) => (StatusCode::SERVICE_UNAVAILABLE, 14, text.clone()),
        };
        (status, grpc, crate::api::problem::sentence(&text))
    }

    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Failure::Later(after, _) => Some(*after),
            _ => None,
        }
    }
}

/// Whole seconds, at least one.
fn seconds(after: Duration) -> u64 {
    after.as_secs().max(1)
}

/// The answer to OTLP over HTTP. <https://opentelemetry.io/docs/specs/otlp/#otlphttp-response>
pub fn otlp(form: Form, what: Records, outcome: Result<Done, Failure>) -> Response {
    let failure = match outcome {
        Ok(done) => return accepted(form, what, &done.rejected),
        Err(failure) => failure,
    };
    let (status, code, text) = failure.describe();
    let mut response = match form {
        Form::Protobuf => {
            // google.rpc.Status
            let mut message = Vec::new();
            put_varint(&mut message, 1, u64::from(code));
            put_bytes(&mut message, 2, text.as_bytes());
            protobuf(status, message)
        }
        Form::Json => (status, axum::Json(json!({ "code": code, "message": text }))).into_response(),
    };
    later(&mut response, &failure);
    response
}

/// The answer to anything else: a problem document, also where it tells to come back.
pub fn problem(failure: &Failure) -> Response {
    let (status, _, text) = failure.describe();
    let code = match failure {
        Failure::Refused(Refused::Malformed { .. }) => "malformed",
        Failure::Refused(Refused::TooMany) | Failure::TooLarge => "too_large",
        Failure::Bad(..) => "bad_request",
        Failure::Later(..) => "overloaded",
    };
    let mut response = crate::api::problem::ApiError::new(status, code, text).into_response();
    later(&mut response, failure);
    response
}

fn later(response: &mut Response, failure: &Failure) {
    if let Some(after) = failure.retry_after() {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds(after)));
    }
    // What was not read is not worth reading.
    if matches!(failure, Failure::TooLarge | Failure::Later(..)) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
}

/// What a service counts: the name of its field in a partial success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Records {
    Spans,
    Logs,
    DataPoints,
}

impl Records {
    fn field(self) -> &'static str {
        match self {
            Records::Spans => "rejectedSpans",
            Records::Logs => "rejectedLogRecords",
            Records::DataPoints => "rejectedDataPoints",
        }
    }
}

fn accepted(form: Form, what: Records, rejected: &Rejected) -> Response {
    match form {
        Form::Protobuf => protobuf(StatusCode::OK, message(rejected)),
        Form::Json if rejected.count == 0 => axum::Json(json!({ "partialSuccess": {} })).into_response(),
        Form::Json => {
            // 64-bit integers are texts in the JSON of protobuf.
            let partial = json!({ what.field(): rejected.count.to_string(), "errorMessage": rejected.why });
            axum::Json(json!({ "partialSuccess": partial })).into_response()
        }
    }
}

/// `ExportTraceServiceResponse` and its kin: `{partial_success(1): {rejected(1), error_message(2)}}`; nothing if all is well.
pub fn message(rejected: &Rejected) -> Vec<u8> {
    let mut message = Vec::new();
    if rejected.count > 0 {
        let mut partial = Vec::new();
        put_varint(&mut partial, 1, rejected.count);
        put_bytes(&mut partial, 2, rejected.why.as_deref().unwrap_or_default().as_bytes());
        put_bytes(&mut message, 1, &partial);
    }
    message
}

fn protobuf(status: StatusCode, message: Vec<u8>) -> Response {
    (status, [(header::CONTENT_TYPE, "application/x-protobuf")], Body::from(message)).into_response()
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_varint(out: &mut Vec<u8>, field: u64, value: u64) {
    varint(out, field << 3);
    varint(out, value);
}

fn put_bytes(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    varint(out, (field << 3) | 2);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

//! OTLP over gRPC, on the port of everything else: a POST over HTTP/2 whose body is one message behind five bytes, and whose answer
//! ends in trailers. <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>
//!
//! Of gRPC three calls with one message each are needed, so there is no library for it here; what unpacks a message is the same
//! code, with the same limits, as for HTTP.

use super::answer;
use super::body;
use super::put::{Done, Failure, Ingest, now};
use crate::app::Shared;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use flowtrace_adapters::otlp::{Decoded, Refused, protobuf};
use http::{HeaderMap, HeaderValue, header};
use http_body_util::{BodyExt, Full};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use std::sync::Arc;
use std::sync::atomic::Ordering;

pub const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
pub const LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
pub const METRICS: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

/// A flag for "packed" and the length.
const FRAME: usize = 5;

pub async fn traces(State(app): State<Shared>, request: Request) -> Response {
    respond(&app.ingest, request, protobuf::traces).await
}

pub async fn logs(State(app): State<Shared>, request: Request) -> Response {
    respond(&app.ingest, request, |body| protobuf::logs(body, now())).await
}

pub async fn metrics(State(app): State<Shared>, request: Request) -> Response {
    let counting = app.ingest.clone();
    let decode = move |body: &[u8]| {
        counting.counters.metrics.fetch_add(protobuf::metrics(body)?, Ordering::Relaxed);
        Ok(Decoded::default())
    };
    respond(&app.ingest, request, decode).await
}

async fn respond<D>(ingest: &Arc<Ingest>, request: Request, decode: D) -> Response
where
    D: FnOnce(&[u8]) -> Result<Decoded, Refused> + Send + 'static,
{
    match take(ingest, request, decode).await {
        Ok(done) => success(&answer::message(&done.rejected)),
        Err(failure) => {
            ingest.note(&failure);
            refusal(&failure)
        }
    }
}

async fn take<D>(ingest: &Arc<Ingest>, request: Request, decode: D) -> Result<Done, Failure>
where
    D: FnOnce(&[u8]) -> Result<Decoded, Refused> + Send + 'static,
{
    let (parts, body) = request.into_parts();
    let (mut room, body) = body::admit(&parts.headers, body, &*ingest.store).await?;
    let mut bytes = body::collect(body, &mut room).await?;
    let packed = unframe(&mut bytes)?;
    if packed {
        let encoding = parts.headers.get("grpc-encoding").and_then(|value| value.to_str().ok()).unwrap_or("identity");
        if encoding != "gzip" {
            return Err(Failure::Bad(415, "only gzip is understood as an encoding".to_owned()));
        }
        bytes = body::unpack(&bytes, |length| room.grow(length + bytes.len()))?;
    }
    ingest.put(bytes, room.into_admission(), decode).await
}

/// Takes the frame off the one message of a call; whether the message is packed.
fn unframe(bytes: &mut Vec<u8>) -> Result<bool, Failure> {
    let bad = |why: &str| Failure::Bad(400, format!("the body is not one gRPC message: {why}"));
    let Some(&[flag, a, b, c, d]) = bytes.first_chunk::<FRAME>() else { return Err(bad("it is shorter than a frame")) };
    if u32::from_be_bytes([a, b, c, d]) as usize != bytes.len() - FRAME {
        return Err(bad("its length is not what the frame says"));
    }
    bytes.drain(..FRAME);
    match flag {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(bad("its frame has an unknown flag")),
    }
}

fn success(message: &[u8]) -> Response {
    let mut body = Vec::with_capacity(FRAME + message.len());
    body.push(0);
    body.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    body.extend_from_slice(message);
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let body = Full::new(Bytes::from(body)).with_trailers(async move { Some(Ok(trailers)) });
    let mut response = Response::new(Body::new(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}

/// An answer of trailers alone, which stand in the headers.
fn refusal(failure: &Failure) -> Response {
    const KEPT: &AsciiSet = &CONTROLS.add(b'%');
    let (_, code, text) = failure.describe();
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert("grpc-status", HeaderValue::from(code));
    let message = utf8_percent_encode(&text, KEPT).to_string();
    headers.insert("grpc-message", HeaderValue::from_str(&message).unwrap_or(HeaderValue::from_static("refused")));
    if let Some(after) = failure.retry_after() {
        headers.insert("grpc-retry-pushback-ms", HeaderValue::from(u64::try_from(after.as_millis()).unwrap_or(u64::MAX).max(1)));
    }
    response
}

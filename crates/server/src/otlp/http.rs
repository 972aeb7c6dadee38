//! OTLP over HTTP, and the exporter of the OpenAI Agents SDK.

use super::answer::{self, Form, Records};
use super::body;
use super::put::{Done, Failure, Ingest, now};
use crate::app::Shared;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use flowtrace_adapters::otlp::{Decoded, Refused, agents as agents_wire, json, protobuf};
use http::request::Parts;
use http::{StatusCode, header};
use std::sync::Arc;
use std::sync::atomic::Ordering;

pub async fn traces(State(app): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let form = form(&parts);
    let decode = match form {
        Form::Protobuf => protobuf::traces,
        Form::Json => json::traces,
    };
    answer::otlp(form, Records::Spans, take(&app.ingest, &parts, body, decode).await)
}

pub async fn logs(State(app): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let form = form(&parts);
    let decode = move |body: &[u8]| match form {
        Form::Protobuf => protobuf::logs(body, now()),
        Form::Json => json::logs(body, now()),
    };
    answer::otlp(form, Records::Logs, take(&app.ingest, &parts, body, decode).await)
}

/// Metrics are counted and not kept: SDKs send them unasked, and would complain if nobody took them.
pub async fn metrics(State(app): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let form = form(&parts);
    let counters = app.ingest.clone();
    let decode = move |body: &[u8]| {
        let count = match form {
            Form::Protobuf => protobuf::metrics(body)?,
            Form::Json => json::metrics(body)?,
        };
        counters.counters.metrics.fetch_add(count, Ordering::Relaxed);
        Ok(Decoded::default())
    };
    answer::otlp(form, Records::DataPoints, take(&app.ingest, &parts, body, decode).await)
}

/// The native format of the Agents SDK; it looks only at the status.
pub async fn agents(State(app): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match take(&app.ingest, &parts, body, agents_wire::decode).await {
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
        Err(failure) => answer::problem(&failure),
    }
}

/// Reads, decodes and writes.
async fn take<D>(ingest: &Arc<Ingest>, parts: &Parts, body: Body, decode: D) -> Result<Done, Failure>
where
    D: FnOnce(&[u8]) -> Result<Decoded, Refused> + Send + 'static,
{
    let outcome = async {
        let (body, room) = body::read(&parts.headers, body, &*ingest.store).await?;
        ingest.put(body, room.into_admission(), decode).await
    };
    outcome.await.inspect_err(|failure| ingest.note(failure))
}

fn form(parts: &Parts) -> Form {
    let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") { Form::Json } else { Form::Protobuf }
}

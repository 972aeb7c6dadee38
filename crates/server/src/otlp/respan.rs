//! `POST /api/v2/traces`: OTLP in JSON from Respan's SDK. It takes any answer for the last word and never sends a batch again, so
//! where others are told to come back, its bodies wait on disk.

use super::answer::{self, Form, Records};
use super::body::{self, Room};
use super::put::{Done, Failure, Ingest};
use crate::app::Shared;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use flowtrace_adapters::otlp::json;
use futures::StreamExt;
use http::HeaderMap;
use std::sync::Arc;

pub async fn traces(State(app): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let outcome = take(&app.ingest, &parts.headers, body).await;
    answer::otlp(Form::Json, Records::Spans, outcome.inspect_err(|failure| app.ingest.note(failure)))
}

async fn take(ingest: &Arc<Ingest>, headers: &HeaderMap, body: Body) -> Result<Done, Failure> {
    let packed = body::is_packed(headers)?;
    // Behind others, not past them.
    if !ingest.spool.is_empty() {
        return ingest.spool.keep_stream(body, packed).await;
    }
    let mut room = match Room::new(&*ingest.store, body::announced(headers)) {
        Ok(room) => room,
        Err(Failure::Later(..)) => return ingest.spool.keep_stream(body, packed).await,
        Err(other) => return Err(other),
    };
    let mut stream = body.into_data_stream();
    let mut bytes = Vec::new();
    match body::fill(&mut stream, &mut room, &mut bytes).await {
        // Room ran out under way: what is there goes to disk, and the rest after it.
        Err(Failure::Later(..)) => {
            drop(room);
            let all = futures::stream::iter([Ok(Bytes::from(bytes))]).chain(stream);
            return ingest.spool.keep_stream(Body::from_stream(all), packed).await;
        }
        other => other?,
    }
    let plain = match packed {
        true => body::unpack(&bytes, |length| room.grow(length + bytes.len())),
        false => Ok(bytes.clone()),
    };
    let outcome = match plain {
        Ok(plain) => ingest.put(plain, room.into_admission(), json::traces).await,
        Err(failure) => Err(failure),
    };
    match outcome {
        Err(Failure::Later(..)) => ingest.spool.keep(&bytes, packed).await,
        other => other,
    }
}

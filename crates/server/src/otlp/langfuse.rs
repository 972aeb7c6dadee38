//! The parts of Langfuse's API that its SDKs use to send.

use super::answer;
use super::body;
use super::put::{Failure, Ingest, now};
use crate::app::Shared;
use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use flowtrace_adapters::otlp::langfuse as wire;
use http::StatusCode;
use serde_json::{Value, json};
use std::sync::Arc;

/// `POST /api/public/ingestion`: always 207, with what became of each event.
pub async fn ingestion(State(app): State<Shared>, request: Request) -> Response {
    let ingest = &app.ingest;
    let outcome = async {
        let (parts, body) = request.into_parts();
        let (body, room) = body::read(&parts.headers, body, &*ingest.store).await?;
        ingest.put_batch(body, room.into_admission()).await
    };
    match outcome.await {
        Ok(batch) => {
            let successes: Vec<Value> = batch.accepted.iter().map(|id| json!({ "id": id, "status": 201 })).collect();
            let errors: Vec<Value> =
                batch.refused.iter().map(|(id, why)| json!({ "id": id, "status": 400, "message": why, "error": why })).collect();
            (StatusCode::MULTI_STATUS, Json(json!({ "successes": successes, "errors": errors }))).into_response()
        }
        Err(failure) => failed(ingest, &failure),
    }
}

/// `POST /api/public/scores`: one score, or a list of them.
pub async fn scores(State(app): State<Shared>, request: Request) -> Response {
    let ingest = &app.ingest;
    let outcome = async {
        let (parts, body) = request.into_parts();
        let (body, _room) = body::read(&parts.headers, body, &*ingest.store).await?;
        let one = body.trim_ascii_start().starts_with(b"{");
        let mut read = wire::scores(&body, now())?;
        if one && let Some(why) = read.refused.pop() {
            return Err(Failure::Bad(400, why));
        }
        let ids: Vec<String> = read.scores.iter().map(|score| score.id.clone()).collect();
        ingest.put_scores(read.scores).await?;
        Ok((one, ids, read.refused))
    };
    match outcome.await {
        Ok((true, ids, _)) => Json(json!({ "id": ids.first() })).into_response(),
        Ok((false, _, refused)) if refused.is_empty() => {
            (StatusCode::ACCEPTED, Json(json!({ "message": "Accepted" }))).into_response()
        }
        Ok((false, ids, refused)) => {
            let errors: Vec<Value> = refused.iter().map(|why| json!({ "message": why })).collect();
            let body = json!({ "accepted": ids.len(), "rejected": refused.len(), "errors": errors });
            (StatusCode::MULTI_STATUS, Json(body)).into_response()
        }
        Err(failure) => failed(ingest, &failure),
    }
}

/// `GET /api/public/projects`: what `auth_check` of the SDKs asks.
pub async fn projects() -> Json<Value> {
    Json(json!({ "data": [{
        "id": "flowtrace",
        "name": "FlowTrace",
        "organization": { "id": "flowtrace", "name": "FlowTrace" },
        "metadata": {},
        "retentionDays": null,
    }] }))
}

fn failed(ingest: &Arc<Ingest>, failure: &Failure) -> Response {
    ingest.note(failure);
    answer::problem(failure)
}

//! `/api/ingest`: proof that nothing is lost.

use crate::api::problem::{ApiError, ApiResult, ProblemDocument};
use crate::app::Shared;
use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use std::sync::atomic::Ordering;
use utoipa::ToSchema;

/// `accepted`, `stored` and `queryable` are the same whenever nothing is on its way. What is counted "since start" begins at 0 with
/// every process.
#[derive(Serialize, ToSchema)]
pub struct IngestStatus {
    /// Distinct spans that were acknowledged, less those that retention removed.
    accepted: u64,
    /// Spans that are in the files.
    stored: u64,
    /// Spans that are reached through their traces.
    queryable: u64,
    /// Spans that are stored and not yet found by their words.
    unindexed: u64,
    /// Copies and pieces of spans that were there already, since start.
    repeated: u64,
    /// Spans that were received and acknowledged, copies included, since start.
    received_spans: u64,
    /// Log records and changes that became parts of spans, since start.
    received_pieces: u64,
    received_scores: u64,
    /// Spans and records that could not be read and were reported to their sender, since start.
    rejected: u64,
    /// Log records that name no span; they are not kept. Since start.
    ignored_log_records: u64,
    /// Metrics, which are not kept. Since start.
    ignored_metrics: u64,
    /// Requests that were told to come back, since start.
    overloaded_requests: u64,
    /// Requests that were refused for good, since start.
    refused_requests: u64,
    /// Requests that wait on disk to be stored.
    waiting_requests: u64,
    waiting_bytes: u64,
}

/// What came in, and where it is.
#[utoipa::path(get, path = "/api/ingest", operation_id = "getIngestStatus", tag = "traces", responses(
    (status = 200, body = IngestStatus),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn get(State(app): State<Shared>) -> ApiResult<Json<IngestStatus>> {
    let store = app.ingest.store.counters().await.map_err(|error| {
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", crate::api::problem::sentence(&error.to_string()))
    })?;
    let own = &app.ingest.counters;
    let read = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    Ok(Json(IngestStatus {
        accepted: store.accepted,
        stored: store.stored,
        queryable: store.queryable,
        unindexed: store.unindexed,
        repeated: store.repeated,
        received_spans: read(&own.spans),
        received_pieces: read(&own.pieces),
        received_scores: read(&own.scores),
        rejected: read(&own.rejected),
        ignored_log_records: read(&own.homeless),
        ignored_metrics: read(&own.metrics),
        overloaded_requests: read(&own.overloaded),
        refused_requests: read(&own.refused),
        waiting_requests: app.ingest.spool.waiting(),
        waiting_bytes: app.ingest.spool.bytes(),
    }))
}

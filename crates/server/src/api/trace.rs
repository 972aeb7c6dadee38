//! `/api/runs/{id}/trace`: the journal of a run, page by page.

use super::dto::{Time, no_such_run, page_size, run_id};
use super::extract::{Path, Query};
use super::problem::{ApiResult, ProblemDocument};
use crate::app::Shared;
use axum::Json;
use axum::extract::State;
use flowtrace_core::event::Event;
use flowtrace_core::id::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

/// One event. Large values in the payload are `{"blob": {hash, bytes, preview}}`, small ones `{"inline": value}`; the
/// content of a blob is at `/api/runs/{id}/blobs/{hash}`.
#[derive(Serialize, ToSchema)]
pub struct TraceEvent {
    /// From 1, without gaps.
    pub seq: u64,
    #[serde(flatten)]
    pub event: EventData,
}

/// What the stream sends as `data`; there, the seq is the `id`.
#[derive(Serialize, ToSchema)]
pub struct EventData {
    pub ts: Time,
    /// Dotted and stable, for instance `llm.request`.
    pub kind: &'static str,
    /// The step's path; null for events of the run itself.
    pub step_id: Option<String>,
    #[schema(value_type = std::collections::HashMap<String, Value>)]
    pub payload: Map<String, Value>,
}

impl From<&Event> for EventData {
    fn from(event: &Event) -> Self {
        EventData {
            ts: Time(event.ts),
            kind: event.body.kind(),
            step_id: event.step.as_ref().map(|step| step.to_string()),
            payload: payload(event),
        }
    }
}

impl From<&Event> for TraceEvent {
    fn from(event: &Event) -> Self {
        TraceEvent { seq: event.seq, event: event.into() }
    }
}

/// The stored form, except that times are text as everywhere else in the API.
fn payload(event: &Event) -> Map<String, Value> {
    let Ok(Value::Object(mut stored)) = serde_json::to_value(&event.body) else { return Map::new() };
    let Some(Value::Object(mut payload)) = stored.remove("payload") else { return Map::new() };
    if let Some(due) = payload.get_mut("due")
        && let Some(micros) = due.as_u64()
    {
        *due = Value::String(Time(Timestamp(micros)).to_string());
    }
    payload
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct TraceQuery {
    /// Only later events than this one; 0 if absent.
    after_seq: Option<u64>,
    /// 1 to 5,000; 1,000 if absent.
    limit: Option<usize>,
}

#[derive(Serialize, ToSchema)]
pub struct TracePage {
    events: Vec<TraceEvent>,
    /// What to ask for next; null at the end.
    next_after_seq: Option<u64>,
}

/// The events of a run, in order.
#[utoipa::path(get, path = "/api/runs/{id}/trace", operation_id = "getTrace", tag = "runs",
    params(("id" = String, Path, description = "The run"), TraceQuery), responses(
    (status = 200, body = TracePage),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn get(
    State(app): State<Shared>,
    Path(id): Path<String>,
    Query(query): Query<TraceQuery>,
) -> ApiResult<Json<TracePage>> {
    let id = run_id(&id)?;
    let limit = page_size(query.limit, 1000, 5000)?;
    let after = query.after_seq.unwrap_or(0).min(i64::MAX as u64);
    if app.store.run(id).await?.is_none() {
        return Err(no_such_run(id));
    }
    let mut events = app.store.read(id, after, limit + 1).await?;
    let more = events.len() > limit;
    events.truncate(limit);
    let next_after_seq = events.last().filter(|_| more).map(|event| event.seq);
    Ok(Json(TracePage { events: events.iter().map(TraceEvent::from).collect(), next_after_seq }))
}

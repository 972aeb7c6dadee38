//! What can be said to a run that is under way: pause, resume, and signals.

use super::dto::{no_such_run, run_id};
use super::extract::{Json as Body, OptionalJson, Path};
use super::problem::{ApiError, ApiResult, ProblemDocument};
use super::start::triggered_by;
use crate::app::Shared;
use crate::boundary::Caller;
use axum::extract::State;
use axum::{Extension, Json};
use flowtrace_core::value::{MAX_DEPTH, deeper_than};
use flowtrace_engine::port::store::{InboxRequest, RunRow};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// The longest name of a signal, in bytes.
const LONGEST_NAME: usize = 200;

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

#[derive(Serialize, ToSchema)]
pub struct Accepted {
    id: String,
    /// The status when the request came.
    status: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Signal {
    /// The output of the step that waits for the signal.
    #[serde(default)]
    #[schema(value_type = Value)]
    payload: Value,
}

async fn open(app: &Shared, id: &str) -> ApiResult<RunRow> {
    let id = run_id(id)?;
    let row = app.store.run(id).await?.ok_or_else(|| no_such_run(id))?;
    match row.finished_at {
        None => Ok(row),
        Some(_) => {
            let detail = format!("Run {id} has ended ({}): nothing can be said to it any more.", row.status);
            Err(ApiError::new(StatusCode::CONFLICT, "already_ended", detail))
        }
    }
}

/// Puts the request into the run's inbox, where the run has not ended meanwhile.
async fn ask(app: &Shared, row: RunRow, key: String, request: InboxRequest) -> ApiResult<(StatusCode, Json<Accepted>)> {
    if !app.host.ask(row.id, key, request).await? {
        // The same request that waits there already is as good.
        open(app, &row.id.to_string()).await?;
    }
    Ok((StatusCode::ACCEPTED, Json(Accepted { id: row.id.to_string(), status: row.status })))
}

/// Lets no further step begin. Calls in flight come back and are recorded. Pausing again changes nothing.
#[utoipa::path(post, path = "/api/runs/{id}/pause", operation_id = "pauseRun", tag = "runs",
    params(("id" = String, Path, description = "The run")), request_body = Nothing, responses(
    (status = 202, body = Accepted),
    (status = 409, body = ProblemDocument, content_type = "application/problem+json", description = "The run has ended already"),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn pause(
    State(app): State<Shared>,
    Path(id): Path<String>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    OptionalJson(Nothing {}): OptionalJson<Nothing>,
) -> ApiResult<(StatusCode, Json<Accepted>)> {
    let row = open(&app, &id).await?;
    let by = caller.name(triggered_by(&headers));
    ask(&app, row, unique("pause"), InboxRequest::Pause { by }).await
}

/// Lets a paused run go on.
#[utoipa::path(post, path = "/api/runs/{id}/resume", operation_id = "resumeRun", tag = "runs",
    params(("id" = String, Path, description = "The run")), request_body = Nothing, responses(
    (status = 202, body = Accepted),
    (status = 409, body = ProblemDocument, content_type = "application/problem+json", description = "The run has ended already"),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn resume(
    State(app): State<Shared>,
    Path(id): Path<String>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    OptionalJson(Nothing {}): OptionalJson<Nothing>,
) -> ApiResult<(StatusCode, Json<Accepted>)> {
    let row = open(&app, &id).await?;
    let by = caller.name(triggered_by(&headers));
    ask(&app, row, unique("resume"), InboxRequest::Resume { by }).await
}

/// Sends a signal to a run. It waits there if no step waits for it yet. With an `Idempotency-Key`, the same signal sent again while
/// the first one waits counts once.
#[utoipa::path(post, path = "/api/runs/{id}/signals/{name}", operation_id = "signalRun", tag = "runs",
    params(
        ("id" = String, Path, description = "The run"),
        ("name" = String, Path, description = "As the `wait` node names it"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key sends one signal"),
    ),
    request_body = Signal, responses(
    (status = 202, body = Accepted),
    (status = 409, body = ProblemDocument, content_type = "application/problem+json", description = "The run has ended already"),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn signal(
    State(app): State<Shared>,
    Path((id, name)): Path<(String, String)>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Body(body): Body<Signal>,
) -> ApiResult<(StatusCode, Json<Accepted>)> {
    if name.is_empty() || name.len() > LONGEST_NAME {
        return Err(ApiError::bad_request("invalid_name", format!("The name of a signal has 1 to {LONGEST_NAME} bytes.")));
    }
    if deeper_than(&body.payload, MAX_DEPTH - 2) {
        return Err(ApiError::bad_request("invalid_body", "`payload` is nested too deeply.").at("/payload"));
    }
    let row = open(&app, &id).await?;
    let key = match headers.get("idempotency-key").and_then(|key| key.to_str().ok()) {
        Some(key) => format!("signal:{name}:{key}"),
        None => unique("signal"),
    };
    let by = caller.name(triggered_by(&headers));
    ask(&app, row, key, InboxRequest::Signal { name, payload: body.payload, by }).await
}

/// Every request counts: unlike a cancel, they come again.
fn unique(what: &str) -> String {
    format!("{what}:{}", uuid::Uuid::now_v7())
}

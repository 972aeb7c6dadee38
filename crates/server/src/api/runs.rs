//! `/api/runs`: reading runs, and canceling them.

use super::dto::{no_such_run, page_size, run_id};
use super::edited::{edited_version, say_edited};
use super::extract::{OptionalJson, Path, Query};
use super::problem::{ApiError, ApiResult, ProblemDocument};
use super::run_view::{self, Run, RunSummary, Step, WaitsFor};
use super::start::triggered_by;
use super::workflows::raw;
use crate::app::Shared;
use crate::boundary::Caller;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use flowtrace_core::id::RunId;
use flowtrace_core::payload::Payload;
use flowtrace_core::state::RunStatus;
use flowtrace_engine::host::Snapshot;
use flowtrace_engine::port::store::{RunQuery, StoreError};
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

const STATUSES: [&str; 5] = ["queued", "running", "succeeded", "failed", "canceled"];

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// `queued`, `running`, `succeeded`, `failed` or `canceled`.
    status: Option<String>,
    workflow_id: Option<String>,
    session_id: Option<String>,
    /// 1 to 200; 50 if absent.
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct RunList {
    /// Newest first.
    runs: Vec<RunSummary>,
    next_cursor: Option<String>,
}

/// Lists runs, newest first.
#[utoipa::path(get, path = "/api/runs", operation_id = "listRuns", tag = "runs", params(ListQuery), responses(
    (status = 200, body = RunList),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn list(State(app): State<Shared>, Query(query): Query<ListQuery>) -> ApiResult<Json<RunList>> {
    let limit = page_size(query.limit, 50, 200)?;
    if let Some(status) = &query.status
        && !STATUSES.contains(&status.as_str())
    {
        return Err(ApiError::bad_request("invalid_query", format!("`status` has to be one of {}.", STATUSES.join(", "))));
    }
    let before = match &query.cursor {
        Some(cursor) => Some(RunId::parse(cursor).ok_or_else(invalid_cursor)?),
        None => None,
    };
    let mut rows = app
        .store
        .runs(RunQuery {
            status: query.status,
            workflow_id: query.workflow_id,
            session_id: query.session_id,
            before,
            limit: limit + 1,
        })
        .await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = rows.last().filter(|_| more).map(|row| row.id.to_string());
    let mut runs: Vec<_> = rows.into_iter().map(|row| (row.id, RunSummary::from(row))).collect();
    say_edited(&app, &mut runs).await?;
    say_waiting(&app, &mut runs).await?;
    Ok(Json(RunList { runs: runs.into_iter().map(|(_, run)| run).collect(), next_cursor }))
}

/// Says of each run in which nothing is under way what it waits for.
async fn say_waiting(app: &Shared, runs: &mut [(RunId, RunSummary)]) -> ApiResult<()> {
    let running = runs.iter().filter(|(_, run)| run.status == RunStatus::Running.as_str()).map(|(id, _)| *id).collect();
    let waiting = waits(app, running).await?;
    for (id, run) in runs {
        run.waits_for = waiting.get(id).copied();
    }
    Ok(())
}

/// Those of the runs in which nothing is under way, with what they wait for.
pub async fn waits(app: &Shared, running: Vec<RunId>) -> Result<HashMap<RunId, WaitsFor>, StoreError> {
    if running.is_empty() {
        return Ok(HashMap::new());
    }
    let what = |asks| if asks { WaitsFor::Person } else { WaitsFor::Other };
    Ok(app.store.parked(running).await?.into_iter().map(|parked| (parked.run, what(parked.asks))).collect())
}

fn invalid_cursor() -> ApiError {
    ApiError::bad_request("invalid_query", "`cursor` is not one that this server gave out: start again without it.")
}

#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct IncludeQuery {
    /// `io` gives inputs and outputs whole.
    include: Option<String>,
}

pub fn includes_io(include: Option<&str>) -> ApiResult<bool> {
    match include {
        None | Some("") => Ok(false),
        Some("io") => Ok(true),
        Some(_) => Err(ApiError::bad_request("invalid_query", "`include` can only be `io`.")),
    }
}

/// The run after event `at_seq`, or after its last one.
pub async fn snapshot(app: &Shared, id: RunId, at_seq: Option<u64>) -> ApiResult<Arc<Snapshot>> {
    if at_seq == Some(0) {
        return Err(ApiError::bad_request("invalid_query", "`at_seq` starts at 1, the event that starts the run."));
    }
    let snapshot = match at_seq {
        None => app.folds.latest(&app.host, id).await?,
        Some(_) => app.host.snapshot(id, at_seq).await?.map(Arc::new),
    };
    let snapshot = snapshot.ok_or_else(|| no_such_run(id))?;
    match at_seq.filter(|asked| *asked > snapshot.state.seq) {
        None => Ok(snapshot),
        Some(asked) => {
            let last = snapshot.state.seq;
            let detail = format!("`at_seq` is {asked}, but the run has only {last} events.");
            Err(ApiError::bad_request("invalid_query", detail))
        }
    }
}

/// One run with its totals and its first 1,000 steps.
#[utoipa::path(get, path = "/api/runs/{id}", operation_id = "getRun", tag = "runs",
    params(("id" = String, Path, description = "The run"), IncludeQuery), responses(
    (status = 200, body = Run),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn get(State(app): State<Shared>, Path(id): Path<String>, Query(query): Query<IncludeQuery>) -> ApiResult<Json<Run>> {
    let id = run_id(&id)?;
    let full = includes_io(query.include.as_deref())?;
    let snapshot = snapshot(&app, id, None).await?;
    let mut run = run_view::run(&app.host, id, &snapshot, full).await?;
    if run.workflow_id.is_some() && run.workflow_version.is_none() {
        run.edited_version = edited_version(&app, id).await?;
    }
    Ok(Json(run))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct StepsQuery {
    /// `io` gives inputs and outputs whole.
    include: Option<String>,
    /// 1 to 1,000; 1,000 if absent.
    limit: Option<usize>,
    /// `next_cursor` of the page before, or `next_steps_cursor` of the run.
    cursor: Option<String>,
    /// The steps as they were after this event; as they are now if absent.
    at_seq: Option<u64>,
}

#[derive(Serialize, ToSchema)]
pub struct StepList {
    /// In the order in which they were scheduled or skipped.
    steps: Vec<Step>,
    next_cursor: Option<String>,
}

/// The steps of a run, page by page.
#[utoipa::path(get, path = "/api/runs/{id}/steps", operation_id = "listSteps", tag = "runs",
    params(("id" = String, Path, description = "The run"), StepsQuery), responses(
    (status = 200, body = StepList),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn steps(
    State(app): State<Shared>,
    Path(id): Path<String>,
    Query(query): Query<StepsQuery>,
) -> ApiResult<Json<StepList>> {
    let id = run_id(&id)?;
    let full = includes_io(query.include.as_deref())?;
    let limit = page_size(query.limit, run_view::FIRST_STEPS, run_view::FIRST_STEPS)?;
    let from = match &query.cursor {
        Some(cursor) => cursor.parse().map_err(|_| invalid_cursor())?,
        None => 0,
    };
    let snapshot = snapshot(&app, id, query.at_seq).await?;
    let (steps, next_cursor) = run_view::steps_page(&app.host, &snapshot, from, limit, full).await?;
    Ok(Json(StepList { steps, next_cursor }))
}

/// One step with its input and output whole.
#[utoipa::path(get, path = "/api/runs/{id}/steps/{step_id}", operation_id = "getStep", tag = "runs",
    params(("id" = String, Path, description = "The run"), ("step_id" = String, Path, description = "The step's path, percent-encoded")),
    responses(
    (status = 200, body = Step),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn step(State(app): State<Shared>, Path((id, path)): Path<(String, String)>) -> ApiResult<Json<Step>> {
    let id = run_id(&id)?;
    let snapshot = snapshot(&app, id, None).await?;
    let missing = || ApiError::not_found(format!("step `{}` in run {id} so far", path.chars().take(200).collect::<String>()));
    let ix = snapshot.state.find(&snapshot.plan, &path).ok_or_else(missing)?;
    run_view::step(&app.host, &snapshot, ix, true).await?.map(Json).ok_or_else(missing)
}

#[derive(Serialize, ToSchema)]
pub struct Graph {
    /// SHA-256 of the document's JSON.
    hash: String,
    #[schema(value_type = Value)]
    graph_json: Box<RawValue>,
}

/// The document that a run is pinned to, whatever was saved since.
#[utoipa::path(get, path = "/api/runs/{id}/graph", operation_id = "getRunGraph", tag = "runs",
    params(("id" = String, Path, description = "The run")), responses(
    (status = 200, body = Graph),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn graph(State(app): State<Shared>, Path(id): Path<String>) -> ApiResult<Json<Graph>> {
    let id = run_id(&id)?;
    let row = app.store.run(id).await?.ok_or_else(|| no_such_run(id))?;
    let missing = || ApiError::not_found(format!("document of run {id} in the store"));
    let graph_json = raw(&app.store.document(&row.workflow_hash).await?.ok_or_else(missing)?);
    Ok(Json(Graph { hash: row.workflow_hash.to_string(), graph_json }))
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelRequest {}

#[derive(Serialize, ToSchema)]
pub struct CancelResponse {
    id: String,
    /// The status when the request came; the run becomes `canceled` a moment later.
    status: String,
    cancel_requested: bool,
}

/// Asks a run to stop. Calls in flight are given up at once. Asking again changes nothing.
#[utoipa::path(post, path = "/api/runs/{id}/cancel", operation_id = "cancelRun", tag = "runs",
    params(("id" = String, Path, description = "The run")), request_body = CancelRequest, responses(
    (status = 202, body = CancelResponse),
    (status = 409, body = ProblemDocument, content_type = "application/problem+json", description = "The run has ended already"),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn cancel(
    State(app): State<Shared>,
    Path(id): Path<String>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    OptionalJson(CancelRequest {}): OptionalJson<CancelRequest>,
) -> ApiResult<(StatusCode, Json<CancelResponse>)> {
    let id = run_id(&id)?;
    let row = app.store.run(id).await?.ok_or_else(|| no_such_run(id))?;
    if matches!(row.status.as_str(), "succeeded" | "failed") {
        let detail = format!("Run {id} has already {}; there is nothing left to cancel.", row.status);
        return Err(ApiError::new(StatusCode::CONFLICT, "already_ended", detail));
    }
    if row.status != "canceled" {
        app.host.cancel(id, "cancel".to_owned(), caller.name(triggered_by(&headers))).await?;
    }
    Ok((StatusCode::ACCEPTED, Json(CancelResponse { id: id.to_string(), status: row.status, cancel_requested: true })))
}

/// The content of a large value that an event of this run refers to.
#[utoipa::path(get, path = "/api/runs/{id}/blobs/{hash}", operation_id = "getBlob", tag = "runs",
    params(("id" = String, Path, description = "The run"), ("hash" = String, Path, description = "`hash` of the reference")),
    responses(
    (status = 200, body = serde_json::Value, content_type = "application/json", description = "The value"),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn blob(State(app): State<Shared>, Path((id, hash)): Path<(String, String)>) -> ApiResult<Response> {
    let id = run_id(&id)?;
    if app.store.run(id).await?.is_none() {
        return Err(no_such_run(id));
    }
    let missing = || ApiError::not_found(format!("blob with this hash in run {id}"));
    if hash.len() != 64 || !refers_to(&app, id, &hash).await? {
        return Err(missing());
    }
    let json: Arc<[u8]> = app.store.blob(&hash).await?.ok_or_else(missing)?;
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        // The hash names the content, so it never changes.
        (header::CACHE_CONTROL, "private, max-age=31536000, immutable"),
    ];
    Ok((headers, axum::body::Bytes::from_owner(json)).into_response())
}

async fn refers_to(app: &Shared, run: RunId, hash: &str) -> ApiResult<bool> {
    let mut after = 0;
    loop {
        let events = app.store.read(run, after, 1000).await?;
        let Some(last) = events.last() else { return Ok(false) };
        after = last.seq;
        if events.iter().flat_map(|event| event.body.payloads()).any(|payload| match payload {
            Payload::Blob(reference) => *reference.hash == *hash,
            Payload::Inline(_) => false,
        }) {
            return Ok(true);
        }
    }
}

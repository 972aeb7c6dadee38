//! `/api/runs/{id}/state`: a run as it was after any of its events.

use super::dto::run_id;
use super::extract::{Path, Query};
use super::problem::{ApiResult, ProblemDocument};
use super::run_view::{self, Run};
use super::runs::{includes_io, snapshot};
use crate::app::Shared;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct StateQuery {
    /// The last event that counts; all of them if absent.
    at_seq: Option<u64>,
    /// `io` gives inputs and outputs whole.
    include: Option<String>,
}

/// The run as it was after event `at_seq`.
#[utoipa::path(get, path = "/api/runs/{id}/state", operation_id = "getRunState", tag = "runs",
    params(("id" = String, Path, description = "The run"), StateQuery), responses(
    (status = 200, body = Run),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn get(State(app): State<Shared>, Path(id): Path<String>, Query(query): Query<StateQuery>) -> ApiResult<Json<Run>> {
    let id = run_id(&id)?;
    let full = includes_io(query.include.as_deref())?;
    let snapshot = snapshot(&app, id, query.at_seq).await?;
    Ok(Json(run_view::run(&app.host, id, &snapshot, full).await?))
}

//! `/api/simulate`: makes simulated models fail, to see what a workflow does then.

use super::extract::Json as Body;
use super::problem::{ApiError, ApiResult, ProblemDocument};
use crate::app::Shared;
use axum::Json;
use axum::extract::State;
use flowtrace_adapters::provider::simulated::{FailNext as Wanted, Fault, FaultKind};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The next calls fail, whatever their scripts say. Without `status` and `kind` they answer HTTP 500.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FailNext {
    /// Only calls of this provider; absent: of any.
    provider: Option<String>,
    /// HTTP status, 400 to 599.
    status: Option<u16>,
    kind: Option<Kind>,
    /// How many calls, 1 to 1,000; absent: one.
    times: Option<u32>,
    /// Sent as `Retry-After` beside a status.
    retry_after_ms: Option<u64>,
}

#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The connection stays open and nothing comes.
    Hang,
    /// The stream breaks in the middle of the answer.
    Cut,
    /// HTTP 200 with something that is not JSON.
    Malformed,
    /// HTTP 200 with an empty body.
    Empty,
    /// The connection closes without an answer.
    Refuse,
}

#[derive(Serialize, ToSchema)]
pub struct Waiting {
    /// Forced failures that no call has met yet.
    waiting: usize,
}

/// Forces the next calls of simulated models to fail.
#[utoipa::path(post, path = "/api/simulate/fail-next", operation_id = "failNext", tag = "server", request_body = FailNext, responses(
    (status = 200, body = Waiting),
    (status = 409, body = ProblemDocument, content_type = "application/problem+json", description = "The models are real"),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn fail_next(State(app): State<Shared>, Body(body): Body<FailNext>) -> ApiResult<Json<Waiting>> {
    let Some(simulator) = &app.simulator else {
        let detail = "The models of this server are real, and their answers cannot be made to fail: start it with `--simulate`.";
        return Err(ApiError::new(StatusCode::CONFLICT, "not_simulated", detail));
    };
    let invalid = |detail: &str, field: &str| Err(ApiError::bad_request("invalid_body", detail).at(format!("/{field}")));
    if body.status.is_some() && body.kind.is_some() {
        return invalid("Give a `status` or a `kind`, not both.", "kind");
    }
    if body.status.is_some_and(|status| !(400..=599).contains(&status)) {
        return invalid("`status` has to be an HTTP error status, 400 to 599.", "status");
    }
    if body.times.is_some_and(|times| !(1..=1000).contains(&times)) {
        return invalid("`times` has to be 1 to 1,000.", "times");
    }
    if let Some(name) = &body.provider
        && !app.providers.iter().any(|provider| provider.name() == name)
    {
        let names: Vec<_> = app.providers.iter().map(|provider| provider.name()).collect();
        return invalid(&format!("`provider` has to be one of {}.", names.join(", ")), "provider");
    }
    let kind = body.kind.map(|kind| match kind {
        Kind::Hang => FaultKind::Hang,
        Kind::Cut => FaultKind::Cut,
        Kind::Malformed => FaultKind::Malformed,
        Kind::Empty => FaultKind::Empty,
        Kind::Refuse => FaultKind::Refuse,
    });
    let fault = Fault { provider: None, status: body.status, retry_after_ms: body.retry_after_ms, kind };
    Ok(Json(Waiting { waiting: simulator.fail_next(Wanted { provider: body.provider, fault, times: body.times }) }))
}

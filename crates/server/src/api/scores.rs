//! `/api/scores`: what people and evaluators think of traces.

use super::extract::Json as Body;
use super::problem::{ApiError, ApiResult, ProblemDocument};
use super::trace_view::Score;
use super::traces::trace_id;
use crate::app::Shared;
use axum::Json;
use axum::extract::State;
use flowtrace_core::id::SpanId;
use flowtrace_core::span::{self, Scored};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

const MAX_SESSION_ID: usize = 1000;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewScore {
    /// One is made if it is absent. A score with the id of another takes its place.
    id: Option<String>,
    /// Either this or `session_id`. The trace may arrive later.
    trace_id: Option<String>,
    /// One span of the trace.
    span_id: Option<String>,
    /// Instead of a trace: the session as a whole, which may arrive later.
    session_id: Option<String>,
    name: String,
    /// A number, a text or a yes/no.
    value: Value,
    comment: Option<String>,
}

/// Keeps a score.
#[utoipa::path(post, path = "/api/scores", operation_id = "createScore", tag = "traces", request_body = NewScore, responses(
    (status = 201, body = Score),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn create(State(app): State<Shared>, Body(new): Body<NewScore>) -> ApiResult<(StatusCode, Json<Score>)> {
    let wrong = |pointer: &str, detail: &str| ApiError::bad_request("invalid_body", detail).at(pointer);
    let of = match (&new.trace_id, new.session_id) {
        (Some(id), None) => {
            let trace_id = trace_id(id).map_err(|_| wrong("/trace_id", "`trace_id` has to be 32 hexadecimal digits."))?;
            let span = |id| SpanId::parse(id).ok_or_else(|| wrong("/span_id", "`span_id` has to be 16 hexadecimal digits."));
            Scored::Trace { trace_id, span_id: new.span_id.as_deref().map(span).transpose()? }
        }
        (None, Some(_)) if new.span_id.is_some() => {
            return Err(wrong("/span_id", "`span_id` goes with `trace_id`: a session has no spans of its own."));
        }
        (None, Some(session_id)) if session_id.is_empty() || session_id.len() > MAX_SESSION_ID => {
            return Err(wrong("/session_id", "`session_id` has to be 1 to 1000 bytes long."));
        }
        (None, Some(session_id)) => Scored::Session { session_id },
        _ => return Err(wrong("/trace_id", "A score needs either `trace_id` or `session_id`.")),
    };
    if new.name.is_empty() || new.name.len() > 200 {
        return Err(wrong("/name", "`name` has to be 1 to 200 bytes long."));
    }
    if !matches!(new.value, Value::Number(_) | Value::String(_) | Value::Bool(_)) {
        return Err(wrong("/value", "`value` has to be a number, a text, or true or false."));
    }
    let score = span::Score {
        id: new.id.filter(|id| !id.is_empty()).unwrap_or_else(|| uuid::Uuid::now_v7().to_string()),
        of,
        name: new.name,
        value: new.value,
        comment: new.comment,
        at: i64::try_from(app.clock.now().0).unwrap_or(i64::MAX).saturating_mul(1000),
    };
    app.spans.score(vec![score.clone()]).await?;
    Ok((StatusCode::CREATED, Json(score.into())))
}

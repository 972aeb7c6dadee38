//! `/api/sessions`: traces that belong together, for instance the turns of a conversation.

use super::dto::{cents, page_size};
use super::extract::{Path, Query};
use super::problem::{ApiError, ApiResult, ProblemDocument};
use super::trace_view::{Score, SpanTime, TraceSummary, Work};
use crate::app::Shared;
use axum::Json;
use axum::extract::State;
use flowtrace_engine::port::span_store::{Cursor, Direction, SessionKey, SessionQuery, SessionSort, SessionSummary, TraceQuery};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    user_id: Option<String>,
    /// A part of the name of the session or of its user, whatever its case.
    q: Option<String>,
    /// `failed`: some trace of it failed; `ok`: none did.
    status: Option<String>,
    /// `newest` (the default: last active first, by the arrival of their traces), `started_at`, `traces`, `cost` or `tokens`; with a `-`
    /// before it from the highest.
    sort: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// 1 to 200; 50 if absent.
    limit: Option<usize>,
}

#[derive(Serialize, ToSchema)]
pub struct SessionList {
    sessions: Vec<Conversation>,
    /// Null at the end. A page may be short, even empty, with a cursor to go on.
    next_cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct Conversation {
    session_id: String,
    user_id: Option<String>,
    /// Start of its first trace.
    started_at: SpanTime,
    /// End of its last trace.
    last_active_at: SpanTime,
    traces: u64,
    failed_traces: u64,
    total_tokens: u64,
    /// Without simulated calls.
    total_cost_nanousd: u64,
    total_cost_cents: f64,
    /// False when some call has no known price.
    cost_complete: bool,
    summary: Work,
}

impl From<SessionSummary> for Conversation {
    fn from(session: SessionSummary) -> Self {
        let totals = &session.totals;
        Conversation {
            user_id: session.user_id,
            started_at: SpanTime(session.first_started_at),
            last_active_at: SpanTime(session.last_ended_at),
            traces: session.traces,
            failed_traces: session.failed_traces,
            total_tokens: totals.tokens(),
            total_cost_nanousd: totals.spent_nanousd(),
            total_cost_cents: cents(totals.spent_nanousd()),
            cost_complete: totals.unpriced_calls == 0,
            summary: Work::from(totals),
            session_id: session.session_id,
        }
    }
}

/// Lists sessions, last active first unless `sort` says otherwise.
#[utoipa::path(get, path = "/api/sessions", operation_id = "listSessions", tag = "traces", params(ListQuery), responses(
    (status = 200, body = SessionList),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn list(State(app): State<Shared>, Query(query): Query<ListQuery>) -> ApiResult<Json<SessionList>> {
    let limit = page_size(query.limit, 50, 200)?;
    let failed = match query.status.as_deref() {
        None => None,
        Some("failed") => Some(true),
        Some("ok") => Some(false),
        Some(_) => return Err(ApiError::bad_request("invalid_query", "`status` has to be `ok` or `failed`.")),
    };
    let wanted = SessionQuery {
        user: query.user_id,
        text: query.q.filter(|text| !text.trim().is_empty()),
        failed,
        sort: sort(query.sort.as_deref())?,
        after: query.cursor.map(Cursor),
        limit,
    };
    let page = app.spans.sessions(wanted).await?;
    Ok(Json(SessionList {
        sessions: page.items.into_iter().map(Conversation::from).collect(),
        next_cursor: page.next.map(|cursor| cursor.0),
    }))
}

fn sort(text: Option<&str>) -> ApiResult<SessionSort> {
    let text = text.unwrap_or("newest");
    let (direction, key) = match text.strip_prefix('-') {
        Some(key) => (Direction::Descending, key),
        None => (Direction::Ascending, text),
    };
    let key = match key {
        "newest" if direction == Direction::Ascending => return Ok(SessionSort::Newest),
        "started_at" => SessionKey::StartedAt,
        "traces" => SessionKey::Traces,
        "cost" => SessionKey::Cost,
        "tokens" => SessionKey::Tokens,
        _ => {
            let known = "`newest`, `started_at`, `traces`, `cost` or `tokens`, the last four with a `-` for the highest first";
            return Err(ApiError::bad_request("invalid_query", format!("`sort` has to be {known}.")));
        }
    };
    Ok(SessionSort::By(key, direction))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct GetQuery {
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Traces in the page: 1 to 200; 50 if absent.
    limit: Option<usize>,
}

#[derive(Serialize, ToSchema)]
pub struct SessionTraces {
    #[serde(flatten)]
    session: Conversation,
    /// The last that arrived first.
    traces_page: Vec<TraceSummary>,
    next_cursor: Option<String>,
    /// Those of the session as a whole, oldest first; those of its traces are with the traces.
    scores: Vec<Score>,
}

/// One session with its traces.
#[utoipa::path(get, path = "/api/sessions/{id}", operation_id = "getSessionTraces", tag = "traces",
    params(("id" = String, Path, description = "As the sender named it"), GetQuery), responses(
    (status = 200, body = SessionTraces),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn get(
    State(app): State<Shared>,
    Path(id): Path<String>,
    Query(query): Query<GetQuery>,
) -> ApiResult<Json<SessionTraces>> {
    let limit = page_size(query.limit, 50, 200)?;
    let missing = || ApiError::not_found(format!("session `{}`", id.chars().take(100).collect::<String>()));
    let session = app.spans.session(&id).await?.ok_or_else(missing)?;
    let scores = app.spans.session_scores(&id).await?;
    let traces = TraceQuery { session: Some(id), after: query.cursor.map(Cursor), limit, ..TraceQuery::default() };
    let page = app.spans.find(traces).await?;
    Ok(Json(SessionTraces {
        session: session.into(),
        traces_page: super::traces::summaries(&app, &page.items).await?,
        next_cursor: page.next.map(|cursor| cursor.0),
        scores: scores.into_iter().map(Score::from).collect(),
    }))
}

//! `/api/approvals`: what people are asked, and what they say.

use super::dto::{Time, show};
use super::dto::{no_such_run, run_id};
use super::extract::{Json as Body, Path, Query};
use super::problem::{ApiError, ApiResult, ProblemDocument};
use super::runs::snapshot;
use super::start::triggered_by;
use crate::app::Shared;
use crate::boundary::Caller;
use axum::extract::State;
use axum::{Extension, Json};
use flowtrace_core::id::{RunId, StepPath};
use flowtrace_core::state::Answer;
use flowtrace_core::value::{MAX_DEPTH, deeper_than};
use flowtrace_engine::port::store::{ApprovalQuery, ApprovalRow, InboxRequest};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use utoipa::{IntoParams, ToSchema};

/// Approvals in one answer, where the client does not say.
const DEFAULT_PAGE: usize = 50;
const LARGEST_PAGE: usize = 200;

/// Bytes of a payload that a list shows.
const PREVIEW_BYTES: u64 = 16 * 1024;

/// How long the answer waits for the run to take the decision in.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// `open` (the default), `decided` or `all`.
    status: Option<String>,
    /// Only those of this run.
    run_id: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// 1 to 200; 50 where it is absent.
    limit: Option<usize>,
}

#[derive(Serialize, ToSchema)]
pub struct Approval {
    /// `<run>:<step>`, as `POST /api/approvals/{id}` takes it.
    id: String,
    run_id: String,
    step_id: String,
    node_id: String,
    workflow_id: Option<String>,
    /// The name of the workflow as it is now.
    workflow_name: Option<String>,
    message: String,
    /// What is to be approved; its first characters as a string where it is long.
    #[schema(value_type = Value)]
    payload: Arc<Value>,
    payload_truncated: bool,
    /// Whether it is about a call that was interrupted and must not be made twice, and not about going on.
    interrupted: bool,
    asked_at: Time,
    deadline: Option<Time>,
    /// `approved`, `rejected`, `expired` or `canceled`; null while it is open.
    decision: Option<String>,
    decided_by: Option<String>,
    decided_at: Option<Time>,
    reason: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct ApprovalList {
    approvals: Vec<Approval>,
    /// How many are open in all.
    open: u64,
    next_cursor: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Decide {
    decision: Verdict,
    /// With `approve`: what is approved instead of what was asked about.
    #[serde(default)]
    #[schema(value_type = Option<Value>)]
    payload: Option<Value>,
    /// Why, for the trace.
    #[serde(default)]
    reason: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Approve,
    Reject,
}

#[derive(Serialize, ToSchema)]
pub struct Decided {
    id: String,
    run_id: String,
    step_id: String,
    decision: String,
    decided_by: String,
    decided_at: Time,
}

/// What people are asked, by run from new to old.
#[utoipa::path(get, path = "/api/approvals", operation_id = "listApprovals", tag = "approvals", params(ListQuery), responses(
    (status = 200, body = ApprovalList),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn list(State(app): State<Shared>, Query(query): Query<ListQuery>) -> ApiResult<Json<ApprovalList>> {
    let open = match query.status.as_deref() {
        None | Some("open") => Some(true),
        Some("decided") => Some(false),
        Some("all") => None,
        Some(_) => return Err(ApiError::bad_request("invalid_query", "`status` has to be `open`, `decided` or `all`.")),
    };
    let limit = query.limit.unwrap_or(DEFAULT_PAGE);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(ApiError::bad_request("invalid_query", format!("`limit` has to be 1 to {LARGEST_PAGE}.")));
    }
    let run = query.run_id.as_deref().map(run_id).transpose()?;
    let after = query.cursor.as_deref().map(parse_id).transpose()?;
    let mut rows = app.store.approvals(ApprovalQuery { open, run, after, limit: limit + 1 }).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = rows.last().filter(|_| more).map(|row| id_of(row.run, &row.path));
    let mut approvals = Vec::with_capacity(rows.len());
    for row in rows {
        approvals.push(view(&app, row).await?);
    }
    Ok(Json(ApprovalList { approvals, open: app.store.open_approvals().await?, next_cursor }))
}

async fn view(app: &Shared, row: ApprovalRow) -> ApiResult<Approval> {
    let shown = show(&app.host, &row.payload, PREVIEW_BYTES).await?;
    let workflow_name = match &row.workflow_id {
        Some(id) => app.store.workflow(id).await?.map(|workflow| workflow.name),
        None => None,
    };
    Ok(Approval {
        id: id_of(row.run, &row.path),
        run_id: row.run.to_string(),
        step_id: row.path.to_string(),
        node_id: row.node_id.to_string(),
        workflow_id: row.workflow_id,
        workflow_name,
        message: row.message,
        payload: shown.value,
        payload_truncated: shown.truncated,
        interrupted: row.interrupted,
        asked_at: Time(row.asked_at),
        deadline: row.deadline.map(Time),
        decision: row.decision,
        decided_by: row.decided_by,
        decided_at: row.decided_at.map(Time),
        reason: row.reason,
    })
}

/// Approves, approves something else, or rejects. Of several decisions the first counts; the others are told whose that was.
#[utoipa::path(post, path = "/api/approvals/{id}", operation_id = "decideApproval", tag = "approvals",
    params(("id" = String, Path, description = "`id` of the approval, percent-encoded")), request_body = Decide, responses(
    (status = 200, body = Decided),
    (status = 409, body = ProblemDocument, content_type = "application/problem+json", description = "It is decided already: the sentence says by whom and when"),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn decide(
    State(app): State<Shared>,
    Path(id): Path<String>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Body(body): Body<Decide>,
) -> ApiResult<Json<Decided>> {
    let (run, path) = parse_id(&id)?;
    if body.decision == Verdict::Reject && body.payload.is_some() {
        return Err(ApiError::bad_request("invalid_body", "A rejection has no `payload`: give a `reason`.").at("/payload"));
    }
    if body.payload.as_ref().is_some_and(|value| deeper_than(value, MAX_DEPTH - 2)) {
        return Err(ApiError::bad_request("invalid_body", "`payload` is nested too deeply.").at("/payload"));
    }
    if body.reason.as_ref().is_some_and(|reason| reason.len() > 10_000) {
        return Err(ApiError::bad_request("invalid_body", "`reason` may have 10,000 bytes.").at("/reason"));
    }
    let missing = || ApiError::not_found(format!("approval `{}`", id.chars().take(300).collect::<String>()));
    let answer = question(&app, run, &path).await?.ok_or_else(missing)?;
    if let Some(answer) = answer {
        return Err(already(&answer));
    }
    // Who decides comes from how the request was let in, never from its body.
    let by = caller.name(triggered_by(&headers));
    let key = uuid::Uuid::now_v7().to_string();
    let request = InboxRequest::Decide {
        step: path.clone(),
        approved: body.decision == Verdict::Approve,
        key: key.clone(),
        payload: body.payload,
        by,
        reason: body.reason,
    };
    let mut heads = app.store.watch(run);
    app.host.ask(run, format!("decide:{key}"), request).await?;
    let waited = tokio::time::timeout(PATIENCE, async {
        loop {
            heads.borrow_and_update();
            match question(&app, run, &path).await? {
                Some(Some(answer)) => return ApiResult::Ok(Some(answer)),
                // Whatever the question was part of is over.
                None => return Ok(None),
                Some(None) => {}
            }
            if heads.changed().await.is_err() {
                return Ok(None);
            }
        }
    });
    match waited.await {
        Ok(answer) => match answer? {
            Some(answer) if answer.key == key => Ok(Json(Decided {
                id: id.clone(),
                run_id: run.to_string(),
                step_id: path.to_string(),
                decision: answer.decision.as_str().to_owned(),
                decided_by: answer.by,
                decided_at: Time(answer.at),
            })),
            Some(answer) => Err(already(&answer)),
            None => {
                Err(ApiError::new(StatusCode::CONFLICT, "already_ended", format!("Run {run} goes on without this decision.")))
            }
        },
        Err(_elapsed) => {
            let detail = "The decision is recorded, and the run has not taken it in yet: look at the run again in a moment.";
            Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "not_yet", detail))
        }
    }
}

/// `None`: nobody is or was asked there.
async fn question(app: &Shared, run: RunId, path: &str) -> ApiResult<Option<Option<Answer>>> {
    if app.store.run(run).await?.is_none() {
        return Err(no_such_run(run));
    }
    let snapshot = snapshot(app, run, None).await?;
    let Some(ix) = snapshot.state.find(&snapshot.plan, path) else { return Ok(None) };
    let step = snapshot.state.step(ix);
    let Some(question) = &step.question else { return Ok(None) };
    match (&question.answer, step.status.is_final()) {
        (None, true) => Ok(None),
        (answer, _) => Ok(Some(answer.clone())),
    }
}

fn already(answer: &Answer) -> ApiError {
    let at = Time(answer.at);
    let detail = format!("This was {} by {} at {at}.", answer.decision.as_str(), answer.by);
    ApiError::new(StatusCode::CONFLICT, "already_decided", detail)
}

fn id_of(run: RunId, path: &str) -> String {
    format!("{run}:{path}")
}

fn parse_id(id: &str) -> ApiResult<(RunId, StepPath)> {
    let parsed = id.split_once(':').and_then(|(run, path)| Some((RunId::parse(run)?, path.into())));
    parsed.ok_or_else(|| ApiError::bad_request("invalid_id", "An approval is named `<run>:<step>`, as the list gives it."))
}

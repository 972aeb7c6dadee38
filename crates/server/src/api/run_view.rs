//! A run as the API shows it: a view of the folded state.

use super::dto::{Shown, Time, cents, show};
use super::problem::ApiResult;
use flowtrace_core::failure::Failure;
use flowtrace_core::id::{RunId, Timestamp};
use flowtrace_core::payload::Payload;
use flowtrace_core::state::{RunStatus, StepIx, StepStatus, Work};
use flowtrace_engine::host::{Host, Snapshot};
use flowtrace_engine::port::store::RunRow;
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;

/// Steps that a run carries; the rest is read by cursor.
pub const FIRST_STEPS: usize = 1000;

/// Bytes of a step's input or output that are shown without `include=io`.
const STEP_PREVIEW_BYTES: u64 = 1024;

/// Bytes of a run's output that are shown without `include=io`.
const RUN_OUTPUT_BYTES: u64 = 1024 * 1024;

#[derive(Serialize, ToSchema)]
pub struct Run {
    pub id: String,
    /// Null for a document that was run without being saved.
    pub workflow_id: Option<String>,
    pub workflow_version: Option<u32>,
    /// Where `workflow_version` is null because the document was edited for this run alone, as a fork does: the version that was
    /// edited.
    pub edited_version: Option<u32>,
    /// SHA-256 of the document that the run is pinned to.
    pub workflow_hash: String,
    /// W3C trace id: the caller's, where a `traceparent` came in.
    pub trace_id: String,
    pub session_id: Option<String>,
    /// As whoever started it said.
    pub user_id: Option<String>,
    pub tags: Vec<String>,
    #[schema(value_type = std::collections::HashMap<String, Value>)]
    pub metadata: serde_json::Map<String, Value>,
    /// `api`, `cli` or `web`.
    pub triggered_by: String,
    /// The model call of a trace that this run makes again.
    pub replay_of: Option<super::trace_view::SpanLink>,
    pub status: Status,
    /// What a running run is doing.
    pub phase: Option<Phase>,
    /// Whether a cancel was asked for that has not come through yet, or that ended the run.
    pub cancel_requested: bool,
    /// Whether the models were simulated; such a run is no spend.
    pub simulated: bool,
    pub started_at: Time,
    pub finished_at: Option<Time>,
    pub total_tokens: u64,
    pub total_cost_nanousd: u64,
    pub total_cost_cents: f64,
    /// False when some call has no known price, so that the cost is a lower bound.
    pub cost_complete: bool,
    /// Wall clock from start to end; null before the end.
    pub total_latency_ms: Option<f64>,
    pub retries: u64,
    pub fallbacks: u64,
    pub cache_hits: u64,
    /// What the cache saved, as far as prices are known.
    pub saved_nanousd: u64,
    /// The first lines of `error.message`.
    pub error_summary: Option<String>,
    pub error: Option<ErrorView>,
    /// The step that failed the run.
    pub failed_step: Option<String>,
    /// The limit that ended the run.
    pub budget_exceeded: Option<String>,
    pub input: Value,
    pub input_bytes: u64,
    pub input_truncated: bool,
    /// Of a failed run: its best partial result.
    #[schema(value_type = Value)]
    pub output: Option<Arc<Value>>,
    pub output_bytes: Option<u64>,
    /// True if `output` is only the first characters, as a string. `include=io` gives all.
    pub output_truncated: bool,
    /// Seq of the last event in this view.
    pub last_seq: u64,
    /// How many steps were scheduled or skipped.
    pub step_count: u64,
    /// The first 1,000 steps, in the order in which they appeared.
    pub steps: Vec<Step>,
    /// Where `GET /api/runs/{id}/steps?cursor=` goes on; null if `steps` has them all.
    pub next_steps_cursor: Option<String>,
}

#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Queued,
    Running,
    Succeeded,
    Failed,
    Canceled,
}

#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Some step is being worked on.
    Executing,
    /// Every step in flight waits: for its next attempt, a time, a signal or a person.
    Waiting,
    /// Somebody paused it.
    Paused,
    /// What was done is being taken back, because the run failed or was cancelled.
    Compensating,
}

#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum StepStatusView {
    Running,
    /// Between two attempts.
    Waiting,
    Succeeded,
    Failed,
    Skipped,
    Canceled,
}

#[derive(Serialize, ToSchema)]
pub struct Step {
    /// The step's path.
    pub step_id: String,
    pub node_id: String,
    pub node_type: String,
    pub name: String,
    pub status: StepStatusView,
    pub started_at: Option<Time>,
    pub finished_at: Option<Time>,
    pub latency_ms: Option<f64>,
    /// Milliseconds from the request to the first token of the last answer.
    pub first_token_ms: Option<f64>,
    /// Tries over all requests of the step.
    pub attempts: u32,
    /// Logical calls: 2 and more where a fallback took over.
    pub requests: u32,
    /// When the next attempt is due, while waiting.
    pub next_attempt_at: Option<Time>,
    /// Whether the cache answered.
    pub cached: bool,
    pub provider: Option<String>,
    pub model: Option<String>,
    /// The model that the provider says it used.
    pub answered_by: Option<String>,
    pub simulated: bool,
    pub tokens_input: Option<u64>,
    pub tokens_output: Option<u64>,
    /// Those of `tokens_input` that the provider's own prompt cache covered.
    pub tokens_cached: Option<u64>,
    /// Those of `tokens_output` that were reasoning.
    pub tokens_reasoning: Option<u64>,
    pub cost_nanousd: Option<u64>,
    pub cost_cents: Option<f64>,
    pub saved_nanousd: Option<u64>,
    /// The decision of a router, a gate or a person: a string or a bool.
    #[schema(value_type = Value)]
    pub branch: Option<Value>,
    /// How often the model was asked to mend its answer.
    pub repairs: u32,
    /// Whether the run goes on from the step's failure.
    pub handled: bool,
    /// The failed step inside of this one that failed it.
    pub failed_inside: Option<String>,
    /// Of a map, a loop or an agent: how far it is.
    pub progress: Option<Progress>,
    /// What a person is or was asked.
    pub question: Option<QuestionView>,
    /// The step of another run that did the work.
    pub reused_from: Option<OriginView>,
    /// Whole if it is short or `include=io` is given, else the first characters as a string.
    #[schema(value_type = Value)]
    pub input: Option<Arc<Value>>,
    pub input_bytes: Option<u64>,
    pub input_truncated: bool,
    /// Whole if it is short or `include=io` is given, else the first characters as a string.
    #[schema(value_type = Value)]
    pub output: Option<Arc<Value>>,
    pub output_bytes: Option<u64>,
    pub output_truncated: bool,
    /// The last failure, also while another attempt is under way.
    pub error: Option<ErrorView>,
}

/// How far a step is whose work is done by others.
#[derive(Serialize, ToSchema)]
pub struct Progress {
    /// Items, iterations or turns that have ended.
    pub done: u64,
    /// Of a map: how many items there are. Of a loop or an agent: how many iterations there may be.
    pub of: Option<u64>,
    /// Items that failed, where the map goes on without them.
    pub failed: u64,
}

fn progress(snapshot: &Snapshot, ix: StepIx) -> Option<Progress> {
    use flowtrace_core::node::NodeKind;
    let step = snapshot.state.step(ix);
    match &step.control.as_ref()?.work {
        Work::Map(map) => {
            let failed =
                map.results.iter().filter(|result| matches!(result, flowtrace_core::state::ItemResult::Failed(_))).count();
            Some(Progress { done: map.done.into(), of: Some(map.results.len() as u64), failed: failed as u64 })
        }
        Work::Loop(state) => {
            let of = match &snapshot.plan.node(step.node).kind {
                NodeKind::Loop(loop_) => Some(loop_.max_iterations.into()),
                NodeKind::Agent(agent) => Some(agent.max_turns.into()),
                _ => None,
            };
            Some(Progress { done: state.done.into(), of, failed: 0 })
        }
        Work::Child(_) => None,
    }
}

/// What a person is or was asked.
#[derive(Serialize, ToSchema)]
pub struct QuestionView {
    pub message: String,
    /// Whether it is about a call that was interrupted, and not about going on.
    pub interrupted: bool,
    pub asked_at: Time,
    pub deadline: Option<Time>,
    /// `approved`, `rejected` or `expired`; null while it is open.
    pub decision: Option<String>,
    pub decided_by: Option<String>,
    pub decided_at: Option<Time>,
    pub reason: Option<String>,
}

/// A step of another run.
#[derive(Serialize, ToSchema)]
pub struct OriginView {
    pub run_id: String,
    pub step_id: String,
}

#[derive(Serialize, ToSchema)]
pub struct ErrorView {
    /// A stable word, for instance `rate_limited`.
    pub code: String,
    pub message: String,
    /// The upstream's HTTP status.
    pub status: Option<u16>,
    /// What the upstream asked for in `Retry-After`.
    pub retry_after_ms: Option<u64>,
    pub upstream_request_id: Option<String>,
}

impl From<&Failure> for ErrorView {
    fn from(failure: &Failure) -> Self {
        ErrorView {
            code: failure.code.as_str().to_owned(),
            message: failure.message.clone(),
            status: failure.status,
            retry_after_ms: failure.retry_after_ms,
            upstream_request_id: failure.upstream_request_id.clone(),
        }
    }
}

impl From<RunStatus> for Status {
    fn from(status: RunStatus) -> Self {
        match status {
            RunStatus::Queued => Status::Queued,
            RunStatus::Running => Status::Running,
            RunStatus::Succeeded => Status::Succeeded,
            RunStatus::Failed => Status::Failed,
            RunStatus::Canceled => Status::Canceled,
        }
    }
}

fn step_status(status: StepStatus) -> Option<StepStatusView> {
    Some(match status {
        StepStatus::Pending => return None,
        StepStatus::Running => StepStatusView::Running,
        StepStatus::Waiting => StepStatusView::Waiting,
        StepStatus::Succeeded => StepStatusView::Succeeded,
        StepStatus::Failed => StepStatusView::Failed,
        StepStatus::Skipped => StepStatusView::Skipped,
        StepStatus::Canceled => StepStatusView::Canceled,
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum WaitsFor {
    Person,
    Other,
}

/// A run in lists.
#[derive(Serialize, ToSchema)]
pub struct RunSummary {
    pub id: String,
    pub workflow_id: Option<String>,
    pub workflow_version: Option<u32>,
    /// Where `workflow_version` is null because the document was edited for this run alone, as a fork does: the version that was
    /// edited.
    pub edited_version: Option<u32>,
    pub workflow_hash: String,
    pub trace_id: String,
    pub session_id: Option<String>,
    pub triggered_by: String,
    pub status: String,
    /// What a running run waits for, if nothing will happen in it for half a minute or more: `person` if one is asked, else `other`,
    /// which is a time, a signal, or the end of a pause.
    pub waits_for: Option<WaitsFor>,
    pub simulated: bool,
    pub started_at: Time,
    pub finished_at: Option<Time>,
    pub total_tokens: u64,
    pub total_cost_nanousd: u64,
    pub total_cost_cents: f64,
    pub cost_complete: bool,
    /// Wall clock from start to end; null before the end.
    pub total_latency_ms: Option<f64>,
    /// Steps that were scheduled.
    pub steps: u64,
    pub retries: u64,
    pub cache_hits: u64,
    pub error_summary: Option<String>,
    pub failed_step: Option<String>,
}

impl From<RunRow> for RunSummary {
    fn from(row: RunRow) -> Self {
        RunSummary {
            id: row.id.to_string(),
            workflow_id: row.workflow_id,
            workflow_version: row.workflow_version,
            edited_version: None,
            workflow_hash: row.workflow_hash.to_string(),
            trace_id: row.trace_id,
            session_id: row.session_id,
            triggered_by: row.triggered_by,
            status: row.status,
            waits_for: None,
            simulated: row.simulated,
            started_at: Time(row.started_at),
            finished_at: row.finished_at.map(Time),
            total_tokens: row.total_tokens,
            total_cost_nanousd: row.total_cost_nanousd,
            total_cost_cents: cents(row.total_cost_nanousd),
            cost_complete: row.cost_complete,
            total_latency_ms: row.finished_at.map(|end| end.millis_since(row.started_at)),
            steps: row.steps,
            retries: row.retries,
            cache_hits: row.cache_hits,
            error_summary: row.error_summary,
            failed_step: row.failed_step.map(|step| step.to_string()),
        }
    }
}

/// Steps that a reader has seen appear, in that order.
fn visible(snapshot: &Snapshot) -> Vec<StepIx> {
    let mut steps: Vec<StepIx> =
        (0..snapshot.state.steps.len() as StepIx).filter(|ix| snapshot.state.step(*ix).status != StepStatus::Pending).collect();
    steps.sort_by_key(|ix| snapshot.state.step(*ix).ordinal);
    steps
}

/// One page of steps from position `from`, and where the next one begins.
pub async fn steps_page(
    host: &Host,
    snapshot: &Snapshot,
    from: usize,
    limit: usize,
    full: bool,
) -> ApiResult<(Vec<Step>, Option<String>)> {
    let all = visible(snapshot);
    let page = all.get(from..).unwrap_or_default();
    let mut steps = Vec::with_capacity(page.len().min(limit));
    for ix in page.iter().take(limit) {
        steps.extend(step(host, snapshot, *ix, full).await?);
    }
    Ok((steps, (page.len() > limit).then(|| (from + limit).to_string())))
}

/// `None` for a step that was not reached.
pub async fn step(host: &Host, snapshot: &Snapshot, ix: StepIx, full: bool) -> ApiResult<Option<Step>> {
    let step = snapshot.state.step(ix);
    let node = snapshot.plan.node(step.node);
    let Some(status) = step_status(step.status) else { return Ok(None) };
    let limit = if full { u64::MAX } else { STEP_PREVIEW_BYTES };
    let input = show_some(host, step.input.as_ref(), limit).await?;
    let output = show_some(host, step.output.as_ref(), limit).await?;
    Ok(Some(Step {
        step_id: snapshot.state.path(&snapshot.plan, ix).to_string(),
        node_id: node.id.to_string(),
        node_type: if step.is_undo { "undo" } else { node.kind.type_name() }.to_owned(),
        name: node.name.to_string(),
        status,
        started_at: step.started_at.map(Time),
        finished_at: step.finished_at.map(Time),
        latency_ms: latency(step.started_at, step.finished_at),
        first_token_ms: step.first_token_ms,
        attempts: step.attempts,
        requests: step.request,
        next_attempt_at: step.due.filter(|_| step.status == StepStatus::Waiting).map(Time),
        cached: step.cached,
        provider: step.target.as_ref().map(|target| target.provider.clone()),
        model: step.target.as_ref().map(|target| target.model.clone()),
        answered_by: step.answered_by.clone(),
        simulated: step.simulated,
        tokens_input: step.usage.map(|usage| usage.input()),
        tokens_output: step.usage.map(|usage| usage.output),
        tokens_cached: step.usage.map(|usage| usage.cache_read),
        tokens_reasoning: step.usage.map(|usage| usage.reasoning),
        cost_nanousd: step.cost_nanousd,
        cost_cents: step.cost_nanousd.map(cents),
        saved_nanousd: step.saved_nanousd,
        branch: step.branch.clone(),
        repairs: step.repairs,
        handled: step.handled,
        failed_inside: step.failed_inside.as_ref().map(|path| path.to_string()),
        progress: progress(snapshot, ix),
        question: step.question.as_ref().map(|question| QuestionView {
            message: question.message.clone(),
            interrupted: question.interrupted,
            asked_at: Time(question.asked_at),
            deadline: question.deadline.map(Time),
            decision: question.answer.as_ref().map(|answer| answer.decision.as_str().to_owned()),
            decided_by: question.answer.as_ref().map(|answer| answer.by.clone()),
            decided_at: question.answer.as_ref().map(|answer| Time(answer.at)),
            reason: question.answer.as_ref().and_then(|answer| answer.reason.clone()),
        }),
        reused_from: step
            .origin
            .as_ref()
            .map(|origin| OriginView { run_id: origin.run.to_string(), step_id: origin.step.to_string() }),
        input_bytes: input.as_ref().map(|shown| shown.bytes),
        input_truncated: input.as_ref().is_some_and(|shown| shown.truncated),
        input: input.map(|shown| shown.value),
        output_bytes: output.as_ref().map(|shown| shown.bytes),
        output_truncated: output.as_ref().is_some_and(|shown| shown.truncated),
        output: output.map(|shown| shown.value),
        error: step.error.as_ref().map(ErrorView::from),
    }))
}

fn latency(start: Option<Timestamp>, end: Option<Timestamp>) -> Option<f64> {
    Some(end?.millis_since(start?))
}

async fn show_some(host: &Host, payload: Option<&Payload>, limit: u64) -> ApiResult<Option<Shown>> {
    match payload {
        Some(payload) => show(host, payload, limit).await.map(Some),
        None => Ok(None),
    }
}

/// The whole view; `full` gives every value whole.
pub async fn run(host: &Host, id: RunId, snapshot: &Snapshot, full: bool) -> ApiResult<Run> {
    let state = &snapshot.state;
    let started = state.started.as_deref();
    let (steps, next_steps_cursor) = steps_page(host, snapshot, 0, FIRST_STEPS, full).await?;
    let limit = if full { u64::MAX } else { RUN_OUTPUT_BYTES };
    let output = show_some(host, state.output.as_ref(), limit).await?;
    let input = show_some(host, started.map(|started| &started.input), limit).await?;
    let phase = (state.status == RunStatus::Running).then(|| {
        let is_working = |ix: StepIx| {
            let step = state.step(ix);
            step.status == StepStatus::Running && (step.is_undo || !snapshot.plan.node(step.node).kind.is_container())
        };
        match () {
            () if state.compensation.is_some() => Phase::Compensating,
            () if state.paused => Phase::Paused,
            () if state.in_flight().len() > 0 && !state.in_flight().any(is_working) => Phase::Waiting,
            () => Phase::Executing,
        }
    });
    let labels = started.map(|started| started.labels.clone()).unwrap_or_default();
    Ok(Run {
        id: id.to_string(),
        user_id: labels.user_id,
        tags: labels.tags,
        metadata: labels.metadata,
        workflow_id: started.and_then(|started| started.workflow.id.clone()),
        workflow_version: started.and_then(|started| started.workflow.version),
        edited_version: None,
        workflow_hash: started.map(|started| started.workflow.hash.to_string()).unwrap_or_default(),
        trace_id: started.map(|started| started.trace_id.to_string()).unwrap_or_default(),
        session_id: started.and_then(|started| started.session_id.clone()),
        triggered_by: started.map(|started| started.triggered_by.clone()).unwrap_or_default(),
        replay_of: started.and_then(|started| started.replay_of.as_ref()).map(Into::into),
        status: state.status.into(),
        phase,
        cancel_requested: state.cancel_requested,
        simulated: started.is_some_and(|started| started.simulated),
        started_at: Time(state.started_at),
        finished_at: state.finished_at.map(Time),
        total_tokens: state.totals.tokens,
        total_cost_nanousd: state.totals.cost_nanousd,
        total_cost_cents: cents(state.totals.cost_nanousd),
        cost_complete: state.totals.unpriced_calls == 0,
        total_latency_ms: state.finished_at.map(|end| end.millis_since(state.started_at)),
        retries: state.totals.retries,
        fallbacks: state.totals.fallbacks,
        cache_hits: state.totals.cache_hits,
        saved_nanousd: state.totals.saved_nanousd,
        error_summary: state.error.as_ref().map(|error| error.message.chars().take(300).collect()),
        error: state.error.as_ref().map(ErrorView::from),
        failed_step: state.failed_step.as_ref().map(|step| step.to_string()),
        budget_exceeded: state.budget_exceeded.clone(),
        input_bytes: input.as_ref().map_or(0, |shown| shown.bytes),
        input_truncated: input.as_ref().is_some_and(|shown| shown.truncated),
        input: input.map_or(Value::Null, |shown| (*shown.value).clone()),
        output_bytes: output.as_ref().map(|shown| shown.bytes),
        output_truncated: output.as_ref().is_some_and(|shown| shown.truncated),
        output: output.map(|shown| shown.value),
        last_seq: state.seq,
        step_count: visible(snapshot).len() as u64,
        steps,
        next_steps_cursor,
    })
}

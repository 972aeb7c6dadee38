//! The events of a run: the only truth about it. Everything else is a fold over them.
//!
//! Kinds are dotted and stable, because they are stored for ever. [`encode`] and [`decode`] are the only way in and out of
//! storage, under a format version; see `docs/adding/event.md` before you change anything here.

mod started;
mod stored;

pub use started::{Labels, Limits, LinkedWorkflow, ModelDefaults, RunStarted, WorkflowRef};
pub use stored::{DecodeError, decode, encode};

use crate::call::{Target, ToolUse};
use crate::change::Change;
use crate::failure::Failure;
use crate::id::{RunId, StepPath, Timestamp};
use crate::payload::Payload;
use crate::price::Cost;
use crate::usage::Usage;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// The stored format that this build writes. A journal with a newer one is refused.
pub const FORMAT: u16 = 1;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    /// 1 for the first event of the stream, then without gaps.
    pub seq: u64,
    pub ts: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<StepPath>,
    #[serde(flatten)]
    pub body: Body,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "payload")]
pub enum Body {
    #[serde(rename = "run.started")]
    RunStarted(Arc<RunStarted>),
    #[serde(rename = "run.cancel_requested")]
    CancelRequested { by: String },
    #[serde(rename = "run.succeeded")]
    RunSucceeded { output: Payload },
    #[serde(rename = "run.failed")]
    RunFailed {
        error: Failure,
        /// The step that failed the run, if one did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failed_step: Option<StepPath>,
        /// The best result so far: outputs of the finished steps that nothing finished after.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        partial: Option<Payload>,
    },
    #[serde(rename = "run.canceled")]
    RunCanceled,

    /// The step's inputs are rendered and its first request is about to go out.
    #[serde(rename = "step.scheduled")]
    StepScheduled { input: Payload },
    #[serde(rename = "step.succeeded")]
    StepSucceeded {
        output: Payload,
        /// Indexes into the document's `edges` of the conditional edges that are taken. Unconditional ones always are.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        taken: Vec<u32>,
    },
    #[serde(rename = "step.failed")]
    StepFailed {
        error: Failure,
        /// Present where the run goes on: the author said what with, or an edge leads on from the failure.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        handled: Option<Handled>,
    },
    /// The host died while the step was in flight. Not the step's fault: request, attempt and key stay.
    #[serde(rename = "step.lost")]
    StepLost { request: u32, attempt: u32 },
    #[serde(rename = "step.skipped")]
    StepSkipped,
    /// The step ended in the run that this one was forked from, and is not run again.
    #[serde(rename = "step.reused")]
    StepReused(Arc<Reused>),

    #[serde(rename = "run.paused")]
    RunPaused { by: String },
    #[serde(rename = "run.resumed")]
    RunResumed { by: String },

    #[serde(rename = "llm.request")]
    LlmRequest {
        request: u32,
        attempt: u32,
        #[serde(flatten)]
        target: Target,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        simulated: bool,
        /// `{template, variables}` and the [`crate::call::ModelCall`] they gave; only on the step's first attempt.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prompt: Option<Payload>,
    },
    #[serde(rename = "llm.response")]
    LlmResponse(Arc<LlmResponse>),
    #[serde(rename = "tool.request")]
    ToolRequest {
        request: u32,
        attempt: u32,
        tool: String,
        /// The rendered `config`; only on the step's first attempt. The inputs are in `step.scheduled`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        config: Option<Payload>,
    },
    #[serde(rename = "tool.response")]
    ToolResponse { request: u32, attempt: u32, output: Payload },
    /// An attempt failed and another one of the same request will follow.
    #[serde(rename = "retry")]
    Retry {
        request: u32,
        /// The attempt that will follow.
        attempt: u32,
        /// How long the backoff is, jitter included.
        after_ms: u64,
        due: Timestamp,
        error: Failure,
    },
    /// A request failed for good and the next target takes over under a new request number.
    #[serde(rename = "fallback")]
    Fallback { request: u32, from: Target, to: Target, error: Failure },
    /// The answer missed the node's `schema` or `check`, and the model is asked to mend it under a new request number.
    #[serde(rename = "llm.repair")]
    LlmRepair { request: u32, error: Failure },
    #[serde(rename = "cache.hit")]
    CacheHit(Arc<CacheHit>),
    #[serde(rename = "router.branch")]
    RouterBranch {
        /// A string or a bool.
        branch: Value,
        rule: String,
    },
    #[serde(rename = "gate.checked")]
    GateChecked {
        passed: bool,
        /// What did not hold up.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// The items of a map are known, and the first ones begin.
    #[serde(rename = "map.expanded")]
    MapExpanded { items: Payload, count: u32 },
    /// An item of a map has ended, and the next one begins.
    #[serde(rename = "map.item")]
    MapItem {
        index: u32,
        /// Absent where the item is the output of its only last step.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output: Option<Payload>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<Failure>,
        /// The run in which the item was worked on, where it was not this one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        origin: Option<Origin>,
    },
    /// Before the first iteration of a loop, and after each: how the state changed, and whether there is another one.
    #[serde(rename = "loop.checked")]
    LoopChecked(Arc<LoopChecked>),
    #[serde(rename = "vars.changed")]
    VarsChanged { changes: Vec<Change> },
    /// Variables of the session are about to be changed, in the order of the session's own stream.
    #[serde(rename = "session.request")]
    SessionRequest {
        request: u32,
        attempt: u32,
        /// The [`crate::call::SessionCall`]; only on the step's first attempt.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        call: Option<Payload>,
    },
    /// In the stream of a session, and in that of the run that changed it.
    #[serde(rename = "session.changed")]
    SessionChanged {
        session_id: String,
        /// Seq of the change in the session's own stream.
        version: u64,
        changes: Vec<Change>,
        /// The idempotency key of the step that changed it.
        key: String,
    },
    #[serde(rename = "approval.requested")]
    ApprovalRequested {
        message: String,
        payload: Payload,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deadline: Option<Timestamp>,
        /// Why a person is asked in the middle of a call, where that is the case.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        interrupted: bool,
    },
    #[serde(rename = "approval.decided")]
    ApprovalDecided {
        decision: Decision,
        /// The client's key of the decision: of two at once, it tells whose counted.
        key: String,
        /// What was approved instead, where it was edited.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        payload: Option<Payload>,
        by: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    #[serde(rename = "signal.received")]
    SignalReceived { name: String, payload: Payload, by: String },
    #[serde(rename = "child.started")]
    ChildStarted { workflow: WorkflowRef, name: String, input: Payload },
    /// What would take the step back is known; it is called if the run fails or is cancelled.
    #[serde(rename = "undo.armed")]
    UndoArmed { call: Payload },
    /// No forward step starts any more, and what was done is taken back, the last first.
    #[serde(rename = "undo.started")]
    UndoStarted {
        /// How many steps will be taken back.
        steps: u32,
        /// What the run fails with afterwards; absent where it was cancelled.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<Failure>,
    },
    #[serde(rename = "log")]
    Log { level: LogLevel, message: String },
    #[serde(rename = "timer.set")]
    TimerSet { timer: Timer, due: Timestamp },
    #[serde(rename = "timer.fired")]
    TimerFired { timer: Timer },
    #[serde(rename = "budget.exceeded")]
    BudgetExceeded {
        /// The name of the limit, as in the document: `maxTokens`, `timeoutSeconds`, …
        limit: String,
        allowed: f64,
        used: f64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    Info,
    Warn,
    Error,
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timer {
    /// The run's active time is used up (`limits.timeoutSeconds`). Set again after a restart with the time that is left.
    Deadline,
    /// The wait of the step is over, or the time for an answer is.
    Step,
}

/// What a failed step leaves behind where the run goes on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Handled {
    /// The author's `onError.value`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Payload>,
    /// As in `step.succeeded`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken: Vec<u32>,
}

/// A step of another run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    pub run: RunId,
    pub step: StepPath,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reused {
    pub origin: Origin,
    pub input: Payload,
    pub output: Payload,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<Value>,
    /// Present where the step had failed and the run went on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken: Vec<u32>,
    /// How the step changed the variables of the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vars: Vec<Change>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoopChecked {
    /// How many iterations have ended.
    pub done: u32,
    /// Whether another one begins.
    pub again: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// What the iteration gave; absent where that is the output of its only last step, and before the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Payload>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// What a person said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    Approved,
    Rejected,
    /// Nobody said anything in time, and the author said what happens then.
    Expired,
}

impl Decision {
    pub fn as_str(self) -> &'static str {
        match self {
            Decision::Approved => "approved",
            Decision::Rejected => "rejected",
            Decision::Expired => "expired",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LlmResponse {
    pub request: u32,
    pub attempt: u32,
    #[serde(flatten)]
    pub target: Target,
    /// The model that the provider says it used.
    pub answered_by: String,
    pub output: Payload,
    /// The tools that the model wants to call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolUse>,
    pub finish_reason: Option<String>,
    pub usage: Option<Usage>,
    pub raw_usage: Option<Value>,
    /// `None` where the model has no known price or the usage is missing.
    pub cost: Option<Cost>,
    pub first_token_ms: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_request_id: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub simulated: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CacheHit {
    pub request: u32,
    #[serde(flatten)]
    pub target: Target,
    pub answered_by: String,
    pub output: Payload,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolUse>,
    pub saved_tokens: Option<u64>,
    pub saved_nanousd: Option<u64>,
    pub origin_run: String,
    pub origin_step: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub simulated: bool,
}

impl Body {
    /// The stable wire name, as in the stored form.
    pub fn kind(&self) -> &'static str {
        match self {
            Body::RunStarted(_) => "run.started",
            Body::CancelRequested { .. } => "run.cancel_requested",
            Body::RunSucceeded { .. } => "run.succeeded",
            Body::RunFailed { .. } => "run.failed",
            Body::RunCanceled => "run.canceled",
            Body::StepScheduled { .. } => "step.scheduled",
            Body::StepSucceeded { .. } => "step.succeeded",
            Body::StepFailed { .. } => "step.failed",
            Body::StepLost { .. } => "step.lost",
            Body::StepSkipped => "step.skipped",
            Body::LlmRequest { .. } => "llm.request",
            Body::LlmResponse(_) => "llm.response",
            Body::ToolRequest { .. } => "tool.request",
            Body::ToolResponse { .. } => "tool.response",
            Body::Retry { .. } => "retry",
            Body::Fallback { .. } => "fallback",
            Body::CacheHit(_) => "cache.hit",
            Body::RouterBranch { .. } => "router.branch",
            Body::StepReused(_) => "step.reused",
            Body::RunPaused { .. } => "run.paused",
            Body::RunResumed { .. } => "run.resumed",
            Body::LlmRepair { .. } => "llm.repair",
            Body::GateChecked { .. } => "gate.checked",
            Body::MapExpanded { .. } => "map.expanded",
            Body::MapItem { .. } => "map.item",
            Body::LoopChecked(_) => "loop.checked",
            Body::VarsChanged { .. } => "vars.changed",
            Body::SessionRequest { .. } => "session.request",
            Body::SessionChanged { .. } => "session.changed",
            Body::ApprovalRequested { .. } => "approval.requested",
            Body::ApprovalDecided { .. } => "approval.decided",
            Body::SignalReceived { .. } => "signal.received",
            Body::ChildStarted { .. } => "child.started",
            Body::UndoArmed { .. } => "undo.armed",
            Body::UndoStarted { .. } => "undo.started",
            Body::Log { .. } => "log",
            Body::TimerSet { .. } => "timer.set",
            Body::TimerFired { .. } => "timer.fired",
            Body::BudgetExceeded { .. } => "budget.exceeded",
        }
    }
}

impl Body {
    /// Every value that the event holds or refers to.
    pub fn payloads(&self) -> Vec<&Payload> {
        fn values(changes: &[Change]) -> Vec<&Payload> {
            changes.iter().map(|change| &change.value).collect()
        }
        match self {
            Body::RunStarted(started) => vec![&started.input],
            Body::RunSucceeded { output } | Body::StepSucceeded { output, .. } => vec![output],
            Body::RunFailed { partial, .. } => partial.iter().collect(),
            Body::StepScheduled { input } => vec![input],
            Body::StepFailed { handled, .. } => handled.iter().filter_map(|handled| handled.output.as_ref()).collect(),
            Body::StepReused(reused) => {
                let mut found = values(&reused.vars);
                found.extend([&reused.input, &reused.output]);
                found
            }
            Body::LlmRequest { prompt, .. } => prompt.iter().collect(),
            Body::LlmResponse(response) => vec![&response.output],
            Body::ToolRequest { config, .. } => config.iter().collect(),
            Body::ToolResponse { output, .. } => vec![output],
            Body::CacheHit(hit) => vec![&hit.output],
            Body::MapExpanded { items, .. } => vec![items],
            Body::MapItem { output, .. } => output.iter().collect(),
            Body::LoopChecked(checked) => {
                let mut found = values(&checked.changes);
                found.extend(&checked.output);
                found
            }
            Body::VarsChanged { changes } | Body::SessionChanged { changes, .. } => values(changes),
            Body::SessionRequest { call, .. } => call.iter().collect(),
            Body::ApprovalRequested { payload, .. } | Body::SignalReceived { payload, .. } => vec![payload],
            Body::ApprovalDecided { payload, .. } => payload.iter().collect(),
            Body::ChildStarted { input, .. } => vec![input],
            Body::UndoArmed { call } => vec![call],
            Body::CancelRequested { .. }
            | Body::RunCanceled
            | Body::RunPaused { .. }
            | Body::RunResumed { .. }
            | Body::StepLost { .. }
            | Body::StepSkipped
            | Body::Retry { .. }
            | Body::Fallback { .. }
            | Body::LlmRepair { .. }
            | Body::RouterBranch { .. }
            | Body::GateChecked { .. }
            | Body::UndoStarted { .. }
            | Body::Log { .. }
            | Body::TimerSet { .. }
            | Body::TimerFired { .. }
            | Body::BudgetExceeded { .. } => Vec::new(),
        }
    }
}

/// The deepest address of an event, for messages.
pub fn address(run: RunId, step: Option<&str>) -> String {
    match step {
        Some(step) => format!("run {run}, step `{step}`"),
        None => format!("run {run}"),
    }
}

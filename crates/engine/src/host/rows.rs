//! The rows that lists read, derived from the state that the events of a turn led to.

use crate::port::store::{ApprovalRow, RunRow, StepRow};
use flowtrace_core::id::RunId;
use flowtrace_core::plan::Plan;
use flowtrace_core::state::{RunState, StepIx};

/// Characters of an error in a list.
const SUMMARY_CHARS: usize = 300;

/// `None` before the run has started.
pub fn run_row(run: RunId, state: &RunState) -> Option<RunRow> {
    let started = state.started.as_ref()?;
    Some(RunRow {
        id: run,
        workflow_id: started.workflow.id.clone(),
        workflow_version: started.workflow.version,
        workflow_hash: started.workflow.hash.clone(),
        session_id: started.session_id.clone(),
        trace_id: started.trace_id.to_string(),
        triggered_by: started.triggered_by.clone(),
        status: state.status.as_str().to_owned(),
        simulated: started.simulated,
        started_at: state.started_at,
        finished_at: state.finished_at,
        total_tokens: state.totals.tokens,
        total_cost_nanousd: state.totals.cost_nanousd,
        cost_complete: state.totals.unpriced_calls == 0,
        steps: state.totals.steps,
        retries: state.totals.retries,
        cache_hits: state.totals.cache_hits,
        error_summary: state.error.as_ref().map(|error| error.message.chars().take(SUMMARY_CHARS).collect()),
        failed_step: state.failed_step.clone(),
    })
}

pub fn step_row(plan: &Plan, state: &RunState, ix: StepIx) -> StepRow {
    let step = state.step(ix);
    let node = plan.node(step.node);
    StepRow {
        path: state.path(plan, ix),
        node_id: node.id.clone(),
        node_type: if step.is_undo { "undo" } else { node.kind.type_name() }.to_owned(),
        status: step.status.as_str().to_owned(),
        started_at: step.started_at,
        finished_at: step.finished_at,
        tokens_input: step.usage.map(|usage| usage.input()),
        tokens_output: step.usage.map(|usage| usage.output),
        cost_nanousd: step.cost_nanousd,
        error: step.error.as_ref().map(|error| error.message.clone()),
    }
}

/// What a person is or was asked; `None` for a step that asks nobody.
pub fn approval_row(run: RunId, plan: &Plan, state: &RunState, ix: StepIx) -> Option<ApprovalRow> {
    let step = state.step(ix);
    let question = step.question.as_ref()?;
    let answer = question.answer.as_ref();
    let over = step.status.is_final() && answer.is_none();
    Some(ApprovalRow {
        run,
        path: state.path(plan, ix),
        node_id: plan.node(step.node).id.clone(),
        workflow_id: state.started.as_ref().and_then(|started| started.workflow.id.clone()),
        message: question.message.clone(),
        payload: question.payload.clone(),
        interrupted: question.interrupted,
        asked_at: question.asked_at,
        deadline: question.deadline,
        decision: answer.map(|answer| answer.decision.as_str().to_owned()).or(over.then(|| "canceled".to_owned())),
        decided_by: answer.map(|answer| answer.by.clone()),
        decided_at: answer.map(|answer| answer.at).or(step.finished_at.filter(|_| over)),
        reason: answer.and_then(|answer| answer.reason.clone()),
    })
}

//! What a run does next. Pure: the same plan and state give the same commands, on every machine and after every crash.

use crate::failure::{Failure, FailureCode};
use crate::id::Timestamp;
use crate::node::NodeKind;
use crate::plan::{NodeIx, Plan};
use crate::state::RunState;

/// What the host has to do. It records the outcome as events, applies them, and asks again until nothing is left to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// No taken edge leads to the step: record that it is skipped.
    Skip(NodeIx),
    /// Render the step's inputs and start its first request.
    Begin(NodeIx),
    /// Start the attempt that was waiting for its time.
    Resume(NodeIx),
    /// Nothing is left: compose the output from these steps and end the run.
    Succeed {
        leaves: Vec<NodeIx>,
    },
    /// End the run. The outputs of `leaves` are its partial result.
    Fail {
        failure: Failure,
        exceeded: Option<Exceeded>,
        leaves: Vec<NodeIx>,
    },
    Cancel,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Exceeded {
    pub limit: &'static str,
    pub allowed: f64,
    pub used: f64,
}

/// All that can be done at `now`. Looks only at what is ready, waiting or in flight.
pub fn decide(plan: &Plan, state: &RunState, now: Timestamp) -> Vec<Command> {
    if state.seq == 0 || state.status.is_final() {
        return Vec::new();
    }
    if state.cancel_requested {
        return vec![Command::Cancel];
    }
    if let Some(failure) = &state.error {
        return vec![Command::Fail { failure: failure.clone(), exceeded: None, leaves: state.leaves(plan) }];
    }
    if let Some(exceeded) = deadline_passed(state, now) {
        return vec![fail_over_budget(plan, state, exceeded)];
    }

    let mut commands: Vec<Command> = state.unreachable().map(Command::Skip).collect();
    commands.extend(state.waiting().take_while(|(due, _)| *due <= now).map(|(_, ix)| Command::Resume(ix)));

    let free = (plan.max_concurrency as usize).saturating_sub(state.in_flight().len());
    for (begun, ix) in (0u64..).zip(state.ready().take(free)) {
        if let Some(exceeded) = over_budget(plan, state, ix, begun) {
            // What was begun before it in this round still fits; the rest of the run does not.
            if begun == 0 {
                return vec![fail_over_budget(plan, state, exceeded)];
            }
            break;
        }
        commands.push(Command::Begin(ix));
    }

    let idle = commands.is_empty() && state.in_flight().len() == 0 && state.ready().next().is_none();
    if idle {
        commands.push(Command::Succeed { leaves: state.leaves(plan) });
    }
    commands
}

/// The moment at which [`decide`] will have something to do without a new event, if there is one.
pub fn next_due(state: &RunState) -> Option<Timestamp> {
    let retry = state.waiting().next().map(|(due, _)| due);
    [retry, state.deadline].into_iter().flatten().min()
}

fn deadline_passed(state: &RunState, now: Timestamp) -> Option<Exceeded> {
    let deadline = state.deadline.filter(|deadline| *deadline <= now)?;
    let allowed = state.limits().timeout_ms.unwrap_or_default() as f64 / 1000.0;
    let late = now.0.saturating_sub(deadline.0) as f64 / 1e6;
    Some(Exceeded { limit: "timeoutSeconds", allowed, used: allowed + late })
}

/// Whether starting `ix` would break a limit, when `begun` other steps are started with it.
fn over_budget(plan: &Plan, state: &RunState, ix: NodeIx, begun: u64) -> Option<Exceeded> {
    let limits = state.limits();
    let totals = &state.totals;
    let calls_model = matches!(plan.node(ix).kind, NodeKind::Llm(_));
    // A step that spends nothing may still start when the budget is exactly used up.
    let spent = |used: u64, allowed: u64| if calls_model { used >= allowed } else { used > allowed };
    if let Some(allowed) = limits.max_steps
        && totals.steps + begun >= allowed
    {
        return Some(Exceeded { limit: "maxSteps", allowed: allowed as f64, used: (totals.steps + begun) as f64 });
    }
    if let Some(allowed) = limits.max_tokens
        && spent(totals.tokens, allowed)
    {
        return Some(Exceeded { limit: "maxTokens", allowed: allowed as f64, used: totals.tokens as f64 });
    }
    if let Some(allowed) = limits.max_cost_nanousd
        && spent(totals.cost_nanousd, allowed)
    {
        return Some(Exceeded { limit: "maxCostUsd", allowed: allowed as f64 / 1e9, used: totals.cost_nanousd as f64 / 1e9 });
    }
    None
}

fn fail_over_budget(plan: &Plan, state: &RunState, exceeded: Exceeded) -> Command {
    let message = match exceeded.limit {
        "timeoutSeconds" => format!(
            "The run was stopped because it reached its limit `timeoutSeconds` of {} s of active time. Raise the limit or make the steps quicker.",
            exceeded.allowed
        ),
        limit => format!(
            "The run was stopped before its next step because it reached its limit `{limit}`: {} of {} are used. Raise the limit to let it go further.",
            exceeded.used, exceeded.allowed
        ),
    };
    let failure = Failure::new(FailureCode::BudgetExceeded, message);
    Command::Fail { failure, exceeded: Some(exceeded), leaves: state.leaves(plan) }
}

//! What a run does next. Pure: the same plan and state give the same commands, on every machine and after every crash.

use crate::event::Body;
use crate::failure::{Failure, FailureCode};
use crate::id::Timestamp;
use crate::node::{Caps, NodeKind};
use crate::plan::Plan;
use crate::state::{Armed, ROOT, RunState, ScopeIx, StepIx, Work};

/// What the host has to do. It records the outcome as events, applies them, and asks again until nothing is left to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// No taken edge leads to the step: record that it is skipped.
    Skip(StepIx),
    /// Do what follows from the last event of the step, which is recorded while this is not.
    Settle(StepIx),
    /// Render the step's inputs and start its first request.
    Begin(StepIx),
    /// Start the attempt that was waiting for its time.
    Resume(StepIx),
    /// The time of a wait or of a question is over.
    Expire(StepIx),
    /// The signal that the step waits for is there.
    Deliver(StepIx),
    /// Everything inside of an item of a map, an iteration or a called workflow has ended or failed.
    Close(ScopeIx),
    /// End a step because of what happened inside of it, or because a limit of its own is reached.
    Fail(StepIx, Failure, Option<Exceeded>),
    /// Stop what is in flight, and take back what was done.
    Compensate {
        error: Option<Failure>,
        exceeded: Option<Exceeded>,
    },
    /// Take back this step.
    Undo(Armed),
    /// Nothing is left: compose the output from these steps and end the run.
    Succeed {
        leaves: Vec<StepIx>,
    },
    /// End the run. The outputs of `leaves` are its partial result.
    FailRun {
        failure: Failure,
        exceeded: Option<Exceeded>,
        leaves: Vec<StepIx>,
    },
    Cancel,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Exceeded {
    pub limit: &'static str,
    pub allowed: f64,
    pub used: f64,
}

/// All that can be done at `now`. Looks only at what is ready, waiting, over or in flight.
pub fn decide(plan: &Plan, state: &RunState, now: Timestamp) -> Vec<Command> {
    if state.seq == 0 || state.status.is_final() {
        return Vec::new();
    }
    // What is recorded comes first: it may have to be taken back. No call is made where the run is about to end.
    let ends = state.compensation.is_none() && (state.cancel_requested || state.error.is_some());
    let is_call = |event: &Body| matches!(event, Body::StepScheduled { .. } | Body::StepLost { .. });
    let unsettled: Vec<Command> =
        state.unsettled().filter(|(_, event)| !(ends && is_call(event))).map(|(ix, _)| Command::Settle(ix)).collect();
    if !unsettled.is_empty() {
        return unsettled;
    }
    if state.compensation.is_some() {
        return compensate(plan, state, now);
    }
    if state.cancel_requested {
        return vec![match state.armed() {
            [] => Command::Cancel,
            _ => Command::Compensate { error: None, exceeded: None },
        }];
    }
    if let Some(failure) = &state.error {
        return vec![end(plan, state, failure.clone(), None)];
    }
    if let Some(exceeded) = deadline_passed(state, now) {
        return vec![end_over_budget(plan, state, exceeded)];
    }
    if state.paused {
        return Vec::new();
    }

    // What ends comes before what begins: an end may stop what would begin.
    let mut commands: Vec<Command> =
        state.closable().filter(|scope| *scope != ROOT).map(|scope| close(plan, state, scope)).collect();
    commands.extend(state.deliverable().map(Command::Deliver));
    for (_, ix) in state.timed().take_while(|(due, _)| *due <= now) {
        let kind = &plan.node(state.step(ix).node).kind;
        let parked = state.step(ix).question.as_ref().is_some_and(|question| question.answer.is_none());
        commands.push(if kind.is_container() {
            let allowed = plan.caps(state.step(ix).node).and_then(|caps| caps.timeout_ms).unwrap_or_default() as f64 / 1000.0;
            let exceeded = Exceeded { limit: "timeoutSeconds", allowed, used: allowed };
            Command::Fail(ix, over_cap(&state.path(plan, ix), &exceeded), Some(exceeded))
        } else if parked || matches!(kind, NodeKind::Wait(_)) {
            Command::Expire(ix)
        } else {
            Command::Resume(ix)
        });
    }
    if commands.iter().any(|command| !matches!(command, Command::Resume(_))) {
        return commands;
    }
    commands.extend(state.unreachable().map(Command::Skip));

    let mut begun = Begun::default();
    for (_, ix) in state.runnable(plan) {
        match over_budget(plan, state, ix, begun) {
            None => {
                begun.count(&plan.node(state.step(ix).node).kind);
                commands.push(Command::Begin(ix));
            }
            // What was begun before it in this round still fits; the rest does not.
            Some(_) if begun.steps > 0 => break,
            Some((None, exceeded)) => return vec![end_over_budget(plan, state, exceeded)],
            Some((Some(owner), exceeded)) => {
                commands.push(Command::Fail(owner, over_cap(&state.path(plan, owner), &exceeded), Some(exceeded)));
                return commands;
            }
        }
    }
    if commands.is_empty() && state.closable().next() == Some(ROOT) {
        commands.push(Command::Succeed { leaves: state.leaves(plan, ROOT) });
    }
    commands
}

/// The moment at which [`decide`] will have something to do without a new event, if there is one.
pub fn next_due(state: &RunState) -> Option<Timestamp> {
    if state.paused && state.compensation.is_none() {
        return state.deadline();
    }
    let timed = state.timed().next().map(|(due, _)| due);
    [timed, state.deadline()].into_iter().flatten().min()
}

/// A scope with nothing left in it.
fn close(plan: &Plan, state: &RunState, ix: ScopeIx) -> Command {
    let scope = state.scope(ix);
    let (Some(owner), Some(failed)) = (scope.owner, scope.failed) else { return Command::Close(ix) };
    let tolerant = match &plan.node(state.step(owner).node).kind {
        NodeKind::Map(map) => map.on_error != crate::document::ItemError::Fail,
        _ => false,
    };
    match &state.step(failed).error {
        Some(failure) if !tolerant => Command::Fail(owner, failure.clone(), None),
        _ => Command::Close(ix),
    }
}

fn compensate(plan: &Plan, state: &RunState, now: Timestamp) -> Vec<Command> {
    let Some(compensation) = &state.compensation else { return Vec::new() };
    if compensation.current.is_some() {
        return state.timed().take_while(|(due, _)| *due <= now).map(|(_, ix)| Command::Resume(ix)).collect();
    }
    vec![match (state.armed().last(), &compensation.error) {
        (Some(armed), _) => Command::Undo(armed.clone()),
        (None, Some(failure)) => {
            let mut failure = failure.clone();
            if compensation.failed > 0 {
                failure.message.push_str(&format!(
                    " Moreover, {} of the steps that had to be taken back could not be: look at the failed `undo` steps.",
                    compensation.failed
                ));
            }
            Command::FailRun { failure, exceeded: None, leaves: state.leaves(plan, ROOT) }
        }
        (None, None) => Command::Cancel,
    }]
}

/// What was begun in this round, and is not in the totals yet.
#[derive(Clone, Copy, Default)]
struct Begun {
    steps: u64,
    tool_calls: u64,
    spawns: u64,
}

impl Begun {
    fn count(&mut self, kind: &NodeKind) {
        self.steps += 1;
        self.tool_calls += u64::from(calls_tool(kind));
        self.spawns += u64::from(matches!(kind, NodeKind::Workflow(_)));
    }
}

fn calls_tool(kind: &NodeKind) -> bool {
    matches!(kind, NodeKind::Tool(_) | NodeKind::AgentCall)
}

fn deadline_passed(state: &RunState, now: Timestamp) -> Option<Exceeded> {
    let deadline = state.deadline().filter(|deadline| *deadline <= now)?;
    let allowed = state.limits().timeout_ms.unwrap_or_default() as f64 / 1000.0;
    let late = now.0.saturating_sub(deadline.0) as f64 / 1e6;
    Some(Exceeded { limit: "timeoutSeconds", allowed, used: allowed + late })
}

/// Whether starting `ix` would break a limit, when others are started with it: a limit of the run, or of a step around it.
fn over_budget(plan: &Plan, state: &RunState, ix: StepIx, begun: Begun) -> Option<(Option<StepIx>, Exceeded)> {
    let kind = &plan.node(state.step(ix).node).kind;
    let (limits, totals) = (state.limits(), &state.totals);
    let caps = Caps {
        max_steps: limits.max_steps,
        max_tool_calls: limits.max_tool_calls,
        max_tokens: limits.max_tokens,
        max_cost_nanousd: limits.max_cost_nanousd,
        max_iterations: limits.max_iterations,
        timeout_ms: None,
    };
    let spent = crate::state::Spent {
        steps: totals.steps,
        tool_calls: totals.tool_calls,
        tokens: totals.tokens,
        cost_nanousd: totals.cost_nanousd,
        iterations: totals.iterations,
    };
    if let Some(exceeded) = over(&caps, &spent, kind, begun) {
        return Some((None, exceeded));
    }
    if matches!(kind, NodeKind::Workflow(_)) {
        let (depth, spawns) = (state.depth(plan, ix) + 1, totals.spawns + begun.spawns + 1);
        let most_deep = limits.max_depth.unwrap_or(crate::document::DEFAULT_MAX_DEPTH);
        let most_spawns = limits.max_spawns.unwrap_or(crate::document::DEFAULT_MAX_SPAWNS);
        if depth > most_deep {
            return Some((None, Exceeded { limit: "maxDepth", allowed: most_deep as f64, used: depth as f64 }));
        }
        if spawns > most_spawns {
            return Some((None, Exceeded { limit: "maxSpawns", allowed: most_spawns as f64, used: spawns as f64 }));
        }
    }
    for owner in state.around(ix).filter_map(|scope| scope.owner) {
        let step = state.step(owner);
        let (Some(caps), Some(control)) = (plan.caps(step.node), &step.control) else { continue };
        if let Some(exceeded) = over(&caps, &control.spent, kind, begun) {
            return Some((Some(owner), exceeded));
        }
    }
    None
}

fn over(caps: &Caps, spent: &crate::state::Spent, kind: &NodeKind, begun: Begun) -> Option<Exceeded> {
    // A step that spends nothing may still start when the budget is exactly used up.
    let used_up = |used: u64, allowed: u64| if kind.calls_model() { used >= allowed } else { used > allowed };
    let of = |limit, allowed: u64, used: u64, scale: f64| Exceeded {
        limit,
        allowed: allowed as f64 / scale,
        used: used as f64 / scale,
    };
    if let Some(allowed) = caps.max_steps
        && spent.steps + begun.steps >= allowed
    {
        return Some(of("maxSteps", allowed, spent.steps + begun.steps, 1.0));
    }
    if let Some(allowed) = caps.max_tool_calls
        && calls_tool(kind)
        && spent.tool_calls + begun.tool_calls >= allowed
    {
        return Some(of("maxToolCalls", allowed, spent.tool_calls + begun.tool_calls, 1.0));
    }
    if let Some(allowed) = caps.max_tokens
        && used_up(spent.tokens, allowed)
    {
        return Some(of("maxTokens", allowed, spent.tokens, 1.0));
    }
    if let Some(allowed) = caps.max_cost_nanousd
        && used_up(spent.cost_nanousd, allowed)
    {
        return Some(of("maxCostUsd", allowed, spent.cost_nanousd, 1e9));
    }
    None
}

/// Ends the run with a failure, and takes back what can be taken back first.
fn end(plan: &Plan, state: &RunState, failure: Failure, exceeded: Option<Exceeded>) -> Command {
    match state.armed() {
        [] => Command::FailRun { failure, exceeded, leaves: state.leaves(plan, ROOT) },
        _ => Command::Compensate { error: Some(failure), exceeded },
    }
}

fn end_over_budget(plan: &Plan, state: &RunState, exceeded: Exceeded) -> Command {
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
    end(plan, state, Failure::new(FailureCode::BudgetExceeded, message), Some(exceeded))
}

fn over_cap(path: &str, exceeded: &Exceeded) -> Failure {
    let message = format!(
        "Step `{path}` was stopped because it reached its limit `{}`: {} of {} are used. Raise the limit to let it go further.",
        exceeded.limit, exceeded.used, exceeded.allowed
    );
    Failure::new(FailureCode::BudgetExceeded, message)
}

/// Whether a loop or a map has nothing more to begin.
pub fn is_complete(state: &RunState, ix: StepIx) -> bool {
    match state.step(ix).control.as_ref().map(|control| &control.work) {
        Some(Work::Map(map)) => map.done as usize == map.results.len(),
        Some(Work::Loop(state)) => state.begun && !state.again,
        _ => false,
    }
}

/// The limit that one more iteration of the step would break, and the called workflow that sets it; `None`: the run does.
pub fn over_iterations(plan: &Plan, state: &RunState, ix: StepIx) -> Option<(Option<StepIx>, Exceeded)> {
    let over = |allowed: Option<u64>, used: u64| {
        let allowed = allowed.filter(|allowed| used >= *allowed)?;
        Some(Exceeded { limit: "maxIterations", allowed: allowed as f64, used: used as f64 })
    };
    if let Some(exceeded) = over(state.limits().max_iterations, state.totals.iterations) {
        return Some((None, exceeded));
    }
    state.around(ix).filter_map(|scope| scope.owner).find_map(|owner| {
        let (caps, control) = (plan.caps(state.step(owner).node)?, state.step(owner).control.as_ref()?);
        Some((Some(owner), over(caps.max_iterations, control.spent.iterations)?))
    })
}

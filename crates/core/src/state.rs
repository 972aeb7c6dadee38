//! What a run has come to: a fold over its events. [`RunState::apply`] is the only writer.
//!
//! Every change costs what it changes: the state keeps counters of open predecessors and sets of what is ready, so neither
//! applying an event nor deciding what is next ever looks at the whole graph. Values are held as references
//! ([`Payload`]), so the state of a run stays small whatever its steps produce.

use crate::call::Target;
use crate::event::{Body, Event, Limits, LlmResponse, RunStarted, Timer};
use crate::failure::Failure;
use crate::id::{StepPath, Timestamp};
use crate::payload::Payload;
use crate::plan::{NodeIx, Plan};
use crate::usage::Usage;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunStatus {
    /// Started, and no step has been scheduled yet.
    #[default]
    Queued,
    Running,
    Succeeded,
    Failed,
    Canceled,
}

impl RunStatus {
    pub fn is_final(self) -> bool {
        matches!(self, RunStatus::Succeeded | RunStatus::Failed | RunStatus::Canceled)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            RunStatus::Queued => "queued",
            RunStatus::Running => "running",
            RunStatus::Succeeded => "succeeded",
            RunStatus::Failed => "failed",
            RunStatus::Canceled => "canceled",
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StepStatus {
    /// Not reached yet; such a step is not shown.
    #[default]
    Pending,
    Running,
    /// Between two attempts.
    Waiting,
    Succeeded,
    Failed,
    Skipped,
    Canceled,
}

impl StepStatus {
    pub fn is_final(self) -> bool {
        matches!(self, StepStatus::Succeeded | StepStatus::Failed | StepStatus::Skipped | StepStatus::Canceled)
    }

    pub fn is_in_flight(self) -> bool {
        matches!(self, StepStatus::Running | StepStatus::Waiting)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            StepStatus::Pending => "pending",
            StepStatus::Running => "running",
            StepStatus::Waiting => "waiting",
            StepStatus::Succeeded => "succeeded",
            StepStatus::Failed => "failed",
            StepStatus::Skipped => "skipped",
            StepStatus::Canceled => "canceled",
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepState {
    pub status: StepStatus,
    /// Incoming edges whose source has not ended.
    open: u32,
    /// Whether some incoming edge was taken.
    reached: bool,
    /// The current logical call, from 1; a fallback target is a new one.
    pub request: u32,
    /// The current try of that call, from 1.
    pub attempt: u32,
    /// Tries over all requests.
    pub attempts: u32,
    /// When the next attempt is due, while waiting.
    pub due: Option<Timestamp>,
    /// Position among the scheduled and skipped steps of the run, from 0: the order in which a reader saw them appear.
    pub ordinal: u32,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub input: Option<Payload>,
    pub output: Option<Payload>,
    /// What the first request was made of, so that a later attempt needs no rendering.
    pub call: Option<Payload>,
    /// A router's decision.
    pub branch: Option<Value>,
    /// The last failure, also while another attempt is under way.
    pub error: Option<Failure>,
    /// The provider and model of the current request; for a cached answer, of the original one.
    pub target: Option<Target>,
    /// The model that the provider says it used.
    pub answered_by: Option<String>,
    pub usage: Option<Usage>,
    pub cost_nanousd: Option<u64>,
    pub first_token_ms: Option<f64>,
    pub cached: bool,
    /// What the cache saved, where the price is known.
    pub saved_nanousd: Option<u64>,
    pub simulated: bool,
}

/// Sums over the whole run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Steps that were scheduled.
    pub steps: u64,
    pub tokens: u64,
    pub cost_nanousd: u64,
    /// Calls that were answered but have no known cost.
    pub unpriced_calls: u64,
    pub retries: u64,
    pub fallbacks: u64,
    pub cache_hits: u64,
    pub saved_nanousd: u64,
}

#[derive(Clone, Debug, Default)]
pub struct RunState {
    /// Seq of the last applied event; 0 before the first.
    pub seq: u64,
    pub status: RunStatus,
    pub started: Option<Arc<RunStarted>>,
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    /// Time of the last event.
    pub last_ts: Timestamp,
    /// Microseconds in which the run was being worked on: gaps in which no process was there are left out.
    pub active_micros: u64,
    pub deadline: Option<Timestamp>,
    /// By node index.
    pub steps: Vec<StepState>,
    pub totals: Totals,
    pub output: Option<Payload>,
    pub error: Option<Failure>,
    pub failed_step: Option<StepPath>,
    pub cancel_requested: bool,
    /// The limit that was tripped, if one was.
    pub budget_exceeded: Option<String>,

    ready: BTreeSet<NodeIx>,
    unreachable: BTreeSet<NodeIx>,
    in_flight: BTreeSet<NodeIx>,
    /// Those in flight that wait for their next attempt, by time.
    waiting: BTreeSet<(Timestamp, NodeIx)>,
    seen: u32,
}

/// A log that this plan cannot have produced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event {seq} ({kind}) does not fit the run: {reason}")]
pub struct Corrupt {
    pub seq: u64,
    pub kind: &'static str,
    pub reason: String,
}

impl RunState {
    pub fn new(plan: &Plan) -> Self {
        let steps =
            plan.nodes.iter().map(|node| StepState { open: node.incoming.len() as u32, ..StepState::default() }).collect();
        RunState { steps, ready: BTreeSet::from([plan.entry]), ..RunState::default() }
    }

    pub fn fold<'a>(plan: &Plan, events: impl IntoIterator<Item = &'a Event>) -> Result<Self, Corrupt> {
        let mut state = RunState::new(plan);
        for event in events {
            state.apply(plan, event)?;
        }
        Ok(state)
    }

    pub fn step(&self, ix: NodeIx) -> &StepState {
        &self.steps[ix as usize]
    }

    /// Steps that may start now, in plan order.
    pub fn ready(&self) -> impl Iterator<Item = NodeIx> + '_ {
        self.ready.iter().copied()
    }

    /// Steps that no taken edge leads to.
    pub fn unreachable(&self) -> impl Iterator<Item = NodeIx> + '_ {
        self.unreachable.iter().copied()
    }

    /// Steps that were scheduled and have not ended.
    pub fn in_flight(&self) -> impl ExactSizeIterator<Item = NodeIx> + '_ {
        self.in_flight.iter().copied()
    }

    /// Steps between two attempts, earliest first.
    pub fn waiting(&self) -> impl Iterator<Item = (Timestamp, NodeIx)> + '_ {
        self.waiting.iter().copied()
    }

    pub fn limits(&self) -> Limits {
        self.started.as_ref().map(|started| started.limits).unwrap_or_default()
    }

    /// Executed steps after which nothing else was executed: their outputs are the run's output. Costs a look at every node,
    /// so it is asked once, at the end.
    pub fn leaves(&self, plan: &Plan) -> Vec<NodeIx> {
        let succeeded = |ix: NodeIx| self.step(ix).status == StepStatus::Succeeded;
        (0..plan.nodes.len() as NodeIx)
            .filter(|ix| succeeded(*ix) && !plan.node(*ix).outgoing.iter().any(|edge| succeeded(plan.edge(*edge).to)))
            .collect()
    }

    /// Applies the next event. Total: an event that cannot apply is a damaged log, never a panic.
    pub fn apply(&mut self, plan: &Plan, event: &Event) -> Result<(), Corrupt> {
        let corrupt = |reason: String| Corrupt { seq: event.seq, kind: event.body.kind(), reason };
        if event.seq != self.seq + 1 {
            return Err(corrupt(format!("expected seq {}", self.seq + 1)));
        }
        if self.status.is_final() {
            return Err(corrupt("the run has ended".to_owned()));
        }
        if (self.seq == 0) != matches!(event.body, Body::RunStarted(_)) {
            return Err(corrupt("`run.started` comes first, and only once".to_owned()));
        }
        let ix = match &event.step {
            Some(path) => {
                Some(*plan.by_id.get(path.as_ref()).ok_or_else(|| corrupt(format!("the workflow has no step `{path}`")))?)
            }
            None => None,
        };
        self.count_active_time(event);
        self.seq = event.seq;
        self.last_ts = event.ts;
        match ix {
            Some(ix) => self.apply_to_step(plan, ix, event).map_err(corrupt),
            None => self.apply_to_run(event).map_err(corrupt),
        }
    }

    /// `step.lost` and a deadline that is set again are what a new process writes first: the time before them was nobody's.
    fn count_active_time(&mut self, event: &Event) {
        let gap = matches!(event.body, Body::StepLost { .. } | Body::TimerSet { timer: Timer::Deadline, .. });
        if self.seq > 0 && !gap {
            self.active_micros += event.ts.0.saturating_sub(self.last_ts.0);
        }
    }

    fn apply_to_run(&mut self, event: &Event) -> Result<(), String> {
        match &event.body {
            Body::RunStarted(started) => {
                self.started = Some(started.clone());
                self.started_at = event.ts;
            }
            Body::CancelRequested { .. } => self.cancel_requested = true,
            Body::RunSucceeded { output } => {
                self.output = Some(output.clone());
                self.end(RunStatus::Succeeded, event.ts);
            }
            Body::RunFailed { error, failed_step, partial } => {
                self.error = Some(error.clone());
                self.failed_step = failed_step.clone();
                self.output = partial.clone();
                self.end(RunStatus::Failed, event.ts);
            }
            Body::RunCanceled => self.end(RunStatus::Canceled, event.ts),
            Body::TimerSet { timer: Timer::Deadline, due } => self.deadline = Some(*due),
            Body::TimerFired { timer: Timer::Deadline } => self.deadline = None,
            Body::BudgetExceeded { limit, .. } => self.budget_exceeded = Some(limit.clone()),
            Body::Log { .. } => {}
            _ => return Err("it belongs to a step, and names none".to_owned()),
        }
        Ok(())
    }

    fn apply_to_step(&mut self, plan: &Plan, ix: NodeIx, event: &Event) -> Result<(), String> {
        let ordinal = self.seen;
        let step = &mut self.steps[ix as usize];
        match &event.body {
            Body::StepScheduled { input } => {
                if !self.ready.remove(&ix) {
                    return Err("the step is not ready".to_owned());
                }
                self.in_flight.insert(ix);
                self.status = RunStatus::Running;
                self.totals.steps += 1;
                self.seen += 1;
                *step = StepState {
                    status: StepStatus::Running,
                    request: 1,
                    attempt: 1,
                    attempts: 1,
                    ordinal,
                    started_at: Some(event.ts),
                    input: Some(input.clone()),
                    ..std::mem::take(step)
                };
            }
            Body::StepSkipped => {
                if !self.unreachable.remove(&ix) {
                    return Err("an edge to the step was taken, or may be".to_owned());
                }
                step.status = StepStatus::Skipped;
                step.finished_at = Some(event.ts);
                step.ordinal = ordinal;
                self.seen += 1;
                self.release_successors(plan, ix, &[]);
            }
            Body::Log { .. } => {}
            _ if !self.in_flight.contains(&ix) => return Err("the step is not in flight".to_owned()),
            Body::StepSucceeded { output, taken } => {
                step.status = StepStatus::Succeeded;
                step.finished_at = Some(event.ts);
                step.output = Some(output.clone());
                step.error = None;
                self.waiting.remove(&(step.due.take().unwrap_or_default(), ix));
                self.in_flight.remove(&ix);
                self.release_successors(plan, ix, taken);
            }
            Body::StepFailed { error } => {
                step.status = StepStatus::Failed;
                step.finished_at = Some(event.ts);
                step.error = Some(error.clone());
                self.waiting.remove(&(step.due.take().unwrap_or_default(), ix));
                self.in_flight.remove(&ix);
                if self.failed_step.is_none() {
                    self.failed_step = Some(plan.node(ix).id.clone());
                    self.error = Some(error.clone());
                }
            }
            Body::StepLost { .. } => {}
            Body::LlmRequest { attempt, target, prompt, simulated, .. } => {
                step.status = StepStatus::Running;
                self.waiting.remove(&(step.due.take().unwrap_or_default(), ix));
                step.attempt = *attempt;
                step.target = Some(target.clone());
                step.simulated = *simulated;
                if let Some(prompt) = prompt {
                    step.call = Some(prompt.clone());
                }
            }
            Body::ToolRequest { attempt, config, .. } => {
                step.status = StepStatus::Running;
                self.waiting.remove(&(step.due.take().unwrap_or_default(), ix));
                step.attempt = *attempt;
                if let Some(config) = config {
                    step.call = Some(config.clone());
                }
            }
            Body::LlmResponse(response) => self.count_response(ix, response),
            Body::ToolResponse { .. } => {}
            Body::Retry { request, attempt, due, error, .. } => {
                step.status = StepStatus::Waiting;
                step.request = *request;
                step.attempt = *attempt;
                step.attempts += 1;
                step.due = Some(*due);
                self.waiting.insert((*due, ix));
                step.error = Some(error.clone());
                self.totals.retries += 1;
            }
            Body::Fallback { request, to, error, .. } => {
                step.status = StepStatus::Waiting;
                step.request = *request;
                step.attempt = 1;
                step.attempts += 1;
                step.due = Some(event.ts);
                self.waiting.insert((event.ts, ix));
                step.target = Some(to.clone());
                step.error = Some(error.clone());
                self.totals.fallbacks += 1;
            }
            Body::CacheHit(hit) => {
                step.cached = true;
                step.target = Some(hit.target.clone());
                step.answered_by = Some(hit.answered_by.clone());
                step.usage = None;
                step.cost_nanousd = Some(0);
                step.saved_nanousd = hit.saved_nanousd;
                self.totals.cache_hits += 1;
                self.totals.saved_nanousd += hit.saved_nanousd.unwrap_or(0);
            }
            Body::RouterBranch { branch, .. } => step.branch = Some(branch.clone()),
            _ => return Err("it belongs to the run, not to a step".to_owned()),
        }
        Ok(())
    }

    fn count_response(&mut self, ix: NodeIx, response: &LlmResponse) {
        let step = &mut self.steps[ix as usize];
        step.target = Some(response.target.clone());
        step.answered_by = Some(response.answered_by.clone());
        step.first_token_ms = response.first_token_ms;
        step.simulated = response.simulated;
        if let Some(usage) = &response.usage {
            step.usage.get_or_insert_default().add(usage);
            self.totals.tokens = self.totals.tokens.saturating_add(usage.total());
        }
        match &response.cost {
            Some(cost) => {
                *step.cost_nanousd.get_or_insert(0) += cost.nanousd;
                self.totals.cost_nanousd = self.totals.cost_nanousd.saturating_add(cost.nanousd);
            }
            None => self.totals.unpriced_calls += 1,
        }
    }

    fn release_successors(&mut self, plan: &Plan, ix: NodeIx, taken: &[u32]) {
        let executed = self.step(ix).status == StepStatus::Succeeded;
        for edge_ix in &plan.node(ix).outgoing {
            let edge = plan.edge(*edge_ix);
            let next = &mut self.steps[edge.to as usize];
            next.open = next.open.saturating_sub(1);
            next.reached |= executed && (edge.when.is_none() || taken.contains(edge_ix));
            if next.open == 0 {
                if next.reached { &mut self.ready } else { &mut self.unreachable }.insert(edge.to);
            }
        }
    }

    fn end(&mut self, status: RunStatus, at: Timestamp) {
        self.status = status;
        self.finished_at = Some(at);
        self.deadline = None;
        self.ready.clear();
        self.unreachable.clear();
        self.waiting.clear();
        for ix in std::mem::take(&mut self.in_flight) {
            let step = &mut self.steps[ix as usize];
            step.status = StepStatus::Canceled;
            step.finished_at = Some(at);
            step.due = None;
        }
    }
}

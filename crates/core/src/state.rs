//! What a run has come to: a fold over its events. [`RunState::apply`] is the only writer.
//!
//! Every change costs what it changes: the state keeps counters of open predecessors and sets of what is ready, so neither
//! applying an event nor deciding what is next ever looks at a whole graph or at all items of a map. Values are held as
//! references ([`Payload`]), so the state of a run stays small whatever its steps produce.
//!
//! Every time that a graph is gone through is a [`scope`]: the document's own graph has one, a body has one for each item or
//! iteration. Scopes that are over can be forgotten with [`RunState::sweep`]; readers that show a run keep them.

mod apply;
mod contain;
pub mod control;
pub mod scope;
pub mod step;
mod unsettled;

pub use control::{Answer, Control, ItemResult, LoopState, MapState, Question, Spent, Work};
pub use scope::{ROOT, Scope, ScopeIx};
pub use step::{StepIx, StepState, StepStatus};

use crate::change::Changes;
use crate::event::{Body, Event, Limits, RunStarted};
use crate::failure::Failure;
use crate::id::{StepPath, Timestamp};
use crate::node::NodeKind;
use crate::payload::Payload;
use crate::plan::{GraphIx, NodeIx, Plan};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
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
    /// Calls of tools; tries of one call count once.
    pub tool_calls: u64,
    /// Iterations of loops and turns of agents that were begun.
    pub iterations: u64,
    /// Workflows that were called.
    pub spawns: u64,
    /// Steps whose work another run did.
    pub reused: u64,
}

/// A step that can be taken back.
#[derive(Clone, Debug, PartialEq)]
pub struct Armed {
    pub path: StepPath,
    pub node: NodeIx,
    pub call: Payload,
}

/// The run takes back what it did.
#[derive(Clone, Debug, PartialEq)]
pub struct Compensation {
    /// What the run fails with afterwards; absent where it was cancelled.
    pub error: Option<Failure>,
    /// The undo that is under way.
    pub current: Option<StepIx>,
    /// Undos that failed for good.
    pub failed: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    pub payload: Payload,
    pub by: String,
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
    /// Microseconds in which the run was being worked on: waiting for people, pauses, and times without a process are left out.
    pub active_micros: u64,
    /// By step index.
    pub steps: Vec<StepState>,
    pub totals: Totals,
    pub output: Option<Payload>,
    pub error: Option<Failure>,
    pub failed_step: Option<StepPath>,
    pub cancel_requested: bool,
    pub paused: bool,
    /// The limit that was tripped, if one was.
    pub budget_exceeded: Option<String>,
    /// The variables of the run.
    pub vars: Changes,
    pub compensation: Option<Compensation>,

    scopes: Vec<Scope>,
    /// Scopes with a step that may start now.
    runnable: BTreeSet<ScopeIx>,
    /// Scopes that have nothing left to do, or failed.
    closable: BTreeSet<ScopeIx>,
    unreachable: BTreeSet<StepIx>,
    in_flight: BTreeSet<StepIx>,
    /// Those in flight of which an event is recorded and not yet what follows from it, with that event. A turn writes both at once, so
    /// there are some only where a turn begins: what a crash interrupted, and what a journal leaves open that ends within a turn.
    unsettled: BTreeMap<StepIx, Body>,
    /// Those in flight that other steps work for.
    containers: usize,
    /// Those in flight that wait for a person, a time or a signal.
    parked: BTreeSet<StepIx>,
    /// Those in flight for which something happens at a time: a next attempt, the end of a wait or of patience.
    timed: BTreeSet<(Timestamp, StepIx)>,
    signals: HashMap<String, VecDeque<Signal>>,
    /// Waits by the signal that they wait for, by ordinal: the places of steps are not the same in every process, and which wait a
    /// signal ended has to be.
    listeners: BTreeMap<String, BTreeSet<(u32, StepIx)>>,
    /// Waits whose signal is there.
    deliverable: BTreeSet<StepIx>,
    armed: Vec<Armed>,
    undos: HashMap<StepPath, StepIx>,
    /// Scopes that are over and not yet forgotten.
    over: Vec<ScopeIx>,
    /// Scopes of a graph that can be used again.
    free: HashMap<GraphIx, Vec<ScopeIx>>,
    /// Steps that ended because something around them did, since they were last asked for.
    stopped: Vec<StepIx>,
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
        let mut state = RunState::default();
        state.open_scope(plan, None, 0, 0);
        state
    }

    pub fn fold<'a>(plan: &Plan, events: impl IntoIterator<Item = &'a Event>) -> Result<Self, Corrupt> {
        let mut state = RunState::new(plan);
        for event in events {
            state.apply(plan, event)?;
        }
        Ok(state)
    }

    pub fn step(&self, ix: StepIx) -> &StepState {
        &self.steps[ix as usize]
    }

    pub fn scope(&self, ix: ScopeIx) -> &Scope {
        &self.scopes[ix as usize]
    }

    /// Every scope that has not been forgotten.
    pub fn scopes(&self) -> impl Iterator<Item = &Scope> {
        self.scopes.iter()
    }

    /// The scopes from that of a step outwards.
    pub fn around(&self, ix: StepIx) -> impl Iterator<Item = &Scope> + '_ {
        let mut next = Some(self.step(ix).scope);
        std::iter::from_fn(move || {
            let scope = self.scope(next?);
            next = scope.owner.map(|owner| self.step(owner).scope);
            Some(scope)
        })
    }

    /// The step of a node as another step sees it: in its own scope, or in one around that.
    pub fn seen_from(&self, plan: &Plan, ix: StepIx, node: NodeIx) -> Option<StepIx> {
        let graph = plan.node(node).graph;
        self.around(ix).find(|scope| scope.graph == graph).map(|scope| scope.step_of(plan, node))
    }

    /// The path of a step, also before it is scheduled.
    pub fn path(&self, plan: &Plan, ix: StepIx) -> StepPath {
        let step = self.step(ix);
        if !step.path.is_empty() {
            return step.path.clone();
        }
        let (id, scope) = (&plan.node(step.node).id, self.scope(step.scope));
        match scope.owner {
            None => id.clone(),
            Some(owner) => format!("{}[{}]/{id}", self.step(owner).path, scope.index).into(),
        }
    }

    /// The step at a path, if its scope is open or has not been forgotten.
    pub fn find(&self, plan: &Plan, path: &str) -> Option<StepIx> {
        // An undo outlives the scope of the step that it takes back.
        if let Some(undo) = self.undos.get(path) {
            return Some(*undo);
        }
        let mut scope = self.scope(ROOT);
        let mut rest = path;
        loop {
            let (segment, after) = rest.split_once('/').map_or((rest, None), |(segment, after)| (segment, Some(after)));
            let (id, index) = match segment.strip_suffix(']').and_then(|segment| segment.split_once('[')) {
                Some((id, index)) => (id, Some(index.parse::<u32>().ok()?)),
                None => (segment, None),
            };
            let step = scope.step_of(plan, *plan.graph(scope.graph).by_id.get(id)?);
            match (index, after) {
                (None, None) => return Some(step),
                (Some(index), Some(after)) => {
                    scope = self.scope(*self.step(step).control.as_ref()?.scopes.get(&index)?);
                    rest = after;
                }
                _ => return None,
            }
        }
    }

    /// Scopes with a step that may start now, and how many may.
    pub(crate) fn runnable(&self, plan: &Plan) -> impl Iterator<Item = (ScopeIx, StepIx)> + '_ {
        let room = |scope: &Scope| plan.graph(scope.graph).max_concurrency.saturating_sub(scope.in_flight) as usize;
        let rooms: Vec<(ScopeIx, usize)> = self.runnable.iter().map(|ix| (*ix, room(self.scope(*ix)))).collect();
        rooms.into_iter().flat_map(|(ix, room)| self.scope(ix).ready.iter().take(room).map(move |step| (ix, *step)))
    }

    pub(crate) fn closable(&self) -> impl Iterator<Item = ScopeIx> + '_ {
        self.closable.iter().copied()
    }

    /// Whether a step may start now.
    pub fn may_begin(&self, plan: &Plan, ix: StepIx) -> bool {
        let scope = self.scope(self.step(ix).scope);
        scope.has_room(plan) && scope.ready.contains(&ix) && !self.status.is_final() && self.compensation.is_none()
    }

    /// Whether everything inside of a scope has ended or failed, and that has not been recorded yet.
    pub fn is_closable(&self, ix: ScopeIx) -> bool {
        self.closable.contains(&ix)
    }

    pub fn is_in_flight(&self, ix: StepIx) -> bool {
        self.in_flight.contains(&ix)
    }

    /// Steps that no taken edge leads to.
    pub fn unreachable(&self) -> impl Iterator<Item = StepIx> + '_ {
        self.unreachable.iter().copied()
    }

    pub fn is_unreachable(&self, ix: StepIx) -> bool {
        self.unreachable.contains(&ix)
    }

    pub fn is_deliverable(&self, ix: StepIx) -> bool {
        self.deliverable.contains(&ix)
    }

    /// Steps that were scheduled and have not ended.
    pub fn in_flight(&self) -> impl ExactSizeIterator<Item = StepIx> + '_ {
        self.in_flight.iter().copied()
    }

    /// Steps in flight of which an attempt is under way or will be: neither containers nor steps that wait for the world.
    pub fn attempting(&self) -> usize {
        self.in_flight.len() - self.containers - self.parked.len()
    }

    /// Steps in flight that wait for a person, a time or a signal.
    pub fn parked(&self) -> impl ExactSizeIterator<Item = StepIx> + '_ {
        self.parked.iter().copied()
    }

    /// Steps in flight for which something happens at a time, earliest first.
    pub fn timed(&self) -> impl Iterator<Item = (Timestamp, StepIx)> + '_ {
        self.timed.iter().copied()
    }

    /// Waits whose signal is there.
    pub fn deliverable(&self) -> impl Iterator<Item = StepIx> + '_ {
        self.deliverable.iter().copied()
    }

    /// The next signal of a name that nobody has taken.
    pub fn signal(&self, name: &str) -> Option<&Signal> {
        self.signals.get(name).and_then(VecDeque::front)
    }

    /// What will be taken back if the run fails, in the order in which it was done.
    pub fn armed(&self) -> &[Armed] {
        &self.armed
    }

    pub fn limits(&self) -> Limits {
        self.started.as_ref().map(|started| started.limits).unwrap_or_default()
    }

    /// When the run's active time is used up, if it is being worked on.
    pub fn deadline(&self) -> Option<Timestamp> {
        let timeout = self.limits().timeout_ms?.saturating_mul(1000);
        let active = self.attempting() > 0 && self.compensation.is_none();
        active.then(|| Timestamp(self.last_ts.0.saturating_add(timeout.saturating_sub(self.active_micros))))
    }

    /// The variables that a step sees: those of the run, or of the workflow that it belongs to.
    pub fn vars_of(&self, ix: StepIx) -> &Changes {
        let child = self.around(ix).filter_map(|scope| self.step(scope.owner?).control.as_ref()?.as_child()).next();
        child.map_or(&self.vars, |child| &child.vars)
    }

    /// The step whose workflow a step belongs to; `None` for the run's own.
    pub fn caller(&self, ix: StepIx) -> Option<StepIx> {
        let is_child = |owner: &StepIx| self.step(*owner).control.as_ref().is_some_and(|control| control.as_child().is_some());
        self.around(ix).filter_map(|scope| scope.owner).find(is_child)
    }

    /// The innermost step around another whose node is of a kind, and the scope inside of it.
    pub fn enclosing<'s>(&'s self, plan: &'s Plan, ix: StepIx, is: fn(&NodeKind) -> bool) -> Option<(StepIx, &'s Scope)> {
        self.around(ix)
            .find_map(|scope| scope.owner.filter(|owner| is(&plan.node(self.step(*owner).node).kind)).map(|owner| (owner, scope)))
    }

    /// How many workflows a step is nested in.
    pub fn depth(&self, plan: &Plan, ix: StepIx) -> u64 {
        let owners = self.around(ix).filter_map(|scope| scope.owner);
        owners.filter(|owner| matches!(plan.node(self.step(*owner).node).kind, NodeKind::Workflow(_))).count() as u64
    }

    /// Executed steps of a scope after which nothing else was executed: their outputs are its output. Costs a look at every node
    /// of the graph, so it is asked once, at the end.
    pub fn leaves(&self, plan: &Plan, scope: ScopeIx) -> Vec<StepIx> {
        let scope = self.scope(scope);
        let executed = |node: NodeIx| self.step(scope.step_of(plan, node)).was_passed();
        let graph = plan.graph(scope.graph);
        graph
            .nodes()
            .filter(|node| self.step(scope.step_of(plan, *node)).gave_output())
            .filter(|node| !plan.node(*node).outgoing.iter().any(|edge| executed(plan.edge(*edge).to)))
            .map(|node| scope.step_of(plan, node))
            .collect()
    }

    /// Steps that ended because something around them did, since this was last called.
    pub fn take_stopped(&mut self) -> Vec<StepIx> {
        std::mem::take(&mut self.stopped)
    }

    /// Forgets the scopes that are over: nothing can happen in them any more.
    pub fn sweep(&mut self) {
        for ix in std::mem::take(&mut self.over) {
            let scope = &self.scopes[ix as usize];
            if let Some(owner) = scope.owner {
                let index = scope.index;
                if let Some(control) = &mut self.steps[owner as usize].control {
                    control.scopes.remove(&index);
                }
            }
            let graph = self.scopes[ix as usize].graph;
            self.free.entry(graph).or_default().push(ix);
        }
    }
}

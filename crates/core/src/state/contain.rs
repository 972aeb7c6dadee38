//! Scopes and what opens and closes them: items of maps, iterations of loops, called workflows.

use super::control::{Control, ItemResult, MapState, Work};
use super::scope::{Scope, ScopeIx};
use super::step::{StepIx, StepState, StepStatus};
use super::{RunState, RunStatus};
use crate::event::LoopChecked;
use crate::failure::Failure;
use crate::id::Timestamp;
use crate::node::NodeKind;
use crate::payload::Payload;
use crate::plan::{GraphIx, NodeIx, Plan};

impl RunState {
    pub(super) fn open_scope(&mut self, plan: &Plan, owner: Option<StepIx>, index: u32, graph_ix: GraphIx) {
        let graph = plan.graph(graph_ix);
        let reused = self.free.get_mut(&graph_ix).and_then(Vec::pop);
        let ix = reused.unwrap_or(self.scopes.len() as ScopeIx);
        let base = reused.map_or(self.steps.len() as StepIx, |ix| self.scope(ix).base);
        let fresh =
            |node: NodeIx| StepState { node, scope: ix, open: plan.node(node).incoming.len() as u32, ..StepState::default() };
        for (at, node) in graph.nodes().enumerate() {
            match self.steps.get_mut(base as usize + at) {
                Some(step) if reused.is_some() => *step = fresh(node),
                _ => self.steps.push(fresh(node)),
            }
        }
        let mut scope = Scope { owner, index, graph: graph_ix, base, unfinished: graph.len, ..Scope::default() };
        scope.ready.insert(scope.step_of(plan, graph.entry));
        match reused {
            Some(ix) => self.scopes[ix as usize] = scope,
            None => self.scopes.push(scope),
        }
        if let Some(control) = owner.and_then(|owner| self.steps[owner as usize].control.as_mut()) {
            control.scopes.insert(index, ix);
        }
        self.touch(plan, ix);
    }

    /// Nothing happens in the scope any more; what is in flight inside is stopped.
    pub(super) fn close_scope(&mut self, plan: &Plan, ix: ScopeIx, at: Timestamp) {
        if std::mem::replace(&mut self.scopes[ix as usize].closed, true) {
            return;
        }
        self.runnable.remove(&ix);
        self.closable.remove(&ix);
        self.over.push(ix);
        for step in self.scope(ix).steps(plan) {
            self.unreachable.remove(&step);
            if self.in_flight.contains(&step) {
                self.stop(plan, step, at);
            }
        }
    }

    fn stop(&mut self, plan: &Plan, ix: StepIx, at: Timestamp) {
        self.land(plan, ix, at);
        self.steps[ix as usize].status = StepStatus::Canceled;
        self.stopped.push(ix);
    }

    /// Stops everything in flight, and lets nothing begin.
    pub(super) fn stop_all(&mut self, at: Timestamp) {
        self.runnable.clear();
        self.closable.clear();
        self.unreachable.clear();
        self.unsettled.clear();
        self.parked.clear();
        self.timed.clear();
        self.listeners.clear();
        self.deliverable.clear();
        self.containers = 0;
        for ix in std::mem::take(&mut self.in_flight) {
            let step = &mut self.steps[ix as usize];
            step.status = StepStatus::Canceled;
            step.finished_at = Some(at);
            step.due = None;
            self.stopped.push(ix);
        }
    }

    pub(super) fn end(&mut self, status: RunStatus, at: Timestamp) {
        self.status = status;
        self.finished_at = Some(at);
        self.stop_all(at);
    }

    pub(super) fn touch(&mut self, plan: &Plan, ix: ScopeIx) {
        match self.scope(ix).has_room(plan) {
            true => self.runnable.insert(ix),
            false => self.runnable.remove(&ix),
        };
    }

    pub(super) fn expand(&mut self, plan: &Plan, ix: StepIx, items: &Payload, count: u32) {
        let node = self.step(ix).node;
        let NodeKind::Map(map) = &plan.node(node).kind else { return };
        let first = count.min(map.max_concurrency);
        let mut state = MapState::new(items.clone(), count);
        state.next = first;
        self.steps[ix as usize].control = Some(Control::new(Work::Map(state)));
        for index in 0..first {
            self.open_scope(plan, Some(ix), index, map.body);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "these are the parts of one event")]
    pub(super) fn end_item(
        &mut self,
        plan: &Plan,
        ix: StepIx,
        at: Timestamp,
        index: u32,
        output: Option<&Payload>,
        error: Option<&Failure>,
        reused: bool,
    ) -> Result<(), String> {
        let scope = self.open_scope_of(ix, index).filter(|scope| reused || self.closable.contains(scope));
        let result = match (error, output, scope) {
            (Some(error), _, _) => ItemResult::Failed(error.clone()),
            (None, Some(output), _) => ItemResult::Output(output.clone()),
            (None, None, Some(scope)) => ItemResult::Output(self.only_output(plan, scope)),
            (None, None, None) => return Err(format!("item {index} has not ended")),
        };
        match scope {
            Some(scope) => self.close_scope(plan, scope, at),
            // Its turn has not come, and will not: another run has done the work.
            None if reused => {}
            None => return Err(format!("item {index} has not ended")),
        }
        let Some(Control { work: Work::Map(map), .. }) = self.steps[ix as usize].control.as_deref_mut() else {
            return Err("the step is no map".to_owned());
        };
        match map.results.get_mut(index as usize) {
            Some(slot @ ItemResult::Open) => *slot = result,
            _ => return Err(format!("the map has no open item {index}")),
        }
        map.done += 1;
        if scope.is_none() {
            return Ok(());
        }
        while map.results.get(map.next as usize).is_some_and(|result| *result != ItemResult::Open) {
            map.next += 1;
        }
        let next = map.next;
        if (next as usize) < map.results.len() {
            map.next += 1;
            let body = plan.inner(self.step(ix).node).ok_or("the step has no body")?;
            self.open_scope(plan, Some(ix), next, body);
        }
        Ok(())
    }

    pub(super) fn check_loop(&mut self, plan: &Plan, ix: StepIx, at: Timestamp, checked: &LoopChecked) -> Result<(), String> {
        let state = self.step(ix).control.as_ref().and_then(|control| control.as_loop()).ok_or("the step is no loop")?;
        let expected = if state.begun { state.done + 1 } else { 0 };
        if checked.done != expected {
            return Err(format!("{} iterations have ended, not {}", expected, checked.done));
        }
        let mut last = None;
        if checked.done > 0 {
            let reused = checked.origin.is_some();
            let scope = self.open_scope_of(ix, checked.done - 1).filter(|scope| reused || self.closable.contains(scope));
            let scope = scope.ok_or_else(|| format!("iteration {} has not ended", checked.done - 1))?;
            last = Some(checked.output.clone().unwrap_or_else(|| self.only_output(plan, scope)));
            self.close_scope(plan, scope, at);
        }
        let Some(Control { work: Work::Loop(state), .. }) = self.steps[ix as usize].control.as_deref_mut() else {
            return Err("the step is no loop".to_owned());
        };
        state.begun = true;
        state.done = checked.done;
        state.again = checked.again;
        state.last = last;
        state.state.record(&checked.changes);
        if checked.again {
            self.totals.iterations += 1;
            self.spend(ix, |spent| spent.iterations += 1);
            let body = plan.inner(self.step(ix).node).ok_or("the step has no body")?;
            self.open_scope(plan, Some(ix), checked.done, body);
        }
        Ok(())
    }

    fn open_scope_of(&self, ix: StepIx, index: u32) -> Option<ScopeIx> {
        let scope = *self.step(ix).control.as_ref()?.scopes.get(&index)?;
        (!self.scope(scope).closed).then_some(scope)
    }

    /// The output of a scope with one last step, by reference; `null` where there is none.
    fn only_output(&self, plan: &Plan, scope: ScopeIx) -> Payload {
        match self.leaves(plan, scope).as_slice() {
            [only] => self.step(*only).output.clone().unwrap_or_else(Payload::null),
            _ => Payload::null(),
        }
    }
}

impl MapState {
    pub(super) fn new(items: Payload, count: u32) -> Self {
        MapState { items, next: 0, done: 0, results: vec![ItemResult::Open; count as usize] }
    }
}

//! Applying one event. Total: an event that cannot apply is a damaged log, never a panic.

use super::control::{ChildState, Control, LoopState, MapState, Work};
use super::scope::{ROOT, ScopeIx};
use super::step::{StepIx, StepState, StepStatus};
use super::{Answer, Armed, Compensation, Corrupt, Question, RunState, RunStatus, Signal};
use crate::event::{Body, Event, LlmResponse, Timer};
use crate::failure::Failure;
use crate::id::Timestamp;
use crate::node::NodeKind;
use crate::node::wait::Wait;
use crate::payload::Payload;
use crate::plan::Plan;

/// How a step ended, for what follows it.
enum End<'a> {
    Succeeded(&'a [u32]),
    /// The author said what the failure gives.
    Replaced(&'a [u32]),
    /// Edges lead on from the failure.
    Caught(&'a [u32]),
    Skipped,
}

impl RunState {
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
                let found = self.find(plan, path).or_else(|| self.begin_undo(plan, event));
                Some(found.ok_or_else(|| corrupt(format!("the run has no step `{path}` now")))?)
            }
            None => None,
        };
        self.count_active_time(event);
        self.seq = event.seq;
        self.last_ts = event.ts;
        match ix {
            Some(ix) => {
                self.apply_to_step(plan, ix, event).map_err(corrupt)?;
                self.note_unsettled(plan, ix, &event.body);
                Ok(())
            }
            None => self.apply_to_run(event).map_err(corrupt),
        }
    }

    /// `step.lost` and a deadline that is set again are what a new process writes first: the time before them was nobody's.
    fn count_active_time(&mut self, event: &Event) {
        let gap = matches!(event.body, Body::StepLost { .. } | Body::TimerSet { timer: Timer::Deadline, .. });
        if self.seq > 0 && !gap && self.attempting() > 0 {
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
            Body::RunPaused { .. } => self.paused = true,
            Body::RunResumed { .. } => self.paused = false,
            Body::SignalReceived { name, payload, by } => {
                let signal = Signal { payload: payload.clone(), by: by.clone() };
                self.signals.entry(name.clone()).or_default().push_back(signal);
                self.deliver(name);
            }
            Body::UndoStarted { error, .. } => {
                self.stop_all(event.ts);
                self.compensation = Some(Compensation { error: error.clone(), current: None, failed: 0 });
            }
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
            Body::TimerSet { timer: Timer::Deadline, .. } | Body::TimerFired { timer: Timer::Deadline } => {}
            Body::BudgetExceeded { limit, .. } => self.budget_exceeded = Some(limit.clone()),
            Body::Log { .. } => {}
            _ => return Err("it belongs to a step, and names none".to_owned()),
        }
        Ok(())
    }

    fn apply_to_step(&mut self, plan: &Plan, ix: StepIx, event: &Event) -> Result<(), String> {
        match &event.body {
            Body::StepScheduled { input } => return self.schedule(plan, ix, event, input),
            Body::StepSkipped => {
                if !self.unreachable.remove(&ix) {
                    return Err("an edge to the step was taken, or may be".to_owned());
                }
                self.appear(ix, event);
                let step = &mut self.steps[ix as usize];
                step.status = StepStatus::Skipped;
                step.finished_at = Some(event.ts);
                self.finish(plan, ix, End::Skipped);
                return Ok(());
            }
            Body::StepReused(reused) => {
                let scope = self.steps[ix as usize].scope;
                if !self.scopes[scope as usize].ready.remove(&ix) {
                    return Err("the step is not ready".to_owned());
                }
                self.appear(ix, event);
                self.totals.reused += 1;
                let step = &mut self.steps[ix as usize];
                step.origin = Some(reused.origin.clone());
                step.started_at = Some(event.ts);
                step.finished_at = Some(event.ts);
                step.input = Some(reused.input.clone());
                step.branch = reused.branch.clone();
                step.output = Some(reused.output.clone());
                step.error = reused.error.clone();
                step.handled = reused.error.is_some();
                step.status = if step.handled { StepStatus::Failed } else { StepStatus::Succeeded };
                let end = match (&reused.error, &reused.output) {
                    (None, _) => End::Succeeded(&reused.taken),
                    (Some(_), Payload::Inline(output)) if output.is_null() => End::Caught(&reused.taken),
                    (Some(_), _) => End::Replaced(&reused.taken),
                };
                self.change_vars(ix, &reused.vars);
                self.finish(plan, ix, end);
                return Ok(());
            }
            Body::Log { .. } => return Ok(()),
            _ if !self.in_flight.contains(&ix) => return Err("the step is not in flight".to_owned()),
            _ => {}
        }
        let step = &mut self.steps[ix as usize];
        match &event.body {
            Body::StepSucceeded { output, taken } => {
                step.status = StepStatus::Succeeded;
                step.output = Some(output.clone());
                step.error = None;
                if let NodeKind::Wait(Wait::Signal { name, .. }) = &plan.node(step.node).kind
                    && self.deliverable.remove(&ix)
                    && let Some(waiting) = self.signals.get_mut(name)
                {
                    waiting.pop_front();
                }
                self.land(plan, ix, event.ts);
                self.finish(plan, ix, End::Succeeded(taken));
            }
            Body::StepFailed { error, handled } => self.fail(plan, ix, event.ts, error, handled.as_ref()),
            Body::StepLost { .. } => {}
            Body::LlmRequest { request, attempt, target, prompt, simulated } => {
                step.status = StepStatus::Running;
                step.request = *request;
                step.attempt = *attempt;
                step.target = Some(target.clone());
                step.simulated = *simulated;
                if let Some(prompt) = prompt {
                    step.call = Some(prompt.clone());
                }
                self.settle_timer(ix);
            }
            Body::ToolRequest { attempt, config, .. } => {
                step.status = StepStatus::Running;
                step.attempt = *attempt;
                let first = config.is_some() && !step.is_undo;
                if let Some(config) = config {
                    step.call = Some(config.clone());
                }
                self.parked.remove(&ix);
                self.settle_timer(ix);
                if first {
                    self.totals.tool_calls += 1;
                    self.spend(ix, |spent| spent.tool_calls += 1);
                }
            }
            Body::LlmResponse(response) => self.count_response(ix, response),
            Body::ToolResponse { .. } => {}
            Body::Retry { request, attempt, due, error, .. } => {
                step.status = StepStatus::Waiting;
                step.request = *request;
                step.attempt = *attempt;
                step.attempts += 1;
                step.error = Some(error.clone());
                self.set_timer(ix, *due);
                self.totals.retries += 1;
            }
            Body::Fallback { request, to, error, .. } => {
                step.status = StepStatus::Waiting;
                step.request = *request;
                step.attempt = 1;
                step.attempts += 1;
                step.fallbacks += 1;
                step.target = Some(to.clone());
                step.error = Some(error.clone());
                self.set_timer(ix, event.ts);
                self.totals.fallbacks += 1;
            }
            Body::LlmRepair { request, error } => {
                step.request = *request;
                step.attempt = 1;
                step.attempts += 1;
                step.repairs += 1;
                step.error = Some(error.clone());
            }
            Body::CacheHit(hit) => {
                step.cached = true;
                step.target = Some(hit.target.clone());
                step.answered_by = Some(hit.answered_by.clone());
                step.cost_nanousd.get_or_insert(0);
                step.saved_nanousd = hit.saved_nanousd;
                self.totals.cache_hits += 1;
                self.totals.saved_nanousd += hit.saved_nanousd.unwrap_or(0);
            }
            Body::RouterBranch { branch, .. } => step.branch = Some(branch.clone()),
            Body::GateChecked { passed, .. } => {
                step.branch = Some(if *passed { crate::node::gate::PASS } else { crate::node::gate::FAIL }.into());
            }
            Body::VarsChanged { changes } => self.change_vars(ix, changes),
            Body::SessionRequest { attempt, call, .. } => {
                step.status = StepStatus::Running;
                step.attempt = *attempt;
                if let Some(call) = call {
                    step.call = Some(call.clone());
                }
                self.settle_timer(ix);
            }
            Body::SessionChanged { .. } => {}
            Body::ApprovalRequested { message, payload, deadline, interrupted } => {
                step.status = StepStatus::Waiting;
                step.question = Some(Box::new(Question {
                    message: message.clone(),
                    payload: payload.clone(),
                    asked_at: event.ts,
                    deadline: *deadline,
                    interrupted: *interrupted,
                    answer: None,
                }));
                self.park(ix, *deadline);
            }
            Body::ApprovalDecided { decision, key, payload, by, reason } => {
                let Some(question) = step.question.as_mut().filter(|question| question.answer.is_none()) else {
                    return Err("nobody was asked, or the answer is there".to_owned());
                };
                question.answer = Some(Answer {
                    decision: *decision,
                    key: key.clone(),
                    payload: payload.clone(),
                    by: by.clone(),
                    reason: reason.clone(),
                    at: event.ts,
                });
                if !question.interrupted {
                    let approved = *decision == crate::event::Decision::Approved;
                    step.branch =
                        Some(if approved { crate::node::approval::APPROVED } else { crate::node::approval::REJECTED }.into());
                }
            }
            Body::TimerSet { timer: Timer::Step, due } => {
                step.status = StepStatus::Waiting;
                self.park(ix, Some(*due));
            }
            Body::TimerFired { timer: Timer::Step } => {}
            Body::UndoArmed { call } => {
                let (path, node) = (step.path.clone(), step.node);
                self.armed.push(Armed { path, node, call: call.clone() });
            }
            Body::BudgetExceeded { limit, .. } => self.budget_exceeded = Some(limit.clone()),
            Body::MapExpanded { items, count } => self.expand(plan, ix, items, *count),
            Body::MapItem { index, output, error, origin } => {
                return self.end_item(plan, ix, event.ts, *index, output.as_ref(), error.as_ref(), origin.is_some());
            }
            Body::LoopChecked(checked) => return self.check_loop(plan, ix, event.ts, checked),
            Body::ChildStarted { workflow, name, input } => {
                let child =
                    ChildState { workflow: workflow.clone(), name: name.clone(), input: input.clone(), vars: Default::default() };
                step.control = Some(Control::new(Work::Child(child)));
                self.totals.spawns += 1;
                let Some(graph) = plan.inner(self.step(ix).node) else {
                    return Err(format!("the workflow `{name}` is not linked"));
                };
                self.open_scope(plan, Some(ix), 0, graph);
            }
            _ => return Err("it belongs to the run, not to a step".to_owned()),
        }
        Ok(())
    }

    fn change_vars(&mut self, ix: StepIx, changes: &[crate::change::Change]) {
        let caller = self.caller(ix);
        match caller.and_then(|caller| self.steps[caller as usize].control.as_deref_mut()) {
            Some(Control { work: Work::Child(child), .. }) => child.vars.record(changes),
            _ => self.vars.record(changes),
        }
    }

    /// Gives a step its place among those that a reader sees.
    fn appear(&mut self, ix: StepIx, event: &Event) {
        let ordinal = self.seen;
        self.seen += 1;
        let step = &mut self.steps[ix as usize];
        step.ordinal = ordinal;
        if let Some(path) = &event.step {
            step.path = path.clone();
        }
        self.status = RunStatus::Running;
    }

    fn schedule(&mut self, plan: &Plan, ix: StepIx, event: &Event, input: &Payload) -> Result<(), String> {
        let (is_undo, scope) = (self.step(ix).is_undo, self.step(ix).scope);
        if !is_undo && !self.scopes[scope as usize].ready.remove(&ix) {
            return Err("the step is not ready".to_owned());
        }
        self.appear(ix, event);
        self.in_flight.insert(ix);
        let kind = &plan.node(self.step(ix).node).kind;
        if !is_undo {
            self.totals.steps += 1;
            self.spend(ix, |spent| spent.steps += 1);
            self.scopes[scope as usize].in_flight += 1;
            self.touch(plan, scope);
        }
        let step = &mut self.steps[ix as usize];
        step.status = StepStatus::Running;
        (step.request, step.attempt, step.attempts) = (1, 1, 1);
        step.started_at = Some(event.ts);
        step.input = Some(input.clone());
        if is_undo {
            return Ok(());
        }
        match kind {
            NodeKind::Map(_) => step.control = Some(Control::new(Work::Map(MapState::new(Payload::null(), 0)))),
            NodeKind::Loop(_) | NodeKind::Agent(_) => step.control = Some(Control::new(Work::Loop(LoopState::default()))),
            NodeKind::Wait(Wait::Signal { name, .. }) => {
                self.listeners.entry(name.clone()).or_default().insert((step.ordinal, ix));
                let name = name.clone();
                self.park(ix, None);
                self.deliver(&name);
            }
            _ => {}
        }
        self.containers += usize::from(kind.is_container());
        if let Some(timeout) = plan.caps(self.step(ix).node).and_then(|caps| caps.timeout_ms) {
            self.set_timer(ix, event.ts.plus_millis(timeout));
        }
        Ok(())
    }

    /// The first event of an undo makes its step.
    fn begin_undo(&mut self, plan: &Plan, event: &Event) -> Option<StepIx> {
        let Body::StepScheduled { .. } = &event.body else { return None };
        let path = event.step.as_ref()?;
        let compensation = self.compensation.as_mut().filter(|compensation| compensation.current.is_none())?;
        let armed = self.armed.last().filter(|armed| path.strip_suffix("/undo") == Some(&*armed.path))?;
        let ix = self.steps.len() as StepIx;
        compensation.current = Some(ix);
        debug_assert!((armed.node as usize) < plan.nodes.len());
        self.steps.push(StepState { node: armed.node, is_undo: true, call: Some(armed.call.clone()), ..StepState::default() });
        self.armed.pop();
        self.undos.insert(path.clone(), ix);
        Some(ix)
    }

    /// A step is no longer in flight.
    pub(super) fn land(&mut self, plan: &Plan, ix: StepIx, at: Timestamp) {
        self.in_flight.remove(&ix);
        self.unsettled.remove(&ix);
        self.parked.remove(&ix);
        self.settle_timer(ix);
        let step = &mut self.steps[ix as usize];
        step.finished_at = Some(at);
        let (node, scope, is_undo, ordinal) = (step.node, step.scope, step.is_undo, step.ordinal);
        let kind = &plan.node(node).kind;
        if is_undo {
            return;
        }
        self.containers -= usize::from(kind.is_container());
        if let NodeKind::Wait(Wait::Signal { name, .. }) = kind {
            if let Some(listeners) = self.listeners.get_mut(name) {
                listeners.remove(&(ordinal, ix));
            }
            self.deliverable.remove(&ix);
            let name = name.clone();
            self.deliver(&name);
        }
        self.scopes[scope as usize].in_flight -= 1;
        // Nothing goes on inside of a step that has ended.
        let inside: Vec<ScopeIx> = self.step(ix).control.iter().flat_map(|control| control.scopes.values().copied()).collect();
        for scope in inside {
            self.close_scope(plan, scope, at);
        }
    }

    fn fail(&mut self, plan: &Plan, ix: StepIx, at: Timestamp, error: &Failure, handled: Option<&crate::event::Handled>) {
        let inside = self.step(ix).control.iter().flat_map(|control| control.scopes.values());
        let cause = inside.filter_map(|scope| self.scope(*scope).failed).next();
        let failed_inside =
            cause.map(|cause| self.step(cause).failed_inside.clone().unwrap_or_else(|| self.step(cause).path.clone()));
        self.land(plan, ix, at);
        let step = &mut self.steps[ix as usize];
        step.status = StepStatus::Failed;
        step.error = Some(error.clone());
        step.failed_inside = failed_inside;
        step.handled = handled.is_some();
        if step.is_undo {
            if let Some(compensation) = &mut self.compensation {
                compensation.current = None;
                compensation.failed += 1;
            }
            return;
        }
        match handled {
            Some(handled) => {
                step.output = handled.output.clone();
                let end = match &handled.output {
                    Some(_) => End::Replaced(&handled.taken),
                    None => End::Caught(&handled.taken),
                };
                self.finish(plan, ix, end);
            }
            None => {
                let scope = step.scope;
                self.scopes[scope as usize].failed.get_or_insert(ix);
                self.touch(plan, scope);
                if scope == ROOT && self.error.is_none() {
                    let step = self.step(ix);
                    self.failed_step = Some(step.failed_inside.clone().unwrap_or_else(|| step.path.clone()));
                    self.error = Some(error.clone());
                } else {
                    self.closable.insert(scope);
                }
            }
        }
    }

    /// What follows the end of a step that its scope goes on from.
    fn finish(&mut self, plan: &Plan, ix: StepIx, end: End<'_>) {
        let step = self.step(ix);
        if step.is_undo {
            if let Some(compensation) = &mut self.compensation {
                compensation.current = None;
            }
            return;
        }
        let (node, scope_ix) = (step.node, step.scope);
        for edge_ix in &plan.node(node).outgoing {
            let edge = plan.edge(*edge_ix);
            let fits = |taken: &[u32]| edge.when.is_none() || taken.contains(edge_ix);
            let taken = match end {
                End::Succeeded(taken) | End::Replaced(taken) => !edge.on_error && fits(taken),
                End::Caught(taken) => edge.on_error && fits(taken),
                End::Skipped => false,
            };
            let next = self.scopes[scope_ix as usize].step_of(plan, edge.to);
            let state = &mut self.steps[next as usize];
            state.open = state.open.saturating_sub(1);
            state.taken += u32::from(taken);
            if state.status != StepStatus::Pending {
                continue;
            }
            let scope = &mut self.scopes[scope_ix as usize];
            match plan.node(edge.to).join {
                Some(needed) if state.taken >= needed => {
                    scope.ready.insert(next);
                }
                None if state.open == 0 && state.taken > 0 => {
                    scope.ready.insert(next);
                }
                _ if state.open == 0 => {
                    self.unreachable.insert(next);
                }
                _ => {}
            }
        }
        let scope = &mut self.scopes[scope_ix as usize];
        scope.unfinished -= 1;
        if scope.unfinished == 0 {
            self.closable.insert(scope_ix);
        }
        self.touch(plan, scope_ix);
    }

    fn set_timer(&mut self, ix: StepIx, due: Timestamp) {
        self.settle_timer(ix);
        self.steps[ix as usize].due = Some(due);
        self.timed.insert((due, ix));
    }

    fn settle_timer(&mut self, ix: StepIx) {
        if let Some(due) = self.steps[ix as usize].due.take() {
            self.timed.remove(&(due, ix));
        }
    }

    fn park(&mut self, ix: StepIx, due: Option<Timestamp>) {
        self.steps[ix as usize].status = StepStatus::Waiting;
        self.parked.insert(ix);
        match due {
            Some(due) => self.set_timer(ix, due),
            None => self.settle_timer(ix),
        }
    }

    /// Lets as many waits have the signals of a name as there are, the first first.
    fn deliver(&mut self, name: &str) {
        let there = self.signals.get(name).map_or(0, |signals| signals.len());
        let Some(listeners) = self.listeners.get(name) else { return };
        // Only one at a time: the next one gets the next signal.
        if there > 0
            && let Some((_, first)) = listeners.first()
        {
            self.deliverable.insert(*first);
        }
    }

    pub(super) fn spend(&mut self, ix: StepIx, count: impl Fn(&mut super::Spent)) {
        let mut scope = self.step(ix).scope;
        while let Some(owner) = self.scope(scope).owner {
            let step = &mut self.steps[owner as usize];
            if let Some(control) = &mut step.control {
                count(&mut control.spent);
            }
            scope = step.scope;
        }
    }

    fn count_response(&mut self, ix: StepIx, response: &LlmResponse) {
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
        let tokens = response.usage.as_ref().map_or(0, |usage| usage.total());
        let cost = response.cost.as_ref().map_or(0, |cost| cost.nanousd);
        self.spend(ix, |spent| {
            spent.tokens = spent.tokens.saturating_add(tokens);
            spent.cost_nanousd = spent.cost_nanousd.saturating_add(cost);
        });
    }
}

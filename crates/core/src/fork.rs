//! Forking a run: which steps of it a new run keeps, and the events that say so.
//!
//! The cut is causal, not by time: from the chosen step on, everything that may depend on it runs again, and everything else that
//! ended well is kept, also what ran beside it or after it. A step may depend on another one by an edge or by a variable. A container
//! around the chosen step is opened again with what it had.

use crate::change::Change;
use crate::event::{Body, Event, LoopChecked, Origin, Reused};
use crate::id::{RunId, StepPath};
use crate::node::NodeKind;
use crate::payload::Payload;
use crate::plan::{NodeIx, Plan};
use crate::state::{ROOT, RunState, ScopeIx, StepIx, StepStatus, Work};
use std::collections::{BTreeSet, HashMap};

/// What the new run begins with, after its `run.started`.
#[derive(Debug, Default)]
pub struct Fork {
    pub events: Vec<(StepPath, Body)>,
    /// The steps that are kept whole.
    pub reused: Vec<StepIx>,
    /// The steps that had run and run again; containers that are opened again are not among them.
    pub again: Vec<StepIx>,
}

/// Why a run cannot be forked there: a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

/// `state` is the fold of all `events` of `run`, without anything forgotten.
pub fn fork(plan: &Plan, run: RunId, state: &RunState, events: &[Event], from: &str) -> Result<Fork, Refusal> {
    let target = state.find(plan, from).filter(|ix| state.step(*ix).status != StepStatus::Pending);
    let target = target.ok_or_else(|| Refusal(format!("The run has not come to a step `{from}`.")))?;
    if state.step(target).is_undo {
        return Err(Refusal("An undo cannot be run again: choose the step that it took back.".to_owned()));
    }
    let mut told: HashMap<&str, Vec<&Event>> = HashMap::new();
    let mut vars = Vec::new();
    for event in events {
        let Some(step) = &event.step else { continue };
        told.entry(step).or_default().push(event);
        let changes = match &event.body {
            Body::VarsChanged { changes } => changes,
            Body::StepReused(reused) => &reused.vars,
            _ => continue,
        };
        vars.extend(state.find(plan, step).map(|step| (step, changes)));
    }
    // The chosen step, and the containers around it.
    let mut targets = BTreeSet::from([target]);
    targets.extend(state.around(target).filter_map(|scope| scope.owner));
    let undone = state.compensation.is_some();
    let mut cut = Cut { plan, run, state, told, vars, target, targets, undone, fork: Fork::default() };
    cut.scope(ROOT);
    Ok(cut.fork)
}

struct Cut<'c> {
    plan: &'c Plan,
    run: RunId,
    state: &'c RunState,
    told: HashMap<&'c str, Vec<&'c Event>>,
    /// Who changed which variables, in order.
    vars: Vec<(StepIx, &'c Vec<Change>)>,
    target: StepIx,
    targets: BTreeSet<StepIx>,
    /// Whether the run took back what it did.
    undone: bool,
    fork: Fork,
}

/// A step of a scope that reads or changes variables, and the first and the last thing that the journal tells of it.
struct UserOfVars {
    step: StepIx,
    writes: bool,
    from: u64,
    until: u64,
}

impl Cut<'_> {
    fn scope(&mut self, ix: ScopeIx) {
        let (plan, state) = (self.plan, self.state);
        let scope = state.scope(ix);
        let steps: Vec<StepIx> = scope.steps(plan).filter(|step| state.step(*step).status != StepStatus::Pending).collect();
        // Whatever comes after a step that runs again runs again too. The nodes of a graph are in topological order.
        let mut again: BTreeSet<NodeIx> = BTreeSet::new();
        let users = self.users_of_vars(ix);
        loop {
            for step in scope.steps(plan) {
                let node = state.step(step).node;
                let before = plan.node(node).incoming.iter().any(|edge| again.contains(&plan.edge(*edge).from));
                if before || self.targets.contains(&step) || !self.can_keep(step) {
                    again.insert(node);
                }
            }
            let is_again = |user: &UserOfVars| again.contains(&state.step(user.step).node);
            let since =
                |writes: bool| users.iter().filter(|user| is_again(user) && user.writes >= writes).map(|user| user.from).min();
            let after = |seq: u64, since: Option<u64>| since.is_some_and(|since| seq > since);
            let (used, written) = (since(false), since(true));
            let depends = |user: &&UserOfVars| (user.writes && after(user.until, used)) || after(user.until, written);
            let more: Vec<NodeIx> =
                users.iter().filter(|user| !is_again(user)).filter(depends).map(|user| state.step(user.step).node).collect();
            if more.is_empty() {
                break;
            }
            again.extend(more);
        }
        let mut in_order = steps;
        in_order.sort_by_key(|step| state.step(*step).ordinal);
        for step in in_order {
            if !again.contains(&state.step(step).node) {
                self.keep(step);
                continue;
            }
            // A container that nothing before it changes goes on from what it had.
            let node = plan.node(state.step(step).node);
            let fed_anew = node.incoming.iter().any(|edge| again.contains(&plan.edge(*edge).from));
            let unfinished = !state.step(step).was_passed();
            let reopens = step != self.target && (self.targets.contains(&step) || unfinished) && !fed_anew;
            if reopens && state.step(step).control.is_some() && self.reopen(step) {
                continue;
            }
            self.run_again(step);
        }
    }

    /// Who of a scope reads or changes variables, itself or by what is inside of it. What was done with them after a step that runs
    /// again had begun to use them may have been another thing otherwise, or would come too early for it now.
    fn users_of_vars(&self, ix: ScopeIx) -> Vec<UserOfVars> {
        let (plan, state) = (self.plan, self.state);
        if self.vars.is_empty() {
            return Vec::new();
        }
        let writers = self.vars.iter().map(|(step, _)| (*step, true));
        let is_reader = |step: &StepIx| {
            let state = state.step(*step);
            plan.node(state.node).reads_vars && !matches!(state.status, StepStatus::Pending | StepStatus::Skipped)
        };
        let readers = (0..state.steps.len() as StepIx).filter(is_reader).map(|step| (step, false));
        let mut users: HashMap<StepIx, bool> = HashMap::new();
        for (step, writes) in writers.chain(readers) {
            let owners = state.around(step).filter_map(|scope| scope.owner);
            let here = std::iter::once(step).chain(owners).find(|step| state.step(*step).scope == ix);
            // A workflow that is called has variables of its own.
            if let Some(here) = here.filter(|here| state.caller(*here) == state.caller(step)) {
                *users.entry(here).or_default() |= writes;
            }
        }
        let span =
            |step: StepIx| self.told.get(&*state.step(step).path).and_then(|told| Some((told.first()?.seq, told.last()?.seq)));
        let user = |(step, writes): (StepIx, bool)| {
            let (from, until) = span(step)?;
            // A container is opened again only for what is inside of it from the chosen step on.
            let from = if self.targets.contains(&step) { span(self.target)?.0 } else { from };
            Some(UserOfVars { step, writes, from, until })
        };
        users.into_iter().filter_map(user).collect()
    }

    /// Whether the step ended in a way that something can be built on, and what it did still stands.
    fn can_keep(&self, step: StepIx) -> bool {
        let state = self.state.step(step);
        let stands = !(self.undone && self.plan.node(state.node).undo.is_some());
        (state.was_passed() && stands) || matches!(state.status, StepStatus::Skipped | StepStatus::Pending)
    }

    fn keep(&mut self, step: StepIx) {
        let state = self.state.step(step);
        let path = state.path.clone();
        if state.status == StepStatus::Skipped {
            self.fork.events.push((path, Body::StepSkipped));
            return;
        }
        let told = self.told.get(&*path).map_or(&[][..], Vec::as_slice);
        let mut taken = Vec::new();
        let mut vars = self.vars_inside(step, |_| true);
        for event in told {
            match &event.body {
                Body::StepSucceeded { taken: edges, .. } => taken = edges.clone(),
                Body::StepFailed { handled: Some(handled), .. } => taken = handled.taken.clone(),
                Body::StepReused(reused) => {
                    taken = reused.taken.clone();
                    vars.extend(reused.vars.iter().cloned());
                }
                Body::VarsChanged { changes } => vars.extend(changes.iter().cloned()),
                _ => {}
            }
        }
        let reused = Reused {
            origin: self.origin(step),
            input: state.input.clone().unwrap_or_else(Payload::null),
            output: state.output.clone().unwrap_or_else(Payload::null),
            branch: state.branch.clone(),
            error: state.error.clone().filter(|_| state.handled),
            taken,
            vars,
        };
        self.fork.events.push((path, Body::StepReused(std::sync::Arc::new(reused))));
        self.fork.reused.push(step);
    }

    /// How the steps inside of a container changed the variables that it sees itself, for the items or iterations asked for.
    fn vars_inside(&self, container: StepIx, wanted: impl Fn(u32) -> bool) -> Vec<Change> {
        let caller = self.state.caller(container);
        let inside = |step: StepIx| self.state.around(step).find(|scope| scope.owner == Some(container)).map(|scope| scope.index);
        let changes =
            self.vars.iter().filter(|(step, _)| inside(*step).is_some_and(&wanted) && self.state.caller(*step) == caller);
        changes.flat_map(|(_, changes)| changes.iter().cloned()).collect()
    }

    /// The run that did the work first, where this one was a fork itself.
    fn origin(&self, step: StepIx) -> Origin {
        let state = self.state.step(step);
        state.origin.clone().unwrap_or_else(|| Origin { run: self.run, step: state.path.clone() })
    }

    /// Opens a container again with what it had; false where it had nothing.
    fn reopen(&mut self, step: StepIx) -> bool {
        let state = self.state.step(step);
        let Some(control) = &state.control else { return false };
        let path = state.path.clone();
        let told: Vec<&Event> = self.told.get(&*path).cloned().unwrap_or_default();
        let input = state.input.clone().unwrap_or_else(Payload::null);
        let scheduled = Body::StepScheduled { input };
        // The item or iteration that the chosen step is in.
        let chosen = control.scopes.iter().find(|(_, scope)| self.holds_target(**scope)).map(|(index, scope)| (*index, *scope));
        let origin = Some(Origin { run: self.run, step: path.clone() });
        match &control.work {
            Work::Map(map) => {
                let Some(expanded) = told.iter().find(|event| matches!(event.body, Body::MapExpanded { .. })) else {
                    return false;
                };
                self.fork.events.push((path.clone(), scheduled));
                self.fork.events.push((path.clone(), expanded.body.clone()));
                for (index, result) in map.results.iter().enumerate() {
                    let index = index as u32;
                    let crate::state::ItemResult::Output(output) = result else { continue };
                    if chosen.is_some_and(|(chosen, _)| chosen == index) {
                        continue;
                    }
                    let (output, origin) = (Some(output.clone()), origin.clone());
                    self.fork.events.push((path.clone(), Body::MapItem { index, output, error: None, origin }));
                }
                let done = |index: u32| {
                    let ended = matches!(map.results.get(index as usize), Some(crate::state::ItemResult::Output(_)));
                    ended && chosen.is_none_or(|(chosen, _)| chosen != index)
                };
                self.vars_kept(step, done, &path);
                // The new run opens as many items as fit of those that are not kept, the first first. They begin from their start, and so
                // does the chosen one where it has to wait for its turn: after items that failed, for instance.
                let NodeKind::Map(node) = &self.plan.node(self.state.step(step).node).kind else { return true };
                if let Some((index, scope)) = chosen {
                    let before = (0..index).filter(|index| !done(*index)).count();
                    match before < node.max_concurrency as usize {
                        true => self.scope(scope),
                        false => self.run_again_in(scope),
                    }
                }
            }
            Work::Loop(looped) => {
                let last = chosen.map_or(looped.done, |(index, _)| index);
                let checks: Vec<&LoopChecked> = told
                    .iter()
                    .filter_map(|event| match &event.body {
                        Body::LoopChecked(checked) if checked.done <= last && checked.again => Some(&**checked),
                        _ => None,
                    })
                    .collect();
                if checks.is_empty() {
                    return false;
                }
                self.fork.events.push((path.clone(), scheduled));
                let mut open = None;
                for checked in checks {
                    let mut checked = checked.clone();
                    if checked.done > 0 {
                        checked.output = checked.output.or_else(|| self.output_of(step, checked.done - 1));
                        checked.origin = origin.clone();
                    }
                    open = Some(checked.done);
                    self.fork.events.push((path.clone(), Body::LoopChecked(std::sync::Arc::new(checked))));
                }
                self.vars_kept(step, |index| open.is_some_and(|open| index < open), &path);
                let scope = open.and_then(|index| control.scopes.get(&index).copied());
                if let Some(scope) = scope {
                    self.scope(scope);
                }
            }
            Work::Child(_) => {
                let Some(started) = told.iter().find(|event| matches!(event.body, Body::ChildStarted { .. })) else {
                    return false;
                };
                self.fork.events.push((path.clone(), scheduled));
                self.fork.events.push((path, started.body.clone()));
                if let Some(scope) = control.scopes.get(&0).copied() {
                    self.scope(scope);
                }
            }
        }
        true
    }

    fn vars_kept(&mut self, container: StepIx, wanted: impl Fn(u32) -> bool, path: &StepPath) {
        let changes = self.vars_inside(container, wanted);
        if !changes.is_empty() {
            self.fork.events.push((path.clone(), Body::VarsChanged { changes }));
        }
    }

    fn output_of(&self, owner: StepIx, index: u32) -> Option<Payload> {
        let scope = *self.state.step(owner).control.as_ref()?.scopes.get(&index)?;
        match self.state.leaves(self.plan, scope).as_slice() {
            [only] => self.state.step(*only).output.clone(),
            _ => None,
        }
    }

    fn holds_target(&self, scope: ScopeIx) -> bool {
        let own = self.state.step(self.target).scope;
        own == scope
            || self.state.around(self.target).filter_map(|scope| scope.owner).any(|owner| self.state.step(owner).scope == scope)
    }

    fn run_again(&mut self, step: StepIx) {
        if self.state.step(step).status != StepStatus::Skipped {
            self.fork.again.push(step);
        }
        let inside: Vec<ScopeIx> =
            self.state.step(step).control.iter().flat_map(|control| control.scopes.values().copied()).collect();
        for scope in inside {
            self.run_again_in(scope);
        }
    }

    fn run_again_in(&mut self, scope: ScopeIx) {
        for step in self.state.scope(scope).steps(self.plan) {
            if self.state.step(step).status != StepStatus::Pending {
                self.run_again(step);
            }
        }
    }
}

//! What the templates and rules of a step see: exactly the nodes that they name, and the variables around them.

use super::{Turn, TurnError};
use crate::port::store::StoreError;
use flowtrace_core::change::{Change, Changes, Op, change};
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_core::node::NodeKind;
use flowtrace_core::payload::Payload;
use flowtrace_core::scope::{Each, Iteration, NodeValue, Scope};
use flowtrace_core::state::{StepIx, StepState, StepStatus};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Arc;

/// Variables as they are now, so that a change costs what it changes.
#[derive(Default)]
pub(super) struct Variables {
    /// Of the run (`None`), or of the workflow that a step calls.
    vars: HashMap<Option<StepIx>, Arc<Value>>,
    /// Of loops and agents.
    states: HashMap<StepIx, Arc<Value>>,
    /// Of maps.
    items: HashMap<StepIx, Arc<Value>>,
}

impl Variables {
    pub fn forget(&mut self, ix: StepIx) {
        self.vars.remove(&Some(ix));
        self.states.remove(&ix);
        self.items.remove(&ix);
    }
}

/// A change that an author wrote.
pub(super) type Wanted = (String, Op, Value);

impl Turn<'_> {
    /// What the step sees before it has begun.
    pub(super) async fn sight(&mut self, ix: StepIx) -> Result<Scope, TurnError> {
        let mut scope = Scope { input: self.input_of(ix).await?, ..Scope::default() };
        let node = self.node(ix);
        for read in &node.reads {
            // What is not around the step is inside of it, and is added by whoever looks there.
            if let Some(other) = self.state.seen_from(self.plan, ix, *read) {
                let value = self.value_of(self.state.step(other)).await?;
                scope.nodes.insert(self.plan.node(*read).id.clone(), value);
            }
        }
        self.surroundings(ix, &mut scope).await?;
        if node.reads_session {
            scope.session = self.session().await?;
        }
        Ok(scope)
    }

    async fn surroundings(&mut self, ix: StepIx, scope: &mut Scope) -> Result<(), TurnError> {
        let (plan, state) = (self.plan, &*self.state);
        let map = state.enclosing(plan, ix, |kind| matches!(kind, NodeKind::Map(_))).map(|(map, scope)| (map, scope.index));
        let loop_ =
            state.enclosing(plan, ix, |kind| matches!(kind, NodeKind::Loop(_))).map(|(loop_, scope)| (loop_, scope.index));
        if let Some((map, index)) = map {
            scope.each = Some(Each::new(self.items_of(map).await?, index as usize));
        }
        if let Some((owner, index)) = loop_ {
            scope.iteration = Some(self.iteration(owner, index).await?);
        }
        let caller = self.state.caller(ix);
        scope.vars = self.vars(caller).await?;
        scope.config = self.env.settings.variables.clone();
        Ok(())
    }

    /// What a loop's conditions and changes see after an iteration: besides what the loop sees, the nodes of the body.
    pub(super) async fn sight_inside(&mut self, owner: StepIx, index: u32, last: Arc<Value>) -> Result<Scope, TurnError> {
        let mut scope = self.sight(owner).await?;
        let inside = self.state.step(owner).control.as_ref().and_then(|control| control.scopes.get(&index)).copied();
        if let Some(inside) = inside {
            let graph = self.state.scope(inside).graph;
            for read in self.node(owner).reads.iter().filter(|read| self.plan.node(**read).graph == graph) {
                let step = self.state.scope(inside).step_of(self.plan, *read);
                let value = self.value_of(self.state.step(step)).await?;
                scope.nodes.insert(self.plan.node(*read).id.clone(), value);
            }
        }
        scope.iteration = Some(Iteration { index: Value::from(index), state: self.state_of(owner).await?, last });
        Ok(scope)
    }

    async fn value_of(&self, step: &StepState) -> Result<NodeValue, StoreError> {
        let output = match &step.output {
            Some(payload) => self.load(payload).await?,
            None => Arc::new(Value::Null),
        };
        let failed = step.error.as_ref().filter(|_| step.status == StepStatus::Failed);
        let error = failed.map(|error| json!({"code": error.code.as_str(), "message": error.message}));
        Ok(NodeValue { output, branch: step.branch.clone(), error })
    }

    async fn input_of(&self, ix: StepIx) -> Result<Arc<Value>, StoreError> {
        let child = self.state.caller(ix).and_then(|caller| self.state.step(caller).control.as_ref()?.as_child());
        match (child, &self.state.started) {
            (Some(child), _) => self.load(&child.input).await,
            (None, Some(started)) => self.load(&started.input).await,
            (None, None) => Ok(Arc::new(Value::Null)),
        }
    }

    pub(super) async fn items_of(&mut self, map: StepIx) -> Result<Arc<Value>, StoreError> {
        if let Some(items) = self.memory.variables.items.get(&map) {
            return Ok(items.clone());
        }
        let payload = self.state.step(map).control.as_ref().and_then(|control| control.as_map()).map(|map| map.items.clone());
        let items = self.load(&payload.unwrap_or_else(Payload::null)).await?;
        self.memory.variables.items.insert(map, items.clone());
        Ok(items)
    }

    async fn iteration(&mut self, owner: StepIx, index: u32) -> Result<Iteration, StoreError> {
        let state = self.state_of(owner).await?;
        let last = self.state.step(owner).control.as_ref().and_then(|control| control.as_loop()?.last.clone());
        let last = match last {
            Some(last) => self.load(&last).await?,
            None => Arc::new(Value::Null),
        };
        Ok(Iteration { index: Value::from(index), state, last })
    }

    /// The state of a loop or an agent, an object.
    pub(super) async fn state_of(&mut self, owner: StepIx) -> Result<Arc<Value>, StoreError> {
        if let Some(state) = self.memory.variables.states.get(&owner) {
            return Ok(state.clone());
        }
        let changes = self.state.step(owner).control.as_ref().and_then(|control| control.as_loop());
        let changes = changes.map(|state| state.state.clone()).unwrap_or_default();
        let state = self.materialise(&changes).await?;
        self.memory.variables.states.insert(owner, state.clone());
        Ok(state)
    }

    async fn vars(&mut self, caller: Option<StepIx>) -> Result<Arc<Value>, StoreError> {
        if let Some(vars) = self.memory.variables.vars.get(&caller) {
            return Ok(vars.clone());
        }
        let child = caller.and_then(|caller| self.state.step(caller).control.as_ref()?.as_child());
        let changes = child.map_or(&self.state.vars, |child| &child.vars).clone();
        let vars = self.materialise(&changes).await?;
        self.memory.variables.vars.insert(caller, vars.clone());
        Ok(vars)
    }

    async fn materialise(&self, changes: &Changes) -> Result<Arc<Value>, StoreError> {
        let mut map = Map::new();
        for Change { name, op, value } in changes.iter() {
            let value = (*self.load(value).await?).clone();
            change(&mut map, name, *op, value).map_err(StoreError::Corrupt)?;
        }
        Ok(Arc::new(Value::Object(map)))
    }

    /// The variables of the run's session as they are now; an empty object where the run has none.
    async fn session(&self) -> Result<Arc<Value>, StoreError> {
        match self.state.started.as_ref().and_then(|started| started.session_id.as_ref()) {
            Some(session) => self.env.sessions.read(self.env, session).await,
            None => Ok(Arc::new(Value::Object(Map::new()))),
        }
    }

    /// Carries out changes of the run's variables in memory, and gives them as they are recorded.
    pub(super) async fn change_vars(
        &mut self,
        ix: StepIx,
        wanted: Vec<Wanted>,
    ) -> Result<Result<Vec<Change>, Failure>, TurnError> {
        let caller = self.state.caller(ix);
        self.vars(caller).await?;
        let there = self.memory.variables.vars.remove(&caller).unwrap_or_default();
        let (there, changes) = self.carry_out_changes(there, wanted);
        // What was half done is read again from the journal.
        if changes.is_ok() {
            self.memory.variables.vars.insert(caller, there);
        }
        Ok(changes)
    }

    /// The same for the state of a loop or an agent.
    pub(super) async fn change_state(
        &mut self,
        owner: StepIx,
        wanted: Vec<Wanted>,
    ) -> Result<Result<Vec<Change>, Failure>, TurnError> {
        self.state_of(owner).await?;
        let there = self.memory.variables.states.remove(&owner).unwrap_or_default();
        let (there, changes) = self.carry_out_changes(there, wanted);
        if changes.is_ok() {
            self.memory.variables.states.insert(owner, there);
        }
        Ok(changes)
    }

    fn carry_out_changes(&mut self, mut there: Arc<Value>, wanted: Vec<Wanted>) -> (Arc<Value>, Result<Vec<Change>, Failure>) {
        let mut changes = Vec::with_capacity(wanted.len());
        if !there.is_object() {
            there = Arc::new(Value::Object(Map::new()));
        }
        // Nobody else holds the value now, so nothing is copied.
        let Value::Object(map) = Arc::make_mut(&mut there) else { return (there, Ok(changes)) };
        for (name, op, value) in wanted {
            if let Err(why) = change(map, &name, op, value.clone()) {
                return (there, Err(Failure::new(FailureCode::Template, format!("a variable cannot be changed: {why}"))));
            }
            let value = self.payload(Arc::new(value));
            changes.push(Change { name, op, value });
        }
        (there, Ok(changes))
    }
}

//! How a step ends, and what its edges make of that.

use super::{Turn, TurnError};
use crate::port::store::StoreError;
use flowtrace_core::event::{Body, Handled};
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_core::payload::Payload;
use flowtrace_core::plan::EdgeIx;
use flowtrace_core::scope::{NodeValue, Scope};
use flowtrace_core::state::StepIx;
use serde_json::{Map, Value, json};
use std::sync::Arc;

impl Turn<'_> {
    /// Asks the conditions of the outgoing edges and ends the step. `payload` is the output where it is already one.
    pub(super) async fn succeed(&mut self, ix: StepIx, output: Arc<Value>, payload: Option<Payload>) -> Result<(), TurnError> {
        if self.state.step(ix).is_undo {
            let output = payload.unwrap_or_else(|| self.payload(output));
            self.push(Some(ix), Body::StepSucceeded { output, taken: Vec::new() })?;
            self.forget(ix);
            return Ok(());
        }
        let own = NodeValue { output: output.clone(), branch: self.state.step(ix).branch.clone(), error: None };
        // What was done can be taken back even if the step fails over what follows it.
        let armed = self.state.armed().last().is_some_and(|armed| armed.path == self.state.step(ix).path);
        if let Some(undo) = self.node(ix).undo.as_ref().filter(|_| !armed) {
            let mut scope = self.sight_after(ix, own.clone()).await?;
            match undo.call(&mut scope).map(|call| serde_json::to_value(call).unwrap_or_default()) {
                Ok(call) => {
                    let call = self.payload(Arc::new(call));
                    self.push(Some(ix), Body::UndoArmed { call })?;
                }
                Err(failure) => return self.fail(ix, failure).await,
            }
        }
        let taken = match self.taken(ix, false, own).await? {
            Ok(taken) => taken,
            Err(failure) => return self.fail(ix, failure).await,
        };
        let output = match payload {
            Some(payload) => payload,
            None => self.payload(output),
        };
        self.push(Some(ix), Body::StepSucceeded { output, taken })?;
        self.forget(ix);
        Ok(())
    }

    /// The conditional edges that are taken, of those that lead on from a success or from a failure. The inner failure is the step's.
    async fn taken(&mut self, ix: StepIx, on_error: bool, own: NodeValue) -> Result<Result<Vec<EdgeIx>, Failure>, TurnError> {
        let (plan, node) = (self.plan, self.node(ix));
        let mut taken = Vec::new();
        let mut scope = None;
        for edge in node.outgoing.iter().filter(|edge| plan.edge(**edge).on_error == on_error) {
            let Some(when) = &plan.edge(*edge).when else { continue };
            if scope.is_none() {
                scope = Some(self.sight_after(ix, own.clone()).await?);
            }
            let Some(scope) = &scope else { continue };
            match when.evaluate(scope) {
                Ok(Value::Bool(true)) => taken.push(*edge),
                Ok(Value::Bool(false)) => {}
                Ok(other) => {
                    let message = format!(
                        "The condition `{}` on the edge from `{}` to `{}` gave {other}; it must give true or false.",
                        when.source(),
                        node.id,
                        plan.node(plan.edge(*edge).to).id,
                    );
                    return Ok(Err(Failure::new(FailureCode::Expression, message)));
                }
                Err(failure) => return Ok(Err(failure)),
            }
        }
        Ok(Ok(taken))
    }

    /// What is seen when the step has ended: its inputs by name, its own result, and its branch.
    pub(super) async fn sight_after(&mut self, ix: StepIx, own: NodeValue) -> Result<Scope, TurnError> {
        let mut scope = self.sight(ix).await?;
        if let Some(input) = self.state.step(ix).input.clone()
            && let Value::Object(inputs) = &*self.load(&input).await?
        {
            scope.inputs = inputs.clone();
        }
        scope.branch = own.branch.clone();
        scope.nodes.insert(self.node(ix).id.clone(), own);
        Ok(scope)
    }

    /// Ends the step with a failure, which the author may have provided for.
    pub(super) async fn fail(&mut self, ix: StepIx, failure: Failure) -> Result<(), TurnError> {
        let handled = match self.state.step(ix).is_undo {
            true => None,
            false => self.handled(ix, &failure).await?,
        };
        self.push(Some(ix), Body::StepFailed { error: failure, handled })?;
        self.forget(ix);
        Ok(())
    }

    async fn handled(&mut self, ix: StepIx, failure: &Failure) -> Result<Option<Handled>, TurnError> {
        let node = self.node(ix);
        let error = Some(json!({"code": failure.code.as_str(), "message": failure.message}));
        let mut own = NodeValue { output: Arc::new(Value::Null), branch: self.state.step(ix).branch.clone(), error };
        // Where what the author provided cannot be evaluated, the first failure is the one to tell.
        if let Some(template) = &node.on_error {
            let scope = self.sight_after(ix, own.clone()).await?;
            let Ok(value) = template.render(&scope) else { return Ok(None) };
            own.output = Arc::new(value);
            let output = self.payload(own.output.clone());
            return Ok(self.taken(ix, false, own).await?.ok().map(|taken| Handled { output: Some(output), taken }));
        }
        if !node.outgoing.iter().any(|edge| self.plan.edge(*edge).on_error) {
            return Ok(None);
        }
        Ok(self.taken(ix, true, own).await?.ok().map(|taken| Handled { output: None, taken }))
    }

    fn forget(&mut self, ix: StepIx) {
        self.memory.forget(ix);
        self.ended.push(ix);
    }

    /// One leaf: its output, by reference. Several: an object by node id. None: nothing.
    pub(super) async fn compose_output(&mut self, leaves: &[StepIx]) -> Result<Option<Payload>, StoreError> {
        if let [only] = leaves {
            return Ok(self.state.step(*only).output.clone());
        }
        let mut outputs = Map::new();
        for ix in leaves {
            if let Some(output) = &self.state.step(*ix).output {
                outputs.insert(self.node(*ix).id.to_string(), (*self.load(output).await?).clone());
            }
        }
        Ok((!leaves.is_empty()).then(|| self.payload(Arc::new(Value::Object(outputs)))))
    }
}

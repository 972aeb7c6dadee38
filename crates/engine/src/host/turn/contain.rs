//! Containers: what follows when an item, an iteration or a called workflow has ended.

use super::{Turn, TurnError, internal};
use crate::port::store::StoreError;
use flowtrace_core::decide::{is_complete, over_iterations};
use flowtrace_core::document::{Exhausted, ItemError};
use flowtrace_core::event::{Body, LoopChecked};
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_core::node::NodeKind;
use flowtrace_core::node::loop_::changes;
use flowtrace_core::payload::Payload;
use flowtrace_core::state::{ItemResult, ScopeIx, StepIx};
use serde_json::{Map, Value, json};
use std::sync::Arc;

impl Turn<'_> {
    pub(super) async fn close(&mut self, scope: ScopeIx) -> Result<(), TurnError> {
        let Some(owner) = self.state.scope(scope).owner else { return Ok(()) };
        match &self.node(owner).kind {
            NodeKind::Map(_) => self.close_item(owner, scope).await,
            NodeKind::Loop(_) => self.close_iteration(owner, scope).await,
            NodeKind::Agent(_) => self.close_agent_turn(owner, scope).await,
            NodeKind::Workflow(_) => {
                let leaves = self.state.leaves(self.plan, scope);
                let output = self.compose_output(&leaves).await?.unwrap_or_else(Payload::null);
                let value = self.load(&output).await?;
                self.succeed(owner, value, Some(output)).await
            }
            _ => Err(StoreError::Corrupt("a scope belongs to a step that holds none".to_owned()).into()),
        }
    }

    /// What a scope gives, where that has to be put together: it has several last steps.
    async fn composed(&mut self, scope: ScopeIx) -> Result<Option<Payload>, StoreError> {
        let leaves = self.state.leaves(self.plan, scope);
        match leaves.len() {
            0 | 1 => Ok(None),
            _ => self.compose_output(&leaves).await,
        }
    }

    async fn close_item(&mut self, owner: StepIx, scope: ScopeIx) -> Result<(), TurnError> {
        let (index, failed) = (self.state.scope(scope).index, self.state.scope(scope).failed);
        let error = failed.and_then(|failed| self.state.step(failed).error.clone());
        let output = match &error {
            Some(_) => None,
            None => self.composed(scope).await?,
        };
        self.push(Some(owner), Body::MapItem { index, output, error, origin: None })?;
        match is_complete(self.state, owner) {
            true => self.finish_map(owner).await,
            false => Ok(()),
        }
    }

    pub(super) async fn finish_map(&mut self, owner: StepIx) -> Result<(), TurnError> {
        let NodeKind::Map(map) = &self.node(owner).kind else { return Ok(()) };
        let results = self.state.step(owner).control.as_ref().and_then(|control| control.as_map());
        let results = results.map(|map| map.results.clone()).unwrap_or_default();
        let mut items = Vec::with_capacity(results.len());
        for result in results {
            items.push(match result {
                ItemResult::Output(payload) => (*self.load(&payload).await?).clone(),
                ItemResult::Failed(failure) if map.on_error == ItemError::Collect => {
                    json!({"error": {"code": failure.code.as_str(), "message": failure.message}})
                }
                ItemResult::Failed(_) | ItemResult::Open => Value::Null,
            });
        }
        self.succeed(owner, Arc::new(Value::Array(items)), None).await
    }

    async fn close_iteration(&mut self, owner: StepIx, scope: ScopeIx) -> Result<(), TurnError> {
        let NodeKind::Loop(loop_) = &self.node(owner).kind else { return Ok(()) };
        let index = self.state.scope(scope).index;
        let done = index + 1;
        let output = self.composed(scope).await?;
        let last = match &output {
            Some(output) => self.load(output).await?,
            None => match self.state.leaves(self.plan, scope).as_slice() {
                [only] => {
                    let output = self.state.step(*only).output.clone();
                    self.load(&output.unwrap_or_else(Payload::null)).await?
                }
                _ => Arc::new(Value::Null),
            },
        };
        let mut scope = self.sight_inside(owner, index, last).await?;
        let wanted = match loop_.update.render(&scope) {
            Ok(wanted) => changes(wanted),
            Err(failure) => return self.fail(owner, failure).await,
        };
        // Given up before the change, so that nothing is copied.
        if let Some(iteration) = &mut scope.iteration {
            iteration.state = Arc::default();
        }
        let changes = match self.change_state(owner, wanted).await? {
            Ok(changes) => changes,
            Err(failure) => return self.fail(owner, failure).await,
        };
        if let Some(iteration) = &mut scope.iteration {
            iteration.state = self.state_of(owner).await?;
        }
        let goes_on = match loop_.goes_on(&scope, done) {
            Ok(goes_on) => goes_on,
            Err(failure) => return self.fail(owner, failure).await,
        };
        drop(scope);
        let again = goes_on && done < loop_.max_iterations;
        if again && let Some(failure) = self.no_more_iterations(owner)? {
            return self.fail(owner, failure).await;
        }
        self.push(Some(owner), Body::LoopChecked(Arc::new(LoopChecked { done, again, changes, output, origin: None })))?;
        match again {
            true => Ok(()),
            false => self.finish_loop(owner).await,
        }
    }

    pub(super) async fn finish_loop(&mut self, owner: StepIx) -> Result<(), TurnError> {
        let NodeKind::Loop(loop_) = &self.node(owner).kind else { return Ok(()) };
        let Some(looped) = self.state.step(owner).control.as_ref().and_then(|control| control.as_loop()) else {
            return self.fail(owner, internal("a loop without a state")).await;
        };
        let (done, last) = (looped.done, looped.last.clone());
        let last = match last {
            Some(last) => self.load(&last).await?,
            None => Arc::new(Value::Null),
        };
        if done >= loop_.max_iterations && loop_.on_exhausted == Exhausted::Fail && loop_.until.is_some() {
            let scope = self.sight_inside(owner, done - 1, last.clone()).await?;
            match loop_.goes_on(&scope, done) {
                Ok(false) => {}
                Ok(true) => {
                    let message = format!(
                        "The loop made {done} iterations, as many as `maxIterations` allows, and `until` is not true yet."
                    );
                    return self.fail(owner, Failure::new(FailureCode::BudgetExceeded, message)).await;
                }
                Err(failure) => return self.fail(owner, failure).await,
            }
        }
        let state = self.state_of(owner).await?;
        let mut output = Map::new();
        output.insert("output".to_owned(), (*last).clone());
        output.insert("state".to_owned(), (*state).clone());
        output.insert("iterations".to_owned(), json!(done));
        output.insert("exhausted".to_owned(), json!(done >= loop_.max_iterations));
        self.succeed(owner, Arc::new(Value::Object(output)), None).await
    }

    /// The failure where the step may begin no further iteration; records that the limit was reached.
    pub(super) fn no_more_iterations(&mut self, ix: StepIx) -> Result<Option<Failure>, TurnError> {
        let Some((owner, exceeded)) = over_iterations(self.plan, self.state, ix) else { return Ok(None) };
        let who = match owner {
            Some(owner) => format!("The workflow that step `{}` calls", self.state.path(self.plan, owner)),
            None => "The run".to_owned(),
        };
        let message = format!(
            "{who} may make {} iterations in all (`limits.maxIterations`), and has made them. Raise the limit to let it go further.",
            exceeded.allowed
        );
        self.exceed(Some(ix), Some(exceeded))?;
        Ok(Some(Failure::new(FailureCode::BudgetExceeded, message)))
    }
}

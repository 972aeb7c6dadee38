//! How a step of each kind begins.

use super::sight::Wanted;
use super::{Turn, TurnError, internal};
use flowtrace_core::call::{Call, SessionCall, ToolCall};
use flowtrace_core::change::Op;
use flowtrace_core::event::{Body, LoopChecked, Timer};
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_core::node::NodeKind;
use flowtrace_core::node::agent::{ACTIVE, HANDOFFS, INSTRUCTIONS, MESSAGES};
use flowtrace_core::node::loop_::changes;
use flowtrace_core::node::wait::Wait;
use flowtrace_core::payload::Payload;
use flowtrace_core::scope::{Iteration, Scope};
use flowtrace_core::state::{Armed, StepIx};
use serde_json::{Map, Value, json};
use std::sync::Arc;

impl Turn<'_> {
    pub(super) async fn begin(&mut self, ix: StepIx) -> Result<(), TurnError> {
        let node = self.node(ix);
        let mut scope = self.sight(ix).await?;
        let inputs = match node.inputs.render(&scope) {
            Ok(inputs) => Arc::new(inputs),
            Err(failure) => {
                self.push(Some(ix), Body::StepScheduled { input: Payload::null() })?;
                return self.fail(ix, failure).await;
            }
        };
        let input = self.payload(inputs.clone());
        self.push(Some(ix), Body::StepScheduled { input: input.clone() })?;
        scope.inputs = inputs.as_object().cloned().unwrap_or_default();
        match self.begin_kind(ix, &scope, input).await? {
            Ok(()) => Ok(()),
            Err(failure) => self.fail(ix, failure).await,
        }
    }

    /// Begins a step that was scheduled before, with the inputs that were rendered then.
    pub(super) async fn begin_scheduled(&mut self, ix: StepIx, input: Payload) -> Result<(), TurnError> {
        let mut scope = self.sight(ix).await?;
        scope.inputs = match &*self.load(&input).await? {
            Value::Object(inputs) => inputs.clone(),
            // They could not be rendered, and the failure was not recorded: it is the same again.
            _ => match self.node(ix).inputs.render(&scope) {
                Ok(inputs) => inputs.as_object().cloned().unwrap_or_default(),
                Err(failure) => return self.fail(ix, failure).await,
            },
        };
        match self.begin_kind(ix, &scope, input).await? {
            Ok(()) => Ok(()),
            Err(failure) => self.fail(ix, failure).await,
        }
    }

    /// The inner failure is the step's.
    async fn begin_kind(&mut self, ix: StepIx, scope: &Scope, input: Payload) -> Result<Result<(), Failure>, TurnError> {
        let node = self.node(ix);
        // A failure of the step itself, as opposed to one of the store.
        macro_rules! step {
            ($result:expr) => {
                match $result {
                    Ok(value) => value,
                    Err(failure) => return Ok(Err(failure)),
                }
            };
        }
        match &node.kind {
            NodeKind::Router(router) => {
                let branch = step!(router.decide(scope));
                self.push(Some(ix), Body::RouterBranch { branch, rule: router.rule.source().to_owned() })?;
                self.pass_through(ix).await?;
            }
            NodeKind::Gate(gate) => {
                let reason = step!(gate.fault(scope));
                let passed = reason.is_none();
                self.push(Some(ix), Body::GateChecked { passed, reason: reason.clone() })?;
                self.pass_gate(ix, reason).await?;
            }
            NodeKind::Set(set) => {
                let wanted = changes(step!(set.vars.render(scope)));
                let output = wanted.iter().map(|(name, _, value)| (name.clone(), value.clone())).collect();
                if !wanted.is_empty() {
                    let changes = step!(self.change_vars(ix, wanted).await?);
                    self.push(Some(ix), Body::VarsChanged { changes })?;
                }
                return self.set_session(ix, scope, output).await;
            }
            NodeKind::Tool(tool) => {
                let call = step!(tool.call(scope));
                self.request(ix, Call::Tool(Arc::new(call)), Some(&scope.inputs)).await?;
            }
            NodeKind::Llm(llm) => {
                let defaults = self.state.started.as_ref().map(|started| started.defaults.clone()).unwrap_or_default();
                let call = step!(llm.call(scope, &defaults));
                self.request(ix, Call::Model(Arc::new(call)), Some(&scope.inputs)).await?;
            }
            NodeKind::AgentTurn => {
                let call = step!(self.agent_turn(ix).await?);
                self.request(ix, Call::Model(Arc::new(call)), Some(&scope.inputs)).await?;
            }
            NodeKind::AgentCall => return self.agent_call(ix, scope).await,
            NodeKind::Map(map) => {
                let items = Arc::new(step!(map.items(scope)));
                let count = items.as_array().map_or(0, Vec::len) as u32;
                let items = self.payload(items);
                self.push(Some(ix), Body::MapExpanded { items, count })?;
                if count == 0 {
                    self.finish_map(ix).await?;
                }
            }
            NodeKind::Loop(loop_) => {
                let wanted = changes(step!(loop_.state.render(scope)));
                let changes = step!(self.change_state(ix, wanted).await?);
                let mut scope = scope.clone();
                let state = self.state_of(ix).await?;
                scope.iteration = Some(Iteration { index: json!(0), state, last: Arc::new(Value::Null) });
                let again = step!(loop_.goes_on(&scope, 0));
                if again && let Some(failure) = self.no_more_iterations(ix)? {
                    return Ok(Err(failure));
                }
                let checked = LoopChecked { done: 0, again, changes, output: None, origin: None };
                self.push(Some(ix), Body::LoopChecked(Arc::new(checked)))?;
                if !again {
                    self.finish_loop(ix).await?;
                }
            }
            NodeKind::Agent(agent) => {
                let Some(first) = agent.personas.first() else { return Ok(Err(internal("an agent without a persona"))) };
                let task = step!(agent.task(scope));
                let instructions = step!(first.instructions(scope));
                if let Some(failure) = self.no_more_iterations(ix)? {
                    return Ok(Err(failure));
                }
                let wanted: Vec<Wanted> = vec![
                    (INSTRUCTIONS.to_owned(), Op::Set, json!(instructions)),
                    (ACTIVE.to_owned(), Op::Set, json!(first.name)),
                    (HANDOFFS.to_owned(), Op::Set, json!(0)),
                    (MESSAGES.to_owned(), Op::Set, json!([task])),
                ];
                let changes = step!(self.change_state(ix, wanted).await?);
                let checked = LoopChecked { done: 0, again: true, changes, output: None, origin: None };
                self.push(Some(ix), Body::LoopChecked(Arc::new(checked)))?;
            }
            NodeKind::Workflow(workflow) => {
                let started = self.state.started.clone();
                let link = started.iter().flat_map(|started| &started.linked);
                let link = link.into_iter().find(|link| (&link.name, link.asked) == (&workflow.workflow, workflow.version));
                let (Some(link), Some(_)) = (link, self.plan.inner(self.state.step(ix).node)) else {
                    let version = workflow.version.map(|version| format!(" in version {version}")).unwrap_or_default();
                    let message = format!("There was no workflow `{}`{version} when the run started.", workflow.workflow);
                    return Ok(Err(Failure::new(FailureCode::NotConfigured, message)));
                };
                let input = match &workflow.input {
                    Some(template) => {
                        let value = Arc::new(step!(template.render(scope)));
                        self.payload(value)
                    }
                    None => input,
                };
                let (workflow, name) = (link.workflow.clone(), link.name.clone());
                self.push(Some(ix), Body::ChildStarted { workflow, name, input })?;
            }
            NodeKind::Approval(approval) => {
                let message = step!(approval.message.render(scope));
                let message = message.as_str().map_or_else(|| message.to_string(), str::to_owned);
                let payload = match &approval.payload {
                    Some(template) => {
                        let value = Arc::new(step!(template.render(scope)));
                        self.payload(value)
                    }
                    None => input,
                };
                let deadline = approval.timeout_ms.map(|millis| self.now.plus_millis(millis));
                self.ask(ix, Body::ApprovalRequested { message, payload, deadline, interrupted: false })?;
            }
            NodeKind::Wait(wait) => {
                let due = step!(wait.due(scope, self.now));
                match due {
                    Some(due) if due <= self.now && !matches!(wait, Wait::Signal { .. }) => {
                        self.succeed(ix, Arc::new(Value::Null), None).await?;
                    }
                    Some(due) => self.push(Some(ix), Body::TimerSet { timer: Timer::Step, due })?,
                    None => {}
                }
            }
        }
        Ok(Ok(()))
    }

    /// Ends a step whose output is its inputs.
    pub(super) async fn pass_through(&mut self, ix: StepIx) -> Result<(), TurnError> {
        let input = self.state.step(ix).input.clone().unwrap_or_else(Payload::null);
        let inputs = self.load(&input).await?;
        self.succeed(ix, inputs, Some(input)).await
    }

    /// What a gate lets through, or fails over: `reason` is what does not hold up.
    pub(super) async fn pass_gate(&mut self, ix: StepIx, reason: Option<String>) -> Result<(), TurnError> {
        match reason {
            Some(reason) if !self.edges_decide(ix) => {
                self.fail(ix, Failure::new(FailureCode::Gate, format!("The gate is shut: {reason}."))).await
            }
            _ => self.pass_through(ix).await,
        }
    }

    /// What follows when the variables of the run are changed: those of the session, if there are any. The inner failure is the step's.
    pub(super) async fn set_session(
        &mut self,
        ix: StepIx,
        scope: &Scope,
        output: Map<String, Value>,
    ) -> Result<Result<(), Failure>, TurnError> {
        let NodeKind::Set(set) = &self.node(ix).kind else { return Ok(Err(internal("variables that no step changes"))) };
        if !set.changes_session() {
            self.succeed(ix, Arc::new(Value::Object(output)), None).await?;
            return Ok(Ok(()));
        }
        let Some(session_id) = self.state.started.as_ref().and_then(|started| started.session_id.clone()) else {
            let message =
                "The step changes variables of the session, and this run belongs to none: start it with a `session_id`.";
            return Ok(Err(Failure::new(FailureCode::NotConfigured, message)));
        };
        let changes = match set.session.render(scope) {
            Ok(rendered) => changes(rendered),
            Err(failure) => return Ok(Err(failure)),
        };
        self.request(ix, Call::Session(Arc::new(SessionCall { session_id, changes })), Some(&scope.inputs)).await?;
        Ok(Ok(()))
    }

    /// Whether the author looks at what the step decided: then the edges say what follows, and not a failure.
    pub(super) fn edges_decide(&self, ix: StepIx) -> bool {
        self.node(ix).outgoing.iter().any(|edge| {
            let edge = self.plan.edge(*edge);
            edge.when.is_some() && !edge.on_error
        })
    }

    pub(super) async fn begin_undo(&mut self, armed: Armed) -> Result<(), TurnError> {
        let recorded = self.load(&armed.call).await?;
        let input = self.payload(Arc::new(recorded["inputs"].clone()));
        let path = format!("{}/undo", armed.path).into();
        self.push_at(Some(path), Body::StepScheduled { input })?;
        let Some(ix) = self.state.compensation.as_ref().and_then(|compensation| compensation.current) else { return Ok(()) };
        self.request_undo(ix).await
    }

    /// Makes the first request of an undo: its call is what was armed.
    pub(super) async fn request_undo(&mut self, ix: StepIx) -> Result<(), TurnError> {
        let armed = self.state.step(ix).call.clone().unwrap_or_else(Payload::null);
        let recorded = self.load(&armed).await?;
        match serde_json::from_value::<ToolCall>((*recorded).clone()) {
            Ok(call) => self.request(ix, Call::Tool(Arc::new(call)), Some(&Map::new())).await,
            Err(error) => self.fail(ix, internal(&format!("its undo cannot be read: {error}"))).await,
        }
    }
}

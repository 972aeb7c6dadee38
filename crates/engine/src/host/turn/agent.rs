//! Agents: the next turn of the model, the calls that it asks for, and handing over.

use super::sight::Wanted;
use super::{Turn, TurnError, internal};
use flowtrace_core::call::{Call, Message, ModelCall, Role, ToolCall, ToolOffer, ToolUse};
use flowtrace_core::change::Op;
use flowtrace_core::decide::Exceeded;
use flowtrace_core::event::{Body, LoopChecked};
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_core::node::NodeKind;
use flowtrace_core::node::agent::{
    ACTIVE, Agent, CALLS, HANDOFF, HANDOFFS, INSTRUCTIONS, MESSAGES, Persona, TURN, arguments, messages_of, tool_calls_of,
};
use flowtrace_core::payload::Payload;
use flowtrace_core::scope::Scope;
use flowtrace_core::secret;
use flowtrace_core::state::{ScopeIx, StepIx};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// How long a turn waits to learn what a tool is like. A tool server that takes longer makes the step fail, and be tried again.
const LOOK_UP: Duration = Duration::from_secs(10);

impl<'a> Turn<'a> {
    /// The agent that a step inside of it belongs to, and who is speaking.
    async fn agent_of(&mut self, ix: StepIx) -> Result<Option<(StepIx, &'a Agent, &'a Persona)>, TurnError> {
        let owner = self.state.enclosing(self.plan, ix, |kind| matches!(kind, NodeKind::Agent(_))).map(|(owner, _)| owner);
        let Some(owner) = owner else { return Ok(None) };
        let state = self.state_of(owner).await?;
        let NodeKind::Agent(agent) = &self.node(owner).kind else { return Ok(None) };
        let persona = state[ACTIVE].as_str().and_then(|name| agent.persona(name));
        Ok(persona.map(|persona| (owner, agent, persona)))
    }

    /// The inner failure is the step's.
    pub(super) async fn agent_turn(&mut self, ix: StepIx) -> Result<Result<ModelCall, Failure>, TurnError> {
        let Some((owner, agent, persona)) = self.agent_of(ix).await? else { return Ok(Err(internal("a turn without an agent"))) };
        let state = self.state_of(owner).await?;
        let mut messages = Vec::new();
        if let Some(instructions) = state[INSTRUCTIONS].as_str().filter(|text| !text.is_empty()) {
            messages.push(Message::new(Role::System, instructions));
        }
        let said: Result<Vec<Message>, _> = serde_json::from_value(state[MESSAGES].clone());
        match said {
            Ok(said) => messages.extend(said),
            Err(error) => return Ok(Err(internal(&format!("the conversation cannot be read: {error}")))),
        }
        let mut offers = Vec::with_capacity(persona.tools.len());
        for tool in &persona.tools {
            let known = match self.env.tools.get(&tool.tool) {
                Ok(known) => known,
                Err(failure) => return Ok(Err(failure)),
            };
            let description = match (&tool.description, &tool.parameters) {
                (Some(description), Some(parameters)) => (description.clone(), parameters.clone()),
                _ => match tokio::time::timeout(LOOK_UP, known.look_up()).await {
                    Ok(Ok(told)) => (
                        tool.description.clone().unwrap_or(told.description),
                        tool.parameters.clone().unwrap_or_else(|| Arc::new(told.input_schema)),
                    ),
                    Ok(Err(failure)) => return Ok(Err(failure)),
                    Err(_elapsed) => {
                        let message =
                            format!("The tool `{}` did not say what it takes within {} s.", tool.tool, LOOK_UP.as_secs());
                        return Ok(Err(Failure::new(FailureCode::Timeout, message)));
                    }
                },
            };
            offers.push(ToolOffer { name: tool.name.clone(), description: description.0, parameters: description.1 });
        }
        let defaults = self.state.started.as_ref().map(|started| started.defaults.clone()).unwrap_or_default();
        Ok(agent.call(persona, messages, offers, &defaults))
    }

    /// One call that the model asked for. What the model got wrong is an answer to the model, not a failure of the run.
    pub(super) async fn agent_call(&mut self, ix: StepIx, scope: &Scope) -> Result<Result<(), Failure>, TurnError> {
        let Some((_, agent, persona)) = self.agent_of(ix).await? else { return Ok(Err(internal("a call without an agent"))) };
        let wanted: Option<ToolUse> = scope.inputs.get("call").and_then(|call| serde_json::from_value(call.clone()).ok());
        let Some(wanted) = wanted else { return Ok(Err(internal("a call that cannot be read"))) };
        if let Some(name) = wanted.name.strip_prefix(HANDOFF) {
            let said = match agent.persona(name) {
                Some(_) => format!("The conversation is handed over to `{name}`."),
                None => format!("There is no agent `{name}`."),
            };
            self.succeed(ix, Arc::new(json!(said)), None).await?;
            return Ok(Ok(()));
        }
        let Some(tool) = persona.tools.iter().find(|tool| tool.name == wanted.name) else {
            let names: Vec<&str> = persona.tools.iter().map(|tool| tool.name.as_str()).collect();
            let said = format!("There is no tool `{}`. There are: {}.", wanted.name, names.join(", "));
            self.succeed(ix, Arc::new(json!(said)), None).await?;
            return Ok(Ok(()));
        };
        let arguments = match arguments(&wanted) {
            Ok(arguments) => arguments,
            Err(said) => {
                self.succeed(ix, Arc::new(json!(said)), None).await?;
                return Ok(Ok(()));
            }
        };
        let mut scope = scope.clone();
        scope.inputs = arguments;
        let config = match tool.config.render(&scope) {
            Ok(config) => config,
            Err(failure) => return Ok(Err(failure)),
        };
        let call = ToolCall {
            tool: tool.tool.clone(),
            config,
            inputs: Value::Object(scope.inputs.clone()),
            secrets: secret::references(tool.config.source()),
        };
        self.request(ix, Call::Tool(Arc::new(call)), Some(&scope.inputs)).await?;
        Ok(Ok(()))
    }

    /// A turn has ended: the agent has its answer, or the next turn begins with what the tools said.
    pub(super) async fn close_agent_turn(&mut self, owner: StepIx, scope: ScopeIx) -> Result<(), TurnError> {
        let NodeKind::Agent(agent) = &self.node(owner).kind else { return Ok(()) };
        let done = self.state.scope(scope).index + 1;
        let turn = self.output_in(scope, TURN).await?;
        let results = self.output_in(scope, CALLS).await?;
        let calls = tool_calls_of(&turn);
        let checked = |again, changes, output| {
            Body::LoopChecked(Arc::new(LoopChecked { done, again, changes, output: Some(output), origin: None }))
        };
        let output = self.payload(turn.clone());
        if calls.is_empty() {
            self.push(Some(owner), checked(false, Vec::new(), output))?;
            return self.finish_agent(owner).await;
        }
        let mut wanted: Vec<Wanted> = Vec::new();
        for message in messages_of(&turn, Some(&results)) {
            wanted.push((MESSAGES.to_owned(), Op::Append, json!(message)));
        }
        let next = calls.iter().filter_map(|call| agent.persona(call.name.strip_prefix(HANDOFF)?)).next();
        let mut exceeded = None;
        if let Some(next) = next {
            let handoffs = self.state_of(owner).await?[HANDOFFS].as_u64().unwrap_or(0) + 1;
            if handoffs > u64::from(agent.max_handoffs) {
                let allowed = f64::from(agent.max_handoffs);
                exceeded = Some(Exceeded { limit: "maxHandoffs", allowed, used: handoffs as f64 });
            }
            let mut scope = self.sight(owner).await?;
            if let Some(input) = self.state.step(owner).input.clone() {
                scope.inputs = self.load(&input).await?.as_object().cloned().unwrap_or_default();
            }
            match next.instructions(&scope) {
                Ok(instructions) => wanted.push((INSTRUCTIONS.to_owned(), Op::Set, json!(instructions))),
                Err(failure) => return self.fail(owner, failure).await,
            }
            wanted.push((ACTIVE.to_owned(), Op::Set, json!(next.name)));
            wanted.push((HANDOFFS.to_owned(), Op::Set, json!(handoffs)));
        }
        if done >= agent.max_turns {
            let allowed = f64::from(agent.max_turns);
            exceeded = exceeded.or(Some(Exceeded { limit: "maxSteps", allowed, used: allowed }));
        }
        if let Some(exceeded) = exceeded {
            let message = format!(
                "The agent reached its limit `{}` of {} before it had an answer. Raise the limit, or give it a smaller task.",
                exceeded.limit, exceeded.allowed
            );
            self.exceed(Some(owner), Some(exceeded))?;
            return self.fail(owner, Failure::new(FailureCode::BudgetExceeded, message)).await;
        }
        if let Some(failure) = self.no_more_iterations(owner)? {
            return self.fail(owner, failure).await;
        }
        match self.change_state(owner, wanted).await? {
            Ok(changes) => self.push(Some(owner), checked(true, changes, output)),
            Err(failure) => self.fail(owner, failure).await,
        }
    }

    /// The last turn of the model is the agent's answer.
    pub(super) async fn finish_agent(&mut self, owner: StepIx) -> Result<(), TurnError> {
        let NodeKind::Agent(agent) = &self.node(owner).kind else { return Ok(()) };
        let last = self.state.step(owner).control.as_ref().and_then(|control| control.as_loop()?.last.clone());
        let last = self.load(&last.unwrap_or_else(Payload::null)).await?;
        match agent.answer(last["text"].as_str().unwrap_or_default()) {
            Ok(answer) => self.succeed(owner, Arc::new(answer), None).await,
            Err(failure) => self.fail(owner, failure).await,
        }
    }

    /// The output of a step of the agent's own body; `null` where it did not run.
    async fn output_in(&self, scope: ScopeIx, id: &str) -> Result<Arc<Value>, TurnError> {
        let scope = self.state.scope(scope);
        let node = self.plan.graph(scope.graph).by_id.get(id);
        let output = node.and_then(|node| self.state.step(scope.step_of(self.plan, *node)).output.clone());
        Ok(self.load(&output.unwrap_or_else(Payload::null)).await?)
    }
}

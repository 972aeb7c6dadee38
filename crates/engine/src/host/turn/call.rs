//! Calls of models, tools and sessions: requests, attempts, answers, repairs, retries and fallbacks.

use super::{Turn, TurnError, internal};
use crate::host::perform::{Effect, cache_key};
use crate::port::provider::CallContext;
use crate::port::store::{CacheRow, StoreError};
use flowtrace_core::call::{CachedAnswer, Call, ModelAnswer, ModelCall, SessionCall, SessionChange, Target, ToolCall, ToolUse};
use flowtrace_core::event::{Body, CacheHit, LlmResponse};
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_core::id::{SpanId, idempotency_key};
use flowtrace_core::node::NodeKind;
use flowtrace_core::node::agent::Agent;
use flowtrace_core::node::llm::{CachePolicy, Llm};
use flowtrace_core::policy::{RetryPolicy, Verdict, after_failure};
use flowtrace_core::price::cost;
use flowtrace_core::scope::NodeValue;
use flowtrace_core::secret;
use flowtrace_core::state::StepIx;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// How an undo is tried again where its node does not say: longer than anything else, because nobody takes its place.
const UNDO_RETRY: RetryPolicy = RetryPolicy { max_attempts: 6, initial_ms: 500, max_ms: 20_000 };

/// A budget that leaves more tokens than this does not limit the answer: a limit above what a model can say at all is refused by
/// its provider, and 16,384 is the smallest such bound among the models of today.
const CAPPED_BELOW: u64 = 16_384;

impl<'a> Turn<'a> {
    /// Records that an attempt starts, and plans it. With `variables` it is the first one of the call.
    pub(super) async fn request(
        &mut self,
        ix: StepIx,
        call: Call,
        variables: Option<&Map<String, Value>>,
    ) -> Result<(), TurnError> {
        let (request, attempt) = (self.state.step(ix).request, self.state.step(ix).attempt);
        let mut cache = false;
        let mut max_output_tokens = None;
        let body = match &call {
            Call::Model(model) => {
                if let Some(failure) = self.unpriced(&model.target) {
                    return self.fail(ix, failure).await;
                }
                cache = self.cache_policy(ix).is_some_and(|policy| policy.enabled);
                max_output_tokens = self.output_left(ix, model);
                let template = self.llm(ix).map(Llm::template_source);
                let prompt = variables.map(|variables| {
                    let mut prompt = json!({ "template": template, "variables": variables });
                    if let (Some(prompt), Ok(Value::Object(call))) = (prompt.as_object_mut(), serde_json::to_value(&**model)) {
                        prompt.extend(call);
                    }
                    self.payload(Arc::new(prompt))
                });
                let simulated = self.env.is_simulated(&model.target.provider);
                Body::LlmRequest { request, attempt, target: model.target.clone(), simulated, prompt }
            }
            Call::Tool(tool) => {
                let config = variables.map(|_| self.payload(Arc::new(tool.config.clone())));
                Body::ToolRequest { request, attempt, tool: tool.tool.clone(), config }
            }
            Call::Session(session) => {
                let call = variables.map(|_| self.payload(Arc::new(serde_json::to_value(&**session).unwrap_or_default())));
                Body::SessionRequest { request, attempt, call }
            }
        };
        self.push(Some(ix), body)?;
        match max_output_tokens {
            Some(_) => self.memory.capped.insert(ix),
            None => self.memory.capped.remove(&ix),
        };
        let path = self.state.path(self.plan, ix);
        let trace = self.state.started.as_ref().map_or(self.run.0, |started| started.trace_id.0);
        let span = SpanId::derive(self.run, &path, request, attempt);
        let left = self.state.deadline().map_or(u64::MAX, |deadline| deadline.0.saturating_sub(self.now.0) / 1000);
        let context = CallContext {
            idempotency_key: idempotency_key(self.run, &path, request),
            traceparent: format!("00-{trace:032x}-{span}-01"),
            attempt,
            timeout_ms: self.node(ix).timeout_ms.min(left).max(1),
            max_output_tokens,
        };
        self.effects.push(Effect { ix, path, request, attempt, call: call.clone(), context, cache });
        self.memory.calls.insert(ix, call);
        Ok(())
    }

    /// The attempt that the state asks for: a retry, a fallback, or one that was lost.
    pub(super) async fn attempt(&mut self, ix: StepIx) -> Result<(), TurnError> {
        let call = match self.memory.calls.get(&ix) {
            Some(call) => call.clone(),
            None => match self.recall(ix).await? {
                Some(call) => call,
                None => return self.fail(ix, internal("what the step was about to call is not in the journal")).await,
            },
        };
        let call = match (call, &self.state.step(ix).target) {
            (Call::Model(model), Some(target)) if model.target != *target => {
                Call::Model(Arc::new(ModelCall { target: target.clone(), ..(*model).clone() }))
            }
            (call, _) => call,
        };
        self.request(ix, call, None).await
    }

    /// Finds the call of a step again in the journal; nothing is rendered a second time.
    pub(super) async fn recall(&mut self, ix: StepIx) -> Result<Option<Call>, StoreError> {
        let step = self.state.step(ix);
        let Some(payload) = step.call.clone() else { return Ok(None) };
        let (input, is_undo) = (step.input.clone(), step.is_undo);
        let recorded = self.load(&payload).await?;
        let inputs = match input {
            Some(input) => (*self.load(&input).await?).clone(),
            None => Value::Null,
        };
        let node = self.node(ix);
        if is_undo {
            let Some(undo) = &node.undo else { return Ok(None) };
            let secrets = secret::references(undo.tool.config.source());
            let config = (*recorded).clone();
            return Ok(Some(Call::Tool(Arc::new(ToolCall { tool: undo.tool.tool.clone(), config, secrets, inputs }))));
        }
        Ok(match &node.kind {
            NodeKind::Llm(_) | NodeKind::AgentTurn => {
                serde_json::from_value((*recorded).clone()).ok().map(|call| Call::Model(Arc::new(call)))
            }
            NodeKind::Tool(tool) => {
                let secrets = secret::references(tool.config.source());
                let config = (*recorded).clone();
                Some(Call::Tool(Arc::new(ToolCall { tool: tool.tool.clone(), config, secrets, inputs })))
            }
            NodeKind::AgentCall => self.recall_agent_call(ix, &inputs, (*recorded).clone()),
            NodeKind::Set(_) => serde_json::from_value((*recorded).clone()).ok().map(|call| Call::Session(Arc::new(call))),
            _ => None,
        })
    }

    fn recall_agent_call(&self, ix: StepIx, inputs: &Value, config: Value) -> Option<Call> {
        let wanted: flowtrace_core::call::ToolUse = serde_json::from_value(inputs["call"].clone()).ok()?;
        let agent = self.agent_around(ix)?;
        // Whoever spoke then offered the tool under this name; who speaks does not change while calls are in flight.
        let offered = agent.personas.iter().flat_map(|persona| &persona.tools).find(|tool| tool.name == wanted.name)?;
        let inputs = Value::Object(flowtrace_core::node::agent::arguments(&wanted).ok()?);
        let secrets = secret::references(offered.config.source());
        Some(Call::Tool(Arc::new(ToolCall { tool: offered.tool.clone(), config, secrets, inputs })))
    }

    fn agent_around(&self, ix: StepIx) -> Option<&'a Agent> {
        let (owner, _) = self.state.enclosing(self.plan, ix, |kind| matches!(kind, NodeKind::Agent(_)))?;
        match &self.node(owner).kind {
            NodeKind::Agent(agent) => Some(agent),
            _ => None,
        }
    }

    /// Whether a call that may have been carried out can be made again without asking.
    pub(super) async fn may_repeat(&mut self, ix: StepIx) -> Result<bool, TurnError> {
        if self.state.step(ix).is_undo {
            return Ok(true);
        }
        let told = match &self.node(ix).kind {
            NodeKind::Tool(tool) => tool.idempotent,
            NodeKind::AgentCall => None,
            _ => return Ok(true),
        };
        if let Some(told) = told {
            return Ok(told);
        }
        let Some(Call::Tool(call)) = self.recall(ix).await? else { return Ok(true) };
        // A tool that is gone fails with its own sentence when it is called.
        Ok(self.env.tools.get(&call.tool).map_or(true, |tool| tool.effect(&call.config).is_repeatable()))
    }

    pub(super) async fn take_answer(
        &mut self,
        ix: StepIx,
        request: u32,
        attempt: u32,
        answer: ModelAnswer,
    ) -> Result<Option<CachedAnswer>, TurnError> {
        let Some(Call::Model(call)) = self.memory.calls.get(&ix).cloned() else {
            self.fail(ix, internal("an answer came for a step that asked no model")).await?;
            return Ok(None);
        };
        let target = &call.target;
        let price = self.env.settings.prices.price_of_answer(&target.provider, &target.model, &answer.model);
        let cost = answer.usage.as_ref().zip(price).map(|(usage, price)| cost(usage, price));
        let text = Arc::new(Value::String(answer.text.clone()));
        let output = self.payload(text);
        let response = LlmResponse {
            request,
            attempt,
            target: call.target.clone(),
            answered_by: answer.model.clone(),
            output,
            tool_calls: answer.tool_calls.clone(),
            finish_reason: answer.finish_reason.clone(),
            usage: answer.usage,
            raw_usage: answer.raw_usage.clone(),
            cost: cost.clone(),
            first_token_ms: answer.first_token_ms,
            upstream_request_id: answer.upstream_request_id.clone(),
            simulated: answer.simulated,
        };
        self.push(Some(ix), Body::LlmResponse(Arc::new(response)))?;
        let value = match self.output_of(ix, &answer.text, &answer.tool_calls).await? {
            Ok(value) => value,
            Err(failure) => {
                self.mend(ix, request, &call, &answer.text, failure).await?;
                return Ok(None);
            }
        };
        let cut = matches!(answer.finish_reason.as_deref(), Some("length" | "max_tokens"));
        let cacheable = !(cut && self.memory.capped.contains(&ix));
        let cached = CachedAnswer {
            cost_nanousd: cost.map(|cost| cost.nanousd),
            origin_run: self.run.to_string(),
            origin_step: self.state.path(self.plan, ix).to_string(),
            answer,
        };
        if let Some(policy) = self.cache_policy(ix).filter(|policy| policy.enabled && cacheable) {
            self.cache.push(CacheRow {
                key: cache_key(&call, cached.answer.simulated),
                answer: cached.clone(),
                created_at: self.now,
                expires_at: policy.ttl_seconds.map(|seconds| self.now.plus_millis(seconds.saturating_mul(1000))),
            });
        }
        self.succeed(ix, Arc::new(value), None).await?;
        Ok(cacheable.then_some(cached))
    }

    pub(super) async fn take_cached(&mut self, ix: StepIx, request: u32, cached: CachedAnswer) -> Result<(), TurnError> {
        let (Some(target), Some(Call::Model(call))) = (self.state.step(ix).target.clone(), self.memory.calls.get(&ix).cloned())
        else {
            return self.fail(ix, internal("a cached answer came for a step that asked no model")).await;
        };
        let output = self.payload(Arc::new(Value::String(cached.answer.text.clone())));
        let hit = CacheHit {
            request,
            target,
            answered_by: cached.answer.model.clone(),
            output,
            tool_calls: cached.answer.tool_calls.clone(),
            saved_tokens: cached.answer.usage.map(|usage| usage.total()),
            saved_nanousd: cached.cost_nanousd,
            origin_run: cached.origin_run,
            origin_step: cached.origin_step,
            simulated: cached.answer.simulated,
        };
        self.push(Some(ix), Body::CacheHit(Arc::new(hit)))?;
        match self.output_of(ix, &cached.answer.text, &cached.answer.tool_calls).await? {
            Ok(value) => self.succeed(ix, Arc::new(value), None).await,
            Err(failure) => self.mend(ix, request, &call, &cached.answer.text, failure).await,
        }
    }

    /// The step's output for an answer; the inner failure says what the answer misses.
    pub(super) async fn output_of(
        &mut self,
        ix: StepIx,
        text: &str,
        tool_calls: &[ToolUse],
    ) -> Result<Result<Value, Failure>, TurnError> {
        let Some(llm) = self.llm(ix) else {
            return Ok(match self.agent_around(ix) {
                Some(agent) => agent.turn_output(text, tool_calls),
                None => Err(internal("an answer came for a step that asks no model")),
            });
        };
        let value = match llm.output(text) {
            Ok(value) => value,
            Err(failure) => return Ok(Err(failure)),
        };
        let Some(check) = &llm.check else { return Ok(Ok(value)) };
        let own = NodeValue { output: Arc::new(value), branch: None, error: None };
        let scope = self.sight_after(ix, own.clone()).await?;
        Ok(match check.test(&scope) {
            Ok(true) => Ok((*own.output).clone()),
            Ok(false) => {
                let message = format!("the model's answer misses the node's `check`: `{}` is not true of it", check.source());
                Err(Failure::new(FailureCode::Malformed, message))
            }
            Err(failure) => Err(failure),
        })
    }

    /// Asks the model to mend what it answered to a request, as often as the author allows; then another one, if there is one.
    pub(super) async fn mend(
        &mut self,
        ix: StepIx,
        request: u32,
        call: &ModelCall,
        answer: &str,
        failure: Failure,
    ) -> Result<(), TurnError> {
        let step = self.state.step(ix);
        let repairs = step.repairs;
        match self.llm(ix) {
            // It is recorded that the model is asked, and only that.
            Some(llm) if step.request > request => {
                let next = llm.repair(call, answer, &failure.message);
                self.request(ix, Call::Model(Arc::new(next)), Some(&Map::new())).await
            }
            Some(llm) if repairs < llm.repairs && failure.code == FailureCode::Malformed => {
                let next = llm.repair(call, answer, &failure.message);
                self.push(Some(ix), Body::LlmRepair { request: request + 1, error: failure })?;
                self.request(ix, Call::Model(Arc::new(next)), Some(&Map::new())).await
            }
            _ => self.fail_attempt(ix, failure).await,
        }
    }

    pub(super) async fn take_session(&mut self, ix: StepIx, change: SessionChange) -> Result<(), TurnError> {
        let Some(Call::Session(call)) = self.memory.calls.get(&ix).cloned() else {
            return self.fail(ix, internal("a session was changed for a step that asked for no change")).await;
        };
        let key = idempotency_key(self.run, &self.state.path(self.plan, ix), self.state.step(ix).request);
        let (session_id, version, changes) = (call.session_id.clone(), change.version, change.changes);
        self.push(Some(ix), Body::SessionChanged { session_id, version, changes, key })?;
        self.succeed_session(ix, &call).await
    }

    pub(super) async fn succeed_session(&mut self, ix: StepIx, call: &SessionCall) -> Result<(), TurnError> {
        let output: Map<String, Value> = call.changes.iter().map(|(name, _, value)| (name.clone(), value.clone())).collect();
        self.succeed(ix, Arc::new(Value::Object(output)), None).await
    }

    pub(super) async fn fail_attempt(&mut self, ix: StepIx, failure: Failure) -> Result<(), TurnError> {
        let step = self.state.step(ix);
        let (request, attempt, is_undo, repairs) = (step.request, step.attempt, step.is_undo, step.repairs);
        let fallback = self.next_target(ix);
        let path = self.state.path(self.plan, ix);
        let jitter = SpanId::derive(self.run, &path, request, attempt).0 as f64 / u64::MAX as f64;
        let mut policy = self.node(ix).retry;
        if is_undo {
            policy = RetryPolicy { max_attempts: policy.max_attempts.max(UNDO_RETRY.max_attempts), ..UNDO_RETRY };
        }
        // Who could not mend the answer will not give a better one to the same words. And a call that must not be made twice is not
        // made twice where nobody knows whether it was carried out.
        let unsure = matches!(
            failure.code,
            FailureCode::Timeout | FailureCode::StreamCut | FailureCode::Malformed | FailureCode::ServerError
        );
        if (repairs > 0 && failure.code == FailureCode::Malformed) || (unsure && !self.may_repeat(ix).await?) {
            policy.max_attempts = 1;
        }
        match (after_failure(&policy, attempt, &failure, fallback.is_some(), jitter), fallback) {
            (Verdict::RetryAfter { millis }, _) => {
                let due = self.now.plus_millis(millis);
                self.push(Some(ix), Body::Retry { request, attempt: attempt + 1, after_ms: millis, due, error: failure })
            }
            (Verdict::FallBack, Some((from, to))) => {
                self.push(Some(ix), Body::Fallback { request: request + 1, from, to, error: failure })
            }
            _ => self.fail(ix, failure).await,
        }
    }

    /// The current target of a step that asks a model, and the one that comes after it.
    fn next_target(&self, ix: StepIx) -> Option<(Target, Target)> {
        let step = self.state.step(ix);
        let current = step.target.clone()?;
        let Some(Call::Model(call)) = self.memory.calls.get(&ix) else { return None };
        let next = match self.llm(ix).and_then(|llm| llm.fallbacks.as_ref()) {
            Some(listed) => listed.get(step.fallbacks as usize).cloned(),
            // The counterpart stands in once; its own counterpart is the one that has just failed.
            None if step.fallbacks == 0 => self.env.settings.equivalence.counterpart(&call.target),
            None => None,
        }?;
        (self.env.is_configured(&next.provider) && self.unpriced(&next).is_none()).then_some((current, next))
    }

    /// Under a cost cap a call whose price nobody knows is refused, unless the author allows it.
    fn unpriced(&self, target: &Target) -> Option<Failure> {
        let limits = self.state.limits();
        let known = self.env.settings.prices.price(&target.provider, &target.model).is_some();
        if known || limits.allow_unpriced || limits.max_cost_nanousd.is_none() {
            return None;
        }
        let message = format!(
            "The run has a cost limit, and the price of model `{}` of provider `{}` is not known. Add its price to the \
             configuration, or set `limits.allowUnpriced` to true.",
            target.model, target.provider
        );
        Some(Failure::new(FailureCode::BudgetExceeded, message))
    }

    /// The most tokens that an answer may have under the budgets of the run and of the steps around this one; `None` where no budget
    /// is tighter than what the call asks for.
    fn output_left(&self, ix: StepIx, call: &ModelCall) -> Option<u64> {
        let limits = self.state.limits();
        let (spent_tokens, spent_cost) = (self.state.totals.tokens, self.state.totals.cost_nanousd);
        let mut tokens = limits.max_tokens.map(|most| most.saturating_sub(spent_tokens));
        let mut cost = limits.max_cost_nanousd.map(|most| most.saturating_sub(spent_cost));
        let tighter = |budget: &mut Option<u64>, left: Option<u64>| *budget = [*budget, left].into_iter().flatten().min();
        for owner in self.state.around(ix).filter_map(|scope| scope.owner) {
            let (Some(caps), Some(control)) =
                (self.plan.caps(self.state.step(owner).node), self.state.step(owner).control.as_ref())
            else {
                continue;
            };
            tighter(&mut tokens, caps.max_tokens.map(|most| most.saturating_sub(control.spent.tokens)));
            tighter(&mut cost, caps.max_cost_nanousd.map(|most| most.saturating_sub(control.spent.cost_nanousd)));
        }
        let price = self.env.settings.prices.price(&call.target.provider, &call.target.model);
        let affordable = cost.zip(price).and_then(|(left, price)| left.saturating_mul(1000).checked_div(price.output));
        tighter(&mut tokens, affordable);
        let tokens = tokens.map(|tokens| tokens.max(1)).filter(|tokens| *tokens < CAPPED_BELOW);
        tokens.filter(|tokens| call.parameters.max_tokens.is_none_or(|own| *tokens < own))
    }

    fn cache_policy(&self, ix: StepIx) -> Option<CachePolicy> {
        match self.llm(ix) {
            Some(llm) => Some(llm.cache),
            None => self.agent_around(ix).map(|agent| agent.cache),
        }
    }

    fn llm(&self, ix: StepIx) -> Option<&'a Llm> {
        match &self.node(ix).kind {
            NodeKind::Llm(llm) => Some(llm),
            _ => None,
        }
    }
}

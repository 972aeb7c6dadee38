//! One turn of a run: what happened outside goes in, what follows from it comes out, and all of it is one append.
//!
//! The core decides and this module evaluates: it renders templates, asks rules, prices answers, and records each result as
//! an event. Nothing here waits for the outside; the only waiting is for blobs that templates read.

use super::Env;
use super::perform::{Effect, Finished};
use super::rows::{run_row, step_row};
use crate::flight::Flight;
use crate::port::provider::CallContext;
use crate::port::store::{Append, CacheRow, StoreError};
use flowtrace_core::call::{CachedAnswer, Call, ModelAnswer, ModelCall, Outcome, Target, ToolCall};
use flowtrace_core::decide::{Command, decide};
use flowtrace_core::event::{Body, CacheHit, Event, LlmResponse, Timer};
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_core::id::{RunId, SpanId, StepPath, Timestamp, idempotency_key};
use flowtrace_core::node::NodeKind;
use flowtrace_core::node::llm::Llm;
use flowtrace_core::payload::{Blob, Payload};
use flowtrace_core::plan::{NodeIx, Plan};
use flowtrace_core::policy::{Verdict, after_failure};
use flowtrace_core::price::cost;
use flowtrace_core::scope::{NodeValue, Scope};
use flowtrace_core::secret;
use flowtrace_core::state::{Corrupt, RunState, StepStatus};
use flowtrace_core::value::{MAX_DEPTH, deeper_than};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Arc;

/// Events after which a turn is committed even if more could be decided, so that one append stays small.
const ENOUGH_EVENTS: usize = 4096;

/// What a run keeps in memory between turns, besides its state. All of it can be found again in the journal.
#[derive(Default)]
pub(crate) struct Memory {
    /// The calls of steps in flight, so that a retry needs no reading.
    calls: HashMap<NodeIx, Call>,
}

pub(crate) struct Turn<'a> {
    env: &'a Env,
    run: RunId,
    plan: &'a Plan,
    state: &'a mut RunState,
    memory: &'a mut Memory,
    now: Timestamp,
    before: u64,
    events: Vec<Event>,
    blobs: Vec<Blob>,
    ended: Vec<NodeIx>,
    cache: Vec<CacheRow>,
    /// Attempts to make once the events are committed.
    pub effects: Vec<Effect>,
    /// Answers that others wait for, to be handed out once they are committed.
    pub landings: Vec<(Flight, Option<CachedAnswer>)>,
    /// Attempts that ended: their live text is of no more use.
    pub over: Vec<(StepPath, u32, u32)>,
    /// Whether the turn stopped because it was large enough.
    pub more: bool,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum TurnError {
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<'a> Turn<'a> {
    pub fn new(env: &'a Env, run: RunId, plan: &'a Plan, state: &'a mut RunState, memory: &'a mut Memory) -> Self {
        let now = env.clock.now().max(state.last_ts);
        let before = state.seq;
        Turn {
            env,
            run,
            plan,
            state,
            memory,
            now,
            before,
            events: Vec::new(),
            blobs: Vec::new(),
            ended: Vec::new(),
            cache: Vec::new(),
            effects: Vec::new(),
            landings: Vec::new(),
            over: Vec::new(),
            more: false,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Records something about the run itself.
    pub fn record(&mut self, body: Body) -> Result<(), TurnError> {
        self.push(None, body)
    }

    /// A second request changes nothing: the first one is being carried out.
    pub fn request_cancel(&mut self, by: &str) -> Result<(), TurnError> {
        match self.state.status.is_final() || self.state.cancel_requested {
            true => Ok(()),
            false => self.push(None, Body::CancelRequested { by: by.to_owned() }),
        }
    }

    /// What a process does first with a run: the clock of its deadline starts again, and what was in flight is lost.
    pub async fn open(&mut self) -> Result<(), TurnError> {
        if self.state.status.is_final() {
            return Ok(());
        }
        let running: Vec<NodeIx> =
            self.state.in_flight().filter(|ix| self.state.step(*ix).status == StepStatus::Running).collect();
        for ix in &running {
            let (request, attempt) = (self.state.step(*ix).request, self.state.step(*ix).attempt);
            self.push(Some(*ix), Body::StepLost { request, attempt })?;
        }
        if let Some(timeout_ms) = self.state.limits().timeout_ms {
            let left = timeout_ms.saturating_sub(self.state.active_micros / 1000);
            self.push(None, Body::TimerSet { timer: Timer::Deadline, due: self.now.plus_millis(left) })?;
        }
        if !self.state.cancel_requested {
            for ix in running {
                self.attempt(ix).await?;
            }
        }
        Ok(())
    }

    /// Decides and evaluates until nothing is left to do without the outside.
    pub async fn settle(&mut self) -> Result<(), TurnError> {
        while !self.env.is_draining() {
            let commands = decide(self.plan, self.state, self.now);
            if commands.is_empty() {
                return Ok(());
            }
            for command in commands {
                match command {
                    Command::Skip(ix) => {
                        self.push(Some(ix), Body::StepSkipped)?;
                        self.ended.push(ix);
                    }
                    Command::Begin(ix) => self.begin(ix).await?,
                    Command::Resume(ix) => self.attempt(ix).await?,
                    Command::Succeed { leaves } => {
                        let output = self.compose_output(&leaves).await?;
                        self.push(None, Body::RunSucceeded { output: output.unwrap_or_else(Payload::null) })?;
                    }
                    Command::Fail { failure, exceeded, leaves } => {
                        if let Some(exceeded) = exceeded {
                            if exceeded.limit == "timeoutSeconds" {
                                self.push(None, Body::TimerFired { timer: Timer::Deadline })?;
                            }
                            let limit = exceeded.limit.to_owned();
                            self.push(None, Body::BudgetExceeded { limit, allowed: exceeded.allowed, used: exceeded.used })?;
                        }
                        let partial = self.compose_output(&leaves).await?;
                        let failed_step = self.state.failed_step.clone();
                        self.end(Body::RunFailed { error: failure, failed_step, partial })?;
                    }
                    Command::Cancel => self.end(Body::RunCanceled)?,
                }
                if self.state.status.is_final() {
                    return Ok(());
                }
            }
            if self.events.len() >= ENOUGH_EVENTS {
                self.more = true;
                break;
            }
        }
        Ok(())
    }

    /// Takes in what an attempt came to. One that the run no longer waits for is dropped.
    pub async fn complete(&mut self, finished: Finished) -> Result<(), TurnError> {
        let Finished { ix, request, attempt, outcome, flight } = finished;
        let step = self.state.step(ix);
        if self.state.status.is_final()
            || step.status != StepStatus::Running
            || (step.request, step.attempt) != (request, attempt)
        {
            return Ok(());
        }
        self.over.push((self.plan.node(ix).id.clone(), request, attempt));
        let mut answer_for_others = None;
        match outcome {
            Outcome::Tool(Ok(output)) if deeper_than(&output, MAX_DEPTH) => self.fail_attempt(ix, too_deep())?,
            Outcome::Tool(Ok(output)) => {
                let output = Arc::new(output);
                let payload = self.payload(output.clone());
                self.push(Some(ix), Body::ToolResponse { request, attempt, output: payload.clone() })?;
                self.succeed(ix, output, Some(payload)).await?;
            }
            Outcome::Model(Ok(answer)) => answer_for_others = self.take_answer(ix, request, attempt, answer).await?,
            Outcome::Cached(cached) => self.take_cached(ix, request, cached).await?,
            Outcome::Tool(Err(failure)) | Outcome::Model(Err(failure)) => self.fail_attempt(ix, failure)?,
        }
        if let Some(flight) = flight {
            self.landings.push((flight, answer_for_others));
        }
        Ok(())
    }

    /// The append that makes this turn durable.
    pub fn append(&mut self) -> Append {
        Append {
            stream: self.run,
            expected: self.before,
            events: std::mem::take(&mut self.events),
            blobs: std::mem::take(&mut self.blobs),
            run: run_row(self.run, self.state),
            steps: std::mem::take(&mut self.ended).into_iter().map(|ix| step_row(self.plan, self.state, ix)).collect(),
            cache: std::mem::take(&mut self.cache),
            ..Append::default()
        }
    }

    fn push(&mut self, ix: Option<NodeIx>, body: Body) -> Result<(), TurnError> {
        let step = ix.map(|ix| self.plan.node(ix).id.clone());
        let event = Event { seq: self.state.seq + 1, ts: self.now, step, body };
        self.state.apply(self.plan, &event)?;
        self.events.push(event);
        Ok(())
    }

    /// Ends the run while steps may be in flight; those are cancelled with it.
    fn end(&mut self, body: Body) -> Result<(), TurnError> {
        let in_flight: Vec<NodeIx> = self.state.in_flight().collect();
        self.push(None, body)?;
        self.ended.extend(in_flight);
        Ok(())
    }

    pub fn payload(&mut self, value: Arc<Value>) -> Payload {
        let (payload, blob) = Payload::new(value.clone());
        if let Some(blob) = blob {
            self.env.values.remember(&blob, &value);
            self.blobs.push(blob);
        }
        payload
    }

    async fn load(&self, payload: &Payload) -> Result<Arc<Value>, StoreError> {
        self.env.values.load(&*self.env.store, payload).await
    }

    /// What the templates and rules of a node can see: exactly the nodes that they name.
    async fn scope(&self, ix: NodeIx) -> Result<Scope, StoreError> {
        let mut scope = Scope::default();
        if let Some(started) = &self.state.started {
            scope.input = self.load(&started.input).await?;
        }
        for other in &self.plan.node(ix).reads {
            let step = self.state.step(*other);
            let output = match &step.output {
                Some(payload) => self.load(payload).await?,
                None => Arc::new(Value::Null),
            };
            scope.nodes.insert(self.plan.node(*other).id.clone(), NodeValue { output, branch: step.branch.clone() });
        }
        Ok(scope)
    }

    async fn begin(&mut self, ix: NodeIx) -> Result<(), TurnError> {
        let plan = self.plan;
        let node = plan.node(ix);
        let mut scope = self.scope(ix).await?;
        let inputs = match node.inputs.render(&scope) {
            Ok(inputs) => Arc::new(inputs),
            Err(failure) => {
                self.push(Some(ix), Body::StepScheduled { input: Payload::null() })?;
                return self.fail(ix, failure);
            }
        };
        let input = self.payload(inputs.clone());
        self.push(Some(ix), Body::StepScheduled { input })?;
        scope.inputs = inputs.as_object().cloned().unwrap_or_default();
        let call = match &node.kind {
            NodeKind::Router(router) => match router.decide(&scope) {
                Ok(branch) => {
                    self.push(Some(ix), Body::RouterBranch { branch, rule: router.rule.source().to_owned() })?;
                    return self.succeed(ix, inputs, None).await;
                }
                Err(failure) => return self.fail(ix, failure),
            },
            NodeKind::Tool(tool) => tool.call(&scope).map(|call| Call::Tool(Arc::new(call))),
            NodeKind::Llm(llm) => {
                let defaults = self.state.started.as_ref().map(|started| started.defaults.clone()).unwrap_or_default();
                llm.call(&scope, &defaults).map(|call| Call::Model(Arc::new(call)))
            }
        };
        match call {
            Ok(call) => self.request(ix, call, Some(&scope.inputs)),
            Err(failure) => self.fail(ix, failure),
        }
    }

    /// Records that an attempt starts, and plans it. With `variables` it is the step's first one.
    fn request(&mut self, ix: NodeIx, call: Call, variables: Option<&Map<String, Value>>) -> Result<(), TurnError> {
        let plan = self.plan;
        let node = plan.node(ix);
        let (request, attempt) = (self.state.step(ix).request, self.state.step(ix).attempt);
        let mut cache = false;
        let body = match (&call, &node.kind) {
            (Call::Model(call), NodeKind::Llm(llm)) => {
                if let Some(failure) = self.unpriced(&call.target) {
                    return self.fail(ix, failure);
                }
                cache = llm.cache.enabled;
                let prompt = variables.map(|variables| {
                    let mut prompt = json!({ "template": llm.template_source(), "variables": variables });
                    if let (Some(prompt), Ok(Value::Object(call))) = (prompt.as_object_mut(), serde_json::to_value(&**call)) {
                        prompt.extend(call);
                    }
                    self.payload(Arc::new(prompt))
                });
                let simulated = self.env.is_simulated(&call.target.provider);
                Body::LlmRequest { request, attempt, target: call.target.clone(), simulated, prompt }
            }
            (Call::Tool(call), _) => {
                let config = variables.map(|_| self.payload(Arc::new(call.config.clone())));
                Body::ToolRequest { request, attempt, tool: call.tool.clone(), config }
            }
            (Call::Model(_), _) => return self.fail(ix, internal("a step that is no llm step has a model call")),
        };
        self.push(Some(ix), body)?;
        let effect = Effect {
            ix,
            path: node.id.clone(),
            request,
            attempt,
            call: call.clone(),
            context: self.context(ix, request, attempt),
            cache,
        };
        self.memory.calls.insert(ix, call);
        self.effects.push(effect);
        Ok(())
    }

    fn context(&self, ix: NodeIx, request: u32, attempt: u32) -> CallContext {
        let node = self.plan.node(ix);
        let trace = self.state.started.as_ref().map_or(self.run.0, |started| started.trace_id.0);
        let span = SpanId::derive(self.run, &node.id, request, attempt);
        let left = self.state.deadline.map_or(u64::MAX, |deadline| deadline.0.saturating_sub(self.now.0) / 1000);
        CallContext {
            idempotency_key: idempotency_key(self.run, &node.id, request),
            traceparent: format!("00-{trace:032x}-{span}-01"),
            attempt,
            timeout_ms: node.timeout_ms.min(left).max(1),
            max_output_tokens: None,
        }
    }

    /// The attempt that the state asks for: a retry, a fallback, or one that was lost.
    async fn attempt(&mut self, ix: NodeIx) -> Result<(), TurnError> {
        let call = match self.memory.calls.get(&ix) {
            Some(call) => call.clone(),
            None => match self.recall(ix).await? {
                Some(call) => call,
                None => return self.fail(ix, internal("what the step was about to call is not in the journal")),
            },
        };
        let call = match (call, &self.state.step(ix).target) {
            (Call::Model(model), Some(target)) if model.target != *target => {
                Call::Model(Arc::new(ModelCall { target: target.clone(), ..(*model).clone() }))
            }
            (call, _) => call,
        };
        self.request(ix, call, None)
    }

    /// Finds the call of a step again in the journal; nothing is rendered a second time.
    async fn recall(&self, ix: NodeIx) -> Result<Option<Call>, StoreError> {
        let step = self.state.step(ix);
        let Some(payload) = &step.call else { return Ok(None) };
        let recorded = self.load(payload).await?;
        Ok(match &self.plan.node(ix).kind {
            NodeKind::Llm(_) => serde_json::from_value((*recorded).clone()).ok().map(|call| Call::Model(Arc::new(call))),
            NodeKind::Tool(tool) => {
                let inputs = match &step.input {
                    Some(input) => (*self.load(input).await?).clone(),
                    None => Value::Null,
                };
                let secrets = secret::references(tool.config.source());
                let config = (*recorded).clone();
                Some(Call::Tool(Arc::new(ToolCall { tool: tool.tool.clone(), config, secrets, inputs })))
            }
            NodeKind::Router(_) => None,
        })
    }

    async fn take_answer(
        &mut self,
        ix: NodeIx,
        request: u32,
        attempt: u32,
        answer: ModelAnswer,
    ) -> Result<Option<CachedAnswer>, TurnError> {
        let Some(Call::Model(call)) = self.memory.calls.get(&ix).cloned() else {
            self.fail(ix, internal("an answer came for a step that asked no model"))?;
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
            finish_reason: answer.finish_reason.clone(),
            usage: answer.usage,
            raw_usage: answer.raw_usage.clone(),
            cost: cost.clone(),
            first_token_ms: answer.first_token_ms,
            upstream_request_id: answer.upstream_request_id.clone(),
            simulated: answer.simulated,
        };
        self.push(Some(ix), Body::LlmResponse(Arc::new(response)))?;
        let Some(llm) = self.llm(ix) else { return Ok(None) };
        match llm.output(&answer.text) {
            Ok(value) => {
                let cached = CachedAnswer {
                    cost_nanousd: cost.map(|cost| cost.nanousd),
                    origin_run: self.run.to_string(),
                    origin_step: self.plan.node(ix).id.to_string(),
                    answer,
                };
                if llm.cache.enabled {
                    self.cache.push(CacheRow {
                        key: super::perform::cache_key(&call, cached.answer.simulated),
                        answer: cached.clone(),
                        created_at: self.now,
                        expires_at: llm.cache.ttl_seconds.map(|seconds| self.now.plus_millis(seconds.saturating_mul(1000))),
                    });
                }
                self.succeed(ix, Arc::new(value), None).await?;
                Ok(Some(cached))
            }
            Err(failure) => {
                self.fail_attempt(ix, failure)?;
                Ok(None)
            }
        }
    }

    async fn take_cached(&mut self, ix: NodeIx, request: u32, cached: CachedAnswer) -> Result<(), TurnError> {
        let Some(llm) = self.llm(ix) else { return Ok(()) };
        let Some(target) = self.state.step(ix).target.clone() else {
            return self.fail(ix, internal("a cached answer came for a step that asked no model"));
        };
        let output = self.payload(Arc::new(Value::String(cached.answer.text.clone())));
        let hit = CacheHit {
            request,
            target,
            answered_by: cached.answer.model.clone(),
            output,
            saved_tokens: cached.answer.usage.map(|usage| usage.total()),
            saved_nanousd: cached.cost_nanousd,
            origin_run: cached.origin_run,
            origin_step: cached.origin_step,
            simulated: cached.answer.simulated,
        };
        self.push(Some(ix), Body::CacheHit(Arc::new(hit)))?;
        match llm.output(&cached.answer.text) {
            Ok(value) => self.succeed(ix, Arc::new(value), None).await,
            Err(failure) => self.fail_attempt(ix, failure),
        }
    }

    /// Asks the conditions of the outgoing edges and ends the step. `payload` is the output where it is already one.
    async fn succeed(&mut self, ix: NodeIx, output: Arc<Value>, payload: Option<Payload>) -> Result<(), TurnError> {
        let plan = self.plan;
        let conditional = plan.node(ix).outgoing.iter().filter(|edge| plan.edge(**edge).when.is_some());
        let mut taken = Vec::new();
        let mut scope = None;
        for edge in conditional {
            let Some(when) = &plan.edge(*edge).when else { continue };
            if scope.is_none() {
                scope = Some(self.edge_scope(ix, &output).await?);
            }
            let Some(scope) = &scope else { continue };
            match when.evaluate(scope) {
                Ok(Value::Bool(true)) => taken.push(*edge),
                Ok(Value::Bool(false)) => {}
                Ok(other) => {
                    let message = format!(
                        "The condition `{}` on the edge from `{}` to `{}` gave {other}; it must give true or false.",
                        when.source(),
                        plan.node(ix).id,
                        plan.node(plan.edge(*edge).to).id,
                    );
                    return self.fail(ix, Failure::new(FailureCode::Expression, message));
                }
                Err(failure) => return self.fail(ix, failure),
            }
        }
        let output = match payload {
            Some(payload) => payload,
            None => self.payload(output),
        };
        self.push(Some(ix), Body::StepSucceeded { output, taken })?;
        self.forget(ix);
        Ok(())
    }

    /// What the conditions of a node's outgoing edges see: its inputs by name, its own result, and its branch.
    async fn edge_scope(&self, ix: NodeIx, output: &Arc<Value>) -> Result<Scope, StoreError> {
        let mut scope = self.scope(ix).await?;
        let step = self.state.step(ix);
        if let Some(input) = &step.input
            && let Value::Object(inputs) = &*self.load(input).await?
        {
            scope.inputs = inputs.clone();
        }
        scope.branch = step.branch.clone();
        let own = NodeValue { output: output.clone(), branch: step.branch.clone() };
        scope.nodes.insert(self.plan.node(ix).id.clone(), own);
        Ok(scope)
    }

    fn fail_attempt(&mut self, ix: NodeIx, failure: Failure) -> Result<(), TurnError> {
        let node = self.plan.node(ix);
        let step = self.state.step(ix);
        let (request, attempt) = (step.request, step.attempt);
        let fallback = self.next_target(ix);
        let jitter = SpanId::derive(self.run, &node.id, request, attempt).0 as f64 / u64::MAX as f64;
        match (after_failure(&node.retry, attempt, &failure, fallback.is_some(), jitter), fallback) {
            (Verdict::RetryAfter { millis }, _) => {
                let due = self.now.plus_millis(millis);
                self.push(Some(ix), Body::Retry { request, attempt: attempt + 1, after_ms: millis, due, error: failure })
            }
            (Verdict::FallBack, Some((from, to))) => {
                self.push(Some(ix), Body::Fallback { request: request + 1, from, to, error: failure })
            }
            _ => self.fail(ix, failure),
        }
    }

    /// The current target of an llm step, and the one that comes after it.
    fn next_target(&self, ix: NodeIx) -> Option<(Target, Target)> {
        let llm = self.llm(ix)?;
        let step = self.state.step(ix);
        let current = step.target.clone()?;
        let Some(Call::Model(call)) = self.memory.calls.get(&ix) else { return None };
        let next = match &llm.fallbacks {
            Some(listed) => listed.get(step.request as usize - 1).cloned(),
            // The counterpart stands in once; its own counterpart is the one that has just failed.
            None if step.request == 1 => self.env.settings.equivalence.counterpart(&call.target),
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

    fn fail(&mut self, ix: NodeIx, failure: Failure) -> Result<(), TurnError> {
        self.push(Some(ix), Body::StepFailed { error: failure })?;
        self.forget(ix);
        Ok(())
    }

    fn forget(&mut self, ix: NodeIx) {
        self.memory.calls.remove(&ix);
        self.ended.push(ix);
    }

    fn llm(&self, ix: NodeIx) -> Option<&'a Llm> {
        match &self.plan.node(ix).kind {
            NodeKind::Llm(llm) => Some(llm),
            _ => None,
        }
    }

    /// One leaf: its output, by reference. Several: an object by node id. None: nothing.
    async fn compose_output(&mut self, leaves: &[NodeIx]) -> Result<Option<Payload>, StoreError> {
        if let [only] = leaves {
            return Ok(self.state.step(*only).output.clone());
        }
        let mut outputs = Map::new();
        for ix in leaves {
            if let Some(output) = &self.state.step(*ix).output {
                outputs.insert(self.plan.node(*ix).id.to_string(), (*self.load(output).await?).clone());
            }
        }
        Ok((!leaves.is_empty()).then(|| self.payload(Arc::new(Value::Object(outputs)))))
    }
}

fn too_deep() -> Failure {
    let message = format!("The tool's output is nested more than {MAX_DEPTH} levels deep, which is more than a value may be.");
    Failure::new(FailureCode::Tool, message)
}

fn internal(what: &str) -> Failure {
    Failure::new(FailureCode::Internal, format!("FlowTrace lost track of a step: {what}. Please report it."))
}

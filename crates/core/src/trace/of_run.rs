//! A run of the engine as a trace. The mapping reads events alone, so it gives the same spans, with the same ids, each time.
//!
//! The run is the root, of kind `workflow`, below the caller's span; a step is a `task`, a model attempt an `llm` span and a tool
//! attempt a `tool` span below it. A step inside a loop or a map is below the step of that loop or map.

use super::facts::{OPEN, RUN, STEP};
use super::handoff::HANDOFFS;
use super::merge::empty;
use crate::event::{Body, Event, LlmResponse, LogLevel, RunStarted};
use crate::failure::Failure;
use crate::id::{RunId, SpanId, StepPath, Timestamp, TraceId};
use crate::node::agent;
use crate::payload::Payload;
use crate::span::{Span, SpanEvent, SpanKind, SpanLink, SpanStatus, Tokens};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Finds the value of a payload; what it cannot find is shown by its beginning.
pub type Resolve<'a> = &'a dyn Fn(&Payload) -> Option<Arc<Value>>;

/// The payloads that [`spans`] will ask for.
pub fn payloads(events: &[Event]) -> impl Iterator<Item = &Payload> {
    events.iter().flat_map(|event| match &event.body {
        Body::RunStarted(started) => vec![&started.input],
        Body::RunSucceeded { output } | Body::StepSucceeded { output, .. } | Body::ToolResponse { output, .. } => vec![output],
        Body::RunFailed { partial, .. } => partial.iter().collect(),
        Body::StepScheduled { input } => vec![input],
        Body::LlmRequest { prompt, .. } => prompt.iter().collect(),
        Body::LlmResponse(response) => vec![&response.output],
        Body::CacheHit(hit) => vec![&hit.output],
        Body::ToolRequest { config, .. } => config.iter().collect(),
        _ => Vec::new(),
    })
}

/// The spans of a run as far as `events` tell, the root first. Empty without `run.started`. `name` is that of the workflow.
pub fn spans(run: RunId, name: &str, events: &[Event], resolve: Resolve<'_>) -> Vec<Span> {
    let mut events = events.iter();
    let Some((first, Body::RunStarted(started))) = events.next().map(|event| (event, &event.body)) else { return Vec::new() };
    let mut fold = Fold::new(run, name, first.ts, started, resolve);
    for event in events {
        fold.apply(event);
    }
    fold.finish()
}

struct Fold<'a> {
    run: RunId,
    trace: TraceId,
    resolve: Resolve<'a>,
    started: &'a RunStarted,
    workflow: String,
    spans: Vec<Span>,
    index: HashMap<SpanId, usize>,
    /// Attempts that are under way, by step.
    under_way: BTreeMap<StepPath, SpanId>,
    /// The messages of each step's model calls and the inputs of its tool calls.
    inputs: HashMap<StepPath, Value>,
    prompts: HashMap<StepPath, Value>,
    /// The name and the version of the workflows that steps call.
    called: HashMap<StepPath, (String, Option<u32>)>,
    now: i64,
    over: bool,
}

fn nanos(ts: Timestamp) -> i64 {
    i64::try_from(ts.0).unwrap_or(i64::MAX).saturating_mul(1000)
}

/// The step that a step is inside of: of `each[17]/summarize` it is `each`.
fn outer(path: &str) -> Option<&str> {
    let (outer, _) = path.rsplit_once('/')?;
    Some(outer.strip_suffix(']').and_then(|outer| outer.rsplit_once('[')).map_or(outer, |(step, _)| step))
}

impl<'a> Fold<'a> {
    fn new(run: RunId, name: &str, ts: Timestamp, started: &'a RunStarted, resolve: Resolve<'a>) -> Fold<'a> {
        let mut fold = Fold {
            run,
            trace: started.trace_id,
            resolve,
            started,
            workflow: name.to_owned(),
            spans: Vec::new(),
            index: HashMap::new(),
            under_way: BTreeMap::new(),
            inputs: HashMap::new(),
            prompts: HashMap::new(),
            called: HashMap::new(),
            now: nanos(ts),
            over: false,
        };
        let root = fold.span(SpanId::derive(run, "", 0, 0), started.parent_span, name, SpanKind::Workflow);
        root.attributes.insert(RUN.to_owned(), json!(run.to_string()));
        root.attributes.insert("flowtrace.workflow.hash".to_owned(), json!(started.workflow.hash));
        root.attributes.insert("flowtrace.triggered_by".to_owned(), json!(started.triggered_by));
        if let Some(id) = &started.workflow.id {
            root.attributes.insert("flowtrace.workflow.id".to_owned(), json!(id));
        }
        if let Some(version) = started.workflow.version {
            root.attributes.insert("flowtrace.workflow.version".to_owned(), json!(version));
        }
        root.tags.clone_from(&started.labels.tags);
        root.metadata.clone_from(&started.labels.metadata);
        let links = started.replay_of.iter().cloned().collect();
        fold.root().links = links;
        let input = fold.value(&started.input);
        fold.root().input = Some(input);
        fold
    }

    fn root(&mut self) -> &mut Span {
        &mut self.spans[0]
    }

    /// The span with this id, begun now if it was not before.
    fn span(&mut self, id: SpanId, parent: Option<SpanId>, name: &str, kind: SpanKind) -> &mut Span {
        let at = *self.index.entry(id).or_insert_with(|| {
            self.spans.push(Span {
                parent_span_id: parent,
                name: name.to_owned(),
                kind,
                started_at: self.now,
                ended_at: self.now,
                service: Some("flowtrace".to_owned()),
                workflow: Some(self.workflow.clone()),
                session_id: self.started.session_id.clone(),
                user_id: self.started.labels.user_id.clone(),
                simulated: self.started.simulated,
                attributes: Map::from_iter([(OPEN.to_owned(), Value::Bool(true))]),
                ..empty(self.trace, id)
            });
            self.spans.len() - 1
        });
        &mut self.spans[at]
    }

    fn value(&self, payload: &Payload) -> Value {
        match ((self.resolve)(payload), payload) {
            (Some(value), _) => (*value).clone(),
            (None, Payload::Inline(value)) => (**value).clone(),
            (None, Payload::Blob(reference)) => Value::String(reference.preview.to_string()),
        }
    }

    fn step(&mut self, path: &StepPath) -> &mut Span {
        let parent = outer(path)
            .map(|outer| SpanId::derive(self.run, outer, 0, 0))
            .filter(|parent| self.index.contains_key(parent))
            .unwrap_or(SpanId::derive(self.run, "", 0, 0));
        let name = path.rsplit('/').next().unwrap_or(path).to_owned();
        let step = self.span(SpanId::derive(self.run, path, 0, 0), Some(parent), &name, SpanKind::Task);
        if !step.attributes.contains_key(STEP) {
            step.attributes.insert(STEP.to_owned(), json!(path));
        }
        step
    }

    /// The prompt of a step is a part of its workflow: it is named after workflow and node, and its version is the workflow's.
    fn prompt_of(&self, path: &StepPath) -> (String, Option<String>) {
        let (mut workflow, mut version) = (self.workflow.as_str(), self.started.workflow.version);
        let mut nodes = Vec::new();
        let mut above = Some(path as &str);
        while let Some(step) = above {
            if let Some((called, its)) = self.called.get(step) {
                (workflow, version) = (called, *its);
                break;
            }
            nodes.push(step.rsplit('/').next().unwrap_or(step));
            above = outer(step);
        }
        nodes.push(workflow);
        nodes.reverse();
        (nodes.join("/"), version.map(|version| version.to_string()))
    }

    fn attempt(&mut self, path: &StepPath, request: u32, attempt: u32, name: &str, kind: SpanKind) -> &mut Span {
        let step = self.step(path).span_id;
        let id = SpanId::derive(self.run, path, request, attempt);
        let now = self.now;
        self.under_way.insert(path.clone(), id);
        let span = self.span(id, Some(step), name, kind);
        // After a loss the same attempt is made once more.
        span.started_at = now;
        span.ended_at = now;
        span
    }

    fn end(span: &mut Span, now: i64, status: SpanStatus) {
        span.ended_at = now.max(span.started_at);
        span.status = status;
        span.attributes.remove(OPEN);
    }

    fn fail(span: &mut Span, now: i64, error: &Failure) {
        Self::end(span, now, SpanStatus::Error);
        span.error = Some(error.message.clone());
        span.attributes.insert("error.type".to_owned(), json!(error.code));
    }

    fn fail_attempt(&mut self, path: &StepPath, error: &Failure) {
        let now = self.now;
        if let Some(at) = self.under_way.remove(path).and_then(|id| self.index.get(&id)) {
            Self::fail(&mut self.spans[*at], now, error);
        }
    }

    fn note(&mut self, path: Option<&StepPath>, name: &str, attributes: Map<String, Value>) {
        let at = self.now;
        let span = match path {
            Some(path) => self.step(path),
            None => self.root(),
        };
        span.events.push(SpanEvent { name: name.to_owned(), at, attributes });
    }

    fn apply(&mut self, event: &Event) {
        self.now = nanos(event.ts).max(self.now);
        let now = self.now;
        match &event.body {
            Body::RunSucceeded { output } => {
                let output = self.value(output);
                let root = self.root();
                root.output = Some(output);
                Self::end(root, now, SpanStatus::Ok);
                self.over = true;
            }
            Body::RunFailed { error, failed_step, partial } => {
                let partial = partial.as_ref().map(|partial| self.value(partial));
                let root = self.root();
                root.output = partial;
                Self::fail(root, now, error);
                if let Some(step) = failed_step {
                    root.attributes.insert("flowtrace.failed_step".to_owned(), json!(step));
                }
                self.over = true;
            }
            Body::RunCanceled => {
                let root = self.root();
                Self::end(root, now, SpanStatus::Error);
                root.error = Some("The run was canceled.".to_owned());
                root.attributes.insert("flowtrace.canceled".to_owned(), Value::Bool(true));
                self.over = true;
            }
            Body::CancelRequested { by } => self.note(None, "cancel requested", Map::from_iter([("by".to_owned(), json!(by))])),
            Body::Log { level, message } => {
                let level = match level {
                    LogLevel::Info => "info",
                    LogLevel::Warn => "warn",
                    LogLevel::Error => "error",
                };
                let attributes = json!({"level": level, "message": message});
                self.note(event.step.as_ref(), "log", attributes.as_object().cloned().unwrap_or_default());
            }
            Body::BudgetExceeded { limit, allowed, used } => {
                let attributes = json!({"limit": limit, "allowed": allowed, "used": used});
                self.note(event.step.as_ref(), "budget exceeded", attributes.as_object().cloned().unwrap_or_default());
            }
            body => {
                if let Some(path) = &event.step {
                    self.apply_step(path, body);
                }
            }
        }
    }

    fn apply_step(&mut self, path: &StepPath, body: &Body) {
        let now = self.now;
        match body {
            Body::StepScheduled { input } => {
                let input = self.value(input);
                self.inputs.insert(path.clone(), input.clone());
                self.step(path).input = Some(input);
            }
            Body::StepSucceeded { output, .. } => {
                let output = self.value(output);
                let step = self.step(path);
                step.output = Some(output);
                Self::end(step, now, SpanStatus::Ok);
            }
            Body::StepFailed { error, handled } => {
                self.fail_attempt(path, error);
                let output = handled.as_ref().and_then(|handled| handled.output.as_ref()).map(|output| self.value(output));
                let step = self.step(path);
                step.output = output;
                Self::fail(step, now, error);
            }
            Body::StepReused(reused) => {
                let (input, output) = (self.value(&reused.input), self.value(&reused.output));
                let origin = &reused.origin;
                let step = self.step(path);
                step.input = Some(input);
                step.output = Some(output);
                // A run's own trace has the number of the run, unless it was part of somebody else's.
                let span_id = SpanId::derive(origin.run, &origin.step, 0, 0);
                step.links.push(SpanLink { trace_id: TraceId(origin.run.0), span_id });
                step.attributes.insert("flowtrace.reused_from".to_owned(), json!({"run": origin.run, "step": origin.step}));
                match &reused.error {
                    Some(error) => Self::fail(step, now, error),
                    None => Self::end(step, now, SpanStatus::Ok),
                }
            }
            Body::ChildStarted { workflow, name, .. } => {
                self.called.insert(path.clone(), (name.clone(), workflow.version));
                let step = self.step(path);
                step.kind = SpanKind::Workflow;
                step.attributes.insert("flowtrace.workflow.name".to_owned(), json!(name));
                step.attributes.insert("flowtrace.workflow.hash".to_owned(), json!(workflow.hash));
            }
            Body::LoopChecked(checked) if checked.changes.iter().any(|change| change.name == agent::MESSAGES) => {
                let set = |name: &str| {
                    checked.changes.iter().find(|change| change.name == name).map(|change| self.value(&change.value))
                };
                let (handoffs, active) = (set(agent::HANDOFFS), set(agent::ACTIVE));
                let step = self.step(path);
                step.kind = SpanKind::Agent;
                if let Some(handoffs) = handoffs.filter(|handoffs| handoffs.as_u64().is_some_and(|handoffs| handoffs > 0)) {
                    step.attributes.insert(HANDOFFS.to_owned(), handoffs);
                    self.note(Some(path), "handoff", Map::from_iter(active.map(|active| ("to".to_owned(), active))));
                }
            }
            Body::ApprovalRequested { message, .. } => {
                self.note(Some(path), "approval requested", Map::from_iter([("message".to_owned(), json!(message))]));
            }
            Body::ApprovalDecided { decision, by, reason, .. } => {
                let attributes = json!({"decision": decision.as_str(), "by": by, "reason": reason});
                self.note(Some(path), "approval decided", attributes.as_object().cloned().unwrap_or_default());
            }
            Body::StepLost { .. } => {
                if let Some(at) = self.under_way.get(path).and_then(|id| self.index.get(id)) {
                    let event = SpanEvent { name: "lost".to_owned(), at: now, attributes: Map::new() };
                    self.spans[*at].events.push(event);
                }
            }
            Body::LlmRequest { request, attempt, target, simulated, prompt } => {
                if let Some(prompt) = prompt {
                    let prompt = self.value(prompt);
                    self.prompts.insert(path.clone(), prompt);
                }
                let prompt = self.prompts.get(path).cloned().unwrap_or_default();
                let (prompt_name, prompt_version) = self.prompt_of(path);
                let span = self.attempt(path, *request, *attempt, &format!("chat {}", target.model), SpanKind::Llm);
                (span.prompt_name, span.prompt_version) = (Some(prompt_name), prompt_version);
                span.provider = Some(target.provider.clone());
                span.model_requested = Some(target.model.clone());
                span.simulated = *simulated;
                span.input = prompt.get("messages").cloned();
                span.parameters = prompt.get("parameters").and_then(Value::as_object).cloned().unwrap_or_default();
            }
            Body::LlmResponse(response) => self.response(path, response),
            Body::CacheHit(hit) => {
                let output = self.value(&hit.output);
                let (prompt_name, prompt_version) = self.prompt_of(path);
                let id = self.under_way.remove(path).unwrap_or(SpanId::derive(self.run, path, hit.request, 1));
                let step = self.step(path).span_id;
                let span = self.span(id, Some(step), &format!("chat {}", hit.target.model), SpanKind::Llm);
                (span.prompt_name, span.prompt_version) = (Some(prompt_name), prompt_version);
                span.provider = Some(hit.target.provider.clone());
                span.model_requested = Some(hit.target.model.clone());
                span.model = Some(hit.answered_by.clone());
                span.output = Some(answer(output));
                span.simulated = hit.simulated;
                // Whoever asked first paid for it.
                span.cost_nanousd = Some(0);
                for (key, value) in [
                    ("flowtrace.cache_hit", json!(true)),
                    ("flowtrace.cache.origin_run", json!(hit.origin_run)),
                    ("flowtrace.cache.origin_step", json!(hit.origin_step)),
                    ("flowtrace.cache.saved_tokens", json!(hit.saved_tokens)),
                    ("flowtrace.cache.saved_nanousd", json!(hit.saved_nanousd)),
                ] {
                    span.attributes.insert(key.to_owned(), value);
                }
                Self::end(span, now, SpanStatus::Ok);
            }
            Body::ToolRequest { request, attempt, tool, config } => {
                let config = config.as_ref().map(|config| self.value(config));
                let input = self.inputs.get(path).cloned();
                let span = self.attempt(path, *request, *attempt, tool, SpanKind::Tool);
                span.input = input;
                if let Some(config) = config {
                    span.attributes.insert("flowtrace.config".to_owned(), config);
                }
            }
            Body::ToolResponse { request, attempt, output } => {
                let output = self.value(output);
                self.under_way.remove(path);
                if let Some(at) = self.index.get(&SpanId::derive(self.run, path, *request, *attempt)) {
                    let span = &mut self.spans[*at];
                    span.output = Some(output);
                    Self::end(span, now, SpanStatus::Ok);
                }
            }
            Body::Retry { error, .. } | Body::Fallback { error, .. } => self.fail_attempt(path, error),
            Body::RouterBranch { branch, rule } => {
                let step = self.step(path);
                step.attributes.insert("flowtrace.router.branch".to_owned(), branch.clone());
                step.attributes.insert("flowtrace.router.rule".to_owned(), json!(rule));
            }
            _ => {}
        }
    }

    fn response(&mut self, path: &StepPath, response: &LlmResponse) {
        let (now, output) = (self.now, self.value(&response.output));
        self.under_way.remove(path);
        let id = SpanId::derive(self.run, path, response.request, response.attempt);
        let Some(at) = self.index.get(&id) else { return };
        let span = &mut self.spans[*at];
        span.model = Some(response.answered_by.clone());
        span.output = Some(answer(output));
        span.finish_reason = response.finish_reason.clone();
        span.first_token_ms = response.first_token_ms;
        span.response_id = response.upstream_request_id.clone();
        span.simulated = response.simulated;
        span.cost_nanousd = response.cost.as_ref().map(|cost| cost.nanousd);
        if let Some(usage) = &response.usage {
            span.tokens = Tokens {
                input: Some(usage.input()),
                output: Some(usage.output),
                cached: Some(usage.cache_read),
                cache_write: Some(usage.cache_write),
                reasoning: Some(usage.reasoning),
            };
        }
        if let Some(raw) = &response.raw_usage {
            span.attributes.insert("flowtrace.usage".to_owned(), raw.clone());
        }
        Self::end(span, now, SpanStatus::Ok);
    }

    fn finish(mut self) -> Vec<Span> {
        for span in &mut self.spans {
            if span.attributes.contains_key(OPEN) {
                span.ended_at = self.now.max(span.started_at);
                // Nothing is under way in a run that is over.
                if self.over {
                    span.attributes.remove(OPEN);
                }
            }
        }
        self.spans
    }
}

/// The answer of a model as the messages that other sources give.
fn answer(output: Value) -> Value {
    json!([{"role": "assistant", "content": output}])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Labels, Limits, ModelDefaults, WorkflowRef};
    use crate::trace::TraceStatus;
    use crate::trace::facts::SpanFacts;
    use crate::trace::summary::summarize;

    fn event(seq: u64, step: Option<&str>, body: Body) -> Event {
        Event { seq, ts: Timestamp::from_millis(1_000 + seq), step: step.map(Into::into), body }
    }

    fn inline(value: Value) -> Payload {
        Payload::Inline(Arc::new(value))
    }

    fn started() -> Body {
        Body::RunStarted(Arc::new(RunStarted {
            workflow: WorkflowRef { id: Some("w".to_owned()), version: Some(2), hash: "abc".into() },
            trace_id: TraceId(5),
            parent_span: Some(SpanId(9)),
            session_id: Some("s".to_owned()),
            labels: Labels {
                user_id: Some("ada".to_owned()),
                tags: vec!["vip".to_owned()],
                metadata: Map::from_iter([("ticket".to_owned(), json!(17))]),
            },
            triggered_by: "api".to_owned(),
            input: inline(json!({"a": 1})),
            defaults: ModelDefaults::default(),
            linked: Vec::new(),
            forked_from: None,
            replay_of: None,
            limits: Limits::default(),
            simulated: false,
        }))
    }

    #[test]
    fn a_step_in_a_map_is_below_the_map() {
        assert_eq!(outer("a"), None);
        assert_eq!(outer("each[17]/summarize"), Some("each"));
        assert_eq!(outer("a[1]/b[2]/c"), Some("a[1]/b"));
        let run = crate::id::StreamId(5);
        let events = [
            event(1, None, started()),
            event(2, Some("each"), Body::StepScheduled { input: Payload::null() }),
            event(3, Some("each[0]/say"), Body::StepScheduled { input: inline(json!({"x": 1})) }),
            event(4, Some("each[0]/say"), Body::ToolRequest { request: 1, attempt: 1, tool: "echo".to_owned(), config: None }),
        ];
        let spans = spans(run, "demo", &events, &|_| None);
        let by_name = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
        assert_eq!(spans[0].parent_span_id, Some(SpanId(9)));
        assert_eq!(by_name("say").attributes[STEP], "each[0]/say");
        assert_eq!((spans[0].tags.as_slice(), &spans[0].metadata["ticket"]), (["vip".to_owned()].as_slice(), &json!(17)));
        assert!(spans.iter().all(|span| span.user_id.as_deref() == Some("ada")));
        assert_eq!(by_name("each").parent_span_id, Some(spans[0].span_id));
        assert_eq!(by_name("say").parent_span_id, Some(by_name("each").span_id));
        assert_eq!(by_name("echo").parent_span_id, Some(by_name("say").span_id));
        assert_eq!(by_name("echo").input, Some(json!({"x": 1})));
        let facts: Vec<SpanFacts> = spans.iter().map(|span| SpanFacts::of(span, |_| 1)).collect();
        assert_eq!(summarize(&facts).status, TraceStatus::Running);
    }

    #[test]
    fn an_agent_that_hands_over_says_so() {
        let journal: Value = serde_json::from_str(include_str!("../../../../fixtures/journals/agent.json")).unwrap();
        let format = u16::try_from(journal["format"].as_u64().unwrap()).unwrap();
        let events = crate::event::decode(format, journal["events"].to_string().as_bytes()).unwrap();
        let spans = spans(crate::id::StreamId(5), "demo", &events, &|_| None);
        let agents: Vec<&Span> = spans.iter().filter(|span| span.kind == SpanKind::Agent).collect();
        assert_eq!(agents.len(), 1);
        assert_eq!(agents[0].attributes[HANDOFFS], 1);
        assert!(agents[0].events.iter().any(|event| event.name == "handoff" && event.attributes["to"] == "helper"));
        let facts: Vec<SpanFacts> = spans.iter().map(|span| SpanFacts::of(span, |text| text.len() as i64)).collect();
        assert_eq!(summarize(&facts).totals.handoff_depth, 1);
    }

    #[test]
    fn a_retried_attempt_is_a_span_of_its_own_and_does_not_fail_the_trace() {
        let target = || crate::call::Target { provider: "openai".to_owned(), model: "gpt-4o".to_owned() };
        let request = |attempt| Body::LlmRequest {
            request: 1,
            attempt,
            target: target(),
            simulated: false,
            prompt: (attempt == 1).then(|| inline(json!({"messages": [{"role": "user", "content": "hi"}]}))),
        };
        let error = Failure::new(crate::failure::FailureCode::RateLimited, "slow down");
        let retry = Body::Retry { request: 1, attempt: 2, after_ms: 5, due: Timestamp(0), error };
        let response = LlmResponse {
            tool_calls: Vec::new(),
            request: 1,
            attempt: 2,
            target: target(),
            answered_by: "gpt-4o-2024".to_owned(),
            output: inline(json!("hello")),
            finish_reason: None,
            usage: None,
            raw_usage: None,
            cost: None,
            first_token_ms: None,
            upstream_request_id: None,
            simulated: false,
        };
        let events = [
            event(1, None, started()),
            event(2, Some("ask"), Body::StepScheduled { input: Payload::null() }),
            event(3, Some("ask"), request(1)),
            event(4, Some("ask"), retry),
            event(5, Some("ask"), request(2)),
            event(6, Some("ask"), Body::LlmResponse(Arc::new(response))),
            event(7, Some("ask"), Body::StepSucceeded { output: inline(json!("hello")), taken: Vec::new() }),
            event(8, None, Body::RunSucceeded { output: inline(json!("hello")) }),
        ];
        let spans = spans(crate::id::StreamId(5), "demo", &events, &|_| None);
        assert_eq!(spans.len(), 4);
        let statuses: Vec<SpanStatus> = spans.iter().map(|span| span.status).collect();
        assert_eq!(statuses, [SpanStatus::Ok, SpanStatus::Ok, SpanStatus::Error, SpanStatus::Ok]);
        assert_eq!(spans[3].input, spans[2].input, "the prompt stands in the journal once");
        let prompt = (spans[3].prompt_name.as_deref(), spans[3].prompt_version.as_deref());
        assert_eq!(prompt, (Some("demo/ask"), Some("2")));
        let facts: Vec<SpanFacts> = spans.iter().map(|span| SpanFacts::of(span, |text| text.len() as i64)).collect();
        let summary = summarize(&facts);
        assert_eq!((summary.status, summary.totals.retries, summary.totals.unpriced_calls), (TraceStatus::Ok, 1, 1));
    }
}

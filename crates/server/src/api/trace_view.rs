//! What the API shows of traces, spans, sessions and scores.

use super::dto::cents;
use super::run_view::WaitsFor;
use flowtrace_core::span;
use flowtrace_core::trace;
use flowtrace_core::trace::facts::OPEN;
use flowtrace_core::trace::summary::Totals;
use flowtrace_engine::port::span_store;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use std::fmt;
use utoipa::ToSchema;

/// RFC 3339, UTC, always six decimals.
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2026-01-02T03:04:05.678901Z")]
pub struct SpanTime(pub i64);

impl fmt::Display for SpanTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = jiff::Timestamp::from_nanosecond(i128::from(self.0)).unwrap_or(jiff::Timestamp::MAX);
        write!(f, "{time:.6}")
    }
}

impl Serialize for SpanTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

pub fn millis(started_at: i64, ended_at: i64) -> f64 {
    ended_at.saturating_sub(started_at) as f64 / 1e6
}

/// A trace in a list.
#[derive(Serialize, ToSchema)]
pub struct TraceSummary {
    trace_id: String,
    /// The name of the root span.
    name: String,
    session_id: Option<String>,
    user_id: Option<String>,
    /// `ok`, `failed` or `running`. Failed: the root failed, or a model call or an agent did and no retry made it good.
    status: &'static str,
    /// Where a run of this instance began the trace, what it waits for: `person` or `other`, as in the list of runs.
    pub waits_for: Option<WaitsFor>,
    /// The first line of what went wrong.
    error: Option<String>,
    started_at: SpanTime,
    duration_ms: f64,
    total_tokens: u64,
    total_cost_nanousd: u64,
    total_cost_cents: f64,
    /// False when some call has no known price.
    cost_complete: bool,
    /// Models that its calls were answered by, in the order of their first calls; at most 8.
    models: Vec<String>,
    service: Option<String>,
    environment: Option<String>,
    workflow: Option<String>,
    tags: Vec<String>,
    pinned: bool,
    summary: Work,
}

/// What a trace or a session did.
#[derive(Serialize, ToSchema)]
pub struct Work {
    spans: u64,
    errors: u64,
    /// Of a run its steps, those that were skipped left out. Elsewhere units of work: model calls, tool calls, retrievals, and tasks and
    /// agents that contain none of them.
    steps: u64,
    llm_calls: u64,
    tool_calls: u64,
    /// How many times an agent handed over to another one, in the longest chain of them.
    handoff_depth: u64,
    /// Failed calls, tasks or agents that were tried again.
    retries: u64,
    tokens_input: u64,
    tokens_output: u64,
    /// Of the input.
    tokens_cached: u64,
    /// Of the input.
    tokens_cache_write: u64,
    /// Of the output.
    tokens_reasoning: u64,
    /// Calls that are missing in the cost.
    unpriced_calls: u64,
    /// Calls that the simulated provider answered.
    simulated_calls: u64,
    /// The part of the cost that nobody pays, because it was simulated.
    simulated_nanousd: u64,
}

impl From<&Totals> for Work {
    fn from(t: &Totals) -> Self {
        Work {
            spans: t.spans,
            errors: t.errors,
            steps: t.steps,
            llm_calls: t.llm_calls,
            tool_calls: t.tool_calls,
            handoff_depth: t.handoff_depth,
            retries: t.retries,
            tokens_input: t.tokens_input,
            tokens_output: t.tokens_output,
            tokens_cached: t.tokens_cached,
            tokens_cache_write: t.tokens_cache_write,
            tokens_reasoning: t.tokens_reasoning,
            unpriced_calls: t.unpriced_calls,
            simulated_calls: t.simulated_calls,
            simulated_nanousd: t.simulated_nanousd,
        }
    }
}

impl From<&trace::TraceSummary> for TraceSummary {
    fn from(trace: &trace::TraceSummary) -> Self {
        TraceSummary {
            trace_id: trace.trace_id.to_string(),
            name: trace.name.clone(),
            session_id: trace.session_id.clone(),
            user_id: trace.user_id.clone(),
            status: trace.status.as_str(),
            waits_for: None,
            error: trace.error.clone(),
            started_at: SpanTime(trace.started_at),
            duration_ms: millis(trace.started_at, trace.ended_at),
            total_tokens: trace.totals.tokens(),
            total_cost_nanousd: trace.totals.cost_nanousd,
            total_cost_cents: cents(trace.totals.cost_nanousd),
            cost_complete: trace.totals.unpriced_calls == 0 && trace.totals.simulated_unpriced_calls == 0,
            models: trace.models.clone(),
            service: trace.service.clone(),
            environment: trace.environment.clone(),
            workflow: trace.workflow.clone(),
            tags: trace.tags.clone(),
            pinned: trace.pinned,
            summary: Work::from(&trace.totals),
        }
    }
}

/// A trace with its spans.
#[derive(Serialize, ToSchema)]
pub struct Trace {
    #[serde(flatten)]
    pub trace: TraceSummary,
    /// Earliest first. The parent of a span may be missing: then it is shown as a root.
    spans: Vec<Span>,
    scores: Vec<Score>,
}

impl From<span_store::Trace> for Trace {
    fn from(trace: span_store::Trace) -> Self {
        Trace {
            trace: TraceSummary::from(&trace.summary),
            spans: trace.spans.into_iter().zip(trace.counted).map(|(span, counted)| Span::new(span, Some(counted))).collect(),
            scores: trace.scores.into_iter().map(Score::from).collect(),
        }
    }
}

/// One step of a trace.
#[derive(Serialize, ToSchema)]
pub struct Span {
    span_id: String,
    parent_span_id: Option<String>,
    name: String,
    /// `workflow`, `task`, `agent`, `tool`, `llm`, `embedding`, `retrieval` or `span`.
    kind: &'static str,
    /// `unset`, `ok` or `error`.
    status: &'static str,
    error: Option<String>,
    started_at: SpanTime,
    /// Of an open span: until the last that was heard of it.
    duration_ms: f64,
    /// Whether it is known not to be over yet.
    open: bool,
    provider: Option<String>,
    model_requested: Option<String>,
    /// The model that answered.
    model: Option<String>,
    tokens_input: Option<u64>,
    tokens_output: Option<u64>,
    tokens_cached: Option<u64>,
    tokens_cache_write: Option<u64>,
    tokens_reasoning: Option<u64>,
    cost_nanousd: Option<u64>,
    prompt_name: Option<String>,
    prompt_version: Option<String>,
    /// For a model call its messages; for any other span what it was given.
    input: Option<Value>,
    output: Option<Value>,
    /// As they were received.
    #[schema(value_type = std::collections::HashMap<String, Value>)]
    attributes: Map<String, Value>,

    /// Whether its usage counts in the totals: wrappers and second records of one call do not. Null for a span alone.
    counted: Option<bool>,
    simulated: bool,
    service: Option<String>,
    environment: Option<String>,
    #[schema(value_type = std::collections::HashMap<String, Value>)]
    metadata: Map<String, Value>,
    tags: Vec<String>,
    finish_reason: Option<String>,
    first_token_ms: Option<f64>,
    #[schema(value_type = std::collections::HashMap<String, Value>)]
    parameters: Map<String, Value>,
    tools: Option<Value>,
    events: Vec<SpanEvent>,
    links: Vec<SpanLink>,
    #[schema(value_type = std::collections::HashMap<String, Value>)]
    resource: Map<String, Value>,
    /// The instrumentation library.
    scope: Option<String>,
}

/// Something that happened at one moment of a span.
#[derive(Serialize, ToSchema)]
pub struct SpanEvent {
    name: String,
    at: SpanTime,
    #[schema(value_type = std::collections::HashMap<String, Value>)]
    attributes: Map<String, Value>,
}

/// A span of this or another trace.
#[derive(Serialize, ToSchema)]
pub struct SpanLink {
    trace_id: String,
    span_id: String,
}

impl From<&span::SpanLink> for SpanLink {
    fn from(link: &span::SpanLink) -> Self {
        SpanLink { trace_id: link.trace_id.to_string(), span_id: link.span_id.to_string() }
    }
}

impl Span {
    pub fn new(span: span::Span, counted: Option<bool>) -> Self {
        Span {
            span_id: span.span_id.to_string(),
            parent_span_id: span.parent_span_id.map(|id| id.to_string()),
            name: span.name,
            kind: span.kind.as_str(),
            status: span.status.as_str(),
            error: span.error,
            started_at: SpanTime(span.started_at),
            duration_ms: millis(span.started_at, span.ended_at.max(span.started_at)),
            open: span.attributes.get(OPEN) == Some(&Value::Bool(true)),
            provider: span.provider,
            model_requested: span.model_requested,
            model: span.model,
            tokens_input: span.tokens.input,
            tokens_output: span.tokens.output,
            tokens_cached: span.tokens.cached,
            tokens_cache_write: span.tokens.cache_write,
            tokens_reasoning: span.tokens.reasoning,
            cost_nanousd: span.cost_nanousd,
            prompt_name: span.prompt_name,
            prompt_version: span.prompt_version,
            input: span.input,
            output: span.output,
            attributes: span.attributes,
            counted,
            simulated: span.simulated,
            service: span.service,
            environment: span.environment,
            metadata: span.metadata,
            tags: span.tags,
            finish_reason: span.finish_reason,
            first_token_ms: span.first_token_ms,
            parameters: span.parameters,
            tools: span.tools,
            events: span
                .events
                .into_iter()
                .map(|event| SpanEvent { name: event.name, at: SpanTime(event.at), attributes: event.attributes })
                .collect(),
            links: span.links.into_iter().map(|link| SpanLink::from(&link)).collect(),
            resource: span.resource,
            scope: span.scope,
        }
    }
}

/// What a person or an evaluator thought of a trace, a span or a session.
#[derive(Serialize, ToSchema)]
pub struct Score {
    id: String,
    /// Null for the score of a session.
    trace_id: Option<String>,
    /// Null for the score of a whole trace.
    span_id: Option<String>,
    /// Null for the score of a trace or a span.
    session_id: Option<String>,
    name: String,
    /// A number, a category or a yes/no.
    value: Value,
    comment: Option<String>,
    at: SpanTime,
}

impl From<span::Score> for Score {
    fn from(score: span::Score) -> Self {
        let (trace_id, span_id, session_id) = match score.of {
            span::Scored::Trace { trace_id, span_id } => (Some(trace_id.to_string()), span_id.map(|id| id.to_string()), None),
            span::Scored::Session { session_id } => (None, None, Some(session_id)),
        };
        Score {
            id: score.id,
            trace_id,
            span_id,
            session_id,
            name: score.name,
            value: score.value,
            comment: score.comment,
            at: SpanTime(score.at),
        }
    }
}

//! One span of a trace, whoever recorded it: this engine, or an SDK that sent it over OpenTelemetry.
//!
//! A span is what a reader sees. It keeps the raw attributes beside the fields that were read out of them, so that a better
//! reading can be made later from what was stored.

pub mod messages;
pub mod normalise;
pub mod raw;
pub mod replay;

mod claude_code;
mod found;
mod genai;
mod google;
mod json;
mod langfuse;
mod mastra;
mod openinference;
mod openllmetry;
mod provider;
mod pydantic;
mod respan;
mod vercel;

use crate::id::{SpanId, TraceId};
use crate::usage::Usage;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a span did. Tokens are counted on `Llm` and `Embedding` only: every other kind wraps calls that count themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SpanKind {
    Workflow,
    Task,
    Agent,
    Tool,
    Llm,
    Embedding,
    Retrieval,
    #[default]
    Span,
}

impl SpanKind {
    pub const ALL: [SpanKind; 8] = [
        SpanKind::Workflow,
        SpanKind::Task,
        SpanKind::Agent,
        SpanKind::Tool,
        SpanKind::Llm,
        SpanKind::Embedding,
        SpanKind::Retrieval,
        SpanKind::Span,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            SpanKind::Workflow => "workflow",
            SpanKind::Task => "task",
            SpanKind::Agent => "agent",
            SpanKind::Tool => "tool",
            SpanKind::Llm => "llm",
            SpanKind::Embedding => "embedding",
            SpanKind::Retrieval => "retrieval",
            SpanKind::Span => "span",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether the span's usage counts towards its trace.
    pub fn spends(self) -> bool {
        matches!(self, SpanKind::Llm | SpanKind::Embedding)
    }
}

/// <https://opentelemetry.io/docs/specs/otel/trace/api/#set-status>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SpanStatus {
    #[default]
    Unset,
    Ok,
    Error,
}

impl SpanStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            SpanStatus::Unset => "unset",
            SpanStatus::Ok => "ok",
            SpanStatus::Error => "error",
        }
    }
}

/// Tokens as they came: a line that was absent on the wire stays `None`, never 0. `cached`, `cache_write` are parts of `input`,
/// `reasoning` is a part of `output`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    pub input: Option<u64>,
    pub output: Option<u64>,
    pub cached: Option<u64>,
    pub cache_write: Option<u64>,
    pub reasoning: Option<u64>,
}

impl Tokens {
    /// The priced lines, where at least input or output is known.
    pub fn usage(&self) -> Option<Usage> {
        if self.input.is_none() && self.output.is_none() {
            return None;
        }
        let (cache_read, cache_write) = (self.cached.unwrap_or(0), self.cache_write.unwrap_or(0));
        Some(Usage {
            input_uncached: self.input.unwrap_or(0).saturating_sub(cache_read).saturating_sub(cache_write),
            cache_read,
            cache_write,
            output: self.output.unwrap_or(0),
            reasoning: self.reasoning.unwrap_or(0),
        })
    }
}

/// Something that happened at one moment of a span: an exception, a log record that named the span.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpanEvent {
    pub name: String,
    /// Nanoseconds since the Unix epoch.
    pub at: i64,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub attributes: Map<String, Value>,
}

/// A reference to a span of this or another trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpanLink {
    pub trace_id: TraceId,
    pub span_id: SpanId,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Span {
    pub trace_id: TraceId,
    pub span_id: SpanId,
    /// The parent may arrive later, or never; a span whose parent is unknown is shown as a root.
    pub parent_span_id: Option<SpanId>,
    pub name: String,
    pub kind: SpanKind,
    pub status: SpanStatus,
    /// What went wrong, in one text; the exception's message where the status has none.
    pub error: Option<String>,
    /// Nanoseconds since the Unix epoch.
    pub started_at: i64,
    /// Nanoseconds since the Unix epoch, never before `started_at`.
    pub ended_at: i64,

    pub service: Option<String>,
    pub environment: Option<String>,
    /// The workflow or application that the trace belongs to, as the sender names it.
    pub workflow: Option<String>,
    pub session_id: Option<String>,
    pub user_id: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Keys and values that the sender gave for finding the trace again.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,

    /// Lower case, as in the price table: `openai`, `anthropic`.
    pub provider: Option<String>,
    pub model_requested: Option<String>,
    /// The model that answered.
    pub model: Option<String>,
    pub tokens: Tokens,
    /// `None` where the model has no known price or the usage is missing.
    pub cost_nanousd: Option<u64>,
    /// Whether the answer was made up by the simulated provider; such a span counts in no spend.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub simulated: bool,
    /// The provider's id of the answer: two spans of one call carry the same.
    pub response_id: Option<String>,
    pub finish_reason: Option<String>,
    /// Milliseconds from the start to the first token.
    pub first_token_ms: Option<f64>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub parameters: Map<String, Value>,
    pub prompt_name: Option<String>,
    pub prompt_version: Option<String>,

    /// For an LLM span a list of `{role, content, tool_calls?…}`; for any other what its caller gave it.
    pub input: Option<Value>,
    pub output: Option<Value>,
    /// Definitions of the tools that the model was offered.
    pub tools: Option<Value>,

    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<SpanEvent>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<SpanLink>,
    /// As received.
    pub attributes: Map<String, Value>,
    /// As received.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub resource: Map<String, Value>,
    /// The instrumentation library.
    pub scope: Option<String>,
}

/// What a person or an evaluator thought of a trace, a span or a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    pub id: String,
    #[serde(flatten)]
    pub of: Scored,
    pub name: String,
    /// A number, a category or a yes/no.
    pub value: Value,
    pub comment: Option<String>,
    /// Nanoseconds since the Unix epoch.
    pub at: i64,
}

/// What a score is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scored {
    /// A trace, or one span of it.
    Trace { trace_id: TraceId, span_id: Option<SpanId> },
    /// All traces of a session together.
    Session { session_id: String },
}

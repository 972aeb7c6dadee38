//! What sums need to know of a span.

use super::handoff::{handoffs, is_team};
use crate::id::SpanId;
use crate::span::{Span, SpanKind, SpanStatus, Tokens};
use sha2::{Digest, Sha256};

/// A number that stands for a text; 0 for none. Whoever makes the facts keeps the list.
pub type Symbol = i64;

pub const NONE: Symbol = 0;

/// The attribute by which the engine says that a span is not over yet; its value is `true`.
pub const OPEN: &str = "flowtrace.open";

/// The attribute by which the engine says which run a span is the whole of.
pub const RUN: &str = "flowtrace.run_id";

/// The attribute by which the engine says which step of a run a span is: its path.
pub const STEP: &str = "flowtrace.step";

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpanFacts {
    pub span: SpanId,
    pub parent: Option<SpanId>,
    pub name: Symbol,
    pub kind: SpanKind,
    pub status: SpanStatus,
    /// Known not to be over.
    pub open: bool,
    /// Whether it is a run of the engine, which knows how everything inside of it came out: what was tried again, answered by another
    /// model, or provided for.
    pub run: bool,
    /// Whether it is a step of a run. What it is tried again as are spans below it.
    pub step: bool,
    pub started_at: i64,
    pub ended_at: i64,
    pub service: Symbol,
    pub environment: Symbol,
    pub workflow: Symbol,
    pub session: Symbol,
    pub user: Symbol,
    /// Of the tags as a JSON array, in the order in which they were given.
    pub tags: Symbol,
    pub provider: Symbol,
    pub model_requested: Symbol,
    pub model: Symbol,
    pub tokens: Tokens,
    pub cost_nanousd: Option<u64>,
    pub simulated: bool,
    /// A hash of the provider's id of the answer; 0 for none.
    pub response: u64,
    /// Whether prompt or answer are there.
    pub messages: bool,
    /// How often an agent handed over in it.
    pub handoffs: u32,
    /// Whether it is an agent only by name, and stands for several.
    pub team: bool,
}

impl SpanFacts {
    pub fn of(span: &Span, mut symbol: impl FnMut(&str) -> Symbol) -> SpanFacts {
        let mut optional = |text: &Option<String>| match text.as_deref() {
            None | Some("") => NONE,
            Some(text) => symbol(text),
        };
        let (service, environment, workflow) = (optional(&span.service), optional(&span.environment), optional(&span.workflow));
        let (session, user) = (optional(&span.session_id), optional(&span.user_id));
        let (provider, model_requested, model) =
            (optional(&span.provider), optional(&span.model_requested), optional(&span.model));
        let tags = if span.tags.is_empty() {
            NONE
        } else {
            symbol(&serde_json::to_string(&span.tags).expect("a list of texts always serialises"))
        };
        SpanFacts {
            span: span.span_id,
            parent: span.parent_span_id.filter(|parent| *parent != span.span_id),
            name: if span.name.is_empty() { NONE } else { symbol(&span.name) },
            kind: span.kind,
            status: span.status,
            run: span.kind == SpanKind::Workflow && span.attributes.contains_key(RUN),
            step: span.attributes.contains_key(STEP) && !span.kind.spends() && span.kind != SpanKind::Tool,
            open: span.attributes.get(OPEN).is_some_and(|open| *open == serde_json::Value::Bool(true)),
            started_at: span.started_at,
            ended_at: span.ended_at.max(span.started_at),
            service,
            environment,
            workflow,
            session,
            user,
            tags,
            provider,
            model_requested,
            model,
            tokens: span.tokens,
            cost_nanousd: span.cost_nanousd,
            simulated: span.simulated,
            response: span.response_id.as_deref().filter(|id| !id.is_empty()).map_or(0, hash),
            messages: span.input.is_some() || span.output.is_some(),
            handoffs: handoffs(span),
            team: is_team(span),
        }
    }

    /// The model that a reader sees: the one that answered, or else the one that was asked.
    pub fn shown_model(&self) -> Symbol {
        if self.model == NONE { self.model_requested } else { self.model }
    }
}

/// Never 0, and the same in every version: it is stored.
pub fn hash(text: &str) -> u64 {
    let digest = Sha256::digest(text.as_bytes());
    let mut bytes = [0u8; 8];
    bytes.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(bytes).max(1)
}

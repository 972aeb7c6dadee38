//! Hand-overs from one agent to another: which spans say so, and how deep they go.

use super::summary::Tree;
use crate::span::{Span, SpanKind};
use serde_json::Value;
use std::collections::HashMap;

/// How often the agent of a span of the engine handed the conversation over.
pub const HANDOFFS: &str = "flowtrace.handoffs";

/// How often an agent handed over in this span; for most 0.
pub fn handoffs(span: &Span) -> u32 {
    if let Some(count) = span.attributes.get(HANDOFFS).and_then(Value::as_u64) {
        return u32::try_from(count).unwrap_or(u32::MAX).min(MOST);
    }
    let says = |key: &str| span.attributes.get(key).is_some_and(|value| value == "handoff");
    let handed = span.attributes.get("openai.agents").is_some_and(|agents| agents["type"] == "handoff")
        || says("respan.entity.log_type")
        || span.attributes.contains_key("gen_ai.handoff.to_agent")
        || (span.kind == SpanKind::Tool && is_named_so(&span.name));
    u32::from(handed)
}

/// What is stored of them.
const MOST: u32 = 1 << 16;

/// Names of the tools with which a model hands over: those of the OpenAI Agents SDK and of LangGraph's supervisor, of the engine, and
/// OpenInference's for all of them.
fn is_named_so(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    // The GenAI conventions name a span after the operation and the tool.
    let name = name.strip_prefix("execute_tool ").unwrap_or(&name);
    ["transfer_to_", "handoff_to_", "handoff to "].iter().any(|start| name.starts_with(start))
}

/// Whether a span of kind `agent` stands for a whole run of agents, as the root that OpenInference makes for the OpenAI Agents SDK does.
pub fn is_team(span: &Span) -> bool {
    let scope = span.scope.as_deref().unwrap_or_default();
    span.kind == SpanKind::Agent
        && span.parent_span_id.is_none()
        && scope.starts_with("openinference.instrumentation.openai_agents")
}

/// The most hand-overs that lie behind one agent. An agent inside another one took over from it; of agents beside each other only the
/// hand-overs that were recorded tell.
pub(super) fn depth(tree: &Tree<'_>) -> u64 {
    let spans = tree.spans;
    let agents = spans.iter().filter(|span| span.kind == SpanKind::Agent).take(2).count();
    if agents < 2 && spans.iter().all(|span| span.handoffs == 0) {
        return 0;
    }
    let agent = |at: usize| spans[at].kind == SpanKind::Agent && !spans[at].team;
    let nearest = tree.down(None, |above, at| if agent(at) { Some(at) } else { above });
    let depths = tree.down(0u64, |above, at| above + u64::from(agent(at)));
    let nested = depths.iter().copied().max().unwrap_or(0).saturating_sub(1);

    // By what the agents stand in beside each other.
    let mut beside: HashMap<Option<usize>, u64> = HashMap::new();
    let mut deepest = nested;
    for (at, span) in spans.iter().enumerate().filter(|(_, span)| span.handoffs > 0) {
        let (scope, before) = match nearest[at] {
            Some(within) if within == at => (Some(at), depths[at]),
            Some(within) => (tree.parent[within], depths[within]),
            None => (tree.parent[at], 1),
        };
        let handed = beside.entry(scope).or_default();
        *handed += u64::from(span.handoffs);
        deepest = deepest.max(before.saturating_sub(1) + *handed);
    }
    deepest
}

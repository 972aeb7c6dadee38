//! Two records of one span become one: a batch that was sent again, a log record and its span, a creation and its update.
//!
//! The result does not depend on which came first, as far as their times tell them apart, so batches may arrive in any order
//! and any number of times.

use super::{Span, SpanEvent, SpanKind, SpanStatus, Tokens, messages};
use crate::id::{SpanId, TraceId};
use crate::price::PriceTable;
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

/// Puts together what was `stored` and what has `arrived` for the same trace and span. A whole span counts more than a piece, a
/// later piece more than an earlier one, a whole span sent again more than before; what the one lacks the other gives.
pub fn merge(stored: Span, arrived: Span, prices: &PriceTable) -> Span {
    let arrived_counts_more = match (stored.partial, arrived.partial) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(stored), Some(arrived)) => arrived >= stored,
    };
    let (mut base, mut other) = if arrived_counts_more { (arrived, stored) } else { (stored, arrived) };
    let told_by_events = messages::told_by_events(&base) | messages::told_by_events(&other);
    if told_by_events {
        messages::forget_events(&mut base);
        messages::forget_events(&mut other);
    }
    let both_pieces = base.partial.is_some() && other.partial.is_some();
    if both_pieces {
        base.started_at = base.started_at.min(other.started_at);
        base.ended_at = base.ended_at.max(other.ended_at);
        base.partial = base.partial.max(other.partial);
    }
    fill_text(&mut base.name, other.name);
    if base.kind == SpanKind::Span {
        base.kind = other.kind;
    }
    if base.status == SpanStatus::Unset || (both_pieces && other.status == SpanStatus::Error) {
        base.status = other.status;
    }
    fill(&mut base.parent_span_id, other.parent_span_id);
    fill(&mut base.error, other.error);
    fill(&mut base.service, other.service);
    fill(&mut base.environment, other.environment);
    fill(&mut base.workflow, other.workflow);
    fill(&mut base.session_id, other.session_id);
    fill(&mut base.user_id, other.user_id);
    fill(&mut base.provider, other.provider);
    fill(&mut base.model_requested, other.model_requested);
    fill(&mut base.model, other.model);
    fill(&mut base.response_id, other.response_id);
    fill(&mut base.finish_reason, other.finish_reason);
    fill(&mut base.first_token_ms, other.first_token_ms);
    fill(&mut base.prompt_name, other.prompt_name);
    fill(&mut base.prompt_version, other.prompt_version);
    fill(&mut base.input, other.input);
    fill(&mut base.output, other.output);
    fill(&mut base.tools, other.tools);
    fill(&mut base.scope, other.scope);
    for tag in other.tags {
        if !base.tags.contains(&tag) {
            base.tags.push(tag);
        }
    }
    fill_map(&mut base.metadata, other.metadata);
    fill_map(&mut base.parameters, other.parameters);
    fill_map(&mut base.attributes, other.attributes);
    fill_map(&mut base.resource, other.resource);
    for link in other.links {
        if !base.links.contains(&link) {
            base.links.push(link);
        }
    }
    base.events = union(std::mem::take(&mut base.events), other.events);
    if told_by_events {
        messages::read_events(&mut base);
    }
    base.simulated |= other.simulated;
    fill_tokens(&mut base, other.tokens);
    fill(&mut base.cost_nanousd, other.cost_nanousd);
    base.price(prices);
    base
}

/// Puts together what one request holds of the same spans, in the order of their first appearance.
pub fn coalesce(spans: Vec<Span>, prices: &PriceTable) -> Vec<Span> {
    let mut at: HashMap<(TraceId, SpanId), usize> = HashMap::with_capacity(spans.len());
    let mut all: Vec<Option<Span>> = Vec::with_capacity(spans.len());
    for span in spans {
        match at.get(&(span.trace_id, span.span_id)) {
            Some(&index) => {
                let stored = all[index].take();
                all[index] = Some(match stored {
                    Some(stored) => merge(stored, span, prices),
                    None => span,
                });
            }
            None => {
                at.insert((span.trace_id, span.span_id), all.len());
                all.push(Some(span));
            }
        }
    }
    all.into_iter().flatten().collect()
}

fn fill<T>(base: &mut Option<T>, other: Option<T>) {
    if base.is_none() {
        *base = other;
    }
}

fn fill_text(base: &mut String, other: String) {
    if base.is_empty() {
        *base = other;
    }
}

fn fill_map(base: &mut Map<String, Value>, other: Map<String, Value>) {
    if base.is_empty() {
        *base = other;
        return;
    }
    for (key, value) in other {
        base.entry(key).or_insert(value);
    }
}

fn fill_tokens(base: &mut Span, other: Tokens) {
    fill(&mut base.tokens.input, other.input);
    fill(&mut base.tokens.output, other.output);
    fill(&mut base.tokens.cached, other.cached);
    fill(&mut base.tokens.cache_write, other.cache_write);
    fill(&mut base.tokens.reasoning, other.reasoning);
}

fn union(mut base: Vec<SpanEvent>, other: Vec<SpanEvent>) -> Vec<SpanEvent> {
    if other.is_empty() || base == other {
        return base;
    }
    let key = |event: &SpanEvent| (event.at, event.name.clone(), Value::Object(event.attributes.clone()).to_string());
    let mut known: HashSet<_> = base.iter().map(key).collect();
    base.extend(other.into_iter().filter(|event| known.insert(key(event))));
    base.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| rank(&a.name).cmp(&rank(&b.name))));
    base
}

/// Messages of one moment in the order of a conversation, so that their order does not depend on how they arrived.
fn rank(name: &str) -> u8 {
    match name {
        "gen_ai.system.message" => 0,
        "gen_ai.choice" => 2,
        _ => 1,
    }
}

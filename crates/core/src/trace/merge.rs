//! Joining the pieces of one span. Some SDKs send a span as a beginning and later changes, and some send its messages as log
//! records that only name it; the pieces come in any order.

use crate::price::PriceTable;
use crate::span::{Span, SpanEvent, SpanKind, SpanStatus, messages};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// An empty piece: nothing of it is set.
pub fn empty(trace_id: crate::id::TraceId, span_id: crate::id::SpanId) -> Span {
    Span {
        trace_id,
        span_id,
        parent_span_id: None,
        name: String::new(),
        kind: SpanKind::Span,
        status: SpanStatus::Unset,
        error: None,
        started_at: 0,
        ended_at: 0,
        service: None,
        environment: None,
        workflow: None,
        session_id: None,
        user_id: None,
        tags: Vec::new(),
        metadata: Map::new(),
        provider: None,
        model_requested: None,
        model: None,
        tokens: Default::default(),
        cost_nanousd: None,
        simulated: false,
        response_id: None,
        finish_reason: None,
        first_token_ms: None,
        parameters: Map::new(),
        prompt_name: None,
        prompt_version: None,
        input: None,
        output: None,
        tools: None,
        events: Vec::new(),
        links: Vec::new(),
        attributes: Map::new(),
        resource: Map::new(),
        scope: None,
    }
}

/// Whether a whole span that came again takes the place of the one that is there, each told by its start and its end. What was sent while
/// the span was open, and came late, does not: it has no duration yet.
pub fn replaces(stored: (i64, i64), again: (i64, i64)) -> bool {
    again.1 > again.0 || stored.1 <= stored.0
}

/// Puts what `over` says on top of `under`. A field that `over` leaves out stays: an empty name, the kind `span`, the status
/// `unset`, a time of 0, `None`, an empty list or map. Events and links are united; maps are merged key by key. The span begins with
/// the first of its pieces and ends with the last, in whatever order they came.
pub fn merge(mut under: Span, mut over: Span) -> Span {
    fn set<T>(field: &mut Option<T>, over: Option<T>) {
        if over.is_some() {
            *field = over;
        }
    }
    fn extend(field: &mut Map<String, Value>, over: Map<String, Value>) {
        if field.is_empty() {
            *field = over;
        } else {
            field.extend(over);
        }
    }
    fn unite<T: PartialEq>(field: &mut Vec<T>, over: Vec<T>) {
        for item in over {
            if !field.contains(&item) {
                field.push(item);
            }
        }
    }
    let has_messages = messages::told_by_events(&under) || messages::told_by_events(&over);
    if has_messages {
        messages::forget_events(&mut under);
        messages::forget_events(&mut over);
    }
    set(&mut under.parent_span_id, over.parent_span_id);
    if !over.name.is_empty() {
        under.name = over.name;
    }
    if over.kind != SpanKind::Span {
        under.kind = over.kind;
    }
    if over.status != SpanStatus::Unset {
        under.status = over.status;
    }
    set(&mut under.error, over.error);
    if under.started_at == 0 || (over.started_at != 0 && over.started_at < under.started_at) {
        under.started_at = over.started_at;
    }
    under.ended_at = under.ended_at.max(over.ended_at);
    set(&mut under.service, over.service);
    set(&mut under.environment, over.environment);
    set(&mut under.workflow, over.workflow);
    set(&mut under.session_id, over.session_id);
    set(&mut under.user_id, over.user_id);
    unite(&mut under.tags, over.tags);
    extend(&mut under.metadata, over.metadata);
    set(&mut under.provider, over.provider);
    set(&mut under.model_requested, over.model_requested);
    set(&mut under.model, over.model);
    set(&mut under.tokens.input, over.tokens.input);
    set(&mut under.tokens.output, over.tokens.output);
    set(&mut under.tokens.cached, over.tokens.cached);
    set(&mut under.tokens.cache_write, over.tokens.cache_write);
    set(&mut under.tokens.reasoning, over.tokens.reasoning);
    set(&mut under.cost_nanousd, over.cost_nanousd);
    under.simulated |= over.simulated;
    set(&mut under.response_id, over.response_id);
    set(&mut under.finish_reason, over.finish_reason);
    set(&mut under.first_token_ms, over.first_token_ms);
    extend(&mut under.parameters, over.parameters);
    set(&mut under.prompt_name, over.prompt_name);
    set(&mut under.prompt_version, over.prompt_version);
    set(&mut under.input, over.input);
    set(&mut under.output, over.output);
    set(&mut under.tools, over.tools);
    unite_events(&mut under.events, over.events);
    unite(&mut under.links, over.links);
    extend(&mut under.attributes, over.attributes);
    extend(&mut under.resource, over.resource);
    set(&mut under.scope, over.scope);
    if has_messages {
        messages::read_events(&mut under);
    }
    if under.cost_nanousd.is_none() {
        // One piece may have named the model and the other the tokens.
        under.price(&PriceTable::default());
    }
    under
}

/// A span may have a great many events, so they are looked up, not compared one by one.
fn unite_events(events: &mut Vec<SpanEvent>, over: Vec<SpanEvent>) {
    if over.is_empty() || *events == over {
        return;
    }
    let key = |event: &SpanEvent| (event.at, event.name.clone(), serde_json::to_string(&event.attributes).unwrap_or_default());
    let mut known: HashSet<_> = events.iter().map(key).collect();
    events.extend(over.into_iter().filter(|event| known.insert(key(event))));
    events.sort_by_key(|event| (event.at, messages::events::place(&event.name)));
}

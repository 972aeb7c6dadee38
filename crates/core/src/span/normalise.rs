//! From what an SDK sent to a [`Span`]: every convention reads its attributes, ranks decide between them, and the call is priced.

use super::found::{Best, Content, Found, Rank, Text, text};
use super::raw::{RawLog, RawSpan};
use super::{Span, SpanEvent, SpanKind, SpanStatus, Tokens};
use super::{
    claude_code, genai, google, json, langfuse, mastra, messages, openinference, openllmetry, provider, pydantic, respan, vercel,
};
use crate::price::{self, PriceTable};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Metadata that nobody named as such: attributes of the application, where they are short.
const MAX_OWN_METADATA: usize = 256;

pub fn normalise(raw: RawSpan, prices: &PriceTable) -> Span {
    let mut found = Found::default();
    let of_claude_code = claude_code::is_its(raw.scope.as_deref());
    for (key, value) in &raw.attributes {
        if of_claude_code && claude_code::read(key, value, &mut found) {
            continue;
        }
        if !read(key, value, &mut found) {
            own_metadata(key, value, &mut found);
        }
    }
    let span = build(&raw, found);
    finish(span, raw, prices)
}

/// A log record as a piece of the span that it names: details of a call are read like attributes, everything else is an event.
/// It says nothing about when the span began and ended.
pub fn log_piece(log: RawLog, prices: &PriceTable) -> Span {
    let mut raw = RawSpan::new(log.trace_id, log.span_id, 0, 0);
    raw.resource = log.resource;
    let name = match log.attributes.get("event.name") {
        Some(Value::String(name)) if log.event_name.is_empty() => name.clone(),
        _ => log.event_name,
    };
    let name = match claude_code::is_its(log.scope.as_deref()) {
        true if !name.starts_with("claude_code.") => format!("claude_code.{name}"),
        _ => name,
    };
    if name == "gen_ai.client.inference.operation.details" {
        raw.attributes = log.attributes;
        if let Value::Object(body) = log.body {
            raw.attributes.extend(body);
        }
    } else {
        let mut attributes = log.attributes;
        if !log.body.is_null() {
            attributes.insert("body".to_owned(), log.body);
        }
        if !log.severity.is_empty() {
            attributes.insert("severity".to_owned(), Value::String(log.severity));
        }
        let name = if name.is_empty() { "log".to_owned() } else { name };
        raw.events.push(SpanEvent { name, at: log.at, attributes });
    }
    normalise(raw, prices)
}

/// Puts an attribute to the convention that its name belongs to.
fn read<'a>(key: &'a str, value: &'a Value, found: &mut Found<'a>) -> bool {
    match key.split('.').next().unwrap_or_default() {
        "gen_ai" => genai::read(key, value, found),
        "traceloop" => openllmetry::read(key, value, found),
        "langfuse" => langfuse::read(key, value, found),
        "respan" => respan::read(key, value, found),
        "ai" => vercel::read(key, value, found),
        "mastra" => mastra::read(key, value, found),
        "gcp" => google::read(key, value, found),
        "anthropic" => genai::read_anthropic(key, value, found),
        "llm" => openllmetry::read_llm(&key[key.len().min(4)..], value, found) || openinference::read(key, value, found),
        _ => general(key, value, found) || openinference::read(key, value, found) || pydantic::read(key, value, found),
    }
}

/// Names that belong to no convention of model calls alone.
fn general<'a>(key: &'a str, value: &'a Value, found: &mut Found<'a>) -> bool {
    match key {
        "session.id" => found.session_generic = text(value),
        "user.id" => found.user.offer(Rank::Current, text(value)),
        // No convention's names, but what people write; they stay metadata as well.
        "session_id" => {
            found.session.offer(Rank::Generic, text(value));
            return false;
        }
        "user_id" => {
            found.user.offer(Rank::Generic, text(value));
            return false;
        }
        "enduser.id" => found.user.offer(Rank::Old, text(value)),
        "deployment.environment.name" | "deployment.environment" => found.environment.offer(Rank::Old, text(value)),
        "error.message" => found.error.offer(Rank::Old, text(value)),
        "error.type" => found.error.offer(Rank::Generic, text(value)),
        "flowtrace.simulated" => found.simulated = value.as_bool() == Some(true),
        _ => return false,
    }
    true
}

/// Attributes that the application set for itself, so that traces can be found by them.
fn own_metadata(key: &str, value: &Value, found: &mut Found<'_>) {
    const TECHNICAL: [&str; 23] = [
        "flowtrace",
        "http",
        "url",
        "server",
        "client",
        "network",
        "net",
        "db",
        "rpc",
        "code",
        "thread",
        "telemetry",
        "otel",
        "exception",
        "user_agent",
        "peer",
        "messaging",
        "operation",
        "resource",
        "openai",
        "status_code",
        "process",
        "host",
    ];
    if TECHNICAL.contains(&key.split('.').next().unwrap_or_default()) {
        return;
    }
    let short = |value: &Value| match value {
        Value::String(text) => text.len() <= MAX_OWN_METADATA,
        Value::Number(_) | Value::Bool(_) => true,
        _ => false,
    };
    let fits = match value {
        Value::Array(values) => values.len() <= 16 && values.iter().all(short),
        value => short(value),
    };
    if fits {
        found.metadata(key, value.clone());
    }
}

/// Everything that is read from the attributes; the rest of the span is filled in by [`finish`].
fn build(raw: &RawSpan, mut found: Found<'_>) -> Span {
    let kind = match kind(&mut found) {
        SpanKind::Llm if openinference::only_prepares(raw, &found) => SpanKind::Task,
        kind => kind,
    };
    // What an agent or a tool says about models is about the calls inside it, which say it themselves.
    let tells_use = openinference::tells_use(raw, kind, &found);
    let own_model = kind.spends() || kind == SpanKind::Span || tells_use;
    let model_requested = owned(&mut found.model_requested).filter(|_| own_model);
    let model = owned(&mut found.model).filter(|_| own_model);
    let mut span = Span {
        trace_id: raw.trace_id,
        span_id: raw.span_id,
        parent_span_id: raw.parent_span_id,
        name: name(raw, kind, &mut found),
        kind,
        status: if found.failed { SpanStatus::Error } else { raw.status },
        error: None,
        started_at: raw.started_at,
        ended_at: raw.ended_at.max(raw.started_at),
        service: label(raw.resource.get("service.name")),
        environment: owned(&mut found.environment).or_else(|| environment(&raw.resource)),
        workflow: owned(&mut found.workflow),
        session_id: session(&mut found).or_else(|| of_process(raw, "session.id")),
        user_id: owned(&mut found.user).or_else(|| of_process(raw, "user.id")),
        tags: std::mem::take(&mut found.tags),
        metadata: std::mem::take(&mut found.metadata),
        provider: found.provider.take().filter(|_| own_model).map(|name| provider::canonical(&name)),
        model_requested,
        model,
        tokens: Tokens::default(),
        cost_nanousd: None,
        simulated: found.simulated,
        response_id: owned(&mut found.response_id),
        finish_reason: found.finish_reason.take().map(|reason| messages::finish_reason(&reason)),
        first_token_ms: first_token_ms(raw, &mut found),
        parameters: std::mem::take(&mut found.parameters),
        prompt_name: owned(&mut found.prompt_name),
        prompt_version: owned(&mut found.prompt_version),
        input: None,
        output: None,
        tools: None,
        events: Vec::new(),
        links: Vec::new(),
        attributes: Map::new(),
        resource: Map::new(),
        scope: None,
    };
    if span.status == SpanStatus::Error {
        span.error = error(raw, &mut found);
    }
    if kind.spends() || tells_use {
        span.tokens = tokens(&mut found);
        let named = [span.model.as_deref(), span.model_requested.as_deref()].into_iter().flatten();
        span.provider = span.provider.take().or_else(|| named.filter_map(provider::of_model).next().map(str::to_owned));
        // Ten million dollars are beyond any call.
        span.cost_nanousd = found.cost_usd.take().filter(|usd| *usd < 1e7).map(|usd| (usd * 1e9).round() as u64);
    }
    span.tools = tools(&mut found);
    (span.input, span.output) = contents(kind, &mut span.tools, &mut found);
    if kind == SpanKind::Llm && span.finish_reason.is_none() {
        // Streams of OpenTelemetry's own instrumentation say it in the answer alone.
        span.finish_reason = said_in_answer(span.output.as_ref()).map(str::to_owned);
    }
    span
}

fn finish(mut span: Span, raw: RawSpan, prices: &PriceTable) -> Span {
    span.events = raw.events;
    span.links = raw.links;
    span.attributes = raw.attributes;
    span.resource = raw.resource;
    span.scope = raw.scope;
    if span.kind == SpanKind::Span && messages::called_by_events(&span) {
        // Nothing but a model call has messages for events.
        span.kind = SpanKind::Llm;
    }
    messages::read_events(&mut span);
    if claude_code::is_its(span.scope.as_deref()) {
        claude_code::finish(&mut span);
    }
    span.price(prices);
    span
}

impl Span {
    /// Applies the price table; where that knows no price, what the sender said about the cost stays.
    pub fn price(&mut self, prices: &PriceTable) {
        if !self.kind.spends() && self.tokens.usage().is_none() {
            self.cost_nanousd = None;
            return;
        }
        let (Some(usage), Some(provider)) = (self.tokens.usage(), self.provider.as_deref()) else { return };
        let requested = self.model_requested.as_deref().or(self.model.as_deref()).unwrap_or_default();
        let answered = self.model.as_deref().unwrap_or(requested);
        let price = |provider: &str| prices.price_of_answer(provider, requested, answered);
        let maker = || provider::maker(provider, answered).and_then(price);
        if let Some(price) = price(provider).or_else(maker) {
            self.cost_nanousd = Some(price::cost(&usage, price).nanousd);
        }
    }
}

fn kind(found: &mut Found<'_>) -> SpanKind {
    let kind = found.kind.take();
    if found.decorator && kind.is_none_or(SpanKind::spends) {
        return SpanKind::Task;
    }
    kind.unwrap_or_else(|| {
        // Senders older than `gen_ai.operation.name`: who names a model and says what it used has called it, and who has messages has
        // talked to one.
        let called = found.model_requested.is_some() && found.provider.is_some() && found.input_tokens.is_some();
        let talked = found.messages_in.is_some() || found.messages_out.is_some();
        let indexed = !found.indexed_in.is_empty() || !found.indexed_out.is_empty();
        if talked || indexed || (called && found.output_tokens.is_some()) { SpanKind::Llm } else { SpanKind::Span }
    })
}

fn name(raw: &RawSpan, kind: SpanKind, found: &mut Found<'_>) -> String {
    let wire = || clean(raw.name.clone());
    if found.decorator
        && let Some(name) = found.entity_name.take()
    {
        return clean(name.into_owned());
    }
    if let Some(name) = found.name.take() {
        return clean(name.into_owned());
    }
    match found.tool_name.take() {
        // "running tool" and the like say what every tool does.
        Some(tool) if kind == SpanKind::Tool && !raw.name.contains(&*tool) => clean(tool.into_owned()),
        _ => wire(),
    }
}

fn session(found: &mut Found<'_>) -> Option<String> {
    let generic = found.session_generic.take();
    let rank = if found.vendor { Rank::Vendor } else { Rank::Old };
    found.session.offer(rank, generic);
    owned(&mut found.session)
}

/// What was said once for everything that the process sends, as `OTEL_RESOURCE_ATTRIBUTES` does. A piece of a span leaves that to the
/// span.
fn of_process(raw: &RawSpan, key: &str) -> Option<String> {
    if raw.started_at == 0 { None } else { label(raw.resource.get(key)) }
}

fn environment(resource: &Map<String, Value>) -> Option<String> {
    ["deployment.environment.name", "deployment.environment", "langfuse.environment"]
        .into_iter()
        .find_map(|key| label(resource.get(key)))
}

/// The exception's own message where the status has none, or has the whole traceback instead of one.
fn error(raw: &RawSpan, found: &mut Found<'_>) -> Option<String> {
    let status = Some(raw.status_message.as_str()).filter(|text| !text.is_empty());
    let exception = raw.events.iter().rev().find(|event| event.name == "exception");
    let of_exception = |key: &str| exception.and_then(|event| event.attributes.get(key)).and_then(Value::as_str);
    let message = of_exception("exception.message").filter(|text| !text.is_empty());
    let text = match (status, message) {
        (Some(status), Some(message)) if status.contains("Traceback (most recent call last)") => message.to_owned(),
        (Some(status), _) => status.to_owned(),
        (None, Some(message)) => message.to_owned(),
        (None, None) => match found.error.take() {
            Some(text) => text.into_owned(),
            None => of_exception("exception.type")?.to_owned(),
        },
    };
    Some(text)
}

fn tokens(found: &mut Found<'_>) -> Tokens {
    let beside_cache = found.input_beside_cache.map(|input| {
        let part = |best: &Best<u64>| best.get().copied().unwrap_or(0);
        input.saturating_add(part(&found.cached)).saturating_add(part(&found.cache_write))
    });
    let mut tokens = Tokens {
        input: beside_cache.or(found.input_tokens.take()),
        output: found.output_tokens.take(),
        cached: found.cached.take(),
        cache_write: found.cache_write.take(),
        reasoning: found.reasoning.take(),
    };
    // Cached tokens are a part of the input. Where they are more than it, the sender counted them beside it, as Anthropic does.
    let beside = tokens.cached.unwrap_or(0).saturating_add(tokens.cache_write.unwrap_or(0));
    if let Some(input) = tokens.input
        && beside > input
    {
        tokens.input = Some(input.saturating_add(beside));
    }
    tokens
}

fn first_token_ms(raw: &RawSpan, found: &mut Found<'_>) -> Option<f64> {
    if let Some(ms) = found.first_token_ms.take() {
        return Some(ms);
    }
    let at = match found.first_token_at.take() {
        Some(time) => i64::try_from(time.parse::<jiff::Timestamp>().ok()?.as_nanosecond()).ok()?,
        None => raw.events.iter().find(|event| event.name == "First Token Stream Event")?.at,
    };
    let nanos = at.checked_sub(raw.started_at).filter(|nanos| *nanos >= 0)?;
    Some(nanos as f64 / 1e6)
}

fn tools(found: &mut Found<'_>) -> Option<Value> {
    if let Some(value) = found.tools.take() {
        let value = json::or_text(value);
        return Some(match value {
            // The AI SDK sends a list of texts.
            Value::Array(items) => Value::Array(items.into_iter().map(json::structured).collect()),
            Value::Object(mut parameters) if parameters.contains_key("function_tools") => {
                parameters.get_mut("function_tools").map(Value::take).unwrap_or(Value::Null)
            }
            other => other,
        });
    }
    if found.indexed_tools.is_empty() {
        return None;
    }
    found.indexed_tools.sort_by_key(|(index, _)| *index);
    Some(Value::Array(found.indexed_tools.iter().map(|(_, tool)| json::or_text(tool)).collect()))
}

/// Input and output. A model call's are messages, where there are any; other spans keep what they were given.
fn contents(kind: SpanKind, tools: &mut Option<Value>, found: &mut Found<'_>) -> (Option<Value>, Option<Value>) {
    let (input, output) = (found.input.take(), found.output.take());
    let in_json = found.input_is_json;
    let out_json = found.output_is_json;
    if kind != SpanKind::Llm {
        let messages = |best: &mut Best<&Value>| best.take().map(json::or_text);
        let asked = input.map(|content| plain(content, in_json)).or_else(|| messages(&mut found.messages_in));
        let answered = output.map(|content| plain(content, out_json)).or_else(|| messages(&mut found.messages_out));
        let asked = asked.or_else(|| embedded(std::mem::take(&mut found.embedded)));
        let answered = answered.or_else(|| documents(std::mem::take(&mut found.documents)));
        // An agent is talked to as a model is.
        let talk = |value: Value| match value {
            Value::Array(_) if kind == SpanKind::Agent => messages::list(value.clone(), "user").map_or(value, Value::Array),
            other => other,
        };
        let asked = match (asked.map(talk), found.system.filter(|_| kind == SpanKind::Agent).and_then(messages::system)) {
            (Some(Value::Array(mut asked)), Some(system)) if !begins_with_system(&asked) => {
                asked.insert(0, system);
                Some(Value::Array(asked))
            }
            (None, Some(system)) => Some(Value::Array(vec![system])),
            (asked, _) => asked,
        };
        return (asked, answered.map(talk));
    }
    let mut asked = conversation(found.messages_in.take(), std::mem::take(&mut found.indexed_in), "user");
    if asked.is_none()
        && let Some(Content::Json(value) | Content::Text(value) | Content::Texts(value)) = input
    {
        asked = messages::read(value, "user");
        if asked.is_some() && tools.is_none() {
            *tools = messages::tools_beside(value);
        }
    }
    let system = found.system.and_then(messages::system);
    let asked = match (asked, system) {
        (Some(mut asked), Some(system)) => {
            if !begins_with_system(&asked) {
                asked.insert(0, system);
            }
            Some(Value::Array(asked))
        }
        (Some(asked), None) => Some(Value::Array(asked)),
        (None, system) => match (input.map(|content| plain(content, in_json)), system) {
            (Some(Value::String(prompt)), None) => Some(Value::Array(vec![messages::plain("user", Value::String(prompt))])),
            (Some(other), _) => Some(other),
            (None, system) => system.map(|system| Value::Array(vec![system])),
        },
    };

    let mut answered = conversation(found.messages_out.take(), std::mem::take(&mut found.indexed_out), "assistant");
    if answered.is_none() && (found.answer_calls.is_some() || found.answer_text.is_some()) {
        answered = Some(messages::answer(found.answer_text, found.answer_calls));
    }
    if answered.is_none()
        && let Some(Content::Json(value) | Content::Text(value) | Content::Texts(value)) = output
    {
        answered = messages::read(value, "assistant");
    }
    let answered = match answered {
        Some(answered) => Some(Value::Array(answered)),
        None => match output.map(|content| plain(content, out_json)) {
            Some(Value::String(text)) => Some(Value::Array(vec![messages::plain("assistant", Value::String(text))])),
            other => other,
        },
    };
    (asked, answered)
}

/// What a search found, as a list of objects.
fn documents(fields: Vec<(u32, &str, &Value)>) -> Option<Value> {
    let mut documents: BTreeMap<u32, Map<String, Value>> = BTreeMap::new();
    for (number, field, value) in fields {
        documents.entry(number).or_default().insert(field.to_owned(), json::structured(value.clone()));
    }
    (!documents.is_empty()).then(|| documents.into_values().map(Value::Object).collect())
}

fn embedded(mut texts: Vec<(u32, &Value)>) -> Option<Value> {
    texts.sort_by_key(|(number, _)| *number);
    (!texts.is_empty()).then(|| texts.into_iter().map(|(_, text)| text.clone()).collect())
}

fn begins_with_system(messages: &[Value]) -> bool {
    messages.first().and_then(|first| first.get("role")).and_then(Value::as_str) == Some("system")
}

fn said_in_answer(output: Option<&Value>) -> Option<&str> {
    output?.as_array()?.last()?.get("finish_reason")?.as_str()
}

fn conversation(whole: Option<&Value>, indexed: messages::indexed::Indexed<'_>, role: &str) -> Option<Vec<Value>> {
    if let Some(value) = whole {
        if let Some(messages) = messages::read(value, role) {
            return Some(messages);
        }
        return Some(vec![messages::plain(role, json::or_text(value))]);
    }
    if indexed.is_empty() {
        return None;
    }
    messages::list(Value::Array(indexed.into_messages()), role)
}

fn plain(content: Content<'_>, is_json: Option<bool>) -> Value {
    match (content, is_json) {
        // The AI SDK sends the values that it embeds as a list of texts in JSON.
        (Content::Texts(Value::Array(texts)), _) => Value::Array(texts.iter().map(json::or_text).collect()),
        (Content::Texts(other), _) => json::or_text(other),
        (Content::Json(value), _) | (Content::Text(value), Some(true)) => json::or_text(value),
        (Content::Text(value), _) => value.clone(),
    }
}

fn owned(best: &mut Best<Text<'_>>) -> Option<String> {
    best.take().map(|text| clean(text.into_owned()))
}

fn label(value: Option<&Value>) -> Option<String> {
    value.and_then(text).map(|text| clean(text.into_owned()))
}

/// Names and ids go into indexes and onto pages, where a NUL has no business.
fn clean(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

#[cfg(test)]
#[path = "normalise_tests.rs"]
mod tests;

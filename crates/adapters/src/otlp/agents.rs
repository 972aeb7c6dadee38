//! The exporter of the OpenAI Agents SDK: `{"data": [traces and spans]}`, which is not OTLP.
//! <https://openai.github.io/openai-agents-python/tracing/>

use super::json::{check_size, parse_record};
use super::langfuse::time;
use super::{Decoded, Refused, foreign_id};
use flowtrace_core::span::SpanStatus;
use flowtrace_core::span::raw::RawSpan;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
}

/// `POST /v1/traces/ingest`. Traces have no span of their own here, so each gets one that lasts as long as what is in it; it is a
/// piece, because more of it may come.
pub fn decode(body: &[u8]) -> Result<Decoded, Refused> {
    let what = "a list of traces and spans in JSON";
    check_size(body)?;
    let request: Request<'_> =
        serde_json::from_slice(body).map_err(|error| Refused::Malformed { what, why: error.to_string() })?;
    let mut decoded = Decoded::default();
    for raw in request.data {
        let read = parse_record::<Map<String, Value>>(raw);
        if let Err(why) = read.and_then(|item| item_of(item, &mut decoded)) {
            decoded.rejected.add(|| format!("an item was left out: {why}"));
        }
    }
    Ok(decoded)
}

fn item_of(mut item: Map<String, Value>, decoded: &mut Decoded) -> Result<(), String> {
    match text(&item, "object") {
        Some("trace") => trace(item, decoded),
        Some("trace.span") => {
            let span = span(&mut item, decoded)?;
            decoded.spans.push(span);
            Ok(())
        }
        _ => Err("its `object` is neither `trace` nor `trace.span`".to_owned()),
    }
}

fn trace(mut item: Map<String, Value>, decoded: &mut Decoded) -> Result<(), String> {
    let trace_id = foreign_id::trace(text(&item, "id").ok_or("a trace needs an `id`")?);
    let mut root = RawSpan::new(trace_id, foreign_id::root(trace_id), 0, 0);
    let name = text(&item, "workflow_name").unwrap_or("Agent workflow").to_owned();
    root.attributes.insert("gen_ai.operation.name".to_owned(), "invoke_workflow".into());
    root.attributes.insert("langfuse.trace.name".to_owned(), name.clone().into());
    root.name = name;
    for (key, name) in [("group_id", "session.id"), ("metadata", "metadata")] {
        if let Some(value) = item.remove(key).filter(|value| !value.is_null()) {
            root.attributes.insert(name.to_owned(), value);
        }
    }
    decoded.pieces.push(root);
    Ok(())
}

fn span(item: &mut Map<String, Value>, decoded: &mut Decoded) -> Result<RawSpan, String> {
    let trace_id = foreign_id::trace(text(item, "trace_id").ok_or("a span needs a `trace_id`")?);
    let span_id = foreign_id::span(text(item, "id").ok_or("a span needs an `id`")?);
    let moment = |key: &str| item.get(key).map_or(Ok(None), |value| time(value).map_err(|why| format!("`{key}` {why}")));
    let started = moment("started_at")?.ok_or("a span needs `started_at`")?;
    let ended = moment("ended_at")?.unwrap_or(started).max(started);
    let mut span = RawSpan::new(trace_id, span_id, started, ended);
    span.parent_span_id = Some(match text(item, "parent_id") {
        Some(parent) => foreign_id::span(parent),
        None => {
            let root = foreign_id::root(trace_id);
            decoded.pieces.push(RawSpan::new(trace_id, root, started, ended));
            root
        }
    });
    if let Some(Value::Object(error)) = item.get("error") {
        span.status = SpanStatus::Error;
        span.status_message = text(error, "message").unwrap_or_default().to_owned();
        // The message says where it happened, the data says what.
        if let Some(cause) = error.get("data").and_then(|data| data.get("error")).and_then(Value::as_str) {
            span.status_message = format!("{}: {cause}", span.status_message);
        }
        if let Some(data) = error.get("data").filter(|data| !data.is_null()) {
            span.attributes.insert("error.data".to_owned(), data.clone());
        }
    }
    let mut data = match item.remove("span_data") {
        Some(Value::Object(data)) => data,
        _ => return Err("a span needs `span_data`".to_owned()),
    };
    let mut kind = text(&data, "type").unwrap_or("custom").to_owned();
    span.name = text(&data, "name").map_or_else(|| kind.clone(), str::to_owned);
    // One run of agents, and one turn of an agent, come as custom spans that say in their data what they are.
    let inner = data.get("data").and_then(Value::as_object);
    if kind == "custom"
        && let Some(inner) = inner
        && let Some(of_sdk) = text(inner, "sdk_span_type")
    {
        match (text(inner, "name"), inner.get("turn").and_then(Value::as_u64)) {
            (Some(name), _) => span.name = name.to_owned(),
            (None, Some(turn)) => span.name = format!("{of_sdk} {turn}"),
            (None, None) => {}
        }
        kind = of_sdk.to_owned();
    }
    let operation = match kind.as_str() {
        "agent" => "invoke_agent",
        "function" | "mcp_tools" => "execute_tool",
        "generation" | "response" => "chat",
        _ => "",
    };
    // A hand-over is no work of its own.
    if operation.is_empty() && kind != "handoff" {
        span.attributes.insert("langfuse.observation.type".to_owned(), "span".into());
    }
    if kind == "custom"
        && let Some(own @ Value::Object(_)) = data.get("data")
    {
        span.attributes.insert("langfuse.observation.metadata".to_owned(), own.clone());
    }
    let mut set = |name: &str, value: Value| {
        if !value.is_null() && value != "" {
            span.attributes.insert(name.to_owned(), value);
        }
    };
    set("gen_ai.operation.name", operation.into());
    set("gen_ai.provider.name", if operation == "chat" { "openai".into() } else { Value::Null });
    set("gen_ai.request.model", data.remove("model").unwrap_or_default());
    set("gen_ai.response.id", data.remove("response_id").unwrap_or_default());
    set("langfuse.observation.model.parameters", data.remove("model_config").unwrap_or_default());
    set("langfuse.observation.usage_details", data.remove("usage").unwrap_or_default());
    set("langfuse.observation.input", data.remove("input").unwrap_or_default());
    set("langfuse.observation.output", data.remove("output").unwrap_or_default());
    if kind == "handoff" {
        let end = |key: &str| data.get(key).and_then(Value::as_str).unwrap_or("?").to_owned();
        span.name = format!("handoff: {} → {}", end("from_agent"), end("to_agent"));
    }
    span.attributes.insert("openai.agents".to_owned(), json!({ "type": kind, "data": data }));
    Ok(span)
}

fn text<'a>(item: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    item.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
}

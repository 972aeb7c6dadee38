//! Messages that came as events of a span or as log records beside it: one for each message (`gen_ai.user.message`, `gen_ai.choice`).

use super::list;
use crate::span::{Span, SpanEvent, json};
use serde_json::{Map, Value};

/// Whether the span has events that are messages.
pub fn told_by_events(span: &Span) -> bool {
    span.events.iter().any(|event| role(&event.name).is_some())
}

/// Whether one of them is of a model call alone.
pub fn called_by_events(span: &Span) -> bool {
    span.events.iter().any(|event| event.name.starts_with("gen_ai.") && role(&event.name).is_some())
}

/// Takes away the input and the output that were read from events, so that they can be read again from more of them.
pub fn forget_events(span: &mut Span) {
    let (input, output) = read(&span.events);
    if input.is_some() && span.input == input {
        span.input = None;
    }
    if output.is_some() && span.output == output {
        span.output = None;
    }
}

/// Reads the input and the output from the events, where nothing else has told them.
pub fn read_events(span: &mut Span) {
    let (input, output) = read(&span.events);
    span.input = span.input.take().or(input);
    span.output = span.output.take().or(output);
}

/// Where an event stands among others of the same moment, so that a conversation reads the same however its pieces arrived.
pub fn place(name: &str) -> u8 {
    match name {
        "gen_ai.system.message" => 0,
        "gen_ai.choice" => 2,
        _ => 1,
    }
}

fn read(events: &[SpanEvent]) -> (Option<Value>, Option<Value>) {
    let (mut input, mut output) = (Vec::new(), Vec::new());
    for event in events {
        let Some(role) = role(&event.name) else { continue };
        match event.name.as_str() {
            "gen_ai.choice" => output.extend(choice(&event.attributes)),
            // Claude Code also asks for a title of the session, which is no part of the talk.
            "claude_code.assistant_response"
                if event.attributes.get("query_source").is_some_and(|of| of == "generate_session_title") => {}
            "claude_code.assistant_response" => output.extend(content(&event.attributes, "response", role)),
            "claude_code.user_prompt" => input.extend(content(&event.attributes, "prompt", role)),
            "gen_ai.content.prompt" => input.extend(content(&event.attributes, "gen_ai.prompt", role)),
            "gen_ai.content.completion" => output.extend(content(&event.attributes, "gen_ai.completion", role)),
            _ => input.extend(message(&event.attributes, role)),
        }
    }
    let some = |list: Vec<Value>| (!list.is_empty()).then_some(Value::Array(list));
    (some(input), some(output))
}

/// Whose message an event of this name is; `None` for any other event.
fn role(name: &str) -> Option<&'static str> {
    Some(match name {
        "gen_ai.system.message" => "system",
        "gen_ai.user.message" | "gen_ai.content.prompt" | "claude_code.user_prompt" => "user",
        "gen_ai.assistant.message" | "gen_ai.choice" | "gen_ai.content.completion" | "claude_code.assistant_response" => {
            "assistant"
        }
        "gen_ai.tool.message" => "tool",
        _ => return None,
    })
}

/// The fields of a message: in the body of the log record, in `gen_ai.event.content`, or in the attributes.
fn fields(attributes: &Map<String, Value>) -> Map<String, Value> {
    let body = attributes.get("body").or_else(|| attributes.get("gen_ai.event.content")).and_then(json::value);
    match body {
        Some(Value::Object(fields)) => fields,
        _ => {
            let own = |key: &str| !key.contains('.') && !matches!(key, "severity" | "index");
            attributes
                .iter()
                .filter(|(key, _)| own(key))
                .map(|(key, value)| (key.clone(), json::structured(value.clone())))
                .collect()
        }
    }
}

fn message(attributes: &Map<String, Value>, role: &str) -> Vec<Value> {
    let mut fields = fields(attributes);
    if role == "tool"
        && let Some(id) = fields.remove("id")
    {
        fields.insert("tool_call_id".to_owned(), id);
    }
    fields.entry("role").or_insert_with(|| role.into());
    list(Value::Object(fields), role).unwrap_or_default()
}

/// `{index, finish_reason, message: {role, content, tool_calls}}`
fn choice(attributes: &Map<String, Value>) -> Vec<Value> {
    let mut fields = fields(attributes);
    fields.remove("index");
    let reason = fields.remove("finish_reason");
    let mut message = match fields.remove("message") {
        Some(Value::Object(message)) => message,
        Some(Value::String(text)) => Map::from_iter([("content".to_owned(), Value::String(text))]),
        _ => fields,
    };
    if message.is_empty() {
        return Vec::new();
    }
    message.entry("role").or_insert_with(|| "assistant".into());
    if let Some(reason) = reason {
        message.insert("finish_reason".to_owned(), reason);
    }
    list(Value::Object(message), "assistant").unwrap_or_default()
}

fn content(attributes: &Map<String, Value>, key: &str, role: &str) -> Vec<Value> {
    let Some(value) = attributes.get(key) else { return Vec::new() };
    super::read(value, role).unwrap_or_else(|| vec![super::plain(role, value.clone())])
}

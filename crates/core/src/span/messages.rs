//! The messages of a model call. SDKs write them in four shapes: lists of parts (OpenTelemetry), the providers' own messages,
//! one attribute a field ([`indexed`]), and events or log records ([`events`]). All become
//! `[{role, content, reasoning?, tool_calls?: [{id, name, arguments}], tool_call_id?, name?, finish_reason?, …}]`.
//!
//! `content` is a text, or the list of parts where there is more than one or another kind of part. What no rule knows is kept.

pub mod events;
pub mod indexed;

use super::json;
use serde_json::{Map, Value};

pub use events::{called_by_events, forget_events, read_events, told_by_events};

/// The messages in a value: a list of them, one alone, or an object that holds them under `messages`. `None` where it holds none;
/// `role` is for a message that does not say whose it is.
pub fn read(value: &Value, role: &str) -> Option<Vec<Value>> {
    list(json::value(value)?, role)
}

/// The tools that stand beside messages in an object.
pub fn tools_beside(value: &Value) -> Option<Value> {
    match value {
        Value::Object(object) => object.get("tools").filter(|tools| !tools.is_null()).cloned(),
        Value::String(text) if text.starts_with('{') => tools_beside(&json::parse(text)?),
        _ => None,
    }
}

/// As [`read`], of a value that needs no parsing.
pub fn list(value: Value, role: &str) -> Option<Vec<Value>> {
    let mut out = Vec::new();
    match value {
        Value::Array(items) => {
            if items.is_empty() || !items.iter().all(is_message) {
                return None;
            }
            out.reserve(items.len());
            for item in items {
                if let Value::Object(message) = item {
                    push(message, role, &mut out);
                }
            }
        }
        Value::Object(mut object) => {
            // Gemini calls them contents, and its answer has one.
            for name in ["messages", "contents"] {
                if let Some(messages @ Value::Array(_)) = object.get_mut(name) {
                    return list(messages.take(), role);
                }
            }
            if let Some(content @ Value::Object(_)) = object.get_mut("content")
                && content.get("parts").is_some()
            {
                return list(content.take(), role);
            }
            if !is_message_object(&object) {
                return None;
            }
            push(object, role, &mut out);
        }
        _ => return None,
    }
    Some(out)
}

/// Instructions that were sent apart from the messages, as the message that they are.
pub fn system(value: &Value) -> Option<Value> {
    let content = match json::or_text(value) {
        Value::Array(parts) => {
            let mut read = Parts::default();
            parts.into_iter().for_each(|part| read.part(part));
            read.content()
        }
        Value::String(text) => Value::String(text),
        _ => return None,
    };
    Some(plain("system", content))
}

/// A message of one text.
pub fn plain(role: &str, content: Value) -> Value {
    let mut message = Map::new();
    message.insert("role".to_owned(), role.into());
    message.insert("content".to_owned(), content);
    Value::Object(message)
}

/// An answer that came as a text and a list of calls apart.
pub fn answer(text: Option<&Value>, calls: Option<&Value>) -> Vec<Value> {
    let mut message = Map::new();
    message.insert("role".to_owned(), "assistant".into());
    message.insert("content".to_owned(), text.cloned().unwrap_or(Value::Null));
    if let Some(calls) = calls {
        message.insert("tool_calls".to_owned(), calls.clone());
    }
    let mut out = Vec::new();
    push(message, "assistant", &mut out);
    out
}

fn is_message(value: &Value) -> bool {
    value.as_object().is_some_and(is_message_object)
}

fn is_message_object(object: &Map<String, Value>) -> bool {
    let kind = object.get("type").and_then(Value::as_str);
    object.get("role").is_some_and(Value::is_string)
        || matches!(kind, Some("function_call" | "function_call_output" | "reasoning" | "message"))
        || (object.contains_key("content") && object.contains_key("tool_calls"))
}

/// One message of any shape. Results of tools become messages of their own, before the rest.
fn push(object: Map<String, Value>, role_if_none: &str, out: &mut Vec<Value>) {
    if !object.contains_key("role") && object.get("type").and_then(Value::as_str).is_some_and(|kind| kind != "message") {
        // An item of the Responses API that stands for itself.
        let mut parts = Parts::default();
        parts.part(Value::Object(object));
        return parts.finish(Map::new(), "assistant".to_owned(), out);
    }
    let mut role = role_if_none.to_owned();
    let mut parts = Parts::default();
    let mut rest = Map::new();
    for (key, value) in object {
        match (key.as_str(), value) {
            ("role", Value::String(name)) => role = role_of(name),
            ("content" | "parts", Value::Array(items)) => items.into_iter().for_each(|item| parts.part(item)),
            ("content", Value::String(text)) if is_parts(&text) => match json::parse(&text) {
                Some(Value::Array(items)) => items.into_iter().for_each(|item| parts.part(item)),
                _ => parts.text(text),
            },
            ("content", Value::String(text)) => parts.text(text),
            ("content", Value::Null) | ("type", _) => {}
            ("content", value) => parts.other.push(value),
            ("tool_calls", value) => match json::structured(value) {
                Value::Array(calls) => calls.into_iter().filter_map(call).for_each(|call| parts.calls.push(call)),
                Value::Null => {}
                other => {
                    rest.insert("tool_calls".to_owned(), other);
                }
            },
            ("function_call", value @ Value::Object(_)) => parts.calls.extend(call(value)),
            ("reasoning_content" | "reasoning" | "thinking", Value::String(text)) => parts.reasoning(&text),
            ("tool_call_id" | "toolCallId", Value::String(id)) => {
                rest.insert("tool_call_id".to_owned(), Value::String(id));
            }
            ("finish_reason", Value::String(reason)) => {
                rest.insert("finish_reason".to_owned(), finish_reason(&reason).into());
            }
            (_, value) => {
                let empty = match &value {
                    Value::Null => true,
                    Value::Array(values) => values.is_empty(),
                    Value::Object(values) => values.is_empty(),
                    _ => false,
                };
                if !empty {
                    rest.insert(key, value);
                }
            }
        }
    }
    parts.finish(rest, role, out);
}

/// Whether a text is a list of parts in JSON: older versions of OpenLLMetry write lists so.
fn is_parts(text: &str) -> bool {
    text.starts_with("[{\"type\"") || text.starts_with("[{\"text\"")
}

fn role_of(name: String) -> String {
    match name.as_str() {
        "human" => "user".to_owned(),
        "ai" | "model" => "assistant".to_owned(),
        "function" => "tool".to_owned(),
        _ => name,
    }
}

/// Why a model stopped, in one word for the one reason that everybody spells differently.
pub fn finish_reason(reason: &str) -> String {
    match reason {
        "tool_call" | "tool-calls" | "tool_use" | "function_call" => "tool_calls".to_owned(),
        other => other.to_owned(),
    }
}

/// The parts of one message, sorted by what they are.
#[derive(Default)]
struct Parts {
    texts: Vec<String>,
    other: Vec<Value>,
    reasoning: String,
    calls: Vec<Value>,
    results: Vec<Value>,
}

impl Parts {
    fn text(&mut self, text: String) {
        self.texts.push(text);
    }

    fn reasoning(&mut self, text: &str) {
        if !self.reasoning.is_empty() && !text.is_empty() {
            self.reasoning.push('\n');
        }
        self.reasoning.push_str(text);
    }

    fn part(&mut self, part: Value) {
        let mut object = match part {
            Value::String(text) => return self.text(text),
            Value::Object(object) => object,
            other => return self.other.push(other),
        };
        let kind = object.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        match kind.as_str() {
            "" if object.get("functionCall").or(object.get("function_call")).is_some_and(Value::is_object) => {
                let inner = take(&mut object, &["functionCall", "function_call"]);
                self.calls.extend(inner.and_then(call));
            }
            "" if object.get("functionResponse").or(object.get("function_response")).is_some_and(Value::is_object) => {
                if let Some(Value::Object(inner)) = take(&mut object, &["functionResponse", "function_response"]) {
                    self.results.push(result(inner));
                }
            }
            "text" | "input_text" | "output_text" | "" => match take_text(&mut object, &["content", "text"]) {
                Some(text) => self.text(text),
                None => self.other.push(Value::Object(object)),
            },
            "reasoning" | "thinking" => match take_text(&mut object, &["content", "text", "thinking"]) {
                Some(text) => self.reasoning(&text),
                None => self.other.push(Value::Object(object)),
            },
            "tool_call" | "tool_use" | "tool-call" | "function_call" => match call(Value::Object(object)) {
                Some(call) => self.calls.push(call),
                None => self.other.push(Value::Null),
            },
            "tool_call_response" | "tool_result" | "tool-result" | "function_call_output" => self.results.push(result(object)),
            _ => self.other.push(Value::Object(object)),
        }
    }

    fn content(self) -> Value {
        let Parts { mut texts, other, .. } = self;
        match (texts.len(), other.is_empty()) {
            (0, true) => Value::Null,
            (1, true) => Value::String(texts.remove(0)),
            _ => {
                let text = |text: String| {
                    let mut part = Map::new();
                    part.insert("type".to_owned(), "text".into());
                    part.insert("text".to_owned(), Value::String(text));
                    Value::Object(part)
                };
                Value::Array(texts.into_iter().map(text).chain(other).collect())
            }
        }
    }

    fn finish(mut self, rest: Map<String, Value>, role: String, out: &mut Vec<Value>) {
        let says_nothing = self.texts.is_empty() && self.other.is_empty() && self.calls.is_empty() && self.reasoning.is_empty();
        let results = std::mem::take(&mut self.results);
        let only_results = !results.is_empty() && says_nothing;
        out.extend(results);
        if only_results {
            return;
        }
        let reasoning = std::mem::take(&mut self.reasoning);
        let calls = std::mem::take(&mut self.calls);
        let mut message = Map::new();
        message.insert("role".to_owned(), Value::String(role));
        message.insert("content".to_owned(), self.content());
        if !reasoning.is_empty() {
            message.insert("reasoning".to_owned(), Value::String(reasoning));
        }
        if !calls.is_empty() {
            message.insert("tool_calls".to_owned(), Value::Array(calls));
        }
        message.extend(rest);
        out.push(Value::Object(message));
    }
}

fn take_text(object: &mut Map<String, Value>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| match object.get_mut(*name) {
        Some(Value::String(text)) => Some(std::mem::take(text)),
        _ => None,
    })
}

fn take(object: &mut Map<String, Value>, names: &[&str]) -> Option<Value> {
    names.iter().find_map(|name| object.get_mut(*name).map(Value::take).filter(|value| !value.is_null()))
}

/// A call of a tool, of any shape, as `{id, name, arguments}`; the arguments as the value that they are.
fn call(value: Value) -> Option<Value> {
    let Value::Object(mut object) = value else { return None };
    let id = take(&mut object, &["id", "call_id", "toolCallId", "tool_call_id"]);
    let mut inner = match object.get_mut("function").map(Value::take) {
        Some(Value::Object(function)) => function,
        _ => object,
    };
    let name = take(&mut inner, &["name", "toolName", "tool_name"]);
    let arguments = take(&mut inner, &["arguments", "input", "args"]).map(json::structured);
    let mut call = Map::new();
    call.insert("id".to_owned(), id.unwrap_or(Value::Null));
    call.insert("name".to_owned(), name.unwrap_or(Value::Null));
    call.insert("arguments".to_owned(), arguments.unwrap_or(Value::Null));
    Some(Value::Object(call))
}

/// What a tool answered, as a message.
fn result(mut object: Map<String, Value>) -> Value {
    let id = take(&mut object, &["tool_use_id", "toolCallId", "tool_call_id", "call_id", "id"]);
    let name = take(&mut object, &["name", "toolName"]);
    let content = match take(&mut object, &["response", "result", "content", "output"]) {
        Some(Value::Array(items)) => {
            let mut parts = Parts::default();
            items.into_iter().for_each(|item| parts.part(item));
            parts.content()
        }
        // `{type: "text", value: …}` and `{type: "json", value: …}` of the AI SDK.
        Some(Value::Object(mut output)) if output.contains_key("type") && output.contains_key("value") => {
            output.get_mut("value").map(Value::take).unwrap_or(Value::Null)
        }
        Some(other) => other,
        None => Value::Null,
    };
    let Value::Object(mut message) = plain("tool", content) else { return Value::Null };
    if let Some(id) = id {
        message.insert("tool_call_id".to_owned(), id);
    }
    if let Some(name) = name {
        message.insert("name".to_owned(), name);
    }
    Value::Object(message)
}

//! Values that travel as JSON text inside a text.

use serde_json::Value;

/// How deep a value inside a text may be nested to be read. Deeper ones stay text, so that whatever is stored can be read back.
const MAX_DEPTH: usize = 64;

/// Commas that a text may hold to be read. A value takes dozens of times the two bytes that it may have in a text.
const MAX_COMMAS: usize = 200_000;

/// The value of a text that looks like JSON and is.
pub fn parse(text: &str) -> Option<Value> {
    let first = text.trim_start().bytes().next()?;
    if !matches!(first, b'{' | b'[' | b'"' | b't' | b'f' | b'n' | b'-' | b'0'..=b'9') {
        return None;
    }
    if text.len() > MAX_COMMAS && text.bytes().filter(|byte| *byte == b',').count() > MAX_COMMAS {
        return None;
    }
    serde_json::from_str(text).ok().filter(|value| depth_within(value, MAX_DEPTH))
}

/// The value itself, or the one inside its text.
pub fn value(value: &Value) -> Option<Value> {
    match value {
        Value::String(text) => parse(text),
        Value::Null => None,
        other => depth_within(other, MAX_DEPTH).then(|| other.clone()),
    }
}

/// The value inside the text, else the text.
pub fn or_text(value: &Value) -> Value {
    match value {
        Value::String(text) => parse(text).unwrap_or_else(|| value.clone()),
        other => other.clone(),
    }
}

/// A text that is an object or a list, as such; every other text stays text.
pub fn structured(value: Value) -> Value {
    match &value {
        Value::String(text) if text.trim_start().starts_with(['{', '[']) => parse(text).unwrap_or(value),
        _ => value,
    }
}

fn depth_within(value: &Value, left: usize) -> bool {
    match value {
        Value::Array(values) => left > 0 && values.iter().all(|value| depth_within(value, left - 1)),
        Value::Object(values) => left > 0 && values.values().all(|value| depth_within(value, left - 1)),
        _ => true,
    }
}

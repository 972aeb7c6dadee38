//! Messages that were taken apart into one attribute for each of their fields: `gen_ai.prompt.0.role`,
//! `llm.input_messages.0.message.tool_calls.1.tool_call.function.name`.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub struct Indexed<'a>(BTreeMap<u32, Fields<'a>>);

#[derive(Debug, Default)]
struct Fields<'a> {
    plain: Vec<(&'a str, &'a Value)>,
    parts: BTreeMap<u32, Vec<(&'a str, &'a Value)>>,
    calls: BTreeMap<u32, Call<'a>>,
}

#[derive(Debug, Default)]
struct Call<'a> {
    id: Option<&'a Value>,
    name: Option<&'a Value>,
    arguments: Option<&'a Value>,
}

impl<'a> Indexed<'a> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `key` begins with the message's number.
    pub fn read(&mut self, key: &'a str, value: &'a Value) -> bool {
        let Some((index, field)) = numbered(key) else { return false };
        let field = field.strip_prefix("message.").unwrap_or(field);
        let message = self.0.entry(index).or_default();
        if let Some((index, field)) = field.strip_prefix("tool_calls.").and_then(numbered) {
            let call = message.calls.entry(index).or_default();
            let field = field.strip_prefix("tool_call.").unwrap_or(field);
            match field.strip_prefix("function.").unwrap_or(field) {
                "id" => call.id = Some(value),
                "name" => call.name = Some(value),
                "arguments" => call.arguments = Some(value),
                _ => {}
            }
        } else if let Some((index, field)) = field.strip_prefix("contents.").and_then(numbered) {
            let field = field.strip_prefix("message_content.").unwrap_or(field);
            message.parts.entry(index).or_default().push((field, value));
        } else {
            message.plain.push((field, value));
        }
        true
    }

    /// The messages in the shape that providers use, to be read like any other.
    pub fn into_messages(self) -> Vec<Value> {
        self.0.into_values().map(Fields::into_message).collect()
    }
}

impl Fields<'_> {
    fn into_message(self) -> Value {
        let mut message = Map::new();
        for (field, value) in self.plain {
            let field = match field {
                "function_call_name" | "function_call_arguments_json" => continue,
                field => field,
            };
            message.insert(field.to_owned(), value.clone());
        }
        if !self.calls.is_empty() {
            let calls =
                self.calls.into_values().map(|call| json!({ "id": call.id, "name": call.name, "arguments": call.arguments }));
            message.insert("tool_calls".to_owned(), Value::Array(calls.collect()));
        }
        if !self.parts.is_empty() && message.get("content").and_then(Value::as_str).is_none_or(str::is_empty) {
            let parts = self.parts.into_values().map(|fields| {
                Value::Object(fields.into_iter().map(|(field, value)| (field.to_owned(), value.clone())).collect())
            });
            message.insert("content".to_owned(), Value::Array(parts.collect()));
        }
        Value::Object(message)
    }
}

/// `3.role` is the number 3 and `role`.
fn numbered(key: &str) -> Option<(u32, &str)> {
    let (index, field) = key.split_once('.')?;
    Some((index.parse().ok()?, field))
}

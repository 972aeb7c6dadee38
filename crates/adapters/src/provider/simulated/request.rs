//! What a request asks of the simulator.

use super::reply::Format;
use serde_json::{Value, json};
use std::collections::HashMap;

/// What a request asks for, as far as the simulator cares.
#[derive(Debug, Default)]
pub struct Wanted {
    pub model: String,
    /// The last user message that has text.
    pub prompt: String,
    /// Answers of the assistant that the conversation already holds.
    pub turn: usize,
    /// Name and schema of the tools on offer.
    pub tools: Vec<(String, Value)>,
    /// Name and text of the results that tools gave since the prompt.
    pub results: Vec<(String, String)>,
    /// All text of the request, for the count of tokens.
    pub input_chars: u64,
    pub schema: Option<Value>,
    pub max_tokens: Option<u64>,
    pub stream: bool,
    pub stream_usage: bool,
}

impl Wanted {
    /// Reads a request body; the error is a sentence.
    pub fn read(format: Format, body: &Value) -> Result<Self, String> {
        let model = body.get("model").and_then(Value::as_str).ok_or("The request names no `model`.")?.to_owned();
        let messages = body.get("messages").and_then(Value::as_array).ok_or("The request has no `messages`.")?;
        let number = |name: &str| body.get(name).and_then(Value::as_u64);
        let flag = |pointer: &str| body.pointer(pointer).and_then(Value::as_bool).unwrap_or(false);
        let (schema, max_tokens) = match format {
            Format::OpenAi => (
                body.pointer("/response_format/json_schema/schema"),
                number("max_completion_tokens").or_else(|| number("max_tokens")),
            ),
            Format::Anthropic => {
                let max_tokens = number("max_tokens").ok_or("The request has no `max_tokens`.")?;
                (body.pointer("/output_config/format/schema"), Some(max_tokens))
            }
        };
        let mut wanted = Wanted {
            model,
            schema: schema.cloned(),
            max_tokens,
            stream: flag("/stream"),
            stream_usage: flag("/stream_options/include_usage"),
            ..Wanted::default()
        };
        wanted.count(&body.get("system").map(text_of).unwrap_or_default());
        wanted.read_tools(format, body);
        let mut names = HashMap::new();
        for message in messages {
            wanted.read_message(message, &mut names);
        }
        Ok(wanted)
    }

    fn count(&mut self, text: &str) {
        self.input_chars += text.chars().count() as u64;
    }

    fn read_tools(&mut self, format: Format, body: &Value) {
        let tools = body.get("tools").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for tool in tools {
            self.count(&tool.to_string());
            let (tool, schema) = match format {
                Format::OpenAi => (tool.get("function").unwrap_or(&Value::Null), "parameters"),
                Format::Anthropic => (tool, "input_schema"),
            };
            if let Some(name) = tool.get("name").and_then(Value::as_str) {
                self.tools.push((name.to_owned(), tool.get(schema).cloned().unwrap_or_else(|| json!({}))));
            }
        }
        let choice = body.get("tool_choice");
        if choice.is_some_and(|choice| choice == "none" || choice.get("type").is_some_and(|kind| kind == "none")) {
            self.tools.clear();
        }
    }

    /// `names` holds the tool of every call so far, by its id.
    fn read_message(&mut self, message: &Value, names: &mut HashMap<String, String>) {
        let content = message.get("content").unwrap_or(&Value::Null);
        let text = text_of(content);
        self.count(&text);
        let parts = content.as_array().map(Vec::as_slice).unwrap_or_default();
        let string = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        match message.get("role").and_then(Value::as_str) {
            Some("assistant") => {
                self.turn += 1;
                for call in message.get("tool_calls").and_then(Value::as_array).into_iter().flatten() {
                    let function = call.get("function").unwrap_or(&Value::Null);
                    self.count(&string(function, "arguments"));
                    names.insert(string(call, "id"), string(function, "name"));
                }
                for block in parts.iter().filter(|part| part.get("type").is_some_and(|kind| kind == "tool_use")) {
                    self.count(&block.get("input").map(Value::to_string).unwrap_or_default());
                    names.insert(string(block, "id"), string(block, "name"));
                }
            }
            Some("tool") => {
                let name = names.get(&string(message, "tool_call_id")).cloned().unwrap_or_default();
                self.results.push((name, text));
            }
            Some("user") => {
                for part in parts.iter().filter(|part| part.get("type").is_some_and(|kind| kind == "tool_result")) {
                    let result = part.get("content").map(text_of).unwrap_or_default();
                    self.count(&result);
                    let name = names.get(&string(part, "tool_use_id")).cloned().unwrap_or_default();
                    self.results.push((name, result));
                }
                let only_results = text.is_empty() && !parts.is_empty();
                if !only_results {
                    self.prompt = text;
                    self.results.clear();
                }
            }
            _ => {}
        }
    }
}

/// Content is a string or a list of parts with text.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts: Vec<&str> = parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str)).collect();
            texts.join("\n")
        }
        _ => String::new(),
    }
}

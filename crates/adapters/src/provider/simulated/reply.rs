//! A simulated answer in both wire formats, streamed and whole.

use super::answer;
use super::script::{Fault, Script};
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;

/// The wire format of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    OpenAi,
    Anthropic,
}

/// One piece of a response, after a wait.
#[derive(Clone, Debug)]
pub struct Frame {
    pub after: Duration,
    pub bytes: Bytes,
}

/// What a request asks for, as far as the simulator cares.
#[derive(Debug)]
pub struct Wanted {
    pub model: String,
    pub prompt: String,
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
        let mut input_chars = body.get("system").map_or(0, |system| text_of(system).chars().count() as u64);
        let mut prompt = String::new();
        for message in messages {
            let text = message.get("content").map(text_of).unwrap_or_default();
            input_chars += text.chars().count() as u64;
            if message.get("role").and_then(Value::as_str) == Some("user") {
                prompt = text;
            }
        }
        let number = |name: &str| body.get(name).and_then(Value::as_u64);
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
        Ok(Wanted {
            model,
            prompt,
            input_chars,
            schema: schema.cloned(),
            max_tokens,
            stream: body.get("stream").and_then(Value::as_bool).unwrap_or(false),
            stream_usage: body.pointer("/stream_options/include_usage").and_then(Value::as_bool).unwrap_or(false),
        })
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

/// A complete simulated answer.
#[derive(Debug)]
pub struct Simulated {
    format: Format,
    id: String,
    model: String,
    text: String,
    cut_by_limit: bool,
    input: u64,
    cached: u64,
    output: u64,
    reasoning: u64,
}

impl Simulated {
    pub fn new(format: Format, wanted: &Wanted, script: &Script, number: u64) -> Self {
        let mut text = match (&script.answer, &wanted.schema) {
            (Some(Value::String(text)), _) => text.clone(),
            (Some(other), _) => other.to_string(),
            (None, Some(schema)) => answer::json_for(schema, &wanted.prompt).to_string(),
            (None, None) => answer::text_for(&wanted.model, &wanted.prompt),
        };
        let mut cut_by_limit = false;
        if script.output_tokens.is_none()
            && let Some(limit) = wanted.max_tokens
            && let Some((end, _)) = text.char_indices().nth(limit.saturating_mul(answer::CHARACTERS_PER_TOKEN) as usize)
        {
            text.truncate(end);
            cut_by_limit = true;
        }
        let input = script.input_tokens.unwrap_or(wanted.input_chars.div_ceil(answer::CHARACTERS_PER_TOKEN));
        let reasoning = script.reasoning_tokens.unwrap_or(0);
        let output = script.output_tokens.unwrap_or(answer::count_tokens(&text).saturating_add(reasoning));
        let id = match format {
            Format::OpenAi => format!("chatcmpl-simulated-{number}"),
            Format::Anthropic => format!("msg_simulated_{number}"),
        };
        Simulated {
            format,
            id,
            model: wanted.model.clone(),
            text,
            cut_by_limit,
            input,
            cached: script.cached_tokens.unwrap_or(0).min(input),
            output,
            reasoning: reasoning.min(output),
        }
    }

    pub fn tokens(&self) -> u64 {
        self.output
    }

    fn finish_reason(&self) -> &'static str {
        match (self.format, self.cut_by_limit) {
            (Format::OpenAi, false) => "stop",
            (Format::OpenAi, true) => "length",
            (Format::Anthropic, false) => "end_turn",
            (Format::Anthropic, true) => "max_tokens",
        }
    }

    fn usage(&self) -> Value {
        match self.format {
            Format::OpenAi => json!({
                "prompt_tokens": self.input,
                "completion_tokens": self.output,
                "total_tokens": self.input.saturating_add(self.output),
                "prompt_tokens_details": {"cached_tokens": self.cached},
                "completion_tokens_details": {"reasoning_tokens": self.reasoning}
            }),
            Format::Anthropic => json!({
                "input_tokens": self.input - self.cached,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": self.cached,
                "output_tokens": self.output,
                "output_tokens_details": {"thinking_tokens": self.reasoning}
            }),
        }
    }

    /// The whole answer as one JSON body.
    pub fn whole(&self) -> Value {
        match self.format {
            Format::OpenAi => json!({
                "id": self.id, "object": "chat.completion", "created": 0, "model": self.model, "system_fingerprint": "simulated",
                "choices": [{"index": 0, "message": {"role": "assistant", "content": self.text}, "finish_reason": self.finish_reason()}],
                "usage": self.usage()
            }),
            Format::Anthropic => json!({
                "id": self.id, "type": "message", "role": "assistant", "model": self.model,
                "content": [{"type": "text", "text": self.text}],
                "stop_reason": self.finish_reason(), "stop_sequence": null, "usage": self.usage()
            }),
        }
    }

    /// The stream, piece by piece. `pace` says how long a piece of so many tokens takes.
    pub fn stream(&self, stream_usage: bool, pace: impl Fn(u64) -> Duration) -> Vec<Frame> {
        let pieces = answer::pieces(&self.text);
        let tokens_per_piece = self.output / (pieces.len().max(1) as u64);
        let mut frames = Vec::with_capacity(pieces.len() + 5);
        let mut push = |after, event: Option<&str>, data: &str| {
            let name = event.map(|event| format!("event: {event}\n")).unwrap_or_default();
            frames.push(Frame { after, bytes: format!("{name}data: {data}\n\n").into() });
        };
        let now = Duration::ZERO;
        match self.format {
            Format::OpenAi => {
                let chunk = |delta: Value, finish: Value| {
                    json!({
                        "id": self.id, "object": "chat.completion.chunk", "created": 0, "model": self.model,
                        "system_fingerprint": "simulated",
                        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]
                    })
                    .to_string()
                };
                push(now, None, &chunk(json!({"role": "assistant", "content": ""}), Value::Null));
                for piece in pieces {
                    push(pace(tokens_per_piece), None, &chunk(json!({"content": piece}), Value::Null));
                }
                push(now, None, &chunk(json!({}), json!(self.finish_reason())));
                if stream_usage {
                    let last = json!({
                        "id": self.id, "object": "chat.completion.chunk", "created": 0, "model": self.model,
                        "system_fingerprint": "simulated", "choices": [], "usage": self.usage()
                    });
                    push(now, None, &last.to_string());
                }
                push(now, None, "[DONE]");
            }
            Format::Anthropic => {
                let mut send = |after, event: &str, mut data: Value| {
                    data["type"] = json!(event);
                    push(after, Some(event), &data.to_string());
                };
                let mut at_start = self.usage();
                at_start["output_tokens"] = json!(1); // provisional, as with the real one
                let message = json!({
                    "id": self.id, "type": "message", "role": "assistant", "model": self.model, "content": [],
                    "stop_reason": null, "stop_sequence": null, "usage": at_start
                });
                send(now, "message_start", json!({"message": message}));
                send(now, "content_block_start", json!({"index": 0, "content_block": {"type": "text", "text": ""}}));
                for piece in pieces {
                    let delta = json!({"index": 0, "delta": {"type": "text_delta", "text": piece}});
                    send(pace(tokens_per_piece), "content_block_delta", delta);
                }
                send(now, "content_block_stop", json!({"index": 0}));
                let delta = json!({"stop_reason": self.finish_reason(), "stop_sequence": null});
                send(now, "message_delta", json!({"delta": delta, "usage": self.usage()}));
                send(now, "message_stop", json!({}));
            }
        }
        frames
    }
}

/// The status and body of a simulated HTTP error.
pub fn error(format: Format, fault: &Fault) -> (StatusCode, Value) {
    let status = fault.status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let (openai, anthropic) = match status.as_u16() {
        429 => ("rate_limit_exceeded", "rate_limit_error"),
        401 => ("invalid_api_key", "authentication_error"),
        403 => ("permission_denied", "permission_error"),
        404 => ("model_not_found", "not_found_error"),
        529 => ("overloaded", "overloaded_error"),
        400..=499 => ("invalid_request_error", "invalid_request_error"),
        _ => ("server_error", "api_error"),
    };
    let message = format!("Simulated HTTP {} from the script of this node.", status.as_u16());
    (status, error_body(format, openai, anthropic, &message))
}

/// HTTP 400 with a sentence.
pub fn bad_request(format: Format, message: &str) -> (StatusCode, Value) {
    (StatusCode::BAD_REQUEST, error_body(format, "invalid_request_error", "invalid_request_error", message))
}

fn error_body(format: Format, openai: &str, anthropic: &str, message: &str) -> Value {
    match format {
        Format::OpenAi => json!({"error": {"message": message, "type": openai, "param": null, "code": openai}}),
        Format::Anthropic => json!({"type": "error", "error": {"type": anthropic, "message": message}}),
    }
}

//! A simulated answer in both wire formats, streamed and whole.

use super::answer;
use super::request::Wanted;
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

/// A complete simulated answer.
#[derive(Debug)]
pub struct Simulated {
    format: Format,
    id: String,
    model: String,
    text: String,
    calls: Vec<SimulatedCall>,
    cut_by_limit: bool,
    input: u64,
    cached: u64,
    output: u64,
    reasoning: u64,
}

#[derive(Debug, PartialEq)]
struct SimulatedCall {
    id: String,
    name: String,
    /// JSON, unless the script or a limit broke it.
    arguments: String,
}

impl Simulated {
    /// `script` is the one that was chosen for this request.
    pub fn new(format: Format, wanted: &Wanted, script: &Script, sample: Option<u64>, number: u64) -> Self {
        let (mut text, mut calls) = content(wanted, script, sample);
        let cut_by_limit = match wanted.max_tokens {
            Some(limit) if script.output_tokens.is_none() => cut(&mut text, &mut calls, limit),
            _ => false,
        };
        let input = script.input_tokens.unwrap_or(wanted.input_chars.div_ceil(answer::CHARACTERS_PER_TOKEN));
        let reasoning = script.reasoning_tokens.unwrap_or(0);
        let output = script.output_tokens.unwrap_or_else(|| {
            let calls: u64 =
                calls.iter().map(|call| answer::count_tokens(&call.name) + answer::count_tokens(&call.arguments)).sum();
            answer::count_tokens(&text).saturating_add(calls).saturating_add(reasoning)
        });
        let id = match format {
            Format::OpenAi => format!("chatcmpl-simulated-{number}"),
            Format::Anthropic => format!("msg_simulated_{number}"),
        };
        Simulated {
            format,
            id,
            model: wanted.model.clone(),
            text,
            calls,
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
        match (self.format, self.cut_by_limit, self.calls.is_empty()) {
            (Format::OpenAi, true, _) => "length",
            (Format::OpenAi, false, true) => "stop",
            (Format::OpenAi, false, false) => "tool_calls",
            (Format::Anthropic, true, _) => "max_tokens",
            (Format::Anthropic, false, true) => "end_turn",
            (Format::Anthropic, false, false) => "tool_use",
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
            Format::OpenAi => {
                let mut message = json!({"role": "assistant", "content": self.text});
                if !self.calls.is_empty() {
                    message["tool_calls"] = self.calls.iter().map(|call| openai_call(call, &call.arguments)).collect();
                }
                json!({
                    "id": self.id, "object": "chat.completion", "created": 0, "model": self.model, "system_fingerprint": "simulated",
                    "choices": [{"index": 0, "message": message, "finish_reason": self.finish_reason()}],
                    "usage": self.usage()
                })
            }
            Format::Anthropic => {
                let text = self.has_text().then(|| json!({"type": "text", "text": self.text}));
                let calls = self.calls.iter().map(|call| {
                    let input = serde_json::from_str(&call.arguments).unwrap_or_else(|_| json!(call.arguments));
                    json!({"type": "tool_use", "id": call.id, "name": call.name, "input": input})
                });
                json!({
                    "id": self.id, "type": "message", "role": "assistant", "model": self.model,
                    "content": text.into_iter().chain(calls).collect::<Vec<Value>>(),
                    "stop_reason": self.finish_reason(), "stop_sequence": null, "usage": self.usage()
                })
            }
        }
    }

    /// An answer of tool calls alone has no text; any other has, be it empty.
    fn has_text(&self) -> bool {
        !self.text.is_empty() || self.calls.is_empty()
    }

    /// The stream, piece by piece. `pace` says how long a piece of so many tokens takes.
    pub fn stream(&self, stream_usage: bool, pace: impl Fn(u64) -> Duration) -> Vec<Frame> {
        let count =
            answer::pieces(&self.text).len() + self.calls.iter().map(|call| answer::pieces(&call.arguments).len()).sum::<usize>();
        let tokens_per_piece = self.output / (count.max(1) as u64);
        let piece_time = pace(tokens_per_piece);
        match self.format {
            Format::OpenAi => self.openai_stream(stream_usage, piece_time),
            Format::Anthropic => self.anthropic_stream(piece_time),
        }
    }

    fn openai_stream(&self, stream_usage: bool, piece_time: Duration) -> Vec<Frame> {
        let mut frames = Vec::new();
        let mut push = |after, data: &str| frames.push(Frame { after, bytes: format!("data: {data}\n\n").into() });
        let chunk = |delta: Value, finish: Value| {
            json!({
                "id": self.id, "object": "chat.completion.chunk", "created": 0, "model": self.model,
                "system_fingerprint": "simulated",
                "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]
            })
            .to_string()
        };
        let now = Duration::ZERO;
        push(now, &chunk(json!({"role": "assistant", "content": ""}), Value::Null));
        for piece in answer::pieces(&self.text) {
            push(piece_time, &chunk(json!({"content": piece}), Value::Null));
        }
        for (index, call) in self.calls.iter().enumerate() {
            let mut start = openai_call(call, "");
            start["index"] = json!(index);
            push(now, &chunk(json!({"tool_calls": [start]}), Value::Null));
            for piece in answer::pieces(&call.arguments) {
                let delta = json!({"tool_calls": [{"index": index, "function": {"arguments": piece}}]});
                push(piece_time, &chunk(delta, Value::Null));
            }
        }
        push(now, &chunk(json!({}), json!(self.finish_reason())));
        if stream_usage {
            let last = json!({
                "id": self.id, "object": "chat.completion.chunk", "created": 0, "model": self.model,
                "system_fingerprint": "simulated", "choices": [], "usage": self.usage()
            });
            push(now, &last.to_string());
        }
        push(now, "[DONE]");
        frames
    }

    fn anthropic_stream(&self, piece_time: Duration) -> Vec<Frame> {
        let mut frames = Vec::new();
        let mut send = |after, event: &str, mut data: Value| {
            data["type"] = json!(event);
            frames.push(Frame { after, bytes: format!("event: {event}\ndata: {data}\n\n").into() });
        };
        let now = Duration::ZERO;
        let mut at_start = self.usage();
        at_start["output_tokens"] = json!(1); // provisional, as with the real one
        let message = json!({
            "id": self.id, "type": "message", "role": "assistant", "model": self.model, "content": [],
            "stop_reason": null, "stop_sequence": null, "usage": at_start
        });
        send(now, "message_start", json!({"message": message}));
        let text = self.has_text().then(|| (json!({"type": "text", "text": ""}), "text", self.text.as_str()));
        let calls = self.calls.iter().map(|call| {
            let block = json!({"type": "tool_use", "id": call.id, "name": call.name, "input": {}});
            (block, "input_json", call.arguments.as_str())
        });
        for (index, (block, kind, content)) in text.into_iter().chain(calls).enumerate() {
            send(now, "content_block_start", json!({"index": index, "content_block": block}));
            let field = if kind == "text" { "text" } else { "partial_json" };
            for piece in answer::pieces(content) {
                let delta = json!({"type": format!("{kind}_delta"), field: piece});
                send(piece_time, "content_block_delta", json!({"index": index, "delta": delta}));
            }
            send(now, "content_block_stop", json!({"index": index}));
        }
        let delta = json!({"stop_reason": self.finish_reason(), "stop_sequence": null});
        send(now, "message_delta", json!({"delta": delta, "usage": self.usage()}));
        send(now, "message_stop", json!({}));
        frames
    }
}

fn openai_call(call: &SimulatedCall, arguments: &str) -> Value {
    json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}})
}

/// What the model says: as the script has it; else a call of the first tool, once for each message of the user; else words or JSON.
fn content(wanted: &Wanted, script: &Script, sample: Option<u64>) -> (String, Vec<SimulatedCall>) {
    // The number of the answer keeps ids apart within a conversation, and the same after a crash.
    let call = |(i, (name, arguments)): (usize, (&str, String))| SimulatedCall {
        id: format!("call_simulated_{}_{}", wanted.turn + 1, i + 1),
        name: name.to_owned(),
        arguments,
    };
    if script.says_something() {
        let scripted = script.tool_calls.iter().flatten().map(|call| match &call.arguments {
            Value::String(text) => (call.name.as_str(), text.clone()),
            json => (call.name.as_str(), json.to_string()),
        });
        return (script.words().unwrap_or_default(), scripted.enumerate().map(call).collect());
    }
    if let (Some((name, schema)), true) = (wanted.tools.first(), wanted.results.is_empty()) {
        let arguments = answer::arguments_for(schema, &wanted.prompt).to_string();
        return (String::new(), vec![call((0, (name, arguments)))]);
    }
    let text = match &wanted.schema {
        Some(schema) => answer::json_for(schema, &wanted.prompt, sample).to_string(),
        None if wanted.results.is_empty() => answer::text_for(&wanted.model, &wanted.prompt),
        None => answer::text_from_results(&wanted.model, &wanted.results),
    };
    (text, Vec::new())
}

/// Cuts the answer after `limit` tokens, first its text, then the arguments of its calls. Says whether anything was cut.
fn cut(text: &mut String, calls: &mut Vec<SimulatedCall>, limit: u64) -> bool {
    let limit = limit.saturating_mul(answer::CHARACTERS_PER_TOKEN);
    let mut left = usize::try_from(limit).unwrap_or(usize::MAX);
    if !shorten(text, &mut left) {
        calls.clear();
        return true;
    }
    for i in 0..calls.len() {
        if left == 0 {
            calls.truncate(i);
            return true;
        }
        if !shorten(&mut calls[i].arguments, &mut left) {
            calls.truncate(i + 1);
            return true;
        }
    }
    false
}

/// Whether the text fits into the characters that are left; if not, it is cut and none is left.
fn shorten(text: &mut String, left: &mut usize) -> bool {
    match text.char_indices().nth(*left) {
        Some((end, _)) => {
            text.truncate(end);
            *left = 0;
            false
        }
        None => {
            *left -= text.chars().count();
            true
        }
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

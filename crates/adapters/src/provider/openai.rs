//! OpenAI chat completions, and every server that is compatible with them.
//!
//! Request and stream: <https://platform.openai.com/docs/api-reference/chat/create> and `…/chat-streaming`.

use super::http::{HttpClient, Upstream, exchange};
use super::model::Models;
use super::schema;
use super::simulated;
use super::sse::SseEvent;
use super::tools::ToolCalls;
use super::wire::{Reply, Wire, WireError, error_in_stream, parse_data, tokens};
use flowtrace_core::call::{Message, ModelAnswer, ModelCall, Role, ToolOffer, ToolUse};
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_core::usage::Usage;
use flowtrace_engine::port::BoxFuture;
use flowtrace_engine::port::provider::{CallContext, OnDelta, Provider};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub const DEFAULT_BASE_URL: &str = "https://api.openai.com/v1";

/// The field that carries the limit of the answer's length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaxTokensField {
    /// What OpenAI's own models want; its reasoning models refuse the older name.
    MaxCompletionTokens,
    /// What most compatible servers know.
    MaxTokens,
}

pub struct OpenAi {
    pub(super) http: HttpClient,
    pub(super) upstream: Upstream,
    /// The address of chat completions.
    pub(super) url: String,
    pub(super) models: Models,
    pub(super) max_tokens_field: MaxTokensField,
    /// Whether to ask for usage at the end of a stream.
    pub(super) stream_usage: bool,
}

impl Provider for OpenAi {
    fn name(&self) -> &str {
        &self.upstream.name
    }

    fn simulated(&self) -> bool {
        self.upstream.simulated
    }

    fn call<'a>(
        &'a self,
        call: &'a ModelCall,
        context: &'a CallContext,
        on_delta: OnDelta<'a>,
    ) -> BoxFuture<'a, Result<ModelAnswer, Failure>> {
        Box::pin(async move {
            let model = self.models.resolve(&call.target.model);
            let mut request = self.http.post(&self.url);
            let key = self.upstream.key.now();
            if let Some(key) = &key {
                request = request.bearer_auth(key.expose());
            }
            let body = self.body(call, &model, context.max_output_tokens);
            let request = simulated::with_body(&self.upstream, request, body, call, context);
            exchange(&self.upstream, key.as_ref(), &model, request, context, ChatStream::new(call.messages.len()), on_delta).await
        })
    }
}

impl OpenAi {
    fn body(&self, call: &ModelCall, model: &str, cap: Option<u64>) -> Value {
        let parameters = &call.parameters;
        let mut body = Map::new();
        body.insert("model".to_owned(), json!(model));
        body.insert("messages".to_owned(), call.messages.iter().map(message).collect());
        body.insert("stream".to_owned(), json!(true));
        if self.stream_usage {
            body.insert("stream_options".to_owned(), json!({"include_usage": true}));
        }
        if self.models.accepts_sampling(model) {
            if let Some(temperature) = parameters.temperature {
                body.insert("temperature".to_owned(), json!(temperature));
            }
            if let Some(top_p) = parameters.top_p {
                body.insert("top_p".to_owned(), json!(top_p));
            }
        }
        if let Some(max_tokens) = [parameters.max_tokens, cap].into_iter().flatten().min() {
            let field = match self.max_tokens_field {
                MaxTokensField::MaxCompletionTokens => "max_completion_tokens",
                MaxTokensField::MaxTokens => "max_tokens",
            };
            body.insert(field.to_owned(), json!(max_tokens));
        }
        if !parameters.stop.is_empty() {
            body.insert("stop".to_owned(), json!(parameters.stop));
        }
        if let Some(seed) = parameters.seed {
            body.insert("seed".to_owned(), json!(seed));
        }
        if let Some(wanted) = &call.schema {
            let format = json!({"name": "answer", "schema": wanted, "strict": schema::is_openai_strict(wanted)});
            body.insert("response_format".to_owned(), json!({"type": "json_schema", "json_schema": format}));
        }
        if !call.tools.is_empty() {
            body.insert("tools".to_owned(), call.tools.iter().map(tool).collect());
        }
        Value::Object(body)
    }
}

fn message(message: &Message) -> Value {
    let role = match message.role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => "tool",
    };
    let mut wire = json!({"role": role, "content": message.content});
    if !message.tool_calls.is_empty() {
        wire["tool_calls"] = message.tool_calls.iter().map(tool_call).collect();
        if message.content.is_empty() {
            wire["content"] = Value::Null;
        }
    }
    if let Some(id) = &message.tool_call_id {
        wire["tool_call_id"] = json!(id);
    }
    wire
}

/// Arguments travel as text. What was no JSON goes back as the model wrote it.
fn tool_call(call: &ToolUse) -> Value {
    let arguments = match &call.arguments {
        Value::String(text) => text.clone(),
        json => json.to_string(),
    };
    json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}})
}

fn tool(offer: &ToolOffer) -> Value {
    let mut function = json!({"name": offer.name, "parameters": offer.parameters});
    if !offer.description.is_empty() {
        function["description"] = json!(offer.description);
    }
    json!({"type": "function", "function": function})
}

/// The decoder of one answer.
#[derive(Debug, Default)]
pub(super) struct ChatStream {
    reply: Reply,
    tool_calls: ToolCalls,
    /// Messages before the answer.
    messages: usize,
    refusal: String,
    saw_choice: bool,
    done: bool,
}

impl Wire for ChatStream {
    fn event(&mut self, event: &SseEvent, on_text: &mut dyn FnMut(&str)) -> Result<(), WireError> {
        if self.done {
            return Ok(());
        }
        if event.data.trim() == "[DONE]" {
            self.done = true;
            return Ok(());
        }
        let chunk = parse_data(&event.data)?;
        if let Some(error) = chunk.get("error").filter(|error| !error.is_null()) {
            return Err(error_in_stream(error));
        }
        self.take(&chunk, "delta", on_text)
    }

    fn has_begun(&self) -> bool {
        !self.reply.text.is_empty() || !self.tool_calls.is_empty()
    }

    fn is_done(&self) -> bool {
        self.done
    }

    fn whole(&mut self, body: &Value, on_text: &mut dyn FnMut(&str)) -> Result<(), WireError> {
        if let Some(error) = body.get("error").filter(|error| !error.is_null()) {
            return Err(error_in_stream(error));
        }
        self.take(body, "message", on_text)?;
        self.done = true;
        Ok(())
    }

    fn reply(mut self) -> Result<Reply, WireError> {
        if !self.saw_choice {
            return Err(WireError::malformed("answered without a choice"));
        }
        if !self.refusal.is_empty() {
            return Err(WireError::new(FailureCode::ContentFiltered, format!("refused to answer: {}", self.refusal)));
        }
        match self.reply.finish_reason.as_deref() {
            None => Err(WireError::malformed("ended its answer without a finish reason")),
            Some("content_filter") => Err(WireError::new(
                FailureCode::ContentFiltered,
                "cut the answer by its content filter (finish reason content_filter)",
            )),
            Some("tool_calls") if self.tool_calls.is_empty() => {
                Err(WireError::malformed("stopped to call tools but named none (finish reason tool_calls)"))
            }
            Some(_) => {
                self.reply.tool_calls = self.tool_calls.finish(self.messages)?;
                Ok(self.reply)
            }
        }
    }
}

impl ChatStream {
    pub(super) fn new(messages: usize) -> Self {
        ChatStream { messages, ..ChatStream::default() }
    }

    fn take(&mut self, chunk: &Value, message: &str, on_text: &mut dyn FnMut(&str)) -> Result<(), WireError> {
        let choices = match chunk.get("choices") {
            Some(Value::Array(choices)) => choices.as_slice(),
            // The chunk with the usage has an empty list or, from some servers, none.
            None | Some(Value::Null) if chunk.get("usage").is_some_and(Value::is_object) => &[],
            _ => return Err(WireError::malformed("sent an answer without choices")),
        };
        if let Some(model) = chunk.get("model").and_then(Value::as_str).filter(|model| !model.is_empty()) {
            self.reply.model = Some(model.to_owned());
        }
        // Only one choice is asked for.
        for choice in choices.iter().filter(|choice| tokens(choice, "/index").unwrap_or(0) == 0) {
            self.saw_choice = true;
            let Some(message) = choice.get(message) else { continue };
            match message.get("content") {
                Some(Value::String(text)) => self.add(text, on_text),
                // Some compatible servers send parts, with reasoning beside the text.
                Some(Value::Array(parts)) => {
                    for text in parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str)) {
                        self.add(text, on_text);
                    }
                }
                _ => {}
            }
            for call in message.get("tool_calls").and_then(Value::as_array).into_iter().flatten() {
                self.tool_calls.take_openai(call)?;
            }
            if let Some(refusal) = message.get("refusal").and_then(Value::as_str) {
                self.refusal.push_str(refusal);
            }
            if let Some(reason) = choice.get("finish_reason").and_then(Value::as_str) {
                self.reply.finish_reason = Some(reason.to_owned());
            }
        }
        // Some servers repeat the usage so far in every chunk; the last one counts.
        if let Some(usage) = chunk.get("usage").filter(|usage| usage.is_object()) {
            self.reply.usage = normalise(usage);
            self.reply.raw_usage = Some(usage.clone());
        }
        Ok(())
    }

    fn add(&mut self, text: &str, on_text: &mut dyn FnMut(&str)) {
        self.reply.text.push_str(text);
        on_text(text);
    }
}

/// `prompt_tokens` includes what the cache read and wrote, `completion_tokens` includes reasoning.
pub fn normalise(usage: &Value) -> Option<Usage> {
    let prompt = tokens(usage, "/prompt_tokens")?;
    let output = tokens(usage, "/completion_tokens")?;
    // DeepSeek's name for cached tokens stands beside OpenAI's.
    let cached = tokens(usage, "/prompt_tokens_details/cached_tokens").or_else(|| tokens(usage, "/prompt_cache_hit_tokens"));
    let cache_read = cached.unwrap_or(0).min(prompt);
    let cache_write = tokens(usage, "/prompt_tokens_details/cache_write_tokens").unwrap_or(0).min(prompt - cache_read);
    let reasoning = tokens(usage, "/completion_tokens_details/reasoning_tokens").unwrap_or(0).min(output);
    Some(Usage { input_uncached: prompt - cache_read - cache_write, cache_read, cache_write, output, reasoning })
}

#[cfg(test)]
#[path = "openai_tests.rs"]
pub(super) mod tests;

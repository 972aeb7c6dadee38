//! Anthropic's Messages API.
//!
//! Request: <https://platform.claude.com/docs/en/api/messages>; stream:
//! <https://platform.claude.com/docs/en/build-with-claude/streaming>; structured output (`output_config.format`):
//! <https://platform.claude.com/docs/en/build-with-claude/structured-outputs>.

use super::http::{HttpClient, Upstream, exchange};
use super::model::Models;
use super::schema;
use super::simulated;
use super::sse::SseEvent;
use super::tools::ToolCalls;
use super::wire::{Reply, Wire, WireError, error_in_stream, parse_data, tokens};
use flowtrace_core::call::{Message, ModelAnswer, ModelCall, Role, ToolUse};
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_core::usage::Usage;
use flowtrace_engine::port::BoxFuture;
use flowtrace_engine::port::provider::{CallContext, OnDelta, Provider};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

pub const DEFAULT_BASE_URL: &str = "https://api.anthropic.com";

/// The version of the wire format that this client speaks.
const API_VERSION: &str = "2023-06-01";

/// `max_tokens` is required by the API. Every model that is not retired allows at least four times as much; the number
/// leaves room for reasoning and still bounds what one call can cost.
pub const DEFAULT_MAX_TOKENS: u64 = 16_384;

pub struct Anthropic {
    pub(super) http: HttpClient,
    pub(super) upstream: Upstream,
    /// The address of the messages endpoint.
    pub(super) url: String,
    pub(super) models: Models,
    /// For calls that set no limit.
    pub(super) default_max_tokens: u64,
}

impl Provider for Anthropic {
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
            let mut request = self.http.post(&self.url).header("anthropic-version", API_VERSION);
            let key = self.upstream.key.now();
            if let Some(key) = &key {
                request = request.header("x-api-key", key.header());
            }
            let body = self.body(call, &model, context.max_output_tokens);
            let request = simulated::with_body(&self.upstream, request, body, call, context);
            let wire = MessageStream::new(call.messages.len());
            exchange(&self.upstream, key.as_ref(), &model, request, context, wire, on_delta).await
        })
    }
}

impl Anthropic {
    fn body(&self, call: &ModelCall, model: &str, cap: Option<u64>) -> Value {
        let parameters = &call.parameters;
        let system: Vec<&str> =
            call.messages.iter().filter(|message| message.role == Role::System).map(|message| message.content.as_str()).collect();
        let mut body = Map::new();
        let max_tokens = parameters.max_tokens.unwrap_or(self.default_max_tokens);
        body.insert("model".to_owned(), json!(model));
        body.insert("max_tokens".to_owned(), json!(max_tokens.min(cap.unwrap_or(u64::MAX))));
        if !system.is_empty() {
            body.insert("system".to_owned(), json!(system.join("\n\n")));
        }
        body.insert("messages".to_owned(), json!(conversation(&call.messages)));
        body.insert("stream".to_owned(), json!(true));
        if self.models.accepts_sampling(model) {
            // The scale ends at 1 here and at 2 at OpenAI; a call that falls back must not fail for that.
            if let Some(temperature) = parameters.temperature {
                body.insert("temperature".to_owned(), json!(temperature.min(1.0)));
            }
            // Claude 4 models refuse both at once; temperature is the one that authors set on purpose.
            if let (Some(top_p), None) = (parameters.top_p, parameters.temperature) {
                body.insert("top_p".to_owned(), json!(top_p));
            }
        }
        if !parameters.stop.is_empty() {
            body.insert("stop_sequences".to_owned(), json!(parameters.stop));
        }
        if let Some(wanted) = &call.schema {
            let format = json!({"type": "json_schema", "schema": schema::for_anthropic(wanted)});
            body.insert("output_config".to_owned(), json!({"format": format}));
        }
        let tools: Vec<Value> = call.tools.iter().map(|offer| tool(&offer.name, &offer.description, &offer.parameters)).collect();
        let used = names_used(&call.messages);
        if !tools.is_empty() {
            body.insert("tools".to_owned(), json!(tools));
        } else if !used.is_empty() {
            // A conversation with tool calls is refused without their definitions, even where no further call is wanted.
            let any = json!({"type": "object"});
            body.insert("tools".to_owned(), used.into_iter().map(|name| tool(name, "", &any)).collect());
            body.insert("tool_choice".to_owned(), json!({"type": "none"}));
        }
        Value::Object(body)
    }
}

/// The messages without the system's. Results of tools are blocks of a user message; all that answer one message of the
/// assistant have to stand in the one message that follows it.
fn conversation(messages: &[Message]) -> Vec<Value> {
    let mut wire: Vec<Value> = Vec::with_capacity(messages.len());
    let mut results: Vec<Value> = Vec::new();
    for message in messages.iter().filter(|message| message.role != Role::System) {
        if message.role == Role::Tool {
            let id = message.tool_call_id.as_deref().unwrap_or_default();
            results.push(json!({"type": "tool_result", "tool_use_id": id, "content": message.content}));
            continue;
        }
        if !results.is_empty() {
            wire.push(json!({"role": "user", "content": std::mem::take(&mut results)}));
        }
        let role = if message.role == Role::Assistant { "assistant" } else { "user" };
        if message.tool_calls.is_empty() {
            wire.push(json!({"role": role, "content": message.content}));
            continue;
        }
        // Empty text blocks are refused.
        let text = (!message.content.is_empty()).then(|| json!({"type": "text", "text": message.content}));
        let blocks: Vec<Value> = text.into_iter().chain(message.tool_calls.iter().map(tool_use)).collect();
        wire.push(json!({"role": role, "content": blocks}));
    }
    if !results.is_empty() {
        wire.push(json!({"role": "user", "content": results}));
    }
    wire
}

/// `input` has to be an object; arguments that are none go back under a name that says so.
fn tool_use(call: &ToolUse) -> Value {
    let input = match &call.arguments {
        object @ Value::Object(_) => object.clone(),
        other => json!({"invalid_arguments": other}),
    };
    json!({"type": "tool_use", "id": call.id, "name": call.name, "input": input})
}

fn tool(name: &str, description: &str, parameters: &Value) -> Value {
    let mut wire = json!({"name": name, "input_schema": parameters});
    if !description.is_empty() {
        wire["description"] = json!(description);
    }
    wire
}

fn names_used(messages: &[Message]) -> BTreeSet<&str> {
    messages.iter().flat_map(|message| &message.tool_calls).map(|call| call.name.as_str()).collect()
}

/// The decoder of one answer.
#[derive(Debug, Default)]
pub(super) struct MessageStream {
    reply: Reply,
    tool_calls: ToolCalls,
    /// Messages before the answer.
    messages: usize,
    /// Usage comes in two parts: the prompt's at the start, the answer's at the end.
    usage: Map<String, Value>,
    started: bool,
    /// The count of answer tokens in `message_start` is provisional; only a later one counts.
    final_output: bool,
    stop_details: Option<String>,
    done: bool,
}

impl Wire for MessageStream {
    fn event(&mut self, event: &SseEvent, on_text: &mut dyn FnMut(&str)) -> Result<(), WireError> {
        if self.done {
            return Ok(());
        }
        let data = parse_data(&event.data)?;
        // The type stands in the data too; servers that are only compatible may leave the event's name out.
        match data.get("type").and_then(Value::as_str).unwrap_or(&event.event) {
            "message_start" => {
                let message = data.get("message").ok_or_else(|| WireError::malformed("sent message_start without a message"))?;
                self.started = true;
                self.take_model(message);
                self.merge_usage(message);
            }
            "content_block_start" => {
                let block = data.get("content_block").unwrap_or(&Value::Null);
                self.add(block.get("text"), on_text);
                self.tool_calls.take_block(tokens(&data, "/index"), block)?;
            }
            "content_block_delta" => {
                self.add(data.pointer("/delta/text"), on_text);
                if let Some(piece) = data.pointer("/delta/partial_json").and_then(Value::as_str) {
                    self.tool_calls.take_input(tokens(&data, "/index"), piece);
                }
            }
            "message_delta" => {
                if let Some(delta) = data.get("delta") {
                    self.take_stop(delta);
                }
                self.merge_usage(&data);
                self.final_output |= tokens(&data, "/usage/output_tokens").is_some();
            }
            "message_stop" => self.done = true,
            "error" => return Err(error_in_stream(data.get("error").unwrap_or(&data))),
            _ => {} // ping, content_block_stop and whatever the API adds
        }
        Ok(())
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
        let Some(Value::Array(blocks)) = body.get("content") else {
            return Err(WireError::malformed("sent an answer without content"));
        };
        for block in blocks {
            self.add(block.get("text"), on_text);
            self.tool_calls.take_block(None, block)?;
        }
        self.started = true;
        self.take_model(body);
        self.take_stop(body);
        self.merge_usage(body);
        self.final_output = true;
        self.done = true;
        Ok(())
    }

    fn reply(mut self) -> Result<Reply, WireError> {
        if !self.started {
            return Err(WireError::malformed("ended a stream that never began (no message_start)"));
        }
        match self.reply.finish_reason.as_deref() {
            None => return Err(WireError::malformed("ended its answer without a stop reason")),
            Some("refusal") => {
                let why = self.stop_details.map(|why| format!(": {why}")).unwrap_or_default();
                return Err(WireError::new(
                    FailureCode::ContentFiltered,
                    format!("refused to answer (stop reason refusal){why}"),
                ));
            }
            Some("tool_use") if self.tool_calls.is_empty() => {
                return Err(WireError::malformed("stopped to call tools but named none (stop reason tool_use)"));
            }
            Some(_) => {}
        }
        self.reply.tool_calls = self.tool_calls.finish(self.messages)?;
        if !self.usage.is_empty() {
            let usage = Value::Object(self.usage);
            self.reply.usage = if self.final_output { normalise(&usage) } else { None };
            self.reply.raw_usage = Some(usage);
        }
        Ok(self.reply)
    }
}

impl MessageStream {
    pub(super) fn new(messages: usize) -> Self {
        MessageStream { messages, ..MessageStream::default() }
    }

    /// Blocks of other kinds (thinking, tool use) have no `text`.
    fn add(&mut self, text: Option<&Value>, on_text: &mut dyn FnMut(&str)) {
        if let Some(text) = text.and_then(Value::as_str) {
            self.reply.text.push_str(text);
            on_text(text);
        }
    }

    fn take_model(&mut self, message: &Value) {
        if let Some(model) = message.get("model").and_then(Value::as_str).filter(|model| !model.is_empty()) {
            self.reply.model = Some(model.to_owned());
        }
    }

    fn take_stop(&mut self, message: &Value) {
        if let Some(reason) = message.get("stop_reason").and_then(Value::as_str) {
            self.reply.finish_reason = Some(reason.to_owned());
        }
        if let Some(details) = message.pointer("/stop_details/explanation").and_then(Value::as_str) {
            self.stop_details = Some(details.to_owned());
        }
    }

    /// Counts are cumulative, so a later one replaces an earlier one.
    fn merge_usage(&mut self, message: &Value) {
        if let Some(Value::Object(usage)) = message.get("usage") {
            for (name, value) in usage.iter().filter(|(_, value)| !value.is_null()) {
                self.usage.insert(name.clone(), value.clone());
            }
        }
    }
}

/// `input_tokens` leaves out what the cache read and wrote; `output_tokens` includes thinking.
pub fn normalise(usage: &Value) -> Option<Usage> {
    let output = tokens(usage, "/output_tokens")?;
    Some(Usage {
        input_uncached: tokens(usage, "/input_tokens")?,
        cache_read: tokens(usage, "/cache_read_input_tokens").unwrap_or(0),
        cache_write: tokens(usage, "/cache_creation_input_tokens").unwrap_or(0),
        output,
        reasoning: tokens(usage, "/output_tokens_details/thinking_tokens").unwrap_or(0).min(output),
    })
}

#[cfg(test)]
#[path = "anthropic_tests.rs"]
pub(super) mod tests;

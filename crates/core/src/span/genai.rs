//! OpenTelemetry's GenAI conventions, with the names that they had before, and what the SDK of Anthropic adds to them.
//! <https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/>

use super::SpanKind;
use super::found::Rank::{Current, Entity, Old};
use super::found::{Content, Found, count, measure, some, text};
use serde_json::Value;

/// Reads an attribute that starts with `gen_ai.`; whether it is known.
pub fn read<'a>(key: &'a str, value: &'a Value, found: &mut Found<'a>) -> bool {
    let Some(name) = key.strip_prefix("gen_ai.") else { return false };
    if let Some(rest) = name.strip_prefix("usage.") {
        return usage(rest, value, found);
    }
    if let Some(rest) = name.strip_prefix("prompt.") {
        return found.indexed_in.read(rest, value);
    }
    if let Some(rest) = name.strip_prefix("completion.") {
        return found.indexed_out.read(rest, value);
    }
    match name {
        "operation.name" => found.kind.offer(Old, text(value).and_then(|name| operation(&name))),
        "conversation.id" => found.session.offer(Current, text(value)),
        "provider.name" => found.provider.offer(Current, text(value)),
        "system" => found.provider.offer(Old, text(value)),
        "request.model" => found.model_requested.offer(Current, text(value)),
        "response.model" => found.model.offer(Current, text(value)),
        "response.id" => found.response_id.offer(Current, text(value)),
        "response.finish_reasons" => found.finish_reason.offer(Current, first(value)),
        // Seconds.
        "response.time_to_first_chunk" | "server.time_to_first_token" => {
            found.first_token_ms.offer(Current, measure(value).map(|seconds| seconds * 1e3));
        }
        "system_instructions" => found.system = some(value),
        "input.messages" => found.messages_in.offer(Current, some(value)),
        "output.messages" => found.messages_out.offer(Current, some(value)),
        "prompt" => found.messages_in.offer(Old, some(value)),
        "completion" => found.messages_out.offer(Old, some(value)),
        "tool.definitions" => found.tools.offer(Current, some(value)),
        "tool.name" => found.tool_name = text(value),
        "tool.call.arguments" => found.input.offer(Current, some(value).map(Content::Json)),
        "tool.call.result" => found.output.offer(Current, some(value).map(Content::Json)),
        "agent.name" => found.workflow.offer(Entity, text(value)),
        "embeddings.dimension.count" => found.parameter("dimensions", value),
        _ => match name.strip_prefix("request.") {
            Some(parameter) => found.parameter(parameter, value),
            None => return true,
        },
    }
    true
}

fn usage(name: &str, value: &Value, found: &mut Found<'_>) -> bool {
    match name {
        "input_tokens" => found.input_tokens.offer(Current, count(value)),
        "prompt_tokens" => found.input_tokens.offer(Old, count(value)),
        "output_tokens" => found.output_tokens.offer(Current, count(value)),
        "completion_tokens" => found.output_tokens.offer(Old, count(value)),
        "cache_read.input_tokens" => found.cached.offer(Current, count(value)),
        "cache_read_input_tokens" | "details.cache_read_tokens" => found.cached.offer(Old, count(value)),
        "cache_creation.input_tokens" | "cache_write.input_tokens" => found.cache_write.offer(Current, count(value)),
        "cache_creation_input_tokens" | "details.cache_write_tokens" => found.cache_write.offer(Old, count(value)),
        "reasoning_tokens" | "reasoning.output_tokens" => found.reasoning.offer(Current, count(value)),
        "details.reasoning_tokens" => found.reasoning.offer(Old, count(value)),
        "cost" => found.cost_usd.offer(Old, measure(value)),
        _ => {}
    }
    true
}

/// `gen_ai.operation.name`. Unknown ones say nothing.
pub fn operation(name: &str) -> Option<SpanKind> {
    Some(match name {
        "chat" | "text_completion" | "completion" | "generate_content" => SpanKind::Llm,
        "embeddings" | "embedding" => SpanKind::Embedding,
        "execute_tool" => SpanKind::Tool,
        "invoke_agent" | "create_agent" => SpanKind::Agent,
        "invoke_workflow" => SpanKind::Workflow,
        "retrieval" | "rerank" => SpanKind::Retrieval,
        _ => return None,
    })
}

fn first(value: &Value) -> Option<super::found::Text<'_>> {
    match value {
        Value::Array(values) => values.first().and_then(text),
        Value::String(list) if list.starts_with('[') => {
            let list = super::json::parse(list)?;
            list.get(0)?.as_str().map(|reason| reason.to_owned().into())
        }
        other => text(other),
    }
}

/// What the SDK of Anthropic says in its own words.
pub fn read_anthropic<'a>(key: &str, value: &'a Value, found: &mut Found<'a>) -> bool {
    match key {
        "anthropic.message.stop_reason" => found.finish_reason.offer(Old, text(value)),
        _ => return key.starts_with("anthropic."),
    }
    true
}

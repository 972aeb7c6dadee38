//! Traceloop's SDK and OpenLLMetry: decorators under `traceloop.*`, model calls of older versions under `llm.*`.
//! <https://www.traceloop.com/docs/openllmetry/contributing/semantic-conventions>

use super::SpanKind;
use super::found::Rank::{Entity, Generic, Old, Vendor};
use super::found::{Content, Found, count, some, text};
use serde_json::Value;

/// Reads an attribute that starts with `traceloop.`; whether it is known.
pub fn read<'a>(key: &'a str, value: &'a Value, found: &mut Found<'a>) -> bool {
    let Some(name) = key.strip_prefix("traceloop.") else { return false };
    if let Some(property) = name.strip_prefix("association.properties.") {
        match property {
            "session_id" => found.session.offer(Vendor, text(value)),
            "user_id" => found.user.offer(Vendor, text(value)),
            property => found.metadata(property, value.clone()),
        }
        return true;
    }
    match name {
        "span.kind" => {
            found.decorator = true;
            let kind = match value.as_str() {
                Some("workflow") => SpanKind::Workflow,
                Some("agent") => SpanKind::Agent,
                Some("tool") => SpanKind::Tool,
                _ => SpanKind::Task,
            };
            found.kind.offer(Vendor, Some(kind));
        }
        "entity.name" => found.entity_name = text(value),
        "workflow.name" => found.workflow.offer(Old, text(value)),
        "entity.input" => found.input.offer(Entity, some(value).map(Content::Json)),
        "entity.output" => found.output.offer(Entity, some(value).map(Content::Json)),
        "prompt.key" => found.prompt_name.offer(Old, text(value)),
        "prompt.version" => found.prompt_version.offer(Old, text(value)),
        _ => {}
    }
    true
}

/// Reads those attributes that start with `llm.` and are not OpenInference's; whether it is known.
pub fn read_llm<'a>(name: &'a str, value: &'a Value, found: &mut Found<'a>) -> bool {
    if let Some(function) = name.strip_prefix("request.functions.") {
        // `N.name`, `N.description`, `N.parameters`
        if let Some((_, "name")) = function.split_once('.') {
            let index = function.split('.').next().and_then(|index| index.parse().ok());
            found.indexed_tools.extend(index.map(|index| (index, value)));
        }
        return true;
    }
    match name {
        "request.type" => found.kind.offer(
            Generic,
            match value.as_str() {
                Some("chat" | "completion") => Some(SpanKind::Llm),
                Some("embedding") => Some(SpanKind::Embedding),
                Some("rerank") => Some(SpanKind::Retrieval),
                _ => None,
            },
        ),
        "request.functions" => found.tools.offer(Old, some(value)),
        "usage.total_tokens" | "is_streaming" | "headers" => {}
        "usage.prompt_tokens" => found.input_tokens.offer(Old, count(value)),
        "usage.completion_tokens" => found.output_tokens.offer(Old, count(value)),
        "usage.reasoning_tokens" => found.reasoning.offer(Old, count(value)),
        "usage.cache_read_input_tokens" => found.cached.offer(Old, count(value)),
        "usage.cache_creation_input_tokens" => found.cache_write.offer(Old, count(value)),
        "request.model" => found.model_requested.offer(Old, text(value)),
        "response.model" => found.model.offer(Old, text(value)),
        "vendor" => found.provider.offer(Generic, text(value)),
        "response.finish_reason" | "response.stop_reason" => found.finish_reason.offer(Old, text(value)),
        "user" => found.user.offer(Generic, text(value)),
        _ => return false,
    }
    true
}

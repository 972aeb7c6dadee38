//! OpenInference, the convention of Arize Phoenix.
//! <https://github.com/Arize-ai/openinference/blob/main/spec/semantic_conventions.md>

use super::SpanKind;
use super::found::Rank::{Entity, Generic, Vendor};
use super::found::{Content, Found, count, measure, some, text};
use super::json;
use super::raw::RawSpan;
use serde_json::Value;

/// Reads what may be OpenInference's; whether it is known.
pub fn read<'a>(key: &'a str, value: &'a Value, found: &mut Found<'a>) -> bool {
    match key {
        "openinference.span.kind" => {
            found.vendor = true;
            found.kind.offer(Vendor, value.as_str().and_then(kind));
        }
        "input.value" => found.input.offer(Generic, some(value).map(Content::Text)),
        "output.value" => found.output.offer(Generic, some(value).map(Content::Text)),
        "input.mime_type" => found.input_is_json = Some(value.as_str() == Some("application/json")),
        "output.mime_type" => found.output_is_json = Some(value.as_str() == Some("application/json")),
        "metadata" => found.metadata_object(value),
        "tag.tags" => found.tags(value),
        "embedding.model_name" => {
            found.model.offer(Vendor, text(value));
        }
        "tool.name" => found.tool_name = text(value),
        "agent.name"
        | "graph.node.id"
        | "graph.node.name"
        | "graph.node.parent_id"
        | "tool.description"
        | "tool.parameters"
        | "tool.id"
        | "tool.json_schema" => {}
        _ => match key.split_once('.') {
            Some(("llm", name)) => return llm(name, value, found),
            Some(("reranker", "query")) => found.input.offer(Generic, some(value).map(Content::Text)),
            Some(("retrieval" | "reranker", name)) => documents(name, value, found),
            Some(("embedding", name)) => {
                let number = name.strip_prefix("embeddings.").and_then(|name| name.strip_suffix(".embedding.text"));
                found.embedded.extend(number.and_then(|number| number.parse().ok()).map(|number| (number, value)));
            }
            Some(("document" | "openinference", _)) => {}
            _ => return false,
        },
    }
    true
}

/// `documents.N.document.content` of a search, `output_documents.N.document.content` of a reranker.
fn documents<'a>(name: &'a str, value: &'a Value, found: &mut Found<'a>) {
    let rest = name.strip_prefix("documents.").or(name.strip_prefix("output_documents."));
    if let Some((number, field)) = rest.and_then(|rest| rest.split_once('.'))
        && let (Ok(number), Some(field)) = (number.parse(), field.strip_prefix("document."))
    {
        found.documents.push((number, field, value));
    }
}

fn llm<'a>(name: &'a str, value: &'a Value, found: &mut Found<'a>) -> bool {
    if let Some(rest) = name.strip_prefix("input_messages.") {
        return found.indexed_in.read(rest, value);
    }
    if let Some(rest) = name.strip_prefix("output_messages.") {
        return found.indexed_out.read(rest, value);
    }
    if let Some(rest) = name.strip_prefix("tools.") {
        let index = rest.strip_suffix(".tool.json_schema").and_then(|index| index.parse().ok());
        found.indexed_tools.extend(index.map(|index| (index, value)));
        return true;
    }
    match name {
        "model_name" => found.model.offer(Vendor, text(value)),
        "provider" => found.provider.offer(Vendor, text(value)),
        "system" => found.provider.offer(Generic, text(value)),
        "token_count.prompt" => found.input_tokens.offer(Vendor, count(value)),
        "token_count.completion" => found.output_tokens.offer(Vendor, count(value)),
        "token_count.prompt_details.cache_read" => found.cached.offer(Vendor, count(value)),
        "token_count.prompt_details.cache_write" => found.cache_write.offer(Vendor, count(value)),
        "token_count.completion_details.reasoning" => found.reasoning.offer(Vendor, count(value)),
        "cost.total" => found.cost_usd.offer(Vendor, measure(value)),
        "finish_reason" => found.finish_reason.offer(Vendor, text(value)),
        "prompt_template.version" => found.prompt_version.offer(Vendor, text(value)),
        // Of a completion without messages: a list, mostly of one.
        "prompts" => match value.as_array().map(Vec::as_slice) {
            Some([prompt]) => found.input.offer(Entity, some(prompt).map(Content::Text)),
            _ => found.input.offer(Entity, some(value).map(Content::Json)),
        },
        "prompt_template.template" | "prompt_template.variables" => {}
        "invocation_parameters" => invocation(value, found),
        _ => return name.starts_with("token_count.") || name.starts_with("cost."),
    }
    true
}

/// The parameters of the call, with the model that was asked for among them. Some instrumentations put the whole answer there.
fn invocation(value: &Value, found: &mut Found<'_>) {
    let Some(Value::Object(object)) = json::value(value) else { return };
    for (key, value) in object {
        match key.as_str() {
            "model" | "model_name" => {
                if let Value::String(model) = value
                    && !model.is_empty()
                {
                    found.model_requested.offer(Vendor, Some(model.into()));
                }
            }
            "temperature"
            | "top_p"
            | "top_k"
            | "max_tokens"
            | "max_completion_tokens"
            | "max_output_tokens"
            | "stop"
            | "seed"
            | "frequency_penalty"
            | "presence_penalty"
            | "n"
            | "stream"
            | "tool_choice"
            | "parallel_tool_calls"
            | "response_format"
            | "reasoning_effort"
            | "dimensions"
            | "encoding_format" => found.parameter(&key, &value),
            _ => {}
        }
    }
}

/// The instrumentation of LlamaIndex says `LLM` of every method of a model's class, also of those that only prepare a call
/// (`OpenAI._prepare_chat_with_tools`): private ones, with no word of what was said or used.
pub fn only_prepares(raw: &RawSpan, found: &Found<'_>) -> bool {
    let scope = raw.scope.as_deref().unwrap_or_default();
    let private = raw.name.rsplit('.').next().is_some_and(|method| method.starts_with('_') && !method.starts_with("__"));
    let used = found.input_tokens.is_some() || found.output_tokens.is_some();
    scope.starts_with("openinference.instrumentation.llama_index")
        && private
        && !used
        && found.indexed_in.is_empty()
        && found.indexed_out.is_empty()
}

/// Whether it is an agent that says what the calls inside of it used, which may have no spans of their own: those that Claude Code makes
/// for the Claude Agent SDK have none.
pub fn tells_use(raw: &RawSpan, kind: SpanKind, found: &Found<'_>) -> bool {
    let scope = raw.scope.as_deref().unwrap_or_default();
    kind == SpanKind::Agent && scope.starts_with("openinference.") && found.input_tokens.is_some() && found.model.is_some()
}

fn kind(name: &str) -> Option<SpanKind> {
    Some(match name.to_ascii_uppercase().as_str() {
        "LLM" => SpanKind::Llm,
        "CHAIN" | "GUARDRAIL" | "EVALUATOR" | "PROMPT" => SpanKind::Task,
        "TOOL" => SpanKind::Tool,
        "AGENT" => SpanKind::Agent,
        "RETRIEVER" | "RERANKER" => SpanKind::Retrieval,
        "EMBEDDING" => SpanKind::Embedding,
        _ => return None,
    })
}

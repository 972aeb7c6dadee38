//! Langfuse: what its SDKs from version 3 on send over OpenTelemetry. The batches of version 2 are brought into the same names by
//! their decoder. <https://langfuse.com/integrations/native/opentelemetry>

use super::SpanKind;
use super::found::Rank::Vendor;
use super::found::{Content, Found, count, measure, some, text};
use super::json;
use serde_json::{Map, Value};

/// Reads an attribute that starts with `langfuse.`; whether it is known.
pub fn read<'a>(key: &'a str, value: &'a Value, found: &mut Found<'a>) -> bool {
    let Some(name) = key.strip_prefix("langfuse.") else { return false };
    found.vendor = true;
    let metadata = name.strip_prefix("trace.metadata").or_else(|| name.strip_prefix("observation.metadata"));
    if let Some(key) = metadata {
        match key.strip_prefix('.') {
            // Version 5 writes values as JSON, version 3 as they are.
            Some(key) => found.metadata(key, json::or_text(value)),
            None => found.metadata_object(value),
        }
        return true;
    }
    match name {
        "observation.type" => found.kind.offer(Vendor, value.as_str().and_then(kind)),
        "observation.input" => found.input.offer(Vendor, some(value).map(Content::Json)),
        "observation.output" => found.output.offer(Vendor, some(value).map(Content::Json)),
        "observation.model.name" => found.model.offer(Vendor, text(value)),
        "observation.model.parameters" => {
            if let Some(Value::Object(parameters)) = json::value(value) {
                for (key, value) in parameters {
                    // How JSON writes "no limit".
                    if !matches!(value.as_str(), Some("inf" | "Infinity")) {
                        found.parameter(&key, &value);
                    }
                }
            }
        }
        "observation.usage_details" | "observation.usage" => {
            if let Some(Value::Object(usage)) = json::value(value) {
                read_usage(&usage, found);
            }
        }
        "observation.cost_details" => {
            if let Some(Value::Object(costs)) = json::value(value) {
                let total = match costs.get("total") {
                    Some(total) => measure(total),
                    None => costs.values().map(measure).sum::<Option<f64>>().filter(|_| !costs.is_empty()),
                };
                found.cost_usd.offer(Vendor, total);
            }
        }
        "observation.completion_start_time" => {
            let quoted = text(value).map(|time| time.trim_matches('"').to_owned().into());
            found.first_token_at.offer(Vendor, quoted);
        }
        "observation.level" => found.failed |= value.as_str() == Some("ERROR"),
        "observation.status_message" => found.error.offer(Vendor, text(value)),
        "observation.prompt.name" => found.prompt_name.offer(Vendor, text(value)),
        "observation.prompt.version" => found.prompt_version.offer(Vendor, text(value)),
        "session.id" => found.session.offer(Vendor, text(value)),
        "user.id" => found.user.offer(Vendor, text(value)),
        "trace.name" => found.workflow.offer(Vendor, text(value)),
        "trace.tags" => found.tags(value),
        "environment" => found.environment.offer(Vendor, text(value)),
        _ => {}
    }
    true
}

/// Three shapes: as OpenAI writes usage (details are parts of the whole), as Anthropic does (cached tokens beside the input), and
/// Langfuse's own, in which every line stands beside the others.
fn read_usage(usage: &Map<String, Value>, found: &mut Found<'_>) {
    let line = |names: &[&str]| names.iter().find_map(|name| usage.get(*name).and_then(count));
    let part = |details: &[&str], name: &str| {
        details.iter().find_map(|details| usage.get(*details).and_then(|details| details.get(name)).and_then(count))
    };
    let input = line(&["prompt_tokens", "input_tokens", "input", "promptTokens"]);
    let output = line(&["completion_tokens", "output_tokens", "output", "completionTokens"]);
    let total = line(&["total_tokens", "total", "totalTokens"]);
    let nested_cached = part(&["prompt_tokens_details", "input_tokens_details"], "cached_tokens");
    let nested_write = part(&["prompt_tokens_details", "input_tokens_details"], "cache_write_tokens");
    let nested_reasoning = part(&["completion_tokens_details", "output_tokens_details"], "reasoning_tokens");
    let cached = line(&["cache_read_input_tokens", "input_cached_tokens", "input_cache_read", "cached_tokens"]);
    let write = line(&["cache_creation_input_tokens", "input_cache_creation", "input_cache_write"]);
    let reasoning = line(&["output_reasoning_tokens", "output_reasoning", "reasoning_tokens"]);

    let plain_sum = input.zip(output).map(|(input, output)| input.saturating_add(output));
    let apart = total.is_none() || total != plain_sum;
    let whole_input = match input {
        Some(input) if apart => Some(input.saturating_add(cached.unwrap_or(0)).saturating_add(write.unwrap_or(0))),
        other => other,
    };
    // Langfuse's own lines keep reasoning beside the output; OpenAI's keep it inside.
    let reasoning_apart = apart && total.is_some() && usage.contains_key("output_reasoning_tokens");
    let whole_output = match output {
        Some(output) if reasoning_apart => Some(output.saturating_add(reasoning.unwrap_or(0))),
        other => other,
    };
    found.input_tokens.offer(Vendor, whole_input);
    found.output_tokens.offer(Vendor, whole_output);
    found.cached.offer(Vendor, nested_cached.or(cached));
    found.cache_write.offer(Vendor, nested_write.or(write));
    found.reasoning.offer(Vendor, nested_reasoning.or(reasoning));
}

fn kind(name: &str) -> Option<SpanKind> {
    Some(match name.to_ascii_lowercase().as_str() {
        "span" | "chain" | "guardrail" | "evaluator" => SpanKind::Task,
        "generation" => SpanKind::Llm,
        "tool" => SpanKind::Tool,
        "agent" => SpanKind::Agent,
        "embedding" => SpanKind::Embedding,
        "retriever" => SpanKind::Retrieval,
        "workflow" => SpanKind::Workflow,
        "event" => SpanKind::Span,
        _ => return None,
    })
}

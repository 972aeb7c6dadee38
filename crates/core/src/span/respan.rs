//! Respan's SDK: Traceloop's decorators with names of its own for people, sessions, prompts and metadata.

use super::SpanKind;
use super::found::Rank::{Old, Vendor};
use super::found::{Found, text};
use super::json;
use serde_json::Value;

/// Reads an attribute that starts with `respan.`; whether it is known.
pub fn read<'a>(key: &'a str, value: &'a Value, found: &mut Found<'a>) -> bool {
    let Some(name) = key.strip_prefix("respan.") else { return false };
    match name {
        "entity.log_type" => found.kind.offer(Vendor, value.as_str().and_then(kind)),
        "sessions.session_identifier" => found.session.offer(Vendor, text(value)),
        "threads.thread_identifier" => {
            found.session.offer(Old, text(value));
            found.metadata("thread_id", value.clone());
        }
        "customer_params.customer_identifier" => found.user.offer(Vendor, text(value)),
        "customer_params.email" => {
            found.user.offer(Old, text(value));
            found.metadata("customer_email", value.clone());
        }
        "customer_params.name" => found.metadata("customer_name", value.clone()),
        "environment" => found.environment.offer(Vendor, text(value)),
        "prompt" => prompt(value, found),
        "span_params.custom_identifier" => found.metadata("custom_identifier", value.clone()),
        "trace.trace_group_identifier" => found.metadata("trace_group_identifier", value.clone()),
        "metadata" | "properties" => found.metadata_object(value),
        "entity.log_method" => {}
        _ => {
            let key = name.strip_prefix("metadata.").or_else(|| name.strip_prefix("properties."));
            // What begins with an underscore is the SDK's own.
            if let Some(key) = key.filter(|key| !key.starts_with('_')) {
                found.metadata(key, value.clone());
            }
        }
    }
    true
}

fn prompt(value: &Value, found: &mut Found<'_>) {
    let Some(Value::Object(prompt)) = json::value(value) else { return };
    let member =
        |names: &[&str]| names.iter().find_map(|name| prompt.get(*name).and_then(text)).map(|text| text.into_owned().into());
    found.prompt_name.offer(Vendor, member(&["prompt_id", "name"]));
    found.prompt_version.offer(Vendor, member(&["version", "prompt_version"]));
}

fn kind(name: &str) -> Option<SpanKind> {
    Some(match name {
        "chat" | "text" | "completion" | "generation" | "response" => SpanKind::Llm,
        "embedding" => SpanKind::Embedding,
        "workflow" => SpanKind::Workflow,
        "task" | "guardrail" | "handoff" | "custom" => SpanKind::Task,
        "tool" | "function" => SpanKind::Tool,
        "agent" => SpanKind::Agent,
        "retrieval" => SpanKind::Retrieval,
        _ => return None,
    })
}

//! Mastra, where its exporter for OpenTelemetry adds to the GenAI conventions. <https://mastra.ai/docs/observability/tracing/exporters/otel>

use super::SpanKind;
use super::found::Rank::{Entity, Generic};
use super::found::{Content, Found, some, text};
use serde_json::Value;

/// Reads an attribute of Mastra; whether it is known.
pub fn read<'a>(key: &'a str, value: &'a Value, found: &mut Found<'a>) -> bool {
    let Some(name) = key.strip_prefix("mastra.") else { return false };
    match name.split_once('.') {
        Some(("span", "type")) => found.kind.offer(Entity, value.as_str().and_then(kind)),
        Some(("metadata", "userId" | "user_id" | "resourceId")) => found.user.offer(Generic, text(value)),
        Some(("metadata", "sessionId" | "session_id" | "threadId")) => found.session.offer(Generic, text(value)),
        // Of the run and the request, not of the application.
        Some(("metadata", "runId" | "headers" | "body" | "modelMetadata")) => {}
        Some(("metadata", key)) => found.metadata(key, super::json::or_text(value)),
        Some((_, "input")) => found.input.offer(Generic, some(value).map(Content::Json)),
        Some((_, "output")) => found.output.offer(Generic, some(value).map(Content::Json)),
        None if name == "completion_start_time" => found.first_token_at.offer(Entity, text(value)),
        None if name == "tags" => found.tags(value),
        _ => {}
    }
    true
}

fn kind(name: &str) -> Option<SpanKind> {
    Some(match name {
        "agent_run" => SpanKind::Agent,
        "workflow_run" => SpanKind::Workflow,
        // A generation and its steps are around the calls.
        "model_generation" | "model_step" | "workflow_step" | "processor_run" => SpanKind::Task,
        "model_inference" => SpanKind::Llm,
        "tool_call" | "mcp_tool_call" => SpanKind::Tool,
        _ => return None,
    })
}

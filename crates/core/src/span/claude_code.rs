//! Claude Code, and the Claude Agent SDK, which runs it: its own traces, with the plain names of their attributes.
//! <https://code.claude.com/docs/en/monitoring-usage>

use super::found::Rank::{Generic, Vendor};
use super::found::{Content, Found, count, measure, some, text};
use super::{Span, SpanKind};
use serde_json::Value;

/// Whether a library of this name is Claude Code.
pub fn is_its(scope: Option<&str>) -> bool {
    scope.is_some_and(|scope| scope.starts_with("com.anthropic.claude_code"))
}

/// Reads an attribute of one of its spans; whether it is known.
pub fn read<'a>(key: &str, value: &'a Value, found: &mut Found<'a>) -> bool {
    match key {
        "span.type" => found.kind.offer(
            Vendor,
            match value.as_str().unwrap_or_default() {
                "interaction" => Some(SpanKind::Agent),
                "llm_request" => Some(SpanKind::Llm),
                "tool" => Some(SpanKind::Tool),
                _ => None,
            },
        ),
        "model" => found.model.offer(Generic, text(value)),
        // What was read from the cache and written to it is counted beside it.
        "input_tokens" => found.input_beside_cache = count(value),
        "output_tokens" => found.output_tokens.offer(Vendor, count(value)),
        "cache_read_tokens" => found.cached.offer(Vendor, count(value)),
        "cache_creation_tokens" => found.cache_write.offer(Vendor, count(value)),
        "ttft_ms" => found.first_token_ms.offer(Vendor, measure(value)),
        "stop_reason" => found.finish_reason.offer(Vendor, text(value)),
        "user_prompt" => found.input.offer(Generic, some(value).map(Content::Text)),
        "tool_input" => found.input.offer(Vendor, some(value).map(Content::Json)),
        "success" => found.failed |= value.as_bool() == Some(false),
        "error" => found.error.offer(Vendor, text(value)),
        "user.email" => return false,
        // How it works inside; it is kept among the attributes.
        _ => return !["gen_ai", "session", "user", "enduser", "error"].contains(&key.split('.').next().unwrap_or_default()),
    }
    true
}

/// What a tool gave back stands in an event.
pub fn finish(span: &mut Span) {
    if span.kind == SpanKind::Tool && span.output.is_none() {
        let output = span.events.iter().find(|event| event.name == "tool.output");
        span.output = output.and_then(|event| event.attributes.get("output")).cloned();
    }
}

//! The AI SDK of Vercel. Its outer spans (`ai.generateText`) sum up what the inner ones (`.doGenerate`) spent.
//! <https://ai-sdk.dev/docs/ai-sdk-core/telemetry>

use super::SpanKind;
use super::found::Rank::{Generic, Old, Vendor};
use super::found::{Content, Found, count, measure, some, text};
use serde_json::Value;

/// Reads an attribute that starts with `ai.`; whether it is known.
pub fn read<'a>(key: &'a str, value: &'a Value, found: &mut Found<'a>) -> bool {
    let Some(name) = key.strip_prefix("ai.") else { return false };
    if let Some(key) = name.strip_prefix("telemetry.metadata.") {
        match key {
            "sessionId" | "session_id" => found.session.offer(Generic, text(value)),
            "userId" | "user_id" => found.user.offer(Generic, text(value)),
            "tags" => found.tags(value),
            key => found.metadata(key, value.clone()),
        }
        return true;
    }
    if let Some(setting) = name.strip_prefix("settings.") {
        setting_of(setting, value, found);
        return true;
    }
    match name {
        // Its own word on what the span is: the inner spans carry `gen_ai.*` too, but so may the outer ones one day.
        "operationId" => found.kind.offer(Vendor, value.as_str().and_then(kind)),
        "telemetry.functionId" => found.workflow.offer(Generic, text(value)),
        "toolCall.name" => {
            found.tool_name = text(value);
            found.name.offer(Generic, text(value));
        }
        "toolCall.args" => found.input.offer(Generic, some(value).map(Content::Json)),
        "toolCall.result" => found.output.offer(Generic, some(value).map(Content::Json)),
        "values" => found.input.offer(Generic, some(value).map(Content::Texts)),
        "prompt" | "value" => found.input.offer(Generic, some(value).map(Content::Json)),
        "embedding" | "embeddings" => {}
        "prompt.messages" => found.messages_in.offer(Generic, some(value)),
        "prompt.tools" => found.tools.offer(Generic, some(value)),
        "response.text" => {
            found.answer_text = some(value);
            found.output.offer(Generic, some(value).map(Content::Text));
        }
        "response.object" => found.output.offer(Generic, some(value).map(Content::Json)),
        "response.toolCalls" => found.answer_calls = some(value),
        "response.id" => found.response_id.offer(Generic, text(value)),
        "response.model" => found.model.offer(Generic, text(value)),
        "response.finishReason" => found.finish_reason.offer(Generic, text(value)),
        "response.msToFirstChunk" | "response.msToFirstToken" => found.first_token_ms.offer(Generic, measure(value)),
        "model.id" => found.model_requested.offer(Generic, text(value)),
        "model.provider" => found.provider.offer(Generic, text(value)),
        "usage.inputTokens" | "usage.promptTokens" | "usage.tokens" => found.input_tokens.offer(Generic, count(value)),
        "usage.outputTokens" | "usage.completionTokens" => found.output_tokens.offer(Generic, count(value)),
        "usage.cachedInputTokens" | "usage.inputTokenDetails.cacheReadTokens" => found.cached.offer(Generic, count(value)),
        "usage.inputTokenDetails.cacheWriteTokens" => found.cache_write.offer(Generic, count(value)),
        "usage.reasoningTokens" | "usage.outputTokenDetails.reasoningTokens" => found.reasoning.offer(Generic, count(value)),
        "stream.msToFirstChunk" => found.first_token_ms.offer(Old, measure(value)),
        _ => {}
    }
    true
}

fn setting_of(setting: &str, value: &Value, found: &mut Found<'_>) {
    let name = match setting {
        "maxOutputTokens" | "maxTokens" => "max_tokens",
        "topP" => "top_p",
        "topK" => "top_k",
        "frequencyPenalty" => "frequency_penalty",
        "presencePenalty" => "presence_penalty",
        "stopSequences" => "stop_sequences",
        "maxRetries" => "max_retries",
        other => other,
    };
    found.parameter(name, value);
}

fn kind(operation: &str) -> Option<SpanKind> {
    Some(match operation {
        "ai.toolCall" => SpanKind::Tool,
        name if name.ends_with(".doGenerate") || name.ends_with(".doStream") => SpanKind::Llm,
        name if name.ends_with(".doEmbed") => SpanKind::Embedding,
        "ai.generateText" | "ai.streamText" | "ai.generateObject" | "ai.streamObject" => SpanKind::Agent,
        name if name.starts_with("ai.") => SpanKind::Task,
        _ => return None,
    })
}

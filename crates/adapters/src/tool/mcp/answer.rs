//! What a tool of an MCP server returns.

use super::connection::{Info, answer_words};
use crate::tool::refuse;
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_core::value::{MAX_DEPTH, deeper_than};
use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Value, json};

/// The structured content where there is one. Else the text, where there is nothing but text. Else all blocks.
///
/// A server over HTTP may send more than `max_bytes`, because the library has its own limit for answers in one piece.
pub fn output(server: &str, tool: &str, info: &Info, result: CallToolResult, max_bytes: usize) -> Result<Value, Failure> {
    let bytes: usize = result.content.iter().map(|block| block.as_text().map_or(0, |text| text.text.len())).sum();
    if bytes > max_bytes || result.structured_content.as_ref().is_some_and(|value| value.to_string().len() > max_bytes) {
        let message = format!(
            "`{tool}` of the MCP server `{server}` returned more than {max_bytes} bytes. Its operator can raise `max_output_bytes`."
        );
        return Err(Failure::new(FailureCode::TooLarge, message));
    }
    let texts: Option<Vec<&str>> = result.content.iter().map(|block| block.as_text().map(|text| text.text.as_str())).collect();
    if result.is_error == Some(true) {
        let some: Vec<&str> = result.content.iter().filter_map(|block| Some(block.as_text()?.text.as_str())).collect();
        let why = match (some.is_empty(), &result.structured_content) {
            (false, _) => some.join(" "),
            (true, Some(value)) => value.to_string(),
            (true, None) => "it does not say why".to_owned(),
        };
        return Err(refuse(format!("`{tool}` of the MCP server `{server}` failed: {}.", answer_words(&why))));
    }
    let value = match (result.structured_content, texts) {
        (Some(value), _) => {
            if let Some(validator) = &info.output {
                validator.check(&value).map_err(|why| {
                    let message =
                        format!("What `{tool}` of the MCP server `{server}` returned does not fit its own schema: {why}.");
                    Failure::new(FailureCode::Malformed, message)
                })?;
            }
            value
        }
        (None, Some(texts)) => Value::String(texts.join("\n")),
        (None, None) => json!({"content": blocks(server, tool, &result.content)?}),
    };
    if deeper_than(&value, MAX_DEPTH) {
        return Err(refuse(format!("What `{tool}` of the MCP server `{server}` returned is nested more than {MAX_DEPTH} deep.")));
    }
    Ok(value)
}

fn blocks(server: &str, tool: &str, content: &[ContentBlock]) -> Result<Value, Failure> {
    serde_json::to_value(content).map_err(|error| {
        refuse(format!("What `{tool}` of the MCP server `{server}` returned cannot be written as JSON: {error}."))
    })
}

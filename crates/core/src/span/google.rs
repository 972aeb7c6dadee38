//! Google's Agent Development Kit, where it adds to the GenAI conventions: what it sends to a model and what comes back, as the requests
//! and answers of Gemini in JSON. <https://google.github.io/adk-docs/>

use super::found::Rank::{Entity, Generic};
use super::found::{Content, Found, some, text};
use serde_json::Value;

/// Reads an attribute of the kit; whether it is known.
pub fn read<'a>(key: &'a str, value: &'a Value, found: &mut Found<'a>) -> bool {
    let Some(name) = key.strip_prefix("gcp.vertex.agent.") else { return false };
    // The kit writes an empty object where it was told to leave contents out.
    let told = some(value).filter(|value| value.as_str() != Some("{}"));
    match name {
        "session_id" => found.session.offer(Generic, text(value)),
        "llm_request" => found.messages_in.offer(Generic, told),
        "llm_response" => found.messages_out.offer(Generic, told),
        "tool_call_args" => found.input.offer(Entity, told.map(Content::Json)),
        "tool_response" => found.output.offer(Entity, told.map(Content::Json)),
        _ => {}
    }
    true
}

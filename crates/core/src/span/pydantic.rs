//! pydantic-ai and Logfire, where they add to the GenAI conventions.
//! <https://pydantic.dev/docs/ai/integrations/logfire/>

use super::found::Rank::{Entity, Generic};
use super::found::{Content, Found, measure, some, text};
use super::json;
use serde_json::Value;

/// Reads what may be pydantic-ai's; whether it is known.
pub fn read<'a>(key: &'a str, value: &'a Value, found: &mut Found<'a>) -> bool {
    match key {
        "pydantic_ai.all_messages" | "all_messages_events" => found.input.offer(Entity, some(value).map(Content::Json)),
        "final_result" => found.output.offer(Entity, some(value).map(Content::Text)),
        // What older versions called the arguments and the result of a tool.
        "tool_arguments" => found.input.offer(Generic, some(value).map(Content::Json)),
        "tool_response" => found.output.offer(Generic, some(value).map(Content::Json)),
        "operation.cost" => found.cost_usd.offer(Entity, measure(value)),
        "agent_name" => found.workflow.offer(Generic, text(value)),
        "model_request_parameters" => {
            if let Some(Value::Object(parameters)) = json::value(value)
                && let Some(Value::Array(tools)) = parameters.get("function_tools")
                && !tools.is_empty()
            {
                found.tools.offer(Generic, Some(value));
            }
        }
        "model_name" => {}
        _ => return key.starts_with("pydantic_ai.") || key.starts_with("logfire."),
    }
    true
}

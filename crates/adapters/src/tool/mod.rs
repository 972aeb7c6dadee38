//! The tools that come with FlowTrace, one file each. `docs/adding/tool.md` says what a new one needs.

mod csv;
mod echo;
mod http;
mod json;
mod text;

use crate::guard::Guard;
use crate::secrets::Secrets;
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_engine::port::tool::Tool;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;

/// Every tool of this build, in the order in which an editor lists them.
pub fn builtin(guard: Guard, secrets: Arc<dyn Secrets>) -> Vec<Arc<dyn Tool>> {
    vec![
        Arc::new(http::Http::new(guard, secrets)),
        Arc::new(text::Text),
        Arc::new(csv::Csv),
        Arc::new(json::Json),
        Arc::new(echo::Echo),
    ]
}

/// Reads a rendered config. A field that does not fit is named.
fn config<T: DeserializeOwned>(tool: &str, config: Value) -> Result<T, Failure> {
    serde_path_to_error::deserialize(config).map_err(|error| {
        let place = match error.path().to_string().as_str() {
            "." => String::new(),
            path => format!(" at `{path}`"),
        };
        refuse(format!("The config of the {tool} tool is wrong{place}: {}.", error.inner()))
    })
}

/// A tool that cannot work with what it was given.
fn refuse(sentence: impl Into<String>) -> Failure {
    Failure::new(FailureCode::Tool, sentence)
}

/// Input of more bytes than this is worked on in a thread of its own, so that other runs go on meanwhile.
const LARGE: usize = 1 << 20;

/// Does work on `bytes` bytes, away from the async threads where that is much.
async fn work<T: Send + 'static>(bytes: usize, work: impl FnOnce() -> Result<T, Failure> + Send + 'static) -> Result<T, Failure> {
    if bytes <= LARGE {
        return work();
    }
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        Err(Failure::new(
            FailureCode::Internal,
            "The tool broke while it worked on a large input; please report what it was given.",
        ))
    })
}

/// What a value is, in words.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Runs a local tool in a test.
#[cfg(test)]
fn run(tool: &dyn Tool, config: Value, inputs: Value) -> Result<Value, Failure> {
    use flowtrace_core::call::ToolCall;
    use flowtrace_engine::port::provider::CallContext;
    let context =
        CallContext { idempotency_key: "run/step/1".into(), traceparent: String::new(), attempt: 1, timeout_ms: 10_000 };
    let call = ToolCall { tool: tool.name().into(), config, inputs, secrets: Vec::new() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(tool.call(&call, &context))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::GuardPolicy;
    use crate::secrets::EnvironmentSecrets;

    #[test]
    fn every_tool_describes_itself() {
        let guard = Guard::new(GuardPolicy::default()).unwrap();
        let tools = builtin(guard, Arc::new(EnvironmentSecrets));
        let names: Vec<&str> = tools.iter().map(|tool| tool.name()).collect();
        assert_eq!(names, ["http", "text", "csv", "json", "echo"]);
        for tool in tools {
            let (name, schema) = (tool.name(), tool.config_schema());
            assert!(tool.description().ends_with('.'), "{name}");
            assert_eq!(schema["type"], "object", "{name}");
            assert_eq!(schema["additionalProperties"], false, "{name}");
            assert!(schema["required"].is_array(), "{name}");
            assert!(schema["properties"].get("tool").is_none(), "{name}");
            for (field, property) in schema["properties"].as_object().unwrap() {
                assert!(property["description"].as_str().is_some_and(|text| text.ends_with('.')), "{name}.{field}");
            }
            assert_eq!(tool.is_remote(), name == "http");
        }
    }
}

//! The tools that come with FlowTrace, one file each. `docs/adding/tool.md` says what a new one needs.

mod csv;
#[cfg(test)]
mod demo_tests;
pub(crate) mod echo;
mod http;
mod json;
pub mod mcp;
pub mod process;
mod text;

use crate::guard::Guard;
use crate::secrets::Secrets;
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_engine::port::tool::Tool;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
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

/// For a field where null, which a binding to a skipped step brings, is not the same as absent.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
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
    let context = CallContext {
        idempotency_key: "run/step/1".into(),
        traceparent: String::new(),
        attempt: 1,
        timeout_ms: 10_000,
        max_output_tokens: None,
    };
    let call = ToolCall { tool: tool.name().into(), config, inputs, secrets: Vec::new() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(tool.call(&call, &context))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::GuardPolicy;
    use crate::secrets::EnvironmentSecrets;

    fn all() -> Vec<Arc<dyn Tool>> {
        builtin(Guard::new(GuardPolicy::default()), Arc::new(EnvironmentSecrets))
    }

    #[test]
    fn the_documented_examples_use_what_there_is() {
        let docs = include_str!("../../../../docs/tools.md");
        let examples: Vec<&str> = docs.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        let mut shown = std::collections::BTreeSet::new();
        for example in examples {
            let node: Value = serde_json::from_str(example).unwrap_or_else(|error| panic!("{error} in {example}"));
            let name = node["config"]["tool"].as_str().unwrap_or("http");
            let tool = all().into_iter().find(|tool| tool.name() == name).unwrap_or_else(|| panic!("no tool {name}"));
            for field in node["config"].as_object().unwrap().keys().filter(|field| *field != "tool") {
                assert!(tool.config_schema()["properties"].get(field).is_some(), "{name} has no {field}: {example}");
            }
            shown.insert(name.to_owned());
        }
        for tool in all() {
            assert!(shown.contains(tool.name()), "docs/tools.md shows no node with {}", tool.name());
            for field in tool.config_schema()["properties"].as_object().unwrap().keys() {
                assert!(
                    docs.contains(&format!("\n| `{field}` |")),
                    "docs/tools.md does not describe {} of {}",
                    field,
                    tool.name()
                );
            }
        }
    }

    #[test]
    fn every_tool_describes_itself() {
        let tools = all();
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

use super::BoxFuture;
use super::provider::CallContext;
use flowtrace_core::call::ToolCall;
use flowtrace_core::failure::Failure;
use serde_json::Value;

/// One tool. Dropping the future cancels the call at once.
pub trait Tool: Send + Sync {
    /// The name that workflows use in `config.tool`.
    fn name(&self) -> &str;

    /// One sentence for the editor.
    fn description(&self) -> &str;

    /// JSON Schema of the node's `config` (without `tool`): `{type: "object", properties, required, additionalProperties: false}`.
    fn config_schema(&self) -> Value;

    /// Whether it reaches over a network, which decides the default retry policy.
    fn is_remote(&self) -> bool;

    fn call<'a>(&'a self, call: &'a ToolCall, context: &'a CallContext) -> BoxFuture<'a, Result<Value, Failure>>;
}

//! `tool`: one call of a tool.

use crate::call::ToolCall;
use crate::failure::Failure;
use crate::scope::Scope;
use crate::secret;
use crate::template::Template;

#[derive(Debug)]
pub struct Tool {
    /// `config.tool`, or `http` where only `config.url` is given.
    pub tool: String,
    /// The author's word on whether a call that may have been carried out can be made again; without it, the tool's effect decides.
    pub idempotent: Option<bool>,
    /// `config` without `tool` and `idempotent`.
    pub config: Template,
}

impl Tool {
    /// The call; `scope.inputs` holds the rendered inputs.
    pub fn call(&self, scope: &Scope) -> Result<ToolCall, Failure> {
        let config = self.config.render(scope)?;
        Ok(ToolCall {
            tool: self.tool.clone(),
            config,
            inputs: serde_json::Value::Object(scope.inputs.clone()),
            secrets: secret::references(self.config.source()),
        })
    }
}

/// The call that takes back what a step did.
#[derive(Debug)]
pub struct Undo {
    pub tool: Tool,
    /// An object.
    pub inputs: Template,
}

impl Undo {
    /// The call; `scope` sees the step's own output.
    pub fn call(&self, scope: &mut Scope) -> Result<ToolCall, Failure> {
        scope.inputs = self.inputs.render(scope)?.as_object().cloned().unwrap_or_default();
        self.tool.call(scope)
    }
}

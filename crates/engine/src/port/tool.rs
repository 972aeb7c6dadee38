use super::BoxFuture;
use super::provider::CallContext;
use flowtrace_core::call::ToolCall;
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_core::tool::{Effect, ToolDescription, ToolRules, ToolSourceStatus};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One tool. Dropping the future cancels the call at once.
///
/// A call has a `config`, which the author of the workflow wrote, and `inputs`, which are the values that it works on. What a
/// model gives as arguments are the inputs; it never chooses the config.
pub trait Tool: Send + Sync {
    /// The name that workflows use in `config.tool`.
    fn name(&self) -> &str;

    /// One sentence for the editor.
    fn description(&self) -> &str;

    /// JSON Schema of the node's `config` (without `tool`): `{type: "object", properties, required, additionalProperties: false}`.
    fn config_schema(&self) -> Value;

    /// JSON Schema of the inputs, of the type object. The default takes anything.
    fn input_schema(&self) -> Value {
        json!({"type": "object"})
    }

    /// JSON Schema of the output. The default is anything.
    fn output_schema(&self) -> Value {
        json!({})
    }

    /// What a call with this config may change. Without one (`Value::Null`): what any call may.
    fn effect(&self, _config: &Value) -> Effect {
        Effect::Idempotent
    }

    /// Whether it reaches over a network, which decides the default retry policy.
    fn is_remote(&self) -> bool;

    /// The longest time of one call, in milliseconds, where the operator set one.
    fn timeout_ms(&self) -> Option<u64> {
        None
    }

    /// All of this together, as far as it is known now.
    fn describe(&self) -> ToolDescription {
        let effect = self.effect(&Value::Null);
        ToolDescription {
            name: self.name().to_owned(),
            description: self.description().to_owned(),
            config_schema: self.config_schema(),
            input_schema: self.input_schema(),
            output_schema: self.output_schema(),
            effect,
            idempotent: effect.is_repeatable(),
            remote: self.is_remote(),
            timeout_ms: self.timeout_ms(),
        }
    }

    /// [`Tool::describe`], after asking whoever knows: a tool of an MCP server that was not reached yet connects to it. This is what
    /// to ask before a tool is offered to a model. The failure says why the tool cannot be used.
    fn look_up(&self) -> BoxFuture<'_, Result<ToolDescription, Failure>> {
        Box::pin(async { Ok(self.describe()) })
    }

    fn call<'a>(&'a self, call: &'a ToolCall, context: &'a CallContext) -> BoxFuture<'a, Result<Value, Failure>>;
}

/// Something that brings tools whose number and form are only known while the server runs, such as an MCP server.
pub trait ToolSource: Send + Sync {
    /// The tool of this name, if the source may have it. Asks nobody: that it does not exist may turn out when it is called.
    fn find(&self, name: &str) -> Option<Arc<dyn Tool>>;

    /// The tools that are known now.
    fn list(&self) -> Vec<Arc<dyn Tool>>;

    fn status(&self) -> ToolSourceStatus;
}

/// Every tool of a deployment.
#[derive(Clone, Default)]
pub struct Tools {
    fixed: BTreeMap<String, Arc<dyn Tool>>,
    /// The order in which an editor lists them.
    order: Vec<Arc<dyn Tool>>,
    sources: Vec<Arc<dyn ToolSource>>,
    rules: ToolRules,
}

impl Tools {
    pub fn new(fixed: Vec<Arc<dyn Tool>>, sources: Vec<Arc<dyn ToolSource>>) -> Self {
        Tools {
            fixed: fixed.iter().map(|tool| (tool.name().to_owned(), tool.clone())).collect(),
            order: fixed,
            sources,
            rules: ToolRules::default(),
        }
    }

    /// With what the operator allows; without it, everything is.
    pub fn with_rules(mut self, rules: ToolRules) -> Self {
        self.rules = rules;
        self
    }

    /// The failure is for a step that names the tool.
    pub fn get(&self, name: &str) -> Result<Arc<dyn Tool>, Failure> {
        if !self.rules.allows(name) {
            let message = format!("The operator of this server does not let workflows use the tool `{name}`.");
            return Err(Failure::new(FailureCode::NotConfigured, message));
        }
        let found = self.fixed.get(name).cloned().or_else(|| self.sources.iter().find_map(|source| source.find(name)));
        found.ok_or_else(|| Failure::new(FailureCode::NotConfigured, format!("This server has no tool named `{name}`.")))
    }

    /// Whether a call that may have been carried out can be made again without asking a person. What the author of the step says
    /// wins (`config.idempotent`); a tool that is not there now is better not repeated.
    pub fn is_repeatable(&self, call: &ToolCall, author: Option<bool>) -> bool {
        author.unwrap_or_else(|| self.get(&call.tool).is_ok_and(|tool| tool.effect(&call.config).is_repeatable()))
    }

    pub fn rules(&self) -> &ToolRules {
        &self.rules
    }

    pub fn sources(&self) -> Vec<ToolSourceStatus> {
        self.sources.iter().map(|source| source.status()).collect()
    }

    /// All that are known now and allowed.
    pub fn list(&self) -> Vec<Arc<dyn Tool>> {
        let brought = self.sources.iter().flat_map(|source| source.list());
        self.order.iter().cloned().chain(brought).filter(|tool| self.rules.allows(tool.name())).collect()
    }
}

impl From<Vec<Arc<dyn Tool>>> for Tools {
    fn from(fixed: Vec<Arc<dyn Tool>>) -> Self {
        Tools::new(fixed, Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Changes something for ever, unless it is told to only look.
    struct Press;

    impl Tool for Press {
        fn name(&self) -> &str {
            "press"
        }

        fn description(&self) -> &str {
            "Presses a button."
        }

        fn config_schema(&self) -> Value {
            json!({"type": "object"})
        }

        fn effect(&self, config: &Value) -> Effect {
            if config["look"] == true { Effect::ReadOnly } else { Effect::SideEffect }
        }

        fn is_remote(&self) -> bool {
            false
        }

        fn call<'a>(&'a self, _call: &'a ToolCall, _context: &'a CallContext) -> BoxFuture<'a, Result<Value, Failure>> {
            Box::pin(async { Ok(Value::Null) })
        }
    }

    #[test]
    fn the_author_then_the_call_decides_whether_it_can_be_repeated() {
        let tools = Tools::new(vec![Arc::new(Press)], Vec::new());
        let call = |tool: &str, config| ToolCall { tool: tool.into(), config, inputs: json!({}), secrets: Vec::new() };
        for (tool, config, author, expected) in [
            ("press", json!({}), None, false),
            ("press", json!({"look": true}), None, true),
            ("press", json!({}), Some(true), true),
            ("press", json!({"look": true}), Some(false), false),
            ("gone", json!({}), None, false),
        ] {
            assert_eq!(tools.is_repeatable(&call(tool, config), author), expected, "{tool} {author:?}");
        }
        assert!(!tools.get("press").unwrap().describe().idempotent);

        let denied = tools.with_rules(ToolRules { allow: None, deny: vec!["press".to_owned()] });
        assert!(denied.list().is_empty());
        let failure = denied.get("press").err().unwrap();
        assert!(failure.message.contains("does not let workflows use the tool `press`"), "{failure}");
    }
}

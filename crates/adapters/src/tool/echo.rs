//! `echo`: hands its inputs on, for trying out bindings and for gathering values under one name.

use flowtrace_core::call::ToolCall;
use flowtrace_core::failure::Failure;
use flowtrace_core::tool::Effect;
use flowtrace_engine::port::BoxFuture;
use flowtrace_engine::port::provider::CallContext;
use flowtrace_engine::port::tool::Tool;
use serde_json::{Value, json};

pub struct Echo;

impl Tool for Echo {
    fn name(&self) -> &str {
        "echo"
    }

    fn description(&self) -> &str {
        "Returns its inputs as they are."
    }

    fn config_schema(&self) -> Value {
        json!({"type": "object", "properties": {}, "required": [], "additionalProperties": false})
    }

    fn output_schema(&self) -> Value {
        json!({"type": "object", "description": "The inputs."})
    }

    fn effect(&self, _config: &Value) -> Effect {
        Effect::ReadOnly
    }

    fn is_remote(&self) -> bool {
        false
    }

    fn call<'a>(&'a self, call: &'a ToolCall, _context: &'a CallContext) -> BoxFuture<'a, Result<Value, Failure>> {
        Box::pin(async { Ok(call.inputs.clone()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::run;

    #[test]
    fn inputs_come_back_as_they_are() {
        for inputs in [json!({}), json!({"a": null, "b": [1, "{{node.x.output}}"]})] {
            assert_eq!(run(&Echo, json!({}), inputs.clone()).unwrap(), inputs);
        }
    }
}

//! CEL expressions: the rules of routers and the conditions of edges.

use crate::failure::Failure;
use crate::scope::Scope;
use serde_json::Value;

#[derive(Debug)]
pub struct Expression {
    source: String,
}

impl Expression {
    pub fn evaluate(&self, _scope: &Scope) -> Result<Value, Failure> {
        Ok(Value::Null)
    }

    pub fn source(&self) -> &str {
        &self.source
    }
}

//! JSON values with `{{ bindings }}` in their strings.

use crate::failure::Failure;
use crate::scope::Scope;
use serde_json::Value;

#[derive(Debug)]
pub struct Template {
    source: Value,
}

impl Template {
    /// A template without bindings.
    pub fn literal(value: Value) -> Self {
        Template { source: value }
    }

    pub fn render(&self, _scope: &Scope) -> Result<Value, Failure> {
        Ok(self.source.clone())
    }

    /// The value as the author wrote it.
    pub fn source(&self) -> &Value {
        &self.source
    }
}

//! `router`: decides by a rule which of its outgoing edges are taken. Its output is its inputs, passed through.

use crate::expression::Expression;
use crate::failure::Failure;
use crate::scope::Scope;
use serde_json::Value;

#[derive(Debug)]
pub struct Router {
    pub rule: Expression,
}

impl Router {
    /// The decision: a string or a bool. `scope.inputs` holds the rendered inputs.
    pub fn decide(&self, scope: &Scope) -> Result<Value, Failure> {
        self.rule.evaluate(scope)
    }
}

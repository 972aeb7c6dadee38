//! `router`: decides by a rule which of its outgoing edges are taken. Its output is its inputs, passed through.

use crate::expression::Expression;
use crate::failure::{Failure, FailureCode};
use crate::scope::Scope;
use crate::value::type_name;
use serde_json::Value;

#[derive(Debug)]
pub struct Router {
    pub rule: Expression,
}

impl Router {
    /// The decision: a string or a bool. `scope.inputs` holds the rendered inputs.
    pub fn decide(&self, scope: &Scope) -> Result<Value, Failure> {
        match self.rule.evaluate(scope)? {
            branch @ (Value::String(_) | Value::Bool(_)) => Ok(branch),
            other => {
                let message =
                    format!("the rule `{}` has to give a text or a boolean, but gave {}", self.rule.source(), type_name(&other));
                Err(Failure::new(FailureCode::Expression, message))
            }
        }
    }
}

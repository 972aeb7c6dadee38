//! `gate`: the inputs go on only if they hold up. Its output is its inputs, passed through.

use crate::answer::Validator;
use crate::expression::Expression;
use crate::failure::Failure;
use crate::scope::Scope;
use serde_json::Value;

pub const PASS: &str = "pass";
pub const FAIL: &str = "fail";

#[derive(Debug)]
pub struct Gate {
    pub validator: Option<Validator>,
    pub check: Option<Expression>,
}

impl Gate {
    /// What does not hold up; `None` where everything does. `scope.inputs` holds the rendered inputs.
    pub fn fault(&self, scope: &Scope) -> Result<Option<String>, Failure> {
        if let Some(validator) = &self.validator
            && let Err(why) = validator.check(&Value::Object(scope.inputs.clone()))
        {
            return Ok(Some(format!("the inputs do not conform to `schema`: {why}")));
        }
        match &self.check {
            Some(check) if !check.test(scope)? => Ok(Some(format!("`{}` is not true", check.source()))),
            _ => Ok(None),
        }
    }
}

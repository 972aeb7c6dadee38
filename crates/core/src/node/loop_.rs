//! `loop`: the body runs again and again, and carries a state along.

use super::Caps;
use crate::change::Op;
use crate::document::Exhausted;
use crate::expression::Expression;
use crate::failure::Failure;
use crate::plan::GraphIx;
use crate::scope::Scope;
use crate::template::Template;
use serde_json::Value;

#[derive(Debug)]
pub struct Loop {
    pub body: GraphIx,
    pub max_iterations: u32,
    pub until: Option<Expression>,
    pub while_: Option<Expression>,
    /// The first state, an object.
    pub state: Template,
    /// The changes after an iteration, an object.
    pub update: Template,
    pub on_exhausted: Exhausted,
    pub caps: Caps,
}

impl Loop {
    /// Whether another iteration follows after `done` of them, if the cap allows it. `scope` sees the state as it is now.
    pub fn goes_on(&self, scope: &Scope, done: u32) -> Result<bool, Failure> {
        if done > 0
            && let Some(until) = &self.until
            && until.test(scope)?
        {
            return Ok(false);
        }
        self.while_.as_ref().map_or(Ok(true), |condition| condition.test(scope))
    }
}

/// A rendered object of changes, by name.
pub fn changes(rendered: Value) -> Vec<(String, Op, Value)> {
    let Value::Object(map) = rendered else { return Vec::new() };
    map.into_iter()
        .map(|(name, value)| {
            let (op, value) = Op::of(value);
            (name, op, value)
        })
        .collect()
}

//! `map`: the body runs once for each item of a list.

use crate::document::ItemError;
use crate::failure::{Failure, FailureCode};
use crate::plan::GraphIx;
use crate::scope::Scope;
use crate::template::Template;
use crate::value::type_name;
use serde_json::Value;

/// The longest list that a map goes through.
pub const MAX_ITEMS: usize = 1_000_000;

#[derive(Debug)]
pub struct Map {
    pub items: Template,
    pub body: GraphIx,
    pub max_concurrency: u32,
    pub on_error: ItemError,
}

impl Map {
    /// The items, a list.
    pub fn items(&self, scope: &Scope) -> Result<Value, Failure> {
        match self.items.render(scope)? {
            Value::Array(items) if items.len() > MAX_ITEMS => {
                let message = format!("`items` has {} members, and a map goes through {MAX_ITEMS} at most", items.len());
                Err(Failure::new(FailureCode::TooLarge, message))
            }
            items @ Value::Array(_) => Ok(items),
            other => {
                let message = format!("`items` has to be a list, but is {}", type_name(&other));
                Err(Failure::new(FailureCode::Template, message))
            }
        }
    }
}

//! Bounds on JSON values that are built while a run goes on.
//!
//! A step's inputs are made of the outputs of others, so without bounds they could double in size or gain a level at every
//! step. Values that are too deep could not be read back from the journal either: `serde_json` stops at 128 levels.

use serde_json::{Map, Value};

/// The deepest value that a template renders or a step may give out; a scalar has depth 0. Leaves room for the envelope of an event.
pub const MAX_DEPTH: usize = 100;

/// The largest value that a template renders, counted as [`Budget`] does: 8 MiB.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Why a value was not copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    Bytes,
    Depth,
}

/// Counts what is built: the bytes of strings and keys, and 8 for every value.
#[derive(Debug)]
pub struct Budget {
    left: usize,
}

impl Budget {
    pub fn new(bytes: usize) -> Self {
        Budget { left: bytes }
    }

    pub fn spend(&mut self, bytes: usize) -> Result<(), Excess> {
        self.left = self.left.checked_sub(bytes).ok_or(Excess::Bytes)?;
        Ok(())
    }

    /// Copies a value that will stand `depth` levels deep.
    pub fn copy(&mut self, value: &Value, depth: usize) -> Result<Value, Excess> {
        if depth > MAX_DEPTH {
            return Err(Excess::Depth);
        }
        self.spend(8)?;
        Ok(match value {
            Value::String(text) => {
                self.spend(text.len())?;
                Value::String(text.clone())
            }
            Value::Array(items) => {
                let mut copy = Vec::with_capacity(items.len().min(self.left / 8));
                for item in items {
                    copy.push(self.copy(item, depth + 1)?);
                }
                Value::Array(copy)
            }
            Value::Object(map) => {
                let mut copy = Map::with_capacity(map.len().min(self.left / 8));
                for (key, item) in map {
                    self.spend(key.len())?;
                    copy.insert(key.clone(), self.copy(item, depth + 1)?);
                }
                Value::Object(copy)
            }
            scalar => scalar.clone(),
        })
    }
}

/// Whether a value has more than `limit` levels. Looks no deeper than that.
pub fn deeper_than(value: &Value, limit: usize) -> bool {
    match value {
        Value::Array(items) => limit == 0 || items.iter().any(|item| deeper_than(item, limit - 1)),
        Value::Object(map) => limit == 0 || map.values().any(|item| deeper_than(item, limit - 1)),
        _ => false,
    }
}

/// The word for a value's type in messages, with its article.
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn nested(levels: usize) -> Value {
        (0..levels).fold(json!(1), |inner, _| json!([inner]))
    }

    #[test]
    fn depth_is_counted_in_levels() {
        assert!(!deeper_than(&json!(1), 0));
        assert!(deeper_than(&json!([]), 0));
        assert!(!deeper_than(&nested(5), 5));
        assert!(deeper_than(&nested(6), 5));
    }

    #[test]
    fn a_copy_stops_at_the_bounds() {
        let value = json!({"a": ["b", {"c": null}]});
        assert_eq!(Budget::new(100).copy(&value, 0), Ok(value.clone()));
        assert_eq!(Budget::new(20).copy(&value, 0), Err(Excess::Bytes));
        assert_eq!(Budget::new(MAX_BYTES).copy(&nested(MAX_DEPTH), 0), Ok(nested(MAX_DEPTH)));
        assert_eq!(Budget::new(MAX_BYTES).copy(&nested(MAX_DEPTH + 1), 0), Err(Excess::Depth));
        assert_eq!(Budget::new(MAX_BYTES).copy(&nested(1), MAX_DEPTH), Err(Excess::Depth));
    }
}

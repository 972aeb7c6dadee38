//! Changes of variables, as deltas: what is written down costs what changes, not what there is.

use crate::payload::Payload;
use crate::value::type_name;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

/// How a value changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Op {
    Set,
    /// Adds an item to a list, or text to a text. A missing value counts as an empty list.
    Append,
    /// Adds a number to a number. A missing value counts as 0.
    Add,
    /// Sets members of an object. A missing value counts as an empty object.
    Merge,
}

impl Op {
    const NAMED: [(&str, Op); 4] = [("$set", Op::Set), ("$append", Op::Append), ("$add", Op::Add), ("$merge", Op::Merge)];

    /// `{"$append": x}` as the operation and `x`; anything else is a value to set.
    pub fn of(value: Value) -> (Op, Value) {
        match value {
            Value::Object(mut map) if map.len() == 1 => {
                let named = Op::NAMED.into_iter().find(|(name, _)| map.contains_key(*name));
                match named.and_then(|(name, op)| Some((op, map.remove(name)?))) {
                    Some(change) => change,
                    None => (Op::Set, Value::Object(map)),
                }
            }
            other => (Op::Set, other),
        }
    }
}

/// One change of one variable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    pub name: String,
    pub op: Op,
    pub value: Payload,
}

/// The changes that a set of variables is made of, in order. What a later `set` makes void is forgotten.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes(Vec<Change>);

impl Changes {
    pub fn record(&mut self, changes: &[Change]) {
        for change in changes {
            if change.op == Op::Set {
                self.0.retain(|earlier| earlier.name != change.name);
            }
            self.0.push(change.clone());
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Change> {
        self.0.iter()
    }
}

/// Carries out one change. The error is a sentence about the value that does not fit.
pub fn change(variables: &mut Map<String, Value>, name: &str, op: Op, value: Value) -> Result<(), String> {
    let unfit = |there: &Value, what: &str| Err(format!("`{name}` is {}, and {what}", type_name(there)));
    match op {
        Op::Set => {
            variables.insert(name.to_owned(), value);
        }
        Op::Append => match variables.get_mut(name) {
            None | Some(Value::Null) => {
                let first = if value.is_string() { value } else { Value::Array(vec![value]) };
                variables.insert(name.to_owned(), first);
            }
            Some(Value::Array(items)) => items.push(value),
            Some(Value::String(text)) => match value {
                Value::String(more) => text.push_str(&more),
                other => text.push_str(&other.to_string()),
            },
            Some(other) => return unfit(other, "`$append` needs a list or a text"),
        },
        Op::Add => {
            let Value::Number(more) = &value else { return unfit(&value, "`$add` needs a number to add") };
            match variables.get_mut(name) {
                None | Some(Value::Null) => {
                    variables.insert(name.to_owned(), value);
                }
                Some(Value::Number(there)) => *there = add(there, more),
                Some(other) => return unfit(other, "`$add` needs a number to add to"),
            }
        }
        Op::Merge => {
            let Value::Object(more) = value else { return unfit(&value, "`$merge` needs an object to take members from") };
            match variables.get_mut(name) {
                None | Some(Value::Null) => {
                    variables.insert(name.to_owned(), Value::Object(more));
                }
                Some(Value::Object(there)) => there.extend(more),
                Some(other) => return unfit(other, "`$merge` needs an object to merge into"),
            }
        }
    }
    Ok(())
}

/// Whole numbers stay whole for as long as they fit.
fn add(a: &Number, b: &Number) -> Number {
    let whole = a.as_i64().zip(b.as_i64()).and_then(|(a, b)| a.checked_add(b));
    match whole {
        Some(sum) => sum.into(),
        None => {
            let sum = a.as_f64().unwrap_or_default() + b.as_f64().unwrap_or_default();
            Number::from_f64(sum).unwrap_or_else(|| a.clone())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_table() {
        let table = [
            (json!({}), json!({"$append": 1}), Ok(json!([1]))),
            (json!({}), json!({"$append": "a"}), Ok(json!("a"))),
            (json!({"x": [1]}), json!({"$append": [2]}), Ok(json!([1, [2]]))),
            (json!({"x": "a"}), json!({"$append": "b"}), Ok(json!("ab"))),
            (json!({"x": 1}), json!({"$append": "b"}), Err("`x` is a number, and `$append` needs a list or a text")),
            (json!({}), json!({"$add": 2}), Ok(json!(2))),
            (json!({"x": 1}), json!({"$add": 2}), Ok(json!(3))),
            (json!({"x": 1}), json!({"$add": 0.5}), Ok(json!(1.5))),
            (json!({"x": i64::MAX}), json!({"$add": 1}), Ok(json!(i64::MAX as f64 + 1.0))),
            (json!({"x": "a"}), json!({"$add": 1}), Err("`x` is a string, and `$add` needs a number to add to")),
            (json!({"x": {"a": 1}}), json!({"$merge": {"b": 2}}), Ok(json!({"a": 1, "b": 2}))),
            (json!({"x": []}), json!({"$merge": {"b": 2}}), Err("`x` is a list, and `$merge` needs an object to merge into")),
            (json!({"x": 1}), json!({"$set": {"$add": 1}}), Ok(json!({"$add": 1}))),
            (json!({"x": 1}), json!({"$add": 1, "y": 2}), Ok(json!({"$add": 1, "y": 2}))),
            (json!({"x": 1}), json!("plain"), Ok(json!("plain"))),
        ];
        for (before, asked, expected) in table {
            let Value::Object(mut variables) = before.clone() else { unreachable!() };
            let (op, value) = Op::of(asked.clone());
            let done = change(&mut variables, "x", op, value).map(|()| variables["x"].clone());
            assert_eq!(done, expected.map_err(str::to_owned), "{before} {asked}");
        }
    }

    #[test]
    fn what_is_set_anew_is_forgotten() {
        let of = |name: &str, op| Change { name: name.to_owned(), op, value: Payload::null() };
        let mut changes = Changes::default();
        changes.record(&[of("a", Op::Set), of("a", Op::Append), of("b", Op::Append), of("a", Op::Set)]);
        let kept: Vec<_> = changes.iter().map(|change| (change.name.as_str(), change.op)).collect();
        assert_eq!(kept, [("b", Op::Append), ("a", Op::Set)]);
    }
}

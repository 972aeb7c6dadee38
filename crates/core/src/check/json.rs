//! From bytes to a JSON value, with line and column where it is not JSON, and with names that stand twice in an object, which
//! `serde_json` would silently drop.

use super::Problems;
use crate::problem::Problem;
use crate::reference::{clip, pointer};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::fmt;

/// How many doubled names are reported; a document with more was not written by hand.
const MAX_DOUBLES: usize = 20;

pub fn parse(json: &[u8], problems: &mut Problems) -> Option<Value> {
    let doubles = RefCell::new(Vec::new());
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let seed = Seed { pointer: &Pointer { up: None, step: Step::Root }, doubles: &doubles };
    let parsed = seed.deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    match parsed {
        Ok(value) => {
            problems.extend(doubles.into_inner());
            Some(value)
        }
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            let text = error.to_string();
            let what = text.split(" at line ").next().unwrap_or(&text);
            let message = if what.starts_with("recursion limit") {
                format!("the document is nested more than 127 levels deep (line {line}, column {column})")
            } else if json.is_empty() {
                "the document is empty".to_owned()
            } else {
                format!("this is not JSON: {what} (line {line}, column {column})")
            };
            problems.push(Problem::new("json", "", message));
            None
        }
    }
}

/// Where the reader is, as a chain through its stack frames: pointers are only written out for problems.
struct Pointer<'p> {
    up: Option<&'p Pointer<'p>>,
    step: Step<'p>,
}

enum Step<'p> {
    Root,
    Key(&'p str),
    Index(usize),
}

impl Pointer<'_> {
    fn write(&self) -> String {
        let above = self.up.map(Pointer::write).unwrap_or_default();
        match self.step {
            Step::Root => above,
            Step::Key(key) => pointer(&above, key),
            Step::Index(index) => pointer(&above, index),
        }
    }
}

struct Seed<'p> {
    pointer: &'p Pointer<'p>,
    doubles: &'p RefCell<Vec<Problem>>,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        loop {
            let pointer = Pointer { up: Some(self.pointer), step: Step::Index(items.len()) };
            match access.next_element_seed(Seed { pointer: &pointer, doubles: self.doubles })? {
                Some(item) => items.push(item),
                None => return Ok(Value::Array(items)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            let pointer = Pointer { up: Some(self.pointer), step: Step::Key(&key) };
            let value = access.next_value_seed(Seed { pointer: &pointer, doubles: self.doubles })?;
            let mut doubles = self.doubles.borrow_mut();
            if map.contains_key(&key) && doubles.len() < MAX_DOUBLES {
                let message = format!("`{}` stands twice in this object", clip(&key));
                doubles.push(Problem::new("duplicate_property", pointer.write(), message));
            }
            drop(doubles);
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

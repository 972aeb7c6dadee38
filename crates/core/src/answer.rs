//! The JSON Schema that an llm node asks its answer to conform to.

use jsonschema::PatternOptions;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::fmt;

/// How many schemas there may be when every reference is replaced by what it refers to. Validating an answer looks at each of
/// them at most once for each part of the answer.
const MAX_SCHEMAS: usize = 10_000;

/// How deeply schemas may nest, references followed.
const MAX_DEPTH: usize = 64;

/// A compiled JSON Schema (draft 2020-12). Nothing is ever fetched, and a schema may not refer to itself, because the work of
/// validating against one that does has no bound.
pub struct Validator {
    validator: Box<jsonschema::Validator>,
    patterns: usize,
}

/// The largest regular expression of a schema, in bytes of its compiled form.
const PATTERN_BYTES: usize = 256 * 1024;

impl fmt::Debug for Validator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Validator")
    }
}

impl Validator {
    /// The error is a sentence about the schema.
    pub fn compile(schema: &Value) -> Result<Self, String> {
        let mut vet = Vet { root: schema, counts: HashMap::new(), open: Vec::new(), patterns: 0 };
        vet.count(schema, 0)?;
        // The linear engine: a pattern of the default one can take exponential time on a hostile answer.
        let patterns = PatternOptions::regex().size_limit(PATTERN_BYTES).dfa_size_limit(PATTERN_BYTES);
        let options = jsonschema::draft202012::options().with_pattern_options(patterns);
        let compiled =
            options.build(schema).map(|validator| Validator { validator: Box::new(validator), patterns: vet.patterns });
        compiled.map_err(|error| {
            let place = error.instance_path().to_string();
            let at = if place.is_empty() { String::new() } else { format!("at `{}`: ", bounded(&place, 100)) };
            at + &bounded(&error.to_string(), 200)
        })
    }

    /// How many regular expressions it holds: each may take [`PATTERN_BYTES`] of memory.
    pub fn patterns(&self) -> usize {
        self.patterns
    }

    /// Whether the value conforms; the error says what does not, at most three things.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        let faults: Vec<String> = self
            .validator
            .iter_errors(value)
            .take(3)
            .map(|error| {
                let place = error.instance_path().to_string();
                let what = bounded(&error.to_string(), 200);
                if place.is_empty() { what } else { format!("at `{}`: {what}", bounded(&place, 100)) }
            })
            .collect();
        if faults.is_empty() { Ok(()) } else { Err(faults.join("; ")) }
    }
}

/// Counts the schemas behind a schema, every reference followed. Every object counts, also where it is a constant or a set of
/// properties: which ones are schemas depends on keywords, and a guess too high only tightens the bound.
struct Vet<'s> {
    root: &'s Value,
    /// By target, so that each is counted once.
    counts: HashMap<&'s str, usize>,
    /// The references that are being followed.
    open: Vec<&'s str>,
    patterns: usize,
}

impl<'s> Vet<'s> {
    fn count(&mut self, schema: &'s Value, depth: usize) -> Result<usize, String> {
        if depth > MAX_DEPTH {
            return Err(format!("it is nested more than {MAX_DEPTH} levels deep"));
        }
        let members: &mut dyn Iterator<Item = &'s Value> = match schema {
            Value::Object(map) => &mut map.values(),
            Value::Array(items) => &mut items.iter(),
            _ => return Ok(0),
        };
        let mut total = 1;
        for member in members {
            total += self.count(member, depth + 1)?;
            if total > MAX_SCHEMAS {
                return Err(format!("it comes to more than {MAX_SCHEMAS} schemas when its references are followed"));
            }
        }
        match schema {
            Value::Object(map) => {
                self.patterns += usize::from(map.contains_key("pattern"));
                self.patterns += map.get("patternProperties").and_then(Value::as_object).map_or(0, Map::len);
                Ok(total + self.reference(map, depth)?)
            }
            _ => Ok(total),
        }
    }

    fn reference(&mut self, schema: &'s Map<String, Value>, depth: usize) -> Result<usize, String> {
        if schema.contains_key("$dynamicRef") || schema.contains_key("$recursiveRef") {
            return Err("dynamic references are not supported: use `$ref`".to_owned());
        }
        let Some(target) = schema.get("$ref").and_then(Value::as_str) else { return Ok(0) };
        let Some(pointer) = target.strip_prefix('#').filter(|pointer| pointer.is_empty() || pointer.starts_with('/')) else {
            return Err(format!(
                "`{}` refers to another document or an anchor, and nothing is fetched: put what it needs under `$defs`",
                bounded(target, 100)
            ));
        };
        if let Some(count) = self.counts.get(target) {
            return Ok(*count);
        }
        if self.open.contains(&target) {
            return Err(format!("`{}` refers to itself, which is not supported", bounded(target, 100)));
        }
        // That there is nothing at the target is said by the compiler of schemas.
        let Some(found) = self.root.pointer(pointer) else { return Ok(0) };
        self.open.push(target);
        let count = self.count(found, depth + 1)?;
        self.open.pop();
        self.counts.insert(target, count);
        Ok(count)
    }
}

fn bounded(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ordinary_schemas_with_definitions_work() {
        let schema = json!({
            "type": "object",
            "properties": {"ok": {"type": "boolean"}, "who": {"$ref": "#/$defs/person"}, "also": {"type": "array", "items": {"$ref": "#/$defs/person"}}},
            "required": ["ok"],
            "$defs": {"person": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 5}}}}
        });
        let validator = Validator::compile(&schema).unwrap();
        assert_eq!(validator.check(&json!({"ok": true, "who": {"name": "Ann"}})), Ok(()));
        let message = validator.check(&json!({"also": [{"name": "Annabel"}]})).unwrap_err();
        assert!(message.contains("\"ok\" is a required property") && message.contains("at `/also/0/name`: "), "{message}");
    }

    #[test]
    fn schemas_without_end_are_refused() {
        let doubling: Map<String, Value> = (0..20)
            .map(|at| {
                let next = json!({"$ref": format!("#/$defs/d{}", at + 1)});
                (format!("d{at}"), if at == 19 { json!(true) } else { json!({"anyOf": [next, next]}) })
            })
            .collect();
        let table = [
            (json!({"items": {"$ref": "#"}}), "`#` refers to itself"),
            (json!({"properties": {"default": {"$ref": "#"}}}), "`#` refers to itself"),
            (json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}), "refers to itself"),
            (json!({"$ref": "#/$defs/d0", "$defs": doubling}), "more than 10000 schemas"),
            (json!({"$ref": "other.json"}), "refers to another document"),
            (json!({"$ref": "#anchor", "$anchor": "anchor"}), "or an anchor"),
            (json!({"$dynamicRef": "#x"}), "dynamic references"),
            (json!({"$ref": "#/$defs/missing"}), ""),
            (json!({"pattern": "(a{1000}){1000}"}), ""),
            ((0..70).fold(json!(true), |inner, _| json!({"not": inner})), "64 levels deep"),
        ];
        for (schema, expected) in table {
            let message = Validator::compile(&schema).unwrap_err();
            assert!(message.contains(expected), "{schema}: {message}");
        }
    }
}

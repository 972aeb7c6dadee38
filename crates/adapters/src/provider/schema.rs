//! JSON Schema as the providers take it. Each guarantees only a part of the language, and refuses a request that goes beyond;
//! whoever asked for the schema checks the answer against all of it afterwards.

use serde_json::{Map, Value};

/// Whether OpenAI's strict mode takes the schema as it is: every object closed, every property required.
/// <https://platform.openai.com/docs/guides/structured-outputs#supported-schemas>. Where it does not, the schema is sent without
/// `strict`, which the model follows without a guarantee.
pub fn is_openai_strict(schema: &Value) -> bool {
    if schema.get("type").and_then(Value::as_str) != Some("object") || schema.get("anyOf").is_some() {
        return false; // the root has to be an object
    }
    every_schema(schema, &mut |schema| {
        const REFUSED: [&str; 8] =
            ["allOf", "oneOf", "not", "if", "patternProperties", "dependentRequired", "dependentSchemas", "default"];
        if REFUSED.iter().any(|keyword| schema.contains_key(*keyword)) {
            return false;
        }
        let is_object = schema.get("type").is_some_and(|kind| {
            kind == "object" || kind.as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "object"))
        });
        if !is_object {
            return !schema.contains_key("properties");
        }
        let Some(Value::Object(properties)) = schema.get("properties") else { return false };
        let required = schema.get("required").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        schema.get("additionalProperties") == Some(&Value::Bool(false))
            && properties.keys().all(|name| required.iter().any(|required| required == name))
    })
}

/// The schema without what Anthropic refuses, and with every object closed, which it demands:
/// <https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations>.
pub fn for_anthropic(schema: &Value) -> Value {
    const REFUSED: [&str; 12] = [
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "maxItems",
        "uniqueItems",
        "minProperties",
        "maxProperties",
        "$schema",
    ];
    map_schema(schema, &|schema| {
        schema.retain(|keyword, value| match keyword.as_str() {
            "minItems" => value.as_u64().is_some_and(|count| count <= 1),
            keyword => !REFUSED.contains(&keyword),
        });
        if schema.contains_key("properties") || schema.get("type").is_some_and(|kind| kind == "object") {
            schema.insert("additionalProperties".to_owned(), Value::Bool(false));
        }
    })
}

/// Keywords whose value is a schema, a list of schemas, or schemas by name.
const ONE: [&str; 5] = ["items", "additionalProperties", "not", "contains", "propertyNames"];
const LIST: [&str; 4] = ["anyOf", "allOf", "oneOf", "prefixItems"];
const NAMED: [&str; 4] = ["properties", "$defs", "definitions", "patternProperties"];

fn every_schema(schema: &Value, test: &mut dyn FnMut(&Map<String, Value>) -> bool) -> bool {
    let Value::Object(object) = schema else { return true };
    test(object)
        && object.iter().all(|(keyword, value)| match value {
            Value::Object(named) if NAMED.contains(&keyword.as_str()) => named.values().all(|schema| every_schema(schema, test)),
            Value::Array(list) if LIST.contains(&keyword.as_str()) => list.iter().all(|schema| every_schema(schema, test)),
            Value::Object(_) if ONE.contains(&keyword.as_str()) => every_schema(value, test),
            _ => true,
        })
}

fn map_schema(schema: &Value, change: &dyn Fn(&mut Map<String, Value>)) -> Value {
    let Value::Object(object) = schema else { return schema.clone() };
    let mut object = object.clone();
    for (keyword, value) in &mut object {
        match value {
            Value::Object(named) if NAMED.contains(&keyword.as_str()) => {
                for schema in named.values_mut() {
                    *schema = map_schema(schema, change);
                }
            }
            Value::Array(list) if LIST.contains(&keyword.as_str()) => {
                for schema in list {
                    *schema = map_schema(schema, change);
                }
            }
            Value::Object(_) if ONE.contains(&keyword.as_str()) => *value = map_schema(value, change),
            _ => {}
        }
    }
    change(&mut object);
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn strict_is_asked_for_only_where_it_is_granted() {
        let closed =
            json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": false});
        let table = [
            (closed.clone(), true),
            (json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}), false),
            (json!({"type": "object", "properties": {"a": {}}, "additionalProperties": false}), false),
            (json!({"type": "array", "items": closed}), false),
            (
                json!({"type": "object", "properties": {"list": {"type": "array", "items": closed}}, "required": ["list"], "additionalProperties": false}),
                true,
            ),
            (
                json!({"type": "object", "properties": {"x": {"type": "object"}}, "required": ["x"], "additionalProperties": false}),
                false,
            ),
            (
                json!({"type": "object", "properties": {"x": {"oneOf": []}}, "required": ["x"], "additionalProperties": false}),
                false,
            ),
            // A property may be called like a keyword.
            (
                json!({"type": "object", "properties": {"not": {"type": "string"}}, "required": ["not"], "additionalProperties": false}),
                true,
            ),
            (json!(true), false),
        ];
        for (schema, expected) in table {
            assert_eq!(is_openai_strict(&schema), expected, "{schema}");
        }
    }

    #[test]
    fn what_anthropic_refuses_is_left_out_at_every_depth() {
        let schema = json!({
            "type": "object",
            "properties": {
                "minimum": {"type": "integer", "minimum": 1, "maximum": 5},
                "tags": {"type": "array", "minItems": 3, "maxItems": 9, "items": {"type": "object", "properties": {"n": {"type": "string", "maxLength": 4}}}},
                "one": {"anyOf": [{"type": "array", "minItems": 1, "items": {"type": "string"}}, {"type": "null"}]}
            },
            "required": ["minimum"],
            "additionalProperties": true
        });
        let expected = json!({
            "type": "object",
            "properties": {
                "minimum": {"type": "integer"},
                "tags": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "string"}}, "additionalProperties": false}},
                "one": {"anyOf": [{"type": "array", "minItems": 1, "items": {"type": "string"}}, {"type": "null"}]}
            },
            "required": ["minimum"],
            "additionalProperties": false
        });
        assert_eq!(for_anthropic(&schema), expected);
    }
}

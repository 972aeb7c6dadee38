//! The published JSON Schema says the same as the check, as far as a schema can say it.

use super::problems::catalog;
use super::reference::REFERENCE;
use flowtrace_core::check::check;
use flowtrace_core::schema::workflow_schema;
use serde_json::{Value, json};

fn validator() -> jsonschema::Validator {
    jsonschema::draft202012::options().build(&workflow_schema()).expect("the schema is one")
}

fn faults(document: &Value) -> Vec<String> {
    validator().iter_errors(document).map(|error| error.instance_path().to_string()).collect()
}

#[test]
fn it_accepts_the_reference_document() {
    assert_eq!(faults(&serde_json::from_str(REFERENCE).unwrap()), [""; 0]);
}

#[test]
fn it_accepts_a_document_that_uses_everything() {
    let document = json!({
        "version": "1", "name": "All", "description": "Everything", "entry": "a", "ui": {"zoom": 1},
        "nodes": [
            {"id": "a", "type": "tool", "name": "A", "config": {"tool": "csv", "anything": [1]}, "inputs": {"x": {"deep": ["{{input}}"]}},
             "retry": {"maxAttempts": 2, "initialMs": 0, "maxMs": 10}, "timeoutSeconds": 5, "ui": {"x": 1, "y": 2}},
            {"id": "b", "type": "router", "config": {"rule": "true"}},
            {"id": "c", "type": "llm", "config": {
                "provider": "openai", "model": "m", "system": "s", "prompt": "p", "temperature": 0.5, "topP": 1, "maxTokens": 10,
                "stop": ["x"], "seed": -1, "schema": {"type": "object"}, "cache": {"enabled": false, "ttlSeconds": 60},
                "fallbacks": [{"provider": "anthropic", "model": "n"}], "simulate": {"latencyMs": 1}}}
        ],
        "edges": [{"from": "a", "to": "b"}, {"from": "b", "to": "c", "when": "branch", "ui": {}}],
        "limits": {"maxNodes": 3, "maxTokens": 1, "timeoutSeconds": 1, "maxSteps": 1, "maxCostUsd": 0.01, "allowUnpriced": true},
        "execution": {"mode": "parallel", "maxConcurrency": 2}
    });
    assert_eq!(faults(&document), [""; 0]);
    let plan = check(document.to_string().as_bytes(), &catalog()).unwrap();
    assert_eq!((plan.graphs[0].max_concurrency, plan.limits.max_cost_nanousd), (2, Some(10_000_000)));
    assert_eq!((plan.node(0).retry.max_attempts, plan.node(0).timeout_ms), (2, 5_000));
}

/// Each change makes the document wrong in a way that both can see, at the same place.
#[test]
fn it_refuses_what_the_check_refuses() {
    let base: Value = serde_json::from_str(REFERENCE).unwrap();
    let changes = [
        ("/version", json!("2")),
        ("/nodes/0/id", json!("with-hyphen")),
        ("/nodes/0/type", json!("agent")),
        ("/nodes/1/config/temperature", json!(3)),
        ("/nodes/1/config/modle", json!("x")),
        ("/nodes/1/inputs", json!([])),
        ("/nodes/2/config/rule", json!(5)),
        ("/edges/0/from", json!(null)),
        ("/edges/2/if", json!("true")),
        ("/limits/maxNodes", json!(0)),
        ("/limits/timeoutSeconds", json!(1.5)),
        ("/execution", json!({"mode": "fast"})),
        ("/retries", json!(3)),
    ];
    for (pointer, value) in changes {
        let mut document = base.clone();
        let (above, name) = pointer.rsplit_once('/').unwrap();
        document.pointer_mut(above).unwrap()[name] = value;
        let by_schema = faults(&document);
        let by_check = check(document.to_string().as_bytes(), &catalog()).unwrap_err();
        assert!(
            by_schema.iter().any(|fault| pointer.starts_with(fault) || fault.starts_with(pointer)),
            "{pointer}: the schema says {by_schema:?}"
        );
        assert!(by_check.iter().any(|problem| problem.pointer.starts_with(pointer)), "{pointer}: the check says {by_check:?}");
    }
    for missing in ["version", "entry", "nodes"] {
        let mut document = base.clone();
        document.as_object_mut().unwrap().shift_remove(missing);
        assert_eq!(faults(&document), [""], "{missing}");
    }
}

/// Every property says what it is for, so that editors can show it.
#[test]
fn every_property_is_described() {
    fn walk(schema: &Value, place: &str, silent: &mut Vec<String>) {
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            for (name, property) in properties {
                let place = format!("{place}/{name}");
                if property.get("description").is_none() && property.get("const").is_none() {
                    silent.push(place.clone());
                }
                walk(property, &place, silent);
            }
        }
        for (key, inner) in schema.as_object().into_iter().flatten().filter(|(key, _)| *key != "properties" && *key != "if") {
            match inner {
                Value::Array(items) => items.iter().for_each(|item| walk(item, &format!("{place}/{key}"), silent)),
                Value::Object(_) => walk(inner, &format!("{place}/{key}"), silent),
                _ => {}
            }
        }
    }
    let mut silent = Vec::new();
    walk(&workflow_schema(), "", &mut silent);
    // A kind's `config` is described where the node is.
    silent.retain(|place| !place.ends_with("/then/config"));
    assert_eq!(silent, [""; 0]);
}

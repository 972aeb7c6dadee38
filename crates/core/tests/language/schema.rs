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

/// The kinds whose work is done by other steps, by people or by time.
fn containers_and_people() -> [Value; 2] {
    let first = json!([
        {"id": "d", "type": "map", "join": "any", "onError": {"value": []}, "config": {
            "items": "{{input.list}}", "maxConcurrency": 4, "onError": "collect", "body": {"entry": "e", "ui": {}, "edges": [], "nodes": [
                {"id": "e", "type": "loop", "config": {
                    "maxIterations": 3, "until": "iteration.state.n > each.index", "while": "true", "state": {"n": 0, "all": []},
                    "update": {"n": {"$add": 1}, "all": {"$append": "{{node.f.output}}"}}, "onExhausted": "fail",
                    "maxSteps": 9, "maxToolCalls": 9, "maxTokens": 9, "maxCostUsd": 1, "timeoutSeconds": 9,
                    "body": {"entry": "f", "nodes": [{"id": "f", "type": "set", "config": {
                        "vars": {"last": "{{each.item}} {{iteration.index}}"}, "session": {"count": {"$add": 1}}}}], "edges": []}}}]}}},
        {"id": "g", "type": "agent", "config": {
            "provider": "openai", "model": "m", "instructions": "i", "prompt": "p", "maxHandoffs": 1, "maxSteps": 2, "maxToolCalls": 3,
            "maxTokens": 4, "maxCostUsd": 5, "timeoutSeconds": 6, "temperature": 0.1, "schema": {"type": "object"},
            "cache": {"enabled": false}, "simulate": {"latencyMs": 1},
            "tools": [{"tool": "csv", "name": "table", "description": "d", "parameters": {"type": "object"}, "config": {"text": "{{text}}"}}],
            "handoffs": {"boss": {"description": "d", "provider": "openai", "model": "m", "instructions": "i", "tools": [],
                "simulate": {"latencyMs": 1}}}}}
    ]);
    let second = json!([
        {"id": "h", "type": "approval", "config": {"message": "m", "payload": {"x": 1}, "timeoutSeconds": 60, "onTimeout": "reject"}},
        {"id": "i", "type": "wait", "config": {"signal": "go", "timeoutSeconds": 60, "onTimeout": "continue"}},
        {"id": "j", "type": "workflow", "config": {"workflow": "w", "version": 2, "input": {"x": "{{input.x}}"}}},
        {"id": "k", "type": "gate", "config": {"schema": {"type": "object"}, "check": "len(text) > 0"}, "inputs": {"text": "{{session.x}}"}},
        {"id": "l", "type": "tool", "join": 1, "config": {"tool": "csv", "idempotent": false},
         "undo": {"config": {"tool": "csv", "idempotent": true}, "inputs": {"id": "{{node.l.output.id}}"}}}
    ]);
    [first, second]
}

#[test]
fn it_accepts_a_document_that_uses_everything() {
    let mut document = json!({
        "version": "1", "name": "All", "description": "Everything", "entry": "a", "ui": {"zoom": 1},
        "nodes": [
            {"id": "a", "type": "tool", "name": "A", "config": {"tool": "csv", "anything": [1]}, "inputs": {"x": {"deep": ["{{input}}"]}},
             "retry": {"maxAttempts": 2, "initialMs": 0, "maxMs": 10}, "timeoutSeconds": 5, "ui": {"x": 1, "y": 2}},
            {"id": "b", "type": "router", "config": {"rule": "true"}},
            {"id": "c", "type": "llm", "config": {
                "provider": "openai", "model": "m", "system": "s", "prompt": "p", "temperature": 0.5, "topP": 1, "maxTokens": 10,
                "stop": ["x"], "seed": -1, "schema": {"type": "object"}, "cache": {"enabled": false, "ttlSeconds": 60},
                "fallbacks": [{"provider": "anthropic", "model": "n"}], "simulate": {"latencyMs": 1},
                "check": "len(string(node.c.output)) > 0", "repairs": 1, "sample": "{{input.n}}",
                "messages": [{"role": "user", "content": "{{input.said}}"}]}}
        ],
        "edges": [{"from": "a", "to": "b"}, {"from": "b", "to": "c", "when": "branch", "ui": {}},
                  {"from": "c", "to": "d"}, {"from": "d", "to": "g"}, {"from": "g", "to": "h"},
                  {"from": "h", "to": "i", "when": "branch == 'approved'"}, {"from": "i", "to": "j", "on": "success"},
                  {"from": "j", "to": "k"}, {"from": "j", "to": "l", "on": "error"}, {"from": "k", "to": "l", "when": "branch == 'pass'"}],
        "limits": {"maxNodes": 14, "maxToolCalls": 5, "maxIterations": 5, "maxDepth": 2, "maxSpawns": 3, "maxTokens": 1, "timeoutSeconds": 1, "maxSteps": 1, "maxCostUsd": 0.01, "allowUnpriced": true},
        "execution": {"mode": "parallel", "maxConcurrency": 2}
    });
    for nodes in containers_and_people() {
        document["nodes"].as_array_mut().unwrap().extend(nodes.as_array().unwrap().iter().cloned());
    }
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
        ("/nodes/0/type", json!("agents")),
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
        ("/limits/maxDepth", json!(101)),
        ("/nodes/0/join", json!(1.5)),
        ("/nodes/0/onError", json!({})),
        ("/nodes/0/undo", json!({"inputs": {}})),
        ("/edges/0/on", json!("failure")),
        ("/nodes/1/config/repairs", json!(11)),
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

/// The kinds of nodes each with what must not be, below the node that is all of the document.
#[test]
fn it_refuses_of_every_kind_what_the_check_refuses() {
    let body = json!({"entry": "x", "nodes": [{"id": "x", "type": "tool", "config": {"tool": "csv"}}], "edges": []});
    let mut inner = body.clone();
    inner["nodes"][0]["type"] = json!("nothing");
    let kinds = [
        ("map", json!({"items": [1], "body": body}), "body", json!({"entry": "x"})),
        ("map", json!({"items": [1], "body": body}), "body", json!(null)),
        ("map", json!({"items": [1], "body": body}), "body", inner.clone()),
        ("map", json!({"items": [1], "body": body}), "onError", json!("ignore")),
        ("map", json!({"items": [1], "body": body}), "maxConcurrency", json!(0)),
        ("loop", json!({"maxIterations": 1, "body": body}), "body", inner),
        ("loop", json!({"maxIterations": 1, "body": body}), "maxIterations", json!(0)),
        ("loop", json!({"maxIterations": 1, "body": body}), "state", json!([])),
        ("loop", json!({"maxIterations": 1, "body": body}), "onExhausted", json!("stop")),
        ("agent", json!({"prompt": "x"}), "tools", json!([{"name": "x"}])),
        ("agent", json!({"prompt": "x"}), "tools", json!([{"tool": "csv", "name": "read csv"}])),
        ("agent", json!({"prompt": "x"}), "maxSteps", json!(0)),
        ("approval", json!({}), "onTimeout", json!("ask")),
        ("approval", json!({}), "timeoutSeconds", json!(0)),
        ("wait", json!({"seconds": 1}), "onTimeout", json!("approve")),
        ("workflow", json!({"workflow": "w"}), "version", json!(0)),
        ("gate", json!({"check": "true"}), "check", json!("")),
        ("set", json!({"vars": {"a": 1}}), "session", json!(3)),
    ];
    for (kind, config, name, wrong) in kinds {
        let document = |config: &Value| json!({"version": "1", "entry": "a", "nodes": [{"id": "a", "type": kind, "config": config}], "edges": []});
        let mut config = config;
        let fine = document(&config);
        assert_eq!(faults(&fine), [""; 0], "{fine}");
        check(fine.to_string().as_bytes(), &catalog()).unwrap_or_else(|problems| panic!("{kind}: {problems:#?}"));
        config[name] = wrong;
        let document = document(&config);
        let place = format!("/nodes/0/config/{name}");
        assert!(faults(&document).iter().any(|fault| fault.starts_with(&place)), "{document}: {:?}", faults(&document));
        let problems = check(document.to_string().as_bytes(), &catalog()).unwrap_err();
        assert!(problems.iter().any(|problem| problem.pointer.starts_with(&place)), "{document}: {problems:?}");
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

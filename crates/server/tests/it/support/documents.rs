//! Workflow documents that tests run.

use serde_json::{Value, json};

/// One step that returns the input variable `text`.
pub fn echo() -> Value {
    json!({
        "version": "1",
        "entry": "say",
        "nodes": [{"id": "say", "type": "tool", "config": {"tool": "echo"}, "inputs": {"text": "{{input.text}}"}}],
        "edges": []
    })
}

/// `length` steps in a row.
pub fn chain(length: usize) -> Value {
    let nodes: Vec<Value> = (0..length)
        .map(|i| json!({"id": format!("s{i}"), "type": "tool", "config": {"tool": "echo"}, "inputs": {"i": i}}))
        .collect();
    let edges: Vec<Value> = (1..length).map(|i| json!({"from": format!("s{}", i - 1), "to": format!("s{i}")})).collect();
    json!({"version": "1", "entry": "s0", "nodes": nodes, "edges": edges, "limits": {"maxNodes": length}})
}

/// One model call with a script for the simulator.
pub fn model(script: Value) -> Value {
    json!({
        "version": "1",
        "entry": "ask",
        "nodes": [{
            "id": "ask", "type": "llm",
            "config": {
                "provider": "openai", "model": "gpt-4o-mini", "prompt": "Say something.",
                "cache": {"enabled": false}, "simulate": script
            },
            "retry": {"initialMs": 1, "maxMs": 5}
        }],
        "edges": []
    })
}

/// A model call, a router, and a branch that is not taken.
pub fn routed() -> Value {
    json!({
        "version": "1",
        "entry": "start",
        "nodes": [
            {"id": "start", "type": "tool", "config": {"tool": "echo"}, "inputs": {"topic": "{{input.topic}}"}},
            {"id": "summarize", "type": "llm", "name": "Summarize",
             "config": {"provider": "openai", "model": "gpt-4o-mini", "system": "Be concise",
                        "simulate": {"answer": "Short.", "faults": [{"status": 429, "retryAfterMs": 1}]}},
             "inputs": {"text": "{{node.start.output.topic}}"}, "retry": {"initialMs": 1, "maxMs": 5}},
            {"id": "decide", "type": "router", "config": {"rule": "len(text) > 2000 ? 'deep' : 'shallow'"},
             "inputs": {"text": "{{node.summarize.output}}"}},
            {"id": "deep", "type": "llm", "config": {"provider": "anthropic", "model": "claude-3.5-sonnet"},
             "inputs": {"text": "{{node.summarize.output}}"}},
            {"id": "shallow", "type": "tool", "config": {"tool": "echo"}, "inputs": {"text": "{{node.summarize.output}}"}}
        ],
        "edges": [
            {"from": "start", "to": "summarize"},
            {"from": "summarize", "to": "decide"},
            {"from": "decide", "to": "deep", "when": "branch == 'deep'"},
            {"from": "decide", "to": "shallow", "when": "branch == 'shallow'"}
        ]
    })
}

/// A document with two problems.
pub fn broken() -> Value {
    json!({
        "version": "1",
        "entry": "sumarize",
        "nodes": [{"id": "summarize", "type": "tool", "config": {"tool": "ecco"}}],
        "edges": []
    })
}

//! The workloads as FlowTrace documents. The sizes are those of the peers' runs.

use serde_json::{Value, json};

pub const CHAIN: usize = 100;
pub const BRANCHES: usize = 1000;
pub const RUNS: usize = 1000;
pub const RUN_STEPS: usize = 5;
pub const IN_FLIGHT: usize = 64;
pub const CRASH_AT: usize = 50;
pub const WARM_UP: usize = 5;

/// Length of a step's payload as JSON.
const PAYLOAD_BYTES: usize = 200;

pub fn payload(index: usize) -> Value {
    let bare = json!({"i": 100, "ok": true, "text": ""}).to_string().len();
    json!({"i": index, "ok": true, "text": "x".repeat(PAYLOAD_BYTES - bare)})
}

fn step(tool: &str, index: usize) -> Value {
    json!({"id": format!("n{index}"), "type": "tool", "name": format!("Step {index}"), "config": {"tool": tool}, "inputs": payload(index)})
}

/// `count` steps, one after the other.
pub fn chain(tool: &str, count: usize) -> Value {
    let nodes: Vec<Value> = (0..count).map(|index| step(tool, index)).collect();
    let edges: Vec<Value> = (1..count).map(|to| json!({"from": format!("n{}", to - 1), "to": format!("n{to}")})).collect();
    json!({"version": "1", "entry": "n0", "nodes": nodes, "edges": edges, "limits": {"maxNodes": count}})
}

/// `count` steps, one after the other, each a call of a service at `base`.
pub fn remote_chain(base: &str, count: usize) -> Value {
    let mut document = chain("http", count);
    for (index, node) in document["nodes"].as_array_mut().into_iter().flatten().enumerate() {
        node["config"] = json!({"tool": "http", "url": format!("{base}/{index}")});
    }
    document
}

/// Three steps, the second of them a call of a service at `base` under the number of the run.
pub fn held(base: &str) -> Value {
    let mut document = chain("echo", 3);
    document["nodes"][1]["config"] = json!({"tool": "http", "url": format!("{base}/{{{{input.i}}}}")});
    document["nodes"][1]["timeoutSeconds"] = json!(600);
    document
}

/// One step, `count` branches in parallel, one join.
pub fn fan_out(tool: &str, count: usize) -> Value {
    let nodes: Vec<Value> = (0..count + 2).map(|index| step(tool, index)).collect();
    let join = format!("n{}", count + 1);
    let edges: Vec<Value> = (1..=count)
        .flat_map(|branch| {
            let branch = format!("n{branch}");
            [json!({"from": "n0", "to": branch}), json!({"from": branch, "to": join})]
        })
        .collect();
    json!({"version": "1", "entry": "n0", "nodes": nodes, "edges": edges,
        "execution": {"mode": "parallel", "maxConcurrency": count}, "limits": {"maxNodes": count + 2}})
}

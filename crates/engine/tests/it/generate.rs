//! Random workflows: every node is reachable, edges only go forward, and bindings only look upstream.

use crate::world::Rng;
use serde_json::{Map, Value, json};

pub fn workflow(rng: &mut Rng, cache: bool) -> Value {
    let count = 2 + rng.below(9) as usize;
    let kinds: Vec<&str> = (0..count).map(|_| ["tool", "llm", "router"][rng.below(3) as usize]).collect();
    let mut edges: Vec<(usize, usize)> = Vec::new();
    for to in 1..count {
        let mut froms: Vec<usize> = (0..1 + rng.below(2)).map(|_| rng.below(to as u64) as usize).collect();
        froms.sort_unstable();
        froms.dedup();
        edges.extend(froms.into_iter().map(|from| (from, to)));
    }
    let mut upstream = vec![vec![false; count]; count];
    for to in 0..count {
        for from in edges.iter().filter(|edge| edge.1 == to).map(|edge| edge.0).collect::<Vec<_>>() {
            upstream[to][from] = true;
            let above = upstream[from].clone();
            upstream[to].iter_mut().zip(above).for_each(|(is, above)| *is |= above);
        }
    }
    let nodes: Vec<Value> = (0..count).map(|ix| node(rng, kinds[ix], ix, &upstream[ix], cache)).collect();
    let edges: Vec<Value> = edges
        .into_iter()
        .map(|(from, to)| {
            let mut edge = json!({"from": format!("n{from}"), "to": format!("n{to}")});
            if kinds[from] == "router" && rng.chance(70) {
                let conditions = ["branch == 'left'", "branch != 'left'", "branch == 'right' || len(branch) > 9"];
                edge["when"] = json!(conditions[rng.below(3) as usize]);
            }
            edge
        })
        .collect();
    let mut limits = Map::new();
    if rng.chance(15) {
        limits.insert("maxSteps".to_owned(), json!(1 + rng.below(count as u64)));
    }
    if rng.chance(10) {
        limits.insert("timeoutSeconds".to_owned(), json!(3600));
    }
    let execution = match rng.chance(50) {
        true => json!({"mode": "parallel", "maxConcurrency": 1 + rng.below(4)}),
        false => json!({"mode": "sequential"}),
    };
    json!({"version": "1", "entry": "n0", "nodes": nodes, "edges": edges, "execution": execution, "limits": limits})
}

fn node(rng: &mut Rng, kind: &str, ix: usize, upstream: &[bool], cache: bool) -> Value {
    let mut inputs = Map::new();
    inputs.insert("own".to_owned(), json!(format!("value {ix}")));
    for (other, _) in upstream.iter().enumerate().filter(|(_, is)| **is) {
        if rng.chance(60) {
            let binding = format!("{{{{node.n{other}.output}}}}");
            let text = if rng.chance(50) { binding } else { format!("from {other}: {binding}") };
            inputs.insert(format!("in{other}"), json!(text));
        }
    }
    let config = match kind {
        "tool" => json!({"tool": "http", "url": format!("http://example.test/{ix}")}),
        "llm" => json!({"provider": "openai", "model": "gpt-4o-mini", "cache": {"enabled": cache},
            "fallbacks": if rng.chance(50) { json!([{"provider": "anthropic", "model": "claude-3.5-sonnet"}]) } else { json!([]) }}),
        _ => {
            let rule = ["len(own) > 3 ? 'left' : 'right'", "'right'", "'left'"][rng.below(3) as usize];
            json!({ "rule": rule })
        }
    };
    let mut node =
        json!({"id": format!("n{ix}"), "type": kind, "name": format!("Node {ix}"), "config": config, "inputs": inputs});
    if kind != "router" {
        node["retry"] = json!({"maxAttempts": 1 + rng.below(4), "initialMs": 1 + rng.below(200), "maxMs": 50_000});
    }
    node
}

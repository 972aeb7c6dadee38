//! Loops and agents without caps, and budgets of tokens only. Whatever goes round by itself needs an end in every currency:
//! tokens, steps, tool calls and time. A missing one is how a small mistake in a prompt becomes a large bill.

use super::{Node, View, Warnings};
use serde_json::Value;

pub fn lint(view: &View, found: &mut Warnings) {
    let mut repeats = false;
    // Whether a graph asks models, its bodies included. Bodies stand behind what they are in.
    let mut asks = vec![false; view.graphs.len()];
    for (at, graph) in view.graphs.iter().enumerate().rev() {
        asks[at] |= graph.nodes.iter().any(|node| matches!(node.kind, "llm" | "agent" | "workflow"));
        if let (true, Some((above, _))) = (asks[at], graph.owner) {
            asks[above] = true;
        }
    }
    for (at, graph) in view.graphs.iter().enumerate() {
        for (place, node) in graph.nodes.iter().enumerate() {
            repeats |= matches!(node.kind, "agent" | "loop" | "map" | "workflow");
            match node.kind {
                "agent" => agent(view, at, node, found),
                "loop" => looped(view, at, node, view.body(at, place).is_some_and(|body| asks[body]), found),
                _ => {}
            }
        }
    }
    let others = ["maxSteps", "maxToolCalls", "timeoutSeconds", "maxCostUsd"];
    if repeats && view.limit("maxTokens") && !others.iter().any(|name| view.limit(name)) {
        found.add(
            None,
            "token_only_budget",
            "/limits",
            "the run is limited by its tokens only: tool calls, waiting and turns that use few tokens go on without end"
                .to_owned(),
            "add `timeoutSeconds` and `maxSteps` to `limits`",
        );
    }
}

/// Whether something around the node has the cap, or the run has.
fn outer(view: &View, graph: usize, name: &str) -> bool {
    view.limit(name) || view.around(graph).any(|node| node.config(name).is_some())
}

fn timed(node: &Node) -> bool {
    node.config("timeoutSeconds").is_some() || node.value.get("timeoutSeconds").is_some_and(Value::is_number)
}

fn agent(view: &View, graph: usize, node: &Node, found: &mut Warnings) {
    let has = |name: &str| node.config(name).is_some();
    let tokens = has("maxTokens");
    let others = [has("maxSteps"), has("maxToolCalls"), timed(node), has("maxCostUsd")];
    let covered = |name: &str| has(name) || outer(view, graph, name);
    let missing: Vec<&str> = [
        ("maxTokens", covered("maxTokens")),
        ("maxSteps", covered("maxSteps")),
        ("maxToolCalls", covered("maxToolCalls")),
        ("timeoutSeconds", timed(node) || outer(view, graph, "timeoutSeconds")),
    ]
    .into_iter()
    .filter_map(|(name, there)| (!there).then_some(name))
    .collect();
    if missing.is_empty() {
        return;
    }
    if tokens && !others.contains(&true) && missing.len() == 3 {
        let message = format!("the agent {} is limited by its tokens only: tool calls and waiting cost none", node.name());
        let at = node.at("maxTokens");
        found.add(Some(node), "token_only_budget", at, message, "add `maxSteps`, `maxToolCalls` and `timeoutSeconds`");
        return;
    }
    let message = format!("the agent {} has no cap on everything it spends: {} missing", node.name(), are(&missing));
    found.add(Some(node), "uncapped_agent", node.pointer.clone(), message, &format!("add {}", list(&missing)));
}

/// The number of iterations caps the steps and the tool calls of plain nodes; agents in the body have caps of their own.
fn looped(view: &View, graph: usize, node: &Node, asks: bool, found: &mut Warnings) {
    let missing: Vec<&str> = [
        ("maxIterations", node.config("maxIterations").is_some()),
        ("maxTokens", !asks || node.config("maxTokens").is_some() || outer(view, graph, "maxTokens")),
        ("timeoutSeconds", timed(node) || outer(view, graph, "timeoutSeconds")),
    ]
    .into_iter()
    .filter_map(|(name, there)| (!there).then_some(name))
    .collect();
    if missing.is_empty() {
        return;
    }
    let message = format!("the loop {} has no cap on everything it spends: {} missing", node.name(), are(&missing));
    let suggestion = match missing.contains(&"maxIterations") {
        true => "add `maxIterations` to the loop, and what else is missing to `limits` of the workflow",
        false => "add what is missing to `limits` of the workflow",
    };
    found.add(Some(node), "uncapped_loop", node.pointer.clone(), message, suggestion);
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn are(names: &[&str]) -> String {
    format!("{} {}", list(names), if names.len() == 1 { "is" } else { "are" })
}

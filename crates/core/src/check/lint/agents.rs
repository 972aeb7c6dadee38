//! Agents that choose their own path with nothing that constrains it.

use super::{Node, View, Warnings, connected};
use crate::tool::Effect;
use serde_json::Value;

/// Kinds of nodes that stop or judge what comes out of an agent.
const CHECKS: [&str; 3] = ["gate", "approval", "router"];

pub fn lint(view: &View, found: &mut Warnings) {
    for (at, graph) in view.graphs.iter().enumerate() {
        let agents: Vec<&Node> = graph.nodes.iter().filter(|node| node.kind == "agent").collect();
        if agents.is_empty() {
            continue;
        }
        let checks = graph.nodes.iter().filter(|node| CHECKS.contains(&node.kind)).map(|node| node.id);
        let checked = connected(graph, checks, true);
        let in_loop = view.around(at).any(|around| around.kind == "loop");
        agents.into_iter().for_each(|node| agent(view, node, in_loop || checked.contains(node.id), found));
    }
}

fn agent(view: &View, node: &Node, checked: bool, found: &mut Warnings) {
    if let Some((position, pattern)) = node.tools().find(|(_, name)| name.contains('*')) {
        let message = format!("the agent {} may use every tool that fits `{pattern}`, also those that come later", node.name());
        let place = format!("{}/{position}", node.at("tools"));
        found.add(Some(node), "unconstrained_agent", place, message, "name the tools that it needs");
        return;
    }
    let harmless =
        |name: &str| view.catalog.tools.iter().find(|tool| tool.name == name).is_some_and(|tool| tool.effect == Effect::ReadOnly);
    let acts = node.tools().any(|(_, name)| !harmless(name)) || node.config("handoffs").is_some_and(|list| !is_empty(list));
    if acts && !checked && node.config("schema").is_none() {
        let message = format!(
            "the agent {} chooses its own path with tools that change something, and nothing checks where it comes out",
            node.name()
        );
        let suggestion = "add a gate or an approval after it, or a `schema` to its config";
        found.add(Some(node), "unconstrained_agent", node.pointer.clone(), message, suggestion);
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(serde_json::Map::is_empty)
}

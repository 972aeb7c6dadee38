//! Work that makes more work: agents and workflows started once for each item or each turn.

use super::{View, Warnings};
use serde_json::Value;

pub fn lint(view: &View, found: &mut Warnings) {
    let capped = ["maxSpawns", "maxSteps"].iter().any(|name| view.limit(name));
    if capped {
        return;
    }
    for (graph, node) in view.nodes() {
        let outside = view.around(graph).find(|around| match around.kind {
            // A list that is written out has an end.
            "map" => around.config("maxItems").is_none() && !around.config("items").is_some_and(Value::is_array),
            _ => false,
        });
        let (message, suggestion) = match (node.kind, outside) {
            ("workflow" | "agent", Some(map)) => (
                format!("{} is started for each item of {}, however many there are", node.name(), map.name()),
                "add `maxSteps` to `limits` of the workflow",
            ),
            ("workflow", None) if view.around(graph).any(|around| around.kind == "loop") => (
                format!("{} starts another workflow in each turn of a loop, and no limit counts what those start", node.name()),
                "add `maxSteps` to `limits` of the workflow",
            ),
            ("agent", None) if node.config("handoffs").and_then(Value::as_array).is_some_and(|list| !list.is_empty()) => (
                format!("{} may hand over to other agents, which may hand over again, and no limit counts them", node.name()),
                "add `maxSteps` to `limits` of the workflow",
            ),
            _ => continue,
        };
        found.add(Some(node), "unbounded_spawning", node.pointer.clone(), message, suggestion);
    }
}

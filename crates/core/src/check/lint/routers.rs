//! Routers without a way for what nobody thought of.

use super::{View, Warnings};
use crate::expression::Expression;
use std::collections::HashMap;

/// The length of all expressions that are looked at: bounds the time that parsing takes.
const MAX_BYTES: usize = 1024 * 1024;

pub fn lint(view: &View, found: &mut Warnings) {
    let mut left = MAX_BYTES;
    let mut compile = |source: &str| {
        left = left.checked_sub(source.len())?;
        // What cannot be read is a problem of its own.
        Expression::compile(source, "").ok()
    };
    for graph in &view.graphs {
        let mut outgoing: HashMap<&str, Vec<Option<&str>>> = HashMap::new();
        graph.edges.iter().for_each(|edge| outgoing.entry(edge.from).or_default().push(edge.when));
        for node in graph.nodes.iter().filter(|node| node.kind == "router") {
            let (Some(edges), Some(rule)) = (outgoing.get(node.id), node.text("rule")) else { continue };
            if edges.iter().any(Option::is_none) {
                continue;
            }
            // A rule that lists its results has no other ones.
            let Some(rule) = compile(rule).filter(|rule| !rule.is_closed()) else { continue };
            let all_named = edges.iter().flatten().all(|when| compile(when).is_some_and(|when| when.names_branches()));
            if all_named {
                let message = format!(
                    "the router {} has no way for other branches: where `{}` gives a text that no edge names, everything after it is \
                     skipped",
                    node.name(),
                    crate::reference::clip(rule.source())
                );
                let suggestion = "add an edge for the rest, such as `!(branch in ['a', 'b'])`, or let the rule give 'other'";
                found.add(Some(node), "router_without_other", node.at("rule"), message, suggestion);
            }
        }
    }
}

//! Tools that cannot be looked at now, and inputs that a tool will refuse. Both are known for sure only when the step runs:
//! servers of tools come and go, and change what they take.

use super::{Node, View, Warnings};
use crate::reference::{clip, pointer};
use crate::tool::ToolDescription;
use serde_json::Value;

pub fn lint(view: &View, found: &mut Warnings) {
    for (_, node) in view.nodes() {
        match node.kind {
            "tool" => {
                let Some(name) = node.text("tool") else { continue };
                match view.catalog.tools.iter().find(|tool| tool.name == name) {
                    Some(tool) => inputs(node, tool, found),
                    None => unreached(view, node, name, node.at("tool"), found),
                }
            }
            "agent" => {
                for (at, name) in node.tools() {
                    if !view.catalog.tools.iter().any(|tool| tool.name == name) {
                        unreached(view, node, name, pointer(&node.at("tools"), at), found);
                    }
                }
            }
            _ => {}
        }
    }
}

fn unreached(view: &View, node: &Node, name: &str, at: String, found: &mut Warnings) {
    let Some(source) = view.catalog.sources.iter().find(|source| !source.reached && name.starts_with(&source.prefix)) else {
        return;
    };
    let why = source.problem.as_ref().map_or_else(String::new, |why| format!(": {}", clip(why.trim_end_matches('.'))));
    let message = format!(
        "whether there is a tool `{}` is not known, because the MCP server `{}` was not reached yet{why}",
        clip(name),
        source.name
    );
    found.add(Some(node), "tool_not_reached", at, message, "it is looked for when the step runs");
}

fn inputs(node: &Node, tool: &ToolDescription, found: &mut Warnings) {
    let schema = &tool.input_schema;
    let given = node.value.get("inputs").and_then(Value::as_object).unwrap_or(super::empty());
    let at = pointer(&node.pointer, "inputs");
    let required = schema.get("required").and_then(Value::as_array);
    for name in required.into_iter().flatten().filter_map(Value::as_str).filter(|name| !given.contains_key(*name)) {
        let message = format!("the tool `{}` needs the input `{}`", tool.name, clip(name));
        found.add(Some(node), "tool_inputs", at.clone(), message, "add it to `inputs`");
    }
    let known = schema.get("properties").and_then(Value::as_object);
    if let (Some(known), Some(Value::Bool(false))) = (known, schema.get("additionalProperties")) {
        for name in given.keys().filter(|name| !known.contains_key(*name)) {
            let message = format!("the tool `{}` takes no input `{}`", tool.name, clip(name));
            found.add(Some(node), "tool_inputs", pointer(&at, name), message, "remove it");
        }
    }
}

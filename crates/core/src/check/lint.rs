//! Warnings: what the language allows and what is probably not meant. A lint never keeps a document from being saved or run.
//!
//! Lints look at the JSON and not at the compiled plan, so that they also help with a document that still has problems. Each is
//! a guess about meaning, so each can be turned off where it is wrong: `"ui": {"ignoreWarnings": ["code"]}` on the node, or on
//! the document for all of it.

mod agents;
mod caps;
mod critics;
mod routers;
mod spawning;
mod tools;

use super::{Catalog, Problems};
use crate::document::MAX_DOCUMENT_BYTES;
use crate::problem::Problem;
use crate::reference::pointer;
use crate::stack::with_large_stack;
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

/// Bodies in bodies; a document that is nested deeper than its JSON may be has none of this depth.
const MAX_DEPTH: usize = 40;

/// Everything that is odd about a document. One that cannot be read has no warnings: it has a problem.
pub fn lint(json: &[u8], catalog: &Catalog) -> Vec<Problem> {
    if json.len() > MAX_DOCUMENT_BYTES {
        return Vec::new();
    }
    // Expressions are parsed on the way.
    with_large_stack(|| {
        let Ok(document) = serde_json::from_slice::<Value>(json) else { return Vec::new() };
        let mut graphs = Vec::new();
        collect(&document, String::new(), None, 0, &mut graphs);
        let bodies = graphs.iter().enumerate().filter_map(|(at, graph)| Some((graph.owner?, at))).collect();
        let view = View { document: &document, graphs, bodies, catalog };
        let mut found = Warnings { problems: Problems::default(), ignored: ignored(&document) };
        caps::lint(&view, &mut found);
        agents::lint(&view, &mut found);
        critics::lint(&view, &mut found);
        routers::lint(&view, &mut found);
        spawning::lint(&view, &mut found);
        tools::lint(&view, &mut found);
        found.finish()
    })
    .unwrap_or_default()
}

/// A document with its bodies laid side by side.
struct View<'d> {
    document: &'d Value,
    /// The outermost first, and each before its bodies.
    graphs: Vec<Graph<'d>>,
    /// By the graph and the place of their owners.
    bodies: HashMap<(usize, usize), usize>,
    catalog: &'d Catalog,
}

struct Graph<'d> {
    /// The node that this is the body of: its graph and its place there.
    owner: Option<(usize, usize)>,
    nodes: Vec<Node<'d>>,
    edges: Vec<Edge<'d>>,
}

struct Node<'d> {
    pointer: String,
    id: &'d str,
    kind: &'d str,
    value: &'d Value,
}

struct Edge<'d> {
    from: &'d str,
    to: &'d str,
    when: Option<&'d str>,
}

impl<'d> Node<'d> {
    fn config(&self, name: &str) -> Option<&'d Value> {
        self.value.get("config")?.get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> Option<&'d str> {
        self.config(name)?.as_str()
    }

    fn at(&self, name: &str) -> String {
        pointer(&pointer(&self.pointer, "config"), name)
    }

    /// The id as it is said in a sentence.
    fn name(&self) -> String {
        format!("`{}`", crate::reference::clip(self.id))
    }

    /// The tools of an agent: names, or objects with a `tool`.
    fn tools(&self) -> impl Iterator<Item = (usize, &'d str)> + use<'d> {
        let list = self.config("tools").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        list.iter().enumerate().filter_map(|(at, item)| {
            let name = item.as_str().or_else(|| item.get("tool").and_then(Value::as_str))?;
            Some((at, name))
        })
    }
}

impl<'d> View<'d> {
    fn nodes(&self) -> impl Iterator<Item = (usize, &Node<'d>)> {
        self.graphs.iter().enumerate().flat_map(|(at, graph)| graph.nodes.iter().map(move |node| (at, node)))
    }

    /// A limit of the whole run.
    fn limit(&self, name: &str) -> bool {
        self.document.get("limits").and_then(|limits| limits.get(name)).is_some_and(|limit| !limit.is_null())
    }

    /// The nodes around a graph, the nearest first.
    fn around(&self, graph: usize) -> impl Iterator<Item = &Node<'d>> {
        let owner = move |at: usize| self.graphs[at].owner;
        std::iter::successors(owner(graph), move |(above, _)| owner(*above)).map(|(graph, node)| &self.graphs[graph].nodes[node])
    }

    /// The graph that is the body of a node.
    fn body(&self, graph: usize, node: usize) -> Option<usize> {
        self.bodies.get(&(graph, node)).copied()
    }
}

fn collect<'d>(graph: &'d Value, at: String, owner: Option<(usize, usize)>, depth: usize, graphs: &mut Vec<Graph<'d>>) {
    let list = |name: &str| graph.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let nodes_at = pointer(&at, "nodes");
    let text = |value: &'d Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    let nodes: Vec<Node> = list("nodes")
        .iter()
        .enumerate()
        .map(|(at, value)| Node { pointer: pointer(&nodes_at, at), id: text(value, "id"), kind: text(value, "type"), value })
        .collect();
    let edges = list("edges")
        .iter()
        .map(|edge| Edge { from: text(edge, "from"), to: text(edge, "to"), when: edge.get("when").and_then(Value::as_str) })
        .collect();
    let bodies: Vec<(usize, String, &'d Value)> = nodes
        .iter()
        .enumerate()
        .filter_map(|(at, node)| Some((at, node.at("body"), node.config("body").filter(|body| body.is_object())?)))
        .collect();
    let this = graphs.len();
    graphs.push(Graph { owner, nodes, edges });
    if depth < MAX_DEPTH {
        for (node, at, body) in bodies {
            collect(body, at, Some((this, node)), depth + 1, graphs);
        }
    }
}

struct Warnings {
    problems: Problems,
    /// Codes that the document turns off as a whole.
    ignored: HashSet<String>,
}

impl Warnings {
    fn add(&mut self, node: Option<&Node>, code: &str, at: impl Into<String>, message: String, suggestion: &str) {
        if self.ignored.contains(code) || node.is_some_and(|node| ignored(node.value).contains(code)) {
            return;
        }
        self.problems.push(Problem::new(code, at, message).suggest(Some(suggestion.to_owned())));
    }
}

impl Warnings {
    fn finish(self) -> Vec<Problem> {
        let Problems { mut found, more } = self.problems;
        if more > 0 {
            found.push(Problem::new("more_warnings", "", format!("there are {more} more warnings")));
        }
        found
    }
}

/// The codes in `ui.ignoreWarnings`.
fn ignored(value: &Value) -> HashSet<String> {
    let codes = value.get("ui").and_then(|ui| ui.get("ignoreWarnings")).and_then(Value::as_array);
    codes.into_iter().flatten().filter_map(|code| code.as_str().map(str::to_owned)).collect()
}

/// Calls `see` for every text in a value.
fn texts<'d>(value: &'d Value, see: &mut dyn FnMut(&'d str)) {
    match value {
        Value::String(text) => see(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, see)),
        Value::Object(map) => map.values().for_each(|item| texts(item, see)),
        _ => {}
    }
}

/// The ids of nodes that a value reads by `node.<id>`, bodies left out: they have nodes of their own.
fn reads(node: &Value) -> HashSet<&str> {
    let mut found = HashSet::new();
    let mut see = |text| found.extend(named(text));
    for name in ["inputs", "config"] {
        match node.get(name) {
            Some(Value::Object(map)) => {
                map.iter().filter(|(key, _)| *key != "body").for_each(|(_, value)| texts(value, &mut see));
            }
            Some(other) => texts(other, &mut see),
            None => {}
        }
    }
    found
}

fn named(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("node.").filter_map(move |(at, word)| {
        let starts = text[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != '.');
        let rest = &text[at + word.len()..];
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        (starts && end > 0).then(|| &rest[..end])
    })
}

/// The nodes of one graph that can be come to from some of them; with `back`, those from which one can come to them.
fn connected<'d>(graph: &Graph<'d>, from: impl Iterator<Item = &'d str>, back: bool) -> HashSet<&'d str> {
    let mut next: HashMap<&str, Vec<&'d str>> = HashMap::new();
    for edge in &graph.edges {
        let (from, to) = if back { (edge.to, edge.from) } else { (edge.from, edge.to) };
        next.entry(from).or_default().push(to);
    }
    let mut seen = HashSet::new();
    let mut open: Vec<&str> = from.collect();
    while let Some(id) = open.pop() {
        for to in next.get(id).into_iter().flatten() {
            if seen.insert(*to) {
                open.push(to);
            }
        }
    }
    seen
}

fn empty() -> &'static Map<String, Value> {
    static EMPTY: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    &EMPTY
}

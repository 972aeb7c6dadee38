//! Models that judge: the same model that wrote the text, a judge whom nobody judges, several judges that are one.
//!
//! That a node judges is told by its id and name; there is no kind of node for it.

use super::{Graph, Node, View, Warnings, connected, empty, reads};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

const WORDS: [&str; 14] = [
    "critic",
    "critique",
    "review",
    "reviewer",
    "judge",
    "grade",
    "grader",
    "evaluate",
    "evaluator",
    "verify",
    "verifier",
    "score",
    "assess",
    "referee",
];

pub fn lint(view: &View, found: &mut Warnings) {
    let judges_of: HashSet<&str> = view
        .nodes()
        .filter(|(_, node)| judges(node))
        .flat_map(|(_, node)| reads(node.value).into_iter().filter(|id| *id != node.id))
        .collect();
    let people = view.nodes().any(|(_, node)| node.kind == "approval");
    for (at, graph) in view.graphs.iter().enumerate() {
        let critics: Vec<&Node> = graph.nodes.iter().filter(|node| judges(node)).collect();
        if critics.is_empty() {
            continue;
        }
        let place: HashMap<&str, usize> = graph.nodes.iter().enumerate().map(|(at, node)| (node.id, at)).collect();
        let mut before: HashMap<&str, Vec<&str>> = HashMap::new();
        graph.edges.iter().for_each(|edge| before.entry(edge.to).or_default().push(edge.from));
        let deciding = decisions(view, at);
        for critic in &critics {
            let sources = before.get(critic.id).into_iter().flatten().copied().chain(reads(critic.value));
            // The first in the order of the document.
            let author = sources.filter_map(|id| place.get(id)).copied().filter(|at| same_model(&graph.nodes[*at], critic)).min();
            if let Some(author) = author {
                self_critique(&graph.nodes[author], critic, found);
            }
            if deciding.contains(critic.id) && !people && !judges_of.contains(critic.id) {
                nobody_grades(critic, found);
            }
        }
        same_prompt(graph, &critics, found);
    }
}

fn judges(node: &Node) -> bool {
    let name = node.value.get("name").and_then(Value::as_str).unwrap_or_default();
    node.kind == "llm" && words(node.id).chain(words(name)).any(|word| WORDS.contains(&word.as_str()))
}

/// The words of `strict_review2`, `strictReview` and `Strict review`: small letters, without digits.
fn words(name: &str) -> impl Iterator<Item = String> {
    let mut words = vec![String::new()];
    let mut small = false;
    for c in name.chars() {
        if !c.is_alphabetic() || (c.is_uppercase() && small) {
            words.push(String::new());
        }
        small = c.is_lowercase();
        if let (true, Some(word)) = (c.is_alphabetic(), words.last_mut()) {
            word.extend(c.to_lowercase());
        }
    }
    words.into_iter()
}

/// What is absent is the default, which is one model as well.
fn model<'d>(node: &Node<'d>) -> (Option<&'d str>, Option<&'d str>) {
    (node.text("provider"), node.text("model"))
}

fn same_model(author: &Node, critic: &Node) -> bool {
    matches!(author.kind, "llm" | "agent") && !judges(author) && model(author) == model(critic)
}

fn self_critique(author: &Node, critic: &Node, found: &mut Warnings) {
    let which = critic.text("model").map_or_else(|| "the default model".to_owned(), |model| format!("`{model}`"));
    let message = format!(
        "{} judges what {} wrote, and both are {which}: a model overlooks its own mistakes and prefers its own style",
        critic.name(),
        author.name()
    );
    let at = if critic.text("model").is_some() { critic.at("model") } else { critic.pointer.clone() };
    found.add(Some(critic), "self_critique", at, message, "let a model of another family judge");
}

/// The ids of nodes whose results decide where this graph goes: rules, conditions, gates, the end of a loop.
fn decisions<'d>(view: &View<'d>, at: usize) -> HashSet<&'d str> {
    let graph = &view.graphs[at];
    let mut deciding: HashSet<&str> = HashSet::new();
    for node in graph.nodes.iter().filter(|node| matches!(node.kind, "router" | "gate")) {
        deciding.extend(reads(node.value));
        deciding.extend(graph.edges.iter().filter(|edge| edge.to == node.id).map(|edge| edge.from));
    }
    for edge in &graph.edges {
        deciding.extend(edge.when.into_iter().flat_map(super::named));
    }
    if let Some((above, node)) = graph.owner {
        let owner = &view.graphs[above].nodes[node];
        for name in ["while", "until", "state", "output"] {
            let Some(value) = owner.config(name) else { continue };
            super::texts(value, &mut |text| deciding.extend(super::named(text)));
        }
    }
    deciding
}

/// A verdict decides, and neither a person nor another judge ever looks at one.
fn nobody_grades(critic: &Node, found: &mut Warnings) {
    let message =
        format!("{} decides, and nobody grades its verdicts: no person and no other judge ever sees one", critic.name());
    let suggestion = "let a person see some of them (an approval behind a router), or compare it with graded examples";
    found.add(Some(critic), "ungraded_evaluator", critic.pointer.clone(), message, suggestion);
}

/// Judges that do not wait for one another and are asked the same.
fn same_prompt<'d>(graph: &Graph<'d>, critics: &[&Node<'d>], found: &mut Warnings) {
    // The first of those who are asked the same, and who comes before or after it.
    let mut asked: HashMap<String, (&Node, Option<HashSet<&str>>)> = HashMap::new();
    for critic in critics {
        let config = critic.value.get("config").and_then(Value::as_object).unwrap_or(empty());
        let part = |name: &str| config.get(name).unwrap_or(&Value::Null);
        let question = format!("{} {} {}", part("system"), part("prompt"), critic.value.get("inputs").unwrap_or(&Value::Null));
        let Some((first, in_turn)) = asked.get_mut(&question) else {
            asked.insert(question, (critic, None));
            continue;
        };
        let in_turn = in_turn.get_or_insert_with(|| {
            let mut in_turn = connected(graph, std::iter::once(first.id), false);
            in_turn.extend(connected(graph, std::iter::once(first.id), true));
            in_turn
        });
        if !in_turn.contains(critic.id) {
            let message = format!(
                "{} and {} are asked the same, so they find the same and overlook the same: the second costs and adds little",
                first.name(),
                critic.name()
            );
            let suggestion = "give each a view of its own, such as facts, style or safety";
            found.add(Some(critic), "same_prompt_reviewers", critic.pointer.clone(), message, suggestion);
        }
    }
}

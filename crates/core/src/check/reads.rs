//! Who reads what: names that exist, nodes that are upstream, and fields that can be known before a run.

use super::form::Draft;
use super::graph::{DraftIx, Graph};
use super::nodes::{Part, Parts, Place};
use super::{Problems, did_you_mean};
use crate::document::NodeType;
use crate::expression::is_type_name;
use crate::node::NodeKind;
use crate::problem::Problem;
use crate::reference::{Path, RESERVED_ROOTS, Reference, Segment, clip, list, nearest};
use std::collections::HashMap;

pub fn check(draft: &Draft, graph: &Graph, parts: &mut Parts, problems: &mut Problems) {
    let mut wanted = Vec::new();
    let mut reads = std::mem::take(&mut parts.reads);
    {
        let mut checker =
            Checker { draft, graph, nodes: &parts.nodes, problems: &mut *problems, reads: &mut reads, wanted: &mut wanted };
        for (ix, part) in parts.nodes.iter().enumerate() {
            part.references.iter().for_each(|(place, reference)| checker.reference(ix, *place, reference));
        }
        for ((from, _, _), when) in graph.edges.iter().zip(&parts.conditions) {
            for reference in when.iter().flat_map(|when| when.references()) {
                checker.reference(*from, Place::When, &reference);
            }
        }
    }
    parts.reads = reads;
    if graph.sound {
        check_upstream(draft, graph, &wanted, problems);
    }
}

/// A read that is fine if `read` is upstream of `reader`.
struct Wanted {
    reader: DraftIx,
    read: DraftIx,
    pointer: String,
}

struct Checker<'c> {
    draft: &'c Draft,
    graph: &'c Graph,
    nodes: &'c [Part],
    problems: &'c mut Problems,
    reads: &'c mut Vec<Vec<DraftIx>>,
    wanted: &'c mut Vec<Wanted>,
}

impl Checker<'_> {
    fn reference(&mut self, ix: DraftIx, place: Place, reference: &Reference) {
        let path = &reference.path;
        match path.root() {
            "input" => {}
            "node" => self.node_reference(ix, place, reference),
            "branch" => {
                if place != Place::When {
                    let message = "`branch` exists only in the `when` of edges that leave a router";
                    let hint = "elsewhere a decision is read as `node.<id>.branch`".to_owned();
                    self.problems.push(Problem::new("no_branch", &reference.pointer, message).suggest(Some(hint)));
                } else if self.draft.nodes[ix].kind.is_some_and(|kind| kind != NodeType::Router) {
                    let id = clip(&self.draft.nodes[ix].id);
                    let message = format!("`branch` is the decision of a router, but this edge leaves `{id}`, which is none");
                    let hint = format!("compare its output instead, as in `node.{id}.output == 'yes'`");
                    self.problems.push(Problem::new("no_branch", &reference.pointer, message).suggest(Some(hint)));
                }
            }
            root if RESERVED_ROOTS.contains(&root) => {
                let message = format!("`{root}` is kept for a later version of the language and cannot be used yet");
                self.problems.add("reserved_name", &reference.pointer, message);
            }
            root => self.input_reference(ix, place, root, reference),
        }
    }

    /// A name that can only be one of the node's own inputs.
    fn input_reference(&mut self, ix: DraftIx, place: Place, root: &str, reference: &Reference) {
        let Some(node) = &self.draft.nodes[ix].node else { return };
        if place != Place::Inputs && node.inputs.contains_key(root) {
            return;
        }
        if matches!(place, Place::Rule | Place::When) && is_type_name(root) {
            return;
        }
        let is_node = self.graph.by_id.contains_key(root);
        let names: Vec<&str> = node.inputs.keys().map(String::as_str).filter(|_| place != Place::Inputs).collect();
        let (message, suggestion) = if is_node {
            let message = format!("there is no `{}` here; the output of the node is `node.{root}.output`", clip(root));
            (message, Some(format!("write `node.{}`", with_output(&reference.path))))
        } else if place == Place::Inputs {
            let message = format!("there is no `{}` here: inputs are bound to `node.<id>.output` or `input`", clip(root));
            (message, did_you_mean(root, ["input", "node"].into_iter()))
        } else {
            let message = format!(
                "there is no `{}` here; besides `input` and `node` there are the inputs: {}",
                clip(root),
                list(names.iter().copied())
            );
            (message, did_you_mean(root, names.iter().copied().chain(["input", "node"])))
        };
        self.problems.push(Problem::new("unknown_name", &reference.pointer, message).suggest(suggestion));
    }

    fn node_reference(&mut self, ix: DraftIx, place: Place, reference: &Reference) {
        let path = &reference.path;
        let Some(id) = path.field(1) else {
            self.problems.add("unknown_name", &reference.pointer, "`node` needs the id of a node, as in `node.summarize.output`");
            return;
        };
        let Some(&read) = self.graph.by_id.get(id) else {
            if !self.draft.incomplete {
                let message = format!("unknown node `{}`", clip(id));
                let suggestion = self.problems.did_you_mean(id, self.graph.by_id.keys().map(String::as_str));
                self.problems.push(Problem::new("unknown_node", &reference.pointer, message).suggest(suggestion));
            }
            return;
        };
        if !self.member(read, id, reference) {
            return;
        }
        self.reads[ix].push(read);
        // The condition of an edge may read the node that the edge leaves.
        if read != ix || place != Place::When {
            self.wanted.push(Wanted { reader: ix, read, pointer: reference.pointer.clone() });
        }
    }

    /// Checks what follows `node.<id>`.
    fn member(&mut self, read: DraftIx, id: &str, reference: &Reference) -> bool {
        let path = &reference.path;
        let is_router = self.draft.nodes[read].kind == Some(NodeType::Router);
        match path.field(2) {
            Some("output") => self.output(read, reference),
            Some("branch") if is_router => true,
            Some("branch") => {
                let message = format!("`{}` is no router and has no `branch`", clip(id));
                let problem = Problem::new("unknown_field", &reference.pointer, message);
                self.problems.push(problem.suggest(Some(format!("write `node.{}.output`", clip(id)))));
                false
            }
            other => {
                let has = if is_router { "`output` and `branch`" } else { "`output`" };
                let message = match other {
                    Some(name) => format!("a node has {has}, not `{}`", clip(name)),
                    None => format!("`node.{}` is not a value by itself: a node has {has}", clip(id)),
                };
                // A typo of the word is replaced; anything else was meant to be a field of the output.
                let typo = other.is_some_and(|name| nearest(name, ["output"].into_iter()).is_some());
                let rest = &path.segments()[if typo { 3 } else { 2 }..];
                let problem = Problem::new("unknown_field", &reference.pointer, message);
                self.problems.push(problem.suggest(Some(format!("write `node.{}`", with_output_of(id, rest)))));
                false
            }
        }
    }

    /// Fields of outputs whose form is known: texts of models, and the inputs that a router passes through.
    fn output(&mut self, read: DraftIx, reference: &Reference) -> bool {
        let Some(field) = reference.path.segments().get(3).filter(|_| !reference.optional) else { return true };
        let id = clip(&self.draft.nodes[read].id);
        let Some(kind) = &self.nodes[read].kind else { return true };
        let (message, suggestion) = match (kind, field) {
            (NodeKind::Llm(llm), Segment::Field(name)) if llm.schema.is_none() => {
                let message = format!("the output of `{id}` is a text, so it has no field `{}`", clip(name));
                (message, Some(format!("give `{id}` a `schema`, or write `node.{id}.output`")))
            }
            (NodeKind::Router(_), Segment::Field(name)) => {
                let inputs = self.draft.nodes[read].node.as_ref().map(|node| &node.inputs);
                let Some(inputs) = inputs.filter(|inputs| !inputs.contains_key(name)) else { return true };
                let names = || inputs.keys().map(String::as_str);
                let message =
                    format!("the router `{id}` passes its inputs on, and has no `{}` among them: {}", clip(name), list(names()));
                (message, did_you_mean(name, names()))
            }
            _ => return true,
        };
        self.problems.push(Problem::new("unknown_field", &reference.pointer, message).suggest(suggestion));
        false
    }
}

/// `a.b` as `a.output.b`: what was meant where the word was left out.
fn with_output(path: &Path) -> String {
    with_output_of(path.root(), &path.segments()[1..])
}

fn with_output_of(id: &str, rest: &[Segment]) -> String {
    let mut path = Path::new(id);
    path.push(Segment::Field("output".to_owned()));
    rest.iter().take(4).for_each(|segment| path.push(segment.clone()));
    path.to_string()
}

/// Reports reads of nodes that do not come before the reader. One pass over the graph in its order carries, for each node, the
/// set of read nodes above it as bits, so the cost is edges × read nodes / 64.
fn check_upstream(draft: &Draft, graph: &Graph, wanted: &[Wanted], problems: &mut Problems) {
    let mut bit_of: HashMap<DraftIx, usize> = HashMap::new();
    for want in wanted {
        let next = bit_of.len();
        bit_of.entry(want.read).or_insert(next);
    }
    let words = bit_of.len().div_ceil(64);
    let mut above = vec![0u64; words * draft.nodes.len()];
    for &ix in &graph.order {
        for &from in &graph.incoming[ix] {
            for word in 0..words {
                above[ix * words + word] |= above[from * words + word];
            }
            if let Some(bit) = bit_of.get(&from) {
                above[ix * words + bit / 64] |= 1 << (bit % 64);
            }
        }
    }
    for want in wanted {
        let bit = bit_of[&want.read];
        // Nodes that the entry does not reach were reported; what they read says nothing more.
        let known = graph.reachable[want.reader] && graph.reachable[want.read];
        if known && above[want.reader * words + bit / 64] & (1 << (bit % 64)) == 0 {
            let (reader, read) = (clip(&draft.nodes[want.reader].id), clip(&draft.nodes[want.read].id));
            let message = if want.reader == want.read {
                format!("`{reader}` cannot read its own output")
            } else {
                format!(
                    "`{reader}` reads `{read}`, but no path of edges leads from `{read}` to `{reader}`, so it may not have run yet"
                )
            };
            problems.add("not_upstream", &want.pointer, message);
        }
    }
}

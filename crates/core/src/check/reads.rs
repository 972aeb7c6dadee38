//! Who reads what: names that exist, nodes that are upstream, and fields that can be known before a run.

use super::form::{Draft, DraftNode};
use super::graph::{DraftIx, Graph};
use super::level::{Level, LevelIx};
use super::nodes::Place;
use super::{Problems, did_you_mean};
use crate::document::NodeType;
use crate::expression::is_type_name;
use crate::node::NodeKind;
use crate::problem::Problem;
use crate::reference::{Path, Reference, Segment, clip, list, nearest};
use std::collections::HashMap;

pub fn check(levels: &mut [Level], problems: &mut Problems) {
    let mut wanted: Vec<Vec<Wanted>> = levels.iter().map(|_| Vec::new()).collect();
    let mut reads: Vec<Vec<Vec<(LevelIx, DraftIx)>>> =
        levels.iter().map(|level| vec![Vec::new(); level.draft.nodes.len()]).collect();
    let incomplete = levels.iter().any(|level| level.draft.incomplete);
    {
        let levels = &*levels;
        let mut checker = Checker { levels, incomplete, problems: &mut *problems, reads: &mut reads, wanted: &mut wanted };
        for (at, level) in levels.iter().enumerate() {
            for (ix, part) in level.parts.nodes.iter().enumerate() {
                part.references.iter().for_each(|(place, reference)| checker.reference((at, ix), *place, reference));
            }
            for ((from, _, _), when) in level.graph.edges.iter().zip(&level.parts.conditions) {
                for reference in when.iter().flat_map(|when| when.references()) {
                    checker.reference((at, *from), Place::When, &reference);
                }
            }
        }
    }
    for ((level, reads), wanted) in levels.iter_mut().zip(reads).zip(wanted) {
        level.parts.reads = reads;
        if level.graph.sound {
            check_upstream(&level.draft, &level.graph, &wanted, problems);
        }
    }
}

/// A read that is fine if `read` is upstream of `reader`.
struct Wanted {
    reader: DraftIx,
    read: DraftIx,
    pointer: String,
}

/// A node of a level.
type At = (LevelIx, DraftIx);

struct Checker<'c> {
    levels: &'c [Level],
    incomplete: bool,
    problems: &'c mut Problems,
    reads: &'c mut Vec<Vec<Vec<At>>>,
    wanted: &'c mut Vec<Vec<Wanted>>,
}

impl<'c> Checker<'c> {
    fn node(&self, (level, ix): At) -> &'c DraftNode {
        &self.levels[level].draft.nodes[ix]
    }

    /// The levels from that of a node outwards, each with the node that the first is inside of.
    fn around(&self, at: At) -> impl Iterator<Item = At> + 'c {
        let levels = self.levels;
        std::iter::successors(Some(at), move |(level, _)| levels[*level].owner)
    }

    /// Whether a node is inside of a body of this kind.
    fn is_inside(&self, at: At, kind: NodeType) -> bool {
        self.around(at).skip(1).any(|owner| self.node(owner).kind == Some(kind))
    }

    fn reference(&mut self, at: At, place: Place, reference: &Reference) {
        let path = &reference.path;
        match path.root() {
            "input" | "vars" | "session" | "config" => {}
            "node" => self.node_reference(at, place, reference),
            "each" => {
                if !self.is_inside(at, NodeType::Map) {
                    self.problems.add("unknown_name", &reference.pointer, "`each` exists only inside of the body of a map");
                } else if !matches!(path.field(1), Some("item" | "index")) {
                    let message = "`each` has `item` and `index`";
                    let hint = "write `each.item`".to_owned();
                    self.problems.push(Problem::new("unknown_field", &reference.pointer, message).suggest(Some(hint)));
                }
            }
            "iteration" => {
                if !self.is_inside(at, NodeType::Loop) && place != Place::Inside {
                    self.problems.add("unknown_name", &reference.pointer, "`iteration` exists only inside of the body of a loop");
                } else if !matches!(path.field(1), Some("index" | "state" | "last")) {
                    let message = "`iteration` has `index`, `state` and `last`";
                    let hint = path.field(1).map(|name| format!("write `iteration.state.{}`", clip(name)));
                    self.problems.push(Problem::new("unknown_field", &reference.pointer, message).suggest(hint));
                }
            }
            "branch" => {
                if place != Place::When {
                    let message = "`branch` exists only in the `when` of edges that leave a router";
                    let hint = "elsewhere a decision is read as `node.<id>.branch`".to_owned();
                    self.problems.push(Problem::new("no_branch", &reference.pointer, message).suggest(Some(hint)));
                } else if self.node(at).kind.is_some_and(|kind| !kind.has_branch()) {
                    let id = clip(&self.node(at).id);
                    let message = format!("`branch` is the decision of a router, but this edge leaves `{id}`, which is none");
                    let hint = format!("compare its output instead, as in `node.{id}.output == 'yes'`");
                    self.problems.push(Problem::new("no_branch", &reference.pointer, message).suggest(Some(hint)));
                }
            }
            // What a model will call the arguments of a tool is its own affair.
            _ if place == Place::Arguments => {}
            root => self.input_reference(at, place, root, reference),
        }
    }

    /// A name that can only be one of the node's own inputs.
    fn input_reference(&mut self, at: At, place: Place, root: &str, reference: &Reference) {
        let Some(node) = &self.node(at).node else { return };
        if place != Place::Inputs && node.inputs.contains_key(root) {
            return;
        }
        if matches!(place, Place::Rule | Place::When | Place::Inside) && is_type_name(root) {
            return;
        }
        let is_node = self.around(at).any(|(level, _)| self.levels[level].graph.by_id.contains_key(root));
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

    /// The node of an id as seen from another, and whom its level knows as the reader. `None` as the reader: nobody has to wait.
    fn find(&self, at: At, place: Place, id: &str) -> Option<(At, Option<DraftIx>)> {
        if place == Place::Inside {
            let body = self.levels[at.0].bodies.iter().find(|(ix, _)| *ix == at.1).map(|(_, body)| *body);
            if let Some((body, ix)) = body.and_then(|body| Some((body, *self.levels[body].graph.by_id.get(id)?))) {
                return Some(((body, ix), None));
            }
        }
        self.around(at).find_map(|(level, reader)| Some(((level, *self.levels[level].graph.by_id.get(id)?), Some(reader))))
    }

    fn node_reference(&mut self, at: At, place: Place, reference: &Reference) {
        let path = &reference.path;
        let Some(id) = path.field(1) else {
            self.problems.add("unknown_name", &reference.pointer, "`node` needs the id of a node, as in `node.summarize.output`");
            return;
        };
        let Some((read, reader)) = self.find(at, place, id) else {
            self.unknown_node(at, id, reference);
            return;
        };
        if !self.member(read, id, reference) {
            return;
        }
        self.reads[at.0][at.1].push(read);
        let Some(reader) = reader else { return };
        if read == (read.0, reader) && read != at {
            let message = format!("`{0}` is around this node, so its output is not there yet", clip(id));
            self.problems.add("not_upstream", &reference.pointer, message);
            return;
        }
        // What is evaluated after a node has ended may read the node itself.
        if read != at || !matches!(place, Place::When | Place::After) {
            self.wanted[read.0].push(Wanted { reader, read: read.1, pointer: reference.pointer.clone() });
        }
    }

    fn unknown_node(&mut self, at: At, id: &str, reference: &Reference) {
        if self.incomplete {
            return;
        }
        let inside = self.levels.iter().find(|level| level.graph.by_id.contains_key(id)).and_then(|level| level.owner);
        let problem = match inside {
            Some(owner) => {
                let owner = clip(&self.node(owner).id);
                let message = format!("`{}` is inside of the body of `{owner}`, and cannot be read from here", clip(id));
                Problem::new("not_upstream", &reference.pointer, message).suggest(Some(format!("write `node.{owner}.output`")))
            }
            None => {
                let levels = self.levels;
                let names = self.around(at).flat_map(|(level, _)| levels[level].graph.by_id.keys().map(String::as_str));
                let suggestion = self.problems.did_you_mean(id, names);
                Problem::new("unknown_node", &reference.pointer, format!("unknown node `{}`", clip(id))).suggest(suggestion)
            }
        };
        self.problems.push(problem);
    }

    /// Checks what follows `node.<id>`.
    fn member(&mut self, read: At, id: &str, reference: &Reference) -> bool {
        let path = &reference.path;
        let is_router = self.node(read).kind.is_some_and(|kind| kind.has_branch());
        match path.field(2) {
            Some("output") => self.output(read, reference),
            Some("error") => true,
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
    fn output(&mut self, read: At, reference: &Reference) -> bool {
        let Some(field) = reference.path.segments().get(3).filter(|_| !reference.optional) else { return true };
        let id = clip(&self.node(read).id);
        let Some(kind) = &self.levels[read.0].parts.nodes[read.1].kind else { return true };
        let (message, suggestion) = match (kind, field) {
            (NodeKind::Llm(llm), Segment::Field(name)) if llm.schema.is_none() => {
                let message = format!("the output of `{id}` is a text, so it has no field `{}`", clip(name));
                (message, Some(format!("give `{id}` a `schema`, or write `node.{id}.output`")))
            }
            (NodeKind::Router(_), Segment::Field(name)) => {
                let inputs = self.node(read).node.as_ref().map(|node| &node.inputs);
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

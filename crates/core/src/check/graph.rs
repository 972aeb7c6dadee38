//! The graph: ids, edges, entry, cycles, what is reachable, and the order in which nodes can run.

use super::form::Draft;
use super::level::Level;
use super::words::check_name;
use super::{Problems, did_you_mean};
use crate::document::DEFAULT_MAX_NODES;
use crate::problem::Problem;
use crate::reference::{clip, list};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

/// How many nodes of a cycle are printed.
const MAX_CYCLE: usize = 20;

/// Index into `Draft::nodes`.
pub type DraftIx = usize;

#[derive(Debug, Default)]
pub struct Graph {
    pub by_id: HashMap<String, DraftIx>,
    /// From, to, and the position in `Draft::edges`; only edges between known nodes.
    pub edges: Vec<(DraftIx, DraftIx, usize)>,
    pub outgoing: Vec<Vec<DraftIx>>,
    pub incoming: Vec<Vec<DraftIx>>,
    pub entry: Option<DraftIx>,
    /// Topological, ties in document order. Shorter than the list of nodes where there is a cycle.
    pub order: Vec<DraftIx>,
    /// From the entry; everything where the entry is not known.
    pub reachable: Vec<bool>,
    /// Whether "not upstream" can be said: there is no cycle, and no edge was left out.
    pub sound: bool,
}

pub fn build(levels: &mut [Level], problems: &mut Problems) {
    let limits = levels.first().map(|level| level.draft.limits).unwrap_or_default();
    let most = limits.max_nodes.unwrap_or(DEFAULT_MAX_NODES) as usize;
    let count: usize = levels.iter().map(|level| level.draft.nodes.len()).sum();
    if count > most {
        let message = format!("the document has {count} nodes, more than the {most} that `limits.maxNodes` allows");
        problems.add("too_many_nodes", "/nodes", message);
    }
    // Ids are unique in the whole document, so that `node.<id>` means one node wherever it stands.
    let mut ids = HashMap::with_capacity(count);
    for level in levels {
        level.graph = build_one(&level.draft, &mut ids, problems);
    }
}

fn build_one(draft: &Draft, ids: &mut HashMap<String, String>, problems: &mut Problems) -> Graph {
    let (by_id, doubled) = index(draft, ids, problems);
    let count = draft.nodes.len();
    let mut graph = Graph {
        by_id,
        edges: Vec::with_capacity(draft.edges.len()),
        outgoing: vec![Vec::new(); count],
        incoming: vec![Vec::new(); count],
        entry: None,
        order: Vec::new(),
        reachable: vec![true; count],
        sound: false,
    };
    let complete = connect(draft, &mut graph, problems) && !doubled && !draft.incomplete;
    order(&mut graph);
    let acyclic = graph.order.len() == count;
    if !acyclic {
        report_cycles(draft, &graph, problems);
    }
    find_entry(draft, &mut graph, problems);
    if let Some(entry) = graph.entry {
        graph.reachable = reach(&graph.outgoing, entry);
        if complete {
            report_unreachable(draft, &graph, problems);
        }
    }
    graph.sound = complete && acyclic;
    graph
}

/// `ids`: the place of every node so far, by id.
fn index(draft: &Draft, ids: &mut HashMap<String, String>, problems: &mut Problems) -> (HashMap<String, DraftIx>, bool) {
    let mut by_id: HashMap<String, DraftIx> = HashMap::with_capacity(draft.nodes.len());
    let mut doubled = false;
    for (ix, node) in draft.nodes.iter().enumerate() {
        let at = format!("{}/nodes/{}", draft.place, node.at);
        let place = format!("{at}/id");
        if let Some(first) = ids.get(&node.id) {
            let there = match by_id.get(&node.id) {
                Some(first) => format!("node {}", draft.nodes[*first].at),
                None => format!("at `{first}`"),
            };
            let message = format!("there are two nodes with the id `{}`; the first is {there}", clip(&node.id));
            problems.add("duplicate_id", place, message);
            doubled = true;
            // One of another graph still connects, so that the edges to it are not reported as well.
            by_id.entry(node.id.clone()).or_insert(ix);
            continue;
        }
        ids.insert(node.id.clone(), at);
        // A bad name still connects, so that the edges to it are not reported as well.
        check_name(&node.id, "node id", &place, problems);
        by_id.insert(node.id.clone(), ix);
    }
    (by_id, doubled)
}

/// Returns whether every edge could be connected.
fn connect(draft: &Draft, graph: &mut Graph, problems: &mut Problems) -> bool {
    let mut complete = true;
    let mut seen: HashMap<(DraftIx, DraftIx), usize> = HashMap::with_capacity(draft.edges.len());
    for (position, item) in draft.edges.iter().enumerate() {
        let (edge, at) = (&item.edge, item.at);
        let mut end = |id: &str, side: &str| {
            let found = graph.by_id.get(id).copied();
            // A node that could not be read may well have this id.
            if found.is_none() && !draft.incomplete {
                let message = format!("unknown node `{}`", clip(id));
                let suggestion = problems.did_you_mean(id, graph.by_id.keys().map(String::as_str));
                problems.push(
                    Problem::new("unknown_node", format!("{}/edges/{at}/{side}", draft.place), message).suggest(suggestion),
                );
            }
            found
        };
        let (Some(from), Some(to)) = (end(&edge.from, "from"), end(&edge.to, "to")) else {
            complete = false;
            continue;
        };
        if from == to {
            let message = format!("the edge leads from `{}` to itself: a workflow has no cycles", clip(&edge.from));
            problems.add("self_edge", format!("{}/edges/{at}", draft.place), message);
            continue;
        }
        if let Some(first) = seen.insert((from, to), at) {
            let message = format!("edge {first} leads from `{}` to `{}` already", clip(&edge.from), clip(&edge.to));
            let hint = "join the two conditions with `||` in one edge".to_owned();
            let problem = Problem::new("duplicate_edge", format!("{}/edges/{at}", draft.place), message);
            problems.push(problem.suggest(edge.when.is_some().then_some(hint)));
            continue;
        }
        graph.edges.push((from, to, position));
        graph.outgoing[from].push(to);
        graph.incoming[to].push(from);
    }
    complete
}

/// Kahn's algorithm with a heap, so that ties are in document order.
fn order(graph: &mut Graph) {
    let mut open: Vec<usize> = graph.incoming.iter().map(Vec::len).collect();
    let mut ready: BinaryHeap<Reverse<DraftIx>> =
        open.iter().enumerate().filter(|(_, count)| **count == 0).map(|(ix, _)| Reverse(ix)).collect();
    while let Some(Reverse(ix)) = ready.pop() {
        graph.order.push(ix);
        for &to in &graph.outgoing[ix] {
            open[to] -= 1;
            if open[to] == 0 {
                ready.push(Reverse(to));
            }
        }
    }
}

/// One problem for each group of nodes that reach each other, with one way around.
fn report_cycles(draft: &Draft, graph: &Graph, problems: &mut Problems) {
    let ordered: HashSet<DraftIx> = graph.order.iter().copied().collect();
    let mut done = vec![false; draft.nodes.len()];
    for start in (0..draft.nodes.len()).filter(|ix| !ordered.contains(ix)) {
        if done[start] {
            continue;
        }
        let Some(cycle) = cycle_through(graph, start, &ordered, &mut done) else { continue };
        let mut names: Vec<String> = cycle.iter().take(MAX_CYCLE).map(|ix| clip(&draft.nodes[*ix].id)).collect();
        if cycle.len() > MAX_CYCLE {
            names.push(format!("… {} more …", cycle.len() - MAX_CYCLE));
        }
        names.push(clip(&draft.nodes[cycle[0]].id));
        let closing = graph.edges.iter().find(|(from, to, _)| Some(from) == cycle.last() && *to == cycle[0]);
        let place =
            closing.map_or_else(String::new, |(_, _, position)| format!("{}/edges/{}", draft.place, draft.edges[*position].at));
        problems.add("cycle", place, format!("these nodes wait for each other: {}", names.join(" → ")));
    }
}

/// Walks from `start` among the nodes that no order was found for, depth first, until it meets its own path. Marks what it has
/// seen, so that all walks together cost the size of the graph, and no cycle is reported twice.
fn cycle_through(graph: &Graph, start: DraftIx, ordered: &HashSet<DraftIx>, done: &mut [bool]) -> Option<Vec<DraftIx>> {
    let mut path: Vec<(DraftIx, usize)> = vec![(start, 0)];
    let mut on_path: HashMap<DraftIx, usize> = HashMap::from([(start, 0)]);
    done[start] = true;
    let mut found = None;
    while let Some((ix, next)) = path.last_mut() {
        let Some(&to) = graph.outgoing[*ix].get(*next) else {
            on_path.remove(ix);
            path.pop();
            continue;
        };
        *next += 1;
        if let Some(from) = on_path.get(&to) {
            // Only the first cycle of a connected group is printed; walking on marks the rest of the group as done.
            found.get_or_insert_with(|| path[*from..].iter().map(|(ix, _)| *ix).collect());
        } else if !done[to] && !ordered.contains(&to) {
            done[to] = true;
            on_path.insert(to, path.len());
            path.push((to, 0));
        }
    }
    found
}

fn find_entry(draft: &Draft, graph: &mut Graph, problems: &mut Problems) {
    // That `entry` is missing or no text was reported with the form.
    let Some(entry) = &draft.entry else { return };
    match graph.by_id.get(entry) {
        Some(ix) => graph.entry = Some(*ix),
        None if draft.incomplete => {}
        None => {
            let suggestion = did_you_mean(entry, graph.by_id.keys().map(String::as_str));
            let problem =
                Problem::new("unknown_node", format!("{}/entry", draft.place), format!("unknown node `{}`", clip(entry)));
            problems.push(problem.suggest(suggestion));
        }
    }
}

fn reach(outgoing: &[Vec<DraftIx>], from: DraftIx) -> Vec<bool> {
    let mut reached = vec![false; outgoing.len()];
    let mut open = vec![from];
    reached[from] = true;
    while let Some(ix) = open.pop() {
        for &to in &outgoing[ix] {
            if !reached[to] {
                reached[to] = true;
                open.push(to);
            }
        }
    }
    reached
}

/// Names the nodes where an unreachable part starts; what only follows them is listed with them.
fn report_unreachable(draft: &Draft, graph: &Graph, problems: &mut Problems) {
    let entry = draft.entry.as_deref().unwrap_or_default();
    let starts = |ix: DraftIx| !graph.reachable[ix] && graph.incoming[ix].is_empty();
    let mut told = vec![false; draft.nodes.len()];
    for ix in (0..draft.nodes.len()).filter(|ix| starts(*ix)) {
        let after: Vec<DraftIx> = reach_quiet(graph, ix, &mut told);
        let mut message = format!("no path of edges leads from the entry `{}` to `{}`", clip(entry), clip(&draft.nodes[ix].id));
        if !after.is_empty() {
            message.push_str(&format!(", nor to what follows it: {}", list(after.iter().map(|ix| draft.nodes[*ix].id.as_str()))));
        }
        problems.add("unreachable_node", format!("{}/nodes/{}", draft.place, draft.nodes[ix].at), message);
    }
}

/// The unreachable nodes after one, in document order, that no earlier message has named.
fn reach_quiet(graph: &Graph, from: DraftIx, told: &mut [bool]) -> Vec<DraftIx> {
    let mut after = Vec::new();
    let mut open = vec![from];
    while let Some(ix) = open.pop() {
        for &to in &graph.outgoing[ix] {
            if !graph.reachable[to] && !told[to] {
                told[to] = true;
                after.push(to);
                open.push(to);
            }
        }
    }
    after.sort_unstable();
    after
}

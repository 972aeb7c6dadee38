//! A workflow made ready to run: nodes as integers, templates and expressions compiled, defaults filled in.
//!
//! A plan holds several graphs: that of the document, the bodies of its maps and loops, and the documents of the workflows that it
//! calls. A run opens a scope for every time that a graph is gone through; see [`crate::state`].

use crate::event::Limits;
use crate::expression::Expression;
use crate::node::tool::Undo;
use crate::node::{Caps, NodeKind};
use crate::policy::RetryPolicy;
use crate::problem::Problem;
use crate::template::Template;
use std::collections::HashMap;
use std::sync::Arc;

/// Index into [`Plan::nodes`]. The nodes of a graph stand together in topological order, ties in document order: within a graph
/// a smaller index never waits for a larger one.
pub type NodeIx = u32;

/// Index into [`Plan::edges`], in document order.
pub type EdgeIx = u32;

/// Index into [`Plan::graphs`]. The graph of the document is 0.
pub type GraphIx = u32;

#[derive(Debug, Default)]
pub struct Plan {
    pub nodes: Vec<PlanNode>,
    pub edges: Vec<PlanEdge>,
    pub graphs: Vec<Graph>,
    /// The document's own limits; the deployment's ceilings are applied at start.
    pub limits: Limits,
    /// The graphs of the workflows that `workflow` nodes call.
    pub linked: HashMap<LinkName, GraphIx>,
}

/// How a `workflow` node names a workflow: `config.workflow` and `config.version`.
pub type LinkName = (String, Option<u32>);

/// Nodes that lead to one another.
#[derive(Debug)]
pub struct Graph {
    pub first: NodeIx,
    pub len: u32,
    pub entry: NodeIx,
    /// The node whose body it is; `None` for a document's own graph.
    pub owner: Option<NodeIx>,
    /// How many of its steps may be in flight at once, each time that it is gone through: 1 in sequential mode.
    pub max_concurrency: u32,
    /// The limits of the document that it is the graph of.
    pub limits: Limits,
    pub by_id: HashMap<Arc<str>, NodeIx>,
}

impl Graph {
    pub fn nodes(&self) -> std::ops::Range<NodeIx> {
        self.first..self.first + self.len
    }
}

#[derive(Debug)]
pub struct PlanNode {
    pub id: Arc<str>,
    /// The name to show; the id where the author gave none.
    pub name: Arc<str>,
    pub kind: NodeKind,
    pub graph: GraphIx,
    /// The node's `inputs`, an object.
    pub inputs: Template,
    pub incoming: Vec<EdgeIx>,
    pub outgoing: Vec<EdgeIx>,
    /// Every node whose value `inputs`, `config`, the rule or an outgoing `when` reads, also around the node's own graph; a `when`
    /// may read the node itself.
    pub reads: Vec<NodeIx>,
    /// Whether something of the node reads `session`.
    pub reads_session: bool,
    /// Whether something of the node reads `vars`.
    pub reads_vars: bool,
    /// How many incoming edges have to be taken; `None`: wait for all, and at least one of them.
    pub join: Option<u32>,
    /// What the run goes on with when the step fails.
    pub on_error: Option<Template>,
    pub undo: Option<Undo>,
    pub retry: RetryPolicy,
    /// The longest one attempt may take.
    pub timeout_ms: u64,
}

#[derive(Debug)]
pub struct PlanEdge {
    pub from: NodeIx,
    pub to: NodeIx,
    pub when: Option<Expression>,
    /// Taken where `from` fails, and only there.
    pub on_error: bool,
}

impl Plan {
    /// Compiles a document that was accepted earlier: everything that [`crate::check::check`] does, except that tools and
    /// providers are not compared with what the deployment has. `workflow` nodes stay without a graph.
    pub fn compile(json: &[u8]) -> Result<Plan, Vec<Problem>> {
        crate::check::compile(json, None)
    }

    /// Adds the graph of a workflow that is called by this name. Its own `workflow` nodes may need to be linked as well.
    pub fn link(&mut self, name: LinkName, json: &[u8]) -> Result<(), Vec<Problem>> {
        let other = Plan::compile(json)?;
        let (nodes, edges, graphs) = (self.nodes.len() as u32, self.edges.len() as u32, self.graphs.len() as u32);
        self.nodes.extend(other.nodes.into_iter().map(|mut node| {
            node.graph += graphs;
            node.kind.shift_body(graphs);
            node.incoming.iter_mut().chain(&mut node.outgoing).for_each(|edge| *edge += edges);
            node.reads.iter_mut().for_each(|read| *read += nodes);
            node
        }));
        self.edges.extend(other.edges.into_iter().map(|edge| PlanEdge { from: edge.from + nodes, to: edge.to + nodes, ..edge }));
        self.graphs.extend(other.graphs.into_iter().map(|mut graph| {
            graph.first += nodes;
            graph.entry += nodes;
            graph.owner = graph.owner.map(|owner| owner + nodes);
            graph.by_id.values_mut().for_each(|node| *node += nodes);
            graph
        }));
        self.linked.insert(name, graphs);
        Ok(())
    }

    /// The workflows that are called and not linked yet, each once.
    pub fn unlinked(&self) -> Vec<LinkName> {
        let mut names: Vec<LinkName> = Vec::new();
        for node in &self.nodes {
            if let NodeKind::Workflow(workflow) = &node.kind {
                let name = (workflow.workflow.clone(), workflow.version);
                if !self.linked.contains_key(&name) && !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names
    }

    pub fn node(&self, ix: NodeIx) -> &PlanNode {
        &self.nodes[ix as usize]
    }

    pub fn edge(&self, ix: EdgeIx) -> &PlanEdge {
        &self.edges[ix as usize]
    }

    pub fn graph(&self, ix: GraphIx) -> &Graph {
        &self.graphs[ix as usize]
    }

    /// The graph that is gone through inside of a step: a body, or the workflow that is called.
    pub fn inner(&self, ix: NodeIx) -> Option<GraphIx> {
        match &self.node(ix).kind {
            NodeKind::Workflow(workflow) => self.linked.get(&(workflow.workflow.clone(), workflow.version)).copied(),
            kind => kind.body(),
        }
    }

    /// The limits that hold for everything inside of a step: its own, or those of the workflow that it calls.
    pub fn caps(&self, ix: NodeIx) -> Option<Caps> {
        let kind = &self.node(ix).kind;
        if !matches!(kind, NodeKind::Workflow(_)) {
            return kind.caps().copied();
        }
        let limits = self.graph(self.inner(ix)?).limits;
        Some(Caps {
            max_steps: limits.max_steps,
            max_tool_calls: limits.max_tool_calls,
            max_tokens: limits.max_tokens,
            max_cost_nanousd: limits.max_cost_nanousd,
            max_iterations: limits.max_iterations,
            timeout_ms: limits.timeout_ms,
        })
    }

    /// The node of the document with this id, in whatever graph.
    pub fn find(&self, id: &str) -> Option<NodeIx> {
        let linked: Vec<GraphIx> = self.linked.values().copied().collect();
        let own = self.graphs.iter().take(linked.iter().min().map_or(usize::MAX, |first| *first as usize));
        own.filter_map(|graph| graph.by_id.get(id).copied()).next()
    }
}

//! A workflow made ready to run: nodes as integers in topological order, templates and expressions compiled, defaults filled in.

use crate::event::Limits;
use crate::expression::Expression;
use crate::node::NodeKind;
use crate::policy::RetryPolicy;
use crate::problem::Problem;
use crate::template::Template;
use std::collections::HashMap;
use std::sync::Arc;

/// Index into [`Plan::nodes`]. Topological, ties in document order: a smaller index never waits for a larger one.
pub type NodeIx = u32;

/// Index into [`Plan::edges`], in document order.
pub type EdgeIx = u32;

#[derive(Debug)]
pub struct Plan {
    pub nodes: Vec<PlanNode>,
    pub edges: Vec<PlanEdge>,
    pub entry: NodeIx,
    /// How many steps may be in flight at once: 1 in sequential mode.
    pub max_concurrency: u32,
    /// The document's own limits; the deployment's ceilings are applied at start.
    pub limits: Limits,
    pub by_id: HashMap<Arc<str>, NodeIx>,
}

#[derive(Debug)]
pub struct PlanNode {
    pub id: Arc<str>,
    /// The name to show; the id where the author gave none.
    pub name: Arc<str>,
    pub kind: NodeKind,
    /// The node's `inputs`, an object.
    pub inputs: Template,
    pub incoming: Vec<EdgeIx>,
    pub outgoing: Vec<EdgeIx>,
    /// Every node whose value `inputs`, `config`, the rule or an outgoing `when` reads; a `when` may read the node itself.
    pub reads: Vec<NodeIx>,
    pub retry: RetryPolicy,
    /// The longest one attempt may take.
    pub timeout_ms: u64,
}

#[derive(Debug)]
pub struct PlanEdge {
    pub from: NodeIx,
    pub to: NodeIx,
    pub when: Option<Expression>,
}

impl Plan {
    /// Compiles a document that was accepted earlier: everything that [`crate::check::check`] does, except that tools and
    /// providers are not compared with what the deployment has.
    pub fn compile(json: &[u8]) -> Result<Plan, Vec<Problem>> {
        crate::check::compile(json, None)
    }

    pub fn node(&self, ix: NodeIx) -> &PlanNode {
        &self.nodes[ix as usize]
    }

    pub fn edge(&self, ix: EdgeIx) -> &PlanEdge {
        &self.edges[ix as usize]
    }
}

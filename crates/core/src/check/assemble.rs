//! Putting the plan of a document without problems together.

use super::level::{Level, LevelIx};
use super::nodes::Part;
use crate::document::{
    DEFAULT_CONCURRENCY, EdgeOn, ItemError, LLM_TIMEOUT_SECONDS, MAX_NODES, Mode, Node, NodeType, Retry, TOOL_TIMEOUT_SECONDS,
};
use crate::event;
use crate::expression::Expression;
use crate::node::NodeKind;
use crate::node::agent::{CALL, CALLS, TURN};
use crate::node::map::Map;
use crate::plan::{Graph, GraphIx, NodeIx, Plan, PlanEdge, PlanNode};
use crate::policy::RetryPolicy;
use crate::template::Template;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::Arc;

/// Waits that a `retry` of the document may leave out.
const DEFAULT_RETRY: RetryPolicy = RetryPolicy::REMOTE;

pub fn plan(levels: Vec<Level>) -> Option<Plan> {
    let document = levels.first()?;
    let (limits, execution) = (limits(&document.draft.limits), document.draft.execution);
    let max_concurrency = match execution.mode.unwrap_or(Mode::Sequential) {
        Mode::Sequential => 1,
        Mode::Parallel => execution.max_concurrency.unwrap_or(DEFAULT_CONCURRENCY).min(MAX_NODES),
    };
    // Where each node of a draft stands in the plan.
    let mut places: Vec<Vec<NodeIx>> = Vec::with_capacity(levels.len());
    let mut first = 0;
    for level in &levels {
        let mut place = vec![0; level.draft.nodes.len()];
        level.graph.order.iter().enumerate().for_each(|(at, ix)| place[*ix] = first + at as NodeIx);
        first += place.len() as NodeIx;
        places.push(place);
    }
    let mut plan = Plan { limits, ..Plan::default() };
    let bodies: Vec<(LevelIx, usize, GraphIx)> = levels
        .iter()
        .enumerate()
        .flat_map(|(at, level)| level.bodies.iter().map(move |(ix, body)| (at, *ix, *body as GraphIx)))
        .collect();
    let owners: Vec<Option<NodeIx>> = levels.iter().map(|level| level.owner.map(|(at, ix)| places[at][ix])).collect();
    for (at, level) in levels.into_iter().enumerate() {
        let graph = at as GraphIx;
        let first = plan.nodes.len() as NodeIx;
        let entry = places[at][level.graph.entry?];
        // Whose edges read something of this name.
        let asked_by = |root: &str| -> HashSet<usize> {
            let reads = |when: &Expression| when.references().any(|reference| reference.path.root() == root);
            let conditions = level.graph.edges.iter().zip(&level.parts.conditions);
            conditions.filter(|(_, when)| when.as_ref().is_some_and(reads)).map(|((from, _, _), _)| *from).collect()
        };
        let (session, vars) = (asked_by("session"), asked_by("vars"));
        let mut drafts: Vec<_> = level.draft.nodes.into_iter().map(Some).collect();
        let mut parts: Vec<_> = level.parts.nodes.into_iter().map(Some).collect();
        for ix in &level.graph.order {
            let (node, part) = (drafts[*ix].take()?.node?, parts[*ix].take()?);
            let mut reads: Vec<NodeIx> = level.parts.reads[*ix].iter().map(|(level, read)| places[*level][*read]).collect();
            reads.sort_unstable();
            reads.dedup();
            let mut node = plan_node(node, part, graph, reads)?;
            node.reads_session |= session.contains(ix);
            node.reads_vars |= vars.contains(ix);
            if let Some((_, _, body)) = bodies.iter().find(|(level, draft, _)| (*level, *draft) == (at, *ix)) {
                node.kind.shift_body(*body);
            }
            plan.nodes.push(node);
        }
        for ((from, to, position), when) in level.graph.edges.iter().zip(level.parts.conditions) {
            let on_error = level.draft.edges[*position].edge.on == Some(EdgeOn::Error);
            connect(&mut plan, places[at][*from], places[at][*to], when, on_error);
        }
        add_graph(&mut plan, first, entry, owners[at], max_concurrency);
    }
    let agents: Vec<NodeIx> =
        (0..plan.nodes.len() as NodeIx).filter(|ix| matches!(plan.node(*ix).kind, NodeKind::Agent(_))).collect();
    for agent in agents {
        add_agent(&mut plan, agent)?;
    }
    Some(plan)
}

fn limits(limits: &crate::document::Limits) -> event::Limits {
    event::Limits {
        max_tokens: limits.max_tokens,
        timeout_ms: limits.timeout_seconds.map(|seconds| u64::from(seconds) * 1000),
        max_steps: limits.max_steps,
        // The range of the schema keeps this far from overflow.
        max_cost_nanousd: limits.max_cost_usd.map(|dollars| (dollars * 1e9).round() as u64),
        allow_unpriced: limits.allow_unpriced.unwrap_or(false),
        max_tool_calls: limits.max_tool_calls,
        max_iterations: limits.max_iterations,
        max_depth: limits.max_depth,
        max_spawns: limits.max_spawns,
    }
}

fn connect(plan: &mut Plan, from: NodeIx, to: NodeIx, when: Option<Expression>, on_error: bool) {
    let ix = plan.edges.len() as u32;
    plan.nodes[from as usize].outgoing.push(ix);
    plan.nodes[to as usize].incoming.push(ix);
    plan.edges.push(PlanEdge { from, to, when, on_error });
}

/// The nodes from `first` on become a graph.
fn add_graph(plan: &mut Plan, first: NodeIx, entry: NodeIx, owner: Option<NodeIx>, max_concurrency: u32) -> GraphIx {
    let len = plan.nodes.len() as NodeIx - first;
    let by_id = (first..first + len).map(|ix| (plan.node(ix).id.clone(), ix)).collect();
    let limits = plan.limits;
    plan.graphs.push(Graph { first, len, entry, owner, max_concurrency, limits, by_id });
    plan.graphs.len() as GraphIx - 1
}

/// The body that every agent has: a turn of the model, and then the calls that it asks for.
fn add_agent(plan: &mut Plan, agent: NodeIx) -> Option<()> {
    let (retry, timeout_ms) = (plan.node(agent).retry, plan.node(agent).timeout_ms);
    let node = |id: &str, kind: NodeKind, graph: GraphIx, reads: Vec<NodeIx>, inputs: Template| PlanNode {
        id: id.into(),
        name: id.into(),
        kind,
        graph,
        inputs,
        incoming: Vec::new(),
        outgoing: Vec::new(),
        reads,
        reads_session: false,
        reads_vars: false,
        join: None,
        on_error: None,
        undo: None,
        retry,
        timeout_ms,
    };
    let empty = || Template::literal(json!({}));
    let (body, calls) = (plan.graphs.len() as GraphIx, plan.graphs.len() as GraphIx + 1);
    let first = plan.nodes.len() as NodeIx;
    plan.nodes.push(node(TURN, NodeKind::AgentTurn, body, vec![first], empty()));
    let items = Template::compile(json!(format!("{{{{node.{TURN}.output.tool_calls}}}}")), "").ok()?;
    let map = Map { items, body: calls, max_concurrency: super::kinds::TOOL_CONCURRENCY, on_error: ItemError::Collect };
    plan.nodes.push(node(CALLS, NodeKind::Map(map), body, vec![first], empty()));
    let asked = Expression::compile(&format!("len(node.{TURN}.output.tool_calls) > 0"), "").ok()?;
    connect(plan, first, first + 1, Some(asked), false);
    add_graph(plan, first, first, Some(agent), 1);
    let first = plan.nodes.len() as NodeIx;
    let inputs =
        Template::compile(Value::Object([("call".to_owned(), json!("{{each.item}}"))].into_iter().collect()), "").ok()?;
    plan.nodes.push(node(CALL, NodeKind::AgentCall, calls, Vec::new(), inputs));
    add_graph(plan, first, first, Some(first - 1), 1);
    plan.nodes[agent as usize].kind.shift_body(body);
    Some(())
}

fn plan_node(node: Node, part: Part, graph: GraphIx, reads: Vec<NodeIx>) -> Option<PlanNode> {
    let model = matches!(node.r#type, NodeType::Llm | NodeType::Agent);
    let default_timeout = if model { LLM_TIMEOUT_SECONDS } else { TOOL_TIMEOUT_SECONDS };
    let id: Arc<str> = node.id.into();
    let reads_any = |root: &str| part.references.iter().any(|(_, reference)| reference.path.root() == root);
    let (reads_session, reads_vars) = (reads_any("session"), reads_any("vars"));
    Some(PlanNode {
        name: node.name.filter(|name| !name.is_empty()).map_or_else(|| id.clone(), Arc::from),
        id,
        kind: part.kind?,
        graph,
        inputs: part.inputs?,
        incoming: Vec::new(),
        outgoing: Vec::new(),
        reads,
        reads_session,
        reads_vars,
        join: part.join,
        on_error: part.on_error,
        undo: part.undo,
        retry: retry_policy(node.retry, part.remote),
        timeout_ms: u64::from(node.timeout_seconds.unwrap_or(default_timeout)) * 1000,
    })
}

fn retry_policy(retry: Option<Retry>, remote: bool) -> RetryPolicy {
    let Some(retry) = retry else {
        return if remote { RetryPolicy::REMOTE } else { RetryPolicy::LOCAL };
    };
    let attempts = if remote { DEFAULT_RETRY.max_attempts } else { RetryPolicy::LOCAL.max_attempts };
    let (initial, most) = (retry.initial_ms, retry.max_ms);
    // A single bound moves the default of the other one along.
    let initial_ms = initial.unwrap_or_else(|| DEFAULT_RETRY.initial_ms.min(most.unwrap_or(u64::MAX)));
    let max_ms = most.unwrap_or_else(|| DEFAULT_RETRY.max_ms.max(initial_ms));
    RetryPolicy { max_attempts: retry.max_attempts.unwrap_or(attempts), initial_ms, max_ms }
}

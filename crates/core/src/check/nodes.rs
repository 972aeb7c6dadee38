//! Compiling each node: its templates and expressions, its configuration by kind, and its defaults.

use super::form::{Draft, DraftNode, check_value};
use super::graph::{DraftIx, Graph};
use super::words::check_input_name;
use super::{Catalog, Problems, ToolSpec, did_you_mean};
use crate::call::{Parameters, Target};
use crate::document::{
    DEFAULT_CONCURRENCY, Fallback, LLM_TIMEOUT_SECONDS, LlmConfig, MAX_NODES, Mode, Node, NodeType, Retry, RouterConfig,
    TOOL_TIMEOUT_SECONDS, ToolConfig,
};
use crate::event;
use crate::expression::Expression;
use crate::node::NodeKind;
use crate::node::llm::{CachePolicy, Llm, Validator};
use crate::node::router::Router;
use crate::node::tool::Tool;
use crate::plan::{Plan, PlanEdge, PlanNode};
use crate::policy::RetryPolicy;
use crate::problem::Problem;
use crate::reference::{clip, list, pointer};
use crate::template::{Template, has_bindings};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// Waits that a `retry` of the document may leave out.
const DEFAULT_RETRY: RetryPolicy = RetryPolicy::REMOTE;

/// What the nodes and the conditions of edges became. `None` where something is wrong, which was reported.
#[derive(Debug)]
pub struct Parts {
    pub nodes: Vec<Option<Part>>,
    /// Parallel to `Graph::edges`.
    pub conditions: Vec<Option<Expression>>,
    /// Which nodes each node reads, filled in by the check of what is read.
    pub reads: Vec<Vec<DraftIx>>,
}

#[derive(Debug)]
pub struct Part {
    pub inputs: Template,
    pub kind: NodeKind,
    pub remote: bool,
}

pub fn compile(draft: &Draft, graph: &Graph, catalog: Option<&Catalog>, problems: &mut Problems) -> Parts {
    let nodes = draft.nodes.iter().map(|item| compile_node(item, catalog, problems)).collect();
    let mut conditions = Vec::with_capacity(graph.edges.len());
    for (_, _, position) in &graph.edges {
        let edge = &draft.edges[*position];
        let place = format!("/edges/{}/when", edge.at);
        let when = edge.edge.when.as_deref();
        conditions.push(when.and_then(|when| Expression::compile(when, &place).map_err(|problem| problems.push(problem)).ok()));
    }
    let reads = vec![Vec::new(); draft.nodes.len()];
    Parts { nodes, conditions, reads }
}

fn compile_node(item: &DraftNode, catalog: Option<&Catalog>, problems: &mut Problems) -> Option<Part> {
    let node = item.node.as_ref()?;
    let place = format!("/nodes/{}", item.at);
    let before = problems.count();
    let inputs_at = pointer(&place, "inputs");
    for name in node.inputs.keys() {
        check_input_name(name, &pointer(&inputs_at, name), problems);
    }
    let inputs = template(Value::Object(node.inputs.clone()), &inputs_at, problems);
    let config_at = pointer(&place, "config");
    check_retry(node.retry.as_ref(), &pointer(&place, "retry"), problems);
    let (kind, remote) = match node.r#type {
        NodeType::Llm => (llm(node, &config_at, catalog, problems).map(NodeKind::Llm), true),
        NodeType::Router => (router(node, &config_at, problems).map(NodeKind::Router), false),
        NodeType::Tool => {
            let (tool, remote) = tool(node, &config_at, catalog, problems);
            (tool.map(NodeKind::Tool), remote)
        }
    };
    let part = Part { inputs: inputs?, kind: kind?, remote };
    (problems.count() == before).then_some(part)
}

fn template(value: Value, place: &str, problems: &mut Problems) -> Option<Template> {
    Template::compile(value, place).map_err(|found| problems.extend(found)).ok()
}

fn check_retry(retry: Option<&Retry>, place: &str, problems: &mut Problems) {
    if let Some(Retry { initial_ms: Some(initial), max_ms: Some(most), .. }) = retry
        && initial > most
    {
        let message = format!("`initialMs` ({initial}) must not be larger than `maxMs` ({most})");
        problems.add("out_of_range", pointer(place, "initialMs"), message);
    }
}

fn config<T: serde::de::DeserializeOwned>(node: &Node, place: &str, problems: &mut Problems) -> Option<T> {
    serde_json::from_value(Value::Object(node.config.clone()))
        .map_err(|error| problems.add("wrong_type", place, format!("`config` cannot be read: {}", clip(&error.to_string()))))
        .ok()
}

fn llm(node: &Node, place: &str, catalog: Option<&Catalog>, problems: &mut Problems) -> Option<Llm> {
    let config: LlmConfig = config(node, place, problems)?;
    if config.prompt.is_none() && node.inputs.is_empty() {
        problems.push(
            Problem::new(
                "no_prompt",
                place,
                format!("node `{}` has nothing to ask: it has neither a prompt nor inputs", clip(&node.id)),
            )
            .suggest(Some("add `prompt` to its config, or `inputs`".to_owned())),
        );
    }
    plain(config.provider.as_deref(), &pointer(place, "provider"), problems);
    plain(config.model.as_deref(), &pointer(place, "model"), problems);
    provider(config.provider.as_deref(), &pointer(place, "provider"), catalog, problems);
    let fallbacks_at = pointer(place, "fallbacks");
    for (at, fallback) in config.fallbacks.iter().flatten().enumerate() {
        let place = pointer(&pointer(&fallbacks_at, at), "provider");
        plain(Some(&fallback.provider), &place, problems);
        provider(Some(&fallback.provider), &place, catalog, problems);
    }
    let mut text = |text: Option<String>, name: &str| match text {
        Some(text) => template(Value::String(text), &pointer(place, name), problems).map(Some),
        None => Some(None),
    };
    let (system, prompt) = (text(config.system, "system"), text(config.prompt, "prompt"));
    let schema = config.schema.map(Value::Object).map(Arc::new);
    let validator = match &schema {
        Some(schema) => {
            let invalid = |why| problems.add("schema", pointer(place, "schema"), format!("`schema` is not a JSON Schema: {why}"));
            Some(Validator::compile(schema).map_err(invalid).ok()?)
        }
        None => None,
    };
    let target = |Fallback { provider, model }| Target { provider, model };
    Some(Llm {
        provider: config.provider,
        model: config.model,
        system: system?,
        prompt: prompt?,
        parameters: Parameters {
            temperature: config.temperature,
            top_p: config.top_p,
            max_tokens: config.max_tokens,
            stop: config.stop,
            seed: config.seed,
        },
        schema,
        validator,
        cache: CachePolicy { enabled: config.cache.enabled.unwrap_or(true), ttl_seconds: config.cache.ttl_seconds },
        fallbacks: config.fallbacks.map(|list| list.into_iter().map(target).collect()),
        simulate: config.simulate.map(Value::Object).map(Arc::new),
    })
}

/// Names of providers, models and tools decide what may be called, so they are fixed when the workflow is saved.
fn plain(text: Option<&str>, place: &str, problems: &mut Problems) {
    if text.is_some_and(has_bindings) {
        problems.add("binding_not_allowed", place, "this name has to be written out: bindings are not filled in here");
    }
}

fn provider(name: Option<&str>, place: &str, catalog: Option<&Catalog>, problems: &mut Problems) {
    let (Some(name), Some(known)) = (name, catalog.and_then(|catalog| catalog.providers.as_ref())) else { return };
    if has_bindings(name) || known.iter().any(|known| known == name) {
        return;
    }
    let names = || known.iter().map(String::as_str);
    let message = format!("unknown provider `{}`; configured here: {}", clip(name), list(names()));
    problems.push(Problem::new("unknown_provider", place, message).suggest(did_you_mean(name, names())));
}

fn router(node: &Node, place: &str, problems: &mut Problems) -> Option<Router> {
    let config: RouterConfig = config(node, place, problems)?;
    let rule = Expression::compile(&config.rule, &pointer(place, "rule"));
    rule.map_err(|problem| problems.push(problem)).ok().map(|rule| Router { rule })
}

/// The tool and whether it reaches over a network.
fn tool(node: &Node, place: &str, catalog: Option<&Catalog>, problems: &mut Problems) -> (Option<Tool>, bool) {
    let Some(config) = config::<ToolConfig>(node, place, problems) else { return (None, false) };
    let at = pointer(place, "tool");
    let name = match config.tool {
        Some(name) => name,
        None if config.rest.contains_key("url") => "http".to_owned(),
        None => {
            let known = catalog.map(|catalog| list(catalog.tools.iter().map(|tool| tool.name.as_str())));
            let known = known.map(|known| format!("; there are: {known}")).unwrap_or_default();
            let message =
                format!("node `{}` names no tool: `config` needs `tool`, or a `url` for the http tool{known}", clip(&node.id));
            problems.add("missing_property", place, message);
            return (None, false);
        }
    };
    plain(Some(&name), &at, problems);
    let mut remote = name == "http";
    if let Some(catalog) = catalog.filter(|_| !has_bindings(&name)) {
        match catalog.tools.iter().find(|tool| tool.name == name) {
            Some(spec) => {
                remote = spec.remote;
                check_config(&config.rest, spec, place, problems);
            }
            None => {
                let names = || catalog.tools.iter().map(|tool| tool.name.as_str());
                let message = format!("unknown tool `{}`; there are: {}", clip(&name), list(names()));
                problems.push(Problem::new("unknown_tool", at, message).suggest(did_you_mean(&name, names())));
            }
        }
    }
    let config = template(Value::Object(config.rest), place, problems);
    (config.map(|config| Tool { tool: name, config }), remote)
}

/// A tool's config against its schema: names, what is required, and the form of values that hold no bindings.
fn check_config(config: &Map<String, Value>, spec: &ToolSpec, place: &str, problems: &mut Problems) {
    let none = Map::new();
    let known = spec.config_schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let closed = spec.config_schema.get("additionalProperties") == Some(&Value::Bool(false));
    for (name, value) in config {
        let at = pointer(place, name);
        match known.get(name) {
            // What a binding will give is only known when the step runs.
            Some(schema) if !binds(value) => check_value(value, schema, &at, problems),
            Some(_) => {}
            None if closed => {
                let names = || known.keys().map(String::as_str);
                let message = format!("the tool `{}` has no property `{}`; it has: {}", spec.name, clip(name), list(names()));
                problems.push(Problem::new("unknown_property", at, message).suggest(did_you_mean(name, names())));
            }
            None => {}
        }
    }
    for name in spec.config_schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        if !config.contains_key(name) {
            problems.add("missing_property", place, format!("the tool `{}` needs `{name}`", spec.name));
        }
    }
}

fn binds(value: &Value) -> bool {
    match value {
        Value::String(text) => has_bindings(text),
        Value::Array(items) => items.iter().any(binds),
        Value::Object(map) => map.values().any(binds),
        _ => false,
    }
}

/// The plan of a document without problems.
pub fn assemble(draft: Draft, graph: Graph, parts: Parts) -> Option<Plan> {
    // Where each node of the draft stands in the plan.
    let mut place = vec![0u32; draft.nodes.len()];
    for (at, ix) in graph.order.iter().enumerate() {
        place[*ix] = at as u32;
    }
    let mut drafts: Vec<_> = draft.nodes.into_iter().map(Some).collect();
    let mut compiled = parts.nodes;
    let mut nodes = Vec::with_capacity(graph.order.len());
    for ix in &graph.order {
        let (node, part) = (drafts[*ix].take()?.node?, compiled[*ix].take()?);
        let mut reads: Vec<u32> = parts.reads[*ix].iter().map(|read| place[*read]).collect();
        reads.sort_unstable();
        reads.dedup();
        nodes.push(plan_node(node, part, reads));
    }
    let mut edges = Vec::with_capacity(graph.edges.len());
    for ((from, to, _), when) in graph.edges.iter().zip(parts.conditions) {
        let (from, to, ix) = (place[*from], place[*to], edges.len() as u32);
        nodes[from as usize].outgoing.push(ix);
        nodes[to as usize].incoming.push(ix);
        edges.push(PlanEdge { from, to, when });
    }
    let by_id: HashMap<Arc<str>, u32> = nodes.iter().enumerate().map(|(ix, node)| (node.id.clone(), ix as u32)).collect();
    let limits = draft.limits;
    Some(Plan {
        nodes,
        edges,
        entry: place[graph.entry?],
        max_concurrency: match draft.execution.mode.unwrap_or(Mode::Sequential) {
            Mode::Sequential => 1,
            Mode::Parallel => draft.execution.max_concurrency.unwrap_or(DEFAULT_CONCURRENCY).min(MAX_NODES),
        },
        limits: event::Limits {
            max_tokens: limits.max_tokens,
            timeout_ms: limits.timeout_seconds.map(|seconds| u64::from(seconds) * 1000),
            max_steps: limits.max_steps,
            // The range of the schema keeps this far from overflow.
            max_cost_nanousd: limits.max_cost_usd.map(|dollars| (dollars * 1e9).round() as u64),
            allow_unpriced: limits.allow_unpriced.unwrap_or(false),
        },
        by_id,
    })
}

fn plan_node(node: Node, part: Part, reads: Vec<u32>) -> PlanNode {
    let default_timeout = if node.r#type == NodeType::Llm { LLM_TIMEOUT_SECONDS } else { TOOL_TIMEOUT_SECONDS };
    let id: Arc<str> = node.id.into();
    PlanNode {
        name: node.name.filter(|name| !name.is_empty()).map_or_else(|| id.clone(), Arc::from),
        id,
        kind: part.kind,
        inputs: part.inputs,
        incoming: Vec::new(),
        outgoing: Vec::new(),
        reads,
        retry: retry_policy(node.retry, part.remote),
        timeout_ms: u64::from(node.timeout_seconds.unwrap_or(default_timeout)) * 1000,
    }
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

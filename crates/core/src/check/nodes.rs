//! Compiling each node: its templates and expressions, its configuration by kind, and its defaults.

use super::form::{Draft, DraftNode, check_value};
use super::graph::{DraftIx, Graph};
use super::words::check_input_name;
use super::{Catalog, Problems, did_you_mean};
use crate::answer::Validator;
use crate::call::{Parameters, Target};
use crate::document::{
    DEFAULT_CONCURRENCY, Fallback, LLM_TIMEOUT_SECONDS, LlmConfig, MAX_NODES, Mode, Node, NodeType, Retry, RouterConfig,
    TOOL_TIMEOUT_SECONDS, ToolConfig,
};
use crate::event;
use crate::expression::Expression;
use crate::node::NodeKind;
use crate::node::llm::{CachePolicy, Llm};
use crate::node::router::Router;
use crate::node::tool::Tool;
use crate::plan::{Plan, PlanEdge, PlanNode};
use crate::policy::RetryPolicy;
use crate::problem::Problem;
use crate::reference::{Reference, clip, list, pointer};
use crate::secret;
use crate::template::{Allowance, Template, has_bindings};
use crate::tool::ToolDescription;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// The length of all expressions of a document, equal ones counted once: bounds the time that parsing takes.
const MAX_EXPRESSION_BYTES: usize = 1024 * 1024;
/// How many regular expressions the schemas of a document may hold: each takes memory for as long as the plan lives.
const MAX_PATTERNS: usize = 200;
/// Waits that a `retry` of the document may leave out.
const DEFAULT_RETRY: RetryPolicy = RetryPolicy::REMOTE;

/// What the nodes and the conditions of edges became. `None` where something is wrong, which was reported.
#[derive(Debug)]
pub struct Parts {
    pub nodes: Vec<Part>,
    /// Parallel to `Graph::edges`.
    pub conditions: Vec<Option<Expression>>,
    /// Which nodes each node reads, filled in by the check of what is read.
    pub reads: Vec<Vec<DraftIx>>,
}

/// As much of a node as could be compiled.
#[derive(Debug, Default)]
pub struct Part {
    pub inputs: Option<Template>,
    pub kind: Option<NodeKind>,
    pub remote: bool,
    /// Whether something was left out of the node, so that missing it says nothing.
    pruned: bool,
    /// What the compiled texts read. The inputs come first: they cannot read one another.
    pub references: Vec<(Place, Reference)>,
}

/// Where a path stands, which decides what it may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Inputs,
    Config,
    Rule,
    /// The condition of an edge that leaves the node.
    When,
}

pub fn compile(draft: &Draft, graph: &Graph, catalog: Option<&Catalog>, problems: &mut Problems) -> Parts {
    let mut shared = Shared::default();
    let nodes = draft.nodes.iter().map(|item| compile_node(item, catalog, &mut shared, problems)).collect();
    let mut conditions = Vec::with_capacity(graph.edges.len());
    for (_, _, position) in &graph.edges {
        let edge = &draft.edges[*position];
        let when = edge.edge.when.as_deref();
        conditions.push(when.and_then(|when| shared.expression(when, &format!("/edges/{}/when", edge.at), problems)));
    }
    let reads = vec![Vec::new(); draft.nodes.len()];
    Parts { nodes, conditions, reads }
}

fn compile_node(item: &DraftNode, catalog: Option<&Catalog>, shared: &mut Shared, problems: &mut Problems) -> Part {
    let mut part = Part { pruned: item.pruned, ..Part::default() };
    let Some(node) = &item.node else { return part };
    let place = format!("/nodes/{}", item.at);
    let inputs_at = pointer(&place, "inputs");
    for (name, value) in &node.inputs {
        let at = pointer(&inputs_at, name);
        check_input_name(name, &at, problems);
        check_secrets(value, false, &at, problems);
    }
    part.inputs = part.template(Value::Object(node.inputs.clone()), Place::Inputs, &inputs_at, shared, problems);
    check_retry(node.retry.as_ref(), &pointer(&place, "retry"), problems);
    let config_at = pointer(&place, "config");
    part.kind = match node.r#type {
        NodeType::Llm => {
            part.remote = true;
            llm(node, &mut part, &config_at, catalog, shared, problems).map(NodeKind::Llm)
        }
        NodeType::Router => router(node, &mut part, &config_at, shared, problems).map(NodeKind::Router),
        NodeType::Tool => tool(node, &mut part, &config_at, catalog, shared, problems).map(NodeKind::Tool),
    };
    part
}

/// What the nodes of a document share.
#[derive(Default)]
struct Shared {
    /// By source: many are the same, and parsing takes longer than everything else about them.
    expressions: HashMap<String, Expression>,
    expression_bytes: usize,
    templates: Allowance,
    /// Regular expressions in the schemas of llm nodes.
    patterns: usize,
}

impl Shared {
    fn expression(&mut self, source: &str, place: &str, problems: &mut Problems) -> Option<Expression> {
        if let Some(known) = self.expressions.get(source) {
            return Some(known.at(place));
        }
        let before = self.expression_bytes;
        self.expression_bytes = before.saturating_add(source.len());
        if self.expression_bytes > MAX_EXPRESSION_BYTES {
            // Said once, and from there on nothing is compiled.
            if before <= MAX_EXPRESSION_BYTES {
                let most = MAX_EXPRESSION_BYTES / 1024;
                problems.add(
                    "too_many",
                    place,
                    format!("the different rules and conditions of a workflow may have {most} kB in all"),
                );
            }
            return None;
        }
        let compiled = Expression::compile(source, place).map_err(|problem| problems.push(problem)).ok()?;
        self.expressions.insert(source.to_owned(), compiled.clone());
        Some(compiled)
    }

    fn validator(&mut self, schema: &Value, place: &str, problems: &mut Problems) -> Option<Validator> {
        if self.patterns > MAX_PATTERNS {
            return None;
        }
        let invalid = |why| problems.add("schema", place, format!("this JSON Schema cannot be used: {why}"));
        let validator = Validator::compile(schema).map_err(invalid).ok()?;
        self.patterns += validator.patterns();
        if self.patterns > MAX_PATTERNS {
            let message = format!("the schemas of a workflow may hold {MAX_PATTERNS} patterns, and with this one there are more");
            problems.add("schema", place, message);
            return None;
        }
        Some(validator)
    }
}

impl Part {
    fn template(
        &mut self,
        value: Value,
        place: Place,
        at: &str,
        shared: &mut Shared,
        problems: &mut Problems,
    ) -> Option<Template> {
        let compiled = Template::compile_within(value, at, &mut shared.templates);
        let template = compiled.map_err(|found| problems.extend(found)).ok()?;
        self.references.extend(template.references().iter().map(|reference| (place, reference.clone())));
        Some(template)
    }
}

fn check_retry(retry: Option<&Retry>, place: &str, problems: &mut Problems) {
    if let Some(Retry { initial_ms: Some(initial), max_ms: Some(most), .. }) = retry
        && initial > most
    {
        let message = format!("`initialMs` ({initial}) must not be larger than `maxMs` ({most})");
        problems.add("out_of_range", pointer(place, "initialMs"), message);
    }
}

fn config<T: serde::de::DeserializeOwned>(node: &Node, part: &Part, place: &str, problems: &mut Problems) -> Option<T> {
    let config = serde_json::from_value(Value::Object(node.config.clone()));
    if part.pruned {
        return config.ok();
    }
    config
        .map_err(|error| problems.add("wrong_type", place, format!("`config` cannot be read: {}", clip(&error.to_string()))))
        .ok()
}

fn llm(
    node: &Node,
    part: &mut Part,
    place: &str,
    catalog: Option<&Catalog>,
    shared: &mut Shared,
    problems: &mut Problems,
) -> Option<Llm> {
    let config: LlmConfig = config(node, part, place, problems)?;
    if config.prompt.is_none() && node.inputs.is_empty() && !part.pruned {
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
    // `None`: it is there and something is wrong with it.
    let mut text = |text: Option<String>, name: &str| match text {
        Some(text) => part.template(Value::String(text), Place::Config, &pointer(place, name), shared, problems).map(Some),
        None => Some(None),
    };
    let (system, prompt) = (text(config.system, "system"), text(config.prompt, "prompt"));
    let schema = config.schema.map(Value::Object).map(Arc::new);
    let validator = match &schema {
        Some(schema) => Some(shared.validator(schema, &pointer(place, "schema"), problems)?),
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

fn router(node: &Node, part: &mut Part, place: &str, shared: &mut Shared, problems: &mut Problems) -> Option<Router> {
    let config: RouterConfig = config(node, part, place, problems)?;
    let rule = shared.expression(&config.rule, &pointer(place, "rule"), problems)?;
    part.references.extend(rule.references().map(|reference| (Place::Rule, reference)));
    Some(Router { rule })
}

fn tool(
    node: &Node,
    part: &mut Part,
    place: &str,
    catalog: Option<&Catalog>,
    shared: &mut Shared,
    problems: &mut Problems,
) -> Option<Tool> {
    let config: ToolConfig = config(node, part, place, problems)?;
    let name = tool_name(node, &config, part, place, catalog, problems);
    if let Some(name) = &name {
        // By name and not by what the tool says of itself: a plan has to come out the same where no tools are known, and
        // what a tool of somebody else's server changes is rarely safe to repeat without being asked.
        part.remote = name == "http";
        if let Some(spec) = known_tool(name, &pointer(place, "tool"), catalog, problems) {
            check_config(&config.rest, spec, place, problems);
        }
    }
    for (name, value) in &config.rest {
        check_secrets(value, true, &pointer(place, name), problems);
    }
    let idempotent = config.idempotent;
    let config = part.template(Value::Object(config.rest), Place::Config, place, shared, problems);
    Some(Tool { tool: name?, idempotent, config: config? })
}

/// The name that is written, or `http` where a `url` says enough.
fn tool_name(
    node: &Node,
    config: &ToolConfig,
    part: &Part,
    place: &str,
    catalog: Option<&Catalog>,
    problems: &mut Problems,
) -> Option<String> {
    match &config.tool {
        Some(name) => {
            plain(Some(name), &pointer(place, "tool"), problems);
            Some(name.clone())
        }
        None if config.rest.contains_key("url") => Some("http".to_owned()),
        None if part.pruned => None,
        None => {
            let known = catalog.map(|catalog| list(catalog.tools.iter().map(|tool| tool.name.as_str())));
            let known = known.map(|known| format!("; there are: {known}")).unwrap_or_default();
            let id = clip(&node.id);
            let message = format!("node `{id}` names no tool: `config` needs `tool`, or a `url` for the http tool{known}");
            problems.add("missing_property", place, message);
            None
        }
    }
}

fn known_tool<'c>(name: &str, place: &str, catalog: Option<&'c Catalog>, problems: &mut Problems) -> Option<&'c ToolDescription> {
    let catalog = catalog.filter(|_| !has_bindings(name))?;
    if !catalog.rules.allows(name) {
        let message = format!("the operator of this server does not let workflows use the tool `{}`", clip(name));
        problems.add("tool_not_allowed", place, message);
        return None;
    }
    let found = catalog.tools.iter().find(|tool| tool.name == name);
    // A tool of a server that cannot be asked now may be there when the step runs; a lint says so.
    let may_come = || catalog.sources.iter().any(|source| !source.reached && name.starts_with(&source.prefix));
    if found.is_none() && !may_come() {
        let names = || catalog.tools.iter().map(|tool| tool.name.as_str());
        let message = format!("unknown tool `{}`; there are: {}", clip(name), list(names()));
        problems.push(Problem::new("unknown_tool", place, message).suggest(did_you_mean(name, names())));
    }
    found
}

/// A tool's config against its schema: names, what is required, and the form of values that hold no bindings.
fn check_config(config: &Map<String, Value>, spec: &ToolDescription, place: &str, problems: &mut Problems) {
    let none = Map::new();
    let known = spec.config_schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let closed = spec.config_schema.get("additionalProperties") == Some(&Value::Bool(false));
    for (name, value) in config {
        let at = pointer(place, name);
        match known.get(name) {
            // What a binding will give is only known when the step runs.
            Some(schema) if !is_late(value) => check_value(value, schema, &at, problems),
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

/// Whether a value is only known when the step runs: it holds a binding or a secret.
fn is_late(value: &Value) -> bool {
    match value {
        Value::String(text) => has_bindings(text),
        Value::Array(items) => items.iter().any(is_late),
        Value::Object(map) => secret::parse(value).is_some() || map.values().any(is_late),
        _ => false,
    }
}

/// References to secrets stand in the config of tools, under a name that is written out: nothing that a run brings may choose one.
fn check_secrets(value: &Value, allowed: bool, place: &str, problems: &mut Problems) {
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| check_secrets(item, allowed, &pointer(place, at), problems));
        }
        Value::Object(map) => match secret::parse(value) {
            Some((name, _)) if allowed => plain(Some(name), &pointer(place, secret::KEY), problems),
            Some(_) => {
                let message = "a secret can only be used in the `config` of a tool, where it is not recorded";
                problems.add("secret_not_allowed", place, message);
            }
            None => map.iter().for_each(|(name, item)| check_secrets(item, allowed, &pointer(place, name), problems)),
        },
        _ => {}
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
    let mut compiled: Vec<_> = parts.nodes.into_iter().map(Some).collect();
    let mut nodes = Vec::with_capacity(graph.order.len());
    for ix in &graph.order {
        let (node, part) = (drafts[*ix].take()?.node?, compiled[*ix].take()?);
        let mut reads: Vec<u32> = parts.reads[*ix].iter().map(|read| place[*read]).collect();
        reads.sort_unstable();
        reads.dedup();
        nodes.push(plan_node(node, part, reads)?);
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

fn plan_node(node: Node, part: Part, reads: Vec<u32>) -> Option<PlanNode> {
    let default_timeout = if node.r#type == NodeType::Llm { LLM_TIMEOUT_SECONDS } else { TOOL_TIMEOUT_SECONDS };
    let id: Arc<str> = node.id.into();
    Some(PlanNode {
        name: node.name.filter(|name| !name.is_empty()).map_or_else(|| id.clone(), Arc::from),
        id,
        kind: part.kind?,
        inputs: part.inputs?,
        incoming: Vec::new(),
        outgoing: Vec::new(),
        reads,
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

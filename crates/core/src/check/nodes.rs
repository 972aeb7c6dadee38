//! Compiling each node: its templates and expressions, its configuration by kind, and its defaults.

use super::form::{Draft, DraftNode, check_value};
use super::graph::{DraftIx, Graph};
use super::level::{Level, LevelIx};
use super::words::check_input_name;
use super::{Catalog, Problems, did_you_mean};
use crate::answer::Validator;
use crate::call::{Parameters, Target};
use crate::document::{self, EdgeOn, Fallback, LlmConfig, Node, NodeType, Retry, RouterConfig, ToolConfig};
use crate::expression::Expression;
use crate::node::NodeKind;
use crate::node::llm::{CachePolicy, Llm};
use crate::node::router::Router;
use crate::node::tool::{Tool, Undo};
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
/// `repairs` of an llm node where it does not say.
const DEFAULT_REPAIRS: u32 = 2;

/// What the nodes and the conditions of edges became. `None` where something is wrong, which was reported.
#[derive(Debug, Default)]
pub struct Parts {
    pub nodes: Vec<Part>,
    /// Parallel to `Graph::edges`.
    pub conditions: Vec<Option<Expression>>,
    /// Which nodes each node reads, filled in by the check of what is read.
    pub reads: Vec<Vec<(LevelIx, DraftIx)>>,
}

/// As much of a node as could be compiled.
#[derive(Debug, Default)]
pub struct Part {
    pub inputs: Option<Template>,
    pub kind: Option<NodeKind>,
    pub remote: bool,
    pub join: Option<u32>,
    pub on_error: Option<Template>,
    pub undo: Option<Undo>,
    /// Whether something was left out of the node, so that missing it says nothing.
    pub pruned: bool,
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
    /// Evaluated when the node has ended: may read the node itself.
    After,
    /// Conditions and changes of a loop: may read the nodes of its body.
    Inside,
    /// The configuration of an agent's tool: may read the arguments of the call by name.
    Arguments,
}

pub fn compile(levels: &mut [Level], catalog: Option<&Catalog>, problems: &mut Problems) {
    let mut shared = Shared::default();
    for level in levels {
        let (draft, graph) = (&level.draft, &level.graph);
        let nodes: Vec<Part> = draft.nodes.iter().map(|item| compile_node(draft, item, catalog, &mut shared, problems)).collect();
        check_joins(draft, graph, &nodes, problems);
        let mut conditions = Vec::with_capacity(graph.edges.len());
        for (from, _, position) in &graph.edges {
            let edge = &draft.edges[*position];
            let at = format!("{}/edges/{}", draft.place, edge.at);
            let when = edge.edge.when.as_deref();
            conditions.push(when.and_then(|when| shared.expression(when, &pointer(&at, "when"), problems)));
            let replaced = draft.nodes[*from].node.as_ref().is_some_and(|node| node.on_error.is_some());
            if edge.edge.on == Some(EdgeOn::Error) && replaced {
                let id = clip(&draft.nodes[*from].id);
                let message =
                    format!("`{id}` has an `onError`, so its failure leads on as a success does: remove one of the two");
                problems.add("unreachable_edge", pointer(&at, "on"), message);
            }
        }
        level.parts = Parts { nodes, conditions, reads: Vec::new() };
    }
}

/// A node that waits for more edges than lead to it never runs.
fn check_joins(draft: &Draft, graph: &Graph, nodes: &[Part], problems: &mut Problems) {
    for (ix, part) in nodes.iter().enumerate().filter(|_| graph.sound) {
        let (incoming, item) = (graph.incoming[ix].len(), &draft.nodes[ix]);
        if part.join.is_some_and(|needed| needed as usize > incoming.max(1)) {
            let message =
                format!("`{}` never runs: `join` asks for more edges than the {incoming} that lead to it", clip(&item.id));
            problems.add("out_of_range", format!("{}/nodes/{}/join", draft.place, item.at), message);
        }
    }
}

fn compile_node(
    draft: &Draft,
    item: &DraftNode,
    catalog: Option<&Catalog>,
    shared: &mut Shared,
    problems: &mut Problems,
) -> Part {
    let mut part = Part { pruned: item.pruned, ..Part::default() };
    let Some(node) = &item.node else { return part };
    let place = format!("{}/nodes/{}", draft.place, item.at);
    let inputs_at = pointer(&place, "inputs");
    for (name, value) in &node.inputs {
        let at = pointer(&inputs_at, name);
        check_input_name(name, &at, problems);
        check_secrets(value, false, &at, problems);
    }
    part.inputs = part.template(Value::Object(node.inputs.clone()), Place::Inputs, &inputs_at, shared, problems);
    check_retry(node.retry.as_ref(), &pointer(&place, "retry"), problems);
    part.join = join(node.join.as_ref(), &pointer(&place, "join"), problems);
    if let Some(on_error) = &node.on_error {
        let at = pointer(&pointer(&place, "onError"), "value");
        part.on_error = part.template(on_error.value.clone(), Place::After, &at, shared, problems);
    }
    if let Some(undo) = &node.undo {
        part.undo = compile_undo(undo, &mut part, &pointer(&place, "undo"), catalog, shared, problems);
    }
    let config_at = pointer(&place, "config");
    let mut maker = Maker { node, part: &mut part, place: &config_at, catalog, shared, problems };
    let kind = match node.r#type {
        NodeType::Llm => maker.llm().map(NodeKind::Llm),
        NodeType::Router => maker.router().map(NodeKind::Router),
        NodeType::Tool => maker.tool().map(NodeKind::Tool),
        NodeType::Map => maker.map().map(NodeKind::Map),
        NodeType::Loop => maker.loop_().map(NodeKind::Loop),
        NodeType::Agent => maker.agent().map(NodeKind::Agent),
        NodeType::Approval => maker.approval().map(NodeKind::Approval),
        NodeType::Wait => maker.wait().map(NodeKind::Wait),
        NodeType::Workflow => maker.workflow().map(NodeKind::Workflow),
        NodeType::Gate => maker.gate().map(NodeKind::Gate),
        NodeType::Set => maker.set().map(NodeKind::Set),
    };
    part.kind = kind;
    part
}

/// Reads the configuration of one node; one method a kind, most of them in [`super::kinds`].
pub(super) struct Maker<'m> {
    pub node: &'m Node,
    pub part: &'m mut Part,
    /// JSON Pointer to the node's `config`.
    pub place: &'m str,
    pub catalog: Option<&'m Catalog>,
    pub shared: &'m mut Shared,
    pub problems: &'m mut Problems,
}

impl Maker<'_> {
    fn llm(&mut self) -> Option<Llm> {
        self.part.remote = true;
        llm(self.node, self.part, self.place, self.catalog, self.shared, self.problems)
    }

    fn router(&mut self) -> Option<Router> {
        router(self.node, self.part, self.place, self.shared, self.problems)
    }

    fn tool(&mut self) -> Option<Tool> {
        tool(self.node, self.part, self.place, self.catalog, self.shared, self.problems)
    }
}

/// `all`, `any`, or how many.
fn join(join: Option<&Value>, place: &str, problems: &mut Problems) -> Option<u32> {
    match join? {
        Value::Null => None,
        Value::String(word) if word == "all" => None,
        Value::String(word) if word == "any" => Some(1),
        Value::Number(number) if number.as_u64().is_some_and(|number| (1..=10_000).contains(&number)) => {
            number.as_u64().and_then(|number| number.try_into().ok())
        }
        other => {
            let message = format!("`join` has to be `all`, `any` or a number from 1, not {}", clip(&other.to_string()));
            problems.add("unknown_value", place, message);
            None
        }
    }
}

fn compile_undo(
    undo: &document::Undo,
    part: &mut Part,
    place: &str,
    catalog: Option<&Catalog>,
    shared: &mut Shared,
    problems: &mut Problems,
) -> Option<Undo> {
    let config_at = pointer(place, "config");
    let config: ToolConfig = serde_json::from_value(Value::Object(undo.config.clone()))
        .map_err(|error| problems.add("wrong_type", &config_at, format!("`config` cannot be read: {}", clip(&error.to_string()))))
        .ok()?;
    let tool = compile_tool(config, "this undo", Place::After, part, &config_at, catalog, shared, problems)?;
    let inputs_at = pointer(place, "inputs");
    undo.inputs.iter().for_each(|(name, value)| {
        let at = pointer(&inputs_at, name);
        check_input_name(name, &at, problems);
        check_secrets(value, false, &at, problems);
    });
    let inputs = part.template(Value::Object(undo.inputs.clone()), Place::After, &inputs_at, shared, problems)?;
    Some(Undo { tool, inputs })
}

/// What the nodes of a document share.
#[derive(Default)]
pub(super) struct Shared {
    /// By source: many are the same, and parsing takes longer than everything else about them.
    expressions: HashMap<String, Expression>,
    expression_bytes: usize,
    templates: Allowance,
    /// Regular expressions in the schemas of llm nodes.
    patterns: usize,
}

impl Shared {
    pub(super) fn expression(&mut self, source: &str, place: &str, problems: &mut Problems) -> Option<Expression> {
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

    pub(super) fn validator(&mut self, schema: &Value, place: &str, problems: &mut Problems) -> Option<Validator> {
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
    pub(super) fn template(
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

pub(super) fn config<T: serde::de::DeserializeOwned>(
    node: &Node,
    part: &Part,
    place: &str,
    problems: &mut Problems,
) -> Option<T> {
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
    let messages = match config.messages {
        Some(messages) => Some(part.template(messages, Place::Config, &pointer(place, "messages"), shared, problems)?),
        None => None,
    };
    let schema = config.schema.map(Value::Object).map(Arc::new);
    let validator = match &schema {
        Some(schema) => Some(shared.validator(schema, &pointer(place, "schema"), problems)?),
        None => None,
    };
    let check = match &config.check {
        Some(source) => {
            let check = shared.expression(source, &pointer(place, "check"), problems)?;
            part.references.extend(check.references().map(|reference| (Place::After, reference)));
            Some(check)
        }
        None => None,
    };
    let sample = match config.sample {
        Some(sample) => Some(part.template(sample, Place::Config, &pointer(place, "sample"), shared, problems)?),
        None => None,
    };
    let target = |Fallback { provider, model }| Target { provider, model };
    Some(Llm {
        provider: config.provider,
        model: config.model,
        system: system?,
        prompt: prompt?,
        messages,
        parameters: Parameters {
            temperature: config.temperature,
            top_p: config.top_p,
            max_tokens: config.max_tokens,
            stop: config.stop,
            seed: config.seed,
        },
        schema,
        validator,
        check,
        repairs: config.repairs.unwrap_or(DEFAULT_REPAIRS),
        sample,
        cache: CachePolicy { enabled: config.cache.enabled.unwrap_or(true), ttl_seconds: config.cache.ttl_seconds },
        fallbacks: config.fallbacks.map(|list| list.into_iter().map(target).collect()),
        simulate: config.simulate.map(Value::Object).map(Arc::new),
    })
}

/// Names of providers, models and tools decide what may be called, so they are fixed when the workflow is saved.
pub(super) fn plain(text: Option<&str>, place: &str, problems: &mut Problems) {
    if text.is_some_and(has_bindings) {
        problems.add("binding_not_allowed", place, "this name has to be written out: bindings are not filled in here");
    }
}

pub(super) fn provider(name: Option<&str>, place: &str, catalog: Option<&Catalog>, problems: &mut Problems) {
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
    let who = format!("node `{}`", clip(&node.id));
    compile_tool(config, &who, Place::Config, part, place, catalog, shared, problems)
}

#[expect(clippy::too_many_arguments, reason = "what a tool is compiled from, and what it is compiled with")]
fn compile_tool(
    config: ToolConfig,
    who: &str,
    within: Place,
    part: &mut Part,
    place: &str,
    catalog: Option<&Catalog>,
    shared: &mut Shared,
    problems: &mut Problems,
) -> Option<Tool> {
    let name = tool_name(who, &config, part, place, catalog, problems);
    if let Some(name) = &name {
        // By name and not by what the tool says of itself: a plan has to come out the same where no tools are known, and
        // what a tool of somebody else's server changes is rarely safe to repeat without being asked.
        part.remote |= name == "http";
        if let Some(spec) = known_tool(name, &pointer(place, "tool"), catalog, problems) {
            check_config(&config.rest, spec, place, problems);
        }
    }
    for (name, value) in &config.rest {
        check_secrets(value, true, &pointer(place, name), problems);
    }
    let idempotent = config.idempotent;
    let config = part.template(Value::Object(config.rest), within, place, shared, problems);
    Some(Tool { tool: name?, idempotent, config: config? })
}

/// The name that is written, or `http` where a `url` says enough.
fn tool_name(
    who: &str,
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
            let message = format!("{who} names no tool: `config` needs `tool`, or a `url` for the http tool{known}");
            problems.add("missing_property", place, message);
            None
        }
    }
}

pub(super) fn known_tool<'c>(
    name: &str,
    place: &str,
    catalog: Option<&'c Catalog>,
    problems: &mut Problems,
) -> Option<&'c ToolDescription> {
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
pub(super) fn check_secrets(value: &Value, allowed: bool, place: &str, problems: &mut Problems) {
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

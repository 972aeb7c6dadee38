//! The form of a document: checked against the generated schema, then read into the document types.

use super::{Problems, did_you_mean};
use crate::document::{Edge, Execution, Limits, MAX_BODIES_DEEP, MAX_NODES, Node, NodeType};
use crate::problem::Problem;
use crate::reference::{clip, list, pointer};
use crate::schema;
use crate::value::type_name;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// What could be read of a graph: that of the document, or the body of a node. Parts with a wrong form are left out, after their
/// problems were reported.
#[derive(Debug)]
pub struct Draft {
    /// JSON Pointer to the graph: empty for that of the document.
    pub place: String,
    pub entry: Option<String>,
    pub nodes: Vec<DraftNode>,
    pub edges: Vec<DraftEdge>,
    pub limits: Limits,
    pub execution: Execution,
    /// Whether something is missing that others may refer to, so that failing to find it says nothing.
    pub incomplete: bool,
}

#[derive(Debug)]
pub struct DraftNode {
    pub id: String,
    /// Position in the document.
    pub at: usize,
    /// The type, where it is a known one.
    pub kind: Option<NodeType>,
    /// The node without the parts of a wrong form; `None` where nothing useful is left.
    pub node: Option<Node>,
    /// Whether parts were left out, so that missing them says nothing.
    pub pruned: bool,
    /// The graph inside of it.
    pub body: Option<Box<Draft>>,
}

#[derive(Debug)]
pub struct DraftEdge {
    /// Position in the document.
    pub at: usize,
    pub edge: Edge,
}

pub fn read(document: Value, problems: &mut Problems) -> Option<Draft> {
    let Value::Object(mut document) = document else {
        problems.add("wrong_type", "", format!("a workflow is a JSON object, not {}", type_name(&document)));
        return None;
    };
    // A flood of nodes is refused before work is spent on each of them.
    if let Some(Value::Array(nodes)) = document.get("nodes")
        && nodes.len() > MAX_NODES as usize
    {
        let message = format!("the document has {} nodes, more than the {MAX_NODES} that are allowed at all", nodes.len());
        problems.add("too_many_nodes", "/nodes", message);
        return None;
    }
    let nodes = take_array(&mut document, "nodes");
    let edges = take_array(&mut document, "edges");
    let whole = schema::DOCUMENT.as_object()?;
    check_object(&document, whole, "", &["nodes", "edges"], problems);
    let mut incomplete = false;
    let mut left = MAX_NODES as usize;
    let nodes = read_nodes(nodes, "", 0, &mut left, &mut incomplete, problems);
    let edges = read_edges(edges, "", &mut incomplete, problems);
    let entry = document.get("entry").and_then(Value::as_str).map(str::to_owned);
    // Sections with a wrong form were reported above; their defaults let the rest be checked.
    let limits = document.remove("limits").and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default();
    let execution = document.remove("execution").and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default();
    Some(Draft { place: String::new(), entry, nodes, edges, limits, execution, incomplete })
}

/// The body of a node: a graph like any other.
fn read_body(body: Value, place: &str, deep: usize, left: &mut usize, problems: &mut Problems) -> Option<Box<Draft>> {
    let Value::Object(mut body) = body else {
        problems.add(
            "wrong_type",
            place,
            format!("`body` is an object with `entry`, `nodes` and `edges`, not {}", type_name(&body)),
        );
        return None;
    };
    if deep > MAX_BODIES_DEEP {
        problems.add("too_deep", place, format!("bodies may be nested {MAX_BODIES_DEEP} deep"));
        return None;
    }
    let count = body.get("nodes").and_then(Value::as_array).map_or(0, Vec::len);
    if count > *left {
        let message = format!("the document has more than the {MAX_NODES} nodes that are allowed at all");
        problems.add("too_many_nodes", pointer(place, "nodes"), message);
        return None;
    }
    let (nodes, edges) = (take_array(&mut body, "nodes"), take_array(&mut body, "edges"));
    let whole = schema::BODY.as_object()?;
    check_object(&body, whole, place, &["nodes", "edges"], problems);
    let mut incomplete = false;
    let nodes = read_nodes(nodes, place, deep, left, &mut incomplete, problems);
    let edges = read_edges(edges, place, &mut incomplete, problems);
    let entry = body.get("entry").and_then(Value::as_str).map(str::to_owned);
    let (limits, execution) = (Limits::default(), Execution::default());
    Some(Box::new(Draft { place: place.to_owned(), entry, nodes, edges, limits, execution, incomplete }))
}

/// A list that is checked item by item; anything else stays in the document for the schema to complain about.
fn take_array(document: &mut Map<String, Value>, name: &str) -> Option<Vec<Value>> {
    match document.get_mut(name) {
        Some(Value::Array(items)) => Some(std::mem::take(items)),
        _ => None,
    }
}

fn read_nodes(
    nodes: Option<Vec<Value>>,
    graph: &str,
    deep: usize,
    left: &mut usize,
    incomplete: &mut bool,
    problems: &mut Problems,
) -> Vec<DraftNode> {
    let schema = &schema::DOCUMENT["properties"]["nodes"]["items"];
    let Some(nodes) = nodes else {
        *incomplete = true;
        return Vec::new();
    };
    if nodes.is_empty() {
        let what = if graph.is_empty() { "workflow" } else { "body" };
        problems.add("empty", format!("{graph}/nodes"), format!("a {what} needs at least one node"));
        *incomplete = true;
    }
    *left = left.saturating_sub(nodes.len());
    let mut read = Vec::with_capacity(nodes.len());
    for (at, mut value) in nodes.into_iter().enumerate() {
        let place = format!("{graph}/nodes/{at}");
        let kind = value.get("type").and_then(|kind| NodeType::deserialize(kind).ok());
        let inner = kind.filter(|kind| kind.has_body()).map(|_| {
            let config = value.get_mut("config").and_then(Value::as_object_mut);
            config.and_then(|config| config.shift_remove("body"))
        });
        let before = problems.count();
        check_value(&value, schema, &place, problems);
        if let (Some(kind), Some(config)) = (kind, config_of(&value)) {
            check_value(config, schema::config(kind), &pointer(&place, "config"), problems);
        }
        let body_at = format!("{place}/config/body");
        let own = problems.count();
        let body = match inner {
            None => None,
            Some(Some(body)) => read_body(body, &body_at, deep + 1, left, problems),
            Some(None) => {
                problems.add(
                    "missing_property",
                    pointer(&place, "config"),
                    "`config` needs `body`: the graph that runs for each item or iteration",
                );
                None
            }
        };
        let of_body = problems.count() - own;
        let Some(id) = value.get("id").and_then(Value::as_str).map(str::to_owned) else {
            *incomplete = true;
            continue;
        };
        // What is wrong is taken out, so that the rest of the node can be checked.
        let node = match problems.between(before, own) {
            [] => parse(value, &place, problems),
            found => serde_json::from_value(prune(value, &place, found)).ok(),
        };
        read.push(DraftNode { id, at, kind, node, pruned: problems.count() > before + of_body, body });
    }
    read
}

/// The node's config; an absent one is checked as an empty one, which may lack something.
fn config_of(node: &Value) -> Option<&Value> {
    static EMPTY: std::sync::LazyLock<Value> = std::sync::LazyLock::new(|| Value::Object(Map::new()));
    match node.get("config") {
        None => Some(&EMPTY),
        Some(config) => config.is_object().then_some(config),
    }
}

fn read_edges(edges: Option<Vec<Value>>, graph: &str, incomplete: &mut bool, problems: &mut Problems) -> Vec<DraftEdge> {
    let schema = &schema::DOCUMENT["properties"]["edges"]["items"];
    let mut read = Vec::new();
    for (at, value) in edges.unwrap_or_default().into_iter().enumerate() {
        let place = format!("{graph}/edges/{at}");
        let before = problems.count();
        check_value(&value, schema, &place, problems);
        let edge = if problems.count() == before { parse(value, &place, problems) } else { None };
        match edge {
            Some(edge) => read.push(DraftEdge { at, edge }),
            None => *incomplete = true,
        }
    }
    read
}

/// A value without the parts that problems point at; of a list, the whole list, so that positions stay what they were.
fn prune(mut value: Value, place: &str, found: &[Problem]) -> Value {
    for problem in found {
        let Some(within) = problem.pointer.strip_prefix(place) else { continue };
        let mut steps: Vec<&str> = within.split('/').skip(1).collect();
        if let Some(list) = steps.iter().position(|step| step.bytes().all(|byte| byte.is_ascii_digit())) {
            steps.truncate(list);
        }
        let Some(last) = steps.pop() else { continue };
        let above: String = steps.iter().map(|step| format!("/{step}")).collect();
        // A property that is missing in `config` itself leaves the others usable.
        if problem.code == "missing_property" && above.is_empty() && last == "config" {
            continue;
        }
        if let Some(Value::Object(map)) = value.pointer_mut(&above) {
            map.shift_remove(&last.replace("~1", "/").replace("~0", "~"));
        }
    }
    value
}

fn parse<T: DeserializeOwned>(value: Value, place: &str, problems: &mut Problems) -> Option<T> {
    serde_json::from_value(value)
        .map_err(|error| problems.add("wrong_type", place, format!("this part cannot be read: {}", clip(&error.to_string()))))
        .ok()
}

/// Checks a value against a schema of the shapes that the document types generate: `type`, `enum`, `properties`, `required`,
/// `additionalProperties: false`, `items`, and bounds. Other keywords are passed over.
pub fn check_value(value: &Value, schema: &Value, place: &str, problems: &mut Problems) {
    if let Some(expected) = schema.get("type")
        && !has_type(value, expected)
    {
        problems.push(Problem::new(
            "wrong_type",
            place,
            format!("{} has to be {}, not {}", name_of(place), types(expected), shown(value)),
        ));
        return;
    }
    if let Some(Value::Array(allowed)) = schema.get("enum")
        && !value.is_null()
        && !allowed.contains(value)
    {
        unknown_value(value, allowed, place, problems);
        return;
    }
    match value {
        Value::Number(_) => check_range(value, schema, place, problems),
        Value::String(text) => check_length(text, schema, place, problems),
        Value::Array(items) => {
            let most = schema.get("maxItems").and_then(Value::as_u64);
            if let Some(most) = most.filter(|most| items.len() as u64 > *most) {
                problems.add(
                    "too_many",
                    place,
                    format!("{} may have {most} items, this one has {}", name_of(place), items.len()),
                );
            }
            if let Some(schema) = schema.get("items") {
                items.iter().enumerate().for_each(|(at, item)| check_value(item, schema, &pointer(place, at), problems));
            }
        }
        Value::Object(map) => {
            if let Some(schema) = schema.as_object() {
                check_object(map, schema, place, &[], problems);
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

fn check_object(map: &Map<String, Value>, schema: &Map<String, Value>, place: &str, skip: &[&str], problems: &mut Problems) {
    let none = Map::new();
    let known = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    for (key, value) in map {
        match known.get(key) {
            // What was taken out for an item-by-item check is an empty list here.
            Some(_) if skip.contains(&key.as_str()) && value.is_array() => {}
            Some(schema) => check_value(value, schema, &pointer(place, key), problems),
            None if closed => {
                let names = || known.keys().map(String::as_str);
                let message = format!("there is no property `{}` here; there are: {}", clip(key), list(names()));
                let problem = Problem::new("unknown_property", pointer(place, key), message);
                problems.push(problem.suggest(did_you_mean(key, names())));
            }
            None => {}
        }
    }
    for name in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        if !map.contains_key(name) {
            problems.add("missing_property", place, format!("{} needs `{name}`", name_of(place)));
        }
    }
}

fn unknown_value(value: &Value, allowed: &[Value], place: &str, problems: &mut Problems) {
    let names: Vec<&str> = allowed.iter().filter_map(Value::as_str).collect();
    let suggestion = value.as_str().and_then(|text| did_you_mean(text, names.iter().copied()));
    let mut steps = place.rsplit('/');
    let node_type = steps.next() == Some("type") && steps.next().is_some_and(is_number) && steps.next() == Some("nodes");
    let problem = if node_type {
        let message = format!("unknown node type {}; there are: {}", shown(value), list(names.iter().copied()));
        Problem::new("unknown_node_type", place, message)
    } else {
        let names = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ");
        Problem::new("unknown_value", place, format!("{} has to be {names}, not {}", name_of(place), shown(value)))
    };
    problems.push(problem.suggest(suggestion));
}

fn check_range(value: &Value, schema: &Value, place: &str, problems: &mut Problems) {
    let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
    let (least, most) = (bound("minimum"), bound("maximum"));
    let Some(number) = value.as_f64() else { return };
    if least.is_some_and(|least| number < least) || most.is_some_and(|most| number > most) {
        let range = match (schema.get("minimum"), schema.get("maximum")) {
            (Some(least), Some(most)) => format!("from {least} to {most}"),
            (Some(least), None) => format!("at least {least}"),
            (None, Some(most)) => format!("at most {most}"),
            (None, None) => return,
        };
        problems.add("out_of_range", place, format!("{} has to be {range}, not {value}", name_of(place)));
    }
}

fn check_length(text: &str, schema: &Value, place: &str, problems: &mut Problems) {
    let bound = |name: &str| schema.get(name).and_then(Value::as_u64);
    // Counting characters stops at the bound, so a huge text costs no more than a long one.
    if bound("minLength").is_some_and(|least| (text.chars().take(least as usize).count() as u64) < least) {
        problems.add("empty", place, format!("{} must not be empty", name_of(place)));
    }
    if let Some(most) = bound("maxLength").filter(|most| text.chars().nth(*most as usize).is_some()) {
        problems.add("too_long", place, format!("{} may have {most} characters", name_of(place)));
    }
}

fn has_type(value: &Value, expected: &Value) -> bool {
    let is = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    };
    match expected {
        Value::String(name) => is(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).any(is),
        _ => true,
    }
}

fn types(expected: &Value) -> String {
    let name = |name: &str| match name {
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        "string" => "a text",
        "array" => "a list",
        "object" => "an object",
        _ => "null",
    };
    match expected {
        Value::String(only) => name(only).to_owned(),
        // That an optional property may also be null is not worth a word.
        Value::Array(names) => {
            let names: Vec<&str> = names.iter().filter_map(Value::as_str).filter(|only| *only != "null").map(name).collect();
            names.join(" or ")
        }
        _ => "something else".to_owned(),
    }
}

/// A value for a message: short ones as they are, others by their type.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{}`", clip(text)),
        Value::Number(_) | Value::Bool(_) | Value::Null => value.to_string(),
        other => type_name(other).to_owned(),
    }
}

fn is_number(step: &str) -> bool {
    !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit())
}

/// The last name of a pointer, for the subject of a sentence.
fn name_of(place: &str) -> String {
    match place.rsplit('/').next() {
        None | Some("") => "the workflow".to_owned(),
        Some(last) if last.bytes().all(|byte| byte.is_ascii_digit()) => {
            let parent = place[..place.len() - last.len() - 1].rsplit('/').next().unwrap_or_default();
            format!("`{}[{last}]`", clip(parent))
        }
        Some(last) => format!("`{}`", clip(&last.replace("~1", "/").replace("~0", "~"))),
    }
}

//! Paths into what a node can see, as templates and expressions write them: `node.ingest.output.items[0].title`.

use crate::scope::Scope;
use crate::value::type_name;
use serde_json::Value;
use std::fmt::{self, Write};

/// How many field names an error lists.
const NAMES_IN_MESSAGES: usize = 12;

/// Names that start a path by themselves. Inputs may not use them.
pub const ROOTS: [&str; 8] = ["input", "node", "branch", "each", "iteration", "vars", "session", "config"];

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Segment {
    Field(String),
    Index(usize),
}

/// Never empty, and the first segment is a field.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path(Vec<Segment>);

/// A path that a template or an expression reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    pub path: Path,
    /// JSON Pointer to the string that holds it.
    pub pointer: String,
    /// Whether the source asks for the case that it is missing.
    pub optional: bool,
}

impl Path {
    pub fn new(root: &str) -> Self {
        Path(vec![Segment::Field(root.to_owned())])
    }

    /// The path of these segments, if the first one is a field.
    pub fn of(segments: &[Segment]) -> Option<Self> {
        matches!(segments.first(), Some(Segment::Field(_))).then(|| Path(segments.to_vec()))
    }

    pub fn push(&mut self, segment: Segment) {
        self.0.push(segment);
    }

    pub fn root(&self) -> &str {
        match self.0.first() {
            Some(Segment::Field(name)) => name,
            _ => "",
        }
    }

    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The name at a position, where it is a field.
    pub fn field(&self, at: usize) -> Option<&str> {
        match self.0.get(at) {
            Some(Segment::Field(name)) => Some(name),
            _ => None,
        }
    }

    /// Reads `name`, `.name`, `[0]`, `['key']` and `["key"]`, with blanks around. `None` for anything else.
    pub fn parse(text: &str) -> Option<Path> {
        let mut rest = text.trim();
        let name = identifier(rest)?;
        if matches!(name, "true" | "false" | "none" | "True" | "False" | "None" | "not") {
            return None;
        }
        let mut path = Path::new(name);
        rest = &rest[name.len()..];
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('.') {
                let name = identifier(after)?;
                path.push(Segment::Field(name.to_owned()));
                rest = &after[name.len()..];
            } else {
                let inside = rest.strip_prefix('[')?;
                let quote = inside.chars().next().filter(|c| matches!(c, '\'' | '"'));
                let (segment, after) = match quote {
                    Some(quote) => {
                        let (key, after) = inside[1..].split_once(quote)?;
                        // Escapes are left to the template engine, which knows them.
                        if key.contains('\\') {
                            return None;
                        }
                        (Segment::Field(key.to_owned()), after)
                    }
                    None => {
                        let digits = inside.len() - inside.trim_start_matches(|c: char| c.is_ascii_digit()).len();
                        (Segment::Index(inside[..digits].parse().ok()?), &inside[digits..])
                    }
                };
                path.push(segment);
                rest = after.strip_prefix(']')?;
            }
        }
        Some(path)
    }

    /// The value at the path, or a sentence that says which part is missing and what is there instead.
    pub fn resolve<'s>(&self, scope: &'s Scope) -> Result<&'s Value, String> {
        let (mut value, used) = self.start(scope)?;
        for (at, segment) in self.0.iter().enumerate().skip(used) {
            value = step(value, segment).ok_or_else(|| self.missing(value, at))?;
        }
        Ok(value)
    }

    /// The value that the root stands for, and how many segments that takes.
    fn start<'s>(&self, scope: &'s Scope) -> Result<(&'s Value, usize), String> {
        match self.root() {
            "input" => Ok((&scope.input, 1)),
            "branch" => {
                scope.branch.as_ref().map(|branch| (branch, 1)).ok_or_else(|| {
                    "`branch` is the decision of the router that an edge leaves; it does not exist here".to_owned()
                })
            }
            "node" => {
                let id = self.field(1).ok_or("`node` needs the id of a node, as in `node.summarize.output`")?;
                let node = scope.nodes.get(id).ok_or_else(|| format!("node `{id}` has no value here"))?;
                match self.field(2) {
                    Some("output") => Ok((&node.output, 3)),
                    Some("branch") => Ok((node.branch.as_ref().unwrap_or(&Value::Null), 3)),
                    Some("error") => Ok((node.error.as_ref().unwrap_or(&Value::Null), 3)),
                    _ => Err(format!("`node.{id}` is not a value by itself: write `node.{id}.output`")),
                }
            }
            "vars" => Ok((&scope.vars, 1)),
            "session" => Ok((&scope.session, 1)),
            "config" => Ok((&scope.config, 1)),
            "each" => {
                let each = scope.each.as_ref().ok_or("`each` exists only inside of a map")?;
                match self.field(1) {
                    Some("item") => Ok((each.items.get(each.at).unwrap_or(&Value::Null), 2)),
                    Some("index") => Ok((&each.index, 2)),
                    _ => Err("`each` is not a value by itself: write `each.item` or `each.index`".to_owned()),
                }
            }
            "iteration" => {
                let iteration = scope.iteration.as_ref().ok_or("`iteration` exists only inside of a loop")?;
                match self.field(1) {
                    Some("index") => Ok((&iteration.index, 2)),
                    Some("state") => Ok((&iteration.state, 2)),
                    Some("last") => Ok((&iteration.last, 2)),
                    _ => Err("`iteration` is not a value by itself: write `iteration.state`, `.index` or `.last`".to_owned()),
                }
            }
            name => match scope.inputs.get(name) {
                Some(value) => Ok((value, 1)),
                None => {
                    let names = list(scope.inputs.keys().map(String::as_str));
                    Err(format!("there is no `{name}` here; the node's inputs are: {names}"))
                }
            },
        }
    }

    /// Says that `segments[at]` is not in `value`.
    fn missing(&self, value: &Value, at: usize) -> String {
        let owner = Path(self.0[..at].to_vec());
        let mut text = format!("`{owner}` ");
        match (&self.0[at], value) {
            (Segment::Field(name), Value::Object(map)) => {
                let names = list(map.keys().map(String::as_str));
                let _ = write!(text, "has no field `{}`; it has: {names}", clip(name));
            }
            (Segment::Field(name), Value::Null) => {
                let _ = write!(text, "is null, so it has no field `{}`", clip(name));
                if self.root() == "node" {
                    text.push_str(" (a skipped node reads as null)");
                }
            }
            (Segment::Field(name), other) => {
                let _ = write!(text, "is {}, so it has no field `{}`", type_name(other), clip(name));
            }
            (Segment::Index(index), Value::Array(items)) => {
                let _ = write!(text, "has {} items, so there is no item {index} (the first is 0)", items.len());
            }
            (Segment::Index(index), other) => {
                let _ = write!(text, "is {}, so it has no item {index}", type_name(other));
            }
        }
        text
    }
}

fn step<'v>(value: &'v Value, segment: &Segment) -> Option<&'v Value> {
    match (segment, value) {
        (Segment::Field(name), Value::Object(map)) => map.get(name),
        (Segment::Index(index), Value::Array(items)) => items.get(*index),
        _ => None,
    }
}

/// The longest identifier at the start of a text: `[A-Za-z_][A-Za-z0-9_]*`.
fn identifier(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    let name = &text[..end];
    is_identifier(name).then_some(name)
}

pub fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A comma-separated list of names for a message, of bounded length.
pub fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    let mut count = 0;
    for name in names {
        if count < NAMES_IN_MESSAGES {
            let _ = write!(text, "{}`{}`", if count == 0 { "" } else { ", " }, clip(name));
        }
        count += 1;
    }
    match count {
        0 => "nothing".to_owned(),
        _ if count > NAMES_IN_MESSAGES => format!("{text} and {} more", count - NAMES_IN_MESSAGES),
        _ => text,
    }
}

/// At most 60 characters of a text that came from outside, for messages.
pub fn clip(text: &str) -> String {
    const LIMIT: usize = 60;
    match text.char_indices().nth(LIMIT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The nearest of the known names, if one is near enough to have been meant.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // The distance costs the product of the lengths, so a huge name is not worth the question.
    if name.len() > 100 {
        return None;
    }
    let lower = name.to_lowercase();
    known
        .filter(|candidate| candidate.len().abs_diff(name.len()) <= 6)
        .map(|candidate| (strsim::osa_distance(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= (name.chars().count().min(candidate.chars().count()) / 3).min(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Field(name) if at == 0 => f.write_str(name)?,
                Segment::Field(name) if is_identifier(name) => write!(f, ".{}", clip(name))?,
                Segment::Field(name) => write!(f, "['{}']", clip(name))?,
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// One step of a JSON Pointer (RFC 6901, section 3).
pub fn pointer(base: &str, step: impl fmt::Display) -> String {
    format!("{base}/{}", step.to_string().replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::NodeValue;
    use serde_json::json;
    use std::sync::Arc;

    #[test]
    fn plain_paths_are_read_and_anything_else_is_not() {
        for text in ["input", "node.a.output", "node.a.output.items[0].title", "x['a b']", "a[\"b\"][12]"] {
            assert!(Path::parse(text).is_some(), "{text}");
        }
        assert_eq!(Path::parse(" x['a b'].c[0] ").unwrap().to_string(), "x['a b'].c[0]");
        for text in ["", "1", "a.", "a..b", "a[", "a[x]", "a[-1]", "a['b]", "a|upper", "a b", "true", "a.1", "a['\\n']", "é"] {
            assert!(Path::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_missing_part_is_named_with_what_is_there() {
        let mut scope = Scope { input: Arc::new(json!({"list": [1, 2]})), ..Scope::default() };
        scope
            .nodes
            .insert("a".into(), NodeValue { output: Arc::new(json!({"content": "x", "status": 200})), ..NodeValue::default() });
        scope.nodes.insert("skipped".into(), NodeValue::default());
        scope.inputs.insert("text".into(), json!("hello"));
        let read = |path: &str| Path::parse(path).unwrap().resolve(&scope).cloned();
        assert_eq!(read("node.a.output.status"), Ok(json!(200)));
        assert_eq!(read("input.list[1]"), Ok(json!(2)));
        assert_eq!(read("node.skipped.output"), Ok(json!(null)));
        let table = [
            ("node.a.output.contnt", "`node.a.output` has no field `contnt`; it has: `content`, `status`"),
            ("node.skipped.output.x.y", "`node.skipped.output` is null, so it has no field `x` (a skipped node reads as null)"),
            ("input.list[2]", "`input.list` has 2 items, so there is no item 2 (the first is 0)"),
            ("text.x", "`text` is a string, so it has no field `x`"),
            ("text[0]", "`text` is a string, so it has no item 0"),
            ("txt", "there is no `txt` here; the node's inputs are: `text`"),
            ("node.b.output", "node `b` has no value here"),
            ("node.a", "`node.a` is not a value by itself: write `node.a.output`"),
            ("branch", "`branch` is the decision of the router that an edge leaves; it does not exist here"),
        ];
        for (path, expected) in table {
            assert_eq!(read(path), Err(expected.to_owned()), "{path}");
        }
    }

    #[test]
    fn only_near_names_are_suggested() {
        let known = ["summarize", "model", "url", "a", "maxTokens"];
        let nearest = |name| nearest(name, known.into_iter());
        assert_eq!(nearest("sumarize"), Some("summarize"));
        assert_eq!(nearest("modle"), Some("model"));
        assert_eq!(nearest("max_tokens"), Some("maxTokens"));
        assert_eq!(nearest("URL"), Some("url"));
        assert_eq!(nearest("temperature"), None);
        assert_eq!(nearest("zz"), None);
    }
}

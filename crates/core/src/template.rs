//! JSON values with `{{ bindings }}` in their strings.
//!
//! Three kinds of strings, from cheap to general:
//! a string that is exactly one path (`{{node.a.output.items[0]}}`) becomes that value and keeps its type;
//! text mixed with such paths is put together here; everything else goes to minijinja ([`jinja`]).
//! What comes out is data: nothing looks for bindings in it again.

mod jinja;

use crate::failure::{Failure, FailureCode};
use crate::problem::Problem;
use crate::reference::{Path, Reference, pointer as step_of};
use crate::scope::Scope;
use crate::value::{Budget, Excess, MAX_BYTES, MAX_DEPTH};
use serde_json::{Map, Value};
use std::sync::Arc;

/// The longest string that may hold bindings, in bytes.
pub const MAX_SOURCE: usize = 64 * 1024;
/// How many bindings a document may hold.
pub const MAX_BINDINGS: usize = 100_000;
/// How many faulty strings of one value are looked at.
const MAX_FAULTS: usize = 1_000;
/// How many strings of a document may need the template engine.
pub const MAX_PROGRAMS: usize = 5_000;

#[derive(Debug)]
pub struct Template {
    source: Value,
    tree: Tree,
    references: Vec<Reference>,
}

#[derive(Debug)]
enum Tree {
    /// A subtree without bindings.
    Literal,
    Text(Text),
    /// Only the members that hold bindings.
    Array(Vec<(usize, Tree)>),
    Object(Vec<(String, Tree)>),
}

#[derive(Debug)]
struct Text {
    /// Where the string stands, for messages: `inputs.text`.
    place: Arc<str>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Whole(Path),
    Mixed(Vec<Piece>),
    Jinja(Box<jinja::Program>),
}

#[derive(Debug)]
enum Piece {
    Text(String),
    Path(Path),
}

impl Template {
    /// A template without bindings.
    pub fn literal(value: Value) -> Self {
        Template { source: value, tree: Tree::Literal, references: Vec::new() }
    }

    /// Compiles every string of `value`; `pointer` is where the value stands in the document. Keys are never templates. Sources of
    /// strangers need a large stack, as [`crate::stack::with_large_stack`] gives; rendering needs none.
    pub fn compile(value: Value, pointer: &str) -> Result<Template, Vec<Problem>> {
        Template::compile_within(value, pointer, &mut Allowance::default())
    }

    /// [`Template::compile`], with what is left of a document's allowance.
    pub(crate) fn compile_within(value: Value, pointer: &str, allowance: &mut Allowance) -> Result<Template, Vec<Problem>> {
        let mut compiler = Compiler { allowance, references: Vec::new(), problems: Vec::new() };
        let tree = compiler.tree(&value, pointer);
        if !compiler.problems.is_empty() {
            return Err(compiler.problems);
        }
        Ok(Template { source: value, tree, references: compiler.references })
    }

    /// Every path that rendering may read.
    pub fn references(&self) -> &[Reference] {
        &self.references
    }

    /// Fills in the bindings. Fails with [`FailureCode::Template`] and a sentence that names the node, the field and the place.
    pub fn render(&self, scope: &Scope) -> Result<Value, Failure> {
        let mut budget = Budget::new(MAX_BYTES);
        render(&self.source, &self.tree, scope, 0, &mut budget)
    }

    /// The value as the author wrote it.
    pub fn source(&self) -> &Value {
        &self.source
    }
}

/// Whether a string holds anything to fill in.
pub fn has_bindings(text: &str) -> bool {
    text.contains("{{") || text.contains("{%") || text.contains("{#")
}

/// How much of a document may be templates. A compiled string takes much more memory than its source, and stays for as long as the
/// plan does.
#[derive(Debug)]
pub(crate) struct Allowance {
    bindings: usize,
    programs: usize,
    /// More was asked for than there was, and that was reported.
    exceeded: bool,
}

impl Default for Allowance {
    fn default() -> Self {
        Allowance { bindings: MAX_BINDINGS, programs: MAX_PROGRAMS, exceeded: false }
    }
}

impl Allowance {
    /// Takes off what a string holds. Once there is too much, nothing more is compiled.
    fn take(&mut self, bindings: usize, programs: usize) -> Result<(), String> {
        let left = (self.bindings.checked_sub(bindings), self.programs.checked_sub(programs));
        let (Some(bindings), Some(programs)) = left else {
            self.exceeded = true;
            return Err(match left {
                (None, _) => format!("a workflow may hold {MAX_BINDINGS} bindings, and here there are more"),
                _ => format!("a workflow may hold {MAX_PROGRAMS} texts with statements or filters, and here there are more"),
            });
        };
        (self.bindings, self.programs) = (bindings, programs);
        Ok(())
    }
}

struct Compiler<'a> {
    allowance: &'a mut Allowance,
    references: Vec<Reference>,
    problems: Vec<Problem>,
}

impl Compiler<'_> {
    fn tree(&mut self, value: &Value, pointer: &str) -> Tree {
        match value {
            Value::String(text) if has_bindings(text) => self.text(text, pointer),
            Value::Array(items) => {
                let mut parts = Vec::new();
                for (at, item) in items.iter().enumerate() {
                    // The pointer is made only where it is needed: most values are literals.
                    if may_bind(item) {
                        match self.tree(item, &step_of(pointer, at)) {
                            Tree::Literal => {}
                            tree => parts.push((at, tree)),
                        }
                    }
                }
                if parts.is_empty() { Tree::Literal } else { Tree::Array(parts) }
            }
            Value::Object(map) => {
                let mut parts = Vec::new();
                for (key, item) in map {
                    if may_bind(item) {
                        match self.tree(item, &step_of(pointer, key)) {
                            Tree::Literal => {}
                            tree => parts.push((key.clone(), tree)),
                        }
                    }
                }
                if parts.is_empty() { Tree::Literal } else { Tree::Object(parts) }
            }
            _ => Tree::Literal,
        }
    }

    fn text(&mut self, text: &str, pointer: &str) -> Tree {
        if text.len() > MAX_SOURCE {
            let message = format!("a text with bindings may have {MAX_SOURCE} bytes, this one has {}", text.len());
            self.problems.push(Problem::new("template_too_long", pointer, message));
            return Tree::Literal;
        }
        // After so many faults nobody reads on, and the report is capped further up.
        if self.allowance.exceeded || self.problems.len() >= MAX_FAULTS {
            return Tree::Literal;
        }
        let place: Arc<str> = place_of(pointer).into();
        let before = self.references.len();
        let kind = match whole(text) {
            Some(path) => {
                self.references.push(Reference { path: path.clone(), pointer: pointer.to_owned(), optional: false });
                Kind::Whole(path)
            }
            None => match pieces(text) {
                Some(pieces) => {
                    let paths = pieces.iter().filter_map(|piece| match piece {
                        Piece::Path(path) => Some(path),
                        Piece::Text(_) => None,
                    });
                    self.references.extend(paths.map(|path| Reference {
                        path: path.clone(),
                        pointer: pointer.to_owned(),
                        optional: false,
                    }));
                    Kind::Mixed(pieces)
                }
                None => match jinja::Program::compile(text) {
                    Ok(program) => {
                        let paths = program.paths();
                        self.references.extend(paths.map(|(path, optional)| Reference {
                            path,
                            pointer: pointer.to_owned(),
                            optional,
                        }));
                        Kind::Jinja(Box::new(program))
                    }
                    Err(fault) => {
                        let problem = Problem::new("template", pointer, fault.message).suggest(fault.suggestion);
                        self.problems.push(problem);
                        return Tree::Literal;
                    }
                },
            },
        };
        let programs = usize::from(matches!(kind, Kind::Jinja(_)));
        if let Err(message) = self.allowance.take(self.references.len() - before, programs) {
            self.problems.push(Problem::new("too_many", pointer, message));
        }
        Tree::Text(Text { place, kind })
    }
}

fn may_bind(value: &Value) -> bool {
    match value {
        Value::String(text) => has_bindings(text),
        Value::Array(_) | Value::Object(_) => true,
        _ => false,
    }
}

/// The path, where the text is one binding and nothing else.
fn whole(text: &str) -> Option<Path> {
    let inside = text.strip_prefix("{{")?.strip_suffix("}}")?;
    Path::parse(inside)
}

/// Text and plain paths; `None` where the string needs the template engine.
fn pieces(text: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('{').filter(|_| has_bindings(rest)) {
        let (before, from) = rest.split_at(start);
        match from.as_bytes().get(1) {
            Some(b'{') => {}
            Some(b'%' | b'#') => return None,
            _ => {
                push_text(&mut pieces, before);
                push_text(&mut pieces, "{");
                rest = &from[1..];
                continue;
            }
        }
        push_text(&mut pieces, before);
        // A path holds no `}}` outside of a quoted key, and such a key makes the parse fail.
        let (inside, after) = from[2..].split_once("}}")?;
        pieces.push(Piece::Path(Path::parse(inside)?));
        rest = after;
    }
    push_text(&mut pieces, rest);
    Some(pieces)
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    match pieces.last_mut() {
        _ if text.is_empty() => {}
        Some(Piece::Text(last)) => last.push_str(text),
        _ => pieces.push(Piece::Text(text.to_owned())),
    }
}

/// `/nodes/3/inputs/text` as people say it: `inputs.text`.
fn place_of(pointer: &str) -> String {
    let mut steps = pointer.split('/').skip(1);
    if pointer.starts_with("/nodes/") {
        steps.nth(1);
    }
    steps.map(|step| step.replace("~1", "/").replace("~0", "~")).collect::<Vec<_>>().join(".")
}

fn render(source: &Value, tree: &Tree, scope: &Scope, depth: usize, budget: &mut Budget) -> Result<Value, Failure> {
    match (tree, source) {
        (Tree::Text(text), _) => text.render(scope, depth, budget),
        (Tree::Array(parts), Value::Array(items)) => {
            let mut parts = parts.iter().peekable();
            let mut rendered = Vec::with_capacity(items.len());
            for (at, item) in items.iter().enumerate() {
                let tree = parts.next_if(|(part, _)| *part == at).map_or(&Tree::Literal, |(_, tree)| tree);
                rendered.push(render(item, tree, scope, depth + 1, budget)?);
            }
            Ok(Value::Array(rendered))
        }
        (Tree::Object(parts), Value::Object(map)) => {
            let mut parts = parts.iter().peekable();
            let mut rendered = Map::with_capacity(map.len());
            for (key, item) in map {
                let tree = parts.next_if(|(part, _)| part == key).map_or(&Tree::Literal, |(_, tree)| tree);
                rendered.insert(key.clone(), render(item, tree, scope, depth + 1, budget)?);
            }
            Ok(Value::Object(rendered))
        }
        _ => budget.copy(source, depth).map_err(|excess| excess_failure(excess, "")),
    }
}

impl Text {
    fn render(&self, scope: &Scope, depth: usize, budget: &mut Budget) -> Result<Value, Failure> {
        match &self.kind {
            Kind::Whole(path) => {
                let value = path.resolve(scope).map_err(|why| self.failure(&why))?;
                budget.copy(value, depth).map_err(|excess| excess_failure(excess, &self.place))
            }
            Kind::Mixed(pieces) => {
                let mut text = String::new();
                for piece in pieces {
                    match piece {
                        Piece::Text(part) => text.push_str(part),
                        Piece::Path(path) => {
                            let value = path.resolve(scope).map_err(|why| self.failure(&why))?;
                            write_text(&mut text, value, budget).map_err(|excess| excess_failure(excess, &self.place))?;
                        }
                    }
                }
                Ok(Value::String(text))
            }
            Kind::Jinja(program) => match program.render(scope, budget) {
                Ok(text) => Ok(Value::String(text)),
                Err(jinja::RenderError::Excess(excess)) => Err(excess_failure(excess, &self.place)),
                Err(jinja::RenderError::Other(why)) => Err(self.failure(&why)),
            },
        }
    }

    fn failure(&self, why: &str) -> Failure {
        Failure::new(FailureCode::Template, format!("cannot fill in `{}`: {why}", self.place))
    }
}

fn excess_failure(excess: Excess, place: &str) -> Failure {
    let subject = if place.is_empty() { "the value".to_owned() } else { format!("`{place}`") };
    let message = match excess {
        Excess::Bytes => {
            format!("{subject} became larger than {} MiB: bind only the part that is needed", MAX_BYTES / (1024 * 1024))
        }
        Excess::Depth => format!("{subject} is nested more than {MAX_DEPTH} levels deep: bind only the part that is needed"),
    };
    Failure::new(FailureCode::Template, message)
}

/// How a value reads in the middle of a text: strings as they are, everything else as JSON.
fn write_text(text: &mut String, value: &Value, budget: &mut Budget) -> Result<(), Excess> {
    match value {
        Value::String(part) => {
            budget.spend(part.len())?;
            text.push_str(part);
        }
        value => {
            let start = text.len();
            text.push_str(&value.to_string());
            budget.spend(text.len() - start)?;
        }
    }
    Ok(())
}

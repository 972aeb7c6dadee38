//! The strings that are more than plain paths, rendered by minijinja under these rules:
//!
//! - The syntax tree is vetted when the workflow is compiled: only statements, filters and tests from closed lists, no calls, no
//!   operators that multiply data (`*`, `~`), only constants inside list literals. So what one rendering holds in memory is
//!   bounded by what it reads, which the engine's `fuel` alone does not give.
//! - Only the paths that the source names are loaded, into a context that is built for this one rendering.
//! - A path that is missing is an error with the same sentence as for plain bindings, not an empty string, except where the
//!   source asks for that case with `default` or `is defined`.
//! - The output is counted while it is written.

use crate::reference::{Path, Segment, clip, nearest};
use crate::scope::Scope;
use crate::stack::contained;
use crate::value::{Budget, Excess};
use minijinja::machinery::ast::{BinOpKind, CallArg, Expr, Stmt, UnaryOpKind};
use minijinja::machinery::{Token, parse, tokenize};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value as Jinja};
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::LazyLock;

mod filters;

/// Instructions that one rendering may execute.
const FUEL: u64 = 250_000;
/// Tokens inside one pair of braces: bounds how deep the tree of an expression can get.
const MAX_TOKENS: usize = 500;
/// `{% … %}` statements in one text: bounds the nesting of statements, for instance of `elif`.
const MAX_STATEMENTS: usize = 300;
const NAME: &str = "text";

/// What all environments share; a clone of it is a few pointers.
static BASE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = filters::environment();
    environment.set_syntax(syntax());
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_formatter(|out, _, value| format_value(out, value));
    environment.set_fuel(Some(FUEL));
    environment
});

fn syntax() -> SyntaxConfig {
    SyntaxConfig::builder().keep_trailing_newline(true).build().expect("the delimiters are the usual ones")
}

pub struct Program {
    environment: Environment<'static>,
    reads: Vec<Read>,
}

struct Read {
    path: Path,
    /// Missing is fine: it is under `default` or `is defined`.
    optional: bool,
    /// Whether every rendering reaches it, so that a missing value can be reported before anything runs.
    always: bool,
}

/// Why a source was refused.
#[derive(Debug)]
pub struct Fault {
    pub message: String,
    pub suggestion: Option<String>,
}

pub enum RenderError {
    Excess(Excess),
    Other(String),
}

impl Read {
    /// The part of the path that is loaded: lists are loaded whole.
    fn loaded(&self) -> &[Segment] {
        let segments = self.path.segments();
        let list = segments.iter().position(|segment| matches!(segment, Segment::Index(_)));
        &segments[..list.unwrap_or(segments.len())]
    }
}

impl From<Excess> for RenderError {
    fn from(excess: Excess) -> Self {
        RenderError::Excess(excess)
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.reads.iter().map(|read| read.path.to_string())).finish()
    }
}

impl Program {
    pub fn compile(source: &str) -> Result<Program, Fault> {
        contained(|| Self::vet_and_compile(source)).unwrap_or_else(|| refuse("the template cannot be read"))
    }

    fn vet_and_compile(source: &str) -> Result<Program, Fault> {
        measure(source)?;
        let tree = parse(source, NAME, syntax()).map_err(|error| fault(&error))?;
        let mut walk = Walk { locals: Vec::new(), reads: Vec::new() };
        walk.statement(&tree, true)?;
        // Where a source asks whether a value is there, its other uses of it are meant for the case that it is.
        let asked: HashSet<Vec<Segment>> =
            walk.reads.iter().filter(|read| read.optional).map(|read| read.path.segments().to_vec()).collect();
        for read in &mut walk.reads {
            let segments = read.path.segments();
            read.optional |= !asked.is_empty() && (1..=segments.len()).any(|length| asked.contains(&segments[..length]));
        }
        let mut environment = BASE.clone();
        environment.add_template_owned(NAME, source.to_owned()).map_err(|error| fault(&error))?;
        Ok(Program { environment, reads: walk.reads })
    }

    /// The paths that it reads, and whether each may be missing.
    pub fn paths(&self) -> impl Iterator<Item = (Path, bool)> {
        self.reads.iter().map(|read| (read.path.clone(), read.optional))
    }

    pub fn render(&self, scope: &Scope, budget: &mut Budget) -> Result<String, RenderError> {
        let mut context = Node::default();
        // Values pass through memory on their way into the context, so loading is bounded like the output.
        let mut load = Budget::new(crate::value::MAX_BYTES);
        for read in &self.reads {
            match read.path.resolve(scope) {
                Ok(_) => context.load(read.loaded(), scope, &mut load)?,
                Err(_) if read.optional => context.load_parent(&read.path, scope),
                Err(why) if read.always => return Err(RenderError::Other(why)),
                // Fails only if the rendering gets there. A missing item is left to the engine: the list may have others.
                Err(why) if read.loaded().len() == read.path.segments().len() => {
                    context.put(read.path.segments(), Jinja::from(Error::new(ErrorKind::UndefinedError, why)));
                }
                Err(_) => context.load(read.loaded(), scope, &mut load)?,
            }
        }
        let template = self.environment.get_template(NAME).map_err(|error| RenderError::Other(sentence(&error)))?;
        let mut out = Capped { text: Vec::new(), budget, excess: None };
        let result = contained(|| template.render_captured_to(context.into_value(), &mut out).map(drop));
        if let Some(excess) = out.excess {
            return Err(RenderError::Excess(excess));
        }
        match result {
            Some(result) => result.map_err(|error| RenderError::Other(sentence(&error)))?,
            None => return Err(RenderError::Other("the template engine gave up, which is a fault of FlowTrace".to_owned())),
        }
        String::from_utf8(out.text).map_err(|_| RenderError::Other("the text is not valid UTF-8".to_owned()))
    }
}

/// Refuses sources whose syntax tree could be so deep that walking or dropping it would overflow the stack.
fn measure(source: &str) -> Result<(), Fault> {
    let (mut tokens, mut statements) = (0, 0);
    for token in tokenize(source, false, SyntaxConfig::default()) {
        match token.map_err(|error| fault(&error))?.0 {
            Token::BlockStart => {
                statements += 1;
                tokens = 0;
            }
            Token::VariableStart => tokens = 0,
            _ => tokens += 1,
        }
        if tokens > MAX_TOKENS {
            return refuse(format!("one pair of braces holds more than {MAX_TOKENS} tokens: split the text"));
        }
        if statements > MAX_STATEMENTS {
            return refuse(format!("the text has more than {MAX_STATEMENTS} statements: split it"));
        }
    }
    Ok(())
}

fn refuse<T>(message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault { message: message.into(), suggestion: None })
}

fn fault(error: &Error) -> Fault {
    let suggestion = "text with braces that are not bindings goes between {% raw %} and {% endraw %}";
    Fault { message: format!("the template cannot be read: {}", sentence(error)), suggestion: Some(suggestion.to_owned()) }
}

/// The engine's own words, without its decoration and of bounded length.
fn sentence(error: &Error) -> String {
    let mut text: String = match error.kind() {
        ErrorKind::OutOfFuel => format!("it ran for more than {FUEL} instructions"),
        ErrorKind::UndefinedError if error.detail().is_none() => "a value that it uses does not exist".to_owned(),
        _ => error.detail().map_or_else(|| error.kind().to_string(), str::to_owned),
    };
    if let Some((end, _)) = text.char_indices().nth(400) {
        text.truncate(end);
        text.push('…');
    }
    match error.line() {
        Some(line) if line > 1 => format!("{text} (line {line})"),
        _ => text,
    }
}

/// A level of the context: either loaded whole or only in parts.
#[derive(Default)]
struct Node {
    whole: Option<Jinja>,
    parts: BTreeMap<String, Node>,
}

impl Node {
    /// Puts the value at a path, if there is one.
    fn load(&mut self, segments: &[Segment], scope: &Scope, budget: &mut Budget) -> Result<(), Excess> {
        if let Some(path) = Path::of(segments)
            && let Ok(value) = path.resolve(scope)
        {
            budget.copy(value, 0)?;
            self.put(segments, Jinja::from(Serde(value)));
        }
        Ok(())
    }

    /// Puts what there is above a missing value, so that looking for it finds nothing instead of failing on the way.
    fn load_parent(&mut self, path: &Path, scope: &Scope) {
        for length in (1..path.segments().len()).rev() {
            let above = &path.segments()[..length];
            match Path::of(above).map(|above| above.resolve(scope).ok()) {
                Some(Some(Value::Object(_) | Value::Array(_))) => return self.touch(above),
                Some(Some(scalar)) => return self.put(above, Jinja::from(Serde(scalar))),
                _ => {}
            }
        }
    }

    /// Makes sure that there is an object at a path.
    fn touch(&mut self, segments: &[Segment]) {
        if let [Segment::Field(name), rest @ ..] = segments {
            self.parts.entry(name.clone()).or_default().touch(rest);
        }
    }

    fn put(&mut self, segments: &[Segment], value: Jinja) {
        match segments {
            [Segment::Field(name), rest @ ..] => self.parts.entry(name.clone()).or_default().put(rest, value),
            _ => self.whole = Some(value),
        }
    }

    fn into_value(self) -> Jinja {
        match self.whole {
            // What was loaded whole has all the parts.
            Some(value) => value,
            None => Jinja::from_pairs(self.parts.into_iter().map(|(name, node)| (name, node.into_value()))),
        }
    }
}

/// The output, which stops growing at the budget.
struct Capped<'a> {
    text: Vec<u8>,
    budget: &'a mut Budget,
    excess: Option<Excess>,
}

impl std::io::Write for Capped<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if let Err(excess) = self.budget.spend(bytes.len()) {
            self.excess = Some(excess);
            return Err(std::io::Error::other("the text is too large"));
        }
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn format_value(out: &mut minijinja::Output, value: &Jinja) -> Result<(), Error> {
    let text = filters::text_of(value)?;
    out.write_str(&text).map_err(Error::from)
}

/// Collects the paths of a syntax tree and refuses what is not on the lists.
struct Walk {
    locals: Vec<String>,
    reads: Vec<Read>,
}

impl Walk {
    fn statements(&mut self, statements: &[Stmt<'_>], always: bool) -> Result<(), Fault> {
        statements.iter().try_for_each(|statement| self.statement(statement, always))
    }

    fn statement(&mut self, statement: &Stmt<'_>, always: bool) -> Result<(), Fault> {
        let word = match statement {
            Stmt::Template(template) => return self.statements(&template.children, always),
            Stmt::EmitRaw(_) => return Ok(()),
            Stmt::EmitExpr(emit) => return self.expression(&emit.expr, Use { optional: false, always }),
            Stmt::IfCond(condition) => {
                self.expression(&condition.expr, Use { optional: false, always })?;
                self.statements(&condition.true_body, false)?;
                return self.statements(&condition.false_body, false);
            }
            Stmt::ForLoop(each) => {
                if each.recursive {
                    return refuse("loops cannot be recursive");
                }
                self.expression(&each.iter, Use { optional: false, always })?;
                let depth = self.locals.len();
                self.locals.push("loop".to_owned());
                self.targets(&each.target)?;
                if let Some(filter) = &each.filter_expr {
                    self.expression(filter, Use { optional: false, always: false })?;
                }
                self.statements(&each.body, false)?;
                self.locals.truncate(depth);
                return self.statements(&each.else_body, false);
            }
            Stmt::WithBlock(_) => "with",
            Stmt::Set(_) | Stmt::SetBlock(_) => "set",
            Stmt::AutoEscape(_) => "autoescape",
            Stmt::FilterBlock(_) => "filter",
            Stmt::Block(_) => "block",
            Stmt::Import(_) => "import",
            Stmt::FromImport(_) => "from",
            Stmt::Extends(_) => "extends",
            Stmt::Include(_) => "include",
            Stmt::Do(_) => "do",
        };
        refuse(format!("`{{% {word} %}}` is not available in templates; `if`, `for` and `raw` are"))
    }

    fn targets(&mut self, target: &Expr<'_>) -> Result<(), Fault> {
        match target {
            Expr::Var(name) => {
                self.locals.push(name.id.to_owned());
                Ok(())
            }
            Expr::List(list) => list.items.iter().try_for_each(|item| self.targets(item)),
            Expr::Tuple(tuple) => tuple.items.iter().try_for_each(|item| self.targets(item)),
            _ => refuse("a loop needs a plain name for its items"),
        }
    }

    fn expression(&mut self, expression: &Expr<'_>, usage: Use) -> Result<(), Fault> {
        let inner = Use { optional: false, ..usage };
        let maybe = Use { optional: false, always: false };
        match expression {
            Expr::Const(_) => Ok(()),
            Expr::Var(_) | Expr::GetAttr(_) | Expr::GetItem(_) => self.path(expression, usage),
            Expr::Slice(slice) => {
                let bound = |bound: &Option<Expr<'_>>| bound.as_ref().is_none_or(is_number);
                if slice.step.is_some() || !bound(&slice.start) || !bound(&slice.stop) {
                    return refuse("a slice is written with plain numbers and without a step, as in `text[:200]`");
                }
                self.expression(&slice.expr, inner)
            }
            Expr::UnaryOp(unary) => self.expression(&unary.expr, inner),
            Expr::BinOp(binary) => {
                match binary.op {
                    BinOpKind::Mul | BinOpKind::Pow => return refuse("`*` is not available in templates"),
                    BinOpKind::Concat => return refuse("`~` is not available in templates: write the parts side by side"),
                    BinOpKind::Add if !is_number(&binary.left) && !is_number(&binary.right) => {
                        return refuse("`+` needs a number on one side; to join texts, write the parts side by side");
                    }
                    _ => {}
                }
                let lazy = matches!(binary.op, BinOpKind::ScAnd | BinOpKind::ScOr);
                self.expression(&binary.left, inner)?;
                self.expression(&binary.right, if lazy { maybe } else { inner })
            }
            Expr::Compare(compare) => {
                self.expression(&compare.expr, inner)?;
                compare.ops.iter().try_for_each(|op| self.expression(&op.expr, maybe))
            }
            Expr::IfExpr(choice) => {
                self.expression(&choice.test_expr, inner)?;
                self.expression(&choice.true_expr, maybe)?;
                choice.false_expr.as_ref().map_or(Ok(()), |other| self.expression(other, maybe))
            }
            Expr::Filter(filter) => {
                self.known("filter", filter.name, filters::FILTERS)?;
                let optional = matches!(filter.name, "default" | "d");
                if let Some(subject) = &filter.expr {
                    self.expression(subject, Use { optional, ..usage })?;
                }
                self.arguments(&filter.args, maybe)
            }
            Expr::Test(test) => {
                self.known("test", test.name, filters::TESTS)?;
                let optional = matches!(test.name, "defined" | "undefined");
                self.expression(&test.expr, Use { optional, ..usage })?;
                self.arguments(&test.args, maybe)
            }
            Expr::List(list) => self.constants(&list.items),
            Expr::Tuple(tuple) => self.constants(&tuple.items),
            Expr::Map(map) => {
                self.constants(&map.keys)?;
                self.constants(&map.values)
            }
            Expr::Call(_) => refuse("functions cannot be called in templates; use a filter, as in `{{ text | upper }}`"),
        }
    }

    fn known(&self, what: &str, name: &str, known: &[&str]) -> Result<(), Fault> {
        if known.contains(&name) {
            return Ok(());
        }
        let near = nearest(name, known.iter().copied()).map(|near| format!("did you mean `{near}`?"));
        let message = format!("there is no {what} `{}`; there are: {}", clip(name), known.join(", "));
        Err(Fault { message, suggestion: near })
    }

    fn arguments(&mut self, arguments: &[CallArg<'_>], usage: Use) -> Result<(), Fault> {
        arguments.iter().try_for_each(|argument| match argument {
            CallArg::Pos(value) | CallArg::Kwarg(_, value) => self.expression(value, usage),
            CallArg::PosSplat(_) | CallArg::KwargSplat(_) => refuse("arguments cannot be unpacked with `*`"),
        })
    }

    fn constants(&mut self, items: &[Expr<'_>]) -> Result<(), Fault> {
        if items.iter().all(|item| matches!(item, Expr::Const(_)) || is_number(item)) {
            return Ok(());
        }
        refuse("lists and objects in a template may hold only constants")
    }

    /// A chain of `.name` and `[…]`. The static part of it is the path; the rest is looked up while rendering.
    fn path(&mut self, expression: &Expr<'_>, usage: Use) -> Result<(), Fault> {
        let mut chain = Vec::new();
        let mut current = expression;
        let root = loop {
            match current {
                Expr::Var(name) => break name.id,
                Expr::GetAttr(get) => {
                    chain.push(Some(Segment::Field(get.name.to_owned())));
                    current = &get.expr;
                }
                Expr::GetItem(get) => {
                    let key = match &get.subscript_expr {
                        Expr::Const(key) => match key.value.as_str() {
                            Some(name) => Some(Segment::Field(name.to_owned())),
                            None => key.value.as_usize().map(Segment::Index),
                        },
                        other => {
                            self.expression(other, Use { optional: false, always: false })?;
                            None
                        }
                    };
                    chain.push(key);
                    current = &get.expr;
                }
                other => return self.expression(other, Use { optional: false, ..usage }),
            }
        };
        if self.locals.iter().any(|local| local == root) {
            return Ok(());
        }
        let mut path = Path::new(root);
        for step in chain.into_iter().rev() {
            match step {
                Some(segment) => path.push(segment),
                None => break,
            }
        }
        if path.root() == "node" && path.segments().len() < 2 {
            return refuse("name the node, as in `node.summarize.output`: which node is read has to be known beforehand");
        }
        self.reads.push(Read { path, optional: usage.optional, always: usage.always });
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct Use {
    optional: bool,
    always: bool,
}

fn is_number(expression: &Expr<'_>) -> bool {
    match expression {
        Expr::Const(constant) => constant.value.is_number(),
        Expr::UnaryOp(unary) => matches!(unary.op, UnaryOpKind::Neg) && is_number(&unary.expr),
        _ => false,
    }
}

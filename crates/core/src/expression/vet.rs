//! Parsing an expression, and what its syntax tree may hold.

use crate::reference::{Path, Segment, clip, nearest};
use crate::stack::contained;
use cel::IdedExpr;
use cel::common::ast::{EntryExpr, Expr, LiteralValue, operators};
use cel::parser::Parser;

/// How deeply parentheses and calls may nest.
const MAX_NESTING: u16 = 24;

/// The functions that an expression may call. `has`, `all`, `exists`, `exists_one`, `map` and `filter` are macros.
const FUNCTIONS: &[&str] = &[
    "len",
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "int",
    "uint",
    "double",
    "string",
    "bool",
    "type",
    "timestamp",
    "duration",
    "getFullYear",
    "getMonth",
    "getDate",
    "getDayOfWeek",
    "getHours",
    "getMinutes",
    "getSeconds",
];
const MACROS: &[&str] = &["has", "all", "exists", "exists_one", "map", "filter"];

/// Names that CEL itself gives a meaning.
const TYPES: &[&str] = &["int", "uint", "double", "bool", "string", "bytes", "list", "map", "null_type", "type"];

#[derive(Debug)]
pub struct Fault {
    pub message: String,
    pub suggestion: Option<String>,
}

fn refuse<T>(message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault { message: message.into(), suggestion: None })
}

/// What is known about a tree that was accepted.
#[derive(Debug, Default)]
pub struct Vetted {
    pub reads: Vec<Read>,
    /// Levels of the tree.
    pub depth: usize,
    /// `+` outside and inside of loops.
    pub joins: usize,
    pub joins_in_loops: usize,
    pub loops: usize,
    /// Constants in the source.
    pub literals: usize,
    /// Operators and calls inside of loops, and uses of the loops' own variables.
    pub steps_in_loops: usize,
}

#[derive(Debug)]
pub struct Read {
    pub path: Path,
    pub in_loop: bool,
}

pub fn parse(source: &str) -> Result<IdedExpr, Fault> {
    if source.trim().is_empty() {
        return refuse("the expression is empty");
    }
    if source.len() > super::MAX_SOURCE {
        return refuse(format!("an expression may have {} bytes, this one has {}", super::MAX_SOURCE, source.len()));
    }
    let parser = Parser::new().enable_optional_syntax(false).max_recursion_depth(MAX_NESTING);
    let Some(parsed) = contained(|| parser.parse(source)) else {
        return refuse("the expression cannot be read");
    };
    parsed.map_err(|errors| {
        // The errors' own Display is avoided: it panics on some sources.
        let first = errors.errors.first();
        let what = first.map_or_else(|| "it cannot be read".to_owned(), |error| clean(&error.msg));
        let column = first.map_or(0, |error| error.pos.1);
        let place = if column > 0 && !what.contains("nested") { format!(" (column {column})") } else { String::new() };
        let suggestion = source
            .contains("{{")
            .then(|| "an expression names values without braces, as in `node.check.output.ok`".to_owned())
            .or_else(|| single_equals(source).then(|| "to compare, write `==`".to_owned()));
        Fault { message: format!("the expression cannot be read: {what}{place}"), suggestion }
    })
}

/// The parser's message in plainer words, on one line of bounded length.
fn clean(message: &str) -> String {
    if message.contains("Recursion limit") {
        return format!("parentheses and calls are nested more than {MAX_NESTING} deep");
    }
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.trim_start_matches("Syntax error: ");
    let line = line.split(" expecting ").next().unwrap_or(line);
    let mut line = line.replace("'<EOF>'", "the end");
    for clumsy in ["mismatched input", "extraneous input", "no viable alternative at input", "token recognition error at:"] {
        line = line.replace(clumsy, "unexpected");
    }
    clip(&line.replace("unexpected the end", "unexpected end"))
}

fn single_equals(source: &str) -> bool {
    let bytes = source.as_bytes();
    (0..bytes.len()).any(|at| {
        let before = at.checked_sub(1).map(|at| bytes[at]);
        bytes[at] == b'=' && bytes.get(at + 1) != Some(&b'=') && !matches!(before, Some(b'=' | b'!' | b'<' | b'>'))
    })
}

pub fn vet(tree: &IdedExpr) -> Result<Vetted, Fault> {
    let mut walk = Walk { vetted: Vetted::default(), locals: Vec::new(), in_loop: false };
    walk.expression(&tree.expr, 1)?;
    Ok(walk.vetted)
}

struct Walk {
    vetted: Vetted,
    locals: Vec<String>,
    in_loop: bool,
}

impl Walk {
    fn expression(&mut self, expression: &Expr, depth: usize) -> Result<(), Fault> {
        self.vetted.depth = self.vetted.depth.max(depth);
        match expression {
            Expr::Literal(_) => {
                self.vetted.literals += 1;
                Ok(())
            }
            Expr::Ident(_) => self.path(expression, depth),
            Expr::Select(select) if select.test => self.path(&select.operand.expr, depth + 1),
            Expr::Select(_) => self.path(expression, depth),
            Expr::Call(call) => {
                if self.in_loop {
                    self.vetted.steps_in_loops += 1;
                }
                match call.func_name.as_str() {
                    operators::INDEX => return self.path(expression, depth),
                    operators::ADD if self.in_loop => self.vetted.joins_in_loops += 1,
                    operators::ADD => self.vetted.joins += 1,
                    "matches" => self.pattern(call.args.last())?,
                    name => self.function(name)?,
                }
                if let Some(target) = &call.target {
                    self.expression(&target.expr, depth + 1)?;
                }
                call.args.iter().try_for_each(|argument| self.expression(&argument.expr, depth + 1))
            }
            Expr::List(list) => list.elements.iter().try_for_each(|item| self.expression(&item.expr, depth + 1)),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => {
                    self.expression(&entry.key.expr, depth + 1)?;
                    self.expression(&entry.value.expr, depth + 1)
                }
                EntryExpr::StructField(field) => self.expression(&field.value.expr, depth + 1),
            }),
            Expr::Comprehension(each) => {
                if self.in_loop {
                    return refuse("loops (`all`, `exists`, `map`, `filter`) cannot be nested in one another");
                }
                self.vetted.loops += 1;
                self.expression(&each.iter_range.expr, depth + 1)?;
                self.expression(&each.accu_init.expr, depth + 1)?;
                let locals = self.locals.len();
                self.locals.extend([each.iter_var.clone(), each.accu_var.clone()]);
                self.locals.extend(each.iter_var2.clone());
                self.in_loop = true;
                self.expression(&each.loop_cond.expr, depth + 1)?;
                self.expression(&each.loop_step.expr, depth + 1)?;
                self.expression(&each.result.expr, depth + 1)?;
                self.in_loop = false;
                self.locals.truncate(locals);
                Ok(())
            }
            Expr::Struct(_) => refuse("objects are written `{'key': value}`"),
            Expr::Unspecified => refuse("the expression is empty"),
        }
    }

    fn function(&self, name: &str) -> Result<(), Fault> {
        // Operators are spelt with `_`, `@` or `!`.
        if FUNCTIONS.contains(&name) || name.contains(['_', '@', '!', '-', '?']) && !is_word(name) {
            return Ok(());
        }
        let known = FUNCTIONS.iter().chain(MACROS).copied();
        let suggestion = nearest(name, known).map(|near| format!("did you mean `{near}`?"));
        Err(Fault { message: format!("there is no function `{}`", clip(name)), suggestion })
    }

    /// A pattern is compiled at every call, so it has to be short and outside of loops.
    fn pattern(&self, pattern: Option<&cel::IdedExpr>) -> Result<(), Fault> {
        if self.in_loop {
            return refuse("`matches` cannot be used inside a loop; `contains`, `startsWith` and `endsWith` can");
        }
        match pattern.map(|pattern| &pattern.expr) {
            Some(Expr::Literal(LiteralValue::String(_))) => Ok(()),
            _ => refuse("the pattern of `matches` has to be a plain text in quotes"),
        }
    }

    /// A chain of `.name` and `[…]`; its static part from the root on is what is read.
    fn path(&mut self, expression: &Expr, depth: usize) -> Result<(), Fault> {
        let mut chain = Vec::new();
        let mut current = expression;
        let mut depth = depth;
        let root = loop {
            self.vetted.depth = self.vetted.depth.max(depth);
            match current {
                Expr::Ident(name) => break name.as_str(),
                Expr::Select(select) if !select.test => {
                    chain.push(Some(Segment::Field(select.field.clone())));
                    current = &select.operand.expr;
                }
                Expr::Call(call) if call.func_name == operators::INDEX && call.args.len() == 2 => {
                    chain.push(match &call.args[1].expr {
                        Expr::Literal(LiteralValue::String(key)) => Some(Segment::Field(key.inner().to_owned())),
                        other => {
                            self.expression(other, depth + 1)?;
                            None
                        }
                    });
                    current = &call.args[0].expr;
                }
                other => return self.expression(other, depth),
            }
            depth += 1;
        };
        if self.locals.iter().any(|local| local == root) {
            self.vetted.steps_in_loops += 1;
            return Ok(());
        }
        let mut path = Path::new(root.trim_start_matches('.'));
        for step in chain.into_iter().rev() {
            match step {
                Some(segment) => path.push(segment),
                None => break,
            }
        }
        if path.root() == "node" && path.segments().len() < 2 {
            return refuse("name the node, as in `node.summarize.output`: which node is read has to be known beforehand");
        }
        self.vetted.reads.push(Read { path, in_loop: self.in_loop });
        Ok(())
    }
}

fn is_word(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// Whether CEL itself knows the name, so that it need not be an input.
pub fn is_type(name: &str) -> bool {
    TYPES.contains(&name)
}

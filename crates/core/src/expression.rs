//! CEL expressions: the rules of routers and the conditions of edges.
//!
//! The interpreter recurses over the syntax tree and does not limit what an expression costs, so limits are set here: the length
//! of the source, the depth of its nesting, one level of loops (`all`, `exists`, `map`, …), and an estimate of the work against
//! the values that are actually read. Deep trees run on a thread with a large stack.

mod run;
mod shape;
mod vet;

pub(crate) use vet::is_type as is_type_name;

use crate::failure::{Failure, FailureCode};
use crate::problem::Problem;
use crate::reference::Reference;
use crate::scope::Scope;
use cel::IdedExpr;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// The longest source, in bytes.
pub const MAX_SOURCE: usize = 512;

/// Cheap to clone: copies share the syntax tree.
#[derive(Clone)]
pub struct Expression {
    source: Arc<str>,
    pointer: String,
    compiled: Arc<Compiled>,
}

struct Compiled {
    tree: IdedExpr,
    vetted: vet::Vetted,
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.source).finish()
    }
}

impl Expression {
    /// Parses and vets a source; `pointer` is where it stands in the document. The caller gives it a stack of at least
    /// [`STACK`](crate::stack::STACK) bytes, as [`crate::stack::with_large_stack`] does.
    pub fn compile(source: &str, pointer: &str) -> Result<Expression, Problem> {
        let problem = |fault: vet::Fault| Problem::new("expression", pointer, fault.message).suggest(fault.suggestion);
        let tree = vet::parse(source).map_err(problem)?;
        let vetted = vet::vet(&tree).map_err(problem)?;
        Ok(Expression { source: source.into(), pointer: pointer.to_owned(), compiled: Arc::new(Compiled { tree, vetted }) })
    }

    /// The same expression at another place of the document.
    pub fn at(&self, pointer: &str) -> Expression {
        Expression { pointer: pointer.to_owned(), ..self.clone() }
    }

    /// Every path that the expression may read.
    pub fn references(&self) -> impl Iterator<Item = Reference> {
        let pointer = &self.pointer;
        self.compiled.vetted.reads.iter().map(|read| Reference {
            path: read.path.clone(),
            pointer: pointer.clone(),
            optional: false,
        })
    }

    /// The result as JSON. Fails with [`FailureCode::Expression`], the expression and the reason.
    pub fn evaluate(&self, scope: &Scope) -> Result<Value, Failure> {
        run::evaluate(&self.compiled.tree, &self.compiled.vetted, scope).map_err(|why| self.failure(&why))
    }

    /// The result as a condition: anything but a boolean is a failure.
    pub fn test(&self, scope: &Scope) -> Result<bool, Failure> {
        match self.evaluate(scope)? {
            Value::Bool(holds) => Ok(holds),
            other => Err(self.failure(&format!("it has to be true or false, but gave {}", crate::value::type_name(&other)))),
        }
    }

    /// Whether every result is written out in it, as in `len(text) > 2000 ? 'deep' : 'shallow'`.
    pub fn is_closed(&self) -> bool {
        shape::is_closed(&self.compiled.tree.expr)
    }

    /// Whether it is true for certain branches that it names, as in `branch == 'deep'`.
    pub fn names_branches(&self) -> bool {
        shape::names_branches(&self.compiled.tree.expr)
    }

    pub fn source(&self) -> &str {
        &self.source
    }

    fn failure(&self, why: &str) -> Failure {
        Failure::new(FailureCode::Expression, format!("cannot evaluate `{}`: {why}", self.source))
    }
}

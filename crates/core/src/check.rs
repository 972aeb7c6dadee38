//! Checking a document and compiling it into a plan. Every problem is reported at once, with its place, a sentence and, where
//! there is a good guess, what was meant.
//!
//! The phases: read the JSON, check its form against the schema ([`form`]), build the graph ([`graph`]), compile each node
//! ([`nodes`]), then check who reads what ([`reads`]). A part that failed one phase is left out of the next, so that one cause
//! gives one problem.

mod assemble;
mod form;
mod graph;
mod json;
mod kinds;
mod level;
pub mod lint;
mod nodes;
mod reads;
mod words;

use crate::document::MAX_DOCUMENT_BYTES;
use crate::plan::Plan;
use crate::problem::Problem;
use crate::stack::with_large_stack;
use crate::tool::{ToolDescription, ToolRules, ToolSourceStatus};
use std::sync::Arc;

/// The number of problems that are reported in full; one more says how many were left out.
pub const MAX_PROBLEMS: usize = 200;

/// What a deployment has to offer to workflows.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    pub tools: Vec<ToolDescription>,
    /// The names of the configured providers. `None`: any name is accepted.
    pub providers: Option<Vec<String>>,
    /// Which tools may be used.
    pub rules: ToolRules,
    /// Where tools come from that are only known when they were reached.
    pub sources: Vec<ToolSourceStatus>,
}

/// Checks a document against the language and against what the deployment has.
pub fn check(json: &[u8], catalog: &Catalog) -> Result<Arc<Plan>, Vec<Problem>> {
    compile(json, Some(catalog)).map(Arc::new)
}

/// [`check`], or without a catalog only against the language.
pub(crate) fn compile(json: &[u8], catalog: Option<&Catalog>) -> Result<Plan, Vec<Problem>> {
    if json.len() > MAX_DOCUMENT_BYTES {
        let message = format!(
            "the document has {} bytes, more than the {} MiB that are allowed",
            json.len(),
            MAX_DOCUMENT_BYTES / (1024 * 1024)
        );
        return Err(vec![Problem::new("document_too_large", "", message)]);
    }
    // Parsing expressions and walking nested values recurses as deeply as the document says.
    with_large_stack(|| {
        let mut problems = Problems::default();
        let plan = read(json, catalog, &mut problems);
        match plan {
            Some(plan) if problems.is_empty() => Ok(plan),
            _ => Err(problems.finish()),
        }
    })
    .unwrap_or_else(|| Err(vec![Problem::new("internal", "", "the document could not be checked: this is a fault of FlowTrace")]))
}

fn read(json: &[u8], catalog: Option<&Catalog>, problems: &mut Problems) -> Option<Plan> {
    let document = json::parse(json, problems)?;
    let draft = form::read(document, problems)?;
    let mut levels = level::levels(draft);
    graph::build(&mut levels, problems);
    nodes::compile(&mut levels, catalog, problems);
    reads::check(&mut levels, problems);
    if !problems.is_empty() {
        return None;
    }
    assemble::plan(levels)
}

/// Collects problems up to the cap and counts the rest.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    found: Vec<Problem>,
    more: usize,
}

impl Problems {
    fn push(&mut self, problem: Problem) {
        if self.found.len() < MAX_PROBLEMS {
            // The same path twice in one text is one problem.
            if !self.found.contains(&problem) {
                self.found.push(problem);
            }
        } else {
            self.more += 1;
        }
    }

    fn add(&mut self, code: &str, pointer: impl Into<String>, message: impl Into<String>) {
        self.push(Problem::new(code, pointer, message));
    }

    fn extend(&mut self, problems: Vec<Problem>) {
        problems.into_iter().for_each(|problem| self.push(problem));
    }

    fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// How many there are, those beyond the cap included.
    fn count(&self) -> usize {
        self.found.len() + self.more
    }

    /// The problems after the first `from` up to the first `to`, as far as they are kept.
    fn between(&self, from: usize, to: usize) -> &[Problem] {
        self.found.get(from..to.min(self.found.len())).unwrap_or_default()
    }

    /// [`did_you_mean`], unless the problem would not be kept: with many names, each guess costs more than its problem.
    fn did_you_mean<'a>(&self, name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
        if self.found.len() < MAX_PROBLEMS { did_you_mean(name, known) } else { None }
    }

    fn finish(self) -> Vec<Problem> {
        let Problems { mut found, more } = self;
        if more > 0 {
            found.push(Problem::new("more_problems", "", format!("there are {more} more problems: fix these first")));
        }
        found
    }
}

/// `did you mean …?`, from the nearest of the known names.
fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    crate::reference::nearest(name, known).map(|near| format!("did you mean `{near}`?"))
}

//! A scope: one time that a graph is gone through. The document's own graph has one; a body has one for each item or iteration.

use super::step::StepIx;
use crate::plan::{GraphIx, NodeIx, Plan};
use std::collections::BTreeSet;

/// Index into the scopes of a run. The document's own scope is 0.
pub type ScopeIx = u32;

pub const ROOT: ScopeIx = 0;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scope {
    /// The step whose body it is; `None` for the document's own.
    pub owner: Option<StepIx>,
    /// The item or iteration.
    pub index: u32,
    pub graph: GraphIx,
    /// The step of the graph's first node; the others follow.
    pub base: StepIx,
    pub(super) ready: BTreeSet<StepIx>,
    pub(super) in_flight: u32,
    /// Steps that have not ended.
    pub(super) unfinished: u32,
    /// The step that failed it.
    pub failed: Option<StepIx>,
    pub(super) closed: bool,
}

impl Scope {
    pub fn step_of(&self, plan: &Plan, node: NodeIx) -> StepIx {
        self.base + (node - plan.graph(self.graph).first)
    }

    pub fn steps(&self, plan: &Plan) -> std::ops::Range<StepIx> {
        self.base..self.base + plan.graph(self.graph).len
    }

    pub(super) fn has_room(&self, plan: &Plan) -> bool {
        !self.closed && self.failed.is_none() && !self.ready.is_empty() && self.in_flight < plan.graph(self.graph).max_concurrency
    }
}

//! What a step is doing whose work is done by other steps, or by people.

use super::scope::ScopeIx;
use crate::change::Changes;
use crate::event::{Decision, WorkflowRef};
use crate::failure::Failure;
use crate::id::Timestamp;
use crate::payload::Payload;
use std::collections::BTreeMap;

/// A step that other steps work for.
#[derive(Clone, Debug, PartialEq)]
pub struct Control {
    pub work: Work,
    /// The scopes that were opened, by item or iteration.
    pub scopes: BTreeMap<u32, ScopeIx>,
    /// What all steps inside have spent.
    pub spent: Spent,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    Map(MapState),
    Loop(LoopState),
    Child(ChildState),
}

#[derive(Clone, Debug, PartialEq)]
pub struct MapState {
    pub items: Payload,
    /// The next item that has not begun.
    pub next: u32,
    /// Items that have ended.
    pub done: u32,
    /// By item.
    pub results: Vec<ItemResult>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub enum ItemResult {
    #[default]
    Open,
    Output(Payload),
    Failed(Failure),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct LoopState {
    /// Whether the state before the first iteration is known.
    pub begun: bool,
    /// Iterations that have ended.
    pub done: u32,
    /// Whether one is under way.
    pub again: bool,
    pub state: Changes,
    /// What the last iteration gave.
    pub last: Option<Payload>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ChildState {
    pub workflow: WorkflowRef,
    pub name: String,
    pub input: Payload,
    /// The variables of the workflow that is called: it does not share those of its caller.
    pub vars: Changes,
}

/// What was spent, for the limits of a part of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    pub steps: u64,
    pub tool_calls: u64,
    pub tokens: u64,
    pub cost_nanousd: u64,
    pub iterations: u64,
}

/// What a person is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    pub message: String,
    pub payload: Payload,
    pub asked_at: Timestamp,
    pub deadline: Option<Timestamp>,
    /// Whether it is about a call that was interrupted, and not about going on.
    pub interrupted: bool,
    pub answer: Option<Answer>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub decision: Decision,
    pub key: String,
    /// Where it was edited.
    pub payload: Option<Payload>,
    pub by: String,
    pub reason: Option<String>,
    pub at: Timestamp,
}

impl Control {
    pub(super) fn new(work: Work) -> Box<Self> {
        Box::new(Control { work, scopes: BTreeMap::new(), spent: Spent::default() })
    }

    pub fn as_loop(&self) -> Option<&LoopState> {
        match &self.work {
            Work::Loop(state) => Some(state),
            _ => None,
        }
    }

    pub fn as_map(&self) -> Option<&MapState> {
        match &self.work {
            Work::Map(state) => Some(state),
            _ => None,
        }
    }

    pub fn as_child(&self) -> Option<&ChildState> {
        match &self.work {
            Work::Child(state) => Some(state),
            _ => None,
        }
    }
}

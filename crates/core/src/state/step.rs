//! One step of a run: where it stands, and what it has come to.

use super::control::{Control, Question};
use super::scope::ScopeIx;
use crate::call::Target;
use crate::event::Origin;
use crate::failure::Failure;
use crate::id::{StepPath, Timestamp};
use crate::payload::Payload;
use crate::plan::NodeIx;
use crate::usage::Usage;
use serde_json::Value;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StepStatus {
    /// Not reached yet; such a step is not shown.
    #[default]
    Pending,
    Running,
    /// Between two attempts, or for a time, a signal or a person.
    Waiting,
    Succeeded,
    Failed,
    Skipped,
    Canceled,
}

impl StepStatus {
    pub fn is_final(self) -> bool {
        matches!(self, StepStatus::Succeeded | StepStatus::Failed | StepStatus::Skipped | StepStatus::Canceled)
    }

    pub fn is_in_flight(self) -> bool {
        matches!(self, StepStatus::Running | StepStatus::Waiting)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            StepStatus::Pending => "pending",
            StepStatus::Running => "running",
            StepStatus::Waiting => "waiting",
            StepStatus::Succeeded => "succeeded",
            StepStatus::Failed => "failed",
            StepStatus::Skipped => "skipped",
            StepStatus::Canceled => "canceled",
        }
    }
}

/// Index into [`RunState::steps`](super::RunState::steps). Those of the document's own graph equal the index of their node.
pub type StepIx = u32;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepState {
    pub node: NodeIx,
    pub scope: ScopeIx,
    /// Where the step stands in the run. Empty until it is scheduled or skipped.
    pub path: StepPath,
    /// Whether the step takes another one back.
    pub is_undo: bool,
    pub status: StepStatus,
    /// Incoming edges whose source has not ended.
    pub(super) open: u32,
    /// Incoming edges that were taken.
    pub(super) taken: u32,
    /// The current logical call, from 1; a fallback target is a new one.
    pub request: u32,
    /// The current try of that call, from 1.
    pub attempt: u32,
    /// Tries over all requests.
    pub attempts: u32,
    /// When the next attempt is due, while waiting.
    pub due: Option<Timestamp>,
    /// Position among the scheduled and skipped steps of the run, from 0: the order in which a reader saw them appear.
    pub ordinal: u32,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub input: Option<Payload>,
    pub output: Option<Payload>,
    /// What the first request was made of, so that a later attempt needs no rendering.
    pub call: Option<Payload>,
    /// The decision of a router, a gate or a person.
    pub branch: Option<Value>,
    /// The failed step inside of this one that failed it.
    pub failed_inside: Option<StepPath>,
    /// Whether the run goes on from the step's failure.
    pub handled: bool,
    /// How often the model was asked to mend its answer.
    pub repairs: u32,
    /// How often another target took over.
    pub fallbacks: u32,
    /// What a container is doing.
    pub control: Option<Box<Control>>,
    /// What a person is or was asked.
    pub question: Option<Box<Question>>,
    /// The run and step that did the work, where that was not this run.
    pub origin: Option<Origin>,
    /// The last failure, also while another attempt is under way.
    pub error: Option<Failure>,
    /// The provider and model of the current request; for a cached answer, of the original one.
    pub target: Option<Target>,
    /// The model that the provider says it used.
    pub answered_by: Option<String>,
    pub usage: Option<Usage>,
    pub cost_nanousd: Option<u64>,
    pub first_token_ms: Option<f64>,
    pub cached: bool,
    /// What the cache saved, where the price is known.
    pub saved_nanousd: Option<u64>,
    pub simulated: bool,
}

impl StepState {
    /// Whether something follows from it: it succeeded, or the author said what a failure gives.
    pub fn gave_output(&self) -> bool {
        self.status == StepStatus::Succeeded || (self.handled && self.output.is_some())
    }

    /// Whether the run went on from it.
    pub fn was_passed(&self) -> bool {
        self.status == StepStatus::Succeeded || self.handled
    }
}

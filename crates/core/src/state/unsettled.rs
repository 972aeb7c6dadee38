//! Events of steps that something has to follow from: a step that is scheduled is begun, an answer ends its step.
//!
//! A turn writes an event and what follows from it at once, so nothing is unsettled where a turn ends. It is where a journal was cut
//! within a turn, and where a process finds attempts of an earlier one that it has to make again.

use super::RunState;
use super::step::StepIx;
use crate::decide::is_complete;
use crate::event::Body;
use crate::node::NodeKind;
use crate::node::wait::Wait;
use crate::plan::Plan;

impl RunState {
    /// Steps of which an event is recorded and not yet what follows from it, with that event.
    pub fn unsettled(&self) -> impl Iterator<Item = (StepIx, &Body)> + '_ {
        self.unsettled.iter().map(|(ix, body)| (*ix, body))
    }

    /// The event of the step that something has to follow from.
    pub fn unsettled_by(&self, ix: StepIx) -> Option<&Body> {
        self.unsettled.get(&ix)
    }

    /// Notes whether something has to follow from an event, and that it follows from the one before.
    pub(super) fn note_unsettled(&mut self, plan: &Plan, ix: StepIx, body: &Body) {
        let step = self.step(ix);
        let kind = &plan.node(step.node).kind;
        let open = match body {
            // Said in passing: what they belong to is still open.
            Body::Log { .. } | Body::TimerFired { .. } | Body::BudgetExceeded { .. } => return,
            Body::UndoArmed { .. } | Body::LlmRepair { .. } => return,
            Body::VarsChanged { .. } => match kind {
                NodeKind::Set(_) => true,
                // What a fork keeps of the steps inside.
                _ => return,
            },
            // Nothing is recorded when somebody begins to wait for a signal without an end.
            Body::StepScheduled { .. } => step.is_undo || !matches!(kind, NodeKind::Wait(Wait::Signal { timeout_ms: None, .. })),
            Body::MapExpanded { count, .. } => *count == 0,
            Body::MapItem { .. } => is_complete(self, ix),
            Body::LoopChecked(checked) => !checked.again,
            Body::StepLost { .. }
            | Body::RouterBranch { .. }
            | Body::GateChecked { .. }
            | Body::ToolResponse { .. }
            | Body::LlmResponse(_)
            | Body::CacheHit(_)
            | Body::SessionChanged { .. }
            | Body::ApprovalDecided { .. } => true,
            _ => false,
        };
        match open && self.in_flight.contains(&ix) {
            true => drop(self.unsettled.insert(ix, body.clone())),
            false => drop(self.unsettled.remove(&ix)),
        }
    }
}

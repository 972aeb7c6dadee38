//! What waits for people, signals and times.

use super::{Turn, TurnError};
use crate::port::store::InboxRequest;
use flowtrace_core::document::{ApprovalTimeout, Exhausted};
use flowtrace_core::event::{Body, Decision, Timer};
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_core::node::NodeKind;
use flowtrace_core::node::wait::Wait;
use flowtrace_core::payload::Payload;
use flowtrace_core::state::StepIx;
use serde_json::{Value, json};
use std::sync::Arc;

/// Who decides where nobody did.
const NOBODY: &str = "timeout";

impl Turn<'_> {
    pub(super) fn ask(&mut self, ix: StepIx, question: Body) -> Result<(), TurnError> {
        self.push(Some(ix), question)?;
        self.list_question(ix);
        Ok(())
    }

    fn list_question(&mut self, ix: StepIx) {
        self.approvals.extend(super::approval_row(self.run, self.plan, self.state, ix));
    }

    /// The call may have been carried out, and must not be made twice without somebody's word.
    pub(super) fn ask_about_interruption(&mut self, ix: StepIx) -> Result<(), TurnError> {
        let message = format!(
            "The server stopped while step `{}` was calling a tool that must not be called twice. Approve to call it again, approve with \
             an edited payload to go on with that as its result, or reject to fail the step.",
            self.state.path(self.plan, ix)
        );
        let payload = self.state.step(ix).input.clone().unwrap_or_else(Payload::null);
        self.ask(ix, Body::ApprovalRequested { message, payload, deadline: None, interrupted: true })
    }

    /// The step at a path, if it waits for somebody's answer.
    fn asked(&self, path: &str) -> Option<StepIx> {
        let ix = self.state.find(self.plan, path).filter(|ix| self.state.is_in_flight(*ix))?;
        self.state.step(ix).question.as_ref().is_some_and(|question| question.answer.is_none()).then_some(ix)
    }

    /// Whether it answers a question that nobody asks now.
    pub fn is_late(&self, request: &InboxRequest) -> bool {
        matches!(request, InboxRequest::Decide { step, .. } if self.asked(step).is_none())
    }

    /// Takes in what a person decided. A decision about nothing, and a second one, change nothing.
    pub(super) async fn answer_question(
        &mut self,
        step: &str,
        approved: bool,
        key: &str,
        payload: Option<&Value>,
        by: &str,
        reason: Option<&String>,
    ) -> Result<(), TurnError> {
        let Some(ix) = self.asked(step) else { return Ok(()) };
        let payload = payload.map(|value| self.payload(Arc::new(value.clone())));
        let decision = if approved { Decision::Approved } else { Decision::Rejected };
        let (key, by, reason) = (key.to_owned(), by.to_owned(), reason.cloned());
        self.push(Some(ix), Body::ApprovalDecided { decision, key, payload, by, reason })?;
        self.decided(ix).await
    }

    /// Goes on from the answer that is in the state.
    pub(super) async fn decided(&mut self, ix: StepIx) -> Result<(), TurnError> {
        self.list_question(ix);
        let Some(question) = self.state.step(ix).question.clone() else { return Ok(()) };
        let Some(answer) = question.answer else { return Ok(()) };
        let reason = answer.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        match (question.interrupted, answer.decision) {
            (true, Decision::Approved) => match answer.payload {
                Some(payload) => {
                    let value = self.load(&payload).await?;
                    self.succeed(ix, value, Some(payload)).await
                }
                None => self.attempt(ix).await,
            },
            (true, _) => {
                let message = format!("The call was interrupted, and {} decided not to make it again{reason}.", answer.by);
                self.fail(ix, Failure::new(FailureCode::Interrupted, message)).await
            }
            (false, Decision::Expired) => {
                let message = "Nobody decided in the time that was allowed. Answer earlier, or set `onTimeout`.";
                self.fail(ix, Failure::new(FailureCode::Expired, message)).await
            }
            (false, Decision::Rejected) if !self.edges_decide(ix) => {
                let message = format!("{} rejected it{reason}.", answer.by);
                self.fail(ix, Failure::new(FailureCode::Rejected, message)).await
            }
            (false, decision) => {
                let payload = answer.payload.unwrap_or(question.payload);
                let payload = (*self.load(&payload).await?).clone();
                let output = json!({
                    "decision": decision.as_str(),
                    "payload": payload,
                    "by": answer.by,
                    "reason": answer.reason,
                });
                self.succeed(ix, Arc::new(output), None).await
            }
        }
    }

    /// The time of a wait or of a question is over.
    pub(super) async fn expire(&mut self, ix: StepIx) -> Result<(), TurnError> {
        self.push(Some(ix), Body::TimerFired { timer: Timer::Step })?;
        match &self.node(ix).kind {
            NodeKind::Approval(approval) => {
                let decision = match approval.on_timeout {
                    ApprovalTimeout::Approve => Decision::Approved,
                    ApprovalTimeout::Reject => Decision::Rejected,
                    ApprovalTimeout::Fail => Decision::Expired,
                };
                let reason = Some("nobody decided in time".to_owned());
                let (key, by) = (String::new(), NOBODY.to_owned());
                self.push(Some(ix), Body::ApprovalDecided { decision, key, payload: None, by, reason })?;
                self.decided(ix).await
            }
            NodeKind::Wait(Wait::Signal { name, on_timeout: Exhausted::Fail, .. }) => {
                let message = format!("The signal `{name}` did not come in the time that was allowed.");
                self.fail(ix, Failure::new(FailureCode::Expired, message)).await
            }
            _ => self.succeed(ix, Arc::new(Value::Null), None).await,
        }
    }

    /// The signal that the step waits for is there.
    pub(super) async fn deliver(&mut self, ix: StepIx) -> Result<(), TurnError> {
        let NodeKind::Wait(Wait::Signal { name, .. }) = &self.node(ix).kind else { return Ok(()) };
        let Some(payload) = self.state.signal(name).map(|signal| signal.payload.clone()) else { return Ok(()) };
        let value = self.load(&payload).await?;
        self.succeed(ix, value, Some(payload)).await
    }
}

//! What follows from an event of a step, where the turn that recorded the event did not come to it: a process begins with what an
//! earlier one left, and a journal may have been cut anywhere.

use super::{Turn, TurnError, internal};
use flowtrace_core::call::{Call, Target, ToolUse};
use flowtrace_core::event::Body;
use flowtrace_core::node::NodeKind;
use flowtrace_core::payload::Payload;
use flowtrace_core::state::StepIx;
use serde_json::{Map, Value};
use std::sync::Arc;

impl Turn<'_> {
    pub(super) async fn settle_step(&mut self, ix: StepIx) -> Result<(), TurnError> {
        let Some(body) = self.state.unsettled_by(ix).cloned() else { return Ok(()) };
        match body {
            Body::StepScheduled { .. } if self.state.step(ix).is_undo => self.request_undo(ix).await,
            Body::StepScheduled { input } => self.begin_scheduled(ix, input).await,
            Body::StepLost { .. } => match self.may_repeat(ix).await? {
                true => self.attempt(ix).await,
                false => self.ask_about_interruption(ix),
            },
            Body::RouterBranch { .. } => self.pass_through(ix).await,
            Body::GateChecked { reason, .. } => self.pass_gate(ix, reason).await,
            Body::VarsChanged { changes } => {
                let mut output = Map::new();
                for change in &changes {
                    output.insert(change.name.clone(), (*self.load(&change.value).await?).clone());
                }
                // Changes of the session that read `vars` see them changed here, and as they were before in an unbroken turn: which
                // `vars` there were is not in the journal any more.
                let mut scope = self.sight(ix).await?;
                scope.inputs = self.inputs_of(ix).await?;
                match self.set_session(ix, &scope, output).await? {
                    Ok(()) => Ok(()),
                    Err(failure) => self.fail(ix, failure).await,
                }
            }
            Body::ToolResponse { output, .. } => {
                let value = self.load(&output).await?;
                self.succeed(ix, value, Some(output)).await
            }
            Body::LlmResponse(response) => {
                self.settle_answer(ix, response.request, &response.target, &response.output, &response.tool_calls).await
            }
            Body::CacheHit(hit) => self.settle_answer(ix, hit.request, &hit.target, &hit.output, &hit.tool_calls).await,
            Body::SessionChanged { .. } => match self.recall(ix).await? {
                Some(Call::Session(call)) => self.succeed_session(ix, &call).await,
                _ => self.fail(ix, internal("what the step changed in the session is not in the journal")).await,
            },
            Body::ApprovalDecided { .. } => self.decided(ix).await,
            Body::MapExpanded { .. } | Body::MapItem { .. } => self.finish_map(ix).await,
            Body::LoopChecked(_) => match &self.node(ix).kind {
                NodeKind::Agent(_) => self.finish_agent(ix).await,
                _ => self.finish_loop(ix).await,
            },
            _ => Ok(()),
        }
    }

    async fn settle_answer(
        &mut self,
        ix: StepIx,
        request: u32,
        target: &Target,
        output: &Payload,
        tool_calls: &[ToolUse],
    ) -> Result<(), TurnError> {
        let Some(Call::Model(call)) = self.recall(ix).await? else {
            return self.fail(ix, internal("what the model was asked is not in the journal")).await;
        };
        let mut call = (*call).clone();
        call.target = target.clone();
        let call = Arc::new(call);
        self.memory.calls.insert(ix, Call::Model(call.clone()));
        let text = self.load(output).await?.as_str().unwrap_or_default().to_owned();
        match self.output_of(ix, &text, tool_calls).await? {
            Ok(value) => self.succeed(ix, Arc::new(value), None).await,
            Err(failure) => self.mend(ix, request, &call, &text, failure).await,
        }
    }

    async fn inputs_of(&self, ix: StepIx) -> Result<Map<String, Value>, TurnError> {
        let input = self.state.step(ix).input.clone().unwrap_or_else(Payload::null);
        Ok(self.load(&input).await?.as_object().cloned().unwrap_or_default())
    }
}

//! One turn of a run: what happened outside goes in, what follows from it comes out, and all of it is one append.
//!
//! The core decides and this module evaluates: it renders templates, asks rules, prices answers, and records each result as
//! an event. Nothing here waits for the outside; the only waiting is for what the store keeps.

mod agent;
mod begin;
mod call;
mod contain;
mod end;
mod person;
mod settle;
mod sight;

use super::Env;
use super::perform::{Effect, Finished};
use super::rows::{approval_row, run_row, step_row};
use crate::flight::Flight;
use crate::port::store::{Append, ApprovalRow, CacheRow, InboxRequest, StoreError};
use flowtrace_core::call::{CachedAnswer, Call, Outcome};
use flowtrace_core::decide::{Command, Exceeded, decide};
use flowtrace_core::event::{Body, Event, Timer};
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_core::id::{RunId, StepPath, Timestamp};
use flowtrace_core::payload::{Blob, Payload};
use flowtrace_core::plan::{Plan, PlanNode};
use flowtrace_core::state::{Corrupt, RunState, StepIx, StepStatus};
use flowtrace_core::value::{MAX_DEPTH, deeper_than};
use serde_json::Value;
use sight::Variables;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Events after which a turn is committed even if more could be decided, so that one append stays small.
const ENOUGH_EVENTS: usize = 4096;

/// What a run keeps in memory between turns, besides its state. All of it can be found again in the journal.
#[derive(Default)]
pub(crate) struct Memory {
    /// The calls of steps in flight, so that a retry needs no reading.
    calls: HashMap<StepIx, Call>,
    /// Model calls whose answer was limited to what a budget left: a short answer of theirs is nobody else's.
    capped: HashSet<StepIx>,
    variables: Variables,
}

pub(crate) struct Turn<'a> {
    env: &'a Env,
    run: RunId,
    plan: &'a Plan,
    state: &'a mut RunState,
    memory: &'a mut Memory,
    now: Timestamp,
    before: u64,
    events: Vec<Event>,
    blobs: Vec<Blob>,
    ended: Vec<StepIx>,
    cache: Vec<CacheRow>,
    approvals: Vec<ApprovalRow>,
    /// Attempts to make once the events are committed.
    pub effects: Vec<Effect>,
    /// Answers that others wait for, to be handed out once they are committed.
    pub landings: Vec<(Flight, Option<CachedAnswer>)>,
    /// Attempts that ended: their live text is of no more use.
    pub over: Vec<(StepPath, u32, u32)>,
    /// Steps that ended because something around them did: their attempts have to be stopped.
    pub stopped: Vec<StepIx>,
    /// Whether the turn stopped because it was large enough.
    pub more: bool,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum TurnError {
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<'a> Turn<'a> {
    pub fn new(env: &'a Env, run: RunId, plan: &'a Plan, state: &'a mut RunState, memory: &'a mut Memory) -> Self {
        let now = env.clock.now().max(state.last_ts);
        let before = state.seq;
        Turn {
            env,
            run,
            plan,
            state,
            memory,
            now,
            before,
            events: Vec::new(),
            blobs: Vec::new(),
            ended: Vec::new(),
            cache: Vec::new(),
            approvals: Vec::new(),
            effects: Vec::new(),
            landings: Vec::new(),
            over: Vec::new(),
            stopped: Vec::new(),
            more: false,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Records something about the run itself.
    pub fn record(&mut self, body: Body) -> Result<(), TurnError> {
        self.push(None, body)
    }

    /// Takes a request from the run's inbox into the log. One that changes nothing leaves no trace.
    pub async fn request_from(&mut self, request: &InboxRequest) -> Result<(), TurnError> {
        if self.state.status.is_final() {
            return Ok(());
        }
        let idle = self.state.compensation.is_none();
        match request {
            InboxRequest::Cancel { by } if !self.state.cancel_requested => {
                self.push(None, Body::CancelRequested { by: by.clone() })
            }
            InboxRequest::Pause { by } if !self.state.paused && idle => self.push(None, Body::RunPaused { by: by.clone() }),
            InboxRequest::Resume { by } if self.state.paused => self.push(None, Body::RunResumed { by: by.clone() }),
            InboxRequest::Signal { name, payload, by } => {
                let payload = self.payload(Arc::new(payload.clone()));
                self.push(None, Body::SignalReceived { name: name.clone(), payload, by: by.clone() })
            }
            InboxRequest::Decide { step, approved, key, payload, by, reason } => {
                self.answer_question(step, *approved, key, payload.as_ref(), by, reason.as_ref()).await
            }
            InboxRequest::Cancel { .. } | InboxRequest::Pause { .. } | InboxRequest::Resume { .. } => Ok(()),
        }
    }

    /// What a process does first with a run: the clock of its deadline starts again, and what was in flight is lost. What follows from
    /// that is decided like everything else.
    pub fn open(&mut self) -> Result<(), TurnError> {
        if self.state.status.is_final() {
            return Ok(());
        }
        let running: Vec<StepIx> = self.state.in_flight().filter(|ix| self.is_attempt(*ix)).collect();
        for ix in running {
            let (request, attempt) = (self.state.step(ix).request, self.state.step(ix).attempt);
            self.push(Some(ix), Body::StepLost { request, attempt })?;
        }
        if let Some(timeout_ms) = self.state.limits().timeout_ms {
            let left = timeout_ms.saturating_sub(self.state.active_micros / 1000);
            self.push(None, Body::TimerSet { timer: Timer::Deadline, due: self.now.plus_millis(left) })?;
        }
        Ok(())
    }

    /// Whether an attempt of the step was under way: containers have none, and what waits has none now.
    fn is_attempt(&self, ix: StepIx) -> bool {
        let step = self.state.step(ix);
        let open = step.status == StepStatus::Running && self.state.unsettled_by(ix).is_none();
        open && (step.is_undo || !self.node(ix).kind.is_container())
    }

    /// Decides and evaluates until nothing is left to do without the outside.
    pub async fn settle(&mut self) -> Result<(), TurnError> {
        while !self.env.is_draining() {
            let commands = decide(self.plan, self.state, self.now);
            if commands.is_empty() {
                return Ok(());
            }
            for command in commands {
                self.carry_out(command).await?;
                if self.state.status.is_final() {
                    return Ok(());
                }
            }
            if self.events.len() >= ENOUGH_EVENTS {
                self.more = true;
                break;
            }
        }
        Ok(())
    }

    /// A command that an earlier one of the same round has made void is passed over.
    async fn carry_out(&mut self, command: Command) -> Result<(), TurnError> {
        match command {
            Command::Skip(ix) if self.state.is_unreachable(ix) => {
                self.push(Some(ix), Body::StepSkipped)?;
                self.ended.push(ix);
            }
            Command::Settle(ix) => self.settle_step(ix).await?,
            Command::Begin(ix) if self.state.may_begin(self.plan, ix) => self.begin(ix).await?,
            Command::Resume(ix) if self.state.is_in_flight(ix) => self.attempt(ix).await?,
            Command::Expire(ix) if self.state.is_in_flight(ix) => self.expire(ix).await?,
            Command::Deliver(ix) if self.state.is_deliverable(ix) => self.deliver(ix).await?,
            Command::Close(scope) if self.state.is_closable(scope) => self.close(scope).await?,
            Command::Fail(ix, failure, exceeded) if self.state.is_in_flight(ix) => {
                self.exceed(Some(ix), exceeded)?;
                self.fail(ix, failure).await?;
            }
            Command::Compensate { error, exceeded } => {
                self.exceed(None, exceeded)?;
                let steps = self.state.armed().len().try_into().unwrap_or(u32::MAX);
                self.push(None, Body::UndoStarted { steps, error })?;
            }
            Command::Undo(armed) => self.begin_undo(armed).await?,
            Command::Succeed { leaves } => {
                let output = self.compose_output(&leaves).await?;
                self.push(None, Body::RunSucceeded { output: output.unwrap_or_else(Payload::null) })?;
            }
            Command::FailRun { failure, exceeded, leaves } => {
                self.exceed(None, exceeded)?;
                let partial = self.compose_output(&leaves).await?;
                let failed_step = self.state.failed_step.clone();
                self.push(None, Body::RunFailed { error: failure, failed_step, partial })?;
            }
            Command::Cancel => self.push(None, Body::RunCanceled)?,
            _ => {}
        }
        Ok(())
    }

    fn exceed(&mut self, ix: Option<StepIx>, exceeded: Option<Exceeded>) -> Result<(), TurnError> {
        let Some(Exceeded { limit, allowed, used }) = exceeded else { return Ok(()) };
        if ix.is_none() && limit == "timeoutSeconds" {
            self.push(None, Body::TimerFired { timer: Timer::Deadline })?;
        }
        self.push(ix, Body::BudgetExceeded { limit: limit.to_owned(), allowed, used })
    }

    /// Takes in what an attempt came to. One that the run no longer waits for is dropped.
    pub async fn complete(&mut self, finished: Finished) -> Result<(), TurnError> {
        let Finished { ix, path, request, attempt, outcome, flight } = finished;
        // The place of a step that is over may belong to another one by now; a path never does.
        let step = self.state.step(ix);
        if self.state.status.is_final()
            || step.path != path
            || step.status != StepStatus::Running
            || (step.request, step.attempt) != (request, attempt)
        {
            return Ok(());
        }
        self.over.push((path, request, attempt));
        let mut answer_for_others = None;
        match outcome {
            Outcome::Tool(Ok(output)) if deeper_than(&output, MAX_DEPTH) => self.fail_attempt(ix, too_deep()).await?,
            Outcome::Tool(Ok(output)) => {
                let output = Arc::new(output);
                let payload = self.payload(output.clone());
                self.push(Some(ix), Body::ToolResponse { request, attempt, output: payload.clone() })?;
                self.succeed(ix, output, Some(payload)).await?;
            }
            Outcome::Session(Ok(change)) => self.take_session(ix, change).await?,
            Outcome::Model(Ok(answer)) => answer_for_others = self.take_answer(ix, request, attempt, answer).await?,
            Outcome::Cached(cached) => self.take_cached(ix, request, cached).await?,
            Outcome::Tool(Err(failure)) | Outcome::Model(Err(failure)) | Outcome::Session(Err(failure)) => {
                self.fail_attempt(ix, failure).await?;
            }
        }
        if let Some(flight) = flight {
            self.landings.push((flight, answer_for_others));
        }
        Ok(())
    }

    /// The append that makes this turn durable. What is over is forgotten with it.
    pub fn append(&mut self) -> Append {
        debug_assert!(self.state.unsettled().next().is_none() || self.env.is_draining(), "a turn left something open");
        self.stopped = self.state.take_stopped();
        // What was begun and stopped within the turn is not called.
        let state = &*self.state;
        self.effects.retain(|effect| {
            let step = state.step(effect.ix);
            step.status == StepStatus::Running && (step.request, step.attempt) == (effect.request, effect.attempt)
        });
        let mut ended = std::mem::take(&mut self.ended);
        for ix in &self.stopped {
            self.memory.forget(*ix);
            // A question that nobody will answer any more is not listed any more.
            if self.state.step(*ix).question.is_some() {
                self.approvals.extend(approval_row(self.run, self.plan, self.state, *ix));
            }
        }
        ended.extend(self.stopped.iter().copied());
        let steps = ended.into_iter().map(|ix| step_row(self.plan, self.state, ix)).collect();
        let append = Append {
            stream: self.run,
            expected: self.before,
            events: std::mem::take(&mut self.events),
            blobs: std::mem::take(&mut self.blobs),
            run: run_row(self.run, self.state),
            steps,
            cache: std::mem::take(&mut self.cache),
            approvals: std::mem::take(&mut self.approvals),
            ..Append::default()
        };
        self.state.sweep();
        append
    }

    fn node(&self, ix: StepIx) -> &'a PlanNode {
        self.plan.node(self.state.step(ix).node)
    }

    fn push(&mut self, ix: Option<StepIx>, body: Body) -> Result<(), TurnError> {
        let step = ix.map(|ix| self.state.path(self.plan, ix));
        self.push_at(step, body)
    }

    fn push_at(&mut self, step: Option<StepPath>, body: Body) -> Result<(), TurnError> {
        let event = Event { seq: self.state.seq + 1, ts: self.now, step, body };
        self.state.apply(self.plan, &event)?;
        self.events.push(event);
        Ok(())
    }

    pub fn payload(&mut self, value: Arc<Value>) -> Payload {
        let (payload, blob) = Payload::new(value.clone());
        if let Some(blob) = blob {
            self.env.values.remember(&blob, &value);
            self.blobs.push(blob);
        }
        payload
    }

    async fn load(&self, payload: &Payload) -> Result<Arc<Value>, StoreError> {
        self.env.values.load(&*self.env.store, payload).await
    }
}

impl Memory {
    /// The step is over.
    fn forget(&mut self, ix: StepIx) {
        self.calls.remove(&ix);
        self.capped.remove(&ix);
        self.variables.forget(ix);
    }
}

fn too_deep() -> Failure {
    let message = format!("The tool's output is nested more than {MAX_DEPTH} levels deep, which is more than a value may be.");
    Failure::new(FailureCode::Tool, message)
}

fn internal(what: &str) -> Failure {
    Failure::new(FailureCode::Internal, format!("FlowTrace lost track of a step: {what}. Please report it."))
}

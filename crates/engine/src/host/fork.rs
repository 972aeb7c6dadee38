//! A new run that keeps what another one has done; see [`flowtrace_core::fork`].

use super::registry::{self, SnapshotError};
use super::rows::{run_row, step_row};
use super::{Host, PAGE, Planned, StartError, StartedRun, plan_key};
use crate::port::store::{Append, StoreError};
use flowtrace_core::event::{Body, Event, Origin, RunStarted, WorkflowRef};
use flowtrace_core::fork::{Fork, fork};
use flowtrace_core::id::{RunId, StreamId, TraceId};
use flowtrace_core::payload::Payload;
use flowtrace_core::plan::Plan;
use flowtrace_core::problem::Problem;
use flowtrace_core::state::RunState;
use serde_json::Value;
use std::sync::Arc;

/// What is different in the new run.
#[derive(Clone, Debug, Default)]
pub struct ForkRun {
    pub run: RunId,
    /// The path of the step that runs again, and with it what depends on it.
    pub from: String,
    /// What the run is started with; absent: what the other one was.
    pub input: Option<Value>,
    /// The document and its hash; absent: that of the other run.
    pub document: Option<(Arc<str>, Arc<str>)>,
    pub triggered_by: String,
}

/// What a fork keeps and what it runs again.
#[derive(Debug)]
pub struct Forked {
    /// The fold of the run that is forked.
    pub origin: RunState,
    pub plan: Arc<Plan>,
    pub fork: Fork,
}

#[derive(Debug, thiserror::Error)]
pub enum ForkError {
    #[error("there is no such run")]
    NotFound,
    /// A sentence.
    #[error("{0}")]
    Refused(String),
    #[error("the changed document cannot run")]
    Invalid(Vec<Problem>),
    #[error(transparent)]
    Start(#[from] StartError),
}

impl From<StoreError> for ForkError {
    fn from(error: StoreError) -> Self {
        ForkError::Start(StartError::Store(error))
    }
}

/// Everything that a fork writes, put together and not written yet.
struct Prepared {
    plan: Arc<Plan>,
    graph_json: Arc<str>,
    started: RunStarted,
    forked: Forked,
}

impl Host {
    /// What [`Host::fork`] would keep and run again.
    pub async fn preview_fork(&self, wanted: &ForkRun) -> Result<Forked, ForkError> {
        let run = StreamId(u128::MAX);
        let prepared = self.prepare_fork(wanted).await?;
        self.fold_fork(run, &prepared)?;
        Ok(prepared.forked)
    }

    /// Starts a run that keeps what another one has done. It is durable when this answers.
    pub async fn fork(&self, wanted: &ForkRun) -> Result<StartedRun, ForkError> {
        if self.registry.is_closed() {
            return Err(StartError::ShuttingDown.into());
        }
        let run = StreamId(uuid::Uuid::now_v7().as_u128());
        let mut prepared = self.prepare_fork(wanted).await?;
        let trace_id = TraceId(run.0);
        prepared.started.trace_id = trace_id;
        let (input, blob) = match &wanted.input {
            Some(input) => Payload::new(Arc::new(input.clone())),
            None => (prepared.started.input.clone(), None),
        };
        prepared.started.input = input;
        let (state, events) = self.fold_fork(run, &prepared)?;
        if let Some((json, hash)) = &wanted.document {
            self.env.store.put_document(hash, json).await?;
        }
        let key = plan_key(&prepared.started.workflow.hash, &prepared.started.linked);
        self.env.plans.insert(key, Planned { graph_json: prepared.graph_json.clone(), plan: prepared.plan.clone() });
        let plan = &prepared.plan;
        let ended = (0..state.steps.len() as u32).filter(|ix| state.step(*ix).status.is_final());
        let append = Append {
            stream: run,
            run: run_row(run, &state),
            steps: ended.map(|ix| step_row(plan, &state, ix)).collect(),
            events,
            blobs: blob.into_iter().collect(),
            ..Append::default()
        };
        self.env.store.append(append).await.map_err(StartError::from)?;
        self.registry.activate(run);
        Ok(StartedRun { id: run, trace_id })
    }

    async fn prepare_fork(&self, wanted: &ForkRun) -> Result<Prepared, ForkError> {
        // Read once, and folded from what was read: the cut needs both, and a long run has many events.
        let mut events: Vec<Event> = Vec::new();
        loop {
            let more = self.env.store.read(wanted.run, events.len() as u64, PAGE).await?;
            if more.is_empty() {
                break;
            }
            events.extend(more);
        }
        let Some(Event { body: Body::RunStarted(started), .. }) = events.first() else { return Err(ForkError::NotFound) };
        let started = started.clone();
        let Planned { graph_json, plan } =
            registry::planned(&self.env, wanted.run, &started).await.map_err(|error| match error {
                SnapshotError::Store(error) => ForkError::from(error),
                SnapshotError::CannotPlan(failure) => ForkError::Refused(failure.message),
            })?;
        let state =
            RunState::fold(&plan, &events).map_err(|error| StoreError::Corrupt(format!("run {}: {error}", wanted.run)))?;
        let cut = fork(&plan, wanted.run, &state, &events, &wanted.from);
        let cut = cut.map_err(|refusal| ForkError::Refused(refusal.0))?;
        let mut started = (*started).clone();
        let forked_plan = plan.clone();
        let (mut plan, mut graph_json) = (plan, graph_json);
        if let Some((json, hash)) = &wanted.document {
            let mut changed = Plan::compile(json.as_bytes()).map_err(ForkError::Invalid)?;
            for link in &started.linked {
                let document = self.env.store.document(&link.workflow.hash).await?;
                let document = document.ok_or_else(|| {
                    ForkError::Refused(format!("The document of the workflow `{}` is not in the store any more.", link.name))
                })?;
                changed.link((link.name.clone(), link.asked), document.as_bytes()).map_err(ForkError::Invalid)?;
            }
            started.workflow = WorkflowRef { id: started.workflow.id.clone(), version: None, hash: hash.clone() };
            started.limits = changed.limits.lowered_to(&self.env.settings.ceilings);
            (plan, graph_json) = (Arc::new(changed), json.clone());
        }
        started.parent_span = None;
        started.triggered_by = wanted.triggered_by.clone();
        started.forked_from = Some(Origin { run: wanted.run, step: wanted.from.as_str().into() });
        started.simulated = self.env.settings.simulated;
        let forked = Forked { origin: state, plan: forked_plan, fork: cut };
        Ok(Prepared { plan, graph_json, started, forked })
    }

    /// The state that the new run begins with, and the events that lead to it.
    fn fold_fork(&self, run: RunId, prepared: &Prepared) -> Result<(RunState, Vec<Event>), ForkError> {
        let ts = self.env.clock.now();
        let mut state = RunState::new(&prepared.plan);
        let mut events = Vec::with_capacity(prepared.forked.fork.events.len() + 1);
        let first = (None, Body::RunStarted(Arc::new(prepared.started.clone())));
        let kept = prepared.forked.fork.events.iter().map(|(step, body)| (Some(step.clone()), body.clone()));
        for (step, body) in std::iter::once(first).chain(kept) {
            let event = Event { seq: state.seq + 1, ts, step, body };
            state.apply(&prepared.plan, &event).map_err(|error| {
                let step = event.step.as_deref().unwrap_or_default();
                tracing::debug!(%run, %error, "a fork does not fit");
                ForkError::Refused(format!(
                    "What the run did up to there does not fit the changed workflow: step `{step}` cannot be kept. Change only the chosen \
                     step and what comes after it, or run from an earlier step."
                ))
            })?;
            events.push(event);
        }
        Ok((state, events))
    }
}

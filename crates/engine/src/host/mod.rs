//! The host: owns every active run, carries out what the core decides, and is the only one who appends to the journal of a
//! run. Everybody else puts requests into a run's inbox.

mod actor;
pub mod fork;
mod perform;
mod registry;
pub mod rows;
pub mod sessions;
mod turn;

use crate::flight::Flights;
use crate::live::{Deltas, Live};
use crate::port::clock::Clock;
use crate::port::provider::Provider;
use crate::port::store::{Append, AppendError, IdempotencyKey, InboxRequest, Store, StoreError};
use crate::port::tool::Tools;
use crate::values::Values;
use actor::Fresh;
use flowtrace_core::equivalence::Equivalence;
use flowtrace_core::event::{Body, Event, Labels, Limits, LinkedWorkflow, ModelDefaults, RunStarted, WorkflowRef};
use flowtrace_core::failure::Failure;
use flowtrace_core::id::{RunId, SpanId, StreamId, TraceId};
use flowtrace_core::payload::Payload;
use flowtrace_core::plan::Plan;
use flowtrace_core::price::PriceTable;
use flowtrace_core::span::SpanLink;
use flowtrace_core::state::RunState;
use moka::sync::Cache;
use registry::{Registry, SnapshotError};
use serde_json::Value;
use sessions::Sessions;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;

/// Events that are read at once when a journal is folded.
const PAGE: usize = 2048;

/// Compiled plans that are kept, weighed by the length of their documents; a plan takes about ten times that.
const PLAN_BYTES: u64 = 4 << 20;

pub struct Ports {
    pub store: Arc<dyn Store>,
    pub providers: Vec<Arc<dyn Provider>>,
    pub tools: Tools,
    pub clock: Arc<dyn Clock>,
}

pub struct Settings {
    pub prices: PriceTable,
    pub equivalence: Equivalence,
    /// No run may have limits above these.
    pub ceilings: Limits,
    /// Runs that are worked on at the same time; more are queued.
    pub max_active_runs: usize,
    /// Whether every provider is simulated.
    pub simulated: bool,
    /// The variables of the deployment, an object: workflows read them as `config`.
    pub variables: Arc<Value>,
}

/// What all runs share.
pub(crate) struct Env {
    pub store: Arc<dyn Store>,
    pub providers: BTreeMap<String, Arc<dyn Provider>>,
    pub tools: Tools,
    pub clock: Arc<dyn Clock>,
    pub settings: Settings,
    pub values: Values,
    pub plans: Cache<Arc<str>, Planned>,
    pub live: Live,
    pub flights: Flights,
    pub sessions: Sessions,
    /// Set when the process is about to stop: outcomes are still recorded, and nothing new is begun.
    pub draining: AtomicBool,
}

/// A document and what it compiles to.
#[derive(Clone)]
pub(crate) struct Planned {
    pub graph_json: Arc<str>,
    pub plan: Arc<Plan>,
}

impl Planned {
    fn weight(&self) -> u32 {
        self.graph_json.len().try_into().unwrap_or(u32::MAX)
    }
}

impl Env {
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    pub fn provider_names(&self) -> Vec<&str> {
        self.providers.keys().map(String::as_str).collect()
    }

    pub fn is_configured(&self, provider: &str) -> bool {
        self.providers.get(provider).is_some_and(|provider| provider.configured())
    }

    pub fn is_simulated(&self, provider: &str) -> bool {
        self.providers.get(provider).is_some_and(|provider| provider.simulated())
    }
}

/// A run to be started.
pub struct StartRun {
    pub workflow: WorkflowRef,
    /// The document that `workflow.hash` is the hash of.
    pub graph_json: Arc<str>,
    /// With the workflows of `linked` linked.
    pub plan: Arc<Plan>,
    pub linked: Vec<LinkedWorkflow>,
    pub input: Value,
    pub session_id: Option<String>,
    pub labels: Labels,
    /// `api`, `cli`, …
    pub triggered_by: String,
    /// The caller's trace and span, where it sent a `traceparent`.
    pub parent: Option<(TraceId, SpanId)>,
    /// The model call of a trace that this run makes again.
    pub replay_of: Option<SpanLink>,
    pub defaults: ModelDefaults,
    pub idempotency: Option<IdempotencyKey>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StartedRun {
    pub id: RunId,
    pub trace_id: TraceId,
}

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StartError {
    /// The idempotency key has started a run before; `fingerprint` is that of the request then.
    #[error("the idempotency key has started run {run} before")]
    Duplicate { run: RunId, fingerprint: String },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the server is shutting down and starts no new runs")]
    ShuttingDown,
}

impl From<AppendError> for StartError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Duplicate { run, fingerprint } => StartError::Duplicate { run, fingerprint },
            AppendError::Store(error) => StartError::Store(error),
            AppendError::Conflict { .. } => StartError::Store(StoreError::Unavailable(error.to_string())),
        }
    }
}

/// A run as its journal tells it.
pub struct Snapshot {
    pub plan: Arc<Plan>,
    pub state: RunState,
    pub graph_json: Arc<str>,
}

#[derive(Clone)]
pub struct Host {
    env: Arc<Env>,
    registry: Arc<Registry>,
}

impl Host {
    /// Needs a tokio runtime, because it starts the task that wakes parked runs.
    pub fn new(ports: Ports, settings: Settings) -> Self {
        let max_active = settings.max_active_runs.max(1);
        let env = Arc::new(Env {
            store: ports.store,
            providers: ports.providers.into_iter().map(|provider| (provider.name().to_owned(), provider)).collect(),
            tools: ports.tools,
            clock: ports.clock,
            settings,
            values: Values::new(),
            plans: Cache::builder().max_capacity(PLAN_BYTES).weigher(|_, planned: &Planned| planned.weight()).build(),
            live: Live::default(),
            flights: Flights::default(),
            sessions: Sessions::new(),
            draining: AtomicBool::new(false),
        });
        let registry = Registry::new(env.clone(), max_active);
        Host { env, registry }
    }

    /// Picks up every unfinished run: those that wait for a time are noted, the others go on at once. Returns how many there
    /// are.
    pub async fn recover(&self) -> Result<usize, StoreError> {
        let wakeups = self.env.store.wakeups().await?;
        let now = self.env.clock.now();
        let later: HashMap<StreamId, _> =
            wakeups.iter().filter(|wakeup| wakeup.due > now).map(|wakeup| (wakeup.stream, wakeup.due)).collect();
        let unfinished = self.env.store.unfinished().await?;
        for run in &unfinished {
            match later.get(run) {
                // A request that came in while nobody was there must not wait for the time.
                Some(due) if self.env.store.inbox(*run).await?.is_empty() => self.registry.wake_at(*run, *due),
                _ => self.registry.activate(*run),
            }
        }
        Ok(unfinished.len())
    }

    /// Starts a run. It is durable when this answers.
    pub async fn start(&self, start: StartRun) -> Result<StartedRun, StartError> {
        let run = StreamId(uuid::Uuid::now_v7().as_u128());
        self.start_as(run, start).await
    }

    /// The same under a given id, for simulations that must be repeatable.
    pub async fn start_as(&self, run: RunId, start: StartRun) -> Result<StartedRun, StartError> {
        let hash = start.workflow.hash.clone();
        if start.workflow.id.is_none() && !self.env.plans.contains_key(&plan_key(&hash, &start.linked)) {
            self.env.store.put_document(&hash, &start.graph_json).await?;
        }
        let key = plan_key(&hash, &start.linked);
        self.env.plans.insert(key, Planned { graph_json: start.graph_json, plan: start.plan.clone() });

        let (input, blob) = Payload::new(Arc::new(start.input));
        let trace_id = start.parent.map_or(TraceId(run.0), |(trace, _)| trace);
        let started = RunStarted {
            workflow: start.workflow,
            trace_id,
            parent_span: start.parent.map(|(_, span)| span),
            session_id: start.session_id,
            labels: start.labels,
            triggered_by: start.triggered_by,
            input,
            defaults: start.defaults,
            linked: start.linked,
            forked_from: None,
            replay_of: start.replay_of,
            limits: start.plan.limits.lowered_to(&self.env.settings.ceilings),
            simulated: self.env.settings.simulated,
        };
        // Large inputs are stored with the first event even when the run has to queue, so they take the same path.
        if !self.registry.has_room() || blob.is_some() {
            self.start_queued(run, started, start.plan, blob, start.idempotency).await?;
        } else {
            let (answer, started_or_not) = oneshot::channel();
            let fresh = Fresh { started, idempotency: start.idempotency, answer };
            self.registry.activate_fresh(run, start.plan, fresh)?;
            started_or_not.await.map_err(|_| StartError::ShuttingDown)??;
        }
        Ok(StartedRun { id: run, trace_id })
    }

    /// Writes only `run.started`; the run's first step waits until there is room.
    async fn start_queued(
        &self,
        run: RunId,
        started: RunStarted,
        plan: Arc<Plan>,
        blob: Option<flowtrace_core::payload::Blob>,
        idempotency: Option<IdempotencyKey>,
    ) -> Result<(), StartError> {
        if self.registry.is_closed() {
            return Err(StartError::ShuttingDown);
        }
        let event = Event { seq: 1, ts: self.env.clock.now(), step: None, body: Body::RunStarted(Arc::new(started)) };
        let mut state = RunState::new(&plan);
        state.apply(&plan, &event).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let append = Append {
            stream: run,
            run: rows::run_row(run, &state),
            events: vec![event],
            blobs: blob.into_iter().collect(),
            idempotency,
            ..Append::default()
        };
        self.env.store.append(append).await?;
        self.registry.activate(run);
        Ok(())
    }

    /// Waits until nothing of the run is under way in this process: it has ended, or it queues, or it sleeps until a time. Only
    /// its row in the store says which.
    pub async fn idle(&self, run: RunId) {
        if let Some(gone) = self.registry.gone(run) {
            gone.cancelled().await;
        }
    }

    /// Asks a run to stop. `key` makes the request unique. Answers false when there is no such run or it has ended.
    pub async fn cancel(&self, run: RunId, key: String, by: String) -> Result<bool, StoreError> {
        Ok(self.ask(run, key, InboxRequest::Cancel { by }).await? || self.is_open(run).await?)
    }

    async fn is_open(&self, run: RunId) -> Result<bool, StoreError> {
        Ok(self.env.store.run(run).await?.is_some_and(|row| row.finished_at.is_none()))
    }

    /// Puts a request into the run's inbox. `key` makes it unique: the same one twice counts once. Answers false when there is no such
    /// run or it has ended, and when the same request waits there already.
    pub async fn ask(&self, run: RunId, key: String, request: InboxRequest) -> Result<bool, StoreError> {
        let open = self.is_open(run).await?;
        let posted = open && self.env.store.post(run, key, request).await?;
        if open {
            self.registry.ring(run);
        }
        Ok(posted)
    }

    /// The run as it was after the event `at_seq`, or as it is now.
    pub async fn snapshot(&self, run: RunId, at_seq: Option<u64>) -> Result<Option<Snapshot>, StoreError> {
        registry::snapshot(&self.env, run, at_seq).await.map_err(|error| match error {
            SnapshotError::Store(error) => error,
            SnapshotError::CannotPlan(failure) => StoreError::Corrupt(failure.message),
        })
    }

    /// The value of a payload, read from the store where it is a blob.
    pub async fn value(&self, payload: &Payload) -> Result<Arc<Value>, StoreError> {
        self.env.values.load(&*self.env.store, payload).await
    }

    /// What the models of an active run are saying. `None` when the run is not active in this process.
    pub fn deltas(&self, run: RunId) -> Option<Deltas> {
        self.env.live.subscribe(run)
    }

    pub fn store(&self) -> &Arc<dyn Store> {
        &self.env.store
    }

    /// Starts nothing more, gives calls in flight `grace` to come back, and then drops the rest: their journals say what was
    /// under way, so the next process goes on from there.
    pub async fn shutdown(&self, grace: Duration) {
        self.env.draining.store(true, Ordering::Relaxed);
        self.registry.close(grace).await;
    }
}

/// What a plan is kept under: the hashes of the document and of what is linked to it, which decide what it compiles to.
pub(crate) fn plan_key(hash: &Arc<str>, linked: &[LinkedWorkflow]) -> Arc<str> {
    if linked.is_empty() {
        return hash.clone();
    }
    let mut key = hash.to_string();
    for link in linked {
        key.push_str(&format!("+{}@{:?}={}", link.name, link.asked, link.workflow.hash));
    }
    key.into()
}

/// What a workflow that failed to start again says for itself.
pub(crate) fn cannot_plan(hash: &str, problems: &[flowtrace_core::problem::Problem]) -> Failure {
    let first = problems.first().map_or("", |problem| problem.message.as_str());
    Failure::new(
        flowtrace_core::failure::FailureCode::InvalidWorkflow,
        format!("The workflow document {hash} that the run was started with cannot be planned by this version: {first}"),
    )
}

//! Which runs are active, which queue for a place, and which sleep until a time.

use super::actor::{Actor, Exit, Fresh};
use super::{Env, PAGE, Planned, Snapshot, StartError, cannot_plan, plan_key};
use crate::port::store::{Append, StoreError};
use flowtrace_core::event::{Body, Event, RunStarted};
use flowtrace_core::failure::Failure;
use flowtrace_core::id::{RunId, Timestamp};
use flowtrace_core::plan::Plan;
use flowtrace_core::state::{RunState, RunStatus};
use futures::FutureExt;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long a run that could not go on (a damaged read, a conflict) is left alone before it is tried again. Doubles each time.
const BROKEN_PAUSE: Duration = Duration::from_secs(5);

/// The longest such pause is this many doublings: about five minutes.
const MOST_DOUBLINGS: u32 = 6;

pub(crate) struct Registry {
    env: Arc<Env>,
    max_active: usize,
    inner: Mutex<Inner>,
    /// Rung when the earliest wake-up may have changed.
    timer: Notify,
    tasks: TaskTracker,
}

#[derive(Default)]
struct Inner {
    active: HashMap<RunId, Active>,
    queue: VecDeque<RunId>,
    queued: BTreeSet<RunId>,
    sleeping: BTreeSet<(Timestamp, RunId)>,
    /// How often in a row a run could not go on.
    broken: HashMap<RunId, u32>,
    closed: bool,
}

struct Active {
    bell: Arc<Notify>,
    /// Aborts the actor and with it the run's calls.
    abort: Option<tokio::task::AbortHandle>,
    /// The bell was rung; whoever removes the run must look again.
    rung: bool,
    /// Fires when the actor is gone.
    gone: CancellationToken,
}

impl Registry {
    pub fn new(env: Arc<Env>, max_active: usize) -> Arc<Self> {
        let registry =
            Arc::new(Registry { env, max_active, inner: Mutex::default(), timer: Notify::new(), tasks: TaskTracker::new() });
        tokio::spawn(wake_sleepers(Arc::downgrade(&registry)));
        registry
    }

    pub fn has_room(&self) -> bool {
        let inner = self.lock();
        inner.active.len() < self.max_active && inner.queue.is_empty()
    }

    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Gets a run going that is in the store, now or when there is room.
    pub fn activate(self: &Arc<Self>, run: RunId) {
        let mut inner = self.lock();
        if inner.closed || inner.active.contains_key(&run) {
            return;
        }
        if inner.active.len() >= self.max_active {
            if inner.queued.insert(run) {
                inner.queue.push_back(run);
            }
            return;
        }
        self.spawn(&mut inner, run, None);
    }

    pub fn activate_fresh(self: &Arc<Self>, run: RunId, plan: Arc<Plan>, fresh: Fresh) -> Result<(), StartError> {
        let mut inner = self.lock();
        if inner.closed {
            return Err(StartError::ShuttingDown);
        }
        self.spawn(&mut inner, run, Some((plan, fresh)));
        Ok(())
    }

    pub fn wake_at(&self, run: RunId, due: Timestamp) {
        self.lock().sleeping.insert((due, run));
        self.timer.notify_one();
    }

    /// Fires when the actor of a run is gone; `None` if it has none.
    pub fn gone(&self, run: RunId) -> Option<CancellationToken> {
        self.lock().active.get(&run).map(|active| active.gone.clone())
    }

    /// Something is in the run's inbox.
    pub fn ring(self: &Arc<Self>, run: RunId) {
        let mut inner = self.lock();
        match inner.active.get_mut(&run) {
            Some(active) => {
                active.rung = true;
                active.bell.notify_one();
            }
            None => {
                drop(inner);
                self.activate(run);
            }
        }
    }

    pub async fn close(&self, grace: Duration) {
        {
            let mut inner = self.lock();
            inner.closed = true;
            inner.active.values().for_each(|active| active.bell.notify_one());
        }
        self.tasks.close();
        if tokio::time::timeout(grace, self.tasks.wait()).await.is_err() {
            for active in self.lock().active.values() {
                if let Some(abort) = &active.abort {
                    abort.abort();
                }
            }
            self.tasks.wait().await;
            // Who was aborted did not leave by itself.
            self.lock().active.values().for_each(|active| active.gone.cancel());
        }
    }

    fn spawn(self: &Arc<Self>, inner: &mut Inner, run: RunId, fresh: Option<(Arc<Plan>, Fresh)>) {
        let bell = Arc::new(Notify::new());
        let task = own(self.clone(), run, bell.clone(), fresh);
        let abort = self.tasks.spawn(task).abort_handle();
        inner.active.insert(run, Active { bell, abort: Some(abort), rung: false, gone: CancellationToken::new() });
    }

    /// The actor is gone: makes room, and does what its exit asks for.
    fn leave(self: &Arc<Self>, run: RunId, exit: Exit) {
        let mut inner = self.lock();
        let left = inner.active.remove(&run);
        let rung = left.as_ref().is_some_and(|active| active.rung);
        self.env.live.forget(run);
        if !matches!(exit, Exit::Broken(_)) {
            inner.broken.remove(&run);
        }
        match exit {
            Exit::Done => {}
            Exit::Parked(_) if rung => {
                inner.queue.push_front(run);
                inner.queued.insert(run);
            }
            Exit::Parked(due) => {
                inner.sleeping.insert((due, run));
                self.timer.notify_one();
            }
            Exit::Broken(reason) => {
                let times = inner.broken.entry(run).or_insert(0);
                let pause = BROKEN_PAUSE * 2u32.pow((*times).min(MOST_DOUBLINGS));
                *times += 1;
                tracing::error!(%run, reason, ?pause, "the run cannot go on; it is tried again after a pause");
                let again = self.env.clock.now().plus_millis(pause.as_millis() as u64);
                inner.sleeping.insert((again, run));
                self.timer.notify_one();
            }
        }
        while inner.active.len() < self.max_active && !inner.closed {
            let Some(next) = inner.queue.pop_front() else { break };
            inner.queued.remove(&next);
            if !inner.active.contains_key(&next) {
                self.spawn(&mut inner, next, None);
            }
        }
        drop(inner);
        if let Some(left) = left {
            left.gone.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The life of an actor, from the journal to its exit. A panic in one run ends that run's task and touches no other.
async fn own(registry: Arc<Registry>, run: RunId, bell: Arc<Notify>, fresh: Option<(Arc<Plan>, Fresh)>) {
    let env = registry.env.clone();
    let life = AssertUnwindSafe(async {
        match fresh {
            Some((plan, fresh)) => {
                let state = RunState::new(&plan);
                Actor { env, run, plan, state, bell }.drive(Some(fresh)).await
            }
            None => match snapshot(&env, run, None).await {
                Ok(Some(snapshot)) if snapshot.state.status.is_final() => Exit::Done,
                Ok(Some(snapshot)) => Actor { env, run, plan: snapshot.plan, state: snapshot.state, bell }.drive(None).await,
                Ok(None) => Exit::Done,
                Err(SnapshotError::CannotPlan(failure)) => give_up(&env, run, failure).await,
                Err(SnapshotError::Store(error)) => Exit::Broken(error.to_string()),
            },
        }
    });
    let exit = match life.catch_unwind().await {
        Ok(exit) => exit,
        Err(_panic) => Exit::Broken("a fault inside FlowTrace; the log above has the details".to_owned()),
    };
    registry.leave(run, exit);
}

/// Sleeps until the earliest wake-up, again and again, for as long as the registry lives.
async fn wake_sleepers(registry: Weak<Registry>) {
    loop {
        let Some(strong) = registry.upgrade() else { return };
        let now = strong.env.clock.now();
        let mut due = Vec::new();
        let next = {
            let mut inner = strong.lock();
            while let Some((at, run)) = inner.sleeping.first().copied().filter(|(at, _)| *at <= now) {
                inner.sleeping.remove(&(at, run));
                due.push(run);
            }
            inner.sleeping.first().map(|(at, _)| *at)
        };
        for run in due {
            strong.activate(run);
        }
        // A long sleep is cut, so that a registry that is gone lets its task go too.
        let pause = next.map_or(Duration::from_secs(60), |at| Duration::from_micros(at.0.saturating_sub(now.0)));
        let pause = pause.min(Duration::from_secs(60));
        tokio::select! {
            biased;
            () = strong.timer.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Ends a run whose document this version cannot plan: without a plan there is no state, only the fact.
async fn give_up(env: &Env, run: RunId, error: Failure) -> Exit {
    let end = async {
        let Some(mut row) = env.store.run(run).await? else { return Ok(()) };
        let mut last = (0, row.started_at);
        while let Some(event) = env.store.read(run, last.0, PAGE).await?.last() {
            last = (event.seq, event.ts);
        }
        let ts = env.clock.now().max(last.1);
        row.status = RunStatus::Failed.as_str().to_owned();
        row.finished_at = Some(ts);
        row.error_summary = Some(error.message.clone());
        let body = Body::RunFailed { error, failed_step: None, partial: None };
        let events = vec![Event { seq: last.0 + 1, ts, step: None, body }];
        env.store.append(Append { stream: run, expected: last.0, events, run: Some(row), ..Append::default() }).await
    };
    match end.await {
        Ok(()) => Exit::Done,
        Err(error) => Exit::Broken(error.to_string()),
    }
}

#[derive(Debug, thiserror::Error)]
pub(super) enum SnapshotError {
    #[error("{0}")]
    CannotPlan(Failure),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Folds the journal of a run, up to `at_seq` if given.
pub(super) async fn snapshot(env: &Env, run: RunId, at_seq: Option<u64>) -> Result<Option<Snapshot>, SnapshotError> {
    let mut events = env.store.read(run, 0, PAGE).await?;
    let Some(Event { body: Body::RunStarted(started), .. }) = events.first() else { return Ok(None) };
    let Planned { graph_json, plan } = planned(env, run, started).await?;
    let mut state = RunState::new(&plan);
    'pages: while !events.is_empty() {
        for event in &events {
            if at_seq.is_some_and(|at| event.seq > at) {
                break 'pages;
            }
            state.apply(&plan, event).map_err(|error| StoreError::Corrupt(format!("run {run}: {error}")))?;
        }
        if state.status.is_final() {
            // Nothing follows.
            break;
        }
        events = env.store.read(run, state.seq, PAGE).await?;
    }
    // Their rows were written with the events that stopped them.
    state.take_stopped();
    Ok(Some(Snapshot { plan, state, graph_json }))
}

/// The document of a run and its plan, with the workflows linked that it was started with.
pub(super) async fn planned(env: &Env, run: RunId, started: &RunStarted) -> Result<Planned, SnapshotError> {
    let key = plan_key(&started.workflow.hash, &started.linked);
    if let Some(planned) = env.plans.get(&key) {
        return Ok(planned);
    }
    let document = async |hash: &Arc<str>| -> Result<Arc<str>, SnapshotError> {
        env.store
            .document(hash)
            .await?
            .ok_or_else(|| StoreError::Corrupt(format!("the workflow document {hash} of run {run} is not in the store")).into())
    };
    let refused = |hash: &Arc<str>, problems: Vec<flowtrace_core::problem::Problem>| {
        SnapshotError::CannotPlan(cannot_plan(hash, &problems))
    };
    let hash = &started.workflow.hash;
    let graph_json = document(hash).await?;
    let mut plan = Plan::compile(graph_json.as_bytes()).map_err(|problems| refused(hash, problems))?;
    for link in &started.linked {
        let hash = &link.workflow.hash;
        let json = document(hash).await?;
        plan.link((link.name.clone(), link.asked), json.as_bytes()).map_err(|problems| refused(hash, problems))?;
    }
    let planned = Planned { graph_json, plan: Arc::new(plan) };
    env.plans.insert(key, planned.clone());
    Ok(planned)
}

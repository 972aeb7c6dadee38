//! The owner of one active run: turn, append, act, wait, again. A run that only waits for a time gives up its memory.

use super::perform::{Finished, perform};
use super::turn::{Memory, Turn, TurnError};
use super::{Env, StartError};
use crate::port::store::{Append, AppendError, IdempotencyKey, InboxItem, InboxRequest, StoreError, WakeupChange};
use flowtrace_core::decide::next_due;
use flowtrace_core::event::{Body, RunStarted};
use flowtrace_core::id::{RunId, Timestamp};
use flowtrace_core::plan::Plan;
use flowtrace_core::state::{RunState, StepIx};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, oneshot};
use tokio::task::{AbortHandle, JoinSet};

/// A run that has nothing to do for longer than this leaves memory until then.
const PARK_AFTER: Duration = Duration::from_secs(30);

/// How often an append is tried again while the disk is full.
const STORE_RETRY: Duration = Duration::from_secs(2);

/// The time of a wake-up that never comes: the run waits for a person, a signal or the end of a pause.
pub(crate) const FOREVER: Timestamp = Timestamp(i64::MAX as u64);

pub(crate) struct Fresh {
    pub started: RunStarted,
    pub idempotency: Option<IdempotencyKey>,
    pub answer: oneshot::Sender<Result<(), StartError>>,
}

/// Why an actor stopped.
#[derive(Debug)]
pub(crate) enum Exit {
    /// The run has ended, or it never came to be.
    Done,
    /// Nothing to do before this time; [`FOREVER`]: before somebody asks for something.
    Parked(Timestamp),
    /// The run cannot go on in this process; the journal has it as it was.
    Broken(String),
}

pub(crate) struct Actor {
    pub env: Arc<Env>,
    pub run: RunId,
    pub plan: Arc<Plan>,
    pub state: RunState,
    /// Rung when something is in the run's inbox.
    pub bell: Arc<Notify>,
}

impl Actor {
    pub async fn drive(mut self, fresh: Option<Fresh>) -> Exit {
        let mut memory = Memory::default();
        let mut attempts: JoinSet<Finished> = JoinSet::new();
        let mut running: HashMap<StepIx, AbortHandle> = HashMap::new();
        let live = self.env.live.run(self.run);
        let mut finished: Vec<Finished> = Vec::new();
        let (mut answer, mut idempotency, mut started) = (None, None, None);
        if let Some(fresh) = fresh {
            (answer, idempotency, started) = (Some(fresh.answer), fresh.idempotency, Some(fresh.started));
        }
        let mut first = true;
        let mut look_in_inbox = started.is_none();
        // What was written by whoever parked the run has to be taken back by whoever wakes it.
        let mut parked = started.is_none();
        loop {
            let requests = match look_in_inbox {
                true => match self.env.store.inbox(self.run).await {
                    Ok(requests) => requests,
                    Err(error) => return Exit::Broken(error.to_string()),
                },
                false => Vec::new(),
            };
            look_in_inbox = false;

            let mut turn = Turn::new(&self.env, self.run, &self.plan, &mut self.state, &mut memory);
            let built = build(&mut turn, first, started.take(), &requests, finished.drain(..)).await;
            if let Err(error) = built {
                return match error {
                    TurnError::Store(error) => Exit::Broken(error.to_string()),
                    TurnError::Corrupt(error) => Exit::Broken(error.to_string()),
                };
            }
            first = false;
            // A request that changed nothing leaves the inbox as well.
            if !turn.is_empty() || !requests.is_empty() {
                let mut append = turn.append();
                let effects = std::mem::take(&mut turn.effects);
                let landings = std::mem::take(&mut turn.landings);
                let over = std::mem::take(&mut turn.over);
                let (more, stopped) = (turn.more, std::mem::take(&mut turn.stopped));
                append.handled = requests.iter().map(|request| request.id).collect();
                append.idempotency = idempotency.take();
                let park = (!more && effects.is_empty() && attempts.is_empty()).then(|| self.park_until()).flatten();
                if parked || park.is_some() {
                    append.wakeups.push(WakeupChange { step: None, due: park });
                }
                parked = park.is_some();
                for ix in stopped {
                    if let Some(attempt) = running.remove(&ix) {
                        attempt.abort();
                    }
                }
                if self.state.status.is_final() {
                    attempts.abort_all();
                }
                if let Err(exit) = self.commit(append, &mut answer).await {
                    return exit;
                }
                for (flight, cached) in landings {
                    if let Some(cached) = cached {
                        flight.land(cached);
                    }
                }
                for (step, request, attempt) in over {
                    live.clear(&step, request, attempt);
                }
                if self.state.status.is_final() {
                    return Exit::Done;
                }
                for effect in effects {
                    let ix = effect.ix;
                    running.insert(ix, attempts.spawn(perform(self.env.clone(), live.clone(), effect)));
                }
                running.retain(|_, attempt| !attempt.is_finished());
                if more {
                    continue;
                }
            }
            if attempts.is_empty()
                && let Some(due) = self.park_until()
                && parked
            {
                return Exit::Parked(due);
            }
            if attempts.is_empty() && self.env.is_draining() {
                return Exit::Done;
            }
            self.wait(&mut attempts, &mut finished, &mut look_in_inbox).await;
        }
    }

    /// Waits for an outcome, a request or a time, and takes every outcome that is there.
    async fn wait(&self, attempts: &mut JoinSet<Finished>, finished: &mut Vec<Finished>, look_in_inbox: &mut bool) {
        let due = next_due(&self.state);
        let pause = due.map(|due| Duration::from_micros(due.0.saturating_sub(self.env.clock.now().0)));
        tokio::select! {
            biased;
            () = self.bell.notified() => *look_in_inbox = true,
            Some(outcome) = attempts.join_next() => keep(outcome, finished),
            () = tokio::time::sleep(pause.unwrap_or_default()), if pause.is_some() => {}
        }
        // Outcomes that come together go into one turn and one sync: as long as more have come, the next ones get a chance to.
        let mut seen = 0;
        loop {
            while let Some(outcome) = attempts.try_join_next() {
                keep(outcome, finished);
            }
            if finished.len() == seen || attempts.is_empty() {
                return;
            }
            seen = finished.len();
            tokio::task::yield_now().await;
        }
    }

    /// The time until which nothing can happen, if that is long enough to give up the memory.
    fn park_until(&self) -> Option<Timestamp> {
        // Who stops has not decided what is next, so only the next process knows whether there is something to do.
        if self.env.is_draining() {
            return None;
        }
        if self.state.status.is_final() || (self.state.in_flight().len() == 0 && !self.state.paused) {
            return None;
        }
        let Some(due) = next_due(&self.state) else { return Some(FOREVER) };
        let pause = due.0.saturating_sub(self.env.clock.now().0);
        (pause > PARK_AFTER.as_micros() as u64).then_some(due)
    }

    /// Makes the turn durable. A full disk is waited out, because the outcomes in hand were paid for; a new run is refused.
    async fn commit(&self, append: Append, answer: &mut Option<oneshot::Sender<Result<(), StartError>>>) -> Result<(), Exit> {
        loop {
            match self.env.store.append(append.clone()).await {
                Ok(()) => {
                    if let Some(answer) = answer.take() {
                        let _ = answer.send(Ok(()));
                    }
                    return Ok(());
                }
                Err(error) => {
                    if let Some(answer) = answer.take() {
                        let _ = answer.send(Err(error.into()));
                        return Err(Exit::Done);
                    }
                    match error {
                        AppendError::Store(
                            error @ (StoreError::Full(_) | StoreError::ReadOnly(_) | StoreError::Unavailable(_)),
                        ) => {
                            tracing::error!(run = %self.run, %error, "the run cannot be written; trying again");
                            tokio::time::sleep(STORE_RETRY).await;
                        }
                        other => return Err(Exit::Broken(other.to_string())),
                    }
                }
            }
        }
    }
}

async fn build(
    turn: &mut Turn<'_>,
    first: bool,
    started: Option<RunStarted>,
    requests: &[InboxItem],
    finished: impl Iterator<Item = Finished>,
) -> Result<(), TurnError> {
    if let Some(started) = started {
        turn.record(Body::RunStarted(Arc::new(started)))?;
    }
    // What is cancelled is not begun again; everything else that was asked for finds the run as it is when it has been opened.
    let (cancels, others): (Vec<_>, Vec<_>) =
        requests.iter().partition(|item| matches!(item.request, InboxRequest::Cancel { .. }));
    for item in cancels {
        turn.request_from(&item.request).await?;
    }
    // What was decided before the run was opened is about what was asked before: not about a call that is found interrupted now.
    let others: Vec<_> = others.into_iter().filter(|item| !first || !turn.is_late(&item.request)).collect();
    if first {
        turn.open()?;
    }
    for item in others {
        turn.request_from(&item.request).await?;
    }
    for outcome in finished {
        turn.complete(outcome).await?;
    }
    turn.settle().await
}

/// An attempt that was aborted has no outcome; its run is over or about to be.
fn keep(outcome: Result<Finished, tokio::task::JoinError>, finished: &mut Vec<Finished>) {
    match outcome {
        Ok(outcome) => finished.push(outcome),
        Err(error) if error.is_cancelled() => {}
        Err(error) => tracing::error!(%error, "an attempt ended without an outcome"),
    }
}

//! Runs as they were when somebody last asked. A page of steps, one step, or the totals of a run each need its whole fold; a
//! reader who goes through a run of 10,000 steps would fold 40,000 events for every page. The fold of before goes on from
//! its last event instead, and where the run has ended it is simply the answer: nothing follows an end.

use flowtrace_core::id::RunId;
use flowtrace_core::payload::Payload;
use flowtrace_core::state::StepState;
use flowtrace_engine::host::{Host, Snapshot};
use flowtrace_engine::port::store::StoreError;
use moka::sync::Cache;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// Bytes of all folds that are kept, roughly. A run that alone is larger is folded each time.
const KEPT_BYTES: u64 = 96 << 20;

/// Runs of fewer events are folded each time: that takes less than a few milliseconds.
const WORTH_KEEPING: u64 = 500;

/// A fold that nobody asked for in this long is dropped.
const IDLE: Duration = Duration::from_secs(300);

/// Events that are read from the journal at once.
const PAGE: usize = 1000;

pub struct Folds {
    known: Cache<RunId, Arc<Snapshot>>,
}

impl Default for Folds {
    fn default() -> Self {
        let known = Cache::builder()
            .max_capacity(KEPT_BYTES)
            .weigher(|_: &RunId, snapshot: &Arc<Snapshot>| u32::try_from(weight(snapshot)).unwrap_or(u32::MAX))
            .time_to_idle(IDLE)
            .build();
        Folds { known }
    }
}

impl Folds {
    /// The run after its last committed event; `None` if there is no such run.
    pub async fn latest(&self, host: &Host, run: RunId) -> Result<Option<Arc<Snapshot>>, StoreError> {
        let now = match self.known.get(&run) {
            Some(known) if known.state.status.is_final() => return Ok(Some(known)),
            Some(known) => match go_on(host, run, &known).await? {
                None => return Ok(Some(known)),
                Some(now) => Arc::new(now),
            },
            None => match host.snapshot(run, None).await? {
                None => return Ok(None),
                Some(now) => Arc::new(now),
            },
        };
        // Of two requests at once the slower one may put the older fold: the next one goes on from there all the same.
        if now.state.seq >= WORTH_KEEPING {
            self.known.insert(run, now.clone());
        }
        Ok(Some(now))
    }
}

/// `known` with what was committed since; `None` if that is nothing.
async fn go_on(host: &Host, run: RunId, known: &Snapshot) -> Result<Option<Snapshot>, StoreError> {
    let mut events = host.store().read(run, known.state.seq, PAGE).await?;
    if events.is_empty() {
        return Ok(None);
    }
    let mut state = known.state.clone();
    while !events.is_empty() {
        for event in &events {
            state.apply(&known.plan, event).map_err(|error| StoreError::Corrupt(format!("run {run}: {error}")))?;
        }
        if state.status.is_final() {
            break;
        }
        events = host.store().read(run, state.seq, PAGE).await?;
    }
    Ok(Some(Snapshot { plan: known.plan.clone(), state, graph_json: known.graph_json.clone() }))
}

/// Bytes in memory, roughly: the values count most.
fn weight(snapshot: &Snapshot) -> usize {
    let step = |step: &StepState| {
        let values = [&step.input, &step.output, &step.call].into_iter().flatten();
        size_of::<StepState>() + values.map(payload).sum::<usize>()
    };
    snapshot.graph_json.len() * 4 + snapshot.state.steps.iter().map(step).sum::<usize>()
}

fn payload(payload: &Payload) -> usize {
    match payload {
        Payload::Inline(json) => value(json),
        Payload::Blob(reference) => 200 + reference.preview.len(),
    }
}

/// Inline values are a few kB at most, and not deeply nested.
fn value(json: &Value) -> usize {
    size_of::<Value>()
        + match json {
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(value).sum(),
            Value::Object(fields) => fields.iter().map(|(name, field)| 48 + name.len() + value(field)).sum(),
            _ => 0,
        }
}

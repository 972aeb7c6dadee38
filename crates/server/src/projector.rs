//! Copies the engine's runs into the span store, so that search and explorer see them beside what SDKs send.
//!
//! The journal stays the truth: what is copied can be copied again and gives the same spans. A file in the data directory says up
//! to which run everything was copied, so that a restart goes on from there.

use crate::app::Shared;
use flowtrace_core::id::{RunId, SpanId, StreamId};
use flowtrace_core::payload::Payload;
use flowtrace_core::trace::facts::OPEN;
use flowtrace_core::trace::of_run;
use flowtrace_engine::port::span_store::SpanStoreError;
use flowtrace_engine::port::store::{RunQuery, RunRow, StoreError};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How often the journal is looked at.
const EVERY: Duration = Duration::from_millis(500);

/// Runs that one look copies at most; the rest comes with the next.
const RUNS: usize = 200;

/// Ids of runs are in the order of their starts but for those that started within this time, in milliseconds.
const DISORDER_MS: u128 = 2_000;

/// Events that are read at once.
const PAGE: usize = 2048;

pub struct Projector {
    app: Shared,
    file: PathBuf,
    /// Every run up to this one is known.
    top: RunId,
    /// Runs that are not over, or whose end is not copied yet, with the event up to which they were copied.
    pending: BTreeMap<RunId, u64>,
    /// Runs in the time of disorder that are copied whole.
    done: BTreeSet<RunId>,
    /// Where the last look stopped.
    after: RunId,
    saved: RunId,
}

/// Runs until the server stops.
pub async fn run(app: Shared, data: PathBuf) {
    let file = data.join("projected");
    let saved = read(&file);
    let mut projector = Projector {
        app: app.clone(),
        file,
        top: saved,
        pending: BTreeMap::new(),
        done: BTreeSet::new(),
        after: RunId::default(),
        saved,
    };
    loop {
        if let Err(error) = projector.look().await {
            tracing::warn!(%error, "runs could not be copied into the span store; this is tried again");
        }
        tokio::select! {
            () = app.shutdown.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

fn read(file: &Path) -> RunId {
    std::fs::read_to_string(file).ok().and_then(|text| RunId::parse(text.trim())).unwrap_or_default()
}

impl Projector {
    async fn look(&mut self) -> Result<(), SpanStoreError> {
        self.discover().await?;
        let mut ids: Vec<RunId> =
            self.pending.range(self.after..).map(|(id, _)| *id).filter(|id| *id > self.after).take(RUNS).collect();
        self.after = ids.last().copied().unwrap_or_default();
        if ids.len() < RUNS {
            let rest = RUNS - ids.len();
            ids.extend(
                self.pending
                    .keys()
                    .take_while(|id| ids.first().is_none_or(|first| *id < first))
                    .take(rest)
                    .copied()
                    .collect::<Vec<_>>(),
            );
        }
        for id in ids {
            if self.app.shutdown.is_cancelled() {
                return Ok(());
            }
            self.copy(id).await?;
        }
        self.save();
        Ok(())
    }

    /// Takes in the runs that started since the last look.
    async fn discover(&mut self) -> Result<(), StoreError> {
        let known = StreamId(self.top.0.saturating_sub(DISORDER_MS << 80));
        let mut before = None;
        let mut top = self.top;
        let mut found = Vec::new();
        loop {
            let rows = self.app.store.runs(RunQuery { before, limit: 200, ..RunQuery::default() }).await?;
            let Some(last) = rows.last() else { break };
            before = Some(last.id);
            let end = last.id <= known;
            top = rows.iter().map(|row| row.id).max().unwrap_or(top).max(top);
            found.extend(rows.into_iter().filter(|row| row.id > known));
            if end {
                break;
            }
        }
        for row in found {
            if self.pending.contains_key(&row.id) || self.done.contains(&row.id) {
                continue;
            }
            // After a restart, the root of a run says whether it was copied whole.
            if row.id <= self.top && self.copied(&row).await? {
                self.done.insert(row.id);
            } else {
                self.pending.insert(row.id, 0);
            }
        }
        self.top = top;
        self.done = self.done.split_off(&StreamId(top.0.saturating_sub(DISORDER_MS << 80)));
        Ok(())
    }

    async fn copied(&self, row: &RunRow) -> Result<bool, StoreError> {
        let Some(trace) = flowtrace_core::id::TraceId::parse(&row.trace_id) else { return Ok(true) };
        let root = match self.app.spans.span(trace, SpanId::derive(row.id, "", 0, 0)).await {
            Ok(root) => root,
            Err(SpanStoreError::Store(error)) => return Err(error),
            Err(_) => None,
        };
        Ok(root.is_some_and(|root| !root.attributes.contains_key(OPEN)))
    }

    async fn copy(&mut self, id: RunId) -> Result<(), SpanStoreError> {
        let Some(row) = self.app.store.run(id).await? else {
            self.pending.remove(&id);
            return Ok(());
        };
        let over = row.finished_at.is_some();
        let copied = self.pending.get(&id).copied().unwrap_or(0);
        let head = *self.app.store.watch(id).borrow();
        // A run under way is copied again when it has grown by a quarter, so that a long one is not copied for each event.
        if !over && head < copied + copied / 4 + 1 {
            return Ok(());
        }
        let mut events = Vec::new();
        loop {
            let page = self.app.store.read(id, events.len() as u64, PAGE).await?;
            if page.is_empty() {
                break;
            }
            events.extend(page);
        }
        let name = self.name(&row).await?;
        let mut values: HashMap<Arc<str>, Arc<Value>> = HashMap::new();
        let mut bytes = 0;
        for payload in of_run::payloads(&events) {
            if let Payload::Blob(blob) = payload {
                bytes += blob.bytes as usize;
                values.insert(blob.hash.clone(), self.app.host.value(payload).await?);
            }
        }
        let resolve = |payload: &Payload| match payload {
            Payload::Inline(value) => Some(value.clone()),
            Payload::Blob(blob) => values.get(&blob.hash).cloned(),
        };
        let spans = of_run::spans(id, &name, &events, &resolve);
        drop(values);
        let admission = loop {
            match self.app.spans.admit(bytes + spans.len() * 512) {
                Ok(admission) => break admission,
                Err(SpanStoreError::Overloaded { retry_after }) => tokio::time::sleep(retry_after).await,
                Err(error) => return Err(error),
            }
        };
        self.app.spans.write(spans.into_iter().map(Into::into).collect(), admission).await?;
        if over {
            self.pending.remove(&id);
            self.done.insert(id);
        } else {
            self.pending.insert(id, events.len() as u64);
        }
        Ok(())
    }

    async fn name(&self, row: &RunRow) -> Result<String, StoreError> {
        if let Some(id) = &row.workflow_id
            && let Some(workflow) = self.app.store.workflow(id).await?
        {
            return Ok(workflow.name);
        }
        Ok(row.workflow_id.clone().unwrap_or_else(|| "run".to_owned()))
    }

    /// Remembers up to which run everything is copied. What is lost of this is copied once more.
    fn save(&mut self) {
        let done = self.pending.keys().next().map_or(self.top, |first| StreamId(first.0.saturating_sub(1)));
        if done == self.saved {
            return;
        }
        let new = self.file.with_extension("new");
        let written = std::fs::write(&new, done.to_string()).and_then(|()| std::fs::rename(&new, &self.file));
        match written {
            Ok(()) => self.saved = done,
            Err(error) => tracing::warn!(%error, "{} cannot be written", self.file.display()),
        }
    }
}

//! A store in memory, for the simulator and for tests. It has no threads, timers or randomness: every call is carried out
//! completely when its future is first polled. "Durable" means here that the `MemoryStore` outlives the host that uses it: a
//! simulated crash drops the host and keeps the `Arc` of the store.

use crate::port::BoxFuture;
use crate::port::store::*;
use flowtrace_core::event::Event;
use flowtrace_core::id::{RunId, StepPath, StreamId, Timestamp};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

#[derive(Debug, Default)]
pub struct MemoryStore {
    tables: Mutex<Tables>,
}

#[derive(Debug, Default)]
struct Tables {
    streams: BTreeMap<StreamId, Stream>,
    watchers: HashMap<StreamId, watch::Sender<u64>>,
    blobs: HashMap<Arc<str>, Arc<[u8]>>,
    runs: BTreeMap<RunId, RunRow>,
    steps: HashMap<RunId, Vec<StepRow>>,
    wakeups: BTreeMap<(StreamId, Option<StepPath>), Timestamp>,
    approvals: BTreeMap<(RunId, StepPath), ApprovalRow>,
    inbox: BTreeMap<i64, (String, InboxItem)>,
    last_inbox_id: i64,
    idempotency: HashMap<String, Used>,
    cache: HashMap<String, CacheRow>,
    workflows: BTreeMap<String, Stored>,
    documents: HashMap<String, Arc<str>>,
    bindings: BTreeMap<String, ProviderBinding>,
    meta: BTreeMap<String, Value>,
}

#[derive(Debug, Default)]
struct Stream {
    events: Vec<Event>,
}

#[derive(Debug)]
struct Used {
    run: RunId,
    fingerprint: String,
    at: Timestamp,
}

#[derive(Debug)]
struct Stored {
    current: Workflow,
    versions: Vec<WorkflowVersion>,
    draft: Option<Draft>,
    deleted: bool,
}

impl MemoryStore {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// A panic elsewhere cannot leave the tables half written, because everything is checked before anything is written.
    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<'a, R: Send + 'a>(&'a self, work: impl FnOnce(&mut Tables) -> R + Send + 'a) -> BoxFuture<'a, R> {
        Box::pin(async move { work(&mut self.lock()) })
    }
}

impl Tables {
    fn head(&self, stream: StreamId) -> u64 {
        self.streams.get(&stream).map_or(0, |stream| stream.events.len() as u64)
    }

    fn append_many(&mut self, appends: Vec<Append>) -> Result<(), AppendError> {
        self.check(&appends)?;
        for append in &appends {
            self.write(append);
        }
        for append in appends {
            let head = self.head(append.stream);
            if let Some(watcher) = self.watchers.get(&append.stream) {
                watcher.send_replace(head);
                if watcher.is_closed() {
                    self.watchers.remove(&append.stream);
                }
            }
        }
        Ok(())
    }

    /// Everything that can refuse an append, before anything is written.
    fn check(&self, appends: &[Append]) -> Result<(), AppendError> {
        let mut heads = HashMap::new();
        let mut keys: HashMap<&str, (RunId, &str)> = HashMap::new();
        for append in appends {
            append.check()?;
            if let Some(IdempotencyKey { key, fingerprint }) = &append.idempotency {
                if let Some(used) = self.idempotency.get(key).filter(|used| !IdempotencyKey::expired(used.at, append.ts())) {
                    return Err(AppendError::Duplicate { run: used.run, fingerprint: used.fingerprint.clone() });
                }
                if let Some((run, fingerprint)) = keys.insert(key, (append.stream, fingerprint)) {
                    return Err(AppendError::Duplicate { run, fingerprint: fingerprint.to_string() });
                }
            }
            let head = heads.entry(append.stream).or_insert_with(|| self.head(append.stream));
            if *head != append.expected {
                return Err(AppendError::Conflict { actual: *head });
            }
            *head = append.head();
        }
        Ok(())
    }

    fn write(&mut self, append: &Append) {
        let stream = append.stream;
        if !append.events.is_empty() {
            self.streams.entry(stream).or_default().events.extend(append.events.iter().cloned());
        }
        for blob in &append.blobs {
            self.blobs.entry(blob.hash.clone()).or_insert_with(|| blob.json.clone());
        }
        if let Some(run) = &append.run {
            self.runs.insert(run.id, run.clone());
            if run.finished_at.is_some() {
                self.inbox.retain(|_, (_, item)| item.stream != stream);
            }
        }
        if !append.steps.is_empty() {
            self.steps.entry(stream).or_default().extend(append.steps.iter().cloned());
        }
        for change in &append.wakeups {
            let key = (stream, change.step.clone());
            match change.due {
                Some(due) => self.wakeups.insert(key, due),
                None => self.wakeups.remove(&key),
            };
        }
        for row in &append.approvals {
            self.approvals.insert((row.run, row.path.clone()), row.clone());
        }
        for row in &append.cache {
            self.cache.insert(row.key.clone(), row.clone());
        }
        for id in &append.handled {
            if self.inbox.get(id).is_some_and(|(_, item)| item.stream == stream) {
                self.inbox.remove(id);
            }
        }
        if let Some(IdempotencyKey { key, fingerprint }) = &append.idempotency {
            let used = Used { run: stream, fingerprint: fingerprint.clone(), at: append.ts() };
            self.idempotency.insert(key.clone(), used);
        }
    }

    fn live(&mut self, id: &str) -> Result<&mut Stored, WorkflowError> {
        self.workflows.get_mut(id).filter(|stored| !stored.deleted).ok_or(WorkflowError::NotFound)
    }

    fn keep_document(&mut self, hash: &str, graph_json: &Arc<str>) {
        self.documents.entry(hash.to_string()).or_insert_with(|| graph_json.clone());
    }
}

impl Journal for MemoryStore {
    fn append(&self, append: Append) -> BoxFuture<'_, Result<(), AppendError>> {
        self.append_many(vec![append])
    }

    fn append_many(&self, appends: Vec<Append>) -> BoxFuture<'_, Result<(), AppendError>> {
        self.with(move |tables| tables.append_many(appends))
    }

    fn read(&self, stream: StreamId, after: u64, limit: usize) -> BoxFuture<'_, Result<Vec<Event>, StoreError>> {
        self.with(move |tables| {
            let events = tables.streams.get(&stream).map_or(&[][..], |stream| &stream.events);
            // Seqs are dense from 1, so `seq > after` is the slice from index `after`.
            let from = usize::try_from(after).unwrap_or(usize::MAX).min(events.len());
            Ok(events[from..].iter().take(limit).cloned().collect())
        })
    }

    fn watch(&self, stream: StreamId) -> watch::Receiver<u64> {
        let mut tables = self.lock();
        let head = tables.head(stream);
        tables.watchers.retain(|_, watcher| !watcher.is_closed());
        tables.watchers.entry(stream).or_insert_with(|| watch::Sender::new(head)).subscribe()
    }

    fn blob(&self, hash: &str) -> BoxFuture<'_, Result<Option<Arc<[u8]>>, StoreError>> {
        let hash = hash.to_string();
        self.with(move |tables| Ok(tables.blobs.get(&*hash).cloned()))
    }

    fn run(&self, id: RunId) -> BoxFuture<'_, Result<Option<RunRow>, StoreError>> {
        self.with(move |tables| Ok(tables.runs.get(&id).cloned()))
    }

    fn runs(&self, query: RunQuery) -> BoxFuture<'_, Result<Vec<RunRow>, StoreError>> {
        self.with(move |tables| {
            let wanted = |row: &&RunRow| {
                query.before.is_none_or(|before| row.id < before)
                    && query.status.as_ref().is_none_or(|status| row.status == *status)
                    && (query.workflow_id.is_none() || row.workflow_id == query.workflow_id)
                    && (query.session_id.is_none() || row.session_id == query.session_id)
            };
            Ok(tables.runs.values().rev().filter(wanted).take(query.limit).cloned().collect())
        })
    }

    fn steps(&self, run: RunId) -> BoxFuture<'_, Result<Vec<StepRow>, StoreError>> {
        self.with(move |tables| Ok(tables.steps.get(&run).cloned().unwrap_or_default()))
    }

    fn approvals(&self, query: ApprovalQuery) -> BoxFuture<'_, Result<Vec<ApprovalRow>, StoreError>> {
        self.with(move |tables| {
            let after = |row: &ApprovalRow| match &query.after {
                Some((run, path)) => row.run < *run || (row.run == *run && row.path > *path),
                None => true,
            };
            let wanted = |row: &&ApprovalRow| {
                query.open.is_none_or(|open| row.decision.is_none() == open)
                    && query.run.is_none_or(|run| row.run == run)
                    && after(row)
            };
            let mut found: Vec<ApprovalRow> = tables.approvals.values().filter(wanted).cloned().collect();
            found.sort_by(|a, b| b.run.cmp(&a.run).then_with(|| a.path.cmp(&b.path)));
            found.truncate(query.limit);
            Ok(found)
        })
    }

    fn open_approvals(&self) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.with(move |tables| Ok(tables.approvals.values().filter(|row| row.decision.is_none()).count() as u64))
    }

    fn parked(&self, runs: Vec<RunId>) -> BoxFuture<'_, Result<Vec<Parked>, StoreError>> {
        self.with(move |tables| {
            let asks = |run| tables.approvals.values().any(|row| row.run == run && row.decision.is_none());
            let parked = runs.into_iter().filter(|run| tables.wakeups.contains_key(&(*run, None)));
            Ok(parked.map(|run| Parked { run, asks: asks(run) }).collect())
        })
    }

    fn unfinished(&self) -> BoxFuture<'_, Result<Vec<RunId>, StoreError>> {
        self.with(move |tables| Ok(tables.runs.values().filter(|row| row.finished_at.is_none()).map(|row| row.id).collect()))
    }

    fn wakeups(&self) -> BoxFuture<'_, Result<Vec<Wakeup>, StoreError>> {
        self.with(move |tables| {
            let wakeup = |((stream, step), due): (&(StreamId, Option<StepPath>), &Timestamp)| Wakeup {
                stream: *stream,
                step: step.clone(),
                due: *due,
            };
            let mut all: Vec<Wakeup> = tables.wakeups.iter().map(wakeup).collect();
            // The sort is stable: wake-ups that are due together stay in the order of their runs and steps.
            all.sort_by_key(|wakeup| wakeup.due);
            Ok(all)
        })
    }
}

impl Inbox for MemoryStore {
    fn post(&self, stream: StreamId, key: String, request: InboxRequest) -> BoxFuture<'_, Result<bool, StoreError>> {
        self.with(move |tables| {
            let ended = tables.runs.get(&stream).is_some_and(|run| run.finished_at.is_some());
            if ended || tables.inbox.values().any(|(known, item)| item.stream == stream && *known == key) {
                return Ok(false);
            }
            tables.last_inbox_id += 1;
            let id = tables.last_inbox_id;
            tables.inbox.insert(id, (key, InboxItem { id, stream, request }));
            Ok(true)
        })
    }

    fn inbox(&self, stream: StreamId) -> BoxFuture<'_, Result<Vec<InboxItem>, StoreError>> {
        self.with(move |tables| {
            Ok(tables.inbox.values().filter(|(_, item)| item.stream == stream).map(|(_, item)| item.clone()).collect())
        })
    }
}

impl Cache for MemoryStore {
    fn cached(&self, key: &str, now: Timestamp) -> BoxFuture<'_, Result<Option<CacheRow>, StoreError>> {
        let key = key.to_string();
        self.with(move |tables| {
            let fresh = |row: &&CacheRow| row.expires_at.is_none_or(|expires_at| expires_at > now);
            Ok(tables.cache.get(&key).filter(fresh).cloned())
        })
    }

    fn clear_cache(&self) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.with(move |tables| Ok(std::mem::take(&mut tables.cache).len() as u64))
    }
}

impl Workflows for MemoryStore {
    fn create_workflow(&self, workflow: Workflow) -> BoxFuture<'_, Result<(), WorkflowError>> {
        self.with(move |tables| {
            if let Some(existing) = tables.workflows.get(&workflow.id) {
                return Err(WorkflowError::VersionConflict { expected: 0, actual: existing.current.version });
            }
            tables.keep_document(&workflow.hash, &workflow.graph_json);
            let first =
                WorkflowVersion { version: workflow.version, hash: workflow.hash.clone(), created_at: workflow.created_at };
            let id = workflow.id.clone();
            tables.workflows.insert(id, Stored { current: workflow, versions: vec![first], draft: None, deleted: false });
            Ok(())
        })
    }

    fn workflow(&self, id: &str) -> BoxFuture<'_, Result<Option<Workflow>, StoreError>> {
        let id = id.to_string();
        self.with(move |tables| Ok(tables.live(&id).ok().map(|stored| stored.current.clone())))
    }

    fn workflows(&self, after: Option<String>, limit: usize) -> BoxFuture<'_, Result<Vec<Workflow>, StoreError>> {
        self.with(move |tables| {
            let position = |workflow: &Workflow| (workflow.updated_at, workflow.id.clone());
            let cursor = match after {
                None => None,
                Some(id) => match tables.workflows.get(&id) {
                    Some(stored) => Some(position(&stored.current)),
                    None => return Ok(Vec::new()),
                },
            };
            let mut all: Vec<&Workflow> =
                tables.workflows.values().filter(|stored| !stored.deleted).map(|s| &s.current).collect();
            all.sort_by_cached_key(|workflow| std::cmp::Reverse(position(workflow)));
            let older = |workflow: &&Workflow| cursor.as_ref().is_none_or(|cursor| position(workflow) < *cursor);
            Ok(all.into_iter().filter(older).take(limit).cloned().collect())
        })
    }

    fn update_workflow(
        &self,
        id: &str,
        change: WorkflowChange,
        expected: Option<u32>,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Workflow, WorkflowError>> {
        let id = id.to_string();
        self.with(move |tables| {
            let stored = tables.live(&id)?;
            let actual = stored.current.version;
            if let Some(expected) = expected.filter(|expected| *expected != actual) {
                return Err(WorkflowError::VersionConflict { expected, actual });
            }
            let Some(next) = change.apply(&stored.current, now) else { return Ok(stored.current.clone()) };
            stored.current = next.clone();
            stored.versions.push(WorkflowVersion { version: next.version, hash: next.hash.clone(), created_at: now });
            tables.keep_document(&next.hash, &next.graph_json);
            Ok(next)
        })
    }

    fn delete_workflow(&self, id: &str, _now: Timestamp) -> BoxFuture<'_, Result<(), WorkflowError>> {
        let id = id.to_string();
        self.with(move |tables| tables.live(&id).map(|stored| stored.deleted = true))
    }

    fn undelete_workflow(&self, id: &str) -> BoxFuture<'_, Result<(), WorkflowError>> {
        let id = id.to_string();
        self.with(move |tables| tables.workflows.get_mut(&id).map(|stored| stored.deleted = false).ok_or(WorkflowError::NotFound))
    }

    fn workflow_versions(&self, id: &str) -> BoxFuture<'_, Result<Vec<WorkflowVersion>, StoreError>> {
        let id = id.to_string();
        self.with(move |tables| Ok(tables.workflows.get(&id).map(|stored| stored.versions.clone()).unwrap_or_default()))
    }

    fn put_draft(&self, id: &str, draft: Option<Draft>, expected: Option<DraftTag>) -> BoxFuture<'_, Result<(), WorkflowError>> {
        let id = id.to_string();
        self.with(move |tables| {
            let stored = tables.live(&id)?;
            let draft_at = stored.draft.as_ref().map(|draft| draft.updated_at);
            let actual = DraftTag { version: stored.current.version, draft: draft_at };
            if expected.is_some_and(|expected| expected != actual) {
                return Err(WorkflowError::DraftConflict);
            }
            stored.draft = draft;
            Ok(())
        })
    }

    fn draft(&self, id: &str) -> BoxFuture<'_, Result<Option<Draft>, StoreError>> {
        let id = id.to_string();
        self.with(move |tables| Ok(tables.live(&id).ok().and_then(|stored| stored.draft.clone())))
    }

    fn put_document(&self, hash: &str, graph_json: &str) -> BoxFuture<'_, Result<(), StoreError>> {
        let (hash, graph_json): (String, Arc<str>) = (hash.to_string(), graph_json.into());
        self.with(move |tables| {
            tables.keep_document(&hash, &graph_json);
            Ok(())
        })
    }

    fn document(&self, hash: &str) -> BoxFuture<'_, Result<Option<Arc<str>>, StoreError>> {
        let hash = hash.to_string();
        self.with(move |tables| Ok(tables.documents.get(&hash).cloned()))
    }

    fn bindings(&self) -> BoxFuture<'_, Result<Vec<ProviderBinding>, StoreError>> {
        self.with(move |tables| Ok(tables.bindings.values().cloned().collect()))
    }

    fn put_binding(&self, binding: ProviderBinding) -> BoxFuture<'_, Result<(), StoreError>> {
        self.with(move |tables| {
            tables.bindings.insert(binding.id.clone(), binding);
            Ok(())
        })
    }

    fn delete_binding(&self, id: &str) -> BoxFuture<'_, Result<bool, StoreError>> {
        let id = id.to_string();
        self.with(move |tables| Ok(tables.bindings.remove(&id).is_some()))
    }

    fn meta(&self, key: &str) -> BoxFuture<'_, Result<Option<Value>, StoreError>> {
        let key = key.to_string();
        self.with(move |tables| Ok(tables.meta.get(&key).cloned()))
    }

    fn put_meta(&self, key: &str, value: Value) -> BoxFuture<'_, Result<(), StoreError>> {
        let key = key.to_string();
        self.with(move |tables| {
            tables.meta.insert(key, value);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::store_conformance!((MemoryStore::new() as Arc<dyn Store>, ()));
}

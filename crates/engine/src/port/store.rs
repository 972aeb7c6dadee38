//! Where the journal and everything beside it lives. One conformance suite holds for every implementation.

use super::BoxFuture;
use flowtrace_core::call::CachedAnswer;
use flowtrace_core::event::Event;
use flowtrace_core::id::{RunId, StepPath, StreamId, Timestamp};
use flowtrace_core::payload::{Blob, Payload, sha256_hex};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::watch;

pub trait Store: Journal + Inbox + Cache + Workflows + Send + Sync {}
impl<T: Journal + Inbox + Cache + Workflows + Send + Sync> Store for T {}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The disk is full. Nothing was written; the same call may succeed later.
    #[error("the disk that holds the data directory is full: free some space, then try again ({0})")]
    Full(String),
    /// The data directory cannot be written.
    #[error("the data directory cannot be written: {0}")]
    ReadOnly(String),
    /// Data that cannot be read as what it should be.
    #[error("the store is damaged: {0}")]
    Corrupt(String),
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// A request that would damage the store, for instance an append with a gap in its seqs. A fault of FlowTrace itself.
    #[error("the store refused a request that makes no sense: {0}")]
    Invalid(String),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Somebody else appended first. Nothing was written.
    #[error("the stream is at {actual}, not where the append expected it")]
    Conflict { actual: u64 },
    /// The idempotency key was used before. Nothing was written.
    #[error("the idempotency key was used before")]
    Duplicate { run: RunId, fingerprint: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Everything that one turn of a run writes, atomically and with one sync.
#[derive(Clone, Debug, Default)]
pub struct Append {
    pub stream: StreamId,
    /// The seq of the stream's last event before this append; 0 for a new stream.
    pub expected: u64,
    /// Consecutive from `expected + 1`.
    pub events: Vec<Event>,
    pub blobs: Vec<Blob>,
    /// The run's summary as it is after these events.
    pub run: Option<RunRow>,
    /// The steps that ended with these events.
    pub steps: Vec<StepRow>,
    pub wakeups: Vec<WakeupChange>,
    /// What people are asked, or were, as it is after these events.
    pub approvals: Vec<ApprovalRow>,
    pub cache: Vec<CacheRow>,
    /// Inbox items that these events answer; they are removed.
    pub handled: Vec<i64>,
    /// Only on the first append of a run.
    pub idempotency: Option<IdempotencyKey>,
}

/// For how long an idempotency key is remembered, in microseconds: 24 hours, from the `ts` of the append that brought it.
pub const IDEMPOTENCY_MICROS: u64 = 24 * 60 * 60 * 1_000_000;

impl Append {
    /// The seq of the stream's last event after this append.
    pub fn head(&self) -> u64 {
        self.expected + self.events.len() as u64
    }

    /// When the append happens: the time of its first event. 0 without events.
    pub fn ts(&self) -> Timestamp {
        self.events.first().map_or(Timestamp(0), |event| event.ts)
    }

    /// Every store checks this first: seqs without gaps, and a summary that belongs to the stream.
    pub fn check(&self) -> Result<(), StoreError> {
        for (event, seq) in self.events.iter().zip(self.expected + 1..) {
            if event.seq != seq {
                let (stream, found) = (self.stream, event.seq);
                return Err(StoreError::Invalid(format!("an append to stream {stream} has event {found} where {seq} belongs")));
            }
        }
        match &self.run {
            Some(run) if run.id != self.stream => {
                Err(StoreError::Invalid(format!("an append to stream {} carries the summary of run {}", self.stream, run.id)))
            }
            _ => Ok(()),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The client's key, prefixed with what it is for.
    pub key: String,
    /// Hash of the request, to tell a repetition from a different request under the same key.
    pub fingerprint: String,
}

/// Sets (`Some`) or clears (`None`) the moment at which a run has to be looked at again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WakeupChange {
    pub step: Option<StepPath>,
    pub due: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wakeup {
    pub stream: StreamId,
    pub step: Option<StepPath>,
    pub due: Timestamp,
}

impl IdempotencyKey {
    /// Whether a key that was stored at `stored` no longer counts at `now`.
    pub fn expired(stored: Timestamp, now: Timestamp) -> bool {
        now.0.saturating_sub(stored.0) >= IDEMPOTENCY_MICROS
    }
}

/// A row of `workflow_runs`: the summary that lists show. Derived from the events in the same transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRow {
    pub id: RunId,
    pub workflow_id: Option<String>,
    pub workflow_version: Option<u32>,
    pub workflow_hash: Arc<str>,
    pub session_id: Option<String>,
    pub trace_id: String,
    pub triggered_by: String,
    /// `queued`, `running`, `succeeded`, `failed` or `canceled`.
    pub status: String,
    pub simulated: bool,
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub total_tokens: u64,
    pub total_cost_nanousd: u64,
    /// False when some call had no known price.
    pub cost_complete: bool,
    pub steps: u64,
    pub retries: u64,
    pub cache_hits: u64,
    pub error_summary: Option<String>,
    pub failed_step: Option<StepPath>,
}

/// A row of `run_steps`: a step that ended.
#[derive(Clone, Debug, PartialEq)]
pub struct StepRow {
    pub path: StepPath,
    pub node_id: Arc<str>,
    pub node_type: String,
    /// `succeeded`, `failed`, `skipped` or `canceled`.
    pub status: String,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub tokens_input: Option<u64>,
    pub tokens_output: Option<u64>,
    pub cost_nanousd: Option<u64>,
    pub error: Option<String>,
}

/// A row of `approvals`: what a person is or was asked. Its key is the run and the path.
#[derive(Clone, Debug, PartialEq)]
pub struct ApprovalRow {
    pub run: RunId,
    pub path: StepPath,
    pub node_id: Arc<str>,
    pub workflow_id: Option<String>,
    pub message: String,
    pub payload: Payload,
    /// Whether it is about a call that was interrupted, and not about going on.
    pub interrupted: bool,
    pub asked_at: Timestamp,
    pub deadline: Option<Timestamp>,
    /// `None` while it is open; then `approved`, `rejected`, `expired` or `canceled`.
    pub decision: Option<String>,
    pub decided_by: Option<String>,
    pub decided_at: Option<Timestamp>,
    pub reason: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub struct ApprovalQuery {
    /// Only open ones, or only decided ones.
    pub open: Option<bool>,
    pub run: Option<RunId>,
    /// Only those that come after this one in the order of the list.
    pub after: Option<(RunId, StepPath)>,
    pub limit: usize,
}

/// A run in which nothing can happen for a while: whoever ran it has let it go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parked {
    pub run: RunId,
    /// Whether a person is asked. If not, it is a time, a signal or the end of a pause.
    pub asks: bool,
}

#[derive(Clone, Debug, Default)]
pub struct RunQuery {
    pub status: Option<String>,
    pub workflow_id: Option<String>,
    pub session_id: Option<String>,
    /// Only runs older than this one (newest first).
    pub before: Option<RunId>,
    pub limit: usize,
}

pub trait Journal: Send + Sync {
    /// Durable when it answers. Events become visible to readers and watchers only after that.
    fn append(&self, append: Append) -> BoxFuture<'_, Result<(), AppendError>>;

    /// All or nothing over several streams.
    fn append_many(&self, appends: Vec<Append>) -> BoxFuture<'_, Result<(), AppendError>>;

    /// Events with `seq > after`, in order, at most about `limit` of them. Empty at the end.
    fn read(&self, stream: StreamId, after: u64, limit: usize) -> BoxFuture<'_, Result<Vec<Event>, StoreError>>;

    /// Follows the seq of the last committed event of a stream.
    fn watch(&self, stream: StreamId) -> watch::Receiver<u64>;

    /// The JSON text of a blob.
    fn blob(&self, hash: &str) -> BoxFuture<'_, Result<Option<Arc<[u8]>>, StoreError>>;

    fn run(&self, id: RunId) -> BoxFuture<'_, Result<Option<RunRow>, StoreError>>;

    /// Newest first.
    fn runs(&self, query: RunQuery) -> BoxFuture<'_, Result<Vec<RunRow>, StoreError>>;

    /// The rows of a run's ended steps, in the order in which they ended.
    fn steps(&self, run: RunId) -> BoxFuture<'_, Result<Vec<StepRow>, StoreError>>;

    /// By run, newest first, and path.
    fn approvals(&self, query: ApprovalQuery) -> BoxFuture<'_, Result<Vec<ApprovalRow>, StoreError>>;

    /// How many questions are open.
    fn open_approvals(&self) -> BoxFuture<'_, Result<u64, StoreError>>;

    /// Those of the runs that are parked, in the order of `runs`.
    fn parked(&self, runs: Vec<RunId>) -> BoxFuture<'_, Result<Vec<Parked>, StoreError>>;

    /// Runs that are not finished, oldest first.
    fn unfinished(&self) -> BoxFuture<'_, Result<Vec<RunId>, StoreError>>;

    /// All wake-ups, earliest first.
    fn wakeups(&self) -> BoxFuture<'_, Result<Vec<Wakeup>, StoreError>>;
}

/// A request to a run that its owner has not yet taken into the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxItem {
    pub id: i64,
    pub stream: StreamId,
    pub request: InboxRequest,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum InboxRequest {
    Cancel {
        by: String,
    },
    Pause {
        by: String,
    },
    Resume {
        by: String,
    },
    /// The answer to what a step asks a person.
    Decide {
        step: StepPath,
        approved: bool,
        /// Tells whose answer counted, where several come.
        key: String,
        /// What is approved instead of what was asked about.
        payload: Option<Value>,
        by: String,
        reason: Option<String>,
    },
    Signal {
        name: String,
        payload: Value,
        by: String,
    },
}

pub trait Inbox: Send + Sync {
    /// Puts a request under a client key; `false` if that key is there already for the stream, or if its run has ended: the append that
    /// ends a run empties its inbox, and nobody would ever look into it again.
    fn post(&self, stream: StreamId, key: String, request: InboxRequest) -> BoxFuture<'_, Result<bool, StoreError>>;

    /// What waits for one stream, oldest first.
    fn inbox(&self, stream: StreamId) -> BoxFuture<'_, Result<Vec<InboxItem>, StoreError>>;
}

#[derive(Clone, Debug, PartialEq)]
pub struct CacheRow {
    pub key: String,
    pub answer: CachedAnswer,
    pub created_at: Timestamp,
    /// `None`: never.
    pub expires_at: Option<Timestamp>,
}

pub trait Cache: Send + Sync {
    /// An entry that is not expired at `now`.
    fn cached(&self, key: &str, now: Timestamp) -> BoxFuture<'_, Result<Option<CacheRow>, StoreError>>;

    /// Removes everything; returns how many entries there were.
    fn clear_cache(&self) -> BoxFuture<'_, Result<u64, StoreError>>;
}

#[derive(Clone, Debug, PartialEq)]
pub struct Workflow {
    pub id: String,
    pub owner_id: Option<String>,
    pub name: String,
    pub description: Option<String>,
    /// From 1; every `PUT` that changes something makes the next.
    pub version: u32,
    pub hash: Arc<str>,
    /// The document exactly as it was sent, as JSON text.
    pub graph_json: Arc<str>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A document that may be invalid and never runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    pub graph_json: Arc<str>,
    pub updated_at: Timestamp,
}

/// What somebody who edits a workflow has read: a version, and the draft on top of it if there was one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DraftTag {
    pub version: u32,
    /// When the draft was written.
    pub draft: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct WorkflowVersion {
    pub version: u32,
    pub hash: Arc<str>,
    pub created_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkflowError {
    #[error("there is no such workflow")]
    NotFound,
    /// The workflow was changed since the client read it.
    #[error("the workflow is at version {actual}, not at {expected}")]
    VersionConflict { expected: u32, actual: u32 },
    /// The workflow or its draft was changed since the client read it.
    #[error("the draft was changed")]
    DraftConflict,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A row of `provider_bindings`: a default for llm nodes that name no provider or model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProviderBinding {
    pub id: String,
    pub owner_id: Option<String>,
    /// `None`: for the whole deployment.
    pub workflow_id: Option<String>,
    pub provider: String,
    pub model: String,
    pub temperature: Option<f64>,
}

pub trait Workflows: Send + Sync {
    /// Takes the workflow as version 1 and keeps its document. An id that is in use, even by a deleted workflow, is a
    /// `VersionConflict { expected: 0, .. }`.
    fn create_workflow(&self, workflow: Workflow) -> BoxFuture<'_, Result<(), WorkflowError>>;
    /// `None` for a deleted one.
    fn workflow(&self, id: &str) -> BoxFuture<'_, Result<Option<Workflow>, StoreError>>;
    /// Newest change first, without deleted ones, `limit` after skipping those up to the cursor (an id). Nothing
    /// follows a cursor that names no workflow.
    fn workflows(&self, after: Option<String>, limit: usize) -> BoxFuture<'_, Result<Vec<Workflow>, StoreError>>;
    /// Writes the next version and keeps its document. `expected`, where given, must be the current version. Returns the new
    /// state; a change that changes nothing leaves the version as it is.
    fn update_workflow(
        &self,
        id: &str,
        change: WorkflowChange,
        expected: Option<u32>,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Workflow, WorkflowError>>;
    /// Hides the workflow; its versions and runs stay. Restoring is an `undelete_workflow`.
    fn delete_workflow(&self, id: &str, now: Timestamp) -> BoxFuture<'_, Result<(), WorkflowError>>;
    fn undelete_workflow(&self, id: &str) -> BoxFuture<'_, Result<(), WorkflowError>>;
    /// Oldest first; also of a deleted workflow.
    fn workflow_versions(&self, id: &str) -> BoxFuture<'_, Result<Vec<WorkflowVersion>, StoreError>>;
    /// Sets the draft, or removes it. `expected`, where given, must be what there is, or it is a `DraftConflict`.
    fn put_draft(&self, id: &str, draft: Option<Draft>, expected: Option<DraftTag>) -> BoxFuture<'_, Result<(), WorkflowError>>;
    fn draft(&self, id: &str) -> BoxFuture<'_, Result<Option<Draft>, StoreError>>;

    /// Keeps a document under its hash, for runs that pin it. Idempotent.
    fn put_document(&self, hash: &str, graph_json: &str) -> BoxFuture<'_, Result<(), StoreError>>;
    fn document(&self, hash: &str) -> BoxFuture<'_, Result<Option<Arc<str>>, StoreError>>;

    /// In the order of their ids.
    fn bindings(&self) -> BoxFuture<'_, Result<Vec<ProviderBinding>, StoreError>>;
    fn put_binding(&self, binding: ProviderBinding) -> BoxFuture<'_, Result<(), StoreError>>;
    fn delete_binding(&self, id: &str) -> BoxFuture<'_, Result<bool, StoreError>>;

    /// Small facts about the deployment (for instance which demos were seeded).
    fn meta(&self, key: &str) -> BoxFuture<'_, Result<Option<Value>, StoreError>>;
    fn put_meta(&self, key: &str, value: Value) -> BoxFuture<'_, Result<(), StoreError>>;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkflowChange {
    pub name: Option<String>,
    pub description: Option<String>,
    pub graph_json: Option<Arc<str>>,
    /// Hash of `graph_json`; present exactly with it.
    pub hash: Option<Arc<str>>,
}

impl WorkflowChange {
    /// The next version of `current`, or `None` if nothing would change.
    pub fn apply(&self, current: &Workflow, now: Timestamp) -> Option<Workflow> {
        let mut next = current.clone();
        if let Some(name) = &self.name {
            next.name = name.clone();
        }
        if let Some(description) = &self.description {
            next.description = Some(description.clone());
        }
        if let Some(graph_json) = &self.graph_json {
            next.graph_json = graph_json.clone();
            next.hash = self.hash.clone().unwrap_or_else(|| sha256_hex(graph_json.as_bytes()).into());
        }
        if next == *current {
            return None;
        }
        next.version += 1;
        next.updated_at = now;
        Some(next)
    }
}

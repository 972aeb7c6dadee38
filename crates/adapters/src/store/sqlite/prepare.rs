//! An append as the writer wants it: everything encoded and compressed on the caller's thread, because the writer's time is what
//! all runs share.

use super::blobs::{BlobFiles, PreparedBlob};
use super::rows;
use flowtrace_core::event;
use flowtrace_core::id::{StreamId, Timestamp};
use flowtrace_engine::port::store::*;

#[derive(Debug)]
pub struct Prepared {
    pub stream: StreamId,
    /// The stream as the tables name it.
    pub key: String,
    pub expected: u64,
    pub head: u64,
    pub ts: Timestamp,
    pub count: usize,
    /// The stored form of the events; empty without events.
    pub events: String,
    pub blobs: Vec<PreparedBlob>,
    pub run: Option<RunRow>,
    /// `rows::shape` of `run`.
    pub shape: Option<u64>,
    pub steps: Vec<StepRow>,
    pub wakeups: Vec<WakeupChange>,
    pub approvals: Vec<ApprovalRow>,
    pub cache: Vec<PreparedCacheRow>,
    pub handled: Vec<i64>,
    pub idempotency: Option<IdempotencyKey>,
}

#[derive(Debug)]
pub struct PreparedCacheRow {
    pub key: String,
    pub response: String,
    pub tokens: Option<u64>,
    pub cost: Option<u64>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
}

impl Prepared {
    pub fn new(append: Append, files: &BlobFiles) -> Result<Prepared, StoreError> {
        append.check()?;
        let events = match append.events.as_slice() {
            [] => String::new(),
            events => String::from_utf8(event::encode(events))
                .map_err(|error| StoreError::Invalid(format!("encoded events are not text: {error}")))?,
        };
        Ok(Prepared {
            stream: append.stream,
            key: append.stream.to_string(),
            expected: append.expected,
            head: append.head(),
            ts: append.ts(),
            count: append.events.len(),
            events,
            blobs: append.blobs.iter().map(|blob| files.prepare(blob)).collect::<Result<_, _>>()?,
            cache: append.cache.into_iter().map(prepare_cache_row).collect::<Result<_, _>>()?,
            shape: append.run.as_ref().map(rows::shape),
            run: append.run,
            steps: append.steps,
            wakeups: append.wakeups,
            approvals: append.approvals,
            handled: append.handled,
            idempotency: append.idempotency,
        })
    }

    /// About how much memory and log space the append takes.
    pub fn weight(&self) -> usize {
        let blobs: usize = self.blobs.iter().map(|blob| blob.data.as_ref().map_or(0, Vec::len) + 128).sum();
        let cache: usize = self.cache.iter().map(|row| row.response.len() + 128).sum();
        512 + self.events.len() + blobs + cache + 256 * self.steps.len()
    }
}

fn prepare_cache_row(row: CacheRow) -> Result<PreparedCacheRow, StoreError> {
    let response = serde_json::to_string(&row.answer)
        .map_err(|error| StoreError::Invalid(format!("a cached answer cannot be written as JSON: {error}")))?;
    Ok(PreparedCacheRow {
        key: row.key,
        response,
        tokens: row.answer.answer.usage.map(|usage| usage.total()),
        cost: row.answer.cost_nanousd,
        created_at: row.created_at,
        expires_at: row.expires_at,
    })
}

//! Appending, reading and following.

use super::blobs::is_hash;
use super::error::store_error;
use super::prepare::Prepared;
use super::rows::{self, int, key};
use super::writer::Work;
use super::{IN_DATABASE, SqliteStore, apply, stopped};
use flowtrace_core::event::{self, Event};
use flowtrace_core::id::{RunId, StreamId, Timestamp};
use flowtrace_engine::port::BoxFuture;
use flowtrace_engine::port::store::*;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{oneshot, watch};

/// Appends whose blobs are longer than this together are compressed on a thread of their own.
const PREPARE_HERE: usize = 64 * 1024;

impl Journal for SqliteStore {
    fn append(&self, append: Append) -> BoxFuture<'_, Result<(), AppendError>> {
        self.append_many(vec![append])
    }

    /// An append whose caller stops waiting for it may still be committed.
    fn append_many(&self, appends: Vec<Append>) -> BoxFuture<'_, Result<(), AppendError>> {
        Box::pin(async move {
            let appends = self.prepare(appends).await?;
            let bytes = appends.iter().map(Prepared::weight).sum();
            let permit = self.room(bytes).await?;
            let (reply, answer) = oneshot::channel();
            self.send(Work::Append { appends, queued: Instant::now(), reply }, bytes, permit)?;
            answer.await.map_err(|_| stopped())?.0
        })
    }

    fn read(&self, stream: StreamId, after: u64, limit: usize) -> BoxFuture<'_, Result<Vec<Event>, StoreError>> {
        Box::pin(self.readers.read(move |connection| read(connection, stream, after, limit)))
    }

    fn watch(&self, stream: StreamId) -> watch::Receiver<u64> {
        self.watchers.watch(stream, || {
            // One look-up in an index. A reader that fails says so to whoever reads; the watch then starts from 0.
            let head = self.readers.read_here(|connection| apply::stored_head(connection, &key(stream)).map_err(store_error));
            head.ok().flatten().map_or(0, |(_, head)| head)
        })
    }

    fn blob(&self, hash: &str) -> BoxFuture<'_, Result<Option<Arc<[u8]>>, StoreError>> {
        let hash = hash.to_string();
        Box::pin(async move {
            if !is_hash(&hash) {
                return Ok(None);
            }
            let files = self.blobs.clone();
            self.readers.read(move |connection| files.read(connection, &hash)).await
        })
    }

    fn run(&self, id: RunId) -> BoxFuture<'_, Result<Option<RunRow>, StoreError>> {
        Box::pin(self.readers.read(move |connection| {
            let sql = format!("SELECT {} FROM workflow_runs WHERE id = ?1", rows::RUN_COLUMNS);
            let mut query = connection.prepare_cached(&sql).map_err(store_error)?;
            query.query_row([key(id)], rows::run).optional().map_err(store_error)
        }))
    }

    fn runs(&self, query: RunQuery) -> BoxFuture<'_, Result<Vec<RunRow>, StoreError>> {
        Box::pin(self.readers.read(move |connection| runs(connection, &query).map_err(store_error)))
    }

    fn steps(&self, run: RunId) -> BoxFuture<'_, Result<Vec<StepRow>, StoreError>> {
        Box::pin(self.readers.read(move |connection| {
            let sql = format!(
                "SELECT {} FROM steps WHERE stream = (SELECT no FROM streams WHERE id = ?1) ORDER BY no",
                rows::STEP_COLUMNS
            );
            list(connection, &sql, params![key(run)], rows::step)
        }))
    }

    fn approvals(&self, query: ApprovalQuery) -> BoxFuture<'_, Result<Vec<ApprovalRow>, StoreError>> {
        Box::pin(self.readers.read(move |connection| approvals(connection, &query).map_err(store_error)))
    }

    fn open_approvals(&self) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(self.readers.read(move |connection| {
            let sql = "SELECT count(*) FROM approvals WHERE decision IS NULL";
            let mut query = connection.prepare_cached(sql).map_err(store_error)?;
            query.query_row([], |row| row.get(0)).map_err(store_error)
        }))
    }

    fn parked(&self, runs: Vec<RunId>) -> BoxFuture<'_, Result<Vec<Parked>, StoreError>> {
        Box::pin(self.readers.read(move |connection| parked(connection, runs).map_err(store_error)))
    }

    fn unfinished(&self) -> BoxFuture<'_, Result<Vec<RunId>, StoreError>> {
        Box::pin(self.readers.read(move |connection| {
            let sql = "SELECT id FROM workflow_runs WHERE finished_at IS NULL ORDER BY id";
            list(connection, sql, [], |row| rows::stream(row, 0))
        }))
    }

    fn wakeups(&self) -> BoxFuture<'_, Result<Vec<Wakeup>, StoreError>> {
        Box::pin(self.readers.read(move |connection| {
            let sql = "SELECT stream, step, due FROM wakeups ORDER BY due, stream, step";
            list(connection, sql, [], |row| {
                let step: String = row.get(1)?;
                Ok(Wakeup {
                    stream: rows::stream(row, 0)?,
                    step: (!step.is_empty()).then(|| step.into()),
                    due: Timestamp(row.get(2)?),
                })
            })
        }))
    }
}

impl SqliteStore {
    async fn prepare(&self, appends: Vec<Append>) -> Result<Vec<Prepared>, StoreError> {
        let blobs: usize = appends.iter().flat_map(|append| &append.blobs).map(|blob| blob.json.len()).sum();
        let files = self.blobs.clone();
        let prepare = move || appends.into_iter().map(|append| Prepared::new(append, &files)).collect();
        if blobs <= PREPARE_HERE.min(IN_DATABASE) {
            return prepare();
        }
        tokio::task::spawn_blocking(prepare).await.map_err(|_| stopped())?
    }
}

/// All rows of a query.
pub(super) fn list<T>(
    connection: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    row: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreError> {
    let mut query = connection.prepare_cached(sql).map_err(store_error)?;
    let rows = query.query_map(params, row).map_err(store_error)?;
    rows.collect::<rusqlite::Result<Vec<T>>>().map_err(store_error)
}

fn read(connection: &Connection, stream: StreamId, after: u64, limit: usize) -> Result<Vec<Event>, StoreError> {
    // The first row may begin before `after` and reach beyond it.
    let sql = "SELECT format, events, seq FROM journal JOIN streams ON streams.no = journal.stream WHERE streams.id = ?1 AND seq >= \
               coalesce((SELECT max(seq) FROM journal WHERE stream = streams.no AND seq <= ?2), 0) ORDER BY seq";
    let mut query = connection.prepare_cached(sql).map_err(store_error)?;
    let first = after.saturating_add(1);
    let mut found = query.query(params![key(stream), int(first)]).map_err(store_error)?;
    let mut events: Vec<Event> = Vec::new();
    while events.len() < limit
        && let Some(row) = found.next().map_err(store_error)?
    {
        let stored = || -> rusqlite::Result<_> { Ok((row.get(0)?, row.get_ref(1)?, row.get::<_, u64>(2)?)) };
        let (format, text, seq) = stored().map_err(store_error)?;
        let damaged = |error: &dyn std::fmt::Display| {
            StoreError::Corrupt(format!("journal.db, stream {stream}, the row that begins with event {seq}: {error}"))
        };
        let bytes = text.as_bytes().map_err(|error| damaged(&error))?;
        let decoded = event::decode(format, bytes).map_err(|error| match error {
            event::DecodeError::Format(_) => StoreError::Unavailable(format!("journal.db, stream {stream}: {error}")),
            event::DecodeError::Corrupt(_) => damaged(&error),
        })?;
        events.extend(decoded.into_iter().filter(|event| event.seq > after));
    }
    events.truncate(limit);
    Ok(events)
}

fn runs(connection: &Connection, query: &RunQuery) -> rusqlite::Result<Vec<RunRow>> {
    let before = query.before.map(key);
    let filters = [
        ("status = ?", query.status.as_deref()),
        ("workflow_id = ?", query.workflow_id.as_deref()),
        ("session_id = ?", query.session_id.as_deref()),
        ("id < ?", before.as_deref()),
    ];
    let wanted: Vec<(&str, &str)> = filters.into_iter().filter_map(|(sql, value)| Some((sql, value?))).collect();
    let conditions: Vec<&str> = wanted.iter().map(|(sql, _)| *sql).collect();
    let conditions = if conditions.is_empty() { String::new() } else { format!("WHERE {}", conditions.join(" AND ")) };
    let sql = format!("SELECT {} FROM workflow_runs {conditions} ORDER BY id DESC LIMIT ?", rows::RUN_COLUMNS);
    let limit = query.limit.min(i64::MAX as usize) as i64;
    let values = wanted.iter().map(|(_, value)| rusqlite::types::Value::from(value.to_string()));
    let mut query = connection.prepare_cached(&sql)?;
    let found = query.query_map(params_from_iter(values.chain([limit.into()])), rows::run)?;
    found.collect()
}

fn parked(connection: &Connection, runs: Vec<RunId>) -> rusqlite::Result<Vec<Parked>> {
    let sql = "SELECT EXISTS (SELECT 1 FROM approvals WHERE run_id = stream AND decision IS NULL) \
         FROM wakeups WHERE stream = ?1 AND step = ''";
    let mut query = connection.prepare_cached(sql)?;
    let mut found = Vec::new();
    for run in runs {
        let asks = query.query_row([key(run)], |row| row.get(0)).optional()?;
        found.extend(asks.map(|asks| Parked { run, asks }));
    }
    Ok(found)
}

fn approvals(connection: &Connection, query: &ApprovalQuery) -> rusqlite::Result<Vec<ApprovalRow>> {
    let mut conditions = Vec::new();
    let mut values: Vec<rusqlite::types::Value> = Vec::new();
    match query.open {
        Some(true) => conditions.push("decision IS NULL"),
        Some(false) => conditions.push("decision IS NOT NULL"),
        None => {}
    }
    if let Some(run) = query.run {
        conditions.push("run_id = ?");
        values.push(key(run).into());
    }
    if let Some((run, path)) = &query.after {
        conditions.push("(run_id < ? OR (run_id = ? AND path > ?))");
        values.extend([key(*run).into(), key(*run).into(), path.to_string().into()]);
    }
    let conditions = if conditions.is_empty() { String::new() } else { format!("WHERE {}", conditions.join(" AND ")) };
    let sql = format!("SELECT {} FROM approvals {conditions} ORDER BY run_id DESC, path LIMIT ?", rows::APPROVAL_COLUMNS);
    values.push(i64::try_from(query.limit).unwrap_or(i64::MAX).into());
    let mut query = connection.prepare_cached(&sql)?;
    let found = query.query_map(params_from_iter(values), rows::approval)?;
    found.collect()
}

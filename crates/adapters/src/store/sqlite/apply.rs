//! What one append writes, inside the writer's transaction.

use super::prepare::Prepared;
use super::rows::{self, int, optional_int};
use flowtrace_core::event::FORMAT;
use flowtrace_core::id::{RunId, Timestamp};
use flowtrace_engine::port::store::{ApprovalRow, IdempotencyKey, RunRow};
use rusqlite::{Connection, OptionalExtension, params};

/// The number of a stream and the seq of its last event; `None` for a stream that has no row yet.
pub fn stored_head(connection: &Connection, key: &str) -> rusqlite::Result<Option<(i64, u64)>> {
    let sql = "SELECT no, coalesce((SELECT seq + count - 1 FROM journal WHERE stream = streams.no ORDER BY seq DESC LIMIT 1), 0) \
               FROM streams WHERE id = ?1";
    connection.prepare_cached(sql)?.query_row([key], |row| Ok((row.get(0)?, row.get(1)?))).optional()
}

pub fn new_stream(connection: &Connection, key: &str) -> rusqlite::Result<i64> {
    connection.prepare_cached("INSERT INTO streams (id) VALUES (?1)")?.insert([key])
}

/// Who used an idempotency key, and with which fingerprint.
pub fn used_key(connection: &Connection, key: &str, now: Timestamp) -> rusqlite::Result<Option<(RunId, String)>> {
    let mut query = connection.prepare_cached("SELECT run_id, fingerprint, created_at FROM idempotency_keys WHERE key = ?1")?;
    let row = |row: &rusqlite::Row<'_>| Ok((rows::stream(row, 0)?, row.get(1)?, rows::time(row, 2)?));
    let found = query.query_row([key], row).optional()?;
    Ok(found.filter(|(_, _, stored)| !IdempotencyKey::expired(*stored, now)).map(|(run, fingerprint, _)| (run, fingerprint)))
}

/// `stream` is the number of the stream. `light`: the run's row is there already and only its totals have changed.
pub fn write(connection: &Connection, append: &Prepared, stream: i64, light: bool) -> rusqlite::Result<()> {
    let key = append.key.as_str();
    if append.count > 0 {
        connection
            .prepare_cached("INSERT INTO journal (stream, seq, count, format, ts, events) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute(params![stream, int(append.expected + 1), append.count, FORMAT, int(append.ts.0), append.events])?;
    }
    for blob in &append.blobs {
        connection
            .prepare_cached("INSERT INTO blobs (hash, bytes, data) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?
            .execute(params![blob.hash, blob.bytes, blob.data])?;
        connection
            .prepare_cached("INSERT INTO blob_refs (owner, hash) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
            .execute(params![key, blob.hash])?;
    }
    match &append.run {
        Some(run) if light => write_totals(connection, key, run)?,
        Some(run) => write_run(connection, key, run)?,
        None => {}
    }
    write_steps(connection, append, stream)?;
    for change in &append.wakeups {
        let step = change.step.as_deref().unwrap_or("");
        match change.due {
            Some(due) => connection
                .prepare_cached("INSERT OR REPLACE INTO wakeups (stream, step, due) VALUES (?1, ?2, ?3)")?
                .execute(params![key, step, int(due.0)])?,
            None => connection.prepare_cached("DELETE FROM wakeups WHERE stream = ?1 AND step = ?2")?.execute([key, step])?,
        };
    }
    for row in &append.approvals {
        write_approval(connection, key, row)?;
    }
    for row in &append.cache {
        let sql = "INSERT OR REPLACE INTO cache (key_hash, response, tokens, cost, created_at, expires_at) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let expires_at = row.expires_at.map(|at| int(at.0));
        let (tokens, cost) = (optional_int(row.tokens), optional_int(row.cost));
        connection.prepare_cached(sql)?.execute(params![
            row.key,
            row.response,
            tokens,
            cost,
            int(row.created_at.0),
            expires_at
        ])?;
    }
    for id in &append.handled {
        connection.prepare_cached("DELETE FROM inbox WHERE id = ?1 AND stream = ?2")?.execute(params![id, key])?;
    }
    // What came while the run ended is nobody's business any more.
    if append.run.as_ref().is_some_and(|run| run.finished_at.is_some()) {
        connection.prepare_cached("DELETE FROM inbox WHERE stream = ?1")?.execute([key])?;
    }
    if let Some(idempotency) = &append.idempotency {
        let sql = "INSERT OR REPLACE INTO idempotency_keys (key, fingerprint, run_id, created_at) VALUES (?1, ?2, ?3, ?4)";
        connection.prepare_cached(sql)?.execute(params![idempotency.key, idempotency.fingerprint, key, int(append.ts.0)])?;
    }
    Ok(())
}

fn write_totals(connection: &Connection, key: &str, run: &RunRow) -> rusqlite::Result<()> {
    let sql = "UPDATE workflow_runs SET total_tokens = ?2, total_cost = ?3, cost_complete = ?4, steps = ?5, retries = ?6, \
               cache_hits = ?7 WHERE id = ?1";
    connection.prepare_cached(sql)?.execute(params![
        key,
        int(run.total_tokens),
        int(run.total_cost_nanousd),
        run.cost_complete,
        int(run.steps),
        int(run.retries),
        int(run.cache_hits),
    ])?;
    Ok(())
}

fn write_run(connection: &Connection, key: &str, run: &RunRow) -> rusqlite::Result<()> {
    connection.prepare_cached(UPSERT_RUN)?.execute(params![
        key,
        run.workflow_id,
        run.workflow_version,
        run.workflow_hash,
        run.session_id,
        run.trace_id,
        run.triggered_by,
        run.status,
        run.simulated,
        int(run.started_at.0),
        run.finished_at.map(|at| int(at.0)),
        int(run.total_tokens),
        int(run.total_cost_nanousd),
        run.cost_complete,
        int(run.steps),
        int(run.retries),
        int(run.cache_hits),
        run.error_summary,
        run.failed_step,
    ])?;
    Ok(())
}

const UPSERT_RUN: &str = "INSERT INTO workflow_runs (id, workflow_id, workflow_version, workflow_hash, session_id, trace_id, triggered_by, status, \
     simulated, started_at, finished_at, total_tokens, total_cost, cost_complete, steps, retries, cache_hits, error_summary, \
     failed_step) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19) \
     ON CONFLICT (id) DO UPDATE SET workflow_id = ?2, workflow_version = ?3, workflow_hash = ?4, session_id = ?5, trace_id = ?6, \
     triggered_by = ?7, status = ?8, simulated = ?9, started_at = ?10, finished_at = ?11, total_tokens = ?12, total_cost = ?13, \
     cost_complete = ?14, steps = ?15, retries = ?16, cache_hits = ?17, error_summary = ?18, failed_step = ?19";

fn write_steps(connection: &Connection, append: &Prepared, stream: i64) -> rusqlite::Result<()> {
    let sql = "INSERT INTO steps (stream, path, node_id, node_type, status, started_at, finished_at, tokens_input, \
               tokens_output, cost, error) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    for step in &append.steps {
        connection.prepare_cached(sql)?.execute(params![
            stream,
            step.path,
            step.node_id,
            step.node_type,
            step.status,
            step.started_at.map(|at| int(at.0)),
            step.finished_at.map(|at| int(at.0)),
            optional_int(step.tokens_input),
            optional_int(step.tokens_output),
            optional_int(step.cost_nanousd),
            step.error,
        ])?;
    }
    Ok(())
}

fn write_approval(connection: &Connection, key: &str, row: &ApprovalRow) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO approvals (run_id, path, node_id, workflow_id, message, payload, interrupted, asked_at, deadline, \
               decision, decided_by, decided_at, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    let payload = serde_json::to_string(&row.payload).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    connection.prepare_cached(sql)?.execute(params![
        key,
        row.path,
        row.node_id,
        row.workflow_id,
        row.message,
        payload,
        row.interrupted,
        int(row.asked_at.0),
        row.deadline.map(|at| int(at.0)),
        row.decision,
        row.decided_by,
        row.decided_at.map(|at| int(at.0)),
        row.reason,
    ])?;
    Ok(())
}

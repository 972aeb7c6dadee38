//! Rows of the tables as the types of the port, and back.

use flowtrace_core::id::{RunId, StreamId, Timestamp};
use flowtrace_engine::port::store::*;
use rusqlite::types::Type;
use rusqlite::{Error, Row};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

pub const RUN_COLUMNS: &str = "id, workflow_id, workflow_version, workflow_hash, session_id, trace_id, triggered_by, status, \
     simulated, started_at, finished_at, total_tokens, total_cost, cost_complete, steps, retries, cache_hits, error_summary, \
     failed_step";

pub fn run(row: &Row<'_>) -> rusqlite::Result<RunRow> {
    Ok(RunRow {
        id: stream(row, 0)?,
        workflow_id: row.get(1)?,
        workflow_version: row.get(2)?,
        workflow_hash: shared(row, 3)?,
        session_id: row.get(4)?,
        trace_id: row.get(5)?,
        triggered_by: row.get(6)?,
        status: row.get(7)?,
        simulated: row.get(8)?,
        started_at: time(row, 9)?,
        finished_at: optional_time(row, 10)?,
        total_tokens: row.get(11)?,
        total_cost_nanousd: row.get(12)?,
        cost_complete: row.get(13)?,
        steps: row.get(14)?,
        retries: row.get(15)?,
        cache_hits: row.get(16)?,
        error_summary: row.get(17)?,
        failed_step: row.get::<_, Option<String>>(18)?.map(Arc::from),
    })
}

/// Everything about a run but its totals, as a number. While it stays the same, an update leaves all indexes alone.
pub fn shape(run: &RunRow) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&run.workflow_id, run.workflow_version, &run.workflow_hash, &run.session_id, &run.trace_id).hash(&mut hasher);
    (&run.triggered_by, &run.status, run.simulated, run.started_at, run.finished_at).hash(&mut hasher);
    (&run.error_summary, &run.failed_step).hash(&mut hasher);
    hasher.finish()
}

pub const STEP_COLUMNS: &str =
    "path, node_id, node_type, status, started_at, finished_at, tokens_input, tokens_output, cost, error";

pub fn step(row: &Row<'_>) -> rusqlite::Result<StepRow> {
    Ok(StepRow {
        path: shared(row, 0)?,
        node_id: shared(row, 1)?,
        node_type: row.get(2)?,
        status: row.get(3)?,
        started_at: optional_time(row, 4)?,
        finished_at: optional_time(row, 5)?,
        tokens_input: row.get(6)?,
        tokens_output: row.get(7)?,
        cost_nanousd: row.get(8)?,
        error: row.get(9)?,
    })
}

pub const APPROVAL_COLUMNS: &str = "run_id, path, node_id, workflow_id, message, payload, interrupted, asked_at, deadline, decision, \
     decided_by, decided_at, reason";

pub fn approval(row: &Row<'_>) -> rusqlite::Result<ApprovalRow> {
    let payload = serde_json::from_str(row.get_ref(5)?.as_str()?)
        .map_err(|error| Error::FromSqlConversionFailure(5, Type::Text, error.into()))?;
    Ok(ApprovalRow {
        run: stream(row, 0)?,
        path: shared(row, 1)?,
        node_id: shared(row, 2)?,
        workflow_id: row.get(3)?,
        message: row.get(4)?,
        payload,
        interrupted: row.get(6)?,
        asked_at: time(row, 7)?,
        deadline: optional_time(row, 8)?,
        decision: row.get(9)?,
        decided_by: row.get(10)?,
        decided_at: optional_time(row, 11)?,
        reason: row.get(12)?,
    })
}

pub const WORKFLOW_COLUMNS: &str = "id, owner_id, name, description, version, hash, graph_json, created_at, updated_at";

pub fn workflow(row: &Row<'_>) -> rusqlite::Result<Workflow> {
    Ok(Workflow {
        id: row.get(0)?,
        owner_id: row.get(1)?,
        name: row.get(2)?,
        description: row.get(3)?,
        version: row.get(4)?,
        hash: shared(row, 5)?,
        graph_json: shared(row, 6)?,
        created_at: time(row, 7)?,
        updated_at: time(row, 8)?,
    })
}

pub fn stream(row: &Row<'_>, column: usize) -> rusqlite::Result<StreamId> {
    let text =
        row.get_ref(column)?.as_str().map_err(|error| Error::FromSqlConversionFailure(column, Type::Text, error.into()))?;
    StreamId::parse(text)
        .ok_or_else(|| Error::FromSqlConversionFailure(column, Type::Text, format!("`{text}` is not the id of a run").into()))
}

pub fn key(stream: RunId) -> String {
    stream.to_string()
}

pub fn shared(row: &Row<'_>, column: usize) -> rusqlite::Result<Arc<str>> {
    row.get::<_, String>(column).map(Arc::from)
}

pub fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    row.get(column).map(Timestamp)
}

pub fn optional_time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<u64>>(column)?.map(Timestamp))
}

/// SQLite's integers are signed. Sums that large are not money or tokens any more; they stay at the end of the range.
pub fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub fn optional_int(value: Option<u64>) -> Option<i64> {
    value.map(int)
}

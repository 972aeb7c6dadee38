//! The tables as a person with a SQLite shell sees them (row E3 of the requirements).

use super::*;
use crate::store::sqlite::{journal_path, migrate};
use flowtrace_core::call::{CachedAnswer, ModelAnswer};
use flowtrace_core::usage::Usage;
use rusqlite::Connection;

fn outside(dir: &Path) -> Connection {
    Connection::open(journal_path(dir)).unwrap()
}

#[tokio::test]
async fn the_tables_have_their_agreed_columns() {
    let dir = tempfile::tempdir().unwrap();
    drop(SqliteStore::open(dir.path()).unwrap());
    let connection = outside(dir.path());
    let tables = [
        ("workflows", "id owner_id name description graph_json created_at updated_at"),
        (
            "workflow_runs",
            "id workflow_id triggered_by status started_at finished_at total_tokens total_cost total_latency_ms error_summary",
        ),
        (
            "run_steps",
            "id run_id node_id node_type status started_at finished_at latency_ms tokens_input tokens_output cost error",
        ),
        ("trace_events", "id run_id step_id ts kind payload"),
        ("provider_bindings", "id owner_id workflow_id provider model temperature"),
        ("cache", "key_hash response tokens cost created_at"),
    ];
    for (table, columns) in tables {
        let mut query = connection.prepare("SELECT name FROM pragma_table_xinfo(?1)").unwrap();
        let found: Vec<String> = query.query_map([table], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        for column in columns.split(' ') {
            assert!(found.iter().any(|name| name == column), "{table} has no column {column}: {found:?}");
        }
    }
}

#[tokio::test]
async fn a_person_can_query_what_happened() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path()).unwrap();
    let run = stream(1);
    let mut events = vec![log(1, "grüß 'Gott'"), log(2, "two")];
    events[1].step = None;
    let step = StepRow {
        path: "a/b".into(),
        node_id: "b".into(),
        node_type: "llm".to_string(),
        status: "succeeded".to_string(),
        started_at: Some(Timestamp(1_000)),
        finished_at: Some(Timestamp(3_500)),
        tokens_input: Some(1),
        tokens_output: None,
        cost_nanousd: Some(42),
        error: None,
    };
    let usage = Usage { input_uncached: 2, output: 3, ..Usage::default() };
    let answer = ModelAnswer {
        tool_calls: Vec::new(),
        text: "t".to_string(),
        model: "m".to_string(),
        finish_reason: None,
        usage: Some(usage),
        raw_usage: None,
        upstream_request_id: None,
        first_token_ms: None,
        simulated: false,
    };
    let answer = CachedAnswer { answer, cost_nanousd: Some(9), origin_run: run.to_string(), origin_step: "a".to_string() };
    let row =
        RunRow { started_at: Timestamp(1_000), finished_at: Some(Timestamp(11_000)), total_cost_nanousd: 7, ..run_row(run) };
    let append = Append {
        stream: run,
        expected: 0,
        events,
        run: Some(row),
        steps: vec![step],
        cache: vec![CacheRow { key: "k".to_string(), answer, created_at: Timestamp(5), expires_at: None }],
        ..Append::default()
    };
    store.append(append).await.unwrap();
    store.append(logs(run, 2, 1)).await.unwrap();
    store.append(logs(stream(2), 0, 1)).await.unwrap();

    let connection = outside(dir.path());
    let text = |columns: &str, from: &str| -> String {
        connection
            .query_row(&format!("SELECT json_group_array(json_array({columns})) FROM {from}"), [], |row| row.get(0))
            .unwrap()
    };
    let id = run.to_string();
    let of_run = format!("trace_events WHERE run_id = '{id}'");
    let events = text("id, step_id, ts, kind, payload ->> 'message', seq", &of_run);
    let expected = json!([
        [format!("{id}/1"), format!("{id}/a/b"), 1_000, "log", "grüß 'Gott'", 1],
        [format!("{id}/2"), null, 2_000, "log", "two", 2],
        [format!("{id}/3"), format!("{id}/a/b"), 3_000, "log", "event 3", 3],
    ]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&events).unwrap(), expected);
    let steps = text("id, run_id, node_id, latency_ms, tokens_input, tokens_output, cost", "run_steps");
    assert_eq!(steps, format!("[[\"{id}/a/b\",\"{id}\",\"b\",2.5,1,null,42]]"));
    assert_eq!(text("id, total_latency_ms, total_cost", "workflow_runs"), format!("[[\"{id}\",10.0,7]]"));
    assert_eq!(text("key_hash, tokens, cost, created_at", "cache"), "[[\"k\",5,9,5]]");
}

/// What the store and people ask often is answered from an index, without a scan and without sorting.
#[test]
fn frequent_queries_use_indexes() {
    let dir = tempfile::tempdir().unwrap();
    drop(SqliteStore::open(dir.path()).unwrap());
    let connection = outside(dir.path());
    let newest = "ORDER BY id DESC LIMIT 10";
    let queries = [
        "SELECT * FROM trace_events WHERE run_id = 'r'".to_string(),
        "SELECT * FROM run_steps WHERE run_id = 'r'".to_string(),
        format!("SELECT * FROM workflow_runs WHERE status = 's' AND id < 'x' {newest}"),
        format!("SELECT * FROM workflow_runs WHERE workflow_id = 'w' {newest}"),
        format!("SELECT * FROM workflow_runs WHERE session_id = 's' AND id < 'x' {newest}"),
        format!("SELECT * FROM workflow_runs WHERE id < 'x' {newest}"),
        "SELECT * FROM steps WHERE stream = (SELECT no FROM streams WHERE id = 'r') ORDER BY no".to_string(),
        "SELECT seq + count - 1 FROM journal WHERE stream = 1 ORDER BY seq DESC LIMIT 1".to_string(),
        "SELECT * FROM provider_bindings WHERE workflow_id = 'w'".to_string(),
        "SELECT key FROM idempotency_keys WHERE created_at <= 5 ORDER BY created_at LIMIT 10".to_string(),
    ];
    for sql in queries {
        let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps: Vec<String> = plan.query_map([], |row| row.get(3)).unwrap().map(Result::unwrap).collect();
        let scans = |step: &&String| step.starts_with("SCAN") && !step.contains("VIRTUAL TABLE");
        assert!(!steps.iter().any(|step| scans(&step) || step.contains("TEMP B-TREE")), "{sql}\n{steps:#?}");
    }
}

#[test]
fn migrate_says_what_it_did() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(migrate(dir.path()).unwrap(), ["V1__journal", "V2__approvals", "V3__credentials"]);
    assert_eq!(migrate(dir.path()).unwrap(), [""; 0]);
    SqliteStore::open(dir.path()).unwrap();
    assert_eq!(migrate(dir.path()).unwrap(), [""; 0]);
}

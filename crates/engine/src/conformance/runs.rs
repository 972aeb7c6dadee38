use super::approvals::question;
use super::{AnyStore, logs, run_row, stream};
use crate::port::store::*;
use flowtrace_core::id::{StreamId, Timestamp};

pub async fn run_rows_follow_the_events(store: AnyStore) {
    let run = stream(1);
    let mut row = RunRow { session_id: Some("sitzung-ü".to_string()), ..run_row(run) };
    store.append(Append { run: Some(row.clone()), ..logs(run, 0, 1) }).await.unwrap();
    assert_eq!(store.run(run).await.unwrap().as_ref(), Some(&row));

    row.total_tokens = 12;
    row.total_cost_nanousd = 3_000_000_000_000;
    row.cost_complete = false;
    row.steps = 2;
    row.retries = 1;
    row.cache_hits = 4;
    store.append(Append { run: Some(row.clone()), ..logs(run, 1, 1) }).await.unwrap();
    assert_eq!(store.run(run).await.unwrap().as_ref(), Some(&row), "totals");

    // Events without a summary leave the summary alone.
    store.append(logs(run, 2, 1)).await.unwrap();
    assert_eq!(store.run(run).await.unwrap().as_ref(), Some(&row), "unchanged");

    row.status = "failed".to_string();
    row.finished_at = Some(Timestamp::from_millis(9_000));
    row.error_summary = Some("der Schritt „ä“ schlug fehl".to_string());
    row.failed_step = Some("each[17]/summarize".into());
    row.simulated = true;
    row.workflow_id = None;
    row.workflow_version = None;
    store.append(Append { run: Some(row.clone()), ..logs(run, 3, 1) }).await.unwrap();
    assert_eq!(store.run(run).await.unwrap().as_ref(), Some(&row), "finished");
    assert_eq!(store.run(stream(2)).await.unwrap(), None);
}

/// Runs 1 to 12 with statuses, workflows and sessions that overlap in every way.
async fn dozen(store: &AnyStore) {
    for number in [5, 1, 12, 7, 3, 2, 9, 11, 4, 8, 6, 10] {
        let id = stream(number);
        let finished = number % 3 != 0;
        let row = RunRow {
            status: if finished { "succeeded" } else { "running" }.to_string(),
            finished_at: finished.then(|| Timestamp::from_millis(2_000)),
            workflow_id: match number % 4 {
                0 => None,
                1 => Some("one".to_string()),
                _ => Some("two".to_string()),
            },
            session_id: (number % 2 == 0).then(|| "s".to_string()),
            ..run_row(id)
        };
        store.append(Append { run: Some(row), ..logs(id, 0, 1) }).await.unwrap();
    }
}

async fn listed(store: &AnyStore, query: RunQuery) -> Vec<u128> {
    let runs = store.runs(query).await.unwrap();
    runs.iter().map(|run| run.id.0 - stream(0).0).collect()
}

pub async fn runs_are_listed_newest_first_in_pages(store: AnyStore) {
    dozen(&store).await;
    let mut pages = Vec::new();
    let mut before: Option<StreamId> = None;
    loop {
        let page = listed(&store, RunQuery { before, limit: 5, ..RunQuery::default() }).await;
        let Some(last) = page.last() else { break };
        before = Some(stream(*last));
        pages.push(page);
    }
    assert_eq!(pages, [vec![12, 11, 10, 9, 8], vec![7, 6, 5, 4, 3], vec![2, 1]]);
    assert_eq!(listed(&store, RunQuery { limit: 0, ..RunQuery::default() }).await, []);
    assert_eq!(listed(&store, RunQuery { limit: usize::MAX, ..RunQuery::default() }).await.len(), 12);
}

pub async fn runs_are_filtered(store: AnyStore) {
    dozen(&store).await;
    let some = |text: &str| Some(text.to_string());
    let all = RunQuery { limit: 100, ..RunQuery::default() };
    let cases = [
        (RunQuery { status: some("running"), ..all.clone() }, vec![12, 9, 6, 3]),
        (RunQuery { status: some("running' OR 1=1 --"), ..all.clone() }, vec![]),
        (RunQuery { workflow_id: some("one"), ..all.clone() }, vec![9, 5, 1]),
        (RunQuery { session_id: some("s"), ..all.clone() }, vec![12, 10, 8, 6, 4, 2]),
        (RunQuery { status: some("succeeded"), workflow_id: some("two"), ..all.clone() }, vec![11, 10, 7, 2]),
        (RunQuery { status: some("running"), session_id: some("s"), before: Some(stream(12)), ..all.clone() }, vec![6]),
        (RunQuery { workflow_id: some("two"), session_id: some("s"), limit: 2, ..all.clone() }, vec![10, 6]),
    ];
    for (query, expected) in cases {
        assert_eq!(listed(&store, query.clone()).await, expected, "{query:?}");
    }
}

fn step(path: &str, status: &str) -> StepRow {
    StepRow {
        path: path.into(),
        node_id: path.split('/').next_back().unwrap().into(),
        node_type: "llm".to_string(),
        status: status.to_string(),
        started_at: Some(Timestamp::from_millis(1)),
        finished_at: Some(Timestamp::from_millis(5)),
        tokens_input: Some(10),
        tokens_output: Some(20),
        cost_nanousd: Some(30),
        error: None,
    }
}

pub async fn steps_keep_the_order_in_which_they_ended(store: AnyStore) {
    let run = stream(1);
    let bare = StepRow {
        started_at: None,
        finished_at: None,
        tokens_input: None,
        tokens_output: None,
        cost_nanousd: None,
        error: Some("💥".to_string()),
        ..step("z/ä", "failed")
    };
    let (first, second) = (vec![step("m", "succeeded"), bare], vec![step("a", "skipped"), step("k[2]/b", "canceled")]);
    store.append(Append { steps: first.clone(), ..logs(run, 0, 1) }).await.unwrap();
    store.append(Append { steps: vec![step("other", "succeeded")], ..logs(stream(2), 0, 1) }).await.unwrap();
    store.append(Append { steps: second.clone(), ..logs(run, 1, 2) }).await.unwrap();
    assert_eq!(store.steps(run).await.unwrap(), [first, second].concat());
    assert_eq!(store.steps(stream(3)).await.unwrap(), []);
}

pub async fn unfinished_runs_are_listed_oldest_first(store: AnyStore) {
    dozen(&store).await;
    assert_eq!(store.unfinished().await.unwrap(), [stream(3), stream(6), stream(9), stream(12)]);
    let done = RunRow { status: "canceled".to_string(), finished_at: Some(Timestamp(5)), ..run_row(stream(6)) };
    store.append(Append { run: Some(done), ..logs(stream(6), 1, 1) }).await.unwrap();
    assert_eq!(store.unfinished().await.unwrap(), [stream(3), stream(9), stream(12)]);
}

pub async fn wakeups_are_set_and_cleared(store: AnyStore) {
    let (a, b) = (stream(1), stream(2));
    let change = |step: Option<&str>, due: Option<u64>| WakeupChange { step: step.map(Into::into), due: due.map(Timestamp) };
    let wakeup = |stream, step: Option<&str>, due| Wakeup { stream, step: step.map(Into::into), due: Timestamp(due) };

    let set = vec![change(Some("late"), Some(900)), change(Some("soon"), Some(5)), change(None, Some(50))];
    store.append(Append { wakeups: set, ..logs(a, 0, 1) }).await.unwrap();
    store.append(Append { wakeups: vec![change(Some("soon"), Some(50))], ..logs(b, 0, 1) }).await.unwrap();
    let expected = [wakeup(a, Some("soon"), 5), wakeup(a, None, 50), wakeup(b, Some("soon"), 50), wakeup(a, Some("late"), 900)];
    assert_eq!(store.wakeups().await.unwrap(), expected);

    // Clearing what is not there is fine; setting again moves; the last change of an append counts.
    let moved = vec![change(Some("soon"), None), change(Some("none"), None), change(None, Some(1)), change(None, Some(70))];
    store.append(Append { wakeups: moved, ..logs(a, 1, 1) }).await.unwrap();
    assert_eq!(store.wakeups().await.unwrap(), [wakeup(b, Some("soon"), 50), wakeup(a, None, 70), wakeup(a, Some("late"), 900)]);

    // A run is parked as long as it has a wake-up of its own, and not by those of its steps.
    assert_eq!(store.parked(vec![stream(9), b, a]).await.unwrap(), [Parked { run: a, asks: false }]);
    assert_eq!(store.parked(vec![b]).await.unwrap(), []);
    store.append(Append { approvals: vec![question(1, "ask")], ..logs(a, 2, 1) }).await.unwrap();
    assert_eq!(store.parked(vec![a, b]).await.unwrap(), [Parked { run: a, asks: true }]);
    let answered = ApprovalRow { decision: Some("approved".to_string()), ..question(1, "ask") };
    store.append(Append { approvals: vec![answered], ..logs(a, 3, 1) }).await.unwrap();
    assert_eq!(store.parked(vec![a]).await.unwrap(), [Parked { run: a, asks: false }]);
    store.append(Append { wakeups: vec![change(None, None)], ..logs(a, 4, 1) }).await.unwrap();
    assert_eq!(store.parked(vec![a]).await.unwrap(), []);
}

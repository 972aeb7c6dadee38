use super::{AnyStore, logs, stream};
use crate::port::store::*;
use flowtrace_core::id::Timestamp;
use flowtrace_core::payload::Payload;
use serde_json::json;
use std::sync::Arc;

pub(super) fn question(run: u128, path: &str) -> ApprovalRow {
    ApprovalRow {
        run: stream(run),
        path: path.into(),
        node_id: "ask".into(),
        workflow_id: None,
        message: "Darf „es“ weitergehen?".to_string(),
        payload: Payload::new(Arc::new(json!({"amount": 1}))).0,
        interrupted: false,
        asked_at: Timestamp::from_millis(1_000),
        deadline: None,
        decision: None,
        decided_by: None,
        decided_at: None,
        reason: None,
    }
}

async fn listed(store: &AnyStore, query: ApprovalQuery) -> Vec<(u128, String)> {
    let rows = store.approvals(query).await.unwrap();
    rows.iter().map(|row| (row.run.0 - stream(0).0, row.path.to_string())).collect()
}

fn all() -> ApprovalQuery {
    ApprovalQuery { limit: 100, ..ApprovalQuery::default() }
}

pub async fn a_question_is_open_until_it_is_decided(store: AnyStore) {
    let run = stream(1);
    assert_eq!((store.approvals(all()).await.unwrap(), store.open_approvals().await.unwrap()), (Vec::new(), 0));
    let mut row = ApprovalRow {
        workflow_id: Some("wf".to_string()),
        interrupted: true,
        deadline: Some(Timestamp::from_millis(9_000)),
        ..question(1, "each[17]/ask")
    };
    store.append(Append { approvals: vec![row.clone()], ..logs(run, 0, 1) }).await.unwrap();
    assert_eq!((store.approvals(all()).await.unwrap(), store.open_approvals().await.unwrap()), (vec![row.clone()], 1));

    let refused = ApprovalRow { decision: Some("approved".to_string()), ..row.clone() };
    assert!(store.append(Append { approvals: vec![refused], ..logs(run, 5, 1) }).await.is_err());
    assert_eq!(store.approvals(all()).await.unwrap(), [row.clone()], "a refused append decides nothing");

    row.decision = Some("rejected".to_string());
    row.decided_by = Some("jemand".to_string());
    row.decided_at = Some(Timestamp::from_millis(2_000));
    row.reason = Some("zu teuer".to_string());
    store.append(Append { approvals: vec![row.clone()], ..logs(run, 1, 1) }).await.unwrap();
    assert_eq!((store.approvals(all()).await.unwrap(), store.open_approvals().await.unwrap()), (vec![row.clone()], 0));

    // The same step may be asked about again: then the question is open again, and there is still one row.
    let again = ApprovalRow { asked_at: Timestamp::from_millis(3_000), ..question(1, "each[17]/ask") };
    store.append(Append { approvals: vec![row, again.clone()], ..logs(run, 2, 1) }).await.unwrap();
    assert_eq!((store.approvals(all()).await.unwrap(), store.open_approvals().await.unwrap()), (vec![again], 1));
}

pub async fn questions_are_listed_by_run_and_path_in_pages(store: AnyStore) {
    for (run, path, decided) in
        [(2, "b", false), (1, "ask", false), (3, "ask", true), (2, "a", true), (2, "a[0]/ask", false), (3, "z", false)]
    {
        let decision = decided.then(|| "approved".to_string());
        let row = ApprovalRow { decision, ..question(run, path) };
        let head = store.read(stream(run), 0, 100).await.unwrap().len() as u64;
        store.append(Append { approvals: vec![row], ..logs(stream(run), head, 1) }).await.unwrap();
    }
    let named = |rows: &[(u128, &str)]| rows.iter().map(|(run, path)| (*run, path.to_string())).collect::<Vec<_>>();
    let expected = named(&[(3, "ask"), (3, "z"), (2, "a"), (2, "a[0]/ask"), (2, "b"), (1, "ask")]);
    assert_eq!(listed(&store, all()).await, expected);
    let open = ApprovalQuery { open: Some(true), ..all() };
    assert_eq!(listed(&store, open).await, named(&[(3, "z"), (2, "a[0]/ask"), (2, "b"), (1, "ask")]));
    let decided = ApprovalQuery { open: Some(false), ..all() };
    assert_eq!(listed(&store, decided).await, named(&[(3, "ask"), (2, "a")]));
    let of_run = ApprovalQuery { run: Some(stream(2)), open: Some(true), ..all() };
    assert_eq!(listed(&store, of_run).await, named(&[(2, "a[0]/ask"), (2, "b")]));
    assert_eq!(listed(&store, ApprovalQuery { run: Some(stream(9)), ..all() }).await, []);
    assert_eq!(store.open_approvals().await.unwrap(), 4);

    // Page by page it is the same list.
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = store.approvals(ApprovalQuery { after: after.take(), limit: 2, ..all() }).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.run, last.path.clone()));
        found.extend(page.iter().map(|row| (row.run.0 - stream(0).0, row.path.to_string())));
    }
    assert_eq!(found, expected);
}

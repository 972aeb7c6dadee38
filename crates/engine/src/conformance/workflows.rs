use super::{AnyStore, logs, run_row, stream};
use crate::port::store::*;
use flowtrace_core::id::Timestamp;
use flowtrace_core::payload::sha256_hex;
use serde_json::json;
use std::sync::Arc;

fn graph(text: &str) -> (Arc<str>, Arc<str>) {
    let graph_json: Arc<str> = json!({"nodes": [], "note": text}).to_string().into();
    (sha256_hex(graph_json.as_bytes()).into(), graph_json)
}

fn workflow(id: &str, at: u64) -> Workflow {
    let (hash, graph_json) = graph(id);
    Workflow {
        id: id.to_string(),
        owner_id: None,
        name: format!("Name of {id}"),
        description: None,
        version: 1,
        hash,
        graph_json,
        created_at: Timestamp(at),
        updated_at: Timestamp(at),
    }
}

fn named(name: &str) -> WorkflowChange {
    WorkflowChange { name: Some(name.to_string()), ..WorkflowChange::default() }
}

pub async fn a_workflow_gets_a_version_per_change(store: AnyStore) {
    let first = Workflow { owner_id: Some("owner".to_string()), ..workflow("w", 10) };
    store.create_workflow(first.clone()).await.unwrap();
    assert_eq!(store.workflow("w").await.unwrap(), Some(first.clone()));
    assert_eq!(store.workflow("v").await.unwrap(), None);

    let (hash, graph_json) = graph("größer");
    let change = WorkflowChange {
        name: None,
        description: Some("ß".to_string()),
        graph_json: Some(graph_json.clone()),
        hash: Some(hash.clone()),
    };
    let second = store.update_workflow("w", change, Some(1), Timestamp(20)).await.unwrap();
    let expected = Workflow {
        description: Some("ß".to_string()),
        version: 2,
        hash: hash.clone(),
        graph_json: graph_json.clone(),
        updated_at: Timestamp(20),
        ..first.clone()
    };
    assert_eq!(second, expected);
    assert_eq!(store.workflow("w").await.unwrap(), Some(expected.clone()));

    let same = store.update_workflow("w", named("Name of w"), None, Timestamp(25)).await.unwrap();
    assert_eq!(same, expected, "a change that changes nothing");
    let third = store.update_workflow("w", named("New"), None, Timestamp(30)).await.unwrap();
    assert_eq!((third.version, third.name.as_str(), &third.hash), (3, "New", &hash));

    let version = |version, hash: &Arc<str>, at| WorkflowVersion { version, hash: hash.clone(), created_at: Timestamp(at) };
    let versions = [version(1, &first.hash, 10), version(2, &hash, 20), version(3, &hash, 30)];
    assert_eq!(store.workflow_versions("w").await.unwrap(), versions);
    assert_eq!(store.document(&first.hash).await.unwrap(), Some(first.graph_json), "a run may still pin the first version");
    assert_eq!(store.document(&hash).await.unwrap(), Some(graph_json));
    let missing = store.update_workflow("v", named("New"), None, Timestamp(30)).await;
    assert_eq!(missing, Err(WorkflowError::NotFound));
}

pub async fn a_stale_change_is_a_conflict(store: AnyStore) {
    store.create_workflow(workflow("w", 10)).await.unwrap();
    store.update_workflow("w", named("A"), Some(1), Timestamp(20)).await.unwrap();
    for (expected, change) in [(1, named("B")), (3, named("B")), (1, named("A"))] {
        let stale = store.update_workflow("w", change, Some(expected), Timestamp(30)).await;
        assert_eq!(stale, Err(WorkflowError::VersionConflict { expected, actual: 2 }));
    }
    assert_eq!(store.workflow("w").await.unwrap().unwrap().name, "A");

    let names: Vec<String> = (0..8).map(|i| format!("racer {i}")).collect();
    let racers = names.iter().map(|name| store.update_workflow("w", named(name), Some(2), Timestamp(40)));
    let won: Vec<Workflow> = futures::future::join_all(racers).await.into_iter().filter_map(Result::ok).collect();
    assert_eq!(won.len(), 1, "one of several changes to the same version wins");
    assert_eq!(store.workflow("w").await.unwrap().as_ref(), won.first());
}

pub async fn an_id_is_taken_once(store: AnyStore) {
    store.create_workflow(workflow("w", 10)).await.unwrap();
    store.update_workflow("w", named("A"), None, Timestamp(20)).await.unwrap();
    let taken = || Err(WorkflowError::VersionConflict { expected: 0, actual: 2 });
    assert_eq!(store.create_workflow(workflow("w", 30)).await, taken());
    store.delete_workflow("w", Timestamp(40)).await.unwrap();
    assert_eq!(store.create_workflow(workflow("w", 50)).await, taken(), "a deleted workflow keeps its id");
}

pub async fn a_deleted_workflow_can_be_restored(store: AnyStore) {
    let kept = workflow("w", 10);
    store.create_workflow(kept.clone()).await.unwrap();
    let draft = Draft { graph_json: "{".into(), updated_at: Timestamp(11) };
    store.put_draft("w", Some(draft.clone()), None).await.unwrap();
    let row = RunRow { workflow_id: Some("w".to_string()), ..run_row(stream(1)) };
    store.append(Append { run: Some(row.clone()), ..logs(stream(1), 0, 1) }).await.unwrap();

    store.delete_workflow("w", Timestamp(20)).await.unwrap();
    assert_eq!(store.workflow("w").await.unwrap(), None);
    assert_eq!(store.workflows(None, 10).await.unwrap(), []);
    assert_eq!(store.draft("w").await.unwrap(), None);
    assert_eq!(store.put_draft("w", None, None).await, Err(WorkflowError::NotFound));
    assert_eq!(store.delete_workflow("w", Timestamp(21)).await, Err(WorkflowError::NotFound));
    assert_eq!(store.update_workflow("w", named("x"), None, Timestamp(22)).await, Err(WorkflowError::NotFound));
    assert_eq!(store.workflow_versions("w").await.unwrap().len(), 1);
    let query = RunQuery { workflow_id: Some("w".to_string()), limit: 10, ..RunQuery::default() };
    assert_eq!(store.runs(query).await.unwrap(), [row], "runs outlive their workflow");

    store.undelete_workflow("w").await.unwrap();
    store.undelete_workflow("w").await.unwrap();
    assert_eq!(store.workflow("w").await.unwrap(), Some(kept));
    assert_eq!(store.draft("w").await.unwrap(), Some(draft));
    assert_eq!(store.undelete_workflow("v").await, Err(WorkflowError::NotFound));
    assert_eq!(store.delete_workflow("v", Timestamp(1)).await, Err(WorkflowError::NotFound));
}

pub async fn workflows_are_listed_by_change_in_pages(store: AnyStore) {
    for (id, at) in [("a", 10), ("b", 30), ("c", 20), ("d", 20), ("e", 5), ("gone", 25)] {
        store.create_workflow(workflow(id, at)).await.unwrap();
    }
    store.update_workflow("e", named("changed"), None, Timestamp(40)).await.unwrap();
    store.delete_workflow("gone", Timestamp(50)).await.unwrap();
    let mut listed = Vec::new();
    let mut after = None;
    loop {
        let page = store.workflows(after.take(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.id.clone());
        listed.extend(page.into_iter().map(|workflow| workflow.id));
    }
    assert_eq!(listed, ["e", "b", "d", "c", "a"]);
    let rest = store.workflows(Some("gone".to_string()), 10).await.unwrap();
    assert_eq!(rest.len(), 3, "a workflow that was deleted between two pages is still a place in the list");
    assert_eq!(store.workflows(Some("unknown".to_string()), 10).await.unwrap(), []);
}

pub async fn drafts_come_and_go(store: AnyStore) {
    store.create_workflow(workflow("w", 10)).await.unwrap();
    assert_eq!(store.draft("w").await.unwrap(), None);
    for text in ["{\"half\": ", "not JSON at all ☃", ""] {
        let draft = Draft { graph_json: text.into(), updated_at: Timestamp(20) };
        store.put_draft("w", Some(draft.clone()), None).await.unwrap();
        assert_eq!(store.draft("w").await.unwrap(), Some(draft));
    }
    assert_eq!(store.workflow("w").await.unwrap().unwrap().version, 1, "a draft is no version");
    store.put_draft("w", None, None).await.unwrap();
    store.put_draft("w", None, None).await.unwrap();
    assert_eq!(store.draft("w").await.unwrap(), None);
    let lost = Draft { graph_json: "{}".into(), updated_at: Timestamp(1) };
    assert_eq!(store.put_draft("v", Some(lost), None).await, Err(WorkflowError::NotFound));
}

pub async fn a_draft_is_not_written_over_what_its_writer_has_not_read(store: AnyStore) {
    store.create_workflow(workflow("w", 10)).await.unwrap();
    let draft = |text: &str, at| Some(Draft { graph_json: text.into(), updated_at: Timestamp(at) });
    let tag = |version, draft: Option<u64>| Some(DraftTag { version, draft: draft.map(Timestamp) });
    let conflict = Err(WorkflowError::DraftConflict);
    assert_eq!(store.put_draft("w", draft("a", 20), tag(1, Some(19))).await, conflict, "there is no draft yet");
    assert_eq!(store.put_draft("w", draft("a", 20), tag(2, None)).await, conflict, "there is no such version yet");
    store.put_draft("w", draft("a", 20), tag(1, None)).await.unwrap();
    assert_eq!(store.put_draft("w", draft("b", 21), tag(1, None)).await, conflict);
    assert_eq!(store.put_draft("w", None, tag(1, Some(19))).await, conflict);
    store.put_draft("w", draft("b", 21), tag(1, Some(20))).await.unwrap();
    store.update_workflow("w", named("A"), None, Timestamp(30)).await.unwrap();
    assert_eq!(store.put_draft("w", draft("c", 31), tag(1, Some(21))).await, conflict);
    assert_eq!(store.draft("w").await.unwrap(), draft("b", 21));
    store.put_draft("w", None, tag(2, Some(21))).await.unwrap();
    assert_eq!(store.draft("w").await.unwrap(), None);
    assert_eq!(store.put_draft("v", draft("a", 1), tag(1, None)).await, Err(WorkflowError::NotFound));

    let racers = (0..8).map(|at| store.put_draft("w", draft("r", 40 + at), tag(2, None)));
    let won = futures::future::join_all(racers).await.into_iter().filter(Result::is_ok).count();
    assert_eq!(won, 1, "one of several drafts for the same state wins");
}

pub async fn documents_are_kept_under_their_hash(store: AnyStore) {
    let (hash, graph_json) = graph("inline ü");
    assert_eq!(store.document(&hash).await.unwrap(), None);
    for _ in 0..2 {
        store.put_document(&hash, &graph_json).await.unwrap();
    }
    let both = futures::future::join_all((0..4).map(|_| store.put_document("same", "{}"))).await;
    assert!(both.iter().all(Result::is_ok));
    assert_eq!(store.document(&hash).await.unwrap(), Some(graph_json));
}

pub async fn bindings_are_replaced_and_deleted(store: AnyStore) {
    let binding = |id: &str, model: &str| ProviderBinding {
        id: id.to_string(),
        owner_id: None,
        workflow_id: (id != "default").then(|| "w".to_string()),
        provider: "openai".to_string(),
        model: model.to_string(),
        temperature: (id == "default").then_some(0.25),
    };
    assert_eq!(store.bindings().await.unwrap(), []);
    for (id, model) in [("z", "m1"), ("default", "m2"), ("z", "m3")] {
        store.put_binding(binding(id, model)).await.unwrap();
    }
    assert_eq!(store.bindings().await.unwrap(), [binding("default", "m2"), binding("z", "m3")]);
    assert!(store.delete_binding("z").await.unwrap());
    assert!(!store.delete_binding("z").await.unwrap());
    assert_eq!(store.bindings().await.unwrap(), [binding("default", "m2")]);
}

pub async fn meta_keeps_any_value(store: AnyStore) {
    assert_eq!(store.meta("k").await.unwrap(), None);
    for value in [json!(null), json!(["demo", 1.5, {"ü": -3}]), json!(u64::MAX)] {
        store.put_meta("k", value.clone()).await.unwrap();
        assert_eq!(store.meta("k").await.unwrap(), Some(value));
    }
    assert_eq!(store.meta("other").await.unwrap(), None);
}

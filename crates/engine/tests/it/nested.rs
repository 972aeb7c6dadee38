//! What the simulation found once, each as a test of its own.

use crate::host::{Answer, RUN, Scripted, ended, events, host, start, status};
use crate::world::World;
use flowtrace_core::event::{Body, LinkedWorkflow, WorkflowRef};
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_core::payload::sha256_hex;
use flowtrace_core::plan::Plan;
use flowtrace_engine::host::Host;
use flowtrace_engine::port::store::{ApprovalQuery, Inbox, InboxRequest, Journal};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

fn document(nodes: Value, edges: Value) -> Arc<str> {
    let execution = json!({"mode": "parallel"});
    json!({"version": "1", "entry": "n0", "nodes": nodes, "edges": edges, "execution": execution}).to_string().into()
}

fn tool(id: &str) -> Value {
    json!({"id": id, "type": "tool", "config": {"url": "http://example.test"}, "inputs": {"id": id}})
}

fn map(body: Value, items: Value, extra: Value) -> Value {
    let mut node = json!({"id": "n0", "type": "map", "config": {"items": items, "body": body}});
    node.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    node
}

fn refused() -> Answer {
    Answer::Now(Err(Failure::new(FailureCode::BadRequest, "no")))
}

async fn signal(host: &Host, key: &str) {
    let request = InboxRequest::Signal { name: "go".to_owned(), payload: json!(key), by: "test".to_owned() };
    assert!(host.ask(RUN, key.to_owned(), request).await.unwrap());
    tokio::time::sleep(Duration::from_millis(100)).await;
}

async fn count(world: &World, is: impl Fn(&Body) -> bool) -> usize {
    events(world, RUN).await.iter().filter(|event| is(&event.body)).count()
}

/// The scope of a step may be forgotten while what the step did is taken back.
#[tokio::test(start_paused = true)]
async fn what_was_done_inside_of_a_map_is_taken_back() {
    let world = World::new(1, 0);
    let scripted = Scripted::new(|context, _| match context.idempotency_key.contains("/n1/") {
        true => refused(),
        false => Answer::After(50),
    });
    let host = host(&world, world.store.clone(), &scripted, 8);
    let mut inner = tool("a");
    inner["undo"] = json!({"config": {"url": "http://example.test/undo"}, "inputs": {"what": "{{node.a.output}}"}});
    let body = json!({"entry": "a", "nodes": [inner], "edges": []});
    let document = document(json!([map(body, json!([1, 2]), json!({})), tool("n1")]), json!([{"from": "n0", "to": "n1"}]));
    host.start_as(RUN, start(&document)).await.unwrap();
    assert_eq!(ended(&world, RUN).await, "failed");
    let undone: BTreeSet<String> = world
        .store
        .steps(RUN)
        .await
        .unwrap()
        .into_iter()
        .filter(|row| row.node_type == "undo")
        .map(|row| format!("{} {}", row.path, row.status))
        .collect();
    assert_eq!(undone, ["n0[0]/a/undo succeeded", "n0[1]/a/undo succeeded"].map(str::to_owned).into());
    assert_eq!(scripted.calls(), 5);
}

/// A process that picks a run up does not write again what an earlier one wrote.
#[tokio::test(start_paused = true)]
async fn a_stopped_step_is_listed_once() {
    let world = World::new(1, 0);
    let scripted = Scripted::new(|context, number| match (context.idempotency_key.contains("/undo/"), number) {
        (false, 0) => Answer::After(10),
        (true, 3..) => Answer::After(10),
        _ => Answer::Never,
    });
    let mut undoable = tool("n0");
    undoable["undo"] = json!({"config": {"url": "http://example.test/undo"}});
    let document = document(json!([undoable, tool("n1")]), json!([{"from": "n0", "to": "n1"}]));
    let first = host(&world, world.store.clone(), &scripted, 8);
    first.start_as(RUN, start(&document)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    first.cancel(RUN, "a".to_owned(), "somebody".to_owned()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    first.shutdown(Duration::ZERO).await;
    assert_eq!(scripted.calls(), 3, "the undo is under way");

    let second = host(&world, world.store.clone(), &scripted, 8);
    second.recover().await.unwrap();
    assert_eq!(ended(&world, RUN).await, "canceled");
    let mut paths: Vec<String> = world.store.steps(RUN).await.unwrap().iter().map(|row| row.path.to_string()).collect();
    paths.sort();
    assert_eq!(paths, ["n0", "n0/undo", "n1"]);
}

/// An item fails in the same turn in which another one begins a call.
#[tokio::test(start_paused = true)]
async fn what_is_stopped_in_the_turn_in_which_it_began_is_not_called() {
    let world = World::new(1, 0);
    let scripted = Scripted::new(|_, _| Answer::After(50));
    let host = host(&world, world.store.clone(), &scripted, 8);
    let nodes = json!([
        {"id": "r", "type": "router", "config": {"rule": "each.item == 1 ? 'call' : 'fail'"}},
        tool("t"),
        {"id": "g", "type": "gate", "config": {"check": "1 == 2"}},
    ]);
    let edges =
        json!([{"from": "r", "to": "t", "when": "branch == 'call'"}, {"from": "r", "to": "g", "when": "branch == 'fail'"}]);
    let body = json!({"entry": "r", "nodes": nodes, "edges": edges});
    let tolerant = map(body, json!([1, 2]), json!({"onError": {"value": "none"}}));
    let document = document(json!([tolerant, tool("n1")]), json!([{"from": "n0", "to": "n1"}]));
    host.start_as(RUN, start(&document)).await.unwrap();
    assert_eq!(ended(&world, RUN).await, "succeeded");
    assert_eq!(count(&world, |body| matches!(body, Body::ToolRequest { .. })).await, 2, "the call was begun");
    assert_eq!(scripted.calls(), 1, "a call was made for a step that had been stopped");
}

/// A call that must not be made twice is interrupted twice: whoever decided about the first time said nothing about the second.
#[tokio::test(start_paused = true)]
async fn a_late_decision_does_not_answer_the_next_question() {
    let world = World::new(1, 0);
    let scripted = Scripted::new(|_, number| if number < 2 { Answer::Never } else { Answer::After(10) });
    let mut once = tool("n0");
    once["config"]["idempotent"] = json!(false);
    once["timeoutSeconds"] = json!(3600);
    let document = document(json!([once]), json!([]));
    let decide = |key: &str, approved| {
        let (key, step, by) = (key.to_owned(), "n0".into(), "somebody".to_owned());
        InboxRequest::Decide { step, approved, key, payload: None, by, reason: None }
    };
    let open = async || world.store.open_approvals().await.unwrap();
    let pause = || tokio::time::sleep(Duration::from_millis(100));
    let first = host(&world, world.store.clone(), &scripted, 8);
    first.start_as(RUN, start(&document)).await.unwrap();
    pause().await;
    first.shutdown(Duration::ZERO).await;

    let second = host(&world, world.store.clone(), &scripted, 8);
    second.recover().await.unwrap();
    pause().await;
    assert_eq!(open().await, 1);
    second.ask(RUN, "a".to_owned(), decide("a", true)).await.unwrap();
    pause().await;
    second.ask(RUN, "b".to_owned(), decide("b", false)).await.unwrap();
    pause().await;
    second.shutdown(Duration::ZERO).await;
    assert_eq!(scripted.calls(), 2);

    let third = host(&world, world.store.clone(), &scripted, 8);
    third.recover().await.unwrap();
    pause().await;
    assert_eq!((open().await, status(&world, RUN).await.as_str()), (1, "running"));
    third.ask(RUN, "c".to_owned(), decide("c", true)).await.unwrap();
    assert_eq!(ended(&world, RUN).await, "succeeded");
    let query = ApprovalQuery { open: None, run: Some(RUN), after: None, limit: 10 };
    let rows = world.store.approvals(query).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.decision.as_deref()).collect::<Vec<_>>(), [Some("approved")]);
    assert_eq!(scripted.calls(), 3);
}

/// A running host forgets scopes and uses their places again; a reader of the journal does not. Both have to know which wait a signal
/// ended.
#[tokio::test(start_paused = true)]
async fn a_signal_ends_one_wait_also_after_a_restart() {
    let world = World::new(1, 0);
    let scripted = Scripted::new(|_, _| Answer::After(10));
    // With a wait this short the run stays in memory.
    let wait = json!({"id": "w", "type": "wait", "config": {"signal": "go", "timeoutSeconds": 20}});
    let wait = json!({"entry": "w", "nodes": [wait], "edges": []});
    let turns = json!({"id": "l", "type": "loop", "config": {"body": wait, "maxIterations": 2}});
    let body = json!({"entry": "l", "nodes": [turns], "edges": []});
    let document = document(json!([map(body, json!([1, 2]), json!({}))]), json!([]));
    let waited = async || {
        let rows = world.store.steps(RUN).await.unwrap();
        rows.iter().filter(|row| row.node_type == "wait").count()
    };
    let first = host(&world, world.store.clone(), &scripted, 8);
    first.start_as(RUN, start(&document)).await.unwrap();
    for number in 1..=3 {
        signal(&first, &format!("signal {number}")).await;
        assert_eq!(waited().await, number);
    }
    first.shutdown(Duration::ZERO).await;

    let second = host(&world, world.store.clone(), &scripted, 8);
    second.recover().await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(waited().await, 3, "a signal ended two waits");
    signal(&second, "signal 4").await;
    assert_eq!(ended(&world, RUN).await, "succeeded");
}

/// Otherwise it would be looked at again whenever the run is roused, and rouse it whenever the server starts.
#[tokio::test(start_paused = true)]
async fn a_request_that_changes_nothing_leaves_the_inbox() {
    let world = World::new(1, 0);
    let scripted = Scripted::new(|_, _| Answer::After(10));
    let host = host(&world, world.store.clone(), &scripted, 8);
    let wait = json!({"id": "n0", "type": "wait", "config": {"signal": "go"}});
    host.start_as(RUN, start(&document(json!([wait]), json!([])))).await.unwrap();
    for sleeping in [false, true] {
        tokio::time::sleep(Duration::from_secs(if sleeping { 60 } else { 0 })).await;
        let request = InboxRequest::Resume { by: "test".to_owned() };
        assert!(host.ask(RUN, "resume".to_owned(), request).await.unwrap());
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(world.store.inbox(RUN).await.unwrap(), []);
    }
    assert_eq!(world.store.wakeups().await.unwrap().len(), 1, "the run sleeps on disk");
    signal(&host, "go").await;
    assert_eq!(ended(&world, RUN).await, "succeeded");
    assert!(world.store.wakeups().await.unwrap().is_empty());
}

/// The limits of a called workflow hold for what is inside of it, and its failure is the step's.
#[tokio::test(start_paused = true)]
async fn a_called_workflow_keeps_to_its_own_limits() {
    let called = |limits: Value| -> Arc<str> {
        let body = json!({"entry": "c", "nodes": [{"id": "c", "type": "router", "config": {"rule": "'on'"}}]});
        let looped = json!({"id": "b", "type": "loop", "config": {"maxIterations": 2, "body": body}});
        let nodes = json!([tool("a"), looped]);
        json!({"version": "1", "entry": "a", "nodes": nodes, "edges": [{"from": "a", "to": "b"}], "limits": limits})
            .to_string()
            .into()
    };
    let limits = [
        (json!({"timeoutSeconds": 2}), "timeoutSeconds"),
        (json!({"maxSteps": 1}), "maxSteps"),
        (json!({"maxIterations": 1}), "maxIterations"),
    ];
    for (limits, limit) in limits {
        let world = World::new(1, 0);
        let scripted = Scripted::new(move |context, _| match context.idempotency_key.contains("/n0[0]/a/") {
            true => Answer::After(if limit == "timeoutSeconds" { 5_000 } else { 10 }),
            false => Answer::After(10),
        });
        let host = host(&world, world.store.clone(), &scripted, 8);
        let caller = json!({"id": "n0", "type": "workflow", "config": {"workflow": "other"}, "onError": {"value": "{{node.n0.error.code}}"}});
        let mut start = start(&document(json!([caller]), json!([])));
        let json = called(limits);
        let mut plan = Plan::compile(start.graph_json.as_bytes()).unwrap();
        plan.link(("other".to_owned(), None), json.as_bytes()).unwrap();
        let workflow = WorkflowRef { id: None, version: None, hash: sha256_hex(json.as_bytes()).into() };
        start.linked = vec![LinkedWorkflow { name: "other".to_owned(), asked: None, workflow }];
        start.plan = Arc::new(plan);
        host.start_as(RUN, start).await.unwrap();
        assert_eq!(ended(&world, RUN).await, "succeeded", "{limit}");
        let exceeded = count(&world, |body| matches!(body, Body::BudgetExceeded { limit: told, .. } if told == limit)).await;
        let output = count(
            &world,
            |body| matches!(body, Body::RunSucceeded { output } if **output.inline().unwrap() == "budget_exceeded"),
        );
        assert_eq!((exceeded, output.await, scripted.calls()), (1, 1, 1), "{limit}");
    }
}

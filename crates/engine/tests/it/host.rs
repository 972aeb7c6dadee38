//! Single properties of the host, each in its own small world.

use crate::world::{CrashingStore, Rng, SimulatedClock, World};
use flowtrace_core::call::ToolCall;
use flowtrace_core::equivalence::Equivalence;
use flowtrace_core::event::{Body, Event, Limits, ModelDefaults, WorkflowRef};
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_core::id::{RunId, StreamId};
use flowtrace_core::payload::sha256_hex;
use flowtrace_core::plan::Plan;
use flowtrace_core::price::PriceTable;
use flowtrace_engine::host::{Host, Ports, Settings, StartRun};
use flowtrace_engine::port::BoxFuture;
use flowtrace_engine::port::provider::CallContext;
use flowtrace_engine::port::store::*;
use flowtrace_engine::port::tool::{Tool, Tools};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

type Behaviour = Arc<dyn Fn(&CallContext, usize) -> Answer + Send + Sync>;

pub enum Answer {
    Now(Result<Value, Failure>),
    After(u64),
    Never,
    Panic,
}

/// A tool whose behaviour a test writes down; it counts its calls.
#[derive(Clone)]
pub struct Scripted {
    calls: Arc<AtomicUsize>,
    behaviour: Behaviour,
}

impl Scripted {
    pub fn new(behaviour: impl Fn(&CallContext, usize) -> Answer + Send + Sync + 'static) -> Self {
        Scripted { calls: Arc::default(), behaviour: Arc::new(behaviour) }
    }

    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

impl Tool for Scripted {
    fn name(&self) -> &str {
        "http"
    }

    fn description(&self) -> &str {
        "Does what the test says."
    }

    fn config_schema(&self) -> Value {
        json!({"type": "object"})
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn call<'a>(&'a self, call: &'a ToolCall, context: &'a CallContext) -> BoxFuture<'a, Result<Value, Failure>> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            match (self.behaviour)(context, number) {
                Answer::Now(result) => result,
                Answer::After(ms) => {
                    tokio::time::sleep(Duration::from_millis(ms)).await;
                    Ok(call.inputs.clone())
                }
                Answer::Never => std::future::pending().await,
                Answer::Panic => panic!("the test says so"),
            }
        })
    }
}

pub const RUN: RunId = StreamId(0x0190_0000_0000_7000_8000_0000_0000_0001);
const OTHER: RunId = StreamId(0x0190_0000_0000_7000_8000_0000_0000_0002);

pub fn host(world: &Arc<World>, store: Arc<dyn Store>, tool: &Scripted, max_active_runs: usize) -> Host {
    let clock = Arc::new(SimulatedClock::new(world));
    let ports = Ports { store, providers: Vec::new(), tools: Tools::new(vec![Arc::new(tool.clone())], Vec::new()), clock };
    let settings = Settings {
        prices: PriceTable::default(),
        equivalence: Equivalence::default(),
        ceilings: Limits::default(),
        max_active_runs,
        simulated: false,
        variables: Default::default(),
    };
    Host::new(ports, settings)
}

fn chain(length: usize, extra: Value) -> Arc<str> {
    let nodes: Vec<Value> = (0..length)
        .map(|ix| {
            json!({"id": format!("n{ix}"), "type": "tool", "config": {"url": "http://example.test"}, "inputs": {"n": ix},
            "timeoutSeconds": 90, "retry": {"maxAttempts": 3, "initialMs": 10, "maxMs": 100}})
        })
        .collect();
    let edges: Vec<Value> = (1..length).map(|to| json!({"from": format!("n{}", to - 1), "to": format!("n{to}")})).collect();
    let mut document = json!({"version": "1", "entry": "n0", "nodes": nodes, "edges": edges});
    document.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    document.to_string().into()
}

pub fn start(document: &Arc<str>) -> StartRun {
    StartRun {
        workflow: WorkflowRef { id: None, version: None, hash: sha256_hex(document.as_bytes()).into() },
        graph_json: document.clone(),
        plan: Arc::new(Plan::compile(document.as_bytes()).unwrap()),
        linked: Vec::new(),
        input: json!({}),
        session_id: None,
        labels: Default::default(),
        triggered_by: "test".to_owned(),
        parent: None,
        replay_of: None,
        defaults: ModelDefaults::default(),
        idempotency: None,
    }
}

pub async fn events(world: &World, run: RunId) -> Vec<Event> {
    world.store.read(run, 0, usize::MAX).await.unwrap()
}

async fn kinds(world: &World, run: RunId) -> Vec<&'static str> {
    events(world, run).await.iter().map(|event| event.body.kind()).collect()
}

pub async fn status(world: &World, run: RunId) -> String {
    world.store.run(run).await.unwrap().map_or_else(|| "missing".to_owned(), |row| row.status)
}

pub async fn ended(world: &World, run: RunId) -> String {
    for _ in 0..100_000 {
        if world.store.run(run).await.unwrap().is_some_and(|row| row.finished_at.is_some()) {
            return status(world, run).await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("run {run} did not end: {:?}", kinds(world, run).await)
}

#[tokio::test(start_paused = true)]
async fn runs_queue_for_a_place_and_take_it_in_order() {
    let world = World::new(1, 0);
    let tool = Scripted::new(|_, _| Answer::After(1000));
    let host = host(&world, world.store.clone(), &tool, 1);
    let document = chain(1, json!({}));
    host.start_as(RUN, start(&document)).await.unwrap();
    host.start_as(OTHER, start(&document)).await.unwrap();
    assert_eq!((status(&world, RUN).await.as_str(), status(&world, OTHER).await.as_str()), ("running", "queued"));
    assert_eq!(ended(&world, RUN).await, "succeeded");
    assert_eq!(ended(&world, OTHER).await, "succeeded");
    assert_eq!(tool.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_waits_long_sleeps_on_disk_and_wakes() {
    let world = World::new(1, 0);
    let tool = Scripted::new(|_, number| match number {
        0 => Answer::Now(Err(Failure::new(FailureCode::RateLimited, "later").with_retry_after_ms(Some(300_000)))),
        _ => Answer::After(1),
    });
    let host = host(&world, world.store.clone(), &tool, 8);
    host.start_as(RUN, start(&chain(2, json!({})))).await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    let wakeups = world.store.wakeups().await.unwrap();
    assert_eq!(wakeups.len(), 1, "the run is not parked");
    assert!(host.deltas(RUN).is_none(), "a parked run has nothing in memory");
    assert_eq!(ended(&world, RUN).await, "succeeded");
    assert_eq!(tool.calls(), 3);
    assert!(world.store.wakeups().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_parked_run_wakes_in_the_next_process_and_hears_a_cancel() {
    let world = World::new(1, 0);
    let tool = Scripted::new(|_, _| {
        Answer::Now(Err(Failure::new(FailureCode::RateLimited, "later").with_retry_after_ms(Some(300_000))))
    });
    let first = host(&world, world.store.clone(), &tool, 8);
    first.start_as(RUN, start(&chain(1, json!({})))).await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    first.shutdown(Duration::ZERO).await;

    let second = host(&world, world.store.clone(), &tool, 8);
    assert_eq!(second.recover().await.unwrap(), 1);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(tool.calls(), 1, "the run was woken before its time");
    assert!(second.cancel(RUN, "a".to_owned(), "somebody".to_owned()).await.unwrap());
    assert_eq!(ended(&world, RUN).await, "canceled");
    assert!(!second.cancel(RUN, "b".to_owned(), "somebody".to_owned()).await.unwrap(), "an ended run cannot be cancelled");
}

#[tokio::test(start_paused = true)]
async fn cancel_stops_a_call_that_hangs_and_a_second_cancel_changes_nothing() {
    let world = World::new(1, 0);
    let tool = Scripted::new(|_, _| Answer::Never);
    let host = host(&world, world.store.clone(), &tool, 8);
    host.start_as(RUN, start(&chain(2, json!({})))).await.unwrap();
    tokio::time::sleep(Duration::from_millis(10)).await;
    host.cancel(RUN, "a".to_owned(), "one".to_owned()).await.unwrap();
    host.cancel(RUN, "b".to_owned(), "two".to_owned()).await.unwrap();
    assert_eq!(ended(&world, RUN).await, "canceled");
    let kinds = kinds(&world, RUN).await;
    assert_eq!(kinds.iter().filter(|kind| **kind == "run.cancel_requested").count(), 1, "{kinds:?}");
    assert_eq!(world.store.steps(RUN).await.unwrap()[0].status, "canceled");
    assert!(world.store.inbox(RUN).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_panic_fails_its_step_and_touches_no_other_run() {
    let world = World::new(1, 0);
    let tool = Scripted::new(|context, _| match context.idempotency_key.starts_with(&RUN.to_string()) {
        true => Answer::Panic,
        false => Answer::After(500),
    });
    let host = host(&world, world.store.clone(), &tool, 8);
    host.start_as(OTHER, start(&chain(2, json!({})))).await.unwrap();
    host.start_as(RUN, start(&chain(1, json!({})))).await.unwrap();
    assert_eq!(ended(&world, RUN).await, "failed");
    assert_eq!(ended(&world, OTHER).await, "succeeded");
    let row = world.store.run(RUN).await.unwrap().unwrap();
    assert!(row.error_summary.unwrap().contains("fault inside FlowTrace"));
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_is_waited_out_and_nothing_is_called_twice() {
    let world = World::new(1, 0);
    let tool = Scripted::new(|_, _| Answer::After(10));
    world.fill_disk(2..5);
    let host = host(&world, Arc::new(CrashingStore(world.clone())), &tool, 8);
    host.start_as(RUN, start(&chain(3, json!({})))).await.unwrap();
    assert_eq!(ended(&world, RUN).await, "succeeded");
    assert_eq!(world.refused(), 3);
    assert_eq!(tool.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_cannot_be_written_is_refused() {
    let world = World::new(1, 0);
    let tool = Scripted::new(|_, _| Answer::After(10));
    world.fill_disk(1..2);
    let host = host(&world, Arc::new(CrashingStore(world.clone())), &tool, 8);
    let error = host.start_as(RUN, start(&chain(1, json!({})))).await.unwrap_err();
    assert!(error.to_string().contains("free some space"), "{error}");
    assert_eq!((tool.calls(), status(&world, RUN).await.as_str()), (0, "missing"));
}

#[tokio::test(start_paused = true)]
async fn shutting_down_records_what_came_back_and_begins_nothing() {
    let world = World::new(1, 0);
    let tool = Scripted::new(|_, _| Answer::After(1000));
    let first = host(&world, world.store.clone(), &tool, 8);
    first.start_as(RUN, start(&chain(3, json!({})))).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    first.shutdown(Duration::from_secs(30)).await;
    assert_eq!(tool.calls(), 1, "a new step was begun while shutting down");
    assert_eq!(kinds(&world, RUN).await.last(), Some(&"step.succeeded"));
    assert!(matches!(
        first.start_as(OTHER, start(&chain(1, json!({})))).await,
        Err(flowtrace_engine::host::StartError::ShuttingDown)
    ));

    let second = host(&world, world.store.clone(), &tool, 8);
    second.recover().await.unwrap();
    assert_eq!(ended(&world, RUN).await, "succeeded");
    assert_eq!(tool.calls(), 3, "a finished step was called again");
}

/// What waits for a person beside it does not put a run to sleep that was stopped before it could go on.
#[tokio::test(start_paused = true)]
async fn a_run_that_was_stopped_beside_a_question_goes_on_before_the_answer() {
    let world = World::new(1, 0);
    let tool = Scripted::new(|_, _| Answer::After(1000));
    let step = |id: &str| json!({"id": id, "type": "tool", "config": {"url": "http://example.test"}});
    let nodes = json!([step("a"), step("b"), step("c"), {"id": "ask", "type": "approval", "config": {"message": "Go on?"}}]);
    let edges = json!([{"from": "a", "to": "b"}, {"from": "b", "to": "c"}, {"from": "a", "to": "ask"}]);
    let document = json!({"version": "1", "entry": "a", "nodes": nodes, "edges": edges, "execution": {"mode": "parallel"}});
    let first = host(&world, world.store.clone(), &tool, 8);
    first.start_as(RUN, start(&document.to_string().into())).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    first.shutdown(Duration::from_secs(30)).await;
    assert_eq!(tool.calls(), 2);

    let second = host(&world, world.store.clone(), &tool, 8);
    second.recover().await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(tool.calls(), 3, "the run sleeps: {:?}", kinds(&world, RUN).await);
    let (step, by) = ("ask".into(), "test".to_owned());
    let request = InboxRequest::Decide { step, approved: true, key: "1".to_owned(), payload: None, by, reason: None };
    assert!(second.ask(RUN, "1".to_owned(), request).await.unwrap());
    assert_eq!(ended(&world, RUN).await, "succeeded");
}

#[tokio::test(start_paused = true)]
async fn the_time_limit_counts_only_time_in_which_a_process_was_there() {
    let world = World::new(1, 0);
    let document = chain(2, json!({"limits": {"timeoutSeconds": 100}}));
    let slow = Scripted::new(|_, _| Answer::After(60_000));
    let hasty = Scripted::new(|_, _| Answer::After(10_000));
    let first = host(&world, world.store.clone(), &hasty, 8);
    first.start_as(RUN, start(&document)).await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    first.shutdown(Duration::ZERO).await;
    // A day without a process.
    tokio::time::sleep(Duration::from_secs(86_400)).await;
    let second = host(&world, world.store.clone(), &hasty, 8);
    second.recover().await.unwrap();
    assert_eq!(ended(&world, RUN).await, "succeeded");

    let third = host(&world, world.store.clone(), &slow, 8);
    third.start_as(OTHER, start(&document)).await.unwrap();
    assert_eq!(ended(&world, OTHER).await, "failed");
    let (kinds, events) = (kinds(&world, OTHER).await, events(&world, OTHER).await);
    assert_eq!(kinds[kinds.len() - 3..], ["timer.fired", "budget.exceeded", "run.failed"], "{kinds:?}");
    let Body::RunFailed { error, partial, .. } = &events[events.len() - 1].body else { panic!("{kinds:?}") };
    assert_eq!(error.code, FailureCode::BudgetExceeded);
    assert_eq!(partial.as_ref().and_then(|partial| partial.inline()).map(|value| (**value).clone()), Some(json!({"n": 0})));
}

#[tokio::test(start_paused = true)]
async fn an_idempotency_key_starts_one_run() {
    let world = World::new(1, 0);
    let tool = Scripted::new(|_, _| Answer::After(10));
    let host = host(&world, world.store.clone(), &tool, 8);
    let document = chain(1, json!({}));
    let keyed = |fingerprint: &str| StartRun {
        idempotency: Some(IdempotencyKey { key: "k".to_owned(), fingerprint: fingerprint.to_owned() }),
        ..start(&document)
    };
    host.start_as(RUN, keyed("a")).await.unwrap();
    let again = host.start_as(OTHER, keyed("b")).await.unwrap_err();
    let expected = flowtrace_engine::host::StartError::Duplicate { run: RUN, fingerprint: "a".to_owned() };
    assert_eq!(again, expected);
    assert_eq!(ended(&world, RUN).await, "succeeded");
    assert_eq!((tool.calls(), status(&world, OTHER).await.as_str()), (1, "missing"));
}

#[tokio::test(start_paused = true)]
async fn many_runs_at_once_all_end() {
    let world = World::new(1, 0);
    let tool = Scripted::new(|_, number| Answer::After(Rng(number as u64).below(50)));
    let host = host(&world, world.store.clone(), &tool, 16);
    let document = chain(3, json!({}));
    for ix in 0..500u128 {
        host.start_as(StreamId(RUN.0 + ix), start(&document)).await.unwrap();
    }
    for ix in 0..500u128 {
        assert_eq!(ended(&world, StreamId(RUN.0 + ix)).await, "succeeded");
    }
    assert_eq!(tool.calls(), 1500);
}

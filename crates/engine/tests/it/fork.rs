//! Forking: from every step of a run, what is kept is not done again, and the new run comes to the same.

use crate::world::{SimulatedClock, World};
use flowtrace_core::call::ToolCall;
use flowtrace_core::equivalence::Equivalence;
use flowtrace_core::event::{Body, Event, Limits, ModelDefaults, WorkflowRef};
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_core::id::{RunId, StreamId};
use flowtrace_core::payload::sha256_hex;
use flowtrace_core::plan::Plan;
use flowtrace_core::price::PriceTable;
use flowtrace_core::state::{RunState, StepStatus};
use flowtrace_engine::host::fork::{ForkError, ForkRun};
use flowtrace_engine::host::{Host, Ports, Settings, StartRun};
use flowtrace_engine::port::BoxFuture;
use flowtrace_engine::port::provider::CallContext;
use flowtrace_engine::port::store::*;
use flowtrace_engine::port::tool::{Tool, Tools};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

const RUN: RunId = StreamId(0x0190_0000_0000_7000_8000_0000_0000_0001);

/// Gives its inputs back, fails where they say so, and remembers who called.
#[derive(Clone, Default)]
struct Recorder {
    calls: Arc<Mutex<Vec<String>>>,
}

impl Recorder {
    fn take(&self) -> Vec<String> {
        let mut calls = std::mem::take(&mut *self.calls.lock().unwrap());
        calls.sort();
        calls
    }
}

impl Tool for Recorder {
    fn name(&self) -> &str {
        "http"
    }
    fn description(&self) -> &str {
        "Gives its inputs back."
    }
    fn config_schema(&self) -> Value {
        json!({"type": "object"})
    }
    fn is_remote(&self) -> bool {
        true
    }
    fn call<'a>(&'a self, call: &'a ToolCall, context: &'a CallContext) -> BoxFuture<'a, Result<Value, Failure>> {
        let path = context.idempotency_key.split_once('/').unwrap().1.rsplit_once('/').unwrap().0.to_owned();
        self.calls.lock().unwrap().push(path);
        Box::pin(async move {
            match call.inputs.get("fail") {
                Some(Value::Bool(true)) => Err(Failure::new(FailureCode::BadRequest, "asked for")),
                _ => Ok(call.inputs.clone()),
            }
        })
    }
}

fn tool(id: &str, inputs: Value) -> Value {
    json!({"id": id, "type": "tool", "config": {"url": "http://example.test"}, "inputs": inputs})
}

/// A chain around a map of three items with two steps each, a loop with a state, a branch beside it all, and variables.
fn document() -> Arc<str> {
    json!({
        "version": "1",
        "entry": "first",
        "execution": {"mode": "parallel", "maxConcurrency": 4},
        "nodes": [
            tool("first", json!({"n": 1})),
            tool("beside", json!({"n": "{{node.first.output.n}}"})),
            {"id": "note", "type": "set", "config": {"vars": {"log": {"$append": ["{{node.first.output.n}}"]}}}},
            {"id": "each", "type": "map", "config": {"items": [10, 20, 30], "maxConcurrency": 2, "body": {
                "entry": "double",
                "nodes": [
                    tool("double", json!({"x": "{{each.item}}"})),
                    {"id": "mark", "type": "set", "config": {"vars": {"seen": {"$add": 1}}}},
                    tool("wrap", json!({"x": "{{node.double.output.x}}", "at": "{{each.index}}"})),
                ],
                "edges": [{"from": "double", "to": "mark"}, {"from": "mark", "to": "wrap"}],
            }}},
            {"id": "again", "type": "loop", "config": {"maxIterations": 3, "state": {"sum": 0}, "update": {"sum": {"$add": 5}}, "body": {
                "entry": "step",
                "nodes": [tool("step", json!({"sum": "{{iteration.state.sum}}", "i": "{{iteration.index}}"}))],
            }}},
            tool("last", json!({"items": "{{node.each.output}}", "sum": "{{node.again.output.state.sum}}", "seen": "{{vars.seen}}",
                "log": "{{vars.log}}", "beside": "{{node.beside.output.n}}"})),
        ],
        "edges": [
            {"from": "first", "to": "beside"}, {"from": "first", "to": "note"}, {"from": "note", "to": "each"},
            {"from": "each", "to": "again"}, {"from": "again", "to": "last"}, {"from": "beside", "to": "last"},
        ],
    })
    .to_string()
    .into()
}

fn host(world: &Arc<World>, tool: &Recorder) -> Host {
    let tools = Tools::new(vec![Arc::new(tool.clone())], Vec::new());
    let clock = Arc::new(SimulatedClock::new(world));
    let settings = Settings {
        prices: PriceTable::default(),
        equivalence: Equivalence::default(),
        ceilings: Limits::default(),
        max_active_runs: 8,
        simulated: false,
        variables: Default::default(),
    };
    Host::new(Ports { store: world.store.clone(), providers: Vec::new(), tools, clock }, settings)
}

async fn run(host: &Host, world: &World, document: &Arc<str>) -> (Arc<Plan>, RunState) {
    let plan = Arc::new(Plan::compile(document.as_bytes()).unwrap());
    let start = StartRun {
        workflow: WorkflowRef { id: None, version: None, hash: sha256_hex(document.as_bytes()).into() },
        graph_json: document.clone(),
        plan: plan.clone(),
        linked: Vec::new(),
        input: json!({}),
        session_id: None,
        labels: Default::default(),
        triggered_by: "test".to_owned(),
        parent: None,
        replay_of: None,
        defaults: ModelDefaults::default(),
        idempotency: None,
    };
    host.start_as(RUN, start).await.unwrap();
    let state = ended(host, world, &plan, RUN).await;
    (plan, state)
}

async fn ended(host: &Host, world: &World, plan: &Plan, run: RunId) -> RunState {
    host.idle(run).await;
    let events: Vec<Event> = world.store.read(run, 0, usize::MAX).await.unwrap();
    let state = RunState::fold(plan, &events).unwrap();
    let kinds: Vec<_> = events.iter().map(|event| (event.step.as_deref().unwrap_or(""), event.body.kind())).collect();
    assert!(state.status.is_final(), "{kinds:?}");
    state
}

#[tokio::test(start_paused = true)]
async fn a_fork_from_every_step_keeps_the_rest_and_comes_to_the_same() {
    let world = World::new(1, 0);
    let tool = Recorder::default();
    let host = host(&world, &tool);
    let document = document();
    let (plan, origin) = run(&host, &world, &document).await;
    assert_eq!(origin.status.as_str(), "succeeded", "{:?}", origin.error);
    tool.take();
    let mut again: std::collections::BTreeMap<String, Vec<String>> = Default::default();
    for ix in 0..origin.steps.len() as u32 {
        let path = origin.step(ix).path.to_string();
        if origin.step(ix).status == StepStatus::Pending {
            continue;
        }
        let wanted = ForkRun { run: RUN, from: path.clone(), triggered_by: "test".to_owned(), ..ForkRun::default() };
        let forked = host.fork(&wanted).await.unwrap_or_else(|error| panic!("{path}: {error}"));
        let state = ended(&host, &world, &plan, forked.id).await;
        assert_eq!(state.status.as_str(), "succeeded", "{path}: {:?}", state.error);
        assert_eq!(state.output, origin.output, "{path}");
        again.insert(path, tool.take());
    }
    let expected = [
        ("last", vec!["last"]),
        ("beside", vec!["beside", "last"]),
        ("again[1]/step", vec!["again[1]/step", "again[2]/step", "last"]),
        ("each[1]/wrap", vec!["again[0]/step", "again[1]/step", "again[2]/step", "each[1]/wrap", "last"]),
        ("each[2]/double", vec!["again[0]/step", "again[1]/step", "again[2]/step", "each[2]/double", "each[2]/wrap", "last"]),
    ];
    for (from, calls) in expected {
        assert_eq!(again[from], calls, "from {from}");
    }
    assert_eq!(again["first"].len(), 12);
}

#[tokio::test(start_paused = true)]
async fn a_failed_run_goes_on_from_the_step_that_is_mended() {
    let world = World::new(2, 0);
    let tool = Recorder::default();
    let host = host(&world, &tool);
    let mut nodes = vec![tool_node("a", false), tool_node("b", true), tool_node("c", false)];
    let document = |nodes: &[Value]| -> Arc<str> {
        let edges = json!([{"from": "a", "to": "b"}, {"from": "b", "to": "c"}]);
        json!({"version": "1", "entry": "a", "nodes": nodes, "edges": edges}).to_string().into()
    };
    let (_, origin) = run(&host, &world, &document(&nodes)).await;
    assert_eq!((origin.status.as_str(), origin.failed_step.as_deref()), ("failed", Some("b")));
    tool.take();
    nodes[1] = tool_node("b", false);
    let mended = document(&nodes);
    let hash: Arc<str> = sha256_hex(mended.as_bytes()).into();
    let wanted = ForkRun {
        run: RUN,
        from: "b".to_owned(),
        document: Some((mended.clone(), hash.clone())),
        triggered_by: "test".to_owned(),
        ..ForkRun::default()
    };
    let preview = host.preview_fork(&wanted).await.unwrap();
    let paths = |steps: &[u32]| steps.iter().map(|ix| preview.origin.step(*ix).path.to_string()).collect::<Vec<_>>();
    assert_eq!((paths(&preview.fork.reused), paths(&preview.fork.again)), (vec!["a".to_owned()], vec!["b".to_owned()]));
    let forked = host.fork(&wanted).await.unwrap();
    let plan = Plan::compile(mended.as_bytes()).unwrap();
    let state = ended(&host, &world, &plan, forked.id).await;
    assert_eq!((state.status.as_str(), tool.take()), ("succeeded", vec!["b".to_owned(), "c".to_owned()]));
    let events = world.store.read(forked.id, 0, usize::MAX).await.unwrap();
    let Body::RunStarted(started) = &events[0].body else { panic!("{:?}", events[0]) };
    let origin = started.forked_from.as_ref().unwrap();
    assert_eq!((origin.run, &*origin.step, &started.workflow.hash), (RUN, "b", &hash));
    assert_eq!((events[1].body.kind(), events[1].step.as_deref()), ("step.reused", Some("a")));
}

/// Items that failed are not kept, so the chosen one may have to wait for its turn.
#[tokio::test(start_paused = true)]
async fn a_fork_from_an_item_after_failed_ones_begins_with_those() {
    let recorder = Recorder::default();
    for (at_once, calls) in [(1, vec!["each[0]/a", "each[1]/a", "each[1]/b"]), (2, vec!["each[0]/a", "each[1]/b"])] {
        let body = json!({"entry": "a", "edges": [{"from": "a", "to": "b"}],
            "nodes": [tool("a", json!({"fail": "{{each.item}}"})), tool_node("b", false)]});
        let each = json!({"id": "each", "type": "map", "config": {"items": [true, false], "maxConcurrency": at_once,
            "onError": "null", "body": body}});
        let document: Arc<str> = json!({"version": "1", "entry": "each", "nodes": [each]}).to_string().into();
        let world = World::new(4, 0);
        let host = host(&world, &recorder);
        let (plan, origin) = run(&host, &world, &document).await;
        recorder.take();
        let wanted = ForkRun { run: RUN, from: "each[1]/b".to_owned(), triggered_by: "test".to_owned(), ..ForkRun::default() };
        let forked = host.fork(&wanted).await.unwrap();
        let state = ended(&host, &world, &plan, forked.id).await;
        assert_eq!((state.status, &state.output), (origin.status, &origin.output), "{at_once} at once");
        assert_eq!(recorder.take(), calls, "{at_once} at once");
    }
}

/// Steps that no edge connects depend on one another where one changes variables that another reads.
#[tokio::test(start_paused = true)]
async fn a_fork_keeps_nothing_that_came_after_by_way_of_a_variable() {
    let seen = |id: &str| tool(id, json!({"seen": "{{vars.count | default(0)}}"}));
    let counter = json!({"id": "counter", "type": "set", "config": {"vars": {"count": {"$add": 1}}}});
    let nodes = json!([tool_node("first", false), seen("before"), counter, seen("after"), tool_node("beside", false)]);
    let edges: Vec<Value> =
        ["before", "counter", "after", "beside"].iter().map(|to| json!({"from": "first", "to": to})).collect();
    let document: Arc<str> = json!({"version": "1", "entry": "first", "nodes": nodes, "edges": edges}).to_string().into();
    let world = World::new(5, 0);
    let recorder = Recorder::default();
    let host = host(&world, &recorder);
    let (plan, origin) = run(&host, &world, &document).await;
    recorder.take();
    for (from, calls) in
        [("before", vec!["after", "before"]), ("counter", vec!["after"]), ("after", vec!["after"]), ("beside", vec!["beside"])]
    {
        let wanted = ForkRun { run: RUN, from: from.to_owned(), triggered_by: "test".to_owned(), ..ForkRun::default() };
        let forked = host.fork(&wanted).await.unwrap();
        let state = ended(&host, &world, &plan, forked.id).await;
        assert_eq!((state.status, &state.output), (origin.status, &origin.output), "from {from}");
        assert_eq!(recorder.take(), calls, "from {from}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_forked_is_refused_with_a_sentence() {
    let world = World::new(3, 0);
    let tool = Recorder::default();
    let host = host(&world, &tool);
    run(&host, &world, &document()).await;
    let from = |from: &str| ForkRun { run: RUN, from: from.to_owned(), triggered_by: "test".to_owned(), ..ForkRun::default() };
    for path in ["", "nowhere", "each[9]/double", "each[1]", "each[x]/double", "first/undo"] {
        match host.fork(&from(path)).await {
            Err(ForkError::Refused(why)) => assert!(why.contains(path), "{path}: {why}"),
            other => panic!("{path}: {other:?}"),
        }
    }
    let unknown = ForkRun { run: StreamId(7), ..from("first") };
    assert!(matches!(host.fork(&unknown).await, Err(ForkError::NotFound)));
    // A document in which a kept step is missing cannot take it over.
    let other: Arc<str> = json!({"version": "1", "entry": "last", "nodes": [tool_node("last", false)]}).to_string().into();
    let wanted = ForkRun { document: Some((other.clone(), sha256_hex(other.as_bytes()).into())), ..from("last") };
    assert!(matches!(host.fork(&wanted).await, Err(ForkError::Refused(_))));
}

fn tool_node(id: &str, fail: bool) -> Value {
    tool(id, json!({"fail": fail}))
}

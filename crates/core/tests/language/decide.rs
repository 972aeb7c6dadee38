//! What follows from what, by example: a workflow, the events so far, and the commands that they lead to.

use super::problems::catalog;
use flowtrace_core::check::check;
use flowtrace_core::decide::{Command, decide};
use flowtrace_core::event::{Body, Decision, Event, LoopChecked, encode};
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_core::id::Timestamp;
use flowtrace_core::node::NodeKind;
use flowtrace_core::payload::Payload;
use flowtrace_core::plan::Plan;
use flowtrace_core::state::{ROOT, RunState};
use serde_json::{Value, json};
use std::sync::Arc;

struct Run {
    plan: Arc<Plan>,
    state: RunState,
    events: Vec<Event>,
}

fn inline(value: Value) -> Payload {
    Payload::Inline(Arc::new(value))
}

fn failure() -> Failure {
    Failure::new(FailureCode::Tool, "It broke.".to_owned())
}

impl Run {
    fn new(nodes: Value, edges: Value, parallel: bool) -> Run {
        let mode = if parallel { "parallel" } else { "sequential" };
        let document =
            json!({"version": "1", "entry": nodes[0]["id"], "nodes": nodes, "edges": edges, "execution": {"mode": mode}});
        let plan = check(document.to_string().as_bytes(), &catalog()).unwrap_or_else(|problems| panic!("{problems:#?}"));
        let state = RunState::new(&plan);
        let mut run = Run { plan, state, events: Vec::new() };
        let started = json!({
            "workflow": {"hash": "0"}, "trace_id": "00000000000000000000000000000001", "triggered_by": "test",
            "input": {"inline": {}}, "limits": {}
        });
        run.push(None, Body::RunStarted(serde_json::from_value(started).unwrap()));
        run
    }

    fn push(&mut self, step: Option<&str>, body: Body) {
        let seq = self.events.len() as u64 + 1;
        let event = Event { seq, ts: Timestamp(seq), step: step.map(Into::into), body };
        self.state.apply(&self.plan, &event).unwrap_or_else(|corrupt| panic!("{corrupt}"));
        self.events.push(event);
    }

    fn begin(&mut self, step: &str) {
        self.push(Some(step), Body::StepScheduled { input: inline(json!({})) });
        let ix = self.state.find(&self.plan, step).unwrap();
        if matches!(self.plan.node(self.state.step(ix).node).kind, NodeKind::Tool(_)) {
            let config = Some(inline(json!({})));
            self.push(Some(step), Body::ToolRequest { request: 1, attempt: 1, tool: "csv".to_owned(), config });
        }
    }

    fn end(&mut self, step: &str) {
        self.push(Some(step), Body::StepSucceeded { output: inline(json!(step)), taken: Vec::new() });
    }

    fn done(&mut self, step: &str) {
        self.begin(step);
        self.end(step);
    }

    fn fail(&mut self, step: &str) {
        self.push(Some(step), Body::StepFailed { error: failure(), handled: None });
    }

    /// The commands, in words. A plain fold of the same events has to come to the same.
    fn next(&self) -> Vec<String> {
        let now = Timestamp(1_000_000);
        let folded = RunState::fold(&self.plan, &self.events).unwrap();
        let commands = decide(&self.plan, &self.state, now);
        assert_eq!(commands, decide(&self.plan, &folded, now), "{}", String::from_utf8(encode(&self.events)).unwrap());
        let path = |ix| self.state.path(&self.plan, ix).to_string();
        let words = |command: &Command| match command {
            Command::Skip(ix) => format!("skip {}", path(*ix)),
            Command::Settle(ix) => format!("settle {}", path(*ix)),
            Command::Begin(ix) => format!("begin {}", path(*ix)),
            Command::Resume(ix) => format!("resume {}", path(*ix)),
            Command::Expire(ix) => format!("expire {}", path(*ix)),
            Command::Deliver(ix) => format!("deliver {}", path(*ix)),
            Command::Close(scope) => match self.state.scope(*scope).owner {
                Some(owner) => format!("close {}[{}]", path(owner), self.state.scope(*scope).index),
                None => "close".to_owned(),
            },
            Command::Fail(ix, failure, _) => format!("fail {}: {}", path(*ix), failure.code.as_str()),
            Command::Compensate { error, .. } => {
                format!("compensate{}", if error.is_some() { ", then fail" } else { ", then cancel" })
            }
            Command::Undo(armed) => format!("undo {}", armed.path),
            Command::Succeed { leaves } => {
                format!("succeed with {}", leaves.iter().map(|ix| path(*ix)).collect::<Vec<_>>().join(" "))
            }
            Command::FailRun { failure, .. } => format!("fail the run: {}", failure.code.as_str()),
            Command::Cancel => "cancel".to_owned(),
        };
        commands.iter().map(words).collect()
    }
}

fn tool(id: &str) -> Value {
    json!({"id": id, "type": "tool", "config": {"tool": "csv"}})
}

fn body(nodes: Value, edges: Value) -> Value {
    json!({"entry": nodes[0]["id"], "nodes": nodes, "edges": edges})
}

fn map(on_error: &str) -> Value {
    json!({"id": "each", "type": "map", "config": {"items": "{{input.list}}", "maxConcurrency": 2, "onError": on_error,
           "body": body(json!([tool("x"), tool("y")]), json!([{"from": "x", "to": "y"}]))}})
}

#[test]
fn a_map_works_on_so_many_items_at_once_and_closes_each() {
    let mut run = Run::new(json!([map("fail")]), json!([]), false);
    assert_eq!(run.next(), ["begin each"]);
    run.begin("each");
    run.push(Some("each"), Body::MapExpanded { items: inline(json!([1, 2, 3])), count: 3 });
    assert_eq!(run.next(), ["begin each[0]/x", "begin each[1]/x"], "two at once, although the graph is sequential");
    run.begin("each[0]/x");
    run.begin("each[1]/x");
    assert_eq!(run.next(), [""; 0]);
    run.end("each[1]/x");
    assert_eq!(run.next(), ["begin each[1]/y"]);
    run.done("each[1]/y");
    assert_eq!(run.next(), ["close each[1]"]);
    run.push(Some("each"), Body::MapItem { index: 1, output: None, error: None, origin: None });
    assert_eq!(run.next(), ["begin each[2]/x"]);
    run.begin("each[2]/x");
    // A failed item fails the map, and nothing more begins.
    run.fail("each[0]/x");
    assert_eq!(run.next(), ["fail each: tool"]);
    run.fail("each");
    assert_eq!(run.next(), ["fail the run: tool"]);
}

#[test]
fn a_map_that_collects_goes_on_after_a_failed_item() {
    let mut run = Run::new(json!([map("collect")]), json!([]), false);
    run.begin("each");
    run.push(Some("each"), Body::MapExpanded { items: inline(json!([1])), count: 1 });
    run.begin("each[0]/x");
    run.fail("each[0]/x");
    assert_eq!(run.next(), ["close each[0]"]);
    run.push(Some("each"), Body::MapItem { index: 0, output: None, error: Some(failure()), origin: None });
    run.end("each");
    assert_eq!(run.next(), ["succeed with each"]);
}

/// Wherever a journal ends, something follows, as long as there is something to follow.
#[test]
fn what_is_recorded_is_followed_up_first() {
    let mut run = Run::new(json!([tool("a"), tool("b")]), json!([{"from": "a", "to": "b"}]), false);
    let scheduled = Body::StepScheduled { input: inline(json!({})) };
    run.push(Some("a"), scheduled.clone());
    assert_eq!(run.next(), ["settle a"], "it is scheduled and not called");
    let call = |attempt| Body::ToolRequest { request: 1, attempt, tool: "csv".to_owned(), config: Some(inline(json!({}))) };
    run.push(Some("a"), call(1));
    assert_eq!(run.next(), [""; 0]);
    run.push(Some("a"), Body::StepLost { request: 1, attempt: 1 });
    assert_eq!(run.next(), ["settle a"], "its call is lost");
    run.push(Some("a"), call(1));
    run.push(Some("a"), Body::ToolResponse { request: 1, attempt: 1, output: inline(json!(1)) });
    run.push(Some("a"), Body::UndoArmed { call: inline(json!({})) });
    assert_eq!(run.next(), ["settle a"], "it is answered and has not ended");
    run.push(None, Body::RunPaused { by: "test".to_owned() });
    run.push(None, Body::CancelRequested { by: "test".to_owned() });
    assert_eq!(run.next(), ["settle a"], "what came back is recorded, whatever was asked for meanwhile");
    run.end("a");
    assert_eq!(run.next(), ["compensate, then cancel"]);

    let mut run = Run::new(json!([tool("a")]), json!([]), false);
    run.push(Some("a"), scheduled);
    run.push(None, Body::CancelRequested { by: "test".to_owned() });
    assert_eq!(run.next(), ["cancel"], "what was not called is not called any more");
}

#[test]
fn a_loop_begins_an_iteration_where_the_check_says_so() {
    let looped =
        json!({"id": "round", "type": "loop", "config": {"maxIterations": 5, "body": body(json!([tool("x")]), json!([]))}});
    let mut run = Run::new(json!([looped]), json!([]), false);
    let checked =
        |done, again| Body::LoopChecked(Arc::new(LoopChecked { done, again, changes: Vec::new(), output: None, origin: None }));
    run.begin("round");
    run.push(Some("round"), checked(0, true));
    assert_eq!(run.next(), ["begin round[0]/x"]);
    run.done("round[0]/x");
    assert_eq!(run.next(), ["close round[0]"]);
    run.push(Some("round"), checked(1, true));
    assert_eq!(run.next(), ["begin round[1]/x"]);
    run.done("round[1]/x");
    run.push(Some("round"), checked(2, false));
    assert_eq!(run.next(), ["settle round"], "the loop itself has to be ended");
    run.end("round");
    assert_eq!(run.next(), ["succeed with round"]);
}

#[test]
fn nothing_follows_an_open_question_but_its_deadline() {
    let ask = json!({"id": "ask", "type": "approval", "config": {"message": "?"}});
    for (deadline, expected) in [(None, vec![]), (Some(2_000_000), vec![]), (Some(1_000), vec!["expire ask"])] {
        let mut run = Run::new(json!([ask]), json!([]), false);
        run.begin("ask");
        let deadline = deadline.map(Timestamp);
        let (message, payload) = ("?".to_owned(), inline(json!(null)));
        run.push(Some("ask"), Body::ApprovalRequested { message, payload, deadline, interrupted: false });
        assert_eq!(run.next(), expected);
        run.push(None, Body::RunPaused { by: "test".to_owned() });
        assert_eq!(run.next(), [""; 0], "paused");
        run.push(None, Body::RunResumed { by: "test".to_owned() });
        let (key, by) = ("k".to_owned(), "test".to_owned());
        run.push(Some("ask"), Body::ApprovalDecided { decision: Decision::Approved, key, payload: None, by, reason: None });
        run.end("ask");
        assert_eq!(run.next(), ["succeed with ask"]);
    }
}

#[test]
fn what_was_done_is_taken_back_the_last_first() {
    let undo = |id: &str| {
        let mut node = tool(id);
        node["undo"] = json!({"config": {"tool": "csv"}});
        node
    };
    for cancel in [false, true] {
        let edges = json!([{"from": "a", "to": "b"}, {"from": "b", "to": "c"}]);
        let mut run = Run::new(json!([undo("a"), undo("b"), tool("c")]), edges, false);
        for step in ["a", "b"] {
            run.begin(step);
            run.push(Some(step), Body::UndoArmed { call: inline(json!({})) });
            run.end(step);
        }
        run.begin("c");
        let error = match cancel {
            true => {
                run.push(None, Body::CancelRequested { by: "test".to_owned() });
                assert_eq!(run.next(), ["compensate, then cancel"]);
                None
            }
            false => {
                run.fail("c");
                assert_eq!(run.next(), ["compensate, then fail"]);
                Some(failure())
            }
        };
        run.push(None, Body::UndoStarted { steps: 2, error });
        assert_eq!(run.next(), ["undo b"]);
        run.begin("b/undo");
        assert_eq!(run.next(), [""; 0], "one after the other");
        // One that fails for good does not keep the others.
        run.fail("b/undo");
        assert_eq!(run.next(), ["undo a"]);
        run.done("a/undo");
        assert_eq!(run.next(), [if cancel { "cancel" } else { "fail the run: tool" }]);
        assert_eq!(run.state.compensation.as_ref().map(|compensation| compensation.failed), Some(1));
    }
}

#[test]
fn joins_wait_for_all_for_any_or_for_some() {
    for (join, after_one, after_two) in
        [(json!(null), "", ""), (json!("any"), "begin z", "begin z"), (json!(2), "", "begin z"), (json!(3), "", "")]
    {
        let mut last = tool("z");
        last["join"] = join.clone();
        let edges: Vec<Value> =
            ["b", "c", "d"].iter().flat_map(|id| [json!({"from": "a", "to": id}), json!({"from": id, "to": "z"})]).collect();
        let mut run = Run::new(json!([tool("a"), tool("b"), tool("c"), tool("d"), last]), json!(edges), true);
        run.done("a");
        assert_eq!(run.next(), ["begin b", "begin c", "begin d"]);
        ["b", "c", "d"].into_iter().for_each(|id| run.begin(id));
        for (id, expected) in [("b", after_one), ("c", after_two)] {
            run.end(id);
            assert_eq!(run.next().join(""), expected, "{join} after {id}");
        }
        run.end("d");
        assert_eq!(run.next(), ["begin z"], "{join}");
        run.done("z");
        assert_eq!(run.next(), ["succeed with z"], "{join}");
        assert!(run.state.is_closable(ROOT));
    }
}

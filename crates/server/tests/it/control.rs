//! Control flow through the real binary: people, signals, pauses, agents, workflows in workflows, sessions, taking back, budgets.
//! What happens under `kill -9` at random moments is in [`kills`].

mod budgets;
mod kills;
mod people;
mod taking_back;

use crate::support::{Answer, Api, PATIENCE, Reply, Server, Upstream};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

fn fresh() -> Arc<TempDir> {
    Arc::new(tempfile::tempdir().unwrap())
}

/// With the upstream as its models, and allowed to call it.
fn serve(directory: Arc<TempDir>, upstream: &Upstream) -> Server {
    Server::on(directory, &["--allow-private-network", "--no-demo"], |command| upstream.configure(command))
}

/// With simulated models; http calls go where they say.
fn simulated(directory: Arc<TempDir>) -> Server {
    Server::on(directory, &["--simulate", "--allow-private-network", "--no-demo"], |_| {})
}

fn document(nodes: Value, edges: &[(&str, &str)]) -> Value {
    let edges: Vec<Value> = edges
        .iter()
        .map(|(ends, when)| {
            let (from, to) = ends.split_once(' ').unwrap();
            match *when {
                "" => json!({"from": from, "to": to}),
                "error" => json!({"from": from, "to": to, "on": "error"}),
                when => json!({"from": from, "to": to, "when": when}),
            }
        })
        .collect();
    json!({"version": "1", "entry": nodes[0]["id"], "nodes": nodes, "edges": edges})
}

fn echo(id: &str, inputs: Value) -> Value {
    json!({"id": id, "type": "tool", "config": {"tool": "echo"}, "inputs": inputs})
}

fn body(nodes: Value) -> Value {
    json!({"entry": nodes[0]["id"], "nodes": nodes, "edges": []})
}

async fn start(api: &Api, document: &Value) -> String {
    start_with(api, document, json!({}), None).await
}

async fn start_with(api: &Api, document: &Value, input: Value, session: Option<&str>) -> String {
    let body = json!({"graph_json": document, "input_vars": input, "session_id": session});
    api.post("/api/runs", body).await.expect(201)["id"].as_str().unwrap().to_owned()
}

async fn save(api: &Api, name: &str, document: &Value) -> String {
    let saved = api.post("/api/workflows", json!({"name": name, "graph_json": document})).await.expect(201);
    saved["id"].as_str().unwrap().to_owned()
}

async fn trace(api: &Api, id: &str) -> Vec<Value> {
    api.get(&format!("/api/runs/{id}/trace?limit=5000")).await.expect(200)["events"].as_array().unwrap().clone()
}

async fn run(api: &Api, id: &str) -> Value {
    api.get(&format!("/api/runs/{id}?include=io")).await.expect(200)
}

/// Asks again and again until there is an answer; shows the run when there is none.
async fn until<T>(api: &Api, id: &str, what: &str, wanted: impl Fn(&Value, &[Value]) -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (run, events) = (run(api, id).await, trace(api, id).await);
        if let Some(found) = wanted(&run, &events) {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}: {run:#}\n{events:#?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn ended(api: &Api, id: &str) -> Value {
    let is_final = |run: &Value| !["queued", "running"].contains(&run["status"].as_str().unwrap());
    until(api, id, "its end", |run, _| is_final(run).then(|| run.clone())).await
}

async fn happened(api: &Api, id: &str, kind: &str, step: &str) {
    let is = |event: &Value| event["kind"] == kind && event["step_id"].as_str().unwrap_or_default() == step;
    until(api, id, &format!("{kind} {step}"), |_, events| events.iter().any(is).then_some(())).await;
}

/// The open question of a run.
async fn asked(api: &Api, run: &str) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let list = api.get(&format!("/api/approvals?run_id={run}")).await.expect(200);
        if let Some(question) = list["approvals"].as_array().unwrap().first() {
            return question.clone();
        }
        assert!(Instant::now() < deadline, "nobody is asked: {:#?}", trace(api, run).await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn decide(api: &Api, question: &Value, body: Value) -> Answer {
    let id = question["id"].as_str().unwrap().replace('/', "%2F");
    api.post(&format!("/api/approvals/{id}"), body).await
}

/// `kind step` of these kinds.
fn shape(events: &[Value], kinds: &[&str]) -> Vec<String> {
    let wanted = events.iter().filter(|event| kinds.contains(&event["kind"].as_str().unwrap()));
    wanted
        .map(|event| match event["step_id"].as_str() {
            Some(step) => format!("{} {step}", event["kind"].as_str().unwrap()),
            None => event["kind"].as_str().unwrap().to_owned(),
        })
        .collect()
}

fn step<'r>(run: &'r Value, path: &str) -> &'r Value {
    let steps = run["steps"].as_array().unwrap();
    steps.iter().find(|step| step["step_id"] == path).unwrap_or_else(|| panic!("no step {path}: {run:#}"))
}

#[tokio::test]
async fn a_signal_may_come_early_or_late() {
    let server = simulated(fresh());
    let api = server.api();
    let wait = |more: Value| {
        let mut config = json!({"signal": "go"});
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"id": "hold", "type": "wait", "config": config})
    };
    let after = echo("after", json!({"got": "{{node.hold.output}}"}));
    let late = document(json!([wait(json!({})), after]), &[("hold after", "")]);
    let id = start(&api, &late).await;
    happened(&api, &id, "step.scheduled", "hold").await;
    // Another signal is not this one.
    api.post(&format!("/api/runs/{id}/signals/other"), json!({"payload": 1})).await.expect(202);
    happened(&api, &id, "signal.received", "").await;
    assert_eq!(run(&api, &id).await["status"], "running");
    api.post(&format!("/api/runs/{id}/signals/go"), json!({"payload": {"n": 7}})).await.expect(202);
    let ended_run = ended(&api, &id).await;
    assert_eq!(ended_run["output"], json!({"got": {"n": 7}}), "{ended_run:#}");
    api.post(&format!("/api/runs/{id}/signals/go"), json!({})).await.problem(409, "already_ended");

    // Early: it comes while something else is waited for, and is kept. Two of them, for two waits, in their order.
    let second = json!({"id": "again", "type": "wait", "config": {"signal": "go"}});
    let first = json!({"id": "ready", "type": "wait", "config": {"signal": "ready"}});
    let both = echo("both", json!({"a": "{{node.hold.output}}", "b": "{{node.again.output}}"}));
    let early =
        document(json!([first, wait(json!({})), second, both]), &[("ready hold", ""), ("hold again", ""), ("again both", "")]);
    let directory = fresh();
    let server = simulated(directory.clone());
    let api = server.api();
    let id = start(&api, &early).await;
    for payload in ["first", "second"] {
        api.post(&format!("/api/runs/{id}/signals/go"), json!({"payload": payload})).await.expect(202);
    }
    until(&api, &id, "both signals", |_, events| (shape(events, &["signal.received"]).len() == 2).then_some(())).await;
    let server = simulated(server.kill());
    let api = server.api();
    api.post(&format!("/api/runs/{id}/signals/ready"), json!({"payload": null})).await.expect(202);
    let ended_run = ended(&api, &id).await;
    assert_eq!(ended_run["output"], json!({"a": "first", "b": "second"}), "{ended_run:#}");

    // Never: after a second the author's word counts.
    for (on_timeout, status) in [("continue", "succeeded"), ("fail", "failed")] {
        let never = document(json!([wait(json!({"timeoutSeconds": 1, "onTimeout": on_timeout})), after]), &[("hold after", "")]);
        let id = start(&api, &never).await;
        let ended_run = ended(&api, &id).await;
        assert_eq!(ended_run["status"], status, "{ended_run:#}");
        match status {
            "failed" => assert_eq!(ended_run["error"]["code"], "expired", "{ended_run:#}"),
            _ => assert_eq!(ended_run["output"], json!({"got": null}), "{ended_run:#}"),
        }
    }
}

#[tokio::test]
async fn a_pause_lets_calls_come_back_and_begins_nothing_also_after_a_restart() {
    let upstream = Upstream::start(|call| match call.path.as_str() {
        "/first" => Reply::text("first").after(Duration::from_millis(800)),
        _ => Reply::text("second"),
    });
    let server = serve(fresh(), &upstream);
    let api = server.api();
    // Read before the clock runs: compiling it takes a while.
    api.contract().await;
    let get = |id: &str| json!({"id": id, "type": "tool", "config": {"url": format!("{}/{id}", upstream.url)}});
    let id = start(&api, &document(json!([get("first"), get("second")]), &[("first second", "")])).await;
    upstream.wait_for_calls("/first", 1);
    api.post(&format!("/api/runs/{id}/pause"), json!({})).await.expect(202);
    happened(&api, &id, "run.paused", "").await;
    happened(&api, &id, "step.succeeded", "first").await;
    let server = serve(server.kill(), &upstream);
    let api = server.api();
    // Time enough for it to go on, if it did.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let paused = run(&api, &id).await;
    assert_eq!(
        (&paused["status"], upstream.calls_about("/second").len()),
        (&json!("running"), 0),
        "{:#?}",
        trace(&api, &id).await
    );
    api.post(&format!("/api/runs/{id}/resume"), json!({})).await.expect(202);
    let ended_run = ended(&api, &id).await;
    assert_eq!(ended_run["status"], "succeeded", "{ended_run:#}");
    assert_eq!((upstream.calls_about("/first").len(), upstream.calls_about("/second").len()), (1, 1));
    let events = trace(&api, &id).await;
    assert_eq!(shape(&events, &["run.paused", "run.resumed"]), ["run.paused", "run.resumed"], "{events:#?}");
    // Paused while it waits for a person, it can still be canceled.
    let ask = document(json!([{"id": "ask", "type": "approval", "config": {"message": "?"}}]), &[]);
    let id = start(&api, &ask).await;
    asked(&api, &id).await;
    api.post(&format!("/api/runs/{id}/pause"), json!({})).await.expect(202);
    happened(&api, &id, "run.paused", "").await;
    api.post(&format!("/api/runs/{id}/cancel"), json!({})).await.expect(202);
    assert_eq!(ended(&api, &id).await["status"], "canceled");
}

#[tokio::test]
async fn cancel_reaches_everything_inside() {
    let upstream = Upstream::start(|_| Reply::silence());
    let server = serve(fresh(), &upstream);
    let api = server.api();
    let get = |id: &str| json!({"id": id, "type": "tool", "timeoutSeconds": 60, "config": {"url": format!("{}/{id}/{{{{each.index}}}}", upstream.url)}});
    let inner = json!({"id": "child", "type": "workflow", "config": {"workflow": "Child"}});
    let child = document(
        json!([{"id": "deep", "type": "tool", "timeoutSeconds": 60, "config": {"url": format!("{}/child", upstream.url)}}]),
        &[],
    );
    save(&api, "Child", &child).await;
    let looped = json!({"id": "round", "type": "loop", "config": {"maxIterations": 3, "body": body(json!([
        {"id": "each", "type": "map", "config": {"items": [1, 2], "body": body(json!([get("item")]))}}]))}});
    let ask = json!({"id": "ask", "type": "approval", "config": {"message": "?"}});
    let agent = json!({"id": "agent", "type": "agent", "timeoutSeconds": 60,
        "config": {"provider": "openai", "model": "gpt-4o-mini", "prompt": "of the agent"}});
    let mut all = document(
        json!([echo("begin", json!({})), looped, inner, ask, agent]),
        &[("begin round", ""), ("begin child", ""), ("begin ask", ""), ("begin agent", "")],
    );
    all["execution"] = json!({"mode": "parallel"});
    let id = start(&api, &all).await;
    for (what, count) in [("/item/0", 1), ("/item/1", 1), ("/child", 1), ("of the agent", 1)] {
        upstream.wait_for_calls(what, count);
    }
    asked(&api, &id).await;
    api.post(&format!("/api/runs/{id}/cancel"), json!({})).await.expect(202);
    let ended_run = ended(&api, &id).await;
    assert_eq!(ended_run["status"], "canceled", "{ended_run:#}");
    for step in ended_run["steps"].as_array().unwrap().iter().filter(|step| step["step_id"] != "begin") {
        assert_eq!(step["status"], "canceled", "{step:#}");
    }
    for path in ["round", "round[0]/each", "round[0]/each[1]/item", "child", "child[0]/deep", "ask", "agent", "agent[0]/model"] {
        step(&ended_run, path);
    }
    crate::support::wait_until("the end of the calls", || upstream.calls().iter().all(|call| call.end().is_some()).then_some(()));
    let list = api.get(&format!("/api/approvals?run_id={id}&status=all")).await.expect(200);
    assert_eq!((&list["open"], &list["approvals"][0]["decision"]), (&json!(0), &json!("canceled")), "{list:#}");
}

#[tokio::test]
async fn a_workflow_in_a_workflow_stays_what_it_was_when_the_run_began() {
    let server = simulated(fresh());
    let api = server.api();
    let child = |says: &str| document(json!([echo("say", json!({"says": says, "to": "{{input.name}}"}))]), &[]);
    let child_id = save(&api, "Greeting", &child("hello")).await;
    let call = |workflow: &str, version: Value| {
        let mut config = json!({"workflow": workflow, "input": {"name": "{{input.who}}"}});
        if !version.is_null() {
            config["version"] = version;
        }
        let ask = json!({"id": "ask", "type": "approval", "config": {"message": "?"}});
        document(json!([ask, {"id": "sub", "type": "workflow", "config": config}]), &[("ask sub", "")])
    };
    let input = json!({"who": "Ann"});
    let before = start_with(&api, &call("Greeting", json!(null)), input.clone(), None).await;
    let question = asked(&api, &before).await;
    let next = json!({"name": "Greeting", "graph_json": child("good morning")});
    api.put(&format!("/api/workflows/{child_id}"), next).await.expect(200);
    decide(&api, &question, json!({"decision": "approve"})).await.expect(200);
    let run_before = ended(&api, &before).await;
    assert_eq!(run_before["output"], json!({"says": "hello", "to": "Ann"}), "{run_before:#}");
    assert_eq!(step(&run_before, "sub[0]/say")["status"], "succeeded");
    for (workflow, version, says) in [
        ("Greeting", json!(null), "good morning"),
        ("Greeting", json!(1), "hello"),
        ("Greeting", json!(2), "good morning"),
        (child_id.as_str(), json!(null), "good morning"),
    ] {
        let id = start_with(&api, &call(workflow, version), input.clone(), None).await;
        decide(&api, &asked(&api, &id).await, json!({"decision": "approve"})).await.expect(200);
        let ended_run = ended(&api, &id).await;
        assert_eq!(ended_run["output"], json!({"says": says, "to": "Ann"}), "{ended_run:#}");
    }
    let missing = start_with(&api, &call("Farewell", json!(null)), input, None).await;
    decide(&api, &asked(&api, &missing).await, json!({"decision": "approve"})).await.expect(200);
    let ended_run = ended(&api, &missing).await;
    assert_eq!(ended_run["error"]["code"], "not_configured", "{ended_run:#}");
    assert!(ended_run["error"]["message"].as_str().unwrap().contains("`Farewell`"), "{ended_run:#}");
}

#[tokio::test]
async fn a_session_counts_exactly_under_eight_runs_at_once() {
    let server = simulated(fresh());
    let api = server.api();
    let add = json!({"id": "add", "type": "set", "config": {"session": {
        "count": {"$add": 1}, "who": {"$append": {"was": "{{input.run}}.{{iteration.index}}"}}}}});
    let counting =
        document(json!([{"id": "round", "type": "loop", "config": {"maxIterations": 5, "body": body(json!([add]))}}]), &[]);
    let ids = futures::future::join_all((0..8).map(|number| {
        let (api, counting) = (api.clone(), counting.clone());
        async move { start_with(&api, &counting, json!({"run": number}), Some("s")).await }
    }))
    .await;
    for id in &ids {
        let ended_run = ended(&api, id).await;
        assert_eq!(ended_run["status"], "succeeded", "{ended_run:#}");
        let changed = trace(&api, id).await.iter().filter(|event| event["kind"] == "session.changed").count();
        assert_eq!(changed, 5, "every change is in the trace of the run that made it");
    }
    let reading = document(json!([echo("read", json!({"count": "{{session.count}}", "who": "{{session.who}}"}))]), &[]);
    let id = start_with(&api, &reading, json!({}), Some("s")).await;
    let ended_run = ended(&api, &id).await;
    assert_eq!(ended_run["output"]["count"], 40, "{ended_run:#}");
    let mut who: Vec<&str> =
        ended_run["output"]["who"].as_array().unwrap().iter().map(|who| who["was"].as_str().unwrap()).collect();
    who.sort_unstable();
    who.dedup();
    assert_eq!(who.len(), 40, "{who:?}");
    // Another session, and none.
    let id = start_with(&api, &counting, json!({"run": 0}), None).await;
    assert_eq!(ended(&api, &id).await["error"]["code"], "not_configured");
}

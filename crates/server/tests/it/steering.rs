//! Saying something to a run that is under way, and running again from a step: the operations, with their errors.

use crate::support::Api;
use serde_json::{Value, json};

/// A step, a question, a wait for a signal, and a step.
fn document() -> Value {
    json!({
        "version": "1",
        "entry": "first",
        "nodes": [
            {"id": "first", "type": "tool", "config": {"tool": "echo"}, "inputs": {"n": 1}},
            {"id": "ask", "type": "approval", "config": {"message": "Send {{node.first.output.n}}?"}, "inputs": {"n": "{{node.first.output.n}}"}},
            {"id": "hold", "type": "wait", "config": {"signal": "go"}},
            {"id": "last", "type": "tool", "config": {"tool": "echo"},
                "inputs": {"approved": "{{node.ask.output.payload}}", "told": "{{node.hold.output}}"}},
        ],
        "edges": [{"from": "first", "to": "ask"}, {"from": "ask", "to": "hold"}, {"from": "hold", "to": "last"}],
    })
}

/// Calls every operation that steers a run.
pub async fn operations(api: &Api) {
    let started = api.post("/api/runs", json!({"graph_json": document(), "input_vars": {}})).await.expect(201);
    let run = started["id"].as_str().unwrap().to_owned();
    let step = async |id: &str, status: &str| {
        for _ in 0..600 {
            let view = api.get(&format!("/api/runs/{run}")).await.expect(200);
            if view["steps"].as_array().unwrap().iter().any(|step| step["step_id"] == *id && step["status"] == *status) {
                return view;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("step `{id}` of run {run} never was {status}")
    };
    let waits_for = async || {
        let listed = api.get("/api/runs?limit=200").await.expect(200);
        listed["runs"].as_array().unwrap().iter().find(|row| row["id"] == *run).unwrap()["waits_for"].clone()
    };
    let view = step("ask", "waiting").await;
    assert_eq!(waits_for().await, "person");
    // Its spans follow its journal.
    let trace = async |what: Value| {
        for _ in 0..600 {
            let trace = api.get(&format!("/api/traces/{run}?io=none")).await;
            if trace.status == 200 && trace.json()["waits_for"] == what {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("the trace of run {run} never said that it waits for {what}")
    };
    trace(json!("person")).await;
    let listed = api.get("/api/traces?status=running").await.expect(200);
    let listed =
        listed["traces"].as_array().unwrap().iter().find(|trace| run.replace('-', "") == *trace["trace_id"].as_str().unwrap());
    assert_eq!(listed.unwrap()["waits_for"], "person");
    assert_eq!((&view["phase"], &view["steps"][1]["question"]["message"]), (&json!("waiting"), &json!("Send 1?")));

    let list = api.get(&format!("/api/approvals?run_id={run}")).await.expect(200);
    assert_eq!(
        (&list["approvals"][0]["payload"], &list["approvals"][0]["decision"]),
        (&json!({"n": 1}), &Value::Null),
        "{list:#}"
    );
    assert!(list["open"].as_u64().unwrap() >= 1);
    let path = format!("/api/approvals/{}", list["approvals"][0]["id"].as_str().unwrap().replace('/', "%2F"));
    api.get("/api/approvals?status=perhaps").await.problem(400, "invalid_query");
    api.post(&path, json!({"decision": "reject", "payload": 1})).await.problem(400, "invalid_body");
    api.post(&format!("/api/approvals/{run}:first"), json!({"decision": "approve"})).await.problem(404, "not_found");
    api.post("/api/approvals/nonsense", json!({"decision": "approve"})).await.problem(400, "invalid_id");

    // A signal that comes before anybody waits for it is kept.
    api.post(&format!("/api/runs/{run}/signals/go"), json!({"payload": "now"})).await.expect(202);
    api.post(&format!("/api/runs/{run}/pause"), json!({})).await.expect(202);
    let decided = api.post(&path, json!({"decision": "approve", "payload": {"n": 2}, "reason": "rounded"})).await.expect(200);
    assert_eq!((&decided["decision"], &decided["decided_by"]), (&json!("approved"), &json!("api")));
    let detail = api.post(&path, json!({"decision": "reject"})).await.problem(409, "already_decided");
    assert!(detail.contains("approved by api at 20"), "{detail}");
    assert_eq!(api.get(&format!("/api/runs/{run}")).await.expect(200)["phase"], "paused");
    assert_eq!(waits_for().await, "other", "nobody is asked any more, and the run is still paused");
    api.post(&format!("/api/runs/{run}/resume"), json!({})).await.expect(202);
    let view = step("last", "succeeded").await;
    let view = if view["status"] == "running" { step("last", "succeeded").await } else { view };
    assert_eq!(view["output"], json!({"approved": {"n": 2}, "told": "now"}), "{view:#}");
    let decided = api.get(&format!("/api/approvals?status=decided&run_id={run}")).await.expect(200);
    assert_eq!(decided["approvals"][0]["reason"], "rounded");
    assert_eq!(waits_for().await, Value::Null);
    for what in ["pause", "resume", "signals/go"] {
        let body = if what == "signals/go" { json!({"payload": 1}) } else { json!({}) };
        api.post(&format!("/api/runs/{run}/{what}"), body).await.problem(409, "already_ended");
    }
    forks(api, &run).await;
    edited(api).await;
}

/// A document that was edited for one run has no version, but came from one; a fork of the fork came from the same.
async fn edited(api: &Api) {
    let graph_json = json!({
        "version": "1",
        "entry": "only",
        "nodes": [{"id": "only", "type": "tool", "config": {"tool": "echo"}, "inputs": {"n": 1}}],
        "edges": []
    });
    let workflow = api.post("/api/workflows", json!({"name": "Edited", "graph_json": graph_json})).await.expect(201);
    let path = format!("/api/workflows/{}/runs?wait=30", workflow["id"].as_str().unwrap());
    let started = api.post(&path, json!({"input_vars": {}})).await.expect(201);
    let mut runs = vec![started["id"].as_str().unwrap().to_owned()];
    for n in 2..4 {
        let edits = json!({"from": "only", "edits": {"only": {"inputs": {"n": n}}}});
        let fork = api.post(&format!("/api/runs/{}/fork", runs.last().unwrap()), edits).await.expect(201);
        let fork = fork["id"].as_str().unwrap().to_owned();
        while !api.get(&format!("/api/runs/{fork}")).await.expect(200)["finished_at"].is_string() {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        runs.push(fork);
    }
    let listed = api.get("/api/runs?limit=100").await.expect(200);
    for (at, run) in runs.iter().enumerate() {
        let expected = if at == 0 { (json!(1), Value::Null) } else { (Value::Null, json!(1)) };
        let of = |view: &Value| (view["workflow_version"].clone(), view["edited_version"].clone());
        let view = api.get(&format!("/api/runs/{run}")).await.expect(200);
        assert_eq!(of(&view), expected, "{view:#}");
        let row = listed["runs"].as_array().unwrap().iter().find(|row| row["id"] == **run).unwrap();
        assert_eq!(of(row), expected, "{row:#}");
        let compared = api.get(&format!("/api/compare?a={run}&b={run}")).await.expect(200);
        assert_eq!(of(&compared["b"]), expected, "{compared:#}");
    }
}

async fn forks(api: &Api, run: &str) {
    let preview = format!("/api/runs/{run}/fork/preview");
    let kept = api.post(&preview, json!({"from": "last"})).await.expect(200);
    let ids = |name: &str| kept[name].as_array().unwrap().iter().map(|step| step["step_id"].clone()).collect::<Vec<_>>();
    assert_eq!((ids("reused"), ids("again")), (vec![json!("first"), json!("ask"), json!("hold")], vec![json!("last")]));
    assert_eq!((&kept["estimate_nanousd"], &kept["again"][0]["side_effect"]), (&json!(0), &json!(false)));
    let edits = json!({"from": "last", "edits": {"last": {"inputs": {"told": "again"}}}});
    let forked = api.post(&format!("/api/runs/{run}/fork"), edits).await.expect(201);
    let fork = forked["id"].as_str().unwrap();
    let view = loop {
        let view = api.get(&format!("/api/runs/{fork}")).await.expect(200);
        if view["finished_at"].is_string() {
            break view;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert_eq!(view["output"], json!({"approved": {"n": 2}, "told": "again"}), "{view:#}");
    assert_eq!(view["steps"][0]["reused_from"], json!({"run_id": run, "step_id": "first"}));
    let compared = api.get(&format!("/api/compare?a={run}&b={fork}")).await.expect(200);
    assert_eq!((&compared["first_divergence"], compared["steps"].as_array().unwrap().len()), (&json!("last"), 4), "{compared:#}");
    assert_eq!(compared["steps"][3]["differs"], json!(["input", "output"]));

    api.post(&preview, json!({"from": "nowhere"})).await.problem(422, "cannot_fork");
    api.post(&preview, json!({"from": "last", "edits": {"gone": {"config": {"a": 1}}}})).await.problem(422, "unknown_node");
    let broken = json!({"from": "last", "edits": {"last": {"inputs": {"told": "{{node.gone.output}}"}}}});
    api.post(&preview, broken).await.problem(422, "invalid_workflow");
    api.get(&format!("/api/compare?a={run}&b=x")).await.problem(404, "not_found");
    api.get(&format!("/api/compare?a={run}&b={run}&cursor=x")).await.problem(400, "invalid_cursor");
}

//! Traces, sessions and scores over the API; what fills them here are the engine's own runs.

use crate::support::{Api, Server, documents};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// Calls every operation on traces.
pub async fn operations(api: &Api) {
    let document = documents::model(json!({"answer": "Paris is the capital"}));
    let labels = json!({"user_id": "ann@example.org", "tags": ["vip", "eu"], "metadata": {"ticket": 17, "plan": "gold"}});
    let mut body = json!({"graph_json": document, "input_vars": {"topic": "capitals"}, "session_id": "session/1"});
    body.as_object_mut().unwrap().extend(labels.as_object().unwrap().clone());
    let run = api.post("/api/runs?wait=60", body).await.expect(201)["run"].clone();
    let id = run["trace_id"].as_str().unwrap();
    let trace = trace_of(api, id, "ok").await;
    assert_eq!(trace["session_id"], "session/1");
    for (field, value) in labels.as_object().unwrap() {
        assert_eq!(&run[field], value, "{field} of {run:#}");
    }
    assert_eq!((&trace["user_id"], &trace["tags"]), (&labels["user_id"], &labels["tags"]), "{trace:#}");
    assert_eq!(trace["summary"]["steps"], run["step_count"]);
    assert_eq!(trace["total_tokens"], run["total_tokens"], "{trace:#}\n{run:#}");
    assert_eq!(trace["total_cost_nanousd"], run["total_cost_nanousd"]);
    let kinds: Vec<&str> = trace["spans"].as_array().unwrap().iter().map(|span| span["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["workflow", "task", "llm"]);
    let call = &trace["spans"][2];
    assert_eq!((&call["simulated"], &call["parent_span_id"]), (&json!(true), &trace["spans"][1]["span_id"]));
    assert!(call["output"][0]["content"].to_string().contains("Paris"), "{call:#}");
    assert_eq!(trace["summary"]["simulated_calls"], 1);

    let outline = api.get(&format!("/api/traces/{id}?io=none")).await.expect(200);
    assert_eq!((&outline["spans"][2]["name"], &outline["spans"][2]["output"]), (&call["name"], &Value::Null));
    let span = call["span_id"].as_str().unwrap();
    assert_eq!(api.get(&format!("/api/traces/{id}/spans/{span}")).await.expect(200)["output"], call["output"]);
    api.get(&format!("/api/traces/{id}/spans/{}", "1".repeat(16))).await.problem(404, "not_found");
    api.get(&format!("/api/traces/{id}/spans/x")).await.problem(404, "not_found");
    api.get(&format!("/api/traces/{}", "a".repeat(32))).await.problem(404, "not_found");
    api.get("/api/traces/x").await.problem(404, "not_found");
    api.get(&format!("/api/traces/{id}?io=all")).await.problem(400, "invalid_query");

    assert_eq!(trace["models"], json!(["gpt-4o-mini"]));
    lists(api, id).await;

    let session = api.get("/api/sessions/session%2F1").await.expect(200);
    assert_eq!((&session["traces"], &session["traces_page"][0]["trace_id"]), (&json!(1), &json!(id)), "{session:#}");
    assert!(api.get("/api/sessions?limit=1").await.expect(200)["sessions"][0]["session_id"].is_string());
    api.get("/api/sessions/nobody").await.problem(404, "not_found");
    for query in ["q=SESSION&status=ok", "sort=-cost", "sort=started_at&user_id="] {
        let sessions = api.get(&format!("/api/sessions?{query}")).await.expect(200)["sessions"].clone();
        let listed = sessions.as_array().unwrap().iter().any(|session| session["session_id"] == "session/1");
        assert_eq!(listed, !query.contains("user_id"), "{query}: {sessions:#}");
    }
    assert_eq!(api.get("/api/sessions?q=nobody").await.expect(200)["sessions"], json!([]));
    for query in ["cursor=x", "sort=age", "sort=-newest", "status=running", "sort=cost&cursor=x.y"] {
        api.get(&format!("/api/sessions?{query}")).await.problem(400, "invalid_query");
    }

    let score = json!({"trace_id": id, "span_id": span, "name": "quality", "value": 0.5, "comment": "so so"});
    let created = api.post("/api/scores", score).await.expect(201);
    assert_eq!(api.get(&format!("/api/traces/{id}")).await.expect(200)["scores"][0], created);
    let found = api.get("/api/traces?score=quality&min_score=0.4&max_score=0.6").await.expect(200);
    assert_eq!(found["traces"][0]["trace_id"], id);
    for (body, pointer) in [
        (json!({"trace_id": "x", "name": "n", "value": 1}), "/trace_id"),
        (json!({"trace_id": id, "span_id": "x", "name": "n", "value": 1}), "/span_id"),
        (json!({"trace_id": id, "name": "", "value": 1}), "/name"),
        (json!({"trace_id": id, "name": "n", "value": [1]}), "/value"),
        (json!({"name": "n", "value": 1}), "/trace_id"),
        (json!({"trace_id": id, "session_id": "s", "name": "n", "value": 1}), "/trace_id"),
        (json!({"session_id": "s", "span_id": span, "name": "n", "value": 1}), "/span_id"),
        (json!({"session_id": "", "name": "n", "value": 1}), "/session_id"),
    ] {
        let answer = api.post("/api/scores", body).await;
        assert_eq!(answer.json()["pointer"], pointer);
        answer.problem(400, "invalid_body");
    }

    let of_session = json!({"session_id": "session/1", "name": "satisfied", "value": "yes"});
    let created = api.post("/api/scores", of_session).await.expect(201);
    assert_eq!((&created["session_id"], &created["trace_id"]), (&json!("session/1"), &json!(null)));
    assert_eq!(api.get("/api/sessions/session%2F1").await.expect(200)["scores"], json!([created]));
    assert_eq!(api.get(&format!("/api/traces/{id}")).await.expect(200)["scores"].as_array().unwrap().len(), 1);

    let pin = format!("/api/traces/{id}/pin");
    api.send(Method::PUT, &pin, |request| request.json(&json!({}))).await.expect(204);
    assert_eq!(api.get("/api/traces?pinned=true").await.expect(200)["traces"][0]["pinned"], true);
    api.delete(&pin).await.expect(204);
    assert_eq!(api.get("/api/traces?pinned=true").await.expect(200)["traces"], json!([]));
    api.delete(&format!("/api/traces/{}/pin", "b".repeat(32))).await.problem(404, "not_found");

    for by in ["day", "model", "user"] {
        assert_eq!(api.get(&format!("/api/spend?by={by}")).await.expect(200)["spend"], json!([]), "simulated calls are no spend");
    }
    assert_eq!(api.get("/api/spend/unpriced").await.expect(200)["models"], json!([]));
    api.get("/api/spend?by=moon").await.problem(400, "invalid_query");
    api.get("/api/spend?by=day&from=yesterday").await.problem(400, "invalid_query");
    let counters = api.get("/api/traces/counters").await.expect(200);
    assert!(counters["accepted"].as_u64().unwrap() >= 3 && counters["accepted"] == counters["stored"], "{counters}");
    assert_eq!(counters["stored"], counters["queryable"]);

    let export = api.get("/api/traces.jsonl?session_id=session/1").await;
    assert_eq!((export.status, export.header("content-type")), (200, Some("application/jsonl")));
    let lines: Vec<Value> = export.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, [api.get(&format!("/api/traces/{id}")).await.expect(200)]);
    api.get("/api/traces.jsonl?limit=1").await.problem(400, "invalid_query");
    api.get("/api/traces/tail?q=words").await.problem(400, "invalid_query");
    crate::span_replay::operations(api, id, span, trace["spans"][1]["span_id"].as_str().unwrap()).await;
}

async fn lists(api: &Api, id: &str) {
    let finds = async |query: &str| {
        let list = api.get(&format!("/api/traces?{query}")).await.expect(200);
        list["traces"].as_array().unwrap().iter().any(|trace| trace["trace_id"] == id)
    };
    for query in [
        "session_id=session/1",
        "user_id=ann@example.org&tag=vip,eu&metadata={\"ticket\":17,\"plan\":\"gold\"}",
        "kind=llm&status=ok",
        "service=flowtrace&from=2020-01-01T00:00:00Z&sort=-started_at",
        "min_tokens=1&sort=tokens",
        "min_cost_nanousd=1&sort=-cost",
        "min_duration_ms=0&max_duration_ms=600000&sort=-duration",
    ] {
        assert!(finds(query).await, "{query}");
    }
    for query in [
        "session_id=other",
        "kind=agent",
        "to=2020-01-01T00:00:00Z",
        "metadata={\"a\":1}",
        "tag=a,b",
        "tag=vip,us",
        "status=running",
        "prompt_version=7",
    ] {
        assert!(!finds(query).await, "{query}");
    }
    // Words follow within about a second.
    let mut found = false;
    for _ in 0..100 {
        found = finds("q=%22capital%22%20Paris&session_id=session/1").await;
        if found {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(found, "the words of a trace are not found");
    for query in [
        "status=done",
        "kind=x",
        "sort=age",
        "limit=0",
        "limit=201",
        "cursor=x",
        "from=today",
        "metadata=1",
        "min_score=1",
        "x=1",
    ] {
        api.get(&format!("/api/traces?{query}")).await.problem(400, "invalid_query");
    }
}

/// The trace when it is there and has the status.
async fn trace_of(api: &Api, id: &str, status: &str) -> Value {
    for _ in 0..300 {
        let answer = api.get(&format!("/api/traces/{id}")).await;
        if answer.status == 200 {
            let trace = answer.json();
            if trace["status"] == status {
                return trace;
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("trace {id} did not come to be {status} within 30 seconds");
}

#[tokio::test]
async fn a_run_under_way_is_a_running_trace_and_a_failed_one_says_why() {
    let server = Server::simulated();
    let api = server.api();
    let hangs = documents::model(json!({"faults": [{"kind": "hang"}]}));
    let started = api.post("/api/runs", json!({"graph_json": hangs})).await.expect(201);
    let (run, id) = (started["id"].as_str().unwrap(), started["trace_id"].as_str().unwrap());
    trace_of(&api, id, "running").await;
    api.post(&format!("/api/runs/{run}/cancel"), json!({})).await.expect(202);
    let trace = trace_of(&api, id, "failed").await;
    assert_eq!(trace["spans"][0]["attributes"]["flowtrace.canceled"], true, "{trace:#}");

    let fails = documents::model(json!({"faults": [{"status": 400}]}));
    let failed = api.run(fails, json!({"topic": "faults"})).await;
    let trace = trace_of(&api, failed["trace_id"].as_str().unwrap(), "failed").await;
    assert!(trace["error"].is_string(), "{trace:#}");

    // Another model stood in, so the run went well, and so did its trace.
    let mut mended = documents::model(json!({"answer": "fine", "faults": [{"provider": "openai", "status": 500}]}));
    mended["nodes"][0]["retry"] = json!({"maxAttempts": 1});
    mended["nodes"][0]["config"]["fallbacks"] = json!([{"provider": "anthropic", "model": "claude-haiku-4-5"}]);
    let run = api.run(mended, json!({"topic": "stand-ins"})).await;
    assert_eq!((&run["status"], &run["fallbacks"]), (&json!("succeeded"), &json!(1)), "{run:#}");
    let trace = trace_of(&api, run["trace_id"].as_str().unwrap(), "ok").await;
    assert_eq!(trace["error"], Value::Null, "{trace:#}");
}

#[tokio::test]
async fn the_tail_tells_of_traces_as_they_arrive() {
    let server = Server::simulated();
    let api = server.api();
    let url = format!("{}/api/traces/tail?session_id=followed", api.url);
    let mut response = api.http.get(url).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    for session in ["other", "followed"] {
        let body = json!({"graph_json": documents::echo(), "input_vars": {"text": "x"}, "session_id": session});
        api.post("/api/runs?wait=60", body).await.expect(201);
    }
    let mut text = String::new();
    while !text.contains("\n\n") || !text.contains("event: trace") {
        let chunk = tokio::time::timeout(Duration::from_secs(60), response.chunk()).await.expect("nothing came").unwrap();
        text.push_str(std::str::from_utf8(&chunk.expect("the stream was closed")).unwrap());
    }
    let data = text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(data).unwrap()["session_id"], "followed");
}

#[tokio::test]
async fn traces_of_runs_survive_a_restart_and_are_copied_once() {
    let server = Server::simulated();
    let run = server.api().run(documents::echo(), json!({"text": "kept"})).await;
    let id = run["trace_id"].as_str().unwrap();
    let before = trace_of(&server.api(), id, "ok").await;
    let server = Server::on(server.kill(), &["--simulate"], |_| {});
    assert_eq!(server.api().get(&format!("/api/traces/{id}")).await.expect(200), before);
    let counters = server.api().get("/api/traces/counters").await.expect(200);
    assert_eq!(counters["accepted"], counters["queryable"]);
}

#[tokio::test]
async fn a_run_is_found_by_the_version_of_its_prompt_and_by_its_labels() {
    let server = Server::simulated();
    let api = server.api();
    let document = documents::model(json!({"answer": "Paris"}));
    let id = api.post("/api/workflows", json!({"name": "Capitals", "graph_json": document})).await.expect(201)["id"].clone();
    let id = id.as_str().unwrap();
    let run = async |version: &str| {
        let body = json!({"input_vars": {"topic": "x"}, "user_id": "bob"});
        let run = api.post(&format!("/api/workflows/{id}/runs?wait=60"), body).await.expect(201)["run"].clone();
        assert_eq!(run["workflow_version"].to_string(), version);
        trace_of(&api, run["trace_id"].as_str().unwrap(), "ok").await
    };
    let first = run("1").await;
    let changed = documents::model(json!({"answer": "Rome"}));
    let body = json!({"name": "Capitals", "graph_json": changed});
    api.send(Method::PUT, &format!("/api/workflows/{id}"), |request| request.json(&body)).await.expect(200);
    let second = run("2").await;
    let call = &first["spans"][2];
    let name = call["prompt_name"].as_str().unwrap();
    assert!(name.starts_with("Capitals/") && call["prompt_version"] == "1", "{call:#}");
    let found = async |query: String| {
        let list = api.get(&format!("/api/traces?{query}")).await.expect(200);
        list["traces"].as_array().unwrap().iter().map(|trace| trace["trace_id"].clone()).collect::<Vec<_>>()
    };
    let (first, second) = (first["trace_id"].clone(), second["trace_id"].clone());
    assert_eq!(found(format!("prompt={name}&prompt_version=2&user_id=bob")).await, std::slice::from_ref(&second));
    assert_eq!(found("prompt_version=1".to_owned()).await, std::slice::from_ref(&first));
    assert_eq!(found(format!("prompt={name}&workflow=Capitals")).await, [second, first]);
    assert_eq!(found(format!("prompt={name}&prompt_version=3")).await, [] as [Value; 0]);
    assert_eq!(found("prompt=Other&prompt_version=2".to_owned()).await, [] as [Value; 0]);
    for (body, pointer) in [
        (json!({"user_id": ""}), "/user_id"),
        (json!({"tags": ["a,b"]}), "/tags"),
        (json!({"tags": vec!["t"; 101]}), "/tags"),
        (json!({"metadata": {"": 1}}), "/metadata"),
        (json!({"metadata": {"k": "x".repeat(5000)}}), "/metadata"),
    ] {
        let answer = api.post(&format!("/api/workflows/{id}/runs"), body).await;
        assert_eq!(answer.json()["pointer"], pointer);
        answer.problem(400, "invalid_body");
    }
}

//! `Idempotency-Key`: the same request starts one run, also at the same time, also after a crash.

use crate::support::{Answer, Api, Server, documents};
use reqwest::Method;
use serde_json::{Value, json};

async fn start(api: &Api, path: &str, key: &str, body: &Value) -> Answer {
    api.send(Method::POST, path, |request| request.header("idempotency-key", key).json(body)).await
}

#[tokio::test]
async fn the_same_request_under_the_same_key_is_one_run() {
    let server = Server::simulated();
    let api = server.api();
    let workflow = api.post("/api/workflows", json!({"name": "Echo", "graph_json": documents::echo()})).await.expect(201);
    let path = format!("/api/workflows/{}/runs", workflow["id"].as_str().unwrap());
    let body = json!({"input_vars": {"text": "x"}});

    let first = start(&api, &path, "key-1", &body).await;
    assert_eq!(first.header("idempotency-replayed"), None);
    let first = first.expect(201);
    let again = start(&api, &path, "key-1", &body).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let again = again.expect(200);
    assert_eq!((&again["runId"], &again["trace_id"]), (&first["runId"], &first["trace_id"]));
    let waited = start(&api, &format!("{path}?wait=60"), "key-1", &body).await.expect(200);
    assert_eq!(waited["run"]["status"], "succeeded");

    let other = json!({"input_vars": {"text": "y"}});
    start(&api, &path, "key-1", &other).await.problem(422, "idempotency_key_reused");
    assert_ne!(start(&api, &path, "key-2", &body).await.expect(201)["runId"], first["runId"]);
    // A key belongs to the workflow that it was used for.
    let document = json!({"graph_json": documents::echo(), "input_vars": {"text": "x"}});
    assert_ne!(start(&api, "/api/runs", "key-1", &document).await.expect(201)["runId"], first["runId"]);
    start(&api, "/api/runs", "key-1", &document).await.expect(200);
    let changed = json!({"graph_json": documents::chain(1), "input_vars": {"text": "x"}});
    start(&api, "/api/runs", "key-1", &changed).await.problem(422, "idempotency_key_reused");

    // What the workflow became meanwhile does not matter: the run was started already.
    api.put(&path.replace("/runs", ""), json!({"graph_json": documents::chain(1)})).await.expect(200);
    assert_eq!(start(&api, &path, "key-1", &body).await.expect(200)["runId"], first["runId"]);

    start(&api, &path, " ", &body).await.problem(400, "invalid_header");
    start(&api, &path, &"k".repeat(256), &body).await.problem(400, "invalid_header");

    let runs = api.get("/api/runs").await.expect(200)["runs"].as_array().unwrap().len();
    assert_eq!(runs, 3);
    let directory = server.kill();
    let server = Server::on(directory, &["--simulate"], |_| {});
    assert_eq!(start(&server.api(), &path, "key-1", &body).await.expect(200)["runId"], first["runId"]);
}

#[tokio::test]
async fn many_at_once_are_one_run() {
    let server = Server::simulated();
    let api = server.api();
    let body = json!({"graph_json": documents::echo(), "input_vars": {"text": "x"}});
    let answers = futures::future::join_all((0..32).map(|_| start(&api, "/api/runs", "once", &body))).await;
    let created = answers.iter().filter(|answer| answer.status == 201).count();
    let ids: std::collections::BTreeSet<_> = answers.iter().map(|answer| answer.json()["runId"].to_string()).collect();
    assert_eq!((created, ids.len()), (1, 1), "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
    assert_eq!(api.get("/api/runs").await.expect(200)["runs"].as_array().unwrap().len(), 1);
}

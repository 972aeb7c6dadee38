//! Each endpoint, with its errors. The client checks every answer against the served OpenAPI document.

use crate::support::{Api, Server, documents};
use reqwest::Method;
use serde_json::{Value, json};

/// Calls every operation at least once, so that none is documented and untested.
#[tokio::test]
async fn every_operation_answers_as_documented() {
    let server = Server::simulated();
    let api = server.api();
    let contract = api.contract().await;
    assert_eq!(contract.document["openapi"].as_str().map(|version| &version[..3]), Some("3.1"));

    server_endpoints(&api).await;
    workflows(&api).await;
    drafts(&api).await;
    bindings(&api).await;
    runs(&api).await;
    crate::traces::operations(&api).await;
    crate::steering::operations(&api).await;
    crate::settings::operations(&api).await;

    let called = api.called.lock().unwrap().clone();
    let missed: Vec<_> = contract.names().difference(&called).cloned().collect();
    assert!(missed.is_empty(), "no test calls {missed:?}");
}

async fn server_endpoints(api: &Api) {
    assert_eq!(api.get("/health").await.expect(200), json!({"status": "ok"}));
    let version = api.get("/version").await.expect(200);
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(version["simulated"], true);
    assert!(!version["git_sha"].as_str().unwrap().is_empty());
    assert_eq!(api.get("/api/ingest").await.expect(200)["waiting_requests"], 0);
    let metrics = api.get("/metrics").await;
    assert_eq!(metrics.status, 200, "{}", metrics.text);
    let figure = |name: &str| metrics.text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
    assert!(figure("flowtrace_journal_commit_seconds_count").is_some_and(|count| count >= 1.0), "{}", metrics.text);
    assert_eq!(figure("flowtrace_ingest_spans_total"), Some(0.0), "{}", metrics.text);
    assert!(metrics.text.ends_with("# EOF\n"), "{}", metrics.text);
    assert_eq!(api.get("/api/openapi.json").await.expect(200)["info"]["title"], "FlowTrace");
    let schema = api.get("/api/schema/workflow.json").await.expect(200);
    assert!(schema["properties"]["nodes"].is_object(), "{schema}");

    let catalog = api.get("/api/catalog").await.expect(200);
    let names: Vec<_> = catalog["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    for name in ["http", "echo", "text", "csv", "json"] {
        assert!(names.contains(&name), "{names:?}");
    }
    let openai = catalog["providers"].as_array().unwrap().iter().find(|provider| provider["name"] == "openai").unwrap();
    assert_eq!(openai["simulated"], true);
    let model = catalog["models"].as_array().unwrap().iter().find(|model| model["model"] == "gpt-4o-mini").unwrap();
    assert!(model["price"]["input_picousd"].as_u64().unwrap() > 0);

    let test = api.post("/api/providers/openai/test", json!({})).await.expect(200);
    assert_eq!((&test["ok"], &test["simulated"], &test["error"]), (&json!(true), &json!(true), &json!(null)), "{test}");
    assert!(test["tokens"].as_u64().unwrap() > 0 && test["latency_ms"].as_f64().unwrap() > 0.0, "{test}");
    api.post("/api/simulate/fail-next", json!({"status": 429, "provider": "anthropic"})).await.expect(200);
    let test = api.post("/api/providers/anthropic/test", json!({"model": "claude-haiku-4-5"})).await.expect(200);
    assert_eq!((&test["ok"], &test["error"]["status"]), (&json!(false), &json!(429)), "{test}");
    let test = api.post("/api/providers/anthropic/test", json!({"model": "claude-haiku-4-5"})).await.expect(200);
    assert_eq!((&test["ok"], &test["model"]), (&json!(true), &json!("claude-haiku-4-5")), "{test}");
    let detail = api.post("/api/providers/nobody/test", json!({})).await.problem(404, "not_found");
    assert!(detail.contains("openai"), "{detail}");

    assert_eq!(api.get("/api/session").await.expect(200), json!({"token_required": false, "authenticated": true}));
    api.post("/api/session", json!({"token": "whatever it is, none is needed"})).await.expect(200);
    api.delete("/api/session").await.expect(204);
    api.delete("/api/cache").await.expect(200);

    let waiting = api.post("/api/simulate/fail-next", json!({"provider": "openai", "status": 503})).await.expect(200);
    assert_eq!(waiting["waiting"], 1);
    for (body, at) in [
        (json!({"status": 200}), "/status"),
        (json!({"status": 500, "kind": "hang"}), "/kind"),
        (json!({"times": 0}), "/times"),
        (json!({"provider": "nobody"}), "/provider"),
    ] {
        let answer = api.post("/api/simulate/fail-next", body.clone()).await;
        assert_eq!(answer.json()["pointer"], at, "{body}");
        answer.problem(400, "invalid_body");
    }
    // Used up here, so that it meets no later test step.
    let run = api.run(documents::model(json!({"answer": "fine"})), json!({"topic": "faults"})).await;
    assert_eq!((&run["status"], &run["retries"]), (&json!("succeeded"), &json!(1)), "{run}");
}

async fn workflows(api: &Api) {
    let document = documents::routed();
    let created = api.post("/api/workflows", json!({"name": "First", "graph_json": document})).await;
    let location = created.header("location").unwrap().to_owned();
    let id = created.expect(201)["id"].as_str().unwrap().to_owned();
    assert_eq!(location, format!("/api/workflows/{id}"));
    let path = format!("/api/workflows/{id}");

    let read = api.get(&path).await;
    assert_eq!(read.header("etag"), Some("\"1\""));
    let read = read.expect(200);
    assert_eq!(read["graph_json"], document);
    assert_eq!(read["name"], "First");
    assert!(is_time(&read["created_at"]), "{read}");

    // The document may come as text, and is kept as it was written.
    let text = serde_json::to_string_pretty(&document).unwrap();
    let second = api.post("/api/workflows", json!({"name": "Second", "description": "as text", "graph_json": text})).await;
    let second = second.expect(201)["id"].as_str().unwrap().to_owned();
    let answer = api.get(&format!("/api/workflows/{second}")).await;
    assert!(answer.text.contains(&text), "{}", answer.text);

    let list = api.get("/api/workflows?limit=1").await.expect(200);
    assert_eq!(list["workflows"][0]["id"], second, "newest change first");
    let next = list["next_cursor"].as_str().unwrap();
    let list = api.get(&format!("/api/workflows?limit=200&cursor={next}")).await.expect(200);
    assert!(list["workflows"].as_array().unwrap().iter().any(|workflow| workflow["id"] == id.as_str()));
    assert_eq!(list["next_cursor"], Value::Null);

    let renamed = api.send(Method::PUT, &path, |r| r.header("if-match", "\"1\"").json(&json!({"name": "Renamed"}))).await;
    assert_eq!(renamed.header("etag"), Some("\"2\""));
    assert_eq!(renamed.expect(200)["name"], "Renamed");
    let stale = api.send(Method::PUT, &path, |r| r.header("if-match", "\"1\"").json(&json!({"name": "Too late"}))).await;
    stale.problem(412, "version_conflict");
    let odd = api.send(Method::PUT, &path, |r| r.header("if-match", "x").json(&json!({"name": "Odd"}))).await;
    odd.problem(400, "invalid_header");
    let replaced = api.put(&path, json!({"graph_json": documents::echo()})).await.expect(200);
    assert_eq!((&replaced["version"], &replaced["graph_json"]), (&json!(3), &documents::echo()));

    let versions = api.get(&format!("{path}/versions")).await.expect(200);
    let numbers: Vec<_> = versions["versions"].as_array().unwrap().iter().map(|version| version["version"].clone()).collect();
    assert_eq!(numbers, [1, 2, 3]);
    let first = api.get(&format!("{path}/versions/1")).await.expect(200);
    assert_eq!(first["graph_json"], document);
    api.get(&format!("{path}/versions/9")).await.problem(404, "not_found");
    api.get(&format!("{path}/versions/one")).await.problem(400, "invalid_path");

    api.delete(&path).await.expect(204);
    api.get(&path).await.problem(404, "not_found");
    api.delete(&path).await.problem(404, "not_found");
    assert_eq!(api.post(&format!("{path}/restore"), json!({})).await.expect(200)["version"], 3);
    api.get(&path).await.expect(200);

    let valid = api.post("/api/workflows/validate", json!({"graph_json": document})).await.expect(200);
    assert_eq!(valid, json!({"valid": true, "problems": [], "warnings": []}));
    let invalid = api.post("/api/workflows/validate", json!({"graph_json": documents::broken()})).await.expect(200);
    assert_eq!(invalid["valid"], false);
    assert!(invalid["problems"].as_array().unwrap().len() >= 2, "{invalid}");

    let refused = api.post("/api/workflows", json!({"name": "Broken", "graph_json": documents::broken()})).await;
    let problems = refused.json()["problems"].clone();
    refused.problem(422, "invalid_workflow");
    assert!(problems.as_array().unwrap().len() >= 2, "{problems}");
    assert!(problems.to_string().contains("summarize"), "{problems}");
    api.put(&path, json!({"graph_json": documents::broken()})).await.problem(422, "invalid_workflow");
    api.post("/api/workflows", json!({"name": "Text", "graph_json": "{not json"})).await.problem(422, "invalid_workflow");
    api.post("/api/workflows", json!({"name": " ", "graph_json": document})).await.problem(400, "invalid_body");
    api.post("/api/workflows", json!({"name": "x", "graf_json": document})).await.problem(400, "invalid_body");
    api.get("/api/workflows/nothing").await.problem(404, "not_found");
    api.get("/api/workflows?limit=0").await.problem(400, "invalid_query");
    api.get("/api/workflows?limt=3").await.problem(400, "invalid_query");
}

async fn drafts(api: &Api) {
    let id = create(api, &documents::echo()).await;
    let path = format!("/api/workflows/{id}/draft");
    api.get(&path).await.problem(404, "not_found");
    let draft = api.put(&path, json!({"graph_json": documents::broken()})).await.expect(200);
    assert!(draft["problems"].as_array().unwrap().len() >= 2);
    assert_eq!(draft["graph_json"], documents::broken());
    assert_eq!(api.get(&path).await.expect(200), draft);
    let workflow = api.get(&format!("/api/workflows/{id}")).await.expect(200);
    assert_eq!(workflow["draft_updated_at"], draft["updated_at"]);
    let half = api.put(&path, json!({"graph_json": "{\"version\": "})).await.expect(200);
    assert_eq!(half["graph_json"], "{\"version\": ");
    assert!(!half["problems"].as_array().unwrap().is_empty());

    // Saving a version ends the draft.
    api.put(&path, json!({"graph_json": documents::chain(2)})).await.expect(200);
    api.put(&format!("/api/workflows/{id}"), json!({"graph_json": documents::chain(2)})).await.expect(200);
    api.get(&path).await.problem(404, "not_found");
    api.put(&path, json!({"graph_json": 1})).await.expect(200);
    api.delete(&path).await.expect(204);
    api.get(&path).await.problem(404, "not_found");
    assert_eq!(api.get(&format!("/api/workflows/{id}")).await.expect(200)["draft_updated_at"], Value::Null);
    api.put("/api/workflows/nothing/draft", json!({"graph_json": {}})).await.problem(404, "not_found");

    // Nobody writes over a draft that they have not read.
    let version = |version: u32| format!("\"{version}\"");
    let send = async |path: &str, document: Value, etag: &str| {
        api.send(Method::PUT, path, |r| r.header("if-match", etag).json(&json!({"graph_json": document}))).await
    };
    let put = async |document: Value, etag: String| send(&path, document, &etag).await;
    put(json!({}), version(1)).await.problem(412, "draft_conflict");
    let first = put(json!({"a": 1}), version(2)).await.expect(200);
    put(json!({"b": 1}), version(2)).await.problem(412, "draft_conflict");
    let second = put(json!({"a": 2}), first["etag"].as_str().unwrap().to_owned()).await.expect(200);
    assert_eq!(second["version"], 2);
    put(json!({"a": 3}), first["etag"].as_str().unwrap().to_owned()).await.problem(412, "draft_conflict");
    put(json!({"a": 3}), "three".to_owned()).await.problem(400, "invalid_header");
    assert_eq!(api.get(&path).await.expect(200)["graph_json"], json!({"a": 2}));

    // Publishing ends the draft that was published, and no other.
    send(&format!("/api/workflows/{id}"), documents::echo(), first["etag"].as_str().unwrap()).await.expect(200);
    assert_eq!(api.get(&path).await.expect(200)["graph_json"], json!({"a": 2}));
}

async fn bindings(api: &Api) {
    let document = json!({
        "version": "1", "entry": "ask", "edges": [],
        "nodes": [{"id": "ask", "type": "llm", "config": {"prompt": "hello", "cache": {"enabled": false}}}]
    });
    let workflow = create(api, &document).await;
    let general = json!({"provider": "anthropic", "model": "claude-3.5-sonnet", "temperature": 0.5});
    let general_id = api.post("/api/provider_bindings", general.clone()).await.expect(201)["id"].as_str().unwrap().to_owned();
    api.post("/api/provider_bindings", general).await.problem(409, "already_bound");
    let own = json!({"workflow_id": workflow, "provider": "openai", "model": "gpt-4o-mini"});
    let own_id = api.post("/api/provider_bindings", own).await.expect(201)["id"].as_str().unwrap().to_owned();
    assert_eq!(api.get("/api/provider_bindings").await.expect(200)["provider_bindings"].as_array().unwrap().len(), 2);

    let start = format!("/api/workflows/{workflow}/runs?wait=60");
    let ran = async || api.post(&start, json!({})).await.expect(201)["run"]["steps"][0].clone();
    assert_eq!(ran().await["provider"], "openai", "the workflow's own binding first");
    let changed = json!({"workflow_id": workflow, "provider": "openai", "model": "gpt-4.1"});
    api.put(&format!("/api/provider_bindings/{own_id}"), changed).await.expect(200);
    assert_eq!(ran().await["model"], "gpt-4.1");
    api.delete(&format!("/api/provider_bindings/{own_id}")).await.expect(204);
    assert_eq!(ran().await["provider"], "anthropic", "then the deployment's");

    api.delete(&format!("/api/provider_bindings/{own_id}")).await.problem(404, "not_found");
    api.put(&format!("/api/provider_bindings/{own_id}"), json!({"provider": "a", "model": "b"})).await.problem(404, "not_found");
    api.delete(&format!("/api/provider_bindings/{general_id}")).await.expect(204);
    let hot = json!({"provider": "openai", "model": "x", "temperature": 3});
    api.post("/api/provider_bindings", hot).await.problem(400, "invalid_body");
    let foreign = json!({"workflow_id": "nothing", "provider": "openai", "model": "x"});
    api.post("/api/provider_bindings", foreign).await.problem(404, "not_found");
}

async fn runs(api: &Api) {
    let workflow = create(api, &documents::routed()).await;
    let body = json!({"input_vars": {"topic": "cats"}, "session_id": "s1"});
    let started = api.post(&format!("/api/workflows/{workflow}/runs?wait=60"), body).await;
    let location = started.header("location").unwrap().to_owned();
    let started = started.expect(201);
    let id = started["runId"].as_str().unwrap().to_owned();
    assert_eq!((&started["id"], location), (&started["runId"], format!("/api/runs/{id}")));

    let run = api.get(&format!("/api/runs/{id}")).await.expect(200);
    assert_eq!(run["trace_id"], id.replace('-', ""));
    for (field, expected) in [
        ("id", json!(id)),
        ("workflow_id", json!(workflow)),
        ("workflow_version", json!(1)),
        ("session_id", json!("s1")),
        ("status", json!("succeeded")),
        ("phase", Value::Null),
        ("triggered_by", json!("api")),
        ("cost_complete", json!(true)),
        ("retries", json!(1)),
        ("error_summary", Value::Null),
        ("output", json!({"text": "Short."})),
        ("input", json!({"topic": "cats"})),
        ("simulated", json!(true)),
    ] {
        assert_eq!(run[field], expected, "{field}: {run:#}");
    }
    assert!(is_time(&run["started_at"]) && is_time(&run["finished_at"]), "{run:#}");
    assert!(run["total_latency_ms"].as_f64().unwrap() > 0.0);
    let nanousd = run["total_cost_nanousd"].as_u64().unwrap();
    assert_eq!(run["total_cost_cents"].as_f64().unwrap(), nanousd as f64 / 1e7);

    let steps = run["steps"].as_array().unwrap();
    let of = |id: &str| steps.iter().find(|step| step["step_id"] == id).unwrap_or_else(|| panic!("no step {id}: {run:#}"));
    let ids: Vec<_> = steps.iter().map(|step| step["step_id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 5, "{ids:?}");
    let summarize = of("summarize");
    for (field, expected) in [
        ("node_id", json!("summarize")),
        ("node_type", json!("llm")),
        ("name", json!("Summarize")),
        ("status", json!("succeeded")),
        ("attempts", json!(2)),
        ("cached", json!(false)),
        ("provider", json!("openai")),
        ("model", json!("gpt-4o-mini")),
        ("output", json!("Short.")),
        ("input", json!({"text": "cats"})),
        ("output_truncated", json!(false)),
        ("error", Value::Null),
    ] {
        assert_eq!(summarize[field], expected, "{field}: {summarize:#}");
    }
    let tokens = summarize["tokens_input"].as_u64().unwrap() + summarize["tokens_output"].as_u64().unwrap();
    assert_eq!(run["total_tokens"], tokens);
    assert_eq!(of("decide")["branch"], "shallow");
    assert_eq!((&of("deep")["status"], &of("deep")["output"]), (&json!("skipped"), &Value::Null));
    assert_eq!(of("start")["tokens_input"], Value::Null, "unknown is null, not 0");

    // Pinned, whatever is saved since.
    api.put(&format!("/api/workflows/{workflow}"), json!({"graph_json": documents::echo()})).await.expect(200);
    let graph = api.get(&format!("/api/runs/{id}/graph")).await.expect(200);
    assert_eq!((&graph["graph_json"], &graph["hash"]), (&documents::routed(), &run["workflow_hash"]));
    let one = api.get(&format!("/api/runs/{id}/steps/summarize")).await.expect(200);
    assert_eq!(&one, summarize);
    api.get(&format!("/api/runs/{id}/steps/nothing")).await.problem(404, "not_found");
    let page = api.get(&format!("/api/runs/{id}/steps?limit=2")).await.expect(200);
    let rest = format!("/api/runs/{id}/steps?cursor={}", page["next_cursor"].as_str().unwrap());
    let rest = api.get(&rest).await.expect(200);
    let mut all = page["steps"].as_array().unwrap().clone();
    all.extend(rest["steps"].as_array().unwrap().clone());
    assert_eq!((&all, &rest["next_cursor"]), (steps, &Value::Null));
    api.get(&format!("/api/runs/{id}/steps?cursor=x")).await.problem(400, "invalid_query");
    api.get(&format!("/api/runs/{id}?include=everything")).await.problem(400, "invalid_query");

    trace_and_state(api, &id, &run).await;
    lists(api, &workflow, &id).await;
    api.get(&format!("/api/runs/{id}/stream")).await;
    api.post(&format!("/api/runs/{id}/cancel"), json!({})).await.problem(409, "already_ended");
    for path in ["", "/steps", "/steps/a", "/trace", "/state", "/stream", "/graph", &format!("/blobs/{}", "0".repeat(64))] {
        api.get(&format!("/api/runs/00000000-0000-7000-8000-000000000000{path}")).await.problem(404, "not_found");
        api.get(&format!("/api/runs/nonsense{path}")).await.problem(404, "not_found");
    }
    api.post("/api/runs/00000000-0000-7000-8000-000000000000/cancel", json!({})).await.problem(404, "not_found");

    canceled(api).await;
    blobs(api).await;
}

async fn trace_and_state(api: &Api, id: &str, run: &Value) {
    let whole = api.get(&format!("/api/runs/{id}/trace")).await.expect(200);
    assert_eq!(whole["next_after_seq"], Value::Null);
    let events = whole["events"].as_array().unwrap();
    assert_eq!(events[0]["kind"], "run.started");
    assert_eq!(events.last().unwrap()["kind"], "run.succeeded");
    assert!(events.iter().zip(1..).all(|(event, seq)| event["seq"] == seq), "{whole:#}");
    let kinds: Vec<_> = events.iter().map(|event| event["kind"].as_str().unwrap()).collect();
    for kind in ["step.scheduled", "llm.request", "retry", "llm.response", "router.branch", "step.skipped", "tool.response"] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
    let retry = events.iter().find(|event| event["kind"] == "retry").unwrap();
    assert!(is_time(&retry["payload"]["due"]), "{retry}");
    assert_eq!((&retry["step_id"], &retry["payload"]["error"]["code"]), (&json!("summarize"), &json!("rate_limited")));

    let mut pages = Vec::new();
    let mut after = json!(0);
    while !after.is_null() {
        let page = api.get(&format!("/api/runs/{id}/trace?limit=3&after_seq={after}")).await.expect(200);
        pages.extend(page["events"].as_array().unwrap().clone());
        after = page["next_after_seq"].clone();
    }
    assert_eq!(&pages, events);
    let beyond = api.get(&format!("/api/runs/{id}/trace?after_seq={}", u64::MAX)).await.expect(200);
    assert_eq!(beyond["events"], json!([]));

    let last = events.len();
    assert_eq!(&api.get(&format!("/api/runs/{id}/state?at_seq={last}")).await.expect(200), run);
    assert_eq!(&api.get(&format!("/api/runs/{id}/state")).await.expect(200), run);
    for seq in 1..last {
        let state = api.get(&format!("/api/runs/{id}/state?at_seq={seq}")).await.expect(200);
        assert_eq!(state["last_seq"], seq);
        assert!(["queued", "running"].contains(&state["status"].as_str().unwrap()), "{state:#}");
        assert_eq!((&state["total_latency_ms"], &state["finished_at"]), (&Value::Null, &Value::Null));
        let (mut steps, mut cursor) = (Vec::new(), json!("0"));
        while let Some(from) = cursor.as_str() {
            let page = api.get(&format!("/api/runs/{id}/steps?at_seq={seq}&limit=1&cursor={from}")).await.expect(200);
            steps.extend(page["steps"].as_array().unwrap().clone());
            cursor = page["next_cursor"].clone();
        }
        assert_eq!(state["steps"], json!(steps), "after event {seq}");
    }
    api.get(&format!("/api/runs/{id}/steps?at_seq={}", last + 1)).await.problem(400, "invalid_query");
    api.get(&format!("/api/runs/{id}/state?at_seq=0")).await.problem(400, "invalid_query");
    api.get(&format!("/api/runs/{id}/state?at_seq={}", last + 1)).await.problem(400, "invalid_query");
}

async fn lists(api: &Api, workflow: &str, id: &str) {
    let own = api.get(&format!("/api/runs?workflow_id={workflow}")).await.expect(200);
    assert_eq!(own["runs"][0]["id"], id);
    let session = api.get("/api/runs?session_id=s1&status=succeeded").await.expect(200);
    assert_eq!(session["runs"].as_array().unwrap().len(), 1);
    assert_eq!(api.get("/api/runs?session_id=s2").await.expect(200)["runs"], json!([]));

    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = api.get(&format!("/api/runs?limit=2{cursor}")).await.expect(200);
        seen.extend(page["runs"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let mut sorted = seen.clone();
    sorted.sort_by(|a, b| b.cmp(a));
    sorted.dedup();
    assert_eq!(seen, sorted, "newest first, each once");
    api.get("/api/runs?status=done").await.problem(400, "invalid_query");
    api.get("/api/runs?cursor=x").await.problem(400, "invalid_query");
    api.get("/api/runs?limit=201").await.problem(400, "invalid_query");
}

async fn canceled(api: &Api) {
    let document = documents::model(json!({"faults": [{"kind": "hang"}]}));
    let started = api.post("/api/runs", json!({"graph_json": document})).await.expect(201);
    let id = started["id"].as_str().unwrap();
    // The request itself is in the journal when the model hangs.
    while !api.get(&format!("/api/runs/{id}/trace")).await.expect(200).to_string().contains("llm.request") {
        tokio::task::yield_now().await;
    }
    let running = api.get(&format!("/api/runs/{id}")).await.expect(200);
    assert_eq!((&running["status"], &running["phase"]), (&json!("running"), &json!("executing")), "{running:#}");
    for _ in 0..2 {
        let answer = api.post(&format!("/api/runs/{id}/cancel"), json!({})).await.expect(202);
        assert_eq!(answer["cancel_requested"], true);
    }
    let ended = end_of(api, id).await;
    assert_eq!((&ended["status"], &ended["cancel_requested"]), (&json!("canceled"), &json!(true)), "{ended:#}");
    assert_eq!(ended["steps"][0]["status"], "canceled");
    api.post(&format!("/api/runs/{id}/cancel"), json!({})).await.expect(202);
}

async fn blobs(api: &Api) {
    let text = "long text. ".repeat(2000);
    let run = api.run(documents::echo(), json!({"text": text})).await;
    assert_eq!(run["output"]["text"], text, "an answer to wait has the output whole");
    let id = run["id"].as_str().unwrap();
    let preview = api.get(&format!("/api/runs/{id}")).await.expect(200);
    let step = &preview["steps"][0];
    assert_eq!(step["output_truncated"], true);
    assert_eq!(step["output_bytes"].as_u64().unwrap(), serde_json::to_string(&json!({"text": text})).unwrap().len() as u64);
    assert!(step["output"].as_str().unwrap().starts_with("{\"text\":\"long text. "), "{step:#}");
    let full = api.get(&format!("/api/runs/{id}?include=io")).await.expect(200);
    assert_eq!((&full["steps"][0]["output"]["text"], &full["steps"][0]["output_truncated"]), (&json!(text), &json!(false)));
    assert_eq!(api.get(&format!("/api/runs/{id}/steps/say")).await.expect(200)["output"]["text"], text);

    let trace = api.get(&format!("/api/runs/{id}/trace")).await.expect(200);
    let event = trace["events"].as_array().unwrap().iter().find(|event| event["kind"] == "step.succeeded").unwrap();
    let hash = event["payload"]["output"]["blob"]["hash"].as_str().unwrap();
    let blob = api.get(&format!("/api/runs/{id}/blobs/{hash}")).await;
    assert!(blob.header("cache-control").unwrap().contains("immutable"));
    assert_eq!(blob.expect(200)["text"], text);

    // A hash opens nothing by itself: another run does not refer to it, whatever its values look like.
    let decoy = json!({"text": {"blob": {"hash": hash, "bytes": 1, "preview": ""}}});
    let other = api.run(documents::echo(), decoy).await;
    let other = other["id"].as_str().unwrap();
    api.get(&format!("/api/runs/{other}/blobs/{hash}")).await.problem(404, "not_found");
    api.get(&format!("/api/runs/{id}/blobs/{}", "0".repeat(64))).await.problem(404, "not_found");
    api.get(&format!("/api/runs/{id}/blobs/x")).await.problem(404, "not_found");
}

#[tokio::test]
async fn a_long_run_comes_in_pages_of_steps() {
    let server = Server::simulated();
    let api = server.api();
    let run = api.run(documents::chain(1100), json!({})).await;
    assert_eq!(run["status"], "succeeded", "{}", run["error"]);
    assert_eq!((&run["step_count"], run["steps"].as_array().unwrap().len()), (&json!(1100), 1000));
    let cursor = run["next_steps_cursor"].as_str().unwrap();
    let rest = api.get(&format!("/api/runs/{}/steps?cursor={cursor}", run["id"].as_str().unwrap())).await.expect(200);
    let rest = rest["steps"].as_array().unwrap();
    assert_eq!((rest.len(), &rest[0]["step_id"], &rest[99]["step_id"]), (100, &json!("s1000"), &json!("s1099")));
}

#[tokio::test]
async fn requests_that_are_wrong_get_problems() {
    let server = Server::simulated();
    let api = server.api();
    let json_header = ("content-type", "application/json");
    let post = async |path: &'static str, body: String| {
        api.send(Method::POST, path, |request| request.header(json_header.0, json_header.1).body(body)).await
    };
    post("/api/workflows", String::new()).await.problem(400, "empty_body");
    post("/api/workflows", "{".to_owned()).await.problem(400, "invalid_json");
    post("/api/workflows", "[]".to_owned()).await.problem(400, "invalid_body");
    post("/api/workflows", "{\"name\": 1}".to_owned()).await.problem(400, "invalid_body");
    post("/api/runs", "{\"graph_json\": 1}".to_owned()).await.problem(422, "invalid_workflow");
    post("/api/runs?wait=61", format!("{{\"graph_json\": {}}}", documents::echo())).await.problem(400, "invalid_query");
    post("/api/runs?wait=-1", format!("{{\"graph_json\": {}}}", documents::echo())).await.problem(400, "invalid_query");
    post("/api/runs?wait=NaN", format!("{{\"graph_json\": {}}}", documents::echo())).await.problem(400, "invalid_query");
    let empty_session = json!({"graph_json": documents::echo(), "session_id": ""});
    post("/api/runs", empty_session.to_string()).await.problem(400, "invalid_body");

    // Deeper than any parser should follow, and larger than any document.
    let bomb = format!("{{\"graph_json\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let answer = post("/api/workflows/validate", bomb).await;
    assert!(answer.status == 400 || answer.json()["valid"] == false, "{}", answer.text);
    let in_text = json!({"graph_json": format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))});
    assert_eq!(api.post("/api/workflows/validate", in_text).await.expect(200)["valid"], false);
    let deep_input =
        format!("{{\"graph_json\": {}, \"input_vars\": {{\"a\": {}{}}}}}", documents::echo(), "[".repeat(500), "]".repeat(500));
    post("/api/runs", deep_input).await.problem(400, "invalid_json");
    for megabytes in [7, 50] {
        let answer = post("/api/workflows", format!("{{\"name\": \"{}\"}}", "x".repeat(megabytes << 20))).await;
        assert_eq!(answer.header("connection"), Some("close"));
        answer.problem(413, "too_large");
    }

    api.get("/api/nothing").await.problem(404, "not_found");
    api.get("/api").await.problem(404, "not_found");
    api.delete("/api/runs").await.problem(405, "method_not_allowed");
    api.send(Method::POST, "/health", |request| request.json(&json!({}))).await.problem(405, "method_not_allowed");
    api.send(Method::POST, "/somewhere", |request| request.json(&json!({}))).await.problem(405, "method_not_allowed");
    api.send(Method::PUT, "/api/runs/%FF", |request| request.json(&json!({}))).await.problem(405, "method_not_allowed");
    api.get("/api/runs/%FF").await.problem(400, "invalid_path");
    // Nothing of this stopped the server.
    api.get("/health").await.expect(200);
}

#[tokio::test]
async fn forced_failures_need_simulated_models() {
    let server = Server::with(&[]);
    let detail = server.api().post("/api/simulate/fail-next", json!({})).await.problem(409, "not_simulated");
    assert!(detail.contains("--simulate"), "{detail}");
    assert!(server.banner.contains("none configured: set OPENAI_API_KEY"), "{}", server.banner);
    let catalog = server.api().get("/api/catalog").await.expect(200);
    assert!(catalog["providers"].as_array().unwrap().iter().all(|provider| provider["configured"] == false), "{catalog}");
    // Without a key, a call fails with a sentence that names what is missing.
    let test = server.api().post("/api/providers/openai/test", json!({})).await.expect(200);
    assert_eq!((&test["ok"], &test["error"]["code"]), (&json!(false), &json!("not_configured")), "{test}");
    assert!(test["error"]["message"].as_str().unwrap().contains("OPENAI_API_KEY"), "{test}");
    let run = server.api().run(documents::model(json!({})), json!({"topic": "keys"})).await;
    assert_eq!(run["status"], "failed");
    assert_eq!((&run["error"]["code"], &run["failed_step"]), (&json!("not_configured"), &json!("ask")));
    assert!(run["error_summary"].as_str().unwrap().contains("OPENAI_API_KEY"), "{run:#}");
}

#[tokio::test]
async fn a_trace_goes_on_from_the_callers_span() {
    let server = Server::simulated();
    let api = server.api();
    let body = json!({"graph_json": documents::echo(), "input_vars": {"text": "x"}});
    let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let started = api.send(Method::POST, "/api/runs?wait=60", |request| request.header("traceparent", header).json(&body)).await;
    let started = started.expect(201);
    assert_eq!(started["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(started["run"]["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    let trace = api.get(&format!("/api/runs/{}/trace", started["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(trace["events"][0]["payload"]["parent_span"], "00f067aa0ba902b7");
}

/// The table of `docs/api.md` names every operation, and no other.
#[tokio::test]
async fn the_tour_lists_every_operation() {
    let server = Server::simulated();
    let documented: std::collections::BTreeSet<String> = include_str!("../../../../docs/api.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(operation, _)| operation.to_owned()))
        .filter(|operation| operation.contains(" /"))
        .collect();
    assert_eq!(documented, server.api().contract().await.names());
}

async fn create(api: &Api, document: &Value) -> String {
    let created = api.post("/api/workflows", json!({"name": "Test", "graph_json": document})).await.expect(201);
    created["id"].as_str().unwrap().to_owned()
}

/// The run when it has ended.
pub async fn end_of(api: &Api, id: &str) -> Value {
    let mut stream = crate::support::sse::Stream::open(api, id, None).await.unwrap();
    stream.rest().await;
    let run = api.get(&format!("/api/runs/{id}")).await.expect(200);
    assert!(!run["finished_at"].is_null(), "{run:#}");
    run
}

/// RFC 3339 in UTC with microseconds.
fn is_time(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "0000-00-00T00:00:00.000000Z"
}

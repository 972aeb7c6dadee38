//! One model call of anybody's trace, made again.

use crate::support::wire::{Recorded, cases, name};
use crate::support::{Api, Reply, Server, Tokens, Upstream};
use serde_json::{Value, json};
use std::sync::Arc;

fn http2() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap()
}

/// Sends what was recorded of SDKs, and gives the model calls of it with their case.
async fn calls(api: &Api, wanted: impl Fn(&str) -> bool) -> Vec<(String, String, Value)> {
    let mut calls = Vec::new();
    for case in cases().into_iter().filter(|case| wanted(&name(case))) {
        for request in Recorded::all(&case) {
            request.send(api, &http2()).await;
        }
        for expected in case["expected"].as_array().into_iter().flatten() {
            let trace = expected["trace_id"].as_str().unwrap();
            let found = api.get(&format!("/api/traces/{trace}")).await.expect(200);
            let spans = found["spans"].as_array().unwrap().iter().filter(|span| span["kind"] == "llm");
            calls.extend(spans.map(|span| (name(&case), trace.to_owned(), span.clone())));
        }
    }
    calls
}

fn path(trace: &str, span: &Value) -> String {
    format!("/api/traces/{trace}/spans/{}", span["span_id"].as_str().unwrap())
}

/// Calls every operation; the trace is one of a run.
pub async fn operations(api: &Api, trace: &str, span: &str, task: &str) {
    let path = format!("/api/traces/{trace}/spans/{span}");
    let preview = api.post(&format!("{path}/replay/preview"), json!({})).await.expect(200);
    assert_eq!(
        (&preview["problem"], &preview["simulated"], &preview["provider"]),
        (&Value::Null, &json!(true), &json!("openai"))
    );
    assert!(preview["estimate_nanousd"].is_u64(), "{preview:#}");
    let run = api.post(&format!("{path}/replay?wait=60"), json!({})).await.expect(201)["run"].clone();
    assert_eq!(run["replay_of"], json!({"trace_id": trace, "span_id": span}));
    let compared = api.get(&format!("{path}/compare?run={}", run["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(compared["step"]["a"]["prompt"]["messages"], compared["step"]["b"]["prompt"]["messages"], "{compared:#}");
    api.get(&format!("{path}/compare?run=x")).await.problem(404, "not_found");
    let none = format!("/api/traces/{trace}/spans/{task}/replay");
    api.post(&none, json!({})).await.problem(422, "no_model_call");
    api.post(&format!("{none}/preview"), json!({})).await.problem(422, "no_model_call");
    for (body, pointer) in [
        (json!({"messages": [{"role": "system", "content": "x"}]}), "/messages/0/role"),
        (json!({"parameters": {"top_k": 1}}), "/parameters/top_k"),
    ] {
        let answer = api.post(&format!("{path}/replay/preview"), body).await;
        assert_eq!(answer.json()["pointer"], pointer);
        answer.problem(400, "invalid_body");
    }
    let wrong = api.post(&format!("{path}/replay/preview"), json!({"parameters": {"temperature": 7}})).await.expect(200);
    assert!(wrong["problem"].is_string(), "{wrong:#}");
    api.post(&format!("{path}/replay"), json!({"parameters": {"temperature": 7}})).await.problem(422, "invalid_workflow");
    api.post(&format!("{path}/replay"), json!({"messages": []})).await.problem(422, "cannot_replay");
    api.post(&format!("/api/traces/{trace}/spans/{}/replay", "1".repeat(16)), json!({})).await.problem(404, "not_found");
}

#[tokio::test]
async fn a_call_of_every_sdk_can_be_made_again() {
    let server = Server::simulated();
    let api = server.api();
    let mut made = 0;
    let mut silent = Vec::new();
    for (case, trace, span) in calls(&api, |_| true).await {
        let at = format!("{case}, span {}", span["span_id"]);
        let path = path(&trace, &span);
        let preview = api.post(&format!("{path}/replay/preview"), json!({})).await.expect(200);
        if preview["problem"].is_string() {
            assert_eq!(preview["messages"], json!([]), "{at}: {preview:#}");
            silent.push(at);
            continue;
        }
        let run = api.post(&format!("{path}/replay?wait=60"), json!({})).await.expect(201)["run"].clone();
        assert_eq!(run["status"], "succeeded", "{at}: {run:#}");
        assert_eq!((&run["replay_of"]["span_id"], &run["simulated"]), (&span["span_id"], &json!(true)), "{at}");
        assert_ne!(run["trace_id"], json!(trace), "{at}: the trace stays as it was");
        let compared = api.get(&format!("{path}/compare?run={}", run["id"].as_str().unwrap())).await.expect(200);
        let (was, made_again) = (&compared["step"]["a"], &compared["step"]["b"]);
        assert_eq!(was["prompt"]["messages"], made_again["prompt"]["messages"], "{at}");
        assert_eq!(was["cost_nanousd"], span["cost_nanousd"], "{at}");
        made += 1;
    }
    assert!(made >= 40, "only {made} calls were made again; without messages: {silent:#?}");
}

#[tokio::test]
async fn the_provider_is_asked_what_the_preview_shows() {
    let upstream = Upstream::start(|call| Reply::says(call, "Made again.", Tokens::plain(7, 3)));
    let server = Server::on(Arc::new(tempfile::tempdir().unwrap()), &["--no-demo"], |command| upstream.configure(command));
    let api = server.api();
    let all = calls(&api, |name| name == "openinference/tool").await;
    // The turn after the tool has answered.
    let (_, trace, span) = all.into_iter().find(|(.., span)| span["input"].to_string().contains("\"tool\"")).unwrap();
    let path = path(&trace, &span);
    let preview = api.post(&format!("{path}/replay/preview"), json!({})).await.expect(200);
    let notes = preview["notes"].to_string();
    assert!(notes.contains("offers none") && notes.contains("as text"), "{notes}");
    let before = api.get(&format!("/api/traces/{trace}")).await.expect(200);

    let messages = json!([
        {"role": "user", "content": "What is {{input.secret}} {% if x %}?"},
        {"role": "assistant", "content": "I do not know."},
        {"role": "user", "content": "Say it."},
    ]);
    let edit = json!({"model": "gpt-4o-mini", "system": "", "messages": messages, "parameters": {"maxTokens": 20}});
    let preview = api.post(&format!("{path}/replay/preview"), edit.clone()).await.expect(200);
    assert_eq!((&preview["messages"], &preview["simulated"], &preview["system"]), (&messages, &json!(false), &Value::Null));
    let (waiting, plain) = (format!("{path}/replay?wait=60"), format!("{path}/replay"));
    let started = api.send(reqwest::Method::POST, &waiting, |request| {
        request.header("idempotency-key", "again").header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01")).json(&edit)
    });
    let started = started.await.expect(201);
    let run = started["run"].clone();
    assert_eq!((&run["status"], &run["output"]), (&json!("succeeded"), &json!("Made again.")), "{run:#}");
    assert_ne!(run["trace_id"], json!(trace), "a replay is no part of the trace that it comes from, whatever the caller sends");
    let asked = &upstream.calls().last().unwrap().body.clone();
    assert_eq!((&asked["messages"], &asked["model"]), (&messages, &json!("gpt-4o-mini")), "{asked:#}");
    assert!(asked.get("tools").is_none() && asked.to_string().contains("20"), "{asked:#}");

    // The same key is the same run.
    let again = api.send(reqwest::Method::POST, &plain, |request| request.header("idempotency-key", "again").json(&edit));
    assert_eq!(again.await.expect(200)["id"], started["id"]);
    assert_eq!(upstream.calls().len(), 1);

    let compared = api.get(&format!("{path}/compare?run={}", run["id"].as_str().unwrap())).await.expect(200);
    let differs = compared["step"]["differs"].to_string();
    assert!(["prompt", "target", "output"].iter().all(|what| differs.contains(what)), "{differs}");
    assert_eq!(compared["step"]["b"]["tokens"], 10);
    assert_eq!(api.get(&format!("/api/traces/{trace}")).await.expect(200), before, "the trace stays as it was");
}

#[tokio::test]
async fn a_provider_that_is_not_set_up_is_named_and_another_one_asked() {
    let upstream = Upstream::start(|call| Reply::says(call, "Yes.", Tokens::plain(7, 3)));
    let server = Server::on(Arc::new(tempfile::tempdir().unwrap()), &["--no-demo"], |command| {
        upstream.configure(command);
        command.env_remove("ANTHROPIC_API_KEY").env_remove("ANTHROPIC_BASE_URL");
    });
    let api = server.api();
    let (_, trace, span) = calls(&api, |name| name.starts_with("anthropic-native/")).await.remove(0);
    let preview = api.post(&format!("{}/replay/preview", path(&trace, &span)), json!({})).await.expect(200);
    assert_eq!(preview["provider"], "openai", "{preview:#}");
    assert!(preview["notes"].to_string().contains("The provider `anthropic` is not set up here"), "{preview:#}");
}

#[tokio::test]
async fn calls_get_their_cost_when_the_operator_says_a_price() {
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let config = directory.path().join("flowtrace.toml");
    std::fs::write(&config, "").unwrap();
    let start = |directory| Server::on(directory, &["--no-demo", "--config", config.to_str().unwrap()], |_| {});
    let server = start(directory);
    let api = server.api();
    let attribute = |key: &str, value: Value| json!({"key": key, "value": value});
    let span = json!({
        "traceId": "aa".repeat(16), "spanId": "bb".repeat(8), "name": "chat house-7b",
        "startTimeUnixNano": "1790000000000000000", "endTimeUnixNano": "1790000001000000000",
        "attributes": [
            attribute("gen_ai.operation.name", json!({"stringValue": "chat"})),
            attribute("gen_ai.provider.name", json!({"stringValue": "house"})),
            attribute("gen_ai.request.model", json!({"stringValue": "house-7b"})),
            attribute("gen_ai.usage.input_tokens", json!({"intValue": "1000"})),
            attribute("gen_ai.usage.output_tokens", json!({"intValue": "10"})),
        ],
    });
    let body = json!({"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {"name": "x"}, "spans": [span]}]}]});
    api.post("/v1/traces", body.clone()).await.expect(200);
    let path = format!("/api/traces/{}", "aa".repeat(16));
    let trace = api.get(&path).await.expect(200);
    assert_eq!((&trace["spans"][0]["cost_nanousd"], &trace["cost_complete"]), (&Value::Null, &json!(false)), "{trace:#}");
    assert_eq!(trace["models"], json!(["house-7b"]));
    let models = api.get("/api/spend/unpriced").await.expect(200);
    assert_eq!(models["models"], json!([{"provider": "house", "model": "house-7b", "calls": 1, "last_day": "2026-09-21"}]));

    let directory = server.stop().0;
    std::fs::write(&config, "[prices.house.\"house-7b\"]\ninput = 2.0\noutput = 8.0\n").unwrap();
    let server = start(directory);
    let api = server.api();
    let mut priced = Value::Null;
    for _ in 0..300 {
        priced = api.get(&path).await.expect(200);
        if priced["cost_complete"] == true {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(
        (&priced["spans"][0]["cost_nanousd"], &priced["total_cost_nanousd"]),
        (&json!(2_080_000), &json!(2_080_000)),
        "{priced:#}"
    );
    assert_eq!(api.get("/api/spend/unpriced").await.expect(200)["models"], json!([]));
    assert_eq!(api.get("/api/spend?by=model").await.expect(200)["spend"][0]["cost_nanousd"], 2_080_000);
    // The sender may send it again; it does not know the price.
    api.post("/v1/traces", body).await.expect(200);
    assert_eq!(api.get(&path).await.expect(200)["total_cost_nanousd"], 2_080_000);
}

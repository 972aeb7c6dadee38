//! Spans go on to another backend: at least once, under the same ids, whatever happens to either side.

use crate::support::{Api, Call, Reply, Server, Upstream, documents, wait_until};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// Trace and span ids of what arrived and was taken.
fn exported(calls: &[Call]) -> Vec<(String, String, Value)> {
    let mut all = Vec::new();
    for call in calls.iter().filter(|call| call.path == "/v1/traces") {
        for resource in call.body["resourceSpans"].as_array().unwrap() {
            for span in resource["scopeSpans"][0]["spans"].as_array().unwrap() {
                let id = |key: &str| span[key].as_str().unwrap().to_owned();
                all.push((id("traceId"), id("spanId"), span.clone()));
            }
        }
    }
    all
}

async fn ids_of(api: &Api, trace: &str) -> BTreeSet<(String, String)> {
    let trace = api.get(&format!("/api/traces/{trace}")).await.expect(200);
    let id = trace["trace_id"].as_str().unwrap();
    trace["spans"].as_array().unwrap().iter().map(|span| (id.to_owned(), span["span_id"].as_str().unwrap().to_owned())).collect()
}

#[tokio::test]
async fn runs_arrive_elsewhere_although_both_sides_fail_meanwhile() {
    let down = Arc::new(AtomicBool::new(false));
    let taken: Arc<Mutex<Vec<Call>>> = Arc::default();
    let (refuses, takes) = (down.clone(), taken.clone());
    let backend = Upstream::start(move |call| {
        if refuses.load(Ordering::SeqCst) {
            return Reply::status(503, "down").header("retry-after", 1);
        }
        takes.lock().unwrap().push(call.clone());
        Reply::json(&json!({}))
    });
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let config = directory.path().join("flowtrace.toml");
    std::fs::write(
        &config,
        format!(
            "[export]\nprotocol = \"http/json\"\nendpoint = \"{}/v1/traces\"\nheaders_env = {{ x-key = \"BACKEND_KEY\" }}\n",
            backend.url
        ),
    )
    .unwrap();
    let start = |directory| {
        Server::on(directory, &["--simulate", "--config", config.to_str().unwrap()], |command| {
            command.env("BACKEND_KEY", "k-1");
        })
    };
    let server = start(directory);
    let first = server.api().run(documents::model(json!({"answer": "one"})), json!({"topic": "first"})).await;
    let first = first["trace_id"].as_str().unwrap().to_owned();
    let arrived = |trace: &str, spans: usize| {
        wait_until("the spans of a run at the other backend", || {
            let all: BTreeSet<_> = exported(&taken.lock().unwrap()).into_iter().map(|(trace, span, _)| (trace, span)).collect();
            let of_trace: BTreeSet<_> = all.into_iter().filter(|(id, _)| id == trace).collect();
            (of_trace.len() >= spans).then_some(of_trace)
        })
    };
    assert_eq!(arrived(&first, 3), ids_of(&server.api(), &first).await);

    // The backend is down while a run goes on, and this server dies meanwhile.
    down.store(true, Ordering::SeqCst);
    let second = server.api().run(documents::echo(), json!({"text": "two"})).await;
    let second = second["trace_id"].as_str().unwrap().to_owned();
    let seen = backend.calls().len();
    wait_until("a refused export", || (backend.calls().len() > seen).then_some(()));
    let server = start(server.kill());
    down.store(false, Ordering::SeqCst);
    assert_eq!(arrived(&second, 3), ids_of(&server.api(), &second).await);

    let spans = exported(&taken.lock().unwrap());
    let call = spans.iter().map(|(.., span)| span).find(|span| span["name"].as_str().unwrap().starts_with("chat ")).unwrap();
    let attribute =
        |key: &str| call["attributes"].as_array().unwrap().iter().find(|one| one["key"] == key).unwrap()["value"].clone();
    assert_eq!(attribute("gen_ai.operation.name"), json!({"stringValue": "chat"}));
    assert!(attribute("gen_ai.usage.input_tokens")["intValue"].is_string(), "64-bit numbers are text");
    assert!(attribute("gen_ai.output.messages")["stringValue"].as_str().unwrap().contains("one"));
    assert_eq!(backend.calls()[0].header("x-key"), "k-1");
    assert_eq!(backend.calls()[0].header("content-type"), "application/json");
}

/// In the form that is the default, read by the reader that SDKs' spans go through.
#[tokio::test]
async fn another_flowtrace_gets_the_same_trace() {
    let other = Server::with(&["--no-demo"]);
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let config = directory.path().join("flowtrace.toml");
    std::fs::write(&config, format!("[export]\nendpoint = \"{}/v1/traces\"\ncompression = \"gzip\"\n", other.api().url)).unwrap();
    let server = Server::on(directory, &["--simulate", "--config", config.to_str().unwrap()], |_| {});
    let body = json!({"graph_json": documents::model(json!({"answer": "über ☃"})), "input_vars": {"topic": "first"}, "session_id": "s",
        "user_id": "ann", "tags": ["vip"], "metadata": {"ticket": 17}});
    let run = server.api().post("/api/runs?wait=60", body).await.expect(201)["run"].clone();
    let path = format!("/api/traces/{}", run["trace_id"].as_str().unwrap());
    let sent = wait_for(&server.api(), &path).await;
    let received = wait_for(&other.api(), &path).await;
    assert_eq!(sent["spans"].as_array().unwrap().len(), 3);
    for (sent, received) in sent["spans"].as_array().unwrap().iter().zip(received["spans"].as_array().unwrap()) {
        for field in [
            "span_id",
            "parent_span_id",
            "name",
            "kind",
            "started_at",
            "duration_ms",
            "provider",
            "model",
            "tokens_input",
            "tokens_output",
            "tokens_reasoning",
            "cost_nanousd",
            "simulated",
            "finish_reason",
            "prompt_name",
            "tags",
            "metadata",
            "output",
        ] {
            assert_eq!(received[field], sent[field], "{field} of {sent:#}");
        }
    }
    for field in ["name", "session_id", "user_id", "tags", "total_cost_nanousd", "cost_complete"] {
        assert_eq!(received[field], sent[field], "{field}");
    }
    assert_eq!(received["summary"], sent["summary"]);
}

/// The trace when it is over and whole.
async fn wait_for(api: &Api, path: &str) -> Value {
    for _ in 0..600 {
        let answer = api.get(path).await;
        if answer.status == 200 && answer.json()["status"] == "ok" && answer.json()["spans"].as_array().unwrap().len() == 3 {
            return answer.json();
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("{path} did not come within a minute");
}

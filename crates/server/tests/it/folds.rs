//! Runs are kept as they were when somebody last asked. What is kept must never be told from what is folded anew.

use crate::support::binary::Server;
use crate::support::documents;
use serde_json::json;

/// A run long enough to be kept is read all the while it is under way, so that each reading goes on from the one before.
#[tokio::test]
async fn a_kept_run_goes_on_like_one_that_is_folded_anew() {
    let server = Server::simulated();
    let api = server.api();
    let mut document = documents::chain(400);
    // A model call far down, so that the readings see it run, wait and end.
    let last = json!({
        "id": "slow", "type": "llm",
        "config": {"provider": "openai", "model": "gpt-4o-mini", "prompt": "Say.", "cache": {"enabled": false},
                   "simulate": {"answer": "Said.", "latencyMs": 300, "faults": [{"status": 429, "retryAfterMs": 300}]}}
    });
    document["nodes"].as_array_mut().unwrap().push(last);
    document["edges"].as_array_mut().unwrap().push(json!({"from": "s399", "to": "slow"}));
    document["limits"]["maxNodes"] = json!(401);
    let started = api.post("/api/runs", json!({"graph_json": document})).await.expect(201);
    let id = started["runId"].as_str().unwrap().to_owned();

    let (mut seen, mut readings) = (0, 0);
    let ended = loop {
        let run = api.get(&format!("/api/runs/{id}")).await.expect(200);
        let seq = run["last_seq"].as_u64().unwrap();
        assert!(seq >= seen, "after event {seen} the run was shown as of event {seq}");
        let anew = api.get(&format!("/api/runs/{id}/state?at_seq={seq}")).await.expect(200);
        assert_eq!(run, anew, "as of event {seq}");
        (seen, readings) = (seq, readings + 1);
        if run["status"] != "running" && run["status"] != "queued" {
            break run;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    assert_eq!(ended["status"], "succeeded", "{ended:#}");
    assert!(readings > 3, "the run was over before it could be read more than {readings} times");

    // Page by page from the kept fold: every step, once, in order.
    let (mut paths, mut cursor) = (Vec::new(), "0".to_owned());
    loop {
        let page = api.get(&format!("/api/runs/{id}/steps?limit=150&cursor={cursor}")).await.expect(200);
        paths.extend(page["steps"].as_array().unwrap().iter().map(|step| step["step_id"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    let expected: Vec<String> = (0..400).map(|i| format!("s{i}")).chain(["slow".to_owned()]).collect();
    assert_eq!(paths, expected);
}

//! Undoing what was done, also when the process dies while it does.

use super::*;
use std::collections::BTreeMap;

/// Three bookings that can be taken back, and a last step that fails.
fn saga(url: &str, last: Value) -> Value {
    let book = |id: &str| {
        json!({"id": id, "type": "tool", "config": {"url": format!("{url}/book/{id}"), "method": "POST"}, "inputs": {"what": id},
               "undo": {"config": {"url": format!("{url}/undo/{{{{node.{id}.output.json.booking}}}}"), "method": "POST"},
                        "inputs": {"booking": format!("{{{{node.{id}.output.json.booking}}}}")}},
               "retry": {"maxAttempts": 3, "initialMs": 5, "maxMs": 20}})
    };
    document(
        json!([book("hotel"), book("flight"), book("car"), last]),
        &[("hotel flight", ""), ("flight car", ""), ("car last", "")],
    )
}

fn fails(url: &str) -> Value {
    json!({"id": "last", "type": "tool", "config": {"url": format!("{url}/fail"), "method": "POST"}})
}

fn answer(path: &str) -> Reply {
    match path {
        "/fail" => Reply::status(400, "sold out"),
        path => Reply::json(&json!({"booking": path.rsplit('/').next().unwrap()})),
    }
}

#[tokio::test]
async fn what_was_done_is_taken_back_in_reverse_although_the_process_dies_meanwhile() {
    // Undoing takes its time, so that the kills hit it.
    let upstream = Upstream::start(|call| match call.path.starts_with("/undo") {
        true => answer(&call.path).after(Duration::from_millis(700)),
        false => answer(&call.path),
    });
    let mut server = serve(fresh(), &upstream);
    let id = start(&server.api(), &saga(&upstream.url, fails(&upstream.url))).await;
    for what in ["/undo/car", "/undo/flight", "/undo/hotel"] {
        upstream.wait_for_calls(what, 1);
        server = serve(server.kill(), &upstream);
    }
    let api = server.api();
    let ended_run = ended(&api, &id).await;
    assert_eq!((&ended_run["status"], &ended_run["failed_step"]), (&json!("failed"), &json!("last")), "{ended_run:#}");
    let events = trace(&api, &id).await;
    let undone: Vec<String> =
        shape(&events, &["undo.started", "step.succeeded"]).into_iter().filter(|line| line.contains("undo")).collect();
    let expected = ["undo.started", "step.succeeded car/undo", "step.succeeded flight/undo", "step.succeeded hotel/undo"];
    assert_eq!(undone, expected, "{events:#?}");
    let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for call in upstream.calls_about("/undo/") {
        keys.entry(call.path.clone()).or_default().push(call.key.clone());
    }
    for (path, keys) in &keys {
        let step = format!("{}/undo", path.rsplit('/').next().unwrap());
        assert!(keys.iter().all(|key| *key == format!("{id}/{step}/1")), "{path}: {keys:?}");
        let lost = events.iter().filter(|event| event["kind"] == "step.lost" && event["step_id"] == step.as_str()).count();
        assert!((1..=1 + lost).contains(&keys.len()), "{path}: {} calls, {lost} losses", keys.len());
    }
    assert_eq!(keys.len(), 3, "{keys:?}");
    assert!(keys.values().any(|keys| keys.len() > 1), "no kill hit an undo: {keys:?}");
}

#[tokio::test]
async fn an_undo_that_fails_for_good_is_told_and_the_others_go_on() {
    let seen = std::sync::atomic::AtomicU32::new(0);
    let upstream = Upstream::start(move |call| match call.path.as_str() {
        "/undo/flight" => Reply::status(404, "gone"),
        // Twice it may pass.
        "/undo/car" if seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 2 => Reply::status(503, "later"),
        path => answer(path),
    });
    let server = serve(fresh(), &upstream);
    let api = server.api();
    let id = start(&api, &saga(&upstream.url, fails(&upstream.url))).await;
    let ended_run = ended(&api, &id).await;
    assert_eq!(step(&ended_run, "car/undo")["status"], "succeeded", "{ended_run:#}");
    assert_eq!(step(&ended_run, "flight/undo")["status"], "failed", "{ended_run:#}");
    assert_eq!(step(&ended_run, "hotel/undo")["status"], "succeeded", "{ended_run:#}");
    let message = ended_run["error"]["message"].as_str().unwrap();
    assert!(message.contains("sold out") && message.contains("1 of the steps"), "{message}");
    assert_eq!(upstream.calls_about("/undo/car").len(), 3);
}

#[tokio::test]
async fn a_cancelled_run_is_taken_back_too() {
    let upstream = Upstream::start(|call| answer(&call.path));
    let server = serve(fresh(), &upstream);
    let api = server.api();
    let ask = json!({"id": "last", "type": "approval", "config": {"message": "?"}});
    let id = start(&api, &saga(&upstream.url, ask)).await;
    asked(&api, &id).await;
    api.post(&format!("/api/runs/{id}/cancel"), json!({})).await.expect(202);
    let ended_run = ended(&api, &id).await;
    assert_eq!(ended_run["status"], "canceled", "{ended_run:#}");
    let order: Vec<String> = upstream.calls_about("/undo/").iter().map(|call| call.path.clone()).collect();
    assert_eq!(order, ["/undo/car", "/undo/flight", "/undo/hotel"]);
}

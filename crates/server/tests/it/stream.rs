//! The live stream: no gap and no duplicate, wherever it is cut.

use crate::support::sse::{Message, Stream};
use crate::support::{Api, Server, documents};
use serde_json::{Value, json};

async fn trace(api: &Api, run: &str) -> Vec<Value> {
    api.get(&format!("/api/runs/{run}/trace?limit=5000")).await.expect(200)["events"].as_array().unwrap().clone()
}

/// Messages of the journal in the form of `/trace`.
fn events(messages: &[Message]) -> Vec<Value> {
    let events = messages.iter().filter(|message| message.event == "trace");
    events
        .map(|message| {
            let mut event = json!({"seq": message.id});
            event.as_object_mut().unwrap().extend(message.data.as_object().unwrap().clone());
            event
        })
        .collect()
}

#[tokio::test]
async fn cut_after_every_event_and_taken_up_again() {
    let server = Server::simulated();
    let api = server.api();
    let run = api.run(documents::routed(), json!({"topic": "cats"})).await;
    let id = run["id"].as_str().unwrap();
    let all = trace(&api, id).await;
    assert!(all.len() > 15, "{}", all.len());
    for cut in 0..all.len() as u64 {
        let mut stream = Stream::open(&api, id, Some(cut)).await.unwrap();
        let messages = stream.rest().await;
        assert_eq!(events(&messages), all[cut as usize..], "after {cut}");
        let end = messages.last().unwrap();
        assert_eq!((end.event.as_str(), end.id), ("end", None));
        assert_eq!(end.data, json!({"status": "succeeded", "last_seq": all.len()}));
    }
    assert_eq!(Stream::open(&api, id, Some(all.len() as u64)).await.err(), Some(204));
    assert_eq!(Stream::open(&api, id, Some(u64::MAX)).await.err(), Some(204));
    // Without the header it is a new reader, who gets everything.
    assert_eq!(events(&Stream::open(&api, id, None).await.unwrap().rest().await), all);
    let answer = api.http.get(format!("{}/api/runs/{id}/stream?after_seq=3", api.url)).send().await.unwrap();
    let text = answer.text().await.unwrap();
    assert!(text.contains("id: 4\n") && !text.contains("id: 3\n"), "{text}");
    let bad = api.http.get(format!("{}/api/runs/{id}/stream", api.url)).header("last-event-id", "x").send().await.unwrap();
    assert_eq!(bad.status(), 400);
}

/// A reader that reads one event and then reconnects, while the run goes on.
#[tokio::test]
async fn cut_after_every_event_of_a_run_under_way() {
    let server = Server::simulated();
    let api = server.api();
    let started = api.post("/api/runs", json!({"graph_json": documents::chain(60)})).await.expect(201);
    let id = started["id"].as_str().unwrap();
    let mut messages: Vec<Message> = Vec::new();
    loop {
        let last = messages.last().and_then(|message| message.id);
        let mut stream = match Stream::open(&api, id, last).await {
            Ok(stream) => stream,
            Err(status) => {
                assert_eq!(status, 204);
                break;
            }
        };
        let message = stream.next().await.unwrap();
        assert_eq!(message.event, "trace");
        messages.push(message);
    }
    assert_eq!(events(&messages), trace(&api, id).await);
}

#[tokio::test]
async fn text_comes_while_it_is_said_and_a_late_reader_gets_all_of_it() {
    let server = Server::simulated();
    let api = server.api();
    let answer = "one two three four five six seven eight nine ten ".repeat(40);
    let document = documents::model(json!({"answer": answer, "latencyMs": 1, "tokensPerSecond": 400}));
    let started = api.post("/api/runs", json!({"graph_json": document, "input_vars": {"topic": "numbers"}})).await.expect(201);
    let id = started["id"].as_str().unwrap().to_owned();

    let mut first = Stream::open(&api, &id, None).await.unwrap();
    let mut text = String::new();
    let mut seen = Vec::new();
    while text.len() < 200 {
        let message = first.next().await.expect("the stream ended before the answer");
        if message.event == "delta" {
            assert_eq!((message.id, &message.data["step_id"]), (None, &json!("ask")));
            append(&mut text, &message.data);
        }
        seen.push(message);
    }
    let last_seen = seen.iter().filter_map(|message| message.id).max();
    drop(first);

    let mut second = Stream::open(&api, &id, last_seen).await.unwrap();
    let rest = second.rest().await;
    let deltas: Vec<_> = rest.iter().filter(|message| message.event == "delta").collect();
    assert_eq!(deltas[0].data["so_far"], true, "whoever comes back gets the text so far");
    assert!(deltas[0].data["text"].as_str().unwrap().starts_with(&text), "{} then {}", text, deltas[0].data);
    let mut text = String::new();
    deltas.iter().for_each(|message| append(&mut text, &message.data));
    assert_eq!(text, answer);
    // Nothing is said after the answer is in the journal.
    let response = rest.iter().position(|message| message.data["kind"] == "llm.response").unwrap();
    assert!(rest[response..].iter().all(|message| message.event != "delta"));
    seen.extend(rest);
    assert_eq!(events(&seen), trace(&api, &id).await);
}

fn append(text: &mut String, data: &Value) {
    if data["so_far"] == true {
        text.clear();
    }
    text.push_str(data["text"].as_str().unwrap());
}

#[tokio::test]
async fn a_reader_that_is_cut_by_a_crash_goes_on_at_the_next_server() {
    let server = Server::simulated();
    let api = server.api();
    let slow = json!({"answer": "done", "latencyMs": 1500});
    let mut document = documents::routed();
    document["nodes"][1]["config"]["simulate"] = slow;
    let started = api.post("/api/runs", json!({"graph_json": document, "input_vars": {"topic": "crash"}})).await.expect(201);
    let id = started["id"].as_str().unwrap().to_owned();
    let mut stream = Stream::open(&api, &id, None).await.unwrap();
    let mut messages = Vec::new();
    while !messages.iter().any(|message: &Message| message.data["kind"] == "llm.request") {
        messages.push(stream.next().await.unwrap());
    }
    let directory = server.kill();
    messages.extend(stream.rest().await);

    let server = Server::on(directory, &["--simulate"], |_| {});
    assert!(server.banner.contains("1 unfinished"), "{}", server.banner);
    let api = server.api();
    let last = messages.iter().filter_map(|message| message.id).max();
    messages.extend(Stream::open(&api, &id, last).await.unwrap().rest().await);
    let all = trace(&api, &id).await;
    assert_eq!(events(&messages), all);
    assert_eq!(all.last().unwrap()["kind"], "run.succeeded");
    assert!(all.iter().any(|event| event["kind"] == "step.lost"), "{all:#?}");
}

#[tokio::test]
async fn a_server_that_stops_ends_the_stream_without_an_end() {
    let server = Server::simulated();
    let api = server.api();
    let document = documents::model(json!({"faults": [{"kind": "hang"}]}));
    let started = api.post("/api/runs", json!({"graph_json": document})).await.expect(201);
    let mut stream = Stream::open(&api, started["id"].as_str().unwrap(), None).await.unwrap();
    stream.next().await.unwrap();
    let (_, status) = server.stop();
    assert!(status.success(), "{status}");
    assert!(stream.rest().await.iter().all(|message| message.event != "end"));
}

//! `kill -9` while spans come in over HTTP: what was acknowledged is there after every restart, in whole requests and each span once.

use crate::support::wire::{attribute, message, post, request, span};
use crate::support::{Api, PATIENCE, Server};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Four servers are killed side by side, each on a data directory of its own that it keeps.
const LANES: u64 = 4;
const KILLS: u64 = 25;
const CLIENTS: u64 = 3;
/// Spans of a request in a trace of their own; one more is of a trace that all requests of a lane share.
const SPANS: u64 = 20;

/// The trace that every request adds to.
const SHARED: u128 = 1;

/// What the clients of a lane know.
#[derive(Default)]
struct Known {
    acknowledged: BTreeSet<u64>,
    /// Sent, and not answered before the server died.
    doubtful: BTreeSet<u64>,
}

/// The request with this number: its own trace, and its span of the shared one.
fn body(number: u64) -> Vec<u8> {
    let word = message(9, &attribute(b"input.value", format!("word{number}").as_bytes()));
    let filler = message(9, &attribute(b"output.value", "nothing much ".repeat(20).as_bytes()));
    let mut spans: Vec<Vec<u8>> = (1..=SPANS).map(|id| span(own(number), id, id / 2, &[word.clone(), filler.clone()])).collect();
    spans.push(span(SHARED, number + 1, 0, &[word]));
    request(&spans)
}

fn own(number: u64) -> u128 {
    u128::from(number) << 64 | 7
}

/// Sends until the server is gone. Every third request is sent again, as by a client that saw no answer.
async fn send(api: &Api, known: &Mutex<Known>, next: &AtomicU64) {
    loop {
        let number = next.fetch_add(1, Ordering::SeqCst);
        for _ in 0..1 + u64::from(number.is_multiple_of(3)) {
            known.lock().unwrap().doubtful.insert(number);
            match post(api, body(number)).send().await {
                Ok(answer) if answer.status() == 200 => {
                    let mut known = known.lock().unwrap();
                    known.acknowledged.insert(number);
                }
                Ok(answer) if answer.status() == 503 => tokio::time::sleep(Duration::from_millis(50)).await,
                Ok(answer) => panic!("request {number} was answered with {}", answer.status()),
                Err(_) => return,
            }
        }
    }
}

/// Compares what is there with what was acknowledged. `since` is the first request that is looked for by its trace.
async fn check(api: &Api, known: &Known, since: u64, lane: u64, kill: u64) {
    let at = format!("lane {lane}, after kill {kill}");
    let status = api.get("/api/ingest").await.expect(200);
    let [accepted, stored, queryable] = ["accepted", "stored", "queryable"].map(|name| status[name].as_u64().unwrap());
    assert_eq!((accepted, accepted), (stored, queryable), "{at}: {status}");
    let mut requests = 0;
    for number in known.doubtful.range(since..) {
        let answer = api.http.get(format!("{}/api/traces/{:032x}?io=none", api.url, own(*number))).send().await.unwrap();
        if answer.status() == 404 {
            assert!(!known.acknowledged.contains(number), "{at}: request {number} was acknowledged and is not there");
            continue;
        }
        requests += 1;
        let trace: Value = answer.json().await.unwrap();
        let spans: BTreeSet<&str> =
            trace["spans"].as_array().unwrap().iter().map(|span| span["span_id"].as_str().unwrap()).collect();
        assert_eq!(spans.len() as u64, SPANS, "{at}: the trace of request {number} is not whole");
    }
    if since == 0 {
        assert_eq!(stored, requests * (SPANS + 1), "{at}: spans of whole requests");
        if requests > 0 {
            let shared = api.get(&format!("/api/traces/{SHARED:032x}?io=none")).await.expect(200);
            assert_eq!(shared["spans"].as_array().unwrap().len() as u64, requests, "{at}: spans of the shared trace");
            assert_eq!(shared["summary"]["spans"], requests, "{at}: {}", shared["summary"]);
        }
    }
}

fn lane(lane: u64) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let known = Arc::new(Mutex::new(Known::default()));
    let next = Arc::new(AtomicU64::new(0));
    for kill in 0..KILLS {
        let server = Server::on(directory.clone(), &["--no-demo"], |_| {});
        let api = Arc::new(server.api());
        let since = next.load(Ordering::SeqCst);
        // Between 5 and 150 ms, other ones in every lane.
        let after = Duration::from_millis(5 + (lane * 37 + kill * 61) % 145);
        let clients = (0..CLIENTS).map(|_| {
            let (api, known, next) = (api.clone(), known.clone(), next.clone());
            async move { send(&api, &known, &next).await }
        });
        let acknowledged = || known.lock().unwrap().acknowledged.len();
        let before = acknowledged();
        let killing = async {
            // Every other kill finds a server that has acknowledged something, however slow the machine is.
            let patience = Instant::now();
            while kill % 2 == 1 && acknowledged() == before && patience.elapsed() < PATIENCE {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            tokio::time::sleep(after).await;
            // Without a word: the connections of the clients break.
            tokio::task::spawn_blocking(move || server.kill()).await.unwrap();
        };
        runtime.block_on(async { tokio::join!(futures::future::join_all(clients), killing) });
        let server = Server::on(directory.clone(), &["--no-demo"], |_| {});
        runtime.block_on(check(&server.api(), &known.lock().unwrap(), since, lane, kill));
        server.kill();
    }
    let server = Server::on(directory, &["--no-demo"], |_| {});
    let api = server.api();
    let known = known.lock().unwrap();
    runtime.block_on(async {
        check(&api, &known, 0, lane, KILLS).await;
        // The index of words follows by itself.
        for _ in 0..600 {
            if api.get("/api/ingest").await.expect(200)["unindexed"] == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        for number in &known.acknowledged {
            let found = api.get(&format!("/api/traces?q=word{number}")).await.expect(200);
            let ids: BTreeSet<&str> =
                found["traces"].as_array().unwrap().iter().map(|trace| trace["trace_id"].as_str().unwrap()).collect();
            let wanted = [format!("{SHARED:032x}"), format!("{:032x}", own(*number))];
            assert_eq!(ids, wanted.iter().map(String::as_str).collect(), "lane {lane}: word{number}");
        }
    });
    known.acknowledged.len() as u64
}

#[test]
fn acknowledged_spans_survive_a_hundred_kills() {
    let lanes: Vec<_> = (0..LANES).map(|number| std::thread::spawn(move || lane(number))).collect();
    let acknowledged: BTreeMap<u64, u64> =
        lanes.into_iter().enumerate().map(|(number, lane)| (number as u64, lane.join().unwrap())).collect();
    // Otherwise nothing was tested.
    assert!(acknowledged.values().all(|requests| *requests >= KILLS / 2), "few requests were acknowledged: {acknowledged:?}");
}

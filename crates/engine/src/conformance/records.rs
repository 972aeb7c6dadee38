use super::{AnyStore, logs, run_row, stream};
use crate::port::store::*;
use flowtrace_core::call::{CachedAnswer, ModelAnswer};
use flowtrace_core::id::Timestamp;
use flowtrace_core::usage::Usage;

fn cancel(by: &str) -> InboxRequest {
    InboxRequest::Cancel { by: by.to_string() }
}

pub async fn the_inbox_takes_a_key_once(store: AnyStore) {
    let (a, b) = (stream(1), stream(2));
    assert!(store.post(a, "k1".to_string(), cancel("ä")).await.unwrap());
    assert!(!store.post(a, "k1".to_string(), cancel("b")).await.unwrap());
    assert!(store.post(a, "k2".to_string(), cancel("c")).await.unwrap());
    assert!(store.post(b, "k1".to_string(), cancel("d")).await.unwrap());
    let items = store.inbox(a).await.unwrap();
    let requests: Vec<&InboxRequest> = items.iter().map(|item| &item.request).collect();
    assert_eq!(requests, [&cancel("ä"), &cancel("c")]);
    assert!(items.iter().all(|item| item.stream == a) && items[0].id < items[1].id);
    assert_eq!(store.inbox(stream(3)).await.unwrap(), []);

    let posts = (0..8).map(|by| store.post(b, "raced".to_string(), cancel(&by.to_string())));
    let accepted = futures::future::join_all(posts).await;
    assert_eq!(accepted.into_iter().filter(|result| *result == Ok(true)).count(), 1);
}

pub async fn handled_items_leave_the_inbox_with_the_append(store: AnyStore) {
    let (a, b) = (stream(1), stream(2));
    for (run, key) in [(a, "1"), (a, "2"), (b, "1")] {
        assert!(store.post(run, key.to_string(), cancel(key)).await.unwrap());
    }
    let mine = store.inbox(a).await.unwrap();
    let foreign = store.inbox(b).await.unwrap()[0].id;

    let refused = Append { handled: vec![mine[0].id], ..logs(a, 5, 1) };
    assert!(store.append(refused).await.is_err());
    assert_eq!(store.inbox(a).await.unwrap(), mine, "a refused append handles nothing");

    let handled = vec![mine[0].id, foreign, 1_000_000];
    store.append(Append { handled, ..logs(a, 0, 1) }).await.unwrap();
    assert_eq!(store.inbox(a).await.unwrap(), mine[1..]);
    assert_eq!(store.inbox(b).await.unwrap().len(), 1, "an append handles only items of its own stream");

    // A handled key is free again, and its item is a new one.
    assert!(store.post(a, "1".to_string(), cancel("again")).await.unwrap());
    let last = store.inbox(a).await.unwrap().pop().unwrap();
    assert!(last.id > mine[1].id && last.request == cancel("again"));
}

pub async fn the_inbox_of_a_run_that_has_ended_is_empty_and_stays_so(store: AnyStore) {
    let (a, b) = (stream(1), stream(2));
    store.append(Append { run: Some(run_row(a)), ..logs(a, 0, 1) }).await.unwrap();
    for (run, key) in [(a, "1"), (a, "2"), (b, "1")] {
        assert!(store.post(run, key.to_string(), cancel(key)).await.unwrap());
    }
    // The one that the run has seen, and one that came meanwhile.
    let handled = vec![store.inbox(a).await.unwrap()[0].id];
    let run = RunRow { status: "succeeded".to_string(), finished_at: Some(Timestamp(9)), ..run_row(a) };
    store.append(Append { run: Some(run), handled, ..logs(a, 1, 1) }).await.unwrap();
    assert_eq!(store.inbox(a).await.unwrap(), []);
    assert!(!store.post(a, "3".to_string(), cancel("late")).await.unwrap());
    assert_eq!(store.inbox(a).await.unwrap(), []);
    assert_eq!(store.inbox(b).await.unwrap().len(), 1, "that of another one is as it was");
}

fn cached(key: &str, text: &str, expires_at: Option<u64>) -> CacheRow {
    let usage = Usage { input_uncached: 3, cache_read: 1, cache_write: 0, output: 9, reasoning: 2 };
    let answer = ModelAnswer {
        tool_calls: Vec::new(),
        text: text.to_string(),
        model: "sim-1".to_string(),
        finish_reason: Some("stop".to_string()),
        usage: Some(usage),
        raw_usage: Some(serde_json::json!({"prompt_tokens": 4, "cost": 0.1})),
        upstream_request_id: None,
        first_token_ms: Some(12.5),
        simulated: true,
    };
    let answer =
        CachedAnswer { answer, cost_nanousd: Some(77), origin_run: stream(1).to_string(), origin_step: "a/b".to_string() };
    CacheRow { key: key.to_string(), answer, created_at: Timestamp(10), expires_at: expires_at.map(Timestamp) }
}

async fn keep(store: &AnyStore, run: u128, rows: Vec<CacheRow>) {
    store.append(Append { cache: rows, ..logs(stream(run), 0, 1) }).await.unwrap();
}

pub async fn cached_answers_expire(store: AnyStore) {
    let (short, forever) = (cached("short", "Grüße 👋", Some(100)), cached("forever", "x", None));
    keep(&store, 1, vec![short.clone(), forever.clone()]).await;
    assert_eq!(store.cached("short", Timestamp(99)).await.unwrap(), Some(short));
    assert_eq!(store.cached("short", Timestamp(100)).await.unwrap(), None);
    assert_eq!(store.cached("forever", Timestamp(u64::MAX)).await.unwrap(), Some(forever));
    assert_eq!(store.cached("unknown", Timestamp(0)).await.unwrap(), None);

    let newer = cached("short", "newer", Some(200));
    keep(&store, 2, vec![newer.clone()]).await;
    assert_eq!(store.cached("short", Timestamp(100)).await.unwrap(), Some(newer));
}

pub async fn the_cache_can_be_cleared(store: AnyStore) {
    assert_eq!(store.clear_cache().await.unwrap(), 0);
    keep(&store, 1, vec![cached("a", "1", None), cached("b", "2", Some(5)), cached("a", "3", None)]).await;
    assert_eq!(store.clear_cache().await.unwrap(), 2);
    assert_eq!(store.cached("a", Timestamp(0)).await.unwrap(), None);
}

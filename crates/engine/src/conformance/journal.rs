use super::{AnyStore, log, logs, run_row, seqs, stream};
use crate::port::store::*;
use flowtrace_core::event::Body;
use flowtrace_core::id::Timestamp;
use flowtrace_core::payload::{Blob, Payload};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Far longer than any store needs; only a hang takes it.
const PATIENCE: Duration = Duration::from_secs(30);

pub async fn events_come_back_in_order_and_in_pages(store: AnyStore) {
    let run = stream(1);
    // Rows of different lengths, so that pages begin and end inside of them.
    for (expected, count) in [(0, 1), (1, 3), (4, 1), (5, 7)] {
        store.append(logs(run, expected, count)).await.unwrap();
    }
    let all = store.read(run, 0, 1000).await.unwrap();
    assert_eq!(seqs(&all), (1..=12).collect::<Vec<u64>>());
    assert_eq!(all[6], log(7, "event 7"));
    for after in 0..=13 {
        for limit in 1..=13 {
            let page = store.read(run, after, limit).await.unwrap();
            let expected: Vec<u64> = (after + 1..=12).take(limit).collect();
            assert_eq!(seqs(&page), expected, "after {after}, limit {limit}");
        }
    }
    assert!(store.read(run, u64::MAX, 10).await.unwrap().is_empty());
    assert!(store.read(stream(2), 0, 10).await.unwrap().is_empty(), "a stream that was never written");
}

pub async fn an_append_at_the_wrong_place_writes_nothing(store: AnyStore) {
    let run = stream(1);
    let unborn = store.append(logs(run, 3, 1)).await;
    assert_eq!(unborn, Err(AppendError::Conflict { actual: 0 }));
    store.append(logs(run, 0, 2)).await.unwrap();
    for expected in [0, 1, 3] {
        let mut late = logs(run, expected, 1);
        late.run = Some(run_row(run));
        late.wakeups = vec![WakeupChange { step: None, due: Some(Timestamp(1)) }];
        assert_eq!(store.append(late).await, Err(AppendError::Conflict { actual: 2 }), "expected {expected}");
    }
    assert_eq!(seqs(&store.read(run, 0, 100).await.unwrap()), [1, 2]);
    assert_eq!(store.run(run).await.unwrap(), None);
    assert_eq!(store.wakeups().await.unwrap(), []);
    store.append(logs(run, 2, 1)).await.unwrap();
}

pub async fn an_append_with_a_gap_is_refused(store: AnyStore) {
    let run = stream(1);
    let gap = Append { stream: run, expected: 0, events: vec![log(1, "a"), log(3, "c")], ..Append::default() };
    assert!(matches!(store.append(gap).await, Err(AppendError::Store(StoreError::Invalid(_)))));
    let foreign = Append { run: Some(run_row(stream(2))), ..logs(run, 0, 1) };
    assert!(matches!(store.append(foreign).await, Err(AppendError::Store(StoreError::Invalid(_)))));
    assert!(store.read(run, 0, 10).await.unwrap().is_empty());
}

pub async fn appends_over_streams_are_all_or_nothing(store: AnyStore) {
    let (a, b, c) = (stream(1), stream(2), stream(3));
    store.append(logs(b, 0, 5)).await.unwrap();
    let stale = vec![logs(a, 0, 1), logs(b, 4, 1), logs(c, 0, 1)];
    assert_eq!(store.append_many(stale).await, Err(AppendError::Conflict { actual: 5 }));
    for (run, events) in [(a, 0), (b, 5), (c, 0)] {
        assert_eq!(store.read(run, 0, 100).await.unwrap().len(), events);
    }
    store.append_many(vec![logs(a, 0, 1), logs(b, 5, 2), logs(c, 0, 3)]).await.unwrap();
    for (run, events) in [(a, 1), (b, 7), (c, 3)] {
        assert_eq!(store.read(run, 0, 100).await.unwrap().len(), events);
    }
    store.append_many(Vec::new()).await.unwrap();
}

pub async fn appends_of_one_call_may_follow_each_other(store: AnyStore) {
    let run = stream(1);
    store.append_many(vec![logs(run, 0, 2), logs(run, 2, 1), logs(run, 3, 4)]).await.unwrap();
    assert_eq!(seqs(&store.read(run, 0, 100).await.unwrap()), (1..=7).collect::<Vec<u64>>());
    let twice = vec![logs(run, 7, 1), logs(run, 7, 1)];
    assert_eq!(store.append_many(twice).await, Err(AppendError::Conflict { actual: 8 }));
    assert_eq!(store.read(run, 7, 100).await.unwrap(), []);
}

pub async fn an_append_without_events_writes_the_rest(store: AnyStore) {
    let run = stream(1);
    store.append(logs(run, 0, 1)).await.unwrap();
    let wakeups = vec![WakeupChange { step: None, due: Some(Timestamp(7)) }];
    store.append(Append { stream: run, expected: 1, wakeups, ..Append::default() }).await.unwrap();
    assert_eq!(store.wakeups().await.unwrap(), [Wakeup { stream: run, step: None, due: Timestamp(7) }]);
    assert_eq!(seqs(&store.read(run, 0, 10).await.unwrap()), [1]);
    store.append(logs(run, 1, 1)).await.unwrap();
}

pub async fn any_text_survives(store: AnyStore) {
    let run = stream(1);
    let texts = [
        "",
        "naïve café",
        "日本語のテキスト",
        "🦀👩‍👩‍👧",
        "\u{0}\u{1}\u{7f}\u{fffd}\u{10ffff}",
        "'; DROP TABLE journal; --",
        "\\\"\n\r\t",
    ];
    for (text, expected) in texts.iter().zip(0u64..) {
        let mut event = log(expected + 1, text);
        event.step = Some(format!("schritt/ß[{expected}]/{text}").into());
        let append = Append { stream: run, expected, events: vec![event.clone()], ..Append::default() };
        store.append(append).await.unwrap();
        assert_eq!(store.read(run, expected, 10).await.unwrap(), [event], "{text:?}");
    }
}

pub async fn a_watch_follows_what_is_committed(store: AnyStore) {
    let run = stream(1);
    let (mut first, mut second) = (store.watch(run), store.watch(run));
    assert_eq!(*first.borrow(), 0);
    let reader = store.clone();
    let follower = tokio::spawn(async move {
        let mut seen = 0;
        while seen < 60 {
            let head = *first.wait_for(|head| *head > seen).await.unwrap();
            // What a watch announces can be read at once.
            let events = reader.read(run, 0, 1000).await.unwrap();
            assert!(events.len() as u64 >= head, "announced {head}, found {}", events.len());
            seen = head;
        }
        seen
    });
    for turn in 0..20 {
        store.append(logs(run, turn * 3, 3)).await.unwrap();
        assert!(store.append(logs(run, 1_000_000, 1)).await.is_err(), "a refused append announces nothing");
    }
    let seen = tokio::time::timeout(PATIENCE, follower).await.expect("the follower was not told of all events").unwrap();
    assert_eq!(seen, 60);
    tokio::time::timeout(PATIENCE, second.wait_for(|head| *head == 60)).await.expect("60 was not announced").unwrap();
}

pub async fn a_watch_starts_where_the_stream_stands(store: AnyStore) {
    let run = stream(1);
    store.append(logs(run, 0, 4)).await.unwrap();
    assert_eq!(*store.watch(run).borrow(), 4);
    // Nobody listens while this is written.
    store.append(logs(run, 4, 1)).await.unwrap();
    let mut watch = store.watch(run);
    assert_eq!(*watch.borrow_and_update(), 5);
    store.append(logs(run, 5, 2)).await.unwrap();
    tokio::time::timeout(PATIENCE, watch.changed()).await.expect("the append was not announced").unwrap();
    assert_eq!(*watch.borrow(), 7);
    assert_eq!(*store.watch(stream(2)).borrow(), 0);
}

pub async fn racing_appends_keep_seqs_dense(store: AnyStore) {
    const TASKS: u64 = 16;
    const TURNS: u64 = 25;
    let shared = stream(999);
    let racing = (0..TASKS).map(|task| {
        let store = store.clone();
        tokio::spawn(async move {
            let own = stream(u128::from(task));
            let mut conflicts = 0;
            for turn in 0..TURNS {
                store.append(logs(own, turn * 2, 2)).await.unwrap();
                // Everybody also wants the next place in the shared stream; a conflict says where to try again.
                let mut expected = 0;
                while let Err(error) = store.append(logs(shared, expected, 1)).await {
                    let AppendError::Conflict { actual } = error else { panic!("{error}") };
                    assert!(actual > expected, "a conflict at {expected} must lead forward, not to {actual}");
                    expected = actual;
                    conflicts += 1;
                }
            }
            conflicts
        })
    });
    for task in racing.collect::<Vec<_>>() {
        tokio::time::timeout(PATIENCE * 4, task).await.expect("the racing appends came to no end").unwrap();
    }
    for task in 0..TASKS {
        let events = store.read(stream(u128::from(task)), 0, 1000).await.unwrap();
        assert_eq!(seqs(&events), (1..=TURNS * 2).collect::<Vec<u64>>());
    }
    assert_eq!(seqs(&store.read(shared, 0, 10_000).await.unwrap()), (1..=TASKS * TURNS).collect::<Vec<u64>>());
}

fn keyed(run: u128, key: &str, fingerprint: &str, ts: Timestamp) -> Append {
    let mut append = logs(stream(run), 0, 1);
    append.events[0].ts = ts;
    append.idempotency = Some(IdempotencyKey { key: key.to_string(), fingerprint: fingerprint.to_string() });
    append
}

pub async fn an_idempotency_key_counts_for_a_day(store: AnyStore) {
    let start = Timestamp::from_millis(1_700_000_000_000);
    let day_after = Timestamp(start.0 + IDEMPOTENCY_MICROS);
    let just_before = Timestamp(day_after.0 - 1);
    let duplicate = || Err(AppendError::Duplicate { run: stream(1), fingerprint: "print A".to_string() });

    store.append(keyed(1, "run:ключ", "print A", start)).await.unwrap();
    assert_eq!(store.append(keyed(2, "run:ключ", "print A", start)).await, duplicate());
    assert_eq!(store.append(keyed(3, "run:ключ", "print B", just_before)).await, duplicate());
    for refused in [2, 3] {
        assert!(store.read(stream(refused), 0, 10).await.unwrap().is_empty());
    }
    store.append(keyed(4, "run:another", "print A", start)).await.unwrap();
    store.append(keyed(5, "run:ключ", "print C", day_after)).await.unwrap();
    let renewed = AppendError::Duplicate { run: stream(5), fingerprint: "print C".to_string() };
    assert_eq!(store.append(keyed(6, "run:ключ", "print A", day_after)).await, Err(renewed));
}

pub async fn an_idempotency_key_counts_within_a_call(store: AnyStore) {
    let twins = vec![keyed(1, "k", "a", Timestamp(5)), keyed(2, "k", "b", Timestamp(5))];
    let duplicate = AppendError::Duplicate { run: stream(1), fingerprint: "a".to_string() };
    assert_eq!(store.append_many(twins).await, Err(duplicate));
    assert!(store.read(stream(1), 0, 10).await.unwrap().is_empty());
    store.append(keyed(2, "k", "b", Timestamp(5))).await.unwrap();
}

pub async fn blobs_of_all_sizes_come_back(store: AnyStore) {
    let run = stream(1);
    // Below and above the size at which a store may keep a blob elsewhere; well and badly compressible.
    let noise =
        |bytes: usize| (0..bytes as u64).map(|i| char::from(b' ' + (i.wrapping_mul(i ^ 0x9e37_79b9) >> 7) as u8 % 95)).collect();
    let texts: Vec<String> = vec!["é".repeat(3_000), noise(40_000), noise(256 * 1024), "文".repeat(200_000), noise(3_000_000)];
    for (text, expected) in texts.iter().zip(0u64..) {
        let (payload, blob) = Payload::new(Arc::new(json!(text)));
        let mut append = logs(run, expected, 1);
        append.events[0].body = Body::RunSucceeded { output: payload };
        append.blobs.extend(blob);
        store.append(append).await.unwrap();
    }
    let events = store.read(run, 0, 100).await.unwrap();
    for (text, event) in texts.iter().zip(&events) {
        let Body::RunSucceeded { output: Payload::Blob(reference) } = &event.body else { panic!("expected a blob") };
        let json = store.blob(&reference.hash).await.unwrap().expect("the blob was committed with its event");
        assert_eq!(json.len() as u64, reference.bytes);
        assert!(serde_json::from_slice::<String>(&json).unwrap() == *text, "a blob of {} bytes changed", json.len());
    }

    // The same value in another run, and twice in one append.
    let (_, blob) = Payload::new(Arc::new(json!(texts[4])));
    let blob: Blob = blob.unwrap();
    let again = Append { blobs: vec![blob.clone(), blob.clone()], ..logs(stream(2), 0, 1) };
    store.append(again).await.unwrap();
    assert!(store.blob(&blob.hash).await.unwrap().as_ref() == Some(&blob.json));
}

pub async fn an_unknown_blob_is_none(store: AnyStore) {
    for hash in ["", "zz", "../../etc/passwd", &"a".repeat(64), &"é".repeat(32)] {
        assert_eq!(store.blob(hash).await.unwrap(), None, "{hash:?}");
    }
}

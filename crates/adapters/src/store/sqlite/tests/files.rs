//! What stands in the data directory, and that it comes back.

use super::*;
use crate::store::sqlite::journal_path;
use flowtrace_engine::port::clock::{Clock, SystemClock};
use std::fs;
use std::time::{Duration, Instant};

#[tokio::test]
async fn reopening_gives_everything_back() {
    let dir = tempfile::tempdir().unwrap();
    let run = stream(1);
    let store = SqliteStore::open(dir.path()).unwrap();
    let row = RunRow { total_cost_nanousd: 5, ..run_row(run) };
    let key = IdempotencyKey { key: "k".to_string(), fingerprint: "f".to_string() };
    let (small, large) = (filled(1, 9_000), filled(2, 400_000));
    // Keys are judged by the machine's clock when the store opens.
    let mut now = logs(run, 0, 3);
    now.events.iter_mut().for_each(|event| event.ts = SystemClock.now());
    let append = Append {
        blobs: vec![small.clone(), large.clone()],
        run: Some(row.clone()),
        wakeups: vec![WakeupChange { step: Some("s".into()), due: Some(Timestamp(9)) }],
        idempotency: Some(key.clone()),
        ..now.clone()
    };
    store.append(append).await.unwrap();
    store.post(run, "c".to_string(), InboxRequest::Cancel { by: "me".to_string() }).await.unwrap();
    store.put_meta("m", json!([1])).await.unwrap();
    store.put_document("h", "{}").await.unwrap();
    drop(store);
    assert!(!dir.path().join("journal.db-wal").exists(), "a clean end leaves one whole file");

    let store = SqliteStore::open(dir.path()).unwrap();
    assert_eq!(store.read(run, 0, 10).await.unwrap(), now.events);
    assert_eq!(store.run(run).await.unwrap(), Some(row.clone()));
    assert_eq!(store.unfinished().await.unwrap(), [run]);
    assert_eq!(store.wakeups().await.unwrap().len(), 1);
    assert_eq!(store.inbox(run).await.unwrap().len(), 1);
    assert_eq!(store.meta("m").await.unwrap(), Some(json!([1])));
    assert_eq!(store.document("h").await.unwrap().as_deref(), Some("{}"));
    for blob in [&small, &large] {
        assert!(store.blob(&blob.hash).await.unwrap().as_ref() == Some(&blob.json));
    }
    assert_eq!(store.append(logs(run, 0, 1)).await, Err(AppendError::Conflict { actual: 3 }));
    let again = Append { idempotency: Some(key), ..logs(stream(2), 0, 1) };
    assert!(matches!(store.append(again).await, Err(AppendError::Duplicate { run: first, .. }) if first == run));
    // The first update after a restart, when the writer does not know the run's row, and the second, when it does.
    for (head, total_tokens) in [(3, 7), (4, 8)] {
        let row = RunRow { total_tokens, ..row.clone() };
        store.append(Append { run: Some(row.clone()), ..logs(run, head, 1) }).await.unwrap();
        assert_eq!(store.run(run).await.unwrap(), Some(row));
    }
}

#[tokio::test]
async fn large_blobs_are_files_and_leftovers_are_removed() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = dir.path().join("blobs");
    fs::create_dir_all(&blobs).unwrap();
    let leftover = blobs.join("new-5f0c");
    fs::write(&leftover, "half").unwrap();
    let store = SqliteStore::open(dir.path()).unwrap();
    assert!(!leftover.exists());

    let (small, large) = (filled(1, 200_000), filled(2, 300_000));
    for (blob, number) in [(&small, 1), (&large, 2), (&large, 3)] {
        store.append(Append { blobs: vec![blob.clone()], ..logs(stream(number), 0, 1) }).await.unwrap();
    }
    let file = |blob: &Blob| blobs.join(&blob.hash[..2]).join(format!("{}.zst", blob.hash));
    assert!(file(&large).exists() && !file(&small).exists());
    let outside = rusqlite::Connection::open(journal_path(dir.path())).unwrap();
    let owners = |blob: &Blob| -> i64 {
        outside.query_row("SELECT count(*) FROM blob_refs WHERE hash = ?1", [&*blob.hash], |row| row.get(0)).unwrap()
    };
    assert_eq!((owners(&small), owners(&large)), (1, 2));
}

/// What a `kill -9` leaves while the log has space ahead, before and after the log has started anew.
#[tokio::test]
async fn space_ahead_in_the_log_holds_nothing_for_who_reads_it_after_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let (run, text) = (stream(1), "x".repeat(100_000));
    let store = SqliteStore::open(dir.path()).unwrap();
    let mut longest = 0;
    for head in 0..300 {
        let append = Append { stream: run, expected: head, events: vec![log(head + 1, &text)], ..Append::default() };
        store.append(append).await.unwrap();
        if head % 20 != 19 {
            continue;
        }
        let crashed = tempfile::tempdir().unwrap();
        for name in ["journal.db", "journal.db-wal"] {
            fs::copy(dir.path().join(name), crashed.path().join(name)).unwrap();
        }
        let log = fs::read(crashed.path().join("journal.db-wal")).unwrap();
        longest = longest.max(log.len());
        let space = log.iter().rev().take_while(|byte| **byte == 0).count();
        assert!(space >= 256 << 10, "{space} of {} bytes are free after event {}", log.len(), head + 1);
        let again = SqliteStore::open(crashed.path()).unwrap();
        let events = again.read(run, 0, 1000).await.unwrap();
        assert_eq!(events.len() as u64, head + 1, "with {space} of {} bytes free", log.len());
        again.append(logs(run, head + 1, 1)).await.unwrap();
    }
    assert!(longest < 30 << 20, "the log started anew: it was never longer than {longest} bytes, of 60 MB in all");
}

/// 60 MB go through a log that is checkpointed at 16 MiB.
#[tokio::test(flavor = "multi_thread")]
async fn the_log_stays_bounded_under_load() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(dir.path()).unwrap());
    let writers: Vec<_> = (0..4)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                for head in 0..150 {
                    let event = log(head + 1, &"x".repeat(100_000));
                    let append = Append { stream: stream(number), expected: head, events: vec![event], ..Append::default() };
                    store.append(append).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let log_bytes = || fs::metadata(dir.path().join("journal.db-wal")).map_or(0, |file| file.len());
    let database_bytes = || fs::metadata(journal_path(dir.path())).unwrap().len();
    // The checkpoint runs beside the writer; give it time to catch up.
    let patience = Instant::now();
    let mut head = 0;
    while database_bytes() < 40_000_000 {
        assert!(
            patience.elapsed() < Duration::from_secs(180),
            "no checkpoint: database {} B, log {} B",
            database_bytes(),
            log_bytes()
        );
        store.append(logs(stream(99), head, 1)).await.unwrap();
        head += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(log_bytes() < 58_000_000, "the log was never started anew: {} B", log_bytes());
}

#[tokio::test]
async fn dropping_the_store_writes_what_was_queued() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(dir.path()).unwrap());
    let appends: Vec<_> = (0..50)
        .map(|number| {
            tokio::spawn({
                let store = store.clone();
                async move { store.append(logs(stream(number), 0, 1)).await }
            })
        })
        .collect();
    drop(store);
    for append in appends {
        append.await.unwrap().unwrap();
    }
    let store = SqliteStore::open(dir.path()).unwrap();
    for number in 0..50 {
        assert_eq!(store.read(stream(number), 0, 10).await.unwrap().len(), 1);
    }
}

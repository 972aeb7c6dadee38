//! Damage is reported as a sentence that names the file, and never ends the process.

use super::*;
use crate::store::sqlite::journal_path;
use rusqlite::Connection;
use std::fs;

fn corrupt<T: std::fmt::Debug>(result: Result<T, StoreError>) -> String {
    match result {
        Err(error @ StoreError::Corrupt(_)) => error.to_string(),
        other => panic!("expected damage to be reported, got {other:?}"),
    }
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = journal_path(dir.path());
    fs::write(&path, "This is not a journal. ".repeat(1000)).unwrap();
    let error = corrupt(SqliteStore::open(dir.path()).map(|_| ()));
    assert!(error.contains(path.to_str().unwrap()) && error.contains("restore it from a backup"), "{error}");
    assert!(fs::read_to_string(&path).unwrap().starts_with("This is not"), "nothing may be written over it");
}

#[test]
fn the_database_of_another_program_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    Connection::open(journal_path(dir.path())).unwrap().execute_batch("CREATE TABLE songs (title TEXT)").unwrap();
    let error = corrupt(SqliteStore::open(dir.path()).map(|_| ()));
    assert!(error.contains("belongs to another program"), "{error}");
}

#[tokio::test]
async fn damaged_pages_are_reported() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path()).unwrap();
    for head in 0..300 {
        store
            .append(Append { blobs: vec![noise(head, 5_000)], run: Some(run_row(stream(1))), ..logs(stream(1), head, 1) })
            .await
            .unwrap();
    }
    let blob = noise(7, 5_000);
    drop(store);
    let path = journal_path(dir.path());
    let mut bytes = fs::read(&path).unwrap();
    // The first page, with the schema, stays; pages after the ones of a fresh file are overwritten.
    bytes[200 * 4096..].fill(0xAB);
    fs::write(&path, bytes).unwrap();

    let store = SqliteStore::open(dir.path()).unwrap();
    let mut reported = 0;
    for head in 0..300 {
        match store.blob(&noise(head, 5_000).hash).await {
            Err(StoreError::Corrupt(_)) => reported += 1,
            Err(error) => panic!("{error}"),
            Ok(_) => {}
        }
    }
    assert!(reported > 100, "only {reported} reads noticed");
    let error = corrupt(store.read(stream(1), 0, 1000).await);
    assert!(error.contains("journal.db"), "{error}");
    // A read that touches nothing damaged, or a refusal; but an answer.
    let _ = store.blob(&blob.hash).await;
    let _ = store.append(logs(stream(9), 0, 1)).await;
}

#[tokio::test]
async fn events_that_cannot_be_read_are_reported_with_their_place() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path()).unwrap();
    store.append(logs(stream(1), 0, 2)).await.unwrap();
    store.append(logs(stream(1), 2, 2)).await.unwrap();
    let outside = Connection::open(journal_path(dir.path())).unwrap();
    for events in ["'[{'", "'[{\"seq\":3,\"ts\":1,\"kind\":\"from.the.future\"}]'", "x'ff00fe'", "NULL", "17"] {
        let damage = format!("UPDATE OR IGNORE journal SET events = {events} WHERE seq = 3");
        // NULL is refused by the table itself.
        if outside.execute(&damage, []).is_err() {
            continue;
        }
        assert_eq!(store.read(stream(1), 0, 2).await.unwrap().len(), 2, "{events}: what stands before is readable");
        let error = corrupt(store.read(stream(1), 0, 10).await);
        assert!(error.contains(&stream(1).to_string()) && error.contains("begins with event 3"), "{events}: {error}");
    }
}

#[tokio::test]
async fn damaged_blobs_are_reported() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path()).unwrap();
    let (small, large) = (filled(1, 9_000), filled(2, 400_000));
    store.append(Append { blobs: vec![small.clone(), large.clone()], ..logs(stream(1), 0, 1) }).await.unwrap();
    let outside = Connection::open(journal_path(dir.path())).unwrap();

    let file = dir.path().join("blobs").join(&large.hash[..2]).join(format!("{}.zst", large.hash));
    let content = fs::read(&file).unwrap();
    for (damaged, what) in [(content[..20].to_vec(), "cut"), (b"garbage".to_vec(), "garbage"), (Vec::new(), "empty")] {
        fs::write(&file, damaged).unwrap();
        assert!(corrupt(store.blob(&large.hash).await).contains(&*large.hash), "{what}");
    }
    // Whole, but another blob's content.
    let other = filled(3, 400_000);
    store.append(Append { blobs: vec![other.clone()], ..logs(stream(1), 1, 1) }).await.unwrap();
    fs::copy(dir.path().join("blobs").join(&other.hash[..2]).join(format!("{}.zst", other.hash)), &file).unwrap();
    assert!(corrupt(store.blob(&large.hash).await).contains("not what was stored"));
    fs::remove_file(&file).unwrap();
    assert!(corrupt(store.blob(&large.hash).await).contains("is missing"));
    fs::write(&file, content).unwrap();
    assert!(store.blob(&large.hash).await.unwrap().as_ref() == Some(&large.json));

    for bytes in ["1000000000000", "-1", "5"] {
        outside.execute(&format!("UPDATE blobs SET bytes = {bytes} WHERE hash = ?1"), [&*small.hash]).unwrap();
        corrupt(store.blob(&small.hash).await);
    }
}

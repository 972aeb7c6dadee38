//! Full, read-only, locked, newer: every refusal is a sentence and leaves the store as it was.

use super::*;
use crate::store::sqlite::{DataDir, journal_path, migrate};
use rusqlite::Connection;
use std::io::Write;
use std::time::Duration;

fn full_after(dir: &Path, pages: u32) -> SqliteStore {
    let tune = move |connection: &mut Connection| connection.pragma_update(None, "max_page_count", pages);
    SqliteStore::open_tuned(dir, Arc::new(|sentence: &str| panic!("{sentence}")), tune).unwrap()
}

fn wide(run: StreamId, expected: u64, bytes: usize) -> Append {
    Append { stream: run, expected, events: vec![log(expected + 1, &"x".repeat(bytes))], ..Append::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_what_does_not_fit_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let store = full_after(dir.path(), 200);
    let (small, large) = (stream(1), stream(2));
    store.append(logs(small, 0, 1)).await.unwrap();

    let refused = store.append(wide(large, 0, 1_000_000)).await;
    let Err(AppendError::Store(error @ StoreError::Full(_))) = refused else { panic!("{refused:?}") };
    assert!(error.to_string().starts_with("the disk that holds the data directory is full: free some space"), "{error}");
    assert_eq!(store.put_meta("k", json!("x".repeat(1_000_000))).await, Err(error));

    // In one batch with something too large, what fits is still written.
    let appends = (0..20).map(|number| store.append(wide(stream(number + 10), 0, if number == 7 { 2_000_000 } else { 10 })));
    let results = futures::future::join_all(appends).await;
    for (result, number) in results.iter().zip(0..) {
        match result {
            Err(AppendError::Store(StoreError::Full(_))) if number == 7 => {}
            Ok(()) if number != 7 => {}
            other => panic!("append {number}: {other:?}"),
        }
    }

    // The heads are what is really there.
    assert!(store.read(large, 0, 10).await.unwrap().is_empty());
    assert_eq!(*store.watch(large).borrow(), 0);
    assert_eq!(store.append(logs(large, 1, 1)).await, Err(AppendError::Conflict { actual: 0 }));
    store.append(logs(large, 0, 2)).await.unwrap();
    store.append(logs(small, 1, 1)).await.unwrap();
    assert_eq!(store.read(small, 0, 10).await.unwrap().len(), 2);
    drop(store);

    let roomy = SqliteStore::open(dir.path()).unwrap();
    roomy.append(wide(large, 2, 1_000_000)).await.unwrap();
}

#[tokio::test]
async fn a_store_that_became_read_only_refuses_and_recovers() {
    let dir = tempfile::tempdir().unwrap();
    let tune = |connection: &mut Connection| connection.pragma_update(None, "query_only", true);
    let store = SqliteStore::open_tuned(dir.path(), Arc::new(|sentence: &str| panic!("{sentence}")), tune).unwrap();
    let refused = store.append(logs(stream(1), 0, 1)).await;
    let Err(AppendError::Store(error @ StoreError::ReadOnly(_))) = refused else { panic!("{refused:?}") };
    assert!(error.to_string().starts_with("the data directory cannot be written"), "{error}");
    assert!(store.read(stream(1), 0, 10).await.unwrap().is_empty());
    drop(store);
    SqliteStore::open(dir.path()).unwrap().append(logs(stream(1), 0, 1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_of_another_program_is_waited_for_once_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let tune = |connection: &mut Connection| connection.busy_timeout(Duration::from_millis(100));
    let store = SqliteStore::open_tuned(dir.path(), Arc::new(|sentence: &str| panic!("{sentence}")), tune).unwrap();
    let other = Connection::open(journal_path(dir.path())).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for result in futures::future::join_all((0..20).map(|number| store.append(logs(stream(number), 0, 1)))).await {
        let Err(AppendError::Store(error @ StoreError::Unavailable(_))) = result else { panic!("{result:?}") };
        assert!(error.to_string().contains("another program keeps journal.db locked; close it"), "{error}");
    }
    other.execute_batch("ROLLBACK").unwrap();
    store.append(logs(stream(1), 0, 1)).await.unwrap();
}

/// Reports what opening says where nothing may be written.
#[test]
fn child_that_may_not_write() {
    let Some(dir) = parent_dir() else { return };
    for place in ["empty", "used"] {
        let place = dir.join(place);
        let report = |what: &str, error: Option<StoreError>| {
            let error = error.map_or("none".to_string(), |error| error.to_string());
            writeln!(std::io::stdout(), "\nresult {what} {error}").unwrap();
        };
        report("lock", DataDir::lock(&place).err());
        report("open", SqliteStore::open(&place).err());
        report("make", SqliteStore::open(&place.join("below")).err());
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_directory_without_permission_to_write_gives_sentences() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    let dir = tempfile::tempdir().unwrap();
    let (empty, used) = (dir.path().join("empty"), dir.path().join("used"));
    std::fs::create_dir(&empty).unwrap();
    let store = SqliteStore::open(&used).unwrap();
    store.append(logs(stream(1), 0, 1)).await.unwrap();
    drop(store);
    let mode = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(&journal_path(&used), 0o444);
    for path in [dir.path(), &empty, &used] {
        mode(path, 0o555);
    }

    let mut command = child("refusals::child_that_may_not_write", dir.path());
    // Permissions do not bind root, so root sends somebody else: the user `nobody`.
    if std::fs::write(empty.join("probe"), "").is_ok() {
        command.uid(65534);
    }
    let output = command.output();
    for path in [dir.path(), &empty, &used] {
        mode(path, 0o755);
    }
    let output = output.unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let results: Vec<&str> = stdout.lines().filter_map(|line| line.strip_prefix("result ")).collect();
    assert_eq!(results.len(), 6, "{stdout}\n{}", String::from_utf8_lossy(&output.stderr));
    for (result, place) in results.iter().zip([&empty, &empty, &empty, &used, &used, &used]) {
        assert!(result.contains("the data directory cannot be written: "), "{result}");
        assert!(result.contains(place.to_str().unwrap()), "{result}");
    }
}

#[test]
fn a_second_server_is_refused_with_the_first_ones_pid() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("new/data");
    let first = DataDir::lock(&place).unwrap();
    assert_eq!(first.path(), place);
    let refused = DataDir::lock(&place).unwrap_err().to_string();
    let expected = format!("process {} uses the data directory {}", std::process::id(), place.display());
    assert!(refused.contains(&expected), "{refused}");
    assert!(migrate(&place).unwrap_err().to_string().contains(&expected));
    drop(first);
    // The pid of a process that is gone is no lock.
    DataDir::lock(&place).unwrap();
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(SqliteStore::open(dir.path()).unwrap());
    let newer = "INSERT INTO refinery_schema_history (version, name, applied_on, checksum) \
                 VALUES (99, 'future', '2030-01-01T00:00:00Z', '1')";
    Connection::open(journal_path(dir.path())).unwrap().execute(newer, []).unwrap();
    for error in [SqliteStore::open(dir.path()).err(), migrate(dir.path()).err()] {
        let error = error.unwrap().to_string();
        assert!(error.contains("was written by a newer FlowTrace (schema 99, this build knows 3)"), "{error}");
        assert!(error.contains(dir.path().to_str().unwrap()), "{error}");
    }
}

#[tokio::test]
async fn events_in_a_newer_format_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path()).unwrap();
    store.append(logs(stream(1), 0, 1)).await.unwrap();
    Connection::open(journal_path(dir.path())).unwrap().execute("UPDATE journal SET format = 2", []).unwrap();
    let error = store.read(stream(1), 0, 10).await.unwrap_err().to_string();
    assert!(error.contains("the journal has format 2") && error.contains("use a newer FlowTrace"), "{error}");
}

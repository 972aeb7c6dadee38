//! What is left when the process dies, and what it does when the disk cannot be trusted.

use super::*;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;

const KILLS: u64 = 24;
const STREAMS: u128 = 8;

/// What the child writes as event `seq`: every seventh brings a blob in the database, every 29th one in a file.
fn turn(run: RunId, expected: u64) -> Append {
    let seq = expected + 1;
    let row = RunRow { total_tokens: seq, status: status(seq).to_string(), ..run_row(run) };
    let wakeups = vec![WakeupChange { step: None, due: Some(Timestamp(seq)) }];
    Append { blobs: blob(run, seq).into_iter().collect(), run: Some(row), wakeups, ..logs(run, expected, 1) }
}

fn status(seq: u64) -> &'static str {
    if seq.is_multiple_of(5) { "queued" } else { "running" }
}

fn blob(run: RunId, seq: u64) -> Option<Blob> {
    let seed = (run.0 as u64) << 32 | seq;
    match seq {
        _ if seq.is_multiple_of(29) => Some(filled(seed, crate::store::sqlite::IN_DATABASE + 10_000)),
        _ if seq.is_multiple_of(7) => Some(filled(seed, 6_000)),
        _ => None,
    }
}

/// Appends until it is killed, and says after each append what was acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn appending_child() {
    let Some(dir) = parent_dir() else { return };
    let store = Arc::new(SqliteStore::open(&dir).unwrap());
    let tasks: Vec<_> = (0..STREAMS)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let run = stream(number);
                let mut head = *store.watch(run).borrow();
                loop {
                    store.append(turn(run, head)).await.unwrap();
                    head += 1;
                    let line = format!("\nack {number} {head}\n");
                    // One write for the line, so that lines of several tasks do not mix.
                    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
                }
            })
        })
        .collect();
    // Only the kill ends them, or a failure, which the parent sees as an early end.
    futures::future::select_all(tasks).await.0.unwrap();
}

#[tokio::test]
async fn every_acknowledged_append_survives_kill_9() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged: BTreeMap<u128, u64> = BTreeMap::new();
    for kill in 0..KILLS {
        // From "while it still opens the store" to some hundred appends.
        let wait_for = (kill * kill * 7919) % 300;
        let mut process = child("crash::appending_child", dir.path()).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut seen = 0;
        let mut lines = Vec::new();
        while seen < wait_for {
            let mut line = String::new();
            assert!(output.read_line(&mut line).unwrap() > 0, "kill {kill}: the child ended by itself: {lines:?}");
            seen += u64::from(line.starts_with("ack "));
            lines.push(line);
        }
        process.kill().unwrap();
        process.wait().unwrap();
        let mut rest = String::new();
        output.read_to_string(&mut rest).unwrap();
        // The last line may have been cut by the kill.
        let whole = rest.rfind('\n').map_or("", |end| &rest[..end]);
        for line in lines.iter().map(String::as_str).chain(whole.lines()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            if let ["ack", number, seq] = words[..] {
                acknowledged.insert(number.parse().unwrap(), seq.parse().unwrap());
            }
        }
        let when = format!("kill {kill} after {wait_for} acknowledgements");
        verify(dir.path(), &acknowledged, 50, &when).await;
    }
    verify(dir.path(), &acknowledged, u64::MAX, "after all kills").await;
    assert!(acknowledged.len() as u128 == STREAMS, "the children appended too little to show anything: {acknowledged:?}");
}

/// Checks each stream from `depth` events before the last acknowledged one, and everything derived from it.
async fn verify(dir: &Path, acknowledged: &BTreeMap<u128, u64>, depth: u64, when: &str) {
    let store = SqliteStore::open(dir).unwrap();
    let mut wakeups = Vec::new();
    for number in 0..STREAMS {
        let run = stream(number);
        let acknowledged = acknowledged.get(&number).copied().unwrap_or(0);
        let after = acknowledged.saturating_sub(depth);
        let events = store.read(run, after, usize::MAX).await.unwrap();
        let head = after + events.len() as u64;
        assert!(head >= acknowledged, "{when}: {acknowledged} were acknowledged, {head} are left");
        for (event, seq) in events.iter().zip(after + 1..) {
            assert_eq!(*event, log(seq, &format!("event {seq}")), "{when}, stream {number}");
            if let Some(blob) = blob(run, seq).filter(|_| seq + 30 > head) {
                let found = store.blob(&blob.hash).await.unwrap();
                assert!(found.as_ref() == Some(&blob.json), "{when}: the blob of event {seq} in stream {number} is missing");
            }
        }
        assert_eq!(*store.watch(run).borrow(), head);
        let row = store.run(run).await.unwrap().map(|row| (row.total_tokens, row.status));
        let expected = (head > 0).then(|| (head, status(head).to_string()));
        assert_eq!(row, expected, "{when}: the summary of stream {number} is not that of its events");
        wakeups.extend((head > 0).then_some(Wakeup { stream: run, step: None, due: Timestamp(head) }));
    }
    wakeups.sort_by_key(|wakeup| (wakeup.due, wakeup.stream));
    assert_eq!(store.wakeups().await.unwrap(), wakeups, "{when}");
}

/// Appends until the disk fails.
#[tokio::test]
async fn child_on_a_failing_disk() {
    let Some(dir) = parent_dir() else { return };
    let store = SqliteStore::open(&dir).unwrap();
    for head in 0..100_000 {
        store.append(turn(stream(1), head)).await.unwrap();
        writeln!(std::io::stdout(), "\nack 1 {}", head + 1).unwrap();
    }
}

/// A limit on the size of files makes the kernel refuse to extend the log, with an error that is not "disk full".
#[cfg(unix)]
#[tokio::test]
async fn a_failing_disk_stops_the_process_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let test = child("crash::child_on_a_failing_disk", dir.path());
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 4000; exec \"$0\" \"$@\""]).arg(test.get_program()).args(test.get_args());
    let output = limited.env("FLOWTRACE_TEST_DIR", dir.path()).env("RUST_BACKTRACE", "0").output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(70), "{stdout}\n{stderr}");
    assert!(stderr.contains("the disk did not confirm a write to journal.db"), "{stderr}");

    let acknowledged = stdout.lines().filter_map(|line| line.strip_prefix("ack 1 ")).next_back().unwrap();
    verify(dir.path(), &BTreeMap::from([(1, acknowledged.parse().unwrap())]), u64::MAX, "after the disk failed").await;
}

//! What is left when the process dies while it writes.

use super::*;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

const KILLS: u64 = 20;
const WRITERS: u128 = 4;

/// A batch of a writer: the end of one trace and the beginning of the next, so that traces are split over requests.
fn batch(writer: u128, number: u64) -> Vec<Span> {
    let trace = |number: u64| 1 + writer * 1_000_000 + u128::from(number);
    let mut spans: Vec<Span> = small(trace(number)).split_off(2);
    spans.extend(small(trace(number + 1)).into_iter().take(2));
    spans
}

/// Writes until it is killed, and says after each write what was acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writing_child() {
    let Some(dir) = std::env::var_os("FLOWTRACE_TEST_DIR") else { return };
    let from: u64 = std::env::var("FLOWTRACE_TEST_FROM").unwrap().parse().unwrap();
    let store = Arc::new(open(Path::new(&dir), &Hand::new()));
    let tasks: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for number in from.. {
                    write(&store, batch(writer, number)).await;
                    // One write for the line, so that lines of several tasks do not mix.
                    std::io::stdout().lock().write_all(format!("\nack {writer} {number}\n").as_bytes()).unwrap();
                }
            })
        })
        .collect();
    futures::future::select_all(tasks).await.0.unwrap();
}

#[tokio::test]
async fn every_acknowledged_span_survives_kill_9() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged: BTreeSet<(u128, u64)> = BTreeSet::new();
    for kill in 0..KILLS {
        let wait_for = (kill * kill * 7919) % 200;
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "spans::tests::crash::writing_child", "--nocapture", "--test-threads=1"]);
        child.env("FLOWTRACE_TEST_DIR", dir.path()).env("FLOWTRACE_TEST_FROM", (kill * 10_000).to_string());
        let mut process = child.stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let (mut seen, mut lines) = (0, Vec::new());
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
        let mut new = BTreeSet::new();
        for line in lines.iter().map(String::as_str).chain(whole.lines()) {
            if let ["ack", writer, number] = line.split_whitespace().collect::<Vec<_>>()[..] {
                new.insert((writer.parse().unwrap(), number.parse().unwrap()));
            }
        }
        verify(dir.path(), &new, &format!("kill {kill} after {wait_for} acknowledgements")).await;
        acknowledged.extend(new);
    }
    verify(dir.path(), &acknowledged, "after all kills").await;
    assert!(acknowledged.len() > 100, "the children wrote too little to show anything: {}", acknowledged.len());
}

async fn verify(dir: &Path, acknowledged: &BTreeSet<(u128, u64)>, when: &str) {
    let store = open(dir, &Hand::new());
    for (writer, number) in acknowledged {
        for span in batch(*writer, *number) {
            let found = store.span(span.trace_id, span.span_id).await.unwrap();
            assert_eq!(found.as_ref(), Some(&span), "{when}: batch {number} of writer {writer} was acknowledged");
        }
        // Summary and rows are of one transaction.
        let id = batch(*writer, *number)[0].trace_id;
        let trace = store.trace(id).await.unwrap().unwrap();
        assert_eq!(trace.summary.totals.spans, trace.spans.len() as u64, "{when}: {id}");
    }
    let counters = store.counters().await.unwrap();
    assert_eq!((counters.accepted, counters.stored), (counters.queryable, counters.queryable), "{when}");
    // The index of words comes back to what is stored, whatever it had when the process died.
    store.indexed().await;
    let text = |session: Option<String>| TraceQuery { text: Some("refund".to_owned()), session, ..TraceQuery::default() };
    if let Some((writer, number)) = acknowledged.last() {
        let id = batch(*writer, *number)[0].trace_id.0;
        let found = find(&store, text(None)).await;
        assert!(found.len() == 1000 || found.contains(&id), "{when}: {id} is not found by its words");
    }
    assert_eq!(store.counters().await.unwrap().unindexed, 0, "{when}");
}

//! Large traces, which are added up later than their spans are written.

use super::*;
use flowtrace_core::trace::TraceSummary;
use std::time::{Duration, Instant};

/// Sums are made by a thread that yields to everybody, so that a busy machine takes long; but it does not take this long.
const PATIENCE: Duration = Duration::from_secs(600);

/// Every third is a model call; a few fail.
fn many(from: u64, to: u64, round: u64) -> Vec<Span> {
    (from..to)
        .map(|id| {
            let parent = (id > 1).then_some(1 + id / 50);
            match id % 3 {
                _ if id == 1 => Span { user_id: Some("ada".to_owned()), ..span(1, 1, None, "root", SpanKind::Workflow) },
                0 => Span {
                    tokens: Tokens { input: Some(id + round), output: Some(7), ..Tokens::default() },
                    ..call(1, id, 1 + id / 50, &format!("model-{round}"), id * 10 + round)
                },
                1 => Span { tags: vec![format!("tag-{round}")], ..span(1, id, parent, &format!("step-{round}"), SpanKind::Task) },
                _ => Span {
                    status: if id % 100 == 2 { SpanStatus::Error } else { SpanStatus::Ok },
                    error: (id % 100 == 2).then(|| format!("broken {id}")),
                    ..span(1, id, parent, "lookup", SpanKind::Tool)
                },
            }
        })
        .collect()
}

/// Everything that is kept of sums and terms, from the files.
fn kept(dir: &Path) -> Vec<String> {
    let file = std::fs::read_dir(dir).unwrap().flatten().map(|file| file.path()).find(|path| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with("spans-2") && name.ends_with(".db")
    });
    let db = rusqlite::Connection::open(file.unwrap()).unwrap();
    let mut all = Vec::new();
    for sql in [
        "SELECT (SELECT text FROM symbols WHERE id = model) || '|' || (SELECT text FROM symbols WHERE id = user) || '|' || day || '|' || calls || '|' \
         || input || '|' || output || '|' || cost || '|' || unpriced FROM rollups WHERE calls <> 0 OR cost <> 0 ORDER BY 1",
        "SELECT (term & 15) || '|' || CASE WHEN (term & 15) < 3 THEN term >> 4 ELSE (SELECT text FROM symbols WHERE id = term >> 4) END \
         FROM terms WHERE term & 15 <> 11 ORDER BY 1",
        "SELECT count(*) || '|' || sum(flags & 8) || '|' || sum(cost) FROM spans",
        "SELECT 'behind ' || trace FROM unsummed",
    ] {
        let mut rows = db.prepare(sql).unwrap();
        all.extend(rows.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap));
    }
    all
}

/// The summary, when it is that of so many spans and cost so much.
async fn added_up(store: &SqliteSpans, wanted: &TraceSummary) {
    let until = Instant::now() + PATIENCE;
    loop {
        let summary = store.summary(TraceId(1)).await.unwrap().unwrap();
        if summary == *wanted {
            return;
        }
        assert!(Instant::now() < until, "not added up within {PATIENCE:?}: {summary:?} instead of {wanted:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What comes in batches, is sent again, and is changed, comes out as if the last of each span had come alone and at once.
#[tokio::test]
async fn a_large_trace_in_batches_is_the_same_as_at_once() {
    let (dirs, clock) = ([tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()], Hand::new());
    let [in_batches, at_once] = [open(dirs[0].path(), &clock), open(dirs[1].path(), &clock)];
    let mut last = many(1, 4001, 0);
    last.splice(500..2500, many(501, 2501, 2));
    write(&at_once, last).await;
    for batch in many(1, 4001, 0).chunks(170) {
        assert_eq!(write(&in_batches, batch.to_vec()).await, Written { new: batch.len() as u64, updated: 0 });
        let counters = in_batches.counters().await.unwrap();
        assert_eq!((counters.accepted, counters.accepted), (counters.stored, counters.queryable));
    }
    for (from, to, round) in [(1, 700, 0), (501, 2501, 1), (501, 2501, 2), (3000, 3100, 0)] {
        for batch in many(from, to, round).chunks(190) {
            assert_eq!(write(&in_batches, batch.to_vec()).await, Written { new: 0, updated: batch.len() as u64 });
            // Whoever looks sees sums of what is there.
            let trace = in_batches.outline(TraceId(1)).await.unwrap().unwrap();
            let counted = trace.spans.iter().zip(&trace.counted).filter(|(_, counted)| **counted);
            let cost: u64 = counted.map(|(span, _)| span.cost_nanousd.unwrap_or(0)).sum();
            assert_eq!((trace.summary.totals.spans, trace.summary.totals.cost_nanousd), (4000, cost));
        }
    }
    let wanted = at_once.trace(TraceId(1)).await.unwrap().unwrap();
    assert_eq!(in_batches.trace(TraceId(1)).await.unwrap().unwrap().summary, wanted.summary);
    added_up(&in_batches, &wanted.summary).await;
    let until = Instant::now() + PATIENCE;
    while kept(dirs[0].path()).last().unwrap().starts_with("behind") && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(kept(dirs[0].path()), kept(dirs[1].path()));
    let by_model = |model: &str| TraceQuery { model: Some(model.to_owned()), ..TraceQuery::default() };
    assert_eq!(find(&in_batches, by_model("model-1")).await, Vec::<u128>::new(), "no span has it any more");
    assert_eq!(find(&in_batches, by_model("model-2")).await, [1]);
}

/// What was not added up when the process ended is added up by the next one.
#[tokio::test]
async fn totals_follow_after_a_restart() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Hand::new());
    let mut spans = 1500;
    write(&open(dir.path(), &clock), many(1, spans + 1, 0)).await;
    let behind = |dir: &Path| kept(dir).last().unwrap().starts_with("behind");
    // On a machine that is very busy, there may be time to add up before the process ends.
    while spans < 5000 && !behind(dir.path()) {
        write(&open(dir.path(), &clock), many(spans + 1, spans + 101, 0)).await;
        spans += 100;
    }
    assert!(behind(dir.path()));
    let store = open(dir.path(), &clock);
    let wanted = store.trace(TraceId(1)).await.unwrap().unwrap().summary;
    assert_eq!(wanted.totals.spans, spans);
    added_up(&store, &wanted).await;
    assert!(!behind(dir.path()));
}

#[tokio::test]
async fn a_hundred_thousand_spans_in_batches_of_two_hundred_are_one_trace() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Hand::new());
    let store = open(dir.path(), &clock);
    for from in (0..100_000).step_by(200) {
        write(&store, many(from + 1, from + 201, 0)).await;
    }
    let outline = store.outline(TraceId(1)).await.unwrap().unwrap();
    assert_eq!(outline.spans.len(), 100_000);
    assert_eq!(outline.summary.totals.cost_nanousd, (1..=33_333).map(|third| third * 30).sum::<u64>());
    let counters = store.counters().await.unwrap();
    assert_eq!((counters.accepted, counters.stored, counters.queryable), (100_000, 100_000, 100_000));
    added_up(&store, &outline.summary).await;
}

//! Weeks, age and pins; many spans; pages while more arrives.

use super::*;
use flowtrace_core::span::{Score, Scored};
use std::time::Duration;

#[tokio::test]
async fn a_trace_that_lasts_into_the_next_week_stays_whole() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Hand::new();
    let store = open(dir.path(), &clock);
    let spans = small(1);
    write(&store, spans[1..].to_vec()).await;
    clock.pass(WEEK);
    let mut other = small(2);
    other[0].session_id = Some("session-1".to_owned());
    write(&store, other).await;
    // One call with spans of both weeks.
    write(&store, [&spans[..1], &small(3)[..]].concat()).await;
    assert_eq!(store.partitions.newest_first().len(), 2);
    let trace = store.trace(TraceId(1)).await.unwrap().unwrap();
    assert_eq!(trace.spans, spans);
    assert_eq!(trace.summary.name, "support");
    assert_eq!(find(&store, TraceQuery::default()).await, [3, 2, 1]);
    store.indexed().await;
    let text = TraceQuery { text: Some("refund".to_owned()), ..TraceQuery::default() };
    assert_eq!(find(&store, text).await, [3, 2, 1]);
    // A session of both weeks is one.
    let session = store.session("session-1").await.unwrap().unwrap();
    assert_eq!((session.traces, session.totals.cost_nanousd, session.user_id.as_deref()), (2, 1400, Some("ada")));
    let all = store.sessions(SessionQuery { limit: 10, ..SessionQuery::default() }).await.unwrap();
    assert_eq!(all.items.iter().filter(|session| session.session_id == "session-1").count(), 1);
    // The pages of both files, one by one.
    let mut seen = Vec::new();
    let mut after = None;
    for sort in [Sort::Newest, Sort::By(SortKey::StartedAt, Direction::Descending)] {
        seen.clear();
        loop {
            let page = store.find(TraceQuery { limit: 1, after: after.take(), sort, ..TraceQuery::default() }).await.unwrap();
            seen.extend(page.items.iter().map(|trace| trace.trace_id.0));
            let Some(next) = page.next else { break };
            after = Some(next);
        }
        assert_eq!(seen, [3, 2, 1], "{sort:?}");
    }
    drop(store);
    let store = open(dir.path(), &clock);
    assert_eq!(write(&store, spans.clone()).await, Written { new: 0, updated: 4 }, "the home is found after a restart too");
}

#[tokio::test]
async fn old_traces_go_and_pinned_ones_stay() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Hand::new();
    let store = open(dir.path(), &clock);
    for trace in 1..=5 {
        write(&store, small(trace)).await;
    }
    assert!(store.pin(TraceId(2), true).await.unwrap());
    assert!(store.pin(TraceId(3), true).await.unwrap());
    assert!(!store.pin(TraceId(99), true).await.unwrap());
    let score = Score {
        id: "s".to_owned(),
        of: Scored::Trace { trace_id: TraceId(2), span_id: None },
        name: "quality".to_owned(),
        value: serde_json::json!(1),
        comment: None,
        at: 1,
    };
    store.score(vec![score.clone()]).await.unwrap();
    clock.pass(3 * WEEK);
    write(&store, small(6)).await;
    let age = Duration::from_micros(4 * WEEK);
    let kept = store.kept(Some((clock.nanos(), age))).await.unwrap();
    assert_eq!(
        kept.iter().map(|kept| (kept.traces, kept.pinned, kept.expired)).collect::<Vec<_>>(),
        [(5, 2, false), (1, 0, false)]
    );
    assert!(kept.iter().all(|kept| kept.bytes > 0 && kept.oldest.is_some() && kept.oldest < kept.until), "{kept:?}");
    assert_eq!(store.expire(clock.nanos(), age).await.unwrap(), 0, "not old enough");
    clock.pass(2 * WEEK);
    let kept = store.kept(Some((clock.nanos(), age))).await.unwrap();
    assert_eq!(kept.iter().map(|kept| kept.expired).collect::<Vec<_>>(), [true, false], "what is told is what goes");
    assert!(store.kept(None).await.unwrap().iter().all(|kept| !kept.expired));
    assert_eq!(store.expire(clock.nanos(), age).await.unwrap(), 12);
    let kept = store.kept(Some((clock.nanos(), age))).await.unwrap();
    let shown: Vec<_> = kept.iter().map(|kept| (kept.traces, kept.pinned, kept.expired, kept.until.is_some())).collect();
    assert!(shown.starts_with(&[(2, 2, false, false)]) && shown.contains(&(1, 0, false, true)), "{shown:?}");
    assert_eq!(find(&store, TraceQuery::default()).await, [6, 3, 2]);
    assert_eq!(store.trace(TraceId(1)).await.unwrap(), None);
    let kept = store.trace(TraceId(2)).await.unwrap().unwrap();
    assert_eq!((kept.spans, kept.scores, kept.summary.pinned), (small(2), vec![score], true));
    store.indexed().await;
    let query =
        TraceQuery { text: Some("refund".to_owned()), pinned: Some(true), user: Some("ada".to_owned()), ..TraceQuery::default() };
    assert_eq!(find(&store, query).await, [3, 2]);
    let counters = store.counters().await.unwrap();
    assert_eq!((counters.accepted, counters.stored, counters.queryable), (12, 12, 12));
    // A late span finds its trace where that is now.
    write(&store, vec![span(2, 50, Some(1), "late", SpanKind::Task)]).await;
    assert_eq!(store.trace(TraceId(2)).await.unwrap().unwrap().spans.len(), 5);
    // Without its pin it goes.
    assert!(store.pin(TraceId(2), false).await.unwrap());
    assert_eq!(store.expire(clock.nanos(), age).await.unwrap(), 5);
    assert_eq!(find(&store, TraceQuery::default()).await, [6, 3]);
    let sums = store.rollup(RollupBy::User, i64::MIN..=i64::MAX).await.unwrap();
    assert_eq!(sums.iter().map(|sum| sum.cost_nanousd).sum::<u64>(), 1400);
    let files: Vec<String> =
        std::fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!files.iter().any(|file| file.contains("20261116")), "{files:?}");
    drop(store);
    assert_eq!(open(dir.path(), &clock).counters().await.unwrap().accepted, 8);
}

#[tokio::test]
async fn ten_thousand_spans_in_many_batches_are_one_trace() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &Hand::new());
    let mut spans: Vec<Span> = (2..=10_000).map(|id| call(1, id, 1 + (id % 10_000) / 100, "gpt-4o", 3)).collect();
    spans.push(span(1, 1, None, "root", SpanKind::Workflow));
    for batch in spans.chunks(500) {
        write(&store, batch.to_vec()).await;
    }
    let trace = store.trace(TraceId(1)).await.unwrap().unwrap();
    assert_eq!((trace.spans.len(), trace.summary.totals.cost_nanousd), (10_000, 9_999 * 3));
    assert_eq!(store.outline(TraceId(1)).await.unwrap().unwrap().spans.len(), 10_000);
    let mut count = 0;
    let mut after = None;
    loop {
        let page = store.spans(TraceId(1), after, 3000).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.span_id);
        count += page.len();
    }
    assert_eq!(count, 10_000);
    // More pieces than the index keeps apart.
    for id in 20_000..20_300 {
        write(&store, vec![Span { error: Some(format!("word{id}")), ..span(1, id, Some(1), "late", SpanKind::Tool) }]).await;
        store.indexed().await;
    }
    for word in ["word20000", "word20299", "refund"] {
        let query = TraceQuery { text: Some(word.to_owned()), ..TraceQuery::default() };
        assert_eq!(find(&store, query).await, [1], "{word}");
    }
}

#[tokio::test]
async fn pages_stay_as_they_are_while_more_arrives() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &Hand::new());
    for trace in 1..=30 {
        write(&store, small(trace)).await;
    }
    let mut seen = Vec::new();
    let mut after = None;
    let mut next_trace = 100;
    loop {
        let query = TraceQuery { limit: 7, after, user: Some("ada".to_owned()), ..TraceQuery::default() };
        let page = store.find(query).await.unwrap();
        seen.extend(page.items.iter().map(|trace| trace.trace_id.0));
        // New traces, and late spans of old ones.
        write(&store, small(next_trace)).await;
        write(&store, vec![span(next_trace % 30 + 1, 77, Some(1), "late", SpanKind::Task)]).await;
        next_trace += 1;
        let Some(next) = page.next else { break };
        after = Some(next);
    }
    assert_eq!(seen, (1..=30).rev().collect::<Vec<u128>>());
    let bad = |cursor: &str| TraceQuery { after: Some(Cursor(cursor.to_owned())), limit: 1, ..TraceQuery::default() };
    for cursor in ["", "x", "20261116", "20261116.x", "99999999.1"] {
        assert_eq!(store.find(bad(cursor)).await.unwrap_err(), SpanStoreError::InvalidCursor, "{cursor}");
    }
}

#[tokio::test]
async fn too_much_at_once_is_refused_and_taken_later() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &Hand::new());
    let held = store.admit(1 << 30).unwrap();
    assert!(matches!(store.admit(1), Err(SpanStoreError::Overloaded { .. })));
    drop(held);
    assert_eq!(write(&store, small(1)).await.new, 4);
    assert_eq!(store.counters().await.unwrap().refused, 1);
}

#[tokio::test]
async fn times_at_the_ends_of_what_can_be_said_do_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &Hand::new());
    let mut spans = small(1);
    (spans[0].started_at, spans[0].ended_at) = (i64::MIN, i64::MAX);
    (spans[1].started_at, spans[1].ended_at) = (i64::MAX, i64::MIN);
    spans[2].parent_span_id = Some(SpanId(2));
    spans[1].parent_span_id = Some(SpanId(3));
    spans[3].tokens.input = Some(u64::MAX);
    spans[3].cost_nanousd = Some(u64::MAX);
    spans[3].name = "nul\0 and \u{fffd}".to_owned();
    write(&store, spans).await;
    let trace = store.trace(TraceId(1)).await.unwrap().unwrap();
    assert_eq!(trace.spans.len(), 4);
    assert_eq!(find(&store, TraceQuery { tokens: Some(1000..=u64::MAX), ..TraceQuery::default() }).await, [1]);
}

#[tokio::test]
async fn scores_of_a_session_lie_where_they_came_and_the_last_counts() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Hand::new();
    let store = open(dir.path(), &clock);
    let score = |id: &str, at: i64, value: &str| Score {
        id: id.to_owned(),
        of: Scored::Session { session_id: "s".to_owned() },
        name: "satisfied".to_owned(),
        value: serde_json::json!(value),
        comment: None,
        at,
    };
    store.score(vec![score("a", 1, "no"), score("b", 2, "no")]).await.unwrap();
    clock.pass(3 * WEEK);
    store.score(vec![score("b", 3, "yes")]).await.unwrap();
    assert_eq!(store.session_scores("s").await.unwrap(), [score("a", 1, "no"), score("b", 3, "yes")]);
    assert_eq!(store.session_scores("t").await.unwrap(), []);
    clock.pass(2 * WEEK);
    store.expire(clock.nanos(), Duration::from_micros(4 * WEEK)).await.unwrap();
    assert_eq!(store.session_scores("s").await.unwrap(), [score("b", 3, "yes")], "the old file is gone");
}

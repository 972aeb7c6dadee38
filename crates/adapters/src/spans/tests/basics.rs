use super::*;
use flowtrace_core::span::{Score, Scored};
use flowtrace_core::trace::TraceStatus;
use flowtrace_core::trace::facts::OPEN;
use serde_json::json;

#[tokio::test]
async fn what_is_written_is_found_again_whole() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Hand::new();
    let store = open(dir.path(), &clock);
    assert_eq!(write(&store, small(7)).await, Written { new: 4, updated: 0 });
    assert_eq!(write(&store, small(7)).await, Written { new: 0, updated: 4 }, "the same again changes nothing");
    let trace = store.trace(TraceId(7)).await.unwrap().unwrap();
    assert_eq!(trace.spans, small(7));
    assert_eq!(trace.summary.name, "support");
    assert_eq!(trace.summary.session_id.as_deref(), Some("session-1"));
    assert_eq!(trace.summary.status, TraceStatus::Ok);
    let totals = trace.summary.totals;
    assert_eq!((totals.spans, totals.steps, totals.tool_calls, totals.llm_calls), (4, 2, 1, 1));
    assert_eq!((totals.tokens(), totals.cost_nanousd, totals.unpriced_calls), (120, 700, 0));
    assert_eq!(store.trace(TraceId(8)).await.unwrap(), None);
    let counters = store.counters().await.unwrap();
    assert_eq!((counters.accepted, counters.stored, counters.queryable, counters.repeated), (4, 4, 4, 4));

    drop(store);
    let store = open(dir.path(), &clock);
    assert_eq!(store.trace(TraceId(7)).await.unwrap().unwrap(), trace, "after opening it again");
    assert_eq!(store.counters().await.unwrap().accepted, 4);
}

#[tokio::test]
async fn an_open_span_is_open_in_the_outline_too() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &Hand::new());
    let mut spans = small(7);
    spans[3].attributes.insert(OPEN.to_owned(), json!(true));
    write(&store, spans.clone()).await;
    let outline = store.outline(TraceId(7)).await.unwrap().unwrap();
    assert_eq!(outline.summary.status, TraceStatus::Running);
    for (span, whole) in outline.spans.iter().zip(&spans) {
        assert_eq!(span.attributes.get(OPEN), whole.attributes.get(OPEN), "{}", whole.name);
    }
}

#[tokio::test]
async fn each_filter_finds_its_traces() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &Hand::new());
    for trace in 1..=9 {
        let mut spans = small(trace);
        if trace % 4 == 0 {
            spans[3].status = SpanStatus::Error;
            let traceback =
                "Traceback (most recent call last):\n  File \"shop.py\", line 7, in ask\nOverloaded: the model is overloaded\n";
            spans[3].error = Some(if trace == 8 { traceback } else { "the model is overloaded\nsecond line" }.to_owned());
        }
        if trace == 5 {
            spans[3].model = Some("claude".to_owned());
            spans[3].provider = Some("anthropic".to_owned());
            spans[0].tags = vec!["vip".to_owned(), "eu".to_owned()];
            spans[0].metadata.insert("ticket".to_owned(), json!(17));
            spans[0].environment = Some("prod".to_owned());
            spans[1].input = Some(json!("日本語のテキスト and café"));
            spans[3].cost_nanousd = Some(9_000);
        }
        write(&store, spans).await;
    }
    store.indexed().await;
    let some = |text: &str| Some(text.to_owned());
    let base = TraceQuery::default;
    assert_eq!(find(&store, base()).await, [9, 8, 7, 6, 5, 4, 3, 2, 1]);
    assert_eq!(find(&store, TraceQuery { status: Some(TraceStatus::Failed), ..base() }).await, [8, 4]);
    assert_eq!(find(&store, TraceQuery { session: some("session-0"), ..base() }).await, [9, 6, 3]);
    assert_eq!(find(&store, TraceQuery { model: some("claude"), ..base() }).await, [5]);
    assert_eq!(find(&store, TraceQuery { model: some("gpt-4o"), ..base() }).await.len(), 9, "asked for in all");
    assert_eq!(find(&store, TraceQuery { provider: some("anthropic"), user: some("ada"), ..base() }).await, [5]);
    assert_eq!(find(&store, TraceQuery { kind: Some(SpanKind::Tool), ..base() }).await.len(), 9);
    assert_eq!(find(&store, TraceQuery { kind: Some(SpanKind::Agent), ..base() }).await, []);
    assert_eq!(find(&store, TraceQuery { name: some("lookup"), session: some("session-1"), ..base() }).await, [7, 4, 1]);
    assert_eq!(find(&store, TraceQuery { tags: vec!["vip".into(), "eu".into()], ..base() }).await, [5]);
    assert_eq!(find(&store, TraceQuery { metadata: vec![("ticket".into(), "17".into())], ..base() }).await, [5]);
    assert_eq!(find(&store, TraceQuery { environment: some("prod"), ..base() }).await, [5]);
    assert_eq!(find(&store, TraceQuery { cost_nanousd: Some(8_000..=10_000), ..base() }).await, [5]);
    let start = |trace: i64| NOW as i64 * 1000 + trace * 1_000_000 + 1000;
    assert_eq!(find(&store, TraceQuery { started: Some(start(2)..=start(4)), ..base() }).await, [4, 3, 2]);
    assert_eq!(find(&store, TraceQuery { started: Some(start(20)..=i64::MAX), ..base() }).await, []);
    for (text, traces) in [
        ("refund", 9),
        ("REFUND way", 9),
        ("\"my refund\"", 9),
        ("\"refund my\"", 0),
        ("refu*", 9),
        ("refu", 0),
        ("日本語", 1),
        ("本語", 1),
        ("語", 1),
        ("本日", 0),
        ("Café", 1),
        ("overloaded", 2),
        ("nowhere", 0),
        ("...", 0),
    ] {
        assert_eq!(find(&store, TraceQuery { text: some(text), ..base() }).await.len(), traces, "{text}");
    }
    assert_eq!(find(&store, TraceQuery { text: some("refund"), session: some("session-2"), ..base() }).await, [8, 5, 2]);
    let by = |key, direction| TraceQuery { sort: Sort::By(key, direction), ..base() };
    assert_eq!(find(&store, by(SortKey::StartedAt, Direction::Ascending)).await, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(find(&store, TraceQuery { limit: 1, ..by(SortKey::Cost, Direction::Descending) }).await, [5]);
    let failed = store.summary(TraceId(4)).await.unwrap().unwrap();
    assert_eq!(failed.error.as_deref(), Some("the model is overloaded"));
    let thrown = store.summary(TraceId(8)).await.unwrap().unwrap();
    assert_eq!(
        thrown.error.as_deref(),
        Some("Overloaded: the model is overloaded"),
        "a traceback says at its end what was raised"
    );

    let score = |id: &str, trace: u128, value: serde_json::Value| Score {
        id: id.to_owned(),
        of: Scored::Trace { trace_id: TraceId(trace), span_id: None },
        name: "quality".to_owned(),
        value,
        comment: None,
        at: 1,
    };
    store.score(vec![score("a", 3, json!(0.9)), score("b", 4, json!(0.2)), score("c", 77, json!(0.9))]).await.unwrap();
    let quality = |range| TraceQuery { score: Some(ScoreFilter { name: "quality".to_owned(), range }), ..base() };
    assert_eq!(find(&store, quality(None)).await, [4, 3]);
    assert_eq!(find(&store, quality(Some(0.5..=1.0))).await, [3]);
    assert_eq!(store.scores(TraceId(77)).await.unwrap().len(), 1, "the trace comes later");
    assert_eq!(store.trace(TraceId(77)).await.unwrap(), None);
    write(&store, small(77)).await;
    assert_eq!(find(&store, quality(Some(0.5..=1.0))).await, [77, 3]);
    store.score(vec![score("c", 3, json!(0.1))]).await.unwrap();
    assert_eq!(find(&store, quality(None)).await, [4, 3], "a score that moved to another trace");
}

#[tokio::test]
async fn a_copy_of_a_span_that_was_open_does_not_take_the_place_of_the_whole_one() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &Hand::new());
    let whole = small(1);
    let open_copy = Span { ended_at: whole[3].started_at, kind: SpanKind::Span, ..span(1, 4, Some(2), "chat", SpanKind::Span) };
    write(&store, vec![open_copy.clone()]).await;
    write(&store, whole.clone()).await;
    write(&store, vec![open_copy.clone()]).await;
    let trace = store.trace(TraceId(1)).await.unwrap().unwrap();
    assert_eq!((trace.spans, trace.summary.totals.cost_nanousd), (whole.clone(), 700));
    // In one call.
    write(&store, vec![Span { trace_id: TraceId(2), ..whole[3].clone() }, Span { trace_id: TraceId(2), ..open_copy }]).await;
    assert_eq!(store.trace(TraceId(2)).await.unwrap().unwrap().summary.totals.cost_nanousd, 700);
    let shorter = Span { ended_at: whole[3].ended_at - 1, cost_nanousd: Some(9), ..whole[3].clone() };
    write(&store, vec![shorter]).await;
    assert_eq!(store.trace(TraceId(1)).await.unwrap().unwrap().summary.totals.cost_nanousd, 9, "what comes last holds otherwise");
}

#[tokio::test]
async fn words_that_were_cut_by_other_rules_are_cut_again() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Hand::new();
    let text = |text: &str| TraceQuery { text: Some(text.to_owned()), ..TraceQuery::default() };
    let store = open(dir.path(), &clock);
    let mut spans = small(1);
    spans[1].input = Some(json!({"order": 987654, "note": "cre\u{300}me 🎉"}));
    write(&store, spans).await;
    store.indexed().await;
    for words in ["987654", "crème", "CREME", "\"crème 🎉\"", "🎉"] {
        assert_eq!(find(&store, text(words)).await, [1], "{words}");
    }
    assert_eq!(find(&store, text("🎈")).await, []);
    drop(store);
    let files = std::fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().path());
    let index = files.into_iter().find(|path| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with("text-") && name.ends_with(".db")
    });
    let connection = rusqlite::Connection::open(index.unwrap()).unwrap();
    connection.execute_batch("INSERT INTO words(words) VALUES('delete-all'); DELETE FROM meta WHERE key = 'cut'").unwrap();
    drop(connection);
    let store = open(dir.path(), &clock);
    store.indexed().await;
    assert_eq!(find(&store, text("987654")).await, [1]);
}

#[tokio::test]
async fn a_version_of_a_prompt_is_that_of_the_prompt_that_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &Hand::new());
    // In the third trace another prompt has the version that is looked for.
    for (trace, prompts) in [
        (1, vec![(Some("ask"), "1")]),
        (2, vec![(Some("ask"), "2")]),
        (3, vec![(Some("ask"), "1"), (Some("sum"), "2")]),
        (4, vec![(None, "2")]),
    ] {
        let spans = prompts.into_iter().enumerate().map(|(at, (name, version))| Span {
            prompt_name: name.map(str::to_owned),
            prompt_version: Some(version.to_owned()),
            ..call(trace, at as u64 + 1, 9, "gpt-4o", 1)
        });
        write(&store, spans.collect()).await;
    }
    let of = |prompt: &str, version: &str| {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        TraceQuery { prompt: some(prompt), prompt_version: some(version), ..TraceQuery::default() }
    };
    assert_eq!(find(&store, of("ask", "2")).await, [2]);
    assert_eq!(find(&store, of("ask", "1")).await, [3, 1]);
    assert_eq!(find(&store, of("sum", "2")).await, [3]);
    assert_eq!(find(&store, of("", "2")).await, [4, 3, 2]);
    assert_eq!(find(&store, of("ask", "")).await, [3, 2, 1]);
    assert_eq!(find(&store, of("ask", "3")).await, []);
}

//! Calls whose price was not known when they came.

use super::*;

fn unknown(trace: u128, id: u64, provider: &str, model: &str) -> Span {
    Span { cost_nanousd: None, provider: Some(provider.to_owned()), ..call(trace, id, 1, model, 0) }
}

async fn all(store: &SqliteSpans) -> Vec<Span> {
    let (mut spans, mut after) = (Vec::new(), None);
    loop {
        let page = store.unpriced(after).await.unwrap();
        spans.extend(page.items);
        match page.next {
            Some(next) => after = Some(next),
            None => return spans,
        }
    }
}

#[tokio::test]
async fn calls_without_a_price_are_listed_until_they_get_one() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Hand::new();
    let store = open(dir.path(), &clock);
    // More traces than a page holds, in two files; and such as are no part of it.
    let mut expected = 0;
    for trace in 1..=701u128 {
        if trace == 600 {
            clock.pass(WEEK);
        }
        let model = if trace % 3 == 0 { "house-model" } else { "other-model" };
        let mut spans = small(trace);
        spans.push(unknown(trace, 5, "acme", model));
        let failed = Span { status: SpanStatus::Error, tokens: Tokens::default(), ..unknown(trace, 6, "acme", model) };
        spans.push(failed);
        spans.push(Span { simulated: true, ..unknown(trace, 7, "acme", model) });
        write(&store, spans).await;
        expected += 1;
    }
    let models = store.unpriced_models().await.unwrap();
    let shown: Vec<_> = models.iter().map(|one| (one.provider.as_str(), one.model.as_str(), one.calls)).collect();
    assert_eq!(shown, [("acme", "other-model", 468), ("acme", "house-model", 233)]);
    let spans = all(&store).await;
    assert_eq!(spans.len(), expected);
    assert!(spans.iter().all(|span| span.span_id == SpanId(5) && span.tokens.input == Some(100)));

    // A price is a piece that says the cost; everything that follows from it changes too.
    let before = store.trace(TraceId(3)).await.unwrap().unwrap();
    assert_eq!((before.summary.totals.cost_nanousd, before.summary.totals.unpriced_calls), (700, 1));
    let priced = spans.into_iter().filter(|span| span.model.as_deref() == Some("house-model"));
    let priced = priced.map(|span| Span { cost_nanousd: Some(11), ..empty(span.trace_id, span.span_id) });
    let pieces: Vec<SpanWrite> = priced.map(|span| SpanWrite { span, part: Part::Piece }).collect();
    assert_eq!(pieces.len(), 233);
    let admission = store.admit(1000).unwrap();
    store.write(pieces, admission).await.unwrap();
    let after = store.trace(TraceId(3)).await.unwrap().unwrap();
    assert_eq!((after.summary.totals.cost_nanousd, after.summary.totals.unpriced_calls), (711, 0));
    let (old, new) = (before.spans.iter(), after.spans.iter());
    for (old, new) in old.zip(new) {
        let cost = if old.span_id == SpanId(5) { Some(11) } else { old.cost_nanousd };
        assert_eq!(*new, Span { cost_nanousd: cost, ..old.clone() }, "nothing but the cost is different");
    }
    let models = store.unpriced_models().await.unwrap();
    assert_eq!(models.iter().map(|one| (one.model.as_str(), one.calls)).collect::<Vec<_>>(), [("other-model", 468)]);
    assert_eq!(all(&store).await.len(), 468);
    let spent = store.rollup(RollupBy::Model, i64::MIN..=i64::MAX).await.unwrap();
    let house = spent.iter().find(|sum| sum.key == "house-model").unwrap();
    // Each of its traces has a second call, which failed without having used anything.
    assert_eq!((house.calls, house.cost_nanousd, house.unpriced_calls), (466, 233 * 11, 0));
    assert!(matches!(store.unpriced(Some(Cursor("x".to_owned()))).await, Err(SpanStoreError::InvalidCursor)));
}

//! Whatever order, repetition and splitting the spans come in: what is stored is what a calculation over the final spans gives.

use super::*;
use flowtrace_core::trace::facts::{SpanFacts, Symbol};
use flowtrace_core::trace::merge::replaces;
use flowtrace_core::trace::summary::{Spend, Totals, summarize};
use std::collections::{BTreeMap, BTreeSet};

/// A small generator, so that a failure is repeated with its seed alone.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[(self.next() % of.len() as u64) as usize]
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }
}

/// Any span of any trace; ids are few, so that parents, duplicates and cycles happen.
fn any_span(random: &mut Random) -> Span {
    let trace = u128::from(random.pick(&[1u64, 2, 3, 4, 5]));
    let id = random.pick(&[1u64, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    let parent = random.chance(75).then(|| random.pick(&[1u64, 2, 3, 4, 5, 6, 99]));
    let kind = random.pick(&SpanKind::ALL);
    let mut span = span(trace, id, parent, random.pick(&["a", "b", "c"]), kind);
    let start = NOW as i64 * 1000 + random.pick(&[0i64, 1, 2, 3, 40]) * 3_600_000_000_000;
    (span.started_at, span.ended_at) = (start, start + random.pick(&[0i64, 5, 1_000_000]));
    span.status = random.pick(&[SpanStatus::Ok, SpanStatus::Unset, SpanStatus::Error]);
    let some = |random: &mut Random, text: &str| random.chance(40).then(|| format!("{text}{}", random.pick(&[1, 2, 3])));
    span.session_id = some(random, "session");
    span.user_id = some(random, "user");
    span.environment = some(random, "environment");
    span.model_requested = some(random, "model");
    span.model = some(random, "model");
    span.response_id = some(random, "response");
    span.cost_nanousd = random.chance(60).then(|| random.pick(&[0u64, 5, 1000]));
    span.tokens.input = random.chance(60).then(|| random.pick(&[0u64, 7, 100]));
    span.tokens.output = random.chance(60).then(|| random.pick(&[0u64, 3, 50]));
    span.simulated = random.chance(10);
    span.input = random.chance(50).then(|| serde_json::json!("words"));
    if random.chance(10) {
        span.attributes.insert("flowtrace.open".to_owned(), serde_json::json!(true));
    }
    span
}

#[tokio::test]
async fn sums_are_those_of_the_spans_whatever_happened_before() {
    let seeds = std::env::var("FLOWTRACE_SEED").ok().and_then(|seed| seed.parse().ok()).map_or(1..41, |seed: u64| seed..seed + 1);
    for seed in seeds {
        let dir = tempfile::tempdir().unwrap();
        let clock = Hand::new();
        let mut store = open(dir.path(), &clock);
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut latest: BTreeMap<(TraceId, SpanId), Span> = BTreeMap::new();
        let mut sent: Vec<Span> = Vec::new();
        for _ in 0..12 {
            let mut batch: Vec<Span> = (0..random.pick(&[1, 2, 8])).map(|_| any_span(&mut random)).collect();
            if random.chance(30) && !sent.is_empty() {
                let again = (random.next() % sent.len() as u64) as usize;
                batch.push(sent[again].clone());
            }
            for span in &batch {
                let times = |span: &Span| (span.started_at, span.ended_at);
                let stored = latest.get(&(span.trace_id, span.span_id));
                if stored.is_none_or(|stored| replaces(times(stored), times(span))) {
                    latest.insert((span.trace_id, span.span_id), span.clone());
                }
            }
            sent.extend(batch.clone());
            write(&store, batch).await;
            if random.chance(15) {
                clock.pass(WEEK);
            }
            if random.chance(10) {
                drop(store);
                store = open(dir.path(), &clock);
            }
        }
        let repeat = format!("repeat with FLOWTRACE_SEED={seed}");
        check(&store, &latest, &repeat).await;
    }
}

async fn check(store: &SqliteSpans, latest: &BTreeMap<(TraceId, SpanId), Span>, repeat: &str) {
    let mut symbols: Vec<String> = Vec::new();
    let mut symbol = |text: &str| -> Symbol {
        match symbols.iter().position(|known| known == text) {
            Some(at) => at as Symbol + 1,
            None => {
                symbols.push(text.to_owned());
                symbols.len() as Symbol
            }
        }
    };
    let mut models: BTreeMap<String, [u64; 5]> = BTreeMap::new();
    let mut sessions: BTreeMap<String, (u64, Totals)> = BTreeMap::new();
    let traces: BTreeSet<TraceId> = latest.keys().map(|(trace, _)| *trace).collect();
    for id in &traces {
        let mut spans: Vec<&Span> = latest.values().filter(|span| span.trace_id == *id).collect();
        spans.sort_by_key(|span| (span.started_at, span.span_id));
        let facts: Vec<SpanFacts> = spans.iter().map(|span| SpanFacts::of(span, &mut symbol)).collect();
        let expected = summarize(&facts);
        let mut trace = store.trace(*id).await.unwrap().unwrap();
        let shown: Vec<SpanId> = trace.spans.iter().map(|span| span.span_id).collect();
        assert!(trace.spans.is_sorted_by_key(|span| span.started_at), "{repeat}: {id}");
        let mut both: Vec<(Span, bool)> = trace.spans.into_iter().zip(trace.counted).collect();
        both.sort_by_key(|(span, _)| (span.started_at, span.span_id));
        (trace.spans, trace.counted) = both.into_iter().unzip();
        assert!(trace.spans.iter().eq(spans.iter().copied()), "{repeat}: the spans of {id}");
        assert_eq!(trace.counted, expected.counted, "{repeat}: {id}");
        assert_eq!(trace.summary.totals, expected.totals, "{repeat}: {id}");
        assert_eq!(trace.summary.status, expected.status, "{repeat}: {id}");
        let named: Vec<Symbol> = trace.summary.models.iter().map(|model| symbol(model)).collect();
        assert_eq!(named, expected.models, "{repeat}: the models of {id}");
        let times = (trace.summary.started_at, trace.summary.ended_at);
        assert_eq!(times, (expected.started_at, expected.ended_at), "{repeat}: {id}");
        let outline = store.outline(*id).await.unwrap().unwrap();
        assert_eq!(outline.summary, trace.summary);
        assert!(outline.spans.iter().map(|span| span.span_id).eq(shown), "{repeat}: {id}");
        let mut outline = outline;
        outline.spans.sort_by_key(|span| (span.started_at, span.span_id));
        let names: Vec<_> = outline.spans.iter().map(|span| (span.span_id, &span.name, span.kind, span.tokens)).collect();
        let whole: Vec<_> = spans.iter().map(|span| (span.span_id, &span.name, span.kind, span.tokens)).collect();
        assert_eq!(names, whole, "{repeat}: {id}");
        if let Some(session) = &trace.summary.session_id {
            let sum = sessions.entry(session.clone()).or_default();
            sum.0 += 1;
            sum.1.add(&expected.totals);
        }
        // Each value of a span finds its trace.
        for model in spans.iter().filter_map(|span| span.model.clone()) {
            let found = find(store, TraceQuery { model: Some(model.clone()), ..TraceQuery::default() }).await;
            assert!(found.contains(&id.0), "{repeat}: {id} by {model}");
        }
        for (fact, span) in facts.iter().zip(&spans).zip(&expected.counted).filter_map(|(pair, counted)| counted.then_some(pair))
        {
            let (cost, unpriced) = match Spend::of(fact) {
                Spend::Simulated(_) => continue,
                Spend::Known(cost) => (cost, 0),
                Spend::Unknown => (0, 1),
                Spend::Nothing => (0, 0),
            };
            let model = span.model.clone().or(span.model_requested.clone()).unwrap_or_default();
            let sum = models.entry(model).or_default();
            let (input, output) = (span.tokens.input.unwrap_or(0), span.tokens.output.unwrap_or(0));
            for (sum, part) in sum.iter_mut().zip([1, input, output, cost, unpriced]) {
                *sum += part;
            }
        }
    }
    // What no span has any more finds nothing.
    for model in ["model1", "model2", "model3"] {
        let expected: BTreeSet<u128> = latest
            .values()
            .filter(|span| [&span.model, &span.model_requested].into_iter().any(|own| own.as_deref() == Some(model)))
            .map(|span| span.trace_id.0)
            .collect();
        let found = find(store, TraceQuery { model: Some(model.to_owned()), ..TraceQuery::default() }).await;
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected, "{repeat}: {model}");
    }
    let rollup = store.rollup(RollupBy::Model, i64::MIN..=i64::MAX).await.unwrap();
    let rollup: BTreeMap<String, [u64; 5]> = rollup
        .into_iter()
        .map(|sum| (sum.key, [sum.calls, sum.tokens_input, sum.tokens_output, sum.cost_nanousd, sum.unpriced_calls]))
        .collect();
    assert_eq!(rollup, models, "{repeat}");
    let total = |rollups: Vec<Rollup>| rollups.iter().map(|sum| sum.cost_nanousd).sum::<u64>();
    for by in [RollupBy::Day, RollupBy::User] {
        let sums = store.rollup(by, i64::MIN..=i64::MAX).await.unwrap();
        assert_eq!(total(sums), models.values().map(|sum| sum[3]).sum::<u64>(), "{repeat}: {by:?}");
    }
    let list = store.sessions(SessionQuery { limit: 100, ..SessionQuery::default() }).await.unwrap();
    let listed: BTreeMap<String, (u64, Totals)> =
        list.items.into_iter().map(|session| (session.session_id, (session.traces, session.totals))).collect();
    assert_eq!(listed, sessions, "{repeat}");
    let counters = store.counters().await.unwrap();
    let spans = latest.len() as u64;
    assert_eq!((counters.accepted, counters.stored, counters.queryable), (spans, spans, spans), "{repeat}");
}

/// Spans that are sent as pieces come out the same in whatever order the pieces come.
#[tokio::test]
async fn pieces_in_any_order_make_the_same_span() {
    let whole = call(1, 2, 1, "gpt-4o", 5);
    let mut begin = empty(TraceId(1), SpanId(2));
    begin.name = whole.name.clone();
    begin.kind = whole.kind;
    begin.started_at = whole.started_at;
    begin.input = whole.input.clone();
    begin.parent_span_id = whole.parent_span_id;
    begin.model_requested = whole.model_requested.clone();
    let mut end = empty(TraceId(1), SpanId(2));
    end.status = whole.status;
    end.ended_at = whole.ended_at;
    end.output = whole.output.clone();
    end.tokens = whole.tokens;
    end.cost_nanousd = whole.cost_nanousd;
    end.model = whole.model.clone();
    end.provider = whole.provider.clone();
    end.response_id = whole.response_id.clone();
    let piece = |span: &Span| SpanWrite { span: span.clone(), part: Part::Piece };
    for orders in
        [vec![vec![&begin, &end]], vec![vec![&end, &begin]], vec![vec![&begin], vec![&end]], vec![vec![&end], vec![&begin]]]
    {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path(), &Hand::new());
        for batch in &orders {
            let pieces = batch.iter().map(|span| piece(span)).collect();
            store.write(pieces, store.admit(100).unwrap()).await.unwrap();
        }
        let trace = store.trace(TraceId(1)).await.unwrap().unwrap();
        assert_eq!(trace.spans, std::slice::from_ref(&whole));
        assert_eq!((trace.summary.totals.spans, trace.summary.totals.cost_nanousd), (1, 5));
        assert_eq!(trace.summary.started_at, whole.started_at);
    }
    // A log record that names the span comes before it, or after it; the span is sent again.
    let mut log = empty(TraceId(1), SpanId(2));
    log.events.push(flowtrace_core::span::SpanEvent { name: "gen_ai.choice".to_owned(), at: 1, attributes: Default::default() });
    for log_first in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path(), &Hand::new());
        let both = [piece(&log), SpanWrite::from(whole.clone())];
        let again = [0, 1, 1, 0];
        for at in if log_first { again } else { [1, 0, 0, 1] } {
            store.write(vec![both[at].clone()], store.admit(100).unwrap()).await.unwrap();
        }
        let expected = Span { events: log.events.clone(), ..whole.clone() };
        assert_eq!(store.trace(TraceId(1)).await.unwrap().unwrap().spans, [expected]);
        store.indexed().await;
        assert_eq!(find(&store, TraceQuery { text: Some("choice refund".to_owned()), ..TraceQuery::default() }).await, [1]);
    }
}

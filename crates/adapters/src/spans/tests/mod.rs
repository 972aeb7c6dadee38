#![allow(clippy::unwrap_used)]

mod ages;
mod basics;
mod crash;
mod exact;
mod later;
mod prices;
mod sessions;

use super::SqliteSpans;
use flowtrace_core::id::{SpanId, Timestamp, TraceId};
use flowtrace_core::span::{Span, SpanKind, SpanStatus, Tokens};
use flowtrace_core::trace::merge::empty;
use flowtrace_engine::port::clock::Clock;
use flowtrace_engine::port::span_store::*;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// 2026-11-21, a Saturday, in microseconds.
const NOW: u64 = 1_795_233_600_000_000;
const WEEK: u64 = 7 * 24 * 3600 * 1_000_000;

/// A clock that stands until it is moved.
#[derive(Debug)]
struct Hand(AtomicU64);

impl Hand {
    fn new() -> Arc<Hand> {
        Arc::new(Hand(AtomicU64::new(NOW)))
    }

    fn pass(&self, micros: u64) {
        self.0.fetch_add(micros, Ordering::Relaxed);
    }

    fn nanos(&self) -> i64 {
        self.0.load(Ordering::Relaxed) as i64 * 1000
    }
}

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

fn open(dir: &Path, clock: &Arc<Hand>) -> SqliteSpans {
    SqliteSpans::open(dir, clock.clone(), Arc::new(|sentence: &str| panic!("{sentence}"))).unwrap()
}

async fn write(store: &SqliteSpans, spans: Vec<Span>) -> Written {
    let admission = store.admit(spans.len() * 1000).unwrap();
    store.write(spans.into_iter().map(SpanWrite::from).collect(), admission).await.unwrap()
}

fn span(trace: u128, id: u64, parent: Option<u64>, name: &str, kind: SpanKind) -> Span {
    let started_at = NOW as i64 * 1000 + trace as i64 * 1_000_000 + id as i64 * 1000;
    Span {
        parent_span_id: parent.map(SpanId),
        name: name.to_owned(),
        kind,
        status: SpanStatus::Ok,
        started_at,
        ended_at: started_at + 5_000,
        ..empty(TraceId(trace), SpanId(id))
    }
}

fn call(trace: u128, id: u64, parent: u64, model: &str, cost: u64) -> Span {
    Span {
        model_requested: Some(model.to_owned()),
        model: Some(model.to_owned()),
        provider: Some("openai".to_owned()),
        tokens: Tokens { input: Some(100), output: Some(20), ..Tokens::default() },
        cost_nanousd: Some(cost),
        response_id: Some(format!("resp-{trace}-{id}")),
        input: Some(serde_json::json!([{"role": "user", "content": "Where is my refund?"}])),
        output: Some(serde_json::json!([{"role": "assistant", "content": "It is on its way."}])),
        ..span(trace, id, Some(parent), "chat", SpanKind::Llm)
    }
}

/// A root, a task, a tool and a model call.
fn small(trace: u128) -> Vec<Span> {
    let mut root = span(trace, 1, None, "support", SpanKind::Workflow);
    root.session_id = Some(format!("session-{}", trace % 3));
    root.user_id = Some("ada".to_owned());
    let tool = span(trace, 3, Some(2), "lookup", SpanKind::Tool);
    vec![root, span(trace, 2, Some(1), "answer", SpanKind::Task), tool, call(trace, 4, 2, "gpt-4o", 700)]
}

async fn find(store: &SqliteSpans, query: TraceQuery) -> Vec<u128> {
    let query = TraceQuery { limit: if query.limit == 0 { 1000 } else { query.limit }, ..query };
    store.find(query).await.unwrap().items.iter().map(|trace| trace.trace_id.0).collect()
}

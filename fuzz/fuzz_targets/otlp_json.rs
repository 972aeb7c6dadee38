//! OTLP in JSON, the batches and scores of Langfuse, the traces of the Agents SDK, and what is made of them.
#![no_main]

use flowtrace_adapters::otlp::{agents, json, langfuse};
use flowtrace_core::price::PriceTable;
use flowtrace_core::span::normalise::{log_piece, normalise};

const RECEIVED: i64 = 1_800_000_000_000_000_000;

libfuzzer_sys::fuzz_target!(|body: &[u8]| {
    let prices = PriceTable::default();
    let _ = json::metrics(body);
    let _ = langfuse::scores(body, RECEIVED);
    let pieces = langfuse::batch(body, RECEIVED).map(|batch| batch.pieces).unwrap_or_default();
    let others = [json::traces(body), agents::decode(body), json::logs(body, RECEIVED)].into_iter().flatten();
    let (mut spans, mut logs) = (pieces, Vec::new());
    for decoded in others {
        spans.extend(decoded.spans);
        spans.extend(decoded.pieces);
        logs.extend(decoded.logs);
    }
    for raw in spans {
        let _ = normalise(raw, &prices);
    }
    for log in logs {
        let _ = log_piece(log, &prices);
    }
});

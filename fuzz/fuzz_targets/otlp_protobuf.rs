//! OTLP in protobuf: spans, log records, metrics, and what is made of them.
#![no_main]

use flowtrace_adapters::otlp::protobuf;
use flowtrace_core::price::PriceTable;
use flowtrace_core::span::normalise::{log_piece, normalise};

libfuzzer_sys::fuzz_target!(|body: &[u8]| {
    let prices = PriceTable::default();
    let _ = protobuf::metrics(body);
    if let Ok(decoded) = protobuf::traces(body) {
        for raw in decoded.spans {
            let _ = normalise(raw, &prices);
        }
    }
    if let Ok(decoded) = protobuf::logs(body, 1_800_000_000_000_000_000) {
        for log in decoded.logs {
            let _ = log_piece(log, &prices);
        }
    }
});

//! `/metrics`: figures of the server itself, for Prometheus and everything that reads its format.

use super::problem::ProblemDocument;
use crate::app::Shared;
use axum::extract::State;
use axum::response::IntoResponse;
use http::header::CONTENT_TYPE;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};
use std::sync::atomic::{AtomicU64, Ordering};

/// <https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md>
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Figures of the server itself, as OpenMetrics: how long the journal's commits take, what SDKs sent, what waits on disk.
#[utoipa::path(get, path = "/metrics", operation_id = "getMetrics", tag = "server", responses(
    (status = 200, body = String, content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8"),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn get(State(app): State<Shared>) -> impl IntoResponse {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = encode(&mut text, &registry(&app));
    ([(CONTENT_TYPE, OPEN_METRICS)], text)
}

/// Read anew each time: what others keep anyway is not kept twice.
fn registry(app: &Shared) -> Registry {
    let mut all = Registry::with_prefix("flowtrace");
    let journal = all.sub_registry_with_prefix("journal");
    let times = &app.journal_times;
    let help = "Of each transaction of the journal, from its first write to the end of its sync";
    journal.register_with_unit("commit", help, Unit::Seconds, times.commit.clone());
    let help = "Of each append to the journal, from when it waits for the writer to its answer";
    journal.register_with_unit("append", help, Unit::Seconds, times.append.clone());

    let ingest = all.sub_registry_with_prefix("ingest");
    let counters = &app.ingest.counters;
    let counted: [(&str, &str, &AtomicU64); 7] = [
        ("spans", "Spans that were received and acknowledged, copies included", &counters.spans),
        ("scores", "Scores that were received", &counters.scores),
        ("rejected", "Spans and records that could not be read and were reported to their sender", &counters.rejected),
        ("ignored_log_records", "Log records that name no span; they are not kept", &counters.homeless),
        ("ignored_metrics", "Metrics of others, which are not kept", &counters.metrics),
        ("overloaded_requests", "Requests that were told to come back", &counters.overloaded),
        ("refused_requests", "Requests that were refused for good", &counters.refused),
    ];
    for (name, help, counter) in counted {
        ingest.register(name, help, ConstCounter::new(counter.load(Ordering::Relaxed)));
    }
    let waiting = app.ingest.spool.waiting();
    ingest.register("waiting_requests", "Requests that wait on disk to be stored", ConstGauge::new(waiting as i64));
    all
}

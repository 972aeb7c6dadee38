//! Where SDKs send their traces: OTLP over HTTP and gRPC, and the paths of vendors whose SDKs have their own.
//!
//! The way of a request: room for it is taken from the span store ([`body`]), the body is decoded and normalised ([`put`]), the
//! spans are written, and only when they are durable is it acknowledged ([`answer`]). Without room it is told to come back;
//! [`respan`], whose SDK never does, is kept on disk instead ([`spool`]).

mod answer;
mod body;
pub mod grpc;
mod http;
mod langfuse;
mod put;
mod respan;
mod spool;
pub mod status;

use crate::app::Shared;
use axum::Router;
use axum::routing::{get, post};

pub use put::Ingest;
pub use spool::drain;

/// Bytes that a request may have, what is packed and what is unpacked together. The span store has room for one such request at a
/// time, or for many small ones.
pub const MAX_BODY: usize = 16 << 20;

/// The paths on which SDKs send, with credentials and content types of their own.
const PATHS: [&str; 12] = [
    "/v1/traces",
    "/v1/logs",
    "/v1/metrics",
    "/v1/traces/ingest",
    "/api/v2/traces",
    "/api/public/otel/v1/traces",
    "/api/public/ingestion",
    "/api/public/scores",
    "/api/public/projects",
    grpc::TRACES,
    grpc::LOGS,
    grpc::METRICS,
];

/// Whether SDKs send to this path.
pub fn is_ingest(path: &str) -> bool {
    PATHS.contains(&path)
}

/// Content types that SDKs send, besides JSON. A page of a browser can send none of them without asking first.
pub fn is_content_type(essence: &str) -> bool {
    ["application/x-protobuf", "application/protobuf", "application/grpc", "application/grpc+proto"]
        .iter()
        .any(|known| essence.eq_ignore_ascii_case(known))
}

/// The routes for SDKs. They speak the protocols of others, so they are described in `docs/ingest.md` and not in this server's
/// own contract.
pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/v1/traces", post(http::traces))
        .route("/v1/logs", post(http::logs))
        .route("/v1/metrics", post(http::metrics))
        .route("/v1/traces/ingest", post(http::agents))
        .route("/api/v2/traces", post(respan::traces))
        .route("/api/public/otel/v1/traces", post(http::traces))
        .route("/api/public/ingestion", post(langfuse::ingestion))
        .route("/api/public/scores", post(langfuse::scores))
        .route("/api/public/projects", get(langfuse::projects))
        .route(grpc::TRACES, post(grpc::traces))
        .route(grpc::LOGS, post(grpc::logs))
        .route(grpc::METRICS, post(grpc::metrics))
}

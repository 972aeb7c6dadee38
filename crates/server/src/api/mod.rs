//! The HTTP API: one file for each resource. Handlers translate; what a run does is decided elsewhere.
//!
//! Every route is registered with [`utoipa_axum::routes`], so the served OpenAPI document cannot miss one.

pub mod approvals;
pub mod bindings;
pub mod cache;
pub mod catalog;
pub mod compare;
pub mod control;
pub mod drafts;
pub mod dto;
pub mod edited;
pub mod extract;
pub mod fork;
pub mod health;
pub mod keys;
pub mod link;
pub mod metrics;
pub mod problem;
pub mod providers;
pub mod retention;
pub mod run_view;
pub mod runs;
pub mod schema;
pub mod scores;
pub mod secrets;
pub mod session;
pub mod sessions;
pub mod simulate;
pub mod span_replay;
pub mod start;
pub mod state;
pub mod stream;
pub mod trace;
pub mod trace_feed;
pub mod trace_view;
pub mod traces;
pub mod workflows;

use crate::app::Shared;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// All routes, with their documentation.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::with_openapi(description())
        .routes(routes!(workflows::create, workflows::list))
        .routes(routes!(workflows::validate))
        .routes(routes!(workflows::get, workflows::update, workflows::delete))
        .routes(routes!(workflows::restore))
        .routes(routes!(workflows::versions))
        .routes(routes!(workflows::version))
        .routes(routes!(drafts::get, drafts::put, drafts::delete))
        .routes(routes!(start::start_workflow))
        .routes(routes!(start::start_document, runs::list))
        .routes(routes!(runs::get))
        .routes(routes!(runs::steps))
        .routes(routes!(runs::step))
        .routes(routes!(runs::graph))
        .routes(routes!(runs::cancel))
        .routes(routes!(control::pause))
        .routes(routes!(control::resume))
        .routes(routes!(control::signal))
        .routes(routes!(fork::preview))
        .routes(routes!(fork::fork))
        .routes(routes!(compare::compare))
        .routes(routes!(approvals::list))
        .routes(routes!(approvals::decide))
        .routes(routes!(runs::blob))
        .routes(routes!(state::get))
        .routes(routes!(trace::get))
        .routes(routes!(stream::get))
        .routes(routes!(traces::list))
        .routes(routes!(traces::counters))
        .routes(routes!(trace_feed::tail))
        .routes(routes!(trace_feed::export))
        .routes(routes!(traces::get))
        .routes(routes!(traces::span))
        .routes(routes!(span_replay::preview))
        .routes(routes!(span_replay::replay))
        .routes(routes!(span_replay::compare))
        .routes(routes!(traces::pin, traces::unpin))
        .routes(routes!(traces::spend))
        .routes(routes!(traces::unpriced))
        .routes(routes!(sessions::list))
        .routes(routes!(sessions::get))
        .routes(routes!(scores::create))
        .routes(routes!(catalog::get))
        .routes(routes!(bindings::list, bindings::create))
        .routes(routes!(bindings::update, bindings::delete))
        .routes(routes!(providers::test))
        .routes(routes!(secrets::list))
        .routes(routes!(secrets::put, secrets::delete))
        .routes(routes!(keys::list, keys::create))
        .routes(routes!(keys::revoke))
        .routes(routes!(retention::get, retention::put))
        .routes(routes!(cache::clear))
        .routes(routes!(simulate::fail_next))
        .routes(routes!(session::get, session::create, session::delete))
        .routes(routes!(schema::workflow))
        .routes(routes!(schema::openapi))
        .routes(routes!(crate::otlp::status::get))
        .routes(routes!(metrics::get))
        .routes(routes!(health::health))
        .routes(routes!(health::version))
}

fn description() -> OpenApi {
    use utoipa::openapi::{Info, OpenApiBuilder};
    let mut info = Info::new("FlowTrace", env!("CARGO_PKG_VERSION"));
    info.description = Some(
        "Build, run and debug multi-step LLM workflows. Times are RFC 3339 in UTC with microseconds, durations are \
         milliseconds, `*_nanousd` are integers, `*_cents` is nanousd / 10⁷ unrounded, `null` means unknown or not applicable. \
         Errors are `application/problem+json`."
            .to_owned(),
    );
    OpenApiBuilder::new().info(info).build()
}

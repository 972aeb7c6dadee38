//! `/health` and `/version`.

use super::problem::{ApiResult, ProblemDocument};
use crate::app::Shared;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

/// The commit that the binary was built from.
pub const GIT_SHA: &str = env!("FLOWTRACE_GIT_SHA");

#[derive(Serialize, ToSchema)]
pub struct Health {
    /// `ok`.
    status: &'static str,
}

#[derive(Serialize, ToSchema)]
pub struct Version {
    name: &'static str,
    version: &'static str,
    /// `unknown` for a build outside git.
    git_sha: &'static str,
    /// Whether the models are simulated.
    simulated: bool,
    /// A new one for every process.
    instance: String,
}

/// Whether the server and its store answer. Needs no token.
#[utoipa::path(get, path = "/health", operation_id = "health", tag = "server", responses(
    (status = 200, body = Health),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn health(State(app): State<Shared>) -> ApiResult<Json<Health>> {
    app.store.meta("health").await?;
    Ok(Json(Health { status: "ok" }))
}

/// What is running here. Needs no token.
#[utoipa::path(get, path = "/version", operation_id = "version", tag = "server", responses((status = 200, body = Version)))]
pub async fn version(State(app): State<Shared>) -> Json<Version> {
    Json(Version {
        name: "flowtrace",
        version: env!("CARGO_PKG_VERSION"),
        git_sha: GIT_SHA,
        simulated: app.simulator.is_some(),
        instance: app.instance.clone(),
    })
}

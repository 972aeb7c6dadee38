//! `/api/cache`: the answers that llm steps reuse.

use super::problem::{ApiResult, ProblemDocument};
use crate::app::Shared;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub struct Cleared {
    /// How many answers were forgotten.
    removed: u64,
}

/// Forgets every cached answer.
#[utoipa::path(delete, path = "/api/cache", operation_id = "clearCache", tag = "server", responses(
    (status = 200, body = Cleared),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn clear(State(app): State<Shared>) -> ApiResult<Json<Cleared>> {
    Ok(Json(Cleared { removed: app.store.clear_cache().await? }))
}

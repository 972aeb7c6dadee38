//! The descriptions of the language and of this API, for editors and generators.

use super::problem::ApiError;
use axum::response::{IntoResponse, Response};
use http::header;

/// JSON Schema of the workflow language.
#[utoipa::path(get, path = "/api/schema/workflow.json", operation_id = "workflowSchema", tag = "server", responses(
    (status = 200, body = serde_json::Value, content_type = "application/schema+json"),
))]
pub async fn workflow() -> Response {
    let schema = flowtrace_core::schema::workflow_schema();
    ([(header::CONTENT_TYPE, "application/schema+json")], schema.to_string()).into_response()
}

/// This API as an OpenAPI 3.1 document.
#[utoipa::path(get, path = "/api/openapi.json", operation_id = "openapi", tag = "server", responses(
    (status = 200, body = serde_json::Value, content_type = "application/json"),
))]
pub async fn openapi() -> Result<Response, ApiError> {
    // Built when asked for: at start nobody waits for it, and it is asked for rarely.
    let json = super::routes().into_openapi().to_json().map_err(|error| {
        tracing::error!(%error, "the OpenAPI document could not be written");
        ApiError::new(http::StatusCode::INTERNAL_SERVER_ERROR, "internal", "The OpenAPI document could not be written.")
    })?;
    Ok(([(header::CONTENT_TYPE, "application/json")], json).into_response())
}

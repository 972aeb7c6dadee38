//! The descriptions of the language and of this API, for editors and generators.

use super::problem::ApiError;
use axum::response::{IntoResponse, Response};
use http::header;
use serde_json::Value;
use std::collections::BTreeSet;

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
    let mut document = serde_json::to_value(super::routes().into_openapi()).map_err(|error| {
        tracing::error!(%error, "the OpenAPI document could not be written");
        ApiError::new(http::StatusCode::INTERNAL_SERVER_ERROR, "internal", "The OpenAPI document could not be written.")
    })?;
    require_every_field_of_responses(&mut document);
    Ok(([(header::CONTENT_TYPE, "application/json")], document.to_string()).into_response())
}

/// Responses leave nothing out: what is unknown is `null`. utoipa takes a field that may be null for one that may be missing,
/// so the schemas that responses lead to are corrected here.
fn require_every_field_of_responses(document: &mut Value) {
    let mut wanted = Vec::new();
    for item in document["paths"].as_object().into_iter().flat_map(|paths| paths.values()) {
        for operation in item.as_object().into_iter().flat_map(|item| item.values()) {
            references(&operation["responses"], &mut wanted);
        }
    }
    let mut done = BTreeSet::new();
    while let Some(name) = wanted.pop() {
        if done.insert(name.clone()) {
            let schema = &mut document["components"]["schemas"][&name];
            references(schema, &mut wanted);
            require_all(schema);
        }
    }
}

/// Names of the component schemas that stand somewhere in a value.
fn references(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            let name = map.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix("#/components/schemas/"));
            names.extend(name.map(str::to_owned));
            map.values().for_each(|value| references(value, names));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, names)),
        _ => {}
    }
}

fn require_all(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::Object(properties)) = map.get("properties") {
                let names: Vec<Value> = properties.keys().cloned().map(Value::String).collect();
                map.insert("required".to_owned(), names.into());
            }
            map.values_mut().for_each(require_all);
        }
        Value::Array(items) => items.iter_mut().for_each(require_all),
        _ => {}
    }
}

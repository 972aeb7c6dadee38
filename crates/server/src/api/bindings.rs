//! `/api/provider_bindings`: provider, model and temperature for llm nodes that name none.

use super::extract::{Json as Body, Path};
use super::problem::{ApiError, ApiResult, ProblemDocument};
use super::workflows::no_such_workflow;
use crate::app::Shared;
use axum::Json;
use axum::extract::State;
use flowtrace_engine::port::store::ProviderBinding;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutBinding {
    /// Absent: for every workflow that has no binding of its own.
    #[serde(default)]
    workflow_id: Option<String>,
    provider: String,
    model: String,
    /// 0 to 2.
    #[serde(default)]
    temperature: Option<f64>,
}

#[derive(Serialize, ToSchema)]
pub struct Binding {
    id: String,
    owner_id: Option<String>,
    workflow_id: Option<String>,
    provider: String,
    model: String,
    temperature: Option<f64>,
}

#[derive(Serialize, ToSchema)]
pub struct BindingList {
    provider_bindings: Vec<Binding>,
}

impl From<ProviderBinding> for Binding {
    fn from(binding: ProviderBinding) -> Self {
        let ProviderBinding { id, owner_id, workflow_id, provider, model, temperature } = binding;
        Binding { id, owner_id, workflow_id, provider, model, temperature }
    }
}

/// All bindings.
#[utoipa::path(get, path = "/api/provider_bindings", operation_id = "listBindings", tag = "server", responses(
    (status = 200, body = BindingList),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn list(State(app): State<Shared>) -> ApiResult<Json<BindingList>> {
    Ok(Json(BindingList { provider_bindings: app.bindings().iter().cloned().map(Binding::from).collect() }))
}

/// Adds a binding. There is one for each workflow, and one for all others.
#[utoipa::path(post, path = "/api/provider_bindings", operation_id = "createBinding", tag = "server", request_body = PutBinding, responses(
    (status = 201, body = Binding),
    (status = 409, body = ProblemDocument, content_type = "application/problem+json", description = "There is one already"),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn create(State(app): State<Shared>, Body(body): Body<PutBinding>) -> ApiResult<(StatusCode, Json<Binding>)> {
    let id = uuid::Uuid::now_v7().to_string();
    let binding = put(&app, id, body).await?;
    Ok((StatusCode::CREATED, Json(binding)))
}

/// Changes a binding.
#[utoipa::path(put, path = "/api/provider_bindings/{id}", operation_id = "updateBinding", tag = "server",
    params(("id" = String, Path, description = "The binding")), request_body = PutBinding, responses(
    (status = 200, body = Binding),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn update(State(app): State<Shared>, Path(id): Path<String>, Body(body): Body<PutBinding>) -> ApiResult<Json<Binding>> {
    if !app.bindings().iter().any(|binding| binding.id == id) {
        return Err(no_such_binding());
    }
    put(&app, id, body).await.map(Json)
}

/// Removes a binding.
#[utoipa::path(delete, path = "/api/provider_bindings/{id}", operation_id = "deleteBinding", tag = "server",
    params(("id" = String, Path, description = "The binding")), responses(
    (status = 204, description = "It is gone"),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn delete(State(app): State<Shared>, Path(id): Path<String>) -> ApiResult<StatusCode> {
    if !app.store.delete_binding(&id).await? {
        return Err(no_such_binding());
    }
    app.read_bindings().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn no_such_binding() -> ApiError {
    ApiError::not_found("such provider binding")
}

async fn put(app: &Shared, id: String, body: PutBinding) -> ApiResult<Binding> {
    for (field, text) in [("provider", &body.provider), ("model", &body.model)] {
        if text.is_empty() || text.len() > 200 {
            let detail = format!("`{field}` has to be 1 to 200 bytes.");
            return Err(ApiError::bad_request("invalid_body", detail).at(format!("/{field}")));
        }
    }
    if body.temperature.is_some_and(|temperature| !(0.0..=2.0).contains(&temperature)) {
        return Err(ApiError::bad_request("invalid_body", "`temperature` has to be 0 to 2.").at("/temperature"));
    }
    if let Some(workflow) = &body.workflow_id
        && app.store.workflow(workflow).await?.is_none()
    {
        return Err(no_such_workflow(workflow).at("/workflow_id"));
    }
    let _changing = app.changing_bindings.lock().await;
    if app.bindings().iter().any(|other| other.id != id && other.workflow_id == body.workflow_id) {
        let detail = "There is a provider binding for this already: change that one instead.";
        return Err(ApiError::new(StatusCode::CONFLICT, "already_bound", detail));
    }
    let PutBinding { workflow_id, provider, model, temperature } = body;
    let binding = ProviderBinding { id, owner_id: None, workflow_id, provider, model, temperature };
    app.store.put_binding(binding.clone()).await?;
    app.read_bindings().await?;
    Ok(binding.into())
}

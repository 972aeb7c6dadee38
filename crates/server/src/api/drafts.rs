//! `/api/workflows/{id}/draft`: the document that somebody is working on. It may be invalid, even no JSON, and never runs.

use super::dto::Time;
use super::extract::{Json as Body, Path};
use super::problem::{ApiError, ApiResult, ProblemDocument, ProblemItem};
use super::workflows::{no_such_workflow, text_as_json, text_of};
use crate::app::Shared;
use axum::Json;
use axum::extract::State;
use flowtrace_engine::port::store::Draft;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutDraft {
    /// Any JSON, or a string with any text in it.
    #[schema(value_type = Value)]
    graph_json: Box<RawValue>,
}

#[derive(Serialize, ToSchema)]
pub struct DraftView {
    /// The document; a string with the text if the text is no JSON object.
    #[schema(value_type = Value)]
    graph_json: Box<RawValue>,
    /// What stands in the way of saving it as a version.
    problems: Vec<ProblemItem>,
    updated_at: Time,
}

async fn view(app: &Shared, draft: Draft) -> DraftView {
    let object = RawValue::from_string(draft.graph_json.to_string()).ok().filter(|json| json.get().starts_with('{'));
    DraftView {
        problems: app.problems(&draft.graph_json).await,
        graph_json: object.unwrap_or_else(|| text_as_json(&draft.graph_json)),
        updated_at: Time(draft.updated_at),
    }
}

/// Keeps any document, and tells its problems.
#[utoipa::path(put, path = "/api/workflows/{id}/draft", operation_id = "putDraft", tag = "workflows",
    params(("id" = String, Path, description = "The workflow")), request_body = PutDraft, responses(
    (status = 200, body = DraftView),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn put(State(app): State<Shared>, Path(id): Path<String>, Body(body): Body<PutDraft>) -> ApiResult<Json<DraftView>> {
    let draft = Draft { graph_json: text_of(&body.graph_json)?.into(), updated_at: app.clock.now() };
    app.store.put_draft(&id, Some(draft.clone())).await?;
    Ok(Json(view(&app, draft).await))
}

/// The draft of a workflow; 404 if there is none.
#[utoipa::path(get, path = "/api/workflows/{id}/draft", operation_id = "getDraft", tag = "workflows",
    params(("id" = String, Path, description = "The workflow")), responses(
    (status = 200, body = DraftView),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn get(State(app): State<Shared>, Path(id): Path<String>) -> ApiResult<Json<DraftView>> {
    if app.store.workflow(&id).await?.is_none() {
        return Err(no_such_workflow(&id));
    }
    let draft = app.store.draft(&id).await?.ok_or_else(|| ApiError::not_found("draft of this workflow"))?;
    Ok(Json(view(&app, draft).await))
}

/// Throws the draft away.
#[utoipa::path(delete, path = "/api/workflows/{id}/draft", operation_id = "deleteDraft", tag = "workflows",
    params(("id" = String, Path, description = "The workflow")), responses(
    (status = 204, description = "There is no draft any more"),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn delete(State(app): State<Shared>, Path(id): Path<String>) -> ApiResult<StatusCode> {
    app.store.put_draft(&id, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

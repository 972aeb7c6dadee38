//! `/api/workflows/{id}/draft`: the document that somebody is working on. It may be invalid, even no JSON, and never runs.

use super::dto::Time;
use super::extract::{Json as Body, Path};
use super::problem::{ApiError, ApiResult, ProblemDocument, ProblemItem};
use super::workflows::{etag, if_match, no_such_workflow, text_as_json, text_of};
use crate::app::Shared;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use flowtrace_engine::port::store::{Draft, DraftTag};
use http::{HeaderMap, StatusCode, header};
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
    /// The version that the workflow is at.
    version: u32,
    /// The `ETag` of this draft, for `If-Match`.
    etag: String,
}

async fn view(app: &Shared, version: u32, draft: Draft) -> Response {
    let etag = etag(DraftTag { version, draft: Some(draft.updated_at) });
    let object = RawValue::from_string(draft.graph_json.to_string()).ok().filter(|json| json.get().starts_with('{'));
    let body = DraftView {
        problems: app.problems(&draft.graph_json).await,
        graph_json: object.unwrap_or_else(|| text_as_json(&draft.graph_json)),
        updated_at: Time(draft.updated_at),
        version,
        etag: etag.clone(),
    };
    ([(header::ETAG, etag)], Json(body)).into_response()
}

/// Keeps any document, and tells its problems.
#[utoipa::path(put, path = "/api/workflows/{id}/draft", operation_id = "putDraft", tag = "workflows",
    params(
        ("id" = String, Path, description = "The workflow"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the draft that this one replaces; that of the workflow if it has none"),
    ),
    request_body = PutDraft, responses(
    (status = 200, body = DraftView, headers(("etag" = String, description = "Of the draft, for `If-Match`"))),
    (status = 412, body = ProblemDocument, content_type = "application/problem+json", description = "The workflow or its draft was changed since"),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn put(
    State(app): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body(body): Body<PutDraft>,
) -> ApiResult<Response> {
    let expected = if_match(&headers)?;
    let draft = Draft { graph_json: text_of(&body.graph_json)?.into(), updated_at: app.clock.now() };
    app.store.put_draft(&id, Some(draft.clone()), expected).await?;
    // With `If-Match` the version is the one that was expected; without, nobody relies on it.
    let version = match expected {
        Some(tag) => tag.version,
        None => app.store.workflow(&id).await?.ok_or_else(|| no_such_workflow(&id))?.version,
    };
    Ok(view(&app, version, draft).await)
}

/// The draft of a workflow; 404 if there is none.
#[utoipa::path(get, path = "/api/workflows/{id}/draft", operation_id = "getDraft", tag = "workflows",
    params(("id" = String, Path, description = "The workflow")), responses(
    (status = 200, body = DraftView, headers(("etag" = String, description = "Of the draft, for `If-Match`"))),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn get(State(app): State<Shared>, Path(id): Path<String>) -> ApiResult<Response> {
    let workflow = app.store.workflow(&id).await?.ok_or_else(|| no_such_workflow(&id))?;
    let draft = app.store.draft(&id).await?.ok_or_else(|| ApiError::not_found("draft of this workflow"))?;
    Ok(view(&app, workflow.version, draft).await)
}

/// Throws the draft away.
#[utoipa::path(delete, path = "/api/workflows/{id}/draft", operation_id = "deleteDraft", tag = "workflows",
    params(
        ("id" = String, Path, description = "The workflow"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the draft that is meant"),
    ),
    responses(
    (status = 204, description = "There is no draft any more"),
    (status = 412, body = ProblemDocument, content_type = "application/problem+json", description = "The workflow or its draft was changed since"),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn delete(State(app): State<Shared>, Path(id): Path<String>, headers: HeaderMap) -> ApiResult<StatusCode> {
    app.store.put_draft(&id, None, if_match(&headers)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

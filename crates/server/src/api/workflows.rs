//! `/api/workflows`: saved workflows and their versions.

use super::dto::{Time, page_size};
use super::extract::{Json as Body, OptionalJson, Path, Query};
use super::problem::{ApiError, ApiResult, ProblemDocument, ProblemItem};
use crate::app::Shared;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use flowtrace_core::id::Timestamp;
use flowtrace_core::payload::sha256_hex;
use flowtrace_engine::port::store::{DraftTag, Workflow, WorkflowChange, WorkflowError};
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

const LONGEST_NAME: usize = 200;
const LONGEST_DESCRIPTION: usize = 10_000;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateWorkflow {
    /// 1 to 200 characters.
    name: String,
    #[serde(default)]
    description: Option<String>,
    /// The workflow document, as an object or as a string that holds its JSON.
    #[schema(value_type = Value)]
    graph_json: Box<RawValue>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateWorkflow {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    description: Option<String>,
    /// The workflow document, as an object or as a string that holds its JSON.
    #[serde(default)]
    #[schema(value_type = Option<Value>)]
    graph_json: Option<Box<RawValue>>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ValidateWorkflow {
    /// The workflow document, as an object or as a string that holds its JSON.
    #[schema(value_type = Value)]
    graph_json: Box<RawValue>,
}

#[derive(Serialize, ToSchema)]
pub struct Created {
    id: String,
    version: u32,
}

#[derive(Serialize, ToSchema)]
pub struct WorkflowView {
    id: String,
    owner_id: Option<String>,
    name: String,
    description: Option<String>,
    /// From 1; every change makes the next. The `ETag` is the same number.
    version: u32,
    /// SHA-256 of the document's JSON.
    hash: String,
    /// The document as it was saved.
    #[schema(value_type = Value)]
    graph_json: Box<RawValue>,
    created_at: Time,
    updated_at: Time,
    /// When the draft on top of it was last changed; null if there is none.
    draft_updated_at: Option<Time>,
}

#[derive(Serialize, ToSchema)]
pub struct WorkflowSummary {
    id: String,
    name: String,
    description: Option<String>,
    version: u32,
    hash: String,
    created_at: Time,
    updated_at: Time,
}

#[derive(Serialize, ToSchema)]
pub struct WorkflowList {
    /// Newest change first.
    workflows: Vec<WorkflowSummary>,
    next_cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct Validation {
    valid: bool,
    problems: Vec<ProblemItem>,
    /// What is allowed and probably not meant: never a reason to refuse the document.
    warnings: Vec<ProblemItem>,
}

#[derive(Serialize, ToSchema)]
pub struct VersionView {
    version: u32,
    hash: String,
    created_at: Time,
}

#[derive(Serialize, ToSchema)]
pub struct VersionList {
    /// Oldest first.
    versions: Vec<VersionView>,
}

#[derive(Serialize, ToSchema)]
pub struct VersionDocument {
    version: u32,
    hash: String,
    #[schema(value_type = Value)]
    graph_json: Box<RawValue>,
    created_at: Time,
}

/// The document's JSON text: a string in the request holds it, anything else is it.
pub fn text_of(graph_json: &RawValue) -> ApiResult<String> {
    if !graph_json.get().starts_with('"') {
        return Ok(graph_json.get().to_owned());
    }
    serde_json::from_str(graph_json.get()).map_err(|error| {
        ApiError::bad_request("invalid_body", format!("`graph_json` is not a valid string: {error}.")).at("/graph_json")
    })
}

/// Stored documents were checked when they were saved. Should one be unreadable all the same, it is shown as text.
pub fn raw(graph_json: &str) -> Box<RawValue> {
    RawValue::from_string(graph_json.to_owned()).unwrap_or_else(|_| text_as_json(graph_json))
}

/// A JSON string with this text in it.
pub fn text_as_json(text: &str) -> Box<RawValue> {
    serde_json::value::to_raw_value(text).expect("a string is always JSON")
}

pub fn no_such_workflow(id: &str) -> ApiError {
    ApiError::not_found(format!("workflow `{}`", id.chars().take(100).collect::<String>()))
}

fn check_name(name: &str) -> ApiResult<()> {
    if name.trim().is_empty() || name.chars().count() > LONGEST_NAME {
        let detail = format!("`name` has to be 1 to {LONGEST_NAME} characters.");
        return Err(ApiError::bad_request("invalid_body", detail).at("/name"));
    }
    Ok(())
}

fn check_description(description: Option<&str>) -> ApiResult<()> {
    if description.is_some_and(|text| text.chars().count() > LONGEST_DESCRIPTION) {
        let detail = format!("`description` can have {LONGEST_DESCRIPTION} characters at most.");
        return Err(ApiError::bad_request("invalid_body", detail).at("/description"));
    }
    Ok(())
}

/// A document that may be saved, with its hash.
async fn valid_document(app: &Shared, graph_json: &RawValue) -> ApiResult<(Arc<str>, Arc<str>)> {
    let text: Arc<str> = text_of(graph_json)?.into();
    let hash: Arc<str> = sha256_hex(text.as_bytes()).into();
    app.plan(&hash, &text).await.map_err(ApiError::invalid_workflow)?;
    Ok((text, hash))
}

async fn view(app: &Shared, status: StatusCode, workflow: Workflow) -> ApiResult<Response> {
    let draft = app.store.draft(&workflow.id).await?;
    let etag = etag(DraftTag { version: workflow.version, draft: None });
    let body = WorkflowView {
        id: workflow.id,
        owner_id: workflow.owner_id,
        name: workflow.name,
        description: workflow.description,
        version: workflow.version,
        hash: workflow.hash.to_string(),
        graph_json: raw(&workflow.graph_json),
        created_at: Time(workflow.created_at),
        updated_at: Time(workflow.updated_at),
        draft_updated_at: draft.map(|draft| Time(draft.updated_at)),
    };
    Ok((status, [(header::ETAG, etag)], Json(body)).into_response())
}

/// Saves a new workflow. A document with problems is refused with all of them.
#[utoipa::path(post, path = "/api/workflows", operation_id = "createWorkflow", tag = "workflows", request_body = CreateWorkflow, responses(
    (status = 201, body = Created, headers(("location" = String, description = "The workflow"))),
    (status = 422, body = ProblemDocument, content_type = "application/problem+json", description = "The document has problems"),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn create(State(app): State<Shared>, Body(body): Body<CreateWorkflow>) -> ApiResult<Response> {
    check_name(&body.name)?;
    check_description(body.description.as_deref())?;
    let (graph_json, hash) = valid_document(&app, &body.graph_json).await?;
    let now = app.clock.now();
    let id = uuid::Uuid::now_v7().to_string();
    app.store
        .create_workflow(Workflow {
            id: id.clone(),
            owner_id: None,
            name: body.name,
            description: body.description,
            version: 1,
            hash,
            graph_json,
            created_at: now,
            updated_at: now,
        })
        .await?;
    let location = format!("/api/workflows/{id}");
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(Created { id, version: 1 })).into_response())
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// 1 to 200; 50 if absent.
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Lists workflows, the newest change first.
#[utoipa::path(get, path = "/api/workflows", operation_id = "listWorkflows", tag = "workflows", params(ListQuery), responses(
    (status = 200, body = WorkflowList),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn list(State(app): State<Shared>, Query(query): Query<ListQuery>) -> ApiResult<Json<WorkflowList>> {
    let limit = page_size(query.limit, 50, 200)?;
    let mut rows = app.store.workflows(query.cursor, limit + 1).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = rows.last().filter(|_| more).map(|row| row.id.clone());
    let workflows = rows
        .into_iter()
        .map(|row| WorkflowSummary {
            id: row.id,
            name: row.name,
            description: row.description,
            version: row.version,
            hash: row.hash.to_string(),
            created_at: Time(row.created_at),
            updated_at: Time(row.updated_at),
        })
        .collect();
    Ok(Json(WorkflowList { workflows, next_cursor }))
}

/// Reports every problem of a document at once, and what is odd about it, without saving it.
#[utoipa::path(post, path = "/api/workflows/validate", operation_id = "validateWorkflow", tag = "workflows",
    request_body = ValidateWorkflow, responses(
    (status = 200, body = Validation),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn validate(State(app): State<Shared>, Body(body): Body<ValidateWorkflow>) -> ApiResult<Json<Validation>> {
    let text = text_of(&body.graph_json)?;
    let (problems, warnings) = tokio::join!(app.problems(&text), app.warnings(&text));
    Ok(Json(Validation { valid: problems.is_empty(), problems, warnings }))
}

/// One workflow with its current document.
#[utoipa::path(get, path = "/api/workflows/{id}", operation_id = "getWorkflow", tag = "workflows",
    params(("id" = String, Path, description = "The workflow")), responses(
    (status = 200, body = WorkflowView, headers(("etag" = String, description = "The version, for `If-Match`"))),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn get(State(app): State<Shared>, Path(id): Path<String>) -> ApiResult<Response> {
    let workflow = app.store.workflow(&id).await?.ok_or_else(|| no_such_workflow(&id))?;
    view(&app, StatusCode::OK, workflow).await
}

/// Makes the next version. Runs keep the version that they started with. A saved document ends the draft; with the `ETag` of a
/// draft in `If-Match` only that one.
#[utoipa::path(put, path = "/api/workflows/{id}", operation_id = "updateWorkflow", tag = "workflows",
    params(
        ("id" = String, Path, description = "The workflow"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the workflow, or of the draft, that the change is made for"),
    ),
    request_body = UpdateWorkflow, responses(
    (status = 200, body = WorkflowView, headers(("etag" = String, description = "The version, for `If-Match`"))),
    (status = 412, body = ProblemDocument, content_type = "application/problem+json", description = "The workflow was changed since"),
    (status = 422, body = ProblemDocument, content_type = "application/problem+json", description = "The document has problems"),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn update(
    State(app): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body(body): Body<UpdateWorkflow>,
) -> ApiResult<Response> {
    let expected = if_match(&headers)?;
    if let Some(name) = &body.name {
        check_name(name)?;
    }
    check_description(body.description.as_deref())?;
    if app.store.workflow(&id).await?.is_none() {
        return Err(no_such_workflow(&id));
    }
    let (graph_json, hash) = match &body.graph_json {
        Some(graph_json) => {
            let (text, hash) = valid_document(&app, graph_json).await?;
            (Some(text), Some(hash))
        }
        None => (None, None),
    };
    let saves_document = graph_json.is_some();
    let change = WorkflowChange { name: body.name, description: body.description, graph_json, hash };
    let workflow = app.store.update_workflow(&id, change, expected.map(|tag| tag.version), app.clock.now()).await?;
    if saves_document {
        let published = expected.filter(|tag| tag.draft.is_some());
        let expected = published.map(|tag| DraftTag { version: workflow.version, ..tag });
        match app.store.put_draft(&id, None, expected).await {
            // Somebody else's draft, newer than what was published, stays.
            Ok(()) | Err(WorkflowError::DraftConflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    view(&app, StatusCode::OK, workflow).await
}

/// The version, and with a draft on top of it the time of the draft: `"3"` or `"3-1795226953844117"`.
pub fn etag(tag: DraftTag) -> String {
    match tag.draft {
        None => format!("\"{}\"", tag.version),
        Some(at) => format!("\"{}-{}\"", tag.version, at.0),
    }
}

fn read_etag(text: &str) -> Option<DraftTag> {
    let text = text.strip_prefix('"')?.strip_suffix('"')?;
    let (version, draft) = match text.split_once('-') {
        None => (text, None),
        Some((version, at)) => (version, Some(Timestamp(at.parse().ok()?))),
    };
    Some(DraftTag { version: version.parse().ok()?, draft })
}

/// `If-Match` with one ETag; `*` is as none, because that the workflow exists is checked anyway.
pub fn if_match(headers: &HeaderMap) -> ApiResult<Option<DraftTag>> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    read_etag(text).map(Some).ok_or_else(|| {
        let detail = "`If-Match` has to be the `ETag` of the workflow or of its draft, for instance `\"3\"`.";
        ApiError::bad_request("invalid_header", detail)
    })
}

/// Hides a workflow. Its versions and runs stay, and it can be restored.
#[utoipa::path(delete, path = "/api/workflows/{id}", operation_id = "deleteWorkflow", tag = "workflows",
    params(("id" = String, Path, description = "The workflow")), responses(
    (status = 204, description = "It is hidden"),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn delete(State(app): State<Shared>, Path(id): Path<String>) -> ApiResult<StatusCode> {
    app.store.delete_workflow(&id, app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreWorkflow {}

/// Brings a deleted workflow back.
#[utoipa::path(post, path = "/api/workflows/{id}/restore", operation_id = "restoreWorkflow", tag = "workflows",
    params(("id" = String, Path, description = "The workflow")), request_body = RestoreWorkflow, responses(
    (status = 200, body = WorkflowView),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn restore(
    State(app): State<Shared>,
    Path(id): Path<String>,
    OptionalJson(RestoreWorkflow {}): OptionalJson<RestoreWorkflow>,
) -> ApiResult<Response> {
    app.store.undelete_workflow(&id).await?;
    let workflow = app.store.workflow(&id).await?.ok_or_else(|| no_such_workflow(&id))?;
    view(&app, StatusCode::OK, workflow).await
}

/// The versions of a workflow; also of a deleted one.
#[utoipa::path(get, path = "/api/workflows/{id}/versions", operation_id = "listVersions", tag = "workflows",
    params(("id" = String, Path, description = "The workflow")), responses(
    (status = 200, body = VersionList),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn versions(State(app): State<Shared>, Path(id): Path<String>) -> ApiResult<Json<VersionList>> {
    let versions = app.store.workflow_versions(&id).await?;
    if versions.is_empty() {
        return Err(no_such_workflow(&id));
    }
    let view = |version: flowtrace_engine::port::store::WorkflowVersion| VersionView {
        version: version.version,
        hash: version.hash.to_string(),
        created_at: Time(version.created_at),
    };
    Ok(Json(VersionList { versions: versions.into_iter().map(view).collect() }))
}

/// The document of one version.
#[utoipa::path(get, path = "/api/workflows/{id}/versions/{version}", operation_id = "getVersion", tag = "workflows",
    params(("id" = String, Path, description = "The workflow"), ("version" = u32, Path, description = "From 1")), responses(
    (status = 200, body = VersionDocument),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn version(State(app): State<Shared>, Path((id, number)): Path<(String, u32)>) -> ApiResult<Json<VersionDocument>> {
    let versions = app.store.workflow_versions(&id).await?;
    if versions.is_empty() {
        return Err(no_such_workflow(&id));
    }
    let missing = || ApiError::not_found(format!("version {number} of this workflow"));
    let version = versions.into_iter().find(|version| version.version == number).ok_or_else(missing)?;
    let graph_json = app.store.document(&version.hash).await?.ok_or_else(missing)?;
    Ok(Json(VersionDocument {
        version: number,
        hash: version.hash.to_string(),
        graph_json: raw(&graph_json),
        created_at: Time(version.created_at),
    }))
}

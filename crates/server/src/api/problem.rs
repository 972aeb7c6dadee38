//! Errors as `application/problem+json` (RFC 9457).

use axum::response::{IntoResponse, Response};
use flowtrace_core::problem::Problem;
use flowtrace_engine::port::span_store::SpanStoreError;
use flowtrace_engine::port::store::{StoreError, WorkflowError};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

/// What every error of the API looks like.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemDocument {
    /// `urn:flowtrace:problem:` followed by the code.
    #[serde(rename = "type")]
    kind: String,
    /// The words of the HTTP status.
    title: String,
    status: u16,
    /// A sentence that says what happened and what to do.
    detail: String,
    /// A stable word for programs.
    code: String,
    /// JSON Pointer (RFC 6901) into the request body, where one value is to blame.
    pointer: Option<String>,
    /// What is wrong with a workflow document.
    problems: Vec<ProblemItem>,
}

/// One thing that is wrong with a workflow document.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProblemItem {
    /// A stable word for programs, for instance `unknown_node`.
    pub code: String,
    /// JSON Pointer (RFC 6901) into the document; empty for the document itself.
    pub pointer: String,
    /// A sentence.
    pub message: String,
    /// What was probably meant.
    pub suggestion: Option<String>,
}

impl From<Problem> for ProblemItem {
    fn from(problem: Problem) -> Self {
        let Problem { code, pointer, message, suggestion } = problem;
        ProblemItem { code, pointer, message, suggestion }
    }
}

#[derive(Debug)]
pub struct ApiError {
    pub status: StatusCode,
    pub code: &'static str,
    pub detail: String,
    pub pointer: Option<String>,
    pub problems: Vec<ProblemItem>,
    pub headers: Vec<(header::HeaderName, HeaderValue)>,
}

pub type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        ApiError { status, code, detail: detail.into(), pointer: None, problems: Vec::new(), headers: Vec::new() }
    }

    pub fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        ApiError::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// `what` with its name, for instance ``run `x` ``.
    pub fn not_found(what: impl std::fmt::Display) -> Self {
        ApiError::new(StatusCode::NOT_FOUND, "not_found", format!("There is no {what}."))
    }

    pub fn invalid_workflow(problems: Vec<Problem>) -> Self {
        let detail = match problems.as_slice() {
            [one] => sentence(&format!("The workflow has a problem: {}", one.message)),
            many => format!("The workflow has {} problems; see `problems`.", many.len()),
        };
        let mut error = ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_workflow", detail);
        error.problems = problems.into_iter().map(ProblemItem::from).collect();
        error
    }

    pub fn shutting_down() -> Self {
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "shutting_down", "The server is shutting down: try again in a moment.")
            .with_header(header::RETRY_AFTER, "1")
    }

    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = Some(pointer.into());
        self
    }

    pub fn with_header(mut self, name: header::HeaderName, value: &'static str) -> Self {
        self.headers.push((name, HeaderValue::from_static(value)));
        self
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let (status, code) = match &error {
            StoreError::Full(_) => (StatusCode::INSUFFICIENT_STORAGE, "disk_full"),
            StoreError::ReadOnly(_) => (StatusCode::SERVICE_UNAVAILABLE, "read_only"),
            StoreError::Corrupt(_) => (StatusCode::INTERNAL_SERVER_ERROR, "store_damaged"),
            StoreError::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "store_unavailable"),
            StoreError::Invalid(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        };
        tracing::error!(%error, "the store refused a request");
        ApiError::new(status, code, sentence(&error.to_string()))
    }
}

impl From<SpanStoreError> for ApiError {
    fn from(error: SpanStoreError) -> Self {
        match error {
            SpanStoreError::Store(error) => error.into(),
            SpanStoreError::InvalidCursor => ApiError::bad_request("invalid_query", sentence(&error.to_string())),
            SpanStoreError::Overloaded { .. } => {
                ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", sentence(&error.to_string()))
                    .with_header(header::RETRY_AFTER, "1")
            }
        }
    }
}

impl From<WorkflowError> for ApiError {
    fn from(error: WorkflowError) -> Self {
        match error {
            WorkflowError::NotFound => ApiError::not_found("such workflow"),
            WorkflowError::VersionConflict { expected, actual } => ApiError::new(
                StatusCode::PRECONDITION_FAILED,
                "version_conflict",
                format!(
                    "The workflow is at version {actual}, but the request was made for version {expected}: read it again, then repeat the change."
                ),
            ),
            WorkflowError::DraftConflict => ApiError::new(
                StatusCode::PRECONDITION_FAILED,
                "draft_conflict",
                "The workflow or its draft was changed since it was read: read it again, then decide which of the two to keep.",
            ),
            WorkflowError::Store(error) => error.into(),
        }
    }
}

/// Makes a sentence of a message that was written to stand inside another one.
pub fn sentence(message: &str) -> String {
    let mut characters = message.chars();
    let Some(first) = characters.next() else { return String::new() };
    let mut text: String = first.to_uppercase().chain(characters).collect();
    if !text.ends_with(['.', '!', '?']) {
        text.push('.');
    }
    text
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let document = ProblemDocument {
            kind: format!("urn:flowtrace:problem:{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            detail: self.detail,
            code: self.code.to_owned(),
            pointer: self.pointer,
            problems: self.problems,
        };
        let body = serde_json::to_vec(&document).expect("a problem document holds only strings and numbers");
        let mut response = (self.status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// What a panic in a handler answers. The message goes to the log, not to the client.
pub fn from_panic(panic: Box<dyn std::any::Any + Send>) -> Response {
    let message = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(message = message.unwrap_or("no message"), "a request handler panicked");
    ApiError::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        "FlowTrace made a mistake while it answered this request; its log says more. Other requests and runs go on.",
    )
    .into_response()
}

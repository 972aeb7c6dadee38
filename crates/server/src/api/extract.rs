//! The extractors of the API: like axum's own, but a rejection is a problem document.

use super::problem::ApiError;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use http::StatusCode;
use http::request::Parts;
use serde::de::DeserializeOwned;

/// Bytes of a request body that are read at most.
pub const BODY_LIMIT: usize = 6 * 1024 * 1024;

/// A JSON body. That the content type is JSON was checked at the boundary.
pub struct Json<T>(pub T);

/// A JSON body that may be absent, which reads as `{}`.
pub struct OptionalJson<T>(pub T);

pub struct Query<T>(pub T);

pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let body = read(request, state).await?;
        if body.is_empty() {
            return Err(ApiError::bad_request("empty_body", "The request needs a JSON body, but it is empty."));
        }
        parse(&body).map(Json)
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for OptionalJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let body = read(request, state).await?;
        parse(if body.is_empty() { b"{}" } else { &body }).map(OptionalJson)
    }
}

async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    Bytes::from_request(request, state).await.map_err(|rejection| match rejection {
        BytesRejection::FailedToBufferBody(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            format!("The request body is larger than {} MB, which is the most that is accepted.", BODY_LIMIT / 1024 / 1024),
        ),
        other => ApiError::bad_request("unreadable_body", format!("The request body could not be read: {other}.")),
    })
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| {
        if error.is_data() {
            ApiError::bad_request("invalid_body", format!("The request body is not what this endpoint takes: {error}."))
        } else {
            ApiError::bad_request("invalid_json", format!("The request body is not valid JSON: {error}."))
        }
    })
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match axum::extract::Query::<T>::from_request_parts(parts, state).await {
            Ok(query) => Ok(Query(query.0)),
            Err(rejection) => Err(ApiError::bad_request(
                "invalid_query",
                format!("The query string is not what this endpoint takes: {}.", rejection.body_text()),
            )),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(path) => Ok(Path(path.0)),
            Err(rejection) => Err(ApiError::bad_request(
                "invalid_path",
                format!("The path is not what this endpoint takes: {}.", rejection.body_text()),
            )),
        }
    }
}

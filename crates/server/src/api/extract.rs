//! The extractors of the API: like axum's own, but a rejection is a problem document.

use super::problem::ApiError;
use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request};
use futures::StreamExt;
use http::request::Parts;
use http::{StatusCode, header};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Bytes of a request body that are read at most.
pub const BODY_LIMIT: usize = 6 << 20;

/// Bytes of a body that is too large that are still read, so that the client gets to the answer.
const DRAIN_LIMIT: usize = 64 << 20;

/// The longest that a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(60);

/// A JSON body. That the content type is JSON was checked at the boundary.
pub struct Json<T>(pub T);

/// A JSON body that may be absent, which reads as `{}`.
pub struct OptionalJson<T>(pub T);

pub struct Query<T>(pub T);

pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let body = read(request).await?;
        if body.is_empty() {
            return Err(ApiError::bad_request("empty_body", "The request needs a JSON body, but it is empty."));
        }
        parse(&body).map(Json)
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for OptionalJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let body = read(request).await?;
        parse(if body.is_empty() { b"{}" } else { &body }).map(OptionalJson)
    }
}

/// Reads a body into memory, up to the limit.
async fn read(request: Request) -> Result<Vec<u8>, ApiError> {
    let (parts, body) = request.into_parts();
    let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let announced = header(header::CONTENT_LENGTH).and_then(|text| text.parse::<usize>().ok()).unwrap_or(0);
    // A client that asks before it sends, or has far too much, is told at once.
    if announced > DRAIN_LIMIT || (announced > BODY_LIMIT && header(header::EXPECT).is_some()) {
        return Err(too_large());
    }
    tokio::time::timeout(BODY_TIME, collect(body)).await.unwrap_or_else(|_| {
        let detail = format!("The request body did not arrive within {} seconds.", BODY_TIME.as_secs());
        Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, "body_timeout", detail).with_header(header::CONNECTION, "close"))
    })
}

async fn collect(body: Body) -> Result<Vec<u8>, ApiError> {
    let mut stream = body.into_data_stream();
    let mut bytes = Vec::new();
    let mut received = 0;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk
            .map_err(|error| ApiError::bad_request("unreadable_body", format!("The request body could not be read: {error}.")))?;
        received += chunk.len();
        if received > DRAIN_LIMIT {
            return Err(too_large());
        }
        // What is too much is read and thrown away: a client that is still sending would not read the answer.
        if received <= BODY_LIMIT {
            bytes.extend_from_slice(&chunk);
        }
    }
    if received > BODY_LIMIT { Err(too_large()) } else { Ok(bytes) }
}

fn too_large() -> ApiError {
    let detail = format!("The request body is larger than {} MB, which is the most that is accepted.", BODY_LIMIT >> 20);
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail).with_header(header::CONNECTION, "close")
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

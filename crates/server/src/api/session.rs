//! `/api/session`: how a browser proves that it knows the token, without ever keeping it.

use super::extract::Json as Body;
use super::problem::{ApiError, ApiResult, ProblemDocument};
use crate::access::Scope;
use crate::app::Shared;
use crate::boundary::{COOKIE, Caller};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Seconds that a browser keeps the cookie: 30 days.
const COOKIE_SECONDS: u32 = 30 * 24 * 60 * 60;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateSession {
    token: String,
}

#[derive(Serialize, ToSchema)]
pub struct Session {
    /// Whether this server demands a token.
    token_required: bool,
    /// Whether this client may use the API.
    authenticated: bool,
}

/// Whether this client may use the API. Needs no token.
#[utoipa::path(get, path = "/api/session", operation_id = "getSession", tag = "server", responses(
    (status = 200, body = Session),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn get(State(app): State<Shared>, headers: HeaderMap) -> Json<Session> {
    Json(Session { token_required: app.boundary.token().is_some(), authenticated: app.boundary.authenticated(&headers) })
}

/// Trades the token, or an access key with the scope `all`, for a cookie.
#[utoipa::path(post, path = "/api/session", operation_id = "createSession", tag = "server", request_body = CreateSession, responses(
    (status = 200, body = Session),
    (status = 401, body = ProblemDocument, content_type = "application/problem+json", description = "The token is wrong"),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn create(State(app): State<Shared>, Body(body): Body<CreateSession>) -> ApiResult<Response> {
    let Some(token) = app.boundary.token() else {
        return Ok(Json(Session { token_required: false, authenticated: true }).into_response());
    };
    let value = match app.boundary.judge(body.token.trim()) {
        Some(Caller { scope: Scope::All, key: None }) => token.cookie(),
        Some(Caller { scope: Scope::All, key: Some(known) }) => token.cookie_of(&known.key),
        Some(_) => {
            let detail = "This access key may only send spans and scores, and opens no pages: use the token of the server, or a key with the \
                          scope `all`.";
            return Err(ApiError::new(StatusCode::FORBIDDEN, "ingest_only", detail));
        }
        None => return Err(ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", "This is not the token of this server.")),
    };
    let cookie = format!("{COOKIE}={value}; Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Strict");
    Ok(([(header::SET_COOKIE, cookie)], Json(Session { token_required: true, authenticated: true })).into_response())
}

/// Makes the browser forget the cookie.
#[utoipa::path(delete, path = "/api/session", operation_id = "deleteSession", tag = "server", responses(
    (status = 204, description = "The cookie is gone"),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn delete() -> Response {
    let cookie = format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response()
}

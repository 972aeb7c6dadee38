//! `/api/keys`: access keys. A key is in the answer that makes it, and nowhere else.

use super::dto::Time;
use super::extract::{Json as Body, Path};
use super::problem::{ApiError, ApiResult, ProblemDocument};
use crate::access::{self, Known, MOST, Scope};
use crate::app::Shared;
use axum::Json;
use axum::extract::State;
use flowtrace_engine::port::credentials::KeyError;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const MAX_NAME: usize = 100;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// 1 to 100 characters, and no other key's.
    name: String,
    /// What the key may do.
    #[serde(default)]
    scope: KeyScope,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyScope {
    /// Everything, as the token of the server.
    #[default]
    All,
    /// Send spans and scores, and nothing else.
    Ingest,
}

#[derive(Serialize, ToSchema)]
pub struct KeyList {
    /// Whether this server asks for a key or its token at all. On loopback without a token it does not.
    required: bool,
    keys: Vec<KeyView>,
}

#[derive(Serialize, ToSchema)]
pub struct KeyView {
    id: String,
    name: String,
    scope: KeyScope,
    /// How the key begins.
    hint: String,
    created_at: Time,
    /// To about an hour; null: never.
    last_used_at: Option<Time>,
}

#[derive(Serialize, ToSchema)]
pub struct CreatedKey {
    /// The key itself. Only its SHA-256 is kept, so it is never shown again.
    key: String,
    #[serde(flatten)]
    view: KeyView,
}

impl From<&Known> for KeyView {
    fn from(known: &Known) -> Self {
        KeyView {
            id: known.key.id.clone(),
            name: known.key.name.clone(),
            scope: match known.scope {
                Scope::All => KeyScope::All,
                Scope::Ingest => KeyScope::Ingest,
            },
            hint: known.key.hint.clone(),
            created_at: Time(known.key.created_at),
            last_used_at: known.last_used_at().map(Time),
        }
    }
}

/// The access keys, oldest first, without the keys themselves.
#[utoipa::path(get, path = "/api/keys", operation_id = "listKeys", tag = "server", responses(
    (status = 200, body = KeyList),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn list(State(app): State<Shared>) -> Json<KeyList> {
    let keys = app.boundary.keys.all();
    Json(KeyList { required: app.boundary.token().is_some(), keys: keys.iter().map(|known| KeyView::from(&**known)).collect() })
}

/// Makes an access key, which this answer alone shows.
#[utoipa::path(post, path = "/api/keys", operation_id = "createKey", tag = "server", request_body = NewKey, responses(
    (status = 201, body = CreatedKey),
    (status = 409, body = ProblemDocument, content_type = "application/problem+json", description = "The name is taken, or there are too many"),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn create(State(app): State<Shared>, Body(body): Body<NewKey>) -> ApiResult<(StatusCode, Json<CreatedKey>)> {
    let name = body.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        let detail = format!("`name` has to be 1 to {MAX_NAME} characters without control characters.");
        return Err(ApiError::bad_request("invalid_body", detail).at("/name"));
    }
    let scope = match body.scope {
        KeyScope::All => Scope::All,
        KeyScope::Ingest => Scope::Ingest,
    };
    let (secret, key) = access::make(name, scope, app.clock.now());
    let id = key.id.clone();
    let _changing = app.changing_keys.lock().await;
    app.credentials.create_access_key(key, MOST).await.map_err(|error| match error {
        KeyError::NameTaken => {
            let detail = "Another access key has this name: choose one that tells them apart, or revoke that one first.";
            ApiError::new(StatusCode::CONFLICT, "name_taken", detail).at("/name")
        }
        KeyError::TooMany => {
            let detail = format!("There are {MOST} access keys already, and no more may be: revoke one first.");
            ApiError::new(StatusCode::CONFLICT, "too_many", detail)
        }
        KeyError::Store(error) => error.into(),
    })?;
    app.read_keys().await?;
    let keys = app.boundary.keys.all();
    let known = keys.iter().find(|known| known.key.id == id).ok_or_else(|| ApiError::not_found("such access key any more"))?;
    Ok((StatusCode::CREATED, Json(CreatedKey { key: secret, view: KeyView::from(&**known) })))
}

/// Revokes an access key: from now on nothing is accepted with it.
#[utoipa::path(delete, path = "/api/keys/{id}", operation_id = "revokeKey", tag = "server",
    params(("id" = String, Path, description = "The key's id")), responses(
    (status = 204, description = "It is revoked"),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn revoke(State(app): State<Shared>, Path(id): Path<String>) -> ApiResult<StatusCode> {
    let _changing = app.changing_keys.lock().await;
    if !app.credentials.delete_access_key(&id).await? {
        return Err(ApiError::not_found("such access key"));
    }
    app.read_keys().await?;
    Ok(StatusCode::NO_CONTENT)
}

//! `/api/secrets`: names of secrets, and values that go in and never come out.

use super::dto::Time;
use super::extract::{Json as Body, Path};
use super::problem::{ApiError, ApiResult, ProblemDocument, sentence};
use crate::app::{App, Shared};
use axum::Json;
use axum::extract::State;
use flowtrace_adapters::provider::ApiKey;
use flowtrace_adapters::secrets::{EnvironmentSecrets, OperatorEnvironment, Secrets};
use flowtrace_adapters::vault::{self, KeyStatus, Listed, VaultError};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutSecret {
    /// 1 to 65,536 bytes.
    // A value of its own kind: what is no text would be quoted by the message that says so.
    #[schema(value_type = String, format = Password)]
    value: Value,
}

#[derive(Serialize, ToSchema)]
pub struct SecretList {
    secrets: Vec<SecretView>,
    key: SecretKeyView,
}

/// The key that seals the secrets. It is in a file outside of the data directory.
#[derive(Serialize, ToSchema)]
pub struct SecretKeyView {
    /// `ready`, `not_made` (it is made with the first secret), `missing`, `other` (some secrets were sealed with another one) or
    /// `unusable`.
    status: &'static str,
    /// What is wrong with it and what to do; null: nothing is.
    problem: Option<String>,
    /// Where it is; null: nobody named a place, and there is no home directory.
    file: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct SecretView {
    name: String,
    set_at: Time,
    /// Whether the key opens it.
    usable: bool,
    /// What of the server's configuration uses it, such as `provider openai`; then workflows cannot. Empty: it is for workflows.
    used_by: Vec<String>,
    /// A variable of the server's environment that is set and comes first; null: the secret counts.
    shadowed_by: Option<String>,
}

fn view(app: &App, secret: Listed) -> SecretView {
    let used_by = app.owned_secrets.get(&secret.name).cloned().unwrap_or_default();
    let set = |value: Option<String>| value.is_some_and(|value| !value.trim().is_empty());
    let shadowed_by = match used_by.is_empty() {
        true => set(EnvironmentSecrets.get(&secret.name)).then(|| EnvironmentSecrets::variable(&secret.name)),
        false => set(OperatorEnvironment.get(&secret.name)).then(|| secret.name.clone()),
    };
    SecretView { name: secret.name, set_at: Time(secret.set_at), usable: secret.usable, used_by, shadowed_by }
}

/// The names of the secrets and when each was set, by name. The values are not in it.
#[utoipa::path(get, path = "/api/secrets", operation_id = "listSecrets", tag = "server", responses(
    (status = 200, body = SecretList),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn list(State(app): State<Shared>) -> ApiResult<Json<SecretList>> {
    // A key file that was put back counts from here on.
    app.vault.refresh().await?;
    let status = match app.vault.key() {
        KeyStatus::NotMade => "not_made",
        KeyStatus::Ready => "ready",
        KeyStatus::Missing => "missing",
        KeyStatus::Other => "other",
        KeyStatus::Unusable(_) => "unusable",
    };
    Ok(Json(SecretList {
        secrets: app.vault.list().into_iter().map(|secret| view(&app, secret)).collect(),
        key: SecretKeyView {
            status,
            problem: app.vault.problem().map(|problem| sentence(&problem)),
            file: app.vault.key_path().map(|path| path.display().to_string()),
        },
    }))
}

/// Sets a secret, or replaces it. It counts from the next call on.
#[utoipa::path(put, path = "/api/secrets/{name}", operation_id = "putSecret", tag = "server",
    params(("name" = String, Path, description = "1 to 100 letters, digits, `_`, `-` and `.`; a letter, a digit or `_` first")),
    request_body = PutSecret, responses(
    (status = 200, body = SecretView),
    (status = 409, body = ProblemDocument, content_type = "application/problem+json", description = "There are too many, or the key that seals is missing"),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn put(
    State(app): State<Shared>,
    Path(name): Path<String>,
    Body(body): Body<PutSecret>,
) -> ApiResult<Json<SecretView>> {
    vault::check_name(&name).map_err(|wrong| ApiError::bad_request("invalid_name", sentence(&wrong)))?;
    let at_value = |detail: String| ApiError::bad_request("invalid_body", detail).at("/value");
    let Value::String(value) = body.value else { return Err(at_value("`value` has to be a text.".to_owned())) };
    if app.provider_keys.iter().any(|key| key.name.as_ref() == Some(&name)) {
        ApiKey::new(&value).map_err(|wrong| at_value(format!("This is no key of a provider: {wrong}.")))?;
    }
    app.vault.set(&name, &value, app.clock.now()).await.map_err(|error| {
        let text = sentence(&error.to_string());
        match error {
            VaultError::Invalid(_) => at_value(text),
            VaultError::TooMany => ApiError::new(StatusCode::CONFLICT, "too_many", text),
            VaultError::NoKey(_) => ApiError::new(StatusCode::CONFLICT, "secret_key", text),
            VaultError::Store(error) => error.into(),
        }
    })?;
    let set = app.vault.list().into_iter().find(|secret| secret.name == name);
    let set = set.ok_or_else(|| ApiError::not_found("such secret any more: somebody deleted it at this moment"))?;
    Ok(Json(view(&app, set)))
}

/// Deletes a secret. Calls that need it fail from now on.
#[utoipa::path(delete, path = "/api/secrets/{name}", operation_id = "deleteSecret", tag = "server",
    params(("name" = String, Path, description = "The secret")), responses(
    (status = 204, description = "It is gone"),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn delete(State(app): State<Shared>, Path(name): Path<String>) -> ApiResult<StatusCode> {
    if !app.vault.delete(&name).await? {
        return Err(ApiError::not_found("secret of this name"));
    }
    Ok(StatusCode::NO_CONTENT)
}

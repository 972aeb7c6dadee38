//! The web UI: files that were built into the binary.

use crate::api::problem::ApiError;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode, Uri, header};
use rust_embed::{EmbeddedFile, RustEmbed};

/// `npm run build` in `web/` writes the files; without them the binary still builds.
#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Files;

/// What stands at `/` in a build without the UI. Nothing inline: the Content-Security-Policy forbids it.
const NO_UI: &str = r#"<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>FlowTrace</title></head>
<body>
<h1>FlowTrace is running</h1>
<p>This binary was built without the web UI. To have it, build the UI first, then the binary:</p>
<pre>make web
cargo build --release -p flowtrace</pre>
<p>The API works as it is:</p>
<ul>
<li><a href="/api/workflows">workflows</a></li>
<li><a href="/api/runs">runs</a></li>
<li><a href="/api/openapi.json">OpenAPI description</a></li>
<li><a href="/api/schema/workflow.json">JSON Schema of the workflow language</a></li>
</ul>
</body>
</html>
"#;

/// Everything that no route of the API answers.
pub async fn fallback(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path();
    if path == "/api" || path.starts_with("/api/") {
        return ApiError::not_found(format!(
            "endpoint `{}`; /api/openapi.json lists them",
            path.chars().take(200).collect::<String>()
        ))
        .into_response();
    }
    if method != Method::GET && method != Method::HEAD {
        return method_not_allowed().await.into_response();
    }
    let name = path.trim_start_matches('/');
    if let Some(file) = Files::get(if name.is_empty() { "index.html" } else { name }) {
        return serve(name, file, &headers);
    }
    // Whatever can be no file is a page of the UI, which finds its way by itself. Ids in pages may hold dots: those of sessions are
    // their senders'.
    let is_page = match name.split_once('/') {
        Some((folder, _)) => folder != "assets",
        None => !name.contains('.'),
    };
    match Files::get("index.html") {
        Some(index) if is_page => serve("index.html", index, &headers),
        None if name.is_empty() => ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], NO_UI).into_response(),
        _ => ApiError::not_found(format!("page `{}`", path.chars().take(200).collect::<String>())).into_response(),
    }
}

pub async fn method_not_allowed() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "This path exists, but not for this method.")
}

fn serve(name: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
    let hash = file.metadata.sha256_hash();
    let etag = format!("\"{}\"", hash[..16].iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    // The build puts a hash into the names under `assets/`, so those never change.
    let cache = if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let known =
        headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains(&etag));
    let common = [(header::ETAG, etag), (header::CACHE_CONTROL, cache.to_owned())];
    if known {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let content_type = [(header::CONTENT_TYPE, file.metadata.mimetype().to_owned())];
    (common, content_type, Body::from(file.data)).into_response()
}

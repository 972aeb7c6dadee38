//! Starting runs: of a saved workflow, or of a document that is not saved.

use super::dto::no_such_run;
use super::extract::{OptionalJson, Path, Query};
use super::problem::{ApiError, ApiResult, ProblemDocument};
use super::run_view::{self, Run};
use super::runs::snapshot;
use super::stream::until_ended;
use super::workflows::{no_such_workflow, text_of};
use crate::app::Shared;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use flowtrace_core::event::{Labels, ModelDefaults, WorkflowRef};
use flowtrace_core::id::{RunId, SpanId, TraceId};
use flowtrace_core::payload::sha256_hex;
use flowtrace_core::span::SpanLink;
use flowtrace_core::value::{MAX_DEPTH, deeper_than};
use flowtrace_engine::host::{StartError, StartRun};
use flowtrace_engine::port::store::{IdempotencyKey, ProviderBinding};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;
use utoipa::{IntoParams, ToSchema};

/// Seconds that a request may wait for the end of its run.
const LONGEST_WAIT: f64 = 60.0;

const LONGEST_NAME: usize = 255;

/// Tags, or keys of metadata.
const MOST_LABELS: usize = 100;

/// Bytes of a value of the metadata.
const LONGEST_LABEL: usize = 4096;

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartWorkflow {
    /// What the workflow reads as `input`; `{}` if absent.
    #[serde(default)]
    #[schema(value_type = std::collections::HashMap<String, Value>)]
    input_vars: Map<String, Value>,
    #[serde(default)]
    session_id: Option<String>,
    /// Whom the run is for; its trace is found by it.
    #[serde(default)]
    user_id: Option<String>,
    /// Its trace is found by them. At most 100, without commas.
    #[serde(default)]
    tags: Vec<String>,
    /// Keys and values by which its trace is found; at most 100.
    #[serde(default)]
    #[schema(value_type = std::collections::HashMap<String, Value>)]
    metadata: Map<String, Value>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartDocument {
    /// The workflow document, as an object or as a string that holds its JSON.
    #[schema(value_type = Value)]
    graph_json: Box<RawValue>,
    #[serde(default)]
    #[schema(value_type = std::collections::HashMap<String, Value>)]
    input_vars: Map<String, Value>,
    #[serde(default)]
    session_id: Option<String>,
    /// Whom the run is for; its trace is found by it.
    #[serde(default)]
    user_id: Option<String>,
    /// Its trace is found by them. At most 100, without commas.
    #[serde(default)]
    tags: Vec<String>,
    /// Keys and values by which its trace is found; at most 100.
    #[serde(default)]
    #[schema(value_type = std::collections::HashMap<String, Value>)]
    metadata: Map<String, Value>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct WaitQuery {
    /// Answer when the run has ended, or after this many seconds: 0 to 60.
    wait: Option<f64>,
}

#[derive(Serialize, ToSchema)]
pub struct Started {
    #[serde(rename = "runId")]
    run_id: String,
    /// The same as `runId`.
    id: String,
    trace_id: String,
    /// Only with `?wait`: the run, with its output whole, as it was when the wait was over.
    run: Option<Run>,
}

impl Started {
    pub fn new(run: RunId, trace_id: String) -> Self {
        Started { run_id: run.to_string(), id: run.to_string(), trace_id, run: None }
    }
}

/// Who asks, as far as it says so: it is only for lists.
pub fn triggered_by(headers: &HeaderMap) -> &'static str {
    match headers.get("flowtrace-client").and_then(|value| value.to_str().ok()) {
        Some("cli") => "cli",
        Some("web") => "web",
        _ => "api",
    }
}

/// Starts a run of the workflow's current version.
#[utoipa::path(post, path = "/api/workflows/{id}/runs", operation_id = "startRun", tag = "runs",
    params(
        ("id" = String, Path, description = "The workflow"),
        WaitQuery,
        ("Idempotency-Key" = Option<String>, Header, description = "The same key with the same request starts one run within 24 hours"),
        ("traceparent" = Option<String>, Header, description = "W3C trace context: the run becomes a part of this trace"),
    ),
    request_body = StartWorkflow,
    responses(
    (status = 201, body = Started, headers(("location" = String, description = "The run"))),
    (status = 200, body = Started, description = "The key was used for the same request before: the run that it started. Carries `Idempotency-Replayed: true`"),
    (status = 422, body = ProblemDocument, content_type = "application/problem+json", description = "The key was used for another request, or the workflow cannot run"),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn start_workflow(
    State(app): State<Shared>,
    Path(id): Path<String>,
    Query(query): Query<WaitQuery>,
    headers: HeaderMap,
    OptionalJson(body): OptionalJson<StartWorkflow>,
) -> ApiResult<Response> {
    let workflow = app.store.workflow(&id).await?.ok_or_else(|| no_such_workflow(&id))?;
    let reference = WorkflowRef { id: Some(workflow.id), version: Some(workflow.version), hash: workflow.hash };
    let request = Request {
        workflow: reference,
        graph_json: workflow.graph_json,
        input_vars: body.input_vars,
        session_id: body.session_id,
        labels: Labels { user_id: body.user_id, tags: body.tags, metadata: body.metadata },
        replay_of: None,
    };
    launch(&app, request, query, &headers).await
}

/// Runs a document without saving it as a workflow.
#[utoipa::path(post, path = "/api/runs", operation_id = "startDocument", tag = "runs",
    params(
        WaitQuery,
        ("Idempotency-Key" = Option<String>, Header, description = "The same key with the same request starts one run within 24 hours"),
        ("traceparent" = Option<String>, Header, description = "W3C trace context: the run becomes a part of this trace"),
    ),
    request_body = StartDocument,
    responses(
    (status = 201, body = Started, headers(("location" = String, description = "The run"))),
    (status = 200, body = Started, description = "The key was used for the same request before: the run that it started. Carries `Idempotency-Replayed: true`"),
    (status = 422, body = ProblemDocument, content_type = "application/problem+json", description = "The key was used for another request, or the document cannot run"),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn start_document(
    State(app): State<Shared>,
    Query(query): Query<WaitQuery>,
    headers: HeaderMap,
    super::extract::Json(body): super::extract::Json<StartDocument>,
) -> ApiResult<Response> {
    let graph_json: Arc<str> = text_of(&body.graph_json)?.into();
    let workflow = WorkflowRef { id: None, version: None, hash: sha256_hex(graph_json.as_bytes()).into() };
    let request = Request {
        workflow,
        graph_json,
        input_vars: body.input_vars,
        session_id: body.session_id,
        labels: Labels { user_id: body.user_id, tags: body.tags, metadata: body.metadata },
        replay_of: None,
    };
    launch(&app, request, query, &headers).await
}

pub(super) struct Request {
    pub workflow: WorkflowRef,
    pub graph_json: Arc<str>,
    pub input_vars: Map<String, Value>,
    pub session_id: Option<String>,
    pub labels: Labels,
    /// The model call of a trace that the run makes again.
    pub replay_of: Option<SpanLink>,
}

pub(super) async fn launch(app: &Shared, request: Request, query: WaitQuery, headers: &HeaderMap) -> ApiResult<Response> {
    let wait = match query.wait {
        Some(seconds) if !(0.0..=LONGEST_WAIT).contains(&seconds) => {
            return Err(ApiError::bad_request("invalid_query", "`wait` is in seconds and has to be 0 to 60."));
        }
        Some(seconds) => Some(Duration::from_secs_f64(seconds)),
        None => None,
    };
    if request.session_id.as_ref().is_some_and(|id| id.is_empty() || id.len() > LONGEST_NAME) {
        return Err(ApiError::bad_request("invalid_body", "`session_id` has to be 1 to 255 bytes.").at("/session_id"));
    }
    check_labels(&request.labels)?;
    // One level is that of the object with the variables.
    if request.input_vars.values().any(|value| deeper_than(value, MAX_DEPTH - 1)) {
        let detail = format!("`input_vars` is nested more than {MAX_DEPTH} levels deep, which is more than a value may be.");
        return Err(ApiError::bad_request("invalid_body", detail).at("/input_vars"));
    }
    let idempotency = idempotency(headers, &request)?;
    let parent = parent(headers);
    let plan = app.plan(&request.workflow.hash, &request.graph_json).await.map_err(ApiError::invalid_workflow)?;
    let (plan, linked) = super::link::link(app, &request.graph_json, plan).await?;
    let defaults = defaults(&app.bindings(), request.workflow.id.as_deref());
    let start = StartRun {
        workflow: request.workflow,
        graph_json: request.graph_json,
        plan,
        linked,
        input: Value::Object(request.input_vars),
        session_id: request.session_id,
        labels: request.labels,
        triggered_by: triggered_by(headers).to_owned(),
        parent,
        replay_of: request.replay_of,
        defaults,
        idempotency: idempotency.clone(),
    };
    let (run, trace_id, replayed) = match app.host.start(start).await {
        Ok(started) => (started.id, started.trace_id.to_string(), false),
        Err(StartError::Duplicate { run, fingerprint }) => {
            if idempotency.is_none_or(|mine| mine.fingerprint != fingerprint) {
                return Err(ApiError::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "idempotency_key_reused",
                    "This `Idempotency-Key` was used for a different request: use a new key for every new run.",
                ));
            }
            let row = app.store.run(run).await?.ok_or_else(|| no_such_run(run))?;
            (run, row.trace_id, true)
        }
        Err(StartError::Store(error)) => return Err(error.into()),
        Err(StartError::ShuttingDown) => return Err(ApiError::shutting_down()),
    };
    let view = match wait {
        Some(wait) => Some(wait_for(app, run, wait).await?),
        None => None,
    };
    let body = Json(Started { run_id: run.to_string(), id: run.to_string(), trace_id, run: view });
    let status = if replayed { StatusCode::OK } else { StatusCode::CREATED };
    let mut response = (status, [(http::header::LOCATION, format!("/api/runs/{run}"))], body).into_response();
    if replayed {
        response.headers_mut().insert(HeaderName::from_static("idempotency-replayed"), HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// What a label may be, so that the lists of traces can be asked for it.
fn check_labels(labels: &Labels) -> ApiResult<()> {
    let wrong = |detail: String, field: &str| Err(ApiError::bad_request("invalid_body", detail).at(field));
    let is_name = |text: &str| !text.is_empty() && text.len() <= LONGEST_NAME;
    if labels.user_id.as_deref().is_some_and(|id| !is_name(id)) {
        return wrong(format!("`user_id` has to be 1 to {LONGEST_NAME} bytes."), "/user_id");
    }
    if labels.tags.len() > MOST_LABELS || labels.tags.iter().any(|tag| !is_name(tag) || tag.contains(',')) {
        let detail = format!("`tags` has to be at most {MOST_LABELS} texts of 1 to {LONGEST_NAME} bytes without commas.");
        return wrong(detail, "/tags");
    }
    if labels.metadata.len() > MOST_LABELS || labels.metadata.keys().any(|key| !is_name(key)) {
        let detail = format!("`metadata` has to be at most {MOST_LABELS} keys of 1 to {LONGEST_NAME} bytes.");
        return wrong(detail, "/metadata");
    }
    let long = |value: &Value| deeper_than(value, MAX_DEPTH - 1) || value.to_string().len() > LONGEST_LABEL;
    match labels.metadata.iter().find(|(_, value)| long(value)) {
        Some((key, _)) => {
            let detail = format!(
                "A value of `metadata` may be at most {LONGEST_LABEL} bytes of JSON, nested up to {MAX_DEPTH} levels deep; that of `{key}` is not."
            );
            wrong(detail, "/metadata")
        }
        None => Ok(()),
    }
}

async fn wait_for(app: &Shared, run: RunId, wait: Duration) -> ApiResult<Run> {
    let snapshot = match tokio::time::timeout(wait, until_ended(app, run)).await {
        Ok(ended) => ended?,
        Err(_elapsed) => snapshot(app, run, None).await?,
    };
    run_view::run(&app.host, run, &snapshot, true).await
}

/// The key and what it stands for: the workflow (whatever its version) and the body.
fn idempotency(headers: &HeaderMap, request: &Request) -> ApiResult<Option<IdempotencyKey>> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let key = value.to_str().unwrap_or_default().trim();
    if key.is_empty() || key.len() > LONGEST_NAME {
        return Err(ApiError::bad_request("invalid_header", "`Idempotency-Key` has to be 1 to 255 visible ASCII characters."));
    }
    // A document that is not saved is known by its content alone.
    let what = request.workflow.id.as_deref().unwrap_or("document");
    let content = request.workflow.id.is_none().then_some(&request.workflow.hash);
    let mut said = vec![json!(what), json!(content), json!(request.input_vars), json!(request.session_id)];
    if !request.labels.is_empty() {
        said.push(json!(request.labels));
    }
    let fingerprint = Value::Array(said);
    Ok(Some(IdempotencyKey { key: format!("start:{what}:{key}"), fingerprint: sha256_hex(fingerprint.to_string().as_bytes()) }))
}

/// W3C trace context, version 00 and, as it asks for, later ones by their first four fields. A bad header is as none.
/// <https://www.w3.org/TR/trace-context/#traceparent-header>
fn parent(headers: &HeaderMap) -> Option<(TraceId, SpanId)> {
    let text = headers.get("traceparent")?.to_str().ok()?.trim();
    let mut fields = text.split('-');
    let (version, trace, span, flags) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let hex = |text: &str, length| text.len() == length && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let known = match version {
        "00" => fields.next().is_none(),
        other => hex(other, 2) && other != "ff",
    };
    if !known || !hex(trace, 32) || !hex(span, 16) || !hex(flags, 2) {
        return None;
    }
    Some((TraceId::parse(trace)?, SpanId::parse(span)?))
}

/// The workflow's own binding, else the deployment's.
fn defaults(bindings: &[ProviderBinding], workflow: Option<&str>) -> ModelDefaults {
    let own = bindings.iter().find(|binding| workflow.is_some() && binding.workflow_id.as_deref() == workflow);
    let general = || bindings.iter().find(|binding| binding.workflow_id.is_none());
    match own.or_else(general) {
        Some(binding) => ModelDefaults {
            provider: Some(binding.provider.clone()),
            model: Some(binding.model.clone()),
            temperature: binding.temperature,
        },
        None => ModelDefaults::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trace_context() {
        let parse = |text: &str| parent(&HeaderMap::from_iter([(HeaderName::from_static("traceparent"), text.parse().unwrap())]));
        let good = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let expected = Some((TraceId(0x4bf92f3577b34da6a3ce929d0e0e4736), SpanId(0x00f067aa0ba902b7)));
        assert_eq!(parse(&format!("00-{good}")), expected);
        assert_eq!(parse(&format!("cc-{good}-what-comes-later")), expected);
        for bad in [
            format!("ff-{good}"),
            format!("00-{good}-more"),
            format!("0-{good}"),
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01".to_owned(),
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01".to_owned(),
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01".to_owned(),
            "00-4bf92f3577b34da6a3ce929d0e0e4736".to_owned(),
            String::new(),
        ] {
            assert_eq!(parse(&bad), None, "{bad}");
        }
    }
}

//! `/api/runs/{id}/fork`: run again from a step, and keep what does not depend on it.

use super::dto::run_id;
use super::extract::{Json as Body, Path};
use super::problem::{ApiError, ApiResult, ProblemDocument};
use super::start::{Started, triggered_by};
use crate::app::Shared;
use axum::Json;
use axum::extract::State;
use flowtrace_core::payload::sha256_hex;
use flowtrace_core::state::StepIx;
use flowtrace_core::tool::Effect;
use flowtrace_engine::host::StartError;
use flowtrace_engine::host::fork::{ForkError, ForkRun, Forked};
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ForkRequest {
    /// The path of the step that runs again, and with it what depends on it.
    from: String,
    /// What the run is started with, where that is to be different.
    #[serde(default)]
    #[schema(value_type = Option<Value>)]
    input_vars: Option<Map<String, Value>>,
    /// Changes of nodes by id.
    #[serde(default)]
    edits: BTreeMap<String, Edit>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// Properties of the node's `config`; null removes one.
    #[serde(default)]
    #[schema(value_type = Value)]
    config: Map<String, Value>,
    /// The node's `inputs`; null removes one.
    #[serde(default)]
    #[schema(value_type = Value)]
    inputs: Map<String, Value>,
}

#[derive(Serialize, ToSchema)]
pub struct Preview {
    /// Steps that are kept, with their results.
    reused: Vec<Kept>,
    /// Steps that had run and run again.
    again: Vec<Again>,
    /// What those cost before; null where some price is not known.
    estimate_nanousd: Option<u64>,
}

#[derive(Serialize, ToSchema)]
pub struct Kept {
    step_id: String,
    node_type: String,
}

#[derive(Serialize, ToSchema)]
pub struct Again {
    step_id: String,
    node_type: String,
    /// Whether it calls a tool that changes something outside.
    side_effect: bool,
}

/// What a fork would keep and run again. Writes nothing.
#[utoipa::path(post, path = "/api/runs/{id}/fork/preview", operation_id = "previewFork", tag = "runs",
    params(("id" = String, Path, description = "The run")), request_body = ForkRequest, responses(
    (status = 200, body = Preview),
    (status = 422, body = ProblemDocument, content_type = "application/problem+json", description = "The changed document cannot run, or what is kept does not fit it"),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn preview(
    State(app): State<Shared>,
    Path(id): Path<String>,
    Body(body): Body<ForkRequest>,
) -> ApiResult<Json<Preview>> {
    let wanted = wanted(&app, &id, body, String::new()).await?;
    let Forked { origin, plan, fork } = app.host.preview_fork(&wanted).await.map_err(|error| refused(error, &id))?;
    let describe = |ix: StepIx| (origin.path(&plan, ix).to_string(), plan.node(origin.step(ix).node).kind.type_name().to_owned());
    let mut estimate = Some(0u64);
    let mut again = Vec::with_capacity(fork.again.len());
    for ix in fork.again {
        let step = origin.step(ix);
        let calls_model = plan.node(step.node).kind.calls_model();
        let cost = step.cost_nanousd.or((!calls_model).then_some(0));
        // What the cache answered cost nothing, and may cost something now.
        let cost = if step.cached { step.saved_nanousd } else { cost };
        estimate = estimate.zip(cost).map(|(sum, cost)| sum.saturating_add(cost));
        let (step_id, node_type) = describe(ix);
        let side_effect = matches!(&plan.node(step.node).kind, flowtrace_core::node::NodeKind::Tool(tool)
            if app.tools.get(&tool.tool).map_or(true, |known| known.effect(tool.config.source()) != Effect::ReadOnly))
            || matches!(plan.node(step.node).kind, flowtrace_core::node::NodeKind::AgentCall);
        again.push(Again { step_id, node_type, side_effect });
    }
    let reused = fork.reused.into_iter().map(describe).map(|(step_id, node_type)| Kept { step_id, node_type }).collect();
    Ok(Json(Preview { reused, again, estimate_nanousd: estimate }))
}

/// Starts a run that keeps what this one has done beside and before the chosen step.
#[utoipa::path(post, path = "/api/runs/{id}/fork", operation_id = "forkRun", tag = "runs",
    params(("id" = String, Path, description = "The run")), request_body = ForkRequest, responses(
    (status = 201, body = Started, headers(("location" = String, description = "The run"))),
    (status = 422, body = ProblemDocument, content_type = "application/problem+json", description = "The changed document cannot run, or what is kept does not fit it"),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn fork(
    State(app): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body(body): Body<ForkRequest>,
) -> ApiResult<(StatusCode, [(header::HeaderName, String); 1], Json<Started>)> {
    let wanted = wanted(&app, &id, body, triggered_by(&headers).to_owned()).await?;
    let started = app.host.fork(&wanted).await.map_err(|error| refused(error, &id))?;
    let location = [(header::LOCATION, format!("/api/runs/{}", started.id))];
    Ok((StatusCode::CREATED, location, Json(Started::new(started.id, started.trace_id.to_string()))))
}

async fn wanted(app: &Shared, id: &str, body: ForkRequest, triggered_by: String) -> ApiResult<ForkRun> {
    let run = run_id(id)?;
    let document = match body.edits.is_empty() {
        true => None,
        false => Some(edited(app, id, body.edits).await?),
    };
    Ok(ForkRun { run, from: body.from, input: body.input_vars.map(Value::Object), document, triggered_by })
}

/// The document of the run with the changes, checked as any document is.
async fn edited(app: &Shared, id: &str, edits: BTreeMap<String, Edit>) -> ApiResult<(Arc<str>, Arc<str>)> {
    let run = run_id(id)?;
    let row = app.store.run(run).await?.ok_or_else(|| super::dto::no_such_run(run))?;
    let json = app.store.document(&row.workflow_hash).await?;
    let json = json.ok_or_else(|| ApiError::not_found(format!("document of run {run} in the store")))?;
    let mut document: Value = serde_json::from_str(&json).map_err(|error| {
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", format!("The document cannot be read: {error}."))
    })?;
    for (id, edit) in &edits {
        let Some(node) = find_node(&mut document, id) else {
            let detail = format!("The run's workflow has no node `{id}`.");
            return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "unknown_node", detail).at("/edits"));
        };
        merge(node, "config", &edit.config);
        merge(node, "inputs", &edit.inputs);
    }
    let json: Arc<str> = document.to_string().into();
    let hash: Arc<str> = sha256_hex(json.as_bytes()).into();
    app.plan(&hash, &json).await.map_err(ApiError::invalid_workflow)?;
    Ok((json, hash))
}

/// The node of an id, in the document or in a body inside of it.
fn find_node<'d>(graph: &'d mut Value, id: &str) -> Option<&'d mut Map<String, Value>> {
    let nodes = graph.get_mut("nodes")?.as_array_mut()?;
    let at = nodes.iter().position(|node| node["id"] == id);
    if let Some(at) = at {
        return nodes.get_mut(at)?.as_object_mut();
    }
    nodes.iter_mut().filter_map(|node| node.pointer_mut("/config/body")).find_map(|body| find_node(body, id))
}

fn merge(node: &mut Map<String, Value>, name: &str, changes: &Map<String, Value>) {
    if changes.is_empty() {
        return;
    }
    let there = node.entry(name).or_insert_with(|| Value::Object(Map::new()));
    let Some(there) = there.as_object_mut() else { return };
    for (key, value) in changes {
        match value {
            Value::Null => drop(there.shift_remove(key)),
            value => drop(there.insert(key.clone(), value.clone())),
        }
    }
}

fn refused(error: ForkError, id: &str) -> ApiError {
    match error {
        ForkError::NotFound => super::dto::no_such_run(id),
        ForkError::Refused(detail) => ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "cannot_fork", detail),
        ForkError::Invalid(problems) => ApiError::invalid_workflow(problems),
        ForkError::Start(StartError::Store(error)) => error.into(),
        ForkError::Start(StartError::ShuttingDown) => ApiError::shutting_down(),
        ForkError::Start(error @ StartError::Duplicate { .. }) => {
            ApiError::new(StatusCode::CONFLICT, "duplicate", format!("{error}."))
        }
    }
}

//! `/api/traces/{trace_id}/spans/{span_id}/replay`: one model call of a trace, whoever recorded it, made again as a run of one step.

use super::compare::{Aligned, Side, seen, view};
use super::dto::run_id;
use super::extract::{OptionalJson, Path, Query};
use super::problem::{ApiError, ApiResult, ProblemDocument};
use super::run_view::RunSummary;
use super::runs::snapshot;
use super::start::{Request, Started, WaitQuery, launch};
use super::trace_view::millis;
use super::traces::trace_id;
use crate::app::Shared;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use flowtrace_core::event::WorkflowRef;
use flowtrace_core::id::SpanId;
use flowtrace_core::payload::sha256_hex;
use flowtrace_core::price::cost;
use flowtrace_core::span::replay::{Asked, Said, answered, asked};
use flowtrace_core::span::{Span, SpanKind, SpanLink, SpanStatus};
use flowtrace_core::usage::Usage;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// The id of the run's only node.
const NODE: &str = "call";

/// Characters of a token, where nothing better is known. Providers say about four for English.
const CHARS_PER_TOKEN: u64 = 4;

/// What is to be different this time. What is absent is as it was in the span.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayRequest {
    /// A provider of this deployment.
    provider: Option<String>,
    model: Option<String>,
    /// An empty text: no system message.
    system: Option<String>,
    messages: Option<Vec<Message>>,
    /// As in `config` of an llm node: `temperature`, `topP`, `maxTokens`, `stop`, `seed`.
    #[schema(value_type = Option<Value>)]
    parameters: Option<Map<String, Value>>,
}

/// Something that was said.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// `user` or `assistant`.
    role: String,
    content: String,
}

#[derive(Serialize, ToSchema)]
pub struct ReplayPreview {
    /// Null where the span names none that is known here, and there is no default.
    provider: Option<String>,
    model: Option<String>,
    system: Option<String>,
    /// Empty where the sender recorded none: then they have to be given.
    messages: Vec<Message>,
    #[schema(value_type = Value)]
    parameters: Map<String, Value>,
    /// What is not as it was in the span, as sentences.
    notes: Vec<String>,
    /// Whether the simulated provider will answer.
    simulated: bool,
    /// About what it will cost: the tokens of the span, in proportion to the length of the messages, at the price of the model. Null where
    /// the price or the length of the answer is not known.
    estimate_nanousd: Option<u64>,
    /// What the run is started with.
    #[schema(value_type = Value)]
    graph_json: Value,
    #[schema(value_type = Value)]
    input_vars: Map<String, Value>,
    /// Why it cannot be started as it is.
    problem: Option<String>,
}

struct Prepared {
    preview: ReplayPreview,
    link: SpanLink,
}

/// What a replay of a span would send, and about what it would cost. Writes nothing.
#[utoipa::path(post, path = "/api/traces/{trace_id}/spans/{span_id}/replay/preview", operation_id = "previewSpanReplay", tag = "traces",
    params(("trace_id" = String, Path, description = "32 hexadecimal digits"), ("span_id" = String, Path, description = "16 hexadecimal digits")),
    request_body = ReplayRequest, responses(
    (status = 200, body = ReplayPreview),
    (status = 422, body = ProblemDocument, content_type = "application/problem+json", description = "The span is no model call"),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn preview(
    State(app): State<Shared>,
    Path((trace, span)): Path<(String, String)>,
    OptionalJson(body): OptionalJson<ReplayRequest>,
) -> ApiResult<Json<ReplayPreview>> {
    let mut prepared = prepare(&app, &trace, &span, body).await?;
    if prepared.preview.problem.is_none() {
        let (json, hash) = document(&prepared.preview.graph_json);
        if let Err(problems) = app.plan(&hash, &json).await {
            prepared.preview.problem = problems.first().map(|problem| problem.message.clone());
        }
    }
    Ok(Json(prepared.preview))
}

/// Makes the model call of a span again, as a run of one step that says where it comes from (`replay_of`). Tools are not offered again.
#[utoipa::path(post, path = "/api/traces/{trace_id}/spans/{span_id}/replay", operation_id = "replaySpan", tag = "traces",
    params(("trace_id" = String, Path, description = "32 hexadecimal digits"), ("span_id" = String, Path, description = "16 hexadecimal digits"),
        WaitQuery,
        ("Idempotency-Key" = Option<String>, Header, description = "The same key with the same request starts one run within 24 hours")),
    request_body = ReplayRequest, responses(
    (status = 201, body = Started, headers(("location" = String, description = "The run"))),
    (status = 200, body = Started, description = "The key was used for the same request before: the run that it started"),
    (status = 422, body = ProblemDocument, content_type = "application/problem+json", description = "The span is no model call, or it lacks what a call needs"),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn replay(
    State(app): State<Shared>,
    Path((trace, span)): Path<(String, String)>,
    Query(query): Query<WaitQuery>,
    mut headers: HeaderMap,
    OptionalJson(body): OptionalJson<ReplayRequest>,
) -> ApiResult<Response> {
    let Prepared { preview, link } = prepare(&app, &trace, &span, body).await?;
    if let Some(problem) = preview.problem {
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "cannot_replay", problem));
    }
    // The run is no part of the span's trace, nor of the caller's: it is linked to the span instead.
    headers.remove("traceparent");
    let (graph_json, hash) = document(&preview.graph_json);
    let request = Request {
        workflow: WorkflowRef { id: None, version: None, hash },
        graph_json,
        input_vars: preview.input_vars,
        session_id: None,
        labels: Default::default(),
        replay_of: Some(link),
    };
    launch(&app, request, query, &headers).await
}

fn document(graph: &Value) -> (Arc<str>, Arc<str>) {
    let json: Arc<str> = graph.to_string().into();
    let hash = sha256_hex(json.as_bytes()).into();
    (json, hash)
}

/// The model call, whole.
async fn call(app: &Shared, trace: &str, span: &str) -> ApiResult<Span> {
    let missing = || ApiError::not_found(format!("span `{}` in this trace", span.chars().take(100).collect::<String>()));
    let (trace, id) = (trace_id(trace)?, SpanId::parse(span).ok_or_else(missing)?);
    let found = app.spans.span(trace, id).await?.ok_or_else(missing)?;
    if found.kind != SpanKind::Llm {
        let detail = format!("Only a model call can be replayed; this span is of the kind `{}`.", found.kind.as_str());
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "no_model_call", detail));
    }
    Ok(found)
}

async fn prepare(app: &Shared, trace: &str, span: &str, body: ReplayRequest) -> ApiResult<Prepared> {
    let span = call(app, trace, span).await?;
    let before = asked(&span);
    let length_before = length(&before.system, before.messages.iter().map(|said| &said.content));
    let Asked { system, messages, parameters, mut notes } = before;
    let system = body.system.or(system).filter(|system| !system.trim().is_empty());
    let messages: Vec<Message> = match body.messages {
        Some(messages) => messages,
        None => messages.into_iter().map(|Said { role, content }| Message { role, content }).collect(),
    };
    if let Some(at) = messages.iter().position(|message| !["user", "assistant"].contains(&message.role.as_str())) {
        let detail = "`role` has to be `user` or `assistant`; the system message is `system`.";
        return Err(ApiError::bad_request("invalid_body", detail).at(format!("/messages/{at}/role")));
    }
    let parameters = body.parameters.unwrap_or(parameters);
    if let Some(other) =
        parameters.keys().find(|key| !["temperature", "topP", "maxTokens", "stop", "seed"].contains(&key.as_str()))
    {
        let detail = "`parameters` takes `temperature`, `topP`, `maxTokens`, `stop` and `seed`.";
        return Err(ApiError::bad_request("invalid_body", detail).at(format!("/parameters/{other}")));
    }
    let (provider, model) = target(app, &span, body.provider, body.model, &mut notes);
    let length_now = length(&system, messages.iter().map(|message| &message.content));
    let estimate_nanousd = provider.as_deref().zip(model.as_deref()).and_then(|(provider, model)| {
        let price = app.prices.price(provider, model)?;
        let input = match span.tokens.input {
            Some(tokens) if length_before > 0 => scale(tokens, length_now, length_before),
            _ => length_now.div_ceil(CHARS_PER_TOKEN),
        };
        let most = parameters.get("maxTokens").and_then(Value::as_u64);
        let output = [span.tokens.output, most].into_iter().flatten().min()?;
        Some(cost(&Usage { input_uncached: input, output, ..Usage::default() }, price).nanousd)
    });
    let problem = if messages.is_empty() {
        Some("The span carries no messages, because its sender did not record them: say what to send.".to_owned())
    } else if provider.is_none() || model.is_none() {
        Some("It is not known which model to ask: choose a provider and a model.".to_owned())
    } else {
        None
    };
    let simulated =
        provider.as_deref().is_some_and(|name| app.providers.iter().any(|known| known.name() == name && known.simulated()));
    let (graph_json, input_vars) =
        workflow(&span, provider.as_deref(), model.as_deref(), system.as_deref(), &messages, &parameters);
    let preview = ReplayPreview {
        provider,
        model,
        system,
        messages,
        parameters,
        notes,
        simulated,
        estimate_nanousd,
        graph_json,
        input_vars,
        problem,
    };
    Ok(Prepared { preview, link: SpanLink { trace_id: span.trace_id, span_id: span.span_id } })
}

/// In characters.
fn length<'a>(system: &'a Option<String>, messages: impl Iterator<Item = &'a String>) -> u64 {
    system.iter().chain(messages).map(|text| text.chars().count() as u64).sum()
}

fn scale(tokens: u64, now: u64, before: u64) -> u64 {
    u64::try_from(u128::from(tokens) * u128::from(now) / u128::from(before.max(1))).unwrap_or(u64::MAX)
}

/// Who is asked: whom the caller names, else whom the span names, else the default of the deployment.
fn target(
    app: &Shared,
    span: &Span,
    provider: Option<String>,
    model: Option<String>,
    notes: &mut Vec<String>,
) -> (Option<String>, Option<String>) {
    let given = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let (provider, model) = (given(provider), given(model));
    let own_model = span.model_requested.clone().or_else(|| span.model.clone());
    if provider.is_some() {
        return (provider, model.or(own_model));
    }
    let known = |name: &str| app.providers.iter().any(|provider| provider.name() == name && provider.configured());
    if let Some(own) = span.provider.as_deref().filter(|own| known(own)) {
        return (Some(own.to_owned()), model.or(own_model));
    }
    let bindings = app.bindings();
    let default = bindings.iter().find(|binding| binding.workflow_id.is_none() && known(&binding.provider));
    let other = default
        .map(|binding| binding.provider.clone())
        .or_else(|| app.providers.iter().find(|provider| provider.configured()).map(|provider| provider.name().to_owned()));
    let named = span.provider.as_deref().map_or("The span names no provider".to_owned(), |own| {
        format!("The provider `{}` is not set up here", own.chars().take(60).collect::<String>())
    });
    notes.push(match &other {
        Some(other) => format!("{named}; `{other}` is asked instead."),
        None => format!("{named}, nor is any other: set one up first."),
    });
    let default_model = default.map(|binding| binding.model.clone());
    (other, model.or(default_model).or(own_model))
}

/// A workflow of one step. Texts of the span are bound, never part of a template, so nothing in them is filled in.
fn workflow(
    span: &Span,
    provider: Option<&str>,
    model: Option<&str>,
    system: Option<&str>,
    messages: &[Message],
    parameters: &Map<String, Value>,
) -> (Value, Map<String, Value>) {
    let mut config = Map::new();
    let mut input = Map::new();
    config.extend(provider.map(|provider| ("provider".to_owned(), json!(provider))));
    config.extend(model.map(|model| ("model".to_owned(), json!(model))));
    let mut bind = |name: &str, value: Value| {
        config.insert(name.to_owned(), json!(format!("{{{{input.{name}}}}}")));
        input.insert(name.to_owned(), value);
    };
    if let Some(system) = system {
        bind("system", json!(system));
    }
    // What was said last is the prompt, so that it can be edited as such.
    let (before, prompt) = match messages.split_last() {
        Some((last, before)) if last.role == "user" => (before, Some(last)),
        _ => (messages, None),
    };
    if !before.is_empty() {
        bind("messages", json!(before));
    }
    if let Some(prompt) = prompt {
        bind("prompt", json!(prompt.content));
    }
    config.extend(parameters.clone());
    // An answer of the cache would say nothing about the model.
    config.insert("cache".to_owned(), json!({"enabled": false}));
    config.insert("fallbacks".to_owned(), json!([]));
    let name: String = span.name.chars().take(80).collect();
    let node = json!({"id": NODE, "type": "llm", "name": if name.is_empty() { NODE } else { &name }, "config": config});
    let graph = json!({"version": "1", "name": format!("Replay of {name}"), "entry": NODE, "nodes": [node], "edges": []});
    (graph, input)
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct CompareQuery {
    /// The run that made the call again.
    run: String,
}

#[derive(Serialize, ToSchema)]
pub struct SpanComparison {
    trace_id: String,
    span_id: String,
    name: String,
    run: RunSummary,
    /// The span as `a`, the run's model step as `b`.
    step: Aligned,
}

/// A model call of a trace beside the run that made it again.
#[utoipa::path(get, path = "/api/traces/{trace_id}/spans/{span_id}/compare", operation_id = "compareSpan", tag = "traces",
    params(("trace_id" = String, Path, description = "32 hexadecimal digits"), ("span_id" = String, Path, description = "16 hexadecimal digits"), CompareQuery),
    responses(
    (status = 200, body = SpanComparison),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn compare(
    State(app): State<Shared>,
    Path((trace, span)): Path<(String, String)>,
    Query(query): Query<CompareQuery>,
) -> ApiResult<Json<SpanComparison>> {
    let span = call(&app, &trace, &span).await?;
    let id = run_id(&query.run)?;
    let run = snapshot(&app, id, None).await?;
    let row = app.store.run(id).await?.ok_or_else(|| super::dto::no_such_run(id))?;
    let ix = seen(&run).into_iter().find(|ix| run.plan.node(run.state.step(*ix).node).kind.type_name() == "llm");
    let step =
        beside(&span, ix.map(|ix| run.state.step(ix).path.to_string()), view(&app, ix.map(|ix| run.state.step(ix))).await?);
    Ok(Json(SpanComparison {
        trace_id: span.trace_id.to_string(),
        span_id: span.span_id.to_string(),
        name: span.name,
        run: RunSummary::from(row),
        step,
    }))
}

fn beside(span: &Span, path: Option<String>, made: Option<Side>) -> Aligned {
    let was = side(span);
    let messages = |side: &Side| side.prompt.as_ref().map(|prompt| (prompt["messages"].clone(), prompt["parameters"].clone()));
    let differs = match &made {
        None => vec!["missing"],
        Some(made) => [
            ("status", was.status != made.status),
            ("prompt", !made.prompt_truncated && messages(&was) != messages(made)),
            ("target", (&was.provider, &was.model) != (&made.provider, &made.model)),
            ("output", !made.output_truncated && was.output != made.output),
            ("error", was.error != made.error),
        ]
        .into_iter()
        .filter_map(|(what, differs)| differs.then_some(what))
        .collect(),
    };
    Aligned {
        step_id: path.unwrap_or_else(|| NODE.to_owned()),
        node_id: NODE.to_owned(),
        node_type: "llm".to_owned(),
        a: Some(was),
        b: made,
        differs,
    }
}

/// By the names that a recorded call has for them.
fn recorded(parameters: &Map<String, Value>) -> Map<String, Value> {
    let name = |key: &str| match key {
        "topP" => "top_p".to_owned(),
        "maxTokens" => "max_tokens".to_owned(),
        other => other.to_owned(),
    };
    ["temperature", "topP", "maxTokens", "stop", "seed"]
        .into_iter()
        .filter_map(|key| Some((name(key), parameters.get(key)?.clone())))
        .collect()
}

/// A span as a side of a comparison, in the shape that a step's call has.
fn side(span: &Span) -> Side {
    let asked = asked(span);
    let system = asked.system.iter().map(|system| json!({"role": "system", "content": system}));
    let messages: Vec<Value> = system.chain(asked.messages.iter().map(|said| json!(said))).collect();
    let prompt =
        (!messages.is_empty()).then(|| Arc::new(json!({"messages": messages, "parameters": recorded(&asked.parameters)})));
    Side {
        status: if span.status == SpanStatus::Error { "failed" } else { "succeeded" },
        latency_ms: Some(millis(span.started_at, span.ended_at.max(span.started_at))),
        tokens: span.tokens.usage().map(|usage| usage.total()),
        cost_nanousd: span.cost_nanousd,
        provider: span.provider.clone(),
        // The one that was asked, as a step has it too; a provider may answer under the name of a version.
        model: span.model_requested.clone().or_else(|| span.model.clone()),
        cached: false,
        reused: false,
        input: None,
        input_truncated: false,
        output: answered(span).map(|text| Arc::new(Value::String(text))),
        output_truncated: false,
        prompt,
        prompt_truncated: false,
        error: span.error.clone(),
    }
}

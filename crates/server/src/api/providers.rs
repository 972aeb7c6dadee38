//! `/api/providers`: whether a configured provider can really be called.

use super::extract::{OptionalJson, Path};
use super::problem::{ApiError, ApiResult, ProblemDocument};
use super::run_view::ErrorView;
use crate::app::{App, Shared};
use axum::Json;
use axum::extract::State;
use flowtrace_core::call::{Message, ModelCall, Parameters, Role, Target};
use flowtrace_core::failure::{Failure, FailureCode};
use flowtrace_core::price::{PriceTable, accepts_sampling, cost};
use flowtrace_engine::port::provider::CallContext;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};
use utoipa::ToSchema;

/// A provider that takes longer than this for one word is of no use.
const DEADLINE: Duration = Duration::from_secs(20);

/// Enough for one word; some models refuse less.
const MOST_TOKENS: u64 = 16;

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TestRequest {
    /// The model to ask; absent: the default model of this provider, else its cheapest one with a known price.
    model: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct TestResult {
    /// Whether the provider answered.
    ok: bool,
    /// The model that was asked.
    model: String,
    /// The model that the provider says it used.
    answered_by: Option<String>,
    simulated: bool,
    /// From the request to the end of the answer, or to the failure.
    latency_ms: f64,
    first_token_ms: Option<f64>,
    tokens: Option<u64>,
    /// What the test itself cost; it belongs to no run. Null: the price or the usage is unknown.
    cost_nanousd: Option<u64>,
    /// Why it failed, as a step would have shown it.
    error: Option<ErrorView>,
}

/// Makes one small real call to a provider: "Answer with the word OK", 16 tokens at most, no retry, no fallback.
#[utoipa::path(post, path = "/api/providers/{name}/test", operation_id = "testProvider", tag = "server",
    params(("name" = String, Path, description = "The provider")), request_body = TestRequest, responses(
    (status = 200, body = TestResult, description = "The call was made, whatever came of it"),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn test(
    State(app): State<Shared>,
    Path(name): Path<String>,
    OptionalJson(request): OptionalJson<TestRequest>,
) -> ApiResult<Json<TestResult>> {
    let provider = app.providers.iter().find(|provider| provider.name() == name).ok_or_else(|| {
        let names: Vec<_> = app.providers.iter().map(|provider| provider.name()).collect();
        let name: String = name.chars().take(100).collect();
        ApiError::not_found(format!("provider `{name}`: this server has {}", names.join(", ")))
    })?;
    let model = match request.model.filter(|model| !model.trim().is_empty()) {
        Some(model) if model.len() > 200 => {
            return Err(ApiError::bad_request("invalid_body", "`model` is longer than 200 bytes.").at("/model"));
        }
        Some(model) => model,
        None => usual_model(&app, &name).ok_or_else(|| {
            let detail = format!("No model of provider `{name}` is known here: say which `model` to ask.");
            ApiError::bad_request("model_needed", detail).at("/model")
        })?,
    };
    let call = ModelCall {
        tools: Vec::new(),
        sample: None,
        target: Target { provider: name.clone(), model: model.clone() },
        messages: vec![Message::new(Role::User, "Answer with the word OK.")],
        parameters: Parameters { max_tokens: Some(MOST_TOKENS), ..Parameters::default() },
        schema: None,
        simulate: None,
    };
    let id = uuid::Uuid::new_v4().simple().to_string();
    let context = CallContext {
        max_output_tokens: None,
        idempotency_key: format!("test/{id}"),
        traceparent: format!("00-{id}-{}-01", &id[16..]),
        attempt: 1,
        timeout_ms: DEADLINE.as_millis() as u64,
    };
    let start = Instant::now();
    // The deadline of the call is for its first byte; this one is for all of it.
    let outcome = tokio::time::timeout(DEADLINE, provider.call(&call, &context, &|_| {})).await.unwrap_or_else(|_| {
        let message = format!("Provider {name} did not finish one word within {} s.", DEADLINE.as_secs());
        Err(Failure::new(FailureCode::Timeout, message))
    });
    let latency_ms = start.elapsed().as_secs_f64() * 1000.0;
    Ok(Json(match outcome {
        Ok(answer) => TestResult {
            ok: true,
            cost_nanousd: answer.usage.as_ref().and_then(|usage| {
                let price = app.prices.price_of_answer(&name, &model, &answer.model)?;
                Some(cost(usage, price).nanousd)
            }),
            tokens: answer.usage.as_ref().map(|usage| usage.total()),
            model,
            answered_by: Some(answer.model),
            simulated: answer.simulated,
            latency_ms,
            first_token_ms: answer.first_token_ms,
            error: None,
        },
        Err(failure) => TestResult {
            ok: false,
            model,
            answered_by: None,
            simulated: provider.simulated(),
            latency_ms,
            first_token_ms: None,
            tokens: None,
            cost_nanousd: None,
            error: Some(ErrorView::from(&failure)),
        },
    }))
}

/// The provider's default model, else the cheapest one that has a price.
fn usual_model(app: &App, provider: &str) -> Option<String> {
    if let Some(binding) = app.bindings().iter().find(|binding| binding.provider == provider) {
        return Some(binding.model.clone());
    }
    let listed = PriceTable::listed().map(|(provider, model, _)| (provider, model));
    let own = app.priced.iter().map(|(provider, model)| (provider.as_str(), model.as_str()));
    listed
        .chain(own)
        .filter(|(of, _)| *of == provider)
        .filter_map(|(of, model)| Some((app.prices.price(of, model)?, model)))
        // What costs nothing to answer with is no chat model.
        .filter(|(price, _)| price.output > 0)
        // A model that thinks first may spend all of the few tokens on that.
        .min_by_key(|(price, model)| (!accepts_sampling(provider, model), price.input + price.output, *model))
        .map(|(_, model)| model.to_owned())
}

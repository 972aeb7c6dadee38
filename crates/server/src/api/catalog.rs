//! `/api/catalog`: what this deployment offers to workflows. The editor is built from it.

use super::problem::ProblemDocument;
use crate::app::Shared;
use axum::Json;
use axum::extract::State;
use flowtrace_core::price::{Price, PriceTable};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub struct CatalogView {
    /// The words that `type` of a node can be.
    node_types: Vec<String>,
    /// The tools that are known now and may be used.
    tools: Vec<ToolView>,
    /// Servers that bring tools while this one runs.
    tool_sources: Vec<ToolSourceView>,
    providers: Vec<ProviderView>,
    /// Models with a known price, of these providers. Others can be used too.
    models: Vec<ModelView>,
    /// Where the list of prices comes from.
    prices_source: &'static str,
    /// The day on which it was taken.
    prices_date: &'static str,
}

#[derive(Serialize, ToSchema)]
pub struct ToolView {
    name: String,
    description: String,
    /// JSON Schema of the node's `config` without `tool`.
    config_schema: Value,
    /// JSON Schema of the node's `inputs`, which are also what a model gives as arguments.
    input_schema: Value,
    /// JSON Schema of the output.
    output_schema: Value,
    /// What a call may change: `read_only`, `idempotent` (making it twice changes no more than once) or `side_effect`.
    effect: &'static str,
    /// Whether a call that may have been carried out can be made again.
    idempotent: bool,
    /// Whether it reaches out of the process.
    remote: bool,
    /// The longest time of one call in milliseconds, where the operator set one; the node's `timeoutSeconds` may be shorter.
    timeout_ms: Option<u64>,
}

#[derive(Serialize, ToSchema)]
pub struct ToolSourceView {
    name: String,
    /// Names of its tools begin so.
    prefix: String,
    /// Whether its tools are known. Until then a document may name any.
    reached: bool,
    /// What is wrong with it at the moment.
    problem: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct ProviderView {
    name: String,
    /// Whether it has what it needs to be called, for instance its key.
    configured: bool,
    simulated: bool,
    /// The variable, or the secret, that holds its key; null: no key is sent.
    key_name: Option<String>,
    /// Where the key is: `environment` or `secret`; null: nowhere.
    key_source: Option<&'static str>,
}

#[derive(Serialize, ToSchema)]
pub struct ModelView {
    provider: String,
    model: String,
    price: PriceView,
}

/// Pico-dollars (10⁻¹² USD) per token: one dollar per million tokens is 1,000,000.
#[derive(Serialize, ToSchema)]
pub struct PriceView {
    input_picousd: u64,
    output_picousd: u64,
    /// Null: as `input_picousd`.
    cache_read_picousd: Option<u64>,
    /// Null: as `input_picousd`.
    cache_write_picousd: Option<u64>,
}

impl From<&Price> for PriceView {
    fn from(price: &Price) -> Self {
        PriceView {
            input_picousd: price.input,
            output_picousd: price.output,
            cache_read_picousd: price.cache_read,
            cache_write_picousd: price.cache_write,
        }
    }
}

/// Node types, tools, providers, and models with their prices.
#[utoipa::path(get, path = "/api/catalog", operation_id = "getCatalog", tag = "server", responses(
    (status = 200, body = CatalogView),
    (status = "default", body = ProblemDocument, content_type = "application/problem+json"),
))]
pub async fn get(State(app): State<Shared>) -> Json<CatalogView> {
    let catalog = app.catalog();
    let sources = catalog.sources.into_iter().map(|source| ToolSourceView {
        name: source.name,
        prefix: source.prefix,
        reached: source.reached,
        problem: source.problem,
    });
    let tools = catalog.tools.into_iter().map(|tool| ToolView {
        name: tool.name,
        description: tool.description,
        config_schema: tool.config_schema,
        input_schema: tool.input_schema,
        output_schema: tool.output_schema,
        effect: tool.effect.as_str(),
        idempotent: tool.idempotent,
        remote: tool.remote,
        timeout_ms: tool.timeout_ms,
    });
    let providers = app.providers.iter().map(|provider| {
        let key = app.provider_keys.iter().find(|key| key.provider == provider.name());
        let key_name = key.and_then(|key| key.name.clone());
        let stored = key_name.as_ref().is_some_and(|name| app.vault.get(name).is_some());
        ProviderView {
            name: provider.name().to_owned(),
            configured: provider.configured(),
            simulated: provider.simulated(),
            key_name,
            key_source: match key {
                Some(key) if key.given => Some("environment"),
                _ => stored.then_some("secret"),
            },
        }
    });
    let mut names: BTreeSet<(String, String)> =
        PriceTable::listed().map(|(provider, model, _)| (provider.to_owned(), model.to_owned())).collect();
    names.extend(app.priced.iter().cloned());
    names.retain(|(provider, _)| app.providers.iter().any(|known| known.name() == provider));
    let models = names.into_iter().filter_map(|(provider, model)| {
        let price = app.prices.price(&provider, &model)?.into();
        Some(ModelView { provider, model, price })
    });
    Json(CatalogView {
        node_types: flowtrace_core::schema::node_types(),
        tools: tools.collect(),
        tool_sources: sources.collect(),
        providers: providers.collect(),
        models: models.collect(),
        prices_source: PriceTable::source(),
        prices_date: PriceTable::date(),
    })
}

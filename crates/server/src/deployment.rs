//! What stands behind the engine's ports here: the providers and tools that the configuration asks for.

use crate::config::Config;
use flowtrace_adapters::guard::{Guard, GuardPolicy};
use flowtrace_adapters::provider::simulated::{Simulator, SimulatorOptions};
use flowtrace_adapters::provider::{self, HttpClient};
use flowtrace_adapters::secrets::EnvironmentSecrets;
use flowtrace_adapters::tool;
use flowtrace_core::check::Catalog;
use flowtrace_core::equivalence::Equivalence;
use flowtrace_core::price::PriceTable;
use flowtrace_engine::port::provider::Provider;
use flowtrace_engine::port::tool::Tools;
use std::sync::Arc;

pub struct Deployment {
    pub providers: Vec<Arc<dyn Provider>>,
    pub tools: Tools,
    pub catalog: Arc<Catalog>,
    pub simulator: Option<Simulator>,
    pub prices: PriceTable,
    pub equivalence: Equivalence,
}

/// The error is a sentence.
pub async fn build(config: &Config) -> Result<Deployment, String> {
    let simulator = match config.simulate {
        true => Some(
            Simulator::start(SimulatorOptions::default())
                .await
                .map_err(|error| format!("the simulator cannot listen: {error}"))?,
        ),
        false => None,
    };
    let http = HttpClient::new().map_err(|failure| failure.message)?;
    let base_url = simulator.as_ref().map(Simulator::base_url);
    let providers = provider::build(&config.providers, &http, base_url.as_deref()).map_err(|error| error.to_string())?;
    let tools = tools(config);
    let catalog = Arc::new(catalog(&tools, config));
    Ok(Deployment {
        providers,
        tools,
        catalog,
        simulator,
        prices: PriceTable::default().with_overrides(config.prices.iter().cloned()),
        equivalence: Equivalence::default().with_overrides(config.equivalence.iter().cloned()),
    })
}

pub fn tools(config: &Config) -> Tools {
    let policy = GuardPolicy { allow_private: config.allow_private_network, allowed: config.allow.clone() };
    tool::builtin(Guard::new(policy), Arc::new(EnvironmentSecrets)).into()
}

/// What documents are checked against. Providers without a key are in it: their calls fail with a sentence that names it.
pub fn catalog(tools: &Tools, config: &Config) -> Catalog {
    Catalog {
        tools: tools.list().iter().map(|tool| tool.describe()).collect(),
        providers: Some(config.providers.iter().map(|provider| provider.name.clone()).collect()),
    }
}

//! What stands behind the engine's ports here: the providers and tools that the configuration asks for.

use crate::config::Config;
use crate::log::KNOWN;
use flowtrace_adapters::child::Launcher;
use flowtrace_adapters::clean::{CleanProvider, CleanSource, CleanTool};
use flowtrace_adapters::guard::{Guard, GuardPolicy};
use flowtrace_adapters::provider::simulated::{Simulator, SimulatorOptions};
use flowtrace_adapters::provider::{self, HttpClient};
use flowtrace_adapters::secrets::{EnvironmentSecrets, OperatorEnvironment, OperatorSecrets, Secrets, WorkflowSecrets};
use flowtrace_adapters::tool;
use flowtrace_adapters::tool::mcp::{McpServer, Surroundings};
use flowtrace_adapters::tool::process::Process;
use flowtrace_adapters::vault::Vault;
use flowtrace_core::check::Catalog;
use flowtrace_core::equivalence::Equivalence;
use flowtrace_core::price::PriceTable;
use flowtrace_engine::port::provider::Provider;
use flowtrace_engine::port::tool::{Tool, ToolSource, Tools};
use std::sync::Arc;

pub struct Deployment {
    pub providers: Vec<Arc<dyn Provider>>,
    pub tools: Tools,
    /// The servers behind some of the tools, to be reached and stopped.
    pub mcp: Vec<Arc<McpServer>>,
    pub simulator: Option<Simulator>,
    pub prices: PriceTable,
    pub equivalence: Equivalence,
}

/// The error is a sentence.
pub async fn build(config: &Config, vault: &Arc<Vault>) -> Result<Deployment, String> {
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
    let operator: Arc<dyn Secrets> = Arc::new(OperatorSecrets { vault: vault.clone() });
    let workflows = WorkflowSecrets { vault: vault.clone(), owned: Arc::new(config.owned_secrets()) };
    let providers = provider::build(&config.providers, &http, base_url.as_deref(), operator.clone());
    let providers = providers.map_err(|error| error.to_string())?.into_iter();
    let providers = providers.map(|inner| Arc::new(CleanProvider { inner, known: KNOWN.clone() }) as Arc<dyn Provider>);
    let providers = providers.collect();
    let (tools, mcp) = tools(config, ToolSecrets { operator, workflows: Arc::new(workflows) })?;
    Ok(Deployment {
        providers,
        tools,
        mcp,
        simulator,
        prices: PriceTable::default().with_overrides(config.prices.iter().cloned()),
        equivalence: Equivalence::default().with_overrides(config.equivalence.iter().cloned()),
    })
}

/// Where secrets come from that tools use.
pub struct ToolSecrets {
    /// For what the operator's configuration names.
    operator: Arc<dyn Secrets>,
    /// For what workflows name.
    workflows: Arc<dyn Secrets>,
}

/// The environment alone, for commands that open no store.
pub fn environment() -> ToolSecrets {
    ToolSecrets { operator: Arc::new(OperatorEnvironment), workflows: Arc::new(EnvironmentSecrets) }
}

/// Connects to nobody. The error is a sentence.
pub fn tools(config: &Config, secrets: ToolSecrets) -> Result<(Tools, Vec<Arc<McpServer>>), String> {
    let policy = GuardPolicy { allow_private: config.allow_private_network, allowed: config.allow.clone() };
    let surroundings = Surroundings { guard: Guard::new(policy), secrets: secrets.operator, launcher: launcher() };
    let mut fixed = tool::builtin(surroundings.guard.clone(), secrets.workflows);
    for settings in &config.tools.processes {
        let process = Process::new(settings.clone(), surroundings.secrets.clone(), surroundings.launcher.clone())?;
        fixed.push(Arc::new(process) as Arc<dyn Tool>);
    }
    let servers = config.tools.mcp.iter().map(|settings| Arc::new(McpServer::new(settings.clone(), surroundings.clone())));
    let servers: Vec<Arc<McpServer>> = servers.collect();
    let fixed = fixed.into_iter().map(|inner| Arc::new(CleanTool { inner, known: KNOWN.clone() }) as Arc<dyn Tool>).collect();
    let source = |server: &Arc<McpServer>| CleanSource { inner: server.clone(), known: KNOWN.clone() };
    let sources = servers.iter().map(|server| Arc::new(source(server)) as Arc<dyn ToolSource>).collect();
    Ok((Tools::new(fixed, sources).with_rules(config.tools.rules.clone()), servers))
}

/// This program starts others with limits; see `launch`.
#[cfg(unix)]
fn launcher() -> Option<Launcher> {
    // The name of the running program, which still leads to it after an upgrade has replaced the file.
    let own = std::path::Path::new("/proc/self/exe");
    let own = if own.exists() { own.to_owned() } else { std::env::current_exe().ok()? };
    Some(Launcher(vec![own.into(), crate::launch::WORD.into()]))
}

#[cfg(not(unix))]
fn launcher() -> Option<Launcher> {
    None
}

/// What documents are checked against, as far as it is known now. Providers without a key are in it: their calls fail with a
/// sentence that names it.
pub fn catalog<'a>(tools: &Tools, providers: impl Iterator<Item = &'a str>) -> Catalog {
    Catalog {
        tools: tools.list().iter().map(|tool| tool.describe()).collect(),
        providers: Some(providers.map(str::to_owned).collect()),
        rules: tools.rules().clone(),
        sources: tools.sources(),
    }
}

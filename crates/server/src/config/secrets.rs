//! Which secrets the configuration uses, and which the environment holds.

use super::Config;
use flowtrace_adapters::secrets::{KEY_FILE, PREFIX, SecretSetting, Setting};
use flowtrace_adapters::tool::mcp::McpTransport;
use std::collections::{BTreeMap, BTreeSet};

/// Where the key of a provider comes from.
#[derive(Clone, Debug)]
pub struct ProviderKey {
    pub provider: String,
    /// The variable, or the secret, that holds it; `None`: no key is sent.
    pub name: Option<String>,
    /// Whether the environment has it, which comes first.
    pub given: bool,
}

impl Config {
    pub fn provider_keys(&self) -> Vec<ProviderKey> {
        let key = |provider: &flowtrace_adapters::provider::ProviderSettings| ProviderKey {
            provider: provider.name.clone(),
            name: provider.key_setting.clone(),
            given: provider.api_key.is_some(),
        };
        self.providers.iter().map(key).collect()
    }

    /// Names of secrets that the operator's configuration uses, and what for.
    pub fn owned_secrets(&self) -> BTreeMap<String, Vec<String>> {
        let mut owned: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for key in self.provider_keys() {
            owned.entry(key.name.unwrap_or_default()).or_default().push(format!("provider {}", key.provider));
        }
        let mut take = |settings: &BTreeMap<String, Setting>, owner: String| {
            let names: BTreeSet<&String> = settings.values().filter_map(secret).collect();
            names.into_iter().for_each(|name| owned.entry(name.clone()).or_default().push(owner.clone()));
        };
        for process in &self.tools.processes {
            take(&process.program.env, format!("tool process.{}", process.name));
        }
        for server in &self.tools.mcp {
            let settings = match &server.transport {
                McpTransport::Stdio(program) => &program.env,
                McpTransport::Http { headers, .. } => headers,
            };
            take(settings, format!("MCP server {}", server.name));
        }
        owned.remove("");
        owned
    }

    /// Names and values of every variable that holds a secret as far as the configuration tells.
    pub fn secrets_of_the_environment(&self) -> Vec<(String, String)> {
        let own = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            let short = name.strip_prefix(PREFIX).filter(|_| name != KEY_FILE)?;
            Some((short.to_owned(), value.into_string().ok()?))
        });
        let owned = self.owned_secrets();
        let owned = owned.into_keys().filter_map(|name| std::env::var(&name).ok().map(|value| (name, value)));
        let exported = self.export.iter().flat_map(|export| {
            let value = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
                Some((format!("header {name} of the export"), value.to_str().ok()?.to_owned()))
            };
            export.headers.iter().filter_map(value)
        });
        let all = own.chain(owned).chain(exported);
        all.map(|(name, value)| (name, value.trim().to_owned())).filter(|(_, value)| !value.is_empty()).collect()
    }
}

fn secret(setting: &Setting) -> Option<&String> {
    match setting {
        Setting::Text(_) => None,
        Setting::Secret(SecretSetting { env, .. }) => Some(env),
    }
}

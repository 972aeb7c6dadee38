//! Which providers there are, from the environment and the server's configuration.

use super::anthropic::{self, Anthropic};
use super::http::{HttpClient, Upstream};
use super::model::Models;
use super::openai::{self, MaxTokensField, OpenAi};
use super::secret::{ApiKey, KeySource};
use super::unconfigured::NeedsKey;
use crate::secrets::Secrets;
use flowtrace_engine::port::provider::Provider;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A wire format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// OpenAI's chat completions and everything compatible with them.
    OpenAi,
    /// Anthropic's messages.
    Anthropic,
}

impl Kind {
    /// The name of the built-in provider that speaks it.
    fn name(self) -> &'static str {
        match self {
            Kind::OpenAi => "openai",
            Kind::Anthropic => "anthropic",
        }
    }

    fn default_base_url(self) -> &'static str {
        match self {
            Kind::OpenAi => openai::DEFAULT_BASE_URL,
            Kind::Anthropic => anthropic::DEFAULT_BASE_URL,
        }
    }
}

/// One provider as the operator describes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderSettings {
    /// What workflows write as `provider`.
    pub name: String,
    pub kind: Kind,
    /// OpenAI-compatible: up to and including the version, as in `https://api.openai.com/v1`. Anthropic: without it. Absent: the
    /// provider's own address.
    #[serde(default)]
    pub base_url: Option<String>,
    /// Absent: no key is sent, which local servers accept.
    #[serde(default)]
    pub api_key: Option<ApiKey>,
    /// Where the key comes from, for the sentence that says it is missing or refused: the name of an environment variable.
    #[serde(default)]
    pub key_setting: Option<String>,
    /// Absent: `max_completion_tokens` for OpenAI itself, `max_tokens` for everybody else.
    #[serde(default)]
    pub max_tokens_field: Option<MaxTokensField>,
    /// Whether to ask for usage at the end of a stream. Servers that refuse the question need `false`, and report no usage then.
    #[serde(default = "yes")]
    pub stream_usage: bool,
    /// Anthropic only: the limit for calls that set none.
    #[serde(default)]
    pub default_max_tokens: Option<u64>,
    /// Names of models in workflows, and what to ask this provider for instead.
    #[serde(default)]
    pub aliases: BTreeMap<String, String>,
}

fn yes() -> bool {
    true
}

/// A configuration that cannot work. The message says which setting to change, and never holds a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl ProviderSettings {
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        ProviderSettings {
            name: name.into(),
            kind,
            base_url: None,
            api_key: None,
            key_setting: None,
            max_tokens_field: None,
            stream_usage: true,
            default_max_tokens: None,
            aliases: BTreeMap::new(),
        }
    }

    /// `openai` and `anthropic`, from `OPENAI_API_KEY`, `OPENAI_BASE_URL`, `ANTHROPIC_API_KEY` and `ANTHROPIC_BASE_URL`. Both are
    /// always in the list; one that the environment says nothing about is not configured. Empty variables count as absent.
    pub fn from_env(variable: impl Fn(&str) -> Option<String>) -> Result<Vec<Self>, ConfigError> {
        let read = |name: &str| variable(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        [(Kind::OpenAi, "OPENAI"), (Kind::Anthropic, "ANTHROPIC")]
            .map(|(kind, prefix)| {
                let key_name = format!("{prefix}_API_KEY");
                let api_key = read(&key_name).map(|text| ApiKey::new(&text)).transpose();
                let api_key = api_key.map_err(|error| ConfigError(format!("{key_name} is not usable: {error}.")))?;
                let base_url = read(&format!("{prefix}_BASE_URL"));
                Ok(ProviderSettings {
                    base_url,
                    api_key,
                    key_setting: Some(key_name),
                    ..ProviderSettings::new(kind.name(), kind)
                })
            })
            .into_iter()
            .collect()
    }

    /// What to check or set for this provider's key.
    fn key_setting(&self) -> String {
        self.key_setting.clone().unwrap_or_else(|| format!("the key of provider `{}`", self.name))
    }

    fn build(
        &self,
        http: &HttpClient,
        simulator: Option<&str>,
        secrets: &Arc<dyn Secrets>,
    ) -> Result<Arc<dyn Provider>, ConfigError> {
        let key = match simulator {
            Some(_) => KeySource::default(),
            None => {
                KeySource { given: self.api_key.clone(), secret: self.key_setting.clone().map(|name| (name, secrets.clone())) }
            }
        };
        let upstream = Upstream {
            name: self.name.clone(),
            key: key.clone(),
            key_setting: self.key_setting(),
            simulated: simulator.is_some(),
        };
        let provider = self.client(upstream, http, simulator)?;
        // A server at an address of its own may want no key.
        if simulator.is_some() || self.base_url.is_some() {
            return Ok(provider);
        }
        Ok(Arc::new(NeedsKey { inner: provider, key, setting: self.key_setting() }))
    }

    fn client(&self, upstream: Upstream, http: &HttpClient, simulator: Option<&str>) -> Result<Arc<dyn Provider>, ConfigError> {
        let base = self.checked_base_url()?;
        let is_own_address =
            base.host_str() == reqwest::Url::parse(self.kind.default_base_url()).ok().as_ref().and_then(|own| own.host_str());
        let base = match simulator {
            Some(simulator) => format!("{}/v1", simulator.trim_end_matches('/')),
            None => base.as_str().trim_end_matches('/').to_owned(),
        };
        let models = Models { first_party: is_own_address.then(|| self.kind.name()), aliases: self.aliases.clone() };
        let http = http.clone();
        Ok(match self.kind {
            Kind::OpenAi => Arc::new(OpenAi {
                http,
                upstream,
                url: format!("{base}/chat/completions"),
                models,
                max_tokens_field: self.max_tokens_field.unwrap_or(match is_own_address {
                    true => MaxTokensField::MaxCompletionTokens,
                    false => MaxTokensField::MaxTokens,
                }),
                stream_usage: self.stream_usage,
            }),
            Kind::Anthropic => Arc::new(Anthropic {
                http,
                upstream,
                // Some put the version into the base URL, as is the custom with OpenAI's.
                url: format!("{}/v1/messages", base.strip_suffix("/v1").unwrap_or(&base)),
                models,
                default_max_tokens: self.default_max_tokens.unwrap_or(anthropic::DEFAULT_MAX_TOKENS),
            }),
        })
    }

    fn checked_base_url(&self) -> Result<reqwest::Url, ConfigError> {
        let text = self.base_url.as_deref().unwrap_or(self.kind.default_base_url());
        let wrong = |why: &str| ConfigError(format!("The base URL of provider `{}` {why}.", self.name));
        let url = reqwest::Url::parse(text).map_err(|error| wrong(&format!("is not a URL ({error})")))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(wrong("has to start with http:// or https:// and name a host"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("holds a user name or password; put the key into `api_key` or the environment"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("holds a query or a fragment, to which no path can be added"));
        }
        Ok(url)
    }
}

/// Builds every provider. With `simulator` (its base URL) all of them are simulated, whatever their settings: no key leaves the process
/// and no real provider is called. `secrets` have the keys that the settings name and do not hold.
pub fn build(
    settings: &[ProviderSettings],
    http: &HttpClient,
    simulator: Option<&str>,
    secrets: Arc<dyn Secrets>,
) -> Result<Vec<Arc<dyn Provider>>, ConfigError> {
    let mut names = BTreeSet::new();
    for settings in settings {
        if settings.name.is_empty() {
            return Err(ConfigError("A provider needs a name.".to_owned()));
        }
        if !names.insert(&settings.name) {
            return Err(ConfigError(format!("Two providers are called `{}`; a name may stand for one only.", settings.name)));
        }
    }
    settings.iter().map(|settings| settings.build(http, simulator, &secrets)).collect()
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
